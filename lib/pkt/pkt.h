/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pkt: buffers (rte_mbuf) with ownership.
 *
 * A packet is one rte_mbuf chain as DPDK knows it. A struct pkt_chain is a string of payload
 * bytes: segments linked by `next`, without regard to the packets they arrived in; pkt_len and
 * nb_segs of its segments are not kept. Bytes move from chain to chain by reference: taking a
 * part of a segment makes an indirect buffer that shares the data.
 *
 * A chain owns its segments. Functions that take a chain's content leave it empty and usable.
 * `held_bytes` is the memory that the segments pin (the whole data room of each), which is what
 * a connection is charged for.
 *
 * Every core has its own struct pkt_pools. Buffers may be freed on any core.
 */
#ifndef WEIR_PKT_H
#define WEIR_PKT_H

#include <rte_mbuf.h>

#include "base_bytes.h"
#include "base_error.h"
#include "stat.h"

/* Room in front of the payload of what we build ourselves: Ethernet with VLAN, IPv6, TCP with
 * all options. */
#define PKT_HEADROOM_BYTES  128
#define PKT_DATA_ROOM_BYTES (PKT_HEADROOM_BYTES + 2048)
#define PKT_BURST_MAX       64

enum pkt_stat {
#define STAT(sym, kind, text) PKT_STAT_##sym,
#include "pkt_stat.def"
#undef STAT
	PKT_STAT_COUNT,
};

struct pkt_pools {
	struct rte_mempool *data; /* with data room; ports receive into it */
	struct rte_mempool *ref;  /* without: indirect buffers that point into others */
	uint64_t stats[PKT_STAT_COUNT];
	struct stat_group group;
};

/**
 * Start-up; needs an initialised EAL. `name` is unique in the process and at most 16 characters;
 * numa_node may be SOCKET_ID_ANY. Returns 0 or -ENOMEM with *err saying how much was wanted.
 * A buffer may rest in the cache of the core that freed it: reserve some more than are needed at
 * once (256 per core and pool).
 */
int pkt_pools_init(struct pkt_pools *pools, const char *name, uint32_t data_count,
	uint32_t ref_count, int numa_node, struct error *err);

/** NULL-safe, and safe on zeroed pools. Returns the number of buffers that were never freed. */
uint32_t pkt_pools_fini(struct pkt_pools *pools);

/** Any core: buffers in use now, data and ref together. For tests and statistics: it looks at the
 * cache of every core, and is exact only while no other core allocates or frees. */
uint32_t pkt_pools_used(const struct pkt_pools *pools);

/** The owner's core: how much of the pool that has least is free, in percent. Buffers in the caches
 * of other cores count as used. A look at two rings: cheap enough for every turn. */
uint32_t pkt_pools_free_pct(const struct pkt_pools *pools);

/** A fresh data buffer with PKT_HEADROOM_BYTES in front, or NULL (counted as PKT_STAT_NO_DATA). */
struct rte_mbuf *pkt_alloc(struct pkt_pools *pools);

/**
 * An indirect buffer for `len` bytes from offset `off` of one segment (which has that many); the
 * bytes stay valid as long as either lives. It has no offload flags. NULL if the pool is empty
 * (counted as PKT_STAT_NO_REF).
 */
struct rte_mbuf *pkt_ref(struct pkt_pools *pools, struct rte_mbuf *seg, uint32_t off, uint32_t len);

/** Frees a whole packet. NULL-safe. Any core. */
void pkt_free(struct rte_mbuf *m);

/* All are 0 or NULL in an empty chain. No segment is empty. */
struct pkt_chain {
	struct rte_mbuf *head;
	struct rte_mbuf *tail;
	uint32_t bytes;
	uint32_t held_bytes; /* a buffer that two segments share counts twice */
	uint32_t segs;
};

static inline void pkt_chain_init(struct pkt_chain *c)
{
	*c = (struct pkt_chain){0};
}

static inline bool pkt_chain_is_empty(const struct pkt_chain *c)
{
	return c->bytes == 0;
}

/** Appends the bytes of a packet (headers trimmed off before); takes it. Empty segments are freed.
 */
void pkt_chain_append(struct pkt_chain *c, struct rte_mbuf *m);

/** Appends all of `from` (another chain), which is empty afterwards. */
void pkt_chain_splice(struct pkt_chain *to, struct pkt_chain *from);

/** Puts all of `from` in front of what `to` holds; `from` is empty afterwards. */
void pkt_chain_splice_front(struct pkt_chain *to, struct pkt_chain *from);

/**
 * Moves the first n bytes (at most all) of `from` to the end of `to`. A segment that is cut is
 * shared by reference. Returns the bytes moved: fewer than n only if pool `ref` is empty, then a
 * whole number of segments. `from` and `to` differ.
 */
uint32_t pkt_chain_take(
	struct pkt_chain *from, uint32_t n, struct pkt_chain *to, struct pkt_pools *pools);

/** Drops the first n bytes (at most all). Returns the bytes dropped. */
uint32_t pkt_chain_drop(struct pkt_chain *c, uint32_t n);

/** Drops bytes from the end, so that n stay (no effect if fewer are there). */
void pkt_chain_cut(struct pkt_chain *c, uint32_t n);

/** Copies n bytes from offset `off` to buf; returns the bytes copied (fewer if the chain ends). */
uint32_t pkt_chain_copy_out(const struct pkt_chain *c, uint32_t off, void *buf, uint32_t n);

struct pkt_chain_hint {
	struct rte_mbuf *seg;
	uint32_t seg_off; /* offset in the chain where seg starts */
};

/**
 * References to n bytes from offset `off`, as segments linked by next with nb_segs and pkt_len of
 * the first set, for sending; the chain keeps its own. NULL if pool `ref` is empty, n is 0, or the
 * range does not lie in the chain. `hint` remembers the segment of the last call (zero it when the
 * chain changes other than by growing at its end), so that going through a long chain is not
 * quadratic; may be NULL.
 */
struct rte_mbuf *pkt_chain_ref(const struct pkt_chain *c, uint32_t off, uint32_t n,
	struct pkt_pools *pools, struct pkt_chain_hint *hint);

/** Appends bytes by copying them into fresh buffers, filling the tail's room first when nobody
 * shares it. Returns the bytes copied: fewer than len only if pool `data` is empty. */
uint32_t pkt_chain_write(struct pkt_chain *c, struct bytes bytes, struct pkt_pools *pools);

/** The first segment's bytes, valid until the chain changes. BYTES_NONE if the chain is empty. */
struct bytes pkt_chain_front(const struct pkt_chain *c);

/**
 * Gathers small segments into full ones if the chain pins more than `ratio` (2 or more) times its
 * bytes: a copy, so that a peer that sends drop by drop cannot pin the pool. Best effort: it stops
 * when pool `data` is empty, and does nothing where copying would free nothing. Returns the
 * held_bytes saved.
 */
uint32_t pkt_chain_compact(struct pkt_chain *c, uint32_t ratio, struct pkt_pools *pools);

/** Frees all; the chain is empty and usable afterwards. */
void pkt_chain_free(struct pkt_chain *c);

#endif
