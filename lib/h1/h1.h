/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * h1: HTTP/1.0 and HTTP/1.1 over a stream (RFC 9112), strict, incremental, for both roles.
 * Its connections and exchanges are used by http_xchg.h; here is what makes them.
 *
 * A head is parsed in the packet it came in; only one that spans packets is copied together. An
 * idle connection is one struct h1_conn; an open exchange adds a struct h1_xchg; a head lives in
 * the pool of lib/http until its owner frees it. Nothing else is allocated.
 *
 * docs/http1.md lists what is accepted and refused. One struct h1 per core; everything runs there.
 */
#ifndef WEIR_H1_H
#define WEIR_H1_H

#include "http_xchg.h"
#include "stat.h"
#include "worker.h"

/* Why a message was refused: one row each, symbol, status for a client, text. */
enum h1_fault {
	H1_FAULT_NONE,
#define FAULT(sym, status, text) H1_FAULT_##sym,
#include "h1_fault.def"
#undef FAULT
	H1_FAULT_COUNT,
};

/* h1_fault.def gives the first H1_FAULT_COUNT counters, h1_stat.def the others. */
enum h1_stat {
	H1_STAT_FAULTS_END_ = H1_FAULT_COUNT - 2, /* the last fault; the first has index 0 */
#define STAT(sym, kind, text) H1_STAT_##sym,
#include "h1_stat.def"
#undef STAT
	H1_STAT_COUNT,
};

struct h1_config {
	uint32_t conns_max; /* of both roles, on this core */
	uint32_t xchgs_max; /* open at once; 0: conns_max */
};

struct h1 {
	struct http_heads *heads;
	struct pkt_pools *pkts;
	struct mem_pool conns;
	struct mem_pool xchgs;
	struct list ready; /* connections with news that came up inside a call of their owner */
	uint64_t stats[H1_STAT_COUNT];
	struct stat_group group;
};

/**
 * Start-up. Heads and pkts are the core's own and outlive it. With a worker (NULL in tests of
 * one connection) it adds itself: pools, counters, and a poller in WORKER_PHASE_READY, so call it
 * after tcp_create. 0, or -ENOMEM or -ENOSPC with *err set.
 */
int h1_init(struct h1 *h1, struct worker *worker, struct http_heads *heads, struct pkt_pools *pkts,
	const struct h1_config *config, struct error *err);

/** Returns the number of connections and exchanges that were never closed. NULL-safe. */
uint32_t h1_fini(struct h1 *h1);

/** The poller: up to `budget` connections with news. Without a worker, tests call it themselves
 * (w NULL, ctx the struct h1). Returns how many it ran. */
uint32_t h1_poll(struct worker *w, void *ctx, uint32_t budget);

/**
 * A connection that faces a client. The caller opens its `stream` with h1_on_stream_event, or
 * closes the connection if it cannot. NULL if the pool is empty (counted).
 */
struct http_conn *h1_server_create(
	struct h1 *h1, const struct http_conn_owner_ops *owner_ops, void *owner);

/** The same facing a server. */
struct http_conn *h1_client_create(
	struct h1 *h1, const struct http_conn_owner_ops *owner_ops, void *owner);

/** For stream_open_*: the stream of an h1 connection has news. */
void h1_on_stream_event(struct stream *s, uint32_t events);

/**
 * A response as text (an errorfile): its head, owned by the caller, with the body's length set
 * from what follows it; *head_bytes says where the body begins. Lines may end in LF alone. NULL
 * with *fault set; H1_FAULT_NONE if the pool is empty.
 */
struct http_head *h1_response_from_text(
	struct http_heads *heads, struct bytes text, size_t *head_bytes, enum h1_fault *fault);

/** One line for a person. */
const char *h1_fault_text(enum h1_fault fault);

/** What a client is answered if its request has this fault. */
uint16_t h1_fault_status(enum h1_fault fault);

#endif
