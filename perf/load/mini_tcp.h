/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mini_tcp: the TCP of the load generator, for a path that hardly loses anything.
 *
 * It has options of a common host (MSS, window scale, timestamps), answers each burst with one ACK,
 * sends as far as the peer's window goes, and goes back to the first unacknowledged byte after
 * three duplicates or 200 ms. It has no congestion control, keeps nothing that comes out of order,
 * and no TIME-WAIT. Frames go out by mini_frame, which the device gives.
 */
#ifndef WEIR_PERF_MINI_TCP_H
#define WEIR_PERF_MINI_TCP_H

#include "net.h"

#define MINI_FRAME_MAX    1514
#define MINI_HEADER_BYTES (14 + 20 + 32) /* Ethernet, IPv4, TCP with timestamps */
#define MINI_MSS          1448           /* beside timestamps */
#define MINI_NONE         UINT32_MAX

struct mini_conn {
	struct net_conn base; /* first */
	uint64_t key;         /* ports and the low halves of the addresses; 0: free */
	uint32_t local_v4, remote_v4;
	uint16_t local_port, remote_port;
	uint32_t snd_una, snd_nxt;
	uint32_t snd_end; /* after the last byte that was given */
	uint32_t snd_wnd;
	uint32_t rcv_nxt;
	uint32_t ts_recent;
	uint8_t snd_shift;
	uint8_t state;
	uint8_t dups, tries;
	bool ack_owed, fin_queued, fin_acked, fin_received, touched, timed;
	uint32_t piece_count;
	struct net_piece pieces[NET_PIECES_MAX]; /* their last byte is before snd_end */
	uint32_t pieces_at;                      /* number of the first byte of the first piece */
	uint64_t sent_at;
	uint32_t prev, next; /* among those with something unacknowledged, by sent_at */
};

struct mini_tcp {
	struct net net; /* first */
	struct mini_conn *conns;
	uint32_t conn_count, free_head;
	uint32_t *table; /* positions of conns by key; MINI_NONE */
	uint32_t table_mask;
	uint32_t *touched;
	uint32_t touched_count;
	uint32_t timed_head, timed_tail;
	uint32_t next_client; /* address and port of the next connection */
	uint32_t isn;
	bool no_checksums; /* the wire does not need them */
};

/** Room for config->conns_max connections. Returns 0 or -ENOMEM. */
int mini_init(struct mini_tcp *t, const struct net_config *config);
void mini_fini(struct mini_tcp *t);

/** An IPv4 packet from its header on. */
void mini_input(struct mini_tcp *t, const uint8_t *ip, uint32_t len);
/** Sends what the input and the calls of this turn ask for, and what is due again. */
void mini_output(struct mini_tcp *t);

struct net_conn *mini_connect(struct net *net, const struct net_app *app, void *user);
bool mini_send(struct net_conn *c, const struct net_piece *pieces, uint32_t count);
void mini_shut(struct net_conn *c);
void mini_abort(struct net_conn *c);
bool mini_syn(struct net *net, uint32_t seed);

/* The device's. A frame to fill, MINI_FRAME_MAX bytes, NULL if there is none; then its length, with
 * the space for Ethernet in front. */
uint8_t *mini_frame(struct mini_tcp *t);
void mini_frame_send(struct mini_tcp *t, uint32_t len);

#endif
