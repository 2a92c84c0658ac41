/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of lang share: the arena, growing text, the lexer, files, conditions. */
#ifndef WEIR_LANG_PVT_H
#define WEIR_LANG_PVT_H

#include "lang.h"

/* ---- arena: memory that is freed at once ---- */

struct lang_arena *lang_arena_create(size_t bytes_max);
void lang_arena_destroy(struct lang_arena *arena);
size_t lang_arena_bytes(const struct lang_arena *arena);

/** `size` bytes, zeroed, aligned for any type; NULL if the limit is reached or memory ran out. */
void *lang_arena_alloc(struct lang_arena *arena, size_t size);

/** A copy with a NUL behind it; NULL as above. */
char *lang_arena_text(struct lang_arena *arena, struct bytes text);

/* ---- text that grows inside an arena; what it outgrew stays until the arena goes ---- */

struct lang_text {
	char *ptr;
	size_t len;
	size_t size;
};

/** Makes room for `more` bytes; -ENOMEM if there is none. */
int lang_text_reserve(struct lang_arena *arena, struct lang_text *t, size_t more);
int lang_text_add(struct lang_arena *arena, struct lang_text *t, struct bytes more);

/* ---- lexer: one line to words ---- */

enum lang_lex_result {
	LANG_LEX_OK,
	LANG_LEX_QUOTE,  /* a quote is not closed */
	LANG_LEX_HEX,    /* \x without two hexadecimal digits */
	LANG_LEX_NAME,   /* a variable's name begins wrongly, or no such pseudo-variable */
	LANG_LEX_BRACE,  /* ${ without } */
	LANG_LEX_EXPAND, /* [ but not [*] */
	LANG_LEX_MANY,   /* more than LANG_WORDS_MAX words */
	LANG_LEX_LONG,   /* more than LANG_LINE_BYTES_MAX after expansion */
	LANG_LEX_NO_MEMORY
};

struct lang_lexer {
	struct lang_arena
		*arena; /* words[] and texts are made here; overwritten by the next line */
	const struct lang_options *options;
	const char *file;    /* for .FILE */
	uint32_t line;       /* for .LINE */
	const char *section; /* for .SECTION */
	bool hash_is_text;   /* "#" begins no comment (-cc) */
	/* the result */
	struct lang_text text;   /* all words, each with its NUL */
	struct lang_word *words; /* text is an offset into `text` until the line is done */
	uint32_t word_count;
	uint32_t word_size;
	uint32_t error_column;
};

enum lang_lex_result lang_lex(struct lang_lexer *lexer, struct bytes line);

/** What to say about a result that is not OK; *hint may become NULL. */
const char *lang_lex_explain(enum lang_lex_result result, const char **hint);

/** Value of a variable: those of the options, then the environment; NULL if unset. */
const char *lang_variable_find(const struct lang_options *options, const char *name);

/* ---- conditions ---- */

/**
 * Evaluates words, joined by one space each, as a condition: 1, 0, -EINVAL with `err`, or
 * -ENOMEM. No word at all is 0.
 */
int lang_cond_words(const struct lang_word *words, uint32_t count,
	const struct lang_options *options, struct error *err);

/* ---- files ---- */

/** Appends the sources for `path` to *tail and moves it. -ENOMEM only; the rest is reported. */
int lang_source_load(struct lang_arena *arena, const char *path, struct lang_source ***tail,
	struct lang_diags *diags);

/** One source from memory, or NULL. */
struct lang_source *lang_source_of(struct lang_arena *arena, const char *name, struct bytes text);

/* ---- sections ---- */

/**
 * Fills name, from, word_next and defaults of a new section from its head and reports what
 * is wrong with them. `tree` holds the sections before it.
 */
void lang_section_read_head(
	struct lang_tree *tree, struct lang_section *section, struct lang_diags *diags);

#endif
