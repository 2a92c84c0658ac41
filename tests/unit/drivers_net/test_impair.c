/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "fake_eal.h"
#include "impair.h"
#include "pkt.h"
#include "wire.h"

#define COUNT 10000

static struct pkt_pools pools;

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	fake_eal_init();
	return pkt_pools_init(&pools, "test", COUNT * 2, 1, SOCKET_ID_ANY, &err);
}

static int teardown(void **state)
{
	(void)state;
	return (int)pkt_pools_fini(&pools);
}

static struct rte_mbuf *numbered(uint32_t number, uint16_t len)
{
	struct rte_mbuf *m = pkt_alloc(&pools);

	memset(rte_pktmbuf_append(m, len), 0, len);
	memcpy(rte_pktmbuf_mtod(m, void *), &number, sizeof(number));
	return m;
}

static uint32_t number_of(const struct rte_mbuf *m)
{
	uint32_t number;

	memcpy(&number, rte_pktmbuf_mtod(m, void *), sizeof(number));
	return number;
}

static void start(struct impair *im, const struct impair_config *config, uint64_t seed)
{
	struct error err = {0};

	assert_int_equal(impair_init(im, config, seed, COUNT * 2, &err), 0);
}

static void a_perfect_line_keeps_all(void **state)
{
	struct impair_config config = {0};
	struct impair im;

	(void)state;
	start(&im, &config, 1);
	assert_true(impair_next_at(&im) == UINT64_MAX);
	for (uint32_t i = 0; i < 100; i++)
		impair_put(&im, 5, numbered(i, 60));
	assert_int_equal(impair_next_at(&im), 5);
	assert_null(impair_take(&im, 4, NULL));
	for (uint32_t i = 0; i < 100; i++) {
		uint64_t at;
		struct rte_mbuf *m = impair_take(&im, 100, &at);

		assert_int_equal(number_of(m), i);
		assert_int_equal(at, 5);
		pkt_free(m);
	}
	assert_null(impair_take(&im, 100, NULL));
	impair_fini(&im);
}

static void jitter_keeps_the_order(void **state)
{
	struct impair_config config = {.delay_ns = 1000, .jitter_ns = 5000};
	uint64_t last = 0, longest = 0;
	struct impair im;

	(void)state;
	start(&im, &config, 3);
	for (uint32_t i = 0; i < 1000; i++)
		impair_put(&im, 100 + i * UINT64_C(10), numbered(i, 60));
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t at, sent = 100 + i * UINT64_C(10);
		struct rte_mbuf *m = impair_take(&im, UINT64_MAX - 1, &at);

		assert_int_equal(number_of(m), i);
		assert_true(at >= last);
		assert_in_range(at - sent, 1000, 6000);
		longest = MAX(longest, at - sent);
		last = at;
		pkt_free(m);
	}
	assert_in_range(longest, 5000, 6000);
	impair_fini(&im);
}

/* Counts within 4 standard deviations of what the chance says. */
static void assert_about(uint64_t count, uint64_t of, uint32_t ppm)
{
	double want = (double)of * ppm / IMPAIR_PPM_ALL, off = (double)count - want;

	assert_true(off * off <= 16 * want);
}

static void chances_are_as_told(void **state)
{
	struct impair_config config = {.delay_ns = 100,
		.loss_ppm = 50000,
		.duplicate_ppm = 20000,
		.corrupt_ppm = 10000,
		.reorder_ppm = 30000,
		.reorder_ns = 500};
	uint32_t out = 0, late = 0, highest = 0;
	struct impair im;
	struct rte_mbuf *m;

	(void)state;
	start(&im, &config, 7);
	for (uint32_t i = 0; i < COUNT; i++)
		impair_put(&im, i * UINT64_C(10), numbered(i << 8, 100));
	while ((m = impair_take(&im, UINT64_MAX - 1, NULL))) {
		late += number_of(m) >> 8 < highest && number_of(m) >> 8 < COUNT;
		highest = MAX(highest, number_of(m) >> 8);
		out++;
		pkt_free(m);
	}
	assert_int_equal(im.stats[IMPAIR_STAT_IN_PKTS], COUNT);
	assert_int_equal(im.stats[IMPAIR_STAT_OUT_PKTS], out);
	assert_int_equal(
		out, COUNT - im.stats[IMPAIR_STAT_LOST] + im.stats[IMPAIR_STAT_DUPLICATED]);
	assert_about(im.stats[IMPAIR_STAT_LOST], COUNT, config.loss_ppm);
	assert_about(im.stats[IMPAIR_STAT_DUPLICATED], COUNT, config.duplicate_ppm);
	assert_about(im.stats[IMPAIR_STAT_CORRUPTED], COUNT, config.corrupt_ppm);
	assert_about(im.stats[IMPAIR_STAT_REORDERED], COUNT, config.reorder_ppm);
	assert_true(late > 0);
	impair_fini(&im);
}

