/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output: once per connection and turn, after input, timers and owners have had their say.
 *
 * In: the state and flags of a connection. Out: segments by ip_send, in this order:
 *   1. the last reset of a connection that is gone;
 *   2. a SYN that was not sent, or must be sent again (snd_nxt == snd_una while opening);
 *   3. probes of a closed window, keep-alive probes;
 *   4. what counts as lost, as far as the window exceeds the pipe; a probe of the tail (RFC 8985);
 *   5. the send queue from snd_nxt on, as far as both windows go; then the FIN;
 *   6. an ACK, if none rode on the above, or if it has SACK blocks, which only bare ACKs carry.
 * Then the timers that follow from what is outstanding.
 *
 * Small segments (RFC 9293 3.8.6.2.1): a segment goes if it is full, or the last of the queue (the
 * owner says by tcp_conn_set_more when it is not; there is no Nagle), or half of the largest window
 * the peer ever offered. What the window holds back waits for the persist timer.
 *
 * A segment for which there is no buffer changes nothing but ack_at, which tries again.
 */
#include <errno.h>

#include "tcp_pvt.h"

/* --- segments ---------------------------------------------------------------------- */

uint16_t tcp_window_field(const struct tcp_conn *c, bool syn)
{
	uint8_t shift = syn ? 0 : c->rcv_shift;

	return (uint16_t)(tcp_window_bytes(c, shift) >> shift);
}

/* The number that the peer expects of a segment without text, as far as its window allows. */
static struct seq bare_seq(const struct tcp_conn *c)
{
	bool syn = tcp_is_opening(c) && !tcp_is_fast_opening(c);

	return seq_min(c->snd_max, seq_add(c->snd_una, syn ? 1 : c->snd_wnd));
}

static void fill_syn_options(const struct tcp_conn *c, struct wire_tcp *h)
{
	bool answer = c->state == TCP_SYN_RECEIVED;
	uint16_t mss = tcp_mss_of_path(c->tcp, &c->path, &c->tuple.local);

	h->has_mss = true;
	h->mss = answer ? tcp_mss_limit(c, mss) : c->mss;
	h->has_window_scale = !answer || c->flags & TCP_F_WSCALE;
	h->window_scale = c->tcp->rcv_shift;
	h->has_sack_permitted = !answer || c->flags & TCP_F_SACK;
	if (answer && c->syn_bits & TCP_SYN_COOKIE)
		tcp_fast_open_cookie(c->tcp, &c->tuple, h);
}

static void fill_header(struct tcp_conn *c, struct seq seq, uint8_t flags, struct wire_tcp *h)
{
	bool syn = flags & WIRE_TCP_SYN;

	*h = (struct wire_tcp){
		.src_port = c->tuple.local_port,
		.dst_port = c->tuple.remote_port,
		.seq = seq,
		.window = tcp_window_field(c, syn),
		.flags = flags,
	};
	if (flags & WIRE_TCP_ACK)
		h->ack = c->rcv_nxt;
	if (syn)
		fill_syn_options(c, h);
	if (c->flags & TCP_F_TS || (syn && c->state == TCP_SYN_SENT)) {
		h->has_timestamp = true;
		h->ts_val = tcp_now_ms(c->tcp) + c->ts_offset;
		h->ts_ecr = flags & WIRE_TCP_ACK ? c->ts_recent : 0;
	}
}

static bool attach_copy(struct tcp_conn *c, struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	return pkt_chain_copy_out(&c->snd, off, rte_pktmbuf_append(m, (uint16_t)len), len) == len;
}

/* Payload [off, off + len) of the send queue behind the header. */
static bool attach(struct tcp_conn *c, struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	struct rte_mbuf *ref;

	/* A copy of few bytes costs less than a buffer that refers to them. */
	if (len <= TCP_COPY_BYTES_MAX)
		return attach_copy(c, m, off, len);
	ref = pkt_chain_ref(&c->snd, off, len, c->tcp->pools, &c->hint);
	if (!ref)
		return false;
	/* Crumbs: devices take only so many buffers for a packet. */
	if (ref->nb_segs > TCP_TX_REFS_MAX && len <= rte_pktmbuf_tailroom(m)) {
		pkt_free(ref);
		return attach_copy(c, m, off, len);
	}
	m->next = ref;
	m->nb_segs = (uint16_t)(1 + ref->nb_segs);
	m->pkt_len += ref->pkt_len;
	return true;
}

