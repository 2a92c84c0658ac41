/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>

#include "lang_value.h"

/* Compared with "timeout client" of HAProxy 2.6.12, except where a comment says so. */
static void times(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* or a negative errno */
	} rows[] = {
		{"1", 1}, {"0", 0}, {"01", 1}, {"0us", 0}, {"0s", 0}, {"1us", 1}, {"999us", 1},
		{"1000us", 1}, {"1001us", 2}, {"1ms", 1}, {"1s", 1000}, {"90s", 90000},
		{"1m", 60000}, {"1h", 3600000}, {"1d", 86400000}, {"24d", 24 * 86400000LL},
		{"596h", 596 * 3600000LL}, {"35791m", 35791 * 60000LL}, {"2147483s", 2147483000},
		{"2147483646", 2147483646}, {"2147483647", 2147483647},
		{"2147483647ms", 2147483647}, {"2147483647000us", 2147483647}, {"1sec", 1000},
		{"1min", 60000}, {"2hours", 7200000}, {"1mm", 60000}, {"1msx", 1}, {"1usx", 1},
		{"25d", -ERANGE}, {"49d", -ERANGE}, {"597h", -ERANGE}, {"35792m", -ERANGE},
		{"2147484s", -ERANGE}, {"2147483648", -ERANGE}, {"4294967295", -ERANGE},
		{"4294967296", -ERANGE}, {"99999999999999999999", -ERANGE},
		{"99999999999999999999d", -ERANGE}, {"18446744073709551616us", -ERANGE},
		{"2147483647001us", -ERANGE}, {"2147483648000us", -ERANGE}, {"", -EINVAL},
		{"s", -EINVAL}, {"-1", -EINVAL}, {"+1", -EINVAL}, {" 1", -EINVAL}, {"1 s", -EINVAL},
		{"1.5s", -EINVAL}, {"1S", -EINVAL}, {"1w", -EINVAL}, {"1u", -EINVAL},
		{"0x10", -EINVAL}, {"1_0", -EINVAL}, {"infinite", -EINVAL},
		{"1s500ms", -EINVAL}, /* HAProxy takes it for 1s */
		{"1s ", -EINVAL},     /* HAProxy takes it for 1s */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};
		uint64_t ns = 77;
		int rc = lang_time_parse(rows[i].text, NS_PER_MS, 0, &ns, &err);

		if (rc != (rows[i].ms < 0 ? rows[i].ms : 0) || (rc == 0) == (err.code != 0))
			fail_msg("%s: %d %s", rows[i].text, rc, err.text);
		assert_int_equal(ns, rc ? 77 : (uint64_t)rows[i].ms * NS_PER_MS);
	}
}

static void times_in_other_units(void **state)
{
	uint64_t ns;

	(void)state;
	assert_int_equal(lang_time_parse("5", NS_PER_SEC, 0, &ns, NULL), 0);
	assert_int_equal(ns, 5 * NS_PER_SEC);
	assert_int_equal(lang_time_parse("1500ms", NS_PER_SEC, 0, &ns, NULL), 0);
	assert_int_equal(ns, 2 * NS_PER_SEC);
	assert_int_equal(lang_time_parse("7", NS_PER_US, 0, &ns, NULL), 0);
	assert_int_equal(ns, 7 * NS_PER_US);
	assert_int_equal(lang_time_parse("11s", NS_PER_MS, 10 * NS_PER_SEC, &ns, NULL), -ERANGE);
	assert_int_equal(lang_time_parse("10s", NS_PER_MS, 10 * NS_PER_SEC, &ns, NULL), 0);
}

