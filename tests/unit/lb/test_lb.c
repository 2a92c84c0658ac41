/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences marked HAProxy were recorded from HAProxy 2.6.12. */
#include "check.h"

#include "lb.h"

#define SERVERS_MAX 8

static struct lb *make(const struct lb_ops *ops, const uint32_t *weights, uint32_t n)
{
	struct lb_server servers[SERVERS_MAX];
	struct error err = {0};
	struct lb *lb;

	for (uint32_t i = 0; i < n; i++)
		servers[i] = (struct lb_server){.id = i + 1, .weight = weights[i], .up = true};
	lb = lb_create(
		&(struct lb_config){.ops = ops, .server_count = n, .servers = servers}, &err);
	assert_non_null(lb);
	return lb;
}

/* Picks 1 to 9 as text: "123". */
static const char *picks(struct lb *lb, uint32_t n, char *buf, bool take)
{
	struct lb_query query = {.avoid = LB_NONE};

	for (uint32_t i = 0; i < n; i++) {
		uint32_t server = lb_pick(lb, &query);

		buf[i] = server == LB_NONE ? '-' : (char)('1' + server);
		if (take && server != LB_NONE)
			lb_take(lb, server);
	}
	buf[n] = '\0';
	return buf;
}

static void roundrobin_sequences(void **state)
{
	/* HAProxy, two periods where they are short. */
	static const struct {
		uint32_t n, weights[SERVERS_MAX];
		const char *want;
	} rows[] = {
		{3, {1, 1, 1}, "1231231"},
		{3, {1, 2, 3}, "3231323231"},
		{3, {3, 2, 1}, "1213121213"},
		{3, {5, 1, 1}, "11121131112"},
		{3, {2, 2, 1}, "121231212"},
		{4, {10, 20, 30, 7}, "323132323143232312343231323234"},
		{4, {3, 3, 3, 1}, "12312312341231"},
		{3, {100, 50, 25}, "112131211213121121312112131211"},
		{2, {1, 256}, "222222222222222222222222222222"},
		{1, {7, 0}, "1111"},
		{3, {1, 0, 1}, "1313"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lb *lb = make(&lb_roundrobin, rows[i].weights, rows[i].n);

		assert_string_equal(
			picks(lb, (uint32_t)strlen(rows[i].want), buf, false), rows[i].want);
		lb_destroy(lb);
	}
}

/* The odd fractions, where ties are decided by remainders. HAProxy. */
static void roundrobin_fractions(void **state)
{
	static const struct {
		uint32_t n, weights[SERVERS_MAX], from;
		const char *want;
	} rows[] = {
		{3, {50, 33, 3}, 12, "1212112"},
		{6, {1, 20, 7, 33, 5, 5}, 5, "2452442"},
		{3, {7, 10, 7}, 1, "1231232"},
		{6, {10, 50, 5, 10, 1, 7}, 52, "1226422"},
	};
	char buf[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lb *lb = make(&lb_roundrobin, rows[i].weights, rows[i].n);

		picks(lb, rows[i].from, buf, false);
		assert_string_equal(
			picks(lb, (uint32_t)strlen(rows[i].want), buf, false), rows[i].want);
		lb_destroy(lb);
	}
}

static void roundrobin_gives_exact_shares(void **state)
{
	static const uint32_t weights[] = {256, 255, 17, 1, 100};
	struct lb *lb = make(&lb_roundrobin, weights, 5);
	struct lb_query query = {.avoid = LB_NONE};
	uint32_t sum = 0, counts[5] = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		sum += weights[i];
	for (uint32_t i = 0; i < 3 * sum; i++)
		counts[lb_pick(lb, &query)]++;
	for (int i = 0; i < 5; i++)
		assert_int_equal(counts[i], 3 * weights[i]);
	lb_destroy(lb);
}

static void cores_share_one_sequence(void **state)
{
	static const uint32_t weights[] = {1, 2, 3};
	struct lb *all[3];
	struct lb_query query = {.avoid = LB_NONE};
	static const char want[] = "323132323132";

	(void)state;
	for (int c = 0; c < 3; c++)
		all[c] = make(&lb_roundrobin, weights, 3);
	for (int c = 0; c < 3; c++)
		lb_connect(all[c], all, 3);
	for (uint32_t i = 0; i < sizeof(want) - 1; i++)
		assert_int_equal(lb_pick(all[(i * 7 / 3) % 3], &query), want[i] - '1');
	for (int c = 0; c < 3; c++)
		lb_destroy(all[c]);
}

static void leastconn_sequences(void **state)
{
	/* HAProxy, every connection stays. */
	static const struct {
		uint32_t n, weights[SERVERS_MAX];
		const char *want;
	} rows[] = {
		{3, {1, 2, 3}, "123323323123323123"},
		{3, {1, 1, 1}, "123123123123123123"},
		{2, {1, 4}, "122222221222212222"},
		{3, {3, 1, 2}, "123131131231131231"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lb *lb = make(&lb_leastconn, rows[i].weights, rows[i].n);

		assert_string_equal(
			picks(lb, (uint32_t)strlen(rows[i].want), buf, true), rows[i].want);
		lb_destroy(lb);
	}
}

static void leastconn_rotates_when_idle(void **state)
{
	static const uint32_t weights[] = {1, 2, 3};
	struct lb *lb = make(&lb_leastconn, weights, 3);
	struct lb_query query = {.avoid = LB_NONE};

	(void)state;
	for (uint32_t i = 0; i < 9; i++) {
		uint32_t server = lb_pick(lb, &query);

		assert_int_equal(server, i % 3);
		lb_take(lb, server);
		lb_drop(lb, server);
	}
	lb_destroy(lb);
}

static void leastconn_sees_other_cores_per_turn(void **state)
{
	static const uint32_t weights[] = {1, 1};
	struct lb *all[2] = {make(&lb_leastconn, weights, 2), make(&lb_leastconn, weights, 2)};
	struct lb_query query = {.avoid = LB_NONE, .turn = 1};

	(void)state;
	lb_connect(all[0], all, 2);
	lb_connect(all[1], all, 2);
	for (int i = 0; i < 5; i++)
		lb_take(all[1], 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(lb_pick(all[0], &query), 1);
		lb_take(all[0], 1);
	}
	for (int i = 0; i < 5; i++)
		lb_drop(all[1], 0);
	lb_take(all[0], 1);
	assert_int_equal(lb_load(all[0], 0, 1), 5); /* as old as the turn */
	query.turn = 2;
	assert_int_equal(lb_load(all[0], 0, 2), 0);
	assert_int_equal(lb_pick(all[0], &query), 0);
	assert_int_equal(lb_load(all[1], 1, 2), 5);
	lb_destroy(all[0]);
	lb_destroy(all[1]);
}

static uint32_t pick_for(struct lb *lb, const struct ip_addr *addr, uint32_t avoid)
{
	return lb_pick(lb, &(struct lb_query){.source = addr, .avoid = avoid});
}

static struct ip_addr client(uint32_t i)
{
	return ip_addr_from_v4(0x7f000000u | (i * 7 % 256) << 8 | (i * 13 + 1) % 255);
}

static void source_chooses_as_haproxy(void **state)
{
	static const struct {
		const struct lb_ops *ops;
		uint32_t weights[3];
		const char *want; /* for client(0) to client(39) */
	} rows[] = {
		{&lb_source_map, {1, 1, 1}, "3213213213213213213213213213213213213132"},
		{&lb_source_map, {1, 2, 3}, "3232313232313232313213232313232313232323"},
		{&lb_source_map, {3, 5, 7}, "3223223223223223223223223223223223223332"},
		{&lb_source_consistent, {1, 1, 1}, "2132121331223112222233322331111112332212"},
		{&lb_source_consistent, {1, 2, 3}, "3233123333222312322223322333121332323213"},
		{&lb_source_consistent, {3, 5, 7}, "3333123233213313122221122333121322323233"},
	};

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct lb *lb = make(rows[r].ops, rows[r].weights, 3);

		for (uint32_t i = 0; i < 40; i++) {
			struct ip_addr addr = client(i);

			assert_int_equal(pick_for(lb, &addr, LB_NONE), rows[r].want[i] - '1');
		}
		lb_destroy(lb);
	}
}

static void consistent_moves_only_the_clients_of_the_lost_server(void **state)
{
	static const uint32_t weights[] = {10, 10, 10, 10};
	struct lb *lb = make(&lb_source_consistent, weights, 4);
	uint8_t before[1000];
	uint32_t moved = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct ip_addr addr = ip_addr_from_v4(0x0a000000 + i * 97);

		before[i] = (uint8_t)pick_for(lb, &addr, LB_NONE);
	}
	lb_server_set(lb, 2, 10, false);
	for (uint32_t i = 0; i < 1000; i++) {
		struct ip_addr addr = ip_addr_from_v4(0x0a000000 + i * 97);
		uint32_t now = pick_for(lb, &addr, LB_NONE);

		if (before[i] == 2)
			moved++;
		else
			assert_int_equal(now, before[i]);
		assert_int_not_equal(now, 2);
	}
	assert_in_range(moved, 150, 350);
	lb_destroy(lb);
}

