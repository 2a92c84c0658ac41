/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP sequence numbers: modulo 2^32 (RFC 9293 3.4). A struct, so that the plain
 * operators do not compile. a < b holds if b lies at most 2^31 - 1 ahead of a.
 */
#ifndef WEIR_BASE_SEQ_H
#define WEIR_BASE_SEQ_H

#include "base.h"

struct seq {
	uint32_t v;
};

#define SEQ(n) ((struct seq){(uint32_t)(n)})

static inline struct seq seq_add(struct seq a, uint32_t n)
{
	return SEQ(a.v + n);
}

static inline struct seq seq_sub(struct seq a, uint32_t n)
{
	return SEQ(a.v - n);
}

/** Bytes from b up to a, signed: negative if a lies before b. */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
	return (int32_t)(a.v - b.v);
}

static inline bool seq_eq(struct seq a, struct seq b)
{
	return a.v == b.v;
}

static inline bool seq_lt(struct seq a, struct seq b)
{
	return seq_diff(a, b) < 0;
}

static inline bool seq_leq(struct seq a, struct seq b)
{
	return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(struct seq a, struct seq b)
{
	return seq_diff(a, b) > 0;
}

static inline bool seq_geq(struct seq a, struct seq b)
{
	return seq_diff(a, b) >= 0;
}

static inline struct seq seq_max(struct seq a, struct seq b)
{
	return seq_lt(a, b) ? b : a;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
	return seq_lt(a, b) ? a : b;
}

/** True if lo <= x < lo + len, modulo 2^32. */
static inline bool seq_in_window(struct seq x, struct seq lo, uint32_t len)
{
	return x.v - lo.v < len;
}

#endif
