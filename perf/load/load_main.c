/* SPDX-License-Identifier: BSD-3-Clause */
/* Options, the run, the report. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>

#include "load_main.h"
#include "frames.h"

#define NS_PER_MS UINT64_C(1000000)

static const char usage[] =
	"usage: load SCENARIO --target ADDR:PORT --origin ADDR[+N]:PORT [OPTION...]\n"
	"\n"
	"  --device VDEV      speak over this DPDK device (default: the kernel's sockets)\n"
	"  --client ADDR[+N]  N addresses of clients from ADDR on (needed with --device)\n"
	"  --clients N        connections at the same time (100)\n"
	"  --rate R           units per second (default: as fast as the answers come)\n"
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

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 * NS_PER_MS + (uint64_t)t.tv_nsec;
}

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

static void parse_options(int argc, char **argv, struct load_config *config, struct net_config *net)
{
	static const struct option options[] = {{"target", 1, 0, 't'}, {"origin", 1, 0, 'o'},
		{"device", 1, 0, 'd'}, {"client", 1, 0, 'a'}, {"clients", 1, 0, 'c'},
		{"rate", 1, 0, 'r'}, {"syns", 1, 0, 'S'}, {"warm", 1, 0, 'w'}, {"time", 1, 0, 'T'},
		{"seed", 1, 0, 's'}, {"json", 0, 0, 'j'}, {"help", 0, 0, 'h'}, {0}};
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

static void run_until(struct load *load, uint64_t end_ns)
{
	for (uint64_t now = now_ns(); now < end_ns && !stopped; now = now_ns())
		load_turn(load, now);
}

/* Held connections: what is measured begins when all are there and have nothing to do. */
static void open_all(struct load *load)
{
	const uint32_t all = load->config->clients;

	while ((load->connected < all || load->totals.units < all) && !stopped)
		load_turn(load, now_ns());
}

static void report_json(const struct load *load, const struct load_totals *t, double seconds)
{
	const struct net_stats *s = &load->net->stats;

	printf("{\"scenario\":\"%s\",\"clients\":%u,\"seconds\":%.3f,\"units\":%llu,"
	       "\"units_per_s\":%.1f,\"bytes_per_s\":%.0f,\"errors\":%llu,\"mismatches\":%llu,"
	       "\"late\":%llu,\"connected\":%u,\"latency_us\":{\"mean\":%.1f,\"p50\":%.1f,\"p90\":%"
	       ".1f,"
	       "\"p99\":%.1f,\"p99.9\":%.1f,\"max\":%.1f},\"retransmits\":%llu,\"resets\":%llu,"
	       "\"syns\":%llu,\"syn_acks\":%llu,\"tx_dropped\":%llu}\n",
		load->config->scenario->name, load->config->clients, seconds,
		(unsigned long long)t->units, (double)t->units / seconds,
		(double)t->bytes / seconds, (unsigned long long)t->errors,
		(unsigned long long)t->mismatches, (unsigned long long)t->late, load->connected,
		(double)hist_mean(&load->latency) / 1e3, (double)hist_at(&load->latency, 0.5) / 1e3,
		(double)hist_at(&load->latency, 0.9) / 1e3,
		(double)hist_at(&load->latency, 0.99) / 1e3,
		(double)hist_at(&load->latency, 0.999) / 1e3, (double)load->latency.max_ns / 1e3,
		(unsigned long long)s->retransmits, (unsigned long long)s->resets,
		(unsigned long long)t->syns, (unsigned long long)t->syn_acks,
		(unsigned long long)s->tx_dropped);
}

static void report_text(const struct load *load, const struct load_totals *t, double seconds)
{
	printf("%s: %llu in %.2f s, %.0f/s, %.1f MB/s, %llu errors, %llu mismatches\n",
		load->config->scenario->name, (unsigned long long)t->units, seconds,
		(double)t->units / seconds, (double)t->bytes / seconds / 1e6,
		(unsigned long long)t->errors, (unsigned long long)t->mismatches);
	printf("  latency us: mean %.1f p50 %.1f p90 %.1f p99 %.1f p99.9 %.1f max %.1f\n",
		(double)hist_mean(&load->latency) / 1e3, (double)hist_at(&load->latency, 0.5) / 1e3,
		(double)hist_at(&load->latency, 0.9) / 1e3,
		(double)hist_at(&load->latency, 0.99) / 1e3,
		(double)hist_at(&load->latency, 0.999) / 1e3, (double)load->latency.max_ns / 1e3);
	if (t->syns)
		printf("  flood: %.0f SYNs/s, %.1f %% answered\n", (double)t->syns / seconds,
			100.0 * (double)t->syn_acks / (double)t->syns);
}

/* Warms up, measures, reports. Returns the exit status. */
static int run(struct load *load)
{
	const struct load_config *config = load->config;
	struct load_totals before;
	uint64_t start;
	double seconds;

	if (config->scenario->hold)
		open_all(load);
	run_until(load, now_ns() + config->warm_ms * NS_PER_MS);
	before = load->totals;
	load->measuring = true;
	fprintf(stderr, "measuring\n");
	start = now_ns();
	run_until(load, start + config->run_ms * NS_PER_MS);
	seconds = (double)(now_ns() - start) / 1e9;
	load->measuring = false;
	fprintf(stderr, "measured\n");
	load->totals.units -= before.units;
	load->totals.bytes -= before.bytes;
	load->totals.errors -= before.errors;
	load->totals.syns -= before.syns;
	load->totals.syn_acks -= before.syn_acks;
	if (config->json)
		report_json(load, &load->totals, seconds);
	else
		report_text(load, &load->totals, seconds);
	fflush(stdout);
	load->draining = true;
	run_until(load, now_ns() + 200 * NS_PER_MS);
	return load->totals.mismatches > 0 || (load->totals.units == 0 && !config->scenario->hold);
}

int load_main(int argc, char **argv, const struct wire *wire)
{
	static struct net_config net = {.client_count = 1, .origin_count = 1};
	static struct load_config config = {.clients = 100,
		.warm_ms = 1000,
		.run_ms = 5000,
		.syns = -1,
		.seed = 1,
		.net = &net};
	static struct load load = {.config = &config};
	struct sigaction on_stop = {.sa_handler = on_signal};
	int status;

	parse_options(argc, argv, &config, &net);
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	load.rand = config.seed | 1;
	load.clients = calloc(config.clients, sizeof(*load.clients));
	load.heads = calloc(config.clients, sizeof(*load.heads));
	load.object = malloc(LOAD_OBJECT_MAX);
	if (!load.clients || !load.heads || !load.object) {
		fprintf(stderr, "load: no memory for %u clients\n", config.clients);
		return 1;
	}
	for (uint32_t i = 0; i < LOAD_OBJECT_MAX; i++)
		load.object[i] = (uint8_t)(i * 31 + (i >> 8) * 7);
	if (config.scenario->kind->prepare)
		config.scenario->kind->prepare(config.scenario);
	if (wire)
		load.net = net_wire_create(&net, &load, wire);
	else
		load.net =
			net.device ? net_dpdk_create(&net, &load) : net_socket_create(&net, &load);
	load.rate_next_ns = now_ns();
	status = run(&load);
	net_destroy(load.net);
	free(load.heads);
	free(load.clients);
	free(load.object);
	return status;
}
