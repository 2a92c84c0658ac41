/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network over a wire of frames with the proxy at its other end: a DPDK device, say net_memif
 * to a process of its own, or what the caller attaches (frames.h). One burst per turn each way;
 * what the wire does not take waits, and while much waits nothing more is received: the proxy sets
 * the pace.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "mini_tcp.h"
#include "frames.h"

#define BURST        64
#define WAITING_MAX  4096
#define WAITING_HIGH 2048
#define POOL_COUNT   16383
#define DESCS        1024
#define ARP_BYTES    28
#define FRAME_MAX    (14 + 65535)
#define ARP_EVERY_NS (100 * UINT64_C(1000000))
#define MEMORY_MIB   "256"

struct net_dpdk {
	struct mini_tcp tcp; /* first */
	const struct wire *wire;
	struct wire device; /* of a DPDK device */
	uint16_t port;
	bool target_known;
	uint8_t mac[6], target_mac[6];
	uint64_t asked_at;
	struct rte_mempool *pool;
	struct rte_mbuf *frame; /* that mini_frame gave */
	uint32_t waiting_count;
	struct rte_mbuf *waiting[WAITING_MAX];
	uint8_t whole[FRAME_MAX]; /* of a frame that came in pieces */
};

uint8_t *mini_frame(struct mini_tcp *t)
{
	struct net_dpdk *n = (struct net_dpdk *)t;

	if (n->waiting_count == WAITING_MAX || !n->target_known) {
		n->tcp.net.stats.tx_dropped++;
		return NULL;
	}
	n->frame = n->wire->alloc(n->wire->ctx);
	if (!n->frame)
		n->tcp.net.stats.tx_dropped++;
	return n->frame ? rte_pktmbuf_mtod(n->frame, uint8_t *) : NULL;
}

static void queue(
	struct net_dpdk *n, struct rte_mbuf *m, const uint8_t *dst, uint16_t type, uint32_t len)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);

	memcpy(frame, dst, 6);
	memcpy(frame + 6, n->mac, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	n->waiting[n->waiting_count++] = m;
}

void mini_frame_send(struct mini_tcp *t, uint32_t len)
{
	struct net_dpdk *n = (struct net_dpdk *)t;

	queue(n, n->frame, n->target_mac, 0x0800, len);
}

/* --- ARP --------------------------------------------------------------------------- */

static uint32_t v4_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_v4(uint8_t *p, uint32_t v4)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v4 >> (24 - 8 * i));
}

static bool is_ours(const struct net_dpdk *n, uint32_t v4)
{
	const struct net_config *config = n->tcp.net.config;

	return v4 - config->origin_v4 < config->origin_count ||
	       v4 - config->client_v4 < config->client_count;
}

static void arp_send(
	struct net_dpdk *n, uint16_t op, uint32_t sender, const uint8_t *to_mac, uint32_t to)
{
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct rte_mbuf *m = n->waiting_count < WAITING_MAX ? n->wire->alloc(n->wire->ctx) : NULL;
	uint8_t *arp;

	if (!m)
		return;
	arp = rte_pktmbuf_mtod(m, uint8_t *) + 14;
	memset(arp, 0, 60 - 14);
	memcpy(arp, head, sizeof(head));
	arp[7] = (uint8_t)op;
	memcpy(arp + 8, n->mac, 6);
	put_v4(arp + 14, sender);
	if (to_mac)
		memcpy(arp + 18, to_mac, 6);
	put_v4(arp + 24, to);
	queue(n, m, to_mac ? to_mac : all, 0x0806, 60);
}

static void arp_input(struct net_dpdk *n, const uint8_t *arp, uint32_t len)
{
	if (len < ARP_BYTES)
		return;
	if (v4_at(arp + 14) == n->tcp.net.config->target_v4) {
		memcpy(n->target_mac, arp + 8, 6);
		n->target_known = true;
	}
	if (arp[7] == 1 && is_ours(n, v4_at(arp + 24)))
		arp_send(n, 2, v4_at(arp + 24), arp + 8, v4_at(arp + 14));
}

static void ask_for_target(struct net_dpdk *n)
{
	const struct net_config *config = n->tcp.net.config;

	if (n->target_known || n->tcp.net.now_ns - n->asked_at < ARP_EVERY_NS)
		return;
	n->asked_at = n->tcp.net.now_ns;
	arp_send(n, 1, config->client_v4, NULL, config->target_v4);
}

/* --- turns ------------------------------------------------------------------------- */

static void flush(struct net_dpdk *n)
{
	uint32_t done = 0;

	while (done < n->waiting_count) {
		uint32_t left = n->waiting_count - done;
		uint16_t sent = n->wire->send(
			n->wire->ctx, &n->waiting[done], (uint16_t)(left < BURST ? left : BURST));

		if (sent == 0)
			break;
		done += sent;
	}
	n->tcp.net.stats.tx_pkts += done;
	n->waiting_count -= done;
	memmove(n->waiting, n->waiting + done, n->waiting_count * sizeof(n->waiting[0]));
}

/* Its bytes in one piece. */
static const uint8_t *whole_frame(struct net_dpdk *n, const struct rte_mbuf *m)
{
	if (m->nb_segs == 1)
		return rte_pktmbuf_mtod(m, const uint8_t *);
	return m->pkt_len <= FRAME_MAX ? rte_pktmbuf_read(m, 0, m->pkt_len, n->whole) : NULL;
}

