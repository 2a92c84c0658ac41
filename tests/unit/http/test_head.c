/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "http.h"

#define REWRITE_BYTES 256
#define FIELDS_MAX    4

static struct http_heads heads;

static int set_up(void **state)
{
	struct http_heads_config config = {
		.heads_max = 2,
		.fields_max = FIELDS_MAX,
		.buffer_bytes = 1024,
		.rewrite_bytes = REWRITE_BYTES,
	};

	(void)state;
	return http_heads_init(&heads, &config, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	return (int)http_heads_fini(&heads);
}

static struct bytes text(const char *s)
{
	return bytes_of_cstr(s);
}

static void targets_are_sliced(void **state)
{
	static const struct {
		const char *method, *target;
		enum http_target_form form; /* NONE: refused */
		const char *scheme, *authority, *path, *query;
	} rows[] = {
		{"GET", "/", HTTP_TARGET_ORIGIN, "", "", "/", ""},
		{"GET", "/a/b?c=d?e", HTTP_TARGET_ORIGIN, "", "", "/a/b", "c=d?e"},
		{"GET", "/?", HTTP_TARGET_ORIGIN, "", "", "/", ""},
		{"GET", "/a:b@c", HTTP_TARGET_ORIGIN, "", "", "/a:b@c", ""},
		{"GET", "http://h/p?q", HTTP_TARGET_ABSOLUTE, "http", "h", "/p", "q"},
		{"GET", "http://h", HTTP_TARGET_ABSOLUTE, "http", "h", "", ""},
		{"GET", "http://h?q", HTTP_TARGET_ABSOLUTE, "http", "h", "", "q"},
		{"GET", "http://u:p@h:8/p", HTTP_TARGET_ABSOLUTE, "http", "h:8", "/p", ""},
		{"GET", "http://h/@x", HTTP_TARGET_ABSOLUTE, "http", "h", "/@x", ""},
		{"GET", "a+b-c.1://[::1]:80/", HTTP_TARGET_ABSOLUTE, "a+b-c.1", "[::1]:80", "/",
			""},
		{"OPTIONS", "*", HTTP_TARGET_ASTERISK, "", "", "*", ""},
		{"OPTIONS", "/", HTTP_TARGET_ORIGIN, "", "", "/", ""},
		{"CONNECT", "h:443", HTTP_TARGET_AUTHORITY, "", "h:443", "", ""},
		{"CONNECT", "[::1]:1", HTTP_TARGET_AUTHORITY, "", "[::1]:1", "", ""},
		{"GET", "", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "*", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"OPTIONS", "**", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "h:443", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "path", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "/a#b", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "/a b", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "/\x7f", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "/\xc3\xa9", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "http:/h/", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "http:", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "http:///p", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "http://:80/", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "http://u@/p", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"GET", "://h/", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", "/", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", "h", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", "h:", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", ":443", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", "443", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", "h/x:443", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"CONNECT", "u@h:443", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"", "/", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
		{"G T", "/", HTTP_TARGET_NONE, NULL, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_head *h = http_head_get(&heads);
		bool ok = http_head_set_request(h, text(rows[i].method), text(rows[i].target));

		assert_int_equal(ok, rows[i].form != HTTP_TARGET_NONE);
		assert_int_equal(h->target_form, rows[i].form);
		if (ok) {
			assert_true(bytes_eq(h->scheme, text(rows[i].scheme)));
			assert_true(bytes_eq(h->authority, text(rows[i].authority)));
			assert_true(bytes_eq(h->path, text(rows[i].path)));
			assert_true(bytes_eq(h->query, text(rows[i].query)));
			assert_true(bytes_eq(h->target, text(rows[i].target)));
		}
		http_head_free(h);
	}
}

static void a_bad_target_changes_nothing(void **state)
{
	struct http_head *h = http_head_get(&heads);

	(void)state;
	assert_true(http_head_set_request(h, text("GET"), text("/a?b")));
	assert_false(http_head_set_target(h, text("a b")));
	assert_false(http_head_set_request(h, text("CONNECT"), text("/")));
	assert_int_equal(h->method, HTTP_METHOD_GET);
	assert_true(bytes_eq(h->target, text("/a?b")));
	assert_true(http_head_set_target(h, text("/c")));
	assert_true(bytes_eq(h->path, text("/c")));
	assert_int_equal(h->query.len, 0);
	http_head_free(h);
}

static void host_is_that_of_the_target_first(void **state)
{
	struct http_head *h = http_head_get(&heads);

	(void)state;
	assert_true(http_head_set_request(h, text("GET"), text("/")));
	assert_null(http_head_host(h).ptr);
	assert_true(http_head_add(h, text("hOsT"), text("field")));
	assert_true(bytes_eq(http_head_host(h), text("field")));
	assert_true(http_head_set_target(h, text("http://target/")));
	assert_true(bytes_eq(http_head_host(h), text("target")));
	http_head_free(h);
}

/* The names of the fields that are there, each followed by its value and ";". */
static void check_fields(const struct http_head *h, const char *want)
{
	char got[512];
	size_t n = 0;

	for (struct http_field *f = http_head_next(h, NULL); f; f = http_head_next(h, f)) {
		memcpy(got + n, f->name_ptr, f->name_len);
		n += f->name_len;
		got[n++] = '=';
		memcpy(got + n, f->value_ptr, f->value_len);
		n += f->value_len;
		got[n++] = ';';
	}
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void fields_are_edited(void **state)
{
	struct http_head *h = http_head_get(&heads);
	struct http_field *f;

	(void)state;
	check_fields(h, "");
	assert_true(http_head_add(h, text("A"), text("1")));
	assert_true(http_head_add(h, text("B"), text("2")));
	assert_true(http_head_add(h, text("a"), text("3")));
	check_fields(h, "A=1;B=2;a=3;");
	f = http_head_find(h, text("a"), NULL);
	assert_true(bytes_eq(http_field_value(f), text("1")));
	f = http_head_find(h, text("a"), f);
	assert_true(bytes_eq(http_field_value(f), text("3")));
	assert_null(http_head_find(h, text("a"), f));
	assert_null(http_head_find(h, text("aa"), NULL));
	assert_int_equal(http_head_remove(h, text("b")), 1);
	assert_int_equal(http_head_remove(h, text("b")), 0);
	check_fields(h, "A=1;a=3;");
	assert_true(http_head_set(h, text("a"), text("4")));
	check_fields(h, "a=4;");
	assert_true(http_head_add(h, text("Content-Length"), text("0")));
	assert_non_null(http_head_find_id(h, HTTP_FIELD_CONTENT_LENGTH, NULL));
	http_head_remove(h, text("content-length"));
	assert_null(http_head_find_id(h, HTTP_FIELD_CONTENT_LENGTH, NULL));
	http_head_free(h);
}

static void fields_are_bounded(void **state)
{
	struct http_head *h = http_head_get(&heads);

	(void)state;
	for (int i = 0; i < FIELDS_MAX + HTTP_FIELDS_SPARE; i++)
		assert_true(http_head_add(h, text("x"), text("y")));
	assert_false(http_head_add(h, text("x"), text("y")));
	assert_false(http_head_set(h, text("x"), text("z")));
	assert_non_null(http_head_find(h, text("x"), NULL));
	http_head_free(h);
	h = http_head_get(&heads);
	assert_false(http_head_add(h, bytes_of("", UINT16_MAX + 1), text("y")));
	assert_false(http_head_add(h, text("x"), bytes_of("", (size_t)UINT32_MAX + 1)));
	http_head_free(h);
}

static void the_arena_is_bounded(void **state)
{
	struct http_head *h = http_head_get(&heads);
	struct bytes a = http_head_copy(h, text("abc"));
	char *rest;

	(void)state;
	assert_true(bytes_eq(a, text("abc")));
	rest = http_head_alloc(h, REWRITE_BYTES - 3);
	assert_non_null(rest);
	memset(rest, 'x', REWRITE_BYTES - 3);
	assert_true(bytes_eq(a, text("abc")));
	assert_null(http_head_alloc(h, 1));
	assert_null(http_head_copy(h, text("a")).ptr);
	assert_non_null(http_head_copy(h, BYTES_NONE).ptr);
	http_head_free(h);
}

static void heads_run_out(void **state)
{
	struct http_head *a = http_head_get(&heads), *b = http_head_get(&heads);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_null(http_head_get(&heads));
	http_head_free(a);
	a = http_head_get(&heads);
	assert_non_null(a);
	assert_int_equal(a->field_count, 0);
	assert_int_equal(a->status, 0);
	http_head_free(a);
	http_head_free(b);
	http_head_free(NULL);
}

static void responses_have_a_reason(void **state)
{
	struct http_head *h = http_head_get(&heads);

	(void)state;
	http_head_set_response(h, 404, BYTES_NONE);
	assert_int_equal(h->status, 404);
	assert_true(bytes_eq(h->reason, text("Not Found")));
	http_head_set_response(h, 200, text("Fine"));
	assert_true(bytes_eq(h->reason, text("Fine")));
	http_head_set_response(h, 200, text(""));
	assert_int_equal(h->reason.len, 0);
	http_head_free(h);
}

static void sizes_are_checked(void **state)
{
	struct http_heads_config config = {.heads_max = 1, .buffer_bytes = 64, .rewrite_bytes = 64};
	struct http_heads other;
	struct error err = {0};

	(void)state;
	assert_true(http_heads_init(&other, &config, &err) < 0);
	assert_non_null(strstr(err.text, "64"));
	config.rewrite_bytes = 32;
	config.fields_max = UINT16_MAX;
	assert_true(http_heads_init(&other, &config, NULL) < 0);
	config.fields_max = 0;
	assert_int_equal(http_heads_init(&other, &config, NULL), 0);
	assert_int_equal(other.fields_max, HTTP_FIELDS_MAX_DEFAULT);
	assert_int_equal(other.head_bytes_max, 32);
	assert_int_equal(http_heads_fini(&other), 0);
	assert_int_equal(http_heads_fini(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_sliced),
		cmocka_unit_test(a_bad_target_changes_nothing),
		cmocka_unit_test(host_is_that_of_the_target_first),
		cmocka_unit_test(fields_are_edited),
		cmocka_unit_test(fields_are_bounded),
		cmocka_unit_test(the_arena_is_bounded),
		cmocka_unit_test(heads_run_out),
		cmocka_unit_test(responses_have_a_reason),
		cmocka_unit_test(sizes_are_checked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
