/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include <errno.h>

/* Which way, from where, by whom: asked of the machine of fake_net.h. */
static void test_paths(void **state)
{
	static const struct {
		const char *src, *dst;
		int rc;
		const char *src_found;
		uint16_t iface;
		const char *hop; /* NULL: nobody, it is ourselves */
	} rows[] = {
		/* connected */
		{"0.0.0.0", "10.0.0.2", 0, "10.0.0.1", 0, "10.0.0.2"},
		{"::", "10.7.0.2", 0, "10.7.0.1", 1, "10.7.0.2"},
		{"10.0.0.80", "10.0.0.2", 0, "10.0.0.80", 0, "10.0.0.2"},
		/* another of our addresses is a source as well */
		{"10.7.0.1", "10.0.0.2", 0, "10.7.0.1", 0, "10.0.0.2"},
		/* by the gateway */
		{"0.0.0.0", "192.0.2.1", 0, "10.0.0.1", 0, "10.0.0.254"},
		/* loopback where it is allowed, and never elsewhere */
		{"0.0.0.0", "127.1.2.3", 0, "127.0.0.2", 2, "127.1.2.3"},
		/* ourselves */
		{"0.0.0.0", "10.0.0.80", 0, "10.0.0.80", 0, NULL},
		{"10.0.0.1", "10.7.0.1", 0, "10.0.0.1", 1, NULL},
		/* nobody */
		{"0.0.0.0", "10.0.0.255", -ENETUNREACH, NULL, 0, NULL},
		{"0.0.0.0", "255.255.255.255", -ENETUNREACH, NULL, 0, NULL},
		{"0.0.0.0", "224.0.0.1", -ENETUNREACH, NULL, 0, NULL},
		{"0.0.0.0", "0.0.0.0", -ENETUNREACH, NULL, 0, NULL},
		{"::", "2001:db8::1", -ENETUNREACH, NULL, 0, NULL},
		/* not from there */
		{"10.0.0.3", "10.0.0.2", -EADDRNOTAVAIL, NULL, 0, NULL},
		{"10.0.0.255", "10.0.0.2", -EADDRNOTAVAIL, NULL, 0, NULL},
		{"2001:db8::1", "10.0.0.2", -EADDRNOTAVAIL, NULL, 0, NULL},
		{"10.0.0.3", "10.0.0.80", -EADDRNOTAVAIL, NULL, 0, NULL},
	};
	struct fixture *f = *state;
	struct ip_stack *ip = f->net->ip[0];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr src = fake_addr(rows[i].src), dst = fake_addr(rows[i].dst);
		struct ip_path path = {0};

		print_message("# %s to %s\n", rows[i].src, rows[i].dst);
		assert_int_equal(ip_path_find(ip, &src, &dst, &path), rows[i].rc);
		if (rows[i].rc != 0)
			continue;
		expect_addr(&src, rows[i].src_found);
		assert_int_equal(path.iface, rows[i].iface);
		ip_neighbour_flush(ip);
		ip_send(ip, &path, &src, &dst, WIRE_PROTO_TCP, 0, outgoing(f, 0, 1, 2, 40));
		fake_workers_settle(f->net->f);
		if (rows[i].hop != NULL)
			expect_request(f, rows[i].hop, &fake_mac_all);
		expect_nothing(f);
	}
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_NO_ROUTE), 5);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_BAD_SOURCE), 4);
}

static void test_whose_addresses(void **state)
{
	static const struct {
		const char *addr;
		bool ours;
	} rows[] = {
		{"10.0.0.1", true},
		{"10.0.0.80", true},
		{"10.7.0.1", true},
		{"127.0.0.2", true},
		{"127.0.0.1", false},
		{"10.0.0.0", false},
		{"10.0.0.255", false},
		{"0.0.0.0", false},
		{"::", false},
		{"::1", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr a = fake_addr(rows[i].addr);

		assert_int_equal(ip_addr_is_ours(f->net->ip[0], &a), rows[i].ours);
	}
}

static int send_from(struct fixture *f, const char *from, const char *to)
{
	struct ip_addr src = fake_addr(from), dst = fake_addr(to);
	struct ip_path path = {0};

	return ip_send(
		f->net->ip[0], &path, &src, &dst, WIRE_PROTO_TCP, 0, outgoing(f, 0, 1, 2, 40));
}

static void test_route_out_of_use(void **state)
{
	struct ip_route_config route = {.gateway = fake_addr("10.0.0.254")};
	struct fixture *f = *state;
	struct ip_stack *ip = f->net->ip[0];
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("192.0.2.1");
	struct ip_path path = {0};

	route.prefix.addr = ip_addr_from_v4(0);
	assert_int_equal(ip_path_find(ip, &src, &dst, &path), 0);
	assert_int_equal(ip_route_set_enabled(ip, &route, false), 0);
	/* A path that was found before goes nowhere either. */
	assert_int_equal(
		ip_send(ip, &path, &src, &dst, WIRE_PROTO_TCP, 0, outgoing(f, 0, 1, 2, 40)),
		-ENETUNREACH);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_NO_ROUTE), 1);
	assert_int_equal(send_from(f, "10.0.0.1", "10.0.0.2"), 0); /* no other route */
	assert_int_equal(ip_route_set_enabled(ip, &route, true), 0);
	assert_int_equal(send_from(f, "10.0.0.1", "192.0.2.1"), 0);

	route.gateway = fake_addr("10.0.0.253");
	assert_int_equal(ip_route_set_enabled(ip, &route, false), -ENOENT);
	route = (struct ip_route_config){.prefix = {fake_addr("10.0.0.0"), 24}};
	assert_int_equal(ip_route_set_enabled(ip, &route, false), -ENOENT); /* of an address */
	ip_neighbour_flush(ip);
}

