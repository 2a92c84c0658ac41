/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a draft without faults into the model's arrays. */
#include "reload_pvt.h"

/* An array of the model, filled by the caller; NULL (draft->failed) without memory. */
#define new_array(d, type, count) ((type *)rl_alloc((d), ((count) + 1) * sizeof(type)))

static uint32_t total_binds(const struct rl_draft *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->proxy_count; i++)
		n += d->proxies[i].binds.count;
	return n;
}

static uint32_t total_servers(const struct rl_draft *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->proxy_count; i++)
		n += d->proxies[i].servers.count;
	return n;
}

/* --- logs --------------------------------------------------------------------------- */

static void emit_log(struct rl_draft *d, struct model_log *log, const struct rl_log_list *own,
	const struct rl_log_list *global, const char *tag)
{
	uint32_t count = own->targets.count + (global ? global->targets.count : 0), n = 0;
	struct model_log_target *targets = new_array(d, struct model_log_target, count);

	if (!targets)
		return;
	for (uint32_t i = 0; global && i < global->targets.count; i++)
		targets[n++] = global->targets.items[i];
	for (uint32_t i = 0; i < own->targets.count; i++)
		targets[n++] = own->targets.items[i];
	*log = (struct model_log){count, targets, tag ? tag : d->log_tag ? d->log_tag : "weir"};
}

static void emit_logs(struct rl_draft *d)
{
	struct model_log *logs = new_array(d, struct model_log, d->proxy_count + 1);
	uint32_t count = 1;

	if (!logs)
		return;
	emit_log(d, &logs[LOG_TARGET_SELF], &d->log, NULL, NULL);
	for (uint32_t i = 0; i < d->proxy_count; i++) {
		struct rl_proxy *p = &d->proxies[i];
		const struct rl_log_list *global = p->log.global ? &d->log : NULL;

		p->p.log = MODEL_NONE;
		if (!p->log.targets.count && (!global || !global->targets.count))
			continue;
		p->p.log = count;
		emit_log(d, &logs[count++], &p->log, global, p->log_tag);
	}
	d->model->logs = logs;
	d->model->log_count = count;
}

/* --- proxies ------------------------------------------------------------------------ */

static void apply_fallbacks(struct model_timeouts *t)
{
	if (!t->http_keep_alive)
		t->http_keep_alive = t->http_request ? t->http_request : t->client;
	if (!t->queue)
		t->queue = t->connect;
}

static void emit_lists(struct rl_draft *d, struct rl_proxy *p)
{
	struct ip_prefix *excepts = new_array(d, struct ip_prefix, p->excepts.count);
	struct model_errorfile *files = new_array(d, struct model_errorfile, p->errorfiles.count);

	if (!excepts || !files)
		return;
	if (p->excepts.count)
		memcpy(excepts, p->excepts.items, p->excepts.count * sizeof(*excepts));
	if (p->errorfiles.count)
		memcpy(files, p->errorfiles.items, p->errorfiles.count * sizeof(*files));
	p->p.forwardfor_excepts = excepts;
	p->p.forwardfor_except_count = p->excepts.count;
	p->p.errorfiles = files;
	p->p.errorfile_count = p->errorfiles.count;
}

/* What the proxy's and the global section say of the connections of a bind or server. */
static void emit_tcp(
	struct tcp_options *to, const struct tcp_options *proxy, const struct tcp_options *global)
{
	to->keepalive_idle_ms = proxy->keepalive_idle_ms;
	to->keepalive_interval_ms = proxy->keepalive_interval_ms;
	to->keepalive_probes = proxy->keepalive_probes;
	to->recv_buffer_bytes = global->recv_buffer_bytes;
	to->send_buffer_bytes = global->send_buffer_bytes;
}

static void emit_proxies(struct rl_draft *d)
{
	struct model *m = d->model;
	struct model_proxy *proxies = new_array(d, struct model_proxy, d->proxy_count);
	struct model_bind *binds = new_array(d, struct model_bind, total_binds(d));
	struct model_server *servers = new_array(d, struct model_server, total_servers(d));

	if (!proxies || !binds || !servers)
		return;
	for (uint32_t i = 0; i < d->proxy_count; i++) {
		struct rl_proxy *p = &d->proxies[i];

		p->p.fe.bind_first = m->bind_count;
		p->p.fe.bind_count = p->binds.count;
		p->p.be.server_first = m->server_count;
		p->p.be.server_count = p->servers.count;
		for (uint32_t j = 0; j < p->binds.count; j++) {
			binds[m->bind_count] = p->binds.items[j].bind;
			emit_tcp(&binds[m->bind_count].tcp, &p->tcp_client, &d->tcp_client);
			binds[m->bind_count++].proxy = i;
		}
		for (uint32_t j = 0; j < p->servers.count; j++) {
			servers[m->server_count] = p->servers.items[j].server;
			emit_tcp(&servers[m->server_count].tcp, &p->tcp_server, &d->tcp_server);
			servers[m->server_count++].proxy = i;
		}
		apply_fallbacks(&p->p.timeouts);
		emit_lists(d, p);
		proxies[i] = p->p;
	}
	m->proxies = proxies;
	m->proxy_count = d->proxy_count;
	m->binds = binds;
	m->servers = servers;
}

