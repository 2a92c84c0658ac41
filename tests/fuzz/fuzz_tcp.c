/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments for a stack with live connections: one accepted with every option, one half-open, one
 * being opened by us, and more as the input wants.
 *
 * The input is two bytes of switches for the bench, then records: a byte that says what happens,
 * one that says to whom, and what belongs to it. Ports and checksum are put right, and most records
 * choose sequence numbers, acknowledgement, SACK blocks and timestamps near those of the moment, so
 * that the fuzzer gets past the first checks and meets every state.
 *
 * What must hold besides "no crash": after each record every connection passes tcp_check, and at
 * the end every buffer and every connection is given back.
 */
#include <errno.h>
#include <stdio.h>

#include "fake_eal.h"
#include "fake_ip.h"
#include "tcp.h"

#define FLOWS       4
#define POOL_COUNT  511
#define RECORDS_MAX 128
#define TURNS_MAX   50
#define SEGMENT_MAX 1400 /* with a header of 60 it fits any MTU of the bench */
#define OPEN_PORT   8080 /* where our own connections go */
#define LISTENERS   2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Switches of the bench. */
enum {
	BENCH_V6 = 1 << 0,
	BENCH_SMALL_BUFFERS = 1 << 1,
	BENCH_BIG_BUFFERS = 1 << 2,
	BENCH_TSO = 1 << 3,
	BENCH_SMALL_MSS = 1 << 4,
	BENCH_NO_TIME_WAIT = 1 << 5,
	BENCH_NO_TS = 1 << 6,
	BENCH_PACING = 1 << 7,
	BENCH_COOKIES = 1 << 8,
	BENCH_FAST_OPEN = 1 << 9,
	BENCH_DEFER_ACCEPT = 1 << 10,
	BENCH_CC = 3 << 11,
	BENCH_ECN = 3 << 13,
};

/* Somebody at the other end. */
struct flow {
	uint16_t local_port, remote_port;
	struct seq snd;  /* what we expect next of it */
	struct seq una;  /* what it acknowledged last */
	struct seq rcv;  /* the end of all that we sent */
	uint32_t ts_val; /* its clock */
	uint32_t ts_ecr; /* our last timestamp */
	uint32_t window; /* that we told last */
	uint8_t fast_open_len;
	uint8_t fast_open[WIRE_TCP_FAST_OPEN_MAX]; /* the cookie that we gave */
	struct tcp_conn *conn;
};

struct bench {
	struct clock_manual clock;
	struct worker *worker;
	struct steer steer;
	struct pkt_pools *pools;
	struct ip_stack *ip;
	struct tcp *tcp;
	struct ip_addr remote;
	uint8_t options[LISTENERS];
	struct tcp_listener *listener[LISTENERS];
	struct flow flow[FLOWS];
	uint16_t switches;
	uint8_t gather; /* packets that come in one burst with the next */
	bool paused, refuse;
	struct rte_mbuf *held; /* a chain of all buffers, while there are none */
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

static uint32_t next_word(struct input *in)
{
	uint32_t high = next_byte(in);

	return high << 8 | next_byte(in);
}

/* --- the owner --------------------------------------------------------------------- */

static void on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct flow *flow = user;
	struct tcp_conn_info info;

	tcp_conn_info(conn, &info);
	ASSERT(tcp_state_name(info.state) != NULL);
	if (!(events & TCP_EVENT_FAILED))
		return;
	ASSERT(tcp_conn_failure(conn) != TCP_FAILURE_NONE);
	flow->conn = NULL;
	tcp_conn_close(conn);
}

