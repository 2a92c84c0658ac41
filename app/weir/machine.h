/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine: all cores, ports, stacks and services of a running weir, built from one model.
 *
 * machine_create reserves everything and opens the ports; machine_run starts one thread per worker,
 * turns the control core in the calling thread until a stop is asked for, and joins the
 * threads; machine_destroy gives everything back.
 */
#ifndef WEIR_APP_MACHINE_H
#define WEIR_APP_MACHINE_H

#include "base_error.h"

struct machine;
struct model;

/** The machine takes no ownership: the model must outlive it. NULL with *err set. */
struct machine *machine_create(const struct model *model, struct error *err);

/** Returns when all work has ended: 0, or a negative errno with *err if a thread did not start. */
int machine_run(struct machine *m, struct error *err);

/** NULL-safe. */
void machine_destroy(struct machine *m);

/** Standard output and error are not ours any more (-D). */
void machine_daemonised(struct machine *m);

/** From any thread or signal handler: sessions may finish (soft), or everything ends now. */
void machine_stop(struct machine *m, bool soft);

#endif
