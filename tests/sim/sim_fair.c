/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two flows over one bottleneck: the second begins when the first has taken all. After a time to
 * settle, a virtual minute is measured: how equal the shares are (Jain's index: 1 is equal, 1/2 is
 * all for one), and that together they fill the line.
 *
 *     sim_fair [--cc NAME] [--seed N]
 */
#include <stdio.h>

#include "sim_bulk.h"

#define BUFFER_BYTES (2u << 20)
#define SECOND_AT_NS (3 * NS_PER_SEC)
#define SETTLE_NS    (20 * NS_PER_SEC)
#define MEASURE_NS   (60 * NS_PER_SEC)

struct row {
	uint32_t rate_mbit, delay_ms, queue_ms;
	uint32_t jain_least, used_least; /* in percent */
};

static const struct row rows[] = {
	{10, 2, 40, 90, 90},
	{10, 20, 40, 90, 85},
	{10, 20, 160, 90, 90},
	{10, 50, 100, 85, 85},
	{40, 10, 20, 90, 85},
};

/* Payload bytes of both in the minute; false: something failed. */
static bool measure(const struct row *row, uint64_t seed, enum tcp_cc_kind cc, double bytes[2])
{
	struct impair_config line = {
		.delay_ns = row->delay_ms * NS_PER_MS,
		.jitter_ns = NS_PER_MS, /* else drops follow a pattern that no real line has */
		.rate_bits_per_s = row->rate_mbit * UINT64_C(1000000),
		.queue_bytes_max = row->rate_mbit * 125 * row->queue_ms,
	};
	struct pair p = {.line = {line, line}, .quick = true};
	struct bulks bulks;
	const char *problem;

	for (uint32_t i = 0; i < HOSTS; i++)
		p.config[i] = bulk_host(seed + i, BUFFER_BYTES);
	pair_init(&p, seed, NS_PER_SEC);
	bulks_init(&bulks, &p);
	(void)bulk_start(&bulks, cc);
	problem = pair_run(&p, p.start_ns + SECOND_AT_NS);
	(void)bulk_start(&bulks, cc);
	if (!problem)
		problem = pair_run(&p, p.start_ns + SETTLE_NS);
	for (uint32_t i = 0; i < 2; i++)
		bytes[i] = -(double)bulks.bulk[i].received_bytes;
	if (!problem)
		problem = pair_run(&p, p.start_ns + SETTLE_NS + MEASURE_NS);
	for (uint32_t i = 0; i < 2; i++)
		bytes[i] += (double)bulks.bulk[i].received_bytes;
	bulks_stop(&bulks);
	if (!problem)
		problem = pair_fini(&p);
	if (problem)
		printf("%s\n", problem);
	return !problem;
}

static bool row_passes(const struct row *row, uint64_t seed, enum tcp_cc_kind cc)
{
	double b[2], sum, jain, used;
	bool passed;

	if (!measure(row, seed, cc, b))
		return false;
	sum = b[0] + b[1];
	jain = sum > 0 ? sum * sum / (2 * (b[0] * b[0] + b[1] * b[1])) * 100 : 0;
	used = sum * 8 / 60 / (row->rate_mbit * 1e6) * (1514 / 1448.0) * 100;
	passed = jain >= row->jain_least && used >= row->used_least;
	printf("%6u %5u %5u   %6.2f %6.2f   %5.1f (least %u) %5.1f (least %u)%s\n", row->rate_mbit,
		row->delay_ms, row->queue_ms, b[0] * 8 / 60e6, b[1] * 8 / 60e6, jain,
		row->jain_least, used, row->used_least, passed ? "" : " FAILED");
	return passed;
}

int main(int argc, char **argv)
{
	enum tcp_cc_kind cc;
	uint64_t seed;
	bool passed = true;

	bulk_options(argc, argv, &cc, &seed);
	printf("%s\nMbit/s delay queue    first second  Jain %%           used %%\n",
		tcp_cc_name(cc));
	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++)
		passed = row_passes(&rows[i], seed, cc) && passed;
	pair_pools_free();
	return !passed;
}
