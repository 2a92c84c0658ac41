/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that face a client: what their owner hears, limits, timeouts, exhaustion, ends. */
#include "check.h"

#include <errno.h>
#include <stdio.h>

#include "fake_peer.h"

#define CRLF  "\r\n"
#define GET   "GET /%d HTTP/1.1" CRLF "host: a" CRLF CRLF
#define HELLO "HTTP/1.1 200 OK" CRLF "content-length: 5" CRLF CRLF "hello"

/* The owner: answers at once, or leaves it to the test. */
struct app {
	struct fake_rig rig;
	struct fake_peer peer;
	struct http_conn *conn;
	struct http_xchg *x; /* the last one that is still open */
	bool manual;         /* the test answers */
	bool close_conn;     /* on_request closes the connection */
	bool abort_xchg;     /* on_request aborts the exchange */
	uint32_t requests, idles, partials, closes, events;
	enum http_error error; /* of the last request */
	uint16_t status;
	struct pkt_chain body;
};

static int send_response(struct app *app, uint16_t status, enum http_body body, uint64_t length)
{
	struct http_head *head = http_head_get(&app->rig.heads);
	int rc;

	assert_non_null(head);
	http_head_set_response(head, status, BYTES_NONE);
	head->body = (uint8_t)body;
	head->content_length = length;
	rc = http_xchg_send_head(app->x, head);
	http_head_free(head);
	return rc;
}

static uint32_t send_body(struct app *app, struct bytes text)
{
	struct pkt_chain c = {0};
	uint32_t n;

	assert_int_equal(pkt_chain_write(&c, text, &app->rig.pkts), text.len);
	n = http_xchg_send(app->x, &c, UINT32_MAX);
	pkt_chain_free(&c);
	return n;
}

static void done(struct app *app)
{
	http_xchg_close(app->x);
	app->x = NULL;
}

static void hello(struct app *app)
{
	assert_int_equal(send_response(app, 200, HTTP_BODY_LENGTH, 5), 0);
	send_body(app, BYTES_LIT("hello"));
	http_xchg_send_end(app->x, NULL);
	done(app);
}

static void on_event(struct http_xchg *x, uint32_t events)
{
	struct app *app = x->owner;

	app->events |= events;
}

static void on_request(struct http_conn *c, struct http_xchg *x)
{
	struct app *app = c->owner;

	app->requests++;
	app->x = x;
	x->owner = app;
	x->on_event = on_event;
	app->error = http_xchg_error(x, &app->status, NULL);
	if (app->close_conn) {
		app->x = NULL;
		app->conn = NULL;
		http_conn_close(c);
	} else if (app->abort_xchg) {
		app->x = NULL;
		http_xchg_abort(x);
	} else if (app->error != HTTP_ERROR_NONE) {
		assert_null(http_xchg_recv_head(x));
		send_response(app, app->status, HTTP_BODY_NONE, 0);
		http_xchg_send_end(x, NULL);
		done(app);
	} else if (!app->manual) {
		http_head_free(http_xchg_recv_head(x));
		hello(app);
	}
}

static void on_idle(struct http_conn *c)
{
	((struct app *)c->owner)->idles++;
	assert_int_equal(http_conn_state(c), HTTP_CONN_IDLE);
}

static void on_partial(struct http_conn *c)
{
	((struct app *)c->owner)->partials++;
	assert_int_equal(http_conn_state(c), HTTP_CONN_PARTIAL);
}

static void on_closed(struct http_conn *c)
{
	struct app *app = c->owner;

	app->closes++;
	app->conn = NULL;
	http_conn_close(c);
}

static const struct http_conn_owner_ops ops = {.on_request = on_request,
	.on_idle = on_idle,
	.on_partial = on_partial,
	.on_closed = on_closed};

static struct app app;

static void start_with(uint32_t buffer_bytes)
{
	memset(&app, 0, sizeof(app));
	fake_rig_init(&app.rig);
	app.conn = h1_server_create(&app.rig.h1, &ops, &app);
	fake_peer_join(&app.peer, &app.rig, app.conn, buffer_bytes);
}

static void start(void)
{
	start_with(65536);
}

static void stop(void)
{
	fake_peer_close(&app.peer);
	fake_rig_run(&app.rig);
	if (app.conn != NULL)
		http_conn_close(app.conn);
	pkt_chain_free(&app.body);
	fake_rig_fini(&app.rig);
}

