/* SPDX-License-Identifier: BSD-3-Clause */
/* "impair" of a port line: what its line does to packets, for tests and labs. */
#include <ctype.h>
#include <stdlib.h>

#include "reload_pvt.h"

#define DELAY_MAX_NS             (60 * NS_PER_SEC)
#define RATE_MIN_BITS            1e3
#define RATE_MAX_BITS            400e9
#define QUEUE_DEFAULT_BYTES      (256u << 10)
#define REORDER_DELAY_DEFAULT_NS NS_PER_MS
#define SEED_DEFAULT             1

/* The directions that the words now speak of: both at first, then those of "in" or "out". */
struct impair_words {
	struct port_impair *impair;
	struct impair_config *of[2]; /* [1] is NULL if there is one */
};

static bool iw_direction(const struct rl_call *c, uint32_t i, void *target)
{
	struct impair_words *w = target;

	w->of[0] = lang_is(c->s, i, "in") ? &w->impair->in : &w->impair->out;
	w->of[1] = NULL;
	return true;
}

static bool iw_seed(const struct rl_call *c, uint32_t i, void *target)
{
	struct impair_words *w = target;
	uint32_t seed;

	if (!rl_arg_uint(c, i, 0, UINT32_MAX, &seed))
		return false;
	w->impair->seed = seed;
	return true;
}

/* "0.1%" in parts per million. The sign may be missing. */
static bool parse_chance(const struct rl_call *c, uint32_t i, uint64_t *out)
{
	const char *text = lang_text(c->s, i);
	char *end;
	double percent = strtod(text, &end);

	if (*end == '%')
		end++;
	if (end == text || *end || !(percent >= 0 && percent <= 100)) {
		rl_alert(c, i, "0% to 100%, say 0.1%", "'%s': '%s' is not a chance in percent",
			lang_text(c->s, i - 1), text);
		return false;
	}
	*out = (uint64_t)(percent / 100 * IMPAIR_PPM_ALL + 0.5);
	return true;
}

/* Without a unit in milliseconds, as everywhere; with one it may be less than that. */
static bool parse_delay(const struct rl_call *c, uint32_t i, uint64_t *out)
{
	const char *text = lang_text(c->s, i);
	bool bare = text[strspn(text, "0123456789")] == '\0';
	struct error err = {0};

	if (lang_time_parse(text, bare ? NS_PER_MS : NS_PER_US, DELAY_MAX_NS, out, &err) == 0)
		return true;
	rl_alert(c, i, NULL, "'%s': %s", lang_text(c->s, i - 1), err.text);
	return false;
}

/* "100m": bits per second, in thousands as lines are sold. */
static bool parse_rate(const struct rl_call *c, uint32_t i, uint64_t *out)
{
	static const char units[] = "kmg";
	const char *text = lang_text(c->s, i);
	char *end;
	double rate = strtod(text, &end);
	const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;

	if (unit) {
		end++;
		for (const char *u = units; u <= unit; u++)
			rate *= 1000;
	}
	if (end == text || *end || !(rate >= RATE_MIN_BITS && rate <= RATE_MAX_BITS)) {
		rl_alert(c, i, "bits per second, say 512k, 100m or 1g",
			"'rate': '%s' is not a rate from 1k to 400g", text);
		return false;
	}
	*out = (uint64_t)rate;
	return true;
}

static bool parse_queue(const struct rl_call *c, uint32_t i, uint64_t *out)
{
	return rl_arg_size(c, i, UINT32_MAX, out);
}

#define FIELD(member) \
	offsetof(struct impair_config, member), sizeof(((struct impair_config *)0)->member)

static const struct {
	const char *word;
	bool (*parse)(const struct rl_call *c, uint32_t i, uint64_t *out);
	size_t offset, size;
} fields[] = {
	{"loss", parse_chance, FIELD(loss_ppm)},
	{"delay", parse_delay, FIELD(delay_ns)},
	{"jitter", parse_delay, FIELD(jitter_ns)},
	{"reorder", parse_chance, FIELD(reorder_ppm)},
	{"reorder-delay", parse_delay, FIELD(reorder_ns)},
	{"dup", parse_chance, FIELD(duplicate_ppm)},
	{"corrupt", parse_chance, FIELD(corrupt_ppm)},
	{"mark", parse_chance, FIELD(mark_ppm)},
	{"rate", parse_rate, FIELD(rate_bits_per_s)},
	{"queue", parse_queue, FIELD(queue_bytes_max)},
};

static void store(struct impair_config *config, size_t offset, size_t size, uint64_t value)
{
	void *at = (char *)config + offset;

	if (size == sizeof(uint64_t))
		*(uint64_t *)at = value;
	else
		*(uint32_t *)at = (uint32_t)value;
}

static bool iw_value(const struct rl_call *c, uint32_t i, void *target)
{
	struct impair_words *w = target;
	uint64_t value;
	size_t f = 0;

	while (!lang_is(c->s, i - 1, fields[f].word))
		f++;
	if (!fields[f].parse(c, i, &value))
		return false;
	for (int d = 0; d < 2 && w->of[d]; d++)
		store(w->of[d], fields[f].offset, fields[f].size, value);
	return true;
}

static const struct rl_word words[] = {
	{"in", 0, iw_direction},
	{"out", 0, iw_direction},
	{"loss", RL_WORD_VALUE, iw_value},
	{"delay", RL_WORD_VALUE, iw_value},
	{"jitter", RL_WORD_VALUE, iw_value},
	{"reorder", RL_WORD_VALUE, iw_value},
	{"reorder-delay", RL_WORD_VALUE, iw_value},
	{"dup", RL_WORD_VALUE, iw_value},
	{"corrupt", RL_WORD_VALUE, iw_value},
	{"mark", RL_WORD_VALUE, iw_value},
	{"rate", RL_WORD_VALUE, iw_value},
	{"queue", RL_WORD_VALUE, iw_value},
	{"seed", RL_WORD_VALUE, iw_seed},
	{NULL},
};

/* A line without a limited rate has no queue. */
static void drop_idle_queue(struct impair_config *config)
{
	if (!config->rate_bits_per_s)
		config->queue_bytes_max = 0;
}

bool rl_impair_parse(const struct rl_call *c, uint32_t first, struct port_impair *out)
{
	static const struct impair_config start = {
		.queue_bytes_max = QUEUE_DEFAULT_BYTES, .reorder_ns = REORDER_DELAY_DEFAULT_NS};
	struct impair_words w = {.impair = out, .of = {&out->in, &out->out}};

	if (first == c->s->word_count) {
		rl_alert(c, first - 1,
			"[in | out] loss 1% delay 20ms jitter 5ms reorder 2% reorder-delay 1ms dup "
			"1% "
			"corrupt 0.1% rate 100m queue 256k seed 7",
			"'port': 'impair' needs at least one of its words");
		return false;
	}
	*out = (struct port_impair){.on = true, .in = start, .out = start, .seed = SEED_DEFAULT};
	if (!rl_words_parse(c, first, words, 0, &w))
		return false;
	drop_idle_queue(&out->in);
	drop_idle_queue(&out->out);
	rl_warn(c, first - 1, NULL, "port '%s' is impaired on purpose", lang_text(c->s, c->arg));
	return true;
}
