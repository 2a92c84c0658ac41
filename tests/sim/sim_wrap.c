/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One flow over a line that loses and reorders, while a counter of the stack comes to its end or
 * the clock does what clocks do. The flow must go on, and every connection pass tcp_check at each
 * step.
 *
 *     sim_wrap timer_tick_wrap|clock_jump
 */
#include <stdio.h>

#include "sim_bulk.h"

#define BUFFER_BYTES (64u << 10)
#define LEAST_BYTES  (1u << 20) /* in SPAN_NS: a sixth of what Reno gets */
#define SPAN_NS      (30 * NS_PER_SEC)

static struct pair pair;
static struct bulks bulks;

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

/* Milliseconds of a core are 32 bits: 49.7 days. */
static const char *timer_tick_wrap(void)
{
	uint64_t wrap_ns = ((UINT64_C(1) << 32) - 10000) * NS_PER_MS;
	const char *problem;

	clock_manual_advance(&pair.clock, wrap_ns);
	problem = pair_run(&pair, pair.clock.now_ns + NS_PER_SEC);
	if (!problem)
		problem = goes_on(bulk_start(&bulks, TCP_CC_DEFAULT));
	return problem;
}

/* Nobody polled for a second, for an hour, for twenty days. (Deadlines are compared modulo 2^32 ms:
 * the limit is 24.8 days.) */
static const char *clock_jump(void)
{
	static const uint64_t jumps_s[] = {1, 3600, 20 * 86400, 20 * 86400};
	struct bulk *flow = bulk_start(&bulks, TCP_CC_DEFAULT);
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

static const struct {
	const char *name;
	const char *(*fn)(void);
} cases[] = {
	{"timer_tick_wrap", timer_tick_wrap},
	{"clock_jump", clock_jump},
};

static const char *run(const char *(*fn)(void))
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
	bulks_init(&bulks, &pair);
	problem = fn();
	bulks_stop(&bulks);
	leak = pair_fini(&pair);
	pair_pools_free();
	return problem ? problem : leak;
}

int main(int argc, char **argv)
{
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *problem;

		if (argc != 2 || strcmp(argv[1], cases[i].name) != 0)
			continue;
		problem = run(cases[i].fn);
		printf("%s: %s\n", cases[i].name, problem ? problem : "passed");
		return problem != NULL;
	}
	fprintf(stderr, "usage: sim_wrap timer_tick_wrap|clock_jump\n");
	return 2;
}
