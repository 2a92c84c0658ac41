/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <arpa/inet.h>

#include "sock_setup.h"

static int receiver_unix(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static uint32_t receive_all(int fd, const char *prefix)
{
	char buf[64], expected[64];
	uint32_t count = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT)) >= 0) {
		buf[n] = '\0';
		snprintf(expected, sizeof(expected), "%s%u", prefix, count++);
		assert_string_equal(buf, expected);
	}
	return count;
}

static void udp_takes_batches_in_order(void **state)
{
	enum { COUNT = 3 * SOCK_DGRAM_BATCH + 5 };
	struct sock_setup *s = *state;
	static char text[COUNT][16];
	static struct iovec lines[COUNT];
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), code;
	struct sock_dgram d;
	struct endpoint to;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	to = (struct endpoint){ip_addr_from_v4(INADDR_LOOPBACK), ntohs(in.sin_port)};
	assert_int_equal(sock_dgram_open_udp(&d, &to, &s->err), 0);
	for (uint32_t i = 0; i < COUNT; i++)
		lines[i] = (struct iovec){
			text[i], (size_t)snprintf(text[i], sizeof(text[i]), "line%u", i)};
	assert_int_equal(sock_dgram_send(&d, lines, COUNT, &code), COUNT);
	assert_int_equal(code, 0);
	assert_int_equal(receive_all(fd, "line"), COUNT);
	close(fd);
	/* nobody there is no error for UDP without a connection */
	assert_int_equal(sock_dgram_send(&d, lines, 2, &code), 2);
	assert_int_equal(sock_dgram_send(&d, lines, 2, &code), 2);
	sock_dgram_close(&d);
	sock_dgram_close(&d);
}

static void unix_file_may_come_and_go(void **state)
{
	struct sock_setup *s = *state;
	struct iovec line = {(void *)(uintptr_t) "x0", 2}, huge = {NULL, 8u << 20};
	struct sock_dgram d;
	int fd, code;

	assert_int_equal(sock_dgram_open_unix(&d, s->path, &s->err), 0);
	assert_int_equal(sock_dgram_send(&d, &line, 1, &code), 0);
	assert_int_equal(code, -ENOENT);
	fd = receiver_unix(s->path);
	assert_int_equal(sock_dgram_send(&d, &line, 1, &code), 1);
	assert_int_equal(receive_all(fd, "x"), 1);
	huge.iov_base = calloc(1, huge.iov_len);
	assert_int_equal(sock_dgram_send(&d, &huge, 1, &code), 0);
	assert_int_equal(code, -EMSGSIZE);
	free(huge.iov_base);
	close(fd);
	assert_int_equal(sock_dgram_send(&d, &line, 1, &code), 0);
	assert_int_equal(code, -ECONNREFUSED);
	unlink(s->path);
	sock_dgram_close(&d);
}

static void full_receiver_says_try_later(void **state)
{
	struct sock_setup *s = *state;
	struct iovec line = {(void *)(uintptr_t) "x0", 2};
	int fd = receiver_unix(s->path), code = 0;
	struct sock_dgram d;

	assert_int_equal(sock_dgram_open_unix(&d, s->path, &s->err), 0);
	for (int i = 0; i < 100000 && code == 0; i++)
		sock_dgram_send(&d, &line, 1, &code);
	assert_int_equal(code, -EAGAIN);
	close(fd);
	unlink(s->path);
	sock_dgram_close(&d);
}

static void bad_paths_are_errors(void **state)
{
	struct sock_setup *s = *state;
	struct sock_dgram d;
	char longer[200];

	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(sock_dgram_open_unix(&d, longer, &s->err), -ENAMETOOLONG);
	assert_int_equal(sock_dgram_open_unix(&d, "", NULL), -ENAMETOOLONG);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, sock_setup, sock_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp_takes_batches_in_order),
		TEST(unix_file_may_come_and_go),
		TEST(full_receiver_says_try_later),
		TEST(bad_paths_are_errors),
	};

	return cmocka_run_group_tests_name("sock/dgram", tests, NULL, NULL);
}
