/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire: headers as they stand on the wire, and their meaning in host byte order.
 *
 * wire_*_parse reads a header from bytes into a representation and checks all that the header
 * alone can tell; code above never touches raw bytes. `len` is what is left of the packet; only
 * the header itself need lie at p in one piece. On any verdict but WIRE_OK the representation
 * holds what was read so far. wire_*_emit writes one; the caller has room for its *_BYTES.
 * For each pair emit(parse(x)) gives x, but for what the representation does not keep: VLAN
 * priority, IPv4 options, unknown TCP options and their order, reserved bits, and the checksum
 * of TCP. Stateless; any core. Checksums of UDP, ICMP and TCP are the caller's (offload, or
 * wire_checksum_*).
 */
#ifndef WEIR_WIRE_H
#define WEIR_WIRE_H

#include "base_addr.h"
#include "base_seq.h"

enum wire_verdict {
	WIRE_OK,
	WIRE_SHORT,       /* the bytes end before the header does */
	WIRE_MALFORMED,   /* a length, a version, or a number that cannot be */
	WIRE_UNSUPPORTED, /* well-formed, but not for us (another hardware type, ...) */
	WIRE_BAD_CHECKSUM,
};

/* Ethernet (IEEE 802.3, 802.1Q) */
struct wire_mac {
	uint8_t b[6];
};

#define WIRE_ETHERTYPE_IPV4  0x0800
#define WIRE_ETHERTYPE_ARP   0x0806
#define WIRE_ETHERTYPE_VLAN  0x8100
#define WIRE_ETHERTYPE_SVLAN 0x88a8 /* a service tag (802.1ad) */
#define WIRE_ETHERTYPE_IPV6  0x86dd
#define WIRE_ETHER_BYTES     14
#define WIRE_VLAN_BYTES      4

struct wire_ether {
	struct wire_mac dst;
	struct wire_mac src;
	uint16_t type;     /* of what follows the tag; below 0x0600 it is an 802.3 length */
	uint16_t vlan;     /* VLAN id 1 to 4094; 0: untagged or priority-tagged */
	uint8_t len_bytes; /* of the header with its tag */
};

/** A second tag and a service tag are WIRE_UNSUPPORTED. Emit writes a tag if vlan is not 0. */
enum wire_verdict wire_ether_parse(const uint8_t *p, size_t len, struct wire_ether *out);
size_t wire_ether_emit(uint8_t *p, const struct wire_ether *h);

/** True for multicast and broadcast. */
bool wire_mac_is_multicast(const struct wire_mac *mac);

#define WIRE_MAC_TEXT_SIZE 18
/** Writes "02:00:5e:00:00:01" to buf of WIRE_MAC_TEXT_SIZE bytes and returns buf. */
char *wire_mac_format(const struct wire_mac *mac, char *buf);

/* ARP for IPv4 over Ethernet (RFC 826) */
#define WIRE_ARP_BYTES   28
#define WIRE_ARP_REQUEST 1
#define WIRE_ARP_REPLY   2

struct wire_arp {
	uint16_t op;
	struct wire_mac sender_mac;
	struct ip_addr sender;
	struct wire_mac target_mac;
	struct ip_addr target;
};

/** Operations other than request and reply are WIRE_UNSUPPORTED. */
enum wire_verdict wire_arp_parse(const uint8_t *p, size_t len, struct wire_arp *out);
size_t wire_arp_emit(uint8_t *p, const struct wire_arp *h);

/* IPv4 (RFC 791) */
#define WIRE_IPV4_BYTES_MIN 20
#define WIRE_IPV4_BYTES_MAX 60
#define WIRE_PROTO_ICMP     1
#define WIRE_PROTO_TCP      6
#define WIRE_PROTO_UDP      17
#define WIRE_PROTO_ICMPV6   58

struct wire_ipv4 {
	struct ip_addr src;
	struct ip_addr dst;
	uint16_t total_bytes; /* header and payload; never more than the bytes given to parse */
	uint16_t id;
	uint16_t fragment_off_bytes;
	uint8_t header_bytes;
	uint8_t tos;
	uint8_t ttl;
	uint8_t proto;
	bool dont_fragment;
	bool more_fragments;
};

/**
 * Checks version, lengths (also that a fragment ends within 65535 bytes and that only the last one
 * has a length off 8), and the header checksum unless `checksum_ok` (the NIC saw to it).
 */
enum wire_verdict wire_ipv4_parse(
	const uint8_t *p, size_t len, bool checksum_ok, struct wire_ipv4 *out);
/** Writes a header without options, with its checksum. Returns 20. */
size_t wire_ipv4_emit(uint8_t *p, const struct wire_ipv4 *h);

/* UDP (RFC 768) */
#define WIRE_UDP_BYTES 8

