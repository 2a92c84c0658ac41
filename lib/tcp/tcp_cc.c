/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_pvt.h"

static const struct tcp_cc_ops *const controls[] = {&tcp_cc_newreno};

const struct tcp_cc_ops *tcp_cc(const struct tcp_conn *c)
{
	return controls[c->cc];
}

uint32_t tcp_cc_initial_window(const struct tcp_conn *c)
{
	uint32_t seg = tcp_seg_bytes(c);

	if (c->flags & TCP_F_SYN_LOST) /* RFC 5681 3.1 */
		return seg;
	return MIN(TCP_INITIAL_WINDOW_SEGS * seg, MAX(2 * seg, 14600u));
}

void tcp_cc_open(struct tcp_conn *c)
{
	c->cwnd = tcp_cc_initial_window(c);
	c->ssthresh = TCP_CWND_MAX;
	tcp_cc(c)->init(c);
}

void tcp_cc_restart_idle(struct tcp_conn *c)
{
	if (tcp_now_ms(c->tcp) - c->last_rx_ms > tcp_rto_ms(c))
		tcp_cc(c)->on_idle(c);
}
