/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values in the configuration language: numbers, times, sizes, switches,
 * addresses, read as HAProxy reads them. Each function returns 0, or -EINVAL or
 * -ERANGE with `err`: a sentence that names the text and says what is accepted.
 * *out is set only with 0.
 *
 * Stateless; any core, though only the control core has a reason to.
 */
#ifndef WEIR_LANG_VALUE_H
#define WEIR_LANG_VALUE_H

#include "base_addr.h"
#include "base_error.h"
#include "lang.h"

/* The longest time HAProxy accepts: 2^31 - 1 milliseconds, about 24.8 days. */
#define LANG_TIME_MAX_NS (UINT64_C(2147483647) * NS_PER_MS)

/**
 * Time: digits and one of us ms s m h d; without a unit the number counts in `unit_ns`
 * (NS_PER_MS for most keywords, NS_PER_SEC for some). The result is rounded up to a whole
 * unit, so 1us is one millisecond where the unit is that. More than `max_ns`
 * (LANG_TIME_MAX_NS if 0) is -ERANGE. Letters behind the unit are not looked at, as in
 * HAProxy: "5sec", "1min", "2hours".
 */
int lang_time_parse(
	const char *text, uint64_t unit_ns, uint64_t max_ns, uint64_t *out_ns, struct error *err);

/** Size in bytes: digits and optionally k, m, g or K, M, G (powers of 1024). */
int lang_size_parse(const char *text, uint64_t max_bytes, uint64_t *out_bytes, struct error *err);

/** Decimal integer with optional sign, min <= value <= max. Nothing may follow
 * it. */
int lang_int_parse(const char *text, int64_t min, int64_t max, int64_t *out, struct error *err);

/** "N%" or "N", 0 to `max` percent. */
int lang_percent_parse(const char *text, unsigned max, unsigned *out, struct error *err);

/** "on" or "off". */
int lang_switch_parse(const char *text, bool *out, struct error *err);

enum lang_address_kind {
	LANG_ADDRESS_IP,       /* addr, ports */
	LANG_ADDRESS_NAME,     /* text is a host name, not resolved; ports */
	LANG_ADDRESS_UNIX,     /* text is a path */
	LANG_ADDRESS_ABSTRACT, /* text is an abstract name (abns@, abnsz@) */
	LANG_ADDRESS_FD,       /* fd, inherited (fd@N) */
	LANG_ADDRESS_SOCKPAIR, /* fd (sockpair@N) */
	LANG_ADDRESS_REVERSE   /* text is a backend and server (rhttp@) */
};

enum lang_address_proto {
	LANG_PROTO_STREAM, /* TCP or a UNIX stream socket */
	LANG_PROTO_DGRAM,  /* udp@ and dgram+ */
	LANG_PROTO_QUIC,
	LANG_PROTO_MPTCP
};

enum lang_address_family { LANG_FAMILY_ANY, LANG_FAMILY_V4, LANG_FAMILY_V6 };

enum lang_port_kind {
	LANG_PORT_NONE, /* none given */
	LANG_PORT_FIXED,
	LANG_PORT_PLUS, /* "+N": the client's port plus N (server lines) */
	LANG_PORT_MINUS
};

#define LANG_ADDRESS_TEXT_SIZE 256
#define LANG_ZONE_SIZE         32

struct lang_address {
	enum lang_address_kind kind;
	enum lang_address_proto proto;
	enum lang_address_family family; /* as the prefix demands; ANY without a prefix */
	bool wildcard;                   /* "*", "" or "::": any address */
	struct ip_addr addr;             /* of kind IP; without its zone */
	char zone[LANG_ZONE_SIZE];       /* of a link-local address of IPv6; "": none given */
	enum lang_port_kind port_kind;
	uint16_t port_first;               /* or the offset; 0 if none */
	uint16_t port_last;                /* equal to port_first unless a range was given */
	int fd;                            /* of kinds FD and SOCKPAIR; -1 else */
	char text[LANG_ADDRESS_TEXT_SIZE]; /* name or path */
};

/* What a keyword accepts. A part that it does not accept is an error which says
 * so. */
enum {
	LANG_ADDRESS_MAY_PORT = 1,     /* a port may follow */
	LANG_ADDRESS_MUST_PORT = 2,    /* ... and has to */
	LANG_ADDRESS_MAY_RANGE = 4,    /* PORT-PORT */
	LANG_ADDRESS_MAY_OFFSET = 8,   /* +N, -N */
	LANG_ADDRESS_MAY_NAME = 16,    /* host names */
	LANG_ADDRESS_MAY_UNIX = 32,    /* /path, unix@path, abns@name */
	LANG_ADDRESS_MAY_FD = 64,      /* fd@N, sockpair@N */
	LANG_ADDRESS_MAY_DGRAM = 128,  /* udp@ and dgram+ */
	LANG_ADDRESS_MAY_STREAM = 256, /* tcp@, stream+, and no prefix at all */
	LANG_ADDRESS_MAY_QUIC = 512,
	LANG_ADDRESS_MAY_REVERSE = 1024,
	LANG_ADDRESS_DGRAM_DEFAULT = 2048, /* no prefix means datagrams */
	LANG_ADDRESS_MAY_ZONE = 4096,      /* fe80::1%ZONE */
	/* the usual sets */
	LANG_ADDRESS_BIND = LANG_ADDRESS_MAY_PORT | LANG_ADDRESS_MUST_PORT |
			    LANG_ADDRESS_MAY_RANGE | LANG_ADDRESS_MAY_NAME | LANG_ADDRESS_MAY_UNIX |
			    LANG_ADDRESS_MAY_FD | LANG_ADDRESS_MAY_STREAM,
	LANG_ADDRESS_SERVER = LANG_ADDRESS_MAY_PORT | LANG_ADDRESS_MAY_OFFSET |
			      LANG_ADDRESS_MAY_NAME | LANG_ADDRESS_MAY_UNIX |
			      LANG_ADDRESS_MAY_STREAM,
	LANG_ADDRESS_LOG = LANG_ADDRESS_MAY_PORT | LANG_ADDRESS_MAY_NAME | LANG_ADDRESS_MAY_UNIX |
			   LANG_ADDRESS_MAY_FD | LANG_ADDRESS_MAY_DGRAM | LANG_ADDRESS_MAY_STREAM |
			   LANG_ADDRESS_DGRAM_DEFAULT
};

/**
 * One address in HAProxy's notation: [PREFIX@]ADDRESS[:PORT[-PORT]]. The last
 * colon outside brackets begins the port, so "::1:80" is port 80 of ::1, and
 * ":::80" is any IPv6 address. "%NAME" behind a link-local address of IPv6 is
 * its zone (RFC 4007 11), which HAProxy does not have. A "/" first means a UNIX path. "$NAME" and
 * "${NAME}" are expanded through `options` (as HAProxy does here even outside
 * quotes); with options NULL they are empty. Lists ("a:80,b:80") are for the
 * caller to cut.
 */
int lang_address_parse(const char *text, unsigned flags, const struct lang_options *options,
	struct lang_address *out, struct error *err);

#endif
