/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine under a flood: 64 packets a millisecond from everywhere, while a client opens
 * connections, moves bytes both ways, and closes. All of that must be as if there was no flood, the
 * memory stays within its pools, and each packet of the flood is found in one counter.
 *
 *     sim_flood KIND [--verbose]
 *
 * The packets come out of nothing (sim_inject), from 198.18.0.0/15; what the machine answers goes
 * by way of the client's machine, which drops it. In the kinds "connect*" somebody ends each
 * handshake and then says nothing more.
 */
#include "check.h"

#include <stdio.h>

#include "fake_eal.h"
#include "fake_frame.h"
#include "sim_app.h"
#include "udp.h"

#define FLOWS          12
#define FLOW_BYTES     20000
#define FLOOD_START_NS (100 * NS_PER_MS)
#define FLOOD_TURNS    1500
#define FLOOD_PER_TURN 64
#define TURNS_MAX      200 /* of the machines in a millisecond */
#define TIME_MAX_NS    (300 * NS_PER_SEC)
#define FRAMES_MAX     4095
#define POOL_DATA      4095
#define SERVER_CONNS   256
#define SERVER_HALF    64
#define SERVER_BACKLOG 32
#define PAUSE_AT       100 /* idle connections, in the kind "connect_paused" */
#define FLOOD_NET      0xc6120000u
#define FLOOD_MASK     0x0001ffffu
#define CLOSED_PORT    81

struct flood;

struct kind {
	const char *name;
	struct rte_mbuf *(*make)(struct flood *f, const struct fake_frame *from);
	void (*judge)(struct flood *f); /* at the end: where the packets went */
	bool handshakes;                /* completes them; flows begin before and after the flood */
	bool pauses;                    /* the listener, at PAUSE_AT connections */
};

struct flood {
	const struct kind *kind;
	bool verbose;
	struct rand rand;
	struct clock_manual clock;
	uint64_t start_ns;
	struct sim_net *net;
	struct pkt_pools *frames; /* of the flood */
	struct host server, client;
	struct flow flow[FLOWS];
	struct flows flows;
	struct tcp_listener *listener;
	uint64_t sent; /* packets of the flood */
	struct tcp_conn *idle[SERVER_CONNS];
	uint32_t idle_count, idle_total;
	bool over; /* the flood */
	uint32_t conns_most, data_most;
};

/* --- counters ---------------------------------------------------------------------- */

static uint64_t stat_of(const struct host *h, const char *module, uint32_t row)
{
	list_for_each (link, &h->w[0]->groups) {
		const struct stat_group *group = list_entry(link, struct stat_group, link);

		if (strcmp(group->module, module) == 0)
			return group->values[row];
	}
	fail_msg("no counters of %s", module);
	return 0;
}

static uint64_t tcp_stat(const struct flood *f, enum tcp_stat row)
{
	return stat_of(&f->server, "tcp", row);
}

static uint64_t ip_stat(const struct flood *f, enum ip_stat row)
{
	return stat_of(&f->server, "ip", row);
}

/* SYNs of the client; none of them had to be sent again. */
static uint64_t client_syns(const struct flood *f)
{
	assert_int_equal(stat_of(&f->client, "tcp", TCP_STAT_OPEN_FAILED), 0);
	return stat_of(&f->client, "tcp", TCP_STAT_OPEN_ACTIVE);
}

/* --- kinds: what comes, where it must be found ------------------------------------- */

static struct rte_mbuf *make_tcp(
	struct flood *f, const struct fake_frame *from, uint16_t port, uint8_t flags)
{
	struct wire_tcp h = {
		.src_port = (uint16_t)(1024 + rand_below(&f->rand, 60000)),
		.dst_port = port,
		.seq = SEQ(rand_u32(&f->rand)),
		.ack = SEQ(flags & WIRE_TCP_ACK ? rand_u32(&f->rand) : 0),
		.window = 1024,
		.flags = flags,
		.has_mss = flags & WIRE_TCP_SYN,
		.mss = 1460,
	};

