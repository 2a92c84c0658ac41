/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * micro: what each step of the budget costs, in one process.
 *
 *   main.c       which figures are wanted
 *   meter.h      cycles and instructions of a stretch of code
 *   engine.c     one worker with IP and TCP on one end of a pair of net_ring ports
 *   peer.c       the other end: clients as arrays of numbers, whose segments are laid into buffers
 *   idle.c       a request beside many idle connections
 *   steps_net.c  steps that need the engine: driver, IP, TCP
 *   steps.c      steps that stand alone: table, timers, heads, balancing, log
 *
 * Buffers pass the rings without a copy, checksums are the device's, and time stands still but for
 * what a step moves it.
 */
#ifndef WEIR_PERF_MICRO_H
#define WEIR_PERF_MICRO_H

#include "clock.h"
#include "meter.h"
#include "port.h"
#include "tcp.h"
#include "worker.h"

#define MICRO_BURST     32u
#define MICRO_PORT      80
#define MICRO_REQUEST   100 /* bytes */
#define MICRO_RESPONSE  256
#define MICRO_CONNS_MAX 1000064u

struct engine {
	struct clock_manual clock;
	struct worker *worker;
	struct pkt_pools pools;
	struct port port;
	struct port_core port_core;
	struct steer steer;
	struct ip_stack *ip;
	struct tcp *tcp;
	struct tcp_listener *listener;
	uint16_t near_id, far_id; /* DPDK's numbers of the two ends */
	uint64_t requests;        /* that were answered */
};

/** Ends the process with a message if that is not possible. */
void engine_init(struct engine *e);
void engine_fini(struct engine *e);
/** Turns until nobody has work; nothing is measured. */
void engine_settle(struct engine *e);

struct peer {
	struct engine *e;
	uint32_t count; /* connections that are open */
	uint32_t *snd;  /* by connection: the number of the next byte */
	uint32_t *rcv;
	uint32_t took_count; /* of the connections whose segments were taken last */
	uint32_t took[4 * MICRO_BURST];
};

void peer_init(struct peer *p, struct engine *e);
void peer_fini(struct peer *p);
/** Opens connections until there are `count`; each has keep-alive on, so it has a timer. */
void peer_open(struct peer *p, uint32_t count);
/** Lays a request of connection i into the ring; it acknowledges all that came. */
void peer_request(struct peer *p, uint32_t i);
/** A SYN of client i with all the options of a usual one; nobody remembers it here. */
void peer_syn(struct peer *p, uint32_t i);
/** A datagram of as many bytes that nobody is told about but a sink. */
void peer_datagram(struct peer *p);
/** Takes what the engine sent. Returns how many TCP segments there were. */
uint32_t peer_take(struct peer *p);
/** Acknowledges what was taken last; the engine hears of it. */
void peer_ack(struct peer *p);
/** The endpoints of connection i as the engine sees them. */
struct endpoint peer_client(uint32_t i);
struct ip_addr peer_server(void);

/* Figures. */
void micro_idle(struct engine *e, struct peer *p, uint32_t count_max);
void micro_steps_net(struct engine *e, struct peer *p);
void micro_steps(void);

/** Ends the process. */
void micro_fail(const char *what);

#endif
