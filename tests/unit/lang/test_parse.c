/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sections, defaults, directives, files, and what happens when memory runs out.
 *
 * In: the text of a file. Out: its outline, "WORD NAME<DEFAULTS{statement|statement}" for
 * each section, and the reports in their order. Always: what is not reported is understood,
 * and a row lists all reports there are.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang_setup.h"

/* "WORD NAME<DEFAULTS{statement|statement}" for each section. */
static void outline(const struct lang_tree *tree, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (const struct lang_section *s = tree->sections; s; s = s->next) {
		len += (size_t)snprintf(out + len, size - len, "%s%s%s%s%s%s{", len ? " " : "",
			s->kind->word, s->name[0] ? " " : "", s->name, s->defaults ? "<" : "",
			s->defaults ? s->defaults->name : "");
		for (const struct lang_statement *st = s->statements; st; st = st->next) {
			static const char *const prefixes[] = {"", "no+", "default+"};

			len += (size_t)snprintf(out + len, size - len, "%s%s",
				st == s->statements ? "" : "|", prefixes[st->prefix]);
			for (uint32_t w = 0; w < st->word_count; w++)
				len += (size_t)snprintf(out + len, size - len, "%s%s", w ? " " : "",
					st->words[w].text);
			assert_ptr_equal(st->section, s);
		}
		len += (size_t)snprintf(out + len, size - len, "}");
		assert_true(len < size);
	}
}

struct row {
	const char *text;
	const char *outline;   /* NULL: not looked at */
	const char *report[4]; /* "LINE part of the text", in order; "" for no more */
};

