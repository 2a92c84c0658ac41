/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line of text to words.
 *
 * Goes in: the bytes of a line without its line feed. Comes out: words[], whose texts lie
 * one after the other in `text`, each with a NUL. While the line is read a word's `text`
 * holds no pointer, because `text` may move; its offset stands in `start`, and finish()
 * makes pointers of all of them.
 *
 * A carriage return behind a word ends the line, as in HAProxy, so files with CRLF are
 * read, and a CR inside quotes is an open quote. A NUL byte made by \x00 ends its
 * word. Quotes glue: ab"c d"e is one word. Variables are looked up in double quotes only.
 */
#include <ctype.h>
#include <stdio.h>

#include "lang_pvt.h"

struct cursor {
	struct lang_lexer *lexer;
	const char *start;
	const char *at;
	const char *end;
	bool in_word;
	char quote;             /* ' or " while inside, else 0 */
	const char *quote_from; /* where it began */
	size_t word_from;       /* offset of the word in lexer->text */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static enum lang_lex_result fail(struct cursor *c, const char *at, enum lang_lex_result result)
{
	c->lexer->error_column = (uint32_t)(at - c->start) + 1;
	return result;
}

/* NULL before there is room for the first word. */
static struct lang_word *current(struct cursor *c)
{
	return c->lexer->words ? &c->lexer->words[c->lexer->word_count] : NULL;
}

/* Room for the word being built and for the empty one behind the last. */
static bool grow_words(struct lang_lexer *lexer)
{
	uint32_t size = MAX(lexer->word_size * 2, 16u);
	struct lang_word *words;

	if (lexer->word_count + 1 < lexer->word_size)
		return true;
	words = lang_arena_alloc(lexer->arena, size * sizeof(*words));
	if (!words)
		return false;
	if (lexer->word_count > 0)
		memcpy(words, lexer->words, lexer->word_count * sizeof(*words));
	lexer->words = words;
	lexer->word_size = size;
	return true;
}

static enum lang_lex_result word_begin(struct cursor *c)
{
	if (c->in_word)
		return LANG_LEX_OK;
	if (c->lexer->word_count >= LANG_WORDS_MAX)
		return fail(c, c->at, LANG_LEX_MANY);
	if (!grow_words(c->lexer))
		return LANG_LEX_NO_MEMORY;
	c->in_word = true;
	c->word_from = c->lexer->text.len;
	*current(c) = (struct lang_word){.column = (uint32_t)(c->at - c->start) + 1};
	return LANG_LEX_OK;
}

static enum lang_lex_result add(struct cursor *c, struct bytes b)
{
	struct lang_lexer *lexer = c->lexer;

	if (lexer->text.len + b.len >= LANG_LINE_BYTES_MAX)
		return fail(c, c->at, LANG_LEX_LONG);
	return lang_text_add(lexer->arena, &lexer->text, b) == 0 ? LANG_LEX_OK : LANG_LEX_NO_MEMORY;
}

/* A word ends at the first NUL byte that an escape put into it. */
static enum lang_lex_result word_end(struct cursor *c)
{
	struct lang_text *text = &c->lexer->text;
	struct lang_word *w = current(c);
	enum lang_lex_result result;

	if (!c->in_word)
		return LANG_LEX_OK;
	c->in_word = false;
	result = add(c, bytes_of("", 1));
	if (result != LANG_LEX_OK)
		return result;
	w->len = (uint32_t)strlen(text->ptr + c->word_from);
	text->len = c->word_from + w->len + 1;
	c->lexer->word_count++;
	return LANG_LEX_OK;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = byte_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Handles a backslash outside single quotes; sequences without a meaning stay as they are. */
static enum lang_lex_result read_escape(struct cursor *c)
{
	static const char plain[] = " \\'\"";
	static const char from[] = "tnr", to[] = "\t\n\r";
	char next = c->end - c->at > 1 ? c->at[1] : '\0';
	const char *made = NULL;
	char byte;

