/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR, version 3 (draft-ietf-ccwg-bbr, the successor of
 * draft-cardwell-iccrg-bbr-congestion-control).
 *
 * In: delivery rates, round trips and losses of each ACK. From them comes a model of the path: the
 * rate of the bottleneck (the largest of two probing cycles), its least round trip (of 10 s), and
 * the volume above which it loses (inflight_hi; inflight_lo and bw_lo for what was seen since the
 * last probe). Out: the pacing rate and the window, which stays this control's own in recovery.
 *
 * STARTUP doubles until the rate stops to grow or losses say so; DRAIN empties the queue that this
 * made; then cycles of DOWN, CRUISE, REFILL, UP look for more every two or three seconds, or as
 * often as Reno would lose; PROBE_RTT lets the queue run empty when no low round trip came for 5 s.
 *
 * Where we differ from the draft:
 *   - segments do not carry what was in flight when they left. It is taken to be what was delivered
 *     from then to their ACK, and what was lost in the round;
 *   - a mark (RFC 3168) counts as a loss beyond the threshold, once per round;
 *   - rates are kept in units of 16 bytes/s.
 */
#include "tcp_cc.h"

#define RATE_UNIT          16 /* bytes/s */
#define UNITS_PER_BYTE_US  (1000000 / RATE_UNIT)
#define NONE               UINT32_MAX
#define FULL_BW_PCT        125
#define FULL_BW_ROUNDS     3
#define LOSS_THRESH_PCT    2
#define STARTUP_LOSSES     6
#define BETA_PCT           70
#define HEADROOM_PCT       15
#define MARGIN_PCT         99 /* of the estimated rate is paced */
#define MIN_PIPE_SEGS      4
#define MIN_RTT_MS         10000
#define PROBE_RTT_EVERY_MS 5000
#define PROBE_RTT_MS       200
#define PROBE_WAIT_MS      2000
#define PROBE_WAIT_RAND_MS 1000
#define PROBE_ROUNDS_MAX   63 /* after so many rounds Reno would have lost something */
#define UP_ROUNDS_MAX      30
#define EXTRA_ACKED_ROUNDS 5 /* for each of two slots */

enum bbr_state { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };

static const struct {
	uint16_t pacing_pct, cwnd_pct;
} gains[] = {
	[STARTUP] = {277, 200},
	[DRAIN] = {50, 200},
	[DOWN] = {90, 200},
	[CRUISE] = {100, 200},
	[REFILL] = {100, 200},
	[UP] = {125, 225},
	[PROBE_RTT] = {100, 50},
};

/* Whose ACKs come: of the phase that probes, or of one before. */
enum bbr_ack_phase {
	ACKS_INIT,
	ACKS_REFILLING,
	ACKS_PROBE_STARTING,
	ACKS_PROBE_FEEDBACK,
	ACKS_PROBE_STOPPING
};

struct bbr {
	uint32_t bw_max[2]; /* of the last cycle, of this one */
	uint32_t bw_latest, bw_lo, full_bw;
	uint32_t inflight_latest, inflight_lo, inflight_hi; /* bytes; NONE */
	uint32_t min_rtt_us, min_rtt_at_ms;                 /* 0: none yet */
	uint32_t probe_rtt_us, probe_rtt_at_ms;             /* as min_rtt, for 5 s */
	uint32_t probe_rtt_done_at_ms;                      /* 0: the queue is not empty yet */
	uint32_t extra_acked[2], extra_at_us, extra_bytes;  /* what came above the rate */
	uint32_t round_end, loss_round_end;                 /* in tcp_flight.delivered */
	uint32_t phase_at_ms, probe_wait_ms;
	uint32_t up_step_bytes, up_acked; /* acknowledged for a segment more; so far */
	uint32_t prior_cwnd;              /* 0: nothing to bring back */
	uint32_t lost_in_round;
	uint32_t pacing;
	uint32_t before_bw_lo, before_lo, before_hi; /* at the last congestion */
	uint32_t limited_until; /* in tcp_flight.delivered: rates of what left before are too low */
	uint8_t state : 4, before_state : 4;
	uint8_t ack_phase : 4, full_bw_count : 4;
	uint8_t rounds_since_probe;
	uint8_t up_rounds;
	uint8_t loss_events; /* in this round */
	uint8_t extra_rounds;
	bool full_bw_reached : 1, full_bw_now : 1;
	bool loss_in_round : 1, probe_samples : 1, probe_rtt_round_done : 1;
	bool idle_restart : 1, in_recovery : 1;
};
static_assert(sizeof(struct bbr) <= TCP_CC_STATE_BYTES, "it lives in struct tcp_flight");