	return fake_frame_tcp(f->frames, from, &h, NULL, 0);
}

static struct rte_mbuf *make_syn(struct flood *f, const struct fake_frame *from)
{
	return make_tcp(f, from, APP_PORT, WIRE_TCP_SYN);
}

static void judge_syn(struct flood *f)
{
	uint64_t normal = tcp_stat(f, TCP_STAT_OPEN_FAILED) + tcp_stat(f, TCP_STAT_OPEN_PASSIVE) -
			  tcp_stat(f, TCP_STAT_COOKIES_GOOD);

	assert_int_equal(normal + tcp_stat(f, TCP_STAT_COOKIES_SENT), f->sent + client_syns(f));
	assert_in_range(tcp_stat(f, TCP_STAT_OPEN_FAILED), 1, 4 * SERVER_HALF);
	assert_true(tcp_stat(f, TCP_STAT_COOKIES_BEGUN) > 0);
	assert_int_equal(tcp_stat(f, TCP_STAT_COOKIES_ON), 0);
	assert_int_equal(tcp_stat(f, TCP_STAT_COOKIES_BAD), 0);
	assert_true(f->conns_most <= SERVER_HALF + FLOWS);
}

/* Every second one to a port that is closed: resets are limited for each kind of port. */
static struct rte_mbuf *make_ack(struct flood *f, const struct fake_frame *from)
{
	return make_tcp(f, from, f->sent & 1 ? CLOSED_PORT : APP_PORT, WIRE_TCP_ACK);
}

static void judge_answered(struct flood *f)
{
	uint64_t limited = tcp_stat(f, TCP_STAT_RST_LIMITED);
	uint64_t limited_open = tcp_stat(f, TCP_STAT_RST_LIMITED_OPEN);

	assert_int_equal(tcp_stat(f, TCP_STAT_LISTEN_NO_CONN), f->sent / 2);
	assert_int_equal(tcp_stat(f, TCP_STAT_RX_NO_CONN), f->sent / 2);
	assert_int_equal(tcp_stat(f, TCP_STAT_TX_RST) + limited + limited_open, f->sent);
	assert_in_range(limited, f->sent / 2 - 1700, f->sent / 2);
	assert_in_range(limited_open, f->sent / 2 - 1700, f->sent / 2);
}

static struct rte_mbuf *make_rst(struct flood *f, const struct fake_frame *from)
{
	return make_tcp(f, from, f->sent & 1 ? CLOSED_PORT : APP_PORT, WIRE_TCP_RST);
}

static void judge_rst(struct flood *f)
{
	assert_int_equal(tcp_stat(f, TCP_STAT_LISTEN_NO_CONN), f->sent / 2);
	assert_int_equal(tcp_stat(f, TCP_STAT_RX_NO_CONN), f->sent / 2);
	assert_int_equal(tcp_stat(f, TCP_STAT_TX_RST), 0);
	assert_int_equal(tcp_stat(f, TCP_STAT_RX_RST), 0);
}

static struct rte_mbuf *make_fin(struct flood *f, const struct fake_frame *from)
{
	return make_tcp(f, from, f->sent & 1 ? CLOSED_PORT : APP_PORT, WIRE_TCP_FIN | WIRE_TCP_ACK);
}

static struct rte_mbuf *make_udp(struct flood *f, const struct fake_frame *from)
{
	return fake_frame_udp(
		f->frames, from, (uint16_t)(1024 + rand_below(&f->rand, 60000)), 9, "flood", 5);
}

static void judge_udp(struct flood *f)
{
	assert_int_equal(stat_of(&f->server, "udp", UDP_STAT_RX_NO_PORT), f->sent);
	assert_int_equal(
		ip_stat(f, IP_STAT_ICMP_ERROR_OUT) + ip_stat(f, IP_STAT_ICMP_LIMITED), f->sent);
	assert_in_range(ip_stat(f, IP_STAT_ICMP_ERROR_OUT), 1, 400);
}

