/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_view: all cores' figures as one, on the control core.
 *
 * Counters and gauges are sums. A maximum over all cores cannot be had from the cores' own maxima:
 * the view samples the sums (proxy_view_poll) and takes the largest it saw, or the largest of a
 * single core, whatever is more. With one worker maxima are exact.
 */
#include <time.h>

#include "proxy_pvt.h"

#define OFFSET_EVERY_NS (60 * NS_PER_SEC) /* how often the offset from UTC is looked up */

/* Maxima that were sampled, per object. */
struct peaks {
	uint64_t v[PROXY_STAT_COUNT];
};

struct proxy_view {
	struct mem_region self;
	struct proxy *const *all;
	uint32_t count;
	const struct model *model;
	uint32_t maxconn;      /* of the machine: as configured, else what the pools hold */
	uint64_t offset_at_ns; /* when the offset from UTC is looked up again */
	struct peaks *peaks[PROXY_OBJECT_COUNT];
	uint64_t conn_rate_max, sess_rate_max;
	struct proxy *cores[];
};

static const struct {
	enum proxy_stat stat, max;
	enum px_rate_kind kind;
} rates[] = {
	{PROXY_STAT_RATE, PROXY_STAT_RATE_MAX, PX_RATE_SESSION},
	{PROXY_STAT_REQ_RATE, PROXY_STAT_REQ_RATE_MAX, PX_RATE_REQUEST},
	{PROXY_STAT_CONN_RATE, PROXY_STAT_CONN_RATE_MAX, PX_RATE_CONNECTION},
};

static const struct {
	enum proxy_stat gauge, max;
} gauges[] = {
	{PROXY_STAT_QCUR, PROXY_STAT_QMAX},
	{PROXY_STAT_SCUR, PROXY_STAT_SMAX},
};

static const enum proxy_stat averages[] = {
	PROXY_STAT_QTIME, PROXY_STAT_CTIME, PROXY_STAT_RTIME, PROXY_STAT_TTIME};

static uint32_t object_count(const struct model *m, enum proxy_object kind)
{
	return kind == PROXY_OBJECT_SERVER     ? m->server_count
	       : kind == PROXY_OBJECT_LISTENER ? m->bind_count
					       : m->proxy_count;
}

struct proxy_view *proxy_view_create(struct proxy *const *all, uint32_t count, struct error *err)
{
	const struct model *m = all[0]->model;
	size_t head = sizeof(struct proxy_view) + count * sizeof(struct proxy *);
	size_t objects = 2 * (size_t)m->proxy_count + m->server_count + m->bind_count;
	struct mem_region region = {0};
	struct proxy_view *view;
	struct peaks *peaks;

	head = (head + 63) & ~(size_t)63;
	if (mem_region_alloc(&region, head + objects * sizeof(*peaks), "statistics", err) < 0)
		return NULL;
	view = region.base;
	view->self = region;
	view->count = count;
	view->model = m;
	view->maxconn = m->global.maxconn;
	for (uint32_t i = 0; i < count; i++) {
		view->cores[i] = all[i];
		if (m->global.maxconn == 0)
			view->maxconn += all[i]->sessions_max;
	}
	view->all = view->cores;
	peaks = (struct peaks *)(void *)((char *)view + head);
	for (uint32_t i = 0; i < PROXY_OBJECT_COUNT; i++) {
		view->peaks[i] = peaks;
		peaks += object_count(m, i);
	}
	return view;
}

void proxy_view_destroy(struct proxy_view *view)
{
	struct mem_region self;

	if (!view)
		return;
	self = view->self;
	mem_region_free(&self);
}

static const struct px_counters *counters_of(
	const struct proxy_view *view, uint32_t core, enum proxy_object kind, uint32_t index)
{
	return &view->all[core]->counters[kind][index];
}

