/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model: the compiled configuration. Immutable once it is built; names are resolved to indexes.
 *
 * lib/reload builds it on the control core from the text; workers read it through lib/snap.
 * Everything that a struct model points to is owned by it and freed by model_destroy. Strings
 * are NUL-terminated. Indexes count from 0; MODEL_NONE stands for "none".
 *
 * What changes while weir runs (server state, weights, counters) lives elsewhere, in arrays by
 * the indexes of this model, and is keyed by name and id across reloads.
 */
#ifndef WEIR_MODEL_H
#define WEIR_MODEL_H

#include "base_addr.h"
#include "base_error.h"
#include "ip.h"
#include "log.h"
#include "port_impair.h"
#include "snap.h"
#include "tcp.h"

#define MODEL_NONE         UINT32_MAX
#define MODEL_TIMEOUT_NONE 0 /* ms: the timeout is not set; HAProxy reads 0 likewise */
#define MODEL_MAXCONN      100000
#define MODEL_WEIGHT_MAX   256

/* Where the text stands, for messages and "show" commands. */
struct model_place {
	const char *file;
	uint32_t line;
};

enum model_mode {
	MODEL_MODE_TCP,
	MODEL_MODE_HTTP,
};

/* How HTTP connections are kept, HAProxy's "option http-keep-alive" and its rivals. */
enum model_http_mode {
	MODEL_HTTP_KEEP_ALIVE,
	MODEL_HTTP_SERVER_CLOSE,
	MODEL_HTTP_CLOSE,
};

enum model_http_reuse {
	MODEL_REUSE_NEVER,
	MODEL_REUSE_SAFE,
	MODEL_REUSE_AGGRESSIVE,
	MODEL_REUSE_ALWAYS,
};

enum model_lb {
	MODEL_LB_ROUNDROBIN,
	MODEL_LB_LEASTCONN,
	MODEL_LB_SOURCE,
};

enum model_hash_type {
	MODEL_HASH_MAP_BASED,
	MODEL_HASH_CONSISTENT,
};

enum model_log_format {
	MODEL_LOG_DEFAULT, /* neither option: "Connect from ..." at the start of a connection */
	MODEL_LOG_TCP,
	MODEL_LOG_HTTP,
	MODEL_LOG_HTTP_CLF,
};

/* Timeouts in ms; MODEL_TIMEOUT_NONE if unset, fall-backs are already applied as HAProxy does
 * (http-request and queue fall back to connect ..., http-keep-alive to http-request, ...). */
struct model_timeouts {
	uint32_t client;
	uint32_t client_fin;
	uint32_t server;
	uint32_t server_fin;
	uint32_t connect;
	uint32_t queue;
	uint32_t http_request;
	uint32_t http_keep_alive;
	uint32_t tunnel;
};

/* A "bind" line may name several endpoints: each becomes one struct model_bind. Port ranges are
 * spread out likewise. */
struct model_bind {
	struct model_place place;
	const char *name; /* or NULL */
	uint32_t id;      /* "id", or given out as HAProxy does */
	struct endpoint local;
	bool v4v6; /* [::] takes IPv4 as well */
	bool v6_only;
	uint32_t maxconn; /* 0: no limit of its own */
	uint32_t backlog; /* 0: from the proxy */
	uint32_t proxy;   /* index of its frontend */
	struct tcp_options tcp;
};

struct model_server {
	struct model_place place;
	const char *name;
	uint32_t id; /* "id", or given out: 1, 2, ... within the backend */
	uint32_t proxy;
	struct endpoint remote;
	bool port_from_client; /* the port of the client's connection, plus port_offset */
	int32_t port_offset;
	struct ip_addr source; /* any-address: by the route */
	uint32_t weight;       /* 0 to 256 */
	uint32_t maxconn;      /* 0: no limit */
	uint32_t minconn;      /* 0: equal to maxconn */
	uint32_t maxqueue;     /* 0: no limit */
	bool backup;
	bool disabled; /* starts in maintenance */
	struct tcp_options tcp;
};

