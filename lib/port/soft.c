/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offloads in software, for both families, chains of any buffers, and ports that take one segment.
 * Why not DPDK's own tells docs/decisions/0006.
 */
#include "port_pvt.h"
#include "wire_ipv6.h"

#define HEADERS_MAX          (WIRE_ETHER_BYTES + WIRE_VLAN_BYTES + 128 + WIRE_TCP_BYTES_MAX)
#define IPV4_TOTAL_AT        2
#define IPV4_ID_AT           4
#define IPV4_CHECKSUM_AT     10
#define IPV4_ADDRESSES_AT    12
#define IPV6_ADDRESSES_AT    8
#define TCP_SEQ_AT           4
#define TCP_FLAGS_AT         13
#define TCP_CHECKSUM_AT      16
#define UDP_CHECKSUM_AT      6
#define TX_CHECKSUM_FLAGS    (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)
#define FLAGS_OF_LAST_PIECE  (WIRE_TCP_FIN | WIRE_TCP_PSH)
#define FLAGS_OF_FIRST_PIECE WIRE_TCP_CWR

static uint32_t segs_limit(uint16_t of_device, uint16_t ours)
{
	return of_device ? MIN(of_device, ours) : ours;
}

/* Each piece that a device cuts has the headers and the segments that its payload lies in. */
static bool pieces_fit(const struct rte_mbuf *m, uint32_t segs_max)
{
	uint32_t piece_bytes = m->tso_segsz, left = piece_bytes, segs = 1;
	uint32_t headers_bytes = (uint32_t)m->l2_len + m->l3_len + m->l4_len;

	for (; m; m = m->next, headers_bytes = 0) {
		uint32_t bytes = m->data_len - headers_bytes;

		segs += bytes > 0;
		if (segs > segs_max)
			return false;
		if (bytes < left) {
			left -= bytes;
			continue;
		}
		left = piece_bytes - (bytes - left) % piece_bytes;
		segs = 1 + (left < piece_bytes);
	}
	return true;
}

bool port_takes_segs(const struct port *port, const struct rte_mbuf *m)
{
	uint32_t segs_max = segs_limit(port->tx_segs_max, PORT_TX_SEGS_MAX);

	if (m->nb_segs == 1)
		return true;
	if (!(port->caps & PORT_CAP_TX_MULTI_SEG))
		return false;
	if (!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
		return m->nb_segs <= segs_max;
	return m->nb_segs <= segs_limit(port->tx_tso_segs_max, PORT_TX_TSO_SEGS_MAX) &&
	       pieces_fit(m, segs_max);
}

static void drop_no_buffer(struct port_core *pc, struct rte_mbuf *m)
{
	stat_add(&pc->stats[PORT_STAT_TX_NO_BUFFER], 1);
	rte_pktmbuf_free(m);
}

static struct rte_mbuf *linear_copy(struct port_core *pc, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = pkt_alloc(pc->pools);
	char *at = copy ? rte_pktmbuf_append(copy, (uint16_t)MIN(m->pkt_len, 0xffffu)) : NULL;

	if (!at) {
		rte_pktmbuf_free(copy);
		drop_no_buffer(pc, m);
		return NULL;
	}
	for (struct rte_mbuf *seg = m; seg; at += seg->data_len, seg = seg->next)
		memcpy(at, rte_pktmbuf_mtod(seg, char *), seg->data_len);
	copy->ol_flags = m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK;
	copy->tx_offload = m->tx_offload;
	rte_pktmbuf_free(m);
	stat_add(&pc->stats[PORT_STAT_TX_LINEARIZED], 1);
	return copy;
}

/* The sum over a packet from offset `off` of its first segment on. A segment that starts at an odd
 * place gives its sum with the bytes of each word exchanged (RFC 1071 2.B). */
static uint32_t sum_of_segs(const struct rte_mbuf *m, uint32_t off)
{
	uint32_t sum = 0;
	bool odd = false;

	for (; m; m = m->next, off = 0) {
		uint32_t len = m->data_len - off;
		uint16_t part = (uint16_t)~wire_checksum_fold(wire_checksum_add(
			0, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), len));

		sum += odd ? __builtin_bswap16(part) : part;
		odd ^= len & 1;
	}
	return sum;
}

