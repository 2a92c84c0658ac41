/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lb: which server of a backend gets the next connection. One struct lb per backend and core.
 *
 * Algorithms are const tables (struct lb_ops). All cores together behave as one: each core writes
 * its own picks and loads into words that the others read without a lock, so
 *  - roundrobin walks one sequence for the whole machine; two cores that pick within the same
 *    few hundred nanoseconds may take the same position, and the next position is then skipped;
 *  - leastconn compares loads that are as old as the start of this core's turn for what other
 *    cores did, exact for what this core did;
 *  - hashes do not depend on the core at all.
 *
 * Servers are numbered 0 to server_count - 1 within the backend. Backup servers are used only
 * while no active one is usable: the first of them, or all with `allbackups`.
 */
#ifndef WEIR_LB_H
#define WEIR_LB_H

#include "base_addr.h"
#include "base_error.h"

#define LB_NONE        UINT32_MAX
#define LB_WEIGHT_MAX  256u
#define LB_SERVERS_MAX 4095u /* of one backend */

struct lb;

struct lb_server {
	uint32_t id;     /* of the server; places it on the ring of consistent hashing */
	uint32_t weight; /* 0 to LB_WEIGHT_MAX; 0: takes no new connections */
	bool backup;
	bool up; /* may be used at all */
};

/* One choice, as an algorithm sees it. */
struct lb_query {
	const struct ip_addr *source; /* of the client; for hashes */
	uint32_t avoid;               /* a server that just failed, or LB_NONE */
	uint64_t turn;                /* worker's turn: how long figures of other cores are kept */
	/* True if the server cannot take one more now; may be NULL. Hashes do not ask. */
	bool (*is_full)(void *ctx, uint32_t server);
	void *ctx;
};

struct lb_ops {
	const char *name; /* as "show stat" calls it */
	/** Words (uint32_t) of private memory for this many servers. */
	size_t (*state_words)(uint32_t server_count);
	/** Weights or states have changed (and once at the start): build what pick needs. */
	void (*rebuild)(struct lb *lb);
	/** A server that is usable, or LB_NONE if all are full or avoided. */
	uint32_t (*pick)(struct lb *lb, const struct lb_query *query);
	/** The load of a server has changed; may be NULL. */
	void (*moved)(struct lb *lb, uint32_t server);
};

extern const struct lb_ops lb_roundrobin;
extern const struct lb_ops lb_leastconn;
extern const struct lb_ops lb_source_map;        /* hash-type map-based */
extern const struct lb_ops lb_source_consistent; /* hash-type consistent */

struct lb_config {
	const struct lb_ops *ops;
	uint32_t server_count;
	const struct lb_server *servers; /* copied */
	bool allbackups;
};

/** Start-up. NULL with *err set. */
struct lb *lb_create(const struct lb_config *config, struct error *err) WR_SLOW_CORE;

/** Start-up: the same backend on all cores, this one included; the array must outlive the lb. */
void lb_connect(struct lb *lb, struct lb *const *all, uint32_t count) WR_SLOW_CORE;

/** NULL-safe. */
void lb_destroy(struct lb *lb) WR_SLOW_CORE;

/**
 * The owner's core. The server for a new connection, or LB_NONE: none is up, or all that are up
 * are full (lb_usable_count tells). Does not count it: see lb_take.
 */
uint32_t lb_pick(struct lb *lb, const struct lb_query *query) WR_DATA_CORE;

/** The owner's core: the server has one more connection (or waiting request), or one less. */
void lb_take(struct lb *lb, uint32_t server) WR_DATA_CORE;
void lb_drop(struct lb *lb, uint32_t server) WR_DATA_CORE;

/** The owner's core: the state of a server has changed. Takes effect with the next pick. */
void lb_server_set(struct lb *lb, uint32_t server, uint32_t weight, bool up);

/** The owner's core: connections of all cores, as old as this turn. */
uint32_t lb_load(struct lb *lb, uint32_t server, uint64_t turn);

/** The owner's core: algorithms may choose this server now. */
bool lb_is_usable(const struct lb *lb, uint32_t server);

/** Any core: servers that algorithms choose from now; 0 means that the backend is down. */
uint32_t lb_usable_count(const struct lb *lb);
/** Any core: the sum of their weights. */
uint32_t lb_usable_weight(const struct lb *lb);
/** Any core: servers that are up, active ones and backups. */
uint32_t lb_active_count(const struct lb *lb);
uint32_t lb_backup_count(const struct lb *lb);

#endif
