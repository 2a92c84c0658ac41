/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams that wait for a slot: of one server, or of any server of their backend. */
#include "proxy_pvt.h"

void px_queue_wait(struct px_stream *st, uint32_t member)
{
	struct proxy *px = st->px;
	struct px_backend *be = st->be;
	uint32_t before = lease_waiting(px->leases, px_group_backend(px, be->index), member);
	struct px_counters *c = member == LEASE_ANY ? be->counters : be->servers[member].counters;

	st->state = PX_STATE_QUEUE;
	if (member == LEASE_ANY)
		st->backend_queue += before;
	else
		st->server_queue += before;
	px_enter(c, PROXY_STAT_QCUR, PROXY_STAT_QMAX);
	list_add_tail(&be->waiting, &st->queue_link);
	lease_wait(px->leases, &st->waiter, px_group_backend(px, be->index), member);
	if (st->queued_ns == 0)
		st->queued_ns = px_now(px);
	px_stream_rearm(st);
}

static void uncount(struct px_stream *st)
{
	uint32_t member = st->waiter.member;

	list_del(&st->queue_link);
	px_leave(member == LEASE_ANY ? st->be->counters : st->be->servers[member].counters,
		PROXY_STAT_QCUR);
}

void px_queue_leave(struct px_stream *st)
{
	if (!list_is_linked(&st->queue_link))
		return;
	uncount(st);
	lease_cancel(st->px->leases, &st->waiter);
}

void px_queue_granted(struct lease_waiter *w, uint32_t member)
{
	struct px_stream *st = CONTAINER_OF(w, struct px_stream, waiter);
	struct px_server *server = &st->be->servers[member];

	uncount(st);
	st->has_token = true;
	if (!st->loaded) /* it waited for any */
		px_backend_chosen(st, member);
	if (server->maint) { /* it left while the token was on its way */
		px_backend_leave(st);
		px_backend_assign(st);
		return;
	}
	px_backend_connect(st);
}
