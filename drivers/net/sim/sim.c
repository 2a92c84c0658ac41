/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated network. A frame's way:
 *
 *   tx_burst -> copy into the net's own pool -> record, hook -> line of each link that it takes
 *   (impair) -> [time passes] -> deliver: copy into the pool of the receiving queue -> rx_burst
 *
 * Deliver runs at the start of every rx_burst and moves all that is due anywhere, in the order of
 * arrival, so that it does not matter which port is polled first. Buffers of the net's pool never
 * leave it, and buffers of the stacks never enter it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim_pvt.h"
#include "wire_ipv6.h"

struct queue {
	struct pkt_pools *pools;
	uint32_t head, count;
	struct rte_mbuf *pkts[SIM_RX_PENDING_MAX];
};

struct sim_port {
	struct port port;
	struct sim_net *net;
	const struct steer *steer;
	struct port_device_stats stats;
	uint32_t tx_room; /* packets that it still takes; UINT32_MAX: any number */
	struct queue queues[];
};

struct sim_link {
	struct sim_port *ends[2];
	struct impair lines[2]; /* [0]: from ends[0] to ends[1] */
	bool up;
};

struct sim_net {
	struct clock_manual *clock;
	struct pkt_pools pools;
	uint64_t seed;
	uint32_t pkts_max;
	uint32_t link_count;
	struct sim_link links[SIM_LINKS_MAX];
	struct sim_port *ports[PORT_MAX]; /* by index */
	enum sim_verdict (*hook)(void *ctx, const struct sim_frame *frame);
	void *hook_ctx;
	struct sim_record record;
};

struct sim_net *sim_net_create(
	struct clock_manual *clock, uint64_t seed, uint32_t pkts_max, struct error *err)
{
	struct sim_net *net = calloc(1, sizeof(*net));
	char name[PORT_NAME_SIZE];

	if (!net) {
		error_set(err, -ENOMEM, "no memory for a simulated network");
		return NULL;
	}
	net->clock = clock;
	net->seed = seed;
	net->pkts_max = pkts_max;
	snprintf(name, sizeof(name), "sim%012llx",
		(unsigned long long)(uintptr_t)net & 0xffffffffffffULL);
	/* One more: the frame between leaving a port and entering a line. */
	if (pkt_pools_init(&net->pools, name, pkts_max + 1, 1, SOCKET_ID_ANY, err) != 0) {
		free(net);
		return NULL;
	}
	return net;
}

uint32_t sim_net_destroy(struct sim_net *net)
{
	uint32_t leaked;

	if (!net)
		return 0;
	for (uint32_t i = 0; i < net->link_count; i++) {
		impair_fini(&net->links[i].lines[0]);
		impair_fini(&net->links[i].lines[1]);
	}
	for (uint32_t i = 0; i < PORT_MAX; i++)
		if (net->ports[i])
			net->ports[i]->port.ops->destroy(&net->ports[i]->port);
	leaked = pkt_pools_fini(&net->pools);
	sim_record_fini(&net->record);
	free(net);
	return leaked;
}

static bool has_ports(uint8_t proto)
{
	return proto == WIRE_PROTO_TCP || proto == WIRE_PROTO_UDP;
}

static bool flow_of_ipv4(const uint8_t *p, size_t len, struct endpoint *src, struct endpoint *dst)
{
	struct wire_ipv4 ip;

	if (wire_ipv4_parse(p, len, true, &ip) != WIRE_OK || ip.fragment_off_bytes > 0 ||
		ip.more_fragments || ip.total_bytes < ip.header_bytes + 4 || !has_ports(ip.proto))
		return false;
	*src = (struct endpoint){ip.src, load_be16(p + ip.header_bytes)};
	*dst = (struct endpoint){ip.dst, load_be16(p + ip.header_bytes + 2)};
	return true;
}

