/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP for IPv4 (RFC 792, RFC 1122 3.2.2), and what ICMPv6 has in common with it. */
#include <rte_ip.h>

#include "ip_pvt.h"

#define ICMP_PARAMETER_PROBLEM 12
#define ICMP_TOS_MASK          0xfc /* ECN belongs to the request alone */

static void send_from_us(
	struct ip_stack *ip, const struct ip_packet *about, uint8_t tos, struct rte_mbuf *m)
{
	struct ip_path path = ip_path_back(about);

	ip_send(ip, &path, &about->dst, &about->src, WIRE_PROTO_ICMP, tos, m);
}

static bool checksum_is_right(const struct rte_mbuf *m)
{
	uint16_t sum;

	return rte_raw_cksum_mbuf(m, 0, m->pkt_len, &sum) == 0 && sum == UINT16_MAX;
}

/* --- limits --- */

static const struct {
	uint32_t per_sec, burst;
	enum ip_stat stat;
} limits[IP_LIMIT_COUNT] = {
	[IP_LIMIT_ERROR] = {200, 50, IP_STAT_ICMP_LIMITED},
	[IP_LIMIT_ECHO] = {1000, 200, IP_STAT_ICMP_ECHO_LIMITED},
};

/* A bucket that fills with time. What an answer costs varies around the time between two, so that
 * nobody can count others' packets by what is left (CVE-2020-25705). */
bool icmp_may_answer(struct ip_stack *ip, enum ip_limit limit)
{
	uint32_t mean_ns = (uint32_t)NS_PER_SEC / limits[limit].per_sec;
	struct ip_bucket *b = &ip->limits[limit];
	uint64_t now = ip->worker->now_ns;

	if (b->cost_ns == 0)
		b->cost_ns = mean_ns / 2 + rand_below(&ip->worker->rand, mean_ns + 1);
	b->credit_ns =
		MIN(b->credit_ns + (now - b->filled_at), limits[limit].burst * (uint64_t)mean_ns);
	b->filled_at = now;
	if (b->credit_ns < b->cost_ns) {
		ip_count(ip, limits[limit].stat);
		return false;
	}
	b->credit_ns -= b->cost_ns;
	b->cost_ns = 0;
	return true;
}

/* --- echo --- */

/* The same bytes go back; only the type changes, and the checksum with it (RFC 1624). */
static void echo_answer(struct ip_stack *ip, const struct ip_packet *packet, struct wire_icmp *h)
{
	uint8_t *p = rte_pktmbuf_mtod(packet->m, uint8_t *);
	uint32_t sum = (uint16_t)~h->checksum + (uint32_t)(uint16_t) ~(WIRE_ICMP_ECHO << 8);

	if (!icmp_may_answer(ip, IP_LIMIT_ECHO)) {
		pkt_free(packet->m);
		return;
	}
	h->type = WIRE_ICMP_ECHO_REPLY;
	h->checksum = wire_checksum_fold(sum);
	wire_icmp_emit(p, h);
	ip_count(ip, IP_STAT_ICMP_ECHO_IN);
	ip_mbuf_turn(packet->m);
	send_from_us(ip, packet, packet->tos & ICMP_TOS_MASK, packet->m);
}

/* --- errors in --- */

/* Reads the packet that an error quotes; false if we cannot have sent it. */
static bool error_parse(const struct ip_stack *ip, const struct rte_mbuf *m,
	const struct wire_icmp *icmp, struct ip_icmp_error *out)
{
	uint8_t quote[WIRE_IPV4_BYTES_MAX + IP_ICMP_L4_BYTES] = {0};
	uint32_t len = (uint32_t)MIN(m->pkt_len - WIRE_ICMP_BYTES, sizeof(quote));
	const void *p = rte_pktmbuf_read(m, WIRE_ICMP_BYTES, len, quote);
	struct wire_ipv4 h;

	if (p != quote)
		memcpy(quote, p, len);
	/* It is cut short, so its length says more than there is, and it may have no checksum. */
	if (wire_ipv4_parse(quote, IP_PACKET_BYTES_MAX, true, &h) != WIRE_OK ||
		h.header_bytes + (uint32_t)IP_ICMP_L4_BYTES > len || h.fragment_off_bytes != 0 ||
		!ip_addr_is_ours(ip, &h.src))
		return false;
	*out = (struct ip_icmp_error){.proto = h.proto,
		.type = icmp->type,
		.code = icmp->code,
		.src = h.src,
		.dst = h.dst};
	if (icmp->type == WIRE_ICMP_UNREACHABLE && icmp->code == WIRE_ICMP_UNREACH_NEEDFRAG)
		out->mtu = (uint16_t)icmp->rest; /* RFC 1191 4 */
	memcpy(out->l4, &quote[h.header_bytes], sizeof(out->l4));
	return true;
}

