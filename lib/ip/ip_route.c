/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Own addresses in a hash table, because every packet asks for its destination and its source.
 * Routes in an array, longest prefix first, because only a new path asks: a search through the
 * few dozen routes of such a machine costs less than one miss in a trie (rte_lpm takes 64 MiB for
 * IPv4 alone). With full tables, BIRD or FRR belongs in front of weir.
 */
#include <errno.h>
#include <string.h>

#include "ip_pvt.h"

#define LINK_LOCAL_BITS 64

const struct ip_addr ip_all_nodes = {{0xff, 0x02, [15] = 1}};

static uint32_t family_bits(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? 32 : 128;
}

/* --- own addresses --- */

/* Multiplications do: strangers choose what is looked for, not what is there. */
static uint32_t own_place(const struct ip_addr *a)
{
	uint64_t high, low;

	memcpy(&high, a->b, sizeof(high));
	memcpy(&low, a->b + sizeof(high), sizeof(low));
	return (uint32_t)(((high * UINT64_C(0x9e3779b97f4a7c15)) ^ low) *
				  UINT64_C(0xc2b2ae3d27d4eb4f) >>
			  32);
}

struct ip_own *ip_own_slot(const struct ip_stack *ip, const struct ip_addr *a)
{
	uint32_t i = own_place(a) & ip->own_mask;

	while (ip->own[i].kind != IP_OWN_NONE && !ip_addr_eq(&ip->own[i].addr, a))
		i = (i + 1) & ip->own_mask;
	return &ip->own[i];
}

static void own_add(
	struct ip_stack *ip, const struct ip_addr *a, uint16_t iface, enum ip_own_kind kind)
{
	struct ip_own *own = ip_own_slot(ip, a);

	if (own->kind == IP_OWN_NONE)
		*own = (struct ip_own){.addr = *a, .iface = iface, .kind = (uint8_t)kind};
}

const struct ip_own *ip_own_find(const struct ip_stack *ip, const struct ip_addr *a)
{
	const struct ip_own *own = ip_own_slot(ip, a);

	return own->kind == IP_OWN_NONE || own->disabled ? NULL : own;
}

/* Groups are one for each link: here their second pair of bytes, which is zero on the wire in those
 * that we are in, tells the interface. */
static struct ip_addr own_group(const struct ip_addr *group, uint16_t iface)
{
	struct ip_addr a = *group;

	store_be16(&a.b[2], ip_zone_of_iface(iface));
	return a;
}

bool ip_group_is_ours(const struct ip_stack *ip, const struct ip_addr *group, uint16_t iface)
{
	struct ip_addr a = own_group(group, iface);
	const struct ip_own *own = load_be16(&group->b[2]) == 0 ? ip_own_find(ip, &a) : NULL;

	return own != NULL && own->kind == IP_OWN_GROUP;
}

/* All nodes, and the solicited-node group of each address (RFC 4291 2.8). */
static void groups_add(struct ip_stack *ip, const struct ip_address_config *a)
{
	struct ip_addr group = own_group(&ip_all_nodes, a->iface);

	if (ip_addr_is_v4(&a->prefix.addr))
		return;
	own_add(ip, &group, a->iface, IP_OWN_GROUP);
	group = wire_ipv6_solicited_node(&a->prefix.addr);
	group = own_group(&group, a->iface);
	own_add(ip, &group, a->iface, IP_OWN_GROUP);
}

static bool has_network(const struct ip_address_config *a)
{
	return !a->service && a->prefix.bits < family_bits(&a->prefix.addr);
}

/* The all-ones host of a network that has hosts (RFC 3021: not with 31 bits). */
static bool broadcast_of(const struct ip_address_config *a, struct ip_addr *out)
{
	uint32_t hosts;

	if (!ip_addr_is_v4(&a->prefix.addr) || !has_network(a) || a->prefix.bits > 30)
		return false;
	hosts = a->prefix.bits == 0 ? UINT32_MAX : (UINT32_C(1) << (32 - a->prefix.bits)) - 1;
	*out = ip_addr_from_v4(ip_addr_to_v4(&a->prefix.addr) | hosts);
	return true;
}

