/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WINDOW_SCALE = 3,
	OPT_SACK_PERMITTED = 4,
	OPT_SACK = 5,
	OPT_TIMESTAMP = 8,
	OPT_FAST_OPEN = 34,
};

#define MSS_BYTES            4
#define WINDOW_SCALE_BYTES   3
#define SACK_PERMITTED_BYTES 2
#define SACK_HEAD_BYTES      2
#define SACK_BLOCK_BYTES     8
#define TIMESTAMP_BYTES      10
#define FAST_OPEN_HEAD_BYTES 2
#define FAST_OPEN_COOKIE_MIN 4
#define WINDOW_SCALE_MAX     14

static void parse_sack(const uint8_t *p, size_t len, struct wire_tcp *out)
{
	size_t blocks = (len - SACK_HEAD_BYTES) / SACK_BLOCK_BYTES;

	if (len != SACK_HEAD_BYTES + blocks * SACK_BLOCK_BYTES || blocks > WIRE_TCP_SACK_BLOCKS_MAX)
		return;
	out->sack_count = (uint8_t)blocks;
	p += SACK_HEAD_BYTES;
	for (size_t i = 0; i < blocks; i++, p += SACK_BLOCK_BYTES) {
		out->sack[i].start = SEQ(load_be32(p));
		out->sack[i].end = SEQ(load_be32(p + 4));
	}
}

/* RFC 7413 4.1.1. An odd length, or one out of bounds, says nothing. */
static void parse_fast_open(const uint8_t *p, size_t len, struct wire_tcp *out)
{
	size_t cookie_bytes = len - FAST_OPEN_HEAD_BYTES;

	if (cookie_bytes > WIRE_TCP_FAST_OPEN_MAX || cookie_bytes % 2 ||
		(cookie_bytes && cookie_bytes < FAST_OPEN_COOKIE_MIN))
		return;
	out->has_fast_open = true;
	out->fast_open_len = (uint8_t)cookie_bytes;
	memset(out->fast_open, 0, sizeof(out->fast_open));
	memcpy(out->fast_open, p + FAST_OPEN_HEAD_BYTES, cookie_bytes);
}

/* One option of `len` bytes with its kind and length. One of the wrong length is as if unknown. */
static void parse_option(const uint8_t *p, size_t len, struct wire_tcp *out)
{
	switch (p[0]) {
	case OPT_MSS:
		if (len == MSS_BYTES) {
			out->has_mss = true;
			out->mss = load_be16(p + 2);
		}
		break;
	case OPT_WINDOW_SCALE:
		if (len == WINDOW_SCALE_BYTES) {
			out->has_window_scale = true;
			out->window_scale = MIN(p[2], (uint8_t)WINDOW_SCALE_MAX);
		}
		break;
	case OPT_SACK_PERMITTED:
		if (len == SACK_PERMITTED_BYTES)
			out->has_sack_permitted = true;
		break;
	case OPT_SACK:
		parse_sack(p, len, out);
		break;
	case OPT_TIMESTAMP:
		if (len == TIMESTAMP_BYTES) {
			out->has_timestamp = true;
			out->ts_val = load_be32(p + 2);
			out->ts_ecr = load_be32(p + 6);
		}
		break;
	case OPT_FAST_OPEN:
		parse_fast_open(p, len, out);
		break;
	default:
		break;
	}
}

static void parse_options(const uint8_t *p, size_t len, struct wire_tcp *out)
{
	while (len > 0 && p[0] != OPT_END) {
		size_t option_len = 1;

		if (p[0] != OPT_NOP) {
			if (len < 2 || p[1] < 2 || p[1] > len)
				return;
			option_len = p[1];
			parse_option(p, option_len, out);
		}
		p += option_len;
		len -= option_len;
	}
}

enum wire_verdict wire_tcp_parse(const uint8_t *p, size_t len, struct wire_tcp *out)
{
	*out = (struct wire_tcp){0};
	if (len < WIRE_TCP_BYTES_MIN)
		return WIRE_SHORT;
	out->src_port = load_be16(p);
	out->dst_port = load_be16(p + 2);
	out->seq = SEQ(load_be32(p + 4));
	out->ack = SEQ(load_be32(p + 8));
	out->header_bytes = (uint8_t)((p[12] >> 4) * 4);
	out->flags = p[13];
	out->window = load_be16(p + 14);
	out->urgent = load_be16(p + 18);
	if (out->header_bytes < WIRE_TCP_BYTES_MIN)
		return WIRE_MALFORMED;
	if (out->header_bytes > len)
		return WIRE_SHORT;
	parse_options(p + WIRE_TCP_BYTES_MIN, out->header_bytes - (size_t)WIRE_TCP_BYTES_MIN, out);
	return WIRE_OK;
}

