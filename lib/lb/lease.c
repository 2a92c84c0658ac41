/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lease: tokens of limits, moved between cores by mail.
 *
 * In: lease_take, _wait, _put of this core; mail from other cores. Out: calls of waiters' fn, mail.
 *
 * Every core has a slot per member of every group, and one for LEASE_ANY. The slot holds the
 * tokens that lie here unused (`spare`), the queue of this core's waiters, and on cores that do
 * not own the group how many tokens the owner was asked for (`asked`). The owner keeps for each
 * other core how many tokens it wants (`wanted`). A link per core and slot counts what is still to
 * be told to that core; the poller turns counts into mail, so a full mailbox delays but loses
 * nothing.
 *
 * A core that is not the owner asks for one token per waiter, each kind (this member, any) for
 * itself. A granted token goes to the first waiter of the kind it was asked for. Waiters that left
 * meanwhile leave a token over: it is kept if tokens are plenty, else it goes back.
 *
 * Invariant, per member: spare + used over all cores + tokens in counts and mail = limit.
 */
#include <errno.h>

#include "lease.h"
#include "mem.h"
#include "stat.h"

#define SEND_BUDGET 256

enum verb {
	VERB_ASK,       /* to the owner: n tokens are wanted */
	VERB_RETURN,    /* to the owner: n tokens come back */
	VERB_GRANT,     /* from the owner: n tokens that were asked for by this member */
	VERB_GRANT_ANY, /* from the owner: n tokens of this member, asked for as any */
	VERB_GIFT,      /* from the owner: n tokens to keep for later */
	VERB_RECALL,    /* from the owner: give back what lies unused, and from now on at once */
	VERB_COUNT,
};

/* Between this core and another, about one slot. */
struct peer {
	struct list send_link; /* in hub->to_send while a count is not 0 */
	struct slot *slot;
	uint32_t core;
	uint64_t stamp; /* owner: when `wanted` was served last, or became more than 0 */
	uint32_t count[VERB_COUNT];
	uint32_t wanted; /* owner */
	bool gifted;     /* owner: may hold spare tokens */
};

struct slot {
	struct list queue;      /* waiters of this core */
	struct list serve_link; /* in hub->to_serve while tokens may have met waiters */
	struct group *group;
	struct peer *peers; /* by core */
	uint32_t member;    /* LEASE_ANY for the last one */
	uint32_t limit;
	uint32_t spare;
	uint32_t waiting;
	uint32_t asked;
	uint32_t wanted; /* owner: sum over the peers */
	bool open;
	bool keep; /* not the owner: spare tokens may stay here */
};

struct group {
	struct slot *slots;
	uint64_t *served; /* owner, by core: stamp of its last grant */
	uint32_t index;
	uint32_t owner;
	uint32_t member_count;
};

struct lease_hub {
	struct worker *worker;
	struct lease_hub *const *all;
	uint32_t workers;
	uint32_t index;
	uint32_t group_count;
	uint64_t stamp;
	uint64_t mail_count;
	struct list to_serve;
	struct list to_send;
	struct group *groups;
	struct mem_region region;
};

static struct slot *slot_at(const struct lease_hub *hub, uint32_t group, uint32_t member)
{
	struct group *g = &hub->groups[group];

	return &g->slots[member == LEASE_ANY ? g->member_count : member];
}

static struct slot *any_slot(const struct slot *s)
{
	return &s->group->slots[s->group->member_count];
}

static bool is_owner(const struct lease_hub *hub, const struct slot *s)
{
	return s->group->owner == hub->index;
}

static void tell(
	struct lease_hub *hub, struct slot *s, uint32_t core, enum verb verb, uint32_t count)
{
	struct peer *p = &s->peers[core];

	p->count[verb] += count;
	if (!list_is_linked(&p->send_link))
		list_add_tail(&hub->to_send, &p->send_link);
}

static void schedule_serve(struct lease_hub *hub, struct slot *s)
{
	if (s->spare > 0 && !list_is_linked(&s->serve_link))
		list_add_tail(&hub->to_serve, &s->serve_link);
}

/* --- giving out ----------------------------------------------------------------------- */

