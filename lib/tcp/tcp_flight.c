/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of runs of a flight.
 *
 * In: what left, what left again, what ACKs and SACK blocks name, what counts as lost. Out: the
 * marks of the runs, the bytes that are SACKed and lost, and what one ACK delivered (struct
 * tcp_delivery), from which round trips, delivery rates and RACK's times come.
 *
 * Always: runs are sorted and without gaps, none is both SACKed and lost, and the counts of bytes
 * are those of the marks. See tcp_flight_pvt.h for what happens when there is no room.
 */
#include "tcp_flight_pvt.h"

#define FREE_MIN 2 /* runs that one change may add */

#define RUN_STATE (TCP_RUN_SACKED | TCP_RUN_LOST | TCP_RUN_RESENT)

void tcp_flight_init(struct tcp_flight *f, struct mem_pool *large, struct seq una, uint32_t now_us)
{
	*f = (struct tcp_flight){
		.large = large,
		.mask = TCP_RUNS_SMALL - 1,
		.delivered_us = now_us,
		.first_sent_us = now_us,
		.rtt_seq = una,
		.fack = una,
		.min_rtt_turn_us = now_us,
		.reo_mult = 1,
	};
	f->runs = f->small;
}

void tcp_flight_fini(struct tcp_flight *f)
{
	if (f->runs != f->small)
		mem_pool_put(f->large, f->runs);
	f->runs = f->small;
}

/* --- room -------------------------------------------------------------------------- */

static bool grow(struct tcp_flight *f)
{
	struct tcp_run *runs;

	if (f->runs != f->small || !f->large)
		return false;
	runs = mem_pool_get(f->large);
	if (!runs)
		return false;
	for (uint32_t i = 0; i < f->count; i++)
		runs[i] = *tcp_run_at(f, i);
	f->runs = runs;
	f->head = 0;
	f->mask = TCP_RUNS_LARGE - 1;
	return true;
}

static uint32_t free_count(const struct tcp_flight *f)
{
	return f->mask + 1u - f->count;
}

/* b's marks and times hold for both; the span tells what a's were. */
static void run_join(struct tcp_run *a, const struct tcp_run *b)
{
	uint32_t span_us = b->sent_us - a->sent_us + a->span_us;
	struct seq start = a->start;
	bool later = (int32_t)(b->sent_us - a->sent_us) >= 0;

	if (later)
		*a = *b;
	else
		a->end = b->end;
	a->start = start;
	a->span_us = (uint16_t)(later ? MIN(span_us, (uint32_t)UINT16_MAX) : UINT16_MAX);
}

static void run_remove(struct tcp_flight *f, uint32_t i)
{
	f->count--;
	for (; i < f->count; i++)
		*tcp_run_at(f, i) = *tcp_run_at(f, i + 1);
}

/* Joins the two neighbours in the same state whose times differ least; false if there are none. */
static bool join_most_alike(struct tcp_flight *f)
{
	uint32_t best = UINT32_MAX, best_us = UINT32_MAX;

	for (uint32_t i = 0; i + 1 < f->count; i++) {
		const struct tcp_run *a = tcp_run_at(f, i), *b = tcp_run_at(f, i + 1);
		int32_t diff_us = (int32_t)(b->sent_us - a->sent_us);
		uint32_t apart_us = (uint32_t)(diff_us < 0 ? -(int64_t)diff_us : diff_us);

		if (((a->flags ^ b->flags) & RUN_STATE) == 0 && apart_us < best_us) {
			best = i;
			best_us = apart_us;
		}
	}
	if (best == UINT32_MAX)
		return false;
	run_join(tcp_run_at(f, best), tcp_run_at(f, best + 1));
	run_remove(f, best + 1);
	return true;
}

/* Positions change here and nowhere else during a change. */
static void make_room(struct tcp_flight *f)
{
	while (free_count(f) < FREE_MIN && (grow(f) || join_most_alike(f)))
		;
}

static bool open_slot(struct tcp_flight *f, uint32_t i)
{
	if (free_count(f) == 0)
		return false;
	for (uint32_t k = f->count++; k > i; k--)
		*tcp_run_at(f, k) = *tcp_run_at(f, k - 1);
	return true;
}

