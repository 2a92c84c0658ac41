/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_eal.h"
#include "fake_peer.h"

void fake_rig_init(struct fake_rig *rig)
{
	struct http_heads_config heads = {.heads_max = 8,
		.buffers_max = 8,
		.fields_max = 17,
		.buffer_bytes = 2048 + 256,
		.rewrite_bytes = 256};
	struct h1_config config = {.conns_max = 8};
	struct error err = {0};

	memset(rig, 0, sizeof(*rig));
	fake_eal_init();
	ASSERT(pkt_pools_init(&rig->pkts, "rig", 4096, 4096, SOCKET_ID_ANY, &err) == 0);
	ASSERT(http_heads_init(&rig->heads, &heads, &err) == 0);
	ASSERT(h1_init(&rig->h1, NULL, &rig->heads, &rig->pkts, &config, &err) == 0);
}

void fake_rig_clear(struct fake_rig *rig)
{
	for (uint32_t i = 0; i < rig->pair_count; i++)
		stream_pair_destroy(rig->pairs[i]);
	rig->pair_count = 0;
	ASSERT(rig->h1.conns.count_used == 0);
	ASSERT(rig->h1.xchgs.count_used == 0);
	ASSERT(rig->heads.heads.count_used == 0);
	ASSERT(rig->heads.buffers.count_used == 0);
	ASSERT(pkt_pools_used(&rig->pkts) == 0);
}

void fake_rig_fini(struct fake_rig *rig)
{
	fake_rig_clear(rig);
	ASSERT(h1_fini(&rig->h1) == 0);
	ASSERT(http_heads_fini(&rig->heads) == 0);
	ASSERT(pkt_pools_fini(&rig->pkts) == 0);
}

/* a connects. */
static void join(struct fake_rig *rig, uint32_t buffer_bytes, struct stream *a,
	stream_event_fn a_event, struct stream *b, stream_event_fn b_event)
{
	struct stream_pair *pair =
		stream_pair_create(&rig->pkts, buffer_bytes, a, a_event, b, b_event, NULL);

	ASSERT(pair != NULL);
	ASSERT(rig->pair_count < FAKE_PAIRS_MAX);
	rig->pairs[rig->pair_count++] = pair;
}

void fake_rig_join(
	struct fake_rig *rig, struct http_conn *a, struct http_conn *b, uint32_t buffer_bytes)
{
	join(rig, buffer_bytes, &a->stream, h1_on_stream_event, &b->stream, h1_on_stream_event);
}

void fake_rig_run(struct fake_rig *rig)
{
	uint32_t work;

	do {
		work = h1_poll(NULL, &rig->h1, 16);
		for (uint32_t i = 0; i < rig->pair_count; i++)
			work += stream_pair_run(rig->pairs[i]);
	} while (work > 0);
}

void fake_peer_read(struct fake_peer *peer, uint32_t max)
{
	struct pkt_chain c = {0};

	if (!stream_is_open(&peer->stream))
		return;
	stream_recv(&peer->stream, &c, max);
	ASSERT(c.bytes <= FAKE_PEER_BYTES_MAX - peer->len);
	peer->len += pkt_chain_copy_out(&c, 0, peer->got + peer->len, c.bytes);
	peer->got[peer->len] = '\0';
	pkt_chain_free(&c);
	peer->ended = stream_recv_ended(&peer->stream);
}

static void on_event(struct stream *s, uint32_t events)
{
	struct fake_peer *peer = CONTAINER_OF(s, struct fake_peer, stream);

	if (events & STREAM_EVENT_FAILED)
		peer->failed = true;
	else
		fake_peer_read(peer, peer->deaf ? 0 : UINT32_MAX);
}

void fake_peer_join(
	struct fake_peer *peer, struct fake_rig *rig, struct http_conn *conn, uint32_t buffer_bytes)
{
	ASSERT(conn != NULL);
	memset(peer, 0, offsetof(struct fake_peer, got) + 1);
	peer->rig = rig;
	if (http_conn_state(conn) == HTTP_CONN_CONNECTING)
		join(rig, buffer_bytes, &conn->stream, h1_on_stream_event, &peer->stream, on_event);
	else
		join(rig, buffer_bytes, &peer->stream, on_event, &conn->stream, h1_on_stream_event);
}

size_t fake_peer_send(struct fake_peer *peer, struct bytes text, size_t piece)
{
	size_t sent = 0;

	while (sent < text.len) {
		size_t n = MIN(text.len - sent, piece ? piece : 2000);
		struct pkt_chain c = {0};

		n = MIN(n, stream_send_room(&peer->stream));
		ASSERT(pkt_chain_write(&c, bytes_of(text.ptr + sent, n), &peer->rig->pkts) == n);
		n = stream_send(&peer->stream, &c, UINT32_MAX);
		pkt_chain_free(&c);
		if (n == 0)
			break;
		sent += n;
	}
	return sent;
}

void fake_peer_forget(struct fake_peer *peer)
{
	peer->len = 0;
	peer->got[0] = '\0';
}

void fake_peer_close(struct fake_peer *peer)
{
	stream_close(&peer->stream);
}
