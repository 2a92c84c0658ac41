/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "fake_eal.h"
#include "stream.h"

#define BUFFER_BYTES 100

struct end {
	struct stream stream;
	uint32_t events; /* all that came since the last look */
	uint32_t calls;
	bool close_on_event;
};

struct fixture {
	struct pkt_pools pools;
	struct stream_pair *pair;
	struct end a, b;
};

static void on_event(struct stream *s, uint32_t events)
{
	struct end *end = CONTAINER_OF(s, struct end, stream);

	end->events |= events;
	end->calls++;
	if (end->close_on_event)
		stream_close(s);
}

static uint32_t events_of(struct end *end)
{
	uint32_t events = end->events;

	end->events = 0;
	return events;
}

static int group_setup(void **state)
{
	(void)state;
	fake_eal_init();
	return 0;
}

static int setup(void **state)
{
	static struct fixture f;
	struct error err = {0};

	f = (struct fixture){0};
	assert_int_equal(pkt_pools_init(&f.pools, "pair", 64, 64, -1, &err), 0);
	f.pair = stream_pair_create(
		&f.pools, BUFFER_BYTES, &f.a.stream, on_event, &f.b.stream, on_event, &err);
	assert_non_null(f.pair);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stream_close(&f->a.stream);
	stream_close(&f->b.stream);
	stream_pair_destroy(f->pair);
	assert_int_equal(pkt_pools_fini(&f->pools), 0);
	return 0;
}

/* Sends `len` bytes; what is not taken is thrown away. Returns what was taken. */
static uint32_t send_bytes(struct fixture *f, struct end *end, const char *text, uint32_t len)
{
	struct pkt_chain chain = {0};
	uint32_t n;

	assert_int_equal(pkt_chain_write(&chain, bytes_of(text, len), &f->pools), len);
	n = stream_send(&end->stream, &chain, UINT32_MAX);
	pkt_chain_free(&chain);
	return n;
}

static uint32_t send_text(struct fixture *f, struct end *end, const char *text)
{
	return send_bytes(f, end, text, (uint32_t)strlen(text));
}

static void expect_text(struct end *end, const char *text)
{
	char buf[BUFFER_BYTES] = {0};
	struct pkt_chain chain = {0};
	uint32_t len = (uint32_t)strlen(text);

	assert_int_equal(stream_recv(&end->stream, &chain, len), len);
	assert_int_equal(pkt_chain_copy_out(&chain, 0, buf, len), len);
	assert_memory_equal(buf, text, len);
	pkt_chain_free(&chain);
}

static void run(struct fixture *f)
{
	while (stream_pair_run(f->pair) != 0)
		;
}

static void test_open(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(f->a.stream.ops->name, "memory");
	assert_int_equal(f->a.calls, 0); /* never inside a call */
	assert_int_equal(stream_pair_run(f->pair), 1);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_CONNECTED);
	assert_int_equal(events_of(&f->b), 0);
	assert_int_equal(stream_pair_run(f->pair), 0);
	assert_int_equal(stream_local(&f->a.stream).port, 1);
	assert_int_equal(stream_remote(&f->a.stream).port, 2);
	assert_int_equal(stream_local(&f->b.stream).port, 2);
	assert_int_equal(stream_failure(&f->a.stream), TCP_FAILURE_NONE);
}

static void test_bytes_both_ways(void **state)
{
	struct fixture *f = *state;

	run(f);
	events_of(&f->a);
	assert_int_equal(send_text(f, &f->a, "hello"), 5);
	assert_int_equal(send_text(f, &f->b, "you"), 3);
	assert_int_equal(f->b.events, 0);
	run(f);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_READABLE);
	assert_int_equal(events_of(&f->b), STREAM_EVENT_READABLE);
	assert_int_equal(stream_recv_ready(&f->b.stream), 5);
	expect_text(&f->b, "he");
	expect_text(&f->b, "llo");
	expect_text(&f->a, "you");
	assert_int_equal(stream_recv_ready(&f->b.stream), 0);
	assert_false(stream_recv_ended(&f->b.stream));
}

