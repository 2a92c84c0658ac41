/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "impair.h"
#include "wire.h"

static const struct stat_row stat_rows[] = {
#define STAT STAT_ROW
#include "impair_stat.def"
#undef STAT
};

struct impair_pkt {
	uint64_t at_ns;
	uint64_t order;
	struct rte_mbuf *m;
};

int impair_init(struct impair *im, const struct impair_config *config, uint64_t seed,
	uint32_t count_max, struct error *err)
{
	*im = (struct impair){.config = *config, .count_max = count_max};
	rand_init(&im->rand, seed);
	im->pkts = calloc(count_max, sizeof(*im->pkts));
	if (!im->pkts)
		return error_set(err, -ENOMEM, "no memory for %u packets on a line", count_max);
	return 0;
}

void impair_group_init(struct impair *im, struct stat_group *group, const char *module)
{
	stat_group_init(group, module, stat_rows, IMPAIR_STAT_COUNT, im->stats);
}

void impair_fini(struct impair *im)
{
	for (uint32_t i = 0; i < im->count; i++)
		rte_pktmbuf_free(im->pkts[i].m);
	free(im->pkts);
	*im = (struct impair){0};
}

static bool is_before(const struct impair_pkt *a, const struct impair_pkt *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap(struct impair_pkt *a, struct impair_pkt *b)
{
	struct impair_pkt t = *a;

	*a = *b;
	*b = t;
}

static void heap_push(struct impair *im, struct impair_pkt pkt)
{
	uint32_t i = im->count++;

	im->pkts[i] = pkt;
	for (; i > 0 && is_before(&im->pkts[i], &im->pkts[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&im->pkts[i], &im->pkts[(i - 1) / 2]);
}

static struct impair_pkt heap_pop(struct impair *im)
{
	struct impair_pkt first = im->pkts[0];
	uint32_t i = 0;

	im->pkts[0] = im->pkts[--im->count];
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < im->count && is_before(&im->pkts[child + 1], &im->pkts[child]))
			child++;
		if (child >= im->count || !is_before(&im->pkts[child], &im->pkts[i]))
			return first;
		swap(&im->pkts[i], &im->pkts[child]);
		i = child;
	}
}

/* Always takes a number, so that a chance that is changed leaves later decisions as they were. */
static bool happens(struct impair *im, uint32_t ppm)
{
	return rand_below(&im->rand, IMPAIR_PPM_ALL) < ppm;
}

static struct rte_mbuf *copy_of(struct impair *im, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);

	if (!copy)
		stat_add(&im->stats[IMPAIR_STAT_NO_ROOM], 1);
	return copy;
}

/* Damages a copy: others may share the bytes. */
static struct rte_mbuf *corrupt(struct impair *im, struct rte_mbuf *m)
{
	struct rte_mbuf *bad = copy_of(im, m), *seg = bad;
	uint32_t bit = rand_below(&im->rand, m->pkt_len * 8);

	rte_pktmbuf_free(m);
	if (!bad)
		return NULL;
	for (; bit / 8 >= seg->data_len; seg = seg->next)
		bit -= seg->data_len * 8u;
	*rte_pktmbuf_mtod_offset(seg, uint8_t *, bit / 8) ^= (uint8_t)(1 << bit % 8);
	/* No device vouches for it any more. */
	bad->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	stat_add(&im->stats[IMPAIR_STAT_CORRUPTED], 1);
	return bad;
}

/* Where the first two bytes of the IP header stand, if it says that it is ECN-capable and unmarked;
 * 0: it does not. */
static uint32_t ecn_offset(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = WIRE_ETHER_BYTES;
	uint8_t ecn;

	if (m->data_len < WIRE_ETHER_BYTES + 4 + 20)
		return 0;
	if (load_be16(&p[at - 2]) == WIRE_ETHERTYPE_VLAN)
		at += 4;
	switch (load_be16(&p[at - 2])) {
	case WIRE_ETHERTYPE_IPV4:
		ecn = p[at + 1] & 3;
		break;
	case WIRE_ETHERTYPE_IPV6:
		ecn = p[at + 1] >> 4 & 3;
		break;
	default:
		return 0;
	}
	return ecn == 1 || ecn == 2 ? at : 0;
}

/* As a router does before its queue is full (RFC 3168 5), in a copy. */
static struct rte_mbuf *mark(struct impair *im, struct rte_mbuf *m)
{
	uint32_t at = ecn_offset(m);
	struct rte_mbuf *marked;
	uint16_t before, after;
	uint8_t *p;

