/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip, private. Which file does what:
 *
 *   ip.c         set-up, tear-down, the operator's views
 *   ip_route.c   own addresses, routes, source addresses, paths
 *   ip_input.c   the RX poller: bursts, Ethernet, batches for the protocols
 *   ip_steer.c   which core a packet belongs to, and the rings between the cores
 *   ip_v4.c      IPv4 headers in and out
 *   ip_v6.c      IPv6 headers in and out, by the same two doors
 *   ip_reasm.c   fragments received, for both families
 *   ip_fragment.c  fragments sent, for both families
 *   ip_v6_fragment.c  headers of IPv6 fragments received
 *   icmp.c       ICMP for IPv4, and what both have in common
 *   icmp6.c      ICMP for IPv6
 *   neighbour.c  the cache: states, timers, waiting packets, what cores tell each other
 *   arp.c        requests and replies; the neighbour protocol of IPv4
 *   ndp.c        solicitations and advertisements; the neighbour protocol of IPv6
 *   ip_dad.c     whether somebody else has our IPv6 addresses
 *   mld.c        the groups of IPv6 that we are in
 *   ip_output.c  ip_send, Ethernet, delivery to ourselves
 */
#ifndef WEIR_IP_PVT_H
#define WEIR_IP_PVT_H

#include "ip.h"
#include "wire_ipv6.h"

#define IP_PROTOS_MAX          4    /* handlers */
#define IP_RING_COUNT          4095 /* packets that wait for a core; the newest is dropped */
#define IP_LOCAL_COUNT         1023 /* packets of a core to itself; the newest is dropped */
#define IP_RX_BUDGET           256  /* packets per turn and core, over all ports */
#define IP_TX_BUDGET           PORT_TX_PENDING_MAX
#define IP_NEIGHBOUR_BUCKETS   8192
#define IP_NEIGHBOUR_NONE      UINT32_MAX
#define IP_NEIGHBOUR_TRIES_MAX 3
#define IP_PACKET_BYTES_MAX    65535

#define IP_NEIGHBOUR_RETRY_NS     NS_PER_SEC
#define IP_NEIGHBOUR_REACHABLE_NS (30 * NS_PER_SEC)
#define IP_NEIGHBOUR_HOLD_NS      (3 * NS_PER_SEC)  /* FAILED, before it is tried again */
#define IP_NEIGHBOUR_TOUCH_NS     NS_PER_SEC        /* how exact "longest unused" is */
#define IP_DEFEND_NS              (10 * NS_PER_SEC) /* RFC 5227 2.4: DEFEND_INTERVAL */

#define IP_ICMP_BYTES_MAX 576 /* of the whole error packet (RFC 1812 4.3.2.3) */
#define IP_ICMP_L4_BYTES  8   /* of ours that an error must quote (RFC 792) */

static_assert(sizeof(struct ip_packet) % 4 == 0, "an element of a ring");

/* ip_path.flags */
enum {
	IP_PATH_LOCAL = 1 << 0,
};

struct ip_neighbour {
	struct list lru; /* oldest use first, among those with a MAC or those without */
	struct ip_stack *ip;
	uint32_t hash_next; /* pool index; IP_NEIGHBOUR_NONE ends the chain */
	uint16_t iface;
	uint8_t tries; /* requests sent since the state began */
	uint8_t queued;
	enum ip_neighbour_state state; /* STALE also stands for "REACHABLE, but too old" */
	struct wire_mac mac;           /* undefined while INCOMPLETE or FAILED */
	struct ip_addr addr;
	struct timer timer;    /* INCOMPLETE, PROBE: next request; FAILED: gives up the queue */
	uint64_t used_at;      /* when it moved to the end of the LRU list */
	uint64_t confirmed_at; /* REACHABLE: when we last heard from it */
	uint64_t retry_at;     /* FAILED: not asked again before */
	struct rte_mbuf *queue[IP_NEIGHBOUR_QUEUE_MAX]; /* from the IP header on, oldest first */
};

struct ip_proto {
	uint8_t proto;
	ip_proto_fn fn;
	ip_error_fn error_fn;
	void *ctx;
	uint32_t batch_count;
	struct ip_packet batch[PKT_BURST_MAX];
};

