/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What we send in fragments: answers to echo requests, which have the size of the request (RFC 1122
 * 3.2.2.6). Everything else stays below the MTU. The pieces refer to the packet's bytes.
 */
#include <rte_ip_frag.h>

#include "ip_pvt.h"

#define FRAGMENTS_MAX 128 /* 65,535 bytes at IP_MTU_MIN are 119 */
#define ID_AT         4
#define FLAGS_AT      6

/* The header allows it from here on; rte_ip_frag clears the checksum of each piece. */
static void allow_fragments(struct ip_stack *ip, struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	store_be16(p + ID_AT, (uint16_t)rand_u32(&ip->worker->rand));
	store_be16(p + FLAGS_AT, 0);
}

void ip_fragment_send(struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m, uint16_t mtu)
{
	struct rte_mbuf *pieces[FRAGMENTS_MAX];
	int32_t count;

	allow_fragments(ip, m);
	count = rte_ipv4_fragment_packet(
		m, pieces, FRAGMENTS_MAX, mtu, ip->pools->data, ip->pools->ref);
	if (count < 0) {
		ip_drop(ip, IP_STAT_NO_BUFFER, m);
		return;
	}
	for (int32_t i = 0; i < count; i++) {
		pieces[i]->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
		pieces[i]->l3_len = m->l3_len;
		ip_count(ip, IP_STAT_TX_FRAGMENT);
		neighbour_send(ip, n, pieces[i]);
	}
	pkt_free(m);
}
