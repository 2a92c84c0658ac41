/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 1071. A sum of 16-bit words with end-around carry may be taken in wider words and in the
 * machine's own byte order, and put right once at the end.
 */
#include "wire.h"

static uint32_t fold_carries(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	return (uint32_t)sum;
}

uint32_t wire_checksum_add(uint32_t sum, const void *p, size_t len)
{
	const uint8_t *at = p;
	uint64_t native = 0;
	uint32_t w[4];
	uint16_t word;

	for (; len >= sizeof(w); len -= sizeof(w), at += sizeof(w)) {
		memcpy(w, at, sizeof(w));
		native += (uint64_t)w[0] + w[1] + w[2] + w[3];
	}
	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		native += word;
	}
	if (len)
		native += *at;
	return fold_carries((uint64_t)sum + __builtin_bswap16((uint16_t)fold_carries(native)));
}

uint32_t wire_checksum_pseudo(
	const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t l4_bytes)
{
	size_t off = ip_addr_is_v4(src) ? 12 : 0;
	uint32_t sum = proto + (l4_bytes >> 16) + (l4_bytes & 0xffff);

	sum = wire_checksum_add(sum, &src->b[off], sizeof(src->b) - off);
	sum = wire_checksum_add(sum, &dst->b[off], sizeof(dst->b) - off);
	/* A zone is no part of the packet: minus it is plus its complement. */
	return sum + (uint16_t)~ip_addr_zone(src) + (uint16_t)~ip_addr_zone(dst);
}

uint16_t wire_checksum_fold(uint32_t sum)
{
	return (uint16_t)~fold_carries(sum);
}
