/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads by table. Each row is fed whole, byte by byte, and cut in two at every position, and must
 * give the same outcome each time. docs/http1.md names these rows.
 */
#include "check.h"

#include <stdio.h>

#include "h1_parse.h"

#define FIELDS_MAX 12 /* the start line and 11 fields */

static struct http_heads heads;

static int set_up(void **state)
{
	struct http_heads_config config = {.heads_max = 1, .fields_max = FIELDS_MAX};

	(void)state;
	return http_heads_init(&heads, &config, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	return (int)http_heads_fini(&heads);
}

/* --- what came out, as a line of text ------------------------------------------------ */

struct text {
	char buf[1024];
	size_t len;
};

static void add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, args);
	va_end(args);
	assert_in_range(n, 0, sizeof(t->buf) - t->len - 1);
	t->len += (size_t)n;
}

/* "METHOD|form|path?query|minor|body|flags|name=value;..." or "status|reason|minor|body|..." */
static void describe(struct text *t, const struct http_head *h)
{
	static const char *const forms[] = {"none", "origin", "absolute", "authority", "asterisk"};
	static const char *const bodies[] = {"none", "length", "chunked", "close", "tunnel"};

	t->len = 0;
	if (h->status > 0)
		add(t, "%u|" BYTES_FMT, h->status, BYTES_ARG(h->reason));
	else
		add(t, BYTES_FMT "|%s", BYTES_ARG(h->method_text), forms[h->target_form]);
	add(t, "|1.%u|%s", h->version_minor, bodies[h->body]);
	if (h->body == HTTP_BODY_LENGTH)
		add(t, " %llu", (unsigned long long)h->content_length);
	add(t, "|%s%s%s|", h->flags & HTTP_HEAD_CLOSE ? "C" : "",
		h->flags & HTTP_HEAD_UPGRADE ? "U" : "",
		h->flags & HTTP_HEAD_EXPECT_100 ? "E" : "");
	for (struct http_field *f = http_head_next(h, NULL); f; f = http_head_next(h, f))
		add(t, BYTES_FMT "=" BYTES_FMT ";", BYTES_ARG(http_field_name(f)),
			BYTES_ARG(http_field_value(f)));
}

struct row {
	const char *text;
	size_t len;
	const char *want; /* NULL: refused */
	enum h1_fault fault;
};

#define GOOD(text, want)                                    \
	{                                                   \
		text, sizeof(text) - 1, want, H1_FAULT_NONE \
	}
#define BAD(text, fault)                                       \
	{                                                      \
		text, sizeof(text) - 1, NULL, H1_FAULT_##fault \
	}
#define CRLF "\r\n"

/* Feeds prefixes of the lengths cut, cut + step, ... and then all of it. */
static void feed(const struct row *row, const struct h1_parser *like, size_t cut, size_t step)
{
	struct http_head *head = http_head_get(&heads);
	struct h1_parser p = *like;
	enum h1_verdict v = H1_MORE;
	struct text got;

	for (size_t n = cut; v == H1_MORE && n < row->len; n += step)
		v = h1_parse_head(&p, head, bytes_of(row->text, n));
	if (v == H1_MORE)
		v = h1_parse_head(&p, head, bytes_of(row->text, row->len));
	if (v != (row->want ? H1_DONE : H1_BAD) || p.fault != row->fault)
		fail_msg("verdict %d fault %s, cut %zu step %zu: %s", v, h1_fault_text(p.fault),
			cut, step, row->text);
	if (row->want != NULL) {
		describe(&got, head);
		if (strcmp(got.buf, row->want) != 0)
			fail_msg("cut %zu step %zu: got  %s\nwant %s", cut, step, got.buf,
				row->want);
		assert_int_equal(p.line, strstr(row->text, "@@")
						 ? (size_t)(strstr(row->text, "@@") - row->text)
						 : row->len);
	}
	http_head_free(head);
}