/* Echo requests, and errors about connections that are not there. */
static struct rte_mbuf *make_icmp(struct flood *f, const struct fake_frame *from)
{
	struct wire_icmp echo = {.type = WIRE_ICMP_ECHO, .rest = rand_u32(&f->rand)};
	struct wire_icmp error = {
		.type = WIRE_ICMP_UNREACHABLE, .code = WIRE_ICMP_UNREACH_NEEDFRAG, .rest = 100};
	uint8_t quote[WIRE_IPV4_BYTES_MIN + 8] = {0};
	struct wire_ipv4 h = {
		.src = from->dst,
		.dst = f->client.addr,
		.total_bytes = 1500,
		.ttl = 60,
		.proto = WIRE_PROTO_TCP,
	};

	if (f->sent & 1)
		return fake_frame_icmp(f->frames, from, &echo, "flood", 5);
	wire_ipv4_emit(quote, &h);
	store_be16(quote + WIRE_IPV4_BYTES_MIN, APP_PORT);
	store_be16(quote + WIRE_IPV4_BYTES_MIN + 2, (uint16_t)rand_u32(&f->rand));
	store_be32(quote + WIRE_IPV4_BYTES_MIN + 4, rand_u32(&f->rand));
	return fake_frame_icmp(f->frames, from, &error, quote, sizeof(quote));
}

static void judge_icmp(struct flood *f)
{
	uint64_t answered = ip_stat(f, IP_STAT_ICMP_ECHO_IN);

	assert_int_equal(answered + ip_stat(f, IP_STAT_ICMP_ECHO_LIMITED), f->sent / 2);
	assert_in_range(answered, 1000, 2000);
	assert_int_equal(ip_stat(f, IP_STAT_ICMP_ERROR_IN), f->sent / 2);
	assert_int_equal(tcp_stat(f, TCP_STAT_ICMP_ERRORS), 0);
}

/* The first of two fragments, whose second one never comes. */
static struct rte_mbuf *make_fragment(struct flood *f, const struct fake_frame *from)
{
	struct rte_mbuf *m = make_tcp(f, from, APP_PORT, WIRE_TCP_ACK);
	uint16_t fill = (uint16_t)(8 - (m->pkt_len - WIRE_ETHER_BYTES - WIRE_IPV4_BYTES_MIN) % 8);
	uint8_t *p;
	struct wire_ipv4 h;

	memset(rte_pktmbuf_append(m, fill), 0, fill);
	p = rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETHER_BYTES);
	assert_int_equal(wire_ipv4_parse(p, m->pkt_len - WIRE_ETHER_BYTES, false, &h), WIRE_OK);
	h.total_bytes = (uint16_t)(m->pkt_len - WIRE_ETHER_BYTES);
	wire_ipv4_emit(p, &h);
	fake_frame_fragment(m, (uint16_t)rand_u32(&f->rand), 0, true);
	return m;
}

static void judge_fragment(struct flood *f)
{
	uint64_t gone = ip_stat(f, IP_STAT_RX_FRAGMENT_TIMEOUT) +
			ip_stat(f, IP_STAT_RX_FRAGMENT_TABLE_FULL) +
			ip_stat(f, IP_STAT_RX_FRAGMENT_SOURCE_FULL) +
			ip_stat(f, IP_STAT_RX_FRAGMENT_BUFFERS_FULL);

	assert_int_equal(ip_stat(f, IP_STAT_RX_FRAGMENT), f->sent);
	assert_int_equal(ip_stat(f, IP_STAT_RX_REASSEMBLED), 0);
	assert_int_equal(gone, f->sent);
	assert_true(f->data_most < POOL_DATA / 2);
}

