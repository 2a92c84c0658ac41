/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The struct tcp of a core: creation, the two pollers, the active list.
 *
 * A connection with news is on the active list once (TCP_F_ACTIVE). READY goes over it and tells
 * owners; TX goes over it, sends, takes each off, and frees what is over. A connection that is over
 * but has an owner waits on the detached list. Nothing else frees connections, so no callback and
 * no step of input ever sees one vanish.
 */
#include "tcp_pvt.h"

#define READY_BUDGET 1024
#define TX_BUDGET    1024

static const struct stat_row stat_rows[] = {
#define STAT STAT_ROW
#include "tcp_stat.def"
#undef STAT
};

static const char *const state_names[TCP_STATE_COUNT] = {
	[TCP_CLOSED] = "CLOSED",
	[TCP_SYN_SENT] = "SYN-SENT",
	[TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT_2] = "FIN-WAIT-2",
	[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCP_CLOSING] = "CLOSING",
	[TCP_LAST_ACK] = "LAST-ACK",
	[TCP_TIME_WAIT] = "TIME-WAIT",
};

static const char *const failure_names[TCP_FAILURE_COUNT] = {
	[TCP_FAILURE_NONE] = "none",
	[TCP_FAILURE_REFUSED] = "refused",
	[TCP_FAILURE_RESET] = "reset",
	[TCP_FAILURE_TIMEOUT] = "timeout",
	[TCP_FAILURE_UNREACHABLE] = "unreachable",
	[TCP_FAILURE_NO_MEMORY] = "no memory",
};

const char *tcp_state_name(enum tcp_state state)
{
	return state_names[state];
}

const char *tcp_failure_name(enum tcp_failure failure)
{
	return failure_names[failure];
}

bool tcp_bucket_take(struct tcp *tcp, struct tcp_bucket *b, uint32_t per_sec)
{
	uint32_t now_ms = tcp_now_ms(tcp);

	if (now_ms - b->window_ms >= TCP_BUCKET_MS || b->window_ms == 0) {
		uint32_t most = per_sec * TCP_BUCKET_MS / 1000;

		b->window_ms = now_ms;
		b->left = most / 2 + rand_below(&tcp->worker->rand, most / 2 + 1);
	}
	if (b->left == 0)
		return false;
	b->left--;
	return true;
}

void tcp_conn_schedule(struct tcp_conn *c)
{
	if (c->flags & TCP_F_ACTIVE)
		return;
	c->flags |= TCP_F_ACTIVE;
	list_del(&c->link); /* it may be on the detached list */
	list_add_tail(&c->tcp->active, &c->link);
}

/* Sizes as they can be; 0 stays "as configured". */
static struct tcp_options options_checked(const struct tcp *tcp, const struct tcp_options *options)
{
	struct tcp_options o = *options;

	if (o.recv_buffer_bytes)
		o.recv_buffer_bytes = MIN(MAX(o.recv_buffer_bytes, TCP_BUFFER_BYTES_MIN),
			(uint32_t)UINT16_MAX << tcp->rcv_shift);
	if (o.send_buffer_bytes)
		o.send_buffer_bytes =
			MIN(MAX(o.send_buffer_bytes, TCP_BUFFER_BYTES_MIN), TCP_BUFFER_BYTES_MAX);
	return o;
}

int tcp_options_add(struct tcp *tcp, const struct tcp_options *options, struct error *err)
{
	struct tcp_options o = options_checked(tcp, options);

	for (uint32_t i = 0; i < tcp->options_count; i++)
		if (memcmp(&tcp->options[i], &o, sizeof(o)) == 0)
			return (int)i;
	if (tcp->options_count == TCP_OPTIONS_MAX)
		return error_set(err, -ENOSPC, "no more than %d different options of connections",
			TCP_OPTIONS_MAX);
	tcp->options[tcp->options_count] = o;
	return (int)tcp->options_count++;
}

/* --- pollers ----------------------------------------------------------------------- */

