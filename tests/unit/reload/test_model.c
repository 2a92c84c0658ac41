/* SPDX-License-Identifier: BSD-3-Clause */
/* What a good configuration becomes. */
#include "check.h"

#include "fake_config.h"

#define TIMEOUTS " timeout client 1s\n timeout server 2s\n timeout connect 3s\n"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(bytes_of_cstr(text), &a));
	return a;
}

static const struct model_proxy *proxy(const struct model *m, const char *name)
{
	for (uint32_t i = 0; i < m->proxy_count; i++)
		if (strcmp(m->proxies[i].name, name) == 0)
			return &m->proxies[i];
	fail_msg("no proxy %s", name);
	return NULL;
}

static void empty_text_gives_haproxys_defaults(void **state)
{
	struct model *m = fake_config_model("");

	(void)state;
	assert_int_equal(m->proxy_count, 0);
	assert_int_equal(m->global.maxhdr, 101);
	assert_int_equal(m->global.bufsize, 16384);
	assert_int_equal(m->global.stats_timeout_ms, 10000);
	assert_int_equal(m->network.worker_count, 3);
	assert_int_equal(m->network.worker_cores[0], 1);
	assert_int_equal(m->network.control_core, 0);
	assert_int_equal(m->log_count, 1);
	model_destroy(m);
}

static void defaults_are_inherited_and_overridden(void **state)
{
	struct model *m =
		fake_config_model("defaults base\n mode http\n" TIMEOUTS
				  " retries 7\n option dontlognull\n maxconn 9\n"
				  "defaults tcp from base\n mode tcp\n no option dontlognull\n"
				  "backend t\n timeout server 5s\n"
				  "backend h from base\n"
				  "frontend f from base\n maxconn 10\n bind :80\n"
				  "defaults\n"
				  "backend bare\n");

	(void)state;
	assert_int_equal(proxy(m, "t")->mode, MODEL_MODE_TCP);
	assert_false(proxy(m, "t")->dontlognull);
	assert_int_equal(proxy(m, "t")->timeouts.server, 5000);
	assert_int_equal(proxy(m, "t")->be.retries, 7);
	assert_int_equal(proxy(m, "h")->mode, MODEL_MODE_HTTP);
	assert_true(proxy(m, "h")->dontlognull);
	assert_int_equal(proxy(m, "h")->timeouts.server, 2000);
	assert_int_equal(proxy(m, "f")->fe.maxconn, 10);
	assert_int_equal(proxy(m, "bare")->be.retries, 3);
	assert_int_equal(proxy(m, "bare")->timeouts.server, 0);
	model_destroy(m);
}

static void timeouts_fall_back(void **state)
{
	struct model *m = fake_config_model(
		"listen a\n" TIMEOUTS "backend b\n" TIMEOUTS
		" timeout http-request 4s\n timeout queue 6s\n"
		"listen c\n" TIMEOUTS " timeout http-request 4s\n timeout http-keep-alive 5s\n");

	(void)state;
	assert_int_equal(proxy(m, "a")->timeouts.http_keep_alive, 1000);
	assert_int_equal(proxy(m, "a")->timeouts.queue, 3000);
	assert_int_equal(proxy(m, "b")->timeouts.http_keep_alive, 4000);
	assert_int_equal(proxy(m, "b")->timeouts.queue, 6000);
	assert_int_equal(proxy(m, "c")->timeouts.http_keep_alive, 5000);
	model_destroy(m);
}

/* The numbers that HAProxy 2.6 gives to the same file. */
static void ids_are_given_out_like_haproxy(void **state)
{
	struct model *m = fake_config_model(
		"defaults\n" TIMEOUTS
		"frontend f1\n bind :81\n bind :82 id 7\n bind :83\n default_backend b1\n"
		"backend b1\n server a 127.0.0.1:1\n server b 127.0.0.1:2 id 1000\n"
		" server c 127.0.0.1:3\n"
		"listen l1\n bind :84\n id 3\n server x 127.0.0.1:1\n"
		"listen l2\n bind :85-86\n");

	(void)state;
	assert_int_equal(proxy(m, "f1")->id, 2);
	assert_int_equal(proxy(m, "b1")->id, 4);
	assert_int_equal(proxy(m, "l1")->id, 3);
	assert_int_equal(proxy(m, "l2")->id, 6);
	assert_int_equal(m->servers[0].id, 1);
	assert_int_equal(m->servers[1].id, 1000);
	assert_int_equal(m->servers[2].id, 3);
	assert_int_equal(m->servers[3].id, 1);
	model_destroy(m);
}

