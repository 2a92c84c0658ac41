/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses of our own. */
#include "proxy_pvt.h"

struct error_text {
	uint16_t status;
	const char *reason;
	const char *text; /* one sentence for a person */
};

static const struct error_text texts[] = {
	{400, "Bad request", "Your browser sent a request that weir could not understand."},
	{408, "Request Time-out", "Your browser took too long to send its request."},
	{413, "Payload Too Large", "The request is larger than weir accepts."},
	{414, "URI Too Long", "The address asked for is longer than weir accepts."},
	{431, "Request Header Fields Too Large",
		"The request's header is larger than weir accepts."},
	{500, "Internal Server Error", "Something went wrong inside of weir."},
	{501, "Not Implemented", "weir does not know how to do what was asked."},
	{502, "Bad Gateway", "The server's response was missing, incomplete or not valid."},
	{503, "Service Unavailable", "No server is available to handle this request."},
	{504, "Gateway Time-out", "The server didn't respond in time."},
	{505, "HTTP Version Not Supported", "weir speaks HTTP/1.0 and HTTP/1.1 here."},
};

static const struct error_text *text_of(uint16_t status)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].status == status)
			return &texts[i];
	return &texts[0];
}

/* "<html><body><h1>503 Service Unavailable</h1>" and so on, in pieces. */
static bool write_body(struct px_stream *st, const struct error_text *t, struct pkt_chain *body)
{
	const char digits[] = {(char)('0' + t->status / 100), (char)('0' + t->status / 10 % 10),
		(char)('0' + t->status % 10)};
	const struct bytes pieces[] = {
		BYTES_LIT("<html><body><h1>"),
		bytes_of(digits, sizeof(digits)),
		BYTES_LIT(" "),
		bytes_of_cstr(t->reason),
		BYTES_LIT("</h1>\n"),
		bytes_of_cstr(t->text),
		BYTES_LIT("\n</body></html>\n"),
	};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		if (pkt_chain_write(body, pieces[i], st->px->pkts) < pieces[i].len)
			return false;
	return true;
}

static struct http_head *standard(struct px_stream *st, uint16_t status, struct pkt_chain *body)
{
	const struct error_text *t = text_of(status);
	struct http_head *head = http_head_get(&st->px->heads);

	if (!head)
		return NULL;
	http_head_set_response(head, t->status, bytes_of_cstr(t->reason));
	http_head_add(head, BYTES_LIT("cache-control"), BYTES_LIT("no-cache"));
	http_head_add(head, BYTES_LIT("content-type"), BYTES_LIT("text/html"));
	if (write_body(st, t, body))
		return head;
	http_head_free(head);
	return NULL;
}

static const struct model_errorfile *find_file(const struct model_proxy *m, uint16_t status)
{
	for (uint32_t i = 0; i < m->errorfile_count; i++)
		if (m->errorfiles[i].status == status)
			return &m->errorfiles[i];
	return NULL;
}

static struct http_head *from_file(
	struct px_stream *st, const struct model_errorfile *file, struct pkt_chain *body)
{
	enum h1_fault fault;
	size_t head_bytes;
	struct http_head *head =
		h1_response_from_text(&st->px->heads, file->message, &head_bytes, &fault);
	struct bytes rest;

	if (!head)
		return NULL;
	rest = bytes_of(file->message.ptr + head_bytes, file->message.len - head_bytes);
	if (pkt_chain_write(body, rest, st->px->pkts) == rest.len)
		return head;
	http_head_free(head);
	return NULL;
}

static struct http_head *make(struct px_stream *st, uint16_t status, struct pkt_chain *body)
{
	const struct model_errorfile *file = NULL;

	if (st->be)
		file = find_file(st->be->model, status);
	if (!file)
		file = find_file(st->fe->model, status);
	return file ? from_file(st, file, body) : standard(st, status, body);
}

/* Written by the codec in any case; said here so that it is counted. */
static void add_length(struct http_head *head, uint32_t body_bytes)
{
	char text[10], *at = text + sizeof(text);
	struct bytes value;

	head->body = HTTP_BODY_LENGTH;
	head->content_length = body_bytes;
	do {
		*--at = (char)('0' + body_bytes % 10);
		body_bytes /= 10;
	} while (body_bytes > 0);
	value = http_head_copy(head, bytes_of(at, (size_t)(text + sizeof(text) - at)));
	if (value.ptr)
		http_head_set(head, BYTES_LIT("content-length"), value);
}

static void count_answer(struct px_stream *st, const struct http_head *head)
{
	uint64_t bytes = px_http_head_bytes(head);

	if (!st->req)
		return;
	if (st->req->method != HTTP_METHOD_HEAD)
		bytes += head->content_length;
	px_http_count_head(st);
	px_stream_bytes(st, 0, bytes);
}

/* False: it could not be sent whole, so the connection is of no use any more. */
static bool send_answer(struct px_stream *st, uint16_t status)
{
	struct pkt_chain body = {0};
	struct http_head *head = make(st, status, &body);
	bool sent = false;

	if (!head) {
		stat_add(&st->px->drops[PROXY_DROP_NO_BUFFER], 1);
		pkt_chain_free(&body);
		return false;
	}
	add_length(head, body.bytes);
	if (!http_xchg_recv_ended(st->cx) || st->close_client || st->px->stopping)
		http_xchg_set_close(st->cx);
	if (http_xchg_send_head(st->cx, head) == 0) {
		http_xchg_send(st->cx, &body, body.bytes);
		sent = pkt_chain_is_empty(&body) && http_xchg_send_end(st->cx, NULL) == 0;
	}
	if (sent)
		count_answer(st, head);
	else
		px_http_count_head(st);
	pkt_chain_free(&body);
	http_head_free(head);
	return sent;
}

void px_http_answer(struct px_stream *st, uint16_t status, char cause, char phase)
{
	struct http_xchg *cx = st->cx;
	bool sent = false;

	px_stream_term(st, cause, phase);
	if (st->head_sent) {
		px_http_cut(st, false);
		return;
	}
	st->status = status;
	px_http_count_status(st, false);
	px_peer_release(st, false);
	if (cx)
		sent = send_answer(st, status);
	st->state = PX_STATE_CLOSING;
	st->cx = NULL;
	if (cx)
		px_http_let_client_go(st, cx, !sent);
	else
		px_stream_end(st);
}
