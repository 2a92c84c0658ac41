/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first byte chooses the header that the rest is read as. What must hold besides "no read past
 * the end": a header that is accepted lies within the bytes, and what emit writes of it parses to
 * the same again.
 */
#include <string.h>

#include "wire_ipv6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_ether(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_ETHER_BYTES + WIRE_VLAN_BYTES];
	struct wire_ether h, again;
	size_t n;

	if (wire_ether_parse(p, len, &h) != WIRE_OK)
		return;
	ASSERT(h.len_bytes <= len);
	n = wire_ether_emit(out, &h);
	ASSERT(wire_ether_parse(out, n, &again) == WIRE_OK);
	ASSERT(again.type == h.type);
	ASSERT(again.vlan == h.vlan);
	ASSERT(again.len_bytes == n);
	ASSERT(memcmp(out, p, 12) == 0);
}

static void fuzz_arp(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_ARP_BYTES];
	struct wire_arp h;

	if (wire_arp_parse(p, len, &h) != WIRE_OK)
		return;
	ASSERT(wire_arp_emit(out, &h) == WIRE_ARP_BYTES);
	ASSERT(memcmp(out, p, WIRE_ARP_BYTES) == 0);
}

static void fuzz_ipv4(const uint8_t *p, size_t len, bool checksum_ok)
{
	uint8_t out[WIRE_IPV4_BYTES_MIN];
	struct wire_ipv4 h, again;

	if (wire_ipv4_parse(p, len, checksum_ok, &h) != WIRE_OK)
		return;
	ASSERT(h.header_bytes >= WIRE_IPV4_BYTES_MIN);
	ASSERT(h.header_bytes <= h.total_bytes);
	ASSERT(h.total_bytes <= len);
	ASSERT(wire_ipv4_emit(out, &h) == sizeof(out));
	ASSERT(wire_ipv4_parse(out, len, false, &again) == WIRE_OK || h.header_bytes > sizeof(out));
	ASSERT(ip_addr_eq(&again.src, &h.src));
	ASSERT(ip_addr_eq(&again.dst, &h.dst));
	ASSERT(again.total_bytes == h.total_bytes);
	ASSERT(again.fragment_off_bytes == h.fragment_off_bytes);
	ASSERT(again.more_fragments == h.more_fragments);
}

static void fuzz_udp(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_UDP_BYTES];
	struct wire_udp h;

	if (wire_udp_parse(p, len, &h) != WIRE_OK)
		return;
	ASSERT(h.len_bytes <= len);
	wire_udp_emit(out, &h);
	ASSERT(memcmp(out, p, sizeof(out)) == 0);
}

static void fuzz_icmp(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_ICMP_BYTES];
	struct wire_icmp h;

	if (wire_icmp_parse(p, len, &h) != WIRE_OK)
		return;
	wire_icmp_emit(out, &h);
	ASSERT(memcmp(out, p, sizeof(out)) == 0);
}

static void fuzz_tcp(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_TCP_BYTES_MAX];
	struct wire_tcp h, again;
	size_t n;

	if (wire_tcp_parse(p, len, &h) != WIRE_OK)
		return;
	ASSERT(h.header_bytes <= len);
	ASSERT(h.window_scale <= 14);
	ASSERT(h.sack_count <= WIRE_TCP_SACK_BLOCKS_MAX);
	n = wire_tcp_emit(out, &h);
	ASSERT(n <= sizeof(out));
	ASSERT(n == wire_tcp_bytes(&h));
	ASSERT(wire_tcp_parse(out, n, &again) == WIRE_OK);
	ASSERT(again.header_bytes == n);
	ASSERT(again.sack_count <= h.sack_count);
	h.header_bytes = again.header_bytes;
	h.sack_count = again.sack_count; /* those that fit */
	memset(h.sack + h.sack_count, 0, sizeof(h.sack) - h.sack_count * sizeof(h.sack[0]));
	ASSERT(memcmp(&again, &h, sizeof(h)) == 0);
}

