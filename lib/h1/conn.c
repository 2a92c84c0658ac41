/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Life of a connection. News comes in by h1_on_stream_event and, for what came up inside a call
 * of the owner, by the poller; both end in run(), which takes one step after another while the
 * state goes on. All callbacks are made there, and a connection that is closed in one of them is
 * freed only when run() is through.
 *
 *   CONNECTING -> IDLE <-> PARTIAL -> BUSY -> IDLE ... -> CLOSING -> CLOSED
 *
 * BUSY without an owner (x->owned false) is an exchange that is complete but for output that the
 * carrier has no room for yet. What an owner does in a call changes the state at once (settle),
 * so that it can ask for it, and schedules the rest.
 */
#include "h1_pvt.h"

#define STEPS_PER_RUN 32 /* so that one client's pipeline does not keep the core to itself */

static const struct http_conn_ops conn_ops;
static const struct http_xchg_ops xchg_ops;

/* --- memory -------------------------------------------------------------------------- */

static struct http_conn *conn_create(
	struct h1 *h1, bool server_role, const struct http_conn_owner_ops *owner_ops, void *owner)
{
	struct h1_conn *c = mem_pool_get(&h1->conns);

	if (c == NULL) {
		h1_count(h1, H1_STAT_NO_CONN);
		return NULL;
	}
	*c = (struct h1_conn){
		.base = {.ops = &conn_ops, .owner_ops = owner_ops, .owner = owner},
		.h1 = h1,
		.server_role = server_role,
		.connected = server_role,
		.state = server_role ? HTTP_CONN_IDLE : HTTP_CONN_CONNECTING,
	};
	list_init(&c->ready);
	h1_count(h1, server_role ? H1_STAT_SERVER_CONNS : H1_STAT_CLIENT_CONNS);
	return &c->base;
}

struct http_conn *h1_server_create(
	struct h1 *h1, const struct http_conn_owner_ops *owner_ops, void *owner)
{
	return conn_create(h1, true, owner_ops, owner);
}

struct http_conn *h1_client_create(
	struct h1 *h1, const struct http_conn_owner_ops *owner_ops, void *owner)
{
	return conn_create(h1, false, owner_ops, owner);
}

/* For the next message; what came in already stays. */
static void xchg_reset(struct h1_xchg *x)
{
	struct http_conn *c = x->base.conn;
	struct pkt_chain in = x->in;

	http_head_free(x->head);
	pkt_chain_free(&x->out);
	*x = (struct h1_xchg){
		.base = {.ops = &xchg_ops, .conn = c},
		.in = in,
		.minor = 1,
		.parser.kind = h1_conn_of(c)->server_role ? H1_KIND_REQUEST : H1_KIND_RESPONSE,
	};
}

static struct h1_xchg *xchg_open(struct h1_conn *c)
{
	struct h1_xchg *x = mem_pool_get(&c->h1->xchgs);

	if (x == NULL) {
		h1_count(c->h1, H1_STAT_NO_XCHG);
		return NULL;
	}
	*x = (struct h1_xchg){.base.conn = &c->base};
	xchg_reset(x);
	c->x = x;
	return x;
}

static void xchg_free(struct h1_conn *c)
{
	struct h1_xchg *x = c->x;

	if (x == NULL)
		return;
	pkt_chain_free(&x->in);
	pkt_chain_free(&x->out);
	http_head_free(x->head);
	mem_pool_put(&c->h1->xchgs, x);
	c->x = NULL;
}

/* --- states -------------------------------------------------------------------------- */

void h1_conn_schedule(struct h1_conn *c)
{
	if (list_is_linked(&c->ready))
		return;
	list_add_tail(&c->h1->ready, &c->ready);
	/* Its owner is needed when the connections before it are done. */
	prefetch_lines(c->base.owner, 3);
}

static void become_closed(struct h1_conn *c)
{
	xchg_free(c);
	stream_close(&c->base.stream);
	c->state = HTTP_CONN_CLOSED;
}

