/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds the row of a statement in the keyword tables and calls its function; and what these
 * functions share: reading of arguments, lists that grow, host names.
 *
 * Two words beat one ("timeout client" before "timeout"), a row for this section beats one for
 * another, so that a keyword in the wrong place is told from one that does not exist. The row
 * says how many words it takes; its function sees only statements that fit.
 */
#include <netdb.h>
#include <stdlib.h>

#include "reload_pvt.h"

static const struct rl_keyword *const tables[] = {
	rl_keywords_global,
	rl_keywords_proxy,
	rl_keywords_option,
	rl_keywords_bind,
	rl_keywords_server,
	rl_keywords_log,
	rl_keywords_network,
};

#define CANDIDATES_MAX 256

const char *rl_section_name(uint32_t section)
{
	switch (section) {
	case RELOAD_GLOBAL:
		return "global";
	case RELOAD_DEFAULTS:
		return "defaults";
	case RELOAD_FRONTEND:
		return "frontend";
	case RELOAD_BACKEND:
		return "backend";
	case RELOAD_LISTEN:
		return "listen";
	default:
		return "network";
	}
}

/** Number of words of the row's name that the statement starts with: 0 if it is another keyword. */
static uint32_t words_matched(const struct rl_keyword *k, const struct lang_statement *s)
{
	const char *space = strchr(k->word, ' ');
	size_t first = space ? (size_t)(space - k->word) : strlen(k->word);

	if (strlen(lang_text(s, 0)) != first || memcmp(lang_text(s, 0), k->word, first) != 0)
		return 0;
	if (!space)
		return 1;
	return strcmp(lang_text(s, 1), space + 1) == 0 ? 2 : 0;
}

/* The row that fits best: two words before one, the right section before another. */
static const struct rl_keyword *find(
	const struct lang_statement *s, uint32_t section, uint32_t *words)
{
	const struct rl_keyword *best = NULL;
	uint32_t best_score = 0;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (const struct rl_keyword *k = tables[t]; k->word; k++) {
			uint32_t n = words_matched(k, s);
			uint32_t score = n * 2 + ((k->sections & section) != 0);

			if (n && score > best_score) {
				best = k;
				best_score = score;
				*words = n;
			}
		}
	}
	return best;
}

/* Keywords of these sections; or, if the statement's first word begins some keyword of two words,
 * the second words of those. Returns how many; *second tells which. */
static size_t gather(const struct rl_call *c, uint32_t sections, const char **out, bool *second)
{
	const char *first = lang_text(c->s, 0);
	size_t count = 0, first_len = strlen(first);

	*second = false;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (const struct rl_keyword *k = tables[t]; k->word && count < CANDIDATES_MAX;
			k++) {
			bool begins = strncmp(k->word, first, first_len) == 0 &&
				      k->word[first_len] == ' ';

			if (!(k->sections & sections) || (*second && !begins))
				continue;
			if (begins && !*second)
				count = 0;
			*second = begins;
			out[count++] = begins ? k->word + first_len + 1 : k->word;
		}
	}
	return count;
}

/* What the word was meant to be: a keyword of this section, else one of another. */
static void report_unknown(const struct rl_call *c)
{
	const char *candidates[CANDIDATES_MAX], *near;
	char hint[128];
	bool second;
	size_t count = gather(c, c->section, candidates, &second);

	near = lang_suggest(lang_text(c->s, second), candidates, count);
	if (!near) {
		count = gather(c, UINT32_MAX, candidates, &second);
		near = lang_suggest(lang_text(c->s, second), candidates, count);
	}
	snprintf(hint, sizeof(hint), "did you mean '%s'", near ? near : "");
	rl_alert(c, second, near ? hint : NULL, "unknown keyword '%s%s%s' in section '%s'",
		lang_text(c->s, 0), second ? " " : "", second ? lang_text(c->s, 1) : "",
		rl_section_name(c->section));
}

static void notice_ignored(const struct rl_call *c, const struct rl_keyword *k)
{
	lang_report(c->draft->diags, LANG_NOTICE, c->s, 0, NULL,
		"'%s' has no meaning here and is ignored: %s", k->word, k->syntax);
}

