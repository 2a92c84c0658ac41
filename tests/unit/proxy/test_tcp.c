/* SPDX-License-Identifier: BSD-3-Clause */
/* Letters and figures are those of HAProxy 2.6 in the same situations. */
#include "check.h"

#include "script.h"

static void dontlog_normal(struct bench *b)
{
	b->fe->dontlog_normal = true;
}

static void fins(struct bench *b)
{
	b->fe->timeouts.client_fin = 100;
	b->be->timeouts.server_fin = 150;
}

static void redispatch_rr(struct bench *b)
{
	script_refuse(b);
	b->servers[1].disabled = false;
	b->be->be.redispatch = true;
}

static void redispatch_last(struct bench *b)
{
	redispatch_rr(b);
	b->be->be.lb = MODEL_LB_SOURCE;
	b->be->be.retries = 2;
	b->servers[0].weight = 256; /* the hash finds it */
}

static const struct script rows[] = {
	{"both ways", NULL, {"c> abc", "s> defg", "c> h", "c shut", "s shut"}, "defg", 'F',
		" fe be/s1 0/0/0 4 -- 1/1/0/0/0 0/0",
		"F.stot=1 F.bin=4 F.bout=4 B.bin=4 1.bin=4 1.bout=4 L.bin=4 1.lbtot=1 B.lbtot=1 "
		"1.connect=1 F.conn_tot=1 1.used_conn_cur=0 B.scur=0 1.smax=1 F.smax=1",
		"abch"},
	{"server ends first", NULL, {"s> hi", "s shut", "c> x", "c shut"}, "hi", 'F', " -- ", "",
		"x"},
	{"half-closed and used", NULL, {"c> abc", "c shut", "wait 500", "s> late", "wait 500"},
		"late", 'O', NULL, "F.scur=1", "abc"},
	{"idle", NULL, {"c> abc", "wait 601"}, NULL, 'F', " 0/0/600 0 cD 1/1/0/0/0 0/0",
		"B.cli_abrt=1 1.cli_abrt=1 B.srv_abrt=0"},
	{"idle, nothing sent", NULL, {"wait 601"}, NULL, 'F', " 0/0/600 0 cD ", "B.cli_abrt=1"},
	{"idle, dontlognull", script_dontlognull, {"wait 601"}, NULL, 'F', NULL, "B.cli_abrt=1"},
	{"server silent after the client's end", NULL, {"c> abc", "c shut", "wait 802"}, NULL, 'F',
		" 0/0/800 0 sD ", "B.srv_abrt=1 1.srv_abrt=1 B.cli_abrt=0"},
	{"server-fin", fins, {"c> abc", "c shut", "wait 152"}, NULL, 'F', " 0/0/150 0 sD ",
		"B.srv_abrt=1"},
	{"client-fin", fins, {"s> abc", "s shut", "wait 102"}, "abc", 'F', " 0/0/100 3 cD ",
		"B.cli_abrt=1"},
	{"tunnel", script_tunnel, {"c> abc", "wait 202"}, NULL, 'F', " 0/0/200 0 cD ",
		"B.cli_abrt=1"},
	{"activity keeps it up", NULL, {"c> a", "wait 400", "s> b", "wait 400", "c> c", "wait 400"},
		"b", 'O', NULL, "F.scur=1 F.bin=2"},
	{"server resets", NULL, {"c> abc", "s reset"}, NULL, 'R', " 0/0/0 0 SD 1/1/0/0/0 0/0",
		"B.srv_abrt=1 1.srv_abrt=1 B.eresp=1 1.eresp=1"},
	{"client resets", NULL, {"c> abc", "c reset"}, NULL, 'O', " 0/0/0 0 CD ",
		"B.cli_abrt=1 1.cli_abrt=1 1.eresp=0"},
	{"refused, tried again after a pause", script_refuse, {"c> abc", "wait 299", "wait 3"},
		NULL, 'F', " be/s1 0/-1/30",
		"B.econ=1 1.econ=1 B.wretr=1 1.wretr=1 1.connect=2 B.connect=2 "
		"1.stot=2 B.stot=1 B.lbtot=1 F.bin=3"},
	{"never answers", script_hang, {"c> abc", "wait 602"}, NULL, 'F', " be/s1 0/-1/60",
		"B.econ=1 B.wretr=1 1.connect=2"},
	{"never answers: the letters", script_hang, {"c> abc", "wait 602"}, NULL, 'F',
		" 0 sC 1/1/0/0/1 ", ""},
	{"out of ports", script_no_port, {"wait 2"}, NULL, 'F', " 0 RC ", "B.econ=1 B.wretr=0"},
	{"no server is up", script_disabled, {"wait 1"}, NULL, 'F',
		" be/<NOSRV> -1/-1/0 0 SC 1/1/0/0/0", "B.econ=1 B.stot=1 1.stot=0"},
	{"no backend", script_no_backend, {"wait 1"}, NULL, 'F', " fe/<NOSRV> -1/-1/0 0 SC ",
		"B.stot=0"},
	{"another server at once", redispatch_rr, {"c> abc", "s> x"}, "x", 'O', NULL,
		"B.wredis=1 1.wredis=1 2.wredis=0 B.wretr=0 1.lbtot=1 2.lbtot=1 1.scur=0 2.scur=1",
		"abc"},
	{"another server is marked", redispatch_rr, {"c> abc", "c shut", "s shut"}, NULL, 'F',
		" be/s2 0/0/0 0 -- 1/1/0/0/+1 0/0", ""},
	{"another server as the last resort", redispatch_last, {"c> abc", "wait 302", "s> x"}, "x",
		'O', NULL, "B.wretr=1 B.wredis=1 1.connect=2 2.connect=1", "abc"},
	{"client leaves while connecting", script_hang, {"c close"}, NULL, 'O', " 0/-1/0 0 CC ",
		"B.cli_abrt=0 1.scur=0"},
	{"client ends while connecting, with data", script_hang, {"c> abc", "c shut", "wait 10"},
		NULL, 'O', NULL, "1.scur=1"},
	{"the same with abortonclose", script_abortonclose_hang, {"c> abc", "c shut"}, NULL, 'R',
		" 0/-1/0 0 CC ", ""},
	{"client resets while connecting", script_hang, {"c> abc", "c reset"}, NULL, 'O', " CC ",
		""},
	{"normal ones are not wanted", dontlog_normal, {"c> a", "c shut", "s shut"}, NULL, 'F',
		NULL, ""},
	{"log as soon as possible", script_logasap, {"c> a"}, NULL, 'O',
		" 0/0/+0 +0 -- 1/1/1/1/0 0/0", ""},
	{"default log", script_default_log, {"c> a"}, NULL, 'O',
		"Connect from 127.0.0.1:2 to 127.0.0.1:1 (fe/TCP)", ""},
};

