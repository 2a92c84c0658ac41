/* SPDX-License-Identifier: BSD-3-Clause */
/* Loopback addresses on the wire: the hosts of a bench may have those that we have. */
#include "fixture.h"

#define BENCH_VLAN 9 /* of fake_net.h: 127.0.0.2/8 is ours there */
#define OURS       "127.0.0.2"

static struct rte_mbuf *segment(struct fixture *f, const char *src, const char *dst, uint16_t vlan,
	const struct wire_mac *mac)
{
	struct fake_frame frame = {
		.ether_src = *mac, .vlan = vlan, .src = fake_addr(src), .dst = fake_addr(dst)};
	struct wire_tcp tcp = {.src_port = 5000, .dst_port = 80, .flags = WIRE_TCP_SYN};

	return fake_frame_tcp(&f->net->pools[0], &frame, &tcp, NULL, 0);
}

static void receive_arp(
	struct fixture *f, uint16_t op, const char *sender, const char *target, uint16_t vlan)
{
	struct wire_arp arp = {.op = op,
		.sender_mac = fake_mac_peer,
		.sender = fake_addr(sender),
		.target_mac = fake_mac_port,
		.target = fake_addr(target)};

	fake_net_receive(f->net, fake_frame_arp(&f->net->pools[0], &arp, vlan));
}

static void send_by(struct fixture *f, struct ip_path path, const char *dst)
{
	struct ip_addr src = fake_addr(OURS), to = fake_addr(dst);

	ip_send(f->net->ip[0], &path, &src, &to, WIRE_PROTO_TCP, 0, outgoing(f, 0, 80, 5000, 40));
	fake_workers_settle(f->net->f);
}

static void test_the_user_says_who_is_meant(void **state)
{
	static const struct {
		const char *dst;
		bool to_us;
		const char *src_found;
		const char *hop; /* NULL: ourselves */
	} rows[] = {
		{OURS, true, OURS, NULL},
		{OURS, false, OURS, OURS},
		/* of others it means nothing */
		{"127.0.0.1", true, OURS, "127.0.0.1"},
		{"127.0.0.1", false, OURS, "127.0.0.1"},
		{"10.0.0.80", false, "10.0.0.80", NULL},
		{"10.0.0.2", true, "10.0.0.1", "10.0.0.2"},
	};
	struct fixture *f = *state;
	struct ip_stack *ip = f->net->ip[0];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr src = fake_addr("0.0.0.0"), dst = fake_addr(rows[i].dst);
		struct ip_path path = {.loopback_to_us = rows[i].to_us};

		assert_int_equal(ip_path_find(ip, &src, &dst, &path), 0);
		expect_addr(&src, rows[i].src_found);
		/* It is still said when the path must be found again. */
		ip_neighbour_flush(ip);
		ip_send(ip, &path, &src, &dst, WIRE_PROTO_TCP, 0, outgoing(f, 0, 1, 2, 40));
		assert_int_equal(path.loopback_to_us, rows[i].to_us);
		fake_workers_settle(f->net->f);
		if (rows[i].hop != NULL)
			expect_request(f, rows[i].hop, &fake_mac_all);
		expect_nothing(f);
	}
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_LOCAL), 2);
}

/* From an address that is ours; its MAC is known by that, and the answer goes back. */
static void test_answers_go_where_packets_came_from(void **state)
{
	static const char *const sources[] = {OURS, "127.0.0.1", "127.200.0.1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		const struct ip_packet *p = &f->tcp[0].packets[i];

		fake_net_receive(f->net, segment(f, sources[i], OURS, BENCH_VLAN, &fake_mac_peer));
		assert_int_equal(f->tcp[0].count, i + 1);
		expect_addr(&p->src, sources[i]);
		assert_false(p->from_us);
		send_by(f, ip_path_back(p), sources[i]);
		expect_segment(f, sources[i], &fake_mac_peer);
		expect_nothing(f);
	}
}

static void test_ourselves_hear_ourselves(void **state)
{
	struct fixture *f = *state;
	const struct ip_packet *p = &f->tcp[0].packets[0];

	send_by(f, (struct ip_path){.loopback_to_us = true}, OURS);
	assert_int_equal(f->tcp[0].count, 1);
	assert_true(p->from_us);
	send_by(f, ip_path_back(p), OURS);
	assert_int_equal(f->tcp[0].count, 2);
	expect_nothing(f);
}

static void test_a_station_that_moved(void **state)
{
	static const struct wire_mac other = {{2, 0, 0, 0, 0, 0xbb}};
	struct fixture *f = *state;

	fake_net_receive(f->net, segment(f, OURS, OURS, BENCH_VLAN, &fake_mac_peer));
	fake_net_receive(f->net, segment(f, OURS, OURS, BENCH_VLAN, &other));
	send_by(f, (struct ip_path){0}, OURS);
	expect_segment(f, OURS, &other);
	/* A group is nobody's address. */
	fake_net_receive(f->net, segment(f, OURS, OURS, BENCH_VLAN, &fake_mac_all));
	send_by(f, (struct ip_path){0}, OURS);
	expect_segment(f, OURS, &other);
}

