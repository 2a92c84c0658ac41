/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_pvt.h"

#define TOS_AT      1
#define TOTAL_AT    2
#define FRAGMENT_AT 6
#define CHECKSUM_AT 10

/* What the port says about the header. NONE: it never stood on a wire (virtio). */
static bool flags_say_ip_checksum_ok(const struct rte_mbuf *m)
{
	uint64_t flags = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	return flags == RTE_MBUF_F_RX_IP_CKSUM_GOOD || flags == RTE_MBUF_F_RX_IP_CKSUM_NONE;
}

static enum wire_verdict header_parse(const struct rte_mbuf *m, struct wire_ipv4 *h)
{
	/* A header that is split over segments is nobody's but an attacker's. */
	if (m->data_len < m->pkt_len && m->data_len < WIRE_IPV4_BYTES_MAX)
		return WIRE_SHORT;
	return wire_ipv4_parse(
		rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len, flags_say_ip_checksum_ok(m), h);
}

static enum ip_stat verdict_stat(enum wire_verdict verdict)
{
	switch (verdict) {
	case WIRE_SHORT:
		return IP_STAT_RX_SHORT;
	case WIRE_BAD_CHECKSUM:
		return IP_STAT_RX_CHECKSUM;
	default:
		return IP_STAT_RX_MALFORMED;
	}
}

/* IP_STAT_COUNT: the packet is for us, and whole. */
static enum ip_stat header_check(
	const struct ip_stack *ip, const struct wire_ipv4 *h, uint16_t iface)
{
	if (!ip_source_is_possible(ip, &h->src, ip_iface(ip, iface)))
		return IP_STAT_RX_BAD_SOURCE;
	if (!ip_addr_is_ours(ip, &h->dst))
		return IP_STAT_RX_NOT_OURS;
	if (ip_addr_is_loopback(&h->dst) && !ip_iface(ip, iface)->allow_loopback)
		return IP_STAT_RX_NOT_OURS;
	if (h->ttl == 0)
		return IP_STAT_RX_TTL;
	return IP_STAT_COUNT;
}

/* Trims what follows the packet (Ethernet fills short frames) and the header. */
static bool header_strip(struct rte_mbuf *m, const struct wire_ipv4 *h)
{
	if (m->pkt_len > h->total_bytes &&
		rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - h->total_bytes)) != 0)
		return false;
	rte_pktmbuf_adj(m, h->header_bytes);
	m->l3_len = h->header_bytes;
	return true;
}

/* Hosts with loopback addresses need not answer ARP for them: where such a packet comes from, its
 * answer goes. */
static void loopback_learn(
	struct ip_stack *ip, const struct rte_mbuf *m, const struct ip_addr *src, uint16_t iface)
{
	struct wire_mac mac;

	if (ip_frame_source(m, &mac))
		neighbour_learn(ip, iface, src, &mac, NEIGHBOUR_NEWS_TO_US);
}

/* The header says of the whole packet what it said of the first fragment. */
static void header_make_whole(const struct ip_packet *packet)
{
	struct rte_mbuf *m = packet->m;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) - m->l3_len;

	p[TOS_AT] = packet->tos;
	store_be16(p + TOTAL_AT, (uint16_t)(m->l3_len + m->pkt_len));
	store_be16(p + FRAGMENT_AT, 0);
	store_be16(p + CHECKSUM_AT, 0);
	store_be16(p + CHECKSUM_AT, wire_checksum_fold(wire_checksum_add(0, p, m->l3_len)));
}

static bool is_fragment(const struct wire_ipv4 *h)
{
	return h->more_fragments || h->fragment_off_bytes != 0;
}

/* False: the packet waits for its other fragments, or is gone. */
static bool make_whole(struct ip_stack *ip, struct ip_packet *packet, const struct wire_ipv4 *h)
{
	const struct ip_fragment fragment = {h->id, h->fragment_off_bytes, h->more_fragments};

	if (!ip_reasm_input(ip, packet, &fragment))
		return false;
	header_make_whole(packet);
	return true;
}

void ip_v4_input(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface)
{
	struct wire_ipv4 h;
	enum wire_verdict verdict = header_parse(m, &h);
	enum ip_stat why = verdict == WIRE_OK ? header_check(ip, &h, iface) : verdict_stat(verdict);
	struct ip_packet packet;

	if (why == IP_STAT_COUNT && !header_strip(m, &h))
		why = IP_STAT_RX_MALFORMED;
	if (why != IP_STAT_COUNT) {
		ip_drop(ip, why, m);
		return;
	}
	if (ip_addr_is_loopback(&h.src))
		loopback_learn(ip, m, &h.src, iface);
	packet = (struct ip_packet){.m = m,
		.src = h.src,
		.dst = h.dst,
		.iface = iface,
		.proto = h.proto,
		.tos = h.tos,
		.ttl = h.ttl,
		.l4_checksum_ok = ip_l4_checksum_ok(m)};
	ip_count(ip, IP_STAT_RX_IPV4);
	if (!is_fragment(&h))
		ip_input_packet(ip, &packet);
	else if (make_whole(ip, &packet, &h))
		ip_input_reassembled(ip, &packet);
}

uint32_t ip_v4_prepend(struct rte_mbuf *m, const struct ip_addr *src, const struct ip_addr *dst,
	uint8_t proto, uint8_t tos)
{
	struct wire_ipv4 h = {
		.src = *src,
		.dst = *dst,
		.total_bytes = (uint16_t)(m->pkt_len + WIRE_IPV4_BYTES_MIN),
		.tos = tos,
		.ttl = IP_TTL_DEFAULT,
		.proto = proto,
		.dont_fragment = true, /* so the id may be anything (RFC 6864 4.1) */
	};

	ASSERT(rte_pktmbuf_headroom(m) >= WIRE_IPV4_BYTES_MIN);
	wire_ipv4_emit(rte_pktmbuf_mtod(m, uint8_t *) - WIRE_IPV4_BYTES_MIN, &h);
	m->l3_len = WIRE_IPV4_BYTES_MIN;
	return WIRE_IPV4_BYTES_MIN;
}

bool ip_v4_error_about(const struct rte_mbuf *m, uint8_t code, struct ip_icmp_error *error)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct wire_ipv4 h;

	if (wire_ipv4_parse(p, m->pkt_len, true, &h) != WIRE_OK ||
		m->data_len < h.header_bytes + IP_ICMP_L4_BYTES)
		return false;
	*error = (struct ip_icmp_error){.proto = h.proto,
		.type = WIRE_ICMP_UNREACHABLE,
		.code = code,
		.src = h.src,
		.dst = h.dst};
	memcpy(error->l4, p + h.header_bytes, sizeof(error->l4));
	return true;
}