static void fuzz_chain(const uint8_t *p, size_t len, const struct wire_ipv6 *h)
{
	uint8_t out[WIRE_IPV6_FRAGMENT_BYTES];
	struct wire_ipv6_chain c;
	enum wire_verdict verdict = wire_ipv6_walk(p, len, h, &c);

	ASSERT(c.extensions <= WIRE_IPV6_EXTENSIONS_MAX + 1);
	ASSERT(!c.tell || verdict == WIRE_MALFORMED);
	if (verdict != WIRE_OK)
		return;
	ASSERT(c.header_bytes <= len);
	ASSERT(c.header_bytes <= WIRE_IPV6_BYTES + h->payload_bytes);
	ASSERT(c.header_bytes <= WIRE_IPV6_BYTES + WIRE_IPV6_EXTENSION_BYTES_MAX);
	ASSERT(p[c.next_at] == c.proto);
	if (c.fragment.at == 0)
		return;
	wire_ipv6_fragment_emit(out, &c.fragment);
	ASSERT(p[c.fragment.next_at] == WIRE_PROTO_FRAGMENT);
	ASSERT(out[0] == p[c.fragment.at]);
	ASSERT(memcmp(out + 4, p + c.fragment.at + 4, 4) == 0);
	/* RFC 8200 4.5: the payload of the whole packet, its unfragmentable part included. */
	ASSERT(c.fragment.off_bytes + h->payload_bytes - WIRE_IPV6_FRAGMENT_BYTES <= UINT16_MAX);
}

static void fuzz_ipv6(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_IPV6_BYTES];
	struct wire_ipv6 h, again;

	if (wire_ipv6_parse(p, len, &h) != WIRE_OK)
		return;
	ASSERT(h.payload_bytes + (size_t)WIRE_IPV6_BYTES <= len);
	wire_ipv6_emit(out, &h);
	ASSERT(wire_ipv6_parse(out, len, &again) == WIRE_OK);
	ASSERT(again.payload_bytes == h.payload_bytes);
	ASSERT(again.tos == h.tos);
	ASSERT(again.ttl == h.ttl);
	ASSERT(ip_addr_eq(&again.dst, &h.dst) || ip_addr_zone(&h.dst) != 0);
	fuzz_chain(p, len, &h);
}

static void fuzz_ndp(const uint8_t *p, size_t len)
{
	uint8_t out[WIRE_NDP_BYTES_MAX], twice[WIRE_NDP_BYTES_MAX];
	struct wire_ndp h, again;
	size_t n;

	if (wire_ndp_parse(p, len, &h) != WIRE_OK)
		return;
	n = wire_ndp_emit(out, &h);
	ASSERT(n <= sizeof(out));
	ASSERT(wire_ndp_parse(out, n, &again) == WIRE_OK);
	ASSERT(wire_ndp_emit(twice, &again) == n);
	ASSERT(memcmp(out, twice, n) == 0);
}

static void fuzz_mld(const uint8_t *p, size_t len)
{
	struct wire_mld_query q;

	if (wire_mld_query_parse(p, len, &q) != WIRE_OK)
		return;
	ASSERT(q.v1 == (len == WIRE_MLD1_BYTES));
	ASSERT(q.response_ms <= 0x1fff << 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 10) {
	case 0:
		fuzz_ether(data + 1, size - 1);
		break;
	case 1:
		fuzz_arp(data + 1, size - 1);
		break;
	case 2:
		fuzz_ipv4(data + 1, size - 1, true);
		break;
	case 3:
		fuzz_ipv4(data + 1, size - 1, false);
		break;
	case 4:
		fuzz_udp(data + 1, size - 1);
		break;
	case 5:
		fuzz_icmp(data + 1, size - 1);
		break;
	case 6:
		fuzz_tcp(data + 1, size - 1);
		break;
	case 7:
		fuzz_ipv6(data + 1, size - 1);
		break;
	case 8:
		fuzz_ndp(data + 1, size - 1);
		break;
	default:
		fuzz_mld(data + 1, size - 1);
		break;
	}
	return 0;
}
