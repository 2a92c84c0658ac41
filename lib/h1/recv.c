/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes in. Bytes are pulled from the carrier when somebody wants them: for a head up to the
 * limit of a head, for a body as much as the owner asks for. So what the owner does not want stays
 * in the carrier, and `in` holds no more than what came behind a head in the same packets.
 *
 * A head is parsed in its first packet. If that does not hold all of it, the head starts anew in a
 * buffer, into which everything is copied that comes; the packets are free again at once, so
 * that a client that sends drop by drop pins one buffer and no packets.
 */
#include "h1_pvt.h"

static const struct stream *carrier_of(const struct h1_xchg *x)
{
	return &x->base.conn->stream;
}

bool h1_recv_has_bytes(const struct h1_xchg *x)
{
	const struct stream *s = carrier_of(x);

	return x->in.bytes > 0 || (stream_is_open(s) && stream_recv_ready(s) > 0);
}

bool h1_recv_at_end(const struct h1_xchg *x)
{
	const struct stream *s = carrier_of(x);
	bool parsing = x->recv_state == H1_RECV_HEAD || x->recv_state == H1_RECV_TRAILERS;

	return (parsing || x->in.bytes == 0) && stream_is_open(s) && stream_recv_ended(s);
}

void h1_recv_fail(struct h1_xchg *x, enum http_error error)
{
	if (x->error == HTTP_ERROR_NONE)
		x->error = error;
	x->recv_state = H1_RECV_BAD;
}

static enum h1_verdict fail_malformed(struct h1_xchg *x, enum h1_fault fault)
{
	x->fault = fault;
	h1_count(h1_xchg_conn(x)->h1, fault - 1u);
	h1_recv_fail(x, HTTP_ERROR_MALFORMED);
	return H1_BAD;
}

/* Moves bytes from the carrier to `to`. Returns how many. */
static uint32_t pull(struct h1_xchg *x, struct pkt_chain *to, uint32_t max)
{
	struct stream *s = &x->base.conn->stream;
	uint32_t n = stream_is_open(s) && max > 0 ? stream_recv(s, to, max) : 0;

	if (n > 0)
		x->touched = true;
	else if (max > 0 && stream_is_open(s) && stream_recv_ready(s) > 0)
		h1_xchg_retry(x); /* no references to be had */
	return n;
}

/* --- heads --------------------------------------------------------------------------- */

static bool pull_head(struct h1_xchg *x)
{
	return pull(x, &x->in, x->head->home->head_bytes_max) > 0;
}

/* Forgets what was parsed of a head, not what it may be. */
static void start_anew(struct h1_xchg *x)
{
	struct h1_parser *p = &x->parser;

	*p = (struct h1_parser){
		.kind = p->kind,
		.method = p->method,
		.upgrade_asked = p->upgrade_asked,
		.keep_alive_stated = p->keep_alive_stated,
	};
	if (x->head == NULL)
		return;
	x->head->field_count = 0;
	x->head->flags = 0;
}

static enum h1_verdict parse_limited(struct h1_xchg *x, struct bytes text)
{
	uint32_t limit = x->head->home->head_bytes_max;
	enum h1_verdict v;

	text.len = MIN(text.len, limit);
	v = h1_parse_head(&x->parser, x->head, text);
	if (v == H1_BAD)
		return fail_malformed(x, x->parser.fault);
	if (v == H1_MORE && text.len == limit)
		return fail_malformed(
			x, x->parser.start_done ? H1_FAULT_HEAD_SIZE : H1_FAULT_TARGET_SIZE);
	return v;
}

/* Copies what has come behind what was copied before, and goes on there. */
static enum h1_verdict parse_gathered(struct h1_xchg *x)
{
	struct http_head *head = x->head;
	uint32_t n;
	enum h1_verdict v;

	if (head->buffer == NULL) {
		head->buffer = mem_pool_get(&head->home->buffers);
		if (head->buffer == NULL) {
			h1_count(h1_xchg_conn(x)->h1, H1_STAT_NO_HEAD);
			h1_recv_fail(x, HTTP_ERROR_NO_MEMORY);
			return H1_BAD;
		}
		h1_count(h1_xchg_conn(x)->h1, H1_STAT_GATHERED);
		start_anew(x);
		x->gathered_bytes = 0;
	}
	n = pkt_chain_copy_out(&x->in, 0, head->buffer + x->gathered_bytes,
		head->home->head_bytes_max - x->gathered_bytes);
	v = parse_limited(x, bytes_of(head->buffer, x->gathered_bytes + n));
	if (v == H1_DONE)
		n = x->parser.line - x->gathered_bytes;
	pkt_chain_drop(&x->in, n);
	x->gathered_bytes += n;
	return v;
}

