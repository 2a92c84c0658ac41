/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "impair_port.h"

/* One direction of one queue. Its owner is the core that has the queue. */
struct line {
	struct impair impair;
	struct stat_group group;
	uint16_t due_count; /* out: frames that the device did not take yet */
	struct rte_mbuf *due[PKT_BURST_MAX];
};

struct impair_port {
	struct port port;
	struct port *inner;
	struct clock *clock;
	struct port_impair config;
	uint16_t queues;
	struct line *lines[IMPAIR_DIRECTIONS]; /* [direction][queue] */
};

static uint16_t take_due(struct line *line, uint64_t now_ns, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t got = 0;

	while (got < n && (pkts[got] = impair_take(&line->impair, now_ns, NULL)))
		got++;
	return got;
}

static uint16_t rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct impair_port *p = port->impl;
	struct line *line = &p->lines[IMPAIR_IN][queue];
	uint64_t now_ns = p->clock->now_ns(p->clock);
	uint16_t arrived = p->inner->ops->rx_burst(p->inner, queue, pkts, n);

	for (uint16_t i = 0; i < arrived; i++)
		impair_put(&line->impair, now_ns, pkts[i]);
	return take_due(line, now_ns, pkts, n);
}

/* Hands what is due to the device, until it takes no more. */
static void send_due(struct impair_port *p, uint16_t queue, uint64_t now_ns)
{
	struct line *line = &p->lines[IMPAIR_OUT][queue];
	uint16_t sent;

	do {
		line->due_count += take_due(line, now_ns, line->due + line->due_count,
			(uint16_t)(PKT_BURST_MAX - line->due_count));
		if (line->due_count == 0 && !p->inner->tx_always)
			return;
		sent = p->inner->ops->tx_burst(p->inner, queue, line->due, line->due_count);
		line->due_count = (uint16_t)(line->due_count - sent);
		memmove(line->due, line->due + sent, line->due_count * sizeof(line->due[0]));
	} while (sent > 0 && line->due_count == 0);
}

/* Always takes all: a line that is full loses the newest. */
static uint16_t tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct impair_port *p = port->impl;
	struct line *line = &p->lines[IMPAIR_OUT][queue];
	uint64_t now_ns = p->clock->now_ns(p->clock);

	for (uint16_t i = 0; i < n; i++) {
		/* The essay of the header says why; -1 leaves a frame that is too long as it is. */
		(void)rte_pktmbuf_linearize(pkts[i]);
		impair_put(&line->impair, now_ns, pkts[i]);
	}
	send_due(p, queue, now_ns);
	return n;
}

/* What the device did not take is tried again in the next turn, whenever that comes. */
static uint64_t next_at(struct port *port, uint16_t rx_queue, uint16_t tx_queue)
{
	struct impair_port *p = port->impl;
	uint64_t in = UINT64_MAX, out = UINT64_MAX;

	if (rx_queue != PORT_NO_QUEUE)
		in = impair_next_at(&p->lines[IMPAIR_IN][rx_queue].impair);
	if (tx_queue != PORT_NO_QUEUE)
		out = impair_next_at(&p->lines[IMPAIR_OUT][tx_queue].impair);
	return MIN(in, out);
}

static bool link_is_up(struct port *port)
{
	struct impair_port *p = port->impl;

	return p->inner->ops->link_is_up(p->inner);
}

static void stats_read(struct port *port, struct port_device_stats *out)
{
	struct impair_port *p = port->impl;

	p->inner->ops->stats_read(p->inner, out);
}

static uint32_t members_read(struct port *port, struct port_member *out)
{
	struct impair_port *p = port->impl;

	return p->inner->ops->members_read ? p->inner->ops->members_read(p->inner, out) : 0;
}

static struct stat_group *group(struct port *port, uint16_t queue, uint32_t i)
{
	struct impair_port *p = port->impl;

	return i < IMPAIR_DIRECTIONS && queue < p->queues ? &p->lines[i][queue].group : NULL;
}

static int describe_chance(char *buf, size_t size, const char *name, uint32_t ppm)
{
	return ppm ? snprintf(buf, size, " %s %g%%", name, ppm / 1e4) : 0;
}

static int describe_ms(char *buf, size_t size, const char *name, uint64_t ns)
{
	return ns ? snprintf(buf, size, " %s %gms", name, (double)ns / 1e6) : 0;
}

