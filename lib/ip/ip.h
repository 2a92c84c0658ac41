/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip: addresses, neighbours, routes, ICMP; one struct ip_stack per core.
 *
 * In: ip_receive takes bursts from the ports, checks Ethernet and IP, answers ARP and echo
 * requests, sends packets of connections that another core owns over to it (lib/steer), and hands
 * what is left to the handler of its protocol, a batch at a time.
 * Out: ip_send puts IP and Ethernet in front of a segment, resolving the neighbour; packets wait
 * in a bounded queue while that lasts. A destination that is an address of our own never reaches
 * a port: it goes to the input of the core that owns the connection. The exception are loopback
 * addresses where they are allowed: hosts of a bench may share them with us, so the caller says in
 * the path which of the two it means.
 *
 * Every core has its own neighbour cache. What one core learns from ARP it tells the others by
 * mail; a request is answered by the core that received it. docs/network.md tells states and
 * limits.
 *
 * The configuration is immutable; addresses and routes are the same on all cores.
 */
#ifndef WEIR_IP_H
#define WEIR_IP_H

#include "port.h"
#include "steer.h"
#include "wire_ipv6.h"
#include "worker.h"

#define IP_IFACES_MAX          32
#define IP_NAME_SIZE           32
#define IP_TTL_DEFAULT         64
#define IP_NEIGHBOURS_MAX      4096 /* per core; the longest unused one makes room */
#define IP_NEIGHBOUR_QUEUE_MAX 16   /* packets that wait for one neighbour; the newest is dropped */
#define IP_MTU_MIN             576
#define IP_DAD_TRANSMITS_MAX   10

/* A port, or one VLAN of it. */
struct ip_iface_config {
	char name[IP_NAME_SIZE];
	uint16_t port; /* index among the ports */
	uint16_t vlan; /* 0: untagged */
	uint16_t mtu;
	bool allow_loopback;   /* 127.0.0.0/8 and ::1 are ordinary addresses on this wire (test
				  benches) */
	uint8_t dad_transmits; /* IPv6: how often an address is asked for before it is used (RFC
				  4862 5.1); 0: it is used at once */
};

/** The zone of an interface, which its link-local addresses carry (base_addr.h). */
static inline uint16_t ip_zone_of_iface(uint16_t iface)
{
	return (uint16_t)(iface + 1);
}

/** The interface of a zone, which is not 0. */
static inline uint16_t ip_iface_of_zone(uint16_t zone)
{
	return (uint16_t)(zone - 1);
}

struct ip_address_config {
	struct ip_prefix prefix; /* the address itself, with the length of its network; if it is
				    link-local, with the zone of iface or none */
	uint16_t iface;
	bool service; /* from a bind: a whole address, announced and answered for */
};

struct ip_route_config {
	struct ip_prefix prefix;
	struct ip_addr gateway; /* any: directly connected; of a zone as above */
	uint16_t iface;
};

/* An interface with an IPv6 address also has a link-local one, made of its MAC. */
struct ip_config {
	uint32_t iface_count, address_count, route_count;
	const struct ip_iface_config *ifaces;
	const struct ip_address_config *addresses;
	const struct ip_route_config *routes; /* connected networks are added from the addresses */
};

enum ip_stat {
#define STAT(sym, kind, text) IP_STAT_##sym,
#include "ip_stat.def"
#undef STAT
	IP_STAT_COUNT,
};

struct ip_stack;

/* A received packet as a protocol handler gets it. `m` starts at the protocol's own header and
 * ends with its payload (padding is gone); the handler takes it. The IP header still stands in
 * front of the data, m->l3_len bytes long, for ip_send_icmp_error. */
struct ip_packet {
	struct rte_mbuf *m;
	struct ip_addr src;
	struct ip_addr dst;
	uint16_t iface;
	uint8_t proto;
	uint8_t tos; /* with the ECN bits */
	uint8_t ttl;
	bool l4_checksum_ok; /* the port saw to it, or it came from ourselves */
	bool from_us;        /* from ourselves, not from a wire */
};

/** Any core: bytes of the header that ip_send writes for an address of this family. */
static inline uint32_t ip_header_bytes(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? WIRE_IPV4_BYTES_MIN : WIRE_IPV6_BYTES;
}

/** Any core: true if the checksum of a protocol with a pseudo header holds over a received packet,
 * whose buffers may have odd lengths (RFC 1071 2). */
static inline bool ip_l4_checksum_holds(const struct ip_packet *p, uint8_t proto)
{
	uint32_t sum = wire_checksum_pseudo(&p->src, &p->dst, proto, p->m->pkt_len);
	bool odd = false;

	for (const struct rte_mbuf *m = p->m; m != NULL; m = m->next) {
		uint16_t part = (uint16_t)~wire_checksum_fold(
			wire_checksum_add(0, rte_pktmbuf_mtod(m, const void *), m->data_len));

		sum += odd ? __builtin_bswap16(part) : part;
		odd ^= m->data_len & 1;
	}
	return wire_checksum_fold(sum) == 0;
}

