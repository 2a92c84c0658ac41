/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In: packets of UDP in batches from ip, each to the one socket that fits it best: a flow before an
 * address, an address before any. Out: datagrams of one buffer by ip_send, their checksums left to
 * the port; port-unreachable for what nobody wants.
 *
 * Invariants: no two sockets have the same pair of ends. A socket holds no buffers, so it may be
 * closed at any moment, also by its own callback; nothing looks at it after the callback.
 */
#include <errno.h>

#include "udp.h"

#define PORT_MIN           1024       /* of those that are chosen (RFC 6056 3.2) */
#define DATAGRAM_BYTES_MAX UINT16_MAX /* that came in several buffers: a jumbo frame, fragments */

struct udp_socket {
	struct list link;
	struct udp *udp;
	udp_receive_fn fn;
	void *ctx;
	struct endpoint local;
	struct endpoint remote; /* port 0: anybody */

	/* The way to whom it last sent to. */
	struct ip_path path;
	struct ip_addr path_src;
	struct ip_addr path_dst;
};

struct udp {
	struct worker *worker;
	struct ip_stack *ip;
	const struct steer *steer;
	struct pkt_pools *pools;
	struct list sockets;
	struct mem_pool socket_pool;
	uint64_t stats[UDP_STAT_COUNT];
	struct stat_group group;
	struct mem_region region; /* it lies in it */
	uint8_t gather[DATAGRAM_BYTES_MAX];
};

static const struct stat_row udp_stat_rows[] = {
#define STAT(symbol, kind, text) STAT_ROW(symbol, kind, text)
#include "udp_stat.def"
#undef STAT
};

static_assert(ARRAY_LEN(udp_stat_rows) == UDP_STAT_COUNT, "a row per counter");

static void udp_count(struct udp *udp, enum udp_stat stat)
{
	stat_add(&udp->stats[stat], 1);
}

/* --- receiving --- */

/* 0: it does not fit; higher: it is meant more. */
static uint32_t socket_rank(
	const struct udp_socket *s, const struct endpoint *local, const struct endpoint *remote)
{
	bool any_local = ip_addr_is_any(&s->local.addr);
	bool any_remote = s->remote.port == 0;

	if (s->local.port != local->port)
		return 0;
	if (!any_local && !ip_addr_eq(&s->local.addr, &local->addr))
		return 0;
	if (!any_remote && !endpoint_eq(&s->remote, remote))
		return 0;
	return 1 + !any_local + 2 * !any_remote;
}

static struct udp_socket *socket_find(
	struct udp *udp, const struct endpoint *local, const struct endpoint *remote)
{
	struct udp_socket *best = NULL;
	uint32_t best_rank = 0;

	list_for_each (link, &udp->sockets) {
		struct udp_socket *s = list_entry(link, struct udp_socket, link);
		uint32_t rank = socket_rank(s, local, remote);

		if (rank > best_rank) {
			best_rank = rank;
			best = s;
		}
	}
	return best;
}

/* Zero says that there is none, which IPv6 does not allow (RFC 8200 8.1). */
static bool checksum_is_right(
	const struct ip_packet *packet, const struct wire_udp *h, const uint8_t *datagram)
{
	uint32_t sum;

	if (packet->l4_checksum_ok)
		return true;
	if (h->checksum == 0)
		return ip_addr_is_v4(&packet->src);
	sum = wire_checksum_pseudo(&packet->src, &packet->dst, WIRE_PROTO_UDP, h->len_bytes);
	return wire_checksum_fold(wire_checksum_add(sum, datagram, h->len_bytes)) == 0;
}

/* The whole datagram in one piece; NULL if it is not one. */
static const uint8_t *datagram_read(
	struct udp *udp, const struct ip_packet *packet, struct wire_udp *h)
{
	const struct rte_mbuf *m = packet->m;
	const uint8_t *p;

	if (m->data_len < WIRE_UDP_BYTES ||
		wire_udp_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len, h) != WIRE_OK)
		return NULL;
	p = rte_pktmbuf_read(m, 0, h->len_bytes, udp->gather);
	return p != NULL && checksum_is_right(packet, h, p) ? p : NULL;
}

