/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyword "bind": endpoints, ranges of ports, and the words after them. */
#include <stdlib.h>

#include "reload_pvt.h"

static bool bw_name(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	b->name = rl_strdup(c->draft, lang_text(c->s, i));
	return true;
}

static bool bw_id(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	return rl_arg_uint(c, i, 1, INT32_MAX, &b->id);
}

static bool bw_maxconn(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	return rl_arg_uint(c, i, 0, 100000000, &b->maxconn);
}

static bool bw_backlog(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	return rl_arg_uint(c, i, 0, 100000000, &b->backlog);
}

static bool bw_mss(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	const char *text = lang_text(c->s, i);
	int64_t less;
	uint32_t mss;

	if (*text == '-') {
		if (lang_int_parse(text, -65535, -1, &less, NULL) < 0) {
			rl_alert(c, i, "an MSS from 88 to 65535, or how much less with a '-'",
				"'mss': bad number '%s'", text);
			return false;
		}
		b->tcp.mss_less = (uint16_t)-less;
		return true;
	}
	if (!rl_arg_uint(c, i, 88, 65535, &mss))
		return false;
	b->tcp.mss_max = (uint16_t)mss;
	return true;
}

static bool bw_tcp_ut(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	return rl_tcp_user_timeout(c, i, &b->tcp);
}

static bool bw_cc(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	return rl_tcp_cc(c, i, &b->tcp);
}

static bool bw_tfo(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	(void)c, (void)i;
	b->tcp.fast_open = true;
	return true;
}

static bool bw_defer_accept(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	(void)c, (void)i;
	b->tcp.defer_accept = true;
	return true;
}

static bool bw_v4v6(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	(void)c, (void)i;
	b->v4v6 = true;
	return true;
}

static bool bw_v6only(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_bind *b = target;
	(void)c, (void)i;
	b->v6_only = true;
	return true;
}

static bool bw_ignored(const struct rl_call *c, uint32_t i, void *target)
{
	(void)target;
	lang_report(c->draft->diags, LANG_NOTICE, c->s, i, NULL,
		"'%s' has no meaning here and is ignored", lang_text(c->s, i));
	return true;
}

static const struct rl_word words[] = {
	{"name", RL_WORD_VALUE, bw_name},
	{"id", RL_WORD_VALUE, bw_id},
	{"maxconn", RL_WORD_VALUE, bw_maxconn},
	{"backlog", RL_WORD_VALUE, bw_backlog},
	{"mss", RL_WORD_VALUE, bw_mss},
	{"cc", RL_WORD_VALUE, bw_cc},
	{"tcp-ut", RL_WORD_VALUE, bw_tcp_ut},
	{"tfo", 0, bw_tfo},
	{"defer-accept", 0, bw_defer_accept},
	{"v4v6", 0, bw_v4v6},
	{"v6only", 0, bw_v6only},
	{"nice", RL_WORD_VALUE | RL_WORD_IGNORED, bw_ignored},
	{"thread", RL_WORD_VALUE | RL_WORD_IGNORED, bw_ignored},
	{"process", RL_WORD_VALUE | RL_WORD_IGNORED, bw_ignored},
	{NULL},
};

/* The words after the addresses, into `b`; they hold for each endpoint of the line. */
static bool parse_words(const struct rl_call *c, struct model_bind *b)
{
	if (!rl_words_parse(c, c->arg + 1, words, 0, b))
		return false;
	if (b->v4v6 && b->v6_only) {
		rl_alert(c, c->arg, NULL, "'bind': 'v4v6' and 'v6only' contradict each other");
		return false;
	}
	return true;
}

static void add_bind(const struct rl_call *c, const struct model_bind *b,
	const struct lang_address *a, uint16_t port)
{
	struct rl_bind *slot = rl_append(&c->proxy->binds);

	if (!slot) {
		c->draft->failed = true;
		return;
	}
	slot->bind = *b;
	slot->bind.local = (struct endpoint){a->addr, port};
	slot->zone = rl_zone(c->draft, a);
	slot->at = c->s;
	slot->word = c->arg;
}

static void add_address(const struct rl_call *c, const char *text, const struct model_bind *b)
{
	struct error err = {0};
	struct lang_address a;

	if (lang_address_parse(text, LANG_ADDRESS_BIND | LANG_ADDRESS_MAY_ZONE, NULL, &a, &err) <
		0) {
		rl_alert(c, c->arg, "[address]:port[-port], with addresses * or [::] for all",
			"'bind': %s", err.text);
		return;
	}
	if (!rl_resolve(c, c->arg, &a))
		return;
	if (a.kind != LANG_ADDRESS_IP) {
		rl_alert(c, c->arg, "[address]:port[-port]",
			"'bind' cannot listen on '%s': ports carry IP only", text);
		return;
	}
	if (a.wildcard && a.family != LANG_FAMILY_V6 && !ip_addr_is_any(&a.addr))
		a.addr = ip_addr_from_v4(0);
	for (uint32_t port = a.port_first; port <= a.port_last; port++) {
		if (port == 0) {
			rl_alert(c, c->arg, NULL, "'bind': port 0 cannot be listened on");
			return;
		}
		add_bind(c, b, &a, (uint16_t)port);
	}
}

static void kw_bind(const struct rl_call *c)
{
	struct model_bind b = {.place = rl_place(c)};
	char *list = strdup(lang_text(c->s, c->arg)), *rest = list, *text;

	c->proxy->bind_seen = true;
	if (!list)
		c->draft->failed = true;
	else if (parse_words(c, &b))
		while ((text = strsep(&rest, ",")) != NULL)
			add_address(c, text, &b);
	free(list);
}

const struct rl_keyword rl_keywords_bind[] = {
	{"bind", "[<address>]:<port>[-<port>][,...] [name <name>] [maxconn <n>] ...",
		RELOAD_FRONTEND | RELOAD_LISTEN, 1, RL_NO_LIMIT, 0, kw_bind},
	{NULL},
};
