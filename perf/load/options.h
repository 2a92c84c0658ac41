/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEIR_PERF_OPTIONS_H
#define WEIR_PERF_OPTIONS_H

#include "load.h"

/** Reads the command line into both; ends the process where it asks for help or is wrong. */
void load_options(int argc, char **argv, struct load_config *config, struct net_config *net);

#endif
