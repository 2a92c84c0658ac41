/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both roles at once: a client and an origin that speak raw bytes, and between them the smallest
 * proxy that the message interface allows. A row says what each side sends and must get; it runs
 * with several sizes of packets and of buffers, and everything must be given back after each run.
 * Rows marked HAProxy were asked from HAProxy 2.6.
 */
#include "check.h"

#include <stdio.h>

#include "fake_peer.h"

enum close_mode {
	KEEP,
	SERVER_CLOSE, /* option http-server-close */
	CLOSE,        /* option httpclose */
};

struct relay {
	struct fake_rig rig;
	struct fake_peer client, origin;
	struct http_conn *front, *back;
	struct http_xchg *request, *answer; /* server role, client role; NULL: over */
	struct pkt_chain up, down;
	enum close_mode mode;
	uint32_t buffer_bytes;
	bool answering;            /* the final head went to the client */
	bool up_ended, down_ended; /* the end went out */
	uint32_t idle_count;
};

static void drop_back(struct relay *r)
{
	if (r->answer != NULL)
		http_xchg_close(r->answer);
	r->answer = NULL;
	if (r->back != NULL && http_conn_state(r->back) != HTTP_CONN_IDLE) {
		http_conn_close(r->back);
		r->back = NULL;
	}
	pkt_chain_free(&r->up);
	pkt_chain_free(&r->down);
}

static void drop_both(struct relay *r)
{
	if (r->request != NULL)
		http_xchg_close(r->request);
	r->request = NULL;
	drop_back(r);
}

static void answer_error(struct relay *r, uint16_t status)
{
	struct http_head *head = http_head_get(&r->rig.heads);

	assert_non_null(head);
	http_head_set_response(head, status, BYTES_NONE);
	http_xchg_send_head(r->request, head);
	http_xchg_send_end(r->request, NULL);
	http_head_free(head);
	drop_both(r);
}

/* Both messages are through. */
static void check_end(struct relay *r)
{
	if (r->request == NULL || !r->up_ended || !r->down_ended)
		return;
	drop_both(r);
}

/* The request's body goes up, until something stops it. */
static void pump_up(struct relay *r)
{
	while (r->request != NULL && r->answer != NULL && !r->up_ended) {
		if (r->up.bytes == 0)
			http_xchg_recv(r->request, &r->up, 100);
		if (r->up.bytes > 0 && http_xchg_send(r->answer, &r->up, UINT32_MAX) == 0)
			return;
		if (r->up.bytes > 0)
			continue;
		if (http_xchg_recv_ended(r->request)) {
			struct http_head *trailers = http_xchg_recv_trailers(r->request);

			assert_int_equal(http_xchg_send_end(r->answer, trailers), 0);
			http_head_free(trailers);
			r->up_ended = true;
		} else if (http_xchg_error(r->request, NULL, NULL) != HTTP_ERROR_NONE) {
			uint16_t status;

			http_xchg_error(r->request, &status, NULL);
			if (r->answering)
				drop_both(r);
			else
				answer_error(r, status);
		} else if (!stream_is_open(&r->front->stream) ||
			   stream_recv_ready(&r->front->stream) == 0) {
			return;
		}
	}
	check_end(r);
}

static void pump_down(struct relay *r)
{
	while (r->request != NULL && r->answer != NULL && r->answering && !r->down_ended) {
		if (r->down.bytes == 0)
			http_xchg_recv(r->answer, &r->down, 100);
		if (r->down.bytes > 0 && http_xchg_send(r->request, &r->down, UINT32_MAX) == 0)
			return;
		if (r->down.bytes > 0)
			continue;
		if (http_xchg_recv_ended(r->answer)) {
			struct http_head *trailers = http_xchg_recv_trailers(r->answer);

			assert_int_equal(http_xchg_send_end(r->request, trailers), 0);
			http_head_free(trailers);
			r->down_ended = true;
		} else if (http_xchg_error(r->answer, NULL, NULL) != HTTP_ERROR_NONE) {
			drop_both(r);
		} else if (!stream_is_open(&r->back->stream) ||
			   stream_recv_ready(&r->back->stream) == 0) {
			return;
		}
	}
	check_end(r);
}

