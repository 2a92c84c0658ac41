/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http_xchg: one request and its response, and the connection they travel on, as lib/proxy sees
 * them, whichever version of HTTP is spoken. lib/h1 offers these tables now, lib/h2 later.
 *
 * There are two roles. A server-role connection faces a client: it hands out an exchange per
 * request (on_request); the owner receives the request and sends the response. A client-role
 * connection faces a server: the owner begins an exchange, sends the request and receives the
 * response. An exchange looks the same from either end: head, body, end (with trailers) go out by
 * http_xchg_send_*, and come in by http_xchg_recv_*.
 *
 * News comes by callback, out of the carrier's on_event or out of the codec's own poller, never
 * from inside a call of the owner. The owner may call anything inside a callback, also close.
 * After a close no more callbacks come for that object and the pointer is dead.
 *
 * Back-pressure: what the owner does not take stays in the carrier, so its window closes. What
 * the carrier has no room for is refused, and HTTP_EVENT_ROOM tells when to try again.
 *
 * Timeouts are the owner's. Everything runs on the core that owns the connection.
 */
#ifndef WEIR_HTTP_XCHG_H
#define WEIR_HTTP_XCHG_H

#include "http.h"
#include "stream.h"

struct http_conn;
struct http_xchg;

/* Why an exchange cannot go on. */
enum http_error {
	HTTP_ERROR_NONE,
	HTTP_ERROR_CLOSED, /* the peer ended the connection before the first byte of its message */
	HTTP_ERROR_TRUNCATED, /* ... or in the middle of it */
	HTTP_ERROR_RESET,     /* the carrier failed: http_conn_failure says how */
	HTTP_ERROR_MALFORMED, /* the peer broke the protocol: http_xchg_status says what to answer
			       */
	HTTP_ERROR_REFUSED,   /* http_conn_refuse */
	HTTP_ERROR_NO_MEMORY, /* a pool is empty */
	HTTP_ERROR_COUNT,
};

/** One word for the log. */
const char *http_error_name(enum http_error error);

/* What on_event is told; several at once. */
enum http_event {
	HTTP_EVENT_HEAD = 1 << 0, /* client role: http_xchg_recv_head has a response head */
	HTTP_EVENT_BODY = 1 << 1, /* call http_xchg_recv: bytes, the end, or an error wait there */
	HTTP_EVENT_ROOM = 1 << 2, /* room came back after http_xchg_send had to leave something */
	HTTP_EVENT_SHUT = 1 << 3, /* server role: the client has shut its side; it may still read */
	HTTP_EVENT_ERROR =
		1 << 4, /* http_xchg_error says what; close it, perhaps after an answer */
};

typedef void (*http_event_fn)(struct http_xchg *x, uint32_t events);

struct http_xchg_ops {
	struct http_head *(*recv_head)(struct http_xchg *x);
	uint32_t (*recv)(struct http_xchg *x, struct pkt_chain *to, uint32_t max);
	bool (*recv_ended)(const struct http_xchg *x);
	struct http_head *(*recv_trailers)(struct http_xchg *x);
	int (*send_head)(struct http_xchg *x, const struct http_head *head);
	uint32_t (*send_room)(const struct http_xchg *x);
	uint32_t (*send)(struct http_xchg *x, struct pkt_chain *from, uint32_t max);
	int (*send_end)(struct http_xchg *x, const struct http_head *trailers);
	void (*set_close)(struct http_xchg *x);
	bool (*untouched)(const struct http_xchg *x);
	enum http_error (*error)(const struct http_xchg *x, uint16_t *status, const char **text);
	void (*close)(struct http_xchg *x);
	void (*abort)(struct http_xchg *x);
};

struct http_xchg {
	const struct http_xchg_ops *ops; /* the codec's */
	struct http_conn *conn;
	http_event_fn on_event; /* the owner's; set it in on_request or after http_conn_request */
	void *owner;            /* the owner's */
};

/**
 * The head that has come; the caller owns it now and frees it (http_head_free), perhaps after the
 * exchange. A client-role exchange gives every interim response (1xx) as a head of its own, then
 * the final one: call it until it gives NULL, then look at http_xchg_error. Take a head before its
 * body; what has come of the body already can be taken at once, no event tells of it.
 */
