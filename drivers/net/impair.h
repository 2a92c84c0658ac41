/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * impair: one direction of a bad line. Packets go in now and come out later, or never, or twice,
 * or damaged. All from a seed and the caller's clock. One owner.
 *
 * In this order: lost; duplicated; then each copy by itself: damaged (one bit), marked, queued
 * behind what the line still has to send (rate), delayed. The order of packets is kept, whatever
 * the jitter, but for those that reordering picks: they come reorder_ns later than they would.
 */
#ifndef WEIR_IMPAIR_H
#define WEIR_IMPAIR_H

#include <rte_mbuf.h>

#include "base_error.h"
#include "port_impair.h"
#include "rand.h"
#include "stat.h"

enum impair_stat {
#define STAT(symbol, kind, text) IMPAIR_STAT_##symbol,
#include "impair_stat.def"
#undef STAT
	IMPAIR_STAT_COUNT,
};

struct impair {
	struct impair_config config; /* may be changed at any time; for packets that come after */
	uint64_t stats[IMPAIR_STAT_COUNT]; /* others read them by stat_read */
	struct rand rand;
	uint64_t line_free_at; /* when the rate lets the next packet start */
	uint64_t last_at;      /* when the last packet that keeps the order comes out */
	uint64_t order;        /* packets so far: the order among those of one time */
	uint32_t count;
	uint32_t count_max;
	struct impair_pkt *pkts; /* a heap by time and order */
};

/** Room for count_max packets under way. Returns 0 or -ENOMEM. */
int impair_init(struct impair *im, const struct impair_config *config, uint64_t seed,
	uint32_t count_max, struct error *err);

/** Frees the packets under way. Safe on a zeroed one. */
void impair_fini(struct impair *im);

/** Start-up: makes the counters a group of this module ("impair_in"). */
void impair_group_init(struct impair *im, struct stat_group *group, const char *module);

/** Takes a packet. Copies that it needs come from the packet's own pool. */
void impair_put(struct impair *im, uint64_t now_ns, struct rte_mbuf *m);

/** The next packet that is due, which the caller owns; NULL if none is. *at_ns (may be NULL) tells
 * when it was. */
struct rte_mbuf *impair_take(struct impair *im, uint64_t now_ns, uint64_t *at_ns);

/** When the next packet is due; UINT64_MAX if none is under way. */
uint64_t impair_next_at(const struct impair *im);

#endif
