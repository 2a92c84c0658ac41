/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes that an operator sends: they end the session or are answered, whatever they are. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "manage_pvt.h"

#define TURNS_MAX 10000

struct fuzz {
	struct clock_manual clock;
	struct worker *worker;
	struct sock_loop *loop;
	struct model *model;
	struct manage *manage;
	struct mg_socket socket;
};

static struct fuzz *fuzz_create(void)
{
	struct fuzz *f = calloc(1, sizeof(*f));
	struct worker_config worker = {.name = "control", .cores = 1, .control = true};
	struct manage_config config = {.core_count = 1, .pid = 1, .start_ns = 1};

	ASSERT(f);
	clock_manual_init(&f->clock, NS_PER_SEC);
	worker.clock = &f->clock.clock;
	f->worker = worker_create(&worker, NULL);
	worker_connect(&f->worker, 1);
	f->loop = sock_loop_create(NULL);
	sock_loop_attach(f->loop, f->worker, NULL);
	f->model = model_create();
	config.control = f->worker;
	config.workers = &f->worker;
	config.loop = f->loop;
	config.model = f->model;
	f->manage = manage_create(&config, NULL);
	ASSERT(f->manage);
	f->socket = (struct mg_socket){.m = f->manage, .config.level = MODEL_LEVEL_ADMIN};
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz *f; /* made once: a session leaves nothing behind */
	char answer[65536];
	size_t sent = 0;
	int pair[2];

	if (!f)
		f = fuzz_create();
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	mg_session_accept(NULL, &f->socket, pair[0]);
	for (uint32_t turn = 0; f->manage->session_count > 0; turn++) {
		ssize_t n = sent < size ? send(pair[1], data + sent, size - sent, MSG_NOSIGNAL) : 0;

		ASSERT(turn < TURNS_MAX);
		sent += n > 0 ? (size_t)n : 0;
		if (sent == size)
			shutdown(pair[1], SHUT_WR);
		worker_poll(f->worker, 0);
		while (recv(pair[1], answer, sizeof(answer), 0) > 0)
			;
	}
	close(pair[1]);
	worker_poll(f->worker, 0);
	ASSERT(list_is_empty(&f->manage->asks));
	return 0;
}
