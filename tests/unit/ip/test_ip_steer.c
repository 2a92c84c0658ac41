/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include <errno.h>

#define CONTROL 3

static int setup_queue(void **state)
{
	return fixture_setup(state, 3, true, 0);
}

static int setup_rss(void **state)
{
	return fixture_setup(state, 3, true, PORT_CAP_RSS);
}

static int setup_shared(void **state)
{
	return fixture_setup(state, 3, false, 0);
}

static uint32_t core_of(struct fixture *f, uint16_t src_port, uint16_t dst_port)
{
	struct endpoint remote = {fake_addr("10.0.0.2"), src_port};
	struct endpoint local = {fake_addr("10.0.0.1"), dst_port};

	return steer_core(&f->net->steer, &local, &remote);
}

/* One queue: core 0 hands on what is not its own, in order. */
static void test_one_queue(void **state)
{
	struct fixture *f = *state;
	uint32_t got[4] = {0};

	for (uint16_t port = 5000; port < 5048; port++)
		fake_port_receive(&f->net->port, segment_to(f, "10.0.0.1", port, 80));
	fake_workers_settle(f->net->f);
	for (uint16_t port = 5000; port < 5048; port++) {
		uint32_t core = core_of(f, port, 80);
		const struct ip_packet *p = &f->tcp[core].packets[got[core]++];

		assert_int_equal(load_be16(rte_pktmbuf_mtod(p->m, uint8_t *)), port);
		expect_addr(&p->src, "10.0.0.2");
		expect_addr(&p->dst, "10.0.0.1");
		assert_int_equal(p->m->pkt_len, 23);
	}
	for (uint32_t core = 0; core < 3; core++) {
		assert_int_equal(f->tcp[core].count, got[core]);
		assert_true(got[core] > 0);
		assert_int_equal(stat_of(f, core, IP_STAT_STEERED_IN), core == 0 ? 0 : got[core]);
	}
	assert_int_equal(f->tcp[CONTROL].count, 0);
	assert_int_equal(stat_of(f, 0, IP_STAT_STEERED_OUT), got[1] + got[2]);
	assert_int_equal(stat_of(f, 0, IP_STAT_RX_IPV4), 48);
}

static void test_control_ports(void **state)
{
	struct fixture *f = *state;

	fake_net_receive(f->net, segment_to(f, "10.0.0.1", 80, STEER_CONTROL_PORT_MIN));
	fake_net_receive(f->net, segment_to(f, "10.0.0.1", 80, STEER_CONTROL_PORT_MAX));
	assert_int_equal(f->tcp[CONTROL].count, 2);
	/* The remote's port does not matter. */
	fake_net_receive(f->net, segment_to(f, "10.0.0.1", STEER_CONTROL_PORT_MIN, 80));
	assert_int_equal(f->tcp[CONTROL].count, 2);
	assert_int_equal(f->tcp[core_of(f, STEER_CONTROL_PORT_MIN, 80)].count, 1);
}

static void receive_on(struct fixture *f, uint16_t queue, uint16_t src_port, uint16_t dst_port)
{
	fake_port_receive_on(&f->net->port, queue, segment_to(f, "10.0.0.1", src_port, dst_port));
	fake_workers_settle(f->net->f);
}

/* The device chose the queue: it is right by definition, but for the control core's ports. */
static void test_rss_is_believed(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 5000;

	while (core_of(f, port, 80) != 2)
		port++;
	receive_on(f, 1, port, 80);
	assert_int_equal(f->tcp[1].count, 1);
	receive_on(f, 1, 80, STEER_CONTROL_PORT_MIN);
	assert_int_equal(f->tcp[CONTROL].count, 1);
	receive_on(f, CONTROL, port, 80); /* its queue is no part of RSS */
	assert_int_equal(f->tcp[2].count, 1);
	assert_int_equal(stat_of(f, 1, IP_STAT_STEERED_OUT), 1);
	assert_int_equal(stat_of(f, CONTROL, IP_STAT_STEERED_OUT), 1);
}