static bool on_accept(void *user, struct tcp_conn *conn)
{
	struct bench *b = user;

	for (uint32_t i = 0; i < FLOWS && !b->refuse; i++) {
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

/* --- the wire ---------------------------------------------------------------------- */

static void learn(struct bench *b, const struct fake_ip_sent *sent)
{
	const uint8_t *p = rte_pktmbuf_mtod(sent->m, const uint8_t *);
	struct wire_tcp h;

	ASSERT(wire_tcp_parse(p, sent->m->data_len, &h) == WIRE_OK);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow *flow = &b->flow[i];
		uint32_t n = sent->m->pkt_len - h.header_bytes + !!(h.flags & WIRE_TCP_SYN) +
			     !!(h.flags & WIRE_TCP_FIN);

		if (flow->remote_port != h.dst_port || flow->local_port != h.src_port ||
			h.flags & WIRE_TCP_RST)
			continue;
		if (h.flags & WIRE_TCP_SYN)
			flow->una = flow->rcv = h.seq;
		flow->rcv = seq_max(flow->rcv, seq_add(h.seq, n));
		if (h.flags & WIRE_TCP_ACK)
			flow->snd = h.ack;
		flow->window = h.window;
		if (h.has_timestamp)
			flow->ts_ecr = h.ts_val;
		if (h.fast_open_len) {
			flow->fast_open_len = h.fast_open_len;
			memcpy(flow->fast_open, h.fast_open, sizeof(flow->fast_open));
		}
	}
}

/* Turns until it is quiet; what was sent tells the peer our numbers. */
static void settle(struct bench *b)
{
	struct tcp_conn_info conn;
	struct fake_ip_sent sent;
	const char *broken;
	uint32_t turns = 0;

	while (worker_poll(b->worker, 0) > 0)
		ASSERT(++turns < TURNS_MAX);
	while (fake_ip_fetch(b->ip, &sent)) {
		learn(b, &sent);
		pkt_free(sent.m);
	}
	broken = tcp_check(b->tcp, &conn);
	if (broken)
		fprintf(stderr, "%s: %s\n", broken, tcp_state_name(conn.state));
	ASSERT(!broken);
}

static void receive(struct bench *b, const uint8_t *bytes, size_t n)
{
	struct rte_mbuf *m = pkt_alloc(b->pools);

	if (!m)
		return;
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), bytes, n);
	if (b->gather) {
		b->gather--;
		fake_ip_gather(b->ip, b->remote, b->ip->own, m);
	} else {
		fake_ip_receive(b->ip, b->remote, b->ip->own, m);
	}
}

static void emit(struct bench *b, struct flow *flow, struct wire_tcp *h, uint32_t len)
{
	uint8_t bytes[WIRE_TCP_BYTES_MAX + SEGMENT_MAX] = {0};
	size_t n;

	h->src_port = flow->remote_port;
	h->dst_port = flow->local_port;
	n = wire_tcp_emit(bytes, h);
	len = MIN(len, (uint32_t)SEGMENT_MAX);
	if (b->gather) /* the next one follows on it */
		flow->snd = seq_add(h->seq, len);
	receive(b, bytes, n + len);
}

/* A number near `at`: itself, steps of a byte or of a segment, about a window, or any. */
static struct seq near(struct seq at, struct input *in)
{
	uint8_t how = next_byte(in);
	int8_t step = (int8_t)(how << 2) / 4; /* the lower six bits, with sign */

	switch (how >> 6) {
	case 0:
		return seq_add(at, (uint32_t)(int32_t)step);
	case 1:
		return seq_add(at, (uint32_t)(step * 100));
	case 2:
		return seq_add(at, (uint32_t)(step * 4096));
	default:
		return seq_add(at, next_word(in) << 16 | next_word(in));
	}
}

static struct seq base_of(const struct flow *flow, uint8_t which)
{
	switch (which % 4) {
	case 0:
		return flow->rcv;
	case 1:
		return flow->una;
	case 2: /* in the middle of what is outstanding */
		return seq_add(flow->una, (uint32_t)seq_diff(flow->rcv, flow->una) / 2);
	default:
		return flow->snd;
	}
}

/* --- records: what the peer does --------------------------------------------------- */

static void do_raw(struct bench *b, struct flow *flow, struct input *in)
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
	}
	receive(b, bytes, n);
}

enum {
	NEAR_TS = 1 << 0,
	NEAR_TS_OLD = 1 << 1,
	NEAR_SACK = 1 << 2, /* and the next bit: one to four blocks */
	NEAR_SYN_OPTIONS = 1 << 4,
	NEAR_WINDOW = 1 << 5,
	NEAR_KEEP_ACK = 1 << 6, /* what it acknowledged counts as acknowledged from now on */
};

