/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two machines with our stack over a bad line, in virtual time. From a seed comes everything: IPv4
 * or IPv6, the line, the buffers, the number of cores, what the applications do. A flow must
 * deliver exactly its bytes, every connection must end, all memory must come back, and time must
 * not run out.
 *
 *     sim_tcp [--seed N] [--seeds COUNT] [--verbose] [--pcap FILE]
 *
 * Seeds N to N + COUNT - 1; the first that fails is named, and the program ends with 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim_app.h"
#include "sim_main.h"
#include "sim_trouble.h"

#define FLOWS_MAX    8
#define TIME_MAX_NS  (20000 * NS_PER_SEC)
#define RECORDED_MAX 100000

struct sim {
	uint64_t seed;
	bool verbose;
	const char *pcap;
	struct rand rand;
	struct pair pair;
	struct flow flow[FLOWS_MAX];
	struct flows flows[HOSTS];
	uint32_t flow_count;
	struct troubles troubles;
	uint64_t end_at; /* it must be over: clock jumps included */
	bool failed;
};

/* --- the dice ---------------------------------------------------------------------- */

static uint32_t pick(struct sim *s, uint32_t min, uint32_t max)
{
	return min + rand_below(&s->rand, max - min + 1);
}

static bool chance(struct sim *s, uint32_t percent)
{
	return rand_below(&s->rand, 100) < percent;
}

/* Small numbers as often as large ones. */
static uint32_t pick_size(struct sim *s, uint32_t bits_max)
{
	return pick(s, 0, (1u << pick(s, 0, bits_max)) - 1);
}

static void plan_line(struct sim *s, struct impair_config *line)
{
	*line = (struct impair_config){.delay_ns = pick_size(s, 7) * NS_PER_MS};
	if (chance(s, 50))
		line->jitter_ns = pick_size(s, 5) * NS_PER_MS;
	if (chance(s, 70))
		line->loss_ppm = pick(s, 0, chance(s, 20) ? 200000 : 30000);
	if (chance(s, 50))
		line->mark_ppm = pick(s, 0, 100000);
	if (chance(s, 50))
		line->duplicate_ppm = pick(s, 0, 50000);
	if (chance(s, 50))
		line->corrupt_ppm = pick(s, 0, 20000);
	if (chance(s, 50)) {
		line->reorder_ppm = pick(s, 0, 100000);
		line->reorder_ns = pick(s, 1, 50) * NS_PER_MS;
	}
	if (chance(s, 30)) {
		line->rate_bits_per_s = pick(s, 1, 100) * UINT64_C(1000000);
		line->queue_bytes_max = pick(s, 10, 200) * 1500;
	}
}

static void plan_host(struct sim *s, uint32_t number)
{
	struct host_config *config = &s->pair.config[number];

	*config = (struct host_config){
		.v6 = s->seed % 3 == 0,
		.cores = pick(s, 1, HOST_CORES_MAX),
		.rss = chance(s, 50),
		.seed = rand_u64(&s->rand),
		.tcp = {.conns_max = 32,
			.time_wait_max = chance(s, 20) ? 2 : 32,
			.half_open_max = 32,
			.listeners_max = 2,
			.recv_buffer_bytes = 4096u << pick(s, 0, 6),
			.send_buffer_bytes = 4096u << pick(s, 0, 6),
			.recv_buffer_max_bytes = 4096u << pick(s, 0, 9),
			.send_buffer_max_bytes = 4096u << pick(s, 0, 9),
			.keepalive_idle_ms = 30000,
			.keepalive_interval_ms = 5000,
			.retries_syn = 12,
			.fin_wait_2_ms = 120000,
			.cc = (enum tcp_cc_kind)pick(s, TCP_CC_DEFAULT, TCP_CC_KIND_COUNT - 1),
			.ecn = (enum tcp_ecn)pick(s, TCP_ECN_DEFAULT, TCP_ECN_ON),
			.pacing = chance(s, 30),
			.cookies = chance(s, 20) ? TCP_COOKIES_ALWAYS : TCP_COOKIES_AUTO,
			.secret = {s->seed, number}},
		.options = {.fast_open = chance(s, 40), .defer_accept = chance(s, 20)},
	};
}

static void plan_app(struct sim *s, struct app_plan *plan, uint32_t size_bits)
{
	*plan = (struct app_plan){
		.send_bytes =
			chance(s, 50) ? pick(s, 0, (1u << size_bits) - 1) : pick_size(s, size_bits),
		.piece_bytes = chance(s, 30) ? pick(s, 1, 100) : pick(s, 100, 4096),
		.read_bytes = chance(s, 20) ? pick(s, 500, 2000) : 1u << 20,
		.abort_at_bytes = UINT32_MAX,
		.close_at_bytes = UINT32_MAX,
		.shut_late = chance(s, 30),
	};
	if (chance(s, 20))
		plan->read_pause_ns = pick(s, 1, 20) * NS_PER_MS;
	if (chance(s, 5))
		plan->abort_at_bytes = pick_size(s, size_bits);
	if (chance(s, 3))
		plan->close_at_bytes = pick_size(s, size_bits);
}

