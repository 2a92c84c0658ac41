/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines to statements, statements to sections.
 *
 * Goes in: sources. Each is cut at line feeds; each line goes through the lexer, skipped
 * blocks too (an open quote is a mistake there as well, as in HAProxy); then a line is a
 * directive (its first word begins with a dot), the head of a section, or a statement of
 * the current one. A line whose first word is empty ("$UNSET" ...) is no statement.
 *
 * Comes out: the tree, and reports. A bad line is reported and left out, and reading goes
 * on. Only lack of memory ends it: then `failed` is set and everything unwinds.
 *
 * Conditions: levels[] holds one state for each open .if. A line counts if the top is
 * TAKEN. An .if whose condition is wrong, or that lies in a skipped block, is DONE: none
 * of its branches is read, so that one mistake makes one report.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang_pvt.h"

enum level_state {
	LEVEL_TAKEN, /* this branch is read */
	LEVEL_OPEN,  /* no branch was true yet */
	LEVEL_DONE   /* a branch was read; the others are not */
};

struct level {
	enum level_state state;
	bool in_else;
	uint32_t line; /* of its .if */
	struct bytes raw;
};

struct parser {
	struct lang_tree *tree;
	struct lang_arena *arena;
	const struct lang_options *options;
	struct lang_diags *diags;
	struct lang_lexer lexer;
	const struct lang_source *source;
	struct bytes raw; /* the current line */
	uint32_t line;
	struct lang_section *section; /* the current one; NULL before the first of a source */
	struct lang_section **section_tail;
	struct lang_statement **statement_tail; /* of the current section */
	struct level levels[LANG_DEPTH_MAX];
	uint32_t depth;      /* of levels[] */
	uint32_t depth_lost; /* .if beyond LANG_DEPTH_MAX: skipped, only counted */
	bool failed;         /* no memory */
};

/* ---- reports ---- */

static struct lang_place place_in(const struct lang_source *source, uint32_t line, struct bytes raw,
	const struct lang_word *word)
{
	return (struct lang_place){
		.file = source->name,
		.line = line,
		.column = word ? word->column : 0,
		.word = word ? word->text : NULL,
		.excerpt = raw,
	};
}

struct lang_place lang_place_of(const struct lang_statement *s, uint32_t index)
{
	return place_in(s->source, s->line, s->raw, &s->words[MIN(index, s->word_count)]);
}

void lang_report(struct lang_diags *diags, enum lang_severity severity,
	const struct lang_statement *s, uint32_t index, const char *hint, const char *fmt, ...)
{
	struct lang_place at = lang_place_of(s, index);
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	lang_diag_add(diags, severity, &at, hint, "%s", len < 0 ? fmt : text);
	if (len >= 0)
		free(text);
}

/* Reports at word `index` of the line that the lexer holds. */
#define REPORT(p, index, hint, ...)                                                        \
	do {                                                                               \
		struct lang_place at_ = place_in((p)->source, (p)->line, (p)->raw,         \
			&(p)->lexer.words[MIN((uint32_t)(index), (p)->lexer.word_count)]); \
		lang_diag_add((p)->diags, LANG_ALERT, &at_, hint, __VA_ARGS__);            \
	} while (0)

static void report_column(struct parser *p, uint32_t column, const char *hint, const char *text)
{
	struct lang_place at = place_in(p->source, p->line, p->raw, NULL);

	at.column = column;
	lang_diag_add(p->diags, LANG_ALERT, &at, hint, "%s at position %u", text, column);
}

/* ---- statements and sections ---- */

static struct lang_statement *statement_create(struct parser *p)
{
	const struct lang_lexer *lexer = &p->lexer;
	const char *first = lexer->words[0].text;
	uint32_t skip = strcmp(first, "no") == 0 || strcmp(first, "default") == 0;
	uint32_t count = lexer->word_count - skip;
	struct lang_statement *s = lang_arena_alloc(p->arena, sizeof(*s));
	struct lang_word *words = lang_arena_alloc(p->arena, (count + 1) * sizeof(*words));
	char *text = lang_arena_text(p->arena, bytes_of(lexer->text.ptr, lexer->text.len));

	if (!s || !words || !text) {
		p->failed = true;
		return NULL;
	}
	memcpy(words, &lexer->words[skip], (count + 1) * sizeof(*words));
	for (uint32_t i = 0; i < count; i++)
		words[i].text = text + (words[i].text - lexer->text.ptr);
	*s = (struct lang_statement){
		.section = p->section,
		.source = p->source,
		.raw = p->raw,
		.line = p->line,
		.word_count = count,
		.prefix = !skip             ? LANG_PREFIX_NONE
			  : first[0] == 'n' ? LANG_PREFIX_NO
					    : LANG_PREFIX_DEFAULT,
		.words = words,
	};
	return s;
}

