/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wheel by hand-picked distances (around slots, levels, rounds of the top level, and large
 * clocks), by its rules for passed moments, budget and moves, and at last against a plain array
 * under random sets, moves, cancels and runs with jumps of up to months.
 */
#include "check.h"

#include "rand.h"
#include "timer.h"

#define DAY_NS (86400 * NS_PER_SEC)

/* A timer that notes when it fired. */
struct probe {
	struct timer timer;
	uint64_t wanted_at; /* 0: must not fire */
	uint64_t fired_at;
	uint32_t fired;
	bool was_late;      /* had passed when it was set: has no place in the order of ticks */
	struct probe **log; /* where the next one to fire is noted; may be NULL */
	struct timer_wheel *again; /* set once more from inside the callback */
};

static void probe_fired(struct timer *timer, uint64_t now_ns)
{
	struct probe *p = CONTAINER_OF(timer, struct probe, timer);

	assert_false(timer_is_set(timer));
	p->fired++;
	p->fired_at = now_ns;
	if (p->log)
		*p->log = p;
	if (p->again)
		timer_set(p->again, timer, now_ns);
}

static void probe_init(struct probe *p)
{
	*p = (struct probe){0};
	timer_init(&p->timer, probe_fired);
}

static uint64_t tick_up(uint64_t at_ns)
{
	return (at_ns + TIMER_TICK_NS - 1) >> TIMER_TICK_SHIFT;
}

/* For each start and each distance: silent until the tick, fired with it. */
static void fires_with_its_tick_and_not_before(void **state)
{
	static const uint64_t starts[] = {1, TIMER_TICK_NS, 12345678901, UINT64_C(1) << 50,
		(UINT64_C(1) << 50) - TIMER_TICK_NS, UINT64_C(1) << 62, (UINT64_C(1) << 62) - 1};
	static const uint64_t spans[] = {1, TIMER_TICK_NS - 1, TIMER_TICK_NS, TIMER_TICK_NS + 1,
		63 * TIMER_TICK_NS, 64 * TIMER_TICK_NS, 65 * TIMER_TICK_NS, 4095 * TIMER_TICK_NS,
		4096 * TIMER_TICK_NS, 5 * NS_PER_SEC, 3600 * NS_PER_SEC, DAY_NS, 12 * DAY_NS,
		TIMER_SPAN_MAX_NS, 100 * DAY_NS, 10000 * DAY_NS};
	struct timer_wheel wheel;
	struct probe p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		for (size_t j = 0; j < ARRAY_LEN(spans); j++) {
			uint64_t at = starts[i] + spans[j], due = tick_up(at) << TIMER_TICK_SHIFT;

			timer_wheel_init(&wheel, starts[i]);
			probe_init(&p);
			timer_set(&wheel, &p.timer, at);
			/* as a sleeper would: from one wake-up to the next */
			for (int step = 0; p.fired == 0; step++) {
				uint64_t next = timer_wheel_next(&wheel);

				assert_in_range(step, 0, 2000);
				assert_in_range(next, wheel.now_ns, due);
				assert_int_equal(timer_wheel_run(&wheel, next - 1, 9), 0);
				timer_wheel_run(&wheel, next, 9);
			}
			assert_true(p.fired_at == due);
			assert_true(timer_wheel_next(&wheel) == TIMER_NEVER);
			assert_int_equal(wheel.count, 0);

			/* in one jump, and by one tick too little */
			timer_wheel_init(&wheel, starts[i]);
			probe_init(&p);
			timer_set(&wheel, &p.timer, at);
			if (at > starts[i] + 1)
				assert_int_equal(timer_wheel_run(&wheel, at - 1, 9), 0);
			assert_int_equal(timer_wheel_run(&wheel, due, 9), 1);
		}
	}
}

static void past_moment_fires_at_next_run(void **state)
{
	struct timer_wheel wheel;
	struct probe p;

	(void)state;
	timer_wheel_init(&wheel, 10 * NS_PER_SEC + 5);
	probe_init(&p);
	timer_set(&wheel, &p.timer, 10 * NS_PER_SEC + 5); /* now, in the middle of a tick */
	assert_int_equal(p.fired, 0);
	assert_true(timer_wheel_next(&wheel) <= 10 * NS_PER_SEC + 5);
	assert_int_equal(timer_wheel_run(&wheel, 10 * NS_PER_SEC + 5, 9), 1);
	timer_set(&wheel, &p.timer, 1);
	assert_int_equal(timer_wheel_run(&wheel, 10 * NS_PER_SEC + 5, 9), 1);
	assert_int_equal(timer_wheel_run(&wheel, 11 * NS_PER_SEC, 9), 0);
}

