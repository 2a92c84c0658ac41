/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticks are read as numbers of five digits of six bits. A timer stands at the level of the
 * highest digit in which its tick differs from the wheel's, in the slot of that digit. So at each
 * level but the top only slots ahead of the wheel's own digit are in use, and everything at a
 * lower level comes before everything at a higher one. At the top level the slots go round: a
 * timer stands at most 63 slots ahead; one that is due later waits there and is placed again.
 *
 * The wheel never steps over a slot that holds timers: it goes to its start, collects the timers,
 * and each either fires or is placed again, lower down or (if it was moved meanwhile) elsewhere.
 */
#include "timer.h"

#define DIGIT_BITS 6
#define TOP        (TIMER_LEVELS - 1)

static_assert(TIMER_SLOTS == 1 << DIGIT_BITS, "a slot per value of a digit, a bit per slot");
static_assert(TIMER_SPAN_MAX_NS == TIMER_TICK_NS << (DIGIT_BITS * TIMER_LEVELS), "all the digits");

static uint64_t digit_of(uint64_t tick, unsigned level)
{
	return (tick >> (DIGIT_BITS * level)) % TIMER_SLOTS;
}

/* The first tick that lies at or after a moment. */
static uint64_t tick_of(uint64_t at_ns)
{
	return (at_ns >> TIMER_TICK_SHIFT) + (at_ns % TIMER_TICK_NS != 0);
}

static uint64_t wheel_tick(const struct timer_wheel *wheel)
{
	return wheel->now_ns >> TIMER_TICK_SHIFT;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns)
{
	*wheel = (struct timer_wheel){.now_ns = now_ns};
	list_init(&wheel->due);
	list_init(&wheel->late);
	for (unsigned level = 0; level < TIMER_LEVELS; level++)
		for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
}

void timer_init(struct timer *timer, timer_fn fn)
{
	list_init(&timer->link);
	timer->fn = fn;
	timer->expire_at = 0;
}

static void timer_link(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t now = wheel_tick(wheel), tick = tick_of(timer->expire_at), slot;
	unsigned level;

	if (timer->expire_at <= wheel->now_ns) {
		list_add_tail(&wheel->late, &timer->link);
		return;
	}
	level = (63 - (unsigned)__builtin_clzll(tick ^ now)) / DIGIT_BITS;
	if (level >= TOP) {
		uint64_t farthest = ((now >> (DIGIT_BITS * TOP)) + TIMER_SLOTS - 1)
				    << (DIGIT_BITS * TOP);

		level = TOP;
		tick = MIN(tick, farthest);
	}
	slot = digit_of(tick, level);
	list_add_tail(&wheel->slots[level][slot], &timer->link);
	wheel->pending[level] |= UINT64_C(1) << slot;
}

static void timer_unlink(struct timer_wheel *wheel, struct timer *timer)
{
	struct list *prev = timer->link.prev, *next = timer->link.next;
	uintptr_t offset = (uintptr_t)prev - (uintptr_t)wheel->slots;

	list_del(&timer->link);
	if (prev == next && offset < sizeof(wheel->slots)) { /* prev is the head of a slot */
		size_t index = offset / sizeof(struct list);

		wheel->pending[index / TIMER_SLOTS] &= ~(UINT64_C(1) << (index % TIMER_SLOTS));
	}
}

void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t expire_at)
{
	ASSERT(expire_at > 0);
	if (!timer_is_set(timer)) {
		wheel->count++;
	} else if (expire_at >= timer->expire_at) {
		timer->expire_at = expire_at; /* its slot comes first, and places it again */
		return;
	} else {
		timer_unlink(wheel, timer);
	}
	timer->expire_at = expire_at;
	timer_link(wheel, timer);
}

void timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
	if (!timer_is_set(timer))
		return;
	timer_unlink(wheel, timer);
	timer->expire_at = 0;
	wheel->count--;
}

/* The first slot ahead that holds timers. Returns the tick at which it starts; false if none. */
static bool wheel_next_slot(
	const struct timer_wheel *wheel, unsigned *level, uint64_t *slot, uint64_t *tick)
{
	uint64_t now = wheel_tick(wheel), ahead = wheel->pending[TOP], here = digit_of(now, TOP);

	for (unsigned l = 0; l < TOP; l++) {
		unsigned above = DIGIT_BITS * (l + 1);

		if (wheel->pending[l] == 0)
			continue;
		*level = l;
		*slot = (uint64_t)__builtin_ctzll(wheel->pending[l]);
		*tick = (now >> above << above) + (*slot << (DIGIT_BITS * l));
		return true;
	}
	if (ahead == 0)
		return false;
	if (here > 0)
		ahead = ahead >> here | ahead << (TIMER_SLOTS - here);
	ahead = (uint64_t)__builtin_ctzll(ahead);
	*level = TOP;
	*slot = (here + ahead) % TIMER_SLOTS;
	*tick = ((now >> (DIGIT_BITS * TOP)) + ahead) << (DIGIT_BITS * TOP);
	return true;
}

/* Goes to the next slot that holds timers and collects them; false if now_ns comes first. */
static bool wheel_step(struct timer_wheel *wheel, uint64_t now_ns)
{
	uint64_t target = now_ns >> TIMER_TICK_SHIFT, slot, tick;
	unsigned level;

	if (!wheel_next_slot(wheel, &level, &slot, &tick) || tick > target) {
		wheel->now_ns = now_ns;
		return false;
	}
	wheel->now_ns = tick == target ? now_ns : tick << TIMER_TICK_SHIFT;
	list_splice_tail(&wheel->due, &wheel->slots[level][slot]);
	wheel->pending[level] &= ~(UINT64_C(1) << slot);
	return true;
}

uint32_t timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ns, uint32_t budget)
{
	uint32_t fired = 0, moved = 0;

	DEBUG_ASSERT(now_ns >= wheel->now_ns);
	list_splice_tail(&wheel->due, &wheel->late);
	do {
		while (!list_is_empty(&wheel->due)) {
			struct timer *timer = list_first(&wheel->due, struct timer, link);

			if (fired == budget || moved == TIMER_MOVES_MAX)
				return fired;
			/* The next one is loaded with this; the one after it need not be waited
			 * for. */
			__builtin_prefetch(timer->link.next->next, 1);
			list_del(&timer->link);
			if (timer->expire_at > wheel->now_ns) {
				timer_link(wheel, timer);
				moved++;
				continue;
			}
			timer->expire_at = 0;
			wheel->count--;
			fired++;
			timer->fn(timer, now_ns);
		}
	} while (wheel_step(wheel, now_ns));
	return fired;
}

uint64_t timer_wheel_next(const struct timer_wheel *wheel)
{
	uint64_t slot, tick;
	unsigned level;

	if (!list_is_empty(&wheel->due) || !list_is_empty(&wheel->late))
		return wheel->now_ns;
	if (!wheel_next_slot(wheel, &level, &slot, &tick))
		return TIMER_NEVER;
	return tick << TIMER_TICK_SHIFT;
}
