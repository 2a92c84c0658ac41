/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim: a network in memory and virtual time.
 *
 * Ports of a struct sim_net are joined by links, each direction of which may be bad in its own
 * way (impair.h). Time is a clock_manual that the test moves; the same seed gives the same run.
 * Frames are copied when they leave a port and copied into the receiver's pool when they arrive,
 * as by the DMA of a NIC. One thread drives it all.
 *
 * A loop that jumps from event to event:
 *     now = MIN(sim_net_next_at(net), next timer of the stacks); clock->now_ns = now; poll all
 *
 * A port may have several links: it sends a frame on those whose far end has the frame's
 * destination address, and on all of them if that is multicast. On its only link it sends all.
 */
#ifndef WEIR_SIM_H
#define WEIR_SIM_H

#include "clock.h"
#include "impair.h"
#include "port.h"
#include "steer.h"

#define SIM_LINKS_MAX      32
#define SIM_QUEUES_MAX     64
#define SIM_RX_PENDING_MAX 1024 /* packets that a receive queue holds; the newest is lost */
#define SIM_MTU_MAX        2000

struct sim_net;
struct sim_link;

/** pkts_max: frames under way in the whole net. NULL with *err set (-ENOMEM). Needs an EAL. */
struct sim_net *sim_net_create(
	struct clock_manual *clock, uint64_t seed, uint32_t pkts_max, struct error *err);

/** Frees links, ports that were not destroyed yet, and all frames. NULL-safe. Returns the frame
 * buffers that the net itself leaked. */
uint32_t sim_net_destroy(struct sim_net *net);

/** When the next frame arrives somewhere; now if one waits in a receive queue; UINT64_MAX: never.
 */
uint64_t sim_net_next_at(const struct sim_net *net);

struct sim_port_config {
	const char *name;
	uint16_t index;
	struct wire_mac mac;
	uint16_t mtu;    /* 0: 1500; at most SIM_MTU_MAX */
	uint16_t queues; /* receive and transmit queues; 0: 1 */
	/* Spreads TCP and UDP among the queues by core (PORT_CAP_RSS); the rest, and all
	 * if NULL, goes to queue 0. */
	const struct steer *steer;
	uint32_t caps;            /* PORT_CAP_TX_MULTI_SEG or 0: nothing else is simulated */
	struct pkt_pools **pools; /* one per queue: where arriving frames go */
};

/** NULL with *err set. port->ops->destroy frees it, at the latest sim_net_destroy. */
struct port *sim_port_create(
	struct sim_net *net, const struct sim_port_config *config, struct error *err);

/** The port takes so many more packets and then none, like a device whose ring is full, until this
 * is called again. UINT32_MAX, as at first: any number. */
void sim_port_set_tx_room(struct port *port, uint32_t pkts);

/** Joins two ports; a_to_b and b_to_a may be NULL (perfect). NULL with *err set. */
struct sim_link *sim_link_create(struct sim_net *net, struct port *a, struct port *b,
	const struct impair_config *a_to_b, const struct impair_config *b_to_a, struct error *err);

/** The line from port `from` to the other end: its config may be changed, its stats read. */
struct impair *sim_link_line(struct sim_link *link, const struct port *from);

/** A link that is down loses what is sent on it; what is under way still arrives. */
void sim_link_set_up(struct sim_link *link, bool up);

enum sim_verdict {
	SIM_PASS,
	SIM_DROP,
};

/* A frame that port `from` sends, in one segment; the hook may change its bytes and length. */
struct sim_frame {
	struct port *from;
	struct rte_mbuf *m;
	uint64_t now_ns;
};

/** Asked for every frame before it enters a link, also on a port without links; one hook per net,
 * NULL for none. The hook may call sim_inject. */
void sim_net_hook(struct sim_net *net,
	enum sim_verdict (*fn)(void *ctx, const struct sim_frame *frame), void *ctx);

/** A frame from nowhere arrives at a port, now. False if it is too long or there is no room. */
bool sim_inject(struct port *to, const void *frame, size_t len);

/** Keeps copies of the last frames_max frames that ports sent or that were injected. Returns 0 or
 * -ENOMEM. */
int sim_net_record(struct sim_net *net, uint32_t frames_max, struct error *err);

/** Writes the recorded frames, oldest first, as a pcap file (nanoseconds). Returns 0 or -errno. */
int sim_net_dump(const struct sim_net *net, const char *path, struct error *err);

#endif
