/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One turn: the order of pollers, what it accounts, what it reports; creating and destroying
 * workers; the helpers of fake_worker themselves. Mail and the loop have files of their own.
 */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "dies.h"
#include "fake_worker.h"

static int one_worker(void **state)
{
	*state = fake_workers_create(1);
	return 0;
}

static int two_workers(void **state)
{
	*state = fake_workers_create(2);
	return 0;
}

static int destroy(void **state)
{
	fake_workers_destroy(*state);
	return 0;
}

/* Notes the order in which pollers, mail and timers run. */
struct trace {
	char text[32];
	uint32_t len;
};

static struct trace trace;

static void trace_add(char c)
{
	assert_true(trace.len < sizeof(trace.text) - 1);
	trace.text[trace.len++] = c;
	trace.text[trace.len] = '\0';
}

static uint32_t trace_poll(struct worker *w, void *ctx, uint32_t budget)
{
	const char *name = ctx;

	(void)w;
	assert_int_equal(budget, (uint32_t)name[0]);
	trace_add(name[0]);
	return 0;
}

static void trace_mail(struct worker *w, const struct mail *mail)
{
	(void)w;
	(void)mail;
	trace_add('m');
}

static void trace_timer(struct timer *timer, uint64_t now_ns)
{
	(void)timer;
	(void)now_ns;
	trace_add('t');
}

static void phases_run_in_their_order(void **state)
{
	static const struct {
		const char *name;
		enum worker_phase phase;
	} rows[] = {
		{"X", WORKER_PHASE_TX},
		{"a", WORKER_PHASE_READY},
		{"b", WORKER_PHASE_READY},
		{"S", WORKER_PHASE_SLOW},
		{"R", WORKER_PHASE_RX},
		{"c", WORKER_PHASE_READY},
		{"Y", WORKER_PHASE_TX},
		{"Q", WORKER_PHASE_RX},
	};
	struct fake_workers *f = *state;
	struct mail mail = {.fn = trace_mail};
	struct timer timer;

	trace = (struct trace){0};
	assert_int_equal(worker_mail(f->w[0], 0, &mail), 0);
	fake_workers_poll(f); /* the mail is on its way */
	timer_init(&timer, trace_timer);
	timer_set(&f->w[0]->timers, &timer, f->clock.now_ns);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(worker_poller_add(f->w[0], rows[i].phase, rows[i].name, trace_poll,
					 (void *)rows[i].name, (uint32_t)rows[i].name[0]),
			0);
	assert_int_equal(worker_poll(f->w[0], 0), 2);
	assert_string_equal(trace.text, "RQmtabcXYS");
}

static uint32_t nothing_poll(struct worker *w, void *ctx, uint32_t budget)
{
	(void)w;
	(void)ctx;
	(void)budget;
	return 0;
}

static void pollers_are_limited(void **state)
{
	struct worker *w = ((struct fake_workers *)*state)->w[0];

	while (w->poller_count < WORKER_POLLERS_MAX)
		assert_int_equal(
			worker_poller_add(w, WORKER_PHASE_SLOW, "x", nothing_poll, NULL, 1), 0);
	assert_int_equal(
		worker_poller_add(w, WORKER_PHASE_RX, "x", nothing_poll, NULL, 1), -ENOSPC);
}

static uint32_t answer_poll(struct worker *w, void *ctx, uint32_t budget)
{
	(void)w;
	(void)budget;
	return *(uint32_t *)ctx;
}

static void removed_pollers_are_not_called(void **state)
{
	struct worker *w = ((struct fake_workers *)*state)->w[0];
	uint32_t count = w->poller_count, one = 1, two = 2;

	worker_poller_add(w, WORKER_PHASE_RX, "one", answer_poll, &one, 5);
	worker_poller_add(w, WORKER_PHASE_READY, "two", answer_poll, &two, 5);
	worker_poller_add(w, WORKER_PHASE_SLOW, "one", answer_poll, &one, 5);
	assert_int_equal(worker_poll(w, 0), 4);
	worker_poller_remove(w, &one);
	assert_int_equal(w->poller_count, count + 1);
	assert_int_equal(worker_poll(w, 0), 2);
	worker_poller_remove(w, &two);
	assert_int_equal(worker_poll(w, 0), 0);
}

static uint32_t answer; /* outlives the test: teardown polls too */

