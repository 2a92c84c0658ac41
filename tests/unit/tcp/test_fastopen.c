/* SPDX-License-Identifier: BSD-3-Clause */
/* Fast Open: whose cookie is good where, the limit of early opens, the client's cache. */
#include "fixture.h"

static void fast_init(struct fixture *f)
{
	struct tcp_options options = {.fast_open = true};

	f->config.conns_max = 256;
	f->remote_port = 5000;
	f->local_port = 80;
	fixture_init(f);
	f->listener->config.options = (uint8_t)tcp_options_add(f->tcp, &options, NULL);
}

/* The answer to a SYN with this option, from port f->remote_port of `from`, with text or without.
 */
static struct wire_tcp syn_from(
	struct fixture *f, const char *from, const struct wire_tcp *option, uint32_t text)
{
	struct wire_tcp h = *option;
	struct rte_mbuf *m = pkt_alloc(&f->pools);
	struct ip_addr addr;

	h.src_port = f->remote_port;
	h.dst_port = 80;
	h.seq = f->seq;
	h.flags = WIRE_TCP_SYN;
	h.window = 1000;
	assert_non_null(m);
	assert_true(ip_addr_parse(bytes_of_cstr(from), &addr));
	wire_tcp_emit((uint8_t *)rte_pktmbuf_append(m, (uint16_t)wire_tcp_bytes(&h)), &h);
	memset(rte_pktmbuf_append(m, (uint16_t)text), 'x', text);
	fake_ip_receive(f->ip, addr, f->ip->own, m);
	f->remote_port++;
	return sent(f);
}

static struct wire_tcp cookie_for(struct fixture *f, const char *from)
{
	struct wire_tcp ask = {.has_fast_open = true}, answer = syn_from(f, from, &ask, 0);
	struct wire_tcp cookie = {.has_fast_open = true, .fast_open_len = answer.fast_open_len};

	assert_int_equal(answer.fast_open_len, TCP_FAST_OPEN_COOKIE_BYTES);
	memcpy(cookie.fast_open, answer.fast_open, sizeof(cookie.fast_open));
	return cookie;
}

/* Was the text of a SYN acknowledged? */
static bool is_taken(struct fixture *f, const char *from, const struct wire_tcp *cookie)
{
	return syn_from(f, from, cookie, 10).ack.v - f->seq.v == 11;
}

/* A cookie is for one client; a changed or shorter one is none. */
static void test_cookie(void **state)
{
	struct fixture f = {0};
	struct wire_tcp cookie, wrong;

	(void)state;
	fast_init(&f);
	cookie = cookie_for(&f, "10.0.0.2");
	assert_true(is_taken(&f, "10.0.0.2", &cookie));
	assert_false(is_taken(&f, "10.0.0.3", &cookie));
	for (uint32_t i = 0; i < cookie.fast_open_len; i++) {
		wrong = cookie;
		wrong.fast_open[i] ^= 1;
		assert_false(is_taken(&f, "10.0.0.2", &wrong));
	}
	for (wrong = cookie; wrong.fast_open_len > 4;) {
		wrong.fast_open_len -= 2;
		assert_false(is_taken(&f, "10.0.0.2", &wrong));
	}
	assert_int_equal(f.tcp->stats[TCP_STAT_FAST_OPEN_BAD], 1 + 8 + 2);
	assert_int_equal(f.tcp->stats[TCP_STAT_FAST_OPEN_PASSIVE], 1);
	fixture_fini(&f);
}

