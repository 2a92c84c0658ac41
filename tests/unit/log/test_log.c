/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "log.h"

/* What a drain brought: the last line whole, and how many there were. */
struct seen {
	uint32_t count;
	struct log_line line;
	char text[LOG_LINE_MAX_BYTES + 1];
};

static void see(void *ctx, const struct log_line *line)
{
	struct seen *s = ctx;

	assert_in_range(line->text.len, 0, LOG_LINE_MAX_BYTES);
	s->count++;
	s->line = *line;
	memcpy(s->text, line->text.ptr, line->text.len);
	s->text[line->text.len] = '\0';
}

static void line_comes_out_as_it_went_in(void **state)
{
	struct log_ring *ring = log_ring_create(0, NULL);
	struct seen seen = {0};

	(void)state;
	assert_non_null(ring);
	assert_int_equal(log_drain(ring, 10, see, &seen), 0);
	assert_true(log_write(ring, 77, 5, LOG_LEVEL_WARNING, BYTES_LIT("server gone")));
	assert_true(log_write(ring, 78, 6, LOG_LEVEL_INFO, BYTES_NONE));
	assert_true(log_event(ring, 79, LOG_LEVEL_ERR, "port %s: %d", "lan0", -5));
	assert_int_equal(log_drain(ring, 1, see, &seen), 1);
	assert_string_equal(seen.text, "server gone");
	assert_true(seen.line.wall_ns == 77);
	assert_int_equal(seen.line.target, 5);
	assert_int_equal(seen.line.level, LOG_LEVEL_WARNING);
	assert_int_equal(log_drain(ring, 1, see, &seen), 1);
	assert_string_equal(seen.text, "");
	assert_int_equal(log_drain(ring, 10, see, &seen), 1);
	assert_string_equal(seen.text, "port lan0: -5");
	assert_int_equal(seen.line.target, LOG_TARGET_SELF);
	assert_int_equal(log_drain(ring, 10, see, &seen), 0);
	log_ring_destroy(ring);
	log_ring_destroy(NULL);
}

static void long_line_is_cut_and_marked(void **state)
{
	static const struct {
		int len;
		bool cut;
	} rows[] = {
		{LOG_LINE_MAX_BYTES - 1, false},
		{LOG_LINE_MAX_BYTES, false},
		{LOG_LINE_MAX_BYTES + 1, true},
		{LOG_LINE_MAX_BYTES * 2, true},
	};
	static char text[LOG_LINE_MAX_BYTES * 2];
	struct log_ring *ring = log_ring_create(0, NULL);
	static struct seen seen;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t want = (size_t)MIN(rows[i].len, LOG_LINE_MAX_BYTES);

		for (int event = 0; event < 2; event++) {
			assert_true(event ? log_event(ring, 1, LOG_LEVEL_INFO, "%.*s", rows[i].len,
						    text)
					  : log_write(ring, 1, 0, LOG_LEVEL_INFO,
						    bytes_of(text, (size_t)rows[i].len)));
			assert_int_equal(log_drain(ring, 9, see, &seen), 1);
			assert_int_equal(seen.line.text.len, want);
			assert_string_equal(seen.text + want - 3, rows[i].cut ? "..." : "xxx");
			assert_int_equal(seen.text[want - 4], 'x');
		}
	}
	log_ring_destroy(ring);
}

static void full_ring_refuses_the_newest_and_counts(void **state)
{
	struct log_ring *ring = log_ring_create(0, NULL);
	static struct seen seen;
	uint32_t written = 0, refused = 5;
	char want[16];

	(void)state;
	while (log_event(ring, 1, LOG_LEVEL_INFO, "line %u", written))
		written++;
	assert_in_range(written, 500, 2000);
	for (uint32_t i = 1; i < refused; i++)
		assert_false(log_event(ring, 1, LOG_LEVEL_INFO, "line %u", written));
	assert_true(log_dropped(ring) == refused);
	assert_int_equal(log_drain(ring, 2, see, &seen), 2);
	assert_string_equal(seen.text, "line 1");
	assert_true(log_event(ring, 1, LOG_LEVEL_INFO, "last"));
	assert_int_equal(log_drain(ring, written - 2, see, &seen), written - 2);
	snprintf(want, sizeof(want), "line %u", written - 1);
	assert_string_equal(seen.text, want);
	assert_int_equal(log_drain(ring, 9, see, &seen), 1);
	assert_string_equal(seen.text, "last");
	assert_true(log_dropped(ring) == refused);
	log_ring_destroy(ring);
}

/* Every length at every place of the ring: whatever is left at the end is skipped, and an empty
 * ring takes the longest line wherever it stands. */
static void lines_go_round_the_end(void **state)
{
	static char text[LOG_LINE_MAX_BYTES];
	struct log_ring *ring = log_ring_create(0, NULL);
	static struct seen seen;

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		size_t len = (i * 37) % 500;

		if (i % 97 == 0)
			len = LOG_LINE_MAX_BYTES;
		memset(text, 'a' + (int)(i % 26), len);
		assert_true(log_write(ring, i, i, LOG_LEVEL_INFO, bytes_of(text, len)));
		assert_int_equal(log_drain(ring, 9, see, &seen), 1);
		assert_int_equal(seen.line.target, i);
		assert_int_equal(seen.line.text.len, len);
		assert_memory_equal(seen.text, text, len);
	}
	assert_true(log_dropped(ring) == 0);
	log_ring_destroy(ring);
}

enum { LINES = 30000 };

static void *write_lines(void *arg)
{
	char text[300];

	memset(text, '.', sizeof(text));
	for (uint32_t i = 0; i < LINES;) {
		int len = snprintf(text, sizeof(text), "%u", i);

		text[len] = '.';
		if (log_write(arg, i, i, LOG_LEVEL_INFO, bytes_of(text, 20 + i % 280)))
			i++;
		else
			sched_yield();
	}
	return NULL;
}

static void in_order(void *ctx, const struct log_line *line)
{
	uint32_t *next = ctx;
	char want[16];
	int len = snprintf(want, sizeof(want), "%u.", *next);

	assert_int_equal(line->target, *next);
	assert_int_equal(line->text.len, 20 + *next % 280);
	assert_memory_equal(line->text.ptr, want, (size_t)len);
	(*next)++;
}

static void reader_on_another_thread_gets_every_line(void **state)
{
	struct log_ring *ring = log_ring_create(0, NULL);
	uint32_t next = 0;
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_lines, ring), 0);
	while (next < LINES)
		if (log_drain(ring, 64, in_order, &next) == 0)
			sched_yield();
	pthread_join(writer, NULL);
	assert_int_equal(log_drain(ring, 1, in_order, &next), 0);
	log_ring_destroy(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_comes_out_as_it_went_in),
		cmocka_unit_test(long_line_is_cut_and_marked),
		cmocka_unit_test(full_ring_refuses_the_newest_and_counts),
		cmocka_unit_test(lines_go_round_the_end),
		cmocka_unit_test(reader_on_another_thread_gets_every_line),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
