/* SPDX-License-Identifier: BSD-3-Clause */
/* http: the applications of the http-* scenarios. */
#ifndef WEIR_PERF_HTTP_H
#define WEIR_PERF_HTTP_H

#include "load.h"

/** Before the first connection: requests and heads for the scenario's sizes. */
void http_prepare(const struct scenario *s);
void http_start(struct load *load, struct client *client);
extern const struct net_app http_client_app, http_origin_app;

#endif