static void test_back_pressure(void **state)
{
	struct fixture *f = *state;
	char text[BUFFER_BYTES + 20];
	struct pkt_chain got = {0};

	memset(text, 'x', sizeof(text));
	run(f);
	events_of(&f->a);
	assert_int_equal(stream_send_room(&f->a.stream), BUFFER_BYTES);
	assert_int_equal(send_bytes(f, &f->a, text, sizeof(text)), BUFFER_BYTES);
	assert_int_equal(stream_send_room(&f->a.stream), 0);
	assert_int_equal(stream_recv(&f->b.stream, &got, BUFFER_BYTES / 2 - 1), 49);
	run(f);
	assert_int_equal(events_of(&f->a), 0);
	assert_int_equal(stream_recv(&f->b.stream, &got, 1), 1);
	run(f);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_WRITABLE);
	assert_int_equal(stream_recv(&f->b.stream, &got, BUFFER_BYTES), 50);
	run(f);
	assert_int_equal(events_of(&f->a), 0); /* nobody waits any more */
	pkt_chain_free(&got);
}

/* Who sends exactly the room is told of new room, too; more than half free is no news. */
static void test_room_without_a_refusal(void **state)
{
	struct fixture *f = *state;
	char text[BUFFER_BYTES] = {0};
	struct pkt_chain got = {0};

	run(f);
	events_of(&f->a);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(send_bytes(f, &f->a, text, sizeof(text)), BUFFER_BYTES);
		assert_int_equal(stream_recv(&f->b.stream, &got, BUFFER_BYTES), BUFFER_BYTES);
		/* filled again before the event is delivered */
		assert_int_equal(send_bytes(f, &f->a, text, sizeof(text)), BUFFER_BYTES);
		run(f);
		events_of(&f->a);
		assert_int_equal(stream_recv(&f->b.stream, &got, BUFFER_BYTES), BUFFER_BYTES);
		run(f);
		assert_int_equal(events_of(&f->a), STREAM_EVENT_WRITABLE);
	}
	assert_int_equal(send_bytes(f, &f->a, text, BUFFER_BYTES / 2), BUFFER_BYTES / 2);
	assert_int_equal(stream_recv(&f->b.stream, &got, BUFFER_BYTES), BUFFER_BYTES / 2);
	run(f);
	assert_int_equal(events_of(&f->a), 0);
	pkt_chain_free(&got);
}

static void test_half_close(void **state)
{
	struct fixture *f = *state;

	run(f);
	send_text(f, &f->a, "last");
	stream_shut(&f->a.stream);
	stream_shut(&f->a.stream);
	assert_int_equal(send_text(f, &f->a, "more"), 0);
	run(f);
	assert_int_equal(events_of(&f->b), STREAM_EVENT_READABLE | STREAM_EVENT_PEER_SHUT);
	assert_false(stream_recv_ended(&f->b.stream));
	expect_text(&f->b, "last");
	assert_true(stream_recv_ended(&f->b.stream));
	assert_int_equal(send_text(f, &f->b, "answer"), 6); /* the other way stays open */
	expect_text(&f->a, "answer");
	assert_false(stream_recv_ended(&f->a.stream));
}

static void test_close_is_a_fin(void **state)
{
	struct fixture *f = *state;

	run(f);
	send_text(f, &f->a, "bye");
	stream_close(&f->a.stream);
	assert_false(stream_is_open(&f->a.stream));
	run(f);
	assert_int_equal(events_of(&f->b), STREAM_EVENT_READABLE | STREAM_EVENT_PEER_SHUT);
	expect_text(&f->b, "bye");
	assert_true(stream_recv_ended(&f->b.stream));
	assert_int_equal(send_text(f, &f->b, "too late"), 8); /* answered by a reset */
	run(f);
	assert_int_equal(events_of(&f->b), STREAM_EVENT_FAILED);
	assert_int_equal(stream_failure(&f->b.stream), TCP_FAILURE_RESET);
	assert_int_equal(send_text(f, &f->b, "again"), 0);
}

