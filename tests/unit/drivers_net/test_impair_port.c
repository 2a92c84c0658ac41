/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "fake_eal.h"
#include "fake_port.h"
#include "impair_port.h"

#define NOW 1000000

/* A port of two queues over a device of the test, on a clock of the test. */
struct bench {
	struct pkt_pools pools;
	struct clock_manual clock;
	struct fake_port device;
	struct port *port;
};

static struct bench b;

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	fake_eal_init();
	b = (struct bench){0};
	clock_manual_init(&b.clock, NOW);
	return pkt_pools_init(&b.pools, "test", 4096, 256, SOCKET_ID_ANY, &err);
}

static int teardown(void **state)
{
	(void)state;
	b.port->ops->destroy(b.port);
	return (int)pkt_pools_fini(&b.pools);
}

static void start(const struct port_impair *impair, uint32_t pkts_max)
{
	struct impair_port_config config = {
		.inner = &b.device.port, .clock = &b.clock.clock, .impair = impair, pkts_max};
	struct error err = {0};

	fake_port_init(&b.device,
		PORT_CAP_RX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM | PORT_CAP_TX_IP_CHECKSUM |
			PORT_CAP_TX_TSO | PORT_CAP_TX_MULTI_SEG,
		2);
	b.port = impair_port_create(&config, &err);
	assert_non_null(b.port);
}

static struct rte_mbuf *numbered(uint8_t number, uint16_t len)
{
	struct rte_mbuf *m = pkt_alloc(&b.pools);

	memset(rte_pktmbuf_append(m, len), number, len);
	return m;
}

static uint8_t number_of(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod(m, uint8_t *);
}

static uint16_t send(uint16_t queue, struct rte_mbuf *m)
{
	return b.port->ops->tx_burst(b.port, queue, &m, m ? 1 : 0);
}

static uint64_t counted(uint16_t queue, enum impair_direction d, enum impair_stat stat)
{
	return b.port->ops->group(b.port, queue, d)->values[stat];
}

static void assert_sent(int number)
{
	struct rte_mbuf *m = fake_port_sent(&b.device);

	assert_int_equal(m ? number_of(m) : -1, number);
	pkt_free(m);
}

static void what_is_sent_leaves_when_it_is_due(void **state)
{
	struct port_impair impair = {.on = true, .out = {.delay_ns = 500}};

	(void)state;
	start(&impair, 16);
	assert_true(b.port->ops->next_at(b.port, 0, 0) == UINT64_MAX);
	assert_int_equal(send(0, numbered(1, 60)), 1);
	clock_manual_advance(&b.clock, 100);
	assert_int_equal(send(0, numbered(2, 60)), 1);
	assert_sent(-1);
	assert_true(b.port->ops->next_at(b.port, 0, 0) == NOW + 500);
	assert_true(b.port->ops->next_at(b.port, 0, 1) == UINT64_MAX);
	assert_true(b.port->ops->next_at(b.port, 0, PORT_NO_QUEUE) == UINT64_MAX);
	clock_manual_advance(&b.clock, 400);
	send(0, NULL); /* as port_flush does in every turn */
	assert_sent(1);
	assert_sent(-1);
	assert_true(b.port->ops->next_at(b.port, 0, 0) == NOW + 600);
	clock_manual_advance(&b.clock, 100);
	send(0, NULL);
	assert_sent(2);
	assert_int_equal(counted(0, IMPAIR_OUT, IMPAIR_STAT_OUT_PKTS), 2);
}

static void what_arrives_comes_when_it_is_due(void **state)
{
	struct port_impair impair = {.on = true, .in = {.delay_ns = 500}};
	struct rte_mbuf *pkts[4];

	(void)state;
	start(&impair, 16);
	for (uint8_t i = 1; i <= 3; i++)
		fake_port_receive_on(&b.device, 1, numbered(i, 60));
	assert_int_equal(b.port->ops->rx_burst(b.port, 0, pkts, 4), 0);
	assert_int_equal(b.port->ops->rx_burst(b.port, 1, pkts, 4), 0);
	assert_true(b.port->ops->next_at(b.port, 0, 0) == UINT64_MAX);
	assert_true(b.port->ops->next_at(b.port, 1, 0) == NOW + 500);
	clock_manual_advance(&b.clock, 500);
	assert_int_equal(b.port->ops->rx_burst(b.port, 1, pkts, 2), 2);
	assert_int_equal(number_of(pkts[0]), 1);
	assert_int_equal(number_of(pkts[1]), 2);
	assert_int_equal(b.port->ops->rx_burst(b.port, 1, pkts + 2, 2), 1);
	assert_int_equal(number_of(pkts[2]), 3);
	for (int i = 0; i < 3; i++)
		pkt_free(pkts[i]);
	assert_int_equal(counted(1, IMPAIR_IN, IMPAIR_STAT_IN_PKTS), 3);
}

