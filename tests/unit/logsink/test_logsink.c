/* SPDX-License-Identifier: BSD-3-Clause */
/* The golden lines are what HAProxy 2.6.12 sent for the same event and targets. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fake_worker.h"
#include "logsink.h"

#define TARGETS_MAX 4
#define EVENT_NS    (UINT64_C(1795417114) * NS_PER_SEC + 457232 * NS_PER_US)
#define REQUEST                                                                                \
	"127.0.0.1:36552 [23/Nov/2026:06:58:31.453] fe be/s1 0/0/-1/-1/3003 503 217 - - SC-- " \
	"1/1/0/0/3 0/0 \"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\""

struct setup {
	struct fake_workers *f;
	struct model model;
	struct model_log logs[3];
	struct model_log_target targets[3][TARGETS_MAX];
	struct logsink *sink;
	struct error err;
	char dir[32], path[48];
	int std[3];  /* standard output and error as they were */
	int pipe[2]; /* where they go */
};

static int setup(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	setenv("TZ", "UTC", 1);
	tzset();
	s->f = fake_workers_create(3);
	s->model.logs = s->logs;
	s->model.log_count = ARRAY_LEN(s->logs);
	for (uint32_t l = 0; l < ARRAY_LEN(s->logs); l++) {
		s->logs[l] = (struct model_log){.targets = s->targets[l], .tag = "mytag"};
		for (uint32_t t = 0; t < TARGETS_MAX; t++)
			s->targets[l][t] = (struct model_log_target){
				.place = {"t.cfg", 7}, .level_max = LOG_LEVEL_DEBUG};
	}
	snprintf(s->dir, sizeof(s->dir), "/tmp/weir-logs-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
	assert_int_equal(pipe2(s->pipe, O_NONBLOCK), 0);
	fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		s->std[fd] = dup(fd);
		dup2(s->pipe[1], fd);
	}
	*state = s;
	return 0;
}

static void std_restore(struct setup *s)
{
	for (int fd = 1; fd <= 2; fd++) {
		if (s->std[fd] > 0) {
			dup2(s->std[fd], fd);
			close(s->std[fd]);
		}
		s->std[fd] = 0;
	}
}

static int teardown(void **state)
{
	struct setup *s = *state;

	logsink_destroy(s->sink);
	std_restore(s);
	close(s->pipe[0]);
	close(s->pipe[1]);
	assert_int_equal(rmdir(s->dir), 0);
	fake_workers_destroy(s->f);
	free(s);
	return 0;
}

static void start(struct setup *s)
{
	struct logsink_config config = {.control = s->f->w[2],
		.workers = s->f->w,
		.core_count = 3,
		.model = &s->model,
		.pid = 16173};

	s->sink = logsink_create(&config, &s->err);
	assert_string_equal(s->err.text, "");
	assert_non_null(s->sink);
}

static uint64_t count(struct setup *s, enum logsink_stat stat)
{
	return stat_group_find(&s->f->w[2]->groups, "logsink")->values[stat];
}

static void log_text(
	struct setup *s, uint32_t core, uint32_t target, enum log_level level, const char *text)
{
	assert_true(log_write(s->f->w[core]->log, EVENT_NS, target, level, bytes_of_cstr(text)));
}

static void assert_output(struct setup *s, const char *expected)
{
	char buf[8192];
	ssize_t n = read(s->pipe[0], buf, sizeof(buf) - 1);

	buf[MAX(n, (ssize_t)0)] = '\0';
	assert_string_equal(buf, expected);
}

