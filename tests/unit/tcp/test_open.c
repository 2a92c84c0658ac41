/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of outgoing connections, listeners by address, what happens without memory. */
#include "fixture.h"

#include <errno.h>

static struct tcp_conn *dial(struct fixture *f, enum tcp_failure *failure)
{
	struct tcp_connect_config config = {
		.remote = {ip_addr_from_v4(0x0a000002), 8080}, .ops = &fixture_ops, .user = f};

	return tcp_connect(f->tcp, &config, failure);
}

static void test_keepalive_from_the_start(void **state)
{
	struct tcp_connect_config config = {
		.remote = {ip_addr_from_v4(0x0a000002), 8080}, .ops = &fixture_ops};
	struct fixture f = {0};
	enum tcp_failure failure;

	(void)state;
	fixture_init(&f);
	config.user = &f;
	assert_false(tcp_connect(f.tcp, &config, &failure)->flags & TCP_F_KEEPALIVE);
	config.keepalive = true;
	assert_true(tcp_connect(f.tcp, &config, &failure)->flags & TCP_F_KEEPALIVE);
	fixture_fini(&f);
}

static void test_ports_run_out(void **state)
{
	struct fixture f = {.config = {.port_min = 2000, .port_max = 2003}};
	enum tcp_failure failure;
	bool seen[4] = {0};

	(void)state;
	fixture_init(&f);
	for (int i = 0; i < 4; i++) {
		struct tcp_conn *c = dial(&f, &failure);

		assert_non_null(c);
		assert_in_range(tcp_conn_local(c).port, 2000, 2003);
		assert_false(seen[tcp_conn_local(c).port - 2000]);
		seen[tcp_conn_local(c).port - 2000] = true;
		f.conn = c;
	}
	assert_null(dial(&f, &failure));
	assert_int_equal(failure, TCP_FAILURE_NO_MEMORY);
	assert_int_equal(f.tcp->stats[TCP_STAT_NO_PORT], 1);
	tcp_conn_abort(f.conn); /* one comes back: it is found when they are looked through again */
	fake_workers_settle(f.workers);
	assert_null(dial(&f, &failure));
	fake_workers_run_for(f.workers, 100 * NS_PER_MS);
	assert_non_null(dial(&f, &failure));
	fixture_fini(&f);
}

/* All ports wait in TIME-WAIT. */
static void wait_all(struct fixture *f, bool has_ts)
{
	struct tcp_conn was = {
		.tcp = f->tcp,
		.tuple = {.local = f->ip->own,
			.remote = ip_addr_from_v4(0x0a000002),
			.remote_port = 8080},
		.flags = has_ts ? TCP_F_TS : 0,
	};

	for (uint16_t port = f->config.port_min; port <= f->config.port_max; port++) {
		was.tuple.local_port = port;
		tcp_tw_add(f->tcp, &was);
	}
}

/* RFC 6191: with timestamps a port comes back after a second, and is found without looking at all.
 */
static void test_ports_of_time_wait(void **state)
{
	struct fixture f = {.config = {.port_min = 2000, .port_max = 2015}};
	enum tcp_failure failure;
	uint32_t looked;

	(void)state;
	fixture_init(&f);
	wait_all(&f, true);
	assert_null(dial(&f, &failure));
	looked = f.tcp->port_next;
	assert_null(dial(&f, &failure));
	assert_int_equal(f.tcp->port_next, looked);
	assert_int_equal(f.tcp->stats[TCP_STAT_NO_PORT], 2);
	fake_workers_run_for(f.workers, NS_PER_SEC);
	looked = f.tcp->port_next;
	assert_non_null(dial(&f, &failure));
	assert_in_range(f.tcp->port_next - looked, 1, 9);
	assert_int_equal(f.tcp->stats[TCP_STAT_TIME_WAITS], 15);
	fixture_fini(&f);
}

static void test_ports_of_time_wait_without_timestamps(void **state)
{
	struct fixture f = {.config = {.port_min = 2000, .port_max = 2015}};
	enum tcp_failure failure;

	(void)state;
	fixture_init(&f);
	wait_all(&f, false);
	fake_workers_run_for(f.workers, 59 * NS_PER_SEC);
	assert_null(dial(&f, &failure));
	fake_workers_run_for(f.workers, 2 * NS_PER_SEC);
	assert_non_null(dial(&f, &failure));
	fixture_fini(&f);
}

