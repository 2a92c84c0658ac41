/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp: RFC 9293, one struct tcp per core. No I/O inside: segments come by lib/ip, go by lib/ip,
 * time and randomness come from the worker.
 *
 * Input records what an arriving segment means; after the burst each connection that has news
 * gets one call of its owner's on_event (phase READY); output (phase TX) looks at the state and
 * builds what must go, once per connection and turn, so that ACKs ride on data.
 *
 * A connection belongs to its owner (the user of this library) from tcp_connect or on_accept until
 * the owner calls tcp_conn_close or tcp_conn_abort. Afterwards TCP finishes alone (FIN, TIME-WAIT).
 * The owner may call anything, also close, inside on_event; the memory is reaped later.
 *
 * All functions run on the core that owns the struct tcp, unless they say otherwise.
 */
#ifndef WEIR_TCP_H
#define WEIR_TCP_H

#include "ip.h"

struct tcp;
struct tcp_conn;
struct tcp_listener;

/* RFC 9293 3.3.2, in its order; TIME-WAIT lives outside of struct tcp_conn. */
enum tcp_state {
	TCP_CLOSED,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
	TCP_STATE_COUNT,
};

/** As RFC 9293 spells it: "SYN-SENT". Any core; constant. */
const char *tcp_state_name(enum tcp_state state);

/* What on_event is told; several at once. */
enum tcp_event {
	TCP_EVENT_CONNECTED = 1 << 0, /* an active open succeeded */
	TCP_EVENT_READABLE = 1 << 1,  /* bytes have come */
	TCP_EVENT_WRITABLE = 1 << 2,  /* room came back: see tcp_conn_send */
	TCP_EVENT_PEER_SHUT = 1 << 3, /* FIN: after the bytes that are readable there are no more */
	TCP_EVENT_SENT = 1 << 4, /* all sent bytes (and FIN) are acknowledged; only if asked for */
	TCP_EVENT_FAILED =
		1 << 5, /* the connection is gone: tcp_conn_failure tells why; close it */
};

enum tcp_failure {
	TCP_FAILURE_NONE,
	TCP_FAILURE_REFUSED,     /* RST in answer to our SYN */
	TCP_FAILURE_RESET,       /* RST later */
	TCP_FAILURE_TIMEOUT,     /* retransmissions, keep-alive or persist gave up */
	TCP_FAILURE_UNREACHABLE, /* ICMP said so while connecting, or no route or no neighbour */
	TCP_FAILURE_NO_MEMORY,
	TCP_FAILURE_COUNT,
};

/** A word for logs: "refused". Any core; constant. */
const char *tcp_failure_name(enum tcp_failure failure);

/* Congestion controls; TCP_CC_DEFAULT: what struct tcp_config says, CUBIC in the end. */
enum tcp_cc_kind {
	TCP_CC_DEFAULT,
	TCP_CC_RENO,  /* RFC 5681 */
	TCP_CC_CUBIC, /* RFC 9438 */
	TCP_CC_BBR,   /* version 3 */
	TCP_CC_KIND_COUNT,
};

/** As the configuration names it: "cubic". Any core; constant. */
const char *tcp_cc_name(enum tcp_cc_kind kind);

/* Explicit congestion notification (RFC 3168). */
enum tcp_ecn {
	TCP_ECN_DEFAULT, /* TCP_ECN_PASSIVE */
	TCP_ECN_OFF,
	TCP_ECN_PASSIVE, /* where the peer asks for it */
	TCP_ECN_ON,      /* our SYNs ask as well */
};

/* Who owns connections; a const table per kind of owner. */
struct tcp_owner_ops {
	/**
	 * A passive open is established. The owner sets tcp_conn_set_user and returns true; false
	 * resets the connection.
	 */
	bool (*on_accept)(void *listener_user, struct tcp_conn *conn);
	/** News (enum tcp_event bits) for a connection that has an owner. */
	void (*on_event)(struct tcp_conn *conn, void *user, uint32_t events);
};

/* When SYNs are answered with cookies (RFC 4987). */
enum tcp_cookies {
	TCP_COOKIES_AUTO, /* while half-open connections or the pool press */
	TCP_COOKIES_ALWAYS,
	TCP_COOKIES_OFF, /* beyond half_open_max SYNs are dropped */
};

struct tcp_config {
	uint32_t conns_max;
	uint32_t time_wait_max; /* beyond it the oldest entry makes room (counted) */
	uint32_t half_open_max; /* SYN-RECEIVED connections of all listeners together */
	uint32_t listeners_max;
	enum tcp_cookies cookies;
	/* The receive window, and the bytes queued and unacknowledged, of a connection at first (0:
	 * 128 KiB), and what they may grow to (less than at first: they do not grow). */
	uint32_t recv_buffer_bytes, recv_buffer_max_bytes;
	uint32_t send_buffer_bytes, send_buffer_max_bytes;
	uint32_t keepalive_idle_ms, keepalive_interval_ms,
		keepalive_probes; /* 0: 7,200,000 75,000 9 */
	uint32_t time_wait_ms;    /* 0: 60,000 */
	uint32_t fin_wait_2_ms;   /* for closed connections; 0: 60,000 */
	uint32_t retries_syn;     /* 0: 6 */
	uint32_t retries_data;    /* 0: 15 */
	enum tcp_cc_kind cc;
	enum tcp_ecn ecn;
	bool pacing; /* windows are spread over the round trip also by Reno and CUBIC */
	uint16_t port_min, port_max; /* outgoing connections; 0: 1024 to 64511 */
	struct hash_key secret;      /* for ISNs and ports; the same on all cores */
};

