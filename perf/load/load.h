/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * load: clients and origins in one process, around a proxy that is to be measured.
 *
 *   options.c    the command line
 *   load_main.c  the run, the report; main.c and ring.c call it
 *   scenario.c   a row for each scenario: what clients ask, what origins answer
 *   http.c       requests and answers, every byte of them checked
 *   plain.c      bytes without HTTP: connections that come and go, streams that stay
 *   load.c       clients: when each may start, what becomes of its connection, what is counted
 *   hist.c       latencies
 *   net.h        what the above use to speak: connections over one of two networks
 *   net_dpdk.c   a DPDK device: Ethernet, ARP, and the TCP of mini_tcp.c
 *   mini_tcp.c   as little TCP as a load generator needs; shares nothing with lib/tcp
 *   net_socket.c the kernel's sockets, for proxies that live there
 *
 * One thread. Nothing is allocated after the start but by the kernel.
 */
#ifndef WEIR_PERF_LOAD_H
#define WEIR_PERF_LOAD_H

#include "hist.h"
#include "net.h"

#define LOAD_SIZES_MAX   64
#define LOAD_OBJECT_MAX  (1u << 20)
#define LOAD_HEAD_MAX    512
#define LOAD_REQUEST_MAX 1024

struct client;
struct load;
struct scenario;

/* What a client does with its connection, and an origin with its own. */
struct load_kind {
	const struct net_app *client_app;
	const struct net_app *origin_app;
	void (*prepare)(const struct scenario *s);               /* once; NULL: nothing to do */
	void (*start)(struct load *load, struct client *client); /* one more unit of work */
};

struct scenario {
	const char *name;
	const char *text;      /* one line for --help */
	const uint32_t *sizes; /* of the objects, bytes; each is asked for equally often */
	uint32_t size_count;
	bool keep_alive;
	const uint32_t *thinks_us; /* pauses of a client between units, each equally often */
	uint32_t think_count;      /* 0: no pauses */
	bool hold;                 /* connections are opened and stay, without work ... */
	bool ask_once;             /* ... but for one request each */
	double syns;               /* of a flood, per second; --syns says otherwise */
	const struct load_kind *kind;
};

extern const struct scenario scenarios[];
extern const uint32_t scenario_count;

/* A connection of a client, or the want of one. */
struct client {
	struct net_conn *conn; /* NULL: not connected */
	uint64_t
		started_at; /* of the unit that is under way; when it was due, if there is a rate */
	uint64_t ready_at;  /* think time ends; 0: none */
	uint32_t size;      /* index of the object asked for */
	uint32_t head_bytes; /* of the answer, so far, in its place of load->heads */
	uint32_t body_at, body_bytes;
	bool busy;
	bool open;
	bool in_body;
};

struct load_totals {
	uint64_t units;      /* requests, connections: whatever the scenario counts */
	uint64_t bytes;      /* of payload, checked */
	uint64_t errors;     /* refused, reset, timed out, cut */
	uint64_t mismatches; /* answers with other bytes than they should have */
	uint64_t late;       /* units that a rate asked for and no client was free to start */
	uint64_t syns;       /* of the flood */
	uint64_t syn_acks;   /* its answers */
};

struct load_config {
	const struct scenario *scenario;
	const struct net_config *net;
	uint32_t clients;
	uint32_t warm_ms, run_ms;
	double rate;      /* units per second; 0: as fast as the answers come */
	double warm_rate; /* until the measurement begins; 0: the same */
	double syns;      /* of a flood, per second; 0: none */
	uint64_t seed;
	bool json;
};

struct load {
	const struct load_config *config;
	struct net *net;
	struct client *clients;
	uint8_t (*heads)[LOAD_HEAD_MAX]; /* by client; apart, so that one that idles costs none */
	uint64_t now_ns;
	uint64_t rand;
	double rate;                 /* the one that holds now */
	uint64_t rate_next_ns;       /* when the next unit is due */
	uint32_t rate_cursor;        /* clients are asked in turn */
	double syn_next_ns;          /* when the next one of the flood is due */
	uint32_t opening, connected; /* clients whose connection is */
	bool measuring;
	bool draining; /* no new units */
	struct load_totals totals;
	struct hist latency;
	uint8_t *object; /* LOAD_OBJECT_MAX bytes of pattern: all bodies are its beginning */
};

/** One turn: starts what is due, polls the net. */
void load_turn(struct load *load, uint64_t now_ns);
/** A unit of work has ended well: counts it, and starts the next if there is no rate. */
void load_unit_done(struct load *load, struct client *client);
/** It has ended well and its connection with it, which is shut. */
void load_conn_done(struct load *load, struct client *client);
/** It has not; the client connects anew. */
void load_unit_failed(struct load *load, struct client *client);
/** It has not, for the answer has bytes that it should not have. */
void load_unit_wrong(struct load *load, struct client *client);
/* What every client's application does when its connection opens, is shut, or has gone. */
void load_opened(struct net_conn *c);
void load_peer_shut(struct net_conn *c);
void load_closed(struct net_conn *c, bool in_order);
/* What every origin's does with its own; it shuts when the client has. */
void load_origin_opened(struct net_conn *c);
void load_origin_closed(struct net_conn *c, bool in_order);
/** Pseudo-random, by the run's seed. */
uint32_t load_random(struct load *load, uint32_t below);

#endif
