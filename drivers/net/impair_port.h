/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * impair_port: a port over another port, with a bad line (impair.h) in each direction of each
 * queue, for tests and labs against real peers.
 *
 *   device -> rx_burst -> line "in" -> [time passes] -> the stack
 *   the stack -> tx_burst -> line "out" -> [time passes] -> device
 *
 * The lines carry frames as they are on a wire: the port offers no checksums and no cutting, so
 * that lib/port does that before, and a damaged frame is seen as damaged. A frame of several
 * segments becomes one in its own first buffer when it enters a line, as a NIC's DMA would make
 * it: that buffer is there for the headers anyway, so a copy costs no memory, and bytes that wait
 * for the other side are not pinned by frames that are only late. (A frame that does not fit into
 * one buffer stays a chain.)
 *
 * At most pkts_max frames are under way in each line; the newest is lost and counted. Each queue
 * has its share of the rate, and a stream of chances of its own.
 */
#ifndef WEIR_IMPAIR_PORT_H
#define WEIR_IMPAIR_PORT_H

#include "clock.h"
#include "impair.h"
#include "port.h"

enum impair_direction {
	IMPAIR_IN,
	IMPAIR_OUT,
	IMPAIR_DIRECTIONS,
};

struct impair_port_config {
	struct port *inner; /* belongs to the result, which destroys it */
	struct clock *clock;
	const struct port_impair *impair;
	uint32_t pkts_max;
};

/** Start-up. NULL with *err set (-ENOMEM); then `inner` is still the caller's. */
struct port *impair_port_create(const struct impair_port_config *config, struct error *err);

/** The seed of a line. Same for all who impair by the same configuration. */
uint64_t impair_port_seed(uint64_t seed, uint16_t queue, enum impair_direction direction);

#endif
