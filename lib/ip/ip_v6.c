/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_pvt.h"

#define L4_SPLIT_BYTES 60 /* of the upper layer's, that must lie with the headers */

/* fe80 + zone is our own form; nobody sends it (RFC 4291 2.5.6). */
static bool has_zone_on_wire(const struct ip_addr *a)
{
	return ip_addr_zone(a) != 0;
}

/* ::/96 and ::ffff/96 stand for IPv4 inside hosts and never on a wire (RFC 4291 2.5.5). Ours above
 * all: that is how we keep IPv4. */
static bool is_v4_in_disguise(const struct ip_addr *a)
{
	static const uint8_t zero[12];

	return ip_addr_is_v4(a) || (memcmp(a->b, zero, sizeof(zero)) == 0 && !ip_addr_is_any(a) &&
					   !ip_addr_is_loopback(a));
}

/* Who has an address of ours says so to all nodes, with that address as source (RFC 4861 7.2.4). */
static bool may_claim_ours(const struct ip_stack *ip, const struct wire_ipv6 *h, uint16_t iface)
{
	struct ip_addr src = ip_addr_from_wire(&h->src, iface);

	return h->next == WIRE_PROTO_ICMPV6 && ip_addr_is_multicast(&h->dst) &&
	       ip_addr_is_ours(ip, &src);
}

/* Without an address only who looks for one speaks, and to groups (RFC 4861 7.1.1, RFC 3590 4). */
static bool source_is_possible(const struct ip_stack *ip, const struct wire_ipv6 *h, uint16_t iface)
{
	if (has_zone_on_wire(&h->src) || is_v4_in_disguise(&h->src))
		return false;
	if (ip_addr_is_any(&h->src))
		return ip_addr_is_multicast(&h->dst);
	return may_claim_ours(ip, h, iface) ||
	       ip_source_is_possible(ip, &h->src, ip_iface(ip, iface));
}

static bool is_for_us(const struct ip_stack *ip, const struct wire_ipv6 *h, uint16_t iface)
{
	struct ip_addr dst = ip_addr_from_wire(&h->dst, iface);
	const struct ip_own *own;

	if (ip_addr_is_multicast(&h->dst))
		return ip_group_is_ours(ip, &h->dst, iface);
	if (has_zone_on_wire(&h->dst) || is_v4_in_disguise(&h->dst))
		return false;
	if (ip_addr_is_loopback(&dst) && !ip_iface(ip, iface)->allow_loopback)
		return false;
	own = ip_own_find(ip, &dst);
	return own != NULL && own->kind == IP_OWN_ADDRESS;
}

/* IP_STAT_COUNT: the packet is for us, as far as its first header tells. A hop limit of 0 does not
 * matter to who receives it (RFC 8200 3). */
static enum ip_stat header_read(const struct ip_stack *ip, const struct rte_mbuf *m, uint16_t iface,
	bool for_many, struct wire_ipv6 *h)
{
	enum wire_verdict verdict = WIRE_SHORT;

	/* Headers that are split over segments are nobody's but an attacker's. */
	if (m->data_len >= MIN(m->pkt_len, (uint32_t)WIRE_IPV6_BYTES + L4_SPLIT_BYTES))
		verdict = wire_ipv6_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len, h);
	if (verdict != WIRE_OK)
		return verdict == WIRE_SHORT ? IP_STAT_RX_SHORT : IP_STAT_RX_MALFORMED;
	if (for_many && !ip_addr_is_multicast(&h->dst))
		return IP_STAT_RX_LINK_BROADCAST;
	if (!source_is_possible(ip, h, iface))
		return IP_STAT_RX_BAD_SOURCE;
	return is_for_us(ip, h, iface) ? IP_STAT_COUNT : IP_STAT_RX_NOT_OURS;
}

/* Trims what follows the packet. */
static bool padding_strip(struct rte_mbuf *m, const struct wire_ipv6 *h)
{
	uint32_t bytes = WIRE_IPV6_BYTES + (uint32_t)h->payload_bytes;

	return m->pkt_len == bytes || rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - bytes)) == 0;
}

/* Groups, and senders without an address, are for ICMPv6 alone. */
static enum ip_stat chain_check(const struct wire_ipv6 *h, const struct wire_ipv6_chain *chain)
{
	if (chain->proto == WIRE_PROTO_NONE)
		return IP_STAT_RX_NO_NEXT;
	if (chain->proto != WIRE_PROTO_ICMPV6 && ip_addr_is_multicast(&h->dst))
		return IP_STAT_RX_NOT_OURS;
	return IP_STAT_COUNT;
}

/* RFC 6946: one with a fragment header that is all of a packet is none. */
static bool is_fragment(const struct wire_ipv6_chain *chain)
{
	return chain->fragment.more || chain->fragment.off_bytes != 0;
}

static void refuse(struct ip_stack *ip, const struct ip_packet *packet, enum wire_verdict verdict,
	const struct wire_ipv6_chain *chain)
{
	if (chain->tell)
		icmp6_error_send(ip, packet, WIRE_ICMP6_PARAMETER, chain->tell_code, chain->tell_at,
			chain->tell_of_group);
	ip_drop(ip, verdict == WIRE_SHORT ? IP_STAT_RX_SHORT : IP_STAT_RX_EXTENSION, packet->m);
}

static void loopback_learn(struct ip_stack *ip, const struct ip_packet *packet)
{
	struct wire_mac mac;

	if (ip_addr_is_loopback(&packet->src) && ip_frame_source(packet->m, &mac))
		neighbour_learn(ip, packet->iface, &packet->src, &mac, NEIGHBOUR_NEWS_TO_US);
}

