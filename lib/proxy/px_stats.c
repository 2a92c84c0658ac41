/* SPDX-License-Identifier: BSD-3-Clause */
#include "proxy_pvt.h"

const struct proxy_stat_row proxy_stat_rows[PROXY_STAT_COUNT] = {
#define PROXY_STAT(sym, kind, objects, field, text) \
	[PROXY_STAT_##sym] = {objects, field, text, PROXY_STAT_KIND_##kind},
#include "proxy_stat.def"
#undef PROXY_STAT
};

static void raise_to(uint64_t *max, uint64_t value)
{
	if (value > *max)
		stat_add(max, value - *max);
}

void px_enter(struct px_counters *c, enum proxy_stat gauge, enum proxy_stat max)
{
	if (!c)
		return;
	stat_add(&c->v[gauge], 1);
	raise_to(&c->v[max], c->v[gauge]);
}

void px_leave(struct px_counters *c, enum proxy_stat gauge)
{
	if (!c)
		return;
	DEBUG_ASSERT(c->v[gauge] > 0);
	stat_sub(&c->v[gauge], 1);
}

void px_rate_count(struct px_rate *rate, uint64_t now_ns, uint64_t n)
{
	uint64_t second = now_ns / NS_PER_SEC;

	if (second != rate->second) {
		stat_add(
			&rate->before, (second == rate->second + 1 ? rate->now : 0) - rate->before);
		stat_sub(&rate->now, rate->now);
		stat_add(&rate->second, second - rate->second);
	}
	stat_add(&rate->now, n);
}

uint64_t px_rate_read(const struct px_rate *rate, uint64_t now_ns)
{
	uint64_t second = stat_read(&rate->second), now = stat_read(&rate->now);
	uint64_t before = stat_read(&rate->before);
	uint64_t current = now_ns / NS_PER_SEC, left = NS_PER_SEC - now_ns % NS_PER_SEC;

	if (current == second + 1) {
		before = now;
		now = 0;
	} else if (current != second) {
		return 0;
	}
	return now + before * left / NS_PER_SEC;
}

void px_session_counted(struct px_counters *c, uint64_t now_ns)
{
	px_count(c, PROXY_STAT_STOT);
	px_rate_count(&c->rates[PX_RATE_SESSION], now_ns, 1);
	stat_add(&c->last_ns, now_ns - c->last_ns);
}

/* The window holds the sum of the last values as if each of them were the average that leaves. */
static void average(uint64_t *sum, uint64_t *max, uint64_t samples, int64_t ms)
{
	uint64_t value = ms > 0 ? (uint64_t)ms : 0;
	uint64_t leaves = samples < PX_AVERAGE_SAMPLES ? 0 : *sum / PX_AVERAGE_SAMPLES;

	stat_add(sum, value - leaves);
	raise_to(max, value);
}

void px_times_count(struct px_counters *c, const struct px_times *t)
{
	uint64_t *v = c->v;

	average(&v[PROXY_STAT_QTIME], &v[PROXY_STAT_QTIME_MAX], c->samples, t->queue);
	average(&v[PROXY_STAT_CTIME], &v[PROXY_STAT_CTIME_MAX], c->samples, t->connect);
	average(&v[PROXY_STAT_RTIME], &v[PROXY_STAT_RTIME_MAX], c->samples, t->response);
	average(&v[PROXY_STAT_TTIME], &v[PROXY_STAT_TTIME_MAX], c->samples, t->total);
	if (c->samples < PX_AVERAGE_SAMPLES)
		stat_add(&c->samples, 1);
}