static const struct lang_section_kind *find_kind(const struct lang_options *o, const char *word)
{
	for (size_t i = 0; i < o->kind_count; i++)
		if (strcmp(o->kinds[i].word, word) == 0)
			return &o->kinds[i];
	return NULL;
}

static void begin_section(
	struct parser *p, const struct lang_section_kind *kind, struct lang_statement *head)
{
	struct lang_section *s = lang_arena_alloc(p->arena, sizeof(*s));

	if (!s) {
		p->failed = true;
		return;
	}
	s->kind = kind;
	s->head = head;
	head->section = s;
	*p->section_tail = s;
	p->section_tail = &s->next;
	p->section = s;
	p->statement_tail = &s->statements;
	lang_section_read_head(p->tree, s, p->diags);
	p->lexer.section = s->name[0] ? s->name : kind->word;
}

static void report_outside(struct parser *p)
{
	const struct lang_options *o = p->options;
	const char **names = calloc(o->kind_count + 1, sizeof(*names)), *near = NULL;
	const char *word = p->lexer.words[0].text;
	char hint[128] = "a file begins with the word of a section";

	for (size_t i = 0; names && i < o->kind_count; i++)
		names[i] = o->kinds[i].word;
	if (names)
		near = lang_suggest(word, names, o->kind_count);
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s' maybe?", near);
	REPORT(p, 0, hint, "unknown keyword '%s' out of section", word);
	free(names);
}

static void read_statement(struct parser *p)
{
	const struct lang_options *o = p->options;
	struct lang_statement *s = statement_create(p);
	const struct lang_section_kind *kind;

	if (!s)
		return;
	if (s->word_count == 0) {
		REPORT(p, 1, "write the keyword behind it", "'%s' without a keyword",
			p->lexer.words[0].text);
		return;
	}
	kind = find_kind(o, s->words[0].text);
	if (kind && s->prefix != LANG_PREFIX_NONE) {
		REPORT(p, 0, NULL, "'%s' is not possible before the section '%s'",
			p->lexer.words[0].text, kind->word);
	}
	if (kind) {
		begin_section(p, kind, s);
	} else if (p->section) {
		*p->statement_tail = s;
		p->statement_tail = &s->next;
	} else {
		report_outside(p);
		return;
	}
	if (o->on_statement && !p->failed)
		o->on_statement(o->on_statement_ctx, p->section, s);
}

/* ---- directives ---- */

static bool is_reading(const struct parser *p)
{
	if (p->depth_lost > 0)
		return false;
	return p->depth == 0 || p->levels[p->depth - 1].state == LEVEL_TAKEN;
}

/* The state that a branch with this line's condition gets. */
static enum level_state evaluate(struct parser *p)
{
	struct error err = {0};
	int value = lang_cond_words(p->lexer.words + 1, p->lexer.word_count - 1, p->options, &err);

	if (value == -ENOMEM)
		p->failed = true;
	else if (value < 0)
		REPORT(p, 1, NULL, "in '%s': %s", p->lexer.words[0].text, err.text);
	return value > 0 ? LEVEL_TAKEN : value == 0 ? LEVEL_OPEN : LEVEL_DONE;
}

static void refuse_words(struct parser *p, uint32_t from, const char *hint)
{
	if (p->lexer.word_count > from && p->lexer.words[from].len > 0)
		REPORT(p, from, hint, "unexpected argument '%s' for '%s'",
			p->lexer.words[from].text, p->lexer.words[0].text);
}

static void do_if(struct parser *p)
{
	if (p->depth == LANG_DEPTH_MAX) {
		if (p->depth_lost++ == 0)
			REPORT(p, 0, NULL, "too many nested '.if', at most %d", LANG_DEPTH_MAX);
		return;
	}
	p->levels[p->depth] = (struct level){
		.state = is_reading(p) ? evaluate(p) : LEVEL_DONE,
		.line = p->line,
		.raw = p->raw,
	};
	p->depth++;
}

/* The open .if that this directive belongs to; NULL after a report. */
static struct level *top_level(struct parser *p)
{
	if (p->depth > 0)
		return &p->levels[p->depth - 1];
	REPORT(p, 0, NULL, "lone '%s' with no matching '.if'", p->lexer.words[0].text);
	return NULL;
}

