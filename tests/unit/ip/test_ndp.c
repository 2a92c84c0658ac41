/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery (RFC 4861), duplicate addresses (RFC 4862), groups (RFC 3810). */
#include "fixture6.h"

#define HOP_LIMIT 255

struct message {
	struct ip_addr src, dst;
	struct wire_ndp h;
	uint8_t ttl;
	bool bad_sum;
};

/* The peer asks for our address. */
static struct message solicit(void)
{
	return (struct message){.src = peer,
		.dst = wire_ipv6_solicited_node(&us),
		.ttl = HOP_LIMIT,
		.h = {.type = WIRE_ICMP6_SOLICIT,
			.target = us,
			.has_source_mac = true,
			.source_mac = fake_mac_peer}};
}

static void receive(struct machine *m, const struct message *msg)
{
	bool group = ip_addr_is_multicast(&msg->dst);
	struct wire_ether ether = {group ? wire_ipv6_group_mac(&msg->dst) : fake_mac_port,
		fake_mac_peer, WIRE_ETHERTYPE_IPV6, 0, 0};
	uint8_t body[WIRE_NDP_BYTES_MAX];
	size_t len = wire_ndp_emit(body, &msg->h);
	struct wire_ipv6 h = {.src = msg->src,
		.dst = msg->dst,
		.payload_bytes = (uint16_t)len,
		.ttl = msg->ttl,
		.next = WIRE_PROTO_ICMPV6};
	uint32_t sum = wire_checksum_pseudo(&h.src, &h.dst, WIRE_PROTO_ICMPV6, (uint32_t)len);
	struct rte_mbuf *frame = pkt_alloc(&m->pools);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(
		frame, (uint16_t)(WIRE_ETHER_BYTES + WIRE_IPV6_BYTES + len));

	store_be16(body + 2,
		(uint16_t)(wire_checksum_fold(wire_checksum_add(sum, body, len)) + msg->bad_sum));
	p += wire_ether_emit(p, &ether);
	p += wire_ipv6_emit(p, &h);
	memcpy(p, body, len);
	fake_port_receive(&m->port, frame);
	fake_workers_settle(m->f);
}

/* The next message of discovery that was sent; type 0 if there is none. */
static struct wire_ndp sent(struct machine *m, struct wire_ipv6 *h)
{
	struct wire_ndp out = {0};
	struct rte_mbuf *frame;

	while (out.type == 0 && (frame = fake_port_sent(&m->port)) != NULL) {
		const uint8_t *p = rte_pktmbuf_mtod(frame, const uint8_t *) + WIRE_ETHER_BYTES;
		uint32_t len = frame->pkt_len - WIRE_ETHER_BYTES;

		if (wire_ipv6_parse(p, len, h) != WIRE_OK || h->next != WIRE_PROTO_ICMPV6 ||
			wire_ndp_parse(p + WIRE_IPV6_BYTES, len - WIRE_IPV6_BYTES, &out) != WIRE_OK)
			out = (struct wire_ndp){0};
		pkt_free(frame);
	}
	return out;
}

static void test_answers(void **state)
{
	struct machine *m = *state;
	struct message ask = solicit();
	struct wire_ndp h;
	struct wire_ipv6 ip;

	receive(m, &ask);
	h = sent(m, &ip);
	assert_int_equal(h.type, WIRE_ICMP6_ADVERT);
	assert_true(h.solicited && h.override && h.has_target_mac);
	assert_memory_equal(&h.target_mac, &fake_mac_port, sizeof(fake_mac_port));
	assert_true(ip_addr_eq(&ip.dst, &peer));
	assert_int_equal(ip.ttl, HOP_LIMIT);

	/* Who looks whether the address is free is told by all hearing it (RFC 4861 7.2.4). */
	ask = solicit();
	ask.src = (struct ip_addr){{0}};
	ask.h.has_source_mac = false;
	receive(m, &ask);
	h = sent(m, &ip);
	assert_int_equal(h.type, WIRE_ICMP6_ADVERT);
	assert_false(h.solicited);
	assert_true(ip_addr_is_multicast(&ip.dst));
}

static void wrong_hop_limit(struct message *msg)
{
	msg->ttl = HOP_LIMIT - 1;
}

static void wrong_sum(struct message *msg)
{
	msg->bad_sum = true;
}

static void nobody_with_mac(struct message *msg)
{
	msg->src = (struct ip_addr){{0}};
}

static void our_mac(struct message *msg)
{
	msg->h.source_mac = fake_mac_port;
}

static void group_mac(struct message *msg)
{
	msg->h.source_mac = wire_ipv6_group_mac(&msg->dst);
}

static void solicited_to_all(struct message *msg)
{
	msg->h = (struct wire_ndp){.type = WIRE_ICMP6_ADVERT,
		.target = peer,
		.solicited = true,
		.has_target_mac = true,
		.target_mac = fake_mac_peer};
	msg->dst = fake_addr("ff02::1");
}

static void router_advert(struct message *msg)
{
	msg->src = fake_addr("fe80::2");
	msg->dst = fake_addr("ff02::1");
	msg->h = (struct wire_ndp){.type = WIRE_ICMP6_ROUTER_ADVERT, .router_lifetime_s = 1800};
}