struct model_log_target {
	struct model_place place;
	enum {
		MODEL_LOG_TO_UDP,  /* syslog to an endpoint, by the kernel's network */
		MODEL_LOG_TO_UNIX, /* a datagram socket */
		MODEL_LOG_TO_STDOUT,
		MODEL_LOG_TO_STDERR,
	} kind;
	enum {
		MODEL_LOG_FMT_LOCAL, /* if nothing is said: rfc3164 without a host's name */
		MODEL_LOG_FMT_RFC3164,
		MODEL_LOG_FMT_RFC5424,
		MODEL_LOG_FMT_SHORT,
		MODEL_LOG_FMT_RAW,
		MODEL_LOG_FMT_TIMED,
		MODEL_LOG_FMT_ISO,
	} format;
	struct endpoint remote;
	const char *path;         /* unix */
	uint8_t facility;         /* 0 to 23 */
	enum log_level level_max; /* more verbose lines are not sent */
	enum log_level level_min; /* more severe lines are sent with this severity */
	uint32_t len_max;
};

/* A list of targets; log_line.target is its index in the model. Index 0 (LOG_TARGET_SELF) holds
 * the global section's targets. */
struct model_log {
	uint32_t target_count;
	const struct model_log_target *targets;
	const char *tag; /* program name in the syslog header */
};

/* A body for one status, headers and all, as "errorfile" reads it. */
struct model_errorfile {
	uint16_t status;
	struct bytes message;
};

/* Part of a proxy that only a "frontend" or a "listen" has. */
struct model_frontend {
	uint32_t bind_first; /* in model.binds; consecutive */
	uint32_t bind_count;
	uint32_t maxconn;           /* 0: the global one */
	uint32_t backlog;           /* 0: maxconn */
	uint32_t default_backend;   /* proxy index, or MODEL_NONE; a "listen" without one: itself */
	uint32_t use_backend_count; /* rules in order; the first that applies wins. */
	const uint32_t *use_backends; /* proxy indexes */
};

/* Part of a proxy that only a "backend" or a "listen" has. */
struct model_backend {
	uint32_t server_first; /* in model.servers; consecutive */
	uint32_t server_count;
	enum model_lb lb;
	enum model_hash_type hash_type;
	enum model_http_reuse reuse;
	uint32_t retries; /* default 3 */
	uint32_t fullconn;
	bool allbackups; /* option allbackups */
	bool redispatch;
	int32_t redispatch_interval; /* option redispatch N; -1: the last attempt */
};

struct model_proxy {
	struct model_place place;
	const char *name;
	uint32_t id; /* "id", or given out: 2, 3, ... over all proxies as HAProxy does */
	bool is_frontend;
	bool is_backend;
	bool is_listen;
	bool disabled;
	enum model_mode mode;
	struct model_frontend fe;
	struct model_backend be;
	struct model_timeouts timeouts;

	enum model_http_mode http_mode;
	bool dontlognull;
	bool logasap;
	bool dontlog_normal;
	bool tcpka_client, tcpka_server;
	bool abortonclose;
	enum model_log_format log_format;
	uint32_t log; /* index in model.logs, or MODEL_NONE: nothing is logged */

	/* option forwardfor */
	bool forwardfor;
	bool forwardfor_if_none;
	const char *forwardfor_header; /* default "X-Forwarded-For" */
	uint32_t forwardfor_except_count;
	const struct ip_prefix *forwardfor_excepts;

	uint32_t errorfile_count;
	const struct model_errorfile *errorfiles; /* at most one per status */
};

struct model_stats_socket {
	struct model_place place;
	enum {
		MODEL_SOCKET_UNIX,
		MODEL_SOCKET_TCP, /* in the kernel's network */
		MODEL_SOCKET_FD,  /* an inherited descriptor that listens already */
	} kind;
	const char *path;
	struct endpoint local;
	int fd;
	uint32_t mode;    /* permission bits; 0: the umask's */
	int64_t uid, gid; /* -1: unchanged */
	enum {
		MODEL_LEVEL_USER,
		MODEL_LEVEL_OPERATOR,
		MODEL_LEVEL_ADMIN,
	} level;
};

