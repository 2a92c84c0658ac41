/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat: counters from rows of data.
 *
 * A module lists its counters in <module>_stat.def, one row each:
 *     STAT(SYMBOL, kind, "text for a person")
 * and gets from it an enum, a table of names and texts, and an array of uint64_t per core that
 * only this core writes. The control core reads all cores' arrays and adds them up; each value
 * is read whole, but values of one instant need not fit each other.
 */
#ifndef WEIR_STAT_H
#define WEIR_STAT_H

#include "base_list.h"

enum stat_kind {
	STAT_COUNTER, /* only grows */
	STAT_GAUGE,   /* goes up and down; cores add up */
	STAT_DROP,    /* a counter of something refused or lost: shown by "show drops" */
};

struct stat_row {
	const char *name; /* the symbol in lower case, as exporters show it */
	const char *text;
	enum stat_kind kind;
};

/* One module's counters on one core. Linked into the worker's list of groups. */
struct stat_group {
	struct list link;
	const char *module;
	const struct stat_row *rows;
	uint32_t count;
	uint64_t *values;
};

void stat_group_init(struct stat_group *group, const char *module, const struct stat_row *rows,
	uint32_t count, uint64_t *values);

/** Any core: one value of another core's group, read whole. */
static inline uint64_t stat_read(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/** The owner's core. A plain add that readers on other cores see whole. */
static inline void stat_add(uint64_t *value, uint64_t n)
{
	__atomic_store_n(value, *value + n, __ATOMIC_RELAXED);
}

static inline void stat_sub(uint64_t *value, uint64_t n)
{
	__atomic_store_n(value, *value - n, __ATOMIC_RELAXED);
}

#endif