static size_t fast_open_bytes(const struct wire_tcp *h)
{
	return ((size_t)FAST_OPEN_HEAD_BYTES + h->fast_open_len + 3) & ~(size_t)3;
}

/* Options before SACK, as emit lays them out: each group starts at a multiple of 4. */
static size_t fixed_option_bytes(const struct wire_tcp *h)
{
	size_t n = h->has_mss ? MSS_BYTES : 0;

	if (h->has_timestamp)
		n += SACK_PERMITTED_BYTES + TIMESTAMP_BYTES;
	else if (h->has_sack_permitted)
		n += 2 + SACK_PERMITTED_BYTES;
	n += h->has_window_scale ? 1 + WINDOW_SCALE_BYTES : 0;
	return n + (h->has_fast_open ? fast_open_bytes(h) : 0);
}

static size_t sack_blocks_that_fit(const struct wire_tcp *h)
{
	size_t used = fixed_option_bytes(h) + 2 + SACK_HEAD_BYTES;
	size_t room = WIRE_TCP_OPTIONS_MAX > used ? WIRE_TCP_OPTIONS_MAX - used : 0;

	return MIN((size_t)h->sack_count, room / SACK_BLOCK_BYTES);
}

size_t wire_tcp_bytes(const struct wire_tcp *h)
{
	size_t blocks = sack_blocks_that_fit(h);

	return WIRE_TCP_BYTES_MIN + fixed_option_bytes(h) +
	       (blocks ? 2 + SACK_HEAD_BYTES + blocks * SACK_BLOCK_BYTES : 0);
}

static uint8_t *emit_option(uint8_t *p, uint8_t kind, uint8_t len)
{
	p[0] = kind;
	p[1] = len;
	return p + 2;
}

static uint8_t *emit_nops(uint8_t *p, size_t n)
{
	memset(p, OPT_NOP, n);
	return p + n;
}

static uint8_t *emit_sack(uint8_t *p, const struct wire_tcp *h, size_t blocks)
{
	p = emit_nops(p, 2);
	p = emit_option(p, OPT_SACK, (uint8_t)(SACK_HEAD_BYTES + blocks * SACK_BLOCK_BYTES));
	for (size_t i = 0; i < blocks; i++, p += SACK_BLOCK_BYTES) {
		store_be32(p, h->sack[i].start.v);
		store_be32(p + 4, h->sack[i].end.v);
	}
	return p;
}

/* The usual order of the common stacks, so that middleboxes see what they know. */
static void emit_options(uint8_t *p, const struct wire_tcp *h)
{
	size_t blocks = sack_blocks_that_fit(h);

	if (h->has_mss) {
		p = emit_option(p, OPT_MSS, MSS_BYTES);
		store_be16(p, h->mss);
		p += 2;
	}
	if (h->has_timestamp || h->has_sack_permitted) {
		if (!h->has_sack_permitted || !h->has_timestamp)
			p = emit_nops(p, 2);
		if (h->has_sack_permitted)
			p = emit_option(p, OPT_SACK_PERMITTED, SACK_PERMITTED_BYTES);
	}
	if (h->has_timestamp) {
		p = emit_option(p, OPT_TIMESTAMP, TIMESTAMP_BYTES);
		store_be32(p, h->ts_val);
		store_be32(p + 4, h->ts_ecr);
		p += 8;
	}
	if (h->has_window_scale) {
		p = emit_nops(p, 1);
		p = emit_option(p, OPT_WINDOW_SCALE, WINDOW_SCALE_BYTES);
		*p++ = h->window_scale;
	}
	if (h->has_fast_open) {
		p = emit_nops(p, fast_open_bytes(h) - FAST_OPEN_HEAD_BYTES - h->fast_open_len);
		p = emit_option(
			p, OPT_FAST_OPEN, (uint8_t)(FAST_OPEN_HEAD_BYTES + h->fast_open_len));
		memcpy(p, h->fast_open, h->fast_open_len);
		p += h->fast_open_len;
	}
	if (blocks)
		emit_sack(p, h, blocks);
}

size_t wire_tcp_emit(uint8_t *p, const struct wire_tcp *h)
{
	size_t len = wire_tcp_bytes(h);

	store_be16(p, h->src_port);
	store_be16(p + 2, h->dst_port);
	store_be32(p + 4, h->seq.v);
	store_be32(p + 8, h->ack.v);
	p[12] = (uint8_t)(len / 4 << 4);
	p[13] = h->flags;
	store_be16(p + 14, h->window);
	store_be16(p + 16, 0);
	store_be16(p + 18, h->urgent);
	emit_options(p + WIRE_TCP_BYTES_MIN, h);
	return len;
}
