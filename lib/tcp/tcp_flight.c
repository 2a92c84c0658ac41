/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of what is on its way to the peer; a connection with nothing to send has none. */
#include "tcp_pvt.h"

struct tcp_flight *tcp_flight_take(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (f)
		return f;
	f = mem_pool_get(&c->tcp->flights);
	if (!f) {
		tcp_count(c->tcp, TCP_STAT_FLIGHT_POOL_EMPTY);
		return NULL;
	}
	*f = (struct tcp_flight){0};
	c->flight_ref = mem_pool_index(&c->tcp->flights, f) + 1;
	tcp_cc(c)->init(c);
	return f;
}

void tcp_flight_release(struct tcp_conn *c)
{
	if (!c->flight_ref)
		return;
	mem_pool_put(&c->tcp->flights, tcp_flight_of(c));
	c->flight_ref = 0;
}
