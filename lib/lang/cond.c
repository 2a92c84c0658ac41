/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions of ".if", ".elif" and -cc.
 *
 *   or        = and *( "||" and )
 *   and       = term *( "&&" term )
 *   term      = *"!" ( "(" or ")" / predicate / integer )
 *   predicate = name [ "(" argument *( "," argument ) ")" ]
 *
 * Goes in: the text that is left when words were cut and joined. Every part is read, even
 * where the value is known already, so that a mistake never hides behind a shortcut. The
 * first mistake is recorded in `err` and moves `at` to the end, which ends all loops.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang_pvt.h"

#define ARGS_MAX 2
#define ACCEPTED "a condition is made of 0, 1, predicates, '!', '&&', '||', '(' and ')'"

struct cond {
	const struct lang_options *options;
	const char *text;
	const char *at;
	unsigned depth;
	char *scratch; /* as long as text; holds the arguments of one predicate */
	const char *args[ARGS_MAX];
	unsigned arg_count;
	struct error *err;
	bool failed;
};

#define FAIL(c, ...) (error_set((c)->err, -EINVAL, __VA_ARGS__), cond_fail(c))

static bool cond_fail(struct cond *c)
{
	c->failed = true;
	c->at = c->text + strlen(c->text);
	return false;
}

static void skip_spaces(struct cond *c)
{
	while (*c->at == ' ' || *c->at == '\t')
		c->at++;
}

