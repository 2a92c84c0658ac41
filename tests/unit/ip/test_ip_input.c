/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

/* --- one row per reason to drop --- */

struct change {
	const char *name;
	enum ip_stat stat;
	/* Changes the frame of a good segment; `p` is its first byte. */
	void (*fn)(struct rte_mbuf *m, uint8_t *p);
};

#define IP_AT 14

static void header_again(uint8_t *p)
{
	store_be16(p + IP_AT + 10, 0);
	store_be16(p + IP_AT + 10,
		wire_checksum_fold(wire_checksum_add(0, p + IP_AT, (p[IP_AT] & 15) * 4u)));
}

static void set_v4(uint8_t *p, size_t at, const char *text)
{
	struct ip_addr a = fake_addr(text);

	store_be32(p + IP_AT + at, ip_addr_to_v4(&a));
	header_again(p);
}

#define SOURCE(fn_, text)                               \
	static void fn_(struct rte_mbuf *m, uint8_t *p) \
	{                                               \
		(void)m;                                \
		set_v4(p, 12, text);                    \
	}
#define TARGET(fn_, text)                               \
	static void fn_(struct rte_mbuf *m, uint8_t *p) \
	{                                               \
		(void)m;                                \
		set_v4(p, 16, text);                    \
	}

SOURCE(from_any, "0.0.0.0")
SOURCE(from_this_network, "0.1.2.3")
SOURCE(from_multicast, "224.0.0.5")
SOURCE(from_reserved, "240.0.0.1")
SOURCE(from_broadcast, "255.255.255.255")
SOURCE(from_net_broadcast, "10.0.0.255")
SOURCE(from_loopback, "127.0.0.1")
SOURCE(from_us, "10.0.0.1")
SOURCE(from_service, "10.0.0.80")
TARGET(to_other, "10.0.0.3")
TARGET(to_multicast, "224.0.0.1")
TARGET(to_net_broadcast, "10.0.0.255")
TARGET(to_loopback, "127.0.0.2")

static void short_ether(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	rte_pktmbuf_trim(m, m->pkt_len - 13);
}

static void short_ip(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	rte_pktmbuf_trim(m, m->pkt_len - IP_AT - 19);
}

static void short_payload(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	rte_pktmbuf_trim(m, 1);
}

static void split_header(struct rte_mbuf *m, uint8_t *p)
{
	struct rte_mbuf *rest = rte_pktmbuf_alloc(m->pool);
	uint16_t len = m->data_len - IP_AT - 10;

	assert_non_null(rest);
	memcpy(rte_pktmbuf_append(rest, len), p + IP_AT + 10, len);
	rte_pktmbuf_trim(m, len);
	assert_int_equal(rte_pktmbuf_chain(m, rest), 0);
}

static void bad_version(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	p[IP_AT] = 0x65;
	header_again(p);
}

static void bad_header_length(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	p[IP_AT] = 0x44;
}

static void bad_checksum(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	p[IP_AT + 8]--;
}

static void bad_checksum_by_port(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	p[IP_AT + 8]--;
	m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;
}

static void ttl_zero(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	p[IP_AT + 8] = 0;
	header_again(p);
}

static void other_mac(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	p[5] = 9;
}

static void broadcast_mac(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	memset(p, 0xff, 6);
}

static void other_type(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	store_be16(p + 12, 0x88cc);
}

static void ipv6(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	store_be16(p + 12, WIRE_ETHERTYPE_IPV6);
}

static void add_tag(struct rte_mbuf *m, uint16_t vlan)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, 4);

	memmove(p, p + 4, 12);
	store_be16(p + 12, WIRE_ETHERTYPE_VLAN);
	store_be16(p + 14, vlan);
}

static void unknown_vlan(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	add_tag(m, 8);
}

static void reserved_vlan(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	add_tag(m, 0xfff);
}

static void two_tags(struct rte_mbuf *m, uint8_t *p)
{
	(void)p;
	add_tag(m, 7);
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 7;
}

static void icmp_short(struct rte_mbuf *m, uint8_t *p)
{
	p[IP_AT + 9] = WIRE_PROTO_ICMP;
	store_be16(p + IP_AT + 2, 20 + 7);
	header_again(p);
	(void)m;
}

static void icmp_checksum(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	p[IP_AT + 9] = WIRE_PROTO_ICMP;
	header_again(p);
}

static void arp_bad(struct rte_mbuf *m, uint8_t *p)
{
	(void)m;
	store_be16(p + 12, WIRE_ETHERTYPE_ARP);
}

