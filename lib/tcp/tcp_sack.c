/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sender's side of SACK (RFC 2018, RFC 6675): what the peer has beyond snd_una. Ranges are
 * sorted and do not touch; beyond TCP_SACK_RANGES_MAX the highest is forgotten, which costs at most
 * a needless retransmission.
 */
#include "tcp_pvt.h"

struct tcp_recovery *tcp_recovery_take(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);

	if (r)
		return r;
	r = mem_pool_get(&c->tcp->recoveries);
	if (!r)
		return NULL;
	r->reasm_count = 0;
	r->sack_count = 0;
	r->stamp = 0;
	r->fin_seq = c->rcv_nxt;
	r->high_rxt = c->snd_una;
	c->recovery_ref = mem_pool_index(&c->tcp->recoveries, r) + 1;
	return r;
}

void tcp_recovery_drop(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);

	if (!r || r->reasm_count || r->sack_count || c->flags & (TCP_F_FIN_AHEAD | TCP_F_RECOVERY))
		return;
	mem_pool_put(&c->tcp->recoveries, r);
	c->recovery_ref = 0;
}

static void range_add(struct tcp_recovery *r, struct seq start, struct seq end)
{
	uint32_t i = 0, j;

	while (i < r->sack_count && seq_lt(r->sack[i].end, start))
		i++;
	for (j = i; j < r->sack_count && seq_leq(r->sack[j].start, end); j++) {
		start = seq_min(start, r->sack[j].start);
		end = seq_max(end, r->sack[j].end);
	}
	if (i == j) {
		if (i == TCP_SACK_RANGES_MAX)
			return;
		if (r->sack_count == TCP_SACK_RANGES_MAX)
			r->sack_count--;
		memmove(&r->sack[i + 1], &r->sack[i], (r->sack_count - i) * sizeof(r->sack[0]));
		r->sack_count++;
	} else {
		memmove(&r->sack[i + 1], &r->sack[j], (r->sack_count - j) * sizeof(r->sack[0]));
		r->sack_count -= j - i - 1;
	}
	r->sack[i] = (struct tcp_sack_range){start, end};
}

/* Bytes of [from, to) without SACK. */
static uint32_t unsacked(const struct tcp_recovery *r, struct seq from, struct seq to)
{
	int32_t bytes = seq_diff(to, from);

	if (bytes <= 0)
		return 0;
	for (uint32_t i = 0; r && i < r->sack_count; i++) {
		int32_t part =
			seq_diff(seq_min(r->sack[i].end, to), seq_max(r->sack[i].start, from));

		bytes -= MAX(part, 0);
	}
	return (uint32_t)MAX(bytes, 0);
}

/* Blocks at or below snd_una are D-SACK or late (RFC 2883); above snd_max they are lies. */
uint32_t tcp_sack_update(struct tcp_conn *c, const struct wire_tcp *h)
{
	struct tcp_recovery *r = NULL;
	uint32_t before = 0;

	for (uint8_t i = 0; i < h->sack_count; i++) {
		struct seq start = h->sack[i].start, end = h->sack[i].end;

		if (seq_leq(start, c->snd_una) || seq_leq(start, h->ack) || seq_geq(start, end) ||
			seq_gt(end, c->snd_max))
			continue;
		if (!r) {
			r = tcp_recovery_take(c);
			if (!r)
				return 0;
			before = unsacked(r, c->snd_una, c->snd_max);
		}
		range_add(r, start, end);
	}
	return r ? before - MIN(before, unsacked(r, c->snd_una, c->snd_max)) : 0;
}

void tcp_sack_advance(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);
	uint32_t gone = 0;

	if (!r)
		return;
	while (gone < r->sack_count && seq_leq(r->sack[gone].end, c->snd_una))
		gone++;
	r->sack_count -= gone;
	memmove(&r->sack[0], &r->sack[gone], r->sack_count * sizeof(r->sack[0]));
	if (r->sack_count)
		r->sack[0].start = seq_max(r->sack[0].start, c->snd_una);
	r->high_rxt = seq_max(r->high_rxt, c->snd_una);
}

struct seq tcp_sack_lost_end(const struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);
	uint32_t bytes = 0;

	for (uint32_t i = r ? r->sack_count : 0; i-- > 0;) {
		bytes += (uint32_t)seq_diff(r->sack[i].end, r->sack[i].start);
		if (r->sack_count - i >= TCP_DUP_THRESH ||
			bytes > (TCP_DUP_THRESH - 1) * tcp_seg_bytes(c))
			return r->sack[i].start;
	}
	return c->snd_una;
}

uint32_t tcp_sack_pipe(const struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);

	if (!(c->flags & TCP_F_RECOVERY) || !r)
		return unsacked(r, c->snd_una, c->snd_nxt);
	return unsacked(r, tcp_sack_lost_end(c), c->snd_max) +
	       unsacked(r, c->snd_una, seq_min(r->high_rxt, c->snd_max));
}

bool tcp_sack_hole(const struct tcp_conn *c, struct seq from, struct seq limit, struct seq *start,
	struct seq *end)
{
	const struct tcp_recovery *r = tcp_recovery(c);

	*start = from;
	*end = limit;
	for (uint32_t i = 0; r && i < r->sack_count; i++) {
		if (seq_lt(*start, r->sack[i].start)) {
			*end = seq_min(limit, r->sack[i].start);
			break;
		}
		*start = seq_max(*start, r->sack[i].end);
	}
	return seq_lt(*start, *end);
}

struct seq tcp_sack_high(const struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);

	return r && r->sack_count ? r->sack[r->sack_count - 1].end : c->snd_una;
}
