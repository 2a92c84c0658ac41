/* SPDX-License-Identifier: BSD-3-Clause */
/* Status codes, letters and figures are those of HAProxy 2.6 in the same situations, except where
 * a row says "own". */
#include "check.h"

#include "script.h"

#define GET  "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
#define OK5  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#define GOT_OK5  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
#define UP_GET   "GET /x HTTP/1.1\r\nhost: a\r\n\r\n"
#define UP_CLOSE "GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

static void slow_client(struct bench *b)
{
	b->fe->timeouts.client = 5000;
}

static void times(struct bench *b)
{
	b->fe->timeouts.http_request = 200;
	b->fe->timeouts.http_keep_alive = 300;
}

static void keep_alive_falls_back(struct bench *b)
{
	b->fe->timeouts.http_request = 200;
}

static void httpclose(struct bench *b)
{
	b->fe->http_mode = MODEL_HTTP_CLOSE;
}

static void serverclose(struct bench *b)
{
	b->be->http_mode = MODEL_HTTP_SERVER_CLOSE;
}

static void always(struct bench *b)
{
	b->be->be.reuse = MODEL_REUSE_ALWAYS;
}

static void aggressive(struct bench *b)
{
	b->be->be.reuse = MODEL_REUSE_AGGRESSIVE;
}

static void never(struct bench *b)
{
	b->be->be.reuse = MODEL_REUSE_NEVER;
}

static void clf(struct bench *b)
{
	b->fe->log_format = MODEL_LOG_HTTP_CLF;
}

static void forwardfor(struct bench *b)
{
	b->be->forwardfor = true;
}

static void forwardfor_none(struct bench *b)
{
	b->fe->forwardfor = true;
	b->fe->forwardfor_if_none = true;
	b->fe->forwardfor_header = "X-Client";
}

static void forwardfor_except(struct bench *b)
{
	static const struct ip_prefix local = {
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}}, 8};

	b->fe->forwardfor = true;
	b->fe->forwardfor_except_count = 1;
	b->fe->forwardfor_excepts = &local;
}

static void errorfile(struct bench *b)
{
	static const struct model_errorfile file = {
		503, {"HTTP/1.0 503 Gone fishing\r\nX-Mine: 1\r\nContent-Type: "
		      "text/plain\r\n\r\nback soon",
			     sizeof("HTTP/1.0 503 Gone fishing\r\nX-Mine: 1\r\nContent-Type: "
				    "text/plain\r\n\r\nback soon") -
				     1}};

	script_disabled(b);
	b->fe->errorfile_count = 1;
	b->fe->errorfiles = &file;
}

static void redispatch(struct bench *b)
{
	script_refuse(b);
	b->servers[1].disabled = false;
	b->be->be.redispatch = true;
}

