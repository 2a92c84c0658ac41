/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One flow over a line that loses and reorders, while a counter of the stack comes to its end or
 * the clock does what clocks do. The flow must go on, and every connection pass tcp_check at each
 * step.
 *
 *     sim_wrap timer_tick_wrap|clock_jump|sequence_number_wrap
 */
#include <stdio.h>

#include "sim_bulk.h"
#include "sim_main.h"
#include "sim_transfer.h"
#include "sim_watch.h"

#define BUFFER_BYTES (64u << 10)
#define LEAST_BYTES  (1u << 20) /* in SPAN_NS: a sixth of what Reno gets */
#define SPAN_NS      (30 * NS_PER_SEC)

static struct pair pair;
static struct bulks bulks = {.pair = &pair};

/* Runs on for SPAN_NS; what does not hold, or NULL. */
static const char *goes_on(const struct bulk *flow)
{
	uint64_t before = flow->received_bytes;
	const char *problem = pair_run(&pair, pair.clock.now_ns + SPAN_NS);

	if (problem)
		return problem;
	if (flow->failure != TCP_FAILURE_NONE)
		return tcp_failure_name(flow->failure);
	return flow->received_bytes - before < LEAST_BYTES ? "it is too slow" : NULL;
}

static struct bulk *start(void)
{
	bulks_init(&bulks, &pair);
	return bulk_start(&bulks, TCP_CC_DEFAULT);
}

/* Milliseconds of a core are 32 bits: 49.7 days. */
static const char *timer_tick_wrap(void)
{
	uint64_t wrap_ns = ((UINT64_C(1) << 32) - 10000) * NS_PER_MS;
	const char *problem;

	clock_manual_advance(&pair.clock, wrap_ns);
	problem = pair_run(&pair, pair.clock.now_ns + NS_PER_SEC);
	if (!problem)
		problem = goes_on(start());
	return problem;
}

/* Nobody polled for a second, for an hour, for twenty days. (Deadlines are compared modulo 2^32 ms:
 * the limit is 24.8 days. A worker goes to what is farther in steps, see lib/worker.) */
static const char *clock_jump(void)
{
	static const uint64_t jumps_s[] = {1, 3600, 20 * 86400, 20 * 86400};
	struct bulk *flow = start();
	const char *problem = goes_on(flow);

	for (uint32_t i = 0; i < ARRAY_LEN(jumps_s) && !problem; i++) {
		clock_manual_advance(&pair.clock, jumps_s[i] * NS_PER_SEC);
		/* The jump was measured as a round trip: the first timeouts are long. */
		problem = pair_run(&pair, pair.clock.now_ns + 10 * SPAN_NS);
		if (!problem)
			problem = goes_on(flow);
		if (problem)
			printf("after a jump of %llu s: ", (unsigned long long)jumps_s[i]);
	}
	return problem;
}

/* --- sequence_number_wrap ---------------------------------------------------------- */

#define WRAP_BYTES  (4u << 20) /* each way; 2^32 lies in the middle half */
#define WRAP_ROUNDS 16
#define PORT_FIRST  2000
#define PORT_LAST   60000
#define ISN_TICK_NS UINT64_C(4000) /* RFC 9293 3.4.1: the clock of initial numbers */
#define HALF        (UINT32_C(1) << 31)
#define STORM_BYTES (128u << 10) /* around 2^32 */

/* What was seen of the numbers that each machine sends. */
static struct seen {
	bool syn[HOSTS];
	uint32_t isn[HOSTS];     /* less the clock, so that it is the same at any time */
	bool high[HOSTS];        /* text below 2^32 was sent */
	uint32_t crossed[HOSTS]; /* and then text beyond it, in this round */
	uint32_t again;          /* text below it after text beyond it */
	uint32_t sacked;         /* beyond it, while the ACK was below it */
	uint32_t untimed;        /* text without timestamp */
} seen;

/* The line is much worse where it matters. */
static void storm(uint32_t host, bool on)
{
	struct impair_config *line = &sim_link_line(pair.link, pair.host[host].port)->config;

	line->loss_ppm = on ? 50000 : pair.line[host].loss_ppm;
	line->reorder_ppm = on ? 50000 : pair.line[host].reorder_ppm;
}

static void on_segment(void *ctx, const struct watched *s)
{
	uint32_t host = s->host;
	bool high = s->h.seq.v >= HALF;

	(void)ctx;
	if (s->h.flags & WIRE_TCP_SYN) {
		seen.isn[host] = s->h.seq.v - (uint32_t)(pair.clock.now_ns / ISN_TICK_NS);
		seen.syn[host] = true;
	}
	for (uint32_t i = 0; i < s->h.sack_count; i++)
		seen.sacked += s->h.ack.v >= HALF && s->h.sack[i].end.v < HALF;
	if (s->len == 0)
		return;
	storm(host, s->h.seq.v + STORM_BYTES / 2 < STORM_BYTES);
	seen.untimed += !s->h.has_timestamp;
	seen.again += high && seen.crossed[host];
	seen.crossed[host] += !high && seen.high[host];
	seen.high[host] |= high;
}

