/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"

const char cmdline_help[] =
	"Usage: weir -f <file|directory> [-f ...] [options] [-- <file>...]\n"
	"  -c               check the configuration and exit with 0 or 1\n"
	"  -cc <condition>  evaluate a condition as .if does, exit with 0 (true) or 1\n"
	"  -D               go to the background once connections are accepted\n"
	"  -W, -Ws          accepted; there is one process (-Ws: tell systemd when ready)\n"
	"  -d, -db          stay in the foreground\n"
	"  -p <file>        write the process id\n"
	"  -n <number>      maximum of connections; wins over 'maxconn'\n"
	"  -m <MiB>         memory; wins over 'memory'\n"
	"  -L <name>        local peer name\n"
	"  -C <directory>   change to this directory first\n"
	"  -sf <pid>...     when ready, ask these to finish; -st: to stop\n"
	"  -q, -V           print less, more\n"
	"  -dW              a warning makes the configuration invalid\n"
	"  -dD              print hints on questionable settings\n"
	"  -dr              names that cannot be resolved are no error\n"
	"  -dK              list the keywords of the configuration\n"
	"  -v, -vv          version; build and features\n"
	"Also accepted, without effect: -dM[byte] -dI -dL -dS -dZ -de -dk -dp -ds -dG -dR -dV "
	"-S <x> -x <x>\n";

static int add_path(struct cmdline *out, const char *path, struct error *err)
{
	if (out->path_count == CMDLINE_PATHS_MAX)
		return error_set(
			err, -E2BIG, "more than %d configuration files", CMDLINE_PATHS_MAX);
	out->paths[out->path_count++] = path;
	return 0;
}

static int number(
	const char *flag, const char *text, uint64_t max, uint64_t *out, struct error *err)
{
	char *end = NULL;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || value == 0 || value > max)
		return error_set(err, -EINVAL, "%s: '%s' is not a number from 1 to %llu", flag,
			text, (unsigned long long)max);
	*out = value;
	return 0;
}

/* Flags that take a value; returns 1 if `flag` is none of them. */
static int with_value(struct cmdline *out, const char *flag, const char *value, struct error *err)
{
	uint64_t n = 0;
	int rc;

	if (strcmp(flag, "-f") == 0)
		return add_path(out, value, err);
	if (strcmp(flag, "-p") == 0) {
		out->pidfile = value;
	} else if (strcmp(flag, "-L") == 0) {
		out->peer_name = value;
	} else if (strcmp(flag, "-C") == 0) {
		out->directory = value;
	} else if (strcmp(flag, "-cc") == 0) {
		out->action = CMDLINE_CONDITION;
		out->condition = value;
	} else if (strcmp(flag, "-n") == 0) {
		rc = number(flag, value, 100000000, &n, err);
		out->maxconn = (uint32_t)n;
		return rc;
	} else if (strcmp(flag, "-N") == 0) {
		return number(flag, value, 100000000, &n, err); /* default per proxy: see docs */
	} else if (strcmp(flag, "-m") == 0) {
		rc = number(flag, value, UINT64_C(1) << 26, &n, err);
		out->memory_bytes = n << 20;
		return rc;
	} else if (strcmp(flag, "-S") != 0 && strcmp(flag, "-x") != 0) {
		return 1;
	}
	return 0;
}

static bool takes_value(const char *flag)
{
	static const char *const flags[] = {
		"-f", "-p", "-L", "-C", "-cc", "-n", "-N", "-m", "-S", "-x"};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(flag, flags[i]) == 0)
			return true;
	return false;
}

static bool switch_flag(struct cmdline *out, const char *flag)
{
	static const char *const silent[] = {"-d", "-db", "-dI", "-dL", "-dS", "-dZ", "-de", "-dk",
		"-dp", "-ds", "-dG", "-dR", "-dV", "-W", "-dF", "-dC"};

	for (size_t i = 0; i < ARRAY_LEN(silent); i++)
		if (strcmp(flag, silent[i]) == 0)
			return true;
	if (strncmp(flag, "-dM", 3) == 0)
		return true;
	if (strcmp(flag, "-c") == 0)
		out->action = CMDLINE_CHECK;
	else if (strcmp(flag, "-D") == 0)
		out->daemon = true;
	else if (strcmp(flag, "-Ws") == 0)
		out->notify_ready = true;
	else if (strcmp(flag, "-q") == 0)
		out->quiet = true;
	else if (strcmp(flag, "-V") == 0)
		out->verbose = true;
	else if (strcmp(flag, "-dW") == 0)
		out->zero_warning = true;
	else if (strcmp(flag, "-dD") == 0)
		out->show_diag = true;
	else if (strcmp(flag, "-dr") == 0)
		out->keep_unresolved = true;
	else if (strcmp(flag, "-v") == 0)
		out->action = CMDLINE_VERSION;
	else if (strcmp(flag, "-vv") == 0)
		out->action = CMDLINE_BUILD;
	else if (strncmp(flag, "-dK", 3) == 0)
		out->action = CMDLINE_KEYWORDS;
	else if (strcmp(flag, "-h") == 0 || strcmp(flag, "--help") == 0)
		out->action = CMDLINE_HELP;
	else
		return false;
	return true;
}

/* "-sf" and "-st" take all numbers that follow. Returns how many, or a negative errno. */
static int stop_list(struct cmdline *out, int argc, char **argv, int at, struct error *err)
{
	int i = at + 1;

	out->stop_signal = argv[at][2] == 'f' ? SIGUSR1 : SIGTERM;
	for (; i < argc && argv[i][0] >= '0' && argv[i][0] <= '9'; i++) {
		uint64_t pid = 0;
		int rc = number(argv[at], argv[i], INT32_MAX, &pid, err);

		if (rc < 0)
			return rc;
		if (out->stop_pid_count == CMDLINE_PIDS_MAX)
			return error_set(err, -E2BIG, "%s: more than %d process ids", argv[at],
				CMDLINE_PIDS_MAX);
		out->stop_pids[out->stop_pid_count++] = (long)pid;
	}
	return i - at - 1;
}

int cmdline_parse(int argc, char **argv, struct cmdline *out, struct error *err)
{
	int rc = 0;

	*out = (struct cmdline){0};
	for (int i = 1; i < argc && rc >= 0; i++) {
		const char *flag = argv[i];

		if (strcmp(flag, "--") == 0) {
			while (rc == 0 && ++i < argc)
				rc = add_path(out, argv[i], err);
		} else if (strcmp(flag, "-sf") == 0 || strcmp(flag, "-st") == 0) {
			rc = stop_list(out, argc, argv, i, err);
			i += MAX(rc, 0);
		} else if (takes_value(flag)) {
			if (i + 1 == argc)
				return error_set(err, -EINVAL, "%s needs a value", flag);
			rc = with_value(out, flag, argv[++i], err);
		} else if (!switch_flag(out, flag)) {
			rc = error_set(err, -EINVAL, "unknown flag '%s'; see weir --help", flag);
		}
	}
	if (rc < 0)
		return rc;
	if (out->path_count == 0 && (out->action == CMDLINE_RUN || out->action == CMDLINE_CHECK))
		return error_set(err, -EINVAL, "no configuration: use -f <file>; see weir --help");
	return 0;
}
