/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weir: reads the configuration, builds the machine, runs it until a signal.
 *
 * Exit codes are HAProxy's: 0 after an orderly end (or a valid configuration with -c), 1 otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_version.h>

#include "cmdline.h"
#include "machine.h"
#include "reload.h"

/* What the signal handler may reach: the one machine of this process. */
static struct machine *running;

static void on_signal(int number)
{
	int saved = errno;

	machine_stop(running, number == SIGUSR1);
	errno = saved;
}

static void alert(const char *text)
{
	fprintf(stderr, "[ALERT]    (%ld) : %s\n", (long)getpid(), text);
}

static int alert_errno(const char *what, const char *path)
{
	fprintf(stderr, "[ALERT]    (%ld) : %s '%s': %s\n", (long)getpid(), what, path,
		strerror(errno));
	return 1;
}

static void print_version(bool build)
{
	printf("weir version %s - a load balancer with its own TCP/IP stack\n", WEIR_VERSION);
	if (!build)
		return;
	printf("Built with: %s, %s\n", __VERSION__, rte_version());
	printf("Configuration language: HAProxy 2.6 to 3.x, see docs/configuration\n");
}

/* One line per keyword: the sections' first letters, the keyword, its syntax. */
static void print_keyword(void *ctx, const struct reload_keyword_info *info)
{
	static const char letters[] = "GDFBLN";
	char sections[sizeof(letters)] = "";
	size_t n = 0;

	(void)ctx;
	for (size_t i = 0; letters[i]; i++)
		if (info->sections & 1u << i)
			sections[n++] = letters[i];
	printf("%-6s %s%s%s%s\n", sections, info->word, info->ignored ? " (ignored: " : " ",
		info->syntax, info->ignored ? ")" : "");
}

static void set_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&stop.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGUSR2, &ignore, NULL);
}

/* --- going to the background --------------------------------------------------------- */

/*
 * The parent waits until the child accepts connections or has failed, and exits like it. Returns
 * the descriptor on which the child tells (daemon_ready); -1 in the foreground or on failure.
 */
static int daemon_start(void)
{
	int pipes[2];
	char byte = 1;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		setsid();
		return pipes[1];
	}
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return -1;
	}
	if (read(pipes[0], &byte, 1) != 1)
		byte = 1;
	_exit(byte);
}

static void daemon_ready(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char ok = 0;

	for (int std = 0; null >= 0 && std < 3; std++)
		dup2(null, std);
	if (null > 2)
		close(null);
	if (write(fd, &ok, 1) == 1)
		close(fd);
}

/* systemd's protocol: one datagram to the socket that the environment names. */
static void notify_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char text[64];
	int fd, len;

	if (!path || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	len = snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld\n", (long)getpid());
	if (sendto(fd, text, (size_t)len, 0, (const struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		fprintf(stderr, "weir: cannot tell %s that we are ready: %s\n", path,
			strerror(errno));
	close(fd);
}

static int write_pidfile(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return alert_errno("cannot write the pid file", path);
	fprintf(f, "%ld\n", (long)getpid());
	if (fclose(f) != 0)
		return alert_errno("cannot write the pid file", path);
	return 0;
}

/* --- the steps ----------------------------------------------------------------------- */

static struct reload_options reload_options_of(const struct cmdline *cmd)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return (struct reload_options){.paths = cmd->paths,
		.path_count = cmd->path_count,
		.peer_name = cmd->peer_name,
		.maxconn = cmd->maxconn,
		.memory_bytes = cmd->memory_bytes,
		.cpu_count = cpus > 0 ? (uint32_t)cpus : 1,
		.keep_unresolved = cmd->keep_unresolved,
		.resolve_names = true,
		.env = lang_env_process};
}

/* Reads the configuration and prints what is wrong with it. */
static struct model *load(const struct cmdline *cmd)
{
	struct reload_options options = reload_options_of(cmd);
	struct lang_diags diags;
	struct error err = {0};
	struct model *model;

	lang_diags_init(&diags);
	model = reload_load(&options, &diags, &err);
	if (!cmd->quiet || !model)
		lang_diags_print(&diags, stderr, (long)getpid(), cmd->show_diag);
	if (err.code)
		alert(err.text);
	if (model && cmd->zero_warning && diags.count[LANG_WARNING]) {
		alert("there are warnings, and -dW makes them errors");
		model_destroy(model);
		model = NULL;
	}
	if (!model)
		alert("the configuration has errors, nothing was started");
	lang_diags_fini(&diags);
	return model;
}

static int condition(const struct cmdline *cmd)
{
	struct reload_options options = reload_options_of(cmd);
	struct error err = {0};
	int value = reload_condition(cmd->condition, &options, &err);

	if (value < 0)
		alert(err.text);
	return value < 0 ? 2 : !value; /* as HAProxy does */
}

static void signal_others(const struct cmdline *cmd)
{
	for (size_t i = 0; i < cmd->stop_pid_count; i++)
		if (kill((pid_t)cmd->stop_pids[i], cmd->stop_signal) < 0)
			fprintf(stderr, "weir: cannot signal process %ld: %s\n", cmd->stop_pids[i],
				strerror(errno));
}

static int run(const struct cmdline *cmd, const struct model *model)
{
	const char *pidfile = cmd->pidfile ? cmd->pidfile : model->global.pidfile;
	struct error err = {0};
	int ready_fd = -1, rc = 1;
	struct machine *machine;

	if (cmd->daemon && (ready_fd = daemon_start()) < 0)
		return alert_errno("cannot go to the background", "fork");
	machine = machine_create(model, &err);
	if (!machine) {
		alert(err.text);
		return 1;
	}
	running = machine;
	set_signals();
	if (pidfile && write_pidfile(pidfile) != 0)
		goto out;
	signal_others(cmd);
	if (ready_fd >= 0) {
		daemon_ready(ready_fd);
		machine_daemonised(machine);
	}
	if (cmd->notify_ready)
		notify_ready();
	if (machine_run(machine, &err) == 0)
		rc = 0;
	else
		alert(err.text);
	if (pidfile)
		unlink(pidfile);
out:
	machine_destroy(machine);
	return rc;
}

static int check_or_run(const struct cmdline *cmd)
{
	struct model *model;
	int rc;

	if (cmd->directory && chdir(cmd->directory) < 0)
		return alert_errno("cannot change to directory", cmd->directory);
	model = load(cmd);
	if (!model)
		return 1;
	if (cmd->action == CMDLINE_CHECK) {
		if (!cmd->quiet)
			printf("Configuration file is valid\n");
		rc = 0;
	} else {
		rc = run(cmd, model);
	}
	model_destroy(model);
	return rc;
}

int main(int argc, char **argv)
{
	struct cmdline cmd;
	struct error err = {0};

	if (cmdline_parse(argc, argv, &cmd, &err) < 0) {
		alert(err.text);
		return 1;
	}
	switch (cmd.action) {
	case CMDLINE_HELP:
		fputs(cmdline_help, stdout);
		return 0;
	case CMDLINE_VERSION:
	case CMDLINE_BUILD:
		print_version(cmd.action == CMDLINE_BUILD);
		return 0;
	case CMDLINE_KEYWORDS:
		reload_keyword_each(print_keyword, NULL);
		return 0;
	case CMDLINE_CONDITION:
		return condition(&cmd);
	default:
		return check_or_run(&cmd);
	}
}
