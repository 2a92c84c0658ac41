/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"
#include "http_xchg.h"

#include "http_char.h"

void http_head_set_response(struct http_head *head, uint16_t status, struct bytes reason)
{
	head->status = status;
	head->reason = reason.ptr ? reason : http_status_reason(status);
}

static bool is_token(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!http_char_is(text.ptr[i], HTTP_CHAR_TOKEN))
			return false;
	return text.len > 0;
}

bool http_head_set_request(struct http_head *head, struct bytes method, struct bytes target)
{
	uint8_t before = head->method;

	head->method = http_method_of(method);
	if (!is_token(method) || !http_head_set_target(head, target)) {
		head->method = before;
		return false;
	}
	head->method_text = method;
	return true;
}

struct bytes http_head_host(const struct http_head *head)
{
	const struct http_field *f;

	if (head->authority.len > 0)
		return head->authority;
	f = http_head_find_id(head, HTTP_FIELD_HOST, NULL);
	return f ? http_field_value(f) : BYTES_NONE;
}

const char *http_error_name(enum http_error error)
{
	static const char *const names[HTTP_ERROR_COUNT] = {
		[HTTP_ERROR_NONE] = "none",
		[HTTP_ERROR_CLOSED] = "closed",
		[HTTP_ERROR_TRUNCATED] = "truncated",
		[HTTP_ERROR_RESET] = "reset",
		[HTTP_ERROR_MALFORMED] = "malformed",
		[HTTP_ERROR_REFUSED] = "refused",
		[HTTP_ERROR_NO_MEMORY] = "no memory",
	};

	return names[error];
}
