/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

static int setup_three(void **state)
{
	return fixture_setup(state, 2, true, 0);
}

static void send_path(struct fixture *f, const char *src, const char *dst, struct rte_mbuf *m)
{
	struct ip_path path = {0};
	struct ip_addr from = fake_addr(src), to = fake_addr(dst);

	ip_send(f->net->ip[0], &path, &from, &to, WIRE_PROTO_TCP, 0xb8, m);
	fake_workers_settle(f->net->f);
}

static void expect_dropped(struct fixture *f, enum ip_stat stat)
{
	assert_int_equal(stat_of(f, 0, stat), 1);
	assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
	expect_nothing(f);
}

static void test_headers(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = outgoing(f, 0, 1000, 80, 33);
	struct fake_read r;
	uint32_t sum;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	send_path(f, "10.0.0.1", "10.0.0.2", m);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ether.vlan, 0);
	expect_addr(&r.ipv4.src, "10.0.0.1");
	expect_addr(&r.ipv4.dst, "10.0.0.2");
	assert_int_equal(r.ipv4.ttl, IP_TTL_DEFAULT);
	assert_int_equal(r.ipv4.tos, 0xb8);
	assert_true(r.ipv4.dont_fragment);
	assert_int_equal(r.ipv4.total_bytes, 53);
	sum = wire_checksum_pseudo(&r.ipv4.src, &r.ipv4.dst, WIRE_PROTO_TCP, 33);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(sum, r.l4, 33)), 0);
}

static void test_vlan(void **state)
{
	struct fixture *f = *state;
	struct wire_arp arp = {.op = WIRE_ARP_REPLY,
		.sender_mac = fake_mac_peer,
		.sender = fake_addr("10.7.0.9"),
		.target_mac = fake_mac_port,
		.target = fake_addr("10.7.0.1")};
	struct fake_read r;

	fake_net_receive(f->net, fake_frame_arp(&f->net->pools[0], &arp, 7));
	send_path(f, "10.7.0.1", "10.7.0.9", outgoing(f, 0, 1, 2, 40));
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ether.vlan, 7);
	assert_int_equal(r.ipv4.total_bytes, 60);
}

static void test_mtu(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	send_path(f, "10.0.0.1", "10.0.0.2", outgoing(f, 0, 1, 2, 1480));
	assert_true(fake_net_sent(f->net, &r, f->copy));
	send_path(f, "10.0.0.1", "10.0.0.2", outgoing(f, 0, 1, 2, 1481));
	expect_dropped(f, IP_STAT_TX_TOO_BIG);
}

/* What is to be cut may be longer; here the port's software cuts. */
static void test_segmentation(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = outgoing(f, 0, 1000, 80, 20 + 2000);
	struct fake_read r;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
	m->tso_segsz = 1460;
	send_path(f, "10.0.0.1", "10.0.0.2", m);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ipv4.total_bytes, 1500);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ipv4.total_bytes, 40 + 540);
	expect_nothing(f);
}

/* A packet of 65,536 bytes has no length for its header. */
static void test_segmentation_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = outgoing(f, 0, 1000, 80, 16);

	while (m->pkt_len + 20 <= 65535) {
		struct rte_mbuf *seg = pkt_alloc(&f->net->pools[0]);

		rte_pktmbuf_append(seg, (uint16_t)MIN(2000U, 65536 - 20 - m->pkt_len));
		assert_int_equal(rte_pktmbuf_chain(m, seg), 0);
	}
	assert_int_equal(m->pkt_len, 65516);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	send_path(f, "10.0.0.1", "10.0.0.2", m);
	expect_dropped(f, IP_STAT_TX_TOO_BIG);
}

static void test_no_way(void **state)
{
	static const struct {
		const char *src, *dst;
		enum ip_stat stat;
	} rows[] = {
		{"10.0.0.1", "224.0.0.1", IP_STAT_TX_NO_ROUTE},
		{"10.0.0.3", "10.0.0.2", IP_STAT_TX_BAD_SOURCE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		send_path(f, rows[i].src, rows[i].dst, outgoing(f, 0, 1, 2, 40));
		expect_dropped(f, rows[i].stat);
	}
}

/* --- to ourselves --- */

static void test_local(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = outgoing(f, 0, 1000, 80, 40);
	struct ip_path path = {0};
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("10.0.0.80");
	const struct ip_packet *p = &f->tcp[0].packets[0];

	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	ip_send(f->net->ip[0], &path, &src, &dst, WIRE_PROTO_TCP, 0xb8, m);
	assert_int_equal(f->tcp[0].count, 0); /* never inside the call */
	fake_workers_settle(f->net->f);
	assert_int_equal(f->tcp[0].count, 1);
	assert_ptr_equal(p->m, m); /* by reference */
	assert_int_equal(p->m->pkt_len, 40);
	assert_int_equal(p->m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK, 0);
	assert_true(p->l4_checksum_ok);
	assert_int_equal(p->tos, 0xb8);
	expect_addr(&p->src, "10.0.0.1");
	expect_addr(&p->dst, "10.0.0.80");
	expect_nothing(f);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_LOCAL), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_STEERED_IN), 0);
}

