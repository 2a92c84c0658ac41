/* SPDX-License-Identifier: BSD-3-Clause */
/* From the model to the arrays of a core. */
#include <errno.h>

#include "proxy_pvt.h"

struct sizes {
	uint32_t proxies, binds, servers;
};

/* One piece after another out of a region. */
static void *cut(char **at, size_t count, size_t size)
{
	void *p = *at;

	*at += (count * size + 63) & ~(size_t)63;
	return p;
}

static const struct lb_ops *lb_of(const struct model_backend *be)
{
	switch (be->lb) {
	case MODEL_LB_LEASTCONN:
		return &lb_leastconn;
	case MODEL_LB_SOURCE:
		return be->hash_type == MODEL_HASH_CONSISTENT ? &lb_source_consistent
							      : &lb_source_map;
	default:
		return &lb_roundrobin;
	}
}

static void init_servers(struct proxy *px, struct px_backend *be)
{
	const struct model_backend *m = &be->model->be;

	be->servers = &px->servers[m->server_first];
	for (uint32_t i = 0; i < m->server_count; i++) {
		struct px_server *s = &be->servers[i];

		s->index = m->server_first + i;
		s->model = &px->model->servers[s->index];
		s->counters = &px->counters[PROXY_OBJECT_SERVER][s->index];
		s->backend = be;
		s->member = i;
		s->weight = s->model->weight;
		s->maint = s->model->disabled;
		s->changed_ns = px_now(px);
		list_init(&s->idle);
	}
}

static int init_balancer(struct px_backend *be, struct error *err)
{
	const struct model_backend *m = &be->model->be;
	struct lb_config config = {
		.ops = lb_of(m), .server_count = m->server_count, .allbackups = m->allbackups};
	struct mem_region scratch = {0};
	struct lb_server *servers;
	int ret;

	if (m->server_count > LB_SERVERS_MAX)
		return error_set(err, -E2BIG, "backend '%s' has %u servers, the most is %u",
			be->model->name, m->server_count, LB_SERVERS_MAX);
	ret = mem_region_alloc(&scratch, ((size_t)m->server_count + 1) * sizeof(*servers),
		"a list of servers", err);
	if (ret < 0)
		return ret;
	servers = scratch.base;
	for (uint32_t i = 0; i < m->server_count; i++) {
		const struct model_server *s = be->servers[i].model;

		servers[i] = (struct lb_server){
			.id = s->id, .weight = s->weight, .backup = s->backup, .up = !s->disabled};
	}
	config.servers = servers;
	be->lb = lb_create(&config, err);
	mem_region_free(&scratch);
	return be->lb ? 0 : -ENOMEM;
}

/* Ids for what the connections of each bind and server are told. */
static int add_options(struct proxy *px, struct error *err)
{
	for (uint32_t i = 0; px->tcp && i < px->model->bind_count; i++) {
		int id = tcp_options_add(px->tcp, &px->model->binds[i].tcp, err);

		if (id < 0)
			return id;
		px->binds[i].tcp_options = (uint8_t)id;
	}
	for (uint32_t i = 0; px->tcp && i < px->model->server_count; i++) {
		int id = tcp_options_add(px->tcp, &px->model->servers[i].tcp, err);

		if (id < 0)
			return id;
		px->servers[i].tcp_options = (uint8_t)id;
	}
	return 0;
}

