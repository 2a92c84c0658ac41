/* SPDX-License-Identifier: BSD-3-Clause */
/* CUBIC against values computed elsewhere, with sixty decimal digits. */
#include "cc_fixture.h"

static void test_root_at_its_edges(void **state)
{
	(void)state;
	assert_int_equal(tcp_cubic_root(0), 0);
	assert_int_equal(tcp_cubic_root(UINT64_MAX), 2642245);
	for (uint64_t n = 1; n <= 2642245; n++) {
		uint64_t cube = n * n * n;

		if (tcp_cubic_root(cube) != n || tcp_cubic_root(cube - 1) != n - 1)
			fail_msg("the root of %llu", (unsigned long long)cube);
	}
}

static void test_k(void **state)
{
	static const struct {
		uint32_t below_bytes, seg, k_ms;
	} rows[] = {
		{0, 1460, 0},
		{1, 1460, 119},
		{30 * 1460, 1460, 4217},
		{300 * 1448, 1448, 9085},
		{100, 64, 1574},
		{1, 65535, 33},
		{1u << 30, 64, 347445},
		{1u << 30, 1460, 122507},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(tcp_cubic_k_ms(rows[i].below_bytes, rows[i].seg), rows[i].k_ms);
}

/* Below W_max the result is cut upwards, above it downwards. */
static void test_window(void **state)
{
	static const struct {
		uint32_t w_max, k_ms, t_ms, seg, bytes;
	} rows[] = {
		{146000, 4217, 0, 1460, 102206},
		{146000, 4217, 1000, 1460, 126557},
		{146000, 4217, 2000, 1460, 139637},
		{146000, 4217, 4000, 1460, 145995},
		{146000, 4217, 4217, 1460, 146000},
		{146000, 4217, 5000, 1460, 146280},
		{146000, 4217, 8434, 1460, 189794},
		{146000, 4217, 20000, 1460, 2442050},
		{1448000, 9086, 0, 1448, 1013544},
		{1448000, 9086, 18172, 1448, 1882456},
		{14600, 0, 100, 1460, 14600},
		{14600, 0, 10000, 1460, 598600},
		{1000000, 10000, 0, 64, 974400},
		{640, 10000, 0, 64, 0},
		{1048560, 3000, 1, 65535, 341490},
		{64, 0, 400000, 64, TCP_CWND_MAX},
		{64, 0, UINT32_MAX, 64, TCP_CWND_MAX},
		{TCP_CWND_MAX, 0, UINT32_MAX, 65535, TCP_CWND_MAX},
		{1, UINT32_MAX, 0, 65535, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			tcp_cubic_window(rows[i].w_max, rows[i].k_ms, rows[i].t_ms, rows[i].seg),
			rows[i].bytes);
}

/* 100 segments were too many: the window lies between W(t) and W(t + RTT), which are these. */
static void test_curve(void **state)
{
	static const uint32_t curve[] = {/* every 500 ms, from 70 segments on */
		102206, 116010, 126557, 134287, 139637, 143044, 144948, 145785, 145995, 146013,
		146280, 147233, 149310, 152949, 158587, 166664, 177617};
	struct cc cc;
	struct tcp_conn *c;

	(void)state;
	cc_init(&cc, TCP_CC_CUBIC, 100, 100);
	c = cc.c;
	cc_congestion(&cc, TCP_CC_LOSS);
	assert_int_equal(c->ssthresh, 70 * SEG);
	cc_ack(&cc, SEG, 100000);
	for (uint32_t at = 0; at < ARRAY_LEN(curve) - 1; at++) {
		assert_in_range(c->cwnd, curve[at] - SEG, curve[at + 1]);
		for (int i = 0; i < 5; i++)
			cc_round(&cc, 100000);
	}
	cc_fini(&cc);
}

/* With a short round trip Reno would be faster: 9/17 of a segment for each one until the old window
 * is reached, then a whole one (RFC 9438 4.3). */
static void test_reno_friendly(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, TCP_CC_CUBIC, 20, 5);
	cc_congestion(&cc, TCP_CC_LOSS);
	assert_int_equal(cc.c->cwnd, 14 * SEG);
	for (int i = 0; i < 10; i++)
		cc_round(&cc, 5000);
	assert_in_range(cc.c->cwnd, 19 * SEG, 19 * SEG + SEG / 2);
	for (int i = 0; i < 20; i++)
		cc_round(&cc, 5000);
	assert_in_range(cc.c->cwnd, 37 * SEG, 39 * SEG);
	cc_fini(&cc);
}

/* A window that falls twice gives way: W_max is below the window it had (RFC 9438 4.7). */
static void test_fast_convergence(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, TCP_CC_CUBIC, 100, 300);
	cc_congestion(&cc, TCP_CC_LOSS);
	cc_congestion(&cc, TCP_CC_LOSS);
	assert_int_equal(cc.c->cwnd, 49 * SEG);
	for (int i = 0; i < 10; i++) /* K of the 10.5 segments to 59.5: 2.97 s */
		cc_round(&cc, 300000);
	assert_in_range(cc.c->cwnd, 59 * SEG, 60 * SEG + SEG / 2);
	cc_fini(&cc);
}

