/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat: counters from rows of data.
 *
 * A module lists its counters in <module>_stat.def, one row each:
 *     STAT(SYMBOL, kind, "text for a person")
 * where kind is a constant of enum stat_kind, and gets from it an enum in its header
 *     enum tcp_stat {
 *     #define STAT(symbol, kind, text) TCP_STAT_##symbol,
 *     #include "tcp_stat.def"
 *     #undef STAT
 *             TCP_STAT_COUNT,
 *     };
 * and a table of names and texts in a C file
 *     static const struct stat_row rows[] = {
 *     #define STAT(symbol, kind, text) STAT_ROW(symbol, kind, text)
 *     #include "tcp_stat.def"
 *     #undef STAT
 *     };
 * and keeps an array of TCP_STAT_COUNT values per core that only this core writes. The control
 * core reads all cores' arrays and adds them up; each value is read whole, but values of one
 * instant need not fit each other.
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
	const char *symbol; /* as in the row; exporters show stat_row_name */
	const char *text;
	enum stat_kind kind;
};

#define STAT_ROW(symbol, kind, text) {#symbol, (text), (kind)},
#define STAT_NAME_SIZE               64 /* longest symbol with NUL */

/* One module's counters on one core. Linked into the worker's list of groups. */
struct stat_group {
	struct list link;
	const char *module;
	const struct stat_row *rows;
	uint32_t count;
	uint64_t *values;
};

/**
 * Start-up. `module`, `rows` and `values` (both of `count` elements) must outlive the group. Sets
 * all values to 0.
 */
void stat_group_init(struct stat_group *group, const char *module, const struct stat_row *rows,
	uint32_t count, uint64_t *values);

/** The symbol in lower case, written to buf of STAT_NAME_SIZE bytes; returns buf. */
char *stat_row_name(const struct stat_row *row, char *buf);

/** Any core, after start-up: the group of a module, or NULL. */
struct stat_group *stat_group_find(const struct list *groups, const char *module);

/**
 * Any core, after start-up: one counter added up over all cores. groups[core] is the head of a
 * core's list; a core without the module counts as 0.
 */
uint64_t stat_sum(
	const struct list *const *groups, uint32_t cores, const char *module, uint32_t index);

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
