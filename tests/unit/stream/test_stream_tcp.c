/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tcp carrier: every operation of the table reaches the function of its name, with its
 * arguments. The functions of tcp are played by this file.
 */
#include "check.h"

#include "stream.h"

struct tcp_conn {
	const struct tcp_owner_ops *ops;
	void *user;
	const char *called;
	uint32_t max;
	bool flag;
};

static struct tcp_conn *fake_mut(const struct tcp_conn *conn, const char *called)
{
	struct tcp_conn *c = (struct tcp_conn *)conn;

	c->called = called;
	return c;
}

uint32_t tcp_conn_recv_ready(const struct tcp_conn *conn)
{
	fake_mut(conn, "recv_ready");
	return 11;
}

uint32_t tcp_conn_recv(struct tcp_conn *conn, struct pkt_chain *to, uint32_t max)
{
	fake_mut(conn, "recv")->max = max;
	to->bytes = max;
	return max;
}

bool tcp_conn_recv_ended(const struct tcp_conn *conn)
{
	fake_mut(conn, "recv_ended");
	return true;
}

uint32_t tcp_conn_send_room(const struct tcp_conn *conn)
{
	fake_mut(conn, "send_room");
	return 12;
}

uint32_t tcp_conn_send(struct tcp_conn *conn, struct pkt_chain *from, uint32_t max)
{
	fake_mut(conn, "send")->max = max;
	from->bytes = 0;
	return max;
}

void tcp_conn_set_more(struct tcp_conn *conn, bool more)
{
	fake_mut(conn, "set_more")->flag = more;
}

void tcp_conn_shut(struct tcp_conn *conn)
{
	fake_mut(conn, "shut");
}

void tcp_conn_close(struct tcp_conn *conn)
{
	fake_mut(conn, "close");
}

void tcp_conn_abort(struct tcp_conn *conn)
{
	fake_mut(conn, "abort");
}

void tcp_conn_notify_sent(struct tcp_conn *conn)
{
	fake_mut(conn, "notify_sent");
}

enum tcp_failure tcp_conn_failure(const struct tcp_conn *conn)
{
	fake_mut(conn, "failure");
	return TCP_FAILURE_TIMEOUT;
}

struct endpoint tcp_conn_local(const struct tcp_conn *conn)
{
	fake_mut(conn, "local");
	return (struct endpoint){.port = 80};
}

struct endpoint tcp_conn_remote(const struct tcp_conn *conn)
{
	fake_mut(conn, "remote");
	return (struct endpoint){.port = 4000};
}

void tcp_conn_set_owner(struct tcp_conn *conn, const struct tcp_owner_ops *ops, void *user)
{
	conn->ops = ops;
	conn->user = user;
}

/* A struct tcp is a connection here; NULL stands for "no memory". */
struct tcp_conn *tcp_connect(
	struct tcp *tcp, const struct tcp_connect_config *config, enum tcp_failure *failure)
{
	struct tcp_conn *conn = (struct tcp_conn *)tcp;

	if (conn == NULL) {
		*failure = TCP_FAILURE_NO_MEMORY;
		return NULL;
	}
	assert_int_equal(config->remote.port, 4000);
	tcp_conn_set_owner(conn, config->ops, config->user);
	return conn;
}

struct user {
	struct stream stream;
	uint32_t events;
};

static void on_event(struct stream *s, uint32_t events)
{
	CONTAINER_OF(s, struct user, stream)->events |= events;
}

static void test_operations_reach_tcp(void **state)
{
	struct tcp_conn conn = {0};
	struct user u = {0};
	struct stream *s = &u.stream;
	struct pkt_chain chain = {0};

	(void)state;
	assert_false(stream_is_open(s));
	stream_open_tcp_accepted(s, &conn, on_event);
	assert_true(stream_is_open(s));
	assert_string_equal(s->ops->name, "tcp");

	assert_int_equal(stream_recv_ready(s), 11);
	assert_string_equal(conn.called, "recv_ready");
	assert_int_equal(stream_recv(s, &chain, 7), 7);
	assert_string_equal(conn.called, "recv");
	assert_int_equal(conn.max, 7);
	assert_int_equal(chain.bytes, 7);
	assert_true(stream_recv_ended(s));
	assert_string_equal(conn.called, "recv_ended");
	assert_int_equal(stream_send_room(s), 12);
	assert_string_equal(conn.called, "send_room");
	assert_int_equal(stream_send(s, &chain, 9), 9);
	assert_string_equal(conn.called, "send");
	assert_int_equal(conn.max, 9);
	assert_int_equal(chain.bytes, 0);
	stream_set_more(s, true);
	assert_string_equal(conn.called, "set_more");
	assert_true(conn.flag);
	stream_shut(s);
	assert_string_equal(conn.called, "shut");
	stream_notify_sent(s);
	assert_string_equal(conn.called, "notify_sent");
	assert_int_equal(stream_failure(s), TCP_FAILURE_TIMEOUT);
	assert_string_equal(conn.called, "failure");
	assert_int_equal(stream_local(s).port, 80);
	assert_string_equal(conn.called, "local");
	assert_int_equal(stream_remote(s).port, 4000);
	assert_string_equal(conn.called, "remote");

	stream_close(s);
	assert_string_equal(conn.called, "close");
	assert_false(stream_is_open(s));
	conn.called = "none";
	stream_close(s);
	stream_abort(s);
	assert_string_equal(conn.called, "none");
}

static void test_events_reach_the_stream(void **state)
{
	struct tcp_conn conn = {0};
	struct user u = {0};
	struct tcp_connect_config config = {.remote.port = 4000};
	enum tcp_failure failure = TCP_FAILURE_NONE;

	(void)state;
	assert_int_equal(
		stream_open_tcp(&u.stream, (struct tcp *)&conn, &config, on_event, &failure), 0);
	conn.ops->on_event(&conn, conn.user, TCP_EVENT_CONNECTED | TCP_EVENT_READABLE);
	assert_int_equal(u.events, STREAM_EVENT_CONNECTED | STREAM_EVENT_READABLE);
	stream_abort(&u.stream);
	assert_string_equal(conn.called, "abort");
	assert_false(stream_is_open(&u.stream));
}

static void test_failed_connect_leaves_it_closed(void **state)
{
	struct user u = {0};
	struct tcp_connect_config config = {.remote.port = 4000};
	enum tcp_failure failure = TCP_FAILURE_NONE;

	(void)state;
	assert_int_equal(stream_open_tcp(&u.stream, NULL, &config, on_event, &failure), -1);
	assert_int_equal(failure, TCP_FAILURE_NO_MEMORY);
	assert_false(stream_is_open(&u.stream));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations_reach_tcp),
		cmocka_unit_test(test_events_reach_the_stream),
		cmocka_unit_test(test_failed_connect_leaves_it_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
