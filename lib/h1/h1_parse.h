/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * h1_parse: heads and chunk framing as pure functions over bytes; no carrier, no pool. Private to
 * lib/h1, its tests and its fuzz targets. (RFC 9112 2 to 7.)
 */
#ifndef WEIR_H1_PARSE_H
#define WEIR_H1_PARSE_H

#include "h1.h"

enum h1_verdict {
	H1_MORE, /* so far so good: give it the same bytes again, with more behind them */
	H1_DONE,
	H1_BAD, /* ->fault says why */
};

enum h1_kind {
	H1_KIND_REQUEST,
	H1_KIND_RESPONSE,
	H1_KIND_TRAILERS,
};

/* What the fields said that decides about framing; bits of h1_parser.found. */
enum h1_found {
	H1_FOUND_LENGTH = 1 << 0,
	H1_FOUND_CODING = 1 << 1,
	H1_FOUND_CHUNKED = 1 << 2,
	H1_FOUND_CODING_OTHER = 1 << 3,
	H1_FOUND_CLOSE = 1 << 4,
	H1_FOUND_KEEP_ALIVE = 1 << 5,
	H1_FOUND_UPGRADE_TOKEN = 1 << 6,
	H1_FOUND_UPGRADE = 1 << 7,
	H1_FOUND_EXPECT_100 = 1 << 8,
};

/* Parses one head. Set the first group, leave the rest zero. */
struct h1_parser {
	uint8_t kind;           /* enum h1_kind */
	uint8_t method;         /* responses: enum http_method of the request */
	bool upgrade_asked;     /* responses: the request asked for an upgrade */
	bool keep_alive_stated; /* responses: only kept if they say so (to an HTTP/1.0 request) */
	bool lf_ends_line;      /* lines may end in LF alone (files of the operator) */

	bool start_done; /* the start line is behind us */
	bool end_done;   /* the empty line as well */
	uint8_t fault;   /* enum h1_fault */
	uint16_t found;  /* enum h1_found */
	uint32_t line;   /* offset of the line at hand; when done: bytes of the head */
	uint32_t seen;   /* the line at hand has no end and nothing odd before this offset */
	uint64_t length; /* content-length */
	const struct http_field *host;
};

/**
 * Goes on with a head that begins at text.ptr. Between calls the bytes must not move, or `head`
 * and the second group of *p start anew. Each byte is looked at a bounded number of times, however
 * small the pieces are. After H1_DONE `head` is complete, its body rules included; p->line bytes
 * belong to it.
 */
enum h1_verdict h1_parse_head(struct h1_parser *p, struct http_head *head, struct bytes text);

/* The three that h1_parse_head consists of, beside the lines. */

/** One field was read: what it means for framing. H1_DONE or H1_BAD. */
enum h1_verdict h1_meet_field(struct h1_parser *p, struct http_head *head, struct http_field *f);

/** All were read: body, flags and contradictions. H1_DONE or H1_BAD. */
enum h1_verdict h1_conclude_head(struct h1_parser *p, struct http_head *head);

/* --- chunks (RFC 9112 7.1) ----------------------------------------------------------- */

#define H1_CHUNK_LINE_BYTES_MAX 4096 /* size, white space and extension */

enum h1_chunk_state {
	H1_CHUNK_SIZE,      /* before the first digit */
	H1_CHUNK_DIGITS,    /* behind one */
	H1_CHUNK_BLANK,     /* white space behind the size */
	H1_CHUNK_EXTENSION, /* behind ";" */
	H1_CHUNK_LF,        /* CR of the size line was seen */
	H1_CHUNK_DATA,
	H1_CHUNK_DATA_CR, /* all data was taken */
	H1_CHUNK_DATA_LF,
	H1_CHUNK_TRAILERS, /* the last chunk was seen; trailers and the empty line follow */
};

struct h1_chunk {
	uint64_t left;       /* bytes of data that remain, once in state DATA */
	uint16_t line_bytes; /* of the size line at hand */
	uint8_t state;       /* enum h1_chunk_state; 0 at first */
	uint8_t fault;       /* enum h1_fault */
};

/**
 * Reads framing up to the next data, the trailers, or the end of `text`; *used counts the bytes.
 * H1_DONE: state is DATA (left > 0) or TRAILERS. In state DATA it uses nothing: the caller takes
 * bytes off and says so by h1_chunk_took.
 */
enum h1_verdict h1_chunk_parse(struct h1_chunk *c, struct bytes text, size_t *used);

/** n bytes of data were taken, at most `left`. */
void h1_chunk_took(struct h1_chunk *c, uint64_t n);

#endif
