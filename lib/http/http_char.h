/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which bytes may stand where in HTTP: one table, a bit per class, for codecs and rules.
 */
#ifndef WEIR_HTTP_CHAR_H
#define WEIR_HTTP_CHAR_H

#include "base.h"

enum http_char {
	HTTP_CHAR_TOKEN = 1 << 0,  /* tchar, RFC 9110 5.6.2: methods, field names */
	HTTP_CHAR_TARGET = 1 << 1, /* visible ASCII but "#": what a target may hold, as HAProxy */
	HTTP_CHAR_SCHEME = 1 << 2, /* RFC 3986 3.1 */
	HTTP_CHAR_DIGIT = 1 << 3,
};

extern const uint8_t http_char_table[256];

/** True if the byte belongs to one of the classes. */
static inline bool http_char_is(char c, uint8_t classes)
{
	return (http_char_table[(uint8_t)c] & classes) != 0;
}

#endif
