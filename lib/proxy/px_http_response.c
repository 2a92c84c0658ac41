/* SPDX-License-Identifier: BSD-3-Clause */
/* px_http_response: heads from the server on their way to the client. */
#include "proxy_pvt.h"

/* 100, 102, 103: told to clients that know them (RFC 9110 15.2). */
static void pass_interim(struct px_stream *st, struct http_head *head)
{
	uint16_t keep = st->status;

	st->status = head->status;
	px_http_count_status(st, true);
	st->status = keep;
	if (st->req->version_major > 1 || st->req->version_minor > 0)
		http_xchg_send_head(st->cx, head);
	http_head_free(head);
}

static bool send_final(struct px_stream *st)
{
	struct http_head *head = st->resp;

	st->status = head->status;
	st->response_ns = px_now(st->px);
	px_http_count_status(st, true);
	px_count(st->server->counters, PROXY_STAT_REQ_TOT);
	if (st->close_client || st->px->stopping)
		http_xchg_set_close(st->cx);
	if (http_xchg_send_head(st->cx, head) != 0) {
		/* Out of buffers, or the client has gone and its event is on the way. */
		stat_add(&st->px->drops[PROXY_DROP_NO_BUFFER], 1);
		px_stream_term(st, 'R', 'H');
		px_http_cut(st, true);
		return false;
	}
	px_stream_bytes(st, 0, px_http_head_bytes(head));
	st->head_sent = true;
	if (head->body == HTTP_BODY_TUNNEL) {
		st->tunnel = true;
		st->up.done = false;
		st->up.blocked = false;
	}
	if (st->fe->model->logasap)
		px_log_stream(st);
	return true;
}

bool px_http_take_response(struct px_stream *st)
{
	struct http_head *head;

	while ((head = http_xchg_recv_head(st->sx))) {
		if (head->status >= 200 || head->status == 101) {
			st->resp = head;
			return send_final(st);
		}
		pass_interim(st, head);
	}
	return true;
}