static struct lease_waiter *queue_head(const struct slot *s)
{
	return list_is_empty(&s->queue) ? NULL : list_first(&s->queue, struct lease_waiter, link);
}

/* Who of this core has waited longest for a token of this member. */
static struct lease_waiter *first_waiter(const struct slot *s)
{
	struct lease_waiter *one = queue_head(s);
	struct lease_waiter *any = s->open ? queue_head(any_slot(s)) : NULL;

	if (!one || !any)
		return one ? one : any;
	return one->stamp < any->stamp ? one : any;
}

static void leave_queue(struct lease_hub *hub, struct lease_waiter *w)
{
	list_del(&w->link);
	slot_at(hub, w->group, w->member)->waiting--;
}

static void grant_here(struct lease_hub *hub, struct slot *s, struct lease_waiter *w)
{
	s->spare--;
	leave_queue(hub, w);
	w->fn(w, s->member);
}

/* Which kind of token another core is to get: the kind it has waited for longest. NULL: neither. */
static struct slot *wanted_kind(struct slot *s, uint32_t core)
{
	struct slot *any = any_slot(s);
	bool one_wanted = s->peers[core].wanted > 0;
	bool any_wanted = s->open && any->peers[core].wanted > 0;

	if (one_wanted && any_wanted)
		return s->peers[core].stamp < any->peers[core].stamp ? s : any;
	return one_wanted ? s : any_wanted ? any : NULL;
}

/* The owner: the core whose turn it is, or `workers` if nobody wants a token of this member. */
static uint32_t next_core(const struct lease_hub *hub, struct slot *s)
{
	uint32_t best = hub->workers;

	if (s->wanted + any_slot(s)->wanted == 0)
		return first_waiter(s) ? hub->index : best;
	for (uint32_t c = 0; c < hub->workers; c++) {
		bool wants = c == hub->index ? first_waiter(s) != NULL : wanted_kind(s, c) != NULL;

		if (wants && (best == hub->workers || s->group->served[c] < s->group->served[best]))
			best = c;
	}
	return best;
}

static void grant_away(struct lease_hub *hub, struct slot *s, uint32_t core)
{
	struct slot *kind = wanted_kind(s, core);
	uint32_t extra;

	kind->wanted--;
	kind->peers[core].wanted--;
	kind->peers[core].stamp = ++hub->stamp;
	s->spare--;
	tell(hub, s, core, kind == s ? VERB_GRANT : VERB_GRANT_ANY, 1);
	extra = MIN(s->spare / (2 * hub->workers), (uint32_t)LEASE_BATCH);
	if (extra == 0 || next_core(hub, s) != hub->workers)
		return;
	s->spare -= extra;
	s->peers[core].gifted = true;
	tell(hub, s, core, VERB_GIFT, extra);
}

/* Brings tokens and waiters of one member together. */
static void serve(struct lease_hub *hub, struct slot *s)
{
	while (s->spare > 0) {
		struct lease_waiter *w = first_waiter(s);
		uint32_t core = hub->index;

		if (is_owner(hub, s)) {
			core = next_core(hub, s);
			if (core == hub->workers)
				return;
			s->group->served[core] = ++hub->stamp;
		} else if (!w) {
			return;
		}
		if (core == hub->index)
			grant_here(hub, s, w);
		else
			grant_away(hub, s, core);
	}
}

static void recall(struct lease_hub *hub, struct slot *s)
{
	for (uint32_t c = 0; c < hub->workers; c++)
		if (s->peers[c].gifted) {
			s->peers[c].gifted = false;
			tell(hub, s, c, VERB_RECALL, 1);
		}
}

/* The owner: somebody new waits for this kind of token. */
static void demand(struct lease_hub *hub, struct slot *kind)
{
	struct group *g = kind->group;
	uint32_t first = kind->member == LEASE_ANY ? 0 : kind->member;
	uint32_t end = kind->member == LEASE_ANY ? g->member_count : first + 1;

	for (uint32_t i = first; i < end; i++) {
		schedule_serve(hub, &g->slots[i]);
		if (g->slots[i].spare == 0)
			recall(hub, &g->slots[i]);
	}
}

