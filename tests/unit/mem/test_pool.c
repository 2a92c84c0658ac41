/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>

#include "dies.h"
#include "mem_pvt.h"

static void hands_out_all_and_no_more(void **state)
{
	static const struct {
		size_t size, align, stride;
	} rows[] = {
		{1, 8, 8},
		{8, 8, 8},
		{9, 8, 16},
		{100, 64, 128},
		{24, 8, 24},
		{5000, 4096, 8192},
	};
	enum { COUNT = 100 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mem_pool pool;
		char *objects[COUNT];

		assert_int_equal(
			mem_pool_init(&pool, "test", rows[i].size, rows[i].align, COUNT, NULL), 0);
		assert_int_equal(pool.object_size_bytes, rows[i].stride);
		for (uint32_t n = 0; n < COUNT; n++) {
			objects[n] = mem_pool_get(&pool);
			assert_non_null(objects[n]);
			assert_int_equal((uintptr_t)objects[n] % rows[i].align, 0);
			assert_int_equal(mem_pool_index(&pool, objects[n]), n);
			assert_ptr_equal(mem_pool_at(&pool, n), objects[n]);
			memset(objects[n], (int)n, rows[i].size);
		}
		assert_null(mem_pool_get(&pool));
		assert_int_equal(pool.fail_count, 1);
		for (uint32_t n = 0; n < COUNT; n++) {
			assert_int_equal(objects[n][rows[i].size - 1], n);
			mem_pool_put(&pool, objects[n]);
		}
		assert_int_equal(pool.count_used, 0);
		assert_int_equal(pool.count_used_max, COUNT);
		assert_int_equal(mem_pool_fini(&pool), 0);
	}
}

static void last_returned_comes_first(void **state)
{
	struct mem_pool pool;
	void *a, *b;

	(void)state;
	assert_int_equal(mem_pool_init(&pool, "test", 40, 8, 10, NULL), 0);
	a = mem_pool_get(&pool);
	b = mem_pool_get(&pool);
	mem_pool_put(&pool, a);
	mem_pool_put(&pool, b);
	assert_ptr_equal(mem_pool_get(&pool), b);
	assert_ptr_equal(mem_pool_get(&pool), a);
	assert_int_equal(pool.count_fresh, 2);
	assert_int_equal(mem_pool_fini(&pool), 2);
	assert_int_equal(mem_pool_fini(&pool), 0);
	assert_int_equal(mem_pool_fini(NULL), 0);
}

static void nth_get_fails_on_request(void **state)
{
	struct mem_pool pool;
	void *a, *b;

	(void)state;
	assert_int_equal(mem_pool_init(&pool, "test", 8, 8, 10, NULL), 0);
	pool.fail_nth = 2;
	a = mem_pool_get(&pool);
	assert_non_null(a);
	assert_null(mem_pool_get(&pool));
	b = mem_pool_get(&pool);
	assert_non_null(b);
	assert_int_equal(pool.fail_count, 1);
	assert_int_equal(pool.count_used, 2);
	mem_pool_put(&pool, a);
	mem_pool_put(&pool, b);
	assert_int_equal(mem_pool_fini(&pool), 0);
}

static void pool_without_objects_is_always_empty(void **state)
{
	struct mem_pool pool;

	(void)state;
	assert_int_equal(mem_pool_init(&pool, "test", 8, 8, 0, NULL), 0);
	assert_null(mem_pool_get(&pool));
	assert_int_equal(mem_pool_fini(&pool), 0);
}

static void too_large_a_pool_is_refused(void **state)
{
	struct error err = {0};
	struct mem_pool pool;

	(void)state;
	assert_int_equal(
		mem_pool_init(&pool, "moons", UINT32_MAX / 2, 8, UINT32_MAX, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "moons"));
	assert_null(mem_pool_get(&pool));
	assert_int_equal(mem_pool_fini(&pool), 0);
}

/* Objects at high offsets: the index must not lose bits. */
static void index_is_exact_in_a_large_pool(void **state)
{
	static const size_t sizes[] = {8, 24, 40, 1000, 65544};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct mem_pool pool;
		uint32_t max = (uint32_t)MIN((size_t)UINT32_MAX, ((size_t)1 << 36) / sizes[i]);

		assert_int_equal(mem_pool_init(&pool, "large", sizes[i], 8, max, NULL), 0);
		pool.count_fresh = max; /* as if all had been handed out */
		for (uint32_t n = 0; n < 64; n++) {
			uint32_t index = n < 32 ? n : max - 1 - (n - 32);

			assert_int_equal(mem_pool_index(&pool, mem_pool_at(&pool, index)), index);
		}
		pool.count_fresh = 0;
		assert_int_equal(mem_pool_fini(&pool), 0);
	}
}

static struct mem_pool victim;

static void put_it(void *arg)
{
	mem_pool_put(&victim, arg);
}

static void index_it(void *arg)
{
	mem_pool_index(&victim, arg);
}

static void foreign_pointers_abort(void **state)
{
	char *a, *fresh;
	uint64_t local;

	(void)state;
	assert_int_equal(mem_pool_init(&victim, "test", 48, 8, 10, NULL), 0);
	a = mem_pool_get(&victim);
	fresh = a + 48;
	assert_true(dies(put_it, &local));
	assert_true(dies(put_it, a + 8));
	assert_true(dies(put_it, fresh));
	assert_true(dies(put_it, a - 48));
	assert_true(dies(index_it, a + 47));
	assert_false(dies(put_it, a));
	mem_pool_put(&victim, a);
	assert_true(dies(put_it, a)); /* nothing is in use any more */
	assert_int_equal(mem_pool_fini(&victim), 0);
}

static void returned_objects_are_forbidden(void **state)
{
#ifdef MEM_ASAN
	struct mem_pool pool;
	char *a, *b;

	(void)state;
	assert_int_equal(mem_pool_init(&pool, "test", 64, 8, 10, NULL), 0);
	a = mem_pool_get(&pool);
	b = mem_pool_get(&pool);
	assert_int_equal(__asan_address_is_poisoned(a), 0);
	assert_int_equal(__asan_address_is_poisoned(b + 64), 1);
	mem_pool_put(&pool, a);
	for (int i = 0; i < 64; i += 8)
		assert_int_equal(__asan_address_is_poisoned(a + i), 1);
	assert_int_equal(__asan_address_is_poisoned(b), 0);
	mem_pool_put(&pool, b);
	assert_int_equal(mem_pool_fini(&pool), 0);
#else
	(void)state; /* nothing to see without the sanitizer */
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_all_and_no_more),
		cmocka_unit_test(last_returned_comes_first),
		cmocka_unit_test(nth_get_fails_on_request),
		cmocka_unit_test(pool_without_objects_is_always_empty),
		cmocka_unit_test(too_large_a_pool_is_refused),
		cmocka_unit_test(index_is_exact_in_a_large_pool),
		cmocka_unit_test(foreign_pointers_abort),
		cmocka_unit_test(returned_objects_are_forbidden),
	};

	return cmocka_run_group_tests_name("mem/pool", tests, NULL, NULL);
}
