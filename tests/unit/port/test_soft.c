/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offloads in software: packets of both families, in one segment and in many of odd lengths, go
 * through port_send of a port with chosen capabilities. What comes out is checked by DPDK's own
 * checksum functions and put together again.
 */
#include "check.h"

#include <rte_ip.h>

#include "fake_eal.h"
#include "fake_port.h"

#define PAYLOAD_MAX 20000
#define POOL_COUNT  256

static struct pkt_pools pools;
static struct fake_port fake;
static struct port_core pc;
static uint8_t payload[PAYLOAD_MAX];

static int start(uint32_t caps)
{
	struct error err = {0};

	fake_eal_init();
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 31 + i / 256);
	fake_port_init(&fake, caps, 1);
	return pkt_pools_init(&pools, "test", POOL_COUNT, POOL_COUNT, SOCKET_ID_ANY, &err) ||
	       port_core_init(&pc, &fake.port, &pools, 0, 0, NULL);
}

static int setup(void **state)
{
	(void)state;
	return start(0);
}

static int teardown(void **state)
{
	(void)state;
	port_core_fini(&pc);
	fake_port_fini(&fake);
	return (int)pkt_pools_fini(&pools);
}

static void set_caps(uint32_t caps)
{
	fake.port.caps = caps;
}

struct shape {
	bool v6, udp, vlan;
	uint32_t bytes;     /* of payload */
	uint32_t seg_bytes; /* of payload in each segment but the first; 0: all in the first */
	uint8_t tcp_flags;
};

#define TS_VAL 0x12345678

static uint16_t put_l4(uint8_t *p, const struct shape *shape)
{
	struct wire_tcp tcp = {.src_port = 1025,
		.dst_port = 80,
		.seq = SEQ(0xfffffff0),
		.flags = shape->tcp_flags,
		.window = 1000,
		.has_timestamp = true,
		.ts_val = TS_VAL};
	struct wire_udp udp = {53, 1025, (uint16_t)(WIRE_UDP_BYTES + shape->bytes), 0xdead};

	return (uint16_t)(shape->udp ? wire_udp_emit(p, &udp) : wire_tcp_emit(p, &tcp));
}

static uint16_t put_ip(uint8_t *p, const struct shape *shape, uint16_t l4_len)
{
	uint8_t proto = shape->udp ? WIRE_PROTO_UDP : WIRE_PROTO_TCP;
	struct wire_ipv4 v4 = {.src = ip_addr_from_v4(0x0a090001),
		.dst = ip_addr_from_v4(0x0a0900fe),
		.ttl = 64,
		.proto = proto,
		.id = 0xffff,
		.total_bytes = (uint16_t)(20 + l4_len + shape->bytes)};
	struct rte_ipv6_hdr v6 = {.vtc_flow = rte_cpu_to_be_32(6u << 28),
		.payload_len = rte_cpu_to_be_16((uint16_t)(l4_len + shape->bytes)),
		.proto = proto,
		.hop_limits = 64,
		.src_addr = {0xfe, 0x80, [15] = 1},
		.dst_addr = {0xfe, 0x80, [7] = 0xaa, [15] = 2}};

	if (!shape->v6) {
		wire_ipv4_emit(p, &v4);
		store_be16(p + 10, 0xbad1);
		return 20;
	}
	memcpy(p, &v6, sizeof(v6));
	return sizeof(v6);
}

