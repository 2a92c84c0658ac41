/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "fake_eal.h"

#define SESSIONS_DEFAULT 64

/* --- the model ------------------------------------------------------------------------------ */

static const char *name_of(struct model *m, const char *prefix, uint32_t n)
{
	char text[16];

	snprintf(text, sizeof(text), "%s%u", prefix, n);
	return model_strdup(m, bytes_of_cstr(text));
}

static void build_model(struct bench *b, uint32_t servers)
{
	struct model *m = model_create();
	struct model_proxy *proxies = model_alloc(m, 2 * sizeof(*proxies));
	struct model_timeouts timeouts = {
		.client = 600, .server = 800, .connect = 300, .queue = 300};

	b->model = m;
	b->fe = &proxies[0];
	b->be = &proxies[1];
	b->bind = model_alloc(m, sizeof(*b->bind));
	b->servers = model_alloc(m, (servers + 1) * sizeof(*b->servers));
	for (uint32_t i = 0; i < 2; i++) {
		proxies[i].id = i + 2;
		proxies[i].timeouts = timeouts;
		proxies[i].log = 0;
		proxies[i].log_format = MODEL_LOG_TCP;
		proxies[i].be.retries = 1;
		proxies[i].be.reuse = MODEL_REUSE_SAFE;
		proxies[i].be.redispatch_interval = -1;
		proxies[i].fe.default_backend = MODEL_NONE;
	}
	b->fe->name = "fe";
	b->fe->is_frontend = true;
	b->fe->fe.bind_count = 1;
	b->fe->fe.default_backend = 1;
	b->be->name = "be";
	b->be->is_backend = true;
	b->be->be.server_count = servers;
	b->bind->id = 1;
	for (uint32_t i = 0; i < servers; i++)
		b->servers[i] = (struct model_server){
			.name = name_of(m, "s", i + 1),
			.id = i + 1,
			.proxy = 1,
			.remote = {ip_addr_from_v4(0x0a000001), (uint16_t)(8001 + i)},
			.weight = 1,
			.source = ip_addr_from_v4(0),
		};
	m->proxy_count = 2;
	m->proxies = proxies;
	m->bind_count = 1;
	m->binds = b->bind;
	m->server_count = servers;
	m->servers = b->servers;
}

struct bench *bench_new(uint32_t workers, uint32_t servers)
{
	struct bench *b = calloc(1, sizeof(*b));
	char name[20];

	assert_non_null(b);
	fake_eal_init();
	snprintf(name, sizeof(name), "%" PRIxPTR, (uintptr_t)b); /* a failed test leaves its own */
	assert_int_equal(pkt_pools_init(&b->pkts, name, 4096, 8192, -1, NULL), 0);
	b->workers = workers;
	b->sessions_max = SESSIONS_DEFAULT;
	b->pipe_bytes = BENCH_PIPE_BYTES;
	build_model(b, servers);
	return b;
}

/* --- ends ------------------------------------------------------------------------------------- */

void end_read(struct end *e)
{
	struct pkt_chain chain = {0};
	uint32_t n;

	if (!stream_is_open(&e->stream))
		return;
	n = stream_recv(&e->stream, &chain, UINT32_MAX);
	e->total += n;
	e->in_len += pkt_chain_copy_out(
		&chain, 0, e->in + e->in_len, MIN(n, (uint32_t)(BENCH_IN_BYTES - 1 - e->in_len)));
	e->in[e->in_len] = '\0';
	pkt_chain_free(&chain);
	e->eof |= stream_recv_ended(&e->stream);
}

static void on_end_event(struct stream *s, uint32_t events)
{
	struct end *e = CONTAINER_OF(s, struct end, stream);

	if (events & STREAM_EVENT_FAILED) {
		e->failed = true;
		stream_close(s);
		return;
	}
	if (!e->paused)
		end_read(e);
}

static struct end *new_end(struct bench *b)
{
	struct end *e = &b->ends[b->end_count++];

