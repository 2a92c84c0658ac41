/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated network: ports A, B and C with the MAC addresses 02:..:0a, 0b, 0c and a clock that
 * stands at 1 ms. Every case frees its net; the teardown fails if a buffer is missing.
 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "fake_eal.h"
#include "sim.h"

#define START NS_PER_MS

static struct pkt_pools pools;
static struct clock_manual clock_;
static struct sim_net *net;
static struct port *a, *b, *c;

static struct port *port(const char *name, uint16_t index, uint8_t mac)
{
	struct pkt_pools *one = &pools;
	struct sim_port_config config = {.name = name,
		.index = index,
		.mac = {{2, 0, 0, 0, 0, mac}},
		.pools = &one,
		.caps = PORT_CAP_TX_MULTI_SEG};
	struct error err = {0};
	struct port *p = sim_port_create(net, &config, &err);

	assert_non_null(p);
	return p;
}

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	fake_eal_init();
	if (pkt_pools_init(&pools, "test", 256, 16, SOCKET_ID_ANY, &err) != 0)
		return -1;
	clock_manual_init(&clock_, START);
	net = sim_net_create(&clock_, 1, 64, &err);
	if (!net)
		return -1;
	a = port("a", 0, 0x0a);
	b = port("b", 1, 0x0b);
	c = port("c", 2, 0x0c);
	return 0;
}

static int teardown(void **state)
{
	uint32_t leaked = sim_net_destroy(net);

	(void)state;
	return (int)(leaked + pkt_pools_fini(&pools));
}

static struct sim_link *join(struct port *x, struct port *y, uint64_t delay_ns)
{
	struct impair_config config = {.delay_ns = delay_ns};
	struct error err = {0};
	struct sim_link *link = sim_link_create(net, x, y, &config, &config, &err);

	assert_non_null(link);
	return link;
}

/* A frame of 60 bytes to 02:..:dst, whose last byte is a number. */
static struct rte_mbuf *frame(uint8_t dst, uint8_t number)
{
	struct rte_mbuf *m = pkt_alloc(&pools);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, 60);

	ASSERT(p);
	memset(p, dst == 0xff ? 0xff : 0, 60);
	p[0] = dst == 0xff ? 0xff : 2;
	p[5] = dst;
	p[59] = number;
	return m;
}

static void send(struct port *from, struct rte_mbuf *m)
{
	assert_int_equal(from->ops->tx_burst(from, 0, &m, 1), 1);
}

/* The number of the next frame that the port receives; -1: none. */
static int receive(struct port *to, uint16_t queue)
{
	struct rte_mbuf *m;
	int number;

	if (to->ops->rx_burst(to, queue, &m, 1) == 0)
		return -1;
	assert_ptr_equal(m->pool, pools.data);
	assert_int_equal(m->port, to->index);
	number = rte_pktmbuf_mtod(m, uint8_t *)[m->data_len - 1];
	pkt_free(m);
	return number;
}

static void frames_cross_a_link_in_its_time(void **state)
{
	(void)state;
	join(a, b, 500);
	assert_true(sim_net_next_at(net) == UINT64_MAX);
	send(a, frame(0x0b, 1));
	clock_manual_advance(&clock_, 100);
	send(a, frame(0x99, 2)); /* the only link takes it all the same */
	send(b, frame(0x0a, 3));
	assert_int_equal(sim_net_next_at(net), START + 500);
	assert_int_equal(receive(b, 0), -1);
	clock_manual_advance(&clock_, 400);
	assert_int_equal(receive(b, 0), 1);
	assert_int_equal(receive(b, 0), -1);
	assert_int_equal(sim_net_next_at(net), START + 600);
	clock_manual_advance(&clock_, 100);
	assert_int_equal(receive(b, 0), 2);
	assert_int_equal(sim_net_next_at(net), START + 600); /* waits at port a */
	assert_int_equal(receive(a, 0), 3);
	assert_true(sim_net_next_at(net) == UINT64_MAX);
}

static void several_links_are_a_lan(void **state)
{
	(void)state;
	join(a, b, 0);
	join(a, c, 0);
	join(b, c, 0);
	send(a, frame(0x0c, 1));
	assert_int_equal(receive(b, 0), -1);
	assert_int_equal(receive(c, 0), 1);
	send(b, frame(0xff, 2));
	assert_int_equal(receive(a, 0), 2);
	assert_int_equal(receive(c, 0), 2);
	assert_int_equal(receive(b, 0), -1);
	send(c, frame(0x77, 3)); /* nobody's */
	assert_int_equal(receive(a, 0), -1);
}

static void links_go_down_and_up(void **state)
{
	struct sim_link *link = join(a, b, 0);

	(void)state;
	assert_true(a->ops->link_is_up(a));
	assert_false(c->ops->link_is_up(c));
	sim_link_set_up(link, false);
	assert_false(a->ops->link_is_up(a));
	send(a, frame(0x0b, 1));
	sim_link_set_up(link, true);
	send(a, frame(0x0b, 2));
	assert_int_equal(receive(b, 0), 2);
	assert_int_equal(receive(b, 0), -1);
}

