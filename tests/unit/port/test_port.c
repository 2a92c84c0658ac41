/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "capture.h"
#include "fake_eal.h"
#include "fake_port.h"

#define ALL_CAPS                                                                     \
	(PORT_CAP_TX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM | PORT_CAP_TX_MULTI_SEG | \
		PORT_CAP_TX_TSO)

static struct pkt_pools pools;
static struct fake_port fake;

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	fake_eal_init();
	fake_port_init(&fake, ALL_CAPS, 2);
	return pkt_pools_init(&pools, "test", 600, 16, SOCKET_ID_ANY, &err);
}

static int teardown(void **state)
{
	(void)state;
	fake_port_fini(&fake);
	return (int)pkt_pools_fini(&pools);
}

/* A packet of `len` bytes that begins with a number. */
static struct rte_mbuf *numbered(uint8_t number, uint16_t len)
{
	struct rte_mbuf *m = pkt_alloc(&pools);

	*(uint8_t *)rte_pktmbuf_append(m, len) = number;
	return m;
}

static void assert_sent(uint8_t number, uint16_t queue)
{
	uint16_t on = fake.tx_queue[0];
	struct rte_mbuf *m = fake_port_sent(&fake);

	assert_non_null(m);
	assert_int_equal(*rte_pktmbuf_mtod(m, uint8_t *), number);
	assert_int_equal(on, queue);
	pkt_free(m);
}

