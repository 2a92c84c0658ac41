/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "logsink_pvt.h"

static int open_target(struct logsink_output *out, struct error *err)
{
	const struct model_log_target *t = out->target;
	int flags;

	if (t && t->kind == MODEL_LOG_TO_UDP)
		return sock_dgram_open_udp(&out->dgram, &t->remote, err);
	if (t && t->kind == MODEL_LOG_TO_UNIX)
		return sock_dgram_open_unix(&out->dgram, t->path, err);
	out->fd = t && t->kind == MODEL_LOG_TO_STDOUT ? STDOUT_FILENO : STDERR_FILENO;
	flags = fcntl(out->fd, F_GETFL);
	if (flags < 0 || fcntl(out->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_set(err, -errno, "%s is closed",
			out->fd == STDOUT_FILENO ? "standard output" : "standard error");
	return 0;
}

struct logsink_output *logsink_output_open(
	const struct model_log_target *target, uint64_t *stats, struct error *err)
{
	struct logsink_output *out = calloc(1, sizeof(*out));

	if (!out) {
		error_set(err, -ENOMEM, "no memory for a log target");
		return NULL;
	}
	out->target = target;
	out->stats = stats;
	out->dgram.fd = -1;
	if (open_target(out, err) < 0) {
		free(out);
		return NULL;
	}
	return out;
}

void logsink_output_close(struct logsink_output *out)
{
	if (!out)
		return;
	logsink_output_flush(out);
	sock_dgram_close(&out->dgram);
	free(out);
}

bool logsink_output_is(const struct logsink_output *out, const struct model_log_target *t)
{
	const struct model_log_target *o = out->target;

	if (!o || o->kind != t->kind)
		return !o && t->kind == MODEL_LOG_TO_STDERR;
	if (t->kind == MODEL_LOG_TO_UDP)
		return endpoint_eq(&o->remote, &t->remote);
	return t->kind != MODEL_LOG_TO_UNIX || strcmp(o->path, t->path) == 0;
}

static void take_off(struct logsink_output *out, uint32_t lines, uint32_t bytes)
{
	out->used -= bytes;
	out->line_count -= lines;
	memmove(out->data, out->data + bytes, out->used);
	memmove(out->line_len, out->line_len + lines, out->line_count * sizeof(out->line_len[0]));
}

/* Takes off the first n lines; they count as `stat`. */
static void lines_done(struct logsink_output *out, uint32_t n, enum logsink_stat stat)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < n; i++)
		bytes += out->line_len[i];
	take_off(out, n, bytes);
	stat_add(&out->stats[stat], n);
}

static void flush_dgrams(struct logsink_output *out)
{
	struct iovec lines[SOCK_DGRAM_BATCH];
	uint32_t n, sent, at;
	int code = 0;

	while (out->line_count > 0 && code == 0) {
		n = MIN(out->line_count, (uint32_t)SOCK_DGRAM_BATCH);
		at = 0;
		for (uint32_t i = 0; i < n; at += out->line_len[i], i++)
			lines[i] = (struct iovec){out->data + at, out->line_len[i]};
		sent = sock_dgram_send(&out->dgram, lines, n, &code);
		lines_done(out, sent, LOGSINK_STAT_SENT);
		if (code == -EMSGSIZE) {
			lines_done(out, 1, LOGSINK_STAT_REFUSED);
			code = 0;
		} else if (code != 0 && code != -EAGAIN) {
			lines_done(out, out->line_count, LOGSINK_STAT_REFUSED);
		}
	}
}

/* Lines leave whole from line_len; what went out of the first one is cut off it. */
static void flush_fd(struct logsink_output *out)
{
	ssize_t n = write(out->fd, out->data, out->used);
	uint32_t left, lines = 0, bytes = 0;

	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			lines_done(out, out->line_count, LOGSINK_STAT_REFUSED);
		return;
	}
	left = (uint32_t)n;
	while (lines < out->line_count && out->line_len[lines] <= left) {
		bytes += out->line_len[lines];
		left -= out->line_len[lines++];
	}
	take_off(out, lines, bytes);
	stat_add(&out->stats[LOGSINK_STAT_SENT], lines);
	if (left > 0) {
		out->line_len[0] -= left;
		take_off(out, 0, left);
	}
}

void logsink_output_flush(struct logsink_output *out)
{
	if (out->line_count == 0)
		return;
	if (out->dgram.fd >= 0)
		flush_dgrams(out);
	else
		flush_fd(out);
}

void logsink_output_line(
	struct logsink_output *out, struct bytes header, struct bytes text, uint32_t len_max)
{
	/* HAProxy counts the newline on a file, not in a datagram. */
	size_t max = len_max - (out->dgram.fd < 0 ? 1 : 0), size;

	header.len = MIN(header.len, max);
	text.len = MIN(text.len, max - header.len);
	size = header.len + text.len + 1;
	if (out->line_count == LOGSINK_LINES_MAX || size > sizeof(out->data) - out->used)
		logsink_output_flush(out);
	if (out->line_count == LOGSINK_LINES_MAX || size > sizeof(out->data) - out->used) {
		stat_add(&out->stats[LOGSINK_STAT_SLOW], 1);
		return;
	}
	memcpy(out->data + out->used, header.ptr, header.len);
	if (text.len > 0)
		memcpy(out->data + out->used + header.len, text.ptr, text.len);
	out->data[out->used + size - 1] = '\n';
	out->used += (uint32_t)size;
	out->line_len[out->line_count++] = (uint32_t)size;
}
