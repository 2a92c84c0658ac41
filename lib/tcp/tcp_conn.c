/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What owners call, and how a connection ends.
 *
 * Nothing here sends: a call changes the state, and output (phase TX) sees what follows from it.
 * A connection ends by tcp_conn_detach: it leaves the table and its timers and becomes a holder of
 * unread bytes until its owner closes it. Then, and when a last reset has left, TX frees it.
 */
#include "tcp_pvt.h"

/* --- the end ----------------------------------------------------------------------- */

void tcp_conn_detach(struct tcp_conn *c, enum tcp_state state)
{
	struct tcp *tcp = c->tcp;

	if (!tcp_is_open(c))
		return;
	if (tcp_is_fast_opening(c))
		tcp_fast_open_done(c, c->failure == TCP_FAILURE_RESET);
	if (c->flags & TCP_F_UNACCEPTED)
		tcp_listen_forget(c);
	tcp_table_del(&tcp->table, tcp_hash(tcp, &c->tuple), mem_pool_index(&tcp->conns, c) + 1);
	timer_cancel(&tcp->worker->timers, &c->timer);
	c->rtx_at = c->ack_at = c->idle_at = 0;
	c->rtx_kind = TCP_RTX_NONE;
	tcp_flight_release(c);
	pkt_chain_free(&c->snd);
	c->hint = (struct pkt_chain_hint){0};
	tcp_reasm_free(c);
	if (c->recovery_ref) {
		mem_pool_put(&tcp->recoveries, tcp_recovery(c));
		c->recovery_ref = 0;
	}
	c->state = (uint8_t)state;
	c->flags |= TCP_F_DETACHED;
	tcp_conn_schedule(c);
}

void tcp_conn_fail(struct tcp_conn *c, enum tcp_failure failure)
{
	if (!tcp_is_open(c))
		return;
	c->failure = (uint8_t)failure;
	tcp_conn_detach(c, TCP_CLOSED);
	pkt_chain_free(&c->rcv);
	tcp_conn_event(c, TCP_EVENT_FAILED);
}

void tcp_conn_reset(struct tcp_conn *c, enum tcp_failure failure)
{
	if (tcp_is_open(c) && c->state != TCP_SYN_SENT)
		c->flags |= TCP_F_RST;
	tcp_conn_fail(c, failure);
}

void tcp_conn_enter_time_wait(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;

	if (c->flags & TCP_F_ACK_NOW)
		tcp_reply_schedule(tcp, &(struct tcp_reply){
						.tuple = c->tuple,
						.seq = c->snd_max,
						.ack = c->rcv_nxt,
						.ts_val = tcp_now_ms(tcp) + c->ts_offset,
						.ts_ecr = c->ts_recent,
						.window = tcp_window_field(c, false),
						.flags = WIRE_TCP_ACK,
						.has_ts = c->flags & TCP_F_TS,
						.to_us = c->path.loopback_to_us,
					});
	tcp_conn_detach(c, TCP_TIME_WAIT);
	tcp_tw_add(tcp, c);
}

void tcp_conn_free(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;

	list_del(&c->link);
	pkt_chain_free(&c->rcv);
	mem_pool_put(&tcp->conns, c);
	stat_sub(&tcp->stats[TCP_STAT_CONNS], 1);
}

/* --- the beginning ----------------------------------------------------------------- */

bool tcp_conn_establish(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;
	struct tcp_listener *l = c->listener;

	if (tcp_is_fast_opening(c)) {
		tcp_fast_open_done(c, false);
		if (c->flags & TCP_F_SYN_LOST) /* as with any other (RFC 5681 3.1) */
			c->cwnd = tcp_cc_initial_window(c);
	} else {
		if (c->flags & TCP_F_UNACCEPTED) {
			if (l->paused && l->waiting_count >= l->config.backlog) {
				tcp_count(tcp, TCP_STAT_LISTEN_BACKLOG_FULL);
				return false;
			}
			tcp_listen_wait(c);
		} else if (!(c->flags & TCP_F_FAST_OPEN)) {
			tcp_conn_event(c, TCP_EVENT_CONNECTED);
		}
		tcp_pmtu_open(c);
		tcp_buffer_open(c);
		tcp_cc_open(c);
		tcp_quick_ack_begin(c);
	}
	c->flags &= ~(uint32_t)TCP_F_FAST_OPEN;
	c->syn_bits = 0;
	c->state = c->flags & TCP_F_FIN_QUEUED ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED;
	c->backoff = 0;
	c->rtx_at = 0;
	c->rtx_kind = TCP_RTX_NONE;
	tcp_idle_restart(c);
	return true;
}

/* --- what owners call -------------------------------------------------------------- */

void tcp_conn_set_user(struct tcp_conn *c, void *user)
{
	c->user = user;
}

void tcp_conn_set_owner(struct tcp_conn *c, const struct tcp_owner_ops *ops, void *user)
{
	c->ops = ops;
	c->user = user;
}

