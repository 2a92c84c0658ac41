/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line: HAProxy's flags, where they make sense, with the same meaning, so that scripts,
 * unit files and test tools that start HAProxy can start weir.
 */
#ifndef WEIR_APP_CMDLINE_H
#define WEIR_APP_CMDLINE_H

#include "base_error.h"

#define CMDLINE_PATHS_MAX 256
#define CMDLINE_PIDS_MAX  256

enum cmdline_action {
	CMDLINE_RUN,
	CMDLINE_CHECK,   /* -c */
	CMDLINE_VERSION, /* -v */
	CMDLINE_BUILD,   /* -vv */
	CMDLINE_HELP,
	CMDLINE_CONDITION, /* -cc */
	CMDLINE_KEYWORDS,  /* -dK */
};

struct cmdline {
	enum cmdline_action action;
	const char *paths[CMDLINE_PATHS_MAX];
	size_t path_count;
	const char *condition;
	const char *pidfile;
	const char *peer_name;
	const char *directory; /* -C */
	uint32_t maxconn;
	uint64_t memory_bytes;
	bool daemon;          /* -D */
	bool quiet;           /* -q */
	bool verbose;         /* -V */
	bool zero_warning;    /* -dW */
	bool show_diag;       /* -dD */
	bool notify_ready;    /* -Ws: tell the service manager */
	bool keep_unresolved; /* -dr: names that do not resolve are no error */
	int stop_signal;      /* SIGUSR1 for -sf, SIGTERM for -st; 0: none */
	long stop_pids[CMDLINE_PIDS_MAX];
	size_t stop_pid_count;
};

/** Reads argv. Returns 0, or -EINVAL with *err naming the word. Strings point into argv. */
int cmdline_parse(int argc, char **argv, struct cmdline *out, struct error *err);

/** The text of --help. */
extern const char cmdline_help[];

#endif
