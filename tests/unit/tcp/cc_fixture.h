/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection that is nothing but its windows and the state of its congestion control. */
#ifndef WEIR_TESTS_CC_FIXTURE_H
#define WEIR_TESTS_CC_FIXTURE_H

#include "fixture.h"
#include "tcp_cc.h"

#define SEG 1460u

struct cc {
	struct fixture f;
	struct tcp_conn *c;
};

/* Established, with a window of `segs` segments and a round trip. */
static inline void cc_init(struct cc *cc, enum tcp_cc_kind kind, uint32_t segs, uint32_t rtt_ms)
{
	struct tcp_options options = {.cc = (uint8_t)kind};

	*cc = (struct cc){0};
	fixture_init(&cc->f);
	cc->c = mem_pool_get(&cc->f.tcp->conns);
	assert_non_null(cc->c);
	*cc->c = (struct tcp_conn){
		.tcp = cc->f.tcp,
		.state = TCP_ESTABLISHED,
		.options = (uint8_t)tcp_options_add(cc->f.tcp, &options, NULL),
		.mss = SEG,
		.cwnd = segs * SEG,
		.ssthresh = TCP_CWND_MAX,
		.srtt_us = rtt_ms * 1000,
		.snd_una = SEQ(0xfffff000u),
	};
	cc->c->snd_max = cc->c->snd_una;
	assert_non_null(tcp_flight_take(cc->c));
}

static inline void cc_fini(struct cc *cc)
{
	tcp_flight_release(cc->c);
	mem_pool_put(&cc->f.tcp->conns, cc->c);
	fixture_fini(&cc->f);
}

static inline void cc_advance_us(struct cc *cc, uint64_t us)
{
	clock_manual_advance(&cc->f.workers->clock, us * NS_PER_US);
	cc->f.workers->w[0]->now_ns = cc->f.workers->clock.now_ns;
}

/* An ACK for so many bytes of a window that was full. */
static inline void cc_ack(struct cc *cc, uint32_t bytes, uint32_t rtt_us)
{
	struct tcp_conn *c = cc->c;
	struct tcp_ack a = {
		.acked_bytes = bytes,
		.delivered_bytes = bytes,
		.flight_bytes = c->cwnd,
		.rtt_us = rtt_us,
		.cwnd_limited = true,
	};

	c->snd_una = seq_add(c->snd_una, bytes);
	c->snd_max = seq_max(c->snd_max, seq_add(c->snd_una, c->cwnd));
	tcp_flight_of(c)->delivered += bytes;
	tcp_cc(c)->on_ack(c, &a);
}

/* A round trip in which each segment of the window is acknowledged, evenly spread. */
static inline void cc_round(struct cc *cc, uint32_t rtt_us)
{
	uint32_t segs = cc->c->cwnd / SEG;
	uint64_t spent_us = 0;

	for (uint32_t i = 1; i <= segs; i++) {
		cc_advance_us(cc, (uint64_t)rtt_us * i / segs - spent_us);
		spent_us = (uint64_t)rtt_us * i / segs;
		cc_ack(cc, SEG, rtt_us);
	}
}

static inline void cc_congestion(struct cc *cc, enum tcp_cc_cause cause)
{
	cc->c->snd_max = seq_add(cc->c->snd_una, cc->c->cwnd);
	tcp_cc(cc->c)->on_congestion(cc->c, cause);
	cc->c->cwnd = cause == TCP_CC_TIMEOUT ? SEG : cc->c->ssthresh;
}

#endif
