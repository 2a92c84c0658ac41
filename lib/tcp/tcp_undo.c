/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Congestion that was none: what was believed lost arrives after all. Three things prove it:
 *   - the ACK of the first repetition echoes a timestamp from before it (Eifel, RFC 3522);
 *   - D-SACK says of all that was sent again that it came twice (RFC 2883, RFC 3708);
 *   - after a timeout, originals are acknowledged that were not sent again (F-RTO, RFC 5682).
 * Window and threshold are then what they were.
 */
#include "tcp_pvt.h"

void tcp_undo_note(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!f)
		return;
	f->undo = true;
	f->undo_resent = false;
	f->undo_bytes = 0;
	f->undo_una = c->snd_una;
	f->undo_cwnd = c->cwnd;
	f->undo_ssthresh = c->ssthresh;
}

static void undo(struct tcp_conn *c, struct tcp_flight *f)
{
	f->undo = false;
	f->frto = TCP_FRTO_NOT;
	f->head_due = false;
	f->dupacks = 0;
	tcp_flight_lose_none(f);
	c->cwnd = MAX(c->cwnd, f->undo_cwnd);
	c->ssthresh = MAX(c->ssthresh, f->undo_ssthresh);
	c->flags &= ~(uint32_t)(TCP_F_RECOVERY | TCP_F_LOSS);
	tcp_cc(c)->on_undo(c);
	tcp_count(c->tcp, TCP_STAT_UNDOS);
	tcp_conn_schedule(c);
}

void tcp_undo_dsack(struct tcp_conn *c, const struct wire_sack_block *twice)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!f->undo || !f->undo_resent || seq_lt(twice->start, f->undo_una))
		return;
	f->undo_bytes -= MIN((uint32_t)seq_diff(twice->end, twice->start), f->undo_bytes);
	if (f->undo_bytes == 0 && f->lost_bytes == 0)
		undo(c, f);
}

/* --- F-RTO (RFC 5682) -------------------------------------------------------------- */

void tcp_frto_begin(struct tcp_conn *c, bool first)
{
	tcp_flight_of(c)->frto = first ? TCP_FRTO_HEAD : TCP_FRTO_NOT;
}

static bool can_send_new(const struct tcp_conn *c)
{
	return seq_gt(tcp_snd_end(c), c->snd_nxt) &&
	       seq_gt(seq_add(c->snd_una, c->snd_wnd), c->snd_nxt);
}

/* Step 2b: two new segments go instead of repetitions. */
static void frto_try_new(struct tcp_conn *c, struct tcp_flight *f)
{
	if (!can_send_new(c)) {
		f->frto = TCP_FRTO_NOT;
		return;
	}
	f->frto = TCP_FRTO_NEW;
	tcp_flight_lose_none(f);
	c->cwnd = tcp_pipe(c) + 2 * tcp_seg_bytes(c);
}

static void frto_real(struct tcp_conn *c, struct tcp_flight *f)
{
	if (f->frto == TCP_FRTO_NEW) { /* step 3a */
		tcp_flight_lose(f, f->recover);
		c->cwnd = 3 * tcp_seg_bytes(c);
	}
	f->frto = TCP_FRTO_NOT;
}

/* The ACK of the head proves nothing, with SACK or without: what lies behind it may have waited at
 * the peer for long. Blocks of SACK that come before it are news, and no verdict. */
static void frto_ack(struct tcp_conn *c, struct tcp_flight *f, const struct tcp_delivery *d,
	bool forward, bool dup)
{
	bool head = f->frto == TCP_FRTO_HEAD;

	if (d->original && !head && seq_leq(c->snd_una, f->recover))
		undo(c, f);
	else if (seq_geq(c->snd_una, f->recover))
		f->frto = TCP_FRTO_NOT;
	else if (head && forward)
		frto_try_new(c, f);
	else if ((dup || d->sacked_bytes) && !(head && c->flags & TCP_F_SACK))
		frto_real(c, f);
}

/* --- an ACK ------------------------------------------------------------------------ */

static bool echo_is_older(
	const struct tcp_conn *c, const struct tcp_flight *f, const struct wire_tcp *h)
{
	return c->flags & TCP_F_TS && h->has_timestamp && h->ts_ecr &&
	       (int32_t)(h->ts_ecr - c->ts_offset - f->undo_resent_ms) < 0;
}

void tcp_undo_ack(struct tcp_conn *c, const struct wire_tcp *h, const struct tcp_delivery *d,
	bool forward, bool dup)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!(c->flags & (TCP_F_RECOVERY | TCP_F_LOSS)))
		return;
	if (forward && f->undo && f->undo_resent) {
		if (echo_is_older(c, f, h)) {
			undo(c, f);
			return;
		}
	}
	if (f->frto != TCP_FRTO_NOT && f->undo && f->undo_resent)
		frto_ack(c, f, d, forward, dup);
}
