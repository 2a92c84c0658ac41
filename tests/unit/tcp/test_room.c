/* SPDX-License-Identifier: BSD-3-Clause */
/* WRITABLE comes whatever it was that room was short of: bytes, the memory that small buffers pin,
 * or buffers to cut with. */
#include "fixture.h"

#define SEND_BUFFER_BYTES 4096
#define CRUMBS            8 /* of a byte each: they pin more than twice the send buffer */
#define RETRY_NS          (2 * TCP_RETRY_MS * NS_PER_MS)

struct lost {
	uint32_t count;
	struct rte_mbuf *m[512];
};

/* Takes all buffers of a pool, so that TCP gets none. */
static void lose(struct lost *lost, struct rte_mempool *pool)
{
	while (lost->count < ARRAY_LEN(lost->m) &&
		(lost->m[lost->count] = rte_pktmbuf_alloc(pool)) != NULL)
		lost->count++;
	assert_null(rte_pktmbuf_alloc(pool));
}

static void give_back(struct lost *lost)
{
	while (lost->count)
		rte_pktmbuf_free(lost->m[--lost->count]);
}

/* An established connection; f->ack is our next number. */
static void open_conn(struct fixture *f)
{
	*f = (struct fixture){.local_port = 80,
		.remote_port = 5000,
		.config.send_buffer_bytes = SEND_BUFFER_BYTES};
	fixture_init(f);
	receive(f, WIRE_TCP_SYN, f->seq, SEQ(0));
	f->ack = seq_add(sent(f).seq, 1);
	f->seq = seq_add(f->seq, 1);
	receive(f, WIRE_TCP_ACK, f->seq, f->ack);
	assert_non_null(f->conn);
}

static void close_conn(struct fixture *f)
{
	tcp_conn_abort(f->conn);
	fixture_fini(f);
}

static struct pkt_chain crumbs(struct fixture *f, uint32_t count)
{
	struct pkt_chain chain = {0};

	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *m = pkt_alloc(&f->pools);

		assert_non_null(m);
		*rte_pktmbuf_append(m, 1) = 'x';
		pkt_chain_append(&chain, m);
	}
	return chain;
}

static uint32_t events_of(struct fixture *f)
{
	uint32_t events = f->events;

	f->events = 0;
	return events;
}

/* The buffer is full of crumbs that could not be gathered, for want of buffers. */
static void fill_with_crumbs(struct fixture *f)
{
	struct pkt_chain chain = crumbs(f, CRUMBS);
	struct lost lost = {0};

	lose(&lost, f->pools.data);
	assert_int_equal(tcp_conn_send(f->conn, &chain, UINT32_MAX), CRUMBS);
	assert_int_equal(tcp_conn_send_room(f->conn), 0);
	give_back(&lost);
	assert_int_equal(sent(f).flags, WIRE_TCP_ACK | WIRE_TCP_PSH);
	assert_int_equal(tcp_conn_send_room(f->conn), 0);
	assert_int_equal(events_of(f), 0);
}

static void test_pinned_memory_goes_with_an_ack(void **state)
{
	struct fixture f;

	(void)state;
	open_conn(&f);
	fill_with_crumbs(&f);
	receive(&f, WIRE_TCP_ACK, f.seq, seq_add(f.ack, 1)); /* one crumb less is not enough */
	assert_int_equal(events_of(&f), 0);
	receive(&f, WIRE_TCP_ACK, f.seq, seq_add(f.ack, CRUMBS));
	assert_int_equal(events_of(&f), TCP_EVENT_WRITABLE);
	close_conn(&f);
}

static void test_pinned_memory_is_gathered_when_room_is_short(void **state)
{
	struct pkt_chain chain;
	struct fixture f;

	(void)state;
	open_conn(&f);
	fill_with_crumbs(&f);
	chain = crumbs(&f, 1);
	assert_int_equal(tcp_conn_send(f.conn, &chain, UINT32_MAX), 1);
	assert_true(tcp_conn_send_room(f.conn) >= SEND_BUFFER_BYTES / 2);
	receive(&f, WIRE_TCP_ACK, f.seq, seq_add(f.ack, CRUMBS + 1));
	assert_int_equal(events_of(&f), TCP_EVENT_WRITABLE);
	while (sent(&f).flags)
		;
	close_conn(&f);
}

/* Nothing is queued, so no ACK will come: the owner is told after a while. */
static void test_references_ran_out(void **state)
{
	struct pkt_chain chain = {0};
	struct lost lost = {0};
	struct fixture f;

	(void)state;
	open_conn(&f);
	assert_int_equal(pkt_chain_write(&chain, BYTES_LIT("0123456789"), &f.pools), 10);
	lose(&lost, f.pools.ref);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(tcp_conn_send(f.conn, &chain, 5), 0);
		fake_workers_settle(f.workers);
		assert_int_equal(events_of(&f), 0);
		fake_workers_run_for(f.workers, RETRY_NS);
		assert_int_equal(events_of(&f), TCP_EVENT_WRITABLE);
	}
	/* Told once for each time that it was refused. */
	fake_workers_run_for(f.workers, RETRY_NS);
	assert_int_equal(events_of(&f), 0);
	give_back(&lost);
	assert_int_equal(tcp_conn_send(f.conn, &chain, 5), 5);
	assert_int_equal(sent(&f).flags, WIRE_TCP_ACK | WIRE_TCP_PSH);
	pkt_chain_free(&chain);
	close_conn(&f);
}

/* Who shuts needs no room any more, and TCP does not look for it. */
static void test_shut_after_a_refusal(void **state)
{
	struct pkt_chain chain = {0};
	struct lost lost = {0};
	struct fixture f;

	(void)state;
	open_conn(&f);
	assert_int_equal(pkt_chain_write(&chain, BYTES_LIT("0123456789"), &f.pools), 10);
	lose(&lost, f.pools.ref);
	assert_int_equal(tcp_conn_send(f.conn, &chain, 5), 0);
	tcp_conn_shut(f.conn);
	assert_int_equal(sent(&f).flags, WIRE_TCP_ACK | WIRE_TCP_FIN);
	fake_workers_run_for(f.workers, RETRY_NS);
	assert_int_equal(f.conn->ack_at, 0);
	assert_int_equal(events_of(&f), 0);
	give_back(&lost);
	pkt_chain_free(&chain);
	close_conn(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pinned_memory_goes_with_an_ack),
		cmocka_unit_test(test_pinned_memory_is_gathered_when_room_is_short),
		cmocka_unit_test(test_references_ran_out),
		cmocka_unit_test(test_shut_after_a_refusal),
	};

	return cmocka_run_group_tests_name("tcp/room", tests, NULL, NULL);
}
