/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss: when it is believed, what goes again, and how the window follows.
 *
 * The runs of the flight (tcp_flight_pvt.h) say what is SACKed, lost, sent again. With SACK they
 * are marked by time (tcp_rack.c), without by three duplicates and partial ACKs (RFC 6582), by the
 * timeout always. snd_nxt never goes back: output sends what is marked, oldest first, as far as
 * the window exceeds the pipe. In a recovery PRR says what the window is, unless the congestion
 * control does.
 *
 * A connection that got no flight has only the timeout: then what is outstanding goes again one
 * segment for each ACK, and nothing new until all of it is acknowledged.
 */
#include "tcp_pvt.h"

struct tcp_flight *tcp_flight_take(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t now_us = tcp_now_us(c->tcp);

	if (f)
		return f;
	f = mem_pool_get(&c->tcp->flights);
	if (!f) {
		tcp_count(c->tcp, TCP_STAT_FLIGHT_POOL_EMPTY);
		return NULL;
	}
	tcp_flight_init(f, &c->tcp->runs, c->snd_una, now_us);
	f->min_rtt_us = f->min_rtt_next_us = c->srtt_us;
	f->news_ms = tcp_now_ms(c->tcp);
	f->rto_at = c->rtx_at; /* if it runs already: for the SYN, or for what left without */
	c->flight_ref = mem_pool_index(&c->tcp->flights, f) + 1;
	tcp_cc(c)->init(c);
	if (seq_lt(c->snd_una, c->snd_nxt)) { /* there was none when it left */
		tcp_flight_sent(f, c->snd_una, c->snd_nxt, now_us, 0);
		tcp_flight_resent(f, c->snd_una, c->snd_nxt, now_us);
		if (c->flags & TCP_F_LOSS) {
			tcp_flight_lose(f, c->snd_nxt);
			f->recover = c->snd_nxt;
			f->recover_set = true;
		}
	}
	return f;
}

void tcp_flight_release(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!f)
		return;
	tcp_flight_fini(f);
	mem_pool_put(&c->tcp->flights, f);
	c->flight_ref = 0;
}

uint32_t tcp_pipe(const struct tcp_conn *c)
{
	const struct tcp_flight *f = tcp_flight_of(c);
	uint32_t bytes = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	uint32_t gone = f ? f->sacked_bytes + f->lost_bytes + f->dup_bytes : 0;

	return bytes > gone ? bytes - gone : 0;
}

uint32_t tcp_flight_used(const struct tcp_conn *c)
{
	const struct tcp_flight *f = tcp_flight_of(c);
	uint32_t bytes = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	uint32_t sendable = MIN((uint32_t)seq_diff(tcp_snd_end(c), c->snd_una), c->snd_wnd);

	if (!f || !f->cwnd_full)
		return bytes;
	sendable = MIN(sendable, c->cwnd);
	return MAX(bytes, sendable);
}

void tcp_loss_sent(struct tcp_conn *c, struct seq start, struct seq end, bool again)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t now_us = tcp_now_us(c->tcp);

	if (!f)
		return;
	if (f->count == 0)
		f->news_ms = tcp_now_ms(c->tcp);
	if (seq_geq(start, c->snd_nxt)) {
		tcp_flight_sent(f, start, end, now_us, c->srtt_us / 32);
		f->tlp_arm = true;
	}
	if (again) {
		tcp_flight_resent(f, start, end, now_us);
		if (f->undo) {
			f->undo_bytes += (uint32_t)seq_diff(end, start);
			if (!f->undo_resent)
				f->undo_resent_ms = tcp_now_ms(c->tcp);
			f->undo_resent = true;
		}
	}
	if (c->flags & TCP_F_RECOVERY)
		f->prr_out += (uint32_t)seq_diff(end, start);
}

/* What was known of duplicates and timers is over. */
static void begin_anew(struct tcp_flight *f)
{
	f->dupacks = 0;
	f->dup_bytes = 0;
	f->tlp_out = f->tlp_due = f->head_due = false;
	f->reo_at = f->tlp_at = 0;
	f->frto = TCP_FRTO_NOT;
}

void tcp_loss_all(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!f) {
		c->flags |= TCP_F_LOSS | TCP_F_RTX_HEAD;
		return;
	}
	tcp_flight_lose(f, c->snd_nxt);
	begin_anew(f);
}

/* A second timeout, or SACK for the first byte: the receiver may have dropped what it said it has
 * (RFC 2018 8). */
static bool has_reneged(const struct tcp_conn *c, const struct tcp_flight *f)
{
	return f->sacked_bytes && (c->backoff > 1 || tcp_run_at(f, 0)->flags & TCP_RUN_SACKED);
}

static void lose_head(struct tcp_conn *c, struct tcp_flight *f)
{
	tcp_flight_lose(f, seq_min(seq_add(c->snd_una, tcp_seg_bytes(c)), c->snd_nxt));
}

/* RFC 8985 6.3: the first segment, and what had its time. Without RACK that is all. */
static void lose_by_timeout(struct tcp_conn *c, struct tcp_flight *f)
{
	uint32_t now_us = tcp_now_us(c->tcp);

	if (!(c->flags & TCP_F_SACK) || f->rack_rtt_us == 0) {
		tcp_flight_lose(f, c->snd_nxt);
	} else {
		lose_head(c, f);
		tcp_flight_lose_old(f, f->rack_rtt_us + tcp_rack_wnd_us(c), now_us);
	}
	begin_anew(f);
	f->head_due = true; /* RFC 6298 5.4, whatever else is on its way */
}

