/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments become packets again (RFC 791 3.2, RFC 8200 4.5), for both families.
 *
 * In: fragments of packets to us, one at a time, headers checked, the data at the payload with
 * the IP header still in front. Out: the packet, a chain of the fragments' own buffers, on the core
 * where the last one arrived; ip_steer gives it to its owner. Ports send the fragments of a packet
 * to one queue, because only the first one has ports that could be hashed.
 *
 * A struct reasm is a packet of which not everything came. It lies in a hash chain by its key, in
 * the list of all by age, and in the list of its source (IPv6: of the /64), by age, too. Sources
 * share a list where their hashes meet; the hash has a key, so nobody can choose to meet.
 *
 * What bounds it, and what happens then:
 *   packets of all, packets of one source, buffers of all: the oldest of them is given up. Who
 *      sends a packet sends its fragments together, so a packet that has waited for long will
 *      not become whole, and a flood cannot lock others out for the time until it is forgotten.
 *   fragments of one packet, time: the packet is given up.
 *
 * Refused are, because what is read twice can be read in two ways: overlaps (RFC 5722, here for
 * both families), ends that contradict each other, first fragments without the whole header of the
 * protocol above (RFC 7112, RFC 1858) and fragments that could replace it (RFC 3128), and marks of
 * congestion that cannot belong to one packet (RFC 3168 5.3). A refused packet keeps its place
 * without buffers until its time is over, so that the fragments that are still on their way
 * find it and do not begin it again.
 */
#include "base_hash.h"
#include "ip_pvt.h"

#define REASM_COUNT_MAX      512 /* packets */
#define REASM_OF_SOURCE_MAX  32
#define REASM_PARTS_MAX      64
#define REASM_BUFS_MAX       UINT32_C(4096)
#define REASM_BUFS_SHARE     8 /* at most one in so many of the pool's buffers */
#define REASM_BUCKETS        1024
#define REASM_SOURCES        256
#define REASM_TIMEOUT_NS     (30 * NS_PER_SEC)
#define SOURCE_BYTES_V6      8
#define ECN_MASK             3
#define ECN_CE               3
#define TCP_HEADER_LENGTH_AT 12
#define IPV6_UNCOUNTED_BYTES 48 /* the IPv6 header and that of a fragment */

struct part {
	struct rte_mbuf *m;
	uint16_t off_bytes;
	uint16_t bytes;
};

struct reasm {
	struct list of_key;
	struct list of_all;
	struct list of_source;
	uint64_t expire_at;
	uint32_t id;
	uint32_t total_bytes;    /* of payload; 0: the last fragment is not here */
	uint32_t received_bytes; /* in parts, which do not overlap */
	uint32_t buf_count;      /* that parts hold */
	uint16_t part_count;
	uint16_t source;         /* index of its source's list */
	uint8_t ecn_seen;        /* bit n: a fragment had ECN codepoint n */
	bool refused;            /* there are no parts, and will be none */
	struct ip_packet packet; /* of the first to arrive; once it is here, of offset 0 */
	struct part parts[REASM_PARTS_MAX]; /* by offset */
};

struct source {
	struct list reasms; /* oldest first */
	uint32_t count;
};

struct ip_reasm {
	struct ip_stack *ip;
	struct mem_pool pool; /* struct reasm */
	uint64_t seed;
	uint32_t buf_count;
	uint32_t buf_count_max;
	struct timer expiry; /* set while there is a packet */
	struct list all;     /* oldest first, which is also the first to expire */
	struct list buckets[REASM_BUCKETS];
	struct source sources[REASM_SOURCES];
	struct mem_region region; /* it lies in it */
};

/* --- the table --- */

/* In IPv4 the protocol belongs to the key (RFC 791 3.2); in IPv6 it may differ (RFC 8200 4.5). */
static bool is_same(const struct reasm *r, const struct ip_packet *p, uint32_t id)
{
	return r->id == id && ip_addr_eq(&r->packet.src, &p->src) &&
	       ip_addr_eq(&r->packet.dst, &p->dst) &&
	       (r->packet.proto == p->proto || !ip_addr_is_v4(&p->src));
}

