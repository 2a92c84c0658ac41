/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goodput of one flow, beside what theory lets expect of its congestion control on such a line, in
 * virtual time: the same seed gives the same figures on every machine.
 *
 *     sim_goodput [--cc NAME] [--seed N]
 *
 * The curve is the least of: the rate of the line; what the smaller buffer lets through in a round
 * trip; and for random loss p per segment, in segments of a window,
 *   - Reno: Padhye, Firoiu, Towsley, Kurose (SIGCOMM 1998), equation 30, every segment
 * acknowledged;
 *   - CUBIC: the larger of that and AVG_W_cubic of RFC 9438 5.1, equation 5;
 *   - BBR: no limit, as it does not take loss for congestion; beyond 2 % it does, see BBR_LOSS.
 *
 * A row fails if goodput is below its part of the curve, or above MOST_PERCENT of it where loss
 * sets the pace and round trips are long: who takes much more than the curve is not fair to others.
 * (On short ones equation 30 counts timeouts that SACK saves.)
 */
#include <math.h>
#include <stdio.h>

#include "sim_bulk.h"

#define BUFFER_BYTES (4u << 20)
#define SEG_BYTES    1448.0
#define FRAME_BYTES  1514.0
#define RTO_S        0.2
#define WARM_UP_NS   (5 * NS_PER_SEC)
#define SEGS_MAX     40000.0
#define LOSSES       400.0
#define MOST_PERCENT 300

/* More loss than BBR takes for that of a good path: it yields, and by how much depends on how long
 * a probe for bandwidth lasts. */
#define BBR_LOSS          0.02
#define BBR_LEAST_PERCENT 15

struct row {
	const char *name;
	uint32_t rate_mbit, delay_ms;
	double loss; /* of all segments, both ways */
	struct {
		uint32_t reorder_ppm, reorder_ms, jitter_ms;
		uint32_t queue_ms;       /* 0: a round trip, 20 ms at least */
		uint32_t back_rate_kbit; /* 0: as fast as the way there */
	} more;
	uint32_t least_percent; /* of the curve */
};

static const struct row rows[] = {
	{"", 10, 1, 0, {0}, 90},
	{"", 10, 20, 0, {0}, 90},
	{"", 10, 100, 0, {0}, 90},
	{"", 50, 1, 0, {0}, 90},
	{"", 50, 20, 0, {0}, 90},
	{"", 50, 100, 0, {0}, 90},
	{"", 10, 1, 0.001, {0}, 75},
	{"", 10, 20, 0.001, {0}, 75},
	{"", 10, 100, 0.001, {0}, 75},
	{"", 50, 1, 0.001, {0}, 75},
	{"", 50, 20, 0.001, {0}, 75},
	{"", 50, 100, 0.001, {0}, 75},
	{"", 10, 1, 0.01, {0}, 70},
	{"", 10, 20, 0.01, {0}, 70},
	{"", 10, 100, 0.01, {0}, 70},
	{"", 50, 1, 0.01, {0}, 70},
	{"", 50, 20, 0.01, {0}, 70},
	{"", 50, 100, 0.01, {0}, 70},
	{"", 10, 1, 0.05, {0}, 80},
	{"", 10, 20, 0.05, {0}, 80},
	{"", 10, 100, 0.05, {0}, 80},
	{"", 50, 1, 0.05, {0}, 80},
	{"", 50, 20, 0.05, {0}, 80},
	{"", 50, 100, 0.05, {0}, 80},
	{"reordered", 10, 20, 0, {.reorder_ppm = 20000, .reorder_ms = 5}, 90},
	{"jitter", 10, 20, 0, {.jitter_ms = 10}, 90},
	{"asymmetric", 20, 20, 0, {.back_rate_kbit = 600}, 90},
	{"bufferbloat", 10, 20, 0, {.queue_ms = 1500}, 80},
	{"shallow queue", 20, 20, 0, {.queue_ms = 5}, 75},
};

/* --- the curve --------------------------------------------------------------------- */

static double round_trip_s(const struct row *row)
{
	return row->delay_ms * 2 / 1e3 + 2 * FRAME_BYTES * 8 / (row->rate_mbit * 1e6);
}

/* Segments in a second. */
static double padhye(double rtt_s, double p)
{
	double timeout_s = fmax(RTO_S, 2 * rtt_s);

	return 1 / (rtt_s * sqrt(2 * p / 3) +
			   timeout_s * fmin(1, 3 * sqrt(3 * p / 8)) * p * (1 + 32 * p * p));
}

static double cubic(double rtt_s, double p)
{
	double window = pow(0.4 * 3.7 / 1.2, 0.25) * pow(rtt_s, 0.75) / pow(p, 0.75);

	return fmax(window / rtt_s, padhye(rtt_s, p));
}

