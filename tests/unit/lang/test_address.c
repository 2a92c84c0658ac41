/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses.
 *
 * In: the word of a "bind", "server" or "log" line. Out: all fields in one text, see
 * describe(), or NULL for a refusal; compared with HAProxy 2.6.12, differences are marked.
 * Always: a refusal has a text, and nothing is written to the result.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>

#include "lang_setup.h"
#include "lang_value.h"

static const struct lang_variable variables[] = {
	{"A", "127.0.0.1"}, {"P", "8080"}, {"FD", "7"}, {"EMPTY", ""}};

static const struct lang_options options = {
	.variables = variables, .variable_count = ARRAY_LEN(variables)};

/* KIND[PROTO][FAMILY][*] ADDRESS[%ZONE] PORTS; see the tables. */
static void describe(const struct lang_address *a, char *text, size_t size)
{
	static const char *const kinds[] = {
		"ip", "name", "unix", "abns", "fd", "sockpair", "reverse"};
	static const char *const protos[] = {"", "/dgram", "/quic", "/mptcp"};
	static const char *const families[] = {"", "/v4", "/v6"};
	char addr[IP_ADDR_TEXT_SIZE], ports[32] = "", number[16];
	const char *what = a->text;

	if (a->kind == LANG_ADDRESS_IP) {
		what = a->wildcard ? "*" : ip_addr_format(&a->addr, addr);
	} else if (a->fd >= 0) {
		snprintf(number, sizeof(number), "%d", a->fd);
		what = number;
	}
	if (a->port_kind == LANG_PORT_FIXED && a->port_first != a->port_last)
		snprintf(ports, sizeof(ports), " %u-%u", a->port_first, a->port_last);
	else if (a->port_kind != LANG_PORT_NONE)
		snprintf(ports, sizeof(ports), " %s%u",
			a->port_kind == LANG_PORT_PLUS    ? "+"
			: a->port_kind == LANG_PORT_MINUS ? "-"
							  : "",
			a->port_first);
	snprintf(text, size, "%s%s%s %s%s%s%s", kinds[a->kind], protos[a->proto],
		families[a->family], what, a->zone[0] ? "%" : "", a->zone, ports);
}

struct row {
	const char *text;
	const char *out; /* as describe() says; NULL: refused */
};

static void run(const struct row *rows, size_t count, unsigned flags)
{
	for (size_t i = 0; i < count; i++) {
		struct lang_address a;
		struct error err = {0};
		char text[512] = "refused";
		int rc = lang_address_parse(rows[i].text, flags, &options, &a, &err);

		if (rc == 0)
			describe(&a, text, sizeof(text));
		if (strcmp(text, rows[i].out ? rows[i].out : "refused") != 0)
			fail_msg("%s: %s (%s)", rows[i].text, text, err.text);
		assert_int_equal(rc, rows[i].out ? 0 : -EINVAL);
		assert_int_equal(err.text[0] != 0, rc != 0);
	}
}

