/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes out. Heads and chunk framing are written into `out`, bodies go from the owner's chain
 * straight into the carrier. Body is refused while anything waits in `out`, so `out` holds a head,
 * or one chunk, or what ends a message, and never more.
 */
#include "h1_pvt.h"

/* A chunk may be this much larger than the room in the carrier, so that small room does not make
 * tiny chunks. */
#define CHUNK_OVER_ROOM_BYTES 4096U

static bool is_usable(const struct h1_xchg *x)
{
	const struct h1_conn *c = h1_xchg_conn(x);

	return !c->failed && stream_is_open(&c->base.stream);
}

bool h1_send_flush(struct h1_xchg *x)
{
	struct h1_conn *c = h1_xchg_conn(x);

	if (!is_usable(x)) {
		pkt_chain_free(&x->out);
		return true;
	}
	if (!c->connected)
		return false;
	if (x->out.bytes > 0)
		stream_send(&c->base.stream, &x->out, x->out.bytes);
	if (x->out.bytes > 0)
		return false;
	if (x->want_shut)
		stream_shut(&c->base.stream);
	x->want_shut = false;
	return true;
}

void h1_send_start_tunnel(struct h1_xchg *x)
{
	x->tunnel = true;
	if (x->send_state != H1_SEND_ENDED)
		return;
	x->send_state = H1_SEND_BODY;
	x->send_body = HTTP_BODY_TUNNEL;
}

/* --- heads --------------------------------------------------------------------------- */

static bool is_interim(const struct http_head *head)
{
	return head->status < 200 && head->status != 101;
}

/* The body as it goes out, and how its end is shown. */
static void plan_body(struct h1_xchg *x, const struct http_head *head, struct h1_hop *hop)
{
	x->send_body = head->body;
	x->send_left = head->body == HTTP_BODY_LENGTH ? head->content_length : 0;
	hop->framing = H1_FRAMING_NONE;
	hop->length = x->send_left;
	if (head->body == HTTP_BODY_LENGTH)
		hop->framing = H1_FRAMING_LENGTH;
	else if (head->body == HTTP_BODY_CHUNKED)
		hop->framing = H1_FRAMING_CHUNKED;
}

/* RFC 9112 6.1 and 6.3 from the sender's side. */
static void plan_response_body(struct h1_xchg *x, const struct http_head *head, struct h1_hop *hop)
{
	bool no_body = x->method == HTTP_METHOD_HEAD || head->status == 204 || head->status == 304;

	plan_body(x, head, hop);
	x->swallow = no_body;
	if (head->body == HTTP_BODY_NONE)
		hop->framing = no_body ? H1_FRAMING_AS_IS : H1_FRAMING_LENGTH;
	if (head->body == HTTP_BODY_NONE && !no_body)
		x->send_body = HTTP_BODY_LENGTH;
	if (head->body == HTTP_BODY_CHUNKED && x->minor == 0) {
		hop->framing = H1_FRAMING_NONE;
		x->send_body = HTTP_BODY_UNTIL_CLOSE;
	}
	if (head->status == 204)
		hop->framing = H1_FRAMING_NONE;
	if (x->send_body == HTTP_BODY_UNTIL_CLOSE && !x->swallow)
		x->close = true;
	/* The client takes it for a tunnel: what it sends from here on is no request. */
	if (x->method == HTTP_METHOD_CONNECT && head->status < 300 &&
		head->body != HTTP_BODY_TUNNEL)
		x->close = true;
}

/* What HAProxy says, and where it stays silent. */
static struct bytes response_connection(const struct h1_xchg *x, const struct http_head *head)
{
	bool modern = head->version_major > 1 || head->version_minor > 0;

	if (head->body == HTTP_BODY_TUNNEL)
		return BYTES_NONE;
	if (x->close)
		return modern ? BYTES_LIT("close") : BYTES_NONE;
	return modern && x->minor > 0 ? BYTES_NONE : BYTES_LIT("keep-alive");
}

static int send_interim(struct h1_xchg *x, const struct http_head *head)
{
	struct h1_hop hop = {.framing = H1_FRAMING_NONE};

	if (x->minor == 0) /* RFC 9110 15.2 */
		return 0;
	if (!h1_emit_head(&x->out, h1_xchg_conn(x)->h1->pkts, head, &hop))
		return -ENOMEM;
	h1_send_flush(x);
	return 0;
}

static int send_response(struct h1_xchg *x, const struct http_head *head)
{
	struct h1_conn *c = h1_xchg_conn(x);
	struct h1_hop hop = {0};

	if (is_interim(head))
		return send_interim(x, head);
	if (!x->has_request || x->error != HTTP_ERROR_NONE || c->draining)
		x->close = true;
	plan_response_body(x, head, &hop);
	hop.connection = response_connection(x, head);
	if (!h1_emit_head(&x->out, c->h1->pkts, head, &hop))
		return -ENOMEM;
	x->send_state = H1_SEND_BODY;
	if (x->send_body == HTTP_BODY_TUNNEL)
		h1_recv_start_tunnel(x);
	return 0;
}

static int send_request(struct h1_xchg *x, const struct http_head *head)
{
	bool modern = head->version_major > 1 || head->version_minor > 0;
	struct h1_hop hop = {0};

	ASSERT(head->body <= HTTP_BODY_CHUNKED);
	plan_body(x, head, &hop);
	if (x->close && modern)
		hop.connection = BYTES_LIT("close");
	if (!x->close && !modern)
		hop.connection = BYTES_LIT("keep-alive");
	if (!h1_emit_head(&x->out, h1_xchg_conn(x)->h1->pkts, head, &hop))
		return -ENOMEM;
	x->has_request = true;
	x->method = head->method;
	x->minor = modern;
	x->parser.method = head->method;
	x->parser.keep_alive_stated = !modern;
	x->parser.upgrade_asked = http_head_find_id(head, HTTP_FIELD_UPGRADE, NULL) != NULL;
	x->send_state = H1_SEND_BODY;
	return 0;
}

