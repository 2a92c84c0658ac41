/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lease: limits that hold for all cores together (maxconn of the machine, of a frontend, of a
 * server). A limit is a number of tokens; who has a connection holds one. Tokens are only moved,
 * never made, so the limit cannot be exceeded.
 *
 * Limits come in groups: the servers of a backend form one (a waiter may want a token of one
 * server or of any), a frontend is a group of one. Group g belongs to core g mod workers. The owner
 * hands tokens out by mail, a few at a time while there are plenty; a core keeps what it has for
 * its next connections. When tokens run short the owner calls them back, and from then on every
 * token that is given back anywhere goes through the owner to who waits: within a core first come,
 * first served; between cores in turn. Nobody starves. With one worker no mail is sent.
 *
 * One struct lease_hub per core. Mail is collected during a turn and sent at its end.
 */
#ifndef WEIR_LEASE_H
#define WEIR_LEASE_H

#include "worker.h"

#define LEASE_ANY   UINT32_MAX /* a token of any open member of the group */
#define LEASE_BATCH 32         /* most tokens handed out unasked */

struct lease_hub;
struct lease_waiter;

/* The waiter has a token of this member now and waits no more. Called from the hub's poller or
 * from mail, never from inside a call of lease_wait, _put or _cancel. */
typedef void (*lease_granted_fn)(struct lease_waiter *waiter, uint32_t member);

struct lease_waiter {
	struct list link;
	lease_granted_fn fn;
	uint64_t stamp; /* private: order of arrival on this core */
	uint32_t group;
	uint32_t member; /* or LEASE_ANY */
};

struct lease_group_config {
	uint32_t member_count;
	const uint32_t *limits; /* by member; 0: none, tokens without end */
};

struct lease_hub_config {
	struct worker *worker;
	uint32_t worker_count;
	uint32_t group_count;
	const struct lease_group_config *groups; /* copied */
};

/** Start-up. Adds a poller in phase SLOW. NULL with *err set. */
struct lease_hub *lease_hub_create(
	const struct lease_hub_config *config, struct error *err) WR_SLOW_CORE;

/** Start-up: the hubs of all workers, by core index; the array must outlive them. */
void lease_hub_connect(struct lease_hub *hub, struct lease_hub *const *all) WR_SLOW_CORE;

/** After the workers ended. NULL-safe. */
void lease_hub_destroy(struct lease_hub *hub) WR_SLOW_CORE;

/** A waiter before its first use. */
void lease_waiter_init(struct lease_waiter *waiter, lease_granted_fn fn);

/** The owner's core: a token at once, if this core has one and nobody waits for it. */
bool lease_take(struct lease_hub *hub, uint32_t group, uint32_t member) WR_DATA_CORE;

/** The owner's core: waits in the queue; waiter->fn is called when it got a token. */
void lease_wait(struct lease_hub *hub, struct lease_waiter *waiter, uint32_t group,
	uint32_t member) WR_DATA_CORE;

/** The owner's core: waits no more. Harmless if it does not wait. */
void lease_cancel(struct lease_hub *hub, struct lease_waiter *waiter) WR_DATA_CORE;

static inline bool lease_is_waiting(const struct lease_waiter *waiter)
{
	return list_is_linked(&waiter->link);
}

/** The owner's core: gives a token back. */
void lease_put(struct lease_hub *hub, uint32_t group, uint32_t member) WR_DATA_CORE;

/** The owner's core: who waits for any member is (not) given tokens of this one. All are open at
 * first. Tell every core. */
void lease_set_open(struct lease_hub *hub, uint32_t group, uint32_t member, bool open);

/** The owner's core: those who wait here for this member, or for any. */
uint32_t lease_waiting(const struct lease_hub *hub, uint32_t group, uint32_t member);

/** For tests: tokens that lie unused on this core. */
uint32_t lease_spare(const struct lease_hub *hub, uint32_t group, uint32_t member);

/** Any core: messages that this core sent so far. */
uint64_t lease_mail_count(const struct lease_hub *hub);

#endif
