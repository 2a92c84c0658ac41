/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions.
 *
 * In: a condition. Out: 1, 0 or -EINVAL; the big table holds what "haproxy -cc" of 2.6.12
 * answers to the same text. Always: a refusal has a text, an answer has none.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "lang_setup.h"

static const struct {
	const char *text;
	int rc;
} answers[] = {
	{"+1", 1},
	{"08", -EINVAL},
	{" 1", 1},
	{"1e", -EINVAL},
	{"0x", -EINVAL},
	{"0xg", -EINVAL},
	{"9999999999999999999999", 1},
	{"-0", 0},
	{"(0)", 0},
	{"( 1 )", 1},
	{"!( 1 )", 0},
	{"streq(,)", 1},
	{"streq(a,)", 0},
	{"streq(,a)", 0},
	{"streq(a ,a)", 0},
	{"streq(a,a )", 0},
	{"streq(\"a,b\",\"a,b\")", -EINVAL},
	{"streq(\"a)b\",\"a)b\")", -EINVAL},
	{"streq(a\\,b,\"a,b\")", -EINVAL},
	{"streq(a\\)b,\"a)b\")", -EINVAL},
	{"streq(a\\ b,a b)", 1},
	{"streq(\\x41,A)", 1},
	{"streq(\"a\" b,a b)", 1},
	{"streq(\"a,a)", -EINVAL},
	{"streq('a\"b','a\"b')", -EINVAL},
	{"streq((a),(a))", -EINVAL},
	{"streq((a,(a)", 1},
	{"streq($Q,q)", 0},
	{"streq(\"$Q\",q)", 1},
	{"streq(\"\\t\",\\t)", 1},
	{"streq(\\n,n)", 0},
	{"streq(\\#,#)", 0},
	{"streq(a#b,a#b)", 1},
	{"defined(A,B)", -EINVAL},
	{"defined(Q)x", -EINVAL},
	{"defined(Q) ", 1},
	{"defined( Q)", 0},
	{"defined(Q )", 0},
	{"!defined(Q)", 0},
	{"defined(\"Q\")", 1},
	{"defined(.LINE)", 0},
	{"feature(SSL)", 0},
	{"feature( OPENSSL)", 0},
	{"feature(-QUIC)", 0},
	{"feature(QUIC)", 0},
	{"feature(OPENS)", 0},
	{"feature(PCRE2_JIT)", 1},
	{"feature(OPENSSL)", 1},
	{"feature(openssl)", 0},
	{"strneq(a,b)", 1},
	{"strneq(a,a)", 0},
	{"strneq()", -EINVAL},
	{"version_atleast(2.6.12-2)", 0},
	{"version_before(2.6.12-2)", 1},
	{"version_before(2.6.13-dev)", 1},
	{"version_atleast(2.6.12-dev1)", 1},
	{"version_atleast(2.6-rc1)", 1},
	{"version_atleast(2.7-rc1)", 0},
	{"version_before(2.6.12)", 0},
	{"version_before(2.6.12-0)", 0},
	{"version_atleast(2.6-12)", 1},
	{"version_atleast(2.6-13)", 1},
	{"version_atleast(1.9.99)", 1},
	{"version_atleast(3.0)", 0},
	{"version_atleast(2.6)", 1},
	{"version_atleast(2.6.12)", 1},
	{"version_atleast(2.6.13)", 0},
	{"version_before(2.7-dev1)", 1},
	{"version_atleast(2.6-dev1)", 1},
	{"version_atleast(2)", 1},
	{"version_before(3)", 1},
	{"openssl_version_atleast(1.1.1k)", 1},
	{"openssl_version_atleast(3.0.0-beta1)", 1},
	{"openssl_version_before(1.1.1)", 0},
	{"openssl_version_atleast(3.0.23)", 0},
	{"ssllib_name_startswith(OpenSSL 3)", 1},
	{"ssllib_name_startswith()", 1},
	{"ssllib_name_startswith(open)", 0},
	{"ssllib_name_startswith(Libre)", 0},
	{"1&&", -EINVAL},
	{"1 &", -EINVAL},
	{"defined", 0},
	{"STREQ(a,a)", -EINVAL},
	{"streq(a,a)&&1", 1},
	{"streq(a,a)streq(a,a)", -EINVAL},
	{"\"1\"", 1},
	{"'1'", 1},
	{"1#", -EINVAL},
	{"1,1", -EINVAL},
	{"streq(\"a\\\\b\",a\\\\b)", 1},
	{"streq('a\\b',a\\b)", 1},
	{"streq(\"\",)", 1},
	{"streq(\"\",\"\")", 1},
	{"streq('','')", 1},
	{"streq(a\"b\"c,abc)", 1},
	{"streq(\"a\"\"b\",ab)", 1},
	{"streq(\\\"a,b\\\",\\\"a,b\\\")", 1},
	{"streq('\"a)\"','\"a)\"')", 1},
	{"streq('\"a,b\"',\"'a,b'\")", 1},
	{"1", 1},
	{"0", 0},
	{"00", 0},
	{"01", 1},
	{"1a", -EINVAL},
	{"!", -EINVAL},
	{"! 1", 0},
	{"!!1", 1},
	{"! ! 1", 1},
	{"!!!1", 0},
	{"-1", 1},
	{"0x1", 1},
	{"0x0", 0},
	{"foo", -EINVAL},
	{"foo(1)", -EINVAL},
	{"true", -EINVAL},
	{"defined(HOME", -EINVAL},
	{"defined (Q)", -EINVAL},
	{"streq(a)", -EINVAL},
	{"streq(a,b,c)", -EINVAL},
	{"streq()", -EINVAL},
	{"streq( a,a)", 0},
	{"streq(\"a b\",\"a b\")", 1},
	{"streq(a b,a b)", 1},
	{"streq(a  b,a b)", 1},
	{"()", -EINVAL},
	{"(1", -EINVAL},
	{"(1)", 1},
	{"1)", -EINVAL},
	{"((((1))))", 1},
	{"!(0", -EINVAL},
	{"(1))", -EINVAL},
	{"!(1)", 0},
	{"!(1 && 0)", 1},
	{"(1)(1)", -EINVAL},
	{"1 1", -EINVAL},
	{"1 (1)", -EINVAL},
	{"\"1 \"", 1},
	{"1 && 0", 0},
	{"1&&0", 0},
	{"0 || 1", 1},
	{"1 || 0", 1},
	{"1||1", 1},
	{"1 ||1", 1},
	{"1|| 1", 1},
	{"0 || 0", 0},
	{"1 | 1", -EINVAL},
	{"1 & 1", -EINVAL},
	{"1 &&& 1", -EINVAL},
	{"1 && && 1", -EINVAL},
	{"&& 1", -EINVAL},
	{"1 &&", -EINVAL},
	{"1 && ", -EINVAL},
	{"|| 1", -EINVAL},
	{"1 ||", -EINVAL},
	{"0 || 1 && 0", 0},
	{"1 || 0 && 0", 1},
	{"0 && 1 || 1", 1},
	{"1 && 1 || 0 && 0", 1},
	{"(0 || 1) && 1", 1},
	{"1 && (0 || (1 && !0))", 1},
	{"1 || foo", -EINVAL},
	{"0 && foo", -EINVAL},
	{"!defined(X) && !defined(Y)", 1},
	{"defined(Q) && streq(\"$Q\",q) || 0", 1},
	{"streq(a,b) && streq(c", -EINVAL},
	{"1 || 1 || 0", 1},
	{"!0 && !0", 1},
	{"!0||0", 1},
	{"", 0},
};

