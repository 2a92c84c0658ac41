/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "wire.h"

#define MACS "\x02\x00\x00\x00\x00\x01\x52\x54\x00\x12\x34\x56"

struct row {
	const char *what;
	struct bytes in;
	enum wire_verdict verdict;
	uint16_t type, vlan;
	size_t len_bytes;
};

static void ether_rows(void **state)
{
	static const struct row rows[] = {
		{"untagged", {MACS "\x08\x00", 14}, WIRE_OK, 0x0800, 0, 14},
		{"tagged", {MACS "\x81\x00\x00\x64\x86\xdd", 18}, WIRE_OK, 0x86dd, 100, 18},
		{"largest id", {MACS "\x81\x00\x0f\xfe\x08\x06", 18}, WIRE_OK, 0x0806, 4094, 18},
		{"802.3 length", {MACS "\x00\x26", 14}, WIRE_OK, 0x0026, 0, 14},
	};
	uint8_t out[18];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint8_t *p = (const uint8_t *)rows[i].in.ptr;
		struct wire_ether h;

		assert_int_equal(wire_ether_parse(p, rows[i].in.len, &h), rows[i].verdict);
		assert_int_equal(h.type, rows[i].type);
		assert_int_equal(h.vlan, rows[i].vlan);
		assert_int_equal(h.len_bytes, rows[i].len_bytes);
		assert_int_equal(wire_ether_emit(out, &h), h.len_bytes);
		assert_memory_equal(out, p, h.len_bytes);
		for (size_t len = 0; len < h.len_bytes; len++)
			assert_int_equal(wire_ether_parse(p, len, &h), WIRE_SHORT);
	}
}

static void odd_tags(void **state)
{
	static const struct row rows[] = {
		{"priority only", {MACS "\x81\x00\xe0\x00\x08\x00", 18}, WIRE_OK, 0x0800, 0, 18},
		{"priority is dropped", {MACS "\x81\x00\xf0\x07\x08\x00", 18}, WIRE_OK, 0x0800, 7,
			18},
		{"reserved id", {MACS "\x81\x00\x0f\xff\x08\x00", 18}, WIRE_MALFORMED, 0x0800, 4095,
			18},
		{"a service tag", {MACS "\x88\xa8\x00\x01\x08\x00", 18}, WIRE_UNSUPPORTED, 0x88a8,
			0, 14},
		{"a service tag inside", {MACS "\x81\x00\x00\x01\x88\xa8", 18}, WIRE_UNSUPPORTED,
			0x88a8, 1, 18},
		{"two tags", {MACS "\x81\x00\x00\x01\x81\x00", 18}, WIRE_UNSUPPORTED, 0x8100, 1,
			18},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_ether h;

		assert_int_equal(
			wire_ether_parse((const uint8_t *)rows[i].in.ptr, rows[i].in.len, &h),
			rows[i].verdict);
		assert_int_equal(h.type, rows[i].type);
		assert_int_equal(h.vlan, rows[i].vlan);
		assert_int_equal(h.len_bytes, rows[i].len_bytes);
	}
}

static void macs(void **state)
{
	static const struct {
		struct wire_mac mac;
		bool multicast;
		const char *text;
	} rows[] = {
		{{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, true, "ff:ff:ff:ff:ff:ff"},
		{{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}}, true, "01:00:5e:00:00:12"},
		{{{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}}, true, "33:33:00:00:00:01"},
		{{{0x52, 0x54, 0x00, 0x0a, 0xb0, 0x01}}, false, "52:54:00:0a:b0:01"},
	};
	char buf[WIRE_MAC_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(wire_mac_is_multicast(&rows[i].mac), rows[i].multicast);
		assert_string_equal(wire_mac_format(&rows[i].mac, buf), rows[i].text);
	}
}

static const uint8_t arp_request[WIRE_ARP_BYTES] = {
	0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 1, 2, 3, 10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 10, 9, 0, 2};

static void arp_round_trips(void **state)
{
	uint8_t out[WIRE_ARP_BYTES];
	struct wire_arp h;

	(void)state;
	assert_int_equal(wire_arp_parse(arp_request, sizeof(arp_request), &h), WIRE_OK);
	assert_int_equal(h.op, WIRE_ARP_REQUEST);
	assert_memory_equal(h.sender_mac.b, "\x52\x54\x00\x01\x02\x03", 6);
	assert_int_equal(ip_addr_to_v4(&h.sender), 0x0a090001);
	assert_int_equal(ip_addr_to_v4(&h.target), 0x0a090002);
	assert_int_equal(wire_arp_emit(out, &h), WIRE_ARP_BYTES);
	assert_memory_equal(out, arp_request, WIRE_ARP_BYTES);
}

static void arp_of_other_kinds(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum wire_verdict verdict;
	} rows[] = {
		{7, 2, WIRE_OK},
		{1, 6, WIRE_UNSUPPORTED},    /* hardware: IEEE 802 */
		{2, 0x86, WIRE_UNSUPPORTED}, /* protocol */
		{4, 8, WIRE_MALFORMED},
		{5, 16, WIRE_MALFORMED},
		{7, 3, WIRE_UNSUPPORTED}, /* RARP */
		{6, 1, WIRE_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[WIRE_ARP_BYTES];
		struct wire_arp h;

		memcpy(in, arp_request, sizeof(in));
		in[rows[i].at] = rows[i].value;
		assert_int_equal(wire_arp_parse(in, sizeof(in), &h), rows[i].verdict);
		assert_int_equal(wire_arp_parse(in, sizeof(in) - 1, &h), WIRE_SHORT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ether_rows),
		cmocka_unit_test(odd_tags),
		cmocka_unit_test(macs),
		cmocka_unit_test(arp_round_trips),
		cmocka_unit_test(arp_of_other_kinds),
	};

	return cmocka_run_group_tests_name("wire/ether", tests, NULL, NULL);
}
