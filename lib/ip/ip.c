/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "ip_pvt.h"

static const struct stat_row ip_stat_rows[] = {
#define STAT(symbol, kind, text) STAT_ROW(symbol, kind, text)
#include "ip_stat.def"
#undef STAT
};

static_assert(ARRAY_LEN(ip_stat_rows) == IP_STAT_COUNT, "a row per counter");

static int iface_check(const struct ip_stack *ip, uint32_t index, struct error *err)
{
	const struct ip_iface_config *iface = &ip->net->ifaces[index];

	if (iface->port >= ip->port_count)
		return error_set(err, -EINVAL, "interface %s: there is no such port", iface->name);
	if (iface->dad_transmits > IP_DAD_TRANSMITS_MAX)
		return error_set(err, -EINVAL, "interface %s: more than %u DAD transmits",
			iface->name, IP_DAD_TRANSMITS_MAX);
	if (iface->mtu < IP_MTU_MIN || iface->mtu > ip->ports[iface->port].port->mtu)
		return error_set(err, -EINVAL, "interface %s: MTU %u is not between %u and %u",
			iface->name, iface->mtu, IP_MTU_MIN, ip->ports[iface->port].port->mtu);
	for (uint32_t i = 0; i < index; i++)
		if (ip->net->ifaces[i].port == iface->port &&
			ip->net->ifaces[i].vlan == iface->vlan)
			return error_set(err, -EINVAL, "interface %s: it is the same as %s",
				iface->name, ip->net->ifaces[i].name);
	return 0;
}

static int ifaces_check(const struct ip_stack *ip, struct error *err)
{
	int rc = 0;

	if (ip->net->iface_count > IP_IFACES_MAX)
		rc = error_set(err, -EINVAL, "more than %u interfaces", IP_IFACES_MAX);
	for (uint32_t i = 0; rc == 0 && i < ip->net->iface_count; i++)
		rc = iface_check(ip, i, err);
	return rc;
}

static int poller_add(struct ip_stack *ip, enum worker_phase phase, const char *name,
	worker_poll_fn fn, uint32_t budget, struct error *err)
{
	int rc = worker_poller_add(ip->worker, phase, name, fn, ip, budget);

	return rc == 0 ? 0 : error_set(err, rc, "%s: too many pollers", name);
}

static int stack_init(struct ip_stack *ip, struct error *err)
{
	int rc = ifaces_check(ip, err);

	if (rc == 0)
		rc = ip_route_init(ip, err);
	if (rc == 0)
		rc = ip_dad_init(ip, err);
	if (rc == 0)
		rc = neighbour_init(ip, err);
	if (rc == 0)
		rc = ip_reasm_init(ip, err);
	if (rc == 0)
		rc = ip_steer_init(ip, err);
	if (rc == 0)
		rc = poller_add(ip, WORKER_PHASE_RX, "ip rx", ip_rx_poll, IP_RX_BUDGET, err);
	return rc;
}

struct ip_stack *ip_stack_create(const struct ip_stack_config *config, struct error *err)
{
	struct mem_region region = {0};
	struct ip_stack *ip;
	int rc;

	if (mem_region_alloc(&region, sizeof(*ip), "an IP stack", err) != 0)
		return NULL;
	ip = region.base;
	ip->region = region;
	ip->worker = config->worker;
	ip->steer = config->steer;
	ip->net = config->net;
	ip->ports = config->ports;
	ip->port_count = config->port_count;
	ip->pools = config->pools;
	ip->generation = 1;
	stat_group_init(&ip->group, "ip", ip_stat_rows, IP_STAT_COUNT, ip->stats);
	mld_init(ip);
	rc = stack_init(ip, err);
	if (rc != 0) {
		error_prefix(err, "network of %s", ip->worker->name);
		ip_stack_destroy(ip);
		return NULL;
	}
	worker_group_add(ip->worker, &ip->group);
	worker_pool_add(ip->worker, &ip->neighbour_pool);
	ip_reasm_show(ip);
	return ip;
}

int ip_stack_connect(struct ip_stack *const *all, uint32_t count, struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = ip_steer_connect(all[i], all, count, err);
	return rc;
}

int ip_stack_start(struct ip_stack *ip, struct error *err)
{
	return poller_add(ip, WORKER_PHASE_TX, "port tx", ip_tx_poll, IP_TX_BUDGET, err);
}

/* The worker is gone already: nothing here may touch it. */
void ip_stack_destroy(struct ip_stack *ip)
{
	struct mem_region region;

	if (ip == NULL)
		return;
	for (uint32_t i = 0; i < ip->proto_count; i++)
		ASSERT(ip->protos[i].batch_count == 0);
	ip_steer_fini(ip);
	ip_reasm_fini(ip);
	neighbour_fini(ip);
	ip_dad_fini(ip);
	ip_route_fini(ip);
	list_del(&ip->group.link);
	region = ip->region;
	mem_region_free(&region);
}

void ip_proto_set(
	struct ip_stack *ip, uint8_t proto, ip_proto_fn fn, ip_error_fn error_fn, void *ctx)
{
	struct ip_proto *p = ip_proto_find(ip, proto);

	if (p == NULL) {
		ASSERT(ip->proto_count < IP_PROTOS_MAX);
		p = &ip->protos[ip->proto_count++];
	}
	p->proto = proto;
	p->fn = fn;
	p->error_fn = error_fn;
	p->ctx = ctx;
}

void ip_announce(struct ip_stack *ip)
{
	for (uint32_t i = 0; i <= ip->own_mask; i++)
		if (ip->own[i].kind == IP_OWN_ADDRESS && !ip->own[i].disabled &&
			ip_addr_is_v4(&ip->own[i].addr))
			arp_announce(ip, ip->own[i].iface, &ip->own[i].addr);
	mld_start(ip);
	ip_dad_start(ip);
}

bool ip_conflict(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr,
	const struct wire_mac *mac, enum ip_stat stat)
{
	uint64_t now = ip->worker->now_ns;
	char addr_text[IP_ADDR_TEXT_SIZE];
	char mac_text[WIRE_MAC_TEXT_SIZE];

	ip_count(ip, stat);
	if (ip->conflict_at != 0 && now - ip->conflict_at < IP_DEFEND_NS)
		return false;
	ip->conflict_at = now;
	worker_log(ip->worker, LOG_LEVEL_ERR, "address conflict: %s on %s is also used by %s",
		ip_addr_format(addr, addr_text), ip_iface(ip, iface)->name,
		wire_mac_format(mac, mac_text));
	return true;
}

const struct ip_config *ip_stack_config_of(const struct ip_stack *ip)
{
	return ip->net;
}
