/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice of a congestion control, and what all of them do alike. */
#include "tcp_cc.h"

static const struct tcp_cc_ops *const controls[TCP_CC_KIND_COUNT] = {
	[TCP_CC_RENO] = &tcp_cc_reno,
	[TCP_CC_CUBIC] = &tcp_cc_cubic,
	[TCP_CC_BBR] = &tcp_cc_bbr,
};

const struct tcp_cc_ops *tcp_cc(const struct tcp_conn *c)
{
	return c->flight_ref ? controls[tcp_cc_kind(c)] : &tcp_cc_reno;
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
}

void tcp_cc_restart_idle(struct tcp_conn *c)
{
	if (tcp_now_ms(c->tcp) - c->last_rx_ms > tcp_rto_ms(c))
		tcp_cc(c)->on_idle(c);
}

void tcp_cc_congestion(struct tcp_conn *c, enum tcp_cc_cause cause)
{
	tcp_cc(c)->on_congestion(c, cause);
	tcp_ecn_reduced(c);
}

/* --- what controls share ----------------------------------------------------------- */

/* A timeout in a recovery comes when the window is what the recovery left. */
uint32_t tcp_cc_base(const struct tcp_conn *c, enum tcp_cc_cause cause)
{
	uint32_t window = c->flags & TCP_F_RECOVERY ? MAX(c->cwnd, c->ssthresh) : c->cwnd;

	return cause == TCP_CC_ECN ? c->cwnd
				   : MIN(window, MAX(tcp_outstanding(c), tcp_flight_used(c)));
}

void tcp_cc_idle(struct tcp_conn *c)
{
	if (c->ssthresh != TCP_CWND_MAX)
		c->ssthresh = MAX(c->ssthresh, c->cwnd / 4 * 3);
	c->cwnd = MIN(c->cwnd, tcp_cc_initial_window(c));
}

uint64_t tcp_cc_window_rate(const struct tcp_conn *c)
{
	uint32_t pct = c->cwnd < c->ssthresh ? 200 : 120;

	if (!c->tcp->config.pacing || c->srtt_us == 0)
		return 0;
	return (uint64_t)c->cwnd * pct * 10000 / c->srtt_us;
}