static inline struct http_head *http_xchg_recv_head(struct http_xchg *x)
{
	return x->ops->recv_head(x);
}

/**
 * Moves up to max bytes of the body, without any framing, to the end of `to`. Returns the bytes
 * moved. When it gives 0, look at http_xchg_recv_ended and http_xchg_error: both may have changed
 * without an event, because of what this call found.
 */
static inline uint32_t http_xchg_recv(struct http_xchg *x, struct pkt_chain *to, uint32_t max)
{
	return x->ops->recv(x, to, max);
}

/**
 * The head was taken, and its whole body. After a head with HTTP_BODY_TUNNEL was sent (server
 * role) or received (client role) it is false again until the peer shuts its side of the tunnel.
 */
static inline bool http_xchg_recv_ended(const struct http_xchg *x)
{
	return x->ops->recv_ended(x);
}

/** Once, after the end: the trailers as a head with fields only, owned by the caller; else NULL. */
static inline struct http_head *http_xchg_recv_trailers(struct http_xchg *x)
{
	return x->ops->recv_trailers(x);
}

/**
 * Sends a head; the caller keeps it and may free it at once. head->body and content_length say
 * how the body will end; the codec writes the framing and connection fields that the peer needs.
 * Chunks become closing for an HTTP/1.0 client; a body that the peer must not get (HEAD, 204,
 * 304) is swallowed; HTTP_BODY_NONE of any other response is a body of no bytes. Interim responses
 * may precede the final one. Returns 0; -ENOMEM if the buffers are gone, then nothing was sent;
 * -EPIPE if the connection has failed.
 */
static inline int http_xchg_send_head(struct http_xchg *x, const struct http_head *head)
{
	return x->ops->send_head(x, head);
}

/** Bytes that http_xchg_send would take now. */
static inline uint32_t http_xchg_send_room(const struct http_xchg *x)
{
	return x->ops->send_room(x);
}

/** Sends up to max bytes of body from the front of `from`, by reference, after the head. Returns
 * the bytes taken; if fewer than asked, HTTP_EVENT_ROOM follows. Of a body with a length never
 * more than content_length in all; what is beyond it stays in `from` and nothing follows. */
static inline uint32_t http_xchg_send(struct http_xchg *x, struct pkt_chain *from, uint32_t max)
{
	return x->ops->send(x, from, max);
}

/**
 * The message is complete; `trailers` (kept by the caller) go out where the framing has a place
 * for them; may be NULL. In a tunnel: shuts our side. Returns 0; -ENOMEM as send_head;
 * -EPIPE if the connection has failed; -EMSGSIZE if fewer than content_length bytes were sent:
 * the message can only be cut off then, close the exchange.
 */
static inline int http_xchg_send_end(struct http_xchg *x, const struct http_head *trailers)
{
	return x->ops->send_end(x, trailers);
}

/** Before send_head: the connection ends after this exchange, and the peer is told so. */
static inline void http_xchg_set_close(struct http_xchg *x)
{
	x->ops->set_close(x);
}

/** Client role: no byte of a response has come, so the request may be sent elsewhere. */
static inline bool http_xchg_untouched(const struct http_xchg *x)
{
	return x->ops->untouched(x);
}

/**
 * What went wrong. *status is what the client should be answered if nothing was sent yet: for a
 * request 400, 414, 431, 501, 505, 503...; for a response 502; *text is one line for the log.
 * Both may be NULL. The request's head is missing if it was the one at fault.
 */
static inline enum http_error http_xchg_error(
	const struct http_xchg *x, uint16_t *status, const char **text)
{
	return x->ops->error(x, status, text);
}

/**
 * The owner lets go. If both messages are complete and nobody asked to close, the connection is
 * free for the next exchange (server role: what has come of a request that was not taken is
 * dropped). Otherwise what was sent is delivered, then the connection ends; a message that is half
 * sent is never continued, its receiver sees that it is cut. The connection's state is the new one
 * when this returns.
 */
static inline void http_xchg_close(struct http_xchg *x)
{
	x->ops->close(x);
}

/** As close, but whatever is not yet delivered is lost and the carrier is reset. */
static inline void http_xchg_abort(struct http_xchg *x)
{
	x->ops->abort(x);
}

