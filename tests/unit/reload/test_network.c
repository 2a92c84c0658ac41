/* SPDX-License-Identifier: BSD-3-Clause */
/* Section "network": what it becomes, and its mistakes. */
#include "check.h"

#include "fake_config.h"

static_assert(sizeof(struct impair_config) == 4 * sizeof(uint64_t) + 6 * sizeof(uint32_t),
	"compared by its bytes: no padding");

#define NET "network\n port lan0 vdev net_tap0,iface=t0\n address 10.9.0.2/24 port lan0\n"

static void ports_vlans_addresses_and_routes(void **state)
{
	struct model *m = fake_config_model(
		"network\n cores control 1 workers 0,2-3\n memory 1g\n idle busy\n"
		" syn-cookies always\n ecn on\n pacing on\n"
		" port lan0 vdev net_tap0,iface=t0 mtu 1400 allow-loopback\n"
		" port lan0v7 vdev net_tap0,iface=t0 vlan 7\n"
		" port wan0 pci 0000:03:00.0\n"
		" address 10.9.0.2/24 port lan0\n address 10.7.0.2/24 port lan0v7\n"
		" address fd00:9::2/64 port wan0\n"
		" route 0.0.0.0/0 via 10.7.0.1\n route ::/0 via fe80::1 port wan0\n"
		"frontend f\n timeout client 1s\n bind 10.9.0.80:80\n bind 127.0.0.1:81\n bind "
		":82\n"
		" bind 10.9.0.2:83\n bind 10.9.0.80:84\n");
	const struct model_network *n = &m->network;

	(void)state;
	assert_int_equal(n->control_core, 1);
	assert_int_equal(n->worker_count, 3);
	assert_int_equal(n->worker_cores[0], 0);
	assert_int_equal(n->worker_cores[2], 3);
	assert_true(n->memory_bytes == UINT64_C(1) << 30);
	assert_true(n->idle_set);
	assert_int_equal(n->cookies, TCP_COOKIES_ALWAYS);
	assert_int_equal(n->idle, WORKER_IDLE_BUSY);
	assert_int_equal(n->ecn, TCP_ECN_ON);
	assert_true(n->pacing);
	assert_int_equal(n->port_count, 2);
	assert_string_equal(n->ports[0].vdev, "net_tap0,iface=t0");
	assert_string_equal(n->ports[1].pci, "0000:03:00.0");
	assert_int_equal(n->ip.iface_count, 3);
	assert_string_equal(n->ip.ifaces[1].name, "lan0v7");
	assert_int_equal(n->ip.ifaces[1].port, 0);
	assert_int_equal(n->ip.ifaces[1].vlan, 7);
	assert_int_equal(n->ip.ifaces[2].port, 1);
	assert_int_equal(n->ip.ifaces[0].mtu, 1400);
	assert_true(n->ip.ifaces[0].allow_loopback);
	assert_int_equal(n->ip.address_count, 5); /* two of them come from binds */
	assert_true(n->ip.addresses[3].service);
	assert_int_equal(n->ip.addresses[3].prefix.bits, 32);
	assert_int_equal(n->ip.addresses[4].iface, 0);
	assert_int_equal(n->ip.route_count, 2);
	assert_int_equal(n->ip.routes[0].iface, 1);
	assert_int_equal(n->ip.routes[1].iface, 2);
	model_destroy(m);
}

#define TWO_PORTS                                                                         \
	"network\n port lan0 vdev net_tap0,iface=t0\n port lan1 vdev net_tap1,iface=t1\n" \
	" address fd00::1/64 port lan0\n"
#define ZONE_PROXY   "frontend f\n timeout client 1s\n bind "
#define ZONE_BACKEND "backend b\n timeout connect 1s\n timeout server 1s\n server s "

static uint16_t zone_of(const struct endpoint *e)
{
	return ip_addr_zone(&e->addr);
}

