/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, neighbours and routes. */
#include <inttypes.h>
#include <stdio.h>

#include "manage_pvt.h"

static const struct {
	uint32_t cap;
	const char *name;
} caps[] = {{PORT_CAP_RX_IP_CHECKSUM, "rx-ip-checksum"},
	{PORT_CAP_RX_L4_CHECKSUM, "rx-l4-checksum"}, {PORT_CAP_TX_IP_CHECKSUM, "tx-ip-checksum"},
	{PORT_CAP_TX_L4_CHECKSUM, "tx-l4-checksum"}, {PORT_CAP_TX_MULTI_SEG, "multi-segment"},
	{PORT_CAP_TX_TSO, "tso"}, {PORT_CAP_RSS, "rss"}};

static const char *const port_stat_names[] = {
#define STAT(symbol, kind, text) #symbol,
#include "port_stat.def"
#undef STAT
};

static const char *const port_stat_texts[] = {
#define STAT(symbol, kind, text) text,
#include "port_stat.def"
#undef STAT
};

static char *mac_text(const struct wire_mac *mac, char *buf)
{
	snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0], mac->b[1], mac->b[2],
		mac->b[3], mac->b[4], mac->b[5]);
	return buf;
}

static void print_stats(struct mg_out *out, const struct port_device_stats *s)
{
	mg_printf(out,
		": rx %" PRIu64 " packets %" PRIu64 " bytes, missed %" PRIu64 ", errors %" PRIu64
		", no buffer %" PRIu64 "; tx %" PRIu64 " packets %" PRIu64 " bytes, errors %" PRIu64
		"\n",
		s->rx_pkts, s->rx_bytes, s->rx_missed, s->rx_errors, s->rx_no_buffer, s->tx_pkts,
		s->tx_bytes, s->tx_errors);
}

static void print_device(struct mg_out *out, struct port *p)
{
	struct port_device_stats stats = {0};
	struct port_member members[PORT_MEMBERS_MAX];
	uint32_t count = p->ops->members_read ? p->ops->members_read(p, members) : 0;

	p->ops->stats_read(p, &stats);
	mg_puts(out, "  device");
	print_stats(out, &stats);
	for (uint32_t i = 0; i < count; i++) {
		mg_printf(out, "  member %s, link %s, %s", members[i].name,
			members[i].link_is_up ? "up" : "down",
			members[i].is_active ? "active" : "not active");
		print_stats(out, &members[i].stats);
	}
}

/* What the driver counts itself in each queue, if it does. */
static void print_groups(struct mg_out *out, struct port *p)
{
	const struct stat_group *first;
	char name[STAT_NAME_SIZE];

	for (uint32_t g = 0; p->ops->group && (first = p->ops->group(p, 0, g)); g++) {
		for (uint32_t i = 0; i < first->count; i++) {
			const struct stat_group *queue;
			uint64_t sum = 0;

			for (uint16_t q = 0; (queue = p->ops->group(p, q, g)); q++)
				sum += stat_read(&queue->values[i]);
			mg_printf(out, "  %s.%-*s %12" PRIu64 "  %s\n", first->module,
				(int)(17 - MIN(strlen(first->module), 16u)),
				stat_row_name(&first->rows[i], name), sum, first->rows[i].text);
		}
	}
}

static void print_port(struct mg_call *call, struct port *p)
{
	struct manage *m = call->m;
	char mac[18], name[STAT_NAME_SIZE], text[640];

	mg_printf(call->out, "%s: driver %s, link %s, mac %s, mtu %u, queues rx %u tx %u\n",
		p->name, p->ops->driver, p->ops->link_is_up(p) ? "up" : "down",
		mac_text(&p->mac, mac), p->mtu, p->rx_queues, p->tx_queues);
	mg_puts(call->out, "  offloads:");
	for (uint32_t i = 0; i < ARRAY_LEN(caps); i++)
		if (p->caps & caps[i].cap)
			mg_printf(call->out, " %s", caps[i].name);
	mg_puts(call->out, p->caps ? "\n" : " none\n");
	if (p->ops->describe) {
		p->ops->describe(p, text, sizeof(text));
		mg_printf(call->out, "  %s\n", text);
	}
	print_device(call->out, p);
	for (uint32_t i = 0; i < PORT_STAT_COUNT; i++) {
		struct stat_row row = {.symbol = port_stat_names[i]};
		uint64_t sum = 0;

		for (uint32_t c = 0; c < m->config.core_count; c++)
			if (m->shares[c])
				sum += stat_read(&m->shares[c][p->index].stats[i]);
		mg_printf(call->out, "  %-18s %12" PRIu64 "  %s\n", stat_row_name(&row, name), sum,
			port_stat_texts[i]);
	}
	print_groups(call->out, p);
}

static enum mg_verdict cmd_port(struct mg_call *call)
{
	const char *name = mg_word(call, 2);
	bool found = false;

