/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker: one core and what it owns.
 *
 * struct worker is the root. Libraries above hang their state on it by adding pollers: functions
 * that the loop calls in a written order, each with a budget. One turn (worker_poll) is all that
 * tests and benchmarks need to call; worker_run repeats it until it is told to stop.
 *
 * Cores speak by mail: small messages by value, handled in the order they were sent between two
 * cores. Mail is collected in the sender's outbox during a turn and delivered in batches at its
 * end; mail to oneself is handled in the next turn. If the receiver's mailbox is full the rest
 * stays in the outbox; if the outbox is full worker_mail refuses, and the caller waits. Nothing
 * is dropped.
 *
 * Time goes on in steps of WORKER_STEP_MAX_NS at most, from one turn to the next, and not before
 * all timers of the last step have fired. No turn takes that long, but a process may be stopped, or
 * a virtual machine, for weeks (the monotonic clock stands while a machine sleeps, but not then),
 * and what counts milliseconds in 32 bits, as lib/tcp does, cannot tell 25 days ahead from 25 days
 * ago.
 *
 * Idle policy. A busy worker never sleeps. An adaptive one spins for WORKER_IDLE_SPIN_TURNS turns
 * without work and then sleeps after each: first for WORKER_IDLE_MIN_NS, then for twice as long
 * each time up to WORKER_IDLE_MAX_NS, never past its next timer or worker_wake_at. Any work starts
 * this over. Short sleeps were chosen over waiting on an eventfd: a sender would need a system call
 * to wake the receiver, and ports without interrupts are looked at by polling anyway. Mail or a
 * packet waits at most WORKER_IDLE_MAX_NS for a sleeper, which so wakes up 2,000 times a second.
 */
#ifndef WEIR_WORKER_H
#define WEIR_WORKER_H

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "rand.h"
#include "ring.h"
#include "stat.h"
#include "timer.h"

#define WORKER_POLLERS_MAX 24
#define WORKER_CORES_MAX   64
#define WORKER_NAME_SIZE   16

#define WORKER_OUTBOX_MAILS    512 /* to one other core, until the end of the turn */
#define WORKER_MAIL_BUDGET     256 /* mails handled in one turn */
#define WORKER_TIMER_BUDGET    512 /* timers fired in one turn */
#define WORKER_STEP_MAX_NS     (24 * 86400 * NS_PER_SEC)
#define WORKER_IDLE_SPIN_TURNS 200
#define WORKER_IDLE_MIN_NS     (20 * NS_PER_US)
#define WORKER_IDLE_MAX_NS     (500 * NS_PER_US)

struct worker;
struct snap_domain;

/* The order of a turn. Within a phase pollers run in the order they were added. */
enum worker_phase {
	WORKER_PHASE_RX,     /* bursts from the ports, through IP into TCP: records, never sends */
	WORKER_PHASE_MAIL,   /* the worker's own: what other cores sent */
	WORKER_PHASE_TIMERS, /* the worker's own: due timers, so that they see this turn's ACKs */
	WORKER_PHASE_READY,  /* each connection that became ready, once */
	WORKER_PHASE_TX,     /* segments for what the phases before recorded; bursts to the ports */
	WORKER_PHASE_SLOW,   /* what may wait: statistics, reaping, the control core's services */
	WORKER_PHASE_COUNT,
};

/** Does up to `budget` pieces of work at w->now_ns; returns how many it did (0: nothing to do). */
typedef uint32_t (*worker_poll_fn)(struct worker *w, void *ctx, uint32_t budget);

struct worker_poller {
	const char *name;
	worker_poll_fn fn;
	void *ctx;
	uint32_t budget;
	enum worker_phase phase;
	uint64_t calls; /* this and the next two: other cores read them by stat_read */
	uint64_t work;
	uint64_t cycles; /* only counted while w->profile is true */
};

enum worker_idle {
	WORKER_IDLE_BUSY,     /* never sleeps */
	WORKER_IDLE_ADAPTIVE, /* spins a while, then sleeps in short steps until something comes */
};

struct mail;

/** Runs on the receiving core. The mail is valid until it returns. */
typedef void (*mail_fn)(struct worker *to, const struct mail *mail);

struct mail {
	mail_fn fn;
	uint32_t from; /* core index; set by worker_mail */
	uint32_t word;
	uint64_t arg[6];
};

static_assert(sizeof(struct mail) == 64, "one cache line");

struct worker_config {
	const char *name; /* "worker 0", "control" */
	uint32_t index;   /* 0 to cores - 1; the control core has the last one */
	uint32_t cores;   /* all cores of the machine that speak to each other */
	bool control;
	enum worker_idle idle;
	struct clock *clock;
	uint64_t seed;             /* may be the same for all: the index goes into it */
	uint32_t mailbox_count;    /* 0: 4095 */
	size_t log_ring_bytes;     /* 0: 1 MiB */
	struct snap_domain *snaps; /* may be NULL; a worker reports its quiet points to it */
	/* How an adaptive worker sleeps; NULL: it just does. The control core waits in poll(2) for
	 * its kernel sockets instead. Must return after max_ns at the latest, may return sooner. */
	void (*idle_wait)(struct worker *w, void *ctx, uint64_t max_ns);
	void *idle_ctx;
};

