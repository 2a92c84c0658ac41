/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP Fast Open (RFC 7413).
 *
 * As server: a SYN that asks gets a cookie of the client's and our address. A SYN that brings a
 * good one may bring text: the connection is in SYN-RECEIVED and its owner has it at once. Its
 * numbers are those of an established one (snd_una is behind the SYN), so that the answer may leave
 * before the handshake ends; only the SYN|ACK is sent again if nothing is heard. TCP_F_FAST_OPEN
 * with TCP_F_PASSIVE marks it. Each listener has a limit of such connections; one that was reset
 * counts for a minute or two, so that forged resets make no room (5.1). Beyond the limit, without a
 * good cookie, while paused, or when SYN cookies are on, the text is not heard and the handshake is
 * the usual one.
 *
 * As client: a small cache knows cookie and MSS of servers by address. With a cookie the owner is
 * told CONNECTED before the SYN leaves, and the first text it sends leaves with it; what the
 * server does not take goes again after the handshake. A SYN that is lost goes again without option
 * and text; after two such losses in a row the server is left alone for minutes, twice as many each
 * time (4.1.3, blackholes).
 */
#include "tcp_pvt.h"

#define PERIOD_NS   (12 * 3600 * NS_PER_SEC) /* of a key; the one before is good as well */
#define PERIODS     2
#define LOSSES_MAX  2 /* SYNs in a row, before the server is left alone */
#define LEAVE_MS    60000u
#define LEAVE_SHIFT 10u
#define FORGET_MS   60000u /* connections that were reset count for one to two of these */
#define WAYS        4u     /* entries that one address may use */

static_assert(TCP_FAST_OPEN_CACHE_MAX % WAYS == 0, "sets of equal size");

/* --- the server's cookie ----------------------------------------------------------- */

static void cookie_of(struct tcp *tcp, const struct tcp_tuple *tuple, uint64_t period, uint8_t *out)
{
	const struct hash_key *key =
		tcp_period_key(tcp, tcp->fast_open_keys, TCP_SECRET_FAST_OPEN, period);
	struct ip_addr data[] = {tuple->remote, tuple->local};

	store_be64(out, hash_keyed(key, data, sizeof(data)));
}

void tcp_fast_open_cookie(struct tcp *tcp, const struct tcp_tuple *tuple, struct wire_tcp *h)
{
	h->has_fast_open = true;
	h->fast_open_len = TCP_FAST_OPEN_COOKIE_BYTES;
	cookie_of(tcp, tuple, tcp->worker->now_ns / PERIOD_NS, h->fast_open);
}

/* How old its key is, in periods; PERIODS: it is not ours. */
static uint32_t cookie_age(struct tcp *tcp, const struct tcp_seg *seg)
{
	uint8_t cookie[TCP_FAST_OPEN_COOKIE_BYTES];
	uint64_t period = tcp->worker->now_ns / PERIOD_NS;

	for (uint32_t age = 0; age < PERIODS; age++) {
		cookie_of(tcp, &seg->tuple, period - age, cookie);
		if (seg->h.fast_open_len == sizeof(cookie) &&
			memcmp(cookie, seg->h.fast_open, sizeof(cookie)) == 0)
			return age;
	}
	return PERIODS;
}

/* --- the server -------------------------------------------------------------------- */

/* Those that were reset in the last one or two minutes. */
static uint32_t resets_counted(struct tcp_listener *l)
{
	uint32_t now_ms = tcp_now_ms(l->tcp);

	if (now_ms - l->fast_open_reset_ms >= FORGET_MS) {
		bool long_ago = now_ms - l->fast_open_reset_ms >= 2 * FORGET_MS;

		l->fast_open_resets[1] = long_ago ? 0 : l->fast_open_resets[0];
		l->fast_open_resets[0] = 0;
		l->fast_open_reset_ms = now_ms;
	}
	return l->fast_open_resets[0] + l->fast_open_resets[1];
}

static bool server_has_room(struct tcp_listener *l)
{
	uint32_t max = MIN(l->config.backlog, l->tcp->config.half_open_max);

	return !l->paused && l->fast_open_count + resets_counted(l) < max;
}

