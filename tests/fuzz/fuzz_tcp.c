/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments for a stack with live connections: one accepted with every option, one half-open, one
 * being opened by us. The input is a string of records: a byte that says what happens, one that
 * says to whom, and what belongs to it. Ports, checksum, and (if the record says so) sequence and
 * acknowledgement are put right, so that the fuzzer gets past the first checks. What must hold
 * besides "no crash": every buffer and every connection is given back. The last byte says whether
 * SYN cookies are on and accepting is deferred; cookies of either kind are learned from what we
 * send.
 */
#include "fake_eal.h"
#include "fake_ip.h"
#include "tcp.h"

#define CONNS       5
#define POOL_COUNT  511
#define RECORDS_MAX 64
#define TURNS_MAX   20
#define SEGMENT_MAX 1480

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a record does. */
enum {
	DO_SEGMENT, /* raw: the header as it comes, ports mended */
	DO_NEAR,    /* the same, and its numbers are small steps from the true ones */
	DO_TIME,
	DO_SEND,
	DO_RECV,
	DO_SHUT,
	DO_CLOSE,
	DO_ABORT,
	DO_ICMP,
	DO_PAUSE,
	DO_OPEN, /* a SYN with options, perhaps with text, and the ACK of the answer */
	DO_COUNT,
};

struct flow {
	uint16_t local_port, remote_port;
	struct seq snd;        /* the peer's next */
	struct seq rcv;        /* the peer's idea of ours */
	uint32_t ts;           /* our last timestamp */
	uint8_t fast_open_len; /* and Fast Open cookie */
	uint8_t fast_open[WIRE_TCP_FAST_OPEN_MAX];
	struct tcp_conn *conn;
};

struct bench {
	struct clock_manual clock;
	struct worker *worker;
	struct steer steer;
	struct pkt_pools *pools;
	struct ip_stack *ip;
	struct tcp *tcp;
	struct tcp_listener *listener;
	struct flow flow[CONNS];
	uint8_t options;
	bool paused;
};

struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t next_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static void on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct flow *flow = user;

	if (events & TCP_EVENT_FAILED) {
		flow->conn = NULL;
		tcp_conn_close(conn);
	}
}

static bool on_accept(void *user, struct tcp_conn *conn)
{
	struct bench *b = user;

	for (uint32_t i = 0; i < CONNS; i++) {
		struct flow *flow = &b->flow[i];

		if (flow->remote_port != tcp_conn_remote(conn).port || flow->conn)
			continue;
		flow->conn = conn;
		tcp_conn_set_user(conn, flow);
		tcp_conn_set_keepalive(conn, true);
		return true;
	}
	return false;
}

static const struct tcp_owner_ops ops = {on_accept, on_event};

static void learn(struct flow *flow, const struct wire_tcp *h, uint32_t len)
{
	flow->rcv =
		seq_add(h->seq, len + !!(h->flags & WIRE_TCP_SYN) + !!(h->flags & WIRE_TCP_FIN));
	flow->ts = h->ts_val;
	if (h->fast_open_len) {
		flow->fast_open_len = h->fast_open_len;
		memcpy(flow->fast_open, h->fast_open, sizeof(flow->fast_open));
	}
}

/* Turns until it is quiet; what was sent tells the peer our numbers. */
static void settle(struct bench *b)
{
	struct fake_ip_sent sent;
	struct wire_tcp h;

	for (int i = 0; i < TURNS_MAX && worker_poll(b->worker, 0) > 0; i++)
		;
	while (fake_ip_fetch(b->ip, &sent)) {
		ASSERT(wire_tcp_parse(rte_pktmbuf_mtod(sent.m, const uint8_t *), sent.m->data_len,
			       &h) == WIRE_OK);
		for (uint32_t i = 0; i < CONNS; i++)
			if (b->flow[i].remote_port == h.dst_port && !(h.flags & WIRE_TCP_RST))
				learn(&b->flow[i], &h, sent.m->pkt_len - h.header_bytes);
		pkt_free(sent.m);
	}
}

static void receive(struct bench *b, const uint8_t *bytes, size_t n)
{
	struct rte_mbuf *m = pkt_alloc(b->pools);

	if (!m)
		return;
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), bytes, n);
	fake_ip_receive(b->ip, ip_addr_from_v4(0x0a000002), b->ip->own, m);
}

static void do_segment(struct bench *b, struct flow *flow, struct input *in, bool near)
{
	uint8_t bytes[SEGMENT_MAX];
	size_t n = MIN(in->left, (size_t)(WIRE_TCP_BYTES_MIN + next_byte(in) * 5));

	n = MIN(n, in->left);
	memcpy(bytes, in->p, n);
	in->p += n;
	in->left -= n;
	if (n >= WIRE_TCP_BYTES_MIN) {
		store_be16(&bytes[0], flow->remote_port);
		store_be16(&bytes[2], flow->local_port);
		if (near) {
			store_be32(&bytes[4], flow->snd.v + (uint32_t)(int8_t)bytes[7]);
			store_be32(&bytes[8], flow->rcv.v + (uint32_t)(int8_t)bytes[11]);
		}
	}
	receive(b, bytes, n);
}

