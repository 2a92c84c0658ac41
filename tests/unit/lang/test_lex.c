/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words, quotes, escapes, variables.
 *
 * In: one line. Out: for the big table the first report, which is the word behind .notice,
 * or the mistake with its column; it holds what HAProxy 2.6.12 answers to the same line.
 * For the others the words with their places. Always: a word's length and text agree.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "lang_setup.h"

/* The first report of a line: its text begins with `text`, at `column` (0: none is named). */
static const struct {
	const char *line, *text;
	uint32_t column;
} answers[] = {
	{".notice a\\ b", "'a b'", 0},
	{".notice a\\#b", "'a#b'", 0},
	{".notice a#b", "'a'", 0},
	{".notice \"a#b\"", "'a#b'", 0},
	{".notice 'a#b'", "'a#b'", 0},
	{".notice \\\\", "'\\'", 0},
	{".notice \"\\\\\"", "'\\'", 0},
	{".notice '\\\\'", "'\\\\'", 0},
	{".notice \\a", "'\\a'", 0},
	{".notice \"\\a\"", "'\\a'", 0},
	{".notice \\1", "'\\1'", 0},
	{".notice \\\"", "'\"'", 0},
	{".notice \"\\\"\"", "'\"'", 0},
	{".notice \\'", "'''", 0},
	{".notice \"\\'\"", "'''", 0},
	{".notice '\\'", "'\\'", 0},
	{".notice \"a'b\"", "'a'b'", 0},
	{".notice 'a\"b'", "'a\"b'", 0},
	{".notice \\$HOST", "'\\$HOST'", 0},
	{".notice \"\\$HOST\"", "'$HOST'", 0},
	{".notice '$HOST'", "'$HOST'", 0},
	{".notice $HOST", "'$HOST'", 0},
	{".notice ${HOST}", "'${HOST}'", 0},
	{".notice \"$HOST\"", "'h'", 0},
	{".notice \"${HOST}\"", "'h'", 0},
	{".notice \"${HOST}x$HOST.x\"", "'hxh.x'", 0},
	{".notice \"$HOST-x\"", "'h-x'", 0},
	{".notice \"${HOST-x}\"", "'h'", 0},
	{".notice \"${NOPE-x y}\"", "'x y'", 0},
	{".notice \"${NOPE-}\"", "''", 0},
	{".notice \"${NOPE--}\"", "'-'", 0},
	{".notice \"${NOPE}\"", "''", 0},
	{".notice \"$NOPE\"", "''", 0},
	{".notice \"${V3-def}\"", "''", 0},
	{".notice \"[$V3]\"", "'[]'", 0},
	{".notice \"${V1}\"", "'a b  c'", 0},
	{".notice \"${V1[*]}\"", "unexpected argument 'b'", 0},
	{".notice \"${V2[*]}\"", "unexpected argument 'x'", 0},
	{".notice \"${V3[*]}\"", "''", 0},
	{".notice \"${V3[*]}\" a", "unexpected argument 'a'", 0},
	{".notice \"x${V1[*]}y\"", "unexpected argument 'b'", 0},
	{".notice \"x${V2[*]}y\"", "unexpected argument 'x'", 0},
	{".notice \"${NOPE[*]}\"", "''", 0},
	{".notice \"${NOPE[*]-a b}\"", "unexpected argument 'b'", 0},
	{".notice \"${NOPE[*]-ab}\"", "'ab'", 0},
	{".notice \"$V1[*]\"", "'a b  c[*]'", 0},
	{".notice \"${V1[0]}\"", "truncated", 14},
	{".notice \"${V1[*}\"", "truncated", 14},
	{".notice \"${V1[*]x}\"", "unmatched", 11},
	{".notice \"${HOST:-x}\"", "unmatched", 11},
	{".notice \"${HOST x}\"", "unmatched", 11},
	{".notice \"${.FOO}\"", "forbidden", 12},
	{".notice \"${.FOO-5}\"", "forbidden", 12},
	{".notice \"$.FOO\"", "forbidden", 11},
	{".notice \"$.LINEX\"", "forbidden", 11},
	{".notice \"$.\"", "forbidden", 11},
	{".notice \"${.-a}\"", "forbidden", 12},
	{".notice \"${.LINE}\"", "'1'", 0},
	{".notice \"$.LINE\"", "'1'", 0},
	{".notice \"${.LINE[*]}\"", "'1'", 0},
	{".notice \"${.LINE-5}\"", "'1'", 0},
	{".notice \"${.SECTION}|\"", "'|'", 0},
	{".notice \"${a.b-x}\"", "unmatched", 11},
	{".notice \"$HOST.LINE\"", "'h.LINE'", 0},
	{".notice \"${_x-1}\"", "'1'", 0},
	{".notice \"$9\"", "forbidden", 11},
	{".notice \"$ a\"", "forbidden", 11},
	{".notice \"a$\"", "forbidden", 12},
	{".notice \"$-\"", "forbidden", 11},
	{".notice \"${\"", "forbidden", 12},
	{".notice \"${}\"", "forbidden", 12},
	{".notice \"${9}\"", "forbidden", 12},
	{".notice \"${-a}\"", "forbidden", 12},
	{".notice \"${A\"", "unmatched", 11},
	{".notice \"${A-\"", "unmatched", 11},
	{".notice \"${A-b\"", "unmatched", 11},
	{".notice \"${A-b\"}", "unmatched", 9},
	{".notice \"${A-b\"}\"", "'b\"'", 0},
	{".notice \"${A-\"b}\"", "'\"b'", 0},
	{".notice \"${A-\\\"b}\"", "'\\\"b'", 0},
	{".notice \"${A-$HOST}\"", "'$HOST'", 0},
	{".notice \"${A-${HOST}}\"", "'${HOST}'", 0},
	{".notice \"${A-\\x41}\"", "'\\x41'", 0},
	{".notice \"${A-it's}\"", "'it's'", 0},
	{".notice \"${A-a#b}\"", "'a#b'", 0},
	{".notice \"${A-b}c}\"", "'bc}'", 0},
	{".notice \"${A-\\}}\"", "'\\}'", 0},
	{".notice \"${V1-a[*]}\"", "'a b  c'", 0},
	{".notice \"${NOPE-a[*]}\"", "'a[*]'", 0},
	{".notice \"${V1[*]", "unmatched", 11},
	{".notice \"${V1[*]-", "unmatched", 11},
	{".notice \"$V4\"", "'q\"w'", 0},
	{".notice \"$V5\"", "'#no'", 0},
	{".notice \"$V6\"", "'$HOST'", 0},
	{".notice \"$V7\"", "'a\\ b'", 0},
	{".notice \"$V8\"", "'x '", 0},
	{".notice \"$HOST$HOST\"", "'hh'", 0},
	{".notice \"$HOST\"'$HOST'\"$HOST\"", "'h$HOSTh'", 0},
	{".notice \"$$HOST\"", "forbidden", 11},
	{".notice ab\"cd\"'ef'\\ gh", "'abcdef gh'", 0},
	{".notice \"\"", "''", 0},
	{".notice \"\" x", "unexpected argument 'x'", 0},
	{".notice a \"\"", "'a'", 0},
	{".notice \"\" \"\"", "''", 0},
	{".notice ''\"\"", "''", 0},
	{".notice \\x41\\x4a\\x4A", "'AJJ'", 0},
	{".notice \\x20", "' '", 0},
	{".notice \"\\x22\\x24HOST\"", "'\"$HOST'", 0},
	{".notice \\x", "truncated", 9},
	{".notice \\x4", "truncated", 9},
	{".notice \\x4g", "truncated", 9},
	{".notice \\xg4", "truncated", 9},
	{".notice '\\xZZ'", "'\\xZZ'", 0},
	{".notice a\\x00b", "'a'", 0},
	{".notice \"a\\x00b\" c", "unexpected argument 'c'", 0},
	{".notice \"a\\x00b\"d", "'a'", 0},
	{".notice \\x00", "''", 0},
	{".notice \"a\\tb\"", "'a\011b'", 0},
	{".notice a\\tb", "'a\011b'", 0},
	{".notice a\\", "'a\\'", 0},
	{".notice \"a\\", "unmatched", 9},
	{".notice \"a", "unmatched", 9},
	{".notice 'a", "unmatched", 9},
	{".notice a\"", "unmatched", 10},
	{".notice a'b", "unmatched", 10},
	{".notice \"a'b", "unmatched", 9},
	{".notice 'a\"b", "unmatched", 9},
	{".notice \"a\" \"b", "unmatched", 13},
	{".notice a\\ b\\ c #x", "'a b c'", 0},
	{".notice a #x \"", "'a'", 0},
	{".notice \"a\"#b", "'a'", 0},
	{".notice \\{{a}", "'\\{{a}'", 0},
	{".notice {a} {b}", "unexpected argument '{b}'", 0},
	{".notice a\011b", "unexpected argument 'b'", 0},
	{".notice [*]", "'[*]'", 0},
	{"\011  .notice ok", "'ok'", 0},
	{"\".notice\" q", "'q'", 0},
	{".not\"ice\" q", "'q'", 0},
	{"\\x2enotice q", "'q'", 0},
	{".notice \\\303\251", "'\\\303\251'", 0},
	{".notice \303\251\"\303\251\"", "'\303\251\303\251'", 0},
	{".NOTICE a", "unknown directive '.NOTICE'", 0},
	{".notice \\\\x41", "'\\x41'", 0},
	{".notice \"\\\\$HOST\"", "'\\h'", 0},
	{".notice \"\\\\\\$HOST\"", "'\\$HOST'", 0},
	{".notice a,b;c|d&e(f)", "'a,b;c|d&e(f)'", 0},
	{".notice \"a b\" c", "unexpected argument 'c'", 0},
	{".notice a b c", "unexpected argument 'b'", 0},
	{".notice", "''", 0},
	{".foo", "unknown directive '.foo'", 0},
	{". a", "unknown directive '.'", 0},
	{".if", "non-terminated '.if' block", 0},
	{".endif", "lone '.endif' with no matching '.if'", 0},
	{".endif x", "unexpected argument 'x'", 0},
	{".else", "lone '.else' with no matching '.if'", 0},
	{".elif 1", "lone '.elif' with no matching '.if'", 0},
	{".notice a\015b", "'a'", 0},
	{".notice \015b", "'b'", 0},
	{".notice \"a\015b\"", "unmatched", 9},
	{".notice a\015", "'a'", 0},
	{".notice a \015", "'a'", 0},
	{".notice \013x", "'x'", 0},
	{".notice a\014b", "unexpected argument 'b'", 0},
	{"\015.notice a", "'a'", 0},
	{".notice a \\\015", "unexpected argument '\\'", 0},
	{".notice a\\ ", "'a '", 0},
	{".notice \"a\" ", "'a'", 0},
};

