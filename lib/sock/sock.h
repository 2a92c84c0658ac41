/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sock: sockets of the kernel's network for the control core's services (runtime API, log
 * targets). Nothing here ever blocks, except sock_wait, which is how the control core sleeps.
 *
 * One struct sock_loop per control core. Everything runs on that core, inside sock_poll (a poller
 * in phase SLOW) or from timers of its worker. Callbacks may close and abort anything, also the
 * connection they are called for: memory is given back at the end of the turn.
 *
 * Life: sock_loop_create before the worker (it is the ctx of its idle_wait), sock_loop_attach once
 * the worker is there, then listeners and connections.
 */
#ifndef WEIR_SOCK_H
#define WEIR_SOCK_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "base_addr.h"
#include "worker.h"

struct sock_loop;
struct sock_listener;
struct sock_conn;

/** Start-up. NULL with *err set. */
struct sock_loop *sock_loop_create(struct error *err) WR_SLOW_CORE;

/** Start-up: adds the poller "sock" to the control core's worker, whose timers are used from then
 * on. Returns 0 or -ENOSPC. */
int sock_loop_attach(struct sock_loop *loop, struct worker *worker, struct error *err) WR_SLOW_CORE;

/** Closes everything that is still open without a word to its users; removes the files of UNIX
 * listeners. NULL-safe. The worker must still exist. */
void sock_loop_destroy(struct sock_loop *loop) WR_SLOW_CORE;

/** A turn without waiting; `ctx` is the loop. Returns the events handled, at most `budget`. */
uint32_t sock_poll(struct worker *worker, void *ctx, uint32_t budget) WR_SLOW_CORE;

/** For worker_config.idle_wait, with the loop as idle_ctx: sleeps until a socket has something to
 * do, at most max_ns. Handles nothing; the next turn does. */
void sock_wait(struct worker *worker, void *ctx, uint64_t max_ns) WR_SLOW_CORE;

/* --- listeners ---------------------------------------------------------------------- */

enum sock_kind {
	SOCK_UNIX,
	SOCK_TCP, /* in the kernel's network, not on our ports */
	SOCK_FD,  /* an inherited descriptor: it listens already, or it is one connection */
};

struct sock_listen_config {
	enum sock_kind kind;
	const char *path;      /* UNIX */
	uint32_t mode;         /* UNIX: permission bits of the file; 0: by the umask */
	int64_t uid, gid;      /* UNIX: owner of the file; -1: unchanged */
	struct endpoint local; /* TCP; [::] takes IPv4 as well */
	int fd;                /* FD: belongs to the listener from then on */
	uint32_t backlog;      /* 0: 128 */
	/**
	 * A client has come. The callee calls sock_conn_open, or sock_refuse if it will not have
	 * it.
	 */
	void (*on_accept)(struct sock_listener *listener, void *user, int fd);
	void *user;
};

/**
 * A UNIX socket takes the place of a socket file that is there already, in one step and with its
 * final mode and owner, as HAProxy does: who was connected stays connected to the old process. A
 * file that is not a socket stays, and is an error (-EEXIST). NULL with *err set.
 */
struct sock_listener *sock_listen(struct sock_loop *loop, const struct sock_listen_config *config,
	struct error *err) WR_SLOW_CORE;

/** While paused clients wait in the kernel's backlog. */
void sock_listener_pause(struct sock_listener *listener, bool paused) WR_SLOW_CORE;

/** Also removes the file, if it is still ours. */
void sock_listener_close(struct sock_listener *listener) WR_SLOW_CORE;

/** For on_accept: the descriptor is closed. */
void sock_refuse(int fd);

/* --- connections -------------------------------------------------------------------- */

enum sock_event {
	SOCK_EVENT_INPUT = 1 << 0,   /* bytes came */
	SOCK_EVENT_DRAINED = 1 << 1, /* all output is with the kernel */
	SOCK_EVENT_SHUT = 1 << 2,    /* the peer sends no more; it may still read */
	SOCK_EVENT_FAILED = 1 << 3,  /* the connection is gone: abort it */
	SOCK_EVENT_IDLE = 1 << 4,    /* no byte went either way for the idle time */
};

typedef void (*sock_event_fn)(struct sock_conn *conn, void *user, uint32_t events);

struct sock_conn_config {
	size_t input_max_bytes;  /* what waits unread; more stays in the kernel */
	size_t output_max_bytes; /* what waits unsent; 0: no limit */
	uint64_t idle_ns;        /* 0: no SOCK_EVENT_IDLE */
	sock_event_fn on_event;
	void *user;
};

/** Takes the descriptor, which is closed on failure too. NULL without memory, or if the kernel
 * refuses to watch it. */
struct sock_conn *sock_conn_open(
	struct sock_loop *loop, int fd, const struct sock_conn_config *config) WR_SLOW_CORE;

/** Bytes that came and were not consumed; valid until the next call for this connection. */
struct bytes sock_conn_input(const struct sock_conn *conn);
/** Forgets the first n bytes of the input (at most all). */
void sock_conn_consume(struct sock_conn *conn, size_t n);
/** The peer sends no more than what sock_conn_input has. */
bool sock_conn_input_ended(const struct sock_conn *conn);

/** Queues all bytes and sends what the kernel takes. Returns 0; -ENOBUFS: nothing was queued, the
 * limit is reached; -EPIPE: the connection is gone (SOCK_EVENT_FAILED follows). */
int sock_conn_write(struct sock_conn *conn, struct bytes bytes) WR_SLOW_CORE;
/** Bytes that were written and are not with the kernel yet. */
size_t sock_conn_output_pending(const struct sock_conn *conn);

/** Changes the idle time, counted from now; 0: no limit. */
void sock_conn_set_idle(struct sock_conn *conn, uint64_t idle_ns) WR_SLOW_CORE;

/** The user lets go: what is queued is still sent (for at most SOCK_LINGER_NS without progress),
 * then it closes. */
void sock_conn_close(struct sock_conn *conn) WR_SLOW_CORE;
/** The user lets go; queued bytes are gone. */
void sock_conn_abort(struct sock_conn *conn) WR_SLOW_CORE;

#define SOCK_LINGER_NS (5 * NS_PER_SEC)

/* --- datagrams ----------------------------------------------------------------------- */

#define SOCK_DGRAM_BATCH 64

/* A sender to one address. The file of a UNIX address may come and go: it is looked up with every
 * datagram. */
struct sock_dgram {
	int fd;
	socklen_t remote_len;
	struct sockaddr_storage remote;
};

/** To an endpoint by UDP. Returns 0 or a negative errno with *err set. */
int sock_dgram_open_udp(
	struct sock_dgram *dgram, const struct endpoint *remote, struct error *err) WR_SLOW_CORE;
/** To a UNIX datagram socket; it need not exist yet. -ENAMETOOLONG, ... */
int sock_dgram_open_unix(
	struct sock_dgram *dgram, const char *path, struct error *err) WR_SLOW_CORE;
void sock_dgram_close(struct sock_dgram *dgram);

/**
 * Sends up to n datagrams in their order, with one system call for each SOCK_DGRAM_BATCH. Returns
 * how many the kernel took. If fewer, *code says why the next one was not taken: -EAGAIN (try
 * later), or another errno (this datagram will never go, or nobody is there).
 */
uint32_t sock_dgram_send(const struct sock_dgram *dgram, const struct iovec *datagrams, uint32_t n,
	int *code) WR_SLOW_CORE;

#endif