/* With several workers, the answers to each port come home. */
static void test_ports_come_home(void **state)
{
	struct fixture f = {0};
	struct endpoint remote = {ip_addr_from_v4(0x0a000002), 8080};
	enum tcp_failure failure;

	(void)state;
	steer_init(&f.steer, 3);
	fixture_init(&f);
	for (int i = 0; i < 60; i++) {
		struct tcp_conn *c = dial(&f, &failure);
		struct endpoint local;

		assert_non_null(c);
		local = tcp_conn_local(c);
		assert_int_equal(steer_core(&f.steer, &local, &remote), 0);
		assert_false(steer_is_control_port(&f.steer, local.port));
	}
	fixture_fini(&f);
}

static void test_control_core_has_its_ports(void **state)
{
	struct fixture f = {0};
	enum tcp_failure failure;
	struct tcp_conn *c;

	(void)state;
	fixture_init(&f);
	f.workers->w[0]->control = true;
	c = dial(&f, &failure);
	assert_true(steer_is_control_port(&f.steer, tcp_conn_local(c).port));
	fixture_fini(&f);
}

static void test_no_memory(void **state)
{
	struct fixture f = {0};
	enum tcp_failure failure;

	(void)state;
	fixture_init(&f);
	f.tcp->conns.fail_nth = 1;
	assert_null(dial(&f, &failure));
	assert_int_equal(failure, TCP_FAILURE_NO_MEMORY);
	f.ip->path_error = -ENETUNREACH;
	assert_null(dial(&f, &failure));
	assert_int_equal(failure, TCP_FAILURE_UNREACHABLE);
	assert_int_equal(f.tcp->stats[TCP_STAT_OPEN_FAILED], 2);
	fixture_fini(&f);
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(bytes_of_cstr(text), &a));
	return a;
}

