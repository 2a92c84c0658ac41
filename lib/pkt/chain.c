/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains of payload segments.
 *
 * In come whole packets (append) and copies (write); out go references (take, ref), copies
 * (copy_out), and buffers back to their pools (drop, cut, free). Always: head and tail are both
 * set or both NULL; no segment is empty; tail->next is NULL; bytes, held_bytes and segs are the
 * sums over the segments. Bytes are only ever written into a segment that is direct and that
 * nobody shares.
 */
#include "pkt.h"

static void push_seg(struct pkt_chain *c, struct rte_mbuf *seg)
{
	seg->next = NULL;
	if (c->tail)
		c->tail->next = seg;
	else
		c->head = seg;
	c->tail = seg;
	c->bytes += seg->data_len;
	c->held_bytes += seg->buf_len;
	c->segs++;
}

static struct rte_mbuf *pop_seg(struct pkt_chain *c)
{
	struct rte_mbuf *seg = c->head;

	c->head = seg->next;
	if (!c->head)
		c->tail = NULL;
	c->bytes -= seg->data_len;
	c->held_bytes -= seg->buf_len;
	c->segs--;
	seg->next = NULL;
	return seg;
}

static void trim_front(struct rte_mbuf *seg, uint32_t n)
{
	seg->data_off += (uint16_t)n;
	seg->data_len -= (uint16_t)n;
}

void pkt_chain_append(struct pkt_chain *c, struct rte_mbuf *m)
{
	while (m) {
		struct rte_mbuf *next = m->next;

		m->next = NULL;
		m->nb_segs = 1;
		if (m->data_len > 0)
			push_seg(c, m);
		else
			rte_pktmbuf_free_seg(m);
		m = next;
	}
}

void pkt_chain_splice(struct pkt_chain *to, struct pkt_chain *from)
{
	if (!from->head)
		return;
	if (to->tail)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	to->bytes += from->bytes;
	to->held_bytes += from->held_bytes;
	to->segs += from->segs;
	pkt_chain_init(from);
}

void pkt_chain_splice_front(struct pkt_chain *to, struct pkt_chain *from)
{
	pkt_chain_splice(from, to);
	*to = *from;
	pkt_chain_init(from);
}

uint32_t pkt_chain_take(
	struct pkt_chain *from, uint32_t n, struct pkt_chain *to, struct pkt_pools *pools)
{
	uint32_t left = MIN(n, from->bytes), taken = 0;

	while (left > 0 && from->head->data_len <= left) {
		struct rte_mbuf *seg = pop_seg(from);

		left -= seg->data_len;
		taken += seg->data_len;
		push_seg(to, seg);
	}
	if (left > 0) {
		struct rte_mbuf *ref = pkt_ref(pools, from->head, 0, left);

		if (ref) {
			push_seg(to, ref);
			trim_front(from->head, left);
			from->bytes -= left;
			taken += left;
		}
	}
	return taken;
}

uint32_t pkt_chain_drop(struct pkt_chain *c, uint32_t n)
{
	uint32_t left = MIN(n, c->bytes), dropped = left;

	while (left > 0 && c->head->data_len <= left) {
		left -= c->head->data_len;
		rte_pktmbuf_free_seg(pop_seg(c));
	}
	if (left > 0) {
		trim_front(c->head, left);
		c->bytes -= left;
	}
	return dropped;
}

void pkt_chain_cut(struct pkt_chain *c, uint32_t n)
{
	struct pkt_chain kept;

	if (n >= c->bytes)
		return;
	pkt_chain_init(&kept);
	while (n > 0 && c->head->data_len <= n) {
		n -= c->head->data_len;
		push_seg(&kept, pop_seg(c));
	}
	if (n > 0) {
		struct rte_mbuf *seg = pop_seg(c);

		seg->data_len = (uint16_t)n;
		push_seg(&kept, seg);
	}
	pkt_chain_free(c);
	*c = kept;
}

uint32_t pkt_chain_copy_out(const struct pkt_chain *c, uint32_t off, void *buf, uint32_t n)
{
	uint8_t *at = buf;
	uint32_t copied = 0;

	for (const struct rte_mbuf *seg = c->head; seg && copied < n; seg = seg->next) {
		uint32_t len;

		if (off >= seg->data_len) {
			off -= seg->data_len;
			continue;
		}
		len = MIN(seg->data_len - off, n - copied);
		memcpy(at + copied, rte_pktmbuf_mtod_offset(seg, const uint8_t *, off), len);
		copied += len;
		off = 0;
	}
	return copied;
}

