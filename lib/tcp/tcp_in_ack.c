/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an ACK means: window, round trip, send queue, loss.
 *
 * Loss is found by three duplicates (RFC 5681 3.2) or by SACK (RFC 6675 5). In recovery, with SACK
 * the pipe of tcp_sack.c decides what output sends; without, cwnd is inflated (RFC 6582 3.2).
 * `recover` stays one below snd_una while all is well, so that the test of RFC 6582 3.2 step 1
 * survives the wrap of sequence numbers.
 */
#include "tcp_pvt.h"

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

/* The timed segment tells microseconds; during a recovery the echoed timestamp tells milliseconds,
 * and is never ambiguous (RFC 7323 4.1). */
static void measure(struct tcp_conn *c, const struct wire_tcp *h)
{
	if (c->flags & TCP_F_RTT) {
		if (seq_geq(h->ack, c->rtt_seq)) {
			c->flags &= ~(uint32_t)TCP_F_RTT;
			tcp_rtt_sample(c, tcp_now_us(c->tcp) - c->rtt_at_us);
		}
	} else if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) && c->flags & TCP_F_TS &&
		   h->has_timestamp && h->ts_ecr) {
		uint32_t rtt_ms = tcp_now_ms(c->tcp) + c->ts_offset - h->ts_ecr;

		if (rtt_ms < TCP_RTO_MAX_MS)
			tcp_rtt_sample(c, rtt_ms * 1000);
	}
}

/* Takes acknowledged bytes off the queue, and tells the owner who waits for that. */
static void advance(struct tcp_conn *c, uint32_t acked)
{
	c->snd_una = seq_add(c->snd_una, acked);
	c->snd_nxt = seq_max(c->snd_nxt, c->snd_una);
	pkt_chain_drop(&c->snd, acked); /* a FIN has no byte in it: at most all are dropped */
	c->hint = (struct pkt_chain_hint){0};
	c->backoff = 0;
	tcp_sack_advance(c);
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
}

/* Called once all until `recover` is acknowledged (RFC 6582 3.2 step 3, full ACK, option 1). */
static void leave_recovery(struct tcp_conn *c)
{
	uint32_t seg = tcp_seg_bytes(c);

	if (c->flags & TCP_F_RECOVERY)
		c->cwnd = MIN(c->ssthresh, MAX(tcp_outstanding(c), seg) + seg);
	c->flags &= ~(uint32_t)(TCP_F_RECOVERY | TCP_F_LOSS | TCP_F_RTX_HEAD | TCP_F_RESCUED);
}

static void enter_recovery(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);

	c->recover = c->snd_max;
	tcp_cc_congestion(c, TCP_CC_LOSS);
	c->cwnd = c->ssthresh;
	if (r && r->sack_count)
		r->high_rxt = c->snd_una;
	else
		c->cwnd += TCP_DUP_THRESH * tcp_seg_bytes(c);
	c->flags |= TCP_F_RECOVERY | TCP_F_RTX_HEAD;
	c->flags &= ~(uint32_t)(TCP_F_RTT | TCP_F_RESCUED);
	tcp_conn_schedule(c);
}

/* RFC 6582 3.2 step 3, partial ACK; with SACK the pipe does it. */
static void partial_ack(struct tcp_conn *c, uint32_t acked)
{
	const struct tcp_recovery *r = tcp_recovery(c);
	uint32_t seg = tcp_seg_bytes(c);

	if (r && r->sack_count)
		return;
	c->flags |= TCP_F_RTX_HEAD;
	c->cwnd = MAX(c->cwnd > acked ? c->cwnd - acked : 0, seg);
	if (acked >= seg)
		c->cwnd += seg;
}

static void new_ack(struct tcp_conn *c, const struct wire_tcp *h)
{
	uint32_t acked = (uint32_t)seq_diff(h->ack, c->snd_una);
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);

	measure(c, h);
	advance(c, acked);
	c->dupacks = 0;
	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) && seq_geq(c->snd_una, c->recover))
		leave_recovery(c);
	else if (c->flags & TCP_F_RECOVERY)
		partial_ack(c, acked);
	tcp_cc(c)->on_ack(
		c, &(struct tcp_ack){
			   .acked_bytes = acked,
			   .delivered_bytes = acked,
			   .flight_bytes = flight,
			   .ece = tcp_ecn_told(c, h),
			   /* RFC 7661: what was not used does not grow. */
			   .cwnd_limited = 2 * (uint64_t)flight >= c->cwnd || c->flags & TCP_F_LOSS,
		   });
	if (!(c->flags & (TCP_F_RECOVERY | TCP_F_LOSS)) && seq_gt(c->snd_una, c->recover))
		c->recover = seq_sub(c->snd_una, 1);
	tcp_conn_schedule(c);
}

/* RFC 6582 3.2 step 1, RFC 6675 5: one recovery per window. */
static void detect_loss(struct tcp_conn *c)
{
	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) || seq_leq(c->snd_una, c->recover))
		return;
	if ((c->dupacks >= TCP_DUP_THRESH || seq_gt(tcp_sack_lost_end(c), c->snd_una)) &&
		!tcp_pmtu_lost(c))
		enter_recovery(c);
}

static void duplicate_ack(struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);

	if (c->dupacks < UINT8_MAX)
		c->dupacks++;
	tcp_conn_schedule(c); /* limited transmit (RFC 3042), or the pipe has room */
	if (c->flags & TCP_F_RECOVERY && (!r || !r->sack_count))
		c->cwnd = MIN(c->cwnd + tcp_seg_bytes(c), TCP_CWND_MAX);
}

void tcp_ack_process(struct tcp_conn *c, const struct tcp_seg *seg)
{
	const struct wire_tcp *h = &seg->h;
	uint32_t window = c->snd_wnd;
	uint32_t sacked = 0;

	tcp_ack_window(c, h);
	if (c->flags & TCP_F_OWNED) /* the peer lives; without an owner that is not enough */
		c->probes = 0;
	if (c->flags & TCP_F_SACK && h->sack_count)
		sacked = tcp_sack_update(c, h);
	if (seq_gt(h->ack, c->snd_una))
		new_ack(c, h);
	else if (tcp_outstanding(c) != 0 && c->rtx_kind != TCP_RTX_PERSIST &&
		 (sacked || (seg->len == 0 && !(h->flags & WIRE_TCP_FIN) && window == c->snd_wnd &&
				    !(c->flags & TCP_F_SACK && h->sack_count))))
		duplicate_ack(c);
	if (c->dupacks || sacked)
		detect_loss(c);
	tcp_ecn_ack(c, h);
	tcp_recovery_drop(c);
}
