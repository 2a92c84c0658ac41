/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 5681 with appropriate byte counting (RFC 3465) and HyStart++. It also serves connections that
 * have no struct tcp_flight: then nothing is remembered between ACKs.
 */
#include "tcp_cc.h"

struct reno {
	struct tcp_hystart hystart;
	uint32_t acked_bytes; /* towards the next step */
};
static_assert(sizeof(struct reno) <= TCP_CC_STATE_BYTES, "it lives in struct tcp_flight");

static void reno_init(struct tcp_conn *c)
{
	struct reno *r = tcp_cc_state(c);

	if (!r)
		return;
	*r = (struct reno){0};
	tcp_hystart_init(&r->hystart);
}

/* One segment for each window that was acknowledged. */
static void avoid(struct tcp_conn *c, struct reno *r, uint32_t acked_bytes)
{
	uint32_t seg = tcp_seg_bytes(c);

	if (!r) { /* RFC 5681 3.1, equation 3 */
		c->cwnd += MAX((uint32_t)((uint64_t)seg * MIN(acked_bytes, seg) / c->cwnd), 1u);
		return;
	}
	r->acked_bytes += acked_bytes;
	if (r->acked_bytes >= c->cwnd) {
		r->acked_bytes -= c->cwnd;
		c->cwnd += seg;
	}
}

static void reno_on_ack(struct tcp_conn *c, const struct tcp_ack *a)
{
	struct reno *r = tcp_cc_state(c);

	if (!tcp_cc_may_grow(c, a))
		return;
	if (c->cwnd < c->ssthresh)
		tcp_cc_slow_start(c, r ? &r->hystart : NULL, a);
	else
		avoid(c, r, a->acked_bytes);
	c->cwnd = MIN(c->cwnd, TCP_CWND_MAX);
}

/* RFC 8511 3.1: a mark says less than a loss, once slow start is over. */
static void reno_on_congestion(struct tcp_conn *c, enum tcp_cc_cause cause)
{
	bool gentle = cause == TCP_CC_ECN && c->cwnd >= c->ssthresh;
	uint32_t base = tcp_cc_base(c, cause);
	struct reno *r = tcp_cc_state(c);

	c->ssthresh = MAX(gentle ? base / 5 * 4 : base / 2, 2 * tcp_seg_bytes(c));
	if (r)
		r->acked_bytes = 0;
}

static void reno_on_idle(struct tcp_conn *c)
{
	tcp_cc_idle(c);
	reno_init(c);
}

const struct tcp_cc_ops tcp_cc_reno = {
	.init = reno_init,
	.on_ack = reno_on_ack,
	.on_congestion = reno_on_congestion,
	.on_undo = reno_init,
	.on_idle = reno_on_idle,
	.pacing_rate = tcp_cc_window_rate,
};
