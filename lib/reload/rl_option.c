/* SPDX-License-Identifier: BSD-3-Clause */
/* Keywords "option ...". "no option" takes one back. */
#include "reload_pvt.h"

static void http_mode(const struct rl_call *c, enum model_http_mode mode)
{
	if (!rl_is_no(c))
		c->proxy->p.http_mode = mode;
	else if (c->proxy->p.http_mode == mode)
		c->proxy->p.http_mode = MODEL_HTTP_KEEP_ALIVE;
}

static void op_keep_alive(const struct rl_call *c)
{
	http_mode(c, MODEL_HTTP_KEEP_ALIVE);
}

static void op_server_close(const struct rl_call *c)
{
	http_mode(c, MODEL_HTTP_SERVER_CLOSE);
}

static void op_httpclose(const struct rl_call *c)
{
	http_mode(c, MODEL_HTTP_CLOSE);
}

static void log_format(const struct rl_call *c, enum model_log_format format)
{
	if (rl_is_no(c)) {
		if (c->proxy->p.log_format == format)
			c->proxy->p.log_format = MODEL_LOG_DEFAULT;
		return;
	}
	c->proxy->p.log_format = format;
	c->proxy->log_format_at = c->section == RELOAD_DEFAULTS ? NULL : c->s;
}

static void op_httplog(const struct rl_call *c)
{
	if (c->s->word_count > c->arg && !lang_is(c->s, c->arg, "clf")) {
		rl_alert(c, c->arg, "clf", "'option httplog' takes no word '%s'",
			lang_text(c->s, c->arg));
		return;
	}
	log_format(c, lang_is(c->s, c->arg, "clf") ? MODEL_LOG_HTTP_CLF : MODEL_LOG_HTTP);
}

static void op_tcplog(const struct rl_call *c)
{
	log_format(c, MODEL_LOG_TCP);
}

static void op_dontlognull(const struct rl_call *c)
{
	c->proxy->p.dontlognull = !rl_is_no(c);
}

static void op_dontlog_normal(const struct rl_call *c)
{
	c->proxy->p.dontlog_normal = !rl_is_no(c);
}

static void op_logasap(const struct rl_call *c)
{
	c->proxy->p.logasap = !rl_is_no(c);
}

static void op_abortonclose(const struct rl_call *c)
{
	c->proxy->p.abortonclose = !rl_is_no(c);
}

static void op_allbackups(const struct rl_call *c)
{
	c->proxy->p.be.allbackups = !rl_is_no(c);
}

static void op_clitcpka(const struct rl_call *c)
{
	c->proxy->p.tcpka_client = !rl_is_no(c);
}

static void op_srvtcpka(const struct rl_call *c)
{
	c->proxy->p.tcpka_server = !rl_is_no(c);
}

static void op_tcpka(const struct rl_call *c)
{
	op_clitcpka(c);
	op_srvtcpka(c);
}

/* Nothing that could leave is held back here, with or without it: text leaves in the turn in which
 * it comes, whole messages and parts alike. */
static void op_http_no_delay(const struct rl_call *c)
{
	(void)c;
}

static void op_redispatch(const struct rl_call *c)
{
	struct model_backend *be = &c->proxy->p.be;
	struct error err = {0};
	int64_t interval = -1;

	be->redispatch = !rl_is_no(c);
	if (rl_is_no(c) || c->s->word_count == c->arg) {
		be->redispatch_interval = -1;
		return;
	}
	if (lang_int_parse(lang_text(c->s, c->arg), INT32_MIN, INT32_MAX, &interval, &err) < 0)
		rl_alert(c, c->arg, NULL, "'option redispatch': %s", err.text);
	be->redispatch_interval = (int32_t)interval;
	if (interval == 0)
		be->redispatch = false;
}

static void forwardfor_except(const struct rl_call *c, uint32_t i)
{
	struct ip_prefix prefix, *slot;

	if (!rl_arg_prefix(c, i, &prefix))
		return;
	slot = rl_append(&c->proxy->excepts);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = prefix;
}

static void op_forwardfor(const struct rl_call *c)
{
	struct rl_proxy *p = c->proxy;

	p->p.forwardfor = !rl_is_no(c);
	p->p.forwardfor_if_none = false;
	p->p.forwardfor_header = "X-Forwarded-For";
	p->excepts.count = 0;
	for (uint32_t i = c->arg; i < c->s->word_count; i++) {
		bool has_value = i + 1 < c->s->word_count;

		if (lang_is(c->s, i, "if-none")) {
			p->p.forwardfor_if_none = true;
		} else if (lang_is(c->s, i, "except") && has_value) {
			forwardfor_except(c, ++i);
		} else if (lang_is(c->s, i, "header") && has_value) {
			p->p.forwardfor_header = rl_strdup(c->draft, lang_text(c->s, ++i));
		} else {
			rl_alert(c, i, "except <network>, header <name>, if-none",
				"'option forwardfor': bad word '%s' or no value after it",
				lang_text(c->s, i));
			return;
		}
	}
}

#define OPTION(word, sections, args_max, flags, fn)                                \
	{                                                                          \
		"option " word, "", sections, 0, args_max, RL_MAY_NO | (flags), fn \
	}

const struct rl_keyword rl_keywords_option[] = {
	OPTION("http-keep-alive", RL_PROXY, 0, RL_HTTP_ONLY, op_keep_alive),
	OPTION("http-server-close", RL_PROXY, 0, RL_HTTP_ONLY, op_server_close),
	OPTION("httpclose", RL_PROXY, 0, RL_HTTP_ONLY, op_httpclose),
	OPTION("httplog", RL_FRONT, 1, 0, op_httplog),
	OPTION("tcplog", RL_FRONT, 0, 0, op_tcplog),
	OPTION("dontlognull", RL_FRONT, 0, 0, op_dontlognull),
	OPTION("dontlog-normal", RL_FRONT, 0, 0, op_dontlog_normal),
	OPTION("logasap", RL_FRONT, 0, 0, op_logasap),
	OPTION("abortonclose", RL_BACK, 0, 0, op_abortonclose),
	OPTION("allbackups", RL_BACK, 0, 0, op_allbackups),
	OPTION("clitcpka", RL_FRONT, 0, 0, op_clitcpka),
	OPTION("srvtcpka", RL_BACK, 0, 0, op_srvtcpka),
	OPTION("tcpka", RL_PROXY, 0, 0, op_tcpka),
	OPTION("http-no-delay", RL_PROXY, 0, RL_HTTP_ONLY, op_http_no_delay),
	OPTION("redispatch", RL_BACK, 1, 0, op_redispatch),
	{"option forwardfor", "[except <network>] [header <name>] [if-none]", RL_PROXY, 0,
		RL_NO_LIMIT, RL_MAY_NO | RL_HTTP_ONLY, op_forwardfor},
	{NULL},
};
