/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <rte_thash.h>

#include "steer.h"

static struct endpoint endpoint(const char *addr, uint16_t port)
{
	struct endpoint e = {.port = port};

	assert_true(ip_addr_parse(bytes_of_cstr(addr), &e.addr));
	return e;
}

/* The same input as a NIC hashes it: addresses, then ports, as 32-bit words of the host. */
static uint32_t reference_hash(
	const struct steer *s, const struct endpoint *a, const struct endpoint *b)
{
	bool v4 = ip_addr_is_v4(&a->addr);
	uint32_t words[9], n = 0;

	for (size_t i = v4 ? 12 : 0; i < 16; i += 4)
		words[n++] = load_be32(&a->addr.b[i]);
	for (size_t i = v4 ? 12 : 0; i < 16; i += 4)
		words[n++] = load_be32(&b->addr.b[i]);
	words[n++] = (uint32_t)a->port << 16 | b->port;
	return rte_softrss(words, n, s->key);
}

static void hash_is_the_nics(void **state)
{
	static const struct {
		const char *a, *b;
		uint16_t a_port, b_port;
	} rows[] = {
		{"10.9.0.1", "10.9.0.2", 40000, 80},
		{"66.9.149.187", "161.142.100.80", 2794, 1766},
		{"0.0.0.0", "255.255.255.255", 0, 65535},
		{"192.168.1.1", "192.168.1.1", 1, 1},
		{"2001:db8::1", "2001:db8:1:2:3:4:5:6", 443, 51515},
		{"fe80::1", "ff02::1", 546, 547},
		{"::", "::1", 0, 1},
	};
	struct steer s;

	(void)state;
	steer_init(&s, 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint a = endpoint(rows[i].a, rows[i].a_port);
		struct endpoint b = endpoint(rows[i].b, rows[i].b_port);

		assert_int_equal(steer_hash(&s, &a, &b), reference_hash(&s, &a, &b));
		assert_int_equal(steer_hash(&s, &b, &a), steer_hash(&s, &a, &b));
	}
}

static void zones_do_not_reach_the_nic(void **state)
{
	struct endpoint a = endpoint("fe80::1", 80), b = endpoint("fe80::2", 50000), zoned = b;
	struct steer s;

	(void)state;
	steer_init(&s, 2);
	zoned.addr = ip_addr_with_zone(&b.addr, 2);
	assert_int_equal(steer_hash(&s, &a, &zoned), reference_hash(&s, &a, &b));
	assert_int_equal(steer_hash(&s, &zoned, &a), reference_hash(&s, &a, &b));
}

static void every_port_word_has_its_own_hash(void **state)
{
	static bool seen[65536];
	struct endpoint a = endpoint("10.9.0.1", 0), b = endpoint("10.9.0.2", 443);
	struct steer s;

	(void)state;
	steer_init(&s, 1);
	for (uint32_t port = 0; port < ARRAY_LEN(seen); port++) {
		uint32_t hash;

		a.port = (uint16_t)port;
		hash = steer_hash(&s, &a, &b) & 0xffff;
		assert_int_equal(hash, reference_hash(&s, &a, &b) & 0xffff);
		assert_false(seen[hash]);
		seen[hash] = true;
	}
}

static void cores_get_equal_shares(void **state)
{
	struct endpoint server = endpoint("10.9.0.2", 80);

	(void)state;
	for (uint32_t workers = 1; workers <= 63; workers++) {
		uint32_t count[63] = {0}, flows = 0;
		struct steer s;

		steer_init(&s, workers);
		for (uint32_t host = 0; host < 16; host++)
			for (uint32_t port = 32768; port < 32768 + 2048; port++, flows++) {
				struct endpoint client = {
					ip_addr_from_v4(0x0a090100 + host * 37), (uint16_t)port};
				uint32_t core = steer_core(&s, &client, &server);

				assert_true(core < workers);
				assert_int_equal(core, steer_core(&s, &server, &client));
				count[core]++;
			}
		/* A table of 128 gives a core at worst one entry more or less than its due. */
		for (uint32_t i = 0; i < workers; i++) {
			uint32_t entries = STEER_TABLE_SIZE / workers;

			assert_in_range(count[i], flows / STEER_TABLE_SIZE * entries * 9 / 10,
				flows / STEER_TABLE_SIZE * (entries + 1) * 11 / 10);
		}
	}
}

static void control_ports_are_apart(void **state)
{
	struct steer s;

	(void)state;
	steer_init(&s, 3);
	assert_false(steer_is_control_port(&s, STEER_CONTROL_PORT_MIN - 1));
	assert_true(steer_is_control_port(&s, STEER_CONTROL_PORT_MIN));
	assert_true(steer_is_control_port(&s, STEER_CONTROL_PORT_MAX));
	s.control_port_min = s.control_port_max = 0;
	assert_false(steer_is_control_port(&s, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_the_nics),
		cmocka_unit_test(zones_do_not_reach_the_nic),
		cmocka_unit_test(every_port_word_has_its_own_hash),
		cmocka_unit_test(cores_get_equal_shares),
		cmocka_unit_test(control_ports_are_apart),
	};

	return cmocka_run_group_tests_name("steer/steer", tests, NULL, NULL);
}
