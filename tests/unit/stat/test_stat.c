/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "stat.h"

enum test_stat {
#define STAT(symbol, kind, text) TEST_STAT_##symbol,
#include "test_stat.def"
#undef STAT
	TEST_STAT_COUNT,
};

static const struct stat_row rows[] = {
#define STAT(symbol, kind, text) STAT_ROW(symbol, kind, text)
#include "test_stat.def"
#undef STAT
};

static void rows_become_a_table(void **state)
{
	char buf[STAT_NAME_SIZE];

	(void)state;
	assert_int_equal(ARRAY_LEN(rows), TEST_STAT_COUNT);
	assert_string_equal(stat_row_name(&rows[TEST_STAT_DROP_SHORT], buf), "drop_short");
	assert_string_equal(rows[TEST_STAT_CONNS].text, "connections now");
	assert_int_equal(rows[TEST_STAT_CONNS].kind, STAT_GAUGE);
}

static void sums_over_cores(void **state)
{
	enum { CORES = 3 };
	uint64_t values[CORES][TEST_STAT_COUNT], other[1];
	struct stat_group groups[CORES], stranger;
	struct list heads[CORES];
	const struct list *lists[CORES];

	(void)state;
	for (uint32_t i = 0; i < CORES; i++) {
		list_init(&heads[i]);
		lists[i] = &heads[i];
		values[i][TEST_STAT_RX_SEGS] = 99; /* init clears it */
		stat_group_init(&groups[i], "test", rows, TEST_STAT_COUNT, values[i]);
	}
	stat_group_init(&stranger, "stranger", rows, 1, other);
	list_add_tail(&heads[0], &stranger.link);
	list_add_tail(&heads[0], &groups[0].link);
	list_add_tail(&heads[2], &groups[2].link); /* core 1 has no such module */

	stat_add(&values[0][TEST_STAT_RX_SEGS], 5);
	stat_add(&values[1][TEST_STAT_RX_SEGS], 1000);
	stat_add(&values[2][TEST_STAT_RX_SEGS], 7);
	assert_true(stat_sum(lists, CORES, "test", TEST_STAT_RX_SEGS) == 12);
	/* a gauge may go below 0 on one core: what rose here fell there */
	stat_add(&values[0][TEST_STAT_CONNS], 3);
	stat_sub(&values[2][TEST_STAT_CONNS], 2);
	assert_true(stat_sum(lists, CORES, "test", TEST_STAT_CONNS) == 1);
	assert_true(stat_sum(lists, CORES, "test", TEST_STAT_COUNT) == 0);
	assert_true(stat_sum(lists, CORES, "nobody", 0) == 0);
	assert_ptr_equal(stat_group_find(&heads[0], "test"), &groups[0]);
	assert_null(stat_group_find(&heads[1], "test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_a_table),
		cmocka_unit_test(sums_over_cores),
	};

	return cmocka_run_group_tests_name("stat", tests, NULL, NULL);
}
