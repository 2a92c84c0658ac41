/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arrival of segments, by the steps of RFC 9293 3.10.7, each a function of its own.
 *
 * In: segments of tcp_burst.c. Out: changes in connections, which are put on the active list;
 * replies without a connection (resets, TIME-WAIT) on a short queue for phase TX. Nothing is sent
 * here, and no callback runs.
 *
 * Steps return false when the segment is done with. What is left of its buffer is freed by the
 * burst's loop, so that no step has to.
 *
 * Differences from the letter of 3.10.7.4, all of them those of RFC 5961 and RFC 7323:
 *   - a RST counts only with exactly the next number, others in the window get a challenge ACK;
 *   - a SYN on a synchronized connection gets a challenge ACK and changes nothing; the same in
 *     SYN-RECEIVED, but for a repetition of the peer's SYN, which gets our SYN again;
 *   - an ACK must lie in [snd_una - largest window, snd_max];
 *   - once timestamps are agreed on, a segment without or with an old one is dropped.
 * Urgent data is ordinary data (RFC 6093).
 */
#include "tcp_pvt.h"

/* --- without a connection ---------------------------------------------------------- */

/* 3.10.7.1, and the reset rules of 3.5.2. */
void tcp_in_closed(struct tcp *tcp, const struct tcp_seg *seg, enum tcp_reset_cause cause)
{
	static const enum tcp_stat limited[] = {
		[TCP_RESET_CLOSED_PORT] = TCP_STAT_RST_LIMITED,
		[TCP_RESET_OPEN_PORT] = TCP_STAT_RST_LIMITED_OPEN,
	};
	const struct wire_tcp *h = &seg->h;
	struct tcp_reply reply = {
		.tuple = seg->tuple, .flags = WIRE_TCP_RST, .to_us = seg->from_us};

	if (h->flags & WIRE_TCP_RST)
		return;
	if (!tcp_bucket_take(tcp, &tcp->resets[cause], TCP_RESETS_PER_SEC)) {
		tcp_count(tcp, limited[cause]);
		return;
	}
	if (h->flags & WIRE_TCP_ACK) {
		reply.seq = h->ack;
	} else {
		reply.flags |= WIRE_TCP_ACK;
		reply.ack = seq_add(h->seq,
			seg->len + !!(h->flags & WIRE_TCP_SYN) + !!(h->flags & WIRE_TCP_FIN));
	}
	if (tcp_reply_schedule(tcp, &reply))
		tcp_count(tcp, TCP_STAT_TX_RST);
}

void tcp_challenge(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;

	if (!tcp_bucket_take(tcp, &tcp->challenges, TCP_CHALLENGES_PER_SEC)) {
		tcp_count(tcp, TCP_STAT_CHALLENGE_LIMITED);
		return;
	}
	tcp_count(tcp, TCP_STAT_CHALLENGE_ACKS);
	c->flags |= TCP_F_ACK_NOW;
	tcp_conn_schedule(c);
}

/* --- SYN-SENT (3.10.7.3) ----------------------------------------------------------- */

/* Ends the sample that our SYN began, if it was sent once. */
static void syn_timed(struct tcp_conn *c)
{
	if (c->flags & TCP_F_RTT)
		tcp_rtt_sample(c, tcp_now_us(c->tcp) - c->rtt_at_us);
	c->flags &= ~(uint32_t)TCP_F_RTT;
}

/* Our SYN is acknowledged, perhaps with text that went along; what was not goes as if never sent.
 */
static void syn_acked(struct tcp_conn *c, const struct wire_tcp *h)
{
	tcp_fast_open_answer(c, h);
	pkt_chain_drop(&c->snd, (uint32_t)seq_diff(h->ack, c->snd_una) - 1);
	c->snd_una = c->snd_nxt = c->snd_max = h->ack;
	if (c->flags & TCP_F_OWNED)
		c->hint = (struct pkt_chain_hint){0};
	syn_timed(c);
	if (c->flags & TCP_F_WANT_SENT && c->snd.bytes == 0 && !(c->flags & TCP_F_FIN_QUEUED)) {
		c->flags &= ~(uint32_t)TCP_F_WANT_SENT;
		tcp_conn_event(c, TCP_EVENT_SENT);
	}
}