	assert_true(b->end_count <= BENCH_ENDS_MAX);
	e->bench = b;
	e->in = calloc(1, BENCH_IN_BYTES);
	assert_non_null(e->in);
	return e;
}

void end_send(struct end *e, const char *text)
{
	struct pkt_chain chain = {0};
	uint32_t len = (uint32_t)strlen(text);

	assert_int_equal(pkt_chain_write(&chain, bytes_of(text, len), &e->bench->pkts), len);
	assert_int_equal(stream_send(&e->stream, &chain, len), len);
}

uint32_t end_send_bytes(struct end *e, uint32_t n)
{
	static const char filler[1024];
	struct pkt_chain chain = {0};
	uint32_t sent = 0;

	n = MIN(n, stream_send_room(&e->stream));
	while (chain.bytes < n)
		pkt_chain_write(&chain,
			bytes_of(filler, MIN((uint32_t)sizeof(filler), n - chain.bytes)),
			&e->bench->pkts);
	sent = stream_send(&e->stream, &chain, n);
	pkt_chain_free(&chain);
	return sent;
}

void end_shut(struct end *e)
{
	stream_shut(&e->stream);
}

void end_close(struct end *e)
{
	stream_close(&e->stream);
}

void end_reset(struct end *e)
{
	stream_abort(&e->stream);
}

/* --- carriers -----------------------------------------------------------------------------------
 */

static bool open_client(void *ctx, struct stream *s, stream_event_fn on_event)
{
	struct end *e = ctx;

	e->pair = stream_pair_create(
		&e->bench->pkts, e->bench->pipe_bytes, s, on_event, &e->stream, on_end_event, NULL);
	return e->pair != NULL;
}

struct end *bench_client(struct bench *b, uint32_t worker)
{
	struct end *e = new_end(b);

	if (!proxy_accept(b->px[worker], 0, open_client, e)) {
		stream_close(&e->stream);
		return NULL;
	}
	return e;
}

struct end *bench_server(struct bench *b)
{
	assert_true(b->server_count > 0);
	return b->server_ends[b->server_count - 1];
}

static int connect_server(void *ctx, struct stream *s, const struct tcp_connect_config *to,
	stream_event_fn on_event, enum tcp_failure *failure)
{
	struct bench *b = ctx;
	enum bench_policy policy = b->policy[to->remote.port - 8001];
	struct end *e;

	if (policy == BENCH_NO_PORT) {
		*failure = TCP_FAILURE_NO_MEMORY;
		return -1;
	}
	e = new_end(b);
	e->port = to->remote.port;
	e->keepalive = to->keepalive;
	e->pair = stream_pair_create(
		&b->pkts, b->pipe_bytes, s, on_event, &e->stream, on_end_event, NULL);
	assert_non_null(e->pair);
	b->server_ends[b->server_count++] = e;
	e->hung = policy == BENCH_HANG;
	if (policy == BENCH_REFUSE)
		stream_pair_break(e->pair, TCP_FAILURE_REFUSED);
	return 0;
}

/* --- running
 * -------------------------------------------------------------------------------------- */

void bench_start(struct bench *b)
{
	b->f = fake_workers_create(b->workers);
	for (uint32_t i = 0; i < b->workers; i++) {
		struct proxy_config config = {
			.worker = b->f->w[i],
			.worker_count = b->workers,
			.pools = &b->pkts,
			.sessions_max = b->sessions_max,
			.connect_fn = connect_server,
			.connect_ctx = b,
		};

		fake_workers_poll(b->f); /* the workers know the time */
		b->px[i] = proxy_create(&config, NULL);
		assert_non_null(b->px[i]);
	}
	proxy_connect(b->px, b->workers);
	assert_int_equal(proxy_apply(b->px, b->workers, b->model, NULL), 0);
	b->view = proxy_view_create(b->px, b->workers, NULL);
	assert_non_null(b->view);
	proxy_view_poll(b->view, b->f->w[0]->now_ns);
}

