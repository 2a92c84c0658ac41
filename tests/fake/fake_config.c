/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdio.h>

#include "fake_config.h"

static void append(char *buf, const char *fmt, const char *a, unsigned line, const char *text)
{
	size_t len = strlen(buf);

	assert_true(len < FAKE_CONFIG_TEXT_SIZE);
	snprintf(buf + len, FAKE_CONFIG_TEXT_SIZE - len, fmt, a, line, text);
}

void fake_config_load(struct fake_config *f, const char *text)
{
	static const char *const names[] = {"ALERT", "WARNING", "NOTICE", "DIAG"};
	struct reload_options options = {.cpu_count = 4};
	struct lang_diags diags;
	struct error err = {0};

	memset(f, 0, sizeof(*f));
	lang_diags_init(&diags);
	f->model = reload_load_text("t.cfg", bytes_of_cstr(text), &options, &diags, &err);
	assert_int_equal(err.code, 0);
	assert_int_equal(f->model != NULL, lang_diags_ok(&diags));
	list_for_each (link, &diags.list) {
		struct lang_diag *d = list_entry(link, struct lang_diag, link);

		append(f->problems, "%s %u %s\n", names[d->severity], d->place.line, d->text);
		if (d->hint)
			append(f->hints, "%s%u %s\n", "", d->place.line, d->hint);
	}
	lang_diags_fini(&diags);
}

void fake_config_free(struct fake_config *f)
{
	model_destroy(f->model);
	f->model = NULL;
}

struct model *fake_config_model(const char *text)
{
	struct fake_config f;

	fake_config_load(&f, text);
	if (!f.model)
		print_error("%s", f.problems);
	assert_non_null(f.model);
	return f.model;
}
