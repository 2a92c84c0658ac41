/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "stream.h"

static const uint8_t one_byte[1] = {'x'};
static const struct net_piece one = {one_byte, 1};

static void ignore(struct net_conn *c)
{
	(void)c;
}

static void origin_closed(struct net_conn *c, bool in_order)
{
	(void)c;
	(void)in_order;
}

static void origin_peer_shut(struct net_conn *c)
{
	net_shut(c);
}

/* --- one byte each way ------------------------------------------------------------- */

void echo_start(struct load *load, struct client *client)
{
	if (!net_send(client->conn, &one, 1))
		load_unit_failed(load, client);
}

/* The unit ends with the answer; both sides then close in order. */
static void echo_client_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	struct load *load = c->net->app_ctx;
	struct client *client = c->user;

	if (!client)
		return;
	if (len != 1 || bytes[0] != one_byte[0]) {
		load->totals.mismatches++;
		load_unit_failed(load, client);
		return;
	}
	client->conn = NULL;
	client->open = false;
	c->user = NULL;
	net_shut(c);
	load->totals.bytes++;
	load_unit_done(load, client);
}

static void echo_origin_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	(void)bytes;
	if (len != 1 || !net_send(c, &one, 1))
		net_abort(c);
}

const struct net_app echo_client_app = {
	.opened = load_opened,
	.received = echo_client_received,
	.peer_shut = load_peer_shut,
	.closed = load_closed,
};

const struct net_app echo_origin_app = {
	.opened = ignore,
	.received = echo_origin_received,
	.peer_shut = origin_peer_shut,
	.closed = origin_closed,
};

/* --- bytes without end ------------------------------------------------------------- */

void stream_start(struct load *load, struct client *client)
{
	client->body_at = 0;
	if (!net_send(client->conn, &one, 1))
		load_unit_failed(load, client);
}

/* Every byte is compared; a unit is one object. */
static void stream_client_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	struct load *load = c->net->app_ctx;
	struct client *client = c->user;

	while (client && len) {
		uint32_t n = LOAD_OBJECT_MAX - client->body_at;

		if (n > len)
			n = len;
		if (memcmp(bytes, load->object + client->body_at, n) != 0) {
			load->totals.mismatches++;
			load_unit_failed(load, client);
			return;
		}
		load->totals.bytes += n;
		client->body_at += n;
		bytes += n;
		len -= n;
		if (client->body_at == LOAD_OBJECT_MAX) {
			load_unit_done(load, client);
			if (!client->busy)
				return;
		}
	}
}

/* One byte asks for one object. */
static void stream_origin_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	struct load *load = c->net->app_ctx;
	struct net_piece object = {load->object, LOAD_OBJECT_MAX};

	(void)bytes;
	if (len != 1 || !net_send(c, &object, 1))
		net_abort(c);
}

const struct net_app stream_client_app = {
	.opened = load_opened,
	.received = stream_client_received,
	.peer_shut = load_peer_shut,
	.closed = load_closed,
};

const struct net_app stream_origin_app = {
	.opened = ignore,
	.received = stream_origin_received,
	.peer_shut = origin_peer_shut,
	.closed = origin_closed,
};
