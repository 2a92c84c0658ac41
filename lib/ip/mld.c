/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast listener discovery (RFC 3810, and RFC 2710 for queriers of version 1): switches that
 * look at it pass solicitations on only to those who said that they listen. The groups are the
 * solicited-node groups of our addresses; they never change, so there are no leaves, and one report
 * says all. Everybody is in ff02::1 without a word.
 */
#include "ip_pvt.h"

#define HOP_LIMIT    1
#define REPORT_AGAIN NS_PER_SEC /* RFC 3810 9.11: Unsolicited Report Interval */
#define GROUPS_MAX   60         /* in a report: 1280 bytes with all headers hold 61 */

static const struct ip_addr any;
static const struct ip_addr all_mldv2_routers = {{0xff, 0x02, [15] = 0x16}};

/* Takes a report. */
static void report_send(
	struct ip_stack *ip, uint16_t iface, struct rte_mbuf *m, const struct ip_addr *dst)
{
	const struct ip_addr *own = &ip->v6[iface].link_local;
	const struct ip_own *found = ip_own_find(ip, own);
	bool usable = found != NULL && found->kind == IP_OWN_ADDRESS;
	const struct ip_addr *src = usable ? own : &any; /* RFC 3590 4 */
	struct wire_mac mac = wire_ipv6_group_mac(dst);

	icmp6_checksum_set(m, src, dst);
	wire_ipv6_router_alert_emit(
		(uint8_t *)rte_pktmbuf_prepend(m, WIRE_IPV6_ROUTER_ALERT_BYTES), WIRE_PROTO_ICMPV6);
	rte_pktmbuf_prepend(
		m, (uint16_t)ip_v6_prepend(m, src, dst, WIRE_PROTO_HOP_BY_HOP, 0, HOP_LIMIT));
	ip_count(ip, IP_STAT_MLD_REPORT_OUT);
	ip_ether_send(ip, iface, &mac, WIRE_ETHERTYPE_IPV6, m);
}

static struct rte_mbuf *report_start(struct ip_stack *ip)
{
	struct rte_mbuf *m = pkt_alloc(ip->pools);

	if (m == NULL)
		ip_count(ip, IP_STAT_NO_BUFFER);
	return m;
}

/* The group of the address at `index`; false if it has none here, or an address before it has the
 * same. */
static bool group_at(
	const struct ip_stack *ip, uint16_t iface, uint32_t index, struct ip_addr *group)
{
	const struct ip_address_config *a = ip->addresses;

	if (a[index].iface != iface || ip_addr_is_v4(&a[index].prefix.addr))
		return false;
	*group = wire_ipv6_solicited_node(&a[index].prefix.addr);
	for (uint32_t i = 0; i < index; i++)
		if (a[i].iface == iface && !ip_addr_is_v4(&a[i].prefix.addr) &&
			memcmp(&a[i].prefix.addr.b[13], &group->b[13], 3) == 0)
			return false;
	return true;
}

static void report_v1(struct ip_stack *ip, uint16_t iface)
{
	struct ip_addr group;

	for (uint32_t i = 0; i < ip->address_count; i++) {
		struct rte_mbuf *m = group_at(ip, iface, i, &group) ? report_start(ip) : NULL;

		if (m == NULL)
			continue;
		wire_mld1_report_emit((uint8_t *)rte_pktmbuf_append(m, WIRE_MLD1_BYTES), &group);
		report_send(ip, iface, m, &group);
	}
}

/* As many reports as it takes. */
static void report_v2(struct ip_stack *ip, uint16_t iface, uint8_t type)
{
	uint32_t i = 0;

	while (i < ip->address_count) {
		struct rte_mbuf *m = report_start(ip);
		struct ip_addr group;
		uint16_t count = 0;
		uint8_t *head;

		if (m == NULL)
			return;
		head = (uint8_t *)rte_pktmbuf_append(m, WIRE_MLD2_REPORT_BYTES);
		for (; i < ip->address_count && count < GROUPS_MAX; i++) {
			if (!group_at(ip, iface, i, &group))
				continue;
			count++;
			wire_mld2_record_emit(
				(uint8_t *)rte_pktmbuf_append(m, WIRE_MLD2_RECORD_BYTES), type,
				&group);
		}
		wire_mld2_report_emit(head, count);
		if (count == 0)
			pkt_free(m);
		else
			report_send(ip, iface, m, &all_mldv2_routers);
	}
}

static void on_timer(struct timer *timer, uint64_t now_ns)
{
	struct ip_v6_iface *v6 = CONTAINER_OF(timer, struct ip_v6_iface, mld_timer);
	uint16_t iface = (uint16_t)(v6 - v6->ip->v6);

	(void)now_ns;
	if (v6->mld_v1)
		report_v1(v6->ip, iface);
	else
		report_v2(v6->ip, iface, WIRE_MLD2_IS_EXCLUDE);
}

void mld_init(struct ip_stack *ip)
{
	for (uint32_t i = 0; i < IP_IFACES_MAX; i++) {
		ip->v6[i].ip = ip;
		timer_init(&ip->v6[i].mld_timer, on_timer);
	}
}

static void report_in(struct ip_v6_iface *v6, uint64_t ns)
{
	struct worker *w = v6->ip->worker;

	timer_set(&w->timers, &v6->mld_timer, w->now_ns + rand_u64(&w->rand) % (ns + 1));
}

/* Twice, because the first one may be lost (RFC 3810 9.1). */
void mld_start(struct ip_stack *ip)
{
	for (uint32_t i = 0; i < ip->net->iface_count; i++) {
		if (!ip->v6[i].enabled)
			continue;
		report_v2(ip, (uint16_t)i, WIRE_MLD2_TO_EXCLUDE);
		report_in(&ip->v6[i], REPORT_AGAIN);
	}
}

/* RFC 3810 6.2: from a router on this link, which routers on the way would have looked at. */
static bool query_is_valid(const struct ip_packet *packet)
{
	struct wire_ipv6_chain chain;

	ip_v6_headers_read(packet, &chain);
	return packet->m->nb_segs == 1 && packet->ttl == HOP_LIMIT &&
	       ip_addr_is_scoped(&packet->src) && chain.router_alert;
}

/* Whatever the query asks for, the answer is all that we listen to, at a random moment within the
 * time that it gives; a query that comes meanwhile is answered with it. */
void mld_input(struct ip_stack *ip, struct ip_packet *packet)
{
	struct ip_v6_iface *v6 = &ip->v6[packet->iface];
	const struct rte_mbuf *m = packet->m;
	struct wire_mld_query q;

	if (!query_is_valid(packet) || wire_mld_query_parse(rte_pktmbuf_mtod(m, const uint8_t *),
					       m->data_len, &q) != WIRE_OK) {
		ip_drop(ip, IP_STAT_MLD_BAD, packet->m);
		return;
	}
	ip_count(ip, IP_STAT_MLD_QUERY_IN);
	v6->mld_v1 = q.v1;
	if (!timer_is_set(&v6->mld_timer))
		report_in(v6, (uint64_t)q.response_ms * NS_PER_MS);
	pkt_free(packet->m);
}
