/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "snap.h"
#include "worker_pvt.h"

#define MAILBOX_COUNT_DEFAULT  4095
#define LOG_RING_BYTES_DEFAULT ((size_t)1 << 20)

static uint32_t timers_poll(struct worker *w, void *ctx, uint32_t budget)
{
	(void)ctx;
	return timer_wheel_run(&w->timers, w->now_ns, budget);
}

static void worker_init(struct worker *w, const struct worker_config *config)
{
	w->clock = config->clock;
	w->now_ns = config->clock->now_ns(config->clock);
	w->wall_ns = config->clock->wall_ns(config->clock);
	rand_init(&w->rand, hash_bytes(&config->index, sizeof(config->index), config->seed));
	w->index = config->index;
	w->cores = config->cores;
	w->control = config->control;
	w->idle = config->idle;
	w->idle_step_ns = WORKER_IDLE_MIN_NS;
	w->idle_wait = config->idle_wait;
	w->idle_ctx = config->idle_ctx;
	w->snaps = config->snaps;
	snprintf(w->name, sizeof(w->name), "%s", config->name);
	timer_wheel_init(&w->timers, w->now_ns);
	list_init(&w->pools);
	list_init(&w->groups);
	worker_poller_add(w, WORKER_PHASE_MAIL, "mail", worker_mail_poll, NULL, WORKER_MAIL_BUDGET);
	worker_poller_add(w, WORKER_PHASE_TIMERS, "timers", timers_poll, NULL, WORKER_TIMER_BUDGET);
}

struct worker *worker_create(const struct worker_config *config, struct error *err)
{
	struct worker_mailbox *mailbox;
	struct mem_region region;
	struct worker *w;
	size_t mailbox_at = (sizeof(*w) + CACHE_LINE_BYTES - 1) & ~(CACHE_LINE_BYTES - 1ul);

	ASSERT(config->cores <= WORKER_CORES_MAX);
	ASSERT(config->index < config->cores);
	if (mem_region_alloc(&region,
		    mailbox_at + sizeof(*mailbox) + config->cores * sizeof(mailbox->outbox[0]),
		    config->name, err) < 0)
		return NULL;
	w = region.base;
	mailbox = (struct worker_mailbox *)((char *)region.base + mailbox_at);
	w->mailbox = mailbox;
	mailbox->region = region;
	worker_init(w, config);
	mailbox->ring = ring_create("a mailbox",
		config->mailbox_count ? config->mailbox_count : MAILBOX_COUNT_DEFAULT,
		sizeof(struct mail), err);
	w->log = log_ring_create(
		config->log_ring_bytes ? config->log_ring_bytes : LOG_RING_BYTES_DEFAULT, err);
	if (!mailbox->ring || !w->log) {
		worker_destroy(w);
		return NULL;
	}
	return w;
}

static void list_release(struct list *head)
{
	while (list_pop_head(head))
		;
}

void worker_destroy(struct worker *w)
{
	struct mem_region region;

	if (!w)
		return;
	w->mailbox->closed = true;
	if (w->mailbox->ring)
		worker_mail_poll(w, NULL, UINT32_MAX);
	worker_offline(w);
	list_release(&w->pools);
	list_release(&w->groups);
	log_ring_destroy(w->log);
	ring_destroy(w->mailbox->ring);
	region = w->mailbox->region; /* the worker lies in it */
	mem_region_free(&region);
}

int worker_poller_add(struct worker *w, enum worker_phase phase, const char *name,
	worker_poll_fn fn, void *ctx, uint32_t budget)
{
	uint32_t at = w->poller_count;

	ASSERT(phase < WORKER_PHASE_COUNT);
	if (at == WORKER_POLLERS_MAX)
		return -ENOSPC;
	for (; at > 0 && w->pollers[at - 1].phase > phase; at--)
		w->pollers[at] = w->pollers[at - 1];
	w->pollers[at] = (struct worker_poller){
		.name = name, .fn = fn, .ctx = ctx, .budget = budget, .phase = phase};
	w->poller_count++;
	return 0;
}

