/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 5681 with appropriate byte counting (RFC 3465). cc[0] of the flight counts bytes towards the
 * next step; without a flight each ACK adds its part. */
#include "tcp_pvt.h"

static void newreno_init(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (f)
		f->cc[0] = 0;
}

/* One segment for each window that was acknowledged. */
static void avoid(struct tcp_conn *c, uint32_t acked_bytes)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t seg = tcp_seg_bytes(c);

	if (!f) {
		c->cwnd += (uint32_t)((uint64_t)seg * MIN(acked_bytes, c->cwnd) / c->cwnd);
		return;
	}
	f->cc[0] += acked_bytes;
	if (f->cc[0] >= c->cwnd) {
		f->cc[0] -= c->cwnd;
		c->cwnd += seg;
	}
}

static void newreno_on_ack(struct tcp_conn *c, const struct tcp_ack *a)
{
	uint32_t seg = tcp_seg_bytes(c);

	if (c->flags & TCP_F_RECOVERY || !a->cwnd_limited)
		return;
	/* After a timeout one ACK may cover what was received before: L = 1 (RFC 3465 2.3). */
	if (c->cwnd < c->ssthresh)
		c->cwnd += MIN(a->acked_bytes, c->flags & TCP_F_LOSS ? seg : 2 * seg);
	else
		avoid(c, a->acked_bytes);
	c->cwnd = MIN(c->cwnd, TCP_CWND_MAX);
}

static void newreno_on_congestion(struct tcp_conn *c, enum tcp_cc_cause cause)
{
	(void)cause;
	c->ssthresh = MAX(tcp_outstanding(c) / 2, 2 * tcp_seg_bytes(c));
	newreno_init(c);
}

/* RFC 5681 4.1: after an idle time the ACK clock is gone. */
static void newreno_on_idle(struct tcp_conn *c)
{
	c->cwnd = MIN(c->cwnd, tcp_cc_initial_window(c));
}

const struct tcp_cc_ops tcp_cc_newreno = {
	.name = "newreno",
	.init = newreno_init,
	.on_ack = newreno_on_ack,
	.on_congestion = newreno_on_congestion,
	.on_undo = newreno_init,
	.on_idle = newreno_on_idle,
};
