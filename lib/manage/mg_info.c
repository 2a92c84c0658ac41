/* SPDX-License-Identifier: BSD-3-Clause */
/* "show info". Names and positions are HAProxy's; what we do not have stays 0. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "manage_pvt.h"

#define MIB (UINT64_C(1) << 20)

enum info {
#define INFO(sym, name, position, type, tags, text) INFO_##sym,
#include "mg_info.def"
#undef INFO
	INFO_COUNT,
};

static const struct {
	const char *name, *tags, *text;
	uint8_t position;
	uint8_t type;
} rows[] = {
#define INFO(sym, name, position, type, tags, text) {name, tags, text, position, MG_##type},
#include "mg_info.def"
#undef INFO
};

static_assert(ARRAY_LEN(rows) == INFO_COUNT, "a row for each");

struct info_values {
	struct mg_value v[INFO_COUNT];
	uint64_t uptime_ns, start_wall_ns;
	char uptime[32];
};

static void set_process(const struct manage *m, struct info_values *i)
{
	struct worker *w = m->config.control;
	struct rlimit files = {0};
	unsigned s;

	i->uptime_ns = w->now_ns - MIN(m->config.start_ns, w->now_ns);
	i->start_wall_ns = w->wall_ns - MIN(i->uptime_ns, w->wall_ns);
	s = (unsigned)(i->uptime_ns / NS_PER_SEC);
	snprintf(i->uptime, sizeof(i->uptime), "%ud %uh%02um%02us", s / 86400, s / 3600 % 24,
		s / 60 % 60, s % 60);
	getrlimit(RLIMIT_NOFILE, &files);
	i->v[INFO_NAME].str = "weir";
	i->v[INFO_VERSION].str = MG_VERSION(m);
	i->v[INFO_RELEASE_DATE].str = m->config.release_date;
	i->v[INFO_BUILD_INFO].str = MG_VERSION(m);
	i->v[INFO_NBTHREAD].u64 = MAX(m->config.core_count - 1, 1u);
	i->v[INFO_NBPROC].u64 = 1;
	i->v[INFO_PROCESS_NUM].u64 = 1;
	i->v[INFO_PID].u64 = m->config.pid;
	i->v[INFO_UPTIME].str = i->uptime;
	i->v[INFO_UPTIME_SEC].u64 = s;
	i->v[INFO_START_TIME_SEC].u64 = i->start_wall_ns / NS_PER_SEC;
	i->v[INFO_ULIMIT_N].u64 = files.rlim_cur;
	i->v[INFO_MAXSOCK].u64 = files.rlim_cur;
	i->v[INFO_NODE].str = m->model->global.node ? m->model->global.node : m->host;
	i->v[INFO_DESCRIPTION].str = m->model->global.description;
	i->v[INFO_TAINTED].str = "0";
}

static void set_load(const struct manage *m, struct info_values *i)
{
	struct mg_pool_sum pools;

	mg_pool_sum(m, &pools);
	i->v[INFO_POOLALLOC_BYTES].u64 = pools.reserved_bytes;
	i->v[INFO_POOLALLOC_MB].u64 = pools.reserved_bytes / MIB;
	i->v[INFO_POOLUSED_BYTES].u64 = pools.used_bytes;
	i->v[INFO_POOLUSED_MB].u64 = pools.used_bytes / MIB;
	i->v[INFO_POOLFAILED].u64 = pools.fails;
	i->v[INFO_IDLE_PCT].u64 = mg_idle_pct(m);
	i->v[INFO_DROPPEDLOGS].u64 = mg_dropped_logs(m);
	i->v[INFO_BUSYPOLLING].u64 = m->workers[0]->idle == WORKER_IDLE_BUSY;
	for (uint32_t c = 0; c < m->config.core_count; c++) {
		i->v[INFO_TASKS].u64 += m->workers[c]->timers.count;
		i->v[INFO_RUN_QUEUE].u64 += worker_mailbox_depth(m->workers[c]);
	}
}

static void set_traffic(const struct manage *m, struct info_values *i)
{
	struct proxy_totals t;

	if (!m->view)
		return;
	proxy_view_totals(m->view, m->config.control->now_ns, &t);
	i->v[INFO_MAXCONN].u64 = t.maxconn;
	i->v[INFO_HARD_MAXCONN].u64 = t.maxconn;
	i->v[INFO_CURRCONNS].u64 = t.conns;
	i->v[INFO_CUMCONNS].u64 = t.conns_tot;
	i->v[INFO_CUMREQ].u64 = t.requests_tot;
	i->v[INFO_CONNRATE].u64 = t.conn_rate;
	i->v[INFO_MAXCONNRATE].u64 = t.conn_rate_max;
	i->v[INFO_SESSRATE].u64 = t.sess_rate;
	i->v[INFO_MAXSESSRATE].u64 = t.sess_rate_max;
	i->v[INFO_TOTALBYTESOUT].u64 = t.bytes_out_tot;
	i->v[INFO_BYTESOUTRATE].u64 = t.bytes_out_rate;
	i->v[INFO_LISTENERS].u64 = t.listeners;
	i->v[INFO_JOBS].u64 = t.listeners + t.conns;
	i->v[INFO_STOPPING].u64 = t.stopping;
}

static void print_text(struct mg_call *call, const struct info_values *i, enum info row, bool desc,
	bool with_fraction)
{
	uint64_t ns = row == INFO_UPTIME_SEC ? i->uptime_ns : i->start_wall_ns;

	mg_printf(call->out, "%s: ", rows[row].name);
	if (with_fraction && (row == INFO_UPTIME_SEC || row == INFO_START_TIME_SEC))
		mg_printf(call->out, "%" PRIu64 ".%06" PRIu64, ns / NS_PER_SEC,
			ns % NS_PER_SEC / NS_PER_US);
	else
		mg_value_print(call->out, &i->v[row]);
	if (desc)
		mg_printf(call->out, ":\"%s\"", rows[row].text);
	mg_puts(call->out, "\n");
}

static enum mg_verdict cmd_info(struct mg_call *call)
{
	bool typed = false, json = false, desc = false, with_fraction = false, first = true;
	struct info_values i = {0};

	for (uint32_t w = 2; w < call->word_count; w++) {
		typed |= mg_is(call, w, "typed");
		json |= mg_is(call, w, "json");
		desc |= mg_is(call, w, "desc");
		with_fraction |= mg_is(call, w, "float");
	}
	for (uint32_t row = 0; row < INFO_COUNT; row++)
		i.v[row].type = rows[row].type;
	set_process(call->m, &i);
	set_load(call->m, &i);
	set_traffic(call->m, &i);
	for (uint32_t row = 0; row < INFO_COUNT; row++) {
		struct mg_cell cell = {.position = rows[row].position,
			.name = rows[row].name,
			.tags = rows[row].tags,
			.text = rows[row].text,
			.value = i.v[row]};

		if (cell.value.type == MG_STR && !cell.value.str)
			continue;
		if (json) {
			mg_puts(call->out, first ? "[" : ",");
			mg_cell_json(call->out, &cell);
		} else if (typed) {
			mg_cell_typed(call->out, &cell, desc);
		} else {
			print_text(call, &i, row, desc, with_fraction);
		}
		first = false;
	}
	if (json)
		mg_puts(call->out, "]\n");
	return MG_DONE;
}

const struct mg_command mg_commands_info[] = {
	{{"show", "info"}, MODEL_LEVEL_USER, "show info [desc|json|typed|float]*",
		"report figures of the whole process", cmd_info},
	{{NULL}},
};
