/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions to other cores. A struct mg_ask with room for its rows is made here, goes to a core by
 * mail, is filled there without heap, and comes back by mail; until then nobody here touches it.
 * If the operator has gone, or the core took longer than MG_ANSWER_NS, the ask has no session any
 * more and is freed when it comes back.
 */
#include <stdlib.h>

#include "manage_pvt.h"

static void ask_free(struct mg_ask *ask)
{
	timer_cancel(&ask->m->config.control->timers, &ask->timeout);
	list_del(&ask->link);
	free(ask);
}

static struct mg_ask *of_mail(const struct mail *mail)
{
	return (struct mg_ask *)(uintptr_t)mail->arg[0];
}

/* Control core: it has come back. */
static void on_return(struct worker *to, const struct mail *mail)
{
	struct mg_ask *ask = of_mail(mail);

	timer_cancel(&to->timers, &ask->timeout);
	ask->away = false;
	if (ask->done)
		ask->done(ask);
	if (ask->session)
		mg_session_wake(ask->session);
	else
		ask_free(ask);
}

static void send_back(struct mg_ask *ask)
{
	struct mail mail = {.fn = on_return, .arg = {(uint64_t)(uintptr_t)ask}};
	struct worker *w = ask->worker;

	if (worker_mail(w, ask->home, &mail) < 0)
		timer_set(&w->timers, &ask->retry, w->now_ns + TIMER_TICK_NS);
}

static void on_retry(struct timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	send_back(CONTAINER_OF(timer, struct mg_ask, retry));
}

/* The core that was asked. */
static void on_arrival(struct worker *to, const struct mail *mail)
{
	struct mg_ask *ask = of_mail(mail);

	(void)to;
	ask->fn(ask);
	send_back(ask);
}

static void on_timeout(struct timer *timer, uint64_t now_ns)
{
	struct mg_ask *ask = CONTAINER_OF(timer, struct mg_ask, timeout);

	(void)now_ns;
	ask->late = true;
	if (ask->session)
		mg_session_wake(ask->session);
}

bool mg_ask_create(
	struct mg_call *call, void (*fn)(struct mg_ask *ask), uint32_t row_max, size_t row_size)
{
	struct mg_ask *ask = calloc(1, sizeof(*ask) + row_max * row_size);

	if (!ask) {
		call->out->failed = true;
		return false;
	}
	ask->m = call->m;
	ask->session = call->session;
	ask->home = call->m->config.control->index;
	ask->fn = fn;
	ask->row_max = row_max;
	ask->row_size = row_size;
	timer_init(&ask->timeout, on_timeout);
	timer_init(&ask->retry, on_retry);
	list_add_tail(&call->m->asks, &ask->link);
	call->ask = ask;
	return true;
}

enum mg_verdict mg_ask_send(struct mg_call *call, uint32_t core)
{
	struct mg_ask *ask = call->ask;
	struct manage *m = call->m;
	struct worker *control = m->config.control;
	struct mail mail = {.fn = on_arrival, .arg = {(uint64_t)(uintptr_t)ask}};

	ASSERT(!ask->away);
	ask->row_count = 0;
	ask->more = false;
	ask->worker = m->workers[core];
	ask->proxy = m->proxies[core];
	ask->tcp = m->tcps[core];
	ask->ip = m->ips[core];
	if (worker_mail(control, core, &mail) < 0)
		return MG_AGAIN;
	ask->away = true;
	timer_set(&control->timers, &ask->timeout, control->now_ns + MG_ANSWER_NS);
	return MG_WAIT;
}

void *mg_ask_row(struct mg_ask *ask)
{
	if (ask->row_count == ask->row_max)
		return NULL;
	return (char *)ask->rows + ask->row_count++ * ask->row_size;
}

void mg_ask_drop(struct mg_ask *ask)
{
	if (!ask)
		return;
	ask->session = NULL;
	if (!ask->away)
		ask_free(ask);
}

/* A new ask of the same kind in the place of one that does not come back. */
static bool ask_replace(struct mg_call *call)
{
	struct mg_ask *old = call->ask;
	bool ok = mg_ask_create(call, old->fn, old->row_max, old->row_size);

	if (ok)
		call->ask->arg = old->arg;
	else
		call->ask = NULL;
	mg_ask_drop(old);
	return ok;
}

/* at[0]: the core; at[1]: an answer is expected. */
enum mg_verdict mg_ask_all(struct mg_call *call, bool (*has)(struct manage *m, uint32_t core),
	void (*print)(struct mg_call *call, uint32_t core, const void *row))
{
	struct manage *m = call->m;
	struct mg_ask *ask = call->ask;
	uint32_t core = (uint32_t)call->at[0];
	enum mg_verdict verdict;

	if (!ask)
		return MG_DONE;
	if (call->at[1] && ask->away) {
		mg_printf(
			call->out, "Core %u (%s) does not answer.\n", core, m->workers[core]->name);
		call->at[0]++;
		call->at[1] = 0;
		return ask_replace(call) ? MG_AGAIN : MG_DONE;
	}
	if (call->at[1]) {
		for (uint32_t i = 0; i < ask->row_count; i++)
			print(call, core, (char *)ask->rows + i * ask->row_size);
		call->at[1] = 0;
		if (!ask->more) {
			call->at[0]++;
			ask->cursor = 0;
		}
		return MG_AGAIN;
	}
	while (core < m->config.core_count && !has(m, core))
		core++;
	call->at[0] = core;
	if (core == m->config.core_count)
		return MG_DONE;
	verdict = mg_ask_send(call, core);
	call->at[1] = verdict == MG_WAIT;
	return verdict;
}