/* Owners may schedule other connections from inside: those come at the end, without events. */
static uint32_t poll_ready(struct worker *w, void *ctx, uint32_t budget)
{
	struct tcp *tcp = ctx;
	uint32_t done;

	(void)w;
	tcp_memory_poll(tcp);
	done = tcp_listen_poll(tcp, budget);
	list_for_each (link, &tcp->active) {
		struct tcp_conn *c = list_entry(link, struct tcp_conn, link);
		uint8_t events = c->events;

		if (!events || !(c->flags & TCP_F_OWNED))
			continue;
		if (done++ >= budget)
			break;
		c->events = 0;
		c->ops->on_event(c, c->user, events);
	}
	return MIN(done, budget);
}

static void finish_turn(struct tcp *tcp, struct tcp_conn *c)
{
	if (tcp_is_open(c))
		return;
	if (c->flags & TCP_F_OWNED)
		list_add_tail(&tcp->detached, &c->link);
	else
		tcp_conn_free(c);
}

static uint32_t poll_tx(struct worker *w, void *ctx, uint32_t budget)
{
	struct tcp *tcp = ctx;
	struct list again;
	uint32_t done = 0;

	(void)w;
	list_init(&again);
	while (done < budget && !list_is_empty(&tcp->active)) {
		struct tcp_conn *c = list_first(&tcp->active, struct tcp_conn, link);

		list_del(&c->link);
		if (c->events && c->flags & TCP_F_OWNED) { /* READY ran out of budget */
			tcp_output(c);
			list_add_tail(&again, &c->link);
			done++;
			continue;
		}
		c->flags &= ~(uint32_t)TCP_F_ACTIVE;
		tcp_output(c);
		done++;
		if (c->flags & TCP_F_ACTIVE) { /* more next turn */
			list_del(&c->link);
			list_add_tail(&again, &c->link);
		} else {
			finish_turn(tcp, c);
		}
	}
	list_splice_tail(&tcp->active, &again);
	(void)tcp_cookies_update(tcp);
	return done + tcp_replies_send(tcp);
}

/* --- life -------------------------------------------------------------------------- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static uint32_t buffer_bytes(uint32_t value)
{
	return MIN(MAX(or_default(value, TCP_BUFFER_BYTES), TCP_BUFFER_BYTES_MIN),
		TCP_BUFFER_BYTES_MAX);
}

static void config_fill(struct tcp *tcp)
{
	struct tcp_config *config = &tcp->config;

	config->recv_buffer_bytes = buffer_bytes(config->recv_buffer_bytes);
	config->send_buffer_bytes = buffer_bytes(config->send_buffer_bytes);
	config->recv_buffer_max_bytes =
		MIN(MAX(config->recv_buffer_max_bytes, config->recv_buffer_bytes),
			TCP_BUFFER_BYTES_MAX);
	config->send_buffer_max_bytes =
		MIN(MAX(config->send_buffer_max_bytes, config->send_buffer_bytes),
			TCP_BUFFER_BYTES_MAX);
	config->keepalive_idle_ms = or_default(config->keepalive_idle_ms, 7200000);
	config->keepalive_interval_ms = or_default(config->keepalive_interval_ms, 75000);
	config->keepalive_probes = MIN(or_default(config->keepalive_probes, 9), UINT8_MAX - 1u);
	config->time_wait_ms = or_default(config->time_wait_ms, 60000);
	config->fin_wait_2_ms = or_default(config->fin_wait_2_ms, 60000);
	config->retries_syn = MIN(or_default(config->retries_syn, 6), UINT8_MAX - 1u);
	config->retries_data = MIN(or_default(config->retries_data, 15), UINT8_MAX - 1u);
	if (config->cc == TCP_CC_DEFAULT)
		config->cc = TCP_CC_CUBIC;
	if (config->ecn == TCP_ECN_DEFAULT)
		config->ecn = TCP_ECN_PASSIVE;
	if (config->port_min == 0)
		config->port_min = 1024;
	if (config->port_max == 0)
		config->port_max = 64511;
	while ((config->recv_buffer_max_bytes >> tcp->rcv_shift) > UINT16_MAX)
		tcp->rcv_shift++;
}

static int pools_init(struct tcp *tcp, struct error *err)
{
	const struct tcp_config *config = &tcp->config;
	/* Few connections lose something at the same time; without one SACK and early segments wait
	 * for better times, nothing breaks. */
	uint32_t recoveries = MAX(config->conns_max / 4, MIN(config->conns_max, 64u));
	int rc = mem_pool_init(&tcp->conns, "tcp connections", sizeof(struct tcp_conn),
		CACHE_LINE_BYTES, config->conns_max, err);

	if (rc == 0)
		rc = mem_pool_init(&tcp->recoveries, "tcp recoveries", sizeof(struct tcp_recovery),
			CACHE_LINE_BYTES, recoveries, err);
	if (rc == 0)
		rc = mem_pool_init(&tcp->flights, "tcp flights", sizeof(struct tcp_flight),
			CACHE_LINE_BYTES, config->conns_max, err);
	if (rc == 0) /* few need so many at the same time; without them neighbours are joined */
		rc = mem_pool_init(&tcp->runs, "tcp runs", TCP_RUNS_LARGE * sizeof(struct tcp_run),
			CACHE_LINE_BYTES, MAX(config->conns_max / 16, MIN(config->conns_max, 64u)),
			err);
	if (rc == 0)
		rc = mem_pool_init(&tcp->tws, "tcp time-wait", sizeof(struct tcp_tw),
			CACHE_LINE_BYTES, MAX(config->time_wait_max, 1u), err);
	if (rc == 0)
		rc = mem_pool_init(&tcp->listeners, "tcp listeners", sizeof(struct tcp_listener), 8,
			MAX(config->listeners_max, 1u), err);
	if (rc == 0)
		rc = tcp_table_init(
			&tcp->table, config->conns_max + config->time_wait_max + 1, err);
	return rc;
}

