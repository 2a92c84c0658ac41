/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two machines and the line between them, in virtual time.
 *
 *     fill line and config; pair_init; add listeners and connections;
 *     while (...) problem = pair_step(...);
 *     problem = pair_fini(...);
 */
#ifndef WEIR_TESTS_SIM_PAIR_H
#define WEIR_TESTS_SIM_PAIR_H

#include "sim_host.h"

#define HOSTS 2

struct pair {
	struct impair_config line[HOSTS]; /* from host i to the other */
	struct host_config config[HOSTS]; /* numbers are set by pair_init */
	struct host host[HOSTS];
	struct clock_manual clock;
	uint64_t start_ns;
	struct sim_net *net;
	struct sim_link *link;
	struct pkt_pools *pools; /* HOST_CORES_MAX for each host; shared by all pairs */
	bool quick;              /* no look at every connection after every step */
};

/** Builds both machines. The clock stands at start_ns. Only one pair lives at a time. */
void pair_init(struct pair *p, uint64_t seed, uint64_t start_ns);

/** When something happens in one of them; TIMER_NEVER: never again. */
uint64_t pair_next_at(const struct pair *p);

/**
 * Lets both work until they are quiet, then goes to the next event, but not beyond limit_ns. NULL,
 * or what does not hold: tcp_check, or that they never get quiet.
 */
const char *pair_step(struct pair *p, uint64_t limit_ns);

/** Steps until limit_ns. */
const char *pair_run(struct pair *p, uint64_t limit_ns);

/** Nothing of TCP is left on either side. */
bool pair_is_empty(const struct pair *p);

/** Frees everything; NULL, or what leaked. */
const char *pair_fini(struct pair *p);

/** The end of the program. */
void pair_pools_free(void);

#endif
