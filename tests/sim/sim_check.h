/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold for every connection whenever a core has nothing to do: the numbers are in order,
 * and who has something to do has a timer that will make it happen.
 */
#ifndef WEIR_TESTS_SIM_CHECK_H
#define WEIR_TESTS_SIM_CHECK_H

#include "tcp.h"

/** All connections of one core, between two turns of which the last found no work. NULL, or a text
 * that says what does not hold, valid until the next call. */
const char *sim_check(const struct tcp *tcp);

#endif
