/* SPDX-License-Identifier: BSD-3-Clause */
/* Section "network": what it becomes, and its mistakes. */
#include "check.h"

#include "fake_config.h"

#define NET "network\n port lan0 vdev net_tap0,iface=t0\n address 10.9.0.2/24 port lan0\n"

static void ports_vlans_addresses_and_routes(void **state)
{
	struct model *m = fake_config_model(
		"network\n cores control 1 workers 0,2-3\n memory 1g\n idle busy\n"
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
	assert_int_equal(n->idle, WORKER_IDLE_BUSY);
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

static void mistakes_are_reported(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
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
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_config f;

		fake_config_load(&f, rows[i].text);
		if (!strstr(f.problems, rows[i].problem))
			fail_msg("row %zu:\n%swanted: %s", i, f.problems, rows[i].problem);
		assert_null(f.model);
		fake_config_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_vlans_addresses_and_routes),
		cmocka_unit_test(mistakes_are_reported),
	};

	return cmocka_run_group_tests_name("reload/network", tests, NULL, NULL);
}
