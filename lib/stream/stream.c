/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_pvt.h"

static void stream_let_go(struct stream *s)
{
	s->ops = NULL;
	s->impl = NULL;
}

void stream_close(struct stream *s)
{
	if (!stream_is_open(s))
		return;
	s->ops->close(s);
	stream_let_go(s);
}

void stream_abort(struct stream *s)
{
	if (!stream_is_open(s))
		return;
	s->ops->abort(s);
	stream_let_go(s);
}