/* A neighbour has no reason to send these in fragments (RFC 6980). */
static bool is_discovery(const struct ip_packet *packet)
{
	uint8_t type = packet->m->data_len > 0 ? *rte_pktmbuf_mtod(packet->m, uint8_t *) : 0;

	return packet->proto == WIRE_PROTO_ICMPV6 && type >= WIRE_ICMP6_ROUTER_SOLICIT &&
	       type <= WIRE_ICMP6_REDIRECT;
}

/* Takes the headers up to the upper layer off. False: the packet is gone, and counted. */
static bool chain_strip(struct ip_stack *ip, struct ip_packet *packet, const struct wire_ipv6 *h,
	const struct wire_ipv6_chain *chain, enum wire_verdict verdict, bool in_fragments)
{
	struct rte_mbuf *m = packet->m;
	enum ip_stat why;

	rte_pktmbuf_adj(m, chain->header_bytes);
	m->l3_len = chain->header_bytes;
	packet->proto = chain->proto;
	if (verdict != WIRE_OK) {
		refuse(ip, packet, verdict, chain);
		return false;
	}
	why = chain_check(h, chain);
	if (in_fragments && is_discovery(packet))
		why = IP_STAT_RX_EXTENSION;
	if (why != IP_STAT_COUNT)
		ip_drop(ip, why, m);
	return why == IP_STAT_COUNT;
}

/* The last fragment came. All headers are in the first one, which was walked (RFC 7112). */
static void whole_input(struct ip_stack *ip, struct ip_packet *packet)
{
	const uint8_t *p = rte_pktmbuf_mtod(packet->m, const uint8_t *);
	struct wire_ipv6_chain chain;
	struct wire_ipv6 h;
	enum wire_verdict verdict = wire_ipv6_parse(p, packet->m->pkt_len, &h);

	ASSERT(verdict == WIRE_OK);
	verdict = wire_ipv6_walk(p, packet->m->data_len, &h, &chain);
	if (chain_strip(ip, packet, &h, &chain, verdict, true))
		ip_input_reassembled(ip, packet);
}

/* Takes a packet with the headers up to the upper layer still in it. */
static void chain_input(struct ip_stack *ip, struct ip_packet *packet, const struct wire_ipv6 *h)
{
	struct rte_mbuf *m = packet->m;
	struct wire_ipv6_chain chain;
	enum wire_verdict verdict =
		wire_ipv6_walk(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, h, &chain);

	if (verdict == WIRE_OK && is_fragment(&chain) && !ip_addr_is_multicast(&h->dst)) {
		ip_count(ip, IP_STAT_RX_IPV6);
		if (ip_v6_make_whole(ip, packet, &chain.fragment))
			whole_input(ip, packet);
		return;
	}
	if (!chain_strip(ip, packet, h, &chain, verdict, chain.fragment.at != 0))
		return;
	loopback_learn(ip, packet);
	ip_count(ip, IP_STAT_RX_IPV6);
	ip_input_packet(ip, packet);
}

void ip_v6_input(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface, bool for_many)
{
	struct wire_ipv6 h;
	enum ip_stat why = header_read(ip, m, iface, for_many, &h);
	struct ip_packet packet;

	if (why == IP_STAT_COUNT && !padding_strip(m, &h))
		why = IP_STAT_RX_MALFORMED;
	if (why != IP_STAT_COUNT) {
		ip_drop(ip, why, m);
		return;
	}
	packet = (struct ip_packet){.m = m,
		.src = ip_addr_from_wire(&h.src, iface),
		.dst = ip_addr_from_wire(&h.dst, iface),
		.iface = iface,
		.tos = h.tos,
		.ttl = h.ttl,
		.l4_checksum_ok = ip_l4_checksum_ok(m)};
	chain_input(ip, &packet, &h);
}

void ip_v6_headers_read(const struct ip_packet *packet, struct wire_ipv6_chain *chain)
{
	const struct rte_mbuf *m = packet->m;
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *) - m->l3_len;
	struct wire_ipv6 h;

	*chain = (struct wire_ipv6_chain){0};
	if (wire_ipv6_parse(p, WIRE_IPV6_BYTES + (size_t)UINT16_MAX, &h) == WIRE_OK)
		(void)wire_ipv6_walk(p, m->l3_len, &h, chain);
}

uint32_t ip_v6_prepend(struct rte_mbuf *m, const struct ip_addr *src, const struct ip_addr *dst,
	uint8_t proto, uint8_t tos, uint8_t ttl)
{
	struct wire_ipv6 h = {
		.src = *src,
		.dst = *dst,
		.payload_bytes = (uint16_t)m->pkt_len,
		.tos = tos,
		.ttl = ttl,
		.next = proto,
	};

	ASSERT(rte_pktmbuf_headroom(m) >= WIRE_IPV6_BYTES);
	wire_ipv6_emit(rte_pktmbuf_mtod(m, uint8_t *) - WIRE_IPV6_BYTES, &h);
	m->l3_len = WIRE_IPV6_BYTES;
	return WIRE_IPV6_BYTES;
}

bool ip_v6_error_about(
	const struct rte_mbuf *m, uint16_t zone, uint8_t code, struct ip_icmp_error *error)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct wire_ipv6 h;

	/* We put no extension headers in front of what can fail. */
	if (wire_ipv6_parse(p, m->pkt_len, &h) != WIRE_OK ||
		m->data_len < WIRE_IPV6_BYTES + IP_ICMP_L4_BYTES)
		return false;
	*error = (struct ip_icmp_error){.proto = h.next,
		.type = WIRE_ICMP_UNREACHABLE,
		.code = code,
		.src = ip_addr_with_zone(&h.src, zone),
		.dst = ip_addr_with_zone(&h.dst, zone)};
	memcpy(error->l4, p + WIRE_IPV6_BYTES, sizeof(error->l4));
	return true;
}