static void take_heads(struct relay *r)
{
	struct http_head *head;

	while (!r->answering && (head = http_xchg_recv_head(r->answer)) != NULL) {
		if (r->mode == CLOSE)
			http_xchg_set_close(r->request);
		assert_int_equal(http_xchg_send_head(r->request, head), 0);
		r->answering = head->status >= 200 || head->status == 101;
		if (head->body == HTTP_BODY_TUNNEL)
			r->up_ended = false;
		http_head_free(head);
	}
	if (!r->answering && http_xchg_error(r->answer, NULL, NULL) != HTTP_ERROR_NONE)
		answer_error(r, 502);
}

static void on_answer(struct http_xchg *x, uint32_t events)
{
	struct relay *r = x->owner;

	if (!r->answering && (events & (HTTP_EVENT_HEAD | HTTP_EVENT_ERROR)))
		take_heads(r);
	else if (events & HTTP_EVENT_ERROR)
		drop_both(r);
	pump_down(r);
	pump_up(r);
}

static void on_request_news(struct http_xchg *x, uint32_t events)
{
	struct relay *r = x->owner;

	if (events & HTTP_EVENT_ERROR) {
		drop_both(r);
		return;
	}
	pump_up(r);
	pump_down(r);
}

static void on_back_closed(struct http_conn *c)
{
	struct relay *r = c->owner;

	r->back = NULL;
	http_conn_close(c);
}

static const struct http_conn_owner_ops back_ops = {.on_closed = on_back_closed};

static void begin_answer(struct relay *r)
{
	if (r->back != NULL && http_conn_state(r->back) != HTTP_CONN_IDLE) {
		http_conn_close(r->back);
		r->back = NULL;
	}
	if (r->back == NULL) {
		r->back = h1_client_create(&r->rig.h1, &back_ops, r);
		fake_peer_close(&r->origin);
		fake_peer_join(&r->origin, &r->rig, r->back, r->buffer_bytes);
	}
	r->answer = http_conn_request(r->back);
	assert_non_null(r->answer);
	r->answer->on_event = on_answer;
	r->answer->owner = r;
}

static void on_request(struct http_conn *c, struct http_xchg *x)
{
	struct relay *r = c->owner;
	struct http_head *head;
	uint16_t status;

	r->request = x;
	x->owner = r;
	x->on_event = on_request_news;
	r->answering = r->up_ended = r->down_ended = false;
	if (http_xchg_error(x, &status, NULL) != HTTP_ERROR_NONE) {
		answer_error(r, status);
		return;
	}
	head = http_xchg_recv_head(x);
	assert_non_null(head);
	begin_answer(r);
	if (r->mode != KEEP)
		http_xchg_set_close(r->answer);
	assert_int_equal(http_xchg_send_head(r->answer, head), 0);
	http_head_free(head);
	pump_up(r);
}

static void on_idle(struct http_conn *c)
{
	struct relay *r = c->owner;

	r->idle_count++;
}

static void on_front_closed(struct http_conn *c)
{
	struct relay *r = c->owner;

	assert_null(r->request);
	r->front = NULL;
	http_conn_close(c);
}

static const struct http_conn_owner_ops front_ops = {
	.on_request = on_request, .on_idle = on_idle, .on_closed = on_front_closed};

/* --- rows ---------------------------------------------------------------------------- */

enum end {
	OPEN, /* the connection is kept */
	FIN,  /* the client sees the end */
	RST,
};

struct row {
	const char *send;   /* the client; "@@" separates parts, sent when all is quiet */
	const char *expect; /* the origin gets */
	const char *reply;  /* the origin sends, after the request; "@@" at its end: and closes */
	const char *get;    /* the client gets */
	enum end end;
	enum close_mode mode;
};