static void feed_all_ways(const struct row *rows, size_t count, const struct h1_parser *like)
{
	for (size_t i = 0; i < count; i++) {
		feed(&rows[i], like, rows[i].len, 1);
		feed(&rows[i], like, 0, 1);
		for (size_t cut = 1; cut < rows[i].len; cut++)
			feed(&rows[i], like, cut, rows[i].len);
	}
}

static const struct h1_parser request = {.kind = H1_KIND_REQUEST};

/* --- requests ------------------------------------------------------------------------ */

static void start_lines(void **state)
{
	static const struct row rows[] = {
		GOOD("GET / HTTP/1.1" CRLF CRLF, "GET|origin|1.1|none||"),
		GOOD("GET /a?b HTTP/1.0" CRLF CRLF "@@", "GET|origin|1.0|none|C|"),
		GOOD("GET / HTTP/1.9" CRLF CRLF, "GET|origin|1.1|none||"),
		GOOD("get /a\"<>\\^`{|}%zz HTTP/1.1" CRLF CRLF, "get|origin|1.1|none||"),
		GOOD("M-SEARCH! / HTTP/1.1" CRLF CRLF, "M-SEARCH!|origin|1.1|none||"),
		GOOD("OPTIONS * HTTP/1.1" CRLF CRLF, "OPTIONS|asterisk|1.1|none||"),
		GOOD("CONNECT a:443 HTTP/1.1" CRLF CRLF, "CONNECT|authority|1.1|none||"),
		GOOD("GET http://a/x?y HTTP/1.1" CRLF CRLF, "GET|absolute|1.1|none||"),
		GOOD("GET ftp://a HTTP/1.1" CRLF CRLF, "GET|absolute|1.1|none||"),
		GOOD(CRLF "GET / HTTP/1.1" CRLF CRLF, "GET|origin|1.1|none||"),
		GOOD(CRLF CRLF CRLF "GET / HTTP/1.1" CRLF CRLF, "GET|origin|1.1|none||"),
		BAD("\nGET / HTTP/1.1" CRLF CRLF, LINE_END),
		BAD("\rGET / HTTP/1.1" CRLF CRLF, LINE_END),
		BAD("GET / HTTP/1.1\n\n", LINE_END),
		BAD("GET / HTTP/1.1\r\r\n" CRLF, LINE_END),
		BAD("GET / HTTP/1.1 " CRLF CRLF, VERSION_FORM),
		BAD("GET / HTTP/1.10" CRLF CRLF, VERSION_FORM),
		BAD("GET / HTTP/11" CRLF CRLF, VERSION_FORM),
		BAD("GET / HTTP/1." CRLF CRLF, VERSION_FORM),
		BAD("GET / http/1.1" CRLF CRLF, VERSION_FORM),
		BAD("GET / HT\rTP/1.1" CRLF CRLF, VERSION_FORM),
		BAD("GET /  HTTP/1.1" CRLF CRLF, VERSION_FORM),
		BAD("GET / HTTP/0.9" CRLF CRLF, VERSION),
		BAD("GET / HTTP/2.0" CRLF CRLF, VERSION),
		BAD("GET /" CRLF CRLF, START_LINE),
		BAD("GET /\n", START_LINE),
		BAD("GET " CRLF CRLF, START_LINE),
		BAD("GET / " CRLF CRLF, VERSION_FORM),
		BAD("GET  / HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET\t/\tHTTP/1.1" CRLF CRLF, METHOD),
		BAD(" GET / HTTP/1.1" CRLF CRLF, METHOD),
		BAD("G@T / HTTP/1.1" CRLF CRLF, METHOD),
		BAD("GET" CRLF CRLF, METHOD),
		BAD("\x16\x03\x01\x02", METHOD),
		BAD("\0", METHOD),
		BAD("GET foo HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET * HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET a:443 HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET http:/a HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET /a#b HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET /\xc3\xa9 HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET /\x01 HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET /\0 HTTP/1.1" CRLF CRLF, TARGET),
		BAD("GET /\x7f HTTP/1.1" CRLF CRLF, TARGET),
		BAD("CONNECT / HTTP/1.1" CRLF CRLF, TARGET),
		BAD("CONNECT a HTTP/1.1" CRLF CRLF, TARGET),
		BAD("PRI * HTTP/2.0" CRLF CRLF "SM" CRLF CRLF, TARGET),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &request);
}

