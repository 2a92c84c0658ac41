/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of runs against a model that remembers each byte: what is SACKed, lost, sent again, and
 * what an ACK delivers. While no room is missing both must agree; with few runs the list may know
 * less, but never miscounts.
 */
#include "fixture.h"
#include "tcp_flight_pvt.h"

#define MODEL_BYTES 2048u
#define STEPS       4000u
#define SPREAD_US   150

struct model {
	uint32_t una, nxt; /* offsets from `base` */
	uint8_t flags[MODEL_BYTES];
};

struct pair {
	struct tcp_flight f;
	struct mem_pool large;
	struct model m;
	struct seq base;
	uint32_t now_us;
	bool exact; /* no room was ever missing */
};

static struct seq at(const struct pair *p, uint32_t off)
{
	return seq_add(p->base, off);
}

static void check_counts(const struct pair *p)
{
	assert_true(tcp_flight_covers(&p->f, at(p, p->m.una), at(p, p->m.nxt)));
	for (uint32_t i = 0; i < p->f.count; i++)
		assert_true((int32_t)(p->now_us - tcp_run_at(&p->f, i)->sent_us) >= 0);
}

static void check_marks(const struct pair *p)
{
	uint16_t mask = TCP_RUN_SACKED | TCP_RUN_LOST | TCP_RUN_RESENT;

	for (uint32_t i = 0; i < p->f.count; i++) {
		const struct tcp_run *run = tcp_run_at(&p->f, i);
		uint32_t from = (uint32_t)seq_diff(run->start, p->base);

		for (uint32_t k = 0; k < tcp_run_bytes(run); k++)
			assert_int_equal(p->m.flags[from + k], run->flags & mask);
	}
}

static void send(struct pair *p, uint32_t bytes)
{
	tcp_flight_sent(&p->f, at(p, p->m.nxt), at(p, p->m.nxt + bytes), p->now_us, SPREAD_US);
	memset(&p->m.flags[p->m.nxt], 0, bytes);
	p->m.nxt += bytes;
}

static void send_again(struct pair *p, uint32_t from, uint32_t to)
{
	tcp_flight_resent(&p->f, at(p, from), at(p, to), p->now_us);
	for (uint32_t k = from; k < to; k++)
		if (!(p->m.flags[k] & TCP_RUN_SACKED))
			p->m.flags[k] = TCP_RUN_RESENT;
}

/* What the peer did not have before. */
static uint32_t fresh_bytes(const struct pair *p, uint32_t from, uint32_t to)
{
	uint32_t count = 0;

	for (uint32_t k = from; k < to; k++)
		count += !(p->m.flags[k] & TCP_RUN_SACKED);
	return count;
}

static void check_delivery(const struct pair *p, const struct tcp_delivery *d, uint32_t fresh)
{
	if (p->exact)
		assert_int_equal(d->bytes, fresh);
}

static void sack(struct pair *p, uint32_t from, uint32_t to, struct tcp_delivery *d)
{
	uint32_t delivered = p->f.delivered;

	tcp_flight_sack(&p->f, at(p, from), at(p, to), d);
	assert_int_equal(d->sacked_bytes, d->bytes);
	assert_int_equal(p->f.delivered - delivered, d->bytes);
	assert_true(d->bytes <= to - from);
	check_delivery(p, d, fresh_bytes(p, from, to));
	for (uint32_t k = from; k < to; k++)
		p->m.flags[k] = (uint8_t)((p->m.flags[k] & ~TCP_RUN_LOST) | TCP_RUN_SACKED);
}

static void lose(struct pair *p, uint32_t to)
{
	tcp_flight_lose(&p->f, at(p, to));
	for (uint32_t k = p->m.una; k < to; k++)
		if (!(p->m.flags[k] & TCP_RUN_SACKED))
			p->m.flags[k] |= TCP_RUN_LOST;
}

/* Nothing is lost, or everything is. */
static void turn_back(struct pair *p, bool renege)
{
	if (renege)
		tcp_flight_renege(&p->f);
	else
		tcp_flight_lose_none(&p->f);
	assert_true(renege || p->f.lost_new == 0);
	for (uint32_t k = p->m.una; k < p->m.nxt; k++) {
		p->m.flags[k] &= (uint8_t)~TCP_RUN_LOST;
		if (renege)
			p->m.flags[k] = (p->m.flags[k] & TCP_RUN_RESENT) | TCP_RUN_LOST;
	}
}