static void do_send(struct bench *b, struct flow *flow, uint32_t n)
{
	static const char text[4096];
	struct pkt_chain c = {0};

	pkt_chain_write(&c, bytes_of(text, MIN(n, (uint32_t)sizeof(text))), b->pools);
	tcp_conn_send(flow->conn, &c, n);
	pkt_chain_free(&c);
}

/* Once a cookie is known, the text leaves with the SYN. */
static void do_connect(struct bench *b, struct flow *flow, uint32_t n)
{
	struct tcp_connect_config config = {
		.remote = {ip_addr_from_v4(0x0a000002), flow->remote_port},
		.local = {ip_addr_from_v4(0), flow->local_port},
		.options = b->options,
		.ops = &ops,
		.user = flow};
	enum tcp_failure failure;

	if (flow->conn)
		return;
	flow->conn = tcp_connect(b->tcp, &config, &failure);
	if (flow->conn && n)
		do_send(b, flow, n);
}

enum {
	OPEN_MSS = 1 << 0,
	OPEN_TS = 1 << 1,
	OPEN_SCALE = 1 << 2,
	OPEN_SACK = 1 << 3,
	OPEN_FAST = 1 << 4,
	OPEN_COOKIE = 1 << 5, /* with OPEN_FAST: the one that we gave */
	OPEN_TEXT = 1 << 6,
	OPEN_ECN = 1 << 7,
};

/* A handshake as its options say; the answer's ACK may come later or never, with text or without.
 */
static void do_open(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t what = next_byte(in), more = next_byte(in);
	struct wire_tcp h = {
		.src_port = flow->remote_port,
		.dst_port = flow->local_port,
		.seq = flow->snd,
		.window = 1000,
		.flags = WIRE_TCP_SYN | (what & OPEN_ECN ? WIRE_TCP_ECE | WIRE_TCP_CWR : 0),
		.has_mss = what & OPEN_MSS,
		.mss = (uint16_t)(more * 8),
		.has_window_scale = what & OPEN_SCALE,
		.window_scale = more % 15,
		.has_sack_permitted = what & OPEN_SACK,
		.has_timestamp = what & OPEN_TS,
		.ts_val = 1000,
		.has_fast_open = what & OPEN_FAST,
		.fast_open_len = what & OPEN_COOKIE ? flow->fast_open_len : 0,
	};
	uint8_t bytes[WIRE_TCP_BYTES_MAX + 255] = {0};
	uint32_t text = what & OPEN_TEXT ? more : 0;

	if (flow->local_port != 80) {
		do_connect(b, flow, text * 16);
		return;
	}
	memcpy(h.fast_open, flow->fast_open, h.fast_open_len);
	receive(b, bytes, wire_tcp_emit(bytes, &h) + text);
	settle(b);
	flow->snd = seq_add(flow->snd, 1);
	if (more & 1)
		return;
	h = (struct wire_tcp){
		.src_port = flow->remote_port,
		.dst_port = flow->local_port,
		.seq = flow->snd,
		.ack = flow->rcv,
		.window = 1000,
		.flags = WIRE_TCP_ACK,
		.has_timestamp = what & OPEN_TS,
		.ts_val = 1001,
		.ts_ecr = flow->ts,
	};
	memset(bytes, 0, sizeof(bytes));
	receive(b, bytes, wire_tcp_emit(bytes, &h) + (more & 2 ? more : 0));
}

static void do_icmp(struct bench *b, const struct flow *flow, struct input *in)
{
	struct ip_icmp_error error = {
		.proto = WIRE_PROTO_TCP,
		.type = WIRE_ICMP_UNREACHABLE,
		.code = next_byte(in) % 16,
		.mtu = (uint16_t)(next_byte(in) * 10),
		.src = b->ip->own,
		.dst = ip_addr_from_v4(0x0a000002),
	};

	store_be16(&error.l4[0], flow->local_port);
	store_be16(&error.l4[2], flow->remote_port);
	store_be32(&error.l4[4], flow->rcv.v - next_byte(in));
	b->ip->error_fn(b->ip->ctx, &error);
}

/* What an owner does; its connection may be gone. */
static void do_call(struct bench *b, struct flow *flow, uint8_t what, uint32_t n)
{
	struct pkt_chain c = {0};

	if (!flow->conn)
		return;
	switch (what) {
	case DO_SEND:
		do_send(b, flow, n * 16);
		break;
	case DO_RECV:
		tcp_conn_recv(flow->conn, &c, n * 8);
		pkt_chain_free(&c);
		break;
	case DO_SHUT:
		tcp_conn_shut(flow->conn);
		break;
	case DO_CLOSE:
		tcp_conn_close(flow->conn);
		flow->conn = NULL;
		break;
	case DO_ABORT:
		tcp_conn_abort(flow->conn);
		flow->conn = NULL;
		break;
	default:
		break;
	}
}

