/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of lib/proxy share.
 *
 * A session is a client's connection, a stream is one piece of work on it: the whole connection in
 * tcp mode, one exchange in http mode. A session without a stream is idle and small. A peer is a
 * connection to a server in http mode; it has a stream, or lies idle in its server's list.
 *
 * Who frees: px_stream_end and px_session_end are the only ways out; both may be called from any
 * callback, because neither tcp nor h1 touches an object of ours after it was let go.
 */
#ifndef WEIR_PROXY_PVT_H
#define WEIR_PROXY_PVT_H

#include "h1.h"
#include "lb.h"
#include "lease.h"
#include "proxy.h"

#define PX_NEVER           UINT64_MAX
#define PX_AHEAD_BYTES     1448 /* taken beyond the room of the other side, to be told of room */
#define PX_AVERAGE_SAMPLES 1024 /* length of the window of averages */
#define PX_PURGE_NS        (5 * NS_PER_SEC) /* how often idle server connections are thinned out */
#define PX_STARVED_NS      (2 * NS_PER_MS)  /* another try when packet buffers were short */
#define PX_TURN_AROUND_MS  1000             /* at most, before the same server is tried again */
#define PX_LINGER_NS       NS_PER_SEC       /* for the client to end its side after our last byte */
#define PX_LOG_LINE_BYTES  4096

/* --- figures ---------------------------------------------------------------------------- */

struct px_rate {
	uint64_t second; /* the one that is counted now */
	uint64_t now;    /* events in it */
	uint64_t before; /* in the one before */
};

enum px_rate_kind {
	PX_RATE_SESSION,
	PX_RATE_REQUEST,
	PX_RATE_CONNECTION,
	PX_RATE_BYTES, /* only of the whole core */
	PX_RATE_COUNT,
};

/* One object on one core; other cores read it. */
struct px_counters {
	uint64_t v[PROXY_STAT_COUNT]; /* AVERAGE: the sum of the window */
	uint64_t samples;             /* in the window of all averages */
	uint64_t last_ns;             /* when the last session came; 0: never */
	struct px_rate rates[PX_RATE_COUNT];
};

static inline void px_add(struct px_counters *c, enum proxy_stat stat, uint64_t n)
{
	if (c)
		stat_add(&c->v[stat], n);
}

static inline void px_count(struct px_counters *c, enum proxy_stat stat)
{
	px_add(c, stat, 1);
}

/** One more or less of what is counted by a gauge and its maximum, the row behind it. */
void px_enter(struct px_counters *c, enum proxy_stat gauge, enum proxy_stat max);
void px_leave(struct px_counters *c, enum proxy_stat gauge);
void px_rate_count(struct px_rate *rate, uint64_t now_ns, uint64_t n);
/** Events in the last second, by weighing the second before with what is left of it. */
uint64_t px_rate_read(const struct px_rate *rate, uint64_t now_ns);
void px_session_counted(struct px_counters *c, uint64_t now_ns);

/* Times of a finished stream, in ms; negative: did not happen. */
struct px_times {
	int64_t queue, connect, response, total;
};
void px_times_count(struct px_counters *c, const struct px_times *t);

/* --- objects of the model, per core ------------------------------------------------------ */

struct px_bind {
	struct proxy *px;
	struct px_frontend *fe;
	const struct model_bind *model;
	struct tcp_listener *listener;
	struct px_counters *counters;
	uint32_t index;
	uint32_t parked; /* connections that wait for a token; the listener is paused */
	uint8_t tcp_options;
};

struct px_server {
	const struct model_server *model;
	struct px_counters *counters;
	struct px_backend *backend;
	struct list idle; /* struct px_peer, the one that was used last in front */
	uint32_t idle_count;
	uint32_t idle_low; /* the least there were since the last purge */
	uint32_t index;    /* in model.servers */
	uint32_t member;   /* within its backend */
	uint8_t tcp_options;
	/* Read by the view. */
	uint64_t weight, maint, changed_ns, down_ns, down_count;
};

struct px_backend {
	const struct model_proxy *model;
	struct px_counters *counters;
	struct lb *lb;
	struct px_server *servers;
	struct list waiting; /* streams in the queue, by queue_link */
	uint32_t index;
	uint64_t changed_ns, down_ns, down_count; /* read by the view */
};

