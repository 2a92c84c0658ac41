/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>

#include "fake_net.h"
#include "udp.h"

#define SOCKETS_MAX 4

struct fixture {
	struct fake_net *net;
	struct udp *udp[FAKE_NET_CORES_MAX];
	struct error err;
	uint8_t copy[FAKE_NET_COPY_BYTES];

	/* What came last, to whom. */
	uint32_t count;
	struct udp_socket *socket;
	struct endpoint from;
	size_t len;
	char payload[2000];
	bool close;
};

static int setup_cores(void **state, uint32_t workers, bool control)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->net = fake_net_create(workers, control, 0);
	for (uint32_t i = 0; i < f->net->count; i++) {
		f->udp[i] = udp_create(f->net->f->w[i], f->net->ip[i], &f->net->steer,
			&f->net->pools[i], SOCKETS_MAX, &f->err);
		assert_non_null(f->udp[i]);
	}
	fake_net_start(f->net);
	*state = f;
	return 0;
}

static int setup_one(void **state)
{
	return setup_cores(state, 1, false);
}

static int setup_three(void **state)
{
	return setup_cores(state, 2, true);
}

/* Tests close their sockets, so that pools are empty; see test_destroy_closes for those left. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_net_stop(f->net);
	for (uint32_t i = 0; i < f->net->count; i++)
		udp_destroy(f->udp[i]);
	fake_net_destroy(f->net);
	test_free(f);
	return 0;
}

static void on_receive(
	void *ctx, struct udp_socket *socket, const struct endpoint *from, struct bytes payload)
{
	struct fixture *f = ctx;

	assert_true(payload.len <= sizeof(f->payload));
	f->count++;
	f->socket = socket;
	f->from = *from;
	f->len = payload.len;
	if (payload.len > 0)
		memcpy(f->payload, payload.ptr, payload.len);
	if (f->close)
		udp_close(socket);
}

static struct endpoint at(const char *addr, uint16_t port)
{
	return (struct endpoint){fake_addr(addr), port};
}

static struct udp_socket *open_at(struct fixture *f, uint32_t core, struct endpoint local)
{
	return udp_open(f->udp[core], &local, NULL, on_receive, f, &f->err);
}

static uint64_t stat_of(struct fixture *f, enum udp_stat stat)
{
	return stat_group_find(&f->net->f->w[0]->groups, "udp")->values[stat];
}

static struct rte_mbuf *datagram(
	struct fixture *f, const char *dst, uint16_t dst_port, const char *text)
{
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr(dst)};

	return fake_frame_udp(&f->net->pools[0], &frame, 5353, dst_port, text, strlen(text));
}

static void expect_received(struct fixture *f, struct udp_socket *socket, const char *text)
{
	assert_int_equal(f->count, 1);
	assert_ptr_equal(f->socket, socket);
	assert_int_equal(f->len, strlen(text));
	assert_memory_equal(f->payload, text, f->len);
	f->count = 0;
}

static void test_receive(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("0.0.0.0", 514));
	struct endpoint from = at("10.0.0.2", 5353);

	assert_non_null(s);
	assert_int_equal(udp_local(s)->port, 514);
	fake_net_receive(f->net, datagram(f, "10.0.0.1", 514, "hello"));
	expect_received(f, s, "hello");
	assert_true(endpoint_eq(&f->from, &from));
	fake_net_receive(f->net, datagram(f, "10.0.0.80", 514, ""));
	expect_received(f, s, "");
	assert_int_equal(stat_of(f, UDP_STAT_RX), 2);
	udp_close(s);
}

static void test_send(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("10.0.0.80", 514));
	struct endpoint to = at("10.0.0.2", 5353);
	struct fake_read r;
	struct wire_udp h;
	uint32_t sum;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	assert_int_equal(udp_send(s, &to, BYTES_LIT("answer")), 0);
	fake_workers_settle(f->net->f);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ipv4.proto, WIRE_PROTO_UDP);
	assert_int_equal(ip_addr_to_v4(&r.ipv4.src), 0x0a000050);
	assert_int_equal(wire_udp_parse(r.l4, r.l4_bytes, &h), WIRE_OK);
	assert_int_equal(h.src_port, 514);
	assert_int_equal(h.dst_port, 5353);
	assert_int_equal(h.len_bytes, 8 + 6);
	assert_memory_equal(r.l4 + 8, "answer", 6);
	sum = wire_checksum_pseudo(&r.ipv4.src, &r.ipv4.dst, WIRE_PROTO_UDP, h.len_bytes);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(sum, r.l4, h.len_bytes)), 0);
	assert_int_equal(stat_of(f, UDP_STAT_TX), 1);
	udp_close(s);
}

static void test_source_is_chosen_by_route(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, (struct endpoint){.port = 9});
	struct endpoint to = at("10.7.0.9", 7);
	struct fake_read r;

	assert_int_equal(udp_send(s, &to, BYTES_LIT("x")), 0);
	fake_workers_settle(f->net->f);
	assert_true(fake_net_sent(f->net, &r, f->copy)); /* the question for the neighbour */
	assert_int_equal(ip_addr_to_v4(&r.arp.sender), 0x0a070001);
	assert_int_equal(r.ether.vlan, 7);
	udp_close(s);
}