static const struct row bind_rows[] = {
	{":80", "ip * 80"},
	{"*:80", "ip * 80"},
	{"0.0.0.0:80", "ip * 80"},
	{"127.0.0.1:80", "ip 127.0.0.1 80"},
	{"[127.0.0.1]:80", "ip 127.0.0.1 80"},
	{"[::1]:80", "ip ::1 80"},
	{"::1:80", "ip ::1 80"},
	{":::80", "ip * 80"},
	{"[::]:80", "ip * 80"},
	{"2001:db8::1:80", "ip 2001:db8::1 80"},
	{"::ffff:1.2.3.4:80", "ip 1.2.3.4 80"},
	{"ipv4@:80", "ip/v4 * 80"},
	{"ipv4@*:80", "ip/v4 * 80"},
	{"ipv6@:80", "ip/v6 * 80"},
	{"ipv6@*:80", "ip/v6 * 80"},
	{"ipv6@[::1]:80", "ip/v6 ::1 80"},
	{"tcp@:80", "ip * 80"},
	{"tcp4@:80", "ip/v4 * 80"},
	{"tcp6@:80", "ip/v6 * 80"},
	{"tcp4@127.0.0.1:80", "ip/v4 127.0.0.1 80"},
	{"stream+ipv4@:80", "ip/v4 * 80"},
	{"mptcp@:80", "ip/mptcp * 80"},
	{":80-90", "ip * 80-90"},
	{":80-80", "ip * 80"},
	{"*:1-65535", "ip * 1-65535"},
	{":65535", "ip * 65535"},
	{"127.0.0.1:080", "ip 127.0.0.1 80"},
	{"localhost:80", "name localhost 80"},
	{"a_b.example.:80", "name a_b.example. 80"},
	{"1.2.3:80", "name 1.2.3 80"},
	{"/tmp/x", "unix /tmp/x"},
	{"unix@/tmp/x", "unix /tmp/x"},
	{"unix@x", "unix x"},
	{"unix@/x:80", "unix /x:80"},
	{"uxst@/x", "unix /x"},
	{"stream+unix@/x", "unix /x"},
	{"abns@x", "abns x"},
	{"abns@", "abns "},
	{"abnsz@x", "abns x"},
	{"fd@3", "fd 3"},
	{"sockpair@3", "sockpair 3"},
	{"$A:80", "ip 127.0.0.1 80"},
	{"${A}:$P", "ip 127.0.0.1 8080"},
	{":$P", "ip * 8080"},
	{"$NOPE:80", "ip * 80"},
	{"fd@${FD}", "fd 7"},
	{"unix@/run/$P.sock", "unix /run/8080.sock"},
	{"unix@/a$", "unix /a$"},
	{"unix@/a${", "unix /a${"},
	{"unix@/a${A", "unix /a${A"},
	{"127.0.0.1", NULL},
	{"::1", NULL},
	{"[::1]", NULL},
	{"80", NULL},
	{"", NULL},
	{"$NOPE", NULL},
	{"$EMPTY", NULL},
	{":", NULL},
	{"*", NULL},
	{"127.0.0.1:", NULL},
	{":${NOPE}", NULL},
	{"ipv4@::1:80", NULL},
	{"ipv4@[::1]:80", NULL},
	{"ipv6@127.0.0.1:80", NULL},
	{"ipv4@::ffff:1.2.3.4:80", NULL},
	{":90-80", NULL},
	{":80-", NULL},
	{":-80", NULL},
	{":+80", NULL},
	{":0", NULL},
	{":0-5", NULL},
	{":65536", NULL},
	{":65530-65536", NULL},
	{":80-90-100", NULL}, /* HAProxy takes it for 80-90 */
	{":80a", NULL},       /* HAProxy takes it for 80 */
	{":a", NULL},
	{"127.0.0.1:http", NULL},
	{"foo@:80", NULL},
	{"IPV4@:80", NULL},
	{"256.1.1.1.1:80 ", NULL},
	{"[::1:80", NULL},
	{"::1]:80", NULL},
	{"[]:80", NULL},
	{"127.0.0.1:80:90", NULL},
	{"127.0.0.1 :80", NULL},
	{"127.0.0.1: 80", NULL},
	{"-127.0.0.1:80", NULL},
	{"fe80::1%lo:80", NULL},
	{"127.0.0.1:80,127.0.0.1:81", NULL}, /* lists are cut before */
	{"fd@x", NULL},
	{"fd@", NULL},
	{"fd@-1", NULL},
	{"fd@+1", NULL},
	{"fd@${NOPE}", NULL},
	{"fd@99999999999", NULL},
	{"unix@", NULL},
	{"tcp@/x", NULL},
	{"ipv4@/x", NULL},
	{"udp@:80", NULL},
	{"udp4@:80", NULL},
	{"dgram+ipv4@:80", NULL},
	{"stream+udp@:80", NULL},
	{"uxdg@/x", NULL},
	{"quic4@:80", NULL},
	{"rhttp@be/s", NULL},
};

static void bind_lines(void **state)
{

	(void)state;
	run(bind_rows, ARRAY_LEN(bind_rows), LANG_ADDRESS_BIND);
}

static void server_lines(void **state)
{
	static const struct row rows[] = {
		{"127.0.0.1", "ip 127.0.0.1"},
		{"127.0.0.1:", "ip 127.0.0.1"},
		{"127.0.0.1:80", "ip 127.0.0.1 80"},
		{"127.0.0.1:0", "ip 127.0.0.1 0"},
		{"127.0.0.1:+80", "ip 127.0.0.1 +80"},
		{"127.0.0.1:-80", "ip 127.0.0.1 -80"},
		{"127.0.0.1:+0", "ip 127.0.0.1 +0"},
		{"127.0.0.1:+", "ip 127.0.0.1 +0"},
		{"*", "ip *"},
		{"*:80", "ip * 80"},
		{":80", "ip * 80"},
		{"::1:80", "ip ::1 80"},
		{"[::1]", "ip ::1"},
		{"[::1]:80", "ip ::1 80"},
		{":::", "ip *"},
		{"ipv4@", "ip/v4 *"},
		{"ipv4@localhost", "name/v4 localhost"},
		{"[localhost]:80", "name localhost 80"},
		{"localhost:80", "name localhost 80"},
		{"localhost.", "name localhost."},
		{"/x", "unix /x"},
		{"abns@x", "abns x"},
		{"$A", "ip 127.0.0.1"},
		{"127.0.0.1:80-90", NULL},
		{"127.0.0.1:65536", NULL},
		{"127.0.0.1:+65536", NULL}, /* HAProxy takes the low 16 bits */
		{"127.0.0.1:+80x", NULL},   /* HAProxy takes it for +80 */
		{"127.0.0.1:++8", NULL},
		{"::1", NULL},
		{"::", NULL},
		{"2001:db8::1", NULL},
		{"fd@3", NULL},
		{"udp@1.1.1.1:5", NULL},
		{"a b:80", NULL},
		{"a/b:80", NULL},
		{"x@y:80", NULL},
		{"-a:80", NULL},
		{"%:80", NULL},
		{"\xc3\xa9:80", NULL},
		{"", NULL},
	};

	(void)state;
	run(rows, ARRAY_LEN(rows), LANG_ADDRESS_SERVER);
}