static void corruption_changes_one_bit_of_a_copy(void **state)
{
	struct impair_config config = {.corrupt_ppm = IMPAIR_PPM_ALL};
	struct impair im;

	(void)state;
	start(&im, &config, 9);
	for (int round = 0; round < 200; round++) {
		struct rte_mbuf *m = numbered(0, 40), *tail = numbered(0, 25), *out;
		uint32_t bits = 0;

		rte_pktmbuf_chain(m, tail);
		rte_mbuf_refcnt_update(tail, 1); /* somebody else looks at it */
		impair_put(&im, 0, m);
		out = impair_take(&im, 0, NULL);
		for (const struct rte_mbuf *seg = out; seg; seg = seg->next)
			for (uint16_t i = 0; i < seg->data_len; i++)
				bits += (uint32_t)__builtin_popcount(
					rte_pktmbuf_mtod(seg, uint8_t *)[i]);
		assert_int_equal(out->pkt_len, 65);
		assert_int_equal(bits, 1);
		assert_int_equal(number_of(tail), 0);
		pkt_free(out);
		pkt_free(tail);
	}
	impair_fini(&im);
}

/* An IP header behind Ethernet, with a tag or without, or none at all. */
static struct rte_mbuf *packet(uint16_t ethertype, bool tagged, uint8_t ecn)
{
	struct rte_mbuf *m = pkt_alloc(&pools);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, 60);
	uint8_t *ip = p + (tagged ? 18 : 14);

	assert_non_null(m);
	memset(p, 0, 60);
	store_be16(&p[12], tagged ? WIRE_ETHERTYPE_VLAN : ethertype);
	store_be16(&ip[-2], ethertype);
	store_be16(ip, ethertype == WIRE_ETHERTYPE_IPV6 ? (uint16_t)(0x6000 | ecn << 4)
							: (uint16_t)(0x4500 | ecn));
	ip[8] = 64;
	if (ethertype == WIRE_ETHERTYPE_IPV4)
		store_be16(&ip[10], wire_checksum_fold(wire_checksum_add(0, ip, 20)));
	return m;
}

static void marks_are_for_what_bears_them(void **state)
{
	static const struct {
		uint16_t ethertype;
		bool tagged;
		uint8_t ecn, marked;
	} rows[] = {
		{WIRE_ETHERTYPE_IPV4, false, 0, 0},
		{WIRE_ETHERTYPE_IPV4, false, 1, 3},
		{WIRE_ETHERTYPE_IPV4, false, 2, 3},
		{WIRE_ETHERTYPE_IPV4, true, 2, 3},
		{WIRE_ETHERTYPE_IPV4, false, 3, 3},
		{WIRE_ETHERTYPE_IPV6, false, 0, 0},
		{WIRE_ETHERTYPE_IPV6, false, 2, 3},
		{WIRE_ETHERTYPE_IPV6, true, 1, 3},
		{WIRE_ETHERTYPE_ARP, false, 2, 2},
	};
	struct impair_config config = {.mark_ppm = IMPAIR_PPM_ALL};
	struct impair im;
	uint32_t marks = 0;

	(void)state;
	start(&im, &config, 9);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rte_mbuf *m = packet(rows[i].ethertype, rows[i].tagged, rows[i].ecn), *out;
		struct rte_mbuf *want = packet(rows[i].ethertype, rows[i].tagged, rows[i].marked);

		impair_put(&im, 0, m);
		out = impair_take(&im, 0, NULL);
		assert_non_null(out);
		assert_memory_equal(
			rte_pktmbuf_mtod(out, void *), rte_pktmbuf_mtod(want, void *), 60);
		marks += rows[i].marked != rows[i].ecn;
		pkt_free(out);
		pkt_free(want);
	}
	assert_int_equal(im.stats[IMPAIR_STAT_MARKED], marks);
	impair_put(&im, 0, numbered(0, 12)); /* too short to be anything */
	pkt_free(impair_take(&im, 0, NULL));
	impair_fini(&im);
}

