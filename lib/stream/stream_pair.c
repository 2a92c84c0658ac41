/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-memory twin. Each end holds what it received and has not taken; sending moves bytes
 * straight into the other end's chain, so "received by the peer's TCP" and "sent" are the same
 * moment. News is recorded as events and delivered by stream_pair_run.
 */
#include "stream_pvt.h"

struct stream_pair_end {
	struct stream_pair *pair;
	struct stream_pair_end *peer;
	struct stream *stream; /* NULL: closed */
	struct pkt_chain in;
	uint32_t events; /* to be delivered */
	enum tcp_failure failure;
	bool shut;      /* this side sends no more */
	bool want_room; /* the last send left something, or less than half of the room */
	struct endpoint local;
};

struct stream_pair {
	struct mem_region region; /* the pair lies in it */
	struct pkt_pools *pools;
	uint32_t buffer_bytes;
	struct stream_pair_end ends[2];
};

static struct stream_pair_end *end_of(const struct stream *s)
{
	return s->impl;
}

/* What arrived before is gone as well, as with a reset (RFC 9293 3.10.7.4). */
static void end_fail(struct stream_pair_end *end, enum tcp_failure failure)
{
	if (end->stream == NULL || end->failure != TCP_FAILURE_NONE)
		return;
	end->failure = failure;
	end->events = STREAM_EVENT_FAILED;
	pkt_chain_free(&end->in);
}

static void end_notify(struct stream_pair_end *end, uint32_t events)
{
	if (end->stream != NULL && end->failure == TCP_FAILURE_NONE)
		end->events |= events;
}

static uint32_t pair_recv_ready(const struct stream *s)
{
	return end_of(s)->in.bytes;
}

static uint32_t end_room(const struct stream_pair_end *end)
{
	if (end->shut || end->failure != TCP_FAILURE_NONE)
		return 0;
	return end->pair->buffer_bytes - end->peer->in.bytes;
}

static void end_check_room(struct stream_pair_end *end)
{
	if (!end->want_room || end_room(end) < (end->pair->buffer_bytes + 1) / 2)
		return;
	end->want_room = false;
	end_notify(end, STREAM_EVENT_WRITABLE);
}

static uint32_t pair_recv(struct stream *s, struct pkt_chain *to, uint32_t max)
{
	struct stream_pair_end *end = end_of(s);
	uint32_t n = pkt_chain_take(&end->in, MIN(max, end->in.bytes), to, end->pair->pools);

	end_check_room(end->peer);
	return n;
}

static bool pair_recv_ended(const struct stream *s)
{
	const struct stream_pair_end *end = end_of(s);

	return end->peer->shut && end->failure == TCP_FAILURE_NONE && pkt_chain_is_empty(&end->in);
}

static uint32_t pair_send_room(const struct stream *s)
{
	return end_room(end_of(s));
}

/* Bytes for an end that was closed vanish, and the answer is a reset (RFC 2525 2.17). */
static uint32_t pair_send(struct stream *s, struct pkt_chain *from, uint32_t max)
{
	struct stream_pair_end *end = end_of(s);
	uint32_t want = MIN(max, from->bytes);
	uint32_t n = MIN(want, end_room(end));

	if (n > 0 && end->peer->stream == NULL) {
		end_fail(end, TCP_FAILURE_RESET);
		return pkt_chain_drop(from, n);
	}
	n = pkt_chain_take(from, n, &end->peer->in, end->pair->pools);
	if (n > 0)
		end_notify(end->peer, STREAM_EVENT_READABLE);
	end->want_room = n < want || end_room(end) < (end->pair->buffer_bytes + 1) / 2;
	end_check_room(end); /* if it was for want of references, not of room */
	return n;
}

static void pair_set_more(struct stream *s, bool more)
{
	/* Nothing is cut into segments here, so nothing waits to fill one. */
	(void)s;
	(void)more;
}

