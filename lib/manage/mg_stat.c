/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "show stat": one row of figures per frontend, server, backend and bind, in the columns of HAProxy
 * (mg_field.def).
 *
 * In: the compiled configuration (names, numbers, order) and struct proxy_view (figures and states
 * of all cores added up). Out: CSV, typed rows or JSON; each step prints one object, so that
 * thousands of servers neither block the control core nor pile up in memory.
 *
 * What always holds: every row has every column; a column is empty for an object exactly where
 * HAProxy leaves it empty, and 0 where HAProxy counts something that we do not do. Objects come in
 * the order of the configuration: a frontend, its binds, the servers, the backend.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lang_value.h"
#include "manage_pvt.h"

#define TYPE_FRONTEND 1
#define TYPE_BACKEND  2
#define TYPE_SERVER   4
#define TYPE_BIND     8 /* only if asked for: HAProxy has these rows with "option socket-stats" */
#define TYPES_DEFAULT (TYPE_FRONTEND | TYPE_BACKEND | TYPE_SERVER)

enum field {
#define FIELD(sym, name, objects, type, tags, tags_b, source, text) FIELD_##sym,
#include "mg_field.def"
#undef FIELD
	FIELD_COUNT,
};

#define OWN  (-1)
#define ZERO (-2)
#define NONE (-3)

