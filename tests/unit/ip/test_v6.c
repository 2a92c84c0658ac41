/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 packets in and out, ICMPv6, and paths; neighbour discovery is in test_ndp.c. */
#include "fixture6.h"

/* A packet of the peer's, changed by a row before it comes. */
struct in {
	struct wire_mac mac;
	struct wire_ipv6 h;
	uint8_t body[200];
};

static void in_init(struct machine *m, struct in *in)
{
	*in = (struct in){.mac = fake_mac_port,
		.h = {.src = peer,
			.dst = us,
			.payload_bytes = 40,
			.ttl = 64,
			.next = WIRE_PROTO_TCP}};
	memcpy(in->body, m->part, 40);
}

static void receive(struct machine *m, const struct in *in)
{
	struct wire_ether ether = {in->mac, fake_mac_peer, WIRE_ETHERTYPE_IPV6, 0, 0};
	struct rte_mbuf *frame = pkt_alloc(&m->pools);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(
		frame, (uint16_t)(WIRE_ETHER_BYTES + WIRE_IPV6_BYTES + in->h.payload_bytes));

	p += wire_ether_emit(p, &ether);
	p += wire_ipv6_emit(p, &in->h);
	memcpy(p, in->body, in->h.payload_bytes);
	fake_port_receive(&m->port, frame);
	fake_workers_settle(m->f);
}

static void to_many(struct in *in)
{
	in->mac = wire_ipv6_group_mac(&us);
}

static void to_other(struct in *in)
{
	in->h.dst = fake_addr("fd00:9::77");
}

static void to_group(struct in *in)
{
	in->h.dst = fake_addr("ff02::1:2");
	in->mac = wire_ipv6_group_mac(&in->h.dst);
}

static void tcp_to_all_nodes(struct in *in)
{
	in->h.dst = fake_addr("ff02::1");
	in->mac = wire_ipv6_group_mac(&in->h.dst);
}

static void from_group(struct in *in)
{
	in->h.src = fake_addr("ff02::2");
}

static void from_nobody(struct in *in)
{
	in->h.src = fake_addr("::");
}

static void from_loopback(struct in *in)
{
	in->h.src = fake_addr("::1");
}

static void from_us(struct in *in)
{
	in->h.src = us;
}

static void from_mapped_v4(struct in *in)
{
	in->h.src = fake_addr("::ffff:10.0.0.2");
}

static void from_compatible_v4(struct in *in)
{
	in->h.src = fake_addr("::10.0.0.2");
}

static void to_mapped_v4(struct in *in)
{
	in->h.dst = fake_addr("::ffff:10.0.0.1");
}

static void routing_type_0(struct in *in)
{
	in->h.next = WIRE_PROTO_ROUTING;
	memcpy(in->body, (uint8_t[]){WIRE_PROTO_TCP, 2, 0, 1}, 4);
}

static void option_to_refuse(struct in *in)
{
	in->h.next = WIRE_PROTO_DESTINATION;
	memcpy(in->body, (uint8_t[]){WIRE_PROTO_TCP, 0, 0xc7, 4}, 4);
}

static void nothing_behind(struct in *in)
{
	in->h.next = WIRE_PROTO_NONE;
}

static void unknown_protocol(struct in *in)
{
	in->h.next = 253;
}

static void hop_limit_0(struct in *in)
{
	in->h.ttl = 0;
}

static void option_to_skip(struct in *in)
{
	in->h.next = WIRE_PROTO_DESTINATION;
	in->h.payload_bytes = 48;
	memmove(in->body + 8, in->body, 40);
	memcpy(in->body, (uint8_t[]){WIRE_PROTO_TCP, 0, 0x1e, 4, 0, 0, 0, 0}, 8);
}

/* What comes of each: a counter, and whether the sender is told by an ICMPv6 error. */
static void test_input(void **state)
{
	static const struct {
		void (*change)(struct in *in);
		enum ip_stat stat; /* IP_STAT_RX_IPV6: TCP gets it */
		uint8_t told;      /* type of the error; 0: none */
	} rows[] = {
		{hop_limit_0, IP_STAT_RX_IPV6, 0},
		{option_to_skip, IP_STAT_RX_IPV6, 0},
		{to_many, IP_STAT_RX_LINK_BROADCAST, 0},
		{to_other, IP_STAT_RX_NOT_OURS, 0},
		{to_group, IP_STAT_RX_NOT_OURS, 0},
		{tcp_to_all_nodes, IP_STAT_RX_NOT_OURS, 0},
		{to_mapped_v4, IP_STAT_RX_NOT_OURS, 0},
		{from_group, IP_STAT_RX_BAD_SOURCE, 0},
		{from_nobody, IP_STAT_RX_BAD_SOURCE, 0},
		{from_loopback, IP_STAT_RX_BAD_SOURCE, 0},
		{from_us, IP_STAT_RX_BAD_SOURCE, 0},
		{from_mapped_v4, IP_STAT_RX_BAD_SOURCE, 0},
		{from_compatible_v4, IP_STAT_RX_BAD_SOURCE, 0},
		{routing_type_0, IP_STAT_RX_EXTENSION, WIRE_ICMP6_PARAMETER},
		{option_to_refuse, IP_STAT_RX_EXTENSION, WIRE_ICMP6_PARAMETER},
		{nothing_behind, IP_STAT_RX_NO_NEXT, 0},
		{unknown_protocol, IP_STAT_RX_PROTO, WIRE_ICMP6_PARAMETER},
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t before = stat_of(m, rows[i].stat);
		uint64_t errors = stat_of(m, IP_STAT_ICMP_ERROR_OUT);
		struct in in;

		in_init(m, &in);
		rows[i].change(&in);
		receive(m, &in);
		if (stat_of(m, rows[i].stat) != before + 1)
			fail_msg("row %zu", i);
		assert_int_equal(stat_of(m, IP_STAT_ICMP_ERROR_OUT), errors + (rows[i].told != 0));
		assert_int_equal(m->count, rows[i].stat == IP_STAT_RX_IPV6);
		if (m->count)
			pkt_free(m->packet.m);
		m->count = 0;
	}
}

