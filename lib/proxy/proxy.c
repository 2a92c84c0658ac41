/* SPDX-License-Identifier: BSD-3-Clause */
/* The root: birth and death of a core's proxy, stopping, and what the operator asks it. */
#include <errno.h>

#include "proxy_pvt.h"

#define IDLE_PER_SERVER_DEFAULT 128

static const struct stat_row drop_rows[] = {
#define STAT(sym, kind, text) {#sym, text, kind},
#include "proxy_drop.def"
#undef STAT
};

static int connect_by_tcp(void *ctx, struct stream *s, const struct tcp_connect_config *to,
	stream_event_fn on_event, enum tcp_failure *failure)
{
	struct proxy *px = ctx;

	return stream_open_tcp(s, px->tcp, to, on_event, failure);
}

static int init_pools(struct proxy *px, const struct proxy_config *config, struct error *err)
{
	uint32_t sessions = config->sessions_max;
	/* Half as many idle server connections as there may be clients. */
	uint32_t peers = sessions + sessions / 2 + 16;
	struct http_heads_config heads = {.heads_max = 3 * sessions + 16,
		.fields_max = config->head_fields_max,
		.buffer_bytes = config->head_buffer_bytes,
		.rewrite_bytes = config->head_rewrite_bytes};
	struct h1_config h1 = {.conns_max = sessions + peers, .xchgs_max = 2 * sessions + 16};
	int ret = mem_pool_init(&px->sessions, "proxy sessions", sizeof(struct px_session),
		_Alignof(struct px_session), sessions, err);

	if (ret == 0)
		ret = mem_pool_init(&px->streams, "proxy streams", sizeof(struct px_stream),
			_Alignof(struct px_stream), sessions, err);
	if (ret == 0)
		ret = mem_pool_init(&px->peers, "proxy server connections", sizeof(struct px_peer),
			_Alignof(struct px_peer), peers, err);
	if (ret == 0)
		ret = mem_region_alloc(&px->bitmap, ((size_t)sessions / 64 + 1) * sizeof(uint64_t),
			"the map of sessions", err);
	if (ret < 0)
		return ret;
	px->live = px->bitmap.base;
	ret = http_heads_init(&px->heads, &heads, err);
	if (ret < 0)
		return ret;
	px->heads_up = true;
	ret = h1_init(&px->h1, px->worker, &px->heads, px->pkts, &h1, err);
	px->h1_up = ret == 0;
	return ret;
}

struct proxy *proxy_create(const struct proxy_config *config, struct error *err)
{
	struct mem_region region = {0};
	struct proxy *px;

	ASSERT(config->sessions_max > 0);
	if (mem_region_alloc(&region, sizeof(*px), "a proxy", err) < 0)
		return NULL;
	px = region.base;
	px->self = region;
	px->worker = config->worker;
	px->worker_count = config->worker_count;
	px->tcp = config->tcp;
	px->pkts = config->pools;
	px->sessions_max = config->sessions_max;
	px->idle_max = config->idle_per_server ? config->idle_per_server : IDLE_PER_SERVER_DEFAULT;
	px->connect_fn = config->connect_fn ? config->connect_fn : connect_by_tcp;
	px->connect_ctx = config->connect_fn ? config->connect_ctx : px;
	timer_init(&px->purge, px_pool_purge);
	stat_group_init(&px->group, "proxy", drop_rows, PROXY_DROP_COUNT, px->drops);
	if (init_pools(px, config, err) < 0) {
		proxy_destroy(px);
		return NULL;
	}
	worker_pool_add(px->worker, &px->sessions);
	worker_pool_add(px->worker, &px->streams);
	worker_pool_add(px->worker, &px->peers);
	worker_group_add(px->worker, &px->group);
	return px;
}

void proxy_connect(struct proxy *const *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ASSERT(count == all[i]->worker_count);
		for (uint32_t k = 0; k < count; k++)
			all[i]->all[k] = all[k];
	}
}

/* --- stopping -----------------------------------------------------------------------------------
 */

static void end_session(struct px_session *s)
{
	if (s->stream)
		px_stream_term(s->stream, 'K', px_stream_phase(s->stream));
	px_session_end(s, true);
}

static void stop_session(struct px_session *s)
{
	if (s->gate != PX_GATE_OPEN)
		px_session_end(s, true);
	else if (s->conn)
		http_conn_drain(s->conn);
}

void proxy_stop_soft(struct proxy *px)
{
	if (px->stopping)
		return;
	stat_add(&px->stopping, 1);
	px_listen_stop(px);
	px_session_each_live(px, stop_session);
	px_pool_close_idle(px);
	timer_cancel(&px->worker->timers, &px->purge);
}

void proxy_stop_hard(struct proxy *px)
{
	proxy_stop_soft(px);
	px_session_each_live(px, end_session);
}

