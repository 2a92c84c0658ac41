/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>

#include "base.h"
#include "fake_eal.h"

static pid_t eal_pid; /* of the process that started it; 0: nobody did */

/* What DPDK keeps until the process ends is not a leak of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:librte_\nleak:libnuma\nleak:libibverbs\nleak:libmlx\n";
}

static void fini(void)
{
	if (eal_pid == getpid()) /* not a child of the test */
		rte_eal_cleanup();
}

static int first_cpu(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			return cpu;
	return 0;
}

void fake_eal_init(void)
{
	char prefix[64], lcores[32];
	char *argv[] = {"test", "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf",
		"--iova-mode=va", "-m", "256", "--log-level=error", prefix, lcores, NULL};
	cpu_set_t cpus;

	if (eal_pid != 0)
		return;
	ASSERT(sched_getaffinity(0, sizeof(cpus), &cpus) == 0);
	snprintf(prefix, sizeof(prefix), "--file-prefix=weir-test-%d", getpid());
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", first_cpu(&cpus));
	ASSERT(rte_eal_init(ARRAY_LEN(argv) - 1, argv) >= 0);
	/* EAL ties the calling thread to one processor. */
	ASSERT(sched_setaffinity(0, sizeof(cpus), &cpus) == 0);
	rmdir(rte_eal_get_runtime_dir()); /* nothing will be put into it */
	eal_pid = getpid();
	atexit(fini);
}
