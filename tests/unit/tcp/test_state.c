/* SPDX-License-Identifier: BSD-3-Clause */
/* Each state against each kind of segment: what state follows, what is answered (RFC 9293 3.10.7).
 */
#include "fixture.h"

#define A WIRE_TCP_ACK
#define S WIRE_TCP_SYN
#define R WIRE_TCP_RST
#define F WIRE_TCP_FIN

/* --- roads to each state ----------------------------------------------------------- */

static void go_syn_sent(struct fixture *f)
{
	struct tcp_connect_config config = {.local = {ip_addr_from_v4(0), 50000},
		.remote = {ip_addr_from_v4(0x0a000002), 8080},
		.ops = &fixture_ops,
		.user = f};
	enum tcp_failure failure;

	f->local_port = 50000;
	f->remote_port = 8080;
	f->conn = tcp_connect(f->tcp, &config, &failure);
	assert_non_null(f->conn);
	f->ack = seq_add(sent(f).seq, 1);
}

static void go_syn_received(struct fixture *f)
{
	f->local_port = 80;
	f->remote_port = 40000;
	receive(f, S, f->seq, SEQ(0));
	f->seq = seq_add(f->seq, 1);
	f->ack = seq_add(sent(f).seq, 1);
}

static void go_established(struct fixture *f)
{
	go_syn_received(f);
	receive(f, A, f->seq, f->ack);
	assert_non_null(f->conn);
}

static void shut(struct fixture *f)
{
	tcp_conn_shut(f->conn);
	assert_int_equal(sent(f).flags, F | A);
}

static void peer_fin(struct fixture *f, struct seq ack)
{
	receive(f, F | A, f->seq, ack);
	f->seq = seq_add(f->seq, 1);
	assert_int_equal(sent(f).flags, A);
}

static void go_fin_wait_1(struct fixture *f)
{
	go_established(f);
	shut(f);
	f->ack = seq_add(f->ack, 1);
}

static void go_fin_wait_2(struct fixture *f)
{
	go_fin_wait_1(f);
	receive(f, A, f->seq, f->ack);
}

static void go_close_wait(struct fixture *f)
{
	go_established(f);
	peer_fin(f, f->ack);
}

static void go_closing(struct fixture *f)
{
	go_fin_wait_1(f);
	peer_fin(f, seq_sub(f->ack, 1));
}

static void go_last_ack(struct fixture *f)
{
	go_close_wait(f);
	shut(f);
	f->ack = seq_add(f->ack, 1);
}

static void go_time_wait(struct fixture *f)
{
	go_fin_wait_2(f);
	peer_fin(f, f->ack);
}

static void (*const roads[TCP_STATE_COUNT])(struct fixture *f) = {
	[TCP_SYN_SENT] = go_syn_sent,
	[TCP_SYN_RECEIVED] = go_syn_received,
	[TCP_ESTABLISHED] = go_established,
	[TCP_FIN_WAIT_1] = go_fin_wait_1,
	[TCP_FIN_WAIT_2] = go_fin_wait_2,
	[TCP_CLOSE_WAIT] = go_close_wait,
	[TCP_CLOSING] = go_closing,
	[TCP_LAST_ACK] = go_last_ack,
	[TCP_TIME_WAIT] = go_time_wait,
};

/* --- the table --------------------------------------------------------------------- */