static void scenarios(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		script_run(&rows[i], MODEL_MODE_TCP);
}

/* Nobody takes more from one side than the other has room for. */
static void back_pressure_both_ways(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *client, *server;
	uint64_t sent = 0;
	uint32_t n;

	(void)state;
	b->pipe_bytes = 16384;
	bench_start(b);
	client = bench_client(b, 0);
	bench_settle(b);
	server = bench_server(b);
	client->paused = true;
	do {
		n = end_send_bytes(server, 100000);
		sent += n;
		bench_settle(b);
	} while (n > 0);
	/* One pipe to the client, one from the server, one packet in between. */
	assert_in_range(sent, 2 * 16384, 2 * 16384 + 1500);
	client->paused = false;
	end_read(client);
	bench_settle(b);
	assert_int_equal(client->total, sent);
	server->paused = true;
	sent = 0;
	do {
		n = end_send_bytes(client, 100000);
		sent += n;
		bench_settle(b);
	} while (n > 0);
	assert_in_range(sent, 2 * 16384, 2 * 16384 + 1500);
	bench_end(b);
}

static void a_client_that_does_not_read_expires(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *client;

	(void)state;
	b->pipe_bytes = 16384;
	bench_start(b);
	client = bench_client(b, 0);
	bench_settle(b);
	client->paused = true;
	for (int i = 0; i < 8; i++) {
		end_send_bytes(bench_server(b), 100000);
		bench_settle(b);
	}
	bench_wait(b, 599);
	assert_int_equal(b->log_count, 0);
	bench_wait(b, 3);
	assert_non_null(strstr(b->log, " cD "));
	assert_int_equal(bench_stat(b, 'B', "cli_abrt"), 1);
	assert_true(client->failed);
	bench_end(b);
}

