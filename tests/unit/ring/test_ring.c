/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "ring.h"

static void holds_what_it_promises(void **state)
{
	static const struct {
		uint32_t count, capacity;
	} rows[] = {{1, 1}, {2, 3}, {3, 3}, {4, 7}, {1000, 1023}, {1023, 1023}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ring *ring = ring_create("test", rows[i].count, 4, NULL);
		uint32_t x;

		assert_non_null(ring);
		assert_int_equal(ring_capacity(ring), rows[i].capacity);
		for (x = 0; ring_put(ring, &x, 1) == 1; x++)
			assert_int_equal(ring_count(ring), x + 1);
		assert_int_equal(x, rows[i].capacity);
		for (uint32_t n = 0; n < rows[i].capacity; n++) {
			assert_int_equal(ring_take(ring, &x, 1), 1);
			assert_int_equal(x, n);
		}
		assert_int_equal(ring_take(ring, &x, 1), 0);
		ring_destroy(ring);
	}
	ring_destroy(NULL);
}

/* Sizes that rte_ring copies in different ways, bursts that wrap and bursts that fit in part. */
static void keeps_whole_elements_in_order(void **state)
{
	static const uint32_t sizes[] = {4, 8, 16, 12, 64};
	enum { WORDS = 16, BURST = 5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t words = sizes[i] / 4, put = 0, taken = 0;
		struct ring *ring = ring_create("test", 7, sizes[i], NULL);
		uint32_t in[BURST * WORDS], out[BURST * WORDS];

		assert_non_null(ring);
		while (taken < 1000) {
			for (uint32_t w = 0; w < BURST * words; w++)
				in[w] = put * words + w;
			put += ring_put(ring, in, BURST);
			assert_int_equal(ring_count(ring), put - taken);
			for (uint32_t n = ring_take(ring, out, 3), w = 0; n > 0; n--, taken++)
				for (uint32_t k = 0; k < words; k++)
					assert_int_equal(out[w++], taken * words + k);
		}
		ring_destroy(ring);
	}
}

static void too_large_is_refused(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(ring_create("mailbox", UINT32_C(1) << 29, UINT32_C(1) << 31, &err));
	assert_int_equal(err.code, -ENOMEM);
	assert_non_null(strstr(err.text, "mailbox"));
}

enum { PRODUCERS = 3, EACH = 20000 };

struct producer {
	pthread_t thread;
	struct ring *ring;
	uint32_t id;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (uint32_t n = 0; n < EACH;) {
		uint64_t element = (uint64_t)p->id << 32 | n;

		if (ring_put(p->ring, &element, 1) == 1)
			n++;
		else
			sched_yield();
	}
	return NULL;
}

static void each_producer_keeps_its_order(void **state)
{
	struct ring *ring = ring_create("test", 63, sizeof(uint64_t), NULL);
	struct producer producers[PRODUCERS];
	uint32_t next[PRODUCERS] = {0};
	uint64_t out[16];

	(void)state;
	assert_non_null(ring);
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){.ring = ring, .id = i};
		assert_int_equal(
			pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	for (uint32_t taken = 0; taken < PRODUCERS * EACH;) {
		uint32_t n = ring_take(ring, out, ARRAY_LEN(out));

		if (n == 0)
			sched_yield();
		for (uint32_t i = 0; i < n; i++) {
			uint32_t id = (uint32_t)(out[i] >> 32);

			assert_in_range(id, 0, PRODUCERS - 1);
			assert_int_equal((uint32_t)out[i], next[id]);
			next[id]++;
		}
		taken += n;
	}
	for (uint32_t i = 0; i < PRODUCERS; i++)
		pthread_join(producers[i].thread, NULL);
	assert_int_equal(ring_count(ring), 0);
	ring_destroy(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_it_promises),
		cmocka_unit_test(keeps_whole_elements_in_order),
		cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(each_producer_keeps_its_order),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
