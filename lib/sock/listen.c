/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sock_pvt.h"

#define BACKLOG_DEFAULT 128
#define ACCEPTS_MAX     16                /* in one turn */
#define EXHAUSTED_NS    (100 * NS_PER_MS) /* pause when the machine has no descriptor left */

struct sock_listener {
	struct sock_source source;
	void (*on_accept)(struct sock_listener *listener, void *user, int fd);
	void *user;
	struct list inherited; /* in loop->inherited while the one connection waits */
	bool paused;
	struct timer exhausted;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" : no file */
	dev_t dev;                                              /* of the file */
	ino_t ino;
};

static struct sock_listener *of_source(struct sock_source *source)
{
	return CONTAINER_OF(source, struct sock_listener, source);
}

struct sock_listener *sock_listener_of_inherited(struct list *link)
{
	return list_entry(link, struct sock_listener, inherited);
}

void sock_refuse(int fd)
{
	close(fd);
}

static void on_ready(struct sock_source *source, uint32_t bits)
{
	struct sock_listener *l = of_source(source);
	int fd;

	(void)bits;
	for (int i = 0; i < ACCEPTS_MAX && !l->paused && !source->dead; i++) {
		fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			l->on_accept(l, l->user, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			struct worker *w = source->loop->worker;

			sock_source_watch(source, 0);
			timer_set(&w->timers, &l->exhausted, w->now_ns + EXHAUSTED_NS);
		}
		break;
	}
}

static void on_recovered(struct timer *timer, uint64_t now_ns)
{
	struct sock_listener *l = CONTAINER_OF(timer, struct sock_listener, exhausted);

	(void)now_ns;
	sock_listener_pause(l, l->paused);
}

static void on_release(struct sock_source *source)
{
	struct sock_listener *l = of_source(source);
	struct stat st;

	list_del(&l->inherited);
	if (source->loop->worker)
		timer_cancel(&source->loop->worker->timers, &l->exhausted);
	if (l->path[0] && lstat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
}

void sock_listener_pause(struct sock_listener *l, bool paused)
{
	l->paused = paused;
	if (!l->source.dead && l->source.fd >= 0 && !list_is_linked(&l->inherited))
		sock_source_watch(&l->source, paused ? 0 : EPOLLIN);
}

void sock_listener_close(struct sock_listener *l)
{
	sock_source_kill(&l->source);
}

void sock_listener_hand_over(struct sock_listener *l)
{
	int fd = l->source.fd;

	l->source.fd = -1;
	l->on_accept(l, l->user, fd);
}

static int check_file(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST,
			"'%s' is there and is not a socket: remove it or choose another path",
			path);
	return 0;
}

/* Bound under another name first, so that the socket appears ready, and replaces an old one in one
 * step. */
static int listen_unix(
	struct sock_listener *l, const struct sock_listen_config *c, struct error *err)
{
	char temporary[sizeof(l->path)];
	struct sockaddr_storage address;
	socklen_t len;
	struct stat st;
	int n = snprintf(temporary, sizeof(temporary), "%s.%d.tmp", c->path, getpid());

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return error_set(err, -ENAMETOOLONG,
			"'%s' is too long for a socket: up to %zu characters fit", c->path,
			sizeof(l->path) - (size_t)MAX(n - (int)strlen(c->path), 0) - 1);
	if (check_file(c->path, err) < 0)
		return -EEXIST;
	l->source.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->source.fd < 0)
		return error_set(err, -errno, "cannot open a UNIX socket: %m");
	len = sock_path(temporary, &address);
	unlink(temporary);
	if (bind(l->source.fd, (struct sockaddr *)&address, len) < 0)
		return error_set(err, -errno, "cannot make the socket '%s': %m", c->path);
	if (c->mode != 0 && chmod(temporary, c->mode) < 0)
		error_set(err, -errno, "cannot set mode %o of '%s': %m", c->mode, c->path);
	else if ((c->uid >= 0 || c->gid >= 0) &&
		 lchown(temporary, (uid_t)c->uid, (gid_t)c->gid) < 0)
		error_set(err, -errno, "cannot change the owner of '%s': %m", c->path);
	else if (listen(l->source.fd, (int)(c->backlog ? c->backlog : BACKLOG_DEFAULT)) < 0)
		error_set(err, -errno, "cannot listen on '%s': %m", c->path);
	else if (lstat(temporary, &st) < 0 || rename(temporary, c->path) < 0)
		error_set(err, -errno, "cannot put the socket at '%s': %m", c->path);
	else {
		memcpy(l->path, c->path, strlen(c->path) + 1);
		l->dev = st.st_dev;
		l->ino = st.st_ino;
		return 0;
	}
	unlink(temporary);
	return -EIO;
}

static int listen_tcp(
	struct sock_listener *l, const struct sock_listen_config *c, struct error *err)
{
	struct sockaddr_storage address;
	socklen_t len = sock_address(&c->local, &address);
	char text[ENDPOINT_TEXT_SIZE];
	int on = 1, off = 0;

	l->source.fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->source.fd < 0)
		return error_set(err, -errno, "cannot open a TCP socket of the kernel: %m");
	setsockopt(l->source.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.ss_family == AF_INET6)
		setsockopt(l->source.fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(l->source.fd, (struct sockaddr *)&address, len) < 0 ||
		listen(l->source.fd, (int)(c->backlog ? c->backlog : BACKLOG_DEFAULT)) < 0)
		return error_set(err, -errno, "cannot listen on %s in the kernel's network: %m",
			endpoint_format(&c->local, text));
	return 0;
}

static int listen_fd(struct sock_listener *l, const struct sock_listen_config *c, struct error *err)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0)
		return error_set(
			err, -errno, "descriptor %d was not inherited as a socket: %m", c->fd);
	if (!listens) {
		struct sockaddr_storage peer;

		len = sizeof(peer);
		if (getpeername(c->fd, (struct sockaddr *)&peer, &len) < 0)
			return error_set(err, -errno,
				"descriptor %d neither listens nor is connected", c->fd);
	}
	l->source.fd = c->fd;
	fcntl(c->fd, F_SETFD, FD_CLOEXEC);
	fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
	if (!listens)
		list_add_tail(&l->source.loop->inherited, &l->inherited);
	return 0;
}

struct sock_listener *sock_listen(
	struct sock_loop *loop, const struct sock_listen_config *c, struct error *err)
{
	struct sock_listener *l = calloc(1, sizeof(*l));
	int ret;

	if (!l) {
		error_set(err, -ENOMEM, "no memory for a listener");
		return NULL;
	}
	l->source = (struct sock_source){
		.loop = loop, .fd = -1, .on_ready = on_ready, .release = on_release};
	l->on_accept = c->on_accept;
	l->user = c->user;
	list_init(&l->inherited);
	timer_init(&l->exhausted, on_recovered);
	if (c->kind == SOCK_UNIX)
		ret = listen_unix(l, c, err);
	else
		ret = c->kind == SOCK_TCP ? listen_tcp(l, c, err) : listen_fd(l, c, err);
	if (ret == 0 && !list_is_linked(&l->inherited)) {
		ret = sock_source_watch(&l->source, EPOLLIN);
		if (ret < 0)
			error_set(err, ret, "cannot watch a listener (epoll)");
	}
	list_add_tail(&loop->sources, &l->source.link);
	if (ret < 0) {
		sock_source_kill(&l->source);
		return NULL;
	}
	return l;
}
