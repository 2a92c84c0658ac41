/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx_ring_full: the transmit ring of both ports is full again and again for the first part of a
 * run, while flows send both ways over a line that loses nothing. Every byte must arrive, in each
 * case. What fits PORT_TX_PENDING_MAX only waits: nothing is lost, nothing overtakes. What does not
 * fit is dropped and counted, and TCP sends it again.
 * rx_pool_exhaustion: the same while a port has no buffer to receive into every other step.
 */
#include <stdio.h>

#include "fake_eal.h"
#include "sim_app.h"
#include "sim_drain.h"

#define HOSTS       2
#define FLOWS_MAX   8
#define POOL_DATA   8191
#define POOL_REF    16383
#define FRAMES_MAX  8191
#define TIME_MAX_NS (300 * NS_PER_SEC)
#define CALM_NS     (5 * NS_PER_SEC) /* then the rings have room for good */

struct row {
	const char *name;
	uint32_t flow_count, send_bytes, buffer_bytes;
	uint32_t room_max; /* packets that a ring takes until the next step, by chance 0 to this */
	uint64_t step_ns;
	bool two_cores; /* the second hands its packets to the first */
	bool full;      /* more than may wait: some are dropped */
	bool hold;      /* host 1 has no buffers every other step */
};

static const struct row rows[] = {
	{"few packets wait", 1, 200000, 65536, 8, NS_PER_MS, false, false, false},
	{"few packets of two cores wait", 2, 100000, 32768, 8, NS_PER_MS, true, false, false},
	{"nothing goes for long", 1, 200000, 65536, 300, 90 * NS_PER_MS, false, false, false},
	{"one at a time", 4, 20000, 65536, 1, 20 * NS_PER_MS, false, false, false},
	{"more than may wait", 8, 500000, 262144, 24, 10 * NS_PER_MS, false, true, false},
	{"more than may wait, of two cores", 8, 500000, 262144, 24, 10 * NS_PER_MS, true, true,
		false},
	{"rx_pool_exhaustion", 4, 500000, 65536, 4096, 20 * NS_PER_MS, false, false, true},
};

struct run {
	const struct row *row;
	struct rand rand;
	struct clock_manual clock;
	uint64_t start_ns, step_at;
	struct sim_net *net;
	struct host host[HOSTS];
	struct flow flow[FLOWS_MAX];
	struct flows flows[HOSTS];
	struct drain drain;
};

static void setup(struct run *r, struct pkt_pools *pools)
{
	const struct impair_config line = {.delay_ns = NS_PER_MS};

	rand_init(&r->rand, 1);
	clock_manual_init(&r->clock, NS_PER_SEC);
	r->start_ns = r->step_at = r->clock.now_ns;
	r->net = sim_net_create(&r->clock, 1, FRAMES_MAX, NULL);
	ASSERT(r->net != NULL);
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct host_config config = {.number = i + 1,
			.cores = r->row->two_cores ? 2 : 1,
			.seed = i,
			.tcp = {.conns_max = 32,
				.time_wait_max = 32,
				.half_open_max = 32,
				.listeners_max = 2,
				.recv_buffer_bytes = r->row->buffer_bytes,
				.send_buffer_bytes = r->row->buffer_bytes}};

		host_init(&r->host[i], r->net, &r->clock, &config, &pools[i * HOST_CORES_MAX]);
		r->flows[i] = (struct flows){r->row->flow_count, r->flow, i};
		for (uint32_t core = 0; core < config.cores; core++) {
			struct tcp_listen_config listen = {.local = {ip_addr_from_v4(0), APP_PORT},
				.ops = &app_listen_ops,
				.user = &r->flows[i]};

			ASSERT(tcp_listen(r->host[i].tcp[core], &listen, NULL) != NULL);
		}
	}
	ASSERT(sim_link_create(r->net, r->host[0].port, r->host[1].port, &line, &line, NULL));
}

static void start_flows(struct run *r)
{
	const struct app_plan plan = {.send_bytes = r->row->send_bytes,
		.piece_bytes = 4096,
		.read_bytes = 1u << 20,
		.abort_at_bytes = UINT32_MAX,
		.close_at_bytes = UINT32_MAX};

	for (uint32_t i = 0; i < r->row->flow_count; i++) {
		struct flow *f = &r->flow[i];

		*f = (struct flow){.number = i, .client_host = i % HOSTS};
		f->client = (struct app){.flow = f, .host = &r->host[f->client_host], .plan = plan};
		f->server = (struct app){
			.flow = f, .direction = 1, .host = &r->host[!f->client_host], .plan = plan};
		app_connect(f, f->client.host, i % f->client.host->cores, f->server.host);
	}
}

/* All buffers of host 1 are taken, or given back. */
static void hold_or_release(struct run *r, bool release)
{
	if (r->drain.held_count > 0 || release)
		drain_end(&r->drain);
	else
		drain_to(&r->drain, r->host[1].pools[0]->data, 0);
}