/* ack_at is another try from here on; an ACK that leaves in this turn does not end it. */
static void retry_later(struct tcp_conn *c)
{
	tcp_count(c->tcp, TCP_STAT_NO_BUFFER);
	if (c->flags & TCP_F_ACK_DELAYED) {
		c->flags &= ~(uint32_t)TCP_F_ACK_DELAYED;
		c->flags |= TCP_F_ACK_NOW;
	}
	c->ack_at = tcp_deadline(tcp_now_ms(c->tcp), TCP_RETRY_MS);
}

/* The promise that a segment with an ACK makes, once it is sure to leave. SACK blocks that it does
 * not carry still want to go; see the essay. */
static void note_ack(struct tcp_conn *c, const struct wire_tcp *h)
{
	uint32_t window = (uint32_t)h->window << (h->flags & WIRE_TCP_SYN ? 0 : c->rcv_shift);

	c->rcv_adv = seq_max(c->rcv_adv, seq_add(c->rcv_nxt, window));
	c->rcv_acked = c->rcv_nxt;
	if (c->flags & TCP_F_ACK_DELAYED)
		c->ack_at = 0;
	c->flags &= ~(uint32_t)TCP_F_ACK_DELAYED;
	if (h->sack_count || !tcp_reasm_has_blocks(c))
		c->flags &= ~(uint32_t)TCP_F_ACK_NOW;
}

/* A segment with `len` bytes of the queue from number `seq` on. False: no buffer. */
static bool send_segment(struct tcp_conn *c, struct wire_tcp *h, uint32_t len)
{
	struct tcp *tcp = c->tcp;
	struct rte_mbuf *m = pkt_alloc(tcp->pools);
	size_t header_bytes = wire_tcp_bytes(h);
	uint8_t tos;

	if (!m) {
		retry_later(c);
		return false;
	}
	tos = tcp_ecn_output(c, h, len);
	wire_tcp_emit((uint8_t *)rte_pktmbuf_append(m, (uint16_t)header_bytes), h);
	if (len && !attach(c, m, (uint32_t)seq_diff(h->seq, c->snd_una), len)) {
		pkt_free(m);
		retry_later(c);
		return false;
	}
	m->l4_len = header_bytes;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	if (len > tcp_seg_bytes(c) && !tcp_pmtu_is_probe(c, h->seq)) {
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		m->tso_segsz = (uint16_t)tcp_seg_bytes(c);
	}
	tcp_count(tcp, TCP_STAT_TX_SEGS);
	stat_add(&tcp->stats[TCP_STAT_TX_BYTES], len);
	if (ip_send(tcp->ip, &c->path, &c->tuple.local, &c->tuple.remote, WIRE_PROTO_TCP, tos, m) ==
			-EADDRNOTAVAIL &&
		tcp_is_open(c))
		c->failure = TCP_FAILURE_UNREACHABLE;
	tcp_ecn_sent(c, h);
	if (h->flags & WIRE_TCP_ACK)
		note_ack(c, h);
	return true;
}

static bool send_bare(struct tcp_conn *c, struct seq seq, uint8_t flags)
{
	struct wire_tcp h;

	fill_header(c, seq, flags, &h);
	return send_segment(c, &h, 0);
}

static void count_retransmit(struct tcp_conn *c)
{
	tcp_count(c->tcp, TCP_STAT_RETRANSMITS);
	if (c->flags & TCP_F_RECOVERY)
		tcp_count(c->tcp, TCP_STAT_RETRANSMITS_FAST);
	if (c->retransmits < UINT16_MAX)
		c->retransmits++;
}

