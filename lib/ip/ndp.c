/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour protocol of IPv6 (RFC 4861). Who is looked for is asked by the group of its
 * address, so there are no broadcasts; otherwise it is what ARP is to IPv4. Redirects and routers'
 * advertisements are not for us: routes come from the configuration.
 */
#include "ip_pvt.h"

#define HOP_LIMIT 255 /* nobody can have forwarded it (RFC 4861 3.1) */

static const struct ip_addr any;

/* --- out --- */

static void ndp_send(struct ip_stack *ip, uint16_t iface, const struct wire_ndp *h,
	const struct ip_addr *src, const struct ip_addr *dst, const struct wire_mac *mac)
{
	struct rte_mbuf *m = pkt_alloc(ip->pools);
	uint8_t buf[WIRE_NDP_BYTES_MAX];
	size_t len = wire_ndp_emit(buf, h);

	if (m == NULL) {
		ip_count(ip, IP_STAT_NO_BUFFER);
		return;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), buf, len);
	icmp6_checksum_set(m, src, dst);
	rte_pktmbuf_prepend(
		m, (uint16_t)ip_v6_prepend(m, src, dst, WIRE_PROTO_ICMPV6, 0, HOP_LIMIT));
	ip_count(ip,
		h->type == WIRE_ICMP6_SOLICIT ? IP_STAT_NDP_SOLICIT_OUT : IP_STAT_NDP_ADVERT_OUT);
	ip_ether_send(ip, iface, mac, WIRE_ETHERTYPE_IPV6, m);
}

static void group_send(struct ip_stack *ip, uint16_t iface, const struct wire_ndp *h,
	const struct ip_addr *src, const struct ip_addr *group)
{
	struct wire_mac mac = wire_ipv6_group_mac(group);

	ndp_send(ip, iface, h, src, group, &mac);
}

void ndp_solicit(struct ip_stack *ip, uint16_t iface, const struct ip_addr *target,
	const struct wire_mac *mac)
{
	struct wire_ndp h = {.type = WIRE_ICMP6_SOLICIT,
		.target = *target,
		.has_source_mac = true,
		.source_mac = *ip_iface_mac(ip, iface)};
	struct ip_addr group = wire_ipv6_solicited_node(target);
	struct ip_addr src;

	/* Without an address that may be used nobody could answer. */
	if (!ip_source_select(ip, iface, target, target, &src))
		return;
	if (mac == NULL)
		group_send(ip, iface, &h, &src, &group);
	else
		ndp_send(ip, iface, &h, &src, target, mac);
}

void ndp_probe(struct ip_stack *ip, uint16_t iface, const struct ip_addr *target)
{
	struct wire_ndp h = {.type = WIRE_ICMP6_SOLICIT, .target = *target};
	struct ip_addr group = wire_ipv6_solicited_node(target);

	group_send(ip, iface, &h, &any, &group);
}

static struct wire_ndp advert_of(
	const struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr)
{
	return (struct wire_ndp){.type = WIRE_ICMP6_ADVERT,
		.target = *addr,
		.override = true,
		.has_target_mac = true,
		.target_mac = *ip_iface_mac(ip, iface)};
}

void ndp_announce(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr)
{
	struct wire_ndp h = advert_of(ip, iface, addr);

	group_send(ip, iface, &h, addr, &ip_all_nodes);
}

static void answer(struct ip_stack *ip, const struct ip_packet *packet,
	const struct ip_addr *target, const struct wire_mac *mac)
{
	struct wire_ndp h = advert_of(ip, packet->iface, target);

	if (ip_addr_is_any(&packet->src)) { /* it looks whether the address is free */
		group_send(ip, packet->iface, &h, target, &ip_all_nodes);
		return;
	}
	h.solicited = true;
	ndp_send(ip, packet->iface, &h, target, &packet->src, mac);
}

/* --- in --- */

static bool mac_is_usable(const struct ip_stack *ip, uint16_t iface, const struct wire_mac *mac)
{
	static const struct wire_mac none;

	return !wire_mac_is_multicast(mac) && memcmp(mac, &none, sizeof(none)) != 0 &&
	       memcmp(mac, ip_iface_mac(ip, iface), sizeof(*mac)) != 0;
}

/* What of ours a message is about; an interface answers for its own addresses only. NULL: nothing.
 * */
static const struct ip_own *own_target(
	const struct ip_stack *ip, uint16_t iface, const struct ip_addr *target)
{
	const struct ip_own *own = ip_own_find(ip, target);

	return own != NULL && own->iface == iface ? own : NULL;
}

/* RFC 4861 7.1.1, beyond what the message alone tells. */
static bool solicit_is_valid(
	const struct ip_stack *ip, const struct ip_packet *packet, const struct wire_ndp *h)
{
	if (h->has_source_mac && !mac_is_usable(ip, packet->iface, &h->source_mac))
		return false;
	return !ip_addr_is_any(&packet->src) ||
	       (!h->has_source_mac && ip_addr_is_multicast(&packet->dst));
}

/* RFC 4861 7.1.2, likewise. */
static bool advert_is_valid(
	const struct ip_stack *ip, const struct ip_packet *packet, const struct wire_ndp *h)
{
	if (h->has_target_mac && !mac_is_usable(ip, packet->iface, &h->target_mac))
		return false;
	return !ip_addr_is_any(&packet->src) &&
	       !(h->solicited && ip_addr_is_multicast(&packet->dst));
}

