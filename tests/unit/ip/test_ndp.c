/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery (RFC 4861), duplicate addresses (RFC 4862), groups (RFC 3810). */
#include "fixture6.h"

#define HOP_LIMIT     255
#define MLD_HOP_LIMIT 1
#define MLD_QUERY_MAX (WIRE_IPV6_ROUTER_ALERT_BYTES + WIRE_MLD1_BYTES)

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

/* `h` and what is behind it. */
static void packet_receive(struct machine *m, const struct wire_ipv6 *h, const uint8_t *body)
{
	bool group = ip_addr_is_multicast(&h->dst);
	struct wire_ether ether = {group ? wire_ipv6_group_mac(&h->dst) : fake_mac_port,
		fake_mac_peer, WIRE_ETHERTYPE_IPV6, 0, 0};
	struct rte_mbuf *frame = pkt_alloc(&m->pools);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(
		frame, (uint16_t)(WIRE_ETHER_BYTES + WIRE_IPV6_BYTES + h->payload_bytes));

	p += wire_ether_emit(p, &ether);
	p += wire_ipv6_emit(p, h);
	memcpy(p, body, h->payload_bytes);
	fake_port_receive(&m->port, frame);
	fake_workers_settle(m->f);
}

static void sum_set(const struct wire_ipv6 *h, uint8_t *icmp, size_t len)
{
	uint32_t sum = wire_checksum_pseudo(&h->src, &h->dst, WIRE_PROTO_ICMPV6, (uint32_t)len);

	store_be16(icmp + 2, 0);
	store_be16(icmp + 2, wire_checksum_fold(wire_checksum_add(sum, icmp, len)));
}

static void receive(struct machine *m, const struct message *msg)
{
	uint8_t body[WIRE_NDP_BYTES_MAX];
	size_t len = wire_ndp_emit(body, &msg->h);
	struct wire_ipv6 h = {.src = msg->src,
		.dst = msg->dst,
		.payload_bytes = (uint16_t)len,
		.ttl = msg->ttl,
		.next = WIRE_PROTO_ICMPV6};

	sum_set(&h, body, len);
	body[2] ^= msg->bad_sum;
	packet_receive(m, &h, body);
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

static void off_link(struct message *msg)
{
	msg->src = fake_addr("2001:db8::2");
}

static void advert_off_link(struct message *msg)
{
	msg->src = fake_addr("2001:db8::2");
	msg->dst = us;
	msg->h = (struct wire_ndp){.type = WIRE_ICMP6_ADVERT,
		.target = peer,
		.solicited = true,
		.has_target_mac = true,
		.target_mac = fake_mac_peer};
}

static void router_advert(struct message *msg)
{
	msg->src = fake_addr("fe80::2");
	msg->dst = fake_addr("ff02::1");
	msg->h = (struct wire_ndp){.type = WIRE_ICMP6_ROUTER_ADVERT, .router_lifetime_s = 1800};
}

static bool no_neighbour(void *ctx, const struct ip_neighbour_info *n)
{
	(void)ctx;
	(void)n;
	fail_msg("a neighbour by a message that must not be believed");
	return false;
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
		{off_link, IP_STAT_NDP_OFF_LINK},
		{advert_off_link, IP_STAT_NDP_OFF_LINK},
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
		ip_neighbour_each(m->ip, no_neighbour, NULL);
	}
}

static bool neighbour_count(void *ctx, const struct ip_neighbour_info *n)
{
	(void)n;
	++*(uint32_t *)ctx;
	return true;
}

