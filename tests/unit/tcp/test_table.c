/* SPDX-License-Identifier: BSD-3-Clause */
/* The connection table against a plain list, with hashes that collide. */
#include "fixture.h"

#define CONNS 48

/* Many tuples share few hashes: long probes, and deletions in the middle of them. */
static void test_table_like_a_list(void **state)
{
	struct fixture f = {.config = {.conns_max = CONNS}};
	struct tcp_conn *conns[CONNS];
	uint32_t hashes[CONNS], in[CONNS] = {0};
	struct rand r;

	(void)state;
	rand_init(&r, 7);
	fixture_init(&f);
	for (uint32_t i = 0; i < CONNS; i++) {
		conns[i] = mem_pool_get(&f.tcp->conns);
		assert_non_null(conns[i]);
		*conns[i] = (struct tcp_conn){.tuple = {.local_port = (uint16_t)i}};
		hashes[i] = (i % 5) | 0xfffffff0u; /* at the end of the table: they wrap */
	}
	for (int round = 0; round < 20000; round++) {
		uint32_t i = rand_below(&r, CONNS);
		uint32_t ref = mem_pool_index(&f.tcp->conns, conns[i]) + 1;

		if (in[i])
			tcp_table_del(&f.tcp->table, hashes[i], ref);
		else
			tcp_table_add(&f.tcp->table, hashes[i], ref);
		in[i] = !in[i];
		i = rand_below(&r, CONNS);
		ref = mem_pool_index(&f.tcp->conns, conns[i]) + 1;
		assert_int_equal(
			tcp_table_find(f.tcp, &conns[i]->tuple, hashes[i]), in[i] ? ref : 0);
	}
	for (uint32_t i = 0; i < CONNS; i++) {
		if (in[i])
			tcp_table_del(&f.tcp->table, hashes[i],
				mem_pool_index(&f.tcp->conns, conns[i]) + 1);
		mem_pool_put(&f.tcp->conns, conns[i]);
	}
	assert_int_equal(f.tcp->table.count, 0);
	fixture_fini(&f);
}

/* RFC 6298 2: the first sample, then smoothing; bounds and backoff. */
static void test_rto(void **state)
{
	static const struct {
		uint32_t rtt_us[4];
		uint8_t backoff;
		uint32_t srtt_us, rto_ms;
	} rows[] = {
		{{0}, 0, 0, TCP_RTO_INIT_MS},
		{{0}, 2, 0, 4 * TCP_RTO_INIT_MS},
		{{100000}, 0, 100000, 301},
		{{100000, 100000}, 0, 100000, 251},
		{{100000, 200000}, 0, 112500, 363},
		{{10}, 0, 10, TCP_RTO_MIN_MS},
		{{100000}, 20, 100000, TCP_RTO_MAX_MS},
		{{4000000000u}, 0, 60000000, TCP_RTO_MAX_MS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tcp_conn c = {.state = TCP_ESTABLISHED, .backoff = rows[i].backoff};

		for (size_t n = 0; n < 4 && rows[i].rtt_us[n]; n++)
			tcp_rtt_sample(&c, rows[i].rtt_us[n]);
		assert_int_equal(c.srtt_us, rows[i].srtt_us);
		assert_int_equal(tcp_rto_backed_off_ms(&c), rows[i].rto_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_like_a_list),
		cmocka_unit_test(test_rto),
	};

	return cmocka_run_group_tests_name("tcp/table", tests, NULL, NULL);
}
