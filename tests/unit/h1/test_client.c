/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that face a server: when they may be used again, and how they fail. */
#include "check.h"

#include "fake_peer.h"

#define CRLF "\r\n"
#define GET  "GET / HTTP/1.1" CRLF CRLF
#define OK   "HTTP/1.1 200 OK" CRLF "content-length: 2" CRLF CRLF "hi"

struct app {
	struct fake_rig rig;
	struct fake_peer peer;
	struct http_conn *conn;
	struct http_xchg *x;
	uint32_t connects, closes, events;
	bool close_inside; /* the connection is closed by the next event */
	struct pkt_chain body;
};

static struct app app;

static void on_event(struct http_xchg *x, uint32_t events)
{
	(void)x;
	app.events |= events;
	if (!app.close_inside)
		return;
	http_conn_close(app.conn);
	app.conn = NULL;
	app.x = NULL;
}

static void on_connected(struct http_conn *c)
{
	(void)c;
	app.connects++;
}

static void on_closed(struct http_conn *c)
{
	app.closes++;
	app.conn = NULL;
	http_conn_close(c);
}

static const struct http_conn_owner_ops ops = {
	.on_connected = on_connected, .on_closed = on_closed};

static void start(void)
{
	memset(&app, 0, sizeof(app));
	fake_rig_init(&app.rig);
	app.conn = h1_client_create(&app.rig.h1, &ops, &app);
	fake_peer_join(&app.peer, &app.rig, app.conn, 65536);
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

static void send_request(const char *method)
{
	struct http_head *head = http_head_get(&app.rig.heads);

	assert_non_null(head);
	assert_true(http_head_set_request(head, bytes_of_cstr(method), BYTES_LIT("/")));
	app.x = http_conn_request(app.conn);
	assert_non_null(app.x);
	app.x->on_event = on_event;
	app.events = 0;
	assert_int_equal(http_xchg_send_head(app.x, head), 0);
	assert_int_equal(http_xchg_send_end(app.x, NULL), 0);
	http_head_free(head);
}

/* A final head of this status, then the body up to its end or an error. */
static void take_response(uint16_t status)
{
	struct http_head *head = http_xchg_recv_head(app.x);

	assert_non_null(head);
	assert_int_equal(head->status, status);
	http_head_free(head);
	http_xchg_recv(app.x, &app.body, UINT32_MAX);
}

static void what_is_sent_early_waits_for_the_carrier(void **state)
{
	(void)state;
	start();
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_CONNECTING);
	send_request("GET");
	assert_null(http_conn_request(app.conn));
	assert_int_equal(http_xchg_send_room(app.x), 0);
	assert_string_equal(app.peer.got, "");
	fake_rig_run(&app.rig);
	assert_int_equal(app.connects, 1);
	assert_string_equal(app.peer.got, GET);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_BUSY);
	say(OK);
	take_response(200);
	http_xchg_close(app.x);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
	stop();
}

static void a_connection_is_used_again_and_again(void **state)
{
	(void)state;
	start();
	fake_rig_run(&app.rig);
	for (int i = 0; i < 20; i++) {
		fake_peer_forget(&app.peer);
		send_request("GET");
		assert_true(http_xchg_untouched(app.x));
		fake_rig_run(&app.rig);
		assert_string_equal(app.peer.got, GET);
		say(OK);
		assert_int_equal(app.events, HTTP_EVENT_HEAD);
		assert_false(http_xchg_untouched(app.x));
		take_response(200);
		assert_true(http_xchg_recv_ended(app.x));
		http_xchg_close(app.x);
		assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
		fake_rig_run(&app.rig);
		assert_int_equal(app.rig.h1.xchgs.count_used, 0);
	}
	assert_int_equal(app.closes, 0);
	stop();
}

