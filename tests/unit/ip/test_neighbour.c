/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

static const struct wire_mac mac_b = {{2, 0, 0, 0, 0, 0xbb}};

static bool find_one(void *ctx, const struct ip_neighbour_info *n)
{
	struct ip_neighbour_info *want = ctx;

	if (!ip_addr_eq(&n->addr, &want->addr))
		return true;
	*want = *n;
	return false;
}

/* The neighbour as the operator sees it; false if it is not known. */
static bool look_up(struct fixture *f, uint32_t core, const char *addr)
{
	f->found = (struct ip_neighbour_info){.addr = fake_addr(addr), .iface = UINT16_MAX};
	ip_neighbour_each(f->net->ip[core], find_one, &f->found);
	return f->found.iface != UINT16_MAX;
}

static void expect_state(
	struct fixture *f, uint32_t core, const char *addr, enum ip_neighbour_state state)
{
	assert_true(look_up(f, core, addr));
	assert_int_equal(f->found.state, state);
}

static void receive_arp(struct fixture *f, uint16_t op, const char *sender,
	const struct wire_mac *mac, const char *target)
{
	struct wire_arp arp = {.op = op,
		.sender_mac = *mac,
		.sender = fake_addr(sender),
		.target_mac = fake_mac_port,
		.target = fake_addr(target)};

	fake_net_receive(f->net, fake_frame_arp(&f->net->pools[0], &arp, 0));
}

static void seconds(struct fixture *f, uint32_t n)
{
	fake_workers_run_for(f->net->f, n * NS_PER_SEC + TIMER_TICK_NS);
}

static void send_one(struct fixture *f, const char *dst)
{
	send_to(f, 0, dst, 40);
	fake_workers_settle(f->net->f);
}

static void test_resolves_and_sends(void **state)
{
	struct fixture *f = *state;

	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_all);
	expect_nothing(f);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_INCOMPLETE);
	assert_int_equal(f->found.queued, 1);
	assert_true(f->found.age_ns == UINT64_MAX);
	send_one(f, "10.0.0.2"); /* asks once, whatever waits */
	expect_nothing(f);

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	expect_nothing(f);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	assert_int_equal(f->found.queued, 0);
	assert_true(f->found.age_ns == 0);
	send_one(f, "10.0.0.2");
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_REQUEST_OUT), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_REPLY_IN), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_PKTS), 3);
}

static void test_gateway(void **state)
{
	struct fixture *f = *state;

	send_one(f, "192.0.2.1");
	expect_request(f, "10.0.0.254", &fake_mac_all);
	fake_net_arp_reply(f->net, "10.0.0.254", &mac_b);
	expect_segment(f, "192.0.2.1", &mac_b);
}

static void test_gives_up(void **state)
{
	struct fixture *f = *state;

	send_one(f, "10.0.0.2");
	send_one(f, "10.0.0.2");
	for (int i = 0; i < 3; i++) {
		expect_request(f, "10.0.0.2", &fake_mac_all);
		expect_nothing(f);
		assert_int_equal(f->tcp[0].error_count, 0);
		seconds(f, 1);
	}
	expect_nothing(f);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_FAILED);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_NEIGHBOUR_FAILED), 2);
	assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);

	/* TCP is told whose packets they were. */
	assert_int_equal(f->tcp[0].error_count, 2);
	assert_int_equal(f->tcp[0].error.type, WIRE_ICMP_UNREACHABLE);
	assert_int_equal(f->tcp[0].error.code, WIRE_ICMP_UNREACH_HOST);
	assert_int_equal(f->tcp[0].error.proto, WIRE_PROTO_TCP);
	assert_int_equal(load_be16(f->tcp[0].error.l4), 1000);
	assert_int_equal(load_be16(f->tcp[0].error.l4 + 2), 80);
}

