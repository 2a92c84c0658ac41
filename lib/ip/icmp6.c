/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP for IPv6 (RFC 4443). */
#include "ip_pvt.h"

#define ICMP6_INFORMATIONAL 128  /* types from here on are no errors */
#define ERROR_BYTES_MAX     1280 /* of the whole error packet (RFC 4443 2.4 c) */
#define TOS_MASK            0xfc /* ECN belongs to the request alone */
#define ADMIN_PROHIBITED    13   /* code of ICMP unreachable (RFC 1812 5.2.7.1) */
#define ICMP_PARAMETER      12
#define CODE_ANY            255

static const struct ip_addr any;

void icmp6_checksum_set(struct rte_mbuf *m, const struct ip_addr *src, const struct ip_addr *dst)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t sum = wire_checksum_pseudo(src, dst, WIRE_PROTO_ICMPV6, m->pkt_len);

	store_be16(p + 2, 0);
	store_be16(p + 2, wire_checksum_fold(wire_checksum_add(sum, p, m->data_len)));
}

/* Takes m. The way back to who sent `about`, from the address that it was sent to or, if that was a
 * group's, one that fits; *src is it. */
static bool way_back(struct ip_stack *ip, const struct ip_packet *about, struct ip_path *path,
	struct ip_addr *src)
{
	*path = ip_path_back(about);
	*src = ip_addr_is_multicast(&about->dst) ? any : about->dst;
	return ip_path_find(ip, src, &about->src, path) == 0;
}

/* --- echo --- */

/* The same bytes go back; only the type changes, and the source if it was a group's (RFC 4443 4.2):
 * the checksum changes with them (RFC 1624). */
static void echo_answer(struct ip_stack *ip, const struct ip_packet *packet, struct wire_icmp *h)
{
	uint8_t *p = rte_pktmbuf_mtod(packet->m, uint8_t *);
	struct ip_path path;
	struct ip_addr src;
	uint32_t sum;

	if (ip_addr_is_any(&packet->src)) {
		ip_drop(ip, IP_STAT_ICMP_IGNORED, packet->m);
		return;
	}
	if (!icmp_may_answer(ip, IP_LIMIT_ECHO) || !way_back(ip, packet, &path, &src)) {
		pkt_free(packet->m);
		return;
	}
	sum = (uint16_t)~h->checksum + (uint32_t)(uint16_t) ~(WIRE_ICMP6_ECHO << 8) +
	      (WIRE_ICMP6_ECHO_REPLY << 8);
	sum += wire_checksum_fold(wire_checksum_pseudo(&packet->dst, &packet->src, 0, 0));
	sum += wire_checksum_pseudo(&src, &packet->src, 0, 0);
	h->type = WIRE_ICMP6_ECHO_REPLY;
	h->checksum = wire_checksum_fold(sum);
	wire_icmp_emit(p, h);
	ip_count(ip, IP_STAT_ICMP_ECHO_IN);
	ip_mbuf_turn(packet->m);
	ip_send(ip, &path, &src, &packet->src, WIRE_PROTO_ICMPV6, packet->tos & TOS_MASK,
		packet->m);
}

/* --- errors in --- */

/* What each error is called in ICMP for IPv4; the first row that fits. */
static const struct {
	uint8_t type6, code6;
	uint8_t type, code;
} names[] = {
	{WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_ADDRESS, WIRE_ICMP_UNREACHABLE,
		WIRE_ICMP_UNREACH_HOST},
	{WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_PORT, WIRE_ICMP_UNREACHABLE,
		WIRE_ICMP_UNREACH_PORT},
	{WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_ROUTE, WIRE_ICMP_UNREACHABLE,
		WIRE_ICMP_UNREACH_NET},
	{WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_ADMIN, WIRE_ICMP_UNREACHABLE, ADMIN_PROHIBITED},
	{WIRE_ICMP6_UNREACHABLE, CODE_ANY, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_NET},
	{WIRE_ICMP6_TOO_BIG, CODE_ANY, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_NEEDFRAG},
	{WIRE_ICMP6_TIME_EXCEEDED, 0, WIRE_ICMP_TIME_EXCEEDED, 0},
	{WIRE_ICMP6_TIME_EXCEEDED, CODE_ANY, WIRE_ICMP_TIME_EXCEEDED, 1},
	{WIRE_ICMP6_PARAMETER, WIRE_ICMP6_PARAMETER_NEXT, WIRE_ICMP_UNREACHABLE,
		WIRE_ICMP_UNREACH_PROTO},
	{WIRE_ICMP6_PARAMETER, CODE_ANY, ICMP_PARAMETER, 0},
};