#define GET  "GET / HTTP/1.1" CRLF
#define WANT "GET|origin|1.1|none||"

static void field_lines(void **state)
{
	static const struct row rows[] = {
		GOOD(GET "HoSt: a" CRLF "X:y" CRLF CRLF "@@body", WANT "HoSt=a;X=y;"),
		GOOD(GET "X: \t a b\t c \t" CRLF CRLF, WANT "X=a b\t c;"),
		GOOD(GET "X:" CRLF "Y: " CRLF CRLF, WANT "X=;Y=;"),
		GOOD(GET "X: \xe9\xff" CRLF CRLF, WANT "X=\xe9\xff;"),
		GOOD(GET "x!#$%&'*+-.^_`|~9: a" CRLF CRLF, WANT "x!#$%&'*+-.^_`|~9=a;"),
		GOOD(GET "X: a:b" CRLF CRLF, WANT "X=a:b;"),
		BAD(GET "X : a" CRLF CRLF, FIELD_NAME),
		BAD(GET "X\t: a" CRLF CRLF, FIELD_NAME),
		BAD(GET ": a" CRLF CRLF, FIELD_NAME),
		BAD(GET "X" CRLF CRLF, FIELD_NAME),
		BAD(GET "X\xe9: a" CRLF CRLF, FIELD_NAME),
		BAD(GET "X/Y: a" CRLF CRLF, FIELD_NAME),
		BAD(GET "X\0: a" CRLF CRLF, FIELD_NAME),
		BAD(GET "\0: a" CRLF CRLF, FIELD_NAME),
		BAD(GET " X: a" CRLF CRLF, FIELD_FOLD),
		BAD(GET "X: a" CRLF " b" CRLF CRLF, FIELD_FOLD),
		BAD(GET "X: a" CRLF "\tb" CRLF CRLF, FIELD_FOLD),
		BAD(GET "X: a" CRLF " " CRLF CRLF, FIELD_FOLD),
		BAD(GET "X: a\n" CRLF, LINE_END),
		BAD(GET "X: a" CRLF "\n", LINE_END),
		BAD(GET "X: a\rb" CRLF CRLF, LINE_END),
		BAD(GET "X: a\r\r\n" CRLF, LINE_END),
		BAD(GET "X: a" CRLF "\rX", LINE_END),
		BAD(GET "X: a\0b" CRLF CRLF, CONTROL),
		BAD(GET "X: a\x01" CRLF CRLF, CONTROL),
		BAD(GET "X: \x7f" CRLF CRLF, CONTROL),
		BAD(GET "X: a\x0b" CRLF CRLF, CONTROL),
		BAD(GET "X: 0123456789abcdef0123456789abcdef\x02" CRLF CRLF, CONTROL),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &request);
}

#define POST "POST / HTTP/1.1" CRLF