static struct list *bucket_of(struct ip_reasm *table, const struct ip_packet *p, uint32_t id)
{
	uint8_t key[sizeof(p->src) + sizeof(p->dst)];

	memcpy(key, &p->src, sizeof(p->src));
	memcpy(key + sizeof(p->src), &p->dst, sizeof(p->dst));
	return &table->buckets[hash_bytes(key, sizeof(key), table->seed + id) % REASM_BUCKETS];
}

static uint16_t source_of(const struct ip_reasm *table, const struct ip_addr *src)
{
	size_t bytes = ip_addr_is_v4(src) ? sizeof(src->b) : SOURCE_BYTES_V6;

	return (uint16_t)(hash_bytes(src->b, bytes, table->seed) % REASM_SOURCES);
}

static struct reasm *reasm_find(struct ip_reasm *table, const struct ip_packet *p, uint32_t id)
{
	struct list *bucket = bucket_of(table, p, id);

	list_for_each (link, bucket) {
		struct reasm *r = list_entry(link, struct reasm, of_key);

		if (is_same(r, p, id))
			return r;
	}
	return NULL;
}

/* Its buffers are somebody else's now, or gone. */
static void parts_forget(struct ip_reasm *table, struct reasm *r)
{
	table->buf_count -= r->buf_count;
	r->buf_count = 0;
	r->part_count = 0;
}

static void parts_free(struct ip_reasm *table, struct reasm *r)
{
	for (uint32_t i = 0; i < r->part_count; i++)
		pkt_free(r->parts[i].m);
	parts_forget(table, r);
}

static void reasm_put(struct ip_reasm *table, struct reasm *r)
{
	parts_free(table, r);
	list_del(&r->of_key);
	list_del(&r->of_all);
	list_del(&r->of_source);
	table->sources[r->source].count--;
	mem_pool_put(&table->pool, r);
}

/* A refused one was counted when it was refused. */
static void give_up(struct ip_reasm *table, struct reasm *r, enum ip_stat why)
{
	if (!r->refused)
		ip_count(table->ip, why);
	reasm_put(table, r);
}

static struct reasm *reasm_get(struct ip_reasm *table, const struct ip_packet *p, uint32_t id)
{
	uint16_t index = source_of(table, &p->src);
	struct source *source = &table->sources[index];
	struct reasm *r;

	if (source->count == REASM_OF_SOURCE_MAX)
		give_up(table, list_first(&source->reasms, struct reasm, of_source),
			IP_STAT_RX_FRAGMENT_SOURCE_FULL);
	if (table->pool.count_used == REASM_COUNT_MAX)
		give_up(table, list_first(&table->all, struct reasm, of_all),
			IP_STAT_RX_FRAGMENT_TABLE_FULL);
	r = mem_pool_get(&table->pool);
	if (r == NULL)
		return NULL;
	r->id = id;
	r->expire_at = table->ip->worker->now_ns + REASM_TIMEOUT_NS;
	r->total_bytes = r->received_bytes = r->buf_count = 0;
	r->part_count = 0;
	r->source = index;
	r->ecn_seen = 0;
	r->refused = false;
	r->packet = *p;
	list_add_tail(bucket_of(table, p, id), &r->of_key);
	list_add_tail(&table->all, &r->of_all);
	list_add_tail(&source->reasms, &r->of_source);
	source->count++;
	if (!timer_is_set(&table->expiry))
		timer_set(&table->ip->worker->timers, &table->expiry, r->expire_at);
	return r;
}

/* --- time --- */

/* Who sent the first fragment hears of it (RFC 1122 3.3.2, RFC 8200 4.5). */
static void expire(struct ip_reasm *table, struct reasm *r)
{
	if (r->part_count > 0 && r->parts[0].off_bytes == 0) {
		struct ip_packet about = r->packet;

		about.m = r->parts[0].m;
		ip_send_icmp_error(
			table->ip, &about, WIRE_ICMP_TIME_EXCEEDED, WIRE_ICMP_EXCEED_REASM);
	}
	give_up(table, r, IP_STAT_RX_FRAGMENT_TIMEOUT);
}

