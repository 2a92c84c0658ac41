/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet that belongs to another core travels as a struct ip_packet by value, parsed and
 * checked: the owner need not read headers that are cold in its cache. Packets to ourselves take
 * the same way, by a ring of their own, so that nothing is handled inside ip_send.
 */
#include <errno.h>
#include <stdio.h>

#include "ip_pvt.h"

#define PORTS_BYTES 4

int ip_steer_init(struct ip_stack *ip, struct error *err)
{
	char name[32];

	snprintf(name, sizeof(name), "ip in %u", ip->worker->index);
	ip->in = ring_create(name, IP_RING_COUNT, sizeof(struct ip_packet), err);
	snprintf(name, sizeof(name), "ip local %u", ip->worker->index);
	if (ip->in != NULL)
		ip->local = ring_create(name, IP_LOCAL_COUNT, sizeof(struct ip_packet), err);
	return ip->local == NULL ? -ENOMEM : 0;
}

static void ring_drain(struct ring *ring)
{
	struct ip_packet packet;

	while (ring != NULL && ring_take(ring, &packet, 1) == 1)
		pkt_free(packet.m);
	ring_destroy(ring);
}

void ip_steer_fini(struct ip_stack *ip)
{
	ring_drain(ip->in);
	ring_drain(ip->local);
	mem_region_free(&ip->handover_region);
}

int ip_steer_connect(
	struct ip_stack *ip, struct ip_stack *const *all, uint32_t count, struct error *err)
{
	uint32_t workers = ip->steer->workers;
	int rc;

	if (count > WORKER_CORES_MAX || (count != workers && count != workers + 1))
		return error_set(err, -EINVAL, "%u cores do not fit steering for %u workers", count,
			workers);
	rc = mem_region_alloc(&ip->handover_region, count * sizeof(*ip->handovers),
		"packets for other cores", err);
	if (rc != 0)
		return rc;
	ip->handovers = ip->handover_region.base;
	ip->core_count = count;
	ip->control_core = count - 1;
	for (uint32_t i = 0; i < count; i++)
		ip->cores[i] = all[i];
	return 0;
}

uint32_t ip_steer_core(
	const struct ip_stack *ip, const struct endpoint *local, const struct endpoint *remote)
{
	if (ip->core_count <= 1)
		return ip->worker->index;
	if (steer_is_control_port(ip->steer, local->port))
		return ip->control_core;
	return steer_core(ip->steer, local, remote);
}

bool ip_flow_is_ours(
	const struct ip_stack *ip, const struct endpoint *local, const struct endpoint *remote)
{
	return ip_steer_core(ip, local, remote) == ip->worker->index;
}

bool ip_port_is_ours(const struct ip_stack *ip, uint16_t port)
{
	if (ip->core_count <= 1)
		return true;
	if (steer_is_control_port(ip->steer, port))
		return ip->worker->index == ip->control_core;
	return ip->steer->workers == 1 && ip->worker->index == 0;
}

static bool has_ports(const struct ip_packet *packet)
{
	return (packet->proto == WIRE_PROTO_TCP || packet->proto == WIRE_PROTO_UDP) &&
	       packet->m->data_len >= PORTS_BYTES;
}

uint32_t ip_steer_core_of_packet(const struct ip_stack *ip, const struct ip_packet *packet)
{
	const uint8_t *l4 = rte_pktmbuf_mtod(packet->m, const uint8_t *);
	struct endpoint remote = {.addr = packet->src};
	struct endpoint local = {.addr = packet->dst};

	if (ip->core_count <= 1 || !has_ports(packet))
		return ip->worker->index;
	remote.port = load_be16(l4);
	local.port = load_be16(l4 + 2);
	return ip_steer_core(ip, &local, &remote);
}

static bool device_steers(const struct port *port, const struct ip_packet *packet)
{
	if (ip_addr_is_v4(&packet->dst))
		return port->caps & PORT_CAP_RSS;
	return (port->caps & PORT_CAP_RSS_IPV6) && packet->m->l3_len == WIRE_IPV6_BYTES;
}

uint32_t ip_steer_core_of_rx(
	const struct ip_stack *ip, const struct ip_packet *packet, const struct port *port)
{
	const uint8_t *l4 = rte_pktmbuf_mtod(packet->m, const uint8_t *);

	/* The device did it for us, but it does not know the ports of the control core, perhaps not
	 * IPv6, and what it looks at behind extension headers differs. */
	if (device_steers(port, packet) && ip->worker->index < ip->steer->workers &&
		has_ports(packet) && !steer_is_control_port(ip->steer, load_be16(l4 + 2)))
		return ip->worker->index;
	return ip_steer_core_of_packet(ip, packet);
}

static void put(struct ip_stack *ip, struct ring *ring, struct ip_packet *packets, uint32_t n)
{
	for (uint32_t i = ring_put(ring, packets, n); i < n; i++)
		ip_drop(ip, IP_STAT_STEER_FULL, packets[i].m);
}

static void handover_flush(struct ip_stack *ip, uint32_t core)
{
	struct ip_handover *h = &ip->handovers[core];

	put(ip, ip->cores[core]->in, h->packets, h->count);
	h->count = 0;
}

void ip_steer_give(struct ip_stack *ip, uint32_t core, struct ip_packet *packet)
{
	struct ip_handover *h;

	if (core == ip->worker->index) {
		put(ip, ip->local, packet, 1);
		return;
	}
	h = &ip->handovers[core];
	h->packets[h->count++] = *packet;
	ip_count(ip, IP_STAT_STEERED_OUT);
	if (h->count == ARRAY_LEN(h->packets))
		handover_flush(ip, core);
}

uint32_t ip_steer_flush(struct ip_stack *ip)
{
	uint32_t given = 0;

	for (uint32_t core = 0; core < ip->core_count; core++) {
		given += ip->handovers[core].count;
		if (ip->handovers[core].count > 0)
			handover_flush(ip, core);
	}
	return given;
}

static uint32_t take(struct ip_stack *ip, struct ring *ring, uint32_t budget)
{
	struct ip_packet packets[PKT_BURST_MAX];
	uint32_t done = 0;
	uint32_t n;

	do {
		n = ring_take(
			ring, packets, (uint32_t)MIN(budget - done, (uint32_t)ARRAY_LEN(packets)));
		for (uint32_t i = 0; i < n; i++)
			ip_deliver(ip, &packets[i]);
		done += n;
	} while (n == ARRAY_LEN(packets) && done < budget);
	return done;
}

uint32_t ip_steer_take(struct ip_stack *ip, uint32_t budget)
{
	uint32_t local = take(ip, ip->local, budget / 2);
	uint32_t steered = take(ip, ip->in, budget - local);

	stat_add(&ip->stats[IP_STAT_STEERED_IN], steered);
	return local + steered;
}
