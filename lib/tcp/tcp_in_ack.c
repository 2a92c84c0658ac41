/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an ACK means: window, send queue, runs of the flight, round trip, and then what follows
 * from that for losses (tcp_loss.c, tcp_rack.c, tcp_undo.c) and for the congestion control.
 */
#include "tcp_pvt.h"

#define STALE_MS        (30u * 60 * 1000) /* far below the half of 2^32 us */
#define MIN_RTT_SPAN_US (10u * 1000000)

void tcp_ack_window(struct tcp_conn *c, const struct wire_tcp *h)
{
	uint32_t window = (uint32_t)h->window << (h->flags & WIRE_TCP_SYN ? 0 : c->snd_shift);

	if (seq_lt(c->snd_wl1, h->seq) ||
		(seq_eq(c->snd_wl1, h->seq) && seq_leq(c->snd_wl2, h->ack))) {
		if (window != c->snd_wnd)
			tcp_conn_schedule(c);
		c->snd_wnd = window;
		c->snd_wl1 = h->seq;
		c->snd_wl2 = h->ack;
	}
	c->snd_wnd_max = MAX(c->snd_wnd_max, (uint16_t)(window >> c->snd_shift));
}

/* How old the timestamp is that came back; UINT32_MAX: there is none that makes sense. */
static uint32_t echo_age_ms(const struct tcp_conn *c, const struct wire_tcp *h)
{
	uint32_t age_ms = tcp_now_ms(c->tcp) + c->ts_offset - h->ts_ecr;

	if (!(c->flags & TCP_F_TS) || !h->has_timestamp || !h->ts_ecr || age_ms >= TCP_RTO_MAX_MS)
		return UINT32_MAX;
	return age_ms;
}

/* Takes acknowledged bytes off the queue, and tells the owner who waits for that. */
static void advance(struct tcp_conn *c, uint32_t acked)
{
	c->snd_una = seq_add(c->snd_una, acked);
	c->snd_nxt = seq_max(c->snd_nxt, c->snd_una);
	pkt_chain_drop(&c->snd, acked); /* a FIN has no byte in it: at most all are dropped */
	c->hint = (struct pkt_chain_hint){0};
	c->backoff = 0;
	if (acked >= tcp_seg_bytes(c))
		c->flags |= TCP_F_MSS_ARRIVED;
	if (c->mss < c->mss_max)
		tcp_pmtu_acked(c);
	tcp_rtx_restart(c);
	if (seq_eq(c->snd_una, c->snd_max))
		tcp_rtx_idle(c);
	if (tcp_options(c)->user_timeout_ms)
		tcp_idle_restart(c);
	tcp_room_check(c);
	if (c->flags & TCP_F_WANT_SENT && c->snd.bytes == 0 && seq_eq(c->snd_una, c->snd_max) &&
		(!(c->flags & TCP_F_FIN_QUEUED) || c->flags & TCP_F_FIN_SENT)) {
		c->flags &= ~(uint32_t)TCP_F_WANT_SENT;
		tcp_conn_event(c, TCP_EVENT_SENT);
	}
	tcp_conn_schedule(c);
}

/* --- with a flight ----------------------------------------------------------------- */

static void update_min_rtt(struct tcp_flight *f, uint32_t rtt_us, uint32_t now_us)
{
	if (now_us - f->min_rtt_turn_us > MIN_RTT_SPAN_US) {
		f->min_rtt_us = f->min_rtt_next_us;
		f->min_rtt_next_us = 0;
		f->min_rtt_turn_us = now_us;
	}
	if (f->min_rtt_us == 0 || rtt_us < f->min_rtt_us)
		f->min_rtt_us = rtt_us;
	if (f->min_rtt_next_us == 0 || rtt_us < f->min_rtt_next_us)
		f->min_rtt_next_us = rtt_us;
}

/* RFC 6298 wants one sample for each round trip. What was sent once tells microseconds; of what
 * was sent again only the echoed timestamp is never ambiguous (RFC 7323 4.1). */
