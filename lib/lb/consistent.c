/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * balance source, hash-type consistent: each server stands on a ring of 2^32 positions, at 16
 * points per unit of weight that depend on its id alone; a client goes to the nearest point. When
 * a server leaves, only its clients move. Points and hash are those of HAProxy, so a node of weir
 * and one of HAProxy side by side choose the same servers.
 */
#include "lb_pvt.h"

#define POINTS_PER_WEIGHT 16u
#define ID_STRIDE         (LB_WEIGHT_MAX * POINTS_PER_WEIGHT)
#define POINTS_MAX        (256u * 1024) /* of all servers; beyond it weights are scaled down */

struct point {
	uint32_t at;
	uint32_t server;
};

static uint32_t points_max(uint32_t server_count)
{
	return MIN(server_count * LB_WEIGHT_MAX * POINTS_PER_WEIGHT, POINTS_MAX);
}

/* The ring, and as much room to sort it. */
static size_t state_words(uint32_t server_count)
{
	return (size_t)points_max(server_count) * 4;
}

/* Bob Jenkins' integer hash with full avalanche (burtleburtle.net/bob/hash/integer.html, public
 * domain), then a product that spreads it further. */
static uint32_t mix(uint32_t a)
{
	a = a + 0x7ed55d16 + (a << 12);
	a = a ^ 0xc761c23c ^ (a >> 19);
	a = a + 0x165667b1 + (a << 5);
	a = (a + 0xd3a2646c) ^ (a << 9);
	a = a + 0xfd7046c5 + (a << 3);
	a = a ^ 0xb55a4f09 ^ (a >> 16);
	return a * 3221225473u;
}

/* By position, least significant byte first; four passes end in `points`. */
static void sort_points(struct point *points, struct point *spare, uint32_t n)
{
	for (uint32_t shift = 0; shift < 32; shift += 8) {
		uint32_t start[257] = {0};
		struct point *keep = points;

		for (uint32_t i = 0; i < n; i++)
			start[(points[i].at >> shift & 0xff) + 1]++;
		for (uint32_t i = 1; i < ARRAY_LEN(start); i++)
			start[i] += start[i - 1];
		for (uint32_t i = 0; i < n; i++)
			spare[start[points[i].at >> shift & 0xff]++] = points[i];
		points = spare;
		spare = keep;
	}
}

static void rebuild(struct lb *lb)
{
	uint32_t max = points_max(lb->server_count);
	struct point *points = (struct point *)(void *)lb->state;
	uint64_t sum = lb->usable_weight;
	uint32_t n = 0;

	for (uint32_t i = 0; i < lb->server_count; i++) {
		uint64_t count = lb->usable[i] ? lb->servers[i].weight * POINTS_PER_WEIGHT : 0;

		if (sum * POINTS_PER_WEIGHT > max && count > 0)
			count = MAX(count * (max - lb->usable_count) / (sum * POINTS_PER_WEIGHT),
				UINT64_C(1));
		for (uint32_t k = 0; k < count; k++)
			points[n++] = (struct point){mix(lb->servers[i].id * ID_STRIDE + k), i};
	}
	ASSERT(n <= max);
	sort_points(points, points + max, n);
	lb->table_count = n;
}

/* The first point at or behind `hash`, table_count if it lies behind the last one. */
static uint32_t find(const struct point *points, uint32_t n, uint32_t hash)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (points[middle].at < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t pick(struct lb *lb, const struct lb_query *query)
{
	const struct point *points = (const struct point *)(const void *)lb->state;
	uint32_t n = lb->table_count;
	uint32_t hash = mix(lb_hash_addr(query->source));
	uint32_t next = find(points, n, hash) % n;
	uint32_t previous = (next + n - 1) % n;
	uint32_t i = points[next].at - hash < hash - points[previous].at ? next : previous;

	if (points[next].at == hash)
		i = next;
	while (points[i].server == query->avoid && lb->usable_count > 1)
		i = (i + 1) % n;
	return points[i].server;
}

const struct lb_ops lb_source_consistent = {
	.name = "source",
	.state_words = state_words,
	.rebuild = rebuild,
	.pick = pick,
};
