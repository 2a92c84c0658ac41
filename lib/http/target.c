/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

#include "http_char.h"

/* What a target consists of. */
struct slices {
	enum http_target_form form;
	struct bytes scheme, authority, path, query;
};

static struct bytes bytes_between(const char *from, const char *to)
{
	return bytes_of(from, (size_t)(to - from));
}

/* Path and query of what begins with "/" or "?", or is empty. */
static void slice_path(struct slices *s, const char *p, const char *end)
{
	const char *mark = end > p ? memchr(p, '?', (size_t)(end - p)) : NULL;

	s->path = bytes_between(p, mark ? mark : end);
	s->query = mark ? bytes_between(mark + 1, end) : BYTES_NONE;
}

/* RFC 3986 3.2: the part behind user information, which nobody may route by. */
static bool slice_authority(struct slices *s, const char *p, const char *end)
{
	const char *at = end > p ? memrchr(p, '@', (size_t)(end - p)) : NULL;

	s->authority = bytes_between(at ? at + 1 : p, end);
	return s->authority.len > 0 && s->authority.ptr[0] != ':';
}

/* RFC 9112 3.2.2: scheme "://" authority, then path and query. */
static bool slice_absolute(struct slices *s, const char *p, const char *end)
{
	const char *q = p;
	const char *authority_end;

	while (q < end && http_char_is(*q, HTTP_CHAR_SCHEME))
		q++;
	s->form = HTTP_TARGET_ABSOLUTE;
	s->scheme = bytes_between(p, q);
	if (q == p || end - q < 3 || memcmp(q, "://", 3) != 0)
		return false;
	q += 3;
	for (authority_end = q; authority_end < end; authority_end++)
		if (*authority_end == '/' || *authority_end == '?')
			break;
	slice_path(s, authority_end, end);
	return slice_authority(s, q, authority_end);
}

/* RFC 9112 3.2.3: host ":" port. */
static bool slice_connect(struct slices *s, const char *p, const char *end)
{
	const char *digits = end;

	while (digits > p && http_char_is(digits[-1], HTTP_CHAR_DIGIT))
		digits--;
	s->form = HTTP_TARGET_AUTHORITY;
	s->authority = bytes_between(p, end);
	return digits < end && digits - p > 1 && digits[-1] == ':' &&
	       memchr(p, '/', (size_t)(end - p)) == NULL &&
	       memchr(p, '@', (size_t)(end - p)) == NULL;
}

static bool slice_target(struct slices *s, enum http_method method, struct bytes target)
{
	const char *p = target.ptr, *end = target.ptr + target.len;

	for (const char *q = p; q < end; q++)
		if (UNLIKELY(!http_char_is(*q, HTTP_CHAR_TARGET)))
			return false;
	if (target.len == 0)
		return false;
	if (method == HTTP_METHOD_CONNECT)
		return slice_connect(s, p, end);
	if (*p == '/') {
		s->form = HTTP_TARGET_ORIGIN;
		slice_path(s, p, end);
		return true;
	}
	if (method == HTTP_METHOD_OPTIONS && bytes_eq(target, BYTES_LIT("*"))) {
		s->form = HTTP_TARGET_ASTERISK;
		s->path = target;
		return true;
	}
	return slice_absolute(s, p, end);
}

bool http_head_set_target(struct http_head *head, struct bytes target)
{
	struct slices s = {0};

	if (!slice_target(&s, head->method, target))
		return false;
	head->target = target;
	head->target_form = s.form;
	head->scheme = s.scheme;
	head->authority = s.authority;
	head->path = s.path;
	head->query = s.query;
	return true;
}