static void check_row(const struct row *row)
{
	struct lang_diags diags;
	struct lang_tree *tree = lang_test_parse(row->text, &diags);
	char got[1024];
	unsigned count = 0;

	assert_non_null(tree);
	outline(tree, got, sizeof(got));
	if (row->outline && strcmp(got, row->outline) != 0)
		fail_msg("%s\ngives %s", row->text, got);
	for (; count < ARRAY_LEN(row->report) && row->report[count]; count++) {
		const struct lang_diag *d = lang_test_diag(&diags, count);
		char *part;
		unsigned long line = strtoul(row->report[count], &part, 10);

		if (!d || d->place.line != line || !strstr(d->text, part + 1))
			fail_msg("%s\nreports %u: %s", row->text, d ? d->place.line : 0,
				d ? d->text : "nothing");
		assert_string_equal(d->place.file, "t.cfg");
	}
	if (lang_test_diag(&diags, count))
		fail_msg("%s\nreports also: %s", row->text, lang_test_diag(&diags, count)->text);
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void sections(void **state)
{
	static const struct row rows[] = {
		{"", ""},
		{"\n  \n\t\n# a\n  # b\n", ""},
		{"global\n", "global{}"},
		{"  global # x\n\tdaemon#y\n", "global{daemon}"},
		{"global\r\n maxconn 5\r\n", "global{maxconn 5}"},
		{"\"glo\"bal\n a\n", "global{a}"},
		{"global\n a b\n c\nfrontend x\n d\n", "global{a b|c} frontend x{d}"},
		{"global\n a\nglobal\n b\n", "global{a} global{b}"},
		{"global\n no option x\n default option y\n",
			"global{no+option x|default+option y}"},
		{"global\n \"\" maxconn\n \"$NOPE\" b\n c\n", "global{c}"},
		{"frontend f.a-b_c:d\n", "frontend f.a-b_c:d{}"},
		{"frontend f\nbackend f\nlisten g\n", "frontend f{} backend f{} listen g{}"},
		/* mistakes */
		{"maxconn 5\n", "", {"1 unknown keyword 'maxconn' out of section"}},
		{"globl\n", "", {"1 unknown keyword 'globl' out of section"}},
		{"\xef\xbb\xbfglobal\n", "", {"1 out of section"}},
		{"global foo\n", "global{}", {"1 unexpected argument 'foo'"}},
		{"network\nglobal\nnetwork\n", NULL, {"3 network is declared already at t.cfg:1"}},
		{"no\n", "", {"1 'no' without a keyword"}},
		{"global\n default\n", "global{}", {"2 'default' without a keyword"}},
		{"no global\n", "global{}", {"1 'no' is not possible before"}},
		{"frontend\n a\n", "frontend{a}", {"1 'frontend' has no name"}},
		{"frontend \"\"\n", NULL, {"1 'frontend' has no name"}},
		{"frontend \"$NOPE\"\n", NULL, {"1 'frontend' has no name"}},
		{"frontend \"a b\"\n", NULL,
			{"1 character ' ' is not permitted in frontend name 'a b'"}},
		{"frontend a/b\n", NULL, {"1 character '/'"}},
		{"frontend f x\n", NULL, {"1 unexpected argument 'x'"}},
		{"frontend f\nfrontend f\nbackend f\nbackend f\n", NULL,
			{"2 frontend 'f' is declared already at t.cfg:1",
				"4 backend 'f' is declared already at t.cfg:3"}},
		{"peers p\npeers q\npeers p\n", NULL, {"3 at t.cfg:1"}},
		/* several in one run; the rest is understood */
		{"foo\nglobal\n a \"\n b \\x\n c\n", "global{c}",
			{"1 out of section", "3 unmatched quote", "4 hexadecimal"}},
		/* the end of the file */
		{"global\n a", "global{a}", {"2 missing LF on last line"}},
		{"global", "global{}", {"1 missing LF"}},
		{"#x", "", {"1 missing LF"}},
		{"global\n ", "global{}", {"2 missing LF"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void defaults(void **state)
{
	static const struct row rows[] = {
		{"frontend f\n", "frontend f{}"},
		{"defaults\nfrontend f\n", "defaults{} frontend f<{}"},
		{"defaults a\nfrontend f\ndefaults b\nfrontend g\nbackend h\n",
			"defaults a{} frontend f<a{} defaults b{} frontend g<b{} backend h<b{}"},
		{"defaults a\ndefaults b\nfrontend f from a\nfrontend g\n",
			"defaults a{} defaults b{} frontend f<a{} frontend g<b{}"},
		{"defaults a\ndefaults b from a\nlisten f from b\n",
			"defaults a{} defaults b<a{} listen f<b{}"},
		{"defaults a\nfrontend f from a\ndefaults b\nfrontend g\n",
			"defaults a{} frontend f<a{} defaults b{} frontend g<b{}"},
		{"defaults a\ndefaults b\n",
			"defaults a{} defaults b{}"}, /* defaults start afresh */
		{"defaults a\nglobal\npeers p\n", "defaults a{} global{} peers p{}"},
		{"defaults a\ndefaults a\nfrontend f\n",
			"defaults a{} defaults a{} frontend f<a{}"},
		{"defaults from\n", "defaults from{}"},
		{"defaults a\ndefaults from a\n", "defaults a{} defaults<a{}"},
		{"defaults a\ndefaults from from a\n", "defaults a{} defaults from<a{}"},
		{"defaults from\nfrontend from from from\n",
			"defaults from{} frontend from<from{}"},
		{"defaults a/b\ndefaults \"x y\"\n", "defaults a/b{} defaults x y{}"},
		{"defaults a b\n", "defaults a{}"},
		{"defaults a from\n", "defaults a{}"},
		{"defaults a\ndefaults b from a\nfrontend g\n",
			"defaults a{} defaults b<a{} frontend g<b{}"},
		/* mistakes */
		{"frontend f from nope\n", "frontend f{}",
			{"1 defaults section 'nope' not found for frontend 'f'"}},
		{"defaults from nope\n", NULL, {"1 'nope' not found for defaults ''"}},
		{"defaults a from a\n", NULL, {"1 'a' not found for defaults 'a'"}},
		{"frontend f from b\ndefaults b\n", NULL, {"1 'b' not found"}},
		{"frontend f from f\n", NULL, {"1 'f' not found"}},
		{"defaults a\ndefaults a\nfrontend f from a\n",
			"defaults a{} defaults a{} frontend f{}",
			{"3 ambiguous defaults section name 'a' referenced by frontend 'f' exists "
			 "at "
			 "least at t.cfg:1 and t.cfg:2"}},
		{"defaults a/b\nfrontend f from a/b\n", NULL,
			{"2 character '/' is not permitted in defaults section name 'a/b'"}},
		{"defaults a\nfrontend f from a junk\n", NULL, {"2 unexpected argument 'junk'"}},
		{"frontend f from\n", NULL, {"1 unexpected argument 'from'"}},
		{"defaults a\nfrontend f from \"\"\n", NULL, {"2 unexpected argument 'from'"}},
		{"defaults a\nfrontend f x from a\n", NULL, {"2 unexpected argument 'x'"}},
		/* warnings: a name and "the last one" for the same defaults */
		{"defaults a\nfrontend f from a\nfrontend g\n", NULL, {"3 used both"}},
		{"defaults a\nfrontend g\nfrontend f from a\n", NULL, {"3 used both"}},
		{"defaults a\nfrontend g\ndefaults b from a\n", NULL, {"3 used both"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void the_chain_is_nearest_first(void **state)
{
	struct lang_diags diags;
	struct lang_tree *tree =
		lang_test_parse("defaults a\ndefaults b from a\ndefaults c from b\n"
				"frontend f from c\nfrontend g from c\n",
			&diags);
	const struct lang_section *chain[3], *f = lang_section_next(tree, NULL, "frontend");

	(void)state;
	assert_string_equal(f->name, "f");
	assert_int_equal(lang_section_chain(f, chain, 3), 3);
	assert_string_equal(chain[0]->name, "c");
	assert_string_equal(chain[1]->name, "b");
	assert_string_equal(chain[2]->name, "a");
	assert_int_equal(lang_section_chain(f, chain, 0), 3);
	assert_int_equal(chain[0]->explicit_users, 2);
	assert_int_equal(chain[0]->implicit_users, 0);
	f = lang_section_next(tree, f, "frontend");
	assert_string_equal(f->name, "g");
	assert_null(lang_section_next(tree, f, "frontend"));
	assert_null(lang_section_next(tree, NULL, "listen"));
	assert_int_equal(lang_section_chain(chain[2], chain, 3), 0);
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void directives(void **state)
{
	static const struct row rows[] = {
		{"global\n.if 1\n a\n.else\n b\n.endif\n c\n", "global{a|c}"},
		{"global\n.if 0\n a\n.else\n b\n.endif\n", "global{b}"},
		{"global\n.if 0\n a\n.elif 1\n b\n.elif 1\n c\n.else\n d\n.endif\n", "global{b}"},
		{"global\n.if 0\n a\n.elif 0\n b\n.else\n d\n.endif\n", "global{d}"},
		{"global\n.if 1\n.if 0\n a\n.else\n b\n.endif\n c\n.else\n d\n.endif\n",
			"global{b|c}"},
		{"global\n.if 0\n.if 1\n a\n.else\n b\n.endif\n c\n.else\n d\n.endif\n",
			"global{d}"},
		{".if 1\nglobal\n a\n.endif\n b\n", "global{a|b}"},
		{".if 0\nglobal\n.else\nfrontend x\n.endif\n b\n", "frontend x{b}"},
		{"global\n.if\n a\n.else\n b\n.endif\n", "global{b}"},
		{"global\n.if \"\"\n a\n.else\n b\n.endif\n", "global{b}"},
		{"global\n.if streq(\"$HOST\",h)\n a\n.endif\n", "global{a}"},
		{"global\n.if streq(\"a b\",\"a b\")\n a\n.endif\n", "global{a}"},
		{"global\n.if streq(\\\"a b\\\",a\\ b)\n a\n.endif\n", "global{a}"},
		{"global\n.if 1\\ &&\\ 1\n a\n.endif\n", "global{a}"},
		{"global\n.if 1 \"\" && 1\n a\n.endif\n", "global{a}"},
		{"global\n.if 1 # c\n a\n.endif # c\n", "global{a}"},
		{"global\n  .if 1\n a\n\t.endif\n", "global{a}"},
		{"global\n.if defined(HAPROXY_CFGFILES)\n a\n.endif\n", "global{a}"},
		{"global\n k \"$HAPROXY_CFGFILES\" \"${.FILE}\" \"${.LINE}\" \"${.SECTION}\"\n",
			"global{k t.cfg t.cfg 2 global}"},
		{"frontend x\n k \"${.SECTION}\"\ndefaults\n k \"$.SECTION\"\n",
			"frontend x{k x} defaults{k defaults}"},
		/* not looked at: wrong conditions and directives in skipped blocks */
		{".if 0\n.if zork\n.endif\n.endif\n", ""},
		{".if 0\n.alert x\n.foo\n.endif\n", ""},
		{".if 1\n.elif zork\n.endif\n", ""},
		/* looked at: quotes, as HAProxy does */
		{".if 0\n \"abc\n foo \\x\n.endif\n", "", {"2 unmatched quote", "3 hexadecimal"}},
		{".if 0\nfoo \"${A\"\n.endif\n", "", {"2 unmatched brace"}},
		/* messages */
		{".notice \"a b\"\n.warning x\n.diag y\n.alert z\n", "",
			{"1 'a b'", "2 'x'", "3 'y'", "4 'z'"}},
		{".notice\n.alert\n", "", {"1 ''", "2 ''"}},
		{".notice a b\n", "", {"1 unexpected argument 'b' for '.notice'"}},
		{".notice a \"\" b\n", "", {"1 'a'"}},
		/* mistakes */
		{".endif\n", "", {"1 lone '.endif'"}},
		{".else\n", "", {"1 lone '.else'"}},
		{".elif 1\n", "", {"1 lone '.elif'"}},
		{".if 1\n", "", {"1 non-terminated '.if'"}},
		{".if 1\n.if 0\n", "", {"1 non-terminated", "2 non-terminated"}},
		{".if 1\n.else\n.else\n.endif\n", "", {"3 '.else' after '.else'"}},
		{".if 1\n.else\n.elif 1\n.endif\n", "", {"3 '.elif' after '.else'"}},
		{".if 0\n.else\n.else\n.endif\n", "", {"3 '.else' after '.else'"}},
		{".if 1\n.else x\n.endif y z\n", "",
			{"2 unexpected argument 'x' for '.else'",
				"3 unexpected argument 'y' for '.endif'"}},
		{".foo\n", "", {"1 unknown directive '.foo'"}},
		{".IF 1\n", "", {"1 unknown directive '.IF'"}},
		/* one mistake, one report: no branch of a wrong .if is read */
		{"global\n.if foo\n a\n.elif 1\n b\n.else\n c\n.endif\n d\n", "global{d}",
			{"2 unparsable condition 'foo'"}},
		{"global\n.if 0\n a\n.elif foo\n b\n.else\n c\n.endif\n d\n", "global{d}",
			{"4 unparsable condition 'foo'"}},
		{".if \"\" \"\"\n.endif\n", "", {"1 unparsable"}},
		{".if 1 2\n.endif\n", "", {"1 unexpected '2'"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void messages_have_their_severity(void **state)
{
	struct lang_diags diags;
	struct lang_tree *tree = lang_test_parse(".notice n\n.warning w\n.diag d\n", &diags);

	(void)state;
	assert_int_equal(diags.count[LANG_NOTICE], 1);
	assert_int_equal(diags.count[LANG_WARNING], 1);
	assert_int_equal(diags.count[LANG_DIAG], 1);
	assert_true(lang_diags_ok(&diags));
	lang_tree_destroy(tree);
	lang_diags_fini(&diags);
}

static void repeat(char *text, size_t size, const char *what, int count)
{
	size_t len = strlen(text);

	for (int i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, size - len, "%s", what);
	assert_true(len < size);
}

static void nesting_has_a_limit(void **state)
{
	char text[(LANG_DEPTH_MAX + 2) * 16 + 64];
	struct lang_diags diags;
	struct lang_tree *tree;

	(void)state;
	for (int extra = 0; extra < 3; extra++) {
		text[0] = '\0';
		repeat(text, sizeof(text), "global\n", 1);
		repeat(text, sizeof(text), ".if 1\n", LANG_DEPTH_MAX + extra);
		repeat(text, sizeof(text), " a\n.else\n", 1);
		repeat(text, sizeof(text), ".endif\n", LANG_DEPTH_MAX + extra);
		repeat(text, sizeof(text), " b\n", 1);
		tree = lang_test_parse(text, &diags);
		assert_non_null(tree);
		assert_int_equal(diags.count[LANG_ALERT], extra > 0);
		assert_string_equal(
			lang_text(tree->sections->statements, 0), extra > 0 ? "b" : "a");
		lang_diags_fini(&diags);
		lang_tree_destroy(tree);
	}
}

static void a_nul_byte_is_refused(void **state)
{
	struct lang_options options = lang_test_options();
	struct lang_diags diags;
	struct lang_tree *tree;
	char got[64];

	(void)state;
	lang_diags_init(&diags);
	tree = lang_parse_text("f", BYTES_LIT("global\n a\0b\n#c\0\n d\n"), &options, &diags, NULL);
	assert_int_equal(diags.count[LANG_ALERT], 2);
	assert_int_equal(lang_test_diag(&diags, 0)->place.line, 2);
	assert_int_equal(lang_test_diag(&diags, 0)->place.column, 3);
	outline(tree, got, sizeof(got));
	assert_string_equal(got, "global{d}");
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void suggestions_are_made(void **state)
{
	static const struct {
		const char *text, *hint;
	} rows[] = {
		{"globl\n", "did you mean 'global' maybe?"},
		{"fronted x\n", "did you mean 'frontend' maybe?"},
		{".esle\n", "did you mean '.else' maybe?"},
		{"zork\n", "a file begins with the word of a section"},
		{".zorkzork\n", ".if .elif .else .endif .alert .warning .notice .diag are known"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lang_diags diags;
		struct lang_tree *tree = lang_test_parse(rows[i].text, &diags);

		assert_string_equal(lang_test_diag(&diags, 0)->hint, rows[i].hint);
		lang_diags_fini(&diags);
		lang_tree_destroy(tree);
	}
}

/* A keyword that changes the environment for the lines behind it, like setenv. */
struct seen {
	char log[256];
	char value[32];
};

static void on_statement(
	void *ctx, const struct lang_section *section, const struct lang_statement *s)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->log);

	snprintf(seen->log + len, sizeof(seen->log) - len, "%s%s ", lang_text(s, 0),
		s == section->head ? "!" : "");
	if (lang_is(s, 0, "setenv"))
		snprintf(seen->value, sizeof(seen->value), "%s", lang_text(s, 2));
}

static const char *seen_env(void *ctx, const char *name)
{
	struct seen *seen = ctx;

	return strcmp(name, "NEW") == 0 && seen->value[0] ? seen->value : NULL;
}

static void statements_may_change_what_follows(void **state)
{
	struct lang_options options = lang_test_options();
	struct lang_diags diags;
	struct lang_tree *tree;
	struct seen seen = {0};
	char got[128];

	(void)state;
	options.env = seen_env;
	options.env_ctx = options.on_statement_ctx = &seen;
	options.on_statement = on_statement;
	lang_diags_init(&diags);
	tree = lang_parse_text("f",
		BYTES_LIT("global\n.if defined(NEW)\n x\n.endif\n setenv NEW v\n"
			  ".if defined(NEW)\n y \"$NEW\"\n.endif\n"),
		&options, &diags, NULL);
	outline(tree, got, sizeof(got));
	assert_string_equal(got, "global{setenv NEW v|y v}");
	assert_string_equal(seen.log, "global! setenv y ");
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void reports_point_at_words(void **state)
{
	struct lang_diags diags;
	struct lang_tree *tree = lang_test_parse("global\n key 'v w' x\n", &diags);
	const struct lang_statement *s = tree->sections->statements;
	const struct lang_diag *d;

	(void)state;
	lang_report(&diags, LANG_ALERT, s, 1, "w", "bad %s", "v");
	d = lang_test_diag(&diags, 0);
	assert_string_equal(d->text, "bad v");
	assert_string_equal(d->hint, "w");
	assert_string_equal(d->place.word, "v w");
	assert_int_equal(d->place.column, 6);
	assert_int_equal(d->place.line, 2);
	assert_string_equal(d->place.excerpt.ptr, " key 'v w' x");
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

/* ---- files ---- */

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_directory(void **state)
{
	char *dir = strdup("/tmp/weir_lang_XXXXXX"), sub[128];

	if (!dir || !mkdtemp(dir))
		return -1;
	write_file(dir, "b.cfg", "backend \"${.FILE}\"\n");
	write_file(dir, "a.cfg", "global\n a\n");
	write_file(dir, "B.cfg", "backend B\n");
	write_file(dir, ".hidden.cfg", "zork\n");
	write_file(dir, "c.cfg~", "zork\n");
	write_file(dir, "notes", "zork\n");
	write_file(dir, ".cfg", "zork\n");
	snprintf(sub, sizeof(sub), "%s/d.cfg", dir);
	if (mkdir(sub, 0700) != 0)
		return -1;
	write_file(sub, "e.cfg", "zork\n");
	*state = dir;
	return 0;
}

static int remove_directory(void **state)
{
	static const char *const names[] = {
		"b.cfg", "a.cfg", "B.cfg", ".hidden.cfg", "c.cfg~", "notes", ".cfg", "d.cfg/e.cfg"};
	char path[256];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/d.cfg", (char *)*state);
	rmdir(path);
	rmdir(*state);
	free(*state);
	return 0;
}

static void directories_are_read_in_order(void **state)
{
	struct lang_options options = lang_test_options();
	struct lang_diags diags;
	struct lang_tree *tree;
	const struct lang_source *s;
	const char *dir = *state, *const names[] = {"B.cfg", "a.cfg", "b.cfg"};
	char path[256];

	lang_diags_init(&diags);
	options.kinds = (struct lang_section_kind[]){
		{"global", LANG_NAME_NONE, 0, 1}, {"backend", LANG_NAME_REQUIRED, 0, 4}};
	options.kind_count = 2;
	tree = lang_parse_paths(&dir, 1, &options, &diags, NULL);
	assert_non_null(tree);
	assert_true(lang_diags_ok(&diags));
	s = tree->sources;
	for (size_t i = 0; i < ARRAY_LEN(names); i++, s = s->next) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_non_null(s);
		assert_string_equal(s->name, path);
	}
	assert_null(s);
	assert_string_equal(tree->sections->next->next->name, path);
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void each_file_begins_afresh(void **state)
{
	struct lang_options options = lang_test_options();
	struct lang_diags diags;
	struct lang_tree *tree;
	char a[256], b[256], e[256];
	const char *paths[] = {a, e, b};

	snprintf(a, sizeof(a), "%s/a.cfg", (char *)*state);
	snprintf(b, sizeof(b), "%s/nothing.cfg", (char *)*state);
	snprintf(e, sizeof(e), "%s/d.cfg/e.cfg", (char *)*state);
	lang_diags_init(&diags);
	tree = lang_parse_paths(paths, 3, &options, &diags, NULL);
	assert_non_null(tree);
	/* Loading comes before parsing, and "zork" does not continue a.cfg's section. */
	assert_int_equal(diags.count[LANG_ALERT], 2);
	assert_non_null(strstr(lang_test_diag(&diags, 0)->text, "nothing.cfg"));
	assert_non_null(strstr(lang_test_diag(&diags, 0)->text, "No such file"));
	assert_string_equal(lang_test_diag(&diags, 1)->place.file, e);
	assert_string_equal(tree->sections->statements->words[0].text, "a");
	lang_diags_fini(&diags);
	lang_tree_destroy(tree);
}

static void special_files_are_read(void **state)
{
	struct lang_options options = lang_test_options();
	struct lang_diags diags;
	struct lang_tree *tree;
	const char *path = "/dev/null";

	(void)state;
	lang_diags_init(&diags);
	tree = lang_parse_paths(&path, 1, &options, &diags, NULL);
	assert_non_null(tree);
	assert_true(lang_diags_ok(&diags));
	lang_tree_destroy(tree);
	path = "-";
	tree = lang_parse_paths(&path, 1, &options, &diags, NULL);
	assert_int_equal(diags.count[LANG_ALERT], 1);
	lang_tree_destroy(tree);
	tree = lang_parse_paths(NULL, 0, &options, &diags, NULL);
	assert_non_null(tree);
	assert_null(tree->sections);
	lang_tree_destroy(tree);
	lang_diags_fini(&diags);
}

/* Every allocation fails once: NULL, one error, no leak (the sanitizer looks). */
static void memory_may_run_out(void **state)
{
	static const char text[] = "defaults a\n k \"$HOST\" b c d e f g h i j k l m n o p q r\n"
				   ".if streq(\"$HOST\",h)\nfrontend x from a\n.endif\n";
	struct lang_options options = lang_test_options();
	struct lang_tree *tree = NULL;
	size_t bytes, failures = 0;

	for (bytes = 1; !tree; bytes += 16) {
		struct error err = {0};
		struct lang_diags diags;

		lang_diags_init(&diags);
		options.memory_max_bytes = bytes;
		tree = lang_parse_text("f", BYTES_LIT(text), &options, &diags, &err);
		assert_int_equal(err.code, tree ? 0 : -ENOMEM);
		assert_true(lang_diags_ok(&diags));
		lang_diags_fini(&diags);
		failures += !tree;
		assert_true(bytes < 1000000);
	}
	assert_true(failures > 50);
	assert_true(tree->memory_bytes <= bytes);
	lang_tree_destroy(tree);
	tree = NULL;
	for (bytes = 1; !tree; bytes += 512) {
		struct lang_diags diags;
		const char *dir = *state;

		lang_diags_init(&diags);
		options.memory_max_bytes = bytes;
		tree = lang_parse_paths(&dir, 1, &options, &diags, NULL);
		lang_diags_fini(&diags);
		assert_true(bytes < 1000000);
	}
	lang_tree_destroy(tree);
	lang_tree_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections),
		cmocka_unit_test(defaults),
		cmocka_unit_test(the_chain_is_nearest_first),
		cmocka_unit_test(directives),
		cmocka_unit_test(messages_have_their_severity),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(suggestions_are_made),
		cmocka_unit_test(statements_may_change_what_follows),
		cmocka_unit_test(reports_point_at_words),
		cmocka_unit_test(directories_are_read_in_order),
		cmocka_unit_test(each_file_begins_afresh),
		cmocka_unit_test(special_files_are_read),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
