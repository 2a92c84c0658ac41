/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1 from three sides, chosen by the first byte; the second is the size of the packets.
 *   0: the parsers alone: in pieces they must say what they say to the whole
 *   1: requests to a relay; what the relay makes of them goes to a connection of our own
 *   2: responses likewise; the method of the request comes from the first byte, too
 * Whatever comes in, what the relay sends must be well formed, and the first request must have
 * the method, the target, the body and the fields that it came with. Nothing may be leaked.
 */
#include <stdlib.h>

#include "fake_relay.h"
#include "h1_parse.h"

#define BUFFER_BYTES   700
#define SIZE_BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct checker {
	struct fake_relay relay;
	struct fake_rig rig;
	struct fake_peer peer;    /* who sends the input */
	struct http_conn *far;    /* the connection behind the relay */
	struct http_xchg *x;      /* its exchange */
	struct http_head *wanted; /* the first request, or NULL */
};

static struct checker *checker_get(void)
{
	static struct checker *c;

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	ASSERT(c != NULL);
	fake_rig_init(&c->rig);
	return c;
}

/* --- parsers --------------------------------------------------------------------------- */

static enum h1_verdict parse(
	struct h1_parser *p, struct http_head *head, struct bytes text, size_t piece)
{
	enum h1_verdict v = H1_MORE;

	for (size_t n = MIN(piece, text.len); v == H1_MORE; n = MIN(n + piece, text.len)) {
		v = h1_parse_head(p, head, bytes_of(text.ptr, n));
		if (n == text.len)
			break;
	}
	return v;
}

static void check_same(const struct http_head *a, const struct http_head *b)
{
	ASSERT(a->status == b->status && a->body == b->body && a->flags == b->flags);
	ASSERT(a->content_length == b->content_length && a->field_count == b->field_count);
	ASSERT(bytes_eq(a->target, b->target) && bytes_eq(a->reason, b->reason));
	for (uint16_t i = 0; i < a->field_count; i++) {
		const struct http_field *f = &a->fields[i], *g = &b->fields[i];

		ASSERT(f->removed == g->removed && f->id == g->id);
		ASSERT(bytes_eq(http_field_name(f), http_field_name(g)));
		ASSERT(bytes_eq(http_field_value(f), http_field_value(g)));
	}
}

/* The text ends in an empty line: what is wrong in a line may be found as late as at its end. */
static void fuzz_head(struct checker *c, struct bytes input, size_t piece, uint8_t kind)
{
	char copy[SIZE_BYTES_MAX + 4];
	struct bytes text = bytes_of(copy, input.len + 4);
	struct h1_parser whole = {.kind = kind}, pieces = {.kind = kind};
	struct http_head *a = http_head_get(&c->rig.heads), *b = http_head_get(&c->rig.heads);
	enum h1_verdict v;

	memcpy(copy, input.ptr, input.len);
	memcpy(copy + input.len, "\r\n\r\n", 4);
	v = parse(&whole, a, text, text.len);
	ASSERT(parse(&pieces, b, text, piece) == v);
	ASSERT(whole.fault == pieces.fault);
	if (v == H1_DONE) {
		ASSERT(whole.line == pieces.line && whole.line <= text.len);
		check_same(a, b);
	}
	http_head_free(a);
	http_head_free(b);
}

/* Returns the verdict; *sum is a checksum of the data. */
static enum h1_verdict decode(struct h1_chunk *c, struct bytes text, uint64_t *sum)
{
	enum h1_verdict v;
	size_t used;

	while ((v = h1_chunk_parse(c, text, &used)) == H1_DONE && c->state == H1_CHUNK_DATA) {
		size_t n = MIN((uint64_t)(text.len - used), c->left);

		for (size_t i = 0; i < n; i++)
			*sum = *sum * 31 + (uint8_t)text.ptr[used + i];
		if (n == 0)
			return H1_MORE;
		h1_chunk_took(c, n);
		text = bytes_of(text.ptr + used + n, text.len - used - n);
	}
	return v;
}

