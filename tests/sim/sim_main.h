/* SPDX-License-Identifier: BSD-3-Clause */
/* main() of programs that hold several named cases, or play one case with many seeds. */
#ifndef WEIR_TESTS_SIM_MAIN_H
#define WEIR_TESTS_SIM_MAIN_H

#include "base.h"

/** NULL, or what went wrong. */
typedef const char *(*sim_case_fn)(void);

struct sim_case {
	const char *name;
	sim_case_fn fn;
};

/** Plays the case that the only argument names: run(fn), which sets up what all cases share.
 * Returns the exit status. */
int sim_cases_main(int argc, char **argv, const struct sim_case *cases, uint32_t count,
	const char *(*run)(sim_case_fn fn));

struct sim_options {
	const char *pcap; /* the file for what was on the line; NULL: none */
	bool verbose;
};

/** [--seed N] [--seeds COUNT] [--verbose] [--pcap FILE]: until a seed fails, whose command it
 * prints. Returns the exit status. */
int sim_seeds_main(
	int argc, char **argv, bool (*passes)(uint64_t seed, const struct sim_options *options));

#endif
