/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Explicit congestion notification (RFC 3168, as RFC 8311 relaxes it).
 *
 * As a receiver: a mark on text in the window is echoed by ECE on every ACK until the peer says
 * CWR. As a sender: new text alone says ECT(0). ECE reduces the window once per round trip, and the
 * first new text after any reduction says CWR. How much is the congestion control's to say (RFC
 * 8511).
 *
 * Offered only by the first SYN: if that stays without an answer or is reset, the next ones go
 * without, because a box on the path may not bear what it does not know (6.1.1.1); then nothing is
 * ECN-capable, whatever the peer answers. Without a struct tcp_flight text is not ECN-capable
 * either: nothing remembers for which round trip the window was reduced.
 */
#include "tcp_pvt.h"

#define TOS_ECN  0x03
#define TOS_ECT0 0x02
#define TOS_CE   0x03

static bool offers(const struct tcp_conn *c)
{
	return c->tcp->config.ecn == TCP_ECN_ON && !(c->flags & TCP_F_SYN_LOST) &&
	       !(c->ecn & TCP_ECN_F_WITHOUT);
}

uint8_t tcp_ecn_syn_flags(struct tcp_conn *c)
{
	if (c->state == TCP_SYN_RECEIVED)
		return c->ecn & TCP_ECN_F_AGREED ? WIRE_TCP_ECE : 0;
	if (offers(c))
		return WIRE_TCP_ECE | WIRE_TCP_CWR;
	if (c->tcp->config.ecn == TCP_ECN_ON)
		tcp_count(c->tcp, TCP_STAT_ECN_FALLBACKS);
	return 0;
}

bool tcp_ecn_ask_without(struct tcp_conn *c)
{
	if (!offers(c))
		return false;
	c->ecn |= TCP_ECN_F_WITHOUT;
	c->snd_nxt = c->snd_una;
	tcp_conn_schedule(c);
	return true;
}

/* 6.1.1: both flags ask; ECE alone agrees, and both are what a box sends that mirrors flags. */
void tcp_ecn_take_syn(struct tcp_conn *c, const struct wire_tcp *h)
{
	uint8_t flags = h->flags & (WIRE_TCP_ECE | WIRE_TCP_CWR);
	bool agreed;

	if (h->flags & WIRE_TCP_ACK)
		agreed = flags == WIRE_TCP_ECE && offers(c);
	else
		agreed = flags == (WIRE_TCP_ECE | WIRE_TCP_CWR) &&
			 c->tcp->config.ecn != TCP_ECN_OFF &&
			 (c->flags & TCP_F_PASSIVE || offers(c));
	c->ecn = agreed ? TCP_ECN_F_AGREED : 0;
	if (agreed)
		tcp_count(c->tcp, TCP_STAT_ECN_AGREED);
}

/* 6.1.3. CWR comes first: it answers marks before this one. */
void tcp_ecn_input(struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (!(c->ecn & TCP_ECN_F_AGREED) || seg->len == 0)
		return;
	if (seg->h.flags & WIRE_TCP_CWR)
		c->ecn &= (uint8_t)~TCP_ECN_F_ECHO;
	if ((seg->tos & TOS_ECN) != TOS_CE)
		return;
	tcp_count(c->tcp, TCP_STAT_RX_CE);
	if (c->ecn & TCP_ECN_F_ECHO)
		return;
	c->ecn |= TCP_ECN_F_ECHO;
	c->flags |= TCP_F_ACK_NOW;
	tcp_conn_schedule(c);
}

void tcp_ecn_reduced(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!(c->ecn & TCP_ECN_F_AGREED) || !f)
		return;
	c->ecn |= TCP_ECN_F_CWR | TCP_ECN_F_REDUCED;
	f->ecn_end = c->snd_max;
}

/* 6.1.2: once per window of data; a recovery has reduced it already. */
void tcp_ecn_ack(struct tcp_conn *c, const struct wire_tcp *h)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!(c->ecn & TCP_ECN_F_AGREED) || !f)
		return;
	if (c->ecn & TCP_ECN_F_REDUCED && seq_geq(c->snd_una, f->ecn_end))
		c->ecn &= (uint8_t)~TCP_ECN_F_REDUCED;
	if (!tcp_ecn_told(c, h) || c->ecn & TCP_ECN_F_REDUCED)
		return;
	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS)) {
		tcp_ecn_reduced(c);
		return;
	}
	tcp_count(c->tcp, TCP_STAT_ECN_REDUCTIONS);
	tcp_cc_congestion(c, TCP_CC_ECN);
	if (!tcp_cc(c)->owns_cwnd)
		c->cwnd = MIN(c->cwnd, c->ssthresh);
}

/* 6.1.4 to 6.1.6: repetitions, probes and what has no text are neither ECT nor CWR. */
uint8_t tcp_ecn_output(const struct tcp_conn *c, struct wire_tcp *h, uint32_t len)
{
	if (!(c->ecn & TCP_ECN_F_AGREED) || h->flags & (WIRE_TCP_SYN | WIRE_TCP_RST))
		return 0;
	if (c->ecn & TCP_ECN_F_ECHO)
		h->flags |= WIRE_TCP_ECE;
	if (len == 0 || seq_lt(h->seq, c->snd_max) || c->rtx_kind == TCP_RTX_PERSIST ||
		!c->flight_ref)
		return 0;
	if (c->ecn & TCP_ECN_F_CWR)
		h->flags |= WIRE_TCP_CWR;
	return TOS_ECT0;
}

void tcp_ecn_sent(struct tcp_conn *c, const struct wire_tcp *h)
{
	if (h->flags & WIRE_TCP_CWR && !(h->flags & WIRE_TCP_SYN))
		c->ecn &= (uint8_t)~TCP_ECN_F_CWR;
}
