/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"

#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static bool region_map(struct mem_region *region, size_t size_bytes, int flags)
{
	void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (base == MAP_FAILED)
		return false;
	region->base = base;
	region->size_bytes = size_bytes;
	region->huge = (flags & MAP_HUGETLB) != 0;
	return true;
}

int mem_region_alloc(
	struct mem_region *region, size_t size_bytes, const char *what, struct error *err)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	*region = (struct mem_region){0};
	if (size_bytes > SIZE_MAX / 2)
		goto fail;
	if (size_bytes >= HUGE_PAGE_BYTES &&
		region_map(
			region, round_up(size_bytes, HUGE_PAGE_BYTES), MAP_HUGETLB | MAP_HUGE_2MB))
		return 0;
	if (!region_map(region, round_up(MAX(size_bytes, (size_t)1), page_bytes), MAP_NORESERVE))
		goto fail;
	if (size_bytes >= HUGE_PAGE_BYTES)
		madvise(region->base, region->size_bytes, MADV_HUGEPAGE); /* a wish only */
	return 0;
fail:
	return error_set(err, -ENOMEM, "no memory for %s: %zu bytes", what, size_bytes);
}

void mem_region_free(struct mem_region *region)
{
	if (!region || !region->base)
		return;
	munmap(region->base, region->size_bytes);
	*region = (struct mem_region){0};
}