static void say(const char *text)
{
	fake_peer_send(&app.peer, bytes_of_cstr(text), 0);
	fake_rig_run(&app.rig);
}

/* --- what the owner hears ------------------------------------------------------------ */

static void the_owner_hears_of_every_state(void **state)
{
	(void)state;
	start();
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
	say("G");
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_PARTIAL);
	say("ET / HTTP/1.1" CRLF);
	say("a: b" CRLF);
	assert_int_equal(app.partials, 1);
	assert_int_equal(app.requests, 0);
	say(CRLF);
	assert_int_equal(app.requests, 1);
	assert_int_equal(app.idles, 1);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
	assert_string_equal(app.peer.got, HELLO);
	assert_int_equal(app.rig.h1.xchgs.count_used, 0);
	assert_int_equal(app.rig.heads.heads.count_used, 0);
	assert_int_equal(pkt_pools_used(&app.rig.pkts), 0);
	say("GET / HTTP/1.1" CRLF CRLF "GET / HTT");
	assert_int_equal(app.partials, 2);
	assert_int_equal(app.idles, 1);
	fake_peer_close(&app.peer);
	fake_rig_run(&app.rig);
	assert_int_equal(app.error, HTTP_ERROR_TRUNCATED);
	assert_int_equal(app.closes, 1);
	stop();
}

static void a_pipeline_is_answered_in_order(void **state)
{
	char text[64];
	uint32_t at = 0;

	(void)state;
	start();
	for (int i = 0; i < 200; i++) {
		size_t n = (size_t)snprintf(text, sizeof(text), GET, i);

		assert_int_equal(fake_peer_send(&app.peer, bytes_of(text, n), 13), n);
	}
	fake_rig_run(&app.rig);
	assert_int_equal(app.requests, 200);
	assert_int_equal(app.peer.len, 200 * (sizeof(HELLO) - 1));
	for (; at < app.peer.len; at += sizeof(HELLO) - 1)
		assert_memory_equal(app.peer.got + at, HELLO, sizeof(HELLO) - 1);
	assert_int_equal(app.idles, 1);
	stop();
}

static void the_next_request_waits_for_the_answer(void **state)
{
	(void)state;
	start();
	app.manual = true;
	say("GET /1 HTTP/1.1" CRLF CRLF "GET /2 HTTP/1.1" CRLF CRLF);
	assert_int_equal(app.requests, 1);
	http_head_free(http_xchg_recv_head(app.x));
	assert_true(http_xchg_recv_ended(app.x));
	say("GET /3 HTTP/1.1" CRLF CRLF);
	assert_int_equal(app.requests, 1);
	hello(&app);
	assert_int_equal(app.requests, 1); /* never inside a call */
	fake_rig_run(&app.rig);
	assert_int_equal(app.requests, 2);
	http_head_free(http_xchg_recv_head(app.x));
	hello(&app);
	fake_rig_run(&app.rig);
	assert_int_equal(app.requests, 3);
	http_head_free(http_xchg_recv_head(app.x));
	hello(&app);
	fake_rig_run(&app.rig);
	assert_int_equal(app.idles, 1);
	stop();
}