static void test_not_believed(void **state)
{
	static const struct {
		void (*change)(struct message *msg);
		enum ip_stat stat;
	} rows[] = {
		{wrong_hop_limit, IP_STAT_NDP_BAD},
		{wrong_sum, IP_STAT_ICMP_BAD},
		{nobody_with_mac, IP_STAT_NDP_BAD},
		{our_mac, IP_STAT_NDP_BAD},
		{group_mac, IP_STAT_NDP_BAD},
		{solicited_to_all, IP_STAT_NDP_BAD},
		{router_advert, IP_STAT_NDP_IGNORED},
	};
	struct machine *m = *state;
	struct wire_ipv6 ip;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t before = stat_of(m, rows[i].stat);
		struct message msg = solicit();

		rows[i].change(&msg);
		receive(m, &msg);
		if (stat_of(m, rows[i].stat) != before + 1)
			fail_msg("row %zu", i);
		assert_int_equal(sent(m, &ip).type, 0);
	}
}

/* A packet waits while its neighbour is looked for, and leaves when it answers. */
static void test_resolution(void **state)
{
	struct machine *m = *state;
	struct ip_path path = {0};
	struct rte_mbuf *out = pkt_alloc(&m->pools);
	struct message answer = {.src = peer,
		.dst = us,
		.ttl = HOP_LIMIT,
		.h = {.type = WIRE_ICMP6_ADVERT,
			.target = peer,
			.solicited = true,
			.override = true,
			.has_target_mac = true,
			.target_mac = fake_mac_peer}};
	struct wire_ipv6 ip;
	struct wire_ndp h;

	memcpy(rte_pktmbuf_append(out, 20), m->part, 20);
	ip_send(m->ip, &path, &us, &peer, WIRE_PROTO_TCP, 0, out);
	fake_workers_settle(m->f);
	h = sent(m, &ip);
	assert_int_equal(h.type, WIRE_ICMP6_SOLICIT);
	assert_true(ip_addr_eq(&h.target, &peer));
	assert_true(ip_addr_is_multicast(&ip.dst));
	receive(m, &answer);
	out = fake_port_sent(&m->port);
	assert_non_null(out);
	assert_memory_equal(rte_pktmbuf_mtod(out, uint8_t *), &fake_mac_peer, 6);
	pkt_free(out);
}

/* Before it is known to be ours alone, our address is neither answered for nor used. */
static void test_tentative(void **state)
{
	struct machine *m = *state;
	struct ip_addr src = us;
	struct ip_path path = {0};
	struct message ask = solicit();
	struct wire_ipv6 ip;

	discard(m);
	receive(m, &ask);
	assert_int_equal(sent(m, &ip).type, 0);
	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), -EADDRNOTAVAIL);
	fake_workers_run_for(m->f, SETTLE_NS);
	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), 0);
}

static void expect_duplicate(struct machine *m, const struct message *msg)
{
	struct ip_addr src = us;
	struct ip_path path = {0};

	receive(m, msg);
	assert_int_equal(stat_of(m, IP_STAT_NDP_DUPLICATE), 1);
	fake_workers_run_for(m->f, SETTLE_NS);
	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), -EADDRNOTAVAIL);
	/* A minute later it is asked for again, and nobody has it. */
	fake_workers_run_for(m->f, 70 * NS_PER_SEC);
	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), 0);
}

static void test_duplicate_by_advert(void **state)
{
	struct message msg = {.src = us,
		.dst = fake_addr("ff02::1"),
		.ttl = HOP_LIMIT,
		.h = {.type = WIRE_ICMP6_ADVERT,
			.target = us,
			.override = true,
			.has_target_mac = true,
			.target_mac = fake_mac_peer}};

	expect_duplicate(*state, &msg);
}

static void test_duplicate_by_solicit(void **state)
{
	struct message msg = solicit();

	msg.src = (struct ip_addr){{0}};
	msg.h.has_source_mac = false;
	expect_duplicate(*state, &msg);
}

/* Later we keep it, and say so. */
static void test_conflict(void **state)
{
	struct machine *m = *state;
	struct message msg = {.src = us,
		.dst = fake_addr("ff02::1"),
		.ttl = HOP_LIMIT,
		.h = {.type = WIRE_ICMP6_ADVERT,
			.target = us,
			.override = true,
			.has_target_mac = true,
			.target_mac = fake_mac_peer}};
	struct wire_ipv6 ip;

	receive(m, &msg);
	assert_int_equal(stat_of(m, IP_STAT_NDP_CONFLICT), 1);
	assert_int_equal(sent(m, &ip).type, WIRE_ICMP6_ADVERT);
	receive(m, &msg);
	assert_int_equal(sent(m, &ip).type, 0);
}

/* At the start we report the groups of our addresses. */
static void test_groups(void **state)
{
	struct machine *m = *state;

	assert_true(stat_of(m, IP_STAT_MLD_REPORT_OUT) >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_believed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolution, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tentative, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(
			test_duplicate_by_advert, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(
			test_duplicate_by_solicit, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(test_conflict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