typedef void (*ip_proto_fn)(void *ctx, struct ip_packet *packets, uint32_t n);

/* An ICMP error about something that we sent (RFC 792, 1191, 5927). It is told on the core that
 * owns the flow; whether the sequence number fits is for the protocol to check. */
struct ip_icmp_error {
	uint8_t proto;
	uint8_t type, code; /* as in ICMP for IPv4, whatever the family */
	uint16_t mtu;       /* for "fragmentation needed"; 0 if not told */
	struct ip_addr src; /* of the packet that we sent */
	struct ip_addr dst;
	uint8_t l4[8]; /* its first bytes: ports and sequence number */
};

/** Called in the phases RX and TIMERS, never inside ip_send. A neighbour that does not answer is
 * told as WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_HOST for each packet that waited. */
typedef void (*ip_error_fn)(void *ctx, const struct ip_icmp_error *error);

/* Where packets of a flow leave: found once, checked cheaply, found again when routes or
 * neighbours changed. Zeroed, but for loopback_to_us: not found yet. */
struct ip_path {
	uint16_t iface;
	bool loopback_to_us; /* of the user: a loopback address that is ours, on an interface that
				allows them, means ourselves; false: whoever has it on the wire */
	uint8_t flags;       /* private */
	uint32_t neighbour;  /* private */
	uint32_t generation; /* private; 0: not found yet */
};

struct ip_stack_config {
	struct worker *worker;
	const struct steer *steer;
	const struct ip_config *net;
	struct port_core *ports; /* this core's share of each port, by port index */
	uint32_t port_count;
	struct pkt_pools *pools;
};

/**
 * Start-up, on each core's behalf. Adds a poller in phase RX ("ip rx"). What config->net and
 * config->ports point to must outlive the stack. NULL with *err set (-EINVAL, -ENOMEM, -ENOSPC).
 */
struct ip_stack *ip_stack_create(const struct ip_stack_config *config, struct error *err);

/**
 * Start-up: tells the stacks of all cores about each other, by core index: all workers, and the
 * control core behind them if it has a core of its own (if not, the last worker gets its packets).
 * A stack that is alone needs no call. Returns 0, -EINVAL if the count does not fit the steering,
 * -ENOMEM.
 */
int ip_stack_connect(struct ip_stack *const *all, uint32_t count, struct error *err);

/** Start-up, after all other TX pollers of this worker were added: adds "port tx", the flush of
 * all ports. Returns 0 or -ENOSPC. */
int ip_stack_start(struct ip_stack *ip, struct error *err);

/** Frees it and what waits in it. NULL-safe. After worker_destroy, whose last mail may still speak
 * to the stack. */
void ip_stack_destroy(struct ip_stack *ip);

/** Start-up: who gets packets of a protocol (TCP, UDP) and the ICMP errors about it (error_fn may
 * be NULL). At most 4 protocols. */
void ip_proto_set(
	struct ip_stack *ip, uint8_t proto, ip_proto_fn fn, ip_error_fn error_fn, void *ctx);

/** Worker 0, in its first turn, for all cores: announces the IPv4 addresses, joins the groups of
 * IPv6, and begins to find out whether anybody else has our IPv6 addresses. Those of interfaces
 * with dad_transmits are not used before. */
void ip_announce(struct ip_stack *ip) WR_DATA_CORE;

/** True if the address is one of ours, an interface's or a service's; also if it may not be used
 * yet. Any core. */
bool ip_addr_is_ours(const struct ip_stack *ip, const struct ip_addr *a);

/**
 * The owner's core. True if packets from `remote` to `local` come to this core, whatever NIC is in
 * between: for choosing local ports.
 */
bool ip_flow_is_ours(
	const struct ip_stack *ip, const struct endpoint *local, const struct endpoint *remote);

/** The same for packets to this port from anybody. */
bool ip_port_is_ours(const struct ip_stack *ip, uint16_t port);

/** Not found yet: the way back to who sent the packet, the wire or ourselves. */
static inline struct ip_path ip_path_back(const struct ip_packet *packet)
{
	return (struct ip_path){.loopback_to_us = packet->from_us};
}

/**
 * The owner's core. Finds the way to dst. If *src is the any-address of a family it is filled with
 * our address there (for a destination of our own: with that; RFC 6724 in docs/network.md).
 * Returns 0, or, counted, -ENETUNREACH, or -EADDRNOTAVAIL if src is not ours or not to be used.
 */
int ip_path_find(struct ip_stack *ip, struct ip_addr *src, const struct ip_addr *dst,
	struct ip_path *path) WR_DATA_CORE;

/**
 * The owner's core. Nothing comes back by this path, says who uses it (RFC 9293 3.8.3, RFC 1122
 * 3.3.1.4): the station that it leads to is asked by itself with the next packet, and everybody if
 * it does not answer. One that was heard from in the last second is believed.
 */
