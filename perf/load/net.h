/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net: connections, over a DPDK device or over the kernel's sockets.
 *
 * What is sent is never copied into the net: the caller's bytes stay in place until they are
 * acknowledged, so that they can be sent again. What was received is shown once, in order.
 * Calls back run inside net_poll only, or inside net_connect when the kernel is at once.
 */
#ifndef WEIR_PERF_NET_H
#define WEIR_PERF_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_PIECES_MAX 2

struct net;

struct net_piece {
	const uint8_t *bytes;
	uint32_t len;
};

/* The head of a transport's own connection. */
struct net_conn {
	struct net *net;
	const struct net_app *app;
	void *user;     /* the application's; NULL after a passive open */
	uint32_t word;  /* the application's */
	uint32_t count; /* the application's */
};

struct net_app {
	void (*opened)(struct net_conn *c); /* either role */
	void (*received)(struct net_conn *c, const uint8_t *bytes, uint32_t len);
	void (*peer_shut)(struct net_conn *c);
	void (*sent)(struct net_conn *c); /* all is acknowledged or taken; NULL: nobody asks */
	/* It is gone: reset, timed out, or closed in order after net_shut and the peer's FIN. */
	void (*closed)(struct net_conn *c, bool in_order);
};

struct net_ops {
	struct net_conn *(*connect)(struct net *net, const struct net_app *app, void *user);
	bool (*send)(struct net_conn *c, const struct net_piece *pieces, uint32_t count);
	void (*shut)(struct net_conn *c);
	void (*abort)(struct net_conn *c);
	void (*poll)(struct net *net, uint64_t now_ns);
	bool (*syn)(struct net *net, uint32_t seed);
	void (*destroy)(struct net *net);
};

struct net_config {
	const char *device; /* "net_memif0,role=client,..."; NULL: the kernel's sockets */
	uint32_t target_v4; /* the proxy */
	uint16_t target_port;
	uint32_t client_v4;    /* the first client address; sockets: any */
	uint32_t client_count; /* addresses from there on */
	uint32_t origin_v4;    /* the first origin address; sockets: of several, all of the host */
	uint32_t origin_count; /* addresses from there on */
	uint16_t origin_port;
	uint32_t conns_max; /* both roles together */
	const struct net_app *origin_app;
};

struct net_stats {
	uint64_t rx_pkts, tx_pkts, retransmits, resets, tx_dropped;
	uint64_t syn_acks; /* to nobody: of a flood */
};

struct net {
	const struct net_ops *ops;
	const struct net_config *config;
	void *app_ctx; /* struct load */
	uint64_t now_ns;
	struct net_stats stats;
};

/** NULL after a message on standard error. */
struct net *net_dpdk_create(const struct net_config *config, void *app_ctx);
struct net *net_socket_create(const struct net_config *config, void *app_ctx);

/** A connection to the target; NULL if there is no room or no port. `opened` or `closed` follows.
 */
static inline struct net_conn *net_connect(struct net *net, const struct net_app *app, void *user)
{
	return net->ops->connect(net, app, user);
}

/** Bytes that stay valid until they are acknowledged. False: what was given before is still under
 * way, or the connection cannot send. */
static inline bool net_send(struct net_conn *c, const struct net_piece *pieces, uint32_t count)
{
	return c->net->ops->send(c, pieces, count);
}

/** FIN after what was sent. */
static inline void net_shut(struct net_conn *c)
{
	c->net->ops->shut(c);
}

/** RST; no call back follows. The connection is gone. */
static inline void net_abort(struct net_conn *c)
{
	c->net->ops->abort(c);
}

/** One turn: receives, calls back, sends. */
static inline void net_poll(struct net *net, uint64_t now_ns)
{
	net->now_ns = now_ns;
	net->ops->poll(net, now_ns);
}

/** One SYN to the target from an address of 198.18.0.0/15 and a port that follow from the seed; its
 * answer is counted and no more. False: the device took none, or there are only sockets. */
static inline bool net_syn(struct net *net, uint32_t seed)
{
	return net->ops->syn(net, seed);
}

static inline void net_destroy(struct net *net)
{
	if (net)
		net->ops->destroy(net);
}

#endif