static void log_lines(void **state)
{
	static const struct row rows[] = {
		{"127.0.0.1", "ip/dgram 127.0.0.1"},
		{"127.0.0.1:514", "ip/dgram 127.0.0.1 514"},
		{"udp@[::1]:514", "ip/dgram ::1 514"},
		{"tcp@127.0.0.1:5", "ip 127.0.0.1 5"},
		{"dgram+unix@/x", "unix/dgram /x"},
		{"uxst@/x", "unix /x"},
		{"/dev/log", "unix/dgram /dev/log"},
		{"fd@1", "fd/dgram 1"},
		{":514", "ip/dgram * 514"},
		{"localhost", "name/dgram localhost"},
		{"127.0.0.1:1-2", NULL},
		{"127.0.0.1:+1", NULL},
		{"::1", NULL},
		{"", NULL},
	};

	(void)state;
	run(rows, ARRAY_LEN(rows), LANG_ADDRESS_LOG);
}

/* HAProxy 2.6 knows none: what is refused here is refused there, and the rest as well. */
static void zones(void **state)
{
	static const struct row rows[] = {
		{"fe80::1%lan0:80", "ip fe80::1%lan0 80"},
		{"[fe80::1%lan0]:80", "ip fe80::1%lan0 80"},
		{"ipv6@fe80::1%lan0:80-90", "ip/v6 fe80::1%lan0 80-90"},
		{"febf::1%a-b.7:80", "ip febf::1%a-b.7 80"},
		{"fe80::1:80", "ip fe80::1 80"},
		{"fe80::1%:80", NULL},
		{"fe80::1%a-name-of-32-bytes-is-too-long-1:80", NULL},
		{"::1%lan0:80", NULL},
		{"fd00::1%lan0:80", NULL},
		{"169.254.0.1%lan0:80", NULL},
		{"localhost%lan0:80", NULL},
		{"*%lan0:80", NULL},
		{"%lan0:80", NULL},
		{"ipv4@fe80::1%lan0:80", NULL},
		{"fe80::1%lan0", NULL},
	};
	static const struct row none[] = {
		{"[fe80::1]:80", "ip fe80::1 80"}, {"[fe80::1%lan0]:80", NULL}};

	(void)state;
	run(rows, ARRAY_LEN(rows), LANG_ADDRESS_BIND | LANG_ADDRESS_MAY_ZONE);
	run(none, ARRAY_LEN(none), LANG_ADDRESS_BIND);
}

static void a_keyword_may_accept_little(void **state)
{
	static const struct row none[] = {{"1.2.3.4", "ip 1.2.3.4"}, {"1.2.3.4:80", NULL},
		{"name", NULL}, {"/x", NULL}, {"abns@x", NULL}, {"fd@1", NULL}};
	static const struct row all[] = {
		{"quic4@:443", "ip/quic/v4 * 443"}, {"rhttp@be/s", "reverse be/s"}};

	(void)state;
	run(none, ARRAY_LEN(none), LANG_ADDRESS_MAY_STREAM);
	run(all, ARRAY_LEN(all),
		LANG_ADDRESS_BIND | LANG_ADDRESS_MAY_QUIC | LANG_ADDRESS_MAY_REVERSE);
}

static void long_texts_are_refused(void **state)
{
	char text[600];
	struct lang_address a;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t len = 1; len < sizeof(text); len++) {
		text[len] = '\0';
		assert_int_equal(lang_address_parse(text, LANG_ADDRESS_SERVER, NULL, &a, NULL),
			len < LANG_ADDRESS_TEXT_SIZE ? 0 : -EINVAL);
		text[len] = 'a';
	}
	text[0] = '/';
	text[107] = '\0';
	assert_int_equal(lang_address_parse(text, LANG_ADDRESS_SERVER, NULL, &a, NULL), 0);
	text[107] = 'a';
	text[108] = '\0';
	assert_int_equal(lang_address_parse(text, LANG_ADDRESS_SERVER, NULL, &a, NULL), -EINVAL);
}

static void errors_name_the_text(void **state)
{
	struct lang_address a;
	struct error err = {0};

	(void)state;
	lang_address_parse("2001:db8::1", LANG_ADDRESS_SERVER, NULL, &a, &err);
	assert_non_null(strstr(err.text, "'2001:db8::1'"));
	assert_non_null(strstr(err.text, "[v6]:port"));
	error_clear(&err);
	lang_address_parse("1.2.3.4", LANG_ADDRESS_BIND, NULL, &a, &err);
	assert_non_null(strstr(err.text, "missing port"));
	error_clear(&err);
	lang_address_parse("$X", LANG_ADDRESS_BIND, NULL, &a, &err);
	assert_non_null(strstr(err.text, "environment variable"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bind_lines),
		cmocka_unit_test(server_lines),
		cmocka_unit_test(log_lines),
		cmocka_unit_test(zones),
		cmocka_unit_test(a_keyword_may_accept_little),
		cmocka_unit_test(long_texts_are_refused),
		cmocka_unit_test(errors_name_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
