/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of captured frames. */
#ifndef WEIR_MG_PCAPNG_H
#define WEIR_MG_PCAPNG_H

#include <stdio.h>

#include "base_error.h"
#include "capture.h"

/** A new file with its headers; NULL with *err set. An old one of this name is overwritten; links
 * and devices are refused. */
FILE *mg_pcapng_create(const char *path, const char *port, struct error *err);
/** Appends a frame. False: the disk is full, or broken. */
bool mg_pcapng_write(FILE *file, const struct port_frame *frame);

#endif