static void setting_itself_again_waits_for_next_run(void **state)
{
	struct timer_wheel wheel;
	struct probe p;

	(void)state;
	timer_wheel_init(&wheel, 1);
	probe_init(&p);
	p.again = &wheel;
	timer_set(&wheel, &p.timer, 1);
	for (uint32_t i = 1; i < 10; i++) {
		assert_int_equal(timer_wheel_run(&wheel, i * NS_PER_SEC + 7, 100), 1);
		assert_int_equal(p.fired, i);
	}
	timer_cancel(&wheel, &p.timer);
	assert_int_equal(wheel.count, 0);
}

static void cancel_and_move(void **state)
{
	struct timer_wheel wheel;
	struct probe p;

	(void)state;
	timer_wheel_init(&wheel, NS_PER_SEC);
	probe_init(&p);
	timer_cancel(&wheel, &p.timer); /* harmless */
	timer_set(&wheel, &p.timer, 2 * NS_PER_SEC);
	timer_cancel(&wheel, &p.timer);
	timer_cancel(&wheel, &p.timer);
	assert_true(timer_wheel_next(&wheel) == TIMER_NEVER);
	assert_int_equal(timer_wheel_run(&wheel, 3 * NS_PER_SEC, 9), 0);

	timer_set(&wheel, &p.timer, 5 * NS_PER_SEC);
	timer_set(&wheel, &p.timer, 9 * NS_PER_SEC); /* later */
	assert_int_equal(wheel.count, 1);
	assert_int_equal(timer_wheel_run(&wheel, 8 * NS_PER_SEC, 9), 0);
	timer_set(&wheel, &p.timer, 8500 * NS_PER_MS); /* sooner */
	assert_int_equal(wheel.count, 1);
	assert_int_equal(timer_wheel_run(&wheel, 8400 * NS_PER_MS, 9), 0);
	assert_int_equal(timer_wheel_run(&wheel, 8600 * NS_PER_MS, 9), 1);

	/* moved and cancelled while it is due already */
	timer_set(&wheel, &p.timer, 1);
	timer_set(&wheel, &p.timer, 20 * NS_PER_SEC);
	assert_int_equal(timer_wheel_run(&wheel, 10 * NS_PER_SEC, 9), 0);
	timer_set(&wheel, &p.timer, 1);
	timer_cancel(&wheel, &p.timer);
	assert_int_equal(timer_wheel_run(&wheel, 30 * NS_PER_SEC, 9), 0);
}

static void budget_leaves_the_rest_due(void **state)
{
	enum { COUNT = 100 };
	struct probe probes[COUNT], *last = NULL;
	struct timer_wheel wheel;

	(void)state;
	timer_wheel_init(&wheel, 1);
	for (int i = 0; i < COUNT; i++) {
		probe_init(&probes[i]);
		probes[i].log = &last;
		timer_set(&wheel, &probes[i].timer, NS_PER_SEC + (uint64_t)i * 10 * TIMER_TICK_NS);
	}
	assert_int_equal(timer_wheel_run(&wheel, DAY_NS, 0), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(timer_wheel_run(&wheel, DAY_NS, 1), 1);
		assert_ptr_equal(last, &probes[i]);
	}
	assert_int_equal(timer_wheel_run(&wheel, DAY_NS, 1), 0);
}

/* Many timers that a cascade must place again are spread over runs, and none is lost. */
static void moves_are_bounded_per_run(void **state)
{
	enum { COUNT = 3 * TIMER_MOVES_MAX };
	static struct probe probes[COUNT];
	struct timer_wheel wheel;
	uint32_t runs = 0;

	(void)state;
	timer_wheel_init(&wheel, 1);
	for (int i = 0; i < COUNT; i++) {
		probe_init(&probes[i]);
		timer_set(&wheel, &probes[i].timer, NS_PER_SEC);
		timer_set(&wheel, &probes[i].timer, 3600 * NS_PER_SEC);
	}
	while (timer_wheel_next(&wheel) <= 2 * NS_PER_SEC) {
		assert_int_equal(timer_wheel_run(&wheel, 2 * NS_PER_SEC, UINT32_MAX), 0);
		runs++;
	}
	assert_in_range(runs, 3, 10);
	assert_int_equal(wheel.count, COUNT);
	for (int i = 0; i < COUNT; i += 2)
		timer_cancel(&wheel, &probes[i].timer);
	for (uint32_t fired = 0; fired < COUNT / 2; runs++) {
		fired += timer_wheel_run(&wheel, 3601 * NS_PER_SEC, UINT32_MAX);
		assert_in_range(runs, 0, 20);
	}
	assert_int_equal(wheel.count, 0);
}