static uint32_t sum_of_pseudo_header(const struct rte_mbuf *m, uint8_t proto, uint32_t l4_bytes)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
	uint32_t sum = proto + (l4_bytes >> 16) + (l4_bytes & 0xffff);

	if (m->ol_flags & RTE_MBUF_F_TX_IPV6)
		return wire_checksum_add(sum, ip + IPV6_ADDRESSES_AT, 32);
	return wire_checksum_add(sum, ip + IPV4_ADDRESSES_AT, 8);
}

/* The device wants the sum of the pseudo header in the field, with TSO without the length. */
static void l4_checksum(struct rte_mbuf *m, bool in_device)
{
	bool tcp = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM;
	bool cut_later = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
	uint32_t l4_off = (uint32_t)m->l2_len + m->l3_len;
	uint8_t *field = rte_pktmbuf_mtod_offset(
		m, uint8_t *, l4_off + (tcp ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT));
	uint32_t sum = sum_of_pseudo_header(
		m, tcp ? WIRE_PROTO_TCP : WIRE_PROTO_UDP, cut_later ? 0 : m->pkt_len - l4_off);
	uint16_t checksum;

	store_be16(field, 0);
	if (in_device) {
		store_be16(field, (uint16_t)~wire_checksum_fold(sum));
		return;
	}
	checksum = wire_checksum_fold(sum + sum_of_segs(m, l4_off));
	if (!tcp && checksum == 0)
		checksum = 0xffff; /* RFC 768: 0 would mean that there is none */
	store_be16(field, checksum);
}

static void ip_checksum(struct rte_mbuf *m, bool in_device)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);

	store_be16(ip + IPV4_CHECKSUM_AT, 0);
	if (!in_device)
		store_be16(ip + IPV4_CHECKSUM_AT,
			wire_checksum_fold(wire_checksum_add(0, ip, m->l3_len)));
}

static void checksums(struct port_core *pc, struct rte_mbuf *m)
{
	uint64_t soft = 0;

	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) {
		bool in_device = pc->port->caps & PORT_CAP_TX_IP_CHECKSUM;

		ip_checksum(m, in_device);
		if (!in_device)
			soft |= RTE_MBUF_F_TX_IP_CKSUM;
	}
	if (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
		bool in_device = pc->port->caps & PORT_CAP_TX_L4_CHECKSUM;

		l4_checksum(m, in_device);
		if (!in_device)
			soft |= RTE_MBUF_F_TX_L4_MASK;
	}
	m->ol_flags &= ~soft;
	if (soft)
		stat_add(&pc->stats[PORT_STAT_TX_SOFT_CHECKSUM], 1);
}

struct rte_mbuf *port_soft_finish(struct port_core *pc, struct rte_mbuf *m)
{
	/* What the device is to cut was looked at before. */
	if (!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) && !port_takes_segs(pc->port, m))
		m = linear_copy(pc, m);
	if (m && (m->ol_flags & TX_CHECKSUM_FLAGS))
		checksums(pc, m);
	return m;
}

/* A large packet on its way to be cut. */
struct cut {
	uint8_t headers[HEADERS_MAX];
	uint32_t headers_bytes;
	uint64_t ol_flags; /* of each piece */
	uint64_t tx_offload;
	uint32_t l3_off, l4_off;
	bool v6;
	struct pkt_chain body; /* what was not sent yet */
	uint32_t body_off;
	uint16_t piece_index;
};

static void cut_init(struct cut *cut, struct rte_mbuf *m)
{
	*cut = (struct cut){
		.l3_off = m->l2_len,
		.l4_off = (uint32_t)m->l2_len + m->l3_len,
		.headers_bytes = (uint32_t)m->l2_len + m->l3_len + m->l4_len,
		.v6 = m->ol_flags & RTE_MBUF_F_TX_IPV6,
		.ol_flags = (m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK & ~RTE_MBUF_F_TX_TCP_SEG) |
			    RTE_MBUF_F_TX_TCP_CKSUM,
	};
	ASSERT(cut->headers_bytes <= sizeof(cut->headers));
	ASSERT(cut->headers_bytes <= m->data_len);
	if (!cut->v6)
		cut->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	memcpy(cut->headers, rte_pktmbuf_mtod(m, uint8_t *), cut->headers_bytes);
	cut->tx_offload = rte_mbuf_tx_offload(m->l2_len, m->l3_len, m->l4_len, 0, 0, 0, 0);
	pkt_chain_append(&cut->body, m);
	pkt_chain_drop(&cut->body, cut->headers_bytes);
}

