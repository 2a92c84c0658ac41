/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>

#include "lang_diag.h"

void lang_diags_init(struct lang_diags *diags)
{
	*diags = (struct lang_diags){.count_max = LANG_DIAGS_DEFAULT_MAX};
	list_init(&diags->list);
}

void lang_diags_fini(struct lang_diags *diags)
{
	struct list *link;

	while ((link = list_pop_head(&diags->list)) != NULL)
		free(list_entry(link, struct lang_diag, link));
}

/* Copies `b` with a NUL to *to and moves *to behind it; NULL stays NULL. */
static const char *copy(char **to, struct bytes b)
{
	char *start = *to;

	if (!b.ptr)
		return NULL;
	memcpy(start, b.ptr, b.len);
	start[b.len] = '\0';
	*to = start + b.len + 1;
	return start;
}

static struct bytes optional(const char *s)
{
	return s ? bytes_of_cstr(s) : BYTES_NONE;
}

/* One block holds the entry and all its texts. NULL if memory ran out. */
static struct lang_diag *diag_create(
	const struct lang_place *at, const char *hint, struct bytes text)
{
	struct bytes file = optional(at->file), word = optional(at->word);
	struct bytes hint_text = optional(hint);
	size_t size = file.len + word.len + hint_text.len + at->excerpt.len + text.len + 5;
	struct lang_diag *d = malloc(sizeof(*d) + size);
	char *to = (char *)(d + 1);

	if (!d)
		return NULL;
	d->place = *at;
	d->place.file = copy(&to, file);
	d->place.word = copy(&to, word);
	d->place.excerpt.ptr = copy(&to, at->excerpt);
	d->text = copy(&to, text);
	d->hint = copy(&to, hint_text);
	return d;
}

void lang_diag_add(struct lang_diags *diags, enum lang_severity severity,
	const struct lang_place *at, const char *hint, const char *fmt, ...)
{
	static const struct lang_place nowhere;
	struct lang_diag *d = NULL;
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	diags->count[severity]++;
	if (len >= 0 && diags->lost == 0 && diags->count_max > 0)
		d = diag_create(at ? at : &nowhere, hint, bytes_of(text, (size_t)len));
	if (d) {
		d->severity = severity;
		list_add_tail(&diags->list, &d->link);
		diags->count_max--;
	} else {
		diags->lost++;
	}
	if (len >= 0)
		free(text);
}

static void put_clean(FILE *out, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.ptr[i];

		fputc(c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

static void put_excerpt(FILE *out, const struct lang_place *at)
{
	fputs("\n  ", out);
	put_clean(out, at->excerpt);
	fprintf(out, "\n  %*s^", (int)at->column - 1, "");
}

static void put_diag(FILE *out, const struct lang_diag *d, long pid)
{
	static const char *const names[] = {"ALERT", "WARNING", "NOTICE", "DIAG"};
	const struct lang_place *at = &d->place;

	static_assert(ARRAY_LEN(names) == LANG_SEVERITY_COUNT, "a name for each severity");
	fprintf(out, "[%s]%*s(%ld) : config : ", names[d->severity],
		(int)(9 - strlen(names[d->severity])), "", pid);
	if (at->file && at->line)
		fprintf(out, "parsing [%s:%u] : ", at->file, at->line);
	else if (at->file)
		fprintf(out, "%s : ", at->file);
	put_clean(out, bytes_of_cstr(d->text));
	if (d->hint) {
		fputs("; ", out);
		put_clean(out, bytes_of_cstr(d->hint));
	}
	fputc('.', out);
	if (at->column > 0 && at->column <= at->excerpt.len + 1)
		put_excerpt(out, at);
	fputc('\n', out);
}

void lang_diags_print(const struct lang_diags *diags, FILE *out, long pid, bool show_diag)
{
	list_for_each (link, &diags->list) {
		const struct lang_diag *d = list_entry(link, struct lang_diag, link);

		if (d->severity != LANG_DIAG || show_diag)
			put_diag(out, d, pid);
	}
	if (diags->lost > 0)
		fprintf(out, "[ALERT]    (%ld) : config : %u more problems are not shown.\n", pid,
			diags->lost);
}
