/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka with the headers it wants before it. Every unit test includes this first. */
#ifndef WEIR_TESTS_CHECK_H
#define WEIR_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
