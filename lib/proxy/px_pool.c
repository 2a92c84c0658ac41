/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_pool: connections to servers in http mode. Idle ones lie in a list of their server, the one
 * used last in front; every PX_PURGE_NS half of those that were not needed since are closed.
 *
 * http-reuse: "safe" sends the first request of a client over a connection of its own, because a
 * server that closes an idle connection at that moment would cost an error that the client could
 * not expect; later requests may go over any idle connection. "aggressive" lets first requests go
 * over connections that were reused before, "always" over any. With "never" a connection stays with
 * its client.
 */
#include "proxy_pvt.h"

/* --- idle ----------------------------------------------------------------------------------------
 */

static void leave_idle(struct px_peer *peer)
{
	struct px_server *server = peer->server;

	if (peer->private_to) {
		peer->private_to->own = NULL;
		peer->private_to = NULL;
	} else {
		list_del(&peer->link);
		server->idle_count--;
		server->idle_low = MIN(server->idle_low, server->idle_count);
	}
	px_leave(server->counters, PROXY_STAT_IDLE);
}

void px_peer_close(struct px_peer *peer, bool reset)
{
	struct proxy *px = peer->px;

	if (!peer->stream)
		leave_idle(peer);
	if (reset)
		http_conn_abort(peer->conn);
	else
		http_conn_close(peer->conn);
	stat_sub(&px->peer_count, 1);
	mem_pool_put(&px->peers, peer);
}

/* Closes the one that has been idle for longest. False if there is none. */
static bool close_oldest(struct px_server *server)
{
	if (list_is_empty(&server->idle))
		return false;
	px_peer_close(list_entry(server->idle.prev, struct px_peer, link), false);
	return true;
}

static void keep_idle(struct px_peer *peer, struct px_session *s)
{
	struct px_server *server = peer->server;

	peer->idle_ns = px_now(peer->px);
	px_count(server->counters, PROXY_STAT_IDLE);
	if (server->backend->model->be.reuse == MODEL_REUSE_NEVER) {
		if (s->own)
			px_peer_close(s->own, false);
		s->own = peer;
		peer->private_to = s;
		return;
	}
	if (server->idle_count == peer->px->idle_max) {
		stat_add(&peer->px->drops[PROXY_DROP_IDLE_EVICTED], 1);
		close_oldest(server);
	}
	list_add_head(&server->idle, &peer->link);
	server->idle_count++;
}

void px_peer_release(struct px_stream *st, bool reusable)
{
	struct px_peer *peer = st->peer;

	if (!peer)
		return;
	px_leave(peer->server->counters, PROXY_STAT_USED);
	if (st->sx && reusable)
		http_xchg_close(st->sx);
	else if (st->sx)
		http_xchg_abort(st->sx);
	st->sx = NULL;
	st->peer = NULL;
	if (reusable && !st->close_server && !st->px->stopping && !peer->server->maint &&
		http_conn_state(peer->conn) == HTTP_CONN_IDLE) {
		peer->stream = NULL;
		keep_idle(peer, st->session);
		return;
	}
	px_peer_close(peer, !reusable);
}

static struct px_peer *find_idle(struct px_stream *st)
{
	struct px_server *server = st->server;
	bool first = st->session->requests <= 1;

	switch (st->be->model->be.reuse) {
	case MODEL_REUSE_NEVER:
		return st->session->own && st->session->own->server == server ? st->session->own
									      : NULL;
	case MODEL_REUSE_SAFE:
		if (first)
			return NULL;
		break;
	case MODEL_REUSE_AGGRESSIVE:
		if (!first)
			break;
		list_for_each (link, &server->idle) {
			struct px_peer *peer = list_entry(link, struct px_peer, link);

			if (peer->reused)
				return peer;
		}
		return NULL;
	case MODEL_REUSE_ALWAYS:
		break;
	}
	return list_is_empty(&server->idle) ? NULL
					    : list_first(&server->idle, struct px_peer, link);
}

