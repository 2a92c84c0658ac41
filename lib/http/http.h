/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http: heads of HTTP messages as every version of HTTP offers them (RFC 9110). http_xchg.h has
 * what moves them: exchanges and connections.
 *
 * A struct http_head is a request head, a response head, or trailers. Its texts point into bytes
 * that the head itself keeps alive: the packets it arrived in, a gather buffer (only for a head
 * that spans packets), its own small arena, or something that outlives it, such as the compiled
 * configuration. Rules edit it in place: fields are marked removed, added, replaced; nothing is
 * moved. The codec that sends it writes the result as one run of bytes.
 *
 * Heads come from a pool of the core and belong to whom the codec gave them until http_head_free.
 * All functions here run on the core that owns the struct http_heads.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include "mem.h"
#include "pkt.h"

/* The methods that weir must know; all others are OTHER and live in method_text only. */
enum http_method {
	HTTP_METHOD_OTHER,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_TRACE,
	HTTP_METHOD_CONNECT,
	HTTP_METHOD_COUNT,
};

/* RFC 9112 3.2 */
enum http_target_form {
	HTTP_TARGET_NONE,      /* a response, or trailers */
	HTTP_TARGET_ORIGIN,    /* /path?query */
	HTTP_TARGET_ABSOLUTE,  /* scheme://authority/path?query */
	HTTP_TARGET_AUTHORITY, /* host:port, only for CONNECT */
	HTTP_TARGET_ASTERISK,  /* *, only for OPTIONS */
};

/* How the body ends (RFC 9112 6.3, in words that fit HTTP/2 as well). */
enum http_body {
	HTTP_BODY_NONE,        /* there is none, whatever content-length says (HEAD, 204, 304) */
	HTTP_BODY_LENGTH,      /* content_length bytes, 0 included */
	HTTP_BODY_CHUNKED,     /* the sender marks the end; trailers may follow */
	HTTP_BODY_UNTIL_CLOSE, /* responses only: with the connection */
	HTTP_BODY_TUNNEL,      /* 101, 2xx to CONNECT: raw bytes both ways from here on */
};

/* Fields that matter to framing or belong to one connection only (RFC 9110 7.6.1). */
enum http_field_id {
	HTTP_FIELD_OTHER,
#define FIELD(sym, text) HTTP_FIELD_##sym,
#include "http_field.def"
#undef FIELD
	HTTP_FIELD_COUNT,
};

/* Names keep the case they came in; comparing ignores it, codecs send lower case. */
struct http_field {
	const char *name_ptr;
	const char *value_ptr;
	uint32_t value_len; /* without white space around it */
	uint16_t name_len;
	uint8_t id;   /* enum http_field_id */
	bool removed; /* no longer part of the head */
};

static_assert(sizeof(struct http_field) == 24, "a head has more than a hundred");

static inline struct bytes http_field_name(const struct http_field *f)
{
	return bytes_of(f->name_ptr, f->name_len);
}

static inline struct bytes http_field_value(const struct http_field *f)
{
	return bytes_of(f->value_ptr, f->value_len);
}

/** The id of a name, HTTP_FIELD_OTHER if weir treats it like any other. */
enum http_field_id http_field_id_of(struct bytes name);

/** The lower-case name of an id; BYTES_NONE for HTTP_FIELD_OTHER. */
struct bytes http_field_id_name(enum http_field_id id);

/** Methods are case-sensitive (RFC 9110 9.1). */
enum http_method http_method_of(struct bytes text);

/** The name of a known method; BYTES_NONE for HTTP_METHOD_OTHER. */
struct bytes http_method_name(enum http_method method);

/** The usual reason phrase of a status code; "Unknown" if nobody gave it one. */
struct bytes http_status_reason(uint16_t status);

/**
 * The next member of a comma-separated list (RFC 9110 5.6.1), without white space; empty members
 * are skipped. `rest` moves behind it. False at the end.
 */
bool http_list_next(struct bytes *rest, struct bytes *item);

/* --- where heads live ---------------------------------------------------------------- */

/* tune.http.maxhdr, tune.bufsize, tune.maxrewrite */
#define HTTP_FIELDS_MAX_DEFAULT    101
#define HTTP_BUFFER_BYTES_DEFAULT  16384
#define HTTP_REWRITE_BYTES_DEFAULT 1024
#define HTTP_FIELDS_SPARE          64 /* that rules may add beyond what came */

struct http_heads_config {
	uint32_t heads_max;     /* in use at once on this core */
	uint32_t buffers_max;   /* of these, how many at once may span packets; 0: heads_max */
	uint32_t fields_max;    /* of a head that comes in; 0: the default */
	uint32_t buffer_bytes;  /* 0: the default */
	uint32_t rewrite_bytes; /* arena of each head; 0: the default */
};

