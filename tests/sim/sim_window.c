/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * window_never_retracted: whatever readers, writers, memory, segment sizes, window scales and the
 * line do, the right edge of a window that a machine told does not move left (RFC 9293 3.8.6.2.1).
 *
 *     sim_window [--seed N] [--seeds COUNT] [--verbose] [--pcap FILE]
 *
 * The edge is taken from what leaves for the wire, in the order in which it leaves. What a header
 * can say is a multiple of 1 << scale, so an edge may lie left of the farthest one by less than
 * such a unit (RFC 7323 2.4), never by one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim_drain.h"
#include "sim_main.h"
#include "sim_transfer.h"
#include "sim_watch.h"

#define FLOWS_MAX    4
#define RECORDED_MAX 1000000 /* packets */
#define LIMIT_NS     (3000 * NS_PER_SEC)
#define PRESSURE_NS  (5 * NS_PER_SEC) /* then memory is left alone */

/* What one end of a connection told. */
struct told {
	bool syn, acked, has_scale;
	uint8_t scale;
	struct seq isn;
	struct seq edge; /* the farthest; with acked */
	uint32_t edges;
};

struct run {
	struct rand rand;
	struct pair pair;
	struct transfers transfers;
	struct watch watch;
	struct drain drain[HOSTS];
	struct told told[HOSTS][TRANSFERS_MAX];
	uint64_t pressure_at; /* when the free memory changes next */
	uint64_t edges, left; /* told; told left of the farthest one by less than a unit */
	uint32_t problem_bytes;
	const char *problem;
};

static uint32_t pick(struct run *r, uint32_t min, uint32_t max)
{
	return min + rand_below(&r->rand, max - min + 1);
}

static bool chance(struct run *r, uint32_t percent)
{
	return rand_below(&r->rand, 100) < percent;
}

/* --- what is told ------------------------------------------------------------------ */

static struct told *told_of(struct run *r, uint32_t host, uint16_t client_port)
{
	for (uint32_t i = 0; i < r->transfers.count; i++)
		if (r->transfers.flow[i].client_port == client_port)
			return &r->told[host][i];
	return NULL;
}

static void take_edge(struct run *r, struct told *told, struct seq edge, uint32_t unit)
{
	int32_t back = told->acked ? seq_diff(told->edge, edge) : 0;

	r->edges++;
	if (back >= (int32_t)unit && !r->problem) {
		r->problem = "a window was taken back";
		r->problem_bytes = (uint32_t)back;
	}
	r->left += back > 0;
	told->edge = told->acked ? seq_max(told->edge, edge) : edge;
	told->acked = true;
}

static void on_segment(void *ctx, const struct watched *s)
{
	struct run *r = ctx;
	uint16_t port = s->h.dst_port == APP_PORT ? s->h.src_port : s->h.dst_port;
	struct told *me = told_of(r, s->host, port), *peer = told_of(r, !s->host, port);
	uint8_t scale;

	if (!me || s->h.flags & WIRE_TCP_RST)
		return;
	if (s->h.flags & WIRE_TCP_SYN) {
		if (!me->syn || !seq_eq(me->isn, s->h.seq))
			*me = (struct told){.syn = true, .isn = s->h.seq};
		me->has_scale = s->h.has_window_scale;
		me->scale = s->h.window_scale;
		if (s->h.flags & WIRE_TCP_ACK)
			take_edge(r, me, seq_add(s->h.ack, s->h.window), 1);
	} else if (s->h.flags & WIRE_TCP_ACK) {
		scale = me->has_scale && peer->has_scale ? me->scale : 0;
		take_edge(r, me, seq_add(s->h.ack, (uint32_t)s->h.window << scale), 1u << scale);
	}
}

/* --- what happens ------------------------------------------------------------------ */

static struct host_config plan_host(struct run *r)
{
	return (struct host_config){
		.cores = 1,
		.seed = rand_u64(&r->rand),
		.tcp = {.conns_max = 16,
			.time_wait_max = 16,
			.half_open_max = 16,
			.listeners_max = 1,
			.recv_buffer_bytes = pick(r, 4096, 4096u << pick(r, 0, 6)),
			.recv_buffer_max_bytes = pick(r, 4096, 4096u << pick(r, 0, 12)),
			.send_buffer_bytes = 4096u << pick(r, 0, 6),
			.send_buffer_max_bytes = 4096u << pick(r, 0, 8),
			.cookies = chance(r, 20) ? TCP_COOKIES_ALWAYS : TCP_COOKIES_AUTO,
			.secret = {rand_u64(&r->rand), 1}},
		.options = {.mss_max = (uint16_t)(chance(r, 50) ? pick(r, 64, 1460) : 0),
			.recv_buffer_bytes =
				chance(r, 40) ? pick(r, 4096, 4096u << pick(r, 0, 6)) : 0,
			.fast_open = chance(r, 20)},
	};
}