/* As in HAProxy, a frontend's keyword in a backend (or the reverse) does no harm. */
static void report_misplaced(const struct rl_call *c, const struct rl_keyword *k)
{
	bool harmless = (k->sections & RL_PROXY) &&
			(c->section & (RELOAD_FRONTEND | RELOAD_BACKEND)) &&
			!(k->flags & RL_STRICT);

	if (harmless)
		rl_warn(c, 0, NULL, "'%s' is ignored: %s '%s' has no %s side", k->word,
			rl_section_name(c->section), c->proxy->p.name,
			c->section == RELOAD_FRONTEND ? "backend" : "frontend");
	else
		rl_alert(c, 0, NULL, "'%s' is not allowed in section '%s'", k->word,
			rl_section_name(c->section));
}

static bool words_are_right(const struct rl_call *c, const struct rl_keyword *k)
{
	uint32_t args = c->s->word_count - c->arg;

	if (!(k->sections & c->section)) {
		report_misplaced(c, k);
		return false;
	}
	if (rl_is_no(c)) {
		if (k->flags & RL_MAY_NO)
			return true;
		rl_alert(c, 0, NULL, "'%s' cannot be negated or set to its default", k->word);
		return false;
	}
	if (args < k->args_min) {
		rl_alert(c, c->s->word_count, k->syntax, "'%s' needs %s", k->word,
			k->args_min == 1 ? "an argument" : "more arguments");
		return false;
	}
	if (args > k->args_max) {
		rl_alert(c, c->arg + k->args_max, k->syntax, "'%s' takes no word '%s'", k->word,
			lang_text(c->s, c->arg + k->args_max));
		return false;
	}
	return true;
}

void rl_statement(struct rl_draft *d, struct rl_proxy *proxy, uint32_t section,
	const struct lang_statement *s)
{
	struct rl_call c = {d, proxy, section, s, 0};
	const struct rl_keyword *k = find(s, section, &c.arg);

	if (!k) {
		report_unknown(&c);
		return;
	}
	if ((k->flags & RL_IGNORED) && (k->sections & section)) {
		notice_ignored(&c, k);
		return;
	}
	if (!words_are_right(&c, k))
		return;
	if ((k->flags & RL_HTTP_ONLY) && !rl_is_no(&c) && section != RELOAD_DEFAULTS)
		proxy->http_only = s;
	k->fn(&c);
}

void reload_keyword_each(void (*fn)(void *ctx, const struct reload_keyword_info *info), void *ctx)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (const struct rl_keyword *k = tables[t]; k->word; k++) {
			struct reload_keyword_info info = {
				k->word, k->syntax, k->sections, (k->flags & RL_IGNORED) != 0};

			fn(ctx, &info);
		}
	}
}

/* --- arguments ---------------------------------------------------------------------- */

static bool report_value(const struct rl_call *c, uint32_t index, const struct error *err)
{
	rl_alert(c, index, NULL, "'%s': %s", lang_text(c->s, 0), err->text);
	return false;
}

bool rl_arg_uint(const struct rl_call *c, uint32_t index, uint32_t min, uint32_t max, uint32_t *out)
{
	struct error err = {0};
	int64_t value;

	if (lang_int_parse(lang_text(c->s, index), min, max, &value, &err) < 0)
		return report_value(c, index, &err);
	*out = (uint32_t)value;
	return true;
}

static bool arg_time_ms(const struct rl_call *c, uint32_t index, uint64_t unit_ns, uint32_t *out_ms)
{
	struct error err = {0};
	uint64_t ns;

	if (lang_time_parse(lang_text(c->s, index), unit_ns, 0, &ns, &err) < 0)
		return report_value(c, index, &err);
	*out_ms = (uint32_t)(ns / NS_PER_MS);
	return true;
}

bool rl_arg_time_ms(const struct rl_call *c, uint32_t index, uint32_t *out_ms)
{
	return arg_time_ms(c, index, NS_PER_MS, out_ms);
}

bool rl_arg_seconds_ms(const struct rl_call *c, uint32_t index, uint32_t *out_ms)
{
	return arg_time_ms(c, index, NS_PER_SEC, out_ms);
}

