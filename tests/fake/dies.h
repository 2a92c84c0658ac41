/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of asserts: something that must abort the program is done in a child process. */
#ifndef WEIR_TESTS_DIES_H
#define WEIR_TESTS_DIES_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/** True if fn(arg) aborts; its words on standard error are dropped. */
static inline bool dies(void (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		signal(SIGABRT, SIG_DFL); /* cmocka would take it for a failed test */
		dup2(null, STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGABRT;
}

#endif
