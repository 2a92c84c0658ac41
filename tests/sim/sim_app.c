/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_app.h"

static uint8_t pattern(const struct flow *flow, uint32_t direction, uint32_t off)
{
	return (uint8_t)(off * 31 + (off >> 8) * 7 + (off >> 16) + flow->number * 3 +
			 direction * 101);
}

static void over(struct app *app)
{
	app->over = true;
	app->conn = NULL;
	timer_cancel(&app->host->w[app->core]->timers, &app->timer);
}

static void check(struct app *app, const struct pkt_chain *c)
{
	uint32_t off = app->received_bytes;

	for (const struct rte_mbuf *m = c->head; m; m = m->next) {
		const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

		for (uint32_t i = 0; i < m->data_len; i++)
			if (p[i] != pattern(app->flow, !app->direction, off++))
				app->flow->wrong = true;
	}
}

/* Reads; pauses then if the plan says so, or if there was no buffer to cut with. */
static void read_some(struct app *app)
{
	struct worker *w = app->host->w[app->core];
	struct pkt_chain c = {0};

	while (!app->pausing && tcp_conn_recv_ready(app->conn) > 0) {
		uint32_t n = tcp_conn_recv(app->conn, &c, app->plan.read_bytes);
		uint64_t pause_ns = n ? app->plan.read_pause_ns : 10 * NS_PER_MS;

		check(app, &c);
		app->received_bytes += c.bytes;
		pkt_chain_free(&c);
		if (pause_ns) {
			app->pausing = true;
			timer_set(&w->timers, &app->timer, w->now_ns + pause_ns);
		}
	}
	if (tcp_conn_recv_ended(app->conn))
		app->ended = true;
}

static void write_some(struct app *app)
{
	struct pkt_pools *pools = app->host->pools[app->core];
	uint32_t left;

	while ((left = app->plan.send_bytes - app->sent_bytes) > 0) {
		uint32_t n = MIN(left, app->plan.piece_bytes), taken;
		struct pkt_chain c = {0};
		char buf[4096];

		n = MIN(n, (uint32_t)sizeof(buf));
		for (uint32_t i = 0; i < n; i++)
			buf[i] = (char)pattern(app->flow, app->direction, app->sent_bytes + i);
		n = pkt_chain_write(&c, bytes_of(buf, n), pools);
		taken = tcp_conn_send(app->conn, &c, n);
		app->sent_bytes += taken;
		pkt_chain_free(&c);
		if (taken < n)
			return;
		if (n == 0) { /* no buffer: later */
			struct worker *w = app->host->w[app->core];

			timer_set(&w->timers, &app->timer, w->now_ns + 20 * NS_PER_MS);
			return;
		}
	}
}

static bool break_off(struct app *app)
{
	uint32_t done_bytes = app->sent_bytes + app->received_bytes;

	if (done_bytes >= app->plan.abort_at_bytes)
		tcp_conn_abort(app->conn);
	else if (done_bytes >= app->plan.close_at_bytes)
		tcp_conn_close(app->conn);
	else
		return false;
	app->broke_off = true;
	over(app);
	return true;
}

static void step(struct app *app)
{
	if (app->over || !app->opened)
		return;
	read_some(app);
	if (!app->shut)
		write_some(app);
	if (break_off(app))
		return;
	if (!app->shut && app->sent_bytes == app->plan.send_bytes &&
		(!app->plan.shut_late || app->ended)) {
		app->shut = true;
		tcp_conn_shut(app->conn);
	}
	if (app->shut && app->ended) {
		tcp_conn_close(app->conn);
		over(app);
	}
}

static void on_timer(struct timer *timer, uint64_t now_ns)
{
	struct app *app = CONTAINER_OF(timer, struct app, timer);

	(void)now_ns;
	app->pausing = false;
	step(app);
}

static void on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct app *app = user;

	if (events & TCP_EVENT_FAILED) {
		app->failure = tcp_conn_failure(conn);
		tcp_conn_close(conn);
		over(app);
		return;
	}
	if (events & TCP_EVENT_CONNECTED) {
		app->opened = true;
		tcp_conn_set_keepalive(conn, true);
	}
	step(app);
}

static bool on_accept(void *user, struct tcp_conn *conn)
{
	const struct flows *flows = user;
	uint16_t port = tcp_conn_remote(conn).port;

	for (uint32_t i = 0; i < flows->count; i++) {
		struct flow *flow = &flows->flow[i];
		struct app *app = &flow->server;

		if (flow->client_host == flows->host || flow->client_port != port || app->opened)
			continue;
		while (app->host->tcp[app->core] != tcp_conn_tcp(conn))
			app->core++;
		app->conn = conn;
		app->opened = true;
		timer_init(&app->timer, on_timer);
		tcp_conn_set_user(conn, app);
		tcp_conn_set_keepalive(conn, true);
		step(app);
		return true;
	}
	return false;
}

const struct tcp_owner_ops app_listen_ops = {.on_accept = on_accept, .on_event = on_event};

void app_connect(struct flow *flow, struct host *from, uint32_t core, struct host *to)
{
	struct app *app = &flow->client;
	struct tcp_connect_config config = {
		.options = from->options,
		.local = {from->any, flow->client_port},
		.remote = {to->addr, APP_PORT},
		.ops = &app_listen_ops,
		.user = app,
	};

	flow->started = true;
	app->core = core;
	timer_init(&app->timer, on_timer);
	app->conn = tcp_connect(from->tcp[core], &config, &app->failure);
	if (app->conn)
		flow->client_port = tcp_conn_local(app->conn).port;
	else
		app->over = true;
}
