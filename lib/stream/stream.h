/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream: a two-way stream of bytes, whatever carries it: TCP, TLS, or an in-memory twin.
 *
 * The user embeds a struct stream, opens it over a carrier, and gets on_event when there is news.
 * Bytes move as pkt_chains, by reference. Rules are those of lib/tcp: the user may call anything
 * inside on_event, also stream_close; after close or abort the struct is the user's again and no
 * event comes any more.
 */
#ifndef WEIR_STREAM_H
#define WEIR_STREAM_H

#include "pkt.h"
#include "tcp.h"

struct stream;

/* The bits are those of enum tcp_event, under names of their own. */
enum stream_event {
	STREAM_EVENT_CONNECTED = TCP_EVENT_CONNECTED,
	STREAM_EVENT_READABLE = TCP_EVENT_READABLE,
	STREAM_EVENT_WRITABLE = TCP_EVENT_WRITABLE,
	STREAM_EVENT_PEER_SHUT = TCP_EVENT_PEER_SHUT,
	STREAM_EVENT_SENT = TCP_EVENT_SENT,
	STREAM_EVENT_FAILED = TCP_EVENT_FAILED,
};

typedef void (*stream_event_fn)(struct stream *s, uint32_t events);

struct stream_ops {
	const char *name; /* "tcp", "memory" */
	uint32_t (*recv_ready)(const struct stream *s);
	uint32_t (*recv)(struct stream *s, struct pkt_chain *to, uint32_t max);
	bool (*recv_ended)(const struct stream *s);
	uint32_t (*send_room)(const struct stream *s);
	uint32_t (*send)(struct stream *s, struct pkt_chain *from, uint32_t max);
	void (*set_more)(struct stream *s, bool more);
	void (*shut)(struct stream *s);
	void (*close)(struct stream *s);
	void (*abort)(struct stream *s);
	void (*notify_sent)(struct stream *s);
	enum tcp_failure (*failure)(const struct stream *s);
	struct endpoint (*local)(const struct stream *s);
	struct endpoint (*remote)(const struct stream *s);
};

struct stream {
	const struct stream_ops *ops; /* NULL while it is not open */
	void *impl;                   /* the carrier's */
	stream_event_fn on_event;
};

/* Each does what the function of the same name in tcp.h says. */
static inline bool stream_is_open(const struct stream *s)
{
	return s->ops != NULL;
}
static inline uint32_t stream_recv_ready(const struct stream *s)
{
	return s->ops->recv_ready(s);
}
static inline uint32_t stream_recv(struct stream *s, struct pkt_chain *to, uint32_t max)
{
	return s->ops->recv(s, to, max);
}
static inline bool stream_recv_ended(const struct stream *s)
{
	return s->ops->recv_ended(s);
}
static inline uint32_t stream_send_room(const struct stream *s)
{
	return s->ops->send_room(s);
}
static inline uint32_t stream_send(struct stream *s, struct pkt_chain *from, uint32_t max)
{
	return s->ops->send(s, from, max);
}
static inline void stream_set_more(struct stream *s, bool more)
{
	s->ops->set_more(s, more);
}
static inline void stream_shut(struct stream *s)
{
	s->ops->shut(s);
}
static inline void stream_notify_sent(struct stream *s)
{
	s->ops->notify_sent(s);
}
static inline enum tcp_failure stream_failure(const struct stream *s)
{
	return s->ops->failure(s);
}
static inline struct endpoint stream_local(const struct stream *s)
{
	return s->ops->local(s);
}
static inline struct endpoint stream_remote(const struct stream *s)
{
	return s->ops->remote(s);
}

/** Lets go of the carrier, see tcp_conn_close; the stream is not open afterwards. Harmless if it
 * is not open. */
void stream_close(struct stream *s);

/** As stream_close, with a reset. */
void stream_abort(struct stream *s);

/** Over an accepted TCP connection (inside on_accept). The stream becomes the connection's owner.
 */
void stream_open_tcp_accepted(struct stream *s, struct tcp_conn *conn, stream_event_fn on_event);

/** Over a new TCP connection; config->ops and ->user are set here. 0, or -1 with *failure. */
int stream_open_tcp(struct stream *s, struct tcp *tcp, const struct tcp_connect_config *config,
	stream_event_fn on_event, enum tcp_failure *failure);

/*
 * The in-memory twin: two streams joined, for tests and for talking to ourselves. Bytes arrive at
 * once; events are delivered by stream_pair_run, never inside a call. Buffers hold `buffer_bytes`
 * (at least 1) per direction. `a` is the end that connected: its first event is
 * STREAM_EVENT_CONNECTED. Their addresses are 127.0.0.1 with port 1 (a) and 2 (b).
 */
struct stream_pair;

/** Set-up. NULL with *err set (-ENOMEM); then a and b are not open. */
struct stream_pair *stream_pair_create(struct pkt_pools *pools, uint32_t buffer_bytes,
	struct stream *a, stream_event_fn a_event, struct stream *b, stream_event_fn b_event,
	struct error *err);
/** Delivers pending events to both ends; returns how many it delivered (0: quiet). */
uint32_t stream_pair_run(struct stream_pair *pair);
/** NULL-safe. Both ends must be closed. */
void stream_pair_destroy(struct stream_pair *pair);
/** Tests: the carrier breaks with this failure; both ends lose what they have not taken. */
void stream_pair_break(struct stream_pair *pair, enum tcp_failure failure);

#endif
