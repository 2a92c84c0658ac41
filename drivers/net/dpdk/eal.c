/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "dpdk_pvt.h"

#define MEMORY_MIB_DEFAULT 512
#define ARGS_MAX           (16 + 2 * DPDK_PCI_MAX)
#define ARG_SIZE           64
#define LINE_SIZE          256
#define HUGE_PAGES_DIR     "/sys/kernel/mm/hugepages"

struct dpdk_eal {
	bool huge;
	bool holding;
	char held[LINE_SIZE];
	FILE *log_stream;
	void (*log)(void *ctx, const char *line);
	void *log_ctx;
};

static void log_to_stderr(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "weir: dpdk: %s\n", line);
}

static void log_line(struct dpdk_eal *eal, const char *line)
{
	if (eal->holding) {
		if (eal->held[0] == '\0')
			snprintf(eal->held, sizeof(eal->held), "%s", line);
	} else if (rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR) {
		eal->log(eal->log_ctx, line);
	}
}

/* Called by the C library when DPDK's log stream is flushed: whole lines, as it is line buffered.
 */
static ssize_t log_write_stream(void *cookie, const char *buf, size_t size)
{
	const char *end;

	for (const char *at = buf; at < buf + size; at = end + 1) {
		char line[LINE_SIZE];
		size_t left = (size_t)(buf + size - at);

		end = memchr(at, '\n', left);
		if (!end)
			end = buf + size;
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (line[0] != '\0')
			log_line(cookie, line);
	}
	return (ssize_t)size;
}

void dpdk_log_hold(struct dpdk_eal *eal)
{
	eal->held[0] = '\0';
	eal->holding = true;
}

const char *dpdk_log_release(struct dpdk_eal *eal)
{
	fflush(eal->log_stream);
	eal->holding = false;
	return eal->held;
}

static unsigned long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long number = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

/* Sums up over all page sizes. */
static uint64_t free_huge_mib(void)
{
	DIR *dir = opendir(HUGE_PAGES_DIR);
	uint64_t kib = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[sizeof(HUGE_PAGES_DIR) + sizeof(entry->d_name) + 32];
		unsigned long page_kib;

		if (sscanf(entry->d_name, "hugepages-%lukB", &page_kib) != 1)
			continue;
		snprintf(path, sizeof(path), HUGE_PAGES_DIR "/%s/free_hugepages", entry->d_name);
		kib += (uint64_t)page_kib * read_number(path);
	}
	if (dir)
		closedir(dir);
	return kib / 1024;
}

struct args {
	int count;
	char *argv[ARGS_MAX + 1];
	char text[ARGS_MAX][ARG_SIZE];
};

static void PRINTF_LIKE(2, 3) add_arg(struct args *args, const char *fmt, ...)
{
	va_list ap;

	ASSERT(args->count < ARGS_MAX);
	va_start(ap, fmt);
	vsnprintf(args->text[args->count], ARG_SIZE, fmt, ap);
	va_end(ap);
	args->argv[args->count] = args->text[args->count];
	args->count++;
}

static int first_cpu(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			return cpu;
	return 0;
}

static void build_args(struct args *args, const struct dpdk_eal_config *config, uint32_t memory_mib,
	bool huge, const cpu_set_t *cpus)
{
	*args = (struct args){0};
	add_arg(args, "weir");
	add_arg(args, "--no-telemetry");
	add_arg(args, "--log-level=warning");
	add_arg(args, "--file-prefix=weir-%d", getpid());
	add_arg(args, "--lcores=0@%d", first_cpu(cpus));
	add_arg(args, "-m");
	add_arg(args, "%u", memory_mib);
	if (huge) {
		add_arg(args, "--in-memory");
	} else {
		add_arg(args, "--no-huge");
		add_arg(args, "--no-shconf");
	}
	if (config->pci_count == 0) {
		add_arg(args, "--no-pci");
		add_arg(args, "--iova-mode=va");
	}
	for (uint32_t i = 0; i < config->pci_count; i++) {
		add_arg(args, "-a");
		add_arg(args, "%s", config->pci[i]);
	}
}

/* EAL ties the calling thread to one processor and makes a folder that nothing will be put into;
 * both are undone at once. */
static int start(struct dpdk_eal *eal, struct args *args, const cpu_set_t *cpus)
{
	int rc;

	dpdk_log_hold(eal);
	rc = rte_eal_init(args->count, args->argv) < 0 ? -rte_errno : 0;
	sched_setaffinity(0, sizeof(*cpus), cpus);
	rmdir(rte_eal_get_runtime_dir()); /* also after a failure: it comes first */
	if (rc == 0)
		dpdk_log_release(eal);
	return rc;
}

static bool choose_huge(const struct dpdk_eal_config *config, uint32_t memory_mib)
{
	if (config->huge == DPDK_HUGE_AUTO)
		return free_huge_mib() >= memory_mib;
	return config->huge == DPDK_HUGE_ALWAYS;
}

struct dpdk_eal *dpdk_eal_create(const struct dpdk_eal_config *config, struct error *err)
{
	static const cookie_io_functions_t log_functions = {.write = log_write_stream};
	uint32_t memory_mib = config->memory_mib ? config->memory_mib : MEMORY_MIB_DEFAULT;
	struct dpdk_eal *eal = calloc(1, sizeof(*eal));
	FILE *log_before = rte_log_get_stream();
	struct args args;
	cpu_set_t cpus;
	int rc;

	ASSERT(config->pci_count <= DPDK_PCI_MAX);
	if (!eal || !(eal->log_stream = fopencookie(eal, "w", log_functions))) {
		error_set(err, -ENOMEM, "no memory to start DPDK");
		free(eal);
		return NULL;
	}
	setvbuf(eal->log_stream, NULL, _IOLBF, BUFSIZ);
	rte_openlog_stream(eal->log_stream);
	eal->log = config->log ? config->log : log_to_stderr;
	eal->log_ctx = config->log_ctx;
	eal->huge = choose_huge(config, memory_mib);
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	build_args(&args, config, memory_mib, eal->huge, &cpus);
	rc = start(eal, &args, &cpus);
	if (rc == 0)
		return eal;

	error_set(err, rc, "DPDK cannot start with %u MiB of %s: %s (%s)", memory_mib,
		eal->huge ? "huge pages" : "memory", rte_strerror(-rc), dpdk_log_release(eal));
	rte_openlog_stream(log_before);
	fclose(eal->log_stream);
	free(eal);
	return NULL;
}

void dpdk_eal_destroy(struct dpdk_eal *eal)
{
	if (!eal)
		return;
	dpdk_log_hold(eal);
	rte_eal_cleanup();
	rte_openlog_stream(NULL);
	fclose(eal->log_stream);
	free(eal);
}

bool dpdk_eal_has_huge_pages(const struct dpdk_eal *eal)
{
	return eal->huge;
}