static void show(struct tcp *tcp)
{
	worker_pool_add(tcp->worker, &tcp->conns);
	worker_pool_add(tcp->worker, &tcp->recoveries);
	worker_pool_add(tcp->worker, &tcp->flights);
	worker_pool_add(tcp->worker, &tcp->runs);
	worker_pool_add(tcp->worker, &tcp->tws);
	worker_pool_add(tcp->worker, &tcp->listeners);
	stat_group_init(&tcp->group, "tcp", stat_rows, TCP_STAT_COUNT, tcp->stats);
	worker_group_add(tcp->worker, &tcp->group);
	ip_proto_set(tcp->ip, WIRE_PROTO_TCP, tcp_input, tcp_icmp_error, tcp);
}

struct tcp *tcp_create(struct worker *worker, struct ip_stack *ip, const struct steer *steer,
	struct pkt_pools *pools, const struct tcp_config *config, struct error *err)
{
	struct mem_region region;
	struct tcp *tcp;
	int rc;

	if (mem_region_alloc(&region, sizeof(*tcp), "tcp", err))
		return NULL;
	tcp = region.base;
	tcp->region = region;
	tcp->worker = worker;
	tcp->ip = ip;
	tcp->steer = steer;
	tcp->pools = pools;
	tcp->config = *config;
	tcp->start_ns = worker->now_ns;
	tcp->port_next = rand_u32(&worker->rand);
	tcp->tw_head = tcp->tw_tail = TCP_TW_NONE;
	tcp->options_count = 1; /* the default */
	config_fill(tcp);
	list_init(&tcp->active);
	list_init(&tcp->detached);
	list_init(&tcp->accepting);
	for (uint32_t i = 0; i < TCP_LISTEN_BUCKETS; i++)
		list_init(&tcp->buckets[i]);
	timer_init(&tcp->tw_timer, tcp_tw_timer_fn);
	list_init(&tcp->group.link);
	rc = pools_init(tcp, err);
	if (rc == 0)
		rc = worker_poller_add(
			worker, WORKER_PHASE_READY, "tcp ready", poll_ready, tcp, READY_BUDGET);
	if (rc == 0)
		rc = worker_poller_add(worker, WORKER_PHASE_TX, "tcp tx", poll_tx, tcp, TX_BUDGET);
	if (rc) {
		error_set(err, rc, "tcp: no room for its pollers");
		tcp_destroy(tcp);
		return NULL;
	}
	show(tcp);
	return tcp;
}

