/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "base.h"
#include "clock.h"
#include "meter.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS_AT(name) ((void)(name))
#endif

static struct {
	int fd; /* of the counter; below 0: none */
	char why[96];
	uint64_t own_cycles, own_instructions; /* between begin and end with nothing between */
} meters = {.fd = -1};

bool meter_is_callgrind(void)
{
	return RUNNING_ON_VALGRIND;
}

const char *meter_no_instructions(void)
{
	return meters.fd < 0 ? meters.why : NULL;
}

static uint64_t instructions(void)
{
	uint64_t count = 0;

	if (meters.fd >= 0 && read(meters.fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static void open_counter(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1};

	meters.fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (meters.fd < 0)
		snprintf(meters.why, sizeof(meters.why), "perf_event_open: %s", strerror(errno));
}

void meter_init(void)
{
	struct meter m = {0};

	if (meter_is_callgrind()) {
		snprintf(meters.why, sizeof(meters.why), "callgrind counts them");
		return;
	}
	open_counter();
	meters.own_cycles = meters.own_instructions = UINT64_MAX;
	for (uint32_t i = 0; i < 1000; i++) {
		m.cycles = m.instructions = 0;
		meter_begin(&m);
		meter_end(&m, 1);
		meters.own_cycles = MIN(meters.own_cycles, m.cycles);
		meters.own_instructions = MIN(meters.own_instructions, m.instructions);
	}
}

#define CHAIN          1000
#define CHAIN_RUNS     5000
#define MULTIPLY_DELAY 3 /* cycles, on today's processors */

double meter_core_ratio(void)
{
	uint64_t least = UINT64_MAX, x = 3;

	for (uint32_t r = 0; r < CHAIN_RUNS; r++) {
		uint64_t begin = clock_cycles();

		for (uint32_t i = 0; i < CHAIN; i++) {
			x *= x;
			__asm__ volatile("" : "+r"(x));
		}
		least = MIN(least, clock_cycles() - begin);
	}
	return (double)CHAIN * MULTIPLY_DELAY / (double)least;
}

void meter_begin(struct meter *m)
{
	if (meter_is_callgrind()) {
		if (m->off)
			return;
		/* Starting is slow, so it happens once and lasts until the report. */
		if (m->ops == 0)
			CALLGRIND_START_INSTRUMENTATION;
		CALLGRIND_TOGGLE_COLLECT;
		return;
	}
	m->begun_instructions = instructions();
	m->begun_cycles = clock_cycles();
}

void meter_end(struct meter *m, uint64_t ops)
{
	uint64_t cycles = clock_cycles() - m->begun_cycles;

	m->ops += ops;
	if (meter_is_callgrind()) {
		if (!m->off)
			CALLGRIND_TOGGLE_COLLECT;
		return;
	}
	m->instructions += instructions() - m->begun_instructions;
	m->cycles += cycles;
	if (meters.own_cycles != UINT64_MAX) {
		m->cycles -= MIN(m->cycles, meters.own_cycles);
		m->instructions -= MIN(m->instructions, meters.own_instructions);
	}
}

void meter_round(struct meter *m)
{
	if (m->ops == 0 || m->rounds == METER_ROUNDS_MAX)
		return;
	m->round_cycles[m->rounds++] = (double)m->cycles / (double)m->ops;
	m->round_instructions = (double)m->instructions / (double)m->ops;
	if (!meter_is_callgrind())
		m->ops = 0;
	m->cycles = m->instructions = 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double sorted_at(const struct meter *m, uint32_t i)
{
	double sorted[METER_ROUNDS_MAX] = {0};

	memcpy(sorted, m->round_cycles, m->rounds * sizeof(double));
	qsort(sorted, m->rounds, sizeof(double), compare);
	return sorted[i];
}

double meter_least(const struct meter *m)
{
	return sorted_at(m, 0);
}

double meter_median(const struct meter *m)
{
	return sorted_at(m, m->rounds / 2);
}

void meter_report(const struct meter *m, const char *name)
{
	if (meter_is_callgrind()) {
		CALLGRIND_STOP_INSTRUMENTATION;
		CALLGRIND_DUMP_STATS_AT(name);
		printf("{\"name\":\"%s\",\"ops\":%llu}\n", name, (unsigned long long)m->ops);
	} else if (meters.fd >= 0) {
		printf("{\"name\":\"%s\",\"cycles\":%.1f,\"median\":%.1f,\"instructions\":%.1f}\n",
			name, meter_least(m), meter_median(m), m->round_instructions);
	} else {
		printf("{\"name\":\"%s\",\"cycles\":%.1f,\"median\":%.1f}\n", name, meter_least(m),
			meter_median(m));
	}
	fflush(stdout);
}

bool meter_set_pass(struct meter_set *set)
{
	bool one = meter_is_callgrind();

	if (one && set->pass > 0)
		meter_report(&set->meters[set->pass - 1], set->names[set->pass - 1]);
	if (one && set->pass < set->count) {
		for (uint32_t i = 0; i < set->count; i++)
			set->meters[i] = (struct meter){.off = i != set->pass};
		set->pass++;
		return true;
	}
	if (!one && set->pass == 0) {
		set->pass = set->count;
		return true;
	}
	for (uint32_t i = 0; !one && i < set->count; i++)
		meter_report(&set->meters[i], set->names[i]);
	return false;
}
