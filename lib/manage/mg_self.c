/* SPDX-License-Identifier: BSD-3-Clause */
/* weir about itself: cores, pools, drops. All read where they stand, by stat_read. */
#include <inttypes.h>

#include <rte_mempool.h>

#include "manage_pvt.h"

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? part * 100 / whole : 0;
}

/* --- cores -------------------------------------------------------------------------- */

static void print_worker(struct mg_out *out, const struct worker *w)
{
	uint64_t busy = stat_read(&w->busy_cycles), idle = stat_read(&w->idle_cycles);
	uint64_t turns = stat_read(&w->turn), busy_turns = stat_read(&w->busy_turns);

	mg_printf(out,
		"%s: core %u%s, %s\n  turns %" PRIu64 ", with work %" PRIu64 " (%" PRIu64
		"%%), sleeps %" PRIu64 ", clock jumps %" PRIu64 "\n  cycles busy %" PRIu64
		" (%" PRIu64 "%%), idle %" PRIu64 "\n  mailbox %u waiting, most %" PRIu64
		"; timers %u; log lines lost %" PRIu64 "\n",
		w->name, w->index, w->control ? " (control)" : "",
		w->idle == WORKER_IDLE_BUSY ? "never sleeps" : "sleeps when idle", turns,
		busy_turns, percent(busy_turns, turns), stat_read(&w->sleep_count),
		stat_read(&w->clock_jumps), busy, percent(busy, busy + idle), idle,
		worker_mailbox_depth(w), stat_read(&w->mailbox_depth_max), w->timers.count,
		log_dropped(w->log));
	mg_printf(out, "  %-16s %14s %14s %10s %10s\n", "poller", "calls", "work", "work/call",
		"cycles/work");
	for (uint32_t i = 0; i < w->poller_count; i++) {
		const struct worker_poller *p = &w->pollers[i];
		uint64_t calls = stat_read(&p->calls), work = stat_read(&p->work);
		uint64_t cycles = stat_read(&p->cycles);

		mg_printf(out,
			"  %-16s %14" PRIu64 " %14" PRIu64 " %7" PRIu64 ".%02" PRIu64 " %10" PRIu64
			"\n",
			p->name, calls, work, calls > 0 ? work / calls : 0,
			calls > 0 ? work * 100 / calls % 100 : 0, work > 0 ? cycles / work : 0);
	}
}

static enum mg_verdict cmd_worker(struct mg_call *call)
{
	struct manage *m = call->m;

	if (call->at[0] >= m->config.core_count)
		return MG_DONE;
	print_worker(call->out, m->workers[call->at[0]++]);
	return MG_AGAIN;
}

static enum mg_verdict cmd_profile(struct mg_call *call)
{
	bool on = mg_is(call, 1, "on");

	if (!on && !mg_is(call, 1, "off")) {
		mg_printf(call->out, "Cycles of each poller are %scounted.\n",
			call->m->workers[0]->profile ? "" : "not ");
		return MG_DONE;
	}
	for (uint32_t c = 0; c < call->m->config.core_count; c++)
		worker_profile_set(call->m->workers[c], on);
	return MG_DONE;
}

/* --- pools -------------------------------------------------------------------------- */

static void print_packets(struct mg_out *out, const struct rte_mempool *pool, uint32_t core)
{
	uint32_t avail = rte_mempool_avail_count(pool);

	mg_printf(out, "%-4u %-28s %8u %10u %10u %10s %8s\n", core, pool->name, pool->elt_size,
		pool->size, pool->size - MIN(avail, pool->size), "-", "-");
}

static enum mg_verdict cmd_pool(struct mg_call *call)
{
	struct manage *m = call->m;
	uint32_t core = (uint32_t)call->at[0]++;

	if (core >= m->config.core_count)
		return MG_DONE;
	if (core == 0)
		mg_printf(call->out, "%-4s %-28s %8s %10s %10s %10s %8s\n", "core", "pool", "bytes",
			"objects", "used", "most", "failed");
	list_for_each (link, &m->workers[core]->pools) {
		const struct mem_pool *p = list_entry(link, struct mem_pool, link);

		mg_printf(call->out, "%-4u %-28s %8u %10u %10u %10u %8" PRIu64 "\n", core, p->name,
			p->object_size_bytes, p->count_max, p->count_used, p->count_used_max,
			p->fail_count);
	}
	if (m->shares[core] && m->config.port_count > 0 && m->shares[core][0].pools) {
		print_packets(call->out, m->shares[core][0].pools->data, core);
		print_packets(call->out, m->shares[core][0].pools->ref, core);
	}
	return MG_AGAIN;
}