static void measure(struct tcp_conn *c, struct tcp_flight *f, const struct wire_tcp *h,
	const struct tcp_delivery *d)
{
	uint32_t age_ms = echo_age_ms(c, h);

	if (d->rtt_us)
		update_min_rtt(f, d->rtt_us, d->now_us);
	if (seq_leq(h->ack, f->rtt_seq))
		return;
	if (d->rtt_us)
		tcp_rtt_sample(c, d->rtt_us);
	else if (age_ms != UINT32_MAX)
		tcp_rtt_sample(c, age_ms * 1000);
	else
		return;
	f->rtt_seq = c->snd_nxt;
}

/* RFC 2883 4: the first block lies below the ACK, or within the second one. */
static bool is_dsack(const struct wire_tcp *h)
{
	const struct wire_sack_block *first = &h->sack[0], *second = &h->sack[1];

	if (h->sack_count == 0 || seq_geq(first->start, first->end))
		return false;
	return seq_lt(first->start, h->ack) ||
	       (h->sack_count > 1 && seq_geq(first->start, second->start) &&
		       seq_leq(first->end, second->end));
}

static const struct seq *take_dsack(struct tcp_conn *c, const struct wire_tcp *h)
{
	if (!(c->flags & TCP_F_SACK) || !is_dsack(h) || seq_gt(h->sack[0].end, c->snd_max))
		return NULL;
	tcp_count(c->tcp, TCP_STAT_DSACK_RECEIVED);
	return &h->sack[0].end;
}

/* Blocks at or below the ACK are D-SACK or late; above snd_nxt they are lies. */
static void take_sack(
	struct tcp_conn *c, struct tcp_flight *f, const struct wire_tcp *h, struct tcp_delivery *d)
{
	struct seq una = seq_max(c->snd_una, h->ack);

	if (!(c->flags & TCP_F_SACK))
		return;
	for (uint8_t i = 0; i < h->sack_count; i++) {
		struct seq start = h->sack[i].start, end = h->sack[i].end;

		if (seq_gt(start, una) && seq_lt(start, end) && seq_leq(end, c->snd_nxt))
			tcp_flight_sack(f, start, end, d);
	}
}

/* draft-cheng-iccrg-delivery-rate-estimation 3.3. */
static void fill_rate(struct tcp_flight *f, const struct tcp_delivery *d, struct tcp_ack *a)
{
	uint32_t interval_us;

	if (d->bytes) {
		f->delivered_us = d->now_us;
		if (f->app_limited && (int32_t)(f->delivered - f->app_limited) > 0)
			f->app_limited = 0;
	}
	if (!d->rate)
		return;
	f->first_sent_us = d->rate_sent_us;
	interval_us = MAX(d->rate_send_us, d->now_us - d->rate_delivered_us);
	a->rate_prior_delivered = d->rate_delivered;
	a->rate_bytes = f->delivered - d->rate_delivered;
	a->rate_app_limited = d->rate_app_limited;
	if (interval_us >= f->min_rtt_us) /* less cannot be */
		a->rate_interval_us = interval_us;
}

/* Without SACK duplicates told of a part already. */
static void take_back_duplicates(struct tcp_flight *f, struct tcp_delivery *d)
{
	uint32_t twice = MIN(f->dup_bytes, d->acked_bytes);

	f->dup_bytes -= twice;
	f->delivered -= twice;
	d->bytes -= MIN(twice, d->bytes);
}

static void tell_control(struct tcp_conn *c, struct tcp_flight *f, const struct tcp_delivery *d,
	struct tcp_ack *a, bool forward)
{
	a->sacked_bytes = d->sacked_bytes;
	a->delivered_bytes = d->bytes;
	a->rtt_us = d->rtt_us;
	a->lost_bytes = f->lost_new;
	fill_rate(f, d, a);
	if (a->acked_bytes || a->delivered_bytes || a->lost_bytes)
		tcp_cc(c)->on_ack(c, a);
	tcp_prr_ack(c, a->delivered_bytes, forward);
	f->lost_new = 0;
}

