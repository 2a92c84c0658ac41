/* SPDX-License-Identifier: BSD-3-Clause */
/* Keywords "log" and "log-tag", in "global" and in proxies. */
#include "reload_pvt.h"

#define SYSLOG_PORT 514

static const char *const facilities[] = {"kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
	"news", "uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2", "local0",
	"local1", "local2", "local3", "local4", "local5", "local6", "local7", NULL};
static const char *const levels[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL};
static const char *const formats[] = {
	"local", "rfc3164", "rfc5424", "short", "raw", "timed", "iso", NULL};

static struct rl_log_list *list_of(const struct rl_call *c)
{
	return c->proxy ? &c->proxy->log : &c->draft->log;
}

static bool target_address(const struct rl_call *c, struct model_log_target *t)
{
	const char *text = lang_text(c->s, c->arg);
	struct lang_address a;

	if (strcmp(text, "stdout") == 0 || strcmp(text, "fd@1") == 0) {
		t->kind = MODEL_LOG_TO_STDOUT;
		return true;
	}
	if (strcmp(text, "stderr") == 0 || strcmp(text, "fd@2") == 0) {
		t->kind = MODEL_LOG_TO_STDERR;
		return true;
	}
	if (!rl_arg_address(c, c->arg, LANG_ADDRESS_LOG, &a) || !rl_resolve(c, c->arg, &a))
		return false;
	if (a.kind == LANG_ADDRESS_IP) {
		t->kind = MODEL_LOG_TO_UDP;
		t->remote = (struct endpoint){a.addr, a.port_first ? a.port_first : SYSLOG_PORT};
		return true;
	}
	if (a.kind == LANG_ADDRESS_UNIX) {
		t->kind = MODEL_LOG_TO_UNIX;
		t->path = rl_strdup(c->draft, a.text);
		return true;
	}
	rl_alert(c, c->arg, "address[:port], /path, stdout, stderr, global",
		"'log' cannot write to '%s'", text);
	return false;
}

/* "len N" and "format F" between the address and the facility; returns the next word's index. */
static bool target_words(const struct rl_call *c, uint32_t *index, struct model_log_target *t)
{
	uint32_t i = *index;
	int format;

	for (;; i += 2) {
		if (lang_is(c->s, i, "len")) {
			if (!rl_arg_uint(c, i + 1, 80, 65535, &t->len_max))
				return false;
		} else if (lang_is(c->s, i, "format")) {
			format = rl_arg_enum(c, i + 1, "format", formats);
			if (format < 0)
				return false;
			t->format = (__typeof__(t->format))format;
		} else {
			break;
		}
	}
	*index = i;
	return true;
}

static bool target_levels(const struct rl_call *c, uint32_t i, struct model_log_target *t)
{
	int value = rl_arg_enum(c, i, "facility", facilities);

	if (value < 0)
		return false;
	t->facility = (uint8_t)value;
	if (i + 1 < c->s->word_count) {
		value = rl_arg_enum(c, i + 1, "level", levels);
		if (value < 0)
			return false;
		t->level_max = (enum log_level)value;
	}
	if (i + 2 < c->s->word_count) {
		value = rl_arg_enum(c, i + 2, "level", levels);
		if (value < 0)
			return false;
		t->level_min = (enum log_level)value;
	}
	if (i + 3 < c->s->word_count) {
		rl_alert(c, i + 3, NULL, "'log' takes no word '%s'", lang_text(c->s, i + 3));
		return false;
	}
	return true;
}

static void log_global(const struct rl_call *c)
{
	if (!c->proxy) {
		rl_alert(c, c->arg, NULL, "'log global' cannot stand in section 'global'");
		return;
	}
	c->proxy->log.global = true;
	c->proxy->log.global_at = c->s;
}

static void kw_log(const struct rl_call *c)
{
	struct rl_log_list *list = list_of(c);
	struct model_log_target t = {.place = rl_place(c),
					.level_max = LOG_LEVEL_DEBUG,
					.level_min = LOG_LEVEL_EMERG,
					.len_max = 1024},
				*slot;
	uint32_t i = c->arg + 1;

	if (rl_is_no(c)) {
		list->targets.count = 0;
		list->global = false;
		return;
	}
	if (lang_is(c->s, c->arg, "global") && c->s->word_count == c->arg + 1) {
		log_global(c);
		return;
	}
	if (!target_address(c, &t) || !target_words(c, &i, &t))
		return;
	if (i >= c->s->word_count) {
		rl_alert(c, i, "kern, user, daemon, local0 to local7, ...",
			"'log' needs a facility");
		return;
	}
	if (!target_levels(c, i, &t))
		return;
	slot = rl_append(&list->targets);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = t;
}

static void kw_log_tag(const struct rl_call *c)
{
	const char **tag = c->proxy ? &c->proxy->log_tag : &c->draft->log_tag;

	*tag = rl_strdup(c->draft, lang_text(c->s, c->arg));
}

const struct rl_keyword rl_keywords_log[] = {
	{"log", "global | <target> [len <n>] [format <f>] <facility> [<level> [<minlevel>]]",
		RELOAD_GLOBAL | RL_PROXY, 1, RL_NO_LIMIT, RL_MAY_NO, kw_log},
	{"log-tag", "<name>", RELOAD_GLOBAL | RL_PROXY, 1, 1, 0, kw_log_tag},
	{NULL},
};