static const struct change changes[] = {
	{"frame without a header", IP_STAT_RX_SHORT, short_ether},
	{"packet without a header", IP_STAT_RX_SHORT, short_ip},
	{"packet longer than its frame", IP_STAT_RX_SHORT, short_payload},
	{"header split over segments", IP_STAT_RX_SHORT, split_header},
	{"version 6", IP_STAT_RX_MALFORMED, bad_version},
	{"header of 16 bytes", IP_STAT_RX_MALFORMED, bad_header_length},
	{"wrong checksum", IP_STAT_RX_CHECKSUM, bad_checksum},
	{"wrong checksum, found by the port", IP_STAT_RX_CHECKSUM, bad_checksum_by_port},
	{"to another host", IP_STAT_RX_NOT_OURS, to_other},
	{"to a group", IP_STAT_RX_NOT_OURS, to_multicast},
	{"to all of the network", IP_STAT_RX_NOT_OURS, to_net_broadcast},
	{"to loopback on an ordinary wire", IP_STAT_RX_NOT_OURS, to_loopback},
	{"from nobody", IP_STAT_RX_BAD_SOURCE, from_any},
	{"from 0/8", IP_STAT_RX_BAD_SOURCE, from_this_network},
	{"from a group", IP_STAT_RX_BAD_SOURCE, from_multicast},
	{"from a reserved address", IP_STAT_RX_BAD_SOURCE, from_reserved},
	{"from all", IP_STAT_RX_BAD_SOURCE, from_broadcast},
	{"from all of the network", IP_STAT_RX_BAD_SOURCE, from_net_broadcast},
	{"from loopback", IP_STAT_RX_BAD_SOURCE, from_loopback},
	{"from our address", IP_STAT_RX_BAD_SOURCE, from_us},
	{"from our service", IP_STAT_RX_BAD_SOURCE, from_service},
	{"to another station", IP_STAT_RX_OTHER_MAC, other_mac},
	{"to us by broadcast", IP_STAT_RX_LINK_BROADCAST, broadcast_mac},
	{"unknown VLAN", IP_STAT_RX_VLAN, unknown_vlan},
	{"two tags, one taken off by the port", IP_STAT_RX_VLAN, two_tags},
	{"reserved VLAN", IP_STAT_RX_VLAN, reserved_vlan},
	{"LLDP", IP_STAT_RX_ETHERTYPE, other_type},
	{"IPv6", IP_STAT_RX_ETHERTYPE, ipv6},
	{"TTL 0", IP_STAT_RX_TTL, ttl_zero},
	{"no ARP", IP_STAT_ARP_BAD, arp_bad},
};

static void test_drops(void **state)
{
	struct fixture *f = *state;
	uint64_t before[IP_STAT_COUNT];

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct rte_mbuf *m = segment_to(f, "10.0.0.1", 5000, 80);

		print_message("# %s\n", changes[i].name);
		stats_copy(f, before);
		changes[i].fn(m, rte_pktmbuf_mtod(m, uint8_t *));
		fake_net_receive(f->net, m);
		expect_only(f, before, changes[i].stat);
		assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
		expect_nothing(f);
	}
	assert_int_equal(f->tcp[0].count, 0);
}

static void test_bad_icmp(void **state)
{
	static void (*const fns[])(struct rte_mbuf *, uint8_t *) = {icmp_short, icmp_checksum};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
		struct rte_mbuf *m = segment_to(f, "10.0.0.1", 5000, 80);

		fns[i](m, rte_pktmbuf_mtod(m, uint8_t *));
		fake_net_receive(f->net, m);
		assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_BAD), i + 1);
		assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
	}
}

/* --- what is delivered --- */

static void expect_delivered(struct fixture *f, const char *dst, uint32_t len)
{
	struct ip_addr to = fake_addr(dst);
	const struct ip_packet *p = &f->tcp[0].packets[0];

	assert_int_equal(f->tcp[0].count, 1);
	assert_int_equal(p->proto, WIRE_PROTO_TCP);
	assert_true(ip_addr_eq(&p->dst, &to));
	assert_int_equal(p->m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_mtod_offset(p->m, char *, WIRE_TCP_BYTES_MIN), "abc", 3);
	fake_sink_clear(&f->tcp[0]);
}

static void test_delivers_to_each_address(void **state)
{
	struct fixture *f = *state;

	fake_net_receive(f->net, segment_to(f, "10.0.0.1", 5000, 80));
	expect_delivered(f, "10.0.0.1", 23);
	fake_net_receive(f->net, segment_to(f, "10.0.0.80", 5000, 80));
	expect_delivered(f, "10.0.0.80", 23);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_IPV4), 2);
}

