/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port: a device that packets come from and go to, seen through a table of operations.
 *
 * Drivers (drivers/net) implement struct port_ops. A core uses one receive and one transmit
 * queue of each port: the ones with its own index, if the port has that many; else queue 0 belongs
 * to worker 0, which hands on what is not its own (see ip.h, steering), and transmissions of other
 * cores travel to it by the hand-over ring of struct port_core.
 *
 * port_send does what the device cannot (checksums, cutting of large segments, linear copies) and
 * collects the packets; port_flush hands them over in one burst. What the device does not take
 * waits for the next flush, up to PORT_TX_PENDING_MAX packets.
 *
 * A received packet tells in ol_flags whether its checksums were verified
 * (RTE_MBUF_F_RX_IP_CKSUM_*, RTE_MBUF_F_RX_L4_CKSUM_*): only GOOD is a promise of the device.
 */
#ifndef WEIR_PORT_H
#define WEIR_PORT_H

#include "pkt.h"
#include "ring.h"
#include "wire.h"

#define PORT_MAX         16
#define PORT_NAME_SIZE   32
#define PORT_MEMBERS_MAX 8 /* devices of a bond */

enum port_cap {
	PORT_CAP_RX_IP_CHECKSUM = 1 << 0, /* for the operator: IPv4 headers may be verified */
	PORT_CAP_RX_L4_CHECKSUM = 1 << 1, /* for the operator: TCP and UDP may be verified */
	PORT_CAP_TX_IP_CHECKSUM = 1 << 2,
	PORT_CAP_TX_L4_CHECKSUM = 1 << 3,
	PORT_CAP_TX_MULTI_SEG = 1 << 4,
	PORT_CAP_TX_TSO = 1 << 5,
	PORT_CAP_RSS = 1 << 6,      /* queues are chosen by the symmetric key of lib/steer */
	PORT_CAP_RSS_IPV6 = 1 << 7, /* those of IPv6 as well */
};

struct port;
struct port_tap;

/* What the device counted itself; zero where it cannot tell. */
struct port_device_stats {
	uint64_t rx_pkts, rx_bytes, rx_missed, rx_errors, rx_no_buffer;
	uint64_t tx_pkts, tx_bytes, tx_errors;
};

/* A device behind a bond. */
struct port_member {
	char name[PORT_NAME_SIZE]; /* the device's */
	bool link_is_up;
	bool is_active; /* the bond sends by it; with LACP: its aggregator distributes */
	struct port_device_stats stats;
};