static bool skip_word(struct cond *c, const char *word)
{
	size_t len = strlen(word);

	skip_spaces(c);
	if (strncmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* ---- versions ---- */

/* Most significant first; compared in this order. */
struct version {
	unsigned long part[7]; /* major, minor, patch, letter, stage, number of stage, commits */
};

enum { PART_LETTER = 3, PART_STAGE = 4, PART_STAGE_NUMBER = 5, PART_COMMITS = 6 };

/* "3.0.5", "3.1-dev4", "2.6.12-7", "1.1.1k": false if it does not begin like a version. */
static bool version_parse(const char *text, struct version *v)
{
	static const char *const stages[] = {"dev", "alpha", "beta", "pre", "rc"};
	char *at = (char *)text;

	*v = (struct version){.part = {[PART_STAGE] = ARRAY_LEN(stages)}};
	for (unsigned i = 0; i < PART_LETTER; i++) {
		if (!isdigit((unsigned char)*at))
			return false;
		v->part[i] = strtoul(at, &at, 10);
		if (*at != '.')
			break;
		at++;
	}
	if (*at >= 'a' && *at <= 'z')
		v->part[PART_LETTER] = (unsigned long)(*at++ - 'a' + 1);
	for (unsigned i = 0; *at == '-' && i < ARRAY_LEN(stages); i++) {
		if (strncmp(at + 1, stages[i], strlen(stages[i])) == 0) {
			v->part[PART_STAGE] = i;
			v->part[PART_STAGE_NUMBER] = strtoul(at + 1 + strlen(stages[i]), &at, 10);
			break;
		}
	}
	if (*at == '-' && isdigit((unsigned char)at[1]))
		v->part[PART_COMMITS] = strtoul(at + 1, &at, 10);
	return *at == '\0' || *at == '-' || *at == '+' || *at == '~';
}

static int version_compare(const struct version *a, const struct version *b)
{
	for (unsigned i = 0; i < ARRAY_LEN(a->part); i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

/* ours < 0 if `have` is older than the argument; an unknown version is older than all. */
static bool compare_with_arg(struct cond *c, const char *have, int *ours)
{
	struct version mine = {0}, asked;

	if (!version_parse(c->args[0], &asked))
		return FAIL(c,
			"'%s' is no version; one looks like 2.8, 3.0.5, 3.1-dev4 or 3.0.5-12",
			c->args[0]);
	if (have)
		version_parse(have, &mine);
	*ours = version_compare(&mine, &asked);
	return true;
}

/* ---- predicates ---- */

static const struct lang_facts *facts(const struct cond *c)
{
	static const struct lang_facts none;

	return c->options->facts ? c->options->facts : &none;
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool pred_defined(struct cond *c)
{
	return lang_variable_find(c->options, c->args[0]) != NULL;
}

static bool pred_enabled(struct cond *c)
{
	return is_listed(facts(c)->enabled, c->args[0]);
}

static bool pred_feature(struct cond *c)
{
	return is_listed(facts(c)->features, c->args[0]);
}

static bool pred_streq(struct cond *c)
{
	return strcmp(c->args[0], c->args[1]) == 0;
}

static bool pred_strneq(struct cond *c)
{
	return strcmp(c->args[0], c->args[1]) != 0;
}

static bool pred_strstr(struct cond *c)
{
	return strstr(c->args[0], c->args[1]) != NULL;
}

static bool pred_version_atleast(struct cond *c)
{
	int ours;

	return compare_with_arg(c, facts(c)->version, &ours) && ours >= 0;
}

static bool pred_version_before(struct cond *c)
{
	int ours;

	return compare_with_arg(c, facts(c)->version, &ours) && ours < 0;
}

static bool pred_openssl_atleast(struct cond *c)
{
	int ours;

	return compare_with_arg(c, facts(c)->ssl_version, &ours) && ours >= 0;
}

static bool pred_openssl_before(struct cond *c)
{
	int ours;

	return compare_with_arg(c, facts(c)->ssl_version, &ours) && ours < 0;
}

/* weir is not built with AWS-LC. */
static bool pred_awslc(struct cond *c)
{
	int ours;

	compare_with_arg(c, NULL, &ours);
	return false;
}

static bool pred_ssllib_name(struct cond *c)
{
	const char *name = facts(c)->ssl_name;

	return name && strncmp(name, c->args[0], strlen(c->args[0])) == 0;
}

static const struct predicate {
	const char *name;
	unsigned arg_count;
	bool (*is_true)(struct cond *);
} predicates[] = {
	{"awslc_api_atleast", 1, pred_awslc},
	{"awslc_api_before", 1, pred_awslc},
	{"defined", 1, pred_defined},
	{"enabled", 1, pred_enabled},
	{"feature", 1, pred_feature},
	{"openssl_version_atleast", 1, pred_openssl_atleast},
	{"openssl_version_before", 1, pred_openssl_before},
	{"ssllib_name_startswith", 1, pred_ssllib_name},
	{"streq", 2, pred_streq},
	{"strneq", 2, pred_strneq},
	{"strstr", 2, pred_strstr},
	{"version_atleast", 1, pred_version_atleast},
	{"version_before", 1, pred_version_before},
};

/* ---- reading ---- */

/* The byte that an escape inside an argument stands for; 0 if it is none. */
static char escaped(char c)
{
	static const char from[] = "\\ '\"tnr", to[] = "\\ '\"\t\n\r";
	const char *p = c ? strchr(from, c) : NULL;

	return p ? to[p - from] : '\0';
}

/* One argument to *to; ends before "," or ")". Quotes are a second level, see the manual. */
static bool read_arg(struct cond *c, char **to)
{
	char quote = '\0';

	c->args[c->arg_count++] = *to;
	for (; *c->at && (quote || (*c->at != ',' && *c->at != ')')); c->at++) {
		if (*c->at == quote) {
			quote = '\0';
		} else if (!quote && (*c->at == '"' || *c->at == '\'')) {
			quote = *c->at;
		} else if (*c->at == '\\' && quote != '\'' && escaped(c->at[1])) {
			c->at++;
			*(*to)++ = escaped(*c->at);
		} else {
			*(*to)++ = *c->at;
		}
	}
	*(*to)++ = '\0';
	return !quote || FAIL(c, "unmatched quote in the argument of a predicate");
}

static bool read_args(struct cond *c, const struct predicate *p)
{
	char *to = c->scratch;

	c->arg_count = 0;
	if (*c->at == '(') {
		do {
			c->at++;
			if (c->arg_count == p->arg_count)
				return FAIL(c, "'%s' takes %u argument%s only", p->name,
					p->arg_count, p->arg_count == 1 ? "" : "s");
			if (!read_arg(c, &to))
				return false;
		} while (*c->at == ',');
		if (*c->at != ')')
			return FAIL(c, "missing ')' after the arguments of '%s'", p->name);
		c->at++;
	} else {
		c->args[c->arg_count++] = "";
	}
	if (c->arg_count < p->arg_count)
		return FAIL(c, "'%s' needs %u arguments, '%s(TEXT,TEXT)'", p->name, p->arg_count,
			p->name);
	return true;
}

static bool read_predicate(struct cond *c)
{
	const char *names[ARRAY_LEN(predicates)], *near, *from = c->at;
	char word[32];
	size_t len = 0;

	while (isalnum((unsigned char)*c->at) || *c->at == '_')
		c->at++;
	len = (size_t)(c->at - from);
	for (size_t i = 0; i < ARRAY_LEN(predicates); i++) {
		names[i] = predicates[i].name;
		if (strlen(names[i]) == len && memcmp(names[i], from, len) == 0)
			return read_args(c, &predicates[i]) && predicates[i].is_true(c);
	}
	if (len == 0)
		return FAIL(c, "unparsable condition '%.80s'; " ACCEPTED, from);
	snprintf(word, sizeof(word), "%.*s", (int)MIN(len, sizeof(word) - 1), from);
	near = lang_suggest(word, names, ARRAY_LEN(names));
	return FAIL(c, "unparsable condition '%.80s'; %s%s%s", from,
		near ? "did you mean '" : ACCEPTED, near ? near : "", near ? "'" : "");
}

static bool read_or(struct cond *c);

static bool read_parentheses(struct cond *c)
{
	const char *from = c->at++;
	bool value;

	if (c->depth == LANG_DEPTH_MAX)
		return FAIL(c, "more than %d nested parentheses", LANG_DEPTH_MAX);
	c->depth++;
	value = read_or(c);
	c->depth--;
	if (!c->failed && !skip_word(c, ")"))
		return FAIL(c, "missing ')' after '%.80s'", from);
	return value;
}

static bool read_term(struct cond *c)
{
	bool negate = false, value;
	char *end;

	while (skip_word(c, "!"))
		negate = !negate;
	if (*c->at == '(') {
		value = read_parentheses(c);
	} else {
		value = strtol(c->at, &end, 0) != 0;
		if (end != c->at)
			c->at = end;
		else
			value = read_predicate(c);
	}
	return !c->failed && value != negate;
}

static bool read_and(struct cond *c)
{
	bool value = read_term(c);

	while (!c->failed && skip_word(c, "&&"))
		value &= read_term(c);
	return value;
}

static bool read_or(struct cond *c)
{
	bool value = read_and(c);

	while (!c->failed && skip_word(c, "||"))
		value |= read_and(c);
	return value;
}

static int evaluate(
	char *text, char *scratch, const struct lang_options *options, struct error *err)
{
	struct cond c = {
		.options = options, .text = text, .at = text, .scratch = scratch, .err = err};
	bool value = read_or(&c);

	skip_spaces(&c);
	if (!c.failed && *c.at)
		FAIL(&c, "unexpected '%.80s' at the end of condition '%.80s'; " ACCEPTED, c.at,
			text);
	return c.failed ? -EINVAL : value;
}

int lang_cond_words(const struct lang_word *words, uint32_t count,
	const struct lang_options *options, struct error *err)
{
	size_t size = 1;
	char *text, *to;
	int rc;

	for (uint32_t i = 0; i < count; i++)
		size += words[i].len + 1;
	if (size <= 2) /* no word, or one empty word */
		return 0;
	text = malloc(2 * size);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for a condition");
	to = text;
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			*to++ = ' ';
		memcpy(to, words[i].text, words[i].len);
		to += words[i].len;
	}
	*to = '\0';
	rc = evaluate(text, text + size, options, err);
	free(text);
	return rc;
}

int lang_cond_eval(const char *text, const struct lang_options *options, struct error *err)
{
	struct lang_arena *arena = lang_arena_create(options->memory_max_bytes);
	struct lang_lexer lexer = {.arena = arena,
		.options = options,
		.file = "",
		.section = "",
		.hash_is_text = true};
	enum lang_lex_result result;
	const char *hint, *why;
	int rc;

	result = arena ? lang_lex(&lexer, bytes_of_cstr(text)) : LANG_LEX_NO_MEMORY;
	if (result == LANG_LEX_OK) {
		rc = lang_cond_words(lexer.words, lexer.word_count, options, err);
	} else if (result == LANG_LEX_NO_MEMORY) {
		rc = error_set(err, -ENOMEM, "no memory for a condition");
	} else {
		why = lang_lex_explain(result, &hint);
		rc = error_set(err, -EINVAL, "%s at position %u%s%s", why, lexer.error_column,
			hint ? "; " : "", hint ? hint : "");
	}
	lang_arena_destroy(arena);
	return rc;
}
