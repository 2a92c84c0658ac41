/* SPDX-License-Identifier: BSD-3-Clause */
/* What ip_stack_create refuses, and in which words. */
#include "fixture.h"

#include <errno.h>

struct parts {
	struct ip_iface_config ifaces[2];
	struct ip_address_config address;
	struct ip_route_config route;
	struct ip_config net;
};

static void parts_init(struct parts *p)
{
	*p = (struct parts){
		.ifaces = {{.name = "lan", .mtu = 1500}, {.name = "v5", .vlan = 5, .mtu = 1500}},
		.address = {.prefix = {fake_addr("10.0.0.1"), 24}},
		.route = {.prefix = {fake_addr("0.0.0.0"), 0}, .gateway = fake_addr("10.0.0.9")},
		.net = {.iface_count = 2, .address_count = 1, .route_count = 1},
	};
	p->net.ifaces = p->ifaces;
	p->net.addresses = &p->address;
	p->net.routes = &p->route;
}

static void no_port(struct parts *p)
{
	p->ifaces[0].port = 1;
}

static void mtu_low(struct parts *p)
{
	p->ifaces[0].mtu = IP_MTU_MIN - 1;
}

static void mtu_high(struct parts *p)
{
	p->ifaces[0].mtu = 1501;
}

static void twice(struct parts *p)
{
	p->ifaces[1].vlan = 0;
}

static void too_many(struct parts *p)
{
	p->net.iface_count = IP_IFACES_MAX + 1;
}

static void address_iface(struct parts *p)
{
	p->address.iface = 2;
}

static void address_bits(struct parts *p)
{
	p->address.prefix.bits = 33;
}

static void address_any(struct parts *p)
{
	p->address.prefix.addr = fake_addr("0.0.0.0");
}

static void address_group(struct parts *p)
{
	p->address.prefix.addr = fake_addr("224.0.0.9");
}

static void address_v6(struct parts *p)
{
	p->address.prefix = (struct ip_prefix){fake_addr("2001:db8::1"), 64};
	p->ifaces[0].mtu = 1279;
}

static void address_v6_bits(struct parts *p)
{
	p->address.prefix = (struct ip_prefix){fake_addr("2001:db8::1"), 129};
}

static void address_v6_group(struct parts *p)
{
	p->address.prefix = (struct ip_prefix){fake_addr("ff02::1"), 64};
}

static void route_iface(struct parts *p)
{
	p->route.iface = 2;
}

static void route_bits(struct parts *p)
{
	p->route.prefix.bits = 40;
}

static void route_families(struct parts *p)
{
	p->route.gateway = fake_addr("2001:db8::1");
}

static void test_refused(void **state)
{
	static const struct {
		void (*fn)(struct parts *p);
		int code;
		const char *text;
	} rows[] = {
		{no_port, -EINVAL, "interface lan: there is no such port"},
		{mtu_low, -EINVAL, "interface lan: MTU 575 is not between 576 and 1500"},
		{mtu_high, -EINVAL, "interface lan: MTU 1501 is not between"},
		{twice, -EINVAL, "interface v5: it is the same as lan"},
		{too_many, -EINVAL, "more than 32 interfaces"},
		{address_iface, -EINVAL, "address 10.0.0.1: there is no such interface"},
		{address_bits, -EINVAL, "address 10.0.0.1: impossible prefix length 33"},
		{address_any, -EINVAL, "0.0.0.0 cannot be"},
		{address_group, -EINVAL, "224.0.0.9 cannot be"},
		{address_v6, -EINVAL, "1280"},
		{address_v6_bits, -EINVAL, "address 2001:db8::1: impossible prefix length 129"},
		{address_v6_group, -EINVAL, "ff02::1 cannot be"},
		{route_iface, -EINVAL, "route 0.0.0.0: there is no such interface"},
		{route_bits, -EINVAL, "route 0.0.0.0: impossible prefix length 40"},
		{route_families, -EINVAL, "gateway is of another family"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};
		struct parts p;

		parts_init(&p);
		rows[i].fn(&p);
		assert_null(fixture_stack(f, &p.net, &err));
		assert_int_equal(err.code, rows[i].code);
		if (strstr(err.text, rows[i].text) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].text, err.text);
	}
}

static uint32_t poll_nothing(struct worker *w, void *ctx, uint32_t budget)
{
	(void)w;
	(void)ctx;
	(void)budget;
	return 0;
}

static void test_no_room_for_pollers(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	struct parts p;

	while (worker_poller_add(f->net->f->w[0], WORKER_PHASE_SLOW, "x", poll_nothing, NULL, 1) ==
		0)
		;
	parts_init(&p);
	assert_null(fixture_stack(f, &p.net, &err));
	assert_int_equal(err.code, -ENOSPC);
	error_clear(&err);
	assert_int_equal(ip_stack_start(f->net->ip[0], &err), -ENOSPC);
	assert_true(err.text[0] != '\0');
}

static void test_keeps_its_configuration(void **state)
{
	struct fixture *f = *state;

	assert_ptr_equal(ip_stack_config_of(f->net->ip[0]), &f->net->config);
	ip_stack_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_refused),
		IP_TEST(test_no_room_for_pollers),
		IP_TEST(test_keeps_its_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
