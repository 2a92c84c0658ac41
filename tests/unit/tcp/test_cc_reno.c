/* SPDX-License-Identifier: BSD-3-Clause */
/* Reno, and the slow start of all controls. */
#include "cc_fixture.h"

#define COUNT(cc, stat) (cc).f.tcp->stats[TCP_STAT_##stat]

/* Bytes are counted, not ACKs (RFC 3465), eight segments for one ACK at most (RFC 9406), one after
 * a timeout. */
static void test_slow_start(void **state)
{
	static const struct {
		uint32_t flags, ssthresh, acked_segs, grown_segs;
	} rows[] = {
		{0, TCP_CWND_MAX, 1, 1},
		{0, TCP_CWND_MAX, 2, 2},
		{0, TCP_CWND_MAX, 20, 8},
		{0, 100 * SEG, 2, 2},
		{0, 100 * SEG, 20, 2},
		{TCP_F_LOSS, 100 * SEG, 20, 1},
		{TCP_F_RECOVERY, 100 * SEG, 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cc cc;

		cc_init(&cc, TCP_CC_RENO, 10, 100);
		cc.c->flags |= rows[i].flags;
		cc.c->ssthresh = rows[i].ssthresh;
		cc_ack(&cc, rows[i].acked_segs * SEG, 0);
		assert_int_equal(cc.c->cwnd, (10 + rows[i].grown_segs) * SEG);
		cc_fini(&cc);
	}
}

/* One segment for each round trip, with a flight or without. */
static void test_avoidance(void **state)
{
	(void)state;
	for (int without = 0; without < 2; without++) {
		struct cc cc;

		cc_init(&cc, TCP_CC_RENO, 20, 100);
		cc_congestion(&cc, TCP_CC_LOSS);
		assert_int_equal(cc.c->cwnd, 10 * SEG);
		for (int i = 0; i < 10; i++) {
			uint32_t segs = cc.c->cwnd / SEG;
			uint32_t flight_ref = cc.c->flight_ref;
			struct tcp_ack a = {.acked_bytes = SEG, .cwnd_limited = true};

			if (without)
				cc.c->flight_ref = 0;
			for (uint32_t n = 0; n < segs; n++)
				tcp_cc(cc.c)->on_ack(cc.c, &a);
			cc.c->flight_ref = flight_ref;
		}
		assert_in_range(cc.c->cwnd, 19 * SEG, 20 * SEG);
		cc_fini(&cc);
	}
}

static void test_reductions(void **state)
{
	static const struct {
		uint32_t segs, in_use_segs, ssthresh;
		enum tcp_cc_cause cause;
		uint32_t after_segs;
	} rows[] = {
		{20, 20, TCP_CWND_MAX, TCP_CC_LOSS, 10},
		{20, 20, TCP_CWND_MAX, TCP_CC_TIMEOUT, 10},
		{20, 20, TCP_CWND_MAX, TCP_CC_ECN, 10}, /* slow start */
		{20, 20, 10 * SEG, TCP_CC_ECN, 16},     /* RFC 8511 */
		{20, 10, TCP_CWND_MAX, TCP_CC_LOSS, 5}, /* RFC 5681 equation 4 */
		{20, 30, TCP_CWND_MAX, TCP_CC_LOSS, 10},
		{3, 3, TCP_CWND_MAX, TCP_CC_LOSS, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cc cc;

		cc_init(&cc, TCP_CC_RENO, rows[i].segs, 100);
		cc.c->ssthresh = rows[i].ssthresh;
		cc.c->snd_max = seq_add(cc.c->snd_una, rows[i].in_use_segs * SEG);
		tcp_cc(cc.c)->on_congestion(cc.c, rows[i].cause);
		assert_int_equal(cc.c->ssthresh, rows[i].after_segs * SEG);
		cc_fini(&cc);
	}
}

/* The delay grows by an eighth: a quarter of the speed for five rounds, then it is over. */
static void test_hystart(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, TCP_CC_RENO, 10, 40);
	cc_round(&cc, 40000);
	assert_int_equal(cc.c->cwnd, 20 * SEG);
	cc_round(&cc, 44900); /* less than an eighth more */
	assert_int_equal(cc.c->cwnd, 40 * SEG);
	cc_round(&cc, 51000);
	assert_in_range(cc.c->cwnd, 40 * SEG, 60 * SEG);
	assert_int_equal(cc.c->ssthresh, TCP_CWND_MAX);
	for (int i = 0; i < 6 && cc.c->ssthresh == TCP_CWND_MAX; i++)
		cc_round(&cc, 51000);
	assert_in_range(cc.c->ssthresh, 80 * SEG, 160 * SEG);
	assert_int_equal(COUNT(cc, HYSTART_EXITS), 1);
	cc_fini(&cc);
}

/* A delay that was no queue: slow start goes on. */
static void test_hystart_resumes(void **state)
{
	struct cc cc;
	uint32_t cwnd;

	(void)state;
	cc_init(&cc, TCP_CC_RENO, 16, 40);
	cc_round(&cc, 40000);
	cc_round(&cc, 60000);
	cc_round(&cc, 60000);
	for (int i = 0; i < 3; i++)
		cc_round(&cc, 40000);
	cwnd = cc.c->cwnd / SEG * SEG;
	cc_round(&cc, 40000);
	assert_in_range(cc.c->cwnd, 2 * cwnd, 2 * cwnd + SEG);
	for (int i = 0; i < 3; i++)
		cc_round(&cc, 40000);
	assert_int_equal(cc.c->ssthresh, TCP_CWND_MAX);
	cc_fini(&cc);
}

/* Less than eight round trips in a round say nothing. */
static void test_hystart_few_samples(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, TCP_CC_RENO, 2, 40);
	cc_round(&cc, 40000);
	cc_round(&cc, 80000); /* of 4 */
	assert_int_equal(cc.c->cwnd, 8 * SEG);
	cc_fini(&cc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_avoidance),
		cmocka_unit_test(test_reductions),
		cmocka_unit_test(test_hystart),
		cmocka_unit_test(test_hystart_resumes),
		cmocka_unit_test(test_hystart_few_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