static void fill_options(struct flow *flow, struct wire_tcp *h, uint8_t what, struct input *in)
{
	if (what & NEAR_TS) {
		h->has_timestamp = true;
		h->ts_val = flow->ts_val + (what & NEAR_TS_OLD ? -next_word(in) : 1);
		h->ts_ecr = flow->ts_ecr - (what & NEAR_TS_OLD ? next_byte(in) : 0);
		flow->ts_val += 1;
	}
	if (what & NEAR_SACK) {
		h->sack_count = (uint8_t)(1 + next_byte(in) % WIRE_TCP_SACK_BLOCKS_MAX);
		for (uint32_t i = 0; i < h->sack_count; i++) {
			uint8_t which = next_byte(in);

			h->sack[i].start = near(base_of(flow, which), in);
			h->sack[i].end = which & 4 ? near(h->sack[i].start, in)
						   : near(base_of(flow, which >> 4), in);
		}
	}
	if (what & NEAR_SYN_OPTIONS) {
		h->has_mss = h->has_window_scale = h->has_sack_permitted = true;
		h->mss = (uint16_t)(next_byte(in) * 10);
		h->window_scale = next_byte(in) % 15;
	}
}

static void do_near(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t flags = next_byte(in), what = next_byte(in), which = next_byte(in);
	struct wire_tcp h = {.flags = flags};
	uint32_t len;

	h.seq = near(base_of(flow, (uint8_t)(3 - which)), in);
	h.ack = near(base_of(flow, which >> 4), in);
	h.window = what & NEAR_WINDOW ? (uint16_t)next_word(in) : 1000;
	fill_options(flow, &h, what, in);
	len = next_byte(in);
	emit(b, flow, &h, len < 128 ? len : (len - 127) * 11);
	if (what & NEAR_KEEP_ACK && seq_leq(h.ack, flow->rcv))
		flow->una = seq_max(flow->una, h.ack);
}

static struct wire_tcp proper(struct bench *b, struct flow *flow, uint8_t flags)
{
	flow->ts_val += 1;
	return (struct wire_tcp){
		.seq = flow->snd,
		.ack = flow->rcv,
		.window = 1000,
		.flags = flags,
		.has_timestamp = !(b->switches & BENCH_NO_TS),
		.ts_val = flow->ts_val,
		.ts_ecr = flow->ts_ecr,
	};
}

/* An honest peer: acknowledges all, or all but some, and sends what is next. */
static void do_proper(struct bench *b, struct flow *flow, struct input *in)
{
	struct wire_tcp h = proper(b, flow, WIRE_TCP_ACK);
	uint8_t how = next_byte(in);
	uint32_t outstanding = (uint32_t)seq_diff(flow->rcv, flow->una);
	uint32_t len = how & 1 ? next_byte(in) * 5u : 0;

	if (how & 2)
		h.ack = seq_add(flow->una, outstanding * next_byte(in) / 256);
	if (how & 4)
		h.flags |= WIRE_TCP_FIN;
	if (how & 8)
		h.window = next_word(in) & 0xffff;
	if (how & 16) { /* a hole of one segment or more after the ACK */
		h.ack = flow->una;
		h.sack_count = 1;
		h.sack[0].start = seq_add(flow->una, (1 + next_byte(in) % 8) * 1000u);
		h.sack[0].end = seq_max(seq_add(h.sack[0].start, 1), flow->rcv);
	}
	if (how & 32) /* our part is lost on the way */
		h.seq = seq_add(h.seq, next_byte(in) * 10u);
	if (how & 64)
		h.flags |= WIRE_TCP_RST;
	if (how & 128) { /* ECN */
		uint8_t ecn = next_byte(in);

		h.flags |= ecn & 0xc0;
		b->ip->tos = ecn & 3;
	}
	emit(b, flow, &h, len);
	b->ip->tos = 0;
	flow->una = seq_max(flow->una, h.ack);
}

enum {
	SYN_FAST_OPEN = 1 << 0, /* asks for a cookie */
	SYN_COOKIE = 1 << 1,    /* brings the one that we gave */
	SYN_NO_ACK = 1 << 2,    /* our answer is lost, or its ACK */
	SYN_ACK_TEXT = 1 << 3,
};