static void acknowledge(struct pair *p, uint32_t to, struct tcp_delivery *d)
{
	tcp_flight_ack(&p->f, at(p, to), d);
	assert_int_equal(d->acked_bytes, to - p->m.una);
	assert_true(seq_geq(p->f.fack, at(p, to)));
	check_delivery(p, d, fresh_bytes(p, p->m.una, to));
	p->m.una = to;
}

/* One thing that may happen; `cut` is the step at which ranges begin and end. */
static void step(struct pair *p, struct rand *rand, uint32_t cut)
{
	struct tcp_delivery d = {.now_us = p->now_us, .echo_age_us = UINT32_MAX};
	uint32_t out = (p->m.nxt - p->m.una) / cut, from, to, dice = rand_below(rand, 100);

	if (out == 0) {
		send(p, cut * (1 + rand_below(rand, 4)));
		return;
	}
	from = p->m.una + cut * rand_below(rand, out);
	to = from + cut * (1 + rand_below(rand, (p->m.nxt - from) / cut));
	if (dice < 30) {
		if (p->m.nxt + 4 * cut < MODEL_BYTES)
			send(p, cut * (1 + rand_below(rand, 4)));
	} else if (dice < 46) {
		send_again(p, from, to);
	} else if (dice < 62) {
		sack(p, from, to, &d);
	} else if (dice < 78) {
		lose(p, to);
	} else if (dice < 96) {
		acknowledge(p, from, &d);
	} else {
		turn_back(p, dice % 2);
	}
}

/* Returns the steps after which each byte was compared. */
static uint32_t play(uint32_t seed, uint32_t cut, bool large)
{
	struct pair p = {.base = SEQ(0xfffffc00u), .now_us = 0xfffff000u, .exact = large};
	struct tcp_delivery d = {.echo_age_us = UINT32_MAX};
	uint32_t compared = 0;
	struct rand rand;

	rand_init(&rand, seed);
	if (large)
		assert_int_equal(
			mem_pool_init(&p.large, "runs", TCP_RUNS_LARGE * sizeof(struct tcp_run),
				CACHE_LINE_BYTES, 1, NULL),
			0);
	tcp_flight_init(&p.f, large ? &p.large : NULL, p.base, p.now_us);
	for (uint32_t i = 0; i < STEPS; i++) {
		p.now_us += rand_below(&rand, 3) * 100;
		step(&p, &rand, cut);
		check_counts(&p);
		p.exact = p.exact && p.f.count + 4u < TCP_RUNS_LARGE;
		if (p.exact) {
			check_marks(&p);
			compared++;
		}
		if (p.m.una > MODEL_BYTES / 2 && p.m.una == p.m.nxt) {
			p.base = at(&p, p.m.una);
			p.m.una = p.m.nxt = 0;
		}
	}
	d.now_us = p.now_us;
	acknowledge(&p, p.m.nxt, &d);
	assert_int_equal(p.f.count + p.f.sacked_bytes + p.f.lost_bytes, 0);
	tcp_flight_fini(&p.f);
	if (large)
		assert_int_equal(mem_pool_fini(&p.large), 0);
	return compared;
}

/* 63 pieces fit whatever happens to them. */
static void test_each_byte(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++)
		assert_int_equal(play(seed, 32, true), STEPS);
}

/* Any byte may be where something begins; the list becomes full at some time. */
static void test_any_byte(void **state)
{
	uint32_t compared = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++)
		compared += play(seed, 1, true);
	assert_true(compared > STEPS);
}

static void test_few_runs(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++)
		assert_int_equal(play(seed, 8, false), 0);
}

/* Times before and after the wrap of 32 bits. */
static void test_times_wrap(void **state)
{
	struct tcp_flight f;
	struct seq una = SEQ(0xffffff00u);
	struct tcp_delivery d = {.now_us = 400, .echo_age_us = UINT32_MAX};

	(void)state;
	tcp_flight_init(&f, NULL, una, 0xffffff00u);
	tcp_flight_sent(&f, una, seq_add(una, 100), 0xffffff00u, 0);
	tcp_flight_sent(&f, seq_add(una, 100), seq_add(una, 300), 0x10, 0);
	tcp_flight_ack(&f, seq_add(una, 300), &d);
	assert_int_equal(d.rtt_us, 400 - 0x10);
	assert_int_equal(d.bytes, 300);
	assert_int_equal(d.rate_delivered, 0);
	assert_int_equal(f.rack_rtt_us, 400 - 0x10);
	assert_true(seq_eq(f.fack, seq_add(una, 300)));
	assert_int_equal(f.count, 0);
}

