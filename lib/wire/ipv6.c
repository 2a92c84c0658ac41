/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 and its extension headers. */
#include "wire_ipv6.h"

#define EXTENSION_BYTES_MIN 8
#define FRAGMENT_OFF_MASK   0xfff8
#define FRAGMENT_MORE       0x0001
#define PAYLOAD_BYTES_MAX   65535
#define SEGMENTS_LEFT_AT    3
#define ROUTING_TYPE_AT     2
#define FRAGMENT_OFF_AT     2
#define OPTION_PAD1         0
#define OPTION_PADN         1
#define OPTION_ROUTER_ALERT 5
#define ROUTER_ALERT_BYTES  2
#define ROUTER_ALERT_MLD    0
#define TCP_OFFSET_AT       12
#define UPPER_BYTES_MIN     8 /* of UDP, of ICMPv6, of what we do not know */

enum wire_verdict wire_ipv6_parse(const uint8_t *p, size_t len, struct wire_ipv6 *out)
{
	*out = (struct wire_ipv6){0};
	if (len < WIRE_IPV6_BYTES)
		return WIRE_SHORT;
	out->payload_bytes = load_be16(p + WIRE_IPV6_LENGTH_AT);
	if (p[0] >> 4 != 6)
		return WIRE_MALFORMED;
	if (out->payload_bytes + (size_t)WIRE_IPV6_BYTES > len)
		return WIRE_SHORT;
	out->tos = (uint8_t)(load_be16(p) >> 4);
	out->next = p[WIRE_IPV6_NEXT_AT];
	out->ttl = p[7];
	memcpy(out->src.b, p + 8, sizeof(out->src.b));
	memcpy(out->dst.b, p + 24, sizeof(out->dst.b));
	return WIRE_OK;
}

static void emit_addr(uint8_t *p, const struct ip_addr *a)
{
	struct ip_addr plain = ip_addr_without_zone(a);

	memcpy(p, plain.b, sizeof(plain.b));
}

size_t wire_ipv6_emit(uint8_t *p, const struct wire_ipv6 *h)
{
	store_be32(p, UINT32_C(6) << 28 | (uint32_t)h->tos << 20);
	store_be16(p + WIRE_IPV6_LENGTH_AT, h->payload_bytes);
	p[WIRE_IPV6_NEXT_AT] = h->next;
	p[7] = h->ttl;
	emit_addr(p + 8, &h->src);
	emit_addr(p + 24, &h->dst);
	return WIRE_IPV6_BYTES;
}

/* A walk: what is left to look at, and what was found. */
struct walk {
	const uint8_t *p;
	uint32_t len; /* bytes at p that belong to the packet */
	bool refused;
	struct wire_ipv6_chain *out;
};

/* Only the first fault counts. */
static void refuse(struct walk *w, uint8_t code, uint32_t at)
{
	if (w->refused)
		return;
	w->refused = true;
	w->out->tell = true;
	w->out->tell_code = code;
	w->out->tell_at = (uint16_t)at;
}

static void refuse_silently(struct walk *w)
{
	w->refused = true;
}

/* The two highest bits of an option that we do not know say what to do (RFC 8200 4.2). */
static void unknown_option(struct walk *w, uint32_t at)
{
	bool first = !w->refused;

	switch (w->p[at] >> 6) {
	case 0:
		return;
	case 1:
		refuse_silently(w);
		return;
	case 2:
		refuse(w, WIRE_ICMP6_PARAMETER_OPTION, at);
		w->out->tell_of_group |= first;
		return;
	default:
		refuse(w, WIRE_ICMP6_PARAMETER_OPTION, at);
	}
}

/* Of the hop-by-hop header alone; there w->out->proto is what is being walked. */
static bool is_mld_alert(const struct walk *w, uint32_t at)
{
	return w->out->proto == WIRE_PROTO_HOP_BY_HOP && w->p[at] == OPTION_ROUTER_ALERT &&
	       w->p[at + 1] == ROUTER_ALERT_BYTES && load_be16(w->p + at + 2) == ROUTER_ALERT_MLD;
}

