/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "base_seq.h"

static void compares_across_the_wrap(void **state)
{
	static const struct {
		uint32_t a, b;
		int32_t diff;
	} rows[] = {
		{0, 0, 0},
		{1, 0, 1},
		{0, 1, -1},
		{0, UINT32_MAX, 1},
		{UINT32_MAX, 0, -1},
		{0x7fffffff, 0, INT32_MAX},
		{5, UINT32_MAX - 4, 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct seq a = SEQ(rows[i].a), b = SEQ(rows[i].b);

		assert_int_equal(seq_diff(a, b), rows[i].diff);
		assert_int_equal(seq_lt(a, b), rows[i].diff < 0);
		assert_int_equal(seq_leq(a, b), rows[i].diff <= 0);
		assert_int_equal(seq_gt(a, b), rows[i].diff > 0);
		assert_int_equal(seq_geq(a, b), rows[i].diff >= 0);
		assert_true(seq_eq(seq_add(b, (uint32_t)rows[i].diff), a));
		assert_true(seq_eq(seq_sub(a, (uint32_t)rows[i].diff), b));
		assert_true(seq_eq(seq_max(a, b), rows[i].diff < 0 ? b : a));
		assert_true(seq_eq(seq_min(a, b), rows[i].diff < 0 ? a : b));
	}
}

static void window_holds_its_first_but_not_its_end(void **state)
{
	struct seq lo = SEQ(UINT32_MAX - 1);

	(void)state;
	assert_true(seq_in_window(lo, lo, 4));
	assert_true(seq_in_window(SEQ(1), lo, 4));
	assert_false(seq_in_window(SEQ(2), lo, 4));
	assert_false(seq_in_window(SEQ(UINT32_MAX - 2), lo, 4));
	assert_false(seq_in_window(lo, lo, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_across_the_wrap),
		cmocka_unit_test(window_holds_its_first_but_not_its_end),
	};

	return cmocka_run_group_tests_name("base/seq", tests, NULL, NULL);
}
