/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base.h"

void base_assert_failed(const char *cond, const char *file, int line, const char *func)
{
	fprintf(stderr, "weir: assertion failed: %s (%s:%d, %s)\n", cond, file, line, func);
	abort();
}
