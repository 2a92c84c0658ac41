/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rand: the only door to randomness. One generator (xoshiro256**) per core, seeded at start.
 * Not for secrets: keys come from rand_system_bytes.
 */
#ifndef WEIR_RAND_H
#define WEIR_RAND_H

#include "base_hash.h"

struct rand {
	uint64_t s[4];
};

/** The same seed gives the same sequence. Any seed is good, also 0. */
void rand_init(struct rand *r, uint64_t seed);

/** The next 64 random bits. */
uint64_t rand_u64(struct rand *r);

static inline uint32_t rand_u32(struct rand *r)
{
	return (uint32_t)(rand_u64(r) >> 32);
}

/** Uniform in [0, limit); limit is at least 1. */
uint32_t rand_below(struct rand *r, uint32_t limit);

/** Fills from the system's generator. Start-up only (a system call). Returns 0 or -EIO. */
int rand_system_bytes(void *buf, size_t len);

#endif
