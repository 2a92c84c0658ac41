/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is special about fragments of IPv6; the rest is in test_reasm.c. The part behind the
 * fragment header follows a pattern that begins with a header of TCP, or of something else.
 */
#include "fixture6.h"

struct fragment {
	uint16_t off, len;
	bool more;
	uint8_t next; /* 0: TCP */
	uint8_t tos;
	bool options; /* a header of destination options in front of the fragment header */
	uint32_t id;
};

/* Bytes of the pattern from `off` on, in a frame. */
static void receive(struct machine *m, const struct fragment *s)
{
	static const uint8_t options[8] = {WIRE_PROTO_FRAGMENT, 0, 1, 4};
	struct wire_ether ether = {fake_mac_port, fake_mac_peer, WIRE_ETHERTYPE_IPV6, 0, 0};
	struct wire_ipv6_fragment fragment = {.id = s->id != 0 ? s->id : 77,
		.off_bytes = s->off,
		.next = s->next != 0 ? s->next : WIRE_PROTO_TCP,
		.more = s->more};
	uint16_t before = s->options ? sizeof(options) : 0;
	struct wire_ipv6 h = {.src = peer,
		.dst = us,
		.payload_bytes = (uint16_t)(before + WIRE_IPV6_FRAGMENT_BYTES + s->len),
		.tos = s->tos,
		.ttl = 255,
		.next = s->options ? WIRE_PROTO_DESTINATION : WIRE_PROTO_FRAGMENT};
	struct rte_mbuf *frame = pkt_alloc(&m->pools);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(
		frame, (uint16_t)(WIRE_ETHER_BYTES + WIRE_IPV6_BYTES + h.payload_bytes));

	assert_non_null(p);
	p += wire_ether_emit(p, &ether);
	p += wire_ipv6_emit(p, &h);
	memcpy(p, options, before);
	p += before;
	p += wire_ipv6_fragment_emit(p, &fragment);
	memcpy(p, m->part + s->off, s->len);
	fake_port_receive(&m->port, frame);
	fake_workers_settle(m->f);
}

/* TCP got the part from byte `off` to `end`, behind headers of a whole packet. */
static void expect_whole(struct machine *m, uint32_t off, uint32_t end)
{
	const struct rte_mbuf *got = m->packet.m;
	static uint8_t copy[PART_MAX];
	struct wire_ipv6_chain chain;
	struct wire_ipv6 h;
	const uint8_t *p;

	assert_int_equal(m->count, 1);
	assert_int_equal(got->pkt_len, end - off);
	assert_memory_equal(rte_pktmbuf_read(got, 0, end - off, copy), m->part + off, end - off);
	assert_false(m->packet.l4_checksum_ok);
	p = rte_pktmbuf_mtod(got, const uint8_t *) - got->l3_len;
	assert_int_equal(wire_ipv6_parse(p, PART_MAX + 100, &h), WIRE_OK);
	assert_int_equal(h.payload_bytes, got->l3_len - WIRE_IPV6_BYTES + got->pkt_len);
	assert_int_equal(h.tos, m->packet.tos);
	assert_int_equal(wire_ipv6_walk(p, (size_t)got->l3_len + 60, &h, &chain), WIRE_OK);
	assert_int_equal(chain.fragment.at, 0);
	assert_int_equal(chain.proto, WIRE_PROTO_TCP);
	assert_memory_equal(p - WIRE_ETHER_BYTES, &fake_mac_port, sizeof(fake_mac_port));
	pkt_free(m->packet.m);
	m->count = 0;
}

static void test_whole(void **state)
{
	static const struct fragment rows[][3] = {
		{{0, 1448, true}, {1448, 1448, true}, {2896, 100, false}},
		{{2896, 100, false, .next = WIRE_PROTO_UDP}, {1448, 1448, true},
			{0, 1448, true}}, /* RFC 8200 4.5: the first one's next header counts */
		{{1448, 1448, true, .options = true}, {0, 1448, true, .options = true},
			{2896, 100, false, .options = true}},
		{{0, 1448, true, .tos = 0x22}, {1448, 1448, true, .tos = 0x23},
			{2896, 100, false, .tos = 0x22}},
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < ARRAY_LEN(rows[i]); j++)
			receive(m, &rows[i][j]);
		assert_int_equal(m->packet.tos, i == 3 ? 0x23 : 0);
		expect_whole(m, 0, 2996);
	}
	assert_int_equal(stat_of(m, IP_STAT_RX_REASSEMBLED), ARRAY_LEN(rows));
}

