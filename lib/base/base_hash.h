/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes. hash_bytes is XXH3 with a seed, for tables. hash_keyed is SipHash-2-4, for what
 * a peer must not predict (RFC 6528 sequence numbers, RFC 6056 ports, SYN cookies).
 */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include "base.h"

struct hash_key {
	uint64_t k0;
	uint64_t k1;
};

/** XXH3 of `len` bytes; the same on every machine of one byte order. */
uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

/** SipHash-2-4 of `len` bytes under `key`. */
uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len);

#endif
