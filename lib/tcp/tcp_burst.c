/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of packets from lib/ip: each is parsed; text that follows on what came just before it
 * joins that, as a card's LRO would have it; what the burst needs of memory is asked for; then
 * every segment goes its way.
 */
#include "tcp_pvt.h"

/* Parses one packet; false if it is no segment (counted). The payload is what stays in it. */
static bool prepare(struct tcp *tcp, const struct ip_packet *p, struct tcp_seg *seg)
{
	struct rte_mbuf *m = p->m;

	tcp_count(tcp, TCP_STAT_RX_SEGS);
	seg->m = m;
	seg->text_refused = false;
	seg->tos = p->tos;
	seg->from_us = p->from_us;
	if (wire_tcp_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &seg->h) != WIRE_OK ||
		seg->h.src_port == 0 || seg->h.dst_port == 0) {
		tcp_count(tcp, TCP_STAT_RX_MALFORMED);
		return false;
	}
	if (!p->l4_checksum_ok && !ip_l4_checksum_holds(p, WIRE_PROTO_TCP)) {
		tcp_count(tcp, TCP_STAT_RX_CHECKSUM);
		return false;
	}
	seg->len = m->pkt_len - seg->h.header_bytes;
	seg->piece_bytes = seg->len;
	rte_pktmbuf_adj(m, seg->h.header_bytes);
	seg->tuple = (struct tcp_tuple){
		.local = p->dst,
		.remote = p->src,
		.local_port = seg->h.dst_port,
		.remote_port = seg->h.src_port,
	};
	return true;
}

/* --- joining ----------------------------------------------------------------------- */

/* They say the same, but for the text. PSH ends what a peer wrote at once. */
static bool headers_agree(const struct wire_tcp *a, const struct wire_tcp *b)
{
	return a->flags == WIRE_TCP_ACK && (b->flags & ~WIRE_TCP_PSH) == WIRE_TCP_ACK &&
	       seq_eq(a->ack, b->ack) && a->window == b->window && a->sack_count == 0 &&
	       b->sack_count == 0 && a->has_timestamp == b->has_timestamp &&
	       (!a->has_timestamp || (a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr));
}

static bool may_join(const struct tcp_seg *a, const struct tcp_seg *b)
{
	return headers_agree(&a->h, &b->h) && a->len && b->len && b->len <= a->piece_bytes &&
	       seq_eq(b->h.seq, seq_add(a->h.seq, a->len)) && a->len + b->len <= UINT16_MAX &&
	       a->tos == b->tos && a->from_us == b->from_us;
}

/* `last` is the end of a's chain, and afterwards that of both. */
static void join(struct tcp_seg *a, const struct tcp_seg *b, struct rte_mbuf **last)
{
	(*last)->next = b->m;
	*last = rte_pktmbuf_lastseg(b->m);
	a->m->nb_segs = (uint16_t)(a->m->nb_segs + b->m->nb_segs);
	a->m->pkt_len += b->m->pkt_len;
	a->len += b->len;
	a->h.flags |= b->h.flags;
}

/* Hashes what is left of the burst, which need not be done again for one and the same connection.
 * Returns how many segments that is. */
static uint32_t join_and_hash(struct tcp *tcp, uint32_t count)
{
	struct tcp_seg *a = NULL;
	struct rte_mbuf *last = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct tcp_seg *b = &tcp->segs[i];
		bool same = a && memcmp(&a->tuple, &b->tuple, sizeof(a->tuple)) == 0;

		if (same && may_join(a, b)) {
			join(a, b, &last);
			tcp_count(tcp, TCP_STAT_RX_JOINED);
			continue;
		}
		b->hash = same ? a->hash : tcp_tuple_hash(tcp, &b->tuple);
		if (!same)
			tcp_table_prefetch(&tcp->table, b->hash.table);
		a = a ? a + 1 : b;
		if (a != b)
			*a = *b;
		last = rte_pktmbuf_lastseg(a->m);
	}
	return a ? (uint32_t)(a - tcp->segs) + 1 : 0;
}

/* --- memory ------------------------------------------------------------------------ */

/* Most segments are of the connection whose slot is the first of its hash. */
static struct tcp_conn *guess_conn(const struct tcp *tcp, uint32_t hash)
{
	const struct tcp_slot *slot = &tcp->table.slots[hash & tcp->table.mask];

	return slot->hash == hash ? tcp_ref_conn(tcp, slot->ref) : NULL;
}

/* What was long idle lies in no cache, one thing behind the other: slot, connection, and then its
 * owner and the neighbours of its timer. A burst waits once for each of them, not once for each of
 * its segments. */
static void prefetch_conns(struct tcp *tcp, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct tcp_seg *seg = &tcp->segs[i];
		bool same = i > 0 && seg->hash.table == seg[-1].hash.table;

		seg->guess = same ? NULL : guess_conn(tcp, seg->hash.table);
		prefetch_lines(seg->guess, sizeof(*seg->guess) / CACHE_LINE_BYTES);
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct tcp_conn *c = tcp->segs[i].guess;

		if (!c)
			continue;
		prefetch_lines(c->user, 2);
		__builtin_prefetch(c->timer.link.prev, 1);
		__builtin_prefetch(c->timer.link.next, 1);
	}
}

/* --- dispatch ---------------------------------------------------------------------- */

static void dispatch(struct tcp *tcp, struct tcp_seg *seg)
{
	uint32_t ref = tcp_table_find(tcp, &seg->tuple, seg->hash.table);
	struct tcp_listener *l;

	if (ref & TCP_REF_TW) {
		tcp_tw_input(tcp, tcp_ref_tw(tcp, ref), seg);
	} else if (ref) {
		tcp_in_conn(tcp_ref_conn(tcp, ref), seg);
	} else if ((l = tcp_listener_find(tcp, &seg->tuple.local, seg->tuple.local_port))) {
		tcp_listen_input(tcp, l, seg, NULL);
	} else {
		tcp_count(tcp, TCP_STAT_RX_NO_CONN);
		tcp_in_closed(tcp, seg, TCP_RESET_CLOSED_PORT);
	}
}

void tcp_input(void *ctx, struct ip_packet *packets, uint32_t n)
{
	struct tcp *tcp = ctx;

	for (uint32_t at = 0; at < n; at += PKT_BURST_MAX) {
		uint32_t count = MIN(n - at, (uint32_t)PKT_BURST_MAX);
		uint32_t good = 0;

		for (uint32_t i = 0; i < count; i++) {
			if (prepare(tcp, &packets[at + i], &tcp->segs[good]))
				good++;
			else
				pkt_free(packets[at + i].m);
		}
		good = join_and_hash(tcp, good);
		prefetch_conns(tcp, good);
		for (uint32_t i = 0; i < good; i++) {
			dispatch(tcp, &tcp->segs[i]);
			pkt_free(tcp->segs[i].m);
		}
	}
}
