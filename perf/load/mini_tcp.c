/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In: packets, by mini_input. Each changes its connection, calls the application back, and marks
 * the connection. Out: mini_output looks at the marked ones once per turn.
 *
 * Numbers of a connection: snd_una <= snd_nxt <= snd_end (+ 1 with a FIN). What lies between
 * snd_una and snd_end is read from the application's pieces whenever it is sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mini_tcp.h"

#define RTO_NS        (200 * UINT64_C(1000000))
#define TRIES_MAX     8
#define DUPS_MAX      3
#define WINDOW        65535
#define WINDOW_SHIFT  2
#define FLIGHT_MAX    (256u << 10)
#define PORT_FIRST    1024
#define PORT_COUNT    64000
#define TCP_AT        34 /* behind Ethernet and IPv4 */
#define OPTIONS_BYTES 12
#define FLOOD_NET     0xc6120000u /* 198.18.0.0/15: for measurements (RFC 2544) */
#define FLOOD_LOW     0x8000u

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { FREE, SYN_SENT, SYN_RECEIVED, OPEN };

struct segment {
	uint32_t local_v4, remote_v4;
	uint16_t local_port, remote_port;
	uint32_t seq, ack, window, len;
	uint32_t ts_val;
	uint8_t flags, shift;
	const uint8_t *text;
};

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* --- table ------------------------------------------------------------------------- */

static uint64_t key_of(
	uint32_t local_v4, uint16_t local_port, uint32_t remote_v4, uint16_t remote_port)
{
	return (uint64_t)(local_v4 & 0xffff) << 48 | (uint64_t)(remote_v4 & 0xffff) << 32 |
	       (uint64_t)local_port << 16 | remote_port;
}

static uint32_t slot_of(const struct mini_tcp *t, uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & t->table_mask;
}

static struct mini_conn *find(const struct mini_tcp *t, uint64_t key)
{
	for (uint32_t i = slot_of(t, key); t->table[i] != MINI_NONE; i = (i + 1) & t->table_mask)
		if (t->conns[t->table[i]].key == key)
			return &t->conns[t->table[i]];
	return NULL;
}

static void table_add(struct mini_tcp *t, const struct mini_conn *c)
{
	uint32_t i = slot_of(t, c->key);

	while (t->table[i] != MINI_NONE)
		i = (i + 1) & t->table_mask;
	t->table[i] = (uint32_t)(c - t->conns);
}

/* Closes the gap, so that no probing stops early. */
static void table_del(struct mini_tcp *t, const struct mini_conn *c)
{
	uint32_t i = slot_of(t, c->key), mask = t->table_mask;

	while (&t->conns[t->table[i]] != c)
		i = (i + 1) & mask;
	for (uint32_t j = (i + 1) & mask; t->table[j] != MINI_NONE; j = (j + 1) & mask) {
		uint32_t home = slot_of(t, t->conns[t->table[j]].key);

		if (((j - home) & mask) >= ((j - i) & mask)) {
			t->table[i] = t->table[j];
			i = j;
		}
	}
	t->table[i] = MINI_NONE;
}

/* --- connections ------------------------------------------------------------------- */

static void touch(struct mini_tcp *t, struct mini_conn *c)
{
	if (c->touched)
		return;
	c->touched = true;
	t->touched[t->touched_count++] = (uint32_t)(c - t->conns);
}

static void untime(struct mini_tcp *t, struct mini_conn *c)
{
	if (!c->timed)
		return;
	c->timed = false;
	if (c->prev == MINI_NONE)
		t->timed_head = c->next;
	else
		t->conns[c->prev].next = c->next;
	if (c->next == MINI_NONE)
		t->timed_tail = c->prev;
	else
		t->conns[c->next].prev = c->prev;
}

static void time_from_now(struct mini_tcp *t, struct mini_conn *c)
{
	uint32_t index = (uint32_t)(c - t->conns);

	untime(t, c);
	c->timed = true;
	c->sent_at = t->net.now_ns;
	c->prev = t->timed_tail;
	c->next = MINI_NONE;
	if (t->timed_tail == MINI_NONE)
		t->timed_head = index;
	else
		t->conns[t->timed_tail].next = index;
	t->timed_tail = index;
}

static struct mini_conn *conn_new(struct mini_tcp *t, uint64_t key)
{
	struct mini_conn *c;

	if (t->free_head == MINI_NONE || find(t, key))
		return NULL;
	c = &t->conns[t->free_head];
	t->free_head = c->next;
	*c = (struct mini_conn){.base.net = &t->net, .key = key};
	t->isn += 64013;
	c->snd_una = c->snd_nxt = t->isn;
	c->snd_end = c->pieces_at = t->isn + 1;
	table_add(t, c);
	return c;
}

