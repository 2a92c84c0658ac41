/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for a machine of two workers and a control core with live neighbours, a listener of
 * UDP and a handler of TCP that answers. The input is a string of records: a byte of switches, a
 * length of two bytes, and the frame. What must hold besides "no crash": handlers get packets
 * that are whole and for us, and every buffer is given back.
 */
#include <stdlib.h>

#include "fake_eal.h"
#include "fake_port.h"
#include "udp.h"
#include "wire_ipv6.h"

#define CORES         3
#define POOL_COUNT    1023
#define FRAME_MAX     1600
#define IPV4_AT       14
#define IPV4_CHECKSUM 10
#define TURNS_MAX     10
#define STEP_NS       (700 * NS_PER_MS)
#define ADDR(a, b, c, d)                                                             \
	{                                                                            \
		{                                                                    \
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) \
		}                                                                    \
	}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Switches of a record. */
enum {
	PORT_CHECKED = 1 << 0, /* the port says that the checksums are good */
	MEND_SUMS = 1 << 1,    /* the checksums of IPv4 headers and of ICMPv6 are put right */
	SPLIT = 1 << 2,        /* over two buffers */
	TIME = 1 << 3,         /* time goes on before it */
	SEND = 1 << 4,         /* we send something, too */
	CLOSE = 1 << 5,        /* the socket is closed by what it receives */
};

struct machine {
	struct clock_manual clock;
	struct steer steer;
	struct fake_port port;
	struct ring *tx_ring;
	struct worker *workers[CORES];
	struct pkt_pools pools[CORES];
	struct port_core ports[CORES];
	struct ip_stack *ip[CORES];
	struct udp *udp[CORES];
	struct udp_socket *socket;
	bool close;
};

static const struct ip_iface_config ifaces[] = {
	{.name = "lan", .mtu = 1500},
	{.name = "v7", .vlan = 7, .mtu = 1496, .allow_loopback = true},
};

static const struct ip_address_config addresses[] = {
	{.prefix = {ADDR(10, 0, 0, 1), 24}}, {.prefix = {ADDR(10, 0, 0, 80), 32}, .service = true},
	{.prefix = {ADDR(127, 0, 0, 2), 8}, .iface = 1},
	{.prefix = {{{0xfd, 0, 0, 9, [15] = 1}}, 64}}, /* fd00:9::1, and fe80::ff:fe00:1 with it */
};

static const struct ip_route_config routes[] = {
	{.prefix = {ADDR(0, 0, 0, 0), 0}, .gateway = ADDR(10, 0, 0, 254)},
};

static const struct ip_config net = {
	ARRAY_LEN(ifaces), ARRAY_LEN(addresses), ARRAY_LEN(routes), ifaces, addresses, routes};

/* Answers every other packet with itself, every third with an error. */
static void tcp_input(void *ctx, struct ip_packet *packets, uint32_t n)
{
	struct ip_stack *ip = ctx;

	for (uint32_t i = 0; i < n; i++) {
		struct ip_packet *p = &packets[i];
		struct ip_path path = {0};

		ASSERT(ip_addr_is_ours(ip, &p->dst));
		ASSERT(p->proto == WIRE_PROTO_TCP);
		rte_mbuf_sanity_check(p->m, 1);
		if (i % 3 == 0)
			ip_send_icmp_error(ip, p, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_PORT);
		if (i % 2 == 0 && p->ttl > 1 && p->m->nb_segs == 1 && p->tos != 1) {
			p->m->ol_flags = 0;
			ip_send(ip, &path, &p->dst, &p->src, WIRE_PROTO_TCP, 1, p->m);
		} else {
			pkt_free(p->m);
		}
	}
}

static void on_error(void *ctx, const struct ip_icmp_error *error)
{
	ASSERT(ip_addr_is_ours(ctx, &error->src));
}

static void on_datagram(
	void *ctx, struct udp_socket *socket, const struct endpoint *from, struct bytes payload)
{
	struct machine *m = ctx;

	(void)udp_send(socket, from, payload);
	if (m->close) {
		udp_close(socket);
		m->socket = NULL;
	}
}

static void core_init(struct machine *m, uint32_t core)
{
	const struct worker_config worker = {.name = "core",
		.index = core,
		.cores = CORES,
		.control = core == CORES - 1,
		.clock = &m->clock.clock};
	uint16_t queue = core == 0 ? 0 : PORT_NO_QUEUE;
	struct ip_stack_config stack = {.steer = &m->steer,
		.net = &net,
		.ports = &m->ports[core],
		.port_count = 1,
		.pools = &m->pools[core]};
	char name[] = "fuzz0";

	name[4] = (char)('0' + core);
	m->workers[core] = worker_create(&worker, NULL);
	ASSERT(m->workers[core] != NULL);
	ASSERT(pkt_pools_init(&m->pools[core], name, POOL_COUNT, POOL_COUNT, -1, NULL) == 0);
	ASSERT(port_core_init(&m->ports[core], &m->port.port, &m->pools[core], queue, queue,
		       m->tx_ring) == 0);
	stack.worker = m->workers[core];
	m->ip[core] = ip_stack_create(&stack, NULL);
	ASSERT(m->ip[core] != NULL);
	ip_proto_set(m->ip[core], WIRE_PROTO_TCP, tcp_input, on_error, m->ip[core]);
	m->udp[core] =
		udp_create(m->workers[core], m->ip[core], &m->steer, &m->pools[core], 4, NULL);
	ASSERT(m->udp[core] != NULL);
	ASSERT(ip_stack_start(m->ip[core], NULL) == 0);
}