static struct rte_mbuf *build(const struct shape *shape)
{
	struct wire_ether ether = {{{2, 0, 0, 0, 0, 2}}, {{2, 0, 0, 0, 0, 1}},
		shape->v6 ? WIRE_ETHERTYPE_IPV6 : WIRE_ETHERTYPE_IPV4, shape->vlan ? 7 : 0, 0};
	struct rte_mbuf *m = pkt_alloc(&pools);
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *), l4[WIRE_TCP_BYTES_MAX];
	uint32_t off = 0;

	m->l4_len = put_l4(l4, shape) & 0xff;
	m->l2_len = wire_ether_emit(p, &ether) & 0x7f;
	m->l3_len = put_ip(p + m->l2_len, shape, m->l4_len) & 0x1ff;
	memcpy(p + m->l2_len + m->l3_len, l4, m->l4_len);
	rte_pktmbuf_append(m, (uint16_t)(m->l2_len + m->l3_len + m->l4_len));
	m->ol_flags = shape->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	m->ol_flags |= shape->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	while (off < shape->bytes) {
		uint32_t n = shape->bytes - off;
		struct rte_mbuf *seg = m;

		if (shape->seg_bytes) {
			n = MIN(n, shape->seg_bytes);
			seg = pkt_alloc(&pools);
			assert_non_null(seg);
		}
		memcpy(rte_pktmbuf_append(seg, (uint16_t)n), payload + off, n);
		if (seg != m)
			rte_pktmbuf_chain(m, seg);
		off += n;
	}
	return m;
}

static struct rte_mbuf *send_one(struct rte_mbuf *m)
{
	port_send(&pc, m);
	assert_int_equal(port_flush(&pc), 1);
	return fake_port_sent(&fake);
}

static void assert_ip_checksum(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);

	if (m->ol_flags & RTE_MBUF_F_TX_IPV4)
		assert_int_equal(wire_checksum_fold(wire_checksum_add(0, ip, m->l3_len)), 0);
}

/* The checksum over a right one is 0, which DPDK writes as all ones for UDP. */
static void assert_checksums(const struct rte_mbuf *m)
{
	static uint8_t buf[PAYLOAD_MAX + 200];
	const uint8_t *ip = rte_pktmbuf_read(m, m->l2_len, m->pkt_len - m->l2_len, buf);
	bool v6 = m->ol_flags & RTE_MBUF_F_TX_IPV6;
	uint16_t checksum;

	assert_non_null(ip);
	assert_ip_checksum(m);
	checksum = v6 ? rte_ipv6_udptcp_cksum((const void *)ip, ip + m->l3_len)
		      : rte_ipv4_udptcp_cksum((const void *)ip, ip + m->l3_len);
	assert_int_equal(checksum, ip[v6 ? 6 : 9] == WIRE_PROTO_UDP ? 0xffff : 0);
}

static void checksums_in_software(void **state)
{
	static const struct shape rows[] = {
		{.bytes = 0},
		{.bytes = 1},
		{.bytes = 1000},
		{.bytes = 1000, .vlan = true},
		{.bytes = 1001, .seg_bytes = 333},
		{.bytes = 1001, .seg_bytes = 71},
		{.udp = true, .bytes = 11},
		{.udp = true, .bytes = 1001, .seg_bytes = 501},
		{.v6 = true, .bytes = 1000},
		{.v6 = true, .bytes = 1001, .seg_bytes = 333},
		{.v6 = true, .udp = true, .bytes = 5, .vlan = true},
	};

	(void)state;
	set_caps(PORT_CAP_TX_MULTI_SEG);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rte_mbuf *m = build(&rows[i]), *out = send_one(m);

		assert_ptr_equal(out, m);
		assert_checksums(out);
		assert_int_equal(out->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
		assert_int_equal(out->ol_flags & RTE_MBUF_F_TX_IP_CKSUM, 0);
		pkt_free(out);
	}
	assert_int_equal(pc.stats[PORT_STAT_TX_SOFT_CHECKSUM], ARRAY_LEN(rows));
	assert_int_equal(pc.stats[PORT_STAT_TX_LINEARIZED], 0);
}

