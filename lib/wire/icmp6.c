/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery and multicast listener discovery. */
#include "wire_ipv6.h"

#define CHECKSUM_AT       2
#define TARGET_AT         8
#define ROUTER_ADVERT_LEN 16
#define SOLICIT_LEN       24
#define OPTION_UNIT       8

enum {
	OPT_SOURCE_MAC = 1,
	OPT_TARGET_MAC = 2,
	OPT_PREFIX = 3,
	OPT_MTU = 5,
};

enum {
	FLAG_ROUTER = 0x80,
	FLAG_SOLICITED = 0x40,
	FLAG_OVERRIDE = 0x20,
	FLAG_MANAGED = 0x80,
	FLAG_OTHER = 0x40,
	FLAG_ON_LINK = 0x80,
	FLAG_AUTONOMOUS = 0x40,
};

#define MAC_OPTION_BYTES    8
#define PREFIX_OPTION_BYTES 32
#define MTU_OPTION_BYTES    8
#define PREFIX_BITS_MAX     128

/* --- neighbour discovery --- */

static uint32_t fixed_bytes(uint8_t type)
{
	switch (type) {
	case WIRE_ICMP6_ROUTER_SOLICIT:
		return WIRE_ICMP_BYTES;
	case WIRE_ICMP6_ROUTER_ADVERT:
		return ROUTER_ADVERT_LEN;
	case WIRE_ICMP6_SOLICIT:
	case WIRE_ICMP6_ADVERT:
		return SOLICIT_LEN;
	default:
		return 0;
	}
}

static void parse_mac(const uint8_t *p, size_t len, bool *has, struct wire_mac *mac)
{
	if (*has || len != MAC_OPTION_BYTES)
		return;
	*has = true;
	memcpy(mac->b, p + 2, sizeof(mac->b));
}

static void parse_prefix(const uint8_t *p, size_t len, struct wire_ndp *out)
{
	if (out->has_prefix || len != PREFIX_OPTION_BYTES || p[2] > PREFIX_BITS_MAX)
		return;
	out->has_prefix = true;
	out->prefix.bits = p[2];
	out->prefix_on_link = p[3] & FLAG_ON_LINK;
	out->prefix_autonomous = p[3] & FLAG_AUTONOMOUS;
	out->prefix_valid_s = load_be32(p + 4);
	out->prefix_preferred_s = load_be32(p + 8);
	memcpy(out->prefix.addr.b, p + 16, sizeof(out->prefix.addr.b));
}

static void parse_option(const uint8_t *p, size_t len, struct wire_ndp *out)
{
	switch (p[0]) {
	case OPT_SOURCE_MAC:
		parse_mac(p, len, &out->has_source_mac, &out->source_mac);
		break;
	case OPT_TARGET_MAC:
		parse_mac(p, len, &out->has_target_mac, &out->target_mac);
		break;
	case OPT_PREFIX:
		parse_prefix(p, len, out);
		break;
	case OPT_MTU:
		if (!out->has_mtu && len == MTU_OPTION_BYTES) {
			out->has_mtu = true;
			out->mtu = load_be32(p + 4);
		}
		break;
	default:
		break;
	}
}

static bool parse_options(const uint8_t *p, size_t len, struct wire_ndp *out)
{
	while (len > 0) {
		size_t option_len;

		if (len < OPTION_UNIT || p[1] == 0)
			return false;
		option_len = (size_t)p[1] * OPTION_UNIT;
		if (option_len > len)
			return false;
		parse_option(p, option_len, out);
		p += option_len;
		len -= option_len;
	}
	return true;
}

static void parse_router_advert(const uint8_t *p, struct wire_ndp *out)
{
	out->hop_limit = p[4];
	out->managed = p[5] & FLAG_MANAGED;
	out->other = p[5] & FLAG_OTHER;
	out->router_lifetime_s = load_be16(p + 6);
	out->reachable_ms = load_be32(p + 8);
	out->retransmit_ms = load_be32(p + 12);
}

enum wire_verdict wire_ndp_parse(const uint8_t *p, size_t len, struct wire_ndp *out)
{
	uint32_t fixed;

	*out = (struct wire_ndp){0};
	if (len < WIRE_ICMP_BYTES)
		return WIRE_SHORT;
	out->type = p[0];
	out->checksum = load_be16(p + CHECKSUM_AT);
	fixed = fixed_bytes(out->type);
	if (fixed == 0)
		return WIRE_UNSUPPORTED;
	if (len < fixed)
		return WIRE_SHORT;
	if (p[1] != 0)
		return WIRE_MALFORMED;
	if (out->type == WIRE_ICMP6_ROUTER_ADVERT)
		parse_router_advert(p, out);
	if (out->type == WIRE_ICMP6_ADVERT) {
		out->router = p[4] & FLAG_ROUTER;
		out->solicited = p[4] & FLAG_SOLICITED;
		out->override = p[4] & FLAG_OVERRIDE;
	}
	if (fixed == SOLICIT_LEN) {
		memcpy(out->target.b, p + TARGET_AT, sizeof(out->target.b));
		if (ip_addr_is_multicast(&out->target))
			return WIRE_MALFORMED;
	}
	return parse_options(p + fixed, len - fixed, out) ? WIRE_OK : WIRE_MALFORMED;
}

static uint8_t *emit_mac(uint8_t *p, uint8_t kind, const struct wire_mac *mac)
{
	p[0] = kind;
	p[1] = MAC_OPTION_BYTES / OPTION_UNIT;
	memcpy(p + 2, mac->b, sizeof(mac->b));
	return p + MAC_OPTION_BYTES;
}