	for (uint32_t i = 0; i < call->m->config.port_count; i++) {
		if (*name && strcmp(name, call->m->ports[i]->name) != 0)
			continue;
		print_port(call, call->m->ports[i]);
		found = true;
	}
	if (*name && !found)
		mg_puts(call->out, "No such port.\n");
	return MG_DONE;
}

static bool arp_row(void *ctx, const struct ip_neighbour_info *info)
{
	struct ip_neighbour_info *row = mg_ask_row(ctx);

	if (row)
		*row = *info;
	return row;
}

static void arp_ask(struct mg_ask *ask)
{
	ip_neighbour_each(ask->ip, arp_row, ask);
}

static bool has_ip(struct manage *m, uint32_t core)
{
	return m->ips[core];
}

static const char *iface_name(const struct ip_stack *ip, uint16_t iface)
{
	const struct ip_config *net = ip_stack_config_of(ip);

	return iface < net->iface_count ? net->ifaces[iface].name : "-";
}

static void arp_print(struct mg_call *call, uint32_t core, const void *row)
{
	static const char *const states[] = {[IP_NEIGHBOUR_INCOMPLETE] = "incomplete",
		[IP_NEIGHBOUR_REACHABLE] = "reachable",
		[IP_NEIGHBOUR_STALE] = "stale",
		[IP_NEIGHBOUR_PROBE] = "probe",
		[IP_NEIGHBOUR_FAILED] = "failed"};
	const struct ip_neighbour_info *i = row;
	char addr[IP_ADDR_TEXT_SIZE], mac[18], age[16];

	mg_printf(call->out, "%-4u %-24s %-17s %-12s %-10s %6s %6u\n", core,
		ip_addr_format(&i->addr, addr), mac_text(&i->mac, mac),
		iface_name(call->m->ips[core], i->iface), states[i->state],
		mg_age(i->age_ns / NS_PER_SEC, age), i->queued);
}

static enum mg_verdict cmd_arp(struct mg_call *call)
{
	if (!call->ask) {
		if (!mg_ask_create(
			    call, arp_ask, IP_NEIGHBOURS_MAX, sizeof(struct ip_neighbour_info)))
			return MG_DONE;
		mg_printf(call->out, "%-4s %-24s %-17s %-12s %-10s %6s %6s\n", "core", "address",
			"mac", "interface", "state", "age", "queued");
	}
	return mg_ask_all(call, has_ip, arp_print);
}

struct route_ctx {
	struct mg_call *call;
	const struct ip_stack *ip;
};

/* A connected network is configured by our address in it. */
static struct ip_addr network_of(const struct ip_prefix *p)
{
	struct ip_addr a = p->addr;

	for (uint32_t bit = p->bits + (ip_addr_is_v4(&a) ? 96 : 0); bit < 128; bit++)
		a.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return a;
}

static const char *route_kind(const struct ip_route_info *r)
{
	if (r->disabled)
		return "disabled";
	if (r->local)
		return r->tentative   ? "local, tentative"
		       : r->duplicate ? "local, duplicate"
				      : "local";
	return ip_addr_is_any(&r->gateway) ? "connected" : "gateway";
}

static bool route_print(void *ctx, const struct ip_route_info *r)
{
	struct route_ctx *c = ctx;
	char addr[IP_ADDR_TEXT_SIZE], gateway[IP_ADDR_TEXT_SIZE], prefix[IP_ADDR_TEXT_SIZE + 4];
	struct ip_addr network = network_of(&r->prefix);
	bool direct = ip_addr_is_any(&r->gateway);

	snprintf(prefix, sizeof(prefix), "%s/%u", ip_addr_format(&network, addr), r->prefix.bits);
	mg_printf(c->call->out, "%-28s %-24s %-12s %s\n", prefix,
		direct ? "-" : ip_addr_format(&r->gateway, gateway), iface_name(c->ip, r->iface),
		route_kind(r));
	return true;
}

/* Routes are the same on all cores, and of them only flags change: any core's may be read. */
static enum mg_verdict cmd_route(struct mg_call *call)
{
	struct route_ctx ctx = {.call = call};

	for (uint32_t c = 0; c < call->m->config.core_count && !ctx.ip; c++)
		ctx.ip = call->m->ips[c];
	mg_printf(call->out, "%-28s %-24s %-12s %s\n", "prefix", "gateway", "interface", "kind");
	if (ctx.ip)
		ip_route_each(ctx.ip, route_print, &ctx);
	return MG_DONE;
}

const struct mg_command mg_commands_net[] = {
	{{"show", "arp"}, MODEL_LEVEL_OPERATOR, "show arp",
		"list the neighbours that each core knows", cmd_arp},
	{{"show", "port"}, MODEL_LEVEL_OPERATOR, "show port [<port>]",
		"show the network ports and what they counted", cmd_port},
	{{"show", "route"}, MODEL_LEVEL_OPERATOR, "show route",
		"list addresses, connected networks and routes", cmd_route},
	{{NULL}},
};
