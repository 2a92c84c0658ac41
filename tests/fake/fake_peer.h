/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of HTTP stand on: pools and a struct h1 in a rig, and peers that speak raw bytes at
 * the other end of an in-memory stream.
 */
#ifndef WEIR_TESTS_FAKE_PEER_H
#define WEIR_TESTS_FAKE_PEER_H

#include "h1.h"

#define FAKE_PEER_BYTES_MAX (128 * 1024)
#define FAKE_PAIRS_MAX      256

struct fake_rig {
	struct pkt_pools pkts;
	struct http_heads heads;
	struct h1 h1;
	uint32_t pair_count;
	struct stream_pair *pairs[FAKE_PAIRS_MAX];
};

/** Small pools: 8 heads with 2 KiB buffers and 16 fields, 8 connections, 8 exchanges. */
void fake_rig_init(struct fake_rig *rig);

/** Aborts the test if anything was leaked. */
void fake_rig_fini(struct fake_rig *rig);

/** Forgets the streams, both ends of which are closed. Aborts if anything was leaked. */
void fake_rig_clear(struct fake_rig *rig);

/** Joins two connections, a that faces a server and b that faces a client. */
void fake_rig_join(
	struct fake_rig *rig, struct http_conn *a, struct http_conn *b, uint32_t buffer_bytes);

/** Delivers everything, polls h1, until all is quiet. */
void fake_rig_run(struct fake_rig *rig);

struct fake_peer {
	struct stream stream;
	struct fake_rig *rig;
	bool deaf;   /* does not read */
	bool ended;  /* the other side has shut */
	bool failed; /* ... or was reset */
	size_t len;
	char got[FAKE_PEER_BYTES_MAX + 1]; /* ends in NUL */
};

/** Joins a peer to the stream of a connection; buffers of buffer_bytes. The connection is the
 * side that connects if it faces a server. */
void fake_peer_join(struct fake_peer *peer, struct fake_rig *rig, struct http_conn *conn,
	uint32_t buffer_bytes);

/** Sends in packets of at most `piece` bytes (0: as large as they get). Returns the
 * bytes sent: fewer if the other side has no room. */
size_t fake_peer_send(struct fake_peer *peer, struct bytes text, size_t piece);

/** Reads what waits, also if it is deaf otherwise; at most max bytes. */
void fake_peer_read(struct fake_peer *peer, uint32_t max);

/** Forgets what came so far. */
void fake_peer_forget(struct fake_peer *peer);

/** Closes the peer's end, if it is open. */
void fake_peer_close(struct fake_peer *peer);

#endif