static uint8_t *emit_prefix(uint8_t *p, const struct wire_ndp *h)
{
	p[0] = OPT_PREFIX;
	p[1] = PREFIX_OPTION_BYTES / OPTION_UNIT;
	p[2] = h->prefix.bits;
	p[3] = (uint8_t)((h->prefix_on_link ? FLAG_ON_LINK : 0) |
			 (h->prefix_autonomous ? FLAG_AUTONOMOUS : 0));
	store_be32(p + 4, h->prefix_valid_s);
	store_be32(p + 8, h->prefix_preferred_s);
	store_be32(p + 12, 0);
	memcpy(p + 16, h->prefix.addr.b, sizeof(h->prefix.addr.b));
	return p + PREFIX_OPTION_BYTES;
}

static uint8_t *emit_options(uint8_t *p, const struct wire_ndp *h)
{
	if (h->has_source_mac)
		p = emit_mac(p, OPT_SOURCE_MAC, &h->source_mac);
	if (h->has_target_mac)
		p = emit_mac(p, OPT_TARGET_MAC, &h->target_mac);
	if (h->has_mtu) {
		p[0] = OPT_MTU;
		p[1] = MTU_OPTION_BYTES / OPTION_UNIT;
		store_be16(p + 2, 0);
		store_be32(p + 4, h->mtu);
		p += MTU_OPTION_BYTES;
	}
	return h->has_prefix ? emit_prefix(p, h) : p;
}

static void emit_router_advert(uint8_t *p, const struct wire_ndp *h)
{
	p[4] = h->hop_limit;
	p[5] = (uint8_t)((h->managed ? FLAG_MANAGED : 0) | (h->other ? FLAG_OTHER : 0));
	store_be16(p + 6, h->router_lifetime_s);
	store_be32(p + 8, h->reachable_ms);
	store_be32(p + 12, h->retransmit_ms);
}

static void emit_target(uint8_t *p, const struct wire_ndp *h)
{
	struct ip_addr target = ip_addr_without_zone(&h->target);

	if (h->type == WIRE_ICMP6_ADVERT)
		p[4] = (uint8_t)((h->router ? FLAG_ROUTER : 0) |
				 (h->solicited ? FLAG_SOLICITED : 0) |
				 (h->override ? FLAG_OVERRIDE : 0));
	memcpy(p + TARGET_AT, target.b, sizeof(target.b));
}

size_t wire_ndp_emit(uint8_t *p, const struct wire_ndp *h)
{
	uint32_t fixed = fixed_bytes(h->type);

	ASSERT(fixed != 0);
	memset(p, 0, fixed);
	p[0] = h->type;
	store_be16(p + CHECKSUM_AT, h->checksum);
	if (h->type == WIRE_ICMP6_ROUTER_ADVERT)
		emit_router_advert(p, h);
	if (fixed == SOLICIT_LEN)
		emit_target(p, h);
	return (size_t)(emit_options(p + fixed, h) - p);
}

/* --- multicast listener discovery --- */

#define MLD2_QUERY_BYTES_MIN 28
#define RESPONSE_FLOAT       0x8000 /* from here on a code is a mantissa with an exponent */

/* RFC 3810 5.1.3 */
static uint32_t response_ms(uint16_t code)
{
	if (code < RESPONSE_FLOAT)
		return code;
	return ((code & 0x0fffU) | 0x1000) << ((code >> 12 & 7) + 3);
}

enum wire_verdict wire_mld_query_parse(const uint8_t *p, size_t len, struct wire_mld_query *out)
{
	uint16_t code;

	*out = (struct wire_mld_query){0};
	if (len < WIRE_MLD1_BYTES)
		return WIRE_SHORT;
	if (p[0] != WIRE_ICMP6_MLD_QUERY)
		return WIRE_UNSUPPORTED;
	if (len > WIRE_MLD1_BYTES && len < MLD2_QUERY_BYTES_MIN)
		return WIRE_MALFORMED;
	out->v1 = len == WIRE_MLD1_BYTES;
	code = load_be16(p + 4);
	out->response_ms = out->v1 ? code : response_ms(code);
	memcpy(out->group.b, p + TARGET_AT, sizeof(out->group.b));
	if (!ip_addr_is_any(&out->group) && !ip_addr_is_multicast(&out->group))
		return WIRE_MALFORMED;
	return WIRE_OK;
}

size_t wire_mld1_report_emit(uint8_t *p, const struct ip_addr *group)
{
	memset(p, 0, WIRE_MLD1_BYTES);
	p[0] = WIRE_ICMP6_MLD1_REPORT;
	memcpy(p + TARGET_AT, group->b, sizeof(group->b));
	return WIRE_MLD1_BYTES;
}

size_t wire_mld2_report_emit(uint8_t *p, uint16_t count)
{
	memset(p, 0, WIRE_MLD2_REPORT_BYTES);
	p[0] = WIRE_ICMP6_MLD2_REPORT;
	store_be16(p + 6, count);
	return WIRE_MLD2_REPORT_BYTES;
}

size_t wire_mld2_record_emit(uint8_t *p, uint8_t type, const struct ip_addr *group)
{
	memset(p, 0, WIRE_MLD2_RECORD_BYTES);
	p[0] = type;
	memcpy(p + 4, group->b, sizeof(group->b));
	return WIRE_MLD2_RECORD_BYTES;
}
