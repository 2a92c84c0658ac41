/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "fake_eal.h"
#include "pkt.h"

#define DATA_COUNT 64
#define REF_COUNT  32

static struct pkt_pools pools;

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	fake_eal_init();
	return pkt_pools_init(&pools, "test", DATA_COUNT, REF_COUNT, SOCKET_ID_ANY, &err);
}

static int teardown(void **state)
{
	(void)state;
	return (int)pkt_pools_fini(&pools);
}

static void fresh_buffers_have_their_room(void **state)
{
	struct rte_mbuf *m = pkt_alloc(&pools);

	(void)state;
	assert_int_equal(rte_pktmbuf_headroom(m), PKT_HEADROOM_BYTES);
	assert_int_equal(rte_pktmbuf_tailroom(m), 2048);
	assert_int_equal(m->pkt_len, 0);
	assert_int_equal(pkt_pools_used(&pools), 1);
	pkt_free(m);
	pkt_free(NULL);
	assert_int_equal(pkt_pools_used(&pools), 0);
}

static void empty_pools_count(void **state)
{
	struct rte_mbuf *data[DATA_COUNT], *ref[REF_COUNT];

	(void)state;
	for (int i = 0; i < DATA_COUNT; i++)
		assert_non_null(data[i] = pkt_alloc(&pools));
	assert_null(pkt_alloc(&pools));
	assert_int_equal(pools.stats[PKT_STAT_NO_DATA], 1);
	for (int i = 0; i < REF_COUNT; i++)
		assert_non_null(ref[i] = pkt_ref(&pools, data[0], 0, 0));
	assert_null(pkt_ref(&pools, data[0], 0, 0));
	assert_int_equal(pools.stats[PKT_STAT_NO_REF], 1);
	assert_int_equal(pkt_pools_used(&pools), DATA_COUNT + REF_COUNT);
	for (int i = 0; i < DATA_COUNT; i++)
		pkt_free(data[i]);
	assert_int_equal(pkt_pools_used(&pools), 1 + REF_COUNT);
	for (int i = 0; i < REF_COUNT; i++)
		pkt_free(ref[i]);
	assert_int_equal(pkt_pools_used(&pools), 0);
}

static void references_outlive_what_they_point_into(void **state)
{
	struct rte_mbuf *m = pkt_alloc(&pools), *a, *b;

	(void)state;
	memcpy(rte_pktmbuf_append(m, 10), "0123456789", 10);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_TX_TCP_SEG;
	m->l4_len = 20;
	a = pkt_ref(&pools, m, 2, 6);
	b = pkt_ref(&pools, a, 1, 3);
	pkt_free(m);
	pkt_free(a);
	assert_int_equal(b->data_len, 3);
	assert_int_equal(b->pkt_len, 3);
	assert_int_equal(b->ol_flags, RTE_MBUF_F_INDIRECT);
	assert_int_equal(b->tx_offload, 0);
	assert_memory_equal(rte_pktmbuf_mtod(b, char *), "345", 3);
	assert_int_equal(pkt_pools_used(&pools), 2);
	pkt_free(b);
}

static void no_memory_is_told(void **state)
{
	struct pkt_pools big;
	struct error err = {0};

	(void)state;
	assert_int_equal(pkt_pools_init(&big, "big", 10000000, 16, SOCKET_ID_ANY, &err), -ENOMEM);
	assert_int_equal(err.code, -ENOMEM);
	assert_non_null(strstr(err.text, "10000000"));
	assert_int_equal(pkt_pools_fini(&big), 0);

	error_clear(&err);
	assert_int_equal(pkt_pools_init(&big, "big", 16, 100000000, SOCKET_ID_ANY, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "100000000"));
	assert_null(big.data);
	assert_int_equal(pkt_pools_fini(NULL), 0);
}

static void fini_tells_leaks(void **state)
{
	struct pkt_pools leaky;
	struct error err = {0};

	(void)state;
	assert_int_equal(pkt_pools_init(&leaky, "leaky", 8, 8, SOCKET_ID_ANY, &err), 0);
	pkt_alloc(&leaky);
	pkt_ref(&leaky, pkt_alloc(&leaky), 0, 0);
	assert_int_equal(pkt_pools_fini(&leaky), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fresh_buffers_have_their_room, setup, teardown),
		cmocka_unit_test_setup_teardown(empty_pools_count, setup, teardown),
		cmocka_unit_test_setup_teardown(
			references_outlive_what_they_point_into, setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(fini_tells_leaks, setup, teardown),
	};

	return cmocka_run_group_tests_name("pkt/pools", tests, NULL, NULL);
}