static void judge_connect(struct flood *f)
{
	uint64_t refused = tcp_stat(f, TCP_STAT_NO_CONN) + tcp_stat(f, TCP_STAT_REPLY_FULL) +
			   tcp_stat(f, TCP_STAT_LISTEN_BACKLOG_FULL) +
			   tcp_stat(f, TCP_STAT_LISTEN_HALF_OPEN_FULL);

	assert_int_equal(tcp_stat(f, TCP_STAT_OPEN_PASSIVE) + refused, f->sent + client_syns(f));
	assert_int_equal(tcp_stat(f, TCP_STAT_OPEN_PASSIVE), f->idle_total + FLOWS);
	if (f->kind->pauses) {
		assert_int_equal(f->idle_total, PAUSE_AT + SERVER_BACKLOG);
		assert_int_equal(refused, tcp_stat(f, TCP_STAT_LISTEN_BACKLOG_FULL));
	} else {
		assert_int_equal(f->conns_most, SERVER_CONNS);
		assert_int_equal(refused, tcp_stat(f, TCP_STAT_NO_CONN));
	}
}

static const struct kind kinds[] = {
	{"syn", make_syn, judge_syn},
	{"ack", make_ack, judge_answered},
	{"rst", make_rst, judge_rst},
	{"fin", make_fin, judge_answered},
	{"udp", make_udp, judge_udp},
	{"icmp", make_icmp, judge_icmp},
	{"fragment", make_fragment, judge_fragment},
	{"connect", make_syn, judge_connect, .handshakes = true},
	{"connect_paused", make_syn, judge_connect, .handshakes = true, .pauses = true},
};

/* --- the flood --------------------------------------------------------------------- */

static void inject(struct flood *f, struct rte_mbuf *m)
{
	assert_true(sim_inject(f->server.port, rte_pktmbuf_mtod(m, const void *), m->pkt_len));
	pkt_free(m);
}

static void flood_turn(struct flood *f)
{
	for (uint32_t i = 0; i < FLOOD_PER_TURN; i++) {
		struct fake_frame from = {
			.src = ip_addr_from_v4(FLOOD_NET | (rand_u32(&f->rand) & FLOOD_MASK)),
			.dst = f->server.addr,
		};

		inject(f, f->kind->make(f, &from));
		f->sent++;
	}
}

static bool is_of_flood(const struct ip_addr *addr)
{
	return ip_addr_is_v4(addr) && (ip_addr_to_v4(addr) & ~FLOOD_MASK) == FLOOD_NET;
}

/* Ends the handshakes of the flood. */
static enum sim_verdict on_frame(void *ctx, const struct sim_frame *frame)
{
	struct flood *f = ctx;
	const uint8_t *p = rte_pktmbuf_mtod_offset(frame->m, const uint8_t *, WIRE_ETHER_BYTES);
	size_t len = frame->m->pkt_len - WIRE_ETHER_BYTES;
	struct wire_ipv4 ip;
	struct wire_tcp h, ack;

	if (wire_ipv4_parse(p, len, false, &ip) != WIRE_OK || ip.proto != WIRE_PROTO_TCP ||
		!is_of_flood(&ip.dst) ||
		wire_tcp_parse(p + ip.header_bytes, len - ip.header_bytes, &h) != WIRE_OK)
		return SIM_PASS;
	if (h.flags != (WIRE_TCP_SYN | WIRE_TCP_ACK))
		return SIM_DROP;
	ack = (struct wire_tcp){
		.src_port = h.dst_port,
		.dst_port = h.src_port,
		.seq = h.ack,
		.ack = seq_add(h.seq, 1),
		.window = 1024,
		.flags = WIRE_TCP_ACK,
	};
	inject(f, fake_frame_tcp(f->frames, &(struct fake_frame){.src = ip.dst, .dst = ip.src},
			  &ack, NULL, 0));
	return SIM_DROP;
}

/* --- the machine's owner ----------------------------------------------------------- */

static void on_idle_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	(void)conn;
	(void)user;
	assert_false(events & TCP_EVENT_FAILED);
}

static const struct tcp_owner_ops idle_ops = {.on_event = on_idle_event};

