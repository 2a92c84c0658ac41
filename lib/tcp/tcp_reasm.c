/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received text: the queue in order, and the ranges that came too early.
 *
 * Ranges are sorted, do not overlap and do not touch. Bytes that are there already win over later
 * copies. Bounded three times: by the window, by TCP_REASM_RANGES_MAX, and by the memory that the
 * buffers pin; what is beyond is dropped and counted, the peer sends it again.
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
	r->stamp = 0;
	r->fin_seq = c->rcv_nxt;
	r->twice = (struct wire_sack_block){0};
	c->recovery_ref = mem_pool_index(&c->tcp->recoveries, r) + 1;
	return r;
}

static bool came_twice(const struct tcp_recovery *r)
{
	return !seq_eq(r->twice.start, r->twice.end);
}

void tcp_recovery_drop(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);

	if (!r || r->reasm_count || c->flags & TCP_F_FIN_AHEAD || came_twice(r))
		return;
	mem_pool_put(&c->tcp->recoveries, r);
	c->recovery_ref = 0;
}

void tcp_reasm_twice(struct tcp_conn *c, struct seq start, struct seq end)
{
	struct tcp_recovery *r;

	if (!(c->flags & TCP_F_SACK) || seq_geq(start, end))
		return;
	r = tcp_recovery_take(c);
	if (r && !came_twice(r)) /* the first of the turn */
		r->twice = (struct wire_sack_block){start, end};
}

bool tcp_reasm_has_blocks(const struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);

	return c->flags & TCP_F_SACK && r && (r->reasm_count || came_twice(r));
}

uint32_t tcp_reasm_held(const struct tcp_conn *c)
{
	const struct tcp_recovery *r = tcp_recovery(c);
	uint32_t held_bytes = 0;

	for (uint32_t i = 0; r && i < r->reasm_count; i++)
		held_bytes += r->reasm[i].data.held_bytes;
	return held_bytes;
}

void tcp_reasm_free(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);

	for (uint32_t i = 0; r && i < r->reasm_count; i++)
		pkt_chain_free(&r->reasm[i].data);
	if (r)
		r->reasm_count = 0;
}

static struct seq range_end(const struct tcp_reasm_range *range)
{
	return seq_add(range->start, range->data.bytes);
}

static void range_remove(struct tcp_recovery *r, uint32_t i)
{
	r->reasm_count--;
	memmove(&r->reasm[i], &r->reasm[i + 1], (r->reasm_count - i) * sizeof(r->reasm[0]));
}

/* A piece that overlaps nothing goes in before range i. */
static void place(struct tcp_conn *c, struct tcp_recovery *r, uint32_t i, struct seq start,
	struct pkt_chain *piece)
{
	if (i > 0 && seq_eq(range_end(&r->reasm[i - 1]), start)) {
		i--;
		pkt_chain_splice(&r->reasm[i].data, piece);
	} else if (r->reasm_count < TCP_REASM_RANGES_MAX) {
		memmove(&r->reasm[i + 1], &r->reasm[i], (r->reasm_count - i) * sizeof(r->reasm[0]));
		r->reasm_count++;
		r->reasm[i] = (struct tcp_reasm_range){.start = start};
		pkt_chain_splice(&r->reasm[i].data, piece);
	} else {
		tcp_count(c->tcp, TCP_STAT_RX_REASSEMBLY_FULL);
		pkt_chain_free(piece);
		return;
	}
	if (i + 1 < r->reasm_count && seq_eq(range_end(&r->reasm[i]), r->reasm[i + 1].start)) {
		pkt_chain_splice(&r->reasm[i].data, &r->reasm[i + 1].data);
		range_remove(r, i + 1);
	}
	r->reasm[i].stamp = ++r->stamp;
	(void)tcp_chain_compact(c, &r->reasm[i].data, tcp_recv_limit(c));
}

/* Cuts the bytes at what is there already and places what is new. */
static void insert(
	struct tcp_conn *c, struct tcp_recovery *r, struct seq start, struct pkt_chain *bytes)
{
	while (bytes->bytes > 0) {
		struct pkt_chain piece = {0};
		uint32_t i = 0;
		uint32_t n = bytes->bytes;

		while (i < r->reasm_count && seq_leq(range_end(&r->reasm[i]), start))
			i++;
		if (i < r->reasm_count && seq_leq(r->reasm[i].start, start)) {
			n = (uint32_t)seq_diff(range_end(&r->reasm[i]), start);
			n = pkt_chain_drop(bytes, n);
			tcp_reasm_twice(c, start, seq_add(start, n));
			r->reasm[i].stamp = ++r->stamp; /* it triggered the ACK, too */
			tcp_count(c->tcp, TCP_STAT_RX_DUPLICATE);
		} else {
			if (i < r->reasm_count)
				n = MIN(n, (uint32_t)seq_diff(r->reasm[i].start, start));
			n = pkt_chain_take(bytes, n, &piece, c->tcp->pools);
			if (n == 0) { /* no buffer for the cut: the rest comes again */
				tcp_count(c->tcp, TCP_STAT_RX_REASSEMBLY_FULL);
				pkt_chain_free(bytes);
				return;
			}
			place(c, r, i, start, &piece);
		}
		start = seq_add(start, n);
	}
}

