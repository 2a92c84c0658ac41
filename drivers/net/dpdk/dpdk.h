/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk: ports on DPDK's devices, and the environment (EAL) that they need.
 *
 * Every process has an environment of its own that leaves no file on the host. All of this runs
 * on the control core at start-up and at the end; only the bursts of a port run on data cores.
 *
 * net_tap: weir holds one end of the tap, the kernel the other. DPDK gives both the same MAC
 * address; two stations with one address would not talk to each other, so the port answers with an
 * address derived from it (locally administered, last byte inverted). The tap brings all frames
 * whatever their destination. Its offloads are software that ours does better: they stay off. A
 * tap that existed before keeps its MAC address, MTU, flags, addresses and routes. DPDK learns of
 * packets on a tap by real-time signals (SIGRTMAX and below): at least one thread must not block
 * them, and nobody else may handle them.
 *
 * net_bonding: several devices as one port (active-backup, balance, LACP, ...). The link of one
 * with LACP is up while at least one member carries traffic by agreement with the other side. Taps
 * as members get the bond's MAC address from DPDK, so such a bond answers with another one, too.
 */
#ifndef WEIR_DPDK_H
#define WEIR_DPDK_H

#include "port.h"
#include "steer.h"

struct dpdk_eal;

#define DPDK_PCI_MAX (PORT_MAX * PORT_MEMBERS_MAX)

enum dpdk_huge {
	DPDK_HUGE_AUTO, /* if the machine has enough free huge pages */
	DPDK_HUGE_NEVER,
	DPDK_HUGE_ALWAYS,
};

struct dpdk_eal_config {
	uint32_t memory_mib; /* for all pools; 0: 512 */
	enum dpdk_huge huge;
	const char *const *pci; /* addresses of all PCI devices that will be ports or members */
	uint32_t pci_count;
	/* Gets DPDK's own error lines (no newline), from any thread; NULL: standard error. */
	void (*log)(void *ctx, const char *line);
	void *log_ctx;
};

/**
 * Once per process. The calling thread may run on the same processors as before. NULL with *err
 * set: not enough memory, no permission, started before.
 */
struct dpdk_eal *dpdk_eal_create(const struct dpdk_eal_config *config, struct error *err);

/** After all ports and pools. NULL-safe. */
void dpdk_eal_destroy(struct dpdk_eal *eal);

bool dpdk_eal_has_huge_pages(const struct dpdk_eal *eal);

struct dpdk_port_config {
	const char *name;   /* the operator's */
	uint16_t index;     /* 0 to PORT_MAX - 1 */
	const char *device; /* "net_tap0,iface=weir0", or "0000:03:00.0" with is_pci */
	bool is_pci;
	/* Of a bond ("net_bonding0,mode=4"): devices in the same form, PCI addresses as EAL got
	 * them. They are the bond's alone. */
	const char *const *members;
	const bool *member_is_pci;
	uint32_t member_count; /* at most PORT_MEMBERS_MAX */
	uint16_t mtu;          /* 0: the device's own */
	/* One queue for each core. A device that cannot spread flows by the key and the table of
	 * `steer` (NULL: none can) gets one receive queue. */
	uint16_t queues;
	const struct steer *steer;
	uint16_t rx_descs, tx_descs; /* 0: 1024; as near as the device allows */
	struct pkt_pools **pools;    /* one per queue */
};

/** NULL with *err set. port->ops->destroy stops the device and takes it off the host. */
struct port *dpdk_port_create(
	struct dpdk_eal *eal, const struct dpdk_port_config *config, struct error *err);

/** The number that DPDK gave the device, for its other libraries (capture). */
uint16_t dpdk_port_id(const struct port *port);

#endif
