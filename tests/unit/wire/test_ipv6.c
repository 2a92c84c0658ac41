/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "wire_ipv6.h"

#define TCP 6
#define UDP 17

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(bytes_of_cstr(text), &a));
	return a;
}

static void header_round_trips(void **state)
{
	static const uint8_t sample[WIRE_IPV6_BYTES] = {0x6b, 0x80, 0x00, 0x00, 0x00, 0x14, 0x06,
		0x40, 0xfd, 0x00, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfe, 0x80, 0, 0, 0, 0,
		0, 0, 2, 0, 0, 0xff, 0xfe, 0, 0, 2};
	uint8_t out[WIRE_IPV6_BYTES];
	struct wire_ipv6 h;

	(void)state;
	assert_int_equal(wire_ipv6_parse(sample, 60, &h), WIRE_OK);
	assert_int_equal(h.tos, 0xb8);
	assert_int_equal(h.payload_bytes, 20);
	assert_int_equal(h.next, TCP);
	assert_int_equal(h.ttl, 64);
	assert_true(ip_addr_eq(&h.src, &(struct ip_addr){{0xfd, 0, 0, 9, [15] = 1}}));
	assert_int_equal(wire_ipv6_emit(out, &h), sizeof(out));
	assert_memory_equal(out, sample, sizeof(out));
	h.dst = ip_addr_with_zone(&h.dst, 7);
	wire_ipv6_emit(out, &h);
	assert_memory_equal(out, sample, sizeof(out));
	assert_int_equal(wire_ipv6_parse(sample, 80, &h), WIRE_OK);
	assert_int_equal(wire_ipv6_parse(sample, 59, &h), WIRE_SHORT);
	assert_int_equal(wire_ipv6_parse(sample, 39, &h), WIRE_SHORT);
	out[0] = 0x45;
	assert_int_equal(wire_ipv6_parse(out, 60, &h), WIRE_MALFORMED);
}

/* The payload of a packet, and what the walk makes of it. Offsets count from the IPv6 header. */
struct row {
	const char *what;
	uint8_t next;
	uint8_t payload[96];
	uint16_t payload_bytes;
	uint16_t cut; /* bytes that do not lie in the first piece */
	enum wire_verdict verdict;
	uint8_t proto;
	uint16_t header_bytes, next_at;
	bool tell, tell_of_group;
	uint8_t tell_code;
	uint16_t tell_at;
};

#define PAD6           1, 4, 0, 0, 0, 0
#define HEAD(n)        (n), 0
#define TELL(code, at) .tell = true, .tell_code = WIRE_ICMP6_PARAMETER_##code, .tell_at = (at)