/* Everything goes to the active list, where freeing is simple. */
static void detach_all(struct tcp *tcp)
{
	for (uint32_t i = 0; i <= tcp->table.mask;) {
		struct tcp_conn *c = tcp_ref_conn(tcp, tcp->table.slots[i].ref);
		struct tcp_tw *tw = tcp_ref_tw(tcp, tcp->table.slots[i].ref);

		if (c)
			tcp_conn_detach(c, TCP_CLOSED);
		else if (tw)
			tcp_tw_remove(tcp, tw);
		else
			i++; /* removing may have put another one here */
	}
	list_splice_tail(&tcp->active, &tcp->detached);
}

void tcp_destroy(struct tcp *tcp)
{
	struct mem_region region;
	uint32_t leaked;

	if (!tcp)
		return;
	if (tcp->table.slots)
		detach_all(tcp);
	while (!list_is_empty(&tcp->active))
		tcp_conn_free(list_first(&tcp->active, struct tcp_conn, link));
	for (uint32_t i = 0; i < TCP_LISTEN_BUCKETS; i++)
		while (!list_is_empty(&tcp->buckets[i]))
			tcp_listener_close(list_first(&tcp->buckets[i], struct tcp_listener, link));
	timer_cancel(&tcp->worker->timers, &tcp->tw_timer);
	list_del(&tcp->group.link);
	tcp_table_fini(&tcp->table);
	leaked = mem_pool_fini(&tcp->listeners) + mem_pool_fini(&tcp->tws) +
		 mem_pool_fini(&tcp->runs) + mem_pool_fini(&tcp->flights) +
		 mem_pool_fini(&tcp->recoveries) + mem_pool_fini(&tcp->conns);
	ASSERT(leaked == 0);
	region = tcp->region;
	mem_region_free(&region);
}

void tcp_abort_all(struct tcp *tcp)
{
	for (uint32_t i = 0; i <= tcp->table.mask;) {
		struct tcp_conn *c = tcp_ref_conn(tcp, tcp->table.slots[i].ref);

		if (c)
			tcp_conn_reset(c, TCP_FAILURE_RESET);
		else
			i++;
	}
}

/* --- for the operator -------------------------------------------------------------- */

bool tcp_conn_each(struct tcp *tcp, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct tcp_conn_info *info), void *ctx)
{
	for (uint32_t i = 0; i < max && *cursor <= tcp->table.mask; i++, ++*cursor) {
		uint32_t ref = tcp->table.slots[*cursor].ref;
		struct tcp_conn *c = tcp_ref_conn(tcp, ref);
		struct tcp_tw *tw = tcp_ref_tw(tcp, ref);
		struct tcp_conn_info info = {.state = TCP_TIME_WAIT, .cc = "-"};

		if (c) {
			tcp_conn_info(c, &info);
		} else if (tw) {
			info.local = (struct endpoint){tw->tuple.local, tw->tuple.local_port};
			info.remote = (struct endpoint){tw->tuple.remote, tw->tuple.remote_port};
			info.age_ns =
				(tcp->config.time_wait_ms - (tw->expire_ms - tcp_now_ms(tcp))) *
				NS_PER_MS;
		} else {
			continue;
		}
		fn(ctx, &info);
	}
	return *cursor <= tcp->table.mask;
}

void tcp_count_states(const struct tcp *tcp, uint32_t counts[TCP_STATE_COUNT])
{
	memset(counts, 0, TCP_STATE_COUNT * sizeof(counts[0]));
	for (uint32_t i = 0; i <= tcp->table.mask; i++) {
		const struct tcp_conn *c = tcp_ref_conn(tcp, tcp->table.slots[i].ref);

		if (c)
			counts[c->state]++;
	}
	counts[TCP_TIME_WAIT] = tcp->tws.count_used;
}
