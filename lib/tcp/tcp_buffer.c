/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection may hold: the limits of its two buffers, how they grow and shrink, the window
 * that follows from them, and the level of the core's memory.
 *
 * A limit is a permission, no memory: an idle connection holds nothing whatever its limits are. It
 * is the initial size doubled rcv_grow (snd_grow) times, at most the configured maximum; options
 * with a size of their own fix it. It grows when it is what holds the flow back:
 *   - the receive buffer when the owner takes more than half of it in a round trip (dynamic right
 *     sizing). The round trip is the shortest that timestamps told in the round, else srtt;
 *   - the send buffer when the owner waits for room and the congestion window asks for more: two of
 *     them must fit, one in the network and one to follow.
 * A buffer that was empty when traffic comes again under pressure starts from its first size.
 *
 * Levels come from the free share of the packet pools, looked at once a turn:
 *   GREEN   as above.
 *   YELLOW  nothing grows, empty buffers shrink, small buffers are gathered earlier.
 *   RED     each buffer counts as TCP_BUFFER_RED segments at most, and text out of order is not
 *           kept. Every connection can still move, and what was promised stays promised.
 *
 * The window: what was promised to the peer is never taken back (RFC 9293 3.8.6.2.1). The header
 * says it in units of 1 << rcv_shift, so that a promise is rounded up to the next unit; a peer that
 * sends crumbs can gain a unit by that, no more (RFC 7323 2.4).
 */
#include "tcp_pvt.h"

#define ROUND_UNIT_SHIFT 8      /* rcv_round_at_unit counts 256 bytes */
#define ROUND_RTT_US     100000 /* before anything is known */
#define GROW_MAX         15     /* what 4 bits hold */

/* --- limits ------------------------------------------------------------------------ */

static uint32_t grown(uint32_t initial_bytes, uint32_t max_bytes, uint32_t grow)
{
	return (uint32_t)MIN((uint64_t)initial_bytes << grow, (uint64_t)max_bytes);
}

/* The least that lets a flow move: a full segment goes while the other is acknowledged. */
static uint32_t pressed(const struct tcp_conn *c, uint32_t limit)
{
	if (LIKELY(c->tcp->memory_level < TCP_MEMORY_RED))
		return limit;
	return MIN(limit, MAX(TCP_BUFFER_RED_SEGS * (uint32_t)c->mss, TCP_BUFFER_BYTES_MIN));
}

static uint32_t recv_limit_max(const struct tcp_conn *c)
{
	uint32_t fixed_bytes = tcp_options(c)->recv_buffer_bytes;

	return fixed_bytes ? fixed_bytes : c->tcp->config.recv_buffer_max_bytes;
}

uint32_t tcp_recv_limit(const struct tcp_conn *c)
{
	uint32_t fixed_bytes = tcp_options(c)->recv_buffer_bytes;
	const struct tcp_config *config = &c->tcp->config;

	return pressed(c, fixed_bytes ? fixed_bytes
				      : grown(config->recv_buffer_bytes,
						config->recv_buffer_max_bytes, c->rcv_grow));
}

uint32_t tcp_send_limit(const struct tcp_conn *c)
{
	uint32_t fixed_bytes = tcp_options(c)->send_buffer_bytes;
	const struct tcp_config *config = &c->tcp->config;

	return pressed(c, fixed_bytes ? fixed_bytes
				      : grown(config->send_buffer_bytes,
						config->send_buffer_max_bytes, c->snd_grow));
}

/* What the limit leaves. Held memory counts half: full segments hold half as much again as they
 * bring, so only chains of small ones feel it. */
static uint32_t room_of(uint32_t limit, uint32_t bytes, uint32_t held_bytes)
{
	uint32_t charge = MAX(bytes, held_bytes / 2);

	return charge < limit ? limit - charge : 0;
}

bool tcp_chain_compact(struct tcp_conn *c, struct pkt_chain *chain, uint32_t limit)
{
	uint32_t least_bytes = c->tcp->memory_level == TCP_MEMORY_GREEN ? TCP_COMPACT_BYTES_MIN
									: TCP_BUFFER_BYTES_MIN;

	if (chain->held_bytes <= MIN(limit / 2, least_bytes) ||
		chain->held_bytes / TCP_COMPACT_RATIO <= chain->bytes)
		return false;
	pkt_chain_compact(chain, TCP_COMPACT_RATIO, c->tcp->pools);
	return true;
}

/* --- receiving --------------------------------------------------------------------- */

uint32_t tcp_recv_room(const struct tcp_conn *c)
{
	/* Bytes out of order lie inside of the window that was promised already. */
	uint32_t room =
		room_of(tcp_recv_limit(c), c->rcv.bytes, c->rcv.held_bytes + tcp_reasm_held(c));

	return MIN(room, (uint32_t)UINT16_MAX << c->rcv_shift); /* what the header can say */
}