void tcp_conn_set_more(struct tcp_conn *c, bool more)
{
	if (more) {
		c->flags |= TCP_F_MORE;
	} else if (c->flags & TCP_F_MORE) {
		c->flags &= ~(uint32_t)TCP_F_MORE;
		if (tcp_is_open(c))
			tcp_conn_schedule(c);
	}
}

/* RFC 9293 3.10.4. Before the handshake is done only the wish is kept. */
void tcp_conn_shut(struct tcp_conn *c)
{
	if (!tcp_is_open(c) || c->flags & TCP_F_FIN_QUEUED)
		return;
	c->flags |= TCP_F_FIN_QUEUED;
	c->flags &= ~(uint32_t)TCP_F_WANT_ROOM;
	if (c->state == TCP_ESTABLISHED)
		c->state = TCP_FIN_WAIT_1;
	else if (c->state == TCP_CLOSE_WAIT)
		c->state = TCP_LAST_ACK;
	tcp_conn_schedule(c);
}

static void let_go(struct tcp_conn *c)
{
	c->flags &= ~(uint32_t)(TCP_F_OWNED | TCP_F_KEEPALIVE | TCP_F_WANT_ROOM | TCP_F_WANT_SENT);
	c->user = NULL;
	c->events = 0;
	tcp_conn_schedule(c); /* TX frees it if it is over */
}

void tcp_conn_close(struct tcp_conn *c)
{
	ASSERT(c->flags & TCP_F_OWNED);
	let_go(c);
	if (!tcp_is_open(c))
		return;
	if (c->state == TCP_SYN_SENT && !(c->flags & TCP_F_FAST_OPEN)) {
		tcp_conn_detach(c, TCP_CLOSED);
	} else if (c->rcv.bytes > 0) {
		tcp_conn_reset(c, TCP_FAILURE_NONE);
	} else {
		tcp_conn_shut(c);
		tcp_idle_update(c);
	}
}

void tcp_conn_abort(struct tcp_conn *c)
{
	ASSERT(c->flags & TCP_F_OWNED);
	let_go(c);
	tcp_conn_reset(c, TCP_FAILURE_NONE);
}

void tcp_conn_notify_sent(struct tcp_conn *c)
{
	if (!tcp_is_open(c))
		return;
	if (c->snd.bytes == 0 && !(c->flags & TCP_F_FIN_QUEUED))
		tcp_conn_event(c, TCP_EVENT_SENT);
	else
		c->flags |= TCP_F_WANT_SENT;
}

void tcp_conn_set_keepalive(struct tcp_conn *c, bool on)
{
	if (!tcp_is_open(c))
		return;
	if (on) {
		c->flags |= TCP_F_KEEPALIVE;
		tcp_conn_schedule(c);
	} else {
		c->flags &= ~(uint32_t)(TCP_F_KEEPALIVE | TCP_F_KEEP_PROBE);
	}
	tcp_idle_update(c);
}

enum tcp_failure tcp_conn_failure(const struct tcp_conn *c)
{
	return c->failure;
}

enum tcp_state tcp_conn_state(const struct tcp_conn *c)
{
	return c->state;
}

struct tcp *tcp_conn_tcp(const struct tcp_conn *c)
{
	return c->tcp;
}

struct endpoint tcp_conn_local(const struct tcp_conn *c)
{
	return (struct endpoint){c->tuple.local, c->tuple.local_port};
}

struct endpoint tcp_conn_remote(const struct tcp_conn *c)
{
	return (struct endpoint){c->tuple.remote, c->tuple.remote_port};
}

void tcp_conn_info(const struct tcp_conn *c, struct tcp_conn_info *out)
{
	*out = (struct tcp_conn_info){
		.state = c->state,
		.local = tcp_conn_local(c),
		.remote = tcp_conn_remote(c),
		.user = c->flags & TCP_F_OWNED ? c->user : NULL,
		.snd_wnd = c->snd_wnd,
		.rcv_wnd = tcp_recv_room(c),
		.cwnd = c->cwnd,
		.ssthresh = c->ssthresh,
		.mss = c->mss,
		.send_queued_bytes = c->snd.bytes,
		.send_unacked_bytes = tcp_outstanding(c),
		.recv_queued_bytes = c->rcv.bytes,
		.held_bytes = c->snd.held_bytes + c->rcv.held_bytes + tcp_reasm_held(c),
		.srtt_us = c->srtt_us,
		.rttvar_us = c->srtt_us ? c->rttvar_us : 0,
		.rto_ms = tcp_rto_backed_off_ms(c),
		.retransmits = c->retransmits,
		.cc = tcp_cc_name(tcp_cc_kind(c)),
		.age_ns = (uint64_t)(tcp_now_ms(c->tcp) - c->created_ms) * NS_PER_MS,
	};
}
