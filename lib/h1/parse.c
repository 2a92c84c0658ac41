/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads, line by line. A line is parsed in one pass from left to right, so that the first thing
 * wrong in it is found whatever comes behind. If its end has not come, the offset up to which it
 * is known to have none is kept (p->seen); later calls only look for control characters in what
 * is new, and parse the line again when they meet one: its end, or a fault. A line is parsed at
 * most three times (at first, at CR, at LF).
 */
#include "h1_parse.h"

#include "http_char.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static enum h1_verdict bad(struct h1_parser *p, enum h1_fault fault)
{
	p->fault = fault;
	return H1_BAD;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
	return (uint8_t)c < 0x20 || c == 0x7f;
}

/* The first control character, HT included; `end` if there is none. */
static const char *find_control(const char *s, const char *end)
{
#ifdef __SSE2__
	const __m128i space_less = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);

	for (; end - s >= 16; s += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)s);
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, space_less), v);
		int mask = _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(v, del)));

		if (mask != 0)
			return s + __builtin_ctz((unsigned)mask);
	}
#endif
	while (s < end && !is_control(*s))
		s++;
	return s;
}

/* The first control character that is not HT. */
static const char *find_text_end(const char *s, const char *end)
{
	s = find_control(s, end);
	while (s < end && *s == '\t')
		s = find_control(s + 1, end);
	return s;
}

/* CR LF at *at; moves behind it. */
static enum h1_verdict line_end(struct h1_parser *p, const char **at, const char *end)
{
	const char *s = *at;

	if (s == end)
		return H1_MORE;
	if (*s == '\n' && p->lf_ends_line) {
		*at = s + 1;
		return H1_DONE;
	}
	if (*s == '\n')
		return bad(p, H1_FAULT_LINE_END);
	if (*s != '\r')
		return bad(p, H1_FAULT_CONTROL);
	if (s + 1 == end)
		return H1_MORE;
	if (s[1] != '\n')
		return bad(p, H1_FAULT_LINE_END);
	*at = s + 2;
	return H1_DONE;
}

/* "HTTP/" DIGIT "." DIGIT (RFC 9112 2.3). Any 1.x is understood as 1.1 at most. */
static enum h1_verdict version(
	struct h1_parser *p, struct http_head *head, const char **at, const char *end)
{
	static const char form[] = "HTTP/0.0";
	const char *s = *at;

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (s + i == end)
			return H1_MORE;
		if (form[i] == '0' ? !http_char_is(s[i], HTTP_CHAR_DIGIT) : s[i] != form[i])
			return bad(p, H1_FAULT_VERSION_FORM);
	}
	if (s[5] != '1')
		return bad(p, H1_FAULT_VERSION);
	head->version_major = 1;
	head->version_minor = s[7] == '0' ? 0 : 1;
	*at = s + sizeof(form) - 1;
	return H1_DONE;
}

/* method SP target SP version CRLF (RFC 9112 3) */
static enum h1_verdict request_line(
	struct h1_parser *p, struct http_head *head, const char **at, const char *end)
{
	const char *s = *at, *from = s;
	enum h1_verdict v;

	while (s < end && http_char_is(*s, HTTP_CHAR_TOKEN))
		s++;
	if (s == end)
		return H1_MORE;
	if (*s != ' ' || s == from)
		return bad(p, H1_FAULT_METHOD);
	head->method_text = bytes_of(from, (size_t)(s - from));
	head->method = http_method_of(head->method_text);
	from = ++s;
	while (s < end && http_char_is(*s, HTTP_CHAR_TARGET))
		s++;
	if (s == end)
		return H1_MORE;
	if (*s == '\r' || *s == '\n')
		return bad(p, H1_FAULT_START_LINE);
	if (*s != ' ' || !http_head_set_target(head, bytes_of(from, (size_t)(s - from))))
		return bad(p, H1_FAULT_TARGET);
	s++;
	v = version(p, head, &s, end);
	if (v != H1_DONE)
		return v;
	if (s < end && *s != '\r' && *s != '\n')
		return bad(p, H1_FAULT_VERSION_FORM);
	*at = s;
	return line_end(p, at, end);
}

/* version SP 3DIGIT [ SP reason ] CRLF (RFC 9112 4); many servers leave the second SP out. */
static enum h1_verdict status_line(
	struct h1_parser *p, struct http_head *head, const char **at, const char *end)
{
	const char *s = *at, *from;
	enum h1_verdict v = version(p, head, &s, end);

