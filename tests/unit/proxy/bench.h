/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A proxy on one or more workers, with clients and servers that are in-memory streams, in virtual
 * time. Frontend "fe" (proxy 0, bind 0), backend "be" (proxy 1) with servers s1, s2, ...
 *
 *     b = bench_new(1, 2);             one worker, two servers
 *     b->be->timeouts.server = 500;    change the model before...
 *     bench_start(b);
 */
#ifndef WEIR_TESTS_BENCH_H
#define WEIR_TESTS_BENCH_H

#include "fake_worker.h"
#include "proxy.h"

#define BENCH_ENDS_MAX   512
#define BENCH_IN_BYTES   (256 * 1024)
#define BENCH_PIPE_BYTES 65536
#define BENCH_LOG_BYTES  1024

/* Ours of a stream: a client, or what a server holds. */
struct end {
	struct stream stream;
	struct stream_pair *pair;
	struct bench *bench;
	char *in; /* what came, NUL at its end */
	size_t in_len;
	uint64_t total; /* also of what did not fit in `in` */
	bool hung;      /* the pair is not run: a server that never answers the SYN */
	bool paused;    /* does not read */
	bool eof, failed;
	uint16_t port;  /* servers: who was connected to */
	bool keepalive; /* servers: what was asked for */
};

enum bench_policy {
	BENCH_ACCEPT,
	BENCH_REFUSE, /* RST */
	BENCH_HANG,
	BENCH_NO_PORT, /* the call fails at once */
};

struct bench {
	struct fake_workers *f;
	uint32_t workers;
	struct model *model;
	struct model_proxy *fe, *be;
	struct model_bind *bind;
	struct model_server *servers;
	struct pkt_pools pkts;
	struct proxy *px[WORKER_CORES_MAX];
	struct proxy_view *view;
	uint32_t sessions_max;
	uint32_t pipe_bytes;
	enum bench_policy policy[16]; /* by server */
	uint32_t end_count;
	struct end ends[BENCH_ENDS_MAX];
	uint32_t server_count; /* connections opened to servers so far */
	struct end *server_ends[BENCH_ENDS_MAX];
	char log[BENCH_LOG_BYTES]; /* the last line */
	uint32_t log_count;
};

struct bench *bench_new(uint32_t workers, uint32_t servers);
void bench_start(struct bench *b);
/* Everything lets go; checks that nothing leaked. */
void bench_end(struct bench *b);

/* A client on a worker; NULL if it was refused. */
struct end *bench_client(struct bench *b, uint32_t worker);
/* The connection opened last to any server. */
struct end *bench_server(struct bench *b);

void end_send(struct end *e, const char *text);
/* As much of n bytes as there is room for; returns it. */
uint32_t end_send_bytes(struct end *e, uint32_t n);
void end_shut(struct end *e);
void end_close(struct end *e);
void end_reset(struct end *e);
void end_read(struct end *e); /* takes what is there, also if paused */

/* Until nothing moves; time stands. */
void bench_settle(struct bench *b);
/* From timer to timer. */
void bench_wait(struct bench *b, uint32_t ms);

/* 'F' frontend, 'B' backend, 'L' listener, '1' to '9' a server; by the field's name. */
uint64_t bench_stat(struct bench *b, char object, const char *field);
/* "B.econ=1 1.wretr=3": each as said; fails with the row's name. */
void bench_check_stats(struct bench *b, const char *row, const char *want);

#endif