static void formats_are_those_of_haproxy(void **state)
{
	struct setup *s = *state;
	static const struct {
		int format;
		uint8_t facility;
		enum log_level level, level_min;
		uint32_t len;
		const char *text, *expected;
	} cases[] = {
		{MODEL_LOG_FMT_LOCAL, 16, LOG_LEVEL_INFO, 0, 1024, REQUEST,
			"<134>Nov 23 06:58:34 mytag[16173]: " REQUEST "\n"},
		{MODEL_LOG_FMT_RFC3164, 3, LOG_LEVEL_INFO, 0, 1024, REQUEST,
			"<30>Nov 23 06:58:34 localhost mytag[16173]: " REQUEST "\n"},
		{MODEL_LOG_FMT_RFC5424, 17, LOG_LEVEL_INFO, 0, 1024, REQUEST,
			"<142>1 2026-11-23T06:58:34.457232+00:00 - mytag 16173 - - " REQUEST "\n"},
		{MODEL_LOG_FMT_SHORT, 16, LOG_LEVEL_INFO, 0, 1024, REQUEST, "<6>" REQUEST "\n"},
		{MODEL_LOG_FMT_RAW, 16, LOG_LEVEL_INFO, 0, 0, REQUEST, REQUEST "\n"},
		{MODEL_LOG_FMT_TIMED, 16, LOG_LEVEL_INFO, 0, 1024, REQUEST,
			"<6>2026-11-23T06:58:34.457232+00:00 " REQUEST "\n"},
		{MODEL_LOG_FMT_ISO, 16, LOG_LEVEL_INFO, 0, 1024, REQUEST,
			"2026-11-23T06:58:34.457232+00:00 " REQUEST "\n"},
		/* on a file the newline counts as well: 80 bytes in all */
		{MODEL_LOG_FMT_RAW, 16, LOG_LEVEL_INFO, 0, 80, REQUEST,
			"127.0.0.1:36552 [23/Nov/2026:06:58:31.453] fe be/s1 0/0/-1/-1/3003 503 "
			"217 "
			"- - \n"},
		/* a minimum makes severe lines less severe */
		{MODEL_LOG_FMT_SHORT, 16, LOG_LEVEL_ALERT, LOG_LEVEL_WARNING, 1024, "x", "<4>x\n"},
		{MODEL_LOG_FMT_LOCAL, 16, LOG_LEVEL_ALERT, LOG_LEVEL_WARNING, 1024, "x",
			"<132>Nov 23 06:58:34 mytag[16173]: x\n"},
		{MODEL_LOG_FMT_RAW, 16, LOG_LEVEL_INFO, 0, 1024, "", "\n"},
	};

	s->logs[1].target_count = 1;
	s->targets[1][0].kind = MODEL_LOG_TO_STDOUT;
	start(s);
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model_log_target *t = &s->targets[1][0];

		t->format = (__typeof__(t->format))cases[i].format;
		t->facility = cases[i].facility;
		t->level_min = cases[i].level_min;
		t->len_max = cases[i].len;
		log_text(s, i % 3, 1, cases[i].level, cases[i].text);
		assert_int_equal(logsink_run(s->sink, 100), 1);
		assert_output(s, cases[i].expected);
	}
	assert_int_equal(count(s, LOGSINK_STAT_SENT), ARRAY_LEN(cases));
}

static void days_and_zones(void **state)
{
	struct setup *s = *state;

	s->logs[1].target_count = 2;
	for (int i = 0; i < 2; i++)
		s->targets[1][i].kind = MODEL_LOG_TO_STDERR;
	s->targets[1][1].format = MODEL_LOG_FMT_ISO;
	setenv("TZ", "ABC+3:30", 1);
	tzset();
	start(s);
	assert_true(log_write(s->f->w[0]->log, UINT64_C(1772334000) * NS_PER_SEC, 1, LOG_LEVEL_INFO,
		BYTES_LIT("x"))); /* 2026-03-01T03:00:00Z */
	assert_true(log_write(s->f->w[0]->log, UINT64_C(1772337600) * NS_PER_SEC, 1, LOG_LEVEL_INFO,
		BYTES_LIT("y")));
	logsink_run(s->sink, 100);
	assert_output(s, "<6>Feb 28 23:30:00 mytag[16173]: x\n2026-02-28T23:30:00.000000-03:30 x\n"
			 "<6>Mar  1 00:30:00 mytag[16173]: y\n2026-03-01T00:30:00.000000-03:30 "
			 "y\n");
}

static int receiver(struct setup *s, bool udp)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(in);
	int fd = socket(udp ? AF_INET : AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (udp) {
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
		s->targets[1][0].remote =
			(struct endpoint){ip_addr_from_v4(INADDR_LOOPBACK), ntohs(in.sin_port)};
	} else {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", s->path);
		assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	}
	return fd;
}

