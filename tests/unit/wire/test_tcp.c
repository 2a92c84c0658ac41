/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "wire.h"

/* Port 51234 to 80, seq 0x01020304, ack 0x11223344, window 64240; header length and flags follow.
 */
#define PORTS_SEQ_ACK "\xc8\x22\x00\x50\x01\x02\x03\x04\x11\x22\x33\x44"
#define REST          "\xfa\xf0\x00\x00\x00\x00"

/* What the usual stacks send; emit must give the same bytes. */
static const struct {
	const char *what;
	struct bytes in;
	struct wire_tcp want;
} good[] = {
	{"plain ACK", {PORTS_SEQ_ACK "\x50\x10" REST, 20}, {.flags = WIRE_TCP_ACK}},
	{"SYN of Linux",
		{PORTS_SEQ_ACK "\xa0\x02" REST
			       "\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x10\x00\x00\x00\x00\x00"
			       "\x01\x03\x03\x07",
			40},
		{.flags = WIRE_TCP_SYN,
			.has_mss = true,
			.mss = 1460,
			.has_sack_permitted = true,
			.has_timestamp = true,
			.ts_val = 0x1000,
			.has_window_scale = true,
			.window_scale = 7}},
	{"SYN with MSS only", {PORTS_SEQ_ACK "\x60\x02" REST "\x02\x04\xff\xd7", 24},
		{.flags = WIRE_TCP_SYN, .has_mss = true, .mss = 65495}},
	{"SYN with SACK permitted",
		{PORTS_SEQ_ACK "\x70\x12" REST "\x02\x04\x05\xb4\x01\x01\x04\x02", 28},
		{.flags = WIRE_TCP_SYN | WIRE_TCP_ACK,
			.has_mss = true,
			.mss = 1460,
			.has_sack_permitted = true}},
	{"ACK with timestamp",
		{PORTS_SEQ_ACK "\x80\x18" REST "\x01\x01\x08\x0a\xff\xff\xff\xff\x00\x00\x00\x01",
			32},
		{.flags = WIRE_TCP_ACK | WIRE_TCP_PSH,
			.has_timestamp = true,
			.ts_val = UINT32_MAX,
			.ts_ecr = 1}},
	{"one SACK block",
		{PORTS_SEQ_ACK "\x80\x10" REST "\x01\x01\x05\x0a\xff\xff\xff\x00\x00\x00\x00\x10",
			32},
		{.flags = WIRE_TCP_ACK, .sack_count = 1, .sack = {{{0xffffff00}, {0x10}}}}},
	{"three SACK blocks beside a timestamp",
		{PORTS_SEQ_ACK "\xf0\x10" REST "\x01\x01\x08\x0a\x00\x00\x00\x02\x00\x00\x00\x01"
			       "\x01\x01\x05\x1a\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"
			       "\x00\x00\x00\x04\x00\x00\x00\x05\x00\x00\x00\x06",
			60},
		{.flags = WIRE_TCP_ACK,
			.has_timestamp = true,
			.ts_val = 2,
			.ts_ecr = 1,
			.sack_count = 3,
			.sack = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}}}},
	{"four SACK blocks",
		{PORTS_SEQ_ACK "\xe0\x10" REST
			       "\x01\x01\x05\x22\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"
			       "\x00\x00\x00\x04\x00\x00\x00\x05\x00\x00\x00\x06\x00\x00\x00\x07"
			       "\x00\x00\x00\x08",
			56},
		{.flags = WIRE_TCP_ACK,
			.sack_count = 4,
			.sack = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}, {{7}, {8}}}}},
};

static void assert_options_equal(const struct wire_tcp *got, const struct wire_tcp *want)
{
	assert_int_equal(got->has_mss, want->has_mss);
	assert_int_equal(got->mss, want->mss);
	assert_int_equal(got->has_window_scale, want->has_window_scale);
	assert_int_equal(got->window_scale, want->window_scale);
	assert_int_equal(got->has_sack_permitted, want->has_sack_permitted);
	assert_int_equal(got->has_timestamp, want->has_timestamp);
	assert_int_equal(got->ts_val, want->ts_val);
	assert_int_equal(got->ts_ecr, want->ts_ecr);
	assert_int_equal(got->sack_count, want->sack_count);
	for (size_t i = 0; i < got->sack_count; i++) {
		assert_true(seq_eq(got->sack[i].start, want->sack[i].start));
		assert_true(seq_eq(got->sack[i].end, want->sack[i].end));
	}
}

