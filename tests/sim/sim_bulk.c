/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "sim_bulk.h"

#define PORT        80
#define PIECE_BYTES 16384

static void send_more(struct bulk *flow)
{
	static const char text[PIECE_BYTES];
	struct pkt_pools *pools = flow->all->pair->host[0].pools[0];

	while (flow->from && tcp_conn_send_room(flow->from) >= PIECE_BYTES) {
		struct pkt_chain c = {0};

		pkt_chain_write(&c, bytes_of(text, sizeof(text)), pools);
		(void)tcp_conn_send(flow->from, &c, c.bytes);
		pkt_chain_free(&c);
	}
	if (flow->from) { /* so that it asks for the event */
		struct pkt_chain none = {0};

		(void)tcp_conn_send(flow->from, &none, 0);
	}
}

static void on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct bulk *flow = user;
	struct pkt_chain c = {0};

	if (events & TCP_EVENT_FAILED) {
		flow->failure = tcp_conn_failure(conn);
		tcp_conn_close(conn);
		*(conn == flow->from ? &flow->from : &flow->to) = NULL;
		return;
	}
	if (conn == flow->from) {
		send_more(flow);
		return;
	}
	flow->received_bytes += tcp_conn_recv(conn, &c, UINT32_MAX);
	pkt_chain_free(&c);
}

static bool on_accept(void *user, struct tcp_conn *conn)
{
	struct bulks *b = user;

	for (uint32_t i = 0; i < b->count; i++) {
		struct bulk *flow = &b->bulk[i];

		if (flow->port != tcp_conn_remote(conn).port)
			continue;
		flow->to = conn;
		tcp_conn_set_user(conn, flow);
		return true;
	}
	return false;
}

static const struct tcp_owner_ops ops = {.on_accept = on_accept, .on_event = on_event};

struct host_config bulk_host(uint64_t seed, uint32_t buffer_bytes)
{
	return (struct host_config){
		.cores = 1,
		.seed = seed,
		.tcp = {.conns_max = 16,
			.time_wait_max = 16,
			.half_open_max = 16,
			.listeners_max = 1,
			.recv_buffer_bytes = buffer_bytes,
			.send_buffer_bytes = buffer_bytes,
			.secret = {seed, 1}},
	};
}

void bulks_init(struct bulks *b, struct pair *pair)
{
	struct tcp_listen_config listen = {
		.local = {ip_addr_from_v4(0), PORT}, .ops = &ops, .user = b};

	*b = (struct bulks){.pair = pair};
	ASSERT(tcp_listen(pair->host[1].tcp[0], &listen, NULL) != NULL);
}

struct bulk *bulk_start(struct bulks *b, enum tcp_cc_kind cc)
{
	struct bulk *flow = &b->bulk[b->count];
	struct tcp *tcp = b->pair->host[0].tcp[0];
	struct tcp_options options = {.cc = (uint8_t)cc};
	struct tcp_connect_config config = {
		.remote = {b->pair->host[1].addr, PORT},
		.options = (uint8_t)tcp_options_add(tcp, &options, NULL),
		.ops = &ops,
		.user = flow,
	};

	ASSERT(b->count < BULKS_MAX);
	*flow = (struct bulk){.all = b};
	flow->from = tcp_connect(tcp, &config, &flow->failure);
	ASSERT(flow->from != NULL);
	flow->port = tcp_conn_local(flow->from).port;
	b->count++;
	return flow;
}

void bulks_stop(struct bulks *b)
{
	for (uint32_t i = 0; i < b->count; i++) {
		struct bulk *flow = &b->bulk[i];

		if (flow->from)
			tcp_conn_abort(flow->from);
		if (flow->to)
			tcp_conn_abort(flow->to);
		flow->from = flow->to = NULL;
	}
	(void)pair_run(b->pair, b->pair->clock.now_ns + NS_PER_SEC);
}

void bulk_options(int argc, char **argv, enum tcp_cc_kind *cc, uint64_t *seed)
{
	*cc = TCP_CC_RENO;
	*seed = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seed") == 0)
			*seed = strtoull(argv[i + 1], NULL, 0);
		for (uint32_t kind = TCP_CC_RENO; kind < TCP_CC_KIND_COUNT; kind++)
			if (strcmp(argv[i], "--cc") == 0 &&
				strcmp(argv[i + 1], tcp_cc_name(kind)) == 0)
				*cc = kind;
	}
}