void tcp_loss_timeout(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);
	bool first = c->backoff == 1 && !(c->flags & (TCP_F_RECOVERY | TCP_F_LOSS));

	if (c->backoff == 1) {
		tcp_undo_note(c);
		tcp_cc_congestion(c, TCP_CC_TIMEOUT);
	}
	c->cwnd = tcp_seg_bytes(c);
	c->flags &= ~(uint32_t)TCP_F_RECOVERY;
	c->flags |= TCP_F_LOSS;
	if (!f) {
		tcp_loss_all(c);
		return;
	}
	if (has_reneged(c, f))
		tcp_flight_renege(f);
	lose_by_timeout(c, f);
	f->recover = c->snd_nxt;
	f->recover_set = true;
	tcp_frto_begin(c, first);
}

/* --- recovery ---------------------------------------------------------------------- */

static void reduce(struct tcp_conn *c)
{
	tcp_undo_note(c);
	tcp_cc_congestion(c, TCP_CC_LOSS);
	if (!tcp_cc(c)->owns_cwnd)
		c->cwnd = c->ssthresh;
}

static void enter_recovery(struct tcp_conn *c, struct tcp_flight *f)
{
	uint32_t used = tcp_flight_used(c);

	f->recover = c->snd_nxt;
	f->recover_set = true;
	f->prr_flight_bytes = MAX(used, 1u);
	/* What ACKs before the first sign of loss let go, and this turn has not sent yet. */
	f->prr_delivered = used - (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	f->prr_out = 0;
	f->by_dupacks = f->sacked_bytes == 0;
	f->head_due = true;
	f->tlp_out = false;
	reduce(c);
	c->flags |= TCP_F_RECOVERY;
	tcp_conn_schedule(c);
}

/* All until `recover` is acknowledged. Without SACK little may be in the network now: no burst
 * (RFC 6582 3.2 step 3, full ACK, option 1). */
static void leave_recovery(struct tcp_conn *c, struct tcp_flight *f)
{
	uint32_t seg = tcp_seg_bytes(c);

	if (c->flags & TCP_F_RECOVERY && !tcp_cc(c)->owns_cwnd)
		c->cwnd = f->by_dupacks ? MIN(c->ssthresh, MAX(tcp_outstanding(c), seg) + seg)
					: c->ssthresh;
	tcp_rack_recovered(c);
	c->flags &= ~(uint32_t)(TCP_F_RECOVERY | TCP_F_LOSS);
	f->head_due = false;
	f->frto = TCP_FRTO_NOT;
}

/* RFC 5681 3.2, RFC 6582 3.2 step 1: three duplicates, and not those of a recovery that is over. */
static bool told_by_duplicates(struct tcp_conn *c, struct tcp_flight *f)
{
	if (f->sacked_bytes || f->dupacks < TCP_DUP_THRESH ||
		(f->recover_set && seq_leq(c->snd_una, f->recover)))
		return false;
	lose_head(c, f);
	return true;
}

static void count_duplicate(struct tcp_conn *c, struct tcp_flight *f)
{
	uint32_t seg = tcp_seg_bytes(c), left = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);

	f->dupacks += f->dupacks < UINT8_MAX;
	left = left > seg ? left - seg : 0;
	if (f->dup_bytes + seg <= left) {
		f->dup_bytes += seg;
		f->delivered += seg;
	}
	tcp_conn_schedule(c); /* limited transmit (RFC 3042) */
}

void tcp_loss_ack(struct tcp_conn *c, const struct tcp_delivery *d, bool forward, bool dup)
{
	struct tcp_flight *f = tcp_flight_of(c);
	bool lost;

	if (forward)
		f->dupacks = 0;
	if (f->sacked_bytes)
		f->dup_bytes = 0;
	else if (dup)
		count_duplicate(c, f);
	if (d->reordered)
		f->reordering = true;
	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) && seq_geq(c->snd_una, f->recover))
		leave_recovery(c, f);
	else if (c->flags & TCP_F_RECOVERY && forward && f->by_dupacks) {
		lose_head(c, f); /* RFC 6582 3.2 step 3, partial ACK */
		f->head_due = true;
	}
	if (!(c->flags & (TCP_F_RECOVERY | TCP_F_LOSS)) && seq_gt(c->snd_una, f->recover))
		f->recover_set = false;
	lost = tcp_rack_detect(c);
	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS))
		return;
	if (!lost && dup)
		lost = told_by_duplicates(c, f);
	if (lost && !tcp_pmtu_lost(c))
		enter_recovery(c, f);
}

void tcp_loss_repaired(struct tcp_conn *c)
{
	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS))
		return;
	reduce(c);
	tcp_flight_of(c)->undo = false;
}

/* RFC 6937 3.1 with the slow start bound where nothing more is lost. */
void tcp_prr_ack(struct tcp_conn *c, uint32_t delivered_bytes, bool forward)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t pipe = tcp_pipe(c), seg = tcp_seg_bytes(c);
	int64_t send;

	if (!(c->flags & TCP_F_RECOVERY) || tcp_cc(c)->owns_cwnd ||
		(delivered_bytes == 0 && !f->head_due))
		return;
	f->prr_delivered += delivered_bytes;
	if (pipe > c->ssthresh) {
		send = (int64_t)(((uint64_t)f->prr_delivered * c->ssthresh + f->prr_flight_bytes -
					 1) /
				 f->prr_flight_bytes) -
		       f->prr_out;
	} else {
		send = MAX((int64_t)f->prr_delivered - f->prr_out, (int64_t)delivered_bytes);
		if (forward && f->lost_new == 0)
			send += seg;
		send = MIN((int64_t)c->ssthresh - pipe, send);
	}
	send = MAX(send, (int64_t)0);
	c->cwnd = MAX(pipe + (uint32_t)send, seg);
}
