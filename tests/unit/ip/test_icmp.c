/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#define PROTO_GRE 47

static int setup_three(void **state)
{
	return fixture_setup(state, 2, true, 0);
}

static struct rte_mbuf *echo(struct fixture *f, const char *dst, const char *text, size_t len)
{
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr(dst), .tos = 3};
	struct wire_icmp h = {.type = WIRE_ICMP_ECHO, .rest = 0x12340001};

	return fake_frame_icmp(&f->net->pools[0], &frame, &h, text, len);
}

static void test_echo(void **state)
{
	static const char text[] = "any length, also an odd one";
	static const char *const addresses[] = {"10.0.0.1", "10.0.0.80"};
	struct fixture *f = *state;
	struct fake_read r;
	struct wire_icmp h;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	for (size_t a = 0; a < ARRAY_LEN(addresses); a++)
		for (size_t len = 0; len < sizeof(text); len++) {
			fake_net_receive(f->net, echo(f, addresses[a], text, len));
			assert_true(fake_net_sent(f->net, &r, f->copy));
			expect_addr(&r.ipv4.src, addresses[a]);
			expect_addr(&r.ipv4.dst, "10.0.0.2");
			assert_int_equal(r.ipv4.tos, 0); /* ECN is not mirrored */
			assert_int_equal(wire_icmp_parse(r.l4, r.l4_bytes, &h), WIRE_OK);
			assert_int_equal(h.type, WIRE_ICMP_ECHO_REPLY);
			assert_int_equal(h.rest, 0x12340001);
			assert_int_equal(r.l4_bytes, WIRE_ICMP_BYTES + len);
			assert_memory_equal(r.l4 + WIRE_ICMP_BYTES, text, len);
			assert_int_equal(
				wire_checksum_fold(wire_checksum_add(0, r.l4, r.l4_bytes)), 0);
		}
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ECHO_IN), 2 * sizeof(text));
}

static void test_ignored_types(void **state)
{
	/* Echo reply, source quench (RFC 6633), redirect, timestamp, unknown. */
	static const uint8_t types[] = {0, 4, 5, 13, 200};
	struct fixture *f = *state;
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr("10.0.0.1")};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct wire_icmp h = {.type = types[i]};

		fake_net_receive(
			f->net, fake_frame_icmp(&f->net->pools[0], &frame, &h, "0123456789", 10));
		assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_IGNORED), i + 1);
		expect_nothing(f);
	}
}

/* --- errors about what we sent --- */

struct quote {
	struct wire_ipv4 ipv4;
	uint16_t src_port, dst_port;
	size_t bytes; /* of the quote; 0: header and 8 bytes */
};

static struct quote good_quote(uint16_t src_port)
{
	return (struct quote){
		.ipv4 = {.src = fake_addr("10.0.0.1"),
			.dst = fake_addr("192.0.2.9"),
			.total_bytes = 1500,
			.ttl = 1,
			.proto = WIRE_PROTO_TCP},
		.src_port = src_port,
		.dst_port = 443,
	};
}

static void receive_error(
	struct fixture *f, uint8_t type, uint8_t code, uint32_t rest, const struct quote *q)
{
	struct fake_frame frame = {.src = fake_addr("198.51.100.1"), .dst = q->ipv4.src};
	struct wire_icmp h = {.type = type, .code = code, .rest = rest};
	uint8_t text[28] = {0};

	if (!ip_addr_is_ours(f->net->ip[0], &frame.dst))
		frame.dst = fake_addr("10.0.0.1");
	wire_ipv4_emit(text, &q->ipv4);
	store_be16(text + 20, q->src_port);
	store_be16(text + 22, q->dst_port);
	store_be32(text + 24, 0xdeadbeef);
	fake_net_receive(f->net, fake_frame_icmp(&f->net->pools[0], &frame, &h, text,
					 q->bytes == 0 ? sizeof(text) : q->bytes));
}