static void same_as_haproxy(void **state)
{

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct lang_diags diags;
		struct lang_tree *tree;
		const struct lang_diag *d;
		char text[512];

		snprintf(text, sizeof(text), "%s\n", answers[i].line);
		tree = lang_test_parse(text, &diags);
		assert_non_null(tree);
		d = lang_test_diag(&diags, 0);
		if (!d || strncmp(d->text, answers[i].text, strlen(answers[i].text)) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", answers[i].line,
				d ? d->text : "nothing", answers[i].text);
		if (answers[i].column && d->place.column != answers[i].column)
			fail_msg("%s: column %u", answers[i].line, d->place.column);
		assert_int_equal(d->place.line, 1);
		lang_diags_fini(&diags);
		lang_tree_destroy(tree);
	}
}

/* All words of one line: WORD@COLUMN, with q e x for quoted, escaped, expanded. */
static void words_know_their_places(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"a b", "a@1 b@3"},
		{"  a\tb  ", "a@3 b@5"},
		{"a \"b c\" d", "a@1 b c@3q d@9"},
		{"a x\"b\"", "a@1 xb@3q"},
		{"a ''", "a@1 @3q"},
		{"a '' b", "a@1 @3q b@6"},
		{"a\\ b c", "a b@1e c@6"},
		{"a \\z", "a@1 \\z@3"},
		{"k \"$HOST\"", "k@1 h@3qx"},
		{"k \"$NOPE\"", "k@1 @3qx"},
		{"k \"${V1[*]}\" z", "k@1 a@3qx b@4qx c@4qx z@14"},
		{"k \"${V2[*]}\"", "k@1 @3qx x@4qx y@4qx @4qx"},
		{"k \"x${V1[*]}y\"z", "k@1 xa@3qx b@5qx cyz@5qx"},
		{"k 'a'\"b\"c", "k@1 abc@3q"},
		{"k \\x41", "k@1 A@3e"},
		{"k a#b", "k@1 a@3"},
		{"k a\rb", "k@1 a@3"},
		{"no k a", "k@4 a@6"},
		{"default k a", "k@9 a@11"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lang_diags diags;
		struct lang_tree *tree;
		const struct lang_statement *s;
		char text[256], got[512];
		size_t len = 0;

		snprintf(text, sizeof(text), "global\n%s\n", rows[i].line);
		tree = lang_test_parse(text, &diags);
		assert_non_null(tree);
		assert_true(lang_diags_ok(&diags));
		s = tree->sections->statements;
		assert_non_null(s);
		for (uint32_t w = 0; w < s->word_count; w++) {
			const struct lang_word *word = &s->words[w];

			assert_int_equal(strlen(word->text), word->len);
			len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s@%u%s%s%s",
				w ? " " : "", word->text, word->column,
				word->flags & LANG_WORD_QUOTED ? "q" : "",
				word->flags & LANG_WORD_ESCAPED ? "e" : "",
				word->flags & LANG_WORD_EXPANDED ? "x" : "");
		}
		assert_string_equal(got, rows[i].words);
		assert_string_equal(s->words[s->word_count].text, "");
		assert_string_equal(lang_text(s, 999), "");
		assert_int_equal(lang_place_of(s, 999).column, s->words[s->word_count].column);
		lang_diags_fini(&diags);
		lang_tree_destroy(tree);
	}
}