/* Text and FIN from `seq` on; records what is outstanding. Returns the numbers sent, 0: none. */
static uint32_t send_text(struct tcp_conn *c, struct seq seq, uint32_t len, bool fin)
{
	struct seq end = seq_add(seq, len + fin);
	bool again = seq_lt(seq, c->snd_max);
	/* A probe of a closed window is not on its way: the peer may well refuse it. */
	bool probe = c->rtx_kind == TCP_RTX_PERSIST && seq_gt(end, seq_add(c->snd_una, c->snd_wnd));
	uint8_t flags = WIRE_TCP_ACK;
	struct wire_tcp h;
	bool first = tcp_outstanding(c) == 0 && c->rtx_kind != TCP_RTX_PERSIST;

	if (fin)
		flags |= WIRE_TCP_FIN;
	if (len && seq_eq(seq_add(seq, len), tcp_snd_end(c)))
		flags |= WIRE_TCP_PSH;
	(void)tcp_flight_take(c);
	if (again && c->mss < c->mss_max)
		tcp_pmtu_again(c, seq);
	fill_header(c, seq, flags, &h);
	if (!send_segment(c, &h, len)) {
		tcp_pmtu_unsent(c, seq);
		if (c->rtx_kind == TCP_RTX_NONE) /* the flight may not be needed */
			tcp_rtx_idle(c);
		return 0;
	}
	if (fin)
		c->flags |= TCP_F_FIN_SENT;
	if (again)
		count_retransmit(c);
	if (!probe) {
		tcp_loss_sent(c, seq, end, again);
		c->snd_nxt = seq_max(c->snd_nxt, end);
	}
	c->snd_max = seq_max(c->snd_max, end);
	tcp_pace_sent(c, len);
	if (c->rtx_kind == TCP_RTX_PERSIST)
		c->backoff = 0;
	if (!tcp_rtx_runs(c))
		tcp_rtx_restart(c);
	if (first && tcp_options(c)->user_timeout_ms)
		tcp_idle_restart(c);
	return len + fin;
}

/* --- opening and probing ----------------------------------------------------------- */

static bool syn_is_due(const struct tcp_conn *c)
{
	if (tcp_is_fast_opening(c))
		return c->syn_bits & TCP_SYN_DUE;
	/* An owner that was told CONNECTED too late for this turn has the next one. */
	if (c->state == TCP_SYN_SENT && c->flags & TCP_F_FAST_OPEN &&
		c->events & TCP_EVENT_CONNECTED)
		return false;
	return seq_eq(c->snd_nxt, c->snd_una);
}

static void out_syn(struct tcp_conn *c)
{
	bool fast = tcp_is_fast_opening(c);
	bool again = fast ? c->rtx_at != 0 : tcp_outstanding(c) != 0;
	uint8_t flags = WIRE_TCP_SYN;
	struct wire_tcp h;
	uint32_t len = 0;

	if (!syn_is_due(c))
		return;
	if (c->state == TCP_SYN_RECEIVED)
		flags |= WIRE_TCP_ACK;
	fill_header(c, seq_sub(c->snd_una, fast), flags | tcp_ecn_syn_flags(c), &h);
	if (c->state == TCP_SYN_SENT)
		len = tcp_fast_open_fill_syn(c, &h);
	if (!send_segment(c, &h, len))
		return;
	c->syn_bits &= (uint8_t)~TCP_SYN_DUE;
	if (!fast) {
		c->snd_nxt = seq_add(c->snd_una, 1 + len);
		c->snd_max = seq_max(c->snd_max, c->snd_nxt);
	}
	if (again) {
		count_retransmit(c);
		c->flags &= ~(uint32_t)TCP_F_RTT;
	} else {
		c->flags |= TCP_F_RTT;
		c->rtt_at_us = tcp_now_us(c->tcp);
	}
	if (c->rtx_at == 0)
		tcp_rtx_restart(c);
}

/* RFC 9293 3.8.6.1: as much as the window takes, at least one byte, or the FIN. snd_nxt stays: the
 * peer may well refuse it. */
static void out_window_probe(struct tcp_conn *c)
{
	uint32_t fits = MIN(c->snd_wnd, tcp_seg_bytes(c));
	uint32_t len = MIN(c->snd.bytes, fits ? fits : 1);
	uint32_t rtx_at = c->rtx_at;
	uint8_t backoff = c->backoff;

	if (!(c->flags & TCP_F_PROBE))
		return;
	c->flags &= ~(uint32_t)TCP_F_PROBE;
	if (c->rtx_kind != TCP_RTX_PERSIST)
		return;
	tcp_count(c->tcp, TCP_STAT_PERSIST_PROBES);
	if (send_text(c, c->snd_una, len, len == 0) == 0)
		return;
	if (len && len <= c->snd_wnd) /* no probe: small, but what fits (the override timeout) */
		return;
	c->rtx_kind = TCP_RTX_PERSIST;
	c->rtx_at = rtx_at;
	c->backoff = backoff;
}