static void a_full_device_is_tried_again_in_order(void **state)
{
	struct port_impair impair = {.on = true};

	(void)state;
	start(&impair, 16);
	b.device.tx_room = 1;
	for (uint8_t i = 1; i <= 4; i++)
		assert_int_equal(send(0, numbered(i, 60)), 1);
	assert_sent(1);
	assert_sent(-1);
	b.device.tx_room = UINT32_MAX;
	send(0, NULL);
	for (uint8_t i = 2; i <= 4; i++)
		assert_sent(i);
}

static void a_full_line_loses_the_newest(void **state)
{
	struct port_impair impair = {.on = true, .in = {.delay_ns = 500}, .out = {.delay_ns = 500}};
	struct rte_mbuf *pkts[8];

	(void)state;
	start(&impair, 3);
	for (uint8_t i = 1; i <= 5; i++) {
		assert_int_equal(send(0, numbered(i, 60)), 1);
		fake_port_receive(&b.device, numbered(i, 60));
	}
	assert_int_equal(b.port->ops->rx_burst(b.port, 0, pkts, 8), 0);
	assert_int_equal(counted(0, IMPAIR_IN, IMPAIR_STAT_NO_ROOM), 2);
	assert_int_equal(counted(0, IMPAIR_OUT, IMPAIR_STAT_NO_ROOM), 2);
	clock_manual_advance(&b.clock, 500);
	send(0, NULL);
	for (uint8_t i = 1; i <= 3; i++)
		assert_sent(i);
	assert_sent(-1);
	/* What arrived stays under way: destroying the port frees it. */
}

static void a_frame_on_the_line_pins_nobody_else(void **state)
{
	struct port_impair impair = {.on = true, .out = {.delay_ns = 500}};
	struct rte_mbuf *head, *payload, *out;

	(void)state;
	start(&impair, 16);
	head = numbered(1, 54);
	payload = numbered(7, 1000);
	head->next = pkt_ref(&b.pools, payload, 0, 1000);
	head->nb_segs = 2;
	head->pkt_len = 1054;
	send(0, head);
	assert_int_equal(rte_mbuf_refcnt_read(payload), 1);
	memset(rte_pktmbuf_mtod(payload, void *), 0xff, 1000);
	pkt_free(payload);
	clock_manual_advance(&b.clock, 500);
	send(0, NULL);
	out = fake_port_sent(&b.device);
	assert_int_equal(out->nb_segs, 1);
	assert_int_equal(out->data_len, 1054);
	assert_int_equal(*rte_pktmbuf_mtod_offset(out, uint8_t *, 1053), 7);
	pkt_free(out);
}

static void a_frame_longer_than_a_buffer_stays_a_chain(void **state)
{
	struct port_impair impair = {.on = true};
	struct rte_mbuf *head, *out;

	(void)state;
	start(&impair, 16);
	head = numbered(1, 1800);
	rte_pktmbuf_chain(head, numbered(2, 1800));
	send(0, head);
	out = fake_port_sent(&b.device);
	assert_int_equal(out->nb_segs, 2);
	assert_int_equal(out->pkt_len, 3600);
	pkt_free(out);
}

static void nothing_is_left_to_the_device(void **state)
{
	struct port_impair impair = {.on = true, .in = {.corrupt_ppm = IMPAIR_PPM_ALL}};
	struct rte_mbuf *m, *got;

	(void)state;
	start(&impair, 16);
	assert_int_equal(b.port->caps, PORT_CAP_RX_IP_CHECKSUM | PORT_CAP_TX_MULTI_SEG);
	assert_string_equal(b.port->name, b.device.port.name);
	m = numbered(1, 60);
	m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	fake_port_receive(&b.device, m);
	assert_int_equal(b.port->ops->rx_burst(b.port, 0, &got, 1), 1);
	assert_int_equal(
		got->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK), 0);
	pkt_free(got);
}

