/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log: the event ring. A core writes whole lines into its own ring of bytes; the control core
 * drains all rings and hands the lines to their sinks. A full ring refuses the newest line and
 * counts it. One writer, one reader.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <stdarg.h>

#include "base_bytes.h"
#include "base_error.h"

/* The severities of RFC 5424. */
enum log_level {
	LOG_LEVEL_EMERG,
	LOG_LEVEL_ALERT,
	LOG_LEVEL_CRIT,
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

#define LOG_LINE_MAX_BYTES 8192 /* a longer line is cut and marked by "..." at its end */

/* Whom a line is for: 0 is weir itself (its own events); others are indexes that the
 * configuration gives to lists of log targets (model: struct model_log). */
#define LOG_TARGET_SELF 0

struct log_line {
	uint64_t wall_ns; /* when it was written */
	uint32_t target;
	enum log_level level;
	struct bytes text; /* no newline; valid until the callback returns */
};

struct log_ring;

/**
 * Start-up. Size is rounded up to a power of two, at least 32 KiB, so that the longest line always
 * fits into an empty ring. NULL with *err set (-ENOMEM).
 */
struct log_ring *log_ring_create(size_t size_bytes, struct error *err);

/** NULL-safe. Lines that still wait are lost: drain first. */
void log_ring_destroy(struct log_ring *ring);

/** The writer. Returns false if the ring is full (counted). */
bool log_write(struct log_ring *ring, uint64_t wall_ns, uint32_t target, enum log_level level,
	struct bytes text) WR_DATA_CORE;

/** The writer. As log_write with LOG_TARGET_SELF; formats without heap. */
bool log_event(struct log_ring *ring, uint64_t wall_ns, enum log_level level, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/** The reader. Calls fn for up to `max` lines, oldest first. Returns how many. */
uint32_t log_drain(struct log_ring *ring, uint32_t max,
	void (*fn)(void *ctx, const struct log_line *line), void *ctx) WR_SLOW_CORE;

/** Any core: lines refused since the start because the ring was full. */
uint64_t log_dropped(const struct log_ring *ring);

#endif
