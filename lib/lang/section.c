/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>

#include "lang_pvt.h"

/* The first byte of a name that proxies may not have in theirs; NULL if it is good. */
static const char *bad_byte(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.:", *name))
			return name;
	return NULL;
}

static void report_name_bytes(
	const struct lang_section *s, uint32_t index, const char *what, struct lang_diags *diags)
{
	const char *name = lang_text(s->head, index), *bad = bad_byte(name);

	if (bad)
		lang_report(diags, LANG_ALERT, s->head, index,
			"letters, digits, '-', '_', '.' and ':' are",
			"character '%c' is not permitted in %s name '%s'", *bad, what, name);
}

/* Cuts the head line: WORD [NAME] ["from" DEFAULTS] rest. */
static void read_words(struct lang_section *s)
{
	const struct lang_statement *head = s->head;
	bool takes_from = s->kind->flags & LANG_SECTION_FROM;
	uint32_t i = 1;

	s->name = "";
	/* "defaults from base" has no name, "defaults from from base" has. */
	bool nameless = takes_from && s->kind->name == LANG_NAME_OPTIONAL &&
			lang_is(head, 1, "from") && *lang_text(head, 2) &&
			!lang_is(head, 2, "from");

	if (s->kind->name != LANG_NAME_NONE && !nameless && head->word_count > 1)
		s->name = lang_text(head, i++);
	if (takes_from && lang_is(head, i, "from") && *lang_text(head, i + 1)) {
		s->from = lang_text(head, i + 1);
		i += 2;
	}
	s->word_next = i;
}

static void check_words(const struct lang_section *s, struct lang_diags *diags)
{
	const struct lang_section_kind *kind = s->kind;
	bool named = kind->name != LANG_NAME_NONE && s->name[0];

	if (kind->name == LANG_NAME_REQUIRED && !named)
		lang_report(diags, LANG_ALERT, s->head, 1, "write a name behind it",
			"'%s' has no name", kind->word);
	if (named && (kind->flags & LANG_SECTION_NAME_CHARS))
		report_name_bytes(s, 1, kind->word, diags);
	if ((kind->flags & LANG_SECTION_NO_MORE) && s->head->word_count > s->word_next)
		lang_report(diags, LANG_ALERT, s->head, s->word_next,
			kind->name == LANG_NAME_NONE      ? "the line ends here"
			: kind->flags & LANG_SECTION_FROM ? "a name, and 'from' with the "
							    "name of defaults, are all"
							  : "a name is all",
			"'%s' cannot handle unexpected argument '%s'", kind->word,
			lang_text(s->head, s->word_next));
}

static void check_unique(
	const struct lang_tree *tree, const struct lang_section *s, struct lang_diags *diags)
{
	if (!(s->kind->flags & LANG_SECTION_UNIQUE))
		return;
	for (const struct lang_section *o = NULL;
		(o = lang_section_next(tree, o, s->kind->word)) != NULL && o != s;) {
		if (strcmp(o->name, s->name) != 0)
			continue;
		lang_report(diags, LANG_ALERT, s->head, s->name[0] ? 1 : 0,
			s->name[0] ? "give each its own name" : "put all into one section",
			"%s%s%s%s is declared already at %s:%u", s->kind->word,
			s->name[0] ? " '" : "", s->name, s->name[0] ? "'" : "",
			o->head->source->name, o->head->line);
		return;
	}
}

/* The section that "from" names, which must be one and stand before; NULL after a report. */
static struct lang_section *find_from(
	struct lang_tree *tree, const struct lang_section *s, struct lang_diags *diags)
{
	uint32_t index = s->word_next - 1;
	struct lang_section *found = NULL;

	for (struct lang_section *o = tree->sections; o != s; o = o->next) {
		if (!(o->kind->flags & LANG_SECTION_DEFAULTS) || strcmp(o->name, s->from) != 0)
			continue;
		if (found) {
			lang_report(diags, LANG_ALERT, s->head, index, "give each its own name",
				"ambiguous defaults section name '%s' referenced by %s '%s' exists "
				"at "
				"least at %s:%u and %s:%u",
				s->from, s->kind->word, s->name, found->head->source->name,
				found->head->line, o->head->source->name, o->head->line);
			return NULL;
		}
		found = o;
	}
	if (!found)
		lang_report(diags, LANG_ALERT, s->head, index,
			"it has to be declared before it is used",
			"defaults section '%s' not found for %s '%s'", s->from, s->kind->word,
			s->name);
	else
		report_name_bytes(s, index, "defaults section", diags);
	return found;
}

static struct lang_section *last_defaults(struct lang_tree *tree, const struct lang_section *s)
{
	struct lang_section *found = NULL;

	for (struct lang_section *o = tree->sections; o != s; o = o->next)
		if (o->kind->flags & LANG_SECTION_DEFAULTS)
			found = o;
	return found;
}

static void resolve_defaults(
	struct lang_tree *tree, struct lang_section *s, struct lang_diags *diags)
{
	struct lang_section *d = NULL;

	if (s->from)
		d = find_from(tree, s, diags);
	else if (!(s->kind->flags & LANG_SECTION_DEFAULTS))
		d = last_defaults(tree, s);
	s->defaults = d;
	if (!d)
		return;
	if (s->from ? d->implicit_users > 0 : d->explicit_users > 0)
		lang_report(diags, LANG_WARNING, s->head, s->from ? s->word_next - 1 : 0,
			"say 'from' everywhere, or put a last defaults section for those that do "
			"not",
			"defaults section '%s' (declared at %s:%u) is used both by its name and as "
			"the last one before a section",
			d->name, d->head->source->name, d->head->line);
	if (s->from)
		d->explicit_users++;
	else
		d->implicit_users++;
}

void lang_section_read_head(
	struct lang_tree *tree, struct lang_section *section, struct lang_diags *diags)
{
	read_words(section);
	check_words(section, diags);
	check_unique(tree, section, diags);
	if (section->kind->flags & LANG_SECTION_FROM)
		resolve_defaults(tree, section, diags);
}

const struct lang_section *lang_section_next(
	const struct lang_tree *tree, const struct lang_section *prev, const char *word)
{
	const struct lang_section *s = prev ? prev->next : tree->sections;

	while (s && strcmp(s->kind->word, word) != 0)
		s = s->next;
	return s;
}

size_t lang_section_chain(
	const struct lang_section *section, const struct lang_section **chain, size_t max)
{
	size_t count = 0;

	for (const struct lang_section *d = section->defaults; d; d = d->defaults) {
		if (count < max)
			chain[count] = d;
		count++;
	}
	return count;
}
