/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Judges a draft as a whole: names that must be there, names that must be unique, modes that must
 * fit, settings without effect, addresses that no port has. Numbers what has no id.
 *
 * In: a draft whose statements were read one by one, with names as text. Out: the same with indexes
 * in place of names, and reports. Nothing here stops at the first mistake; what depends on a name
 * that is not there is not reported twice.
 */
#include "reload_pvt.h"

#define at_head(d, p, severity, hint, ...) \
	lang_report((d)->diags, (severity), (p)->section->head, 1, (hint), __VA_ARGS__)

static const char *kind_of(const struct rl_proxy *p)
{
	return p->section->kind->word;
}

static const char *mode_of(const struct rl_proxy *p)
{
	return p->p.mode == MODEL_MODE_HTTP ? "http" : "tcp";
}

static bool collide(const struct rl_proxy *a, const struct rl_proxy *b)
{
	return strcmp(a->p.name, b->p.name) == 0 &&
	       ((a->p.is_frontend && b->p.is_frontend) || (a->p.is_backend && b->p.is_backend));
}

static void check_names(struct rl_draft *d)
{
	for (uint32_t i = 0; i < d->proxy_count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			struct rl_proxy *p = &d->proxies[i], *q = &d->proxies[j];

			if (!collide(p, q))
				continue;
			at_head(d, p, LANG_ALERT, NULL,
				"%s '%s' has the same name as %s '%s' declared at %s:%u",
				kind_of(p), p->p.name, kind_of(q), q->p.name, q->p.place.file,
				q->p.place.line);
			break;
		}
	}
}

static struct rl_proxy *find_backend(struct rl_draft *d, const char *name)
{
	for (uint32_t i = 0; i < d->proxy_count; i++)
		if (d->proxies[i].p.is_backend && strcmp(d->proxies[i].p.name, name) == 0)
			return &d->proxies[i];
	return NULL;
}

static const char *suggest_backend(struct rl_draft *d, const char *name)
{
	const char *names[128];
	size_t count = 0;

	for (uint32_t i = 0; i < d->proxy_count && count < ARRAY_LEN(names); i++)
		if (d->proxies[i].p.is_backend)
			names[count++] = d->proxies[i].p.name;
	return lang_suggest(name, names, count);
}

/* Returns the index of the backend, or MODEL_NONE after a report. */
static uint32_t resolve_backend(
	struct rl_draft *d, const struct rl_proxy *p, const struct rl_name *name)
{
	struct rl_proxy *be = find_backend(d, name->name);

	if (!be) {
		lang_report(d->diags, LANG_ALERT, name->at, name->word,
			suggest_backend(d, name->name),
			"%s '%s': there is no backend or listen section '%s'", kind_of(p),
			p->p.name, name->name);
		return MODEL_NONE;
	}
	if (be->p.mode != p->p.mode && !(p->p.mode == MODEL_MODE_TCP && be == p))
		lang_report(d->diags, LANG_ALERT, name->at, name->word, NULL,
			"%s '%s' has mode %s and cannot use backend '%s', which has mode %s",
			kind_of(p), p->p.name, mode_of(p), name->name, mode_of(be));
	return (uint32_t)(be - d->proxies);
}

static void check_frontend(struct rl_draft *d, struct rl_proxy *p)
{
	struct model_frontend *fe = &p->p.fe;
	uint32_t *indexes;

	if (!p->bind_seen && !p->p.is_listen)
		at_head(d, p, LANG_WARNING, NULL,
			"frontend '%s' has no 'bind' line, so nothing reaches it", p->p.name);
	fe->default_backend = p->p.is_listen ? (uint32_t)(p - d->proxies) : MODEL_NONE;
	if (p->default_backend.name)
		fe->default_backend = resolve_backend(d, p, &p->default_backend);
	fe->use_backend_count = p->use_backends.count;
	if (!p->use_backends.count)
		return;
	indexes = rl_alloc(d, p->use_backends.count * sizeof(*indexes));
	fe->use_backends = indexes;
	for (uint32_t i = 0; indexes && i < p->use_backends.count; i++)
		indexes[i] = resolve_backend(d, p, &p->use_backends.items[i]);
}