static void lines_may_be_made_bad(void **state)
{
	struct sim_link *link = join(a, b, 0);

	(void)state;
	sim_link_line(link, b)->config.loss_ppm = IMPAIR_PPM_ALL;
	send(a, frame(0x0b, 1));
	send(b, frame(0x0a, 2));
	assert_int_equal(receive(b, 0), 1);
	assert_int_equal(receive(a, 0), -1);
	assert_int_equal(sim_link_line(link, b)->stats[IMPAIR_STAT_LOST], 1);
	assert_int_equal(sim_link_line(link, a)->stats[IMPAIR_STAT_LOST], 0);
}

static void segments_arrive_as_one(void **state)
{
	struct rte_mbuf *m = frame(0x0b, 0), *m2;

	(void)state;
	join(a, b, 0);
	rte_pktmbuf_chain(m, frame(0, 0));
	rte_pktmbuf_chain(m, frame(0, 77));
	send(a, m);
	assert_int_equal(b->ops->rx_burst(b, 0, &m2, 1), 1);
	assert_int_equal(m2->nb_segs, 1);
	assert_int_equal(m2->pkt_len, 180);
	assert_int_equal(rte_pktmbuf_mtod(m2, uint8_t *)[179], 77);
	pkt_free(m2);
}

static void long_frames_do_not_leave(void **state)
{
	struct rte_mbuf *m = pkt_alloc(&pools);
	struct port_device_stats stats;

	(void)state;
	join(a, b, 0);
	rte_pktmbuf_append(m, 1519);
	send(a, m);
	assert_int_equal(receive(b, 0), -1);
	a->ops->stats_read(a, &stats);
	assert_int_equal(stats.tx_errors, 1);
	assert_int_equal(stats.tx_pkts, 0);
}

static void exhaustion_is_counted(void **state)
{
	struct rte_mbuf *held[256 + 1];
	struct port_device_stats stats;
	struct sim_link *link = join(a, b, 10);
	uint32_t count = 0;

	(void)state;
	for (int i = 0; i < 70; i++) /* the net has room for 64 */
		send(a, frame(0x0b, (uint8_t)i));
	assert_int_equal(sim_link_line(link, a)->stats[IMPAIR_STAT_NO_ROOM], 6);
	clock_manual_advance(&clock_, 10);
	while ((held[count] = pkt_alloc(&pools)))
		count++;
	assert_int_equal(receive(b, 0), -1);
	b->ops->stats_read(b, &stats);
	assert_int_equal(stats.rx_no_buffer, 64);
	while (count > 0)
		pkt_free(held[--count]);
}

static void full_receive_queues_lose_the_newest(void **state)
{
	struct port_device_stats stats;
	uint8_t bytes[60] = {0};
	struct pkt_pools big, *one = &big;
	struct error err = {0};
	struct sim_port_config config = {.name = "d", .index = 3, .pools = &one};
	struct port *d;
	int want = 0;

	(void)state;
	assert_int_equal(pkt_pools_init(&big, "big", 1200, 1, SOCKET_ID_ANY, &err), 0);
	d = sim_port_create(net, &config, &err);
	for (int i = 0; i < SIM_RX_PENDING_MAX + 5; i++) {
		bytes[59] = (uint8_t)i;
		assert_int_equal(sim_inject(d, bytes, sizeof(bytes)), i < SIM_RX_PENDING_MAX);
	}
	d->ops->stats_read(d, &stats);
	assert_int_equal(stats.rx_missed, 5);
	assert_int_equal(stats.rx_pkts, SIM_RX_PENDING_MAX);
	for (struct rte_mbuf *m; d->ops->rx_burst(d, 0, &m, 1) == 1; want++) {
		assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[59], (uint8_t)want);
		pkt_free(m);
	}
	assert_int_equal(want, SIM_RX_PENDING_MAX);
	sim_inject(d, bytes, sizeof(bytes));
	d->ops->destroy(d); /* with a packet inside */
	assert_int_equal(pkt_pools_fini(&big), 0);
}

static enum sim_verdict drop_odd(void *ctx, const struct sim_frame *f)
{
	uint8_t *last = rte_pktmbuf_mtod_offset(f->m, uint8_t *, f->m->data_len - 1);

	++*(int *)ctx;
	assert_ptr_equal(f->from, a);
	if (*last == 4)
		*last = 40;
	if (*last == 6)
		assert_true(sim_inject(a, "answer", 6));
	return *last % 2 ? SIM_DROP : SIM_PASS;
}

static void hooks_see_drop_change_and_answer(void **state)
{
	int seen = 0;

	(void)state;
	join(a, b, 0);
	sim_net_hook(net, drop_odd, &seen);
	for (uint8_t i = 1; i <= 6; i++)
		send(a, frame(0x0b, i));
	assert_int_equal(seen, 6);
	assert_int_equal(receive(b, 0), 2);
	assert_int_equal(receive(b, 0), 40);
	assert_int_equal(receive(b, 0), 6);
	assert_int_equal(receive(b, 0), -1);
	assert_int_equal(receive(a, 0), 'r');
	sim_net_hook(net, NULL, NULL);
	send(b, frame(0x0a, 1));
	assert_int_equal(receive(a, 0), 1);
}

