/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_tcp: a session in tcp mode. Bytes that the client sends before the server is connected stay
 * in tcp's receive buffer. An end of stream is passed on once all bytes before it are; when both
 * directions have ended the session is over. A reset of one side resets the other.
 */
#include "proxy_pvt.h"

static uint32_t choose_backend(const struct px_stream *st)
{
	const struct model_frontend *fe = &st->fe->model->fe;

	return fe->use_backend_count > 0 ? fe->use_backends[0] : fe->default_backend;
}

void px_tcp_begin(struct px_session *s)
{
	struct px_stream *st = s->stream;

	s->requests = 1;
	px_log_connect(st);
	px_backend_begin(st, choose_backend(st));
}

/* --- connecting ----------------------------------------------------------------------------- */

static void on_server_event(struct stream *s, uint32_t events)
{
	struct px_stream *st = CONTAINER_OF(s, struct px_stream, server_stream);

	if (st->state == PX_STATE_CONNECT) {
		if (events & STREAM_EVENT_FAILED) {
			enum tcp_failure failure = stream_failure(s);

			px_tcp_disconnect(st);
			px_backend_failed(st, failure, false);
			return;
		}
		if (!(events & STREAM_EVENT_CONNECTED))
			return;
		px_backend_connected(st);
		if (st->fe->model->logasap)
			px_log_stream(st);
	}
	px_tcp_run(st);
}

void px_tcp_connect(struct px_stream *st)
{
	struct proxy *px = st->px;
	struct tcp_connect_config to = px_backend_target(st);
	enum tcp_failure failure = TCP_FAILURE_NONE;

	px_stream_count(st, PROXY_STAT_CONNECT);
	if (px->connect_fn(px->connect_ctx, &st->server_stream, &to, on_server_event, &failure) <
		0) {
		st->failed_at_once = true;
		st->failure = failure;
	} else {
		stat_add(&px->peer_count, 1);
		px_count(st->server->counters, PROXY_STAT_USED);
	}
	px_stream_rearm(st);
}

static void let_server_go(struct px_stream *st, bool reset)
{
	if (!stream_is_open(&st->server_stream))
		return;
	if (reset)
		stream_abort(&st->server_stream);
	else
		stream_close(&st->server_stream);
	px_leave(st->server->counters, PROXY_STAT_USED);
	stat_sub(&st->px->peer_count, 1);
}

void px_tcp_disconnect(struct px_stream *st)
{
	let_server_go(st, true);
}

/* --- data ------------------------------------------------------------------------------------ */

/* Lets go of both sides and of the session. */
static void finish(struct px_stream *st, bool reset)
{
	st->state = PX_STATE_CLOSING;
	let_server_go(st, reset);
	if (reset)
		stream_abort(&st->client);
	else
		stream_close(&st->client);
	px_session_end(st->session, reset);
}

static void pass_end(struct px_pipe *pipe, const struct stream *from, struct stream *to)
{
	if (pipe->done || !pkt_chain_is_empty(&pipe->hold) || !stream_recv_ended(from))
		return;
	stream_shut(to);
	pipe->done = true;
}

void px_tcp_run(struct px_stream *st)
{
	struct stream *client = &st->client, *server = &st->server_stream;
	uint32_t up, down;

	if (stream_failure(server) != TCP_FAILURE_NONE) {
		px_stream_term(st, 'S', 'D');
		px_stream_count(st, PROXY_STAT_ERESP);
		px_stream_aborted(st, false);
		finish(st, true);
		return;
	}
	up = px_pipe_run(&st->up, client, server);
	down = px_pipe_run(&st->down, server, client);
	px_stream_bytes(st, up, down);
	pass_end(&st->up, client, server);
	pass_end(&st->down, server, client);
	if (st->up.done && st->down.done)
		finish(st, false);
	else
		px_stream_rearm(st);
}

/* Before there is a server to tell it to: a client that leaves nothing behind needs none. */
static void client_shut_early(struct px_stream *st)
{
	bool empty = stream_recv_ready(&st->client) == 0;

	if (st->state == PX_STATE_START || (!empty && !(st->be && st->be->model->abortonclose)))
		return;
	px_stream_term(st, 'C', px_stream_phase(st));
	finish(st, false);
}

void px_tcp_client_event(struct stream *s, uint32_t events)
{
	struct px_stream *st = CONTAINER_OF(s, struct px_stream, client);

	if (events & STREAM_EVENT_FAILED) {
		if (st->state == PX_STATE_EXCHANGE) {
			px_stream_term(st, 'C', 'D');
			px_stream_aborted(st, true);
		} else {
			px_stream_term(st, 'C', px_stream_phase(st));
		}
		finish(st, true);
	} else if (st->state == PX_STATE_EXCHANGE) {
		px_tcp_run(st);
	} else if (events & STREAM_EVENT_PEER_SHUT) {
		client_shut_early(st);
	}
}

/* A client that does not read is reset: what we have for it cannot be delivered. */
void px_tcp_expired(struct px_stream *st, bool client)
{
	px_stream_term(st, client ? 'c' : 's', 'D');
	px_stream_aborted(st, client);
	finish(st, client && st->down.blocked);
}

/* What the client sent is read and dropped, so that it sees an end and not a reset. */
void px_tcp_give_up(struct px_stream *st)
{
	uint32_t dropped = stream_recv(&st->client, &st->up.hold, UINT32_MAX);

	px_stream_bytes(st, dropped, 0);
	finish(st, false);
}
