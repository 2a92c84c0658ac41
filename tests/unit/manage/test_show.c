/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "manage_setup.h"

/* The header of HAProxy 2.6.12. */
static const char stat_header[] =
	"# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,"
	"eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,"
	"qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,"
	"check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,"
	"hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,"
	"comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,"
	"ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,"
	"check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,"
	"algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,"
	"cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,"
	"ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,"
	"agg_server_status,agg_server_check_status,agg_check_status,-,ssl_sess,"
	"ssl_reused_sess,ssl_failed_handshake,h2_headers_rcvd,h2_data_rcvd,"
	"h2_settings_rcvd,h2_rst_stream_rcvd,h2_goaway_rcvd,"
	"h2_detected_conn_protocol_errors,h2_detected_strm_protocol_errors,"
	"h2_rst_stream_resp,h2_goaway_resp,h2_open_connections,h2_backend_open_streams,"
	"h2_total_connections,h2_backend_total_streams,h1_open_connections,"
	"h1_open_streams,h1_total_connections,h1_total_streams,h1_bytes_in,h1_bytes_out,"
	"h1_spliced_bytes_in,h1_spliced_bytes_out,\n";

/* Column `name` of the row of a proxy and server in the last answer. */
static const char *column(struct manage_setup *s, const char *px, const char *sv, const char *name)
{
	static char value[128];
	char start[64];
	const char *row, *header = stat_header + 2;

	snprintf(start, sizeof(start), "\n%s,%s,", px, sv);
	row = strstr(s->answer, start);
	assert_non_null(row);
	row++;
	while (strncmp(header, name, strlen(name)) != 0 || header[strlen(name)] != ',') {
		header = strchr(header, ',') + 1;
		row = strchr(row, ',') + 1;
		assert_true(*header != '\n');
	}
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(row, ",\n"), row);
	return value;
}

static void stat_has_the_columns_of_haproxy(void **state)
{
	struct manage_setup *s = *state;
	const char *a = manage_ask(s, "show stat\n");
	uint32_t commas = 0;

	assert_memory_equal(a, stat_header, strlen(stat_header));
	for (const char *p = stat_header; *p; p++)
		commas += *p == ',';
	for (const char *row = strchr(a, '\n') + 1; *row != '\n'; row = strchr(row, '\n') + 1) {
		uint32_t n = 0;

		for (const char *p = row; *p != '\n'; p++)
			n += *p == ',';
		assert_int_equal(n, commas);
	}
}