struct px_frontend {
	const struct model_proxy *model;
	struct px_counters *counters;
	uint32_t index;
};

/* --- sessions and streams ------------------------------------------------------------------ */

/* What a session has still to get before it is served, in this order. */
enum px_gate {
	PX_GATE_BIND,
	PX_GATE_FRONTEND,
	PX_GATE_GLOBAL,
	PX_GATE_OPEN,
};

struct px_session {
	struct px_bind *bind;
	struct http_conn *conn;   /* http mode */
	struct px_stream *stream; /* NULL: idle */
	struct http_xchg *early;  /* http: a request that came before the gate opened */
	struct px_peer *own;      /* http-reuse never: the server connection that it keeps */
	union {
		struct timer timer;         /* http: for the next request */
		struct lease_waiter waiter; /* before the gate is open */
	};
	uint64_t accept_ns;
	uint64_t request_ns; /* http: first byte of the request that is coming; 0: none yet */
	struct endpoint client, local;
	uint32_t requests; /* so far */
	uint8_t gate;      /* enum px_gate */
};

static_assert(sizeof(struct px_session) <= 144, "an idle client costs this, plus tcp and h1");

/* One direction. */
struct px_pipe {
	struct pkt_chain hold; /* taken from one side, not yet accepted by the other */
	bool done;             /* the end was passed on */
	bool blocked;          /* the receiving side has no room */
	bool starved;          /* no buffers; try again soon */
};

enum px_state {
	PX_STATE_START,
	PX_STATE_QUEUE,
	PX_STATE_PAUSE, /* before another attempt to connect */
	PX_STATE_CONNECT,
	PX_STATE_EXCHANGE, /* both sides are up */
	PX_STATE_CLOSING,
	PX_STATE_COUNT,
};

/* HAProxy's two letters at the end of a session. */
struct px_term {
	char cause; /* who or what ended it: C c S s P L R, or - */
	char phase; /* R Q C H D L, or - */
};

struct px_stream {
	struct px_session *session;
	struct proxy *px;
	struct px_frontend *fe;
	struct px_backend *be;      /* NULL: not chosen yet */
	struct px_server *server;   /* NULL: none */
	struct px_server *previous; /* from which it was sent elsewhere */
	struct timer timer;
	struct lease_waiter waiter;
	struct list queue_link; /* in be->waiting */
	uint64_t deadline_ns;   /* what the timer is for; the timer may stand earlier */

	/* Moments, 0: not reached. Request: from its first byte. */
	uint64_t start_ns, start_wall_ns;
	uint64_t request_ns, queue_ns, connected_ns, response_ns;
	uint64_t queued_ns;  /* began to wait */
	uint64_t attempt_ns; /* began to connect, or to pause before it */

	uint32_t retries;
	uint32_t server_queue, backend_queue; /* those before us when we queued */
	uint32_t avoid;                       /* member that failed, or LB_NONE */
	uint16_t status;                      /* http: told to the client; 0: none */
	uint8_t state;                        /* enum px_state */
	struct px_term term;
	bool http;
	bool has_token; /* a slot of the server is ours */
	bool loaded;    /* counted in the balancer */
	bool in_server; /* counted in the server's scur */
	bool redispatched;
	bool failed_at_once; /* the attempt failed inside the call; the timer goes on with it */
	uint8_t failure;     /* enum tcp_failure, then */
	bool counted;        /* counted in the backend's figures */
	bool logged;

	struct px_pipe up;   /* client to server */
	struct px_pipe down; /* server to client */
	uint64_t active_ns;  /* bytes moved */
	uint64_t bytes_up, bytes_down;
	uint64_t head_bytes_up; /* http: of the request's head */

	/* tcp mode */
	struct stream client, server_stream;

	/* http mode */
	struct http_xchg *cx, *sx;
	struct px_peer *peer;
	struct http_head *req, *resp;
	bool reused;       /* the peer had served before */
	bool fresh;        /* wants a new connection */
	bool silent;       /* the client never sent a byte */
	bool body_taken;   /* a part of the request's body is gone to a server */
	bool tunnel;       /* both ways until both have ended */
	bool tunnel_up;    /* what the client sent early was moved */
	bool head_sent;    /* the final head went to the client */
	bool head_counted; /* the request's head, in the figures */
	bool close_client; /* the client's connection ends with this exchange */
	bool close_server;
};