static void relay_start(struct relay *r, const struct row *row, uint32_t buffer_bytes)
{
	fake_rig_init(&r->rig);
	r->mode = row->mode;
	r->buffer_bytes = buffer_bytes;
	r->front = h1_server_create(&r->rig.h1, &front_ops, r);
	fake_peer_join(&r->client, &r->rig, r->front, buffer_bytes);
}

static void relay_stop(struct relay *r)
{
	fake_peer_close(&r->client);
	fake_peer_close(&r->origin);
	fake_rig_run(&r->rig);
	if (r->front != NULL)
		http_conn_close(r->front);
	if (r->back != NULL)
		http_conn_close(r->back);
	pkt_chain_free(&r->up);
	pkt_chain_free(&r->down);
	fake_rig_fini(&r->rig);
}

/* Sends with the piece size, in as many turns as the buffers need. */
static void send_all(struct relay *r, struct fake_peer *peer, struct bytes text, size_t piece)
{
	while (text.len > 0 && stream_is_open(&peer->stream) && !peer->failed) {
		size_t n = fake_peer_send(
			peer, piece ? bytes_of(text.ptr, MIN(piece, text.len)) : text, piece);

		fake_rig_run(&r->rig);
		if (n == 0)
			return;
		text = bytes_of(text.ptr + n, text.len - n);
	}
}

static struct bytes part_of(const char **text)
{
	const char *mark = strstr(*text, "@@");
	struct bytes part = bytes_of(*text, mark ? (size_t)(mark - *text) : strlen(*text));

	*text = mark ? mark + 2 : *text + part.len;
	return part;
}

static void reply(struct relay *r, const struct row *row, size_t piece)
{
	const char *text = row->reply;
	struct bytes part = part_of(&text);
	bool close = text > row->reply + part.len;

	if (r->origin.rig == NULL)
		return;
	send_all(r, &r->origin, part, piece);
	if (close)
		fake_peer_close(&r->origin);
	fake_rig_run(&r->rig);
}

static void run_row(struct relay *r, const struct row *row, size_t piece, uint32_t buffer_bytes)
{
	const char *send = row->send;
	bool replied = false;
	enum end end;

	memset(r, 0, sizeof(*r));
	relay_start(r, row, buffer_bytes);
	fake_rig_run(&r->rig);
	while (*send != '\0') {
		send_all(r, &r->client, part_of(&send), piece);
		if (!replied)
			reply(r, row, piece);
		replied = true;
	}
	fake_rig_run(&r->rig);
	end = r->client.failed ? RST : r->client.ended ? FIN : OPEN;
	if (strcmp(r->origin.got, row->expect) || strcmp(r->client.got, row->get) ||
		end != row->end)
		fail_msg("piece %zu buffer %u: %s\n-- origin got --\n%s\n-- wanted --\n%s\n"
			 "-- client got (%d) --\n%s\n-- wanted (%d) --\n%s",
			piece, buffer_bytes, row->send, r->origin.got, row->expect, end,
			r->client.got, row->end, row->get);
	relay_stop(r);
}

static void run_rows(const struct row *rows, size_t count)
{
	static const size_t pieces[] = {0, 1, 2, 7, 50};
	static const uint32_t buffers[] = {65536, 1000, 64};
	static struct relay r;

	for (size_t i = 0; i < count; i++)
		for (size_t p = 0; p < ARRAY_LEN(pieces); p++)
			for (size_t b = 0; b < ARRAY_LEN(buffers); b++)
				run_row(&r, &rows[i], pieces[p], buffers[b]);
}

#define CRLF  "\r\n"
#define HOST  "host: a" CRLF
#define GET   "GET / HTTP/1.1" CRLF HOST
#define GET10 "GET / HTTP/1.0" CRLF HOST
#define POST  "POST / HTTP/1.1" CRLF HOST
#define OK    "HTTP/1.1 200 OK" CRLF "content-length: 2" CRLF
#define OK_HI OK CRLF "hi"

