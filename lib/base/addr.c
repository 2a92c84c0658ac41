/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdio.h>

#include "base_addr.h"

static const uint8_t v6_loopback[16] = {[15] = 1};

bool ip_addr_is_any(const struct ip_addr *a)
{
	static const uint8_t v6_any[16];

	if (ip_addr_is_v4(a))
		return ip_addr_to_v4(a) == 0;
	return memcmp(a->b, v6_any, sizeof(v6_any)) == 0;
}

bool ip_addr_is_loopback(const struct ip_addr *a)
{
	if (ip_addr_is_v4(a))
		return a->b[12] == 127;
	return memcmp(a->b, v6_loopback, sizeof(v6_loopback)) == 0;
}

bool ip_addr_is_multicast(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool ip_addr_is_link_local(const struct ip_addr *a)
{
	if (ip_addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ip_addr_parse(struct bytes text, struct ip_addr *out)
{
	char buf[IP_ADDR_TEXT_SIZE];
	struct in_addr v4;

	if (text.len == 0 || text.len >= sizeof(buf))
		return false;
	memcpy(buf, text.ptr, text.len);
	buf[text.len] = '\0';
	if (inet_pton(AF_INET, buf, &v4) == 1) {
		*out = ip_addr_from_v4(ntohl(v4.s_addr));
		return true;
	}
	return inet_pton(AF_INET6, buf, out->b) == 1 && ip_addr_zone(out) == 0;
}

bool ip_prefix_parse(struct bytes text, struct ip_prefix *out)
{
	const char *slash = memchr(text.ptr, '/', text.len);
	size_t addr_len = slash ? (size_t)(slash - text.ptr) : text.len;
	unsigned bits = 0, bits_max;

	if (!ip_addr_parse(bytes_of(text.ptr, addr_len), &out->addr))
		return false;
	bits_max = ip_addr_is_v4(&out->addr) ? 32 : 128;
	out->bits = (uint8_t)bits_max;
	if (!slash)
		return true;
	if (addr_len + 1 == text.len || text.len - addr_len > 4)
		return false;
	for (size_t i = addr_len + 1; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		bits = bits * 10 + (unsigned)(text.ptr[i] - '0');
	}
	out->bits = (uint8_t)bits;
	return bits <= bits_max;
}

struct ip_prefix ip_prefix_network(const struct ip_prefix *p)
{
	unsigned bits = p->bits + (ip_addr_is_v4(&p->addr) ? 96u : 0u);
	struct ip_prefix network = *p;

	for (unsigned i = bits; i < 128; i++)
		network.addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return network;
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	bool v4 = ip_addr_is_v4(&p->addr);
	unsigned bits = p->bits + (v4 ? 96u : 0u);
	unsigned whole = bits / 8, rest = bits % 8;

	if (v4 != ip_addr_is_v4(a))
		return false;
	if (memcmp(p->addr.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((p->addr.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}

char *ip_addr_format(const struct ip_addr *a, char *buf)
{
	struct ip_addr plain = ip_addr_without_zone(a);

	if (ip_addr_is_v4(a))
		inet_ntop(AF_INET, &a->b[12], buf, IP_ADDR_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, plain.b, buf, IP_ADDR_TEXT_SIZE);
	return buf;
}

char *endpoint_format(const struct endpoint *e, char *buf)
{
	char addr[IP_ADDR_TEXT_SIZE];
	const char *fmt = ip_addr_is_v4(&e->addr) ? "%s:%u" : "[%s]:%u";

	snprintf(buf, ENDPOINT_TEXT_SIZE, fmt, ip_addr_format(&e->addr, addr), e->port);
	return buf;
}
