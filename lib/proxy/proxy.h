/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * proxy: frontends take connections, backends choose servers, bytes go both ways. One struct proxy
 * per worker; it runs the compiled configuration (lib/model) over lib/tcp and lib/h1.
 *
 * Life: proxy_create on every worker's behalf, proxy_connect, proxy_apply, then the workers run.
 * A soft stop closes the listeners and lets sessions end (proxy_is_drained tells); a hard stop
 * ends them.
 *
 * Figures are kept per core and object. Other cores read them without a lock; struct proxy_view
 * (control core) adds them up into what HAProxy shows per process.
 *
 * Limits (maxconn of the machine, of a frontend, of a server) hold for all cores together: see
 * lib/lb/lease.h. With one worker no mail is sent.
 */
#ifndef WEIR_PROXY_H
#define WEIR_PROXY_H

#include "model.h"
#include "stream.h"

struct proxy;
struct proxy_view;

/* How connections to servers are opened; NULL in the configuration: stream_open_tcp. Tests give
 * their own. Same rules as stream_open_tcp. */
typedef int (*proxy_connect_fn)(void *ctx, struct stream *s, const struct tcp_connect_config *to,
	stream_event_fn on_event, enum tcp_failure *failure);

struct proxy_config {
	struct worker *worker;
	uint32_t worker_count; /* workers have the core indexes 0 to worker_count - 1 */
	struct tcp *tcp;       /* NULL: nothing is listened on; see proxy_accept */
	struct pkt_pools *pools;
	uint32_t sessions_max; /* client connections of this core */
	/* Limits of a message head, see http_heads_config; 0: the defaults. */
	uint32_t head_fields_max, head_buffer_bytes, head_rewrite_bytes;
	uint32_t idle_per_server;    /* idle server connections kept per server; 0: 128 */
	proxy_connect_fn connect_fn; /* or NULL */
	void *connect_ctx;
};

enum proxy_drop {
#define STAT(sym, kind, text) PROXY_DROP_##sym,
#include "proxy_drop.def"
#undef STAT
	PROXY_DROP_COUNT,
};

/** Start-up. Pools are added to the worker's list. NULL with *err set. */
struct proxy *proxy_create(const struct proxy_config *config, struct error *err) WR_SLOW_CORE;

/** Start-up: tells the proxies of all workers about each other, by core index, before
 * proxy_apply. The array is copied. */
void proxy_connect(struct proxy *const *all, uint32_t count) WR_SLOW_CORE;

/**
 * Start-up, once all are connected: sets all workers up for the model and starts their listeners.
 * The model must outlive the proxies. -ENOMEM, or what tcp_listen says, with file and line of the
 * bind in *err; nothing listens then.
 */
int proxy_apply(struct proxy *const *all, uint32_t count, const struct model *model,
	struct error *err) WR_SLOW_CORE;

/** Aborts what is left, unless it was stopped before; then the worker may be gone already.
 * NULL-safe. Returns objects that were never given back (a leak): 0. */
uint32_t proxy_destroy(struct proxy *p) WR_SLOW_CORE;

/* --- run time: the owner's core ------------------------------------------------------ */

/** Listeners close; idle keep-alive connections end; sessions finish (SIGUSR1). */
void proxy_stop_soft(struct proxy *p) WR_DATA_CORE;

/** Listeners close and every session is aborted (SIGTERM). */
void proxy_stop_hard(struct proxy *p) WR_DATA_CORE;

/** Any core: no session and no connection of ours is left. */
bool proxy_is_drained(const struct proxy *p);

/** Any core: client connections now. */
uint32_t proxy_session_count(const struct proxy *p);

/**
 * A client over a carrier that is not a tcp listener of ours: `open` opens *s over it with
 * on_event, or returns false. `client` and `local` are what logs show. False if it was refused.
 */
typedef bool (*proxy_open_fn)(void *ctx, struct stream *s, stream_event_fn on_event);
bool proxy_accept(struct proxy *p, uint32_t bind, proxy_open_fn open, void *ctx) WR_DATA_CORE;

/** State and weight of a server; weight 0 to 256. Send it to every worker. */
void proxy_server_set(struct proxy *p, uint32_t server, uint32_t weight, bool maint) WR_DATA_CORE;

/* One session, for "show sess". Strings are constants. */
struct proxy_session_info {
	uint64_t id;
	enum model_mode mode;
	struct endpoint client, local;
	uint32_t frontend;
	uint32_t backend; /* MODEL_NONE: not chosen yet */
	uint32_t server;  /* index in model.servers, or MODEL_NONE */
	uint64_t age_ns;
	uint64_t idle_ns;      /* since bytes moved */
	uint64_t expire_in_ns; /* UINT64_MAX: never */
	uint64_t bytes_in, bytes_out;
	uint32_t requests; /* HTTP: so far, on this connection */
	const char *state; /* "request", "queue", "connect", "response", "data", "idle", ... */
};

