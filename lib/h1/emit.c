/* SPDX-License-Identifier: BSD-3-Clause */
#include "h1_pvt.h"

/* Writes into fresh packets; one is enough for nearly every head. */
struct writer {
	struct pkt_pools *pkts;
	struct pkt_chain chain;
	struct rte_mbuf *m;
	char *at, *end; /* room that is left in m */
	bool failed;
};

/* Ends the packet at hand. */
static void seal(struct writer *w)
{
	if (w->m == NULL)
		return;
	rte_pktmbuf_append(w->m, (uint16_t)(w->at - rte_pktmbuf_mtod(w->m, char *)));
	pkt_chain_append(&w->chain, w->m);
	w->m = NULL;
}

static bool next_packet(struct writer *w)
{
	seal(w);
	if (w->failed)
		return false;
	w->m = pkt_alloc(w->pkts);
	w->failed = w->m == NULL;
	w->at = w->failed ? NULL : rte_pktmbuf_mtod(w->m, char *);
	w->end = w->failed ? NULL : w->at + rte_pktmbuf_tailroom(w->m);
	return !w->failed;
}

static void start(struct writer *w, struct pkt_pools *pkts)
{
	*w = (struct writer){.pkts = pkts};
	next_packet(w);
}

static void put(struct writer *w, struct bytes text)
{
	while (!w->failed) {
		size_t n = MIN(text.len, (size_t)(w->end - w->at));

		if (n > 0)
			memcpy(w->at, text.ptr, n);
		w->at += n;
		if (LIKELY(n == text.len))
			return;
		text = bytes_of(text.ptr + n, text.len - n);
		next_packet(w);
	}
}

#define PUT(w, literal) put((w), BYTES_LIT(literal))

/* Field names go out in lower case, as HAProxy sends them. */
static void put_lower(struct writer *w, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (UNLIKELY(w->at == w->end) && !next_packet(w))
			return;
		*w->at++ = byte_lower(text.ptr[i]);
	}
}

static void put_number(struct writer *w, uint64_t n)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put(w, bytes_of(text + at, sizeof(text) - at));
}

static void put_field(struct writer *w, struct bytes name, struct bytes value)
{
	put_lower(w, name);
	PUT(w, ": ");
	put(w, value);
	PUT(w, "\r\n");
}

/* All options but those that concern the other hop. */
static void put_connection(struct writer *w, struct bytes options)
{
	struct bytes item;
	bool first = true;

	while (http_list_next(&options, &item)) {
		if (bytes_eq_nocase(item, BYTES_LIT("close")) ||
			bytes_eq_nocase(item, BYTES_LIT("keep-alive")))
			continue;
		if (first)
			PUT(w, "connection: ");
		else
			PUT(w, ", ");
		put(w, item);
		first = false;
	}
	if (!first)
		PUT(w, "\r\n");
}

/* RFC 9110 10.1.4: of the codings only trailers survive us. */
static void put_te(struct writer *w, struct bytes codings)
{
	struct bytes item;

	while (http_list_next(&codings, &item)) {
		if (!bytes_eq_nocase(item, BYTES_LIT("trailers")))
			continue;
		PUT(w, "te: trailers\r\n");
		return;
	}
}

static void put_framing(struct writer *w, const struct h1_hop *hop)
{
	if (hop->framing == H1_FRAMING_LENGTH) {
		PUT(w, "content-length: ");
		put_number(w, hop->length);
		PUT(w, "\r\n");
	} else if (hop->framing == H1_FRAMING_CHUNKED) {
		PUT(w, "transfer-encoding: chunked\r\n");
	}
}

/* The framing stands where the head has its own, else at the end. */
static void put_fields(struct writer *w, const struct http_head *head, const struct h1_hop *hop)
{
	bool framed = false;

	for (const struct http_field *f = http_head_next(head, NULL); f != NULL;
		f = http_head_next(head, f)) {
		switch (f->id) {
		case HTTP_FIELD_CONNECTION:
			put_connection(w, http_field_value(f));
			break;
		case HTTP_FIELD_TE:
			put_te(w, http_field_value(f));
			break;
		case HTTP_FIELD_CONTENT_LENGTH:
		case HTTP_FIELD_TRANSFER_ENCODING:
			if (hop->framing == H1_FRAMING_AS_IS)
				put_field(w, http_field_name(f), http_field_value(f));
			else if (!framed)
				put_framing(w, hop);
			framed = true;
			break;
		default:
			put_field(w, http_field_name(f), http_field_value(f));
		}
	}
	if (!framed)
		put_framing(w, hop);
}

/* A head of another version of HTTP goes out as HTTP/1.1. */
static void put_version(struct writer *w, const struct http_head *head)
{
	if (head->version_major == 1 && head->version_minor == 0)
		PUT(w, "HTTP/1.0");
	else
		PUT(w, "HTTP/1.1");
}

static void put_start_line(struct writer *w, const struct http_head *head)
{
	if (head->status == 0) {
		put(w, head->method_text);
		PUT(w, " ");
		put(w, head->target);
		PUT(w, " ");
		put_version(w, head);
	} else {
		put_version(w, head);
		PUT(w, " ");
		put_number(w, head->status);
		PUT(w, " ");
		put(w, head->reason);
	}
	PUT(w, "\r\n");
}

static bool finish(struct writer *w, struct pkt_chain *out)
{
	seal(w);
	if (w->failed)
		pkt_chain_free(&w->chain);
	else
		pkt_chain_splice(out, &w->chain);
	return !w->failed;
}

bool h1_emit_head(struct pkt_chain *out, struct pkt_pools *pkts, const struct http_head *head,
	const struct h1_hop *hop)
{
	struct writer w;

	start(&w, pkts);
	put_start_line(&w, head);
	put_fields(&w, head, hop);
	if (hop->connection.len > 0)
		put_field(&w, BYTES_LIT("connection"), hop->connection);
	PUT(&w, "\r\n");
	return finish(&w, out);
}

bool h1_emit_last_chunk(
	struct pkt_chain *out, struct pkt_pools *pkts, const struct http_head *trailers)
{
	const struct http_field *f = trailers ? http_head_next(trailers, NULL) : NULL;
	struct writer w;

	start(&w, pkts);
	PUT(&w, "0\r\n");
	for (; f != NULL; f = http_head_next(trailers, f))
		if (f->id == HTTP_FIELD_OTHER)
			put_field(&w, http_field_name(f), http_field_value(f));
	PUT(&w, "\r\n");
	return finish(&w, out);
}
