/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of lib/h1 share.
 *
 * struct h1_conn lives as long as the connection; struct h1_xchg from the first byte of a request
 * (server role) or from http_conn_request (client role) until both messages are over and all
 * output has gone into the carrier. Who runs what:
 *
 *   conn.c  life of connections: news from the carrier and the poller, callbacks to the owner
 *   recv.c  what comes in: heads, bodies, trailers, tunnels. Pulled by the owner, never calls it
 *   send.c  what goes out: heads, bodies, trailers, tunnels, and the flushing of what waits
 *   emit.c  a head as bytes
 *   parse.c frame.c chunk.c  bytes as heads and chunks (h1_parse.h)
 *
 * Callbacks are made only between h1_conn_enter and h1_conn_leave, which keep the memory of a
 * connection that its owner closes meanwhile.
 */
#ifndef WEIR_H1_PVT_H
#define WEIR_H1_PVT_H

#include <errno.h>

#include "h1_parse.h"

struct h1_xchg;

struct h1_conn {
	struct http_conn base;
	struct h1 *h1;
	struct h1_xchg *x; /* NULL while idle */
	struct list ready; /* in h1->ready */
	uint8_t state;     /* enum http_conn_state */
	bool server_role : 1;
	bool connected : 1;    /* the carrier is up */
	bool failed : 1;       /* the carrier is gone */
	bool draining : 1;     /* http_conn_drain was called */
	bool partial_told : 1; /* on_partial was called for this request */
	bool idle_due : 1;     /* on_idle is to be called */
	bool closed_told : 1;  /* on_closed was called */
	bool entered : 1;      /* callbacks may be running: do not free */
	bool dead : 1;         /* the owner has closed it */
};

static_assert(sizeof(struct h1_conn) <= 88, "an idle client may cost 512 bytes in all");

enum h1_recv_state {
	H1_RECV_HEAD,       /* parsing */
	H1_RECV_HEAD_READY, /* parsed, not taken */
	H1_RECV_BODY,       /* recv_body says of which kind */
	H1_RECV_TRAILERS,   /* parsing */
	H1_RECV_ENDED,
	H1_RECV_BAD, /* error says why; nothing more will come */
};

enum h1_send_state {
	H1_SEND_HEAD, /* nothing yet, or interim responses */
	H1_SEND_BODY, /* send_body says of which kind */
	H1_SEND_ENDED,
};

struct h1_xchg {
	struct http_xchg base;
	struct pkt_chain in;  /* taken from the carrier, not yet used */
	struct pkt_chain out; /* made, not yet taken by the carrier */
	struct http_head *head;
	struct h1_parser parser;
	struct h1_chunk chunk;
	uint64_t recv_left; /* of a body with a length */
	uint64_t send_left;
	uint32_t gathered_bytes; /* of the head that are in its buffer */
	uint8_t recv_state, send_state;
	uint8_t recv_body, send_body; /* enum http_body */
	bool owned;                   /* the owner holds it */
	bool touched;                 /* a byte of the message that comes in was seen */
	bool close;                   /* the connection ends with this exchange */
	bool swallow;                 /* the peer must not get the body that is sent */
	bool tunnel;                  /* raw bytes once the messages before it are over */
	bool want_room;               /* HTTP_EVENT_ROOM is due when there is some again */
	bool want_retry;              /* ... at the next turn of the poller: buffers were short */
	bool want_shut;               /* when `out` is empty */
	bool shut_told;               /* HTTP_EVENT_SHUT was given */
	bool has_request;             /* what follows is known */
	uint8_t method;               /* of the request: enum http_method */
	uint8_t minor;                /* of the request's version */
	uint8_t error;                /* enum http_error */
	uint8_t fault;                /* enum h1_fault, for HTTP_ERROR_MALFORMED */
	uint16_t refused_status;      /* for HTTP_ERROR_REFUSED */
};

static inline struct h1_conn *h1_conn_of(const struct http_conn *c)
{
	return CONTAINER_OF(c, struct h1_conn, base);
}

static inline struct h1_xchg *h1_xchg_of(const struct http_xchg *x)
{
	return CONTAINER_OF(x, struct h1_xchg, base);
}

static inline struct h1_conn *h1_xchg_conn(const struct h1_xchg *x)
{
	return h1_conn_of(x->base.conn);
}

static inline void h1_count(struct h1 *h1, unsigned stat)
{
	stat_add(&h1->stats[stat], 1);
}

/* --- conn.c -------------------------------------------------------------------------- */

/** The poller shall run this connection soon. */
void h1_conn_schedule(struct h1_conn *c);

/** Buffers were short: the exchange tries again in the next turn. */
static inline void h1_xchg_retry(struct h1_xchg *x)
{
	x->want_retry = true;
	h1_conn_schedule(h1_xchg_conn(x));
}

/** Runs a connection that has news; the poller's part. */
void h1_conn_run(struct h1_conn *c);

/* --- recv.c -------------------------------------------------------------------------- */

/** Parses what has come of a head or of trailers. H1_BAD: x->error is set. */
enum h1_verdict h1_recv_parse(struct h1_xchg *x);

/** The incoming message cannot go on. The first error stays. */
void h1_recv_fail(struct h1_xchg *x, enum http_error error);

/** Bytes wait, here or in the carrier. */
bool h1_recv_has_bytes(const struct h1_xchg *x);

/** The peer has shut its side and all its bytes were used, but for those that an incomplete head
 * waits with. */
bool h1_recv_at_end(const struct h1_xchg *x);

/** The incoming side becomes raw once its message is over. */
void h1_recv_start_tunnel(struct h1_xchg *x);

struct http_head *h1_recv_head(struct http_xchg *base);
uint32_t h1_recv(struct http_xchg *base, struct pkt_chain *to, uint32_t max);
bool h1_recv_ended(const struct http_xchg *base);
struct http_head *h1_recv_trailers(struct http_xchg *base);

/* --- send.c -------------------------------------------------------------------------- */

/** Gives `out` to the carrier, as far as there is room; then shuts if that is wanted. True if
 * nothing waits any more. */
bool h1_send_flush(struct h1_xchg *x);

/** The outgoing side becomes raw once its message is over. */
void h1_send_start_tunnel(struct h1_xchg *x);

int h1_send_head(struct http_xchg *base, const struct http_head *head);
uint32_t h1_send_room(const struct http_xchg *base);
uint32_t h1_send(struct http_xchg *base, struct pkt_chain *from, uint32_t max);
int h1_send_end(struct http_xchg *base, const struct http_head *trailers);

/* --- emit.c -------------------------------------------------------------------------- */

enum h1_framing {
	H1_FRAMING_NONE,    /* neither content-length nor transfer-encoding */
	H1_FRAMING_AS_IS,   /* what the head has of them (answers to HEAD, 304) */
	H1_FRAMING_LENGTH,  /* content-length */
	H1_FRAMING_CHUNKED, /* transfer-encoding: chunked */
};

/* What a head needs for the hop that it goes to. */
struct h1_hop {
	enum h1_framing framing;
	uint64_t length;         /* for H1_FRAMING_LENGTH */
	struct bytes connection; /* an option to add: "close", "keep-alive", or none */
};

/** Appends the head as bytes. False if buffers ran out, then nothing is appended. */
bool h1_emit_head(struct pkt_chain *out, struct pkt_pools *pkts, const struct http_head *head,
	const struct h1_hop *hop);

/** Appends the last chunk with trailers (NULL: none). */
bool h1_emit_last_chunk(
	struct pkt_chain *out, struct pkt_pools *pkts, const struct http_head *trailers);

#endif
