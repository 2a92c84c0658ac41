/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "base_hash.h"

/* The reference vectors of the SipHash paper: key 00..0f, message 00..len-1. */
static void siphash_matches_reference_vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t want;
	} rows[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
	};
	struct hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t msg[16];

	(void)state;
	for (size_t i = 0; i < sizeof(msg); i++)
		msg[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(hash_keyed(&key, msg, rows[i].len) == rows[i].want);
}

static void seed_changes_hash(void **state)
{
	(void)state;
	assert_true(hash_bytes("weir", 4, 1) != hash_bytes("weir", 4, 2));
	assert_true(hash_bytes("weir", 4, 1) == hash_bytes("weir", 4, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_matches_reference_vectors),
		cmocka_unit_test(seed_changes_hash),
	};

	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
