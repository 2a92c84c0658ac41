/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two ends of a flow do: send so many bytes in pieces, read with pauses, shut, close, or
 * break off. The bytes of a flow's direction are a function of their position; every byte that is
 * read is checked.
 */
#ifndef WEIR_TESTS_SIM_APP_H
#define WEIR_TESTS_SIM_APP_H

#include "sim_host.h"

#define APP_PORT 80

struct app_plan {
	uint32_t send_bytes;
	uint32_t piece_bytes;    /* sent at once */
	uint32_t read_bytes;     /* read at once */
	uint64_t read_pause_ns;  /* between reads; 0: reads at once */
	uint32_t abort_at_bytes; /* sent and received; UINT32_MAX: never */
	uint32_t close_at_bytes; /* likewise, but closes with bytes unread or to come */
	bool shut_late;          /* shuts only after the peer's end */
};

struct app {
	struct flow *flow;
	struct app_plan plan;
	struct host *host;
	uint32_t core;
	uint32_t direction; /* of what it sends: 0 from the client */
	struct tcp_conn *conn;
	struct timer timer;
	uint32_t sent_bytes, received_bytes;
	bool pausing;
	bool opened, shut, ended, over;
	bool broke_off; /* aborted or closed early */
	enum tcp_failure failure;
};

struct flow {
	uint32_t number;
	uint32_t client_host; /* index */
	uint16_t client_port; /* 0 before it opens: any */
	uint64_t start_ns;    /* after the beginning */
	bool started;
	bool wrong; /* a byte was not what it must be */
	struct app client, server;
};

struct flows {
	uint32_t count;
	struct flow *flow;
	uint32_t host; /* whose listener this is: index */
};

/** The client opens. */
void app_connect(struct flow *flow, struct host *from, uint32_t core, struct host *to);

extern const struct tcp_owner_ops app_listen_ops; /* its user is a struct flows */

#endif