static void test_failed_holds_then_asks_again(void **state)
{
	struct fixture *f = *state;

	send_one(f, "10.0.0.2");
	seconds(f, 3);
	assert_int_equal(fake_net_discard(f->net), 3);

	/* It fails at once, but not inside ip_send. */
	send_to(f, 0, "10.0.0.2", 40);
	assert_int_equal(f->tcp[0].error_count, 1);
	fake_workers_run_for(f->net->f, 2 * TIMER_TICK_NS);
	assert_int_equal(f->tcp[0].error_count, 2);
	expect_nothing(f);

	seconds(f, 3);
	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_all);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	expect_nothing(f);
}

static void test_queue_drops_the_newest(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;

	for (uint16_t i = 0; i < IP_NEIGHBOUR_QUEUE_MAX + 3; i++)
		send_to(f, 0, "10.0.0.2", 40 + i);
	fake_workers_settle(f->net->f);
	expect_request(f, "10.0.0.2", &fake_mac_all);
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_NEIGHBOUR_QUEUE), 3);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	for (uint16_t i = 0; i < IP_NEIGHBOUR_QUEUE_MAX; i++) {
		assert_true(fake_net_sent(f->net, &r, f->copy));
		assert_int_equal(r.l4_bytes, 40 + i);
	}
	expect_nothing(f);
}

static void test_probe_confirms(void **state)
{
	struct fixture *f = *state;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_nothing(f);
	seconds(f, 29);
	send_one(f, "10.0.0.2");
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	expect_nothing(f);
	seconds(f, 2);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_STALE);
	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_peer); /* asks the station itself */
	expect_segment(f, "10.0.0.2", &fake_mac_peer); /* and does not wait */
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_PROBE);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	seconds(f, 5);
	expect_nothing(f);
}

static void test_goes_away_and_comes_back(void **state)
{
	struct fixture *f = *state;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	seconds(f, 31);
	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	seconds(f, 3);
	expect_request(f, "10.0.0.2", &fake_mac_peer);
	expect_request(f, "10.0.0.2", &fake_mac_peer);
	expect_nothing(f);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_FAILED);

	/* It may have moved: the next packet asks everybody, without waiting for the hold-down. */
	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_all);
	fake_net_arp_reply(f->net, "10.0.0.2", &mac_b);
	expect_segment(f, "10.0.0.2", &mac_b);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	assert_int_equal(f->tcp[0].error_count, 0);
}

static void test_answers_requests(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;

	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.2", &fake_mac_peer, "10.0.0.80");
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.arp.op, WIRE_ARP_REPLY);
	assert_memory_equal(&r.ether.dst, &fake_mac_peer, 6);
	assert_memory_equal(&r.arp.sender_mac, &fake_mac_port, 6);
	assert_memory_equal(&r.arp.target_mac, &fake_mac_peer, 6);
	expect_addr(&r.arp.sender, "10.0.0.80");
	expect_addr(&r.arp.target, "10.0.0.2");
	expect_nothing(f);
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_REQUEST_IN), 1);
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_REPLY_OUT), 1);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE); /* who asks will be spoken to */
}

static void test_leaves_others_questions_alone(void **state)
{
	static const char *const targets[] = {"10.0.0.3", "10.7.0.1" /* on another interface */};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.2", &fake_mac_peer, targets[i]);
		expect_nothing(f);
		assert_false(look_up(f, 0, "10.0.0.2"));
	}
}

/* RFC 5227: somebody looks whether our address is free. */
static void test_defends_against_probes(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;

	receive_arp(f, WIRE_ARP_REQUEST, "0.0.0.0", &fake_mac_peer, "10.0.0.1");
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_int_equal(r.arp.op, WIRE_ARP_REPLY);
	assert_false(look_up(f, 0, "0.0.0.0"));
}

static void test_announcement_updates_only(void **state)
{
	struct fixture *f = *state;

	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.2", &mac_b, "10.0.0.2");
	assert_false(look_up(f, 0, "10.0.0.2"));
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.2", &fake_mac_peer, "10.0.0.2");
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE); /* nothing new */
	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.2", &mac_b, "10.0.0.2");
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_STALE);
	expect_nothing(f);
	send_one(f, "10.0.0.2"); /* believed, but verified */
	expect_request(f, "10.0.0.2", &mac_b);
	expect_segment(f, "10.0.0.2", &mac_b);
}

