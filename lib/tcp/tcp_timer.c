/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One wheel timer carries three deadlines, and the moment that pacing waits for. It is armed
 * lazily: a deadline that moves away leaves the timer where it is; when it fires with nothing due
 * it is set again.
 */
#include "tcp_pvt.h"

static uint32_t earlier(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return (int32_t)(a - b) < 0 ? a : b;
}

void tcp_timer_arm(struct tcp_conn *c)
{
	uint32_t at = earlier(earlier(c->rtx_at, c->ack_at), c->idle_at);
	uint32_t now_ms = tcp_now_ms(c->tcp);
	uint64_t now_ns = c->tcp->worker->now_ns;
	uint64_t expire_at = tcp_pace_at(c);

	if (at)
		expire_at = MIN(
			expire_at, now_ns - (now_ns - c->tcp->start_ns) % NS_PER_MS +
					   (uint64_t)MAX((int32_t)(at - now_ms), 0) * NS_PER_MS);
	if (expire_at == UINT64_MAX)
		return;
	if (!timer_is_set(&c->timer) || c->timer.expire_at > expire_at)
		timer_set(&c->tcp->worker->timers, &c->timer, expire_at);
}

/* Timeouts or probes without an answer, before it is given up; a user timeout is no number. */
static uint32_t tries_max(const struct tcp_conn *c)
{
	if (tcp_is_opening(c))
		return c->tcp->config.retries_syn;
	return tcp_options(c)->user_timeout_ms ? UINT32_MAX : c->tcp->config.retries_data;
}

/* The peer took its window back and has answered since: what goes again is a probe of that window,
 * and no proof that nobody is there (RFC 9293 3.8.6, SHLD-17). Nobody waits for ever for a
 * connection without an owner. */
static bool window_was_closed(const struct tcp_conn *c)
{
	return c->flags & TCP_F_OWNED && c->snd_wnd == 0 &&
	       tcp_now_ms(c->tcp) - c->last_rx_ms <= tcp_rto_backed_off_ms(c);
}

/* RFC 6298 5.4 to 5.7, RFC 5681 3.1 equation 4, RFC 6675 5.1. */
static void rtx_due(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;
	bool opening = tcp_is_opening(c), closed = !opening && window_was_closed(c);

	if (c->backoff >= tries_max(c) && !closed) {
		tcp_count(tcp, opening ? TCP_STAT_OPEN_FAILED : TCP_STAT_ESTABLISHED_RESET);
		tcp_conn_fail(c, TCP_FAILURE_TIMEOUT);
		return;
	}
	c->backoff = (uint8_t)MIN(c->backoff + 1, UINT8_MAX);
	tcp_count(tcp, TCP_STAT_TIMEOUTS);
	if (c->backoff == TCP_R1 && !closed) { /* RFC 9293 3.8.3 (b) */
		tcp_count(tcp, TCP_STAT_PATHS_DOUBTED);
		ip_path_doubt(tcp->ip, &c->path);
	}
	if (opening) {
		tcp_fast_open_lost(c);
		if (!(c->syn_bits & TCP_SYN_DEFERRED))
			c->flags |= TCP_F_SYN_LOST;
		c->syn_bits |= TCP_SYN_DUE;
		if (!tcp_is_fast_opening(c))
			c->snd_nxt = c->snd_una;
		else if (tcp_outstanding(c))
			tcp_loss_all(c);
		c->flags &= ~(uint32_t)TCP_F_RTT;
	} else {
		if (!closed)
			tcp_pmtu_timeout(c);
		tcp_loss_timeout(c);
	}
	tcp_rtx_restart(c);
}

/* RFC 9293 3.8.6.1: probes go on while the peer answers; nobody waits for a connection without an
 * owner for ever. */
static void persist_due(struct tcp_conn *c)
{
	if (c->probes >= tries_max(c)) {
		tcp_count(c->tcp, TCP_STAT_ESTABLISHED_RESET);
		tcp_conn_fail(c, TCP_FAILURE_TIMEOUT);
		return;
	}
	c->probes = (uint8_t)MIN(c->probes + 1, UINT8_MAX);
	c->backoff = (uint8_t)MIN(c->backoff + 1, UINT8_MAX);
	c->flags |= TCP_F_PROBE;
	c->rtx_at = tcp_deadline(
		tcp_now_ms(c->tcp), MIN(tcp_rto_backed_off_ms(c), (uint32_t)TCP_PERSIST_MAX_MS));
}

static void flight_idle(struct tcp_conn *c)
{
	c->rtx_kind = TCP_RTX_NONE;
	tcp_flight_release(c);
}

void tcp_timer_fn(struct timer *timer, uint64_t now_ns)
{
	struct tcp_conn *c = CONTAINER_OF(timer, struct tcp_conn, timer);
	uint32_t now_ms = tcp_now_ms(c->tcp);
	bool due = now_ns >= tcp_pace_at(c);

	if (tcp_deadline_due(c->ack_at, now_ms)) {
		due = true;
		c->ack_at = 0;
		if (c->flags & TCP_F_ACK_DELAYED) { /* in vain: nothing took it along */
			c->flags |= TCP_F_ACK_NOW;
			tcp_quick_ack_begin(c);
		}
		tcp_room_check(c);
	}
	if (tcp_deadline_due(c->rtx_at, now_ms)) {
		due = true;
		c->rtx_at = 0;
		if (c->rtx_kind == TCP_RTX_IDLE)
			flight_idle(c);
		else if (c->rtx_kind == TCP_RTX_PERSIST)
			persist_due(c);
		else if (c->rtx_kind == TCP_RTX_RTO)
			rtx_due(c);
		else
			tcp_rack_due(c);
	}
	if (tcp_is_open(c) && tcp_deadline_due(c->idle_at, now_ms)) {
		due = true;
		c->idle_at = 0;
		tcp_idle_due(c);
	}
	if (!tcp_is_open(c))
		return;
	if (due)
		tcp_conn_schedule(c); /* output arms the timer */
	else
		tcp_timer_arm(c);
}