/* The same address on two links is two, and each bind announces its own. */
static void zones_are_ports(void **state)
{
	struct model *m = fake_config_model(TWO_PORTS
		" address fe80::5/64 port lan1\n" ZONE_PROXY
		"fe80::1%lan0:80\n bind [fe80::1%lan1]:80\n bind fe80::5%lan1:81\n" ZONE_BACKEND
		"fe80::2%lan1:80\n");
	const struct ip_config *ip = &m->network.ip;

	(void)state;
	assert_int_equal(m->bind_count, 3);
	assert_int_equal(zone_of(&m->binds[0].local), ip_zone_of_iface(0));
	assert_int_equal(zone_of(&m->binds[1].local), ip_zone_of_iface(1));
	assert_int_equal(zone_of(&m->servers[0].remote), ip_zone_of_iface(1));
	assert_int_equal(ip->address_count, 4); /* fe80::5 is there already */
	assert_int_equal(ip->addresses[2].iface, 0);
	assert_int_equal(ip->addresses[3].iface, 1);
	assert_int_equal(ip->addresses[3].prefix.bits, 128);
	assert_int_equal(
		zone_of(&(struct endpoint){ip->addresses[1].prefix.addr, 0}), ip_zone_of_iface(1));
	model_destroy(m);
}

/* Where there is one port, there is nothing to choose. */
static void one_port_needs_no_zone(void **state)
{
	struct model *m =
		fake_config_model(NET ZONE_PROXY "fe80::1:80\n" ZONE_BACKEND "fe80::2:80\n");

	(void)state;
	assert_int_equal(zone_of(&m->binds[0].local), ip_zone_of_iface(0));
	assert_int_equal(zone_of(&m->servers[0].remote), ip_zone_of_iface(0));
	model_destroy(m);
}

static void impair_is_read_for_each_direction(void **state)
{
	struct model *m = fake_config_model(
		"network\n"
		" port lan0 vdev x mtu 1400 impair loss 1% delay 20 jitter 500us reorder 2% dup 1%"
		" mark 3% corrupt 0.1% rate 100m queue 64k seed 7\n"
		" port lan1 vdev y impair loss 1% in delay 3ms out loss 5 rate 1.5g"
		" reorder-delay 9ms seed 0\n"
		" port lan2 vdev z impair rate 512K in loss 0.0001%\n"
		" port lan3 vdev w\n"
		" port lan0v7 vdev x vlan 7\n"
		" address 10.9.0.2/24 port lan0\n");
	const struct model_port *p = m->network.ports;
	const struct impair_config both = {.loss_ppm = 10000,
		.delay_ns = 20 * NS_PER_MS,
		.jitter_ns = 500 * NS_PER_US,
		.reorder_ppm = 20000,
		.reorder_ns = NS_PER_MS,
		.duplicate_ppm = 10000,
		.corrupt_ppm = 1000,
		.mark_ppm = 30000,
		.rate_bits_per_s = 100000000,
		.queue_bytes_max = 65536};

	(void)state;
	assert_int_equal(m->network.port_count, 4);
	assert_true(p[0].impair.on);
	assert_int_equal(p[0].mtu, 1400);
	assert_memory_equal(&p[0].impair.in, &both, sizeof(both));
	assert_memory_equal(&p[0].impair.out, &both, sizeof(both));
	assert_int_equal(p[0].impair.seed, 7);
	assert_int_equal(p[1].impair.in.loss_ppm, 10000);
	assert_int_equal(p[1].impair.in.delay_ns, 3 * NS_PER_MS);
	assert_int_equal(p[1].impair.in.rate_bits_per_s, 0);
	assert_int_equal(p[1].impair.in.queue_bytes_max, 0);
	assert_int_equal(p[1].impair.out.loss_ppm, 50000);
	assert_int_equal(p[1].impair.out.delay_ns, 0);
	assert_int_equal(p[1].impair.out.reorder_ns, 9 * NS_PER_MS);
	assert_true(p[1].impair.out.rate_bits_per_s == 1500000000);
	assert_int_equal(p[1].impair.out.queue_bytes_max, 256 << 10);
	assert_int_equal(p[1].impair.seed, 0);
	assert_int_equal(p[2].impair.out.rate_bits_per_s, 512000);
	assert_int_equal(p[2].impair.in.loss_ppm, 1);
	assert_int_equal(p[2].impair.seed, 1);
	assert_false(p[3].impair.on);
	model_destroy(m);
}

static void impair_is_warned_about(void **state)
{
	struct fake_config f;

	(void)state;
	fake_config_load(&f, "network\n port lan0 vdev x impair loss 50%\n");
	assert_non_null(strstr(f.problems, "WARNING 2 port 'lan0' is impaired on purpose"));
	fake_config_free(&f);
}