/* HAProxy */
static void connection_fields(void **state)
{
	static const struct row rows[] = {
		{"GET / HTTP/1.1" CRLF "HOST: a" CRLF "X-Foo:  Bar " CRLF CRLF,
			GET "x-foo: Bar" CRLF CRLF,
			"HTTP/1.1 200 Fine" CRLF "X-FoO: Bar" CRLF "Content-Length: 2" CRLF CRLF
			"hi",
			"HTTP/1.1 200 Fine" CRLF "x-foo: Bar" CRLF "content-length: 2" CRLF CRLF
			"hi",
			OPEN, KEEP},
		{GET "Connection: close" CRLF CRLF, GET CRLF, OK_HI,
			OK "connection: close" CRLF CRLF "hi", FIN, KEEP},
		{GET "Connection: keep-alive" CRLF CRLF, GET CRLF, OK_HI, OK_HI, OPEN, KEEP},
		{GET "Connection: keep-alive, Foo,bar" CRLF "Foo: x" CRLF CRLF,
			GET "connection: Foo, bar" CRLF "foo: x" CRLF CRLF, OK_HI, OK_HI, OPEN,
			KEEP},
		{GET "TE: trailers, deflate" CRLF "Connection: TE" CRLF CRLF,
			GET "te: trailers" CRLF "connection: TE" CRLF CRLF, OK_HI, OK_HI, OPEN,
			KEEP},
		{GET "TE: deflate" CRLF CRLF, GET CRLF, OK_HI, OK_HI, OPEN, KEEP},
		{GET "Keep-Alive: 3" CRLF "Proxy-Connection: close" CRLF CRLF,
			GET "keep-alive: 3" CRLF "proxy-connection: close" CRLF CRLF, OK_HI, OK_HI,
			OPEN, KEEP},
		{GET10 CRLF, GET10 "connection: keep-alive" CRLF CRLF, OK_HI,
			OK "connection: close" CRLF CRLF "hi", FIN, KEEP},
		{GET10 "Connection: keep-alive" CRLF CRLF, GET10 "connection: keep-alive" CRLF CRLF,
			OK_HI, OK "connection: keep-alive" CRLF CRLF "hi", OPEN, KEEP},
		{GET CRLF, GET "connection: close" CRLF CRLF, OK_HI, OK_HI, OPEN, SERVER_CLOSE},
		{GET10 "Connection: keep-alive" CRLF CRLF, GET10 CRLF, OK_HI,
			OK "connection: keep-alive" CRLF CRLF "hi", OPEN, SERVER_CLOSE},
		{GET CRLF, GET "connection: close" CRLF CRLF, OK_HI,
			OK "connection: close" CRLF CRLF "hi", FIN, CLOSE},
		{GET CRLF, GET CRLF,
			"HTTP/1.1 200 OK" CRLF "Connection: close" CRLF
			"Content-Length: 2" CRLF CRLF "hi@@",
			OK_HI, OPEN, KEEP},
		{GET CRLF, GET CRLF, "HTTP/1.0 200 OK" CRLF "Content-Length: 2" CRLF CRLF "hi",
			"HTTP/1.0 200 OK" CRLF "content-length: 2" CRLF
			"connection: keep-alive" CRLF CRLF "hi",
			OPEN, KEEP},
		{GET "Expect: 100-continue" CRLF CRLF, GET "expect: 100-continue" CRLF CRLF, OK_HI,
			OK_HI, OPEN, KEEP},
		{GET "Upgrade: x" CRLF CRLF, GET "upgrade: x" CRLF CRLF, OK_HI, OK_HI, OPEN, KEEP},
		{"GET http://a/x HTTP/1.1" CRLF HOST CRLF, "GET http://a/x HTTP/1.1" CRLF HOST CRLF,
			OK_HI, OK_HI, OPEN, KEEP},
	};

	(void)state;
	run_rows(rows, ARRAY_LEN(rows));
}