/* The text of the SYN is read before the handshake is done. */
static void server_open(struct tcp_conn *c, struct tcp_listener *l, struct tcp_seg *seg)
{
	c->flags |= TCP_F_FAST_OPEN;
	c->snd_una = c->snd_nxt = c->snd_max = seq_add(c->snd_una, 1);
	c->snd_wnd_max = (uint16_t)(c->snd_wnd >> c->snd_shift);
	c->syn_bits |= TCP_SYN_DUE;
	c->opener_ref = mem_pool_index(&c->tcp->listeners, l) + 1;
	l->fast_open_count++;
	tcp_pmtu_open(c);
	tcp_buffer_open(c);
	tcp_cc_open(c);
	tcp_quick_ack_begin(c);
	tcp_listen_wait(c);
	seg->h.seq = c->rcv_nxt;
	c->rcv_adv = seq_add(c->rcv_nxt, tcp_syn_window(c->tcp, tcp_options(c)));
	seg->len = MIN(seg->len, (uint32_t)tcp_syn_window(c->tcp, tcp_options(c)));
	tcp_reasm_input(c, seg);
}

void tcp_fast_open_syn(struct tcp_conn *c, struct tcp_listener *l, struct tcp_seg *seg)
{
	struct tcp *tcp = c->tcp;
	uint32_t age;

	if (!tcp_options(c)->fast_open || !seg->h.has_fast_open)
		return;
	age = seg->h.fast_open_len ? cookie_age(tcp, seg) : PERIODS;
	if (age > 0) { /* asked for, wrong or old */
		c->syn_bits |= TCP_SYN_COOKIE;
		tcp_count(tcp, TCP_STAT_FAST_OPEN_COOKIES);
	}
	if (age == PERIODS && seg->h.fast_open_len)
		tcp_count(tcp, TCP_STAT_FAST_OPEN_BAD);
	if (age == PERIODS || seg->len == 0)
		return;
	if (server_has_room(l)) {
		tcp_count(tcp, TCP_STAT_FAST_OPEN_PASSIVE);
		server_open(c, l, seg);
	} else {
		tcp_count(tcp, TCP_STAT_FAST_OPEN_FULL);
	}
}

void tcp_fast_open_done(struct tcp_conn *c, bool reset)
{
	struct tcp_listener *l;

	c->flags &= ~(uint32_t)TCP_F_FAST_OPEN;
	if (c->opener_ref == 0)
		return;
	l = mem_pool_at(&c->tcp->listeners, c->opener_ref - 1);
	c->opener_ref = 0;
	l->fast_open_count--;
	if (reset) {
		(void)resets_counted(l);
		l->fast_open_resets[0]++;
	}
}

/* --- the client's cache ------------------------------------------------------------ */

static struct tcp_fast_open_entry *set_of(struct tcp *tcp, const struct ip_addr *addr)
{
	uint64_t hash = hash_keyed(&tcp->config.secret, addr, sizeof(*addr));

	return &tcp->fast_open_cache[hash % (TCP_FAST_OPEN_CACHE_MAX / WAYS) * WAYS];
}

static struct tcp_fast_open_entry *cache_find(struct tcp *tcp, const struct ip_addr *addr)
{
	struct tcp_fast_open_entry *set = set_of(tcp, addr);

	for (uint32_t i = 0; i < WAYS; i++)
		if (set[i].used && ip_addr_eq(&set[i].addr, addr)) {
			set[i].used_ms = tcp_now_ms(tcp);
			return &set[i];
		}
	return NULL;
}

/* The entry of an address; if it is new, in place of the longest unused of its set. */
static struct tcp_fast_open_entry *cache_get(struct tcp *tcp, const struct ip_addr *addr)
{
	struct tcp_fast_open_entry *set = set_of(tcp, addr), *e = cache_find(tcp, addr);
	uint32_t now_ms = tcp_now_ms(tcp);

