/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire, IPv6: the header, its extension headers, and the small protocols above it. The rules of
 * wire.h hold here as well. Not kept by parse and emit pairs: flow labels, reserved bits, options
 * that we do not know, and of options that stand there twice the later ones.
 *
 * Link-local addresses are given as they stand on the wire, without a zone (base_addr.h); emit
 * leaves the zone out.
 */
#ifndef WEIR_WIRE_IPV6_H
#define WEIR_WIRE_IPV6_H

#include "wire.h"

/* The header (RFC 8200 3) */
#define WIRE_IPV6_BYTES     40
#define WIRE_IPV6_MTU_MIN   1280
#define WIRE_IPV6_LENGTH_AT 4 /* of the payload length, for parameter problems */
#define WIRE_IPV6_NEXT_AT   6 /* of the next header */

#define WIRE_PROTO_HOP_BY_HOP  0
#define WIRE_PROTO_ROUTING     43
#define WIRE_PROTO_FRAGMENT    44
#define WIRE_PROTO_NONE        59
#define WIRE_PROTO_DESTINATION 60

struct wire_ipv6 {
	struct ip_addr src;
	struct ip_addr dst;
	uint16_t payload_bytes; /* what follows the 40 bytes; never more than given to parse */
	uint8_t tos;            /* the traffic class, with the ECN bits */
	uint8_t ttl;            /* the hop limit */
	uint8_t next;           /* the header that follows */
};

/** Checks version and length. Jumbograms are no packets to us. */
enum wire_verdict wire_ipv6_parse(const uint8_t *p, size_t len, struct wire_ipv6 *out);
/** Writes a header with flow label 0. Returns 40. */
size_t wire_ipv6_emit(uint8_t *p, const struct wire_ipv6 *h);

/* Extension headers (RFC 8200 4) */
#define WIRE_IPV6_EXTENSIONS_MAX      8   /* headers in one packet */
#define WIRE_IPV6_EXTENSION_BYTES_MAX 256 /* of all of them */
#define WIRE_IPV6_OPTIONS_MAX         8   /* in one header, padding not counted (RFC 8504 5.3) */
#define WIRE_IPV6_FRAGMENT_BYTES      8

/* A fragment header. */
struct wire_ipv6_fragment {
	uint32_t id;
	uint16_t at;        /* where it stands, from the IPv6 header on; 0: there is none */
	uint16_t next_at;   /* of the next-header field in front of it, which names it */
	uint16_t off_bytes; /* of the bytes behind it, in the packet behind the headers before it */
	uint8_t next;       /* what follows it in the first fragment */
	bool more;
};

/* What stands in front of the upper-layer header. All offsets are from the IPv6 header on. */
struct wire_ipv6_chain {
	uint16_t header_bytes; /* where the upper layer starts; in a later fragment: its bytes */
	uint16_t next_at;      /* of the field that names it */
	uint8_t proto;         /* the upper layer's, or the first header's that we do not know */
	uint8_t extensions;    /* how many extension headers */
	bool router_alert;     /* it asks routers to look at it, for MLD (RFC 2711) */
	struct wire_ipv6_fragment fragment;

	/* With WIRE_MALFORMED: what the sender is to hear by ICMPv6, if it is to hear something. */
	bool tell;
	bool tell_of_group; /* also about a packet to a group (RFC 4443 2.4 e) */
	uint8_t tell_code;  /* of a parameter problem */
	uint16_t tell_at;   /* its pointer */
};

/**
 * Walks over the extension headers of a packet whose header `h` stands at p; `len` bytes lie there
 * in one piece. Goes on behind what it only must refuse, so that `proto` is known where it can be.
 *
 * WIRE_OK: proto starts at header_bytes, or the packet is a fragment other than the first. A
 * fragment that is the whole packet (RFC 6946) has fragment.at set, off_bytes 0, and no more.
 * WIRE_SHORT: the headers do not end within len.
 * WIRE_MALFORMED: a header where none may stand, a routing header that asks for something (RFC
 * 5095, RFC 8200 4.4), an option that must be understood (RFC 8200 4.2), a fragment of a length
 * that cannot be (RFC 8200 4.5), headers that end behind the first fragment (RFC 7112), or
 * more of them than the limits above.
 */
enum wire_verdict wire_ipv6_walk(
	const uint8_t *p, size_t len, const struct wire_ipv6 *h, struct wire_ipv6_chain *out);

/** Writes a fragment header (next, id, off_bytes, more). Returns 8. */
size_t wire_ipv6_fragment_emit(uint8_t *p, const struct wire_ipv6_fragment *f);

#define WIRE_IPV6_ROUTER_ALERT_BYTES 8
/** Writes a hop-by-hop header that asks routers to look, for MLD (RFC 2711). Returns 8. */
size_t wire_ipv6_router_alert_emit(uint8_t *p, uint8_t next);