#define CHUNKED "transfer-encoding: chunked" CRLF

/* Chunks are cut anew by how the bytes come; compared here where they come in one piece. */
static void bodies_with_a_length(void **state)
{
	static const struct row rows[] = {
		{POST "Content-Length: 10" CRLF CRLF "0123456789",
			POST "content-length: 10" CRLF CRLF "0123456789", OK_HI, OK_HI, OPEN, KEEP},
		{POST "Content-Length: 0" CRLF CRLF, POST "content-length: 0" CRLF CRLF, OK_HI,
			OK_HI, OPEN, KEEP},
		{POST "Content-Length: 2, 02" CRLF CRLF "ab",
			POST "content-length: 2" CRLF CRLF "ab", OK_HI, OK_HI, OPEN, KEEP},
		{POST "Content-Length: 5" CRLF CRLF "ab@@cde",
			POST "content-length: 5" CRLF CRLF "abcde", OK_HI, OK_HI, OPEN,
			KEEP}, /* answered before the request is through */
		{"HEAD / HTTP/1.1" CRLF HOST CRLF, "HEAD / HTTP/1.1" CRLF HOST CRLF,
			"HTTP/1.1 200 OK" CRLF "Content-Length: 222" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF "content-length: 222" CRLF CRLF, OPEN, KEEP},
		{"HEAD / HTTP/1.1" CRLF HOST CRLF, "HEAD / HTTP/1.1" CRLF HOST CRLF,
			"HTTP/1.1 200 OK" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF, OPEN, KEEP},
		{"HEAD / HTTP/1.1" CRLF HOST CRLF, "HEAD / HTTP/1.1" CRLF HOST CRLF,
			"HTTP/1.1 200 OK" CRLF CRLF, "HTTP/1.1 200 OK" CRLF CRLF, OPEN, KEEP},
		{GET CRLF, GET CRLF, "HTTP/1.1 204 Gone" CRLF "Content-Length: 5" CRLF CRLF,
			"HTTP/1.1 204 Gone" CRLF CRLF, OPEN, KEEP},
		{GET CRLF, GET CRLF, "HTTP/1.1 304 Same" CRLF "Content-Length: 5" CRLF CRLF,
			"HTTP/1.1 304 Same" CRLF "content-length: 5" CRLF CRLF, OPEN, KEEP},
		{GET CRLF, GET CRLF, "HTTP/1.1 200 OK" CRLF CRLF "until the end@@",
			"HTTP/1.1 200 OK" CRLF "connection: close" CRLF CRLF "until the end", FIN,
			KEEP},
		{GET10 CRLF, GET10 "connection: keep-alive" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF "Transfer-Encoding: chunked" CRLF CRLF "2" CRLF
			"ab" CRLF "3" CRLF "cde" CRLF "0" CRLF "T: u" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF "connection: close" CRLF CRLF "abcde", FIN, KEEP},
		{GET CRLF, GET CRLF, OK CRLF "hi, and more", OK_HI, OPEN, KEEP},
		{GET CRLF, GET CRLF, CRLF OK_HI, OK_HI, OPEN, KEEP},
	};

	(void)state;
	run_rows(rows, ARRAY_LEN(rows));
}

