/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TIME-WAIT (RFC 9293 3.6, 3.10.7.4): a compact entry in the connection table. All entries wait
 * equally long, so a list by age needs one timer; an entry that starts again moves to its end.
 * If all are in use the oldest makes room. A RST is ignored (RFC 1337); a SYN that must be new by
 * timestamp or sequence number opens a new connection (RFC 6191).
 */
#include "tcp_pvt.h"

#define TW_REUSE_AGE_MS 1000

static struct tcp_tw *tw_at(const struct tcp *tcp, uint32_t index)
{
	return mem_pool_at(&tcp->tws, index);
}

static void list_append(struct tcp *tcp, struct tcp_tw *tw)
{
	uint32_t index = mem_pool_index(&tcp->tws, tw);
	uint32_t now_ms = tcp_now_ms(tcp);

	tw->expire_ms = now_ms + tcp->config.time_wait_ms;
	tw->next = TCP_TW_NONE;
	tw->prev = tcp->tw_tail;
	if (tw->prev == TCP_TW_NONE)
		tcp->tw_head = index;
	else
		tw_at(tcp, tw->prev)->next = index;
	tcp->tw_tail = index;
	if (!timer_is_set(&tcp->tw_timer))
		timer_set(&tcp->worker->timers, &tcp->tw_timer,
			tcp->worker->now_ns + tcp->config.time_wait_ms * NS_PER_MS);
}

static void list_remove(struct tcp *tcp, struct tcp_tw *tw)
{
	if (tw->prev == TCP_TW_NONE)
		tcp->tw_head = tw->next;
	else
		tw_at(tcp, tw->prev)->next = tw->next;
	if (tw->next == TCP_TW_NONE)
		tcp->tw_tail = tw->prev;
	else
		tw_at(tcp, tw->next)->prev = tw->prev;
}

static uint32_t tw_ref(const struct tcp *tcp, const struct tcp_tw *tw)
{
	return (mem_pool_index(&tcp->tws, tw) + 1) | TCP_REF_TW;
}

void tcp_tw_remove(struct tcp *tcp, struct tcp_tw *tw)
{
	tcp_table_del(&tcp->table, tcp_hash(tcp, &tw->tuple), tw_ref(tcp, tw));
	list_remove(tcp, tw);
	mem_pool_put(&tcp->tws, tw);
	stat_sub(&tcp->stats[TCP_STAT_TIME_WAITS], 1);
}

static struct tcp_tw *tw_get(struct tcp *tcp)
{
	if (tcp->tws.count_used == tcp->tws.count_max && tcp->tw_head != TCP_TW_NONE) {
		tcp_count(tcp, TCP_STAT_TIME_WAIT_EVICTED);
		tcp_tw_remove(tcp, tw_at(tcp, tcp->tw_head));
	}
	return mem_pool_get(&tcp->tws);
}

void tcp_tw_add(struct tcp *tcp, const struct tcp_conn *c)
{
	struct tcp_tw *tw = tw_get(tcp);

	if (!tw)
		return;
	*tw = (struct tcp_tw){
		.tuple = c->tuple,
		.snd_nxt = c->snd_max,
		.rcv_nxt = c->rcv_nxt,
		.ts_recent = c->ts_recent,
		.window = tcp_window_field(c, false),
		.has_ts = c->flags & TCP_F_TS,
		.to_us = c->path.loopback_to_us,
	};
	list_append(tcp, tw);
	tcp_table_add(&tcp->table, tcp_hash(tcp, &tw->tuple), tw_ref(tcp, tw));
	stat_add(&tcp->stats[TCP_STAT_TIME_WAITS], 1);
}

