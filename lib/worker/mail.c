/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "worker_pvt.h"

#define BATCH_MAILS 32

void worker_connect(struct worker *const *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ASSERT(all[i]->index == i);
		ASSERT(all[i]->cores == count);
		for (uint32_t to = 0; to < count; to++)
			all[i]->mailbox->outbox[to].to = all[to]->mailbox->ring;
	}
}

int worker_mail(struct worker *w, uint32_t to, const struct mail *mail)
{
	struct worker_mailbox *mailbox = w->mailbox;
	struct worker_outbox *box = &mailbox->outbox[to];
	struct mail *place;

	worker_assert_owner(w);
	ASSERT(to < w->cores);
	if (box->count == WORKER_OUTBOX_MAILS || mailbox->closed)
		return -ENOBUFS;
	ASSERT(box->to);
	place = &box->mails[(box->head + box->count) % WORKER_OUTBOX_MAILS];
	*place = *mail;
	place->from = w->index;
	box->count++;
	mailbox->pending |= UINT64_C(1) << to;
	return 0;
}

static uint32_t outbox_flush(struct worker_outbox *box)
{
	uint32_t sent = 0;

	while (box->count > 0) {
		uint32_t n = MIN(box->count, WORKER_OUTBOX_MAILS - box->head);
		uint32_t put = ring_put(box->to, &box->mails[box->head], n);

		box->head = (box->head + put) % WORKER_OUTBOX_MAILS;
		box->count -= put;
		sent += put;
		if (put < n)
			return sent;
	}
	box->head = 0; /* the same few lines of cache each turn */
	return sent;
}

uint32_t worker_mail_flush(struct worker *w)
{
	struct worker_mailbox *mailbox = w->mailbox;
	uint32_t sent = 0;

	for (uint64_t left = mailbox->pending; left; left &= left - 1) {
		uint32_t to = (uint32_t)__builtin_ctzll(left);

		sent += outbox_flush(&mailbox->outbox[to]);
		if (mailbox->outbox[to].count == 0)
			mailbox->pending &= ~(UINT64_C(1) << to);
	}
	return sent;
}

uint32_t worker_mail_poll(struct worker *w, void *ctx, uint32_t budget)
{
	struct ring *ring = w->mailbox->ring;
	struct mail batch[BATCH_MAILS];
	uint32_t done = 0, n = ring_count(ring);

	(void)ctx;
	if (n > w->mailbox_depth_max)
		__atomic_store_n(&w->mailbox_depth_max, n, __ATOMIC_RELAXED);
	while (done < budget) {
		n = ring_take(ring, batch, MIN(budget - done, (uint32_t)BATCH_MAILS));
		if (n == 0)
			break;
		for (uint32_t i = 0; i < n; i++)
			batch[i].fn(w, &batch[i]);
		done += n;
	}
	return done;
}

uint32_t worker_mailbox_depth(const struct worker *w)
{
	return ring_count(w->mailbox->ring);
}