static void request_bodies(void **state)
{
	static const struct row rows[] = {
		GOOD(POST CRLF, "POST|origin|1.1|none||"),
		GOOD(POST "content-length: 0" CRLF CRLF,
			"POST|origin|1.1|length 0||content-length=0;"),
		GOOD(POST "Content-Length: 0012" CRLF CRLF,
			"POST|origin|1.1|length 12||Content-Length=0012;"),
		GOOD(GET "Content-Length: 9223372036854775799" CRLF CRLF,
			"GET|origin|1.1|length 9223372036854775799||"
			"Content-Length=9223372036854775799;"),
		GOOD(POST "Content-Length: 2" CRLF "Content-Length: 2" CRLF CRLF,
			"POST|origin|1.1|length 2||Content-Length=2;"),
		GOOD(POST "Content-Length: 2 , 2,2" CRLF CRLF,
			"POST|origin|1.1|length 2||Content-Length=2;"),
		BAD(POST "Content-Length: 2" CRLF "Content-Length: 3" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 2, 3" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 2," CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: ,2" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length:" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: +2" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: -2" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 2 2" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 0x2" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 2a" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 9223372036854775800" CRLF CRLF, LENGTH),
		BAD(POST "Content-Length: 99999999999999999999" CRLF CRLF, LENGTH),
		GOOD(POST "Transfer-Encoding: Chunked" CRLF CRLF,
			"POST|origin|1.1|chunked||Transfer-Encoding=Chunked;"),
		GOOD(GET "Transfer-Encoding: ,chunked, " CRLF CRLF,
			"GET|origin|1.1|chunked||Transfer-Encoding=,chunked,;"),
		BAD(POST "Content-Length: 5" CRLF "Transfer-Encoding: chunked" CRLF CRLF, LENGTH),
		BAD(POST "Transfer-Encoding: chunked" CRLF "Content-Length: 5" CRLF CRLF, LENGTH),
		BAD(POST "Transfer-Encoding: gzip, chunked" CRLF CRLF, CODING_UNKNOWN),
		BAD(POST "Transfer-Encoding: gzip" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
			CODING_UNKNOWN),
		BAD(POST "Transfer-Encoding: chunked, gzip" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding: chunked, chunked" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding: chunked" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
			CODING),
		BAD(POST "Transfer-Encoding: gzip" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding: identity" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding: xchunked" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding: \"chunked\"" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding: chunked;q=1" CRLF CRLF, CODING),
		BAD(POST "Transfer-Encoding:" CRLF CRLF, CODING),
		BAD("POST / HTTP/1.0" CRLF "Transfer-Encoding: chunked" CRLF CRLF, CODING_VERSION),
		BAD("CONNECT a:1 HTTP/1.1" CRLF "Content-Length: 1" CRLF CRLF, LENGTH),
		BAD("CONNECT a:1 HTTP/1.1" CRLF "Transfer-Encoding: chunked" CRLF CRLF, LENGTH),
		GOOD("CONNECT a:1 HTTP/1.1" CRLF "Content-Length: 0" CRLF CRLF,
			"CONNECT|authority|1.1|none||Content-Length=0;"),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &request);
}

static void request_connections(void **state)
{
	static const struct row rows[] = {
		GOOD(GET "Connection: close" CRLF CRLF, "GET|origin|1.1|none|C|Connection=close;"),
		GOOD(GET "Connection: keep-alive" CRLF CRLF, WANT "Connection=keep-alive;"),
		GOOD(GET "Connection: keep-alive, Close" CRLF CRLF,
			"GET|origin|1.1|none|C|Connection=keep-alive, Close;"),
		GOOD(GET "Connection: foo" CRLF "Connection: close" CRLF CRLF,
			"GET|origin|1.1|none|C|Connection=foo;Connection=close;"),
		GOOD("GET / HTTP/1.0" CRLF "Connection: Keep-Alive" CRLF CRLF,
			"GET|origin|1.0|none||Connection=Keep-Alive;"),
		GOOD(GET "Connection: Upgrade" CRLF "Upgrade: x" CRLF CRLF,
			"GET|origin|1.1|none|U|Connection=Upgrade;Upgrade=x;"),
		GOOD(GET "Upgrade: x" CRLF CRLF, WANT "Upgrade=x;"),
		GOOD(GET "Connection: upgrade" CRLF CRLF, WANT "Connection=upgrade;"),
		GOOD(GET "Expect: 100-Continue" CRLF CRLF,
			"GET|origin|1.1|none|E|Expect=100-Continue;"),
		GOOD(GET "Expect: foo" CRLF CRLF, WANT "Expect=foo;"),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &request);
}

static void hosts(void **state)
{
	static const struct row rows[] = {
		GOOD(GET "Host: a" CRLF "host: A" CRLF CRLF, WANT "Host=a;"),
		GOOD(GET "Host:" CRLF CRLF, WANT "Host=;"),
		BAD(GET "Host: a" CRLF "Host: b" CRLF CRLF, HOST),
		GOOD("GET http://A/ HTTP/1.1" CRLF "Host: a" CRLF CRLF,
			"GET|absolute|1.1|none||Host=a;"),
		GOOD("GET http://u:p@a:80/ HTTP/1.1" CRLF "Host: a" CRLF CRLF,
			"GET|absolute|1.1|none||Host=a;"),
		GOOD("GET https://a/ HTTP/1.1" CRLF "Host: a:443" CRLF CRLF,
			"GET|absolute|1.1|none||Host=a:443;"),
		GOOD("CONNECT a:443 HTTP/1.1" CRLF "Host: a" CRLF CRLF,
			"CONNECT|authority|1.1|none||Host=a;"),
		BAD("GET http://b/ HTTP/1.1" CRLF "Host: a" CRLF CRLF, HOST),
		BAD("GET http://a:443/ HTTP/1.1" CRLF "Host: a" CRLF CRLF, HOST),
		BAD("GET https://a:80/ HTTP/1.1" CRLF "Host: a" CRLF CRLF, HOST),
		BAD("GET http://a/ HTTP/1.1" CRLF "Host:" CRLF CRLF, HOST),
		BAD("CONNECT a:444 HTTP/1.1" CRLF "Host: a" CRLF CRLF, HOST),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &request);
}

static void fields_are_counted(void **state)
{
#define F "X: y" CRLF
	static const struct row rows[] = {
		GOOD(GET F F F F F F F F F F F CRLF,
			WANT "X=y;X=y;X=y;X=y;X=y;X=y;X=y;X=y;X=y;X=y;X=y;"),
		BAD(GET F F F F F F F F F F F F CRLF, FIELD_COUNT),
	};
#undef F

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &request);
}