/* A statement of `count` words and one report if that is too many. */
static void limits_hold(void **state)
{
	static const struct {
		size_t count, kept;
		bool good;
	} rows[] = {{64, 64, true}, {65, 65, true}, {LANG_WORDS_MAX, LANG_WORDS_MAX, true},
		{LANG_WORDS_MAX + 1, LANG_WORDS_MAX, false}};
	char *text = malloc(2 * LANG_WORDS_MAX + 64);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lang_diags diags;
		struct lang_tree *tree;
		size_t len = 7;

		memcpy(text, "global\n", len);
		for (size_t w = 0; w < rows[i].count; w++, len += 2)
			memcpy(text + len, "w ", 2);
		memcpy(text + len, "\n", 2);
		tree = lang_test_parse(text, &diags);
		assert_non_null(tree);
		assert_int_equal(lang_diags_ok(&diags), rows[i].good);
		assert_int_equal(tree->sections->statements->word_count, rows[i].kept);
		lang_diags_fini(&diags);
		lang_tree_destroy(tree);
	}
	free(text);
}

static const char *long_value(void *ctx, const char *name)
{
	(void)name;
	return ctx;
}

static void long_lines_are_refused(void **state)
{
	struct lang_options options = lang_test_options();
	size_t size = LANG_LINE_BYTES_MAX + 64;
	char *text = malloc(size);
	struct lang_diags diags;
	struct lang_tree *tree;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', size);
	memcpy(text, ".notice ", 8);
	text[LANG_LINE_BYTES_MAX - 2] = '\n';
	lang_diags_init(&diags);
	tree = lang_parse_text(
		"f", bytes_of(text, LANG_LINE_BYTES_MAX - 1), &options, &diags, NULL);
	assert_true(lang_diags_ok(&diags));
	assert_int_equal(diags.count[LANG_NOTICE], 1);
	lang_tree_destroy(tree);
	text[LANG_LINE_BYTES_MAX - 2] = 'a';
	text[size - 1] = '\n';
	tree = lang_parse_text("f", bytes_of(text, size), &options, &diags, NULL);
	assert_int_equal(diags.count[LANG_ALERT], 1);
	lang_tree_destroy(tree);
	/* A short line that grows. */
	text[size - 1] = '\0';
	options.env = long_value;
	options.env_ctx = text;
	tree = lang_parse_text("f", BYTES_LIT(".notice \"$A\"\n"), &options, &diags, NULL);
	assert_int_equal(diags.count[LANG_ALERT], 2);
	lang_tree_destroy(tree);
	lang_diags_fini(&diags);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_haproxy),
		cmocka_unit_test(words_know_their_places),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(long_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