static void frame_input(struct net_dpdk *n, const uint8_t *frame, uint32_t len)
{
	if (!frame || len <= 14)
		return;
	if (frame[12] == 8 && frame[13] == 0)
		mini_input(&n->tcp, frame + 14, len - 14);
	else if (frame[12] == 8 && frame[13] == 6)
		arp_input(n, frame + 14, len - 14);
}

static void receive(struct net_dpdk *n)
{
	struct rte_mbuf *pkts[BURST];
	uint16_t count = n->wire->receive(n->wire->ctx, pkts, BURST);

	n->tcp.net.stats.rx_pkts += count;
	for (uint16_t i = 0; i < count; i++) {
		if (i + 1 < count)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + 1], void *));
		frame_input(n, whole_frame(n, pkts[i]), pkts[i]->pkt_len);
		n->wire->release(n->wire->ctx, pkts[i]);
	}
}

static void poll(struct net *net, uint64_t now_ns)
{
	struct net_dpdk *n = (struct net_dpdk *)net;

	(void)now_ns;
	ask_for_target(n);
	if (n->waiting_count < WAITING_HIGH)
		receive(n);
	if (n->target_known)
		mini_output(&n->tcp);
	flush(n);
}

/* --- a device ---------------------------------------------------------------------- */

static struct rte_mbuf *device_alloc(void *ctx)
{
	struct net_dpdk *n = ctx;

	return rte_pktmbuf_alloc(n->pool);
}

static void device_release(void *ctx, struct rte_mbuf *m)
{
	(void)ctx;
	rte_pktmbuf_free(m);
}

static uint16_t device_receive(void *ctx, struct rte_mbuf **pkts, uint16_t n)
{
	return rte_eth_rx_burst(((struct net_dpdk *)ctx)->port, 0, pkts, n);
}

static uint16_t device_send(void *ctx, struct rte_mbuf **pkts, uint16_t n)
{
	return rte_eth_tx_burst(((struct net_dpdk *)ctx)->port, 0, pkts, n);
}

/* --- life -------------------------------------------------------------------------- */

static void destroy(struct net *net)
{
	struct net_dpdk *n = (struct net_dpdk *)net;

	if (n->wire == &n->device) {
		rte_eth_dev_stop(n->port);
		rte_eth_dev_close(n->port);
		rte_eal_cleanup();
	}
	mini_fini(&n->tcp);
	free(n);
}

static const struct net_ops ops = {
	.connect = mini_connect,
	.send = mini_send,
	.shut = mini_shut,
	.abort = mini_abort,
	.poll = poll,
	.syn = mini_syn,
	.destroy = destroy,
};

static bool start_eal(const char *device)
{
	static char prefix[64], vdev[256];
	char *argv[] = {"load", "--no-telemetry", "--log-level=warning", prefix, "--lcores=0", "-m",
		MEMORY_MIB, "--no-huge", "--no-shconf", "--no-pci", "--iova-mode=va", vdev, NULL};

	snprintf(prefix, sizeof(prefix), "--file-prefix=load-%d", (int)getpid());
	snprintf(vdev, sizeof(vdev), "--vdev=%s", device);
	return rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) >= 0;
}

static bool start_device(struct net_dpdk *n)
{
	struct rte_eth_conf conf = {0};
	struct rte_ether_addr mac;

	n->pool = rte_pktmbuf_pool_create(
		"load", POOL_COUNT, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!n->pool || rte_eth_dev_count_avail() == 0)
		return false;
	n->port = (uint16_t)rte_eth_find_next(0);
	if (rte_eth_dev_configure(n->port, 1, 1, &conf) != 0 ||
		rte_eth_rx_queue_setup(n->port, 0, DESCS, 0, NULL, n->pool) != 0 ||
		rte_eth_tx_queue_setup(n->port, 0, DESCS, 0, NULL) != 0 ||
		rte_eth_dev_start(n->port) != 0 || rte_eth_macaddr_get(n->port, &mac) != 0)
		return false;
	memcpy(n->mac, mac.addr_bytes, 6);
	n->device = (struct wire){.ctx = n,
		.alloc = device_alloc,
		.release = device_release,
		.receive = device_receive,
		.send = device_send};
	n->wire = &n->device;
	return true;
}

static struct net_dpdk *create(const struct net_config *config, void *app_ctx)
{
	struct net_dpdk *n = calloc(1, sizeof(*n));

	if (!n || mini_init(&n->tcp, config) != 0) {
		fprintf(stderr, "load: no memory for %u connections\n", config->conns_max);
		exit(1);
	}
	n->tcp.net.ops = &ops;
	n->tcp.net.app_ctx = app_ctx;
	return n;
}

struct net *net_dpdk_create(const struct net_config *config, void *app_ctx)
{
	struct net_dpdk *n = create(config, app_ctx);

	if (!start_eal(config->device) || !start_device(n)) {
		fprintf(stderr, "load: the device %s cannot be opened\n", config->device);
		exit(1);
	}
	return &n->tcp.net;
}

struct net *net_wire_create(const struct net_config *config, void *app_ctx, const struct wire *wire)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct net_dpdk *n = create(config, app_ctx);

	n->wire = wire;
	n->tcp.no_checksums = true;
	memcpy(n->mac, mac, sizeof(mac));
	return &n->tcp.net;
}