/* An answer that does not care for the request's body. */
static void a_body_that_has_come_is_skipped(void **state)
{
	static const struct {
		const char *request;
		bool kept;
	} rows[] = {
		{"POST / HTTP/1.1" CRLF "content-length: 3" CRLF CRLF "abc", true},
		{"POST / HTTP/1.1" CRLF "content-length: 3" CRLF CRLF "ab", false},
		{"POST / HTTP/1.1" CRLF "transfer-encoding: chunked" CRLF CRLF "1" CRLF "a" CRLF
		 "0" CRLF "t: u" CRLF CRLF,
			true},
		{"POST / HTTP/1.1" CRLF "transfer-encoding: chunked" CRLF CRLF "0" CRLF, false},
		{"POST / HTTP/1.1" CRLF "transfer-encoding: chunked" CRLF CRLF "z" CRLF, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int take = 0; take < 2; take++) {
			start();
			app.manual = true;
			say(rows[i].request);
			if (take)
				http_head_free(http_xchg_recv_head(app.x));
			hello(&app);
			assert_int_equal(http_conn_state(app.conn),
				rows[i].kept ? HTTP_CONN_IDLE : HTTP_CONN_CLOSING);
			fake_rig_run(&app.rig);
			assert_string_equal(app.peer.got, HELLO);
			assert_int_equal(app.peer.ended, !rows[i].kept);
			stop();
		}
}

static void a_client_may_shut_and_still_read(void **state)
{
	(void)state;
	start();
	app.manual = true;
	fake_peer_send(&app.peer, BYTES_LIT("GET / HTTP/1.1" CRLF CRLF), 0);
	stream_shut(&app.peer.stream);
	fake_rig_run(&app.rig);
	assert_int_equal(app.events, 0); /* the head was not taken yet */
	http_head_free(http_xchg_recv_head(app.x));
	hello(&app);
	fake_rig_run(&app.rig);
	assert_string_equal(app.peer.got, HELLO);
	assert_true(app.peer.ended);
	assert_int_equal(app.closes, 1);
	stop();

	start();
	app.manual = true;
	say("GET / HTTP/1.1" CRLF CRLF);
	http_head_free(http_xchg_recv_head(app.x));
	stream_shut(&app.peer.stream);
	fake_rig_run(&app.rig);
	assert_int_equal(app.events, HTTP_EVENT_SHUT);
	hello(&app);
	fake_rig_run(&app.rig);
	assert_string_equal(app.peer.got, HELLO);
	stop();
}

static void a_reset_is_an_error(void **state)
{
	(void)state;
	start();
	app.manual = true;
	say("GET / HTTP/1.1" CRLF CRLF);
	http_head_free(http_xchg_recv_head(app.x));
	stream_abort(&app.peer.stream);
	fake_rig_run(&app.rig);
	assert_int_equal(app.events, HTTP_EVENT_ERROR);
	assert_int_equal(http_xchg_error(app.x, NULL, NULL), HTTP_ERROR_RESET);
	assert_int_equal(http_conn_failure(app.conn), TCP_FAILURE_RESET);
	assert_int_equal(send_response(&app, 200, HTTP_BODY_NONE, 0), -EPIPE);
	done(&app);
	fake_rig_run(&app.rig);
	assert_int_equal(app.closes, 1);
	stop();
}

/* --- timeouts and soft stop ----------------------------------------------------------- */

static void refusing_gives_an_exchange_to_answer(void **state)
{
	static const char *const starts[] = {"", "GET / HT", CRLF, "GET / HTTP/1.1" CRLF "a:"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		start();
		say(starts[i]);
		app.x = http_conn_refuse(app.conn, 408);
		assert_non_null(app.x);
		assert_null(http_conn_refuse(app.conn, 408));
		assert_int_equal(http_xchg_error(app.x, &app.status, NULL), HTTP_ERROR_REFUSED);
		assert_int_equal(app.status, 408);
		assert_int_equal(send_response(&app, 408, HTTP_BODY_NONE, 0), 0);
		assert_int_equal(http_xchg_send_end(app.x, NULL), 0);
		done(&app);
		fake_rig_run(&app.rig);
		assert_string_equal(app.peer.got,
			"HTTP/1.1 408 Request Timeout" CRLF "content-length: 0" CRLF
			"connection: close" CRLF CRLF);
		assert_true(app.peer.ended);
		assert_false(app.peer.failed);
		assert_int_equal(http_conn_state(app.conn), HTTP_CONN_CLOSING);
		stop();
		assert_int_equal(app.closes, 1);
	}
}

static void draining_ends_with_the_next_response(void **state)
{
	(void)state;
	start();
	http_conn_drain(app.conn);
	fake_rig_run(&app.rig);
	assert_int_equal(app.closes, 1);
	assert_true(app.peer.ended);
	stop();

	start();
	app.manual = true;
	say("GET / HTTP/1.1" CRLF CRLF);
	http_head_free(http_xchg_recv_head(app.x));
	http_conn_drain(app.conn);
	hello(&app);
	fake_rig_run(&app.rig);
	assert_non_null(strstr(app.peer.got, "connection: close" CRLF));
	assert_true(app.peer.ended);
	stop();
}

/* A client that still sends is not reset before it has the answer. */
static void closing_drains_what_the_client_sends(void **state)
{
	(void)state;
	start();
	say("BAD" CRLF "and much more that nobody reads");
	assert_true(app.peer.ended);
	assert_false(app.peer.failed);
	assert_int_equal(app.closes, 0);
	say("still sending");
	assert_false(app.peer.failed);
	assert_true(app.rig.h1.stats[H1_STAT_DRAINED_BYTES] >= 13);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_CLOSING);
	stream_shut(&app.peer.stream);
	fake_rig_run(&app.rig);
	assert_int_equal(app.closes, 1);
	stop();
}

