/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "fake_port.h"

/* Takes out the packet at `at`; NULL behind the last one. */
static struct rte_mbuf *take(struct rte_mbuf **pkts, uint16_t *queues, uint32_t *count, uint32_t at)
{
	struct rte_mbuf *m;

	if (at >= *count)
		return NULL;
	m = pkts[at];
	--*count;
	memmove(pkts + at, pkts + at + 1, (*count - at) * sizeof(*pkts));
	memmove(queues + at, queues + at + 1, (*count - at) * sizeof(*queues));
	return m;
}

static uint16_t rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct fake_port *fake = port->impl;
	uint16_t got = 0;

	for (uint32_t at = 0; got < n && at < fake->rx_count;) {
		if (fake->rx_queue[at] == queue)
			pkts[got++] = take(fake->rx, fake->rx_queue, &fake->rx_count, at);
		else
			at++;
	}
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

void fake_port_receive_on(struct fake_port *fake, uint16_t queue, struct rte_mbuf *m)
{
	ASSERT(fake->rx_count < FAKE_PORT_MAX);
	fake->rx_queue[fake->rx_count] = queue;
	fake->rx[fake->rx_count++] = m;
}

void fake_port_receive(struct fake_port *fake, struct rte_mbuf *m)
{
	fake_port_receive_on(fake, 0, m);
}

struct rte_mbuf *fake_port_sent(struct fake_port *fake)
{
	return take(fake->tx, fake->tx_queue, &fake->tx_count, 0);
}

void fake_port_fini(struct fake_port *fake)
{
	struct rte_mbuf *m;

	while ((m = fake_port_sent(fake)) ||
		(m = take(fake->rx, fake->rx_queue, &fake->rx_count, 0)))
		rte_pktmbuf_free(m);
}