/* Behind extension headers it does not look. */
static bool flow_of_ipv6(const uint8_t *p, size_t len, struct endpoint *src, struct endpoint *dst)
{
	struct wire_ipv6 ip;

	if (wire_ipv6_parse(p, len, &ip) != WIRE_OK || ip.payload_bytes < 4 || !has_ports(ip.next))
		return false;
	*src = (struct endpoint){ip.src, load_be16(p + WIRE_IPV6_BYTES)};
	*dst = (struct endpoint){ip.dst, load_be16(p + WIRE_IPV6_BYTES + 2)};
	return true;
}

/* The core whose flow the frame belongs to; 0 for what has no flow, as NICs do. */
static uint16_t queue_of_frame(const struct sim_port *to, const uint8_t *p, size_t len)
{
	struct wire_ether ether;
	struct endpoint src, dst;
	uint32_t core;
	bool flow;

	if (!to->steer || wire_ether_parse(p, len, &ether) != WIRE_OK)
		return 0;
	p += ether.len_bytes;
	len -= ether.len_bytes;
	flow = (ether.type == WIRE_ETHERTYPE_IPV4 && flow_of_ipv4(p, len, &src, &dst)) ||
	       (ether.type == WIRE_ETHERTYPE_IPV6 && flow_of_ipv6(p, len, &src, &dst));
	core = flow ? steer_core(to->steer, &src, &dst) : 0;
	return core < to->port.rx_queues ? (uint16_t)core : 0;
}

/* The "DMA": copies the frame into a buffer of the receiver. */
static bool arrive(struct sim_port *to, const void *frame, size_t len)
{
	struct queue *q = &to->queues[queue_of_frame(to, frame, len)];
	struct rte_mbuf *m;

	if (len > (size_t)to->port.mtu + WIRE_ETHER_BYTES + WIRE_VLAN_BYTES) {
		to->stats.rx_errors++;
		return false;
	}
	if (q->count == SIM_RX_PENDING_MAX) {
		to->stats.rx_missed++;
		return false;
	}
	m = rte_pktmbuf_alloc(q->pools->data);
	if (!m) {
		to->stats.rx_no_buffer++;
		return false;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), frame, len);
	m->port = to->port.index;
	q->pkts[(q->head + q->count++) % SIM_RX_PENDING_MAX] = m;
	to->stats.rx_pkts++;
	to->stats.rx_bytes += len;
	return true;
}

static struct impair *next_line(const struct sim_net *net, struct sim_port **to)
{
	const struct impair *next = NULL;

	for (uint32_t i = 0; i < net->link_count; i++)
		for (int d = 0; d < 2; d++) {
			const struct sim_link *link = &net->links[i];
			const struct impair *line = &link->lines[d];

			if (next && impair_next_at(line) >= impair_next_at(next))
				continue;
			next = line;
			*to = link->ends[!d];
		}
	return (struct impair *)next;
}

static void deliver(struct sim_net *net)
{
	struct sim_port *to = NULL;
	struct impair *line;
	struct rte_mbuf *m;

	while ((line = next_line(net, &to)) && (m = impair_take(line, net->clock->now_ns, NULL))) {
		if (to)
			arrive(to, rte_pktmbuf_mtod(m, void *), m->data_len);
		rte_pktmbuf_free(m);
	}
}

uint64_t sim_net_next_at(const struct sim_net *net)
{
	struct sim_port *to;
	const struct impair *line = next_line(net, &to);

	for (uint32_t i = 0; i < PORT_MAX; i++)
		for (uint16_t q = 0; net->ports[i] && q < net->ports[i]->port.rx_queues; q++)
			if (net->ports[i]->queues[q].count > 0)
				return net->clock->now_ns;
	return line ? impair_next_at(line) : UINT64_MAX;
}

static uint16_t rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct sim_port *sim = port->impl;
	struct queue *q = &sim->queues[queue];
	uint16_t got = 0;

	deliver(sim->net);
	for (; got < n && q->count > 0; q->count--) {
		pkts[got++] = q->pkts[q->head];
		q->head = (q->head + 1) % SIM_RX_PENDING_MAX;
	}
	return got;
}

static bool link_carries(const struct sim_link *link, int d, bool only, const struct wire_mac *dst)
{
	const struct sim_port *far = link->ends[!d];

	if (!link->up || !far)
		return false;
	return only || wire_mac_is_multicast(dst) || memcmp(&far->port.mac, dst, sizeof(*dst)) == 0;
}

