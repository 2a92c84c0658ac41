/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN cookies (RFC 4987 3.6): a SYN is answered without memory; the ACK that answers us brings back
 * what must be known.
 *
 * Our sequence number is a keyed hash of the connection and the peer's number, XOR the place of the
 * peer's MSS in a table of eight: 29 bits must be right, so one guess in 2^28 hits (two periods are
 * good). The key of a period of a minute comes from the secret of all cores and the period, so any
 * core can check what any core sent. With timestamps the low six bits of ours carry window scale,
 * SACK and ECN; without them the connection has none of these. Nothing of it is worth a lie: a peer
 * that changes the bits changes its own options.
 *
 * On when half-open connections fill three quarters of their limit, or a sixteenth of the
 * connection pool is left; off again at half of the limit and an eighth of the pool. An ACK is
 * checked only while a cookie of its listener can still be good: nobody may guess in between.
 */
#include "tcp_pvt.h"

#define PERIOD_NS     (60 * NS_PER_SEC)
#define PERIODS       2 /* this one and the last */
#define LIFE_MS       (PERIODS * 60000u)
#define TS_BITS       0x3fu
#define TS_SCALE_NONE 0xfu
#define TS_SCALE      0x0fu
#define TS_SACK       0x10u
#define TS_ECN        0x20u

/* Rounded down: 536 and 1220 are the defaults, 1360 to 1460 what Ethernet leaves with and without
 * tunnels and for IPv6, 8960 jumbo frames. */
static const uint16_t mss_table[] = {TCP_MSS_MIN, 536, 1220, 1360, 1400, 1440, 1460, 8960};
static_assert(ARRAY_LEN(mss_table) == 8, "three bits");

static uint32_t mss_index(uint16_t mss)
{
	uint32_t i = ARRAY_LEN(mss_table) - 1;

	while (i > 0 && mss_table[i] > mss)
		i--;
	return i;
}

/* --- pressure ---------------------------------------------------------------------- */

static bool pressure_begins(const struct tcp *tcp)
{
	uint32_t half_open_max = tcp->config.half_open_max;
	uint32_t left = tcp->conns.count_max - tcp->conns.count_used;

	return tcp->half_open_count >= half_open_max - half_open_max / 4 ||
	       left <= tcp->conns.count_max / 16;
}

static bool pressure_ends(const struct tcp *tcp)
{
	uint32_t left = tcp->conns.count_max - tcp->conns.count_used;

	return tcp->half_open_count <= tcp->config.half_open_max / 2 &&
	       left > tcp->conns.count_max / 8;
}

bool tcp_cookies_update(struct tcp *tcp)
{
	bool on = tcp->cookies_on;

	if (tcp->config.cookies == TCP_COOKIES_AUTO)
		on = on ? !pressure_ends(tcp) : pressure_begins(tcp);
	else
		on = tcp->config.cookies == TCP_COOKIES_ALWAYS;
	if (on && !tcp->cookies_on) {
		tcp_count(tcp, TCP_STAT_COOKIES_BEGUN);
		stat_add(&tcp->stats[TCP_STAT_COOKIES_ON], 1);
	} else if (!on && tcp->cookies_on) {
		stat_sub(&tcp->stats[TCP_STAT_COOKIES_ON], 1);
	}
	tcp->cookies_on = on;
	return on;
}

/* --- the number -------------------------------------------------------------------- */

static uint32_t cookie_hash(
	struct tcp *tcp, const struct tcp_tuple *tuple, struct seq peer_isn, uint64_t period)
{
	struct {
		struct tcp_tuple tuple;
		uint32_t peer_isn;
	} data = {*tuple, peer_isn.v};

	static_assert(sizeof(data) == sizeof(data.tuple) + 4, "no padding");
	return (uint32_t)hash_keyed(
		tcp_period_key(tcp, tcp->cookie_keys, TCP_SECRET_COOKIE, period), &data,
		sizeof(data));
}

/* The place of the MSS, or one beyond the table if the number is no cookie. */
static uint32_t cookie_check(
	struct tcp *tcp, const struct tcp_tuple *tuple, struct seq peer_isn, uint32_t cookie)
{
	uint64_t period = tcp->worker->now_ns / PERIOD_NS;
	uint32_t index = UINT32_MAX;

	for (uint32_t i = 0; i < PERIODS && index >= ARRAY_LEN(mss_table); i++)
		index = cookie ^ cookie_hash(tcp, tuple, peer_isn, period - i);
	return index;
}

/* --- timestamps -------------------------------------------------------------------- */

/* RFC 3168 6.1.1 */
static bool asks_ecn(const struct wire_tcp *syn)
{
	uint8_t both = WIRE_TCP_ECE | WIRE_TCP_CWR;

	return (syn->flags & both) == both;
}