/* After a response that ends in state `idle` or not. */
static void what_makes_a_connection_reusable(void **state)
{
	static const struct {
		const char *method, *response;
		bool idle;
	} rows[] = {
		{"GET", OK, true},
		{"GET", "HTTP/1.1 204 x" CRLF CRLF, true},
		{"GET", "HTTP/1.1 304 x" CRLF "content-length: 9" CRLF CRLF, true},
		{"HEAD", "HTTP/1.1 200 x" CRLF "content-length: 9" CRLF CRLF, true},
		{"HEAD", "HTTP/1.1 200 x" CRLF CRLF, true},
		{"GET", "HTTP/1.1 200 x" CRLF "transfer-encoding: chunked" CRLF CRLF "0" CRLF CRLF,
			true},
		{"GET",
			"HTTP/1.0 200 x" CRLF "connection: keep-alive" CRLF
			"content-length: 0" CRLF CRLF,
			true},
		{"GET", "HTTP/1.0 200 x" CRLF "content-length: 0" CRLF CRLF, false},
		{"GET",
			"HTTP/1.1 200 x" CRLF "connection: close" CRLF
			"content-length: 0" CRLF CRLF,
			false},
		{"GET", "HTTP/1.1 200 x" CRLF CRLF, false},
		{"GET", OK "x", false},
		{"GET", OK CRLF, false},
		{"HEAD", OK, false},
		{"GET", OK "HTTP/1.1 200 OK" CRLF CRLF, false},
		{"GET", "HTTP/1.1 200 x" CRLF "content-length: 3" CRLF CRLF "hi", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start();
		fake_rig_run(&app.rig);
		send_request(rows[i].method);
		say(rows[i].response);
		http_head_free(http_xchg_recv_head(app.x));
		http_xchg_recv(app.x, &app.body, UINT32_MAX);
		http_xchg_close(app.x);
		assert_int_equal(http_conn_state(app.conn),
			rows[i].idle ? HTTP_CONN_IDLE : HTTP_CONN_CLOSED);
		fake_rig_run(&app.rig);
		assert_int_equal(app.closes, !rows[i].idle);
		stop();
	}
}

/* Bytes or an end while nothing was asked: nobody may read them as an answer to the next one. */
static void idle_servers_stay_silent(void **state)
{
	static const char *const words[] = {"HTTP/1.1 408 x" CRLF CRLF, "x", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (int noticed = 0; noticed < 2; noticed++) {
			start();
			fake_rig_run(&app.rig);
			send_request("GET");
			say(OK);
			take_response(200);
			http_xchg_close(app.x);
			fake_rig_run(&app.rig);
			fake_peer_send(&app.peer, bytes_of_cstr(words[i]), 0);
			stream_shut(&app.peer.stream);
			if (noticed)
				fake_rig_run(&app.rig);
			else
				assert_null(http_conn_request(app.conn));
			fake_rig_run(&app.rig);
			assert_int_equal(app.closes, 1);
			assert_int_equal(
				app.rig.h1.stats[H1_STAT_OUT_OF_TURN], words[i][0] != '\0');
			stop();
		}
}

static void interim_heads_come_one_by_one(void **state)
{
	struct http_head *head;

	(void)state;
	start();
	send_request("GET");
	fake_rig_run(&app.rig);
	say("HTTP/1.1 100 a" CRLF CRLF "HTTP/1.1 103 b" CRLF CRLF "HTTP/1.1 20");
	assert_int_equal(app.events, HTTP_EVENT_HEAD);
	for (uint16_t status = 100; status <= 103; status += 3) {
		head = http_xchg_recv_head(app.x);
		assert_non_null(head);
		assert_int_equal(head->status, status);
		http_head_free(head);
		assert_false(http_xchg_recv_ended(app.x));
	}
	assert_null(http_xchg_recv_head(app.x));
	assert_int_equal(http_xchg_error(app.x, NULL, NULL), HTTP_ERROR_NONE);
	app.events = 0;
	say("0 OK" CRLF "content-length: 0" CRLF CRLF);
	assert_int_equal(app.events, HTTP_EVENT_HEAD);
	take_response(200);
	http_xchg_close(app.x);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
	stop();
}

static const char response[] =
	"HTTP/1.1 100 x" CRLF CRLF "HTTP/1.1 200 x" CRLF "transfer-encoding: chunked" CRLF CRLF
	"3" CRLF "abc" CRLF "0" CRLF "t: u" CRLF CRLF;

static void servers_leave_at_every_byte(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(response) - 1; n++)
		for (int reset = 0; reset < 2; reset++) {
			struct http_head *head;
			enum http_error want = reset ? HTTP_ERROR_RESET
					       : n   ? HTTP_ERROR_TRUNCATED
						     : HTTP_ERROR_CLOSED;
			uint16_t status;

			start();
			send_request("GET");
			fake_rig_run(&app.rig);
			fake_peer_send(&app.peer, bytes_of(response, n), 0);
			if (reset)
				fake_rig_run(&app.rig);
			if (reset)
				stream_abort(&app.peer.stream);
			else
				stream_shut(&app.peer.stream);
			fake_rig_run(&app.rig);
			while ((head = http_xchg_recv_head(app.x)) != NULL)
				http_head_free(head);
			http_xchg_recv(app.x, &app.body, UINT32_MAX);
			assert_false(http_xchg_recv_ended(app.x));
			assert_int_equal(http_xchg_error(app.x, &status, NULL), want);
			assert_int_equal(status, 502);
			assert_int_equal(http_xchg_untouched(app.x), n == 0);
			http_xchg_close(app.x);
			assert_int_equal(http_conn_state(app.conn), HTTP_CONN_CLOSED);
			fake_rig_run(&app.rig);
			assert_int_equal(app.closes, 1);
			stop();
		}
}

static void trailers_are_given_once(void **state)
{
	struct http_head *trailers;

	(void)state;
	for (size_t cut = 1; cut < sizeof(response) - 1; cut++) {
		struct http_head *head;

		start();
		send_request("GET");
		fake_rig_run(&app.rig);
		fake_peer_send(&app.peer, bytes_of(response, cut), 0);
		fake_rig_run(&app.rig);
		while ((head = http_xchg_recv_head(app.x)) != NULL)
			http_head_free(head);
		http_xchg_recv(app.x, &app.body, UINT32_MAX);
		assert_null(http_xchg_recv_trailers(app.x));
		fake_peer_send(&app.peer, bytes_of(response + cut, sizeof(response) - 1 - cut), 0);
		fake_rig_run(&app.rig);
		while ((head = http_xchg_recv_head(app.x)) != NULL)
			http_head_free(head);
		http_xchg_recv(app.x, &app.body, UINT32_MAX);
		assert_int_equal(app.body.bytes, 3);
		assert_true(http_xchg_recv_ended(app.x));
		trailers = http_xchg_recv_trailers(app.x);
		assert_non_null(http_head_find(trailers, BYTES_LIT("T"), NULL));
		http_head_free(trailers);
		assert_null(http_xchg_recv_trailers(app.x));
		http_xchg_close(app.x);
		assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
		stop();
	}
}

static void connecting_fails(void **state)
{
	(void)state;
	start();
	stream_pair_break(app.rig.pairs[0], TCP_FAILURE_REFUSED);
	fake_rig_run(&app.rig);
	assert_int_equal(app.connects, 0);
	assert_int_equal(app.closes, 1);
	stop();

	start();
	send_request("GET");
	stream_pair_break(app.rig.pairs[0], TCP_FAILURE_REFUSED);
	fake_rig_run(&app.rig);
	assert_int_equal(app.events, HTTP_EVENT_ERROR);
	assert_int_equal(http_xchg_error(app.x, NULL, NULL), HTTP_ERROR_RESET);
	assert_int_equal(http_conn_failure(app.conn), TCP_FAILURE_REFUSED);
	assert_true(http_xchg_untouched(app.x));
	http_xchg_close(app.x);
	fake_rig_run(&app.rig);
	assert_int_equal(app.closes, 1);
	stop();
}

/* What was received whole is good, whatever happens to the connection behind it. */
static void a_whole_response_survives_a_reset(void **state)
{
	(void)state;
	start();
	send_request("GET");
	fake_rig_run(&app.rig);
	say(OK);
	take_response(200);
	assert_true(http_xchg_recv_ended(app.x));
	app.events = 0;
	stream_abort(&app.peer.stream);
	fake_rig_run(&app.rig);
	assert_int_equal(app.events, 0);
	assert_int_equal(http_xchg_error(app.x, NULL, NULL), HTTP_ERROR_NONE);
	http_xchg_close(app.x);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_CLOSED);
	stop();
}