/* What an address means to us; one table answers for sources and destinations. */
enum ip_own_kind {
	IP_OWN_NONE, /* an empty place in the table */
	IP_OWN_ADDRESS,
	IP_OWN_BROADCAST, /* of a connected network (RFC 922) */
	IP_OWN_TENTATIVE, /* an address of IPv6 that somebody may have (RFC 4862 5.4) */
	IP_OWN_DUPLICATE, /* an address of IPv6 that somebody has */
	IP_OWN_GROUP,     /* a group of IPv6 that an interface is in, in the form of own_group() */
};

struct ip_own {
	struct ip_addr addr;
	uint16_t iface;
	uint8_t kind;
	bool disabled; /* by the operator: ip_own_find does not know it */
};

struct ip_route {
	struct ip_prefix prefix;
	struct ip_addr gateway; /* any: connected */
	uint16_t iface;
	bool configured; /* by a route, not by an address */
	bool disabled;
};

/* What ICMP says by itself, each limited for each core. */
enum ip_limit {
	IP_LIMIT_ERROR,
	IP_LIMIT_ECHO,
	IP_LIMIT_COUNT,
};

/* Time that was not yet spent on answers. */
struct ip_bucket {
	uint64_t credit_ns;
	uint64_t filled_at;
	uint64_t cost_ns; /* of the next answer; 0: not chosen yet */
};

/* IPv6 on one interface. */
struct ip_v6_iface {
	struct ip_stack *ip;
	bool enabled; /* it has an address of IPv6 */
	bool mld_v1;  /* the last query was of MLD version 1 */
	struct ip_addr link_local;
	struct timer mld_timer; /* the next report */
};

/* The search for others who have an address of ours; on worker 0. */
struct ip_dad {
	struct ip_stack *ip;
	struct ip_own *own;
	uint8_t sent;
	bool decided; /* own->kind is right here, but not every core was told */
	struct timer timer;
};

/* Packets for one other core, collected over a burst. */
struct ip_handover {
	uint32_t count;
	struct ip_packet packets[PKT_BURST_MAX];
};

struct ip_stack {
	struct worker *worker;
	const struct steer *steer;
	const struct ip_config *net;
	struct port_core *ports;
	struct pkt_pools *pools;
	uint32_t port_count;
	uint32_t generation; /* of paths; never 0 */
	uint64_t stats[IP_STAT_COUNT];

	/* Addresses and routes; immutable after the start, but for the kinds of own addresses and
	 * what is disabled. */
	uint32_t address_count;
	struct ip_address_config *addresses; /* configured, and link-local of each interface */
	struct ip_own *own;
	uint32_t own_mask;
	struct ip_v6_iface v6[IP_IFACES_MAX];
	uint32_t dad_count;
	struct ip_dad *dads; /* of each own address of IPv6 */
	uint32_t route_count;
	struct ip_route *routes; /* longest prefix first */

	/* Other cores. */
	struct ring *in;    /* struct ip_packet from other cores */
	struct ring *local; /* struct ip_packet from ourselves to ourselves */
	uint32_t core_count;
	uint32_t control_core;
	struct ip_stack *cores[WORKER_CORES_MAX];
	struct ip_handover *handovers; /* by core index; NULL before ip_stack_connect */

	uint32_t proto_count;
	struct ip_proto protos[IP_PROTOS_MAX];

	/* Neighbours. */
	struct mem_pool neighbour_pool;
	struct list neighbour_lru[2]; /* without a MAC; with one */
	uint64_t neighbour_seed;
	uint32_t neighbour_buckets[IP_NEIGHBOUR_BUCKETS]; /* pool index of the first */

	struct ip_reasm *reasm;

	uint64_t conflict_at; /* when a conflict was last reported and answered; 0: never */
	struct ip_bucket limits[IP_LIMIT_COUNT];
	struct stat_group group;

	struct mem_region region; /* the stack lies in it */
	struct mem_region address_region;
	struct mem_region own_region;
	struct mem_region dad_region;
	struct mem_region route_region;
	struct mem_region handover_region;
};

static inline void ip_count(struct ip_stack *ip, enum ip_stat stat)
{
	stat_add(&ip->stats[stat], 1);
}

static inline void ip_drop(struct ip_stack *ip, enum ip_stat why, struct rte_mbuf *m)
{
	ip_count(ip, why);
	pkt_free(m);
}

static inline const struct ip_iface_config *ip_iface(const struct ip_stack *ip, uint16_t iface)
{
	return &ip->net->ifaces[iface];
}