static void with_flight(struct tcp_conn *c, const struct wire_tcp *h, bool forward, bool dup)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t age_ms = echo_age_ms(c, h);
	struct tcp_delivery d = {
		.now_us = tcp_now_us(c->tcp),
		.echo_age_us =
			age_ms == UINT32_MAX || age_ms == 0 ? UINT32_MAX : (age_ms - 1) * 1000,
		.recover = f->recover,
		.fack = f->fack,
	};
	struct tcp_ack a = {
		.flight_bytes = tcp_pipe(c),
		.ece = tcp_ecn_told(c, h),
		/* What was not used does not grow (RFC 7661); the ACK that ends a recovery sets
		 * the window, and that is all (RFC 5681 3.2 step 6). */
		.cwnd_limited =
			!(c->flags & TCP_F_RECOVERY) &&
			(2 * (uint64_t)tcp_flight_used(c) >= c->cwnd || c->flags & TCP_F_LOSS),
	};
	const struct seq *dsack_end = take_dsack(c, h);

	if (tcp_now_ms(c->tcp) - f->news_ms > STALE_MS)
		tcp_flight_forget(f, d.now_us);
	if (forward) {
		a.acked_bytes = (uint32_t)seq_diff(h->ack, c->snd_una);
		tcp_flight_ack(f, seq_min(h->ack, c->snd_nxt), &d);
		take_back_duplicates(f, &d);
		measure(c, f, h, &d);
		advance(c, a.acked_bytes);
	}
	take_sack(c, f, h, &d);
	dup = dup || d.sacked_bytes;
	if (!forward && !dup && !dsack_end)
		return;
	f->tlp_arm = true;
	f->news_ms = tcp_now_ms(c->tcp);
	if (dsack_end) {
		tcp_rack_dsack(c);
		tcp_undo_dsack(c, &h->sack[0]);
	}
	tcp_undo_ack(c, h, &d, forward, dup);
	tcp_tlp_ack(c, h, dsack_end, dup);
	tcp_loss_ack(c, &d, forward, dup);
	if (d.sacked_bytes || dsack_end)
		tcp_conn_schedule(c);
	tell_control(c, f, &d, &a, forward);
}

/* --- without ----------------------------------------------------------------------- */

static void without_flight(struct tcp_conn *c, const struct wire_tcp *h)
{
	uint32_t acked = (uint32_t)seq_diff(h->ack, c->snd_una);
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	uint32_t age_ms = echo_age_ms(c, h);

	if (age_ms != UINT32_MAX)
		tcp_rtt_sample(c, age_ms * 1000);
	advance(c, acked);
	tcp_cc(c)->on_ack(
		c, &(struct tcp_ack){
			   .acked_bytes = acked,
			   .delivered_bytes = acked,
			   .flight_bytes = flight,
			   .ece = tcp_ecn_told(c, h),
			   .cwnd_limited = 2 * (uint64_t)flight >= c->cwnd || c->flags & TCP_F_LOSS,
		   });
	if (!(c->flags & TCP_F_LOSS))
		return;
	if (seq_eq(c->snd_una, c->snd_nxt))
		c->flags &= ~(uint32_t)(TCP_F_LOSS | TCP_F_RTX_HEAD);
	else
		c->flags |= TCP_F_RTX_HEAD;
}

/* RFC 5681 2. What answers a probe of a closed window looks alike. */
static bool is_duplicate(const struct tcp_conn *c, const struct tcp_seg *seg, uint32_t window)
{
	const struct wire_tcp *h = &seg->h;

	return tcp_outstanding(c) != 0 && c->rtx_kind != TCP_RTX_PERSIST && seg->len == 0 &&
	       !(h->flags & WIRE_TCP_FIN) && window == c->snd_wnd && window != 0 &&
	       !(c->flags & TCP_F_SACK && h->sack_count);
}

void tcp_ack_process(struct tcp_conn *c, const struct tcp_seg *seg)
{
	const struct wire_tcp *h = &seg->h;
	uint32_t window = c->snd_wnd;
	bool forward = seq_gt(h->ack, c->snd_una);

	tcp_ack_window(c, h);
	if (c->flags & TCP_F_OWNED) /* the peer lives; without an owner that is not enough */
		c->probes = 0;
	if (c->flight_ref)
		with_flight(c, h, forward, !forward && is_duplicate(c, seg, window));
	else if (forward)
		without_flight(c, h);
	tcp_ecn_ack(c, h);
}
