/* SPDX-License-Identifier: BSD-3-Clause */
/* An rte_ring in memory of our own, so that it needs no EAL and leaves no name behind. Producers
 * use its relaxed tail synchronisation: one that lost its CPU in the middle of a put does not make
 * the others spin until it is back, as happens with more workers than CPUs. */
#include <errno.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "mem.h"
#include "ring.h"

#define COUNT_MAX (UINT32_C(1) << 30)

struct ring {
	struct mem_region region;
	uint32_t element_size_bytes;
	struct rte_ring ring CACHE_ALIGNED; /* its slots follow */
};

struct ring *ring_create(
	const char *name, uint32_t count, uint32_t element_size_bytes, struct error *err)
{
	uint32_t slots = rte_align32pow2(count + 1);
	struct mem_region region;
	ssize_t size;
	struct ring *ring;

	ASSERT(count > 0);
	ASSERT(count <= COUNT_MAX);
	size = rte_ring_get_memsize_elem(element_size_bytes, slots);
	ASSERT(size > 0); /* refuses only element sizes that are no multiple of 4 */
	if (mem_region_alloc(&region, offsetof(struct ring, ring) + (size_t)size, name, err) < 0)
		return NULL;
	ring = region.base;
	ring->region = region;
	ring->element_size_bytes = element_size_bytes;
	if (rte_ring_init(&ring->ring, "ring", slots, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ) < 0) {
		error_set(err, -EINVAL, "cannot set up the ring for %s", name);
		mem_region_free(&region);
		return NULL;
	}
	return ring;
}

void ring_destroy(struct ring *ring)
{
	struct mem_region region;

	if (!ring)
		return;
	region = ring->region; /* the ring lies in it */
	mem_region_free(&region);
}

uint32_t ring_put(struct ring *ring, const void *elements, uint32_t n)
{
	return rte_ring_mp_rts_enqueue_burst_elem(
		&ring->ring, elements, ring->element_size_bytes, n, NULL);
}

uint32_t ring_take(struct ring *ring, void *elements, uint32_t n)
{
	return rte_ring_sc_dequeue_burst_elem(
		&ring->ring, elements, ring->element_size_bytes, n, NULL);
}

uint32_t ring_count(const struct ring *ring)
{
	return rte_ring_count(&ring->ring);
}

uint32_t ring_capacity(const struct ring *ring)
{
	return rte_ring_get_capacity(&ring->ring);
}
