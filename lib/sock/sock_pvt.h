/* SPDX-License-Identifier: BSD-3-Clause */
/* What the loop watches is a struct sock_source: the first member of a listener or connection. */
#ifndef WEIR_SOCK_PVT_H
#define WEIR_SOCK_PVT_H

#include "sock.h"

struct sock_source {
	struct list link; /* in loop->sources, or in loop->dead until the end of the turn */
	struct sock_loop *loop;
	int fd;           /* -1: none (any more) */
	uint32_t watched; /* EPOLL* bits the kernel was told */
	bool dead;
	void (*on_ready)(struct sock_source *source, uint32_t bits);
	/** Frees what it has besides the descriptor; the loop frees the memory. */
	void (*release)(struct sock_source *source);
};

struct sock_loop {
	int epoll_fd;
	struct worker *worker;
	struct list sources;
	struct list dead;
	struct list inherited; /* listeners that are one connection, not handed over yet */
};

/** Starts watching, changes what is watched, or stops (bits 0 still reports errors). 0 or -errno.
 */
int sock_source_watch(struct sock_source *source, uint32_t bits);

/** Stops watching; the descriptor stays open. */
void sock_source_unwatch(struct sock_source *source);

/** Closes it; memory goes at the end of the turn. Harmless when repeated. */
void sock_source_kill(struct sock_source *source);

/** Reads the events of one turn; the caller sees to the dead. */
void sock_listener_hand_over(struct sock_listener *listener);
struct sock_listener *sock_listener_of_inherited(struct list *link);

/** Fills *out from an endpoint; returns the length. */
socklen_t sock_address(const struct endpoint *e, struct sockaddr_storage *out);

/** Fills *out from a path; returns the length, or 0 if it is too long. */
socklen_t sock_path(const char *path, struct sockaddr_storage *out);

#endif