/* Once the flood is over its connections are not wanted any more. */
static bool on_accept(void *user, struct tcp_conn *conn)
{
	struct flood *f = user;
	struct endpoint remote = tcp_conn_remote(conn);

	if (!is_of_flood(&remote.addr)) {
		tcp_conn_set_owner(conn, &app_listen_ops, NULL);
		return app_listen_ops.on_accept(&f->flows, conn);
	}
	f->idle_total++;
	if (f->over)
		return false;
	assert_true(f->idle_count < SERVER_CONNS);
	f->idle[f->idle_count++] = conn;
	tcp_conn_set_owner(conn, &idle_ops, f);
	if (f->kind->pauses && f->idle_count == PAUSE_AT)
		tcp_listener_pause(f->listener, true);
	return true;
}

static const struct tcp_owner_ops listen_ops = {.on_accept = on_accept};

static void flood_ends(struct flood *f)
{
	f->over = true;
	while (f->idle_count > 0)
		tcp_conn_abort(f->idle[--f->idle_count]);
	tcp_listener_pause(f->listener, false);
}

/* --- the run ----------------------------------------------------------------------- */

static void plan_flows(struct flood *f)
{
	uint64_t end_ns = FLOOD_START_NS + FLOOD_TURNS * NS_PER_MS;

	f->flows = (struct flows){FLOWS, f->flow, 0};
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow *flow = &f->flow[i];
		struct app_plan plan = {
			.send_bytes = FLOW_BYTES,
			.piece_bytes = 1000,
			.read_bytes = 2000,
			.read_pause_ns = 20 * NS_PER_MS,
			.abort_at_bytes = UINT32_MAX,
			.close_at_bytes = UINT32_MAX,
		};

		*flow = (struct flow){
			.number = i, .client_host = 1, .start_ns = i * 120 * NS_PER_MS};
		if (f->kind->handshakes) /* nobody gets in while it lasts */
			flow->start_ns = i < FLOWS / 2 ? i * 10 * NS_PER_MS
						       : end_ns + (50 + i * 10) * NS_PER_MS;
		flow->client = (struct app){.flow = flow, .host = &f->client, .plan = plan};
		flow->server = (struct app){
			.flow = flow, .host = &f->server, .plan = plan, .direction = 1};
	}
}

static void setup(struct flood *f, struct pkt_pools *pools)
{
	const struct ip_route_config everywhere = {
		.prefix = {ip_addr_from_v4(0), 0}, .gateway = ip_addr_from_v4(0x0a000002)};
	struct impair_config line = {.delay_ns = 5 * NS_PER_MS};
	struct host_config config = {
		.number = 1,
		.cores = 1,
		.seed = 1,
		.udp = true,
		.route = &everywhere,
		.tcp = {.conns_max = SERVER_CONNS,
			.time_wait_max = 64,
			.time_wait_ms = 1000,
			.half_open_max = SERVER_HALF,
			.listeners_max = 2,
			.retries_syn = 1,
			.recv_buffer_bytes = 32768,
			.send_buffer_bytes = 32768,
			.secret = {7, 8}},
	};
	struct tcp_listen_config listen = {.local = {ip_addr_from_v4(0), APP_PORT},
		.backlog = SERVER_BACKLOG,
		.ops = &listen_ops,
		.user = f};

	rand_init(&f->rand, 1);
	clock_manual_init(&f->clock, NS_PER_SEC);
	f->start_ns = f->clock.now_ns;
	f->frames = &pools[2];
	f->net = sim_net_create(&f->clock, 1, FRAMES_MAX, NULL);
	assert_non_null(f->net);
	host_init(&f->server, f->net, &f->clock, &config, &pools[0]);
	config.number = 2;
	config.udp = false;
	config.route = NULL;
	host_init(&f->client, f->net, &f->clock, &config, &pools[1]);
	f->listener = tcp_listen(f->server.tcp[0], &listen, NULL);
	assert_non_null(f->listener);
	assert_non_null(
		sim_link_create(f->net, f->server.port, f->client.port, &line, &line, NULL));
	if (f->kind->handshakes)
		sim_net_hook(f->net, on_frame, f);
	plan_flows(f);
}

static void watch(struct flood *f)
{
	f->conns_most = MAX(f->conns_most, (uint32_t)tcp_stat(f, TCP_STAT_CONNS));
	f->data_most = MAX(f->data_most, pkt_pools_used(f->server.pools[0]));
}