static void check_timeouts(struct rl_draft *d, struct rl_proxy *p)
{
	const struct model_timeouts *t = &p->p.timeouts;
	bool client = p->p.is_frontend && p->binds.count && !t->client;
	bool server = p->p.is_backend && p->servers.count && (!t->server || !t->connect);

	if (client || server)
		at_head(d, p, LANG_WARNING, "timeout client, timeout connect, timeout server",
			"%s '%s' lacks timeouts; dead connections would stay for ever", kind_of(p),
			p->p.name);
}

static void check_servers(struct rl_draft *d, struct rl_proxy *p)
{
	for (uint32_t i = 0; i < p->servers.count; i++) {
		struct rl_server *s = &p->servers.items[i];

		for (uint32_t j = 0; j < i; j++) {
			struct rl_server *other = &p->servers.items[j];

			if (strcmp(s->server.name, other->server.name) == 0) {
				lang_report(d->diags, LANG_ALERT, s->at, s->word, NULL,
					"%s '%s': server '%s' was already declared at line %u",
					kind_of(p), p->p.name, s->server.name,
					other->server.place.line);
				break;
			}
			if (s->id_set && other->id_set && s->server.id == other->server.id)
				lang_report(d->diags, LANG_ALERT, s->at, s->word, NULL,
					"%s '%s': server '%s' has the id %u of server '%s'",
					kind_of(p), p->p.name, s->server.name, s->server.id,
					other->server.name);
		}
	}
}

static bool binds_overlap(const struct model_bind *a, const struct model_bind *b)
{
	return endpoint_eq(&a->local, &b->local) && a->v6_only == b->v6_only;
}

static void check_binds(struct rl_draft *d, struct rl_proxy *p)
{
	for (uint32_t i = 0; i < p->binds.count; i++) {
		struct rl_bind *b = &p->binds.items[i];
		char text[ENDPOINT_TEXT_SIZE];

		if (b->bind.local.port >= STEER_CONTROL_PORT_MIN)
			lang_report(d->diags, LANG_ALERT, b->at, b->word, NULL,
				"'bind': ports %u to %u are kept for the control core's own "
				"connections",
				STEER_CONTROL_PORT_MIN, STEER_CONTROL_PORT_MAX);
		for (const struct rl_proxy *q = d->proxies; q <= p; q++) {
			uint32_t count = q == p ? i : q->binds.count;

			for (uint32_t j = 0; j < count; j++)
				if (binds_overlap(&b->bind, &q->binds.items[j].bind))
					lang_report(d->diags, LANG_ALERT, b->at, b->word, NULL,
						"'bind': %s is already bound by %s '%s' at %s:%u",
						endpoint_format(&b->bind.local, text), kind_of(q),
						q->p.name, q->binds.items[j].bind.place.file,
						q->binds.items[j].bind.place.line);
		}
	}
}

static void check_modes(struct rl_draft *d, struct rl_proxy *p)
{
	if (p->p.mode == MODEL_MODE_HTTP)
		return;
	if (p->http_only)
		lang_report(d->diags, LANG_WARNING, p->http_only, 0, NULL,
			"'%s%s%s' has no effect in %s '%s': it needs 'mode http'",
			lang_text(p->http_only, 0), p->http_only->word_count > 1 ? " " : "",
			lang_text(p->http_only, 1), kind_of(p), p->p.name);
	if (p->p.log_format == MODEL_LOG_HTTP || p->p.log_format == MODEL_LOG_HTTP_CLF) {
		p->p.log_format = MODEL_LOG_TCP;
		if (p->log_format_at)
			lang_report(d->diags, LANG_WARNING, p->log_format_at, 1, NULL,
				"%s '%s' has mode tcp: 'option httplog' falls back to 'option "
				"tcplog'",
				kind_of(p), p->p.name);
	}
}