struct worker {
	/* Written every turn. */
	uint64_t now_ns;
	uint64_t wall_ns;
	uint64_t turn; /* turns so far */
	struct clock *clock;
	struct rand rand;
	uint32_t index;
	uint32_t cores;
	bool control;
	bool profile; /* written by the control core */
	bool stop;    /* written by worker_stop from any core */
	enum worker_idle idle;
	char name[WORKER_NAME_SIZE];

	/* Accounting: a turn without work is idle, and so is the sleep after it. Other cores read
	 * these, and `turn`, by stat_read. */
	uint64_t busy_cycles;
	uint64_t idle_cycles;
	uint64_t busy_turns;
	uint64_t sleep_count;
	uint64_t clock_jumps; /* steps of WORKER_STEP_MAX_NS that the clock was ahead by */
	uint64_t mailbox_depth_max;

	struct timer_wheel timers;
	struct log_ring *log;
	struct list pools;  /* struct mem_pool, by link */
	struct list groups; /* struct stat_group, by link */

	uint32_t poller_count;
	struct worker_poller pollers[WORKER_POLLERS_MAX];

	/* Private. */
	struct worker_mailbox *mailbox;
	struct snap_domain *snaps;
	bool snaps_online;
	uint64_t owner_thread; /* who may touch it; 0: whoever calls worker_poll next */
	uint64_t cycles_seen;  /* the cycle counter at the end of the last turn or sleep */
	uint64_t idle_step_ns;
	uint64_t wake_at_ns; /* a poller of this turn wants the next one then */
	uint32_t idle_turns; /* without work, in a row; stops at WORKER_IDLE_SPIN_TURNS */
	void (*idle_wait)(struct worker *w, void *ctx, uint64_t max_ns);
	void *idle_ctx;
};

/** Start-up. NULL with *err set. The caller owns the result. */
struct worker *worker_create(const struct worker_config *config, struct error *err) WR_SLOW_CORE;

/**
 * After its thread ended. NULL-safe. Mail that still waits in its mailbox is handled first; what
 * that wants to send is refused (-ENOBUFS). Mail in its outbox is lost: before destroying the
 * first of several workers, poll all of them in turn until none has work. Pools and groups that
 * were added belong to their owners; they are only taken off its lists.
 */
void worker_destroy(struct worker *w) WR_SLOW_CORE;

/**
 * Start-up: tells all cores about each other; all[i]->index == i, and count is the `cores` that
 * each was created with. Must precede the first mail; also needed by one core for mail to itself.
 */
void worker_connect(struct worker *const *all, uint32_t count) WR_SLOW_CORE;

/**
 * Start-up. `name` must outlive the worker. Two pollers are the worker's own: "mail" and "timers".
 * Returns 0, or -ENOSPC beyond WORKER_POLLERS_MAX.
 */
int worker_poller_add(struct worker *w, enum worker_phase phase, const char *name,
	worker_poll_fn fn, void *ctx, uint32_t budget);

/** Any core: starts or stops counting the cycles of each poller. */
void worker_profile_set(struct worker *w, bool on);

/** The end, not from inside a poller: takes off all pollers with this ctx, so that what they work
 * on can go before the worker does. */
void worker_poller_remove(struct worker *w, const void *ctx);

/** Start-up: makes a pool or a group of counters visible to the operator. */
void worker_pool_add(struct worker *w, struct mem_pool *pool);
void worker_group_add(struct worker *w, struct stat_group *group);

/**
 * One turn at now_ns (0: ask the worker's clock), or a step towards it if that is far ahead; now_ns
 * must not go back. Returns the pieces of work done, mail that went out and such a step included; 0
 * if it was idle. Also called by tests, in a thread of their choice, for several workers in turn.
 */
uint32_t worker_poll(struct worker *w, uint64_t now_ns);

/**
 * Turns until worker_stop; returns at once if that was called before. The calling thread owns the
 * worker meanwhile; if it is not the control core, the heap is frozen for it.
 */
void worker_run(struct worker *w);

/** From inside a poller: an adaptive worker does not sleep past at_ns after this turn. */
static inline void worker_wake_at(struct worker *w, uint64_t at_ns)
{
	w->wake_at_ns = MIN(w->wake_at_ns, at_ns);
}

/** Any core, also from a signal handler. */
void worker_stop(struct worker *w);

/**
 * The worker's core. Sends mail to core `to` (also to itself). Returns 0, or -ENOBUFS if the
 * outbox for this core is full: try again in a later turn.
 */
int worker_mail(struct worker *w, uint32_t to, const struct mail *mail) MUST_USE;

/** Any core: mail that waits in the worker's mailbox. */
uint32_t worker_mailbox_depth(const struct worker *w);

/** The worker's core: a line of weir's own log. */
#define worker_log(w, level, ...) ((void)log_event((w)->log, (w)->wall_ns, (level), __VA_ARGS__))

/** Debug builds: aborts if another thread than the calling one owns the worker. */
void worker_assert_owner(const struct worker *w);

#endif
