/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly. A packet of TCP is cut as each row says; its bytes follow a pattern, so what comes
 * out can be compared with what was cut, and an overlap may agree with what is there or not.
 */
#include "fixture.h"

#define PACKET_MAX  65536
#define STEPS_MAX   70
#define IP_AT       14
#define TIMEOUT_NS  (31 * NS_PER_SEC)
#define COUNT_MAX   512 /* as in ip_reasm.c */
#define SOURCE_MAX  32
#define PARTS_MAX   64
#define FRAGMENT_AT 6
#define LARGEST     65515 /* bytes behind the header */

static uint8_t pattern[PACKET_MAX];

static void pattern_init(void)
{
	struct wire_tcp tcp = {.src_port = 5000, .dst_port = 80, .flags = WIRE_TCP_ACK};

	for (uint32_t i = 0; i < PACKET_MAX; i++)
		pattern[i] = (uint8_t)(i * 7 + i / 256);
	wire_tcp_emit(pattern, &tcp);
}

struct fragment {
	uint16_t off, len;
	bool more;
	bool other_bytes; /* not those of the pattern */
	uint8_t tos;
	uint8_t proto; /* 0: TCP */
	uint16_t id;   /* 0: 77 */
	const char *src;
};

static struct rte_mbuf *build(struct fixture *f, const struct fragment *s)
{
	struct fake_frame frame = {.src = fake_addr(s->src != NULL ? s->src : "10.0.0.2"),
		.dst = fake_addr("10.0.0.1"),
		.tos = s->tos};
	uint8_t bytes[2000];
	struct rte_mbuf *m;

	assert_true(s->len <= sizeof(bytes));
	memcpy(bytes, pattern + s->off, s->len);
	if (s->other_bytes)
		bytes[s->len - 1] ^= 1;
	m = fake_frame_ipv4(&f->net->pools[0], &frame, s->proto != 0 ? s->proto : WIRE_PROTO_TCP,
		bytes, s->len);
	fake_frame_fragment(m, s->id != 0 ? s->id : 77, s->off, s->more);
	return m;
}

static void receive(struct fixture *f, const struct fragment *s)
{
	fake_net_receive(f->net, build(f, s));
}

static uint32_t buffers_used(struct fixture *f)
{
	return pkt_pools_used(&f->net->pools[0]);
}

/* The TCP of core 0 got the first `bytes` bytes of the pattern, and gives them back. */
static void expect_whole(struct fixture *f, uint32_t core, uint32_t bytes)
{
	const struct ip_packet *p = &f->tcp[core].packets[0];
	static uint8_t copy[PACKET_MAX];
	const uint8_t *ip;
	struct wire_ipv4 h;

	assert_int_equal(f->tcp[core].count, 1);
	assert_int_equal(p->m->pkt_len, bytes);
	rte_mbuf_sanity_check(p->m, 1);
	assert_memory_equal(rte_pktmbuf_read(p->m, 0, bytes, copy), pattern, bytes);
	assert_false(p->l4_checksum_ok);
	ip = rte_pktmbuf_mtod(p->m, const uint8_t *) - p->m->l3_len;
	assert_int_equal(wire_ipv4_parse(ip, PACKET_MAX, false, &h), WIRE_OK);
	assert_int_equal(h.total_bytes, p->m->l3_len + bytes);
	assert_int_equal(h.tos, p->tos);
	assert_false(h.more_fragments);
	fake_sink_clear(&f->tcp[core]);
}

static void pass(struct fixture *f, uint64_t ns)
{
	fake_workers_advance(f->net->f, ns);
	fake_workers_settle(f->net->f);
}

struct row {
	const char *name;
	uint32_t whole;    /* bytes of the packet that comes out; 0: none does */
	enum ip_stat drop; /* counted once; IP_STAT_COUNT: nothing is dropped */
	uint8_t tos;       /* of what comes out */
	struct fragment steps[8];
};

#define NONE IP_STAT_COUNT