/* A handshake as a client does it. */
static void do_syn(struct bench *b, struct flow *flow, struct input *in)
{
	struct wire_tcp h = proper(b, flow, WIRE_TCP_SYN);
	uint8_t how = next_byte(in), more = next_byte(in);

	if (how & 1)
		flow->snd = SEQ(flow->snd.v + 100000);
	h.seq = flow->snd;
	h.ts_ecr = 0;
	h.has_mss = how & 2;
	h.mss = 1460;
	h.has_window_scale = how & 4;
	h.window_scale = 7;
	h.has_sack_permitted = how & 8;
	h.has_timestamp = how & 16;
	h.flags |= how & 0xc0;
	h.has_fast_open = more & SYN_FAST_OPEN;
	h.fast_open_len = more & SYN_COOKIE ? flow->fast_open_len : 0;
	memcpy(h.fast_open, flow->fast_open, h.fast_open_len);
	emit(b, flow, &h, how & 32 ? next_byte(in) : 0);
	settle(b);
	if (flow->remote_port == OPEN_PORT || more & SYN_NO_ACK)
		return;
	h = proper(b, flow, WIRE_TCP_ACK);
	h.has_timestamp = how & 16;
	emit(b, flow, &h, more & SYN_ACK_TEXT ? 100 : 0);
	flow->una = h.ack;
}

/* Answers our SYN as a server would. */
static void do_synack(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);
	struct wire_tcp h = proper(b, flow, WIRE_TCP_SYN | (how & 1 ? 0 : WIRE_TCP_ACK));

	flow->snd = h.seq = SEQ(-50);
	h.has_mss = how & 2;
	h.mss = (uint16_t)(how & 128 ? 64 : 1460);
	h.has_window_scale = how & 4;
	h.window_scale = 7;
	h.has_sack_permitted = how & 8;
	h.has_timestamp = how & 16;
	h.flags |= how & 0x40; /* ECE */
	if (b->switches & BENCH_FAST_OPEN) {
		h.has_fast_open = true;
		h.fast_open_len = 8;
		memset(h.fast_open, 1, h.fast_open_len);
	}
	emit(b, flow, &h, how & 32 ? 100 : 0);
	flow->una = h.ack;
}

static void do_icmp(struct bench *b, struct flow *flow, struct input *in)
{
	struct ip_icmp_error error = {
		.proto = WIRE_PROTO_TCP,
		.type = WIRE_ICMP_UNREACHABLE,
		.code = next_byte(in) % 16,
		.mtu = (uint16_t)(next_byte(in) * 10),
		.src = b->ip->own,
		.dst = b->remote,
	};

	store_be16(&error.l4[0], flow->local_port);
	store_be16(&error.l4[2], flow->remote_port);
	store_be32(&error.l4[4], near(base_of(flow, next_byte(in)), in).v);
	b->ip->error_fn(b->ip->ctx, &error);
}

/* --- records: what the owner does -------------------------------------------------- */

static void do_send(struct bench *b, struct flow *flow, struct input *in)
{
	static const char text[4096];
	uint32_t n = next_byte(in) * 32u;
	struct pkt_chain c = {0};

	if (!flow->conn)
		return;
	pkt_chain_write(&c, bytes_of(text, MIN(n, (uint32_t)sizeof(text))), b->pools);
	tcp_conn_send(flow->conn, &c, n);
	pkt_chain_free(&c);
}

static void do_recv(struct bench *b, struct flow *flow, struct input *in)
{
	struct pkt_chain c = {0};
	uint32_t n = next_byte(in) * 64u, taken;

	(void)b;
	if (!flow->conn)
		return;
	taken = tcp_conn_recv(flow->conn, &c, n);
	ASSERT(taken == c.bytes && taken <= n);
	pkt_chain_free(&c);
}

/* Small wishes. */
static void do_ask(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);

	if (how & 64)
		b->gather = how & 128 ? 7 : 1;
	if (!flow->conn)
		return;
	tcp_conn_set_more(flow->conn, how & 1);
	if (how & 2)
		tcp_conn_notify_sent(flow->conn);
	if (how & 4)
		tcp_conn_set_keepalive(flow->conn, how & 8);
	if (how & 16)
		(void)tcp_conn_recv_ended(flow->conn);
	if (how & 32)
		tcp_conn_shut(flow->conn);
}

static void do_close(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);

	(void)b;
	if (!flow->conn)
		return;
	if (how & 1)
		tcp_conn_abort(flow->conn);
	else
		tcp_conn_close(flow->conn);
	flow->conn = NULL;
}

