/* SPDX-License-Identifier: BSD-3-Clause */
/* Keywords of proxies: defaults, frontend, backend, listen; those of "option" are in rl_option.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "reload_pvt.h"

#define TCPKA_PROBES_MAX 127 /* what other stacks take */

#define ERRORFILE_BYTES_MAX 16384

static void kw_mode(const struct rl_call *c)
{
	static const char *const names[] = {"tcp", "http", NULL};
	int mode;

	if (lang_is(c->s, c->arg, "health")) {
		rl_alert(c, c->arg, "mode http with \"http-request return status 200\"",
			"mode 'health' does not exist any more");
		return;
	}
	mode = rl_arg_enum(c, c->arg, "mode", names);
	if (mode >= 0)
		c->proxy->p.mode = (enum model_mode)mode;
}

static void kw_id(const struct rl_call *c)
{
	if (rl_arg_uint(c, c->arg, 1, INT32_MAX, &c->proxy->p.id))
		c->proxy->id_set = true;
}

static void kw_description(const struct rl_call *c)
{
	(void)c; /* for people who read the file */
}

static void kw_disabled(const struct rl_call *c)
{
	c->proxy->p.disabled = true;
}

static void kw_enabled(const struct rl_call *c)
{
	c->proxy->p.disabled = false;
}

static void kw_maxconn(const struct rl_call *c)
{
	rl_arg_uint(c, c->arg, 0, 100000000, &c->proxy->p.fe.maxconn);
}

static void kw_backlog(const struct rl_call *c)
{
	rl_arg_uint(c, c->arg, 0, 100000000, &c->proxy->p.fe.backlog);
}

static void kw_fullconn(const struct rl_call *c)
{
	rl_arg_uint(c, c->arg, 1, 100000000, &c->proxy->p.be.fullconn);
}

static void kw_retries(const struct rl_call *c)
{
	rl_arg_uint(c, c->arg, 0, 1000000, &c->proxy->p.be.retries);
}

static const struct {
	const char *word;
	size_t offset;
} timeouts[] = {
	{"timeout client", offsetof(struct model_timeouts, client)},
	{"timeout server", offsetof(struct model_timeouts, server)},
	{"timeout connect", offsetof(struct model_timeouts, connect)},
	{"timeout http-request", offsetof(struct model_timeouts, http_request)},
	{"timeout http-keep-alive", offsetof(struct model_timeouts, http_keep_alive)},
	{"timeout queue", offsetof(struct model_timeouts, queue)},
	{"timeout tunnel", offsetof(struct model_timeouts, tunnel)},
	{"timeout client-fin", offsetof(struct model_timeouts, client_fin)},
	{"timeout server-fin", offsetof(struct model_timeouts, server_fin)},
};

static void kw_timeout(const struct rl_call *c)
{
	const char *name = lang_text(c->s, 1);

	for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
		if (strcmp(timeouts[i].word + strlen("timeout "), name) == 0) {
			rl_arg_time_ms(c, c->arg,
				(uint32_t *)(void *)((char *)&c->proxy->p.timeouts +
						     timeouts[i].offset));
			return;
		}
	}
}

static void kw_balance(const struct rl_call *c)
{
	static const char *const names[] = {"roundrobin", "leastconn", "source", NULL};
	int lb = rl_arg_enum(c, c->arg, "algorithm", names);

	if (lb >= 0)
		c->proxy->p.be.lb = (enum model_lb)lb;
}

static void kw_hash_type(const struct rl_call *c)
{
	static const char *const names[] = {"map-based", "consistent", NULL};
	int type = rl_arg_enum(c, c->arg, "hash type", names);

	if (type >= 0)
		c->proxy->p.be.hash_type = (enum model_hash_type)type;
}

static void kw_http_reuse(const struct rl_call *c)
{
	static const char *const names[] = {"never", "safe", "aggressive", "always", NULL};
	int reuse = rl_arg_enum(c, c->arg, "reuse mode", names);

	if (reuse >= 0)
		c->proxy->p.be.reuse = (enum model_http_reuse)reuse;
}

static void kw_default_backend(const struct rl_call *c)
{
	c->proxy->default_backend = (struct rl_name){lang_text(c->s, c->arg), c->s, c->arg};
}

static void kw_use_backend(const struct rl_call *c)
{
	struct rl_name *name;

	if (lang_is(c->s, c->arg + 1, "if") || lang_is(c->s, c->arg + 1, "unless")) {
		rl_alert(
			c, c->arg + 1, NULL, "'use_backend' with a condition is not available yet");
		return;
	}
	if (c->s->word_count > c->arg + 1) {
		rl_alert(c, c->arg + 1, "<backend>", "'use_backend' takes no word '%s'",
			lang_text(c->s, c->arg + 1));
		return;
	}
	name = rl_append(&c->proxy->use_backends);
	if (!name)
		c->draft->failed = true;
	else
		*name = (struct rl_name){lang_text(c->s, c->arg), c->s, c->arg};
}

/* Reads a whole file of at most ERRORFILE_BYTES_MAX bytes into the model; reports problems. */
static bool read_errorfile(const struct rl_call *c, uint32_t index, struct bytes *out)
{
	const char *path = lang_text(c->s, index);
	FILE *f = fopen(path, "re");
	char *text = rl_alloc(c->draft, ERRORFILE_BYTES_MAX);
	size_t len = 0;
	bool ok = false;

	if (!f) {
		rl_alert(c, index, NULL, "cannot read '%s': %s", path, strerror(errno));
		goto out;
	}
	if (!text)
		goto out;
	len = fread(text, 1, ERRORFILE_BYTES_MAX, f);
	if (ferror(f))
		rl_alert(c, index, NULL, "cannot read '%s': %s", path, strerror(errno));
	else if (len == ERRORFILE_BYTES_MAX)
		rl_alert(c, index, NULL, "'%s' is too large, at most %d bytes are allowed", path,
			ERRORFILE_BYTES_MAX - 1);
	else if (len && strncmp(text, "HTTP/1.", 7) != 0)
		rl_alert(c, index, "a whole HTTP/1 response: status line, fields, body",
			"'%s' does not begin with a status line", path);
	else
		ok = true;
out:
	if (f)
		fclose(f);
	*out = bytes_of(text, len);
	return ok;
}