/* Section "network". */
struct model_port_member {
	const char *device; /* as vdev or pci of a port */
	bool is_pci;
};

struct model_port {
	struct model_place place;
	char name[PORT_NAME_SIZE];
	const char *vdev;      /* "net_tap0,iface=weir0", or NULL */
	const char *pci;       /* "0000:03:00.0", or NULL */
	uint32_t member_count; /* if vdev is a bond */
	struct model_port_member members[PORT_MEMBERS_MAX];
	uint16_t mtu; /* 0: the device's */
	bool allow_loopback;
	struct port_impair impair;
};

/** True if it, or a member of it, is a device of the PCI bus. */
static inline bool model_port_has_pci(const struct model_port *p)
{
	for (uint32_t i = 0; i < p->member_count; i++)
		if (p->members[i].is_pci)
			return true;
	return p->pci != NULL;
}

struct model_network {
	struct model_place place; /* of the section; file NULL if there is none */
	uint32_t control_core;
	uint32_t worker_count;
	uint16_t worker_cores[WORKER_CORES_MAX]; /* CPU of each worker; may repeat, may be the
						    control core's */
	enum worker_idle idle;
	bool idle_set;         /* otherwise: busy on real devices, adaptive on virtual ones */
	uint64_t memory_bytes; /* 0: chosen by size of the machine and kind of ports */
	uint32_t port_count;
	const struct model_port *ports;
	struct ip_config ip;   /* interfaces, addresses (those of binds included), routes */
	uint32_t time_wait_ms; /* 0: default */
	enum tcp_cookies cookies;
	enum tcp_ecn ecn;
	bool pacing; /* also where the congestion control does not ask for it */
};

struct model_global {
	uint32_t maxconn;            /* all frontends together; default MODEL_MAXCONN */
	uint32_t hard_stop_after_ms; /* 0: never */
	uint32_t stats_timeout_ms;   /* of the runtime socket's connections; default 10,000 */
	uint32_t stats_maxconn;      /* default 10 */
	uint32_t maxhdr;             /* tune.http.maxhdr, default 101 */
	uint32_t bufsize;            /* tune.bufsize, default 16384 */
	uint32_t maxrewrite;         /* tune.maxrewrite, default 1024 */
	const char *node;            /* "node", else the host's name */
	const char *description;     /* or NULL */
	const char *pidfile;         /* or NULL */
	uint32_t stats_socket_count;
	const struct model_stats_socket *stats_sockets;
};

struct model {
	struct snap snap; /* first member */
	struct model_global global;
	struct model_network network;
	uint32_t proxy_count, bind_count, server_count, log_count;
	const struct model_proxy *proxies;
	const struct model_bind *binds;
	const struct model_server *servers;
	const struct model_log *logs;
	struct model_arena *arena; /* private: owns all of the above */
};

/* --- building (lib/reload, tests) --------------------------------------------------- */

/** An empty model with HAProxy's defaults. NULL without memory. */
struct model *model_create(void) WR_SLOW_CORE;

/** Memory that lives as long as the model, zeroed. NULL without memory. */
void *model_alloc(struct model *m, size_t size_bytes) WR_SLOW_CORE;
const char *model_strdup(struct model *m, struct bytes text) WR_SLOW_CORE;

/** NULL-safe. Also what snap calls when the last worker let go. */
void model_destroy(struct model *m) WR_SLOW_CORE;

/* --- reading ------------------------------------------------------------------------ */

/** The proxy of this name that is a frontend (or backend), or MODEL_NONE. */
uint32_t model_find_frontend(const struct model *m, struct bytes name);
uint32_t model_find_backend(const struct model *m, struct bytes name);
/** The server's index in model.servers, or MODEL_NONE. */
uint32_t model_find_server(const struct model *m, uint32_t proxy, struct bytes name);

#endif