static void on_probe_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	(void)user;
	(void)events;
	tcp_conn_abort(conn);
}

/* Both machines' initial numbers for this port of machine 0: they depend on ports, addresses,
 * secret, and the clock. */
static const char *probe(uint16_t port)
{
	static const struct tcp_owner_ops ops = {.on_event = on_probe_event};
	struct tcp_connect_config config = {
		.local = {ip_addr_from_v4(0), port},
		.remote = {pair.host[1].addr, APP_PORT},
		.ops = &ops,
	};
	const char *problem = NULL;
	enum tcp_failure failure;

	seen = (struct seen){0};
	ASSERT(tcp_connect(pair.host[0].tcp[0], &config, &failure) != NULL);
	while (!problem && !(seen.syn[0] && seen.syn[1] && pair_is_empty(&pair)))
		problem = pair_step(&pair, TIMER_NEVER);
	return problem;
}

/* A port for which both numbers pass 2^32 at nearly the same time. */
static const char *find_port(uint16_t *port)
{
	const char *problem = NULL;

	for (*port = PORT_FIRST; *port < PORT_LAST && !problem; (*port)++) {
		problem = probe(*port);
		if (seen.isn[0] - seen.isn[1] + WRAP_BYTES / 4 < WRAP_BYTES / 2)
			return problem;
	}
	return problem ? problem : "no port has such numbers";
}

static const char *pass_wrap(struct transfers *transfers, uint16_t port)
{
	const struct app_plan plan = transfer_plan(WRAP_BYTES);
	uint32_t now = (uint32_t)(pair.clock.now_ns / ISN_TICK_NS) + seen.isn[0];
	const char *problem;

	clock_manual_advance(&pair.clock, (uint32_t)(-(WRAP_BYTES / 2) - now) * ISN_TICK_NS);
	seen.high[0] = seen.high[1] = false;
	seen.crossed[0] = seen.crossed[1] = 0;
	problem = pair_run(&pair, pair.clock.now_ns + NS_PER_MS); /* the workers see the time */
	transfer_start(transfers, 0, port, &plan, &plan);
	if (!problem)
		problem = transfers_run(transfers, pair.clock.now_ns + 3600 * NS_PER_SEC);
	if (!problem)
		problem = transfers_judge(transfers);
	if (!problem && !(seen.crossed[0] && seen.crossed[1]))
		problem = "2^32 was not passed";
	return problem;
}

/* The numbers of both directions pass 2^32 in the middle of a transfer that loses and reorders. */
static const char *sequence_number_wrap(void)
{
	static struct transfers transfers;
	struct watch watch;
	const char *problem;
	uint16_t port;

	watch_init(&watch, &pair, on_segment, NULL);
	transfers_init(&transfers, &pair);
	problem = find_port(&port);
	for (uint32_t i = 0; i < WRAP_ROUNDS && !problem; i++)
		problem = pass_wrap(&transfers, port);
	sim_net_hook(pair.net, NULL, NULL);
	printf("port %u: sent again from below 2^32 %u, SACK across it %u\n", port, seen.again,
		seen.sacked);
	if (problem)
		return problem;
	if (seen.again == 0 || seen.sacked == 0 || seen.untimed > 0)
		return "nothing was lost there, or it was without timestamps";
	return NULL;
}

/* --- all of them ------------------------------------------------------------------- */

static const struct sim_case cases[] = {
	{"timer_tick_wrap", timer_tick_wrap},
	{"clock_jump", clock_jump},
	{"sequence_number_wrap", sequence_number_wrap},
};

static const char *run(sim_case_fn fn)
{
	const char *problem, *leak;

	for (uint32_t i = 0; i < HOSTS; i++) {
		pair.config[i] = bulk_host(1 + i, BUFFER_BYTES);
		pair.line[i] = (struct impair_config){
			.delay_ns = 10 * NS_PER_MS,
			.loss_ppm = 5000,
			.reorder_ppm = 5000,
			.reorder_ns = 5 * NS_PER_MS,
		};
	}
	pair_init(&pair, 1, NS_PER_SEC);
	problem = fn();
	bulks_stop(&bulks);
	leak = pair_fini(&pair);
	return problem ? problem : leak;
}

int main(int argc, char **argv)
{
	return sim_cases_main(argc, argv, cases, ARRAY_LEN(cases), run);
}