/* Run i ends at `at` and the next begins there, if `at` lies inside; false: no room. */
static bool run_split(struct tcp_flight *f, uint32_t i, struct seq at)
{
	if (seq_leq(at, tcp_run_at(f, i)->start) || seq_geq(at, tcp_run_at(f, i)->end))
		return true;
	if (!open_slot(f, i + 1))
		return false;
	*tcp_run_at(f, i + 1) = *tcp_run_at(f, i);
	tcp_run_at(f, i)->end = at;
	tcp_run_at(f, i + 1)->start = at;
	return true;
}

/* The position of the run that holds `seq`; count if none does. */
static uint32_t run_find(const struct tcp_flight *f, struct seq seq)
{
	uint32_t lo = 0, hi = f->count;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (seq_leq(tcp_run_at(f, mid)->end, seq))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void tcp_flight_tidy(struct tcp_flight *f)
{
	uint32_t kept = 0;

	for (uint32_t i = 1; i < f->count; i++) {
		struct tcp_run *a = tcp_run_at(f, kept), *b = tcp_run_at(f, i);
		bool times_matter = !(a->flags & (TCP_RUN_SACKED | TCP_RUN_LOST));

		if (((a->flags ^ b->flags) & RUN_STATE) == 0 &&
			(!times_matter ||
				(a->sent_us == b->sent_us && a->delivered == b->delivered)))
			run_join(a, b);
		else
			*tcp_run_at(f, ++kept) = *b;
	}
	if (f->count)
		f->count = (uint16_t)(kept + 1);
}

/* --- sending ----------------------------------------------------------------------- */

static void stamp(struct tcp_flight *f, struct tcp_run *run, uint32_t now_us)
{
	run->sent_us = now_us;
	run->delivered = f->delivered;
	run->delivered_us = f->delivered_us;
	run->first_sent_us = f->first_sent_us;
	run->flags &= (uint16_t)~TCP_RUN_APP_LIMITED;
	if (f->app_limited)
		run->flags |= TCP_RUN_APP_LIMITED;
}

/* With nothing on its way, what the peer has of it is measured from here on. */
static void rate_begins(struct tcp_flight *f, uint32_t now_us)
{
	uint32_t bytes = 0;

	if (f->count)
		bytes = (uint32_t)seq_diff(
			tcp_run_at(f, f->count - 1u)->end, tcp_run_at(f, 0)->start);
	if (bytes == f->sacked_bytes + f->lost_bytes)
		f->first_sent_us = f->delivered_us = now_us;
}

static bool joins_last(
	const struct tcp_flight *f, const struct tcp_run *last, uint32_t now_us, uint32_t spread_us)
{
	if (last->flags & RUN_STATE)
		return false;
	if (last->sent_us == now_us)
		return true;
	return 2u * f->count > f->mask + 1u &&
	       now_us - last->sent_us + last->span_us < MIN(spread_us, (uint32_t)UINT16_MAX);
}

void tcp_flight_sent(
	struct tcp_flight *f, struct seq start, struct seq end, uint32_t now_us, uint32_t spread_us)
{
	struct tcp_run *last = f->count ? tcp_run_at(f, f->count - 1u) : NULL;

	rate_begins(f, now_us);
	if (last && joins_last(f, last, now_us, spread_us)) {
		last->span_us = (uint16_t)(now_us - last->sent_us + last->span_us);
		last->end = end;
		stamp(f, last, now_us);
		return;
	}
	make_room(f);
	if (open_slot(f, f->count)) {
		last = tcp_run_at(f, f->count - 1u);
		*last = (struct tcp_run){.start = start, .end = end};
		stamp(f, last, now_us);
		return;
	}
	/* Nothing is alike and nothing grows: the last run takes it, and forgets SACK. */
	last = tcp_run_at(f, f->count - 1u);
	if (last->flags & TCP_RUN_SACKED)
		f->sacked_bytes -= tcp_run_bytes(last);
	if (last->flags & TCP_RUN_LOST)
		f->lost_bytes -= tcp_run_bytes(last);
	last->flags &= (uint16_t) ~(TCP_RUN_SACKED | TCP_RUN_LOST);
	last->end = end;
	stamp(f, last, now_us);
}

void tcp_flight_resent(struct tcp_flight *f, struct seq start, struct seq end, uint32_t now_us)
{
	uint32_t i;

	rate_begins(f, now_us);
	make_room(f);
	i = run_find(f, start);
	if (i < f->count && seq_lt(tcp_run_at(f, i)->start, start) && run_split(f, i, start))
		i++;
	for (; i < f->count && seq_lt(tcp_run_at(f, i)->start, end); i++) {
		struct tcp_run *run = tcp_run_at(f, i);

		if (run->flags & TCP_RUN_SACKED)
			continue;
		(void)run_split(f, i, end); /* no room: then all of it counts as sent */
		if (run->flags & TCP_RUN_LOST)
			f->lost_bytes -= tcp_run_bytes(run);
		run->flags &= (uint16_t)~TCP_RUN_LOST;
		run->flags |= TCP_RUN_RESENT;
		run->span_us = 0;
		stamp(f, run, now_us);
	}
	tcp_flight_tidy(f);
}

void tcp_flight_forget(struct tcp_flight *f, uint32_t now_us)
{
	f->delivered_us = f->first_sent_us = now_us;
	f->rack_rtt_us = 0;
	for (uint32_t i = 0; i < f->count; i++) {
		struct tcp_run *run = tcp_run_at(f, i);

		run->flags |= TCP_RUN_RESENT;
		run->span_us = 0;
		stamp(f, run, now_us);
	}
}

/* --- delivery ---------------------------------------------------------------------- */

/* RFC 8985 6.2 step 2. An ACK that came too soon after a repetition, or that echoes an older
 * timestamp, is for what was sent before. */
static void rack_update(struct tcp_flight *f, const struct tcp_run *run, struct seq end,
	const struct tcp_delivery *d)
{
	uint32_t rtt_us = MAX(d->now_us - run->sent_us, 1u);
	int32_t later = (int32_t)(run->sent_us - f->rack_sent_us);

	if (run->flags & TCP_RUN_RESENT &&
		(rtt_us < f->min_rtt_us ||
			(d->echo_age_us != UINT32_MAX && d->echo_age_us > rtt_us)))
		return;
	if (f->rack_rtt_us && (later < 0 || (later == 0 && seq_leq(end, f->rack_end))))
		return;
	f->rack_sent_us = run->sent_us;
	f->rack_end = end;
	f->rack_rtt_us = rtt_us;
}

/* Runs that were joined have the time of the last; does that still tell the round trip of the
 * first? */
static bool is_timed(const struct tcp_run *run, uint32_t now_us)
{
	return run->span_us < UINT16_MAX && run->span_us <= (now_us - run->sent_us) / 4;
}

/* [run->start, end) reached the peer. */
static void deliver(
	struct tcp_flight *f, const struct tcp_run *run, struct seq end, struct tcp_delivery *d)
{
	uint32_t bytes = (uint32_t)seq_diff(end, run->start);
	bool once = !(run->flags & TCP_RUN_RESENT);

	f->delivered += bytes;
	d->bytes += bytes;
	if (run->flags & TCP_RUN_LOST)
		f->lost_bytes -= bytes;
	if (once && seq_leq(end, d->recover))
		d->original = true;
	if (seq_gt(end, f->fack))
		f->fack = end;
	else if (once && seq_lt(end, d->fack))
		d->reordered = true;
	if (once && is_timed(run, d->now_us) &&
		(d->rtt_us == 0 || (int32_t)(run->sent_us - d->rtt_sent_us) > 0)) {
		d->rtt_us = MAX(d->now_us - run->sent_us, 1u);
		d->rtt_sent_us = run->sent_us;
	}
	rack_update(f, run, end, d);
	if (!d->rate || (int32_t)(run->delivered - d->rate_delivered) > 0 ||
		(run->delivered == d->rate_delivered &&
			(int32_t)(run->sent_us - d->rate_sent_us) > 0)) {
		d->rate = true;
		d->rate_app_limited = run->flags & TCP_RUN_APP_LIMITED;
		d->rate_delivered = run->delivered;
		d->rate_delivered_us = run->delivered_us;
		d->rate_sent_us = run->sent_us;
		d->rate_send_us = run->sent_us - run->first_sent_us;
	}
}

void tcp_flight_ack(struct tcp_flight *f, struct seq una, struct tcp_delivery *d)
{
	while (f->count) {
		struct tcp_run *run = tcp_run_at(f, 0);
		struct seq end = seq_min(run->end, una);

		if (seq_leq(end, run->start))
			break;
		d->acked_bytes += (uint32_t)seq_diff(end, run->start);
		if (run->flags & TCP_RUN_SACKED)
			f->sacked_bytes -= (uint32_t)seq_diff(end, run->start);
		else
			deliver(f, run, end, d);
		run->start = end;
		if (seq_lt(end, run->end))
			break;
		f->head = (uint16_t)((f->head + 1) & f->mask);
		f->count--;
	}
	f->fack = seq_max(f->fack, una);
}

void tcp_flight_sack(struct tcp_flight *f, struct seq start, struct seq end, struct tcp_delivery *d)
{
	uint32_t before = f->sacked_bytes;
	uint32_t i = run_find(f, start);

	/* Mostly it is what was known before. */
	if (i >= f->count ||
		(tcp_run_at(f, i)->flags & TCP_RUN_SACKED && seq_geq(tcp_run_at(f, i)->end, end)))
		return;
	make_room(f);
	i = run_find(f, start);
	if (seq_lt(tcp_run_at(f, i)->start, start) && !(tcp_run_at(f, i)->flags & TCP_RUN_SACKED)) {
		(void)run_split(f, i, start); /* no room: the part is not told apart */
		i++;
	}
	for (; i < f->count && seq_lt(tcp_run_at(f, i)->start, end); i++) {
		struct tcp_run *run = tcp_run_at(f, i);

		if (run->flags & TCP_RUN_SACKED)
			continue;
		if (!run_split(f, i, end))
			break;
		deliver(f, run, run->end, d);
		run->flags &= (uint16_t)~TCP_RUN_LOST;
		run->flags |= TCP_RUN_SACKED;
		f->sacked_bytes += tcp_run_bytes(run);
	}
	d->sacked_bytes += f->sacked_bytes - before;
	tcp_flight_tidy(f);
}

/* --- loss -------------------------------------------------------------------------- */

void tcp_flight_lose_run(struct tcp_flight *f, uint32_t i)
{
	struct tcp_run *run = tcp_run_at(f, i);

	if (run->flags & (TCP_RUN_SACKED | TCP_RUN_LOST))
		return;
	run->flags |= TCP_RUN_LOST;
	f->lost_bytes += tcp_run_bytes(run);
	f->lost_new += tcp_run_bytes(run);
}

void tcp_flight_lose(struct tcp_flight *f, struct seq limit)
{
	make_room(f);
	for (uint32_t i = 0; i < f->count && seq_lt(tcp_run_at(f, i)->start, limit); i++) {
		if (tcp_run_at(f, i)->flags & (TCP_RUN_SACKED | TCP_RUN_LOST))
			continue;
		(void)run_split(f, i, limit); /* no room: all of it */
		tcp_flight_lose_run(f, i);
	}
	tcp_flight_tidy(f);
}

void tcp_flight_lose_old(struct tcp_flight *f, uint32_t age_us, uint32_t now_us)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (now_us - tcp_run_at(f, i)->sent_us >= age_us)
			tcp_flight_lose_run(f, i);
	tcp_flight_tidy(f);
}

