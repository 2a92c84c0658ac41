/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "sock_setup.h"

struct end {
	struct sock_conn *conn;
	int peer;
	uint32_t events; /* all so far */
	uint32_t calls;
	bool abort_on_fail;
};

static void on_event(struct sock_conn *conn, void *user, uint32_t events)
{
	struct end *e = user;

	e->events |= events;
	e->calls++;
	if ((events & SOCK_EVENT_FAILED) && e->abort_on_fail)
		sock_conn_abort(conn);
}

static void open_pair(struct sock_setup *s, struct end *e, size_t output_max, uint64_t idle_ns)
{
	struct sock_conn_config config = {.input_max_bytes = 64,
		.output_max_bytes = output_max,
		.idle_ns = idle_ns,
		.on_event = on_event,
		.user = e};
	int pair[2];

	*e = (struct end){.abort_on_fail = true};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	e->peer = pair[1];
	e->conn = sock_conn_open(s->loop, pair[0], &config);
	assert_non_null(e->conn);
}

static void input_waits_until_it_is_consumed(void **state)
{
	struct sock_setup *s = *state;
	char text[100];
	struct end e;

	memset(text, 'x', sizeof(text));
	text[99] = 'y';
	open_pair(s, &e, 0, 0);
	assert_int_equal(write(e.peer, text, sizeof(text)), sizeof(text));
	fake_workers_settle(s->f);
	assert_int_equal(e.events, SOCK_EVENT_INPUT);
	assert_int_equal(sock_conn_input(e.conn).len, 64);
	assert_false(sock_conn_input_ended(e.conn));
	sock_conn_consume(e.conn, 60);
	fake_workers_settle(s->f);
	assert_int_equal(sock_conn_input(e.conn).len, 40);
	assert_int_equal(sock_conn_input(e.conn).ptr[39], 'y');
	shutdown(e.peer, SHUT_WR);
	fake_workers_settle(s->f);
	assert_int_equal(e.events, SOCK_EVENT_INPUT | SOCK_EVENT_SHUT);
	assert_true(sock_conn_input_ended(e.conn));
	sock_conn_consume(e.conn, 1000);
	assert_int_equal(sock_conn_input(e.conn).len, 0);
	close(e.peer);
	sock_conn_close(e.conn);
}

static size_t read_all(struct sock_setup *s, int fd, uint64_t *sum)
{
	char buf[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			*sum = *sum * 31 + (unsigned char)buf[i];
		total += (size_t)n;
		fake_workers_settle(s->f);
	}
	return total;
}

static void output_waits_for_a_slow_reader(void **state)
{
	struct sock_setup *s = *state;
	size_t size = 4u << 20;
	char *big = malloc(size);
	uint64_t sum = 0, expected = 0;
	struct end e;

	for (size_t i = 0; i < size; i++) {
		big[i] = (char)(i * 7 + i / 1000);
		expected = expected * 31 + (unsigned char)big[i];
	}
	open_pair(s, &e, 5u << 20, 0);
	for (size_t at = 0; at < size; at += size / 64)
		assert_int_equal(sock_conn_write(e.conn, bytes_of(big + at, size / 64)), 0);
	assert_true(sock_conn_output_pending(e.conn) > size / 2);
	fake_workers_settle(s->f);
	assert_int_equal(e.events, 0);
	assert_int_equal(read_all(s, e.peer, &sum), size);
	assert_true(sum == expected);
	assert_int_equal(e.events, SOCK_EVENT_DRAINED);
	assert_int_equal(sock_conn_output_pending(e.conn), 0);
	close(e.peer);
	fake_workers_settle(s->f);
	assert_true(e.events & SOCK_EVENT_FAILED);
	free(big);
}

static void output_has_a_limit(void **state)
{
	struct sock_setup *s = *state;
	static char big[2 << 20];
	struct end e;

	open_pair(s, &e, 1000, 0);
	assert_int_equal(sock_conn_write(e.conn, bytes_of(big, 1001)), -ENOBUFS);
	while (sock_conn_output_pending(e.conn) == 0)
		assert_int_equal(sock_conn_write(e.conn, bytes_of(big, 1000)), 0);
	assert_int_equal(sock_conn_write(e.conn, bytes_of(big, 1000)), -ENOBUFS);
	close(e.peer);
	fake_workers_settle(s->f);
	assert_true(e.events & SOCK_EVENT_FAILED);
}

