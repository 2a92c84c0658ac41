/* SPDX-License-Identifier: BSD-3-Clause */
/* Pacing: what may leave, and when. */
#include "cc_fixture.h"

#define TICK_US (TIMER_TICK_NS / NS_PER_US)

/* A window that makes the rate: slow start sends it twice in a round trip. */
static void pace_init(struct cc *cc, uint64_t bytes_per_s)
{
	cc_init(cc, TCP_CC_RENO, 1, 100);
	cc->f.tcp->config.pacing = true;
	cc->c->cwnd = (uint32_t)(bytes_per_s / 20);
	assert_int_equal(tcp_pace_rate(cc->c), bytes_per_s / 20 * 20);
}

static void test_quantum(void **state)
{
	static const struct {
		uint64_t rate;
		uint32_t bytes;
	} rows[] = {
		/* a tick is 1,048,576 ns */
		{1000, SEG},
		{1250000, SEG},
		{2500000, 2621},
		{12500000, 13107},
		{125000000, 131072},
		{1250000000, 1310720},
		{12500000000, 13107200},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cc cc;

		pace_init(&cc, rows[i].rate);
		assert_int_equal(tcp_pace_quantum(cc.c), rows[i].bytes);
		assert_int_equal(tcp_pace_room(cc.c), rows[i].bytes);
		cc_fini(&cc);
	}
}

/* The largest window and the least round trip overflow nothing. */
static void test_rate_is_bounded(void **state)
{
	struct cc cc;

	(void)state;
	pace_init(&cc, 1000);
	cc.c->cwnd = TCP_CWND_MAX;
	cc.c->srtt_us = 1;
	assert_true(tcp_pace_rate(cc.c) == UINT64_C(1) << 40);
	assert_int_equal(tcp_pace_room(cc.c), (UINT64_C(1) << 60) / NS_PER_SEC);
	tcp_pace_sent(cc.c, TCP_CWND_MAX);
	assert_int_equal(
		tcp_pace_room(cc.c), ((UINT64_C(1) << 40) * (TIMER_TICK_NS - 976562)) / NS_PER_SEC);
	cc_fini(&cc);
}

/* However it is cut and woken, what leaves in a second is the rate and one quantum. */
static void test_rate_is_kept(void **state)
{
	static const uint64_t rates[] = {100000, 1250000, 12500000, 125000000, 1250000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rates); i++)
		for (uint32_t late_us = 0; late_us <= 1000; late_us += 500) {
			uint64_t sent = 0, at_us = 0;
			struct cc cc;

			pace_init(&cc, rates[i]);
			while (at_us < 1000000) {
				uint64_t now_ns = cc.f.workers->w[0]->now_ns, wait_us;

				while (tcp_pace_room(cc.c)) {
					tcp_pace_sent(cc.c, SEG);
					sent += SEG;
				}
				assert_true(cc.c->flags & TCP_F_PACED);
				assert_true(tcp_pace_at(cc.c) > now_ns);
				wait_us = (tcp_pace_at(cc.c) - now_ns) / NS_PER_US + 1 + late_us;
				cc_advance_us(&cc, wait_us);
				at_us += wait_us;
				cc.c->flags &= ~(uint32_t)TCP_F_PACED;
			}
			assert_in_range(sent, (uint64_t)(rates[i] * 0.98),
				rates[i] + 2 * (uint64_t)tcp_pace_quantum(cc.c) + 2 * SEG);
			cc_fini(&cc);
		}
}

/* A pause earns nothing: afterwards a quantum leaves, not what was missed. */
static void test_pause(void **state)
{
	struct cc cc;

	(void)state;
	pace_init(&cc, 12500000);
	tcp_pace_sent(cc.c, SEG);
	cc_advance_us(&cc, 5000000);
	assert_int_equal(tcp_pace_room(cc.c), tcp_pace_quantum(cc.c));
	cc_fini(&cc);
}

/* Without a rate, or without memory, nothing waits. */
static void test_not_paced(void **state)
{
	uint32_t flight_ref;
	struct cc cc;

	(void)state;
	pace_init(&cc, 12500000);
	for (int i = 0; i < 100; i++)
		tcp_pace_sent(cc.c, SEG);
	assert_int_equal(tcp_pace_room(cc.c), 0);
	flight_ref = cc.c->flight_ref;
	cc.c->flight_ref = 0;
	assert_int_equal(tcp_pace_room(cc.c), UINT32_MAX);
	assert_true(tcp_pace_at(cc.c) == UINT64_MAX);
	cc.c->flight_ref = flight_ref;
	cc.f.tcp->config.pacing = false;
	assert_int_equal(tcp_pace_room(cc.c), UINT32_MAX);
	cc_fini(&cc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantum),
		cmocka_unit_test(test_rate_is_bounded),
		cmocka_unit_test(test_rate_is_kept),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_not_paced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