static void do_connect(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);
	struct tcp_connect_config config = {
		.local = {.port = how & 1 ? 50000 : 0},
		.remote = {b->remote, OPEN_PORT},
		.options = b->options[how >> 1 & 1],
		.keepalive = how & 4,
		.ops = &ops,
		.user = flow,
	};
	enum tcp_failure failure;

	if (flow->conn)
		return;
	b->ip->path_error = how & 8 ? -ENETUNREACH : 0;
	flow->conn = tcp_connect(b->tcp, &config, &failure);
	b->ip->path_error = 0;
	if (!flow->conn)
		return;
	flow->local_port = tcp_conn_local(flow->conn).port;
	flow->remote_port = OPEN_PORT;
}

/* --- records: what happens to the machine ------------------------------------------ */

static void do_time(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);

	(void)flow;
	clock_manual_advance(&b->clock, (uint64_t)(1 + how % 16) * NS_PER_MS << how / 16);
}

static void listen_again(struct bench *b, uint32_t i)
{
	struct tcp_listen_config config = {
		.local = {b->switches & BENCH_V6 ? (struct ip_addr){{0}} : ip_addr_from_v4(0),
			(uint16_t)(80 + i)},
		.backlog = 2,
		.options = b->options[i],
		.ops = &ops,
		.user = b,
	};

	b->listener[i] = tcp_listen(b->tcp, &config, NULL);
	if (!b->listener[i]) /* do_memory, once */
		b->listener[i] = tcp_listen(b->tcp, &config, NULL);
	ASSERT(b->listener[i] != NULL);
}

static void do_listener(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);
	uint32_t i = how % LISTENERS;

	(void)flow;
	b->refuse = how & 16;
	if (how & 32) {
		tcp_listener_close(b->listener[i]);
		listen_again(b, i);
		b->paused = false;
	} else {
		b->paused = !b->paused;
		tcp_listener_pause(b->listener[i], b->paused);
	}
}

/* Memory runs out, or comes back. */
static void do_memory(struct bench *b, struct flow *flow, struct input *in)
{
	uint8_t how = next_byte(in);
	struct rte_mbuf *m;

	(void)flow;
	list_for_each (link, &b->worker->pools)
		if (how & 1)
			list_entry(link, struct mem_pool, link)->fail_nth = 1 + (how >> 5);
	while (b->held) {
		m = b->held;
		b->held = m->next;
		m->next = NULL;
		rte_pktmbuf_free(m);
	}
	while (how & 6 && (m = rte_pktmbuf_alloc(how & 2 ? b->pools->data : b->pools->ref))) {
		m->next = b->held;
		b->held = m;
	}
}

static void count(void *ctx, const struct tcp_conn_info *info)
{
	++*(uint32_t *)ctx;
	ASSERT(info->state < TCP_STATE_COUNT);
}

static void do_operator(struct bench *b, struct flow *flow, struct input *in)
{
	uint32_t counts[TCP_STATE_COUNT], cursor = 0, seen = 0, sum = 0;

	(void)flow;
	if (next_byte(in) & 1)
		tcp_abort_all(b->tcp);
	while (tcp_conn_each(b->tcp, &cursor, 16, count, &seen))
		;
	tcp_count_states(b->tcp, counts);
	for (uint32_t i = 0; i < TCP_STATE_COUNT; i++)
		sum += counts[i];
	ASSERT(sum == seen);
}

typedef void (*record_fn)(struct bench *b, struct flow *flow, struct input *in);

/* Some more often than others. */
static const record_fn records[] = {
	do_raw,
	do_near,
	do_near,
	do_near,
	do_proper,
	do_proper,
	do_syn,
	do_synack,
	do_icmp,
	do_time,
	do_send,
	do_recv,
	do_ask,
	do_close,
	do_connect,
	do_listener,
	do_memory,
	do_operator,
};

/* --- the bench --------------------------------------------------------------------- */

static uint32_t buffer_bytes(uint16_t switches)
{
	if (switches & BENCH_BIG_BUFFERS)
		return 4u << 20;
	return switches & BENCH_SMALL_BUFFERS ? 4096 : 16384;
}

