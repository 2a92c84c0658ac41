/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timer: a hierarchical timing wheel (Varghese and Lauck, scheme 7), one per core.
 *
 * Ticks are 2^20 ns (1.05 ms). Setting, moving, and cancelling cost the same for any number of
 * timers; a turn costs nothing for timers that are not due. A timer never fires early; it fires
 * at the first run after its tick has passed.
 */
#ifndef WEIR_TIMER_H
#define WEIR_TIMER_H

#include "base_list.h"

#define TIMER_TICK_SHIFT  20
#define TIMER_TICK_NS     (UINT64_C(1) << TIMER_TICK_SHIFT)
#define TIMER_LEVELS      5
#define TIMER_SLOTS       64
#define TIMER_NEVER       UINT64_MAX
#define TIMER_SPAN_MAX_NS (UINT64_C(1) << 50) /* about 13 days; later deadlines are cut to it */

struct timer_wheel;
struct timer;

/** Called on the owner's core with the timer no longer set; may set it or others again. */
typedef void (*timer_fn)(struct timer *timer, uint64_t now_ns);

struct timer {
	struct list link;
	timer_fn fn;
	uint64_t expire_at; /* ns; 0 while it is not set */
};

static_assert(sizeof(struct timer) == 32, "tcp_conn counts on it");

struct timer_wheel {
	uint64_t tick;                  /* the last tick that was run */
	uint32_t count;                 /* timers that are set */
	uint64_t pending[TIMER_LEVELS]; /* bit n: slot n holds a timer */
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns);

void timer_init(struct timer *timer, timer_fn fn);

static inline bool timer_is_set(const struct timer *timer)
{
	return timer->expire_at != 0;
}

/** Sets or moves. A moment that has passed fires at the next run, not inside this call. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t expire_at) WR_DATA_CORE;

/** Harmless if it is not set. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer) WR_DATA_CORE;

/**
 * Fires what is due at now_ns, at most `budget` timers; the rest stays due for the next run.
 * A clock that jumps ahead costs one pass over the wheel, not one step per tick.
 * Returns how many fired.
 */
uint32_t timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ns, uint32_t budget) WR_DATA_CORE;

/** A moment not later than the next expiry, for sleeping until then; TIMER_NEVER if none is set. */
uint64_t timer_wheel_next(const struct timer_wheel *wheel);

#endif
