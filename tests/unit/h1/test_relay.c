/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both roles at once: a client and an origin that speak raw bytes, and between them the smallest
 * proxy that the message interface allows. A row says what each side sends and must get; it runs
 * with several sizes of packets and of buffers, and everything must be given back after each run.
 * Rows marked HAProxy were asked from HAProxy 2.6.
 */
#include "check.h"

#include <stdio.h>

#include "fake_relay.h"

struct scene {
	struct fake_relay relay;
	struct fake_rig rig;
	struct fake_peer client, origin;
	uint32_t buffer_bytes;
};

/* --- rows ---------------------------------------------------------------------------- */

#define KEEP         FAKE_RELAY_KEEP
#define SERVER_CLOSE FAKE_RELAY_SERVER_CLOSE
#define CLOSE        FAKE_RELAY_CLOSE

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
	enum fake_relay_mode mode;
};

static void connect_origin(struct fake_relay *r)
{
	struct scene *s = CONTAINER_OF(r, struct scene, relay);

	fake_peer_close(&s->origin);
	fake_peer_join(&s->origin, &s->rig, r->back, s->buffer_bytes);
}

static void scene_start(struct scene *s, const struct row *row, uint32_t buffer_bytes)
{
	memset(s, 0, sizeof(*s));
	fake_rig_init(&s->rig);
	s->buffer_bytes = buffer_bytes;
	fake_relay_init(&s->relay, &s->rig, connect_origin, row->mode);
	fake_peer_join(&s->client, &s->rig, s->relay.front, buffer_bytes);
	fake_rig_run(&s->rig);
}

static void scene_stop(struct scene *s)
{
	fake_peer_close(&s->client);
	fake_peer_close(&s->origin);
	fake_rig_run(&s->rig);
	fake_relay_fini(&s->relay);
	fake_rig_fini(&s->rig);
}

/* Sends with the piece size, in as many turns as the buffers need. */
static void send_all(struct scene *s, struct fake_peer *peer, struct bytes text, size_t piece)
{
	while (text.len > 0 && stream_is_open(&peer->stream) && !peer->failed) {
		size_t n = fake_peer_send(
			peer, piece ? bytes_of(text.ptr, MIN(piece, text.len)) : text, piece);

		fake_rig_run(&s->rig);
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

static void reply(struct scene *s, const struct row *row, size_t piece)
{
	const char *text = row->reply;
	struct bytes part = part_of(&text);
	bool close = text > row->reply + part.len;

	if (s->origin.rig == NULL)
		return;
	send_all(s, &s->origin, part, piece);
	if (close)
		fake_peer_close(&s->origin);
	fake_rig_run(&s->rig);
}

static void run_row(struct scene *s, const struct row *row, size_t piece, uint32_t buffer_bytes)
{
	const char *send = row->send;
	bool replied = false;
	enum end end;

	scene_start(s, row, buffer_bytes);
	while (*send != '\0') {
		send_all(s, &s->client, part_of(&send), piece);
		if (!replied)
			reply(s, row, piece);
		replied = true;
	}
	fake_rig_run(&s->rig);
	end = s->client.failed ? RST : s->client.ended ? FIN : OPEN;
	if (strcmp(s->origin.got, row->expect) || strcmp(s->client.got, row->get) ||
		end != row->end)
		fail_msg("piece %zu buffer %u: %s\n-- origin got --\n%s\n-- wanted --\n%s\n"
			 "-- client got (%d) --\n%s\n-- wanted (%d) --\n%s",
			piece, buffer_bytes, row->send, s->origin.got, row->expect, end,
			s->client.got, row->end, row->get);
	scene_stop(s);
}

static void run_rows(const struct row *rows, size_t count)
{
	static const size_t pieces[] = {0, 1, 2, 7, 50};
	static const uint32_t buffers[] = {65536, 1000, 64};
	static struct scene s;

	for (size_t i = 0; i < count; i++)
		for (size_t p = 0; p < ARRAY_LEN(pieces); p++)
			for (size_t b = 0; b < ARRAY_LEN(buffers); b++)
				run_row(&s, &rows[i], pieces[p], buffers[b]);
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
		{GET CRLF, GET CRLF,
			"HTTP/1.1 200 OK" CRLF "Transfer-Encoding: chunked" CRLF
			"Content-Length: 7" CRLF CRLF "0" CRLF CRLF,
			"HTTP/1.1 200 OK" CRLF CHUNKED CRLF "0" CRLF CRLF, OPEN, KEEP},
		{POST CHUNKED CRLF "0" CRLF CRLF, POST CHUNKED CRLF "0" CRLF CRLF, OK_HI, OK_HI,
			OPEN, KEEP},
	};
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		run_row(&s, &rows[i], 0, 65536);
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