static const struct row rows[] = {
	{"in order", 3000, NONE, 0, {{0, 1480, true}, {1480, 1480, true}, {2960, 40, false}}},
	{"in reverse", 3000, NONE, 0, {{2960, 40, false}, {1480, 1480, true}, {0, 1480, true}}},
	{"last, first, middle", 3000, NONE, 0,
		{{2960, 40, false}, {0, 1480, true}, {1480, 1480, true}}},
	{"in eights", 48, NONE, 0, {{0, 24, true}, {24, 8, true}, {40, 8, false}, {32, 8, true}}},
	{"duplicate", 2960, IP_STAT_RX_FRAGMENT_DUPLICATE, 0,
		{{0, 1480, true}, {0, 1480, true}, {1480, 1480, false}}},
	{"duplicate of the last", 2960, IP_STAT_RX_FRAGMENT_DUPLICATE, 0,
		{{1480, 1480, false}, {1480, 1480, false}, {0, 1480, true}}},
	{"same place, other bytes", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{0, 1480, true}, {0, 1480, true, .other_bytes = true}}},
	{"overlap with the one before", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{0, 1480, true}, {1472, 1480, false}}},
	{"overlap with the one behind", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{1480, 1480, false}, {0, 1488, true}}},
	{"overlap with both", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{0, 800, true}, {1600, 800, false}, {792, 816, true}}},
	{"around another", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0, {{800, 800, true}, {0, 1800, true}}},
	{"inside another", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0, {{0, 1600, true}, {800, 8, true}}},
	{"shorter at the same place", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{0, 1480, true}, {0, 1472, true}}},
	{"overlap as large as a hole", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{1600, 400, false}, {0, 800, true}, {400, 800, true}}},
	{"a duplicate said to be the last", 0, IP_STAT_RX_FRAGMENT_OVERLAP, 0,
		{{1480, 1480, true}, {1480, 1480, false}}},
	{"two ends", 0, IP_STAT_RX_FRAGMENT_LENGTH, 0, {{1480, 1480, false}, {2960, 1480, false}}},
	{"more behind the end", 0, IP_STAT_RX_FRAGMENT_LENGTH, 0,
		{{1480, 1480, false}, {2960, 1480, true}}},
	{"an end before what is there", 0, IP_STAT_RX_FRAGMENT_LENGTH, 0,
		{{2960, 1480, true}, {1480, 1480, false}}},
	{"the last is said not to be", 0, IP_STAT_RX_FRAGMENT_LENGTH, 0,
		{{2000, 800, false}, {2000, 800, true}}},
	{"header not whole", 0, IP_STAT_RX_FRAGMENT_TINY, 0, {{0, 16, true}}},
	{"data offset beyond the fragment", 0, IP_STAT_RX_FRAGMENT_TINY, 0,
		{{0, 24, true, .proto = WIRE_PROTO_TCP, .src = "10.0.0.3"}}},
	{"behind 8 bytes of TCP", 0, IP_STAT_RX_FRAGMENT_TINY, 0, {{8, 1480, true}}},
	{"no data", 0, IP_STAT_RX_FRAGMENT_LENGTH, 0, {{0, 1480, true}, {1480, 0, false}}},
	{"congestion is kept", 2960, NONE, 3,
		{{0, 1480, true, .tos = 2}, {1480, 1480, false, .tos = 3}}},
	{"congestion without ECN", 0, IP_STAT_RX_FRAGMENT_ECN, 0,
		{{0, 1480, true}, {1480, 1480, false, .tos = 3}}},
	{"the first one's class", 2960, NONE, 0x48,
		{{1480, 1480, false}, {0, 1480, true, .tos = 0x48}}},
};

/* Counters of fragments and of what is delivered are not drops. */
static uint64_t drops(struct fixture *f, enum ip_stat stat)
{
	uint64_t sum = 0;

	for (uint32_t i = IP_STAT_RX_FRAGMENT_OVERLAP; i <= IP_STAT_RX_FRAGMENT_BUFFERS_FULL; i++)
		if (stat == IP_STAT_COUNT || i == (uint32_t)stat)
			sum += stat_of(f, 0, (enum ip_stat)i);
	return sum;
}

static void run(struct fixture *f, const struct row *row)
{
	uint64_t all = drops(f, IP_STAT_COUNT);
	uint64_t one = row->drop == NONE ? 0 : drops(f, row->drop);

	print_message("# %s\n", row->name);
	for (uint32_t i = 0; i < ARRAY_LEN(row->steps); i++) {
		struct fragment s = row->steps[i];

		if (s.off == 0 && s.len == 0)
			break;
		if (s.src != NULL) /* the row whose header says 40 bytes */
			pattern[12] = 0xa0;
		receive(f, &s);
	}
	pattern_init();
	if (row->whole != 0) {
		assert_int_equal(f->tcp[0].packets[0].tos, row->tos);
		expect_whole(f, 0, row->whole);
	}
	assert_int_equal(f->tcp[0].count, 0);
	assert_int_equal(drops(f, IP_STAT_COUNT) - all, row->drop != NONE);
	if (row->drop != NONE)
		assert_int_equal(drops(f, row->drop) - one, 1);
	if (row->whole != 0 || row->drop != NONE)
		assert_int_equal(buffers_used(f), 0);
}