static void same_as_haproxy(void **state)
{
	struct lang_options options = lang_test_options();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct error err = {0};
		int rc = lang_cond_eval(answers[i].text, &options, &err);

		if (rc != answers[i].rc)
			fail_msg("%s: %d instead of %d (%s)", answers[i].text, rc, answers[i].rc,
				err.text);
		assert_int_equal(err.text[0] != 0, rc < 0);
	}
}

/* What HAProxy 3.x knows beyond 2.6, and where we differ from 2.6 with reason. */
static void newer_and_ours(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{"strstr(abc,b)", 1},
		{"strstr(abc,d)", 0},
		{"strstr(abc,)", 1},
		{"strstr(b,abc)", 0},
		{"enabled(POLL)", 1},
		{"enabled(EPOLL)", 0},
		{"enabled(none)", 0},
		{"awslc_api_atleast(1)", 0},
		{"awslc_api_before(1)", 0},
		/* HAProxy 2.6 misreads OpenSSL 3's version number. */
		{"openssl_version_atleast(3.0.22)", 1},
		{"openssl_version_atleast(3.0.21)", 1},
		{"openssl_version_atleast(3.0)", 1},
		{"openssl_version_atleast(3.0.22-beta1)", 1},
		{"openssl_version_before(3.0.22)", 0},
		{"openssl_version_before(3.1)", 1},
		{"openssl_version_before(3.1.0-alpha1)", 1},
		/* What is no version is a mistake, not version 0. */
		{"version_atleast()", -EINVAL},
		{"version_atleast(abc)", -EINVAL},
		{"version_atleast(v2.6)", -EINVAL},
		{"version_before(2..9)", -EINVAL},
		{"awslc_api_atleast(x)", -EINVAL},
		{"version_atleast(2.6.12-0+deb12u4)", 1},
		/* An empty name is no feature. */
		{"feature()", 0},
		/* Only spaces: nothing is asked. */
		{" ", 0},
		{"#", -EINVAL},
	};
	struct lang_options options = lang_test_options();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};
		int rc = lang_cond_eval(rows[i].text, &options, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: %d instead of %d (%s)", rows[i].text, rc, rows[i].rc,
				err.text);
	}
}

