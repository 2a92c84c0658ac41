/* SPDX-License-Identifier: BSD-3-Clause */
#include "lang_diag.h"
#include "manage_pvt.h"

const struct mg_command *const mg_tables[] = {mg_commands_capture, mg_commands_session,
	mg_commands_self, mg_commands_show, mg_commands_info, mg_commands_net, mg_commands_net_set,
	mg_commands_sess, mg_commands_stat, NULL};

/* How many words of the command stand at the start of the words given. */
static uint32_t words_equal(const struct mg_command *c, const char *const *words, uint32_t count)
{
	uint32_t n = 0;

	while (n < MG_COMMAND_WORDS && c->words[n] && n < count &&
		strcmp(c->words[n], words[n]) == 0)
		n++;
	return n;
}

static uint32_t word_count(const struct mg_command *c)
{
	uint32_t n = 0;

	while (n < MG_COMMAND_WORDS && c->words[n])
		n++;
	return n;
}

const struct mg_command *mg_command_find(const char *const *words, uint32_t count)
{
	const struct mg_command *best = NULL;

	for (const struct mg_command *const *table = mg_tables; *table; table++)
		for (const struct mg_command *c = *table; c->words[0]; c++)
			if (words_equal(c, words, count) == word_count(c) &&
				(!best || word_count(c) > word_count(best)))
				best = c;
	return best;
}

/* Commands without a syntax are those that every list ends with. */
static bool is_listed(const struct mg_command *c, int level)
{
	return c->syntax && c->level <= level;
}

/* The words may have been meant for the command: the same first words, and the next word given is
 * the start of, or spelt like, its next one. */
static bool is_near(const struct mg_command *c, const char *const *words, uint32_t count,
	uint32_t equal, bool spelling)
{
	const char *mine;

	if (words_equal(c, words, count) != equal)
		return false;
	if (equal == count || !spelling)
		return equal > 0;
	mine = equal < MG_COMMAND_WORDS ? c->words[equal] : NULL;
	return mine && (strncmp(mine, words[equal], strlen(words[equal])) == 0 ||
			       lang_suggest(words[equal], &mine, 1));
}

static uint32_t print_near(struct mg_out *out, int level, const char *const *words, uint32_t count,
	uint32_t equal, bool spelling)
{
	uint32_t printed = 0;

	for (const struct mg_command *const *table = mg_tables; *table; table++) {
		for (const struct mg_command *c = *table; c->words[0]; c++) {
			if (!is_listed(c, level) ||
				(count > 0 && !is_near(c, words, count, equal, spelling)))
				continue;
			if (out)
				mg_printf(out, "  %-39s : %s\n", c->syntax, c->help);
			printed++;
		}
	}
	return printed;
}

static uint32_t best_equal(int level, const char *const *words, uint32_t count)
{
	uint32_t best = 0;

	for (const struct mg_command *const *table = mg_tables; *table; table++)
		for (const struct mg_command *c = *table; c->words[0]; c++)
			if (is_listed(c, level))
				best = MAX(best, words_equal(c, words, count));
	return best;
}

void mg_command_help(
	struct mg_out *out, int level, const char *const *words, uint32_t count, bool unknown)
{
	uint32_t equal = best_equal(level, words, count);
	bool spelling = count > 0 && print_near(NULL, level, words, count, equal, true) > 0;

	if (count > 0 && !spelling && equal == 0)
		count = 0;
	if (!unknown)
		mg_puts(out, "The following commands are valid at this level:\n");
	else if (count == 0)
		mg_puts(out, "Unknown command. Please enter one of the following commands only:\n");
	else
		mg_puts(out, "Unknown command, but maybe one of the following ones is a better "
			     "match:\n");
	print_near(out, level, words, count, equal, spelling);
	mg_printf(out, "  %-39s : %s\n", "help [<command>]", "list matching or all commands");
	mg_printf(out, "  %-39s : %s\n", "prompt", "toggle interactive mode with prompt");
	mg_printf(out, "  %-39s : %s\n", "quit", "disconnect");
}

char *mg_command_end(char *text)
{
	while (*text && *text != ';')
		text += text[0] == '\\' && text[1] ? 2 : 1;
	return text;
}

uint32_t mg_split(char *text, const char **words)
{
	uint32_t count = 0;
	char *to;

	for (;;) {
		while (*text == ' ' || *text == '\t')
			text++;
		if (!*text || count == MG_WORDS_MAX)
			return count;
		words[count++] = to = text;
		while (*text && *text != ' ' && *text != '\t') {
			if (text[0] == '\\' && text[1])
				text++;
			*to++ = *text++;
		}
		if (*text)
			text++;
		*to = '\0';
	}
}
