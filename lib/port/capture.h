/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A look at the frames of a port: copies go into a ring while a tap is set in struct port_core,
 * which only its core does. Nothing is copied, and nothing costs, while it is NULL. A full ring
 * refuses the newest frame (counted).
 *
 * Sent frames are seen as they go to the device: what it does itself (checksums, cutting of large
 * segments) is not done yet.
 */
#ifndef WEIR_CAPTURE_H
#define WEIR_CAPTURE_H

#include "port.h"

#define PORT_TAP_BYTES 2032 /* of one frame; longer ones are cut */

struct port_frame {
	uint64_t wall_ns;
	uint32_t len;      /* as it was on the wire */
	uint16_t captured; /* bytes of data */
	uint8_t sent;      /* 1: by us */
	uint8_t core;
	uint8_t data[PORT_TAP_BYTES];
};

static_assert(sizeof(struct port_frame) == 2048, "an element of a ring");

struct port_tap {
	struct ring *ring;       /* elements are struct port_frame; shared by all cores */
	const uint64_t *wall_ns; /* of the worker of this core */
	uint8_t core;
	uint64_t lost; /* frames that found the ring full; others read it by stat_read */
};

/** The owner's core: copies n packets into the ring. */
void port_tap_take(
	struct port_tap *tap, struct rte_mbuf *const *pkts, uint16_t n, bool sent) WR_DATA_CORE;

#endif