void worker_profile_set(struct worker *w, bool on)
{
	__atomic_store_n(&w->profile, on, __ATOMIC_RELAXED);
}

void worker_poller_remove(struct worker *w, const void *ctx)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->poller_count; i++)
		if (w->pollers[i].ctx != ctx)
			w->pollers[kept++] = w->pollers[i];
	w->poller_count = kept;
}

void worker_pool_add(struct worker *w, struct mem_pool *pool)
{
	list_add_tail(&w->pools, &pool->link);
}

void worker_group_add(struct worker *w, struct stat_group *group)
{
	list_add_tail(&w->groups, &group->link);
}

uint64_t worker_cycles_passed(struct worker *w)
{
	uint64_t before = w->cycles_seen;

	w->cycles_seen = clock_cycles();
	return w->cycles_seen - before;
}

/* What the time of this turn is. */
static uint64_t step_to(struct worker *w, uint64_t now_ns)
{
	if (LIKELY(now_ns - w->now_ns <= WORKER_STEP_MAX_NS))
		return now_ns;
	if (!list_is_empty(&w->timers.due)) /* more than the budget of a turn */
		return w->now_ns;
	stat_add(&w->clock_jumps, 1);
	worker_log(w, LOG_LEVEL_WARNING, "no turn for more than %u days: was the process stopped?",
		(unsigned)(WORKER_STEP_MAX_NS / NS_PER_SEC / 86400));
	return w->now_ns + WORKER_STEP_MAX_NS;
}

/* False if the time of this turn is not now_ns yet. */
static bool turn_begin(struct worker *w, uint64_t now_ns)
{
	if (w->owner_thread == 0)
		w->owner_thread = (uint64_t)pthread_self();
	worker_assert_owner(w);
	if (w->turn == 0)
		worker_cycles_passed(w);
	if (now_ns == 0)
		now_ns = w->clock->now_ns(w->clock);
	DEBUG_ASSERT(now_ns >= w->now_ns);
	w->now_ns = step_to(w, now_ns);
	w->wall_ns = w->clock->wall_ns(w->clock);
	w->wake_at_ns = UINT64_MAX;
	if (w->snaps && !w->snaps_online) {
		snap_online(w->snaps, w->index);
		w->snaps_online = true;
	}
	return w->now_ns == now_ns;
}

void worker_offline(struct worker *w)
{
	if (w->snaps_online)
		snap_offline(w->snaps, w->index);
	w->snaps_online = false;
}

static uint32_t pollers_run(struct worker *w)
{
	bool profile = __atomic_load_n(&w->profile, __ATOMIC_RELAXED);
	uint64_t before = profile ? clock_cycles() : 0;
	uint32_t work = 0;

	for (uint32_t i = 0; i < w->poller_count; i++) {
		struct worker_poller *p = &w->pollers[i];
		uint32_t done = p->fn(w, p->ctx, p->budget);

		work += done;
		stat_add(&p->calls, 1);
		stat_add(&p->work, done);
		if (profile) {
			uint64_t after = clock_cycles();

			stat_add(&p->cycles, after - before);
			before = after;
		}
	}
	return work;
}

static void turn_end(struct worker *w, bool busy)
{
	if (w->snaps)
		snap_quiet(w->snaps, w->index);
	stat_add(&w->turn, 1);
	stat_add(&w->busy_turns, busy);
	stat_add(busy ? &w->busy_cycles : &w->idle_cycles, worker_cycles_passed(w));
}

uint32_t worker_poll(struct worker *w, uint64_t now_ns)
{
	uint32_t work = !turn_begin(w, now_ns);

	work += pollers_run(w);
	work += worker_mail_flush(w);
	turn_end(w, work > 0);
	return work;
}

void worker_assert_owner(const struct worker *w)
{
	DEBUG_ASSERT(w->owner_thread == 0 || w->owner_thread == (uint64_t)pthread_self());
}