static void test_errors_reach_the_protocol(void **state)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest;
		uint16_t mtu;
	} rows[] = {
		{WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_NET, 0, 0},
		{WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_PORT, 0, 0},
		{WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_NEEDFRAG, 1400, 1400},
		{WIRE_ICMP_TIME_EXCEEDED, 0, 99, 0},
		{12, 0, 99, 0},
	};
	struct fixture *f = *state;
	struct quote q = good_quote(1000);

	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ip_icmp_error *e = &f->tcp[0].error;

		receive_error(f, rows[i].type, rows[i].code, rows[i].rest, &q);
		assert_int_equal(f->tcp[0].error_count, i + 1);
		assert_int_equal(e->proto, WIRE_PROTO_TCP);
		assert_int_equal(e->type, rows[i].type);
		assert_int_equal(e->code, rows[i].code);
		assert_int_equal(e->mtu, rows[i].mtu);
		expect_addr(&e->src, "10.0.0.1");
		expect_addr(&e->dst, "192.0.2.9");
		assert_int_equal(load_be16(e->l4), 1000);
		assert_int_equal(load_be16(e->l4 + 2), 443);
		assert_int_equal(load_be32(e->l4 + 4), 0xdeadbeef);
		assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ERROR_IN), i + 1);
	}
}

static void test_bad_quotes(void **state)
{
	struct fixture *f = *state;
	struct quote q[5];

	for (size_t i = 0; i < ARRAY_LEN(q); i++)
		q[i] = good_quote(1000);
	q[0].bytes = 27;                       /* not enough of the header behind */
	q[1].bytes = 12;                       /* not even an IP header */
	q[2].ipv4.src = fake_addr("10.0.0.3"); /* never sent by us */
	q[3].ipv4.fragment_off_bytes = 8;      /* we send no fragments */
	q[4].ipv4.total_bytes = 8;             /* shorter than its header */
	for (uint32_t i = 0; i < ARRAY_LEN(q); i++) {
		receive_error(f, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_HOST, 0, &q[i]);
		assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_BAD), i + 1);
		assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
	}
	assert_int_equal(f->tcp[0].error_count, 0);
}

static void test_error_nobody_wants(void **state)
{
	struct fixture *f = *state;
	struct quote q = good_quote(1000);

	q.ipv4.proto = WIRE_PROTO_UDP;
	receive_error(f, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_PORT, 0, &q);
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ERROR_IN), 1);
	assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
}

/* An error comes from a router, so its own addresses say nothing about who has to hear it. */
static void test_errors_find_the_core(void **state)
{
	struct fixture *f = *state;
	uint32_t heard[3] = {0};

	for (uint16_t port = 1000; port < 1032; port++) {
		struct quote q = good_quote(port);
		struct endpoint local = {q.ipv4.src, port};
		struct endpoint remote = {q.ipv4.dst, 443};
		uint32_t core = steer_core(&f->net->steer, &local, &remote);

		receive_error(f, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_HOST, 0, &q);
		assert_int_equal(f->tcp[core].error_count, ++heard[core]);
		assert_int_equal(load_be16(f->tcp[core].error.l4), port);
	}
	assert_true(heard[0] > 0);
	assert_true(heard[1] > 0);
	receive_error(f, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_HOST, 0,
		&(struct quote){good_quote(0).ipv4, STEER_CONTROL_PORT_MIN, 443, 0});
	assert_int_equal(f->tcp[2].error_count, 1);
}

/* --- errors that we send --- */

static void receive_unknown(struct fixture *f, const char *src, uint32_t times)
{
	struct fake_frame frame = {.src = fake_addr(src), .dst = fake_addr("10.0.0.80"), .ttl = 9};

	for (uint32_t i = 0; i < times; i++)
		fake_net_receive(f->net,
			fake_frame_ipv4(&f->net->pools[0], &frame, PROTO_GRE, "payload", 7));
}

static void test_protocol_unreachable(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;
	struct wire_icmp h;
	struct wire_ipv4 quoted;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	receive_unknown(f, "10.0.0.2", 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_PROTO), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ERROR_OUT), 1);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	expect_addr(&r.ipv4.src, "10.0.0.80");
	expect_addr(&r.ipv4.dst, "10.0.0.2");
	assert_int_equal(wire_icmp_parse(r.l4, r.l4_bytes, &h), WIRE_OK);
	assert_int_equal(h.type, WIRE_ICMP_UNREACHABLE);
	assert_int_equal(h.code, WIRE_ICMP_UNREACH_PROTO);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(0, r.l4, r.l4_bytes)), 0);
	assert_int_equal(r.l4_bytes, 8 + 20 + 7);
	assert_int_equal(wire_ipv4_parse(r.l4 + 8, r.l4_bytes - 8, false, &quoted), WIRE_OK);
	assert_int_equal(quoted.ttl, 9); /* the header as it came */
	assert_memory_equal(r.l4 + 28, "payload", 7);
}

