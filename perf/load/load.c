/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients. Each has at most one connection and one unit of work under way.
 *
 * Without a rate a client begins anew as soon as its answer is there (a closed loop: saturation).
 * With a rate, units are due at fixed times whoever is free; their time counts from when they were
 * due, so that a proxy that stalls does not hide the units that it delayed.
 */
#include <string.h>

#include "load.h"

#define NS_PER_SEC   1e9
#define RETRY_NS     (10 * UINT64_C(1000000))
#define CONNECTS_MAX 64   /* per turn */
#define SYNS_MAX     256  /* per turn */
#define OPENING_MAX  1024 /* at once: a flood of SYNs would be another scenario */
#define ASKING_MAX   96 /* held ones without their answer: server connections of a proxy are few */

/* xorshift64* */
uint32_t load_random(struct load *load, uint32_t below)
{
	load->rand ^= load->rand >> 12;
	load->rand ^= load->rand << 25;
	load->rand ^= load->rand >> 27;
	return below < 2 ? 0
			 : (uint32_t)((load->rand * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void begin(struct load *load, struct client *client, uint64_t due_ns)
{
	client->busy = true;
	client->started_at = due_ns;
	if (client->open) {
		load->config->scenario->kind->start(load, client);
		return;
	}
	if (client->conn)
		return;
	client->conn = net_connect(load->net, load->config->scenario->kind->client_app, client);
	if (client->conn) {
		load->opening++;
	} else {
		client->busy = false;
		client->ready_at = load->now_ns + RETRY_NS;
	}
}

/* The client has no connection any more, or is about to have none. */
static void forget_conn(struct load *load, struct client *client)
{
	if (client->open)
		load->connected--;
	else if (client->conn)
		load->opening--;
	client->conn = NULL;
	client->open = false;
}

static void think(struct load *load, struct client *client)
{
	const struct scenario *s = load->config->scenario;

	client->ready_at = load->now_ns;
	if (s->think_count)
		client->ready_at +=
			s->thinks_us[load_random(load, s->think_count)] * UINT64_C(1000);
}

static void count_unit(struct load *load, const struct client *client)
{
	load->totals.units++;
	if (load->measuring)
		hist_add(&load->latency, load->now_ns - client->started_at);
}

void load_unit_done(struct load *load, struct client *client)
{
	count_unit(load, client);
	client->busy = false;
	think(load, client);
	if (!load->draining && load->rate == 0 && client->ready_at <= load->now_ns &&
		!load->config->scenario->hold && client->open && client->conn)
		begin(load, client, load->now_ns);
}

/* The connection that was the client's, or NULL. */
static struct net_conn *disconnect(struct load *load, struct client *client)
{
	struct net_conn *c = client->conn;

	forget_conn(load, client);
	if (c)
		c->user = NULL;
	return c;
}

void load_conn_done(struct load *load, struct client *client)
{
	net_shut(disconnect(load, client));
	load_unit_done(load, client);
}

void load_unit_failed(struct load *load, struct client *client)
{
	struct net_conn *c = disconnect(load, client);

	load->totals.errors++;
	client->busy = false;
	client->ready_at = load->now_ns + RETRY_NS;
	if (c)
		net_abort(c);
}

void load_unit_wrong(struct load *load, struct client *client)
{
	load->totals.mismatches++;
	load_unit_failed(load, client);
}

void load_opened(struct net_conn *c)
{
	struct load *load = c->net->app_ctx;
	struct client *client = c->user;

	load->opening--;
	load->connected++;
	client->open = true;
	if (load->config->scenario->hold && !load->config->scenario->ask_once) {
		count_unit(load, client);
		client->busy = false;
	} else if (client->busy) {
		load->config->scenario->kind->start(load, client);
	}
}

void load_peer_shut(struct net_conn *c)
{
	struct load *load = c->net->app_ctx;
	struct client *client = c->user;

	if (client && client->busy) { /* in the middle of an answer */
		load_unit_failed(load, client);
		return;
	}
	if (client)
		(void)disconnect(load, client);
	net_shut(c);
}

void load_closed(struct net_conn *c, bool in_order)
{
	struct load *load = c->net->app_ctx;
	struct client *client = c->user;

	(void)in_order;
	if (!client)
		return;
	forget_conn(load, client);
	if (client->busy || load->config->scenario->hold)
		load->totals.errors++;
	client->busy = false;
	client->ready_at = load->now_ns + RETRY_NS;
}

void load_origin_opened(struct net_conn *c)
{
	(void)c;
}

void load_origin_closed(struct net_conn *c, bool in_order)
{
	(void)c;
	(void)in_order;
}

static bool may_start(const struct load *load, const struct client *client)
{
	if (client->busy || client->ready_at > load->now_ns)
		return false;
	return !load->config->scenario->hold || !client->conn;
}

/* Units that are due by the rate go to whoever is free. */
static void start_by_rate(struct load *load)
{
	double gap_ns = NS_PER_SEC / load->rate;

	while (load->rate_next_ns <= load->now_ns) {
		uint32_t i;

		for (i = 0; i < load->config->clients; i++) {
			struct client *client = &load->clients[load->rate_cursor];

			load->rate_cursor = (load->rate_cursor + 1) % load->config->clients;
			if (may_start(load, client)) {
				begin(load, client, load->rate_next_ns);
				break;
			}
		}
		if (i == load->config->clients) {
			load->totals.late++;
			return; /* it stays due */
		}
		load->rate_next_ns += (uint64_t)gap_ns;
	}
}

static bool may_connect(const struct load *load)
{
	if (load->config->scenario->ask_once)
		return load->opening + load->connected < load->totals.units + ASKING_MAX;
	return load->opening < OPENING_MAX;
}

/* Looks at some clients per turn: those that work find their next unit by themselves. */
static void start_by_hand(struct load *load)
{
	uint32_t looked = load->config->clients < 1024 ? load->config->clients : 1024;
	uint32_t started = 0;

	for (uint32_t i = 0; i < looked && started < CONNECTS_MAX && may_connect(load); i++) {
		struct client *client = &load->clients[load->rate_cursor];

		load->rate_cursor = (load->rate_cursor + 1) % load->config->clients;
		if (may_start(load, client)) {
			begin(load, client, load->now_ns);
			started++;
		}
	}
}

/* What the device does not take in its turn is not made up for: a flood waits for nobody. */
static void flood(struct load *load)
{
	for (uint32_t i = 0; i < SYNS_MAX && load->syn_next_ns <= (double)load->now_ns; i++) {
		load->totals.syns += net_syn(load->net, load_random(load, UINT32_MAX));
		load->syn_next_ns += NS_PER_SEC / load->config->syns;
	}
	if (load->syn_next_ns < (double)load->now_ns)
		load->syn_next_ns = (double)load->now_ns;
}

void load_turn(struct load *load, uint64_t now_ns)
{
	load->now_ns = now_ns;
	if (!load->draining && load->rate > 0)
		start_by_rate(load);
	else if (!load->draining)
		start_by_hand(load);
	if (!load->draining && load->config->syns > 0)
		flood(load);
	net_poll(load->net, now_ns);
	load->totals.syn_acks = load->net->stats.syn_acks;
}