static int init_backends(struct proxy *px, struct error *err)
{
	for (uint32_t i = 0; i < px->model->proxy_count; i++) {
		struct px_backend *be = &px->backends[i];
		int ret;

		px->frontends[i] = (struct px_frontend){
			&px->model->proxies[i], &px->counters[PROXY_OBJECT_FRONTEND][i], i};
		be->model = &px->model->proxies[i];
		be->counters = &px->counters[PROXY_OBJECT_BACKEND][i];
		be->index = i;
		be->changed_ns = px_now(px);
		list_init(&be->waiting);
		if (!be->model->is_backend)
			continue;
		init_servers(px, be);
		ret = init_balancer(be, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void fill_groups(const struct proxy *px, struct lease_group_config *groups, uint32_t *limits)
{
	const struct model *m = px->model;
	uint32_t *first = limits;

	groups[px_group_global()] = (struct lease_group_config){1, limits};
	*limits++ = m->global.maxconn;
	for (uint32_t i = 0; i < m->proxy_count; i++) {
		uint32_t maxconn = m->proxies[i].is_frontend ? m->proxies[i].fe.maxconn : 0;

		/* The machine's own limit is the lower one: it will do. */
		if (m->global.maxconn > 0 && maxconn >= m->global.maxconn)
			maxconn = 0;
		groups[px_group_frontend(i)] = (struct lease_group_config){1, limits};
		*limits++ = maxconn;
	}
	for (uint32_t i = 0; i < m->proxy_count; i++) {
		const struct model_backend *be = &m->proxies[i].be;
		uint32_t count = m->proxies[i].is_backend ? be->server_count : 0;

		groups[px_group_backend(px, i)] = (struct lease_group_config){count, limits};
		for (uint32_t k = 0; k < count; k++)
			*limits++ = m->servers[be->server_first + k].maxconn;
	}
	for (uint32_t i = 0; i < m->bind_count; i++) {
		groups[px_group_bind(px, i)] = (struct lease_group_config){1, limits};
		*limits++ = m->binds[i].maxconn;
	}
	ASSERT((size_t)(limits - first) <=
		1 + (size_t)m->proxy_count + m->server_count + m->bind_count);
}

static int init_leases(struct proxy *px, struct error *err)
{
	const struct model *m = px->model;
	uint32_t groups = 1 + 2 * m->proxy_count + m->bind_count;
	size_t limits = 1 + (size_t)m->proxy_count + m->server_count + m->bind_count;
	struct lease_hub_config config = {
		.worker = px->worker, .worker_count = px->worker_count, .group_count = groups};
	struct mem_region scratch = {0};
	struct lease_group_config *list;
	int ret = mem_region_alloc(&scratch, groups * sizeof(*list) + limits * sizeof(uint32_t),
		"a list of limits", err);

	if (ret < 0)
		return ret;
	list = scratch.base;
	fill_groups(px, list, (uint32_t *)(list + groups));
	config.groups = list;
	px->leases = lease_hub_create(&config, err);
	mem_region_free(&scratch);
	return px->leases ? 0 : -ENOMEM;
}

int px_arrays_init(struct proxy *px, const struct model *model, struct error *err)
{
	size_t proxies = model->proxy_count, binds = model->bind_count;
	size_t servers = model->server_count;
	size_t counters[PROXY_OBJECT_COUNT] = {[PROXY_OBJECT_FRONTEND] = proxies,
		[PROXY_OBJECT_BACKEND] = proxies,
		[PROXY_OBJECT_SERVER] = servers,
		[PROXY_OBJECT_LISTENER] = binds};
	size_t bytes = 64 * 16 + binds * sizeof(struct px_bind) +
		       servers * sizeof(struct px_server) +
		       proxies * (sizeof(struct px_frontend) + sizeof(struct px_backend) +
					 px->worker_count * sizeof(struct lb *)) +
		       px->worker_count * sizeof(*px->hubs) +
		       (2 * proxies + binds + servers) * sizeof(struct px_counters);
	char *at;
	int ret = mem_region_alloc(&px->arrays, bytes, "counters and states of the proxies", err);

	if (ret < 0)
		return ret;
	px->model = model;
	at = px->arrays.base;
	px->binds = cut(&at, binds, sizeof(*px->binds));
	px->servers = cut(&at, servers, sizeof(*px->servers));
	px->frontends = cut(&at, proxies, sizeof(*px->frontends));
	px->backends = cut(&at, proxies, sizeof(*px->backends));
	px->hubs = cut(&at, px->worker_count, sizeof(*px->hubs));
	px->lbs = cut(&at, proxies * px->worker_count, sizeof(*px->lbs));
	for (uint32_t i = 0; i < PROXY_OBJECT_COUNT; i++)
		px->counters[i] = cut(&at, counters[i], sizeof(struct px_counters));
	for (uint32_t i = 0; i < binds; i++)
		px->binds[i] = (struct px_bind){.px = px,
			.fe = &px->frontends[model->binds[i].proxy],
			.model = &model->binds[i],
			.counters = &px->counters[PROXY_OBJECT_LISTENER][i],
			.index = i};
	ret = init_backends(px, err);
	if (ret == 0)
		ret = add_options(px, err);
	return ret < 0 ? ret : init_leases(px, err);
}

void px_arrays_fini(struct proxy *px)
{
	for (uint32_t i = 0; px->model && i < px->model->proxy_count; i++)
		lb_destroy(px->backends[i].lb);
	lease_hub_destroy(px->leases);
	px->leases = NULL;
	px->model = NULL;
	mem_region_free(&px->arrays);
}

/* Balancers and limits of all cores learn of each other. */
static void connect_cores(struct proxy *px)
{
	for (uint32_t c = 0; c < px->worker_count; c++)
		px->hubs[c] = px->all[c]->leases;
	lease_hub_connect(px->leases, px->hubs);
	for (uint32_t i = 0; i < px->model->proxy_count; i++) {
		struct lb **all = &px->lbs[(size_t)i * px->worker_count];

		if (!px->backends[i].lb)
			continue;
		for (uint32_t c = 0; c < px->worker_count; c++)
			all[c] = px->all[c]->backends[i].lb;
		lb_connect(px->backends[i].lb, all, px->worker_count);
	}
}

int proxy_apply(
	struct proxy *const *all, uint32_t count, const struct model *model, struct error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < count && ret == 0; i++) {
		ASSERT(!all[i]->model);
		ret = px_arrays_init(all[i], model, err);
	}
	for (uint32_t i = 0; i < count && ret == 0; i++) {
		connect_cores(all[i]);
		ret = px_listen_start(all[i], err);
		timer_set(&all[i]->worker->timers, &all[i]->purge, px_now(all[i]) + PX_PURGE_NS);
	}
	for (uint32_t i = 0; i < count && ret < 0; i++) {
		if (!all[i]->model)
			continue;
		px_listen_stop(all[i]);
		timer_cancel(&all[i]->worker->timers, &all[i]->purge);
		px_arrays_fini(all[i]);
	}
	return ret;
}
