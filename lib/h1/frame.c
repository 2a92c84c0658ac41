/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fields of a head say about its body and its connection (RFC 9112 6 and 9). */
#include "h1_parse.h"

#include "http_char.h"

static enum h1_verdict bad(struct h1_parser *p, enum h1_fault fault)
{
	p->fault = fault;
	return H1_BAD;
}

/* Digits only; false also if it does not fit 63 bits. */
static bool read_length(struct bytes text, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!http_char_is(text.ptr[i], HTTP_CHAR_DIGIT) || n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	*out = n;
	return text.len > 0;
}

/* The text up to the next comma, without white space; unlike http_list_next also if it is empty. */
static struct bytes cut_at_comma(struct bytes *rest)
{
	const char *comma = rest->len ? memchr(rest->ptr, ',', rest->len) : NULL;
	struct bytes whole = bytes_of(rest->ptr, comma ? (size_t)(comma - rest->ptr) : rest->len);
	struct bytes item = BYTES_NONE;

	*rest = comma ? bytes_of(comma + 1, rest->len - whole.len - 1) : BYTES_NONE;
	http_list_next(&whole, &item);
	return item;
}

/* The same number several times is one number (RFC 9110 8.6); anything else is an attack. */
static enum h1_verdict meet_length(struct h1_parser *p, struct http_field *f)
{
	struct bytes rest = http_field_value(f);
	struct bytes first = BYTES_NONE;
	bool repeated = (p->found & H1_FOUND_LENGTH) != 0;

	do {
		struct bytes item = cut_at_comma(&rest);
		uint64_t n;

		if (!read_length(item, &n) || ((p->found & H1_FOUND_LENGTH) && n != p->length))
			return bad(p, H1_FAULT_LENGTH);
		if (first.ptr == NULL)
			first = item;
		p->length = n;
		p->found |= H1_FOUND_LENGTH;
	} while (rest.ptr != NULL);
	f->value_ptr = first.ptr;
	f->value_len = (uint32_t)first.len;
	f->removed = repeated;
	return H1_DONE;
}

/* "chunked" once and last (RFC 9112 6.1). Whether others may stand before it is asked later. */
static enum h1_verdict meet_coding(struct h1_parser *p, struct http_field *f)
{
	struct bytes rest = http_field_value(f), item;

	p->found |= H1_FOUND_CODING;
	while (http_list_next(&rest, &item)) {
		if (p->found & H1_FOUND_CHUNKED)
			return bad(p, H1_FAULT_CODING);
		if (bytes_eq_nocase(item, BYTES_LIT("chunked")))
			p->found |= H1_FOUND_CHUNKED;
		else
			p->found |= H1_FOUND_CODING_OTHER;
	}
	return H1_DONE;
}

static void meet_connection(struct h1_parser *p, struct http_field *f)
{
	struct bytes rest = http_field_value(f), item;

	while (http_list_next(&rest, &item)) {
		if (bytes_eq_nocase(item, BYTES_LIT("close")))
			p->found |= H1_FOUND_CLOSE;
		else if (bytes_eq_nocase(item, BYTES_LIT("keep-alive")))
			p->found |= H1_FOUND_KEEP_ALIVE;
		else if (bytes_eq_nocase(item, BYTES_LIT("upgrade")))
			p->found |= H1_FOUND_UPGRADE_TOKEN;
	}
}

/* RFC 9112 3.2: one Host; a copy of it is forgiven, as HAProxy does. */
static enum h1_verdict meet_host(struct h1_parser *p, struct http_field *f)
{
	if (p->host == NULL) {
		p->host = f;
		return H1_DONE;
	}
	if (!bytes_eq_nocase(http_field_value(p->host), http_field_value(f)))
		return bad(p, H1_FAULT_HOST);
	f->removed = true;
	return H1_DONE;
}

enum h1_verdict h1_meet_field(struct h1_parser *p, struct http_head *head, struct http_field *f)
{
	(void)head;
	if (LIKELY(f->id == HTTP_FIELD_OTHER))
		return H1_DONE;
	if (p->kind == H1_KIND_TRAILERS) {
		f->removed = true; /* RFC 9110 6.5.1 */
		return H1_DONE;
	}
	switch (f->id) {
	case HTTP_FIELD_CONTENT_LENGTH:
		return meet_length(p, f);
	case HTTP_FIELD_TRANSFER_ENCODING:
		return meet_coding(p, f);
	case HTTP_FIELD_CONNECTION:
		meet_connection(p, f);
		break;
	case HTTP_FIELD_HOST:
		return p->kind == H1_KIND_REQUEST ? meet_host(p, f) : H1_DONE;
	case HTTP_FIELD_UPGRADE:
		p->found |= H1_FOUND_UPGRADE;
		break;
	case HTTP_FIELD_EXPECT:
		if (bytes_eq_nocase(http_field_value(f), BYTES_LIT("100-continue")))
			p->found |= H1_FOUND_EXPECT_100;
		break;
	}
	return H1_DONE;
}

