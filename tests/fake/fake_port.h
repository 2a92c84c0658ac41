/* SPDX-License-Identifier: BSD-3-Clause */
/* A port without a device: the test puts in what is received and takes out what was sent. */
#ifndef WEIR_TESTS_FAKE_PORT_H
#define WEIR_TESTS_FAKE_PORT_H

#include "port.h"

#define FAKE_PORT_MAX 512

struct fake_port {
	struct port port;
	uint32_t tx_room; /* packets that it takes before it is full; UINT32_MAX at first */
	uint32_t tx_bursts;
	uint32_t tx_count;
	struct rte_mbuf *tx[FAKE_PORT_MAX];
	uint16_t tx_queue[FAKE_PORT_MAX]; /* where each was sent */
	uint32_t rx_count;
	struct rte_mbuf *rx[FAKE_PORT_MAX];
	uint16_t rx_queue[FAKE_PORT_MAX]; /* where each is received */
};

/** A port with these capabilities (enum port_cap), MTU 1500 and MAC 02:00:00:00:00:01. */
void fake_port_init(struct fake_port *fake, uint32_t caps, uint16_t queues);

/** Gives a packet to the next rx_burst of queue 0, or of another queue. */
void fake_port_receive(struct fake_port *fake, struct rte_mbuf *m);
void fake_port_receive_on(struct fake_port *fake, uint16_t queue, struct rte_mbuf *m);

/** The oldest packet sent, which the caller frees; NULL if there is none. */
struct rte_mbuf *fake_port_sent(struct fake_port *fake);

/** Frees what is left in it. */
void fake_port_fini(struct fake_port *fake);

#endif