static void test_not_elsewhere(void **state)
{
	static const struct {
		const char *src, *dst;
		uint16_t vlan;
	} rows[] = {
		{OURS, "10.0.0.1", 0},
		{"10.0.0.1", OURS, BENCH_VLAN},
		{"127.255.255.255", OURS, BENCH_VLAN},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fake_net_receive(
			f->net, segment(f, rows[i].src, rows[i].dst, rows[i].vlan, &fake_mac_peer));
		assert_int_equal(stat_of(f, 0, IP_STAT_RX_BAD_SOURCE), i + 1);
	}
	assert_int_equal(f->tcp[0].count, 0);
}

static void test_echo(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {
		.vlan = BENCH_VLAN, .src = fake_addr(OURS), .dst = fake_addr(OURS)};
	struct wire_icmp h = {.type = WIRE_ICMP_ECHO, .rest = 1};
	struct fake_read r;

	fake_net_receive(f->net, fake_frame_icmp(&f->net->pools[0], &frame, &h, "abc", 3));
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ether.vlan, BENCH_VLAN);
	assert_int_equal(r.ipv4.proto, WIRE_PROTO_ICMP);
}

/* Who shares an address with us is answered, and is no conflict; on other wires it is one. */
static void test_arp_answers(void **state)
{
	static const struct {
		const char *sender, *target;
		uint16_t vlan;
		bool answered;
	} rows[] = {
		{OURS, OURS, BENCH_VLAN, true},
		{"127.0.0.1", OURS, BENCH_VLAN, true},
		{OURS, "127.0.0.1", BENCH_VLAN, false},
		{"10.0.0.2", OURS, 0, false},
	};
	struct fixture *f = *state;
	struct fake_read r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		receive_arp(f, WIRE_ARP_REQUEST, rows[i].sender, rows[i].target, rows[i].vlan);
		assert_int_equal(fake_net_sent(f->net, &r, f->copy), rows[i].answered);
		if (!rows[i].answered)
			continue;
		assert_int_equal(r.arp.op, WIRE_ARP_REPLY);
		expect_addr(&r.arp.sender, OURS);
		assert_memory_equal(&r.arp.sender_mac, &fake_mac_port, sizeof(fake_mac_port));
	}
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_CONFLICT), 0);
	receive_arp(f, WIRE_ARP_REQUEST, OURS, "10.0.0.1", 0);
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_CONFLICT), 1);
}

/* We cannot give the address that we ask for as ours, so the answer names nobody. */
static void test_asking_for_our_own(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;

	send_by(f, (struct ip_path){0}, OURS);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	expect_addr(&r.arp.target, OURS);
	expect_addr(&r.arp.sender, "0.0.0.0");
	receive_arp(f, WIRE_ARP_REPLY, OURS, "0.0.0.0", BENCH_VLAN);
	expect_segment(f, OURS, &fake_mac_peer);
	/* It counts as confirmed: nobody asks again soon. */
	send_by(f, (struct ip_path){0}, OURS);
	expect_segment(f, OURS, &fake_mac_peer);
	expect_nothing(f);
}

/* A bind alone: the network of the loopback addresses is connected, and they are the sources
 * there and nowhere else. */
static void test_no_address_line(void **state)
{
	static const struct ip_iface_config ifaces[] = {
		{.name = "bench", .mtu = 1500, .allow_loopback = true}};
	static const struct ip_address_config addresses[] = {
		{.prefix = {FAKE_V4(127, 0, 0, 1), 32}, .service = true},
		{.prefix = {FAKE_V4(10, 0, 0, 1), 24}},
	};
	static const struct ip_route_config routes[] = {
		{.prefix = {FAKE_V4(0, 0, 0, 0), 0}, .gateway = FAKE_V4(10, 0, 0, 254)},
	};
	static const struct {
		const char *dst, *src;
	} rows[] = {
		{"127.0.0.9", "127.0.0.1"},
		{"127.0.0.1", "127.0.0.1"},
		{"10.0.0.9", "10.0.0.1"},
		{"192.0.2.1", "10.0.0.1"},
	};
	const struct ip_config net = {ARRAY_LEN(ifaces), ARRAY_LEN(addresses), ARRAY_LEN(routes),
		ifaces, addresses, routes};
	struct fixture *f = *state;
	struct ip_stack *ip = fixture_stack(f, &net, NULL);

	assert_non_null(ip);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr src = {0}, dst = fake_addr(rows[i].dst);
		struct ip_path path = {0};

		assert_int_equal(ip_path_find(ip, &src, &dst, &path), 0);
		expect_addr(&src, rows[i].src);
	}
	ip_neighbour_flush(ip);
	fake_net_stop(f->net);
	ip_stack_destroy(ip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_the_user_says_who_is_meant),
		IP_TEST(test_answers_go_where_packets_came_from),
		IP_TEST(test_ourselves_hear_ourselves),
		IP_TEST(test_a_station_that_moved),
		IP_TEST(test_not_elsewhere),
		IP_TEST(test_echo),
		IP_TEST(test_arp_answers),
		IP_TEST(test_asking_for_our_own),
		cmocka_unit_test_setup_teardown(test_no_address_line, setup_one, teardown_stopped),
	};

	return cmocka_run_group_tests_name("ip/loopback", tests, NULL, NULL);
}