/* What was promised, as the header can say it. */
static uint32_t promise_rounded(const struct tcp_conn *c, uint32_t promised, uint32_t unit)
{
	uint32_t rounded = (promised + unit - 1) & ~(unit - 1);

	if (rounded != promised && c->rcv.bytes + rounded > recv_limit_max(c) + unit)
		rounded -= unit;
	return rounded;
}

uint32_t tcp_window_bytes(const struct tcp_conn *c, uint8_t shift)
{
	uint32_t promised = (uint32_t)MAX(seq_diff(c->rcv_adv, c->rcv_nxt), 0);
	uint32_t room = tcp_recv_room(c), unit = 1u << shift;
	uint32_t step = MIN((uint32_t)c->mss, tcp_recv_limit(c) / 2);

	if (room >= promised + step && (room & ~(unit - 1)) >= promised)
		return MIN(room & ~(unit - 1), (uint32_t)UINT16_MAX << shift);
	return MIN(promise_rounded(c, promised, unit), (uint32_t)UINT16_MAX << shift);
}

/* The window is worth an ACK of its own once it opens by two segments or half of the buffer
 * (RFC 9293 3.8.6.2.2). */
static void window_opened(struct tcp_conn *c)
{
	uint32_t step = MIN(2u * c->mss, tcp_recv_limit(c) / 2);
	struct seq edge = seq_add(c->rcv_nxt, tcp_recv_room(c));

	if (!tcp_is_open(c) || tcp_is_opening(c) || c->flags & TCP_F_FIN_RCVD)
		return;
	if (seq_diff(edge, c->rcv_adv) >= (int32_t)step) {
		c->flags |= TCP_F_ACK_NOW;
		tcp_conn_schedule(c);
	}
}

void tcp_recv_rtt(struct tcp_conn *c, uint32_t ts_ecr)
{
	uint32_t rtt_ms = tcp_now_ms(c->tcp) + c->ts_offset - ts_ecr;

	if (rtt_ms < c->rcv_round_rtt_ms)
		c->rcv_round_rtt_ms = (uint16_t)rtt_ms;
}

static void round_begin(struct tcp_conn *c, uint32_t now_ms, uint16_t at_unit)
{
	c->rcv_round_ms = (uint16_t)now_ms;
	c->rcv_round_at_unit = at_unit;
	c->rcv_round_rtt_ms = UINT16_MAX;
}

void tcp_buffer_open(struct tcp_conn *c)
{
	round_begin(c, tcp_now_ms(c->tcp), (uint16_t)(c->rcv_nxt.v >> ROUND_UNIT_SHIFT));
}

static uint32_t round_rtt_us(const struct tcp_conn *c)
{
	uint32_t rtt_us = c->srtt_us ? c->srtt_us : ROUND_RTT_US;

	if (c->rcv_round_rtt_ms == UINT16_MAX)
		return rtt_us;
	/* Timestamps tell no less than a millisecond. */
	return c->rcv_round_rtt_ms ? c->rcv_round_rtt_ms * 1000u : MIN(rtt_us, 1000u);
}

/* The owner took bytes. Places and times are kept modulo 2^16 units: a round that seems short after
 * a long pause makes a buffer grow early, nothing else. */
static void recv_taken(struct tcp_conn *c)
{
	uint32_t now_ms = tcp_now_ms(c->tcp);
	uint32_t elapsed_us = (uint16_t)(now_ms - c->rcv_round_ms) * 1000u;
	uint16_t at_unit = (uint16_t)((c->rcv_nxt.v - c->rcv.bytes) >> ROUND_UNIT_SHIFT);
	uint64_t taken_bytes = (uint64_t)(uint16_t)(at_unit - c->rcv_round_at_unit)
			       << ROUND_UNIT_SHIFT;
	uint32_t rtt_us = round_rtt_us(c);

	if (elapsed_us < MAX(rtt_us, 1000u))
		return;
	if (2 * taken_bytes * rtt_us / elapsed_us >= tcp_recv_limit(c) &&
		c->tcp->memory_level == TCP_MEMORY_GREEN && c->rcv_grow < GROW_MAX &&
		tcp_recv_limit(c) < recv_limit_max(c)) {
		c->rcv_grow++;
		tcp_count(c->tcp, TCP_STAT_RECV_BUFFER_GROWN);
	}
	round_begin(c, now_ms, at_unit);
}

void tcp_recv_begins(struct tcp_conn *c)
{
	if (UNLIKELY(c->tcp->memory_level != TCP_MEMORY_GREEN && c->rcv_grow)) {
		c->rcv_grow = 0;
		tcp_count(c->tcp, TCP_STAT_RECV_BUFFER_SHRUNK);
	}
}

uint32_t tcp_conn_recv_ready(const struct tcp_conn *c)
{
	return c->rcv.bytes;
}

bool tcp_conn_recv_ended(const struct tcp_conn *c)
{
	return c->rcv.bytes == 0 && c->flags & TCP_F_FIN_RCVD;
}