/* Those that need no router to reach us: of a network of ours, and the link-local ones. */
static void test_on_link(void **state)
{
	static const char *const sources[] = {"fd00:9::77", "fe80::77"};
	struct machine *m = *state;
	struct wire_ipv6 ip;

	for (uint32_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct message ask = solicit();
		uint32_t count = 0;

		ask.src = fake_addr(sources[i]);
		receive(m, &ask);
		assert_int_equal(sent(m, &ip).type, WIRE_ICMP6_ADVERT);
		ip_neighbour_each(m->ip, neighbour_count, &count);
		assert_int_equal(count, i + 1);
	}
	assert_int_equal(stat_of(m, IP_STAT_NDP_OFF_LINK), 0);
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

/* Back in use it is asked for again, like a new one. */
static void test_enabled_again(void **state)
{
	struct machine *m = *state;
	struct ip_addr src = us;
	struct ip_path path = {0};
	struct wire_ipv6 ip;

	fake_workers_run_for(m->f, SETTLE_NS);
	assert_int_equal(ip_address_set_enabled(m->ip, &us, false), 0);
	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), -EADDRNOTAVAIL);
	fake_workers_run_for(m->f, 70 * NS_PER_SEC);
	assert_false(ip_addr_is_ours(m->ip, &us));
	discard(m);
	assert_int_equal(ip_address_set_enabled(m->ip, &us, true), 0);
	assert_int_equal(ip_path_find(m->ip, &src, &peer, &path), -EADDRNOTAVAIL);
	fake_workers_run_for(m->f, SETTLE_NS);
	assert_int_equal(sent(m, &ip).type, WIRE_ICMP6_SOLICIT);
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

/* --- queries --- */

struct query {
	struct ip_addr src, dst;
	uint8_t ttl;
	uint8_t option; /* in the place of the router alert's */
	uint8_t router_alert;
	uint16_t len;
	bool no_options;
};

static struct query good_query(void)
{
	return (struct query){.src = fake_addr("fe80::2"),
		.dst = fake_addr("ff02::1"),
		.ttl = MLD_HOP_LIMIT,
		.option = 5,
		.len = WIRE_MLD1_BYTES};
}

static void query_receive(struct machine *m, const struct query *q)
{
	uint8_t body[MLD_QUERY_MAX] = {0};
	uint8_t *icmp = body;
	struct wire_ipv6 h = {
		.src = q->src, .dst = q->dst, .ttl = q->ttl, .next = WIRE_PROTO_ICMPV6};

	if (!q->no_options) {
		h.next = WIRE_PROTO_HOP_BY_HOP;
		icmp += wire_ipv6_router_alert_emit(body, WIRE_PROTO_ICMPV6);
		body[2] = q->option;
		body[5] = q->router_alert;
	}
	icmp[0] = WIRE_ICMP6_MLD_QUERY;
	store_be16(icmp + 4, 1000); /* ms to answer in */
	sum_set(&h, icmp, q->len);
	h.payload_bytes = (uint16_t)(icmp - body + q->len);
	packet_receive(m, &h, body);
}

static void query_no_options(struct query *q)
{
	q->no_options = true;
}

static void query_other_option(struct query *q)
{
	q->option = 0x1e;
}

static void query_other_alert(struct query *q)
{
	q->router_alert = 1; /* RSVP */
}

static void query_wrong_hop_limit(struct query *q)
{
	q->ttl = 64;
}

static void query_wide_source(struct query *q)
{
	q->src = peer;
}

static void query_short(struct query *q)
{
	q->len = WIRE_MLD1_BYTES - 4;
}

static void test_queries(void **state)
{
	static void (*const bad[])(struct query * q) = {query_no_options, query_other_option,
		query_other_alert, query_wrong_hop_limit, query_wide_source, query_short};
	struct machine *m = *state;
	uint64_t reports = stat_of(m, IP_STAT_MLD_REPORT_OUT);
	struct query q;

	for (uint32_t i = 0; i < ARRAY_LEN(bad); i++) {
		q = good_query();
		bad[i](&q);
		query_receive(m, &q);
		if (stat_of(m, IP_STAT_MLD_BAD) != i + 1)
			fail_msg("row %u", i);
	}
	fake_workers_run_for(m->f, 2 * NS_PER_SEC);
	assert_int_equal(stat_of(m, IP_STAT_MLD_REPORT_OUT), reports);
	q = good_query();
	query_receive(m, &q);
	fake_workers_run_for(m->f, 2 * NS_PER_SEC);
	assert_int_equal(stat_of(m, IP_STAT_MLD_QUERY_IN), 1);
	assert_true(stat_of(m, IP_STAT_MLD_REPORT_OUT) > reports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_believed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_on_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolution, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tentative, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(test_enabled_again, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(
			test_duplicate_by_advert, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(
			test_duplicate_by_solicit, setup_tentative, teardown),
		cmocka_unit_test_setup_teardown(test_conflict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queries, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