static void test_to_ourselves(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *a = open_at(f, 0, at("10.0.0.1", 1000));
	struct udp_socket *b = open_at(f, 0, at("10.0.0.80", 2000));

	assert_int_equal(udp_send(a, udp_local(b), BYTES_LIT("inside")), 0);
	assert_int_equal(f->count, 0); /* not inside the call */
	fake_workers_settle(f->net->f);
	expect_received(f, b, "inside");
	assert_true(endpoint_eq(&f->from, udp_local(a)));
	assert_int_equal(f->net->port.tx_count, 0);
	udp_close(a);
	udp_close(b);
}

static void test_size_limits(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("10.0.0.1", 1000));
	struct endpoint to = at("10.0.0.2", 7);
	char big[1500 - 28 + 1] = {0};
	struct fake_read r;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	assert_int_equal(udp_send(s, &to, bytes_of(big, sizeof(big))), -EMSGSIZE);
	assert_int_equal(udp_send(s, &to, bytes_of(big, sizeof(big) - 1)), 0);
	fake_workers_settle(f->net->f);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ipv4.total_bytes, 1500);
	assert_true(r.ipv4.dont_fragment);
	assert_int_equal(f->net->port.tx_count, 0);
	udp_close(s);
}

static void test_send_failures(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("10.0.0.1", 1000));
	struct endpoint group = at("224.0.0.1", 7), to = at("10.0.0.2", 7);
	struct rte_mbuf *held[4096];
	uint32_t n = 0;

	assert_int_equal(udp_send(s, &group, BYTES_LIT("x")), -ENETUNREACH);
	assert_int_equal(udp_send(s, &group, BYTES_LIT("x")), -ENETUNREACH);
	while (n < ARRAY_LEN(held) && (held[n] = rte_pktmbuf_alloc(f->net->pools[0].data)) != NULL)
		n++;
	assert_int_equal(udp_send(s, &to, BYTES_LIT("x")), -ENOBUFS);
	assert_int_equal(stat_of(f, UDP_STAT_TX_NO_BUFFER), 1);
	rte_pktmbuf_free_bulk(held, n);
	udp_close(s);
}

/* --- what is refused --- */

static void no_checksum(uint8_t *udp)
{
	store_be16(udp + 6, 0);
}

static void wrong_checksum(uint8_t *udp)
{
	udp[6] ^= 1;
}

static void wrong_payload(uint8_t *udp)
{
	udp[8] ^= 1;
}

static void too_long(uint8_t *udp)
{
	store_be16(udp + 4, 14);
}

static void too_short(uint8_t *udp)
{
	store_be16(udp + 4, 7);
}

static void test_bad_datagrams(void **state)
{
	static const struct {
		void (*fn)(uint8_t *udp);
		bool good;
	} rows[] = {
		{no_checksum, true},
		{wrong_checksum, false},
		{wrong_payload, false},
		{too_long, false},
		{too_short, false},
	};
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("0.0.0.0", 514));
	uint32_t bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rte_mbuf *m = datagram(f, "10.0.0.1", 514, "hello");

		rows[i].fn(rte_pktmbuf_mtod_offset(m, uint8_t *, 34));
		fake_net_receive(f->net, m);
		bad += !rows[i].good;
		if (rows[i].good)
			expect_received(f, s, "hello");
		assert_int_equal(f->count, 0);
		assert_int_equal(stat_of(f, UDP_STAT_RX_BAD), bad);
		assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
	}
	udp_close(s);
}

/* Bytes behind the datagram, inside the packet, are not its payload. */
static void test_shorter_than_its_packet(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("0.0.0.0", 514));
	struct rte_mbuf *m = datagram(f, "10.0.0.1", 514, "hello");
	uint8_t *udp = rte_pktmbuf_mtod_offset(m, uint8_t *, 34);

	store_be16(udp + 4, 8 + 3);
	store_be16(udp + 6, 0);
	fake_net_receive(f->net, m);
	expect_received(f, s, "hel");
	udp_close(s);
}

#define LONG_TEXT \
	"hello, this is a line of text that is longer than the buffer of 16 bytes behind it"

