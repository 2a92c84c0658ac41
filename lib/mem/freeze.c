/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "mem_pvt.h"

/* How often this thread called mem_freeze without mem_thaw. The one mutable variable at file
 * scope that weir has: the heap is the thread's, and its hooks have no other context. */
static _Thread_local unsigned freeze_depth;

void mem_freeze(void)
{
	freeze_depth++;
}

void mem_thaw(void)
{
	ASSERT(freeze_depth > 0);
	freeze_depth--;
}

bool mem_is_frozen(void)
{
	return freeze_depth > 0;
}

#ifdef MEM_FREEZE_CHECKED

#include <sanitizer/common_interface_defs.h>

static void heap_touched(const char *what)
{
	if (freeze_depth == 0)
		return;
	freeze_depth = 0; /* so that the report may use the heap */
	fprintf(stderr, "weir: %s on a thread whose heap is frozen\n", what);
	__sanitizer_print_stack_trace();
	abort();
}

/* AddressSanitizer has empty weak functions of these names and calls them for each block. They
 * are declared here because gcc does not ship <sanitizer/allocator_interface.h>. */
void __sanitizer_malloc_hook(const volatile void *ptr, size_t size);
void __sanitizer_free_hook(const volatile void *ptr);

void __sanitizer_malloc_hook(const volatile void *ptr, size_t size)
{
	(void)ptr;
	(void)size;
	heap_touched("malloc");
}

void __sanitizer_free_hook(const volatile void *ptr)
{
	(void)ptr;
	heap_touched("free");
}

#endif
