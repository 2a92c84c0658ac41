/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection reads once per turn as much as its input has room for, so that none starves the
 * others, and writes as soon as it is told to. The kernel is asked only about what can be acted
 * upon: a full input is not read, an empty output waits for nothing. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sock_pvt.h"

#define OUTPUT_KEEP_BYTES 65536 /* memory that stays when all output is gone */

struct sock_conn {
	struct sock_source source;
	struct sock_conn_config config;
	struct timer idle;
	bool ended;   /* the peer has shut its side */
	bool gone;    /* reads and writes fail */
	bool closing; /* no user any more; the rest of the output goes, then the socket */
	bool shut;    /* while closing: all output is out, the peer's end is awaited */
	char *input;
	size_t input_len;
	char *output;
	size_t output_start, output_len, output_size;
};

static struct sock_conn *of_source(struct sock_source *source)
{
	return CONTAINER_OF(source, struct sock_conn, source);
}

static void idle_restart(struct sock_conn *c)
{
	struct worker *w = c->source.loop->worker;
	uint64_t ns = c->closing ? SOCK_LINGER_NS : c->config.idle_ns;

	if (ns > 0)
		timer_set(&w->timers, &c->idle, w->now_ns + ns);
	else
		timer_cancel(&w->timers, &c->idle);
}

static void watch(struct sock_conn *c)
{
	uint32_t bits = 0;

	if (c->gone || c->source.dead)
		return;
	if (!c->ended && (c->closing || c->input_len < c->config.input_max_bytes))
		bits |= EPOLLIN | EPOLLRDHUP;
	if (c->output_len > 0)
		bits |= EPOLLOUT;
	if (sock_source_watch(&c->source, bits) < 0)
		c->gone = true;
}

static void on_idle(struct timer *timer, uint64_t now_ns)
{
	struct sock_conn *c = CONTAINER_OF(timer, struct sock_conn, idle);

	(void)now_ns;
	if (c->closing)
		sock_source_kill(&c->source);
	else
		c->config.on_event(c, c->config.user, SOCK_EVENT_IDLE);
}

/* Returns true if bytes came. */
static bool input_read(struct sock_conn *c)
{
	size_t room = c->config.input_max_bytes - c->input_len;
	ssize_t n;

	if (room == 0 || c->ended || c->gone)
		return false;
	n = recv(c->source.fd, c->input + c->input_len, room, MSG_DONTWAIT);
	if (n > 0) {
		c->input_len += (size_t)n;
		return true;
	}
	if (n == 0)
		c->ended = true;
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		c->gone = true;
	return false;
}

static void output_send(struct sock_conn *c)
{
	ssize_t n = 1;

	while (c->output_len > 0 && n > 0 && !c->gone) {
		n = send(c->source.fd, c->output + c->output_start, c->output_len,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			c->output_start += (size_t)n;
			c->output_len -= (size_t)n;
			idle_restart(c);
		} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			c->gone = true;
			shutdown(c->source.fd, SHUT_RDWR); /* so that it is reported for sure */
		}
	}
	if (c->output_len > 0)
		return;
	c->output_start = 0;
	if (c->output_size > OUTPUT_KEEP_BYTES) {
		free(c->output);
		c->output = NULL;
		c->output_size = 0;
	}
}

/* Without a user. What the peer still sends is read and thrown away: closing with unread bytes
 * would reset the connection and could cost the peer the end of our answer. */
static void closing_step(struct sock_conn *c)
{
	if (c->output_len == 0 && !c->shut && !c->gone) {
		shutdown(c->source.fd, SHUT_WR);
		c->shut = true;
	}
	c->input_len = 0;
	if (input_read(c))
		c->input_len = 0;
	if (c->gone || (c->shut && c->ended))
		sock_source_kill(&c->source);
	else
		watch(c);
}

