/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdlib.h>

#include "lang_diag.h"

static char *printed(const struct lang_diags *diags, bool show_diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	lang_diags_print(diags, out, 42, show_diag);
	fclose(out);
	return text;
}

static void prints_like_haproxy(void **state)
{
	static const struct {
		enum lang_severity severity;
		struct lang_place at;
		const char *hint, *out;
	} rows[] = {
		{LANG_ALERT, {NULL}, NULL, "[ALERT]    (42) : config : bad.\n"},
		{LANG_WARNING, {"a.cfg", 3}, NULL,
			"[WARNING]  (42) : config : parsing [a.cfg:3] : bad.\n"},
		{LANG_NOTICE, {"a.cfg", 3}, "use good",
			"[NOTICE]   (42) : config : parsing [a.cfg:3] : bad; use good.\n"},
		{LANG_DIAG, {"a.cfg"}, NULL, "[DIAG]     (42) : config : a.cfg : bad.\n"},
		{LANG_ALERT, {"f", 1, 3, "x", BYTES_LIT("a\tb\x1b")}, NULL,
			"[ALERT]    (42) : config : parsing [f:1] : bad.\n  a b?\n    ^\n"},
		{LANG_ALERT, {"f", 1, 1, "x", BYTES_LIT("")}, NULL,
			"[ALERT]    (42) : config : parsing [f:1] : bad.\n  \n  ^\n"},
		{LANG_ALERT, {"f", 1, 9, "x", BYTES_LIT("short")}, NULL,
			"[ALERT]    (42) : config : parsing [f:1] : bad.\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lang_diags diags;
		char *text;

		lang_diags_init(&diags);
		lang_diag_add(&diags, rows[i].severity, &rows[i].at, rows[i].hint, "b%s", "ad");
		text = printed(&diags, true);
		assert_string_equal(text, rows[i].out);
		free(text);
		assert_int_equal(diags.count[rows[i].severity], 1);
		assert_int_equal(lang_diags_ok(&diags), rows[i].severity != LANG_ALERT);
		lang_diags_fini(&diags);
	}
}

static void diag_is_shown_on_request_only(void **state)
{
	struct lang_diags diags;
	char *text;

	(void)state;
	lang_diags_init(&diags);
	lang_diag_add(&diags, LANG_DIAG, NULL, NULL, "x");
	text = printed(&diags, false);
	assert_string_equal(text, "");
	free(text);
	lang_diags_fini(&diags);
}

static void an_alert_over_the_limit_still_counts(void **state)
{
	struct lang_diags diags;
	char *text;

	(void)state;
	lang_diags_init(&diags);
	diags.count_max = 1;
	lang_diag_add(&diags, LANG_NOTICE, NULL, NULL, "first");
	lang_diag_add(&diags, LANG_ALERT, NULL, NULL, "second");
	assert_false(lang_diags_ok(&diags));
	assert_int_equal(diags.lost, 1);
	text = printed(&diags, false);
	assert_string_equal(text, "[NOTICE]   (42) : config : first.\n"
				  "[ALERT]    (42) : config : 1 more problems are not shown.\n");
	free(text);
	lang_diags_fini(&diags);
}

static void the_list_keeps_copies(void **state)
{
	struct lang_diags diags;
	char file[] = "a.cfg", word[] = "wrod", hint[] = "word", line[] = "a wrod";
	struct lang_place at = {file, 7, 3, word, bytes_of_cstr(line)};
	const struct lang_diag *d;

	(void)state;
	lang_diags_init(&diags);
	lang_diag_add(&diags, LANG_ALERT, &at, hint, "unknown");
	memset(file, 'x', 5);
	memset(word, 'x', 4);
	memset(hint, 'x', 4);
	memset(line, 'x', 6);
	d = list_first(&diags.list, struct lang_diag, link);
	assert_string_equal(d->place.file, "a.cfg");
	assert_string_equal(d->place.word, "wrod");
	assert_string_equal(d->hint, "word");
	assert_memory_equal(d->place.excerpt.ptr, "a wrod", 6);
	assert_int_equal(d->place.line, 7);
	lang_diags_fini(&diags);
}

static void near_words_are_suggested(void **state)
{
	static const char *const words[] = {"maxconn", NULL, "maxconnrate", "mode", "bind",
		"balance", "backend", "server", "on"};
	static const struct {
		const char *word, *found;
	} rows[] = {
		{"maxcon", "maxconn"},   /* drop */
		{"maxxconn", "maxconn"}, /* insert */
		{"maxcomn", "maxconn"},  /* change */
		{"mxaconn", "maxconn"},  /* swap */
		{"maxconnrat", "maxconnrate"},
		{"mdoe", "mode"},
		{"bidn", "bind"},
		{"balence", "balance"},
		{"sevrer", "server"},
		{"bakcned", "backend"}, /* two swaps, in seven letters */
		{"bind", "bind"},       /* itself */
		{"zzzzzz", NULL},
		{"timeout", NULL},
		{"", NULL},
		{"x", NULL},
		{"0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = lang_suggest(rows[i].word, words, ARRAY_LEN(words));

		if (rows[i].found) {
			assert_non_null(found);
			assert_string_equal(found, rows[i].found);
		} else {
			assert_null(found);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_like_haproxy),
		cmocka_unit_test(diag_is_shown_on_request_only),
		cmocka_unit_test(an_alert_over_the_limit_still_counts),
		cmocka_unit_test(the_list_keeps_copies),
		cmocka_unit_test(near_words_are_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
