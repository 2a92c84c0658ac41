/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes buffers away from a pool. */
#ifndef WEIR_TESTS_SIM_DRAIN_H
#define WEIR_TESTS_SIM_DRAIN_H

#include "pkt.h"

/* All 0 at first. */
struct drain {
	uint32_t held_count;
	struct rte_mbuf **held;
};

/** Takes or gives back, as far as it can, so that `left` buffers of the pool are free now. */
void drain_to(struct drain *d, struct rte_mempool *pool, uint32_t left);

/** The same in percent of all that the pool has. */
void drain_to_pct(struct drain *d, struct rte_mempool *pool, uint32_t pct);

/** Gives everything back. */
void drain_end(struct drain *d);

#endif
