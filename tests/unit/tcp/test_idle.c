/* SPDX-License-Identifier: BSD-3-Clause */
/* A million connections that had a request and an answer each, and idle since: nothing but
 * themselves is held, and nothing but their own end makes work. */
#include "fixture.h"

#include <sys/mman.h>
#include <unistd.h>

#define CONNS      1000000
#define PORT_FIRST 1024
#define PORTS      50000

static struct ip_addr peer_of(uint32_t i)
{
	return ip_addr_from_v4(0x0a010000 + i / PORTS);
}

static void give(
	struct fixture *f, uint32_t i, uint8_t flags, uint32_t seq, struct seq ack, uint32_t len)
{
	struct wire_tcp h = {
		.src_port = (uint16_t)(PORT_FIRST + i % PORTS),
		.dst_port = 80,
		.seq = SEQ(seq),
		.ack = ack,
		.window = 60000,
		.flags = flags,
	};
	struct rte_mbuf *m = pkt_alloc(&f->pools);

	assert_non_null(m);
	wire_tcp_emit((uint8_t *)rte_pktmbuf_append(m, (uint16_t)(wire_tcp_bytes(&h) + len)), &h);
	fake_ip_receive(f->ip, peer_of(i), f->ip->own, m);
}

/* A request of 100 bytes and an answer of 1,000, both acknowledged. */
static void talk(struct fixture *f, uint32_t i)
{
	static const char text[1000];
	struct pkt_chain c = {0};
	struct seq ack;

	give(f, i, WIRE_TCP_SYN, 100, SEQ(0), 0);
	ack = seq_add(sent(f).seq, 1);
	give(f, i, WIRE_TCP_ACK, 101, ack, 100);
	fake_workers_settle(f->workers);
	assert_int_equal(tcp_conn_recv(f->conn, &c, UINT32_MAX), 100);
	pkt_chain_free(&c);
	pkt_chain_write(&c, bytes_of(text, sizeof(text)), &f->pools);
	assert_int_equal(tcp_conn_send(f->conn, &c, c.bytes), sizeof(text));
	assert_int_equal(sent(f).ack.v, 201);
	give(f, i, WIRE_TCP_ACK, 201, seq_add(ack, sizeof(text)), 0);
	fake_workers_settle(f->workers);
	while (sent(f).flags)
		;
}

/* What the system has given of a region: it gives pages when they are touched. */
static uint64_t resident_bytes(const struct mem_region *r)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), count = 0;
	uint64_t pages = (r->size_bytes + page_bytes - 1) / page_bytes;
	unsigned char *in = malloc(pages);

	assert_non_null(in);
	assert_int_equal(mincore(r->base, r->size_bytes, in), 0);
	for (uint64_t i = 0; i < pages; i++)
		count += in[i] & 1;
	free(in);
	return count * page_bytes;
}

/* All that TCP has of the system, which is what it needed at most. */
static uint64_t tcp_resident_bytes(const struct tcp *tcp)
{
	const struct mem_region *regions[] = {&tcp->conns.region, &tcp->table.region,
		&tcp->flights.region, &tcp->recoveries.region, &tcp->tws.region};
	uint64_t bytes = 0;

	for (size_t i = 0; i < ARRAY_LEN(regions); i++)
		bytes += resident_bytes(regions[i]);
	return bytes;
}

static void test_idle_holds_itself(void **state)
{
	struct fixture f = {.config = {.conns_max = CONNS}};
	struct tcp_conn_info broken;
	uint64_t bytes;

	(void)state;
	fixture_init(&f);
	for (uint32_t i = 0; i < CONNS; i++) {
		talk(&f, i);
		if (i % 100 == 99) /* flights and delayed ACKs end */
			fake_workers_advance(f.workers, 3 * NS_PER_SEC);
	}
	fake_workers_advance(f.workers, 10 * NS_PER_SEC);
	assert_int_equal(f.tcp->conns.count_used, CONNS);
	assert_int_equal(f.tcp->table.count, CONNS);
	assert_int_equal(f.tcp->flights.count_used, 0);
	assert_int_equal(f.tcp->recoveries.count_used, 0);
	assert_int_equal(f.tcp->tws.count_used, 0);
	assert_int_equal(pkt_pools_used(&f.pools), 0);
	assert_null(tcp_check(f.tcp, &broken));
	bytes = tcp_resident_bytes(f.tcp);
	print_message("# %u idle connections: %.1f bytes each; %u in its pool, %.1f of the table\n",
		CONNS, (double)bytes / CONNS, f.tcp->conns.object_size_bytes,
		(double)f.tcp->table.region.size_bytes / CONNS);
	assert_true(bytes < CONNS * (f.tcp->conns.object_size_bytes + 4 * sizeof(struct tcp_slot)));
	fixture_fini(&f);
}

/* No turn finds work while all idle, for an hour. */
static void test_idle_makes_no_work(void **state)
{
	struct fixture f = {0};

	(void)state;
	fixture_init(&f);
	for (uint32_t i = 0; i < 64; i++)
		talk(&f, i);
	fake_workers_advance(f.workers, 10 * NS_PER_SEC);
	for (uint32_t s = 0; s < 3600; s++) {
		clock_manual_advance(&f.workers->clock, NS_PER_SEC);
		assert_int_equal(worker_poll(f.workers->w[0], 0), 0);
	}
	assert_int_equal(sent(&f).flags, 0);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_holds_itself),
		cmocka_unit_test(test_idle_makes_no_work),
	};

	return cmocka_run_group_tests_name("tcp/idle", tests, NULL, NULL);
}
