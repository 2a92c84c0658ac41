/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_eal.h"
#include "fake_net.h"

#define POOL_COUNT 2047

static const struct ip_iface_config ifaces[] = {
	{.name = "lan", .mtu = 1500},
	{.name = "vlan7", .vlan = 7, .mtu = 1496},
	{.name = "bench", .vlan = 9, .mtu = 1500, .allow_loopback = true},
};

static const struct ip_address_config addresses[] = {
	{.prefix = {FAKE_V4(10, 0, 0, 1), 24}},
	{.prefix = {FAKE_V4(10, 0, 0, 80), 32}, .service = true},
	{.prefix = {FAKE_V4(10, 7, 0, 1), 24}, .iface = 1},
	{.prefix = {FAKE_V4(127, 0, 0, 2), 8}, .iface = 2},
};

static const struct ip_route_config routes[] = {
	{.prefix = {FAKE_V4(0, 0, 0, 0), 0}, .gateway = FAKE_V4(10, 0, 0, 254)},
};

static const struct ip_config config = {
	.iface_count = ARRAY_LEN(ifaces),
	.address_count = ARRAY_LEN(addresses),
	.route_count = ARRAY_LEN(routes),
	.ifaces = ifaces,
	.addresses = addresses,
	.routes = routes,
};

static void core_init(struct fake_net *net, uint32_t core)
{
	bool own_queue = (net->port.port.caps & PORT_CAP_RSS) || core == 0;
	uint16_t queue = own_queue ? (uint16_t)core : PORT_NO_QUEUE;
	struct ip_stack_config stack = {
		.worker = net->f->w[core],
		.steer = &net->steer,
		.net = &net->config,
		.ports = &net->ports[core],
		.port_count = 1,
		.pools = &net->pools[core],
	};
	struct error err = {0};
	char name[16];

	snprintf(name, sizeof(name), "net%u", core);
	assert_int_equal(
		pkt_pools_init(&net->pools[core], name, POOL_COUNT, POOL_COUNT, -1, &err), 0);
	assert_int_equal(port_core_init(&net->ports[core], &net->port.port, &net->pools[core],
				 queue, queue, net->tx_ring),
		0);
	net->ip[core] = ip_stack_create(&stack, &err);
	if (net->ip[core] == NULL)
		fail_msg("%s", err.text);
}

struct fake_net *fake_net_create(uint32_t workers, bool control, uint32_t caps)
{
	struct fake_net *net = calloc(1, sizeof(*net));
	uint16_t queues;

	assert_non_null(net);
	fake_eal_init();
	net->count = workers + control;
	assert_true(net->count <= FAKE_NET_CORES_MAX);
	net->f = fake_workers_create(net->count);
	net->config = config;
	steer_init(&net->steer, workers);
	queues = caps & PORT_CAP_RSS ? (uint16_t)net->count : 1;
	fake_port_init(&net->port, caps, queues);
	if (!(caps & PORT_CAP_RSS)) {
		net->tx_ring = ring_create("fake tx", 255, sizeof(struct rte_mbuf *), NULL);
		assert_non_null(net->tx_ring);
	}
	for (uint32_t i = 0; i < net->count; i++)
		core_init(net, i);
	assert_int_equal(ip_stack_connect(net->ip, net->count, NULL), 0);
	return net;
}

void fake_net_start(struct fake_net *net)
{
	for (uint32_t i = 0; i < net->count; i++)
		assert_int_equal(ip_stack_start(net->ip[i], NULL), 0);
}

void fake_net_stop(struct fake_net *net)
{
	fake_workers_settle(net->f);
	for (uint32_t i = 0; i < net->count; i++) {
		ip_neighbour_flush(net->ip[i]);
		ip_fragments_flush(net->ip[i]);
	}
	fake_workers_destroy(net->f);
}

void fake_net_destroy(struct fake_net *net)
{
	for (uint32_t i = 0; i < net->count; i++)
		ip_stack_destroy(net->ip[i]);
	for (uint32_t i = 0; i < net->count; i++)
		port_core_fini(&net->ports[i]);
	ring_destroy(net->tx_ring);
	fake_port_fini(&net->port);
	for (uint32_t i = 0; i < net->count; i++)
		assert_int_equal(pkt_pools_fini(&net->pools[i]), 0);
	free(net);
}

void fake_net_receive(struct fake_net *net, struct rte_mbuf *m)
{
	fake_port_receive(&net->port, m);
	fake_workers_settle(net->f);
}

void fake_net_arp_reply(struct fake_net *net, const char *addr, const struct wire_mac *mac)
{
	struct wire_arp arp = {
		.op = WIRE_ARP_REPLY,
		.sender_mac = *mac,
		.sender = fake_addr(addr),
		.target_mac = fake_mac_port,
		.target = fake_addr("10.0.0.1"),
	};

	fake_net_receive(net, fake_frame_arp(&net->pools[0], &arp, 0));
}

bool fake_net_sent(struct fake_net *net, struct fake_read *out, uint8_t *copy)
{
	struct rte_mbuf *m = fake_port_sent(&net->port);

	if (m == NULL)
		return false;
	fake_frame_read(m, out);
	assert_true(out->l4_bytes <= FAKE_NET_COPY_BYTES);
	if (out->l4 != NULL) {
		memcpy(copy, out->l4, out->l4_bytes);
		out->l4 = copy;
	}
	rte_pktmbuf_free(m);
	return true;
}

uint32_t fake_net_discard(struct fake_net *net)
{
	struct rte_mbuf *m;
	uint32_t count = 0;

	for (; (m = fake_port_sent(&net->port)) != NULL; count++)
		rte_pktmbuf_free(m);
	return count;
}

static void sink_packets(void *ctx, struct ip_packet *packets, uint32_t n)
{
	struct fake_sink *sink = ctx;

	assert_true(sink->count + n <= FAKE_SINK_MAX);
	memcpy(&sink->packets[sink->count], packets, n * sizeof(*packets));
	sink->count += n;
	sink->calls++;
}

static void sink_error(void *ctx, const struct ip_icmp_error *error)
{
	struct fake_sink *sink = ctx;

	sink->error = *error;
	sink->error_count++;
}

void fake_sink_set(struct fake_sink *sink, struct ip_stack *ip, uint8_t proto)
{
	ip_proto_set(ip, proto, sink_packets, sink_error, sink);
}

void fake_sink_clear(struct fake_sink *sink)
{
	for (uint32_t i = 0; i < sink->count; i++)
		pkt_free(sink->packets[i].m);
	*sink = (struct fake_sink){0};
}
