/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps of a packet, each for one packet of a burst: what a poller of the engine takes by itself.
 */
#include <string.h>

#include "micro.h"
#include "tcp_pvt.h"

#define ROUNDS      31
#define ROUND_TURNS 100

static const struct worker_poller *poller(const struct engine *e, const char *name)
{
	for (uint32_t i = 0; i < e->worker->poller_count; i++)
		if (strcmp(e->worker->pollers[i].name, name) == 0)
			return &e->worker->pollers[i];
	micro_fail(name);
	return NULL;
}

static void run(struct engine *e, struct meter *m, const struct worker_poller *p)
{
	meter_begin(m);
	p->fn(e->worker, p->ctx, p->budget);
	meter_end(m, MICRO_BURST);
}

static uint32_t rounds(void)
{
	return meter_is_callgrind() ? 1 : ROUNDS;
}

/* --- the driver --------------------------------------------------------------------- */

static void driver_round(struct engine *e, struct peer *p, struct meter *rx, struct meter *tx)
{
	struct rte_mbuf *pkts[MICRO_BURST];

	for (uint32_t t = 0; t < ROUND_TURNS; t++) {
		for (uint32_t k = 0; k < MICRO_BURST; k++)
			peer_datagram(p);
		meter_begin(rx);
		if (port_receive(&e->port_core, pkts, MICRO_BURST) != MICRO_BURST)
			micro_fail("the ring lost something");
		meter_end(rx, MICRO_BURST);
		for (uint32_t k = 0; k < MICRO_BURST; k++)
			pkts[k]->ol_flags = 0;
		meter_begin(tx);
		for (uint32_t k = 0; k < MICRO_BURST; k++)
			port_send(&e->port_core, pkts[k]);
		port_flush(&e->port_core);
		meter_end(tx, MICRO_BURST);
		peer_take(p);
	}
	meter_round(rx);
	meter_round(tx);
}

static void measure_driver(struct engine *e, struct peer *p)
{
	static const char *const names[] = {"driver rx", "driver tx"};
	struct meter m[ARRAY_LEN(names)] = {0};
	struct meter_set set = {m, names, ARRAY_LEN(names), 0};

	while (meter_set_pass(&set))
		for (uint32_t r = 0; r < rounds(); r++)
			driver_round(e, p, &m[0], &m[1]);
}

/* --- IP ------------------------------------------------------------------------------ */

static void sink(void *ctx, struct ip_packet *packets, uint32_t n)
{
	struct rte_mbuf **kept = ctx;

	for (uint32_t i = 0; i < n; i++)
		kept[i] = packets[i].m;
}

static void measure_ip(struct engine *e, struct peer *p)
{
	const struct worker_poller *rx = poller(e, "ip rx");
	struct rte_mbuf *kept[MICRO_BURST];
	struct meter m = {0};

	ip_proto_set(e->ip, WIRE_PROTO_UDP, sink, NULL, kept);
	for (uint32_t r = 0; r < rounds(); r++) {
		for (uint32_t t = 0; t < ROUND_TURNS; t++) {
			for (uint32_t k = 0; k < MICRO_BURST; k++)
				peer_datagram(p);
			run(e, &m, rx);
			for (uint32_t k = 0; k < MICRO_BURST; k++)
				pkt_free(kept[k]);
		}
		meter_round(&m);
	}
	meter_report(&m, "driver rx and IP in");
}

/* --- TCP ------------------------------------------------------------------------------ */

#define POLLERS 4

static void tcp_round(struct engine *e, struct peer *p, const struct worker_poller *const *pollers,
	struct meter *m)
{
	for (uint32_t t = 0; t < ROUND_TURNS; t++) {
		clock_manual_advance(&e->clock, 10 * NS_PER_US);
		worker_poll(e->worker, 0); /* knows the time, fires timers */
		for (uint32_t k = 0; k < MICRO_BURST; k++)
			peer_request(p, (t * MICRO_BURST + k) % p->count);
		for (size_t i = 0; i < POLLERS; i++)
			run(e, &m[i], pollers[i]);
		if (peer_take(p) != MICRO_BURST)
			micro_fail("not every request was answered");
		peer_ack(p);
	}
	for (size_t i = 0; i < POLLERS; i++)
		meter_round(&m[i]);
}

static void measure_tcp(struct engine *e, struct peer *p)
{
	static const char *const names[POLLERS] = {"ip rx", "tcp ready", "tcp tx", "port tx"};
	static const char *const shown[POLLERS] = {"driver rx, IP and TCP in",
		"owner of a connection", "TCP and IP out", "flush of the port"};
	const struct worker_poller *pollers[POLLERS];
	struct meter m[POLLERS] = {0};
	struct meter_set set = {m, shown, POLLERS, 0};

	for (size_t i = 0; i < POLLERS; i++)
		pollers[i] = poller(e, names[i]);
	while (meter_set_pass(&set))
		for (uint32_t r = 0; r < rounds(); r++)
			tcp_round(e, p, pollers, m);
}

/* Of clients that nobody knows, from as many addresses as the neighbour table has met. */
static void measure_cookies(struct engine *e, struct peer *p)
{
	enum tcp_cookies before = e->tcp->config.cookies;
	struct meter m = {0};

	e->tcp->config.cookies = TCP_COOKIES_ALWAYS;
	for (uint32_t r = 0; r < rounds(); r++) {
		for (uint32_t t = 0; t < ROUND_TURNS; t++) {
			clock_manual_advance(&e->clock, 10 * NS_PER_US);
			for (uint32_t k = 0; k < MICRO_BURST; k++)
				peer_syn(p, p->count + t * MICRO_BURST + k);
			meter_begin(&m);
			worker_poll(e->worker, 0);
			meter_end(&m, MICRO_BURST);
			if (peer_take(p) != MICRO_BURST)
				micro_fail("not every SYN was answered");
		}
		meter_round(&m);
	}
	if (e->tcp->stats[TCP_STAT_COOKIES_SENT] == 0)
		micro_fail("no cookie was sent");
	e->tcp->config.cookies = before;
	meter_report(&m, "SYN and its cookie, all in");
}

static void measure_turn(struct engine *e)
{
	struct meter m = {0};

	engine_settle(e);
	for (uint32_t r = 0; r < rounds(); r++) {
		meter_begin(&m);
		for (uint32_t t = 0; t < ROUND_TURNS; t++)
			worker_poll(e->worker, 0);
		meter_end(&m, ROUND_TURNS);
		meter_round(&m);
	}
	meter_report(&m, "turn without work");
}

void micro_steps_net(struct engine *e, struct peer *p)
{
	peer_open(p, 1000);
	measure_driver(e, p);
	measure_ip(e, p);
	measure_tcp(e, p);
	measure_cookies(e, p);
	measure_turn(e);
}