/* The rings have room for a few more packets, or for all. */
static void step(struct run *r)
{
	bool calm = r->clock.now_ns >= r->start_ns + CALM_NS;

	if (r->row->hold)
		hold_or_release(r, calm);

	for (uint32_t i = 0; i < HOSTS; i++)
		sim_port_set_tx_room(r->host[i].port,
			calm ? UINT32_MAX : rand_below(&r->rand, r->row->room_max + 1));
	r->step_at = calm ? TIMER_NEVER : r->clock.now_ns + r->row->step_ns;
}

static bool is_over(const struct run *r)
{
	for (uint32_t i = 0; i < r->row->flow_count; i++)
		if (!r->flow[i].client.over || !r->flow[i].server.over)
			return false;
	return host_left(&r->host[0]) + host_left(&r->host[1]) == 0;
}

static void run(struct run *r)
{
	step(r);
	start_flows(r);
	while (!is_over(r)) {
		uint64_t next = MIN(r->step_at, sim_net_next_at(r->net));

		for (uint32_t i = 0; i < HOSTS; i++)
			next = MIN(next, host_next_at(&r->host[i]));
		ASSERT(next <= r->start_ns + TIME_MAX_NS);
		clock_manual_advance(&r->clock, MAX(next, r->clock.now_ns + 1) - r->clock.now_ns);
		if (r->clock.now_ns >= r->step_at)
			step(r);
		while (host_poll(&r->host[0]) + host_poll(&r->host[1]) > 0)
			continue;
	}
}

static uint64_t port_stat(const struct run *r, enum port_stat stat)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < HOSTS; i++)
		for (uint32_t core = 0; core < r->host[i].cores; core++)
			sum += r->host[i].ports[core].stats[stat];
	return sum;
}

static bool judge(const struct run *r)
{
	uint64_t dropped = port_stat(r, PORT_STAT_TX_FULL), again = 0, early = 0, device = 0;
	uint64_t no_buffer = 0;
	bool bytes_right = true;

	for (uint32_t i = 0; i < r->row->flow_count; i++) {
		const struct flow *f = &r->flow[i];

		bytes_right = bytes_right && !f->wrong && f->client.failure == TCP_FAILURE_NONE &&
			      f->server.failure == TCP_FAILURE_NONE &&
			      f->client.received_bytes == r->row->send_bytes &&
			      f->server.received_bytes == r->row->send_bytes;
	}
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct port_device_stats stats;

		again += host_stat(&r->host[i], TCP_STAT_RETRANSMITS);
		early += host_stat(&r->host[i], TCP_STAT_RX_OUT_OF_ORDER);
		r->host[i].port->ops->stats_read(r->host[i].port, &stats);
		device += stats.tx_pkts;
		no_buffer += stats.rx_no_buffer;
	}
	printf("%s: %.1f s, %llu packets, dropped %llu, no buffer %llu, sent again %llu, "
	       "out of order %llu\n",
		r->row->name, (double)(r->clock.now_ns - r->start_ns) / 1e9,
		(unsigned long long)device, (unsigned long long)dropped,
		(unsigned long long)no_buffer, (unsigned long long)again,
		(unsigned long long)early);
	if (!bytes_right || device != port_stat(r, PORT_STAT_TX_PKTS))
		return false;
	if ((dropped > 0) != r->row->full || (no_buffer > 0) != r->row->hold)
		return false;
	return dropped + no_buffer > 0 ? again > 0 : early == 0;
}

static bool row_passes(const struct row *row, struct pkt_pools *pools)
{
	static struct run r;
	bool passed;

	r = (struct run){.row = row};
	setup(&r, pools);
	run(&r);
	passed = judge(&r);
	for (uint32_t i = 0; i < HOSTS; i++)
		host_fini(&r.host[i]);
	passed = sim_net_destroy(r.net) == 0 && passed;
	for (uint32_t i = 0; i < HOSTS * HOST_CORES_MAX; i++)
		passed = pkt_pools_used(&pools[i]) == 0 && passed;
	return passed;
}

int main(void)
{
	static struct pkt_pools pools[HOSTS * HOST_CORES_MAX];
	int failed = 0;

	fake_eal_init();
	for (uint32_t i = 0; i < HOSTS * HOST_CORES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "sim%u", i);
		ASSERT(pkt_pools_init(&pools[i], name, POOL_DATA, POOL_REF, -1, NULL) == 0);
	}
	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!row_passes(&rows[i], pools)) {
			printf("failed: %s\n", rows[i].name);
			failed = 1;
		}
	for (uint32_t i = 0; i < HOSTS * HOST_CORES_MAX; i++)
		(void)pkt_pools_fini(&pools[i]);
	return failed;
}
