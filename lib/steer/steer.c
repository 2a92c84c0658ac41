/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#define PATTERN 0x6d5a /* the key, over and over */

static uint16_t rotl16(uint16_t v, unsigned bits)
{
	return (uint16_t)(v << bits | v >> (16 - bits));
}

/* Toeplitz of one 16-bit word, from its definition. Bit 0 of the input is the highest one. */
static uint16_t toeplitz_word(uint16_t word)
{
	uint16_t hash = 0;

	for (unsigned i = 0; i < 16; i++)
		if (word & (0x8000u >> i))
			hash ^= i == 0 ? PATTERN : rotl16(PATTERN, i);
	return hash;
}

void steer_init(struct steer *s, uint32_t workers)
{
	ASSERT(workers >= 1);
	ASSERT(workers <= 63);
	*s = (struct steer){
		.workers = workers,
		.control_port_min = STEER_CONTROL_PORT_MIN,
		.control_port_max = STEER_CONTROL_PORT_MAX,
	};
	for (size_t i = 0; i < STEER_KEY_BYTES; i += 2)
		store_be16(&s->key[i], PATTERN);
	for (uint32_t i = 0; i < STEER_TABLE_SIZE; i++)
		s->table[i] = (uint8_t)(i % workers);
	for (unsigned at = 0; at < 4; at++)
		for (unsigned v = 0; v < 16; v++)
			s->nibbles[at][v] = toeplitz_word((uint16_t)(v << (at * 4)));
}

/* All 16-bit words of both addresses. The prefix of an IPv4 address stands in both and goes away,
 * so the families need no cases. Zones do not reach the NIC. */
static uint16_t fold_addresses(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t x = load_be64(&a->b[0]) ^ load_be64(&a->b[8]) ^ load_be64(&b->b[0]) ^
		     load_be64(&b->b[8]);

	x ^= x >> 32;
	return (uint16_t)(x ^ x >> 16 ^ ip_addr_zone(a) ^ ip_addr_zone(b));
}

uint32_t steer_hash(const struct steer *s, const struct endpoint *a, const struct endpoint *b)
{
	uint16_t word = (uint16_t)(fold_addresses(&a->addr, &b->addr) ^ a->port ^ b->port);
	uint32_t hash = s->nibbles[0][word & 15] ^ s->nibbles[1][word >> 4 & 15] ^
			s->nibbles[2][word >> 8 & 15] ^ s->nibbles[3][word >> 12];

	return hash << 16 | hash;
}