/* --- responses ----------------------------------------------------------------------- */

#define OK "HTTP/1.1 200 OK" CRLF

static void status_lines(void **state)
{
	static const struct row rows[] = {
		GOOD(OK CRLF "@@x", "200|OK|1.1|close|C|"),
		GOOD("HTTP/1.1 200" CRLF CRLF, "200||1.1|close|C|"),
		GOOD("HTTP/1.1 200 " CRLF CRLF, "200||1.1|close|C|"),
		GOOD("HTTP/1.0 999  a\t\xe9" CRLF CRLF, "999| a\t\xe9|1.0|close|C|"),
		GOOD(CRLF OK CRLF, "200|OK|1.1|close|C|"),
		BAD("HTTP/1.1 20" CRLF CRLF, STATUS),
		BAD("HTTP/1.1 099 x" CRLF CRLF, STATUS),
		BAD("HTTP/1.1 2000 x" CRLF CRLF, STATUS),
		BAD("HTTP/1.1 2x0 x" CRLF CRLF, STATUS),
		BAD("HTTP/1.1  200 x" CRLF CRLF, STATUS),
		BAD("HTTP/1.1\t200 x" CRLF CRLF, VERSION_FORM),
		BAD("HTTP/2.0 200 x" CRLF CRLF, VERSION),
		BAD("http/1.1 200 x" CRLF CRLF, VERSION_FORM),
		BAD("ICY 200 x" CRLF CRLF, VERSION_FORM),
		BAD("HTTP/1.1 200 O\x01" CRLF CRLF, CONTROL),
		BAD("HTTP/1.1 200 OK\n", LINE_END),
		BAD(OK "X: a" CRLF " b" CRLF CRLF, FIELD_FOLD),
		BAD(OK "X : a" CRLF CRLF, FIELD_NAME),
		BAD("HTTP/1.1 101 x" CRLF CRLF, UPGRADE),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &(struct h1_parser){.kind = H1_KIND_RESPONSE});
}

