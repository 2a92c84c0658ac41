/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners: where SYNs for no connection go (RFC 9293 3.10.7.2), and the queues in which
 * established connections wait for on_accept.
 */
#include "tcp_pvt.h"

#define BACKLOG_DEFAULT 1024

static struct list *bucket_of(struct tcp *tcp, uint16_t port)
{
	return &tcp->buckets[port % TCP_LISTEN_BUCKETS];
}

/* How well a listener fits an address: 3 exactly, 2 any of its family, 1 [::] for IPv4; 0 not. */
static int fits(const struct tcp_listen_config *config, const struct ip_addr *addr)
{
	const struct ip_addr *own = &config->local.addr;

	if (ip_addr_eq(own, addr))
		return 3;
	if (!ip_addr_is_any(own))
		return 0;
	if (ip_addr_is_v4(own) == ip_addr_is_v4(addr))
		return 2;
	return !ip_addr_is_v4(own) && !config->v6_only ? 1 : 0;
}

struct tcp_listener *tcp_listener_find(struct tcp *tcp, const struct ip_addr *addr, uint16_t port)
{
	struct tcp_listener *best = NULL;
	int best_fit = 0;

	list_for_each (link, bucket_of(tcp, port)) {
		struct tcp_listener *l = list_entry(link, struct tcp_listener, link);
		int fit = l->config.local.port == port ? fits(&l->config, addr) : 0;

		if (fit > best_fit) {
			best = l;
			best_fit = fit;
		}
	}
	return best;
}

struct tcp_listener *tcp_listen(
	struct tcp *tcp, const struct tcp_listen_config *config, struct error *err)
{
	struct list *bucket = bucket_of(tcp, config->local.port);
	char text[ENDPOINT_TEXT_SIZE];
	struct tcp_listener *l;

	list_for_each (link, bucket) {
		l = list_entry(link, struct tcp_listener, link);
		if (endpoint_eq(&l->config.local, &config->local)) {
			error_set(err, -EADDRINUSE, "%s is listened on already",
				endpoint_format(&config->local, text));
			return NULL;
		}
	}
	l = mem_pool_get(&tcp->listeners);
	if (!l) {
		error_set(err, -ENOSPC, "no more than %u listeners", tcp->config.listeners_max);
		return NULL;
	}
	*l = (struct tcp_listener){.tcp = tcp, .config = *config};
	if (l->config.backlog == 0)
		l->config.backlog = BACKLOG_DEFAULT;
	list_init(&l->wait_link);
	list_init(&l->waiting);
	list_add_tail(bucket, &l->link);
	return l;
}

void tcp_listener_close(struct tcp_listener *l)
{
	struct tcp *tcp = l->tcp;
	const struct tcp_slot *slots = tcp->table.slots;

	while (!list_is_empty(&l->waiting))
		tcp_conn_reset(
			list_first(&l->waiting, struct tcp_conn, accept_link), TCP_FAILURE_RESET);
	/* Half-open ones are on no list; closing a listener is rare. Deleting shifts slots back,
	 * so each position is looked at until it holds something else. */
	for (uint32_t i = 0; l->half_open_count > 0 && i <= tcp->table.mask;) {
		struct tcp_conn *c = tcp_ref_conn(tcp, slots[i].ref);

		if (c && c->flags & TCP_F_UNACCEPTED && c->listener == l)
			tcp_conn_reset(c, TCP_FAILURE_RESET);
		else
			i++;
	}
	ASSERT(l->half_open_count == 0);
	for (uint32_t i = 0; l->fast_open_count > 0 && i <= tcp->table.mask; i++) {
		struct tcp_conn *c = tcp_ref_conn(tcp, slots[i].ref);

		if (c && tcp_is_fast_opening(c) &&
			c->opener_ref == mem_pool_index(&tcp->listeners, l) + 1) {
			c->opener_ref = 0;
			l->fast_open_count--;
		}
	}
	list_del(&l->wait_link);
	list_del(&l->link);
	mem_pool_put(&tcp->listeners, l);
}

