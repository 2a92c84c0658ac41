/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies: what they carry, which cores and times they are good for, what turns them on. */
#include "fixture.h"

/* A SYN with these options gets a cookie; the ACK of it comes `ms` later. */
static struct tcp_conn *handshake(struct fixture *f, struct wire_tcp syn, uint32_t ms)
{
	struct wire_tcp answer, ack;

	f->conn = NULL;
	syn.src_port = f->remote_port;
	syn.dst_port = 80;
	syn.seq = f->seq;
	syn.flags = WIRE_TCP_SYN;
	receive_header(f, &syn);
	answer = sent(f);
	assert_int_equal(answer.flags, WIRE_TCP_SYN | WIRE_TCP_ACK);
	ack = (struct wire_tcp){
		.src_port = f->remote_port,
		.dst_port = 80,
		.seq = answer.ack,
		.ack = seq_add(answer.seq, 1),
		.window = 1000,
		.flags = WIRE_TCP_ACK,
		.has_timestamp = answer.has_timestamp,
		.ts_val = syn.ts_val + ms,
		.ts_ecr = answer.ts_val,
	};
	fake_workers_run_for(f->workers, ms * NS_PER_MS);
	receive_header(f, &ack);
	return f->conn;
}

static void cookies_always(struct fixture *f)
{
	f->config.cookies = TCP_COOKIES_ALWAYS;
	f->remote_port = 5000;
	f->local_port = 80;
	fixture_init(f);
}

static void test_mss(void **state)
{
	static const struct {
		uint16_t offered, kept;
	} rows[] = {
		{0, 64},
		{63, 64},
		{535, 64},
		{536, 536},
		{1219, 536},
		{1220, 1220},
		{1380, 1360},
		{1412, 1400},
		{1452, 1440},
		{1460, 1460},
		{8959, 1460}, /* our own limit, too */
		{65535, 1460},
	};
	struct fixture f = {0};

	(void)state;
	cookies_always(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_tcp syn = {.has_mss = true, .mss = rows[i].offered};
		struct tcp_conn *c = handshake(&f, syn, 1);

		assert_non_null(c);
		assert_int_equal(c->mss, rows[i].kept);
		f.remote_port++;
	}
	fixture_fini(&f);
}

/* Every window scale, with and without SACK, at every millisecond of the bits' round. */
static void test_options(void **state)
{
	struct fixture f = {.config = {.conns_max = 256}};

	(void)state;
	cookies_always(&f);
	for (uint32_t i = 0; i < 128; i++) {
		struct wire_tcp syn = {
			.has_timestamp = true,
			.ts_val = 7000,
			.has_window_scale = i % 16 != 15,
			.window_scale = i % 16 % 15,
			.has_sack_permitted = i & 16,
		};
		struct tcp_conn *c = handshake(&f, syn, i % 67);

		assert_non_null(c);
		assert_int_equal(!!(c->flags & TCP_F_WSCALE), syn.has_window_scale);
		assert_int_equal(c->snd_shift, syn.window_scale);
		assert_int_equal(!!(c->flags & TCP_F_SACK), syn.has_sack_permitted);
		assert_true(c->flags & TCP_F_TS);
		assert_int_equal(c->snd_wnd, 1000u << syn.window_scale);
		f.remote_port++;
	}
	fixture_fini(&f);
}

/* Our timestamps never run ahead of the clock, and so never go back. */
static void test_timestamps_grow(void **state)
{
	struct fixture f = {0};
	uint32_t last = 0;

	(void)state;
	cookies_always(&f);
	for (uint32_t i = 0; i < 200; i++) {
		struct wire_tcp syn = {
			.src_port = 5000,
			.dst_port = 80,
			.seq = f.seq,
			.flags = WIRE_TCP_SYN,
			.has_timestamp = true,
			.has_window_scale = i & 1,
			.has_sack_permitted = i & 2,
		};
		struct tcp_tuple tuple = {.local = f.ip->own,
			.remote = ip_addr_from_v4(0x0a000002),
			.local_port = 80,
			.remote_port = 5000};
		uint32_t now = tcp_now_ms(f.tcp) + tcp_tuple_hash(f.tcp, &tuple).ts_offset, ts;

		receive_header(&f, &syn);
		ts = sent(&f).ts_val;
		assert_in_range(now - ts, 0, 127);
		if (i >= 4) /* the same bits, four turns later */
			assert_true((int32_t)(ts - last) > -128);
		last = ts;
		fake_workers_run_for(f.workers, NS_PER_MS);
	}
	fixture_fini(&f);
}

/* What one core sent any other can check: they share the secret and the clock. */
static void test_any_core(void **state)
{
	struct fixture one = {0}, two = {0};
	struct wire_tcp answer;

	(void)state;
	cookies_always(&one);
	receive(&one, WIRE_TCP_SYN, one.seq, SEQ(0));
	answer = sent(&one);
	fixture_fini(&one);
	cookies_always(&two);
	two.remote_port++;
	receive(&two, WIRE_TCP_SYN, two.seq, SEQ(0)); /* it has cookies of its own out */
	(void)sent(&two);
	two.remote_port--;
	receive(&two, WIRE_TCP_ACK, answer.ack, seq_add(answer.seq, 1));
	assert_non_null(two.conn);
	fixture_fini(&two);
}