static void test_address_out_of_use(void **state)
{
	struct fixture *f = *state;
	struct ip_stack *ip = f->net->ip[0];
	struct ip_addr service = fake_addr("10.0.0.80"), other = fake_addr("10.0.0.2"),
		       broadcast = fake_addr("10.0.0.255");
	struct fake_read r;

	assert_int_equal(send_from(f, "10.0.0.80", "10.0.0.2"), 0);
	assert_int_equal(ip_address_set_enabled(ip, &service, false), 0);
	assert_int_equal(ip_address_set_enabled(ip, &service, false), 0);
	assert_false(ip_addr_is_ours(ip, &service));
	assert_int_equal(send_from(f, "10.0.0.80", "10.0.0.2"), -EADDRNOTAVAIL);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_BAD_SOURCE), 1);
	assert_int_equal(send_from(f, "10.0.0.1", "10.0.0.2"), 0);
	fake_workers_settle(f->net->f);
	(void)fake_net_discard(f->net);

	assert_int_equal(ip_address_set_enabled(ip, &service, true), 0);
	fake_workers_settle(f->net->f);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_true(ip_addr_eq(&r.arp.target, &service)); /* announced */
	expect_nothing(f);
	assert_int_equal(send_from(f, "10.0.0.80", "10.0.0.2"), 0);
	assert_int_equal(ip_address_set_enabled(ip, &other, false), -ENOENT);
	assert_int_equal(ip_address_set_enabled(ip, &broadcast, false), -ENOENT);
	ip_neighbour_flush(ip);
}

struct seen {
	uint32_t local, connected, by_gateway, max;
};

static bool see(void *ctx, const struct ip_route_info *r)
{
	struct seen *seen = ctx;

	if (r->local)
		seen->local++;
	else if (ip_addr_is_any(&r->gateway))
		seen->connected++;
	else
		seen->by_gateway++;
	return --seen->max > 0;
}

static void test_each_route(void **state)
{
	struct fixture *f = *state;

	for (uint32_t max = 1; max <= 9; max++) {
		struct seen seen = {.max = max};

		ip_route_each(f->net->ip[0], see, &seen);
		assert_int_equal(
			seen.local + seen.connected + seen.by_gateway, MIN(max, 4U + 3 + 1));
		if (max == 9) {
			assert_int_equal(seen.local, 4);
			assert_int_equal(seen.connected, 3);
			assert_int_equal(seen.by_gateway, 1);
		}
	}
}

/* --- a stack with routes of its own --- */

static void test_longest_prefix(void **state)
{
	static const struct ip_iface_config ifaces[] = {{.name = "lan", .mtu = 1500}};
	static const struct ip_address_config addresses[] = {
		{.prefix = {FAKE_V4(10, 0, 0, 1), 24}},
		{.prefix = {FAKE_V4(10, 0, 0, 9), 31}},
	};
	static const struct ip_route_config routes[] = {
		{.prefix = {FAKE_V4(0, 0, 0, 0), 0}, .gateway = FAKE_V4(10, 0, 0, 250)},
		{.prefix = {FAKE_V4(172, 16, 0, 0), 12}, .gateway = FAKE_V4(10, 0, 0, 251)},
		{.prefix = {FAKE_V4(172, 16, 5, 0), 24}, .gateway = FAKE_V4(10, 0, 0, 252)},
		{.prefix = {FAKE_V4(172, 16, 5, 7), 32}, .gateway = FAKE_V4(10, 0, 0, 253)},
		{.prefix = {FAKE_V4(172, 16, 5, 7), 32}, .gateway = FAKE_V4(10, 0, 0, 254)},
		{.prefix = {FAKE_V4(192, 168, 0, 0), 16}},
	};
	static const struct {
		const char *dst, *hop, *src;
	} rows[] = {
		{"8.8.8.8", "10.0.0.250", "10.0.0.1"}, {"172.17.0.1", "10.0.0.251", "10.0.0.1"},
		{"172.16.5.6", "10.0.0.252", "10.0.0.1"},
		{"172.16.5.7", "10.0.0.253", "10.0.0.1"}, /* the first one named */
		{"172.32.0.1", "10.0.0.250", "10.0.0.1"},
		{"192.168.9.9", "192.168.9.9", "10.0.0.1"}, /* on the link, without a gateway */
		{"10.0.0.8", "10.0.0.8", "10.0.0.9"}, /* RFC 3021: no broadcast with 31 bits */
	};
	const struct ip_config net = {ARRAY_LEN(ifaces), ARRAY_LEN(addresses), ARRAY_LEN(routes),
		ifaces, addresses, routes};
	struct fixture *f = *state;
	struct ip_stack *ip = fixture_stack(f, &net, NULL);

	assert_non_null(ip);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_addr src = {0}, dst = fake_addr(rows[i].dst);
		struct ip_path path = {0};

		ip_neighbour_flush(ip);
		assert_int_equal(ip_path_find(ip, &src, &dst, &path), 0);
		expect_addr(&src, rows[i].src);
		ip_send(ip, &path, &src, &dst, WIRE_PROTO_TCP, 0, outgoing(f, 0, 1, 2, 40));
		fake_workers_settle(f->net->f);
		expect_request(f, rows[i].hop, &fake_mac_all);
	}
	ip_neighbour_flush(ip);

	fake_net_stop(f->net);
	ip_stack_destroy(ip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_paths),
		IP_TEST(test_whose_addresses),
		IP_TEST(test_route_out_of_use),
		IP_TEST(test_address_out_of_use),
		IP_TEST(test_each_route),
		cmocka_unit_test_setup_teardown(test_longest_prefix, setup_one, teardown_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
