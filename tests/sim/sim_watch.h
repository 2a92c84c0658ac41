/* SPDX-License-Identifier: BSD-3-Clause */
/* What the machines of a pair send, as segments of TCP, before the line has its way with it. */
#ifndef WEIR_TESTS_SIM_WATCH_H
#define WEIR_TESTS_SIM_WATCH_H

#include "sim_pair.h"

struct watched {
	uint32_t host; /* index of the sender */
	uint32_t len;  /* of the text */
	struct wire_tcp h;
};

struct watch {
	const struct pair *pair;
	void (*fn)(void *ctx, const struct watched *segment);
	void *ctx;
};

/** Takes the hook of the pair's net; *w must outlive it. */
void watch_init(struct watch *w, const struct pair *pair,
	void (*fn)(void *ctx, const struct watched *segment), void *ctx);

#endif
