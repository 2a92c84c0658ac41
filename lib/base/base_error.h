/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What went wrong during set-up, in words that a person can act on.
 *
 * Set-up functions return 0 or a negative errno (creators return NULL) and take
 * a struct error. The data path never uses it: there, drops are counted.
 */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

#include "base.h"

#define ERROR_TEXT_SIZE 512

struct error {
	int code;                   /* negative errno; 0 while nothing is set */
	char text[ERROR_TEXT_SIZE]; /* one line, no newline, NUL-terminated, cut if longer */
};

/**
 * Records an error; the first one stays, later calls are ignored. `err` may be NULL.
 * Returns `code` (a negative errno), so that "return error_set(...)" reads well.
 */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** Puts "fmt: " in front of the text that is already there. Returns err->code; 0 if none is set. */
int error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Forgets what was recorded. */
void error_clear(struct error *err);

#endif
