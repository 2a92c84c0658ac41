/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One scenario as data. A step is a line of text:
 *     c> TEXT      the client sends          s> TEXT      the server sends (connected last)
 *     c shut, c close, c reset, c pause, c read           s the same
 *     open         another client            wait MS
 */
#ifndef WEIR_TESTS_SCRIPT_H
#define WEIR_TESTS_SCRIPT_H

#include "bench.h"

#define SCRIPT_STEPS_MAX 16

struct script {
	const char *name;
	void (*setup)(struct bench *b);
	const char *steps[SCRIPT_STEPS_MAX];
	const char *got;      /* the client's last bytes begin with this; NULL: nothing came */
	char end;             /* of the client: 'F' end, 'R' reset, 'O' open */
	const char *log;      /* part of the last log line; NULL: none was written */
	const char *stats;    /* see bench_check_stats */
	const char *upstream; /* the last server got this; NULL: not looked at */
};

void script_run(const struct script *s, enum model_mode mode);

/* Set-ups of rows in both modes. The first server: */
void script_refuse(struct bench *b);
void script_hang(struct bench *b);
void script_no_port(struct bench *b);
void script_disabled(struct bench *b);
/* The frontend: */
void script_no_backend(struct bench *b);
void script_dontlognull(struct bench *b);
void script_logasap(struct bench *b);
void script_default_log(struct bench *b);
/* The backend: */
void script_abortonclose_hang(struct bench *b);
void script_tunnel(struct bench *b);

#endif
