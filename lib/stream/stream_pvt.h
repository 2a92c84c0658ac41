/* SPDX-License-Identifier: BSD-3-Clause */
/* stream, private: what the carriers share. */
#ifndef WEIR_STREAM_PVT_H
#define WEIR_STREAM_PVT_H

#include "stream.h"

static inline void stream_open(
	struct stream *s, const struct stream_ops *ops, void *impl, stream_event_fn on_event)
{
	s->ops = ops;
	s->impl = impl;
	s->on_event = on_event;
}

#endif
