/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses: [PREFIX@]ADDRESS[:PORT].
 *
 * Goes in: a word. First its variables are expanded, then a transport ("stream+") and a
 * prefix ("ipv4@") are taken off, which leave kind, family and transport; then the rest is
 * a path, a number of a descriptor, or host and port. What the keyword does not accept is
 * refused last, when it is known what it is.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "lang_pvt.h"
#include "lang_value.h"

#define UNIX_PATH_MAX_BYTES 107 /* sun_path without its NUL */

struct reader {
	const char *given;                 /* for messages */
	char text[LANG_ADDRESS_TEXT_SIZE]; /* after the variables */
	const char *at;                    /* behind the prefixes */
	unsigned flags;
	struct lang_address *out;
	struct error *err;
};

#define REFUSE(r, fmt, ...) \
	error_set((r)->err, -EINVAL, "invalid address '%s': " fmt, (r)->given, ##__VA_ARGS__)

/* ---- variables ---- */

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Name of the variable at `at`, which points to "$"; *next is behind it. NULL if it has none. */
static const char *variable_name(
	const char *at, char name[LANG_ADDRESS_TEXT_SIZE], const char **next)
{
	bool braces = at[1] == '{';
	const char *from = at + 1 + braces, *end = from;
	size_t len;

	while (is_name_byte(*end))
		end++;
	len = (size_t)(end - from);
	if (len == 0 || len >= LANG_ADDRESS_TEXT_SIZE || (braces && *end != '}'))
		return NULL;
	memcpy(name, from, len);
	name[len] = '\0';
	*next = end + braces;
	return name;
}

static int expand(struct reader *r, const struct lang_options *options)
{
	char name[LANG_ADDRESS_TEXT_SIZE];
	const char *value, *next;
	size_t len = 0, more;

	for (const char *at = r->given; *at; at = next) {
		if (*at == '$' && variable_name(at, name, &next)) {
			value = options ? lang_variable_find(options, name) : NULL;
			more = value ? strlen(value) : 0;
		} else {
			value = at;
			more = 1;
			next = at + 1;
		}
		if (more >= sizeof(r->text) - len)
			return REFUSE(r, "longer than %zu bytes", sizeof(r->text) - 1);
		if (more > 0)
			memcpy(r->text + len, value, more);
		len += more;
	}
	r->text[len] = '\0';
	if (len == 0)
		return REFUSE(r, "it is empty (is an environment variable missing?)");
	return 0;
}

/* ---- prefixes ---- */

struct prefix {
	const char *word;
	enum lang_address_kind kind;
	enum lang_address_family family;
	int proto; /* -1: the usual one */
};

static const struct prefix prefixes[] = {
	{"ipv4@", LANG_ADDRESS_IP, LANG_FAMILY_V4, -1},
	{"ipv6@", LANG_ADDRESS_IP, LANG_FAMILY_V6, -1},
	{"tcp@", LANG_ADDRESS_IP, LANG_FAMILY_ANY, LANG_PROTO_STREAM},
	{"tcp4@", LANG_ADDRESS_IP, LANG_FAMILY_V4, LANG_PROTO_STREAM},
	{"tcp6@", LANG_ADDRESS_IP, LANG_FAMILY_V6, LANG_PROTO_STREAM},
	{"udp@", LANG_ADDRESS_IP, LANG_FAMILY_ANY, LANG_PROTO_DGRAM},
	{"udp4@", LANG_ADDRESS_IP, LANG_FAMILY_V4, LANG_PROTO_DGRAM},
	{"udp6@", LANG_ADDRESS_IP, LANG_FAMILY_V6, LANG_PROTO_DGRAM},
	{"quic4@", LANG_ADDRESS_IP, LANG_FAMILY_V4, LANG_PROTO_QUIC},
	{"quic6@", LANG_ADDRESS_IP, LANG_FAMILY_V6, LANG_PROTO_QUIC},
	{"mptcp@", LANG_ADDRESS_IP, LANG_FAMILY_ANY, LANG_PROTO_MPTCP},
	{"mptcp4@", LANG_ADDRESS_IP, LANG_FAMILY_V4, LANG_PROTO_MPTCP},
	{"mptcp6@", LANG_ADDRESS_IP, LANG_FAMILY_V6, LANG_PROTO_MPTCP},
	{"unix@", LANG_ADDRESS_UNIX, LANG_FAMILY_ANY, -1},
	{"uxst@", LANG_ADDRESS_UNIX, LANG_FAMILY_ANY, LANG_PROTO_STREAM},
	{"uxdg@", LANG_ADDRESS_UNIX, LANG_FAMILY_ANY, LANG_PROTO_DGRAM},
	{"abns@", LANG_ADDRESS_ABSTRACT, LANG_FAMILY_ANY, -1},
	{"abnsz@", LANG_ADDRESS_ABSTRACT, LANG_FAMILY_ANY, -1},
	{"fd@", LANG_ADDRESS_FD, LANG_FAMILY_ANY, -1},
	{"sockpair@", LANG_ADDRESS_SOCKPAIR, LANG_FAMILY_ANY, -1},
	{"rhttp@", LANG_ADDRESS_REVERSE, LANG_FAMILY_ANY, LANG_PROTO_STREAM},
};

static bool skip(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

static void read_prefix(struct reader *r)
{
	struct lang_address *out = r->out;

	out->proto = r->flags & LANG_ADDRESS_DGRAM_DEFAULT ? LANG_PROTO_DGRAM : LANG_PROTO_STREAM;
	if (skip(&r->at, "stream+"))
		out->proto = LANG_PROTO_STREAM;
	else if (skip(&r->at, "dgram+"))
		out->proto = LANG_PROTO_DGRAM;
	out->kind = *r->at == '/' ? LANG_ADDRESS_UNIX : LANG_ADDRESS_IP;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (!skip(&r->at, prefixes[i].word))
			continue;
		out->kind = prefixes[i].kind;
		out->family = prefixes[i].family;
		if (prefixes[i].proto >= 0)
			out->proto = (enum lang_address_proto)prefixes[i].proto;
		return;
	}
}

/* ---- host and port ---- */

static int read_port_number(struct reader *r, const char *text, unsigned min, uint16_t *out)
{
	int64_t port;

	if (lang_int_parse(text, min, 65535, &port, NULL) != 0 || !isdigit((unsigned char)*text))
		return REFUSE(
			r, "invalid port '%s'; a number from %u to 65535 is accepted", text, min);
	*out = (uint16_t)port;
	return 0;
}

static int read_offset(struct reader *r, const char *text)
{
	struct lang_address *out = r->out;

	if (!(r->flags & LANG_ADDRESS_MAY_OFFSET))
		return REFUSE(r, "port offset not permitted here");
	out->port_kind = *text == '+' ? LANG_PORT_PLUS : LANG_PORT_MINUS;
	if (text[1] && read_port_number(r, text + 1, 0, &out->port_first) != 0)
		return -EINVAL;
	out->port_last = out->port_first;
	return 0;
}

/* `text` may be written to: the dash of a range becomes an end. */
static int read_port(struct reader *r, char *text)
{
	struct lang_address *out = r->out;
	unsigned min = r->flags & LANG_ADDRESS_MUST_PORT ? 1 : 0;
	char *dash;

	if (*text == '\0')
		return 0;
	if (!(r->flags & LANG_ADDRESS_MAY_PORT))
		return REFUSE(r, "port not permitted here");
	if (*text == '+' || *text == '-')
		return read_offset(r, text);
	dash = strchr(text, '-');
	if (dash && !(r->flags & LANG_ADDRESS_MAY_RANGE))
		return REFUSE(r, "port range not permitted here");
	if (dash)
		*dash = '\0';
	out->port_kind = LANG_PORT_FIXED;
	if (read_port_number(r, text, min, &out->port_first) != 0)
		return -EINVAL;
	out->port_last = out->port_first;
	if (dash && read_port_number(r, dash + 1, min, &out->port_last) != 0)
		return -EINVAL;
	if (out->port_last < out->port_first)
		return REFUSE(r, "invalid port range '%u-%u'", out->port_first, out->port_last);
	return 0;
}

static bool is_host_name(const char *text)
{
	const char *at = text;

	while (isalnum((unsigned char)*at) || (*at && strchr("-_.", *at)))
		at++;
	return at > text && *at == '\0' && *text != '-';
}

/* Takes the zone off the host. */
static int read_zone(struct reader *r)
{
	struct lang_address *out = r->out;
	char *zone = strchr(out->text, '%');
	size_t len = zone ? strlen(zone + 1) : 0;

	if (!zone)
		return 0;
	if (!(r->flags & LANG_ADDRESS_MAY_ZONE))
		return REFUSE(r, "zone not permitted here");
	if (len == 0 || len >= sizeof(out->zone))
		return REFUSE(r, "a zone has 1 to %zu bytes", sizeof(out->zone) - 1);
	memcpy(out->zone, zone + 1, len + 1);
	*zone = '\0';
	if (!ip_addr_parse(bytes_of_cstr(out->text), &out->addr) || !ip_addr_is_scoped(&out->addr))
		return REFUSE(r, "'%s' has no zone; link-local addresses have (fe80::1%%%s)",
			out->text, out->zone);
	return 0;
}

static int read_host(struct reader *r, const char *text, size_t len)
{
	struct lang_address *out = r->out;
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	bool is_v4;

	if (bracketed) {
		text++;
		len -= 2;
	}
	memcpy(out->text, text, len);
	out->text[len] = '\0';
	if (!bracketed && (len == 0 || strcmp(out->text, "*") == 0)) {
		out->wildcard = true;
		if (out->family != LANG_FAMILY_V6)
			out->addr = ip_addr_from_v4(0);
		return 0;
	}
	if (read_zone(r) != 0)
		return -EINVAL;
	if (!ip_addr_parse(bytes_of_cstr(out->text), &out->addr)) {
		out->kind = LANG_ADDRESS_NAME;
		if (!is_host_name(out->text))
			return REFUSE(r, "'%s' is no address%s", out->text,
				strchr(out->text, ':')
					? "; the last colon begins the port, so write "
					  "[v6] or [v6]:port"
					: " and no host name");
		return 0;
	}
	/* By its text: "::ffff:1.2.3.4" is IPv6 to the reader of the file. */
	is_v4 = strchr(out->text, ':') == NULL;
	if (out->family != LANG_FAMILY_ANY && is_v4 != (out->family == LANG_FAMILY_V4))
		return REFUSE(r, "'%s' is not IPv%c as the prefix says", out->text,
			out->family == LANG_FAMILY_V4 ? '4' : '6');
	out->wildcard = ip_addr_is_any(&out->addr);
	out->text[0] = '\0';
	return 0;
}

/* The last colon begins the port, unless a bracket closes behind it. */
static int read_endpoint(struct reader *r)
{
	size_t len = strlen(r->at);
	char *host = r->text + (r->at - r->text), *end = host + len;
	char *colon = end;

	while (colon > host && *colon != ']' && *colon != ':')
		colon--;
	if (*colon != ':')
		colon = end;
	if (read_port(r, colon < end ? colon + 1 : end) != 0)
		return -EINVAL;
	if (read_host(r, host, (size_t)(colon - host)) != 0)
		return -EINVAL;
	if (r->out->port_kind == LANG_PORT_NONE && (r->flags & LANG_ADDRESS_MUST_PORT))
		return REFUSE(r, "missing port specification; write ADDRESS:PORT");
	return 0;
}

/* ---- the other kinds ---- */

static int read_path(struct reader *r)
{
	size_t len = strlen(r->at);

	if (len == 0 && r->out->kind == LANG_ADDRESS_UNIX)
		return REFUSE(r, "the path is empty");
	if (len > UNIX_PATH_MAX_BYTES)
		return REFUSE(r, "socket path too long (maximum is %d bytes)", UNIX_PATH_MAX_BYTES);
	memcpy(r->out->text, r->at, len + 1);
	return 0;
}

static int read_descriptor(struct reader *r)
{
	int64_t fd;

	if (lang_int_parse(r->at, 0, INT32_MAX, &fd, NULL) != 0 || !isdigit((unsigned char)*r->at))
		return REFUSE(r, "file descriptor '%s' is not a number", r->at);
	r->out->fd = (int)fd;
	return 0;
}

static int read_rest(struct reader *r)
{
	switch (r->out->kind) {
	case LANG_ADDRESS_UNIX:
	case LANG_ADDRESS_ABSTRACT:
		return read_path(r);
	case LANG_ADDRESS_FD:
	case LANG_ADDRESS_SOCKPAIR:
		return read_descriptor(r);
	case LANG_ADDRESS_REVERSE:
		memcpy(r->out->text, r->at, strlen(r->at) + 1);
		return 0;
	case LANG_ADDRESS_IP:
	case LANG_ADDRESS_NAME:
		return read_endpoint(r);
	}
	return -EINVAL;
}

static int check_kind(struct reader *r)
{
	static const struct {
		unsigned flag;
		const char *what;
	} kinds[] =
		{
			[LANG_ADDRESS_IP] = {0, ""},
			[LANG_ADDRESS_NAME] = {LANG_ADDRESS_MAY_NAME, "host names are"},
			[LANG_ADDRESS_UNIX] = {LANG_ADDRESS_MAY_UNIX, "UNIX sockets are"},
			[LANG_ADDRESS_ABSTRACT] = {LANG_ADDRESS_MAY_UNIX, "UNIX sockets are"},
			[LANG_ADDRESS_FD] = {LANG_ADDRESS_MAY_FD, "file descriptors are"},
			[LANG_ADDRESS_SOCKPAIR] = {LANG_ADDRESS_MAY_FD, "file descriptors are"},
			[LANG_ADDRESS_REVERSE] = {LANG_ADDRESS_MAY_REVERSE,
				"reverse addresses are"},
		},
	  protos[] = {
		  [LANG_PROTO_STREAM] = {LANG_ADDRESS_MAY_STREAM, "streams are"},
		  [LANG_PROTO_DGRAM] = {LANG_ADDRESS_MAY_DGRAM, "datagrams are"},
		  [LANG_PROTO_QUIC] = {LANG_ADDRESS_MAY_QUIC, "QUIC is"},
		  [LANG_PROTO_MPTCP] = {LANG_ADDRESS_MAY_STREAM, "streams are"},
	  };
	unsigned kind_flag = kinds[r->out->kind].flag, proto_flag = protos[r->out->proto].flag;

	if ((r->flags & kind_flag) != kind_flag)
		return REFUSE(r, "%s not accepted here", kinds[r->out->kind].what);
	if ((r->flags & proto_flag) != proto_flag)
		return REFUSE(r, "%s not accepted here", protos[r->out->proto].what);
	return 0;
}

int lang_address_parse(const char *text, unsigned flags, const struct lang_options *options,
	struct lang_address *out, struct error *err)
{
	struct lang_address a = {.fd = -1};
	struct reader r = {.given = text, .flags = flags, .out = &a, .err = err};

	if (expand(&r, options) != 0)
		return -EINVAL;
	r.at = r.text;
	read_prefix(&r);
	if (read_rest(&r) != 0 || check_kind(&r) != 0)
		return -EINVAL;
	*out = a;
	return 0;
}
