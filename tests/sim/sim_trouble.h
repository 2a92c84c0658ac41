/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes wrong on a machine and on its line while connections live: each trouble begins once,
 * and ends once if it lasts.
 */
#ifndef WEIR_TESTS_SIM_TROUBLE_H
#define WEIR_TESTS_SIM_TROUBLE_H

#include "sim_drain.h"
#include "sim_pair.h"

#define TROUBLES_MAX 8

/* What an innocent flow may suffer because of it. */
enum {
	MAY_FAIL_TO_OPEN = 1 << 0, /* no neighbour, no memory */
	MAY_BE_RESET = 1 << 1,     /* the peer forgot it early, or its cookie ended */
};

struct trouble {
	const struct trouble_kind *kind;
	uint64_t begin_at, end_at;
	uint32_t host, core;
	uint32_t amount; /* what it is, is for the kind to say */
	bool begun, ended;
	struct drain drain;
};

struct trouble_kind {
	const char *name;
	uint32_t may; /* MAY_* */
	uint32_t amount_min, amount_max;
	uint32_t span_ms_max; /* 0: it does not last */
	void (*begin)(struct trouble *t, struct pair *p);
	void (*end)(struct trouble *t, struct pair *p);
};

struct troubles {
	uint32_t count;
	struct trouble all[TROUBLES_MAX];
};

/** Up to TROUBLES_MAX of them between the pair's start and the moment after it. */
void troubles_plan(struct troubles *s, const struct pair *p, struct rand *rand, uint64_t within_ns);

/** When the next one begins or ends; TIMER_NEVER: no more. */
uint64_t troubles_next_at(const struct troubles *s);

/** Begins and ends what is due. */
void troubles_step(struct troubles *s, struct pair *p);

/** Ends what lasts, before the pair goes. */
void troubles_end(struct troubles *s, struct pair *p);

/** What flows may suffer because of those that began: MAY_*. */
uint32_t troubles_may(const struct troubles *s);

/** Prints one line for each. */
void troubles_show(const struct troubles *s, const struct pair *p);

#endif
