/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "clock.h"

#define MANUAL_WALL_START_NS (UINT64_C(1767225600) * NS_PER_SEC) /* 2026-01-01T00:00:00Z */

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t real_now_ns(struct clock *clock)
{
	(void)clock;
	return MAX(read_ns(CLOCK_MONOTONIC), UINT64_C(1));
}

static uint64_t real_wall_ns(struct clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_REALTIME);
}

struct clock *clock_real(void)
{
	static const struct clock real = {real_now_ns, real_wall_ns};

	return (struct clock *)&real; /* nobody writes to it */
}

static uint64_t manual_now_ns(struct clock *clock)
{
	return CONTAINER_OF(clock, struct clock_manual, clock)->now_ns;
}

static uint64_t manual_wall_ns(struct clock *clock)
{
	return CONTAINER_OF(clock, struct clock_manual, clock)->wall_ns;
}

void clock_manual_init(struct clock_manual *m, uint64_t now_ns)
{
	ASSERT(now_ns > 0);
	m->clock.now_ns = manual_now_ns;
	m->clock.wall_ns = manual_wall_ns;
	m->now_ns = now_ns;
	m->wall_ns = MANUAL_WALL_START_NS;
}

void clock_manual_advance(struct clock_manual *m, uint64_t ns)
{
	m->now_ns += ns;
	m->wall_ns += ns;
}
