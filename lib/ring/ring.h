/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring: bounded queues between cores (rte_ring). Many producers, one consumer, elements of
 * one fixed size copied by value. Order between two cores is kept.
 */
#ifndef WEIR_RING_H
#define WEIR_RING_H

#include "base_error.h"

struct ring;

/**
 * Start-up. Holds at least `count` elements (1 to 2^30): the next power of two less one, so 4095
 * wastes nothing. element_size_bytes is a multiple of 4. `name` is for the error text only.
 * Returns NULL with *err set (-ENOMEM).
 */
struct ring *ring_create(
	const char *name, uint32_t count, uint32_t element_size_bytes, struct error *err);

/** NULL-safe. What is still queued is lost: drain first. */
void ring_destroy(struct ring *ring);

/** Any core. Copies up to n elements in; returns how many fitted (0 to n). */
uint32_t ring_put(struct ring *ring, const void *elements, uint32_t n);

/** The consumer only. Copies up to n elements out; returns how many (0 to n). */
uint32_t ring_take(struct ring *ring, void *elements, uint32_t n);

/** Elements waiting; exact for the consumer, a moment's view for others. */
uint32_t ring_count(const struct ring *ring);

/** Any core: how many elements fit. */
uint32_t ring_capacity(const struct ring *ring);

#endif