struct rte_mbuf *pkt_chain_ref(const struct pkt_chain *c, uint32_t off, uint32_t n,
	struct pkt_pools *pools, struct pkt_chain_hint *hint)
{
	struct pkt_chain_hint at = {c->head, 0};
	struct pkt_chain out;

	if (n == 0 || off > c->bytes || n > c->bytes - off)
		return NULL;
	if (hint && hint->seg && hint->seg_off <= off)
		at = *hint;
	pkt_chain_init(&out);
	for (;;) {
		uint32_t end = at.seg_off + at.seg->data_len;

		if (off < end) {
			uint32_t len = MIN(end - off, n);
			struct rte_mbuf *ref = pkt_ref(pools, at.seg, off - at.seg_off, len);

			if (!ref) {
				pkt_chain_free(&out);
				return NULL;
			}
			push_seg(&out, ref);
			off += len;
			n -= len;
		}
		if (n == 0)
			break;
		at = (struct pkt_chain_hint){at.seg->next, end};
	}
	if (hint)
		*hint = at;
	out.head->nb_segs = (uint16_t)out.segs;
	out.head->pkt_len = out.bytes;
	return out.head;
}

/* Bytes that may be written behind the segment's data. */
static uint32_t own_tailroom(const struct rte_mbuf *seg)
{
	if (!seg || !RTE_MBUF_DIRECT(seg) || rte_mbuf_refcnt_read(seg) != 1)
		return 0;
	return seg->buf_len - (uint32_t)seg->data_off - seg->data_len;
}

uint32_t pkt_chain_write(struct pkt_chain *c, struct bytes bytes, struct pkt_pools *pools)
{
	uint32_t written = 0;

	while (written < bytes.len) {
		uint32_t len = (uint32_t)MIN((size_t)own_tailroom(c->tail), bytes.len - written);

		if (len == 0) {
			struct rte_mbuf *seg = pkt_alloc(pools);

			if (!seg)
				break;
			push_seg(c, seg);
			continue;
		}
		memcpy(rte_pktmbuf_mtod_offset(c->tail, uint8_t *, c->tail->data_len),
			bytes.ptr + written, len);
		c->tail->data_len += (uint16_t)len;
		c->bytes += len;
		written += len;
	}
	return written;
}

struct bytes pkt_chain_front(const struct pkt_chain *c)
{
	if (!c->head)
		return BYTES_NONE;
	return bytes_of(rte_pktmbuf_mtod(c->head, const char *), c->head->data_len);
}

static bool is_small(const struct rte_mbuf *seg, uint32_t ratio)
{
	return (uint64_t)seg->data_len * ratio < seg->buf_len;
}

uint32_t pkt_chain_compact(struct pkt_chain *c, uint32_t ratio, struct pkt_pools *pools)
{
	uint32_t held_before = c->held_bytes;
	struct pkt_chain out;

	if (c->segs < 2 || c->held_bytes <= (uint64_t)c->bytes * ratio)
		return 0;
	pkt_chain_init(&out);
	while (c->head) {
		struct rte_mbuf *seg = pop_seg(c);
		uint32_t len = seg->data_len, written;
		/* A copy into a fresh buffer only pays if the next one goes there too. */
		bool pays = own_tailroom(out.tail) >= len || (c->head && is_small(c->head, ratio));

		if (!is_small(seg, ratio) || !pays) {
			push_seg(&out, seg);
			continue;
		}
		written = pkt_chain_write(
			&out, bytes_of(rte_pktmbuf_mtod(seg, const char *), len), pools);
		stat_add(&pools->stats[PKT_STAT_COMPACTED], written);
		trim_front(seg, written);
		if (written < len) {
			push_seg(&out, seg);
			break;
		}
		rte_pktmbuf_free_seg(seg);
	}
	pkt_chain_splice_front(c, &out);
	return held_before - MIN(held_before, c->held_bytes);
}

void pkt_chain_free(struct pkt_chain *c)
{
	while (c->head)
		rte_pktmbuf_free_seg(pop_seg(c));
}