/* --- connections --------------------------------------------------------------------- */

enum http_conn_state {
	HTTP_CONN_CONNECTING, /* client role: the carrier is not up yet */
	HTTP_CONN_IDLE,       /* no byte of a request since the last one; or ready for the next */
	HTTP_CONN_PARTIAL,    /* server role: a part of a request's head has come */
	HTTP_CONN_BUSY,       /* an exchange is open */
	HTTP_CONN_CLOSING,    /* the last bytes go out, what comes in is thrown away until the
			       * peer has shut its side; the owner limits for how long */
	HTTP_CONN_CLOSED,     /* over; only http_conn_close is left to do */
};

/* A const table per kind of owner. Unused ones may be NULL. */
struct http_conn_owner_ops {
	/** Client role: the carrier is up. */
	void (*on_connected)(struct http_conn *c);
	/** Server role: a part of a request's head has come (once per request, and not at all if
	 * it came whole). Time for timeout http-request. */
	void (*on_partial)(struct http_conn *c);
	/**
	 * Server role: a request. Its head is ready to be taken, or http_xchg_error says what is
	 * wrong with it and the owner answers and closes. The owner sets on_event and owner, or
	 * calls http_xchg_close right away.
	 */
	void (*on_request)(struct http_conn *c, struct http_xchg *x);
	/** Server role: the exchange is over and the connection waits for another request. Time
	 * for timeout http-keep-alive. */
	void (*on_idle)(struct http_conn *c);
	/** The connection is over: call http_conn_close, here or later. Comes once, also when an
	 * idle server connection ended or spoke out of turn. If an exchange is open it gets
	 * HTTP_EVENT_ERROR instead. */
	void (*on_closed)(struct http_conn *c);
};

struct http_conn_ops {
	const char *name; /* "h1" */
	struct http_xchg *(*request)(struct http_conn *c);
	struct http_xchg *(*refuse)(struct http_conn *c, uint16_t status);
	enum http_conn_state (*state)(const struct http_conn *c);
	void (*drain)(struct http_conn *c);
	void (*close)(struct http_conn *c);
	void (*abort)(struct http_conn *c);
};

struct http_conn {
	const struct http_conn_ops *ops;             /* the codec's */
	const struct http_conn_owner_ops *owner_ops; /* the owner's */
	void *owner;                                 /* the owner's */
	struct stream stream; /* the carrier: open it with the codec's stream callback */
};

/**
 * Client role, in state CONNECTING or IDLE: begins an exchange. What is sent before the carrier
 * is up waits for it. NULL if the connection cannot take one, among other reasons because the
 * server has just closed it or spoken out of turn, or if the pool is empty.
 */
static inline struct http_xchg *http_conn_request(struct http_conn *c)
{
	return c->ops->request(c);
}

/**
 * Server role, in state IDLE or PARTIAL: no more waiting for the request. Gives an exchange without
 * a head, with HTTP_ERROR_REFUSED and this status (408 after timeout http-request), for the owner
 * to answer and close. NULL if the pool is empty: http_conn_close then. To close an idle connection
 * without a word call http_conn_close.
 */
static inline struct http_xchg *http_conn_refuse(struct http_conn *c, uint16_t status)
{
	return c->ops->refuse(c, status);
}

static inline enum http_conn_state http_conn_state(const struct http_conn *c)
{
	return c->ops->state(c);
}

/** No more requests after the one at hand (soft stop): a server-role connection says so in its
 * next response; an idle one is closed (on_closed). */
static inline void http_conn_drain(struct http_conn *c)
{
	c->ops->drain(c);
}

/** The owner lets go of the connection, in any state; an open exchange is dead as well. Bytes
 * that the carrier has taken are still delivered. */
static inline void http_conn_close(struct http_conn *c)
{
	c->ops->close(c);
}

/** As close, with a reset. */
static inline void http_conn_abort(struct http_conn *c)
{
	c->ops->abort(c);
}

/** Why the carrier failed; TCP_FAILURE_NONE if it did not. Valid until http_conn_close. */
static inline enum tcp_failure http_conn_failure(const struct http_conn *c)
{
	return stream_is_open(&c->stream) ? stream_failure(&c->stream) : TCP_FAILURE_NONE;
}

#endif
