/* SPDX-License-Identifier: BSD-3-Clause */
/* Mail between workers, and what turns and idling share. */
#ifndef WEIR_WORKER_PVT_H
#define WEIR_WORKER_PVT_H

#include "worker.h"

/* Mail to one core that waits for the end of the turn, or for room in its mailbox. */
struct worker_outbox {
	struct ring *to;
	uint32_t head; /* position of the oldest */
	uint32_t count;
	struct mail mails[WORKER_OUTBOX_MAILS];
};

struct worker_mailbox {
	struct mem_region region;      /* of the worker and this */
	struct ring *ring;             /* what others put, and this core takes */
	bool closed;                   /* nothing may be sent any more */
	uint64_t pending;              /* bit n: the outbox to core n holds mail */
	struct worker_outbox outbox[]; /* by core */
};

static_assert(WORKER_CORES_MAX <= 64, "a bit of `pending` per core");

/* The poller of WORKER_PHASE_MAIL. */
uint32_t worker_mail_poll(struct worker *w, void *ctx, uint32_t budget);

/* Delivers what the mailboxes of the receivers take. Returns how many mails that were. */
uint32_t worker_mail_flush(struct worker *w);

/* Reads nothing published any more, until the next turn. */
void worker_offline(struct worker *w);

/* Cycles since the last call. */
uint64_t worker_cycles_passed(struct worker *w);

#endif