/* What the configuration says, with zones; a link-local network is at most as large as its link. */
static void address_add(struct ip_stack *ip, const struct ip_address_config *config)
{
	struct ip_address_config *a = &ip->addresses[ip->address_count++];

	*a = *config;
	a->prefix.addr = ip_addr_from_wire(&a->prefix.addr, a->iface);
	if (ip_addr_is_scoped(&a->prefix.addr))
		a->prefix.bits = MAX(a->prefix.bits, (uint8_t)LINK_LOCAL_BITS);
	if (!ip_addr_is_v4(&a->prefix.addr))
		ip->v6[a->iface].enabled = true;
}

/* RFC 4291 2.8: each interface that speaks IPv6 has one. */
static void link_local_add(struct ip_stack *ip, uint16_t iface)
{
	struct ip_addr a = wire_ipv6_link_local(ip_iface_mac(ip, iface));

	ip->v6[iface].link_local = ip_addr_from_wire(&a, iface);
	address_add(
		ip, &(struct ip_address_config){.prefix = {a, LINK_LOCAL_BITS}, .iface = iface});
}

static int addresses_init(struct ip_stack *ip, struct error *err)
{
	const struct ip_config *net = ip->net;
	size_t max = net->address_count + (size_t)net->iface_count;
	int rc = mem_region_alloc(
		&ip->address_region, MAX(max, 1UL) * sizeof(*ip->addresses), "addresses", err);

	if (rc != 0)
		return rc;
	ip->addresses = ip->address_region.base;
	for (uint32_t i = 0; i < net->address_count; i++)
		address_add(ip, &net->addresses[i]);
	for (uint32_t i = 0; i < net->iface_count; i++)
		if (ip->v6[i].enabled)
			link_local_add(ip, (uint16_t)i);
	return 0;
}

static int own_init(struct ip_stack *ip, struct error *err)
{
	const struct ip_address_config *list = ip->addresses;
	struct ip_addr broadcast;
	uint32_t size = 16;
	int rc;

	while (size < ip->address_count * 6) /* with its groups, at most half full */
		size *= 2;
	rc = mem_region_alloc(&ip->own_region, size * sizeof(*ip->own), "own addresses", err);
	if (rc != 0)
		return rc;
	ip->own = ip->own_region.base;
	ip->own_mask = size - 1;
	/* Interfaces' own first: a bind on one of them changes nothing. */
	for (uint32_t service = 0; service <= 1; service++)
		for (uint32_t i = 0; i < ip->address_count; i++)
			if (list[i].service == (service != 0))
				own_add(ip, &list[i].prefix.addr, list[i].iface, IP_OWN_ADDRESS);
	for (uint32_t i = 0; i < ip->address_count; i++) {
		if (broadcast_of(&list[i], &broadcast))
			own_add(ip, &broadcast, list[i].iface, IP_OWN_BROADCAST);
		groups_add(ip, &list[i]);
	}
	return 0;
}

/* --- routes --- */

/* Behind those with prefixes as long or longer, so that the first one named wins. */
static void route_add(struct ip_stack *ip, const struct ip_route *route)
{
	uint32_t at = ip->route_count++;

	for (; at > 0 && ip->routes[at - 1].prefix.bits < route->prefix.bits; at--)
		ip->routes[at] = ip->routes[at - 1];
	ip->routes[at] = *route;
}

static void loopback_route_add(
	struct ip_stack *ip, uint16_t iface, const struct ip_prefix *loopback)
{
	for (uint32_t i = 0; i < ip->route_count; i++)
		if (ip->routes[i].iface == iface && ip->routes[i].prefix.bits == loopback->bits &&
			ip_prefix_contains(loopback, &ip->routes[i].prefix.addr))
			return;
	route_add(ip, &(struct ip_route){.prefix = *loopback, .iface = iface});
}

