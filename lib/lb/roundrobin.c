/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * roundrobin: the whole machine walks one table of positions. The table holds one period: each
 * server stands in it as often as its weight says, as evenly as possible (earliest deadline
 * first: a server of weight w is due every sum/w positions). A pick takes the position that the
 * picks of all cores so far point to, so no core needs to know what another one chose.
 *
 * The order equals HAProxy's: servers enter by weight, heaviest first, each at a position where
 * nobody who entered before is due; among those due at one position the one with the earliest
 * fraction goes first (fraction and weight in one number: rest - weight), then who waits longest.
 */
#include "lb_pvt.h"

/* Where a server is due next. */
struct due {
	uint32_t server;
	uint32_t weight;
	uint32_t at;   /* position */
	uint32_t rest; /* in weight-ths of a position */
	uint32_t stamp;
};

struct build {
	struct due *heap;
	uint32_t heap_count;
	uint32_t *order; /* servers that have not entered yet, heaviest first */
	uint32_t order_count, order_at;
	uint32_t period;
};

#define DUE_WORDS (sizeof(struct due) / sizeof(uint32_t))

static size_t table_words(uint32_t server_count)
{
	return MIN((size_t)server_count * LB_WEIGHT_MAX, (size_t)LB_TABLE_MAX);
}

/* The table, then per server: its place in the heap, its weight, its place in the order. */
static size_t state_words(uint32_t server_count)
{
	return table_words(server_count) + server_count * (DUE_WORDS + 2);
}

static bool due_before(const struct due *a, const struct due *b)
{
	int32_t fraction_a = (int32_t)a->rest - (int32_t)a->weight;
	int32_t fraction_b = (int32_t)b->rest - (int32_t)b->weight;

	if (a->at != b->at)
		return a->at < b->at;
	return fraction_a != fraction_b ? fraction_a < fraction_b : a->stamp < b->stamp;
}

static void swap_due(struct due *a, struct due *b)
{
	struct due keep = *a;

	*a = *b;
	*b = keep;
}

static void sift_down(struct build *b)
{
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= b->heap_count)
			return;
		if (child + 1 < b->heap_count && due_before(&b->heap[child + 1], &b->heap[child]))
			child++;
		if (!due_before(&b->heap[child], &b->heap[i]))
			return;
		swap_due(&b->heap[child], &b->heap[i]);
		i = child;
	}
}

static void push(struct build *b, const struct due *due)
{
	uint32_t i = b->heap_count++;

	b->heap[i] = *due;
	while (i > 0 && due_before(&b->heap[i], &b->heap[(i - 1) / 2])) {
		swap_due(&b->heap[i], &b->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void advance(struct due *due, uint32_t period, uint32_t stamp)
{
	due->at += period / due->weight;
	due->rest += period % due->weight;
	if (due->rest >= due->weight) {
		due->rest -= due->weight;
		due->at++;
	}
	due->stamp = stamp;
}

static uint32_t next_server(struct build *b, const uint32_t *weights, uint32_t position)
{
	uint32_t server;

	if (b->order_at < b->order_count && (b->heap_count == 0 || b->heap[0].at > position)) {
		struct due due = {.server = b->order[b->order_at++], .at = position};

		due.weight = weights[due.server];
		advance(&due, b->period, position);
		push(b, &due);
		return due.server;
	}
	server = b->heap[0].server;
	advance(&b->heap[0], b->period, position);
	sift_down(b);
	return server;
}

/* By weight, heaviest first, equal ones as they stand: counted, because it needs no memory. */
static uint32_t order_by_weight(const struct lb *lb, const uint32_t *weights, uint32_t *order)
{
	uint32_t start[LB_WEIGHT_MAX + 2] = {0};

	for (uint32_t i = 0; i < lb->server_count; i++)
		if (weights[i] > 0)
			start[LB_WEIGHT_MAX - weights[i] + 1]++;
	for (uint32_t w = 1; w < ARRAY_LEN(start); w++)
		start[w] += start[w - 1];
	for (uint32_t i = 0; i < lb->server_count; i++)
		if (weights[i] > 0)
			order[start[LB_WEIGHT_MAX - weights[i]]++] = i;
	return (uint32_t)lb->usable_count;
}

static void rebuild(struct lb *lb)
{
	uint32_t *table = lb->state;
	uint32_t *after = table + table_words(lb->server_count);
	struct build b = {.heap = (struct due *)(void *)after};
	uint32_t *weights = after + (size_t)lb->server_count * DUE_WORDS;

	b.order = weights + lb->server_count;
	b.period = lb_weights(lb, weights, (uint32_t)table_words(lb->server_count));
	b.order_count = order_by_weight(lb, weights, b.order);
	for (uint32_t i = 0; i < b.period; i++)
		table[i] = next_server(&b, weights, i);
	lb->table_count = b.period;
}

static uint32_t pick(struct lb *lb, const struct lb_query *query)
{
	uint32_t start = (uint32_t)(lb_picks(lb) % lb->table_count);
	uint32_t i = start;

	do {
		uint32_t server = lb->state[i];

		if (lb_is_candidate(lb, query, server))
			return server;
		i = i + 1 == lb->table_count ? 0 : i + 1;
	} while (i != start);
	return LB_NONE;
}

const struct lb_ops lb_roundrobin = {
	.name = "roundrobin",
	.state_words = state_words,
	.rebuild = rebuild,
	.pick = pick,
};