struct wire_udp {
	uint16_t src_port;
	uint16_t dst_port;
	uint16_t len_bytes; /* header and payload */
	uint16_t checksum;
};

/** Checks the length. A checksum of 0 means that there is none. */
enum wire_verdict wire_udp_parse(const uint8_t *p, size_t len, struct wire_udp *out);
size_t wire_udp_emit(uint8_t *p, const struct wire_udp *h);

/* ICMP (RFC 792, 1122) */
#define WIRE_ICMP_BYTES            8
#define WIRE_ICMP_ECHO_REPLY       0
#define WIRE_ICMP_UNREACHABLE      3
#define WIRE_ICMP_ECHO             8
#define WIRE_ICMP_TIME_EXCEEDED    11
#define WIRE_ICMP_EXCEED_REASM     1
#define WIRE_ICMP_UNREACH_NET      0
#define WIRE_ICMP_UNREACH_HOST     1
#define WIRE_ICMP_UNREACH_PROTO    2
#define WIRE_ICMP_UNREACH_PORT     3
#define WIRE_ICMP_UNREACH_NEEDFRAG 4

struct wire_icmp {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint32_t rest; /* bytes 4 to 7: id and sequence, or unused and next-hop MTU */
};

/** The checksum covers the whole message: the caller checks it. */
enum wire_verdict wire_icmp_parse(const uint8_t *p, size_t len, struct wire_icmp *out);
size_t wire_icmp_emit(uint8_t *p, const struct wire_icmp *h);

/* TCP (RFC 9293, options of RFC 7323, RFC 2018 and RFC 7413) */
#define WIRE_TCP_BYTES_MIN       20
#define WIRE_TCP_BYTES_MAX       60
#define WIRE_TCP_OPTIONS_MAX     40
#define WIRE_TCP_SACK_BLOCKS_MAX 4
#define WIRE_TCP_FAST_OPEN_MAX   16 /* bytes of a cookie; 4 at least, an even number */

enum {
	WIRE_TCP_FIN = 0x01,
	WIRE_TCP_SYN = 0x02,
	WIRE_TCP_RST = 0x04,
	WIRE_TCP_PSH = 0x08,
	WIRE_TCP_ACK = 0x10,
	WIRE_TCP_URG = 0x20,
	WIRE_TCP_ECE = 0x40,
	WIRE_TCP_CWR = 0x80,
};

struct wire_sack_block {
	struct seq start;
	struct seq end; /* the first byte after the block */
};

struct wire_tcp {
	uint16_t src_port;
	uint16_t dst_port;
	struct seq seq;
	struct seq ack;
	uint16_t window; /* as on the wire, not scaled */
	uint16_t urgent;
	uint8_t flags;
	uint8_t header_bytes;

	/* Options. Unknown ones, and known ones of a wrong length, are skipped; a length that
	 * cannot be (below 2, past the end) ends the list. */
	bool has_mss : 1;
	bool has_window_scale : 1;
	bool has_sack_permitted : 1;
	bool has_timestamp : 1;
	bool has_fast_open : 1; /* RFC 7413; a length of 0 asks for a cookie */
	uint8_t fast_open_len;
	uint8_t sack_count;
	uint8_t window_scale; /* 0 to 14; larger values are cut to 14 (RFC 7323 2.3) */
	uint16_t mss;
	uint32_t ts_val;
	uint32_t ts_ecr;
	struct wire_sack_block sack[WIRE_TCP_SACK_BLOCKS_MAX];
	uint8_t fast_open[WIRE_TCP_FAST_OPEN_MAX];
};

/** Does not check the checksum. */
enum wire_verdict wire_tcp_parse(const uint8_t *p, size_t len, struct wire_tcp *out);
/** Bytes that emit will write: 20 plus the options, padded to 4. SACK blocks that do not fit
 * beside the other options are left out, the last ones first (3 fit beside a timestamp). */
size_t wire_tcp_bytes(const struct wire_tcp *h);
/** Writes the header with checksum 0; at most WIRE_TCP_BYTES_MAX. Returns its length. */
size_t wire_tcp_emit(uint8_t *p, const struct wire_tcp *h);

/* The Internet checksum (RFC 1071). */

/** Adds bytes to a running sum (start with 0; all parts but the last have an even length). */
uint32_t wire_checksum_add(uint32_t sum, const void *p, size_t len);
/** The pseudo header of TCP or UDP over IPv4 or IPv6. */
uint32_t wire_checksum_pseudo(
	const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t l4_bytes);
/** Folds to the value for the header, in host byte order; 0 if the sum covers a right checksum. UDP
 * sends 0 as 0xffff. */
uint16_t wire_checksum_fold(uint32_t sum);

#endif