static inline struct port_core *ip_iface_port(const struct ip_stack *ip, uint16_t iface)
{
	return &ip->ports[ip_iface(ip, iface)->port];
}

static inline const struct wire_mac *ip_iface_mac(const struct ip_stack *ip, uint16_t iface)
{
	return &ip_iface_port(ip, iface)->port->mac;
}

static inline bool ip_v6_enabled(const struct ip_stack *ip, uint16_t iface)
{
	return ip->v6[iface].enabled;
}

/* An address from the wire, or from a message, with the zone of the wire. */
static inline struct ip_addr ip_addr_from_wire(const struct ip_addr *a, uint16_t iface)
{
	return ip_addr_with_zone(a, ip_zone_of_iface(iface));
}

static inline struct ip_proto *ip_proto_find(struct ip_stack *ip, uint8_t proto)
{
	for (uint32_t i = 0; i < ip->proto_count; i++)
		if (ip->protos[i].proto == proto)
			return &ip->protos[i];
	return NULL;
}

/* A buffer that was received (or was to be sent) and goes the other way now. */
static inline void ip_mbuf_turn(struct rte_mbuf *m)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
}

/* ip_route.c */

extern const struct ip_addr ip_all_nodes; /* ff02::1 */

/** Set-up: builds the tables from ip->net. 0, -EINVAL or -ENOMEM. */
int ip_route_init(struct ip_stack *ip, struct error *err);
void ip_route_fini(struct ip_stack *ip);
/** NULL: the address means nothing to us, or not now. */
const struct ip_own *ip_own_find(const struct ip_stack *ip, const struct ip_addr *a);
/** Its place in the table, enabled or not; of kind IP_OWN_NONE if it has none. */
struct ip_own *ip_own_slot(const struct ip_stack *ip, const struct ip_addr *a);
/** All paths of this core are found again. */
void ip_paths_forget(struct ip_stack *ip);
/** True if packets from this group of IPv6, as it stands on the wire, are for us there. */
bool ip_group_is_ours(const struct ip_stack *ip, const struct ip_addr *group, uint16_t iface);
/** True if the station that has the address needs no router to reach this interface. */
bool ip_is_on_link(const struct ip_stack *ip, const struct ip_addr *a, uint16_t iface);
/** Our address to speak to `to` with on this interface; false if it has none of that family. `hop`
 * is who gets the packets, of the same family. */
bool ip_source_select(const struct ip_stack *ip, uint16_t iface, const struct ip_addr *to,
	const struct ip_addr *hop, struct ip_addr *src);

/* ip_input.c */

uint32_t ip_rx_poll(struct worker *w, void *ctx, uint32_t budget);
/** Takes a packet for this core: to ICMP, or into the batch of its protocol. */
void ip_deliver(struct ip_stack *ip, struct ip_packet *packet);
/** What the port says about the checksum of the protocol above. */
bool ip_l4_checksum_ok(const struct rte_mbuf *m);
/** Who sent the frame of a packet; false if it was not a single station. */
bool ip_frame_source(const struct rte_mbuf *m, struct wire_mac *mac);
/** Delivers a packet to its core, which is this one or another. */
void ip_input_packet(struct ip_stack *ip, struct ip_packet *packet);
/** The same for one whose ports no device knew. */
void ip_input_reassembled(struct ip_stack *ip, struct ip_packet *packet);
/** Calls the handlers with what was collected. */
void ip_batches_flush(struct ip_stack *ip);
/** The checks that both families share (RFC 1122 3.2.1.3). */
bool ip_source_is_possible(
	const struct ip_stack *ip, const struct ip_addr *src, const struct ip_iface_config *iface);

/* ip_steer.c */

int ip_steer_init(struct ip_stack *ip, struct error *err);
void ip_steer_fini(struct ip_stack *ip);
/** Tells the stack about its peers; checks that they fit the steering. 0 or -EINVAL, -ENOMEM. */
int ip_steer_connect(
	struct ip_stack *ip, struct ip_stack *const *all, uint32_t count, struct error *err);
/** The core that a flow between these belongs to, whatever NIC is in between. */
uint32_t ip_steer_core(
	const struct ip_stack *ip, const struct endpoint *local, const struct endpoint *remote);
