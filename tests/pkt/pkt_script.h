/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of a packet script: see README.md. */
#ifndef WEIR_TESTS_PKT_SCRIPT_H
#define WEIR_TESTS_PKT_SCRIPT_H

#include "wire.h"

#define SCRIPT_WORDS_MAX 32
#define SCRIPT_LINE_MAX  256

/* One line, cut at blanks, commas, and the marks of options. */
struct script_line {
	char text[SCRIPT_LINE_MAX];
	char cut[SCRIPT_LINE_MAX];
	const char *word[SCRIPT_WORDS_MAX];
	uint32_t count;
	bool has_options; /* it had <...>, which begin at word `options` */
	uint32_t options;
};

/* A segment in a script's own numbers. */
struct script_seg {
	struct wire_tcp h; /* seq, ack, SACK blocks count from the SYNs */
	uint32_t len;
	uint8_t tos;
	bool has_window, has_options;
	bool ts_val_any, ts_ecr_any, fast_open_any; /* written as "*" */
};

/** Cuts a line; false if it is empty or a comment. Aborts the test beyond its limits. */
bool script_line_cut(struct script_line *line, const char *text);

/** A number; false if the word is none. */
bool script_number(const char *word, uint32_t *out);

/** Reads a segment from word `at` on; returns NULL, or the word that is wrong. */
const char *script_seg_read(const struct script_line *line, uint32_t at, struct script_seg *out);

/** Writes a segment as a script would to buf. */
void script_seg_print(const struct script_seg *seg, char *buf, size_t size);

#endif
