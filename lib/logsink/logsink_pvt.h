/* SPDX-License-Identifier: BSD-3-Clause */
/* Formats, and outputs: where the lines of all targets with one address wait and leave. */
#ifndef WEIR_LOGSINK_PVT_H
#define WEIR_LOGSINK_PVT_H

#include "logsink.h"

#define LOGSINK_HEADER_SIZE 512  /* with the longest tag that is kept whole */
#define LOGSINK_LINES_MAX   1024 /* datagrams that wait for one address */

/* Texts of one second, made once for all lines in it. */
struct logsink_time {
	uint64_t second; /* since 1970; UINT64_MAX: none yet */
	char syslog[24]; /* "Nov 23 06:58:34" */
	char iso[24];    /* "2026-11-23T06:58:34" */
	char zone[8];    /* "+00:00" */
};

/** Writes what stands before the text of a line to buf of LOGSINK_HEADER_SIZE bytes; returns the
 * length. */
size_t logsink_header(struct logsink_time *cache, const struct model_log_target *target,
	const char *tag, uint32_t pid, const struct log_line *line, char *buf);

/** The same for weir's own lines on standard error: "[NOTICE]   (pid) : ". */
size_t logsink_header_stderr(uint32_t pid, const struct log_line *line, char *buf);

struct logsink_output {
	const struct model_log_target *target; /* one of those that share it; NULL: our stderr */
	struct sock_dgram dgram;               /* fd -1: `fd` is written to */
	int fd;
	uint64_t *stats;
	uint32_t line_count; /* datagrams */
	uint32_t used;
	uint32_t line_len[LOGSINK_LINES_MAX];
	char data[LOGSINK_BUFFER_BYTES];
};

/** NULL with *err set. `target` NULL: standard error. */
struct logsink_output *logsink_output_open(
	const struct model_log_target *target, uint64_t *stats, struct error *err);
/** Tries to send what waits, then closes. NULL-safe. */
void logsink_output_close(struct logsink_output *out);
/** True if both go to the same place. */
bool logsink_output_is(const struct logsink_output *out, const struct model_log_target *target);

/** Takes a line, which is cut so that it has len_max bytes; drops it if there is no room. */
void logsink_output_line(
	struct logsink_output *out, struct bytes header, struct bytes text, uint32_t len_max);
/** Sends what the kernel takes. */
void logsink_output_flush(struct logsink_output *out);

#endif
