/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "wire_ipv6.h"

static const struct wire_mac mac = {{2, 0, 0, 0, 0, 7}};

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(bytes_of_cstr(text), &a));
	return a;
}

static void messages_round_trip(void **state)
{
	const struct wire_ndp rows[] = {
		{.type = WIRE_ICMP6_ROUTER_SOLICIT, .has_source_mac = true, .source_mac = mac},
		{.type = WIRE_ICMP6_SOLICIT, .target = addr("fd00::1")},
		{.type = WIRE_ICMP6_SOLICIT,
			.checksum = 0x1234,
			.target = addr("fe80::1"),
			.has_source_mac = true,
			.source_mac = mac},
		{.type = WIRE_ICMP6_ADVERT,
			.target = addr("fd00::1"),
			.solicited = true,
			.override = true,
			.has_target_mac = true,
			.target_mac = mac},
		{.type = WIRE_ICMP6_ADVERT, .target = addr("fd00::1"), .router = true},
		{.type = WIRE_ICMP6_ROUTER_ADVERT,
			.hop_limit = 64,
			.managed = true,
			.other = true,
			.router_lifetime_s = 1800,
			.reachable_ms = 30000,
			.retransmit_ms = 1000,
			.has_source_mac = true,
			.source_mac = mac,
			.has_target_mac = true,
			.target_mac = mac,
			.has_mtu = true,
			.mtu = 1480,
			.has_prefix = true,
			.prefix = {addr("fd00:9::"), 64},
			.prefix_on_link = true,
			.prefix_autonomous = true,
			.prefix_valid_s = 86400,
			.prefix_preferred_s = 14400},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[WIRE_NDP_BYTES_MAX], again[WIRE_NDP_BYTES_MAX];
		size_t len = wire_ndp_emit(out, &rows[i]);
		struct wire_ndp h;

		assert_true(len <= sizeof(out));
		assert_int_equal(wire_ndp_parse(out, len, &h), WIRE_OK);
		assert_int_equal(wire_ndp_emit(again, &h), len);
		assert_memory_equal(out, again, len);
		assert_int_equal(h.type, rows[i].type);
		assert_true(ip_addr_eq(&h.target, &rows[i].target));
		assert_int_equal(h.has_source_mac, rows[i].has_source_mac);
		assert_int_equal(h.mtu, rows[i].mtu);
		assert_int_equal(h.prefix.bits, rows[i].prefix.bits);
		assert_int_equal(h.router_lifetime_s, rows[i].router_lifetime_s);
		assert_int_equal(wire_ndp_parse(out, len - 1, &h),
			rows[i].has_source_mac || rows[i].has_target_mac ? WIRE_MALFORMED
									 : WIRE_SHORT);
	}
}

static void zones_stay_home(void **state)
{
	struct wire_ndp h = {.type = WIRE_ICMP6_SOLICIT, .target = addr("fe80::1")};
	uint8_t out[WIRE_NDP_BYTES_MAX];
	struct wire_ndp back;
	size_t len;

	(void)state;
	h.target = ip_addr_with_zone(&h.target, 3);
	len = wire_ndp_emit(out, &h);
	assert_int_equal(wire_ndp_parse(out, len, &back), WIRE_OK);
	assert_int_equal(ip_addr_zone(&back.target), 0);
}

