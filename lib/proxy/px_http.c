/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_http: one exchange, from the request's head to the end of the response.
 *
 * In: events of the client's side (cx) and the server's side (sx). px_http_run does whatever can be
 * done: request body up, response head, response body down, ends. It may be called at any time in
 * state EXCHANGE. An exchange ends by finish (both messages complete), px_http_answer (with a
 * response of our own; nothing was sent before) or px_http_cut (the client sees a message that is
 * cut, never one that is continued with something else).
 */
#include <errno.h>

#include "proxy_pvt.h"

/* --- ends ------------------------------------------------------------------------------------ */

void px_http_let_client_go(struct px_stream *st, struct http_xchg *cx, bool reset)
{
	struct px_session *s = st->session;

	px_stream_end(st);
	if (reset)
		http_xchg_abort(cx);
	else
		http_xchg_close(cx);
	px_http_wait_closed(s);
}

static void finish(struct px_stream *st)
{
	struct http_xchg *cx = st->cx;

	st->state = PX_STATE_CLOSING;
	st->cx = NULL;
	px_peer_release(st, st->up.done);
	px_http_let_client_go(st, cx, false);
}

void px_http_cut(struct px_stream *st, bool reset)
{
	struct http_xchg *cx = st->cx;

	st->state = PX_STATE_CLOSING;
	st->cx = NULL;
	if (st->status == 0)
		px_http_count_status(st, false);
	px_peer_release(st, false);
	px_http_let_client_go(st, cx, reset);
}

/* --- what may go wrong ------------------------------------------------------------------------ */

static void client_lost(struct px_stream *st, enum http_error error)
{
	bool waiting = st->state != PX_STATE_EXCHANGE;
	uint16_t status = 400;

	if (error == HTTP_ERROR_MALFORMED) {
		http_xchg_error(st->cx, &status, NULL);
		px_http_answer(st, status, 'P', st->head_sent ? 'D' : 'H');
		return;
	}
	px_stream_term(st, 'C',
		waiting                         ? px_stream_phase(st)
		: st->head_sent || !st->up.done ? 'D'
						: 'H');
	px_stream_aborted(st, true);
	px_http_cut(st, true);
}

/* RFC 9110 9.2.2 */
static bool is_idempotent(const struct http_head *req)
{
	return req->method != HTTP_METHOD_OTHER && req->method != HTTP_METHOD_POST &&
	       req->method != HTTP_METHOD_CONNECT;
}

static void server_lost(struct px_stream *st, enum http_error error)
{
	char cause = error == HTTP_ERROR_MALFORMED ? 'P' : 'S';

	if (!st->head_sent && st->reused && cause == 'S' && http_xchg_untouched(st->sx)) {
		/* The server closed an idle connection just as we used it. */
		if (!st->body_taken && is_idempotent(st->req)) {
			px_peer_release(st, false);
			st->fresh = true;
			px_backend_connect(st);
			return;
		}
		if (st->session->requests > 1) { /* the client knows to try again */
			px_stream_term(st, 'S', 'H');
			px_http_cut(st, false);
			return;
		}
	}
	px_stream_count(st, PROXY_STAT_ERESP);
	if (!st->head_sent) {
		px_http_answer(st, 502, cause, 'H');
		return;
	}
	px_stream_term(st, cause, 'D');
	px_stream_aborted(st, false);
	px_http_cut(st, st->tunnel && error == HTTP_ERROR_RESET);
}

void px_http_expired(struct px_stream *st, bool client)
{
	if (client)
		px_stream_aborted(st, true);
	else if (st->head_sent)
		px_stream_aborted(st, false);
	else
		px_stream_count(st, PROXY_STAT_ERESP);
	if (!st->head_sent) {
		px_http_answer(st, client ? 408 : 504, client ? 'c' : 's', 'H');
		return;
	}
	px_stream_term(st, client ? 'c' : 's', 'D');
	px_http_cut(st, client && st->down.blocked);
}

/* --- moving ------------------------------------------------------------------------------------
 */

/* Passes the end of a message on, with its trailers. False: try again later. */
static bool pass_end(struct px_pipe *pipe, struct http_xchg *from, struct http_xchg *to)
{
	struct http_head *trailers;
	int ret;

	if (pipe->done)
		return true;
	if (!pkt_chain_is_empty(&pipe->hold) || !http_xchg_recv_ended(from))
		return false;
	trailers = http_xchg_recv_trailers(from);
	ret = http_xchg_send_end(to, trailers);
	http_head_free(trailers);
	if (ret == -ENOMEM) { /* without its trailers the message is still whole */
		pipe->starved = true;
		return false;
	}
	pipe->done = true;
	return true;
}

static enum http_error error_of(const struct http_xchg *x)
{
	return http_xchg_error(x, NULL, NULL);
}

/* Request body. False: the stream has ended. */
static bool run_up(struct px_stream *st)
{
	if (st->up.done)
		return true;
	px_stream_bytes(st, px_pipe_run_http(&st->up, st->cx, st->sx), 0);
	st->body_taken |= st->bytes_up > st->head_bytes_up || st->up.hold.bytes > 0;
	if (pass_end(&st->up, st->cx, st->sx) || st->up.blocked ||
		error_of(st->cx) == HTTP_ERROR_NONE)
		return true;
	client_lost(st, error_of(st->cx));
	return false;
}

/* Response. False: the stream has ended. */
static bool run_down(struct px_stream *st)
{
	if (!st->head_sent && !px_http_take_response(st))
		return false;
	if (st->head_sent && !st->down.done) {
		px_stream_bytes(st, 0, px_pipe_run_http(&st->down, st->sx, st->cx));
		if (pass_end(&st->down, st->sx, st->cx) || st->down.blocked)
			return true;
	}
	if (st->down.done || error_of(st->sx) == HTTP_ERROR_NONE)
		return true;
	server_lost(st, error_of(st->sx));
	return false;
}

void px_http_run(struct px_stream *st)
{
	if (st->state != PX_STATE_EXCHANGE)
		return;
	st->up.starved = false;
	st->down.starved = false;
	if (!run_up(st) || !run_down(st))
		return;
	if (st->tunnel && !st->tunnel_up) { /* what the client sent behind its request */
		st->tunnel_up = true;
		if (!run_up(st))
			return;
	}
	if (st->down.done && (st->up.done || !st->tunnel))
		finish(st);
	else
		px_stream_rearm(st);
}

void px_http_client_event(struct http_xchg *x, uint32_t events)
{
	struct px_stream *st = x->owner;

	if (events & HTTP_EVENT_ERROR)
		client_lost(st, error_of(x));
	else if (st->state == PX_STATE_EXCHANGE)
		px_http_run(st);
	else if ((events & HTTP_EVENT_SHUT) && st->be && st->be->model->abortonclose)
		px_http_answer(st, 503, 'C', px_stream_phase(st));
}

void px_http_server_event(struct http_xchg *x, uint32_t events)
{
	(void)events;
	px_http_run(x->owner);
}
