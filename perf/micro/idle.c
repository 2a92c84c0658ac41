/* SPDX-License-Identifier: BSD-3-Clause */
/* A request and its answer while others idle: nothing may grow with them but the misses of caches.
 */
#include <stdio.h>

#include "micro.h"
#include "tcp_pvt.h"

#define ACTIVE       7
#define ROUNDS       15
#define ROUND_TURNS  1000
#define STRIDE       7919u /* no two of a turn are one, nor neighbours in memory */
#define LOOKUPS      4096u
#define TURN_NS      (100 * NS_PER_US)
#define SETTLE_NS    (NS_PER_SEC / 10)
#define SETTLE_STEPS 50

static uint32_t rounds(void)
{
	return meter_is_callgrind() ? 1 : ROUNDS;
}

/* Requests of `each` connections in a turn: of one and the same, or of any. */
static void measure_requests(
	struct engine *e, struct peer *p, uint32_t each, bool any, const char *name)
{
	struct meter m = {0};
	uint64_t before = e->requests, turns = 0;

	for (uint32_t r = 0; r < rounds(); r++) {
		for (uint32_t t = 0; t < ROUND_TURNS / each; t++, turns++) {
			uint32_t first = any ? rand_below(&e->worker->rand, p->count) : ACTIVE;

			for (uint32_t k = 0; k < each; k++)
				peer_request(p, (first + k * STRIDE) % p->count);
			clock_manual_advance(&e->clock, TURN_NS);
			meter_begin(&m);
			worker_poll(e->worker, 0);
			meter_end(&m, each);
			peer_take(p);
			peer_ack(p);
		}
		meter_round(&m);
	}
	if (e->requests - before != turns * each)
		micro_fail("not every request was answered");
	meter_report(&m, name);
}

static void measure_lookup(struct engine *e, struct peer *p, const char *name)
{
	static struct tcp_tuple tuples[LOOKUPS];
	struct endpoint server = {peer_server(), MICRO_PORT};
	struct meter m = {0};
	uint32_t found = 0;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		struct endpoint client = peer_client(rand_below(&e->worker->rand, p->count));

		tuples[i] = (struct tcp_tuple){server.addr, client.addr, server.port, client.port};
	}
	for (uint32_t r = 0; r < rounds(); r++) {
		meter_begin(&m);
		for (uint32_t i = 0; i < LOOKUPS; i++)
			found += tcp_table_find(e->tcp, &tuples[i], tcp_hash(e->tcp, &tuples[i])) !=
				 0;
		meter_end(&m, LOOKUPS);
		meter_round(&m);
	}
	if (found != rounds() * LOOKUPS)
		micro_fail("a connection is not in the table");
	meter_report(&m, name);
}

static void quieten(struct engine *e, struct peer *p)
{
	for (uint32_t i = 0; i < SETTLE_STEPS; i++) {
		clock_manual_advance(&e->clock, SETTLE_NS);
		engine_settle(e);
		peer_take(p);
	}
}

void micro_idle(struct engine *e, struct peer *p, uint32_t count_max)
{
	for (uint32_t count = 1000; count <= count_max; count *= 10) {
		char name[64];

		peer_open(p, count);
		quieten(e, p);
		snprintf(name, sizeof(name), "one request, %u idle", count);
		measure_requests(e, p, 1, false, name);
		snprintf(name, sizeof(name), "any request, %u idle", count);
		measure_requests(e, p, 1, true, name);
		snprintf(name, sizeof(name), "any of %u requests, %u idle", MICRO_BURST, count);
		measure_requests(e, p, MICRO_BURST, true, name);
		snprintf(name, sizeof(name), "table lookup, %u idle", count);
		measure_lookup(e, p, name);
		quieten(e, p);
	}
}