static bool is_quiet(const struct h1_conn *c)
{
	return stream_recv_ready(&c->base.stream) == 0 && !stream_recv_ended(&c->base.stream);
}

/* Nothing of the last exchange is left. */
static void become_idle(struct h1_conn *c)
{
	c->partial_told = false;
	c->idle_due = true;
	c->state = HTTP_CONN_IDLE;
	if (c->x->in.bytes > 0)
		xchg_reset(c->x);
	else
		xchg_free(c);
}

/* Bytes of a server that no request asked for: whose answer they are nobody knows. */
static void refuse_out_of_turn(struct h1_conn *c)
{
	if ((c->x && c->x->in.bytes > 0) || stream_recv_ready(&c->base.stream) > 0)
		h1_count(c->h1, H1_STAT_OUT_OF_TURN);
	become_closed(c);
}

/* The response is out, the connection shall end. A client that still sends must not be reset
 * before it has read the response (RFC 9112 9.6): what it sends is thrown away for a while. */
static void begin_closing(struct h1_conn *c)
{
	c->x->want_shut = true;
	c->state = HTTP_CONN_CLOSING;
}

/* In the middle of a message: its receiver must see that it is cut. */
static void cut_off(struct h1_conn *c)
{
	const struct h1_xchg *x = c->x;

	if (x->send_state == H1_SEND_BODY && x->send_body == HTTP_BODY_UNTIL_CLOSE)
		stream_abort(&c->base.stream);
	become_closed(c);
}

/* Server role: the owner answered without taking the request. If all of it has come already the
 * connection can go on. */
static void skip_request(struct h1_xchg *x)
{
	struct pkt_chain waste = {0};

	http_head_free(h1_recv_head(&x->base));
	while (h1_recv(&x->base, &waste, UINT32_MAX) > 0)
		pkt_chain_free(&waste);
}

/* The owner has let go of the exchange: what becomes of the connection? */
static void settle(struct h1_conn *c)
{
	struct h1_xchg *x = c->x;
	bool sent = x->send_state == H1_SEND_ENDED;
	bool whole;

	if (c->server_role && sent && !x->tunnel && !x->close)
		skip_request(x);
	whole = sent && x->recv_state == H1_RECV_ENDED && !x->tunnel;
	if (c->failed)
		become_closed(c);
	else if (!sent)
		cut_off(c);
	else if (c->server_role && (!whole || x->close || c->draining))
		begin_closing(c);
	else if (!whole || x->close || c->draining)
		become_closed(c);
	else if (!h1_send_flush(x))
		c->state = HTTP_CONN_BUSY; /* settled again when `out` is empty */
	else if (c->server_role || (x->in.bytes == 0 && is_quiet(c)))
		become_idle(c);
	else
		refuse_out_of_turn(c);
}

/* --- steps: each returns whether another one may follow at once ----------------------- */

static bool tell_closed(struct h1_conn *c)
{
	if (!c->closed_told && c->base.owner_ops->on_closed) {
		c->closed_told = true;
		c->base.owner_ops->on_closed(&c->base);
	}
	return false;
}

/* Server role: the head of a request is there, or what is wrong with it. */
static bool hand_over(struct h1_conn *c)
{
	c->state = HTTP_CONN_BUSY;
	c->x->owned = true;
	h1_count(c->h1, H1_STAT_REQUESTS);
	c->base.owner_ops->on_request(&c->base, &c->x->base);
	return true;
}

static bool wait_for_more(struct h1_conn *c)
{
	c->state = HTTP_CONN_PARTIAL;
	if (!c->partial_told && c->base.owner_ops->on_partial) {
		c->partial_told = true;
		c->base.owner_ops->on_partial(&c->base);
	}
	return c->state != HTTP_CONN_PARTIAL;
}