/* A timeout: slow start to 0.7, then the curve begins flat from there (RFC 9438 4.8). */
static void test_timeout(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, TCP_CC_CUBIC, 100, 100);
	cc_congestion(&cc, TCP_CC_TIMEOUT);
	assert_int_equal(cc.c->cwnd, SEG);
	while (cc.c->cwnd < cc.c->ssthresh)
		cc_round(&cc, 100000);
	for (int i = 0; i < 10; i++)
		cc_round(&cc, 100000);
	assert_in_range(
		cc.c->cwnd, 75 * SEG, 77 * SEG); /* Reno's 70 + 5.3, not the 86 of the curve */
	cc_fini(&cc);
}

/* Time in which the window was not in use moves nothing (RFC 9438 4.2, 5.8). */
static void test_application_limited(void **state)
{
	struct cc cc;
	uint32_t cwnd;

	(void)state;
	cc_init(&cc, TCP_CC_CUBIC, 100, 100);
	cc_congestion(&cc, TCP_CC_LOSS);
	for (int i = 0; i < 5; i++)
		cc_round(&cc, 100000);
	cwnd = cc.c->cwnd;
	for (int i = 0; i < 100; i++) {
		cc_advance_us(&cc, 100000);
		tcp_cc(cc.c)->on_ack(cc.c, &(struct tcp_ack){.acked_bytes = SEG});
	}
	assert_int_equal(cc.c->cwnd, cwnd);
	cc_round(&cc, 100000);
	assert_in_range(cc.c->cwnd, cwnd, cwnd + 3 * SEG);
	cc_advance_us(&cc, 20000000); /* no ACK told of this time */
	cwnd = cc.c->cwnd;
	cc_round(&cc, 100000);
	assert_in_range(cc.c->cwnd, cwnd, cwnd + 5 * SEG);
	cc_fini(&cc);
}

/* RFC 8511: 0.85 for a mark in congestion avoidance, 0.7 in slow start. */
static void test_marks(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, TCP_CC_CUBIC, 100, 100);
	cc_congestion(&cc, TCP_CC_ECN);
	assert_int_equal(cc.c->cwnd, 70 * SEG);
	cc_congestion(&cc, TCP_CC_ECN);
	assert_int_equal(cc.c->cwnd, 70 * SEG / 100 * 85);
	cc.c->cwnd = SEG;
	cc_congestion(&cc, TCP_CC_ECN);
	assert_int_equal(cc.c->ssthresh, 2 * SEG);
	cc_fini(&cc);
}

/* A reduction that was none leaves no trace (RFC 9438 4.9). */
static void test_undo(void **state)
{
	uint32_t without[60];

	(void)state;
	for (int with = 0; with < 2; with++) {
		struct cc cc;

		cc_init(&cc, TCP_CC_CUBIC, 100, 100);
		cc_congestion(&cc, TCP_CC_LOSS);
		for (int i = 0; i < 60; i++) {
			uint32_t cwnd = cc.c->cwnd, ssthresh = cc.c->ssthresh;

			if (with && i == 10) {
				cc_congestion(&cc, TCP_CC_LOSS);
				cc.c->cwnd = cwnd;
				cc.c->ssthresh = ssthresh;
				tcp_cc(cc.c)->on_undo(cc.c);
			}
			cc_round(&cc, 100000);
			if (!with)
				without[i] = cc.c->cwnd;
			assert_int_equal(cc.c->cwnd, without[i]);
		}
		cc_fini(&cc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_at_its_edges),
		cmocka_unit_test(test_k),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_curve),
		cmocka_unit_test(test_reno_friendly),
		cmocka_unit_test(test_fast_convergence),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_application_limited),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_undo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
