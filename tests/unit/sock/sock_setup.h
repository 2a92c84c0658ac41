/* SPDX-License-Identifier: BSD-3-Clause */
/* A control core with a socket loop, a folder for UNIX sockets, and a client of the kernel. */
#ifndef WEIR_TESTS_SOCK_SETUP_H
#define WEIR_TESTS_SOCK_SETUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_worker.h"
#include "sock.h"

struct sock_setup {
	struct fake_workers *f;
	struct sock_loop *loop;
	char dir[32];
	char path[64];
	struct error err;
};

static inline int sock_setup(void **state)
{
	struct sock_setup *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->f = fake_workers_create(1);
	s->loop = sock_loop_create(&s->err);
	assert_non_null(s->loop);
	assert_int_equal(sock_loop_attach(s->loop, s->f->w[0], &s->err), 0);
	snprintf(s->dir, sizeof(s->dir), "/tmp/weir-sock-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
	*state = s;
	return 0;
}

/* The folder must be empty: listeners take their files with them. */
static inline int sock_teardown(void **state)
{
	struct sock_setup *s = *state;

	sock_loop_destroy(s->loop);
	assert_int_equal(rmdir(s->dir), 0);
	fake_workers_destroy(s->f);
	free(s);
	return 0;
}

static inline int sock_client(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

#endif