static void too_early(struct tcp_conn *c, struct seq start, struct pkt_chain *bytes)
{
	struct tcp_recovery *r = tcp_recovery_take(c);
	uint64_t held_bytes = (uint64_t)c->rcv.held_bytes + tcp_reasm_held(c) + bytes->held_bytes;

	c->flags |= TCP_F_ACK_NOW; /* RFC 5681 4.2 */
	if (c->tcp->memory_level == TCP_MEMORY_RED) {
		tcp_count(c->tcp, TCP_STAT_RX_MEMORY);
		pkt_chain_free(bytes);
	} else if (r && held_bytes <= 2 * (uint64_t)tcp_recv_limit(c)) {
		tcp_count(c->tcp, TCP_STAT_RX_OUT_OF_ORDER);
		insert(c, r, start, bytes);
	} else {
		tcp_count(c->tcp, TCP_STAT_RX_REASSEMBLY_FULL);
		pkt_chain_free(bytes);
	}
	tcp_recovery_drop(c);
}

/* Ranges that the queue has reached become part of it. */
static void absorb(struct tcp_conn *c)
{
	struct tcp_recovery *r = tcp_recovery(c);

	if (!r || r->reasm_count == 0)
		return;
	c->flags |= TCP_F_ACK_NOW; /* a gap was filled (RFC 5681 4.2) */
	while (r->reasm_count && seq_leq(r->reasm[0].start, c->rcv_nxt)) {
		struct tcp_reasm_range *range = &r->reasm[0];

		pkt_chain_drop(&range->data, (uint32_t)seq_diff(c->rcv_nxt, range->start));
		c->rcv_nxt = seq_add(c->rcv_nxt, range->data.bytes);
		pkt_chain_splice(&c->rcv, &range->data);
		range_remove(r, 0);
	}
	tcp_recovery_drop(c);
}

/* As many as take the peer to our window, if two segments came for each. */
void tcp_quick_ack_begin(struct tcp_conn *c)
{
	uint32_t count = tcp_recv_room(c) / (2u * c->mss);

	c->quick_acks = (uint8_t)MIN(MAX(count, 2u), (uint32_t)TCP_QUICK_ACKS_MAX);
}

/* RFC 9293 3.8.6.3: at least every second full segment, and no later than TCP_DELACK_MS. A peer
 * with Nagle's algorithm sends a head and waits for its ACK with the body, so the first ones leave
 * at once. */
static void schedule_ack(struct tcp_conn *c)
{
	if (c->quick_acks || (uint32_t)seq_diff(c->rcv_nxt, c->rcv_acked) >= 2u * c->rcv_seg_max) {
		c->flags |= TCP_F_ACK_NOW;
	} else if (!(c->flags & TCP_F_ACK_DELAYED)) {
		c->flags |= TCP_F_ACK_DELAYED;
		c->ack_at = tcp_deadline(tcp_now_ms(c->tcp), TCP_DELACK_MS);
	}
}

static void in_order(struct tcp_conn *c, struct pkt_chain *bytes, uint32_t piece_bytes)
{
	struct seq before = c->rcv_nxt;
	uint32_t seg_bytes = MIN(bytes->bytes, piece_bytes);

	if (c->rcv.bytes == 0)
		tcp_recv_begins(c);
	c->rcv_seg_max = MAX(c->rcv_seg_max, (uint16_t)MIN(seg_bytes, (uint32_t)UINT16_MAX));
	c->rcv_nxt = seq_add(c->rcv_nxt, bytes->bytes);
	pkt_chain_splice(&c->rcv, bytes);
	absorb(c);
	(void)tcp_chain_compact(c, &c->rcv, tcp_recv_limit(c));
	stat_add(&c->tcp->stats[TCP_STAT_RX_BYTES], (uint32_t)seq_diff(c->rcv_nxt, before));
	schedule_ack(c);
	tcp_conn_event(c, TCP_EVENT_READABLE);
}

void tcp_reasm_input(struct tcp_conn *c, struct tcp_seg *seg)
{
	struct seq start = seg->h.seq;
	struct pkt_chain bytes = {0};
	int32_t old;

	pkt_chain_append(&bytes, seg->m);
	seg->m = NULL;
	pkt_chain_cut(&bytes, seg->len);
	old = seq_diff(c->rcv_nxt, start);
	if (old > 0) {
		tcp_reasm_twice(c, start, seq_min(c->rcv_nxt, seq_add(start, seg->len)));
		pkt_chain_drop(&bytes, (uint32_t)old);
		start = c->rcv_nxt;
		tcp_count(c->tcp, TCP_STAT_RX_DUPLICATE);
		c->flags |= TCP_F_ACK_NOW;
	}
	if (bytes.bytes == 0)
		pkt_chain_free(&bytes);
	else if (seq_eq(start, c->rcv_nxt))
		in_order(c, &bytes, seg->piece_bytes);
	else
		too_early(c, start, &bytes);
	tcp_conn_schedule(c);
}

/* RFC 2883 4: first what came twice, told once. RFC 2018 4: then the range of the segment that
 * triggers the ACK, then the others by age. */
uint8_t tcp_reasm_sack(struct tcp_conn *c, struct wire_sack_block *blocks, uint8_t blocks_max)
{
	struct tcp_recovery *r = tcp_recovery(c);
	uint32_t below = UINT32_MAX;
	uint8_t count = 0;

	if (r && came_twice(r)) {
		blocks[count++] = r->twice;
		r->twice = (struct wire_sack_block){0};
		tcp_count(c->tcp, TCP_STAT_DSACK_SENT);
	}

	while (r && count < blocks_max) {
		const struct tcp_reasm_range *best = NULL;

		for (uint32_t i = 0; i < r->reasm_count; i++) {
			const struct tcp_reasm_range *range = &r->reasm[i];

			if (range->stamp < below && (!best || range->stamp > best->stamp))
				best = range;
		}
		if (!best)
			break;
		below = best->stamp;
		blocks[count++] = (struct wire_sack_block){best->start, range_end(best)};
	}
	tcp_recovery_drop(c);
	return count;
}
