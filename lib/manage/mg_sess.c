/* SPDX-License-Identifier: BSD-3-Clause */
/* "show sess" and "show conn": what lives on the worker cores. */
#include <inttypes.h>
#include <stdlib.h>

#include "lang_value.h"
#include "manage_pvt.h"

#define CONN_LIMIT_DEFAULT 10000
#define CORE_SHIFT         48 /* a session's number tells its core */

/* --- sessions ----------------------------------------------------------------------- */

static void sess_row(void *ctx, const struct proxy_session_info *info)
{
	struct proxy_session_info *row = mg_ask_row(ctx);

	if (row)
		*row = *info;
}

static void sess_ask(struct mg_ask *ask)
{
	ask->more = proxy_session_each(ask->proxy, &ask->cursor, ask->row_max, sess_row, ask);
}

static bool has_proxy(struct manage *m, uint32_t core)
{
	return m->proxies[core];
}

static const char *proxy_name(const struct model *model, uint32_t index)
{
	return index < model->proxy_count ? model->proxies[index].name : "<NONE>";
}

static const char *server_name(const struct model *model, uint32_t index)
{
	return index < model->server_count ? model->servers[index].name : "<none>";
}

static void sess_print_short(
	struct mg_call *call, uint64_t id, uint32_t core, const struct proxy_session_info *i)
{
	const struct model *model = call->m->model;
	char client[ENDPOINT_TEXT_SIZE], age[16], idle[16], expire[16] = "";

	if (i->expire_in_ns != UINT64_MAX)
		mg_age(i->expire_in_ns / NS_PER_SEC, expire);
	mg_printf(call->out,
		"0x%" PRIx64 ": proto=%s src=%s fe=%s be=%s srv=%s state=%s age=%s idle=%s exp=%s "
		"reqs=%u in=%" PRIu64 " out=%" PRIu64 " core=%u\n",
		id, ip_addr_is_v4(&i->client.addr) ? "tcpv4" : "tcpv6",
		endpoint_format(&i->client, client), proxy_name(model, i->frontend),
		proxy_name(model, i->backend), server_name(model, i->server), i->state,
		mg_age(i->age_ns / NS_PER_SEC, age), mg_age(i->idle_ns / NS_PER_SEC, idle), expire,
		i->requests, i->bytes_in, i->bytes_out, core);
}

static void sess_print_long(
	struct mg_call *call, uint64_t id, uint32_t core, const struct proxy_session_info *i)
{
	const struct model *model = call->m->model;
	char client[ENDPOINT_TEXT_SIZE], local[ENDPOINT_TEXT_SIZE];
	const struct model_proxy *b =
		i->backend < model->proxy_count ? &model->proxies[i->backend] : NULL;

	sess_print_short(call, id, core, i);
	mg_printf(call->out, "  source=%s local=%s mode=%s\n", endpoint_format(&i->client, client),
		endpoint_format(&i->local, local), i->mode == MODEL_MODE_HTTP ? "http" : "tcp");
	if (i->frontend < model->proxy_count)
		mg_printf(call->out, "  frontend=%s (id=%u)\n", proxy_name(model, i->frontend),
			model->proxies[i->frontend].id);
	mg_printf(call->out, "  backend=%s (id=%d)\n", proxy_name(model, i->backend),
		b ? (int)b->id : -1);
	if (i->server < model->server_count)
		mg_printf(call->out, "  server=%s (id=%u) addr=%s\n", server_name(model, i->server),
			model->servers[i->server].id,
			endpoint_format(&model->servers[i->server].remote, local));
}

/* at[2]: the session that is looked for, plus 1; at[3]: in detail. */
static void sess_print(struct mg_call *call, uint32_t core, const void *row)
{
	const struct proxy_session_info *i = row;
	uint64_t id = ((uint64_t)core << CORE_SHIFT) | (i->id & ((UINT64_C(1) << CORE_SHIFT) - 1));

	if (call->at[2] > 0) {
		if (id + 1 != call->at[2])
			return;
		call->at[2] = UINT64_MAX; /* found */
	}
	if (call->at[3])
		sess_print_long(call, id, core, i);
	else
		sess_print_short(call, id, core, i);
}

static enum mg_verdict cmd_sess(struct mg_call *call)
{
	enum mg_verdict verdict;

	if (!call->ask) {
		uint64_t id = strtoull(mg_word(call, 2), NULL, 0);

		call->at[2] = id > 0 ? id + 1 : 0;
		call->at[3] = id > 0 || mg_is(call, 2, "all");
		if (!mg_ask_create(call, sess_ask, MG_ASK_ROWS, sizeof(struct proxy_session_info)))
			return MG_DONE;
	}
	verdict = mg_ask_all(call, has_proxy, sess_print);
	if (verdict == MG_DONE && call->at[2] > 0 && call->at[2] != UINT64_MAX)
		mg_puts(call->out, "Session not found.\n");
	return verdict;
}

/* --- connections -------------------------------------------------------------------- */

#define ANY_STATE TCP_STATE_COUNT

static void conn_row(void *ctx, const struct tcp_conn_info *info)
{
	struct mg_ask *ask = ctx;
	struct tcp_conn_info *row;

	if (ask->arg != ANY_STATE && (uint64_t)info->state != ask->arg)
		return;
	row = mg_ask_row(ask);
	if (row)
		*row = *info;
}

static void conn_ask(struct mg_ask *ask)
{
	ask->more = tcp_conn_each(ask->tcp, &ask->cursor, ask->row_max, conn_row, ask);
}

