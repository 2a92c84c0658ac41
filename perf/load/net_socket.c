/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network over the kernel's sockets, for proxies that live there: the same applications, one
 * thread, epoll. A connection is freed in its own event or between turns, so no event of a turn
 * names another one's memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net.h"

#define EVENTS   256
#define READ_MAX (256u << 10)
#define BACKLOG  4096
#define NONE     UINT32_MAX

struct socket_conn {
	struct net_conn base; /* first */
	int fd;               /* -1: free */
	bool open, want_out, shut_asked, shut_done, peer_shut;
	uint32_t piece_count;
	struct net_piece pieces[NET_PIECES_MAX];
	uint32_t next_free;
};

struct net_socket {
	struct net net; /* first */
	int epoll, listener;
	struct socket_conn *conns;
	uint32_t free_head;
	uint8_t buffer[READ_MAX];
};

static struct net_socket *net_of(const struct socket_conn *c)
{
	return (struct net_socket *)c->base.net;
}

static void watch(struct socket_conn *c, int op)
{
	struct epoll_event event = {
		.events = EPOLLIN | (c->want_out ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};

	epoll_ctl(net_of(c)->epoll, op, c->fd, &event);
}

static struct socket_conn *conn_new(struct net_socket *n, int fd)
{
	struct socket_conn *c;
	int on = 1;

	if (n->free_head == NONE)
		return NULL;
	c = &n->conns[n->free_head];
	n->free_head = c->next_free;
	*c = (struct socket_conn){.base.net = &n->net, .fd = fd};
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return c;
}

static void conn_free(struct socket_conn *c)
{
	struct net_socket *n = net_of(c);

	close(c->fd);
	c->fd = -1;
	c->next_free = n->free_head;
	n->free_head = (uint32_t)(c - n->conns);
}

static void conn_over(struct socket_conn *c, bool in_order)
{
	struct net_conn gone = c->base;

	conn_free(c);
	gone.app->closed(&gone, in_order);
}

static void conn_shut(struct net_conn *base)
{
	struct socket_conn *c = (struct socket_conn *)base;

	c->shut_asked = true;
	if (c->shut_done || c->piece_count)
		return;
	c->shut_done = true;
	shutdown(c->fd, SHUT_WR);
	if (c->peer_shut)
		conn_over(c, true);
}

static void want_out(struct socket_conn *c, bool want)
{
	if (want == c->want_out)
		return;
	c->want_out = want;
	watch(c, EPOLL_CTL_MOD);
}

/* Gives the kernel what it takes; an error will come as an event. */
static void push(struct socket_conn *c)
{
	struct iovec iov[NET_PIECES_MAX];
	uint32_t done = 0;
	ssize_t sent;

	for (uint32_t i = 0; i < c->piece_count; i++)
		iov[i] = (struct iovec){(void *)(uintptr_t)c->pieces[i].bytes, c->pieces[i].len};
	sent = writev(c->fd, iov, (int)c->piece_count);
	for (; sent > 0 && (size_t)sent >= c->pieces[done].len; done++)
		sent -= c->pieces[done].len;
	if (sent > 0) {
		c->pieces[done].bytes += sent;
		c->pieces[done].len -= (uint32_t)sent;
	}
	c->piece_count -= done;
	memmove(c->pieces, c->pieces + done, c->piece_count * sizeof(c->pieces[0]));
	want_out(c, c->piece_count > 0);
}

static bool conn_send(struct net_conn *base, const struct net_piece *pieces, uint32_t count)
{
	struct socket_conn *c = (struct socket_conn *)base;

	if (!c->open || c->piece_count || c->shut_asked)
		return false;
	memcpy(c->pieces, pieces, count * sizeof(pieces[0]));
	c->piece_count = count;
	push(c);
	return true;
}

static void conn_abort(struct net_conn *base)
{
	struct socket_conn *c = (struct socket_conn *)base;
	struct linger reset = {1, 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	conn_free(c);
}

static struct net_conn *conn_connect(struct net *net, const struct net_app *app, void *user)
{
	struct net_socket *n = (struct net_socket *)net;
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(net->config->target_v4),
		.sin_port = htons(net->config->target_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct socket_conn *c = fd < 0 ? NULL : conn_new(n, fd);

	if (!c) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c->base.app = app;
	c->base.user = user;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
		conn_free(c);
		return NULL;
	}
	c->want_out = true;
	watch(c, EPOLL_CTL_ADD);
	return &c->base;
}

static bool no_syn(struct net *net, uint32_t seed)
{
	(void)net;
	(void)seed;
	return false;
}

/* --- turns ------------------------------------------------------------------------- */

static void accept_all(struct net_socket *n)
{
	int fd;

	while ((fd = accept4(n->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct socket_conn *c = conn_new(n, fd);

		if (!c) {
			close(fd);
			continue;
		}
		c->base.app = n->net.config->origin_app;
		c->open = true;
		watch(c, EPOLL_CTL_ADD);
		c->base.app->opened(&c->base);
	}
}

static void in_event(struct net_socket *n, struct socket_conn *c)
{
	ssize_t got = recv(c->fd, n->buffer, sizeof(n->buffer), 0);

	if (got > 0) {
		c->base.app->received(&c->base, n->buffer, (uint32_t)got);
		return;
	}
	if (got < 0 && errno == EAGAIN)
		return;
	if (got < 0) {
		n->net.stats.resets++;
		conn_over(c, false);
		return;
	}
	c->peer_shut = true;
	if (c->shut_done) {
		conn_over(c, true);
		return;
	}
	epoll_ctl(n->epoll, EPOLL_CTL_MOD, c->fd,
		&(struct epoll_event){.events = c->want_out ? EPOLLOUT : 0, .data.ptr = c});
	c->base.app->peer_shut(&c->base);
}

static void out_event(struct socket_conn *c)
{
	if (!c->open) {
		c->open = true;
		want_out(c, false);
		c->base.app->opened(&c->base);
		return;
	}
	push(c);
	if (c->piece_count)
		return;
	if (c->shut_asked)
		conn_shut(&c->base);
	else if (c->base.app->sent)
		c->base.app->sent(&c->base);
}

static void poll(struct net *net, uint64_t now_ns)
{
	struct net_socket *n = (struct net_socket *)net;
	struct epoll_event events[EVENTS];
	int count = epoll_wait(n->epoll, events, EVENTS, 0);

	(void)now_ns;
	for (int i = 0; i < count; i++) {
		struct socket_conn *c = events[i].data.ptr;

		if (!c) {
			accept_all(n);
			continue;
		}
		if (events[i].events & EPOLLERR) {
			n->net.stats.resets++;
			conn_over(c, false);
			continue;
		}
		if (events[i].events & EPOLLOUT)
			out_event(c);
		if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP))
			in_event(n, c);
	}
}

/* --- life -------------------------------------------------------------------------- */

static void destroy(struct net *net)
{
	struct net_socket *n = (struct net_socket *)net;

	for (uint32_t i = 0; i < net->config->conns_max; i++)
		if (n->conns[i].fd >= 0)
			close(n->conns[i].fd);
	close(n->listener);
	close(n->epoll);
	free(n->conns);
	free(n);
}

static const struct net_ops ops = {
	.connect = conn_connect,
	.send = conn_send,
	.shut = conn_shut,
	.abort = conn_abort,
	.poll = poll,
	.syn = no_syn,
	.destroy = destroy,
};

static bool listen_for_origin(struct net_socket *n, const struct net_config *config)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(config->origin_count > 1 ? INADDR_ANY : config->origin_v4),
		.sin_port = htons(config->origin_port)};
	struct epoll_event event = {.events = EPOLLIN};
	int on = 1;

	n->epoll = epoll_create1(0);
	n->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (n->epoll < 0 || n->listener < 0)
		return false;
	setsockopt(n->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(n->listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	       listen(n->listener, BACKLOG) == 0 &&
	       epoll_ctl(n->epoll, EPOLL_CTL_ADD, n->listener, &event) == 0;
}

struct net *net_socket_create(const struct net_config *config, void *app_ctx)
{
	struct net_socket *n = calloc(1, sizeof(*n));
	struct rlimit files = {config->conns_max + 64, config->conns_max + 64};

	if (n)
		n->conns = calloc(config->conns_max, sizeof(*n->conns));
	if (!n || !n->conns) {
		fprintf(stderr, "load: no memory for %u connections\n", config->conns_max);
		exit(1);
	}
	setrlimit(RLIMIT_NOFILE, &files);
	n->net.ops = &ops;
	n->net.config = config;
	n->net.app_ctx = app_ctx;
	for (uint32_t i = 0; i < config->conns_max; i++) {
		n->conns[i].fd = -1;
		n->conns[i].next_free = i + 1 < config->conns_max ? i + 1 : NONE;
	}
	if (!listen_for_origin(n, config)) {
		fprintf(stderr, "load: the origin cannot listen: %s\n", strerror(errno));
		exit(1);
	}
	return &n->net;
}