static void draining_and_closing(void **state)
{
	(void)state;
	start();
	fake_rig_run(&app.rig);
	http_conn_drain(app.conn);
	assert_null(http_conn_request(app.conn));
	fake_rig_run(&app.rig);
	assert_int_equal(app.closes, 1);
	stop();

	start();
	send_request("GET");
	fake_rig_run(&app.rig);
	app.close_inside = true;
	say(OK OK);
	assert_null(app.conn);
	stop();

	start();
	fake_rig_run(&app.rig);
	app.rig.h1.xchgs.fail_nth = 1;
	assert_null(http_conn_request(app.conn));
	assert_int_equal(app.rig.h1.stats[H1_STAT_NO_XCHG], 1);
	assert_int_equal(http_conn_state(app.conn), HTTP_CONN_IDLE);
	stop();
}

static void a_head_may_find_no_memory(void **state)
{
	uint16_t status;

	(void)state;
	start();
	send_request("GET");
	fake_rig_run(&app.rig);
	app.rig.heads.heads.fail_nth = 1;
	say(OK);
	assert_int_equal(app.events, HTTP_EVENT_ERROR);
	assert_null(http_xchg_recv_head(app.x));
	assert_int_equal(http_xchg_error(app.x, &status, NULL), HTTP_ERROR_NO_MEMORY);
	assert_int_equal(status, 503);
	http_xchg_close(app.x);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_early_waits_for_the_carrier),
		cmocka_unit_test(a_connection_is_used_again_and_again),
		cmocka_unit_test(what_makes_a_connection_reusable),
		cmocka_unit_test(idle_servers_stay_silent),
		cmocka_unit_test(interim_heads_come_one_by_one),
		cmocka_unit_test(servers_leave_at_every_byte),
		cmocka_unit_test(trailers_are_given_once),
		cmocka_unit_test(connecting_fails),
		cmocka_unit_test(a_whole_response_survives_a_reset),
		cmocka_unit_test(draining_and_closing),
		cmocka_unit_test(a_head_may_find_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
