/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_pump: bytes from one side to the other, by reference.
 *
 * No more is taken from one side than the other has room for, so what is not taken closes the
 * sender's window. A plain stream tells of new room only after it had to refuse something, so
 * when there is no room at all one packet's worth is taken ahead and held.
 */
#include "proxy_pvt.h"

uint32_t px_pipe_run(struct px_pipe *pipe, struct stream *from, struct stream *to)
{
	uint32_t moved = 0;

	pipe->starved = false;
	pipe->blocked = false;
	for (;;) {
		uint32_t ready, want;

		if (!pkt_chain_is_empty(&pipe->hold)) {
			moved += stream_send(to, &pipe->hold, pipe->hold.bytes);
			pipe->blocked = !pkt_chain_is_empty(&pipe->hold);
			if (pipe->blocked)
				break;
		}
		ready = stream_recv_ready(from);
		if (ready == 0)
			break;
		want = MAX(stream_send_room(to), (uint32_t)PX_AHEAD_BYTES);
		if (stream_recv(from, &pipe->hold, MIN(ready, want)) == 0) {
			pipe->starved = true;
			break;
		}
	}
	return moved;
}

uint32_t px_pipe_run_http(struct px_pipe *pipe, struct http_xchg *from, struct http_xchg *to)
{
	uint32_t moved = 0;

	pipe->blocked = false;
	for (;;) {
		uint32_t room;

		if (!pkt_chain_is_empty(&pipe->hold)) {
			moved += http_xchg_send(to, &pipe->hold, pipe->hold.bytes);
			pipe->blocked = !pkt_chain_is_empty(&pipe->hold);
			if (pipe->blocked)
				break;
		}
		room = http_xchg_send_room(to);
		pipe->blocked = room == 0;
		if (room == 0 || http_xchg_recv(from, &pipe->hold, room) == 0)
			break;
	}
	return moved;
}