/* The loopback networks are connected where they are allowed, also if no address says so. */
static void loopback_routes_add(struct ip_stack *ip, uint16_t iface)
{
	static const struct ip_prefix v6 = {{{[15] = 1}}, 128};
	const struct ip_prefix v4 = {ip_addr_from_v4(0x7f000000), 8};

	if (!ip_iface(ip, iface)->allow_loopback)
		return;
	loopback_route_add(ip, iface, &v4);
	if (ip_v6_enabled(ip, iface))
		loopback_route_add(ip, iface, &v6);
}

static int routes_init(struct ip_stack *ip, struct error *err)
{
	const struct ip_config *net = ip->net;
	size_t max = 2 * (size_t)net->iface_count + ip->address_count + net->route_count;
	int rc = mem_region_alloc(
		&ip->route_region, MAX(max, 1UL) * sizeof(*ip->routes), "routes", err);

	if (rc != 0)
		return rc;
	ip->routes = ip->route_region.base;
	for (uint32_t i = 0; i < ip->address_count; i++) {
		const struct ip_address_config *a = &ip->addresses[i];

		if (has_network(a))
			route_add(ip, &(struct ip_route){.prefix = ip_prefix_network(&a->prefix),
					      .iface = a->iface});
	}
	for (uint32_t i = 0; i < net->iface_count; i++)
		loopback_routes_add(ip, (uint16_t)i);
	for (uint32_t i = 0; i < net->route_count; i++) {
		const struct ip_route_config *r = &net->routes[i];

		route_add(ip, &(struct ip_route){.prefix = ip_prefix_network(&r->prefix),
				      .gateway = ip_addr_from_wire(&r->gateway, r->iface),
				      .iface = r->iface,
				      .configured = true});
	}
	return 0;
}

/* A zone, if it is told, must be the interface's. */
static bool zone_fits(const struct ip_addr *a, uint16_t iface)
{
	return ip_addr_zone(a) == 0 || ip_addr_zone(a) == ip_zone_of_iface(iface);
}

static int address_check(
	const struct ip_stack *ip, const struct ip_address_config *a, struct error *err)
{
	char text[IP_ADDR_TEXT_SIZE];

	ip_addr_format(&a->prefix.addr, text);
	if (a->iface >= ip->net->iface_count)
		return error_set(err, -EINVAL, "address %s: there is no such interface", text);
	if (a->prefix.bits > family_bits(&a->prefix.addr))
		return error_set(err, -EINVAL, "address %s: impossible prefix length %u", text,
			a->prefix.bits);
	if (ip_addr_is_any(&a->prefix.addr) || ip_addr_is_multicast(&a->prefix.addr))
		return error_set(err, -EINVAL, "%s cannot be the address of a machine", text);
	if (!zone_fits(&a->prefix.addr, a->iface))
		return error_set(err, -EINVAL, "address %s: its zone is another interface", text);
	/* RFC 8200 5 */
	if (!ip_addr_is_v4(&a->prefix.addr) && ip_iface(ip, a->iface)->mtu < WIRE_IPV6_MTU_MIN)
		return error_set(err, -EINVAL,
			"address %s: IPv6 needs an MTU of %u, interface %s has %u", text,
			WIRE_IPV6_MTU_MIN, ip_iface(ip, a->iface)->name,
			ip_iface(ip, a->iface)->mtu);
	return 0;
}

