/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR over a model of a path: a bottleneck of 10 Mbit/s, 40 ms, a queue without end. In steps of a
 * millisecond it takes what pacing and window let go, and acknowledges what has come through.
 */
#include "cc_fixture.h"

#define RATE      1250000u /* bytes/s */
#define STEP_US   1000u
#define BASE_US   40000u
#define BDP       (RATE / 25)
#define STEPS_MAX 4096 /* of history: more than any round trip here */

struct path {
	struct cc cc;
	uint64_t step;
	uint64_t sent, through, acked; /* bytes */
	uint64_t queue_max;            /* bytes above what the pipe itself holds */
	uint64_t through_at[STEPS_MAX];
	uint64_t delivered_when_sent[STEPS_MAX]; /* by step in which it was sent */
	uint64_t sent_at[STEPS_MAX];
	uint32_t rate; /* of the bottleneck */
	uint32_t base_us;
	uint32_t lose_pct; /* of what is acknowledged, told as lost besides */
	bool app_limited;
};

static void path_init(struct path *p)
{
	*p = (struct path){.rate = RATE, .base_us = BASE_US};
	cc_init(&p->cc, TCP_CC_BBR, 10, BASE_US / 1000);
	p->step = STEPS_MAX;
}

/* The step in which the byte that is acknowledged now was sent. */
static uint64_t step_of(const struct path *p, uint64_t byte)
{
	uint64_t step = p->step;

	while (step > p->step - STEPS_MAX + 1 && p->sent_at[(step - 1) % STEPS_MAX] >= byte)
		step--;
	return step;
}

static void path_ack(struct path *p, uint32_t bytes)
{
	struct tcp_conn *c = p->cc.c;
	struct tcp_flight *f = tcp_flight_of(c);
	uint64_t sent_step = step_of(p, p->acked + bytes);
	uint32_t rtt_us = (uint32_t)(p->step - sent_step) * STEP_US;
	uint64_t prior = p->delivered_when_sent[sent_step % STEPS_MAX];
	struct tcp_ack a = {
		.acked_bytes = bytes,
		.delivered_bytes = bytes,
		.flight_bytes = (uint32_t)(p->sent - p->acked),
		.rtt_us = MAX(rtt_us, 1u),
		.cwnd_limited = !p->app_limited,
		.rate_app_limited = p->app_limited,
		.rate_interval_us = MAX(rtt_us, 1u),
		.rate_bytes = (uint32_t)(p->acked + bytes - prior),
		.rate_prior_delivered = (uint32_t)prior,
		.lost_bytes = bytes * p->lose_pct / 100,
	};

	p->acked += bytes;
	f->delivered += bytes;
	tcp_cc(c)->on_ack(c, &a);
}

static void path_step(struct path *p)
{
	struct tcp_conn *c = p->cc.c;
	uint64_t room = tcp_cc(c)->pacing_rate(c) * STEP_US / 1000000;
	uint64_t inflight = p->sent - p->acked, back, come, pipe;

	p->step++;
	cc_advance_us(&p->cc, STEP_US);
	room = MIN(room, inflight < c->cwnd ? c->cwnd - inflight : 0);
	p->delivered_when_sent[p->step % STEPS_MAX] = p->acked;
	p->sent += room;
	p->sent_at[p->step % STEPS_MAX] = p->sent;
	p->through = MIN(p->sent, p->through + p->rate / (1000000 / STEP_US));
	p->through_at[p->step % STEPS_MAX] = p->through;
	pipe = (uint64_t)p->rate * p->base_us / 1000000;
	p->queue_max = MAX(p->queue_max, inflight > pipe ? inflight - pipe : 0);
	back = p->step - p->base_us / STEP_US;
	come = p->through_at[back % STEPS_MAX];
	if (come > p->acked)
		path_ack(p, (uint32_t)(come - p->acked));
}

static void path_run(struct path *p, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++)
		path_step(p);
}

/* Of the bottleneck's rate, what is paced now. */
static uint32_t pacing_pct(struct path *p)
{
	return (uint32_t)(tcp_cc(p->cc.c)->pacing_rate(p->cc.c) * 100 / p->rate);
}

/* It finds the rate in a second, and does not keep the queue that it made. */
static void test_startup_and_drain(void **state)
{
	struct path p;

	(void)state;
	path_init(&p);
	assert_int_equal(pacing_pct(&p) / 10, 277 * 10 * SEG * 25 / RATE / 10);
	path_run(&p, 1000);
	assert_in_range(pacing_pct(&p), 85, 128);
	p.queue_max = 0;
	path_run(&p, 1000);
	assert_in_range(p.queue_max, 0, BDP);
	cc_fini(&p.cc);
}

