/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snap: publication of immutable objects from the control core to the workers, and their
 * retirement once no worker can still hold them (rte_rcu_qsbr).
 *
 * A worker reads a published pointer, uses it within one loop turn, and reports a quiet point
 * at the end of the turn. What outlives a turn (a connection on its configuration) takes a
 * reference by snap_hold on its own core's counter.
 *
 * A core takes its first hold on an object in a turn in which it read the object from its place.
 * A hold is not passed on to another core: no counter may rise once the object is retired and
 * all cores have passed a quiet point, or the sum of counters would mean nothing.
 */
#ifndef WEIR_SNAP_H
#define WEIR_SNAP_H

#include "base_error.h"

#define SNAP_CORES_MAX 64

struct snap_domain;

/* Embedded at the head of a published object, which must be aligned to a cache line. Counters are
 * per core: no shared line. */
struct snap {
	void (*destroy)(struct snap *snap); /* control core; frees the object */
	struct snap *retired_next;
	uint64_t retired_token;
	struct {
		uint64_t held;
	} CACHE_ALIGNED core[SNAP_CORES_MAX];
};

/** Start-up. `cores` workers with indexes 0 to cores - 1. NULL with *err set. */
struct snap_domain *snap_domain_create(uint32_t cores, struct error *err);

/**
 * Control core, after all workers stopped: destroys what was retired. Returns how many of these
 * objects were still held (a leak). NULL-safe.
 */
uint32_t snap_domain_destroy(struct snap_domain *domain);

/** Control core, before the object is published. `destroy` frees it on the control core. */
void snap_init(struct snap *snap, void (*destroy)(struct snap *snap));

/**
 * A worker, before its first turn and after its last (or before a long wait). While it is offline
 * it holds nobody up, and may not read what is published; its holds stay.
 */
void snap_online(struct snap_domain *domain, uint32_t core);
void snap_offline(struct snap_domain *domain, uint32_t core);

/** A worker, once per turn, when it holds no published pointer on its stack. */
void snap_quiet(struct snap_domain *domain, uint32_t core) WR_DATA_CORE;

/** A worker: keeps the object across turns; every hold is matched by a release on that core. */
static inline void snap_hold(struct snap *snap, uint32_t core)
{
	__atomic_store_n(&snap->core[core].held, snap->core[core].held + 1, __ATOMIC_RELAXED);
}

static inline void snap_release(struct snap *snap, uint32_t core)
{
	ASSERT(snap->core[core].held > 0);
	__atomic_store_n(&snap->core[core].held, snap->core[core].held - 1, __ATOMIC_RELEASE);
}

/** Control core: stores the new object where workers read it; returns the one before (or NULL). */
struct snap *snap_publish(struct snap **place, struct snap *snap) WR_SLOW_CORE;

/** A worker that is online: the object published at the place, or NULL. */
static inline struct snap *snap_read(struct snap *const *place)
{
	return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

/** Control core: the object is not published any more; it is destroyed by a later snap_reap. */
void snap_retire(struct snap_domain *domain, struct snap *snap) WR_SLOW_CORE;

/** Control core, now and then: destroys what no worker holds. Returns how many still wait. */
uint32_t snap_reap(struct snap_domain *domain) WR_SLOW_CORE;

#endif