static const struct {
	const char *name, *objects, *tags, *tags_b, *text;
	int type, source;
} fields[] = {
#define FIELD(sym, name, objects, type, tags, tags_b, source, text) \
	{name, objects, tags, tags_b, text, MG_##type, source},
#include "mg_field.def"
#undef FIELD
};

static_assert(ARRAY_LEN(fields) == FIELD_COUNT, "a row for each");

/* One row of the answer. */
struct object {
	char letter; /* F B S L */
	uint32_t proxy, index;
	enum proxy_object kind;
	struct mg_value v[FIELD_COUNT];
	char addr[ENDPOINT_TEXT_SIZE];
	char name[32];   /* of a bind without one */
	char status[32]; /* of a backend, if it is made here */
};

/* What the operator asked for; call->state. */
struct query {
	enum mg_format format;
	bool desc, up, no_maint;
	bool one_proxy;
	uint32_t iid;
	uint32_t types;
	int64_t sid;
	bool printed; /* JSON: something stands before */
};

static void set_str(struct object *o, enum field f, const char *text)
{
	o->v[f] = (struct mg_value){.type = MG_STR, .str = text};
}

static void set_num(struct object *o, enum field f, uint64_t n)
{
	o->v[f].type = (enum mg_type)fields[f].type;
	o->v[f].u64 = n;
}

/* Columns that come straight from a counter, or are 0. */
static void set_figures(
	const struct object *o, const struct proxy_figures *figures, bool http, struct mg_value *v)
{
	for (uint32_t f = 0; f < FIELD_COUNT; f++) {
		const char *objects = fields[f].objects;

		v[f] = (struct mg_value){.type = MG_NONE};
		if (fields[f].source == OWN || fields[f].source == NONE)
			continue;
		if (!strchr(objects, o->letter) && !(http && strchr(objects, o->letter | 0x20)))
			continue;
		v[f].type = (enum mg_type)fields[f].type;
		v[f].u64 = fields[f].source == ZERO ? 0 : figures->v[fields[f].source];
	}
}

static void set_common(struct object *o, const struct model_proxy *p, uint32_t type, uint32_t sid,
	const char *name)
{
	set_str(o, FIELD_PXNAME, p->name);
	set_str(o, FIELD_SVNAME, name);
	set_num(o, FIELD_PID, 1);
	set_num(o, FIELD_IID, p->id);
	set_num(o, FIELD_SID, sid);
	set_num(o, FIELD_TYPE, type);
	set_str(o, FIELD_MODE, p->mode == MODEL_MODE_HTTP ? "http" : "tcp");
}

/* HTTP/1 is all the HTTP there is, so these follow from the others. */
static void set_h1(struct object *o, const struct proxy_figures *figures, bool http, bool client)
{
	const uint64_t *n = figures->v;
	uint64_t zero = http ? UINT64_MAX : 0;

	set_num(o, FIELD_H1_OPEN_CONNECTIONS, n[PROXY_STAT_SCUR] & zero);
	set_num(o, FIELD_H1_OPEN_STREAMS, n[PROXY_STAT_SCUR] & zero);
	set_num(o, FIELD_H1_TOTAL_CONNECTIONS,
		n[client ? PROXY_STAT_CONN_TOT : PROXY_STAT_CONNECT] & zero);
	set_num(o, FIELD_H1_TOTAL_STREAMS, n[PROXY_STAT_REQ_TOT] & zero);
	set_num(o, FIELD_H1_BYTES_IN, n[client ? PROXY_STAT_BIN : PROXY_STAT_BOUT] & zero);
	set_num(o, FIELD_H1_BYTES_OUT, n[client ? PROXY_STAT_BOUT : PROXY_STAT_BIN] & zero);
}

static void set_lastsess(struct object *o, const struct proxy_figures *figures)
{
	uint64_t last = figures->v[PROXY_STAT_LASTSESS];

	o->v[FIELD_LASTSESS] = (struct mg_value){.type = MG_S32,
		.s32 = last == PROXY_LAST_NEVER ? -1 : (int32_t)MIN(last, (uint64_t)INT32_MAX)};
}

static void set_frontend(
	const struct manage *m, struct object *o, const struct proxy_figures *figures)
{
	const struct model_proxy *p = &m->model->proxies[o->proxy];
	static const char *const status[] = {[PROXY_FRONTEND_OPEN] = "OPEN",
		[PROXY_FRONTEND_FULL] = "FULL",
		[PROXY_FRONTEND_STOP] = "STOP"};

	set_common(o, p, 0, 0, "FRONTEND");
	set_num(o, FIELD_SLIM, proxy_view_limit(m->view, o->kind, o->index));
	set_str(o, FIELD_STATUS, status[proxy_view_frontend(m->view, o->proxy)]);
	set_h1(o, figures, p->mode == MODEL_MODE_HTTP, true);
}

static void set_bind(const struct manage *m, struct object *o)
{
	const struct model_bind *b = &m->model->binds[o->index];

	snprintf(o->name, sizeof(o->name), "sock-%u", b->id);
	set_common(o, &m->model->proxies[o->proxy], 3, b->id, b->name ? b->name : o->name);
	set_num(o, FIELD_SLIM, proxy_view_limit(m->view, o->kind, o->index));
	set_str(o, FIELD_STATUS,
		proxy_view_frontend(m->view, o->proxy) == PROXY_FRONTEND_STOP ? "STOP" : "OPEN");
	set_str(o, FIELD_ADDR, endpoint_format(&b->local, o->addr));
}

static void set_server(
	const struct manage *m, struct object *o, const struct proxy_figures *figures)
{
	const struct model_server *s = &m->model->servers[o->index];
	struct proxy_server_info info;
	uint32_t limit = proxy_view_limit(m->view, o->kind, o->index);

	proxy_view_server(m->view, o->index, m->config.control->now_ns, &info);
	set_common(o, &m->model->proxies[o->proxy], 2, s->id, s->name);
	set_str(o, FIELD_STATUS, info.status_text);
	if (limit > 0)
		set_num(o, FIELD_SLIM, limit);
	if (s->maxqueue > 0)
		set_num(o, FIELD_QLIMIT, s->maxqueue);
	/* HAProxy shows the weight that the server would have were it up */
	set_num(o, FIELD_WEIGHT, info.weight_user);
	set_num(o, FIELD_UWEIGHT, info.weight_user);
	set_num(o, FIELD_ACT, !s->backup);
	set_num(o, FIELD_BCK, s->backup);
	set_num(o, FIELD_LASTCHG, info.changed_s);
	set_str(o, FIELD_ADDR, endpoint_format(&s->remote, o->addr));
	set_lastsess(o, figures);
}

/* With "up", HAProxy tells how many servers are up. */
static const char *backend_status(
	const struct manage *m, struct object *o, const struct proxy_backend_info *info, bool count)
{
	if (!info->up)
		return "DOWN";
	if (!count)
		return "UP";
	snprintf(o->status, sizeof(o->status), "UP (%u/%u)", info->active + info->backup,
		m->model->proxies[o->proxy].be.server_count);
	return o->status;
}

static void set_backend(const struct manage *m, struct object *o,
	const struct proxy_figures *figures, const struct query *q)
{
	const struct model_proxy *p = &m->model->proxies[o->proxy];
	static const char *const algos[] = {[MODEL_LB_ROUNDROBIN] = "roundrobin",
		[MODEL_LB_LEASTCONN] = "leastconn",
		[MODEL_LB_SOURCE] = "source"};
	struct proxy_backend_info info;

	proxy_view_backend(m->view, o->proxy, m->config.control->now_ns, &info);
	set_common(o, p, 1, 0, "BACKEND");
	set_str(o, FIELD_STATUS, backend_status(m, o, &info, q->up));
	set_num(o, FIELD_SLIM, proxy_view_limit(m->view, o->kind, o->index));
	set_num(o, FIELD_WEIGHT, info.weight);
	set_num(o, FIELD_UWEIGHT, info.weight_user);
	set_num(o, FIELD_ACT, info.active);
	set_num(o, FIELD_BCK, info.backup);
	set_num(o, FIELD_CHKDOWN, info.down_count);
	set_num(o, FIELD_LASTCHG, info.changed_s);
	set_num(o, FIELD_DOWNTIME, info.down_s);
	set_str(o, FIELD_ALGO, algos[p->be.lb]);
	set_num(o, FIELD_AGG_SERVER_STATUS, 0);
	set_lastsess(o, figures);
	set_h1(o, figures, p->mode == MODEL_MODE_HTTP, false);
}

/* False: the object is hidden. */
static bool fill(struct mg_call *call, const struct query *q, struct object *o)
{
	const struct manage *m = call->m;
	struct proxy_figures figures;

	proxy_view_figures(m->view, o->kind, o->index, m->config.control->now_ns, &figures);
	set_figures(o, &figures, m->model->proxies[o->proxy].mode == MODEL_MODE_HTTP, o->v);
	if (o->letter == 'F')
		set_frontend(m, o, &figures);
	else if (o->letter == 'B')
		set_backend(m, o, &figures, q);
	else if (o->letter == 'S')
		set_server(m, o, &figures);
	else
		set_bind(m, o);
	if (call->session && call->session->level < MODEL_LEVEL_OPERATOR)
		o->v[FIELD_ADDR].type = o->v[FIELD_ALGO].type = MG_NONE;
	if (o->letter != 'S' || !(q->up || q->no_maint))
		return true;
	return strncmp(o->v[FIELD_STATUS].str, "MAINT", 5) != 0 &&
	       !(q->up && strncmp(o->v[FIELD_STATUS].str, "DOWN", 4) == 0);
}

static void print_header(struct mg_out *out)
{
	for (uint32_t f = 0; f < FIELD_COUNT; f++)
		mg_printf(out, "%s%s,", f == 0 ? "# " : "", fields[f].name);
	mg_puts(out, "\n");
}

static void print(struct mg_out *out, struct query *q, const struct object *o)
{
	const char *between = "[";

	if (q->format == MG_FORMAT_JSON)
		mg_puts(out, q->printed ? "," : "[");
	q->printed = true;
	for (uint32_t f = 0, position = 0; f < FIELD_COUNT; f++) {
		struct mg_cell cell = {.object = o->letter,
			.iid = (uint32_t)o->v[FIELD_IID].u64,
			.sid = (uint32_t)o->v[FIELD_SID].u64,
			.position = position,
			.name = fields[f].name,
			.tags = o->letter == 'B' ? fields[f].tags_b : fields[f].tags,
			.text = fields[f].text,
			.value = o->v[f]};

		position += f != FIELD_SEPARATOR;
		if (q->format == MG_FORMAT_TEXT) {
			if (f == FIELD_SEPARATOR)
				mg_puts(out, "-");
			mg_value_csv(out, &cell.value);
			mg_puts(out, ",");
		} else if (cell.value.type == MG_NONE) {
			continue;
		} else if (q->format == MG_FORMAT_TYPED) {
			mg_cell_typed(out, &cell, q->desc);
		} else {
			mg_puts(out, between);
			mg_cell_json(out, &cell);
			between = ",";
		}
	}
	if (q->format == MG_FORMAT_JSON)
		mg_puts(out, "]");
	else if (q->format == MG_FORMAT_TEXT)
		mg_puts(out, "\n");
}

/* Object `n` of a proxy: the frontend, its binds, the servers, the backend. False: there is no n.
 */
static bool object_of(const struct model *model, uint32_t proxy, uint32_t n, struct object *o)
{
	const struct model_proxy *p = &model->proxies[proxy];
	uint32_t binds = p->is_frontend ? p->fe.bind_count : 0;
	uint32_t servers = p->is_backend ? p->be.server_count : 0;

	o->proxy = proxy;
	o->index = proxy;
	if (n == 0) {
		o->letter = p->is_frontend ? 'F' : '\0';
		o->kind = PROXY_OBJECT_FRONTEND;
	} else if (n <= binds) {
		o->letter = 'L';
		o->kind = PROXY_OBJECT_LISTENER;
		o->index = p->fe.bind_first + n - 1;
	} else if (n <= binds + servers) {
		o->letter = 'S';
		o->kind = PROXY_OBJECT_SERVER;
		o->index = p->be.server_first + n - binds - 1;
	} else {
		o->letter = p->is_backend ? 'B' : '\0';
		o->kind = PROXY_OBJECT_BACKEND;
	}
	return n <= binds + servers + 1;
}

static bool is_wanted(const struct model *model, const struct query *q, const struct object *o)
{
	uint32_t type = o->letter == 'F'   ? TYPE_FRONTEND
			: o->letter == 'B' ? TYPE_BACKEND
			: o->letter == 'S' ? TYPE_SERVER
			: o->letter == 'L' ? TYPE_BIND
					   : 0;
	uint32_t sid = o->letter == 'S'   ? model->servers[o->index].id
		       : o->letter == 'L' ? model->binds[o->index].id
					  : 0;

	return (type & q->types) && (q->sid < 0 || (uint64_t)q->sid == sid);
}

static bool find_proxy(const struct model *model, const char *text, struct query *q)
{
	int64_t iid;

	q->one_proxy = true;
	if (lang_int_parse(text, -1, UINT32_MAX, &iid, NULL) == 0) {
		q->one_proxy = iid >= 0;
		q->iid = (uint32_t)iid;
		return true;
	}
	for (uint32_t i = 0; i < model->proxy_count; i++) {
		if (strcmp(model->proxies[i].name, text) != 0)
			continue;
		q->iid = model->proxies[i].id;
		return true;
	}
	return false;
}

/* False: the answer is given. */
static bool parse(struct mg_call *call, struct query *q)
{
	int64_t types, sid;
	uint32_t w = 2;

	*q = (struct query){.types = TYPES_DEFAULT, .sid = -1};
	if (call->word_count > 4 &&
		lang_int_parse(call->words[3], -1, INT32_MAX, &types, NULL) == 0 &&
		lang_int_parse(call->words[4], -1, INT32_MAX, &sid, NULL) == 0) {
		if (!find_proxy(call->m->model, call->words[2], q)) {
			mg_puts(call->out, "No such proxy.\n");
			return false;
		}
		q->types = types < 0 ? TYPES_DEFAULT : (uint32_t)types;
		q->sid = sid;
		w = 5;
	}
	for (; w < call->word_count; w++) {
		if (mg_is(call, w, "typed"))
			q->format = MG_FORMAT_TYPED;
		else if (mg_is(call, w, "json"))
			q->format = MG_FORMAT_JSON;
		q->desc |= mg_is(call, w, "desc");
		q->up |= mg_is(call, w, "up");
		q->no_maint |= mg_is(call, w, "no-maint");
	}
	return true;
}

static bool start(struct mg_call *call)
{
	struct query *q = calloc(1, sizeof(*q));

	call->state = q;
	if (!q) {
		call->out->failed = true;
		return false;
	}
	if (!parse(call, q))
		return false;
	if (q->format == MG_FORMAT_TEXT)
		print_header(call->out);
	return true;
}

/* at[0]: the proxy; at[1]: the object of it. */
static enum mg_verdict cmd_stat(struct mg_call *call)
{
	const struct model *model = call->m->model;
	struct query *q = call->state;
	struct object o;

	if (!q) {
		if (!start(call))
			return MG_DONE;
		q = call->state;
	}
	if (!call->m->view || call->at[0] >= model->proxy_count) {
		if (q->format == MG_FORMAT_JSON)
			mg_puts(call->out, q->printed ? "]\n" : "[]\n");
		return MG_DONE;
	}
	if ((q->one_proxy && model->proxies[call->at[0]].id != q->iid) ||
		model->proxies[call->at[0]].disabled ||
		!object_of(model, (uint32_t)call->at[0], (uint32_t)call->at[1]++, &o)) {
		call->at[0]++;
		call->at[1] = 0;
	} else if (o.letter && is_wanted(model, q, &o) && fill(call, q, &o)) {
		print(call->out, q, &o);
	}
	return MG_AGAIN;
}

const struct mg_command mg_commands_stat[] = {
	{{"show", "stat"}, MODEL_LEVEL_USER,
		"show stat [<proxy> <type> <sid>] [desc|json|no-maint|typed|up]*",
		"report figures of each frontend, backend and server", cmd_stat},
	{{NULL}},
};