static void tcp_init(struct bench *b)
{
	struct tcp_config config = {
		.conns_max = 8,
		.time_wait_max = b->switches & BENCH_NO_TIME_WAIT ? 1 : 4,
		.half_open_max = 4,
		.listeners_max = LISTENERS,
		.recv_buffer_bytes = buffer_bytes(b->switches),
		.send_buffer_bytes = buffer_bytes(b->switches),
		.recv_buffer_max_bytes = 1u << 20,
		.send_buffer_max_bytes = 1u << 20,
		.keepalive_idle_ms = 60000,
		.keepalive_probes = 3,
		.retries_data = 6,
		.cookies = b->switches & BENCH_COOKIES ? TCP_COOKIES_ALWAYS : TCP_COOKIES_AUTO,
		.cc = (enum tcp_cc_kind)((b->switches & BENCH_CC) / (BENCH_CC & -BENCH_CC)),
		.ecn = (enum tcp_ecn)((b->switches & BENCH_ECN) / (BENCH_ECN & -BENCH_ECN)),
		.pacing = b->switches & BENCH_PACING,
	};
	struct tcp_options options[LISTENERS] = {
		{.mss_max = 0},
		{
			.mss_max = b->switches & BENCH_SMALL_MSS ? 100 : 0,
			.fast_open = b->switches & BENCH_FAST_OPEN,
			.defer_accept = b->switches & BENCH_DEFER_ACCEPT,
			.user_timeout_ms = 20000,
		},
	};

	b->tcp = tcp_create(b->worker, b->ip, &b->steer, b->pools, &config, NULL);
	ASSERT(b->tcp != NULL);
	for (uint32_t i = 0; i < LISTENERS; i++) {
		b->options[i] = (uint8_t)tcp_options_add(b->tcp, &options[i], NULL);
		listen_again(b, i);
	}
}

static void bench_init(struct bench *b, struct pkt_pools *pools, uint16_t switches)
{
	static const struct ip_addr v6[2] = {
		{{0xfd, 0, [15] = 1}},
		{{0xfd, 0, [15] = 2}},
	};
	struct worker_config worker = {
		.name = "fuzz", .cores = 1, .clock = &b->clock.clock, .log_ring_bytes = 4096};
	struct input none = {NULL, 0};
	static const uint8_t all_options = 2 | 4 | 8 | 16;

	*b = (struct bench){.pools = pools, .switches = switches};
	clock_manual_init(&b->clock, NS_PER_SEC);
	b->worker = worker_create(&worker, NULL);
	ASSERT(b->worker != NULL);
	worker_connect(&b->worker, 1);
	steer_init(&b->steer, 1);
	b->ip = fake_ip_create(b->worker);
	b->ip->caps = switches & BENCH_TSO ? PORT_CAP_TX_TSO : 0;
	b->remote = switches & BENCH_V6 ? v6[1] : ip_addr_from_v4(0x0a000002);
	if (switches & BENCH_V6)
		b->ip->own = v6[0];
	worker_poll(b->worker, 0);
	tcp_init(b);
	for (uint16_t i = 0; i < FLOWS; i++)
		b->flow[i] = (struct flow){.local_port = (uint16_t)(80 + i % LISTENERS),
			.remote_port = (uint16_t)(40000 + i),
			.snd = SEQ(-100),
			.ts_val = 1};
	do_syn(b, &b->flow[0], &(struct input){&all_options, 1});
	settle(b);
	do_connect(b, &b->flow[1], &none);
	settle(b);
	do_synack(b, &b->flow[1], &(struct input){&all_options, 1});
	settle(b);
	do_connect(b, &b->flow[2], &none);
	settle(b);
}

static void bench_fini(struct bench *b)
{
	struct input none = {NULL, 0};

	do_memory(b, NULL, &none);
	tcp_destroy(b->tcp);
	b->worker->poller_count = 0;
	fake_ip_destroy(b->ip);
	worker_destroy(b->worker);
	ASSERT(pkt_pools_used(b->pools) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pkt_pools pools;
	struct input in = {data, size};
	struct bench b;

	fake_eal_init();
	if (!pools.data)
		ASSERT(pkt_pools_init(&pools, "fuzz", POOL_COUNT, POOL_COUNT, -1, NULL) == 0);
	bench_init(&b, &pools, (uint16_t)next_word(&in));
	for (int i = 0; i < RECORDS_MAX && in.left > 0; i++) {
		record_fn record = records[next_byte(&in) % ARRAY_LEN(records)];

		record(&b, &b.flow[next_byte(&in) % FLOWS], &in);
		settle(&b);
	}
	bench_fini(&b);
	return 0;
}