static double no_limit(double rtt_s, double p)
{
	(void)rtt_s;
	(void)p;
	return HUGE_VAL;
}

typedef double (*curve_fn)(double rtt_s, double p);

static const curve_fn curves[TCP_CC_KIND_COUNT] = {
	[TCP_CC_RENO] = padhye,
	[TCP_CC_CUBIC] = cubic,
	[TCP_CC_BBR] = no_limit,
};

/* Payload bytes in a second. */
static double curve(enum tcp_cc_kind cc, const struct row *row)
{
	double rtt_s = round_trip_s(row);
	double least = row->rate_mbit * 1e6 / 8 * (SEG_BYTES / FRAME_BYTES) * (1 - row->loss);

	least = fmin(least, BUFFER_BYTES / rtt_s);
	if (row->loss > 0)
		least = fmin(least, curves[cc](rtt_s, row->loss) * SEG_BYTES);
	return least;
}

/* --- the run ----------------------------------------------------------------------- */

static struct impair_config line(const struct row *row, double rate_bits)
{
	uint32_t queue_ms = row->more.queue_ms;

	if (!queue_ms)
		queue_ms = row->delay_ms * 2 > 20 ? row->delay_ms * 2 : 20;
	return (struct impair_config){
		.delay_ns = row->delay_ms * NS_PER_MS,
		.jitter_ns = row->more.jitter_ms * NS_PER_MS,
		.loss_ppm = (uint32_t)(row->loss * 1e6),
		.reorder_ppm = row->more.reorder_ppm,
		.reorder_ns = row->more.reorder_ms * NS_PER_MS,
		.rate_bits_per_s = (uint64_t)rate_bits,
		.queue_bytes_max = (uint32_t)(rate_bits / 8 * queue_ms / 1e3),
	};
}

/* Enough losses for a mean, few enough segments for a short test. */
static uint64_t time_ns(const struct row *row, double expected)
{
	double segs = row->loss > 0 ? LOSSES / row->loss : SEGS_MAX;

	return (uint64_t)(fmax(fmin(segs, SEGS_MAX) * SEG_BYTES / expected, 10) * 1e9);
}

/* Payload bytes in a second; below 0: it failed. */
static double goodput(const struct row *row, uint64_t seed, double expected, enum tcp_cc_kind cc)
{
	struct pair p = {.quick = true};
	struct bulks bulks;
	struct bulk *flow;
	uint64_t before, span_ns = time_ns(row, expected);
	const char *problem;

	for (uint32_t i = 0; i < HOSTS; i++)
		p.config[i] = bulk_host(seed + i, BUFFER_BYTES);
	p.line[0] = line(row, row->rate_mbit * 1e6);
	p.line[1] = line(row,
		row->more.back_rate_kbit ? row->more.back_rate_kbit * 1e3 : row->rate_mbit * 1e6);
	pair_init(&p, seed, NS_PER_SEC);
	bulks_init(&bulks, &p);
	flow = bulk_start(&bulks, cc);
	problem = pair_run(&p, p.start_ns + WARM_UP_NS);
	before = flow->received_bytes;
	if (!problem)
		problem = pair_run(&p, p.start_ns + WARM_UP_NS + span_ns);
	if (!problem && !flow->from)
		problem = tcp_failure_name(flow->failure);
	before = flow->received_bytes - before;
	bulks_stop(&bulks);
	if (!problem)
		problem = pair_fini(&p);
	if (problem)
		printf("%s\n", problem);
	return problem ? -1 : (double)before / ((double)span_ns / 1e9);
}

static bool row_passes(enum tcp_cc_kind cc, const struct row *row, uint64_t seed)
{
	double expected = curve(cc, row);
	double measured = goodput(row, seed, expected, cc);
	double percent = measured / expected * 100;
	bool yields = cc == TCP_CC_BBR && row->loss > BBR_LOSS;
	uint32_t least = yields ? BBR_LEAST_PERCENT : row->least_percent;
	bool lossy = row->delay_ms >= 20 && expected < row->rate_mbit * 1e6 / 8 * 0.5;
	bool passed = percent >= least && (!lossy || percent <= MOST_PERCENT);

	printf("%6u %6u %6.1f %10.3f %10.3f %5.0f %% (least %u) %s%s\n", row->rate_mbit,
		row->delay_ms, row->loss * 100, expected * 8 / 1e6, measured * 8 / 1e6, percent,
		least, row->name, passed ? "" : " FAILED");
	return passed;
}

int main(int argc, char **argv)
{
	enum tcp_cc_kind cc;
	uint64_t seed;
	bool passed = true;

	bulk_options(argc, argv, &cc, &seed);
	printf("%s\nMbit/s  delay loss %%      curve   measured\n", tcp_cc_name(cc));
	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++)
		passed = row_passes(cc, &rows[i], seed) && passed;
	pair_pools_free();
	return !passed;
}
