/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "manage_setup.h"

static void words_are_cut(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", ""},
		{"   ", ""},
		{"show version", "show|version|"},
		{"  show \t version  ", "show|version|"},
		{"a\\ b c", "a b|c|"},
		{"a\\\\b \\; x", "a\\b|;|x|"},
		{"a\\", "a\\|"},
	};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *words[MG_WORDS_MAX];
		char text[64], joined[64] = "";
		uint32_t n;

		snprintf(text, sizeof(text), "%s", cases[i].text);
		n = mg_split(text, words);
		for (uint32_t w = 0; w < n; w++)
			snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s|",
				words[w]);
		assert_string_equal(joined, cases[i].words);
	}
}

static void words_have_a_limit(void **state)
{
	static char text[3 * MG_WORDS_MAX];
	const char *words[MG_WORDS_MAX];

	(void)state;
	for (uint32_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? ' ' : 'x';
	assert_int_equal(mg_split(text, words), MG_WORDS_MAX);
}

static void commands_end_at_semicolons(void **state)
{
	char text[] = "a;b", escaped[] = "a\\;b;c", none[] = "abc", last[] = "a\\";

	(void)state;
	assert_string_equal(mg_command_end(text), ";b");
	assert_string_equal(mg_command_end(escaped), ";c");
	assert_string_equal(mg_command_end(none), "");
	assert_string_equal(mg_command_end(last), "");
}

static void longest_command_wins(void **state)
{
	const char *words[] = {"show", "cli", "level", "x"}, *other[] = {"show"};
	const struct mg_command *c = mg_command_find(words, 4);

	(void)state;
	assert_string_equal(c->syntax, "show cli level");
	assert_null(mg_command_find(other, 1));
	assert_null(mg_command_find(other, 0));
}

/* Every row can be found by its own words, says what it does, and fits its level. */
static void tables_are_sound(void **state)
{
	(void)state;
	for (const struct mg_command *const *table = mg_tables; *table; table++) {
		for (const struct mg_command *c = *table; c->words[0]; c++) {
			uint32_t n = 0;

			while (n < MG_COMMAND_WORDS && c->words[n])
				n++;
			assert_ptr_equal(mg_command_find(c->words, n), c);
			assert_non_null(c->fn);
			assert_true(!c->syntax == !c->help);
			assert_in_range(c->level, MODEL_LEVEL_USER, MODEL_LEVEL_ADMIN);
		}
	}
}

static void ages(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(mg_age(0, buf), "0s");
	assert_string_equal(mg_age(62, buf), "1m2s");
	assert_string_equal(mg_age(3600 * 3 + 60 * 4 + 5, buf), "3h4m");
	assert_string_equal(mg_age(86400 + 7200, buf), "1d2h");
	assert_true(strlen(mg_age(UINT64_MAX, buf)) < sizeof(buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_cut),
		cmocka_unit_test(words_have_a_limit),
		cmocka_unit_test(commands_end_at_semicolons),
		cmocka_unit_test(longest_command_wins),
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(ages),
	};

	return cmocka_run_group_tests_name("manage/command", tests, NULL, NULL);
}