static void versions_compare(void **state)
{
	static const char *const ascending[] = {"1.9", "2.0-dev1", "2.0-dev2", "2.0-dev10",
		"2.0-rc1", "2.0-rc2", "2.0", "2.0-1", "2.0-20", "2.0.1", "2.0.10", "2.1-dev",
		"3.0.5", "3.0.5-12"};
	struct lang_options options = lang_test_options();
	struct lang_facts facts = {0};
	char text[64];

	(void)state;
	options.facts = &facts;
	for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
		facts.version = ascending[i];
		for (size_t j = 0; j < ARRAY_LEN(ascending); j++) {
			snprintf(text, sizeof(text), "version_atleast(%s)", ascending[j]);
			assert_int_equal(lang_cond_eval(text, &options, NULL), i >= j);
			snprintf(text, sizeof(text), "version_before(%s)", ascending[j]);
			assert_int_equal(lang_cond_eval(text, &options, NULL), i < j);
		}
	}
}

static void no_facts_means_nothing_is_there(void **state)
{
	struct lang_options options = {0};

	(void)state;
	assert_int_equal(lang_cond_eval("feature(OPENSSL)", &options, NULL), 0);
	assert_int_equal(lang_cond_eval("defined(HOME)", &options, NULL), 0);
	assert_int_equal(lang_cond_eval("version_atleast(1.0)", &options, NULL), 0);
	assert_int_equal(lang_cond_eval("ssllib_name_startswith(O)", &options, NULL), 0);
	options.env = lang_env_process;
	assert_int_equal(lang_cond_eval("defined(PATH)", &options, NULL), 1);
}

static void mistakes_are_explained(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"define(A)", "did you mean 'defined'"},
		{"verson_atleast(1)", "did you mean 'version_atleast'"},
		{"what", "'&&'"},
		{"streq(a)", "needs 2 arguments"},
		{"defined(a,b)", "takes 1 argument only"},
		{"defined(a", "missing ')'"},
		{"(1", "missing ')'"},
		{"1 2", "unexpected '2'"},
		{"version_atleast(x)", "3.1-dev4"},
		{"\"a", "at position 1"},
		{"'\"a'", "unparsable"},
		{"streq(\\\"a,b)", "unmatched quote"},
	};
	struct lang_options options = lang_test_options();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};

		assert_int_equal(lang_cond_eval(rows[i].text, &options, &err), -EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void parentheses_have_a_limit(void **state)
{
	struct lang_options options = lang_test_options();
	char text[2 * LANG_DEPTH_MAX + 8];
	struct error err = {0};
	size_t depth = LANG_DEPTH_MAX;

	(void)state;
	memset(text, '(', depth);
	text[depth] = '1';
	memset(text + depth + 1, ')', depth);
	text[2 * depth + 1] = '\0';
	assert_int_equal(lang_cond_eval(text, &options, NULL), 1);
	depth++;
	memset(text, '(', depth);
	text[depth] = '1';
	memset(text + depth + 1, ')', depth);
	text[2 * depth + 1] = '\0';
	assert_int_equal(lang_cond_eval(text, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nested"));
}

static void memory_may_run_out(void **state)
{
	struct lang_options options = lang_test_options();
	struct error err = {0};
	int rc = -ENOMEM;

	(void)state;
	for (size_t bytes = 1; rc == -ENOMEM; bytes += 16) {
		options.memory_max_bytes = bytes;
		error_clear(&err);
		rc = lang_cond_eval("streq(\"$HOST\",h)", &options, &err);
		assert_int_equal(err.code, rc == -ENOMEM ? -ENOMEM : 0);
		assert_true(bytes < 100000);
	}
	assert_int_equal(rc, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_haproxy),
		cmocka_unit_test(newer_and_ours),
		cmocka_unit_test(versions_compare),
		cmocka_unit_test(no_facts_means_nothing_is_there),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(parentheses_have_a_limit),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
