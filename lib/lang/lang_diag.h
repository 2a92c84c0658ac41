/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with a configuration: a list of problems, each with its place,
 * the word, and what would have been accepted. The parser and every keyword
 * compiler add to one list, so that one run shows all problems.
 *
 * Control core and start-up only. The list copies what it is given; it may
 * outlive the tree that the places point to.
 */
#ifndef WEIR_LANG_DIAG_H
#define WEIR_LANG_DIAG_H

#include <stdio.h>

#include "base_bytes.h"
#include "base_list.h"

enum lang_severity {
	LANG_ALERT,   /* the configuration is refused */
	LANG_WARNING, /* refused only with "zero-warning" or -dW */
	LANG_NOTICE,
	LANG_DIAG, /* shown with -dD only */
	LANG_SEVERITY_COUNT
};

/* Where a problem is. Zero values mean "unknown" and are not printed. */
struct lang_place {
	const char *file;
	uint32_t line;        /* 1 for the first */
	uint32_t column;      /* in bytes, 1 for the first; counts in the line as it is in
				 the file */
	const char *word;     /* the word that is wrong, after quotes and variables; may
				 be NULL */
	struct bytes excerpt; /* the line as it is in the file; printed with a caret
				 at `column` */
};

struct lang_diag {
	struct list link;
	enum lang_severity severity;
	struct lang_place place; /* all NUL-terminated copies */
	const char *text;        /* one sentence without a full stop */
	const char *hint;        /* what would have been accepted; NULL if there is none */
};

#define LANG_DIAGS_DEFAULT_MAX 100

struct lang_diags {
	struct list list;                    /* of struct lang_diag, in the order they were found */
	unsigned count[LANG_SEVERITY_COUNT]; /* of all that were reported, lost ones
						as well */
	unsigned count_max;                  /* entries that are kept; may be changed after init */
	unsigned lost;                       /* not kept: over count_max, or memory ran out */
};

/** Makes the list empty. */
void lang_diags_init(struct lang_diags *diags);

/** Frees the entries. */
void lang_diags_fini(struct lang_diags *diags);

/**
 * Adds a problem. `at` may be NULL (concerns no place), `hint` too.
 * An entry that cannot be kept is counted in `count` and `lost`, so an alert
 * never disappears: diags->count[LANG_ALERT] decides whether the configuration
 * is good.
 */
void lang_diag_add(struct lang_diags *diags, enum lang_severity severity,
	const struct lang_place *at, const char *hint, const char *fmt, ...) PRINTF_LIKE(5, 6);

/** True if nothing of severity LANG_ALERT was reported. */
static inline bool lang_diags_ok(const struct lang_diags *diags)
{
	return diags->count[LANG_ALERT] == 0;
}

/**
 * Prints all entries the way HAProxy's users know them:
 *   [ALERT]    (PID) : config : parsing [FILE:LINE] : TEXT; HINT.
 * and, where a column and the line are known, the line with a caret under the
 * column. Entries of LANG_DIAG are printed only if `show_diag`. Control
 * characters of the file are printed as '?', so that a file cannot play with
 * the terminal.
 */
void lang_diags_print(const struct lang_diags *diags, FILE *out, long pid, bool show_diag);

/**
 * The candidate that `word` was most probably meant to be, NULL if none is
 * near: at most one edit (insert, drop, change, swap two neighbours) for each
 * three letters begun. With equal distance the earlier candidate wins.
 * Candidates may be NULL (skipped).
 */
const char *lang_suggest(const char *word, const char *const *candidates, size_t count);

#endif