static void turns_are_accounted(void **state)
{
	struct fake_workers *f = *state;
	struct worker *w = f->w[0];
	const struct worker_poller *p;
	uint64_t wall;

	worker_poller_add(w, WORKER_PHASE_READY, "answer", answer_poll, &answer, 5);
	p = &w->pollers[w->poller_count - 1];
	assert_string_equal(p->name, "answer");
	assert_int_equal(worker_poll(w, 0), 0);
	assert_true(w->now_ns == FAKE_WORKER_START_NS);
	assert_true(w->busy_turns == 0);
	assert_true(w->busy_cycles == 0);
	assert_true(w->idle_cycles > 0);
	assert_true(p->cycles == 0);
	wall = w->wall_ns;
	answer = 3;
	worker_profile_set(w, true);
	clock_manual_advance(&f->clock, 7);
	assert_int_equal(worker_poll(w, 0), 3);
	assert_true(w->now_ns == FAKE_WORKER_START_NS + 7);
	assert_true(w->wall_ns == wall + 7);
	assert_true(w->busy_turns == 1);
	assert_true(w->busy_cycles > 0);
	assert_true(w->turn == 2);
	assert_true(p->calls == 2);
	assert_true(p->work == 3);
	assert_true(p->cycles > 0);
	clock_manual_advance(&f->clock, 3);
	worker_poll(w, FAKE_WORKER_START_NS + 9);
	assert_true(w->now_ns == FAKE_WORKER_START_NS + 9);
	answer = 0;
}

static void same_seed_but_other_numbers_per_core(void **state)
{
	struct fake_workers *f = *state, *again = fake_workers_create(2);

	assert_true(rand_u64(&f->w[0]->rand) != rand_u64(&f->w[1]->rand));
	rand_u64(&again->w[1]->rand);
	assert_true(rand_u64(&f->w[1]->rand) == rand_u64(&again->w[1]->rand));
	fake_workers_destroy(again);
}

static void object_destroy(struct snap *snap)
{
	free(snap);
}

static void a_turn_is_a_quiet_point(void **state)
{
	struct fake_workers *f = *state;
	struct snap *snap = aligned_alloc(CACHE_LINE_BYTES, sizeof(*snap));

	assert_non_null(snap);
	snap_init(snap, object_destroy);
	fake_workers_poll(f);
	snap_hold(snap, 1);
	snap_retire(f->snaps, snap);
	assert_int_equal(snap_reap(f->snaps), 1);
	worker_poll(f->w[0], 0);
	assert_int_equal(snap_reap(f->snaps), 1);
	worker_poll(f->w[1], 0);
	assert_int_equal(snap_reap(f->snaps), 1);
	snap_release(snap, 1);
	assert_int_equal(snap_reap(f->snaps), 0);
}

static void pools_and_groups_may_outlive_the_worker(void **state)
{
	struct fake_workers *f = fake_workers_create(1);
	struct stat_group group;
	struct mem_pool pools[2];

	(void)state;
	stat_group_init(&group, "test", NULL, 0, NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mem_pool_init(&pools[i], "test", 8, 8, 4, NULL), 0);
		worker_pool_add(f->w[0], &pools[i]);
	}
	worker_group_add(f->w[0], &group);
	assert_ptr_equal(stat_group_find(&f->w[0]->groups, "test"), &group);
	assert_int_equal(mem_pool_fini(&pools[0]), 0); /* one before, one after */
	assert_ptr_equal(list_first(&f->w[0]->pools, struct mem_pool, link), &pools[1]);
	fake_workers_destroy(f);
	assert_int_equal(mem_pool_fini(&pools[1]), 0);
	assert_false(list_is_linked(&group.link));
}

static void too_little_memory_is_an_error(void **state)
{
	struct clock_manual clock;
	struct error err = {0};
	struct worker_config config = {.name = "worker 0",
		.cores = 1,
		.clock = &clock.clock,
		.log_ring_bytes = (size_t)1 << 60};

	(void)state;
	clock_manual_init(&clock, 1);
	assert_null(worker_create(&config, &err));
	assert_int_equal(err.code, -ENOMEM);
	assert_non_null(strstr(err.text, "event log"));
	worker_destroy(NULL);
}

static void *poll_once(void *arg)
{
	worker_poll(arg, 0);
	return NULL;
}

static void poll_elsewhere(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, poll_once, arg) == 0)
		pthread_join(thread, NULL);
}

static void another_thread_may_not_poll(void **state)
{
	struct fake_workers *f = *state;

	fake_workers_poll(f);
#ifdef WEIR_DEBUG_CHECKS
	assert_true(dies(poll_elsewhere, f->w[0]));
#else
	assert_false(dies(poll_elsewhere, f->w[0]));
#endif
}

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	(void)timer;
	(void)now_ns;
	trace_add('t');
}