static void bonds_have_members(void **state)
{
	struct model *m = fake_config_model(
		"network\n"
		" port bond0 vdev net_bonding0,mode=4,slave=0000:03:00.0,xmit_policy=l34 "
		"member net_tap1,iface=t1 member 0000:03:00.1\n"
		" port bond0v7 vdev net_bonding0,mode=4,xmit_policy=l34 vlan 7\n"
		" port lan0 vdev net_tap0,iface=t0\n"
		" address 10.9.0.2/24 port bond0\n");
	const struct model_network *n = &m->network;
	const struct model_port *p = &n->ports[0];

	(void)state;
	assert_int_equal(n->port_count, 2);
	assert_int_equal(n->ip.ifaces[1].port, 0);
	assert_string_equal(p->vdev, "net_bonding0,mode=4,xmit_policy=l34");
	assert_int_equal(p->member_count, 3);
	assert_string_equal(p->members[0].device, "net_tap1,iface=t1");
	assert_false(p->members[0].is_pci);
	assert_string_equal(p->members[1].device, "0000:03:00.1");
	assert_true(p->members[1].is_pci);
	assert_string_equal(p->members[2].device, "0000:03:00.0");
	assert_true(p->members[2].is_pci);
	assert_true(model_port_has_pci(p));
	assert_false(model_port_has_pci(&n->ports[1]));
	model_destroy(m);
}

struct mistake {
	const char *text, *problem;
};

static void expect_mistakes(const struct mistake *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fake_config f;

		fake_config_load(&f, rows[i].text);
		if (!strstr(f.problems, rows[i].problem))
			fail_msg("row %zu:\n%swanted: %s", i, f.problems, rows[i].problem);
		assert_null(f.model);
		fake_config_free(&f);
	}
}

static void mistakes_are_reported(void **state)
{
	static const struct mistake rows[] = {
		{"network\n cores control 0\n", "ALERT 1 section 'network' has no port"},
		{"network\n port lan0 vdev x\n port lan0 vdev y\n",
			"ALERT 3 port 'lan0' was already declared at line 2"},
		{"network\n port lan0 mtu 1500\n", "ALERT 2 'port' lan0 needs a device"},
		{"network\n port lan0 vdev x pci y\n", "ALERT 2 'port' lan0 needs a device"},
		{"network\n port lan0 vdev x vlan 4095\n", "ALERT 2 'port'"},
		{"network\n port lan0 vdev x mtu 100\n", "ALERT 2 'port'"},
		{"network\n port lan0 vdve x\n", "ALERT 2 'port': unknown word 'vdve'"},
		{"network\n port a-name-that-is-longer-than-31-bytes-allowed vdev x\n",
			"ALERT 2 'port': the name is longer"},
		{"network\n port lan0 vdev x impair\n", "ALERT 2 'port': 'impair' needs at least"},
		{"network\n port lan0 vdev x impair los 1%\n",
			"ALERT 2 'port': unknown word 'los', did you mean 'loss'"},
		{"network\n port lan0 vdev x impair loss 1% mtu 1400\n",
			"ALERT 2 'port': unknown word 'mtu'"},
		{"network\n port lan0 vdev x impair loss\n",
			"ALERT 2 'port': 'loss' needs a value"},
		{"network\n port lan0 vdev x impair loss 101%\n",
			"ALERT 2 'loss': '101%' is not a chance"},
		{"network\n port lan0 vdev x impair loss -1%\n", "ALERT 2 'loss'"},
		{"network\n port lan0 vdev x impair corrupt nan\n", "ALERT 2 'corrupt'"},
		{"network\n port lan0 vdev x impair dup 1%%\n", "ALERT 2 'dup'"},
		{"network\n port lan0 vdev x impair delay 61s\n", "ALERT 2 'delay'"},
		{"network\n port lan0 vdev x impair jitter soon\n", "ALERT 2 'jitter'"},
		{"network\n port lan0 vdev x impair rate 100\n",
			"ALERT 2 'rate': '100' is not a rate"},
		{"network\n port lan0 vdev x impair rate 100mb\n", "ALERT 2 'rate'"},
		{"network\n port lan0 vdev x impair rate m\n", "ALERT 2 'rate'"},
		{"network\n port lan0 vdev x impair queue lots\n", "ALERT 2 'port'"},
		{"network\n port lan0 vdev x impair seed -1\n", "ALERT 2 'port'"},
		{"network\n port lan0 vdev x\n port v7 vdev x vlan 7 impair loss 1%\n",
			"ALERT 3 'impair' of port 'v7' belongs to line 2"},
		{NET " address 10.8.0.2/24 port lan1\n", "ALERT 4 there is no port 'lan1'"},
		{NET " address 10.8.0.2/24\n", "ALERT 4 'address' needs the name of its port"},
		{NET " address ten port lan0\n", "ALERT 4 'address': 'ten' is not a network"},
		{NET " route 0.0.0.0/0 via 10.8.0.1\n",
			"ALERT 4 'route': the gateway 10.8.0.1 is in no network"},
		{NET " route ::/0 via 10.9.0.1\n", "are of different families"},
		{NET " route 0.0.0.0/0 over 10.9.0.1\n", "ALERT 4 'route': bad word 'over'"},
		{NET " cores workers 1-\n", "ALERT 4 'cores': bad list '1-'"},
		{NET " cores workers 3-1\n", "ALERT 4 'cores': bad list '3-1'"},
		{NET " cores wrokers 1\n", "ALERT 4 'cores': unknown word 'wrokers'"},
		{NET " memory lots\n", "ALERT 4 'memory'"},
		{NET " idle lazy\n", "ALERT 4 'idle': unknown idle policy 'lazy'"},
		{NET "frontend f\n timeout client 1s\n bind 10.8.0.1:80\n",
			"ALERT 6 'bind': 10.8.0.1 is in no network of any port"},
		{NET "frontend f\n timeout client 1s\n bind 127.0.0.1:80\n",
			"ALERT 6 'bind': 127.0.0.1 is in no network of any port"},
	};

	(void)state;
	expect_mistakes(rows, ARRAY_LEN(rows));
}