static void kw_errorfile(const struct rl_call *c)
{
	static const uint16_t statuses[] = {200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425,
		429, 500, 501, 502, 503, 504};
	struct model_errorfile *slot = NULL;
	uint32_t status;
	struct bytes message;
	bool known = false;

	if (!rl_arg_uint(c, c->arg, 100, 999, &status))
		return;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		known = known || statuses[i] == status;
	if (!known) {
		rl_alert(c, c->arg,
			"200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 501, "
			"502, "
			"503, 504",
			"'errorfile': status %u is never answered", status);
		return;
	}
	if (!read_errorfile(c, c->arg + 1, &message))
		return;
	for (uint32_t i = 0; i < c->proxy->errorfiles.count; i++)
		if (c->proxy->errorfiles.items[i].status == status)
			slot = &c->proxy->errorfiles.items[i];
	if (!slot)
		slot = rl_append(&c->proxy->errorfiles);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = (struct model_errorfile){(uint16_t)status, message};
}

/* "clitcpka-..." and "srvtcpka-...". */
static struct tcp_options *tcpka_options(const struct rl_call *c)
{
	return lang_text(c->s, c->arg - 1)[0] == 'c' ? &c->proxy->tcp_client
						     : &c->proxy->tcp_server;
}

static void kw_tcpka_cnt(const struct rl_call *c)
{
	uint32_t probes;

	if (rl_arg_uint(c, c->arg, 1, TCPKA_PROBES_MAX, &probes))
		tcpka_options(c)->keepalive_probes = (uint8_t)probes;
}

static void kw_tcpka_idle(const struct rl_call *c)
{
	rl_arg_seconds_ms(c, c->arg, &tcpka_options(c)->keepalive_idle_ms);
}

static void kw_tcpka_intvl(const struct rl_call *c)
{
	rl_arg_seconds_ms(c, c->arg, &tcpka_options(c)->keepalive_interval_ms);
}

#define TIMEOUT(word, sections)                               \
	{                                                     \
		word, "<time>", sections, 1, 1, 0, kw_timeout \
	}

const struct rl_keyword rl_keywords_proxy[] = {
	{"mode", "tcp | http", RL_PROXY, 1, 1, 0, kw_mode},
	{"id", "<number>", RL_PROXY & ~RELOAD_DEFAULTS, 1, 1, 0, kw_id},
	{"description", "<text>", RL_PROXY & ~RELOAD_DEFAULTS, 1, RL_NO_LIMIT, 0, kw_description},
	{"disabled", "", RL_PROXY, 0, 0, 0, kw_disabled},
	{"enabled", "", RL_PROXY, 0, 0, 0, kw_enabled},
	{"maxconn", "<number>", RL_FRONT, 1, 1, 0, kw_maxconn},
	{"backlog", "<number>", RL_FRONT, 1, 1, 0, kw_backlog},
	{"fullconn", "<number>", RL_BACK, 1, 1, 0, kw_fullconn},
	{"retries", "<number>", RL_BACK, 1, 1, 0, kw_retries},
	TIMEOUT("timeout client", RL_FRONT),
	TIMEOUT("timeout client-fin", RL_FRONT),
	TIMEOUT("timeout http-request", RL_PROXY),
	TIMEOUT("timeout http-keep-alive", RL_PROXY),
	TIMEOUT("timeout server", RL_BACK),
	TIMEOUT("timeout server-fin", RL_BACK),
	TIMEOUT("timeout connect", RL_BACK),
	TIMEOUT("timeout queue", RL_BACK),
	TIMEOUT("timeout tunnel", RL_BACK),
	{"clitcpka-cnt", "<number>", RL_FRONT, 1, 1, 0, kw_tcpka_cnt},
	{"clitcpka-idle", "<time>", RL_FRONT, 1, 1, 0, kw_tcpka_idle},
	{"clitcpka-intvl", "<time>", RL_FRONT, 1, 1, 0, kw_tcpka_intvl},
	{"srvtcpka-cnt", "<number>", RL_BACK, 1, 1, 0, kw_tcpka_cnt},
	{"srvtcpka-idle", "<time>", RL_BACK, 1, 1, 0, kw_tcpka_idle},
	{"srvtcpka-intvl", "<time>", RL_BACK, 1, 1, 0, kw_tcpka_intvl},
	{"balance", "roundrobin | leastconn | source", RL_BACK, 1, 1, 0, kw_balance},
	{"hash-type", "map-based | consistent", RL_BACK, 1, 1, 0, kw_hash_type},
	{"http-reuse", "never | safe | aggressive | always", RL_BACK, 1, 1, RL_HTTP_ONLY,
		kw_http_reuse},
	{"default_backend", "<backend>", RL_FRONT, 1, 1, 0, kw_default_backend},
	{"use_backend", "<backend>", RELOAD_FRONTEND | RELOAD_LISTEN, 1, RL_NO_LIMIT, 0,
		kw_use_backend},
	{"errorfile", "<status> <file>", RL_PROXY, 2, 2, RL_HTTP_ONLY, kw_errorfile},
	{NULL},
};
