/* SPDX-License-Identifier: BSD-3-Clause */
/* Two worker cores and a control core with the runtime API over socket pairs. */
#ifndef WEIR_TESTS_MANAGE_SETUP_H
#define WEIR_TESTS_MANAGE_SETUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_config.h"
#include "fake_view.h"
#include "fake_worker.h"
#include "manage_pvt.h"

#define ANSWER_SIZE (4u << 20)

struct manage_setup {
	struct fake_workers *f;
	struct sock_loop *loop;
	struct manage *m;
	struct model *model;
	struct fake_core cores[2];
	struct port port;
	struct port_core shares[3];
	struct error err;
	char dir[40], admin[56], user[56];
	char *answer;
	size_t answer_len;
};

static bool setup_link_is_up(struct port *port)
{
	(void)port;
	return true;
}

static void setup_stats_read(struct port *port, struct port_device_stats *out)
{
	(void)port;
	*out = (struct port_device_stats){.rx_pkts = 3, .rx_missed = 1};
}

static const struct port_ops setup_port_ops = {
	.driver = "fake", .link_is_up = setup_link_is_up, .stats_read = setup_stats_read};

static inline struct model *setup_model(struct manage_setup *s, const char *more)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"global\n stats socket %s mode 600 level admin\n stats socket %s mode 600 level "
		"user\n"
		" node here\n maxconn 100\n%s"
		"defaults\n mode http\n timeout client 20s\n timeout server 20s\n timeout connect "
		"2s\n"
		"frontend fe\n bind :80 name one\n default_backend be\n"
		"backend be\n server s1 10.9.0.11:9 weight 10\n server s2 10.9.0.12:9 maxconn 10 "
		"backup\n"
		"listen li\n mode tcp\n bind :81\n server s1 10.9.0.11:9\n",
		s->admin, s->user, more);
	return fake_config_model(text);
}

static inline int manage_setup(void **state)
{
	struct manage_setup *s = calloc(1, sizeof(*s));
	struct proxy *proxies[3] = {(struct proxy *)&s->cores[0], (struct proxy *)&s->cores[1]};
	struct tcp *tcps[3] = {(struct tcp *)&s->cores[0], (struct tcp *)&s->cores[1]};
	struct ip_stack *ips[3] = {(struct ip_stack *)&s->cores[0], NULL, NULL};
	struct port_core *shares[3] = {&s->shares[0], &s->shares[1], &s->shares[2]};
	struct port *ports[1] = {&s->port};
	struct manage_config config = {.view = (struct proxy_view *)s,
		.core_count = 3,
		.ips = ips,
		.tcps = tcps,
		.proxies = proxies,
		.port_count = 1,
		.ports = ports,
		.port_cores = shares,
		.version = "1.2.3",
		.release_date = "2026/01/02",
		.pid = 4711,
		.start_ns = FAKE_WORKER_START_NS};

	assert_non_null(s);
	s->f = fake_workers_create(3);
	s->answer = malloc(ANSWER_SIZE);
	s->port = (struct port){.ops = &setup_port_ops,
		.name = "lan0",
		.mtu = 1500,
		.caps = PORT_CAP_TX_TSO | PORT_CAP_RSS,
		.mac = {{2, 0, 0, 0, 0, 1}}};
	s->shares[0].stats[PORT_STAT_RX_PKTS] = 5;
	s->shares[1].stats[PORT_STAT_RX_PKTS] = 6;
	snprintf(s->dir, sizeof(s->dir), "/tmp/weir-manage-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->admin, sizeof(s->admin), "%s/a", s->dir);
	snprintf(s->user, sizeof(s->user), "%s/u", s->dir);
	s->model = setup_model(s, "");
	s->loop = sock_loop_create(&s->err);
	assert_int_equal(sock_loop_attach(s->loop, s->f->w[2], &s->err), 0);
	config.control = s->f->w[2];
	config.loop = s->loop;
	config.model = s->model;
	config.workers = s->f->w;
	s->m = manage_create(&config, &s->err);
	assert_string_equal(s->err.text, "");
	*state = s;
	return 0;
}

static inline int manage_teardown(void **state)
{
	struct manage_setup *s = *state;

	fake_workers_settle(s->f);
	assert_true(list_is_empty(&s->m->asks) || !list_is_empty(&s->m->sessions));
	manage_destroy(s->m);
	sock_loop_destroy(s->loop);
	assert_int_equal(rmdir(s->dir), 0);
	fake_workers_destroy(s->f);
	model_destroy(s->model);
	free(s->answer);
	free(s);
	return 0;
}

/* A client's end. */
static inline int manage_connect(struct manage_setup *s, const char *path)
{
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy((char *)&address + sizeof(sa_family_t), path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address,
				 (socklen_t)(sizeof(sa_family_t) + strlen(path) + 1)),
		0);
	fake_workers_settle(s->f);
	return fd;
}

/* Reads what there is; returns true at the end of the stream. */
static inline bool manage_read(struct manage_setup *s, int fd)
{
	ssize_t n = -1;

	s->answer_len = 0;
	for (;;) {
		fake_workers_settle(s->f);
		n = recv(fd, s->answer + s->answer_len, ANSWER_SIZE - 1 - s->answer_len, 0);
		if (n <= 0)
			break;
		s->answer_len += (size_t)n;
		if (s->answer_len == ANSWER_SIZE - 1)
			n = -1; /* the rest comes with the next call */
		if (n < 0)
			break;
	}
	s->answer[s->answer_len] = '\0';
	return n == 0;
}

static inline void manage_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One connection: sends the text, half-closes, and returns all that comes until the end. */
static inline const char *manage_ask_at(struct manage_setup *s, const char *path, const char *text)
{
	int fd = manage_connect(s, path);

	manage_send(fd, text);
	shutdown(fd, SHUT_WR);
	assert_true(manage_read(s, fd));
	close(fd);
	fake_workers_settle(s->f);
	return s->answer;
}

static inline const char *manage_ask(struct manage_setup *s, const char *text)
{
	return manage_ask_at(s, s->admin, text);
}

#endif
