/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour cache of one core.
 *
 * In: packets to send (neighbour_send), and what a neighbour protocol heard (neighbour_learn), on
 * this core or by mail on another one. Out: packets with the station's address, questions to the
 * network, and host-unreachable errors about packets that waited in vain.
 *
 * INCOMPLETE  asks everybody, once a second; packets wait. No answer to the third question: FAILED.
 * REACHABLE   heard from within 30 s. Used after that: PROBE.
 * STALE       we have an address from hearsay (an announcement), not confirmed, or nothing comes
 *             back by it (ip_path_doubt). Used: PROBE.
 * PROBE       packets go out; asks the station itself. No answer to the third question: FAILED, but
 *             the next packet may ask everybody at once: the station may have moved.
 * FAILED      nothing is asked for 3 s; packets fail in the next turn, not inside ip_send, so that
 *             a caller is never called back from its own call.
 *
 * Invariants: an entry is in the table and in one of the two LRU lists, or free. Packets wait only
 * in INCOMPLETE and FAILED, and then the timer is set. Whoever holds a path holds a pool index;
 * forgetting an entry makes all paths of the core stale (generation), so no index outlives its
 * entry.
 */
#include "ip_pvt.h"

static uint32_t *bucket_of(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr)
{
	uint64_t hash = hash_bytes(addr->b, sizeof(addr->b), ip->neighbour_seed + iface);

	return &ip->neighbour_buckets[hash % IP_NEIGHBOUR_BUCKETS];
}

static struct ip_neighbour *neighbour_at(const struct ip_stack *ip, uint32_t index)
{
	return index == IP_NEIGHBOUR_NONE ? NULL : mem_pool_at(&ip->neighbour_pool, index);
}

int neighbour_init(struct ip_stack *ip, struct error *err)
{
	for (uint32_t i = 0; i < ARRAY_LEN(ip->neighbour_lru); i++)
		list_init(&ip->neighbour_lru[i]);
	ip->neighbour_seed = rand_u64(&ip->worker->rand);
	for (uint32_t i = 0; i < IP_NEIGHBOUR_BUCKETS; i++)
		ip->neighbour_buckets[i] = IP_NEIGHBOUR_NONE;
	return mem_pool_init(&ip->neighbour_pool, "ip neighbours", sizeof(struct ip_neighbour),
		CACHE_LINE_BYTES, IP_NEIGHBOURS_MAX, err);
}

/* The one to forget first: somebody who never answered before somebody who did, so that a flood of
 * packets from invented neighbours does not push out the gateway. NULL: the cache is empty. */
static struct ip_neighbour *oldest(struct ip_stack *ip)
{
	for (uint32_t i = 0; i < ARRAY_LEN(ip->neighbour_lru); i++)
		if (!list_is_empty(&ip->neighbour_lru[i]))
			return list_first(&ip->neighbour_lru[i], struct ip_neighbour, lru);
	return NULL;
}

/* Safe on a stack whose creation stopped before neighbour_init. */
void neighbour_fini(struct ip_stack *ip)
{
	struct ip_neighbour *n;

	if (ip->neighbour_lru[0].next == NULL)
		return;
	while ((n = oldest(ip)) != NULL) {
		for (uint32_t i = 0; i < n->queued; i++)
			pkt_free(n->queue[i]);
		list_del(&n->lru);
		mem_pool_put(&ip->neighbour_pool, n);
	}
	mem_pool_fini(&ip->neighbour_pool);
}

struct ip_neighbour *neighbour_find(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr)
{
	struct ip_neighbour *n = neighbour_at(ip, *bucket_of(ip, iface, addr));

	while (n != NULL && !(n->iface == iface && ip_addr_eq(&n->addr, addr)))
		n = neighbour_at(ip, n->hash_next);
	return n;
}

/* --- packets that wait --- */

static void queue_put(struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m)
{
	if (n->queued == ARRAY_LEN(n->queue))
		ip_drop(ip, IP_STAT_TX_NEIGHBOUR_QUEUE, m);
	else
		n->queue[n->queued++] = m;
}

