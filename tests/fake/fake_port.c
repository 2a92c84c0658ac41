/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "fake_port.h"

static struct rte_mbuf *shift(struct rte_mbuf **pkts, uint32_t *count)
{
	struct rte_mbuf *m = *count > 0 ? pkts[0] : NULL;

	if (m)
		memmove(pkts, pkts + 1, --*count * sizeof(*pkts));
	return m;
}

static uint16_t rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct fake_port *fake = port->impl;
	uint16_t got = 0;

	while (queue == 0 && got < n && fake->rx_count > 0)
		pkts[got++] = shift(fake->rx, &fake->rx_count);
	return got;
}

static uint16_t tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct fake_port *fake = port->impl;
	uint16_t taken = 0;

	fake->tx_bursts++;
	for (; taken < n && fake->tx_room > 0 && fake->tx_count < FAKE_PORT_MAX; fake->tx_room--) {
		fake->tx_queue[fake->tx_count] = queue;
		fake->tx[fake->tx_count++] = pkts[taken++];
	}
	return taken;
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

static void destroy(struct port *port)
{
	fake_port_fini(port->impl);
}

void fake_port_init(struct fake_port *fake, uint32_t caps, uint16_t queues)
{
	static const struct port_ops ops = {
		"fake", rx_burst, tx_burst, link_is_up, stats_read, destroy};

	*fake = (struct fake_port){.tx_room = UINT32_MAX};
	fake->port = (struct port){
		.ops = &ops,
		.impl = fake,
		.name = "fake0",
		.rx_queues = queues,
		.tx_queues = queues,
		.mtu = 1500,
		.caps = caps,
		.mac = {{2, 0, 0, 0, 0, 1}},
	};
}

void fake_port_receive(struct fake_port *fake, struct rte_mbuf *m)
{
	ASSERT(fake->rx_count < FAKE_PORT_MAX);
	fake->rx[fake->rx_count++] = m;
}

struct rte_mbuf *fake_port_sent(struct fake_port *fake)
{
	struct rte_mbuf *m = shift(fake->tx, &fake->tx_count);

	memmove(fake->tx_queue, fake->tx_queue + 1, sizeof(fake->tx_queue) - sizeof(uint16_t));
	return m;
}

void fake_port_fini(struct fake_port *fake)
{
	struct rte_mbuf *m;

	while ((m = fake_port_sent(fake)) || (m = shift(fake->rx, &fake->rx_count)))
		rte_pktmbuf_free(m);
}