/* Headers of the next piece, with n bytes of payload. Its checksums come later. */
static void write_headers(const struct cut *cut, uint8_t *p, uint32_t n)
{
	uint8_t *ip = p + cut->l3_off, *tcp = p + cut->l4_off;
	uint32_t l3_payload = cut->headers_bytes - cut->l3_off + n;

	memcpy(p, cut->headers, cut->headers_bytes);
	if (cut->v6) {
		store_be16(ip + WIRE_IPV6_LENGTH_AT, (uint16_t)(l3_payload - WIRE_IPV6_BYTES));
	} else {
		store_be16(ip + IPV4_TOTAL_AT, (uint16_t)l3_payload);
		store_be16(
			ip + IPV4_ID_AT, (uint16_t)(load_be16(ip + IPV4_ID_AT) + cut->piece_index));
	}
	store_be32(tcp + TCP_SEQ_AT, load_be32(tcp + TCP_SEQ_AT) + cut->body_off);
	if (n < cut->body.bytes)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~FLAGS_OF_LAST_PIECE;
	if (cut->piece_index > 0)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~FLAGS_OF_FIRST_PIECE;
}

/* Puts the next n bytes behind the headers: by reference, or as a copy if the device wants one
 * segment. False if there is no buffer. */
static bool add_payload(struct port_core *pc, struct cut *cut, struct rte_mbuf *piece, uint32_t n)
{
	struct pkt_chain part;
	bool whole;

	if (!(pc->port->caps & PORT_CAP_TX_MULTI_SEG)) {
		char *at = n <= rte_pktmbuf_tailroom(piece) ? rte_pktmbuf_append(piece, (uint16_t)n)
							    : NULL;

		if (at) {
			pkt_chain_copy_out(&cut->body, 0, at, n);
			pkt_chain_drop(&cut->body, n);
		}
		return at;
	}
	pkt_chain_init(&part);
	whole = pkt_chain_take(&cut->body, n, &part, pc->pools) == n;
	piece->next = part.head;
	piece->nb_segs = (uint16_t)(1 + part.segs);
	piece->pkt_len += part.bytes;
	return whole;
}

static struct rte_mbuf *next_piece(struct port_core *pc, struct cut *cut, uint32_t n)
{
	struct rte_mbuf *piece = pkt_alloc(pc->pools);

	if (!piece)
		return NULL;
	write_headers(cut, (uint8_t *)rte_pktmbuf_append(piece, (uint16_t)cut->headers_bytes), n);
	piece->ol_flags = cut->ol_flags;
	piece->tx_offload = cut->tx_offload;
	if (!add_payload(pc, cut, piece, n)) {
		rte_pktmbuf_free(piece);
		return NULL;
	}
	cut->body_off += n;
	cut->piece_index++;
	return piece;
}

void port_soft_cut(struct port_core *pc, struct rte_mbuf *m)
{
	uint32_t piece_bytes = m->tso_segsz;
	struct cut cut;

	ASSERT(piece_bytes > 0);
	cut_init(&cut, m);
	stat_add(&pc->stats[PORT_STAT_TX_SOFT_GSO], 1);
	while (cut.body.bytes > 0) {
		struct rte_mbuf *piece = next_piece(pc, &cut, MIN(piece_bytes, cut.body.bytes));

		if (piece)
			piece = port_soft_finish(pc, piece);
		else
			drop_no_buffer(pc, NULL);
		if (!piece)
			break; /* later pieces would only leave a hole before them */
		port_queue(pc, piece);
	}
	pkt_chain_free(&cut.body);
}