uint32_t proxy_destroy(struct proxy *px)
{
	struct mem_region self;
	uint32_t leaks = 0;

	if (!px)
		return 0;
	if (px->model &&
		!px->stopping) /* afterwards nothing is left, perhaps not even the worker */
		proxy_stop_hard(px);
	if (px->h1_up)
		leaks += h1_fini(&px->h1);
	if (px->heads_up)
		leaks += http_heads_fini(&px->heads);
	leaks += mem_pool_fini(&px->sessions) + mem_pool_fini(&px->streams) +
		 mem_pool_fini(&px->peers);
	list_del(&px->group.link);
	px_arrays_fini(px);
	mem_region_free(&px->bitmap);
	self = px->self;
	mem_region_free(&self);
	return leaks;
}

uint32_t proxy_session_count(const struct proxy *px)
{
	return (uint32_t)stat_read(&px->total.v[PROXY_STAT_SCUR]);
}

bool proxy_is_drained(const struct proxy *px)
{
	return proxy_session_count(px) == 0 && stat_read(&px->peer_count) == 0;
}

/* --- servers ------------------------------------------------------------------------------------
 */

/* Time down and changes, of a server or backend. */
static void note_change(bool was_up, bool is_up, uint64_t now_ns, uint64_t *changed_ns,
	uint64_t *down_ns, uint64_t *down_count)
{
	if (was_up == is_up)
		return;
	if (is_up)
		stat_add(down_ns, now_ns - *changed_ns);
	else
		stat_add(down_count, 1);
	stat_add(changed_ns, now_ns - *changed_ns);
}

void proxy_server_set(struct proxy *px, uint32_t server, uint32_t weight, bool maint)
{
	struct px_server *s = &px->servers[server];
	struct px_backend *be = s->backend;
	bool was_up = lb_usable_count(be->lb) > 0;
	uint64_t now = px_now(px);

	note_change(!s->maint, !maint, now, &s->changed_ns, &s->down_ns, &s->down_count);
	stat_add(&s->maint, (uint64_t)maint - s->maint);
	stat_add(&s->weight, weight - s->weight);
	lb_server_set(be->lb, s->member, weight, !maint);
	for (uint32_t i = 0; i < be->model->be.server_count; i++)
		lease_set_open(
			px->leases, px_group_backend(px, be->index), i, lb_is_usable(be->lb, i));
	note_change(was_up, lb_usable_count(be->lb) > 0, now, &be->changed_ns, &be->down_ns,
		&be->down_count);
	px_backend_requeue(be);
}

/* --- sessions ------------------------------------------------------------------------------------
 */

static const char *state_text(const struct px_session *s)
{
	static const char *const names[PX_STATE_COUNT] = {
		[PX_STATE_START] = "start",
		[PX_STATE_QUEUE] = "queue",
		[PX_STATE_PAUSE] = "pause",
		[PX_STATE_CONNECT] = "connect",
		[PX_STATE_EXCHANGE] = "data",
		[PX_STATE_CLOSING] = "closing",
	};

	if (s->gate != PX_GATE_OPEN)
		return "backlog";
	if (!s->stream)
		return s->requests == 0 || s->request_ns ? "request" : "idle";
	if (s->stream->state == PX_STATE_EXCHANGE && s->stream->http && !s->stream->head_sent)
		return "response";
	if (s->stream->tunnel)
		return "tunnel";
	return names[s->stream->state];
}

static void describe(struct px_session *s, struct proxy_session_info *out)
{
	const struct px_stream *st = s->stream;
	uint64_t now = px_now(s->bind->px);
	uint64_t expire = PX_NEVER;

	*out = (struct proxy_session_info){
		.id = (uint64_t)s->bind->px->worker->index << 32 |
		      mem_pool_index(&s->bind->px->sessions, s),
		.mode = s->bind->fe->model->mode,
		.client = s->client,
		.local = s->local,
		.frontend = s->bind->fe->index,
		.backend = st && st->be ? st->be->index : MODEL_NONE,
		.server = st && st->server ? st->server->index : MODEL_NONE,
		.age_ns = now - s->accept_ns,
		.requests = s->requests,
		.state = state_text(s),
	};
	if (st) {
		out->idle_ns = now - MAX(st->active_ns, st->start_ns);
		out->bytes_in = st->bytes_up;
		out->bytes_out = st->bytes_down;
		expire = st->deadline_ns;
	} else if (s->gate == PX_GATE_OPEN && timer_is_set(&s->timer)) {
		expire = s->timer.expire_at;
	}
	out->expire_in_ns = expire == PX_NEVER ? PX_NEVER : expire > now ? expire - now : 0;
}

bool proxy_session_each(struct proxy *px, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct proxy_session_info *info), void *ctx)
{
	uint32_t end = px->sessions.count_fresh;
	uint32_t stop = end - *cursor > max ? *cursor + max : end;

	if (*cursor >= end)
		return false;
	for (; *cursor < stop; ++*cursor) {
		struct px_session *s = px_session_at(px, *cursor);
		struct proxy_session_info info;

		if (!s)
			continue;
		describe(s, &info);
		fn(ctx, &info);
	}
	return stop < end;
}
