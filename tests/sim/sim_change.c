/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network changes while transfers run both ways between two machines.
 *
 *     sim_change route_change_under_traffic|address_change_under_traffic|
 *         neighbour_goes_away_and_comes_back
 *
 * Machine 0 is 10.0.0.1. Machine 1 is 10.0.0.2 and 10.0.0.3, by either of which it is the gateway
 * to 192.0.2.2 and 192.0.2.3, which are its own as well. Machine 0 opens.
 */
#include <stdio.h>

#include "fake_frame.h"
#include "sim_main.h"
#include "sim_transfer.h"

#define FLOWS       4
#define FLOW_BYTES  3000000u /* each way: 9 s and more of the line */
#define AGAIN_BYTES 700000u  /* more than what is under way */

static const struct ip_address_config addresses_0[] = {{.prefix = {FAKE_V4(10, 0, 0, 1), 24}}};
static const struct ip_address_config addresses_1[] = {
	{.prefix = {FAKE_V4(192, 0, 2, 2), 32}, .service = true},
	{.prefix = {FAKE_V4(192, 0, 2, 3), 32}, .service = true},
	{.prefix = {FAKE_V4(10, 0, 0, 2), 24}},
	{.prefix = {FAKE_V4(10, 0, 0, 3), 24}},
};
static const struct ip_route_config routes_0[] = {
	{.prefix = {FAKE_V4(192, 0, 2, 0), 24}, .gateway = FAKE_V4(10, 0, 0, 2)},
	{.prefix = {FAKE_V4(192, 0, 2, 0), 24}, .gateway = FAKE_V4(10, 0, 0, 3)},
};
static const struct ip_config nets[HOSTS] = {
	{.address_count = 1, .addresses = addresses_0, .route_count = 2, .routes = routes_0},
	{.address_count = 4, .addresses = addresses_1},
};

static struct pair pair;
static struct transfers transfers;

static const char *run_for(uint64_t ns)
{
	return transfers_run(&transfers, pair.clock.now_ns + ns);
}

/* By machine 1: what changes is the way to it. */
static uint64_t received(void)
{
	return transfers_received(&transfers, 1);
}

static const char *end_well(void)
{
	const char *problem = run_for(300 * NS_PER_SEC);

	return problem ? problem : transfers_judge(&transfers);
}

/* Bytes must arrive again within so much time. */
static const char *resumes_within(uint64_t ns)
{
	uint64_t before = received(), limit_ns = pair.clock.now_ns + ns;
	uint64_t least = before + AGAIN_BYTES;
	const char *problem = NULL;

	while (!problem && received() < least && pair.clock.now_ns < limit_ns)
		problem = pair_step(&pair, limit_ns);
	return problem || received() >= least ? problem : "it does not go on";
}

/* --- route_change_under_traffic ---------------------------------------------------- */

static void use_route(uint32_t number, bool on)
{
	ASSERT(ip_route_set_enabled(pair.host[0].ip[0], &routes_0[number], on) == 0);
}

/* The way by the other gateway is longer. */
static void longer(uint64_t delay_ns)
{
	sim_link_line(pair.link, pair.host[0].port)->config.delay_ns = delay_ns;
}

struct gateway_state {
	struct ip_addr addr;
	enum ip_neighbour_state state;
};

static bool find_gateway(void *ctx, const struct ip_neighbour_info *n)
{
	struct gateway_state *g = ctx;

	if (ip_addr_eq(&n->addr, &g->addr))
		g->state = n->state;
	return true;
}

static bool is_reachable(uint32_t route)
{
	struct gateway_state g = {routes_0[route].gateway, IP_NEIGHBOUR_FAILED};

	ip_neighbour_each(pair.host[0].ip[0], find_gateway, &g);
	return g.state == IP_NEIGHBOUR_REACHABLE;
}

static const char *route_change_under_traffic(void)
{
	const struct host *h = &pair.host[0];
	const char *problem = resumes_within(2 * NS_PER_SEC);
	uint64_t lost;

	if (!problem && (!is_reachable(0) || is_reachable(1)))
		problem = "it goes by another gateway";
	use_route(0, false);
	longer(40 * NS_PER_MS);
	if (!problem)
		problem = resumes_within(2 * NS_PER_SEC);
	if (!problem && !is_reachable(1))
		problem = "the other gateway was not used";
	if (!problem && host_ip_stat(h, IP_STAT_TX_NO_ROUTE))
		problem = "there was no route for a moment";
	/* None for a while: that is loss, nothing else. */
	use_route(1, false);
	if (!problem)
		problem = run_for(3 * NS_PER_SEC);
	lost = host_ip_stat(h, IP_STAT_TX_NO_ROUTE);
	if (!problem && lost == 0)
		problem = "what had no route was not counted";
	use_route(1, true);
	if (!problem)
		problem = resumes_within(5 * NS_PER_SEC);
	use_route(0, true);
	longer(5 * NS_PER_MS);
	if (!problem)
		problem = end_well();
	if (!problem && host_ip_stat(h, IP_STAT_TX_NO_ROUTE) != lost)
		problem = "there was no route later";
	return problem;
}