/* Puts the frame on the links of its port; it stays the caller's. */
static void put_on_links(struct sim_port *from, struct rte_mbuf *m)
{
	struct sim_net *net = from->net;
	struct wire_mac dst = {{0}};
	uint32_t links = 0;

	memcpy(&dst, rte_pktmbuf_mtod(m, void *), MIN(sizeof(dst), (size_t)m->data_len));
	for (uint32_t i = 0; i < net->link_count; i++)
		links += net->links[i].ends[0] == from || net->links[i].ends[1] == from;
	for (uint32_t i = 0; i < net->link_count; i++)
		for (int d = 0; d < 2; d++) {
			struct sim_link *link = &net->links[i];
			struct rte_mbuf *copy;

			if (link->ends[d] != from || !link_carries(link, d, links == 1, &dst))
				continue;
			copy = rte_pktmbuf_copy(m, net->pools.data, 0, UINT32_MAX);
			if (copy)
				impair_put(&link->lines[d], net->clock->now_ns, copy);
			else
				stat_add(&link->lines[d].stats[IMPAIR_STAT_NO_ROOM], 1);
		}
}

static struct rte_mbuf *linear_frame(struct sim_port *from, struct rte_mbuf *m)
{
	struct rte_mbuf *frame = NULL;
	char *at;

	if (m->pkt_len <= (uint32_t)from->port.mtu + WIRE_ETHER_BYTES + WIRE_VLAN_BYTES)
		frame = rte_pktmbuf_alloc(from->net->pools.data);
	if (!frame)
		return NULL;
	at = rte_pktmbuf_append(frame, (uint16_t)m->pkt_len);
	for (; m; at += m->data_len, m = m->next)
		memcpy(at, rte_pktmbuf_mtod(m, void *), m->data_len);
	return frame;
}

static void transmit(struct sim_port *from, struct rte_mbuf *m)
{
	struct sim_net *net = from->net;
	struct sim_frame frame = {&from->port, linear_frame(from, m), net->clock->now_ns};

	if (!frame.m) {
		from->stats.tx_errors++;
		return;
	}
	from->stats.tx_pkts++;
	from->stats.tx_bytes += frame.m->data_len;
	sim_record_add(
		&net->record, frame.now_ns, rte_pktmbuf_mtod(frame.m, void *), frame.m->data_len);
	if (!net->hook || net->hook(net->hook_ctx, &frame) == SIM_PASS)
		put_on_links(from, frame.m);
	rte_pktmbuf_free(frame.m);
}

static uint16_t tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct sim_port *sim = port->impl;
	uint16_t taken = (uint16_t)MIN((uint32_t)n, sim->tx_room);

	(void)queue;
	for (uint16_t i = 0; i < taken; i++) {
		transmit(sim, pkts[i]);
		rte_pktmbuf_free(pkts[i]);
	}
	if (sim->tx_room != UINT32_MAX)
		sim->tx_room -= taken;
	return taken;
}

void sim_port_set_tx_room(struct port *port, uint32_t pkts)
{
	((struct sim_port *)port->impl)->tx_room = pkts;
}

static bool link_is_up(struct port *port)
{
	struct sim_port *sim = port->impl;

	for (uint32_t i = 0; i < sim->net->link_count; i++) {
		const struct sim_link *link = &sim->net->links[i];

		if (link->up && (link->ends[0] == sim || link->ends[1] == sim))
			return true;
	}
	return false;
}

static void stats_read(struct port *port, struct port_device_stats *out)
{
	*out = ((struct sim_port *)port->impl)->stats;
}

/* Links to a port that is gone stay, and lead nowhere. */
static void destroy(struct port *port)
{
	struct sim_port *sim = port->impl;
	struct sim_net *net = sim->net;

	for (uint16_t q = 0; q < port->rx_queues; q++)
		for (; sim->queues[q].count > 0; sim->queues[q].count--) {
			struct queue *queue = &sim->queues[q];

			rte_pktmbuf_free(queue->pkts[queue->head]);
			queue->head = (queue->head + 1) % SIM_RX_PENDING_MAX;
		}
	for (uint32_t i = 0; i < net->link_count; i++)
		for (int d = 0; d < 2; d++)
			if (net->links[i].ends[d] == sim)
				net->links[i].ends[d] = NULL;
	net->ports[port->index] = NULL;
	free(sim);
}

