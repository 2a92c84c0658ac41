/* SPDX-License-Identifier: BSD-3-Clause */
/* Keywords of section "global", and those that make no sense on an appliance of our kind. */
#include <grp.h>
#include <pwd.h>

#include "reload_pvt.h"

static struct model_global *global_of(const struct rl_call *c)
{
	return &c->draft->model->global;
}

static void kw_maxconn(const struct rl_call *c)
{
	struct model_global *g = global_of(c);

	if (rl_arg_uint(c, c->arg, 1, 100000000, &g->maxconn) && c->draft->options->maxconn)
		g->maxconn = c->draft->options->maxconn; /* -n wins */
}

static void kw_hard_stop_after(const struct rl_call *c)
{
	rl_arg_time_ms(c, c->arg, &global_of(c)->hard_stop_after_ms);
}

static void kw_node(const struct rl_call *c)
{
	global_of(c)->node = rl_strdup(c->draft, lang_text(c->s, c->arg));
}

static void kw_description(const struct rl_call *c)
{
	char text[512] = "";
	size_t len = 0;

	for (uint32_t i = c->arg; i < c->s->word_count && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
			i > c->arg ? " " : "", lang_text(c->s, i));
	global_of(c)->description = rl_strdup(c->draft, text);
}

static void kw_pidfile(const struct rl_call *c)
{
	global_of(c)->pidfile = rl_strdup(c->draft, lang_text(c->s, c->arg));
}

static void kw_tune_maxhdr(const struct rl_call *c)
{
	rl_arg_uint(c, c->arg, 1, 32767, &global_of(c)->maxhdr);
}

static void kw_tune_bufsize(const struct rl_call *c)
{
	uint64_t size;

	if (rl_arg_size(c, c->arg, 1 << 20, &size))
		global_of(c)->bufsize = (uint32_t)size;
}

static void kw_tune_maxrewrite(const struct rl_call *c)
{
	uint64_t size;

	if (rl_arg_size(c, c->arg, 1 << 20, &size))
		global_of(c)->maxrewrite = (uint32_t)size;
}

/* "tune.rcvbuf.client" and the like. */
static void kw_tune_buffer(const struct rl_call *c)
{
	const char *word = lang_text(c->s, c->arg - 1);
	bool client = strcmp(strrchr(word, '.'), ".client") == 0;
	struct tcp_options *o = client ? &c->draft->tcp_client : &c->draft->tcp_server;
	uint64_t size;

	if (rl_arg_size(c, c->arg, 1 << 30, &size))
		*(strstr(word, "rcv") ? &o->recv_buffer_bytes : &o->send_buffer_bytes) =
			(uint32_t)size;
}

static void kw_setenv(const struct rl_call *c)
{
	/* The variable was set while the file was read (reload.c), so that later lines see it. */
	(void)c;
}

static void kw_stats_timeout(const struct rl_call *c)
{
	rl_arg_time_ms(c, c->arg, &global_of(c)->stats_timeout_ms);
}

static void kw_stats_maxconn(const struct rl_call *c)
{
	rl_arg_uint(c, c->arg, 1, 10000, &global_of(c)->stats_maxconn);
}

/* --- stats socket ------------------------------------------------------------------- */

static bool socket_mode(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_stats_socket *s = target;
	const char *text = lang_text(c->s, i);
	uint32_t mode = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '7' || mode > 0777) {
			rl_alert(
				c, i, "octal permissions, say 660", "'mode': bad value '%s'", text);
			return false;
		}
		mode = mode * 8 + (uint32_t)(*p - '0');
	}
	s->mode = mode;
	return true;
}

