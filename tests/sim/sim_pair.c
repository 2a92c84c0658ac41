/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "fake_eal.h"
#include "sim_pair.h"

#define TURNS_MAX  10000
#define POOL_DATA  4095
#define POOL_REF   8191
#define FRAMES_MAX 4095

/* For all pairs of the program: to make them takes longer than most runs. */
static struct pkt_pools *pools(void)
{
	static struct pkt_pools all[HOSTS * HOST_CORES_MAX];

	fake_eal_init();
	for (uint32_t i = 0; i < ARRAY_LEN(all) && !all[i].data; i++) {
		char name[16];

		snprintf(name, sizeof(name), "sim%u", i);
		ASSERT(pkt_pools_init(&all[i], name, POOL_DATA, POOL_REF, -1, NULL) == 0);
	}
	return all;
}

void pair_pools_free(void)
{
	struct pkt_pools *all = pools();

	for (uint32_t i = 0; i < HOSTS * HOST_CORES_MAX; i++)
		(void)pkt_pools_fini(&all[i]);
}

void pair_init(struct pair *p, uint64_t seed, uint64_t start_ns)
{
	p->pools = pools();
	p->start_ns = start_ns;
	clock_manual_init(&p->clock, start_ns);
	p->net = sim_net_create(&p->clock, seed, FRAMES_MAX, NULL);
	ASSERT(p->net != NULL);
	for (uint32_t i = 0; i < HOSTS; i++) {
		p->config[i].number = i + 1;
		host_init(&p->host[i], p->net, &p->clock, &p->config[i],
			&p->pools[i * HOST_CORES_MAX]);
	}
	p->link = sim_link_create(
		p->net, p->host[0].port, p->host[1].port, &p->line[0], &p->line[1], NULL);
	ASSERT(p->link != NULL);
}

uint64_t pair_next_at(const struct pair *p)
{
	uint64_t next = sim_net_next_at(p->net);

	for (uint32_t i = 0; i < HOSTS; i++)
		next = MIN(next, host_next_at(&p->host[i]));
	return next;
}

static const char *describe(const char *what, const struct tcp_conn_info *c)
{
	static char text[256];

	snprintf(text, sizeof(text),
		"%s: %s, port %u to %u, queued %u, unacknowledged %u, window %u, cwnd %u", what,
		tcp_state_name(c->state), c->local.port, c->remote.port, c->send_queued_bytes,
		c->send_unacked_bytes, c->snd_wnd, c->cwnd);
	return text;
}

static const char *check(const struct pair *p)
{
	for (uint32_t i = 0; i < HOSTS; i++)
		for (uint32_t core = 0; core < p->host[i].cores; core++) {
			struct tcp_conn_info conn;
			const char *broken = tcp_check(p->host[i].tcp[core], &conn);

			if (broken)
				return describe(broken, &conn);
		}
	return NULL;
}

const char *pair_step(struct pair *p, uint64_t limit_ns)
{
	const char *problem;
	uint32_t turns = 0;
	uint64_t next;

	while (host_poll(&p->host[0]) + host_poll(&p->host[1]) > 0)
		if (++turns > TURNS_MAX)
			return "it spins";
	problem = p->quick ? NULL : check(p);
	next = MIN(pair_next_at(p), limit_ns);
	if (next == TIMER_NEVER)
		return !problem && turns == 0 ? "nothing will ever happen again" : problem;
	if (next > p->clock.now_ns)
		clock_manual_advance(&p->clock, next - p->clock.now_ns);
	else if (turns == 0)
		clock_manual_advance(&p->clock, TIMER_TICK_NS);
	return problem;
}

const char *pair_run(struct pair *p, uint64_t limit_ns)
{
	const char *problem = NULL;

	while (!problem && p->clock.now_ns < limit_ns)
		problem = pair_step(p, limit_ns);
	return problem;
}

bool pair_is_empty(const struct pair *p)
{
	return host_left(&p->host[0]) + host_left(&p->host[1]) == 0;
}

const char *pair_fini(struct pair *p)
{
	const char *problem = NULL;

	for (uint32_t i = 0; i < HOSTS; i++)
		host_fini(&p->host[i]);
	if (sim_net_destroy(p->net) != 0)
		problem = "the net leaks frames";
	for (uint32_t i = 0; i < HOSTS * HOST_CORES_MAX; i++)
		if (pkt_pools_used(&p->pools[i]) != 0)
			problem = "buffers are missing";
	return problem;
}