static bool acks_our_syn(const struct tcp_conn *c, const struct wire_tcp *h)
{
	return seq_gt(h->ack, c->snd_una) && seq_leq(h->ack, c->snd_max);
}

static void syn_sent_established(struct tcp_conn *c, const struct wire_tcp *h)
{
	syn_acked(c, h);
	c->snd_wnd_max = 0;
	tcp_ack_window(c, h);
	c->flags |= TCP_F_ACK_NOW;
	(void)tcp_conn_establish(c); /* an active open has no backlog */
	tcp_room_check(c);
	tcp_conn_schedule(c);
}

static void in_syn_sent(struct tcp_conn *c, struct tcp_seg *seg)
{
	const struct wire_tcp *h = &seg->h;
	struct tcp *tcp = c->tcp;

	if (h->flags & WIRE_TCP_ACK && !acks_our_syn(c, h)) {
		tcp_count(tcp, TCP_STAT_RX_BAD_ACK);
		tcp_in_closed(tcp, seg, TCP_RESET_OPEN_PORT);
		return;
	}
	if (h->flags & WIRE_TCP_RST) {
		if (h->flags & WIRE_TCP_ACK && !tcp_ecn_ask_without(c)) {
			tcp_count(tcp, TCP_STAT_RX_RST);
			tcp_count(tcp, TCP_STAT_OPEN_FAILED);
			tcp_conn_fail(c, TCP_FAILURE_REFUSED);
		}
		return;
	}
	if (!(h->flags & WIRE_TCP_SYN))
		return;
	c->rcv_nxt = c->rcv_acked = c->rcv_adv = seq_add(h->seq, 1);
	c->last_rx_ms = tcp_now_ms(tcp);
	tcp_take_options(c, h);
	c->snd_wnd = h->window;
	c->snd_wl1 = h->seq;
	c->snd_wl2 = h->ack;
	if (h->flags & WIRE_TCP_ACK) {
		syn_sent_established(c, h);
	} else { /* simultaneous open: our SYN again, with an ACK */
		c->state = TCP_SYN_RECEIVED;
		c->snd_nxt = c->snd_una;
		c->syn_bits = 0; /* no Fast Open */
		tcp_conn_schedule(c);
	}
	/* Text or FIN on a SYN come again once the handshake is done: they are not acknowledged. */
}

/* --- all other states (3.10.7.4) --------------------------------------------------- */

/* RFC 7323 5.3 R1. After 24 days without a segment the old value means nothing. */
static bool paws_passes(const struct tcp_conn *c, const struct wire_tcp *h)
{
	if (!(c->flags & TCP_F_TS) || h->flags & WIRE_TCP_RST)
		return true;
	if (!h->has_timestamp)
		return false;
	return (int32_t)(h->ts_val - c->ts_recent) >= 0 ||
	       tcp_now_ms(c->tcp) - c->last_rx_ms > TCP_PAWS_IDLE_MS;
}

/* In SYN-RECEIVED the peer's SYN may come again: alone if our answer was lost, or with an ACK of
 * our SYN in a simultaneous open (3.5, figure 8). */
static bool step_syn_again(struct tcp_conn *c, struct tcp_seg *seg)
{
	struct wire_tcp *h = &seg->h;

	if (c->state != TCP_SYN_RECEIVED || !(h->flags & WIRE_TCP_SYN) || h->flags & WIRE_TCP_RST ||
		!seq_eq(h->seq, c->snd_wl1))
		return true;
	if (h->flags & WIRE_TCP_ACK) {
		h->flags &= (uint8_t)~WIRE_TCP_SYN;
		h->seq = seq_add(h->seq, 1);
		/* The window of a SYN is never scaled; let it stand for a scaled one. */
		h->window = (uint16_t)(h->window >> c->snd_shift);
		return true;
	}
	if (!tcp_is_fast_opening(c)) /* its text is on its way, whatever happens to the SYN|ACK */
		c->snd_nxt = c->snd_una;
	c->syn_bits |= TCP_SYN_DUE;
	tcp_conn_schedule(c);
	return false;
}

