/* SPDX-License-Identifier: BSD-3-Clause */
#include "lb_pvt.h"

/* Who is chosen from: active servers, or backups while there is none of these. */
static void choose_class(struct lb *lb)
{
	uint64_t count = 0, weight = 0, active = 0, backup = 0;
	bool any_active = false;

	for (uint32_t i = 0; i < lb->server_count; i++) {
		const struct lb_server *s = &lb->servers[i];

		active += s->up && !s->backup;
		backup += s->up && s->backup;
		any_active |= s->up && !s->backup && s->weight > 0;
	}
	for (uint32_t i = 0; i < lb->server_count; i++) {
		const struct lb_server *s = &lb->servers[i];

		lb->usable[i] = s->up && s->weight > 0 && s->backup == !any_active &&
				(any_active || lb->allbackups || count == 0);
		if (lb->usable[i]) {
			count++;
			weight += s->weight;
		}
	}
	stat_add(&lb->usable_count, count - lb->usable_count);
	stat_add(&lb->usable_weight, weight - lb->usable_weight);
	stat_add(&lb->active_count, active - lb->active_count);
	stat_add(&lb->backup_count, backup - lb->backup_count);
	lb->dirty = true;
}

struct lb *lb_create(const struct lb_config *config, struct error *err)
{
	uint32_t n = config->server_count;
	size_t words = config->ops->state_words(n);
	struct mem_region region = {0};
	struct lb *lb;
	char *at;

	ASSERT(n <= LB_SERVERS_MAX);
	if (mem_region_alloc(&region,
		    sizeof(*lb) +
			    n * (sizeof(*lb->loads) + sizeof(*lb->servers) + sizeof(*lb->others) +
					sizeof(*lb->usable)) +
			    sizeof(uint32_t) * (words + 1),
		    "a balancer", err) < 0)
		return NULL;
	lb = region.base;
	at = (char *)(lb + 1);
	lb->loads = (uint64_t *)(void *)at;
	at += n * sizeof(*lb->loads);
	lb->servers = (struct lb_server *)(void *)at;
	at += n * sizeof(*lb->servers);
	lb->others = (uint32_t *)(void *)at;
	at += n * sizeof(*lb->others);
	lb->state = (uint32_t *)(void *)at;
	at += words * sizeof(*lb->state);
	lb->usable = (bool *)at;
	lb->region = region;
	lb->ops = config->ops;
	lb->server_count = n;
	lb->allbackups = config->allbackups;
	if (n > 0)
		memcpy(lb->servers, config->servers, n * sizeof(*lb->servers));
	choose_class(lb);
	return lb;
}

void lb_connect(struct lb *lb, struct lb *const *all, uint32_t count)
{
	lb->all = all;
	lb->all_count = count;
}

void lb_destroy(struct lb *lb)
{
	struct mem_region region;

	if (!lb)
		return;
	region = lb->region;
	mem_region_free(&region);
}

uint64_t lb_picks(const struct lb *lb)
{
	uint64_t sum = lb->pick_count;

	for (uint32_t i = 0; i < lb->all_count; i++)
		if (lb->all[i] != lb)
			sum += stat_read(&lb->all[i]->pick_count);
	return sum;
}

static void read_others(struct lb *lb, uint64_t turn)
{
	if (lb->others_turn == turn)
		return;
	lb->others_turn = turn;
	if (lb->all_count < 2)
		return;
	memset(lb->others, 0, lb->server_count * sizeof(*lb->others));
	for (uint32_t c = 0; c < lb->all_count; c++)
		for (uint32_t i = 0; lb->all[c] != lb && i < lb->server_count; i++)
			lb->others[i] += (uint32_t)stat_read(&lb->all[c]->loads[i]);
}

uint32_t lb_load(struct lb *lb, uint32_t server, uint64_t turn)
{
	read_others(lb, turn);
	return (uint32_t)lb->loads[server] + lb->others[server];
}

bool lb_is_candidate(const struct lb *lb, const struct lb_query *query, uint32_t server)
{
	return lb->usable[server] && (server != query->avoid || lb->usable_count == 1) &&
	       !(query->is_full && query->is_full(query->ctx, server));
}

uint32_t lb_pick(struct lb *lb, const struct lb_query *query)
{
	uint32_t server;

	if (lb->usable_count == 0)
		return LB_NONE;
	if (lb->dirty) {
		lb->ops->rebuild(lb);
		lb->dirty = false;
	}
	read_others(lb, query->turn);
	server = lb->ops->pick(lb, query);
	if (server != LB_NONE)
		stat_add(&lb->pick_count, 1);
	return server;
}

void lb_take(struct lb *lb, uint32_t server)
{
	stat_add(&lb->loads[server], 1);
	if (lb->ops->moved)
		lb->ops->moved(lb, server);
}

void lb_drop(struct lb *lb, uint32_t server)
{
	ASSERT(lb->loads[server] > 0);
	stat_sub(&lb->loads[server], 1);
	if (lb->ops->moved)
		lb->ops->moved(lb, server);
}

void lb_server_set(struct lb *lb, uint32_t server, uint32_t weight, bool up)
{
	ASSERT(weight <= LB_WEIGHT_MAX);
	lb->servers[server].weight = weight;
	lb->servers[server].up = up;
	choose_class(lb);
}

uint32_t lb_usable_count(const struct lb *lb)
{
	return (uint32_t)stat_read(&lb->usable_count);
}

uint32_t lb_usable_weight(const struct lb *lb)
{
	return (uint32_t)stat_read(&lb->usable_weight);
}

uint32_t lb_active_count(const struct lb *lb)
{
	return (uint32_t)stat_read(&lb->active_count);
}

uint32_t lb_backup_count(const struct lb *lb)
{
	return (uint32_t)stat_read(&lb->backup_count);
}

bool lb_is_usable(const struct lb *lb, uint32_t server)
{
	return lb->usable[server];
}