static void mistakes_with_zones(void **state)
{
	static const struct mistake rows[] = {
		{TWO_PORTS ZONE_PROXY "fe80::1%lan2:80\n", "ALERT 7 there is no port 'lan2'"},
		{TWO_PORTS ZONE_PROXY "fe80::1:80\n",
			"ALERT 7 link-local address 'fe80::1' needs a zone"},
		{TWO_PORTS ZONE_PROXY "fd00::1%lan0:80\n", "ALERT 7 'bind': invalid address"},
		{TWO_PORTS ZONE_BACKEND "fe80::2%wan0:80\n", "ALERT 8 there is no port 'wan0'"},
		{TWO_PORTS ZONE_BACKEND "fe80::2:80\n",
			"ALERT 8 link-local address 'fe80::2' needs a zone"},
		{TWO_PORTS ZONE_BACKEND "fe80::2%lan1:80\n",
			"ALERT 8 'server': port 'lan1' has no address of IPv6"},
		{TWO_PORTS ZONE_PROXY "fe80::1%lan0:80\n bind fe80::1%lan0:80\n", "ALERT 8"},
	};

	(void)state;
	expect_mistakes(rows, ARRAY_LEN(rows));
}

static void mistakes_with_bonds(void **state)
{
	static const struct mistake rows[] = {
		{"network\n port lan0 vdev net_bonding0,mode=1\n",
			"ALERT 2 'port' lan0: a bond needs members"},
		{"network\n port lan0 vdev net_tap0 member net_tap1\n",
			"ALERT 2 'port' lan0: only a bond has members"},
		{"network\n port b vdev net_bonding0,slave=net_tap1 member net_tap1,iface=x\n",
			"ALERT 2 'port' b: 'net_tap1' is a member already"},
		{"network\n port b vdev net_bonding0 member net_tap1\n port a vdev "
		 "net_tap1,iface=x\n",
			"ALERT 3 'port' a and 'b' (line 2) have a device in common"},
		{"network\n port a pci 03:00.0\n port b vdev net_bonding0 member 03:00.0\n",
			"ALERT 3 'port' b and 'a' (line 2) have a device in common"},
		{"network\n port a vdev net_bonding0 member x\n port b vdev net_bonding1 member "
		 "x\n",
			"ALERT 3 'port' b and 'a' (line 2) have a device in common"},
		{"network\n port b vdev net_bonding0 member a member b member c member d member e"
		 " member f member g member h member i\n",
			"ALERT 2 'port' b: more than 8 members"},
	};

	(void)state;
	expect_mistakes(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_vlans_addresses_and_routes),
		cmocka_unit_test(zones_are_ports),
		cmocka_unit_test(one_port_needs_no_zone),
		cmocka_unit_test(mistakes_with_zones),
		cmocka_unit_test(bonds_have_members),
		cmocka_unit_test(impair_is_read_for_each_direction),
		cmocka_unit_test(impair_is_warned_about),
		cmocka_unit_test(mistakes_are_reported),
		cmocka_unit_test(mistakes_with_bonds),
	};

	return cmocka_run_group_tests_name("reload/network", tests, NULL, NULL);
}