/* A connection to a server, in http mode. */
struct px_peer {
	struct list link; /* in server->idle */
	struct proxy *px;
	struct px_server *server;
	struct http_conn *conn;
	struct px_stream *stream;      /* NULL: idle */
	struct px_session *private_to; /* http-reuse never */
	uint64_t idle_ns;
	bool reused; /* has served more than one stream */
};

/* --- the core --------------------------------------------------------------------------------- */

struct proxy {
	struct worker *worker;
	struct tcp *tcp;
	struct pkt_pools *pkts;
	const struct model *model;
	struct proxy *all[WORKER_CORES_MAX]; /* of all workers, by index */
	struct lease_hub *leases;
	struct lease_hub **hubs; /* of all workers */
	uint32_t worker_count;
	uint32_t idle_max;
	proxy_connect_fn connect_fn;
	void *connect_ctx;

	struct http_heads heads;
	struct h1 h1;
	struct mem_pool sessions, streams, peers;
	uint64_t *live; /* bitmap of sessions by pool index */
	uint32_t sessions_max;
	struct timer purge;

	struct px_bind *binds;
	struct px_frontend *frontends; /* by index in model.proxies, as are backends */
	struct px_backend *backends;
	struct px_server *servers;
	struct lb **lbs; /* by backend, by core */
	struct px_counters *counters[PROXY_OBJECT_COUNT];
	struct px_counters total; /* of the core: CONN_TOT, SCUR, REQ_TOT, BOUT, rates */

	uint64_t drops[PROXY_DROP_COUNT];
	struct stat_group group;
	/* Read or written by other cores. */
	uint64_t stopping;
	uint64_t listeners;
	uint64_t peer_count;
	uint64_t utc_offset_s; /* written by the view; two's complement */
	bool heads_up, h1_up;
	struct mem_region self, arrays, bitmap;
};

static inline uint64_t px_now(const struct proxy *px)
{
	return px->worker->now_ns;
}

/** now plus a timeout of the model; PX_NEVER if it is not set. */
static inline uint64_t px_after(uint64_t from_ns, uint32_t ms)
{
	return ms == MODEL_TIMEOUT_NONE ? PX_NEVER : from_ns + ms * NS_PER_MS;
}

/* Groups of limits. */
static inline uint32_t px_group_global(void)
{
	return 0;
}
static inline uint32_t px_group_frontend(uint32_t index)
{
	return 1 + index;
}
static inline uint32_t px_group_backend(const struct proxy *px, uint32_t index)
{
	return 1 + px->model->proxy_count + index;
}
static inline uint32_t px_group_bind(const struct proxy *px, uint32_t index)
{
	return 1 + 2 * px->model->proxy_count + index;
}

/* px_apply.c */
int px_arrays_init(struct proxy *px, const struct model *model, struct error *err);
void px_arrays_fini(struct proxy *px);

/* px_listen.c */
int px_listen_start(struct proxy *px, struct error *err);
void px_listen_stop(struct proxy *px);
/** Gives the tokens back that the session took on its way in, and resumes its listener. */
void px_gate_leave(struct px_session *s);

/* px_session.c */
struct px_session *px_session_new(struct px_bind *bind);
/** Lets go of everything that the session still has; `s` is gone. */
void px_session_end(struct px_session *s, bool reset);
void px_session_each_live(struct proxy *px, void (*fn)(struct px_session *s));
struct px_session *px_session_at(struct proxy *px, uint32_t index); /* NULL: not live */

/* px_stream.c */
struct px_stream *px_stream_new(struct px_session *s, bool http);
/** Counts and logs what has to be said at the end, and frees the stream alone. */
void px_stream_end(struct px_stream *st);
void px_stream_term(struct px_stream *st, char cause, char phase); /* the first one stays */
/** The second letter for the log if it ended now: Q, C, H, D. */
char px_stream_phase(const struct px_stream *st);
/** Finds the next deadline and sees to it that the timer stands no later. */
void px_stream_rearm(struct px_stream *st);
/** Counts bytes that moved, which is activity. */
void px_stream_bytes(struct px_stream *st, uint64_t up, uint64_t down);
/** Counts a transfer that one side broke off. */
void px_stream_aborted(struct px_stream *st, bool by_client);
/** Counts for the backend, and the server if there is one. */
void px_stream_count(struct px_stream *st, enum proxy_stat stat);

