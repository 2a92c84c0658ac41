/* SPDX-License-Identifier: BSD-3-Clause */
/* Which port a link-local address of IPv6 belongs to: fe80::1%lan0, or the only port. */
#include "reload_pvt.h"

const char *rl_zone(struct rl_draft *d, const struct lang_address *a)
{
	return a->zone[0] ? rl_strdup(d, a->zone) : NULL;
}

static void resolve(struct rl_draft *d, struct ip_addr *addr, const char *zone,
	const struct lang_statement *at, uint32_t word)
{
	uint32_t port = zone ? rl_port_index(d, zone) : 0;
	char text[IP_ADDR_TEXT_SIZE];

	if (!ip_addr_is_scoped(addr))
		return;
	if (port == d->ports.count)
		rl_report_port(d, at, word, zone);
	else if (!zone && d->ports.count > 1)
		lang_report(d->diags, LANG_ALERT, at, word, "the name of its port: fe80::1%lan0",
			"link-local address '%s' needs a zone: there are several ports",
			ip_addr_format(addr, text));
	else
		*addr = ip_addr_with_zone(addr, ip_zone_of_iface((uint16_t)port));
}

/* As lib/ip has it: with an address or a bind of its own a port speaks IPv6. */
static bool speaks_v6(const struct rl_draft *d, uint16_t iface)
{
	for (uint32_t i = 0; i < d->addresses.count; i++)
		if (!ip_addr_is_v4(&d->addresses.items[i].prefix.addr) &&
			rl_port_index(d, d->addresses.items[i].port) == iface)
			return true;
	for (uint32_t i = 0; i < d->proxy_count; i++)
		for (uint32_t j = 0; j < d->proxies[i].binds.count; j++)
			if (ip_addr_zone(&d->proxies[i].binds.items[j].bind.local.addr) ==
				ip_zone_of_iface(iface))
				return true;
	return false;
}

static void check_server(struct rl_draft *d, const struct rl_server *s)
{
	uint16_t zone = ip_addr_zone(&s->server.remote.addr);

	if (zone != 0 && !speaks_v6(d, ip_iface_of_zone(zone)))
		lang_report(d->diags, LANG_ALERT, s->at, s->word + 1,
			"address <address>/<bits> port <name>, in section 'network'",
			"'server': port '%s' has no address of IPv6",
			d->ports.items[ip_iface_of_zone(zone)].port.name);
}

void rl_zones_resolve(struct rl_draft *d)
{
	if (d->ports.count == 0) /* reported, or there is no section "network" yet */
		return;
	for (uint32_t i = 0; i < d->proxy_count; i++) {
		struct rl_proxy *p = &d->proxies[i];

		for (uint32_t j = 0; j < p->binds.count; j++)
			resolve(d, &p->binds.items[j].bind.local.addr, p->binds.items[j].zone,
				p->binds.items[j].at, p->binds.items[j].word);
		for (uint32_t j = 0; j < p->servers.count; j++)
			resolve(d, &p->servers.items[j].server.remote.addr,
				p->servers.items[j].zone, p->servers.items[j].at,
				p->servers.items[j].word + 1);
	}
	for (uint32_t i = 0; i < d->proxy_count; i++)
		for (uint32_t j = 0; j < d->proxies[i].servers.count; j++)
			check_server(d, &d->proxies[i].servers.items[j]);
}
