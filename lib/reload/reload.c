/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From files (or a text) to a model, in three steps: lib/lang reads the tree; here each section's
 * statements go through the keyword tables into a draft (rl_keyword.c finds the row); rl_check.c
 * judges the draft as a whole and rl_emit.c writes the model, if there was no alert.
 *
 * A proxy begins as a copy of its defaults with lists of its own. Variables that "setenv" sets
 * count from the next line on: on_statement sees each statement before lib/lang reads further.
 * Whatever goes wrong, the draft is freed, and the model too unless it is returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "reload_pvt.h"

static const struct lang_section_kind kinds[] = {
	{"global", LANG_NAME_NONE, LANG_SECTION_NO_MORE, RELOAD_GLOBAL},
	{"defaults", LANG_NAME_OPTIONAL,
		LANG_SECTION_DEFAULTS | LANG_SECTION_FROM | LANG_SECTION_NAME_CHARS |
			LANG_SECTION_NO_MORE,
		RELOAD_DEFAULTS},
	{"frontend", LANG_NAME_REQUIRED,
		LANG_SECTION_FROM | LANG_SECTION_NAME_CHARS | LANG_SECTION_NO_MORE,
		RELOAD_FRONTEND},
	{"backend", LANG_NAME_REQUIRED,
		LANG_SECTION_FROM | LANG_SECTION_NAME_CHARS | LANG_SECTION_NO_MORE, RELOAD_BACKEND},
	{"listen", LANG_NAME_REQUIRED,
		LANG_SECTION_FROM | LANG_SECTION_NAME_CHARS | LANG_SECTION_NO_MORE, RELOAD_LISTEN},
	{"network", LANG_NAME_NONE, LANG_SECTION_UNIQUE | LANG_SECTION_NO_MORE, RELOAD_NETWORK},
};

static const char *const feature_names[] = {"DPDK", "NS", "TCP", "HTTP", NULL};

/* What "setenv" and its kin did; asked before the environment itself. */
struct overlay {
	const struct reload_options *options;
	RL_LIST(struct overlay_variable {
		char *name;
		char *value; /* NULL: taken away */
	})
	variables;
};

static const struct overlay_variable *overlay_find(const struct overlay *o, const char *name)
{
	for (uint32_t i = o->variables.count; i-- > 0;)
		if (strcmp(o->variables.items[i].name, name) == 0)
			return &o->variables.items[i];
	return NULL;
}

static const char *overlay_get(void *ctx, const char *name)
{
	const struct overlay *o = ctx;
	const struct overlay_variable *v = overlay_find(o, name);

	if (v)
		return v->value;
	return o->options->env ? o->options->env(o->options->env_ctx, name) : NULL;
}

static void overlay_set(struct overlay *o, const char *name, const char *value)
{
	struct overlay_variable *v = rl_append(&o->variables);

	if (!v)
		return;
	v->name = strdup(name);
	v->value = value ? strdup(value) : NULL;
	if (!v->name || (value && !v->value)) {
		free(v->name);
		free(v->value);
		o->variables.count--;
	}
}

static void overlay_fini(struct overlay *o)
{
	for (uint32_t i = 0; i < o->variables.count; i++) {
		free(o->variables.items[i].name);
		free(o->variables.items[i].value);
	}
	free(o->variables.items);
}

/* Sees each statement before the next line is read, so that variables set here count there. */
static void on_statement(
	void *ctx, const struct lang_section *section, const struct lang_statement *s)
{
	struct overlay *o = ctx;

	if (!section || section->kind->tag != RELOAD_GLOBAL || s == section->head)
		return;
	if (lang_is(s, 0, "setenv") && s->word_count == 3)
		overlay_set(o, lang_text(s, 1), lang_text(s, 2));
	else if (lang_is(s, 0, "presetenv") && s->word_count == 3 &&
		 !overlay_get(o, lang_text(s, 1)))
		overlay_set(o, lang_text(s, 1), lang_text(s, 2));
	else if (lang_is(s, 0, "unsetenv"))
		for (uint32_t i = 1; i < s->word_count; i++)
			overlay_set(o, lang_text(s, i), NULL);
}

