/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains: single cases by hand, then random operations on two chains that are compared with plain
 * arrays of bytes after each step. Every case ends with all chains freed; the teardown fails if a
 * buffer is missing.
 */
#include "check.h"

#include "fake_eal.h"
#include "pkt.h"
#include "rand.h"

#define MODEL_MAX 20000

static struct pkt_pools pools;

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	fake_eal_init();
	return pkt_pools_init(&pools, "test", 256, 256, SOCKET_ID_ANY, &err);
}

static int teardown(void **state)
{
	(void)state;
	return (int)pkt_pools_fini(&pools);
}

/* A packet whose segments are the strings up to NULL. */
static struct rte_mbuf *packet(const char *const *texts)
{
	struct rte_mbuf *first = NULL;

	for (; *texts; texts++) {
		struct rte_mbuf *m = pkt_alloc(&pools);

		memcpy(rte_pktmbuf_append(m, (uint16_t)strlen(*texts)), *texts, strlen(*texts));
		if (first)
			rte_pktmbuf_chain(first, m);
		else
			first = m;
	}
	return first;
}

static void assert_chain(const struct pkt_chain *c, const void *want, size_t len)
{
	static uint8_t buf[MODEL_MAX + 1];
	uint32_t bytes = 0, held = 0, segs = 0;
	const struct rte_mbuf *last = NULL;

	for (const struct rte_mbuf *m = c->head; m; last = m, m = m->next) {
		assert_int_not_equal(m->data_len, 0);
		bytes += m->data_len;
		held += m->buf_len;
		segs++;
	}
	assert_ptr_equal(c->tail, last);
	assert_int_equal(c->bytes, bytes);
	assert_int_equal(c->held_bytes, held);
	assert_int_equal(c->segs, segs);
	assert_int_equal(c->bytes, len);
	assert_int_equal(pkt_chain_copy_out(c, 0, buf, sizeof(buf)), len);
	if (len > 0)
		assert_memory_equal(buf, want, len);
}

static struct pkt_chain chain_of(const char *const *texts)
{
	struct pkt_chain c;

	pkt_chain_init(&c);
	pkt_chain_append(&c, packet(texts));
	return c;
}

#define CHAIN(...) chain_of((const char *const[]){__VA_ARGS__, NULL})

static void append_leaves_out_empty_segments(void **state)
{
	struct pkt_chain c = CHAIN("", "ab", "", "cde", "");

	(void)state;
	assert_chain(&c, "abcde", 5);
	assert_int_equal(c.segs, 2);
	assert_int_equal(c.held_bytes, 2 * PKT_DATA_ROOM_BYTES);
	assert_int_equal(pkt_pools_used(&pools), 2);
	assert_true(bytes_eq(pkt_chain_front(&c), BYTES_LIT("ab")));
	pkt_chain_append(&c, packet((const char *const[]){"", NULL}));
	assert_chain(&c, "abcde", 5);
	pkt_chain_free(&c);
	assert_true(pkt_chain_is_empty(&c));
	assert_int_equal(pkt_chain_front(&c).len, 0);
}

static void splices_move_all(void **state)
{
	struct pkt_chain a = CHAIN("ab"), b = CHAIN("cd", "ef"), none;

	(void)state;
	pkt_chain_init(&none);
	pkt_chain_splice(&a, &b);
	assert_chain(&a, "abcdef", 6);
	assert_chain(&b, "", 0);
	pkt_chain_splice(&a, &none);
	pkt_chain_splice(&none, &a);
	assert_chain(&none, "abcdef", 6);
	a = CHAIN("yz");
	pkt_chain_splice_front(&none, &a);
	assert_chain(&none, "yzabcdef", 8);
	pkt_chain_splice_front(&none, &a);
	assert_chain(&none, "yzabcdef", 8);
	pkt_chain_splice_front(&a, &none);
	assert_chain(&a, "yzabcdef", 8);
	pkt_chain_free(&a);
}

