/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_backend: from "which backend" to "connected", the same for both modes.
 *
 *   begin -> assign -> connect -> connected
 *              |  ^       |  ^
 *              v  |       v  |
 *            QUEUE      failed -> PAUSE
 *
 * assign asks the balancer and takes a slot of the server, or waits for one. connect lets the mode
 * open a connection. failed decides: the same server again (after a pause, so that a server that
 * restarts is not hammered), another one (option redispatch), or the end.
 *
 * While a server is chosen the stream counts in the balancer's load (loaded), from the slot on it
 * holds a token (has_token), from the first attempt on it counts in the server's sessions
 * (in_server). px_backend_leave undoes all three; the pointer to the server stays, for the log.
 */
#include "proxy_pvt.h"

void px_backend_begin(struct px_stream *st, uint32_t backend)
{
	if (backend == MODEL_NONE) {
		px_backend_give_up(st, 503, 'S', 'C');
		return;
	}
	st->be = &st->px->backends[backend];
	st->counted = true;
	px_session_counted(st->be->counters, px_now(st->px));
	px_enter(st->be->counters, PROXY_STAT_SCUR, PROXY_STAT_SMAX);
	px_backend_assign(st);
}

/* leastconn fills the queues of servers that have a limit for them. */
static bool is_full(void *ctx, uint32_t member)
{
	struct px_stream *st = ctx;
	const struct model_server *m = st->be->servers[member].model;
	uint64_t room = m->maxconn;

	if (st->be->model->be.lb == MODEL_LB_LEASTCONN)
		room += m->maxqueue;
	return m->maxconn > 0 && lb_load(st->be->lb, member, st->px->worker->turn) >= room;
}

/* Over all cores. */
static bool is_queue_full(const struct px_stream *st, uint32_t member)
{
	const struct px_server *server = &st->be->servers[member];
	const struct proxy *px = st->px;
	uint64_t waiting = 0;

	if (server->model->maxqueue == 0)
		return false;
	for (uint32_t i = 0; i < px->worker_count; i++)
		waiting +=
			stat_read(&px->all[i]->servers[server->index].counters->v[PROXY_STAT_QCUR]);
	return waiting >= server->model->maxqueue;
}

/* What a stream without a slot does: waits, if it may. */
static void wait_or_give_up(struct px_stream *st, uint32_t member)
{
	if (!is_queue_full(st, member)) {
		px_queue_wait(st, member);
		return;
	}
	px_stream_count(st, PROXY_STAT_ECON);
	px_backend_give_up(st, 503, 'S', 'Q');
}

void px_backend_chosen(struct px_stream *st, uint32_t member)
{
	struct px_server *server = &st->be->servers[member];

	st->server = server;
	lb_take(st->be->lb, member);
	st->loaded = true;
	px_stream_count(st, PROXY_STAT_LBTOT);
	if (!st->previous)
		return;
	if (st->previous != server) {
		px_count(st->be->counters, PROXY_STAT_WREDIS);
		px_count(st->previous->counters, PROXY_STAT_WREDIS);
		st->redispatched = true;
	} else {
		px_stream_count(st, PROXY_STAT_WRETR);
	}
	st->previous = NULL;
}

void px_backend_assign(struct px_stream *st)
{
	struct px_backend *be = st->be;
	struct lb_query query = {
		.source = &st->session->client.addr,
		.avoid = st->avoid,
		.turn = st->px->worker->turn,
		.is_full = is_full,
		.ctx = st,
	};
	uint32_t member = lb_pick(be->lb, &query);

	if (member != LB_NONE && is_queue_full(st, member)) {
		query.avoid = member;
		member = lb_pick(be->lb, &query);
	}
	if (member == LB_NONE && lb_usable_count(be->lb) == 0) {
		px_count(be->counters, PROXY_STAT_ECON);
		st->server = NULL;
		px_backend_give_up(st, 503, 'S', 'C');
	} else if (member == LB_NONE) {
		px_queue_wait(st, LEASE_ANY);
	} else {
		px_backend_chosen(st, member);
		st->has_token =
			lease_take(st->px->leases, px_group_backend(st->px, be->index), member);
		if (st->has_token)
			px_backend_connect(st);
		else
			wait_or_give_up(st, member);
	}
}

void px_backend_connect(struct px_stream *st)
{
	uint64_t now = px_now(st->px);

	if (st->queue_ns == 0)
		st->queue_ns = now;
	if (!st->in_server) {
		px_enter(st->server->counters, PROXY_STAT_SCUR, PROXY_STAT_SMAX);
		st->in_server = true;
	}
	px_session_counted(st->server->counters, now);
	st->state = PX_STATE_CONNECT;
	st->attempt_ns = now;
	if (st->http)
		px_http_connect(st);
	else
		px_tcp_connect(st);
}

