/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What we send in fragments: answers to echo requests, which have the size of the request (RFC 1122
 * 3.2.2.6). Everything else stays below the MTU. The pieces refer to the packet's bytes.
 */
#include <rte_ip_frag.h>

#include "ip_pvt.h"
#include "wire_ipv6.h"

#define FRAGMENTS_MAX 128 /* 65,535 bytes at IP_MTU_MIN are 119 */
#define IPV4_ID_AT    4
#define IPV4_FLAGS_AT 6
#define IPV6_ID_AT    (WIRE_IPV6_BYTES + 4)

/* The header of IPv4 allows it from here on; rte_ip_frag clears the checksum of each piece. */
static int32_t cut_v4(struct ip_stack *ip, struct rte_mbuf *m, uint16_t mtu, struct rte_mbuf **out)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	store_be16(p + IPV4_ID_AT, (uint16_t)rand_u32(&ip->worker->rand));
	store_be16(p + IPV4_FLAGS_AT, 0);
	return rte_ipv4_fragment_packet(
		m, out, FRAGMENTS_MAX, mtu, ip->pools->data, ip->pools->ref);
}

/* rte_ip_frag leaves the identification to us. */
static int32_t cut_v6(struct ip_stack *ip, struct rte_mbuf *m, uint16_t mtu, struct rte_mbuf **out)
{
	int32_t count = rte_ipv6_fragment_packet(
		m, out, FRAGMENTS_MAX, mtu, ip->pools->data, ip->pools->ref);
	uint32_t id = rand_u32(&ip->worker->rand);

	for (int32_t i = 0; i < count; i++)
		store_be32(rte_pktmbuf_mtod(out[i], uint8_t *) + IPV6_ID_AT, id);
	return count;
}

void ip_fragment_send(struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m, uint16_t mtu)
{
	bool v4 = ip_addr_is_v4(&n->addr);
	struct rte_mbuf *pieces[FRAGMENTS_MAX];
	int32_t count = (v4 ? cut_v4 : cut_v6)(ip, m, mtu, pieces);

	if (count < 0) {
		ip_drop(ip, IP_STAT_NO_BUFFER, m);
		return;
	}
	for (int32_t i = 0; i < count; i++) {
		pieces[i]->ol_flags |=
			v4 ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6;
		pieces[i]->l3_len = m->l3_len;
		ip_count(ip, IP_STAT_TX_FRAGMENT);
		neighbour_send(ip, n, pieces[i]);
	}
	pkt_free(m);
}