static void bodies_in_chunks(void **state)
{
	static const struct row rows[] = {
		{POST "Transfer-Encoding: Chunked" CRLF CRLF "002;x=y" CRLF "ab" CRLF "0" CRLF
		      "Tr: x" CRLF "Content-Length: 3" CRLF CRLF,
			POST CHUNKED CRLF "2" CRLF "ab" CRLF "0" CRLF "tr: x" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF "Transfer-Encoding: chunked" CRLF CRLF "2" CRLF
			"hi" CRLF "0" CRLF "T: u" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF "2" CRLF "hi" CRLF "0" CRLF
			"t: u" CRLF CRLF,
			OPEN, KEEP},
		{POST "Content-Length: 3" CRLF "Transfer-Encoding: chunked" CRLF CRLF "2" CRLF
		      "ab" CRLF "0" CRLF CRLF,
			POST CHUNKED CRLF "2" CRLF "ab" CRLF "0" CRLF CRLF, OK_HI,
			OK "connection: close" CRLF CRLF "hi", FIN, KEEP},
		{GET CRLF, GET CRLF,
			"HTTP/1.1 200 OK" CRLF "Transfer-Encoding: chunked" CRLF
			"Content-Length: 7" CRLF CRLF "0" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF "0" CRLF CRLF, OPEN, KEEP},
		{POST CHUNKED CRLF "0" CRLF CRLF, POST CHUNKED CRLF "0" CRLF CRLF, OK_HI, OK_HI,
			OPEN, KEEP},
	};
	static struct relay r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		run_row(&r, &rows[i], 0, 65536);
}

#define UPGRADE "connection: Upgrade" CRLF "upgrade: x" CRLF

static void interim_responses_and_tunnels(void **state)
{
	static const struct row rows[] = {
		{GET CRLF, GET CRLF,
			"HTTP/1.1 100 Continue" CRLF "Content-Length: 3" CRLF CRLF
			"HTTP/1.1 103 Early Hints" CRLF "Link: x" CRLF CRLF OK_HI,
			"HTTP/1.1 100 Continue" CRLF CRLF "HTTP/1.1 103 Early Hints" CRLF
			"link: x" CRLF CRLF OK_HI,
			OPEN, KEEP},
		{GET10 CRLF, GET10 "connection: keep-alive" CRLF CRLF,
			"HTTP/1.1 100 Continue" CRLF CRLF OK_HI,
			OK "connection: close" CRLF CRLF "hi", FIN, KEEP},
		{POST "Expect: 100-continue" CRLF "Content-Length: 2" CRLF CRLF "@@ab",
			POST "expect: 100-continue" CRLF "content-length: 2" CRLF CRLF "ab",
			"HTTP/1.1 100 Continue" CRLF CRLF, "HTTP/1.1 100 Continue" CRLF CRLF, OPEN,
			KEEP},
		{GET UPGRADE CRLF "early@@late", GET UPGRADE CRLF "earlylate",
			"HTTP/1.1 101 Go" CRLF UPGRADE CRLF "raw",
			"HTTP/1.1 101 Go" CRLF UPGRADE CRLF "raw", OPEN, KEEP},
		{POST UPGRADE "content-length: 3" CRLF CRLF "abc"
			      "early@@late",
			POST UPGRADE "content-length: 3" CRLF CRLF "abc"
				     "earlylate",
			"HTTP/1.1 101 Go" CRLF UPGRADE CRLF "raw",
			"HTTP/1.1 101 Go" CRLF UPGRADE CRLF "raw", OPEN, KEEP},
		{GET UPGRADE CRLF, GET UPGRADE CRLF, "HTTP/1.1 101 Go" CRLF UPGRADE CRLF "raw@@",
			"HTTP/1.1 101 Go" CRLF UPGRADE CRLF "raw", FIN, KEEP},
		{GET UPGRADE CRLF, GET UPGRADE CRLF, OK_HI, OK_HI, OPEN, KEEP},
		{"CONNECT a:1 HTTP/1.1" CRLF "host: a:1" CRLF CRLF "@@up",
			"CONNECT a:1 HTTP/1.1" CRLF "host: a:1" CRLF CRLF "up",
			"HTTP/1.1 200 OK" CRLF "Content-Length: 5" CRLF CRLF "down",
			"HTTP/1.1 200 OK" CRLF CRLF "down", OPEN, KEEP},
		{"CONNECT a:1 HTTP/1.1" CRLF "host: a:1" CRLF CRLF,
			"CONNECT a:1 HTTP/1.1" CRLF "host: a:1" CRLF CRLF,
			"HTTP/1.1 407 No" CRLF "Content-Length: 2" CRLF CRLF "no",
			"HTTP/1.1 407 No" CRLF "content-length: 2" CRLF CRLF "no", OPEN, KEEP},
	};

	(void)state;
	run_rows(rows, ARRAY_LEN(rows));
}