/* Megabytes through small pipes arrive whole. */
static void long_transfer(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *client;
	uint64_t sent = 0;

	(void)state;
	b->pipe_bytes = 10000;
	bench_start(b);
	client = bench_client(b, 0);
	bench_settle(b);
	while (sent < 5000000) {
		sent += end_send_bytes(bench_server(b), 7777);
		bench_settle(b);
	}
	end_shut(bench_server(b));
	bench_settle(b);
	assert_int_equal(client->total, sent);
	assert_true(client->eof);
	assert_int_equal(bench_stat(b, 'F', "bout"), sent);
	bench_end(b);
}

static void exhausted_pools_refuse_the_newest(void **state)
{
	struct bench *b = bench_new(1, 1);

	(void)state;
	b->sessions_max = 2;
	b->model->global.maxconn = 0; /* the pool is the limit */
	bench_start(b);
	assert_non_null(bench_client(b, 0));
	assert_non_null(bench_client(b, 0));
	assert_null(bench_client(b, 0));
	bench_settle(b);
	assert_int_equal(bench_stat(b, 'F', "scur"), 2);
	assert_int_equal(proxy_view_limit(b->view, PROXY_OBJECT_FRONTEND, 0), 2);
	assert_int_equal(proxy_view_frontend(b->view, 0), PROXY_FRONTEND_FULL);
	bench_end(b);
}

static void frontend_maxconn_lets_the_next_wait(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *first, *second;

	(void)state;
	b->fe->fe.maxconn = 1;
	bench_start(b);
	assert_int_equal(proxy_view_frontend(b->view, 0), PROXY_FRONTEND_OPEN);
	first = bench_client(b, 0);
	second = bench_client(b, 0);
	end_send(second, "abc");
	bench_wait(b, 100);
	assert_int_equal(proxy_view_frontend(b->view, 0), PROXY_FRONTEND_FULL);
	assert_int_equal(b->server_count, 1);
	assert_int_equal(bench_stat(b, 'F', "conn_tot"), 1);
	end_reset(first);
	bench_settle(b);
	assert_int_equal(b->server_count, 2);
	assert_string_equal(bench_server(b)->in, "abc");
	assert_int_equal(bench_stat(b, 'F', "smax"), 1);
	bench_end(b);
}

static void a_waiting_client_may_leave(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *first, *second;

	(void)state;
	b->bind->maxconn = 1;
	bench_start(b);
	first = bench_client(b, 0);
	second = bench_client(b, 0);
	end_reset(second);
	bench_settle(b);
	end_reset(first);
	bench_settle(b);
	assert_int_equal(b->log_count, 1);
	assert_int_equal(bench_stat(b, 'F', "conn_tot"), 1);
	assert_non_null(bench_client(b, 0));
	bench_settle(b);
	assert_int_equal(bench_stat(b, 'F', "conn_tot"), 2);
	bench_end(b);
}

static void server_maxconn_queues_in_order(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *clients[4];

	(void)state;
	b->servers[0].maxconn = 1;
	b->be->timeouts.queue = 5000;
	b->fe->timeouts.client = b->be->timeouts.server = 10000;
	bench_start(b);
	for (int i = 0; i < 4; i++) {
		char name[] = {(char)('a' + i), '\0'};

		clients[i] = bench_client(b, 0);
		end_send(clients[i], name);
		bench_settle(b);
	}
	assert_int_equal(bench_stat(b, 'B', "qcur") + bench_stat(b, '1', "qcur"), 3);
	end_close(clients[2]); /* FIN, with a byte that waits: it stays in the queue */
	for (int i = 0; i < 4; i++) {
		char name[] = {(char)('a' + i), '\0'};

		assert_int_equal(b->server_count, i + 1);
		assert_string_equal(bench_server(b)->in, name);
		assert_int_equal(bench_stat(b, '1', "scur"), 1);
		end_reset(bench_server(b));
		bench_settle(b);
	}
	assert_int_equal(bench_stat(b, '1', "smax"), 1);
	assert_int_equal(bench_stat(b, 'B', "qmax"), 3);
	assert_int_equal(bench_stat(b, 'B', "qcur"), 0);
	bench_end(b);
}