static void good_headers_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const uint8_t *p = (const uint8_t *)good[i].in.ptr;
		uint8_t out[WIRE_TCP_BYTES_MAX];
		struct wire_tcp h;

		assert_int_equal(wire_tcp_parse(p, good[i].in.len, &h), WIRE_OK);
		assert_int_equal(h.src_port, 51234);
		assert_int_equal(h.dst_port, 80);
		assert_int_equal(h.seq.v, 0x01020304);
		assert_int_equal(h.ack.v, 0x11223344);
		assert_int_equal(h.window, 64240);
		assert_int_equal(h.flags, good[i].want.flags);
		assert_int_equal(h.header_bytes, good[i].in.len);
		assert_options_equal(&h, &good[i].want);
		assert_int_equal(wire_tcp_bytes(&h), good[i].in.len);
		assert_int_equal(wire_tcp_emit(out, &h), good[i].in.len);
		if (memcmp(out, p, good[i].in.len) != 0)
			fail_msg("%s", good[i].what);
		for (size_t len = 0; len < good[i].in.len; len++)
			assert_int_equal(wire_tcp_parse(p, len, &h), WIRE_SHORT);
	}
}

static void odd_options(void **state)
{
	static const struct {
		const char *what;
		struct bytes options;
		struct wire_tcp want;
	} rows[] = {
		{"NOPs only", {"\x01\x01\x01\x01", 4}, {0}},
		{"end hides the rest", {"\x00\x02\x04\x05\xb4\x00\x00\x00", 8}, {0}},
		{"MSS of wrong length is skipped", {"\x02\x03\x05\x04\x02\x00\x00\x00", 8},
			{.has_sack_permitted = true}},
		{"unknown is skipped", {"\xfd\x04\x00\x00\x02\x04\x02\x18", 8},
			{.has_mss = true, .mss = 536}},
		{"length 0 ends", {"\x02\x00\x04\x02\x04\x02\x00\x00", 8}, {0}},
		{"length 1 ends", {"\xfd\x01\x04\x02", 4}, {0}},
		{"past the end", {"\x04\x02\x02\x04", 4}, {.has_sack_permitted = true}},
		{"kind without length", {"\x04\x02\x01\x08", 4}, {.has_sack_permitted = true}},
		{"scale 14", {"\x03\x03\x0e\x00", 4},
			{.has_window_scale = true, .window_scale = 14}},
		{"scale 15 is cut", {"\x03\x03\x0f\x00", 4},
			{.has_window_scale = true, .window_scale = 14}},
		{"scale 255 is cut", {"\x03\x03\xff\x00", 4},
			{.has_window_scale = true, .window_scale = 14}},
		{"SACK without blocks", {"\x05\x02\x01\x01", 4}, {0}},
		{"SACK of half a block", {"\x05\x06\x00\x00\x00\x01\x01\x01", 8}, {0}},
		{"the last of two counts", {"\x02\x04\x00\x01\x02\x04\x00\x02", 8},
			{.has_mss = true, .mss = 2}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[WIRE_TCP_BYTES_MAX] = {0};
		size_t len = WIRE_TCP_BYTES_MIN + rows[i].options.len;
		struct wire_tcp h;

		memcpy(in + WIRE_TCP_BYTES_MIN, rows[i].options.ptr, rows[i].options.len);
		in[12] = (uint8_t)(len / 4 << 4);
		print_message("# %s\n", rows[i].what);
		assert_int_equal(wire_tcp_parse(in, len, &h), WIRE_OK);
		assert_options_equal(&h, &rows[i].want);
	}
}

static void bad_header_lengths(void **state)
{
	uint8_t in[WIRE_TCP_BYTES_MAX] = {0};
	struct wire_tcp h;

	(void)state;
	for (unsigned words = 0; words < 16; words++) {
		in[12] = (uint8_t)(words << 4 | 0x0f); /* reserved bits do not matter */
		assert_int_equal(wire_tcp_parse(in, 40, &h), words < 5    ? WIRE_MALFORMED
							     : words > 10 ? WIRE_SHORT
									  : WIRE_OK);
	}
}

static void emit_never_exceeds_the_largest_header(void **state)
{
	static const struct {
		struct wire_tcp h;
		uint8_t blocks;
	} rows[] = {
		{{.sack_count = 4}, 4},
		{{.sack_count = 4, .has_timestamp = true}, 3},
		{{.sack_count = 4, .has_timestamp = true, .has_mss = true}, 2},
		{{.sack_count = 4,
			 .has_timestamp = true,
			 .has_mss = true,
			 .has_sack_permitted = true,
			 .has_window_scale = true},
			2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[WIRE_TCP_BYTES_MAX + 1];
		struct wire_tcp back;
		size_t len;

		out[WIRE_TCP_BYTES_MAX] = 0xa5;
		len = wire_tcp_emit(out, &rows[i].h);
		assert_in_range(len, WIRE_TCP_BYTES_MIN, WIRE_TCP_BYTES_MAX);
		assert_int_equal(out[WIRE_TCP_BYTES_MAX], 0xa5);
		assert_int_equal(wire_tcp_parse(out, len, &back), WIRE_OK);
		assert_int_equal(back.sack_count, rows[i].blocks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_headers_round_trip),
		cmocka_unit_test(odd_options),
		cmocka_unit_test(bad_header_lengths),
		cmocka_unit_test(emit_never_exceeds_the_largest_header),
	};

	return cmocka_run_group_tests_name("wire/tcp", tests, NULL, NULL);
}