/* --- limits -------------------------------------------------------------------------- */

static void heads_are_limited(void **state)
{
	static const struct {
		const char *start;
		uint16_t status;
	} rows[] = {{"GET /", 414}, {"GET / HTTP/1.1" CRLF "a: ", 431}, {CRLF "GET ", 414}};
	static const size_t pieces[] = {1, 100, 2000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
			static char text[4096];

			memset(text, 'x', sizeof(text));
			memcpy(text, rows[i].start, strlen(rows[i].start));
			start();
			fake_peer_send(&app.peer, bytes_of(text, sizeof(text)), pieces[p]);
			fake_rig_run(&app.rig);
			assert_int_equal(app.requests, 1);
			assert_int_equal(app.error, HTTP_ERROR_MALFORMED);
			assert_int_equal(app.status, rows[i].status);
			assert_true(app.peer.ended);
			stop();
		}
}

/* One buffer for a slow client's head, and no packets. */
static void a_dripping_client_pins_no_packets(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 500; i++) {
		say(i == 0 ? "GET / HTTP/1.1" CRLF : "a");
		assert_true(pkt_pools_used(&app.rig.pkts) <= 1);
	}
	assert_int_equal(app.rig.heads.buffers.count_used, 1);
	assert_int_equal(app.rig.h1.stats[H1_STAT_GATHERED], 1);
	say(": b" CRLF CRLF);
	assert_string_equal(app.peer.got, HELLO);
	assert_int_equal(app.rig.heads.buffers.count_used, 0);
	stop();
}

/* A pipeline of crumbs that has to wait does not pin a packet for each. */
static void crumbs_are_swept_together(void **state)
{
	(void)state;
	start();
	app.manual = true;
	fake_peer_send(&app.peer, BYTES_LIT("GET / HTTP/1.1" CRLF CRLF), 0);
	for (int i = 0; i < 10; i++)
		fake_peer_send(&app.peer, BYTES_LIT("GET / HTTP/1.1" CRLF CRLF), 2);
	fake_rig_run(&app.rig);
	assert_int_equal(app.requests, 1);
	assert_true(pkt_pools_used(&app.rig.pkts) <= 3);
	http_head_free(http_xchg_recv_head(app.x));
	app.manual = false;
	hello(&app);
	fake_rig_run(&app.rig);
	assert_int_equal(app.requests, 11);
	stop();
}

/* Nobody takes the body: no more than the carrier's buffer comes in. */
static void a_body_waits_in_the_carrier(void **state)
{
	static char text[5000];
	size_t sent;

	(void)state;
	start_with(3000);
	app.manual = true;
	say("POST / HTTP/1.1" CRLF "content-length: 5000" CRLF CRLF);
	sent = fake_peer_send(&app.peer, bytes_of(text, sizeof(text)), 0);
	fake_rig_run(&app.rig);
	assert_int_equal(sent, 3000);
	assert_int_equal(fake_peer_send(&app.peer, bytes_of(text, 1), 0), 0);
	http_head_free(http_xchg_recv_head(app.x));
	assert_int_equal(http_xchg_recv(app.x, &app.body, 1000), 1000);
	assert_int_equal(http_xchg_recv(app.x, &app.body, 9000), 2000);
	assert_int_equal(http_xchg_recv(app.x, &app.body, 9000), 0);
	assert_false(http_xchg_recv_ended(app.x));
	assert_int_equal(fake_peer_send(&app.peer, bytes_of(text, 2500), 0), 2500);
	assert_int_equal(http_xchg_recv(app.x, &app.body, 9000), 2000);
	assert_true(http_xchg_recv_ended(app.x));
	done(&app);
	stop();
}

