/* SPDX-License-Identifier: BSD-3-Clause */
/* One stack over a fake ip, a listener on port 80, and a peer that is driven by hand. */
#ifndef WEIR_TESTS_TCP_FIXTURE_H
#define WEIR_TESTS_TCP_FIXTURE_H

#include "check.h"

#include <stdlib.h>

#include "fake_eal.h"
#include "fake_ip.h"
#include "fake_worker.h"
#include "tcp_pvt.h"

#define PEER_ISN 0xfffffff0u

struct fixture {
	struct fake_workers *workers;
	struct pkt_pools pools;
	struct ip_stack *ip;
	struct tcp *tcp;
	struct steer steer;
	struct tcp_config config;
	struct tcp_listener *listener;
	struct tcp_conn *conn;
	uint32_t events;
	uint16_t local_port, remote_port;
	struct seq seq; /* the peer's next */
	struct seq ack; /* all that we sent */
};

static inline bool fixture_on_accept(void *user, struct tcp_conn *conn)
{
	struct fixture *f = user;

	f->conn = conn;
	tcp_conn_set_user(conn, f);
	return true;
}

static inline void fixture_on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct fixture *f = user;

	(void)conn;
	f->events |= events;
}

static const struct tcp_owner_ops fixture_ops = {fixture_on_accept, fixture_on_event};

static inline void fixture_init(struct fixture *f)
{
	struct tcp_listen_config listen = {
		.local = {ip_addr_from_v4(0), 80}, .ops = &fixture_ops, .user = f};

	fake_eal_init();
	assert_int_equal(pkt_pools_init(&f->pools, "tcp", 511, 511, -1, NULL), 0);
	f->workers = fake_workers_create(1);
	fake_workers_settle(f->workers);
	f->ip = fake_ip_create(f->workers->w[0]);
	if (f->steer.workers == 0)
		steer_init(&f->steer, 1);
	if (f->config.conns_max == 0)
		f->config.conns_max = 64;
	f->config.time_wait_max = 16;
	f->config.half_open_max = 16;
	f->config.listeners_max = 4;
	f->config.secret = (struct hash_key){1, 2};
	f->tcp = tcp_create(f->workers->w[0], f->ip, &f->steer, &f->pools, &f->config, NULL);
	assert_non_null(f->tcp);
	f->listener = tcp_listen(f->tcp, &listen, NULL);
	assert_non_null(f->listener);
	f->seq = SEQ(PEER_ISN);
}

static inline void fixture_fini(struct fixture *f)
{
	tcp_destroy(f->tcp);
	f->workers->w[0]->poller_count = 0;
	fake_ip_destroy(f->ip);
	assert_int_equal(pkt_pools_used(&f->pools), 0);
	fake_workers_destroy(f->workers);
	assert_int_equal(pkt_pools_fini(&f->pools), 0);
}

/* A segment without text comes; no turn is taken. */
static inline void give_header(struct fixture *f, const struct wire_tcp *h)
{
	struct rte_mbuf *m = pkt_alloc(&f->pools);

	assert_non_null(m);
	wire_tcp_emit((uint8_t *)rte_pktmbuf_append(m, (uint16_t)wire_tcp_bytes(h)), h);
	fake_ip_receive(f->ip, ip_addr_from_v4(0x0a000002), f->ip->own, m);
}

static inline void receive_header(struct fixture *f, const struct wire_tcp *h)
{
	give_header(f, h);
	fake_workers_settle(f->workers);
}

/* The peer sends a segment without text. */
static inline void receive(struct fixture *f, uint8_t flags, struct seq seq, struct seq ack)
{
	struct wire_tcp h = {
		.src_port = f->remote_port,
		.dst_port = f->local_port,
		.seq = seq,
		.ack = ack,
		.window = 60000,
		.flags = flags,
	};

	receive_header(f, &h);
}

/* What was sent; flags 0 if nothing was. */
static inline struct wire_tcp sent(struct fixture *f)
{
	struct wire_tcp h = {0};
	struct fake_ip_sent s;

	fake_workers_settle(f->workers);
	if (fake_ip_fetch(f->ip, &s)) {
		assert_int_equal(
			wire_tcp_parse(rte_pktmbuf_mtod(s.m, const uint8_t *), s.m->data_len, &h),
			WIRE_OK);
		pkt_free(s.m);
	}
	return h;
}

#endif
