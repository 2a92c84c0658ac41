/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base_error.h"

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	ASSERT(code < 0);
	if (!err || err->code)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char old[ERROR_TEXT_SIZE];
	size_t room, len;
	va_list ap;

	if (!err || !err->code)
		return 0;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	room = sizeof(err->text) - len;
	if (room > 2) {
		memcpy(err->text + len, ": ", 3);
		memccpy(err->text + len + 2, old, '\0', room - 2);
		err->text[sizeof(err->text) - 1] = '\0';
	}
	return err->code;
}

void error_clear(struct error *err)
{
	err->code = 0;
	err->text[0] = '\0';
}