/* --- network ------------------------------------------------------------------------ */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool rl_same_device(const struct model_port *a, const struct model_port *b)
{
	return same_text(a->vdev, b->vdev) && same_text(a->pci, b->pci);
}

/* Lines that name one device are interfaces (VLANs) of one port. */
static uint16_t device_of(struct model_port *ports, uint32_t *count, const struct rl_port *p)
{
	for (uint32_t i = 0; i < *count; i++)
		if (rl_same_device(&ports[i], &p->port))
			return (uint16_t)i;
	ports[*count] = p->port;
	return (uint16_t)(*count)++;
}

static uint16_t iface_named(const struct rl_draft *d, const char *name)
{
	return (uint16_t)rl_port_index(d, name);
}

static void emit_ifaces(struct rl_draft *d)
{
	struct model_network *n = &d->model->network;
	struct model_port *ports = new_array(d, struct model_port, d->ports.count);
	struct ip_iface_config *ifaces = new_array(d, struct ip_iface_config, d->ports.count);

	if (!ports || !ifaces)
		return;
	for (uint32_t i = 0; i < d->ports.count; i++) {
		const struct rl_port *p = &d->ports.items[i];

		static_assert(sizeof(ifaces[i].name) == sizeof(p->port.name), "same names");
		memcpy(ifaces[i].name, p->port.name, sizeof(ifaces[i].name));
		ifaces[i].port = device_of(ports, &n->port_count, p);
		ifaces[i].vlan = p->vlan;
		ifaces[i].mtu = p->port.mtu;
		ifaces[i].allow_loopback = p->port.allow_loopback;
		ifaces[i].dad_transmits = p->dad_transmits;
	}
	n->ports = ports;
	n->ip.ifaces = ifaces;
	n->ip.iface_count = d->ports.count;
}

static bool address_known(
	const struct ip_address_config *list, uint32_t count, const struct ip_addr *addr)
{
	for (uint32_t i = 0; i < count; i++)
		if (ip_addr_eq(&list[i].prefix.addr, addr))
			return true;
	return false;
}

/* The interface whose network holds the address; rl_check made sure that there is one. */
static uint16_t iface_for(const struct rl_draft *d, const struct ip_addr *addr)
{
	if (ip_addr_zone(addr) != 0)
		return ip_iface_of_zone(ip_addr_zone(addr));
	for (uint32_t i = 0; i < d->addresses.count; i++)
		if (ip_prefix_contains(&d->addresses.items[i].prefix, addr))
			return iface_named(d, d->addresses.items[i].port);
	for (uint32_t i = 0; i < d->ports.count; i++)
		if (d->ports.items[i].port.allow_loopback && ip_addr_is_loopback(addr))
			return (uint16_t)i;
	return 0;
}

static void emit_addresses(struct rl_draft *d)
{
	struct ip_config *ip = &d->model->network.ip;
	uint32_t room = d->addresses.count + total_binds(d), n = 0;
	struct ip_address_config *list = new_array(d, struct ip_address_config, room);

	if (!list)
		return;
	for (uint32_t i = 0; i < d->addresses.count; i++) {
		const struct rl_address *a = &d->addresses.items[i];
		uint16_t iface = iface_named(d, a->port);
		struct ip_prefix prefix = {
			ip_addr_with_zone(&a->prefix.addr, ip_zone_of_iface(iface)),
			a->prefix.bits};

		list[n++] = (struct ip_address_config){prefix, iface, false};
	}
	for (uint32_t i = 0; i < d->model->bind_count; i++) {
		const struct ip_addr *addr = &d->model->binds[i].local.addr;

		if (ip_addr_is_any(addr) || address_known(list, n, addr))
			continue;
		list[n++] = (struct ip_address_config){
			{*addr, ip_addr_is_v4(addr) ? 32 : 128}, iface_for(d, addr), true};
	}
	ip->addresses = list;
	ip->address_count = n;
}

static void emit_routes(struct rl_draft *d)
{
	struct ip_config *ip = &d->model->network.ip;
	struct ip_route_config *list = new_array(d, struct ip_route_config, d->routes.count);

	if (!list)
		return;
	for (uint32_t i = 0; i < d->routes.count; i++) {
		const struct rl_route *r = &d->routes.items[i];

		list[i] = (struct ip_route_config){r->prefix, r->gateway,
			r->port ? iface_named(d, r->port) : iface_for(d, &r->gateway)};
	}
	ip->routes = list;
	ip->route_count = d->routes.count;
}

static void emit_sockets(struct rl_draft *d)
{
	struct model_stats_socket *list = new_array(d, struct model_stats_socket, d->sockets.count);

	if (!list)
		return;
	if (d->sockets.count)
		memcpy(list, d->sockets.items, d->sockets.count * sizeof(*list));
	d->model->global.stats_sockets = list;
	d->model->global.stats_socket_count = d->sockets.count;
}

void rl_emit(struct rl_draft *d)
{
	emit_logs(d);
	emit_proxies(d);
	emit_sockets(d);
	if (!d->network || d->failed)
		return;
	emit_ifaces(d);
	if (d->failed)
		return;
	emit_addresses(d);
	emit_routes(d);
}