static void walk_options(struct walk *w, uint32_t at, uint32_t end)
{
	uint32_t options = 0;

	for (at += 2; at < end;) {
		if (w->p[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end || at + 2 + w->p[at + 1] > end) {
			refuse_silently(w);
			return;
		}
		if (w->p[at] != OPTION_PADN && options++ == WIRE_IPV6_OPTIONS_MAX) {
			refuse_silently(w);
			return;
		}
		if (is_mld_alert(w, at))
			w->out->router_alert = true;
		else if (w->p[at] != OPTION_PADN)
			unknown_option(w, at);
		at += 2 + w->p[at + 1];
	}
}

/* We know no type. One that asks for nothing more is skipped. */
static void walk_routing(struct walk *w, uint32_t at)
{
	if (w->p[at + SEGMENTS_LEFT_AT] != 0)
		refuse(w, WIRE_ICMP6_PARAMETER_FIELD, at + ROUTING_TYPE_AT);
}

static void walk_fragment(struct walk *w, uint32_t at, uint32_t packet_bytes)
{
	struct wire_ipv6_fragment *f = &w->out->fragment;
	uint32_t bytes = packet_bytes - at - WIRE_IPV6_FRAGMENT_BYTES;
	uint16_t off = load_be16(w->p + at + FRAGMENT_OFF_AT);

	if (f->at != 0) { /* a fragment of a fragment */
		refuse_silently(w);
		return;
	}
	f->at = (uint16_t)at;
	f->next_at = w->out->next_at;
	f->next = w->p[at];
	f->off_bytes = off & FRAGMENT_OFF_MASK;
	f->more = off & FRAGMENT_MORE;
	f->id = load_be32(w->p + at + 4);
	if (f->more && bytes % 8 != 0)
		refuse(w, WIRE_ICMP6_PARAMETER_FIELD, WIRE_IPV6_LENGTH_AT);
	else if (f->more && bytes == 0)
		refuse_silently(w);
	else if (at - WIRE_IPV6_BYTES + f->off_bytes + bytes > PAYLOAD_BYTES_MAX)
		refuse(w, WIRE_ICMP6_PARAMETER_FIELD, at + FRAGMENT_OFF_AT);
}

static bool is_extension(uint8_t next)
{
	return next == WIRE_PROTO_HOP_BY_HOP || next == WIRE_PROTO_ROUTING ||
	       next == WIRE_PROTO_FRAGMENT || next == WIRE_PROTO_DESTINATION;
}

/* One extension header; false if the walk ends at it. */
static bool walk_header(struct walk *w, uint32_t packet_bytes)
{
	struct wire_ipv6_chain *out = w->out;
	uint32_t at = out->header_bytes;
	uint32_t bytes = WIRE_IPV6_FRAGMENT_BYTES;

	if (out->proto == WIRE_PROTO_HOP_BY_HOP && at != WIRE_IPV6_BYTES) {
		refuse(w, WIRE_ICMP6_PARAMETER_NEXT, out->next_at);
		return false;
	}
	if (at + EXTENSION_BYTES_MIN > w->len)
		return false;
	if (out->proto != WIRE_PROTO_FRAGMENT)
		bytes = (w->p[at + 1] + 1U) * 8;
	if (at + bytes > w->len)
		return false;
	if (++out->extensions > WIRE_IPV6_EXTENSIONS_MAX ||
		at + bytes > WIRE_IPV6_BYTES + WIRE_IPV6_EXTENSION_BYTES_MAX) {
		refuse_silently(w);
		return false;
	}
	if (out->proto == WIRE_PROTO_ROUTING)
		walk_routing(w, at);
	else if (out->proto == WIRE_PROTO_FRAGMENT)
		walk_fragment(w, at, packet_bytes);
	else
		walk_options(w, at, at + bytes);
	out->next_at = (uint16_t)at;
	out->proto = w->p[at];
	out->header_bytes = (uint16_t)(at + bytes);
	return true;
}

/* True if the bytes reach to the end of the upper-layer header. */
static bool upper_header_is_whole(const struct walk *w)
{
	uint32_t room = w->len - w->out->header_bytes;
	uint32_t bytes = UPPER_BYTES_MIN;

	if (w->out->proto == WIRE_PROTO_NONE)
		return true;
	if (w->out->proto == WIRE_PROTO_TCP) {
		if (room < WIRE_TCP_BYTES_MIN)
			return false;
		bytes = (w->p[w->out->header_bytes + TCP_OFFSET_AT] >> 4) * 4U;
	}
	return room >= bytes;
}

enum wire_verdict wire_ipv6_walk(
	const uint8_t *p, size_t len, const struct wire_ipv6 *h, struct wire_ipv6_chain *out)
{
	uint32_t packet_bytes = WIRE_IPV6_BYTES + (uint32_t)h->payload_bytes;
	struct walk w = {.p = p, .len = (uint32_t)MIN(len, (size_t)packet_bytes), .out = out};
	const struct wire_ipv6_fragment *f = &out->fragment;
	bool whole = true;

	*out = (struct wire_ipv6_chain){
		.header_bytes = WIRE_IPV6_BYTES, .next_at = WIRE_IPV6_NEXT_AT, .proto = h->next};
	while (whole && is_extension(out->proto) && f->off_bytes == 0)
		whole = walk_header(&w, packet_bytes);
	if (w.refused)
		return WIRE_MALFORMED;
	if (whole && (!f->more || f->off_bytes != 0 || upper_header_is_whole(&w)))
		return WIRE_OK;
	if (f->at == 0 || f->off_bytes != 0 || !f->more || w.len < packet_bytes)
		return WIRE_SHORT;
	refuse(&w, WIRE_ICMP6_PARAMETER_CHAIN, 0);
	return WIRE_MALFORMED;
}

size_t wire_ipv6_fragment_emit(uint8_t *p, const struct wire_ipv6_fragment *f)
{
	p[0] = f->next;
	p[1] = 0;
	store_be16(p + FRAGMENT_OFF_AT, (uint16_t)(f->off_bytes | (f->more ? FRAGMENT_MORE : 0)));
	store_be32(p + 4, f->id);
	return WIRE_IPV6_FRAGMENT_BYTES;
}

size_t wire_ipv6_router_alert_emit(uint8_t *p, uint8_t next)
{
	p[0] = next;
	p[1] = 0;
	p[2] = OPTION_ROUTER_ALERT;
	p[3] = ROUTER_ALERT_BYTES;
	store_be16(p + 4, ROUTER_ALERT_MLD);
	p[6] = OPTION_PADN;
	p[7] = 0;
	return WIRE_IPV6_ROUTER_ALERT_BYTES;
}

struct ip_addr wire_ipv6_solicited_node(const struct ip_addr *a)
{
	struct ip_addr group = {{0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(&group.b[13], &a->b[13], 3);
	return group;
}

struct wire_mac wire_ipv6_group_mac(const struct ip_addr *group)
{
	struct wire_mac mac = {{0x33, 0x33}};

	memcpy(&mac.b[2], &group->b[12], 4);
	return mac;
}

struct ip_addr wire_ipv6_link_local(const struct wire_mac *mac)
{
	struct ip_addr a = {{0xfe, 0x80, [11] = 0xff, [12] = 0xfe}};

	memcpy(&a.b[8], &mac->b[0], 3);
	memcpy(&a.b[13], &mac->b[3], 3);
	a.b[8] ^= 2; /* the universal/local bit stands the other way round */
	return a;
}