static void ipv6_sources_spread(void **state)
{
	static const uint32_t weights[] = {1, 1};
	static const struct lb_ops *const all[] = {&lb_source_map, &lb_source_consistent};
	struct ip_addr addr = {{0x20, 0x01, 0x0d, 0xb8}};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		struct lb *lb = make(all[k], weights, 2);
		uint32_t counts[2] = {0};

		for (uint32_t i = 0; i < 256; i++) {
			addr.b[15] = (uint8_t)i;
			counts[pick_for(lb, &addr, LB_NONE)]++;
		}
		assert_true(counts[0] > 50 && counts[1] > 50);
		lb_destroy(lb);
	}
}

static bool full_but(void *ctx, uint32_t server)
{
	return server != *(uint32_t *)ctx;
}

static void full_and_avoided_are_passed_over(void **state)
{
	static const uint32_t weights[] = {1, 1, 1};
	static const struct lb_ops *const dynamic[] = {&lb_roundrobin, &lb_leastconn};
	static const struct lb_ops *const hashes[] = {&lb_source_map, &lb_source_consistent};
	uint32_t free_one = 2;
	struct lb_query query = {.avoid = LB_NONE, .is_full = full_but, .ctx = &free_one};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(dynamic); k++) {
		struct lb *lb = make(dynamic[k], weights, 3);

		for (free_one = 0; free_one < 3; free_one++)
			assert_int_equal(lb_pick(lb, &query), free_one);
		free_one = LB_NONE;
		assert_int_equal(lb_pick(lb, &query), LB_NONE);
		free_one = 1;
		query.avoid = 1;
		assert_int_equal(lb_pick(lb, &query), LB_NONE);
		query.avoid = LB_NONE;
		lb_destroy(lb);
	}
	for (size_t k = 0; k < ARRAY_LEN(hashes); k++) {
		struct lb *lb = make(hashes[k], weights, 3);
		struct ip_addr addr = ip_addr_from_v4(0x0a010203);
		uint32_t first;

		query.source = &addr;
		first = lb_pick(lb, &query); /* does not ask who is full */
		assert_int_equal(pick_for(lb, &addr, LB_NONE), first);
		assert_int_not_equal(pick_for(lb, &addr, first), first);
		lb_destroy(lb);
	}
}

