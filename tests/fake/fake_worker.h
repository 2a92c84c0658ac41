/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers for tests: one or several connected ones, without threads, on one clock that the test
 * moves, with fixed seeds. Link it by
 *     fakes = files('../../fake/fake_worker.c')
 * and name 'worker' (and 'snap', if it is used) in deps.
 *
 *     static int setup(void **state)        { *state = fake_workers_create(2); return 0; }
 *     static int teardown(void **state)     { fake_workers_destroy(*state); return 0; }
 */
#ifndef WEIR_TESTS_FAKE_WORKER_H
#define WEIR_TESTS_FAKE_WORKER_H

#include "clock.h"
#include "snap.h"
#include "worker.h"

#define FAKE_WORKER_START_NS         (1000 * NS_PER_SEC)
#define FAKE_WORKER_SETTLE_TURNS_MAX 100000

struct fake_workers {
	struct clock_manual clock; /* stands at FAKE_WORKER_START_NS */
	struct snap_domain *snaps;
	uint32_t count;
	struct worker *w[WORKER_CORES_MAX]; /* w[i]->index == i; the last one is the control core */
};

/* All workers are of data if count is 1; else the last one is the control core. */
struct fake_workers *fake_workers_create(uint32_t count);

/* As above, with mailboxes of mailbox_count and random numbers from seed. */
struct fake_workers *fake_workers_create_with(
	uint32_t count, uint32_t mailbox_count, uint64_t seed);

/* One turn of each worker, in the order of indexes, at the time of the clock. Returns the work. */
uint32_t fake_workers_poll(struct fake_workers *f);

/* Turns until nobody has work; fails the test if that does not come. */
void fake_workers_settle(struct fake_workers *f);

/* Moves the clock ahead by ns in one step, and settles. */
void fake_workers_advance(struct fake_workers *f, uint64_t ns);

/* Moves the clock ahead by ns in all, from timer to timer as real time would; settles at each. */
void fake_workers_run_for(struct fake_workers *f, uint64_t ns);

/* Fails the test if an object of a pool that was added to a worker was not given back. */
void fake_workers_assert_pools_empty(struct fake_workers *f);

/* Settles, checks the pools, destroys the workers. Pools may have been freed before (then check
 * them before that) or be freed afterwards. */
void fake_workers_destroy(struct fake_workers *f);

#endif