static struct tcp_listener_info info_of(const struct tcp_listener *l)
{
	return (struct tcp_listener_info){
		.local = l->config.local,
		.half_open = l->half_open_count,
		.half_open_max = l->tcp->config.half_open_max,
		.waiting = l->waiting_count,
		.backlog = l->config.backlog,
		.fast_open = l->fast_open_count,
		.cookies_sent = l->cookies_sent,
		.paused = l->paused,
		.cookies = l->tcp->cookies_on,
	};
}

bool tcp_listener_each(struct tcp *tcp, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct tcp_listener_info *info), void *ctx)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < TCP_LISTEN_BUCKETS; i++)
		list_for_each (link, &tcp->buckets[i]) {
			struct tcp_listener_info info =
				info_of(list_entry(link, struct tcp_listener, link));

			if (at++ < *cursor)
				continue;
			if (max-- == 0)
				return true;
			++*cursor;
			fn(ctx, &info);
		}
	return false;
}

void tcp_listener_pause(struct tcp_listener *l, bool paused)
{
	l->paused = paused;
	if (!paused && !list_is_empty(&l->waiting) && !list_is_linked(&l->wait_link))
		list_add_tail(&l->tcp->accepting, &l->wait_link);
}

void tcp_listen_wait(struct tcp_conn *c)
{
	struct tcp_listener *l = c->listener;

	l->half_open_count--;
	l->tcp->half_open_count--;
	c->flags |= TCP_F_ACCEPT_WAIT;
	list_add_tail(&l->waiting, &c->accept_link);
	l->waiting_count++;
	if (!l->paused && !list_is_linked(&l->wait_link))
		list_add_tail(&l->tcp->accepting, &l->wait_link);
}

void tcp_listen_forget(struct tcp_conn *c)
{
	struct tcp_listener *l = c->listener;

	ASSERT(c->flags & TCP_F_UNACCEPTED);
	if (c->flags & TCP_F_ACCEPT_WAIT) {
		list_del(&c->accept_link);
		l->waiting_count--;
	} else {
		l->half_open_count--;
		l->tcp->half_open_count--;
	}
	c->flags &= ~(uint32_t)(TCP_F_ACCEPT_WAIT | TCP_F_UNACCEPTED);
	c->listener = NULL;
	c->hint = (struct pkt_chain_hint){0};
}

/* While paused, half-open ones count too: they will want to wait. */
static bool backlog_has_room(struct tcp *tcp, const struct tcp_listener *l)
{
	if (!l->paused || l->waiting_count + l->half_open_count < l->config.backlog)
		return true;
	tcp_count(tcp, TCP_STAT_LISTEN_BACKLOG_FULL);
	return false;
}

/* A connection in SYN-RECEIVED whose SYN|ACK is not sent yet; NULL (counted) without memory. */
static struct tcp_conn *conn_of_syn(struct tcp *tcp, struct tcp_listener *l,
	const struct tcp_seg *seg, const struct wire_tcp *syn)
{
	struct tcp_tuple tuple = seg->tuple;
	struct ip_path path = {.loopback_to_us = seg->from_us};
	struct tcp_conn *c = NULL;

	if (ip_path_find(tcp->ip, &tuple.local, &tuple.remote, &path) == 0)
		c = tcp_conn_new(tcp, &tuple, &path);
	if (!c)
		return NULL;
	c->state = TCP_SYN_RECEIVED;
	c->flags |= TCP_F_PASSIVE | TCP_F_UNACCEPTED;
	c->listener = l;
	c->ops = l->config.ops;
	c->options = l->config.options;
	c->mss = tcp_mss_limit(c, c->mss);
	c->rcv_nxt = seq_add(syn->seq, 1);
	c->rcv_acked = c->rcv_nxt;
	c->rcv_adv = c->rcv_nxt;
	c->snd_wnd = syn->window; /* never scaled in a SYN */
	c->snd_wl1 = syn->seq;
	tcp_take_options(c, syn);
	l->half_open_count++;
	tcp->half_open_count++;
	return c;
}

static void syn_accept(
	struct tcp *tcp, struct tcp_listener *l, struct tcp_seg *seg, const struct seq *isn_min)
{
	struct tcp_conn *c;

