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

/** Start-up. Registers for UDP with `ip`. At most sockets_max sockets, meant for tens: they are
 * searched one by one. NULL with *err set (-ENOMEM). */
struct udp *udp_create(struct worker *worker, struct ip_stack *ip, const struct steer *steer,
	struct pkt_pools *pools, uint32_t sockets_max, struct error *err);
/** NULL-safe; closes all sockets. After worker_destroy, before ip_stack_destroy. */
void udp_destroy(struct udp *udp);

/**
 * The owner's core. A local address of any: all of ours. With `remote` only its datagrams are
 * taken; NULL: anybody's. Local port 0: one whose answers come to this core. A worker that is not
 * the only one can have that for a known remote only, because the core is a function of both ends;
 * the control core has a range of ports of its own.
 *
 * Datagrams to a port that was named go to the core that steering says, whoever opened it.
 *
 * NULL with *err set: -EADDRINUSE if the same pair is open or no port is free, -ENOSPC beyond
 * sockets_max, -EINVAL for port 0 without a remote on one of several workers, -ENETUNREACH without
 * a route to the remote, -EADDRNOTAVAIL if the local address is not ours.
 */
struct udp_socket *udp_open(struct udp *udp, const struct endpoint *local,
	const struct endpoint *remote, udp_receive_fn fn, void *ctx, struct error *err);

/** The owner's core, also inside the socket's udp_receive_fn. NULL-safe. */
void udp_close(struct udp_socket *socket);

/** Its local end, with the port that was chosen; the address is any if it was opened so. */
const struct endpoint *udp_local(const struct udp_socket *socket);

/**
 * The owner's core. Copies the payload into one datagram, never a fragment. Returns 0; -EMSGSIZE if
 * it does not fit the path's MTU or one buffer, -ENOBUFS without a buffer (counted), -ENETUNREACH
 * without a route, -EADDRNOTAVAIL if the local address is not ours. 0 does not promise delivery.
 */
int udp_send(struct udp_socket *socket, const struct endpoint *to, struct bytes payload);

#endif