static const struct {
	const char *px, *sv, *filled;
} filled_rows[] = {
	{"fe", "FRONTEND",
		"xx..xxxxxxxxx....x........xxx...xxxx...xxxxxx.xxx..xxxx........."
		"...........x.xxxxxxx..xx......x........xxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"be", "s1",
		"xxxxxx.xxx.x.xxxxxxxx..x..xxx.x.xx.x...xxxxxx...xxx....x..xxxx.."
		".........x.x.......xxx..x.xxxxxxxxxx...xxxx....................."},
	{"be", "s2",
		"xxxxxxxxxx.x.xxxxxxxx..x..xxx.x.xx.x...xxxxxx...xxx....x..xxxx.."
		".........x.x.......xxx..x.xxxxxxxxxx...xxxx....................."},
	{"be", "BACKEND",
		"xxxxxxxxxxxx.xxxxxxxx.xxx.xxx.x.xx.x...xxxxxx...xxxxxxxx..xxxx.."
		"...........xx......xxxxx..xxxxx....xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"li", "FRONTEND",
		"xx..xxxxxxxxx....x........xxx...xxxx..........xxx..xxxx........."
		"...........x.xxx.xxx..........x........xxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"li", "s1",
		"xxxxxx.xxx.x.xxxxxxxx..x..xxx.x.xx.x.............xx....x..xxxx.."
		".........x.x.......xxx..x.xxxxxxxxxx...xxxx....................."},
	{"li", "BACKEND",
		"xxxxxxxxxxxx.xxxxxxxx.xxx.xxx.x.xx.x.............xxxxxxx..xxxx.."
		"...........xx......xxx....xxxxx....xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
};

/* Which columns are empty is what HAProxy 2.6.12 left empty for the same configuration. */
static void stat_is_empty_where_haproxy_is(void **state)
{
	struct manage_setup *s = *state;

	manage_ask(s, "show stat\n");
	for (uint32_t i = 0; i < ARRAY_LEN(filled_rows); i++) {
		char start[64], *p;
		uint32_t n = 0;

		snprintf(start, sizeof(start), "\n%s,%s,", filled_rows[i].px, filled_rows[i].sv);
		p = strstr(s->answer, start);
		assert_non_null(p);
		for (p++; *p != '\n'; n++) {
			assert_int_equal(*p != ',', filled_rows[i].filled[n] == 'x');
			p = strchr(p, ',') + 1;
		}
		assert_int_equal(n, strlen(filled_rows[i].filled));
	}
}

static void stat_shows_the_figures(void **state)
{
	struct manage_setup *s = *state;
	static const struct {
		const char *px, *sv, *name, *value;
	} cases[] = {
		{"fe", "FRONTEND", "status", "OPEN"},
		{"fe", "FRONTEND", "slim", "100"},
		{"fe", "FRONTEND", "iid", "2"},
		{"fe", "FRONTEND", "type", "0"},
		{"fe", "FRONTEND", "pid", "1"},
		{"fe", "FRONTEND", "mode", "http"},
		{"li", "FRONTEND", "mode", "tcp"},
		{"li", "FRONTEND", "status", "FULL"},
		{"be", "s1", "status", "no check"},
		{"be", "s1", "addr", "10.9.0.11:9"},
		{"be", "s1", "act", "1"},
		{"be", "s1", "bck", "0"},
		{"be", "s1", "sid", "1"},
		{"be", "s1", "slim", ""},
		{"be", "s2", "slim", "10"},
		{"be", "s2", "bck", "1"},
		{"be", "s2", "status", "MAINT"},
		{"be", "s2", "weight", "1"},
		{"be", "s2", "lastsess", "-1"},
		{"be", "s1", "type", "2"},
		{"be", "BACKEND", "type", "1"},
		{"be", "BACKEND", "status", "UP"},
		{"be", "BACKEND", "algo", "roundrobin"},
		{"be", "BACKEND", "lastchg", "6"},
		{"li", "s1", "iid", "4"},
	};
	char number[16];

	manage_ask(s, "show stat\n");
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
			column(s, cases[i].px, cases[i].sv, cases[i].name), cases[i].value);
	snprintf(number, sizeof(number), "%u", 1000 + PROXY_STAT_BIN);
	assert_string_equal(column(s, "fe", "FRONTEND", "bin"), number);
	snprintf(number, sizeof(number), "%u", 2000 + 100 + PROXY_STAT_ECON);
	assert_string_equal(column(s, "be", "BACKEND", "econ"), number);
	snprintf(number, sizeof(number), "%u", 3000 + 100 + PROXY_STAT_CONNECT);
	assert_string_equal(column(s, "be", "s2", "connect"), number);
	manage_ask_at(s, s->user, "show stat\n");
	assert_string_equal(column(s, "be", "s1", "addr"), "");
}

static uint32_t rows_of(const char *answer)
{
	uint32_t n = 0;

	for (const char *p = answer; (p = strchr(p, '\n')); p++)
		n++;
	return n - 2; /* the header and the empty line */
}

static void stat_can_be_asked_for_in_part(void **state)
{
	struct manage_setup *s = *state;
	static const struct {
		const char *text;
		uint32_t rows;
	} cases[] = {
		{"show stat\n", 7},
		{"show stat foo\n", 7},
		{"show stat -1 -1 -1\n", 7},
		{"show stat 2 -1 -1\n", 1},
		{"show stat 2 8 -1\n", 1},
		{"show stat -1 1 -1\n", 2},
		{"show stat be 4 1\n", 1},
		{"show stat be 4 9\n", 0},
		{"show stat be 6 -1\n", 3},
		{"show stat 99 -1 -1\n", 0},
		{"show stat no-maint\n", 6},
		{"show stat up\n", 6},
	};

	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(rows_of(manage_ask(s, cases[i].text)), cases[i].rows);
	assert_string_equal(manage_ask(s, "show stat nope 4 1\n"), "No such proxy.\n\n");
	manage_ask(s, "show stat up\n");
	assert_string_equal(column(s, "be", "BACKEND", "status"), "UP (1/2)");
}