/* A touched connection keeps its place until output has forgotten it. */
static void conn_release(struct mini_tcp *t, struct mini_conn *c)
{
	c->next = t->free_head;
	t->free_head = (uint32_t)(c - t->conns);
}

static void conn_free(struct mini_tcp *t, struct mini_conn *c)
{
	untime(t, c);
	table_del(t, c);
	c->state = FREE;
	c->key = 0;
	if (!c->touched)
		conn_release(t, c);
}

static void conn_over(struct mini_tcp *t, struct mini_conn *c, bool in_order)
{
	const struct net_app *app = c->base.app;
	struct net_conn gone = c->base;

	conn_free(t, c);
	app->closed(&gone, in_order);
}

/* --- out --------------------------------------------------------------------------- */

static uint32_t sum_add(uint32_t sum, const uint8_t *p, uint32_t len)
{
	uint64_t wide = sum;

	for (; len >= 4; p += 4, len -= 4) {
		uint32_t word;

		memcpy(&word, p, 4);
		wide += word;
	}
	if (len) {
		uint32_t word = 0;

		memcpy(&word, p, len);
		wide += word;
	}
	wide = (wide & 0xffffffff) + (wide >> 32);
	wide = (wide & 0xffffffff) + (wide >> 32);
	return (uint32_t)wide;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	uint16_t folded;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)~sum;
	memcpy(at, &folded, 2);
}

/* IPv4 and the checksums around a TCP segment of tcp_bytes that stands in the frame. */
static void seal(
	const struct mini_tcp *t, uint8_t *frame, uint32_t src, uint32_t dst, uint32_t tcp_bytes)
{
	uint8_t *ip = frame + 14, *tcp = frame + TCP_AT;
	uint8_t pseudo[4] = {0, 6};

	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, 20 + tcp_bytes);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, src);
	put32(ip + 16, dst);
	if (t->no_checksums)
		return;
	put_sum(ip + 10, sum_add(0, ip, 20));
	put16(pseudo + 2, tcp_bytes);
	put_sum(tcp + 16, sum_add(sum_add(sum_add(0, pseudo, 4), ip + 12, 8), tcp, tcp_bytes));
}

static uint32_t put_options(const struct mini_tcp *t, uint8_t *tcp, bool syn, uint32_t ts_recent)
{
	uint8_t *at = tcp + 20;

	if (syn) {
		put32(at, 0x020405b4);                    /* MSS 1460 */
		put32(at + 4, 0x01030300 | WINDOW_SHIFT); /* window scale */
		at += 8;
	}
	put32(at, 0x0101080a);
	put32(at + 4, (uint32_t)(t->net.now_ns / 1000000));
	put32(at + 8, ts_recent);
	return (uint32_t)(at + OPTIONS_BYTES - tcp);
}

static void put_header(uint8_t *tcp, uint16_t src, uint16_t dst, uint32_t seq, uint32_t ack,
	uint8_t flags, uint32_t header_bytes)
{
	put16(tcp, src);
	put16(tcp + 2, dst);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = (uint8_t)(header_bytes << 2);
	tcp[13] = flags;
	put16(tcp + 14, WINDOW);
	put32(tcp + 16, 0);
}

static void copy_text(const struct mini_conn *c, uint32_t seq, uint8_t *to, uint32_t len)
{
	uint32_t off = seq - c->pieces_at;

	for (uint32_t i = 0; i < c->piece_count && len; i++) {
		const struct net_piece *p = &c->pieces[i];
		uint32_t n;

		if (off >= p->len) {
			off -= p->len;
			continue;
		}
		n = p->len - off < len ? p->len - off : len;
		memcpy(to, p->bytes + off, n);
		to += n;
		len -= n;
		off = 0;
	}
}

static bool send_segment(
	struct mini_tcp *t, struct mini_conn *c, uint32_t seq, uint32_t len, uint8_t flags)
{
	uint8_t *frame = mini_frame(t);
	uint32_t header_bytes;

	if (!frame)
		return false;
	header_bytes = put_options(t, frame + TCP_AT, flags & SYN, c->ts_recent);
	put_header(frame + TCP_AT, c->local_port, c->remote_port, seq, flags & ACK ? c->rcv_nxt : 0,
		flags, header_bytes);
	copy_text(c, seq, frame + TCP_AT + header_bytes, len);
	seal(t, frame, c->local_v4, c->remote_v4, header_bytes + len);
	mini_frame_send(t, TCP_AT + header_bytes + len);
	c->ack_owed = false;
	return true;
}