void mg_pool_sum(const struct manage *m, struct mg_pool_sum *sum)
{
	*sum = (struct mg_pool_sum){0};
	for (uint32_t c = 0; c < m->config.core_count; c++) {
		list_for_each (link, &m->workers[c]->pools) {
			const struct mem_pool *p = list_entry(link, struct mem_pool, link);

			sum->reserved_bytes += p->region.size_bytes;
			sum->used_bytes += (uint64_t)p->count_used * p->object_size_bytes;
			sum->fails += p->fail_count;
		}
	}
}

/* --- drops -------------------------------------------------------------------------- */

/* One row of a module over all cores; a core may have several groups of a module (ports). */
static uint64_t sum_of(const struct manage *m, const char *module, uint32_t row)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < m->config.core_count; c++) {
		list_for_each (link, &m->workers[c]->groups) {
			const struct stat_group *g = list_entry(link, struct stat_group, link);

			if (strcmp(g->module, module) == 0 && row < g->count)
				sum += stat_read(&g->values[row]);
		}
	}
	return sum;
}

/* True if an earlier group, in the order of cores and lists, is of the same module. */
static bool seen_before(const struct manage *m, const struct stat_group *group)
{
	for (uint32_t c = 0; c < m->config.core_count; c++) {
		list_for_each (link, &m->workers[c]->groups) {
			const struct stat_group *g = list_entry(link, struct stat_group, link);

			if (g == group)
				return false;
			if (strcmp(g->module, group->module) == 0)
				return true;
		}
	}
	return false;
}

static void print_group(struct mg_call *call, const struct stat_group *g, bool drops, bool all)
{
	char name[STAT_NAME_SIZE];

	for (uint32_t i = 0; i < g->count; i++) {
		uint64_t sum = sum_of(call->m, g->module, i);

		if ((drops && g->rows[i].kind != STAT_DROP) || (sum == 0 && !all))
			continue;
		mg_printf(call->out, "%-10s %-24s %14" PRIu64 "  %s\n", g->module,
			stat_row_name(&g->rows[i], name), sum, g->rows[i].text);
	}
}

static enum mg_verdict print_groups(struct mg_call *call, bool drops)
{
	struct manage *m = call->m;
	bool all = mg_is(call, 2, "all");

	mg_printf(call->out, "%-10s %-24s %14s  %s\n", "module", drops ? "reason" : "counter",
		"count", "meaning");
	for (uint32_t c = 0; c < m->config.core_count; c++) {
		list_for_each (link, &m->workers[c]->groups) {
			const struct stat_group *g = list_entry(link, struct stat_group, link);

			if (!seen_before(m, g))
				print_group(call, g, drops, all);
		}
	}
	return MG_DONE;
}

static enum mg_verdict cmd_drops(struct mg_call *call)
{
	struct manage *m = call->m;
	uint64_t lost = 0;

	print_groups(call, true);
	for (uint32_t c = 0; c < m->config.core_count; c++)
		lost += log_dropped(m->workers[c]->log);
	if (lost > 0 || mg_is(call, 2, "all"))
		mg_printf(call->out, "%-10s %-24s %14" PRIu64 "  %s\n", "log", "ring_full", lost,
			"lines lost: the ring of the core was full");
	return MG_DONE;
}

static enum mg_verdict cmd_counters(struct mg_call *call)
{
	return print_groups(call, false);
}

uint64_t mg_dropped_logs(const struct manage *m)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < m->config.core_count; c++) {
		sum += log_dropped(m->workers[c]->log);
		list_for_each (link, &m->workers[c]->groups) {
			const struct stat_group *g = list_entry(link, struct stat_group, link);

			for (uint32_t i = 0; strcmp(g->module, "logsink") == 0 && i < g->count; i++)
				if (g->rows[i].kind == STAT_DROP)
					sum += stat_read(&g->values[i]);
		}
	}
	return sum;
}

const struct mg_command mg_commands_self[] = {
	{{"profile"}, MODEL_LEVEL_ADMIN, "profile [on|off]",
		"count the cycles of each poller (\"show worker\")", cmd_profile},
	{{"show", "counters"}, MODEL_LEVEL_OPERATOR, "show counters [all]",
		"list the counters of all modules; all: also those that are 0", cmd_counters},
	{{"show", "drops"}, MODEL_LEVEL_OPERATOR, "show drops [all]",
		"list what was dropped, and why; all: also what never was", cmd_drops},
	{{"show", "pool"}, MODEL_LEVEL_OPERATOR, "show pool", "show the memory pools of each core",
		cmd_pool},
	{{"show", "pools"}, MODEL_LEVEL_OPERATOR, NULL, NULL, cmd_pool},
	{{"show", "worker"}, MODEL_LEVEL_OPERATOR, "show worker",
		"show what each core does with its time", cmd_worker},
	{{NULL}},
};