static void stat_is_typed(void **state)
{
	struct manage_setup *s = *state;
	const char *a = manage_ask(s, "show stat typed\n");

	assert_non_null(strstr(a, "F.2.0.0.pxname.1:KNS:str:fe\n"));
	assert_non_null(strstr(a, "S.3.2.17.status.1:SGP:str:MAINT\n"));
	assert_non_null(strstr(a, "S.3.2.55.lastsess.1:MAP:s32:-1\n"));
	assert_non_null(strstr(a, "B.3.0.19.act.1:MGP:u32:1\n"));
	assert_non_null(strstr(a, "F.2.0.103.ssl_sess.1:MCP:u64:0\n"));
	assert_null(strstr(a, "chkfail"));
	a = manage_ask(s, "show stat typed desc\n");
	assert_non_null(strstr(a, "F.2.0.0.pxname.1:KNS:str:fe:\"name of the proxy\"\n"));
}

static void stat_is_json(void **state)
{
	struct manage_setup *s = *state;
	static const char start[] =
		"[[{\"objType\":\"Frontend\",\"proxyId\":2,\"id\":0,\"field\":{\"pos\":0,\"name\":"
		"\"pxname\"},\"processNum\":1,\"tags\":{\"origin\":\"Key\",\"nature\":\"Name\","
		"\"scope\":\"Service\"},\"value\":{\"type\":\"str\",\"value\":\"fe\"}},";
	json_t *json = json_loads(manage_ask(s, "show stat json\n"), 0, NULL), *field;

	assert_non_null(json);
	assert_int_equal(json_array_size(json), 7);
	assert_memory_equal(s->answer, start, sizeof(start) - 1);
	field = json_array_get(json_array_get(json, 2), 0);
	assert_string_equal(json_string_value(json_object_get(field, "objType")), "Server");
	json_decref(json);
	assert_string_equal(manage_ask(s, "show stat 99 -1 -1 json\n"), "[]\n\n");
}

static const char *const info_names[] = {
	"Name",
	"Version",
	"Release_date",
	"Nbthread",
	"Nbproc",
	"Process_num",
	"Pid",
	"Uptime",
	"Uptime_sec",
	"Memmax_MB",
	"PoolAlloc_MB",
	"PoolUsed_MB",
	"PoolFailed",
	"Ulimit-n",
	"Maxsock",
	"Maxconn",
	"Hard_maxconn",
	"CurrConns",
	"CumConns",
	"CumReq",
	"MaxSslConns",
	"CurrSslConns",
	"CumSslConns",
	"Maxpipes",
	"PipesUsed",
	"PipesFree",
	"ConnRate",
	"ConnRateLimit",
	"MaxConnRate",
	"SessRate",
	"SessRateLimit",
	"MaxSessRate",
	"SslRate",
	"SslRateLimit",
	"MaxSslRate",
	"SslFrontendKeyRate",
	"SslFrontendMaxKeyRate",
	"SslFrontendSessionReuse_pct",
	"SslBackendKeyRate",
	"SslBackendMaxKeyRate",
	"SslCacheLookups",
	"SslCacheMisses",
	"CompressBpsIn",
	"CompressBpsOut",
	"CompressBpsRateLim",
	"Tasks",
	"Run_queue",
	"Idle_pct",
	"node",
	"Stopping",
	"Jobs",
	"Unstoppable Jobs",
	"Listeners",
	"ActivePeers",
	"ConnectedPeers",
	"DroppedLogs",
	"BusyPolling",
	"FailedResolutions",
	"TotalBytesOut",
	"TotalSplicdedBytesOut",
	"BytesOutRate",
	"DebugCommandsIssued",
	"CumRecvLogs",
	"Build info",
	"Memmax_bytes",
	"PoolAlloc_bytes",
	"PoolUsed_bytes",
	"Start_time_sec",
	"Tainted",
};