int h1_send_head(struct http_xchg *base, const struct http_head *head)
{
	struct h1_xchg *x = h1_xchg_of(base);
	bool server_role = h1_xchg_conn(x)->server_role;
	int rc;

	ASSERT(x->send_state == H1_SEND_HEAD);
	ASSERT(server_role == (head->status > 0));
	if (!is_usable(x))
		return -EPIPE;
	rc = server_role ? send_response(x, head) : send_request(x, head);
	if (rc == 0) {
		h1_send_flush(x);
		x->want_room = x->send_body != HTTP_BODY_NONE && h1_send_room(base) == 0;
	}
	return rc;
}

/* --- bodies -------------------------------------------------------------------------- */

uint32_t h1_send_room(const struct http_xchg *base)
{
	const struct h1_xchg *x = h1_xchg_of(base);
	const struct h1_conn *c = h1_xchg_conn(x);
	uint32_t room;

	if (x->send_state != H1_SEND_BODY || !is_usable(x))
		return 0;
	if (x->swallow)
		return UINT32_MAX;
	if (!c->connected || x->out.bytes > 0)
		return 0;
	room = stream_send_room(&c->base.stream);
	if (x->send_body == HTTP_BODY_LENGTH)
		room = (uint32_t)MIN((uint64_t)room, x->send_left);
	return x->send_body == HTTP_BODY_NONE ? 0 : room;
}

/* "size CRLF"; returns its length. */
static size_t chunk_line(char line[12], uint32_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;
	int shift = 28;

	while (shift > 0 && (size >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		line[n++] = digits[size >> shift & 0xf];
	line[n++] = '\r';
	line[n++] = '\n';
	return n;
}

/* One chunk of n bytes into `out`, which is empty. False: nothing was taken. */
static bool write_chunk(struct h1_xchg *x, struct pkt_chain *from, uint32_t n)
{
	struct pkt_pools *pkts = h1_xchg_conn(x)->h1->pkts;
	struct pkt_chain data = {0};
	char line[12];
	size_t line_len = chunk_line(line, n);

	if (pkt_chain_write(&x->out, bytes_of(line, line_len), pkts) == line_len &&
		pkt_chain_take(from, n, &data, pkts) == n &&
		pkt_chain_write(&data, BYTES_LIT("\r\n"), pkts) == 2) {
		pkt_chain_splice(&x->out, &data);
		return true;
	}
	pkt_chain_cut(&data, n);
	pkt_chain_splice_front(from, &data);
	pkt_chain_free(&x->out);
	return false;
}

static uint32_t send_chunk(struct h1_xchg *x, struct pkt_chain *from, uint32_t max)
{
	struct h1_conn *c = h1_xchg_conn(x);
	uint32_t room = stream_send_room(&c->base.stream);
	uint32_t n = MIN(max, MAX(room, CHUNK_OVER_ROOM_BYTES));

	if (!write_chunk(x, from, n))
		return 0;
	h1_send_flush(x);
	return n;
}

uint32_t h1_send(struct http_xchg *base, struct pkt_chain *from, uint32_t max)
{
	struct h1_xchg *x = h1_xchg_of(base);
	uint32_t n = 0;

	max = MIN(max, from->bytes);
	if (x->send_state != H1_SEND_BODY || x->send_body == HTTP_BODY_NONE || !is_usable(x))
		return 0;
	if (x->swallow)
		return pkt_chain_drop(from, max);
	if (x->send_body == HTTP_BODY_LENGTH)
		max = (uint32_t)MIN((uint64_t)max, x->send_left);
	if (max == 0)
		return 0;
	if (h1_send_flush(x)) {
		if (x->send_body == HTTP_BODY_CHUNKED)
			n = send_chunk(x, from, max);
		else
			n = stream_send(&base->conn->stream, from, max);
	}
	if (x->send_body == HTTP_BODY_LENGTH)
		x->send_left -= n;
	x->want_room = n < max || h1_send_room(base) == 0;
	if (n < max && h1_send_room(base) > 0) /* it was not room that was short */
		h1_xchg_retry(x);
	return n;
}

int h1_send_end(struct http_xchg *base, const struct http_head *trailers)
{
	struct h1_xchg *x = h1_xchg_of(base);

	ASSERT(x->send_state != H1_SEND_HEAD);
	if (!is_usable(x))
		return -EPIPE;
	if (x->send_state == H1_SEND_ENDED)
		return 0;
	if (!x->swallow) {
		if (x->send_body == HTTP_BODY_LENGTH && x->send_left > 0)
			return -EMSGSIZE;
		if (x->send_body == HTTP_BODY_CHUNKED &&
			!h1_emit_last_chunk(&x->out, h1_xchg_conn(x)->h1->pkts, trailers))
			return -ENOMEM;
		x->want_shut =
			x->send_body == HTTP_BODY_UNTIL_CLOSE || x->send_body == HTTP_BODY_TUNNEL;
	}
	x->send_state = H1_SEND_ENDED;
	if (x->tunnel && x->send_body != HTTP_BODY_TUNNEL)
		h1_send_start_tunnel(x);
	h1_send_flush(x);
	return 0;
}