static void test_rows(void **state)
{
	struct fixture *f = *state;

	pattern_init();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run(f, &rows[i]);
		pass(f, TIMEOUT_NS); /* what was refused is forgotten */
		fake_net_discard(f->net);
	}
}

/* RFC 5722: also what comes after the overlap, until the time is over. */
static void test_refused_stays_refused(void **state)
{
	static const struct fragment steps[] = {
		{0, 1480, true}, {1472, 16, true}, {0, 1480, true}, {1480, 1480, false}};
	struct fixture *f = *state;

	pattern_init();
	for (uint32_t i = 0; i < 4; i++)
		receive(f, &steps[i]);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_OVERLAP), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_REFUSED), 2);
	assert_int_equal(buffers_used(f), 0);
	pass(f, TIMEOUT_NS);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_TIMEOUT), 0);
	expect_nothing(f);
	receive(f, &steps[0]);
	receive(f, &steps[3]);
	expect_whole(f, 0, 2960);
}

/* Other packets do not mix with it. */
static void test_keys(void **state)
{
	static const struct fragment others[] = {{1480, 1480, false, .id = 78},
		{1480, 1480, false, .src = "10.0.0.3"},
		{1480, 1480, false, .proto = WIRE_PROTO_UDP}};
	static const struct fragment first = {0, 1480, true}, last = {1480, 1480, false};
	struct fixture *f = *state;

	pattern_init();
	receive(f, &first);
	for (uint32_t i = 0; i < ARRAY_LEN(others); i++)
		receive(f, &others[i]);
	assert_int_equal(f->tcp[0].count, 0);
	assert_int_equal(buffers_used(f), 4);
	receive(f, &last);
	expect_whole(f, 0, 2960);
	pass(f, TIMEOUT_NS);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_TIMEOUT), 3);
	expect_nothing(f); /* none of them had its first fragment */
}

/* The largest packet from `off` on, in full fragments. */
static void receive_largest(struct fixture *f, uint16_t off)
{
	struct fragment s = {.off = off, .len = 1480, .more = true};

	for (; s.off + 1480 < LARGEST; s.off += 1480)
		receive(f, &s);
	s.len = LARGEST - s.off;
	s.more = false;
	receive(f, &s);
}

static void test_largest(void **state)
{
	struct fixture *f = *state;

	pattern_init();
	receive_largest(f, 0);
	expect_whole(f, 0, LARGEST);
}

/* A first fragment with options makes it longer than the others knew. */
static void test_too_long_with_options(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m;
	uint8_t *p;

	pattern_init();
	receive_largest(f, 1480);
	m = build(f, &(struct fragment){0, 1480, true});
	p = (uint8_t *)rte_pktmbuf_prepend(m, 8);
	memmove(p, p + 8, IP_AT + 20);
	memset(p + IP_AT + 20, 1, 8);
	p[IP_AT] = 0x47;
	store_be16(p + IP_AT + 2, 28 + 1480);
	store_be16(p + IP_AT + 10, 0);
	store_be16(p + IP_AT + 10, wire_checksum_fold(wire_checksum_add(0, p + IP_AT, 28)));
	fake_net_receive(f->net, m);
	assert_int_equal(f->tcp[0].count, 0);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_LENGTH), 1);
	assert_int_equal(buffers_used(f), 0);
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct fragment s = {.len = 24, .more = true};

	pattern_init();
	for (uint32_t i = 0; i < PARTS_MAX; i++, s.off += 24)
		receive(f, &s);
	assert_int_equal(buffers_used(f), PARTS_MAX);
	receive(f, &s);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_TOO_MANY), 1);
	assert_int_equal(buffers_used(f), 0);
}

