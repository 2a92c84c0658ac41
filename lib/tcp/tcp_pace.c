/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pacing: what leaves is spread over time at the rate of the congestion control.
 *
 * next_send_ns of the flight is when the next byte is due at that rate. The timing wheel fires in
 * ticks, so output may run ahead by one tick: what leaves at once is what the rate makes of a tick,
 * one segment at least. A timer that is a tick late costs nothing, because it finds the time used
 * up by which output was ahead. Waiting connections cost no turns: the timer wakes them.
 */
#include "tcp_pvt.h"

#define AHEAD_NS TIMER_TICK_NS
#define RATE_MAX (UINT64_C(1) << 40) /* bytes/s; a tick of it fits 32 bits */

uint64_t tcp_pace_rate(const struct tcp_conn *c)
{
	const struct tcp_cc_ops *ops = tcp_cc(c);

	return ops->pacing_rate ? MIN(ops->pacing_rate(c), RATE_MAX) : 0;
}

uint32_t tcp_pace_quantum(const struct tcp_conn *c)
{
	uint64_t bytes = tcp_pace_rate(c) * AHEAD_NS / NS_PER_SEC;

	return (uint32_t)MAX(bytes, (uint64_t)tcp_seg_bytes(c));
}

uint32_t tcp_pace_room(struct tcp_conn *c)
{
	const struct tcp_flight *f = tcp_flight_of(c);
	uint64_t rate = f ? tcp_pace_rate(c) : 0, now_ns = c->tcp->worker->now_ns;
	uint64_t ahead_ns, bytes;

	if (rate == 0)
		return UINT32_MAX;
	ahead_ns = f->next_send_ns > now_ns ? f->next_send_ns - now_ns : 0;
	if (ahead_ns >= AHEAD_NS) {
		c->flags |= TCP_F_PACED;
		tcp_count(c->tcp, TCP_STAT_PACED);
		return 0;
	}
	bytes = rate * (AHEAD_NS - ahead_ns) / NS_PER_SEC;
	return (uint32_t)MIN(MAX(bytes, (uint64_t)tcp_seg_bytes(c)), (uint64_t)UINT32_MAX);
}

void tcp_pace_sent(struct tcp_conn *c, uint32_t bytes)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint64_t rate = f ? tcp_pace_rate(c) : 0;

	if (rate)
		f->next_send_ns =
			MAX(f->next_send_ns, c->tcp->worker->now_ns) + bytes * NS_PER_SEC / rate;
}

uint64_t tcp_pace_at(const struct tcp_conn *c)
{
	const struct tcp_flight *f = tcp_flight_of(c);

	return c->flags & TCP_F_PACED && f ? f->next_send_ns - AHEAD_NS + 1 : UINT64_MAX;
}