/* Never ahead of the clock, so that timestamps do not go back. */
static uint32_t ts_encode(const struct wire_tcp *syn, uint32_t ts_now)
{
	uint32_t bits = syn->has_window_scale ? syn->window_scale : TS_SCALE_NONE;
	uint32_t ts;

	if (syn->has_sack_permitted)
		bits |= TS_SACK;
	if (asks_ecn(syn))
		bits |= TS_ECN;
	ts = (ts_now & ~TS_BITS) | bits;
	return (int32_t)(ts - ts_now) > 0 ? ts - (TS_BITS + 1) : ts;
}

static void ts_decode(uint32_t ts, struct wire_tcp *syn)
{
	syn->has_window_scale = (ts & TS_SCALE) != TS_SCALE_NONE;
	syn->window_scale = syn->has_window_scale ? (uint8_t)(ts & TS_SCALE) : 0;
	syn->has_sack_permitted = ts & TS_SACK;
	if (ts & TS_ECN)
		syn->flags |= WIRE_TCP_ECE | WIRE_TCP_CWR;
}

/* --- SYN and ACK ------------------------------------------------------------------- */

void tcp_cookie_send(struct tcp *tcp, struct tcp_listener *l, const struct tcp_seg *seg)
{
	const struct wire_tcp *syn = &seg->h;
	uint64_t period = tcp->worker->now_ns / PERIOD_NS;
	uint16_t peer_mss = syn->has_mss ? syn->mss : tcp_mss_default(&seg->tuple);
	uint32_t ts_now = tcp_now_ms(tcp) + seg->hash.ts_offset;
	struct tcp_reply reply = {
		.tuple = seg->tuple,
		.seq = SEQ(cookie_hash(tcp, &seg->tuple, syn->seq, period) ^ mss_index(peer_mss)),
		.ack = seq_add(syn->seq, 1),
		.ts_val = syn->has_timestamp ? ts_encode(syn, ts_now) : 0,
		.ts_ecr = syn->ts_val,
		.window = tcp_syn_window(tcp, &tcp->options[l->config.options]),
		.flags = WIRE_TCP_SYN | WIRE_TCP_ACK,
		.options = l->config.options,
		.has_ts = syn->has_timestamp,
		.has_sack = syn->has_timestamp && syn->has_sack_permitted,
		.has_window_scale = syn->has_timestamp && syn->has_window_scale,
		.to_us = seg->from_us,
	};

	if (syn->has_timestamp && asks_ecn(syn) && tcp->config.ecn != TCP_ECN_OFF)
		reply.flags |= WIRE_TCP_ECE;
	if (!tcp_reply_schedule(tcp, &reply))
		return;
	tcp_count(tcp, TCP_STAT_COOKIES_SENT);
	l->cookies_sent++;
	l->cookies_until = tcp_deadline(tcp_now_ms(tcp), LIFE_MS);
}

static bool ts_is_recent(struct tcp *tcp, const struct tcp_seg *seg)
{
	uint32_t ts_now = tcp_now_ms(tcp) + seg->hash.ts_offset;

	return ts_now - seg->h.ts_ecr <= LIFE_MS + TS_BITS;
}

enum tcp_cookie_verdict tcp_cookie_check(
	struct tcp *tcp, struct tcp_listener *l, const struct tcp_seg *seg, struct wire_tcp *syn)
{
	const struct wire_tcp *h = &seg->h;
	uint32_t index;
	bool recent;

	if (l->cookies_until == 0 || (h->flags & (WIRE_TCP_ACK | WIRE_TCP_SYN)) != WIRE_TCP_ACK)
		return TCP_COOKIE_NONE;
	if (tcp_deadline_due(l->cookies_until, tcp_now_ms(tcp))) {
		l->cookies_until = 0;
		return TCP_COOKIE_NONE;
	}
	*syn = (struct wire_tcp){
		.src_port = h->src_port,
		.dst_port = h->dst_port,
		.seq = seq_sub(h->seq, 1),
		.flags = WIRE_TCP_SYN,
		.window = h->window, /* known better in a moment */
		.has_timestamp = h->has_timestamp,
		.ts_val = h->ts_val,
		.has_mss = true,
	};
	index = cookie_check(tcp, &seg->tuple, syn->seq, h->ack.v - 1);
	recent = h->has_timestamp && ts_is_recent(tcp, seg);
	if (index >= ARRAY_LEN(mss_table) || (h->has_timestamp && !recent)) {
		tcp_count(tcp, TCP_STAT_COOKIES_BAD);
		return recent ? TCP_COOKIE_AHEAD : TCP_COOKIE_BAD;
	}
	syn->mss = mss_table[index];
	if (h->has_timestamp)
		ts_decode(h->ts_ecr, syn);
	tcp_count(tcp, TCP_STAT_COOKIES_GOOD);
	return TCP_COOKIE_GOOD;
}
