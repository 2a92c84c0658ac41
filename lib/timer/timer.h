/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * timer: a hierarchical timing wheel (Varghese and Lauck, scheme 7), one per core.
 *
 * Ticks are 2^20 ns (1.05 ms). Setting, moving, and cancelling cost the same for any number of
 * timers; moving to a later moment, as idle timeouts do with every packet, is a single store. A
 * turn costs nothing for timers that are not due. A timer never fires early; it fires at the
 * first run after its tick has passed.
 */
#ifndef WEIR_TIMER_H
#define WEIR_TIMER_H

#include "base_list.h"

#define TIMER_TICK_SHIFT 20
#define TIMER_TICK_NS    (UINT64_C(1) << TIMER_TICK_SHIFT)
#define TIMER_LEVELS     5
#define TIMER_SLOTS      64
#define TIMER_NEVER      UINT64_MAX
#define TIMER_SPAN_MAX_NS \
	(UINT64_C(1) << 50)  /* about 13 days; the wheel goes round for later ones */
#define TIMER_MOVES_MAX 4096 /* timers that one run brings nearer to the hub */

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
	uint64_t now_ns;                /* what was due up to here has been collected */
	uint32_t count;                 /* timers that are set */
	uint64_t pending[TIMER_LEVELS]; /* bit n: slot n holds a timer */
	struct list due;                /* collected from slots; fire or go to another slot */
	struct list late;               /* had passed when they were set; due at the next run */
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

/** Start-up. An empty wheel that stands at now_ns; nothing to release. */
void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns);

/** The timer is not set afterwards. Must precede every other use. */
void timer_init(struct timer *timer, timer_fn fn);

static inline bool timer_is_set(const struct timer *timer)
{
	return timer->expire_at != 0;
}

/**
 * Sets or moves to expire_at (ns, at least 1). A moment that has passed fires at the next run,
 * not inside this call.
 */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t expire_at) WR_DATA_CORE;

/** Harmless if it is not set. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer) WR_DATA_CORE;

/**
 * Fires what is due at now_ns in the order of ticks, at most `budget` timers; the rest stays due
 * for the next run. A clock that jumps ahead costs one pass over the wheel, not one step per tick.
 * now_ns must not go back. Returns how many fired.
 */
uint32_t timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ns, uint32_t budget) WR_DATA_CORE;

/**
 * For sleeping: a run before this moment has nothing to do. At most one tick after the next
 * expiry; it may lie before it, even in the past. TIMER_NEVER if no timer is set.
 */
uint64_t timer_wheel_next(const struct timer_wheel *wheel);

#endif