static void add_core(
	struct proxy_figures *out, const struct px_counters *c, uint64_t now_ns, uint64_t *samples)
{
	for (uint32_t i = 0; i < PROXY_STAT_COUNT; i++) {
		uint64_t value = stat_read(&c->v[i]);

		if (proxy_stat_rows[i].kind == PROXY_STAT_KIND_MAX)
			out->v[i] = MAX(out->v[i], value);
		else
			out->v[i] += value;
	}
	for (uint32_t i = 0; i < ARRAY_LEN(rates); i++)
		out->v[rates[i].stat] += px_rate_read(&c->rates[rates[i].kind], now_ns);
	*samples += stat_read(&c->samples);
	out->v[PROXY_STAT_LASTSESS] = MAX(out->v[PROXY_STAT_LASTSESS], stat_read(&c->last_ns));
}

static void raise_to(uint64_t *max, uint64_t *shown, uint64_t value)
{
	*max = MAX(*max, value);
	*max = MAX(*max, *shown);
	*shown = *max;
}

void proxy_view_figures(struct proxy_view *view, enum proxy_object kind, uint32_t index,
	uint64_t now_ns, struct proxy_figures *out)
{
	struct peaks *peaks = &view->peaks[kind][index];
	uint64_t samples = 0, last;

	*out = (struct proxy_figures){0};
	for (uint32_t i = 0; i < view->count; i++)
		add_core(out, counters_of(view, i, kind, index), now_ns, &samples);
	for (uint32_t i = 0; i < ARRAY_LEN(averages); i++)
		out->v[averages[i]] /= MAX(samples, UINT64_C(1));
	for (uint32_t i = 0; i < ARRAY_LEN(gauges); i++)
		raise_to(&peaks->v[gauges[i].max], &out->v[gauges[i].max], out->v[gauges[i].gauge]);
	for (uint32_t i = 0; i < ARRAY_LEN(rates); i++)
		raise_to(&peaks->v[rates[i].max], &out->v[rates[i].max], out->v[rates[i].stat]);
	last = out->v[PROXY_STAT_LASTSESS];
	out->v[PROXY_STAT_LASTSESS] = last == 0       ? PROXY_LAST_NEVER
				      : now_ns > last ? (now_ns - last) / NS_PER_SEC
						      : 0;
}

void proxy_view_totals(struct proxy_view *view, uint64_t now_ns, struct proxy_totals *out)
{
	*out = (struct proxy_totals){.maxconn = view->maxconn};
	for (uint32_t i = 0; i < view->count; i++) {
		const struct proxy *px = view->all[i];
		const struct px_counters *c = &px->total;

		out->conns += stat_read(&c->v[PROXY_STAT_SCUR]);
		out->conns_tot += stat_read(&c->v[PROXY_STAT_CONN_TOT]);
		out->requests_tot += stat_read(&c->v[PROXY_STAT_REQ_TOT]);
		out->conn_rate += px_rate_read(&c->rates[PX_RATE_CONNECTION], now_ns);
		out->sess_rate += px_rate_read(&c->rates[PX_RATE_SESSION], now_ns);
		out->bytes_out_tot += stat_read(&c->v[PROXY_STAT_BOUT]);
		out->bytes_out_rate += px_rate_read(&c->rates[PX_RATE_BYTES], now_ns);
		/* All workers listen on the same endpoints. */
		out->listeners = MAX(out->listeners, (uint32_t)stat_read(&px->listeners));
		out->stopping |= stat_read(&px->stopping) != 0;
	}
	view->conn_rate_max = MAX(view->conn_rate_max, out->conn_rate);
	view->sess_rate_max = MAX(view->sess_rate_max, out->sess_rate);
	out->conn_rate_max = view->conn_rate_max;
	out->sess_rate_max = view->sess_rate_max;
}

static void tell_offset(struct proxy_view *view, uint64_t now_ns)
{
	time_t wall = (time_t)(view->all[0]->worker->wall_ns / NS_PER_SEC);
	struct tm local;

	view->offset_at_ns = now_ns + OFFSET_EVERY_NS;
	if (!localtime_r(&wall, &local))
		return;
	for (uint32_t i = 0; i < view->count; i++) {
		uint64_t *offset = &view->all[i]->utc_offset_s;

		stat_add(offset, (uint64_t)local.tm_gmtoff - *offset);
	}
}

