/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * leastconn: the server with the fewest connections for its weight, those of all cores together.
 * Idle servers are equal whatever their weight, as in HAProxy. Among equals the one whose load
 * changed longest ago comes first: round robin.
 */
#include "lb_pvt.h"

#define LOAD_SCALE 256u

/* A stamp per server, then the last stamp given. */
static size_t state_words(uint32_t server_count)
{
	return (size_t)server_count + 1;
}

static void moved(struct lb *lb, uint32_t server)
{
	uint32_t *last = &lb->state[lb->server_count];

	lb->state[server] = ++*last;
}

static void rebuild(struct lb *lb)
{
	(void)lb;
}

static uint64_t load_by_weight(const struct lb *lb, uint32_t server)
{
	uint64_t load = lb->loads[server] + lb->others[server];

	return load == 0 ? 0 : (load + 1) * LOAD_SCALE / lb->servers[server].weight;
}

static uint32_t pick(struct lb *lb, const struct lb_query *query)
{
	uint32_t now = lb->state[lb->server_count];
	uint32_t best = LB_NONE;
	uint64_t best_load = UINT64_MAX;

	for (uint32_t i = 0; i < lb->server_count; i++) {
		uint64_t load;

		if (!lb->usable[i])
			continue;
		load = load_by_weight(lb, i);
		/* Stamps wrap: compare their ages. */
		if (load > best_load ||
			(load == best_load && now - lb->state[i] <= now - lb->state[best]))
			continue;
		if (!lb_is_candidate(lb, query, i))
			continue;
		best = i;
		best_load = load;
	}
	return best;
}

const struct lb_ops lb_leastconn = {
	.name = "leastconn",
	.state_words = state_words,
	.rebuild = rebuild,
	.pick = pick,
	.moved = moved,
};