/* Headers between the fragment header and TCP belong to the part that is cut. */
static void test_options_behind(void **state)
{
	static const uint8_t options[8] = {WIRE_PROTO_TCP, 0, 1, 4};
	static const struct fragment first = {0, 1448, true, .next = WIRE_PROTO_DESTINATION},
				     last = {1448, 96, false, .next = WIRE_PROTO_DESTINATION};
	struct machine *m = *state;

	memmove(m->part + 8, m->part, 2000);
	memcpy(m->part, options, sizeof(options));
	receive(m, &last);
	receive(m, &first);
	expect_whole(m, 8, 1544);
}

/* RFC 6946: whole at once, whatever else has its identification. */
static void test_atomic(void **state)
{
	static const struct fragment other = {1448, 1448, true}, atomic = {0, 100, false};
	struct machine *m = *state;

	receive(m, &other);
	receive(m, &atomic);
	assert_int_equal(m->count, 1);
	assert_int_equal(m->packet.m->pkt_len, 100);
	pkt_free(m->packet.m);
	assert_int_equal(stat_of(m, IP_STAT_RX_FRAGMENT), 1);
}

/* The largest payload is 65,535 bytes with the headers that stay. */
static void test_largest(void **state)
{
	struct machine *m = *state;
	struct fragment s = {.len = 1448, .more = true};

	for (; s.off + 1448u < 65535; s.off = (uint16_t)(s.off + 1448))
		receive(m, &s);
	s.len = (uint16_t)(65535 - s.off);
	s.more = false;
	receive(m, &s);
	expect_whole(m, 0, 65535);
}

/* A fragment in fragments, neighbour discovery in fragments (RFC 6980), also in one. */
static void test_refused(void **state)
{
	static const struct fragment rows[][2] = {
		{{0, 1448, true, .next = WIRE_PROTO_FRAGMENT}, {0}},
		{{0, 1448, true, .next = WIRE_PROTO_ICMPV6}, {1448, 80, false}},
		{{0, 80, false, .next = WIRE_PROTO_ICMPV6}, {0}},
	};
	struct machine *m = *state;

	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t before = stat_of(m, IP_STAT_RX_EXTENSION);

		memset(m->part, 0, 40);
		m->part[0] = i == 0 ? WIRE_PROTO_TCP : WIRE_ICMP6_SOLICIT;
		m->part[3] = i == 0; /* more */
		receive(m, &rows[i][0]);
		if (rows[i][1].len > 0)
			receive(m, &rows[i][1]);
		assert_int_equal(stat_of(m, IP_STAT_RX_EXTENSION), before + 1);
		ip_neighbour_flush(m->ip); /* an ICMP error may wait there */
		discard(m);
		assert_int_equal(pkt_pools_used(&m->pools), 0);
	}
	assert_int_equal(m->count, 0);
}

static void test_overlap(void **state)
{
	static const struct fragment rows[] = {
		{0, 1448, true}, {1440, 100, false}, {1448, 92, false}};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		receive(m, &rows[i]);
	assert_int_equal(stat_of(m, IP_STAT_RX_FRAGMENT_OVERLAP), 1);
	assert_int_equal(stat_of(m, IP_STAT_RX_FRAGMENT_REFUSED), 1);
	assert_int_equal(m->count, 0);
	assert_int_equal(pkt_pools_used(&m->pools), 0);
}

/* The peer says where it is when asked. */
static void advertise(struct machine *m)
{
	struct wire_ether ether = {fake_mac_port, fake_mac_peer, WIRE_ETHERTYPE_IPV6, 0, 0};
	struct wire_ndp ndp = {
		.type = WIRE_ICMP6_ADVERT, .target = peer, .solicited = true, .override = true};
	uint8_t *p, buf[WIRE_NDP_BYTES_MAX];
	struct rte_mbuf *frame = pkt_alloc(&m->pools);
	struct wire_ipv6 h = {.src = peer, .dst = us, .ttl = 255, .next = WIRE_PROTO_ICMPV6};
	uint32_t sum;

	ndp.has_target_mac = true;
	ndp.target_mac = fake_mac_peer;
	h.payload_bytes = (uint16_t)wire_ndp_emit(buf, &ndp);
	sum = wire_checksum_pseudo(&peer, &us, WIRE_PROTO_ICMPV6, h.payload_bytes);
	store_be16(buf + 2, wire_checksum_fold(wire_checksum_add(sum, buf, h.payload_bytes)));
	p = (uint8_t *)rte_pktmbuf_append(
		frame, (uint16_t)(WIRE_ETHER_BYTES + WIRE_IPV6_BYTES + h.payload_bytes));
	p += wire_ether_emit(p, &ether);
	p += wire_ipv6_emit(p, &h);
	memcpy(p, buf, h.payload_bytes);
	fake_port_receive(&m->port, frame);
	fake_workers_settle(m->f);
}