static void pair_shut(struct stream *s)
{
	struct stream_pair_end *end = end_of(s);

	if (end->shut || end->failure != TCP_FAILURE_NONE)
		return;
	end->shut = true;
	end_notify(end->peer, STREAM_EVENT_PEER_SHUT);
}

static void end_let_go(struct stream_pair_end *end)
{
	pkt_chain_free(&end->in);
	end->stream = NULL;
	end->events = 0;
}

static void pair_close(struct stream *s)
{
	struct stream_pair_end *end = end_of(s);

	if (!pkt_chain_is_empty(&end->in))
		end_fail(end->peer, TCP_FAILURE_RESET);
	pair_shut(s);
	end_let_go(end);
}

static void pair_abort(struct stream *s)
{
	struct stream_pair_end *end = end_of(s);

	end_fail(end->peer, TCP_FAILURE_RESET);
	end_let_go(end);
}

static void pair_notify_sent(struct stream *s)
{
	end_notify(end_of(s), STREAM_EVENT_SENT);
}

static enum tcp_failure pair_failure(const struct stream *s)
{
	return end_of(s)->failure;
}

static struct endpoint pair_local(const struct stream *s)
{
	return end_of(s)->local;
}

static struct endpoint pair_remote(const struct stream *s)
{
	return end_of(s)->peer->local;
}

static const struct stream_ops pair_carrier = {
	.name = "memory",
	.recv_ready = pair_recv_ready,
	.recv = pair_recv,
	.recv_ended = pair_recv_ended,
	.send_room = pair_send_room,
	.send = pair_send,
	.set_more = pair_set_more,
	.shut = pair_shut,
	.close = pair_close,
	.abort = pair_abort,
	.notify_sent = pair_notify_sent,
	.failure = pair_failure,
	.local = pair_local,
	.remote = pair_remote,
};

static void end_init(struct stream_pair *pair, uint32_t index, struct stream *s, stream_event_fn fn)
{
	struct stream_pair_end *end = &pair->ends[index];

	end->pair = pair;
	end->peer = &pair->ends[1 - index];
	end->stream = s;
	end->local.addr = ip_addr_from_v4(0x7f000001);
	end->local.port = (uint16_t)(index + 1);
	pkt_chain_init(&end->in);
	stream_open(s, &pair_carrier, end, fn);
}

struct stream_pair *stream_pair_create(struct pkt_pools *pools, uint32_t buffer_bytes,
	struct stream *a, stream_event_fn a_event, struct stream *b, stream_event_fn b_event,
	struct error *err)
{
	struct mem_region region = {0};
	struct stream_pair *pair;

	if (mem_region_alloc(&region, sizeof(*pair), "a pair of streams", err) != 0)
		return NULL;
	pair = region.base;
	pair->region = region;
	pair->pools = pools;
	pair->buffer_bytes = buffer_bytes;
	end_init(pair, 0, a, a_event);
	end_init(pair, 1, b, b_event);
	pair->ends[0].events = STREAM_EVENT_CONNECTED;
	return pair;
}

uint32_t stream_pair_run(struct stream_pair *pair)
{
	uint32_t delivered = 0;

	for (uint32_t i = 0; i < ARRAY_LEN(pair->ends); i++) {
		struct stream_pair_end *end = &pair->ends[i];
		uint32_t events = end->events;

		if (events == 0)
			continue;
		end->events = 0;
		end->stream->on_event(end->stream, events);
		delivered++;
	}
	return delivered;
}

void stream_pair_destroy(struct stream_pair *pair)
{
	struct mem_region region;

	if (pair == NULL)
		return;
	ASSERT(pair->ends[0].stream == NULL);
	ASSERT(pair->ends[1].stream == NULL);
	region = pair->region;
	mem_region_free(&region);
}

void stream_pair_break(struct stream_pair *pair, enum tcp_failure failure)
{
	end_fail(&pair->ends[0], failure);
	end_fail(&pair->ends[1], failure);
}
