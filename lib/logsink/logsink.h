/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * logsink: takes log lines from the rings of all cores and sends them to the targets of the
 * configuration (model.logs) in HAProxy's formats.
 *
 * Runs on the control core as a poller in phase SLOW. Lines of different cores are taken in turns,
 * LOGSINK_CORE_LINES at a time; the lines of one core keep their order. A target that does not
 * take its lines never holds up anything: up to LOGSINK_BUFFER_BYTES wait for it, what does not fit
 * is dropped and counted (group "logsink" of the control core's worker).
 *
 * Lines of weir itself (LOG_TARGET_SELF) go to model.logs[0]; if that has no targets, to standard
 * error until weir has daemonised.
 *
 * Standard output and error are set non-blocking while they are targets. The process must ignore
 * SIGPIPE.
 */
#ifndef WEIR_LOGSINK_H
#define WEIR_LOGSINK_H

#include "model.h"
#include "sock.h"

#define LOGSINK_CORE_LINES   256         /* taken from one core before the next has its turn */
#define LOGSINK_POLL_LINES   4096        /* in one turn of the control core */
#define LOGSINK_BUFFER_BYTES (64 * 1024) /* per target */

enum logsink_stat {
#define STAT(sym, kind, text) LOGSINK_STAT_##sym,
#include "logsink_stat.def"
#undef STAT
	LOGSINK_STAT_COUNT,
};

struct logsink;

struct logsink_config {
	struct worker *control;
	struct worker *const *workers; /* by core index, the control core included; copied */
	uint32_t core_count;
	const struct model *model; /* must live until logsink_model_set gives another, or the end */
	uint32_t pid;              /* in the headers */
	bool daemonised;           /* standard error is not ours any more */
};

/** Start-up. Opens the targets and adds the poller "logs". NULL with *err set; the text names file
 * and line of the target that could not be opened. */
struct logsink *logsink_create(const struct logsink_config *config, struct error *err) WR_SLOW_CORE;

/** Drains what is left, tries once more to send it, closes the targets. NULL-safe. Before the
 * workers are destroyed. */
void logsink_destroy(struct logsink *sink) WR_SLOW_CORE;

/** Another configuration: opens its targets, then closes the old ones. On error (negative errno
 * with *err set) the old ones stay. Lines that were in a ring go to the new targets. */
int logsink_model_set(
	struct logsink *sink, const struct model *model, struct error *err) WR_SLOW_CORE;

/** After fork and setsid: the new pid, and standard error is not used any more for weir's own
 * lines. */
void logsink_daemonised(struct logsink *sink, uint32_t pid) WR_SLOW_CORE;

/** Any time: drains and sends as one turn does. The poller calls it. Returns the lines taken. */
uint32_t logsink_run(struct logsink *sink, uint32_t lines_max) WR_SLOW_CORE;

#endif