/* HAProxy's numbers: each proxy takes the next free one, 1 is the runtime API's own. */
static void number_proxies(struct rl_draft *d)
{
	uint32_t next = 2;

	for (uint32_t i = 0; i < d->proxy_count; i++, next++) {
		struct rl_proxy *p = &d->proxies[i];
		bool taken = !p->id_set;

		while (taken) {
			taken = false;
			for (uint32_t j = 0; j < d->proxy_count; j++)
				taken = taken || (d->proxies[j].p.id == next);
			next += taken;
		}
		if (!p->id_set)
			p->p.id = next;
		for (uint32_t j = 0; j < i; j++)
			if (p->id_set && d->proxies[j].p.id == p->p.id)
				at_head(d, p, LANG_ALERT, NULL, "%s '%s' has the id %u of '%s'",
					kind_of(p), p->p.name, p->p.id, d->proxies[j].p.name);
	}
}

static void number_servers(struct rl_proxy *p)
{
	uint32_t next = 1;

	for (uint32_t i = 0; i < p->servers.count; i++, next++) {
		bool taken = !p->servers.items[i].id_set;

		while (taken) {
			taken = false;
			for (uint32_t j = 0; j < p->servers.count; j++)
				taken = taken || p->servers.items[j].server.id == next;
			next += taken;
		}
		if (!p->servers.items[i].id_set)
			p->servers.items[i].server.id = next;
	}
	next = 1;
	for (uint32_t i = 0; i < p->binds.count; i++, next++)
		if (!p->binds.items[i].bind.id)
			p->binds.items[i].bind.id = next;
}

/* --- network ------------------------------------------------------------------------ */

void rl_report_port(
	struct rl_draft *d, const struct lang_statement *at, uint32_t word, const char *name)
{
	const char *names[IP_IFACES_MAX], *near;
	uint32_t count = MIN(d->ports.count, (uint32_t)IP_IFACES_MAX);

	for (uint32_t i = 0; i < count; i++)
		names[i] = d->ports.items[i].port.name;
	near = lang_suggest(name, names, count);
	lang_report(d->diags, LANG_ALERT, at, word, near, "there is no port '%s'", name);
}

uint32_t rl_port_index(const struct rl_draft *d, const char *name)
{
	uint32_t i = 0;

	while (i < d->ports.count && strcmp(d->ports.items[i].port.name, name) != 0)
		i++;
	return i;
}

/* The last word of a line is the name of its port. */
static void check_port_of(struct rl_draft *d, const struct lang_statement *at, const char *name)
{
	if (rl_port_index(d, name) == d->ports.count)
		rl_report_port(d, at, at->word_count - 1, name);
}

/* Lines of one device share what is plugged into it: the first one says how bad that is. */
static void check_impair(struct rl_draft *d)
{
	for (uint32_t i = 0; i < d->ports.count; i++) {
		const struct rl_port *p = &d->ports.items[i], *first = d->ports.items;

		while (!rl_same_device(&first->port, &p->port))
			first++;
		if (p->port.impair.on && first != p)
			lang_report(d->diags, LANG_ALERT, p->at, 1, NULL,
				"'impair' of port '%s' belongs to line %u, where its device is "
				"named first",
				p->port.name, first->port.place.line);
	}
}

static void check_ports(struct rl_draft *d)
{
	check_impair(d);
	for (uint32_t i = 0; i < d->ports.count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(d->ports.items[i].port.name, d->ports.items[j].port.name) == 0)
				lang_report(d->diags, LANG_ALERT, d->ports.items[i].at, 1, NULL,
					"port '%s' was already declared at line %u",
					d->ports.items[i].port.name,
					d->ports.items[j].port.place.line);
	if (d->ports.count > IP_IFACES_MAX)
		lang_report(d->diags, LANG_ALERT, d->ports.items[IP_IFACES_MAX].at, 1, NULL,
			"more than %d ports", IP_IFACES_MAX);
	for (uint32_t i = 0; i < d->addresses.count; i++)
		check_port_of(d, d->addresses.items[i].at, d->addresses.items[i].port);
	for (uint32_t i = 0; i < d->routes.count; i++)
		if (d->routes.items[i].port)
			check_port_of(d, d->routes.items[i].at, d->routes.items[i].port);
}