/* ---- against a plain array, with a random sequence ---- */

#define PROBES 200

struct model {
	struct rand rand;
	struct timer_wheel wheel;
	uint64_t now_ns;
	struct probe probes[PROBES];
	uint32_t fired;
	uint64_t fired_tick; /* of the last one that fired in this run; 0: none */
};

static struct model model;

static void model_fired(struct timer *timer, uint64_t now_ns)
{
	struct probe *p = CONTAINER_OF(timer, struct probe, timer);
	uint64_t tick = MIN(tick_up(p->wanted_at), now_ns >> TIMER_TICK_SHIFT);

	assert_true(p->wanted_at != 0);
	assert_true(now_ns == model.now_ns);
	assert_true(p->wanted_at <= now_ns); /* never early */
	if (!p->was_late) {
		assert_true(tick >= model.fired_tick);
		model.fired_tick = tick;
	}
	p->wanted_at = 0;
	model.fired++;
}

static uint64_t some_span_ns(void)
{
	return rand_u64(&model.rand) >> (14 + rand_below(&model.rand, 50));
}

static void model_set(struct probe *p)
{
	uint64_t at = model.now_ns + some_span_ns();

	if (rand_below(&model.rand, 10) == 0)
		at = MAX(UINT64_C(1), model.now_ns - MIN(model.now_ns, some_span_ns()));
	p->wanted_at = at;
	p->was_late = at <= model.wheel.now_ns;
	timer_set(&model.wheel, &p->timer, at);
}

static void model_run(void)
{
	uint64_t span = some_span_ns(), next = timer_wheel_next(&model.wheel), target;
	uint32_t budget = rand_below(&model.rand, 4) == 0 ? rand_below(&model.rand, 20) : 1000;
	uint32_t set = 0, fired_before = model.fired, fired;

	if (rand_below(&model.rand, 3) == 0 && next != TIMER_NEVER && next > model.now_ns) {
		/* the promise of timer_wheel_next */
		assert_int_equal(timer_wheel_run(&model.wheel, next - 1, 1000), 0);
		span = next - model.now_ns;
	}
	model.now_ns += span;
	target = model.now_ns >> TIMER_TICK_SHIFT;
	model.fired_tick = 0;
	fired = timer_wheel_run(&model.wheel, model.now_ns, budget);
	assert_int_equal(fired, model.fired - fired_before);
	assert_true(fired <= budget);
	for (int i = 0; i < PROBES; i++) {
		struct probe *p = &model.probes[i];

		assert_int_equal(timer_is_set(&p->timer), p->wanted_at != 0);
		set += p->wanted_at != 0;
		if (p->wanted_at != 0 && fired < budget)
			assert_true(tick_up(p->wanted_at) > target);
	}
	assert_int_equal(model.wheel.count, set);
	next = timer_wheel_next(&model.wheel);
	assert_int_equal(next == TIMER_NEVER, set == 0);
	for (int i = 0; i < PROBES; i++) {
		uint64_t at = model.probes[i].wanted_at;

		if (at != 0)
			assert_true(next <= MAX(tick_up(at) << TIMER_TICK_SHIFT, model.now_ns));
	}
}

static void agrees_with_a_plain_list(void **state)
{
	static const uint64_t starts[] = {1, UINT64_C(1) << 50, UINT64_C(1) << 62};

	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		model = (struct model){.now_ns = starts[seed % ARRAY_LEN(starts)]};
		rand_init(&model.rand, seed);
		timer_wheel_init(&model.wheel, model.now_ns);
		for (int i = 0; i < PROBES; i++)
			timer_init(&model.probes[i].timer, model_fired);
		for (int step = 0; step < 10000; step++) {
			struct probe *p = &model.probes[rand_below(&model.rand, PROBES)];
			uint32_t what = rand_below(&model.rand, 10);

			if (what < 6) {
				model_set(p);
			} else if (what < 8) {
				timer_cancel(&model.wheel, &p->timer);
				p->wanted_at = 0;
			} else {
				model_run();
			}
		}
		assert_in_range(model.fired, 1000, 100000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_with_its_tick_and_not_before),
		cmocka_unit_test(past_moment_fires_at_next_run),
		cmocka_unit_test(setting_itself_again_waits_for_next_run),
		cmocka_unit_test(cancel_and_move),
		cmocka_unit_test(budget_leaves_the_rest_due),
		cmocka_unit_test(moves_are_bounded_per_run),
		cmocka_unit_test(agrees_with_a_plain_list),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
