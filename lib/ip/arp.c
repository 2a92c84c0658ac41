/* SPDX-License-Identifier: BSD-3-Clause */
/* The neighbour protocol of IPv4 (RFC 826, RFC 5227). */
#include "ip_pvt.h"

static const struct wire_mac mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct wire_mac mac_none;

static void arp_send(struct ip_stack *ip, uint16_t iface, const struct wire_arp *arp,
	const struct wire_mac *dst, enum ip_stat stat)
{
	struct rte_mbuf *m = pkt_alloc(ip->pools);

	if (m == NULL) {
		ip_count(ip, IP_STAT_NO_BUFFER);
		return;
	}
	wire_arp_emit((uint8_t *)rte_pktmbuf_append(m, WIRE_ARP_BYTES), arp);
	ip_count(ip, stat);
	ip_ether_send(ip, iface, dst, WIRE_ETHERTYPE_ARP, m);
}

void arp_request(struct ip_stack *ip, uint16_t iface, const struct ip_addr *target,
	const struct wire_mac *mac)
{
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST,
		.sender_mac = *ip_iface_mac(ip, iface),
		.sender = ip_addr_from_v4(0),
		.target_mac = mac_none,
		.target = *target};

	/* Without an address there, or with a loopback address that both have, we ask like somebody
	 * who looks for one (RFC 5227 2.1.1). */
	(void)ip_source_select(ip, iface, target, target, &arp.sender);
	if (ip_addr_eq(&arp.sender, target))
		arp.sender = ip_addr_from_v4(0);
	arp_send(ip, iface, &arp, mac == NULL ? &mac_broadcast : mac, IP_STAT_ARP_REQUEST_OUT);
}

void arp_announce(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr)
{
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST,
		.sender_mac = *ip_iface_mac(ip, iface),
		.sender = *addr,
		.target_mac = mac_none,
		.target = *addr};

	arp_send(ip, iface, &arp, &mac_broadcast, IP_STAT_ARP_REQUEST_OUT);
}

static void arp_answer(struct ip_stack *ip, uint16_t iface, const struct wire_arp *request)
{
	struct wire_arp arp = {.op = WIRE_ARP_REPLY,
		.sender_mac = *ip_iface_mac(ip, iface),
		.sender = request->target,
		.target_mac = request->sender_mac,
		.target = request->sender};

	ip_count(ip, IP_STAT_ARP_REQUEST_IN);
	arp_send(ip, iface, &arp, &request->sender_mac, IP_STAT_ARP_REPLY_OUT);
}

static bool sender_is_usable(const struct ip_stack *ip, const struct wire_arp *arp, uint16_t iface)
{
	const struct wire_mac *own = ip_iface_mac(ip, iface);

	if (wire_mac_is_multicast(&arp->sender_mac) ||
		memcmp(&arp->sender_mac, &mac_none, sizeof(mac_none)) == 0 ||
		memcmp(&arp->sender_mac, own, sizeof(*own)) == 0)
		return false;
	/* Any: it looks whether the address is free (RFC 5227 2.1.1). Ours: a conflict. */
	return ip_addr_is_any(&arp->sender) || ip_addr_is_ours(ip, &arp->sender) ||
	       ip_source_is_possible(ip, &arp->sender, ip_iface(ip, iface));
}

/* An interface answers for its own addresses only, so that a machine with two ports in one
 * network does not answer twice. */
static bool is_for_us(const struct ip_stack *ip, const struct ip_addr *target, uint16_t iface)
{
	const struct ip_own *own = ip_own_find(ip, target);

	return own != NULL && own->kind == IP_OWN_ADDRESS && own->iface == iface;
}

/* The answer to who asked without an address. */
static bool is_answer_to_probe(
	const struct ip_stack *ip, const struct wire_arp *arp, uint16_t iface)
{
	const struct wire_mac *own = ip_iface_mac(ip, iface);

	return arp->op == WIRE_ARP_REPLY && ip_addr_is_any(&arp->target) &&
	       memcmp(&arp->target_mac, own, sizeof(*own)) == 0;
}

static void arp_handle(struct ip_stack *ip, uint16_t iface, const struct wire_arp *arp)
{
	bool for_us = is_for_us(ip, &arp->target, iface) || is_answer_to_probe(ip, arp, iface);
	uint32_t news = 0;

	/* Loopback addresses are for everybody on a bench. */
	if (ip_addr_is_ours(ip, &arp->sender) &&
		!ip_source_is_possible(ip, &arp->sender, ip_iface(ip, iface))) {
		if (ip_conflict(ip, iface, &arp->sender, &arp->sender_mac, IP_STAT_ARP_CONFLICT))
			arp_announce(ip, iface, &arp->sender);
		return;
	}
	if (for_us)
		news |= NEIGHBOUR_NEWS_TO_US;
	if (arp->op == WIRE_ARP_REPLY || ip_addr_eq(&arp->sender, &arp->target))
		news |= NEIGHBOUR_NEWS_TELL;
	if (!ip_addr_is_any(&arp->sender))
		neighbour_learn(ip, iface, &arp->sender, &arp->sender_mac, news);
	if (!for_us)
		return;
	if (arp->op == WIRE_ARP_REQUEST)
		arp_answer(ip, iface, arp);
	else
		ip_count(ip, IP_STAT_ARP_REPLY_IN);
}

void arp_input(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface)
{
	struct wire_arp arp;

	if (wire_arp_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &arp) != WIRE_OK ||
		!sender_is_usable(ip, &arp, iface)) {
		ip_drop(ip, IP_STAT_ARP_BAD, m);
		return;
	}
	arp_handle(ip, iface, &arp);
	pkt_free(m);
}
