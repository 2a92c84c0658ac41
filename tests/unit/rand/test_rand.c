/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "rand.h"

static void matches_reference_sequence(void **state)
{
	static const uint64_t want[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
	struct rand r = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_true(rand_u64(&r) == want[i]);
}

static void seed_expands_by_splitmix64(void **state)
{
	static const uint64_t want[] = {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
		UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec)};
	struct rand r;

	(void)state;
	rand_init(&r, 0);
	assert_memory_equal(r.s, want, sizeof(want));
}

static void same_seed_same_sequence(void **state)
{
	struct rand a, b, c;
	int differ = 0;

	(void)state;
	rand_init(&a, 7);
	rand_init(&b, 7);
	rand_init(&c, 8);
	for (int i = 0; i < 100; i++) {
		uint64_t x = rand_u64(&a);

		assert_true(x == rand_u64(&b));
		differ += x != rand_u64(&c);
	}
	assert_int_equal(differ, 100);
}

/* With limit 3 * 2^30 a plain modulo gives the values below 2^30 twice as often. */
static void below_is_uniform(void **state)
{
	const uint32_t limit = UINT32_C(3) << 30;
	const int draws = 30000;
	uint32_t low = 0;
	struct rand r;

	(void)state;
	rand_init(&r, 1);
	for (int i = 0; i < draws; i++) {
		uint32_t x = rand_below(&r, limit);

		assert_true(x < limit);
		low += x < UINT32_C(1) << 30;
	}
	assert_in_range(low, draws / 3 - 500, draws / 3 + 500);
}

static void below_reaches_every_value(void **state)
{
	uint32_t seen = 0;
	struct rand r;

	(void)state;
	rand_init(&r, 1);
	for (int i = 0; i < 1000; i++)
		seen |= 1u << rand_below(&r, 7);
	assert_int_equal(seen, 0x7f);
	assert_int_equal(rand_below(&r, 1), 0);
}

static void system_bytes_fill_all(void **state)
{
	uint8_t a[1000] = {0};
	int zeros = 0;

	(void)state;
	assert_int_equal(rand_system_bytes(a, sizeof(a)), 0);
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	assert_true(zeros < 50);
	assert_int_equal(rand_system_bytes(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_reference_sequence),
		cmocka_unit_test(seed_expands_by_splitmix64),
		cmocka_unit_test(same_seed_same_sequence),
		cmocka_unit_test(below_is_uniform),
		cmocka_unit_test(below_reaches_every_value),
		cmocka_unit_test(system_bytes_fill_all),
	};

	return cmocka_run_group_tests_name("rand", tests, NULL, NULL);
}