static void a_slow_reader_is_waited_for(void **state)
{
	static const enum http_body bodies[] = {
		HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		static char text[20000];
		struct pkt_chain c = {0};

		start_with(512);
		app.manual = true;
		app.peer.deaf = true;
		say("GET / HTTP/1.1" CRLF CRLF);
		http_head_free(http_xchg_recv_head(app.x));
		assert_int_equal(send_response(&app, 200, bodies[i], sizeof(text)), 0);
		memset(text, 'b', sizeof(text));
		assert_int_equal(pkt_chain_write(&c, bytes_of(text, sizeof(text)), &app.rig.pkts),
			sizeof(text));
		while (c.bytes > 0) {
			uint32_t before = c.bytes;
			uint32_t n = http_xchg_send(app.x, &c, UINT32_MAX);

			assert_int_equal(c.bytes, before - n);
			assert_in_range(n, 0, 512 + 4096);
			if (c.bytes == 0)
				break;
			assert_int_equal(http_xchg_send(app.x, &c, UINT32_MAX), 0);
			app.events = 0;
			while (!(app.events & HTTP_EVENT_ROOM)) {
				fake_peer_read(&app.peer, 100);
				fake_rig_run(&app.rig);
			}
		}
		assert_int_equal(http_xchg_send_end(app.x, NULL), 0);
		done(&app);
		app.peer.deaf = false;
		for (int turn = 0; turn < 100; turn++) {
			fake_peer_read(&app.peer, 100);
			fake_rig_run(&app.rig);
		}
		assert_true(app.peer.len > sizeof(text));
		assert_int_equal(app.idles, bodies[i] != HTTP_BODY_UNTIL_CLOSE);
		assert_int_equal(app.peer.ended, bodies[i] == HTTP_BODY_UNTIL_CLOSE);
		stop();
	}
}

/* --- ends ---------------------------------------------------------------------------- */

/* Sends until there is no room, without being refused anything. */
static void fill_room(struct pkt_chain *c)
{
	uint32_t room;

	while ((room = http_xchg_send_room(app.x)) > 0)
		assert_int_not_equal(http_xchg_send(app.x, c, room), 0);
}

static void read_all(void)
{
	fake_peer_read(&app.peer, UINT32_MAX);
	fake_rig_run(&app.rig);
}

/* Who looks at the room and sends exactly that hears of new room; also if something else filled
 * the room again before the event of the stream came, in the same turn. */
static void room_is_told_without_a_refusal(void **state)
{
	static const enum http_body bodies[] = {
		HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE};
	static const char text[20000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct pkt_chain c = {0};

		start_with(512);
		app.manual = true;
		app.peer.deaf = true;
		say("GET / HTTP/1.1" CRLF CRLF);
		http_head_free(http_xchg_recv_head(app.x));
		assert_int_equal(send_response(&app, 200, bodies[i], sizeof(text)), 0);
		assert_int_equal(pkt_chain_write(&c, bytes_of(text, sizeof(text)), &app.rig.pkts),
			sizeof(text));
		fill_room(&c);
		app.events = 0;
		read_all();
		assert_int_equal(app.events & HTTP_EVENT_ROOM, HTTP_EVENT_ROOM);

		fill_room(&c);
		fake_peer_read(&app.peer, UINT32_MAX); /* the event is on its way */
		fill_room(&c);
		assert_int_equal(http_xchg_send_room(app.x), 0);
		app.events = 0;
		fake_rig_run(&app.rig);
		if (app.events & HTTP_EVENT_ROOM) {
			assert_int_not_equal(http_xchg_send_room(app.x), 0);
			fill_room(&c);
		}
		app.events = 0;
		read_all();
		assert_int_equal(app.events & HTTP_EVENT_ROOM, HTTP_EVENT_ROOM);
		assert_true(http_xchg_send_room(app.x) > 0);
		pkt_chain_free(&c);
		http_xchg_abort(app.x);
		stop();
	}
}

/* The head alone may fill the room. */
static void room_is_told_after_a_long_head(void **state)
{
	struct pkt_chain c = {0};

	(void)state;
	start_with(16);
	app.manual = true;
	app.peer.deaf = true;
	say("GET / HTTP/1.1" CRLF);
	say(CRLF);
	http_head_free(http_xchg_recv_head(app.x));
	assert_int_equal(send_response(&app, 200, HTTP_BODY_LENGTH, 5), 0);
	assert_int_equal(http_xchg_send_room(app.x), 0);
	while (http_xchg_send_room(app.x) == 0) {
		app.events = 0;
		read_all();
	}
	assert_int_equal(app.events & HTTP_EVENT_ROOM, HTTP_EVENT_ROOM);
	assert_int_equal(pkt_chain_write(&c, BYTES_LIT("hello"), &app.rig.pkts), 5);
	fill_room(&c);
	assert_int_equal(c.bytes, 0);
	http_xchg_send_end(app.x, NULL);
	done(&app);
	read_all();
	assert_string_equal(app.peer.got, HELLO);
	stop();
}