static void plan_flows(struct sim *s)
{
	/* Many bytes only on good lines: the run must end in real time too. */
	bool bad = s->pair.line[0].loss_ppm + s->pair.line[1].loss_ppm > 50000;
	uint32_t size_bits = bad ? 16 : chance(s, 10) ? 20 : 18;

	s->flow_count = pick(s, 1, FLOWS_MAX);
	for (uint32_t i = 0; i < s->flow_count; i++) {
		struct flow *f = &s->flow[i];

		*f = (struct flow){
			.number = i,
			.client_host = pick(s, 0, 1),
			.start_ns = pick_size(s, 10) * NS_PER_MS,
		};
		f->client = (struct app){.flow = f, .host = &s->pair.host[f->client_host]};
		f->server = (struct app){
			.flow = f, .direction = 1, .host = &s->pair.host[!f->client_host]};
		plan_app(s, &f->client.plan, size_bits);
		plan_app(s, &f->server.plan, size_bits);
		/* Nobody repeats the ACK of a cookie but who has something to say. */
		if (s->pair.config[!f->client_host].tcp.cookies == TCP_COOKIES_ALWAYS)
			f->client.plan.send_bytes = MAX(f->client.plan.send_bytes, 1u);
		if (f->client.plan.shut_late) /* somebody must begin */
			f->server.plan.shut_late = false;
	}
}

/* --- the run ----------------------------------------------------------------------- */

static void problem(struct sim *s, const char *what, uint32_t number)
{
	if (!s->failed)
		printf("seed %llu: at %.3f s: %s (%u)\n", (unsigned long long)s->seed,
			(double)(s->pair.clock.now_ns - s->pair.start_ns) / 1e9, what, number);
	s->failed = true;
}

static void setup(struct sim *s)
{
	struct pair *p = &s->pair;

	rand_init(&s->rand, s->seed);
	for (uint32_t i = 0; i < HOSTS; i++) {
		plan_line(s, &p->line[i]);
		plan_host(s, i);
	}
	plan_flows(s);
	pair_init(p, rand_u64(&s->rand), (1 + rand_below(&s->rand, 1000000)) * NS_PER_MS);
	troubles_plan(&s->troubles, p, &s->rand, pick_size(s, 15) * NS_PER_MS);
	s->end_at = p->start_ns + TIME_MAX_NS;
	if (s->pcap)
		ASSERT(sim_net_record(p->net, RECORDED_MAX, NULL) == 0);
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct host *h = &p->host[i];

		s->flows[i] = (struct flows){s->flow_count, s->flow, i};
		for (uint32_t core = 0; core < h->cores; core++) {
			struct tcp_listen_config listen = {
				.options = h->options,
				.local = {h->any, APP_PORT},
				.ops = &app_listen_ops,
				.user = &s->flows[i],
			};

			ASSERT(tcp_listen(h->tcp[core], &listen, NULL) != NULL);
		}
	}
}

static void start_flows(struct sim *s)
{
	for (uint32_t i = 0; i < s->flow_count; i++) {
		struct flow *f = &s->flow[i];
		struct host *from = f->client.host;

		if (!f->started && s->pair.clock.now_ns >= s->pair.start_ns + f->start_ns)
			app_connect(f, from, pick(s, 0, from->cores - 1), f->server.host);
	}
}

/* The next thing that is not the pair's own doing. */
static uint64_t next_at(const struct sim *s)
{
	uint64_t next = troubles_next_at(&s->troubles);

	for (uint32_t i = 0; i < s->flow_count; i++)
		if (!s->flow[i].started)
			next = MIN(next, s->pair.start_ns + s->flow[i].start_ns);
	return next;
}

static bool all_over(const struct sim *s)
{
	for (uint32_t i = 0; i < s->flow_count; i++) {
		const struct flow *f = &s->flow[i];

		if (!f->started || !f->client.over || (f->server.opened && !f->server.over))
			return false;
	}
	return pair_is_empty(&s->pair);
}

static void run(struct sim *s)
{
	struct pair *p = &s->pair;

	while (!all_over(s) && !s->failed) {
		uint64_t before_ns = p->clock.now_ns;
		const char *wrong;

		troubles_step(&s->troubles, p);
		s->end_at += p->clock.now_ns - before_ns;
		start_flows(s);
		wrong = pair_step(p, next_at(s));
		if (wrong)
			problem(s, wrong, 0);
		else if (p->clock.now_ns > s->end_at)
			problem(s, "it does not end", 0);
	}
}

/* --- the verdict ------------------------------------------------------------------- */