/* Hearsay ends the waiting, too; the station itself is asked at once. */
static void test_announcement_while_waiting(void **state)
{
	struct fixture *f = *state;

	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_all);
	receive_arp(f, WIRE_ARP_REPLY, "10.0.0.2", &mac_b, "10.0.0.2");
	expect_request(f, "10.0.0.2", &mac_b);
	expect_segment(f, "10.0.0.2", &mac_b);
	expect_nothing(f);
}

static void test_unusable_arp(void **state)
{
	static const struct wire_mac none, group = {{1, 0, 0x5e, 0, 0, 1}};
	static const struct {
		const char *sender;
		const struct wire_mac *mac;
	} rows[] = {
		{"10.0.0.2", &none},
		{"10.0.0.2", &group},
		{"10.0.0.2", &fake_mac_port},
		{"224.0.0.1", &fake_mac_peer},
		{"127.0.0.1", &fake_mac_peer},
		{"10.0.0.255", &fake_mac_peer},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		receive_arp(f, WIRE_ARP_REQUEST, rows[i].sender, rows[i].mac, "10.0.0.1");
		assert_int_equal(stat_of(f, 0, IP_STAT_ARP_BAD), i + 1);
		assert_false(look_up(f, 0, rows[i].sender));
		expect_nothing(f);
	}
}

static void log_line(void *ctx, const struct log_line *line)
{
	(void)ctx;
	assert_non_null(strstr(line->text.ptr, "address conflict: 10.0.0.80 on lan"));
}

static uint32_t log_lines(struct fixture *f)
{
	return log_drain(f->net->f->w[0]->log, 10, log_line, NULL);
}

static void test_conflict(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;

	log_drain(f->net->f->w[0]->log, 100, log_line, NULL);
	receive_arp(f, WIRE_ARP_REPLY, "10.0.0.80", &mac_b, "10.0.0.1");
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_CONFLICT), 1);
	assert_int_equal(log_lines(f), 1);
	assert_true(fake_net_sent(f->net, &r, f->copy));
	assert_memory_equal(&r.ether.dst, &fake_mac_all, 6);
	assert_true(ip_addr_eq(&r.arp.sender, &r.arp.target));
	assert_false(look_up(f, 0, "10.0.0.80"));

	/* Not a second time within ten seconds, but it is counted. */
	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.80", &mac_b, "10.0.0.80");
	assert_int_equal(stat_of(f, 0, IP_STAT_ARP_CONFLICT), 2);
	assert_int_equal(log_lines(f), 0);
	expect_nothing(f);
	seconds(f, 10);
	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.80", &mac_b, "10.0.0.80");
	assert_int_equal(log_lines(f), 1);
	assert_int_equal(fake_net_discard(f->net), 1);
}