static void clients_leave_at_every_byte(void **state)
{
	static const char text[] = "POST / HTTP/1.1" CRLF "transfer-encoding: chunked" CRLF CRLF
				   "3" CRLF "abc" CRLF "0" CRLF "t: u" CRLF CRLF;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		for (int reset = 0; reset < 2; reset++) {
			start();
			app.manual = true;
			fake_peer_send(&app.peer, bytes_of(text, n), 0);
			if (reset)
				fake_rig_run(&app.rig);
			if (reset)
				stream_abort(&app.peer.stream);
			else
				stream_shut(&app.peer.stream);
			fake_rig_run(&app.rig);
			if (app.x != NULL) {
				http_head_free(http_xchg_recv_head(app.x));
				http_xchg_recv(app.x, &app.body, UINT32_MAX);
				assert_false(http_xchg_recv_ended(app.x));
				assert_int_equal(http_xchg_error(app.x, NULL, NULL),
					reset ? HTTP_ERROR_RESET : HTTP_ERROR_TRUNCATED);
				done(&app);
			} else if (n > 0 && !reset) {
				assert_int_equal(app.error, HTTP_ERROR_TRUNCATED);
			}
			fake_rig_run(&app.rig);
			assert_int_equal(app.closes, 1);
			stop();
		}
}

static void half_a_response_is_cut(void **state)
{
	static const struct {
		enum http_body body;
		bool reset; /* the end of the connection must not look like the end of the body */
	} rows[] = {{HTTP_BODY_LENGTH, false}, {HTTP_BODY_CHUNKED, false},
		{HTTP_BODY_UNTIL_CLOSE, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start();
		app.manual = true;
		say("GET / HTTP/1.1" CRLF CRLF);
		http_head_free(http_xchg_recv_head(app.x));
		assert_int_equal(send_response(&app, 200, rows[i].body, 10), 0);
		assert_int_equal(send_body(&app, BYTES_LIT("hello")), 5);
		if (rows[i].body == HTTP_BODY_LENGTH)
			assert_int_equal(http_xchg_send_end(app.x, NULL), -EMSGSIZE);
		done(&app);
		assert_int_equal(http_conn_state(app.conn), HTTP_CONN_CLOSED);
		fake_rig_run(&app.rig);
		assert_int_equal(app.peer.failed, rows[i].reset);
		assert_int_equal(app.peer.ended, !rows[i].reset);
		assert_int_equal(app.closes, 1);
		stop();
	}
}

static void no_more_than_the_length_goes_out(void **state)
{
	struct pkt_chain c = {0};

	(void)state;
	start();
	app.manual = true;
	say("GET / HTTP/1.1" CRLF CRLF);
	http_head_free(http_xchg_recv_head(app.x));
	assert_int_equal(send_response(&app, 200, HTTP_BODY_LENGTH, 5), 0);
	assert_int_equal(http_xchg_send_room(app.x), 5);
	assert_int_equal(pkt_chain_write(&c, BYTES_LIT("hello, world"), &app.rig.pkts), 12);
	assert_int_equal(http_xchg_send(app.x, &c, UINT32_MAX), 5);
	assert_int_equal(http_xchg_send(app.x, &c, UINT32_MAX), 0);
	assert_int_equal(http_xchg_send_room(app.x), 0);
	assert_int_equal(http_xchg_send_end(app.x, NULL), 0);
	pkt_chain_free(&c);
	done(&app);
	fake_rig_run(&app.rig);
	assert_string_equal(app.peer.got, HELLO);
	stop();
}

/* A body for HEAD is taken and thrown away, so that owners need not know. */
static void head_gets_no_body(void **state)
{
	(void)state;
	start();
	say("HEAD / HTTP/1.1" CRLF CRLF);
	assert_string_equal(app.peer.got, "HTTP/1.1 200 OK" CRLF "content-length: 5" CRLF CRLF);
	assert_int_equal(app.idles, 1);
	stop();
}

static void owners_may_close_inside_callbacks(void **state)
{
	(void)state;
	start();
	app.close_conn = true;
	say("GET / HTTP/1.1" CRLF CRLF "GET / HTTP/1.1" CRLF CRLF);
	assert_int_equal(app.requests, 1);
	assert_null(app.conn);
	stop();

	start();
	app.abort_xchg = true;
	say("GET / HTTP/1.1" CRLF CRLF "GET / HTTP/1.1" CRLF CRLF);
	assert_int_equal(app.requests, 1);
	assert_true(app.peer.failed);
	assert_int_equal(app.closes, 1);
	stop();

	start();
	app.manual = true;
	say("GET / HTTP/1.1" CRLF CRLF);
	http_conn_abort(app.conn); /* the exchange goes with it, its head included */
	app.conn = NULL;
	fake_rig_run(&app.rig);
	assert_true(app.peer.failed);
	stop();
}

/* --- exhaustion ---------------------------------------------------------------------- */

static void every_pool_may_be_empty(void **state)
{
	struct mem_pool *const pools[] = {
		&app.rig.h1.xchgs, &app.rig.heads.heads, &app.rig.heads.buffers};
	static const enum h1_stat counters[] = {H1_STAT_NO_XCHG, H1_STAT_NO_HEAD, H1_STAT_NO_HEAD};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
		start();
		pools[i]->fail_nth = 1;
		fake_peer_send(&app.peer, BYTES_LIT("GET / HTTP/1.1" CRLF CRLF), 5);
		fake_rig_run(&app.rig);
		assert_int_equal(app.rig.h1.stats[counters[i]], 1);
		assert_int_equal(app.requests, i > 0);
		if (app.requests > 0) {
			assert_int_equal(app.error, HTTP_ERROR_NO_MEMORY);
			assert_int_equal(app.status, 503);
			assert_true(app.peer.ended);
		} else {
			assert_true(app.peer.failed);
			assert_int_equal(app.closes, 1);
		}
		stop();
	}
	start();
	app.rig.h1.conns.fail_nth = 1;
	assert_null(h1_server_create(&app.rig.h1, &ops, &app));
	assert_int_equal(app.rig.h1.stats[H1_STAT_NO_CONN], 1);
	stop();
}

