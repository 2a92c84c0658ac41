/* SPDX-License-Identifier: BSD-3-Clause */
/* One row per mistake: where it is reported, and what is said. */
#include "check.h"

#include <stdio.h>

#include "fake_config.h"

#define FE "frontend f\n timeout client 1s\n"
#define BE "backend b\n timeout server 1s\n timeout connect 1s\n"

static const struct {
	const char *text;
	const char *problem; /* must be among the lines */
	const char *hint;    /* must be among the hints; NULL: does not matter */
} rows[] = {
	/* words */
	{"frontnd f\n", "ALERT 1", NULL},
	{FE " bnid :80\n", "ALERT 3 unknown keyword 'bnid' in section 'frontend'",
		"did you mean 'bind'"},
	{FE " option httplgo\n", "ALERT 3 unknown keyword 'option httplgo' in section 'frontend'",
		"did you mean 'httplog'"},
	{FE " timeout clint 3s\n", "ALERT 3 unknown keyword 'timeout clint'", "client"},
	{FE " balnce source\n", "ALERT 3 unknown keyword 'balnce'", "did you mean 'balance'"},
	{FE " xyzzy\n", "ALERT 3 unknown keyword 'xyzzy' in section 'frontend'", NULL},
	{BE " bind :80\n", "WARNING 4 'bind' is ignored: backend 'b' has no frontend side", NULL},
	{FE " server a 1.2.3.4:1\n", "ALERT 3 'server' is not allowed in section 'frontend'", NULL},
	{FE " balance source\n", "WARNING 3 'balance' is ignored: frontend 'f' has no backend side",
		NULL},
	{"global\n mode http\n", "ALERT 2 'mode' is not allowed in section 'global'", NULL},
	{FE " mode\n", "ALERT 3 'mode' needs an argument", "tcp | http"},
	{FE " mode http tcp\n", "ALERT 3 'mode' takes no word 'tcp'", NULL},
	{FE " no mode http\n", "ALERT 3 'mode' cannot be negated", NULL},
	{FE " mode htpp\n", "ALERT 3 'mode': unknown mode 'htpp', did you mean 'http'",
		"tcp, http"},
	/* values */
	{FE " timeout client 3x\n", "ALERT 3 'timeout'", NULL},
	{FE " clitcpka-cnt 0\n", "ALERT 3 'clitcpka-cnt'", NULL},
	{BE " srvtcpka-idle 3x\n", "ALERT 4 'srvtcpka-idle'", NULL},
	{FE " bind :80 tcp-ut soon\n", "ALERT 3", NULL},
	{"global\n tune.rcvbuf.client 2g\n", "ALERT 2 'tune.rcvbuf.client'", NULL},
	{FE " maxconn -1\n", "ALERT 3 'maxconn'", NULL},
	{FE " maxconn many\n", "ALERT 3 'maxconn'", NULL},
	{"global\n maxconn 0\n", "ALERT 2 'maxconn'", NULL},
	{BE " balance rundrobin\n", "did you mean 'roundrobin'", "leastconn"},
	{BE " http-reuse often\n", "ALERT 4 'http-reuse': unknown reuse mode 'often'", NULL},
	{BE " retries x\n", "ALERT 4 'retries'", NULL},
	{FE " option forwardfor except 10.0.0.0/40\n",
		"ALERT 3 'option': '10.0.0.0/40' is not a network", NULL},
	{FE " option forwardfor heder X\n", "ALERT 3 'option forwardfor': bad word 'heder'", NULL},
	{BE " errorfile 503 /nonexistent/503.http\n",
		"ALERT 4 cannot read '/nonexistent/503.http': No such file", NULL},
	{BE " errorfile 201 /dev/null\n", "ALERT 4 'errorfile': status 201 is never answered",
		"200, 400"},
	{BE " errorfile 503 /dev/zero\n", "ALERT 4 '/dev/zero' is too large", NULL},
	/* bind */
	{FE " bind 10.0.0.1\n", "ALERT 3 'bind'", NULL},
	{FE " bind :0\n", "ALERT 3 'bind'", NULL},
	{FE " bind :80000\n", "ALERT 3 'bind'", NULL},
	{FE " bind :80-70\n", "ALERT 3 'bind'", NULL},
	{FE " bind :65000\n", "ALERT 3 'bind': ports 64512 to 65535 are kept", NULL},
	{FE " bind /tmp/sock\n", "ALERT 3 'bind' cannot listen on '/tmp/sock'", NULL},
	{FE " bind :80 ssl\n", "ALERT 3 'bind': unknown word 'ssl'", NULL},
	{FE " bind :80 nmae x\n", "did you mean 'name'", NULL},
	{FE " bind :80 cc vegas\n", "ALERT 3 'bind': unknown congestion control 'vegas'",
		"one of: reno, cubic, bbr"},
	{BE " server a 1.2.3.4:80 cc cubix\n",
		"ALERT 4 'server': unknown congestion control 'cubix', did you mean 'cubic'", NULL},
	{"network\n ecn maybe\n", "ALERT 2 'ecn': unknown use of ECN 'maybe'",
		"one of: off, passive, on"},
	{FE " bind :80 maxconn\n", "ALERT 3 'bind': 'maxconn' needs a value", NULL},
	{FE " bind [::]:80 v4v6 v6only\n", "contradict each other", NULL},
	{FE " bind :80\n bind :80\n", "ALERT 4 'bind': 0.0.0.0:80 is already bound by frontend 'f'",
		NULL},
	{FE " bind :80\nfrontend g\n bind :79-81\n",
		"ALERT 5 'bind': 0.0.0.0:80 is already bound by frontend 'f' at t.cfg:3", NULL},
	/* server */
	{BE " server a\n", "ALERT 4 'server' needs more arguments", NULL},
	{BE " server a 1.2.3.4:99999\n", "ALERT 4 'server'", NULL},
	{BE " server a 1.2.3.4:80 wieght 3\n", "did you mean 'weight'", NULL},
	{BE " server a 1.2.3.4:80 weight 257\n", "ALERT 4 'server'", NULL},
	{BE " server a 1.2.3.4:80 check\n", "ALERT 4 'server': unknown word 'check'", NULL},
	{BE " server a /tmp/sock\n", "ALERT 4 'server' cannot connect to '/tmp/sock'", NULL},
	{BE " server a no.such.name:80\n", "ALERT 4 host name 'no.such.name' cannot be resolved",
		NULL},
	{BE " server a 1.2.3.4:80\n server a 1.2.3.4:81\n",
		"ALERT 5 backend 'b': server 'a' was already declared at line 4", NULL},
	{BE " server a 1.2.3.4:80 id 3\n server c 1.2.3.4:81 id 3\n",
		"ALERT 5 backend 'b': server 'c' has the id 3 of server 'a'", NULL},
	/* names */
	{FE " default_backend bakend\nbackend backend\n",
		"ALERT 3 frontend 'f': there is no backend or listen section 'bakend'", "backend"},
	{FE " use_backend nowhere\n", "there is no backend or listen section 'nowhere'", NULL},
	{FE " use_backend b if TRUE\n", "ALERT 3 'use_backend' with a condition is not available",
		NULL},
	{FE " mode http\n default_backend b\n" BE, "cannot use backend 'b', which has mode tcp",
		NULL},
	{"frontend f\nfrontend f\n",
		"ALERT 2 frontend 'f' has the same name as frontend 'f' declared", NULL},
	{"listen x\nbackend x\n", "ALERT 2 backend 'x' has the same name as listen 'x'", NULL},
	{"frontend a\n id 5\nbackend b\n id 5\n", "has the id 5 of 'a'", NULL},
	/* log */
	{"global\n log 127.0.0.1\n", "ALERT 2 'log' needs a facility", "local0"},
	{"global\n log 127.0.0.1 locl0\n", "unknown facility 'locl0', did you mean 'local0'", NULL},
	{"global\n log 127.0.0.1 local0 loud\n", "ALERT 2 'log': unknown level 'loud'", "emerg"},
	{"global\n log global\n", "ALERT 2 'log global' cannot stand in section 'global'", NULL},
	{"global\n log 127.0.0.1 len 10 local0\n", "ALERT 2 'log'", NULL},
	/* runtime socket */
	{"global\n stats socket /tmp/s mode 999\n", "ALERT 2 'mode': bad value '999'", "octal"},
	{"global\n stats socket /tmp/s level root\n", "unknown level 'root'", "admin"},
	{"global\n stats socket /tmp/s user no-such-user-here\n",
		"unknown user 'no-such-user-here'", NULL},
	{"global\n stats socket /tmp/s colour red\n", "'stats socket': unknown word 'colour'",
		NULL},
	/* warnings */
	{"frontend f\n bind :80\n", "WARNING 1 frontend 'f' lacks timeouts", NULL},
	{"backend b\n server a 1.2.3.4:80\n", "WARNING 1 backend 'b' lacks timeouts", NULL},
	{FE, "WARNING 1 frontend 'f' has no 'bind' line", NULL},
	{FE " bind :80\n option httplog\n", "WARNING 4 frontend 'f' has mode tcp", NULL},
	{BE " http-reuse never\n", "WARNING 4 'http-reuse never' has no effect in backend 'b'",
		NULL},
	{"global\n nbthread 4\n", "NOTICE 2 'nbthread' has no meaning here", NULL},
	{"global\n chroot /var/empty\n user x\n", "NOTICE 3 'user' has no meaning here", NULL},
};