	if (e)
		return e;
	e = &set[0];
	for (uint32_t i = 0; i < WAYS && e->used; i++)
		if (!set[i].used || now_ms - set[i].used_ms > now_ms - e->used_ms)
			e = &set[i];
	*e = (struct tcp_fast_open_entry){.addr = *addr, .used = true, .used_ms = now_ms};
	return e;
}

/* SYNs with the option vanished on the way to it, not long ago. */
static bool is_left_alone(const struct tcp *tcp, const struct tcp_fast_open_entry *e)
{
	uint32_t more = e->losses - (uint32_t)LOSSES_MAX; /* huge, if it is less */

	return e->losses >= LOSSES_MAX &&
	       tcp_now_ms(tcp) - e->lost_ms < LEAVE_MS << MIN(more, LEAVE_SHIFT);
}

/* --- the client -------------------------------------------------------------------- */

void tcp_fast_open_connect(struct tcp_conn *c)
{
	const struct tcp_fast_open_entry *e;

	if (!tcp_options(c)->fast_open)
		return;
	e = cache_find(c->tcp, &c->tuple.remote);
	if (e && is_left_alone(c->tcp, e)) {
		tcp_count(c->tcp, TCP_STAT_FAST_OPEN_AVOIDED);
		return;
	}
	c->syn_bits |= TCP_SYN_COOKIE;
	if (e && e->cookie_len) {
		c->flags |= TCP_F_FAST_OPEN;
		tcp_conn_event(c, TCP_EVENT_CONNECTED);
	}
}

uint32_t tcp_fast_open_fill_syn(struct tcp_conn *c, struct wire_tcp *h)
{
	const struct tcp_fast_open_entry *e;
	uint32_t mss;

	if (!(c->syn_bits & TCP_SYN_COOKIE) || c->flags & TCP_F_SYN_LOST)
		return 0;
	h->has_fast_open = true;
	e = cache_find(c->tcp, &c->tuple.remote);
	if (!(c->flags & TCP_F_FAST_OPEN) || !e || !e->cookie_len)
		return 0;
	h->fast_open_len = e->cookie_len;
	memcpy(h->fast_open, e->cookie, e->cookie_len);
	mss = MIN(e->mss, c->mss);
	return MIN(c->snd.bytes, mss - (uint32_t)(wire_tcp_bytes(h) - WIRE_TCP_BYTES_MIN));
}

void tcp_fast_open_lost(struct tcp_conn *c)
{
	struct tcp_fast_open_entry *e;

	if (c->state != TCP_SYN_SENT || !(c->syn_bits & TCP_SYN_COOKIE) || c->backoff != 1)
		return;
	tcp_count(c->tcp, TCP_STAT_FAST_OPEN_LOST);
	e = cache_get(c->tcp, &c->tuple.remote);
	e->losses = (uint8_t)MIN(e->losses + 1, UINT8_MAX);
	e->lost_ms = tcp_now_ms(c->tcp);
}

void tcp_fast_open_answer(struct tcp_conn *c, const struct wire_tcp *h)
{
	bool asked = c->syn_bits & TCP_SYN_COOKIE;
	uint32_t sent = (uint32_t)seq_diff(c->snd_max, c->snd_una) - 1;
	uint32_t taken = (uint32_t)seq_diff(h->ack, c->snd_una) - 1;
	struct tcp_fast_open_entry *e;

	if (!asked)
		return;
	e = cache_get(c->tcp, &c->tuple.remote);
	if (!(c->flags & TCP_F_SYN_LOST))
		e->losses = 0;
	e->mss = h->has_mss ? MAX(h->mss, (uint16_t)TCP_MSS_MIN) : tcp_mss_default(&c->tuple);
	if (h->has_fast_open && h->fast_open_len) {
		e->cookie_len = h->fast_open_len;
		memcpy(e->cookie, h->fast_open, h->fast_open_len);
	} else if (sent && !taken && !(c->flags & TCP_F_SYN_LOST)) {
		e->cookie_len = 0; /* it knows no cookies any more: ask again */
	}
	if (sent)
		tcp_count(c->tcp, taken ? TCP_STAT_FAST_OPEN_ACTIVE : TCP_STAT_FAST_OPEN_REFUSED);
}