static const struct row rows[] = {
	{"no extension", TCP, {0}, 20, .proto = TCP, .header_bytes = 40, .next_at = 6},
	{"a protocol that nobody knows", 200, {0}, 0, .proto = 200, .header_bytes = 40,
		.next_at = 6},
	{"nothing follows", 59, {0}, 5, .proto = 59, .header_bytes = 40, .next_at = 6},
	{"hop-by-hop", 0, {HEAD(TCP), PAD6}, 28, .proto = TCP, .header_bytes = 48, .next_at = 40},
	{"hop-by-hop of 16", 0, {TCP, 1, 1, 12}, 36, .proto = TCP, .header_bytes = 56,
		.next_at = 40},
	{"one byte of padding, six times", 60, {HEAD(TCP)}, 28, .proto = TCP, .header_bytes = 48,
		.next_at = 40},
	{"router alert", 0, {HEAD(58), 5, 2, 0, 0, 1, 0}, 20, .proto = 58, .header_bytes = 48,
		.next_at = 40},
	{"all of them", 0,
		{HEAD(60), PAD6, HEAD(43), PAD6, 44, 0, 4, 0, 0, 0, 0, 0, HEAD(60), 0, 0, 0, 9, 0,
			7, HEAD(UDP), PAD6},
		48, .proto = UDP, .header_bytes = 80, .next_at = 72},
	{"hop-by-hop is not the first", 60, {HEAD(0), PAD6, HEAD(TCP), PAD6}, 36,
		.verdict = WIRE_MALFORMED, .proto = 0, .header_bytes = 48, .next_at = 40,
		TELL(NEXT, 40)},
	{"routing, segments left", 43, {HEAD(TCP), 0, 1}, 28, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40, TELL(FIELD, 42)},
	{"routing of a type of tomorrow", 43, {HEAD(TCP), 99, 2}, 28, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40, TELL(FIELD, 42)},
	{"unknown option to skip", 60, {HEAD(TCP), 0x1e, 4}, 28, .proto = TCP, .header_bytes = 48,
		.next_at = 40},
	{"unknown option to discard", 60, {HEAD(TCP), 0x5e, 4}, 28, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40},
	{"unknown option to tell of", 60, {HEAD(TCP), 0x9e, 4}, 28, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40, TELL(OPTION, 42),
		.tell_of_group = true},
	{"unknown option to tell of, but of groups", 60, {HEAD(TCP), 0, 0xde, 3}, 28,
		.verdict = WIRE_MALFORMED, .proto = TCP, .header_bytes = 48, .next_at = 40,
		TELL(OPTION, 43)},
	{"jumbogram", 0, {HEAD(TCP), 0xc2, 4, 0, 1, 0, 0}, 28, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40, TELL(OPTION, 42)},
	{"the first fault counts", 60, {HEAD(43), 0x5e, 4, 0, 0, 0, 0, HEAD(TCP), 0, 1}, 36,
		.verdict = WIRE_MALFORMED, .proto = TCP, .header_bytes = 56, .next_at = 48},
	{"option past its header", 60, {HEAD(TCP), 0x1e, 5}, 28, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40},
	{"option without a length", 60, {HEAD(TCP), 1, 3, 0, 0, 0, 0x1e}, 28,
		.verdict = WIRE_MALFORMED, .proto = TCP, .header_bytes = 48, .next_at = 40},
	{"header past the packet", 60, {TCP, 3}, 24, .verdict = WIRE_SHORT, .proto = 60,
		.header_bytes = 40, .next_at = 6},
	{"header of 4 bytes", 60, {HEAD(TCP)}, 4, .verdict = WIRE_SHORT, .proto = 60,
		.header_bytes = 40, .next_at = 6},
	{"header in the second piece", 60, {HEAD(TCP), PAD6}, 28, .cut = 24, .verdict = WIRE_SHORT,
		.proto = 60, .header_bytes = 40, .next_at = 6},
	{"whole fragment", 44, {HEAD(TCP)}, 28, .proto = TCP, .header_bytes = 48, .next_at = 40},
	{"first fragment", 44, {HEAD(UDP), 0, 1}, 24, .proto = UDP, .header_bytes = 48,
		.next_at = 40},
	{"first fragment of TCP with options", 44, {HEAD(TCP), 0, 1, [8 + 12] = 0x60}, 32,
		.proto = TCP, .header_bytes = 48, .next_at = 40},
	{"first fragment without the options", 44, {HEAD(TCP), 0, 1, [8 + 12] = 0x70}, 32,
		.verdict = WIRE_MALFORMED, .proto = TCP, .header_bytes = 48, .next_at = 40,
		TELL(CHAIN, 0)},
	{"first fragment with half a header", 44, {HEAD(TCP), 0, 1}, 24, .verdict = WIRE_MALFORMED,
		.proto = TCP, .header_bytes = 48, .next_at = 40, TELL(CHAIN, 0)},
	{"first fragment ends in a header", 44, {HEAD(60), 0, 1, [8] = TCP, 5}, 24,
		.verdict = WIRE_MALFORMED, .proto = 60, .header_bytes = 48, .next_at = 40,
		TELL(CHAIN, 0)},
	{"later fragment", 44, {HEAD(60), 0, 8}, 13, .proto = 60, .header_bytes = 48,
		.next_at = 40},
	{"fragment off 8", 44, {HEAD(UDP), 0, 1}, 25, .verdict = WIRE_MALFORMED, .proto = UDP,
		.header_bytes = 48, .next_at = 40, TELL(FIELD, 4)},
	{"fragment of nothing", 44, {HEAD(UDP), 0, 9}, 8, .verdict = WIRE_MALFORMED, .proto = UDP,
		.header_bytes = 48, .next_at = 40},
	{"fragment that ends past 65535", 44, {HEAD(UDP), 0xff, 0xf8}, 24,
		.verdict = WIRE_MALFORMED, .proto = UDP, .header_bytes = 48, .next_at = 40,
		TELL(FIELD, 42)},
	{"fragment that ends at 65535", 44, {HEAD(UDP), 0xff, 0xf8}, 15, .proto = UDP,
		.header_bytes = 48, .next_at = 40},
	{"fragment of a fragment", 44, {HEAD(44), 0, 0, 0, 0, 0, 0, HEAD(UDP)}, 24,
		.verdict = WIRE_MALFORMED, .proto = UDP, .header_bytes = 56, .next_at = 48},
	{"eight headers", 60,
		{HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6,
			HEAD(60), PAD6, HEAD(60), PAD6, HEAD(TCP), PAD6},
		84, .proto = TCP, .header_bytes = 104, .next_at = 96},
	{"nine headers", 60,
		{HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6,
			HEAD(60), PAD6, HEAD(60), PAD6, HEAD(60), PAD6, HEAD(TCP), PAD6},
		92, .verdict = WIRE_MALFORMED, .proto = 60, .header_bytes = 104, .next_at = 96},
	{"nine options", 60,
		{TCP, 2, [2] = 0x1e, [4] = 0x1e, [6] = 0x1e, [8] = 0x1e, [10] = 0x1e, [12] = 0x1e,
			[14] = 0x1e, [16] = 0x1e, [18] = 0x1e},
		44, .verdict = WIRE_MALFORMED, .proto = TCP, .header_bytes = 64, .next_at = 40},
};

static void expect(const struct row *r, bool right, const char *what)
{
	if (!right)
		fail_msg("%s: %s", r->what, what);
}

