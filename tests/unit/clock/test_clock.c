/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "clock.h"

static void manual_clock_stands_until_moved(void **state)
{
	struct clock_manual m;
	uint64_t wall;

	(void)state;
	clock_manual_init(&m, 5);
	wall = m.clock.wall_ns(&m.clock);
	assert_true(wall == UINT64_C(1767225600000000000));
	assert_true(m.clock.now_ns(&m.clock) == 5);
	assert_true(m.clock.now_ns(&m.clock) == 5);
	clock_manual_advance(&m, 3 * NS_PER_SEC);
	assert_true(m.clock.now_ns(&m.clock) == 3 * NS_PER_SEC + 5);
	assert_true(m.clock.wall_ns(&m.clock) == wall + 3 * NS_PER_SEC);
}

static void real_clock_never_goes_back(void **state)
{
	struct clock *clock = clock_real();
	uint64_t before = clock->now_ns(clock);

	(void)state;
	assert_true(before > 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock->now_ns(clock);

		assert_true(now >= before);
		before = now;
	}
	assert_true(clock->wall_ns(clock) > UINT64_C(1700000000) * NS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual_clock_stands_until_moved),
		cmocka_unit_test(real_clock_never_goes_back),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