static bool name_set(const struct wire_icmp *icmp, struct ip_icmp_error *out)
{
	for (uint32_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].type6 != icmp->type ||
			(names[i].code6 != icmp->code && names[i].code6 != CODE_ANY))
			continue;
		out->type = names[i].type;
		out->code = names[i].code;
		return true;
	}
	return false;
}

/* Reads the packet that an error quotes; false if we cannot have sent it. */
static bool error_parse(const struct ip_stack *ip, const struct ip_packet *packet,
	const struct wire_icmp *icmp, struct ip_icmp_error *out)
{
	uint8_t copy[WIRE_IPV6_BYTES + IP_ICMP_L4_BYTES];
	const uint8_t *quote = rte_pktmbuf_read(packet->m, WIRE_ICMP_BYTES, sizeof(copy), copy);
	struct wire_ipv6 h;

	/* It is cut short, so its length says more than there is. */
	if (quote == NULL ||
		wire_ipv6_parse(quote, WIRE_IPV6_BYTES + (size_t)UINT16_MAX, &h) != WIRE_OK)
		return false;
	*out = (struct ip_icmp_error){.proto = h.next,
		.src = ip_addr_from_wire(&h.src, packet->iface),
		.dst = ip_addr_from_wire(&h.dst, packet->iface)};
	if (ip_addr_is_v4(&h.src) || !ip_addr_is_ours(ip, &out->src) || !name_set(icmp, out))
		return false;
	if (icmp->type == WIRE_ICMP6_TOO_BIG) {
		/* Nobody's link is smaller (RFC 8201 4). */
		if (icmp->rest < WIRE_IPV6_MTU_MIN)
			return false;
		out->mtu = (uint16_t)MIN(icmp->rest, (uint32_t)UINT16_MAX);
	}
	memcpy(out->l4, quote + WIRE_IPV6_BYTES, sizeof(out->l4));
	return true;
}

static void error_input(struct ip_stack *ip, struct ip_packet *packet, const struct wire_icmp *icmp)
{
	struct ip_icmp_error error;

	if (error_parse(ip, packet, icmp, &error))
		icmp_error_deliver(ip, packet, &error);
	else
		ip_drop(ip, IP_STAT_ICMP_BAD, packet->m);
}

/* --- the door --- */

void icmp6_input(struct ip_stack *ip, struct ip_packet *packet)
{
	struct wire_icmp h;

	if (wire_icmp_parse(rte_pktmbuf_mtod(packet->m, const uint8_t *), packet->m->data_len,
		    &h) != WIRE_OK ||
		!ip_l4_checksum_holds(packet, WIRE_PROTO_ICMPV6)) {
		ip_drop(ip, IP_STAT_ICMP_BAD, packet->m);
		return;
	}
	switch (h.type) {
	case WIRE_ICMP6_ECHO:
		echo_answer(ip, packet, &h);
		break;
	case WIRE_ICMP6_UNREACHABLE:
	case WIRE_ICMP6_TOO_BIG:
	case WIRE_ICMP6_TIME_EXCEEDED:
	case WIRE_ICMP6_PARAMETER:
		error_input(ip, packet, &h);
		break;
	case WIRE_ICMP6_ROUTER_SOLICIT:
	case WIRE_ICMP6_ROUTER_ADVERT:
	case WIRE_ICMP6_SOLICIT:
	case WIRE_ICMP6_ADVERT:
	case WIRE_ICMP6_REDIRECT:
		ndp_input(ip, packet);
		break;
	case WIRE_ICMP6_MLD_QUERY:
		mld_input(ip, packet);
		break;
	case WIRE_ICMP6_MLD1_REPORT:
	case WIRE_ICMP6_MLD2_REPORT:
		ip_drop(ip, IP_STAT_MLD_IGNORED, packet->m);
		break;
	default:
		ip_drop(ip, IP_STAT_ICMP_IGNORED, packet->m);
	}
}

