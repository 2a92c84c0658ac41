/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "sock_setup.h"

struct accepted {
	uint32_t count;
	int fd;
};

static void on_accept(struct sock_listener *listener, void *user, int fd)
{
	struct accepted *a = user;

	assert_non_null(listener);
	a->count++;
	if (a->fd > 0)
		close(a->fd);
	a->fd = fd;
}

static struct sock_listen_config unix_config(struct sock_setup *s, struct accepted *a)
{
	return (struct sock_listen_config){.kind = SOCK_UNIX,
		.path = s->path,
		.uid = -1,
		.gid = -1,
		.on_accept = on_accept,
		.user = a};
}

static void unix_socket_has_its_mode_and_goes_away(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = unix_config(s, &a);
	struct sock_listener *l;
	struct stat st;
	int client;

	config.mode = 0640;
	config.uid = (int64_t)getuid();
	config.gid = (int64_t)getgid();
	l = sock_listen(s->loop, &config, &s->err);
	assert_non_null(l);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	client = sock_client(s->path);
	assert_true(client >= 0);
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 1);
	assert_true(fcntl(a.fd, F_GETFL) & O_NONBLOCK);
	close(client);
	sock_refuse(a.fd);
	sock_listener_close(l);
	assert_int_equal(stat(s->path, &st), -1);
}

static void unix_socket_takes_the_place_of_another(void **state)
{
	struct sock_setup *s = *state;
	struct accepted first = {0}, second = {0};
	struct sock_listen_config config = unix_config(s, &first);
	struct sock_listener *old = sock_listen(s->loop, &config, &s->err), *new;
	struct stat st;
	int client;

	config.user = &second;
	new = sock_listen(s->loop, &config, &s->err);
	assert_non_null(new);
	client = sock_client(s->path);
	fake_workers_settle(s->f);
	assert_int_equal(first.count, 0);
	assert_int_equal(second.count, 1);
	close(client);
	close(second.fd);
	sock_listener_close(old); /* the file is not the old one's any more */
	assert_int_equal(stat(s->path, &st), 0);
	sock_listener_close(new);
	assert_int_equal(stat(s->path, &st), -1);
}

static void errors_say_what_is_wrong(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = unix_config(s, &a);
	char longer[200];
	FILE *file = fopen(s->path, "w");

	fclose(file);
	assert_null(sock_listen(s->loop, &config, &s->err));
	assert_int_equal(s->err.code, -EEXIST);
	assert_non_null(strstr(s->err.text, "is not a socket"));
	unlink(s->path);

	error_clear(&s->err);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	config.path = longer;
	assert_null(sock_listen(s->loop, &config, &s->err));
	assert_int_equal(s->err.code, -ENAMETOOLONG);

	error_clear(&s->err);
	config.path = "/nonexistent/folder/s";
	assert_null(sock_listen(s->loop, &config, &s->err));
	assert_int_equal(s->err.code, -ENOENT);
	assert_non_null(strstr(s->err.text, "/nonexistent/folder/s"));

	error_clear(&s->err);
	config.kind = SOCK_FD;
	config.fd = 999;
	assert_null(sock_listen(s->loop, &config, &s->err));
	assert_non_null(strstr(s->err.text, "descriptor 999"));
}

static void tcp_listens_in_the_kernel(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = {.kind = SOCK_TCP, .on_accept = on_accept, .user = &a};
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int probe = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct sock_listener *l;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(probe, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(probe, (struct sockaddr *)&in, &len), 0);
	config.local = (struct endpoint){ip_addr_from_v4(INADDR_LOOPBACK), ntohs(in.sin_port)};
	close(probe);
	l = sock_listen(s->loop, &config, &s->err);
	assert_non_null(l);
	assert_null(sock_listen(s->loop, &config, &s->err));
	assert_int_equal(s->err.code, -EADDRINUSE);
	assert_non_null(strstr(s->err.text, "127.0.0.1:"));
	assert_int_equal(connect(client, (struct sockaddr *)&in, sizeof(in)), 0);
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 1);
	close(client);
	close(a.fd);
	sock_listener_close(l);
}

static void inherited_descriptor_may_listen_or_be_a_connection(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = {.kind = SOCK_FD, .on_accept = on_accept, .user = &a};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int pair[2], listening = socket(AF_UNIX, SOCK_STREAM, 0), client;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	config.fd = pair[0];
	assert_non_null(sock_listen(s->loop, &config, &s->err));
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.fd, pair[0]);
	assert_true(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
	close(pair[1]);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", s->path);
	assert_int_equal(bind(listening, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listening, 1), 0);
	config.fd = listening;
	assert_non_null(sock_listen(s->loop, &config, &s->err));
	client = sock_client(s->path);
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 2);
	close(client);
	close(a.fd);
	unlink(s->path);
}

static void paused_listener_leaves_clients_in_the_kernel(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = unix_config(s, &a);
	struct sock_listener *l = sock_listen(s->loop, &config, &s->err);
	int client;

	sock_listener_pause(l, true);
	client = sock_client(s->path);
	assert_true(client >= 0);
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 0);
	sock_listener_pause(l, false);
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 1);
	close(client);
	close(a.fd);
}

/* Without descriptors a listener rests for a while, and neither spins nor loses the client. */
static void no_descriptor_left_is_no_busy_loop(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = unix_config(s, &a);
	struct rlimit before, none;
	int client;

	assert_non_null(sock_listen(s->loop, &config, &s->err));
	client = sock_client(s->path);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){3, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fake_workers_settle(s->f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(a.count, 0);
	fake_workers_run_for(s->f, 200 * NS_PER_MS);
	assert_int_equal(a.count, 1);
	close(client);
	close(a.fd);
}

static void waiting_ends_when_something_comes(void **state)
{
	struct sock_setup *s = *state;
	struct accepted a = {0};
	struct sock_listen_config config = unix_config(s, &a);
	int client;

	assert_non_null(sock_listen(s->loop, &config, &s->err));
	sock_wait(s->f->w[0], s->loop, 1000);
	client = sock_client(s->path);
	sock_wait(s->f->w[0], s->loop, 3600 * NS_PER_SEC);
	fake_workers_settle(s->f);
	assert_int_equal(a.count, 1);
	close(client);
	close(a.fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, sock_setup, sock_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unix_socket_has_its_mode_and_goes_away),
		TEST(unix_socket_takes_the_place_of_another),
		TEST(errors_say_what_is_wrong),
		TEST(tcp_listens_in_the_kernel),
		TEST(inherited_descriptor_may_listen_or_be_a_connection),
		TEST(paused_listener_leaves_clients_in_the_kernel),
		TEST(no_descriptor_left_is_no_busy_loop),
		TEST(waiting_ends_when_something_comes),
	};

	return cmocka_run_group_tests_name("sock/listen", tests, NULL, NULL);
}
