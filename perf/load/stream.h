/* SPDX-License-Identifier: BSD-3-Clause */
/* stream: the applications of the tcp-* scenarios. */
#ifndef WEIR_PERF_STREAM_H
#define WEIR_PERF_STREAM_H

#include "load.h"

/* A connection, one byte each way, and its end. */
void echo_start(struct load *load, struct client *client);
extern const struct net_app echo_client_app, echo_origin_app;

/* One byte asks for LOAD_OBJECT_MAX bytes, on a connection that stays; these are a unit. */
void stream_start(struct load *load, struct client *client);
extern const struct net_app stream_client_app, stream_origin_app;

#endif
