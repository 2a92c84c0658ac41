/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "capture.h"
#include "manage_setup.h"

/* A frame of Ethernet, IPv4 and UDP to this port, as if a core had received it. */
static void frame(struct manage_setup *s, uint32_t core, uint16_t port, bool sent)
{
	struct rte_mbuf m, *p = &m;
	uint8_t bytes[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0, 0x45};

	memset((void *)&m, 0, sizeof(m));
	bytes[23] = 17;
	store_be16(bytes + 36, port);
	m.buf_addr = bytes;
	m.data_len = sizeof(bytes);
	m.pkt_len = sizeof(bytes);
	m.nb_segs = 1;
	if (s->shares[core].tap)
		port_tap_take(s->shares[core].tap, &p, 1, sent);
}

static size_t file_read(struct manage_setup *s, uint32_t *words, size_t size)
{
	char path[64];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/x.pcapng", s->dir);
	file = fopen(path, "r");
	assert_non_null(file);
	n = fread(words, 1, size, file);
	fclose(file);
	unlink(path);
	return n;
}

static const char *capture(struct manage_setup *s, const char *more)
{
	char text[256];

	snprintf(text, sizeof(text), "capture port lan0 %s file %s/x.pcapng\n", more, s->dir);
	manage_ask(s, text);
	fake_workers_settle(s->f);
	return s->answer;
}

static void frames_of_all_cores_are_written(void **state)
{
	struct manage_setup *s = *state;
	uint32_t w[200];
	size_t n;

	assert_string_equal(manage_ask(s, "show capture\n"), "No capture is running.\n\n");
	frame(s, 0, 80, false);
	assert_string_equal(capture(s, ""), "\n");
	for (uint32_t core = 0; core < 3; core++)
		assert_non_null(s->shares[core].tap);
	frame(s, 0, 80, false);
	frame(s, 1, 81, true);
	fake_workers_settle(s->f);
	assert_non_null(strstr(manage_ask(s, "show capture\n"), ": 2 frames written, 0 filtered"));
	assert_non_null(strstr(capture(s, ""), "A capture is running"));
	assert_non_null(strstr(manage_ask(s, "capture stop\n"), ", ending\n"));
	fake_workers_settle(s->f);
	for (uint32_t core = 0; core < 3; core++)
		assert_null(s->shares[core].tap);
	assert_string_equal(manage_ask(s, "show capture\n"), "No capture is running.\n\n");

	n = file_read(s, w, sizeof(w));
	assert_int_equal(w[0], 0x0a0d0d0a);
	assert_int_equal(w[1], 28);
	assert_int_equal(w[2], 0x1a2b3c4d);
	assert_int_equal(w[6], 28);
	assert_int_equal(w[7], 1); /* the interface */
	assert_int_equal(w[8], 40);
	assert_int_equal(w[11], 2 | 4 << 16); /* its name */
	assert_memory_equal(&w[12], "lan0", 4);
	assert_int_equal(w[16], 40);
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t *b = &w[17 + i * 26];

		assert_int_equal(b[0], 6);
		assert_int_equal(b[1], 104);
		assert_true(((uint64_t)b[3] << 32 | b[4]) == s->f->w[i]->wall_ns);
		assert_int_equal(b[5], 60);
		assert_int_equal(b[6], 60);
		assert_int_equal(((const uint8_t *)&b[7])[37], 80 + i);
		assert_int_equal(b[23], i == 0 ? 1 : 2); /* received, sent */
		assert_int_equal(b[25], 104);
	}
	assert_int_equal(n, (17 + 2 * 26) * 4);
}

static void filters_and_counts_end_it(void **state)
{
	struct manage_setup *s = *state;
	uint32_t w[200];

	assert_string_equal(capture(s, "filter \"udp dst port 80 or host 1.2.3.4\" count 2"), "\n");
	for (uint16_t i = 0; i < 10; i++)
		frame(s, i % 2, i % 3 == 0 ? 80 : 99, false);
	fake_workers_settle(s->f);
	assert_null(s->m->capture);
	assert_null(s->shares[0].tap);
	assert_int_equal(file_read(s, w, sizeof(w)), (17 + 2 * 26) * 4);
}

static void full_rings_lose_frames_of_the_capture(void **state)
{
	struct manage_setup *s = *state;
	uint32_t w[4];

	capture(s, "");
	for (uint32_t i = 0; i < 1500; i++)
		frame(s, 0, 80, false);
	fake_workers_settle(s->f);
	assert_non_null(strstr(manage_ask(s, "show capture\n"), ": 1023 frames written, 0 filtered "
								"out, 477 lost\n"));
	manage_ask(s, "capture stop\n");
	file_read(s, w, sizeof(w));
}

/* What runs at the end of weir is written whole; teardown ends it. */
static void the_end_ends_it(void **state)
{
	struct manage_setup *s = *state;
	uint32_t w[100];

	capture(s, "");
	frame(s, 0, 80, false);
	mg_capture_end(s->m);
	assert_null(s->shares[0].tap);
	assert_int_equal(file_read(s, w, sizeof(w)), (17 + 26) * 4);
}

static void mistakes_are_told(void **state)
{
	struct manage_setup *s = *state;
	static const struct {
		const char *text, *answer;
	} cases[] = {
		{"capture port nope file /tmp/x\n", "No such port.\n"},
		{"capture port lan0\n", "Usage: capture port"},
		{"capture port lan0 file\n", "Usage: capture port"},
		{"capture port lan0 file /tmp/x count x\n", "Usage: capture port"},
		{"capture port lan0 filter \"tcp file /tmp/x\n", "Usage: capture port"},
		{"capture port lan0 what file /tmp/x\n", "Usage: capture port"},
		{"capture port lan0 file /nonexistent/x\n", "cannot write '/nonexistent/x'"},
		{"capture port lan0 file /dev/null\n", "is not a regular file"},
		{"capture port lan0 filter \"tcp and and\" file /tmp/x\n", "filter: "},
		{"capture port lan0 filter \"host example.org\" file /tmp/x\n",
			"names are not looked up"},
		{"capture port\n", "No such port.\n"},
		{"capture\n", "Unknown command"},
	};

	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_non_null(strstr(manage_ask(s, cases[i].text), cases[i].answer));
	assert_null(s->m->capture);
	assert_string_equal(manage_ask_at(s, s->user, "capture stop\n"), "Permission denied\n\n");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, manage_setup, manage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_of_all_cores_are_written),
		TEST(filters_and_counts_end_it),
		TEST(full_rings_lose_frames_of_the_capture),
		TEST(the_end_ends_it),
		TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests_name("manage/capture", tests, NULL, NULL);
}