static void note_line(void *ctx, const struct log_line *line)
{
	struct bench *b = ctx;
	size_t n = MIN(line->text.len, sizeof(b->log) - 1);

	memcpy(b->log, line->text.ptr, n);
	b->log[n] = '\0';
	b->log_count++;
}

static uint32_t run_pairs(struct bench *b)
{
	uint32_t work = 0;

	for (uint32_t i = 0; i < b->end_count; i++)
		if (b->ends[i].pair && !b->ends[i].hung)
			work += stream_pair_run(b->ends[i].pair);
	return work;
}

void bench_settle(struct bench *b)
{
	uint32_t rounds = 0;

	while (run_pairs(b) + fake_workers_poll(b->f) > 0)
		assert_true(++rounds < 100000);
	for (uint32_t i = 0; i < b->workers; i++)
		log_drain(b->f->w[i]->log, UINT32_MAX, note_line, b);
}

void bench_wait(struct bench *b, uint32_t ms)
{
	uint64_t end = b->f->clock.now_ns + ms * NS_PER_MS;

	for (;;) {
		uint64_t next = end;

		bench_settle(b);
		if (b->f->clock.now_ns >= end)
			return;
		for (uint32_t i = 0; i < b->workers; i++)
			next = MIN(next, timer_wheel_next(&b->f->w[i]->timers));
		next = MAX(next, b->f->clock.now_ns + 1);
		clock_manual_advance(&b->f->clock, next - b->f->clock.now_ns);
	}
}

void bench_end(struct bench *b)
{
	for (uint32_t i = 0; i < b->end_count; i++)
		stream_close(&b->ends[i].stream);
	bench_settle(b);
	for (uint32_t i = 0; i < b->workers; i++)
		proxy_stop_hard(b->px[i]);
	for (uint32_t i = 0; i < b->end_count; i++)
		b->ends[i].hung = false;
	bench_settle(b);
	for (uint32_t i = 0; i < b->workers; i++) {
		assert_true(proxy_is_drained(b->px[i]));
		assert_int_equal(proxy_session_count(b->px[i]), 0);
	}
	proxy_view_destroy(b->view);
	for (uint32_t i = 0; i < b->end_count; i++) {
		stream_close(&b->ends[i].stream);
		stream_pair_destroy(b->ends[i].pair);
		free(b->ends[i].in);
	}
	fake_workers_destroy(b->f);
	for (uint32_t i = 0; i < b->workers; i++)
		assert_int_equal(proxy_destroy(b->px[i]), 0);
	assert_int_equal(pkt_pools_fini(&b->pkts), 0);
	model_destroy(b->model);
	free(b);
}

/* --- figures
 * ---------------------------------------------------------------------------------------- */

uint64_t bench_stat(struct bench *b, char object, const char *field)
{
	struct proxy_figures figures;
	enum proxy_object kind = object == 'F'   ? PROXY_OBJECT_FRONTEND
				 : object == 'B' ? PROXY_OBJECT_BACKEND
				 : object == 'L' ? PROXY_OBJECT_LISTENER
						 : PROXY_OBJECT_SERVER;
	uint32_t index = kind == PROXY_OBJECT_SERVER ? (uint32_t)(object - '1') : object == 'B';

	proxy_view_figures(b->view, kind, index, b->f->w[0]->now_ns, &figures);
	for (uint32_t i = 0; i < PROXY_STAT_COUNT; i++)
		if (strcmp(proxy_stat_rows[i].field, field) == 0)
			return figures.v[i];
	fail_msg("no field %s", field);
	return 0;
}

void bench_check_stats(struct bench *b, const char *row, const char *want)
{
	char object, field[32];
	unsigned long long value;
	int n;

	while (want && sscanf(want, " %c.%31[a-z0-9_]=%llu%n", &object, field, &value, &n) == 3) {
		uint64_t got = bench_stat(b, object, field);

		if (got != value)
			fail_msg("%s: %c.%s is %llu, not %llu", row, object, field,
				(unsigned long long)got, value);
		want += n;
	}
}