static void queues_must_exist(void **state)
{
	struct error err = {0};
	struct ring *ring = ring_create("tx", 7, sizeof(void *), &err);
	static const struct {
		uint16_t rx, tx;
		bool ring;
		int want;
	} rows[] = {
		{0, 1, false, 0},
		{1, 0, true, 0},
		{PORT_NO_QUEUE, PORT_NO_QUEUE, true, 0},
		{PORT_NO_QUEUE, PORT_NO_QUEUE, false, -EINVAL},
		{2, 0, false, -EINVAL},
		{0, 2, false, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_core pc;

		assert_int_equal(port_core_init(&pc, &fake.port, &pools, rows[i].rx, rows[i].tx,
					 rows[i].ring ? ring : NULL),
			rows[i].want);
	}
	ring_destroy(ring);
}

static void receive_counts(void **state)
{
	struct rte_mbuf *pkts[4];
	struct port_core pc;

	(void)state;
	assert_int_equal(port_core_init(&pc, &fake.port, &pools, 0, 0, NULL), 0);
	fake_port_receive(&fake, numbered(1, 60));
	fake_port_receive(&fake, numbered(2, 100));
	assert_int_equal(port_receive(&pc, pkts, 1), 1);
	assert_int_equal(port_receive(&pc, pkts + 1, 3), 1);
	assert_int_equal(port_receive(&pc, pkts + 2, 2), 0);
	assert_int_equal(pc.stats[PORT_STAT_RX_PKTS], 2);
	assert_int_equal(pc.stats[PORT_STAT_RX_BYTES], 160);
	pkt_free(pkts[0]);
	pkt_free(pkts[1]);

	pc.rx_queue = PORT_NO_QUEUE;
	fake_port_receive(&fake, numbered(3, 60));
	assert_int_equal(port_receive(&pc, pkts, 4), 0);
	port_core_fini(&pc);
}

static void flush_is_one_burst_in_order(void **state)
{
	struct port_core pc;

	(void)state;
	assert_int_equal(port_core_init(&pc, &fake.port, &pools, 0, 1, NULL), 0);
	assert_int_equal(port_flush(&pc), 0);
	for (uint8_t i = 0; i < 100; i++)
		port_send(&pc, numbered(i, 60));
	assert_int_equal(fake.tx_bursts, 0);
	assert_int_equal(port_flush(&pc), 100);
	assert_int_equal(fake.tx_bursts, 1);
	for (uint8_t i = 0; i < 100; i++)
		assert_sent(i, 1);
	assert_int_equal(pc.stats[PORT_STAT_TX_PKTS], 100);
	assert_int_equal(pc.stats[PORT_STAT_TX_BYTES], 6000);
	port_core_fini(&pc);
}

static void a_full_device_keeps_the_oldest(void **state)
{
	struct port_core pc;

	(void)state;
	assert_int_equal(port_core_init(&pc, &fake.port, &pools, 0, 0, NULL), 0);
	fake.tx_room = 10;
	for (uint32_t i = 0; i < PORT_TX_PENDING_MAX + 20; i++)
		port_send(&pc, numbered((uint8_t)i, 60));
	assert_int_equal(fake.tx_count, 10);
	assert_int_equal(pc.tx_count, PORT_TX_PENDING_MAX);
	assert_int_equal(pc.stats[PORT_STAT_TX_FULL], 10);
	assert_int_equal(port_flush(&pc), 0);

	fake.tx_room = 3;
	assert_int_equal(port_flush(&pc), 3);
	fake.tx_room = UINT32_MAX;
	assert_int_equal(port_flush(&pc), PORT_TX_PENDING_MAX - 3);
	for (uint32_t i = 0; i < PORT_TX_PENDING_MAX + 10; i++)
		assert_sent((uint8_t)i, 0);
	assert_int_equal(pc.stats[PORT_STAT_TX_PKTS], PORT_TX_PENDING_MAX + 10);
	port_core_fini(&pc);
}

/* The device takes 0 to 7 packets at a time while up to 15 come in a turn. Only what finds the
 * queue full goes, the newest; the rest leaves in order; the counters tell all of it. */
static void tx_ring_full(void **state)
{
	uint8_t kept[2000];
	uint32_t kept_count = 0, dropped = 0, sent = 0, chance = 1;
	struct port_core pc;

	(void)state;
	assert_int_equal(port_core_init(&pc, &fake.port, &pools, 0, 0, NULL), 0);
	for (uint32_t turn = 0; turn < 200; turn++) {
		fake.tx_room = (chance = chance * 1103515245 + 12345) >> 29;
		for (uint32_t i = (chance >> 20) % 16; i > 0; i--) {
			uint64_t full = pc.stats[PORT_STAT_TX_FULL];
			uint8_t number = (uint8_t)(turn * 16 + i);

			port_send(&pc, numbered(number, 60));
			if (pc.stats[PORT_STAT_TX_FULL] > full)
				dropped++;
			else
				kept[kept_count++] = number;
			assert_true(pc.tx_count <= PORT_TX_PENDING_MAX);
		}
		(void)port_flush(&pc);
		while (fake.tx_count > 0)
			assert_sent(kept[sent++], 0);
	}
	assert_true(dropped > 0);
	fake.tx_room = UINT32_MAX;
	assert_int_equal(port_flush(&pc), kept_count - sent);
	while (fake.tx_count > 0)
		assert_sent(kept[sent++], 0);
	assert_int_equal(sent, kept_count);
	assert_int_equal(pc.stats[PORT_STAT_TX_FULL], dropped);
	assert_int_equal(pc.stats[PORT_STAT_TX_PKTS], sent);
	assert_int_equal(pc.stats[PORT_STAT_TX_BYTES], sent * 60);
	assert_int_equal(pkt_pools_used(&pools), 0);
	port_core_fini(&pc);
}

/* LACP sends inside bursts, so these go on with nothing to send. */
static void some_devices_want_each_burst(void **state)
{
	struct port_core pc;

	(void)state;
	assert_int_equal(port_core_init(&pc, &fake.port, &pools, 0, 0, NULL), 0);
	assert_int_equal(port_flush(&pc), 0);
	assert_int_equal(fake.tx_bursts, 0);
	fake.port.tx_always = true;
	assert_int_equal(port_flush(&pc), 0);
	assert_int_equal(fake.tx_bursts, 1);
	port_core_fini(&pc);
}

static void cores_without_a_queue_hand_over(void **state)
{
	struct error err = {0};
	struct ring *ring = ring_create("tx", 7, sizeof(void *), &err);
	struct port_core owner, other;

	(void)state;
	assert_int_equal(port_core_init(&owner, &fake.port, &pools, 0, 0, ring), 0);
	assert_int_equal(
		port_core_init(&other, &fake.port, &pools, PORT_NO_QUEUE, PORT_NO_QUEUE, ring), 0);
	for (uint8_t i = 10; i < 20; i++)
		port_send(&other, numbered(i, 60));
	assert_int_equal(port_flush(&other), 7); /* what the ring holds */
	port_send(&owner, numbered(1, 60));
	assert_int_equal(port_flush(&owner), 8);
	assert_sent(1, 0);
	for (uint8_t i = 10; i < 17; i++)
		assert_sent(i, 0);
	assert_int_equal(other.stats[PORT_STAT_TX_PKTS], 0);
	assert_int_equal(owner.stats[PORT_STAT_TX_PKTS], 8);

	/* Three are left: one core's end frees what waits in its queue and in the ring. */
	assert_int_equal(other.tx_count, 3);
	assert_int_equal(port_flush(&other), 3);
	port_send(&other, numbered(9, 60));
	port_core_fini(&other);
	port_core_fini(&owner);
	assert_int_equal(ring_count(ring), 0);
	ring_destroy(ring);
}

static void owner_takes_no_more_than_it_can_hold(void **state)
{
	struct error err = {0};
	struct ring *ring = ring_create("tx", 511, sizeof(void *), &err);
	struct port_core owner, other;

	(void)state;
	assert_int_equal(port_core_init(&owner, &fake.port, &pools, 0, 0, ring), 0);
	assert_int_equal(
		port_core_init(&other, &fake.port, &pools, PORT_NO_QUEUE, PORT_NO_QUEUE, ring), 0);
	fake.tx_room = 0;
	for (uint32_t i = 0; i < 300; i++)
		port_send(&other, numbered(0, 60));
	port_flush(&other);
	port_flush(&owner);
	assert_int_equal(owner.tx_count, PORT_TX_PENDING_MAX);
	assert_int_equal(ring_count(ring), 300 - PORT_TX_PENDING_MAX);
	port_core_fini(&other);
	port_core_fini(&owner);
	ring_destroy(ring);
}

/* A tap gets a copy of each frame, received or sent, until its ring is full. */
static void taps_copy_what_passes(void **state)
{
	struct error err = {0};
	struct ring *ring = ring_create("tap", 3, sizeof(struct port_frame), &err);
	uint64_t wall_ns = 77;
	struct port_tap tap = {.ring = ring, .wall_ns = &wall_ns, .core = 5};
	struct rte_mbuf *pkts[8], *head = numbered(3, 1000);
	struct port_frame frame;
	struct port_core pc;

	(void)state;
	assert_int_equal(port_core_init(&pc, &fake.port, &pools, 0, 0, NULL), 0);
	fake_port_receive(&fake, numbered(1, 60));
	assert_int_equal(port_receive(&pc, pkts, 8), 1);
	pkt_free(pkts[0]);
	pc.tap = &tap;
	fake_port_receive(&fake, numbered(2, 60));
	assert_int_equal(port_receive(&pc, pkts, 8), 1);
	pkt_free(pkts[0]);
	head->next = numbered(4, 1500); /* in two pieces, and longer than is kept */
	head->nb_segs = 2;
	head->pkt_len = 2500;
	port_send(&pc, head);
	for (uint8_t i = 5; i < 8; i++)
		port_send(&pc, numbered(i, 60));
	assert_int_equal(ring_take(ring, &frame, 1), 1);
	assert_int_equal(frame.data[0], 2);
	assert_int_equal(frame.sent, 0);
	assert_int_equal(frame.len, 60);
	assert_int_equal(frame.captured, 60);
	assert_int_equal(frame.core, 5);
	assert_int_equal(frame.wall_ns, 77);
	assert_int_equal(ring_take(ring, &frame, 1), 1);
	assert_int_equal(frame.data[0], 3);
	assert_int_equal(frame.data[1000], 4);
	assert_int_equal(frame.sent, 1);
	assert_int_equal(frame.len, 2500);
	assert_int_equal(frame.captured, PORT_TAP_BYTES);
	assert_int_equal(ring_count(ring), 1);
	assert_int_equal(tap.lost, 2);
	port_core_fini(&pc);
	ring_destroy(ring);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(queues_must_exist),
		CASE(taps_copy_what_passes),
		CASE(receive_counts),
		CASE(flush_is_one_burst_in_order),
		CASE(a_full_device_keeps_the_oldest),
		CASE(tx_ring_full),
		CASE(some_devices_want_each_burst),
		CASE(cores_without_a_queue_hand_over),
		CASE(owner_takes_no_more_than_it_can_hold),
	};

	return cmocka_run_group_tests_name("port/port", tests, NULL, NULL);
}
