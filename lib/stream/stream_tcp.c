/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_pvt.h"

static uint32_t carrier_recv_ready(const struct stream *s)
{
	return tcp_conn_recv_ready(s->impl);
}

static uint32_t carrier_recv(struct stream *s, struct pkt_chain *to, uint32_t max)
{
	return tcp_conn_recv(s->impl, to, max);
}

static bool carrier_recv_ended(const struct stream *s)
{
	return tcp_conn_recv_ended(s->impl);
}

static uint32_t carrier_send_room(const struct stream *s)
{
	return tcp_conn_send_room(s->impl);
}

static uint32_t carrier_send(struct stream *s, struct pkt_chain *from, uint32_t max)
{
	return tcp_conn_send(s->impl, from, max);
}

static void carrier_set_more(struct stream *s, bool more)
{
	tcp_conn_set_more(s->impl, more);
}

static void carrier_shut(struct stream *s)
{
	tcp_conn_shut(s->impl);
}

static void carrier_close(struct stream *s)
{
	tcp_conn_close(s->impl);
}

static void carrier_abort(struct stream *s)
{
	tcp_conn_abort(s->impl);
}

static void carrier_notify_sent(struct stream *s)
{
	tcp_conn_notify_sent(s->impl);
}

static enum tcp_failure carrier_failure(const struct stream *s)
{
	return tcp_conn_failure(s->impl);
}

static struct endpoint carrier_local(const struct stream *s)
{
	return tcp_conn_local(s->impl);
}

static struct endpoint carrier_remote(const struct stream *s)
{
	return tcp_conn_remote(s->impl);
}

static const struct stream_ops tcp_carrier = {
	.name = "tcp",
	.recv_ready = carrier_recv_ready,
	.recv = carrier_recv,
	.recv_ended = carrier_recv_ended,
	.send_room = carrier_send_room,
	.send = carrier_send,
	.set_more = carrier_set_more,
	.shut = carrier_shut,
	.close = carrier_close,
	.abort = carrier_abort,
	.notify_sent = carrier_notify_sent,
	.failure = carrier_failure,
	.local = carrier_local,
	.remote = carrier_remote,
};

static void on_tcp_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct stream *s = user;

	(void)conn;
	s->on_event(s, events);
}

/* Streams never listen: whoever accepts hands the connection over. */
static const struct tcp_owner_ops tcp_owner = {.on_event = on_tcp_event};

void stream_open_tcp_accepted(struct stream *s, struct tcp_conn *conn, stream_event_fn on_event)
{
	stream_open(s, &tcp_carrier, conn, on_event);
	tcp_conn_set_owner(conn, &tcp_owner, s);
}

int stream_open_tcp(struct stream *s, struct tcp *tcp, const struct tcp_connect_config *config,
	stream_event_fn on_event, enum tcp_failure *failure)
{
	struct tcp_connect_config own = *config;
	struct tcp_conn *conn;

	own.ops = &tcp_owner;
	own.user = s;
	conn = tcp_connect(tcp, &own, failure);
	if (conn == NULL)
		return -1;
	stream_open(s, &tcp_carrier, conn, on_event);
	return 0;
}
