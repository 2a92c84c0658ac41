/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "manage_pvt.h"

static bool reserve(struct mg_out *out, size_t more)
{
	size_t size = MAX(out->size, (size_t)1024);
	char *data;

	if (more <= out->size - out->len)
		return true;
	while (size - out->len < more)
		size *= 2;
	data = realloc(out->data, size);
	if (!data) {
		out->failed = true;
		return false;
	}
	out->data = data;
	out->size = size;
	return true;
}

void mg_put(struct mg_out *out, struct bytes bytes)
{
	if (bytes.len == 0 || !reserve(out, bytes.len))
		return;
	memcpy(out->data + out->len, bytes.ptr, bytes.len);
	out->len += bytes.len;
}

void mg_puts(struct mg_out *out, const char *text)
{
	mg_put(out, bytes_of_cstr(text));
}

void mg_printf(struct mg_out *out, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0 || !reserve(out, (size_t)len + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(out->data + out->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	out->len += (size_t)len;
}

void mg_out_fini(struct mg_out *out)
{
	free(out->data);
	*out = (struct mg_out){0};
}

char *mg_age(uint64_t seconds, char *buf)
{
	unsigned s = (unsigned)(seconds % 60), m = (unsigned)(seconds / 60 % 60);
	unsigned h = (unsigned)(seconds / 3600 % 24), d = (unsigned)(seconds / 86400 % 1000000);

	if (d > 0)
		snprintf(buf, 16, "%ud%uh", d, h);
	else if (h > 0)
		snprintf(buf, 16, "%uh%um", h, m);
	else if (m > 0)
		snprintf(buf, 16, "%um%us", m, s);
	else
		snprintf(buf, 16, "%us", s);
	return buf;
}