/* One ACK, and what follows from it for all steps. */
struct bbr_ack {
	struct tcp_conn *c;
	struct bbr *b;
	const struct tcp_ack *a;
	uint32_t now_ms;
	uint32_t delivered; /* tcp_flight.delivered */
	uint32_t inflight;  /* after the ACK */
	uint32_t rate;      /* 0: no sample */
	bool app_limited;   /* the rate says nothing about the path */
	bool round_start, loss_round_start;
};

/* --- the model --------------------------------------------------------------------- */

static uint32_t bw_max(const struct bbr *b)
{
	return MAX(b->bw_max[0], b->bw_max[1]);
}

static uint32_t bw_of(const struct bbr *b)
{
	return MIN(bw_max(b), b->bw_lo);
}

static uint32_t min_pipe(const struct tcp_conn *c)
{
	return MIN_PIPE_SEGS * tcp_seg_bytes(c);
}

static uint32_t bdp(const struct bbr *b, uint32_t bw, uint32_t pct)
{
	uint64_t bytes = (uint64_t)bw * b->min_rtt_us / UNITS_PER_BYTE_US * pct / 100;

	return (uint32_t)MIN(bytes, (uint64_t)TCP_CWND_MAX);
}

/* What keeps the pipe full at a gain, bursts included. */
static uint32_t inflight_of(
	const struct tcp_conn *c, const struct bbr *b, uint32_t bw, uint32_t pct)
{
	uint32_t bytes = b->min_rtt_us && bw ? bdp(b, bw, pct) : tcp_cc_initial_window(c);

	bytes = MAX(bytes, 3 * tcp_pace_quantum(c));
	bytes = MAX(bytes, min_pipe(c));
	return b->state == UP ? bytes + 2 * tcp_seg_bytes(c) : bytes;
}

static uint32_t target_inflight(const struct tcp_conn *c, const struct bbr *b)
{
	return MIN(bdp(b, bw_of(b), 100), c->cwnd);
}

/* Room for others to start with. */
static uint32_t inflight_with_headroom(const struct tcp_conn *c, const struct bbr *b)
{
	uint32_t headroom;

	if (b->inflight_hi == NONE)
		return NONE;
	headroom = MAX((uint32_t)((uint64_t)b->inflight_hi * HEADROOM_PCT / 100), tcp_seg_bytes(c));
	return b->inflight_hi > headroom + min_pipe(c) ? b->inflight_hi - headroom : min_pipe(c);
}

static bool in_probe_bw(const struct bbr *b)
{
	return b->state >= DOWN && b->state <= UP;
}

static bool probes_bw(const struct bbr *b)
{
	return b->state == STARTUP || b->state == REFILL || b->state == UP;
}

