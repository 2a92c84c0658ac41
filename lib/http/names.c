/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

#include "http_char.h"

/* Bits of enum http_char, 16 bytes a line; 0x80 to 0xff belong to no class. */
const uint8_t http_char_table[256] = {
	/* clang-format off */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 00 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
	0, 3, 2, 1, 3, 3, 3, 3, 2, 2, 3, 7, 2, 7, 7, 2, /* 20 */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 2, 2, 2, 2, 2, 2, /* 30 */
	2, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* 40 */
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2, 2, 2, 3, 3, /* 50 */
	3, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* 60 */
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2, 3, 2, 3, 0, /* 70 */
	/* clang-format on */
};

static const struct bytes field_names[HTTP_FIELD_COUNT] = {
	[HTTP_FIELD_OTHER] = {NULL, 0},
#define FIELD(sym, text) [HTTP_FIELD_##sym] = {text, sizeof(text) - 1},
#include "http_field.def"
#undef FIELD
};

/* By the length of a name, the ids that have it: from start_of_len[len] up to the next one. The
 * rows of http_field.def are sorted by length. */
#define NAME_LEN_MAX 17
static const uint8_t start_of_len[NAME_LEN_MAX + 2] = {
	[0 ... 2] = HTTP_FIELD_TE,
	[3 ... 4] = HTTP_FIELD_HOST,
	[5 ... 6] = HTTP_FIELD_EXPECT,
	[7] = HTTP_FIELD_TRAILER,
	[8 ... 10] = HTTP_FIELD_CONNECTION,
	[11 ... 14] = HTTP_FIELD_CONTENT_LENGTH,
	[15 ... 16] = HTTP_FIELD_PROXY_CONNECTION,
	[17] = HTTP_FIELD_TRANSFER_ENCODING,
	[18] = HTTP_FIELD_COUNT,
};

enum http_field_id http_field_id_of(struct bytes name)
{
	if (name.len > NAME_LEN_MAX)
		return HTTP_FIELD_OTHER;
	for (unsigned id = start_of_len[name.len]; id < start_of_len[name.len + 1]; id++)
		if (byte_lower(name.ptr[0]) == field_names[id].ptr[0] &&
			bytes_eq_nocase(name, field_names[id]))
			return id;
	return HTTP_FIELD_OTHER;
}

struct bytes http_field_id_name(enum http_field_id id)
{
	return field_names[id];
}

static const struct bytes method_names[HTTP_METHOD_COUNT] = {
	[HTTP_METHOD_OTHER] = {NULL, 0},
	[HTTP_METHOD_GET] = {"GET", 3},
	[HTTP_METHOD_HEAD] = {"HEAD", 4},
	[HTTP_METHOD_POST] = {"POST", 4},
	[HTTP_METHOD_PUT] = {"PUT", 3},
	[HTTP_METHOD_DELETE] = {"DELETE", 6},
	[HTTP_METHOD_OPTIONS] = {"OPTIONS", 7},
	[HTTP_METHOD_TRACE] = {"TRACE", 5},
	[HTTP_METHOD_CONNECT] = {"CONNECT", 7},
};

enum http_method http_method_of(struct bytes text)
{
	for (unsigned m = HTTP_METHOD_GET; m < HTTP_METHOD_COUNT; m++)
		if (bytes_eq(text, method_names[m]))
			return m;
	return HTTP_METHOD_OTHER;
}

struct bytes http_method_name(enum http_method method)
{
	return method_names[method];
}

/* RFC 9110 15, and the IANA registry for the others. */
struct bytes http_status_reason(uint16_t status)
{
	static const struct {
		uint16_t status;
		const char *reason;
	} rows[] = {
		{100, "Continue"},
		{101, "Switching Protocols"},
		{102, "Processing"},
		{103, "Early Hints"},
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{203, "Non-Authoritative Information"},
		{204, "No Content"},
		{205, "Reset Content"},
		{206, "Partial Content"},
		{300, "Multiple Choices"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{402, "Payment Required"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{425, "Too Early"},
		{426, "Upgrade Required"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{451, "Unavailable For Legal Reasons"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
		{511, "Network Authentication Required"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].status == status)
			return bytes_of_cstr(rows[i].reason);
	return BYTES_LIT("Unknown");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool http_list_next(struct bytes *rest, struct bytes *item)
{
	const char *p = rest->ptr, *end = rest->ptr + rest->len;
	const char *from, *to;

	while (p < end && (is_blank(*p) || *p == ','))
		p++;
	from = p;
	while (p < end && *p != ',')
		p++;
	to = p;
	while (to > from && is_blank(to[-1]))
		to--;
	*rest = bytes_of(p, (size_t)(end - p));
	*item = bytes_of(from, (size_t)(to - from));
	return item->len > 0;
}