	if (next && strchr(from, next))
		made = &to[strchr(from, next) - from];
	else if ((next && strchr(plain, next)) || (next == '$' && c->quote) ||
		 (next == '#' && !c->lexer->hash_is_text))
		made = &c->at[1];
	if (next == 'x') {
		int high = c->end - c->at > 3 ? hex_value(c->at[2]) : -1;
		int low = c->end - c->at > 3 ? hex_value(c->at[3]) : -1;

		if (high < 0 || low < 0)
			return fail(c, c->at, LANG_LEX_HEX);
		byte = (char)(high * 16 + low);
		made = &byte;
		c->at += 2;
	}
	if (!made) {
		c->at++;
		return add(c, BYTES_LIT("\\"));
	}
	current(c)->flags |= LANG_WORD_ESCAPED;
	c->at += 2;
	return add(c, bytes_of(made, 1));
}

/* ".FILE" and so on; `scratch` is for the number of the line. NULL if there is no such name. */
static const char *pseudo_value(struct lang_lexer *lexer, const char *name, char scratch[16])
{
	if (strcmp(name, ".FILE") == 0)
		return lexer->file;
	if (strcmp(name, ".SECTION") == 0)
		return lexer->section;
	if (strcmp(name, ".LINE") != 0)
		return NULL;
	snprintf(scratch, 16, "%u", lexer->line);
	return scratch;
}

/* What stands in "${...}" or behind "$". */
struct reference {
	struct bytes name;
	bool braces;
	bool split; /* [*] */
	bool has_default;
	struct bytes fallback;
};

static enum lang_lex_result read_reference(struct cursor *c, struct reference *ref)
{
	const char *dollar = c->at++, *name;

	ref->braces = c->at < c->end && *c->at == '{';
	c->at += ref->braces;
	name = c->at;
	if (c->at < c->end && *c->at == '.')
		c->at++;
	if (c->at == c->end || !is_name_byte(*c->at) || isdigit((unsigned char)*c->at))
		return fail(c, name, LANG_LEX_NAME);
	while (c->at < c->end && is_name_byte(*c->at))
		c->at++;
	ref->name = bytes_of(name, (size_t)(c->at - name));
	if (!ref->braces)
		return LANG_LEX_OK;
	if (c->at < c->end && *c->at == '[') {
		if (c->end - c->at < 3 || memcmp(c->at, "[*]", 3) != 0)
			return fail(c, c->at, LANG_LEX_EXPAND);
		ref->split = true;
		c->at += 3;
	}
	if (c->at < c->end && *c->at == '-') {
		const char *close = memchr(c->at, '}', (size_t)(c->end - c->at));

		if (!close)
			return fail(c, dollar + 1, LANG_LEX_BRACE);
		ref->has_default = true;
		ref->fallback = bytes_of(c->at + 1, (size_t)(close - c->at - 1));
		c->at = close;
	}
	if (c->at == c->end || *c->at != '}')
		return fail(c, dollar + 1, LANG_LEX_BRACE);
	c->at++;
	return LANG_LEX_OK;
}

/* Adds a value; with `split` each run of spaces in it ends a word. */
static enum lang_lex_result add_value(
	struct cursor *c, struct bytes value, bool split, const char *dollar)
{
	enum lang_lex_result result = LANG_LEX_OK;

	for (size_t i = 0; split && i < value.len && result == LANG_LEX_OK;) {
		size_t from = i;

		while (i < value.len && !isspace((unsigned char)value.ptr[i]))
			i++;
		result = add(c, bytes_of(value.ptr + from, i - from));
		from = i;
		while (i < value.len && isspace((unsigned char)value.ptr[i]))
			i++;
		if (i == from || result != LANG_LEX_OK)
			continue;
		result = word_end(c);
		if (result == LANG_LEX_OK)
			result = word_begin(c);
		if (result == LANG_LEX_OK) {
			current(c)->flags = LANG_WORD_QUOTED | LANG_WORD_EXPANDED;
			current(c)->column = (uint32_t)(dollar - c->start) + 1;
		}
	}
	return split ? result : add(c, value);
}

static enum lang_lex_result read_variable(struct cursor *c)
{
	struct reference ref = {0};
	const char *dollar = c->at, *value;
	char scratch[16], *name;
	enum lang_lex_result result = read_reference(c, &ref);

	if (result != LANG_LEX_OK)
		return result;
	name = lang_arena_text(c->lexer->arena, ref.name);
	if (!name)
		return LANG_LEX_NO_MEMORY;
	current(c)->flags |= LANG_WORD_EXPANDED;
	if (name[0] == '.') {
		value = pseudo_value(c->lexer, name, scratch);
		if (!value)
			return fail(c, dollar + 1 + ref.braces, LANG_LEX_NAME);
	} else {
		value = lang_variable_find(c->lexer->options, name);
	}
	return add_value(c, value ? bytes_of_cstr(value) : ref.fallback, ref.split, dollar);
}

static enum lang_lex_result read_quote(struct cursor *c)
{
	enum lang_lex_result result = word_begin(c);

