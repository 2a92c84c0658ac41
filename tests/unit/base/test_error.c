/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>

#include "base_error.h"

static void first_error_stays(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, -EINVAL, "port '%s' is not known", "lan0"), -EINVAL);
	assert_int_equal(error_set(&err, -ENOMEM, "later"), -ENOMEM);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "port 'lan0' is not known");
	assert_int_equal(error_prefix(&err, "%s:%d", "a.cfg", 3), -EINVAL);
	assert_string_equal(err.text, "a.cfg:3: port 'lan0' is not known");
	error_clear(&err);
	assert_int_equal(error_prefix(&err, "nothing"), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(error_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
}

static void long_text_is_cut(void **state)
{
	struct error err = {0};

	(void)state;
	error_set(&err, -EINVAL, "%0600d", 1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
	error_prefix(&err, "%0600d", 2);
	assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_error_stays),
		cmocka_unit_test(long_text_is_cut),
	};

	return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