static void packet_input(struct udp *udp, const struct ip_packet *packet)
{
	struct wire_udp h;
	const uint8_t *p = datagram_read(udp, packet, &h);
	struct endpoint local = {packet->dst, h.dst_port};
	struct endpoint remote = {packet->src, h.src_port};
	struct udp_socket *s;

	if (p == NULL) {
		udp_count(udp, UDP_STAT_RX_BAD);
		return;
	}
	s = socket_find(udp, &local, &remote);
	if (s == NULL) {
		udp_count(udp, UDP_STAT_RX_NO_PORT);
		ip_send_icmp_error(udp->ip, packet, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_PORT);
		return;
	}
	udp_count(udp, UDP_STAT_RX);
	s->fn(s->ctx, s, &remote,
		bytes_of((const char *)p + WIRE_UDP_BYTES, h.len_bytes - (size_t)WIRE_UDP_BYTES));
}

static void udp_input(void *ctx, struct ip_packet *packets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		packet_input(ctx, &packets[i]);
		pkt_free(packets[i].m);
	}
}

/* --- set-up --- */

struct udp *udp_create(struct worker *worker, struct ip_stack *ip, const struct steer *steer,
	struct pkt_pools *pools, uint32_t sockets_max, struct error *err)
{
	struct mem_region region = {0};
	struct udp *udp;

	if (mem_region_alloc(&region, sizeof(*udp), "UDP", err) != 0)
		return NULL;
	udp = region.base;
	udp->region = region;
	udp->worker = worker;
	udp->ip = ip;
	udp->steer = steer;
	udp->pools = pools;
	list_init(&udp->sockets);
	stat_group_init(&udp->group, "udp", udp_stat_rows, UDP_STAT_COUNT, udp->stats);
	if (mem_pool_init(&udp->socket_pool, "udp sockets", sizeof(struct udp_socket),
		    CACHE_LINE_BYTES, sockets_max, err) != 0) {
		mem_region_free(&region);
		return NULL;
	}
	worker_pool_add(worker, &udp->socket_pool);
	worker_group_add(worker, &udp->group);
	ip_proto_set(ip, WIRE_PROTO_UDP, udp_input, NULL, udp);
	return udp;
}

/* The worker is gone already: nothing here may touch it. */
void udp_destroy(struct udp *udp)
{
	struct mem_region region;

	if (udp == NULL)
		return;
	while (!list_is_empty(&udp->sockets))
		udp_close(list_first(&udp->sockets, struct udp_socket, link));
	mem_pool_fini(&udp->socket_pool);
	list_del(&udp->group.link);
	region = udp->region;
	mem_region_free(&region);
}

/* --- sockets --- */

static bool is_taken(
	const struct udp *udp, const struct endpoint *local, const struct endpoint *remote)
{
	list_for_each (link, &udp->sockets) {
		const struct udp_socket *s = list_entry(link, struct udp_socket, link);

		if (endpoint_eq(&s->local, local) && endpoint_eq(&s->remote, remote))
			return true;
	}
	return false;
}

/* `own` is the local end as the remote sees it. */
static bool port_fits(const struct udp_socket *s, const struct endpoint *own)
{
	struct endpoint local = {s->local.addr, own->port};

	if (is_taken(s->udp, &local, &s->remote))
		return false;
	return s->remote.port == 0 ? ip_port_is_ours(s->udp->ip, own->port)
				   : ip_flow_is_ours(s->udp->ip, own, &s->remote);
}

/* From a random place on, so that answers are harder to forge (RFC 6056 3.3.1). */
static int port_choose(struct udp_socket *s, struct error *err)
{
	const struct steer *steer = s->udp->steer;
	struct endpoint own = {.addr = s->path_src};
	uint32_t min = PORT_MIN, max = UINT16_MAX, offset, count;

	if (steer->control_port_max != 0)
		max = steer->control_port_min - 1U;
	if (steer->control_port_max != 0 && ip_port_is_ours(s->udp->ip, steer->control_port_min)) {
		min = steer->control_port_min;
		max = steer->control_port_max;
	}
	if (s->remote.port == 0 && !ip_port_is_ours(s->udp->ip, (uint16_t)min))
		return error_set(
			err, -EINVAL, "no UDP port belongs to %s alone", s->udp->worker->name);
	count = max - min + 1;
	offset = rand_below(&s->udp->worker->rand, count);
	for (uint32_t i = 0; i < count; i++) {
		own.port = (uint16_t)(min + (offset + i) % count);
		if (port_fits(s, &own)) {
			s->local.port = own.port;
			return 0;
		}
	}
	return error_set(err, -EADDRINUSE, "no UDP port is free");
}