static void take_shares_the_cut_segment(void **state)
{
	struct pkt_chain from = CHAIN("abc", "defg"), to = CHAIN("-");

	(void)state;
	assert_int_equal(pkt_chain_take(&from, 0, &to, &pools), 0);
	assert_int_equal(pkt_chain_take(&from, 5, &to, &pools), 5);
	assert_chain(&to, "-abcde", 6);
	assert_chain(&from, "fg", 2);
	assert_int_equal(to.held_bytes, 3 * PKT_DATA_ROOM_BYTES);
	assert_int_equal(pkt_chain_take(&from, 99, &to, &pools), 2);
	assert_chain(&to, "-abcdefg", 8);
	assert_chain(&from, "", 0);
	pkt_chain_free(&to);
}

static void take_without_references_stops_at_a_segment(void **state)
{
	struct pkt_chain from = CHAIN("abc", "defg"), to, refs;

	(void)state;
	pkt_chain_init(&to);
	pkt_chain_init(&refs);
	for (struct rte_mbuf *m; (m = pkt_ref(&pools, from.head, 0, 1));)
		pkt_chain_append(&refs, m);
	assert_int_equal(pkt_chain_take(&from, 5, &to, &pools), 3);
	assert_chain(&to, "abc", 3);
	assert_chain(&from, "defg", 4);
	assert_null(pkt_chain_ref(&from, 0, 1, &pools, NULL));
	pkt_chain_free(&refs);
	pkt_chain_free(&to);
	pkt_chain_free(&from);
}

static void ref_needs_all_or_nothing(void **state)
{
	struct pkt_chain c = CHAIN("a", "b", "c"), refs;
	struct rte_mbuf *m;

	(void)state;
	pkt_chain_init(&refs);
	while ((m = pkt_ref(&pools, c.head, 0, 1)))
		pkt_chain_append(&refs, m);
	pkt_chain_drop(&refs, 2);
	assert_null(pkt_chain_ref(&c, 0, 3, &pools, NULL));
	m = pkt_chain_ref(&c, 1, 2, &pools, NULL);
	assert_int_equal(m->nb_segs, 2);
	assert_int_equal(m->pkt_len, 2);
	pkt_free(m);
	pkt_chain_free(&refs);
	pkt_chain_free(&c);
}

static void ref_refuses_what_is_not_there(void **state)
{
	static const struct {
		uint32_t off, n;
	} rows[] = {{0, 0}, {0, 6}, {5, 1}, {6, 0}, {1, UINT32_MAX}, {UINT32_MAX, 2}};
	struct pkt_chain c = CHAIN("abc", "de"), none;

	(void)state;
	pkt_chain_init(&none);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_null(pkt_chain_ref(&c, rows[i].off, rows[i].n, &pools, NULL));
	assert_null(pkt_chain_ref(&none, 0, 1, &pools, NULL));
	pkt_chain_free(&c);
}

static void hint_gives_what_no_hint_gives(void **state)
{
	struct pkt_chain c = CHAIN("abc", "d", "efgh", "ij");
	struct pkt_chain_hint hint = {0};

	(void)state;
	for (uint32_t step = 1; step < 5; step++)
		for (uint32_t off = 0; off < c.bytes; off += step) {
			uint32_t n = MIN(step, c.bytes - off);
			struct rte_mbuf *m = pkt_chain_ref(&c, off, n, &pools, &hint);
			char buf[8];

			assert_int_equal(m->pkt_len, n);
			assert_true(hint.seg_off <= off + n - 1);
			assert_memory_equal(rte_pktmbuf_read(m, 0, n, buf), &"abcdefghij"[off], n);
			pkt_free(m);
		}
	pkt_chain_free(&c);
}