/* A token that nobody here holds any more. */
static void lay_down(struct lease_hub *hub, struct slot *s, uint32_t count)
{
	if (is_owner(hub, s) || s->keep) {
		s->spare += count;
		schedule_serve(hub, s);
	} else {
		tell(hub, s, s->group->owner, VERB_RETURN, count);
	}
}

/* --- mail ----------------------------------------------------------------------------- */

static void on_grant(struct lease_hub *hub, struct slot *s, struct slot *kind, uint32_t count)
{
	ASSERT(kind->asked >= count);
	kind->asked -= count;
	while (count > 0 && queue_head(kind)) {
		count--;
		s->spare++; /* grant_here takes it */
		grant_here(hub, s, queue_head(kind));
	}
	if (count > 0)
		lay_down(hub, s, count);
}

static void on_mail(struct worker *to, const struct mail *mail)
{
	struct lease_hub *hub = (struct lease_hub *)(uintptr_t)mail->arg[0];
	struct slot *s = slot_at(hub, (uint32_t)mail->arg[1], (uint32_t)mail->arg[2]);
	uint32_t count = (uint32_t)mail->arg[3];

	(void)to;
	switch ((enum verb)mail->word) {
	case VERB_ASK:
		if (s->peers[mail->from].wanted == 0)
			s->peers[mail->from].stamp = ++hub->stamp;
		s->peers[mail->from].wanted += count;
		s->wanted += count;
		demand(hub, s);
		break;
	case VERB_RETURN:
		lay_down(hub, s, count);
		break;
	case VERB_GRANT:
		on_grant(hub, s, s, count);
		break;
	case VERB_GRANT_ANY:
		on_grant(hub, s, any_slot(s), count);
		break;
	case VERB_GIFT:
		s->keep = true;
		lay_down(hub, s, count);
		break;
	case VERB_RECALL:
		s->keep = false;
		count = s->spare;
		s->spare = 0;
		if (count > 0)
			lay_down(hub, s, count);
		break;
	case VERB_COUNT:
		break;
	}
}

static bool send_counts(struct lease_hub *hub, struct peer *p)
{
	struct slot *s = p->slot;

	for (uint32_t verb = 0; verb < VERB_COUNT; verb++) {
		struct mail mail = {.fn = on_mail,
			.word = verb,
			.arg = {(uintptr_t)hub->all[p->core], s->group->index, s->member,
				p->count[verb]}};

		if (p->count[verb] == 0)
			continue;
		if (worker_mail(hub->worker, p->core, &mail) < 0)
			return false;
		p->count[verb] = 0;
		stat_add(&hub->mail_count, 1);
	}
	return true;
}

static uint32_t poll(struct worker *w, void *ctx, uint32_t budget)
{
	struct lease_hub *hub = ctx;
	struct list *link;
	uint32_t work = 0;

	(void)w;
	while (work < budget && (link = list_pop_head(&hub->to_serve))) {
		serve(hub, list_entry(link, struct slot, serve_link));
		work++;
	}
	for (; work < budget && !list_is_empty(&hub->to_send); work++) {
		struct peer *p = list_first(&hub->to_send, struct peer, send_link);

		if (!send_counts(hub, p))
			break; /* the outbox is full: go on in the next turn */
		list_del(&p->send_link);
	}
	return work;
}

/* --- set-up --------------------------------------------------------------------------- */

static void init_slot(struct lease_hub *hub, struct group *g, uint32_t i,
	const struct lease_group_config *config, struct peer *peers)
{
	struct slot *s = &g->slots[i];
	bool any = i == g->member_count;

	list_init(&s->queue);
	list_init(&s->serve_link);
	s->group = g;
	s->peers = peers;
	s->member = any ? LEASE_ANY : i;
	s->open = true;
	s->limit = any ? 0 : config->limits[i];
	s->spare = g->owner == hub->index ? s->limit : 0;
	for (uint32_t c = 0; c < hub->workers; c++) {
		list_init(&peers[c].send_link);
		peers[c].slot = s;
		peers[c].core = c;
	}
}

struct lease_hub *lease_hub_create(const struct lease_hub_config *config, struct error *err)
{
	uint32_t workers = config->worker_count;
	struct mem_region region = {0};
	struct lease_hub *hub = NULL;
	size_t slots = 0;
	struct slot *slot;
	struct peer *peer;
	uint64_t *served;

