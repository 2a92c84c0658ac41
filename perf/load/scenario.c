/* SPDX-License-Identifier: BSD-3-Clause */
/* The scenarios, a row each. */
#include "http.h"
#include "stream.h"

static const uint32_t small[] = {128};
static const uint32_t megabyte[] = {LOAD_OBJECT_MAX};

/* Sizes at the middle of each of twenty equal shares of the objects on the web as SURGE models them
 * (Barford and Crovella, SIGMETRICS 1998: a lognormal body, mu 9.357, sigma 1.318, and a Pareto
 * tail, alpha 1.1, k 133,000, for the upper 7 %), cut at 1 MiB. */
static const uint32_t surge[] = {895, 1786, 2626, 3503, 4453, 5503, 6682, 8022, 9566, 11368, 13505,
	16087, 19279, 23341, 28717, 36241, 47726, 68201, 121586, 339124};

const struct scenario scenarios[] = {
	{.name = "http-keepalive",
		.text = "requests for 128 bytes on connections that stay",
		.sizes = small,
		.size_count = 1,
		.keep_alive = true,
		.kind = &http_kind},
	{.name = "http-close",
		.text = "a connection for each request for 128 bytes",
		.sizes = small,
		.size_count = 1,
		.kind = &http_kind},
	{.name = "http-1m",
		.text = "requests for 1 MiB on connections that stay",
		.sizes = megabyte,
		.size_count = 1,
		.keep_alive = true,
		.kind = &http_kind},
	{.name = "http-mix",
		.text = "requests for sizes as on the web, with pauses of 100 ms in the mean",
		.sizes = surge,
		.size_count = sizeof(surge) / sizeof(surge[0]),
		.keep_alive = true,
		.think_ms = 100,
		.kind = &http_kind},
	{.name = "tcp-conn",
		.text = "connections that carry one byte each way",
		.kind = &echo_kind},
	{.name = "tcp-stream",
		.text = "bytes from origins, 1 MiB for each that asks, on connections that stay",
		.kind = &stream_kind},
	{.name = "idle",
		.text = "connections that are held and do nothing; a unit is one that opened",
		.hold = true,
		.kind = &http_kind},
	{.name = "idle-served",
		.text = "the same after a request for 128 bytes each",
		.sizes = small,
		.size_count = 1,
		.keep_alive = true,
		.hold = true,
		.ask_once = true,
		.kind = &http_kind},
	{.name = "syn-flood",
		.text = "http-close beside 32 SYNs a turn from addresses that never answer",
		.sizes = small,
		.size_count = 1,
		.syns = 32,
		.kind = &http_kind},
};
const uint32_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