/* Good in its own minute and in the next, whenever it was sent. */
static void test_age(void **state)
{
	static const struct {
		uint32_t sent_s, after_s;
		bool good;
	} rows[] = {
		{1, 58, true},
		{1, 118, true},
		{1, 119, false},
		{59, 1, true},
		{59, 60, true},
		{59, 61, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = {0};
		uint64_t minute = 60 * NS_PER_SEC, now;

		cookies_always(&f);
		now = f.workers->clock.now_ns % minute;
		fake_workers_run_for(f.workers, minute - now + rows[i].sent_s * NS_PER_SEC);
		assert_int_equal(!!handshake(&f, (struct wire_tcp){0}, rows[i].after_s * 1000),
			rows[i].good);
		fixture_fini(&f);
	}
}

/* The connection pool presses as well: nearly empty turns them on, an eighth free turns them off.
 */
static void test_pool_presses(void **state)
{
	struct fixture f = {.config = {.conns_max = 64}, .remote_port = 1000, .local_port = 80};
	struct tcp_conn *conns[64];
	uint32_t count = 0;

	(void)state;
	fixture_init(&f);
	while (!tcp_cookies_update(f.tcp)) {
		conns[count] = handshake(&f, (struct wire_tcp){0}, 1);
		assert_non_null(conns[count]);
		count++;
		f.remote_port++;
	}
	assert_int_equal(count, 60); /* a sixteenth is left */
	for (; count < 64; count++, f.remote_port++)
		conns[count] = handshake(&f, (struct wire_tcp){0}, 1);
	assert_int_equal(f.tcp->stats[TCP_STAT_COOKIES_GOOD], 4);
	receive(&f, WIRE_TCP_SYN, f.seq, SEQ(0)); /* no connection could come of it */
	assert_int_equal(sent(&f).flags, 0);
	assert_int_equal(f.tcp->stats[TCP_STAT_NO_CONN], 1);
	for (count = 0; count < 8; count++)
		tcp_conn_abort(conns[count]);
	fake_workers_settle(f.workers);
	assert_true(f.tcp->cookies_on);
	tcp_conn_abort(conns[count]);
	fake_workers_settle(f.workers);
	assert_false(f.tcp->cookies_on);
	assert_int_equal(f.tcp->stats[TCP_STAT_COOKIES_ON], 0);
	fixture_fini(&f);
}

/* Numbers at random are not cookies. */
static void test_guesses(void **state)
{
	struct fixture f = {0};
	struct rand rand;

	(void)state;
	rand_init(&rand, 1);
	cookies_always(&f);
	receive(&f, WIRE_TCP_SYN, f.seq, SEQ(0));
	(void)sent(&f);
	for (uint32_t i = 0; i < 20000; i++) {
		receive(&f, WIRE_TCP_ACK, SEQ(rand_u32(&rand)), SEQ(rand_u32(&rand)));
		(void)sent(&f);
	}
	assert_int_equal(f.tcp->stats[TCP_STAT_COOKIES_BAD], 20000);
	assert_int_equal(f.tcp->stats[TCP_STAT_CONNS], 0);
	fixture_fini(&f);
}

static void keep_info(void *ctx, const struct tcp_listener_info *info)
{
	*(struct tcp_listener_info *)ctx = *info;
}

/* A turn's worth of SYNs has its answers in the same turn; what is beyond is counted. */
static void test_full_turn(void **state)
{
	struct fixture f = {0};
	struct tcp_listener_info info = {0};
	uint32_t cursor = 0;

	(void)state;
	cookies_always(&f);
	for (uint32_t i = 0; i < TCP_REPLIES_MAX + 3; i++) {
		struct wire_tcp h = {
			.src_port = (uint16_t)(1000 + i),
			.dst_port = 80,
			.flags = WIRE_TCP_SYN,
		};

		give_header(&f, &h);
	}
	fake_workers_settle(f.workers);
	assert_int_equal(f.ip->sent_count, TCP_REPLIES_MAX);
	assert_int_equal(f.tcp->stats[TCP_STAT_COOKIES_SENT], TCP_REPLIES_MAX);
	assert_int_equal(f.tcp->stats[TCP_STAT_REPLY_FULL], 3);
	assert_true(tcp_listener_each(f.tcp, &cursor, 0, keep_info, &info));
	assert_false(tcp_listener_each(f.tcp, &cursor, 1, keep_info, &info));
	assert_int_equal(cursor, 1);
	assert_int_equal(info.cookies_sent, TCP_REPLIES_MAX);
	assert_int_equal(info.half_open, 0);
	assert_int_equal(info.local.port, 80);
	assert_true(info.cookies);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mss),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_timestamps_grow),
		cmocka_unit_test(test_any_core),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_pool_presses),
		cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_full_turn),
	};

	return cmocka_run_group_tests_name("tcp/cookie", tests, NULL, NULL);
}
