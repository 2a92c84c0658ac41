/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_pair.h"

int sim_cases_main(int argc, char **argv, const struct sim_case *cases, uint32_t count,
	const char *(*run)(sim_case_fn fn))
{
	for (uint32_t i = 0; i < count; i++) {
		const char *problem;

		if (argc != 2 || strcmp(argv[1], cases[i].name) != 0)
			continue;
		problem = run(cases[i].fn);
		pair_pools_free();
		printf("%s: %s\n", cases[i].name, problem ? problem : "passed");
		return problem != NULL;
	}
	fprintf(stderr, "usage: %s CASE, one of\n", argv[0]);
	for (uint32_t i = 0; i < count; i++)
		fprintf(stderr, "    %s\n", cases[i].name);
	return 2;
}

int sim_seeds_main(
	int argc, char **argv, bool (*passes)(uint64_t seed, const struct sim_options *options))
{
	struct sim_options options = {0};
	uint64_t seed = 1, count = 1;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--verbose") == 0)
			options.verbose = true;
		else if (strcmp(argv[i], "--seed") == 0 && ++i)
			seed = strtoull(value, NULL, 0);
		else if (strcmp(argv[i], "--seeds") == 0 && ++i)
			count = strtoull(value, NULL, 0);
		else if (strcmp(argv[i], "--pcap") == 0 && ++i)
			options.pcap = value;
		else {
			fprintf(stderr,
				"usage: %s [--seed N] [--seeds COUNT] [--verbose] [--pcap FILE]\n",
				argv[0]);
			return 2;
		}
	}
	for (uint64_t end = seed + count; seed < end; seed++)
		if (!passes(seed, &options)) {
			printf("failed: %s --seed %llu --verbose\n", argv[0],
				(unsigned long long)seed);
			return 1;
		}
	printf("%llu seeds passed\n", (unsigned long long)count);
	pair_pools_free();
	return 0;
}
