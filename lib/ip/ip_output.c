/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_pvt.h"

void ip_ether_send(struct ip_stack *ip, uint16_t iface, const struct wire_mac *dst, uint16_t type,
	struct rte_mbuf *m)
{
	struct wire_ether h = {
		.dst = *dst,
		.src = *ip_iface_mac(ip, iface),
		.type = type,
		.vlan = ip_iface(ip, iface)->vlan,
	};
	uint16_t len = h.vlan == 0 ? WIRE_ETHER_BYTES : WIRE_ETHER_BYTES + WIRE_VLAN_BYTES;
	char *p = rte_pktmbuf_prepend(m, len);

	ASSERT(p != NULL);
	wire_ether_emit((uint8_t *)p, &h);
	m->l2_len = len;
	port_send(ip_iface_port(ip, iface), m);
}

static uint32_t header_prepend(struct rte_mbuf *m, const struct ip_addr *src,
	const struct ip_addr *dst, uint8_t proto, uint8_t tos)
{
	return ip_addr_is_v4(dst) ? ip_v4_prepend(m, src, dst, proto, tos)
				  : ip_v6_prepend(m, src, dst, proto, tos, IP_TTL_DEFAULT);
}

/* The header is written in front of the data, where an ICMP error about it would look for it. */
static void send_local(struct ip_stack *ip, const struct ip_path *path, const struct ip_addr *src,
	const struct ip_addr *dst, uint8_t proto, uint8_t tos, struct rte_mbuf *m)
{
	struct ip_packet packet = {
		.m = m,
		.src = *src,
		.dst = *dst,
		.iface = path->iface,
		.proto = proto,
		.tos = tos,
		.ttl = IP_TTL_DEFAULT,
		.l4_checksum_ok = true,
		.from_us = true,
	};

	ip_mbuf_turn(m);
	header_prepend(m, src, dst, proto, tos);
	ip_count(ip, IP_STAT_TX_LOCAL);
	ip_steer_give(ip, ip_steer_core_of_packet(ip, &packet), &packet);
}

/* Cutting in hardware wants the header's checksum left to it (rte_mbuf_core.h). */
static uint64_t offload_flags(const struct rte_mbuf *m, const struct ip_addr *dst)
{
	if (!ip_addr_is_v4(dst))
		return RTE_MBUF_F_TX_IPV6;
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		return RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	return RTE_MBUF_F_TX_IPV4;
}

/* The port cuts segments of TCP, and answers to echo requests go in fragments. */
static bool is_too_big(const struct rte_mbuf *m, uint8_t proto, uint32_t total_bytes, uint16_t mtu)
{
	bool may_be_cut = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) || proto == WIRE_PROTO_ICMP ||
			  proto == WIRE_PROTO_ICMPV6;

	return total_bytes > (may_be_cut ? IP_PACKET_BYTES_MAX : mtu);
}

int ip_send(struct ip_stack *ip, struct ip_path *path, const struct ip_addr *src,
	const struct ip_addr *dst, uint8_t proto, uint8_t tos, struct rte_mbuf *m)
{
	uint32_t total_bytes = m->pkt_len + ip_header_bytes(dst);
	struct ip_neighbour *n;
	struct ip_addr own = *src;
	uint16_t mtu;
	int rc = path->generation == ip->generation ? 0 : ip_path_find(ip, &own, dst, path);

	if (rc != 0) {
		pkt_free(m);
		return rc;
	}
	mtu = ip_path_mtu(ip, path);
	if (is_too_big(m, proto, total_bytes, mtu)) {
		ip_drop(ip, IP_STAT_TX_TOO_BIG, m);
		return 0;
	}
	if (path->flags & IP_PATH_LOCAL) {
		send_local(ip, path, &own, dst, proto, tos, m);
		return 0;
	}
	rte_pktmbuf_prepend(m, (uint16_t)header_prepend(m, &own, dst, proto, tos));
	n = mem_pool_at(&ip->neighbour_pool, path->neighbour);
	if (total_bytes > mtu && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)) {
		ip_fragment_send(ip, n, m, mtu);
		return 0;
	}
	m->ol_flags |= offload_flags(m, dst);
	neighbour_send(ip, n, m);
	return 0;
}

/* What was collected in this turn for other cores leaves with it, too. */
uint32_t ip_tx_poll(struct worker *w, void *ctx, uint32_t budget)
{
	struct ip_stack *ip = ctx;
	uint32_t sent = ip_steer_flush(ip);

	(void)budget;
	for (uint32_t i = 0; i < ip->port_count; i++) {
		sent += port_flush(&ip->ports[i]);
		worker_wake_at(w, port_next_at(&ip->ports[i]));
	}
	return sent;
}
