/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base: what every file of weir may use without asking.
 *
 * Small macros, the assert that stays in release builds, and the marks that say
 * which core a function runs on. Stateless; any core.
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b)                                  \
	({                                         \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define MAX(a, b)                                  \
	({                                         \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

#define LIKELY(x)         __builtin_expect(!!(x), 1)
#define UNLIKELY(x)       __builtin_expect(!!(x), 0)
#define CACHE_LINE_BYTES  64
#define CACHE_ALIGNED     __attribute__((aligned(CACHE_LINE_BYTES)))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_USE          __attribute__((warn_unused_result))

#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

/*
 * Core roles. A function that only a data core may call is marked WR_DATA_CORE,
 * one that only the control core (or start-up) may call is marked WR_SLOW_CORE.
 * They are words for the reader; the owner asserts in debug builds check the
 * same thing at run time. Unmarked functions may be called from any core.
 */
#define WR_DATA_CORE
#define WR_SLOW_CORE

/*
 * Asserts: for programmer errors only, never for what a peer, an operator or a
 * file sent. ASSERT stays in release builds, so keep it cheap and one condition
 * each. DEBUG_ASSERT is for checks that cost more; sanitizer builds have them.
 */
#define ASSERT(cond)                                                             \
	do {                                                                     \
		if (UNLIKELY(!(cond)))                                           \
			base_assert_failed(#cond, __FILE__, __LINE__, __func__); \
	} while (0)

#ifdef WEIR_DEBUG_CHECKS
#define DEBUG_ASSERT(cond) ASSERT(cond)
#else
#define DEBUG_ASSERT(cond)          \
	do {                        \
		(void)sizeof(cond); \
	} while (0)
#endif

/** Prints the failed condition and its place on standard error, and aborts. Does not return. */
_Noreturn void base_assert_failed(const char *cond, const char *file, int line, const char *func);

/** Asks for `lines` cache lines from p on, to write to them; p may be NULL. */
static inline void prefetch_lines(const void *p, uint32_t lines)
{
	for (uint32_t i = 0; p && i < lines; i++)
		__builtin_prefetch((const char *)p + i * CACHE_LINE_BYTES, 1);
}

#endif