#define ERROR(line) "HTTP/1.1 " line CRLF "content-length: 0" CRLF "connection: close" CRLF CRLF

static void bad_requests_are_refused(void **state)
{
	static const struct row rows[] = {
		{"GET / HTTP/1.1\nHost: a\n\n", "", "", ERROR("400 Bad Request"), FIN, KEEP},
		{GET "X: a" CRLF " b" CRLF CRLF, "", "", ERROR("400 Bad Request"), FIN, KEEP},
		{GET "X : a" CRLF CRLF, "", "", ERROR("400 Bad Request"), FIN, KEEP},
		{POST "content-length: 1" CRLF "content-length: 2" CRLF CRLF "ab", "", "",
			ERROR("400 Bad Request"), FIN, KEEP},
		{"GET / HTTP/3.0" CRLF CRLF, "", "", ERROR("505 HTTP Version Not Supported"), FIN,
			KEEP},
		{POST "Transfer-Encoding: gzip, chunked" CRLF CRLF, "", "",
			ERROR("422 Unprocessable Content"), FIN, KEEP},
		{POST CHUNKED CRLF "@@zz" CRLF, POST CHUNKED CRLF, "", ERROR("400 Bad Request"),
			FIN, KEEP},
		{POST CHUNKED CRLF "@@0" CRLF "a b: c" CRLF CRLF, POST CHUNKED CRLF, "",
			ERROR("400 Bad Request"), FIN, KEEP},
		{GET CRLF "G@T / HTTP/1.1" CRLF CRLF, GET CRLF, OK_HI,
			OK_HI ERROR("400 Bad Request"), FIN, KEEP},
	};

	(void)state;
	run_rows(rows, ARRAY_LEN(rows));
}

static void bad_responses_are_502(void **state)
{
	static const char *const replies[] = {"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
		"HTTP/1.1 200 OK" CRLF "X : a" CRLF CRLF, "ICY 200 OK" CRLF CRLF,
		"HTTP/1.1 200 OK" CRLF "Content-Length: 2" CRLF "Content-Length: 3" CRLF CRLF "hi",
		"HTTP/1.1 200 OK" CRLF "Conte@@", "@@", "HTTP/1.1 101 Go" CRLF UPGRADE CRLF};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct row row = {GET CRLF, GET CRLF, replies[i],
			"HTTP/1.1 502 Bad Gateway" CRLF "content-length: 0" CRLF CRLF, OPEN, KEEP};

		run_rows(&row, 1);
	}
}

/* What is cut in the middle ends; it is never filled up with something else. */
static void cut_responses_are_cut(void **state)
{
	static const struct row rows[] = {
		{GET CRLF, GET CRLF, "HTTP/1.1 200 OK" CRLF "Content-Length: 5" CRLF CRLF "hi@@",
			"HTTP/1.1 200 OK" CRLF "content-length: 5" CRLF CRLF "hi", FIN, KEEP},
		{GET CRLF, GET CRLF, "HTTP/1.1 200 OK" CRLF CHUNKED CRLF "@@",
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF, FIN, KEEP},
		{GET CRLF, GET CRLF, "HTTP/1.1 200 OK" CRLF CHUNKED CRLF "zz" CRLF,
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF, FIN, KEEP},
		{GET10 CRLF, GET10 "connection: keep-alive" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF "@@",
			"HTTP/1.1 200 OK" CRLF "connection: close" CRLF CRLF, RST, KEEP},
	};

	(void)state;
	run_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_fields),
		cmocka_unit_test(bodies_with_a_length),
		cmocka_unit_test(bodies_in_chunks),
		cmocka_unit_test(interim_responses_and_tunnels),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(bad_responses_are_502),
		cmocka_unit_test(cut_responses_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
