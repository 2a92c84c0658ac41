/* SPDX-License-Identifier: BSD-3-Clause */
/* px_http_request: from the request's head to the backend, and the head on its way to a server. */
#include <errno.h>

#include "proxy_pvt.h"

/* As HAProxy counts them: its internal form of a message, not the bytes on the wire. */
#define LINE_BYTES 20

uint64_t px_http_head_bytes(const struct http_head *head)
{
	uint64_t bytes = LINE_BYTES + sizeof("HTTP/1.1") - 1 + 1;

	bytes += head->body == HTTP_BODY_CHUNKED; /* the mark of its end */
	if (head->status != 0)
		bytes += 3 + head->reason.len;
	else
		bytes += head->method_text.len + head->target.len;
	for (struct http_field *f = http_head_next(head, NULL); f; f = http_head_next(head, f))
		if (f->id != HTTP_FIELD_CONNECTION)
			bytes += f->name_len + f->value_len;
	return bytes;
}

void px_http_count_request(struct px_stream *st)
{
	uint64_t now = px_now(st->px);

	px_count(st->fe->counters, PROXY_STAT_REQ_TOT);
	px_rate_count(&st->fe->counters->rates[PX_RATE_REQUEST], now, 1);
	px_count(&st->px->total, PROXY_STAT_REQ_TOT);
}

void px_http_count_status(struct px_stream *st, bool by_server)
{
	uint32_t class = st->status / 100;
	enum proxy_stat stat =
		class >= 1 && class <= 5 ? PROXY_STAT_HRSP_1XX + class - 1 : PROXY_STAT_HRSP_OTHER;

	px_count(st->fe->counters, stat);
	if (st->be)
		px_count(st->be->counters, stat);
	if (by_server)
		px_count(st->server->counters, stat);
}

void px_http_refuse(struct px_stream *st, uint16_t status, char cause)
{
	px_count(st->fe->counters, PROXY_STAT_EREQ);
	px_count(st->session->bind->counters, PROXY_STAT_EREQ);
	px_http_answer(st, status, cause, 'R');
}

static void refuse_request(struct px_stream *st, enum http_error error, uint16_t status)
{
	switch (error) {
	case HTTP_ERROR_REFUSED:
		px_http_refuse(st, status, 'c');
		break;
	case HTTP_ERROR_MALFORMED:
		px_http_refuse(st, status, 'P');
		break;
	case HTTP_ERROR_NO_MEMORY:
		px_http_refuse(st, 503, 'R');
		break;
	default:
		px_http_refuse(st, 400, 'C');
		break;
	}
}

/* --- option forwardfor ------------------------------------------------------------------------ */

static bool excepted(const struct model_proxy *m, const struct ip_addr *client)
{
	for (uint32_t i = 0; i < m->forwardfor_except_count; i++)
		if (ip_prefix_contains(&m->forwardfor_excepts[i], client))
			return true;
	return false;
}

/* The backend's wishes win over the frontend's, as far as it has some. */
static void add_forwardfor(struct px_stream *st, const struct model_proxy *be)
{
	const struct model_proxy *fe = st->fe->model;
	const struct model_proxy *m = be && be->forwardfor ? be : fe;
	const struct ip_addr *client = &st->session->client.addr;
	struct bytes name = BYTES_LIT("X-Forwarded-For"), value;
	char text[IP_ADDR_TEXT_SIZE];

	if (!m->forwardfor || excepted(m, client) || (be && be != m && excepted(be, client)))
		return;
	if (m->forwardfor_header)
		name = bytes_of_cstr(m->forwardfor_header);
	if (m->forwardfor_if_none && http_head_find(st->req, name, NULL))
		return;
	value = http_head_copy(st->req, bytes_of_cstr(ip_addr_format(client, text)));
	if (value.ptr && http_head_add(st->req, name, value))
		return;
	px_count(st->fe->counters, PROXY_STAT_WREW);
	if (st->be)
		px_count(st->be->counters, PROXY_STAT_WREW);
}

/* --- the way to the backend ------------------------------------------------------------------- */

static void set_modes(struct px_stream *st, const struct model_proxy *be)
{
	enum model_http_mode fe_mode = st->fe->model->http_mode;
	enum model_http_mode be_mode = be ? be->http_mode : MODEL_HTTP_KEEP_ALIVE;

	st->close_client =
		fe_mode == MODEL_HTTP_CLOSE || be_mode == MODEL_HTTP_CLOSE || st->px->stopping;
	st->close_server = fe_mode != MODEL_HTTP_KEEP_ALIVE || be_mode != MODEL_HTTP_KEEP_ALIVE;
}

static uint32_t choose_backend(const struct px_stream *st)
{
	const struct model_frontend *fe = &st->fe->model->fe;

	return fe->use_backend_count > 0 ? fe->use_backends[0] : fe->default_backend;
}

void px_http_request(struct px_session *s, struct http_xchg *x)
{
	struct px_stream *st = px_stream_new(s, true);
	const struct model_proxy *be = NULL;
	enum http_error error;
	uint16_t status = 400;
	uint32_t backend;

	if (!st) {
		http_xchg_abort(x);
		return;
	}
	st->cx = x;
	x->owner = st;
	x->on_event = px_http_client_event;
	px_http_count_request(st);
	error = http_xchg_error(x, &status, NULL);
	st->start_ns = s->request_ns                                  ? s->request_ns
		       : error != HTTP_ERROR_NONE && s->requests == 0 ? s->accept_ns
								      : st->start_ns;
	st->silent =
		s->request_ns == 0 && error != HTTP_ERROR_NONE && error != HTTP_ERROR_MALFORMED;
	st->start_wall_ns -= px_now(s->bind->px) - st->start_ns;
	s->requests++;
	s->request_ns = 0;
	if (error != HTTP_ERROR_NONE) {
		refuse_request(st, error, status);
		return;
	}
	st->req = http_xchg_recv_head(x);
	st->request_ns = px_now(s->bind->px);
	px_log_connect(st);
	backend = choose_backend(st);
	if (backend != MODEL_NONE) {
		be = &s->bind->px->model->proxies[backend];
		px_count(s->bind->px->backends[backend].counters, PROXY_STAT_REQ_TOT);
	}
	st->head_bytes_up = px_http_head_bytes(st->req);
	set_modes(st, be);
	add_forwardfor(st, be);
	px_backend_begin(st, backend);
}

void px_http_count_head(struct px_stream *st)
{
	if (st->head_counted || !st->req)
		return;
	st->head_counted = true;
	px_stream_bytes(st, st->head_bytes_up, 0);
}

/* The server is there. */
void px_http_connected(struct px_stream *st)
{
	struct http_xchg *sx = http_conn_request(st->peer->conn);

	if (!sx) { /* it has just been closed, or memory is short */
		bool retry = st->reused && !st->fresh;

		px_peer_release(st, false);
		st->fresh = true;
		if (retry)
			px_http_connect(st);
		else
			px_backend_failed(st, TCP_FAILURE_NO_MEMORY, false);
		return;
	}
	px_backend_connected(st);
	st->sx = sx;
	sx->owner = st;
	sx->on_event = px_http_server_event;
	if (st->close_server)
		http_xchg_set_close(sx);
	if (http_xchg_send_head(sx, st->req) == -ENOMEM) {
		stat_add(&st->px->drops[PROXY_DROP_NO_BUFFER], 1);
		px_http_answer(st, 503, 'R', 'C');
		return;
	}
	px_http_count_head(st);
	px_http_run(st);
}
