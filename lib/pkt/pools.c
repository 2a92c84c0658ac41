/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <rte_errno.h>

#include "pkt.h"

#define CACHE_MAX 256u

static const struct stat_row stat_rows[] = {
#define STAT STAT_ROW
#include "pkt_stat.def"
#undef STAT
};

static_assert(PKT_HEADROOM_BYTES == RTE_PKTMBUF_HEADROOM, "drivers leave the same room in front");

/*
 * As rte_pktmbuf_pool_create, except where the device and we see the same addresses: there an
 * object may cross pages, or else small pages (no huge ones) would hold one buffer each.
 */
static struct rte_mempool *create_mempool(
	const char *name, uint32_t count, uint16_t room, int numa_node)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = room};
	unsigned flags = rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
	struct rte_mempool *mp =
		rte_mempool_create_empty(name, count, sizeof(struct rte_mbuf) + room,
			MIN(CACHE_MAX, count / 4), sizeof(private), numa_node, flags);

	if (!mp)
		return NULL;
	rte_pktmbuf_pool_init(mp, &private);
	if (rte_mempool_populate_default(mp) < 0) {
		rte_mempool_free(mp);
		return NULL;
	}
	rte_mempool_obj_iter(mp, rte_pktmbuf_init, NULL);
	return mp;
}

static struct rte_mempool *create_pool(const char *name, char kind, uint32_t count, uint16_t room,
	int numa_node, struct error *err)
{
	char full_name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *mp;
	int len = snprintf(full_name, sizeof(full_name), "%s.%c", name, kind);

	ASSERT((size_t)len < sizeof(full_name));
	mp = create_mempool(full_name, count, room, numa_node);
	if (!mp)
		error_set(err, -ENOMEM, "no memory for %u packet buffers (%zu KiB) of \"%s\": %s",
			count, count * (sizeof(struct rte_mbuf) + room) / 1024, full_name,
			rte_strerror(rte_errno));
	return mp;
}

int pkt_pools_init(struct pkt_pools *pools, const char *name, uint32_t data_count,
	uint32_t ref_count, int numa_node, struct error *err)
{
	*pools = (struct pkt_pools){0};
	stat_group_init(&pools->group, "pkt", stat_rows, PKT_STAT_COUNT, pools->stats);
	pools->data = create_pool(name, 'd', data_count, PKT_DATA_ROOM_BYTES, numa_node, err);
	if (pools->data)
		pools->ref = create_pool(name, 'r', ref_count, 0, numa_node, err);
	if (!pools->ref) {
		pkt_pools_fini(pools);
		return -ENOMEM;
	}
	return 0;
}

uint32_t pkt_pools_used(const struct pkt_pools *pools)
{
	uint32_t used = 0;

	if (pools->data)
		used += rte_mempool_in_use_count(pools->data);
	if (pools->ref)
		used += rte_mempool_in_use_count(pools->ref);
	return used;
}

static uint32_t free_pct(struct rte_mempool *mp)
{
	const struct rte_mempool_cache *cache = rte_mempool_default_cache(mp, rte_lcore_id());
	uint64_t count =
		rte_mempool_get_ops(mp->ops_index)->get_count(mp) + (cache ? cache->len : 0);

	return (uint32_t)(count * 100 / mp->size);
}

uint32_t pkt_pools_free_pct(const struct pkt_pools *pools)
{
	uint32_t data_pct = free_pct(pools->data), ref_pct = free_pct(pools->ref);

	return MIN(data_pct, ref_pct);
}

uint32_t pkt_pools_fini(struct pkt_pools *pools)
{
	uint32_t leaked;

	if (!pools)
		return 0;
	leaked = pkt_pools_used(pools);
	rte_mempool_free(pools->ref);
	rte_mempool_free(pools->data);
	pools->ref = NULL;
	pools->data = NULL;
	return leaked;
}

struct rte_mbuf *pkt_alloc(struct pkt_pools *pools)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pools->data);

	if (UNLIKELY(!m))
		stat_add(&pools->stats[PKT_STAT_NO_DATA], 1);
	return m;
}

struct rte_mbuf *pkt_ref(struct pkt_pools *pools, struct rte_mbuf *seg, uint32_t off, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pools->ref);

	DEBUG_ASSERT(off + len <= seg->data_len);
	if (UNLIKELY(!m)) {
		stat_add(&pools->stats[PKT_STAT_NO_REF], 1);
		return NULL;
	}
	rte_pktmbuf_attach(m, seg);
	/* The bytes are shared; what a port said of the packet, or shall do with it, is not. */
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = 0;
	m->data_off += (uint16_t)off;
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	return m;
}

void pkt_free(struct rte_mbuf *m)
{
	rte_pktmbuf_free(m);
}