static int route_check(
	const struct ip_stack *ip, const struct ip_route_config *r, struct error *err)
{
	char text[IP_ADDR_TEXT_SIZE];

	ip_addr_format(&r->prefix.addr, text);
	if (r->iface >= ip->net->iface_count)
		return error_set(err, -EINVAL, "route %s: there is no such interface", text);
	if (r->prefix.bits > family_bits(&r->prefix.addr))
		return error_set(err, -EINVAL, "route %s: impossible prefix length %u", text,
			r->prefix.bits);
	if (!ip_addr_is_any(&r->gateway) &&
		ip_addr_is_v4(&r->gateway) != ip_addr_is_v4(&r->prefix.addr))
		return error_set(err, -EINVAL, "route %s: the gateway is of another family", text);
	if (!zone_fits(&r->gateway, r->iface))
		return error_set(
			err, -EINVAL, "route %s: the gateway's zone is another interface", text);
	if (ip_addr_is_scoped(&r->prefix.addr))
		return error_set(
			err, -EINVAL, "route %s: nothing routes to link-local addresses", text);
	return 0;
}

int ip_route_init(struct ip_stack *ip, struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < ip->net->address_count; i++)
		rc = address_check(ip, &ip->net->addresses[i], err);
	for (uint32_t i = 0; rc == 0 && i < ip->net->route_count; i++)
		rc = route_check(ip, &ip->net->routes[i], err);
	if (rc == 0)
		rc = addresses_init(ip, err);
	if (rc == 0)
		rc = own_init(ip, err);
	if (rc == 0)
		rc = routes_init(ip, err);
	return rc;
}

void ip_route_fini(struct ip_stack *ip)
{
	mem_region_free(&ip->address_region);
	mem_region_free(&ip->own_region);
	mem_region_free(&ip->route_region);
}

/* --- questions --- */

/* Of one machine: ours, whether it is used or not. */
static bool is_address(const struct ip_own *own)
{
	return own->kind != IP_OWN_NONE && own->kind != IP_OWN_BROADCAST &&
	       own->kind != IP_OWN_GROUP;
}

bool ip_addr_is_ours(const struct ip_stack *ip, const struct ip_addr *a)
{
	const struct ip_own *own = ip_own_find(ip, a);

	return own != NULL && is_address(own);
}

bool ip_is_on_link(const struct ip_stack *ip, const struct ip_addr *a, uint16_t iface)
{
	for (uint32_t i = 0; i < ip->route_count; i++) {
		const struct ip_route *r = &ip->routes[i];

		if (r->iface == iface &&
			(ip_addr_is_any(&r->gateway) ? ip_prefix_contains(&r->prefix, a)
						     : ip_addr_eq(&r->gateway, a)))
			return true;
	}
	return false;
}

/* Another core may be finding out whether it is free. */
static bool is_usable(const struct ip_stack *ip, const struct ip_addr *a)
{
	const struct ip_own *own = ip_own_find(ip, a);

	return own != NULL && own->kind == IP_OWN_ADDRESS;
}

static uint32_t common_bits(const struct ip_addr *a, const struct ip_addr *b)
{
	for (uint32_t i = 0; i < sizeof(a->b); i++)
		if (a->b[i] != b->b[i])
			return i * 8 + (uint32_t)__builtin_clz((uint32_t)(a->b[i] ^ b->b[i])) - 24;
	return 128;
}

/* Ranks an address as source: loopback to loopback and link-local to link-local; in the network of
 * the next hop (the smallest is best), an interface's own, a service's; and in IPv6 the one that
 * has most in common with the destination (RFC 6724 5, rules 2 and 8). */
static uint32_t source_rank(
	const struct ip_address_config *a, const struct ip_addr *to, const struct ip_addr *hop)
{
	const struct ip_addr *own = &a->prefix.addr;
	bool fits = ip_addr_is_loopback(own) == ip_addr_is_loopback(to) &&
		    ip_addr_is_scoped(own) == ip_addr_is_scoped(to);
	uint32_t rank = a->service ? 1 : 2;

	if (has_network(a) && ip_prefix_contains(&a->prefix, hop))
		rank = 3U + a->prefix.bits;
	return (fits ? UINT32_C(1) << 16 : 0) | rank << 8 |
	       (ip_addr_is_v4(to) ? 0 : common_bits(own, to));
}

