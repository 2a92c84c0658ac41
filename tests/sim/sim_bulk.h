/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows that never end: host 0 sends to host 1 as fast as it may, host 1 counts what comes. For
 * questions about speed; the content is nobody's business here.
 */
#ifndef WEIR_TESTS_SIM_BULK_H
#define WEIR_TESTS_SIM_BULK_H

#include "sim_pair.h"

#define BULKS_MAX 4

struct bulk {
	struct bulks *all;
	struct tcp_conn *from, *to; /* NULL: not opened yet, or gone */
	uint16_t port;              /* of the sender */
	uint64_t received_bytes;
	enum tcp_failure failure; /* of either end */
};

struct bulks {
	struct pair *pair;
	uint32_t count;
	struct bulk bulk[BULKS_MAX];
};

/** Listens on host 1 of a pair of machines with one core each. */
void bulks_init(struct bulks *b, struct pair *pair);

/** Starts one more flow now. */
struct bulk *bulk_start(struct bulks *b, enum tcp_cc_kind cc);

/** Resets all and lets the pair come to rest. */
void bulks_stop(struct bulks *b);

/** The machines of such a pair: one core, buffers of so many bytes. */
struct host_config bulk_host(uint64_t seed, uint32_t buffer_bytes);

/** What [--cc NAME] [--seed N] say; Reno and 1. */
void bulk_options(int argc, char **argv, enum tcp_cc_kind *cc, uint64_t *seed);

#endif
