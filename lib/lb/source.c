/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * balance source, hash-type map-based: the client's address, modulo the sum of the weights, is a
 * position in a table. The table is filled so that each server stands in it as often as its
 * weight says, spread out; the same addresses meet the same servers as with HAProxy.
 */
#include "lb_pvt.h"

/* Servers times entries: what a rebuild may cost on a data core (some milliseconds). */
#define BUILD_STEPS_MAX (4u * 1024 * 1024)

static uint32_t table_max(uint32_t server_count)
{
	uint32_t steps = BUILD_STEPS_MAX / MAX(server_count, 1u);
	uint32_t max = MIN(server_count * LB_WEIGHT_MAX, LB_TABLE_MAX);

	max = MIN(max, steps);
	return MAX(max, server_count);
}

/* The table, then per server its weight and its score. */
static size_t state_words(uint32_t server_count)
{
	return (size_t)table_max(server_count) + 2 * (size_t)server_count;
}

/* Each position raises every score by its weight; the first server in the highest class of score
 * (whole multiples of the period) gets the position and pays one period. */
static uint32_t next_server(uint32_t n, const uint32_t *weights, int32_t *scores, int32_t period)
{
	uint32_t best = 0;
	int32_t best_class = -1;

	for (uint32_t i = 0; i < n; i++) {
		int32_t class;

		if (weights[i] == 0)
			continue;
		scores[i] += (int32_t)weights[i];
		class = (scores[i] + period) / period;
		if (class > best_class) {
			best = i;
			best_class = class;
		}
	}
	scores[best] -= period;
	return best;
}

static void rebuild(struct lb *lb)
{
	uint32_t n = lb->server_count;
	uint32_t *weights = lb->state + table_max(n);
	int32_t *scores = (int32_t *)(weights + n);
	uint32_t at = 0;

	lb->table_count = lb_weights(lb, weights, table_max(n));
	memset(scores, 0, n * sizeof(*scores));
	if (lb->table_count == lb->usable_count) { /* all weigh the same */
		for (uint32_t i = 0; i < n; i++)
			if (lb->usable[i])
				lb->state[at++] = i;
		return;
	}
	while (at < lb->table_count)
		lb->state[at++] = next_server(n, weights, scores, (int32_t)lb->table_count);
}

static uint32_t pick(struct lb *lb, const struct lb_query *query)
{
	uint32_t start = lb_hash_addr(query->source) % lb->table_count;
	uint32_t i = start;

	/* A full server keeps its clients waiting; only one that failed is passed over. */
	while (lb->state[i] == query->avoid && lb->usable_count > 1)
		i = i + 1 == lb->table_count ? 0 : i + 1;
	return lb->state[i];
}

const struct lb_ops lb_source_map = {
	.name = "source",
	.state_words = state_words,
	.rebuild = rebuild,
	.pick = pick,
};
