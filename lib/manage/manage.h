/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * manage: the runtime API ("stats socket") in HAProxy's language, and weir's own commands to look
 * into itself. Runs on the control core.
 *
 * In: lines from the sockets that the configuration names (lib/sock). Out: text, CSV, typed rows or
 * JSON. Counters of other cores are read where they stand; sessions, connections and neighbours
 * are asked for by mail, a bounded piece at a time, while the operator's connection is parked.
 *
 * Life: manage_create after proxy_view_create and before the workers run. manage_destroy when
 * their threads have ended and all workers have been polled until none has work (see
 * worker_destroy), before anything that the configuration names is destroyed.
 */
#ifndef WEIR_MANAGE_H
#define WEIR_MANAGE_H

#include "proxy.h"
#include "sock.h"

struct manage;

/* What the runtime API looks at. Arrays are copied, what they point to must outlive the manage. */
struct manage_config {
	struct worker *control;
	struct sock_loop *loop;    /* attached to `control` */
	const struct model *model; /* until manage_model_set gives another */
	struct proxy_view *view;   /* of all proxies; NULL: as if there were no proxy */

	uint32_t core_count;           /* the control core included: it has the last index */
	struct worker *const *workers; /* by core index */
	/* By core index; each array, and each entry, may be NULL (the control core has no proxy,
	 * a test has no network). */
	struct ip_stack *const *ips;
	struct tcp *const *tcps;
	struct proxy *const *proxies;

	uint32_t port_count;
	struct port *const *ports; /* by port index */
	/* port_cores[core] is this core's share of each port, by port index, as ip_stack_create got
	 * it; NULL: the core has none. */
	struct port_core *const *port_cores;

	const char *version;      /* "0.1.0"; NULL: the one this was compiled as */
	const char *release_date; /* "2026/01/31"; NULL: the one this was compiled as */
	uint32_t pid;
	uint64_t start_ns; /* of the clock of `control`: uptime counts from here */

	/* "shut"-like commands of later versions and tests: ends weir. May be NULL. */
	void (*stop)(void *ctx, bool soft);
	void *stop_ctx;
};

/** Start-up. Opens the sockets of model->global. NULL with *err set: file and line of the socket,
 * and what is wrong. */
struct manage *manage_create(const struct manage_config *config, struct error *err) WR_SLOW_CORE;

/** Ends the sessions, closes the sockets, ends a capture. NULL-safe. */
void manage_destroy(struct manage *m) WR_SLOW_CORE;

/** Another configuration with its view: commands that run end with a word about it. Sockets that
 * both have (same address) stay open with the new level; on error all old ones stay. */
int manage_model_set(struct manage *m, const struct model *model, struct proxy_view *view,
	struct error *err) WR_SLOW_CORE;

/** The process has another pid (daemon). */
void manage_pid_set(struct manage *m, uint32_t pid) WR_SLOW_CORE;

#endif