enum tcp_stat {
#define STAT(sym, kind, text) TCP_STAT_##sym,
#include "tcp_stat.def"
#undef STAT
	TCP_STAT_COUNT,
};

/** Start-up. Registers with `ip` and adds pollers in READY and TX. NULL with *err set. */
struct tcp *tcp_create(struct worker *worker, struct ip_stack *ip, const struct steer *steer,
	struct pkt_pools *pools, const struct tcp_config *config, struct error *err);

/** Frees all connections without a word to the peers (see tcp_abort_all). NULL-safe. */
void tcp_destroy(struct tcp *tcp);

/* How the connections of a bind or of a server behave; all 0: as struct tcp_config says. */
struct tcp_options {
	uint32_t recv_buffer_bytes; /* fixed sizes, cut to what is possible; 0: they grow */
	uint32_t send_buffer_bytes;
	uint32_t user_timeout_ms; /* bytes may wait so long for room or an ACK (RFC 5482), however
				   * often they are sent; 0: retries_data of struct tcp_config */
	uint32_t keepalive_idle_ms, keepalive_interval_ms; /* 0: those of struct tcp_config */
	uint16_t mss_max;  /* of the segments that either side sends; 0: from the MTU */
	uint16_t mss_less; /* what we send is that much smaller than the peer's MSS */
	uint8_t cc;        /* enum tcp_cc_kind */
	bool fast_open;    /* RFC 7413: a bind takes text of SYNs, a server gets it */
	bool defer_accept; /* of a bind: on_accept waits for text or FIN, or for our SYN|ACK to be
			    * sent and acknowledged again, a second later */
	uint8_t keepalive_probes; /* 0: that of struct tcp_config */
};

#define TCP_OPTIONS_MAX 256 /* different ones of one core; 0 is the default */

/**
 * Set-up. The id of these options, for listeners and connections to name; equal ones have one id,
 * which stays valid. -ENOSPC with *err set beyond TCP_OPTIONS_MAX.
 */
int tcp_options_add(struct tcp *tcp, const struct tcp_options *options, struct error *err);

/** Resets every connection, listeners stay; for a fast stop. */
void tcp_abort_all(struct tcp *tcp);

/* --- passive open ------------------------------------------------------------------ */

struct tcp_listen_config {
	struct endpoint local; /* address any: all our addresses of that family */
	bool v6_only;          /* with [::]: IPv6 alone; otherwise [::] takes IPv4 as well */
	uint32_t backlog; /* established connections that wait for on_accept, while paused; 0: 1024
			   */
	uint8_t options;  /* tcp_options_add */
	const struct tcp_owner_ops *ops;
	void *user; /* given to on_accept */
};

/**
 * NULL: -EADDRINUSE if the same endpoint is listened on, -ENOSPC beyond listeners_max; in *err.
 * A specific address wins over any. Every worker listens on the same endpoints.
 */
struct tcp_listener *tcp_listen(
	struct tcp *tcp, const struct tcp_listen_config *config, struct error *err);

/** Connections that wait in its backlog are reset; accepted ones live on. */
void tcp_listener_close(struct tcp_listener *listener);

/**
 * While paused nothing is accepted: up to `backlog` established connections wait, further SYNs
 * are dropped (counted). Resuming gives the waiting ones to on_accept in the next turn, oldest
 * first, until it is paused again.
 */
void tcp_listener_pause(struct tcp_listener *listener, bool paused);

/* For the operator. */
struct tcp_listener_info {
	struct endpoint local;
	uint32_t half_open, half_open_max; /* the limit is that of all listeners together */
	uint32_t waiting, backlog;
	uint32_t fast_open; /* opened by the text of a SYN, handshake not done */
	uint64_t cookies_sent;
	bool paused;
	bool cookies; /* SYNs are answered with cookies now */
};

/** Calls fn for up to `max` listeners of this core from the *cursor-th (0 at first) on; returns
 * false when the last one was among them. */
bool tcp_listener_each(struct tcp *tcp, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct tcp_listener_info *info), void *ctx);

/* --- active open ------------------------------------------------------------------- */

struct tcp_connect_config {
	struct endpoint local; /* address any: chosen by the route; port 0: chosen (RFC 6056), so
				* that the answers come to this core */
	struct endpoint remote;
	uint8_t options; /* tcp_options_add; with fast_open, once the server's cookie is known,
			  * CONNECTED comes at once, and what is sent then leaves with the SYN; the
			  * handshake may still fail */
	bool keepalive;  /* as tcp_conn_set_keepalive */
	const struct tcp_owner_ops *ops;
	void *user;
};

