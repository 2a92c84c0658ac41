/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_pvt.h"

#define RTT_US_MAX (60u * 1000000)

void tcp_rtt_sample(struct tcp_conn *c, uint32_t rtt_us)
{
	uint32_t err_us;

	rtt_us = MIN(MAX(rtt_us, 1u), RTT_US_MAX);
	if (c->srtt_us == 0) {
		c->srtt_us = rtt_us;
		c->rttvar_us = rtt_us / 2;
		return;
	}
	err_us = c->srtt_us > rtt_us ? c->srtt_us - rtt_us : rtt_us - c->srtt_us;
	c->rttvar_us = c->rttvar_us - c->rttvar_us / 4 + err_us / 4;
	c->srtt_us = MAX(c->srtt_us - c->srtt_us / 8 + rtt_us / 8, 1u);
}

uint32_t tcp_rto_ms(const struct tcp_conn *c)
{
	uint32_t rto_ms;

	if (c->srtt_us == 0)
		return c->flags & TCP_F_SYN_LOST && !tcp_is_opening(c) ? TCP_RTO_SYN_LOST_MS
								       : TCP_RTO_INIT_MS;
	rto_ms = (c->srtt_us + MAX(4 * c->rttvar_us, 1000u)) / 1000 + 1;
	return MIN(MAX(rto_ms, (uint32_t)TCP_RTO_MIN_MS), (uint32_t)TCP_RTO_MAX_MS);
}

uint32_t tcp_rto_backed_off_ms(const struct tcp_conn *c)
{
	uint64_t rto_ms = (uint64_t)tcp_rto_ms(c) << MIN(c->backoff, 16);

	return (uint32_t)MIN(rto_ms, (uint64_t)TCP_RTO_MAX_MS);
}

/* RFC 6298 5.1 to 5.3: runs while something is outstanding. */
void tcp_rtx_restart(struct tcp_conn *c)
{
	c->rtx_kind = TCP_RTX_RTO;
	c->rtx_at = tcp_deadline(tcp_now_ms(c->tcp), tcp_rto_backed_off_ms(c));
	if (c->flight_ref)
		tcp_flight_of(c)->rto_at = c->rtx_at;
}

void tcp_rtx_idle(struct tcp_conn *c)
{
	c->rtx_kind = c->flight_ref ? TCP_RTX_IDLE : TCP_RTX_NONE;
	c->rtx_at = c->flight_ref ? tcp_deadline(tcp_now_ms(c->tcp), tcp_rto_ms(c)) : 0;
}
