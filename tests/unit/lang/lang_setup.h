/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of lang share: sections like HAProxy's, variables, facts. */
#ifndef WEIR_TESTS_LANG_SETUP_H
#define WEIR_TESTS_LANG_SETUP_H

#include "lang.h"

#define PROXY_FLAGS \
	(LANG_SECTION_FROM | LANG_SECTION_UNIQUE | LANG_SECTION_NAME_CHARS | LANG_SECTION_NO_MORE)

static const struct lang_section_kind lang_test_kinds[] = {
	{"global", LANG_NAME_NONE, LANG_SECTION_NO_MORE, 1},
	{"defaults", LANG_NAME_OPTIONAL, LANG_SECTION_FROM | LANG_SECTION_DEFAULTS, 2},
	{"frontend", LANG_NAME_REQUIRED, PROXY_FLAGS, 3},
	{"backend", LANG_NAME_REQUIRED, PROXY_FLAGS, 4},
	{"listen", LANG_NAME_REQUIRED, PROXY_FLAGS, 5},
	{"network", LANG_NAME_NONE, LANG_SECTION_NO_MORE | LANG_SECTION_UNIQUE, 6},
	{"peers", LANG_NAME_REQUIRED, LANG_SECTION_UNIQUE | LANG_SECTION_NO_MORE, 7},
};

static const struct lang_variable lang_test_variables[] = {{"V1", "a b  c"}, {"V2", " x y "},
	{"V3", ""}, {"HOST", "h"}, {"V4", "q\"w"}, {"V5", "#no"}, {"V6", "$HOST"}, {"V7", "a\\ b"},
	{"V8", "x "}, {"Q", "q"}};

static const char *const lang_test_features[] = {"OPENSSL", "PCRE2_JIT", NULL};
static const char *const lang_test_enabled[] = {"POLL", NULL};

/* As Debian 12's haproxy, to which the tables were compared. */
static const struct lang_facts lang_test_facts = {
	.version = "2.6.12",
	.ssl_name = "OpenSSL 3.0.22 25 Aug 2026",
	.ssl_version = "3.0.22",
	.features = lang_test_features,
	.enabled = lang_test_enabled,
};

static inline struct lang_options lang_test_options(void)
{
	return (struct lang_options){
		.kinds = lang_test_kinds,
		.kind_count = ARRAY_LEN(lang_test_kinds),
		.variables = lang_test_variables,
		.variable_count = ARRAY_LEN(lang_test_variables),
		.facts = &lang_test_facts,
	};
}

/* Parses `text` as file "t.cfg" with the options above. */
static inline struct lang_tree *lang_test_parse(const char *text, struct lang_diags *diags)
{
	struct lang_options options = lang_test_options();

	lang_diags_init(diags);
	return lang_parse_text("t.cfg", bytes_of_cstr(text), &options, diags, NULL);
}

static inline const struct lang_diag *lang_test_diag(const struct lang_diags *diags, unsigned index)
{
	list_for_each (link, &diags->list) {
		if (index-- == 0)
			return list_entry(link, struct lang_diag, link);
	}
	return NULL;
}

#endif
