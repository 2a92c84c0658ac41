/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations from text, for tests. */
#ifndef WEIR_FAKE_CONFIG_H
#define WEIR_FAKE_CONFIG_H

#include "reload.h"

/* What fake_config_load found wrong, one line each: "ALERT 3 text", "WARNING 4 text". */
#define FAKE_CONFIG_TEXT_SIZE 8192

struct fake_config {
	struct model *model; /* NULL if there were alerts */
	char problems[FAKE_CONFIG_TEXT_SIZE];
	char hints[FAKE_CONFIG_TEXT_SIZE];
};

/** Compiles a text with one line per newline, as a machine with 4 CPUs. */
void fake_config_load(struct fake_config *f, const char *text);
void fake_config_free(struct fake_config *f);

/** Compiles a text that must be good. */
struct model *fake_config_model(const char *text);

#endif