static void write_spares_shared_buffers(void **state)
{
	struct pkt_chain c = CHAIN("abc");
	struct rte_mbuf *ref;

	(void)state;
	assert_int_equal(pkt_chain_write(&c, BYTES_LIT("de"), &pools), 2);
	assert_int_equal(c.segs, 1);
	ref = pkt_chain_ref(&c, 0, 5, &pools, NULL);
	assert_int_equal(pkt_chain_write(&c, BYTES_LIT("fg"), &pools), 2);
	assert_int_equal(c.segs, 2);
	assert_int_equal(pkt_chain_write(&c, BYTES_NONE, &pools), 0);
	pkt_free(ref);
	assert_chain(&c, "abcdefg", 7);
	pkt_chain_free(&c);
}

static void write_stops_when_the_pool_is_empty(void **state)
{
	static char big[257 * 2048];
	struct pkt_chain c;

	(void)state;
	pkt_chain_init(&c);
	assert_int_equal(pkt_chain_write(&c, bytes_of(big, sizeof(big)), &pools), 256 * 2048);
	assert_int_equal(c.segs, 256);
	assert_int_equal(pools.stats[PKT_STAT_NO_DATA], 1);
	pkt_chain_free(&c);
}

static void compact_gathers_drops(void **state)
{
	struct pkt_chain c;
	char want[100];

	(void)state;
	pkt_chain_init(&c);
	for (size_t i = 0; i < sizeof(want); i++) {
		char text[2] = {(char)('a' + i % 26)};

		want[i] = text[0];
		pkt_chain_append(&c, packet((const char *const[]){text, NULL}));
	}
	assert_int_equal(pkt_chain_compact(&c, 4, &pools), 99 * PKT_DATA_ROOM_BYTES);
	assert_chain(&c, want, sizeof(want));
	assert_int_equal(pkt_pools_used(&pools), 1);
	assert_int_equal(pkt_chain_compact(&c, 4, &pools), 0);
	assert_int_equal(pools.stats[PKT_STAT_COMPACTED], 100);
	pkt_chain_free(&c);
}

static void compact_leaves_what_pays_not(void **state)
{
	static char full[2048];
	struct pkt_chain c = CHAIN("a");

	(void)state;
	assert_int_equal(pkt_chain_compact(&c, 2, &pools), 0);
	c.tail->data_off = PKT_DATA_ROOM_BYTES - 1; /* no room behind it */
	pkt_chain_write(&c, bytes_of(full, sizeof(full)), &pools);
	assert_int_equal(pkt_chain_compact(&c, 2, &pools), 0);
	assert_int_equal(pools.stats[PKT_STAT_COMPACTED], 0);
	pkt_chain_free(&c);
}

static void compact_survives_an_empty_pool(void **state)
{
	struct pkt_chain c = CHAIN("a", "b", "c"), rest;
	struct rte_mbuf *m;

	(void)state;
	pkt_chain_init(&rest);
	while ((m = pkt_alloc(&pools))) {
		m->data_len = 1;
		pkt_chain_append(&rest, m);
	}
	assert_int_equal(pkt_chain_compact(&c, 2, &pools), 0);
	assert_chain(&c, "abc", 3);
	pkt_chain_free(&rest);
	pkt_chain_free(&c);
}

/* The model: two chains and what they must hold. */
struct pair {
	struct pkt_chain chain[2];
	uint8_t bytes[2][MODEL_MAX];
	uint32_t len[2];
	uint8_t next; /* value of the next byte made */
	struct rand rand;
};

static void model_move(struct pair *p, int from, uint32_t n)
{
	memcpy(p->bytes[!from] + p->len[!from], p->bytes[from], n);
	p->len[!from] += n;
	p->len[from] -= n;
	memmove(p->bytes[from], p->bytes[from] + n, p->len[from]);
}

static void grow(struct pair *p, int at, uint32_t n)
{
	uint8_t *fresh = p->bytes[at] + p->len[at];

	for (uint32_t i = 0; i < n; i++)
		fresh[i] = p->next++;
	if (rand_below(&p->rand, 2)) {
		struct rte_mbuf *m = pkt_alloc(&pools);

		if (!m)
			return;
		n = MIN(n, 2048u);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), fresh, n);
		pkt_chain_append(&p->chain[at], m);
	} else {
		n = pkt_chain_write(&p->chain[at], bytes_of((char *)fresh, n), &pools);
	}
	p->len[at] += n;
}