	if (result != LANG_LEX_OK)
		return result;
	current(c)->flags |= LANG_WORD_QUOTED;
	c->quote = c->quote ? '\0' : *c->at;
	c->quote_from = c->at++;
	return LANG_LEX_OK;
}

/* Bytes up to the next one that has a meaning somewhere. */
static enum lang_lex_result read_plain(struct cursor *c)
{
	const char *from = c->at++;

	while (c->at < c->end && !is_space(*c->at) && !strchr("\\\"'$#\r", *c->at))
		c->at++;
	return add(c, bytes_of(from, (size_t)(c->at - from)));
}

/* Among spaces a carriage return is one. */
static void skip_spaces(struct cursor *c)
{
	while (c->at < c->end && (is_space(*c->at) || *c->at == '\r'))
		c->at++;
}

static enum lang_lex_result read_next(struct cursor *c)
{
	enum lang_lex_result result;

	if ((*c->at == '"' || *c->at == '\'') && (!c->quote || c->quote == *c->at))
		return read_quote(c);
	if (!c->quote && is_space(*c->at)) {
		result = word_end(c);
		skip_spaces(c);
		return result;
	}
	result = word_begin(c);
	if (result != LANG_LEX_OK)
		return result;
	if (*c->at == '\\' && c->quote != '\'')
		return read_escape(c);
	if (*c->at == '$' && c->quote == '"')
		return read_variable(c);
	return read_plain(c);
}

/* Turns offsets into pointers and puts an empty word behind the last one. */
static enum lang_lex_result finish(struct cursor *c)
{
	struct lang_lexer *lexer = c->lexer;
	const char *text;

	if (!grow_words(lexer) || lang_text_reserve(lexer->arena, &lexer->text, 1) != 0)
		return LANG_LEX_NO_MEMORY;
	text = lexer->text.ptr;
	for (uint32_t i = 0; i < lexer->word_count; i++) {
		lexer->words[i].text = text;
		text += lexer->words[i].len + 1;
	}
	*current(c) = (struct lang_word){.text = "", .column = (uint32_t)(c->at - c->start) + 1};
	return LANG_LEX_OK;
}

enum lang_lex_result lang_lex(struct lang_lexer *lexer, struct bytes line)
{
	struct cursor c = {lexer, line.ptr, line.ptr, line.ptr + line.len};
	enum lang_lex_result result = LANG_LEX_OK;

	lexer->text.len = 0;
	lexer->word_count = 0;
	skip_spaces(&c);
	while (result == LANG_LEX_OK && c.at < c.end && *c.at != '\r') {
		if (*c.at == '#' && !c.quote && !lexer->hash_is_text)
			break;
		result = read_next(&c);
	}
	if (result == LANG_LEX_OK && c.quote)
		result = fail(&c, c.quote_from, LANG_LEX_QUOTE);
	if (result == LANG_LEX_OK)
		result = word_end(&c);
	if (result == LANG_LEX_OK || result == LANG_LEX_MANY)
		return finish(&c) == LANG_LEX_OK ? result : LANG_LEX_NO_MEMORY;
	return result;
}

const char *lang_lex_explain(enum lang_lex_result result, const char **hint)
{
	static const struct {
		const char *text, *hint;
	} says[] = {
		[LANG_LEX_QUOTE] = {"unmatched quote",
			"close it on the same line, or write \\\" or \\'"},
		[LANG_LEX_HEX] = {"truncated or invalid hexadecimal sequence",
			"two digits 0-9, a-f must follow \\x"},
		[LANG_LEX_NAME] = {"forbidden first character in the name of a variable",
			"a name begins with a letter or '_'; pseudo-variables are .FILE .LINE "
			".SECTION; a plain dollar is \\$"},
		[LANG_LEX_BRACE] = {"unmatched brace in the name of a variable",
			"write ${NAME}, ${NAME-default} or ${NAME[*]}"},
		[LANG_LEX_EXPAND] = {"truncated or invalid word expansion sequence",
			"only [*] may follow the name"},
		[LANG_LEX_MANY] = {"too many words", NULL},
		[LANG_LEX_LONG] = {"line too long after the expansion of variables", NULL},
	};

	*hint = says[result].hint;
	return says[result].text;
}

const char *lang_variable_find(const struct lang_options *options, const char *name)
{
	for (size_t i = 0; i < options->variable_count; i++)
		if (strcmp(options->variables[i].name, name) == 0)
			return options->variables[i].value;
	return options->env ? options->env(options->env_ctx, name) : NULL;
}
