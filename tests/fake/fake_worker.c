/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdlib.h>

#include "fake_worker.h"

struct fake_workers *fake_workers_create(uint32_t count)
{
	return fake_workers_create_with(count, 0, 1);
}

struct fake_workers *fake_workers_create_with(uint32_t count, uint32_t mailbox_count, uint64_t seed)
{
	struct fake_workers *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->count = count;
	f->snaps = snap_domain_create(count, NULL);
	assert_non_null(f->snaps);
	clock_manual_init(&f->clock, FAKE_WORKER_START_NS);
	for (uint32_t i = 0; i < count; i++) {
		bool control = count > 1 && i == count - 1;
		struct worker_config config = {
			.name = control ? "control" : "worker",
			.index = i,
			.cores = count,
			.control = control,
			.clock = &f->clock.clock,
			.seed = seed,
			.mailbox_count = mailbox_count,
			.snaps = f->snaps,
		};

		f->w[i] = worker_create(&config, NULL);
		assert_non_null(f->w[i]);
	}
	worker_connect(f->w, count);
	return f;
}

uint32_t fake_workers_poll(struct fake_workers *f)
{
	uint32_t work = 0;

	for (uint32_t i = 0; i < f->count; i++)
		work += worker_poll(f->w[i], 0);
	return work;
}

void fake_workers_settle(struct fake_workers *f)
{
	for (uint32_t i = 0; fake_workers_poll(f) > 0; i++)
		if (i == FAKE_WORKER_SETTLE_TURNS_MAX)
			fail_msg("workers still have work after %u turns", i);
}

void fake_workers_advance(struct fake_workers *f, uint64_t ns)
{
	clock_manual_advance(&f->clock, ns);
	fake_workers_settle(f);
}

void fake_workers_run_for(struct fake_workers *f, uint64_t ns)
{
	uint64_t end = f->clock.now_ns + ns, next;

	do {
		fake_workers_settle(f);
		next = end;
		for (uint32_t i = 0; i < f->count; i++)
			next = MIN(next, timer_wheel_next(&f->w[i]->timers));
		if (next > f->clock.now_ns)
			clock_manual_advance(&f->clock, next - f->clock.now_ns);
	} while (next < end);
	fake_workers_settle(f);
}

void fake_workers_assert_pools_empty(struct fake_workers *f)
{
	for (uint32_t i = 0; i < f->count; i++) {
		list_for_each (link, &f->w[i]->pools) {
			struct mem_pool *pool = list_entry(link, struct mem_pool, link);

			if (pool->count_used > 0)
				fail_msg("worker %u: %u of the pool '%s' were not given back", i,
					pool->count_used, pool->name);
		}
	}
}

void fake_workers_destroy(struct fake_workers *f)
{
	fake_workers_settle(f);
	fake_workers_assert_pools_empty(f);
	for (uint32_t i = 0; i < f->count; i++)
		worker_destroy(f->w[i]);
	snap_reap(f->snaps);
	assert_int_equal(snap_domain_destroy(f->snaps), 0);
	free(f);
}