static void test_short_and_wrong(void **state)
{
	struct machine *m = *state;
	struct in in;

	in_init(m, &in);
	in.h.payload_bytes = 10; /* less than a header of TCP: TCP's to judge */
	receive(m, &in);
	assert_int_equal(m->count, 1);
	pkt_free(m->packet.m);
}

static void icmp_sum(struct in *in)
{
	uint32_t sum = wire_checksum_pseudo(
		&in->h.src, &in->h.dst, WIRE_PROTO_ICMPV6, in->h.payload_bytes);

	store_be16(in->body + 2, 0);
	store_be16(in->body + 2,
		wire_checksum_fold(wire_checksum_add(sum, in->body, in->h.payload_bytes)));
}

/* The peer's MAC is known afterwards, so that answers leave. */
static void meet_peer(struct machine *m)
{
	struct wire_ndp h = {.type = WIRE_ICMP6_SOLICIT,
		.target = us,
		.has_source_mac = true,
		.source_mac = fake_mac_peer};
	struct in in;

	in_init(m, &in);
	in.h.next = WIRE_PROTO_ICMPV6;
	in.h.ttl = 255;
	in.h.payload_bytes = (uint16_t)wire_ndp_emit(in.body, &h);
	icmp_sum(&in);
	receive(m, &in);
	discard(m);
}

/* The next frame of this type of ICMPv6; the station is asked whether it is there as well. */
static struct rte_mbuf *sent_of(struct machine *m, uint8_t type)
{
	struct rte_mbuf *sent;

	while ((sent = fake_port_sent(&m->port)) != NULL &&
		rte_pktmbuf_mtod(sent, const uint8_t *)[WIRE_ETHER_BYTES + WIRE_IPV6_BYTES] != type)
		pkt_free(sent);
	return sent;
}

/* A request of the peer, whom we know, but for its checksum. */
static void echo_init(struct machine *m, struct in *in)
{
	struct wire_icmp h = {.type = WIRE_ICMP6_ECHO, .rest = 0x12345678};

	in_init(m, in);
	in->h.next = WIRE_PROTO_ICMPV6;
	wire_icmp_emit(in->body, &h);
}

static void test_echo(void **state)
{
	struct machine *m = *state;
	const uint8_t *p;
	struct rte_mbuf *sent;
	struct in in;

	meet_peer(m);
	echo_init(m, &in);
	icmp_sum(&in);
	receive(m, &in);
	sent = sent_of(m, WIRE_ICMP6_ECHO_REPLY);
	assert_non_null(sent);
	p = rte_pktmbuf_mtod(sent, const uint8_t *) + WIRE_ETHER_BYTES + WIRE_IPV6_BYTES;
	assert_memory_equal(p + 4, in.body + 4, 36);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(
				 wire_checksum_pseudo(&us, &peer, WIRE_PROTO_ICMPV6, 40), p, 40)),
		0);
	pkt_free(sent);
	in.body[9] ^= 1; /* its checksum is wrong now */
	receive(m, &in);
	assert_null(sent_of(m, WIRE_ICMP6_ECHO_REPLY));
	assert_int_equal(stat_of(m, IP_STAT_ICMP_BAD), 1);
}

