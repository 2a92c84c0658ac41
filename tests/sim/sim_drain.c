/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "sim_drain.h"

void drain_to(struct drain *d, struct rte_mempool *pool, uint32_t left)
{
	uint32_t available = rte_mempool_avail_count(pool);

	if (!d->held)
		d->held = calloc(pool->size, sizeof(d->held[0]));
	ASSERT(d->held != NULL);
	for (; available > left && (d->held[d->held_count] = rte_pktmbuf_alloc(pool)); available--)
		d->held_count++;
	for (; available < left && d->held_count > 0; available++)
		rte_pktmbuf_free(d->held[--d->held_count]);
}

void drain_to_pct(struct drain *d, struct rte_mempool *pool, uint32_t pct)
{
	drain_to(d, pool, (uint32_t)((uint64_t)pool->size * pct / 100));
}

void drain_end(struct drain *d)
{
	rte_pktmbuf_free_bulk(d->held, d->held_count);
	free(d->held);
	*d = (struct drain){0};
}