static void ref_and_check(struct pair *p, int at)
{
	static uint8_t buf[MODEL_MAX];
	uint32_t off = rand_below(&p->rand, p->len[at] + 1);
	uint32_t n = rand_below(&p->rand, p->len[at] - off + 1);
	struct rte_mbuf *m = pkt_chain_ref(&p->chain[at], off, n, &pools, NULL);

	assert_int_equal(pkt_chain_copy_out(&p->chain[at], off, buf, n), n);
	assert_true(n == 0 || memcmp(buf, p->bytes[at] + off, n) == 0);
	if (m) {
		const void *read = rte_pktmbuf_read(m, 0, n, buf);

		assert_int_equal(m->pkt_len, n);
		rte_mbuf_sanity_check(m, 1);
		assert_memory_equal(read, p->bytes[at] + off, n);
	}
	pkt_free(m);
}

static void random_step(struct pair *p)
{
	int at = (int)rand_below(&p->rand, 2);
	struct pkt_chain *c = &p->chain[at], *other = &p->chain[!at];
	uint32_t n = rand_below(&p->rand, p->len[at] + 2);

	switch (rand_below(&p->rand, 8)) {
	case 0:
	case 1:
		n = 1 + rand_below(&p->rand, rand_below(&p->rand, 2) ? 20 : 5000);
		if (p->len[0] + p->len[1] + n <= MODEL_MAX)
			grow(p, at, n);
		break;
	case 2:
		n = pkt_chain_take(c, n, other, &pools);
		model_move(p, at, n);
		break;
	case 3:
		assert_int_equal(pkt_chain_drop(c, n), MIN(n, p->len[at]));
		n = MIN(n, p->len[at]);
		p->len[at] -= n;
		memmove(p->bytes[at], p->bytes[at] + n, p->len[at]);
		break;
	case 4:
		pkt_chain_cut(c, n);
		p->len[at] = MIN(n, p->len[at]);
		break;
	case 5:
		ref_and_check(p, at);
		break;
	case 6:
		pkt_chain_compact(c, 2 + rand_below(&p->rand, 8), &pools);
		break;
	default:
		if (rand_below(&p->rand, 4) == 0) {
			pkt_chain_splice(other, c);
			model_move(p, at, p->len[at]);
		} else {
			pkt_chain_splice_front(c, other);
			model_move(p, at, p->len[at]);
			pkt_chain_splice(other, c);
		}
		break;
	}
}

static void random_operations_agree_with_arrays(void **state)
{
	static struct pair p;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		memset(&p, 0, sizeof(p));
		rand_init(&p.rand, seed);
		for (int step = 0; step < 400; step++) {
			random_step(&p);
			for (int i = 0; i < 2; i++)
				assert_chain(&p.chain[i], p.bytes[i], p.len[i]);
		}
		pkt_chain_free(&p.chain[0]);
		pkt_chain_free(&p.chain[1]);
		if (pkt_pools_used(&pools) != 0)
			fail_msg("seed %d leaks", (int)seed);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(append_leaves_out_empty_segments),
		CASE(splices_move_all),
		CASE(take_shares_the_cut_segment),
		CASE(take_without_references_stops_at_a_segment),
		CASE(ref_needs_all_or_nothing),
		CASE(ref_refuses_what_is_not_there),
		CASE(hint_gives_what_no_hint_gives),
		CASE(write_spares_shared_buffers),
		CASE(write_stops_when_the_pool_is_empty),
		CASE(compact_gathers_drops),
		CASE(compact_leaves_what_pays_not),
		CASE(compact_survives_an_empty_pool),
		CASE(random_operations_agree_with_arrays),
	};

	return cmocka_run_group_tests_name("pkt/chain", tests, NULL, NULL);
}