/* Server role: nothing has come of the next request. */
static bool wait_idle(struct h1_conn *c)
{
	if (c->draining || stream_recv_ended(&c->base.stream)) {
		become_closed(c);
		return true;
	}
	if (c->idle_due && c->base.owner_ops->on_idle) {
		c->idle_due = false;
		c->base.owner_ops->on_idle(&c->base);
	}
	return c->state != HTTP_CONN_IDLE;
}

/* Only empty lines so far. */
static bool is_blank(const struct h1_xchg *x)
{
	return !x->parser.start_done && x->parser.line == x->parser.seen;
}

static bool await_request(struct h1_conn *c)
{
	enum h1_verdict v;

	if (c->x == NULL && stream_recv_ready(&c->base.stream) == 0)
		return wait_idle(c);
	if (c->x == NULL && xchg_open(c) == NULL) {
		stream_abort(&c->base.stream);
		become_closed(c);
		return true;
	}
	v = h1_recv_parse(c->x);
	if (v == H1_MORE && !stream_recv_ended(&c->base.stream))
		return wait_for_more(c);
	if (v == H1_MORE && is_blank(c->x)) {
		become_closed(c);
		return true;
	}
	if (v == H1_MORE)
		h1_recv_fail(c->x, HTTP_ERROR_TRUNCATED);
	return hand_over(c);
}

/* Client role: nobody speaks to an idle server connection. */
static bool guard_idle(struct h1_conn *c)
{
	if (is_quiet(c) && !c->draining)
		return false;
	refuse_out_of_turn(c);
	return true;
}

/* Client role: what has come of a response head. */
static uint32_t head_news(struct h1_xchg *x)
{
	enum h1_verdict v = h1_recv_parse(x);

	if (v == H1_DONE)
		return HTTP_EVENT_HEAD;
	if (v == H1_MORE && !h1_recv_at_end(x))
		return 0;
	h1_recv_fail(x, x->touched ? HTTP_ERROR_TRUNCATED : HTTP_ERROR_CLOSED);
	return HTTP_EVENT_ERROR;
}

static uint32_t recv_news(struct h1_conn *c)
{
	struct h1_xchg *x = c->x;

	switch (x->recv_state) {
	case H1_RECV_HEAD:
		return head_news(x);
	case H1_RECV_BODY:
	case H1_RECV_TRAILERS:
		return HTTP_EVENT_BODY;
	case H1_RECV_ENDED:
		if (!c->server_role || x->shut_told || !h1_recv_at_end(x))
			return 0;
		x->shut_told = true;
		return HTTP_EVENT_SHUT;
	default:
		return 0;
	}
}

/* A response that is complete does not care what becomes of the connection. */
static uint32_t failure_news(struct h1_conn *c)
{
	struct h1_xchg *x = c->x;

	if (x->error != HTTP_ERROR_NONE || (!c->server_role && x->recv_state == H1_RECV_ENDED &&
						   x->send_state == H1_SEND_ENDED))
		return 0;
	h1_recv_fail(x, HTTP_ERROR_RESET);
	return HTTP_EVENT_ERROR;
}

/* The exchange has an owner: what shall it hear? */
static bool inform(struct h1_conn *c, uint32_t events)
{
	struct h1_xchg *x = c->x;
	uint32_t news = 0;

	if (x->want_retry)
		events |= STREAM_EVENT_READABLE | STREAM_EVENT_WRITABLE;
	x->want_retry = false;
	if (events & STREAM_EVENT_FAILED)
		news = failure_news(c);
	else if (events & (STREAM_EVENT_READABLE | STREAM_EVENT_PEER_SHUT))
		news = recv_news(c);
	/* Another event of this turn may have filled the room again: then the next one counts. */
	if ((events & (STREAM_EVENT_CONNECTED | STREAM_EVENT_WRITABLE)) && x->want_room &&
		h1_send_room(&x->base) > 0) {
		x->want_room = false;
		news |= HTTP_EVENT_ROOM;
	}
	if (news == 0 || x->base.on_event == NULL)
		return false;
	x->base.on_event(&x->base, news);
	return c->state != HTTP_CONN_BUSY || !c->x->owned;
}