bool rl_arg_size(const struct rl_call *c, uint32_t index, uint64_t max, uint64_t *out)
{
	struct error err = {0};

	if (lang_size_parse(lang_text(c->s, index), max, out, &err) < 0)
		return report_value(c, index, &err);
	return true;
}

bool rl_arg_prefix(const struct rl_call *c, uint32_t index, struct ip_prefix *out)
{
	if (ip_prefix_parse(bytes_of_cstr(lang_text(c->s, index)), out))
		return true;
	rl_alert(c, index, "an address with the length of its network, say 10.9.0.2/24",
		"'%s': '%s' is not a network", lang_text(c->s, 0), lang_text(c->s, index));
	return false;
}

bool rl_arg_address(
	const struct rl_call *c, uint32_t index, unsigned flags, struct lang_address *out)
{
	struct error err = {0};

	if (lang_address_parse(lang_text(c->s, index), flags, NULL, out, &err) < 0)
		return report_value(c, index, &err);
	return true;
}

int rl_arg_enum(const struct rl_call *c, uint32_t index, const char *what, const char *const *names)
{
	const char *word = lang_text(c->s, index), *near;
	char accepted[256] = "";
	size_t count = 0, len = 0;

	for (; names[count]; count++) {
		if (strcmp(word, names[count]) == 0)
			return (int)count;
		if (len < sizeof(accepted))
			len += (size_t)snprintf(accepted + len, sizeof(accepted) - len, "%s%s",
				count ? ", " : "one of: ", names[count]);
	}
	near = lang_suggest(word, names, count);
	rl_alert(c, index, accepted, "'%s': unknown %s '%s'%s%s%s", lang_text(c->s, 0), what, word,
		near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
	return -1;
}

struct model_place rl_place(const struct rl_call *c)
{
	return (struct model_place){rl_strdup(c->draft, c->s->source->name), c->s->line};
}

const char *rl_strdup(struct rl_draft *d, const char *text)
{
	const char *copy = model_strdup(d->model, bytes_of_cstr(text));

	if (copy)
		return copy;
	d->failed = true;
	return "";
}

void *rl_alloc(struct rl_draft *d, size_t size_bytes)
{
	void *p = model_alloc(d->model, size_bytes);

	if (!p)
		d->failed = true;
	return p;
}

void *rl_grow(void **items, uint32_t *count, uint32_t *room, size_t item_size)
{
	if (*count == *room) {
		uint32_t more = *room ? *room * 2 : 4;
		void *grown = reallocarray(*items, more, item_size);

		if (!grown)
			return NULL;
		*items = grown;
		*room = more;
	}
	return memset((char *)*items + (size_t)(*count)++ * item_size, 0, item_size);
}

/* 0, or an error of getaddrinfo. */
static int look_up(struct lang_address *address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int rc;

	hints.ai_family = address->family == LANG_FAMILY_V4   ? AF_INET
			  : address->family == LANG_FAMILY_V6 ? AF_INET6
							      : AF_UNSPEC;
	rc = getaddrinfo(address->text, NULL, &hints, &found);
	if (rc != 0)
		return rc;
	if (found->ai_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(void *)found->ai_addr;

		address->addr = ip_addr_from_v4(load_be32(&v4->sin_addr));
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(void *)found->ai_addr;

		memcpy(address->addr.b, &v6->sin6_addr, sizeof(address->addr.b));
	}
	address->kind = LANG_ADDRESS_IP;
	freeaddrinfo(found);
	return 0;
}

bool rl_name_resolves(const struct rl_call *c, struct lang_address *address)
{
	return c->draft->options->resolve_names && look_up(address) == 0;
}

bool rl_resolve(const struct rl_call *c, uint32_t index, struct lang_address *address)
{
	int rc;

	if (address->kind != LANG_ADDRESS_NAME)
		return true;
	if (!c->draft->options->resolve_names) {
		rl_alert(c, index, "an IP address", "host name '%s' cannot be resolved here",
			address->text);
		return false;
	}
	rc = look_up(address);
	if (rc != 0)
		rl_alert(c, index, NULL, "host name '%s' cannot be resolved: %s", address->text,
			gai_strerror(rc));
	return rc == 0;
}