/** The owner of a packet whose m starts at the L4 header. */
uint32_t ip_steer_core_of_packet(const struct ip_stack *ip, const struct ip_packet *packet);
/** The same for a packet that came from a queue of this port. */
uint32_t ip_steer_core_of_rx(
	const struct ip_stack *ip, const struct ip_packet *packet, const struct port *port);
/** Takes a packet for another core, or for ourselves in the next turn. */
void ip_steer_give(struct ip_stack *ip, uint32_t core, struct ip_packet *packet);
/** Hands over what was collected; returns how many packets. */
uint32_t ip_steer_flush(struct ip_stack *ip);
/** Delivers what other cores and we ourselves gave; returns how many packets. */
uint32_t ip_steer_take(struct ip_stack *ip, uint32_t budget);

/* ip.c */

/** Another station uses our address: counts, and tells the operator. True if it is time to defend
 * it, which is not done in a loop with somebody as stubborn (RFC 5227 2.4 b). */
bool ip_conflict(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr,
	const struct wire_mac *mac, enum ip_stat stat);

/* ip_v4.c, a door in and a door out */

/** Takes a packet whose data starts at the IPv4 header. */
void ip_v4_input(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface);
/** Writes the header in front of m (not counted into it yet); returns its length. */
uint32_t ip_v4_prepend(struct rte_mbuf *m, const struct ip_addr *src, const struct ip_addr *dst,
	uint8_t proto, uint8_t tos);
/** What an ICMP error of ours about our own packet (from its IP header on) would say. */
bool ip_v4_error_about(const struct rte_mbuf *m, uint8_t code, struct ip_icmp_error *error);

/* ip_v6.c, the same doors */

void ip_v6_input(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface, bool for_many);
uint32_t ip_v6_prepend(struct rte_mbuf *m, const struct ip_addr *src, const struct ip_addr *dst,
	uint8_t proto, uint8_t tos, uint8_t ttl);
/** What the headers said that still stand in front of a received packet. */
void ip_v6_headers_read(const struct ip_packet *packet, struct wire_ipv6_chain *chain);
bool ip_v6_error_about(
	const struct rte_mbuf *m, uint16_t zone, uint8_t code, struct ip_icmp_error *error);

/* ip_reasm.c */

int ip_reasm_init(struct ip_stack *ip, struct error *err);
/** Makes its pool visible to the operator. */
void ip_reasm_show(struct ip_stack *ip);
/** After the worker. Frees the fragments that wait. */
void ip_reasm_fini(struct ip_stack *ip);

/* What a packet's IP header says of it as a fragment. Only IPv4 packets and IPv6 packets with
 * off_bytes or more are fragments (RFC 6946: others with a fragment header are whole). */
struct ip_fragment {
	uint32_t id;
	uint16_t off_bytes; /* of the data of packet->m in the whole payload */
	bool more;          /* then the data's length is a multiple of 8 */
};

/**
 * Takes packet->m. True: the packet is whole, and *packet is it: m is a chain with the IP header
 * of the first fragment, unchanged, in front; l4_checksum_ok is false. False: it waits for others,
 * or was dropped and counted. proto may differ from fragment to fragment in IPv6; the first one's
 * is the packet's.
 */
bool ip_reasm_input(
	struct ip_stack *ip, struct ip_packet *packet, const struct ip_fragment *fragment);

/* ip_v6_fragment.c */

/**
 * Takes packet->m, a fragment from its IPv6 header on. True: the packet is whole, and m starts at
 * its IPv6 header; the fragment header is gone. False: as ip_reasm_input.
 */
bool ip_v6_make_whole(
	struct ip_stack *ip, struct ip_packet *packet, const struct wire_ipv6_fragment *fragment);

/* ip_fragment.c */

/** Takes a packet above the MTU, from its IP header on, with all checksums but that of IPv4: sends
 * it in pieces. */
void ip_fragment_send(
	struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m, uint16_t mtu);

/* icmp.c */

void icmp_input(struct ip_stack *ip, struct ip_packet *packet);
/** False, and counted, if there were too many answers of that kind already. */
bool icmp_may_answer(struct ip_stack *ip, enum ip_limit limit);
/** Takes a packet with an error about something that we sent: to its protocol on its core. */
void icmp_error_deliver(
	struct ip_stack *ip, struct ip_packet *packet, const struct ip_icmp_error *error);

/* icmp6.c */