static void udp_never_sends_checksum_zero(void **state)
{
	struct shape shape = {.udp = true, .bytes = 2};
	struct rte_mbuf *m = build(&shape);
	uint8_t *udp = rte_pktmbuf_mtod_offset(m, uint8_t *, 34), *data = udp + WIRE_UDP_BYTES;
	uint16_t rest;

	(void)state;
	memset(data, 0, 2);
	m = send_one(m);
	rest = load_be16(udp + 6);
	pkt_free(m);

	/* With its checksum as payload, the packet's sum becomes all ones. */
	m = build(&shape);
	udp = rte_pktmbuf_mtod_offset(m, uint8_t *, 34);
	store_be16(udp + WIRE_UDP_BYTES, rest);
	m = send_one(m);
	assert_int_equal(load_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 34 + 6)), 0xffff);
	assert_checksums(m);
	pkt_free(m);
}

static void devices_get_the_pseudo_header(void **state)
{
	struct shape shape = {.bytes = 100};
	struct rte_mbuf *m = build(&shape);
	const struct rte_ipv4_hdr *ip;
	uint64_t flags = m->ol_flags;

	(void)state;
	set_caps(PORT_CAP_TX_IP_CHECKSUM | PORT_CAP_TX_L4_CHECKSUM);
	m = send_one(m);
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, m->l2_len);
	assert_int_equal(m->ol_flags, flags);
	assert_int_equal(ip->hdr_checksum, 0);
	assert_memory_equal(
		(const uint8_t *)ip + 20 + 16, &(uint16_t){rte_ipv4_phdr_cksum(ip, flags)}, 2);
	assert_int_equal(pc.stats[PORT_STAT_TX_SOFT_CHECKSUM], 0);
	pkt_free(m);
}

static void each_checksum_is_the_devices_or_ours(void **state)
{
	static const uint32_t rows[] = {PORT_CAP_TX_IP_CHECKSUM, PORT_CAP_TX_L4_CHECKSUM};
	struct shape shape = {.bytes = 100};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rte_mbuf *m;

		set_caps(rows[i]);
		m = send_one(build(&shape));
		assert_int_equal(!(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM),
			rows[i] != PORT_CAP_TX_IP_CHECKSUM);
		assert_int_equal(
			!(m->ol_flags & RTE_MBUF_F_TX_L4_MASK), rows[i] != PORT_CAP_TX_L4_CHECKSUM);
		if (rows[i] == PORT_CAP_TX_L4_CHECKSUM)
			assert_ip_checksum(m);
		pkt_free(m);
	}
}

static void copies_where_one_segment_is_wanted(void **state)
{
	static const struct {
		uint32_t caps;
		uint16_t segs_max;
		bool copied;
	} rows[] = {
		{0, 0, true},
		{PORT_CAP_TX_MULTI_SEG, 0, false},
		{PORT_CAP_TX_MULTI_SEG, 4, false},
		{PORT_CAP_TX_MULTI_SEG, 3, true},
		{PORT_CAP_TX_MULTI_SEG, UINT16_MAX, false},
	};
	struct shape shape = {.bytes = 1000, .seg_bytes = 334};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rte_mbuf *m;

		set_caps(rows[i].caps);
		fake.port.tx_segs_max = rows[i].segs_max;
		m = send_one(build(&shape));
		assert_int_equal(m->nb_segs, rows[i].copied ? 1 : 4);
		assert_checksums(m);
		assert_int_equal(m->pkt_len, 14 + 20 + 32 + 1000);
		pkt_free(m);
	}
	assert_int_equal(pc.stats[PORT_STAT_TX_LINEARIZED], 2);
}

/* Whatever the device says, a frame of as many segments as it has bytes is copied. */
static void tiny_segments_are_copied(void **state)
{
	struct shape shape = {.bytes = PORT_TX_SEGS_MAX - 1, .seg_bytes = 1};
	struct rte_mbuf *m;

	(void)state;
	set_caps(PORT_CAP_TX_MULTI_SEG);
	fake.port.tx_segs_max = UINT16_MAX;
	m = send_one(build(&shape));
	assert_int_equal(m->nb_segs, PORT_TX_SEGS_MAX);
	pkt_free(m);
	shape.bytes++;
	m = send_one(build(&shape));
	assert_int_equal(m->nb_segs, 1);
	assert_checksums(m);
	pkt_free(m);
	assert_int_equal(pc.stats[PORT_STAT_TX_LINEARIZED], 1);
}

