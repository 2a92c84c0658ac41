/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_prefetch.h>

#include "ip_pvt.h"

#define PREFETCH_AHEAD 3
#define VLAN_ID_MASK   0x0fff

static bool iface_find(const struct ip_stack *ip, uint16_t port, uint16_t vlan, uint16_t *iface)
{
	for (uint32_t i = 0; i < ip->net->iface_count; i++)
		if (ip->net->ifaces[i].port == port && ip->net->ifaces[i].vlan == vlan) {
			*iface = (uint16_t)i;
			return true;
		}
	return false;
}

static bool mac_eq(const struct wire_mac *a, const struct wire_mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* A single address in a frame for many is a mistake or an attack (RFC 1122 3.3.6); IPv6 has uses
 * for groups. */
static void ether_input_ipv4(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface, bool for_many)
{
	if (for_many)
		ip_drop(ip, IP_STAT_RX_LINK_BROADCAST, m);
	else
		ip_v4_input(ip, m, iface);
}

/* No port is asked to take tags off; if one does it says so. */
static enum wire_verdict ether_read(const struct rte_mbuf *m, struct wire_ether *out)
{
	enum wire_verdict verdict =
		wire_ether_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, out);

	if (verdict != WIRE_OK || !(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
		return verdict;
	if (out->vlan != 0)
		return WIRE_UNSUPPORTED;
	out->vlan = m->vlan_tci & VLAN_ID_MASK;
	return WIRE_OK;
}

static void ether_input_ipv6(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface, bool for_many)
{
	if (ip_v6_enabled(ip, iface))
		ip_v6_input(ip, m, iface, for_many);
	else
		ip_drop(ip, IP_STAT_RX_ETHERTYPE, m);
}

/* Takes a frame. */
static void ether_input(struct ip_stack *ip, uint16_t port, struct rte_mbuf *m)
{
	struct wire_ether ether;
	enum wire_verdict verdict = ether_read(m, &ether);
	bool for_many = wire_mac_is_multicast(&ether.dst);
	uint16_t iface;

	if (verdict != WIRE_OK) {
		ip_drop(ip, verdict == WIRE_SHORT ? IP_STAT_RX_SHORT : IP_STAT_RX_VLAN, m);
		return;
	}
	if (!for_many && !mac_eq(&ether.dst, &ip->ports[port].port->mac)) {
		ip_drop(ip, IP_STAT_RX_OTHER_MAC, m);
		return;
	}
	if (!iface_find(ip, port, ether.vlan, &iface)) {
		ip_drop(ip, IP_STAT_RX_VLAN, m);
		return;
	}
	rte_pktmbuf_adj(m, ether.len_bytes);
	m->l2_len = ether.len_bytes;
	switch (ether.type) {
	case WIRE_ETHERTYPE_IPV4:
		ether_input_ipv4(ip, m, iface, for_many);
		break;
	case WIRE_ETHERTYPE_IPV6:
		ether_input_ipv6(ip, m, iface, for_many);
		break;
	case WIRE_ETHERTYPE_ARP:
		arp_input(ip, m, iface);
		break;
	default:
		ip_drop(ip, IP_STAT_RX_ETHERTYPE, m);
	}
}

bool ip_source_is_possible(
	const struct ip_stack *ip, const struct ip_addr *src, const struct ip_iface_config *iface)
{
	const struct ip_own *own;

	if (ip_addr_is_any(src) || ip_addr_is_multicast(src))
		return false;
	if (ip_addr_is_loopback(src) && !iface->allow_loopback)
		return false;
	own = ip_own_find(ip, src);
	/* Hosts of a bench may have the loopback address that we have. */
	if (own != NULL && !(own->kind == IP_OWN_ADDRESS && ip_addr_is_loopback(src)))
		return false;
	/* 0.0.0.0/8 and the reserved 240.0.0.0/4 with the broadcast address (RFC 6890). */
	return !ip_addr_is_v4(src) || (src->b[12] != 0 && src->b[12] < 240);
}

/* NONE: it never stood on a wire (virtio). */
bool ip_l4_checksum_ok(const struct rte_mbuf *m)
{
	uint64_t flags = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD || flags == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

bool ip_frame_source(const struct rte_mbuf *m, struct wire_mac *mac)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *) - m->l3_len - m->l2_len;
	struct wire_ether ether;

	if (wire_ether_parse(p, m->l2_len, &ether) != WIRE_OK || wire_mac_is_multicast(&ether.src))
		return false;
	*mac = ether.src;
	return true;
}

static void input_to(struct ip_stack *ip, uint32_t core, struct ip_packet *packet)
{
	if (core == ip->worker->index)
		ip_deliver(ip, packet);
	else
		ip_steer_give(ip, core, packet);
}

void ip_input_packet(struct ip_stack *ip, struct ip_packet *packet)
{
	struct port *port = ip_iface_port(ip, packet->iface)->port;

	input_to(ip, ip_steer_core_of_rx(ip, packet, port), packet);
}

void ip_input_reassembled(struct ip_stack *ip, struct ip_packet *packet)
{
	input_to(ip, ip_steer_core_of_packet(ip, packet), packet);
}

static void batch_flush(struct ip_proto *p)
{
	uint32_t n = p->batch_count;

	p->batch_count = 0;
	if (n > 0)
		p->fn(p->ctx, p->batch, n);
}

void ip_batches_flush(struct ip_stack *ip)
{
	for (uint32_t i = 0; i < ip->proto_count; i++)
		batch_flush(&ip->protos[i]);
}

void ip_deliver(struct ip_stack *ip, struct ip_packet *packet)
{
	struct ip_proto *p;

	if (packet->proto == WIRE_PROTO_ICMP && ip_addr_is_v4(&packet->dst)) {
		icmp_input(ip, packet);
		return;
	}
	if (packet->proto == WIRE_PROTO_ICMPV6 && !ip_addr_is_v4(&packet->dst)) {
		icmp6_input(ip, packet);
		return;
	}
	p = ip_proto_find(ip, packet->proto);
	if (p == NULL) {
		ip_send_icmp_error(ip, packet, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_PROTO);
		ip_drop(ip, IP_STAT_RX_PROTO, packet->m);
		return;
	}
	p->batch[p->batch_count++] = *packet;
	if (p->batch_count == ARRAY_LEN(p->batch))
		batch_flush(p);
}

static uint32_t port_input(struct ip_stack *ip, uint16_t port, uint32_t budget)
{
	struct rte_mbuf *burst[PKT_BURST_MAX];
	uint16_t n;

	if (ip->ports[port].rx_queue == UINT16_MAX)
		return 0;
	n = port_receive(&ip->ports[port], burst, (uint16_t)MIN(budget, ARRAY_LEN(burst)));
	for (uint16_t i = 0; i < MIN(n, PREFETCH_AHEAD); i++)
		rte_prefetch0(rte_pktmbuf_mtod(burst[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(burst[i + PREFETCH_AHEAD], void *));
		ether_input(ip, port, burst[i]);
	}
	return n;
}

/* What others handed over has waited longest, so it goes first; then one burst of each port. */
uint32_t ip_rx_poll(struct worker *w, void *ctx, uint32_t budget)
{
	struct ip_stack *ip = ctx;
	uint32_t done = ip_steer_take(ip, budget / 2);

	(void)w;
	for (uint16_t port = 0; port < ip->port_count && done < budget; port++)
		done += port_input(ip, port, budget - done);
	ip_batches_flush(ip);
	return MAX(done, ip_steer_flush(ip));
}