static void the_rate_spaces_and_the_queue_overflows(void **state)
{
	/* 8 Mbit/s: a microsecond for each byte. */
	struct impair_config config = {
		.delay_ns = 7, .rate_bits_per_s = 8000000, .queue_bytes_max = 1000};
	struct impair im;

	(void)state;
	start(&im, &config, 1);
	for (uint32_t i = 0; i < 15; i++)
		impair_put(&im, 0, numbered(i, 100));
	assert_int_equal(im.stats[IMPAIR_STAT_QUEUE_FULL], 5);
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t at;
		struct rte_mbuf *m = impair_take(&im, UINT64_MAX - 1, &at);

		assert_int_equal(number_of(m), i);
		assert_int_equal(at, (i + 1) * 100 * NS_PER_US + 7);
		pkt_free(m);
	}
	/* The line is free again, and does not save up idle time. */
	impair_put(&im, NS_PER_SEC, numbered(0, 100));
	assert_int_equal(impair_next_at(&im), NS_PER_SEC + 100 * NS_PER_US + 7);
	impair_fini(&im);
}

static void a_full_table_drops_the_newest(void **state)
{
	struct impair_config config = {.delay_ns = 1};
	struct error err = {0};
	struct impair im;

	(void)state;
	assert_int_equal(impair_init(&im, &config, 1, 3, &err), 0);
	for (uint32_t i = 0; i < 5; i++)
		impair_put(&im, 0, numbered(i, 60));
	assert_int_equal(im.stats[IMPAIR_STAT_NO_ROOM], 2);
	for (uint32_t i = 0; i < 3; i++) {
		struct rte_mbuf *m = impair_take(&im, 1, NULL);

		assert_int_equal(number_of(m), i);
		pkt_free(m);
	}
	impair_put(&im, 0, numbered(9, 60));
	impair_fini(&im); /* frees what is under way */
}

static uint64_t run(uint64_t seed)
{
	struct impair_config config = {.delay_ns = 100,
		.jitter_ns = 1000,
		.loss_ppm = 100000,
		.duplicate_ppm = 100000,
		.corrupt_ppm = 100000,
		.reorder_ppm = 100000,
		.reorder_ns = 777};
	uint64_t digest = 0, at;
	struct impair im;
	struct rte_mbuf *m;

	start(&im, &config, seed);
	for (uint32_t i = 0; i < 200; i++)
		impair_put(&im, i, numbered(i, 60));
	while ((m = impair_take(&im, UINT64_MAX - 1, &at))) {
		digest = hash_bytes(rte_pktmbuf_mtod(m, void *), m->data_len, digest ^ at);
		pkt_free(m);
	}
	impair_fini(&im);
	return digest;
}

static void a_seed_gives_one_run(void **state)
{
	(void)state;
	assert_true(run(42) == run(42));
	assert_true(run(42) != run(43));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_perfect_line_keeps_all),
		CASE(jitter_keeps_the_order),
		CASE(chances_are_as_told),
		CASE(corruption_changes_one_bit_of_a_copy),
		CASE(marks_are_for_what_bears_them),
		CASE(the_rate_spaces_and_the_queue_overflows),
		CASE(a_full_table_drops_the_newest),
		CASE(a_seed_gives_one_run),
	};

	return cmocka_run_group_tests_name("drivers_net/impair", tests, NULL, NULL);
}
