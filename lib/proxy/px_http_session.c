/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_http_session: a client's connection in http mode, between requests. Its timer runs from the
 * accept for the first request (timeout http-request), from the end of the last response for the
 * next (timeout http-keep-alive), from the first byte of a later one (http-request again).
 */
#include "proxy_pvt.h"

static uint64_t request_deadline(const struct px_session *s, bool idle)
{
	const struct model_timeouts *t = &s->bind->fe->model->timeouts;
	uint32_t ms = idle ? t->http_keep_alive : t->http_request;

	if (ms == MODEL_TIMEOUT_NONE)
		ms = t->http_request;
	if (ms == MODEL_TIMEOUT_NONE)
		ms = t->client;
	return px_after(px_now(s->bind->px), ms);
}

static void arm(struct px_session *s, bool idle)
{
	uint64_t at = request_deadline(s, idle);

	if (at == PX_NEVER)
		timer_cancel(&s->bind->px->worker->timers, &s->timer);
	else
		timer_set(&s->bind->px->worker->timers, &s->timer, at);
}

static void on_timer(struct timer *timer, uint64_t now_ns)
{
	struct px_session *s = CONTAINER_OF(timer, struct px_session, timer);
	struct http_xchg *x;

	(void)now_ns;
	if (s->requests > 0 && http_conn_state(s->conn) != HTTP_CONN_PARTIAL) { /* idle, closing */
		px_session_end(s, false);
		return;
	}
	x = http_conn_refuse(s->conn, 408);
	if (x)
		px_http_request(s, x);
	else
		px_session_end(s, false);
}

void px_http_begin(struct px_session *s)
{
	struct http_xchg *early = s->early;

	timer_init(&s->timer, on_timer);
	arm(s, false);
	if (!early)
		return;
	s->early = NULL;
	timer_cancel(&s->bind->px->worker->timers, &s->timer);
	px_http_request(s, early);
}

void px_http_wait_closed(struct px_session *s)
{
	enum http_conn_state state = http_conn_state(s->conn);

	if (s->own && (state == HTTP_CONN_CLOSING || state == HTTP_CONN_CLOSED))
		px_peer_close(s->own, false);
	if (state == HTTP_CONN_CLOSING)
		timer_set(&s->bind->px->worker->timers, &s->timer,
			px_now(s->bind->px) + PX_LINGER_NS);
}

static void on_idle(struct http_conn *c)
{
	struct px_session *s = c->owner;

	s->request_ns = 0;
	if (s->bind->px->stopping)
		http_conn_drain(s->conn);
	arm(s, true);
}

static void on_partial(struct http_conn *c)
{
	struct px_session *s = c->owner;

	s->request_ns = px_now(s->bind->px);
	if (s->gate == PX_GATE_OPEN && s->requests > 0)
		arm(s, false);
}

/* A request that came before the gate opened, and failed. */
static void on_early_event(struct http_xchg *x, uint32_t events)
{
	struct px_session *s = x->owner;

	if (events & HTTP_EVENT_ERROR)
		px_session_end(s, true);
}

static void on_request(struct http_conn *c, struct http_xchg *x)
{
	struct px_session *s = c->owner;

	if (s->gate != PX_GATE_OPEN) {
		s->early = x;
		x->owner = s;
		x->on_event = on_early_event;
		return;
	}
	timer_cancel(&s->bind->px->worker->timers, &s->timer);
	px_http_request(s, x);
}

/* A client that leaves before its first request is counted and logged as a bad request. */
static void on_closed(struct http_conn *c)
{
	struct px_session *s = c->owner;
	struct px_stream *st;

	if (s->gate == PX_GATE_OPEN && s->requests == 0 && (st = px_stream_new(s, true))) {
		px_http_count_request(st);
		st->silent = s->request_ns == 0;
		px_http_refuse(st, 400, 'C');
	}
	px_session_end(s, false);
}

const struct http_conn_owner_ops px_http_client_ops = {
	.on_partial = on_partial,
	.on_request = on_request,
	.on_idle = on_idle,
	.on_closed = on_closed,
};