static void udp_gets_one_datagram_per_line(void **state)
{
	struct setup *s = *state;
	int fd = receiver(s, true);
	char buf[2048];

	s->logs[1].target_count = 1;
	s->targets[1][0].len_max = 80;
	s->targets[1][0].format = MODEL_LOG_FMT_RFC3164;
	s->targets[1][0].facility = 18;
	s->targets[1][0].level_max = LOG_LEVEL_INFO;
	start(s);
	log_text(s, 0, 1, LOG_LEVEL_DEBUG, "not sent");
	log_text(s, 0, 1, LOG_LEVEL_INFO, REQUEST);
	log_text(s, 1, 1, LOG_LEVEL_WARNING, "two");
	assert_int_equal(logsink_run(s->sink, 100), 3);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 81); /* the newline does not count */
	assert_memory_equal(buf,
		"<150>Nov 23 06:58:34 localhost mytag[16173]: 127.0.0.1:36552 "
		"[23/Nov/2026:06:58:\n",
		81);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 49);
	assert_memory_equal(buf, "<148>Nov 23 06:58:34 localhost mytag[16173]: two\n", 49);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), -1);
	assert_int_equal(count(s, LOGSINK_STAT_LINES), 3);
	close(fd);
}

static void dead_target_costs_lines_not_time(void **state)
{
	struct setup *s = *state;
	char buf[64];
	int fd;

	s->logs[1].target_count = 1;
	s->targets[1][0].kind = MODEL_LOG_TO_UNIX;
	s->targets[1][0].path = s->path;
	s->targets[1][0].format = MODEL_LOG_FMT_RAW;
	start(s);
	for (int i = 0; i < 10; i++)
		log_text(s, 0, 1, LOG_LEVEL_INFO, "x");
	logsink_run(s->sink, 100);
	assert_int_equal(count(s, LOGSINK_STAT_REFUSED), 10);
	fd = receiver(s, false);
	log_text(s, 0, 1, LOG_LEVEL_INFO, "x");
	logsink_run(s->sink, 100);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 2);
	close(fd);
	unlink(s->path);
}

/* What a slow target does not take waits, in order and whole, up to a limit. */
static void slow_targets_wait_then_lose(void **state)
{
	enum { LINES = 200000 };
	struct setup *s = *state;
	uint32_t last = 0, got = 0, number;
	static char buf[1 << 20];
	size_t len = 0;
	ssize_t n;

	s->logs[1].target_count = 1;
	s->targets[1][0].kind = MODEL_LOG_TO_STDOUT;
	s->targets[1][0].format = MODEL_LOG_FMT_RAW;
	start(s);
	for (uint32_t i = 1; i <= LINES; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%u", i);
		log_text(s, 0, 1, LOG_LEVEL_INFO, text);
		if (i % 100 == 0)
			assert_int_equal(logsink_run(s->sink, 1000), 100);
	}
	assert_true(count(s, LOGSINK_STAT_SLOW) > LINES / 2);
	do {
		while ((n = read(s->pipe[0], buf + len, sizeof(buf) - len)) > 0)
			len += (size_t)n;
		logsink_run(s->sink, 1000);
		n = read(s->pipe[0], buf + len, sizeof(buf) - len);
		len += (size_t)MAX(n, (ssize_t)0);
	} while (n > 0);
	for (char *p = buf; p < buf + len; got++) {
		number = (uint32_t)strtoul(p, &p, 10);
		assert_int_equal(*p++, '\n');
		assert_int_equal(number, last + 1);
		last = number;
	}
	assert_int_equal(got + count(s, LOGSINK_STAT_SLOW), LINES);
	assert_int_equal(count(s, LOGSINK_STAT_SENT), got);
}

static void own_lines_go_to_stderr_until_daemonised(void **state)
{
	struct setup *s = *state;

	start(s);
	log_text(s, 0, LOG_TARGET_SELF, LOG_LEVEL_NOTICE, "one");
	log_text(s, 0, LOG_TARGET_SELF, LOG_LEVEL_WARNING, "two");
	log_text(s, 0, LOG_TARGET_SELF, LOG_LEVEL_ALERT, "three");
	log_text(s, 0, 1, LOG_LEVEL_NOTICE, "to an empty list");
	fake_workers_settle(s->f);
	assert_output(s, "[NOTICE]   (16173) : one\n[WARNING]  (16173) : two\n"
			 "[ALERT]    (16173) : three\n");
	logsink_daemonised(s->sink, 99);
	log_text(s, 0, LOG_TARGET_SELF, LOG_LEVEL_NOTICE, "four");
	log_text(s, 0, 77, LOG_LEVEL_NOTICE, "five");
	fake_workers_settle(s->f);
	assert_output(s, "");
	assert_int_equal(count(s, LOGSINK_STAT_NO_TARGET), 1);
}