/** The solicited-node group of an address (RFC 4291 2.7.1). */
struct ip_addr wire_ipv6_solicited_node(const struct ip_addr *a);
/** The Ethernet address of a group (RFC 2464 7). */
struct wire_mac wire_ipv6_group_mac(const struct ip_addr *group);
/** The link-local address that an Ethernet address makes (RFC 4291 appendix A). */
struct ip_addr wire_ipv6_link_local(const struct wire_mac *mac);

/* ICMPv6 (RFC 4443): read and written by wire_icmp_parse and wire_icmp_emit. */
#define WIRE_ICMP6_UNREACHABLE    1
#define WIRE_ICMP6_TOO_BIG        2
#define WIRE_ICMP6_TIME_EXCEEDED  3
#define WIRE_ICMP6_PARAMETER      4
#define WIRE_ICMP6_ECHO           128
#define WIRE_ICMP6_ECHO_REPLY     129
#define WIRE_ICMP6_MLD_QUERY      130
#define WIRE_ICMP6_MLD1_REPORT    131
#define WIRE_ICMP6_ROUTER_SOLICIT 133
#define WIRE_ICMP6_ROUTER_ADVERT  134
#define WIRE_ICMP6_SOLICIT        135
#define WIRE_ICMP6_ADVERT         136
#define WIRE_ICMP6_REDIRECT       137
#define WIRE_ICMP6_MLD2_REPORT    143

/* Codes of WIRE_ICMP6_UNREACHABLE */
#define WIRE_ICMP6_UNREACH_ROUTE   0
#define WIRE_ICMP6_UNREACH_ADMIN   1
#define WIRE_ICMP6_UNREACH_ADDRESS 3
#define WIRE_ICMP6_UNREACH_PORT    4

/* Codes of WIRE_ICMP6_PARAMETER */
#define WIRE_ICMP6_PARAMETER_FIELD  0
#define WIRE_ICMP6_PARAMETER_NEXT   1
#define WIRE_ICMP6_PARAMETER_OPTION 2
#define WIRE_ICMP6_PARAMETER_CHAIN  3 /* RFC 7112 */

/* Neighbour discovery (RFC 4861 4), from the ICMPv6 header on */
#define WIRE_NDP_BYTES_MAX 72 /* that emit writes */

struct wire_ndp {
	uint8_t type; /* WIRE_ICMP6_ROUTER_SOLICIT, _ROUTER_ADVERT, _SOLICIT, _ADVERT */
	uint16_t checksum;
	struct ip_addr target; /* of neighbour solicitations and advertisements */

	/* Of neighbour advertisements. */
	bool router, solicited, override;

	/* Of router advertisements. */
	uint8_t hop_limit; /* 0: not said */
	bool managed, other;
	uint16_t router_lifetime_s; /* 0: no default router */
	uint32_t reachable_ms, retransmit_ms;

	/* Options; each the first of its kind. */
	bool has_source_mac, has_target_mac, has_mtu, has_prefix;
	struct wire_mac source_mac;
	struct wire_mac target_mac;
	uint32_t mtu;
	struct ip_prefix prefix;
	bool prefix_on_link, prefix_autonomous;
	uint32_t prefix_valid_s, prefix_preferred_s;
};

/** Checks what the message alone tells (RFC 4861 6.1, 7.1): code, lengths, the target, options.
 * Unknown options are skipped. A type other than the four is WIRE_UNSUPPORTED. */
enum wire_verdict wire_ndp_parse(const uint8_t *p, size_t len, struct wire_ndp *out);
/** Writes a message, with h->checksum. Returns its length, at most WIRE_NDP_BYTES_MAX. */
size_t wire_ndp_emit(uint8_t *p, const struct wire_ndp *h);

/* Multicast listener discovery (RFC 2710, RFC 3810), from the ICMPv6 header on */
#define WIRE_MLD1_BYTES        24
#define WIRE_MLD2_REPORT_BYTES 8 /* and for each group */
#define WIRE_MLD2_RECORD_BYTES 20
#define WIRE_MLD2_IS_EXCLUDE   2 /* answers a query: it is listened to */
#define WIRE_MLD2_TO_EXCLUDE   4 /* it is listened to from now on */

struct wire_mld_query {
	struct ip_addr group; /* any: all groups */
	uint32_t response_ms; /* the longest time to answer in */
	bool v1;
};

/** Checks type, code and length, which tells the version (RFC 3810 8.1). */
enum wire_verdict wire_mld_query_parse(const uint8_t *p, size_t len, struct wire_mld_query *out);
/** Writes a report of version 1 with checksum 0. Returns 24. */
size_t wire_mld1_report_emit(uint8_t *p, const struct ip_addr *group);
/** Writes a report of version 2 with checksum 0 and room for `count` records; returns 8. */
size_t wire_mld2_report_emit(uint8_t *p, uint16_t count);
/** Writes a record of it. Returns 20. */
size_t wire_mld2_record_emit(uint8_t *p, uint8_t type, const struct ip_addr *group);

#endif