/* The owner of the flow gets it, whichever core sends. */
static void test_local_to_another_core(void **state)
{
	struct fixture *f = *state;
	uint32_t got[3] = {0};

	for (uint16_t port = 1000; port < 1032; port++) {
		struct endpoint a = {fake_addr("10.0.0.1"), port}, b = {fake_addr("10.0.0.80"), 80};
		uint32_t core = steer_core(&f->net->steer, &a, &b);

		send_path(f, "10.0.0.1", "10.0.0.80", outgoing(f, 0, port, 80, 40));
		assert_int_equal(f->tcp[core].count, ++got[core]);
	}
	assert_true(got[0] > 0);
	assert_true(got[1] > 0);
	send_path(f, "10.0.0.80", "10.0.0.1", outgoing(f, 0, 80, STEER_CONTROL_PORT_MAX, 40));
	assert_int_equal(f->tcp[2].count, 1);
}

/* An ICMP error about a packet of our own goes to ourselves. */
static void test_local_error(void **state)
{
	struct fixture *f = *state;
	struct ip_path path = {0};
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("10.0.0.80");
	struct fake_sink udp = {0};

	ip_send(f->net->ip[0], &path, &src, &dst, WIRE_PROTO_UDP, 0, outgoing(f, 0, 7, 9, 40));
	fake_workers_settle(f->net->f); /* nobody has UDP yet */
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ERROR_OUT), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ERROR_IN), 1);
	fake_sink_set(&udp, f->net->ip[0], WIRE_PROTO_UDP);
	ip_send(f->net->ip[0], &path, &src, &dst, WIRE_PROTO_UDP, 0, outgoing(f, 0, 7, 9, 40));
	fake_workers_settle(f->net->f);
	assert_int_equal(udp.count, 1);
	ip_send_icmp_error(
		f->net->ip[0], &udp.packets[0], WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_PORT);
	fake_workers_settle(f->net->f);
	assert_int_equal(udp.error_count, 1);
	assert_int_equal(udp.error.code, WIRE_ICMP_UNREACH_PORT);
	assert_int_equal(load_be16(udp.error.l4 + 2), 9);
	fake_sink_clear(&udp);
}

static void test_local_queue_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct ip_path path = {0};
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("10.0.0.80");
	struct fake_sink *sink = &f->tcp[0];

	for (uint32_t i = 0; i < 1023 + 5; i++)
		ip_send(f->net->ip[0], &path, &src, &dst, WIRE_PROTO_TCP, 0,
			outgoing(f, 0, 1, 2, 40));
	assert_int_equal(stat_of(f, 0, IP_STAT_STEER_FULL), 5);
	for (uint32_t got = 0; got < 1023; fake_sink_clear(sink)) {
		assert_true(fake_workers_poll(f->net->f) > 0);
		got += sink->count;
	}
	fake_workers_settle(f->net->f);
	assert_int_equal(sink->count, 0);
}

static void test_path_facts(void **state)
{
	struct fixture *f = *state;
	struct ip_stack *ip = f->net->ip[0];
	struct ip_addr src = {0}, wire = fake_addr("10.7.0.9"), own = fake_addr("10.0.0.80");
	struct ip_path path = {0};

	assert_int_equal(ip_path_find(ip, &src, &wire, &path), 0);
	assert_int_equal(ip_path_mtu(ip, &path), 1496);
	assert_int_equal(ip_path_caps(ip, &path), f->net->port.port.caps);
	src = (struct ip_addr){0};
	assert_int_equal(ip_path_find(ip, &src, &own, &path), 0);
	assert_int_equal(ip_path_mtu(ip, &path), 1500);
	assert_true(ip_path_caps(ip, &path) & PORT_CAP_TX_TSO);
	assert_true(ip_path_caps(ip, &path) & PORT_CAP_TX_L4_CHECKSUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_headers),
		IP_TEST(test_vlan),
		IP_TEST(test_mtu),
		IP_TEST(test_segmentation),
		IP_TEST(test_segmentation_has_a_limit),
		IP_TEST(test_no_way),
		IP_TEST(test_local),
		cmocka_unit_test_setup_teardown(test_local_to_another_core, setup_three, teardown),
		IP_TEST(test_local_error),
		IP_TEST(test_local_queue_is_bounded),
		IP_TEST(test_path_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
