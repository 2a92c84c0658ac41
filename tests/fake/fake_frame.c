/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "fake_frame.h"

#define L4_BYTES_MAX 2000

const struct wire_mac fake_mac_port = {{2, 0, 0, 0, 0, 1}};
const struct wire_mac fake_mac_peer = {{2, 0, 0, 0, 0, 0xaa}};
const struct wire_mac fake_mac_all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static const struct wire_mac mac_none;

static const struct wire_mac *mac_or(const struct wire_mac *mac, const struct wire_mac *other)
{
	return memcmp(mac, &mac_none, sizeof(*mac)) == 0 ? other : mac;
}

struct ip_addr fake_addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(bytes_of_cstr(text), &a));
	return a;
}

static struct rte_mbuf *frame_start(struct pkt_pools *pools, const struct wire_mac *dst,
	const struct wire_mac *src, uint16_t vlan, uint16_t type)
{
	struct rte_mbuf *m = pkt_alloc(pools);
	struct wire_ether h = {.dst = *dst, .src = *src, .type = type, .vlan = vlan};

	assert_non_null(m);
	wire_ether_emit((uint8_t *)rte_pktmbuf_append(m, vlan == 0 ? 14 : 18), &h);
	return m;
}

struct rte_mbuf *fake_frame_ipv4(struct pkt_pools *pools, const struct fake_frame *f, uint8_t proto,
	const void *l4, size_t len)
{
	struct rte_mbuf *m = frame_start(pools, mac_or(&f->ether_dst, &fake_mac_port),
		mac_or(&f->ether_src, &fake_mac_peer), f->vlan, WIRE_ETHERTYPE_IPV4);
	struct wire_ipv4 h = {
		.src = f->src,
		.dst = f->dst,
		.total_bytes = (uint16_t)(WIRE_IPV4_BYTES_MIN + len),
		.tos = f->tos,
		.ttl = f->ttl == 0 ? 64 : f->ttl,
		.proto = proto,
	};

	wire_ipv4_emit((uint8_t *)rte_pktmbuf_append(m, WIRE_IPV4_BYTES_MIN), &h);
	if (len > 0)
		memcpy(rte_pktmbuf_append(m, (uint16_t)len), l4, len);
	return m;
}

void fake_frame_fragment(struct rte_mbuf *m, uint16_t id, uint16_t off_bytes, bool more)
{
	uint8_t *p = rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETHER_BYTES);
	struct wire_ipv4 h;

	assert_int_equal(wire_ipv4_parse(p, m->pkt_len, false, &h), WIRE_OK);
	h.id = id;
	h.fragment_off_bytes = off_bytes;
	h.more_fragments = more;
	wire_ipv4_emit(p, &h);
}

struct rte_mbuf *fake_frame_udp(struct pkt_pools *pools, const struct fake_frame *f,
	uint16_t src_port, uint16_t dst_port, const void *payload, size_t len)
{
	uint8_t l4[L4_BYTES_MAX];
	struct wire_udp h = {src_port, dst_port, (uint16_t)(WIRE_UDP_BYTES + len), 0};
	uint32_t sum = wire_checksum_pseudo(&f->src, &f->dst, WIRE_PROTO_UDP, h.len_bytes);

	assert_true(h.len_bytes <= sizeof(l4));
	wire_udp_emit(l4, &h);
	if (len > 0)
		memcpy(l4 + WIRE_UDP_BYTES, payload, len);
	h.checksum = wire_checksum_fold(wire_checksum_add(sum, l4, h.len_bytes));
	if (h.checksum == 0)
		h.checksum = 0xffff;
	wire_udp_emit(l4, &h);
	return fake_frame_ipv4(pools, f, WIRE_PROTO_UDP, l4, h.len_bytes);
}

struct rte_mbuf *fake_frame_tcp(struct pkt_pools *pools, const struct fake_frame *f,
	const struct wire_tcp *tcp, const void *payload, size_t len)
{
	uint8_t l4[L4_BYTES_MAX];
	size_t head = wire_tcp_emit(l4, tcp);
	uint32_t sum =
		wire_checksum_pseudo(&f->src, &f->dst, WIRE_PROTO_TCP, (uint32_t)(head + len));

	assert_true(head + len <= sizeof(l4));
	if (len > 0)
		memcpy(l4 + head, payload, len);
	store_be16(l4 + 16, wire_checksum_fold(wire_checksum_add(sum, l4, head + len)));
	return fake_frame_ipv4(pools, f, WIRE_PROTO_TCP, l4, head + len);
}

struct rte_mbuf *fake_frame_icmp(struct pkt_pools *pools, const struct fake_frame *f,
	const struct wire_icmp *icmp, const void *payload, size_t len)
{
	uint8_t l4[L4_BYTES_MAX];
	struct wire_icmp h = *icmp;

	assert_true(WIRE_ICMP_BYTES + len <= sizeof(l4));
	h.checksum = 0;
	wire_icmp_emit(l4, &h);
	if (len > 0)
		memcpy(l4 + WIRE_ICMP_BYTES, payload, len);
	h.checksum = wire_checksum_fold(wire_checksum_add(0, l4, WIRE_ICMP_BYTES + len));
	wire_icmp_emit(l4, &h);
	return fake_frame_ipv4(pools, f, WIRE_PROTO_ICMP, l4, WIRE_ICMP_BYTES + len);
}

struct rte_mbuf *fake_frame_arp(struct pkt_pools *pools, const struct wire_arp *arp, uint16_t vlan)
{
	struct rte_mbuf *m =
		frame_start(pools, arp->op == WIRE_ARP_REQUEST ? &fake_mac_all : &arp->target_mac,
			&arp->sender_mac, vlan, WIRE_ETHERTYPE_ARP);

	wire_arp_emit((uint8_t *)rte_pktmbuf_append(m, WIRE_ARP_BYTES), arp);
	return m;
}

void fake_frame_read(struct rte_mbuf *m, struct fake_read *out)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	*out = (struct fake_read){0};
	assert_int_equal(m->nb_segs, 1);
	assert_int_equal(m->data_len, m->pkt_len);
	assert_int_equal(wire_ether_parse(p, m->data_len, &out->ether), WIRE_OK);
	p += out->ether.len_bytes;
	if (out->ether.type == WIRE_ETHERTYPE_ARP) {
		assert_int_equal(
			wire_arp_parse(p, m->data_len - out->ether.len_bytes, &out->arp), WIRE_OK);
		return;
	}
	assert_int_equal(out->ether.type, WIRE_ETHERTYPE_IPV4);
	assert_int_equal(
		wire_ipv4_parse(p, m->data_len - out->ether.len_bytes, false, &out->ipv4), WIRE_OK);
	out->l4 = p + out->ipv4.header_bytes;
	out->l4_bytes = out->ipv4.total_bytes - (size_t)out->ipv4.header_bytes;
}