/* RFC 9112 6.3 */
static void response_bodies(void **state)
{
	static const struct {
		enum http_method method;
		struct row row;
	} rows[] = {
		{HTTP_METHOD_GET, GOOD(OK "Content-Length: 2" CRLF CRLF,
					  "200|OK|1.1|length 2||Content-Length=2;")},
		{HTTP_METHOD_HEAD, GOOD(OK "Content-Length: 2" CRLF CRLF,
					   "200|OK|1.1|none||Content-Length=2;")},
		{HTTP_METHOD_HEAD, GOOD(OK "Transfer-Encoding: chunked" CRLF CRLF,
					   "200|OK|1.1|none||Transfer-Encoding=chunked;")},
		{HTTP_METHOD_GET, GOOD(OK "Transfer-Encoding: chunked" CRLF CRLF,
					  "200|OK|1.1|chunked||Transfer-Encoding=chunked;")},
		{HTTP_METHOD_GET,
			GOOD(OK "Content-Length: 2" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
				"200|OK|1.1|chunked|C|Transfer-Encoding=chunked;")},
		{HTTP_METHOD_GET, GOOD("HTTP/1.1 204 x" CRLF "Content-Length: 2" CRLF CRLF,
					  "204|x|1.1|none||Content-Length=2;")},
		{HTTP_METHOD_GET, GOOD("HTTP/1.1 304 x" CRLF "Content-Length: 2" CRLF CRLF,
					  "304|x|1.1|none||Content-Length=2;")},
		{HTTP_METHOD_GET, GOOD("HTTP/1.1 100 x" CRLF CRLF, "100|x|1.1|none||")},
		{HTTP_METHOD_GET, GOOD("HTTP/1.0 200 x" CRLF "Content-Length: 2" CRLF CRLF,
					  "200|x|1.0|length 2|C|Content-Length=2;")},
		{HTTP_METHOD_GET,
			GOOD("HTTP/1.0 200 x" CRLF "Connection: keep-alive" CRLF
			     "Content-Length: 2" CRLF CRLF,
				"200|x|1.0|length 2||Connection=keep-alive;Content-Length=2;")},
		{HTTP_METHOD_CONNECT, GOOD(OK "Content-Length: 2" CRLF CRLF,
					      "200|OK|1.1|tunnel||Content-Length=2;")},
		{HTTP_METHOD_CONNECT, GOOD("HTTP/1.1 403 x" CRLF "Content-Length: 2" CRLF CRLF,
					      "403|x|1.1|length 2||Content-Length=2;")},
		{HTTP_METHOD_GET, BAD(OK "Transfer-Encoding: gzip" CRLF CRLF, CODING)},
		{HTTP_METHOD_GET,
			BAD(OK "Content-Length: 2" CRLF "Content-Length: 3" CRLF CRLF, LENGTH)},
		{HTTP_METHOD_GET, BAD("HTTP/1.0 200 x" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
					  CODING_VERSION)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct h1_parser like = {.kind = H1_KIND_RESPONSE, .method = rows[i].method};

		feed_all_ways(&rows[i].row, 1, &like);
	}
}

static void answers_to_an_upgrade(void **state)
{
	static const struct row rows[] = {
		GOOD("HTTP/1.1 101 x" CRLF "Connection: upgrade" CRLF "Upgrade: y" CRLF CRLF "@@z",
			"101|x|1.1|tunnel|U|Connection=upgrade;Upgrade=y;"),
		GOOD(OK "Content-Length: 0" CRLF CRLF, "200|OK|1.1|length 0||Content-Length=0;"),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows),
		&(struct h1_parser){.kind = H1_KIND_RESPONSE, .upgrade_asked = true});
}

/* HTTP/1.1 in a response says nothing about an HTTP/1.0 request. */
static void answers_to_an_old_request(void **state)
{
	static const struct row rows[] = {
		GOOD(OK "Content-Length: 0" CRLF CRLF, "200|OK|1.1|length 0|C|Content-Length=0;"),
		GOOD(OK "Connection: keep-alive" CRLF "Content-Length: 0" CRLF CRLF,
			"200|OK|1.1|length 0||Connection=keep-alive;Content-Length=0;"),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows),
		&(struct h1_parser){.kind = H1_KIND_RESPONSE, .keep_alive_stated = true});
}

