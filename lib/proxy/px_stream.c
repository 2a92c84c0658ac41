/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams: birth, deadlines, figures, end. */
#include "proxy_pvt.h"

static void on_timer(struct timer *timer, uint64_t now_ns);

struct px_stream *px_stream_new(struct px_session *s, bool http)
{
	struct proxy *px = s->bind->px;
	struct px_stream *st = mem_pool_get(&px->streams);

	if (!st) {
		stat_add(&px->drops[PROXY_DROP_NO_STREAM], 1);
		return NULL;
	}
	*st = (struct px_stream){
		.session = s,
		.px = px,
		.fe = s->bind->fe,
		.http = http,
		.start_ns = px_now(px),
		.start_wall_ns = px->worker->wall_ns,
		.avoid = LB_NONE,
		.term = {'-', '-'},
	};
	timer_init(&st->timer, on_timer);
	lease_waiter_init(&st->waiter, px_queue_granted);
	list_init(&st->queue_link);
	s->stream = st;
	return st;
}

static int64_t ms_between(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns == 0 || to_ns == 0 ? -1 : (int64_t)((to_ns - from_ns) / NS_PER_MS);
}

static void count_times(struct px_stream *st)
{
	uint64_t queue_from = st->http ? st->request_ns : st->start_ns;
	struct px_times t = {
		.queue = ms_between(queue_from, st->queue_ns),
		.connect = ms_between(st->queue_ns, st->connected_ns),
		.response = ms_between(st->connected_ns, st->response_ns),
		.total = ms_between(st->start_ns, px_now(st->px)),
	};

	if (st->queue_ns == 0)
		return;
	px_times_count(st->be->counters, &t);
	px_times_count(st->server->counters, &t);
}

void px_stream_end(struct px_stream *st)
{
	struct proxy *px = st->px;

	timer_cancel(&px->worker->timers, &st->timer);
	if (st->be) {
		if (st->server)
			count_times(st);
		px_backend_leave(st);
		if (st->counted)
			px_leave(st->be->counters, PROXY_STAT_SCUR);
	}
	if (!st->logged && st->session->gate == PX_GATE_OPEN)
		px_log_stream(st);
	if (st->peer)
		px_peer_release(st, false);
	if (st->cx)
		http_xchg_abort(st->cx);
	if (!st->http)
		px_tcp_disconnect(st);
	stream_abort(&st->client);
	http_head_free(st->req);
	http_head_free(st->resp);
	pkt_chain_free(&st->up.hold);
	pkt_chain_free(&st->down.hold);
	st->session->stream = NULL;
	mem_pool_put(&px->streams, st);
}

void px_stream_term(struct px_stream *st, char cause, char phase)
{
	if (st->term.cause == '-')
		st->term = (struct px_term){cause, phase};
}

char px_stream_phase(const struct px_stream *st)
{
	if (st->state == PX_STATE_QUEUE)
		return 'Q';
	if (st->state != PX_STATE_EXCHANGE)
		return 'C';
	return st->http && !st->head_sent ? 'H' : 'D';
}

void px_stream_count(struct px_stream *st, enum proxy_stat stat)
{
	if (st->be)
		px_count(st->be->counters, stat);
	if (st->server)
		px_count(st->server->counters, stat);
}

void px_stream_aborted(struct px_stream *st, bool by_client)
{
	px_stream_count(st, by_client ? PROXY_STAT_CLI_ABRT : PROXY_STAT_SRV_ABRT);
}

void px_stream_bytes(struct px_stream *st, uint64_t up, uint64_t down)
{
	struct px_counters *objects[] = {st->session->bind->counters, st->fe->counters,
		st->be ? st->be->counters : NULL, st->server ? st->server->counters : NULL,
		&st->px->total};
	uint64_t now = px_now(st->px);

	if (up == 0 && down == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		px_add(objects[i], PROXY_STAT_BIN, up);
		px_add(objects[i], PROXY_STAT_BOUT, down);
	}
	px_rate_count(&st->px->total.rates[PX_RATE_BYTES], now, down);
	st->bytes_up += up;
	st->bytes_down += down;
	st->active_ns = now;
}

/* --- deadlines ------------------------------------------------------------------------------ */

/* Half-closed sessions and tunnels have timeouts of their own. */
static uint32_t side_ms(const struct px_stream *st, uint32_t usual, uint32_t fin)
{
	bool tunnel = !st->http || st->tunnel;

	if (tunnel && (st->up.done || st->down.done) && fin != MODEL_TIMEOUT_NONE)
		return fin;
	if (tunnel && st->be->model->timeouts.tunnel != MODEL_TIMEOUT_NONE)
		return st->be->model->timeouts.tunnel;
	return usual;
}

/* A side is watched while it is to send, or to take what we have for it. */
static uint64_t side_deadline(const struct px_stream *st, bool client)
{
	const struct px_pipe *from = client ? &st->up : &st->down;
	const struct px_pipe *to = client ? &st->down : &st->up;
	const struct model_timeouts *fe = &st->fe->model->timeouts;
	const struct model_timeouts *be = &st->be->model->timeouts;

	if ((from->done || from->blocked) && !to->blocked)
		return PX_NEVER;
	return px_after(st->active_ns, client ? side_ms(st, fe->client, fe->client_fin)
					      : side_ms(st, be->server, be->server_fin));
}

/* Before the same server is tried again: a second, or timeout connect if that is shorter. */
static uint32_t pause_ms(const struct px_stream *st)
{
	uint32_t connect = st->be->model->timeouts.connect;

	return connect == MODEL_TIMEOUT_NONE ? PX_TURN_AROUND_MS
					     : MIN(connect, (uint32_t)PX_TURN_AROUND_MS);
}

static uint64_t find_deadline(const struct px_stream *st)
{
	uint64_t client, server;

	switch ((enum px_state)st->state) {
	case PX_STATE_QUEUE:
		return px_after(st->queued_ns, st->be->model->timeouts.queue);
	case PX_STATE_PAUSE:
		return px_after(st->attempt_ns, pause_ms(st));
	case PX_STATE_CONNECT:
		if (st->failed_at_once)
			return st->attempt_ns;
		return px_after(st->attempt_ns, st->be->model->timeouts.connect);
	case PX_STATE_EXCHANGE:
		if (st->up.starved || st->down.starved)
			return px_now(st->px) + PX_STARVED_NS;
		client = side_deadline(st, true);
		server = side_deadline(st, false);
		return MIN(client, server);
	default:
		return PX_NEVER;
	}
}

void px_stream_rearm(struct px_stream *st)
{
	st->deadline_ns = find_deadline(st);
	if (st->deadline_ns == PX_NEVER)
		return; /* a timer that stands fires for nothing, once */
	if (!timer_is_set(&st->timer) || st->timer.expire_at > st->deadline_ns)
		timer_set(&st->px->worker->timers, &st->timer, st->deadline_ns);
}

static void exchange_expired(struct px_stream *st, uint64_t now_ns)
{
	bool client;

	if (st->up.starved || st->down.starved) {
		if (st->http)
			px_http_run(st);
		else
			px_tcp_run(st);
		return;
	}
	client = side_deadline(st, true) <= now_ns;
	if (st->http)
		px_http_expired(st, client);
	else
		px_tcp_expired(st, client);
}

static void on_timer(struct timer *timer, uint64_t now_ns)
{
	struct px_stream *st = CONTAINER_OF(timer, struct px_stream, timer);

	if (st->deadline_ns > now_ns)
		px_stream_rearm(st);
	else if (st->state == PX_STATE_EXCHANGE)
		exchange_expired(st, now_ns);
	else
		px_backend_expired(st);
}
