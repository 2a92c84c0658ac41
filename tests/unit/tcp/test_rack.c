/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK-TLP (RFC 8985) by the clock: counters that wrap, a clock that jumps, the least round trip,
 * and how long reordering is waited for.
 */
#include "fixture.h"

#define SEG    1000u
#define RTT_MS 40

struct rack {
	struct fixture f;
	struct seq una; /* the first byte that was not acknowledged */
	uint32_t dsack; /* bytes below `una` that the next ACK tells to have come twice */
};

static void pass_ms(struct rack *r, uint32_t ms)
{
	fake_workers_run_for(r->f.workers, ms * NS_PER_MS);
}

static struct tcp_flight *flight(const struct rack *r)
{
	struct tcp_flight *f = tcp_flight_of(r->f.conn);

	assert_non_null(f);
	return f;
}

static uint64_t counted(const struct rack *r, enum tcp_stat stat)
{
	return r->f.tcp->stats[stat];
}

/* Segments that left since. */
static uint32_t left(struct rack *r)
{
	uint32_t count = 0;

	while (sent(&r->f).flags)
		count++;
	return count;
}

static void acked_with(struct rack *r, const struct wire_sack_block *blocks, uint8_t count)
{
	struct fixture *f = &r->f;
	struct wire_tcp h = {
		.src_port = f->remote_port,
		.dst_port = f->local_port,
		.seq = f->seq,
		.ack = r->una,
		.window = 60000,
		.flags = WIRE_TCP_ACK,
	};

	if (r->dsack)
		h.sack[h.sack_count++] =
			(struct wire_sack_block){seq_sub(r->una, r->dsack), r->una};
	for (uint8_t i = 0; i < count; i++)
		h.sack[h.sack_count++] = blocks[i];
	r->dsack = 0;
	receive_header(f, &h);
}

/* The next `segs` are acknowledged. */
static void acked(struct rack *r, uint32_t segs)
{
	r->una = seq_add(r->una, segs * SEG);
	acked_with(r, NULL, 0);
}

/* Segments [from, to), counted from the first that was not acknowledged. */
static void sacked(struct rack *r, uint32_t from, uint32_t to)
{
	struct wire_sack_block block = {seq_add(r->una, from * SEG), seq_add(r->una, to * SEG)};

	acked_with(r, &block, 1);
}

static void send_segs(struct rack *r, uint32_t segs)
{
	static const char text[8 * SEG];
	struct pkt_chain c = {0};

	pkt_chain_write(&c, bytes_of(text, segs * SEG), &r->f.pools);
	assert_int_equal(tcp_conn_send(r->f.conn, &c, c.bytes), segs * SEG);
	assert_int_equal(left(r), segs);
}

/* Established after a round trip, with counters that stand at `age_ns`. */
static void rack_init(struct rack *r, uint64_t age_ns)
{
	struct fixture *f = &r->f;
	struct wire_tcp syn = {
		.src_port = 40000,
		.dst_port = 80,
		.seq = SEQ(PEER_ISN),
		.window = 60000,
		.flags = WIRE_TCP_SYN,
		.has_mss = true,
		.mss = SEG,
		.has_sack_permitted = true,
	};

	*r = (struct rack){.f.config.cc = TCP_CC_RENO};
	fixture_init(f);
	f->tcp->start_ns = f->workers->w[0]->now_ns - age_ns;
	f->local_port = syn.dst_port;
	f->remote_port = syn.src_port;
	receive_header(f, &syn);
	f->seq = seq_add(f->seq, 1);
	f->ack = r->una = seq_add(sent(f).seq, 1);
	pass_ms(r, RTT_MS);
	receive(f, WIRE_TCP_ACK, f->seq, f->ack);
	assert_non_null(f->conn);
}

static void rack_fini(struct rack *r)
{
	tcp_conn_abort(r->f.conn);
	(void)left(r);
	fixture_fini(&r->f);
}

