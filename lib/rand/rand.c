/* SPDX-License-Identifier: BSD-3-Clause */
/* xoshiro256** and splitmix64 after Blackman and Vigna, "Scrambled Linear Pseudorandom Number
 * Generators" (2021); rand_below after Lemire, "Fast Random Integer Generation in an Interval"
 * (2019). */
#include <errno.h>
#include <sys/random.h>

#include "rand.h"

static uint64_t rotl(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void rand_init(struct rand *r, uint64_t seed)
{
	for (size_t i = 0; i < ARRAY_LEN(r->s); i++)
		r->s[i] = splitmix64(&seed);
}

uint64_t rand_u64(struct rand *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint32_t rand_below(struct rand *r, uint32_t limit)
{
	uint64_t product = (uint64_t)rand_u32(r) * limit;

	ASSERT(limit > 0);
	if (UNLIKELY((uint32_t)product < limit)) {
		uint32_t biased =
			-limit % limit; /* 2^32 mod limit low halves come once too often */

		while ((uint32_t)product < biased)
			product = (uint64_t)rand_u32(r) * limit;
	}
	return (uint32_t)(product >> 32);
}

int rand_system_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno != EINTR)
			return -EIO;
		if (got > 0) {
			p += got;
			len -= (size_t)got;
		}
	}
	return 0;
}