/* A segment with the peer's next number that acknowledges all of ours. */
static const struct {
	enum tcp_state before;
	uint8_t flags;
	enum tcp_state after;
	uint8_t answer; /* 0: none */
} rows[] = {
	{TCP_SYN_SENT, 0, TCP_SYN_SENT, 0},
	{TCP_SYN_SENT, A, TCP_SYN_SENT, 0},
	{TCP_SYN_SENT, S, TCP_SYN_RECEIVED, S | A},
	{TCP_SYN_SENT, S | A, TCP_ESTABLISHED, A},
	{TCP_SYN_SENT, R, TCP_SYN_SENT, 0},
	{TCP_SYN_SENT, R | A, TCP_CLOSED, 0},
	{TCP_SYN_SENT, F | A, TCP_SYN_SENT, 0},
	{TCP_SYN_RECEIVED, 0, TCP_SYN_RECEIVED, 0},
	{TCP_SYN_RECEIVED, A, TCP_ESTABLISHED, 0},
	{TCP_SYN_RECEIVED, S, TCP_SYN_RECEIVED, A},
	{TCP_SYN_RECEIVED, R, TCP_CLOSED, 0},
	{TCP_SYN_RECEIVED, F | A, TCP_CLOSE_WAIT, A},
	{TCP_ESTABLISHED, 0, TCP_ESTABLISHED, 0},
	{TCP_ESTABLISHED, A, TCP_ESTABLISHED, 0},
	{TCP_ESTABLISHED, S, TCP_ESTABLISHED, A},
	{TCP_ESTABLISHED, S | A, TCP_ESTABLISHED, A},
	{TCP_ESTABLISHED, R, TCP_CLOSED, 0},
	{TCP_ESTABLISHED, F, TCP_ESTABLISHED, 0},
	{TCP_ESTABLISHED, F | A, TCP_CLOSE_WAIT, A},
	{TCP_FIN_WAIT_1, 0, TCP_FIN_WAIT_1, 0},
	{TCP_FIN_WAIT_1, A, TCP_FIN_WAIT_2, 0},
	{TCP_FIN_WAIT_1, S, TCP_FIN_WAIT_1, A},
	{TCP_FIN_WAIT_1, R, TCP_CLOSED, 0},
	{TCP_FIN_WAIT_1, F | A, TCP_TIME_WAIT, A},
	{TCP_FIN_WAIT_2, 0, TCP_FIN_WAIT_2, 0},
	{TCP_FIN_WAIT_2, A, TCP_FIN_WAIT_2, 0},
	{TCP_FIN_WAIT_2, S, TCP_FIN_WAIT_2, A},
	{TCP_FIN_WAIT_2, R, TCP_CLOSED, 0},
	{TCP_FIN_WAIT_2, F | A, TCP_TIME_WAIT, A},
	{TCP_CLOSE_WAIT, 0, TCP_CLOSE_WAIT, 0},
	{TCP_CLOSE_WAIT, A, TCP_CLOSE_WAIT, 0},
	{TCP_CLOSE_WAIT, S, TCP_CLOSE_WAIT, A},
	{TCP_CLOSE_WAIT, R, TCP_CLOSED, 0},
	{TCP_CLOSE_WAIT, F | A, TCP_CLOSE_WAIT, 0},
	{TCP_CLOSING, 0, TCP_CLOSING, 0},
	{TCP_CLOSING, A, TCP_TIME_WAIT, 0},
	{TCP_CLOSING, S, TCP_CLOSING, A},
	{TCP_CLOSING, R, TCP_CLOSED, 0},
	{TCP_CLOSING, F | A, TCP_TIME_WAIT, 0},
	{TCP_LAST_ACK, 0, TCP_LAST_ACK, 0},
	{TCP_LAST_ACK, A, TCP_CLOSED, 0},
	{TCP_LAST_ACK, S, TCP_LAST_ACK, A},
	{TCP_LAST_ACK, R, TCP_CLOSED, 0},
	{TCP_LAST_ACK, F | A, TCP_CLOSED, 0},
	{TCP_TIME_WAIT, 0, TCP_TIME_WAIT, 0},
	{TCP_TIME_WAIT, A, TCP_TIME_WAIT, 0},
	{TCP_TIME_WAIT, S, TCP_TIME_WAIT, A},
	{TCP_TIME_WAIT, R, TCP_TIME_WAIT, 0},
	{TCP_TIME_WAIT, F | A, TCP_TIME_WAIT, A},
};

static void test_state_by_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = {0};
		uint32_t counts[TCP_STATE_COUNT];
		struct wire_tcp answer;
		enum tcp_state after = TCP_CLOSED;

		fixture_init(&f);
		roads[rows[i].before](&f);
		tcp_count_states(f.tcp, counts);
		assert_int_equal(counts[rows[i].before], 1);
		receive(&f, rows[i].flags, f.seq, f.ack);
		answer = sent(&f);
		tcp_count_states(f.tcp, counts);
		for (uint32_t s = 0; s < TCP_STATE_COUNT; s++)
			if (counts[s])
				after = (enum tcp_state)s;
		if (after != rows[i].after || answer.flags != rows[i].answer)
			fail_msg("%s and flags %02x: %s and flags %02x, not %s and %02x",
				tcp_state_name(rows[i].before), rows[i].flags,
				tcp_state_name(after), answer.flags, tcp_state_name(rows[i].after),
				rows[i].answer);
		assert_int_equal(sent(&f).flags, 0);
		fixture_fini(&f);
	}
}

/* A reset tells the owner once; after close nothing comes, and the memory is back. */
static void test_failure_then_close(void **state)
{
	struct fixture f = {0};

	(void)state;
	fixture_init(&f);
	go_established(&f);
	receive(&f, R, f.seq, f.ack);
	assert_int_equal(f.events, TCP_EVENT_FAILED);
	assert_int_equal(tcp_conn_failure(f.conn), TCP_FAILURE_RESET);
	assert_int_equal(tcp_conn_send_room(f.conn), 0);
	assert_int_equal(f.tcp->conns.count_used, 1);
	tcp_conn_close(f.conn);
	fake_workers_settle(f.workers);
	assert_int_equal(f.tcp->conns.count_used, 0);
	fixture_fini(&f);
}

/* A stack that goes away takes connections of every state along. */
static void test_destroy_in_every_state(void **state)
{
	(void)state;
	for (uint32_t s = 0; s < TCP_STATE_COUNT; s++) {
		struct fixture f = {0};

		if (!roads[s])
			continue;
		fixture_init(&f);
		roads[s](&f);
		fixture_fini(&f); /* tcp_destroy asserts that its pools are whole */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_by_flags),
		cmocka_unit_test(test_failure_then_close),
		cmocka_unit_test(test_destroy_in_every_state),
	};

	return cmocka_run_group_tests_name("tcp/state", tests, NULL, NULL);
}
