/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEIR_LB_PVT_H
#define WEIR_LB_PVT_H

#include "lb.h"
#include "mem.h"
#include "stat.h"

/* Entries of a table of positions; beyond it weights are scaled down. */
#define LB_TABLE_MAX 65536u

struct lb {
	const struct lb_ops *ops;
	struct lb *const *all; /* the same backend on all cores; all[0] to all[all_count - 1] */
	uint32_t all_count;
	uint32_t server_count;
	bool allbackups;
	bool dirty; /* rebuild before the next pick */

	/* Read by other cores. */
	uint64_t pick_count;
	uint64_t usable_count, usable_weight, active_count, backup_count;
	uint64_t *loads; /* what this core has on each server */

	/* Loads of the other cores, as of others_turn. */
	uint64_t others_turn;
	uint32_t *others;

	struct lb_server *servers;
	bool *usable; /* candidates: up, with a weight, of the class in use */

	uint32_t table_count; /* of the algorithm's table */
	uint32_t *state;      /* the algorithm's, ops->state_words of them */
	struct mem_region region;
};

/** Sum over all cores of the picks so far. */
uint64_t lb_picks(const struct lb *lb);

/** True if the server may be the answer to this query. */
bool lb_is_candidate(const struct lb *lb, const struct lb_query *query, uint32_t server);

/**
 * Weights of the candidates without their common divisor, scaled down so that their sum is at
 * most table_max (each stays at least 1). 0 for the others. Returns the sum.
 */
uint32_t lb_weights(const struct lb *lb, uint32_t *weights, uint32_t table_max);

/** The hash of an address: its 32-bit words folded by exclusive or. */
uint32_t lb_hash_addr(const struct ip_addr *addr);

#endif