/* --- from the tree to the draft ----------------------------------------------------- */

static void set_initial(struct rl_proxy *p)
{
	p->p.be.retries = 3;
	p->p.be.reuse = MODEL_REUSE_SAFE;
	p->p.be.redispatch_interval = -1;
	p->p.forwardfor_header = "X-Forwarded-For";
	p->p.log = MODEL_NONE;
	p->server_defaults.weight = 1;
}

static void *copy_items(const void *items, uint32_t count, size_t item_size)
{
	void *copy = count ? reallocarray(NULL, count, item_size) : NULL;

	return copy ? memcpy(copy, items, count * item_size) : NULL;
}

/* A proxy begins as its defaults, with lists of its own. */
static bool inherit(struct rl_proxy *p, const struct rl_proxy *from)
{
	*p = *from;
	memset(&p->binds, 0, sizeof(p->binds));
	memset(&p->servers, 0, sizeof(p->servers));
	memset(&p->use_backends, 0, sizeof(p->use_backends));
	p->http_only = NULL;
	p->excepts.items =
		copy_items(from->excepts.items, from->excepts.count, sizeof(*from->excepts.items));
	p->excepts.room = p->excepts.count;
	p->errorfiles.items = copy_items(
		from->errorfiles.items, from->errorfiles.count, sizeof(*from->errorfiles.items));
	p->errorfiles.room = p->errorfiles.count;
	p->log.targets.items = copy_items(
		from->log.targets.items, from->log.targets.count, sizeof(*from->log.targets.items));
	p->log.targets.room = p->log.targets.count;
	return (p->excepts.items || !p->excepts.count) &&
	       (p->errorfiles.items || !p->errorfiles.count) &&
	       (p->log.targets.items || !p->log.targets.count);
}

void rl_proxy_fini(struct rl_proxy *p)
{
	free(p->binds.items);
	free(p->servers.items);
	free(p->use_backends.items);
	free(p->excepts.items);
	free(p->errorfiles.items);
	free(p->log.targets.items);
}

static struct rl_proxy *find_defaults(struct rl_draft *d, const struct lang_section *section)
{
	for (uint32_t i = 0; i < d->defaults_count; i++)
		if (d->defaults[i].section == section)
			return &d->defaults[i];
	return NULL;
}

static void compile_proxy(struct rl_draft *d, const struct lang_section *section)
{
	uint32_t kind = (uint32_t)section->kind->tag;
	struct rl_proxy *p = kind == RELOAD_DEFAULTS ? &d->defaults[d->defaults_count++]
						     : &d->proxies[d->proxy_count++];
	const struct rl_proxy *from =
		section->defaults ? find_defaults(d, section->defaults) : NULL;
	struct rl_call c = {d, p, kind, section->head, 0};

	if (!from)
		set_initial(p);
	else if (!inherit(p, from))
		d->failed = true;
	p->section = section;
	p->p.place = rl_place(&c);
	p->p.name = rl_strdup(d, section->name);
	p->p.is_frontend = kind == RELOAD_FRONTEND || kind == RELOAD_LISTEN;
	p->p.is_backend = kind == RELOAD_BACKEND || kind == RELOAD_LISTEN;
	p->p.is_listen = kind == RELOAD_LISTEN;
	for (const struct lang_statement *s = section->statements; s; s = s->next)
		rl_statement(d, p, kind, s);
}

static void compile_sections(struct rl_draft *d)
{
	for (const struct lang_section *s = d->tree->sections; s; s = s->next) {
		uint32_t kind = (uint32_t)s->kind->tag;

		if (kind != RELOAD_GLOBAL && kind != RELOAD_NETWORK) {
			compile_proxy(d, s);
			continue;
		}
		if (kind == RELOAD_NETWORK)
			d->network = s;
		for (const struct lang_statement *st = s->statements; st; st = st->next)
			rl_statement(d, NULL, kind, st);
	}
}