static void copies_that_fit_nowhere_are_dropped(void **state)
{
	struct shape shape = {.bytes = 3000, .seg_bytes = 1500};

	(void)state;
	port_send(&pc, build(&shape));
	assert_int_equal(port_flush(&pc), 0);
	assert_int_equal(pc.stats[PORT_STAT_TX_NO_BUFFER], 1);
	assert_int_equal(pkt_pools_used(&pools), 0);
}

/* Takes the pieces of a cut packet and checks that they are the packet. */
static void assert_pieces(const struct shape *shape, uint16_t segsz, uint32_t header_bytes)
{
	uint32_t off = 0, index = 0;
	struct rte_mbuf *m;

	while ((m = fake_port_sent(&fake))) {
		uint32_t n = MIN(segsz, shape->bytes - off);
		bool last = off + n == shape->bytes;
		uint8_t buf[2048];
		const uint8_t *p = rte_pktmbuf_read(m, 0, header_bytes + n, buf);
		uint8_t flags = shape->tcp_flags;
		struct wire_tcp tcp;

		assert_int_equal(m->pkt_len, header_bytes + n);
		rte_mbuf_sanity_check(m, 1);
		assert_checksums(m);
		assert_memory_equal(p + header_bytes, payload + off, n);
		assert_int_equal(wire_tcp_parse(p + m->l2_len + m->l3_len, 60, &tcp), WIRE_OK);
		assert_int_equal(tcp.seq.v, 0xfffffff0 + off);
		assert_int_equal(tcp.ts_val, TS_VAL);
		if (!last)
			flags &= (uint8_t) ~(WIRE_TCP_FIN | WIRE_TCP_PSH);
		if (index > 0)
			flags &= (uint8_t)~WIRE_TCP_CWR;
		assert_int_equal(tcp.flags, flags);
		if (shape->v6) {
			assert_int_equal(load_be16(p + m->l2_len + 4), m->l4_len + n);
		} else {
			assert_int_equal(load_be16(p + m->l2_len + 2), 20 + m->l4_len + n);
			assert_int_equal(load_be16(p + m->l2_len + 4), (uint16_t)(0xffff + index));
		}
		off += n;
		index++;
		pkt_free(m);
	}
	assert_int_equal(off, shape->bytes);
}

static void large_packets_are_cut(void **state)
{
	static const struct shape rows[] = {
		{.bytes = 10000, .seg_bytes = 1448, .tcp_flags = WIRE_TCP_ACK | WIRE_TCP_PSH},
		{.bytes = 5 * 1448, .seg_bytes = 2000, .tcp_flags = WIRE_TCP_ACK | WIRE_TCP_FIN},
		{.bytes = 1449, .seg_bytes = 99, .tcp_flags = WIRE_TCP_ACK | WIRE_TCP_CWR},
		{.bytes = 10001, .seg_bytes = 333, .vlan = true, .tcp_flags = 0xff},
		{.v6 = true, .bytes = 10001, .seg_bytes = 777, .tcp_flags = WIRE_TCP_ACK},
	};
	static const uint32_t caps[] = {0, PORT_CAP_TX_MULTI_SEG};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(caps); i++) {
		const struct shape *shape = &rows[i / ARRAY_LEN(caps)];
		struct rte_mbuf *m = build(shape);
		uint32_t header_bytes = m->data_len;

		set_caps(caps[i % ARRAY_LEN(caps)]);
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		m->tso_segsz = 1448;
		port_send(&pc, m);
		assert_int_equal(port_flush(&pc), (shape->bytes + 1447) / 1448);
		assert_pieces(shape, 1448, header_bytes);
		assert_int_equal(pkt_pools_used(&pools), 0);
	}
	assert_int_equal(pc.stats[PORT_STAT_TX_SOFT_GSO], ARRAY_LEN(rows) * ARRAY_LEN(caps));
}