static void test_quotes_are_cut(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr("10.0.0.1")};
	char payload[1400] = {0};
	struct fake_read r;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	fake_net_receive(f->net,
		fake_frame_ipv4(&f->net->pools[0], &frame, PROTO_GRE, payload, sizeof(payload)));
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ipv4.total_bytes, 576);
}

static void test_rate_limit(void **state)
{
	struct fixture *f = *state;
	uint32_t again[8], sent;
	bool differs = false;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	receive_unknown(f, "10.0.0.2", 100);
	sent = fake_net_discard(f->net);
	assert_in_range(sent, 40, 60);
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_LIMITED), 100 - sent);
	fake_workers_advance(f->net->f, 10 * NS_PER_MS); /* time for two */
	receive_unknown(f, "10.0.0.2", 10);
	assert_in_range(fake_net_discard(f->net), 1, 5);
	/* The bucket is not deeper, and its depth is not known beforehand. */
	for (uint32_t i = 0; i < ARRAY_LEN(again); i++) {
		sent = (uint32_t)stat_of(f, 0, IP_STAT_ICMP_ERROR_OUT);
		fake_workers_advance(f->net->f, 10 * NS_PER_SEC);
		receive_unknown(f, "10.0.0.2", 100);
		again[i] = (uint32_t)stat_of(f, 0, IP_STAT_ICMP_ERROR_OUT) - sent;
		assert_in_range(again[i], 40, 60);
		differs |= again[i] != again[0];
	}
	fake_net_discard(f->net);
	assert_true(differs);
}

static void receive_echos(struct fixture *f, uint32_t times)
{
	for (uint32_t i = 0; i < times; i++)
		fake_net_receive(f->net, echo(f, "10.0.0.1", "ping", 4));
}

/* Whoever asks less often than the limit always hears, also right after a flood; and a flood of
 * requests does not keep us from telling errors. */
static void test_echo_limit(void **state)
{
	struct fixture *f = *state;
	uint32_t sent;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	receive_echos(f, 400);
	sent = fake_net_discard(f->net);
	assert_in_range(sent, 180, 220);
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ECHO_IN), sent);
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ECHO_LIMITED), 400 - sent);
	receive_unknown(f, "10.0.0.2", 10);
	assert_int_equal(fake_net_discard(f->net), 10);
	for (uint32_t i = 0; i < 1000; i++) {
		fake_workers_advance(f->net->f, 2 * NS_PER_MS);
		receive_echos(f, 1);
		assert_int_equal(fake_net_discard(f->net), 1);
	}
	assert_int_equal(stat_of(f, 0, IP_STAT_ICMP_ECHO_LIMITED), 400 - sent);
}

static void test_no_buffer_for_an_error(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr("10.0.0.1")};
	struct rte_mbuf *m = fake_frame_ipv4(&f->net->pools[0], &frame, PROTO_GRE, "x", 1);
	struct rte_mbuf *held[4096];
	uint32_t n = 0;

	while (n < ARRAY_LEN(held) && (held[n] = rte_pktmbuf_alloc(f->net->pools[0].data)) != NULL)
		n++;
	fake_net_receive(f->net, m);
	assert_int_equal(stat_of(f, 0, IP_STAT_NO_BUFFER), 1);
	rte_pktmbuf_free_bulk(held, n);
	expect_nothing(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_echo),
		IP_TEST(test_ignored_types),
		IP_TEST(test_errors_reach_the_protocol),
		IP_TEST(test_bad_quotes),
		IP_TEST(test_error_nobody_wants),
		cmocka_unit_test_setup_teardown(test_errors_find_the_core, setup_three, teardown),
		IP_TEST(test_protocol_unreachable),
		IP_TEST(test_quotes_are_cut),
		IP_TEST(test_rate_limit),
		IP_TEST(test_echo_limit),
		IP_TEST(test_no_buffer_for_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