static void walks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct wire_ipv6 h = {.payload_bytes = r->payload_bytes, .next = r->next, .ttl = 1};
		uint8_t in[WIRE_IPV6_BYTES + sizeof(r->payload)];
		struct wire_ipv6_chain c;
		size_t len = WIRE_IPV6_BYTES + (size_t)r->payload_bytes - r->cut;

		wire_ipv6_emit(in, &h);
		memcpy(in + WIRE_IPV6_BYTES, r->payload, sizeof(r->payload));
		expect(r, wire_ipv6_walk(in, len, &h, &c) == r->verdict, "verdict");
		expect(r, c.proto == r->proto, "proto");
		expect(r, c.header_bytes == r->header_bytes, "header_bytes");
		expect(r, c.next_at == r->next_at, "next_at");
		expect(r, c.tell == r->tell, "tell");
		expect(r, c.tell_of_group == r->tell_of_group, "tell_of_group");
		expect(r, c.tell_code == r->tell_code, "tell_code");
		expect(r, c.tell_at == r->tell_at, "tell_at");
	}
}

/* 32 headers would fit one of 256 bytes; two that are longer together do not. */
static void long_headers_are_refused(void **state)
{
	uint8_t in[WIRE_IPV6_BYTES + 300] = {0};
	struct wire_ipv6 h = {.payload_bytes = 300, .next = WIRE_PROTO_DESTINATION};
	struct wire_ipv6_chain c;

	(void)state;
	in[40] = TCP;
	in[41] = 31;
	in[42] = 1; /* one option of padding */
	in[43] = 252;
	assert_int_equal(wire_ipv6_walk(in, sizeof(in), &h, &c), WIRE_OK);
	assert_int_equal(c.header_bytes, 296);
	in[41] = 32;
	assert_int_equal(wire_ipv6_walk(in, sizeof(in), &h, &c), WIRE_MALFORMED);
	assert_false(c.tell);
}

static void fragment_fields(void **state)
{
	struct wire_ipv6_fragment f = {
		.id = 0xdeadbeef, .off_bytes = 1448, .next = UDP, .more = true};
	struct wire_ipv6 h = {.payload_bytes = 16, .next = WIRE_PROTO_FRAGMENT};
	uint8_t in[WIRE_IPV6_BYTES + 16] = {0};
	struct wire_ipv6_chain c;

	(void)state;
	assert_int_equal(wire_ipv6_fragment_emit(in + WIRE_IPV6_BYTES, &f), 8);
	assert_int_equal(wire_ipv6_walk(in, sizeof(in), &h, &c), WIRE_OK);
	assert_int_equal(c.fragment.at, WIRE_IPV6_BYTES);
	assert_int_equal(c.fragment.next_at, WIRE_IPV6_NEXT_AT);
	assert_int_equal(c.fragment.id, f.id);
	assert_int_equal(c.fragment.off_bytes, f.off_bytes);
	assert_int_equal(c.fragment.next, f.next);
	assert_true(c.fragment.more);
}

static void router_alert_is_told(void **state)
{
	struct wire_ipv6 h = {.payload_bytes = 8, .next = WIRE_PROTO_HOP_BY_HOP};
	uint8_t in[WIRE_IPV6_BYTES + 8] = {0};
	struct wire_ipv6_chain c;

	(void)state;
	assert_int_equal(wire_ipv6_router_alert_emit(in + WIRE_IPV6_BYTES, 58), 8);
	assert_int_equal(wire_ipv6_walk(in, sizeof(in), &h, &c), WIRE_OK);
	assert_int_equal(c.proto, 58);
	assert_true(c.router_alert);
	in[WIRE_IPV6_BYTES + 5] = 1; /* for another protocol */
	assert_int_equal(wire_ipv6_walk(in, sizeof(in), &h, &c), WIRE_OK);
	assert_false(c.router_alert);
	in[WIRE_IPV6_BYTES + 5] = 0;
	h.next = WIRE_PROTO_DESTINATION; /* where no router looks */
	assert_int_equal(wire_ipv6_walk(in, sizeof(in), &h, &c), WIRE_OK);
	assert_false(c.router_alert);
}

static void addresses_made_of_others(void **state)
{
	static const struct wire_mac mac = {{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};
	static const struct wire_mac group_mac = {{0x33, 0x33, 0xff, 0x33, 0x44, 0x55}};
	struct ip_addr a = wire_ipv6_link_local(&mac), expected = addr("fe80::11:22ff:fe33:4455");
	struct wire_mac got;

	(void)state;
	assert_true(ip_addr_eq(&a, &expected));
	a = wire_ipv6_solicited_node(&a);
	expected = addr("ff02::1:ff33:4455");
	assert_true(ip_addr_eq(&a, &expected));
	got = wire_ipv6_group_mac(&a);
	assert_memory_equal(&got, &group_mac, sizeof(got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_round_trips),
		cmocka_unit_test(walks),
		cmocka_unit_test(long_headers_are_refused),
		cmocka_unit_test(fragment_fields),
		cmocka_unit_test(router_alert_is_told),
		cmocka_unit_test(addresses_made_of_others),
	};

	return cmocka_run_group_tests_name("wire/ipv6", tests, NULL, NULL);
}
