/* SPDX-License-Identifier: BSD-3-Clause */
/* hist: a histogram of times with two significant figures, from 1 ns to 72 s (the idea of
 * HdrHistogram: linear within each power of two). */
#ifndef WEIR_PERF_HIST_H
#define WEIR_PERF_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS 7
#define HIST_POWERS   30
#define HIST_SLOTS    ((HIST_POWERS + 1) << (HIST_SUB_BITS - 1))

struct hist {
	uint64_t count;
	uint64_t max_ns;
	double sum_ns;
	uint64_t slots[HIST_SLOTS];
};

/** Above the range it counts as the largest. */
void hist_add(struct hist *h, uint64_t ns);
/** The time that `share` (0 to 1) of all did not exceed; 0 if there were none. */
uint64_t hist_at(const struct hist *h, double share);
uint64_t hist_mean(const struct hist *h);

#endif