/* The core that sent what the error is about. */
static uint32_t error_core(const struct ip_stack *ip, const struct ip_icmp_error *error)
{
	struct endpoint local = {error->src, load_be16(&error->l4[0])};
	struct endpoint remote = {error->dst, load_be16(&error->l4[2])};

	if (error->proto != WIRE_PROTO_TCP && error->proto != WIRE_PROTO_UDP)
		return ip->worker->index;
	return ip_steer_core(ip, &local, &remote);
}

void icmp_error_deliver(
	struct ip_stack *ip, struct ip_packet *packet, const struct ip_icmp_error *error)
{
	struct ip_proto *p = ip_proto_find(ip, error->proto);
	uint32_t core = error_core(ip, error);

	if (core != ip->worker->index) {
		ip_steer_give(ip, core, packet);
		return;
	}
	ip_count(ip, IP_STAT_ICMP_ERROR_IN);
	if (p != NULL && p->error_fn != NULL)
		p->error_fn(p->ctx, error);
	pkt_free(packet->m);
}

static void error_input(struct ip_stack *ip, struct ip_packet *packet, const struct wire_icmp *icmp)
{
	struct ip_icmp_error error;

	if (error_parse(ip, packet->m, icmp, &error))
		icmp_error_deliver(ip, packet, &error);
	else
		ip_drop(ip, IP_STAT_ICMP_BAD, packet->m);
}

/* --- the door --- */

void icmp_input(struct ip_stack *ip, struct ip_packet *packet)
{
	struct wire_icmp h;

	if (wire_icmp_parse(rte_pktmbuf_mtod(packet->m, const uint8_t *), packet->m->data_len,
		    &h) != WIRE_OK ||
		!checksum_is_right(packet->m)) {
		ip_drop(ip, IP_STAT_ICMP_BAD, packet->m);
		return;
	}
	switch (h.type) {
	case WIRE_ICMP_ECHO:
		echo_answer(ip, packet, &h);
		break;
	case WIRE_ICMP_UNREACHABLE:
	case WIRE_ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		error_input(ip, packet, &h);
		break;
	default:
		ip_drop(ip, IP_STAT_ICMP_IGNORED, packet->m);
	}
}

/* --- errors out --- */

/* The error with the packet's IP header, which still stands in front of the data, and as much of
 * the data as may be. */
static struct rte_mbuf *error_build(
	struct ip_stack *ip, const struct ip_packet *about, uint8_t type, uint8_t code)
{
	const struct rte_mbuf *m = about->m;
	uint32_t room = IP_ICMP_BYTES_MAX - WIRE_IPV4_BYTES_MIN - WIRE_ICMP_BYTES;
	uint32_t quote_bytes = MIN((uint32_t)m->l3_len + m->data_len, room);
	struct wire_icmp h = {.type = type, .code = code};
	struct rte_mbuf *error = pkt_alloc(ip->pools);
	uint8_t *p;

	if (error == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(error, (uint16_t)(WIRE_ICMP_BYTES + quote_bytes));
	memcpy(p + WIRE_ICMP_BYTES, rte_pktmbuf_mtod(m, const uint8_t *) - m->l3_len, quote_bytes);
	wire_icmp_emit(p, &h);
	h.checksum = wire_checksum_fold(wire_checksum_add(0, p, error->data_len));
	wire_icmp_emit(p, &h);
	return error;
}

void ip_send_icmp_error(
	struct ip_stack *ip, const struct ip_packet *about, uint8_t type, uint8_t code)
{
	struct rte_mbuf *m;

	if (!ip_addr_is_v4(&about->dst)) {
		icmp6_error_send_v4(ip, about, type, code);
		return;
	}
	/* Broadcasts and fragments do not come here; their senders hear nothing (RFC 1122 3.2.2).
	 */
	if (about->proto == WIRE_PROTO_ICMP || !icmp_may_answer(ip, IP_LIMIT_ERROR))
		return;
	m = error_build(ip, about, type, code);
	if (m == NULL) {
		ip_count(ip, IP_STAT_NO_BUFFER);
		return;
	}
	ip_count(ip, IP_STAT_ICMP_ERROR_OUT);
	send_from_us(ip, about, 0, m);
}