/* The frames that queue 0 of a port with this seed loses, as bits. */
static uint64_t losses(uint64_t seed, uint16_t queue, enum impair_direction d)
{
	struct impair_config config = {.loss_ppm = IMPAIR_PPM_ALL / 2};
	struct error err = {0};
	struct impair line;
	uint64_t lost = 0;

	assert_int_equal(
		impair_init(&line, &config, impair_port_seed(seed, queue, d), 64, &err), 0);
	for (uint32_t i = 0; i < 64; i++) {
		uint64_t before = line.stats[IMPAIR_STAT_LOST];

		impair_put(&line, 1, numbered(0, 60));
		lost = lost << 1 | (line.stats[IMPAIR_STAT_LOST] > before);
	}
	impair_fini(&line);
	return lost;
}

static void each_line_has_chances_of_its_own(void **state)
{
	struct port_impair impair = {
		.on = true, .out = {.loss_ppm = IMPAIR_PPM_ALL / 2}, .seed = 7};
	uint64_t lost = 0;

	(void)state;
	start(&impair, 64);
	for (uint32_t i = 0; i < 64; i++) {
		uint64_t before = counted(1, IMPAIR_OUT, IMPAIR_STAT_LOST);

		send(1, numbered(0, 60));
		lost = lost << 1 | (counted(1, IMPAIR_OUT, IMPAIR_STAT_LOST) > before);
	}
	assert_true(lost == losses(7, 1, IMPAIR_OUT));
	assert_true(lost != losses(7, 0, IMPAIR_OUT));
	assert_true(lost != losses(7, 1, IMPAIR_IN));
	assert_true(lost != losses(8, 1, IMPAIR_OUT));
}

static void queues_share_the_rate(void **state)
{
	/* 16 Mbit/s for two queues: a microsecond for each byte. */
	struct port_impair impair = {.on = true, .out = {.rate_bits_per_s = 16000000}};

	(void)state;
	start(&impair, 16);
	for (uint16_t q = 0; q < 2; q++) {
		send(q, numbered(1, 100));
		assert_true(
			b.port->ops->next_at(b.port, PORT_NO_QUEUE, q) == NOW + 100 * NS_PER_US);
	}
}

static void it_says_what_it_does(void **state)
{
	struct port_impair impair = {.on = true,
		.in = {.loss_ppm = 1000, .reorder_ns = 5, .queue_bytes_max = 0},
		.out = {.delay_ns = 20500000,
			.jitter_ns = 5000000,
			.reorder_ppm = 20000,
			.reorder_ns = 1000000,
			.duplicate_ppm = 10000,
			.corrupt_ppm = 1,
			.mark_ppm = 30000,
			.rate_bits_per_s = 100000000,
			.queue_bytes_max = 262144},
		.seed = 7};
	char text[640];

	(void)state;
	start(&impair, 16);
	b.port->ops->describe(b.port, text, sizeof(text));
	assert_string_equal(text,
		"impaired on purpose: in loss 0.1%, out delay 20.5ms jitter 5ms dup 1% corrupt "
		"0.0001% mark 3% reorder 2% reorder-delay 1ms rate 100m queue 262144, seed 7");
	assert_null(b.port->ops->group(b.port, 0, IMPAIR_DIRECTIONS));
	assert_null(b.port->ops->group(b.port, 2, IMPAIR_IN));
	assert_string_equal(b.port->ops->group(b.port, 1, IMPAIR_OUT)->module, "impair_out");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_sent_leaves_when_it_is_due),
		CASE(what_arrives_comes_when_it_is_due),
		CASE(a_full_device_is_tried_again_in_order),
		CASE(a_full_line_loses_the_newest),
		CASE(a_frame_on_the_line_pins_nobody_else),
		CASE(a_frame_longer_than_a_buffer_stays_a_chain),
		CASE(nothing_is_left_to_the_device),
		CASE(each_line_has_chances_of_its_own),
		CASE(queues_share_the_rate),
		CASE(it_says_what_it_does),
	};

	return cmocka_run_group_tests_name("drivers_net/impair_port", tests, NULL, NULL);
}