/* Common to .elif and .else: the level if it may go on; NULL after a report. */
static struct level *next_branch(struct parser *p)
{
	struct level *l = p->depth_lost > 0 ? NULL : top_level(p);

	if (l && l->in_else) {
		REPORT(p, 0, NULL, "'%s' after '.else' is not permitted", p->lexer.words[0].text);
		return NULL;
	}
	if (l && l->state == LEVEL_TAKEN)
		l->state = LEVEL_DONE;
	return l;
}

static void do_elif(struct parser *p)
{
	struct level *l = next_branch(p);

	if (l && l->state == LEVEL_OPEN)
		l->state = evaluate(p);
}

static void do_else(struct parser *p)
{
	struct level *l = next_branch(p);

	refuse_words(p, 1, NULL);
	if (!l)
		return;
	l->in_else = true;
	if (l->state == LEVEL_OPEN)
		l->state = LEVEL_TAKEN;
}

static void do_endif(struct parser *p)
{
	refuse_words(p, 1, NULL);
	if (p->depth_lost > 0)
		p->depth_lost--;
	else if (top_level(p))
		p->depth--;
}

static void do_message(struct parser *p)
{
	static const struct {
		const char *word;
		enum lang_severity severity;
	} rows[] = {{".alert", LANG_ALERT}, {".warning", LANG_WARNING}, {".notice", LANG_NOTICE},
		{".diag", LANG_DIAG}};
	const struct lang_word *words = p->lexer.words;
	struct lang_place at = place_in(p->source, p->line, p->raw, NULL);

	if (p->lexer.word_count > 2 && words[2].len > 0) {
		refuse_words(p, 2, "use quotes if the message should contain spaces");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].word, words[0].text) == 0)
			lang_diag_add(p->diags, rows[i].severity, &at, NULL, "'%s'", words[1].text);
}

static const struct directive {
	const char *word;
	void (*run)(struct parser *);
	bool always; /* also in a block that is skipped */
} directives[] = {
	{".if", do_if, true},
	{".elif", do_elif, true},
	{".else", do_else, true},
	{".endif", do_endif, true},
	{".alert", do_message, false},
	{".warning", do_message, false},
	{".notice", do_message, false},
	{".diag", do_message, false},
};

static void read_directive(struct parser *p)
{
	const char *names[ARRAY_LEN(directives)], *near, *word = p->lexer.words[0].text;
	char hint[64];

	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		const struct directive *d = &directives[i];

		names[i] = d->word;
		if (strcmp(d->word, word) != 0)
			continue;
		if (d->always || is_reading(p))
			d->run(p);
		return;
	}
	if (!is_reading(p))
		return;
	near = lang_suggest(word, names, ARRAY_LEN(names));
	snprintf(hint, sizeof(hint), "did you mean '%s' maybe?", near ? near : "");
	REPORT(p, 0, near ? hint : ".if .elif .else .endif .alert .warning .notice .diag are known",
		"unknown directive '%s'", word);
}

/* ---- lines and sources ---- */

static void read_words(struct parser *p)
{
	enum lang_lex_result result;
	const char *hint, *why;

	p->lexer.line = p->line;
	result = lang_lex(&p->lexer, p->raw);
	if (result == LANG_LEX_NO_MEMORY) {
		p->failed = true;
		return;
	}
	if (result != LANG_LEX_OK) {
		why = lang_lex_explain(result, &hint);
		report_column(p, p->lexer.error_column, hint, why);
		if (result != LANG_LEX_MANY)
			return;
	}
	if (p->lexer.word_count == 0 || p->lexer.words[0].len == 0)
		return;
	if (p->lexer.words[0].text[0] == '.')
		read_directive(p);
	else if (is_reading(p))
		read_statement(p);
}

static void read_line(struct parser *p, bool has_end)
{
	const char *nul = memchr(p->raw.ptr, '\0', p->raw.len);

	if (nul)
		report_column(p, (uint32_t)(nul - p->raw.ptr) + 1, NULL, "stray NUL character");
	else if (p->raw.len > LANG_LINE_BYTES_MAX)
		report_column(p, LANG_LINE_BYTES_MAX, NULL, "line too long");
	else
		read_words(p);
	if (!has_end)
		report_column(p, (uint32_t)p->raw.len + 1, "end it with a line feed",
			"missing LF on last line, file might have been truncated");
}

