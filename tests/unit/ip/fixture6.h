/* SPDX-License-Identifier: BSD-3-Clause */
/* One core with one port and one IPv6 address, and what TCP gets there. */
#ifndef WEIR_TESTS_IP_FIXTURE6_H
#define WEIR_TESTS_IP_FIXTURE6_H

#include "check.h"

#include "fake_eal.h"
#include "fake_frame.h"
#include "fake_port.h"
#include "fake_worker.h"
#include "ip.h"
#include "wire_ipv6.h"

#define POOL_COUNT 2047
#define PART_MAX   65536
#define SETTLE_NS  (5 * NS_PER_SEC) /* our address is ours then */

struct machine {
	struct fake_workers *f;
	struct steer steer;
	struct fake_port port;
	struct pkt_pools pools;
	struct port_core ports;
	struct ip_stack *ip;
	struct ip_iface_config iface;
	struct ip_address_config address;
	struct ip_config net;
	uint32_t count;
	struct ip_packet packet; /* the last that TCP got */
	uint8_t part[PART_MAX];  /* a header of TCP, then a pattern */
};

static struct ip_addr us, peer;

static inline void on_packets(void *ctx, struct ip_packet *packets, uint32_t n)
{
	struct machine *m = ctx;

	assert_int_equal(n, 1);
	m->packet = packets[0];
	m->count++;
}

static inline void discard(struct machine *m)
{
	struct rte_mbuf *sent;

	while ((sent = fake_port_sent(&m->port)) != NULL)
		pkt_free(sent);
}

static inline int setup_tentative(void **state)
{
	struct machine *m = test_calloc(1, sizeof(*m));
	struct wire_tcp tcp = {.src_port = 5000, .dst_port = 80, .flags = WIRE_TCP_ACK};
	struct ip_stack_config config = {.steer = &m->steer,
		.net = &m->net,
		.ports = &m->ports,
		.port_count = 1,
		.pools = &m->pools};
	struct error err = {0};

	fake_eal_init();
	us = fake_addr("fd00:9::1");
	peer = fake_addr("fd00:9::2");
	m->f = fake_workers_create(1);
	steer_init(&m->steer, 1);
	fake_port_init(&m->port, PORT_CAP_TX_MULTI_SEG, 1);
	m->iface = (struct ip_iface_config){.name = "lan", .mtu = 1500, .dad_transmits = 1};
	m->address = (struct ip_address_config){.prefix = {us, 64}};
	m->net = (struct ip_config){.iface_count = 1,
		.ifaces = &m->iface,
		.address_count = 1,
		.addresses = &m->address};
	assert_int_equal(pkt_pools_init(&m->pools, "net6", POOL_COUNT, POOL_COUNT, -1, &err), 0);
	assert_int_equal(port_core_init(&m->ports, &m->port.port, &m->pools, 0, 0, NULL), 0);
	config.worker = m->f->w[0];
	m->ip = ip_stack_create(&config, &err);
	if (m->ip == NULL)
		fail_msg("%s", err.text);
	ip_proto_set(m->ip, WIRE_PROTO_TCP, on_packets, NULL, m);
	assert_int_equal(ip_stack_start(m->ip, &err), 0);
	ip_announce(m->ip);
	for (uint32_t i = 0; i < PART_MAX; i++)
		m->part[i] = (uint8_t)(i * 7 + i / 256);
	wire_tcp_emit(m->part, &tcp);
	*state = m;
	return 0;
}

/* As setup_tentative, and the address is known to be ours alone. */
static inline int setup(void **state)
{
	struct machine *m;

	setup_tentative(state);
	m = *state;
	fake_workers_run_for(m->f, SETTLE_NS);
	discard(m);
	return 0;
}

static inline int teardown(void **state)
{
	struct machine *m = *state;

	fake_workers_settle(m->f);
	ip_neighbour_flush(m->ip);
	ip_fragments_flush(m->ip);
	fake_workers_destroy(m->f);
	ip_stack_destroy(m->ip);
	port_core_fini(&m->ports);
	fake_port_fini(&m->port);
	assert_int_equal(pkt_pools_fini(&m->pools), 0);
	test_free(m);
	return 0;
}

static inline uint64_t stat_of(struct machine *m, enum ip_stat stat)
{
	return stat_group_find(&m->f->w[0]->groups, "ip")->values[stat];
}

#endif