static bool await_flush(struct h1_conn *c)
{
	if (!c->failed && !h1_send_flush(c->x))
		return false;
	settle(c);
	return true;
}

static bool linger(struct h1_conn *c)
{
	struct pkt_chain waste = {0};
	struct stream *s = &c->base.stream;
	uint32_t n;

	if (!c->failed && c->x != NULL && !h1_send_flush(c->x))
		return false;
	xchg_free(c);
	while (!c->failed && (n = stream_recv(s, &waste, UINT32_MAX)) > 0) {
		stat_add(&c->h1->stats[H1_STAT_DRAINED_BYTES], n);
		pkt_chain_free(&waste);
	}
	if (!c->failed && !stream_recv_ended(s))
		return false;
	become_closed(c);
	return true;
}

static bool step(struct h1_conn *c, uint32_t events)
{
	switch (c->state) {
	case HTTP_CONN_CONNECTING:
	case HTTP_CONN_BUSY:
		if (c->x != NULL && c->x->owned)
			return inform(c, events);
		if (c->x != NULL)
			return await_flush(c);
		if (c->failed)
			become_closed(c);
		return c->failed;
	case HTTP_CONN_IDLE:
	case HTTP_CONN_PARTIAL:
		if (!c->failed)
			return c->server_role ? await_request(c) : guard_idle(c);
		become_closed(c);
		return true;
	case HTTP_CONN_CLOSING:
		return linger(c);
	default:
		return tell_closed(c);
	}
}

static void run(struct h1_conn *c, uint32_t events)
{
	int steps = 0;

	while (!c->dead && steps < STEPS_PER_RUN && step(c, events)) {
		steps++;
		/* An exchange that was just handed over has heard nothing yet. */
		events = c->state == HTTP_CONN_BUSY ? STREAM_EVENT_PEER_SHUT : 0;
	}
	if (!c->dead && steps == STEPS_PER_RUN)
		h1_conn_schedule(c);
}

/* Callbacks may come; the memory stays. */
static void enter(struct h1_conn *c)
{
	DEBUG_ASSERT(!c->entered);
	c->entered = true;
}

static void leave(struct h1_conn *c)
{
	c->entered = false;
	if (c->dead) {
		list_del(&c->ready);
		mem_pool_put(&c->h1->conns, c);
	}
}

void h1_conn_run(struct h1_conn *c)
{
	enter(c);
	run(c, 0);
	leave(c);
}

static void meet_connected(struct h1_conn *c)
{
	c->connected = true;
	if (c->state == HTTP_CONN_CONNECTING)
		c->state = c->x ? HTTP_CONN_BUSY : HTTP_CONN_IDLE;
	if (c->base.owner_ops->on_connected)
		c->base.owner_ops->on_connected(&c->base);
}

void h1_on_stream_event(struct stream *s, uint32_t events)
{
	struct h1_conn *c = h1_conn_of(CONTAINER_OF(s, struct http_conn, stream));

	enter(c);
	if (events & STREAM_EVENT_FAILED)
		c->failed = true;
	if ((events & STREAM_EVENT_CONNECTED) && !c->connected)
		meet_connected(c);
	if (!c->dead && c->x != NULL)
		h1_send_flush(c->x);
	run(c, events);
	leave(c);
}

/* --- operations on exchanges ----------------------------------------------------------- */

static void xchg_set_close(struct http_xchg *base)
{
	h1_xchg_of(base)->close = true;
}

static bool xchg_untouched(const struct http_xchg *base)
{
	return !h1_xchg_of(base)->touched;
}