/* Compared with "stick-table size" of HAProxy 2.6.12. */
static void sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} rows[] = {
		{"0", 0},
		{"1", 1},
		{"007", 7},
		{"1k", 1024},
		{"1K", 1024},
		{"1m", 1 << 20},
		{"1M", 1 << 20},
		{"1g", 1 << 30},
		{"3G", 3LL << 30},
		{"4095m", 4095LL << 20},
		{"4194303k", 4194303LL << 10},
		{"4294967295", 4294967295},
		{"4g", -ERANGE},
		{"5g", -ERANGE},
		{"4096m", -ERANGE},
		{"4194304k", -ERANGE},
		{"4294967296", -ERANGE},
		{"99999999999999999999", -ERANGE},
		{"99999999999999999999g", -ERANGE},
		{"18446744073709551615g", -ERANGE},
		{"", -EINVAL},
		{"k", -EINVAL},
		{"1kb", -EINVAL},
		{"1b", -EINVAL},
		{"1t", -EINVAL},
		{"1k1", -EINVAL},
		{"1.5k", -EINVAL},
		{" 1", -EINVAL},
		{"1 ", -EINVAL},
		{"-1", -EINVAL},
		{"+1", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};
		uint64_t bytes = 0;
		int rc = lang_size_parse(rows[i].text, UINT32_MAX, &bytes, &err);

		if (rc != (rows[i].bytes < 0 ? rows[i].bytes : 0))
			fail_msg("%s: %d %s", rows[i].text, rc, err.text);
		assert_int_equal(bytes, rc ? 0 : rows[i].bytes);
	}
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		int rc;
	} rows[] = {
		{"0", 0, 10, 0, 0},
		{"10", 0, 10, 10, 0},
		{"+5", 0, 10, 5, 0},
		{"-5", -5, 10, -5, 0},
		{"005", 0, 10, 5, 0},
		{"-0", 0, 10, 0, 0},
		{"9223372036854775807", 0, INT64_MAX, INT64_MAX, 0},
		{"-9223372036854775807", INT64_MIN, 0, -INT64_MAX, 0},
		{"11", 0, 10, 0, -ERANGE},
		{"-1", 0, 10, 0, -ERANGE},
		{"9223372036854775808", 0, INT64_MAX, 0, -ERANGE},
		{"99999999999999999999999", 0, INT64_MAX, 0, -ERANGE},
		{"-99999999999999999999999", INT64_MIN, INT64_MAX, 0, -ERANGE},
		{"", 0, 10, 0, -EINVAL},
		{"-", 0, 10, 0, -EINVAL},
		{"+", 0, 10, 0, -EINVAL},
		{"--1", -10, 10, 0, -EINVAL},
		{"1x", 0, 10, 0, -EINVAL},
		{"x", 0, 10, 0, -EINVAL},
		{" 1", 0, 10, 0, -EINVAL},
		{"1 ", 0, 10, 0, -EINVAL},
		{"0x10", 0, 100, 0, -EINVAL},
		{"1.0", 0, 10, 0, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};
		int64_t value = 0;
		int rc = lang_int_parse(rows[i].text, rows[i].min, rows[i].max, &value, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: %d %s", rows[i].text, rc, err.text);
		assert_int_equal(value, rows[i].value);
	}
}

static void percentages_and_switches(void **state)
{
	static const struct {
		const char *text;
		int value; /* or a negative errno */
	} rows[] = {{"0", 0}, {"0%", 0}, {"50%", 50}, {"50", 50}, {"100%", 100}, {"101%", -ERANGE},
		{"99999999999999999999%", -ERANGE}, {"", -EINVAL}, {"%", -EINVAL}, {"1%%", -EINVAL},
		{"1 %", -EINVAL}, {"-1%", -EINVAL}, {"1.5%", -EINVAL}};
	static const char *const wrong[] = {"", "On", "yes", "1", "offf", "o"};
	struct error err = {0};
	unsigned value;
	bool on;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = lang_percent_parse(rows[i].text, 100, &value, NULL);

		assert_int_equal(rc ? rc : (int)value, rows[i].value);
	}
	assert_int_equal(lang_switch_parse("on", &on, NULL), 0);
	assert_true(on);
	assert_int_equal(lang_switch_parse("off", &on, NULL), 0);
	assert_false(on);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(lang_switch_parse(wrong[i], &on, &err), -EINVAL);
	assert_string_equal(err.text, "'' is neither 'on' nor 'off'");
}

static void errors_say_what_is_accepted(void **state)
{
	struct error err = {0};
	uint64_t value;
	int64_t number;

	(void)state;
	lang_time_parse("1w", NS_PER_MS, 0, &value, &err);
	assert_non_null(strstr(err.text, "'1w'"));
	assert_non_null(strstr(err.text, "us, ms, s, m, h, d"));
	error_clear(&err);
	lang_time_parse("25d", NS_PER_MS, 0, &value, &err);
	assert_non_null(strstr(err.text, "2147483647 ms"));
	error_clear(&err);
	lang_size_parse("1t", 100, &value, &err);
	assert_non_null(strstr(err.text, "k, m or g"));
	error_clear(&err);
	lang_int_parse("x", 1, 256, &number, &err);
	assert_non_null(strstr(err.text, "from 1 to 256"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(times_in_other_units),
		cmocka_unit_test(sizes),
		cmocka_unit_test(integers),
		cmocka_unit_test(percentages_and_switches),
		cmocka_unit_test(errors_say_what_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
