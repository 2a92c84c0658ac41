/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include "snap.h"
#include "worker_pvt.h"

/* After a turn without work. */
static void worker_idle(struct worker *w)
{
	uint64_t next = MIN(timer_wheel_next(&w->timers), w->wake_at_ns), ns;

	if (w->idle_turns < WORKER_IDLE_SPIN_TURNS) {
		w->idle_turns++;
		return;
	}
	if (w->idle == WORKER_IDLE_BUSY || next <= w->now_ns)
		return;
	ns = MIN(w->idle_step_ns, next - w->now_ns);
	if (w->idle_wait)
		w->idle_wait(w, w->idle_ctx, ns);
	else
		nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
	stat_add(&w->idle_cycles, worker_cycles_passed(w));
	stat_add(&w->sleep_count, 1);
	/* Mail that a full mailbox refused goes out as soon as there is room. */
	if (w->mailbox->pending == 0)
		w->idle_step_ns = MIN(w->idle_step_ns * 2, WORKER_IDLE_MAX_NS);
}

void worker_run(struct worker *w)
{
	w->owner_thread = (uint64_t)pthread_self();
	if (w->idle == WORKER_IDLE_ADAPTIVE)
		prctl(PR_SET_TIMERSLACK, 1000); /* else 20 us of sleep take 70 */
	if (!w->control)
		mem_freeze();
	worker_cycles_passed(w);
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		if (worker_poll(w, 0) > 0) {
			w->idle_turns = 0;
			w->idle_step_ns = WORKER_IDLE_MIN_NS;
		} else {
			worker_idle(w);
		}
	}
	if (!w->control)
		mem_thaw();
	worker_offline(w);
	w->owner_thread = 0;
}

void worker_stop(struct worker *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
}
