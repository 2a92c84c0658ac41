/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * steer: which core owns a connection. A pure function of the 4-tuple: Toeplitz with a key whose
 * pattern repeats every 16 bits, so that both directions give the same hash; then the low bits
 * through a table of STEER_TABLE_SIZE entries (like an RSS indirection table). Immutable after
 * start; any core.
 *
 * IPv4 hashes addresses and ports as NICs do for RSS (12 bytes), IPv6 likewise (36 bytes).
 *
 * In software it is cheap. Toeplitz combines, for each set bit i of the input, the 32 key bits
 * that start at bit i; with a key of period 16 that depends on i mod 16 only. So the input may
 * first be folded to one 16-bit word by exclusive or, in which source and destination change
 * places freely, and the hash is the 16-bit Toeplitz of that word, twice. The pattern 0x6d5a has
 * an odd number of set bits, which makes the map of words to hashes one to one: no value of the
 * folded word is lost.
 */
#ifndef WEIR_STEER_H
#define WEIR_STEER_H

#include "base_addr.h"

#define STEER_KEY_BYTES  40
#define STEER_TABLE_SIZE 128

struct steer {
	uint32_t workers; /* cores 0 to workers - 1; the control core has index `workers` */
	/* Local ports whose packets belong to the control core: its own outgoing connections and
	 * datagrams. No bind and no worker uses them. 0 to 0: none. */
	uint16_t control_port_min;
	uint16_t control_port_max;
	uint8_t key[STEER_KEY_BYTES];
	uint8_t table[STEER_TABLE_SIZE];
	uint16_t nibbles[4][16]; /* hash of a word that has only this nibble set */
};

#define STEER_CONTROL_PORT_MIN 64512
#define STEER_CONTROL_PORT_MAX 65535

/** Start-up. 1 to 63 workers, spread evenly over the table; the control ports as above. */
void steer_init(struct steer *s, uint32_t workers);

static inline bool steer_is_control_port(const struct steer *s, uint16_t port)
{
	return s->control_port_max != 0 && port >= s->control_port_min &&
	       port <= s->control_port_max;
}

/** The Toeplitz hash: the same for (a, b) and (b, a); equal to the NIC's with s->key. */
uint32_t steer_hash(const struct steer *s, const struct endpoint *a, const struct endpoint *b);

static inline uint32_t steer_core_of_hash(const struct steer *s, uint32_t hash)
{
	return s->table[hash % STEER_TABLE_SIZE];
}

/** The core that owns connection (a, b). */
static inline uint32_t steer_core(
	const struct steer *s, const struct endpoint *a, const struct endpoint *b)
{
	return s->workers == 1 ? 0 : steer_core_of_hash(s, steer_hash(s, a, b));
}

#endif