static void solicit_handle(struct ip_stack *ip, const struct ip_packet *packet,
	const struct wire_ndp *h, const struct ip_own *own, const struct wire_mac *frame_mac)
{
	if (own->kind != IP_OWN_ADDRESS) {
		/* Another one looks whether it is free (RFC 4862 5.4.3). */
		if (own->kind == IP_OWN_TENTATIVE && ip_addr_is_any(&packet->src))
			ip_dad_conflict(ip, own, frame_mac);
		return;
	}
	ip_count(ip, IP_STAT_NDP_SOLICIT_IN);
	if (h->has_source_mac)
		neighbour_learn(
			ip, packet->iface, &packet->src, &h->source_mac, NEIGHBOUR_NEWS_NEW);
	answer(ip, packet, &own->addr, h->has_source_mac ? &h->source_mac : frame_mac);
}

static void advert_of_ours(struct ip_stack *ip, const struct ip_packet *packet,
	const struct wire_ndp *h, const struct ip_own *own, const struct wire_mac *frame_mac)
{
	const struct wire_mac *mac = h->has_target_mac ? &h->target_mac : frame_mac;

	if (own->kind == IP_OWN_TENTATIVE)
		ip_dad_conflict(ip, own, mac);
	else if (own->kind == IP_OWN_ADDRESS && !ip_addr_is_loopback(&own->addr) &&
		 ip_conflict(ip, packet->iface, &own->addr, mac, IP_STAT_NDP_CONFLICT))
		ndp_announce(ip, packet->iface, &own->addr);
}

/* RFC 4861 7.2.5. Nobody gets an entry by an advertisement. */
static void advert_handle(
	struct ip_stack *ip, const struct ip_packet *packet, const struct wire_ndp *h)
{
	const struct ip_neighbour *n = neighbour_find(ip, packet->iface, &h->target);
	uint32_t news = NEIGHBOUR_NEWS_TELL;
	struct wire_mac mac = h->target_mac;

	ip_count(ip, IP_STAT_NDP_ADVERT_IN);
	if (!h->has_target_mac) { /* only an answer to a question to that station may do so */
		if (n == NULL || n->state == IP_NEIGHBOUR_INCOMPLETE ||
			n->state == IP_NEIGHBOUR_FAILED)
			return;
		mac = n->mac;
	}
	if (h->solicited)
		news |= NEIGHBOUR_NEWS_REACHABLE;
	if (!h->override)
		news |= NEIGHBOUR_NEWS_KEEP;
	neighbour_learn(ip, packet->iface, &h->target, &mac, news);
}

/* Whoever has an address of another network cannot be reached without a router, so it is no
 * neighbour, though it may be on the wire (RFC 5942 4). */
static bool source_is_neighbour(const struct ip_stack *ip, const struct ip_packet *packet)
{
	return ip_addr_is_any(&packet->src) || ip_addr_is_ours(ip, &packet->src) ||
	       ip_is_on_link(ip, &packet->src, packet->iface);
}

static void ndp_handle(struct ip_stack *ip, struct ip_packet *packet, const struct wire_ndp *h)
{
	const struct ip_own *own = own_target(ip, packet->iface, &h->target);
	struct wire_mac frame_mac;

	/* What we said ourselves may come back from a switch. */
	if (!ip_frame_source(packet->m, &frame_mac) ||
		!mac_is_usable(ip, packet->iface, &frame_mac)) {
		ip_drop(ip, IP_STAT_NDP_BAD, packet->m);
		return;
	}
	if (own != NULL && own->kind == IP_OWN_TENTATIVE && ip->worker->index != IP_DAD_CORE) {
		ip_steer_give(ip, IP_DAD_CORE, packet);
		return;
	}
	if (h->type == WIRE_ICMP6_SOLICIT && own != NULL)
		solicit_handle(ip, packet, h, own, &frame_mac);
	else if (h->type == WIRE_ICMP6_ADVERT && own != NULL)
		advert_of_ours(ip, packet, h, own, &frame_mac);
	else if (h->type == WIRE_ICMP6_ADVERT)
		advert_handle(ip, packet, h);
	pkt_free(packet->m);
}

void ndp_input(struct ip_stack *ip, struct ip_packet *packet)
{
	const struct rte_mbuf *m = packet->m;
	struct wire_ndp h;
	enum wire_verdict verdict =
		wire_ndp_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &h);

	if (packet->ttl != HOP_LIMIT || m->nb_segs != 1 ||
		(verdict != WIRE_OK && verdict != WIRE_UNSUPPORTED)) {
		ip_drop(ip, IP_STAT_NDP_BAD, packet->m);
		return;
	}
	if (h.type != WIRE_ICMP6_SOLICIT && h.type != WIRE_ICMP6_ADVERT) {
		ip_drop(ip, IP_STAT_NDP_IGNORED, packet->m);
		return;
	}
	if (!(h.type == WIRE_ICMP6_SOLICIT ? solicit_is_valid(ip, packet, &h)
					   : advert_is_valid(ip, packet, &h))) {
		ip_drop(ip, IP_STAT_NDP_BAD, packet->m);
		return;
	}
	if (!source_is_neighbour(ip, packet)) {
		ip_drop(ip, IP_STAT_NDP_OFF_LINK, packet->m);
		return;
	}
	h.target = ip_addr_from_wire(&h.target, packet->iface);
	ndp_handle(ip, packet, &h);
}