	if (at == 0)
		return m;
	marked = copy_of(im, m);
	rte_pktmbuf_free(m);
	if (!marked)
		return NULL;
	stat_add(&im->stats[IMPAIR_STAT_MARKED], 1);
	p = rte_pktmbuf_mtod_offset(marked, uint8_t *, at);
	before = load_be16(p);
	after = before | (p[0] >> 4 == 4 ? 0x0003 : 0x0030);
	store_be16(p, after);
	if (p[0] >> 4 == 4) { /* RFC 1624 equation 3 */
		uint32_t sum = (uint16_t)~load_be16(&p[10]) + (uint32_t)(uint16_t)~before + after;

		sum = (sum & 0xffff) + (sum >> 16);
		store_be16(&p[10], (uint16_t) ~(sum + (sum >> 16)));
	}
	return marked;
}

/* Passes the queue of the line; returns false if that is full. */
static bool pass_rate(struct impair *im, uint64_t now_ns, uint32_t bytes, uint64_t *at)
{
	const struct impair_config *c = &im->config;

	*at = now_ns;
	if (c->rate_bits_per_s == 0)
		return true;
	if (im->line_free_at > now_ns)
		*at = im->line_free_at;
	if (c->queue_bytes_max > 0) {
		double waiting = (double)(*at - now_ns) * (double)c->rate_bits_per_s /
				 (8.0 * (double)NS_PER_SEC);

		if (waiting + bytes > c->queue_bytes_max)
			return false;
	}
	*at += bytes * 8 * NS_PER_SEC / c->rate_bits_per_s;
	im->line_free_at = *at;
	return true;
}

static void put_one(struct impair *im, uint64_t now_ns, struct rte_mbuf *m)
{
	const struct impair_config *c = &im->config;
	bool reordered = happens(im, c->reorder_ppm);
	uint64_t jitter = (uint64_t)((double)c->jitter_ns * (rand_u32(&im->rand) * 0x1p-32));
	uint64_t at;

	if (happens(im, c->corrupt_ppm) && m->pkt_len > 0)
		m = corrupt(im, m);
	if (m && c->mark_ppm && happens(im, c->mark_ppm))
		m = mark(im, m);
	if (!m)
		return;
	if (!pass_rate(im, now_ns, m->pkt_len, &at)) {
		stat_add(&im->stats[IMPAIR_STAT_QUEUE_FULL], 1);
		rte_pktmbuf_free(m);
		return;
	}
	if (im->count == im->count_max) {
		stat_add(&im->stats[IMPAIR_STAT_NO_ROOM], 1);
		rte_pktmbuf_free(m);
		return;
	}
	at += c->delay_ns + jitter;
	if (reordered) {
		at += c->reorder_ns;
		stat_add(&im->stats[IMPAIR_STAT_REORDERED], 1);
	} else {
		at = MAX(at, im->last_at);
		im->last_at = at;
	}
	heap_push(im, (struct impair_pkt){at, im->order++, m});
}

void impair_put(struct impair *im, uint64_t now_ns, struct rte_mbuf *m)
{
	bool lost = happens(im, im->config.loss_ppm);
	bool twice = happens(im, im->config.duplicate_ppm);
	struct rte_mbuf *copy;

	stat_add(&im->stats[IMPAIR_STAT_IN_PKTS], 1);
	if (lost) {
		stat_add(&im->stats[IMPAIR_STAT_LOST], 1);
		rte_pktmbuf_free(m);
		return;
	}
	copy = twice ? copy_of(im, m) : NULL;
	put_one(im, now_ns, m);
	if (copy) {
		stat_add(&im->stats[IMPAIR_STAT_DUPLICATED], 1);
		put_one(im, now_ns, copy);
	}
}

struct rte_mbuf *impair_take(struct impair *im, uint64_t now_ns, uint64_t *at_ns)
{
	struct impair_pkt first;

	if (impair_next_at(im) > now_ns)
		return NULL;
	first = heap_pop(im);
	if (at_ns)
		*at_ns = first.at_ns;
	stat_add(&im->stats[IMPAIR_STAT_OUT_PKTS], 1);
	return first.m;
}

uint64_t impair_next_at(const struct impair *im)
{
	return im->count > 0 ? im->pkts[0].at_ns : UINT64_MAX;
}
