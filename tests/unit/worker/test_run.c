/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <pthread.h>

#include "fake_worker.h"

/* One adaptive worker on a manual clock; its sleeps move the clock and are noted. */
struct bench {
	struct clock_manual clock;
	struct worker *w;
	uint64_t sleeps_ns[32];
	uint32_t sleep_count;
	uint32_t stop_after; /* sleeps */
	uint32_t turns_to_stop;
	uint64_t wake_at_ns;   /* asked for in every turn; 0: not */
	uint64_t work_at_turn; /* there is one piece of work in this turn */
	bool frozen;
};

static void note_sleep(struct worker *w, void *ctx, uint64_t max_ns)
{
	struct bench *b = ctx;

	assert_true(b->sleep_count < ARRAY_LEN(b->sleeps_ns));
	b->sleeps_ns[b->sleep_count++] = max_ns;
	clock_manual_advance(&b->clock, max_ns);
	if (b->sleep_count == b->stop_after)
		worker_stop(w);
}

static uint32_t bench_poll(struct worker *w, void *ctx, uint32_t budget)
{
	struct bench *b = ctx;

	(void)budget;
	b->frozen = mem_is_frozen();
	if (b->wake_at_ns)
		worker_wake_at(w, b->wake_at_ns);
	if (b->turns_to_stop > 0 && --b->turns_to_stop == 0)
		worker_stop(w);
	return b->work_at_turn != 0 && w->turn == b->work_at_turn;
}

static void bench_init(struct bench *b, enum worker_idle idle, bool control)
{
	struct worker_config config = {
		.name = "bench",
		.cores = 1,
		.control = control,
		.idle = idle,
		.clock = &b->clock.clock,
		.idle_wait = note_sleep,
		.idle_ctx = b,
	};

	*b = (struct bench){0};
	clock_manual_init(&b->clock, NS_PER_SEC);
	b->w = worker_create(&config, NULL);
	assert_non_null(b->w);
	worker_connect(&b->w, 1);
	worker_poller_add(b->w, WORKER_PHASE_RX, "bench", bench_poll, b, 1);
}

static void sleeps_are(const struct bench *b, const uint64_t *want_us, uint32_t count)
{
	assert_int_equal(b->sleep_count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(b->sleeps_ns[i], want_us[i] * NS_PER_US);
	assert_true(b->w->sleep_count == count);
}

static void adaptive_sleeps_longer_and_longer(void **state)
{
	static const uint64_t want_us[] = {20, 40, 80, 160, 320, 500, 500};
	struct bench b;

	(void)state;
	bench_init(&b, WORKER_IDLE_ADAPTIVE, false);
	b.stop_after = ARRAY_LEN(want_us);
	worker_run(b.w);
	sleeps_are(&b, want_us, ARRAY_LEN(want_us));
	assert_true(b.w->turn == WORKER_IDLE_SPIN_TURNS + ARRAY_LEN(want_us));
	assert_true(b.w->busy_turns == 0);
	worker_destroy(b.w);
}

static void work_starts_the_spin_over(void **state)
{
	static const uint64_t want_us[] = {20, 40, 80, 20, 40};
	struct bench b;

	(void)state;
	bench_init(&b, WORKER_IDLE_ADAPTIVE, false);
	b.stop_after = ARRAY_LEN(want_us);
	b.work_at_turn = WORKER_IDLE_SPIN_TURNS + 3;
	worker_run(b.w);
	sleeps_are(&b, want_us, ARRAY_LEN(want_us));
	assert_true(b.w->turn == 2 * WORKER_IDLE_SPIN_TURNS + 3 + 1 + 2);
	assert_true(b.w->busy_turns == 1);
	worker_destroy(b.w);
}

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	assert_true(now_ns >= NS_PER_SEC + NS_PER_MS);
	timer->fn = NULL;
}

static void sleep_ends_at_the_next_timer(void **state)
{
	struct timer timer;
	struct bench b;
	uint64_t sum = 0;

	(void)state;
	bench_init(&b, WORKER_IDLE_ADAPTIVE, false);
	timer_init(&timer, timer_fired);
	timer_set(&b.w->timers, &timer, NS_PER_SEC + NS_PER_MS);
	while (timer.fn) {
		b.w->stop = false;
		b.stop_after = b.sleep_count + 1;
		worker_run(b.w);
		if (timer.fn)
			sum += b.sleeps_ns[b.sleep_count - 1];
	}
	/* all sleeps before it fired end exactly at its tick */
	assert_true((NS_PER_SEC + sum) % TIMER_TICK_NS == 0);
	assert_true(NS_PER_SEC + sum < NS_PER_SEC + NS_PER_MS + TIMER_TICK_NS);
	worker_destroy(b.w);
}