static void fuzz_chunks(struct bytes text, size_t piece)
{
	struct h1_chunk whole = {0}, pieces = {0};
	uint64_t sum = 0, sum_of_pieces = 0;
	enum h1_verdict v = decode(&whole, text, &sum), w = H1_MORE;

	for (size_t at = 0; at < text.len && w == H1_MORE; at += piece)
		w = decode(&pieces, bytes_of(text.ptr + at, MIN(piece, text.len - at)),
			&sum_of_pieces);
	ASSERT(v == w);
	ASSERT(sum == sum_of_pieces);
	ASSERT(whole.fault == pieces.fault);
}

/* --- behind the relay ------------------------------------------------------------------ */

/* Well formed, though perhaps by a field too long for our small limits. */
static void check_error(struct http_xchg *x)
{
	const char *text;

	if (http_xchg_error(x, NULL, &text) != HTTP_ERROR_MALFORMED)
		return;
	ASSERT(text == h1_fault_text(H1_FAULT_HEAD_SIZE) ||
		text == h1_fault_text(H1_FAULT_FIELD_COUNT));
}

static void swallow(struct http_xchg *x)
{
	struct pkt_chain waste = {0};

	while (http_xchg_recv(x, &waste, UINT32_MAX) > 0)
		pkt_chain_free(&waste);
	check_error(x);
	if (http_xchg_recv_ended(x))
		http_head_free(http_xchg_recv_trailers(x));
}

static bool is_of_hop(const struct http_field *f)
{
	return f->id == HTTP_FIELD_CONNECTION || f->id == HTTP_FIELD_TE ||
	       f->id == HTTP_FIELD_CONTENT_LENGTH || f->id == HTTP_FIELD_TRANSFER_ENCODING;
}

static const struct http_field *next_end_to_end(
	const struct http_head *head, const struct http_field *f)
{
	do
		f = http_head_next(head, f);
	while (f != NULL && is_of_hop(f));
	return f;
}

static void check_request(const struct http_head *got, const struct http_head *wanted)
{
	const struct http_field *f = next_end_to_end(got, NULL);
	const struct http_field *g = next_end_to_end(wanted, NULL);

	ASSERT(bytes_eq(got->method_text, wanted->method_text));
	ASSERT(bytes_eq(got->target, wanted->target));
	ASSERT(got->body == wanted->body && got->content_length == wanted->content_length);
	while (f != NULL && g != NULL) {
		ASSERT(bytes_eq_nocase(http_field_name(f), http_field_name(g)));
		ASSERT(bytes_eq(http_field_value(f), http_field_value(g)));
		f = next_end_to_end(got, f);
		g = next_end_to_end(wanted, g);
	}
	ASSERT(f == NULL && g == NULL);
}

static void answer(struct checker *c)
{
	struct http_head *head = http_head_get(&c->rig.heads);

	ASSERT(head != NULL);
	http_head_set_response(head, 200, BYTES_NONE);
	http_xchg_send_head(c->x, head);
	http_xchg_send_end(c->x, NULL);
	http_head_free(head);
	http_xchg_close(c->x);
	c->x = NULL;
}

static void on_far_news(struct http_xchg *x, uint32_t events)
{
	struct checker *c = x->owner;

	swallow(x);
	if (http_xchg_recv_ended(x)) {
		answer(c);
	} else if (events & HTTP_EVENT_ERROR) {
		http_xchg_close(x);
		c->x = NULL;
	}
}

static void on_far_request(struct http_conn *conn, struct http_xchg *x)
{
	struct checker *c = conn->owner;
	struct http_head *head;

	check_error(x);
	c->x = x;
	x->owner = c;
	x->on_event = on_far_news;
	head = http_xchg_recv_head(x);
	if (head != NULL && c->wanted != NULL)
		check_request(head, c->wanted);
	http_head_free(head);
	http_head_free(c->wanted);
	c->wanted = NULL;
	on_far_news(x, head ? 0 : HTTP_EVENT_ERROR);
}

static void on_far_closed(struct http_conn *conn)
{
	struct checker *c = conn->owner;

	c->far = NULL;
	http_conn_close(conn);
}

static const struct http_conn_owner_ops far_ops = {
	.on_request = on_far_request, .on_closed = on_far_closed};

static void close_far(struct checker *c)
{
	if (c->far != NULL)
		http_conn_close(c->far);
	c->far = NULL;
	c->x = NULL;
}

