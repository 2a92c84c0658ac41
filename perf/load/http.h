/* SPDX-License-Identifier: BSD-3-Clause */
/* http: requests for objects of a known size, every byte of the answers checked. */
#ifndef WEIR_PERF_HTTP_H
#define WEIR_PERF_HTTP_H

#include "load.h"

extern const struct load_kind http_kind;

#endif
