/* SPDX-License-Identifier: BSD-3-Clause */
/* The run and the report. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "load_main.h"
#include "frames.h"
#include "options.h"

#define NS_PER_MS UINT64_C(1000000)

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

	load->rate = config->rate;
	if (config->scenario->hold)
		open_all(load);
	load->rate = config->warm_rate > 0 ? config->warm_rate : config->rate;
	run_until(load, now_ns() + config->warm_ms * NS_PER_MS);
	if (config->warm_rate > 0)
		load->rate_next_ns = now_ns();
	load->rate = config->rate;
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

	load_options(argc, argv, &config, &net);
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