struct port_ops {
	const char *driver;
	/** Data core: fills up to n packets; the caller owns them. */
	uint16_t (*rx_burst)(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
	/** Data core: takes the first k of n packets and returns k; the caller keeps the rest. L4
	 * checksum fields of packets that ask for TX_L4_CHECKSUM or TSO hold the pseudo header's
	 * sum.
	 */
	uint16_t (*tx_burst)(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
	/** Control core. */
	bool (*link_is_up)(struct port *port);
	void (*stats_read)(struct port *port, struct port_device_stats *out);
	/** Start-up's end: stops the device and frees what the driver has of the port. */
	void (*destroy)(struct port *port);

	/* NULL where a driver has no need of them. */

	/** Control core: the devices behind a bond, PORT_MEMBERS_MAX at most; returns how many. */
	uint32_t (*members_read)(struct port *port, struct port_member *out);

	/** Data core, the owner of both queues (PORT_NO_QUEUE: of one only): when the driver, which
	 * holds packets back, has the next one to give or to send; UINT64_MAX: never. Such a driver
	 * gets a tx_burst in every turn, without packets too. */
	uint64_t (*next_at)(struct port *port, uint16_t rx_queue, uint16_t tx_queue);
	/** Start-up: group number `i` of the counters that the owner of the queue keeps; NULL: no
	 * more. */
	struct stat_group *(*group)(struct port *port, uint16_t queue, uint32_t i);
	/** Control core: one line about the port for operators. */
	void (*describe)(const struct port *port, char *buf, size_t size);
};

struct port {
	const struct port_ops *ops;
	void *impl;                /* the driver's */
	char name[PORT_NAME_SIZE]; /* the operator's: lan0 */
	uint16_t index;            /* 0 to PORT_MAX - 1 */
	uint16_t rx_queues;        /* 1, or one per worker and one for the control core */
	uint16_t tx_queues;
	uint16_t mtu; /* bytes of IP in a frame */
	/* With PORT_CAP_TX_MULTI_SEG, what the device takes; 0, or more than ours: ours. */
	uint16_t tx_segs_max;     /* segments of a frame, also of each that the device cuts */
	uint16_t tx_tso_segs_max; /* segments of what it cuts */
	uint32_t caps;
	bool tx_always; /* tx_burst is called in each turn, also for nothing: LACP sends by it */
	struct wire_mac mac; /* the address that we answer with */
};

enum port_stat {
#define STAT(sym, kind, text) PORT_STAT_##sym,
#include "port_stat.def"
#undef STAT
	PORT_STAT_COUNT,
};

/* More segments cost a device more than a copy of the frame costs us, and it may have no room for
 * them at all: 1,460 bytes may come in as many pieces. */
#define PORT_TX_SEGS_MAX     16
#define PORT_TX_TSO_SEGS_MAX 128 /* 64 KiB of segments of 536 bytes fit */

#define PORT_TX_PENDING_MAX 256
#define PORT_NO_QUEUE       UINT16_MAX

/* One core's share of a port. */
struct port_core {
	struct port *port;
	struct pkt_pools *pools;
	uint16_t rx_queue;    /* PORT_NO_QUEUE: this core receives nothing directly */
	uint16_t tx_queue;    /* PORT_NO_QUEUE: hands over by tx_ring */
	struct ring *tx_ring; /* of the core that owns queue 0; NULL if each core has its queue */
	uint16_t tx_count;
	struct rte_mbuf *tx[PORT_TX_PENDING_MAX]; /* ready for the device */
	struct port_tap *tap; /* NULL: nobody looks at the frames; see capture.h */
	uint64_t stats[PORT_STAT_COUNT];
	struct stat_group group;
};

/**
 * Start-up. `tx_ring` (elements are struct rte_mbuf pointers) is the same for all cores of a port
 * that share queue 0: its owner (tx_queue 0) drains it, the others (PORT_NO_QUEUE) fill it.
 * Returns 0, or -EINVAL if the port has no such queue or there is no way to send.
 */
int port_core_init(struct port_core *pc, struct port *port, struct pkt_pools *pools,
	uint16_t rx_queue, uint16_t tx_queue, struct ring *tx_ring);

/** Frees what was not sent; the owner of queue 0 also what waits in the ring. */
void port_core_fini(struct port_core *pc);

/** The owner's core. Up to n packets; counts them. */
uint16_t port_receive(struct port_core *pc, struct rte_mbuf **pkts, uint16_t n) WR_DATA_CORE;

/**
 * The owner's core. Takes a packet with its whole frame; all headers lie in the first segment,
 * which nobody shares. ol_flags say what is wanted: RTE_MBUF_F_TX_IP_CKSUM,
 * RTE_MBUF_F_TX_TCP_CKSUM, RTE_MBUF_F_TX_UDP_CKSUM (with RTE_MBUF_F_TX_IPV4 or _IPV6, l2_len,
 * l3_len, l4_len set; the checksum fields are arbitrary), RTE_MBUF_F_TX_TCP_SEG (also tso_segsz;
 * implies the checksums). When PORT_TX_PENDING_MAX packets wait and the device cannot take more,
 * the newest is dropped and counted: TCP sends it again.
 */
void port_send(struct port_core *pc, struct rte_mbuf *m) WR_DATA_CORE;

/** The owner's core, once per turn: hands everything to the device or the ring. Returns the packets
 * handed over. */
uint32_t port_flush(struct port_core *pc) WR_DATA_CORE;

/** The owner's core: when the port has to be looked at again though nobody sends and nothing
 * arrives; UINT64_MAX: never. */
static inline uint64_t port_next_at(const struct port_core *pc)
{
	const struct port_ops *ops = pc->port->ops;

	return ops->next_at ? ops->next_at(pc->port, pc->rx_queue, pc->tx_queue) : UINT64_MAX;
}

#endif