/** Calls fn for sessions from position *cursor (0 at first) on, at most `max` positions; false
 * when the end is reached. Safe while sessions come and go. */
bool proxy_session_each(struct proxy *p, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct proxy_session_info *info), void *ctx) WR_DATA_CORE;

/* --- figures --------------------------------------------------------------------------- */

enum proxy_object {
	PROXY_OBJECT_FRONTEND, /* by index in model.proxies */
	PROXY_OBJECT_BACKEND,  /* by index in model.proxies */
	PROXY_OBJECT_SERVER,   /* by index in model.servers */
	PROXY_OBJECT_LISTENER, /* by index in model.binds */
	PROXY_OBJECT_COUNT,
};

enum proxy_stat {
#define PROXY_STAT(sym, kind, objects, field, text) PROXY_STAT_##sym,
#include "proxy_stat.def"
#undef PROXY_STAT
	PROXY_STAT_COUNT,
};

enum proxy_stat_kind {
	PROXY_STAT_KIND_COUNTER,
	PROXY_STAT_KIND_GAUGE,
	PROXY_STAT_KIND_MAX,
	PROXY_STAT_KIND_RATE,
	PROXY_STAT_KIND_RATE_MAX,
	PROXY_STAT_KIND_AVERAGE,
	PROXY_STAT_KIND_LAST,
};

struct proxy_stat_row {
	const char *objects; /* letters of L F B S */
	const char *field;   /* column of "show stat"; a name in lower case */
	const char *text;
	enum proxy_stat_kind kind;
};

extern const struct proxy_stat_row proxy_stat_rows[PROXY_STAT_COUNT];

#define PROXY_LAST_NEVER UINT64_MAX

/* All cores together, ready to be shown. */
struct proxy_figures {
	uint64_t v[PROXY_STAT_COUNT]; /* by enum proxy_stat; LASTSESS may be PROXY_LAST_NEVER */
};

enum proxy_server_status {
	PROXY_SERVER_NO_CHECK, /* up, and nobody checks it */
	PROXY_SERVER_MAINT,
};

struct proxy_server_info {
	enum proxy_server_status status;
	const char *status_text; /* as "show stat": "no check", "MAINT" */
	uint32_t weight;         /* effective; 0 in maintenance */
	uint32_t weight_user;    /* as configured or set */
	uint64_t changed_s;      /* seconds since the last change of state */
	uint64_t down_s;         /* seconds in maintenance or down, all together */
	uint32_t down_count;     /* times that it went from up to down */
};

struct proxy_backend_info {
	bool up;
	uint32_t weight, weight_user;
	uint32_t active, backup; /* servers that are up */
	uint64_t changed_s, down_s;
	uint32_t down_count;
};

enum proxy_frontend_status {
	PROXY_FRONTEND_OPEN,
	PROXY_FRONTEND_FULL, /* maxconn is reached */
	PROXY_FRONTEND_STOP,
};

/* For "show info". */
struct proxy_totals {
	uint32_t maxconn;
	uint64_t conns;     /* client connections now */
	uint64_t conns_tot; /* CumConns */
	uint64_t requests_tot;
	uint64_t conn_rate, conn_rate_max; /* connections per second */
	uint64_t sess_rate, sess_rate_max;
	uint64_t bytes_out_tot;
	uint64_t bytes_out_rate; /* per second */
	uint32_t listeners;      /* endpoints that are open */
	bool stopping;
};

/** Control core, start-up after proxy_apply. NULL with *err set. */
struct proxy_view *proxy_view_create(
	struct proxy *const *all, uint32_t count, struct error *err) WR_SLOW_CORE;
/** NULL-safe. */
void proxy_view_destroy(struct proxy_view *view);

/** Control core, about ten times a second: keeps the maxima over all cores. */
void proxy_view_poll(struct proxy_view *view, uint64_t now_ns) WR_SLOW_CORE;

/** Control core: one object's figures at now_ns. */
void proxy_view_figures(struct proxy_view *view, enum proxy_object kind, uint32_t index,
	uint64_t now_ns, struct proxy_figures *out) WR_SLOW_CORE;
void proxy_view_totals(struct proxy_view *view, uint64_t now_ns, struct proxy_totals *out);

/** Control core: states. */
void proxy_view_server(const struct proxy_view *view, uint32_t server, uint64_t now_ns,
	struct proxy_server_info *out);
void proxy_view_backend(const struct proxy_view *view, uint32_t proxy, uint64_t now_ns,
	struct proxy_backend_info *out);
enum proxy_frontend_status proxy_view_frontend(const struct proxy_view *view, uint32_t proxy);

/** Session limit as shown: of a frontend or listener (never 0), of a server (0: none), fullconn of
 * a backend. */
uint32_t proxy_view_limit(const struct proxy_view *view, enum proxy_object kind, uint32_t index);

#endif
