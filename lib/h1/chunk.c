/* SPDX-License-Identifier: BSD-3-Clause */
#include "h1_parse.h"

static enum h1_verdict bad(struct h1_chunk *c, enum h1_fault fault)
{
	c->fault = fault;
	return H1_BAD;
}

/* -1 if it is no hexadecimal digit. */
static int hex_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch = byte_lower(ch);
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* chunk-size, then BWS as HAProxy forgives, then an extension that nobody reads, then CR. */
static enum h1_verdict size_byte(struct h1_chunk *c, char ch)
{
	int digit = hex_value(ch);

	if (++c->line_bytes > H1_CHUNK_LINE_BYTES_MAX)
		return bad(c, H1_FAULT_CHUNK_EXTENSION);
	if (c->state == H1_CHUNK_EXTENSION) {
		if (ch == '\r')
			c->state = H1_CHUNK_LF;
		else if (((uint8_t)ch < 0x20 && ch != '\t') || ch == 0x7f)
			return bad(c, H1_FAULT_CHUNK_EXTENSION);
	} else if (digit >= 0 && c->state != H1_CHUNK_BLANK) {
		if (c->left >> 59)
			return bad(c, H1_FAULT_CHUNK_SIZE);
		c->left = c->left << 4 | (uint64_t)digit;
		c->state = H1_CHUNK_DIGITS;
	} else if (c->state == H1_CHUNK_SIZE) {
		return bad(c, H1_FAULT_CHUNK_SIZE);
	} else if (ch == ' ' || ch == '\t') {
		c->state = H1_CHUNK_BLANK;
	} else if (ch == ';') {
		c->state = H1_CHUNK_EXTENSION;
	} else if (ch == '\r') {
		c->state = H1_CHUNK_LF;
	} else {
		return bad(c, H1_FAULT_CHUNK_SIZE);
	}
	return H1_DONE;
}

static enum h1_verdict framing_byte(struct h1_chunk *c, char ch)
{
	switch (c->state) {
	case H1_CHUNK_LF:
		if (ch != '\n')
			return bad(c, H1_FAULT_CHUNK_SIZE);
		c->line_bytes = 0;
		c->state = c->left > 0 ? H1_CHUNK_DATA : H1_CHUNK_TRAILERS;
		return H1_DONE;
	case H1_CHUNK_DATA_CR:
		if (ch != '\r')
			return bad(c, H1_FAULT_CHUNK_END);
		c->state = H1_CHUNK_DATA_LF;
		return H1_DONE;
	case H1_CHUNK_DATA_LF:
		if (ch != '\n')
			return bad(c, H1_FAULT_CHUNK_END);
		c->state = H1_CHUNK_SIZE;
		return H1_DONE;
	default:
		return size_byte(c, ch);
	}
}

enum h1_verdict h1_chunk_parse(struct h1_chunk *c, struct bytes text, size_t *used)
{
	size_t i = 0;
	enum h1_verdict v = H1_DONE;

	while (v == H1_DONE && c->state != H1_CHUNK_DATA && c->state != H1_CHUNK_TRAILERS) {
		if (i == text.len)
			v = H1_MORE;
		else
			v = framing_byte(c, text.ptr[i++]);
	}
	*used = i;
	return v;
}

void h1_chunk_took(struct h1_chunk *c, uint64_t n)
{
	DEBUG_ASSERT(n <= c->left);
	c->left -= n;
	if (c->left == 0)
		c->state = H1_CHUNK_DATA_CR;
}