/* Once for all inputs: what an input leaves behind is cleared after it. */
static struct machine *machine(void)
{
	static struct machine *m;

	if (m != NULL)
		return m;
	fake_eal_init();
	m = calloc(1, sizeof(*m));
	ASSERT(m != NULL);
	clock_manual_init(&m->clock, NS_PER_SEC);
	steer_init(&m->steer, CORES - 1);
	fake_port_init(&m->port, 0, 1);
	m->tx_ring = ring_create("fuzz tx", 255, sizeof(struct rte_mbuf *), NULL);
	ASSERT(m->tx_ring != NULL);
	for (uint32_t i = 0; i < CORES; i++)
		core_init(m, i);
	worker_connect(m->workers, CORES);
	ASSERT(ip_stack_connect(m->ip, CORES, NULL) == 0);
	return m;
}

static void turn(struct machine *m)
{
	struct rte_mbuf *sent;
	uint32_t work = 1;

	for (uint32_t i = 0; i < TURNS_MAX && work > 0; i++) {
		work = 0;
		for (uint32_t core = 0; core < CORES; core++)
			work += worker_poll(m->workers[core], 0);
	}
	while ((sent = fake_port_sent(&m->port)) != NULL) {
		rte_mbuf_sanity_check(sent, 1);
		ASSERT(sent->pkt_len >= WIRE_ETHER_BYTES);
		rte_pktmbuf_free(sent);
	}
}

/* The checksum of ICMPv6, which nobody guesses. */
static void mend_icmp6(uint8_t *ip, size_t len)
{
	struct wire_ipv6_chain chain;
	struct wire_ipv6 h;
	uint32_t sum, bytes;

	if (wire_ipv6_parse(ip, len, &h) != WIRE_OK ||
		wire_ipv6_walk(ip, len, &h, &chain) == WIRE_SHORT ||
		chain.proto != WIRE_PROTO_ICMPV6 ||
		chain.header_bytes + 4u > WIRE_IPV6_BYTES + (uint32_t)h.payload_bytes)
		return;
	bytes = WIRE_IPV6_BYTES + (uint32_t)h.payload_bytes - chain.header_bytes;
	ip += chain.header_bytes;
	store_be16(ip + 2, 0);
	sum = wire_checksum_pseudo(&h.src, &h.dst, WIRE_PROTO_ICMPV6, bytes);
	store_be16(ip + 2, wire_checksum_fold(wire_checksum_add(sum, ip, bytes)));
}

static struct rte_mbuf *frame(struct machine *m, uint8_t switches, const uint8_t *p, uint16_t len)
{
	struct rte_mbuf *first = pkt_alloc(&m->pools[0]), *second = NULL;
	uint16_t at = switches & SPLIT ? len / 2 : len;
	uint8_t *to;

	ASSERT(first != NULL);
	to = (uint8_t *)rte_pktmbuf_append(first, len);
	memcpy(to, p, len);
	if ((switches & MEND_SUMS) && len >= IPV4_AT + 20 && to[12] == 0x08 &&
		(to[IPV4_AT] & 15) * 4 + IPV4_AT <= len) {
		store_be16(to + IPV4_AT + IPV4_CHECKSUM, 0);
		store_be16(to + IPV4_AT + IPV4_CHECKSUM,
			wire_checksum_fold(wire_checksum_add(
				0, to + IPV4_AT, (size_t)(to[IPV4_AT] & 15) * 4)));
	}
	if ((switches & MEND_SUMS) && len >= WIRE_ETHER_BYTES && to[12] == 0x86)
		mend_icmp6(to + WIRE_ETHER_BYTES, (size_t)len - WIRE_ETHER_BYTES);
	if (switches & PORT_CHECKED)
		first->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (at < len) {
		second = pkt_alloc(&m->pools[0]);
		ASSERT(second != NULL);
		memcpy(rte_pktmbuf_append(second, len - at), to + at, len - at);
		rte_pktmbuf_trim(first, len - at);
		rte_pktmbuf_chain(first, second);
	}
	return first;
}

static void record(struct machine *m, uint8_t switches, const uint8_t *p, uint16_t len)
{
	static const struct endpoint peer = {ADDR(10, 0, 0, 2), 514};

	if (switches & TIME)
		clock_manual_advance(&m->clock, STEP_NS);
	if ((switches & SEND) && m->socket != NULL)
		(void)udp_send(m->socket, &peer, BYTES_LIT("log line"));
	m->close = switches & CLOSE;
	fake_port_receive(&m->port, frame(m, switches, p, len));
	turn(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct endpoint any = {.port = 514};
	struct machine *m = machine();

	m->socket = udp_open(m->udp[0], &any, NULL, on_datagram, m, NULL);
	while (size >= 3) {
		uint16_t len = (uint16_t)(data[1] << 8 | data[2]);

		len = (uint16_t)MIN((size_t)len, MIN(size - 3, (size_t)FRAME_MAX));
		record(m, data[0], data + 3, len);
		data += 3 + len;
		size -= 3 + (size_t)len;
	}
	turn(m);
	udp_close(m->socket);
	for (uint32_t core = 0; core < CORES; core++) {
		ip_neighbour_flush(m->ip[core]);
		ip_fragments_flush(m->ip[core]);
	}
	for (uint32_t core = 0; core < CORES; core++)
		ASSERT(pkt_pools_used(&m->pools[core]) == 0);
	return 0;
}
