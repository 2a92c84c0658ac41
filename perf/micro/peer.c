/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <rte_ethdev.h>

#include "micro.h"

#define SERVER_V4    0x0a000001u
#define CLIENT_V4    0x0a010000u
#define PORT_FIRST   1024
#define PORT_COUNT   50000
#define WINDOW       60000
#define OPEN_AT_ONCE MICRO_BURST
#define DATAGRAM     WIRE_PROTO_UDP

static const struct wire_mac near_mac = {{2, 0, 0, 0, 0, 1}};
static const struct wire_mac far_mac = {{2, 0, 0, 0, 0, 2}};

struct endpoint peer_client(uint32_t i)
{
	return (struct endpoint){ip_addr_from_v4(CLIENT_V4 + i / PORT_COUNT),
		(uint16_t)(PORT_FIRST + i % PORT_COUNT)};
}

struct ip_addr peer_server(void)
{
	return ip_addr_from_v4(SERVER_V4);
}

static uint32_t index_of(uint32_t v4, uint16_t port)
{
	return (v4 - CLIENT_V4) * PORT_COUNT + port - PORT_FIRST;
}

void peer_init(struct peer *p, struct engine *e)
{
	*p = (struct peer){.e = e,
		.snd = calloc(MICRO_CONNS_MAX, sizeof(*p->snd)),
		.rcv = calloc(MICRO_CONNS_MAX, sizeof(*p->rcv))};
	if (!p->snd || !p->rcv)
		micro_fail("no memory for the peer");
}

void peer_fini(struct peer *p)
{
	free(p->snd);
	free(p->rcv);
}

/* --- to the engine ------------------------------------------------------------------ */

static void put_ether(uint8_t *at, const struct wire_mac *to, uint16_t type)
{
	memcpy(at, to, sizeof(*to));
	memcpy(at + 6, &far_mac, sizeof(far_mac));
	at[12] = (uint8_t)(type >> 8);
	at[13] = (uint8_t)type;
}

static struct rte_mbuf *frame(struct peer *p, uint32_t bytes)
{
	struct rte_mbuf *m = pkt_alloc(&p->e->pools);

	if (!m || !rte_pktmbuf_append(m, (uint16_t)(WIRE_ETHER_BYTES + bytes)))
		micro_fail("the peer has no buffer");
	m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return m;
}

static void put(struct peer *p, struct rte_mbuf *m)
{
	if (rte_eth_tx_burst(p->e->far_id, 0, &m, 1) != 1)
		micro_fail("the ring is full");
}

static uint8_t *put_ip(struct rte_mbuf *m, uint32_t i, uint8_t proto)
{
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
	struct wire_ipv4 ip = {.src = peer_client(i).addr,
		.dst = peer_server(),
		.total_bytes = (uint16_t)(m->data_len - WIRE_ETHER_BYTES),
		.ttl = 64,
		.proto = proto,
		.dont_fragment = true};

	put_ether(at, &near_mac, WIRE_ETHERTYPE_IPV4);
	return at + WIRE_ETHER_BYTES + wire_ipv4_emit(at + WIRE_ETHER_BYTES, &ip);
}

static void put_segment(struct peer *p, uint32_t i, const struct wire_tcp *h, uint32_t text_bytes)
{
	struct rte_mbuf *m =
		frame(p, WIRE_IPV4_BYTES_MIN + (uint32_t)wire_tcp_bytes(h) + text_bytes);

	wire_tcp_emit(put_ip(m, i, WIRE_PROTO_TCP), h);
	put(p, m);
}

static void segment(struct peer *p, uint32_t i, uint8_t flags, uint32_t text_bytes)
{
	struct wire_tcp h = {.src_port = peer_client(i).port,
		.dst_port = MICRO_PORT,
		.seq = SEQ(p->snd[i]),
		.ack = SEQ(p->rcv[i]),
		.window = WINDOW,
		.flags = flags,
		.has_mss = flags & WIRE_TCP_SYN,
		.mss = 1460};

	put_segment(p, i, &h, text_bytes);
	p->snd[i] += text_bytes + ((flags & WIRE_TCP_SYN) != 0);
}

void peer_syn(struct peer *p, uint32_t i)
{
	struct wire_tcp h = {.src_port = peer_client(i).port,
		.dst_port = MICRO_PORT,
		.seq = SEQ(i),
		.window = WINDOW,
		.flags = WIRE_TCP_SYN,
		.has_mss = true,
		.mss = 1460,
		.has_window_scale = true,
		.window_scale = 7,
		.has_sack_permitted = true,
		.has_timestamp = true,
		.ts_val = i};

	put_segment(p, i, &h, 0);
}

