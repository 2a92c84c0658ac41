/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 and the small protocols above it. */
#include "wire.h"

#define FLAG_DONT_FRAGMENT  0x4000
#define FLAG_MORE_FRAGMENTS 0x2000
#define FRAGMENT_OFF_MASK   0x1fff /* in units of 8 bytes */
#define IPV4_BYTES_MAX      65535

static bool lengths_are_possible(const struct wire_ipv4 *h)
{
	uint32_t payload = h->total_bytes - (uint32_t)h->header_bytes;

	if (h->more_fragments && (payload == 0 || payload % 8 != 0))
		return false;
	return (uint32_t)h->header_bytes + h->fragment_off_bytes + payload <= IPV4_BYTES_MAX;
}

enum wire_verdict wire_ipv4_parse(
	const uint8_t *p, size_t len, bool checksum_ok, struct wire_ipv4 *out)
{
	uint16_t fragment;

	*out = (struct wire_ipv4){0};
	if (len < WIRE_IPV4_BYTES_MIN)
		return WIRE_SHORT;
	out->header_bytes = (uint8_t)((p[0] & 0x0f) * 4);
	out->total_bytes = load_be16(p + 2);
	if (p[0] >> 4 != 4 || out->header_bytes < WIRE_IPV4_BYTES_MIN ||
		out->total_bytes < out->header_bytes)
		return WIRE_MALFORMED;
	if (out->total_bytes > len)
		return WIRE_SHORT;
	fragment = load_be16(p + 6);
	out->tos = p[1];
	out->id = load_be16(p + 4);
	out->dont_fragment = fragment & FLAG_DONT_FRAGMENT;
	out->more_fragments = fragment & FLAG_MORE_FRAGMENTS;
	out->fragment_off_bytes = (uint16_t)((fragment & FRAGMENT_OFF_MASK) * 8);
	out->ttl = p[8];
	out->proto = p[9];
	out->src = ip_addr_from_v4(load_be32(p + 12));
	out->dst = ip_addr_from_v4(load_be32(p + 16));
	if (!lengths_are_possible(out))
		return WIRE_MALFORMED;
	if (!checksum_ok && wire_checksum_fold(wire_checksum_add(0, p, out->header_bytes)) != 0)
		return WIRE_BAD_CHECKSUM;
	return WIRE_OK;
}

size_t wire_ipv4_emit(uint8_t *p, const struct wire_ipv4 *h)
{
	uint16_t fragment = h->fragment_off_bytes / 8;

	if (h->dont_fragment)
		fragment |= FLAG_DONT_FRAGMENT;
	if (h->more_fragments)
		fragment |= FLAG_MORE_FRAGMENTS;
	p[0] = 4 << 4 | WIRE_IPV4_BYTES_MIN / 4;
	p[1] = h->tos;
	store_be16(p + 2, h->total_bytes);
	store_be16(p + 4, h->id);
	store_be16(p + 6, fragment);
	p[8] = h->ttl;
	p[9] = h->proto;
	store_be16(p + 10, 0);
	store_be32(p + 12, ip_addr_to_v4(&h->src));
	store_be32(p + 16, ip_addr_to_v4(&h->dst));
	store_be16(p + 10, wire_checksum_fold(wire_checksum_add(0, p, WIRE_IPV4_BYTES_MIN)));
	return WIRE_IPV4_BYTES_MIN;
}

enum wire_verdict wire_udp_parse(const uint8_t *p, size_t len, struct wire_udp *out)
{
	*out = (struct wire_udp){0};
	if (len < WIRE_UDP_BYTES)
		return WIRE_SHORT;
	out->src_port = load_be16(p);
	out->dst_port = load_be16(p + 2);
	out->len_bytes = load_be16(p + 4);
	out->checksum = load_be16(p + 6);
	if (out->len_bytes < WIRE_UDP_BYTES)
		return WIRE_MALFORMED;
	return out->len_bytes > len ? WIRE_SHORT : WIRE_OK;
}

size_t wire_udp_emit(uint8_t *p, const struct wire_udp *h)
{
	store_be16(p, h->src_port);
	store_be16(p + 2, h->dst_port);
	store_be16(p + 4, h->len_bytes);
	store_be16(p + 6, h->checksum);
	return WIRE_UDP_BYTES;
}

enum wire_verdict wire_icmp_parse(const uint8_t *p, size_t len, struct wire_icmp *out)
{
	*out = (struct wire_icmp){0};
	if (len < WIRE_ICMP_BYTES)
		return WIRE_SHORT;
	out->type = p[0];
	out->code = p[1];
	out->checksum = load_be16(p + 2);
	out->rest = load_be32(p + 4);
	return WIRE_OK;
}

size_t wire_icmp_emit(uint8_t *p, const struct wire_icmp *h)
{
	p[0] = h->type;
	p[1] = h->code;
	store_be16(p + 2, h->checksum);
	store_be32(p + 4, h->rest);
	return WIRE_ICMP_BYTES;
}