static void refused_messages(void **state)
{
	static const struct {
		const char *what;
		uint8_t in[40];
		size_t len;
		enum wire_verdict verdict;
	} rows[] = {
		{"solicitation", {135, [8] = 0xfd}, 24, WIRE_OK},
		{"no header", {135, [8] = 0xfd}, 7, WIRE_SHORT},
		{"no target", {135, [8] = 0xfd}, 23, WIRE_SHORT},
		{"code 1", {135, 1, [8] = 0xfd}, 24, WIRE_MALFORMED},
		{"target is a group", {136, [8] = 0xff}, 24, WIRE_MALFORMED},
		{"option of no length", {135, [8] = 0xfd, [24] = 1}, 32, WIRE_MALFORMED},
		{"option past the end", {135, [8] = 0xfd, [24] = 1, 2}, 32, WIRE_MALFORMED},
		{"half an option", {135, [8] = 0xfd, [24] = 1, 1}, 28, WIRE_MALFORMED},
		{"unknown option", {135, [8] = 0xfd, [24] = 99, 1}, 32, WIRE_OK},
		{"MAC of 14 bytes", {135, [8] = 0xfd, [24] = 1, 2}, 40, WIRE_OK},
		{"prefix of 129 bits", {134, [16] = 3, 4, 129}, 48 - 8, WIRE_MALFORMED},
		{"redirect", {137}, 40, WIRE_UNSUPPORTED},
		{"echo", {128}, 40, WIRE_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_ndp h;

		if (wire_ndp_parse(rows[i].in, rows[i].len, &h) != rows[i].verdict)
			fail_msg("%s", rows[i].what);
		assert_false(h.has_source_mac);
	}
}

static void the_first_option_counts(void **state)
{
	static const uint8_t in[40] = {
		135, [8] = 0xfd, [24] = 1, 1, 2, [31] = 1, [32] = 1, 1, 2, [39] = 2};
	struct wire_ndp h;

	(void)state;
	assert_int_equal(wire_ndp_parse(in, sizeof(in), &h), WIRE_OK);
	assert_int_equal(h.source_mac.b[5], 1);
}

static void queries(void **state)
{
	static const struct {
		const char *what;
		uint8_t in[32];
		size_t len;
		enum wire_verdict verdict;
		uint32_t response_ms;
		bool v1;
	} rows[] = {
		{"of version 1", {130, [4] = 0x90, 0x01}, 24, WIRE_OK, 0x9001, true},
		{"of version 2", {130, [4] = 0x27, 0x10}, 28, WIRE_OK, 10000, false},
		{"long time", {130, [4] = 0x90, 0x01}, 28, WIRE_OK, 0x1001 << 4, false},
		{"longest time", {130, [4] = 0xff, 0xff}, 28, WIRE_OK, 0x1fff << 10, false},
		{"short", {130}, 23, WIRE_SHORT, 0, false},
		{"neither", {130}, 27, WIRE_MALFORMED, 0, false},
		{"for a group", {130, [8] = 0xff}, 28, WIRE_OK, 0, false},
		{"for a host", {130, [8] = 0xfd}, 28, WIRE_MALFORMED, 0, false},
		{"no query", {131}, 24, WIRE_UNSUPPORTED, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_mld_query q;

		if (wire_mld_query_parse(rows[i].in, rows[i].len, &q) != rows[i].verdict)
			fail_msg("%s", rows[i].what);
		if (rows[i].verdict != WIRE_OK)
			continue;
		assert_int_equal(q.response_ms, rows[i].response_ms);
		assert_int_equal(q.v1, rows[i].v1);
	}
}

static void reports(void **state)
{
	static const uint8_t v2[28] = {143, [7] = 1, [8] = 4, [12] = 0xff, 2, [27] = 1};
	static const uint8_t v1[24] = {131, [8] = 0xff, 2, [23] = 1};
	struct ip_addr group = addr("ff02::1");
	uint8_t out[WIRE_MLD2_REPORT_BYTES + WIRE_MLD2_RECORD_BYTES];

	(void)state;
	assert_int_equal(wire_mld2_report_emit(out, 1), 8);
	assert_int_equal(wire_mld2_record_emit(out + 8, WIRE_MLD2_TO_EXCLUDE, &group), 20);
	assert_memory_equal(out, v2, sizeof(v2));
	assert_int_equal(wire_mld1_report_emit(out, &group), 24);
	assert_memory_equal(out, v1, sizeof(v1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_round_trip),
		cmocka_unit_test(zones_stay_home),
		cmocka_unit_test(refused_messages),
		cmocka_unit_test(the_first_option_counts),
		cmocka_unit_test(queries),
		cmocka_unit_test(reports),
	};

	return cmocka_run_group_tests_name("wire/icmp6", tests, NULL, NULL);
}
