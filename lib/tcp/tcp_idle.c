/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What idle_at is for: the user timeout while something waits for the peer (RFC 9293 3.8.3,
 * RFC 5482), keep-alive while nothing does (RFC 9293 3.8.4), the end of FIN-WAIT-2.
 */
#include "tcp_pvt.h"

static bool waits_for_peer(const struct tcp_conn *c)
{
	return tcp_outstanding(c) != 0 || c->rtx_kind == TCP_RTX_PERSIST;
}

static bool is_user_timed(const struct tcp_conn *c)
{
	return tcp_options(c)->user_timeout_ms && waits_for_peer(c);
}

static uint32_t option_or(uint32_t option, uint32_t configured)
{
	return option ? option : configured;
}

void tcp_idle_restart(struct tcp_conn *c)
{
	const struct tcp_options *o = tcp_options(c);
	const struct tcp_config *config = &c->tcp->config;
	uint32_t span_ms = 0;

	if (is_user_timed(c))
		span_ms = o->user_timeout_ms;
	else if (c->state == TCP_FIN_WAIT_2 && !(c->flags & TCP_F_OWNED))
		span_ms = config->fin_wait_2_ms;
	else if (c->flags & TCP_F_KEEPALIVE && c->state >= TCP_ESTABLISHED)
		span_ms = option_or(o->keepalive_idle_ms, config->keepalive_idle_ms);
	c->idle_at = span_ms ? tcp_deadline(tcp_now_ms(c->tcp), span_ms) : 0;
	/* The timer may stand later: the interval of probes can be longer than the idle time. */
	if (timer_is_set(&c->timer))
		tcp_timer_arm(c);
}

void tcp_idle_update(struct tcp_conn *c)
{
	if (!c->idle_at || !is_user_timed(c))
		tcp_idle_restart(c);
}

static void fail(struct tcp_conn *c, enum tcp_stat stat)
{
	tcp_count(c->tcp, stat);
	tcp_count(c->tcp, TCP_STAT_ESTABLISHED_RESET);
	if (stat == TCP_STAT_USER_TIMEOUTS)
		tcp_conn_fail(c, TCP_FAILURE_TIMEOUT); /* RFC 9293 3.10.8: without a word */
	else
		tcp_conn_reset(c, TCP_FAILURE_TIMEOUT);
}

void tcp_idle_due(struct tcp_conn *c)
{
	const struct tcp_options *o = tcp_options(c);
	const struct tcp_config *config = &c->tcp->config;

	if (c->state == TCP_FIN_WAIT_2 && !(c->flags & TCP_F_OWNED)) {
		tcp_conn_detach(c, TCP_CLOSED);
	} else if (is_user_timed(c)) {
		fail(c, TCP_STAT_USER_TIMEOUTS);
	} else if (waits_for_peer(c)) { /* other timers watch over the peer */
		tcp_idle_restart(c);
	} else if (c->backoff >= option_or(o->keepalive_probes, config->keepalive_probes)) {
		fail(c, TCP_STAT_KEEPALIVE_FAILED);
	} else {
		c->backoff++;
		c->flags |= TCP_F_KEEP_PROBE;
		c->idle_at = tcp_deadline(tcp_now_ms(c->tcp),
			option_or(o->keepalive_interval_ms, config->keepalive_interval_ms));
	}
}
