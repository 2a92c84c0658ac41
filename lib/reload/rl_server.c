/* SPDX-License-Identifier: BSD-3-Clause */
/* Keywords "server" and "default-server". */
#include "reload_pvt.h"

static bool sw_weight(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	return rl_arg_uint(c, i, 0, MODEL_WEIGHT_MAX, &s->weight);
}

static bool sw_maxconn(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	return rl_arg_uint(c, i, 0, INT32_MAX, &s->maxconn);
}

static bool sw_maxqueue(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	return rl_arg_uint(c, i, 0, INT32_MAX, &s->maxqueue);
}

static bool sw_id(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	return rl_arg_uint(c, i, 1, INT32_MAX, &s->id);
}

static bool sw_tcp_ut(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	return rl_tcp_user_timeout(c, i, &s->tcp);
}

static bool sw_cc(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	return rl_tcp_cc(c, i, &s->tcp);
}

static bool sw_backup(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	(void)c, (void)i;
	s->backup = true;
	return true;
}

static bool sw_no_backup(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	(void)c, (void)i;
	s->backup = false;
	return true;
}

static bool sw_disabled(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	(void)c, (void)i;
	s->disabled = true;
	return true;
}

static bool sw_enabled(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	(void)c, (void)i;
	s->disabled = false;
	return true;
}

static bool sw_tfo(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	(void)c, (void)i;
	s->tcp.fast_open = true;
	return true;
}

static bool sw_no_tfo(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_server *s = target;
	(void)c, (void)i;
	s->tcp.fast_open = false;
	return true;
}

static const struct rl_word words[] = {
	{"weight", RL_WORD_VALUE, sw_weight},
	{"maxconn", RL_WORD_VALUE, sw_maxconn},
	{"maxqueue", RL_WORD_VALUE, sw_maxqueue},
	{"id", RL_WORD_VALUE | RL_WORD_OWN, sw_id},
	{"cc", RL_WORD_VALUE, sw_cc},
	{"tcp-ut", RL_WORD_VALUE, sw_tcp_ut},
	{"tfo", 0, sw_tfo},
	{"no-tfo", 0, sw_no_tfo},
	{"backup", 0, sw_backup},
	{"no-backup", 0, sw_no_backup},
	{"disabled", 0, sw_disabled},
	{"no-disabled", 0, sw_enabled},
	{"enabled", 0, sw_enabled},
	{NULL},
};

static bool parse_address(
	const struct rl_call *c, uint32_t i, struct model_server *s, const char **zone)
{
	struct lang_address a;

	if (!rl_arg_address(c, i, LANG_ADDRESS_SERVER | LANG_ADDRESS_MAY_ZONE, &a))
		return false;
	if (a.kind == LANG_ADDRESS_NAME && c->draft->options->keep_unresolved &&
		!rl_name_resolves(c, &a)) {
		rl_warn(c, i, NULL, "host name '%s' has no address: server '%s' is disabled",
			a.text, s->name);
		s->disabled = true;
		a.kind = LANG_ADDRESS_IP;
		a.addr = ip_addr_from_v4(0);
	}
	if (!rl_resolve(c, i, &a))
		return false;
	if (a.kind != LANG_ADDRESS_IP) {
		rl_alert(c, i, "address[:port]",
			"'server' cannot connect to '%s': ports carry IP only", lang_text(c->s, i));
		return false;
	}
	*zone = rl_zone(c->draft, &a);
	s->remote = (struct endpoint){a.addr, a.port_first};
	if (a.port_kind == LANG_PORT_FIXED)
		return true;
	s->port_from_client = true;
	s->port_offset = a.port_kind == LANG_PORT_MINUS ? -(int32_t)a.port_first : a.port_first;
	s->remote.port = 0;
	return true;
}

static void kw_server(const struct rl_call *c)
{
	struct model_server s = c->proxy->server_defaults;
	const char *zone = NULL;
	struct rl_server *slot;

	s.place = rl_place(c);
	s.name = rl_strdup(c->draft, lang_text(c->s, c->arg));
	s.id = 0;
	if (!parse_address(c, c->arg + 1, &s, &zone) ||
		!rl_words_parse(c, c->arg + 2, words, 0, &s))
		return;
	slot = rl_append(&c->proxy->servers);
	if (!slot) {
		c->draft->failed = true;
		return;
	}
	*slot = (struct rl_server){s, c->s, c->arg, s.id != 0, zone};
}

static void kw_default_server(const struct rl_call *c)
{
	rl_words_parse(c, c->arg, words, RL_WORD_OWN, &c->proxy->server_defaults);
}

const struct rl_keyword rl_keywords_server[] = {
	{"server", "<name> <address>[:<port>] [weight <n>] [maxconn <n>] [backup] ...",
		RELOAD_BACKEND | RELOAD_LISTEN, 2, RL_NO_LIMIT, RL_STRICT, kw_server},
	{"default-server", "[weight <n>] [maxconn <n>] ...", RL_BACK, 1, RL_NO_LIMIT, RL_STRICT,
		kw_default_server},
	{NULL},
};
