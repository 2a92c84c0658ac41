/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_pvt.h"

int tcp_table_init(struct tcp_table *t, uint32_t count_max, struct error *err)
{
	uint64_t slots = 16;
	int rc;

	*t = (struct tcp_table){0};
	while (slots * 3 / 4 < count_max) /* beyond three quarters probes grow long */
		slots *= 2;
	rc = mem_region_alloc(&t->region, slots * sizeof(*t->slots), "tcp connection table", err);
	if (rc)
		return rc;
	t->slots = t->region.base;
	t->mask = (uint32_t)(slots - 1);
	return 0;
}

void tcp_table_fini(struct tcp_table *t)
{
	mem_region_free(&t->region);
}

struct tcp_tuple_hash tcp_tuple_hash(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
	uint64_t hash = hash_keyed(&tcp->config.secret, tuple, sizeof(*tuple));

	return (struct tcp_tuple_hash){(uint32_t)hash, (uint32_t)(hash >> 32)};
}

struct tcp_conn *tcp_ref_conn(const struct tcp *tcp, uint32_t ref)
{
	return ref && !(ref & TCP_REF_TW) ? mem_pool_at(&tcp->conns, ref - 1) : NULL;
}

struct tcp_tw *tcp_ref_tw(const struct tcp *tcp, uint32_t ref)
{
	return ref & TCP_REF_TW ? mem_pool_at(&tcp->tws, (ref & ~TCP_REF_TW) - 1) : NULL;
}

static const struct tcp_tuple *ref_tuple(const struct tcp *tcp, uint32_t ref)
{
	return ref & TCP_REF_TW ? &tcp_ref_tw(tcp, ref)->tuple : &tcp_ref_conn(tcp, ref)->tuple;
}

uint32_t tcp_table_find(const struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t hash)
{
	const struct tcp_table *t = &tcp->table;

	for (uint32_t i = hash & t->mask; t->slots[i].ref; i = (i + 1) & t->mask) {
		if (t->slots[i].hash == hash &&
			memcmp(ref_tuple(tcp, t->slots[i].ref), tuple, sizeof(*tuple)) == 0)
			return t->slots[i].ref;
	}
	return 0;
}

void tcp_table_add(struct tcp_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t i = hash & t->mask;

	ASSERT(t->count < t->mask);
	while (t->slots[i].ref)
		i = (i + 1) & t->mask;
	t->slots[i] = (struct tcp_slot){.hash = hash, .ref = ref};
	t->count++;
}

/* Slots after the hole move back into it, unless that would put them before their home. */
void tcp_table_del(struct tcp_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t hole = hash & t->mask;

	while (t->slots[hole].ref != ref) {
		ASSERT(t->slots[hole].ref != 0);
		hole = (hole + 1) & t->mask;
	}
	for (uint32_t i = (hole + 1) & t->mask; t->slots[i].ref; i = (i + 1) & t->mask) {
		uint32_t home = t->slots[i].hash & t->mask;

		if (((i - home) & t->mask) >= ((i - hole) & t->mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = (struct tcp_slot){0};
	t->count--;
}