/* The listener that fits best gets the SYN. */
static void test_listener_choice(void **state)
{
	static const char *const at[] = {"10.0.0.1", "0.0.0.0", "::", "fd00::1"};
	static const struct {
		const char *to;
		uint32_t present; /* bits of `at` */
		int want;         /* -1: none */
	} rows[] = {
		{"10.0.0.1", 0xf, 0},
		{"10.0.0.9", 0xf, 1},
		{"10.0.0.9", 0x4, 2},
		{"10.0.0.9", 0x8, -1},
		{"fd00::1", 0xf, 3},
		{"fd00::9", 0xf, 2},
		{"fd00::9", 0x3, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = {0};
		struct tcp_listener *l[4] = {0}, *want;
		struct tcp_tuple tuple = {.local = addr(rows[i].to), .local_port = 443};

		fixture_init(&f);
		tcp_listener_close(f.listener);
		for (uint32_t n = 0; n < 4; n++) {
			struct tcp_listen_config config = {
				.local = {addr(at[n]), 443}, .ops = &fixture_ops};

			if (rows[i].present & (1u << n))
				l[n] = tcp_listen(f.tcp, &config, NULL);
		}
		want = rows[i].want < 0 ? NULL : l[rows[i].want];
		assert_ptr_equal(tcp_listener_find(f.tcp, &tuple.local, tuple.local_port), want);
		fixture_fini(&f);
	}
}

static void test_listen_errors(void **state)
{
	struct tcp_listen_config config = {.local = {ip_addr_from_v4(0), 80}, .ops = &fixture_ops};
	struct error err = {0};
	struct fixture f = {0};

	(void)state;
	fixture_init(&f);
	assert_null(tcp_listen(f.tcp, &config, &err));
	assert_int_equal(err.code, -EADDRINUSE);
	for (config.local.port = 81; config.local.port < 84; config.local.port++)
		assert_non_null(tcp_listen(f.tcp, &config, NULL));
	error_clear(&err);
	assert_null(tcp_listen(f.tcp, &config, &err));
	assert_int_equal(err.code, -ENOSPC);
	fixture_fini(&f);
}

/* Which machine a loopback address means, ours or one on the wire, is up to who listens on the
 * endpoint; answers go where a segment came from, in every way that there is to answer. */
static struct wire_tcp sent_to(struct fixture *f, bool us)
{
	struct fake_ip_sent s = {0};
	struct wire_tcp h;

	fake_workers_settle(f->workers);
	assert_true(fake_ip_fetch(f->ip, &s));
	assert_int_equal(s.to_us, us);
	assert_int_equal(
		wire_tcp_parse(rte_pktmbuf_mtod(s.m, const uint8_t *), s.m->data_len, &h), WIRE_OK);
	pkt_free(s.m);
	return h;
}

static void test_connect_to_our_listener(void **state)
{
	struct tcp_connect_config config = {.ops = &fixture_ops};
	struct fixture f = {0};

	(void)state;
	fixture_init(&f);
	for (uint16_t port = 79; port <= 81; port++) {
		enum tcp_failure failure;
		struct tcp_conn *c;

		config.remote = (struct endpoint){addr("127.0.0.1"), port};
		c = tcp_connect(f.tcp, &config, &failure);
		assert_non_null(c);
		sent_to(&f, port == 80);
		tcp_conn_abort(c);
		fake_workers_settle(f.workers);
	}
	fixture_fini(&f);
}

static void test_answers_go_back(void **state)
{
	(void)state;
	for (uint32_t from_us = 0; from_us <= 1; from_us++) {
		struct fixture f = {.local_port = 81, .remote_port = 5000};

		fixture_init(&f);
		f.ip->from_us = from_us;
		receive(&f, WIRE_TCP_SYN, f.seq, SEQ(0)); /* a reset: nobody listens */
		sent_to(&f, from_us);
		f.local_port = 80;
		receive(&f, WIRE_TCP_SYN, f.seq, SEQ(0));
		f.ack = seq_add(sent_to(&f, from_us).seq, 1);
		f.seq = seq_add(f.seq, 1);
		receive(&f, WIRE_TCP_ACK, f.seq, f.ack);
		tcp_conn_close(f.conn);
		f.ack = seq_add(sent_to(&f, from_us).seq, 1);
		receive(&f, WIRE_TCP_ACK | WIRE_TCP_FIN, f.seq, f.ack); /* TIME-WAIT */
		sent_to(&f, from_us);
		receive(&f, WIRE_TCP_ACK | WIRE_TCP_FIN, f.seq, f.ack); /* again */
		sent_to(&f, from_us);
		fixture_fini(&f);
	}
}

/* Resets without a connection have limits of their own for open and for closed ports: a flood of
 * one kind leaves the other alone; it ends with the window of the limit. */
static void test_reset_limits(void **state)
{
	struct fixture f = {.remote_port = 5000};
	uint64_t closed, opened;

	(void)state;
	fixture_init(&f);
	f.local_port = 81;
	for (int i = 0; i < 200; i++) {
		receive(&f, WIRE_TCP_ACK, f.seq, SEQ(7));
		(void)sent(&f);
	}
	closed = f.tcp->stats[TCP_STAT_RST_LIMITED];
	assert_in_range(closed, 100, 150); /* half of a tenth of the rate, at least */
	f.local_port = 80;
	receive(&f, WIRE_TCP_ACK, f.seq, SEQ(7));
	assert_int_equal(sent(&f).flags, WIRE_TCP_RST);
	for (int i = 0; i < 200; i++) {
		receive(&f, WIRE_TCP_ACK, f.seq, SEQ(7));
		(void)sent(&f);
	}
	opened = f.tcp->stats[TCP_STAT_RST_LIMITED_OPEN];
	assert_in_range(opened, 101, 151);
	assert_int_equal(f.tcp->stats[TCP_STAT_RST_LIMITED], closed);
	assert_int_equal(f.tcp->stats[TCP_STAT_TX_RST], 401 - closed - opened);
	fake_workers_run_for(f.workers, TCP_BUCKET_MS * NS_PER_MS);
	f.local_port = 81;
	receive(&f, WIRE_TCP_ACK, f.seq, SEQ(7));
	assert_int_equal(sent(&f).flags, WIRE_TCP_RST);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keepalive_from_the_start),
		cmocka_unit_test(test_ports_run_out),
		cmocka_unit_test(test_ports_of_time_wait),
		cmocka_unit_test(test_ports_of_time_wait_without_timestamps),
		cmocka_unit_test(test_ports_come_home),
		cmocka_unit_test(test_control_core_has_its_ports),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_listener_choice),
		cmocka_unit_test(test_listen_errors),
		cmocka_unit_test(test_connect_to_our_listener),
		cmocka_unit_test(test_answers_go_back),
		cmocka_unit_test(test_reset_limits),
	};

	return cmocka_run_group_tests_name("tcp/open", tests, NULL, NULL);
}
