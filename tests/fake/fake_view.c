/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "fake_view.h"

void proxy_view_figures(struct proxy_view *view, enum proxy_object kind, uint32_t index,
	uint64_t now_ns, struct proxy_figures *out)
{
	(void)view;
	(void)now_ns;
	for (uint32_t i = 0; i < PROXY_STAT_COUNT; i++)
		out->v[i] = 1000 * (kind + 1) + 100 * index + i;
	if (index == 1)
		out->v[PROXY_STAT_LASTSESS] = PROXY_LAST_NEVER;
}

void proxy_view_totals(struct proxy_view *view, uint64_t now_ns, struct proxy_totals *out)
{
	(void)view;
	(void)now_ns;
	*out = (struct proxy_totals){.maxconn = 100,
		.conns = 7,
		.conns_tot = 70,
		.requests_tot = 700,
		.bytes_out_tot = UINT64_C(1) << 40,
		.listeners = 3};
}

void proxy_view_server(const struct proxy_view *view, uint32_t server, uint64_t now_ns,
	struct proxy_server_info *out)
{
	(void)now_ns;
	*out = (struct proxy_server_info){.status = PROXY_SERVER_NO_CHECK,
		.status_text = "no check",
		.weight = 1,
		.weight_user = 1,
		.changed_s = 5};
	if (view && server == 1) {
		out->status = PROXY_SERVER_MAINT;
		out->status_text = "MAINT";
		out->weight = 0;
	}
}

void proxy_view_backend(const struct proxy_view *view, uint32_t proxy, uint64_t now_ns,
	struct proxy_backend_info *out)
{
	(void)view;
	(void)proxy;
	(void)now_ns;
	*out = (struct proxy_backend_info){
		.up = true, .weight = 10, .weight_user = 10, .active = 1, .changed_s = 6};
}

enum proxy_frontend_status proxy_view_frontend(const struct proxy_view *view, uint32_t proxy)
{
	(void)view;
	return proxy == 0 ? PROXY_FRONTEND_OPEN : PROXY_FRONTEND_FULL;
}

uint32_t proxy_view_limit(const struct proxy_view *view, enum proxy_object kind, uint32_t index)
{
	(void)view;
	return kind == PROXY_OBJECT_SERVER ? (index == 1 ? 10 : 0) : 100;
}

/* Cores are told apart by their pointer: struct proxy and the others are numbers here. */
bool proxy_session_each(struct proxy *p, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct proxy_session_info *info), void *ctx)
{
	struct fake_core *core = (struct fake_core *)p;
	uint32_t end = MIN(*cursor + max, core->sessions);

	for (; *cursor < end; ++*cursor) {
		struct proxy_session_info info = {.id = *cursor + 1,
			.mode = MODEL_MODE_HTTP,
			.client = {ip_addr_from_v4(0x0a090001), (uint16_t)(10000 + *cursor)},
			.local = {ip_addr_from_v4(0x0a090002), 80},
			.frontend = 0,
			.backend = *cursor % 2 ? 1 : MODEL_NONE,
			.server = *cursor % 2 ? 0 : MODEL_NONE,
			.age_ns = 65 * NS_PER_SEC,
			.idle_ns = NS_PER_SEC,
			.expire_in_ns = UINT64_MAX,
			.bytes_in = 81,
			.bytes_out = 217,
			.requests = 2,
			.state = "data"};

		fn(ctx, &info);
	}
	return *cursor < core->sessions;
}

bool tcp_conn_each(struct tcp *tcp, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct tcp_conn_info *info), void *ctx)
{
	struct fake_core *core = (struct fake_core *)tcp;
	uint32_t end = MIN(*cursor + max, core->conns);

	for (; *cursor < end; ++*cursor) {
		struct tcp_conn_info info = {.state = *cursor % 3 ? TCP_ESTABLISHED : TCP_TIME_WAIT,
			.local = {ip_addr_from_v4(0x0a090002), 80},
			.remote = {ip_addr_from_v4(0x0a090001), (uint16_t)(10000 + *cursor)},
			.mss = 1460};

		fn(ctx, &info);
	}
	return *cursor < core->conns;
}

bool tcp_listener_each(struct tcp *tcp, uint32_t *cursor, uint32_t max,
	void (*fn)(void *ctx, const struct tcp_listener_info *info), void *ctx)
{
	struct fake_core *core = (struct fake_core *)tcp;
	uint32_t end = MIN(*cursor + max, core->listeners);

	for (; *cursor < end; ++*cursor) {
		struct tcp_listener_info info = {
			.local = {ip_addr_from_v4(0x0a090002), (uint16_t)(80 + *cursor)},
			.waiting = 3,
			.backlog = 1024,
			.half_open = 5,
			.half_open_max = 4096,
			.fast_open = 1,
			.cookies_sent = 7,
			.cookies = true,
			.paused = *cursor == 0};

		fn(ctx, &info);
	}
	return *cursor < core->listeners;
}

const char *tcp_state_name(enum tcp_state state)
{
	static const char *const names[] = {"CLOSED", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
		"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"};

	return names[state];
}

void ip_neighbour_each(
	struct ip_stack *ip, bool (*fn)(void *ctx, const struct ip_neighbour_info *n), void *ctx)
{
	struct ip_neighbour_info info = {.addr = ip_addr_from_v4(0x0a090001),
		.mac = {{2, 0, 0, 0, 0, 9}},
		.state = IP_NEIGHBOUR_REACHABLE,
		.age_ns = 3 * NS_PER_SEC};

	(void)ip;
	fn(ctx, &info);
}

void ip_route_each(
	const struct ip_stack *ip, bool (*fn)(void *ctx, const struct ip_route_info *r), void *ctx)
{
	struct ip_route_info routes[] = {
		{.prefix = {ip_addr_from_v4(0x0a090002), 32},
			.gateway = ip_addr_from_v4(0),
			.local = true},
		{.prefix = {ip_addr_from_v4(0x0a090002), 24}, .gateway = ip_addr_from_v4(0)},
		{.prefix = {ip_addr_from_v4(0), 0}, .gateway = ip_addr_from_v4(0x0a090001)},
	};

	(void)ip;
	for (uint32_t i = 0; i < ARRAY_LEN(routes) && fn(ctx, &routes[i]); i++)
		;
}

int ip_route_set_enabled(struct ip_stack *ip, const struct ip_route_config *route, bool enabled)
{
	(void)ip;
	(void)enabled;
	return ip_addr_is_any(&route->gateway) ? -ENOENT : 0;
}

int ip_address_set_enabled(struct ip_stack *ip, const struct ip_addr *addr, bool enabled)
{
	(void)ip;
	(void)enabled;
	return ip_addr_to_v4(addr) == 0x0a090002 ? 0 : -ENOENT;
}

const struct ip_config *ip_stack_config_of(const struct ip_stack *ip)
{
	static const struct ip_iface_config ifaces[] = {{.name = "lan0"}};
	static const struct ip_config config = {.iface_count = 1, .ifaces = ifaces};

	(void)ip;
	return &config;
}