static void binds_spread_over_lists_and_ranges(void **state)
{
	struct model *m = fake_config_model(
		"frontend f\n" TIMEOUTS " bind *:80,:81-82,[::]:83 v4v6 maxconn 5 name web backlog "
		"6 mss 1200 cc bbr tcp-ut 30s\n"
		" bind :::84 v6only tfo defer-accept mss -60\n");
	const struct model_frontend *fe;
	struct ip_addr any4 = addr("0.0.0.0"), any6 = addr("::");

	(void)state;
	fe = &proxy(m, "f")->fe;
	assert_int_equal(fe->bind_count, 5);
	for (uint32_t i = 0; i < 4; i++) {
		const struct model_bind *b = &m->binds[fe->bind_first + i];

		assert_int_equal(b->local.port, 80 + i);
		assert_true(ip_addr_eq(&b->local.addr, i < 3 ? &any4 : &any6));
		assert_string_equal(b->name, "web");
		assert_int_equal(b->maxconn, 5);
		assert_int_equal(b->backlog, 6);
		assert_int_equal(b->tcp.mss_max, 1200);
		assert_int_equal(b->tcp.user_timeout_ms, 30000);
		assert_false(b->tcp.fast_open);
		assert_false(b->tcp.defer_accept);
		assert_int_equal(b->tcp.cc, TCP_CC_BBR);
		assert_true(b->v4v6);
	}
	assert_int_equal(m->binds[4].local.port, 84);
	assert_true(m->binds[4].v6_only);
	assert_true(m->binds[4].tcp.fast_open);
	assert_int_equal(m->binds[4].tcp.mss_less, 60);
	assert_int_equal(m->binds[4].tcp.mss_max, 0);
	assert_true(m->binds[4].tcp.defer_accept);
	model_destroy(m);
}

static void connections_have_buffers_and_keep_alive(void **state)
{
	struct model *m = fake_config_model(
		"defaults\n" TIMEOUTS " clitcpka-cnt 3\n clitcpka-idle 10\n clitcpka-intvl 1500ms\n"
		" srvtcpka-cnt 4\n srvtcpka-idle 2m\n srvtcpka-intvl 7\n"
		"listen l\n bind :80\n server a 10.0.0.1:80\n clitcpka-cnt 5\n"
		"global\n tune.rcvbuf.client 64k\n tune.sndbuf.client 32768\n"
		" tune.rcvbuf.server 1m\n tune.sndbuf.server 2m\n");
	const struct tcp_options *b = &m->binds[0].tcp, *s = &m->servers[0].tcp;

	(void)state;
	assert_int_equal(b->keepalive_probes, 5);
	assert_int_equal(b->keepalive_idle_ms, 10000);
	assert_int_equal(b->keepalive_interval_ms, 2000);
	assert_int_equal(b->recv_buffer_bytes, 65536);
	assert_int_equal(b->send_buffer_bytes, 32768);
	assert_int_equal(s->keepalive_probes, 4);
	assert_int_equal(s->keepalive_idle_ms, 120000);
	assert_int_equal(s->keepalive_interval_ms, 7000);
	assert_int_equal(s->recv_buffer_bytes, 1 << 20);
	assert_int_equal(s->send_buffer_bytes, 2 << 20);
	model_destroy(m);
}

