/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "sim_host.h"

#define MUST(expr) ASSERT((expr) == 0)

static void port_init(struct host *h, struct sim_net *net, const struct host_config *config)
{
	struct sim_port_config port = {
		.name = config->number == 1 ? "port1" : "port2",
		.index = (uint16_t)(config->number - 1),
		.mac = {{2, 0, 0, 0, 0, (uint8_t)config->number}},
		.queues = (uint16_t)(config->rss ? config->cores : 1),
		.steer = config->rss ? &h->steer : NULL,
		.caps = PORT_CAP_TX_MULTI_SEG,
		.pools = h->pools,
	};

	h->port = sim_port_create(net, &port, NULL);
	ASSERT(h->port != NULL);
	if (!config->rss) {
		h->tx_ring = ring_create("sim tx", 1023, sizeof(struct rte_mbuf *), NULL);
		ASSERT(h->tx_ring != NULL);
	}
}

static void core_init(
	struct host *h, struct clock_manual *clock, const struct host_config *config, uint32_t core)
{
	struct worker_config worker = {
		.name = "worker",
		.index = core,
		.cores = config->cores,
		.clock = &clock->clock,
		.seed = config->seed + core,
		.mailbox_count = 255,
		.log_ring_bytes = 65536,
	};
	struct ip_stack_config ip = {
		.steer = &h->steer,
		.net = &h->net,
		.ports = &h->ports[core],
		.port_count = 1,
		.pools = h->pools[core],
	};
	uint16_t queue = config->rss || core == 0 ? (uint16_t)core : UINT16_MAX;

	h->w[core] = worker_create(&worker, NULL);
	ASSERT(h->w[core] != NULL);
	ip.worker = h->w[core];
	MUST(port_core_init(&h->ports[core], h->port, h->pools[core], queue, queue, h->tx_ring));
	h->ip[core] = ip_stack_create(&ip, NULL);
	ASSERT(h->ip[core] != NULL);
}

static void address_init(struct host *h, const struct host_config *config)
{
	if (config->v6) {
		h->addr = (struct ip_addr){.b = {0x20, 0x01, 0x0d, 0xb8}};
		h->addr.b[15] = (uint8_t)config->number;
	} else {
		h->any = ip_addr_from_v4(0);
		h->addr = ip_addr_from_v4(0x0a000000 + config->number);
	}
	h->address = (struct ip_address_config){.prefix = {h->addr, config->v6 ? 64 : 24}};
}

void host_init(struct host *h, struct sim_net *net, struct clock_manual *clock,
	const struct host_config *config, struct pkt_pools *pools)
{
	*h = (struct host){.cores = config->cores};
	address_init(h, config);
	h->iface = (struct ip_iface_config){.name = "lan", .mtu = 1500};
	h->net = (struct ip_config){
		.iface_count = 1,
		.address_count = 1,
		.ifaces = &h->iface,
		.addresses = &h->address,
	};
	if (config->route) {
		h->route = *config->route;
		h->net.routes = &h->route;
		h->net.route_count = 1;
	}
	if (config->net) {
		h->net = *config->net;
		h->net.iface_count = 1;
		h->net.ifaces = &h->iface;
		h->addr = h->net.addresses[0].prefix.addr;
	}
	steer_init(&h->steer, config->cores);
	for (uint32_t i = 0; i < config->cores; i++)
		h->pools[i] = &pools[i];
	port_init(h, net, config);
	for (uint32_t i = 0; i < config->cores; i++)
		core_init(h, clock, config, i);
	worker_connect(h->w, h->cores);
	MUST(ip_stack_connect(h->ip, h->cores, NULL));
	if (config->udp) {
		h->udp = udp_create(h->w[0], h->ip[0], &h->steer, h->pools[0], 4, NULL);
		ASSERT(h->udp != NULL);
	}
	(void)host_poll(h); /* so that the workers know the time */
	for (uint32_t i = 0; i < config->cores; i++) {
		h->tcp[i] =
			tcp_create(h->w[i], h->ip[i], &h->steer, h->pools[i], &config->tcp, NULL);
		ASSERT(h->tcp[i] != NULL);
		h->options = (uint8_t)tcp_options_add(h->tcp[i], &config->options, NULL);
		MUST(ip_stack_start(h->ip[i], NULL));
	}
}

uint32_t host_poll(struct host *h)
{
	uint32_t work = 0;

	for (uint32_t i = 0; i < h->cores; i++)
		work += worker_poll(h->w[i], 0);
	return work;
}

uint64_t host_next_at(const struct host *h)
{
	uint64_t next = TIMER_NEVER;

	for (uint32_t i = 0; i < h->cores; i++)
		next = MIN(next, timer_wheel_next(&h->w[i]->timers));
	return next;
}

uint32_t host_left(const struct host *h)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < h->cores; i++) {
		list_for_each (link, &h->w[i]->pools) {
			const struct mem_pool *pool = list_entry(link, struct mem_pool, link);

			if (strcmp(pool->name, "tcp listeners") != 0 &&
				strncmp(pool->name, "tcp ", 4) == 0)
				left += pool->count_used;
		}
	}
	return left;
}

static uint64_t module_sum(const struct host *h, const char *module, uint32_t stat)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < h->cores; i++) {
		list_for_each (link, &h->w[i]->groups) {
			const struct stat_group *group = list_entry(link, struct stat_group, link);

			if (strcmp(group->module, module) == 0)
				sum += group->values[stat];
		}
	}
	return sum;
}

uint64_t host_stat(const struct host *h, enum tcp_stat stat)
{
	return module_sum(h, "tcp", stat);
}

uint64_t host_ip_stat(const struct host *h, enum ip_stat stat)
{
	return module_sum(h, "ip", stat);
}

void host_fini(struct host *h)
{
	for (uint32_t i = 0; i < h->cores; i++) {
		tcp_destroy(h->tcp[i]);
		h->w[i]->poller_count = 0;
		ip_neighbour_flush(h->ip[i]);
	}
	for (uint32_t i = 0; i < h->cores; i++)
		worker_destroy(h->w[i]);
	udp_destroy(h->udp);
	for (uint32_t i = 0; i < h->cores; i++)
		ip_stack_destroy(h->ip[i]);
	for (uint32_t i = 0; i < h->cores; i++)
		port_core_fini(&h->ports[i]);
	ring_destroy(h->tx_ring);
}
