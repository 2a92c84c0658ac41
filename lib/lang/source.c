/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang_pvt.h"

#define READ_BYTES 16384

static void report(struct lang_diags *diags, const char *path, const char *what, int error)
{
	char text[128];

	lang_diag_add(diags, LANG_ALERT, NULL, NULL, "cannot %s '%s': %s", what, path,
		strerror_r(error, text, sizeof(text)));
}

struct lang_source *lang_source_of(struct lang_arena *arena, const char *name, struct bytes text)
{
	struct lang_source *s = lang_arena_alloc(arena, sizeof(*s));

	if (!s)
		return NULL;
	s->name = lang_arena_text(arena, bytes_of_cstr(name));
	s->text = bytes_of(lang_arena_text(arena, text), text.len);
	return s->name && s->text.ptr ? s : NULL;
}

/* Reads to the end: not every path has a size (/dev/stdin). 0, -ENOMEM, or errno > 0. */
static int read_all(struct lang_arena *arena, int fd, struct lang_text *t)
{
	for (;;) {
		ssize_t n;

		if (lang_text_reserve(arena, t, READ_BYTES) != 0)
			return -ENOMEM;
		n = read(fd, t->ptr + t->len, t->size - t->len);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			t->len += (size_t)n;
	}
}

static int load_file(struct lang_arena *arena, const char *path, struct lang_source ***tail,
	struct lang_diags *diags)
{
	struct lang_source *s = lang_source_of(arena, path, BYTES_NONE);
	struct lang_text text = {0};
	int fd, rc;

	if (!s)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		report(diags, path, "open", errno);
		return 0;
	}
	rc = read_all(arena, fd, &text);
	close(fd);
	if (rc > 0) {
		report(diags, path, "read", rc);
		return 0;
	}
	s->text = bytes_of(text.ptr, text.len);
	**tail = s;
	*tail = &s->next;
	return rc;
}

static int is_config(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".cfg") == 0;
}

/* By bytes, whatever the locale is. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_entry(struct lang_arena *arena, const char *dir, const char *name,
	struct lang_source ***tail, struct lang_diags *diags)
{
	struct stat st;
	char *path;
	int rc = 0;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	if (stat(path, &st) != 0)
		report(diags, path, "open", errno);
	else if (S_ISREG(st.st_mode))
		rc = load_file(arena, path, tail, diags);
	free(path);
	return rc;
}

static int load_directory(struct lang_arena *arena, const char *path, struct lang_source ***tail,
	struct lang_diags *diags)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_config, by_name);
	int rc = 0;

	if (count < 0) {
		report(diags, path, "read directory", errno);
		return 0;
	}
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = load_entry(arena, path, entries[i]->d_name, tail, diags);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int lang_source_load(struct lang_arena *arena, const char *path, struct lang_source ***tail,
	struct lang_diags *diags)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		report(diags, path, "open configuration file or directory", errno);
		return 0;
	}
	return S_ISDIR(st.st_mode) ? load_directory(arena, path, tail, diags)
				   : load_file(arena, path, tail, diags);
}