/* Its sender hears of it if the first fragment was there (RFC 1122 3.3.2). */
static void test_timeout(void **state)
{
	static const struct fragment first = {0, 1480, true}, middle = {1480, 1480, true};
	struct fixture *f = *state;
	struct fake_read r;

	pattern_init();
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	fake_net_discard(f->net);
	receive(f, &first);
	pass(f, 10 * NS_PER_SEC);
	receive(f, &middle); /* does not make it live longer */
	pass(f, 19 * NS_PER_SEC);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_TIMEOUT), 0);
	pass(f, 2 * NS_PER_SEC);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_TIMEOUT), 1);
	do
		assert_true(fake_net_sent(f->net, &r, f->copy));
	while (r.ether.type != WIRE_ETHERTYPE_IPV4);
	assert_int_equal(r.ipv4.proto, WIRE_PROTO_ICMP);
	assert_int_equal(r.l4[0], WIRE_ICMP_TIME_EXCEEDED);
	assert_int_equal(r.l4[1], WIRE_ICMP_EXCEED_REASM);
	assert_int_equal(load_be16(r.l4 + 8 + FRAGMENT_AT), 0x2000);
	assert_memory_equal(r.l4 + 8 + 20, pattern, 8);
	expect_nothing(f);
	assert_int_equal(buffers_used(f), 0);
}

/* The buffers go with it; what was waiting is forgotten in the order in which it came. */
static void test_timeouts_in_order(void **state)
{
	struct fixture *f = *state;
	struct fragment s = {.off = 1480, .len = 1480, .more = true, .id = 1};

	pattern_init();
	for (; s.id <= 10; s.id++) {
		receive(f, &s);
		pass(f, NS_PER_SEC);
	}
	assert_int_equal(buffers_used(f), 10);
	for (uint32_t left = 10; left-- > 0;) {
		pass(f, left == 9 ? 20500 * NS_PER_MS : NS_PER_SEC);
		assert_int_equal(buffers_used(f), left);
	}
}

/* fragment table full: the oldest goes, so the newest packet still becomes whole. */
static void test_fragment_table_full(void **state)
{
	static const struct fragment first = {0, 1480, true}, last = {1480, 1480, false};
	struct fixture *f = *state;
	char src[32];

	pattern_init();
	receive(f, &first);
	for (uint32_t i = 0; i < 2 * COUNT_MAX; i++) {
		struct fragment s = {1480, 8, true, .src = src};

		snprintf(src, sizeof(src), "10.1.%u.%u", i / 250, 1 + i % 250);
		receive(f, &s);
	}
	assert_true(stat_of(f, 0, IP_STAT_RX_FRAGMENT_TABLE_FULL) +
			    stat_of(f, 0, IP_STAT_RX_FRAGMENT_SOURCE_FULL) +
			    stat_of(f, 0, IP_STAT_RX_FRAGMENT_BUFFERS_FULL) >=
		    COUNT_MAX);
	assert_true(buffers_used(f) <= COUNT_MAX);
	receive(f, &last); /* its first fragment is gone */
	assert_int_equal(f->tcp[0].count, 0);
	receive(f, &first);
	expect_whole(f, 0, 2960);
}

/* One source does not push out the others. */
static void test_source_full(void **state)
{
	static const struct fragment first = {0, 1480, true, .src = "10.0.0.3"};
	static const struct fragment last = {1480, 1480, false, .src = "10.0.0.3"};
	struct fixture *f = *state;
	struct fragment s = {.off = 1480, .len = 8, .more = true};

	pattern_init();
	receive(f, &first);
	for (s.id = 1; s.id <= 1000; s.id++)
		receive(f, &s);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_SOURCE_FULL), 1000 - SOURCE_MAX);
	assert_int_equal(buffers_used(f), 1 + SOURCE_MAX);
	receive(f, &last);
	expect_whole(f, 0, 2960);
}

/* Fragments hold at most an eighth of the pool. */
static void test_buffers_full(void **state)
{
	struct fixture *f = *state;
	uint32_t max = f->net->pools[0].data->size / 8;
	struct fragment s = {.len = 24, .more = true, .id = 1};

	pattern_init();
	for (uint32_t i = 0; i < 20 * PARTS_MAX / 2; i++) {
		s.off = (uint16_t)(24 * (i % (PARTS_MAX / 2)));
		s.id = (uint16_t)(1 + i / (PARTS_MAX / 2));
		receive(f, &s);
		assert_true(buffers_used(f) <= max);
	}
	assert_true(stat_of(f, 0, IP_STAT_RX_FRAGMENT_BUFFERS_FULL) > 0);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_FRAGMENT_SOURCE_FULL), 0);
}