/* One per core. */
struct http_heads {
	struct mem_pool heads;
	struct mem_pool buffers;
	uint32_t fields_max;
	uint32_t head_bytes_max; /* of a head that comes in: buffer less rewrite, as HAProxy has it
				  */
	uint32_t rewrite_bytes;
};

/** Start-up. 0, or -ENOMEM or -EINVAL with *err set. */
int http_heads_init(
	struct http_heads *heads, const struct http_heads_config *config, struct error *err);

/** Returns the number of heads and buffers that were never freed. NULL-safe. */
uint32_t http_heads_fini(struct http_heads *heads);

/* --- a head -------------------------------------------------------------------------- */

enum http_head_flag {
	HTTP_HEAD_CLOSE = 1 << 0,      /* the peer will not keep the connection (RFC 9112 9.3) */
	HTTP_HEAD_UPGRADE = 1 << 1,    /* asks for, or with 101 grants, another protocol */
	HTTP_HEAD_EXPECT_100 = 1 << 2, /* the client waits for 100 before it sends the body */
};

struct http_head {
	/* Requests. The slices lie in target; those that the form lacks are empty. */
	struct bytes method_text;
	struct bytes target;
	struct bytes scheme;
	struct bytes authority; /* of the target; see http_head_host */
	struct bytes path;      /* from the first slash up to "?"; "*" in asterisk form */
	struct bytes query;     /* behind "?" */
	/* Responses. */
	struct bytes reason;
	uint16_t status; /* 0: not a response */

	uint8_t method;      /* enum http_method; of a response: of the request it answers */
	uint8_t target_form; /* enum http_target_form */
	uint8_t version_major;
	uint8_t version_minor;
	uint8_t body;  /* enum http_body */
	uint8_t flags; /* enum http_head_flag, as the message came; edits do not change them */
	uint64_t content_length; /* for HTTP_BODY_LENGTH: bytes of the body */

	uint16_t field_count; /* positions in use, removed ones included */
	uint16_t field_max;   /* positions there are */
	uint32_t arena_used_bytes;
	struct http_heads *home;
	struct pkt_chain packets; /* where the texts lie if the head came in one piece */
	char *buffer;             /* where they lie if it was gathered; else NULL */
	struct http_field fields[];
};

/** An empty head: HTTP/1.1, no body, no fields. NULL if the pool is empty (counted there). */
struct http_head *http_head_get(struct http_heads *heads);

/** Gives the head, its packets and its buffer back. NULL-safe. */
void http_head_free(struct http_head *head);

/** Makes it a response; `reason` BYTES_NONE: the usual one. */
void http_head_set_response(struct http_head *head, uint16_t status, struct bytes reason);

/** Makes it a request; false if `target` is not one of the forms that the method may have. */
bool http_head_set_request(struct http_head *head, struct bytes method, struct bytes target);

/** Exchanges the target and finds its slices anew; false (nothing changed) if it is malformed. */
bool http_head_set_target(struct http_head *head, struct bytes target);

/** What the request is for: the target's authority, else the value of Host, else BYTES_NONE. */
struct bytes http_head_host(const struct http_head *head);

/** Room for texts that rules make; lives as long as the head. NULL beyond rewrite_bytes. */
char *http_head_alloc(struct http_head *head, size_t len);

/** A copy of `text` in the arena; ptr is NULL if there is no room. */
struct bytes http_head_copy(struct http_head *head, struct bytes text);

/** Goes through the fields that are there: start with NULL; NULL at the end. */
struct http_field *http_head_next(const struct http_head *head, const struct http_field *after);

/** The next field with this name (any case) behind `after` (NULL: the first); NULL if none. */
struct http_field *http_head_find(
	const struct http_head *head, struct bytes name, const struct http_field *after);

/** The same for a known field. */
struct http_field *http_head_find_id(
	const struct http_head *head, enum http_field_id id, const struct http_field *after);

/** Appends a field. The bytes must live as long as the head (see http_head_copy). They go out as
 * they are: whoever makes them of what a peer sent keeps CR, LF and NUL away. False if there are
 * fields_max + HTTP_FIELDS_SPARE already, or a text is longer than the field can say. */
bool http_head_add(struct http_head *head, struct bytes name, struct bytes value);

/** Removes all fields of this name. Returns how many. */
uint32_t http_head_remove(struct http_head *head, struct bytes name);

/** Removes all of this name, then appends one. False as http_head_add (then nothing is removed). */
bool http_head_set(struct http_head *head, struct bytes name, struct bytes value);

#endif