void px_pool_close_idle(struct proxy *px)
{
	for (uint32_t i = 0; i < px->model->server_count; i++)
		while (close_oldest(&px->servers[i]))
			;
}

void px_pool_purge(struct timer *timer, uint64_t now_ns)
{
	struct proxy *px = CONTAINER_OF(timer, struct proxy, purge);

	for (uint32_t i = 0; i < px->model->server_count; i++) {
		struct px_server *server = &px->servers[i];

		for (uint32_t n = (server->idle_low + 1) / 2; n > 0; n--)
			close_oldest(server);
		server->idle_low = server->idle_count;
	}
	timer_set(&px->worker->timers, &px->purge, now_ns + PX_PURGE_NS);
}

/* --- new
 * ------------------------------------------------------------------------------------------ */

static void on_connected(struct http_conn *c)
{
	struct px_peer *peer = c->owner;

	px_http_connected(peer->stream);
}

/* While connecting, or idle; an open exchange is told itself. */
static void on_closed(struct http_conn *c)
{
	struct px_peer *peer = c->owner;
	struct px_stream *st = peer->stream;
	enum tcp_failure failure = http_conn_failure(c);

	if (!st) {
		px_peer_close(peer, false);
		return;
	}
	px_peer_release(st, false);
	px_backend_failed(st, failure, false);
}

static const struct http_conn_owner_ops peer_ops = {
	.on_connected = on_connected,
	.on_closed = on_closed,
};

static void attach(struct px_stream *st, struct px_peer *peer)
{
	st->peer = peer;
	peer->stream = st;
	px_count(peer->server->counters, PROXY_STAT_USED);
}

/* A peer from the pool; if that is empty, in place of an idle one. */
static struct px_peer *new_peer(struct px_stream *st)
{
	struct proxy *px = st->px;
	struct px_peer *peer = mem_pool_get(&px->peers);

	for (uint32_t i = 0; !peer && i < px->model->server_count; i++)
		if (close_oldest(&px->servers[i])) {
			stat_add(&px->drops[PROXY_DROP_IDLE_EVICTED], 1);
			peer = mem_pool_get(&px->peers);
		}
	if (!peer)
		return NULL;
	*peer = (struct px_peer){.px = px, .server = st->server};
	list_init(&peer->link);
	peer->conn = h1_client_create(&px->h1, &peer_ops, peer);
	if (peer->conn)
		return peer;
	mem_pool_put(&px->peers, peer);
	return NULL;
}

static void fail_at_once(struct px_stream *st, enum tcp_failure failure)
{
	st->failed_at_once = true;
	st->failure = failure;
	px_stream_rearm(st);
}

static void open_new(struct px_stream *st)
{
	struct proxy *px = st->px;
	struct tcp_connect_config to = px_backend_target(st);
	enum tcp_failure failure = TCP_FAILURE_NONE;
	struct px_peer *peer = new_peer(st);

	if (!peer) {
		stat_add(&px->drops[PROXY_DROP_NO_SERVER_CONN], 1);
		fail_at_once(st, TCP_FAILURE_NO_MEMORY);
		return;
	}
	stat_add(&px->peer_count, 1);
	px_stream_count(st, PROXY_STAT_CONNECT);
	st->reused = false;
	attach(st, peer);
	if (px->connect_fn(
		    px->connect_ctx, &peer->conn->stream, &to, h1_on_stream_event, &failure) < 0) {
		px_peer_release(st, false);
		fail_at_once(st, failure);
		return;
	}
	px_stream_rearm(st);
}

void px_http_connect(struct px_stream *st)
{
	struct px_peer *peer;

	while (!st->fresh && (peer = find_idle(st))) {
		leave_idle(peer);
		peer->stream = st;
		if (http_conn_state(peer->conn) != HTTP_CONN_IDLE) {
			px_peer_close(peer, false);
			continue;
		}
		attach(st, peer);
		peer->reused = true;
		st->reused = true;
		px_stream_count(st, PROXY_STAT_REUSE);
		px_http_connected(st);
		return;
	}
	open_new(st);
}