/* Who uses the path hears nothing: the station is asked again, if it was not heard just now. */
static void test_path_in_doubt(void **state)
{
	struct fixture *f = *state;
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("10.0.0.2");
	struct ip_path path = {0}, stale = {0};

	send_one(f, "10.0.0.2");
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	(void)fake_net_discard(f->net);
	assert_int_equal(ip_path_find(f->net->ip[0], &src, &dst, &path), 0);
	ip_path_doubt(f->net->ip[0], &path);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	seconds(f, 2);
	ip_path_doubt(f->net->ip[0], &stale);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	ip_path_doubt(f->net->ip[0], &path);
	ip_path_doubt(f->net->ip[0], &path);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_STALE);
	assert_int_equal(stat_of(f, 0, IP_STAT_NEIGHBOUR_DOUBTED), 1);
	send_one(f, "10.0.0.2");
	expect_request(f, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_state(f, 0, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
}

static void test_announces_addresses(void **state)
{
	struct fixture *f = *state;
	struct fake_read r;
	uint32_t lan = 0, others = 0;

	ip_announce(f->net->ip[0]);
	fake_workers_settle(f->net->f);
	while (fake_net_sent(f->net, &r, f->copy)) {
		assert_int_equal(r.arp.op, WIRE_ARP_REQUEST);
		assert_memory_equal(&r.ether.dst, &fake_mac_all, 6);
		assert_true(ip_addr_eq(&r.arp.sender, &r.arp.target));
		assert_true(ip_addr_is_ours(f->net->ip[0], &r.arp.sender));
		if (r.ether.vlan == 0)
			lan++;
		else
			others++;
	}
	assert_int_equal(lan, 2);
	assert_int_equal(others, 2);
}

/* Fills the cache with stations that answered, from 10.1.0.0 on. */
static void fill(struct fixture *f, uint32_t count)
{
	char text[IP_ADDR_TEXT_SIZE];

	for (uint32_t i = 0; i < count; i++) {
		struct ip_addr a = ip_addr_from_v4(0x0a010000 + i);

		fake_net_arp_reply(f->net, ip_addr_format(&a, text), &mac_b);
	}
}

/* The longest unused one makes room; paths that used it find their way again. */
static void test_full_cache(void **state)
{
	struct fixture *f = *state;
	struct ip_stack *ip = f->net->ip[0];
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("10.0.0.2");
	struct ip_path path = {0};

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	fake_net_arp_reply(f->net, "10.0.0.3", &mac_b);
	assert_int_equal(ip_path_find(ip, &src, &dst, &path), 0);
	seconds(f, 2);
	send_one(f, "10.0.0.2"); /* now 10.0.0.3 is the oldest */
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	fill(f, IP_NEIGHBOURS_MAX - 2);
	assert_int_equal(stat_of(f, 0, IP_STAT_NEIGHBOUR_EVICTED), 0);
	send_one(f, "10.0.0.4");
	assert_int_equal(stat_of(f, 0, IP_STAT_NEIGHBOUR_EVICTED), 1);
	assert_false(look_up(f, 0, "10.0.0.3"));
	assert_true(look_up(f, 0, "10.0.0.2"));
	assert_int_equal(fake_net_discard(f->net), 1);

	/* The generation moved; the old path is found again, not misread. */
	ip_send(ip, &path, &src, &dst, WIRE_PROTO_TCP, 0, outgoing(f, 0, 1, 2, 40));
	fake_workers_settle(f->net->f);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
}

/* However many neighbours are invented, they do not push out one that answered. */
static void test_flood_of_unknown_neighbours(void **state)
{
	struct fixture *f = *state;
	struct ip_path path = {0};

	fake_net_arp_reply(f->net, "10.0.0.254", &fake_mac_peer);
	for (uint32_t i = 0; i < 2 * IP_NEIGHBOURS_MAX; i++) {
		struct ip_addr a = ip_addr_from_v4(0x7f010000 + i);
		struct ip_addr any = {0};

		assert_int_equal(ip_path_find(f->net->ip[0], &any, &a, &path), 0);
	}
	assert_int_equal(stat_of(f, 0, IP_STAT_NEIGHBOUR_EVICTED), IP_NEIGHBOURS_MAX + 1);
	expect_state(f, 0, "10.0.0.254", IP_NEIGHBOUR_REACHABLE);
}

static void test_no_entry_to_be_had(void **state)
{
	struct fixture *f = *state;
	struct mem_pool *pool = list_first(&f->net->f->w[0]->pools, struct mem_pool, link);

	assert_string_equal(pool->name, "ip neighbours");
	pool->fail_nth = 1;
	send_one(f, "10.0.0.2");
	assert_int_equal(stat_of(f, 0, IP_STAT_TX_NO_ROUTE), 1);
	pool->fail_nth = 1;
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer); /* not learnt, not harmful */
	assert_false(look_up(f, 0, "10.0.0.2"));
	assert_int_equal(pkt_pools_used(&f->net->pools[0]), 0);
}