static bool has_tcp(struct manage *m, uint32_t core)
{
	return m->tcps[core];
}

/* at[3]: how many more are shown. */
static void conn_print(struct mg_call *call, uint32_t core, const void *row)
{
	const struct tcp_conn_info *i = row;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE], age[16];

	if (call->at[3] == 0)
		return;
	call->at[3]--;
	mg_printf(call->out,
		"%-4u %-12s %-21s %-21s %6s %8u %8u %8u %6u %7u %7u %7u %7u %7u %4u %6u %-5s %s\n",
		core, tcp_state_name(i->state), endpoint_format(&i->local, local),
		endpoint_format(&i->remote, remote), mg_age(i->age_ns / NS_PER_SEC, age),
		i->snd_wnd, i->rcv_wnd, i->cwnd, i->mss, i->send_queued_bytes,
		i->send_unacked_bytes, i->recv_queued_bytes, i->held_bytes, i->srtt_us,
		i->retransmits, i->rto_ms, i->cc, i->user ? "-" : "orphan");
}

static bool state_find(const char *name, uint64_t *state)
{
	for (uint32_t s = 0; s < TCP_STATE_COUNT; s++) {
		if (!bytes_eq_nocase(bytes_of_cstr(name), bytes_of_cstr(tcp_state_name(s))))
			continue;
		*state = s;
		return true;
	}
	return false;
}

/* False: the answer is given. */
static bool conn_parse(struct mg_call *call, uint64_t *state, int64_t *limit)
{
	*state = ANY_STATE;
	*limit = CONN_LIMIT_DEFAULT;
	for (uint32_t w = 2; w < call->word_count; w += 2) {
		if (mg_is(call, w, "state") && state_find(mg_word(call, w + 1), state))
			continue;
		if (mg_is(call, w, "limit") &&
			lang_int_parse(mg_word(call, w + 1), 1, INT32_MAX, limit, NULL) == 0)
			continue;
		mg_puts(call->out, "Usage: show conn [state <state>] [limit <n>], with a state of");
		for (uint32_t s = 0; s < TCP_STATE_COUNT; s++)
			mg_printf(call->out, " %s", tcp_state_name(s));
		mg_puts(call->out, "\n");
		return false;
	}
	return true;
}

static enum mg_verdict cmd_conn(struct mg_call *call)
{
	uint64_t state;
	int64_t limit;

	if (!call->ask) {
		if (!conn_parse(call, &state, &limit) ||
			!mg_ask_create(call, conn_ask, MG_ASK_ROWS, sizeof(struct tcp_conn_info)))
			return MG_DONE;
		call->ask->arg = state;
		call->at[3] = (uint64_t)limit;
		mg_printf(call->out,
			"%-4s %-12s %-21s %-21s %6s %8s %8s %8s %6s %7s %7s %7s %7s %7s %4s %6s "
			"%-5s %s\n",
			"core", "state", "local", "remote", "age", "snd_wnd", "rcv_wnd", "cwnd",
			"mss", "sendq", "unacked", "recvq", "held", "srtt_us", "retr", "rto_ms",
			"cc", "owner");
	}
	if (call->at[3] == 0 && !call->ask->away)
		return MG_DONE;
	return mg_ask_all(call, has_tcp, conn_print);
}

/* --- listeners ---------------------------------------------------------------------- */

static void listener_row(void *ctx, const struct tcp_listener_info *info)
{
	struct tcp_listener_info *row = mg_ask_row(ctx);

	if (row)
		*row = *info;
}

static void listener_ask(struct mg_ask *ask)
{
	ask->more = tcp_listener_each(ask->tcp, &ask->cursor, ask->row_max, listener_row, ask);
}

static void listener_print(struct mg_call *call, uint32_t core, const void *row)
{
	const struct tcp_listener_info *i = row;
	char local[ENDPOINT_TEXT_SIZE];

	mg_printf(call->out, "%-4u %-21s %8u %8u %9u %9u %5u %-7s %12" PRIu64 " %s\n", core,
		endpoint_format(&i->local, local), i->waiting, i->backlog, i->half_open,
		i->half_open_max, i->fast_open, i->cookies ? "on" : "off", i->cookies_sent,
		i->paused ? "paused" : "-");
}

static enum mg_verdict cmd_listener(struct mg_call *call)
{
	if (!call->ask) {
		if (!mg_ask_create(
			    call, listener_ask, MG_ASK_ROWS, sizeof(struct tcp_listener_info)))
			return MG_DONE;
		mg_printf(call->out, "%-4s %-21s %8s %8s %9s %9s %5s %-7s %12s %s\n", "core",
			"local", "waiting", "backlog", "half_open", "limit", "early", "cookies",
			"cookies_sent", "state");
	}
	return mg_ask_all(call, has_tcp, listener_print);
}

const struct mg_command mg_commands_sess[] = {
	{{"show", "conn"}, MODEL_LEVEL_OPERATOR, "show conn [state <state>] [limit <n>]",
		"list TCP connections of all cores", cmd_conn},
	{{"show", "listener"}, MODEL_LEVEL_OPERATOR, "show listener",
		"list where each core listens, and what waits there", cmd_listener},
	{{"show", "sess"}, MODEL_LEVEL_OPERATOR, "show sess [id|all]",
		"list the sessions, or show one or all in detail", cmd_sess},
	{{NULL}},
};
