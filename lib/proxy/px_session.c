/* SPDX-License-Identifier: BSD-3-Clause */
#include "proxy_pvt.h"

struct px_session *px_session_new(struct px_bind *bind)
{
	struct proxy *px = bind->px;
	struct px_session *s = mem_pool_get(&px->sessions);
	uint32_t index;

	if (!s) {
		stat_add(&px->drops[PROXY_DROP_NO_SESSION], 1);
		return NULL;
	}
	*s = (struct px_session){
		.bind = bind,
		.accept_ns = px_now(px),
	};
	index = mem_pool_index(&px->sessions, s);
	px->live[index / 64] |= UINT64_C(1) << index % 64;
	return s;
}

void px_session_end(struct px_session *s, bool reset)
{
	struct proxy *px = s->bind->px;
	uint32_t index = mem_pool_index(&px->sessions, s);

	if (s->stream)
		px_stream_end(s->stream);
	if (s->own)
		px_peer_close(s->own, false);
	if (s->conn && reset)
		http_conn_abort(s->conn);
	else if (s->conn)
		http_conn_close(s->conn);
	px_gate_leave(s);
	px->live[index / 64] &= ~(UINT64_C(1) << index % 64);
	mem_pool_put(&px->sessions, s);
}

struct px_session *px_session_at(struct proxy *px, uint32_t index)
{
	if (index >= px->sessions_max || !(px->live[index / 64] >> index % 64 & 1))
		return NULL;
	return mem_pool_at(&px->sessions, index);
}

void px_session_each_live(struct proxy *px, void (*fn)(struct px_session *s))
{
	for (uint32_t word = 0; word <= (px->sessions_max - 1) / 64; word++) {
		uint64_t bits = px->live[word];

		while (bits) {
			uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(bits);
			struct px_session *s = px_session_at(px, index);

			bits &= bits - 1;
			if (s) /* fn may have ended it on behalf of another */
				fn(s);
		}
	}
}