static void rss_spreads_by_core(void **state)
{
	struct pkt_pools *all[3] = {&pools, &pools, &pools};
	struct steer steer;
	struct sim_port_config config = {
		.name = "d", .index = 3, .queues = 3, .steer = &steer, .pools = all};
	struct error err = {0};
	uint32_t spread = 0;
	struct port *d;

	(void)state;
	steer_init(&steer, 3);
	d = sim_port_create(net, &config, &err);
	assert_true(d->caps & PORT_CAP_RSS);
	for (uint16_t i = 0; i < 32; i++) {
		struct endpoint src = {ip_addr_from_v4(0x0a090001), (uint16_t)(40000 + i)};
		struct endpoint dst = {ip_addr_from_v4(0x0a090002), 80};
		struct wire_ether ether = {.type = WIRE_ETHERTYPE_IPV4, .vlan = i % 2 ? 5 : 0};
		struct wire_ipv4 ip = {.src = src.addr,
			.dst = dst.addr,
			.total_bytes = 41,
			.ttl = 1,
			.proto = i % 4 == 3 ? WIRE_PROTO_ICMP : WIRE_PROTO_TCP};
		struct wire_tcp tcp = {.src_port = src.port, .dst_port = dst.port};
		uint32_t core = i % 4 == 3 ? 0 : steer_core(&steer, &src, &dst);
		uint8_t bytes[64] = {0};
		size_t off = wire_ether_emit(bytes, &ether);

		wire_ipv4_emit(bytes + off, &ip);
		wire_tcp_emit(bytes + off + 20, &tcp);
		bytes[off + 40] = (uint8_t)i;
		assert_true(sim_inject(d, bytes, off + 41));
		for (uint16_t q = 0; q < 3; q++)
			assert_int_equal(receive(d, q), q == core ? i : -1);
		spread |= 1u << core;
	}
	assert_int_equal(spread, 7);
	assert_true(sim_inject(d, "arp?", 4));
	assert_int_equal(receive(d, 0), '?');
}

static void impossible_ports_are_refused(void **state)
{
	struct pkt_pools *one = &pools;
	static const struct sim_port_config rows[] = {
		{.name = "taken", .index = 0},
		{.name = "index", .index = PORT_MAX},
		{.name = "mtu", .index = 5, .mtu = SIM_MTU_MAX + 1},
		{.name = "queues", .index = 5, .queues = SIM_QUEUES_MAX + 1},
		{.name = "tso", .index = 5, .caps = PORT_CAP_TX_TSO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sim_port_config config = rows[i];
		struct error err = {0};

		config.pools = &one;
		assert_null(sim_port_create(net, &config, &err));
		assert_int_equal(err.code, -EINVAL);
		assert_non_null(strstr(err.text, rows[i].name));
	}
}

static void destroyed_ports_lose_what_is_under_way(void **state)
{
	(void)state;
	join(a, b, 10);
	send(a, frame(0x0b, 1));
	b->ops->destroy(b);
	clock_manual_advance(&clock_, 10);
	assert_int_equal(receive(a, 0), -1);
	assert_true(sim_net_next_at(net) == UINT64_MAX);
}

static void the_last_frames_make_a_pcap(void **state)
{
	char path[] = "/tmp/weir-sim-XXXXXX";
	uint8_t bytes[24 + 2 * (16 + 60) + 1];
	struct error err = {0};
	uint32_t word;
	FILE *file;

	(void)state;
	assert_int_equal(sim_net_record(net, 2, &err), 0);
	join(a, b, 0);
	for (uint8_t i = 1; i <= 3; i++)
		send(a, frame(0x0b, i));
	close(mkstemp(path));
	assert_int_equal(sim_net_dump(net, path, &err), 0);
	file = fopen(path, "rb");
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), sizeof(bytes) - 1);
	fclose(file);
	unlink(path);
	memcpy(&word, bytes, 4);
	assert_int_equal(word, 0xa1b23c4d);
	memcpy(&word, bytes + 24 + 4, 4);
	assert_int_equal(word, START);
	assert_int_equal(bytes[24 + 16 + 59], 2);
	assert_int_equal(bytes[24 + 16 + 60 + 16 + 59], 3);
	assert_int_equal(sim_net_dump(net, "/no/such/folder/x", &err), -ENOENT);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(frames_cross_a_link_in_its_time),
		CASE(several_links_are_a_lan),
		CASE(links_go_down_and_up),
		CASE(lines_may_be_made_bad),
		CASE(segments_arrive_as_one),
		CASE(long_frames_do_not_leave),
		CASE(exhaustion_is_counted),
		CASE(full_receive_queues_lose_the_newest),
		CASE(hooks_see_drop_change_and_answer),
		CASE(rss_spreads_by_core),
		CASE(impossible_ports_are_refused),
		CASE(destroyed_ports_lose_what_is_under_way),
		CASE(the_last_frames_make_a_pcap),
	};

	return cmocka_run_group_tests_name("drivers_net/sim", tests, NULL, NULL);
}
