/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * udp: datagram endpoints (RFC 768) on the ports, for services of the control core (syslog out,
 * DNS) and later the workers. One struct udp per core that wants it.
 */
#ifndef WEIR_UDP_H
#define WEIR_UDP_H

#include "ip.h"

struct udp;
struct udp_socket;

/** A datagram came in; `payload` is valid until the return. */
typedef void (*udp_receive_fn)(
	void *ctx, struct udp_socket *socket, const struct endpoint *from, struct bytes payload);

enum udp_stat {
#define STAT(sym, kind, text) UDP_STAT_##sym,
#include "udp_stat.def"
#undef STAT
	UDP_STAT_COUNT,
};

/** Start-up. Registers for UDP with `ip`. NULL with *err set. */
struct udp *udp_create(struct worker *worker, struct ip_stack *ip, const struct steer *steer,
	struct pkt_pools *pools, uint32_t sockets_max, struct error *err);
/** NULL-safe; closes all sockets. */
void udp_destroy(struct udp *udp);

/**
 * The owner's core. A local address of any: all of ours. Port 0: one whose answers come to this
 * core (on the control core, out of its range). NULL if none is free or sockets_max is reached; the
 * reason is in *err.
 */
struct udp_socket *udp_open(struct udp *udp, const struct endpoint *local, udp_receive_fn fn,
	void *ctx, struct error *err);
void udp_close(struct udp_socket *socket);

/**
 * The owner's core. Copies the payload into one datagram. Returns 0, -EMSGSIZE above the path's
 * MTU, -ENOBUFS without a buffer, -ENETUNREACH without a route.
 */
int udp_send(struct udp_socket *socket, const struct endpoint *to, struct bytes payload);

#endif