static void ping(struct fixture *f, uint16_t bytes)
{
	static uint8_t echo[PACKET_MAX];
	struct wire_icmp h = {.type = WIRE_ICMP_ECHO, .rest = 0x00010002};
	struct fragment s = {.proto = WIRE_PROTO_ICMP};

	memset(echo, 0x5a, sizeof(echo));
	wire_icmp_emit(echo, &h);
	h.checksum = wire_checksum_fold(wire_checksum_add(0, echo, bytes));
	wire_icmp_emit(echo, &h);
	memcpy(pattern, echo, sizeof(echo));
	for (s.more = true; s.more; s.off += s.len) {
		s.len = (uint16_t)MIN(bytes - s.off, 1480);
		s.more = s.off + s.len < bytes;
		receive(f, &s);
	}
}

/* A large echo request is answered, in fragments (RFC 1122 3.2.2.6). */
static void test_echo(void **state)
{
	static const uint16_t sizes[] = {1480, 1481, 4008, LARGEST};
	static uint8_t got[PACKET_MAX];
	struct fixture *f = *state;
	struct fake_read r;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	fake_net_discard(f->net);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t bytes = 0, id = 0;

		ping(f, sizes[i]);
		while (fake_net_sent(f->net, &r, f->copy)) {
			assert_int_equal(r.ipv4.proto, WIRE_PROTO_ICMP);
			assert_int_equal(r.ipv4.fragment_off_bytes, bytes);
			assert_true(r.ipv4.total_bytes <= 1500);
			assert_true(bytes == 0 || r.ipv4.id == id);
			id = r.ipv4.id;
			memcpy(got + bytes, r.l4, r.l4_bytes);
			bytes += (uint32_t)r.l4_bytes;
			assert_int_equal(r.ipv4.more_fragments, bytes < sizes[i]);
		}
		assert_int_equal(bytes, sizes[i]);
		assert_int_equal(got[0], WIRE_ICMP_ECHO_REPLY);
		assert_int_equal(wire_checksum_fold(wire_checksum_add(0, got, bytes)), 0);
		assert_memory_equal(got + 8, pattern + 8, bytes - 8u);
	}
	assert_int_equal(buffers_used(f), 0);
}

/* Without buffers nothing goes half. */
static void test_echo_without_buffers(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *spare[2048];
	uint32_t count = 0;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	fake_net_discard(f->net);
	while (rte_pktmbuf_alloc_bulk(f->net->pools[0].ref, &spare[count], 1) == 0)
		count++;
	ping(f, 4008);
	while (count > 0)
		pkt_free(spare[--count]);
	expect_nothing(f);
	assert_int_equal(stat_of(f, 0, IP_STAT_NO_BUFFER), 1);
	assert_int_equal(buffers_used(f), 0);
}

static int setup_two(void **state)
{
	return fixture_setup(state, 2, false, 0);
}

static int setup_rss(void **state)
{
	return fixture_setup(state, 2, false, PORT_CAP_RSS);
}

/* Fragments meet where the port puts them; the packet goes to the core of its ports. */
static void test_whole_packets_go_home(void **state)
{
	static const struct fragment first = {0, 1480, true}, last = {1480, 1480, false};
	struct fixture *f = *state;
	uint32_t seen[2] = {0};

	for (uint16_t port = 5000; port < 5016; port++) {
		struct endpoint local = {fake_addr("10.0.0.1"), 80};
		struct endpoint remote = {fake_addr("10.0.0.2"), port};
		uint32_t core = !ip_flow_is_ours(f->net->ip[0], &local, &remote);

		pattern_init();
		store_be16(pattern, port);
		receive(f, &first);
		receive(f, &last);
		expect_whole(f, core, 2960);
		seen[core]++;
	}
	assert_true(seen[0] > 0);
	assert_true(seen[1] > 0);
}

/* What waits at the end is freed: the fixture looks. */
static void test_end(void **state)
{
	static const struct fragment first = {0, 1480, true};

	pattern_init();
	receive(*state, &first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_rows),
		IP_TEST(test_refused_stays_refused),
		IP_TEST(test_keys),
		IP_TEST(test_largest),
		IP_TEST(test_too_long_with_options),
		IP_TEST(test_too_many),
		IP_TEST(test_timeout),
		IP_TEST(test_timeouts_in_order),
		IP_TEST(test_fragment_table_full),
		IP_TEST(test_source_full),
		IP_TEST(test_buffers_full),
		IP_TEST(test_echo),
		IP_TEST(test_echo_without_buffers),
		cmocka_unit_test_setup_teardown(test_whole_packets_go_home, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_whole_packets_go_home, setup_rss, teardown),
		IP_TEST(test_end),
	};

	return cmocka_run_group_tests_name("ip/reasm", tests, NULL, NULL);
}