	if (!backlog_has_room(tcp, l))
		return;
	if (tcp_cookies_update(tcp) && tcp->conns.count_used < tcp->conns.count_max) {
		tcp_cookie_send(tcp, l, seg);
		return;
	}
	if (tcp->half_open_count >= tcp->config.half_open_max) {
		tcp_count(tcp, TCP_STAT_LISTEN_HALF_OPEN_FULL);
		return;
	}
	c = conn_of_syn(tcp, l, seg, &seg->h);
	if (!c)
		return;
	if (isn_min)
		c->snd_una = c->snd_nxt = c->snd_max = seq_max(c->snd_una, *isn_min);
	c->flags |= TCP_F_ACK_NOW;
	tcp_fast_open_syn(c, l, seg);
	tcp_conn_schedule(c);
}

/* The handshake happened without us; its end is that of a connection whose SYN|ACK is out. */
static void cookie_accept(
	struct tcp *tcp, struct tcp_listener *l, struct tcp_seg *seg, const struct wire_tcp *syn)
{
	struct tcp_conn *c;

	if (!backlog_has_room(tcp, l))
		return;
	c = conn_of_syn(tcp, l, seg, syn);
	if (!c)
		return;
	c->snd_una = seq_sub(seg->h.ack, 1);
	c->snd_nxt = c->snd_max = seg->h.ack;
	c->rcv_adv = seq_add(c->rcv_nxt, tcp_syn_window(tcp, tcp_options(c)));
	tcp_in_conn(c, seg);
	if (c->state == TCP_SYN_RECEIVED)
		tcp_conn_detach(c, TCP_CLOSED);
}

/* A RST and what has neither SYN nor ACK is passed over, an ACK is reset, unless it is a cookie's.
 * If the ACK of one was lost and something overtakes the first text, the number is not that of the
 * SYN: silence then, for what comes again may fit. Without text only an echo of our timestamp shows
 * that it is no stranger. */
static void no_syn(struct tcp *tcp, struct tcp_listener *l, struct tcp_seg *seg)
{
	enum tcp_cookie_verdict verdict = TCP_COOKIE_NONE;
	struct wire_tcp syn;

	if (!(seg->h.flags & WIRE_TCP_RST))
		verdict = tcp_cookie_check(tcp, l, seg, &syn);
	if (verdict == TCP_COOKIE_GOOD) {
		cookie_accept(tcp, l, seg, &syn);
		return;
	}
	if (verdict == TCP_COOKIE_NONE)
		tcp_count(tcp, TCP_STAT_LISTEN_NO_CONN);
	if (seg->h.flags & WIRE_TCP_ACK &&
		(verdict == TCP_COOKIE_NONE || (verdict == TCP_COOKIE_BAD && seg->len == 0)))
		tcp_in_closed(tcp, seg, TCP_RESET_OPEN_PORT);
}

/* RFC 9293 3.10.7.2 */
void tcp_listen_input(
	struct tcp *tcp, struct tcp_listener *l, struct tcp_seg *seg, const struct seq *isn_min)
{
	uint8_t flags = seg->h.flags;

	if (flags & (WIRE_TCP_RST | WIRE_TCP_ACK) || !(flags & WIRE_TCP_SYN)) {
		no_syn(tcp, l, seg);
		return;
	}
	if (flags & WIRE_TCP_FIN) { /* no stack sends this */
		tcp_count(tcp, TCP_STAT_RX_MALFORMED);
		return;
	}
	syn_accept(tcp, l, seg, isn_min);
}

static void accept_one(struct tcp_listener *l, struct tcp_conn *c)
{
	c->flags |= TCP_F_OWNED;
	tcp_listen_forget(c);
	c->user = NULL;
	tcp_count(l->tcp, TCP_STAT_OPEN_PASSIVE);
	if (!l->config.ops->on_accept(l->config.user, c))
		tcp_conn_abort(c);
	else if (c->events)
		tcp_conn_schedule(c);
}

uint32_t tcp_listen_poll(struct tcp *tcp, uint32_t budget)
{
	uint32_t done = 0;

	while (done < budget && !list_is_empty(&tcp->accepting)) {
		struct tcp_listener *l =
			list_first(&tcp->accepting, struct tcp_listener, wait_link);

		if (l->paused || list_is_empty(&l->waiting)) {
			list_del(&l->wait_link);
			continue;
		}
		accept_one(l, list_first(&l->waiting, struct tcp_conn, accept_link));
		done++;
	}
	return done;
}