static void test_control_shares_a_core(void **state)
{
	struct fixture *f = *state;

	fake_net_receive(f->net, segment_to(f, "10.0.0.1", 80, STEER_CONTROL_PORT_MIN));
	assert_int_equal(f->tcp[2].count, 1);
}

static void count_packets(void *ctx, struct ip_packet *packets, uint32_t n)
{
	*(uint32_t *)ctx += n;
	for (uint32_t i = 0; i < n; i++)
		pkt_free(packets[i].m);
}

static void test_ring_full(void **state)
{
	struct fixture *f = *state;
	uint32_t ring_count = 4095, extra = 10, got = 0;
	uint16_t port = 5000;

	ip_proto_set(f->net->ip[1], WIRE_PROTO_TCP, count_packets, NULL, &got);
	while (core_of(f, port, 80) != 1)
		port++;
	for (uint32_t i = 0; i < ring_count + extra; i++) {
		struct fake_frame frame = {
			.src = fake_addr("10.0.0.2"), .dst = fake_addr("10.0.0.1")};
		struct wire_tcp tcp = {.src_port = port, .dst_port = 80};

		fake_port_receive(
			&f->net->port, fake_frame_tcp(&f->net->pools[i % 3], &frame, &tcp, "", 0));
		worker_poll(f->net->f->w[0], 0); /* core 1 does not come to run */
	}
	assert_int_equal(stat_of(f, 0, IP_STAT_STEER_FULL), extra);
	fake_workers_settle(f->net->f);
	assert_int_equal(got, ring_count);
	assert_int_equal(stat_of(f, 1, IP_STAT_STEERED_IN), ring_count);
}

static void test_whose_port(void **state)
{
	struct fixture *f = *state;
	struct endpoint remote = {fake_addr("10.0.0.2"), 5000};

	for (uint32_t core = 0; core < 4; core++) {
		const struct ip_stack *ip = f->net->ip[core];

		assert_int_equal(ip_port_is_ours(ip, STEER_CONTROL_PORT_MIN), core == CONTROL);
		assert_false(ip_port_is_ours(ip, 80)); /* it depends on the remote */
		for (uint16_t port = 80; port < 96; port++) {
			struct endpoint local = {fake_addr("10.0.0.1"), port};

			assert_int_equal(ip_flow_is_ours(ip, &local, &remote),
				core_of(f, 5000, port) == core);
		}
	}
}

static void test_alone_all_is_ours(void **state)
{
	struct fixture *f = *state;
	struct endpoint a = {fake_addr("10.0.0.1"), STEER_CONTROL_PORT_MIN};

	assert_true(ip_port_is_ours(f->net->ip[0], 80));
	assert_true(ip_port_is_ours(f->net->ip[0], STEER_CONTROL_PORT_MIN));
	assert_true(ip_flow_is_ours(f->net->ip[0], &a, &a));
	fake_net_receive(f->net, segment_to(f, "10.0.0.1", 80, STEER_CONTROL_PORT_MIN));
	assert_int_equal(f->tcp[0].count, 1);
}

static void test_cores_must_fit_steering(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_int_equal(ip_stack_connect(f->net->ip, 2, &err), -EINVAL);
	assert_non_null(strstr(err.text, "2 cores"));
}

#define STEER_TEST(fn, setup) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEER_TEST(test_one_queue, setup_queue),
		STEER_TEST(test_control_ports, setup_queue),
		STEER_TEST(test_rss_is_believed, setup_rss),
		STEER_TEST(test_control_shares_a_core, setup_shared),
		STEER_TEST(test_ring_full, setup_queue),
		STEER_TEST(test_whose_port, setup_queue),
		IP_TEST(test_alone_all_is_ours),
		STEER_TEST(test_cores_must_fit_steering, setup_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