static void info_has_the_rows_of_haproxy(void **state)
{
	struct manage_setup *s = *state;
	const char *p = manage_ask(s, "show info\n");

	for (uint32_t i = 0; i < ARRAY_LEN(info_names); i++, p = strchr(p, '\n') + 1) {
		assert_memory_equal(p, info_names[i], strlen(info_names[i]));
		assert_memory_equal(p + strlen(info_names[i]), ": ", 2);
	}
	assert_string_equal(p, "\n");
}

static void info_in_all_forms(void **state)
{
	struct manage_setup *s = *state;
	const char *a;
	json_t *json;

	fake_workers_run_for(s->f, 93784 * NS_PER_SEC + 5 * NS_PER_MS);
	a = manage_ask(s, "show info\n");
	assert_non_null(strstr(a, "Name: weir\nVersion: 1.2.3\nRelease_date: 2026/01/02\n"));
	assert_non_null(strstr(a, "\nNbthread: 2\n"));
	assert_non_null(strstr(a, "\nPid: 4711\nUptime: 1d 2h03m04s\nUptime_sec: 93784\n"));
	assert_non_null(strstr(a, "\nMaxconn: 100\n"));
	assert_non_null(strstr(a, "\nCurrConns: 7\nCumConns: 70\nCumReq: 700\n"));
	assert_non_null(strstr(a, "\nnode: here\nStopping: 0\nJobs: 10\n"));
	assert_non_null(strstr(a, "\nTotalBytesOut: 1099511627776\n"));
	a = manage_ask(s, "show info float\n");
	assert_non_null(strstr(a, "\nUptime_sec: 93784.005000\n"));
	a = manage_ask(s, "show info desc\n");
	assert_non_null(strstr(a, "Version: 1.2.3:\"its version\"\n"));
	a = manage_ask(s, "show info typed\n");
	assert_non_null(strstr(a, "0.Name.1:POS:str:weir\n"));
	assert_non_null(strstr(a, "\n54.Unstoppable Jobs.1:MGP:u32:0\n"));
	json = json_loads(manage_ask(s, "show info json\n"), 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_array_size(json), 69);
	json_decref(json);
}

static void sessions_of_all_cores(void **state)
{
	struct manage_setup *s = *state;
	const char *a;

	assert_string_equal(manage_ask(s, "show sess\n"), "\n");
	s->cores[0].sessions = 200;
	s->cores[1].sessions = 2;
	a = manage_ask(s, "show sess\n");
	assert_int_equal(rows_of(a), 201);
	assert_memory_equal(a,
		"0x1: proto=tcpv4 src=10.9.0.1:10000 fe=fe be=<NONE> srv=<none> state=data "
		"age=1m5s "
		"idle=1s exp= reqs=2 in=81 out=217 core=0\n",
		124);
	a = manage_ask(s, "show sess 0x1000000000002\n");
	assert_non_null(strstr(a, "be=be srv=s1"));
	assert_non_null(strstr(a, "core=1\n  source=10.9.0.1:10001 local=10.9.0.2:80 mode=http\n"
				  "  frontend=fe (id=2)\n  backend=be (id=3)\n"
				  "  server=s1 (id=1) addr=10.9.0.11:9\n\n"));
	assert_string_equal(manage_ask(s, "show sess 0x1234567\n"), "Session not found.\n\n");
	assert_int_equal(rows_of(manage_ask(s, "show sess all\n")), 101 * 5 + 101 * 4 - 1);
}

static void connections_of_all_cores(void **state)
{
	struct manage_setup *s = *state;

	s->cores[0].conns = 200;
	s->cores[1].conns = 10;
	assert_int_equal(rows_of(manage_ask(s, "show conn\n")), 210);
	assert_int_equal(rows_of(manage_ask(s, "show conn limit 7\n")), 7);
	assert_int_equal(rows_of(manage_ask(s, "show conn state time-wait\n")), 67 + 4);
	assert_int_equal(rows_of(manage_ask(s, "show conn limit 3 state TIME-WAIT\n")), 3);
	assert_non_null(strstr(manage_ask(s, "show conn state what\n"), "Usage: show conn"));
	assert_non_null(strstr(manage_ask(s, "show conn limit 0\n"), "Usage: show conn"));
}

