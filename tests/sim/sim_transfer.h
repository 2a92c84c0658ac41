/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transfers between the two machines of a pair: each side's bytes must reach the other one exactly,
 * and both must come to their end.
 *
 *     pair_init; transfers_init; transfer_start ...
 *     problem = transfers_run(...);
 *     if (!problem) problem = transfers_judge(...);
 *     leak = pair_fini(...);
 */
#ifndef WEIR_TESTS_SIM_TRANSFER_H
#define WEIR_TESTS_SIM_TRANSFER_H

#include "sim_app.h"
#include "sim_pair.h"

#define TRANSFERS_MAX 16

struct transfers {
	struct pair *pair;
	uint32_t count;
	struct flow flow[TRANSFERS_MAX];
	struct flows flows[HOSTS];
};

/** Listens on every core of both machines. */
void transfers_init(struct transfers *t, struct pair *pair);

/** What an end does that sends so many bytes and reads what comes. */
struct app_plan transfer_plan(uint32_t send_bytes);

/** Machine `from` opens, from its first core; port 0: any. The plans are the client's and the
 * server's. */
struct flow *transfer_start(struct transfers *t, uint32_t from, uint16_t port,
	const struct app_plan *client, const struct app_plan *server);

/** Every end was reached and TCP holds nothing any more. */
bool transfers_are_over(const struct transfers *t);

/** Steps until all are over, or until limit_ns: NULL, or what does not hold. */
const char *transfers_run(struct transfers *t, uint64_t limit_ns);

/** NULL, or what is wrong with a transfer that must be over. */
const char *transfers_judge(const struct transfers *t);

/** Bytes that reached machine `host` so far. */
uint64_t transfers_received(const struct transfers *t, uint32_t host);

#endif