/* Cycles of DOWN, CRUISE, REFILL and UP keep the pipe full and the queue short. */
static void test_cycles(void **state)
{
	uint32_t down = 0, cruise = 0, up = 0;
	struct path p;
	uint64_t acked;

	(void)state;
	path_init(&p);
	path_run(&p, 2000);
	acked = p.acked;
	p.queue_max = 0;
	for (int i = 0; i < 20000; i++) {
		path_step(&p);
		down += pacing_pct(&p) < 95;
		cruise += pacing_pct(&p) >= 95 && pacing_pct(&p) < 110;
		up += pacing_pct(&p) >= 120;
	}
	assert_in_range(p.acked - acked, (uint64_t)RATE * 20 * 93 / 100, (uint64_t)RATE * 20);
	assert_in_range(down, 100, 5000); /* ms */
	assert_in_range(cruise, 5000, 19000);
	assert_in_range(up, 500, 10000);
	assert_in_range(p.queue_max, 0, BDP * 3 / 2); /* the window's gain says so */
	assert_in_range(p.cc.f.tcp->stats[TCP_STAT_BBR_PROBE_RTTS], 2, 5);
	cc_fini(&p.cc);
}

/* The bottleneck gives more: found by the next probes. It gives less: known within two cycles. */
static void test_rate_changes(void **state)
{
	struct path p;

	(void)state;
	path_init(&p);
	path_run(&p, 3000);
	p.rate = 3 * RATE;
	path_run(&p, 20000);
	assert_in_range(pacing_pct(&p), 80, 128);
	p.rate = RATE;
	path_run(&p, 20000);
	assert_in_range(pacing_pct(&p), 80, 128);
	cc_fini(&p.cc);
}

/* A longer path is believed after 10 s. */
static void test_min_rtt_expires(void **state)
{
	struct path p;
	uint32_t cwnd;

	(void)state;
	path_init(&p);
	path_run(&p, 3000);
	cwnd = p.cc.c->cwnd;
	p.base_us = 80000;
	path_run(&p, 20000);
	assert_in_range(p.cc.c->cwnd, cwnd * 3 / 2, cwnd * 5 / 2);
	cc_fini(&p.cc);
}

/* Few losses leave the rate alone; many, while it probes, set a bound that it keeps. */
static void test_losses(void **state)
{
	static const struct {
		uint32_t lose_pct, pacing_pct_min, cwnd_min, cwnd_max;
	} rows[] = {
		{0, 85, BDP * 3 / 2, 3 * BDP},
		{1, 80, BDP * 3 / 2, 3 * BDP},
		{10, 20, BDP / 4, BDP * 3 / 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct path p;

		path_init(&p);
		path_run(&p, 3000);
		p.lose_pct = rows[i].lose_pct;
		path_run(&p, 9000);
		assert_in_range(pacing_pct(&p), rows[i].pacing_pct_min, 128);
		assert_in_range(p.cc.c->cwnd, rows[i].cwnd_min, rows[i].cwnd_max);
		cc_fini(&p.cc);
	}
}

/* A mark while it probes ends the probe, and bounds what is in flight. */
static void test_mark(void **state)
{
	struct path p;
	uint32_t cwnd;

	(void)state;
	path_init(&p);
	path_run(&p, 2000);
	for (int i = 0; i < 10000 && pacing_pct(&p) < 120; i++)
		path_step(&p);
	cwnd = p.cc.c->cwnd;
	p.cc.c->snd_max = seq_add(p.cc.c->snd_una, cwnd);
	tcp_cc(p.cc.c)->on_congestion(p.cc.c, TCP_CC_ECN);
	path_step(&p);
	assert_in_range(pacing_pct(&p), 0, 101);
	path_run(&p, 200);
	assert_true(p.cc.c->cwnd < cwnd);
	cc_fini(&p.cc);
}

/* After a pause it goes on at the rate that it had, and does not probe for the round trip, which
 * the pause has shown. */
static void test_idle(void **state)
{
	struct path p;

	(void)state;
	path_init(&p);
	path_run(&p, 2000);
	cc_advance_us(&p.cc, 6000000);
	tcp_cc(p.cc.c)->on_idle(p.cc.c);
	assert_in_range(pacing_pct(&p), 80, 101);
	path_run(&p, 100);
	assert_int_equal(p.cc.f.tcp->stats[TCP_STAT_BBR_PROBE_RTTS], 0);
	cc_fini(&p.cc);
}

/* What an undo brings back: the bounds, and a window as large as before. */
static void test_recovery_and_undo(void **state)
{
	struct path p;
	uint32_t cwnd;

	(void)state;
	path_init(&p);
	path_run(&p, 2500);
	cwnd = p.cc.c->cwnd;
	tcp_cc(p.cc.c)->on_congestion(p.cc.c, TCP_CC_TIMEOUT);
	p.cc.c->flags |= TCP_F_LOSS;
	p.cc.c->cwnd = SEG;
	path_run(&p, 5);
	p.cc.c->flags &= ~(uint32_t)TCP_F_LOSS;
	tcp_cc(p.cc.c)->on_undo(p.cc.c);
	path_run(&p, 1);
	assert_in_range(p.cc.c->cwnd, cwnd * 9 / 10, cwnd * 11 / 10);
	cc_fini(&p.cc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_startup_and_drain),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_rate_changes),
		cmocka_unit_test(test_min_rtt_expires),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_recovery_and_undo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
