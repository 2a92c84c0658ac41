/* SPDX-License-Identifier: BSD-3-Clause */
#include "hist.h"

#define SUB_COUNT (1u << HIST_SUB_BITS)
#define SUB_HALF  (SUB_COUNT / 2)

/* Values below SUB_COUNT have a slot each; above, each power of two has SUB_HALF of them. */
static uint32_t slot_of(uint64_t ns)
{
	uint32_t shift, slot;

	if (ns < SUB_COUNT)
		return (uint32_t)ns;
	shift = 63u - (uint32_t)__builtin_clzll(ns) - (HIST_SUB_BITS - 1);
	slot = shift * SUB_HALF + (uint32_t)(ns >> shift);
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The middle of what a slot stands for. */
static uint64_t value_of(uint32_t slot)
{
	uint32_t shift;

	if (slot < SUB_COUNT)
		return slot;
	shift = slot / SUB_HALF - 1;
	return ((uint64_t)(slot % SUB_HALF + SUB_HALF) << shift) + ((UINT64_C(1) << shift) / 2);
}

void hist_add(struct hist *h, uint64_t ns)
{
	h->count++;
	h->sum_ns += (double)ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	h->slots[slot_of(ns)]++;
}

uint64_t hist_at(const struct hist *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->count + 0.5);
	uint64_t seen = 0;

	for (uint32_t i = 0; i < HIST_SLOTS && h->count; i++) {
		seen += h->slots[i];
		if (h->slots[i] && seen >= wanted)
			return value_of(i) < h->max_ns ? value_of(i) : h->max_ns;
	}
	return h->max_ns;
}

uint64_t hist_mean(const struct hist *h)
{
	return h->count ? (uint64_t)(h->sum_ns / (double)h->count) : 0;
}
