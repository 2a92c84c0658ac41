/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first byte chooses what reads the rest: the parser, a condition, or a value. What
 * must hold besides "no crash": every word has its length and place, and every report can
 * be printed.
 */
#include <stdlib.h>

#include "lang_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct lang_section_kind kinds[] = {
	{"global", LANG_NAME_NONE, LANG_SECTION_NO_MORE, 1},
	{"defaults", LANG_NAME_OPTIONAL, LANG_SECTION_FROM | LANG_SECTION_DEFAULTS, 2},
	{"listen", LANG_NAME_REQUIRED,
		LANG_SECTION_FROM | LANG_SECTION_UNIQUE | LANG_SECTION_NAME_CHARS |
			LANG_SECTION_NO_MORE,
		3},
};

static const struct lang_variable variables[] = {{"A", "a b  c"}, {"B", ""}, {"C", " \"x\\"}};

static const struct lang_facts facts = {.version = "3.0.5-1", .ssl_version = "3.0.15"};

static const struct lang_options options = {
	.kinds = kinds,
	.kind_count = ARRAY_LEN(kinds),
	.variables = variables,
	.variable_count = ARRAY_LEN(variables),
	.facts = &facts,
	.memory_max_bytes = 4 << 20,
};

static void check_statement(const struct lang_statement *s)
{
	ASSERT(s->word_count > 0);
	ASSERT(s->line > 0);
	for (uint32_t i = 0; i <= s->word_count; i++) {
		ASSERT(strlen(s->words[i].text) == s->words[i].len);
		ASSERT(s->words[i].column >= 1);
		ASSERT(s->words[i].column <= s->raw.len + 1);
	}
}

static void parse(struct bytes text)
{
	struct lang_diags diags;
	struct lang_tree *tree;
	char *printed = NULL;
	size_t printed_size = 0;
	FILE *out = open_memstream(&printed, &printed_size);

	lang_diags_init(&diags);
	tree = lang_parse_text("fuzz", text, &options, &diags, NULL);
	for (const struct lang_section *s = tree ? tree->sections : NULL; s; s = s->next) {
		check_statement(s->head);
		for (const struct lang_statement *st = s->statements; st; st = st->next)
			check_statement(st);
		lang_section_chain(s, NULL, 0);
	}
	if (out) {
		lang_diags_print(&diags, out, 1, true);
		fclose(out);
	}
	free(printed);
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void values(const char *text)
{
	struct lang_address address;
	struct error err = {0};
	uint64_t u;
	int64_t i;
	unsigned percent;

	lang_time_parse(text, NS_PER_MS, 0, &u, &err);
	lang_size_parse(text, UINT32_MAX, &u, &err);
	lang_int_parse(text, -1000, 1000, &i, &err);
	lang_percent_parse(text, 100, &percent, &err);
	lang_address_parse(text, LANG_ADDRESS_BIND, &options, &address, &err);
	lang_address_parse(text, LANG_ADDRESS_SERVER, &options, &address, &err);
	lang_address_parse(text, ~0u, &options, &address, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'c')
		lang_cond_eval(text, &options, NULL);
	else if (data[0] == 'v')
		values(text);
	else
		parse(bytes_of(text, size - 1));
	free(text);
	return 0;
}