static void each_mistake_is_reported_in_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_config f;

		fake_config_load(&f, rows[i].text);
		if (!strstr(f.problems, rows[i].problem) ||
			(rows[i].hint && !strstr(f.hints, rows[i].hint)))
			fail_msg("row %zu:\n%swanted: %s\nhints:\n%s", i, f.problems,
				rows[i].problem, f.hints);
		if (strncmp(rows[i].problem, "WARNING", 7) == 0 ||
			strncmp(rows[i].problem, "NOTICE", 6) == 0)
			assert_non_null(f.model);
		fake_config_free(&f);
	}
}

static void several_mistakes_are_reported_in_one_run(void **state)
{
	struct fake_config f;

	(void)state;
	fake_config_load(&f, "global\n maxcon 5\n"
			     "frontend f\n bind :x\n mode foo\n default_backend b\n"
			     "backend c\n server a\n");
	assert_null(f.model);
	assert_non_null(strstr(f.problems, "ALERT 2 "));
	assert_non_null(strstr(f.problems, "ALERT 4 "));
	assert_non_null(strstr(f.problems, "ALERT 5 "));
	assert_non_null(strstr(f.problems, "ALERT 6 "));
	assert_non_null(strstr(f.problems, "ALERT 8 "));
}

/* -dr */
static void servers_without_an_address_may_wait(void **state)
{
	static const char text[] = BE " server a no.such.name:80\n server c 1.2.3.4:80\n";
	struct reload_options options = {.cpu_count = 1, .keep_unresolved = true};
	struct lang_diags diags;
	struct error err = {0};
	struct model *m;

	(void)state;
	lang_diags_init(&diags);
	m = reload_load_text("t.cfg", BYTES_LIT(text), &options, &diags, &err);
	assert_non_null(m);
	assert_int_equal(diags.count[LANG_WARNING], 1);
	assert_true(m->servers[0].disabled);
	assert_false(m->servers[1].disabled);
	lang_diags_fini(&diags);
	model_destroy(m);
}

static void ignored_keywords_are_not_errors(void **state)
{
	struct fake_config f;
	char text[128];

	(void)state;
	static const char *const words[] = {"nbproc 1", "nbthread 4", "cpu-map 1 0", "user a",
		"group a", "uid 1", "gid 1", "chroot /x", "ulimit-n 1000", "daemon",
		"master-worker", "noepoll", "nosplice", "tune.maxaccept 3"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		snprintf(text, sizeof(text), "global\n %s\n", words[i]);
		fake_config_load(&f, text);
		assert_non_null(f.model);
		assert_non_null(strstr(f.problems, "NOTICE 2 "));
		fake_config_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_is_reported_in_its_place),
		cmocka_unit_test(several_mistakes_are_reported_in_one_run),
		cmocka_unit_test(servers_without_an_address_may_wait),
		cmocka_unit_test(ignored_keywords_are_not_errors),
	};

	return cmocka_run_group_tests_name("reload/errors", tests, NULL, NULL);
}
