/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC (RFC 9438). After a reduction the window follows W(t) = C (t - K)^3 + W_max, where t is the
 * time in congestion avoidance since then and K the time at which W_max is reached again; it never
 * stays behind what Reno would have (W_est).
 *
 * Windows are bytes, which are a finer fixed point of the RFC's segments: a cube of milliseconds
 * counts seg / 2,500,000,000 bytes, because C = 0.4 segments per cubed second. Fractions of bytes
 * that an ACK is worth wait in two credits for the next one.
 *
 * Time in which the application left the window unused does not count (RFC 9438 4.2): t grows with
 * ACKs for a window in use, and by one round trip at most for each, because that is how far apart
 * they are.
 */
#include "tcp_cc.h"

#define CUBE_MS_PER_SEG 2500000000u /* cubed milliseconds in which C grows by one segment */
#define SPAN_MS_MAX     400000u     /* from W_max to TCP_CWND_MAX with the least MSS; cubed: 2^56 */

/* One stage of congestion avoidance; all that an undo brings back (RFC 9438 4.9). */
struct cubic_stage {
	uint32_t w_max; /* bytes */
	uint32_t k_ms;
	uint32_t t_ms;
	uint32_t w_est;      /* bytes */
	uint32_t cwnd_prior; /* bytes, before the reduction */
	bool begun;          /* false: the next ACK in congestion avoidance begins it */
	bool flat;           /* begins at W_max: after a timeout, or slow start without a loss */
};

struct cubic {
	struct tcp_hystart hystart;
	struct cubic_stage now, before;
	uint32_t last_ms;     /* when t_ms was brought up to date */
	uint64_t cwnd_credit; /* of cwnd bytes for a whole one */
	uint64_t est_credit;  /* of 17 cwnd for a whole byte of w_est */
};
static_assert(sizeof(struct cubic) <= TCP_CC_STATE_BYTES, "it lives in struct tcp_flight");

uint32_t tcp_cubic_root(uint64_t x)
{
	uint64_t root = 0;

	for (int shift = 63; shift >= 0; shift -= 3) {
		uint64_t step;

		root *= 2;
		step = 3 * root * (root + 1) + 1; /* (root + 1)^3 - root^3 */
		if (x >> shift >= step) {
			x -= step << shift;
			root++;
		}
	}
	return (uint32_t)root;
}

uint32_t tcp_cubic_k_ms(uint32_t below_bytes, uint32_t seg)
{
	return tcp_cubic_root((uint64_t)below_bytes * CUBE_MS_PER_SEG / seg);
}

uint32_t tcp_cubic_window(uint32_t w_max, uint32_t k_ms, uint32_t t_ms, uint32_t seg)
{
	uint64_t span_ms = MIN(t_ms < k_ms ? k_ms - t_ms : t_ms - k_ms, SPAN_MS_MAX);
	uint64_t cube = span_ms * span_ms * span_ms;
	uint64_t bytes =
		cube / CUBE_MS_PER_SEG * seg + cube % CUBE_MS_PER_SEG * seg / CUBE_MS_PER_SEG;

	if (t_ms < k_ms)
		return bytes < w_max ? w_max - (uint32_t)bytes : 0;
	return (uint32_t)MIN(w_max + bytes, (uint64_t)TCP_CWND_MAX);
}

static void cubic_init(struct tcp_conn *c)
{
	struct cubic *cu = tcp_cc_state(c);

	*cu = (struct cubic){.now.flat = true, .last_ms = tcp_now_ms(c->tcp)};
	cu->before = cu->now;
	tcp_hystart_init(&cu->hystart);
}

static void stage_begin(struct tcp_conn *c, struct cubic *cu)
{
	struct cubic_stage *s = &cu->now;

	s->begun = true;
	s->t_ms = 0;
	s->w_est = c->cwnd;
	cu->cwnd_credit = cu->est_credit = 0;
	if (s->flat || c->cwnd >= s->w_max) {
		s->w_max = c->cwnd;
		s->k_ms = 0;
	} else {
		s->k_ms = tcp_cubic_k_ms(s->w_max - c->cwnd, tcp_seg_bytes(c));
	}
}

