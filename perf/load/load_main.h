/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEIR_PERF_LOAD_MAIN_H
#define WEIR_PERF_LOAD_MAIN_H

#include "load.h"

struct wire;

/** The whole program, over `wire` if it is not NULL. Once per process; returns the exit status. */
int load_main(int argc, char **argv, const struct wire *wire);

#endif