static void queue_timeout(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *second;

	(void)state;
	b->servers[0].maxconn = 1;
	b->fe->timeouts.client = b->be->timeouts.server = 10000;
	bench_start(b);
	bench_client(b, 0);
	second = bench_client(b, 0);
	bench_wait(b, 302);
	assert_true(second->eof);
	assert_non_null(strstr(b->log, " be/<NOSRV> -1/-1/30"));
	assert_non_null(strstr(b->log, " 0 sQ 2/2/1/0/0 0/0"));
	assert_int_equal(bench_stat(b, 'B', "econ"), 1);
	bench_end(b);
}

static void maxqueue_sends_the_rest_elsewhere(void **state)
{
	struct bench *b = bench_new(1, 2);
	struct end *last;
	uint32_t used[2] = {0};

	(void)state;
	b->be->be.lb = MODEL_LB_SOURCE; /* all clients have one address, so one server */
	for (int i = 0; i < 2; i++) {
		b->servers[i].maxconn = 1;
		b->servers[i].maxqueue = 1;
	}
	bench_start(b);
	for (int i = 0; i < 4; i++) {
		bench_client(b, 0);
		bench_settle(b);
	}
	for (uint32_t i = 0; i < b->server_count; i++)
		used[b->server_ends[i]->port - 8001]++;
	assert_int_equal(used[0], 1);
	assert_int_equal(used[1], 1);
	assert_int_equal(bench_stat(b, '1', "qcur"), 1);
	assert_int_equal(bench_stat(b, '2', "qcur"), 1);
	last = bench_client(b, 0);
	bench_settle(b);
	assert_true(last->eof);
	assert_non_null(strstr(b->log, " 0 SQ "));
	bench_end(b);
}

static void keepalive_is_asked_for_by_option(void **state)
{
	(void)state;
	for (int on = 0; on < 2; on++) {
		struct bench *b = bench_new(1, 1);

		b->be->tcpka_server = on;
		bench_start(b);
		bench_client(b, 0);
		bench_settle(b);
		assert_int_equal(bench_server(b)->keepalive, on);
		bench_end(b);
	}
}

static void a_server_in_maintenance_frees_its_queue(void **state)
{
	struct bench *b = bench_new(1, 2);
	struct proxy_server_info info;
	struct proxy_backend_info be;

	(void)state;
	b->servers[0].maxconn = 1;
	b->servers[1].disabled = true;
	bench_start(b);
	bench_client(b, 0);
	bench_client(b, 0);
	bench_settle(b);
	assert_int_equal(b->server_count, 1);
	proxy_server_set(b->px[0], 1, 1, false);
	bench_settle(b);
	assert_int_equal(b->server_count, 2);
	assert_int_equal(bench_server(b)->port, 8002);
	proxy_server_set(b->px[0], 0, 1, true);
	proxy_view_server(b->view, 0, b->f->w[0]->now_ns, &info);
	assert_int_equal(info.status, PROXY_SERVER_MAINT);
	assert_string_equal(info.status_text, "MAINT");
	assert_int_equal(info.weight, 0);
	assert_int_equal(info.down_count, 1);
	proxy_view_backend(b->view, 1, b->f->w[0]->now_ns, &be);
	assert_true(be.up);
	assert_int_equal(be.active, 1);
	bench_end(b);
}

struct seen {
	uint32_t count;
	struct proxy_session_info last;
};

static void see(void *ctx, const struct proxy_session_info *info)
{
	struct seen *seen = ctx;

	seen->count++;
	seen->last = *info;
}

