/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slow start, for all controls that have one: byte counting (RFC 3465), and HyStart++ (RFC 9406)
 * for the first slow start of a connection. A round of it is a window of data; when the least round
 * trip of a round lies clearly above that of the round before, the queue at the bottleneck has
 * begun to grow, and the window grows at a quarter of the speed for five rounds (CSS) before it is
 * taken for the threshold. A delay that falls again in these rounds shows that it was not the
 * queue.
 */
#include "tcp_cc.h"

#define RTT_THRESH_MIN_US 4000u
#define RTT_THRESH_MAX_US 16000u
#define RTT_DIVISOR       8
#define RTT_SAMPLES_MIN   8
#define CSS_DIVISOR       4
#define CSS_ROUNDS        5
#define SEGS_PER_ACK_MAX  8 /* L of RFC 9406 4.3 where nothing is paced */

void tcp_hystart_init(struct tcp_hystart *h)
{
	*h = (struct tcp_hystart){.last_us = UINT32_MAX, .now_us = UINT32_MAX};
}

static void round_begin(struct tcp_conn *c, struct tcp_hystart *h)
{
	h->begun = true;
	h->round_end = c->snd_max;
	h->last_us = h->now_us;
	h->now_us = UINT32_MAX;
	h->samples = 0;
}

/* The delay has grown by an eighth, and by no less than 4 ms. */
static bool queue_grows(const struct tcp_hystart *h)
{
	uint32_t thresh_us;

	if (h->samples < RTT_SAMPLES_MIN || h->last_us == UINT32_MAX)
		return false;
	thresh_us = MAX(MIN(h->last_us / RTT_DIVISOR, RTT_THRESH_MAX_US), RTT_THRESH_MIN_US);
	return h->now_us >= h->last_us + thresh_us;
}

/* RFC 9406 4.2; the window has not grown for this ACK yet. */
static void hystart_on_ack(struct tcp_conn *c, struct tcp_hystart *h, const struct tcp_ack *a)
{
	if (!h->begun)
		round_begin(c, h);
	if (a->rtt_us) {
		h->now_us = MIN(h->now_us, a->rtt_us);
		h->samples += h->samples < UINT8_MAX;
	}
	if (!h->css_base_us && queue_grows(h)) {
		h->css_base_us = h->now_us;
		h->css_rounds = 0;
	} else if (h->css_base_us && h->samples >= RTT_SAMPLES_MIN && h->now_us < h->css_base_us) {
		h->css_base_us = 0;
	}
	if (seq_lt(c->snd_una, h->round_end))
		return;
	if (h->css_base_us && ++h->css_rounds >= CSS_ROUNDS) {
		c->ssthresh = c->cwnd;
		tcp_count(c->tcp, TCP_STAT_HYSTART_EXITS);
	}
	round_begin(c, h);
}

void tcp_cc_slow_start(struct tcp_conn *c, struct tcp_hystart *h, const struct tcp_ack *a)
{
	uint32_t seg = tcp_seg_bytes(c);
	/* After a timeout one ACK may cover what was received before: L = 1 (RFC 3465 2.3). */
	uint32_t step_max = c->flags & TCP_F_LOSS ? seg : 2 * seg;
	uint32_t divisor = 1;

	if (h && c->ssthresh == TCP_CWND_MAX) {
		hystart_on_ack(c, h, a);
		step_max = SEGS_PER_ACK_MAX * seg;
		divisor = h->css_base_us ? CSS_DIVISOR : 1;
	}
	c->cwnd += MIN(a->acked_bytes, step_max) / divisor;
}