static void test_delivers_by_vlan(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {
		.vlan = 7, .src = fake_addr("10.7.0.9"), .dst = fake_addr("10.7.0.1"), .tos = 2};
	struct wire_tcp tcp = {.src_port = 1, .dst_port = 80};

	fake_net_receive(f->net, fake_frame_tcp(&f->net->pools[0], &frame, &tcp, "abc", 3));
	assert_int_equal(f->tcp[0].packets[0].iface, 1);
	assert_int_equal(f->tcp[0].packets[0].tos, 2);
	assert_int_equal(f->tcp[0].packets[0].ttl, 64);
	expect_delivered(f, "10.7.0.1", 23);
}

/* A port that takes the tag off tells it beside the frame, with its priority. */
static void test_delivers_by_a_tag_that_was_taken_off(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {.src = fake_addr("10.7.0.9"), .dst = fake_addr("10.7.0.1")};
	struct wire_tcp tcp = {.src_port = 1, .dst_port = 80};
	struct rte_mbuf *m = fake_frame_tcp(&f->net->pools[0], &frame, &tcp, "abc", 3);

	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 5 << 13 | 7;
	fake_net_receive(f->net, m);
	assert_int_equal(f->tcp[0].packets[0].iface, 1);
	expect_delivered(f, "10.7.0.1", 23);
}

static void test_loopback_where_it_is_allowed(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {
		.vlan = 9, .src = fake_addr("127.0.0.1"), .dst = fake_addr("127.0.0.2")};
	struct wire_tcp tcp = {.src_port = 1, .dst_port = 80};

	fake_net_receive(f->net, fake_frame_tcp(&f->net->pools[0], &frame, &tcp, "abc", 3));
	expect_delivered(f, "127.0.0.2", 23);
}

static void test_trims_padding(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = segment_to(f, "10.0.0.1", 5000, 80);

	memset(rte_pktmbuf_append(m, 17), 0xee, 17);
	fake_net_receive(f->net, m);
	expect_delivered(f, "10.0.0.1", 23);
}

static void test_skips_options(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = segment_to(f, "10.0.0.1", 5000, 80);
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(m, 8);

	memmove(p, p + 8, IP_AT + 20);
	memset(p + IP_AT + 20, 1, 8); /* no-operation */
	p[IP_AT] = 0x47;
	store_be16(p + IP_AT + 2, 28 + 23);
	header_again(p);
	fake_net_receive(f->net, m);
	expect_delivered(f, "10.0.0.1", 23);
}

/* What the port says about checksums is believed. */
static void test_checksum_flags(void **state)
{
	static const struct {
		uint64_t flags;
		bool l4_ok;
	} rows[] = {
		{0, false},
		{RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD, true},
		{RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_NONE, true},
		{RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD, false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rte_mbuf *m = segment_to(f, "10.0.0.1", 5000, 80);

		m->ol_flags |= rows[i].flags;
		if (rows[i].flags != 0)
			rte_pktmbuf_mtod(m, uint8_t *)[IP_AT + 10] ^= 1;
		fake_net_receive(f->net, m);
		assert_int_equal(f->tcp[0].packets[0].l4_checksum_ok, rows[i].l4_ok);
		expect_delivered(f, "10.0.0.1", 23);
	}
}

static void test_one_call_for_a_burst(void **state)
{
	struct fixture *f = *state;

	for (uint16_t i = 0; i < 30; i++)
		fake_port_receive(&f->net->port, segment_to(f, "10.0.0.1", 5000 + i, 80));
	fake_workers_poll(f->net->f);
	assert_int_equal(f->tcp[0].calls, 1);
	assert_int_equal(f->tcp[0].count, 30);
	for (uint16_t i = 0; i < 30; i++)
		assert_int_equal(
			load_be16(rte_pktmbuf_mtod(f->tcp[0].packets[i].m, uint8_t *)), 5000 + i);
}

static void test_long_bursts(void **state)
{
	struct fixture *f = *state;

	for (uint16_t i = 0; i < 200; i++)
		fake_port_receive(&f->net->port, segment_to(f, "10.0.0.1", 5000 + i, 80));
	fake_workers_poll(f->net->f);
	assert_int_equal(f->tcp[0].count, PKT_BURST_MAX);
	fake_workers_settle(f->net->f);
	assert_int_equal(f->tcp[0].count, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_drops),
		IP_TEST(test_bad_icmp),
		IP_TEST(test_delivers_to_each_address),
		IP_TEST(test_delivers_by_vlan),
		IP_TEST(test_delivers_by_a_tag_that_was_taken_off),
		IP_TEST(test_loopback_where_it_is_allowed),
		IP_TEST(test_trims_padding),
		IP_TEST(test_skips_options),
		IP_TEST(test_checksum_flags),
		IP_TEST(test_one_call_for_a_burst),
		IP_TEST(test_long_bursts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
