/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "mem_pvt.h"

#define ALIGN_MAX_BYTES 4096 /* what a region guarantees */
#define JUNK            0xa5

/* Nobody may rely on what an object held before: debug builds make that visible. */
static void object_fill(const struct mem_pool *pool, void *object)
{
#ifdef WEIR_DEBUG_CHECKS
	memset(object, JUNK, pool->object_size_bytes);
#else
	(void)pool;
	(void)object;
#endif
}

int mem_pool_init(struct mem_pool *pool, const char *name, size_t object_size_bytes, size_t align,
	uint32_t count_max, struct error *err)
{
	size_t size = MAX(object_size_bytes, sizeof(void *));
	int ret;

	ASSERT(align >= sizeof(void *));
	ASSERT(align <= ALIGN_MAX_BYTES);
	ASSERT((align & (align - 1)) == 0);
	ASSERT(object_size_bytes <= UINT32_MAX / 2);
	size = (size + align - 1) & ~(align - 1);
	*pool = (struct mem_pool){.name = name, .object_size_bytes = (uint32_t)size};
	list_init(&pool->link);
	ret = mem_region_alloc(&pool->region, size * count_max, name, err);
	if (ret < 0)
		return ret;
	pool->count_max = count_max;
	pool->index_factor = UINT64_MAX / size + 1;
	return 0;
}

uint32_t mem_pool_fini(struct mem_pool *pool)
{
	uint32_t leaked;

	if (!pool || !pool->region.base)
		return 0;
	leaked = pool->count_used;
	list_del(&pool->link);
	/* Whoever gets these addresses next may use them. */
	MEM_ALLOW(pool->region.base,
		MIN((uint64_t)pool->count_fresh + 1, pool->count_max) * pool->object_size_bytes);
	mem_region_free(&pool->region);
	*pool = (struct mem_pool){.name = pool->name};
	return leaked;
}

/* The next object to hand out; NULL if all are in use. */
static void *pool_take(struct mem_pool *pool)
{
	void *object = pool->free_head;

	if (pool->fail_nth && --pool->fail_nth == 0)
		return NULL;
	if (object) {
		MEM_ALLOW(object, pool->object_size_bytes);
		pool->free_head = *(void **)object;
		return object;
	}
	if (pool->count_fresh == pool->count_max)
		return NULL;
	object = (char *)pool->region.base + (size_t)pool->count_fresh * pool->object_size_bytes;
	MEM_ALLOW(object, pool->object_size_bytes);
	/* Only the next one is forbidden, not all: marking memory costs an eighth of it. */
	if (++pool->count_fresh < pool->count_max)
		MEM_FORBID((char *)object + pool->object_size_bytes, pool->object_size_bytes);
	return object;
}

void *mem_pool_get(struct mem_pool *pool)
{
	void *object = pool_take(pool);

	if (UNLIKELY(!object)) {
		pool->fail_count++;
		return NULL;
	}
	pool->count_used++;
	pool->count_used_max = MAX(pool->count_used_max, pool->count_used);
	object_fill(pool, object);
	return object;
}

void mem_pool_put(struct mem_pool *pool, void *object)
{
	ASSERT(pool->count_used > 0);
	mem_pool_index(pool, object); /* for its asserts */
	object_fill(pool, object);
	*(void **)object = pool->free_head;
	pool->free_head = object;
	pool->count_used--;
	MEM_FORBID(object, pool->object_size_bytes);
}

/*
 * Division by multiplication: for a multiple of the size, offset * (2^64 / size + e) / 2^64 with
 * 0 < e <= 1 is exact while offset < 2^64; another offset is noticed by multiplying back.
 */
uint32_t mem_pool_index(const struct mem_pool *pool, const void *object)
{
	uint64_t offset = (uint64_t)((uintptr_t)object - (uintptr_t)pool->region.base);
	uint64_t index = (uint64_t)(((unsigned __int128)offset * pool->index_factor) >> 64);

	ASSERT(index < pool->count_fresh);
	ASSERT(index * pool->object_size_bytes == offset);
	return (uint32_t)index;
}

void *mem_pool_at(const struct mem_pool *pool, uint32_t index)
{
	ASSERT(index < pool->count_fresh);
	return (char *)pool->region.base + (size_t)index * pool->object_size_bytes;
}