static void backups_wait_for_their_turn(void **state)
{
	static const struct lb_ops *const all[] = {
		&lb_roundrobin, &lb_leastconn, &lb_source_map, &lb_source_consistent};
	struct lb_server servers[] = {{1, 1, false, true}, {2, 1, true, true}, {3, 1, true, true}};
	struct ip_addr addr = ip_addr_from_v4(0x0a010203);

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(all) * 2; k++) {
		struct lb_config config = {.ops = all[k / 2],
			.server_count = 3,
			.servers = servers,
			.allbackups = k % 2};
		struct lb *lb = lb_create(&config, NULL);

		assert_int_equal(lb_active_count(lb), 1);
		assert_int_equal(lb_backup_count(lb), 2);
		assert_int_equal(lb_usable_count(lb), 1);
		assert_int_equal(pick_for(lb, &addr, LB_NONE), 0);
		assert_int_equal(pick_for(lb, &addr, 0), 0); /* there is no other */
		lb_server_set(lb, 0, 1, false);
		assert_int_equal(lb_active_count(lb), 0);
		assert_int_equal(lb_usable_count(lb), k % 2 ? 2 : 1);
		assert_int_equal(lb_usable_weight(lb), k % 2 ? 2 : 1);
		if (k % 2 == 0)
			assert_int_equal(pick_for(lb, &addr, LB_NONE), 1);
		lb_server_set(lb, 1, 0, true);
		assert_int_equal(pick_for(lb, &addr, LB_NONE), 2);
		lb_server_set(lb, 2, 1, false);
		assert_int_equal(lb_usable_count(lb), 0);
		assert_int_equal(pick_for(lb, &addr, LB_NONE), LB_NONE);
		lb_server_set(lb, 0, 256, true);
		assert_int_equal(pick_for(lb, &addr, LB_NONE), 0);
		lb_destroy(lb);
	}
}

