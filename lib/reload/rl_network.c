/* SPDX-License-Identifier: BSD-3-Clause */
/* Keywords of section "network": what HAProxy leaves to the kernel. */
#include <stdlib.h>

#include "reload_pvt.h"

#define DAD_TRANSMITS_DEFAULT 1 /* RFC 4862 5.1 */

static struct model_network *network_of(const struct rl_call *c)
{
	return &c->draft->model->network;
}

/* "1-3,5" into the list of workers. */
static bool parse_cores(const struct rl_call *c, uint32_t index)
{
	struct model_network *n = network_of(c);
	const char *p = lang_text(c->s, index);

	n->worker_count = 0;
	do {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (end != p && *end == '-') {
			p = end + 1;
			last = strtoul(p, &end, 10);
		}
		if (end == p || (*end && *end != ',') || first > last || last > UINT16_MAX)
			goto bad;
		for (unsigned long core = first; core <= last; core++) {
			if (n->worker_count == WORKER_CORES_MAX - 1)
				goto bad;
			n->worker_cores[n->worker_count++] = (uint16_t)core;
		}
		p = *end ? end + 1 : end;
	} while (*p);
	return true;
bad:
	rl_alert(c, index, "a list of CPU numbers, say 1-3 or 0,2,4 (at most 63)",
		"'cores': bad list '%s'", lang_text(c->s, index));
	return false;
}

static void kw_cores(const struct rl_call *c)
{
	struct model_network *n = network_of(c);

	for (uint32_t i = c->arg; i < c->s->word_count; i += 2) {
		if (i + 1 == c->s->word_count) {
			rl_alert(c, i, NULL, "'cores': '%s' needs a value", lang_text(c->s, i));
			return;
		}
		if (lang_is(c->s, i, "control")) {
			if (!rl_arg_uint(c, i + 1, 0, UINT16_MAX, &n->control_core))
				return;
		} else if (lang_is(c->s, i, "workers")) {
			if (!parse_cores(c, i + 1))
				return;
		} else {
			rl_alert(c, i, "control <cpu>, workers <cpus>",
				"'cores': unknown word '%s'", lang_text(c->s, i));
			return;
		}
	}
	c->draft->cores_set = true;
}

static void kw_idle(const struct rl_call *c)
{
	static const char *const names[] = {"busy", "adaptive", NULL};
	int idle = rl_arg_enum(c, c->arg, "idle policy", names);

	if (idle < 0)
		return;
	network_of(c)->idle = (enum worker_idle)idle;
	network_of(c)->idle_set = true;
}

static void kw_ecn(const struct rl_call *c)
{
	static const char *const names[] = {"off", "passive", "on", NULL};
	int ecn = rl_arg_enum(c, c->arg, "use of ECN", names);

	if (ecn >= 0)
		network_of(c)->ecn = (enum tcp_ecn)(TCP_ECN_OFF + ecn);
}

static void kw_pacing(const struct rl_call *c)
{
	static const char *const names[] = {"off", "on", NULL};
	int pacing = rl_arg_enum(c, c->arg, "pacing", names);

	if (pacing >= 0)
		network_of(c)->pacing = pacing;
}

static void kw_memory(const struct rl_call *c)
{
	struct model_network *n = network_of(c);

	if (rl_arg_size(c, c->arg, UINT64_C(1) << 46, &n->memory_bytes) &&
		c->draft->options->memory_bytes)
		n->memory_bytes = c->draft->options->memory_bytes; /* -m wins */
}

static bool port_number(
	const struct rl_call *c, uint32_t i, uint32_t min, uint32_t max, uint16_t *out)
{
	uint32_t value;

	if (!rl_arg_uint(c, i, min, max, &value))
		return false;
	*out = (uint16_t)value;
	return true;
}

static bool dad_number(const struct rl_call *c, uint32_t i, uint8_t *out)
{
	uint32_t value;

	if (!rl_arg_uint(c, i, 0, IP_DAD_TRANSMITS_MAX, &value))
		return false;
	*out = (uint8_t)value;
	return true;
}

/* One word of a port line at *i; moves *i to its last word. */
static bool port_word(const struct rl_call *c, uint32_t *i, struct rl_port *p)
{
	uint32_t at = *i;

	if (lang_is(c->s, at, "allow-loopback")) {
		p->port.allow_loopback = true;
		return true;
	}
	if (lang_is(c->s, at, "impair")) { /* has the rest of the line */
		*i = c->s->word_count;
		return rl_impair_parse(c, at + 1, &p->port.impair);
	}
	*i = at + 1;
	if (at + 1 == c->s->word_count) {
		rl_alert(c, at, NULL, "'port': '%s' needs a value", lang_text(c->s, at));
		return false;
	}
	if (lang_is(c->s, at, "vdev"))
		p->port.vdev = rl_strdup(c->draft, lang_text(c->s, at + 1));
	else if (lang_is(c->s, at, "pci"))
		p->port.pci = rl_strdup(c->draft, lang_text(c->s, at + 1));
	else if (lang_is(c->s, at, "member"))
		return rl_bond_member(
			c, at + 1, &p->port, rl_strdup(c->draft, lang_text(c->s, at + 1)));
	else if (lang_is(c->s, at, "vlan"))
		return port_number(c, at + 1, 1, 4094, &p->vlan);
	else if (lang_is(c->s, at, "mtu"))
		return port_number(c, at + 1, IP_MTU_MIN, 9216, &p->port.mtu);
	else if (lang_is(c->s, at, "dad"))
		return dad_number(c, at + 1, &p->dad_transmits);
	else {
		rl_alert(c, at,
			"vdev <device>, pci <address>, member <device>, vlan <id>, mtu <bytes>, "
			"dad <probes>, allow-loopback, impair <words>",
			"'port': unknown word '%s'", lang_text(c->s, at));
		return false;
	}
	return true;
}

