/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How large the pools of each core are: from the memory and the connections that the configuration
 * grants. docs/operation.md shows the figures to operators.
 */
#ifndef WEIR_APP_SIZES_H
#define WEIR_APP_SIZES_H

#include "model.h"

struct sizes {
	uint64_t memory_bytes; /* for packet buffers of all cores, rings included */
	uint32_t buffers;      /* data buffers of each worker */
	uint32_t refs;         /* indirect buffers of each worker */
	uint32_t control_buffers;
	uint32_t sessions; /* client connections of each worker */
	uint32_t conns;    /* TCP connections of each worker: both sides */
	uint32_t time_waits;
	uint32_t conn_buffer_max_bytes; /* what each buffer of a connection may grow to */
};

/** Fills *out. Returns 0, or -ENOMEM with *err naming what would be needed. */
int sizes_compute(const struct model *model, struct sizes *out, struct error *err);

#endif