static void test_no_buffer_to_ask(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m = outgoing(f, 0, 1, 2, 40);
	struct rte_mbuf *held[4096];
	struct ip_path path = {0};
	struct ip_addr src = fake_addr("10.0.0.1"), dst = fake_addr("10.0.0.2");
	uint32_t n = 0;

	while (n < ARRAY_LEN(held) && (held[n] = rte_pktmbuf_alloc(f->net->pools[0].data)) != NULL)
		n++;
	ip_send(f->net->ip[0], &path, &src, &dst, WIRE_PROTO_TCP, 0, m);
	assert_int_equal(stat_of(f, 0, IP_STAT_NO_BUFFER), 1);
	rte_pktmbuf_free_bulk(held, n);
	seconds(f, 1); /* the second question has one */
	expect_request(f, "10.0.0.2", &fake_mac_all);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
}

/* --- several cores --- */

static int setup_three(void **state)
{
	return fixture_setup(state, 3, true, 0);
}

static void test_cores_tell_each_other(void **state)
{
	struct fixture *f = *state;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	for (uint32_t core = 0; core < 4; core++)
		expect_state(f, core, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	receive_arp(f, WIRE_ARP_REQUEST, "10.0.0.2", &mac_b, "10.0.0.2");
	for (uint32_t core = 0; core < 4; core++)
		expect_state(f, core, "10.0.0.2", IP_NEIGHBOUR_STALE);
}

/* The answer to core 2 arrives at core 0, which knew already. */
static void test_answers_reach_the_core_that_asked(void **state)
{
	struct fixture *f = *state;

	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	ip_neighbour_flush(f->net->ip[2]);
	send_to(f, 2, "10.0.0.2", 40);
	fake_workers_settle(f->net->f);
	expect_request(f, "10.0.0.2", &fake_mac_all);
	expect_nothing(f);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	expect_segment(f, "10.0.0.2", &fake_mac_peer);
	expect_state(f, 2, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
}

static void mail_nothing(struct worker *to, const struct mail *mail)
{
	(void)to;
	(void)mail;
}

/* A core that hears nothing learns by asking; nobody waits for it. */
static void test_full_outbox(void **state)
{
	struct fixture *f = *state;
	struct mail mail = {.fn = mail_nothing};
	uint32_t n = 0;

	while (worker_mail(f->net->f->w[0], 2, &mail) == 0)
		n++;
	assert_true(n > 0);
	fake_net_arp_reply(f->net, "10.0.0.2", &fake_mac_peer);
	assert_int_equal(stat_of(f, 0, IP_STAT_NEIGHBOUR_UNTOLD), 1);
	expect_state(f, 1, "10.0.0.2", IP_NEIGHBOUR_REACHABLE);
	assert_false(look_up(f, 2, "10.0.0.2"));
}

#define IP_TEST_3(fn) cmocka_unit_test_setup_teardown(fn, setup_three, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IP_TEST(test_resolves_and_sends),
		IP_TEST(test_gateway),
		IP_TEST(test_gives_up),
		IP_TEST(test_failed_holds_then_asks_again),
		IP_TEST(test_queue_drops_the_newest),
		IP_TEST(test_probe_confirms),
		IP_TEST(test_goes_away_and_comes_back),
		IP_TEST(test_answers_requests),
		IP_TEST(test_leaves_others_questions_alone),
		IP_TEST(test_defends_against_probes),
		IP_TEST(test_announcement_updates_only),
		IP_TEST(test_announcement_while_waiting),
		IP_TEST(test_unusable_arp),
		IP_TEST(test_conflict),
		IP_TEST(test_path_in_doubt),
		IP_TEST(test_announces_addresses),
		IP_TEST(test_full_cache),
		IP_TEST(test_flood_of_unknown_neighbours),
		IP_TEST(test_no_entry_to_be_had),
		IP_TEST(test_no_buffer_to_ask),
		IP_TEST_3(test_cores_tell_each_other),
		IP_TEST_3(test_answers_reach_the_core_that_asked),
		IP_TEST_3(test_full_outbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