static const struct script exchanges[] = {
	{"plain", NULL, {"c> " GET, "s> " OK5}, GOT_OK5, 'O',
		" fe be/s1 0/0/0/0/0 200 54 - - ---- 1/1/0/0/0 0/0 \"GET /x HTTP/1.1\"",
		"F.stot=1 F.req_tot=1 F.bin=39 F.bout=54 F.hrsp_2xx=1 B.stot=1 B.bin=39 B.bout=54 "
		"B.lbtot=1 B.hrsp_2xx=1 B.req_tot=1 B.connect=1 1.stot=1 1.bin=39 1.bout=54 "
		"1.lbtot=1 "
		"1.hrsp_2xx=1 1.req_tot=1 1.connect=1 1.srv_icur=1 F.scur=1 B.scur=0 1.scur=0 "
		"1.used_conn_cur=0 F.ereq=0",
		UP_GET},
	{"HTTP/1.0 ends", NULL, {"c> GET /x HTTP/1.0\r\n\r\n", "s> " OK5},
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", 'F',
		" 200 54 - - ---- ", "F.bin=34"},
	{"two on one connection", NULL, {"c> " GET, "s> " OK5, "c> " GET, "s> " OK5},
		GOT_OK5 GOT_OK5, 'O', " 200 54 ",
		"F.stot=1 F.req_tot=2 B.stot=2 1.stot=2 1.connect=1 1.reuse=1 B.reuse=1 1.lbtot=2",
		UP_GET UP_GET},
	{"pipelined", NULL, {"c> " GET GET, "s> " OK5, "s> " OK5}, GOT_OK5 GOT_OK5, 'O', " 200 54 ",
		"F.req_tot=2"},
	{"body up", NULL, {"c> " POST "01234", "c> 56789", "s> " OK5}, GOT_OK5, 'O',
		"\"POST /x HTTP/1.1\"", "F.bin=66 1.bin=66",
		"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789"},
	{"chunks and trailers up", NULL,
		{"c> POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
			"c> 0\r\nT: 1\r\n\r\n", "s> " OK5},
		GOT_OK5, 'O', " 200 54 ", "",
		"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
		"chunked\r\n\r\n3\r\nabc\r\n0\r\nt: "
		"1\r\n\r\n"},
	{"chunks down", NULL,
		{"c> " GET,
			"s> HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
			"s> 0\r\n\r\n"},
		"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 'O',
		" 200 64 - - ---- ", "1.srv_icur=1"},
	{"until the server closes", NULL,
		{"c> GET /x HTTP/1.0\r\n\r\n", "s> HTTP/1.1 200 OK\r\n\r\nhello", "s shut"},
		"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello", 'F', " 200 39 - - ---- ",
		"1.srv_icur=0"},
	{"HEAD", NULL,
		{"c> HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n",
			"s> HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", 'O', " 200 49 ", ""},
	{"100 and the final one", NULL,
		{"c> POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
		 "3\r\n\r\n",
			"s> HTTP/1.1 100 Continue\r\n\r\n", "c> abc", "s> " OK5},
		"HTTP/1.1 100 Continue\r\n\r\n" GOT_OK5, 'O', " 200 ",
		"F.hrsp_1xx=1 F.hrsp_2xx=1 1.hrsp_1xx=1 1.req_tot=1"},
	{"upgrade", script_tunnel,
		{"c> GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n",
			"s> HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
			"ws\r\n\r\nhi",
			"c> ho", "wait 150", "s> ha", "wait 150", "c shut", "s shut"},
		"HTTP/1.1 101 Switching Protocols\r\n", 'F', " 101 ", "F.hrsp_1xx=1 F.scur=0"},
	{"tunnel timeout", script_tunnel,
		{"c> GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n",
			"s> HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
			"ws\r\n\r\nhi",
			"wait 202"},
		"HTTP/1.1 101 Switching Protocols\r\n", 'F', " cD-- ", "B.cli_abrt=1"},
	{"early answer ends both", NULL, {"c> " POST "01", "s> " OK5}, GOT_OK5, 'F', " 200 54 ",
		"1.srv_icur=0"},
	{"client says close", NULL,
		{"c> GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: b\r\n\r\n",
			"s> " OK5},
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", 'F',
		" 200 54 ", "F.bin=46 1.srv_icur=1",
		"GET /x HTTP/1.1\r\nhost: a\r\naccept: b\r\n\r\n"},
	{"option httpclose", httpclose, {"c> " GET, "s> " OK5},
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", 'F',
		" 200 54 ", "1.srv_icur=0", UP_CLOSE},
	{"option http-server-close", serverclose, {"c> " GET, "s> " OK5}, GOT_OK5, 'O', " 200 54 ",
		"1.srv_icur=0", UP_CLOSE},
	{"server says close", NULL,
		{"c> " GET,
			"s> HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
			"s shut"},
		GOT_OK5, 'O', " 200 54 ", "1.srv_icur=0"},
	{"log as soon as possible", script_logasap,
		{"c> " GET, "s> HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}, "HTTP/1.1 200 OK",
		'O', " 0/0/0/0/+0 200 +49 - - ---- 1/1/1/1/0 0/0", ""},
	{"common log format", clf, {"c> " GET, "s> " OK5}, GOT_OK5, 'O',
		"127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /x HTTP/1.1\" 200 54 \"\" \"\" 2 "
		"000 "
		"\"fe\" \"be\" \"s1\" 0 0 0 0 0 ---- 1 1 0 0 0 0 0 \"\" \"\"",
		""},
	{"default log", script_default_log, {"c> " GET}, NULL, 'O',
		"Connect from 127.0.0.1:2 to 127.0.0.1:1 (fe/HTTP)", ""},
	{"odd bytes are encoded", NULL, {"c> A#B /x HTTP/1.1\r\nHost: a\r\n\r\n", "s> " OK5},
		GOT_OK5, 'O', " \"A#23B /x HTTP/1.1\"", ""},
	{"forwardfor", forwardfor, {"c> " GET}, NULL, 'O', NULL, "",
		"GET /x HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 127.0.0.1\r\n\r\n"},
	{"forwardfor if-none, header", forwardfor_none,
		{"c> GET /x HTTP/1.1\r\nHost: a\r\nX-Client: me\r\n\r\n"}, NULL, 'O', NULL, "",
		"GET /x HTTP/1.1\r\nhost: a\r\nx-client: me\r\n\r\n"},
	{"forwardfor except", forwardfor_except, {"c> " GET}, NULL, 'O', NULL, "", UP_GET},
};

static const struct script failures[] = {
	{"keep-alive ends silently", NULL, {"c> " GET, "s> " OK5, "wait 602"}, GOT_OK5, 'F',
		" 200 54 ", "F.req_tot=1 F.ereq=0 F.scur=0"},
	{"timeout http-keep-alive", times, {"c> " GET, "s> " OK5, "wait 302"}, GOT_OK5, 'F',
		" 200 ", "F.req_tot=1"},
	{"it falls back to http-request", keep_alive_falls_back, {"c> " GET, "s> " OK5, "wait 202"},
		GOT_OK5, 'F', " 200 ", "F.req_tot=1"},
	{"second request too slow", times, {"c> " GET, "s> " OK5, "c> GET", "wait 202"},
		GOT_OK5 "HTTP/1.1 408 Request Time-out\r\n", 'F',
		" fe/<NOSRV> -1/-1/-1/-1/200 408 0 - - cR-- ", "F.ereq=1 F.req_tot=2"},
	{"nothing sent", NULL, {"wait 602"}, "HTTP/1.1 408 Request Time-out\r\n", 'F',
		" fe fe/<NOSRV> -1/-1/-1/-1/600 408 0 - - cR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
		"F.ereq=1 L.ereq=1 F.hrsp_4xx=1 F.req_tot=1 F.bout=0 B.stot=0"},
	{"nothing sent, dontlognull", script_dontlognull, {"wait 602"}, "HTTP/1.1 408 ", 'F', NULL,
		"F.ereq=1"},
	{"half a head", times, {"c> GET / HT", "wait 202"}, "HTTP/1.1 408 ", 'F', " -1/-1/-1/-1/20",
		"F.ereq=1"},
	{"half a head, dontlognull", script_dontlognull, {"c> GET / HT", "wait 602"},
		"HTTP/1.1 408 ", 'F', " 408 0 - - cR-- ", ""},
	{"half a head and the end", NULL, {"c> GET / HT", "c shut"}, "HTTP/1.1 400 Bad request\r\n",
		'F', " -1/-1/-1/-1/0 400 0 - - CR-- 1/1/0/0/0 0/0 \"<BADREQ>\"", "F.ereq=1"},
	{"half a head and a reset", NULL, {"c> GET / HT", "c reset"}, NULL, 'O', " 400 0 - - CR-- ",
		"F.ereq=1 F.hrsp_4xx=1"},
	{"leaves at once (own: no answer)", NULL, {"c shut"}, NULL, 'F', " 400 0 - - CR-- ",
		"F.ereq=1 F.hrsp_4xx=1 F.req_tot=1"},
	{"leaves at once, dontlognull", script_dontlognull, {"c shut"}, NULL, 'F', NULL,
		"F.ereq=1"},
	{"bad header", NULL, {"c> GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
		"HTTP/1.1 400 Bad request\r\n", 'F',
		" fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
		"F.ereq=1 F.hrsp_4xx=1"},
	{"refused", script_refuse, {"c> " GET, "wait 303"}, "HTTP/1.1 503 Service Unavailable\r\n",
		'O', " be/s1 0/0/-1/-1/30",
		"B.econ=1 1.econ=1 B.wretr=1 1.wretr=1 1.connect=2 1.stot=2 B.stot=1 F.hrsp_5xx=1 "
		"B.hrsp_5xx=1 1.hrsp_5xx=0 1.req_tot=0 1.bin=39 F.bin=39"},
	{"refused: the rest of the line", script_refuse, {"c> " GET, "wait 303"}, "HTTP/1.1 503 ",
		'O', " 503 217 - - SC-- 1/1/0/0/1 0/0 \"GET /x HTTP/1.1\"",
		"1.bout=217 B.bout=217"},
	{"never answers the SYN", script_hang, {"c> " GET, "wait 603"}, "HTTP/1.1 503 ", 'O',
		" 503 217 - - sC-- 1/1/0/0/1 ", "B.econ=1"},
	{"out of ports", script_no_port, {"c> " GET, "wait 3"}, "HTTP/1.1 503 ", 'O', " RC-- ",
		"B.econ=1"},
	{"no server is up", script_disabled, {"c> " GET}, "HTTP/1.1 503 Service Unavailable\r\n",
		'O', " be/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- 1/1/0/0/0 0/0",
		"B.econ=1 B.bout=217"},
	{"no backend", script_no_backend, {"c> " GET}, "HTTP/1.1 503 ", 'O',
		" fe/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- ", "B.stot=0"},
	{"503 for HEAD", script_disabled, {"c> HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"},
		"HTTP/1.1 503 Service Unavailable\r\n", 'O', " 503 110 - - SC-- ", "F.bout=110"},
	{"errorfile", errorfile, {"c> " GET}, "HTTP/1.1 503 Gone fishing\r\n", 'O', " 503 ", ""},
	{"connection used after a 503", script_disabled, {"c> " GET, "c> " GET}, "HTTP/1.1 503 ",
		'O', " 503 ", "F.req_tot=2"},
	{"server does not answer", slow_client, {"c> " GET, "wait 802"},
		"HTTP/1.1 504 Gateway Time-out\r\n", 'O', " be/s1 0/0/0/-1/800 504 19",
		"B.eresp=1 1.eresp=1 B.srv_abrt=0 B.hrsp_5xx=1 1.hrsp_5xx=0"},
	{"a client's timeout does not count then", NULL, {"c> " GET, "wait 802"}, "HTTP/1.1 504 ",
		'O', " sH-- ", ""},
	{"server closes before the head", NULL, {"c> " GET, "s shut"},
		"HTTP/1.1 502 Bad Gateway\r\n", 'O', " be/s1 0/0/0/-1/0 502 2",
		"B.eresp=1 1.eresp=1 B.srv_abrt=0"},
	{"server resets before the head", NULL, {"c> " GET, "s reset"}, "HTTP/1.1 502 ", 'O',
		" - - SH-- ", "B.eresp=1"},
	{"server speaks nonsense", NULL, {"c> " GET, "s> BLAH\r\n\r\n"}, "HTTP/1.1 502 ", 'O',
		" - - PH-- ", "B.eresp=1"},
	{"server sends half a head", NULL, {"c> " GET, "s> HTTP/1.1 200 OK\r\nConte", "s shut"},
		"HTTP/1.1 502 ", 'O', " - - SH-- ", "B.eresp=1"},
	{"server sends half a body", NULL,
		{"c> " GET, "s> HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "s shut"},
		"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", 'F',
		" be/s1 0/0/0/0/0 200 55 - - SD-- ",
		"B.eresp=1 1.eresp=1 B.srv_abrt=1 1.srv_abrt=1"},
	{"and resets", NULL,
		{"c> " GET, "s> HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "s reset"},
		"HTTP/1.1 200 OK\r\n", 'F', " 200 55 - - SD-- ", "B.srv_abrt=1"},
	{"bad chunk down", NULL,
		{"c> " GET, "s> HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
		"HTTP/1.1 200 OK\r\n", 'F', " - - PD-- ", "B.eresp=1"},
	{"server stalls in the body", slow_client,
		{"c> " GET, "s> HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "wait 802"},
		"HTTP/1.1 200 OK\r\n", 'F', " be/s1 0/0/0/0/800 200 55 - - sD-- ",
		"B.srv_abrt=1 B.eresp=0"},
	{"client stalls in the body (as documented)", NULL, {"c> " POST "01", "wait 602"},
		"HTTP/1.1 408 ", 'F', " - - cH-- ", "B.cli_abrt=1"},
	{"client resets in its body", NULL, {"c> " POST "01", "c reset"}, NULL, 'O',
		" be/s1 0/0/0/-1/0 -1 0 - - CD-- ", "B.cli_abrt=1 1.cli_abrt=1 F.hrsp_other=1"},
	{"client ends in its body", NULL, {"c> " POST "01", "c shut"}, NULL, 'R', " -1 0 - - CD-- ",
		"B.cli_abrt=1 B.hrsp_other=1"},
	{"client ends after its request", slow_client, {"c> " GET, "c shut", "s> " OK5}, GOT_OK5,
		'F', " 200 54 - - ---- ", "B.cli_abrt=0"},
	{"client resets while waiting (own: at once)", NULL, {"c> " GET, "c reset"}, NULL, 'O',
		" -1 0 - - CH-- ", "B.cli_abrt=1"},
	{"client resets in the response", NULL,
		{"c> " GET, "s> HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "c reset"},
		"HTTP/1.1 200 OK\r\n", 'O', " 200 55 - - CD-- ", "B.cli_abrt=1"},
	{"bad chunk up", NULL,
		{"c> POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
			"c> zz\r\n"},
		"HTTP/1.1 400 ", 'F', " 400 ", ""},
	{"client ends while connecting, abortonclose", script_abortonclose_hang,
		{"c> " GET, "c shut"}, "HTTP/1.1 503 ", 'F', " 503 217 - - CC-- ", ""},
	{"client ends while connecting", script_hang, {"c> " GET, "c shut"}, NULL, 'O', NULL,
		"1.scur=1"},
	{"client resets while connecting", script_hang, {"c> " GET, "c reset"}, NULL, 'O', " CC-- ",
		""},
	{"redispatch", redispatch, {"c> " GET, "s> " OK5}, GOT_OK5, 'O',
		" be/s2 0/0/0/0/0 200 54 - - ---- 1/1/0/0/+1 0/0",
		"1.wredis=1 B.wredis=1 B.connect=2 2.connect=1 1.stot=1 2.req_tot=1"},
};

static const struct script reuse[] = {
	{"safe: not for a first request", NULL,
		{"c> " GET, "s> " OK5, "open", "c> " GET, "s> " OK5}, GOT_OK5, 'O', " 200 ",
		"1.connect=2 1.reuse=0 1.srv_icur=2"},
	{"safe: for a later one", NULL,
		{"c> " GET, "s> " OK5, "open", "c> " GET, "s> " OK5, "c> " GET, "s> " OK5},
		GOT_OK5 GOT_OK5, 'O', " 200 ", "1.connect=2 1.reuse=1"},
	{"always", always, {"c> " GET, "s> " OK5, "open", "c> " GET, "s> " OK5}, GOT_OK5, 'O',
		" 200 ", "1.connect=1 1.reuse=1 1.srv_icur=1"},
	{"aggressive: not yet proven", aggressive,
		{"c> " GET, "s> " OK5, "open", "c> " GET, "s> " OK5}, GOT_OK5, 'O', " 200 ",
		"1.connect=2"},
	{"aggressive: proven", aggressive,
		{"c> " GET, "s> " OK5, "c> " GET, "s> " OK5, "open", "c> " GET, "s> " OK5}, GOT_OK5,
		'O', " 200 ", "1.connect=1 1.reuse=2"},
	{"never: stays with its client", never,
		{"c> " GET, "s> " OK5, "open", "c> " GET, "s> " OK5, "c> " GET, "s> " OK5},
		GOT_OK5 GOT_OK5, 'O', " 200 ", "1.connect=2 1.reuse=1 1.srv_icur=2"},
	{"never: leaves with its client", never, {"c> " GET, "s> " OK5, "c close"}, GOT_OK5, 'O',
		" 200 ", "1.connect=1 1.srv_icur=0 F.scur=0"},
	{"never: is not kept for a client that closes", never,
		{"c> GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "s> " OK5},
		"HTTP/1.1 200 OK", 'F', " 200 ", "1.connect=1 1.srv_icur=0"},
	{"an idle one that ends is dropped", NULL, {"c> " GET, "s> " OK5, "s shut"}, GOT_OK5, 'O',
		" 200 ", "1.srv_icur=0"},
	{"an idle one that speaks is dropped", NULL, {"c> " GET, "s> " OK5, "s> junk"}, GOT_OK5,
		'O', " 200 ", "1.srv_icur=0"},
	{"a dead one is replaced (own)", NULL,
		{"c> " GET, "s> " OK5, "c> " GET, "s shut", "s> " OK5}, GOT_OK5 GOT_OK5, 'O',
		" 200 ", "1.connect=2 1.reuse=1 1.eresp=0"},
	{"a POST is not repeated", NULL, {"c> " GET, "s> " OK5, "c> " POST "0123456789", "s shut"},
		GOT_OK5, 'F', " -1 0 - - SH-- ", "1.connect=1 1.reuse=1"},
};

static void run_all(const struct script *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		script_run(&rows[i], MODEL_MODE_HTTP);
}

static void exchanges_end_well(void **state)
{
	(void)state;
	run_all(exchanges, ARRAY_LEN(exchanges));
}

static void failures_are_answered(void **state)
{
	(void)state;
	run_all(failures, ARRAY_LEN(failures));
}

static void connections_are_reused(void **state)
{
	(void)state;
	run_all(reuse, ARRAY_LEN(reuse));
}

static struct bench *start_http(uint32_t workers, uint32_t servers)
{
	struct bench *b = bench_new(workers, servers);

	b->fe->mode = b->be->mode = MODEL_MODE_HTTP;
	b->fe->log_format = MODEL_LOG_HTTP;
	return b;
}

static void back_pressure(void **state)
{
	struct bench *b = start_http(1, 1);
	struct end *client;
	uint64_t sent = 0;
	uint32_t n;

	(void)state;
	b->pipe_bytes = 16384;
	bench_start(b);
	client = bench_client(b, 0);
	end_send(client, GET);
	bench_settle(b);
	client->paused = true;
	end_send(bench_server(b), "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	do {
		n = end_send_bytes(bench_server(b), 100000);
		sent += n;
		bench_settle(b);
	} while (n > 0);
	assert_in_range(sent, 16384, 3 * 16384);
	bench_wait(b, 602);
	assert_non_null(strstr(b->log, " cD-- "));
	bench_end(b);
}

static void long_bodies_both_ways(void **state)
{
	struct bench *b = start_http(1, 1);
	struct end *client;
	uint64_t left = 3000000;

	(void)state;
	b->pipe_bytes = 10000;
	bench_start(b);
	client = bench_client(b, 0);
	end_send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
	bench_settle(b);
	while (left > 0) {
		left -= end_send_bytes(client, (uint32_t)MIN(left, UINT64_C(7777)));
		bench_settle(b);
	}
	assert_true(bench_server(b)->total > 3000000);
	end_send(bench_server(b), "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n");
	for (left = 3000000; left > 0; bench_settle(b))
		left -= end_send_bytes(bench_server(b), (uint32_t)MIN(left, UINT64_C(7777)));
	assert_true(client->total > 3000000);
	assert_int_equal(bench_stat(b, '1', "srv_icur"), 1);
	bench_end(b);
}

static void idle_connections_are_bounded_and_thinned_out(void **state)
{
	struct bench *b = start_http(1, 1);
	struct end *clients[8];

	(void)state;
	b->fe->timeouts.client = 100000;
	bench_start(b);
	for (int i = 0; i < 8; i++) {
		clients[i] = bench_client(b, 0);
		end_send(clients[i], GET);
		bench_settle(b);
		end_send(bench_server(b), OK5);
		bench_settle(b);
	}
	assert_int_equal(bench_stat(b, '1', "srv_icur"), 8);
	bench_wait(b, 5001); /* nothing was idle for the whole span */
	assert_int_equal(bench_stat(b, '1', "srv_icur"), 8);
	bench_wait(b, 5001);
	assert_int_equal(bench_stat(b, '1', "srv_icur"), 4);
	bench_wait(b, 5001);
	assert_int_equal(bench_stat(b, '1', "srv_icur"), 2);
	bench_end(b);
}

static void soft_stop_closes_idle_clients(void **state)
{
	struct bench *b = start_http(1, 1);
	struct end *idle, *busy;

	(void)state;
	bench_start(b);
	idle = bench_client(b, 0);
	end_send(idle, GET);
	bench_settle(b);
	end_send(bench_server(b), OK5);
	busy = bench_client(b, 0);
	end_send(busy, GET);
	bench_settle(b);
	proxy_stop_soft(b->px[0]);
	bench_settle(b);
	assert_true(idle->eof);
	assert_false(busy->eof);
	end_send(bench_server(b), OK5);
	bench_settle(b);
	assert_non_null(strstr(busy->in, "connection: close"));
	assert_true(busy->eof);
	assert_false(proxy_is_drained(b->px[0])); /* the client has not ended its side */
	bench_wait(b, 1002);
	assert_true(proxy_is_drained(b->px[0]));
	bench_end(b);
}

static void server_maxconn_queues_requests(void **state)
{
	struct bench *b = start_http(1, 1);
	struct end *first, *second;

	(void)state;
	b->servers[0].maxconn = 1;
	bench_start(b);
	first = bench_client(b, 0);
	end_send(first, GET);
	second = bench_client(b, 0);
	end_send(second, GET);
	bench_wait(b, 100);
	assert_int_equal(b->server_count, 1);
	assert_int_equal(bench_stat(b, 'B', "qcur"), 1);
	end_send(bench_server(b), OK5);
	bench_settle(b);
	assert_int_equal(b->server_count, 2);
	end_send(bench_server(b), OK5);
	bench_settle(b);
	assert_string_equal(second->in, GOT_OK5);
	assert_non_null(strstr(b->log, " 0/100/0/0/100 200 "));
	assert_non_null(strstr(b->log, "/0 0/0 \"GET"));
	end_send(first, GET);
	end_send(second, GET);
	bench_wait(b, 302);
	assert_string_equal(b->log + strlen(b->log) - 17, "\"GET /x HTTP/1.1\"");
	assert_non_null(strstr(b->log, " 503 217 - - sQ-- "));
	bench_end(b);
}

static void a_request_before_the_gate_waits(void **state)
{
	struct bench *b = start_http(1, 1);
	struct end *first, *second;

	(void)state;
	b->fe->fe.maxconn = 1;
	bench_start(b);
	first = bench_client(b, 0);
	second = bench_client(b, 0);
	end_send(second, GET);
	bench_settle(b);
	assert_int_equal(b->server_count, 0);
	end_close(first);
	bench_settle(b);
	assert_int_equal(b->server_count, 1);
	end_send(bench_server(b), OK5);
	bench_settle(b);
	assert_string_equal(second->in, GOT_OK5);
	bench_end(b);
}

/* Each pool in turn gives nothing, at each of the first times it is asked. */
static void empty_pools_are_survived(void **state)
{
	static const char *const pools[] = {
		"proxy sessions", "proxy streams", "proxy server connections"};

	(void)state;
	for (size_t p = 0; p < ARRAY_LEN(pools); p++)
		for (uint32_t nth = 1; nth <= 2; nth++) {
			struct bench *b = start_http(1, 1);

			bench_start(b);
			list_for_each (link, &b->f->w[0]->pools) {
				struct mem_pool *pool = list_entry(link, struct mem_pool, link);

				if (strcmp(pool->name, pools[p]) == 0)
					pool->fail_nth = nth;
			}
			for (int i = 0; i < 3; i++) {
				struct end *client = bench_client(b, 0);

				if (!client)
					continue;
				end_send(client, GET);
				bench_settle(b);
				if (b->server_count > 0 && stream_is_open(&bench_server(b)->stream))
					end_send(bench_server(b), OK5);
				bench_wait(b, 10);
			}
			assert_true(bench_stat(b, 'F', "hrsp_2xx") >= 2);
			bench_end(b);
		}
}

static void figures_of_time(void **state)
{
	struct bench *b = start_http(1, 1);
	struct proxy_totals totals;

	(void)state;
	bench_start(b);
	for (int i = 0; i < 10; i++) {
		struct end *client = bench_client(b, 0);

		end_send(client, GET);
		bench_wait(b, 20);
		end_send(bench_server(b), OK5);
		bench_settle(b);
	}
	assert_int_equal(bench_stat(b, 'B', "rtime"), 20);
	assert_int_equal(bench_stat(b, '1', "ttime_max"), 20);
	assert_int_equal(bench_stat(b, 'F', "rate"), 10);
	assert_int_equal(bench_stat(b, 'F', "req_rate"), 10);
	assert_int_equal(bench_stat(b, 'B', "lastsess"), 0);
	proxy_view_totals(b->view, b->f->w[0]->now_ns, &totals);
	assert_int_equal(totals.requests_tot, 10);
	assert_int_equal(totals.conns_tot, 10);
	assert_int_equal(totals.conn_rate, 10);
	bench_wait(b, 3000);
	proxy_view_poll(b->view, b->f->w[0]->now_ns);
	assert_int_equal(bench_stat(b, 'F', "rate"), 0);
	assert_int_equal(bench_stat(b, 'F', "rate_max"), 10);
	assert_int_equal(bench_stat(b, 'B', "lastsess"), 3);
	bench_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanges_end_well),
		cmocka_unit_test(failures_are_answered),
		cmocka_unit_test(connections_are_reused),
		cmocka_unit_test(back_pressure),
		cmocka_unit_test(long_bodies_both_ways),
		cmocka_unit_test(idle_connections_are_bounded_and_thinned_out),
		cmocka_unit_test(soft_stop_closes_idle_clients),
		cmocka_unit_test(server_maxconn_queues_requests),
		cmocka_unit_test(a_request_before_the_gate_waits),
		cmocka_unit_test(empty_pools_are_survived),
		cmocka_unit_test(figures_of_time),
	};

	return cmocka_run_group_tests_name("proxy/http", tests, NULL, NULL);
}