static void on_ready(struct sock_source *source, uint32_t bits)
{
	struct sock_conn *c = of_source(source);
	bool had_output = c->output_len > 0, ended_before = c->ended;
	uint32_t events = 0;

	if (bits & EPOLLOUT)
		output_send(c);
	if (c->closing) {
		c->gone |= (bits & (EPOLLERR | EPOLLHUP)) != 0;
		closing_step(c);
		return;
	}
	if (input_read(c)) {
		events |= SOCK_EVENT_INPUT;
		idle_restart(c);
	}
	if (bits & (EPOLLERR | EPOLLHUP))
		c->gone = true;
	if (had_output && c->output_len == 0)
		events |= SOCK_EVENT_DRAINED;
	if (c->ended && !ended_before)
		events |= SOCK_EVENT_SHUT;
	if (c->gone) {
		events |= SOCK_EVENT_FAILED;
		sock_source_unwatch(source); /* it would be reported again and again */
	}
	if (events)
		c->config.on_event(c, c->config.user, events);
	watch(c);
}

static void on_release(struct sock_source *source)
{
	struct sock_conn *c = of_source(source);

	timer_cancel(&source->loop->worker->timers, &c->idle);
	free(c->input);
	free(c->output);
	c->input = NULL;
	c->output = NULL;
	c->input_len = c->output_len = 0;
}

struct sock_conn *sock_conn_open(
	struct sock_loop *loop, int fd, const struct sock_conn_config *config)
{
	struct sock_conn *c = calloc(1, sizeof(*c));
	char *input = malloc(config->input_max_bytes);

	if (!c || !input) {
		free(c);
		free(input);
		close(fd);
		return NULL;
	}
	c->source = (struct sock_source){
		.loop = loop, .fd = fd, .on_ready = on_ready, .release = on_release};
	c->config = *config;
	c->input = input;
	timer_init(&c->idle, on_idle);
	list_add_tail(&loop->sources, &c->source.link);
	watch(c);
	if (c->gone) {
		sock_source_kill(&c->source);
		return NULL;
	}
	idle_restart(c);
	return c;
}

struct bytes sock_conn_input(const struct sock_conn *c)
{
	return bytes_of(c->input, c->input_len);
}

void sock_conn_consume(struct sock_conn *c, size_t n)
{
	n = MIN(n, c->input_len);
	if (n == 0)
		return;
	c->input_len -= n;
	memmove(c->input, c->input + n, c->input_len);
	watch(c);
}

bool sock_conn_input_ended(const struct sock_conn *c)
{
	return c->ended || c->gone;
}

static int output_append(struct sock_conn *c, struct bytes bytes)
{
	size_t need = c->output_len + bytes.len, size = MAX(c->output_size, (size_t)4096);
	char *output;

	if (c->output_start + need > c->output_size && c->output_start > 0) {
		memmove(c->output, c->output + c->output_start, c->output_len);
		c->output_start = 0;
	}
	if (need > c->output_size) {
		while (size < need)
			size *= 2;
		output = realloc(c->output, size);
		if (!output)
			return -ENOBUFS;
		c->output = output;
		c->output_size = size;
	}
	memcpy(c->output + c->output_start + c->output_len, bytes.ptr, bytes.len);
	c->output_len = need;
	return 0;
}

int sock_conn_write(struct sock_conn *c, struct bytes bytes)
{
	size_t max = c->config.output_max_bytes;

	ASSERT(!c->closing);
	if (c->gone || c->source.dead)
		return -EPIPE;
	if (bytes.len == 0)
		return 0;
	if ((max > 0 && (c->output_len > max || bytes.len > max - c->output_len)) ||
		output_append(c, bytes) < 0)
		return -ENOBUFS;
	output_send(c);
	if (c->gone)
		return -EPIPE;
	watch(c);
	return 0;
}

size_t sock_conn_output_pending(const struct sock_conn *c)
{
	return c->output_len;
}

void sock_conn_set_idle(struct sock_conn *c, uint64_t idle_ns)
{
	c->config.idle_ns = idle_ns;
	idle_restart(c);
}

void sock_conn_close(struct sock_conn *c)
{
	if (c->source.dead || c->closing)
		return;
	c->closing = true;
	idle_restart(c);
	closing_step(c);
}

void sock_conn_abort(struct sock_conn *c)
{
	sock_source_kill(&c->source);
}