static void own_lines_go_to_the_global_targets(void **state)
{
	struct setup *s = *state;

	s->logs[0].target_count = 1;
	s->logs[0].tag = NULL;
	s->targets[0][0].kind = MODEL_LOG_TO_STDOUT;
	start(s);
	log_text(s, 2, LOG_TARGET_SELF, LOG_LEVEL_NOTICE, "one");
	logsink_run(s->sink, 100);
	assert_output(s, "<5>Nov 23 06:58:34 weir[16173]: one\n");
}

static void cores_take_turns(void **state)
{
	struct setup *s = *state;

	s->logs[1].target_count = 1;
	s->targets[1][0].kind = MODEL_LOG_TO_STDOUT;
	s->targets[1][0].format = MODEL_LOG_FMT_RAW;
	start(s);
	for (int i = 0; i < 1000; i++)
		log_text(s, 0, 1, LOG_LEVEL_INFO, "a");
	log_text(s, 1, 1, LOG_LEVEL_INFO, "b");
	assert_int_equal(logsink_run(s->sink, LOGSINK_CORE_LINES + 1), LOGSINK_CORE_LINES + 1);
	assert_int_equal(log_drain(s->f->w[1]->log, 1, NULL, NULL), 0);
	assert_int_equal(logsink_run(s->sink, 1000), 1000 - LOGSINK_CORE_LINES);
}

static void another_model_replaces_the_targets(void **state)
{
	struct setup *s = *state;
	struct model bad = s->model, good = s->model;
	struct model_log bad_logs[2] = {0}, good_logs[2] = {0};
	struct model_log_target bad_target = {.place = {"bad.cfg", 3}, .kind = MODEL_LOG_TO_UNIX},
				good_target = {.kind = MODEL_LOG_TO_STDOUT,
					.format = MODEL_LOG_FMT_SHORT,
					.level_max = LOG_LEVEL_DEBUG};
	char longer[200];

	memset(longer, 'a', sizeof(longer));
	longer[199] = '\0';
	bad_target.path = longer;
	bad.log_count = good.log_count = 2;
	bad.logs = bad_logs;
	good.logs = good_logs;
	bad_logs[1] = (struct model_log){.target_count = 1, .targets = &bad_target};
	good_logs[1] = (struct model_log){.target_count = 1, .targets = &good_target};
	s->logs[1].target_count = 1;
	s->targets[1][0].kind = MODEL_LOG_TO_STDOUT;
	s->targets[1][0].format = MODEL_LOG_FMT_RAW;
	start(s);
	assert_int_equal(logsink_model_set(s->sink, &bad, &s->err), -ENAMETOOLONG);
	assert_non_null(strstr(s->err.text, "bad.cfg:3"));
	log_text(s, 0, 1, LOG_LEVEL_INFO, "one");
	logsink_run(s->sink, 10);
	assert_output(s, "one\n");
	assert_int_equal(logsink_model_set(s->sink, &good, NULL), 0);
	log_text(s, 0, 1, LOG_LEVEL_INFO, "two");
	logsink_run(s->sink, 10);
	assert_output(s, "<6>two\n");
	log_text(s, 0, 1, LOG_LEVEL_INFO, "at the end");
	logsink_destroy(s->sink);
	s->sink = NULL;
	assert_output(s, "<6>at the end\n");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(formats_are_those_of_haproxy),
		TEST(days_and_zones),
		TEST(udp_gets_one_datagram_per_line),
		TEST(dead_target_costs_lines_not_time),
		TEST(slow_targets_wait_then_lose),
		TEST(own_lines_go_to_stderr_until_daemonised),
		TEST(own_lines_go_to_the_global_targets),
		TEST(cores_take_turns),
		TEST(another_model_replaces_the_targets),
	};

	return cmocka_run_group_tests_name("logsink/logsink", tests, NULL, NULL);
}
