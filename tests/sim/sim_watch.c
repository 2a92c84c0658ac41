/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim_watch.h"

static enum sim_verdict on_frame(void *ctx, const struct sim_frame *frame)
{
	const struct watch *w = ctx;
	const uint8_t *p = rte_pktmbuf_mtod(frame->m, const uint8_t *);
	size_t len = rte_pktmbuf_data_len(frame->m);
	struct watched seg = {.host = frame->from == w->pair->host[1].port};
	struct wire_ether ether;
	struct wire_ipv4 ip;

	if (wire_ether_parse(p, len, &ether) != WIRE_OK || ether.type != WIRE_ETHERTYPE_IPV4)
		return SIM_PASS;
	p += ether.len_bytes;
	if (wire_ipv4_parse(p, len - ether.len_bytes, false, &ip) != WIRE_OK ||
		ip.proto != WIRE_PROTO_TCP)
		return SIM_PASS;
	p += ip.header_bytes;
	len = (size_t)(ip.total_bytes - ip.header_bytes);
	if (wire_tcp_parse(p, len, &seg.h) == WIRE_OK) {
		seg.len = (uint32_t)len - seg.h.header_bytes;
		w->fn(w->ctx, &seg);
	}
	return SIM_PASS;
}

void watch_init(struct watch *w, const struct pair *pair,
	void (*fn)(void *ctx, const struct watched *segment), void *ctx)
{
	*w = (struct watch){pair, fn, ctx};
	sim_net_hook(pair->net, on_frame, w);
}
