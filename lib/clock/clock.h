/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock: the only door to time.
 *
 * Monotonic nanoseconds come from a struct clock that the owner of a core chooses: the real
 * one (vDSO, no system call) or one that a test sets by hand. A worker reads it once per loop
 * turn; everything below gets `now_ns` as a parameter or from its worker.
 */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include "base.h"

/* now_ns never goes back. 0 is never returned, so that 0 can mean "not set". */
struct clock {
	uint64_t (*now_ns)(struct clock *clock);
	/* Nanoseconds since 1970 (UTC); for log lines and dates only. */
	uint64_t (*wall_ns)(struct clock *clock);
};

/** The machine's clock. Any core; the result is constant and needs no release. */
struct clock *clock_real(void);

/* A clock that stands until it is moved. */
struct clock_manual {
	struct clock clock;
	uint64_t now_ns;
	uint64_t wall_ns;
};

/** Starts at now_ns (not 0). The wall clock starts at 2026-01-01T00:00:00Z and moves along. */
void clock_manual_init(struct clock_manual *m, uint64_t now_ns);

/** Moves both clocks ahead by `ns`. */
void clock_manual_advance(struct clock_manual *m, uint64_t ns);

/** CPU cycles since some moment, for accounting only, never for decisions. */
static inline uint64_t clock_cycles(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#else
#error "clock_cycles: no cycle counter known for this processor"
#endif
}

#endif
