/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "model.h"

static void defaults_are_haproxys(void **state)
{
	struct model *m = model_create();

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->global.maxconn, MODEL_MAXCONN);
	assert_int_equal(m->global.maxhdr, 101);
	assert_int_equal(m->global.bufsize, 16384);
	assert_int_equal(m->global.maxrewrite, 1024);
	assert_int_equal(m->global.stats_timeout_ms, 10000);
	assert_int_equal(m->global.stats_maxconn, 10);
	assert_int_equal(m->proxy_count, 0);
	model_destroy(m);
	model_destroy(NULL);
}

static void memory_is_zeroed_aligned_and_lives_on(void **state)
{
	static const size_t sizes[] = {1, 7, 16, 100, 65536, 65537, 1 << 20, 3};
	struct model *m = model_create();
	unsigned char *kept[ARRAY_LEN(sizes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		kept[i] = model_alloc(m, sizes[i]);
		assert_non_null(kept[i]);
		assert_int_equal((uintptr_t)kept[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(kept[i][k], 0);
		memset(kept[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(kept[i][k], i + 1);
	model_destroy(m);
}

static void strings_are_copied(void **state)
{
	struct model *m = model_create();
	char text[] = "weir and more";

	(void)state;
	assert_string_equal(model_strdup(m, bytes_of(text, 4)), "weir");
	assert_string_equal(model_strdup(m, BYTES_NONE), "");
	model_destroy(m);
}

static void names_are_found_by_their_side(void **state)
{
	static const struct model_proxy proxies[] = {
		{.name = "web", .is_frontend = true},
		{.name = "web", .is_backend = true, .be = {.server_first = 0, .server_count = 2}},
		{.name = "all",
			.is_frontend = true,
			.is_backend = true,
			.be = {.server_first = 2, .server_count = 1}},
	};
	static const struct model_server servers[] = {{.name = "a"}, {.name = "b"}, {.name = "a"}};
	struct model *m = model_create();

	(void)state;
	m->proxies = proxies;
	m->proxy_count = ARRAY_LEN(proxies);
	m->servers = servers;
	m->server_count = ARRAY_LEN(servers);
	assert_int_equal(model_find_frontend(m, BYTES_LIT("web")), 0);
	assert_int_equal(model_find_backend(m, BYTES_LIT("web")), 1);
	assert_int_equal(model_find_frontend(m, BYTES_LIT("all")), 2);
	assert_int_equal(model_find_backend(m, BYTES_LIT("all")), 2);
	assert_int_equal(model_find_backend(m, BYTES_LIT("we")), MODEL_NONE);
	assert_int_equal(model_find_server(m, 1, BYTES_LIT("b")), 1);
	assert_int_equal(model_find_server(m, 2, BYTES_LIT("a")), 2);
	assert_int_equal(model_find_server(m, 2, BYTES_LIT("b")), MODEL_NONE);
	model_destroy(m);
}

static void goes_with_its_last_holder(void **state)
{
	struct error err = {0};
	struct snap_domain *domain = snap_domain_create(1, &err);
	struct model *m = model_create();
	struct snap *place = NULL;

	(void)state;
	assert_non_null(domain);
	assert_null(snap_publish(&place, &m->snap));
	snap_online(domain, 0);
	snap_hold(&m->snap, 0);
	assert_ptr_equal(snap_publish(&place, NULL), &m->snap);
	snap_retire(domain, &m->snap);
	snap_quiet(domain, 0);
	assert_int_equal(snap_reap(domain), 1);
	snap_release(&m->snap, 0);
	snap_quiet(domain, 0);
	assert_int_equal(snap_reap(domain), 0); /* destroyed: the sanitizer would see a leak */
	snap_offline(domain, 0);
	assert_int_equal(snap_domain_destroy(domain), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_haproxys),
		cmocka_unit_test(memory_is_zeroed_aligned_and_lives_on),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(names_are_found_by_their_side),
		cmocka_unit_test(goes_with_its_last_holder),
	};

	return cmocka_run_group_tests_name("model/model", tests, NULL, NULL);
}
