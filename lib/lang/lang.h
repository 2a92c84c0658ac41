/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration language: from files to a syntax tree.
 *
 * In go paths or a text, the words that begin sections, variables, and facts
 * for conditions. Out comes a tree: sources (files in order), sections,
 * statements, words, each with its place. lang knows no keyword except those
 * that begin with a dot. docs/configuration/language.md describes the language.
 *
 * Differences of HAProxy 2.6 and 3.x are settled like this: what 3.x added is
 * understood (enabled(), strstr(), HAPROXY_CFGFILES during parsing); what both
 * refuse is refused.
 *
 * Control core and start-up only; everything here may allocate and read files.
 */
#ifndef WEIR_LANG_H
#define WEIR_LANG_H

#include "base_error.h"
#include "lang_diag.h"

#define LANG_WORDS_MAX 1024 /* words in one statement (HAProxy: 64) */
#define LANG_LINE_BYTES_MAX                                                                      \
	(1 << 20)                    /* one line, before and after expansion (HAProxy: no limit) \
				      */
#define LANG_DEPTH_MAX  256          /* nested .if (HAProxy: 100), and parentheses in a condition */
#define LANG_MEMORY_MAX (256u << 20) /* one tree with its files, unless the options say else */

/* ---- the tree; read only for everybody outside ---- */

struct lang_source {
	struct lang_source *next;
	const char *name;  /* path as given or as found in a directory */
	struct bytes text; /* as read */
};

enum {
	LANG_WORD_QUOTED = 1,  /* some of it stood in quotes; with len 0: an explicit "" */
	LANG_WORD_ESCAPED = 2, /* some of it came from a backslash sequence */
	LANG_WORD_EXPANDED = 4 /* some of it came from a variable */
};

struct lang_word {
	const char *text; /* NUL-terminated; never holds NUL itself */
	uint32_t len;
	uint32_t column; /* of its first byte in the line; 1 for the first; quotes count */
	uint32_t flags;  /* LANG_WORD_... */
};

/* "no KEYWORD ..." and "default KEYWORD ...": the prefix is taken off the
 * words. */
enum lang_prefix { LANG_PREFIX_NONE, LANG_PREFIX_NO, LANG_PREFIX_DEFAULT };

struct lang_statement {
	struct lang_statement *next; /* in the same section */
	const struct lang_section *section;
	const struct lang_source *source;
	struct bytes raw; /* the line as it is in the source, without its end */
	uint32_t line;
	uint32_t word_count; /* at least 1 */
	enum lang_prefix prefix;
	/* words[word_count].text is "", so a parser may look one past the end. */
	const struct lang_word *words;
};

struct lang_section {
	struct lang_section *next; /* in the tree */
	const struct lang_section_kind *kind;
	const struct lang_statement *head; /* the line that began it; words[0] is kind->word */
	const char *name;                  /* "" if it has none */
	const char *from;                  /* name after "from"; NULL if absent */
	uint32_t word_next; /* index of the first word of head after name and "from" */
	const struct lang_section
		*defaults; /* it inherits from; NULL: none, see lang_section_chain */
	struct lang_statement *statements; /* in order; NULL if empty */
	unsigned explicit_users;           /* sections that name these defaults with "from" */
	unsigned implicit_users;           /* sections that got them as the last ones before */
};

struct lang_tree {
	struct lang_source *sources;
	struct lang_section *sections;
	size_t memory_bytes; /* the arena holds this much */
	struct lang_arena *arena;
};

/* ---- what the caller provides ---- */

enum lang_name_rule {
	LANG_NAME_NONE,     /* "global" */
	LANG_NAME_OPTIONAL, /* "defaults" */
	LANG_NAME_REQUIRED  /* "frontend" */
};

enum {
	LANG_SECTION_UNIQUE = 1,     /* a second one with the same name (or none) is an alert */
	LANG_SECTION_FROM = 2,       /* may say "from NAME"; inherits from the last defaults else */
	LANG_SECTION_DEFAULTS = 4,   /* is itself a source of defaults; inherits only by "from" */
	LANG_SECTION_NAME_CHARS = 8, /* name: letters, digits, - _ . : only */
	LANG_SECTION_NO_MORE = 16    /* further words on the line are an alert */
};

struct lang_section_kind {
	const char *word;
	enum lang_name_rule name;
	unsigned flags;
	int tag; /* for the caller */
};

struct lang_variable {
	const char *name;
	const char *value;
};

/** Value of an environment variable, NULL if it is not set. Must live until the
 * next call. */
