/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK-TLP (RFC 8985): what left before something that was delivered, and had time enough, is lost;
 * and a probe finds out about the tail, after which nothing comes that could tell.
 *
 * Times of runs are microseconds, timers milliseconds: the reordering timer and the probe may be
 * late by one. Without SACK neither is used.
 */
#include "tcp_pvt.h"

#define REO_PERSIST   16      /* recoveries after which reo_mult begins anew (6.2 step 4) */
#define MAX_ACK_DELAY 200000u /* us; 7.2, TLP.max_ack_delay */
#define PTO_NO_RTT_US 1000000u
#define REO_MULT_MAX  64

/* --- loss by time (6.2) ------------------------------------------------------------ */

static uint32_t count_sacked(const struct tcp_flight *f)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < f->count && count < TCP_DUP_THRESH; i++)
		count += (tcp_run_at(f, i)->flags & TCP_RUN_SACKED) != 0;
	return count;
}

uint32_t tcp_rack_wnd_us(const struct tcp_conn *c)
{
	const struct tcp_flight *f = tcp_flight_of(c);
	uint32_t min_rtt_us = f->min_rtt_us ? f->min_rtt_us : c->srtt_us;

	if (!f->reordering && (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) ||
				      f->sacked_bytes > (TCP_DUP_THRESH - 1) * tcp_seg_bytes(c) ||
				      count_sacked(f) >= TCP_DUP_THRESH))
		return 0;
	return (uint32_t)MIN((uint64_t)min_rtt_us / 4 * f->reo_mult, (uint64_t)c->srtt_us);
}

static bool left_before_rack(const struct tcp_flight *f, const struct tcp_run *run)
{
	int32_t later = (int32_t)(f->rack_sent_us - run->sent_us);

	return later > 0 || (later == 0 && seq_gt(f->rack_end, run->end));
}

bool tcp_rack_detect(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint32_t before = f->lost_bytes, now_us = tcp_now_us(c->tcp), wnd_us;
	int32_t wait_us = 0;

	f->reo_at = 0;
	/* In order, nothing is left that went before; F-RTO waits for its own verdict. */
	if (!(c->flags & TCP_F_SACK) || f->rack_rtt_us == 0 || f->frto == TCP_FRTO_NEW ||
		(f->sacked_bytes == 0 && !(c->flags & (TCP_F_RECOVERY | TCP_F_LOSS))))
		return false;
	wnd_us = tcp_rack_wnd_us(c);
	for (uint32_t i = 0; i < f->count; i++) {
		const struct tcp_run *run = tcp_run_at(f, i);
		int32_t left_us;

		if (run->flags & (TCP_RUN_SACKED | TCP_RUN_LOST) || !left_before_rack(f, run))
			continue;
		left_us = (int32_t)(run->sent_us + f->rack_rtt_us + wnd_us - now_us);
		if (left_us <= 0)
			tcp_flight_lose_run(f, i);
		else
			wait_us = MAX(wait_us, left_us);
	}
	if (wait_us)
		f->reo_at = tcp_deadline(tcp_now_ms(c->tcp), (uint32_t)wait_us / 1000);
	if (f->lost_bytes == before)
		return false;
	tcp_count(c->tcp, TCP_STAT_RACK_LOSSES);
	tcp_flight_tidy(f);
	tcp_conn_schedule(c);
	return true;
}

void tcp_rack_dsack(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (f->reo_in_round && seq_lt(c->snd_una, f->dsack_round))
		return;
	f->reo_in_round = true;
	f->dsack_round = c->snd_nxt;
	f->reo_mult += f->reo_mult < REO_MULT_MAX;
	f->reo_persist = REO_PERSIST;
}

void tcp_rack_recovered(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (f->reo_persist && --f->reo_persist == 0)
		f->reo_mult = 1;
}

/* --- the tail (7) ------------------------------------------------------------------ */

static void tlp_arm(struct tcp_conn *c, struct tcp_flight *f)
{
	uint32_t pto_us = c->srtt_us ? 2 * c->srtt_us : PTO_NO_RTT_US;

	f->tlp_arm = false;
	f->tlp_at = 0;
	if (!(c->flags & TCP_F_SACK) || c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) || f->tlp_out ||
		f->sacked_bytes || f->lost_bytes || c->backoff || tcp_is_opening(c) ||
		f->count == 0)
		return;
	/* A peer that counts full segments may wait for the second one. */
	if (tcp_outstanding(c) < 2 * tcp_seg_bytes(c))
		pto_us += MAX_ACK_DELAY;
	f->tlp_at = tcp_deadline(tcp_now_ms(c->tcp), (pto_us + 999) / 1000);
	if ((int32_t)(f->tlp_at - f->rto_at) > 0)
		f->tlp_at = f->rto_at;
}

void tcp_rack_arm(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!f || !tcp_rtx_runs(c))
		return;
	if (f->tlp_arm)
		tlp_arm(c, f);
	c->rtx_kind = TCP_RTX_RTO;
	c->rtx_at = f->rto_at;
	if (f->tlp_at && (int32_t)(f->tlp_at - c->rtx_at) <= 0) {
		c->rtx_kind = TCP_RTX_TLP;
		c->rtx_at = f->tlp_at;
	}
	if (f->reo_at && (int32_t)(f->reo_at - c->rtx_at) <= 0) {
		c->rtx_kind = TCP_RTX_REORDER;
		c->rtx_at = f->reo_at;
	}
}

void tcp_rack_due(struct tcp_conn *c)
{
	static const struct tcp_delivery nothing;
	struct tcp_flight *f = tcp_flight_of(c);

	if (c->rtx_kind == TCP_RTX_REORDER) {
		tcp_loss_ack(c, &nothing, false, false);
		tcp_prr_ack(c, 0, false);
	} else {
		f->tlp_at = 0;
		f->tlp_due = true;
	}
	c->rtx_kind = TCP_RTX_RTO;
	c->rtx_at = f->rto_at;
}

/* 7.4.2. What the probe repeated and came twice was never lost; otherwise it repaired a loss. Where
 * nothing follows the probe, no ACK may ever tell. */
void tcp_tlp_ack(
	struct tcp_conn *c, const struct wire_tcp *h, const struct seq *dsack_end, bool dup)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!f->tlp_out || seq_lt(h->ack, f->tlp_end))
		return;
	if (!f->tlp_resent || (dsack_end && seq_eq(*dsack_end, f->tlp_end)) ||
		(dup && seq_eq(h->ack, f->tlp_end) && h->sack_count == 0)) {
		f->tlp_out = false;
	} else if (seq_gt(h->ack, f->tlp_end)) {
		f->tlp_out = false;
		tcp_count(c->tcp, TCP_STAT_TLP_REPAIRS);
		tcp_loss_repaired(c);
	}
}