void tcp_tw_timer_fn(struct timer *timer, uint64_t now_ns)
{
	struct tcp *tcp = CONTAINER_OF(timer, struct tcp, tw_timer);
	uint32_t now_ms = tcp_now_ms(tcp);

	/* At most 4096 at once, so that a wave of closes does not come back as a pause. */
	for (uint32_t i = 0; i < 4096 && tcp->tw_head != TCP_TW_NONE; i++) {
		struct tcp_tw *tw = tw_at(tcp, tcp->tw_head);

		if ((int32_t)(now_ms - tw->expire_ms) < 0)
			break;
		tcp_tw_remove(tcp, tw);
	}
	if (tcp->tw_head != TCP_TW_NONE) {
		int32_t left_ms = (int32_t)(tw_at(tcp, tcp->tw_head)->expire_ms - now_ms);

		timer_set(&tcp->worker->timers, &tcp->tw_timer,
			now_ns + (uint64_t)MAX(left_ms, 1) * NS_PER_MS);
	}
}

bool tcp_tw_may_reuse(const struct tcp *tcp, const struct tcp_tw *tw)
{
	uint32_t age_ms = tcp->config.time_wait_ms - (tw->expire_ms - tcp_now_ms(tcp));

	return tw->has_ts && age_ms >= TW_REUSE_AGE_MS;
}

static void tw_ack(struct tcp *tcp, const struct tcp_tw *tw)
{
	tcp_reply_schedule(
		tcp, &(struct tcp_reply){
			     .tuple = tw->tuple,
			     .seq = tw->snd_nxt,
			     .ack = tw->rcv_nxt,
			     .ts_val = tcp_now_ms(tcp) + tcp_tuple_hash(tcp, &tw->tuple).ts_offset,
			     .ts_ecr = tw->ts_recent,
			     .window = tw->window,
			     .flags = WIRE_TCP_ACK,
			     .has_ts = tw->has_ts,
			     .to_us = tw->to_us,
		     });
}

/* RFC 6191 2: timestamps that the former connection had not keep its segments out; without one, or
 * with an equal one, the sequence number decides. */
static bool syn_is_new(const struct tcp_tw *tw, const struct wire_tcp *h)
{
	if (tw->has_ts && h->has_timestamp && h->ts_val != tw->ts_recent)
		return (int32_t)(h->ts_val - tw->ts_recent) > 0;
	return (!tw->has_ts && h->has_timestamp) || seq_gt(h->seq, tw->rcv_nxt);
}

void tcp_tw_input(struct tcp *tcp, struct tcp_tw *tw, struct tcp_seg *seg)
{
	const struct wire_tcp *h = &seg->h;

	if (h->flags & WIRE_TCP_RST)
		return;
	if ((h->flags & (WIRE_TCP_SYN | WIRE_TCP_ACK)) == WIRE_TCP_SYN && syn_is_new(tw, h)) {
		struct tcp_listener *l =
			tcp_listener_find(tcp, &seg->tuple.local, seg->tuple.local_port);

		if (l) {
			/* Beyond all that the former connection may have sent. */
			struct seq isn_min = seq_add(tw->snd_nxt, 65537);

			tcp_count(tcp, TCP_STAT_TIME_WAIT_REUSED);
			tcp_tw_remove(tcp, tw);
			tcp_listen_input(tcp, l, seg, &isn_min);
			return;
		}
	}
	if (tw->has_ts && h->has_timestamp && (int32_t)(h->ts_val - tw->ts_recent) < 0) {
		tcp_count(tcp, TCP_STAT_RX_PAWS);
	} else if (h->flags & WIRE_TCP_FIN && seq_eq(seq_add(h->seq, seg->len + 1), tw->rcv_nxt)) {
		/* Our ACK was lost: the time starts again. */
		list_remove(tcp, tw);
		list_append(tcp, tw);
		tw_ack(tcp, tw);
		return;
	}
	/* A pure ACK that fits needs no answer; two sides that answer each other never stop. */
	if (seg->len == 0 && !(h->flags & (WIRE_TCP_SYN | WIRE_TCP_FIN)) &&
		seq_eq(h->seq, tw->rcv_nxt))
		return;
	if (tcp_bucket_take(tcp, &tcp->challenges, TCP_CHALLENGES_PER_SEC)) {
		tcp_count(tcp, TCP_STAT_CHALLENGE_ACKS);
		tw_ack(tcp, tw);
	} else {
		tcp_count(tcp, TCP_STAT_CHALLENGE_LIMITED);
	}
}