/* Moves them out first: whoever hears of a failure may send to the same neighbour again. */
static uint32_t queue_take(struct ip_neighbour *n, struct rte_mbuf **packets)
{
	uint32_t count = n->queued;

	memcpy(packets, n->queue, count * sizeof(*packets));
	n->queued = 0;
	return count;
}

static bool error_about(const struct rte_mbuf *m, uint16_t zone, struct ip_icmp_error *error)
{
	if (*rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4)
		return ip_v4_error_about(m, WIRE_ICMP_UNREACH_HOST, error);
	return ip_v6_error_about(m, zone, WIRE_ICMP_UNREACH_HOST, error);
}

static void packet_fail(struct ip_stack *ip, uint16_t zone, struct rte_mbuf *m)
{
	struct ip_icmp_error error;
	struct ip_proto *p;

	if (error_about(m, zone, &error)) {
		p = ip_proto_find(ip, error.proto);
		if (p != NULL && p->error_fn != NULL)
			p->error_fn(p->ctx, &error);
	}
	ip_drop(ip, IP_STAT_TX_NEIGHBOUR_FAILED, m);
}

/* The entry may be gone afterwards. */
static void queue_fail(struct ip_stack *ip, struct ip_neighbour *n)
{
	struct rte_mbuf *packets[IP_NEIGHBOUR_QUEUE_MAX];
	uint32_t count = queue_take(n, packets);
	uint16_t zone = ip_zone_of_iface(n->iface);

	for (uint32_t i = 0; i < count; i++)
		packet_fail(ip, zone, packets[i]);
}

static void queue_send(struct ip_stack *ip, struct ip_neighbour *n)
{
	struct rte_mbuf *packets[IP_NEIGHBOUR_QUEUE_MAX];
	uint32_t count = queue_take(n, packets);

	for (uint32_t i = 0; i < count; i++)
		neighbour_send(ip, n, packets[i]);
}

/* --- states --- */

static bool is_fresh(const struct ip_stack *ip, const struct ip_neighbour *n)
{
	return n->state == IP_NEIGHBOUR_REACHABLE &&
	       ip->worker->now_ns - n->confirmed_at <= IP_NEIGHBOUR_REACHABLE_NS;
}

static bool has_mac(const struct ip_neighbour *n)
{
	return n->state != IP_NEIGHBOUR_INCOMPLETE && n->state != IP_NEIGHBOUR_FAILED;
}

/* At the end of the list that fits its state. */
static void lru_place(struct ip_stack *ip, struct ip_neighbour *n)
{
	list_del(&n->lru);
	list_add_tail(&ip->neighbour_lru[has_mac(n)], &n->lru);
}

static void ask(struct ip_stack *ip, struct ip_neighbour *n)
{
	const struct wire_mac *mac = n->state == IP_NEIGHBOUR_PROBE ? &n->mac : NULL;

	n->tries++;
	timer_set(&ip->worker->timers, &n->timer, ip->worker->now_ns + IP_NEIGHBOUR_RETRY_NS);
	if (ip_addr_is_v4(&n->addr))
		arp_request(ip, n->iface, &n->addr, mac);
	else
		ndp_solicit(ip, n->iface, &n->addr, mac);
}

static void ask_first(struct ip_stack *ip, struct ip_neighbour *n, enum ip_neighbour_state state)
{
	n->state = state;
	n->tries = 0;
	ask(ip, n);
}

static void on_timer(struct timer *timer, uint64_t now_ns)
{
	struct ip_neighbour *n = CONTAINER_OF(timer, struct ip_neighbour, timer);

	if (n->state != IP_NEIGHBOUR_FAILED) {
		if (n->tries < IP_NEIGHBOUR_TRIES_MAX) {
			ask(n->ip, n);
			return;
		}
		n->retry_at = now_ns;
		if (n->state == IP_NEIGHBOUR_INCOMPLETE)
			n->retry_at += IP_NEIGHBOUR_HOLD_NS;
		n->state = IP_NEIGHBOUR_FAILED;
		lru_place(n->ip, n);
	}
	queue_fail(n->ip, n);
}

