/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device cannot do, done in software. */
#ifndef WEIR_PORT_PVT_H
#define WEIR_PORT_PVT_H

#include "port.h"

/** Puts a packet that is ready for the device into the send queue; drops it if that is full. */
void port_queue(struct port_core *pc, struct rte_mbuf *m);

/** Makes a packet of at most one MTU ready for the device. NULL: no buffer; freed and counted. */
struct rte_mbuf *port_soft_finish(struct port_core *pc, struct rte_mbuf *m);

/** Cuts a packet with RTE_MBUF_F_TX_TCP_SEG into packets of tso_segsz, and queues them. */
void port_soft_cut(struct port_core *pc, struct rte_mbuf *m);

/** True if the device takes as many segments as the packet has; if it is to be cut by the device,
 * also as many as each piece has. */
bool port_takes_segs(const struct port *port, const struct rte_mbuf *m);

#endif
