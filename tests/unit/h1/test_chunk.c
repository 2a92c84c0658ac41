/* SPDX-License-Identifier: BSD-3-Clause */
/* Chunk framing by table, each row whole, byte by byte, and cut in two at every position. */
#include "check.h"

#include "h1_parse.h"

struct row {
	const char *text;
	size_t len;
	const char *data; /* NULL: refused */
	enum h1_fault fault;
};

#define GOOD(text, data)                                    \
	{                                                   \
		text, sizeof(text) - 1, data, H1_FAULT_NONE \
	}
#define BAD(text, fault)                                       \
	{                                                      \
		text, sizeof(text) - 1, NULL, H1_FAULT_##fault \
	}

/* Takes data up to the end of `text`; returns what is unused, or a negative number for a fault. */
static long decode(struct h1_chunk *c, struct bytes text, char *data, size_t *data_len)
{
	enum h1_verdict v;
	size_t used;

	while ((v = h1_chunk_parse(c, text, &used)) == H1_DONE) {
		size_t n;

		text = bytes_of(text.ptr + used, text.len - used);
		if (c->state == H1_CHUNK_TRAILERS)
			return (long)text.len;
		n = MIN(text.len, (size_t)c->left);
		if (n == 0)
			return 0;
		memcpy(data + *data_len, text.ptr, n);
		*data_len += n;
		h1_chunk_took(c, n);
		text = bytes_of(text.ptr + n, text.len - n);
	}
	return v == H1_BAD ? -1 : 0;
}

static void feed(const struct row *row, size_t cut, size_t step)
{
	struct h1_chunk c = {0};
	char data[256];
	size_t data_len = 0, from = 0;
	long rest = 0;

	for (size_t to = cut; rest == 0 && from < row->len;
		from = to, to = MIN(to + step, row->len))
		rest = decode(&c, bytes_of(row->text + from, to - from), data, &data_len);
	if (row->data == NULL) {
		assert_int_equal(rest, -1);
		assert_int_equal(c.fault, row->fault);
		return;
	}
	assert_int_equal(c.fault, H1_FAULT_NONE);
	assert_int_equal(c.state, H1_CHUNK_TRAILERS);
	assert_true(bytes_eq(bytes_of(data, data_len), bytes_of_cstr(row->data)));
}

static void framing(void **state)
{
	static const struct row rows[] = {
		GOOD("0\r\n", ""),
		GOOD("000000000000000000000\r\n", ""),
		GOOD("2\r\nab\r\n0\r\n", "ab"),
		GOOD("1\r\na\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n",
			"a01234567890123456789"),
		GOOD("00002\r\nab\r\n0\r\n", "ab"),
		GOOD("2;x=y;z=\"a;b\"\r\nab\r\n0;q\r\n", "ab"),
		GOOD("2 \t;\tx\xe9\r\nab\r\n0\r\n", "ab"),
		GOOD("2 \r\nab\r\n0\t\r\n", "ab"),
		GOOD("4\r\n\r\n\r\n\r\n0\r\n", "\r\n\r\n"),
		BAD("\r\n", CHUNK_SIZE),
		BAD(" 2\r\n", CHUNK_SIZE),
		BAD(";x\r\n", CHUNK_SIZE),
		BAD("0x2\r\n", CHUNK_SIZE),
		BAD("-2\r\n", CHUNK_SIZE),
		BAD("+2\r\n", CHUNK_SIZE),
		BAD("g\r\n", CHUNK_SIZE),
		BAD("2 2\r\n", CHUNK_SIZE),
		BAD("2\n", CHUNK_SIZE),
		BAD("2\rx", CHUNK_SIZE),
		BAD("2,\r\n", CHUNK_SIZE),
		BAD("8000000000000000\r\n", CHUNK_SIZE),
		BAD("fffffffffffffffff\r\n", CHUNK_SIZE),
		BAD("10000000000000000000000002\r\n", CHUNK_SIZE),
		BAD("2;a\nab\r\n", CHUNK_EXTENSION),
		BAD("2;a\0b\r\n", CHUNK_EXTENSION),
		BAD("2;a\x7f\r\n", CHUNK_EXTENSION),
		BAD("2\r\nabc\r\n", CHUNK_END),
		BAD("2\r\nab\n0\r\n", CHUNK_END),
		BAD("2\r\nab\r0\r\n", CHUNK_END),
		BAD("2\r\nab0\r\n", CHUNK_END),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		feed(&rows[i], rows[i].len, 1);
		feed(&rows[i], 1, 1);
		for (size_t cut = 1; cut < rows[i].len; cut++)
			feed(&rows[i], cut, rows[i].len);
	}
}

static void the_largest_chunk(void **state)
{
	struct h1_chunk c = {0};
	size_t used;

	(void)state;
	assert_int_equal(h1_chunk_parse(&c, BYTES_LIT("7fffffffffffffff\r\n"), &used), H1_DONE);
	assert_int_equal(used, 18);
	assert_true(c.left == INT64_MAX);
}

static void extensions_are_bounded(void **state)
{
	struct h1_chunk c = {0};
	char text[H1_CHUNK_LINE_BYTES_MAX + 1];
	size_t used;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '1';
	text[1] = ';';
	assert_int_equal(h1_chunk_parse(&c, bytes_of(text, sizeof(text) - 1), &used), H1_MORE);
	assert_int_equal(h1_chunk_parse(&c, BYTES_LIT("x"), &used), H1_BAD);
	assert_int_equal(c.fault, H1_FAULT_CHUNK_EXTENSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing),
		cmocka_unit_test(the_largest_chunk),
		cmocka_unit_test(extensions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