static void listeners_of_all_cores(void **state)
{
	struct manage_setup *s = *state;
	const char *a;

	s->cores[0].listeners = 200;
	s->cores[1].listeners = 1;
	a = manage_ask(s, "show listener\n");
	assert_int_equal(rows_of(a), 201);
	assert_non_null(
		strstr(a, "\n0    10.9.0.2:80                  3     1024         5      4096 "
			  "    1 on                 7 paused\n"));
	assert_non_null(strstr(a, "\n0    10.9.0.2:81"));
	assert_non_null(strstr(a, "\n1    10.9.0.2:80"));
}

static void network(void **state)
{
	struct manage_setup *s = *state;
	const char *a = manage_ask(s, "show arp\n");

	assert_non_null(strstr(a, "10.9.0.1 "));
	assert_non_null(strstr(a, "02:00:00:00:00:09 lan0         reachable      3s"));
	a = manage_ask(s, "show route\n");
	assert_non_null(strstr(a, "10.9.0.2/32 "));
	assert_non_null(strstr(a, " local\n"));
	assert_non_null(strstr(a, "10.9.0.0/24  "));
	assert_non_null(strstr(a, " connected\n"));
	assert_non_null(strstr(a, "0.0.0.0/0                    10.9.0.1                 lan0"));
	a = manage_ask(s, "show port\n");
	assert_non_null(strstr(a, "lan0: driver fake, link up, mac 02:00:00:00:00:01, mtu 1500"));
	assert_non_null(strstr(a, "offloads: tso rss\n"));
	assert_non_null(strstr(a, "rx 3 packets 0 bytes, missed 1"));
	assert_non_null(strstr(a, "  rx_pkts                      11  packets received\n"));
	assert_string_equal(manage_ask(s, "show port nope\n"), "No such port.\n\n");
}

static void routes_and_addresses_out_of_use(void **state)
{
	static const struct {
		const char *command, *answer;
	} cases[] = {
		{"disable route 0.0.0.0/0 via 10.9.0.1\n", "\n"},
		{"enable route 0.0.0.0/0 via 10.9.0.1\n", "\n"},
		{"disable route 0.0.0.0/0\n", "No such route.\n\n"}, /* once for all cores */
		{"disable address 10.9.0.2\n", "\n"},
		{"enable address 10.9.0.2\n", "\n"},
		{"disable address 10.9.0.3\n", "No such address.\n\n"},
		{"disable address\n", "Usage: disable address <address>\n\n"},
		{"disable address 10.9.0.2 now\n", "Usage: disable address <address>\n\n"},
		{"enable route 10.9\n", "Usage: enable route <prefix> [via <gateway>]\n\n"},
		{"enable route 0.0.0.0/0 by 10.9.0.1\n",
			"Usage: enable route <prefix> [via <gateway>]\n\n"},
		{"enable route 0.0.0.0/0 via me\n",
			"Usage: enable route <prefix> [via <gateway>]\n\n"},
	};

	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(manage_ask(*state, cases[i].command), cases[i].answer);
}

