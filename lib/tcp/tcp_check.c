/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For tests: what holds for every connection whenever a core has nothing to do. The numbers are in
 * order; who has something to do has a timer that will make it happen; who has nothing to do costs
 * nothing but itself.
 */
#include "tcp_pvt.h"

struct rule {
	const char *text; /* when it is broken */
	bool (*broken)(const struct tcp_conn *c);
};

/* Deadlines that make output look again; keep-alive and the end of an idle flight are none. */
static bool will_act(const struct tcp_conn *c)
{
	return (c->rtx_at != 0 && c->rtx_kind != TCP_RTX_IDLE) || c->ack_at != 0 ||
	       tcp_pace_at(c) != UINT64_MAX;
}

static bool is_left_active(const struct tcp_conn *c)
{
	return c->flags & TCP_F_ACTIVE;
}

static bool numbers_are_out_of_order(const struct tcp_conn *c)
{
	return seq_gt(c->snd_una, c->snd_nxt) || seq_gt(c->snd_nxt, c->snd_max);
}

/* While opening, text that left with the SYN is no part of it. */
static bool flight_tells_something_else(const struct tcp_conn *c)
{
	const struct tcp_flight *f = tcp_flight_of(c);

	return f && !tcp_is_opening(c) && !tcp_flight_covers(f, c->snd_una, c->snd_nxt);
}

static bool more_was_sent_than_queued(const struct tcp_conn *c)
{
	bool fin = c->flags & TCP_F_FIN_SENT && !seq_eq(c->snd_una, c->snd_max);

	return !tcp_is_opening(c) && tcp_outstanding(c) > c->snd.bytes + fin;
}

static bool window_was_taken_back(const struct tcp_conn *c)
{
	return c->state >= TCP_ESTABLISHED && seq_gt(c->rcv_nxt, c->rcv_adv) &&
	       !(c->flags & TCP_F_FIN_RCVD);
}

static bool cannot_send_a_segment(const struct tcp_conn *c)
{
	return c->state >= TCP_ESTABLISHED && c->cwnd < tcp_seg_bytes(c);
}

static bool deadline_without_purpose(const struct tcp_conn *c)
{
	return (c->rtx_at != 0) != (c->rtx_kind != TCP_RTX_NONE);
}

static bool opens_without_timer(const struct tcp_conn *c)
{
	return tcp_is_opening(c) && !will_act(c);
}

static bool flight_without_timer(const struct tcp_conn *c)
{
	return tcp_outstanding(c) != 0 && !will_act(c);
}

/* A last small segment may wait for the owner's next bytes. */
static bool queue_without_timer(const struct tcp_conn *c)
{
	bool held = c->flags & TCP_F_MORE && c->snd.bytes < tcp_seg_bytes(c);

	return !tcp_is_opening(c) && c->snd.bytes > 0 && !held && !will_act(c);
}

static bool fin_without_timer(const struct tcp_conn *c)
{
	bool acked = c->flags & TCP_F_FIN_SENT && seq_eq(c->snd_una, c->snd_max);

	return !tcp_is_opening(c) && c->flags & TCP_F_FIN_QUEUED && !acked && !will_act(c);
}

static bool ack_without_timer(const struct tcp_conn *c)
{
	return c->flags & (TCP_F_ACK_NOW | TCP_F_ACK_DELAYED) && c->ack_at == 0;
}

static bool end_without_timer(const struct tcp_conn *c)
{
	return c->state == TCP_FIN_WAIT_2 && !(c->flags & TCP_F_OWNED) && c->idle_at == 0;
}

static bool deadline_without_timer(const struct tcp_conn *c)
{
	return (will_act(c) || (c->rtx_at | c->idle_at) != 0) && !timer_is_set(&c->timer);
}

/* Lazily armed: the timer may stand before the deadline, never behind it. */
static bool timer_is_late(const struct tcp_conn *c)
{
	uint64_t now_ns = c->tcp->worker->now_ns;
	const uint32_t at[] = {c->rtx_at, c->ack_at, c->idle_at};

	for (uint32_t i = 0; i < ARRAY_LEN(at); i++) {
		int32_t left_ms = (int32_t)(at[i] - tcp_now_ms(c->tcp));

		if (at[i] != 0 &&
			c->timer.expire_at > now_ns + (uint64_t)MAX(left_ms, 0) * NS_PER_MS)
			return true;
	}
	return c->timer.expire_at > tcp_pace_at(c);
}

/* An idle connection costs its own memory and nothing else. */
static bool idles_with_more_memory(const struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);
	bool is_idle = c->rtx_at == 0 && c->ack_at == 0;

	return is_idle &&
	       (c->flight_ref || (r && r->reasm_count == 0 && !(c->flags & TCP_F_FIN_AHEAD)));
}

static const struct rule rules[] = {
	{"still on the active list", is_left_active},
	{"sequence numbers out of order", numbers_are_out_of_order},
	{"the flight tells something else than the sequence numbers", flight_tells_something_else},
	{"more was sent than is queued", more_was_sent_than_queued},
	{"received beyond the window that was told", window_was_taken_back},
	{"cwnd below a segment", cannot_send_a_segment},
	{"a deadline without a purpose, or the other way round", deadline_without_purpose},
	{"opens without a timer", opens_without_timer},
	{"unacknowledged without a timer", flight_without_timer},
	{"unsent without a timer", queue_without_timer},
	{"FIN without a timer", fin_without_timer},
	{"owes an ACK without a timer", ack_without_timer},
	{"FIN-WAIT-2 without an end", end_without_timer},
	{"a deadline that no timer keeps", deadline_without_timer},
	{"the timer is behind a deadline", timer_is_late},
	{"idle, and holds more than itself", idles_with_more_memory},
};

const char *tcp_check(const struct tcp *tcp, struct tcp_conn_info *out)
{
	*out = (struct tcp_conn_info){0};
	if (!list_is_empty(&tcp->active))
		return "the active list is not empty";
	for (uint32_t slot = 0; slot <= tcp->table.mask; slot++) {
		const struct tcp_conn *c = tcp_ref_conn(tcp, tcp->table.slots[slot].ref);

		for (uint32_t i = 0; c && i < ARRAY_LEN(rules); i++) {
			if (!rules[i].broken(c))
				continue;
			tcp_conn_info(c, out);
			return rules[i].text;
		}
	}
	return NULL;
}
