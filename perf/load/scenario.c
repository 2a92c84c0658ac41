/* SPDX-License-Identifier: BSD-3-Clause */
/* The scenarios, a row each. */
#include "http.h"
#include "plain.h"

static const uint32_t small[] = {128};
static const uint32_t megabyte[] = {LOAD_OBJECT_MAX};

/* What follows is the web as SURGE models it (Barford and Crovella, "Generating representative web
 * workloads for network and server performance evaluation", SIGMETRICS 1998), each figure at the
 * middle of one of twenty equal shares.
 *
 * Bytes of a file: a lognormal body (mu 9.357, sigma 1.318) up to 133,000, and for the upper 7 % a
 * Pareto tail from there on (alpha 1.1). */
static const uint32_t surge_sizes[] = {895, 1786, 2626, 3503, 4453, 5503, 6682, 8022, 9566, 11368,
	13505, 16087, 19279, 23341, 28717, 36241, 47726, 68201, 121586, 339124};
/* Microseconds between the files of a page ("active OFF": Weibull, scale 1.46 s, shape 0.382), in
 * fiftieths: so 2,000 clients ask as often as 100,000 users. */
static const uint32_t surge_thinks[] = {2, 37, 150, 390, 815, 1498, 2533, 4046, 6204, 9241, 13485,
	19416, 27757, 39647, 56984, 83179, 125035, 198474, 352725, 890020};

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
		.text = "requests with sizes and pauses as on the web; a client is 50 of its users",
		.sizes = surge_sizes,
		.size_count = sizeof(surge_sizes) / sizeof(surge_sizes[0]),
		.keep_alive = true,
		.thinks_us = surge_thinks,
		.think_count = sizeof(surge_thinks) / sizeof(surge_thinks[0]),
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
		.text = "http-close beside SYNs from everywhere that nobody stands behind",
		.sizes = small,
		.size_count = 1,
		.syns = 500000,
		.kind = &http_kind},
};
const uint32_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