static uint32_t seg_numbers(const struct tcp_seg *seg)
{
	return seg->len + !!(seg->h.flags & WIRE_TCP_SYN) + !!(seg->h.flags & WIRE_TCP_FIN);
}

/* The test of 3.10.7.4, first, with a window of rcv_adv - rcv_nxt. Empty segments fit also where it
 * ends: who filled it behind a hole has no other number for its ACKs. */
static bool is_in_window(const struct tcp_conn *c, const struct tcp_seg *seg)
{
	int32_t window = MAX(seq_diff(c->rcv_adv, c->rcv_nxt), 0);
	int32_t first = seq_diff(seg->h.seq, c->rcv_nxt);
	int32_t last = seq_diff(seq_add(seg->h.seq, seg_numbers(seg) - 1), c->rcv_nxt);

	if (seg_numbers(seg) == 0 && seg->h.flags & WIRE_TCP_RST)
		return first >= 0 && first < MAX(window, 1);
	if (seg_numbers(seg) == 0)
		return first >= 0 && first <= window;
	return window > 0 && ((first >= 0 && first < window) || (last >= 0 && first < 0));
}

/* An answer to what does not fit, unless that was an empty segment which two confused sides could
 * send for ever; a keep-alive probe always has one. */
static void answer_unacceptable(struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (seg->h.flags & WIRE_TCP_RST)
		return;
	if (seg_numbers(seg) == 0 && !seq_eq(seq_add(seg->h.seq, 1), c->rcv_nxt)) {
		tcp_challenge(c);
		return;
	}
	c->flags |= TCP_F_ACK_NOW;
	tcp_conn_schedule(c);
}

/* First: the sequence number. */
static bool step_sequence(struct tcp_conn *c, struct tcp_seg *seg)
{
	struct wire_tcp *h = &seg->h;

	if (!paws_passes(c, h)) {
		tcp_count(c->tcp, TCP_STAT_RX_PAWS);
		if (h->has_timestamp)
			answer_unacceptable(c, seg);
		return false;
	}
	if (!is_in_window(c, seg)) {
		/* With a window of zero, ACK and RST of what comes next still count. */
		if (seq_eq(h->seq, c->rcv_nxt) && !(h->flags & WIRE_TCP_SYN) &&
			seq_diff(c->rcv_adv, c->rcv_nxt) <= 0) {
			seg->text_refused = true;
			answer_unacceptable(c, seg);
		} else {
			bool old = seq_lt(h->seq, c->rcv_nxt) &&
				   seq_leq(seq_add(h->seq, seg_numbers(seg)), c->rcv_nxt);

			tcp_count(c->tcp, old && seg->len ? TCP_STAT_RX_DUPLICATE
							  : TCP_STAT_RX_OUT_OF_WINDOW);
			answer_unacceptable(c, seg);
			if (old && seg->len && c->flags & TCP_F_ACK_NOW)
				tcp_reasm_twice(c, h->seq, seq_add(h->seq, seg->len));
			return false;
		}
	}
	/* RFC 7323 4.3 (2) */
	if (c->flags & TCP_F_TS && h->has_timestamp && seq_leq(h->seq, c->rcv_acked) &&
		!(h->flags & WIRE_TCP_RST))
		c->ts_recent = h->ts_val;
	return true;
}

/* Second: RST (RFC 5961 3.2). */
static bool step_reset(struct tcp_conn *c, const struct tcp_seg *seg)
{
	struct tcp *tcp = c->tcp;
	bool opening = c->state == TCP_SYN_RECEIVED && !tcp_is_fast_opening(c);

	if (!(seg->h.flags & WIRE_TCP_RST))
		return true;
	if (!seq_eq(seg->h.seq, c->rcv_nxt)) {
		tcp_challenge(c);
		return false;
	}
	tcp_count(tcp, TCP_STAT_RX_RST);
	tcp_count(tcp, opening ? TCP_STAT_OPEN_FAILED : TCP_STAT_ESTABLISHED_RESET);
	tcp_conn_fail(c, opening ? TCP_FAILURE_REFUSED : TCP_FAILURE_RESET);
	return false;
}

