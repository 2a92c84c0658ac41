/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "fake_ip.h"

struct ip_stack *fake_ip_create(struct worker *worker)
{
	struct ip_stack *ip = calloc(1, sizeof(*ip));

	ASSERT(ip != NULL);
	ip->worker = worker;
	ip->mtu = 1500;
	ip->own = ip_addr_from_v4(0x0a000001);
	return ip;
}

void fake_ip_destroy(struct ip_stack *ip)
{
	struct fake_ip_sent sent;

	while (fake_ip_fetch(ip, &sent))
		pkt_free(sent.m);
	for (uint32_t i = 0; i < ip->burst_count; i++)
		pkt_free(ip->burst[i].m);
	free(ip);
}

void fake_ip_gather(struct ip_stack *ip, struct ip_addr src, struct ip_addr dst, struct rte_mbuf *m)
{
	ASSERT(ip->burst_count < FAKE_IP_BURST_MAX);
	ip->burst[ip->burst_count++] = (struct ip_packet){
		.m = m,
		.src = src,
		.dst = dst,
		.proto = WIRE_PROTO_TCP,
		.tos = ip->tos,
		.ttl = 64,
		.l4_checksum_ok = true,
		.from_us = ip->from_us,
	};
}

void fake_ip_receive(
	struct ip_stack *ip, struct ip_addr src, struct ip_addr dst, struct rte_mbuf *m)
{
	uint32_t count;

	fake_ip_gather(ip, src, dst, m);
	count = ip->burst_count;
	ip->burst_count = 0;
	ip->fn(ip->ctx, ip->burst, count);
}

bool fake_ip_fetch(struct ip_stack *ip, struct fake_ip_sent *out)
{
	if (ip->sent_count == 0)
		return false;
	*out = ip->sent[ip->sent_head % FAKE_IP_SENT_MAX];
	ip->sent_head++;
	ip->sent_count--;
	return true;
}

/* --- ip.h, as far as it is used by the layers above -------------------------------- */

void ip_proto_set(
	struct ip_stack *ip, uint8_t proto, ip_proto_fn fn, ip_error_fn error_fn, void *ctx)
{
	ASSERT(proto == WIRE_PROTO_TCP);
	ip->fn = fn;
	ip->error_fn = error_fn;
	ip->ctx = ctx;
}

int ip_path_find(
	struct ip_stack *ip, struct ip_addr *src, const struct ip_addr *dst, struct ip_path *path)
{
	(void)dst;
	if (ip->path_error)
		return ip->path_error;
	if (ip_addr_is_any(src))
		*src = ip->own;
	path->generation = 1;
	return 0;
}

uint16_t ip_path_mtu(const struct ip_stack *ip, const struct ip_path *path)
{
	(void)path;
	return ip->mtu;
}

uint32_t ip_path_caps(const struct ip_stack *ip, const struct ip_path *path)
{
	(void)path;
	return ip->caps;
}

void ip_path_doubt(struct ip_stack *ip, const struct ip_path *path)
{
	(void)ip;
	(void)path;
}

int ip_send(struct ip_stack *ip, struct ip_path *path, const struct ip_addr *src,
	const struct ip_addr *dst, uint8_t proto, uint8_t tos, struct rte_mbuf *m)
{
	ASSERT(proto == WIRE_PROTO_TCP);
	if (ip->send_error) {
		pkt_free(m);
		return ip->send_error;
	}
	ASSERT(rte_mbuf_check(m, 1, NULL) == 0);
	ASSERT(rte_pktmbuf_headroom(m) >= PKT_HEADROOM_BYTES);
	if (!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
		ASSERT(m->pkt_len + (ip_addr_is_v4(src) ? 20u : 40u) <= ip->mtu);
	ASSERT(ip->sent_count < FAKE_IP_SENT_MAX);
	ip->sent[(ip->sent_head + ip->sent_count++) % FAKE_IP_SENT_MAX] =
		(struct fake_ip_sent){m, *src, *dst, ip->worker->now_ns, path->loopback_to_us, tos};
	return 0;
}