#define HEAD "HTTP/1.1 200 OK" CRLF "transfer-encoding: chunked" CRLF CRLF

/* All data buffers are elsewhere: nothing is half sent, and room is told of when they are back. */
static void data_buffers_may_run_out(void **state)
{
	struct rte_mbuf *all[4097];
	struct pkt_chain c = {0};
	char full[PKT_DATA_ROOM_BYTES - PKT_HEADROOM_BYTES]; /* a packet without room */
	size_t n = 0;

	(void)state;
	start();
	app.manual = true;
	say("GET / HTTP/1.1" CRLF CRLF);
	http_head_free(http_xchg_recv_head(app.x));
	memset(full, 'x', sizeof(full));
	assert_int_equal(
		pkt_chain_write(&c, bytes_of(full, sizeof(full)), &app.rig.pkts), sizeof(full));
	while ((all[n] = pkt_alloc(&app.rig.pkts)) != NULL)
		n++;
	assert_int_equal(send_response(&app, 200, HTTP_BODY_CHUNKED, 0), -ENOMEM);
	pkt_free(all[--n]);
	assert_int_equal(send_response(&app, 200, HTTP_BODY_CHUNKED, 0), 0);
	assert_int_equal(http_xchg_send(app.x, &c, UINT32_MAX), 0);
	assert_int_equal(c.bytes, sizeof(full));
	assert_int_equal(h1_poll(NULL, &app.rig.h1, 1), 1);
	assert_int_equal(app.events & HTTP_EVENT_ROOM, HTTP_EVENT_ROOM);
	pkt_free(all[--n]); /* enough for the size, not for the end of the chunk */
	assert_int_equal(http_xchg_send(app.x, &c, UINT32_MAX), 0);
	assert_int_equal(c.bytes, sizeof(full));
	while (n > 0)
		pkt_free(all[--n]);
	assert_int_equal(http_xchg_send(app.x, &c, UINT32_MAX), sizeof(full));
	assert_int_equal(http_xchg_send_end(app.x, NULL), 0);
	done(&app);
	fake_rig_run(&app.rig);
	assert_int_equal(app.peer.len, sizeof(HEAD) - 1 + 5 + sizeof(full) + 2 + 5);
	assert_memory_equal(app.peer.got, HEAD "800" CRLF "xxx", sizeof(HEAD) - 1 + 8);
	assert_string_equal(
		app.peer.got + sizeof(HEAD) - 1 + 5 + sizeof(full) - 1, "x" CRLF "0" CRLF CRLF);
	stop();
}

