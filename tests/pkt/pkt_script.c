/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "pkt_script.h"

static const struct {
	const char *name;
	uint8_t bit;
} flag_names[] = {
	{"SYN", WIRE_TCP_SYN},
	{"FIN", WIRE_TCP_FIN},
	{"RST", WIRE_TCP_RST},
	{"PSH", WIRE_TCP_PSH},
	{"ACK", WIRE_TCP_ACK},
	{"URG", WIRE_TCP_URG},
	{"ECE", WIRE_TCP_ECE},
	{"CWR", WIRE_TCP_CWR},
};

static const char *const ecn_names[] = {"none", "ect1", "ect0", "ce"}; /* of the last bits of TOS */

bool script_line_cut(struct script_line *line, const char *text)
{
	bool in_word = false;

	*line = (struct script_line){0};
	assert_true(strlen(text) < SCRIPT_LINE_MAX);
	snprintf(line->text, sizeof(line->text), "%s", text);
	line->text[strcspn(line->text, "\n")] = 0;
	snprintf(line->cut, sizeof(line->cut), "%s", line->text);
	line->cut[strcspn(line->cut, "#")] = 0;
	for (char *p = line->cut; *p; p++) {
		bool opens = *p == '<' && p[1] != ' ';

		if (opens) {
			line->has_options = true;
			line->options = line->count;
		}
		if (strchr(" \t,", *p) || opens || (*p == '>' && line->has_options)) {
			*p = 0;
			in_word = false;
		} else if (!in_word) {
			in_word = true;
			assert_true(line->count < SCRIPT_WORDS_MAX);
			line->word[line->count++] = p;
		}
	}
	return line->count > 0;
}

bool script_number(const char *word, uint32_t *out)
{
	char *end;
	long long v = strtoll(word, &end, 0);

	*out = (uint32_t)v; /* negative numbers lie before the SYN */
	return *word && *end == 0;
}

static bool read_flags(const char *word, uint8_t *flags)
{
	*flags = 0;
	if (strcmp(word, "0") == 0)
		return true;
	while (*word) {
		size_t len = strcspn(word, "|");
		size_t i = 0;

		while (i < ARRAY_LEN(flag_names) && (strlen(flag_names[i].name) != len ||
							    strncmp(flag_names[i].name, word, len)))
			i++;
		if (i == ARRAY_LEN(flag_names))
			return false;
		*flags |= flag_names[i].bit;
		word += len + (word[len] == '|');
	}
	return true;
}

static bool read_tos(const char *word, uint32_t *tos)
{
	for (*tos = 0; *tos < ARRAY_LEN(ecn_names); ++*tos)
		if (strcmp(ecn_names[*tos], word) == 0)
			return true;
	return script_number(word, tos);
}

static bool read_ts(const char *word, uint32_t *out, bool *any)
{
	*any = word[0] == '*';
	if (!*any)
		return script_number(word, out);
	*out = 0;
	return word[1] == '\0' || (word[1] == '-' && script_number(word + 2, out));
}

static bool read_sack(const char *word, struct wire_tcp *h)
{
	struct wire_sack_block *block = &h->sack[h->sack_count];
	char *end;

	if (h->sack_count == WIRE_TCP_SACK_BLOCKS_MAX)
		return false;
	block->start = SEQ(strtoul(word, &end, 0));
	if (*end != ':')
		return false;
	block->end = SEQ(strtoul(end + 1, &end, 0));
	h->sack_count++;
	return *end == 0;
}

