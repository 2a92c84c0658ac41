/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames for tests: built as another station sends them, and read as it receives them. */
#ifndef WEIR_TESTS_FAKE_FRAME_H
#define WEIR_TESTS_FAKE_FRAME_H

#include "pkt.h"
#include "wire.h"

/* What is zero is filled in: Ethernet to 02:00:00:00:00:01 from 02:00:00:00:00:aa, TTL 64. */
struct fake_frame {
	struct wire_mac ether_src;
	struct wire_mac ether_dst;
	uint16_t vlan;
	struct ip_addr src;
	struct ip_addr dst;
	uint8_t ttl;
	uint8_t tos;
};

extern const struct wire_mac fake_mac_port, fake_mac_peer, fake_mac_all;

/** An IPv4 address from text; fails the test if it is none. */
struct ip_addr fake_addr(const char *text);

/* The same of IPv4, where a constant is needed. */
#define FAKE_V4(a, b, c, d)                                                          \
	{                                                                            \
		{                                                                    \
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) \
		}                                                                    \
	}

/** A frame with an IPv4 packet of any protocol. */
struct rte_mbuf *fake_frame_ipv4(struct pkt_pools *pools, const struct fake_frame *f, uint8_t proto,
	const void *l4, size_t len);

/** Makes the packet in such a frame (without a VLAN tag) a fragment. */
void fake_frame_fragment(struct rte_mbuf *m, uint16_t id, uint16_t off_bytes, bool more);

/** With the right checksum. */
struct rte_mbuf *fake_frame_udp(struct pkt_pools *pools, const struct fake_frame *f,
	uint16_t src_port, uint16_t dst_port, const void *payload, size_t len);
struct rte_mbuf *fake_frame_tcp(struct pkt_pools *pools, const struct fake_frame *f,
	const struct wire_tcp *tcp, const void *payload, size_t len);
struct rte_mbuf *fake_frame_icmp(struct pkt_pools *pools, const struct fake_frame *f,
	const struct wire_icmp *icmp, const void *payload, size_t len);

/** An ARP message in a frame from its sender to fake_mac_all (requests) or to its target. */
struct rte_mbuf *fake_frame_arp(struct pkt_pools *pools, const struct wire_arp *arp, uint16_t vlan);

/* A frame that was sent, by layers. */
struct fake_read {
	struct wire_ether ether;
	struct wire_arp arp;   /* if ether.type says so */
	struct wire_ipv4 ipv4; /* if ether.type says so; the checksum is right */
	const uint8_t *l4;
	size_t l4_bytes;
};

/** Reads one; fails the test if it is malformed or has more than one segment. */
void fake_frame_read(struct rte_mbuf *m, struct fake_read *out);

#endif