static void out_keepalive_probe(struct tcp_conn *c)
{
	if (!(c->flags & TCP_F_KEEP_PROBE))
		return;
	c->flags &= ~(uint32_t)TCP_F_KEEP_PROBE;
	tcp_count(c->tcp, TCP_STAT_KEEPALIVE_PROBES);
	(void)send_bare(c, seq_sub(c->snd_una, 1), WIRE_TCP_ACK);
}

/* --- recovery ---------------------------------------------------------------------- */

/* One segment of what was sent before, from `seq`, not over `limit`. Returns the numbers sent. */
static uint32_t send_again(struct tcp_conn *c, struct seq seq, struct seq limit)
{
	uint32_t bytes_left = (uint32_t)MAX(seq_diff(seq_min(limit, tcp_snd_end(c)), seq), 0);
	uint32_t len = MIN(bytes_left, tcp_seg_bytes(c));
	bool fin = c->flags & TCP_F_FIN_SENT && seq_lt(seq_add(seq, len), limit) &&
		   seq_eq(seq_add(seq, len), tcp_snd_end(c));

	return len || fin ? send_text(c, seq, len, fin) : 0;
}

/* Without a flight one segment goes for each ACK. */
static void out_head(struct tcp_conn *c)
{
	if (!(c->flags & TCP_F_RTX_HEAD))
		return;
	if (c->flight_ref || send_again(c, c->snd_una, c->snd_nxt)) {
		c->flags &= ~(uint32_t)TCP_F_RTX_HEAD;
		tcp_rtx_restart(c);
	}
}

static bool pipe_has_room(struct tcp_conn *c)
{
	return tcp_pipe(c) + tcp_seg_bytes(c) <= c->cwnd && tcp_pace_room(c);
}

/* What counts as lost, the oldest first; the first segment of a recovery goes whatever the pipe
 * says (RFC 6675 5, step 4.3). False: there is more. */
static bool out_lost(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	for (uint32_t i = 0; f && f->lost_bytes; i++) {
		const struct tcp_run *run = tcp_flight_first_lost(f);
		struct seq start = run->start;

		if (i == TCP_OUT_SEGS_MAX) {
			tcp_conn_schedule(c);
			return false;
		}
		if ((!f->head_due && !pipe_has_room(c)) || send_again(c, start, run->end) == 0)
			return false;
		f->head_due = false;
		if (seq_eq(start, c->snd_una))
			tcp_rtx_restart(c);
	}
	return true;
}

/* --- the queue --------------------------------------------------------------------- */

/* What keeps the queue from going on. */
enum blocked {
	BLOCKED_NOT,    /* something can go: `len` or `fin` */
	BLOCKED_EMPTY,  /* nothing left */
	BLOCKED_CWND,   /* wait for ACKs */
	BLOCKED_TIMER,  /* wait for pacing, or for a buffer */
	BLOCKED_WINDOW, /* wait for the peer's window */
	BLOCKED_OWNER,  /* wait for more */
};

struct next_seg {
	uint32_t len;
	bool fin;
};

/* The owner may send no more before it hears of room, which only an ACK will bring. */
static bool waits_for_room(const struct tcp_conn *c)
{
	return c->flags & TCP_F_WANT_ROOM && tcp_outstanding(c) == 0;
}

/* `want` bytes without full segment: may they go? (RFC 9293 3.8.6.2.1) */
static enum blocked small_segment(
	const struct tcp_conn *c, uint32_t want, uint32_t queued, uint32_t window)
{
	uint32_t window_max = (uint32_t)c->snd_wnd_max << c->snd_shift;

	if (seq_lt(c->snd_nxt, c->snd_max)) /* again, and so without choice */
		return BLOCKED_NOT;
	if (want == queued)
		return c->flags & TCP_F_MORE && !(c->flags & TCP_F_FIN_QUEUED) && !waits_for_room(c)
			       ? BLOCKED_OWNER
			       : BLOCKED_NOT;
	return want == window && want && want >= window_max / 2 ? BLOCKED_NOT : BLOCKED_WINDOW;
}