static void closing_sends_what_is_queued(void **state)
{
	struct sock_setup *s = *state;
	static char big[1 << 20];
	uint64_t sum = 0;
	struct end e;

	open_pair(s, &e, 0, 0);
	assert_int_equal(write(e.peer, "never read", 10), 10);
	assert_int_equal(sock_conn_write(e.conn, bytes_of(big, sizeof(big))), 0);
	sock_conn_close(e.conn);
	assert_int_equal(write(e.peer, "nor this", 8), 8);
	assert_int_equal(read_all(s, e.peer, &sum), sizeof(big));
	assert_int_equal(recv(e.peer, big, 1, 0), 0);
	assert_int_equal(e.calls, 0);
	close(e.peer);
	fake_workers_settle(s->f);
}

static void closing_gives_up_on_who_never_reads(void **state)
{
	struct sock_setup *s = *state;
	static char big[1 << 20];
	struct end e;

	open_pair(s, &e, 0, 0);
	assert_int_equal(sock_conn_write(e.conn, bytes_of(big, sizeof(big))), 0);
	sock_conn_close(e.conn);
	fake_workers_run_for(s->f, SOCK_LINGER_NS - 100 * NS_PER_MS);
	assert_int_equal(write(e.peer, "x", 1), 1);
	fake_workers_run_for(s->f, 200 * NS_PER_MS);
	assert_int_equal(send(e.peer, "x", 1, MSG_NOSIGNAL), -1);
	close(e.peer);
}

static void idle_time_starts_again_with_each_byte(void **state)
{
	struct sock_setup *s = *state;
	struct end e;

	open_pair(s, &e, 0, 10 * NS_PER_SEC);
	fake_workers_run_for(s->f, 9 * NS_PER_SEC);
	assert_int_equal(write(e.peer, "x", 1), 1);
	fake_workers_run_for(s->f, 9 * NS_PER_SEC);
	assert_int_equal(e.events, SOCK_EVENT_INPUT);
	fake_workers_run_for(s->f, 2 * NS_PER_SEC);
	assert_int_equal(e.events, SOCK_EVENT_INPUT | SOCK_EVENT_IDLE);
	e.events = 0;
	sock_conn_set_idle(e.conn, 0);
	fake_workers_run_for(s->f, 100 * NS_PER_SEC);
	assert_int_equal(e.events, 0);
	sock_conn_set_idle(e.conn, NS_PER_SEC);
	fake_workers_run_for(s->f, 2 * NS_PER_SEC);
	assert_int_equal(e.events, SOCK_EVENT_IDLE);
	sock_conn_abort(e.conn);
	sock_conn_abort(e.conn);
	close(e.peer);
}

/* The peer reads no more, which only a write finds out; told once, nothing spins. */
static void failure_is_told_once(void **state)
{
	struct sock_setup *s = *state;
	struct end e;

	open_pair(s, &e, 0, 0);
	e.abort_on_fail = false;
	shutdown(e.peer, SHUT_RD);
	assert_int_equal(sock_conn_write(e.conn, BYTES_LIT("hello")), -EPIPE);
	fake_workers_settle(s->f);
	assert_true(e.events & SOCK_EVENT_FAILED);
	assert_int_equal(e.calls, 1);
	assert_int_equal(sock_conn_write(e.conn, BYTES_LIT("hello")), -EPIPE);
	sock_conn_abort(e.conn);
	close(e.peer);
}

static void loop_closes_what_is_left(void **state)
{
	struct sock_setup *s = *state;
	struct end e;
	char c;

	open_pair(s, &e, 0, NS_PER_SEC);
	sock_loop_destroy(s->loop);
	assert_int_equal(read(e.peer, &c, 1), 0);
	close(e.peer);
	s->loop = sock_loop_create(&s->err); /* for the teardown */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, sock_setup, sock_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(input_waits_until_it_is_consumed),
		TEST(output_waits_for_a_slow_reader),
		TEST(output_has_a_limit),
		TEST(closing_sends_what_is_queued),
		TEST(closing_gives_up_on_who_never_reads),
		TEST(idle_time_starts_again_with_each_byte),
		TEST(failure_is_told_once),
		TEST(loop_closes_what_is_left),
	};

	return cmocka_run_group_tests_name("sock/conn", tests, NULL, NULL);
}