/* False: the device has no frame now. So in the next two. */
static bool send_text(struct mini_tcp *t, struct mini_conn *c)
{
	uint32_t window = c->snd_wnd < FLIGHT_MAX ? c->snd_wnd : FLIGHT_MAX;
	uint32_t edge = c->snd_una + window;

	while (before(c->snd_nxt, c->snd_end) && before(c->snd_nxt, edge)) {
		uint32_t len = c->snd_end - c->snd_nxt;
		bool last;

		if (edge - c->snd_nxt < len)
			len = edge - c->snd_nxt;
		if (len > MINI_MSS)
			len = MINI_MSS;
		last = c->snd_nxt + len == c->snd_end;
		if (!send_segment(t, c, c->snd_nxt, len,
			    (uint8_t)(ACK | (last ? PSH : 0) | (last && c->fin_queued ? FIN : 0))))
			return false;
		c->snd_nxt += len + (last && c->fin_queued);
		time_from_now(t, c);
	}
	if (c->fin_queued && c->snd_nxt == c->snd_end) {
		if (!send_segment(t, c, c->snd_nxt, 0, ACK | FIN))
			return false;
		c->snd_nxt++;
		time_from_now(t, c);
	}
	return true;
}

static bool send_opening(struct mini_tcp *t, struct mini_conn *c)
{
	if (c->snd_nxt != c->snd_una)
		return true;
	if (!send_segment(t, c, c->snd_una, 0, c->state == SYN_SENT ? SYN : SYN | ACK))
		return false;
	c->snd_nxt = c->snd_una + 1;
	time_from_now(t, c);
	return true;
}

static bool output(struct mini_tcp *t, struct mini_conn *c)
{
	if (c->state == SYN_SENT || c->state == SYN_RECEIVED)
		return send_opening(t, c);
	return send_text(t, c) && (!c->ack_owed || send_segment(t, c, c->snd_nxt, 0, ACK));
}

static void send_again(struct mini_tcp *t, struct mini_conn *c)
{
	if (++c->tries > TRIES_MAX) {
		conn_over(t, c, false);
		return;
	}
	t->net.stats.retransmits++;
	c->snd_nxt = c->snd_una;
	time_from_now(t, c);
	touch(t, c);
}

void mini_output(struct mini_tcp *t)
{
	uint32_t kept = 0;

	while (t->timed_head != MINI_NONE &&
		t->net.now_ns - t->conns[t->timed_head].sent_at > RTO_NS)
		send_again(t, &t->conns[t->timed_head]);
	for (uint32_t i = 0; i < t->touched_count; i++) {
		struct mini_conn *c = &t->conns[t->touched[i]];

		c->touched = false;
		if (c->state == FREE) {
			conn_release(t, c);
		} else if (kept || !output(t, c)) { /* without a frame: the next turn */
			c->touched = true;
			t->touched[kept++] = t->touched[i];
		}
	}
	t->touched_count = kept;
}

/* --- in ---------------------------------------------------------------------------- */

