/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "wire.h"

#define VLAN_ID_MASK     0x0fff
#define VLAN_ID_RESERVED 0x0fff
#define ARP_HW_ETHERNET  1

static bool is_tag(uint16_t type)
{
	return type == WIRE_ETHERTYPE_VLAN || type == WIRE_ETHERTYPE_SVLAN;
}

enum wire_verdict wire_ether_parse(const uint8_t *p, size_t len, struct wire_ether *out)
{
	*out = (struct wire_ether){.len_bytes = WIRE_ETHER_BYTES};
	if (len < WIRE_ETHER_BYTES)
		return WIRE_SHORT;
	memcpy(out->dst.b, p, sizeof(out->dst.b));
	memcpy(out->src.b, p + 6, sizeof(out->src.b));
	out->type = load_be16(p + 12);
	if (out->type != WIRE_ETHERTYPE_VLAN)
		return is_tag(out->type) ? WIRE_UNSUPPORTED : WIRE_OK;
	if (len < WIRE_ETHER_BYTES + WIRE_VLAN_BYTES)
		return WIRE_SHORT;
	out->len_bytes += WIRE_VLAN_BYTES;
	out->vlan = load_be16(p + 14) & VLAN_ID_MASK;
	out->type = load_be16(p + 16);
	if (out->vlan == VLAN_ID_RESERVED)
		return WIRE_MALFORMED;
	return is_tag(out->type) ? WIRE_UNSUPPORTED : WIRE_OK;
}

size_t wire_ether_emit(uint8_t *p, const struct wire_ether *h)
{
	memcpy(p, h->dst.b, sizeof(h->dst.b));
	memcpy(p + 6, h->src.b, sizeof(h->src.b));
	if (h->vlan == 0) {
		store_be16(p + 12, h->type);
		return WIRE_ETHER_BYTES;
	}
	store_be16(p + 12, WIRE_ETHERTYPE_VLAN);
	store_be16(p + 14, h->vlan);
	store_be16(p + 16, h->type);
	return WIRE_ETHER_BYTES + WIRE_VLAN_BYTES;
}

bool wire_mac_is_multicast(const struct wire_mac *mac)
{
	return mac->b[0] & 1;
}

char *wire_mac_format(const struct wire_mac *mac, char *buf)
{
	snprintf(buf, WIRE_MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0], mac->b[1],
		mac->b[2], mac->b[3], mac->b[4], mac->b[5]);
	return buf;
}

enum wire_verdict wire_arp_parse(const uint8_t *p, size_t len, struct wire_arp *out)
{
	*out = (struct wire_arp){0};
	if (len < WIRE_ARP_BYTES)
		return WIRE_SHORT;
	if (load_be16(p) != ARP_HW_ETHERNET || load_be16(p + 2) != WIRE_ETHERTYPE_IPV4)
		return WIRE_UNSUPPORTED;
	if (p[4] != sizeof(out->sender_mac.b) || p[5] != 4)
		return WIRE_MALFORMED;
	out->op = load_be16(p + 6);
	memcpy(out->sender_mac.b, p + 8, sizeof(out->sender_mac.b));
	out->sender = ip_addr_from_v4(load_be32(p + 14));
	memcpy(out->target_mac.b, p + 18, sizeof(out->target_mac.b));
	out->target = ip_addr_from_v4(load_be32(p + 24));
	return out->op == WIRE_ARP_REQUEST || out->op == WIRE_ARP_REPLY ? WIRE_OK
									: WIRE_UNSUPPORTED;
}

size_t wire_arp_emit(uint8_t *p, const struct wire_arp *h)
{
	store_be16(p, ARP_HW_ETHERNET);
	store_be16(p + 2, WIRE_ETHERTYPE_IPV4);
	p[4] = sizeof(h->sender_mac.b);
	p[5] = 4;
	store_be16(p + 6, h->op);
	memcpy(p + 8, h->sender_mac.b, sizeof(h->sender_mac.b));
	store_be32(p + 14, ip_addr_to_v4(&h->sender));
	memcpy(p + 18, h->target_mac.b, sizeof(h->target_mac.b));
	store_be32(p + 24, ip_addr_to_v4(&h->target));
	return WIRE_ARP_BYTES;
}
