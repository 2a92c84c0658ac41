/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments without a connection: resets, cookies, the ACKs of TIME-WAIT. Input queues them, phase
 * TX sends them. The queue takes an answer to every packet of a turn. */
#include "tcp_pvt.h"

bool tcp_reply_schedule(struct tcp *tcp, const struct tcp_reply *reply)
{
	if (tcp->reply_count == TCP_REPLIES_MAX) {
		tcp_count(tcp, TCP_STAT_REPLY_FULL);
		return false;
	}
	tcp->replies[tcp->reply_count++] = *reply;
	return true;
}

/* Our side of the options of a SYN; false without a way to the peer. */
static bool fill_syn(
	struct tcp *tcp, const struct tcp_reply *r, struct ip_path *path, struct wire_tcp *h)
{
	struct ip_addr local = r->tuple.local;

	if (ip_path_find(tcp->ip, &local, &r->tuple.remote, path) != 0)
		return false;
	h->has_mss = true;
	h->mss = tcp_mss_limited(&tcp->options[r->options], tcp_mss_of_path(tcp, path, &local));
	h->has_sack_permitted = r->has_sack;
	h->has_window_scale = r->has_window_scale;
	h->window_scale = tcp->rcv_shift;
	return true;
}

static void send(struct tcp *tcp, const struct tcp_reply *r)
{
	struct ip_path path = {.loopback_to_us = r->to_us};
	struct wire_tcp h = {
		.src_port = r->tuple.local_port,
		.dst_port = r->tuple.remote_port,
		.seq = r->seq,
		.ack = r->ack,
		.window = r->window,
		.flags = r->flags,
		.has_timestamp = r->has_ts,
		.ts_val = r->ts_val,
		.ts_ecr = r->ts_ecr,
	};
	struct rte_mbuf *m;

	if (r->flags & WIRE_TCP_SYN && !fill_syn(tcp, r, &path, &h))
		return;
	m = pkt_alloc(tcp->pools);
	if (!m) {
		tcp_count(tcp, TCP_STAT_NO_BUFFER);
		return;
	}
	m->l4_len = wire_tcp_bytes(&h);
	wire_tcp_emit((uint8_t *)rte_pktmbuf_append(m, (uint16_t)m->l4_len), &h);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	tcp_count(tcp, TCP_STAT_TX_SEGS);
	ip_send(tcp->ip, &path, &r->tuple.local, &r->tuple.remote, WIRE_PROTO_TCP, 0, m);
}

uint32_t tcp_replies_send(struct tcp *tcp)
{
	uint32_t count = tcp->reply_count;

	for (uint32_t i = 0; i < count; i++)
		send(tcp, &tcp->replies[i]);
	tcp->reply_count = 0;
	return count;
}
