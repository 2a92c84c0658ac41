/* SPDX-License-Identifier: BSD-3-Clause */
/* AddressSanitizer as mem uses it: marks memory that nobody may touch, watches the heap. */
#ifndef WEIR_MEM_PVT_H
#define WEIR_MEM_PVT_H

#include "mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define MEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif

#ifdef MEM_ASAN
#include <sanitizer/asan_interface.h>
#define MEM_FORBID(ptr, size) ASAN_POISON_MEMORY_REGION((ptr), (size))
#define MEM_ALLOW(ptr, size)  ASAN_UNPOISON_MEMORY_REGION((ptr), (size))
#else
#define MEM_FORBID(ptr, size) ((void)(ptr), (void)(size))
#define MEM_ALLOW(ptr, size)  ((void)(ptr), (void)(size))
#endif

#if defined(MEM_ASAN) && defined(WEIR_DEBUG_CHECKS)
#define MEM_FREEZE_CHECKED 1 /* this build notices heap use of a frozen thread */
#endif

#endif
