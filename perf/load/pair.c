/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <errno.h>
#include <stdio.h>

#include <rte_ring.h>

#include "dpdk.h"

#define RING_COUNT 1024 /* as many descriptors as weir asks a card for */
#define REFILL     64

struct pair {
	struct port port;
	struct pkt_pools *pools;
	struct rte_ring *posted; /* to the load: empty buffers of weir's */
	struct rte_ring *in;     /* to weir: frames */
	struct rte_ring *out;    /* to the load: frames */
	struct rte_ring *done;   /* to weir: those that have been read */
	uint32_t posted_count;   /* weir's: buffers that have not come back filled */
	struct wire wire;
};

static struct pair pair;

/* --- weir's side ------------------------------------------------------------------- */

static void free_done(struct pair *p)
{
	struct rte_mbuf *pkts[REFILL];
	uint32_t n = rte_ring_sc_dequeue_burst(p->done, (void **)pkts, REFILL, NULL);

	for (uint32_t i = 0; i < n; i++)
		rte_pktmbuf_free(pkts[i]);
}

static void post(struct pair *p)
{
	struct rte_mbuf *pkts[REFILL];

	if (p->posted_count > RING_COUNT - 1 - REFILL ||
		rte_pktmbuf_alloc_bulk(p->pools->data, pkts, REFILL) != 0)
		return;
	p->posted_count += rte_ring_sp_enqueue_bulk(p->posted, (void **)pkts, REFILL, NULL);
}

static uint16_t rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct pair *p = port->impl;
	uint32_t got = rte_ring_sc_dequeue_burst(p->in, (void **)pkts, n, NULL);

	(void)queue;
	p->posted_count -= got;
	free_done(p);
	post(p);
	return (uint16_t)got;
}

static uint16_t tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct pair *p = port->impl;

	(void)queue;
	return (uint16_t)rte_ring_sp_enqueue_burst(p->out, (void **)pkts, n, NULL);
}

static bool link_is_up(struct port *port)
{
	(void)port;
	return true;
}

static void stats_read(struct port *port, struct port_device_stats *out)
{
	(void)port;
	*out = (struct port_device_stats){0};
}

static void drain(struct rte_ring *ring)
{
	struct rte_mbuf *m;

	while (rte_ring_sc_dequeue(ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

static void destroy(struct port *port)
{
	struct pair *p = port->impl;

	drain(p->posted);
	drain(p->in);
	drain(p->out);
	drain(p->done);
}

static const struct port_ops ops = {
	.driver = "pair",
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.link_is_up = link_is_up,
	.stats_read = stats_read,
	.destroy = destroy,
};

/* --- the load's side --------------------------------------------------------------- */

static struct rte_mbuf *wire_alloc(void *ctx)
{
	struct pair *p = ctx;
	struct rte_mbuf *m;

	return rte_ring_sc_dequeue(p->posted, (void **)&m) == 0 ? m : NULL;
}

static void wire_release(void *ctx, struct rte_mbuf *m)
{
	struct pair *p = ctx;

	while (rte_ring_sp_enqueue(p->done, m) != 0)
		rte_pause();
}

static uint16_t wire_receive(void *ctx, struct rte_mbuf **pkts, uint16_t n)
{
	struct pair *p = ctx;

	return (uint16_t)rte_ring_sc_dequeue_burst(p->out, (void **)pkts, n, NULL);
}

static uint16_t wire_send(void *ctx, struct rte_mbuf **pkts, uint16_t n)
{
	struct pair *p = ctx;

	for (uint16_t i = 0; i < n; i++)
		pkts[i]->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return (uint16_t)rte_ring_sp_enqueue_burst(p->in, (void **)pkts, n, NULL);
}

const struct wire *pair_wire(void)
{
	return pair.wire.ctx ? &pair.wire : NULL;
}

/* --- in the place of drivers/net/dpdk/port.c ---------------------------------------- */

static struct rte_ring *make_ring(const char *name)
{
	return rte_ring_create(name, RING_COUNT, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

struct port *dpdk_port_create(
	struct dpdk_eal *eal, const struct dpdk_port_config *config, struct error *err)
{
	struct pair *p = &pair;

	(void)eal;
	if (p->wire.ctx) {
		error_set(err, -EEXIST, "there is one pair only");
		return NULL;
	}
	*p = (struct pair){
		.pools = config->pools[0],
		.posted = make_ring("posted"),
		.in = make_ring("in"),
		.out = make_ring("out"),
		.done = make_ring("done"),
		.port = {.ops = &ops,
			.impl = p,
			.index = config->index,
			.rx_queues = 1,
			.tx_queues = 1,
			.mtu = 1500,
			.caps = PORT_CAP_RX_IP_CHECKSUM | PORT_CAP_RX_L4_CHECKSUM |
				PORT_CAP_TX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM |
				PORT_CAP_TX_MULTI_SEG | PORT_CAP_TX_TSO,
			.mac = {{2, 0, 0, 0, 0, 2}}},
	};
	if (!p->posted || !p->in || !p->out || !p->done) {
		error_set(err, -ENOMEM, "no memory for the pair");
		return NULL;
	}
	snprintf(p->port.name, sizeof(p->port.name), "%s", config->name);
	p->wire = (struct wire){p, wire_alloc, wire_release, wire_receive, wire_send};
	return &p->port;
}

uint16_t dpdk_port_id(const struct port *port)
{
	(void)port;
	return UINT16_MAX;
}