static void connect_far(struct fake_relay *r)
{
	struct checker *c = CONTAINER_OF(r, struct checker, relay);

	close_far(c);
	c->far = h1_server_create(&c->rig.h1, &far_ops, c);
	ASSERT(c->far != NULL);
	fake_rig_join(&c->rig, r->back, c->far, BUFFER_BYTES);
}

static void connect_peer(struct fake_relay *r)
{
	struct checker *c = CONTAINER_OF(r, struct checker, relay);

	fake_peer_close(&c->peer);
	fake_peer_join(&c->peer, &c->rig, r->back, BUFFER_BYTES);
}

static void send_input(struct checker *c, struct bytes text, size_t piece)
{
	while (text.len > 0 && stream_is_open(&c->peer.stream) && !c->peer.failed) {
		size_t n = fake_peer_send(&c->peer, bytes_of(text.ptr, MIN(piece, text.len)), 0);

		fake_rig_run(&c->rig);
		if (n == 0)
			break;
		text = bytes_of(text.ptr + n, text.len - n);
		c->peer.len = 0;
	}
	fake_peer_close(&c->peer);
	fake_rig_run(&c->rig);
}

static void fuzz_requests(struct checker *c, struct bytes text, size_t piece)
{
	struct h1_parser p = {.kind = H1_KIND_REQUEST};

	c->wanted = http_head_get(&c->rig.heads);
	if (h1_parse_head(&p, c->wanted, bytes_of(text.ptr, MIN(text.len, 2048U))) != H1_DONE) {
		http_head_free(c->wanted);
		c->wanted = NULL;
	}
	fake_relay_init(&c->relay, &c->rig, connect_far, FAKE_RELAY_KEEP);
	fake_peer_join(&c->peer, &c->rig, c->relay.front, BUFFER_BYTES);
	send_input(c, text, piece);
}

static void on_response(struct http_xchg *x, uint32_t events)
{
	struct http_head *head;

	(void)events;
	while ((head = http_xchg_recv_head(x)) != NULL)
		http_head_free(head);
	swallow(x);
}

static void fuzz_responses(struct checker *c, struct bytes text, size_t piece, unsigned method)
{
	struct http_head *head = http_head_get(&c->rig.heads);
	bool connects = method == HTTP_METHOD_CONNECT;

	fake_relay_init(&c->relay, &c->rig, connect_peer, FAKE_RELAY_KEEP);
	c->far = h1_client_create(&c->rig.h1, &far_ops, c);
	fake_rig_join(&c->rig, c->far, c->relay.front, BUFFER_BYTES);
	c->x = http_conn_request(c->far);
	c->x->owner = c;
	c->x->on_event = on_response;
	ASSERT(http_head_set_request(
		head, http_method_name(method), connects ? BYTES_LIT("a:1") : BYTES_LIT("/")));
	http_head_add(head, BYTES_LIT("Connection"), BYTES_LIT("upgrade"));
	http_head_add(head, BYTES_LIT("Upgrade"), BYTES_LIT("x"));
	ASSERT(http_xchg_send_head(c->x, head) == 0);
	ASSERT(http_xchg_send_end(c->x, NULL) == 0);
	http_head_free(head);
	fake_rig_run(&c->rig);
	send_input(c, text, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checker *c = checker_get();
	struct bytes text;
	size_t piece;

	if (size < 3 || size > SIZE_BYTES_MAX)
		return 0;
	text = bytes_of((const char *)data + 2, size - 2);
	piece = data[1] ? data[1] : text.len;
	switch (data[0] & 3) {
	case 0:
		fuzz_head(c, text, piece, (data[0] >> 2) % (H1_KIND_TRAILERS + 1));
		fuzz_chunks(text, piece);
		break;
	case 1:
		fuzz_requests(c, text, piece);
		break;
	default:
		fuzz_responses(c, text, piece, HTTP_METHOD_GET + (data[0] >> 2) % 8);
		break;
	}
	close_far(c);
	fake_rig_run(&c->rig);
	fake_relay_fini(&c->relay);
	c->relay = (struct fake_relay){0};
	http_head_free(c->wanted);
	c->wanted = NULL;
	fake_peer_close(&c->peer);
	fake_rig_run(&c->rig);
	fake_rig_clear(&c->rig);
	return 0;
}