static bool socket_owner(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_stats_socket *s = target;
	const char *key = lang_text(c->s, i - 1), *name = lang_text(c->s, i);
	bool user = key[0] == 'u';
	bool by_name = strcmp(key, "user") == 0 || strcmp(key, "group") == 0;
	uint32_t id = 0;

	if (by_name) {
		struct passwd *pw = user ? getpwnam(name) : NULL;
		struct group *gr = user ? NULL : getgrnam(name);

		if (!pw && !gr) {
			rl_alert(c, i, NULL, "unknown %s '%s'", key, name);
			return false;
		}
		id = pw ? pw->pw_uid : gr->gr_gid;
	} else if (!rl_arg_uint(c, i, 0, UINT32_MAX - 1, &id)) {
		return false;
	}
	if (user)
		s->uid = id;
	else
		s->gid = id;
	return true;
}

static bool socket_level(const struct rl_call *c, uint32_t i, void *target)
{
	struct model_stats_socket *s = target;
	static const char *const names[] = {"user", "operator", "admin", NULL};
	int level = rl_arg_enum(c, i, "level", names);

	if (level >= 0)
		s->level = (__typeof__(s->level))level;
	return level >= 0;
}

static bool socket_name(const struct rl_call *c, uint32_t i, void *target)
{
	(void)c, (void)i, (void)target; /* names serve statistics of listeners only */
	return true;
}

/* Listeners are not descriptors here: there is nothing to hand over. */
static bool socket_expose(const struct rl_call *c, uint32_t i, void *target)
{
	static const char *const names[] = {"listeners", NULL};

	(void)target;
	return rl_arg_enum(c, i, "kind of descriptors", names) >= 0;
}

static const struct rl_word socket_words[] = {
	{"mode", RL_WORD_VALUE, socket_mode},
	{"uid", RL_WORD_VALUE, socket_owner},
	{"gid", RL_WORD_VALUE, socket_owner},
	{"user", RL_WORD_VALUE, socket_owner},
	{"group", RL_WORD_VALUE, socket_owner},
	{"level", RL_WORD_VALUE, socket_level},
	{"name", RL_WORD_VALUE, socket_name},
	{"id", RL_WORD_VALUE, socket_name},
	{"expose-fd", RL_WORD_VALUE, socket_expose},
	{NULL},
};

static void kw_stats_socket(const struct rl_call *c)
{
	struct model_stats_socket s = {.place = rl_place(c),
		.uid = -1,
		.gid = -1,
		.fd = -1,
		.level = MODEL_LEVEL_OPERATOR};
	struct lang_address a;
	struct model_stats_socket *slot;

	if (!rl_arg_address(c, c->arg, LANG_ADDRESS_BIND & ~LANG_ADDRESS_MAY_RANGE, &a) ||
		!rl_resolve(c, c->arg, &a))
		return;
	switch (a.kind) {
	case LANG_ADDRESS_UNIX:
		s.kind = MODEL_SOCKET_UNIX;
		s.path = rl_strdup(c->draft, a.text);
		break;
	case LANG_ADDRESS_IP:
		s.kind = MODEL_SOCKET_TCP;
		s.local = (struct endpoint){a.addr, a.port_first};
		break;
	case LANG_ADDRESS_FD:
		s.kind = MODEL_SOCKET_FD;
		s.fd = a.fd;
		break;
	default:
		rl_alert(c, c->arg, "a path, an address with a port, or fd@N",
			"'stats socket' cannot listen on '%s'", lang_text(c->s, c->arg));
		return;
	}
	if (!rl_words_parse(c, c->arg + 1, socket_words, 0, &s))
		return;
	slot = rl_append(&c->draft->sockets);
	if (!slot)
		c->draft->failed = true;
	else
		*slot = s;
}

#define KERNEL_THREADS "cores are chosen in section 'network'"
#define NO_PRIVILEGE   "an appliance owns its machine"
#define NO_FDS         "connections are not descriptors of a kernel here"
#define NO_KERNEL      "weir brings its own poll loop and TCP stack"

static void ignored(const struct rl_call *c)
{
	(void)c;
}

#define IGNORE(word, why)                                                     \
	{                                                                     \
		word, why, RELOAD_GLOBAL, 0, RL_NO_LIMIT, RL_IGNORED, ignored \
	}