/* Groups that we are not in are not ours to answer for, however the frame came here. */
static void test_echo_to_groups(void **state)
{
	static const struct {
		const char *group;
		bool answered;
	} rows[] = {
		{"ff02::1", true},
		{"ff02::1:ff00:1", true}, /* of fd00:9::1 */
		{"ff02::1:ff00:2", false},
		{"ff02::2", false},
		{"ff05::1", false},
		{"ff02:1::1", false}, /* all nodes in the form that the table of addresses has */
		{"ff02:1::1:ff00:1", false},
	};
	struct machine *m = *state;
	struct ip_addr group, link_local = wire_ipv6_link_local(&fake_mac_port);

	meet_peer(m);
	for (uint32_t i = 0; i < ARRAY_LEN(rows) + 1; i++) {
		bool answered = i == ARRAY_LEN(rows) || rows[i].answered;
		uint64_t before = stat_of(m, IP_STAT_RX_NOT_OURS);
		struct rte_mbuf *sent;
		struct in in;

		group = i < ARRAY_LEN(rows) ? fake_addr(rows[i].group)
					    : wire_ipv6_solicited_node(&link_local);
		echo_init(m, &in);
		in.h.dst = group;
		in.mac = wire_ipv6_group_mac(&group);
		icmp_sum(&in);
		receive(m, &in);
		sent = sent_of(m, WIRE_ICMP6_ECHO_REPLY);
		if ((sent != NULL) != answered)
			fail_msg("row %u", i);
		pkt_free(sent);
		assert_int_equal(stat_of(m, IP_STAT_RX_NOT_OURS) - before, !answered);
	}
}

static void test_echo_limit(void **state)
{
	struct machine *m = *state;
	struct in in;

	meet_peer(m);
	echo_init(m, &in);
	icmp_sum(&in);
	for (uint32_t i = 0; i < 400; i++) {
		receive(m, &in);
		discard(m);
	}
	assert_in_range(stat_of(m, IP_STAT_ICMP_ECHO_IN), 180, 220);
	assert_int_equal(
		stat_of(m, IP_STAT_ICMP_ECHO_IN) + stat_of(m, IP_STAT_ICMP_ECHO_LIMITED), 400);
}

static struct ip_icmp_error told;
static uint32_t told_count;

static void on_error(void *ctx, const struct ip_icmp_error *error)
{
	(void)ctx;
	told = *error;
	told_count++;
}

/* Errors mean to TCP what they mean in IPv4. */
static void test_errors_in(void **state)
{
	static const struct {
		uint8_t type6, code6;
		uint32_t rest;
		uint8_t type, code;
		uint16_t mtu;
		bool believed;
	} rows[] = {
		{WIRE_ICMP6_TOO_BIG, 0, 1400, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_NEEDFRAG,
			1400, true},
		{WIRE_ICMP6_TOO_BIG, 0, 1279, 0, 0, 0, false}, /* RFC 8201 4 */
		{WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_PORT, 0, WIRE_ICMP_UNREACHABLE,
			WIRE_ICMP_UNREACH_PORT, 0, true},
		{WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_ADDRESS, 0, WIRE_ICMP_UNREACHABLE,
			WIRE_ICMP_UNREACH_HOST, 0, true},
		{WIRE_ICMP6_TIME_EXCEEDED, 0, 0, WIRE_ICMP_TIME_EXCEEDED, 0, 0, true},
		{99, 0, 0, 0, 0, 0, false},
	};
	struct machine *m = *state;

	ip_proto_set(m->ip, WIRE_PROTO_TCP, on_packets, on_error, m);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_icmp h = {
			.type = rows[i].type6, .code = rows[i].code6, .rest = rows[i].rest};
		struct wire_ipv6 quoted = {
			.src = us, .dst = peer, .payload_bytes = 1400, .ttl = 3, .next = 6};
		struct in in;

		told_count = 0;
		in_init(m, &in);
		in.h.next = WIRE_PROTO_ICMPV6;
		in.h.payload_bytes = WIRE_ICMP_BYTES + WIRE_IPV6_BYTES + 8;
		wire_icmp_emit(in.body, &h);
		wire_ipv6_emit(in.body + WIRE_ICMP_BYTES, &quoted);
		memcpy(in.body + WIRE_ICMP_BYTES + WIRE_IPV6_BYTES, m->part, 8);
		icmp_sum(&in);
		receive(m, &in);
		assert_int_equal(told_count, rows[i].believed);
		if (!rows[i].believed)
			continue;
		assert_int_equal(told.type, rows[i].type);
		assert_int_equal(told.code, rows[i].code);
		assert_int_equal(told.mtu, rows[i].mtu);
		assert_true(ip_addr_eq(&told.dst, &peer));
		assert_memory_equal(told.l4, m->part, 8);
	}
}

static void test_paths(void **state)
{
	struct machine *m = *state;
	struct ip_addr src = {{0}}, link_local = fake_addr("fe80::1"),
		       far = fake_addr("2001:db8::1");
	struct ip_path path = {0};

	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), 0);
	assert_true(ip_addr_eq(&src, &us));
	assert_int_equal(ip_path_mtu(m->ip, &path), 1500);
	src = (struct ip_addr){{0}};
	path = (struct ip_path){0};
	link_local = ip_addr_with_zone(&link_local, ip_zone_of_iface(0));
	assert_int_equal(ip_path_find(m->ip, &src, &link_local, &path), 0);
	assert_true(ip_addr_is_scoped(&src));
	src = (struct ip_addr){{0}};
	path = (struct ip_path){0};
	assert_int_equal(ip_path_find(m->ip, &src, &far, &path), -ENETUNREACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_and_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_echo_to_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_echo_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
