/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#include "lang_pvt.h"

#define BLOCK_BYTES 65536

struct block {
	struct block *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char data[];
};

struct lang_arena {
	struct block *blocks; /* the first is the one being filled */
	size_t bytes;
	size_t bytes_max;
};

struct lang_arena *lang_arena_create(size_t bytes_max)
{
	struct lang_arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->bytes_max = bytes_max ? bytes_max : LANG_MEMORY_MAX;
	return arena;
}

void lang_arena_destroy(struct lang_arena *arena)
{
	struct block *b;

	if (!arena)
		return;
	while ((b = arena->blocks) != NULL) {
		arena->blocks = b->next;
		free(b);
	}
	free(arena);
}

size_t lang_arena_bytes(const struct lang_arena *arena)
{
	return arena->bytes;
}

static bool add_block(struct lang_arena *arena, size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		return false;
	b->size = size;
	b->next = arena->blocks;
	arena->blocks = b;
	return true;
}

void *lang_arena_alloc(struct lang_arena *arena, size_t size)
{
	struct block *b = arena->blocks;
	size_t room = arena->bytes_max - arena->bytes;
	void *p;

	if (size > room)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > room)
		return NULL;
	if (!b || b->size - b->used < size) {
		if (!add_block(arena, MAX(size, (size_t)BLOCK_BYTES)))
			return NULL;
		b = arena->blocks;
	}
	p = b->data + b->used;
	b->used += size;
	arena->bytes += size;
	return p;
}

char *lang_arena_text(struct lang_arena *arena, struct bytes text)
{
	char *p = lang_arena_alloc(arena, text.len + 1);

	if (p && text.len > 0)
		memcpy(p, text.ptr, text.len);
	return p;
}

int lang_text_reserve(struct lang_arena *arena, struct lang_text *t, size_t more)
{
	size_t size = MAX(t->size * 2, t->len + more);
	char *ptr;

	if (t->size - t->len >= more)
		return 0;
	ptr = lang_arena_alloc(arena, MAX(size, (size_t)256));
	if (!ptr)
		return -ENOMEM;
	if (t->len > 0)
		memcpy(ptr, t->ptr, t->len);
	t->ptr = ptr;
	t->size = MAX(size, (size_t)256);
	return 0;
}

int lang_text_add(struct lang_arena *arena, struct lang_text *t, struct bytes more)
{
	if (lang_text_reserve(arena, t, more.len) != 0)
		return -ENOMEM;
	if (more.len > 0)
		memcpy(t->ptr + t->len, more.ptr, more.len);
	t->len += more.len;
	return 0;
}
