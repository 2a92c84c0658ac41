/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "capture.h"
#include "port_pvt.h"

static const struct stat_row stat_rows[] = {
#define STAT STAT_ROW
#include "port_stat.def"
#undef STAT
};

int port_core_init(struct port_core *pc, struct port *port, struct pkt_pools *pools,
	uint16_t rx_queue, uint16_t tx_queue, struct ring *tx_ring)
{
	if (rx_queue != PORT_NO_QUEUE && rx_queue >= port->rx_queues)
		return -EINVAL;
	if (tx_queue == PORT_NO_QUEUE ? !tx_ring : tx_queue >= port->tx_queues)
		return -EINVAL;
	*pc = (struct port_core){
		.port = port,
		.pools = pools,
		.rx_queue = rx_queue,
		.tx_queue = tx_queue,
		.tx_ring = tx_ring,
	};
	stat_group_init(&pc->group, "port", stat_rows, PORT_STAT_COUNT, pc->stats);
	return 0;
}

void port_core_fini(struct port_core *pc)
{
	do {
		for (uint32_t i = 0; i < pc->tx_count; i++)
			rte_pktmbuf_free(pc->tx[i]);
		pc->tx_count = 0;
		if (pc->tx_ring && pc->tx_queue != PORT_NO_QUEUE)
			pc->tx_count =
				(uint16_t)ring_take(pc->tx_ring, pc->tx, PORT_TX_PENDING_MAX);
	} while (pc->tx_count > 0);
}

static uint64_t bytes_of_pkts(struct rte_mbuf *const *pkts, uint32_t n)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	return bytes;
}

uint16_t port_receive(struct port_core *pc, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t got;

	if (pc->rx_queue == PORT_NO_QUEUE)
		return 0;
	got = pc->port->ops->rx_burst(pc->port, pc->rx_queue, pkts, n);
	if (got > 0) {
		stat_add(&pc->stats[PORT_STAT_RX_PKTS], got);
		stat_add(&pc->stats[PORT_STAT_RX_BYTES], bytes_of_pkts(pkts, got));
		if (UNLIKELY(pc->tap))
			port_tap_take(pc->tap, pkts, got, false);
	}
	return got;
}

static uint32_t burst(struct port_core *pc)
{
	uint64_t bytes;
	uint32_t sent;

	if (pc->tx_count == 0 && !pc->port->ops->next_at && !pc->port->tx_always)
		return 0;
	if (pc->tx_queue == PORT_NO_QUEUE) {
		sent = ring_put(pc->tx_ring, pc->tx, pc->tx_count);
	} else {
		bytes = bytes_of_pkts(pc->tx, pc->tx_count);
		sent = pc->port->ops->tx_burst(pc->port, pc->tx_queue, pc->tx, pc->tx_count);
		bytes -= bytes_of_pkts(pc->tx + sent, pc->tx_count - sent);
		stat_add(&pc->stats[PORT_STAT_TX_PKTS], sent);
		stat_add(&pc->stats[PORT_STAT_TX_BYTES], bytes);
	}
	pc->tx_count -= (uint16_t)sent;
	memmove(pc->tx, pc->tx + sent, pc->tx_count * sizeof(pc->tx[0]));
	return sent;
}

uint32_t port_flush(struct port_core *pc)
{
	uint32_t sent = burst(pc);

	if (pc->tx_ring && pc->tx_queue != PORT_NO_QUEUE) {
		pc->tx_count += (uint16_t)ring_take(pc->tx_ring, pc->tx + pc->tx_count,
			PORT_TX_PENDING_MAX - (uint32_t)pc->tx_count);
		sent += burst(pc);
	}
	return sent;
}

void port_queue(struct port_core *pc, struct rte_mbuf *m)
{
	if (pc->tx_count == PORT_TX_PENDING_MAX && burst(pc) == 0) {
		stat_add(&pc->stats[PORT_STAT_TX_FULL], 1);
		rte_pktmbuf_free(m);
		return;
	}
	if (UNLIKELY(pc->tap))
		port_tap_take(pc->tap, &m, 1, true);
	pc->tx[pc->tx_count++] = m;
}

void port_send(struct port_core *pc, struct rte_mbuf *m)
{
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		uint32_t header = (uint32_t)m->l2_len + m->l3_len + m->l4_len;
		bool small = m->pkt_len <= header + m->tso_segsz;

		if (!small &&
			!((pc->port->caps & PORT_CAP_TX_TSO) && port_takes_segs(pc->port, m))) {
			port_soft_cut(pc, m);
			return;
		}
		if (small)
			m->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
		if (m->ol_flags & RTE_MBUF_F_TX_IPV4)
			m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	}
	m = port_soft_finish(pc, m);
	if (m)
		port_queue(pc, m);
}
