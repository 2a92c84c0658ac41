/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <pthread.h>

#include "dies.h"
#include "mem_pvt.h"

static void freezes_nest(void **state)
{
	(void)state;
	assert_false(mem_is_frozen());
	mem_freeze();
	mem_freeze();
	mem_thaw();
	assert_true(mem_is_frozen());
	mem_thaw();
	assert_false(mem_is_frozen());
}

static void *ask_frozen(void *arg)
{
	*(bool *)arg = mem_is_frozen();
	return NULL;
}

static void other_threads_stay_free(void **state)
{
	bool frozen = true;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, ask_frozen, &frozen), 0);
	mem_freeze();
	pthread_join(thread, NULL);
	mem_thaw();
	assert_false(frozen);
}

static void thaw_unasked(void *arg)
{
	(void)arg;
	mem_thaw();
}

static void thaw_without_freeze_aborts(void **state)
{
	(void)state;
	assert_true(dies(thaw_unasked, NULL));
}

static void malloc_frozen(void *arg)
{
	mem_freeze();
	*(void *volatile *)arg = malloc(10);
	mem_thaw();
}

static void free_frozen(void *arg)
{
	void *block = *(void **)arg;

	mem_freeze();
	free(block);
	mem_thaw();
}

static void malloc_thawed(void *arg)
{
	mem_freeze();
	mem_thaw();
	*(void *volatile *)arg = malloc(10);
}

static void heap_use_while_frozen_aborts(void **state)
{
	void *block = malloc(10);

	(void)state;
#ifdef MEM_FREEZE_CHECKED
	assert_true(dies(malloc_frozen, &block));
	assert_true(dies(free_frozen, &block));
#else
	assert_false(dies(malloc_frozen, &block));
	assert_false(dies(free_frozen, &block));
#endif
	assert_false(dies(malloc_thawed, &block));
	free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freezes_nest),
		cmocka_unit_test(other_threads_stay_free),
		cmocka_unit_test(thaw_without_freeze_aborts),
		cmocka_unit_test(heap_use_while_frozen_aborts),
	};

	return cmocka_run_group_tests_name("mem/freeze", tests, NULL, NULL);
}