/* Takes what was sent; puts it together into `out` if it is ICMPv6 of this type. */
static uint32_t sent_of_type(struct machine *m, uint8_t type, uint8_t *out, uint32_t *fragments)
{
	struct rte_mbuf *sent;
	uint32_t bytes = 0;

	*fragments = 0;
	while ((sent = fake_port_sent(&m->port)) != NULL) {
		static uint8_t copy[2048];
		const uint8_t *p = rte_pktmbuf_read(sent, 0, sent->pkt_len, copy);
		struct wire_ipv6_chain chain;
		struct wire_ipv6 h;

		p += WIRE_ETHER_BYTES;
		assert_int_equal(wire_ipv6_parse(p, sent->pkt_len - WIRE_ETHER_BYTES, &h), WIRE_OK);
		assert_int_equal(
			wire_ipv6_walk(p, sent->pkt_len - WIRE_ETHER_BYTES, &h, &chain), WIRE_OK);
		if (chain.fragment.off_bytes == 0 && p[chain.header_bytes] != type) {
			pkt_free(sent);
			continue;
		}
		*fragments += chain.fragment.at != 0;
		assert_int_equal(chain.fragment.off_bytes, bytes);
		memcpy(out + bytes, p + chain.header_bytes,
			WIRE_IPV6_BYTES + h.payload_bytes - chain.header_bytes);
		bytes += WIRE_IPV6_BYTES + h.payload_bytes - chain.header_bytes;
		pkt_free(sent);
	}
	return bytes;
}

static void test_echo(void **state)
{
	struct machine *m = *state;
	struct wire_icmp h = {.type = WIRE_ICMP6_ECHO, .rest = 5};
	struct fragment s = {.len = 1448, .more = true, .next = WIRE_PROTO_ICMPV6};
	static uint8_t got[PART_MAX];
	uint32_t sum = wire_checksum_pseudo(&us, &peer, WIRE_PROTO_ICMPV6, 4000), fragments;

	wire_icmp_emit(m->part, &h);
	h.checksum = wire_checksum_fold(wire_checksum_add(sum, m->part, 4000));
	wire_icmp_emit(m->part, &h);
	for (; s.off < 4000; s.off = (uint16_t)(s.off + 1448)) {
		s.len = (uint16_t)MIN(1448, 4000 - s.off);
		s.more = s.off + s.len < 4000;
		receive(m, &s);
	}
	discard(m);
	advertise(m);
	assert_int_equal(sent_of_type(m, WIRE_ICMP6_ECHO_REPLY, got, &fragments), 4000);
	assert_int_equal(fragments, 3);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(sum, got, 4000)), 0);
	assert_memory_equal(got + 8, m->part + 8, 3992);
}

/* RFC 8200 4.5: time exceeded, fragment reassembly time exceeded. */
static void test_timeout(void **state)
{
	static const struct fragment first = {0, 1448, true};
	struct machine *m = *state;
	static uint8_t got[PART_MAX];
	uint32_t fragments, bytes;

	receive(m, &first);
	fake_workers_run_for(m->f, 31 * NS_PER_SEC);
	discard(m);
	advertise(m);
	bytes = sent_of_type(m, WIRE_ICMP6_TIME_EXCEEDED, got, &fragments);
	assert_true(bytes > 8 + WIRE_IPV6_BYTES + WIRE_IPV6_FRAGMENT_BYTES + 8);
	assert_int_equal(got[1], 1);
	assert_int_equal(got[8 + WIRE_IPV6_NEXT_AT], WIRE_PROTO_FRAGMENT);
	assert_int_equal(stat_of(m, IP_STAT_RX_FRAGMENT_TIMEOUT), 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_whole),
		CASE(test_options_behind),
		CASE(test_atomic),
		CASE(test_largest),
		CASE(test_refused),
		CASE(test_overlap),
		CASE(test_echo),
		CASE(test_timeout),
	};

	return cmocka_run_group_tests_name("ip/reasm6", tests, NULL, NULL);
}