/* An authority without a port that goes without saying. */
static struct bytes without_port(struct bytes authority, struct bytes port)
{
	size_t host_len = authority.len - MIN(port.len, authority.len);

	if (bytes_eq(bytes_of(authority.ptr + host_len, authority.len - host_len), port))
		authority.len = host_len;
	return authority;
}

/* RFC 9112 3.2.2: Host of a request with an absolute target must be that of the target. */
static bool host_fits_target(const struct http_head *head, struct bytes host)
{
	struct bytes authority = head->authority;

	if (authority.len == 0)
		return true;
	if (!bytes_eq_nocase(head->scheme, BYTES_LIT("https"))) {
		authority = without_port(authority, BYTES_LIT(":80"));
		host = without_port(host, BYTES_LIT(":80"));
	}
	if (!bytes_eq_nocase(head->scheme, BYTES_LIT("http"))) {
		authority = without_port(authority, BYTES_LIT(":443"));
		host = without_port(host, BYTES_LIT(":443"));
	}
	return bytes_eq_nocase(authority, host);
}

static enum h1_verdict check_coding(struct h1_parser *p, struct http_head *head)
{
	struct http_field *f = NULL;

	if (!(p->found & H1_FOUND_CODING))
		return H1_DONE;
	if (!(p->found & H1_FOUND_CHUNKED))
		return bad(p, H1_FAULT_CODING);
	if (p->found & H1_FOUND_CODING_OTHER)
		return bad(p, H1_FAULT_CODING_UNKNOWN);
	if (head->version_minor == 0)
		return bad(p, H1_FAULT_CODING_VERSION);
	if (p->found &
		H1_FOUND_LENGTH) { /* RFC 9112 6.3, case 3; HAProxy lets requests pass as well */
		if (head->status == 0)
			return bad(p, H1_FAULT_LENGTH);
		while ((f = http_head_find_id(head, HTTP_FIELD_CONTENT_LENGTH, f)) != NULL)
			f->removed = true;
		head->flags |= HTTP_HEAD_CLOSE;
	}
	return H1_DONE;
}

/* RFC 9112 9.3 */
static bool says_close(const struct h1_parser *p, const struct http_head *head)
{
	if (p->found & H1_FOUND_CLOSE)
		return true;
	if (p->found & H1_FOUND_KEEP_ALIVE)
		return false;
	return head->version_minor == 0 || p->keep_alive_stated;
}

static bool response_has_no_body(const struct http_head *head)
{
	return head->method == HTTP_METHOD_HEAD || head->status < 200 || head->status == 204 ||
	       head->status == 304;
}

/* RFC 9112 6.3, by its cases. */
static enum http_body body_of(const struct h1_parser *p, const struct http_head *head)
{
	bool response = p->kind == H1_KIND_RESPONSE;

	if (response && head->status == 101)
		return HTTP_BODY_TUNNEL;
	if (response && response_has_no_body(head))
		return HTTP_BODY_NONE;
	if (head->method == HTTP_METHOD_CONNECT && !response)
		return HTTP_BODY_NONE;
	if (head->method == HTTP_METHOD_CONNECT && head->status < 300)
		return HTTP_BODY_TUNNEL;
	if (p->found & H1_FOUND_CHUNKED)
		return HTTP_BODY_CHUNKED;
	if (p->found & H1_FOUND_LENGTH)
		return HTTP_BODY_LENGTH;
	return response ? HTTP_BODY_UNTIL_CLOSE : HTTP_BODY_NONE;
}

/* CONNECT with a body: nobody agrees on what it means (RFC 9110 9.3.6). */
static bool has_body(const struct h1_parser *p)
{
	return (p->found & H1_FOUND_CODING) || p->length > 0;
}

enum h1_verdict h1_conclude_head(struct h1_parser *p, struct http_head *head)
{
	enum h1_verdict v;

	if (p->kind == H1_KIND_TRAILERS)
		return H1_DONE;
	v = check_coding(p, head);
	if (v != H1_DONE)
		return v;
	if (p->kind == H1_KIND_REQUEST && head->method == HTTP_METHOD_CONNECT && has_body(p))
		return bad(p, H1_FAULT_LENGTH);
	if (p->host != NULL && !host_fits_target(head, http_field_value(p->host)))
		return bad(p, H1_FAULT_HOST);
	if (head->status == 101 && !p->upgrade_asked)
		return bad(p, H1_FAULT_UPGRADE);
	if ((p->found & H1_FOUND_UPGRADE) && (p->found & H1_FOUND_UPGRADE_TOKEN))
		head->flags |= HTTP_HEAD_UPGRADE;
	if (p->found & H1_FOUND_EXPECT_100)
		head->flags |= HTTP_HEAD_EXPECT_100;
	head->body = body_of(p, head);
	if (head->body == HTTP_BODY_LENGTH)
		head->content_length = p->length;
	if (says_close(p, head) || head->body == HTTP_BODY_UNTIL_CLOSE)
		head->flags |= HTTP_HEAD_CLOSE;
	return H1_DONE;
}