void proxy_view_poll(struct proxy_view *view, uint64_t now_ns)
{
	struct proxy_figures figures;
	struct proxy_totals totals;

	if (now_ns >= view->offset_at_ns)
		tell_offset(view, now_ns);
	for (uint32_t kind = 0; kind < PROXY_OBJECT_COUNT; kind++)
		for (uint32_t i = 0; i < object_count(view->model, kind); i++)
			proxy_view_figures(view, kind, i, now_ns, &figures);
	proxy_view_totals(view, now_ns, &totals);
}

/* --- states
 * --------------------------------------------------------------------------------------- */

static uint64_t seconds_since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? (now_ns - then_ns) / NS_PER_SEC : 0;
}

/* Every core has the same states; the first one is asked. */
void proxy_view_server(const struct proxy_view *view, uint32_t server, uint64_t now_ns,
	struct proxy_server_info *out)
{
	const struct px_server *s = &view->all[0]->servers[server];
	bool maint = stat_read(&s->maint) != 0;

	*out = (struct proxy_server_info){
		.status = maint ? PROXY_SERVER_MAINT : PROXY_SERVER_NO_CHECK,
		.status_text = maint ? "MAINT" : "no check",
		.weight_user = (uint32_t)stat_read(&s->weight),
		.changed_s = seconds_since(stat_read(&s->changed_ns), now_ns),
		.down_s = stat_read(&s->down_ns) / NS_PER_SEC,
		.down_count = (uint32_t)stat_read(&s->down_count),
	};
	out->weight = maint ? 0 : out->weight_user;
	if (maint)
		out->down_s += out->changed_s;
}

void proxy_view_backend(const struct proxy_view *view, uint32_t proxy, uint64_t now_ns,
	struct proxy_backend_info *out)
{
	const struct px_backend *be = &view->all[0]->backends[proxy];

	*out = (struct proxy_backend_info){
		.changed_s = seconds_since(stat_read(&be->changed_ns), now_ns),
		.down_s = stat_read(&be->down_ns) / NS_PER_SEC,
		.down_count = (uint32_t)stat_read(&be->down_count),
	};
	if (!be->lb)
		return;
	out->up = lb_usable_count(be->lb) > 0;
	out->weight = lb_usable_weight(be->lb);
	out->active = lb_active_count(be->lb);
	out->backup = lb_backup_count(be->lb);
	for (uint32_t i = 0; i < be->model->be.server_count; i++)
		out->weight_user += (uint32_t)stat_read(&be->servers[i].weight);
	if (!out->up)
		out->down_s += out->changed_s;
}

uint32_t proxy_view_limit(const struct proxy_view *view, enum proxy_object kind, uint32_t index)
{
	const struct model *m = view->model;
	uint32_t limit = 0;

	switch (kind) {
	case PROXY_OBJECT_FRONTEND:
		limit = m->proxies[index].fe.maxconn;
		break;
	case PROXY_OBJECT_LISTENER:
		limit = m->binds[index].maxconn;
		if (limit == 0)
			limit = m->proxies[m->binds[index].proxy].fe.maxconn;
		break;
	case PROXY_OBJECT_BACKEND:
		return m->proxies[index].be.fullconn;
	case PROXY_OBJECT_SERVER:
		return m->servers[index].maxconn;
	case PROXY_OBJECT_COUNT:
		break;
	}
	return limit ? limit : view->maxconn;
}

enum proxy_frontend_status proxy_view_frontend(const struct proxy_view *view, uint32_t proxy)
{
	uint64_t sessions = 0;

	if (stat_read(&view->all[0]->stopping) || view->model->proxies[proxy].disabled)
		return PROXY_FRONTEND_STOP;
	for (uint32_t i = 0; i < view->count; i++)
		sessions += stat_read(
			&counters_of(view, i, PROXY_OBJECT_FRONTEND, proxy)->v[PROXY_STAT_SCUR]);
	return sessions >= proxy_view_limit(view, PROXY_OBJECT_FRONTEND, proxy)
		       ? PROXY_FRONTEND_FULL
		       : PROXY_FRONTEND_OPEN;
}