static uint32_t freed;

static void count_free(void *addr, void *opaque)
{
	(void)addr;
	++*(uint32_t *)opaque;
}

/* A piece of more segments than the device takes becomes one. */
static void pieces_of_too_many_segments_are_copied(void **state)
{
	struct shape shape = {.bytes = 10000, .seg_bytes = 333, .tcp_flags = WIRE_TCP_ACK};
	struct rte_mbuf *m = build(&shape);
	uint32_t header_bytes = m->data_len;

	(void)state;
	set_caps(PORT_CAP_TX_MULTI_SEG);
	fake.port.tx_segs_max = 4;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = 1448;
	port_send(&pc, m);
	assert_int_equal(port_flush(&pc), 7);
	for (uint32_t i = 0; i < fake.tx_count; i++)
		assert_true(fake.tx[i]->nb_segs <= 4);
	assert_int_equal(pc.stats[PORT_STAT_TX_LINEARIZED], 7);
	assert_pieces(&shape, 1448, header_bytes);
	assert_int_equal(pkt_pools_used(&pools), 0);
}

/* External buffers are sent and cut like others. */
static void external_buffers_are_cut(void **state)
{
	static struct rte_mbuf_ext_shared_info info;
	struct shape shape = {.tcp_flags = WIRE_TCP_ACK};
	struct rte_mbuf *m = build(&shape), *ext = pkt_alloc(&pools);
	uint32_t header_bytes = m->data_len;

	(void)state;
	set_caps(PORT_CAP_TX_MULTI_SEG);
	info.free_cb = count_free;
	info.fcb_opaque = &freed;
	freed = 0;
	rte_mbuf_ext_refcnt_set(&info, 1);
	rte_pktmbuf_attach_extbuf(ext, payload, 0, sizeof(payload), &info);
	assert_non_null(rte_pktmbuf_append(ext, 10001));
	rte_pktmbuf_chain(m, ext);
	shape.bytes = 10001;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = 1448;
	port_send(&pc, m);
	assert_int_equal(port_flush(&pc), 7);
	assert_pieces(&shape, 1448, header_bytes);
	assert_int_equal(freed, 1);
	assert_int_equal(pkt_pools_used(&pools), 0);
}

static void devices_with_tso_cut_themselves(void **state)
{
	struct shape shape = {.bytes = 10000, .seg_bytes = 1448};
	struct rte_mbuf *m = build(&shape);
	const struct rte_ipv4_hdr *ip;

	(void)state;
	set_caps(PORT_CAP_TX_MULTI_SEG | PORT_CAP_TX_TSO | PORT_CAP_TX_L4_CHECKSUM |
		 PORT_CAP_TX_IP_CHECKSUM);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = 1448;
	assert_ptr_equal(send_one(m), m);
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, m->l2_len);
	assert_true(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	assert_memory_equal((const uint8_t *)ip + 20 + 16,
		&(uint16_t){rte_ipv4_phdr_cksum(ip, m->ol_flags)}, 2);
	pkt_free(m);
}

/* A device has a limit for what it cuts and one for each piece. What breaks one is cut here, and a
 * piece that is still too many segments is copied. */