	if (v != H1_DONE)
		return v;
	if (s == end)
		return H1_MORE;
	if (*s++ != ' ')
		return bad(p, H1_FAULT_VERSION_FORM);
	head->method = p->method;
	head->status = 0;
	for (int i = 0; i < 3; i++, s++) {
		if (s == end)
			return H1_MORE;
		if (!http_char_is(*s, HTTP_CHAR_DIGIT) || (i == 0 && *s == '0'))
			return bad(p, H1_FAULT_STATUS);
		head->status = (uint16_t)(head->status * 10 + (*s - '0'));
	}
	if (s == end)
		return H1_MORE;
	if (*s != ' ' && *s != '\r' && *s != '\n')
		return bad(p, H1_FAULT_STATUS);
	if (*s == ' ')
		s++;
	from = s;
	s = find_text_end(s, end);
	head->reason = bytes_of(from, (size_t)(s - from));
	*at = s;
	return line_end(p, at, end);
}

/* Empty lines in front are skipped (RFC 9112 2.2). */
static enum h1_verdict start_line(
	struct h1_parser *p, struct http_head *head, const char **at, const char *end)
{
	enum h1_verdict v;

	if (*at < end && (**at == '\r' || **at == '\n'))
		return line_end(p, at, end);
	v = p->kind == H1_KIND_REQUEST ? request_line(p, head, at, end)
				       : status_line(p, head, at, end);
	p->start_done = v == H1_DONE;
	return v;
}

static enum h1_verdict add_field(
	struct h1_parser *p, struct http_head *head, struct bytes name, struct bytes value)
{
	/* HAProxy counts the start line, too. */
	if (head->field_count + 1u >= head->home->fields_max)
		return bad(p, H1_FAULT_FIELD_COUNT);
	if (!http_head_add(head, name, value))
		return bad(p, H1_FAULT_HEAD_SIZE);
	return h1_meet_field(p, head, &head->fields[head->field_count - 1]);
}

/* name ":" OWS value OWS CRLF, or the empty line (RFC 9112 5) */
static enum h1_verdict field_line(
	struct h1_parser *p, struct http_head *head, const char **at, const char *end)
{
	const char *s = *at, *name = s, *value, *value_end;
	size_t name_len;
	enum h1_verdict v;

	while (s < end && http_char_is(*s, HTTP_CHAR_TOKEN))
		s++;
	if (s == end)
		return H1_MORE;
	name_len = (size_t)(s - name);
	if (UNLIKELY(*s != ':' || name_len == 0)) {
		if (name_len > 0 || !(is_blank(*s) || *s == '\r' || *s == '\n'))
			return bad(p, H1_FAULT_FIELD_NAME);
		if (is_blank(*s))
			return bad(p, H1_FAULT_FIELD_FOLD);
		v = line_end(p, at, end);
		p->end_done = v == H1_DONE;
		return v;
	}
	do
		s++;
	while (s < end && is_blank(*s));
	value = s;
	s = find_text_end(s, end);
	value_end = s;
	v = line_end(p, &s, end);
	if (v != H1_DONE)
		return v;
	while (value_end > value && is_blank(value_end[-1]))
		value_end--;
	*at = s;
	return add_field(
		p, head, bytes_of(name, name_len), bytes_of(value, (size_t)(value_end - value)));
}

enum h1_verdict h1_parse_head(struct h1_parser *p, struct http_head *head, struct bytes text)
{
	const char *end = text.ptr + text.len;
	const char *at = text.ptr + p->line;
	enum h1_verdict v;

	if (p->kind == H1_KIND_TRAILERS)
		p->start_done = true;
	if (p->seen > p->line && find_text_end(text.ptr + p->seen, end) == end) {
		p->seen = (uint32_t)text.len;
		return H1_MORE;
	}
	do {
		v = p->start_done ? field_line(p, head, &at, end) : start_line(p, head, &at, end);
		if (v == H1_DONE)
			p->line = (uint32_t)(at - text.ptr);
	} while (v == H1_DONE && !p->end_done);
	if (v == H1_MORE) /* a CR is looked at again, together with what follows it */
		p->seen = (uint32_t)(end - text.ptr - (end > at && end[-1] == '\r'));
	return v == H1_DONE ? h1_conclude_head(p, head) : v;
}
