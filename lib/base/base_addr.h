/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP addresses, prefixes, and endpoints of either family in one form: 16 bytes in network
 * order, IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). Equality and hashing need no family.
 * Nothing in weir stores an address in another form, except headers on the wire.
 *
 * A link-local IPv6 address means something on one link only. It carries the zone of that link
 * (RFC 4007) in bytes 2 and 3, which are 0 on the wire (RFC 4291 2.5.6), so that two hosts of the
 * same address on two links are two hosts to everybody who compares. Zone 0: not known yet.
 */
#ifndef WEIR_BASE_ADDR_H
#define WEIR_BASE_ADDR_H

#include "base_bytes.h"

struct ip_addr {
	uint8_t b[16];
};

struct endpoint {
	struct ip_addr addr;
	uint16_t port; /* host byte order */
};

/* An address with the length of its network part. `bits` counts in the address's own
 * family: 0 to 32 for IPv4, 0 to 128 for IPv6. */
struct ip_prefix {
	struct ip_addr addr;
	uint8_t bits;
};

#define IP_ADDR_TEXT_SIZE  46 /* longest text with NUL */
#define ENDPOINT_TEXT_SIZE 56 /* "[v6]:65535" with NUL */

static inline bool ip_addr_is_v4(const struct ip_addr *a)
{
	static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return memcmp(a->b, prefix, sizeof(prefix)) == 0;
}

static inline bool ip_addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/** From an IPv4 address in host byte order. */
static inline struct ip_addr ip_addr_from_v4(uint32_t v4)
{
	struct ip_addr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

	store_be32(&a.b[12], v4);
	return a;
}

/** The IPv4 address in host byte order; only if ip_addr_is_v4. */
static inline uint32_t ip_addr_to_v4(const struct ip_addr *a)
{
	return load_be32(&a->b[12]);
}

/** 0.0.0.0 or :: */
bool ip_addr_is_any(const struct ip_addr *a);

/** 127.0.0.0/8 or ::1 */
bool ip_addr_is_loopback(const struct ip_addr *a);

/** 224.0.0.0/4 or ff00::/8 */
bool ip_addr_is_multicast(const struct ip_addr *a);

/** 169.254.0.0/16 or fe80::/10 */
bool ip_addr_is_link_local(const struct ip_addr *a);

/** True for what has a zone: fe80::/10. */
static inline bool ip_addr_is_scoped(const struct ip_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/** The zone of a scoped address; 0 for any other. */
static inline uint16_t ip_addr_zone(const struct ip_addr *a)
{
	return ip_addr_is_scoped(a) ? load_be16(&a->b[2]) : 0;
}

/** The same address in a zone, 0 for none; an address without scope as it is. */
static inline struct ip_addr ip_addr_with_zone(const struct ip_addr *a, uint16_t zone)
{
	struct ip_addr out = *a;

	if (ip_addr_is_scoped(a))
		store_be16(&out.b[2], zone);
	return out;
}

/** The address as it stands on the wire. */
static inline struct ip_addr ip_addr_without_zone(const struct ip_addr *a)
{
	return ip_addr_with_zone(a, 0);
}

/** Reads a dotted quad or an IPv6 address without brackets or zone. False if it is neither. */
bool ip_addr_parse(struct bytes text, struct ip_addr *out);

/** Reads "ADDRESS/BITS"; without "/BITS" the whole address is the network. False if it is neither.
 */
bool ip_prefix_parse(struct bytes text, struct ip_prefix *out);

/** The prefix with all bits behind its network part cleared: 10.9.0.2/24 becomes 10.9.0.0/24. */
struct ip_prefix ip_prefix_network(const struct ip_prefix *p);

/** True if the address lies in the prefix; a prefix of one family holds no address of the other. */
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);

/** Writes the canonical text (RFC 5952), without zone, to buf of IP_ADDR_TEXT_SIZE bytes and
 * returns buf. */
char *ip_addr_format(const struct ip_addr *a, char *buf);

/** Writes "v4:port" or "[v6]:port" to buf of ENDPOINT_TEXT_SIZE bytes and returns buf. */
char *endpoint_format(const struct endpoint *e, char *buf);

static inline bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && ip_addr_eq(&a->addr, &b->addr);
}

#endif