	for (uint32_t i = 0; i < config->group_count; i++)
		slots += (size_t)config->groups[i].member_count + 1;
	if (mem_region_alloc(&region,
		    sizeof(*hub) +
			    config->group_count *
				    (sizeof(struct group) + workers * sizeof(*served)) +
			    slots * (sizeof(*slot) + workers * sizeof(*peer)),
		    "limits", err) < 0)
		return NULL;
	hub = region.base;
	hub->groups = (struct group *)(hub + 1);
	slot = (struct slot *)(hub->groups + config->group_count);
	peer = (struct peer *)(slot + slots);
	served = (uint64_t *)(peer + slots * workers);
	hub->region = region;
	hub->worker = config->worker;
	hub->workers = workers;
	hub->index = config->worker->index;
	hub->group_count = config->group_count;
	list_init(&hub->to_serve);
	list_init(&hub->to_send);
	for (uint32_t i = 0; i < config->group_count; i++) {
		struct group *g = &hub->groups[i];

		*g = (struct group){slot, served, i, i % workers, config->groups[i].member_count};
		served += workers;
		for (uint32_t k = 0; k <= g->member_count; k++, slot++, peer += workers)
			init_slot(hub, g, k, &config->groups[i], peer);
	}
	if (worker_poller_add(config->worker, WORKER_PHASE_SLOW, "limits", poll, hub, SEND_BUDGET) <
		0) {
		error_set(err, -ENOSPC, "%s has too many pollers", config->worker->name);
		lease_hub_destroy(hub);
		return NULL;
	}
	return hub;
}

void lease_hub_connect(struct lease_hub *hub, struct lease_hub *const *all)
{
	hub->all = all;
}

void lease_hub_destroy(struct lease_hub *hub)
{
	struct mem_region region;

	if (!hub)
		return;
	region = hub->region;
	mem_region_free(&region);
}

/* --- use ------------------------------------------------------------------------------ */

void lease_waiter_init(struct lease_waiter *waiter, lease_granted_fn fn)
{
	*waiter = (struct lease_waiter){.fn = fn};
	list_init(&waiter->link);
}

bool lease_take(struct lease_hub *hub, uint32_t group, uint32_t member)
{
	struct slot *s = slot_at(hub, group, member);

	if (s->limit == 0)
		return true;
	if (s->spare == 0)
		return false;
	if (is_owner(hub, s) ? next_core(hub, s) != hub->workers : first_waiter(s) != NULL)
		return false;
	s->spare--;
	return true;
}

void lease_wait(struct lease_hub *hub, struct lease_waiter *waiter, uint32_t group, uint32_t member)
{
	struct slot *s = slot_at(hub, group, member);

	ASSERT(!lease_is_waiting(waiter));
	waiter->group = group;
	waiter->member = member;
	waiter->stamp = ++hub->stamp;
	list_add_tail(&s->queue, &waiter->link);
	s->waiting++;
	if (!is_owner(hub, s) && s->asked < s->waiting) {
		s->asked++;
		tell(hub, s, s->group->owner, VERB_ASK, 1);
	}
	demand(hub, s);
}

void lease_cancel(struct lease_hub *hub, struct lease_waiter *waiter)
{
	if (lease_is_waiting(waiter))
		leave_queue(hub, waiter);
}

void lease_put(struct lease_hub *hub, uint32_t group, uint32_t member)
{
	struct slot *s = slot_at(hub, group, member);

	if (s->limit > 0)
		lay_down(hub, s, 1);
}

void lease_set_open(struct lease_hub *hub, uint32_t group, uint32_t member, bool open)
{
	struct slot *s = slot_at(hub, group, member);

	s->open = open;
	schedule_serve(hub, s);
}

uint32_t lease_waiting(const struct lease_hub *hub, uint32_t group, uint32_t member)
{
	return slot_at(hub, group, member)->waiting;
}

uint32_t lease_spare(const struct lease_hub *hub, uint32_t group, uint32_t member)
{
	return slot_at(hub, group, member)->spare;
}

uint64_t lease_mail_count(const struct lease_hub *hub)
{
	return stat_read(&hub->mail_count);
}
