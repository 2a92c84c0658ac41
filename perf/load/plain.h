/* SPDX-License-Identifier: BSD-3-Clause */
/* plain: bytes without HTTP. */
#ifndef WEIR_PERF_PLAIN_H
#define WEIR_PERF_PLAIN_H

#include "load.h"

/* A connection, one byte each way, and its end. */
extern const struct load_kind echo_kind;

/* One byte asks for LOAD_OBJECT_MAX bytes, on a connection that stays; these are a unit. */
extern const struct load_kind stream_kind;

#endif