const struct rl_keyword rl_keywords_global[] = {
	{"maxconn", "<number>", RELOAD_GLOBAL, 1, 1, 0, kw_maxconn},
	{"hard-stop-after", "<time>", RELOAD_GLOBAL, 1, 1, 0, kw_hard_stop_after},
	{"node", "<name>", RELOAD_GLOBAL, 1, 1, 0, kw_node},
	{"description", "<text>", RELOAD_GLOBAL, 1, RL_NO_LIMIT, 0, kw_description},
	{"pidfile", "<path>", RELOAD_GLOBAL, 1, 1, 0, kw_pidfile},
	{"tune.http.maxhdr", "<number>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_maxhdr},
	{"tune.bufsize", "<size>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_bufsize},
	{"tune.rcvbuf.client", "<size>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_buffer},
	{"tune.rcvbuf.server", "<size>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_buffer},
	{"tune.sndbuf.client", "<size>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_buffer},
	{"tune.sndbuf.server", "<size>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_buffer},
	{"tune.maxrewrite", "<size>", RELOAD_GLOBAL, 1, 1, 0, kw_tune_maxrewrite},
	{"setenv", "<name> <value>", RELOAD_GLOBAL, 2, 2, 0, kw_setenv},
	{"presetenv", "<name> <value>", RELOAD_GLOBAL, 2, 2, 0, kw_setenv},
	{"unsetenv", "<name>...", RELOAD_GLOBAL, 1, RL_NO_LIMIT, 0, kw_setenv},
	{"stats socket", "<address> [level user|operator|admin] [mode <octal>] ...", RELOAD_GLOBAL,
		1, RL_NO_LIMIT, 0, kw_stats_socket},
	{"stats timeout", "<time>", RELOAD_GLOBAL, 1, 1, 0, kw_stats_timeout},
	{"stats maxconn", "<number>", RELOAD_GLOBAL, 1, 1, 0, kw_stats_maxconn},
	IGNORE("nbproc", KERNEL_THREADS),
	IGNORE("nbthread", KERNEL_THREADS),
	IGNORE("cpu-map", KERNEL_THREADS),
	IGNORE("thread-groups", KERNEL_THREADS),
	IGNORE("numa-cpu-mapping", KERNEL_THREADS),
	IGNORE("user", NO_PRIVILEGE),
	IGNORE("group", NO_PRIVILEGE),
	IGNORE("uid", NO_PRIVILEGE),
	IGNORE("gid", NO_PRIVILEGE),
	IGNORE("chroot", NO_PRIVILEGE),
	IGNORE("setcap", NO_PRIVILEGE),
	IGNORE("ulimit-n", NO_FDS),
	IGNORE("fd-hard-limit", NO_FDS),
	IGNORE("maxpipes", NO_FDS),
	IGNORE("daemon", "the command line says it: -D"),
	IGNORE("master-worker", "there is one process"),
	IGNORE("mworker-max-reloads", "there is one process"),
	IGNORE("noepoll", NO_KERNEL),
	IGNORE("nokqueue", NO_KERNEL),
	IGNORE("noevports", NO_KERNEL),
	IGNORE("nopoll", NO_KERNEL),
	IGNORE("nosplice", NO_KERNEL),
	IGNORE("noreuseport", NO_KERNEL),
	IGNORE("nogetaddrinfo", NO_KERNEL),
	IGNORE("busy-polling", NO_KERNEL),
	IGNORE("tune.maxaccept", NO_KERNEL),
	IGNORE("tune.maxpollevents", NO_KERNEL),
	IGNORE("tune.runqueue-depth", NO_KERNEL),
	IGNORE("tune.sched.low-latency", NO_KERNEL),
	IGNORE("tune.listener.multi-queue", NO_KERNEL),
	IGNORE("tune.idle-pool.shared", "idle server connections belong to their core"),
	IGNORE("set-dumpable", "core dumps are the service manager's to allow"),
	{NULL},
};