static bool reserve_proxies(struct rl_draft *d)
{
	uint32_t defaults = 0, proxies = 0;

	for (const struct lang_section *s = d->tree->sections; s; s = s->next) {
		defaults += s->kind->tag == RELOAD_DEFAULTS;
		proxies += s->kind->tag != RELOAD_DEFAULTS && s->kind->tag != RELOAD_GLOBAL &&
			   s->kind->tag != RELOAD_NETWORK;
	}
	d->defaults = calloc(defaults + 1, sizeof(*d->defaults));
	d->proxies = calloc(proxies + 1, sizeof(*d->proxies));
	return d->defaults && d->proxies;
}

static void draft_fini(struct rl_draft *d)
{
	for (uint32_t i = 0; d->defaults && i < d->defaults_count; i++)
		rl_proxy_fini(&d->defaults[i]);
	for (uint32_t i = 0; d->proxies && i < d->proxy_count; i++)
		rl_proxy_fini(&d->proxies[i]);
	free(d->defaults);
	free(d->proxies);
	free(d->log.targets.items);
	free(d->sockets.items);
	free(d->ports.items);
	free(d->addresses.items);
	free(d->routes.items);
}

static struct model *compile(const struct lang_tree *tree, const struct reload_options *options,
	struct lang_diags *diags, struct error *err)
{
	struct rl_draft d = {.options = options, .tree = tree, .diags = diags};
	struct model *m = NULL;

	d.model = model_create();
	if (!d.model || !reserve_proxies(&d)) {
		error_set(err, -ENOMEM, "not enough memory to read the configuration");
		goto out;
	}
	if (options->maxconn)
		d.model->global.maxconn = options->maxconn;
	d.model->network.memory_bytes = options->memory_bytes;
	compile_sections(&d);
	rl_check(&d);
	if (!d.failed && lang_diags_ok(diags))
		rl_emit(&d);
	if (d.failed)
		error_set(err, -ENOMEM, "not enough memory to read the configuration");
	else if (lang_diags_ok(diags))
		m = d.model;
out:
	if (!m)
		model_destroy(d.model);
	draft_fini(&d);
	return m;
}

/* --- options of the language --------------------------------------------------------- */

struct language {
	struct overlay overlay;
	struct lang_facts facts;
	struct lang_variable variables[2];
	char host[256];
	struct lang_options options;
};

static void language_init(struct language *l, const struct reload_options *options)
{
	memset(l, 0, sizeof(*l));
	if (gethostname(l->host, sizeof(l->host) - 1) < 0)
		memcpy(l->host, "localhost", sizeof("localhost"));
	l->overlay.options = options;
	l->facts = (struct lang_facts){.version = "3.0.0", .features = feature_names};
	l->variables[0] = (struct lang_variable){
		"HAPROXY_LOCALPEER", options->peer_name ? options->peer_name : l->host};
	l->options = (struct lang_options){.kinds = kinds,
		.kind_count = ARRAY_LEN(kinds),
		.variables = l->variables,
		.variable_count = 1,
		.env = overlay_get,
		.env_ctx = &l->overlay,
		.facts = &l->facts,
		.on_statement = on_statement,
		.on_statement_ctx = &l->overlay};
}

static struct model *finish(struct language *l, struct lang_tree *tree,
	const struct reload_options *options, struct lang_diags *diags, struct error *err)
{
	struct model *m = tree ? compile(tree, options, diags, err) : NULL;

	lang_tree_destroy(tree);
	overlay_fini(&l->overlay);
	return m;
}

struct model *reload_load(
	const struct reload_options *options, struct lang_diags *diags, struct error *err)
{
	struct language l;

	language_init(&l, options);
	return finish(&l,
		lang_parse_paths(options->paths, options->path_count, &l.options, diags, err),
		options, diags, err);
}

struct model *reload_load_text(const char *name, struct bytes text,
	const struct reload_options *options, struct lang_diags *diags, struct error *err)
{
	struct language l;

	language_init(&l, options);
	return finish(&l, lang_parse_text(name, text, &l.options, diags, err), options, diags, err);
}

int reload_condition(const char *text, const struct reload_options *options, struct error *err)
{
	struct language l;
	int rc;

	language_init(&l, options);
	rc = lang_cond_eval(text, &l.options, err);
	overlay_fini(&l.overlay);
	return rc;
}
