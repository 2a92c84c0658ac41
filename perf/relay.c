/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay: a bad line between two taps, so that two kernels can be measured over the very line that
 * the option impair puts before weir.
 *
 *     relay FILE PORT FD-NEAR FD-FAR
 *
 * FILE is a configuration of weir; the line is that of its port PORT, with the same chances as
 * those of the port's first queue. FD-NEAR and FD-FAR are open taps (IFF_TAP | IFF_NO_PI). What
 * comes from NEAR passes the direction "in", as if FAR were weir. Ends when a tap is gone or at a
 * signal.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dpdk.h"
#include "impair_port.h"
#include "reload.h"

#define PKTS_MAX   16384 /* under way in a direction, as weir has with enough memory */
#define MEMORY_MIB 160

struct way {
	int from, to;
	struct impair line;
};

static int fail(const char *text)
{
	fprintf(stderr, "relay: %s\n", text);
	return 1;
}

static const struct port_impair *find_port(const struct model *model, const char *name)
{
	const struct model_network *n = &model->network;

	for (uint32_t i = 0; i < n->port_count; i++)
		if (strcmp(n->ports[i].name, name) == 0)
			return &n->ports[i].impair;
	return NULL;
}

static struct model *load(const char *path)
{
	struct reload_options options = {.paths = &path, .path_count = 1, .cpu_count = 1024};
	struct lang_diags diags;
	struct error err = {0};
	struct model *model;

	lang_diags_init(&diags);
	model = reload_load(&options, &diags, &err);
	if (!model)
		lang_diags_print(&diags, stderr, getpid(), false);
	lang_diags_fini(&diags);
	return model;
}

/* A burst from one tap into its line. False if the tap is gone. */
static bool take_in(struct way *way, struct pkt_pools *pools, uint64_t now_ns)
{
	for (int i = 0; i < PKT_BURST_MAX; i++) {
		struct rte_mbuf *m = pkt_alloc(pools);
		ssize_t len;

		if (!m)
			return true;
		len = read(way->from, rte_pktmbuf_mtod(m, void *), rte_pktmbuf_tailroom(m));
		if (len <= 0) {
			pkt_free(m);
			return len < 0 && (errno == EAGAIN || errno == EINTR);
		}
		rte_pktmbuf_append(m, (uint16_t)len);
		impair_put(&way->line, now_ns, m);
	}
	return true;
}

/* What is due leaves; a tap that does not take it loses it, as any full link does. */
static void let_out(struct way *way, uint64_t now_ns)
{
	struct rte_mbuf *m;

	while ((m = impair_take(&way->line, now_ns, NULL))) {
		(void)!write(way->to, rte_pktmbuf_mtod(m, void *), m->data_len);
		pkt_free(m);
	}
}

static void run(struct way ways[2], struct pkt_pools *pools)
{
	struct clock *clock = clock_real();
	struct pollfd fds[2] = {
		{.fd = ways[0].from, .events = POLLIN}, {.fd = ways[1].from, .events = POLLIN}};

	prctl(PR_SET_TIMERSLACK, 1000);
	for (;;) {
		uint64_t now_ns = clock->now_ns(clock), at = UINT64_MAX;
		struct timespec wait;

		for (int i = 0; i < 2; i++) {
			if (fds[i].revents & (POLLERR | POLLHUP))
				return;
			if (fds[i].revents && !take_in(&ways[i], pools, now_ns))
				return;
			let_out(&ways[i], now_ns);
			at = MIN(at, impair_next_at(&ways[i].line));
		}
		at = at > now_ns ? MIN(at - now_ns, NS_PER_SEC) : 0;
		wait = (struct timespec){(time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC)};
		if (ppoll(fds, 2, &wait, NULL) < 0 && errno != EINTR)
			return;
	}
}

static int relay(const struct port_impair *impair, int near_fd, int far_fd, struct error *err)
{
	struct way ways[2] = {{.from = near_fd, .to = far_fd}, {.from = far_fd, .to = near_fd}};
	struct pkt_pools pools = {0};
	int rc = pkt_pools_init(
		&pools, "relay", 2 * PKTS_MAX + 4 * PKT_BURST_MAX, 1, SOCKET_ID_ANY, err);

	if (rc == 0)
		rc = impair_init(&ways[IMPAIR_IN].line, &impair->in,
			impair_port_seed(impair->seed, 0, IMPAIR_IN), PKTS_MAX, err);
	if (rc == 0)
		rc = impair_init(&ways[IMPAIR_OUT].line, &impair->out,
			impair_port_seed(impair->seed, 0, IMPAIR_OUT), PKTS_MAX, err);
	if (rc == 0)
		run(ways, &pools);
	impair_fini(&ways[IMPAIR_IN].line);
	impair_fini(&ways[IMPAIR_OUT].line);
	pkt_pools_fini(&pools);
	return rc;
}

/* -1: not the number of an open file. */
static int parse_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return end != text && *end == '\0' && fd >= 0 && fd < 1024 ? (int)fd : -1;
}

int main(int argc, char **argv)
{
	struct dpdk_eal_config config = {.memory_mib = MEMORY_MIB, .huge = DPDK_HUGE_NEVER};
	const struct port_impair *impair;
	struct error err = {0};
	struct dpdk_eal *eal;
	struct model *model;

	if (argc != 5 || parse_fd(argv[3]) < 0 || parse_fd(argv[4]) < 0)
		return fail("usage: relay FILE PORT FD-NEAR FD-FAR");
	model = load(argv[1]);
	if (!model)
		return 1;
	impair = find_port(model, argv[2]);
	if (!impair)
		return fail("no such port in the file");
	eal = dpdk_eal_create(&config, &err);
	if (eal)
		relay(impair, parse_fd(argv[3]), parse_fd(argv[4]), &err);
	dpdk_eal_destroy(eal);
	model_destroy(model);
	return err.code ? fail(err.text) : 0;
}
