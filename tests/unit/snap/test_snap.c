/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "snap.h"

struct object {
	struct snap snap;
	uint32_t number;
	uint32_t *destroyed; /* counts */
};

static void object_destroy(struct snap *snap)
{
	struct object *object = CONTAINER_OF(snap, struct object, snap);

	(*object->destroyed)++;
	free(object);
}

static struct object *object_create(uint32_t number, uint32_t *destroyed)
{
	struct object *object = aligned_alloc(CACHE_LINE_BYTES, sizeof(*object));

	assert_non_null(object);
	snap_init(&object->snap, object_destroy);
	object->number = number;
	object->destroyed = destroyed;
	return object;
}

static void waits_for_every_core_that_is_online(void **state)
{
	struct snap_domain *domain = snap_domain_create(3, NULL);
	struct snap *place = NULL, *old;
	uint32_t destroyed = 0;

	(void)state;
	assert_non_null(domain);
	assert_null(snap_publish(&place, &object_create(1, &destroyed)->snap));
	snap_online(domain, 0);
	snap_online(domain, 1); /* core 2 stays offline and holds nobody up */
	old = snap_publish(&place, &object_create(2, &destroyed)->snap);
	assert_int_equal(CONTAINER_OF(old, struct object, snap)->number, 1);
	assert_int_equal(CONTAINER_OF(snap_read(&place), struct object, snap)->number, 2);
	snap_retire(domain, old);
	assert_int_equal(snap_reap(domain), 1);
	snap_quiet(domain, 0);
	assert_int_equal(snap_reap(domain), 1);
	snap_quiet(domain, 0);
	assert_int_equal(snap_reap(domain), 1);
	snap_quiet(domain, 1);
	assert_int_equal(snap_reap(domain), 0);
	assert_int_equal(destroyed, 1);

	snap_retire(domain, snap_publish(&place, NULL));
	assert_null(snap_read(&place));
	snap_quiet(domain, 0);
	assert_int_equal(snap_reap(domain), 1);
	snap_offline(domain, 1);
	assert_int_equal(snap_reap(domain), 0);
	assert_int_equal(destroyed, 2);
	assert_int_equal(snap_domain_destroy(domain), 0);
	assert_int_equal(snap_domain_destroy(NULL), 0);
}

static void holds_outlive_quiet_points(void **state)
{
	struct snap_domain *domain = snap_domain_create(2, NULL);
	uint32_t destroyed = 0;
	struct snap *old = &object_create(1, &destroyed)->snap;
	struct snap *young = &object_create(2, &destroyed)->snap;

	(void)state;
	snap_online(domain, 0);
	snap_online(domain, 1);
	snap_hold(old, 0);
	snap_hold(old, 1);
	snap_hold(old, 1);
	snap_retire(domain, old);
	snap_retire(domain, young);
	snap_quiet(domain, 0);
	snap_quiet(domain, 1);
	assert_int_equal(snap_reap(domain), 1); /* the young one goes first */
	assert_int_equal(destroyed, 1);
	snap_release(old, 0);
	snap_release(old, 1);
	assert_int_equal(snap_reap(domain), 1);
	snap_release(old, 1);
	assert_int_equal(snap_reap(domain), 0);
	assert_int_equal(destroyed, 2);
	assert_int_equal(snap_domain_destroy(domain), 0);
}

static void destroying_the_domain_tells_who_is_held(void **state)
{
	struct snap_domain *domain = snap_domain_create(SNAP_CORES_MAX, NULL);
	uint32_t destroyed = 0;
	struct snap *held = &object_create(1, &destroyed)->snap;

	(void)state;
	snap_online(domain, SNAP_CORES_MAX - 1);
	snap_hold(held, SNAP_CORES_MAX - 1);
	snap_retire(domain, held);
	snap_retire(domain, &object_create(2, &destroyed)->snap);
	assert_int_equal(snap_reap(domain), 2);
	assert_int_equal(snap_domain_destroy(domain), 1);
	assert_int_equal(destroyed, 2);
}

/* Readers run against a publisher; AddressSanitizer sees it if something goes too early. */
enum { READERS = 2, PUBLICATIONS = 300 };

struct reader {
	pthread_t thread;
	struct snap_domain *domain;
	struct snap **place;
	uint32_t core;
	bool stop;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct object *kept = NULL;
	uint32_t last = 0;

	snap_online(r->domain, r->core);
	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		struct object *o = CONTAINER_OF(snap_read(r->place), struct object, snap);

		assert_true(o->number >= last);
		last = o->number;
		if (!kept) {
			kept = o;
			snap_hold(&kept->snap, r->core);
		} else if (last % 3 == 0) {
			assert_true(kept->number <= last);
			snap_release(&kept->snap, r->core);
			kept = NULL;
		}
		snap_quiet(r->domain, r->core);
		sched_yield();
	}
	if (kept)
		snap_release(&kept->snap, r->core);
	snap_offline(r->domain, r->core);
	return NULL;
}

static void readers_never_see_a_destroyed_object(void **state)
{
	struct snap_domain *domain = snap_domain_create(READERS, NULL);
	struct reader readers[READERS];
	struct snap *place = NULL;
	uint32_t destroyed = 0;

	(void)state;
	snap_publish(&place, &object_create(0, &destroyed)->snap);
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.domain = domain, .place = &place, .core = i};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	for (uint32_t n = 1; n <= PUBLICATIONS; n++) {
		snap_retire(domain, snap_publish(&place, &object_create(n, &destroyed)->snap));
		snap_reap(domain);
		sched_yield();
	}
	for (uint32_t i = 0; i < READERS; i++) {
		__atomic_store_n(&readers[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(readers[i].thread, NULL);
	}
	snap_retire(domain, snap_publish(&place, NULL));
	assert_int_equal(snap_reap(domain), 0);
	assert_int_equal(destroyed, PUBLICATIONS + 1);
	assert_int_equal(snap_domain_destroy(domain), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_every_core_that_is_online),
		cmocka_unit_test(holds_outlive_quiet_points),
		cmocka_unit_test(destroying_the_domain_tells_who_is_held),
		cmocka_unit_test(readers_never_see_a_destroyed_object),
	};

	return cmocka_run_group_tests_name("snap", tests, NULL, NULL);
}