static enum h1_verdict parse_in_place(struct h1_xchg *x)
{
	struct pkt_pools *pkts = h1_xchg_conn(x)->h1->pkts;
	enum h1_verdict v = parse_limited(x, pkt_chain_front(&x->in));

	if (v == H1_DONE && pkt_chain_take(&x->in, x->parser.line, &x->head->packets, pkts) == 0)
		v = parse_gathered(x); /* no reference to be had: copy */
	return v;
}

static bool is_interim(const struct http_head *head)
{
	return head->status > 0 && head->status < 200 && head->status != 101;
}

/* What a complete head means for what follows it. */
static void meet_head(struct h1_xchg *x)
{
	const struct http_head *head = x->head;

	x->recv_state = H1_RECV_HEAD_READY;
	x->recv_body = head->body;
	x->recv_left = head->content_length;
	if (is_interim(head))
		return;
	if (head->flags & HTTP_HEAD_CLOSE)
		x->close = true;
	if (x->parser.kind == H1_KIND_RESPONSE) {
		h1_count(h1_xchg_conn(x)->h1, H1_STAT_RESPONSES);
		return;
	}
	x->has_request = true;
	x->method = head->method;
	x->minor = head->version_minor;
}

/* The message is complete, save what a tunnel brings. */
static void end_message(struct h1_xchg *x)
{
	x->recv_state = H1_RECV_ENDED;
	if (x->tunnel && x->recv_body != HTTP_BODY_TUNNEL) {
		x->recv_state = H1_RECV_BODY;
		x->recv_body = HTTP_BODY_TUNNEL;
	}
}

static void meet_trailers(struct h1_xchg *x)
{
	if (http_head_next(x->head, NULL) == NULL) {
		http_head_free(x->head);
		x->head = NULL;
	}
	end_message(x);
}

enum h1_verdict h1_recv_parse(struct h1_xchg *x)
{
	struct h1 *h1 = h1_xchg_conn(x)->h1;
	enum h1_verdict v;

	if (x->head == NULL)
		x->head = http_head_get(h1->heads);
	if (x->head == NULL) {
		h1_count(h1, H1_STAT_NO_HEAD);
		h1_recv_fail(x, HTTP_ERROR_NO_MEMORY);
		return H1_BAD;
	}
	if (x->in.bytes == 0 && !pull_head(x))
		return H1_MORE;
	v = x->head->buffer ? parse_gathered(x) : parse_in_place(x);
	if (v == H1_MORE && !x->head->buffer && (x->in.segs > 1 || pull_head(x)))
		v = parse_gathered(x);
	while (v == H1_MORE && pull_head(x))
		v = parse_gathered(x);
	if (v != H1_DONE)
		return v;
	if (x->in.segs > 8) /* many small packets behind it may have to wait */
		pkt_chain_compact(&x->in, 4, h1->pkts);
	if (x->parser.kind == H1_KIND_TRAILERS)
		meet_trailers(x);
	else
		meet_head(x);
	return H1_DONE;
}

static void begin_body(struct h1_xchg *x)
{
	x->recv_state = H1_RECV_BODY;
	if (x->recv_body == HTTP_BODY_NONE ||
		(x->recv_body == HTTP_BODY_LENGTH && x->recv_left == 0))
		end_message(x);
	if (x->recv_body == HTTP_BODY_TUNNEL && !x->tunnel) {
		x->tunnel = true;
		h1_send_start_tunnel(x);
	}
}

struct http_head *h1_recv_head(struct http_xchg *base)
{
	struct h1_xchg *x = h1_xchg_of(base);
	struct http_head *head;

	if (x->recv_state == H1_RECV_HEAD && h1_recv_parse(x) == H1_MORE && h1_recv_at_end(x))
		h1_recv_fail(x, x->touched ? HTTP_ERROR_TRUNCATED : HTTP_ERROR_CLOSED);
	if (x->recv_state != H1_RECV_HEAD_READY)
		return NULL;
	head = x->head;
	x->head = NULL;
	start_anew(x);
	if (is_interim(head))
		x->recv_state = H1_RECV_HEAD;
	else
		begin_body(x);
	return head;
}

