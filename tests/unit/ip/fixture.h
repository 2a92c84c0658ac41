/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of ip share: machines of different sizes with a sink for TCP on each core. */
#ifndef WEIR_TESTS_IP_FIXTURE_H
#define WEIR_TESTS_IP_FIXTURE_H

#include "check.h"

#include "fake_net.h"

struct fixture {
	struct fake_net *net;
	struct fake_sink tcp[FAKE_NET_CORES_MAX];
	uint8_t copy[FAKE_NET_COPY_BYTES];
	struct ip_neighbour_info found;
};

static inline int fixture_setup(void **state, uint32_t workers, bool control, uint32_t caps)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->net = fake_net_create(workers, control, caps);
	for (uint32_t i = 0; i < f->net->count; i++)
		fake_sink_set(&f->tcp[i], f->net->ip[i], WIRE_PROTO_TCP);
	fake_net_start(f->net);
	*state = f;
	return 0;
}

static inline int setup_one(void **state)
{
	return fixture_setup(state, 1, false, 0);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < f->net->count; i++)
		fake_sink_clear(&f->tcp[i]);
	fake_net_stop(f->net);
	fake_net_destroy(f->net);
	test_free(f);
	return 0;
}

/* After a test that stopped the workers itself. */
static inline int teardown_stopped(void **state)
{
	struct fixture *f = *state;

	fake_net_destroy(f->net);
	test_free(f);
	return 0;
}

/* Another stack on core 0, with a configuration of its own; NULL and an error if it is refused. It
 * is destroyed after fake_net_stop, for both stacks end after the worker has. */
static inline struct ip_stack *fixture_stack(
	struct fixture *f, const struct ip_config *net, struct error *err)
{
	const struct ip_stack_config config = {.worker = f->net->f->w[0],
		.steer = &f->net->steer,
		.net = net,
		.ports = &f->net->ports[0],
		.port_count = 1,
		.pools = &f->net->pools[0]};

	return ip_stack_create(&config, err);
}

#define IP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_one, teardown)

/* A segment from 10.0.0.2 to 10.0.0.1 or to another address. */
static inline struct rte_mbuf *segment_to(
	struct fixture *f, const char *dst, uint16_t src_port, uint16_t dst_port)
{
	struct fake_frame frame = {.src = fake_addr("10.0.0.2"), .dst = fake_addr(dst)};
	struct wire_tcp tcp = {.src_port = src_port, .dst_port = dst_port, .flags = WIRE_TCP_SYN};

	return fake_frame_tcp(&f->net->pools[0], &frame, &tcp, "abc", 3);
}

/* What a protocol gives to ip_send: ports of TCP, and `len` bytes in all. */
static inline struct rte_mbuf *outgoing(
	struct fixture *f, uint32_t core, uint16_t src_port, uint16_t dst_port, uint16_t len)
{
	struct rte_mbuf *m = pkt_alloc(&f->net->pools[core]);
	struct wire_tcp tcp = {.src_port = src_port, .dst_port = dst_port, .flags = WIRE_TCP_SYN};
	uint8_t *p;

	assert_non_null(m);
	p = (uint8_t *)rte_pktmbuf_append(m, len);
	assert_non_null(p);
	memset(p, 0, len);
	wire_tcp_emit(p, &tcp);
	m->l4_len = WIRE_TCP_BYTES_MIN;
	return m;
}

/* Sends `len` bytes of TCP from 10.0.0.1 of a core to dst, port 1000 to 80. */
static inline void send_to(struct fixture *f, uint32_t core, const char *dst, uint16_t len)
{
	struct ip_path path = {0};
	struct ip_addr src = fake_addr("10.0.0.1");
	struct ip_addr to = fake_addr(dst);

	ip_send(f->net->ip[core], &path, &src, &to, WIRE_PROTO_TCP, 0,
		outgoing(f, core, 1000, 80, len));
}

static inline void expect_addr(const struct ip_addr *a, const char *text)
{
	char buf[IP_ADDR_TEXT_SIZE];

	assert_string_equal(ip_addr_format(a, buf), text);
}

/* The next frame that was sent is an ARP request for `target`. */
static inline void expect_request(struct fixture *f, const char *target, const struct wire_mac *dst)
{
	struct fake_read r;

	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ether.type, WIRE_ETHERTYPE_ARP);
	assert_int_equal(r.arp.op, WIRE_ARP_REQUEST);
	expect_addr(&r.arp.target, target);
	assert_memory_equal(&r.ether.dst, dst, sizeof(*dst));
}

/* The next frame that was sent is a TCP segment to that station. */
static inline void expect_segment(struct fixture *f, const char *dst, const struct wire_mac *mac)
{
	struct fake_read r;

	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.ether.type, WIRE_ETHERTYPE_IPV4);
	assert_int_equal(r.ipv4.proto, WIRE_PROTO_TCP);
	expect_addr(&r.ipv4.dst, dst);
	assert_memory_equal(&r.ether.dst, mac, sizeof(*mac));
	assert_memory_equal(&r.ether.src, &fake_mac_port, sizeof(*mac));
}

static inline void expect_nothing(struct fixture *f)
{
	assert_int_equal(f->net->port.tx_count, 0);
}

static inline uint64_t stat_of(struct fixture *f, uint32_t core, enum ip_stat stat)
{
	struct stat_group *group = stat_group_find(&f->net->f->w[core]->groups, "ip");

	assert_non_null(group);
	return group->values[stat];
}

/* All counters of a core but this one, which is `count`, are as in `before`. */
static inline void expect_only(struct fixture *f, const uint64_t *before, enum ip_stat stat)
{
	for (uint32_t i = 0; i < IP_STAT_COUNT; i++) {
		uint64_t grown = stat_of(f, 0, (enum ip_stat)i) - before[i];

		if (grown != (i == (uint32_t)stat))
			fail_msg("counter %u grew by %u, not %u", i, (unsigned)grown,
				i == (uint32_t)stat);
	}
}

static inline void stats_copy(struct fixture *f, uint64_t *to)
{
	for (uint32_t i = 0; i < IP_STAT_COUNT; i++)
		to[i] = stat_of(f, 0, (enum ip_stat)i);
}

#endif
