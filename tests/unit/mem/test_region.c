/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>

#include "mem.h"

static void is_zeroed_and_writable_to_its_end(void **state)
{
	static const size_t rows[] = {0, 1, 4096, 4097, 2 << 20, (2 << 20) + 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mem_region region;
		char *p;

		assert_int_equal(mem_region_alloc(&region, rows[i], "test", NULL), 0);
		assert_true(region.size_bytes >= rows[i]);
		assert_int_equal((uintptr_t)region.base % 4096, 0);
		p = region.base;
		for (size_t at = 0; at < region.size_bytes; at += 512)
			assert_int_equal(p[at], 0);
		p[0] = p[region.size_bytes - 1] = 1;
		mem_region_free(&region);
		assert_null(region.base);
		mem_region_free(&region);
	}
	mem_region_free(NULL);
}

static void untouched_pages_cost_nothing(void **state)
{
	struct mem_region region;
	char *p;

	(void)state;
	assert_int_equal(mem_region_alloc(&region, (size_t)1 << 36, "a lot", NULL), 0);
	p = region.base;
	p[(size_t)1 << 35] = 1;
	mem_region_free(&region);
}

static void refusal_names_what_and_how_much(void **state)
{
	static const size_t rows[] = {(size_t)1 << 60, SIZE_MAX};
	struct mem_region region;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};

		assert_int_equal(mem_region_alloc(&region, rows[i], "frobs", &err), -ENOMEM);
		assert_int_equal(err.code, -ENOMEM);
		assert_non_null(strstr(err.text, "frobs"));
		assert_null(region.base);
		mem_region_free(&region);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_zeroed_and_writable_to_its_end),
		cmocka_unit_test(untouched_pages_cost_nothing),
		cmocka_unit_test(refusal_names_what_and_how_much),
	};

	return cmocka_run_group_tests_name("mem/region", tests, NULL, NULL);
}