static void devices_cut_what_they_can_hold(void **state)
{
	static const struct {
		uint32_t bytes, seg_bytes;
		uint16_t segs_max, tso_segs_max;
		bool in_device;
		uint32_t copies;
	} rows[] = {
		{10000, 1448, 0, 0, true, 0},
		{10000, 1448, 2, 8, true, 0}, /* each piece: headers, one segment */
		{10000, 1448, 2, 7, false, 0},
		{10000, 1000, 4, 11, true, 0},  /* headers, two or three */
		{10000, 1000, 3, 11, false, 2}, /* ... two pieces have three */
		{10000, 2000, 3, 0, true, 0}, {10000, 2000, 2, 0, false, 4},
		{10000, 110, 0, 0, true, 0},                    /* headers, up to 14 */
		{10000, 90, UINT16_MAX, 0, false, 7},           /* headers, 17: more than ours */
		{19050, 150, 0, UINT16_MAX, true, 0},           /* 128 */
		{20000, 150, UINT16_MAX, UINT16_MAX, false, 0}, /* 135: more than ours */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct shape shape = {.bytes = rows[i].bytes, .seg_bytes = rows[i].seg_bytes};
		uint64_t copies = pc.stats[PORT_STAT_TX_LINEARIZED];
		struct rte_mbuf *m = build(&shape);

		set_caps(PORT_CAP_TX_MULTI_SEG | PORT_CAP_TX_TSO | PORT_CAP_TX_L4_CHECKSUM |
			 PORT_CAP_TX_IP_CHECKSUM);
		fake.port.tx_segs_max = rows[i].segs_max;
		fake.port.tx_tso_segs_max = rows[i].tso_segs_max;
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		m->tso_segsz = 1448;
		port_send(&pc, m);
		if ((port_flush(&pc) == 1) != rows[i].in_device)
			fail_msg("row %zu: cut by the wrong side", i);
		if (pc.stats[PORT_STAT_TX_LINEARIZED] - copies != rows[i].copies)
			fail_msg("row %zu: %u copies", i,
				(unsigned)(pc.stats[PORT_STAT_TX_LINEARIZED] - copies));
		while ((m = fake_port_sent(&fake)))
			pkt_free(m);
	}
	assert_int_equal(pkt_pools_used(&pools), 0);
}

static void small_packets_are_not_cut(void **state)
{
	struct shape shape = {.bytes = 1448};
	struct rte_mbuf *m = build(&shape);

	(void)state;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = 1448;
	assert_ptr_equal(send_one(m), m);
	assert_checksums(m);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_TX_IPV4);
	assert_int_equal(pc.stats[PORT_STAT_TX_SOFT_GSO], 0);
	pkt_free(m);
}

static void cutting_without_buffers_drops_the_rest(void **state)
{
	static const uint32_t caps[] = {0, PORT_CAP_TX_MULTI_SEG};
	struct shape shape = {.bytes = 10000, .seg_bytes = 2000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
		struct rte_mbuf *m = build(&shape), *spare[POOL_COUNT];
		uint32_t count = 0;

		set_caps(caps[i]);
		while ((spare[count] = pkt_alloc(&pools)))
			count++;
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		m->tso_segsz = 1448;
		port_send(&pc, m);
		/* The one buffer that was free is that of the large packet's own headers. */
		assert_int_equal(port_flush(&pc), 1);
		assert_int_equal(pc.stats[PORT_STAT_TX_NO_BUFFER], i + 1);
		pkt_free(fake_port_sent(&fake));
		while (count > 0)
			pkt_free(spare[--count]);
		assert_int_equal(pkt_pools_used(&pools), 0);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(checksums_in_software),
		CASE(udp_never_sends_checksum_zero),
		CASE(devices_get_the_pseudo_header),
		CASE(each_checksum_is_the_devices_or_ours),
		CASE(copies_where_one_segment_is_wanted),
		CASE(tiny_segments_are_copied),
		CASE(copies_that_fit_nowhere_are_dropped),
		CASE(large_packets_are_cut),
		CASE(pieces_of_too_many_segments_are_copied),
		CASE(external_buffers_are_cut),
		CASE(devices_with_tso_cut_themselves),
		CASE(devices_cut_what_they_can_hold),
		CASE(small_packets_are_not_cut),
		CASE(cutting_without_buffers_drops_the_rest),
	};

	return cmocka_run_group_tests_name("port/soft", tests, NULL, NULL);
}