/* In the words of the configuration. */
static size_t describe_line(const struct impair_config *c, char *buf, size_t size)
{
	char *at = buf, *end = buf + size;

	at += describe_chance(at, (size_t)(end - at), "loss", c->loss_ppm);
	at += describe_ms(at, (size_t)(end - at), "delay", c->delay_ns);
	at += describe_ms(at, (size_t)(end - at), "jitter", c->jitter_ns);
	at += describe_chance(at, (size_t)(end - at), "dup", c->duplicate_ppm);
	at += describe_chance(at, (size_t)(end - at), "corrupt", c->corrupt_ppm);
	at += describe_chance(at, (size_t)(end - at), "mark", c->mark_ppm);
	at += describe_chance(at, (size_t)(end - at), "reorder", c->reorder_ppm);
	if (c->reorder_ppm)
		at += describe_ms(at, (size_t)(end - at), "reorder-delay", c->reorder_ns);
	if (c->rate_bits_per_s)
		at += snprintf(at, (size_t)(end - at), " rate %gm queue %u",
			(double)c->rate_bits_per_s / 1e6, c->queue_bytes_max);
	return (size_t)(at - buf);
}

#define LINE_TEXT_SIZE 256 /* more than all words of a direction take */

static void describe(const struct port *port, char *buf, size_t size)
{
	const struct impair_port *p = port->impl;
	char in[LINE_TEXT_SIZE] = "", out[LINE_TEXT_SIZE] = "";

	describe_line(&p->config.in, in, sizeof(in));
	describe_line(&p->config.out, out, sizeof(out));
	snprintf(buf, size, "impaired on purpose: in%s, out%s, seed %llu", in[0] ? in : " nothing",
		out[0] ? out : " nothing", (unsigned long long)p->config.seed);
}

static void line_fini(struct line *line)
{
	impair_fini(&line->impair);
	for (uint16_t i = 0; i < line->due_count; i++)
		rte_pktmbuf_free(line->due[i]);
	line->due_count = 0;
}

/* Without the port below. */
static void release(struct impair_port *p)
{
	for (int d = 0; d < IMPAIR_DIRECTIONS; d++) {
		for (uint16_t q = 0; p->lines[d] && q < p->queues; q++)
			line_fini(&p->lines[d][q]);
		free(p->lines[d]);
	}
	free(p);
}

static void destroy(struct port *port)
{
	struct impair_port *p = port->impl;
	struct port *inner = p->inner;

	release(p);
	inner->ops->destroy(inner);
}

static const struct port_ops impair_ops = {
	.driver = "impair",
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.link_is_up = link_is_up,
	.stats_read = stats_read,
	.members_read = members_read,
	.destroy = destroy,
	.next_at = next_at,
	.group = group,
	.describe = describe,
};

uint64_t impair_port_seed(uint64_t seed, uint16_t queue, enum impair_direction direction)
{
	uint64_t line = queue * (uint64_t)IMPAIR_DIRECTIONS + direction;

	return hash_bytes(&line, sizeof(line), seed);
}

static int lines_init(struct impair_port *p, enum impair_direction direction,
	const struct impair_config *config, uint32_t pkts_max, struct error *err)
{
	static const char *const modules[] = {
		[IMPAIR_IN] = "impair_in", [IMPAIR_OUT] = "impair_out"};
	struct impair_config share = *config;

	p->lines[direction] = calloc(p->queues, sizeof(struct line));
	if (!p->lines[direction])
		return error_set(err, -ENOMEM, "no memory for a bad line");
	share.rate_bits_per_s = (share.rate_bits_per_s + p->queues - 1) / p->queues;
	for (uint16_t q = 0; q < p->queues; q++) {
		struct line *line = &p->lines[direction][q];
		int rc = impair_init(&line->impair, &share,
			impair_port_seed(p->config.seed, q, direction), pkts_max, err);

		if (rc < 0)
			return rc;
		impair_group_init(&line->impair, &line->group, modules[direction]);
	}
	return 0;
}

struct port *impair_port_create(const struct impair_port_config *config, struct error *err)
{
	struct impair_port *p = calloc(1, sizeof(*p));

	if (!p) {
		error_set(err, -ENOMEM, "port %s: no memory", config->inner->name);
		return NULL;
	}
	*p = (struct impair_port){.port = *config->inner,
		.inner = config->inner,
		.clock = config->clock,
		.config = *config->impair,
		.queues = MAX(config->inner->rx_queues, config->inner->tx_queues)};
	p->port.ops = &impair_ops;
	p->port.impl = p;
	p->port.caps &=
		~(uint32_t)(PORT_CAP_TX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM | PORT_CAP_TX_TSO);
	if (lines_init(p, IMPAIR_IN, &p->config.in, config->pkts_max, err) < 0 ||
		lines_init(p, IMPAIR_OUT, &p->config.out, config->pkts_max, err) < 0) {
		error_prefix(err, "port %s", config->inner->name);
		release(p);
		return NULL;
	}
	return &p->port;
}
