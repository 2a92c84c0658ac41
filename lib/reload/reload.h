/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reload: from the text of a configuration to a struct model.
 *
 * The keywords are rows of const tables (rl_*.c), each next to the function that reads it. A row
 * names the sections where the keyword may stand, what it takes, and what is said when it is
 * misused. Every problem is reported with file, line and word; the compiler goes on after each,
 * so that one run shows all of them.
 *
 * Control core and start-up only.
 */
#ifndef WEIR_RELOAD_H
#define WEIR_RELOAD_H

#include "lang.h"
#include "model.h"

struct reload_options {
	const char *const *paths; /* -f, in order: files and directories */
	size_t path_count;
	const char *peer_name; /* -L, for HAPROXY_LOCALPEER; NULL: the host's name */
	uint32_t maxconn;      /* -n; 0: not given */
	uint64_t memory_bytes; /* -m; 0: not given */
	uint32_t cpu_count;    /* of this machine, for "cores" */
	bool keep_unresolved;  /* -dr: a server whose name has no address starts in maintenance */
	bool resolve_names;    /* ask the system about host names (tests may not want it) */
	lang_env_fn env;       /* NULL: no environment */
	void *env_ctx;
};

/**
 * Reads the files and compiles them. Returns a model that the caller owns, or NULL: then `diags`
 * holds at least one alert (or `err` is set: out of memory). Warnings may come with a model.
 */
struct model *reload_load(const struct reload_options *options, struct lang_diags *diags,
	struct error *err) WR_SLOW_CORE;

/** The same for a text in memory, called `name` in messages. */
struct model *reload_load_text(const char *name, struct bytes text,
	const struct reload_options *options, struct lang_diags *diags,
	struct error *err) WR_SLOW_CORE;

/** Evaluates a condition as "-cc" does: 1, 0, or -EINVAL with *err. */
int reload_condition(const char *text, const struct reload_options *options, struct error *err);

/* One row for the documentation and the compatibility matrix. */
struct reload_keyword_info {
	const char *word;   /* "timeout client" */
	const char *syntax; /* "<time>" */
	uint32_t sections;  /* enum reload_section bits */
	bool ignored;       /* accepted with a notice */
};

enum reload_section {
	RELOAD_GLOBAL = 1 << 0,
	RELOAD_DEFAULTS = 1 << 1,
	RELOAD_FRONTEND = 1 << 2,
	RELOAD_BACKEND = 1 << 3,
	RELOAD_LISTEN = 1 << 4,
	RELOAD_NETWORK = 1 << 5,
};

/** Calls fn for each keyword of every table. */
void reload_keyword_each(void (*fn)(void *ctx, const struct reload_keyword_info *info), void *ctx);

#endif