/* No references: a head is copied, a body waits for the next turn. */
static void references_may_run_out(void **state)
{
	struct rte_mbuf *all[4097], *m;
	size_t n = 0;

	(void)state;
	start();
	app.manual = true;
	m = pkt_alloc(&app.rig.pkts);
	rte_pktmbuf_append(m, 10);
	fake_peer_send(&app.peer,
		BYTES_LIT("POST / HTTP/1.1" CRLF "content-length: 4" CRLF CRLF "body"), 0);
	while ((all[n] = pkt_ref(&app.rig.pkts, m, 0, 1)) != NULL)
		n++;
	fake_rig_run(&app.rig);
	assert_int_equal(app.requests, 1);
	assert_int_equal(app.rig.h1.stats[H1_STAT_GATHERED], 1);
	http_head_free(http_xchg_recv_head(app.x));
	assert_int_equal(http_xchg_recv(app.x, &app.body, 2), 0);
	assert_int_equal(h1_poll(NULL, &app.rig.h1, 1), 1);
	assert_int_equal(app.events, HTTP_EVENT_BODY);
	while (n > 0)
		pkt_free(all[--n]);
	pkt_free(m);
	assert_int_equal(http_xchg_recv(app.x, &app.body, 2), 2);
	assert_int_equal(http_xchg_recv(app.x, &app.body, 9), 2);
	assert_true(http_xchg_recv_ended(app.x));
	hello(&app);
	fake_rig_run(&app.rig);
	assert_string_equal(app.peer.got, HELLO);
	stop();
}

static void the_poller_has_a_budget(void **state)
{
	struct http_conn *conns[3];

	(void)state;
	start();
	for (size_t i = 0; i < ARRAY_LEN(conns); i++) {
		static struct fake_peer peers[ARRAY_LEN(conns)];

		conns[i] = h1_server_create(&app.rig.h1, &ops, &app);
		fake_peer_join(&peers[i], &app.rig, conns[i], 1000);
		fake_peer_close(&peers[i]);
		http_conn_drain(conns[i]);
	}
	assert_int_equal(h1_poll(NULL, &app.rig.h1, 2), 2);
	assert_int_equal(app.closes, 2);
	assert_int_equal(h1_poll(NULL, &app.rig.h1, 2), 1);
	assert_int_equal(h1_poll(NULL, &app.rig.h1, 2), 0);
	app.conn = NULL;
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_hears_of_every_state),
		cmocka_unit_test(a_pipeline_is_answered_in_order),
		cmocka_unit_test(the_next_request_waits_for_the_answer),
		cmocka_unit_test(a_body_that_has_come_is_skipped),
		cmocka_unit_test(a_client_may_shut_and_still_read),
		cmocka_unit_test(a_reset_is_an_error),
		cmocka_unit_test(refusing_gives_an_exchange_to_answer),
		cmocka_unit_test(draining_ends_with_the_next_response),
		cmocka_unit_test(closing_drains_what_the_client_sends),
		cmocka_unit_test(heads_are_limited),
		cmocka_unit_test(a_dripping_client_pins_no_packets),
		cmocka_unit_test(crumbs_are_swept_together),
		cmocka_unit_test(a_body_waits_in_the_carrier),
		cmocka_unit_test(a_slow_reader_is_waited_for),
		cmocka_unit_test(room_is_told_without_a_refusal),
		cmocka_unit_test(room_is_told_after_a_long_head),
		cmocka_unit_test(clients_leave_at_every_byte),
		cmocka_unit_test(half_a_response_is_cut),
		cmocka_unit_test(no_more_than_the_length_goes_out),
		cmocka_unit_test(head_gets_no_body),
		cmocka_unit_test(owners_may_close_inside_callbacks),
		cmocka_unit_test(every_pool_may_be_empty),
		cmocka_unit_test(data_buffers_may_run_out),
		cmocka_unit_test(references_may_run_out),
		cmocka_unit_test(the_poller_has_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