struct http_head *h1_recv_trailers(struct http_xchg *base)
{
	struct h1_xchg *x = h1_xchg_of(base);
	struct http_head *head = x->head;

	if (x->parser.kind != H1_KIND_TRAILERS || x->recv_state == H1_RECV_TRAILERS ||
		x->recv_state == H1_RECV_BAD)
		return NULL;
	x->head = NULL;
	return head;
}

/* --- bodies -------------------------------------------------------------------------- */

void h1_recv_start_tunnel(struct h1_xchg *x)
{
	x->tunnel = true;
	if (x->recv_state == H1_RECV_ENDED)
		end_message(x);
}

static uint32_t recv_plain(struct h1_xchg *x, struct pkt_chain *to, uint32_t max)
{
	struct pkt_pools *pkts = h1_xchg_conn(x)->h1->pkts;
	uint32_t n = 0;

	if (x->in.bytes > 0) {
		n = pkt_chain_take(&x->in, max, to, pkts);
		if (n == 0)
			h1_xchg_retry(x);
		if (x->in.bytes > 0)
			return n;
	}
	return n + pull(x, to, max - n);
}

static uint32_t recv_length(struct h1_xchg *x, struct pkt_chain *to, uint32_t max)
{
	uint32_t n = recv_plain(x, to, (uint32_t)MIN((uint64_t)max, x->recv_left));

	x->recv_left -= n;
	if (x->recv_left == 0)
		end_message(x);
	return n;
}

/* Framing at the front of `in`. */
static void recv_chunk_framing(struct h1_xchg *x)
{
	size_t used;
	enum h1_verdict v = h1_chunk_parse(&x->chunk, pkt_chain_front(&x->in), &used);

	pkt_chain_drop(&x->in, (uint32_t)used);
	if (v == H1_BAD) {
		fail_malformed(x, x->chunk.fault);
	} else if (x->chunk.state == H1_CHUNK_TRAILERS) {
		x->recv_state = H1_RECV_TRAILERS;
		x->parser.kind = H1_KIND_TRAILERS;
		start_anew(x);
	}
}

static uint32_t recv_chunked(struct h1_xchg *x, struct pkt_chain *to, uint32_t max)
{
	struct pkt_pools *pkts = h1_xchg_conn(x)->h1->pkts;
	uint32_t got = 0;

	while (x->recv_state == H1_RECV_BODY) {
		uint32_t n;

		if (x->in.bytes == 0 && pull(x, &x->in, max - got) == 0)
			break;
		if (x->chunk.state != H1_CHUNK_DATA) {
			recv_chunk_framing(x);
			continue;
		}
		n = (uint32_t)MIN((uint64_t)(max - got), x->chunk.left);
		n = pkt_chain_take(&x->in, n, to, pkts);
		if (n == 0 && got < max)
			h1_xchg_retry(x);
		if (n == 0)
			break;
		got += n;
		h1_chunk_took(&x->chunk, n);
	}
	return got;
}

uint32_t h1_recv(struct http_xchg *base, struct pkt_chain *to, uint32_t max)
{
	struct h1_xchg *x = h1_xchg_of(base);
	bool close_ends = x->recv_body == HTTP_BODY_UNTIL_CLOSE || x->recv_body == HTTP_BODY_TUNNEL;
	uint32_t n = 0;

	if (x->recv_state == H1_RECV_BODY) {
		if (close_ends)
			n = recv_plain(x, to, max);
		else if (x->recv_body == HTTP_BODY_LENGTH)
			n = recv_length(x, to, max);
		else
			n = recv_chunked(x, to, max);
	}
	if (x->recv_state == H1_RECV_TRAILERS)
		h1_recv_parse(x);
	if (x->recv_state != H1_RECV_BODY && x->recv_state != H1_RECV_TRAILERS)
		return n;
	if (h1_recv_at_end(x)) {
		if (close_ends)
			end_message(x);
		else
			h1_recv_fail(x, HTTP_ERROR_TRUNCATED);
	}
	return n;
}

bool h1_recv_ended(const struct http_xchg *base)
{
	return h1_xchg_of(base)->recv_state == H1_RECV_ENDED;
}