typedef const char *(*lang_env_fn)(void *ctx, const char *name);

/** A lang_env_fn that asks the environment of the process. */
const char *lang_env_process(void *ctx, const char *name);

/* What conditions ask about. NULL members mean "none". */
struct lang_facts {
	const char *version;         /* "3.0.5-1", for version_atleast() and version_before() */
	const char *ssl_name;        /* "OpenSSL 3.0.15 3 Sep 2024", for ssllib_name_startswith() */
	const char *ssl_version;     /* "3.0.15", for openssl_version_...() */
	const char *const *features; /* names for feature(); ends with NULL */
	const char *const *enabled;  /* names for enabled(); ends with NULL */
};

struct lang_options {
	const struct lang_section_kind *kinds; /* must outlive the tree */
	size_t kind_count;
	const struct lang_variable *variables; /* asked first: HAPROXY_LOCALPEER and such */
	size_t variable_count;
	lang_env_fn env; /* asked next; NULL: no other variable is set */
	void *env_ctx;
	const struct lang_facts *facts; /* NULL: nothing is known */
	/*
	 * Called for each statement right after it was read, before the next line is:
	 * for keywords that change what later lines mean (setenv). Section heads come
	 * too, with statement == section->head. May be NULL.
	 */
	void (*on_statement)(void *ctx, const struct lang_section *, const struct lang_statement *);
	void *on_statement_ctx;
	size_t memory_max_bytes; /* 0: LANG_MEMORY_MAX */
};

/* ---- parsing ---- */

/**
 * Reads files, and from directories the files that end in ".cfg" and do not
 * begin with a dot, in byte order of their names, not recursive. Each file
 * begins with a section (or a directive) and ends the last one. There is no
 * word for standard input, as in HAProxy;
 * "/dev/stdin" works.
 *
 * Problems of the configuration, an unreadable file among them, go to `diags`;
 * the tree holds what could be understood, so that the caller can go on looking
 * for problems. Returns NULL with `err` only if memory ran out (-ENOMEM). Free
 * with lang_tree_destroy.
 */
struct lang_tree *lang_parse_paths(const char *const *paths, size_t path_count,
	const struct lang_options *options, struct lang_diags *diags, struct error *err);

/** The same from memory, as one file called `name`. The text is copied. */
struct lang_tree *lang_parse_text(const char *name, struct bytes text,
	const struct lang_options *options, struct lang_diags *diags, struct error *err);

/** Frees the tree with all its words. NULL is accepted. */
void lang_tree_destroy(struct lang_tree *tree);

/**
 * Evaluates a condition as ".if" does, for the flag -cc: quotes, escapes and variables are
 * dealt with, "#" is an ordinary character. `options` gives variables and facts. Returns 1
 * if true, 0 if false (the empty condition as well), -EINVAL with `err` if it cannot be
 * understood, -ENOMEM.
 */
int lang_cond_eval(const char *text, const struct lang_options *options, struct error *err);

/* ---- reading the tree ---- */

/** First section of this word after `prev` (NULL: from the start); NULL if
 * there is none. */
const struct lang_section *lang_section_next(
	const struct lang_tree *tree, const struct lang_section *prev, const char *word);

/**
 * The defaults that a section inherits, nearest first: writes up to `max` into
 * `chain` and returns how many there are (may be more than max). They were
 * resolved during parsing by HAProxy's rules: "from NAME" names a unique
 * defaults section before it; without "from" a proxy takes the last defaults
 * section before it, a defaults section takes nothing. Unknown and ambiguous
 * names were reported then and count as "none".
 */
size_t lang_section_chain(
	const struct lang_section *section, const struct lang_section **chain, size_t max);

/** Text of word `index`, or "" beyond the last. */
static inline const char *lang_text(const struct lang_statement *s, uint32_t index)
{
	return index < s->word_count ? s->words[index].text : "";
}

/** True if word `index` exists and is `text`. */
static inline bool lang_is(const struct lang_statement *s, uint32_t index, const char *text)
{
	return index < s->word_count && strcmp(s->words[index].text, text) == 0;
}

/** Place of word `index`; of the end of the line if there is no such word. */
struct lang_place lang_place_of(const struct lang_statement *s, uint32_t index);

/** lang_diag_add at word `index` of a statement. */
void lang_report(struct lang_diags *diags, enum lang_severity severity,
	const struct lang_statement *s, uint32_t index, const char *hint, const char *fmt, ...)
	PRINTF_LIKE(6, 7);

#endif
