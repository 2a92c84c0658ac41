/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP: clients that ask for objects of known bytes, origins that have them.
 *
 * The path names the object: /o17 is the scenario's size number 17. Every body is the beginning of
 * one pattern, so an answer is checked where it lies. A head that is byte for byte the one that was
 * parsed last needs no parsing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static const char answer_format[] = "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: "
				    "application/octet-stream\r\nCache-Control: no-store\r\n"
				    "Content-Length: %u\r\n\r\n";
static const char request_format[] =
	"GET /o%u HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: load/1\r\nAccept: */*\r\n"
	"Accept-Encoding: identity\r\n%s\r\n";

struct text {
	char bytes[LOAD_REQUEST_MAX];
	uint32_t len;
};

static struct text requests[LOAD_SIZES_MAX], answers[LOAD_SIZES_MAX];
static uint8_t known_head[LOAD_HEAD_MAX]; /* of an answer */
static uint32_t known_head_bytes, known_body_bytes;

/* Before the first connection: requests and heads for the scenario's sizes. */
static void http_prepare(const struct scenario *s)
{
	for (uint32_t i = 0; i < s->size_count; i++) {
		requests[i].len = (uint32_t)snprintf(requests[i].bytes, sizeof(requests[i].bytes),
			request_format, i, s->keep_alive ? "" : "Connection: close\r\n");
		answers[i].len = (uint32_t)snprintf(
			answers[i].bytes, sizeof(answers[i].bytes), answer_format, s->sizes[i]);
	}
}

/* --- client ------------------------------------------------------------------------ */

static void http_start(struct load *load, struct client *client)
{
	const struct text *request;
	struct net_piece piece;

	client->size = load_random(load, load->config->scenario->size_count);
	request = &requests[client->size];
	piece = (struct net_piece){(const uint8_t *)request->bytes, request->len};
	client->head_bytes = client->body_at = 0;
	client->in_body = false;
	if (!net_send(client->conn, &piece, 1))
		load_unit_failed(load, client);
}

static const char *find_field(const char *head, const char *name)
{
	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, strlen(name)) == 0)
			return line + strlen(name);
	}
	return NULL;
}

static uint8_t *head_of(struct load *load, const struct client *client)
{
	return load->heads[client - load->clients];
}

/* The answer's head is whole: its length, and what it says. False: not what was asked for. */
static bool parse_head(struct load *load, struct client *client, uint32_t head_bytes)
{
	const uint8_t *head = head_of(load, client);
	const char *length;

	if (known_head_bytes == head_bytes && memcmp(known_head, head, head_bytes) == 0) {
		client->body_bytes = known_body_bytes;
	} else {
		char text[LOAD_HEAD_MAX + 1];

		memcpy(text, head, head_bytes);
		text[head_bytes] = '\0';
		length = find_field(text, "content-length:");
		if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || !length)
			return false;
		client->body_bytes = (uint32_t)strtoul(length, NULL, 10);
		memcpy(known_head, head, head_bytes);
		known_head_bytes = head_bytes;
		known_body_bytes = client->body_bytes;
	}
	return client->body_bytes == load->config->scenario->sizes[client->size];
}

static const uint8_t *end_of_head(const uint8_t *p, uint32_t len)
{
	const uint8_t *end = memmem(p, len, "\r\n\r\n", 4);

	return end ? end + 4 : NULL;
}

/* Bytes of the head, gathered; returns how many of `len` belong to it, or UINT32_MAX: bad. */
static uint32_t take_head(
	struct load *load, struct client *client, const uint8_t *bytes, uint32_t len)
{
	uint32_t had = client->head_bytes;
	uint32_t fits = LOAD_HEAD_MAX - had < len ? LOAD_HEAD_MAX - had : len;
	uint8_t *head = head_of(load, client);
	const uint8_t *end;
	uint32_t head_bytes;

	memcpy(head + had, bytes, fits);
	client->head_bytes += fits;
	end = end_of_head(head, client->head_bytes);
	if (!end)
		return client->head_bytes == LOAD_HEAD_MAX ? UINT32_MAX : len;
	head_bytes = (uint32_t)(end - head);
	client->in_body = true;
	return parse_head(load, client, head_bytes) ? head_bytes - had : UINT32_MAX;
}

static void answer_done(struct load *load, struct client *client)
{
	load->totals.bytes += client->body_bytes;
	if (load->config->scenario->keep_alive)
		load_unit_done(load, client);
	else
		load_conn_done(load, client);
}

static void client_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	struct load *load = c->net->app_ctx;
	struct client *client = c->user;

	if (!client)
		return;
	if (!client->busy) { /* nobody asked */
		load->totals.mismatches++;
		return;
	}
	if (!client->in_body) {
		uint32_t n = take_head(load, client, bytes, len);

		if (n == UINT32_MAX) {
			load_unit_wrong(load, client);
			return;
		}
		bytes += n;
		len -= n;
	}
	if (!client->in_body)
		return;
	if (len > client->body_bytes - client->body_at ||
		memcmp(bytes, load->object + client->body_at, len) != 0) {
		load_unit_wrong(load, client);
		return;
	}
	client->body_at += len;
	if (client->body_at == client->body_bytes)
		answer_done(load, client);
}

/* --- origin ------------------------------------------------------------------------ */

/* `word` is the number of the object that is asked for; `count` is 1 from the request's first
 * bytes, which hold the whole path, to the end of its head. */
static void origin_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	struct load *load = c->net->app_ctx;
	struct net_piece pieces[2];
	uint32_t size;

	if (c->count == 0 && len > 6 && memcmp(bytes, "GET /o", 6) == 0) {
		c->word = 0;
		for (uint32_t i = 6; i < len && bytes[i] >= '0' && bytes[i] <= '9'; i++)
			c->word = c->word * 10 + (uint32_t)(bytes[i] - '0');
		c->count = 1;
	}
	/* The proxy sends heads whole; a head in parts ends with its last part. */
	if (c->count == 0 || len < 4 || memcmp(bytes + len - 4, "\r\n\r\n", 4) != 0)
		return;
	c->count = 0;
	size = c->word;
	if (size >= load->config->scenario->size_count) {
		net_abort(c);
		return;
	}
	pieces[0] = (struct net_piece){(const uint8_t *)answers[size].bytes, answers[size].len};
	pieces[1] = (struct net_piece){load->object, load->config->scenario->sizes[size]};
	if (!net_send(c, pieces, 2))
		net_abort(c);
}

static const struct net_app http_client_app = {
	.opened = load_opened,
	.received = client_received,
	.peer_shut = load_peer_shut,
	.closed = load_closed,
};

static const struct net_app http_origin_app = {
	.opened = load_origin_opened,
	.received = origin_received,
	.peer_shut = net_shut,
	.closed = load_origin_closed,
};

const struct load_kind http_kind = {
	.client_app = &http_client_app,
	.origin_app = &http_origin_app,
	.prepare = http_prepare,
	.start = http_start,
};
