/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "wire.h"

/* A UDP packet of 115 bytes from 192.168.0.1 to 192.168.0.199. */
static const uint8_t sample[WIRE_IPV4_BYTES_MIN] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00,
	0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

static void sample_round_trips(void **state)
{
	uint8_t out[WIRE_IPV4_BYTES_MIN];
	struct wire_ipv4 h;

	(void)state;
	assert_int_equal(wire_ipv4_parse(sample, 115, false, &h), WIRE_OK);
	assert_int_equal(ip_addr_to_v4(&h.src), 0xc0a80001);
	assert_int_equal(ip_addr_to_v4(&h.dst), 0xc0a800c7);
	assert_int_equal(h.total_bytes, 115);
	assert_int_equal(h.header_bytes, 20);
	assert_int_equal(h.ttl, 64);
	assert_int_equal(h.proto, WIRE_PROTO_UDP);
	assert_true(h.dont_fragment);
	assert_false(h.more_fragments);
	assert_int_equal(h.fragment_off_bytes, 0);
	assert_int_equal(wire_ipv4_emit(out, &h), sizeof(out));
	assert_memory_equal(out, sample, sizeof(out));
}

struct change {
	size_t at;
	uint8_t value;
};

static void changed_headers(void **state)
{
	static const struct {
		const char *what;
		struct change change[3];
		size_t len;
		enum wire_verdict verdict;
	} rows[] = {
		{"longer than given", {{0}}, 114, WIRE_SHORT},
		{"padding after it", {{0}}, 200, WIRE_OK},
		{"no header", {{0}}, 19, WIRE_SHORT},
		{"version 6", {{0, 0x65}}, 115, WIRE_MALFORMED},
		{"header of 16", {{0, 0x44}}, 115, WIRE_MALFORMED},
		{"options", {{0, 0x46}}, 115, WIRE_OK},
		{"header past the total", {{0, 0x4f}, {3, 59}}, 115, WIRE_MALFORMED},
		{"header is all", {{3, 20}}, 115, WIRE_OK},
		{"total below header", {{3, 19}}, 115, WIRE_MALFORMED},
		{"first fragment", {{6, 0x20}, {3, 100}}, 115, WIRE_OK},
		{"fragment off 8", {{6, 0x20}, {3, 101}}, 115, WIRE_MALFORMED},
		{"fragment of nothing", {{6, 0x20}, {3, 20}}, 115, WIRE_MALFORMED},
		{"last fragment", {{6, 0x00}, {7, 0x10}}, 115, WIRE_OK},
		{"ends past 65535", {{6, 0x1f}, {7, 0xff}}, 115, WIRE_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[WIRE_IPV4_BYTES_MAX] = {0};
		struct wire_ipv4 h;

		memcpy(in, sample, sizeof(sample));
		for (size_t k = 0; k < 3; k++)
			if (rows[i].change[k].value || rows[i].change[k].at)
				in[rows[i].change[k].at] = rows[i].change[k].value;
		if (wire_ipv4_parse(in, rows[i].len, true, &h) != rows[i].verdict)
			fail_msg("%s", rows[i].what);
	}
}

static void fragment_fields(void **state)
{
	struct wire_ipv4 h = {.src = ip_addr_from_v4(1),
				 .dst = ip_addr_from_v4(2),
				 .total_bytes = 28,
				 .fragment_off_bytes = 1480,
				 .more_fragments = true,
				 .id = 0xbeef,
				 .ttl = 1,
				 .tos = 0xb8,
				 .proto = 6},
			 back;
	uint8_t out[WIRE_IPV4_BYTES_MIN];

	(void)state;
	assert_int_equal(wire_ipv4_emit(out, &h), 20);
	assert_int_equal(wire_ipv4_parse(out, 28, false, &back), WIRE_OK);
	assert_int_equal(back.fragment_off_bytes, 1480);
	assert_true(back.more_fragments);
	assert_false(back.dont_fragment);
	assert_int_equal(back.id, 0xbeef);
	assert_int_equal(back.tos, 0xb8);
}

static void every_broken_bit_fails_the_checksum(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < sizeof(sample) * 8; bit++) {
		uint8_t in[WIRE_IPV4_BYTES_MAX] = {0};
		struct wire_ipv4 h;

		memcpy(in, sample, sizeof(sample));
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(wire_ipv4_parse(in, 65535, false, &h), WIRE_OK);
	}
}

static void udp_rows(void **state)
{
	static const struct {
		uint8_t in[8];
		size_t len;
		enum wire_verdict verdict;
	} rows[] = {
		{{0xe1, 0x15, 0, 53, 0, 8, 0x12, 0x34}, 8, WIRE_OK},
		{{0xe1, 0x15, 0, 53, 0, 9, 0x12, 0x34}, 20, WIRE_OK},
		{{0xe1, 0x15, 0, 53, 0, 9, 0x12, 0x34}, 8, WIRE_SHORT},
		{{0xe1, 0x15, 0, 53, 0, 7, 0x12, 0x34}, 8, WIRE_MALFORMED},
		{{0xe1, 0x15, 0, 53, 0, 8, 0x12, 0x34}, 7, WIRE_SHORT},
	};
	uint8_t out[WIRE_UDP_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_udp h;

		assert_int_equal(wire_udp_parse(rows[i].in, rows[i].len, &h), rows[i].verdict);
		if (rows[i].verdict != WIRE_OK)
			continue;
		assert_int_equal(h.src_port, 57621);
		assert_int_equal(h.dst_port, 53);
		assert_int_equal(wire_udp_emit(out, &h), WIRE_UDP_BYTES);
		assert_memory_equal(out, rows[i].in, WIRE_UDP_BYTES);
	}
}

static void icmp_round_trips(void **state)
{
	static const uint8_t echo[WIRE_ICMP_BYTES] = {8, 0, 0x4d, 0x5a, 0x00, 0x01, 0x00, 0x02};
	uint8_t out[WIRE_ICMP_BYTES];
	struct wire_icmp h;

	(void)state;
	assert_int_equal(wire_icmp_parse(echo, sizeof(echo), &h), WIRE_OK);
	assert_int_equal(h.type, WIRE_ICMP_ECHO);
	assert_int_equal(h.rest, 0x00010002);
	assert_int_equal(wire_icmp_emit(out, &h), WIRE_ICMP_BYTES);
	assert_memory_equal(out, echo, sizeof(echo));
	assert_int_equal(wire_icmp_parse(echo, 7, &h), WIRE_SHORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_round_trips),
		cmocka_unit_test(changed_headers),
		cmocka_unit_test(fragment_fields),
		cmocka_unit_test(every_broken_bit_fails_the_checksum),
		cmocka_unit_test(udp_rows),
		cmocka_unit_test(icmp_round_trips),
	};

	return cmocka_run_group_tests_name("wire/ipv4", tests, NULL, NULL);
}
