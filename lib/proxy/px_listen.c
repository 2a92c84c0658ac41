/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_listen: the way in. A connection gets a session, then a token of its bind, of its frontend and
 * of the whole machine, in this order (no two sessions can hold what the other one waits for). If
 * one is not to be had at once, the session waits for it with its listener paused: so at most one
 * connection per listener and core is inside but not served; the others wait in tcp's backlog.
 */
#include "proxy_pvt.h"

static uint32_t gate_group(const struct px_session *s)
{
	switch ((enum px_gate)s->gate) {
	case PX_GATE_BIND:
		return px_group_bind(s->bind->px, s->bind->index);
	case PX_GATE_FRONTEND:
		return px_group_frontend(s->bind->fe->index);
	default:
		return px_group_global();
	}
}

static void pause_bind(struct px_bind *b, bool pause)
{
	b->parked += pause ? 1 : -1u;
	if (b->listener)
		tcp_listener_pause(b->listener, b->parked > 0);
}

/* The gate is open: from now on it is a session that counts. */
static void admit(struct px_session *s)
{
	struct proxy *px = s->bind->px;
	struct px_counters *objects[] = {s->bind->fe->counters, s->bind->counters, &px->total};
	uint64_t now = px_now(px);

	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		px_count(objects[i], PROXY_STAT_CONN_TOT);
		px_rate_count(&objects[i]->rates[PX_RATE_CONNECTION], now, 1);
		px_session_counted(objects[i], now);
		px_enter(objects[i], PROXY_STAT_SCUR, PROXY_STAT_SMAX);
	}
	if (s->bind->fe->model->mode == MODEL_MODE_HTTP) {
		timer_init(&s->timer, NULL);
		px_http_begin(s);
	} else {
		px_tcp_begin(s);
	}
}

/* The poller of limits calls this, never a function of ours. */
static void on_gate_token(struct lease_waiter *w, uint32_t member)
{
	struct px_session *s = CONTAINER_OF(w, struct px_session, waiter);

	(void)member;
	s->gate++;
	while (s->gate < PX_GATE_OPEN && lease_take(s->bind->px->leases, gate_group(s), 0))
		s->gate++;
	if (s->gate < PX_GATE_OPEN) {
		lease_wait(s->bind->px->leases, &s->waiter, gate_group(s), 0);
		return;
	}
	pause_bind(s->bind, false);
	admit(s);
}

static void go_through_gate(struct px_session *s)
{
	while (s->gate < PX_GATE_OPEN && lease_take(s->bind->px->leases, gate_group(s), 0))
		s->gate++;
	if (s->gate == PX_GATE_OPEN) {
		admit(s);
		return;
	}
	lease_waiter_init(&s->waiter, on_gate_token);
	lease_wait(s->bind->px->leases, &s->waiter, gate_group(s), 0);
	pause_bind(s->bind, true);
}

void px_gate_leave(struct px_session *s)
{
	struct proxy *px = s->bind->px;

	if (s->gate == PX_GATE_OPEN) {
		struct px_counters *objects[] = {
			s->bind->fe->counters, s->bind->counters, &px->total};

		for (size_t i = 0; i < ARRAY_LEN(objects); i++)
			px_leave(objects[i], PROXY_STAT_SCUR);
		if (s->bind->fe->model->mode == MODEL_MODE_HTTP)
			timer_cancel(&px->worker->timers, &s->timer);
	} else if (lease_is_waiting(&s->waiter)) {
		lease_cancel(px->leases, &s->waiter);
		pause_bind(s->bind, false);
	}
	while (s->gate > PX_GATE_BIND) {
		s->gate--;
		lease_put(px->leases, gate_group(s), 0);
	}
}

/* --- taking connections -------------------------------------------------------------------- */

static bool open_session(struct px_session *s, proxy_open_fn open, void *ctx)
{
	struct stream *carrier;
	stream_event_fn on_event;

	if (s->bind->fe->model->mode == MODEL_MODE_HTTP) {
		s->conn = h1_server_create(&s->bind->px->h1, &px_http_client_ops, s);
		if (!s->conn)
			return false;
		carrier = &s->conn->stream;
		on_event = h1_on_stream_event;
	} else {
		if (!px_stream_new(s, false))
			return false;
		carrier = &s->stream->client;
		on_event = px_tcp_client_event;
	}
	if (!open(ctx, carrier, on_event))
		return false;
	s->client = stream_remote(carrier);
	s->local = stream_local(carrier);
	return true;
}

static bool accept_on(struct px_bind *bind, proxy_open_fn open, void *ctx)
{
	struct px_session *s;

	if (bind->px->stopping)
		return false;
	s = px_session_new(bind);
	if (!s)
		return false;
	list_init(&s->waiter.link);
	if (!open_session(s, open, ctx)) {
		px_session_end(s, true);
		return false;
	}
	go_through_gate(s);
	return true;
}

bool proxy_accept(struct proxy *p, uint32_t bind, proxy_open_fn open, void *ctx)
{
	return accept_on(&p->binds[bind], open, ctx);
}

struct accepted {
	struct tcp_conn *conn;
	bool keepalive;
};

static bool open_accepted(void *ctx, struct stream *s, stream_event_fn on_event)
{
	struct accepted *a = ctx;

	stream_open_tcp_accepted(s, a->conn, on_event);
	if (a->keepalive)
		tcp_conn_set_keepalive(a->conn, true);
	return true;
}

static bool on_accept(void *listener_user, struct tcp_conn *conn)
{
	struct px_bind *bind = listener_user;
	struct accepted a = {conn, bind->px->model->proxies[bind->model->proxy].tcpka_client};

	return accept_on(bind, open_accepted, &a);
}

static void no_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	(void)conn;
	(void)user;
	(void)events;
}

static const struct tcp_owner_ops listener_ops = {.on_accept = on_accept, .on_event = no_event};

int px_listen_start(struct proxy *px, struct error *err)
{
	for (uint32_t i = 0; px->tcp && i < px->model->bind_count; i++) {
		struct px_bind *b = &px->binds[i];
		const struct model_bind *m = b->model;
		const struct model_proxy *fe = &px->model->proxies[m->proxy];
		struct tcp_listen_config config = {
			.local = m->local,
			.v6_only = m->v6_only,
			.backlog = m->backlog       ? m->backlog
				   : fe->fe.backlog ? fe->fe.backlog
						    : fe->fe.maxconn,
			.options = b->tcp_options,
			.ops = &listener_ops,
			.user = b,
		};

		if (fe->disabled)
			continue;
		b->listener = tcp_listen(px->tcp, &config, err);
		if (!b->listener) {
			error_prefix(
				err, "%s:%u: bind in '%s'", m->place.file, m->place.line, fe->name);
			px_listen_stop(px);
			return err ? err->code : -1;
		}
		stat_add(&px->listeners, 1);
	}
	return 0;
}

void px_listen_stop(struct proxy *px)
{
	for (uint32_t i = 0; px->binds && i < px->model->bind_count; i++) {
		struct px_bind *b = &px->binds[i];

		if (!b->listener)
			continue;
		tcp_listener_close(b->listener);
		b->listener = NULL;
		stat_sub(&px->listeners, 1);
	}
}