/* The timer is set for one that may be gone meanwhile; then it fires for nothing. */
static void on_expiry(struct timer *timer, uint64_t now_ns)
{
	struct ip_reasm *table = CONTAINER_OF(timer, struct ip_reasm, expiry);

	while (!list_is_empty(&table->all)) {
		struct reasm *r = list_first(&table->all, struct reasm, of_all);

		if (r->expire_at > now_ns) {
			timer_set(&table->ip->worker->timers, timer, r->expire_at);
			return;
		}
		expire(table, r);
	}
}

/* --- one fragment --- */

/* Bytes that the header of the protocol above has at least. */
static uint32_t upper_bytes_min(uint8_t proto)
{
	switch (proto) {
	case WIRE_PROTO_TCP:
		return WIRE_TCP_BYTES_MIN;
	case WIRE_PROTO_UDP:
		return WIRE_UDP_BYTES;
	case WIRE_PROTO_ICMP:
	case WIRE_PROTO_ICMPV6:
		return WIRE_ICMP_BYTES;
	default:
		return 1;
	}
}

static bool has_upper_header(const struct ip_packet *p)
{
	const struct rte_mbuf *m = p->m;
	uint32_t bytes = upper_bytes_min(p->proto);

	if (m->data_len < bytes)
		return false;
	if (p->proto == WIRE_PROTO_TCP)
		bytes = (rte_pktmbuf_mtod(m, const uint8_t *)[TCP_HEADER_LENGTH_AT] >> 4) * 4u;
	return m->data_len >= bytes;
}

/* IP_STAT_COUNT: the fragment may belong to a packet. */
static enum ip_stat fragment_check(const struct ip_packet *p, const struct ip_fragment *f)
{
	if (p->m->pkt_len == 0 || f->off_bytes + p->m->pkt_len > IP_PACKET_BYTES_MAX)
		return IP_STAT_RX_FRAGMENT_LENGTH;
	if (f->off_bytes == 0 ? !has_upper_header(p) : f->off_bytes < upper_bytes_min(p->proto))
		return IP_STAT_RX_FRAGMENT_TINY;
	return IP_STAT_COUNT;
}

static bool are_same_bytes(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	uint32_t a_off = 0, b_off = 0;

	while (a != NULL && b != NULL) {
		uint32_t n = MIN(a->data_len - a_off, b->data_len - b_off);

		if (memcmp(rte_pktmbuf_mtod_offset(a, const void *, a_off),
			    rte_pktmbuf_mtod_offset(b, const void *, b_off), n) != 0)
			return false;
		a_off += n;
		b_off += n;
		if (a_off == a->data_len) {
			a = a->next;
			a_off = 0;
		}
		if (b_off == b->data_len) {
			b = b->next;
			b_off = 0;
		}
	}
	return true;
}

static uint32_t part_end(const struct part *part)
{
	return (uint32_t)part->off_bytes + part->bytes;
}

/* The end of the packet is where the last fragment ends, and nothing is behind it. */
static bool end_fits(const struct reasm *r, uint32_t end, bool more)
{
	if (r->total_bytes != 0)
		return more ? end < r->total_bytes : end == r->total_bytes;
	return more || r->part_count == 0 || part_end(&r->parts[r->part_count - 1]) <= end;
}

/* The same in all respects, which may happen on the way (RFC 8200 4.5). */
static bool is_duplicate(const struct reasm *r, const struct part *part,
	const struct ip_fragment *f, const struct rte_mbuf *m)
{
	return part->off_bytes == f->off_bytes && part->bytes == m->pkt_len &&
	       f->more == (f->off_bytes + m->pkt_len != r->total_bytes) &&
	       are_same_bytes(part->m, m);
}