static uint32_t burst_bytes(const struct tcp_conn *c, uint32_t want)
{
	uint32_t seg = tcp_seg_bytes(c);
	uint32_t max = seg;

	/* What says CWR says it once (RFC 3168 6.1.2), however it is cut. */
	if (want > seg && !(c->ecn & TCP_ECN_F_CWR) &&
		ip_path_caps(c->tcp->ip, &c->path) & PORT_CAP_TX_TSO)
		max = MIN(TCP_TSO_BYTES_MAX / seg, (uint32_t)TCP_TSO_SEGS_MAX) * seg;
	return want <= max ? want - (want > seg ? want % seg : 0) : max;
}

/* Bytes from snd_nxt to `to`; 0 if that lies behind. */
static uint32_t ahead(const struct tcp_conn *c, struct seq to)
{
	return (uint32_t)MAX(seq_diff(to, c->snd_nxt), 0);
}

/* What goes next from snd_nxt. */
static enum blocked next_segment(struct tcp_conn *c, struct next_seg *next)
{
	struct seq end = tcp_snd_end(c);
	uint32_t queued = ahead(c, end);
	uint32_t window = ahead(c, seq_add(c->snd_una, c->snd_wnd));
	uint32_t sendable = MIN(queued, window);
	uint32_t want = sendable;
	uint32_t pipe = tcp_pipe(c), cwnd = c->cwnd;
	uint32_t seg = tcp_seg_bytes(c), room, probe = 0;
	enum blocked blocked;

	*next = (struct next_seg){0};
	if (queued > 0) {
		if (want < seg) {
			blocked = small_segment(c, want, queued, window);
			if (blocked != BLOCKED_NOT || want == 0)
				return want == 0 ? BLOCKED_WINDOW : blocked;
		}
		if (pipe + MIN(want, seg) > cwnd)
			return BLOCKED_CWND;
		if (want > cwnd - pipe)
			want = MAX((cwnd - pipe) / seg * seg, MIN(want, seg));
		room = tcp_pace_room(c);
		if (room == 0)
			return BLOCKED_TIMER;
		if (UNLIKELY(c->mss < c->mss_max))
			probe = tcp_pmtu_probe(c, MIN(sendable, cwnd - pipe), room);
		next->len = probe ? probe : burst_bytes(c, MIN(want, MAX(room / seg * seg, seg)));
	} else if (!(c->flags & TCP_F_FIN_QUEUED) || seq_gt(c->snd_nxt, end)) {
		return BLOCKED_EMPTY;
	}
	next->fin = c->flags & TCP_F_FIN_QUEUED && next->len == queued && window > next->len;
	return next->len || next->fin ? BLOCKED_NOT : BLOCKED_WINDOW;
}

/* A probe of the tail: a new segment whatever cwnd says, or the last one again (RFC 8985 7.3). */
static void out_tail_probe(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t queued = ahead(c, tcp_snd_end(c)), seg = tcp_seg_bytes(c), len;
	bool fresh;

	if (!f || !f->tlp_due)
		return;
	f->tlp_due = false;
	if (f->count == 0 || f->lost_bytes)
		return;
	len = MIN(queued, ahead(c, seq_add(c->snd_una, c->snd_wnd)));
	len = MIN(len, seg);
	fresh = len == seg || (len && small_segment(c, len, queued, len) == BLOCKED_NOT);
	if (fresh ? !send_text(c, c->snd_nxt, len, false)
		  : !send_again(c, seq_max(c->snd_una, seq_sub(c->snd_nxt, seg)), c->snd_nxt))
		return;
	f->tlp_out = true;
	f->tlp_resent = !fresh;
	f->tlp_end = c->snd_nxt;
	tcp_count(c->tcp, TCP_STAT_TLP_PROBES);
	tcp_rtx_restart(c);
}

/* What is sent next is not what the path can bear but what there is. */
static void note_app_limited(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t pipe = tcp_pipe(c);

	if (f && pipe + tcp_seg_bytes(c) <= c->cwnd && f->lost_bytes == 0)
		f->app_limited = f->delivered + pipe ? f->delivered + pipe : 1;
}

static enum blocked out_queue(struct tcp_conn *c)
{
	struct next_seg next;
	enum blocked blocked = BLOCKED_NOT;