void tcp_flight_lose_none(struct tcp_flight *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		tcp_run_at(f, i)->flags &= (uint16_t)~TCP_RUN_LOST;
	f->lost_bytes = f->lost_new = 0;
}

void tcp_flight_renege(struct tcp_flight *f)
{
	for (uint32_t i = 0; i < f->count; i++) {
		tcp_run_at(f, i)->flags &= (uint16_t)~TCP_RUN_SACKED;
		tcp_flight_lose_run(f, i);
	}
	f->sacked_bytes = 0;
	tcp_flight_tidy(f);
}

const struct tcp_run *tcp_flight_first_lost(const struct tcp_flight *f)
{
	for (uint32_t i = 0; f->lost_bytes && i < f->count; i++)
		if (tcp_run_at(f, i)->flags & TCP_RUN_LOST)
			return tcp_run_at(f, i);
	return NULL;
}

bool tcp_flight_covers(const struct tcp_flight *f, struct seq una, struct seq nxt)
{
	uint32_t sacked_bytes = 0, lost_bytes = 0;

	for (uint32_t i = 0; i < f->count; i++) {
		const struct tcp_run *run = tcp_run_at(f, i);

		if (!seq_eq(run->start, una) || !seq_lt(run->start, run->end) ||
			(run->flags & TCP_RUN_SACKED && run->flags & TCP_RUN_LOST))
			return false;
		sacked_bytes += run->flags & TCP_RUN_SACKED ? tcp_run_bytes(run) : 0;
		lost_bytes += run->flags & TCP_RUN_LOST ? tcp_run_bytes(run) : 0;
		una = run->end;
	}
	return seq_eq(una, nxt) && sacked_bytes == f->sacked_bytes && lost_bytes == f->lost_bytes;
}