static struct impair_config plan_line(struct run *r)
{
	return (struct impair_config){
		.delay_ns = pick(r, 0, 20) * NS_PER_MS,
		.loss_ppm = chance(r, 50) ? pick(r, 0, 20000) : 0,
		.duplicate_ppm = chance(r, 30) ? pick(r, 0, 20000) : 0,
		.reorder_ppm = chance(r, 50) ? pick(r, 0, 50000) : 0,
		.reorder_ns = pick(r, 1, 10) * NS_PER_MS,
	};
}

static struct app_plan plan_app(struct run *r)
{
	struct app_plan plan = transfer_plan(pick(r, 1, 1u << pick(r, 8, 19)));

	plan.piece_bytes = chance(r, 30) ? pick(r, 1, 50) : pick(r, 50, 4096);
	plan.read_bytes = 1u << pick(r, 6, 20);
	/* No slower than 64 KB/s, so that it ends. */
	if (chance(r, 60))
		plan.read_pause_ns = pick(r, 0, MIN(plan.read_bytes / 64, 300u)) * NS_PER_MS;
	return plan;
}

/* Any share of the memory of any machine is free for a while. */
static void change_pressure(struct run *r)
{
	bool over = r->pair.clock.now_ns >= r->pair.start_ns + PRESSURE_NS;

	for (uint32_t i = 0; i < HOSTS; i++)
		drain_to_pct(&r->drain[i], r->pair.host[i].pools[0]->data,
			over || chance(r, 30) ? 100 : pick(r, 2, 60));
	r->pressure_at = over ? TIMER_NEVER : r->pair.clock.now_ns + pick(r, 1, 300) * NS_PER_MS;
}

static void setup(struct run *r, uint64_t seed)
{
	struct app_plan client, server;
	uint32_t count;

	*r = (struct run){0};
	rand_init(&r->rand, seed);
	for (uint32_t i = 0; i < HOSTS; i++) {
		r->pair.config[i] = plan_host(r);
		r->pair.line[i] = plan_line(r);
	}
	pair_init(&r->pair, rand_u64(&r->rand), NS_PER_SEC);
	watch_init(&r->watch, &r->pair, on_segment, r);
	transfers_init(&r->transfers, &r->pair);
	count = pick(r, 1, FLOWS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		client = plan_app(r);
		server = plan_app(r);
		transfer_start(
			&r->transfers, pick(r, 0, 1), (uint16_t)(2000 + i), &client, &server);
	}
}

static bool seed_passes(uint64_t seed, const struct sim_options *options)
{
	static struct run r;
	const char *leak;

	setup(&r, seed);
	if (options->pcap)
		ASSERT(sim_net_record(r.pair.net, RECORDED_MAX, NULL) == 0);
	while (!r.problem && !transfers_are_over(&r.transfers) &&
		r.pair.clock.now_ns < r.pair.start_ns + LIMIT_NS) {
		if (r.pair.clock.now_ns >= r.pressure_at)
			change_pressure(&r);
		r.problem = pair_step(&r.pair, r.pressure_at);
	}
	if (!r.problem)
		r.problem = transfers_judge(&r.transfers);
	if (options->verbose || r.problem)
		printf("seed %llu: at %.3f s: %s (%u); windows %llu, left by less than a unit "
		       "%llu\n",
			(unsigned long long)seed,
			(double)(r.pair.clock.now_ns - r.pair.start_ns) / 1e9,
			r.problem ? r.problem : "passed", r.problem_bytes,
			(unsigned long long)r.edges, (unsigned long long)r.left);
	for (uint32_t i = 0; i < HOSTS; i++)
		drain_end(&r.drain[i]);
	if (options->pcap)
		(void)sim_net_dump(r.pair.net, options->pcap, NULL);
	leak = pair_fini(&r.pair);
	if (leak)
		printf("seed %llu: %s\n", (unsigned long long)seed, leak);
	return !r.problem && !leak;
}

int main(int argc, char **argv)
{
	return sim_seeds_main(argc, argv, seed_passes);
}