/* "tfo", "tfo *" or "tfo HEX": a word that is no cookie belongs to the next option. */
static void read_fast_open(const struct script_line *line, uint32_t *at, struct script_seg *out)
{
	const char *word = *at < line->count ? line->word[*at] : "";
	size_t n = strlen(word);

	out->h.has_fast_open = true;
	out->fast_open_any = strcmp(word, "*") == 0;
	if (!out->fast_open_any &&
		(n < 8 || n > 2 * WIRE_TCP_FAST_OPEN_MAX || strspn(word, "0123456789abcdef") != n))
		return;
	++*at;
	for (size_t i = 0; i + 1 < n; i += 2) {
		char byte[3] = {word[i], word[i + 1], 0};

		out->h.fast_open[out->h.fast_open_len++] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

/* Reads one option at word *at; leaves *at after it. */
static bool read_option(const struct script_line *line, uint32_t *at, struct script_seg *out)
{
	const char *name = line->word[(*at)++];
	uint32_t left = line->count - *at, n = 0;
	struct wire_tcp *h = &out->h;

	if (strcmp(name, "sackOK") == 0) {
		h->has_sack_permitted = true;
		return true;
	}
	if (strcmp(name, "tfo") == 0) {
		read_fast_open(line, at, out);
		return true;
	}
	if (strcmp(name, "mss") == 0 && left && script_number(line->word[(*at)++], &n)) {
		h->has_mss = true;
		h->mss = (uint16_t)n;
		return true;
	}
	if (strcmp(name, "wscale") == 0 && left && script_number(line->word[(*at)++], &n)) {
		h->has_window_scale = true;
		h->window_scale = (uint8_t)n;
		return true;
	}
	if (strcmp(name, "ts") == 0 && left >= 2) {
		h->has_timestamp = true;
		*at += 2;
		return read_ts(line->word[*at - 2], &h->ts_val, &out->ts_val_any) &&
		       read_ts(line->word[*at - 1], &h->ts_ecr, &out->ts_ecr_any);
	}
	if (strcmp(name, "sack") == 0 && left) {
		while (*at < line->count && strchr(line->word[*at], ':'))
			if (!read_sack(line->word[(*at)++], h))
				return false;
		return h->sack_count > 0;
	}
	return false;
}

const char *script_seg_read(const struct script_line *line, uint32_t at, struct script_seg *out)
{
	uint32_t end = line->has_options ? line->options : line->count;

	*out = (struct script_seg){.has_options = line->has_options};
	if (at >= end || !read_flags(line->word[at], &out->h.flags))
		return "flags";
	for (at++; at + 1 < end; at += 2) {
		const char *key = line->word[at];
		uint32_t n;

		if (!(strcmp(key, "tos") == 0 ? read_tos(line->word[at + 1], &n)
					      : script_number(line->word[at + 1], &n)))
			return line->word[at + 1];
		if (strcmp(key, "seq") == 0)
			out->h.seq = SEQ(n);
		else if (strcmp(key, "ack") == 0)
			out->h.ack = SEQ(n);
		else if (strcmp(key, "len") == 0)
			out->len = n;
		else if (strcmp(key, "tos") == 0)
			out->tos = (uint8_t)n;
		else if (strcmp(key, "win") == 0)
			out->h.window = (uint16_t)n;
		else
			return key;
		if (strcmp(key, "win") == 0)
			out->has_window = true;
	}
	if (at != end)
		return line->word[at];
	while (at < line->count) {
		const char *name = line->word[at];

		if (!read_option(line, &at, out))
			return name;
	}
	return NULL;
}

void script_seg_print(const struct script_seg *seg, char *buf, size_t size)
{
	const struct wire_tcp *h = &seg->h;
	size_t n = 0;

#define ADD(...) n += (size_t)snprintf(buf + MIN(n, size), size - MIN(n, size), __VA_ARGS__)
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (h->flags & flag_names[i].bit)
			ADD("%s%s", n ? "|" : "", flag_names[i].name);
	ADD(" seq %d", (int)h->seq.v);
	if (h->flags & WIRE_TCP_ACK)
		ADD(" ack %d", (int)h->ack.v);
	if (seg->len)
		ADD(" len %u", seg->len);
	if (seg->tos)
		ADD(" tos %s", ecn_names[seg->tos & 3]);
	ADD(" win %u <", h->window);
	if (h->has_mss)
		ADD("mss %u,", h->mss);
	if (h->has_sack_permitted)
		ADD("sackOK,");
	if (h->has_timestamp)
		ADD("ts %u %u,", h->ts_val, h->ts_ecr);
	if (h->has_window_scale)
		ADD("wscale %u,", h->window_scale);
	if (h->has_fast_open)
		ADD("tfo ");
	for (uint8_t i = 0; i < h->fast_open_len; i++)
		ADD("%02x", h->fast_open[i]);
	for (uint8_t i = 0; i < h->sack_count; i++)
		ADD("%s%d:%d ", i ? "" : "sack ", (int)h->sack[i].start.v, (int)h->sack[i].end.v);
	ADD(">");
#undef ADD
}
