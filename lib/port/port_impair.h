/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a bad line does to packets, as the configuration says it. The line itself is drivers/net
 * (impair.h); here so that the model can hold it.
 */
#ifndef WEIR_PORT_IMPAIR_H
#define WEIR_PORT_IMPAIR_H

#include "base.h"

#define IMPAIR_PPM_ALL 1000000

/* One direction. All 0: a perfect line. Chances are in parts per million. */
struct impair_config {
	uint64_t delay_ns;
	uint64_t jitter_ns; /* added to the delay: 0 to this, uniform */
	uint64_t reorder_ns;
	uint64_t rate_bits_per_s; /* 0: no limit */
	uint32_t loss_ppm;
	uint32_t duplicate_ppm;
	uint32_t corrupt_ppm;
	uint32_t mark_ppm; /* of packets that are ECN-capable: marked (RFC 3168) */
	uint32_t reorder_ppm;
	uint32_t queue_bytes_max; /* that wait for the rate; more is lost; 0: no limit */
};

/* Both directions of a port, as seen by us. */
struct port_impair {
	bool on; /* false: the rest is 0, the port is as it is */
	struct impair_config in, out;
	uint64_t seed;
};

#endif
