/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine of the simulation: up to four workers, each with ip and tcp, over one simulated port.
 */
#ifndef WEIR_TESTS_SIM_HOST_H
#define WEIR_TESTS_SIM_HOST_H

#include "sim.h"
#include "tcp.h"
#include "udp.h"

#define HOST_CORES_MAX 4

struct host_config {
	uint32_t number; /* 1 or 2: its address is 10.0.0.number or 2001:db8::number, unless net
			  * says otherwise */
	bool v6;
	uint32_t cores;
	bool rss; /* the port has a queue for each core; otherwise core 0 hands on */
	uint64_t seed;
	bool udp;                            /* the first core has it */
	const struct ip_route_config *route; /* one, or NULL; copied */
	const struct ip_config *net;         /* or all of it, for interface 0; outlives it */
	struct tcp_config tcp;
	struct tcp_options options; /* of what it opens and listens on */
};

struct host {
	uint32_t cores;
	struct ip_addr addr; /* the first of its addresses */
	struct ip_addr any;  /* of its family */
	struct port *port;
	struct ring *tx_ring;
	struct steer steer;
	struct ip_iface_config iface;
	struct ip_address_config address;
	struct ip_route_config route;
	struct ip_config net;
	struct worker *w[HOST_CORES_MAX];
	struct ip_stack *ip[HOST_CORES_MAX];
	struct tcp *tcp[HOST_CORES_MAX];
	struct udp *udp; /* or NULL */
	uint8_t options;
	struct port_core ports[HOST_CORES_MAX];
	struct pkt_pools *pools[HOST_CORES_MAX]; /* the caller's */
};

/** Builds it; pools: one per core, used by nobody else. Aborts the program on failure. */
void host_init(struct host *h, struct sim_net *net, struct clock_manual *clock,
	const struct host_config *config, struct pkt_pools *pools);

/** One turn of each core; the work done. */
uint32_t host_poll(struct host *h);

/** When its next timer is due. */
uint64_t host_next_at(const struct host *h);

/** Connections, TIME-WAIT entries and recoveries that are left. */
uint32_t host_left(const struct host *h);

/** A counter of tcp over all cores. */
uint64_t host_stat(const struct host *h, enum tcp_stat stat);

/** The same of ip. */
uint64_t host_ip_stat(const struct host *h, enum ip_stat stat);

/** Frees it. The port goes with its net. */
void host_fini(struct host *h);

#endif