/* Fourth: SYN (RFC 5961 4.2). */
static bool step_syn(struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (!(seg->h.flags & WIRE_TCP_SYN))
		return true;
	tcp_challenge(c);
	return false;
}

/* The listener waits for text, and this is none: our SYN|ACK goes again later, and then any ACK
 * will do. After a cookie nothing would be sent again. */
static bool is_deferred(struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (!(c->flags & TCP_F_UNACCEPTED) || !tcp_options(c)->defer_accept || c->backoff ||
		c->rtx_at == 0 || seg->len || seg->h.flags & WIRE_TCP_FIN)
		return false;
	if (!(c->syn_bits & TCP_SYN_DEFERRED))
		tcp_count(c->tcp, TCP_STAT_ACCEPT_DEFERRED);
	c->syn_bits |= TCP_SYN_DEFERRED;
	syn_timed(c);
	return true;
}

/* Fifth, in SYN-RECEIVED. With text on both ways before, the rest is as with any other ACK. */
static bool ack_of_syn(struct tcp_conn *c, const struct tcp_seg *seg)
{
	const struct wire_tcp *h = &seg->h;
	bool fast = tcp_is_fast_opening(c);

	if (fast ? seq_lt(h->ack, c->snd_una) || seq_gt(h->ack, c->snd_max) : !acks_our_syn(c, h)) {
		tcp_count(c->tcp, TCP_STAT_RX_BAD_ACK);
		tcp_in_closed(c->tcp, seg, TCP_RESET_OPEN_PORT);
		return false;
	}
	if (is_deferred(c, seg) || !tcp_conn_establish(c))
		return false;
	if (fast)
		syn_timed(c);
	else
		syn_acked(c, h);
	if (tcp_outstanding(c)) /* the early answer */
		tcp_rtx_restart(c);
	c->snd_wl1 = h->seq; /* take the window whatever the SYN said */
	c->snd_wl2 = h->ack;
	tcp_ack_window(c, h);
	tcp_conn_schedule(c);
	return true;
}

/* Our FIN is acknowledged, if it was sent: what that means in each state. */
static bool ack_of_fin(struct tcp_conn *c)
{
	if (!(c->flags & TCP_F_FIN_SENT) || !seq_eq(c->snd_una, c->snd_max))
		return true;
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		c->state = TCP_FIN_WAIT_2;
		tcp_idle_restart(c);
		return true;
	case TCP_CLOSING:
		tcp_conn_enter_time_wait(c);
		return false;
	case TCP_LAST_ACK:
		tcp_conn_detach(c, TCP_CLOSED);
		return false;
	default:
		return true;
	}
}

/* Fifth: ACK (RFC 5961 5.2). */
static bool step_ack(struct tcp_conn *c, const struct tcp_seg *seg)
{
	const struct wire_tcp *h = &seg->h;
	uint32_t window_max = (uint32_t)c->snd_wnd_max << c->snd_shift;
	bool first = c->state == TCP_SYN_RECEIVED; /* it is no duplicate of any */

	if (!(h->flags & WIRE_TCP_ACK))
		return false;
	if (first && !ack_of_syn(c, seg))
		return false;
	if (seq_gt(h->ack, c->snd_max) || seq_lt(h->ack, seq_sub(c->snd_una, window_max))) {
		tcp_count(c->tcp, TCP_STAT_RX_BAD_ACK);
		tcp_challenge(c);
		return false;
	}
	if (first ? seq_gt(h->ack, c->snd_una) : seq_geq(h->ack, c->snd_una))
		tcp_ack_process(c, seg);
	return ack_of_fin(c);
}