static const struct port_ops sim_ops = {
	.driver = "sim",
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.link_is_up = link_is_up,
	.stats_read = stats_read,
	.destroy = destroy,
};

struct port *sim_port_create(
	struct sim_net *net, const struct sim_port_config *config, struct error *err)
{
	uint16_t queues = config->queues ? config->queues : 1;
	struct sim_port *sim;

	if (config->index >= PORT_MAX || net->ports[config->index] || queues > SIM_QUEUES_MAX ||
		config->mtu > SIM_MTU_MAX || (config->caps & ~(uint32_t)PORT_CAP_TX_MULTI_SEG)) {
		error_set(err, -EINVAL, "%s: a port that cannot be simulated", config->name);
		return NULL;
	}
	sim = calloc(1, sizeof(*sim) + queues * sizeof(sim->queues[0]));
	if (!sim) {
		error_set(err, -ENOMEM, "%s: no memory", config->name);
		return NULL;
	}
	sim->net = net;
	sim->tx_room = UINT32_MAX;
	sim->steer = config->steer;
	sim->port = (struct port){
		.ops = &sim_ops,
		.impl = sim,
		.index = config->index,
		.rx_queues = queues,
		.tx_queues = queues,
		.mtu = config->mtu ? config->mtu : 1500,
		.caps = config->caps | (config->steer ? PORT_CAP_RSS | PORT_CAP_RSS_IPV6 : 0),
		.mac = config->mac,
	};
	snprintf(sim->port.name, sizeof(sim->port.name), "%s", config->name);
	for (uint16_t q = 0; q < queues; q++)
		sim->queues[q].pools = config->pools[q];
	net->ports[config->index] = sim;
	return &sim->port;
}

struct sim_link *sim_link_create(struct sim_net *net, struct port *a, struct port *b,
	const struct impair_config *a_to_b, const struct impair_config *b_to_a, struct error *err)
{
	static const struct impair_config perfect;
	struct sim_link *link = &net->links[net->link_count];
	uint64_t line_index = net->link_count * UINT64_C(2);

	if (net->link_count == SIM_LINKS_MAX) {
		error_set(err, -ENOSPC, "more than %d links", SIM_LINKS_MAX);
		return NULL;
	}
	*link = (struct sim_link){.ends = {a->impl, b->impl}, .up = true};
	for (int d = 0; d < 2; d++) {
		const struct impair_config *config = d == 0 ? a_to_b : b_to_a;
		uint64_t seed = hash_bytes(&(uint64_t){line_index + (uint64_t)d}, 8, net->seed);

		if (impair_init(&link->lines[d], config ? config : &perfect, seed, net->pkts_max,
			    err) != 0) {
			impair_fini(&link->lines[0]);
			return NULL;
		}
	}
	net->link_count++;
	return link;
}

struct impair *sim_link_line(struct sim_link *link, const struct port *from)
{
	return &link->lines[link->ends[0] == from->impl ? 0 : 1];
}

void sim_link_set_up(struct sim_link *link, bool up)
{
	link->up = up;
}

void sim_net_hook(struct sim_net *net,
	enum sim_verdict (*fn)(void *ctx, const struct sim_frame *frame), void *ctx)
{
	net->hook = fn;
	net->hook_ctx = ctx;
}

bool sim_inject(struct port *to, const void *frame, size_t len)
{
	struct sim_port *sim = to->impl;

	sim_record_add(&sim->net->record, sim->net->clock->now_ns, frame, len);
	return arrive(sim, frame, len);
}

int sim_net_record(struct sim_net *net, uint32_t frames_max, struct error *err)
{
	return sim_record_init(&net->record, frames_max, err);
}

int sim_net_dump(const struct sim_net *net, const char *path, struct error *err)
{
	return sim_record_write(&net->record, path, err);
}