/* A gap is repaired when a quarter of the least round trip is over, a tail probed after two. */
static void check_times(struct rack *r)
{
	uint64_t losses = counted(r, TCP_STAT_RACK_LOSSES),
		 probes = counted(r, TCP_STAT_TLP_PROBES);
	uint64_t timeouts = counted(r, TCP_STAT_TIMEOUTS);

	send_segs(r, 4);
	pass_ms(r, RTT_MS);
	sacked(r, 1, 2);
	pass_ms(r, RTT_MS / 4 - 1);
	assert_int_equal(left(r), 0);
	pass_ms(r, 4);
	assert_int_equal(left(r), 1);
	assert_int_equal(counted(r, TCP_STAT_RACK_LOSSES), losses + 1);
	pass_ms(r, RTT_MS);
	acked(r, 4);
	send_segs(r, 2);
	pass_ms(r, 2 * RTT_MS - 1);
	assert_int_equal(left(r), 0);
	pass_ms(r, 20); /* the smoothed round trip, and a tick */
	assert_int_equal(left(r), 1);
	assert_int_equal(counted(r, TCP_STAT_TLP_PROBES), probes + 1);
	r->dsack = SEG;
	acked(r, 2);
	assert_int_equal(flight(r)->min_rtt_us, RTT_MS * 1000);
	assert_int_equal(counted(r, TCP_STAT_TIMEOUTS), timeouts);
}

static void test_wraps(void **state)
{
	static const uint64_t at_ns[] = {
		(UINT64_C(1) << 31) * NS_PER_US,
		(UINT64_C(1) << 32) * NS_PER_US,
		(UINT64_C(1) << 31) * NS_PER_MS,
		(UINT64_C(1) << 32) * NS_PER_MS,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(at_ns); i++)
		for (uint32_t before_ms = 10; before_ms < 300; before_ms += 17) {
			struct rack r;

			rack_init(&r, at_ns[i] - before_ms * NS_PER_MS);
			check_times(&r);
			rack_fini(&r);
		}
}

/* Text is out while the clock jumps: no round trip is made of that, and RACK goes on. */
static void test_clock_jump(void **state)
{
	static const uint64_t jumps_s[] = {10, 1799, 1801, 2148, 4294, 4295, 7200, 20 * 86400};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jumps_s); i++) {
		struct rack r;

		rack_init(&r, NS_PER_SEC);
		send_segs(&r, 4);
		pass_ms(&r, RTT_MS);
		acked(&r, 2);
		fake_workers_advance(r.f.workers, jumps_s[i] * NS_PER_SEC);
		assert_int_equal(left(&r), 1);
		pass_ms(&r, RTT_MS);
		acked(&r, 1);
		assert_int_equal(flight(&r)->min_rtt_us, RTT_MS * 1000);
		if (jumps_s[i] > 1800)
			assert_in_range(
				r.f.conn->srtt_us, RTT_MS * 1000 - 100, RTT_MS * 1000 + 100);
		pass_ms(&r, RTT_MS);
		(void)left(&r);
		acked(&r, 1);
		if (jumps_s[i] > 1800)
			check_times(&r);
		rack_fini(&r);
	}
}

/* The least round trip of the last 10 to 20 s. */
static void test_min_rtt(void **state)
{
	struct rack r;

	(void)state;
	rack_init(&r, NS_PER_SEC);
	send_segs(&r, 1);
	pass_ms(&r, RTT_MS / 2);
	acked(&r, 1);
	assert_int_equal(flight(&r)->min_rtt_us, RTT_MS / 2 * 1000);
	for (uint32_t ms = 0; ms < 21000; ms += 2 * RTT_MS) {
		send_segs(&r, 1);
		pass_ms(&r, 2 * RTT_MS);
		acked(&r, 1);
		if (ms < 9500)
			assert_int_equal(flight(&r)->min_rtt_us, RTT_MS / 2 * 1000);
	}
	assert_int_equal(flight(&r)->min_rtt_us, 2 * RTT_MS * 1000);
	rack_fini(&r);
}

/* Times count as known as long as the peer tells something, however old the flight is. */
static void test_news(void **state)
{
	uint32_t half_hour_ms = 30 * 60 * 1000;
	struct rack r;

	(void)state;
	rack_init(&r, NS_PER_SEC);
	send_segs(&r, 4);
	pass_ms(&r, RTT_MS);
	flight(&r)->news_ms -= half_hour_ms - 1000;
	acked(&r, 1);
	assert_int_equal(flight(&r)->news_ms, tcp_now_ms(r.f.tcp));
	assert_int_equal(flight(&r)->rack_rtt_us, RTT_MS * 1000);
	flight(&r)->news_ms -= half_hour_ms + 1000;
	acked(&r, 1);
	assert_int_equal(flight(&r)->rack_rtt_us, 0);
	rack_fini(&r);
}

/* A round trip in which D-SACK comes, `times` over. */
static void twice(struct rack *r, uint32_t times)
{
	send_segs(r, 1);
	pass_ms(r, RTT_MS);
	acked(r, 1);
	send_segs(r, 1);
	for (uint32_t i = 0; i < times; i++) {
		r->dsack = SEG;
		acked(r, 0);
	}
	pass_ms(r, RTT_MS);
	acked(r, 1);
}