/* px_backend.c: from "which backend" to "connected" */
void px_backend_begin(struct px_stream *st, uint32_t backend);
void px_backend_assign(struct px_stream *st);
void px_backend_connect(struct px_stream *st);
/** An attempt failed; tries again, elsewhere, or gives up. timeout: our own timer ended it. */
void px_backend_failed(struct px_stream *st, enum tcp_failure failure, bool timeout);
/** Lets go of queue, token and load. */
void px_backend_leave(struct px_stream *st);
/** Queued streams of the backend choose anew, because states have changed. */
void px_backend_requeue(struct px_backend *be);
void px_backend_connected(struct px_stream *st);
/** The stream ends without a server: status for http, letters for the log. */
void px_backend_give_up(struct px_stream *st, uint16_t status, char cause, char phase);
struct tcp_connect_config px_backend_target(const struct px_stream *st);
void px_backend_expired(struct px_stream *st);
/** A server was chosen; counts it. */
void px_backend_chosen(struct px_stream *st, uint32_t member);

/* px_queue.c */
void px_queue_wait(struct px_stream *st, uint32_t member);
void px_queue_leave(struct px_stream *st);
void px_queue_granted(struct lease_waiter *w, uint32_t member);

/* px_pump.c */
/** Moves what can be moved. Returns the bytes that `to` took. */
uint32_t px_pipe_run(struct px_pipe *pipe, struct stream *from, struct stream *to);
uint32_t px_pipe_run_http(struct px_pipe *pipe, struct http_xchg *from, struct http_xchg *to);

/* px_tcp.c */
void px_tcp_client_event(struct stream *s, uint32_t events);
void px_tcp_begin(struct px_session *s);
void px_tcp_connect(struct px_stream *st);
void px_tcp_connected(struct px_stream *st);
void px_tcp_disconnect(struct px_stream *st); /* an attempt that failed or timed out */
void px_tcp_expired(struct px_stream *st, bool client);
void px_tcp_give_up(struct px_stream *st);
void px_tcp_run(struct px_stream *st);

/* px_http_session.c */
extern const struct http_conn_owner_ops px_http_client_ops;
void px_http_begin(struct px_session *s); /* the gate has opened */
/** The exchange is over; if the connection is about to end, sees to it that it does. */
void px_http_wait_closed(struct px_session *s);

/* px_http.c */
void px_http_run(struct px_stream *st);
void px_http_server_event(struct http_xchg *x, uint32_t events);
void px_http_client_event(struct http_xchg *x, uint32_t events);
void px_http_expired(struct px_stream *st, bool client);
/** Ends the stream, then the client's exchange. */
void px_http_let_client_go(struct px_stream *st, struct http_xchg *cx, bool reset);
/** Ends the stream without an answer; what was sent stays cut. */
void px_http_cut(struct px_stream *st, bool reset);

/* px_http_request.c */
void px_http_request(struct px_session *s, struct http_xchg *x);
/** There is no request that could be used. */
void px_http_refuse(struct px_stream *st, uint16_t status, char cause);
void px_http_connected(struct px_stream *st);
void px_http_count_request(struct px_stream *st);
void px_http_count_status(struct px_stream *st, bool by_server);
/** Counts the bytes of the request's head, once. */
void px_http_count_head(struct px_stream *st);
uint64_t px_http_head_bytes(const struct http_head *head);

/* px_http_response.c */
bool px_http_take_response(struct px_stream *st); /* false: the stream has ended */

/* px_error.c */
/** Answers with a response of our own if nothing was sent yet, logs, and ends the stream. */
void px_http_answer(struct px_stream *st, uint16_t status, char cause, char phase);
/* px_pool.c */
void px_http_connect(struct px_stream *st);
void px_peer_release(struct px_stream *st, bool reusable);
void px_peer_close(struct px_peer *peer, bool reset);
void px_pool_close_idle(struct proxy *px);
void px_pool_purge(struct timer *timer, uint64_t now_ns);

/* px_log.c */
void px_log_connect(struct px_stream *st);
void px_log_stream(struct px_stream *st);

#endif
