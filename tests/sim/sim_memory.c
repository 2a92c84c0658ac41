/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet buffers become short on a machine with connections in full transfer.
 *
 *     sim_memory mbuf_pool_exhaustion|memory_pressure_levels
 *
 * mbuf_pool_exhaustion: every free buffer of a pool is taken, and after each step again what came
 * back, for a moment or for longer than neighbours are remembered. What is lost for want of a
 * buffer is counted, every connection passes tcp_check at each step, and once there are buffers
 * again all bytes arrive.
 *
 * memory_pressure_levels: the free share of a machine's buffers walks down and up through the
 * levels of tcp_buffer.c, while it sends and receives over a line that loses and reorders.
 */
#include <stdio.h>

#include "sim_drain.h"
#include "sim_main.h"
#include "sim_transfer.h"
#include "sim_watch.h"

static struct pair pair;
static struct transfers transfers;

static struct host_config machine(uint32_t number, uint32_t cores)
{
	return (struct host_config){
		.cores = cores,
		.seed = number,
		.tcp = {.conns_max = 32,
			.time_wait_max = 32,
			.half_open_max = 32,
			.listeners_max = 1,
			.recv_buffer_bytes = 16384,
			.send_buffer_bytes = 16384,
			.recv_buffer_max_bytes = 131072,
			.send_buffer_max_bytes = 131072,
			.secret = {number, 1}},
	};
}

/* --- mbuf_pool_exhaustion ---------------------------------------------------------- */

#define DRY_FLOWS 4
#define DRY_BYTES 400000

enum { DATA = 1 << 0, REF = 1 << 1 };

struct dry {
	uint32_t pools; /* which run dry: DATA, REF */
	uint32_t host;
	uint32_t cores; /* of both machines; the first one runs dry */
	uint64_t begin_ns, span_ns;
};

static const struct dry dries[] = {
	{DATA, 0, 1, 50 * NS_PER_MS, 30 * NS_PER_MS},
	{DATA, 1, 1, 50 * NS_PER_MS, 2 * NS_PER_SEC},
	{REF, 0, 1, 50 * NS_PER_MS, 30 * NS_PER_MS},
	{REF, 1, 1, 50 * NS_PER_MS, 2 * NS_PER_SEC},
	{DATA | REF, 0, 1, 70 * NS_PER_MS, 2 * NS_PER_SEC},
	{DATA | REF, 1, 1, 30 * NS_PER_MS, 2 * NS_PER_SEC},
	{DATA | REF, 0, 2, 50 * NS_PER_MS, 5 * NS_PER_SEC},
	{DATA | REF, 1, 2, 50 * NS_PER_MS, 5 * NS_PER_SEC},
	{DATA, 0, 1, 50 * NS_PER_MS, 45 * NS_PER_SEC},
	{DATA | REF, 1, 1, 50 * NS_PER_MS, 45 * NS_PER_SEC},
};

static struct port_device_stats device(uint32_t host)
{
	struct port_device_stats stats;

	pair.host[host].port->ops->stats_read(pair.host[host].port, &stats);
	return stats;
}

/* The line is perfect: what one port sent the other one has received, or counted as lost. */
static const char *judge_counters(const struct dry *dry)
{
	const struct host *h = &pair.host[dry->host];
	uint64_t not_built = host_stat(h, TCP_STAT_NO_BUFFER);
	uint64_t lost = device(dry->host).rx_no_buffer;

	for (uint32_t i = 0; i < HOSTS; i++) {
		struct port_device_stats to = device(i), from = device(!i);

		if (from.tx_pkts != to.rx_pkts + to.rx_missed + to.rx_no_buffer)
			return "a frame was lost and not counted";
	}
	printf("  not received %llu, not built %llu\n", (unsigned long long)lost,
		(unsigned long long)not_built);
	if (dry->pools & DATA && lost == 0)
		return "nothing was missed of the pool of data";
	if (dry->pools & REF && !(dry->pools & DATA) && not_built == 0)
		return "nothing was missed of the pool of references";
	return host_stat(&pair.host[!dry->host], TCP_STAT_NO_BUFFER)
		       ? "the other machine missed some"
		       : NULL;
}

static const char *stay_dry(const struct dry *dry)
{
	const struct pkt_pools *pools = pair.host[dry->host].pools[0];
	uint64_t end_at = pair.clock.now_ns + dry->span_ns;
	struct drain data = {0}, ref = {0};
	const char *problem = NULL;

	while (!problem && pair.clock.now_ns < end_at) {
		if (dry->pools & DATA)
			drain_to(&data, pools->data, 0);
		if (dry->pools & REF)
			drain_to(&ref, pools->ref, 0);
		problem = pair_step(&pair, end_at);
	}
	drain_end(&data);
	drain_end(&ref);
	return problem;
}