bool ip_source_select(const struct ip_stack *ip, uint16_t iface, const struct ip_addr *to,
	const struct ip_addr *hop, struct ip_addr *src)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < ip->address_count; i++) {
		const struct ip_address_config *a = &ip->addresses[i];

		if (a->iface != iface || ip_addr_is_v4(&a->prefix.addr) != ip_addr_is_v4(to) ||
			source_rank(a, to, hop) <= best || !is_usable(ip, &a->prefix.addr))
			continue;
		best = source_rank(a, to, hop);
		*src = a->prefix.addr;
	}
	return best != 0;
}

static const struct ip_route *route_find(const struct ip_stack *ip, const struct ip_addr *dst)
{
	for (uint32_t i = 0; i < ip->route_count; i++)
		if (!ip->routes[i].disabled && ip_prefix_contains(&ip->routes[i].prefix, dst))
			return &ip->routes[i];
	return NULL;
}

/* What is ours may still be meant on the wire: hosts of a bench share loopback addresses. */
static bool is_on_bench(const struct ip_stack *ip, const struct ip_own *own)
{
	return ip_addr_is_loopback(&own->addr) && ip_iface(ip, own->iface)->allow_loopback;
}

/* Nobody alone answers to these: we do not send to groups. */
static bool is_one_host(const struct ip_addr *dst, const struct ip_own *own)
{
	if (own != NULL && own->kind == IP_OWN_BROADCAST)
		return false;
	if (ip_addr_is_v4(dst) && ip_addr_to_v4(dst) == UINT32_MAX)
		return false;
	return !ip_addr_is_any(dst) && !ip_addr_is_multicast(dst);
}

static int source_check(struct ip_stack *ip, const struct ip_addr *src, const struct ip_addr *dst)
{
	if (ip_addr_is_v4(src) == ip_addr_is_v4(dst) && is_usable(ip, src))
		return 0;
	ip_count(ip, IP_STAT_TX_BAD_SOURCE);
	return -EADDRNOTAVAIL;
}

static void path_set(const struct ip_stack *ip, struct ip_path *path, uint16_t iface, uint8_t flags,
	uint32_t neighbour)
{
	*path = (struct ip_path){.iface = iface,
		.loopback_to_us = path->loopback_to_us,
		.flags = flags,
		.neighbour = neighbour,
		.generation = ip->generation};
}

static int path_find_local(struct ip_stack *ip, struct ip_addr *src, const struct ip_addr *dst,
	uint16_t iface, struct ip_path *path)
{
	if (ip_addr_is_any(src))
		*src = *dst;
	path_set(ip, path, iface, IP_PATH_LOCAL, IP_NEIGHBOUR_NONE);
	return source_check(ip, src, dst);
}

static int path_find_wire(struct ip_stack *ip, struct ip_addr *src, const struct ip_addr *dst,
	uint16_t iface, const struct ip_addr *hop, struct ip_path *path)
{
	struct ip_neighbour *n;

	if (ip_addr_is_any(src))
		(void)ip_source_select(ip, iface, dst, hop, src);
	if (source_check(ip, src, dst) != 0)
		return -EADDRNOTAVAIL;
	n = neighbour_get(ip, iface, hop);
	if (n == NULL) {
		ip_count(ip, IP_STAT_TX_NO_ROUTE);
		return -ENETUNREACH;
	}
	path_set(ip, path, iface, 0, mem_pool_index(&ip->neighbour_pool, n));
	return 0;
}

int ip_path_find(
	struct ip_stack *ip, struct ip_addr *src, const struct ip_addr *dst, struct ip_path *path)
{
	const struct ip_own *own = ip_own_find(ip, dst);
	const struct ip_route *route;