/* Seventh: text. Trims to the window; what comes after the peer's FIN is no text. */
static bool step_text(struct tcp_conn *c, struct tcp_seg *seg)
{
	struct wire_tcp *h = &seg->h;
	int32_t over;

	if (c->flags & TCP_F_FIN_RCVD || seg->text_refused) {
		h->flags &= (uint8_t)~WIRE_TCP_FIN;
		return false;
	}
	over = seq_diff(seq_add(h->seq, seg->len), c->rcv_adv);
	if (over > 0) { /* the FIN lies beyond the window too */
		h->flags &= (uint8_t)~WIRE_TCP_FIN;
		seg->len = (uint32_t)over < seg->len ? seg->len - (uint32_t)over : 0;
		tcp_count(c->tcp, TCP_STAT_RX_OUT_OF_WINDOW);
		c->flags |= TCP_F_ACK_NOW;
	}
	if (seg->len == 0)
		return true;
	if (!(c->flags & (TCP_F_OWNED | TCP_F_UNACCEPTED)) &&
		seq_gt(seq_add(h->seq, seg->len), c->rcv_nxt)) {
		tcp_count(c->tcp, TCP_STAT_RX_AFTER_CLOSE);
		tcp_conn_reset(c, TCP_FAILURE_NONE);
		return false;
	}
	if (c->flags & TCP_F_TS && h->has_timestamp)
		tcp_recv_rtt(c, h->ts_ecr);
	tcp_reasm_input(c, seg);
	return true;
}

/* Eighth: FIN, if all before it is here. */
static void step_fin(struct tcp_conn *c, const struct tcp_seg *seg)
{
	struct tcp_recovery *r = tcp_recovery(c);
	struct seq fin = seq_add(seg->h.seq, seg->len);

	if (c->flags & TCP_F_FIN_AHEAD && seq_eq(r->fin_seq, c->rcv_nxt))
		fin = c->rcv_nxt;
	else if (!(seg->h.flags & WIRE_TCP_FIN))
		return;
	if (!seq_eq(fin, c->rcv_nxt)) {
		if (seq_gt(fin, c->rcv_nxt) && (r = tcp_recovery_take(c))) {
			r->fin_seq = fin;
			c->flags |= TCP_F_FIN_AHEAD;
		}
		c->flags |= TCP_F_ACK_NOW;
		tcp_conn_schedule(c);
		return;
	}
	c->flags &= ~(uint32_t)TCP_F_FIN_AHEAD;
	tcp_recovery_drop(c);
	c->rcv_nxt = seq_add(c->rcv_nxt, 1);
	c->flags |= TCP_F_FIN_RCVD | TCP_F_ACK_NOW;
	tcp_conn_event(c, TCP_EVENT_PEER_SHUT);
	if (c->state == TCP_ESTABLISHED)
		c->state = TCP_CLOSE_WAIT;
	else if (c->state == TCP_FIN_WAIT_1)
		c->state = TCP_CLOSING;
	else if (c->state == TCP_FIN_WAIT_2)
		tcp_conn_enter_time_wait(c);
}

void tcp_in_conn(struct tcp_conn *c, struct tcp_seg *seg)
{
	if (c->state == TCP_SYN_SENT) {
		in_syn_sent(c, seg);
		return;
	}
	if (!step_syn_again(c, seg) || !step_sequence(c, seg) || !step_reset(c, seg) ||
		!step_syn(c, seg))
		return;
	if (tcp_now_ms(c->tcp) - c->last_rx_ms > tcp_rto_ms(c)) /* it begins slowly again */
		tcp_quick_ack_begin(c);
	c->last_rx_ms = tcp_now_ms(c->tcp);
	tcp_ecn_input(c, seg);
	if (!step_ack(c, seg))
		return;
	if (c->flags & TCP_F_KEEPALIVE) {
		if (tcp_outstanding(c) == 0)
			c->backoff = 0;
		tcp_idle_update(c);
	}
	if (step_text(c, seg))
		step_fin(c, seg);
}
