/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "model.h"

#define ARENA_BLOCK_BYTES (64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

struct model_arena {
	struct arena_block *blocks; /* the first one has room */
};

static void *arena_alloc(struct model_arena *arena, size_t size_bytes)
{
	struct arena_block *b = arena->blocks;
	void *p;

	size_bytes = (size_bytes + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!b || b->size - b->used < size_bytes) {
		size_t size = MAX(size_bytes, (size_t)ARENA_BLOCK_BYTES);

		b = calloc(1, sizeof(*b) + size);
		if (!b)
			return NULL;
		b->size = size;
		b->next = arena->blocks;
		arena->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += size_bytes;
	return p;
}

static void destroy_snap(struct snap *snap)
{
	model_destroy(CONTAINER_OF(snap, struct model, snap));
}

struct model *model_create(void)
{
	struct model *m = NULL;
	struct model_arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	/* struct snap is aligned to cache lines, so calloc will not do. */
	m = aligned_alloc(_Alignof(struct model), sizeof(*m));
	if (!m) {
		free(arena);
		return NULL;
	}
	memset(m, 0, sizeof(*m));
	m->arena = arena;
	snap_init(&m->snap, destroy_snap);
	m->global.maxconn = MODEL_MAXCONN;
	m->global.stats_timeout_ms = 10000;
	m->global.stats_maxconn = 10;
	m->global.maxhdr = 101;
	m->global.bufsize = 16384;
	m->global.maxrewrite = 1024;
	return m;
}

void *model_alloc(struct model *m, size_t size_bytes)
{
	return arena_alloc(m->arena, size_bytes);
}

const char *model_strdup(struct model *m, struct bytes text)
{
	char *p = arena_alloc(m->arena, text.len + 1);

	if (p && text.len)
		memcpy(p, text.ptr, text.len);
	return p;
}

void model_destroy(struct model *m)
{
	if (!m)
		return;
	for (struct arena_block *b = m->arena->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(m->arena);
	free(m);
}

static uint32_t find_proxy(const struct model *m, struct bytes name, bool frontend)
{
	for (uint32_t i = 0; i < m->proxy_count; i++) {
		const struct model_proxy *p = &m->proxies[i];

		if ((frontend ? p->is_frontend : p->is_backend) &&
			bytes_eq(bytes_of_cstr(p->name), name))
			return i;
	}
	return MODEL_NONE;
}

uint32_t model_find_frontend(const struct model *m, struct bytes name)
{
	return find_proxy(m, name, true);
}

uint32_t model_find_backend(const struct model *m, struct bytes name)
{
	return find_proxy(m, name, false);
}

uint32_t model_find_server(const struct model *m, uint32_t proxy, struct bytes name)
{
	const struct model_backend *be = &m->proxies[proxy].be;

	for (uint32_t i = be->server_first; i < be->server_first + be->server_count; i++)
		if (bytes_eq(bytes_of_cstr(m->servers[i].name), name))
			return i;
	return MODEL_NONE;
}
