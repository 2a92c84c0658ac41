/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines are records of whole words, one after the other; a record never wraps. What is left
 * before the end of the ring and too small for the next record is a record to skip. Positions
 * only grow; modulo the size they are places. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mem.h"

#define SIZE_MIN_BYTES ((size_t)32 << 10)
#define TEXT_LEN_SKIP  UINT32_MAX

struct log_record {
	uint32_t size_bytes; /* with padding; what comes after starts there */
	uint32_t text_len;   /* TEXT_LEN_SKIP: nothing in it, not even the fields below */
	uint64_t wall_ns;
	uint32_t target;
	uint32_t level;
	char text[];
};

#define RECORD_ALIGN     8 /* what is left at the end holds at least the first two fields */
#define RECORD_MAX_BYTES (sizeof(struct log_record) + LOG_LINE_MAX_BYTES)

static_assert(SIZE_MIN_BYTES >= 2 * RECORD_MAX_BYTES, "an empty ring takes every line");
static_assert(offsetof(struct log_record, wall_ns) == RECORD_ALIGN, "a record to skip fits");

struct log_ring {
	struct mem_region region;
	size_t size_bytes;
	char *data;
	/* The writer's line. */
	CACHE_ALIGNED uint64_t head;
	uint64_t tail_seen; /* the tail when the writer last looked */
	uint64_t dropped;
	/* The reader's line. */
	CACHE_ALIGNED uint64_t tail;
};

struct log_ring *log_ring_create(size_t size_bytes, struct error *err)
{
	size_t size = SIZE_MIN_BYTES;
	struct mem_region region;
	struct log_ring *ring;

	while (size < size_bytes && size < SIZE_MAX / 4)
		size *= 2;
	if (mem_region_alloc(&region, sizeof(*ring) + size, "event log", err) < 0)
		return NULL;
	ring = region.base;
	ring->region = region;
	ring->size_bytes = size;
	ring->data = (char *)(ring + 1);
	return ring;
}

void log_ring_destroy(struct log_ring *ring)
{
	struct mem_region region;

	if (!ring)
		return;
	region = ring->region; /* the ring lies in it */
	mem_region_free(&region);
}

static struct log_record *record_at(const struct log_ring *ring, uint64_t position)
{
	return (struct log_record *)(ring->data + (position & (ring->size_bytes - 1)));
}

static bool has_room(struct log_ring *ring, uint64_t size_bytes)
{
	if (ring->head - ring->tail_seen + size_bytes <= ring->size_bytes)
		return true;
	ring->tail_seen = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
	return ring->head - ring->tail_seen + size_bytes <= ring->size_bytes;
}

/* Room for a record at *position, which moves to the start of the ring if need be. */
static struct log_record *record_reserve(
	struct log_ring *ring, uint32_t size_bytes, uint64_t *position)
{
	uint64_t left = ring->size_bytes - (ring->head & (ring->size_bytes - 1));
	uint64_t skip = left < size_bytes ? left : 0;
	struct log_record *record;

	if (!has_room(ring, skip + size_bytes)) {
		__atomic_store_n(&ring->dropped, ring->dropped + 1, __ATOMIC_RELAXED);
		return NULL;
	}
	*position = ring->head + skip;
	if (skip > 0) {
		record = record_at(ring, ring->head);
		record->size_bytes = (uint32_t)skip;
		record->text_len = TEXT_LEN_SKIP;
	}
	record = record_at(ring, *position);
	record->size_bytes = size_bytes;
	return record;
}

bool log_write(struct log_ring *ring, uint64_t wall_ns, uint32_t target, enum log_level level,
	struct bytes text)
{
	static const struct bytes mark = BYTES_LIT("...");
	size_t len = MIN(text.len, (size_t)LOG_LINE_MAX_BYTES);
	size_t size = (sizeof(struct log_record) + len + RECORD_ALIGN - 1) & ~(RECORD_ALIGN - 1ul);
	struct log_record *record;
	uint64_t position;

	record = record_reserve(ring, (uint32_t)size, &position);
	if (!record)
		return false;
	record->wall_ns = wall_ns;
	record->target = target;
	record->level = level;
	record->text_len = (uint32_t)len;
	if (len > 0)
		memcpy(record->text, text.ptr, len);
	if (len < text.len)
		memcpy(record->text + len - mark.len, mark.ptr, mark.len);
	__atomic_store_n(&ring->head, position + size, __ATOMIC_RELEASE);
	return true;
}

bool log_event(struct log_ring *ring, uint64_t wall_ns, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX_BYTES + 2]; /* one more than fits, so that log_write marks the cut */
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = MIN(MAX(len, 0), LOG_LINE_MAX_BYTES + 1);
	return log_write(ring, wall_ns, LOG_TARGET_SELF, level, bytes_of(text, (size_t)len));
}

uint32_t log_drain(struct log_ring *ring, uint32_t max,
	void (*fn)(void *ctx, const struct log_line *line), void *ctx)
{
	uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE), tail = ring->tail;
	uint32_t count = 0;

	while (tail != head && count < max) {
		const struct log_record *record = record_at(ring, tail);

		if (record->text_len != TEXT_LEN_SKIP) {
			struct log_line line = {record->wall_ns, record->target,
				(enum log_level)record->level,
				bytes_of(record->text, record->text_len)};

			fn(ctx, &line);
			count++;
		}
		tail += record->size_bytes;
		__atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
	}
	return count;
}

uint64_t log_dropped(const struct log_ring *ring)
{
	return __atomic_load_n(&ring->dropped, __ATOMIC_RELAXED);
}