static void servers_take_their_words(void **state)
{
	struct model *m = fake_config_model(
		"defaults\n" TIMEOUTS
		" default-server weight 10 maxconn 100 cc reno tfo tcp-ut 5000\n"
		"backend b\n balance leastconn\n option allbackups\n option redispatch 2\n"
		" server a 10.0.0.1:80\n"
		" server b [2001:db8::1]:81 weight 5 backup maxqueue 3 cc cubic\n"
		" server c 10.0.0.3:+1000 disabled no-tfo\n"
		" server d 10.0.0.4\n");
	const struct model_backend *be = &proxy(m, "b")->be;
	const struct model_server *s = &m->servers[be->server_first];

	(void)state;
	assert_int_equal(be->lb, MODEL_LB_LEASTCONN);
	assert_int_equal(s[0].tcp.cc, TCP_CC_RENO);
	assert_int_equal(s[1].tcp.cc, TCP_CC_CUBIC);
	assert_true(be->allbackups);
	assert_true(be->redispatch);
	assert_int_equal(be->redispatch_interval, 2);
	assert_int_equal(be->server_count, 4);
	assert_int_equal(s[0].weight, 10);
	assert_int_equal(s[0].maxconn, 100);
	assert_int_equal(s[2].tcp.user_timeout_ms, 5000);
	assert_true(s[0].tcp.fast_open);
	assert_false(s[2].tcp.fast_open);
	assert_int_equal(s[1].weight, 5);
	assert_true(s[1].backup);
	assert_int_equal(s[1].maxqueue, 3);
	assert_int_equal(s[1].remote.port, 81);
	assert_true(s[2].disabled);
	assert_true(s[2].port_from_client);
	assert_int_equal(s[2].port_offset, 1000);
	assert_true(s[3].port_from_client);
	assert_int_equal(s[3].port_offset, 0);
	assert_int_equal(
		model_find_server(m, model_find_backend(m, BYTES_LIT("b")), BYTES_LIT("c")),
		be->server_first + 2);
	model_destroy(m);
}

static void backends_are_resolved(void **state)
{
	struct model *m = fake_config_model(
		"defaults\n" TIMEOUTS
		"frontend f\n bind :80\n use_backend b\n use_backend l\n default_backend b\n"
		"backend b\n"
		"listen l\n bind :81\n"
		"listen other\n bind :82\n default_backend b\n");
	uint32_t b = model_find_backend(m, BYTES_LIT("b"));
	uint32_t l = model_find_backend(m, BYTES_LIT("l"));

	(void)state;
	assert_int_equal(proxy(m, "f")->fe.default_backend, b);
	assert_int_equal(proxy(m, "f")->fe.use_backend_count, 2);
	assert_int_equal(proxy(m, "f")->fe.use_backends[0], b);
	assert_int_equal(proxy(m, "f")->fe.use_backends[1], l);
	assert_int_equal(proxy(m, "l")->fe.default_backend, l);
	assert_int_equal(proxy(m, "other")->fe.default_backend, b);
	assert_int_equal(model_find_frontend(m, BYTES_LIT("b")), MODEL_NONE);
	model_destroy(m);
}

static void options_are_read(void **state)
{
	struct model *m = fake_config_model(
		"defaults\n mode http\n" TIMEOUTS
		"frontend f\n bind :80\n option httpclose\n option httplog\n"
		" option forwardfor except 127.0.0.0/8 except 10.0.0.1 header X-Client if-none\n"
		"backend b\n option http-server-close\n no option http-server-close\n"
		" http-reuse always\n option abortonclose\n");
	const struct model_proxy *f = proxy(m, "f");

	(void)state;
	assert_int_equal(f->http_mode, MODEL_HTTP_CLOSE);
	assert_int_equal(f->log_format, MODEL_LOG_HTTP);
	assert_true(f->forwardfor);
	assert_true(f->forwardfor_if_none);
	assert_string_equal(f->forwardfor_header, "X-Client");
	assert_int_equal(f->forwardfor_except_count, 2);
	assert_int_equal(f->forwardfor_excepts[1].bits, 32);
	assert_int_equal(proxy(m, "b")->http_mode, MODEL_HTTP_KEEP_ALIVE);
	assert_int_equal(proxy(m, "b")->be.reuse, MODEL_REUSE_ALWAYS);
	assert_true(proxy(m, "b")->abortonclose);
	assert_false(proxy(m, "b")->forwardfor);
	model_destroy(m);
}

