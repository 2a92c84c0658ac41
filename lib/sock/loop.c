/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sock_pvt.h"

#define EVENTS_MAX  64
#define POLL_BUDGET 64

struct sock_loop *sock_loop_create(struct error *err)
{
	struct sock_loop *loop = calloc(1, sizeof(*loop));

	if (!loop) {
		error_set(err, -ENOMEM, "no memory for the control core's sockets");
		return NULL;
	}
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		error_set(err, -errno, "cannot watch sockets (epoll): %m");
		free(loop);
		return NULL;
	}
	list_init(&loop->sources);
	list_init(&loop->dead);
	list_init(&loop->inherited);
	return loop;
}

int sock_loop_attach(struct sock_loop *loop, struct worker *worker, struct error *err)
{
	loop->worker = worker;
	if (worker_poller_add(worker, WORKER_PHASE_SLOW, "sock", sock_poll, loop, POLL_BUDGET) < 0)
		return error_set(err, -ENOSPC, "%s has too many pollers", worker->name);
	return 0;
}

static void reap(struct sock_loop *loop)
{
	struct list *link;

	while ((link = list_pop_head(&loop->dead)))
		free(list_entry(link, struct sock_source, link));
}

void sock_loop_destroy(struct sock_loop *loop)
{
	if (!loop)
		return;
	while (!list_is_empty(&loop->sources))
		sock_source_kill(list_first(&loop->sources, struct sock_source, link));
	reap(loop);
	if (loop->worker)
		worker_poller_remove(loop->worker, loop);
	close(loop->epoll_fd);
	free(loop);
}

uint32_t sock_poll(struct worker *worker, void *ctx, uint32_t budget)
{
	struct sock_loop *loop = ctx;
	struct epoll_event events[EVENTS_MAX];
	struct list *link;
	uint32_t work = 0;
	int n;

	(void)worker;
	for (; (link = list_pop_head(&loop->inherited)); work++)
		sock_listener_hand_over(sock_listener_of_inherited(link));
	n = epoll_wait(loop->epoll_fd, events, (int)MIN(budget, (uint32_t)EVENTS_MAX), 0);
	for (int i = 0; i < n; i++, work++) {
		struct sock_source *source = events[i].data.ptr;

		if (!source->dead)
			source->on_ready(source, events[i].events);
	}
	reap(loop);
	return work;
}

void sock_wait(struct worker *worker, void *ctx, uint64_t max_ns)
{
	struct sock_loop *loop = ctx;
	struct pollfd p = {.fd = loop->epoll_fd, .events = POLLIN};
	struct timespec t = {
		.tv_sec = (time_t)(max_ns / NS_PER_SEC), .tv_nsec = (long)(max_ns % NS_PER_SEC)};

	(void)worker;
	ppoll(&p, 1, &t, NULL);
}

int sock_source_watch(struct sock_source *source, uint32_t bits)
{
	struct epoll_event event = {.events = bits, .data.ptr = source};

	if (source->watched == bits)
		return 0;
	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 &&
		(errno != ENOENT ||
			epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0))
		return -errno;
	source->watched = bits;
	return 0;
}

void sock_source_unwatch(struct sock_source *source)
{
	epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->watched = 0;
}

void sock_source_kill(struct sock_source *source)
{
	if (source->dead)
		return;
	source->dead = true;
	source->release(source);
	if (source->fd >= 0) {
		sock_source_unwatch(source);
		close(source->fd);
	}
	source->fd = -1;
	list_del(&source->link);
	list_add_tail(&source->loop->dead, &source->link);
}