static void test_close_with_unread_bytes_is_a_reset(void **state)
{
	struct fixture *f = *state;

	run(f);
	send_text(f, &f->a, "unread");
	send_text(f, &f->b, "unread as well");
	stream_close(&f->b.stream);
	run(f);
	assert_int_equal(events_of(&f->a) & ~STREAM_EVENT_CONNECTED, STREAM_EVENT_FAILED);
	assert_int_equal(stream_failure(&f->a.stream), TCP_FAILURE_RESET);
	assert_int_equal(stream_recv_ready(&f->a.stream), 0);
}

static void test_abort(void **state)
{
	struct fixture *f = *state;

	run(f);
	events_of(&f->a);
	stream_abort(&f->b.stream);
	run(f);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_FAILED);
	assert_int_equal(stream_failure(&f->a.stream), TCP_FAILURE_RESET);
	stream_shut(&f->a.stream); /* harmless */
	run(f);
	assert_int_equal(events_of(&f->a), 0);
}

static void test_break_replaces_other_news(void **state)
{
	struct fixture *f = *state;

	send_text(f, &f->b, "never read");
	stream_pair_break(f->pair, TCP_FAILURE_REFUSED);
	stream_pair_break(f->pair, TCP_FAILURE_TIMEOUT); /* the first one stays */
	run(f);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_FAILED);
	assert_int_equal(events_of(&f->b), STREAM_EVENT_FAILED);
	assert_int_equal(stream_failure(&f->a.stream), TCP_FAILURE_REFUSED);
	assert_int_equal(stream_recv_ready(&f->a.stream), 0);
	assert_int_equal(stream_send_room(&f->a.stream), 0);
}

static void test_sent_is_told_once(void **state)
{
	struct fixture *f = *state;

	run(f);
	events_of(&f->a);
	send_text(f, &f->a, "x");
	stream_set_more(&f->a.stream, true);
	stream_notify_sent(&f->a.stream);
	run(f);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_SENT);
	run(f);
	assert_int_equal(events_of(&f->a), 0);
}

static void test_close_inside_on_event(void **state)
{
	struct fixture *f = *state;

	f->a.close_on_event = true;
	f->b.close_on_event = true;
	run(f);
	assert_false(stream_is_open(&f->a.stream));
	assert_false(stream_is_open(&f->b.stream));
	assert_int_equal(f->a.calls, 1);
	assert_int_equal(f->b.calls, 1);
}

/* A cut segment needs a reference: without one nothing moves, and the sender is told to retry. */
static void test_no_references(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *all[64];
	struct pkt_chain chain = {0};

	run(f);
	events_of(&f->a);
	pkt_chain_write(&chain, BYTES_LIT("abcdef"), &f->pools);
	assert_int_equal(rte_pktmbuf_alloc_bulk(f->pools.ref, all, ARRAY_LEN(all)), 0);
	assert_int_equal(stream_send(&f->a.stream, &chain, 3), 0);
	rte_pktmbuf_free_bulk(all, ARRAY_LEN(all));
	run(f);
	assert_int_equal(events_of(&f->a), STREAM_EVENT_WRITABLE);
	assert_int_equal(stream_send(&f->a.stream, &chain, 3), 3);
	expect_text(&f->b, "abc");
	pkt_chain_free(&chain);
}

#define PAIR_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_open),
		PAIR_TEST(test_bytes_both_ways),
		PAIR_TEST(test_back_pressure),
		PAIR_TEST(test_room_without_a_refusal),
		PAIR_TEST(test_half_close),
		PAIR_TEST(test_close_is_a_fin),
		PAIR_TEST(test_close_with_unread_bytes_is_a_reset),
		PAIR_TEST(test_abort),
		PAIR_TEST(test_break_replaces_other_news),
		PAIR_TEST(test_sent_is_told_once),
		PAIR_TEST(test_close_inside_on_event),
		PAIR_TEST(test_no_references),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
