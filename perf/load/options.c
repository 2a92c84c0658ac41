/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

static const char usage[] =
	"usage: load SCENARIO --target ADDR:PORT --origin ADDR[+N]:PORT [OPTION...]\n"
	"\n"
	"  --device VDEV      speak over this DPDK device (default: the kernel's sockets)\n"
	"  --client ADDR[+N]  N addresses of clients from ADDR on (needed with --device)\n"
	"  --clients N        connections at the same time (100)\n"
	"  --rate R           units per second (default: as fast as the answers come)\n"
	"  --warm-rate R      the same while nothing is measured yet (default: as --rate)\n"
	"  --syns R           of a flood, per second, beside any scenario (default: the "
	"scenario's)\n"
	"  --warm MS          not measured, at the beginning (1000)\n"
	"  --time MS          measured (5000)\n"
	"  --seed N           of all that is random (1)\n"
	"  --json             the report as one line of JSON\n"
	"\n"
	"A line \"measuring\" on standard error marks the beginning, \"measured\" the end. Exit "
	"status 1:\n"
	"a wrong byte came, or nothing at all.\n"
	"\n"
	"scenarios:\n";

static void help(FILE *to)
{
	fputs(usage, to);
	for (uint32_t i = 0; i < scenario_count; i++)
		fprintf(to, "  %-16s %s\n", scenarios[i].name, scenarios[i].text);
}

static void bad(const char *what, const char *value)
{
	fprintf(stderr, "load: %s: '%s'\n", what, value);
	exit(2);
}

static uint32_t parse_v4(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		bad("not an IPv4 address", text);
	return ntohl(a.s_addr);
}

/* ADDR[+N]; without `count` there is no +N. */
static uint32_t parse_range(char *text, uint32_t *count)
{
	char *plus = count ? strchr(text, '+') : NULL;

	if (plus) {
		*plus = '\0';
		*count = (uint32_t)strtoul(plus + 1, NULL, 10);
	}
	return parse_v4(text);
}

static uint32_t parse_endpoint(char *text, uint32_t *count, uint16_t *port)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		bad("not ADDR:PORT", text);
	*port = (uint16_t)strtoul(colon + 1, NULL, 10);
	*colon = '\0';
	return parse_range(text, count);
}

void load_options(int argc, char **argv, struct load_config *config, struct net_config *net)
{
	static const struct option options[] = {{"target", 1, 0, 't'}, {"origin", 1, 0, 'o'},
		{"device", 1, 0, 'd'}, {"client", 1, 0, 'a'}, {"clients", 1, 0, 'c'},
		{"rate", 1, 0, 'r'}, {"warm-rate", 1, 0, 'R'}, {"syns", 1, 0, 'S'},
		{"warm", 1, 0, 'w'}, {"time", 1, 0, 'T'}, {"seed", 1, 0, 's'}, {"json", 0, 0, 'j'},
		{"help", 0, 0, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 't':
			net->target_v4 = parse_endpoint(optarg, NULL, &net->target_port);
			break;
		case 'o':
			net->origin_v4 =
				parse_endpoint(optarg, &net->origin_count, &net->origin_port);
			break;
		case 'd':
			net->device = optarg;
			break;
		case 'a':
			net->client_v4 = parse_range(optarg, &net->client_count);
			break;
		case 'c':
			config->clients = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			config->rate = strtod(optarg, NULL);
			break;
		case 'R':
			config->warm_rate = strtod(optarg, NULL);
			break;
		case 'S':
			config->syns = strtod(optarg, NULL);
			break;
		case 'w':
			config->warm_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'T':
			config->run_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			config->seed = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			config->json = true;
			break;
		case 'h':
			help(stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	for (uint32_t i = 0; optind < argc && i < scenario_count; i++)
		if (strcmp(scenarios[i].name, argv[optind]) == 0)
			config->scenario = &scenarios[i];
	if (!config->scenario || !net->target_port || !net->origin_port || !config->clients ||
		(net->device && !net->client_v4) || !net->client_count || !net->origin_count) {
		help(stderr);
		exit(2);
	}
	if (config->syns < 0)
		config->syns = config->scenario->syns;
	/* Those that close and those that open anew are there at the same time. */
	net->conns_max =
		config->scenario->hold ? config->clients + 4096 : 4 * config->clients + 8192;
	net->origin_app = config->scenario->kind->origin_app;
}