static void logs_gather_their_targets(void **state)
{
	struct model *m = fake_config_model(
		"global\n log 10.1.1.1:5140 len 2048 format rfc5424 local3 notice err\n"
		" log stdout format raw daemon\n log-tag w\n"
		"defaults\n log global\n" TIMEOUTS "frontend f\n bind :80\n log 10.1.1.2 local1\n"
		"frontend silent\n bind :81\n no log\n"
		"backend b\n log-tag other\n");
	const struct model_log *self = &m->logs[LOG_TARGET_SELF];
	const struct model_log *f = &m->logs[proxy(m, "f")->log];

	(void)state;
	assert_int_equal(self->target_count, 2);
	assert_string_equal(self->tag, "w");
	assert_int_equal(self->targets[0].kind, MODEL_LOG_TO_UDP);
	assert_int_equal(self->targets[0].remote.port, 5140);
	assert_int_equal(self->targets[0].len_max, 2048);
	assert_int_equal(self->targets[0].format, MODEL_LOG_FMT_RFC5424);
	assert_int_equal(self->targets[0].facility, 19);
	assert_int_equal(self->targets[0].level_max, LOG_LEVEL_NOTICE);
	assert_int_equal(self->targets[0].level_min, LOG_LEVEL_ERR);
	assert_int_equal(self->targets[1].kind, MODEL_LOG_TO_STDOUT);
	assert_int_equal(self->targets[1].level_max, LOG_LEVEL_DEBUG);
	assert_int_equal(f->target_count, 3);
	assert_int_equal(f->targets[2].remote.port, 514);
	assert_int_equal(proxy(m, "silent")->log, MODEL_NONE);
	assert_string_equal(m->logs[proxy(m, "b")->log].tag, "other");
	model_destroy(m);
}

static void runtime_sockets_are_read(void **state)
{
	struct model *m = fake_config_model(
		"global\n stats socket /run/w.sock mode 660 level admin user root group root\n"
		" stats socket ipv4@127.0.0.1:9999\n stats socket fd@5 level user expose-fd "
		"listeners\n"
		" stats timeout 2m\n stats maxconn 50\n");
	const struct model_stats_socket *s = m->global.stats_sockets;

	(void)state;
	assert_int_equal(m->global.stats_socket_count, 3);
	assert_int_equal(m->global.stats_timeout_ms, 120000);
	assert_int_equal(m->global.stats_maxconn, 50);
	assert_int_equal(s[0].kind, MODEL_SOCKET_UNIX);
	assert_string_equal(s[0].path, "/run/w.sock");
	assert_int_equal(s[0].mode, 0660);
	assert_int_equal(s[0].level, MODEL_LEVEL_ADMIN);
	assert_int_equal(s[0].uid, 0);
	assert_int_equal(s[1].kind, MODEL_SOCKET_TCP);
	assert_int_equal(s[1].local.port, 9999);
	assert_int_equal(s[1].level, MODEL_LEVEL_OPERATOR);
	assert_int_equal(s[1].uid, -1);
	assert_int_equal(s[2].kind, MODEL_SOCKET_FD);
	assert_int_equal(s[2].fd, 5);
	model_destroy(m);
}

static void variables_set_in_global_count_below(void **state)
{
	struct model *m = fake_config_model("global\n setenv P 8080\n presetenv P 1\n"
					    "frontend f\n" TIMEOUTS " bind \":$P\"\n");

	(void)state;
	assert_int_equal(m->binds[0].local.port, 8080);
	model_destroy(m);
}

static void check_row(void *ctx, const struct reload_keyword_info *info)
{
	unsigned *count = ctx;

	(*count)++;
	assert_non_null(info->syntax);
	assert_true(info->sections != 0);
}

static void each_keyword_is_listed_with_its_syntax(void **state)
{
	unsigned count = 0;

	(void)state;
	reload_keyword_each(check_row, &count);
	assert_true(count > 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_text_gives_haproxys_defaults),
		cmocka_unit_test(defaults_are_inherited_and_overridden),
		cmocka_unit_test(timeouts_fall_back),
		cmocka_unit_test(ids_are_given_out_like_haproxy),
		cmocka_unit_test(binds_spread_over_lists_and_ranges),
		cmocka_unit_test(connections_have_buffers_and_keep_alive),
		cmocka_unit_test(servers_take_their_words),
		cmocka_unit_test(backends_are_resolved),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(logs_gather_their_targets),
		cmocka_unit_test(runtime_sockets_are_read),
		cmocka_unit_test(variables_set_in_global_count_below),
		cmocka_unit_test(each_keyword_is_listed_with_its_syntax),
	};

	return cmocka_run_group_tests_name("reload/model", tests, NULL, NULL);
}
