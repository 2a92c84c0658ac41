/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring: a weir and the load in one process, with a pair (pair.h) between them.
 *
 *     ring FILE SCENARIO ...      FILE: weir's configuration, with one port; the rest as for load
 *
 * weir's cores go where FILE says; the load stays on the CPUs that the process was given.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "load_main.h"
#include "machine.h"
#include "pair.h"
#include "reload.h"

struct side {
	struct machine *machine;
	int argc;
	char **argv;
	int status;
};

static void *run_load(void *ctx)
{
	struct side *side = ctx;

	side->status = load_main(side->argc, side->argv, pair_wire());
	machine_stop(side->machine, false);
	return NULL;
}

static struct model *read_model(const char *path)
{
	struct reload_options options = {.paths = &path,
		.path_count = 1,
		.cpu_count = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
		.env = lang_env_process};
	struct lang_diags diags;
	struct error err = {0};
	struct model *model;

	lang_diags_init(&diags);
	model = reload_load(&options, &diags, &err);
	lang_diags_print(&diags, stderr, (long)getpid(), false);
	lang_diags_fini(&diags);
	return model;
}

/* Both sides until the load has ended. */
static int run(const struct model *model, int argc, char **argv, struct error *err)
{
	struct side side = {machine_create(model, err), argc, argv, 1};
	pthread_t thread;
	int rc;

	if (!side.machine)
		return 1;
	rc = pthread_create(&thread, NULL, run_load, &side);
	if (rc == 0) {
		rc = machine_run(side.machine, err);
		pthread_join(thread, NULL);
	}
	machine_destroy(side.machine);
	return rc ? 1 : side.status;
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct model *model;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: ring FILE SCENARIO ...\n");
		return 2;
	}
	model = read_model(argv[1]);
	if (!model)
		return 1;
	status = run(model, argc - 1, argv + 1, &err);
	if (err.code)
		fprintf(stderr, "ring: %s\n", err.text);
	model_destroy(model);
	return status;
}