void icmp6_input(struct ip_stack *ip, struct ip_packet *packet);
/** An error about a packet, with a type and code of ICMPv6; `rest` is the pointer, or 0. */
void icmp6_error_send(struct ip_stack *ip, const struct ip_packet *about, uint8_t type,
	uint8_t code, uint32_t rest, bool also_of_group);
/** The same with a type and code of ICMP. */
void icmp6_error_send_v4(
	struct ip_stack *ip, const struct ip_packet *about, uint8_t type, uint8_t code);
/** Sets the checksum of a message that starts at m's data. */
void icmp6_checksum_set(struct rte_mbuf *m, const struct ip_addr *src, const struct ip_addr *dst);

/* neighbour.c */

int neighbour_init(struct ip_stack *ip, struct error *err);
void neighbour_fini(struct ip_stack *ip);
/** NULL: not in the cache. */
struct ip_neighbour *neighbour_find(
	struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr);
/** Its place in the cache, made if need be; makes room by forgetting the longest unused one. */
struct ip_neighbour *neighbour_get(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr);
/** Takes a packet, from its IP header on: sends it, or lets it wait. */
void neighbour_send(struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m);

enum neighbour_news {
	NEIGHBOUR_NEWS_REACHABLE = 1 << 0, /* it answers us */
	NEIGHBOUR_NEWS_NEW = 1 << 1,       /* it speaks to us: worth an entry */
	NEIGHBOUR_NEWS_TO_US = NEIGHBOUR_NEWS_REACHABLE | NEIGHBOUR_NEWS_NEW,
	NEIGHBOUR_NEWS_TELL =
		1 << 2, /* other cores may know it, or wait for it, even if we do not */
	NEIGHBOUR_NEWS_KEEP =
		1 << 3, /* another MAC that we know is not replaced (RFC 4861 7.2.5) */
};
/** What a neighbour protocol heard. Other cores are told if it is news here, or may be there. */
void neighbour_learn(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr,
	const struct wire_mac *mac, uint32_t news);

/* arp.c */

void arp_input(struct ip_stack *ip, struct rte_mbuf *m, uint16_t iface);
/** Asks for `target`: everybody, or only `mac` if it is not NULL. */
void arp_request(struct ip_stack *ip, uint16_t iface, const struct ip_addr *target,
	const struct wire_mac *mac);
/** Tells everybody that `addr` is ours (RFC 5227 2.3). */
void arp_announce(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr);

/* ndp.c */

/** Takes a message that was checked as ICMPv6. */
void ndp_input(struct ip_stack *ip, struct ip_packet *packet);
/** Asks for `target`: everybody whom it may be, or only `mac` if it is not NULL. */
void ndp_solicit(struct ip_stack *ip, uint16_t iface, const struct ip_addr *target,
	const struct wire_mac *mac);
/** Asks whether anybody has `target`, which may be ours (RFC 4862 5.4.2). */
void ndp_probe(struct ip_stack *ip, uint16_t iface, const struct ip_addr *target);
/** Tells everybody that `addr` is ours (RFC 4861 7.2.6). */
void ndp_announce(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr);

/* ip_dad.c */

int ip_dad_init(struct ip_stack *ip, struct error *err);
void ip_dad_fini(struct ip_stack *ip);
/** Worker 0: begins for all addresses of IPv6. */
void ip_dad_start(struct ip_stack *ip);
/** Any core: an address was disabled, or enabled again; of IPv6 it is asked for anew. */
void ip_dad_changed(struct ip_stack *ip, struct ip_own *own);
/** Somebody has, or looks for, an address of kind IP_OWN_TENTATIVE. */
void ip_dad_conflict(struct ip_stack *ip, const struct ip_own *own, const struct wire_mac *mac);
/** The core that must hear of such conflicts. */
#define IP_DAD_CORE 0

/* mld.c */

void mld_init(struct ip_stack *ip);
/** Worker 0: tells the switches which groups we are in. */
void mld_start(struct ip_stack *ip);
/** Takes a query. */
void mld_input(struct ip_stack *ip, struct ip_packet *packet);

/* ip_output.c */

uint32_t ip_tx_poll(struct worker *w, void *ctx, uint32_t budget);
/** Takes a packet or ARP message, puts Ethernet in front, and gives it to the port. */
void ip_ether_send(struct ip_stack *ip, uint16_t iface, const struct wire_mac *dst, uint16_t type,
	struct rte_mbuf *m);

#endif