static void parse_options(const uint8_t *at, uint32_t len, struct segment *s)
{
	for (uint32_t i = 0; i < len && at[i] != 0;) {
		if (at[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= len || at[i + 1] < 2 || i + at[i + 1] > len)
			return;
		if (at[i] == 3 && at[i + 1] == 3)
			s->shift = at[i + 2];
		else if (at[i] == 8 && at[i + 1] == 10)
			s->ts_val = get32(&at[i + 2]);
		i += at[i + 1];
	}
}

static bool parse(const uint8_t *ip, uint32_t len, struct segment *s)
{
	uint32_t ip_bytes, total, tcp_bytes;
	const uint8_t *tcp;

	if (len < 40 || ip[0] >> 4 != 4 || ip[9] != 6)
		return false;
	ip_bytes = (ip[0] & 15u) * 4;
	total = get16(ip + 2);
	tcp = ip + ip_bytes;
	if (ip_bytes < 20 || total > len || total < ip_bytes + 20)
		return false;
	tcp_bytes = (tcp[12] >> 4) * 4u;
	if (tcp_bytes < 20 || ip_bytes + tcp_bytes > total)
		return false;
	*s = (struct segment){
		.local_v4 = get32(ip + 16),
		.remote_v4 = get32(ip + 12),
		.local_port = (uint16_t)get16(tcp + 2),
		.remote_port = (uint16_t)get16(tcp),
		.seq = get32(tcp + 4),
		.ack = get32(tcp + 8),
		.flags = tcp[13],
		.window = get16(tcp + 14),
		.text = tcp + tcp_bytes,
		.len = total - ip_bytes - tcp_bytes,
	};
	parse_options(tcp + 20, tcp_bytes - 20, s);
	return true;
}

static void accept_syn(struct mini_tcp *t, const struct segment *s)
{
	const struct net_config *config = t->net.config;
	struct mini_conn *c;

	if (s->local_v4 - config->origin_v4 >= config->origin_count ||
		s->local_port != config->origin_port || (s->flags & (SYN | ACK | RST)) != SYN)
		return;
	c = conn_new(t, key_of(s->local_v4, s->local_port, s->remote_v4, s->remote_port));
	if (!c)
		return;
	c->local_v4 = s->local_v4;
	c->remote_v4 = s->remote_v4;
	c->local_port = s->local_port;
	c->remote_port = s->remote_port;
	c->base.app = config->origin_app;
	c->state = SYN_RECEIVED;
	c->rcv_nxt = s->seq + 1;
	c->snd_wnd = s->window;
	c->snd_shift = s->shift;
	c->ts_recent = s->ts_val;
	touch(t, c);
}

/* False: the segment is done with. */
static bool in_opening(struct mini_tcp *t, struct mini_conn *c, const struct segment *s)
{
	if (c->state == SYN_SENT) {
		if ((s->flags & (SYN | ACK)) != (SYN | ACK) || s->ack != c->snd_una + 1)
			return false;
		c->rcv_nxt = s->seq + 1;
		c->snd_shift = s->shift;
		c->ack_owed = true;
	} else if (!(s->flags & ACK) || s->flags & SYN || s->ack != c->snd_una + 1) {
		if (s->flags & SYN) /* our answer was lost */
			c->snd_nxt = c->snd_una;
		touch(t, c);
		return false;
	}
	c->snd_una = c->snd_nxt = s->ack;
	c->snd_wnd = c->state == SYN_SENT ? s->window : s->window << c->snd_shift;
	c->state = OPEN;
	c->tries = 0;
	untime(t, c);
	touch(t, c);
	c->base.app->opened(&c->base);
	return true;
}

static void in_ack(struct mini_tcp *t, struct mini_conn *c, const struct segment *s)
{
	uint32_t end = c->snd_end + c->fin_queued;

	if (before(c->snd_una, s->ack) && !before(end, s->ack)) {
		bool all = !before(s->ack, c->snd_end) && c->piece_count;

		c->snd_una = s->ack;
		if (before(c->snd_nxt, s->ack))
			c->snd_nxt = s->ack;
		c->dups = c->tries = 0;
		c->fin_acked = c->fin_queued && s->ack == end;
		if (c->snd_una == c->snd_nxt)
			untime(t, c);
		else
			time_from_now(t, c);
		if (all) {
			c->piece_count = 0;
			if (c->base.app->sent)
				c->base.app->sent(&c->base);
		}
	} else if (s->ack == c->snd_una && s->len == 0 && before(c->snd_una, c->snd_nxt) &&
		   s->window << c->snd_shift == c->snd_wnd && ++c->dups == DUPS_MAX) {
		send_again(t, c);
	}
	if (c->state == OPEN)
		c->snd_wnd = s->window << c->snd_shift;
}

static void in_text(struct mini_conn *c, const struct segment *s)
{
	uint32_t old = c->rcv_nxt - s->seq;

	if (s->len == 0 && !(s->flags & FIN))
		return;
	c->ack_owed = true;
	if (before(c->rcv_nxt, s->seq) || old > s->len)
		return;
	if (old < s->len) {
		c->rcv_nxt += s->len - old;
		c->base.app->received(&c->base, s->text + old, s->len - old);
	}
	if (s->flags & FIN && !c->fin_received && c->state == OPEN) {
		c->fin_received = true;
		c->rcv_nxt++;
		c->base.app->peer_shut(&c->base);
	}
}

void mini_input(struct mini_tcp *t, const uint8_t *ip, uint32_t len)
{
	struct mini_conn *c;
	struct segment s;

	if (!parse(ip, len, &s))
		return;
	c = find(t, key_of(s.local_v4, s.local_port, s.remote_v4, s.remote_port));
	if (!c) {
		t->net.stats.syn_acks += (s.flags & (SYN | ACK)) == (SYN | ACK);
		accept_syn(t, &s);
		return;
	}
	if (s.flags & RST) {
		t->net.stats.resets++;
		conn_over(t, c, false);
		return;
	}
	if (!before(c->rcv_nxt, s.seq) || c->state != OPEN)
		c->ts_recent = s.ts_val;
	if (c->state != OPEN && !in_opening(t, c, &s))
		return;
	/* The application may abort in any call back. */
	if (c->state == OPEN && s.flags & ACK)
		in_ack(t, c, &s);
	if (c->state == OPEN)
		in_text(c, &s);
	if (c->state != FREE)
		touch(t, c);
	if (c->state == OPEN && c->fin_received && c->fin_acked) {
		if (c->ack_owed)
			(void)send_segment(t, c, c->snd_nxt, 0, ACK);
		conn_over(t, c, true);
	}
}

/* --- calls ------------------------------------------------------------------------- */

static void next_client(struct mini_tcp *t, uint32_t *v4, uint16_t *port)
{
	const struct net_config *config = t->net.config;
	uint32_t n = t->next_client++;

	*v4 = config->client_v4 + n % config->client_count;
	*port = (uint16_t)(PORT_FIRST + n / config->client_count % PORT_COUNT);
}

struct net_conn *mini_connect(struct net *net, const struct net_app *app, void *user)
{
	struct mini_tcp *t = (struct mini_tcp *)net;
	const struct net_config *config = net->config;
	struct mini_conn *c = NULL;
	uint32_t v4 = 0;
	uint16_t port = 0;

	for (uint32_t i = 0; i < 16 && !c; i++) {
		next_client(t, &v4, &port);
		c = conn_new(t, key_of(v4, port, config->target_v4, config->target_port));
	}
	if (!c)
		return NULL;
	c->local_v4 = v4;
	c->local_port = port;
	c->remote_v4 = config->target_v4;
	c->remote_port = config->target_port;
	c->base.app = app;
	c->base.user = user;
	c->state = SYN_SENT;
	touch(t, c);
	return &c->base;
}

bool mini_send(struct net_conn *base, const struct net_piece *pieces, uint32_t count)
{
	struct mini_conn *c = (struct mini_conn *)base;

	if (c->state != OPEN || c->piece_count || c->fin_queued)
		return false;
	c->pieces_at = c->snd_end;
	c->piece_count = count;
	for (uint32_t i = 0; i < count; i++) {
		c->pieces[i] = pieces[i];
		c->snd_end += pieces[i].len;
	}
	touch((struct mini_tcp *)base->net, c);
	return true;
}

void mini_shut(struct net_conn *base)
{
	struct mini_conn *c = (struct mini_conn *)base;

	c->fin_queued = true;
	touch((struct mini_tcp *)base->net, c);
}

void mini_abort(struct net_conn *base)
{
	struct mini_tcp *t = (struct mini_tcp *)base->net;
	struct mini_conn *c = (struct mini_conn *)base;

	if (c->state == OPEN)
		(void)send_segment(t, c, c->snd_nxt, 0, RST | ACK);
	conn_free(t, c);
}

/* The lower halves of its addresses are none of the clients' and the origin's: see key_of. */
bool mini_syn(struct net *net, uint32_t seed)
{
	struct mini_tcp *t = (struct mini_tcp *)net;
	const struct net_config *config = net->config;
	uint32_t number = seed * 2654435761u;
	uint8_t *frame = mini_frame(t);
	uint32_t header_bytes;

	if (!frame)
		return false;
	header_bytes = put_options(t, frame + TCP_AT, true, 0);
	put_header(frame + TCP_AT, (uint16_t)(1 + seed % 65535), config->target_port, number, 0,
		SYN, header_bytes);
	seal(t, frame, FLOOD_NET | (number & 0x10000) | FLOOD_LOW | number >> 18, config->target_v4,
		header_bytes);
	mini_frame_send(t, TCP_AT + header_bytes);
	return true;
}

/* --- life -------------------------------------------------------------------------- */

int mini_init(struct mini_tcp *t, const struct net_config *config)
{
	uint32_t slots = 1024;

	while (slots < 2 * config->conns_max)
		slots *= 2;
	t->net.config = config;
	t->conn_count = config->conns_max;
	t->conns = calloc(config->conns_max, sizeof(*t->conns));
	t->touched = calloc(config->conns_max, sizeof(*t->touched));
	t->table = malloc(slots * sizeof(*t->table));
	if (!t->conns || !t->touched || !t->table)
		return -ENOMEM;
	memset(t->table, 0xff, slots * sizeof(*t->table));
	t->table_mask = slots - 1;
	t->timed_head = t->timed_tail = MINI_NONE;
	t->isn = 0xfffff000u; /* wraps soon */
	for (uint32_t i = 0; i < config->conns_max; i++)
		t->conns[i].next = i + 1 < config->conns_max ? i + 1 : MINI_NONE;
	return 0;
}

void mini_fini(struct mini_tcp *t)
{
	free(t->conns);
	free(t->touched);
	free(t->table);
}
