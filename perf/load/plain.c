/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "plain.h"

static const uint8_t one_byte[1] = {'x'};
static const struct net_piece one = {one_byte, 1};

/* --- one byte each way ------------------------------------------------------------- */

static void echo_start(struct load *load, struct client *client)
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
		load_unit_wrong(load, client);
		return;
	}
	load->totals.bytes++;
	load_conn_done(load, client);
}

static void echo_origin_received(struct net_conn *c, const uint8_t *bytes, uint32_t len)
{
	(void)bytes;
	if (len != 1 || !net_send(c, &one, 1))
		net_abort(c);
}

static const struct net_app echo_client_app = {
	.opened = load_opened,
	.received = echo_client_received,
	.peer_shut = load_peer_shut,
	.closed = load_closed,
};

static const struct net_app echo_origin_app = {
	.opened = load_origin_opened,
	.received = echo_origin_received,
	.peer_shut = net_shut,
	.closed = load_origin_closed,
};

const struct load_kind echo_kind = {
	.client_app = &echo_client_app,
	.origin_app = &echo_origin_app,
	.start = echo_start,
};

/* --- bytes without end ------------------------------------------------------------- */

static void stream_start(struct load *load, struct client *client)
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
			load_unit_wrong(load, client);
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

static const struct net_app stream_client_app = {
	.opened = load_opened,
	.received = stream_client_received,
	.peer_shut = load_peer_shut,
	.closed = load_closed,
};

static const struct net_app stream_origin_app = {
	.opened = load_origin_opened,
	.received = stream_origin_received,
	.peer_shut = net_shut,
	.closed = load_origin_closed,
};

const struct load_kind stream_kind = {
	.client_app = &stream_client_app,
	.origin_app = &stream_origin_app,
	.start = stream_start,
};
