/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "http_char.h"
#include "http_xchg.h"

static void every_field_is_found_by_its_name(void **state)
{
	(void)state;
	for (unsigned id = HTTP_FIELD_OTHER + 1; id < HTTP_FIELD_COUNT; id++) {
		struct bytes name = http_field_id_name(id);
		char upper[32];

		assert_in_range(name.len, 1, sizeof(upper) - 1);
		assert_int_equal(http_field_id_of(name), id);
		for (size_t i = 0; i < name.len; i++)
			upper[i] = name.ptr[i] == '-' ? '-' : (char)(name.ptr[i] & ~0x20);
		assert_int_equal(http_field_id_of(bytes_of(upper, name.len)), id);
		upper[name.len - 1] = '_';
		assert_int_equal(http_field_id_of(bytes_of(upper, name.len)), HTTP_FIELD_OTHER);
	}
}

static void other_names_are_other(void **state)
{
	static const char *const rows[] = {"", "x", "hos", "hosts", "content-lengtH2", "accept",
		"transfer-encodin", "transfer-encoding2",
		"a-name-that-is-longer-than-any-of-those-that-are-known"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(http_field_id_of(bytes_of_cstr(rows[i])), HTTP_FIELD_OTHER);
	assert_int_equal(http_field_id_name(HTTP_FIELD_OTHER).len, 0);
}

static void methods_are_case_sensitive(void **state)
{
	(void)state;
	for (unsigned m = HTTP_METHOD_OTHER + 1; m < HTTP_METHOD_COUNT; m++)
		assert_int_equal(http_method_of(http_method_name(m)), m);
	assert_int_equal(http_method_of(BYTES_LIT("get")), HTTP_METHOD_OTHER);
	assert_int_equal(http_method_of(BYTES_LIT("GETS")), HTTP_METHOD_OTHER);
	assert_int_equal(http_method_of(BYTES_NONE), HTTP_METHOD_OTHER);
}

static void statuses_have_reasons(void **state)
{
	(void)state;
	assert_true(bytes_eq(http_status_reason(404), BYTES_LIT("Not Found")));
	assert_true(bytes_eq(http_status_reason(503), BYTES_LIT("Service Unavailable")));
	assert_true(bytes_eq(http_status_reason(299), BYTES_LIT("Unknown")));
}

static void lists_are_split(void **state)
{
	static const struct {
		const char *list;
		const char *items[4];
	} rows[] = {
		{"", {NULL}},
		{" ,\t, ", {NULL}},
		{"a", {"a"}},
		{"a,b", {"a", "b"}},
		{" a b \t,, c\t", {"a b", "c"}},
		{",x,", {"x"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes rest = bytes_of_cstr(rows[i].list), item;
		size_t n = 0;

		for (; rows[i].items[n] != NULL; n++) {
			assert_true(http_list_next(&rest, &item));
			assert_true(bytes_eq(item, bytes_of_cstr(rows[i].items[n])));
		}
		assert_false(http_list_next(&rest, &item));
	}
}

/* The grammar, said once more in other words. */
static void classes_of_bytes(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';

		assert_int_equal(http_char_is((char)c, HTTP_CHAR_TOKEN),
			alpha || digit || (c && strchr("!#$%&'*+-.^_`|~", c)));
		assert_int_equal(
			http_char_is((char)c, HTTP_CHAR_TARGET), c > 0x20 && c < 0x7f && c != '#');
		assert_int_equal(http_char_is((char)c, HTTP_CHAR_SCHEME),
			alpha || digit || (c && strchr("+-.", c)));
		assert_int_equal(http_char_is((char)c, HTTP_CHAR_DIGIT), digit);
	}
}

static void errors_have_names(void **state)
{
	(void)state;
	for (unsigned e = 0; e < HTTP_ERROR_COUNT; e++)
		assert_non_null(http_error_name(e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_found_by_its_name),
		cmocka_unit_test(other_names_are_other),
		cmocka_unit_test(methods_are_case_sensitive),
		cmocka_unit_test(statuses_have_reasons),
		cmocka_unit_test(lists_are_split),
		cmocka_unit_test(classes_of_bytes),
		cmocka_unit_test(errors_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