/* May this side have failed without anybody's fault? */
static bool is_excused(const struct sim *s, const struct app *me, const struct app *peer)
{
	bool bad_line = s->pair.line[0].loss_ppm + s->pair.line[1].loss_ppm > 50000;
	uint32_t may = troubles_may(&s->troubles);
	/* The text of a SYN opens the peer while the handshake may still fail. */
	bool fast = s->pair.config[me->flow->client_host].options.fast_open;

	switch (me->failure) {
	case TCP_FAILURE_UNREACHABLE: /* every question for the neighbour was lost */
		return (!peer->opened || fast) && (may & MAY_FAIL_TO_OPEN || bad_line);
	case TCP_FAILURE_NO_MEMORY:
		return !me->opened && may & MAY_FAIL_TO_OPEN;
	case TCP_FAILURE_RESET: /* its TIME-WAIT or its SYN cookie was over before our segment came
				 */
		return may & MAY_BE_RESET && ((me->shut && peer->over) || !peer->opened);
	default:
		return false;
	}
}

static void judge_flow(struct sim *s, const struct flow *f)
{
	const struct app *apps[2] = {&f->client, &f->server};
	bool broken = f->client.broke_off || f->server.broke_off ||
		      is_excused(s, &f->client, &f->server) ||
		      is_excused(s, &f->server, &f->client);

	if (f->wrong)
		problem(s, "a wrong byte", f->number);
	for (uint32_t i = 0; i < 2; i++) {
		const struct app *me = apps[i], *peer = apps[!i];

		if (me->received_bytes > peer->sent_bytes)
			problem(s, "more bytes than were sent", f->number);
		if (!broken && me->failure != TCP_FAILURE_NONE)
			problem(s, tcp_failure_name(me->failure), f->number);
		if (!broken && (!me->ended || me->received_bytes != peer->plan.send_bytes))
			problem(s, "bytes are missing", f->number);
	}
}

static void show(const struct sim *s)
{
	printf("seed %llu: %s, cores %u%s and %u%s, %u flows, %.3f s\n",
		(unsigned long long)s->seed, s->pair.config[0].v6 ? "IPv6" : "IPv4",
		s->pair.host[0].cores, s->pair.config[0].rss ? " rss" : "", s->pair.host[1].cores,
		s->pair.config[1].rss ? " rss" : "", s->flow_count,
		(double)(s->pair.clock.now_ns - s->pair.start_ns) / 1e9);
	for (uint32_t i = 0; i < HOSTS; i++)
		printf("  host %u: buffers %u %u, line: loss %u dup %u corrupt %u reorder %u "
		       "delay %llu ms; again %llu, timeouts %llu, early %llu, cookies %llu\n",
			i, s->pair.config[i].tcp.recv_buffer_bytes,
			s->pair.config[i].tcp.send_buffer_bytes, s->pair.line[i].loss_ppm,
			s->pair.line[i].duplicate_ppm, s->pair.line[i].corrupt_ppm,
			s->pair.line[i].reorder_ppm,
			(unsigned long long)(s->pair.line[i].delay_ns / NS_PER_MS),
			(unsigned long long)host_stat(&s->pair.host[i], TCP_STAT_RETRANSMITS),
			(unsigned long long)host_stat(&s->pair.host[i], TCP_STAT_TIMEOUTS),
			(unsigned long long)host_stat(&s->pair.host[i], TCP_STAT_FAST_OPEN_PASSIVE),
			(unsigned long long)host_stat(&s->pair.host[i], TCP_STAT_COOKIES_GOOD));
	troubles_show(&s->troubles, &s->pair);
	for (uint32_t i = 0; i < s->flow_count; i++)
		for (uint32_t side = 0; side < 2; side++) {
			const struct flow *f = &s->flow[i];
			const struct app *a = side ? &f->server : &f->client;

			printf("  flow %u %s: sent %u of %u, received %u%s%s%s, %s%s\n", i,
				side ? "server" : "client", a->sent_bytes, a->plan.send_bytes,
				a->received_bytes, a->opened ? "" : ", not opened",
				a->ended ? ", ended" : "", a->over ? ", over" : "",
				tcp_failure_name(a->failure), a->broke_off ? ", broke off" : "");
		}
}

static bool seed_passes(uint64_t seed, const struct sim_options *options)
{
	struct sim *s = calloc(1, sizeof(*s));
	const char *leak;
	bool passed;

	ASSERT(s != NULL);
	s->seed = seed;
	s->pcap = options->pcap;
	setup(s);
	run(s);
	for (uint32_t i = 0; i < s->flow_count && !s->failed; i++)
		judge_flow(s, &s->flow[i]);
	if (options->verbose || s->failed)
		show(s);
	if (s->pcap)
		(void)sim_net_dump(s->pair.net, s->pcap, NULL);
	troubles_end(&s->troubles, &s->pair);
	leak = pair_fini(&s->pair);
	if (leak)
		problem(s, leak, 0);
	passed = !s->failed;
	free(s);
	return passed;
}

int main(int argc, char **argv)
{
	return sim_seeds_main(argc, argv, seed_passes);
}
