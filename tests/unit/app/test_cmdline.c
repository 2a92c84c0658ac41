/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <signal.h>

#include "cmdline.h"

#define ARGS_MAX 40

/* Splits "a b c" (no quotes) behind the program's name and parses it. */
static int parse(const char *text, struct cmdline *out, struct error *err)
{
	static char buf[512];
	char *argv[ARGS_MAX + 1] = {"weir"}, *rest = buf, *word;
	int argc = 1;

	assert_true(strlen(text) < sizeof(buf));
	memcpy(buf, text, strlen(text) + 1);
	while ((word = strsep(&rest, " ")) != NULL && argc < ARGS_MAX)
		if (*word)
			argv[argc++] = word;
	*err = (struct error){0};
	return cmdline_parse(argc, argv, out, err);
}

static void actions_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum cmdline_action action;
	} rows[] = {
		{"-f a", CMDLINE_RUN},
		{"-c -f a", CMDLINE_CHECK},
		{"-f a -c", CMDLINE_CHECK},
		{"-v", CMDLINE_VERSION},
		{"-vv", CMDLINE_BUILD},
		{"-h", CMDLINE_HELP},
		{"--help", CMDLINE_HELP},
		{"-cc true", CMDLINE_CONDITION},
		{"-dK", CMDLINE_KEYWORDS},
		{"-dKall", CMDLINE_KEYWORDS},
		{"-- a b", CMDLINE_RUN},
	};
	struct cmdline cmd;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(parse(rows[i].text, &cmd, &err), 0);
		assert_int_equal(cmd.action, rows[i].action);
	}
}

static void flags_of_haproxys_scripts_are_accepted(void **state)
{
	static const char *const rows[] = {
		"-Ws -f /etc/haproxy.cfg -p /run/h.pid -S /run/master.sock",
		"-W -f a -dM -dMfail -dI -dr -q -V -d -db -m 512 -n 100 -L me -C /tmp",
		"-D -f a -p b -sf 1 22 333",
		"-f a -f b -- c d",
		"-f a -x /run/sock -N 5 -dG -dS",
	};
	struct cmdline cmd;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(parse(rows[i], &cmd, &err), 0);
}

static void values_arrive(void **state)
{
	struct cmdline cmd;
	struct error err;

	(void)state;
	assert_int_equal(parse("-D -Ws -q -V -dW -dD -dr -f a -f b -p pid -L me -C dir -n 7 -m 3 "
			       "-- c",
				 &cmd, &err),
		0);
	assert_int_equal(cmd.path_count, 3);
	assert_string_equal(cmd.paths[1], "b");
	assert_string_equal(cmd.paths[2], "c");
	assert_string_equal(cmd.pidfile, "pid");
	assert_string_equal(cmd.peer_name, "me");
	assert_string_equal(cmd.directory, "dir");
	assert_int_equal(cmd.maxconn, 7);
	assert_int_equal(cmd.memory_bytes, 3 << 20);
	assert_true(cmd.daemon && cmd.notify_ready && cmd.quiet && cmd.verbose);
	assert_true(cmd.zero_warning && cmd.show_diag && cmd.keep_unresolved);
	assert_int_equal(parse("-f a -sf 12 13 -q", &cmd, &err), 0);
	assert_int_equal(cmd.stop_signal, SIGUSR1);
	assert_int_equal(cmd.stop_pid_count, 2);
	assert_int_equal(cmd.stop_pids[1], 13);
	assert_true(cmd.quiet);
	assert_int_equal(parse("-st 12 -f a", &cmd, &err), 0);
	assert_int_equal(cmd.stop_signal, SIGTERM);
	assert_int_equal(parse("-f a -sf", &cmd, &err), 0);
	assert_int_equal(cmd.stop_pid_count, 0);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"", "no configuration"},
		{"-c", "no configuration"},
		{"-f", "-f needs a value"},
		{"-f a -n", "-n needs a value"},
		{"-f a -n 0", "-n: '0' is not a number"},
		{"-f a -n x", "-n: 'x' is not a number"},
		{"-f a -n -5", "-n: '-5' is not a number"},
		{"-f a -m 99999999999999999999", "is not a number"},
		{"-f a -sf 99999999999", "-sf: '99999999999' is not a number"},
		{"-f a --frobnicate", "unknown flag '--frobnicate'"},
		{"-f a stray", "unknown flag 'stray'"},
	};
	struct cmdline cmd;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(parse(rows[i].text, &cmd, &err) < 0);
		assert_non_null(strstr(err.text, rows[i].said));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_are_told_apart),
		cmocka_unit_test(flags_of_haproxys_scripts_are_accepted),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests_name("app/cmdline", tests, NULL, NULL);
}
