/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "micro.h"

#define BUFFERS    8191
#define RING_COUNT 1024

void micro_fail(const char *what)
{
	fprintf(stderr, "micro: %s\n", what);
	exit(2);
}

/* --- the pair ---------------------------------------------------------------------- */

static uint16_t burst_in(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct engine *e = port->impl;

	return rte_eth_rx_burst(e->near_id, queue, pkts, n);
}

static uint16_t burst_out(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct engine *e = port->impl;

	return rte_eth_tx_burst(e->near_id, queue, pkts, n);
}

static bool link_is_up(struct port *port)
{
	(void)port;
	return true;
}

static const struct port_ops pair_ops = {
	.driver = "net_ring",
	.rx_burst = burst_in,
	.tx_burst = burst_out,
	.link_is_up = link_is_up,
};

static uint16_t make_end(
	const char *name, struct rte_ring *in, struct rte_ring *out, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {0};
	int id = rte_eth_from_rings(name, &in, 1, &out, 1, 0);

	if (id < 0 || rte_eth_dev_configure((uint16_t)id, 1, 1, &conf) != 0 ||
		rte_eth_rx_queue_setup((uint16_t)id, 0, 0, 0, NULL, pool) != 0 ||
		rte_eth_tx_queue_setup((uint16_t)id, 0, 0, 0, NULL) != 0 ||
		rte_eth_dev_start((uint16_t)id) != 0)
		micro_fail("no pair of net_ring ports");
	return (uint16_t)id;
}

static void make_pair(struct engine *e)
{
	struct rte_ring *to =
		rte_ring_create("to", RING_COUNT, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	struct rte_ring *from =
		rte_ring_create("from", RING_COUNT, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);

	if (!to || !from)
		micro_fail("no rings");
	e->near_id = make_end("near", to, from, e->pools.data);
	e->far_id = make_end("far", from, to, e->pools.data);
	e->port = (struct port){.ops = &pair_ops,
		.impl = e,
		.name = "lan0",
		.rx_queues = 1,
		.tx_queues = 1,
		.mtu = 1500,
		.caps = PORT_CAP_RX_IP_CHECKSUM | PORT_CAP_RX_L4_CHECKSUM |
			PORT_CAP_TX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM | PORT_CAP_TX_MULTI_SEG,
		.mac = {{2, 0, 0, 0, 0, 1}}};
}

/* --- the owner of the connections: a request is thrown away, an answer written ------ */

static bool on_accept(void *user, struct tcp_conn *conn)
{
	tcp_conn_set_user(conn, user);
	tcp_conn_set_keepalive(conn, true);
	return true;
}

static void on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	static const char text[MICRO_RESPONSE];
	struct engine *e = user;
	struct pkt_chain c = {0};

	(void)events;
	if (tcp_conn_recv(conn, &c, UINT32_MAX) == 0)
		return;
	pkt_chain_free(&c);
	pkt_chain_write(&c, bytes_of(text, sizeof(text)), &e->pools);
	tcp_conn_send(conn, &c, c.bytes);
	pkt_chain_free(&c);
	e->requests++;
}

static const struct tcp_owner_ops owner_ops = {on_accept, on_event};

/* --- life -------------------------------------------------------------------------- */

static void start_eal(void)
{
	char prefix[64];
	char *argv[] = {"micro", "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf",
		"--iova-mode=va", "-m", "128", "--log-level=error", prefix, "--lcores=0", NULL};
	cpu_set_t cpus;

	snprintf(prefix, sizeof(prefix), "--file-prefix=micro-%d", (int)getpid());
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 ||
		rte_eal_init((int)ARRAY_LEN(argv) - 1, argv) < 0 ||
		sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		micro_fail("EAL does not start");
}

static const struct ip_iface_config ifaces[] = {{.name = "lan0", .mtu = 1500}};

static void make_stack(struct engine *e)
{
	static struct ip_address_config addresses[1];
	static const struct ip_config net = {
		.iface_count = 1, .address_count = 1, .ifaces = ifaces, .addresses = addresses};
	struct ip_stack_config ip = {.worker = e->worker,
		.steer = &e->steer,
		.net = &net,
		.ports = &e->port_core,
		.port_count = 1,
		.pools = &e->pools};
	struct tcp_config tcp = {.conns_max = MICRO_CONNS_MAX,
		.time_wait_max = 1024,
		.half_open_max = 1024,
		.listeners_max = 4,
		.secret = {1, 2}};
	struct tcp_listen_config listen = {
		.local = {ip_addr_from_v4(0), MICRO_PORT}, .ops = &owner_ops, .user = e};

	addresses[0].prefix = (struct ip_prefix){peer_server(), 8};
	e->ip = ip_stack_create(&ip, NULL);
	if (!e->ip)
		micro_fail("no stack");
	e->tcp = tcp_create(e->worker, e->ip, &e->steer, &e->pools, &tcp, NULL);
	if (!e->tcp || ip_stack_start(e->ip, NULL) != 0)
		micro_fail("no stack");
	e->listener = tcp_listen(e->tcp, &listen, NULL);
	if (!e->listener)
		micro_fail("no listener");
}

void engine_init(struct engine *e)
{
	struct worker_config config = {
		.name = "worker", .cores = 1, .clock = &e->clock.clock, .seed = 1};

	start_eal();
	if (pkt_pools_init(&e->pools, "micro", BUFFERS, BUFFERS, SOCKET_ID_ANY, NULL) != 0)
		micro_fail("no buffers");
	make_pair(e);
	steer_init(&e->steer, 1);
	clock_manual_init(&e->clock, 1000 * NS_PER_SEC);
	e->worker = worker_create(&config, NULL);
	if (!e->worker || port_core_init(&e->port_core, &e->port, &e->pools, 0, 0, NULL) != 0)
		micro_fail("no worker");
	worker_connect(&e->worker, 1);
	make_stack(e);
}

void engine_settle(struct engine *e)
{
	while (worker_poll(e->worker, 0) > 0)
		;
}

void engine_fini(struct engine *e)
{
	tcp_destroy(e->tcp);
	worker_destroy(e->worker);
	ip_stack_destroy(e->ip);
	port_core_fini(&e->port_core);
	rte_eth_dev_stop(e->near_id);
	rte_eth_dev_stop(e->far_id);
	pkt_pools_fini(&e->pools);
	rte_eal_cleanup();
}
