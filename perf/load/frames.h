/* SPDX-License-Identifier: BSD-3-Clause */
/* What net_dpdk.c sends frames over: a device, or the memory of a weir in the same process. */
#ifndef WEIR_PERF_FRAMES_H
#define WEIR_PERF_FRAMES_H

#include <rte_mbuf.h>

#include "net.h"

struct wire {
	void *ctx;
	/** A buffer for one frame; NULL: none now. */
	struct rte_mbuf *(*alloc)(void *ctx);
	/** What was received has been read. */
	void (*release)(void *ctx, struct rte_mbuf *m);
	uint16_t (*receive)(void *ctx, struct rte_mbuf **pkts, uint16_t n);
	/** Takes the first k of n frames and returns k. */
	uint16_t (*send)(void *ctx, struct rte_mbuf **pkts, uint16_t n);
};

/** The wire must outlive the network. Never NULL: without memory the process ends. */
struct net *net_wire_create(
	const struct net_config *config, void *app_ctx, const struct wire *wire);

#endif