/* How long a gap is waited for, in milliseconds. */
static uint32_t waited_ms(struct rack *r)
{
	uint32_t ms = 0;

	send_segs(r, 2);
	pass_ms(r, RTT_MS);
	sacked(r, 1, 2);
	for (; left(r) == 0; ms++) {
		assert_true(ms < 200);
		pass_ms(r, 1);
	}
	pass_ms(r, RTT_MS);
	acked(r, 2);
	return ms;
}

/* 6.2 step 4: a quarter of the least round trip, whatever the last ones were. */
static void test_window_is_of_the_least(void **state)
{
	struct rack r;

	(void)state;
	rack_init(&r, NS_PER_SEC);
	for (uint32_t i = 0; i < 16; i++) {
		send_segs(&r, 1);
		pass_ms(&r, 2 * RTT_MS);
		acked(&r, 1);
	}
	assert_in_range(waited_ms(&r), RTT_MS / 4, RTT_MS / 4 + 3);
	rack_fini(&r);
}

/* 6.2 step 4: a quarter more for each round trip with D-SACK, up to the round trip. */
static void test_window_grows(void **state)
{
	struct rack r;

	(void)state;
	rack_init(&r, NS_PER_SEC);
	assert_in_range(waited_ms(&r), RTT_MS / 4, RTT_MS / 4 + 3);
	twice(&r, 1);
	assert_in_range(waited_ms(&r), RTT_MS / 2, RTT_MS / 2 + 3);
	twice(&r, 3);
	assert_int_equal(flight(&r)->reo_mult, 3);
	for (uint32_t i = 0; i < 100; i++)
		twice(&r, 1);
	assert_int_equal(flight(&r)->reo_mult, 64);
	assert_in_range(waited_ms(&r), RTT_MS - 1, RTT_MS + 3);
	rack_fini(&r);
}

/* The head is lost, and repaired; by a timeout if nothing else tells. */
static void recover(struct rack *r, bool by_timeout)
{
	uint64_t timeouts = counted(r, TCP_STAT_TIMEOUTS);

	send_segs(r, by_timeout ? 1 : 2);
	pass_ms(r, RTT_MS);
	if (!by_timeout)
		sacked(r, 1, 2);
	pass_ms(r, by_timeout ? 600 : RTT_MS + 3);
	assert_in_range(left(r), 1, 2);
	assert_int_equal(counted(r, TCP_STAT_TIMEOUTS), timeouts + by_timeout);
	acked(r, by_timeout ? 1 : 2);
}

/* 6.2 step 4: after 16 recoveries without D-SACK, of either kind, it is what it was at first. */
static void test_window_decays(void **state)
{
	struct rack r;

	(void)state;
	rack_init(&r, NS_PER_SEC);
	twice(&r, 1);
	for (uint32_t i = 0; i < 5; i++)
		recover(&r, false);
	twice(&r, 1); /* counted from the last */
	for (uint32_t i = 0; i < 15; i++) {
		recover(&r, i % 2);
		assert_int_equal(flight(&r)->reo_mult, 3);
	}
	recover(&r, false);
	assert_int_equal(flight(&r)->reo_mult, 1);
	for (uint32_t i = 0; i < 3; i++)
		recover(&r, false);
	assert_int_equal(flight(&r)->reo_mult, 1);
	rack_fini(&r);
}

/* 6.2 step 3: what was sent once and arrives below what an earlier ACK named. */
static void test_reordering_seen(void **state)
{
	struct wire_sack_block blocks[2];
	struct rack r;

	(void)state;
	rack_init(&r, NS_PER_SEC);
	recover(&r, false); /* the head was sent again */
	assert_false(flight(&r)->reordering);
	r.f.conn->cwnd = 4 * SEG; /* the recovery left less */
	send_segs(&r, 3);
	pass_ms(&r, RTT_MS);
	blocks[0] = (struct wire_sack_block){seq_add(r.una, 2 * SEG), seq_add(r.una, 3 * SEG)};
	blocks[1] = (struct wire_sack_block){seq_add(r.una, SEG), seq_add(r.una, 2 * SEG)};
	acked_with(&r, blocks, 2); /* both by one ACK: nothing is known of their order */
	assert_false(flight(&r)->reordering);
	acked(&r, 3);
	assert_true(flight(&r)->reordering);
	rack_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_clock_jump),
		cmocka_unit_test(test_min_rtt),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_window_is_of_the_least),
		cmocka_unit_test(test_window_grows),
		cmocka_unit_test(test_window_decays),
		cmocka_unit_test(test_reordering_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