/* RFC 9438 4.3: alpha is 3 (1 - beta) / (1 + beta) = 9/17, and 1 once Reno is where it was. */
static void reno_estimate(struct tcp_conn *c, struct cubic *cu, uint32_t acked_bytes)
{
	struct cubic_stage *s = &cu->now;
	uint32_t alpha = s->w_est >= s->cwnd_prior ? 17 : 9;
	uint64_t whole = 17 * (uint64_t)c->cwnd;

	cu->est_credit += (uint64_t)alpha * tcp_seg_bytes(c) * acked_bytes;
	s->w_est = (uint32_t)MIN(s->w_est + cu->est_credit / whole, (uint64_t)TCP_CWND_MAX);
	cu->est_credit %= whole;
}

static void avoid(struct tcp_conn *c, struct cubic *cu, uint32_t acked_bytes)
{
	uint32_t seg = tcp_seg_bytes(c), rtt_ms = c->srtt_us / 1000;
	uint32_t now_ms = tcp_now_ms(c->tcp);
	struct cubic_stage *s = &cu->now;
	uint32_t target;

	if (!s->begun)
		stage_begin(c, cu);
	else
		s->t_ms += MIN(now_ms - cu->last_ms, rtt_ms + 1);
	cu->last_ms = now_ms;
	acked_bytes = MIN(acked_bytes, c->cwnd);
	reno_estimate(c, cu, acked_bytes);
	if (tcp_cubic_window(s->w_max, s->k_ms, s->t_ms, seg) < s->w_est) {
		c->cwnd = MAX(c->cwnd, s->w_est);
		return;
	}
	target = tcp_cubic_window(s->w_max, s->k_ms, s->t_ms + rtt_ms, seg);
	target = MIN(MAX(target, c->cwnd), c->cwnd + c->cwnd / 2);
	cu->cwnd_credit += (uint64_t)(target - c->cwnd) * acked_bytes;
	target = c->cwnd;
	c->cwnd += (uint32_t)(cu->cwnd_credit / target);
	cu->cwnd_credit %= target;
}

static void cubic_on_ack(struct tcp_conn *c, const struct tcp_ack *a)
{
	struct cubic *cu = tcp_cc_state(c);

	if (!tcp_cc_may_grow(c, a))
		cu->last_ms = tcp_now_ms(c->tcp);
	else if (c->cwnd < c->ssthresh)
		tcp_cc_slow_start(c, &cu->hystart, a);
	else
		avoid(c, cu, a->acked_bytes);
	c->cwnd = MIN(c->cwnd, TCP_CWND_MAX);
}

/* RFC 9438 4.6 to 4.8: beta is 0.7; fast convergence leaves room to others while the window falls
 * from one reduction to the next. RFC 8511 3.1: 0.85 for a mark, once slow start is over. */
static void cubic_on_congestion(struct tcp_conn *c, enum tcp_cc_cause cause)
{
	bool gentle = cause == TCP_CC_ECN && c->cwnd >= c->ssthresh;
	uint32_t base = tcp_cc_base(c, cause);
	struct cubic *cu = tcp_cc_state(c);
	struct cubic_stage *s = &cu->now;

	cu->before = *s;
	*s = (struct cubic_stage){
		.w_max = base < s->w_max ? (uint32_t)(base * UINT64_C(17) / 20) : base,
		.cwnd_prior = base,
		.flat = cause == TCP_CC_TIMEOUT,
	};
	c->ssthresh = (uint32_t)(base * (gentle ? UINT64_C(17) : UINT64_C(14)) / 20);
	c->ssthresh = MAX(c->ssthresh, 2 * tcp_seg_bytes(c));
}

static void cubic_on_undo(struct tcp_conn *c)
{
	struct cubic *cu = tcp_cc_state(c);

	cu->now = cu->before;
}

static void cubic_on_idle(struct tcp_conn *c)
{
	tcp_cc_idle(c);
	cubic_init(c);
}

const struct tcp_cc_ops tcp_cc_cubic = {
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_congestion = cubic_on_congestion,
	.on_undo = cubic_on_undo,
	.on_idle = cubic_on_idle,
	.pacing_rate = tcp_cc_window_rate,
};
