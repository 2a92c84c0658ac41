/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments of IPv6. What stands in front of the fragment header is in each of them; what is behind
 * it is put together by ip_reasm. Then the fragment header goes, and the packet is as if it had
 * come whole (RFC 8200 4.5).
 */
#include "ip_pvt.h"

/* The headers of the first fragment, without the one that made it a fragment. They were walked
 * when it came. */
static void headers_make_whole(const struct ip_packet *packet)
{
	struct rte_mbuf *m = packet->m;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) - m->l3_len;
	uint32_t bytes = m->pkt_len;
	struct wire_ipv6_chain chain;
	struct wire_ipv6 h;

	(void)wire_ipv6_parse(p, m->l3_len + bytes, &h);
	(void)wire_ipv6_walk(p, (size_t)m->l3_len + m->data_len, &h, &chain);
	p[chain.fragment.next_at] = chain.fragment.next;
	store_be16(
		p + WIRE_IPV6_LENGTH_AT, (uint16_t)(chain.fragment.at - WIRE_IPV6_BYTES + bytes));
	p[0] = (uint8_t)(6 << 4 | packet->tos >> 4);
	p[1] = (uint8_t)(packet->tos << 4 | (p[1] & 0x0f));
	/* With Ethernet in front, which tells who sent it. */
	memmove(p - m->l2_len + WIRE_IPV6_FRAGMENT_BYTES, p - m->l2_len,
		(size_t)m->l2_len + chain.fragment.at);
	rte_pktmbuf_prepend(m, chain.fragment.at);
}

bool ip_v6_make_whole(
	struct ip_stack *ip, struct ip_packet *packet, const struct wire_ipv6_fragment *f)
{
	const struct ip_fragment fragment = {f->id, f->off_bytes, f->more};
	struct rte_mbuf *m = packet->m;

	rte_pktmbuf_adj(m, f->at + WIRE_IPV6_FRAGMENT_BYTES);
	m->l3_len = f->at + WIRE_IPV6_FRAGMENT_BYTES;
	packet->proto = f->next;
	if (!ip_reasm_input(ip, packet, &fragment))
		return false;
	headers_make_whole(packet);
	return true;
}