static void itself(void **state)
{
	struct manage_setup *s = *state;
	static const struct stat_row rows[] = {
		{"SEEN", "what was seen", STAT_COUNTER},
		{"LOST", "what was lost", STAT_DROP},
		{"NEVER", "what was never lost", STAT_DROP},
	};
	struct stat_group groups[3];
	uint64_t values[3][3];
	struct mem_pool pool;
	const char *a;

	for (uint32_t i = 0; i < 3; i++) {
		stat_group_init(&groups[i], "thing", rows, 3, values[i]);
		values[i][0] = 100;
		values[i][1] = 1 + i;
		worker_group_add(s->f->w[i / 2], &groups[i]); /* core 0 has two of them */
	}
	assert_int_equal(mem_pool_init(&pool, "things", 64, 64, 10, NULL), 0);
	worker_pool_add(s->f->w[1], &pool);
	a = manage_ask(s, "show drops\n");
	assert_non_null(
		strstr(a, "thing      lost                                  6  what was lost\n"));
	assert_null(strstr(a, "never"));
	assert_null(strstr(a, "seen"));
	assert_non_null(strstr(manage_ask(s, "show drops all\n"), "what was never lost\n"));
	assert_non_null(strstr(manage_ask(s, "show counters\n"), "300  what was seen\n"));
	a = manage_ask(s, "show pools\n");
	assert_non_null(
		strstr(a, "1    things                             64         10          0"));
	a = manage_ask(s, "show worker\n");
	assert_non_null(strstr(a, "worker: core 0, never sleeps\n"));
	assert_non_null(strstr(a, "control: core 2 (control), never sleeps\n"));
	assert_non_null(strstr(a, "  manage "));
	assert_non_null(strstr(manage_ask(s, "profile\n"), "not counted"));
	manage_ask(s, "profile on\n");
	assert_true(s->f->w[1]->profile);
	manage_ask(s, "profile off\n");
	assert_false(s->f->w[1]->profile);
	for (uint32_t i = 0; i < 3; i++)
		list_del(&groups[i].link);
	mem_pool_fini(&pool);
}

static void small_answers(void **state)
{
	struct manage_setup *s = *state;
	char expected[256];

	assert_string_equal(manage_ask(s, "show backend\n"), "# name\nbe\nli\n\n");
	setenv("WEIR_TEST_VARIABLE", "hello", 1);
	assert_string_equal(
		manage_ask(s, "show env WEIR_TEST_VARIABLE\n"), "WEIR_TEST_VARIABLE=hello\n\n");
	assert_non_null(strstr(manage_ask(s, "show env\n"), "\nWEIR_TEST_VARIABLE=hello\n"));
	setenv("TZ", "UTC", 1);
	assert_string_equal(manage_ask(s, "show errors\n"),
		"Total events captured on [01/Jan/2026:00:00:00.000] : 0\n\n");
	snprintf(expected, sizeof(expected),
		"# socket lvl processes\nunix@%s admin all\nunix@%s user all\n\n", s->admin,
		s->user);
	assert_string_equal(manage_ask(s, "show cli sockets\n"), expected);
}

static void values_are_quoted_and_escaped(void **state)
{
	struct mg_out out = {0};
	struct mg_value v = {.type = MG_STR, .str = "a \"b\", c"};
	struct mg_cell cell = {.name = "x",
		.tags = "MGP",
		.text = "t",
		.value = {.type = MG_STR, .str = "\"\xff\n"}};

	(void)state;
	mg_value_csv(&out, &v);
	mg_cell_json(&out, &cell);
	mg_put(&out, bytes_of("", 1));
	assert_string_equal(out.data,
		"\"a \"\"b\"\", "
		"c\"{\"field\":{\"pos\":0,\"name\":\"x\"},\"processNum\":1,\"tags\":{"
		"\"origin\":\"Metric\",\"nature\":\"Gauge\",\"scope\":\"Process\"},\"value\":{"
		"\"type\":\"str\",\"value\":\"\\\"?\\n\"}}");
	mg_out_fini(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, manage_setup, manage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stat_has_the_columns_of_haproxy),
		TEST(stat_is_empty_where_haproxy_is),
		TEST(stat_shows_the_figures),
		TEST(stat_can_be_asked_for_in_part),
		TEST(stat_is_typed),
		TEST(stat_is_json),
		TEST(info_has_the_rows_of_haproxy),
		TEST(info_in_all_forms),
		TEST(sessions_of_all_cores),
		TEST(connections_of_all_cores),
		TEST(listeners_of_all_cores),
		TEST(network),
		TEST(routes_and_addresses_out_of_use),
		TEST(itself),
		TEST(small_answers),
		cmocka_unit_test(values_are_quoted_and_escaped),
	};

	return cmocka_run_group_tests_name("manage/show", tests, NULL, NULL);
}