/* --- address_change_under_traffic -------------------------------------------------- */

#define GONE 1 /* which of addresses_1 goes: transfer 0 has it */

static void use_address(bool on)
{
	ASSERT(ip_address_set_enabled(pair.host[1].ip[0], &addresses_1[GONE].prefix.addr, on) == 0);
}

static struct flow *start(uint32_t address)
{
	struct app_plan plan = transfer_plan(FLOW_BYTES);

	pair.host[1].addr = addresses_1[address].prefix.addr;
	return transfer_start(&transfers, 0, 0, &plan, &plan);
}

/* Ours fails when it sends; the peer's when nobody answers. */
static const char *judge_gone(const struct flow *f)
{
	if (f->server.failure != TCP_FAILURE_UNREACHABLE)
		return "the connection did not fail";
	if (f->client.failure != TCP_FAILURE_TIMEOUT)
		return "the peer has not given up";
	if (f->wrong)
		return "a wrong byte";
	if (host_stat(&pair.host[1], TCP_STAT_ADDRESS_GONE) != 1)
		return "it was not counted";
	return host_ip_stat(&pair.host[1], IP_STAT_RX_NOT_OURS) ? NULL
								: "its address is still ours";
}

static const char *address_change_under_traffic(void)
{
	struct flow *f = start(GONE);
	const char *problem = run_for(NS_PER_SEC);

	use_address(false);
	if (!problem)
		problem = run_for(3600 * NS_PER_SEC);
	if (!problem)
		problem = judge_gone(f);
	/* The others never noticed; and who comes when it is back is served. */
	*f = transfers.flow[--transfers.count];
	if (!problem)
		problem = transfers_judge(&transfers);
	use_address(true);
	transfers.count = 0;
	(void)start(GONE);
	return problem ? problem : end_well();
}

/* --- neighbour_goes_away_and_comes_back -------------------------------------------- */

static void new_mac(uint8_t b)
{
	pair.host[1].port->mac.b[4] = b;
}

/* Whoever asks first, for the question tells the new MAC as well. */
static uint64_t doubted(void)
{
	return host_ip_stat(&pair.host[0], IP_STAT_NEIGHBOUR_DOUBTED) +
	       host_ip_stat(&pair.host[1], IP_STAT_NEIGHBOUR_DOUBTED);
}

static const char *neighbour_goes_away_and_comes_back(void)
{
	const struct host *h = &pair.host[0];
	const char *problem = run_for(1500 * NS_PER_MS);
	uint64_t before = doubted();

	/* Another machine has its address, and says so. */
	new_mac(7);
	ip_announce(pair.host[1].ip[0]);
	if (!problem)
		problem = resumes_within(5 * NS_PER_SEC);
	if (!problem && doubted() != before)
		problem = "it was doubted without need";
	/* Now it does not: TCP notices, and everybody is asked. */
	if (!problem)
		problem = run_for(1500 * NS_PER_MS);
	new_mac(8);
	if (!problem)
		problem = resumes_within(10 * NS_PER_SEC);
	if (!problem && doubted() == before)
		problem = "it was not doubted";
	/* It is gone for longer than it is remembered. */
	sim_link_set_up(pair.link, false);
	if (!problem)
		problem = run_for(45 * NS_PER_SEC);
	if (!problem && host_ip_stat(h, IP_STAT_TX_NEIGHBOUR_FAILED) == 0)
		problem = "nobody missed it";
	sim_link_set_up(pair.link, true);
	return problem ? problem : end_well();
}

/* --- all of them ------------------------------------------------------------------- */

static const struct sim_case cases[] = {
	{"route_change_under_traffic", route_change_under_traffic},
	{"address_change_under_traffic", address_change_under_traffic},
	{"neighbour_goes_away_and_comes_back", neighbour_goes_away_and_comes_back},
};

static const char *run(sim_case_fn fn)
{
	const char *problem, *leak;

	for (uint32_t i = 0; i < HOSTS; i++) {
		pair.config[i] = (struct host_config){
			.cores = 1,
			.seed = i,
			.net = &nets[i],
			.tcp = {.conns_max = 32,
				.time_wait_max = 32,
				.half_open_max = 32,
				.listeners_max = 1,
				.retries_data = 10,
				.secret = {i, 1}},
		};
		pair.line[i] = (struct impair_config){
			.delay_ns = 5 * NS_PER_MS,
			.loss_ppm = 500,
			.rate_bits_per_s = UINT64_C(10000000),
		};
	}
	pair_init(&pair, 1, NS_PER_SEC);
	transfers_init(&transfers, &pair);
	for (uint32_t i = 0; i < FLOWS; i++)
		(void)start(0);
	problem = fn();
	if (problem)
		printf("at %.3f s, %llu bytes: ", (double)(pair.clock.now_ns - pair.start_ns) / 1e9,
			(unsigned long long)received());
	for (uint32_t i = 0; i < HOSTS; i++)
		tcp_abort_all(pair.host[i].tcp[0]);
	leak = pair_fini(&pair);
	return problem ? problem : leak;
}

int main(int argc, char **argv)
{
	return sim_cases_main(argc, argv, cases, ARRAY_LEN(cases), run);
}