static enum http_error xchg_error(const struct http_xchg *base, uint16_t *status, const char **text)
{
	const struct h1_xchg *x = h1_xchg_of(base);
	bool malformed = x->error == HTTP_ERROR_MALFORMED;
	uint16_t answer = h1_xchg_conn(x)->server_role ? 400 : 502;

	if (x->error == HTTP_ERROR_REFUSED)
		answer = x->refused_status;
	else if (x->error == HTTP_ERROR_NO_MEMORY)
		answer = 503;
	else if (malformed && h1_xchg_conn(x)->server_role)
		answer = h1_fault_status(x->fault);
	if (status != NULL)
		*status = answer;
	if (text != NULL)
		*text = malformed ? h1_fault_text(x->fault) : http_error_name(x->error);
	return x->error;
}

static void xchg_close(struct http_xchg *base)
{
	struct h1_conn *c = h1_conn_of(base->conn);

	c->x->owned = false;
	settle(c);
	h1_conn_schedule(c);
}

static void xchg_abort(struct http_xchg *base)
{
	struct h1_conn *c = h1_conn_of(base->conn);

	stream_abort(&c->base.stream);
	become_closed(c);
	h1_conn_schedule(c);
}

static const struct http_xchg_ops xchg_ops = {
	.recv_head = h1_recv_head,
	.recv = h1_recv,
	.recv_ended = h1_recv_ended,
	.recv_trailers = h1_recv_trailers,
	.send_head = h1_send_head,
	.send_room = h1_send_room,
	.send = h1_send,
	.send_end = h1_send_end,
	.set_close = xchg_set_close,
	.untouched = xchg_untouched,
	.error = xchg_error,
	.close = xchg_close,
	.abort = xchg_abort,
};

/* --- operations on connections --------------------------------------------------------- */

static struct http_xchg *conn_request(struct http_conn *base)
{
	struct h1_conn *c = h1_conn_of(base);
	bool idle = c->state == HTTP_CONN_IDLE;

	ASSERT(!c->server_role);
	if (idle && (c->failed || !is_quiet(c))) {
		refuse_out_of_turn(c);
		h1_conn_schedule(c);
		return NULL;
	}
	if (!(idle || c->state == HTTP_CONN_CONNECTING) || c->failed || c->draining || c->x ||
		xchg_open(c) == NULL)
		return NULL;
	c->x->owned = true;
	if (idle)
		c->state = HTTP_CONN_BUSY;
	return &c->x->base;
}

static struct http_xchg *conn_refuse(struct http_conn *base, uint16_t status)
{
	struct h1_conn *c = h1_conn_of(base);

	ASSERT(c->server_role);
	if (c->state != HTTP_CONN_IDLE && c->state != HTTP_CONN_PARTIAL)
		return NULL;
	if (c->x == NULL && xchg_open(c) == NULL)
		return NULL;
	h1_recv_fail(c->x, HTTP_ERROR_REFUSED);
	c->x->refused_status = status;
	c->x->owned = true;
	c->state = HTTP_CONN_BUSY;
	return &c->x->base;
}

static enum http_conn_state conn_state(const struct http_conn *base)
{
	return h1_conn_of(base)->state;
}

static void conn_drain(struct http_conn *base)
{
	struct h1_conn *c = h1_conn_of(base);

	c->draining = true;
	h1_conn_schedule(c);
}

static void conn_close(struct http_conn *base)
{
	struct h1_conn *c = h1_conn_of(base);

	xchg_free(c);
	stream_close(&base->stream);
	c->state = HTTP_CONN_CLOSED;
	c->dead = true;
	if (!c->entered)
		leave(c);
}

static void conn_abort(struct http_conn *base)
{
	stream_abort(&base->stream);
	conn_close(base);
}

static const struct http_conn_ops conn_ops = {
	.name = "h1",
	.request = conn_request,
	.refuse = conn_refuse,
	.state = conn_state,
	.drain = conn_drain,
	.close = conn_close,
	.abort = conn_abort,
};
