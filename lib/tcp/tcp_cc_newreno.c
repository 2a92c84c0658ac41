/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 5681 with appropriate byte counting (RFC 3465); cc_acked counts bytes towards the next step.
 */
#include "tcp_pvt.h"

static void newreno_init(struct tcp_conn *c)
{
	c->cc_acked = 0;
}

static void newreno_on_ack(struct tcp_conn *c, uint32_t acked_bytes)
{
	uint32_t seg = tcp_seg_bytes(c);

	if (c->cwnd < c->ssthresh) {
		/* After a timeout one ACK may cover what was received before: L = 1 (RFC 3465 2.3).
		 */
		uint32_t step_max = c->flags & TCP_F_LOSS ? seg : 2 * seg;

		c->cwnd += MIN(acked_bytes, step_max);
	} else {
		c->cc_acked += acked_bytes;
		if (c->cc_acked >= c->cwnd) {
			c->cc_acked -= c->cwnd;
			c->cwnd += seg;
		}
	}
	c->cwnd = MIN(c->cwnd, TCP_CWND_MAX);
}

static void newreno_on_loss(struct tcp_conn *c)
{
	c->ssthresh = MAX(tcp_flight(c) / 2, 2 * tcp_seg_bytes(c));
	c->cc_acked = 0;
}

const struct tcp_cc_ops tcp_cc_newreno = {
	.name = "newreno",
	.init = newreno_init,
	.on_ack = newreno_on_ack,
	.on_loss = newreno_on_loss,
	.on_timeout = newreno_on_loss,
};