/* What was sent again tells no round trip; what was delivered below the highest was reordered. */
static void test_delivery(void **state)
{
	struct tcp_flight f;
	struct seq una = SEQ(1000);
	struct tcp_delivery d = {.now_us = 900, .echo_age_us = UINT32_MAX}, e = d;

	(void)state;
	tcp_flight_init(&f, NULL, una, 100);
	tcp_flight_sent(&f, una, seq_add(una, 300), 100, 0);
	tcp_flight_resent(&f, una, seq_add(una, 100), 800);
	d.fack = f.fack;
	tcp_flight_ack(&f, seq_add(una, 100), &d);
	assert_int_equal(d.rtt_us, 0);
	assert_false(d.reordered);
	tcp_flight_sack(&f, seq_add(una, 200), seq_add(una, 300), &e);
	assert_int_equal(e.rtt_us, 800);
	assert_int_equal(e.sacked_bytes, 100);
	e.fack = f.fack;
	tcp_flight_ack(&f, seq_add(una, 300), &e);
	assert_true(e.reordered);
	assert_int_equal(e.bytes, 200);
	assert_int_equal(f.delivered, 300);
	assert_int_equal(f.sacked_bytes, 0);
}

/* What leaves in one turn is one run; with half of the list in use, so is what leaves less than the
 * spread apart. */
static void test_spread(void **state)
{
	struct seq una = SEQ(1000);
	struct tcp_flight f;
	uint32_t now_us = 0;

	(void)state;
	tcp_flight_init(&f, NULL, una, 0);
	for (uint32_t i = 0; i < 34; i++) {
		tcp_flight_sent(&f, seq_add(una, i), seq_add(una, i + 1), now_us, 1000);
		assert_int_equal(f.count, i < 5 ? i + 1 : 5 + (i - 4) / 10);
		now_us += 100;
	}
	assert_int_equal(tcp_run_at(&f, 4)->span_us, 900);
	assert_int_equal(tcp_run_bytes(tcp_run_at(&f, 4)), 10);
	tcp_flight_sent(&f, seq_add(una, 34), seq_add(una, 35), now_us - 100, 0);
	assert_int_equal(tcp_run_at(&f, f.count - 1u)->sent_us, now_us - 100);
}

/* RACK goes by what left last, and among what left together by the highest; the ACK of a repetition
 * that comes too soon, or echoes an older timestamp, is of the original (RFC 8985 6.2 step 2). */
static void test_rack_times(void **state)
{
	struct tcp_delivery d = {.now_us = 40000, .echo_age_us = UINT32_MAX};
	struct seq una = SEQ(1000);
	struct tcp_flight f;

	(void)state;
	tcp_flight_init(&f, NULL, una, 0);
	f.min_rtt_us = 20000;
	tcp_flight_sent(&f, una, seq_add(una, 500), 0, 0);
	tcp_flight_sack(&f, seq_add(una, 400), seq_add(una, 500), &d);
	tcp_flight_ack(&f, seq_add(una, 100), &d);
	assert_true(seq_eq(f.rack_end, seq_add(una, 500)));
	tcp_flight_resent(&f, seq_add(una, 100), seq_add(una, 400), 40000);
	d.now_us = 59000; /* less than the least */
	tcp_flight_ack(&f, seq_add(una, 200), &d);
	assert_int_equal(f.rack_sent_us, 0);
	d.now_us = 70000;
	d.echo_age_us = 30001; /* it echoes what left before 40,000 */
	tcp_flight_ack(&f, seq_add(una, 300), &d);
	assert_int_equal(f.rack_sent_us, 0);
	d.echo_age_us = 30000;
	tcp_flight_ack(&f, seq_add(una, 400), &d);
	assert_int_equal(f.rack_sent_us, 40000);
	assert_int_equal(f.rack_rtt_us, 30000);
}