static void test_several_buffers(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *s = open_at(f, 0, at("0.0.0.0", 514));
	struct rte_mbuf *m = datagram(f, "10.0.0.1", 514, LONG_TEXT);
	struct rte_mbuf *rest = pkt_alloc(&f->net->pools[0]);

	memcpy(rte_pktmbuf_append(rest, 16), rte_pktmbuf_mtod_offset(m, char *, m->data_len - 16),
		16);
	rte_pktmbuf_trim(m, 16);
	assert_int_equal(rte_pktmbuf_chain(m, rest), 0);
	fake_net_receive(f->net, m);
	expect_received(f, s, LONG_TEXT);
	udp_close(s);
}

static void test_port_unreachable(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;
	struct wire_icmp h;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	fake_net_receive(f->net, datagram(f, "10.0.0.80", 515, "anybody?"));
	assert_int_equal(stat_of(f, UDP_STAT_RX_NO_PORT), 1);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ipv4.proto, WIRE_PROTO_ICMP);
	assert_int_equal(ip_addr_to_v4(&r.ipv4.src), 0x0a000050);
	assert_int_equal(wire_icmp_parse(r.l4, r.l4_bytes, &h), WIRE_OK);
	assert_int_equal(h.type, WIRE_ICMP_UNREACHABLE);
	assert_int_equal(h.code, WIRE_ICMP_UNREACH_PORT);
	assert_int_equal(r.l4_bytes, 8 + 20 + 8 + 8);
	assert_int_equal(load_be16(r.l4 + 8 + 20 + 2), 515);
	assert_memory_equal(r.l4 + 8 + 20 + 8, "anybody?", 8);
}

/* --- whose datagram it is --- */

static void test_most_special_socket_wins(void **state)
{
	struct fixture *f = *state;
	struct endpoint peer = at("10.0.0.2", 5353), here = at("10.0.0.1", 53);
	struct udp_socket *any = open_at(f, 0, at("0.0.0.0", 53));
	struct udp_socket *one = open_at(f, 0, here);
	struct udp_socket *flow = udp_open(f->udp[0], &here, &peer, on_receive, f, &f->err);

	assert_non_null(flow);
	fake_net_receive(f->net, datagram(f, "10.0.0.1", 53, "a"));
	expect_received(f, flow, "a");
	udp_close(flow);
	fake_net_receive(f->net, datagram(f, "10.0.0.1", 53, "b"));
	expect_received(f, one, "b");
	fake_net_receive(f->net, datagram(f, "10.0.0.80", 53, "c"));
	expect_received(f, any, "c");
	udp_close(one);
	udp_close(any);
}

static void test_strangers_do_not_reach_a_flow(void **state)
{
	struct fixture *f = *state;
	struct endpoint peer = at("10.0.0.2", 53), here = at("0.0.0.0", 0);
	struct udp_socket *flow = udp_open(f->udp[0], &here, &peer, on_receive, f, &f->err);

	fake_net_receive(f->net, datagram(f, "10.0.0.1", udp_local(flow)->port, "forged"));
	assert_int_equal(f->count, 0);
	assert_int_equal(stat_of(f, UDP_STAT_RX_NO_PORT), 1);
	udp_close(flow);
}

static void expect_refused(struct fixture *f, struct udp_socket *s, int code)
{
	assert_null(s);
	assert_int_equal(f->err.code, code);
	assert_true(f->err.text[0] != '\0');
	error_clear(&f->err);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct endpoint nowhere = at("224.0.0.1", 5), any = {.port = 0};
	struct udp_socket *s[SOCKETS_MAX];

	s[0] = open_at(f, 0, at("10.0.0.1", 53));
	expect_refused(f, open_at(f, 0, at("10.0.0.1", 53)), -EADDRINUSE);
	expect_refused(f, open_at(f, 0, at("10.0.0.3", 53)), -EADDRNOTAVAIL);
	expect_refused(
		f, udp_open(f->udp[0], &any, &nowhere, on_receive, f, &f->err), -ENETUNREACH);
	for (uint32_t i = 1; i < SOCKETS_MAX; i++)
		assert_non_null(s[i] = open_at(f, 0, any));
	expect_refused(f, open_at(f, 0, any), -ENOSPC);
	for (uint32_t i = 0; i < SOCKETS_MAX; i++)
		udp_close(s[i]);
	udp_close(NULL);
}

static void test_close_inside_receive(void **state)
{
	struct fixture *f = *state;

	assert_non_null(open_at(f, 0, at("0.0.0.0", 514)));
	f->close = true;
	fake_port_receive(&f->net->port, datagram(f, "10.0.0.1", 514, "one"));
	fake_net_receive(f->net, datagram(f, "10.0.0.1", 514, "two"));
	assert_int_equal(f->count, 1);
	assert_int_equal(stat_of(f, UDP_STAT_RX_NO_PORT), 1);
}