/* No congestion experienced in a packet that said elsewhere that it cannot tell (RFC 3168 5.3). */
static bool ecn_fits(uint8_t seen)
{
	return !(seen & 1 << ECN_CE) || !(seen & 1);
}

/* Where it belongs, and IP_STAT_COUNT; or why it does not. */
static enum ip_stat place_find(const struct reasm *r, const struct ip_fragment *f,
	const struct rte_mbuf *m, uint32_t *place)
{
	uint32_t at = 0, end = f->off_bytes + m->pkt_len;

	while (at < r->part_count && r->parts[at].off_bytes < f->off_bytes)
		at++;
	*place = at;
	if (!end_fits(r, end, f->more))
		return IP_STAT_RX_FRAGMENT_LENGTH;
	if (at < r->part_count && end > r->parts[at].off_bytes)
		return is_duplicate(r, &r->parts[at], f, m) ? IP_STAT_RX_FRAGMENT_DUPLICATE
							    : IP_STAT_RX_FRAGMENT_OVERLAP;
	if (at > 0 && part_end(&r->parts[at - 1]) > f->off_bytes)
		return IP_STAT_RX_FRAGMENT_OVERLAP;
	if (r->part_count == REASM_PARTS_MAX)
		return IP_STAT_RX_FRAGMENT_TOO_MANY;
	return IP_STAT_COUNT;
}

/* Makes room for n buffers by giving up the oldest packets, but not r. */
static bool bufs_reserve(struct ip_reasm *table, const struct reasm *r, uint32_t n)
{
	while (table->buf_count + n > table->buf_count_max) {
		struct reasm *oldest = list_first(&table->all, struct reasm, of_all);

		if (oldest == r)
			return false;
		give_up(table, oldest, IP_STAT_RX_FRAGMENT_BUFFERS_FULL);
	}
	return true;
}

static void part_insert(struct ip_reasm *table, struct reasm *r, const struct ip_packet *p,
	const struct ip_fragment *f, uint32_t at)
{
	memmove(&r->parts[at + 1], &r->parts[at], (r->part_count - at) * sizeof(r->parts[0]));
	r->parts[at] = (struct part){p->m, f->off_bytes, (uint16_t)p->m->pkt_len};
	r->part_count++;
	r->received_bytes += p->m->pkt_len;
	r->buf_count += p->m->nb_segs;
	table->buf_count += p->m->nb_segs;
	if (!f->more)
		r->total_bytes = f->off_bytes + p->m->pkt_len;
	if (f->off_bytes == 0)
		r->packet = *p;
}

static void refuse(struct ip_reasm *table, struct reasm *r, enum ip_stat why)
{
	ip_count(table->ip, why);
	parts_free(table, r);
	r->refused = true;
}

/* Takes the buffer. */
static void fragment_add(struct ip_reasm *table, struct reasm *r, const struct ip_packet *p,
	const struct ip_fragment *f)
{
	enum ip_stat why = IP_STAT_RX_FRAGMENT_REFUSED;
	uint32_t at;

	if (!r->refused) {
		r->ecn_seen |= (uint8_t)(1 << (p->tos & ECN_MASK));
		why = ecn_fits(r->ecn_seen) ? place_find(r, f, p->m, &at) : IP_STAT_RX_FRAGMENT_ECN;
	}
	if (why == IP_STAT_COUNT && !bufs_reserve(table, r, p->m->nb_segs))
		why = IP_STAT_RX_FRAGMENT_BUFFERS_FULL;
	if (why == IP_STAT_COUNT) {
		part_insert(table, r, p, f, at);
		return;
	}
	if (why == IP_STAT_RX_FRAGMENT_REFUSED || why == IP_STAT_RX_FRAGMENT_DUPLICATE)
		ip_count(table->ip, why);
	else
		refuse(table, r, why);
	pkt_free(p->m);
}

/* What the length of the packet counts besides: in IPv6 neither the first header nor that of the
 * fragment. */
static uint32_t bytes_before(const struct ip_packet *p)
{
	return ip_addr_is_v4(&p->src) ? p->m->l3_len : p->m->l3_len - IPV6_UNCOUNTED_BYTES;
}