static bool all_over(const struct flood *f)
{
	for (uint32_t i = 0; i < FLOWS; i++)
		if (!f->flow[i].client.over || !f->flow[i].server.over)
			return false;
	return f->over && host_left(&f->server) + host_left(&f->client) == 0 &&
	       pkt_pools_used(f->server.pools[0]) == 0;
}

static void run(struct flood *f)
{
	while (!all_over(f)) {
		uint64_t at_ns = f->clock.now_ns - f->start_ns;
		uint64_t end_ns = FLOOD_START_NS + FLOOD_TURNS * NS_PER_MS;
		uint32_t turns = 0;

		assert_true(at_ns < TIME_MAX_NS);
		for (uint32_t i = 0; i < FLOWS; i++)
			if (!f->flow[i].started && at_ns >= f->flow[i].start_ns)
				app_connect(&f->flow[i], &f->client, 0, &f->server);
		if (at_ns >= FLOOD_START_NS && at_ns < end_ns)
			flood_turn(f);
		else if (at_ns >= end_ns && !f->over)
			flood_ends(f);
		while (host_poll(&f->server) + host_poll(&f->client) > 0) {
			watch(f);
			assert_true(++turns < TURNS_MAX);
		}
		clock_manual_advance(&f->clock, NS_PER_MS);
	}
}

static void judge_flows(const struct flood *f)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow *flow = &f->flow[i];

		assert_false(flow->wrong);
		assert_int_equal(flow->client.failure, TCP_FAILURE_NONE);
		assert_int_equal(flow->server.failure, TCP_FAILURE_NONE);
		assert_int_equal(flow->client.received_bytes, FLOW_BYTES);
		assert_int_equal(flow->server.received_bytes, FLOW_BYTES);
	}
	assert_int_equal(stat_of(&f->client, "tcp", TCP_STAT_RETRANSMITS), 0);
}

static void show(const struct flood *f)
{
	print_message("%llu packets, connections at most %u, buffers at most %u\n",
		(unsigned long long)f->sent, f->conns_most, f->data_most);
	list_for_each (link, &f->server.w[0]->groups) {
		const struct stat_group *group = list_entry(link, struct stat_group, link);

		for (uint32_t i = 0; i < group->count; i++)
			if (group->values[i])
				print_message("%s %s %llu\n", group->module, group->rows[i].symbol,
					(unsigned long long)group->values[i]);
	}
}

static void test_flood(void **state)
{
	static struct pkt_pools pools[3];
	struct flood *f = *state;

	for (uint32_t i = 0; i < ARRAY_LEN(pools); i++) {
		char name[] = {'f', 'l', 'o', 'o', 'd', (char)('0' + i), 0};

		assert_int_equal(
			pkt_pools_init(&pools[i], name, POOL_DATA, POOL_DATA, -1, NULL), 0);
	}
	setup(f, pools);
	run(f);
	if (f->verbose)
		show(f);
	assert_int_equal(f->sent, FLOOD_TURNS * FLOOD_PER_TURN);
	judge_flows(f);
	f->kind->judge(f);
	host_fini(&f->server);
	host_fini(&f->client);
	assert_int_equal(sim_net_destroy(f->net), 0);
	for (uint32_t i = 0; i < ARRAY_LEN(pools); i++) {
		assert_int_equal(pkt_pools_used(&pools[i]), 0);
		assert_int_equal(pkt_pools_fini(&pools[i]), 0);
	}
}

int main(int argc, char **argv)
{
	static struct flood flood;
	struct CMUnitTest test = {.test_func = test_flood, .initial_state = &flood};

	for (uint32_t i = 0; argc > 1 && i < ARRAY_LEN(kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			flood.kind = &kinds[i];
	if (!flood.kind) {
		fprintf(stderr, "usage: sim_flood KIND [--verbose]\n");
		return 2;
	}
	flood.verbose = argc > 2;
	test.name = flood.kind->name;
	fake_eal_init();
	return _cmocka_run_group_tests("flood", &test, 1, NULL, NULL);
}