/**
 * Starts to open. A loopback address of ours on an interface that allows them means ourselves if
 * this core listens on the endpoint (all workers listen on the same ones), else whoever has it on
 * the wire. NULL and *failure: UNREACHABLE without a route, NO_MEMORY if the pool is empty
 * or every port to this destination is in use. The rest comes by on_event.
 */
struct tcp_conn *tcp_connect(
	struct tcp *tcp, const struct tcp_connect_config *config, enum tcp_failure *failure);

/* --- a connection ------------------------------------------------------------------ */

/** What on_event gets as `user` from now on. */
void tcp_conn_set_user(struct tcp_conn *conn, void *user);
/** Changes the owner's callbacks; on_event alone is used from now on. */
void tcp_conn_set_owner(struct tcp_conn *conn, const struct tcp_owner_ops *ops, void *user);

/** Bytes that tcp_conn_recv would give now. */
uint32_t tcp_conn_recv_ready(const struct tcp_conn *conn);

/**
 * Moves up to max received bytes to the end of `to`; the window opens by what was taken. Returns
 * the bytes moved; 0 with tcp_conn_recv_ended: the peer has shut its side. 0 although some are
 * ready: there was no buffer to cut with, ask again later.
 */
uint32_t tcp_conn_recv(struct tcp_conn *conn, struct pkt_chain *to, uint32_t max);
bool tcp_conn_recv_ended(const struct tcp_conn *conn);

/** Bytes that tcp_conn_send would take now. */
uint32_t tcp_conn_send_room(const struct tcp_conn *conn);

/**
 * Queues up to max bytes from the front of `from`, by reference. Returns the bytes moved; 0 after a
 * failure or tcp_conn_shut. If it had to leave something, or less than half of the buffer stays
 * free, TCP_EVENT_WRITABLE follows when half of the buffer is free: who finds no room may wait.
 * Small buffers are charged for half of the memory that they pin, and gathered if that leaves no
 * room. If it was buffers to cut with that were short, the event comes after a while.
 */
uint32_t tcp_conn_send(struct tcp_conn *conn, struct pkt_chain *from, uint32_t max);

/** More bytes are on their way: a last segment that is not full waits for them, at most until
 * the next call with false (RFC 9293 3.7.4; Nagle's algorithm is off otherwise). */
void tcp_conn_set_more(struct tcp_conn *conn, bool more);

/** FIN after what is queued; receiving goes on. Harmless when repeated. */
void tcp_conn_shut(struct tcp_conn *conn);

/**
 * The owner lets go. What is queued is still sent, then FIN. If received bytes were not taken, or
 * more come, the peer is reset (RFC 9293 3.6.1, RFC 2525 2.17).
 */
void tcp_conn_close(struct tcp_conn *conn);

/** The owner lets go; RST at once; queued bytes are gone. */
void tcp_conn_abort(struct tcp_conn *conn);

/** Why it is gone, after TCP_EVENT_FAILED; until the owner closes. */
enum tcp_failure tcp_conn_failure(const struct tcp_conn *conn);
/** What it is and between whom, also when it is gone already; until the owner closes. */
enum tcp_state tcp_conn_state(const struct tcp_conn *conn);
struct tcp *tcp_conn_tcp(const struct tcp_conn *conn);
struct endpoint tcp_conn_local(const struct tcp_conn *conn);
struct endpoint tcp_conn_remote(const struct tcp_conn *conn);

/** Asks for one TCP_EVENT_SENT when everything sent so far (and FIN) is acknowledged. */
void tcp_conn_notify_sent(struct tcp_conn *conn);

/** Turns keep-alive probes on with the configured times (RFC 9293 3.8.4). */
void tcp_conn_set_keepalive(struct tcp_conn *conn, bool on);

/* For the operator ("show conn"). */
struct tcp_conn_info {
	enum tcp_state state;
	struct endpoint local, remote;
	void *user; /* NULL: TCP finishes alone */
	uint32_t snd_wnd, rcv_wnd, cwnd, ssthresh, mss;
	uint32_t send_queued_bytes, send_unacked_bytes, recv_queued_bytes, held_bytes;
	uint32_t srtt_us, rttvar_us, rto_ms;
	uint32_t retransmits;
	const char *cc; /* name of its congestion control; "-" in TIME-WAIT */
	uint64_t age_ns;
};
/** Fills *out; the bytes and times are those of this moment. */
void tcp_conn_info(const struct tcp_conn *conn, struct tcp_conn_info *out);

/** Calls fn for connections from table position *cursor (0 at first) on, at most `max` positions;
 * returns false when the end is reached. TIME-WAIT entries come with user NULL. */
bool tcp_conn_each(struct tcp *tcp, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct tcp_conn_info *info), void *ctx);

/** Connections in each state; TIME-WAIT by its entries. */
void tcp_count_states(const struct tcp *tcp, uint32_t counts[TCP_STATE_COUNT]);

/**
 * For tests, after a turn that found no work: what must hold for every connection then. NULL, or
 * what does not, and in *out for which connection (all 0: for none).
 */
const char *tcp_check(const struct tcp *tcp, struct tcp_conn_info *out);

#endif