/* The header that counts is the first fragment's; the others may have had fewer options. */
static bool is_whole(struct ip_reasm *table, struct reasm *r)
{
	if (r->refused || r->total_bytes == 0 || r->received_bytes != r->total_bytes)
		return false;
	if (r->total_bytes + bytes_before(&r->packet) <= IP_PACKET_BYTES_MAX)
		return true;
	refuse(table, r, IP_STAT_RX_FRAGMENT_LENGTH);
	return false;
}

static struct rte_mbuf *parts_chain(struct reasm *r)
{
	struct rte_mbuf *first = r->parts[0].m;
	struct rte_mbuf *tail = rte_pktmbuf_lastseg(first);

	for (uint32_t i = 1; i < r->part_count; i++) {
		struct rte_mbuf *m = r->parts[i].m;

		tail->next = m;
		tail = rte_pktmbuf_lastseg(m);
		first->nb_segs += m->nb_segs;
		first->pkt_len += m->pkt_len;
	}
	return first;
}

bool ip_reasm_input(struct ip_stack *ip, struct ip_packet *packet, const struct ip_fragment *f)
{
	struct ip_reasm *table = ip->reasm;
	enum ip_stat why = fragment_check(packet, f);
	struct reasm *r = reasm_find(table, packet, f->id);

	ip_count(ip, IP_STAT_RX_FRAGMENT);
	if (r == NULL)
		r = reasm_get(table, packet, f->id);
	if (r == NULL) {
		ip_drop(ip, IP_STAT_RX_FRAGMENT_TABLE_FULL, packet->m);
		return false;
	}
	if (why != IP_STAT_COUNT && !r->refused) {
		refuse(table, r, why);
		pkt_free(packet->m);
		return false;
	}
	fragment_add(table, r, packet, f);
	if (!is_whole(table, r))
		return false;
	*packet = r->packet;
	packet->m = parts_chain(r);
	packet->l4_checksum_ok = false; /* nobody saw all of it yet */
	if (r->ecn_seen & 1 << ECN_CE)
		packet->tos |= ECN_CE;
	parts_forget(table, r);
	reasm_put(table, r);
	ip_count(ip, IP_STAT_RX_REASSEMBLED);
	return true;
}

void ip_fragments_flush(struct ip_stack *ip)
{
	struct ip_reasm *table = ip->reasm;

	while (!list_is_empty(&table->all))
		reasm_put(table, list_first(&table->all, struct reasm, of_all));
}

/* --- set-up --- */

int ip_reasm_init(struct ip_stack *ip, struct error *err)
{
	struct mem_region region = {0};
	struct ip_reasm *table;
	int rc = mem_region_alloc(&region, sizeof(*table), "the table of fragments", err);

	if (rc != 0)
		return rc;
	table = region.base;
	table->region = region;
	table->ip = ip;
	ip->reasm = table;
	table->seed = rand_u64(&ip->worker->rand);
	table->buf_count_max = MIN(ip->pools->data->size / REASM_BUFS_SHARE, REASM_BUFS_MAX);
	timer_init(&table->expiry, on_expiry);
	list_init(&table->all);
	for (uint32_t i = 0; i < REASM_BUCKETS; i++)
		list_init(&table->buckets[i]);
	for (uint32_t i = 0; i < REASM_SOURCES; i++)
		list_init(&table->sources[i].reasms);
	return mem_pool_init(
		&table->pool, "ip fragments", sizeof(struct reasm), 8, REASM_COUNT_MAX, err);
}

void ip_reasm_show(struct ip_stack *ip)
{
	worker_pool_add(ip->worker, &ip->reasm->pool);
}

void ip_reasm_fini(struct ip_stack *ip)
{
	struct ip_reasm *table = ip->reasm;
	struct mem_region region;

	if (table == NULL)
		return;
	ip_fragments_flush(ip);
	mem_pool_fini(&table->pool);
	region = table->region;
	mem_region_free(&region);
	ip->reasm = NULL;
}