static void huge_backends_are_scaled_not_refused(void **state)
{
	static const struct lb_ops *const all[] = {
		&lb_roundrobin, &lb_source_map, &lb_source_consistent};
	static struct lb_server servers[LB_SERVERS_MAX];
	static uint32_t counts[LB_SERVERS_MAX];

	(void)state;
	for (uint32_t i = 0; i < LB_SERVERS_MAX; i++)
		servers[i] = (struct lb_server){
			.id = i + 1, .weight = i == 0 ? 1 : 128 + i % 129, .up = true};
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		struct lb_config config = {
			.ops = all[k], .server_count = LB_SERVERS_MAX, .servers = servers};
		struct lb *lb = lb_create(&config, NULL);

		memset(counts, 0, sizeof(counts));
		for (uint32_t i = 0; i < 100000; i++) {
			struct ip_addr addr = ip_addr_from_v4(i * 2654435761u);

			counts[pick_for(lb, &addr, LB_NONE)]++;
		}
		if (all[k] == &lb_roundrobin) {
			for (uint32_t i = 0; i < LB_SERVERS_MAX; i++)
				assert_in_range(counts[i], 1, 64);
		}
		lb_destroy(lb);
	}
}

static void empty_backend_has_nobody(void **state)
{
	struct lb *lb = lb_create(&(struct lb_config){.ops = &lb_roundrobin}, NULL);
	struct lb_query query = {.avoid = LB_NONE};

	(void)state;
	assert_int_equal(lb_pick(lb, &query), LB_NONE);
	lb_destroy(lb);
	lb_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roundrobin_sequences),
		cmocka_unit_test(roundrobin_fractions),
		cmocka_unit_test(roundrobin_gives_exact_shares),
		cmocka_unit_test(cores_share_one_sequence),
		cmocka_unit_test(leastconn_sequences),
		cmocka_unit_test(leastconn_rotates_when_idle),
		cmocka_unit_test(leastconn_sees_other_cores_per_turn),
		cmocka_unit_test(source_chooses_as_haproxy),
		cmocka_unit_test(consistent_moves_only_the_clients_of_the_lost_server),
		cmocka_unit_test(ipv6_sources_spread),
		cmocka_unit_test(full_and_avoided_are_passed_over),
		cmocka_unit_test(backups_wait_for_their_turn),
		cmocka_unit_test(huge_backends_are_scaled_not_refused),
		cmocka_unit_test(empty_backend_has_nobody),
	};

	return cmocka_run_group_tests_name("lb/lb", tests, NULL, NULL);
}
