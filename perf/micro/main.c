/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micro.h"

static const char usage[] =
	"usage: micro steps | idle [N]\n"
	"\n"
	"  steps    what each step of the budget costs\n"
	"  idle     a request beside 1000, 10000, ... N connections that idle (1000000)\n"
	"\n"
	"One JSON object a line: cycles of the least round and of the middle one, instructions "
	"where\n"
	"the machine counts them. perf/budget prints them beside the budget, and runs this under\n"
	"callgrind.\n";

int main(int argc, char **argv)
{
	static struct engine e;
	struct peer p;
	bool idle = argc > 1 && strcmp(argv[1], "idle") == 0;
	uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;

	if (argc < 2 || argc > 3 || (!idle && strcmp(argv[1], "steps") != 0) || count > 1000000) {
		fputs(usage, stderr);
		return 2;
	}
	meter_init();
	engine_init(&e);
	peer_init(&p, &e);
	if (idle) {
		micro_idle(&e, &p, count);
	} else {
		micro_steps_net(&e, &p);
		micro_steps();
	}
	if (!meter_is_callgrind())
		fprintf(stderr,
			"micro: the core makes %.2f cycles in one of the time-stamp counter\n",
			meter_core_ratio());
	if (meter_no_instructions())
		fprintf(stderr, "micro: instructions are not counted: %s\n",
			meter_no_instructions());
	peer_fini(&p);
	engine_fini(&e);
	return 0;
}
