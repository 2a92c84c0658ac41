/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_transfer.h"

void transfers_init(struct transfers *t, struct pair *pair)
{
	*t = (struct transfers){.pair = pair};
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct host *h = &pair->host[i];

		t->flows[i] = (struct flows){0, t->flow, i};
		for (uint32_t core = 0; core < h->cores; core++) {
			struct tcp_listen_config listen = {
				.options = h->options,
				.local = {ip_addr_from_v4(0), APP_PORT},
				.ops = &app_listen_ops,
				.user = &t->flows[i],
			};

			ASSERT(tcp_listen(h->tcp[core], &listen, NULL) != NULL);
		}
	}
}

struct app_plan transfer_plan(uint32_t send_bytes)
{
	return (struct app_plan){
		.send_bytes = send_bytes,
		.piece_bytes = 4096,
		.read_bytes = UINT32_MAX,
		.abort_at_bytes = UINT32_MAX,
		.close_at_bytes = UINT32_MAX,
	};
}

struct flow *transfer_start(struct transfers *t, uint32_t from, uint16_t port,
	const struct app_plan *client, const struct app_plan *server)
{
	struct flow *f = &t->flow[t->count];
	struct host *hosts = t->pair->host;

	ASSERT(t->count < TRANSFERS_MAX);
	*f = (struct flow){.number = t->count, .client_host = from, .client_port = port};
	f->client = (struct app){.flow = f, .host = &hosts[from], .plan = *client};
	f->server = (struct app){.flow = f, .host = &hosts[!from], .direction = 1, .plan = *server};
	t->count++;
	for (uint32_t i = 0; i < HOSTS; i++)
		t->flows[i].count = t->count;
	app_connect(f, &hosts[from], 0, &hosts[!from]);
	return f;
}

bool transfers_are_over(const struct transfers *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (!t->flow[i].client.over ||
			(t->flow[i].server.opened && !t->flow[i].server.over))
			return false;
	return pair_is_empty(t->pair);
}

const char *transfers_run(struct transfers *t, uint64_t limit_ns)
{
	const char *problem = NULL;

	while (!problem && !transfers_are_over(t) && t->pair->clock.now_ns < limit_ns)
		problem = pair_step(t->pair, limit_ns);
	return problem;
}

static const char *judge(const struct app *me, const struct app *peer)
{
	if (me->failure != TCP_FAILURE_NONE)
		return tcp_failure_name(me->failure);
	if (!me->over)
		return "it does not end";
	return me->received_bytes == peer->plan.send_bytes ? NULL : "bytes are missing";
}

const char *transfers_judge(const struct transfers *t)
{
	const char *problem = NULL;

	for (uint32_t i = 0; i < t->count && !problem; i++) {
		const struct flow *f = &t->flow[i];

		problem = f->wrong ? "a wrong byte" : judge(&f->client, &f->server);
		if (!problem)
			problem = judge(&f->server, &f->client);
	}
	return problem;
}

uint64_t transfers_received(const struct transfers *t, uint32_t host)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		const struct flow *f = &t->flow[i];

		sum += (f->client_host == host ? &f->client : &f->server)->received_bytes;
	}
	return sum;
}