static void full_bw_reset(struct bbr *b)
{
	b->full_bw = 0;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

static void lower_bounds_reset(struct bbr *b)
{
	b->bw_lo = NONE;
	b->inflight_lo = NONE;
}

static void round_begin(struct bbr_ack *x)
{
	x->b->round_end = x->delivered;
}

/* --- phases ------------------------------------------------------------------------ */

static void enter_down(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	struct rand *rand = &x->c->tcp->worker->rand;

	b->loss_in_round = false;
	b->bw_latest = b->inflight_latest = 0;
	b->up_step_bytes = NONE;
	b->rounds_since_probe = (uint8_t)rand_below(rand, 2);
	b->probe_wait_ms = PROBE_WAIT_MS + rand_below(rand, PROBE_WAIT_RAND_MS + 1);
	b->phase_at_ms = x->now_ms;
	b->ack_phase = ACKS_PROBE_STOPPING;
	b->state = DOWN;
	round_begin(x);
}

static void enter_refill(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	lower_bounds_reset(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->ack_phase = ACKS_REFILLING;
	b->state = REFILL;
	round_begin(x);
}

/* The longer probing goes well, the faster the bound rises. */
static void raise_slope(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	uint64_t segs = UINT64_C(1) << b->up_rounds;

	b->up_rounds = MIN(b->up_rounds + 1, UP_ROUNDS_MAX);
	b->up_step_bytes = (uint32_t)MAX(x->c->cwnd / segs, (uint64_t)1);
}

static void enter_up(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	b->ack_phase = ACKS_PROBE_STARTING;
	full_bw_reset(b);
	b->full_bw = x->rate;
	b->phase_at_ms = x->now_ms;
	b->state = UP;
	round_begin(x);
	raise_slope(x);
}

static void leave_probe_rtt(struct bbr_ack *x)
{
	lower_bounds_reset(x->b);
	if (x->b->full_bw_reached) {
		enter_down(x);
		x->b->state = CRUISE;
	} else {
		x->b->state = STARTUP;
	}
}

static void cwnd_save(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	bool lowered = b->in_recovery || b->state == PROBE_RTT;

	b->prior_cwnd = lowered ? MAX(b->prior_cwnd, x->c->cwnd) : x->c->cwnd;
}

static void cwnd_restore(struct tcp_conn *c, struct bbr *b)
{
	c->cwnd = MAX(c->cwnd, b->prior_cwnd);
	b->prior_cwnd = 0;
}

static bool time_to_probe(struct bbr_ack *x)
{
	const struct bbr *b = x->b;
	uint32_t rounds =
		MIN(target_inflight(x->c, b) / tcp_seg_bytes(x->c), (uint32_t)PROBE_ROUNDS_MAX);

	if (x->now_ms - b->phase_at_ms <= b->probe_wait_ms && b->rounds_since_probe < rounds)
		return false;
	enter_refill(x);
	return true;
}

/* While the bound is what holds it down, the rate cannot show that the pipe is full. */
static bool time_to_go_down(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	bool limited = x->a->flight_bytes + 2 * tcp_seg_bytes(x->c) >= x->c->cwnd;

	if (limited && x->c->cwnd >= b->inflight_hi) {
		full_bw_reset(b);
		b->full_bw = x->rate;
		return false;
	}
	return b->full_bw_now;
}

static bool time_to_cruise(const struct bbr_ack *x)
{
	const struct bbr *b = x->b;

	return x->inflight <= inflight_with_headroom(x->c, b) &&
	       x->inflight <= inflight_of(x->c, b, bw_max(b), 100);
}

static void cycle_step(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	switch (b->state) {
	case DOWN:
		if (!time_to_probe(x) && time_to_cruise(x))
			b->state = CRUISE;
		break;
	case CRUISE:
		(void)time_to_probe(x);
		break;
	case REFILL:
		if (x->round_start) {
			b->probe_samples = true;
			enter_up(x);
		}
		break;
	case UP:
		if (time_to_go_down(x))
			enter_down(x);
		break;
	default:
		break;
	}
}

/* --- losses ------------------------------------------------------------------------ */

/* What was in flight when the segment left whose ACK this is; see the essay. */
static uint32_t tx_inflight(const struct bbr_ack *x)
{
	return (x->rate ? x->a->rate_bytes : x->inflight) + x->b->lost_in_round;
}

static bool inflight_too_high(const struct bbr_ack *x)
{
	return (uint64_t)x->b->lost_in_round * 100 > (uint64_t)tx_inflight(x) * LOSS_THRESH_PCT;
}

static void too_high(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	uint32_t floor = (uint32_t)((uint64_t)target_inflight(x->c, b) * BETA_PCT / 100);

	if (!b->probe_samples)
		return;
	b->probe_samples = false; /* once for each probe */
	if (!x->app_limited)
		b->inflight_hi = MAX(tx_inflight(x), floor);
	if (b->state == UP)
		enter_down(x);
}

static void raise_inflight_hi(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (x->a->flight_bytes + 2 * tcp_seg_bytes(x->c) < x->c->cwnd ||
		x->c->cwnd < b->inflight_hi)
		return;
	b->up_acked += x->a->delivered_bytes;
	if (b->up_acked >= b->up_step_bytes) {
		uint32_t segs = b->up_acked / b->up_step_bytes;

		b->up_acked -= segs * b->up_step_bytes;
		b->inflight_hi =
			MIN(b->inflight_hi + segs * tcp_seg_bytes(x->c), (uint32_t)TCP_CWND_MAX);
	}
	if (x->round_start)
		raise_slope(x);
}

/* The bounds that last over cycles. */
static void adapt_long_term(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (b->ack_phase == ACKS_PROBE_STARTING && x->round_start) {
		b->ack_phase = ACKS_PROBE_FEEDBACK;
	} else if (b->ack_phase == ACKS_PROBE_STOPPING && x->round_start) {
		b->probe_samples = false;
		b->ack_phase = ACKS_INIT;
		if (in_probe_bw(b) && !x->app_limited && b->bw_max[1]) {
			b->bw_max[0] = b->bw_max[1];
			b->bw_max[1] = 0;
		}
	}
	if (inflight_too_high(x)) {
		too_high(x);
		return;
	}
	if (b->inflight_hi == NONE)
		return;
	b->inflight_hi = MAX(b->inflight_hi, x->rate ? x->a->rate_bytes : 0);
	if (b->state == UP)
		raise_inflight_hi(x);
}

/* The bounds of now: a round with losses that did not probe lowers them by beta. */
static void adapt_lower(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (probes_bw(b) || !b->loss_in_round)
		return;
	if (b->bw_lo == NONE)
		b->bw_lo = bw_max(b);
	if (b->inflight_lo == NONE)
		b->inflight_lo = x->c->cwnd;
	b->bw_lo = MAX(b->bw_latest, (uint32_t)((uint64_t)b->bw_lo * BETA_PCT / 100));
	b->inflight_lo =
		MAX(b->inflight_latest, (uint32_t)((uint64_t)b->inflight_lo * BETA_PCT / 100));
}

static void note_losses(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (x->a->lost_bytes == 0)
		return;
	b->loss_in_round = true;
	b->lost_in_round += x->a->lost_bytes;
	b->loss_events += b->loss_events < UINT8_MAX;
}

/* --- samples ----------------------------------------------------------------------- */

static bool reached(uint32_t counter, uint32_t mark)
{
	return (int32_t)(counter - mark) >= 0;
}

static void update_round(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (!x->rate || !reached(x->a->rate_prior_delivered, b->round_end))
		return;
	x->round_start = true;
	b->rounds_since_probe += b->rounds_since_probe < UINT8_MAX;
	round_begin(x);
}

static void update_bw(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (!x->rate)
		return;
	b->bw_latest = MAX(b->bw_latest, x->rate);
	b->inflight_latest = MAX(b->inflight_latest, x->a->rate_bytes);
	if (reached(x->a->rate_prior_delivered, b->loss_round_end)) {
		b->loss_round_end = x->delivered;
		x->loss_round_start = true;
	}
	if (x->rate >= bw_max(b) || !x->app_limited)
		b->bw_max[1] = MAX(b->bw_max[1], x->rate);
}

/* ACKs that come in lumps bring more than the rate for a while: the window must bear that. */
static void update_aggregation(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	uint32_t now_us = tcp_now_us(x->c->tcp);
	uint64_t expected = (uint64_t)bw_of(b) * (now_us - b->extra_at_us) / UNITS_PER_BYTE_US;

	if (b->extra_bytes <= expected) {
		b->extra_bytes = 0;
		b->extra_at_us = now_us;
		expected = 0;
	}
	b->extra_bytes += x->a->delivered_bytes;
	if (x->round_start && ++b->extra_rounds >= (b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1)) {
		b->extra_rounds = 0;
		b->extra_acked[0] = b->extra_acked[1];
		b->extra_acked[1] = 0;
	}
	b->extra_acked[1] = MAX(
		b->extra_acked[1], (uint32_t)MIN(b->extra_bytes - expected, (uint64_t)x->c->cwnd));
}

static void update_full_bw(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (b->full_bw_now || !x->round_start || x->app_limited)
		return;
	if ((uint64_t)x->rate * 100 >= (uint64_t)b->full_bw * FULL_BW_PCT) {
		full_bw_reset(b);
		b->full_bw = x->rate;
		return;
	}
	b->full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
	if (b->full_bw_now)
		b->full_bw_reached = true;
}

static void update_startup(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (b->state == STARTUP && x->loss_round_start && b->loss_events >= STARTUP_LOSSES &&
		inflight_too_high(x)) {
		b->full_bw_reached = true;
		b->inflight_hi = MAX(bdp(b, bw_of(b), 100), b->inflight_latest);
	}
	if (b->state == STARTUP && b->full_bw_reached)
		b->state = DRAIN;
	if (b->state == DRAIN && x->inflight <= inflight_of(x->c, b, bw_max(b), 100))
		enter_down(x);
}

/* --- the least round trip ---------------------------------------------------------- */

static bool update_min_rtt(struct bbr_ack *x)
{
	struct bbr *b = x->b;
	bool expired = x->now_ms - b->probe_rtt_at_ms > PROBE_RTT_EVERY_MS;
	uint32_t rtt_us = x->a->rtt_us;

	if (rtt_us && (rtt_us < b->probe_rtt_us || b->probe_rtt_us == 0 || expired)) {
		b->probe_rtt_us = rtt_us;
		b->probe_rtt_at_ms = x->now_ms;
	}
	if (b->probe_rtt_us && (b->min_rtt_us == 0 || b->probe_rtt_us < b->min_rtt_us ||
				       x->now_ms - b->min_rtt_at_ms > MIN_RTT_MS)) {
		b->min_rtt_us = b->probe_rtt_us;
		b->min_rtt_at_ms = b->probe_rtt_at_ms;
	}
	return expired;
}

static uint32_t probe_rtt_cwnd(const struct tcp_conn *c, const struct bbr *b)
{
	return MAX(bdp(b, bw_of(b), gains[PROBE_RTT].cwnd_pct), min_pipe(c));
}

static void probe_rtt_check_done(struct bbr_ack *x)
{
	struct bbr *b = x->b;

	if (b->probe_rtt_done_at_ms == 0 || !reached(x->now_ms, b->probe_rtt_done_at_ms))
		return;
	b->probe_rtt_at_ms = x->now_ms;
	cwnd_restore(x->c, b);
	leave_probe_rtt(x);
}

static void probe_rtt_step(struct bbr_ack *x, bool expired)
{
	struct bbr *b = x->b;

	if (b->state != PROBE_RTT && expired && !b->idle_restart) {
		cwnd_save(x);
		b->state = PROBE_RTT;
		b->probe_rtt_done_at_ms = 0;
		b->ack_phase = ACKS_PROBE_STOPPING;
		round_begin(x);
		tcp_count(x->c->tcp, TCP_STAT_BBR_PROBE_RTTS);
	}
	if (x->a->delivered_bytes)
		b->idle_restart = false;
	if (b->state != PROBE_RTT)
		return;
	b->limited_until = x->delivered + x->inflight;
	if (b->probe_rtt_done_at_ms == 0 && x->inflight <= probe_rtt_cwnd(x->c, b)) {
		b->probe_rtt_done_at_ms = tcp_deadline(x->now_ms, PROBE_RTT_MS);
		b->probe_rtt_round_done = false;
		round_begin(x);
	} else if (b->probe_rtt_done_at_ms) {
		b->probe_rtt_round_done |= x->round_start;
		if (b->probe_rtt_round_done)
			probe_rtt_check_done(x);
	}
}

/* --- what comes out ---------------------------------------------------------------- */

static void set_pacing(struct bbr *b, uint32_t pct)
{
	uint64_t rate = (uint64_t)bw_of(b) * pct * MARGIN_PCT / 10000;

	if (rate && (b->full_bw_reached || rate > b->pacing))
		b->pacing = (uint32_t)MIN(rate, (uint64_t)UINT32_MAX);
}

static void set_cwnd(struct bbr_ack *x)
{
	struct tcp_conn *c = x->c;
	struct bbr *b = x->b;
	uint32_t max, cap = NONE;

	max = inflight_of(c, b, bw_of(b), gains[b->state].cwnd_pct) +
	      MAX(b->extra_acked[0], b->extra_acked[1]);
	if (b->full_bw_reached)
		c->cwnd = MIN(c->cwnd + x->a->delivered_bytes, max);
	else if (c->cwnd < max || x->delivered < tcp_cc_initial_window(c))
		c->cwnd += x->a->delivered_bytes;
	if (in_probe_bw(b) && b->state != CRUISE)
		cap = b->inflight_hi;
	else if (b->state == PROBE_RTT || b->state == CRUISE)
		cap = inflight_with_headroom(c, b);
	cap = MAX(MIN(cap, b->inflight_lo), min_pipe(c));
	if (b->state == PROBE_RTT)
		cap = MIN(cap, probe_rtt_cwnd(c, b));
	cap = MIN(cap, (uint32_t)TCP_CWND_MAX);
	c->cwnd = MIN(MAX(c->cwnd, min_pipe(c)), cap);
}

/* --- the table --------------------------------------------------------------------- */

static struct bbr_ack ack_of(struct tcp_conn *c, const struct tcp_ack *a)
{
	struct bbr_ack x = {
		.c = c,
		.b = tcp_cc_state(c),
		.a = a,
		.now_ms = tcp_now_ms(c->tcp),
		.delivered = tcp_flight_of(c)->delivered,
	};
	uint32_t gone = a->delivered_bytes + a->lost_bytes;

	x.inflight = a->flight_bytes > gone ? a->flight_bytes - gone : 0;
	x.app_limited =
		a->rate_app_limited || !reached(a->rate_prior_delivered, x.b->limited_until);
	if (!x.app_limited) /* so that it stays near */
		x.b->limited_until = a->rate_prior_delivered;
	if (a->rate_interval_us)
		x.rate = (uint32_t)MIN(
			(uint64_t)a->rate_bytes * UNITS_PER_BYTE_US / a->rate_interval_us,
			(uint64_t)UINT32_MAX - 1);
	return x;
}

static void bbr_init(struct tcp_conn *c)
{
	struct bbr *b = tcp_cc_state(c);
	uint32_t srtt_us = c->srtt_us ? c->srtt_us : 1000;
	uint64_t bw = (uint64_t)c->cwnd * UNITS_PER_BYTE_US / srtt_us;

	*b = (struct bbr){
		.bw_lo = NONE,
		.inflight_lo = NONE,
		.inflight_hi = NONE,
		.min_rtt_us = c->srtt_us,
		.min_rtt_at_ms = tcp_now_ms(c->tcp),
		.probe_rtt_us = c->srtt_us,
		.probe_rtt_at_ms = tcp_now_ms(c->tcp),
		.extra_at_us = tcp_now_us(c->tcp),
		.round_end = tcp_flight_of(c)->delivered,
		.loss_round_end = tcp_flight_of(c)->delivered,
		.limited_until = tcp_flight_of(c)->delivered,
		.up_step_bytes = NONE,
		.state = STARTUP,
		.before_state = STARTUP,
		.before_bw_lo = NONE,
		.before_lo = NONE,
		.before_hi = NONE,
	};
	b->pacing = (uint32_t)MIN(bw * gains[STARTUP].pacing_pct / 100, (uint64_t)UINT32_MAX);
}

static void bbr_on_ack(struct tcp_conn *c, const struct tcp_ack *a)
{
	struct bbr_ack x = ack_of(c, a);
	struct bbr *b = x.b;
	bool expired;

	if (b->in_recovery && !(c->flags & (TCP_F_RECOVERY | TCP_F_LOSS))) {
		b->in_recovery = false;
		cwnd_restore(c, b);
	}
	note_losses(&x);
	update_round(&x);
	update_bw(&x);
	if (x.loss_round_start)
		adapt_lower(&x);
	update_aggregation(&x);
	update_full_bw(&x);
	update_startup(&x);
	if (b->full_bw_reached) {
		adapt_long_term(&x);
		cycle_step(&x);
	}
	expired = update_min_rtt(&x);
	probe_rtt_step(&x, expired);
	if (x.loss_round_start) {
		b->loss_in_round = false;
		b->lost_in_round = 0;
		b->loss_events = 0;
		b->bw_latest = x.rate;
		b->inflight_latest = a->rate_bytes;
	}
	set_pacing(b, gains[b->state].pacing_pct);
	set_cwnd(&x);
}

/* The losses themselves came, or come, with an ACK; see note_losses. */
static void bbr_on_congestion(struct tcp_conn *c, enum tcp_cc_cause cause)
{
	static const struct tcp_ack nothing;
	struct bbr_ack x = ack_of(c, &nothing);
	struct bbr *b = x.b;

	b->before_state = b->state;
	b->before_bw_lo = b->bw_lo;
	b->before_lo = b->inflight_lo;
	b->before_hi = b->inflight_hi;
	c->ssthresh = MAX(c->cwnd, min_pipe(c)); /* for Reno, should the flight go */
	if (cause == TCP_CC_ECN) {
		x.inflight = tcp_outstanding(c);
		b->loss_in_round = true;
		too_high(&x);
		return;
	}
	cwnd_save(&x);
	b->in_recovery = true;
}

static void bbr_on_undo(struct tcp_conn *c)
{
	static const struct tcp_ack nothing;
	struct bbr_ack x = ack_of(c, &nothing);
	struct bbr *b = x.b;

	b->loss_in_round = false;
	b->lost_in_round = 0;
	full_bw_reset(b);
	b->bw_lo = MAX(b->bw_lo, b->before_bw_lo);
	b->inflight_lo = MAX(b->inflight_lo, b->before_lo);
	b->inflight_hi = MAX(b->inflight_hi, b->before_hi);
	if (b->state == PROBE_RTT || b->state == b->before_state)
		return;
	if (b->before_state == STARTUP)
		b->state = STARTUP;
	else if (b->before_state == UP)
		enter_up(&x);
}

/* The pipe is empty: fill it at the rate that it had, not faster. */
static void bbr_on_idle(struct tcp_conn *c)
{
	static const struct tcp_ack nothing;
	struct bbr_ack x = ack_of(c, &nothing);
	struct bbr *b = x.b;

	b->idle_restart = true;
	b->extra_at_us = tcp_now_us(c->tcp);
	b->extra_bytes = 0;
	if (in_probe_bw(b))
		set_pacing(b, 100);
	else if (b->state == PROBE_RTT)
		probe_rtt_check_done(&x);
}

static uint64_t bbr_pacing_rate(const struct tcp_conn *c)
{
	const struct bbr *b = tcp_cc_state(c);

	return (uint64_t)b->pacing * RATE_UNIT;
}

const struct tcp_cc_ops tcp_cc_bbr = {
	.owns_cwnd = true,
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.on_congestion = bbr_on_congestion,
	.on_undo = bbr_on_undo,
	.on_idle = bbr_on_idle,
	.pacing_rate = bbr_pacing_rate,
};
