/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_relay.h"

static void drop_back(struct fake_relay *r)
{
	if (r->answer != NULL)
		http_xchg_close(r->answer);
	r->answer = NULL;
	if (r->back != NULL && http_conn_state(r->back) != HTTP_CONN_IDLE) {
		http_conn_close(r->back);
		r->back = NULL;
	}
	pkt_chain_free(&r->up);
	pkt_chain_free(&r->down);
}

static void drop_both(struct fake_relay *r)
{
	if (r->request != NULL)
		http_xchg_close(r->request);
	r->request = NULL;
	drop_back(r);
}

static void answer_error(struct fake_relay *r, uint16_t status)
{
	struct http_head *head = http_head_get(&r->rig->heads);

	ASSERT(head != NULL);
	http_head_set_response(head, status, BYTES_NONE);
	http_xchg_send_head(r->request, head);
	http_xchg_send_end(r->request, NULL);
	http_head_free(head);
	drop_both(r);
}

/* Both messages are through. */
static void check_end(struct fake_relay *r)
{
	if (r->request == NULL || !r->up_ended || !r->down_ended)
		return;
	drop_both(r);
}

/* The request's body goes up, until something stops it. */
static void pump_up(struct fake_relay *r)
{
	while (r->request != NULL && r->answer != NULL && !r->up_ended) {
		if (r->up.bytes == 0)
			http_xchg_recv(r->request, &r->up, 100);
		if (r->up.bytes > 0 && http_xchg_send(r->answer, &r->up, UINT32_MAX) == 0)
			return;
		if (r->up.bytes > 0)
			continue;
		if (http_xchg_recv_ended(r->request)) {
			struct http_head *trailers = http_xchg_recv_trailers(r->request);

			ASSERT(http_xchg_send_end(r->answer, trailers) == 0);
			http_head_free(trailers);
			r->up_ended = true;
		} else if (http_xchg_error(r->request, NULL, NULL) != HTTP_ERROR_NONE) {
			uint16_t status;

			http_xchg_error(r->request, &status, NULL);
			if (r->answering)
				drop_both(r);
			else
				answer_error(r, status);
		} else if (!stream_is_open(&r->front->stream) ||
			   stream_recv_ready(&r->front->stream) == 0) {
			return;
		}
	}
	check_end(r);
}

static void pump_down(struct fake_relay *r)
{
	while (r->request != NULL && r->answer != NULL && r->answering && !r->down_ended) {
		if (r->down.bytes == 0)
			http_xchg_recv(r->answer, &r->down, 100);
		if (r->down.bytes > 0 && http_xchg_send(r->request, &r->down, UINT32_MAX) == 0)
			return;
		if (r->down.bytes > 0)
			continue;
		if (http_xchg_recv_ended(r->answer)) {
			struct http_head *trailers = http_xchg_recv_trailers(r->answer);

			ASSERT(http_xchg_send_end(r->request, trailers) == 0);
			http_head_free(trailers);
			r->down_ended = true;
		} else if (http_xchg_error(r->answer, NULL, NULL) != HTTP_ERROR_NONE) {
			drop_both(r);
		} else if (!stream_is_open(&r->back->stream) ||
			   stream_recv_ready(&r->back->stream) == 0) {
			return;
		}
	}
	check_end(r);
}

static void take_heads(struct fake_relay *r)
{
	struct http_head *head;

	while (!r->answering && (head = http_xchg_recv_head(r->answer)) != NULL) {
		if (r->mode == FAKE_RELAY_CLOSE)
			http_xchg_set_close(r->request);
		ASSERT(http_xchg_send_head(r->request, head) == 0);
		r->answering = head->status >= 200 || head->status == 101;
		if (head->body == HTTP_BODY_TUNNEL)
			r->up_ended = false;
		http_head_free(head);
	}
	if (!r->answering && http_xchg_error(r->answer, NULL, NULL) != HTTP_ERROR_NONE)
		answer_error(r, 502);
}

static void on_answer(struct http_xchg *x, uint32_t events)
{
	struct fake_relay *r = x->owner;

	if (!r->answering && (events & (HTTP_EVENT_HEAD | HTTP_EVENT_ERROR)))
		take_heads(r);
	else if (events & HTTP_EVENT_ERROR)
		drop_both(r);
	pump_down(r);
	pump_up(r);
}

static void on_request_news(struct http_xchg *x, uint32_t events)
{
	struct fake_relay *r = x->owner;

	if (events & HTTP_EVENT_ERROR) {
		drop_both(r);
		return;
	}
	pump_up(r);
	pump_down(r);
}

static void on_back_closed(struct http_conn *c)
{
	struct fake_relay *r = c->owner;

	r->back = NULL;
	http_conn_close(c);
}

static const struct http_conn_owner_ops back_ops = {.on_closed = on_back_closed};

static void begin_answer(struct fake_relay *r)
{
	if (r->back != NULL && http_conn_state(r->back) != HTTP_CONN_IDLE) {
		http_conn_close(r->back);
		r->back = NULL;
	}
	if (r->back == NULL) {
		r->back = h1_client_create(&r->rig->h1, &back_ops, r);
		r->connect(r);
	}
	r->answer = http_conn_request(r->back);
	ASSERT(r->answer != NULL);
	r->answer->on_event = on_answer;
	r->answer->owner = r;
}

static void on_request(struct http_conn *c, struct http_xchg *x)
{
	struct fake_relay *r = c->owner;
	struct http_head *head;
	uint16_t status;

	r->request_count++;
	r->request = x;
	x->owner = r;
	x->on_event = on_request_news;
	r->answering = r->up_ended = r->down_ended = false;
	if (http_xchg_error(x, &status, NULL) != HTTP_ERROR_NONE) {
		answer_error(r, status);
		return;
	}
	head = http_xchg_recv_head(x);
	ASSERT(head != NULL);
	begin_answer(r);
	if (r->mode != FAKE_RELAY_KEEP)
		http_xchg_set_close(r->answer);
	ASSERT(http_xchg_send_head(r->answer, head) == 0);
	http_head_free(head);
	pump_up(r);
}

static void on_front_closed(struct http_conn *c)
{
	struct fake_relay *r = c->owner;

	ASSERT(r->request == NULL);
	r->front = NULL;
	http_conn_close(c);
}

static const struct http_conn_owner_ops front_ops = {
	.on_request = on_request, .on_closed = on_front_closed};

void fake_relay_init(struct fake_relay *r, struct fake_rig *rig,
	void (*connect)(struct fake_relay *r), enum fake_relay_mode mode)
{
	*r = (struct fake_relay){.rig = rig, .connect = connect, .mode = mode};
	r->front = h1_server_create(&rig->h1, &front_ops, r);
}

void fake_relay_fini(struct fake_relay *r)
{
	if (r->front != NULL)
		http_conn_close(r->front);
	if (r->back != NULL)
		http_conn_close(r->back);
	pkt_chain_free(&r->up);
	pkt_chain_free(&r->down);
}