/* All cores and all moments of two key periods agree on it. */
static void test_age(void **state)
{
	static const struct {
		uint32_t hours;
		bool good;
	} rows[] = {{0, true}, {11, true}, {12, true}, {24, false}, {240, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = {0};
		struct wire_tcp cookie;

		fast_init(&f);
		cookie = cookie_for(&f, "10.0.0.2");
		fixture_fini(&f);
		f = (struct fixture){0}; /* another core */
		fast_init(&f);
		fake_workers_run_for(f.workers, rows[i].hours * 3600 * NS_PER_SEC);
		assert_int_equal(is_taken(&f, "10.0.0.2", &cookie), rows[i].good);
		fixture_fini(&f);
	}
}

/* No more early opens than half-open ones; those that ended well make room at once. */
static void test_limit(void **state)
{
	struct fixture f = {0};
	struct tcp_conn *conns[16];
	struct wire_tcp cookie;

	(void)state;
	fast_init(&f);
	cookie = cookie_for(&f, "10.0.0.2");
	for (uint32_t i = 0; i < f.config.half_open_max; i++) {
		assert_true(is_taken(&f, "10.0.0.2", &cookie));
		conns[i] = f.conn;
	}
	assert_int_equal(f.listener->fast_open_count, 16);
	assert_false(is_taken(&f, "10.0.0.2", &cookie));
	assert_int_equal(f.tcp->stats[TCP_STAT_FAST_OPEN_FULL], 1);
	f.remote_port = conns[3]->tuple.remote_port;
	receive(&f, WIRE_TCP_ACK, conns[3]->rcv_nxt, conns[3]->snd_una);
	assert_int_equal(conns[3]->state, TCP_ESTABLISHED);
	assert_int_equal(f.listener->fast_open_count, 15);
	f.remote_port = 6000;
	assert_true(is_taken(&f, "10.0.0.2", &cookie));
	tcp_conn_abort(conns[4]); /* the owner's choice makes room, too */
	fake_workers_settle(f.workers);
	(void)sent(&f);
	assert_true(is_taken(&f, "10.0.0.2", &cookie));
	fixture_fini(&f);
}

/* Opens to a server and lets it give a cookie. */
static void learn_from(struct fixture *f, uint32_t number, uint8_t options)
{
	struct tcp_connect_config config = {
		.remote = {ip_addr_from_v4(0x0a010000 + number), 8080},
		.options = options,
		.ops = &fixture_ops,
		.user = f,
	};
	enum tcp_failure failure;
	struct tcp_conn *c = tcp_connect(f->tcp, &config, &failure);
	struct wire_tcp syn = sent(f),
			h = {
				.src_port = 8080,
				.dst_port = syn.src_port,
				.ack = seq_add(syn.seq, 1),
				.flags = WIRE_TCP_SYN | WIRE_TCP_ACK,
				.has_fast_open = true,
				.fast_open_len = 4,
				.fast_open = {(uint8_t)number, (uint8_t)(number >> 8)},
			};
	struct rte_mbuf *m = pkt_alloc(&f->pools);

	assert_non_null(c);
	assert_true(syn.has_fast_open);
	wire_tcp_emit((uint8_t *)rte_pktmbuf_append(m, (uint16_t)wire_tcp_bytes(&h)), &h);
	fake_ip_receive(f->ip, config.remote.addr, f->ip->own, m);
	fake_workers_settle(f->workers);
	tcp_conn_abort(c);
	while (sent(f).flags)
		;
}

/* The cache is bounded: new servers take the places of those that were not used for long. */
static void test_cache(void **state)
{
	struct tcp_options options = {.fast_open = true};
	uint32_t known = 0, known_late = 0;
	struct fixture f = {0};
	uint8_t id;

	(void)state;
	fast_init(&f);
	id = (uint8_t)tcp_options_add(f.tcp, &options, NULL);
	for (uint32_t i = 0; i < 2 * TCP_FAST_OPEN_CACHE_MAX; i++) {
		learn_from(&f, i, id);
		fake_workers_run_for(f.workers, NS_PER_MS);
	}
	for (uint32_t i = 0; i < TCP_FAST_OPEN_CACHE_MAX; i++)
		known += f.tcp->fast_open_cache[i].used;
	assert_in_range(known, TCP_FAST_OPEN_CACHE_MAX * 9 / 10, TCP_FAST_OPEN_CACHE_MAX);
	for (uint32_t i = 0; i < 64; i++) {
		struct tcp_connect_config config = {
			.remote = {ip_addr_from_v4(
					   0x0a010000 + 2 * TCP_FAST_OPEN_CACHE_MAX - 1 - i),
				8080},
			.options = id,
			.ops = &fixture_ops,
			.user = &f,
		};
		enum tcp_failure failure;
		struct tcp_conn *c = tcp_connect(f.tcp, &config, &failure);
		struct wire_tcp syn = sent(&f);

		known_late += syn.fast_open_len == 4;
		tcp_conn_abort(c);
		fake_workers_settle(f.workers);
	}
	assert_in_range(known_late, 50, 64); /* the latest */
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests_name("tcp/fastopen", tests, NULL, NULL);
}
