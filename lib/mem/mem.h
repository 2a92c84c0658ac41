/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mem: memory that is reserved at start and handed out in fixed pieces afterwards.
 *
 * Regions come from the system during set-up (huge pages if the machine grants them, else
 * plain pages; untouched pages cost nothing). Pools cut a region into objects of one size;
 * taking and giving back are a few instructions, never a system call, and one core owns a
 * pool. After mem_freeze a thread that calls malloc aborts in builds with debug checks.
 */
#ifndef WEIR_MEM_H
#define WEIR_MEM_H

#include "base_error.h"
#include "base_list.h"

struct mem_region {
	void *base;
	size_t size_bytes;
	bool huge;
};

/**
 * Start-up. Zeroed memory, aligned to a page at least, its size rounded up to whole pages. Plain
 * pages are not reserved: what is never touched costs nothing. Returns 0, or -ENOMEM with `what`
 * (say "tcp connections") and the size in the error text.
 */
int mem_region_alloc(
	struct mem_region *region, size_t size_bytes, const char *what, struct error *err);

/** NULL-safe, and safe on a zeroed region. */
void mem_region_free(struct mem_region *region);

/* Fields are for reading by anybody (statistics); only the functions write them. */
struct mem_pool {
	struct list link; /* among the pools of a worker; the owner's to use */
	const char *name;
	struct mem_region region;
	void *free_head; /* returned objects; the first word of each points to the next */
	uint32_t object_size_bytes;
	uint32_t count_max;
	uint32_t count_fresh; /* objects from 0 to here were handed out at least once */
	uint32_t count_used;
	uint32_t count_used_max;
	uint64_t fail_count;   /* times that mem_pool_get found the pool empty */
	uint64_t index_factor; /* 2^64 / object_size_bytes, rounded up */
	/* Test hook: the nth next get fails (1: the next one); 0: none does. */
	uint32_t fail_nth;
};

/**
 * Start-up. Objects are aligned to `align` (a power of two, 8 to 4096). `name` must outlive
 * the pool. Returns 0 or -ENOMEM.
 */
int mem_pool_init(struct mem_pool *pool, const char *name, size_t object_size_bytes, size_t align,
	uint32_t count_max, struct error *err);

/**
 * Returns the number of objects that were never given back (a leak); frees all, and takes the
 * pool off the list of its link. NULL-safe, and safe on a zeroed pool.
 */
uint32_t mem_pool_fini(struct mem_pool *pool);

/** The owner's core. An object with undefined content, or NULL when all are in use (counted). */
void *mem_pool_get(struct mem_pool *pool) WR_DATA_CORE;

/**
 * The owner's core. Aborts if the object is not one of this pool. Debug builds overwrite it, and
 * ASan forbids access to it until it is handed out again.
 */
void mem_pool_put(struct mem_pool *pool, void *object) WR_DATA_CORE;

/**
 * Position of an object in its pool, 0 to count_max - 1; a handle of 32 bits. Aborts if the
 * pointer is not the start of an object that was handed out at least once.
 */
uint32_t mem_pool_index(const struct mem_pool *pool, const void *object);

/** The object at a position that was handed out before. */
void *mem_pool_at(const struct mem_pool *pool, uint32_t index);

/**
 * From here on the calling thread may not use the heap, neither to allocate nor to free. Builds
 * with debug checks and AddressSanitizer abort with a stack trace when it does; others do
 * nothing. mem_thaw ends it; calls nest.
 */
void mem_freeze(void);
void mem_thaw(void);
bool mem_is_frozen(void);

#endif