void ip_path_doubt(struct ip_stack *ip, const struct ip_path *path) WR_DATA_CORE;

/** Bytes of IP that one packet may have on this path: the interface's MTU. What Path MTU discovery
 * tells (ip_icmp_error.mtu) belongs to the connection. */
uint16_t ip_path_mtu(const struct ip_stack *ip, const struct ip_path *path);

/** Offloads of the path's port (enum port_cap), so that TCP can leave work to it. */
uint32_t ip_path_caps(const struct ip_stack *ip, const struct ip_path *path);

/**
 * The owner's core. Takes `m`, whose data starts at the protocol header, with 58 bytes free in
 * front (78 for IPv6) (pkt_alloc gives PKT_HEADROOM_BYTES); m->l4_len is the length of that header.
 * The protocol's checksum is asked for by RTE_MBUF_F_TX_TCP_CKSUM or _UDP_CKSUM in ol_flags; ip
 * sets l2_len, l3_len, and the IP flags. Finds the path again if it is stale. What cannot be sent
 * is freed and counted. Returns 0 (it may still be lost), or, as ip_path_find, -ENETUNREACH while
 * there is no route, -EADDRNOTAVAIL if `src` is not to be used (any more). Above the path's MTU
 * only packets with RTE_MBUF_F_TX_TCP_SEG go. A destination of our own gets the packet by
 * reference, in the next turn, with l4_checksum_ok and uncut.
 */
int ip_send(struct ip_stack *ip, struct ip_path *path, const struct ip_addr *src,
	const struct ip_addr *dst, uint8_t proto, uint8_t tos, struct rte_mbuf *m) WR_DATA_CORE;

/** The owner's core: an ICMP error about a packet that we received, which stays the caller's and is
 * as the handler got it. Type and code are those of IPv4, also for IPv6 (unreachable, time
 * exceeded). At most 200 in a second, about 50 at once (RFC 1812 4.3.2.8); none about ICMP, and of
 * ICMPv6 none about errors and redirects. */
void ip_send_icmp_error(struct ip_stack *ip, const struct ip_packet *about, uint8_t type,
	uint8_t code) WR_DATA_CORE;

/* For the operator; control core's own stack, or by mail on another core. */
enum ip_neighbour_state {
	IP_NEIGHBOUR_INCOMPLETE,
	IP_NEIGHBOUR_REACHABLE,
	IP_NEIGHBOUR_STALE,
	IP_NEIGHBOUR_PROBE,
	IP_NEIGHBOUR_FAILED,
};

struct ip_neighbour_info {
	struct ip_addr addr;
	struct wire_mac mac;
	uint16_t iface;
	enum ip_neighbour_state state;
	uint64_t age_ns; /* since it was confirmed; UINT64_MAX: never */
	uint32_t queued;
};

/** The owner's core. Calls fn for each neighbour until it returns false. */
void ip_neighbour_each(
	struct ip_stack *ip, bool (*fn)(void *ctx, const struct ip_neighbour_info *n), void *ctx);

/** The owner's core. Forgets all neighbours of this core; packets that wait for one are dropped. */
void ip_neighbour_flush(struct ip_stack *ip);

/** The owner's core. Forgets the packets of which not all fragments came. */
void ip_fragments_flush(struct ip_stack *ip);

/* A route: configured, connected, or one of our own addresses (prefix of full length, gateway any,
 * `local`). */
struct ip_route_info {
	struct ip_prefix prefix;
	struct ip_addr gateway;
	uint16_t iface;
	bool local;
	bool disabled;
	bool tentative; /* an address that is not used yet: somebody may have it */
	bool duplicate; /* an address that is not used: somebody has it */
};
/** Any core. Calls fn for each route until it returns false. */
void ip_route_each(
	const struct ip_stack *ip, bool (*fn)(void *ctx, const struct ip_route_info *r), void *ctx);

/**
 * The owner's core, for its stack; the caller tells all cores. A configured route, named by its
 * prefix and gateway, is used or not from now on, and every path is found again with the next
 * packet: another route takes over, or the packets are lost (tx_no_route) until there is one.
 * Returns 0, or -ENOENT.
 */
int ip_route_set_enabled(
	struct ip_stack *ip, const struct ip_route_config *route, bool enabled) WR_DATA_CORE;

/**
 * The same for an address of ours. While it is not enabled it is nobody's as far as we know:
 * packets to it are dropped (rx_not_ours), nobody who asks for it is answered, and ip_send from it
 * fails. Once it is enabled worker 0 announces it; one of IPv6 is asked for first, as at the start.
 */
int ip_address_set_enabled(
	struct ip_stack *ip, const struct ip_addr *addr, bool enabled) WR_DATA_CORE;

/** What ip_stack_create was given as `net`. Any core. */
const struct ip_config *ip_stack_config_of(const struct ip_stack *ip);

#endif
