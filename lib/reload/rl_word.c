/* SPDX-License-Identifier: BSD-3-Clause */
/* Words behind the arguments of a keyword, each with or without a value, in any order. */
#include "reload_pvt.h"

#define CANDIDATES_MAX 32

static const struct rl_word *find(const struct rl_word *words, uint32_t without, const char *text)
{
	for (; words->word; words++)
		if (!(words->flags & without) && strcmp(words->word, text) == 0)
			return words;
	return NULL;
}

static void report_unknown(
	const struct rl_call *c, uint32_t i, const struct rl_word *words, uint32_t without)
{
	const char *candidates[CANDIDATES_MAX], *near;
	char accepted[256] = "";
	size_t count = 0, len = 0;

	for (; words->word && count < CANDIDATES_MAX; words++) {
		if (words->flags & (without | RL_WORD_IGNORED))
			continue;
		candidates[count++] = words->word;
		if (len < sizeof(accepted))
			len += (size_t)snprintf(accepted + len, sizeof(accepted) - len, "%s%s",
				len ? ", " : "", words->word);
	}
	near = lang_suggest(lang_text(c->s, i), candidates, count);
	rl_alert(c, i, accepted, "'%s%s%s': unknown word '%s'%s%s%s", lang_text(c->s, 0),
		c->arg > 1 ? " " : "", c->arg > 1 ? lang_text(c->s, 1) : "", lang_text(c->s, i),
		near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

bool rl_words_parse(const struct rl_call *c, uint32_t first, const struct rl_word *words,
	uint32_t without, void *target)
{
	for (uint32_t i = first; i < c->s->word_count; i++) {
		const struct rl_word *w = find(words, without, lang_text(c->s, i));

		if (!w) {
			report_unknown(c, i, words, without);
			return false;
		}
		if (w->flags & RL_WORD_VALUE && ++i == c->s->word_count) {
			rl_alert(c, i - 1, NULL, "'%s': '%s' needs a value", lang_text(c->s, 0),
				w->word);
			return false;
		}
		if (!w->fn(c, i, target))
			return false;
	}
	return true;
}