void px_backend_connected(struct px_stream *st)
{
	st->state = PX_STATE_EXCHANGE;
	st->connected_ns = px_now(st->px);
	st->active_ns = st->connected_ns;
}

struct tcp_connect_config px_backend_target(const struct px_stream *st)
{
	const struct model_server *m = st->server->model;
	struct tcp_connect_config config = {.local.addr = m->source,
		.remote = m->remote,
		.options = st->server->tcp_options,
		.keepalive = st->be->model->tcpka_server};

	if (m->port_from_client)
		config.remote.port = (uint16_t)(st->session->local.port + m->port_offset);
	if (ip_addr_is_any(&m->source)) /* of the family of the server */
		config.local.addr =
			ip_addr_is_v4(&m->remote.addr) ? ip_addr_from_v4(0) : (struct ip_addr){{0}};
	return config;
}

void px_backend_leave(struct px_stream *st)
{
	if (!st->be)
		return;
	px_queue_leave(st);
	if (st->in_server)
		px_leave(st->server->counters, PROXY_STAT_SCUR);
	if (st->has_token)
		lease_put(st->px->leases, px_group_backend(st->px, st->be->index),
			st->server->member);
	if (st->loaded)
		lb_drop(st->be->lb, st->server->member);
	st->in_server = false;
	st->has_token = false;
	st->loaded = false;
}

void px_backend_requeue(struct px_backend *be)
{
	struct list waiting;
	struct list *link;

	list_init(&waiting);
	list_splice_tail(&waiting, &be->waiting);
	while (!list_is_empty(&waiting)) {
		struct px_stream *st;

		link = waiting.next;
		st = list_entry(link, struct px_stream, queue_link);
		px_backend_leave(st);
		px_backend_assign(st);
	}
}

/* May the next attempt go to another server? Rules of option redispatch: with roundrobin and a
 * choice at once, otherwise at the retries that its interval names, by default the last one. */
static bool may_redispatch(const struct px_stream *st)
{
	const struct model_backend *m = &st->be->model->be;
	int32_t every = m->redispatch_interval;

	if (!m->redispatch)
		return false;
	if (st->server->maint)
		return true;
	if (m->lb == MODEL_LB_ROUNDROBIN && lb_usable_count(st->be->lb) > 1)
		return true;
	if (every < 0)
		every += (int32_t)m->retries + 1;
	return every > 0 && st->retries % (uint32_t)every == 0;
}

void px_backend_failed(struct px_stream *st, enum tcp_failure failure, bool timeout)
{
	uint32_t same = st->server->member;

	if (failure == TCP_FAILURE_NO_MEMORY || ++st->retries > st->be->model->be.retries) {
		st->retries = MIN(st->retries, st->be->model->be.retries);
		px_stream_count(st, PROXY_STAT_ECON);
		px_backend_give_up(st, 503,
			failure == TCP_FAILURE_NO_MEMORY ? 'R'
			: timeout                        ? 's'
							 : 'S',
			'C');
		return;
	}
	if (may_redispatch(st)) {
		px_backend_leave(st);
		st->previous = st->server;
		st->server = NULL;
		st->avoid = same;
		if (lb_usable_count(st->be->lb) > 1) {
			px_backend_assign(st);
			return;
		}
	} else {
		px_stream_count(st, PROXY_STAT_WRETR);
		if (timeout) {
			px_backend_connect(st);
			return;
		}
	}
	st->state = PX_STATE_PAUSE;
	st->attempt_ns = px_now(st->px);
	px_stream_rearm(st);
}

void px_backend_expired(struct px_stream *st)
{
	switch ((enum px_state)st->state) {
	case PX_STATE_QUEUE:
		px_count(st->be->counters, PROXY_STAT_ECON);
		if (st->server)
			px_count(st->server->counters, PROXY_STAT_ECON);
		px_backend_give_up(st, 503, 's', 'Q');
		break;
	case PX_STATE_PAUSE:
		if (st->server)
			px_backend_connect(st);
		else
			px_backend_assign(st);
		break;
	case PX_STATE_CONNECT:
		if (st->failed_at_once) {
			st->failed_at_once = false;
			px_backend_failed(st, st->failure, false);
			break;
		}
		if (st->http)
			px_peer_release(st, false);
		else
			px_tcp_disconnect(st);
		px_backend_failed(st, TCP_FAILURE_NONE, true);
		break;
	default:
		break;
	}
}

void px_backend_give_up(struct px_stream *st, uint16_t status, char cause, char phase)
{
	if (st->http) {
		px_http_answer(st, status, cause, phase);
		return;
	}
	px_stream_term(st, cause, phase);
	px_tcp_give_up(st);
}