static void trailers(void **state)
{
	static const struct row rows[] = {
		GOOD(CRLF "@@GET", "|none|1.1|none||"),
		GOOD("A: b" CRLF "Content-Length: 3" CRLF "Host: x" CRLF CRLF,
			"|none|1.1|none||A=b;"),
		BAD("A b: c" CRLF CRLF, FIELD_NAME),
		BAD("A: b" CRLF " c" CRLF CRLF, FIELD_FOLD),
		BAD("\n", LINE_END),
	};

	(void)state;
	feed_all_ways(rows, ARRAY_LEN(rows), &(struct h1_parser){.kind = H1_KIND_TRAILERS});
}

/* --- work, files --------------------------------------------------------------------- */

/* Every tail of a long line is looked at once: time would show it, so count what is asked. */
static void drops_are_not_parsed_again(void **state)
{
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), GET "X: ");
	struct http_head *head = http_head_get(&heads);
	struct h1_parser p = request;

	(void)state;
	memset(text + n, 'a', sizeof(text) - n);
	for (size_t len = 1; len <= sizeof(text); len++) {
		assert_int_equal(h1_parse_head(&p, head, bytes_of(text, len)), H1_MORE);
		assert_true(p.seen + 1 >= len);
	}
	assert_int_equal(p.line, sizeof(GET) - 1);
	http_head_free(head);
}

static void texts_become_responses(void **state)
{
	static const struct {
		const char *text;
		const char *want;
		size_t head_bytes;
		enum h1_fault fault;
	} rows[] = {
		{"HTTP/1.0 503 Gone\r\nA: b\r\n\r\nbody", "503|Gone|1.1|length 4|C|A=b;", 27, 0},
		{"HTTP/1.0 503 Gone\nA: b\n\n", "503|Gone|1.1|length 0|C|A=b;", 24, 0},
		{"HTTP/1.0 503 Gone\nA: b\n", NULL, 0, H1_FAULT_LINE_END},
		{"<html>", NULL, 0, H1_FAULT_VERSION_FORM},
		{"", NULL, 0, H1_FAULT_LINE_END},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum h1_fault fault;
		size_t head_bytes;
		struct text got;
		struct http_head *head = h1_response_from_text(
			&heads, bytes_of_cstr(rows[i].text), &head_bytes, &fault);

		assert_int_equal(fault, rows[i].fault);
		assert_int_equal(head != NULL, rows[i].want != NULL);
		if (head == NULL)
			continue;
		describe(&got, head);
		assert_string_equal(got.buf, rows[i].want);
		assert_int_equal(head_bytes, rows[i].head_bytes);
		assert_null(h1_response_from_text(
			&heads, bytes_of_cstr(rows[i].text), &head_bytes, &fault));
		assert_int_equal(fault, H1_FAULT_NONE);
		http_head_free(head);
	}
}

static void faults_have_a_status_and_a_text(void **state)
{
	(void)state;
	for (unsigned f = H1_FAULT_NONE + 1; f < H1_FAULT_COUNT; f++) {
		assert_in_range(h1_fault_status(f), 400, 505);
		assert_non_null(h1_fault_text(f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_lines),
		cmocka_unit_test(field_lines),
		cmocka_unit_test(request_bodies),
		cmocka_unit_test(request_connections),
		cmocka_unit_test(hosts),
		cmocka_unit_test(fields_are_counted),
		cmocka_unit_test(status_lines),
		cmocka_unit_test(response_bodies),
		cmocka_unit_test(answers_to_an_upgrade),
		cmocka_unit_test(answers_to_an_old_request),
		cmocka_unit_test(trailers),
		cmocka_unit_test(drops_are_not_parsed_again),
		cmocka_unit_test(texts_become_responses),
		cmocka_unit_test(faults_have_a_status_and_a_text),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
