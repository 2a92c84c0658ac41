/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snap: publication of immutable objects from the control core to the workers, and their
 * retirement once no worker can still hold them (rte_rcu_qsbr).
 *
 * A worker reads a published pointer, uses it within one loop turn, and reports a quiet point
 * at the end of the turn. What outlives a turn (a connection on its configuration) takes a
 * reference by snap_hold on its own core's counter.
 */
#ifndef WEIR_SNAP_H
#define WEIR_SNAP_H

#include "base_error.h"

#define SNAP_CORES_MAX 64

struct snap_domain;

/* Embedded at the head of a published object. Counters are per core: no shared line. */
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

/** After all workers stopped: destroys what was retired. Returns how many were still held. */
uint32_t snap_domain_destroy(struct snap_domain *domain);

void snap_init(struct snap *snap, void (*destroy)(struct snap *snap));

/** A worker, before its first turn and after its last. */
void snap_online(struct snap_domain *domain, uint32_t core);
void snap_offline(struct snap_domain *domain, uint32_t core);

/** A worker, once per turn, when it holds no published pointer on its stack. */
void snap_quiet(struct snap_domain *domain, uint32_t core) WR_DATA_CORE;

/** A worker: keeps the object across turns; every hold is matched by a release on that core. */
static inline void snap_hold(struct snap *snap, uint32_t core)
{
	snap->core[core].held++;
}

static inline void snap_release(struct snap *snap, uint32_t core)
{
	ASSERT(snap->core[core].held > 0);
	snap->core[core].held--;
}

/** Control core: stores the new object where workers read it; returns the one before (or NULL). */
struct snap *snap_publish(struct snap **place, struct snap *snap) WR_SLOW_CORE;

/** Any core: the object published at the place, or NULL. */
struct snap *snap_read(struct snap *const *place);

/** Control core: the object is not published any more; it is destroyed by a later snap_reap. */
void snap_retire(struct snap_domain *domain, struct snap *snap) WR_SLOW_CORE;

/** Control core, now and then: destroys what no worker holds. Returns how many still wait. */
uint32_t snap_reap(struct snap_domain *domain) WR_SLOW_CORE;

#endif