/* The rate is sampled with what left last of all that an ACK brings. */
static void test_rate_sample(void **state)
{
	struct tcp_delivery d = {.now_us = 40000, .echo_age_us = UINT32_MAX}, e = d;
	struct seq una = SEQ(1000);
	struct tcp_flight f;

	(void)state;
	tcp_flight_init(&f, NULL, una, 0);
	tcp_flight_sent(&f, una, seq_add(una, 100), 0, 0);
	tcp_flight_sent(&f, seq_add(una, 100), seq_add(una, 200), 10000, 0);
	tcp_flight_ack(&f, seq_add(una, 100), &d);
	assert_int_equal(d.rate_delivered, 0);
	tcp_flight_sent(&f, seq_add(una, 200), seq_add(una, 300), 40000, 0);
	e.now_us = 80000;
	tcp_flight_ack(&f, seq_add(una, 300), &e);
	assert_true(e.rate);
	assert_int_equal(e.rate_delivered, 100);
	assert_int_equal(e.rate_sent_us, 40000);
}

/* Nothing is on its way, because the rest is lost: the wait until it goes again is no part of the
 * rate. */
static void test_rate_begins(void **state)
{
	struct tcp_delivery d = {.now_us = 40000, .echo_age_us = UINT32_MAX}, e = d;
	struct seq una = SEQ(1000);
	struct tcp_flight f;

	(void)state;
	tcp_flight_init(&f, NULL, una, 0);
	tcp_flight_sent(&f, una, seq_add(una, 200), 0, 0);
	tcp_flight_sack(&f, seq_add(una, 100), seq_add(una, 200), &d);
	tcp_flight_lose(&f, seq_add(una, 100));
	tcp_flight_resent(&f, una, seq_add(una, 100), 500000);
	e.now_us = 540000;
	tcp_flight_ack(&f, seq_add(una, 200), &e);
	assert_true(e.rate);
	assert_int_equal(e.rate_send_us, 0);
	assert_int_equal(e.rate_delivered_us, 500000);
}

/* What counts as lost is one run, and its time that of the last part: no round trip of the first.
 */
static void test_joined_times(void **state)
{
	static const struct {
		uint32_t apart_us, rtt_us;
	} rows[] = {{1000, 399000}, {60000, 340000}, {90000, 0}, {390000, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tcp_delivery d = {.now_us = 400000, .echo_age_us = UINT32_MAX};
		struct seq una = SEQ(1000);
		struct tcp_flight f;

		tcp_flight_init(&f, NULL, una, 0);
		tcp_flight_sent(&f, una, seq_add(una, 100), 0, 0);
		tcp_flight_sent(&f, seq_add(una, 100), seq_add(una, 200), rows[i].apart_us, 0);
		tcp_flight_lose(&f, seq_add(una, 200));
		assert_int_equal(f.count, 1);
		tcp_flight_ack(&f, seq_add(una, 100), &d);
		assert_int_equal(d.rtt_us, rows[i].rtt_us);
	}
}

/* After more than the half of 2^32 us nothing of the past is compared with. */
static void test_forget(void **state)
{
	struct tcp_delivery d = {.now_us = 0x90000000u, .echo_age_us = UINT32_MAX};
	struct seq una = SEQ(1000);
	struct tcp_flight f;

	(void)state;
	tcp_flight_init(&f, NULL, una, 0);
	f.min_rtt_us = 40000;
	tcp_flight_sent(&f, una, seq_add(una, 300), 0, 0);
	tcp_flight_sack(&f, seq_add(una, 200), seq_add(una, 300),
		&(struct tcp_delivery){.now_us = 40000, .echo_age_us = UINT32_MAX});
	assert_int_equal(f.rack_rtt_us, 40000);
	tcp_flight_forget(&f, d.now_us);
	tcp_flight_ack(&f, seq_add(una, 200), &d);
	assert_int_equal(d.rtt_us, 0);
	assert_int_equal(f.rack_rtt_us, 0);
	assert_int_equal(d.bytes, 200);
	assert_false(d.reordered);
	tcp_flight_sent(&f, seq_add(una, 300), seq_add(una, 400), d.now_us, 0);
	d.now_us += 50000;
	tcp_flight_ack(&f, seq_add(una, 400), &d);
	assert_int_equal(d.rtt_us, 50000);
	assert_int_equal(f.rack_rtt_us, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_few_runs),
		cmocka_unit_test(test_times_wrap),
		cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_rack_times),
		cmocka_unit_test(test_rate_sample),
		cmocka_unit_test(test_rate_begins),
		cmocka_unit_test(test_joined_times),
		cmocka_unit_test(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