static void kw_port(const struct rl_call *c)
{
	struct rl_port p = {.at = c->s, .dad_transmits = DAD_TRANSMITS_DEFAULT}, *slot;
	const char *name = lang_text(c->s, c->arg);

	p.port.place = rl_place(c);
	if (strlen(name) >= sizeof(p.port.name)) {
		rl_alert(c, c->arg, NULL, "'port': the name is longer than %zu characters",
			sizeof(p.port.name) - 1);
		return;
	}
	memcpy(p.port.name, name, strlen(name));
	for (uint32_t i = c->arg + 1; i < c->s->word_count; i++)
		if (!port_word(c, &i, &p))
			return;
	if (!p.port.vdev == !p.port.pci) {
		rl_alert(c, c->arg, "vdev net_tap0,iface=weir0, or pci 0000:03:00.0",
			"'port' %s needs a device: either 'vdev' or 'pci'", name);
		return;
	}
	if (!rl_bond_check(c, &p.port))
		return;
	slot = rl_append(&c->draft->ports);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = p;
}

static void kw_address(const struct rl_call *c)
{
	struct rl_address a = {.at = c->s}, *slot;

	if (!rl_arg_prefix(c, c->arg, &a.prefix))
		return;
	if (!lang_is(c->s, c->arg + 1, "port") || c->s->word_count != c->arg + 3) {
		rl_alert(c, c->arg + 1, "address <address>/<bits> port <name>",
			"'address' needs the name of its port");
		return;
	}
	a.port = lang_text(c->s, c->arg + 2);
	slot = rl_append(&c->draft->addresses);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = a;
}

static void kw_route(const struct rl_call *c)
{
	struct rl_route r = {.at = c->s}, *slot;

	if (!rl_arg_prefix(c, c->arg, &r.prefix))
		return;
	for (uint32_t i = c->arg + 1; i < c->s->word_count; i += 2) {
		if (lang_is(c->s, i, "via") && i + 1 < c->s->word_count &&
			ip_addr_parse(bytes_of_cstr(lang_text(c->s, i + 1)), &r.gateway))
			continue;
		if (lang_is(c->s, i, "port") && i + 1 < c->s->word_count) {
			r.port = lang_text(c->s, i + 1);
			continue;
		}
		rl_alert(c, i, "route <network>/<bits> via <address> [port <name>]",
			"'route': bad word '%s', or no address after it", lang_text(c->s, i));
		return;
	}
	slot = rl_append(&c->draft->routes);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = r;
}

static void kw_syn_cookies(const struct rl_call *c)
{
	static const char *const names[] = {"auto", "always", "off", NULL};
	int when = rl_arg_enum(c, c->arg, "use of SYN cookies", names);

	if (when >= 0)
		network_of(c)->cookies = (enum tcp_cookies)when;
}

const struct rl_keyword rl_keywords_network[] = {
	{"cores", "[control <cpu>] [workers <cpus>]", RELOAD_NETWORK, 2, 4, 0, kw_cores},
	{"idle", "busy | adaptive", RELOAD_NETWORK, 1, 1, 0, kw_idle},
	{"ecn", "off | passive | on", RELOAD_NETWORK, 1, 1, 0, kw_ecn},
	{"pacing", "off | on", RELOAD_NETWORK, 1, 1, 0, kw_pacing},
	{"memory", "<size>", RELOAD_NETWORK, 1, 1, 0, kw_memory},
	{"port",
		"<name> vdev <device> | pci <address> [member <device>]... [vlan <id>] "
		"[mtu <bytes>] [dad <probes>] [allow-loopback] [impair <words>]",
		RELOAD_NETWORK, 3, RL_NO_LIMIT, 0, kw_port},
	{"address", "<address>/<bits> port <name>", RELOAD_NETWORK, 1, RL_NO_LIMIT, 0, kw_address},
	{"route", "<network>/<bits> via <address> [port <name>]", RELOAD_NETWORK, 3, 5, 0,
		kw_route},
	{"syn-cookies", "auto | always | off", RELOAD_NETWORK, 1, 1, 0, kw_syn_cookies},
	{NULL},
};
