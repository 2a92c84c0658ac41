/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An ip layer for tests of what stands on it: keeps what is sent, gives what the test says was
 * received. Every address is reachable and 10.0.0.1 is ours, unless the test says otherwise.
 * Link it by
 *     fakes = files('../../fake/fake_ip.c')
 */
#ifndef WEIR_TESTS_FAKE_IP_H
#define WEIR_TESTS_FAKE_IP_H

#include "ip.h"

#define FAKE_IP_SENT_MAX  4096
#define FAKE_IP_BURST_MAX 64

struct fake_ip_sent {
	struct rte_mbuf *m; /* from the protocol header on */
	struct ip_addr src, dst;
	uint64_t at_ns;
	bool to_us; /* the path's loopback_to_us */
	uint8_t tos;
};

struct ip_stack {
	struct worker *worker;
	uint16_t mtu;
	uint32_t caps;
	int path_error; /* what ip_path_find says; 0: finds it */
	int send_error; /* what ip_send says; 0: keeps it */
	struct ip_addr own;
	uint8_t tos;  /* of what fake_ip_receive gives */
	bool from_us; /* what fake_ip_receive gives came from ourselves */
	ip_proto_fn fn;
	ip_error_fn error_fn;
	void *ctx;
	uint32_t sent_head, sent_count;
	struct fake_ip_sent sent[FAKE_IP_SENT_MAX];
	uint32_t burst_count;
	struct ip_packet burst[FAKE_IP_BURST_MAX]; /* what comes with the next packet */
};

/** MTU 1500, no offloads. */
struct ip_stack *fake_ip_create(struct worker *worker);

/** Frees it and what was sent and not fetched. */
void fake_ip_destroy(struct ip_stack *ip);

/** A packet that the protocol gets in one burst with the next; takes m. */
void fake_ip_gather(
	struct ip_stack *ip, struct ip_addr src, struct ip_addr dst, struct rte_mbuf *m);

/** The protocol gets a packet, and what was gathered before it; takes m. */
void fake_ip_receive(
	struct ip_stack *ip, struct ip_addr src, struct ip_addr dst, struct rte_mbuf *m);

/** The oldest packet that was sent, whose buffer the caller frees. False if there is none. */
bool fake_ip_fetch(struct ip_stack *ip, struct fake_ip_sent *out);

#endif
