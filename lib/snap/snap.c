/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_rcu_qsbr.h>

#include "mem.h"
#include "snap.h"

struct snap_domain {
	struct mem_region region;
	struct snap *retired; /* by retired_next, the newest first */
	uint32_t cores;
	struct rte_rcu_qsbr qsbr CACHE_ALIGNED; /* the counters of the cores follow */
};

struct snap_domain *snap_domain_create(uint32_t cores, struct error *err)
{
	struct snap_domain *domain;
	struct mem_region region;
	size_t size;

	ASSERT(cores > 0);
	ASSERT(cores <= SNAP_CORES_MAX);
	size = offsetof(struct snap_domain, qsbr) + rte_rcu_qsbr_get_memsize(cores);
	if (mem_region_alloc(&region, size, "snapshots", err) < 0)
		return NULL;
	domain = region.base;
	domain->region = region;
	domain->cores = cores;
	rte_rcu_qsbr_init(&domain->qsbr, cores);
	for (uint32_t core = 0; core < cores; core++)
		rte_rcu_qsbr_thread_register(&domain->qsbr, core);
	return domain;
}

void snap_init(struct snap *snap, void (*destroy)(struct snap *snap))
{
	*snap = (struct snap){.destroy = destroy};
}

void snap_online(struct snap_domain *domain, uint32_t core)
{
	ASSERT(core < domain->cores);
	rte_rcu_qsbr_thread_online(&domain->qsbr, core);
}

void snap_offline(struct snap_domain *domain, uint32_t core)
{
	ASSERT(core < domain->cores);
	rte_rcu_qsbr_thread_offline(&domain->qsbr, core);
}

void snap_quiet(struct snap_domain *domain, uint32_t core)
{
	rte_rcu_qsbr_quiescent(&domain->qsbr, core);
}

struct snap *snap_publish(struct snap **place, struct snap *snap)
{
	return __atomic_exchange_n(place, snap, __ATOMIC_ACQ_REL);
}

void snap_retire(struct snap_domain *domain, struct snap *snap)
{
	snap->retired_token = rte_rcu_qsbr_start(&domain->qsbr);
	snap->retired_next = domain->retired;
	domain->retired = snap;
}

static bool snap_is_held(const struct snap_domain *domain, const struct snap *snap)
{
	uint64_t held = 0;

	for (uint32_t core = 0; core < domain->cores; core++)
		held += __atomic_load_n(&snap->core[core].held, __ATOMIC_ACQUIRE);
	return held > 0;
}

/* Quiet points come first: only after them no counter can rise any more. */
static bool snap_is_free(struct snap_domain *domain, const struct snap *snap)
{
	return rte_rcu_qsbr_check(&domain->qsbr, snap->retired_token, false) == 1 &&
	       !snap_is_held(domain, snap);
}

uint32_t snap_reap(struct snap_domain *domain)
{
	struct snap **place = &domain->retired;
	uint32_t waiting = 0;

	while (*place) {
		struct snap *snap = *place;

		if (snap_is_free(domain, snap)) {
			*place = snap->retired_next;
			snap->destroy(snap);
		} else {
			place = &snap->retired_next;
			waiting++;
		}
	}
	return waiting;
}

uint32_t snap_domain_destroy(struct snap_domain *domain)
{
	struct mem_region region;
	uint32_t held = 0;

	if (!domain)
		return 0;
	while (domain->retired) {
		struct snap *snap = domain->retired;

		domain->retired = snap->retired_next;
		held += snap_is_held(domain, snap);
		snap->destroy(snap);
	}
	region = domain->region; /* the domain lies in it */
	mem_region_free(&region);
	return held;
}