static void forget(struct ip_stack *ip, struct ip_neighbour *n)
{
	uint32_t index = mem_pool_index(&ip->neighbour_pool, n);
	uint32_t *at = bucket_of(ip, n->iface, &n->addr);

	while (*at != index)
		at = &neighbour_at(ip, *at)->hash_next;
	*at = n->hash_next;
	list_del(&n->lru);
	timer_cancel(&ip->worker->timers, &n->timer);
	for (uint32_t i = 0; i < n->queued; i++)
		ip_drop(ip, IP_STAT_TX_NEIGHBOUR_FAILED, n->queue[i]);
	mem_pool_put(&ip->neighbour_pool, n);
	ip_paths_forget(ip);
}

void ip_neighbour_flush(struct ip_stack *ip)
{
	struct ip_neighbour *n;

	while ((n = oldest(ip)) != NULL)
		forget(ip, n);
}

struct ip_neighbour *neighbour_get(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr)
{
	struct ip_neighbour *n = neighbour_find(ip, iface, addr);
	uint32_t *bucket;

	if (n != NULL)
		return n;
	if (ip->neighbour_pool.count_used == ip->neighbour_pool.count_max) {
		forget(ip, oldest(ip));
		ip_count(ip, IP_STAT_NEIGHBOUR_EVICTED);
	}
	n = mem_pool_get(&ip->neighbour_pool);
	if (n == NULL)
		return NULL;
	bucket = bucket_of(ip, iface, addr);
	*n = (struct ip_neighbour){.ip = ip,
		.hash_next = *bucket,
		.iface = iface,
		.state = IP_NEIGHBOUR_INCOMPLETE,
		.addr = *addr,
		.used_at = ip->worker->now_ns};
	timer_init(&n->timer, on_timer);
	list_add_tail(&ip->neighbour_lru[has_mac(n)], &n->lru);
	*bucket = mem_pool_index(&ip->neighbour_pool, n);
	return n;
}

static void touch(struct ip_stack *ip, struct ip_neighbour *n)
{
	if (ip->worker->now_ns - n->used_at < IP_NEIGHBOUR_TOUCH_NS)
		return;
	n->used_at = ip->worker->now_ns;
	lru_place(ip, n);
}

/* What was heard last may have been said by a station that moved. */
void ip_path_doubt(struct ip_stack *ip, const struct ip_path *path)
{
	struct ip_neighbour *n;

	if (path->generation != ip->generation || path->flags & IP_PATH_LOCAL)
		return;
	n = mem_pool_at(&ip->neighbour_pool, path->neighbour);
	if (n->state != IP_NEIGHBOUR_REACHABLE ||
		ip->worker->now_ns - n->confirmed_at <= IP_NEIGHBOUR_RETRY_NS)
		return;
	n->state = IP_NEIGHBOUR_STALE;
	ip_count(ip, IP_STAT_NEIGHBOUR_DOUBTED);
}

static void send_failed(struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m)
{
	queue_put(ip, n, m);
	if (ip->worker->now_ns >= n->retry_at)
		ask_first(ip, n, IP_NEIGHBOUR_INCOMPLETE);
	else if (!timer_is_set(&n->timer))
		timer_set(&ip->worker->timers, &n->timer, ip->worker->now_ns);
}

void neighbour_send(struct ip_stack *ip, struct ip_neighbour *n, struct rte_mbuf *m)
{
	touch(ip, n);
	switch (n->state) {
	case IP_NEIGHBOUR_INCOMPLETE:
		queue_put(ip, n, m);
		if (!timer_is_set(&n->timer))
			ask_first(ip, n, IP_NEIGHBOUR_INCOMPLETE);
		return;
	case IP_NEIGHBOUR_FAILED:
		send_failed(ip, n, m);
		return;
	case IP_NEIGHBOUR_REACHABLE:
	case IP_NEIGHBOUR_STALE:
		if (!is_fresh(ip, n))
			ask_first(ip, n, IP_NEIGHBOUR_PROBE);
		break;
	case IP_NEIGHBOUR_PROBE:
		break;
	}
	ip_count(ip, IP_STAT_TX_PKTS);
	ip_ether_send(ip, n->iface, &n->mac,
		ip_addr_is_v4(&n->addr) ? WIRE_ETHERTYPE_IPV4 : WIRE_ETHERTYPE_IPV6, m);
}

/* --- news --- */

