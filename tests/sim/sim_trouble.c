/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "sim_trouble.h"

static struct worker *worker_of(const struct trouble *t, const struct pair *p)
{
	return p->host[t->host].w[t->core];
}

/* --- the line ---------------------------------------------------------------------- */

static void unplug(struct trouble *t, struct pair *p)
{
	(void)t;
	sim_link_set_up(p->link, false);
}

static void plug(struct trouble *t, struct pair *p)
{
	(void)t;
	sim_link_set_up(p->link, true);
}

static struct impair_config *line_of(const struct trouble *t, struct pair *p)
{
	return &sim_link_line(p->link, p->host[t->host].port)->config;
}

/* The way becomes longer, in milliseconds: round trips that were measured do not hold any more. */
static void detour(struct trouble *t, struct pair *p)
{
	line_of(t, p)->delay_ns += t->amount * NS_PER_MS;
}

static void detour_ends(struct trouble *t, struct pair *p)
{
	line_of(t, p)->delay_ns -= t->amount * NS_PER_MS;
}

/* Much is lost, in percent. The first of two that ends, ends both. */
static void storm(struct trouble *t, struct pair *p)
{
	line_of(t, p)->loss_ppm = t->amount * 10000;
}

static void calm(struct trouble *t, struct pair *p)
{
	line_of(t, p)->loss_ppm = p->line[t->host].loss_ppm;
}

/* The machine gets another card; it says so, as after a failover. */
static void new_card(struct trouble *t, struct pair *p)
{
	p->host[t->host].port->mac.b[4] = (uint8_t)t->amount;
	ip_announce(p->host[t->host].ip[0]);
}

/* --- time -------------------------------------------------------------------------- */

/* Both stood still for so many minutes. */
static void jump(struct trouble *t, struct pair *p)
{
	clock_manual_advance(&p->clock, t->amount * 60 * NS_PER_SEC);
}

/* --- memory ------------------------------------------------------------------------ */

/* One of the next objects of a pool of TCP cannot be had. */
static void pool_fails(struct trouble *t, struct pair *p)
{
	list_for_each (link, &worker_of(t, p)->pools) {
		struct mem_pool *pool = list_entry(link, struct mem_pool, link);

		if (strncmp(pool->name, "tcp ", 4) == 0)
			pool->fail_nth = t->amount;
	}
}

/* Only so many buffers are left of a core's pool. */
static void hold_data(struct trouble *t, struct pair *p)
{
	drain_to(&t->drain, p->host[t->host].pools[t->core]->data, t->amount);
}

static void hold_refs(struct trouble *t, struct pair *p)
{
	drain_to(&t->drain, p->host[t->host].pools[t->core]->ref, t->amount);
}

static void release(struct trouble *t, struct pair *p)
{
	(void)p;
	drain_end(&t->drain);
}

/* --- all of them ------------------------------------------------------------------- */

static const struct trouble_kind kinds[] = {
	{"link down", MAY_FAIL_TO_OPEN | MAY_BE_RESET, 0, 0, 20000, unplug, plug},
	{"detour, ms", 0, 1, 500, 10000, detour, detour_ends},
	{"storm, percent", MAY_FAIL_TO_OPEN, 10, 60, 5000, storm, calm},
	{"new card", MAY_FAIL_TO_OPEN, 1, 255, 0, new_card, NULL},
	{"clock jumps, min", MAY_BE_RESET, 1, 5000, 0, jump, NULL},
	{"pools fail", MAY_FAIL_TO_OPEN | MAY_BE_RESET, 1, 30, 0, pool_fails, NULL},
	{"data buffers left", MAY_FAIL_TO_OPEN, 0, 200, 3000, hold_data, release},
	{"references left", MAY_FAIL_TO_OPEN, 0, 200, 3000, hold_refs, release},
};

static uint64_t pick_ns(struct rand *rand, uint64_t max_ns)
{
	return rand_below(rand, (uint32_t)(max_ns / NS_PER_MS) + 1) * NS_PER_MS;
}

void troubles_plan(struct troubles *s, const struct pair *p, struct rand *rand, uint64_t within_ns)
{
	s->count = rand_below(rand, TROUBLES_MAX + 1);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct trouble_kind *kind = &kinds[rand_below(rand, ARRAY_LEN(kinds))];
		struct trouble *t = &s->all[i];

		*t = (struct trouble){.kind = kind, .host = rand_below(rand, HOSTS)};
		t->core = rand_below(rand, p->config[t->host].cores);
		t->amount = kind->amount_min +
			    rand_below(rand, kind->amount_max - kind->amount_min + 1);
		t->begin_at = p->start_ns + pick_ns(rand, within_ns);
		t->end_at = t->begin_at + pick_ns(rand, kind->span_ms_max * NS_PER_MS);
	}
}

uint64_t troubles_next_at(const struct troubles *s)
{
	uint64_t next = TIMER_NEVER;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct trouble *t = &s->all[i];

		if (!t->begun)
			next = MIN(next, t->begin_at);
		else if (!t->ended)
			next = MIN(next, t->end_at);
	}
	return next;
}

static void end(struct trouble *t, struct pair *p)
{
	t->ended = true;
	if (t->kind->end)
		t->kind->end(t, p);
}

void troubles_step(struct troubles *s, struct pair *p)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct trouble *t = &s->all[i];

		if (!t->begun && p->clock.now_ns >= t->begin_at) {
			t->begun = true;
			t->kind->begin(t, p);
		}
		if (t->begun && !t->ended && p->clock.now_ns >= t->end_at)
			end(t, p);
	}
}

void troubles_end(struct troubles *s, struct pair *p)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->all[i].begun && !s->all[i].ended)
			end(&s->all[i], p);
}

uint32_t troubles_may(const struct troubles *s)
{
	uint32_t may = 0;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->all[i].begun)
			may |= s->all[i].kind->may;
	return may;
}

void troubles_show(const struct troubles *s, const struct pair *p)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct trouble *t = &s->all[i];

		printf("  %8.3f to %8.3f s, host %u core %u: %s %u%s\n",
			(double)(t->begin_at - p->start_ns) / 1e9,
			(double)(t->end_at - p->start_ns) / 1e9, t->host, t->core, t->kind->name,
			t->amount, t->begun ? "" : " (did not come)");
	}
}