static const char *run_dry(const struct dry *dry)
{
	struct app_plan plan = transfer_plan(DRY_BYTES);
	const char *problem, *leak;

	for (uint32_t i = 0; i < HOSTS; i++) {
		pair.config[i] = machine(i, dry->cores);
		pair.line[i] = (struct impair_config){
			.delay_ns = 5 * NS_PER_MS, .rate_bits_per_s = UINT64_C(100000000)};
	}
	pair_init(&pair, 1, NS_PER_SEC);
	transfers_init(&transfers, &pair);
	for (uint32_t i = 0; i < DRY_FLOWS; i++)
		transfer_start(&transfers, i % HOSTS, 0, &plan, &plan);
	problem = transfers_run(&transfers, pair.start_ns + dry->begin_ns);
	if (!problem &&
		(transfers_are_over(&transfers) || !transfers_received(&transfers, dry->host)))
		problem = "it is not in full transfer";
	if (!problem)
		problem = stay_dry(dry);
	if (!problem && transfers_are_over(&transfers))
		problem = "it ended without buffers";
	if (!problem)
		problem = transfers_run(&transfers, pair.clock.now_ns + 600 * NS_PER_SEC);
	if (!problem)
		problem = transfers_judge(&transfers);
	if (!problem)
		problem = judge_counters(dry);
	leak = pair_fini(&pair);
	return problem ? problem : leak;
}

static const char *mbuf_pool_exhaustion(void)
{
	const char *problem = NULL;

	for (uint32_t i = 0; i < ARRAY_LEN(dries) && !problem; i++) {
		const struct dry *dry = &dries[i];

		printf("row %u: machine %u of %u cores has no%s%s for %llu ms\n", i, dry->host,
			dry->cores, dry->pools & DATA ? " data" : "",
			dry->pools & REF ? " references" : "",
			(unsigned long long)(dry->span_ns / NS_PER_MS));
		problem = run_dry(dry);
	}
	return problem;
}

/* --- memory_pressure_levels -------------------------------------------------------- */

#define PHASE_NS    (4 * NS_PER_SEC)
#define SETTLE_NS   (2 * NS_PER_SEC)    /* what was promised before is used up */
#define FLOW_BYTES  UINT32_C(200000000) /* more than the line carries in all phases */
#define FIRST_BYTES 16384u              /* the buffers at first */
#define SEGMENT     1460u
#define RED_BYTES   (4 * SEGMENT)
#define LEAST_BYTES 100000u /* of each direction after SETTLE_NS, whatever the level */

enum { GREEN, YELLOW, RED, LEVELS };

struct phase {
	uint32_t free_pct;
	uint64_t level;
};

/* A level is left only at 10 % more than what entered it. */
static const struct phase phases[] = {
	{100, GREEN}, {43, GREEN}, {37, YELLOW}, {46, YELLOW}, {55, GREEN}, /* to and fro */
	{37, YELLOW}, {18, YELLOW}, {12, RED}, {22, RED}, {30, YELLOW},     /* by each step */
	{46, YELLOW}, {90, GREEN}, {10, RED}, {60, GREEN}, {100, GREEN},    /* at once */
};

/* What a machine did so far, and the windows that it told since it was last looked at. */
struct deeds {
	uint64_t grown, shrunk, kept, refused, received_bytes;
	uint32_t window_most, window_last;
};

static struct {
	uint8_t shift[HOSTS];
	struct deeds now[HOSTS];
} seen;

static void on_segment(void *ctx, const struct watched *s)
{
	struct deeds *d = &seen.now[s->host];

	(void)ctx;
	if (s->h.flags & WIRE_TCP_SYN) {
		seen.shift[s->host] = s->h.has_window_scale ? s->h.window_scale : 0;
		return;
	}
	d->window_last = (uint32_t)s->h.window << seen.shift[s->host];
	d->window_most = MAX(d->window_most, d->window_last);
}

static void look(uint32_t host)
{
	const struct host *h = &pair.host[host];
	struct deeds *d = &seen.now[host];

	d->grown =
		host_stat(h, TCP_STAT_RECV_BUFFER_GROWN) + host_stat(h, TCP_STAT_SEND_BUFFER_GROWN);
	d->shrunk = host_stat(h, TCP_STAT_RECV_BUFFER_SHRUNK);
	d->kept = host_stat(h, TCP_STAT_RX_OUT_OF_ORDER);
	d->refused = host_stat(h, TCP_STAT_RX_MEMORY);
	d->received_bytes = transfers_received(&transfers, host);
}

/* Of the machine under pressure: what each level does. */
static const char *judge_level(
	uint64_t level, const struct deeds *before, const struct deeds *now, uint32_t unit)
{
	if ((now->refused != before->refused) != (level == RED))
		return "what comes out of order is refused only when it is red";
	if ((now->kept != before->kept) != (level != RED))
		return "what comes out of order is kept unless it is red";
	if (level != GREEN && now->grown != before->grown)
		return "a buffer grew under pressure";
	if (level == GREEN && now->window_most < 2 * FIRST_BYTES)
		return "the window has not grown";
	if (level == YELLOW && now->window_most > FIRST_BYTES + unit)
		return "the window has not shrunk";
	if (level == YELLOW && now->window_most <= RED_BYTES)
		return "the window has shrunk too far";
	if (level == RED && now->window_most > RED_BYTES + unit)
		return "the window is still large";
	return NULL;
}

