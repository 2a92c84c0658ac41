/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine with a network for tests of ip and what stands above it: workers on virtual time,
 * each with its IP stack, on one fake port.
 *
 *     iface 0 "lan"    untagged  10.0.0.1/24, service 10.0.0.80; default route by 10.0.0.254
 *     iface 1 "vlan7"  VLAN 7    10.7.0.1/24
 *     iface 2 "bench"  VLAN 9    127.0.0.2/8, loopback allowed
 *
 * Link it by fakes = ['fake/fake_net.c', 'fake/fake_frame.c', 'fake/fake_port.c',
 * 'fake/fake_worker.c', 'fake/fake_eal.c'].
 */
#ifndef WEIR_TESTS_FAKE_NET_H
#define WEIR_TESTS_FAKE_NET_H

#include "fake_frame.h"
#include "fake_port.h"
#include "fake_worker.h"
#include "ip.h"

#define FAKE_NET_CORES_MAX 4

struct fake_net {
	struct fake_workers *f;
	uint32_t count;
	struct steer steer;
	struct fake_port port;
	struct ring *tx_ring;
	struct ip_config config;
	struct pkt_pools pools[FAKE_NET_CORES_MAX];
	struct port_core ports[FAKE_NET_CORES_MAX];
	struct ip_stack *ip[FAKE_NET_CORES_MAX];
};

/**
 * `workers` cores of data, and a control core if `control`. With PORT_CAP_RSS in caps each core
 * has its queue; else core 0 has the only one. Callers add their pollers, then fake_net_start.
 */
struct fake_net *fake_net_create(uint32_t workers, bool control, uint32_t caps);
void fake_net_start(struct fake_net *net);

/** Checks that every buffer and pool object was given back; frees all. What callers have on the
 * stacks may be freed between fake_net_stop, which destroys the workers, and this. */
void fake_net_stop(struct fake_net *net);
void fake_net_destroy(struct fake_net *net);

/** Receives a frame on queue 0 and lets everybody do what there is to do. */
void fake_net_receive(struct fake_net *net, struct rte_mbuf *m);

/** A station answers ARP: the reply comes, and all is settled. */
void fake_net_arp_reply(struct fake_net *net, const char *addr, const struct wire_mac *mac);

/** Reads the oldest frame that was sent, and frees it; false if there is none. `copy` of at least
 * 2 KiB takes the bytes that out->l4 points into. */
bool fake_net_sent(struct fake_net *net, struct fake_read *out, uint8_t *copy);
#define FAKE_NET_COPY_BYTES 2048

/* A protocol that keeps what it gets, until fake_sink_clear. */
#define FAKE_SINK_MAX 256
struct fake_sink {
	uint32_t calls;
	uint32_t count;
	struct ip_packet packets[FAKE_SINK_MAX];
	uint32_t error_count;
	struct ip_icmp_error error; /* the last one */
};
void fake_sink_set(struct fake_sink *sink, struct ip_stack *ip, uint8_t proto);
void fake_sink_clear(struct fake_sink *sink);

/** Throws away what was sent; returns how many frames. */
uint32_t fake_net_discard(struct fake_net *net);

#endif
