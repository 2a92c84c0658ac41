/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "manage_pvt.h"

#define POLL_BUDGET 16 /* sessions that go on in one turn */
#define LOAD_NS     NS_PER_SEC

/* The date of the version, as "show info" has it. */
#define RELEASE_DATE "2026/11/23"

static uint32_t poll_manage(struct worker *w, void *ctx, uint32_t budget)
{
	struct manage *m = ctx;
	struct list todo, *link;
	uint32_t work = 0;

	(void)w;
	list_init(&todo);
	list_splice_tail(&todo, &m->ready);
	for (; work < budget && (link = list_pop_head(&todo)); work++)
		mg_session_run(list_entry(link, struct mg_session, ready));
	list_splice_tail(&todo, &m->ready);
	list_splice_tail(&m->ready, &todo);
	return work + mg_capture_poll(m);
}

static void on_load(struct timer *timer, uint64_t now_ns)
{
	struct manage *m = CONTAINER_OF(timer, struct manage, load_timer);

	for (uint32_t c = 0; c < m->config.core_count; c++) {
		struct mg_load *l = &m->load[c];
		uint64_t busy = stat_read(&m->workers[c]->busy_cycles);
		uint64_t idle = stat_read(&m->workers[c]->idle_cycles);
		uint64_t all = busy - l->busy + idle - l->idle;

		l->idle_pct = all > 0 ? (uint32_t)((idle - l->idle) * 100 / all) : 100;
		l->busy = busy;
		l->idle = idle;
	}
	timer_set(&m->config.control->timers, timer, now_ns + LOAD_NS);
}

uint32_t mg_idle_pct(const struct manage *m)
{
	uint32_t workers = MAX(m->config.core_count - 1, 1u), sum = 0;

	for (uint32_t c = 0; c < workers; c++)
		sum += m->load[c].idle_pct;
	return sum / workers;
}

static void socket_close(struct mg_socket *socket)
{
	if (socket->listener)
		sock_listener_close(socket->listener);
	list_del(&socket->link);
	free((char *)(uintptr_t)socket->config.path);
	free((char *)(uintptr_t)socket->config.place.file);
	free(socket);
}

static int socket_open(struct manage *m, const struct model_stats_socket *config, struct error *err)
{
	static const enum sock_kind kinds[] = {[MODEL_SOCKET_UNIX] = SOCK_UNIX,
		[MODEL_SOCKET_TCP] = SOCK_TCP,
		[MODEL_SOCKET_FD] = SOCK_FD};
	struct mg_socket *socket = calloc(1, sizeof(*socket));
	struct sock_listen_config listen = {.kind = kinds[config->kind],
		.path = config->path,
		.mode = config->mode,
		.uid = config->uid,
		.gid = config->gid,
		.local = config->local,
		.fd = config->fd,
		.on_accept = mg_session_accept,
		.user = socket};

	if (!socket)
		return error_set(err, -ENOMEM, "no memory for a stats socket");
	socket->m = m;
	socket->config = *config;
	socket->config.path = config->path ? strdup(config->path) : NULL;
	socket->config.place.file = NULL;
	socket->kept = true;
	list_add_tail(&m->sockets, &socket->link);
	socket->listener = sock_listen(m->config.loop, &listen, err);
	if (!socket->listener) {
		socket_close(socket);
		return error_prefix(err, "%s:%u: stats socket",
			config->place.file ? config->place.file : "-", config->place.line);
	}
	return 0;
}

static bool same_address(const struct model_stats_socket *a, const struct model_stats_socket *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == MODEL_SOCKET_UNIX)
		return strcmp(a->path, b->path) == 0;
	return a->kind == MODEL_SOCKET_FD ? a->fd == b->fd : endpoint_eq(&a->local, &b->local);
}

static struct mg_socket *socket_find(struct manage *m, const struct model_stats_socket *config)
{
	list_for_each (link, &m->sockets) {
		struct mg_socket *socket = list_entry(link, struct mg_socket, link);

		if (same_address(&socket->config, config))
			return socket;
	}
	return NULL;
}