/* Returns true if other cores may want to hear of it. */
static bool update(
	struct ip_stack *ip, struct ip_neighbour *n, const struct wire_mac *mac, uint32_t news)
{
	bool changed = !has_mac(n) || memcmp(&n->mac, mac, sizeof(*mac)) != 0;
	bool fresh = is_fresh(ip, n);

	if ((news & NEIGHBOUR_NEWS_KEEP) && has_mac(n) && changed) {
		if (n->state == IP_NEIGHBOUR_REACHABLE)
			n->state = IP_NEIGHBOUR_STALE;
		return fresh;
	}
	if (news & NEIGHBOUR_NEWS_REACHABLE) {
		n->state = IP_NEIGHBOUR_REACHABLE;
		n->confirmed_at = ip->worker->now_ns;
	} else if (changed) {
		n->state = IP_NEIGHBOUR_STALE; /* as RFC 4861 7.2.5 has it */
	} else {
		return false;
	}
	n->mac = *mac;
	if (changed)
		lru_place(ip, n);
	timer_cancel(&ip->worker->timers, &n->timer);
	queue_send(ip, n);
	return changed || !fresh;
}

static bool apply(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr,
	const struct wire_mac *mac, uint32_t news)
{
	struct ip_neighbour *n = news & NEIGHBOUR_NEWS_NEW ? neighbour_get(ip, iface, addr)
							   : neighbour_find(ip, iface, addr);

	return n != NULL && update(ip, n, mac, news);
}

/* Mail: word = news, arg = stack, address (two words), MAC, interface. */
static void on_mail(struct worker *to, const struct mail *mail)
{
	struct ip_stack *ip = (struct ip_stack *)(uintptr_t)mail->arg[0];
	struct ip_addr addr;
	struct wire_mac mac;

	(void)to;
	memcpy(&addr, &mail->arg[1], sizeof(addr));
	memcpy(&mac, &mail->arg[3], sizeof(mac));
	(void)apply(ip, (uint16_t)mail->arg[4], &addr, &mac, mail->word);
}

static void tell(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr,
	const struct wire_mac *mac, uint32_t news)
{
	struct mail mail = {.fn = on_mail, .word = news};

	memcpy(&mail.arg[1], addr, sizeof(*addr));
	memcpy(&mail.arg[3], mac, sizeof(*mac));
	mail.arg[4] = iface;
	for (uint32_t core = 0; core < ip->core_count; core++) {
		if (core == ip->worker->index)
			continue;
		mail.arg[0] = (uintptr_t)ip->cores[core];
		if (worker_mail(ip->worker, core, &mail) != 0)
			ip_count(ip, IP_STAT_NEIGHBOUR_UNTOLD);
	}
}

void neighbour_learn(struct ip_stack *ip, uint16_t iface, const struct ip_addr *addr,
	const struct wire_mac *mac, uint32_t news)
{
	if (apply(ip, iface, addr, mac, news) || (news & NEIGHBOUR_NEWS_TELL))
		tell(ip, iface, addr, mac, news);
}

static struct ip_neighbour_info info_of(const struct ip_stack *ip, const struct ip_neighbour *n)
{
	struct ip_neighbour_info info = {.addr = n->addr,
		.iface = n->iface,
		.state = n->state,
		.age_ns = UINT64_MAX,
		.queued = n->queued};

	if (has_mac(n))
		info.mac = n->mac;
	if (n->confirmed_at != 0)
		info.age_ns = ip->worker->now_ns - n->confirmed_at;
	if (n->state == IP_NEIGHBOUR_REACHABLE && !is_fresh(ip, n))
		info.state = IP_NEIGHBOUR_STALE;
	return info;
}

void ip_neighbour_each(
	struct ip_stack *ip, bool (*fn)(void *ctx, const struct ip_neighbour_info *n), void *ctx)
{
	for (uint32_t i = 0; i < ARRAY_LEN(ip->neighbour_lru); i++)
		list_for_each (link, &ip->neighbour_lru[i]) {
			struct ip_neighbour_info info =
				info_of(ip, list_entry(link, struct ip_neighbour, lru));

			if (!fn(ctx, &info))
				return;
		}
}
