/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

void port_tap_take(struct port_tap *tap, struct rte_mbuf *const *pkts, uint16_t n, bool sent)
{
	struct port_frame frame;

	frame.wall_ns = *tap->wall_ns;
	frame.core = tap->core;
	frame.sent = sent;
	for (uint16_t i = 0; i < n; i++) {
		const void *data;

		frame.len = pkts[i]->pkt_len;
		frame.captured = (uint16_t)MIN(frame.len, (uint32_t)PORT_TAP_BYTES);
		data = rte_pktmbuf_read(pkts[i], 0, frame.captured, frame.data);
		if (data != frame.data)
			memcpy(frame.data, data, frame.captured);
		if (ring_put(tap->ring, &frame, 1) == 0)
			stat_add(&tap->lost, 1);
	}
}