uint32_t tcp_conn_recv(struct tcp_conn *c, struct pkt_chain *to, uint32_t max)
{
	uint32_t n;

	if (max >= c->rcv.bytes) {
		n = c->rcv.bytes;
		pkt_chain_splice(to, &c->rcv);
	} else {
		n = pkt_chain_take(&c->rcv, max, to, c->tcp->pools);
	}
	if (n) {
		recv_taken(c);
		window_opened(c);
	}
	return n;
}

/* --- sending ----------------------------------------------------------------------- */

uint32_t tcp_conn_send_room(const struct tcp_conn *c)
{
	if (!tcp_is_open(c) || c->flags & TCP_F_FIN_QUEUED)
		return 0;
	return room_of(tcp_send_limit(c), c->snd.bytes, c->snd.held_bytes);
}

static bool has_half(const struct tcp_conn *c)
{
	return tcp_conn_send_room(c) >= tcp_send_limit(c) / 2;
}

static void send_grow(struct tcp_conn *c)
{
	const struct tcp_config *config = &c->tcp->config;
	uint32_t limit =
		grown(config->send_buffer_bytes, config->send_buffer_max_bytes, c->snd_grow);

	if (c->tcp->memory_level != TCP_MEMORY_GREEN || tcp_options(c)->send_buffer_bytes ||
		limit == config->send_buffer_max_bytes || 2 * (uint64_t)c->cwnd <= limit ||
		c->snd_grow == GROW_MAX)
		return;
	c->snd_grow++;
	tcp_count(c->tcp, TCP_STAT_SEND_BUFFER_GROWN);
}

void tcp_room_check(struct tcp_conn *c)
{
	if (!(c->flags & TCP_F_WANT_ROOM))
		return;
	send_grow(c);
	if (has_half(c)) {
		c->flags &= ~(uint32_t)TCP_F_WANT_ROOM;
		tcp_conn_event(c, TCP_EVENT_WRITABLE);
	}
}

static bool snd_compact(struct tcp_conn *c)
{
	if (!tcp_chain_compact(c, &c->snd, tcp_send_limit(c)))
		return false;
	c->hint = (struct pkt_chain_hint){0};
	return true;
}

static void send_begins(struct tcp_conn *c)
{
	if (UNLIKELY(c->tcp->memory_level != TCP_MEMORY_GREEN && c->snd_grow)) {
		c->snd_grow = 0;
		tcp_count(c->tcp, TCP_STAT_SEND_BUFFER_SHRUNK);
	}
}

/* Room comes back by an ACK, or by compaction. Where neither will come, because nothing is queued
 * and it was references that were short, output tries again later. */
uint32_t tcp_conn_send(struct tcp_conn *c, struct pkt_chain *from, uint32_t max)
{
	uint32_t want = MIN(max, from->bytes);
	uint32_t n;

	if (!tcp_is_open(c) || c->flags & TCP_F_FIN_QUEUED)
		return 0;
	if (c->snd.bytes == 0)
		send_begins(c);
	if (want > tcp_conn_send_room(c))
		(void)snd_compact(c);
	n = MIN(want, tcp_conn_send_room(c));
	if (n == from->bytes)
		pkt_chain_splice(&c->snd, from);
	else if (n)
		n = pkt_chain_take(from, n, &c->snd, c->tcp->pools);
	if (n < want || !has_half(c))
		c->flags |= TCP_F_WANT_ROOM;
	if (n && snd_compact(c))
		tcp_room_check(c);
	tcp_conn_schedule(c);
	return n;
}

/* --- the core's memory ------------------------------------------------------------- */

/* A level is left only with some more than what entered it, so that it does not flutter. */
static enum tcp_memory_level level_of(enum tcp_memory_level now, uint32_t free_pct)
{
	if (free_pct < TCP_MEMORY_RED_PCT + (now == TCP_MEMORY_RED ? TCP_MEMORY_SLACK_PCT : 0))
		return TCP_MEMORY_RED;
	if (free_pct < TCP_MEMORY_YELLOW_PCT + (now != TCP_MEMORY_GREEN ? TCP_MEMORY_SLACK_PCT : 0))
		return TCP_MEMORY_YELLOW;
	return TCP_MEMORY_GREEN;
}

void tcp_memory_poll(struct tcp *tcp)
{
	enum tcp_memory_level now = tcp->memory_level;
	enum tcp_memory_level next = level_of(now, pkt_pools_free_pct(tcp->pools));

	if (LIKELY(next == now))
		return;
	if (next > now && next == TCP_MEMORY_RED)
		tcp_count(tcp, TCP_STAT_MEMORY_RED);
	if (next > now && now == TCP_MEMORY_GREEN)
		tcp_count(tcp, TCP_STAT_MEMORY_YELLOW);
	tcp->memory_level = next;
	tcp->stats[TCP_STAT_MEMORY_LEVEL] = next;
}