static int path_find(struct udp_socket *s, const struct endpoint *to)
{
	/* Of a loopback address that we share with a bench, our part is our sockets. */
	bool to_us = ip_addr_is_loopback(&to->addr) && socket_find(s->udp, to, &s->local) != NULL;

	if (s->path.generation != 0 && ip_addr_eq(&s->path_dst, &to->addr) &&
		s->path.loopback_to_us == to_us)
		return 0;
	s->path_src = s->local.addr;
	s->path_dst = to->addr;
	s->path = (struct ip_path){.loopback_to_us = to_us};
	return ip_path_find(s->udp->ip, &s->path_src, &to->addr, &s->path);
}

static int socket_init(struct udp_socket *s, struct error *err)
{
	char text[ENDPOINT_TEXT_SIZE];
	int rc;

	if (!ip_addr_is_any(&s->local.addr) && !ip_addr_is_ours(s->udp->ip, &s->local.addr))
		return error_set(err, -EADDRNOTAVAIL, "UDP %s: the address is not ours",
			endpoint_format(&s->local, text));
	if (s->remote.port != 0) {
		rc = path_find(s, &s->remote);
		if (rc != 0)
			return error_set(err, rc, "UDP to %s: there is no route",
				endpoint_format(&s->remote, text));
	}
	if (s->local.port == 0)
		return port_choose(s, err);
	if (is_taken(s->udp, &s->local, &s->remote))
		return error_set(
			err, -EADDRINUSE, "UDP %s is in use", endpoint_format(&s->local, text));
	return 0;
}

struct udp_socket *udp_open(struct udp *udp, const struct endpoint *local,
	const struct endpoint *remote, udp_receive_fn fn, void *ctx, struct error *err)
{
	struct udp_socket *s = mem_pool_get(&udp->socket_pool);

	if (s == NULL) {
		error_set(err, -ENOSPC, "more than %u UDP sockets", udp->socket_pool.count_max);
		return NULL;
	}
	*s = (struct udp_socket){.udp = udp, .fn = fn, .ctx = ctx, .local = *local};
	if (remote != NULL)
		s->remote = *remote;
	if (socket_init(s, err) != 0) {
		mem_pool_put(&udp->socket_pool, s);
		return NULL;
	}
	list_add_tail(&udp->sockets, &s->link);
	return s;
}

void udp_close(struct udp_socket *socket)
{
	if (socket == NULL)
		return;
	list_del(&socket->link);
	mem_pool_put(&socket->udp->socket_pool, socket);
}

const struct endpoint *udp_local(const struct udp_socket *socket)
{
	return &socket->local;
}

/* --- sending --- */

static uint32_t payload_max(const struct udp_socket *s, const struct ip_addr *to)
{
	uint32_t room = ip_path_mtu(s->udp->ip, &s->path) - ip_header_bytes(to);

	return MIN(room, (uint32_t)(PKT_DATA_ROOM_BYTES - PKT_HEADROOM_BYTES)) - WIRE_UDP_BYTES;
}

int udp_send(struct udp_socket *socket, const struct endpoint *to, struct bytes payload)
{
	struct udp *udp = socket->udp;
	int rc = path_find(socket, to);
	struct wire_udp h = {.src_port = socket->local.port, .dst_port = to->port};
	struct rte_mbuf *m;
	uint8_t *p;

	if (rc != 0)
		return rc;
	if (payload.len > payload_max(socket, &to->addr))
		return -EMSGSIZE;
	m = pkt_alloc(udp->pools);
	if (m == NULL) {
		udp_count(udp, UDP_STAT_TX_NO_BUFFER);
		return -ENOBUFS;
	}
	h.len_bytes = (uint16_t)(WIRE_UDP_BYTES + payload.len);
	p = (uint8_t *)rte_pktmbuf_append(m, h.len_bytes);
	wire_udp_emit(p, &h);
	if (payload.len > 0)
		memcpy(p + WIRE_UDP_BYTES, payload.ptr, payload.len);
	m->l4_len = WIRE_UDP_BYTES;
	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	udp_count(udp, UDP_STAT_TX);
	ip_send(udp->ip, &socket->path, &socket->path_src, &to->addr, WIRE_PROTO_UDP, 0, m);
	return 0;
}