static void sleep_ends_when_a_poller_wants_it(void **state)
{
	static const uint64_t want_us[] = {20, 40, 3};
	struct bench b;

	(void)state;
	bench_init(&b, WORKER_IDLE_ADAPTIVE, false);
	b.wake_at_ns = NS_PER_SEC + 63 * NS_PER_US;
	b.stop_after = ARRAY_LEN(want_us);
	worker_run(b.w);
	sleeps_are(&b, want_us, ARRAY_LEN(want_us));
	/* What is due is not slept on, and what nobody asks for any more does not wake. */
	b.turns_to_stop = 5;
	b.w->stop = false;
	worker_run(b.w);
	assert_int_equal(b.sleep_count, ARRAY_LEN(want_us));
	b.wake_at_ns = 0;
	b.w->stop = false;
	b.stop_after = b.sleep_count + 1;
	worker_run(b.w);
	assert_int_equal(b.sleeps_ns[b.sleep_count - 1], 160 * NS_PER_US);
	worker_destroy(b.w);
}

static void busy_never_sleeps(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, WORKER_IDLE_BUSY, false);
	b.turns_to_stop = 10 * WORKER_IDLE_SPIN_TURNS;
	worker_run(b.w);
	assert_int_equal(b.sleep_count, 0);
	assert_true(b.w->sleep_count == 0);
	worker_destroy(b.w);
}

static void only_data_workers_freeze_the_heap(void **state)
{
	(void)state;
	for (int control = 0; control < 2; control++) {
		struct bench b;

		bench_init(&b, WORKER_IDLE_BUSY, control);
		b.turns_to_stop = 3;
		worker_run(b.w);
		assert_int_equal(b.frozen, !control);
		assert_false(mem_is_frozen());
		assert_true(b.w->turn == 3);
		worker_run(b.w); /* was stopped: returns at once */
		assert_true(b.w->turn == 3);
		worker_poll(b.w, 0); /* and the thread that owned it does not any more */
		worker_destroy(b.w);
	}
}

/* ---- real threads ---- */

enum { ROUNDS = 300 };

static void pong(struct worker *to, const struct mail *mail)
{
	struct mail answer = *mail;

	answer.word++;
	if (answer.word < ROUNDS)
		assert_int_equal(worker_mail(to, mail->from, &answer), 0);
	else
		for (uint32_t i = 0; i < to->cores; i++)
			worker_stop((struct worker *)(uintptr_t)mail->arg[i]);
}

static void *run(void *arg)
{
	worker_run(arg);
	return NULL;
}

static void workers_in_threads_play_ping_pong(void **state)
{
	enum { CORES = 2 };
	struct worker *w[CORES];
	pthread_t threads[CORES];
	struct snap_domain *snaps = snap_domain_create(CORES, NULL);
	struct mail ball = {.fn = pong};

	(void)state;
	for (uint32_t i = 0; i < CORES; i++) {
		struct worker_config config = {
			.name = "player",
			.index = i,
			.cores = CORES,
			.control = i == 1,
			.idle = WORKER_IDLE_ADAPTIVE,
			.clock = clock_real(),
			.snaps = snaps,
		};

		w[i] = worker_create(&config, NULL);
		assert_non_null(w[i]);
		ball.arg[i] = (uint64_t)(uintptr_t)w[i];
	}
	worker_connect(w, CORES);
	assert_int_equal(worker_mail(w[0], 1, &ball), 0);
	for (uint32_t i = 0; i < CORES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, w[i]), 0);
	for (uint32_t i = 0; i < CORES; i++)
		pthread_join(threads[i], NULL);
	assert_true(w[0]->pollers[0].work + w[1]->pollers[0].work == ROUNDS);
	for (uint32_t i = 0; i < CORES; i++)
		worker_destroy(w[i]);
	assert_int_equal(snap_domain_destroy(snaps), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adaptive_sleeps_longer_and_longer),
		cmocka_unit_test(work_starts_the_spin_over),
		cmocka_unit_test(sleep_ends_at_the_next_timer),
		cmocka_unit_test(sleep_ends_when_a_poller_wants_it),
		cmocka_unit_test(busy_never_sleeps),
		cmocka_unit_test(only_data_workers_freeze_the_heap),
		cmocka_unit_test(workers_in_threads_play_ping_pong),
	};

	return cmocka_run_group_tests_name("worker/run", tests, NULL, NULL);
}