	if (seq_eq(c->snd_una, c->snd_nxt) && tcp_outstanding(c) == 0 && c->snd.bytes)
		tcp_cc_restart_idle(c);
	for (uint32_t i = 0; i < TCP_OUT_SEGS_MAX; i++) {
		uint32_t n;

		blocked = next_segment(c, &next);
		if (blocked == BLOCKED_EMPTY || blocked == BLOCKED_OWNER)
			note_app_limited(c);
		if (blocked != BLOCKED_NOT)
			return blocked;
		n = send_text(c, c->snd_nxt, next.len, next.fin);
		if (n == 0)
			return BLOCKED_TIMER; /* no buffer: ack_at tries again */
	}
	tcp_conn_schedule(c); /* the rest in the next turn */
	return blocked;
}

/* --- all of it --------------------------------------------------------------------- */

/* Nothing is on its way and the window lets nothing go: only a probe can find it open. */
static void arm_persist(struct tcp_conn *c, enum blocked blocked)
{
	if (blocked != BLOCKED_WINDOW || !seq_eq(c->snd_nxt, c->snd_una) ||
		c->rtx_kind == TCP_RTX_PERSIST)
		return;
	c->backoff = 0;
	c->probes = 0;
	c->rtx_kind = TCP_RTX_PERSIST;
	c->rtx_at = tcp_deadline(tcp_now_ms(c->tcp), tcp_rto_ms(c));
	if (tcp_outstanding(c) == 0 && tcp_options(c)->user_timeout_ms)
		tcp_idle_restart(c);
}

static void out_open(struct tcp_conn *c)
{
	enum blocked blocked = BLOCKED_TIMER;

	out_window_probe(c);
	out_keepalive_probe(c);
	out_head(c);
	if (out_lost(c)) {
		out_tail_probe(c);
		if (c->flight_ref || !(c->flags & TCP_F_LOSS))
			blocked = out_queue(c);
	}
	if (c->flight_ref)
		tcp_flight_of(c)->cwnd_full = blocked == BLOCKED_CWND;
	arm_persist(c, blocked);
}

static void out_ack(struct tcp_conn *c)
{
	struct wire_tcp h;

	if (!(c->flags & TCP_F_ACK_NOW) || c->state == TCP_SYN_SENT)
		return;
	fill_header(c, bare_seq(c), WIRE_TCP_ACK, &h);
	if (c->flags & TCP_F_SACK)
		h.sack_count = tcp_reasm_sack(c, h.sack, h.has_timestamp ? 3 : 4);
	if (send_segment(c, &h, 0) && c->quick_acks)
		c->quick_acks--;
}

static void out_reset(struct tcp_conn *c)
{
	if (!(c->flags & TCP_F_RST))
		return;
	c->flags &= ~(uint32_t)TCP_F_RST;
	tcp_count(c->tcp, TCP_STAT_TX_RST);
	(void)send_bare(c, bare_seq(c), WIRE_TCP_RST | WIRE_TCP_ACK);
}

/* Something was sent from an address that is not ours any more: nothing can ever be again. */
static void address_gone(struct tcp_conn *c)
{
	tcp_count(c->tcp, TCP_STAT_ADDRESS_GONE);
	tcp_count(c->tcp, tcp_is_opening(c) ? TCP_STAT_OPEN_FAILED : TCP_STAT_ESTABLISHED_RESET);
	tcp_conn_fail(c, (enum tcp_failure)c->failure);
}

void tcp_output(struct tcp_conn *c)
{
	c->flags &= ~(uint32_t)TCP_F_PACED;
	if (!tcp_is_open(c)) {
		out_reset(c);
		return;
	}
	if (tcp_is_opening(c))
		out_syn(c);
	if (!tcp_is_opening(c))
		out_open(c);
	else if (tcp_is_fast_opening(c) && !syn_is_due(c) && c->backoff == 0)
		(void)out_queue(c); /* the answer need not wait for the handshake */
	out_ack(c);
	/* No ACK will tell of room. */
	if (c->flags & TCP_F_WANT_ROOM && c->snd.bytes == 0 && c->ack_at == 0)
		c->ack_at = tcp_deadline(tcp_now_ms(c->tcp), TCP_RETRY_MS);
	if (UNLIKELY(c->failure)) {
		address_gone(c);
		return;
	}
	tcp_rack_arm(c);
	tcp_timer_arm(c);
}