void peer_request(struct peer *p, uint32_t i)
{
	segment(p, i, WIRE_TCP_ACK | WIRE_TCP_PSH, MICRO_REQUEST);
}

void peer_datagram(struct peer *p)
{
	struct rte_mbuf *m = frame(p, WIRE_IPV4_BYTES_MIN + WIRE_TCP_BYTES_MIN + MICRO_REQUEST);

	put_ip(m, 0, DATAGRAM);
	put(p, m);
}

/* --- from the engine ---------------------------------------------------------------- */

static void answer_arp(struct peer *p, const uint8_t *at, size_t bytes)
{
	struct wire_arp ask, answer;
	struct rte_mbuf *m;

	if (wire_arp_parse(at, bytes, &ask) != WIRE_OK || ask.op != WIRE_ARP_REQUEST ||
		memcmp(&ask.target, &ask.sender, sizeof(ask.target)) == 0)
		return;
	answer = (struct wire_arp){.op = WIRE_ARP_REPLY,
		.sender_mac = far_mac,
		.sender = ask.target,
		.target_mac = near_mac,
		.target = ask.sender};
	m = frame(p, WIRE_ARP_BYTES);
	put_ether(rte_pktmbuf_mtod(m, uint8_t *), &near_mac, WIRE_ETHERTYPE_ARP);
	wire_arp_emit(rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETHER_BYTES), &answer);
	put(p, m);
}

static bool take_segment(struct peer *p, const uint8_t *at, size_t bytes)
{
	struct wire_ipv4 ip;
	struct wire_tcp h;
	uint32_t i;

	if (wire_ipv4_parse(at, bytes, true, &ip) != WIRE_OK || ip.proto != WIRE_PROTO_TCP ||
		wire_tcp_parse(at + ip.header_bytes, bytes - ip.header_bytes, &h) != WIRE_OK)
		return false;
	i = index_of(ip_addr_to_v4(&ip.dst), h.dst_port);
	if (i >= MICRO_CONNS_MAX || h.flags & WIRE_TCP_RST)
		micro_fail("the engine reset a connection");
	p->rcv[i] = h.seq.v + ((h.flags & WIRE_TCP_SYN) != 0) + ip.total_bytes - ip.header_bytes -
		    h.header_bytes;
	if (p->took_count < ARRAY_LEN(p->took))
		p->took[p->took_count++] = i;
	return true;
}

uint32_t peer_take(struct peer *p)
{
	struct rte_mbuf *pkts[MICRO_BURST];
	uint32_t segments = 0;
	uint16_t n;

	p->took_count = 0;
	while ((n = rte_eth_rx_burst(p->e->far_id, 0, pkts, MICRO_BURST)) > 0) {
		for (uint16_t k = 0; k < n; k++) {
			const uint8_t *at = rte_pktmbuf_mtod(pkts[k], const uint8_t *);
			size_t bytes = pkts[k]->pkt_len - WIRE_ETHER_BYTES;

			if (at[12] == 8 && at[13] == 6)
				answer_arp(p, at + WIRE_ETHER_BYTES, bytes);
			else
				segments += take_segment(p, at + WIRE_ETHER_BYTES, bytes);
			rte_pktmbuf_free(pkts[k]);
		}
	}
	return segments;
}

void peer_ack(struct peer *p)
{
	for (uint32_t k = 0; k < p->took_count; k++)
		segment(p, p->took[k], WIRE_TCP_ACK, 0);
	engine_settle(p->e);
}

/* --- opening ------------------------------------------------------------------------ */

static void exchange(struct peer *p, uint32_t wanted)
{
	uint32_t got = 0;

	for (uint32_t turn = 0; got < wanted; turn++) {
		if (turn == 100)
			micro_fail("the engine does not answer");
		engine_settle(p->e);
		got += peer_take(p);
	}
}

void peer_open(struct peer *p, uint32_t count)
{
	while (p->count < count) {
		uint32_t n = MIN(OPEN_AT_ONCE, count - p->count), at = p->count % PORT_COUNT;

		/* The first of an address alone: few packets wait for a neighbour. */
		n = at == 0 ? 1 : MIN(n, PORT_COUNT - at);
		for (uint32_t i = p->count; i < p->count + n; i++) {
			p->snd[i] = 0xfffffff0u;
			segment(p, i, WIRE_TCP_SYN, 0);
		}
		exchange(p, n);
		for (uint32_t i = p->count; i < p->count + n; i++)
			segment(p, i, WIRE_TCP_ACK, 0);
		engine_settle(p->e);
		p->count += n;
	}
}
