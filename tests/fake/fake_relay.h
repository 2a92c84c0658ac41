/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest proxy that the message interface allows: one client, one server connection at a
 * time, every request passed on and every response passed back, nothing added.
 */
#ifndef WEIR_TESTS_FAKE_RELAY_H
#define WEIR_TESTS_FAKE_RELAY_H

#include "fake_peer.h"

enum fake_relay_mode {
	FAKE_RELAY_KEEP,
	FAKE_RELAY_SERVER_CLOSE, /* option http-server-close */
	FAKE_RELAY_CLOSE,        /* option httpclose */
};

struct fake_relay {
	struct fake_rig *rig;
	/* Opens the carrier of r->back, a new connection to the server. */
	void (*connect)(struct fake_relay *r);
	enum fake_relay_mode mode;
	struct http_conn *front, *back;
	struct http_xchg *request, *answer; /* server role, client role; NULL: over */
	struct pkt_chain up, down;
	bool answering;            /* the final head went to the client */
	bool up_ended, down_ended; /* the end went out */
	uint32_t request_count;
};

/** Sets rig, connect and mode; makes r->front, whose carrier the caller opens. */
void fake_relay_init(struct fake_relay *r, struct fake_rig *rig,
	void (*connect)(struct fake_relay *r), enum fake_relay_mode mode);

/** Closes what is still open. */
void fake_relay_fini(struct fake_relay *r);

#endif