	if (own != NULL && own->kind == IP_OWN_ADDRESS) {
		if (is_on_bench(ip, own) && !path->loopback_to_us)
			return path_find_wire(ip, src, dst, own->iface, dst, path);
		return path_find_local(ip, src, dst, own->iface, path);
	}
	route = is_one_host(dst, own) ? route_find(ip, dst) : NULL;
	if (route == NULL ||
		(ip_addr_is_loopback(dst) && !ip_iface(ip, route->iface)->allow_loopback)) {
		ip_count(ip, IP_STAT_TX_NO_ROUTE);
		return -ENETUNREACH;
	}
	return path_find_wire(ip, src, dst, route->iface,
		ip_addr_is_any(&route->gateway) ? dst : &route->gateway, path);
}

/* --- changes --- */

void ip_paths_forget(struct ip_stack *ip)
{
	ip->generation = ip->generation == UINT32_MAX ? 1 : ip->generation + 1;
}

static bool is_same_gateway(const struct ip_route *r, const struct ip_addr *gateway)
{
	struct ip_addr a = ip_addr_from_wire(gateway, r->iface);

	return ip_addr_eq(&r->gateway, &a) ||
	       (ip_addr_is_any(&r->gateway) && ip_addr_is_any(gateway));
}

int ip_route_set_enabled(struct ip_stack *ip, const struct ip_route_config *route, bool enabled)
{
	struct ip_prefix prefix = ip_prefix_network(&route->prefix);
	int rc = -ENOENT;

	for (uint32_t i = 0; i < ip->route_count; i++) {
		struct ip_route *r = &ip->routes[i];

		if (!r->configured || r->prefix.bits != prefix.bits ||
			!ip_addr_eq(&r->prefix.addr, &prefix.addr) ||
			!is_same_gateway(r, &route->gateway))
			continue;
		r->disabled = !enabled;
		rc = 0;
	}
	if (rc == 0)
		ip_paths_forget(ip);
	return rc;
}

int ip_address_set_enabled(struct ip_stack *ip, const struct ip_addr *addr, bool enabled)
{
	struct ip_own *own = ip_own_slot(ip, addr);

	if (own->kind == IP_OWN_NONE || own->kind == IP_OWN_BROADCAST)
		return -ENOENT;
	if (own->disabled != enabled)
		return 0;
	own->disabled = !enabled;
	ip_paths_forget(ip);
	if (!ip_addr_is_v4(addr))
		ip_dad_changed(ip, own);
	else if (enabled && ip->worker->index == IP_DAD_CORE)
		arp_announce(ip, own->iface, addr);
	return 0;
}

/* --- answers --- */

uint16_t ip_path_mtu(const struct ip_stack *ip, const struct ip_path *path)
{
	return ip_iface(ip, path->iface)->mtu;
}

uint32_t ip_path_caps(const struct ip_stack *ip, const struct ip_path *path)
{
	/* Memory needs no checksum and no cutting. */
	if (path->flags & IP_PATH_LOCAL)
		return PORT_CAP_TX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM | PORT_CAP_TX_MULTI_SEG |
		       PORT_CAP_TX_TSO;
	return ip_iface_port(ip, path->iface)->port->caps;
}

void ip_route_each(
	const struct ip_stack *ip, bool (*fn)(void *ctx, const struct ip_route_info *r), void *ctx)
{
	for (uint32_t i = 0; i <= ip->own_mask; i++) {
		const struct ip_own *own = &ip->own[i];
		struct ip_route_info info = {
			.prefix = {own->addr, (uint8_t)family_bits(&own->addr)},
			.iface = own->iface,
			.local = true,
			.disabled = own->disabled,
			.tentative = own->kind == IP_OWN_TENTATIVE,
			.duplicate = own->kind == IP_OWN_DUPLICATE};

		if (is_address(own) && !fn(ctx, &info))
			return;
	}
	for (uint32_t i = 0; i < ip->route_count; i++) {
		struct ip_route_info info = {.prefix = ip->routes[i].prefix,
			.gateway = ip->routes[i].gateway,
			.iface = ip->routes[i].iface,
			.disabled = ip->routes[i].disabled};

		if (!fn(ctx, &info))
			return;
	}
}