/* A datagram above the MTU of its sender. */
static void test_fragments(void **state)
{
	struct fixture *f = *state;
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr("10.0.0.1")};
	struct udp_socket *s = open_at(f, 0, at("10.0.0.1", 514));
	uint8_t text[1900];
	struct rte_mbuf *m, *part;
	const uint8_t *l4;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 3);
	m = fake_frame_udp(&f->net->pools[0], &frame, 5353, 514, text, sizeof(text));
	l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, 34);
	part = fake_frame_ipv4(&f->net->pools[0], &frame, WIRE_PROTO_UDP, l4 + 800, 1108);
	fake_frame_fragment(part, 7, 800, false);
	fake_net_receive(f->net, part);
	part = fake_frame_ipv4(&f->net->pools[0], &frame, WIRE_PROTO_UDP, l4, 800);
	fake_frame_fragment(part, 7, 0, true);
	fake_net_receive(f->net, part);
	pkt_free(m);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->len, sizeof(text));
	assert_memory_equal(f->payload, text, sizeof(text));
	udp_close(s);
}

/* --- several cores --- */

/* Wherever it was opened, the answer comes there. */
static void test_ports_return_home(void **state)
{
	struct fixture *f = *state;
	struct endpoint peer = at("10.0.0.2", 5353), any = {.port = 0};

	for (uint32_t core = 0; core < 3; core++)
		for (uint32_t i = 0; i < 8; i++) {
			struct udp_socket *s =
				udp_open(f->udp[core], &any, &peer, on_receive, f, &f->err);

			assert_non_null(s);
			assert_int_equal(steer_is_control_port(&f->net->steer, udp_local(s)->port),
				core == 2);
			fake_net_receive(
				f->net, datagram(f, "10.0.0.1", udp_local(s)->port, "home"));
			expect_received(f, s, "home");
			udp_close(s);
		}
}

static void test_open_to_anybody(void **state)
{
	struct fixture *f = *state;
	struct endpoint any = {.port = 0};
	struct udp_socket *s = open_at(f, 2, any);

	assert_non_null(s);
	fake_net_receive(f->net, datagram(f, "10.0.0.1", udp_local(s)->port, "control"));
	expect_received(f, s, "control");
	udp_close(s);
	expect_refused(f, open_at(f, 0, any), -EINVAL);
	expect_refused(f, open_at(f, 1, any), -EINVAL);
}

static void test_core_to_core(void **state)
{
	struct fixture *f = *state;
	struct udp_socket *control = open_at(f, 2, at("10.0.0.80", 0));
	struct endpoint any = {.port = 0};
	struct udp_socket *worker =
		udp_open(f->udp[1], &any, udp_local(control), on_receive, f, &f->err);

	assert_non_null(worker);
	assert_int_equal(udp_send(worker, udp_local(control), BYTES_LIT("ask")), 0);
	fake_workers_settle(f->net->f);
	expect_received(f, control, "ask");
	assert_int_equal(udp_send(control, &f->from, BYTES_LIT("answer")), 0);
	fake_workers_settle(f->net->f);
	expect_received(f, worker, "answer");
	udp_close(control);
	udp_close(worker);
}

static void test_destroy_closes(void **state)
{
	struct fixture *f = *state;

	assert_non_null(open_at(f, 0, at("0.0.0.0", 514)));
	udp_destroy(f->udp[0]);
	f->udp[0] = NULL;
	udp_destroy(NULL);
	ip_proto_set(f->net->ip[0], WIRE_PROTO_UDP, NULL, NULL, NULL);
}

#define UDP_TEST(fn)   cmocka_unit_test_setup_teardown(fn, setup_one, teardown)
#define UDP_TEST_3(fn) cmocka_unit_test_setup_teardown(fn, setup_three, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UDP_TEST(test_receive),
		UDP_TEST(test_send),
		UDP_TEST(test_source_is_chosen_by_route),
		UDP_TEST(test_to_ourselves),
		UDP_TEST(test_size_limits),
		UDP_TEST(test_send_failures),
		UDP_TEST(test_bad_datagrams),
		UDP_TEST(test_shorter_than_its_packet),
		UDP_TEST(test_several_buffers),
		UDP_TEST(test_fragments),
		UDP_TEST(test_port_unreachable),
		UDP_TEST(test_most_special_socket_wins),
		UDP_TEST(test_strangers_do_not_reach_a_flow),
		UDP_TEST(test_refused),
		UDP_TEST(test_close_inside_receive),
		UDP_TEST_3(test_ports_return_home),
		UDP_TEST_3(test_open_to_anybody),
		UDP_TEST_3(test_core_to_core),
		UDP_TEST(test_destroy_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