/* True if a port's network holds the address, so that a bind or a gateway may have it. */
static bool address_has_port(const struct rl_draft *d, const struct ip_addr *addr)
{
	for (uint32_t i = 0; i < d->addresses.count; i++)
		if (ip_prefix_contains(&d->addresses.items[i].prefix, addr))
			return true;
	for (uint32_t i = 0; i < d->ports.count; i++)
		if (d->ports.items[i].port.allow_loopback && ip_addr_is_loopback(addr))
			return true;
	return false;
}

static void check_reachable(struct rl_draft *d)
{
	for (uint32_t i = 0; i < d->routes.count; i++) {
		const struct rl_route *r = &d->routes.items[i];

		if (!r->port && !address_has_port(d, &r->gateway))
			lang_report(d->diags, LANG_ALERT, r->at, 3, NULL,
				"'route': the gateway %s is in no network of any port",
				lang_text(r->at, 3));
		if (ip_addr_is_v4(&r->prefix.addr) != ip_addr_is_v4(&r->gateway))
			lang_report(d->diags, LANG_ALERT, r->at, 3, NULL,
				"'route': network and gateway are of different families");
	}
	for (uint32_t i = 0; i < d->proxy_count; i++) {
		for (uint32_t j = 0; j < d->proxies[i].binds.count; j++) {
			const struct rl_bind *b = &d->proxies[i].binds.items[j];
			char text[IP_ADDR_TEXT_SIZE];

			if (!ip_addr_is_any(&b->bind.local.addr) &&
				!ip_addr_is_scoped(&b->bind.local.addr) &&
				!address_has_port(d, &b->bind.local.addr))
				lang_report(d->diags, LANG_ALERT, b->at, b->word, NULL,
					"'bind': %s is in no network of any port (section "
					"'network')",
					ip_addr_format(&b->bind.local.addr, text));
		}
	}
}

static void check_cores(struct rl_draft *d)
{
	struct model_network *n = &d->model->network;
	uint32_t cpus = d->options->cpu_count ? d->options->cpu_count : 1;

	if (!n->worker_count) {
		for (uint32_t cpu = 0; cpu < cpus && n->worker_count < WORKER_CORES_MAX - 1; cpu++)
			if (cpu != n->control_core)
				n->worker_cores[n->worker_count++] = (uint16_t)cpu;
		if (!n->worker_count)
			n->worker_cores[n->worker_count++] = (uint16_t)n->control_core;
	}
}

static void check_network(struct rl_draft *d)
{
	struct model_network *n = &d->model->network;

	check_cores(d);
	check_ports(d);
	if (!d->network)
		return; /* fine for -c; weir says at start that it needs one */
	n->place = (struct model_place){
		rl_strdup(d, d->network->head->source->name), d->network->head->line};
	if (!d->ports.count)
		lang_report(d->diags, LANG_ALERT, d->network->head, 0,
			"port <name> vdev <device> | pci <address>",
			"section 'network' has no port");
	for (uint32_t i = 0; i < d->addresses.count; i++)
		if (rl_port_index(d, d->addresses.items[i].port) == d->ports.count)
			return; /* reported; the rest would only repeat it */
	check_reachable(d);
}

void rl_check(struct rl_draft *d)
{
	check_names(d);
	rl_zones_resolve(d);
	for (uint32_t i = 0; i < d->proxy_count; i++) {
		struct rl_proxy *p = &d->proxies[i];

		if (p->p.is_frontend)
			check_frontend(d, p);
		check_modes(d, p);
		check_timeouts(d, p);
		check_servers(d, p);
		check_binds(d, p);
		number_servers(p);
	}
	number_proxies(d);
	check_network(d);
}