static const char *walk_for(uint64_t span_ns, struct drain *drain, uint32_t host, uint32_t free_pct)
{
	uint64_t end_at = pair.clock.now_ns + span_ns;
	const char *problem = NULL;

	while (!problem && pair.clock.now_ns < end_at) {
		drain_to_pct(drain, pair.host[host].pools[0]->data, free_pct);
		problem = pair_step(&pair, end_at);
	}
	return problem;
}

static const char *run_phase(const struct phase *phase, uint32_t host, struct drain *drain)
{
	struct deeds before[HOSTS];
	const char *problem = walk_for(SETTLE_NS, drain, host, phase->free_pct);

	for (uint32_t i = 0; i < HOSTS; i++) {
		look(i);
		before[i] = seen.now[i];
		seen.now[i].window_most = 0;
	}
	if (!problem)
		problem = walk_for(PHASE_NS - SETTLE_NS, drain, host, phase->free_pct);
	for (uint32_t i = 0; i < HOSTS && !problem; i++) {
		look(i);
		if (seen.now[i].received_bytes - before[i].received_bytes < LEAST_BYTES)
			problem = "too few bytes go";
	}
	if (!problem && host_stat(&pair.host[host], TCP_STAT_MEMORY_LEVEL) != phase->level)
		problem = "it is another level";
	printf("  %3u %% free: level %llu, window %u, bytes %llu\n", phase->free_pct,
		(unsigned long long)host_stat(&pair.host[host], TCP_STAT_MEMORY_LEVEL),
		seen.now[host].window_most,
		(unsigned long long)(seen.now[host].received_bytes - before[host].received_bytes));
	return problem ? problem
		       : judge_level(phase->level, &before[host], &seen.now[host],
				 1u << seen.shift[host]);
}

/* How often each level was entered from below it. */
static const char *judge_counts(const struct host *h)
{
	uint64_t times[LEVELS] = {0};

	for (uint32_t i = 1; i < ARRAY_LEN(phases); i++) {
		if (phases[i - 1].level == GREEN && phases[i].level != GREEN)
			times[YELLOW]++;
		if (phases[i - 1].level != RED && phases[i].level == RED)
			times[RED]++;
	}
	if (host_stat(h, TCP_STAT_MEMORY_YELLOW) != times[YELLOW] ||
		host_stat(h, TCP_STAT_MEMORY_RED) != times[RED])
		return "the levels were not counted";
	return host_stat(h, TCP_STAT_RECV_BUFFER_SHRUNK) ? NULL : "no buffer has shrunk";
}

static const char *run_levels(uint32_t host)
{
	struct app_plan plan = transfer_plan(FLOW_BYTES);
	struct drain drain = {0};
	const char *problem = NULL, *leak;
	struct watch watch;

	for (uint32_t i = 0; i < HOSTS; i++) {
		pair.config[i] = machine(i, 1);
		pair.line[i] = (struct impair_config){
			.delay_ns = 10 * NS_PER_MS,
			.rate_bits_per_s = UINT64_C(20000000),
			.reorder_ppm = 40000,
			.reorder_ns = 3 * NS_PER_MS,
		};
	}
	pair_init(&pair, 1, NS_PER_SEC);
	watch_init(&watch, &pair, on_segment, NULL);
	transfers_init(&transfers, &pair);
	transfer_start(&transfers, 0, 0, &plan, &plan);
	for (uint32_t i = 0; i < ARRAY_LEN(phases) && !problem; i++)
		problem = run_phase(&phases[i], host, &drain);
	drain_end(&drain);
	if (!problem)
		problem = judge_counts(&pair.host[host]);
	if (!problem && (transfers.flow[0].wrong || transfers_are_over(&transfers)))
		problem = "the transfer is over, or wrong";
	for (uint32_t i = 0; i < HOSTS; i++)
		tcp_abort_all(pair.host[i].tcp[0]);
	leak = pair_fini(&pair);
	return problem ? problem : leak;
}

static const char *memory_pressure_levels(void)
{
	const char *problem = NULL;

	for (uint32_t host = 0; host < HOSTS && !problem; host++) {
		printf("pressure on machine %u\n", host);
		problem = run_levels(host);
	}
	return problem;
}

/* --- both -------------------------------------------------------------------------- */

static const struct sim_case cases[] = {
	{"mbuf_pool_exhaustion", mbuf_pool_exhaustion},
	{"memory_pressure_levels", memory_pressure_levels},
};

static const char *run(sim_case_fn fn)
{
	return fn();
}

int main(int argc, char **argv)
{
	return sim_cases_main(argc, argv, cases, ARRAY_LEN(cases), run);
}