static void read_source(struct parser *p, const struct lang_source *source)
{
	const char *at = source->text.ptr, *end = at + source->text.len;

	p->source = source;
	p->lexer.file = source->name;
	p->lexer.section = "";
	p->section = NULL;
	p->depth = p->depth_lost = 0;
	for (p->line = 1; at < end && !p->failed; p->line++) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const char *stop = lf ? lf : end;

		p->raw = bytes_of(at, (size_t)(stop - at));
		read_line(p, lf != NULL);
		at = stop + 1;
		if (!lf)
			break;
	}
	for (uint32_t i = 0; i < p->depth && !p->failed; i++) {
		struct lang_place at_if =
			place_in(source, p->levels[i].line, p->levels[i].raw, NULL);

		lang_diag_add(p->diags, LANG_ALERT, &at_if, "write '.endif' behind it",
			"non-terminated '.if' block");
	}
}

static struct lang_tree *tree_create(size_t memory_max_bytes)
{
	struct lang_arena *arena = lang_arena_create(memory_max_bytes);
	struct lang_tree *tree = arena ? lang_arena_alloc(arena, sizeof(*tree)) : NULL;

	if (!tree)
		lang_arena_destroy(arena);
	else
		tree->arena = arena;
	return tree;
}

void lang_tree_destroy(struct lang_tree *tree)
{
	if (tree)
		lang_arena_destroy(tree->arena);
}

static struct lang_tree *out_of_memory(struct lang_tree *tree, struct error *err)
{
	lang_tree_destroy(tree);
	error_set(err, -ENOMEM, "no memory to read the configuration");
	return NULL;
}

/* All names with ';' between, for HAPROXY_CFGFILES; NULL if memory ran out. */
static const char *join_names(const struct lang_tree *tree)
{
	struct lang_text t = {0};

	for (const struct lang_source *s = tree->sources; s; s = s->next) {
		if (s != tree->sources && lang_text_add(tree->arena, &t, BYTES_LIT(";")) != 0)
			return NULL;
		if (lang_text_add(tree->arena, &t, bytes_of_cstr(s->name)) != 0)
			return NULL;
	}
	return lang_text_add(tree->arena, &t, bytes_of("", 1)) == 0 ? t.ptr : NULL;
}

/* The caller's options with HAPROXY_CFGFILES as one more variable. */
static bool add_own_variables(
	const struct lang_tree *tree, const struct lang_options *from, struct lang_options *to)
{
	size_t count = from->variable_count;
	struct lang_variable *v = lang_arena_alloc(tree->arena, (count + 1) * sizeof(*v));
	const char *names = join_names(tree);

	if (!v || !names)
		return false;
	if (count > 0)
		memcpy(v, from->variables, count * sizeof(*v));
	v[count] = (struct lang_variable){"HAPROXY_CFGFILES", names};
	*to = *from;
	to->variables = v;
	to->variable_count = count + 1;
	return true;
}

/* Reads all sources of the tree; takes the tree over and returns it, or NULL. */
static struct lang_tree *parse_sources(struct lang_tree *tree, const struct lang_options *options,
	struct lang_diags *diags, struct error *err)
{
	struct lang_options own;
	struct parser p = {
		.tree = tree,
		.arena = tree->arena,
		.options = &own,
		.diags = diags,
		.lexer = {.arena = tree->arena, .options = &own},
		.section_tail = &tree->sections,
	};

	if (!add_own_variables(tree, options, &own))
		return out_of_memory(tree, err);
	for (const struct lang_source *s = tree->sources; s && !p.failed; s = s->next)
		read_source(&p, s);
	if (p.failed)
		return out_of_memory(tree, err);
	tree->memory_bytes = lang_arena_bytes(tree->arena);
	return tree;
}

struct lang_tree *lang_parse_paths(const char *const *paths, size_t path_count,
	const struct lang_options *options, struct lang_diags *diags, struct error *err)
{
	struct lang_tree *tree = tree_create(options->memory_max_bytes);
	struct lang_source **tail;

	if (!tree)
		return out_of_memory(tree, err);
	tail = &tree->sources;
	for (size_t i = 0; i < path_count; i++)
		if (lang_source_load(tree->arena, paths[i], &tail, diags) != 0)
			return out_of_memory(tree, err);
	return parse_sources(tree, options, diags, err);
}

struct lang_tree *lang_parse_text(const char *name, struct bytes text,
	const struct lang_options *options, struct lang_diags *diags, struct error *err)
{
	struct lang_tree *tree = tree_create(options->memory_max_bytes);

	if (!tree)
		return out_of_memory(tree, err);
	tree->sources = lang_source_of(tree->arena, name, text);
	if (!tree->sources)
		return out_of_memory(tree, err);
	return parse_sources(tree, options, diags, err);
}

const char *lang_env_process(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}