static void do_record(struct bench *b, struct input *in)
{
	uint8_t what = next_byte(in) % DO_COUNT;
	uint8_t to = next_byte(in);
	struct flow *flow = &b->flow[to % CONNS];

	switch (what) {
	case DO_SEGMENT:
	case DO_NEAR:
		do_segment(b, flow, in, what == DO_NEAR);
		break;
	case DO_TIME:
		clock_manual_advance(&b->clock, (UINT64_C(1) << (to % 20)) * NS_PER_MS);
		break;
	case DO_ICMP:
		do_icmp(b, flow, in);
		break;
	case DO_PAUSE:
		b->paused = !b->paused;
		tcp_listener_pause(b->listener, b->paused);
		break;
	case DO_OPEN:
		do_open(b, flow, in);
		break;
	default:
		do_call(b, flow, what, next_byte(in));
		break;
	}
	settle(b);
}

static void peer_says(struct bench *b, struct flow *flow, uint8_t flags)
{
	struct wire_tcp h = {
		.src_port = flow->remote_port,
		.dst_port = flow->local_port,
		.seq = flow->snd,
		.ack = flow->rcv,
		.window = 1000,
		.flags = flags,
		.has_mss = flags & WIRE_TCP_SYN,
		.has_window_scale = flags & WIRE_TCP_SYN,
		.has_sack_permitted = flags & WIRE_TCP_SYN,
		.has_timestamp = flow == &b->flow[1],
		.mss = 1460,
		.window_scale = 7,
		.ts_val = 1,
	};
	uint8_t bytes[WIRE_TCP_BYTES_MAX];

	receive(b, bytes, wire_tcp_emit(bytes, &h));
	if (flags & WIRE_TCP_SYN)
		flow->snd = seq_add(flow->snd, 1);
	settle(b);
}

static void bench_init(struct bench *b, struct pkt_pools *pools, uint8_t mode)
{
	struct worker_config worker = {
		.name = "fuzz", .cores = 1, .clock = &b->clock.clock, .log_ring_bytes = 4096};
	struct tcp_config config = {
		.conns_max = 8,
		.time_wait_max = 4,
		.half_open_max = 4,
		.listeners_max = 2,
		.recv_buffer_bytes = 16384,
		.send_buffer_bytes = 16384,
		.cookies = mode & 1 ? TCP_COOKIES_ALWAYS : TCP_COOKIES_AUTO,
	};
	struct tcp_options options = {.fast_open = true, .defer_accept = mode & 2};
	struct tcp_listen_config listen = {
		.local = {ip_addr_from_v4(0), 80}, .ops = &ops, .user = b};

	*b = (struct bench){.pools = pools};
	clock_manual_init(&b->clock, NS_PER_SEC);
	b->worker = worker_create(&worker, NULL);
	ASSERT(b->worker != NULL);
	worker_connect(&b->worker, 1);
	steer_init(&b->steer, 1);
	b->ip = fake_ip_create(b->worker);
	worker_poll(b->worker, 0);
	b->tcp = tcp_create(b->worker, b->ip, &b->steer, pools, &config, NULL);
	ASSERT(b->tcp != NULL);
	listen.options = b->options = (uint8_t)tcp_options_add(b->tcp, &options, NULL);
	b->listener = tcp_listen(b->tcp, &listen, NULL);
	for (uint16_t i = 0; i < CONNS; i++)
		b->flow[i] = (struct flow){
			.local_port = 80, .remote_port = (uint16_t)(40000 + i), .snd = SEQ(-100)};
	b->flow[2].local_port = 50000;
	b->flow[2].remote_port = 8080;
	do_connect(b, &b->flow[2], 0);
	settle(b);
	peer_says(b, &b->flow[0], WIRE_TCP_SYN);
	peer_says(b, &b->flow[1], WIRE_TCP_SYN);
	peer_says(b, &b->flow[1], WIRE_TCP_ACK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pkt_pools pools;
	struct input in = {data, size};
	struct bench b;

	fake_eal_init();
	if (!pools.data)
		ASSERT(pkt_pools_init(&pools, "fuzz", POOL_COUNT, POOL_COUNT, -1, NULL) == 0);
	bench_init(&b, &pools, size ? data[size - 1] : 0);
	for (int i = 0; i < RECORDS_MAX && in.left > 0; i++)
		do_record(&b, &in);
	tcp_destroy(b.tcp);
	b.worker->poller_count = 0;
	fake_ip_destroy(b.ip);
	worker_destroy(b.worker);
	ASSERT(pkt_pools_used(&pools) == 0);
	return 0;
}
