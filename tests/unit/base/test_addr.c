/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "base_addr.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(bytes_of_cstr(text), &a));
	return a;
}

static void text_round_trips(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} rows[] = {
		{"10.9.0.2", "10.9.0.2"},
		{"255.255.255.255", "255.255.255.255"},
		{"0.0.0.0", "0.0.0.0"},
		{"::", "::"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"::ffff:1.2.3.4", "1.2.3.4"},
		{"", NULL},
		{"1.2.3", NULL},
		{"1.2.3.256", NULL},
		{"1.2.3.4 ", NULL},
		{"12345::", NULL},
		{"1:2:3:4:5:6:7:8:9", NULL},
		{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL},
	};
	char buf[IP_ADDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr a;
		bool ok = ip_addr_parse(bytes_of_cstr(rows[i].in), &a);

		assert_int_equal(ok, rows[i].out != NULL);
		if (ok)
			assert_string_equal(ip_addr_format(&a, buf), rows[i].out);
	}
}

static void prefixes_contain(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool in;
	} rows[] = {
		{"10.9.0.0/24", "10.9.0.255", true},
		{"10.9.0.0/24", "10.9.1.0", false},
		{"10.9.0.0/23", "10.9.1.0", true},
		{"0.0.0.0/0", "1.2.3.4", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "1.2.3.4", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"10.9.0.2", "10.9.0.2", true},
		{"10.9.0.2", "10.9.0.3", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_prefix p;
		struct ip_addr a = addr(rows[i].addr);

		assert_true(ip_prefix_parse(bytes_of_cstr(rows[i].prefix), &p));
		assert_int_equal(ip_prefix_contains(&p, &a), rows[i].in);
	}
}

static void networks_have_no_host_bits(void **state)
{
	static const struct {
		const char *in, *out;
		uint8_t bits;
	} rows[] = {
		{"10.9.0.2/24", "10.9.0.0", 24},
		{"10.9.255.255/20", "10.9.240.0", 20},
		{"10.9.0.2", "10.9.0.2", 32},
		{"10.9.0.2/0", "0.0.0.0", 0},
		{"2001:db8::ffff/33", "2001:db8::", 33},
		{"ffff:ffff::/17", "ffff:8000::", 17},
		{"2001:db8::1", "2001:db8::1", 128},
	};
	char buf[IP_ADDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_prefix p;

		assert_true(ip_prefix_parse(bytes_of_cstr(rows[i].in), &p));
		p = ip_prefix_network(&p);
		assert_string_equal(ip_addr_format(&p.addr, buf), rows[i].out);
		assert_int_equal(p.bits, rows[i].bits);
	}
}

static void bad_prefixes_are_refused(void **state)
{
	static const char *const rows[] = {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/a",
		"10.0.0.0/-1", "/24", "10.0.0.0/0024"};
	struct ip_prefix p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(ip_prefix_parse(bytes_of_cstr(rows[i]), &p));
}

static void kinds_are_told_apart(void **state)
{
	static const struct {
		const char *addr;
		bool any, loopback, multicast, link_local;
	} rows[] = {
		{"0.0.0.0", true, false, false, false},
		{"::", true, false, false, false},
		{"127.3.2.1", false, true, false, false},
		{"::1", false, true, false, false},
		{"224.0.0.1", false, false, true, false},
		{"ff02::1", false, false, true, false},
		{"169.254.7.7", false, false, false, true},
		{"fe80::1", false, false, false, true},
		{"10.0.0.1", false, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr a = addr(rows[i].addr);

		assert_int_equal(ip_addr_is_any(&a), rows[i].any);
		assert_int_equal(ip_addr_is_loopback(&a), rows[i].loopback);
		assert_int_equal(ip_addr_is_multicast(&a), rows[i].multicast);
		assert_int_equal(ip_addr_is_link_local(&a), rows[i].link_local);
	}
}

static void endpoints_format_by_family(void **state)
{
	struct endpoint v4 = {addr("10.9.0.2"), 80}, v6 = {addr("fd00:9::2"), 65535};
	char buf[ENDPOINT_TEXT_SIZE];

	(void)state;
	assert_string_equal(endpoint_format(&v4, buf), "10.9.0.2:80");
	assert_string_equal(endpoint_format(&v6, buf), "[fd00:9::2]:65535");
	assert_true(endpoint_eq(&v4, &v4));
	assert_false(endpoint_eq(&v4, &v6));
}

static void zones_are_part_of_link_local_addresses_only(void **state)
{
	struct ip_addr local = addr("fe80::1"), global = addr("fd00::1"), a, b;
	char buf[IP_ADDR_TEXT_SIZE];

	(void)state;
	a = ip_addr_with_zone(&local, 3);
	b = ip_addr_with_zone(&a, 4);
	assert_int_equal(ip_addr_zone(&local), 0);
	assert_int_equal(ip_addr_zone(&a), 3);
	assert_false(ip_addr_eq(&a, &local));
	assert_false(ip_addr_eq(&a, &b));
	assert_string_equal(ip_addr_format(&a, buf), "fe80::1");
	a = ip_addr_without_zone(&a);
	assert_true(ip_addr_eq(&a, &local));
	a = ip_addr_with_zone(&global, 3);
	assert_true(ip_addr_eq(&a, &global));
	assert_int_equal(ip_addr_zone(&a), 0);
	assert_false(ip_addr_parse(BYTES_LIT("fe80:3::1"), &a)); /* no zone by the back door */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_round_trips),
		cmocka_unit_test(prefixes_contain),
		cmocka_unit_test(networks_have_no_host_bits),
		cmocka_unit_test(bad_prefixes_are_refused),
		cmocka_unit_test(kinds_are_told_apart),
		cmocka_unit_test(endpoints_format_by_family),
		cmocka_unit_test(zones_are_part_of_link_local_addresses_only),
	};

	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
