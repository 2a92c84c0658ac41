/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meter: what a stretch of code costs, repeated in rounds.
 *
 * Cycles are those of the processor's time-stamp counter, as in the budget and in "show worker":
 * they are time. meter_core_ratio tells how many the core itself makes in one of them. The least
 * round counts, because whatever else the machine does only adds to it. Instructions come from the
 * processor's counters where the machine lends them. Under callgrind nothing is timed: the code
 * between meter_begin and meter_end is collected, and each meter_stop dumps what was collected
 * under the meter's name.
 */
#ifndef WEIR_PERF_METER_H
#define WEIR_PERF_METER_H

#include <stdbool.h>
#include <stdint.h>

#define METER_ROUNDS_MAX 64

struct meter {
	uint64_t begun_cycles, begun_instructions;
	uint64_t cycles, instructions; /* of the round at hand */
	uint64_t ops;                  /* in the round at hand */
	uint32_t rounds;
	bool off;                              /* measures nothing in this pass */
	double round_cycles[METER_ROUNDS_MAX]; /* for each operation */
	double round_instructions;             /* of the last round, for each operation */
};

/** Once, at the start: finds out what a meter itself costs, and whether instructions are counted.
 */
void meter_init(void);
/** Under callgrind: few rounds are enough. */
bool meter_is_callgrind(void);
/** NULL, or why instructions are not counted. */
const char *meter_no_instructions(void);

/** Cycles of the core in one of the counter, from multiplications that wait for each other. */
double meter_core_ratio(void);

void meter_begin(struct meter *m);
/** `ops` operations were done since meter_begin. */
void meter_end(struct meter *m, uint64_t ops);
/** The round is over. */
void meter_round(struct meter *m);

/** Cycles of an operation in the least round, and in the middle one. */
double meter_least(const struct meter *m);
double meter_median(const struct meter *m);

/**
 * Meters of code that runs by turns: callgrind collects for one at a time, so it takes as many
 * passes as there are meters, others one. Begins a pass; false: all are done, and reported.
 */
struct meter_set {
	struct meter *meters;
	const char *const *names;
	uint32_t count, pass;
};
bool meter_set_pass(struct meter_set *set);

/** The end: one line of JSON on standard output, with `name`; and the dump under callgrind. */
void meter_report(const struct meter *m, const char *name);

#endif