static void sessions_are_listed(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct seen seen = {0};
	struct end *first;
	uint32_t cursor = 0;

	(void)state;
	bench_start(b);
	first = bench_client(b, 0);
	for (int i = 0; i < 4; i++)
		bench_client(b, 0);
	end_reset(first);
	bench_settle(b);
	while (proxy_session_each(b->px[0], &cursor, 2, see, &seen))
		assert_true(cursor <= 5);
	assert_int_equal(seen.count, 4);
	assert_string_equal(seen.last.state, "data");
	assert_int_equal(seen.last.backend, 1);
	assert_int_equal(seen.last.server, 0);
	assert_int_equal(seen.last.expire_in_ns, 600 * NS_PER_MS);
	bench_end(b);
}

static void soft_stop_lets_sessions_end(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *client;

	(void)state;
	bench_start(b);
	client = bench_client(b, 0);
	bench_settle(b);
	proxy_stop_soft(b->px[0]);
	bench_settle(b);
	assert_false(proxy_is_drained(b->px[0]));
	assert_null(bench_client(b, 0));
	end_send(client, "still");
	bench_settle(b);
	assert_string_equal(bench_server(b)->in, "still");
	end_shut(client);
	end_shut(bench_server(b));
	bench_settle(b);
	assert_true(proxy_is_drained(b->px[0]));
	bench_end(b);
}

static void hard_stop_resets_all(void **state)
{
	struct bench *b = bench_new(1, 1);
	struct end *client;

	(void)state;
	bench_start(b);
	client = bench_client(b, 0);
	bench_settle(b);
	proxy_stop_hard(b->px[0]);
	bench_settle(b);
	assert_true(client->failed);
	assert_true(proxy_is_drained(b->px[0]));
	assert_non_null(strstr(b->log, " KD "));
	bench_end(b);
}

/* Three workers share a server's limit of 2 and the machine's of 5. */
static void limits_hold_for_all_workers(void **state)
{
	struct bench *b = bench_new(3, 1);
	uint32_t served = 0;

	(void)state;
	b->model->global.maxconn = 5;
	b->servers[0].maxconn = 2;
	b->be->timeouts.queue = 100000;
	b->fe->timeouts.client = b->be->timeouts.server = 100000;
	bench_start(b);
	for (uint32_t i = 0; i < 12; i++)
		bench_client(b, i % 3);
	while (served < 12) {
		struct proxy_totals totals;
		uint32_t open = 0;

		bench_settle(b);
		for (uint32_t i = 0; i < b->server_count; i++)
			open += stream_is_open(&b->server_ends[i]->stream) &&
				!b->server_ends[i]->eof;
		assert_true(open <= 2);
		proxy_view_totals(b->view, b->f->w[0]->now_ns, &totals);
		assert_true(totals.conns <= 5);
		assert_true(b->server_count > served);
		end_reset(b->server_ends[served++]);
	}
	bench_settle(b);
	assert_int_equal(bench_stat(b, 'B', "stot"), 12);
	assert_int_equal(bench_stat(b, '1', "scur"), 0);
	bench_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios),
		cmocka_unit_test(back_pressure_both_ways),
		cmocka_unit_test(a_client_that_does_not_read_expires),
		cmocka_unit_test(long_transfer),
		cmocka_unit_test(exhausted_pools_refuse_the_newest),
		cmocka_unit_test(frontend_maxconn_lets_the_next_wait),
		cmocka_unit_test(a_waiting_client_may_leave),
		cmocka_unit_test(server_maxconn_queues_in_order),
		cmocka_unit_test(queue_timeout),
		cmocka_unit_test(maxqueue_sends_the_rest_elsewhere),
		cmocka_unit_test(keepalive_is_asked_for_by_option),
		cmocka_unit_test(a_server_in_maintenance_frees_its_queue),
		cmocka_unit_test(sessions_are_listed),
		cmocka_unit_test(soft_stop_lets_sessions_end),
		cmocka_unit_test(hard_stop_resets_all),
		cmocka_unit_test(limits_hold_for_all_workers),
	};

	return cmocka_run_group_tests_name("proxy/tcp", tests, NULL, NULL);
}