#define MANY_TIMERS (3 * WORKER_TIMER_BUDGET)

static uint64_t fired_at_most, fired_count;

static void timer_counted(struct timer *timer, uint64_t now_ns)
{
	(void)timer;
	fired_at_most = MAX(fired_at_most, now_ns);
	fired_count++;
}

/* The clock was ahead by a month: time goes there in steps, and each fires all its timers first. */
static void time_goes_on_in_steps(void **state)
{
	static struct timer timers[MANY_TIMERS + 1];
	struct fake_workers *f = *state;
	struct worker *w = f->w[0];
	uint64_t start = f->clock.now_ns;
	uint32_t turns = 0;

	fired_at_most = fired_count = 0;
	for (uint32_t i = 0; i <= MANY_TIMERS; i++) {
		timer_init(&timers[i], timer_counted);
		timer_set(&w->timers, &timers[i],
			start + NS_PER_SEC + (i == MANY_TIMERS) * 2 * WORKER_STEP_MAX_NS);
	}
	clock_manual_advance(&f->clock, 3 * WORKER_STEP_MAX_NS + 7);
	while (fired_count < MANY_TIMERS) {
		worker_poll(w, 0);
		assert_true(w->now_ns == start + WORKER_STEP_MAX_NS);
		turns++;
	}
	assert_true(turns >= MANY_TIMERS / WORKER_TIMER_BUDGET);
	assert_true(fired_at_most == start + WORKER_STEP_MAX_NS);
	while (w->now_ns == start + WORKER_STEP_MAX_NS) /* the far one may have to be moved yet */
		worker_poll(w, 0);
	assert_true(w->now_ns == start + 2 * WORKER_STEP_MAX_NS);
	assert_true(fired_count == MANY_TIMERS);
	worker_poll(w, 0);
	assert_true(w->now_ns == start + 3 * WORKER_STEP_MAX_NS);
	assert_true(fired_count == MANY_TIMERS + 1);
	worker_poll(w, 0);
	assert_true(w->now_ns == f->clock.now_ns);
	assert_true(w->clock_jumps == 3);
	clock_manual_advance(&f->clock, WORKER_STEP_MAX_NS);
	worker_poll(w, 0);
	assert_true(w->now_ns == f->clock.now_ns);
	assert_true(w->clock_jumps == 3);
}

static void run_for_goes_from_timer_to_timer(void **state)
{
	struct fake_workers *f = *state;
	uint64_t start = f->clock.now_ns;
	struct timer timers[3];

	trace = (struct trace){0};
	for (int i = 0; i < 3; i++) {
		timer_init(&timers[i], timer_fired);
		timer_set(&f->w[i % 2]->timers, &timers[i], start + (uint64_t)(i + 1) * NS_PER_SEC);
	}
	fake_workers_run_for(f, NS_PER_SEC / 2);
	assert_string_equal(trace.text, "");
	fake_workers_run_for(f, 2 * NS_PER_SEC);
	assert_string_equal(trace.text, "tt");
	assert_true(f->clock.now_ns == start + 2500 * NS_PER_MS);
	fake_workers_advance(f, NS_PER_SEC);
	assert_string_equal(trace.text, "ttt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(phases_run_in_their_order, one_worker, destroy),
		cmocka_unit_test_setup_teardown(pollers_are_limited, one_worker, destroy),
		cmocka_unit_test_setup_teardown(
			removed_pollers_are_not_called, one_worker, destroy),
		cmocka_unit_test_setup_teardown(turns_are_accounted, one_worker, destroy),
		cmocka_unit_test_setup_teardown(
			same_seed_but_other_numbers_per_core, two_workers, destroy),
		cmocka_unit_test_setup_teardown(a_turn_is_a_quiet_point, two_workers, destroy),
		cmocka_unit_test(pools_and_groups_may_outlive_the_worker),
		cmocka_unit_test(too_little_memory_is_an_error),
		cmocka_unit_test_setup_teardown(another_thread_may_not_poll, one_worker, destroy),
		cmocka_unit_test_setup_teardown(time_goes_on_in_steps, one_worker, destroy),
		cmocka_unit_test_setup_teardown(
			run_for_goes_from_timer_to_timer, two_workers, destroy),
	};

	return cmocka_run_group_tests_name("worker/worker", tests, NULL, NULL);
}