/* Closes the sockets whose `kept` is as told. */
static void sockets_close(struct manage *m, bool kept)
{
	list_for_each_safe (link, &m->sockets) {
		struct mg_socket *socket = list_entry(link, struct mg_socket, link);

		if (socket->kept == kept)
			socket_close(socket);
	}
}

int manage_model_set(
	struct manage *m, const struct model *model, struct proxy_view *view, struct error *err)
{
	const struct model_global *g = &model->global;
	struct mg_socket *old;
	int ret = 0;

	list_for_each (link, &m->sockets)
		list_entry(link, struct mg_socket, link)->kept = false;
	/* New ones first: if one of them fails, they go again, and all is as it was. */
	for (uint32_t i = 0; ret == 0 && i < g->stats_socket_count; i++)
		if (!socket_find(m, &g->stats_sockets[i]))
			ret = socket_open(m, &g->stats_sockets[i], err);
	if (ret < 0) {
		sockets_close(m, true);
		return ret;
	}
	for (uint32_t i = 0; i < g->stats_socket_count; i++) {
		old = socket_find(m, &g->stats_sockets[i]);
		old->kept = true;
		old->config.level = g->stats_sockets[i].level;
	}
	sockets_close(m, false);
	m->model = model;
	m->view = view;
	m->generation++;
	return 0;
}

static void copy_arrays(struct manage *m, const struct manage_config *c)
{
	for (uint32_t i = 0; i < c->core_count; i++) {
		m->workers[i] = c->workers[i];
		m->ips[i] = c->ips ? c->ips[i] : NULL;
		m->tcps[i] = c->tcps ? c->tcps[i] : NULL;
		m->proxies[i] = c->proxies ? c->proxies[i] : NULL;
		m->shares[i] = c->port_cores ? c->port_cores[i] : NULL;
	}
	for (uint32_t i = 0; i < c->port_count; i++)
		m->ports[i] = c->ports[i];
}

struct manage *manage_create(const struct manage_config *config, struct error *err)
{
	struct manage *m = calloc(1, sizeof(*m));

	ASSERT(config->core_count > 0 && config->core_count <= WORKER_CORES_MAX);
	ASSERT(config->port_count <= PORT_MAX);
	if (!m) {
		error_set(err, -ENOMEM, "no memory for the runtime API");
		return NULL;
	}
	m->config = *config;
	if (!config->version)
		m->config.version = WEIR_VERSION;
	if (!config->release_date)
		m->config.release_date = RELEASE_DATE;
	if (gethostname(m->host, sizeof(m->host) - 1) < 0 || !m->host[0])
		m->host[0] = '-';
	copy_arrays(m, config);
	list_init(&m->sockets);
	list_init(&m->sessions);
	list_init(&m->ready);
	list_init(&m->asks);
	timer_init(&m->load_timer, on_load);
	if (worker_poller_add(config->control, WORKER_PHASE_SLOW, "manage", poll_manage, m,
		    POLL_BUDGET) < 0) {
		error_set(err, -ENOSPC, "%s has too many pollers", config->control->name);
		manage_destroy(m);
		return NULL;
	}
	on_load(&m->load_timer, config->control->now_ns);
	if (manage_model_set(m, config->model, config->view, err) < 0) {
		manage_destroy(m);
		return NULL;
	}
	return m;
}

void manage_destroy(struct manage *m)
{
	if (!m)
		return;
	m->ending = true;
	mg_capture_end(m);
	while (!list_is_empty(&m->sessions))
		mg_session_end(list_first(&m->sessions, struct mg_session, link));
	sockets_close(m, true);
	/* The workers have no mail any more, so no ask is away. */
	list_for_each_safe (link, &m->asks) {
		struct mg_ask *ask = list_entry(link, struct mg_ask, link);

		ask->away = false;
		mg_ask_drop(ask);
	}
	timer_cancel(&m->config.control->timers, &m->load_timer);
	worker_poller_remove(m->config.control, m);
	free(m);
}

void manage_pid_set(struct manage *m, uint32_t pid)
{
	m->config.pid = pid;
}