/* --- errors out --- */

/* RFC 4443 2.4 e. */
static bool may_be_told(const struct ip_packet *about, bool also_of_group)
{
	const struct rte_mbuf *m = about->m;
	uint8_t type;

	if (ip_addr_is_any(&about->src) || (ip_addr_is_multicast(&about->dst) && !also_of_group))
		return false;
	if (about->proto != WIRE_PROTO_ICMPV6)
		return true;
	type = m->data_len == 0 ? 0 : *rte_pktmbuf_mtod(m, const uint8_t *);
	return type >= ICMP6_INFORMATIONAL && type != WIRE_ICMP6_REDIRECT;
}

/* The error with the packet from its IP header on, which still stands in front of the data, and as
 * much of the data as may be. */
static struct rte_mbuf *error_build(
	struct ip_stack *ip, const struct ip_packet *about, struct wire_icmp *h)
{
	const struct rte_mbuf *m = about->m;
	uint32_t room = ERROR_BYTES_MAX - WIRE_IPV6_BYTES - WIRE_ICMP_BYTES;
	uint32_t quote_bytes = MIN((uint32_t)m->l3_len + m->data_len, room);
	struct rte_mbuf *error = pkt_alloc(ip->pools);
	uint8_t *p;

	if (error == NULL) {
		ip_count(ip, IP_STAT_NO_BUFFER);
		return NULL;
	}
	p = (uint8_t *)rte_pktmbuf_append(error, (uint16_t)(WIRE_ICMP_BYTES + quote_bytes));
	wire_icmp_emit(p, h);
	memcpy(p + WIRE_ICMP_BYTES, rte_pktmbuf_mtod(m, const uint8_t *) - m->l3_len, quote_bytes);
	return error;
}

void icmp6_error_send(struct ip_stack *ip, const struct ip_packet *about, uint8_t type,
	uint8_t code, uint32_t rest, bool also_of_group)
{
	struct wire_icmp h = {.type = type, .code = code, .rest = rest};
	struct ip_path path;
	struct ip_addr src;
	struct rte_mbuf *m;

	if (!may_be_told(about, also_of_group) || !icmp_may_answer(ip, IP_LIMIT_ERROR) ||
		!way_back(ip, about, &path, &src))
		return;
	m = error_build(ip, about, &h);
	if (m == NULL)
		return;
	icmp6_checksum_set(m, &src, &about->src);
	ip_count(ip, IP_STAT_ICMP_ERROR_OUT);
	ip_send(ip, &path, &src, &about->src, WIRE_PROTO_ICMPV6, 0, m);
}

/* Where the field stands that names the upper layer. */
static uint32_t next_at(const struct ip_packet *about)
{
	struct wire_ipv6_chain chain;

	ip_v6_headers_read(about, &chain);
	return chain.next_at;
}

void icmp6_error_send_v4(
	struct ip_stack *ip, const struct ip_packet *about, uint8_t type, uint8_t code)
{
	if (type == WIRE_ICMP_UNREACHABLE && code == WIRE_ICMP_UNREACH_PROTO) {
		icmp6_error_send(ip, about, WIRE_ICMP6_PARAMETER, WIRE_ICMP6_PARAMETER_NEXT,
			next_at(about), false);
		return;
	}
	for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].type == type && names[i].code == code) {
			icmp6_error_send(ip, about, names[i].type6,
				names[i].code6 == CODE_ANY ? code : names[i].code6, 0, false);
			return;
		}
	ASSERT(!"an error that ICMPv6 has no name for");
}
