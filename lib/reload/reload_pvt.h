/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the keyword functions share: the draft of a model, and the row of a keyword.
 *
 * A draft is what a struct model will be, with growing lists and unresolved names. Proxies start
 * as copies of their defaults. rl_check.c resolves and judges the finished draft, rl_emit.c writes
 * the model.
 */
#ifndef WEIR_RELOAD_PVT_H
#define WEIR_RELOAD_PVT_H

#include "lang_value.h"
#include "reload.h"

#define RL_PROXY    (RELOAD_DEFAULTS | RELOAD_FRONTEND | RELOAD_BACKEND | RELOAD_LISTEN)
#define RL_FRONT    (RELOAD_DEFAULTS | RELOAD_FRONTEND | RELOAD_LISTEN)
#define RL_BACK     (RELOAD_DEFAULTS | RELOAD_BACKEND | RELOAD_LISTEN)
#define RL_NO_LIMIT UINT32_MAX

/* A growing list: `items` of one type, `count` of them. */
#define RL_LIST(type)           \
	struct {                \
		type *items;    \
		uint32_t count; \
		uint32_t room;  \
	}

/** Room for one more zeroed item; NULL (and draft->failed) without memory. */
void *rl_grow(void **items, uint32_t *count, uint32_t *room, size_t item_size);

#define rl_append(list)                      \
	((__typeof__((list)->items))rl_grow( \
		(void **)&(list)->items, &(list)->count, &(list)->room, sizeof(*(list)->items)))

struct rl_bind {
	struct model_bind bind;
	const struct lang_statement *at;
	uint32_t word;    /* of the address */
	const char *zone; /* NULL: none given */
};

struct rl_server {
	struct model_server server;
	const struct lang_statement *at;
	uint32_t word; /* of the name; the address follows */
	bool id_set;
	const char *zone; /* NULL: none given */
};

struct rl_name {
	const char *name;
	const struct lang_statement *at;
	uint32_t word;
};

struct rl_log_list {
	RL_LIST(struct model_log_target) targets;
	bool global; /* "log global" */
	const struct lang_statement *global_at;
};

/* A proxy, or a defaults section. Strings point into the tree or the model's arena. */
struct rl_proxy {
	struct model_proxy p;
	const struct lang_section *section;
	bool id_set;
	bool bind_seen; /* good or bad */
	RL_LIST(struct rl_bind) binds;
	RL_LIST(struct rl_server) servers;
	RL_LIST(struct rl_name) use_backends;
	RL_LIST(struct ip_prefix) excepts;
	RL_LIST(struct model_errorfile) errorfiles;
	struct rl_name default_backend; /* name NULL: none */
	struct rl_log_list log;
	const char *log_tag;
	struct tcp_options tcp_client, tcp_server; /* keep-alive times alone */
	struct model_server server_defaults;       /* "default-server" */
	const struct lang_statement *http_only;    /* the last keyword that needs mode http */
	const struct lang_statement *log_format_at;
};

struct rl_port {
	struct model_port port;
	uint16_t vlan;
	uint8_t dad_transmits;
	const struct lang_statement *at;
};

struct rl_address {
	struct ip_prefix prefix;
	const char *port;
	const struct lang_statement *at;
};

struct rl_route {
	struct ip_prefix prefix;
	struct ip_addr gateway;
	const char *port; /* NULL: found by the gateway */
	const struct lang_statement *at;
};

struct rl_draft {
	struct model *model;
	const struct reload_options *options;
	const struct lang_tree *tree;
	struct lang_diags *diags;
	struct rl_proxy *defaults; /* by order of the sections */
	uint32_t defaults_count;
	struct rl_proxy *proxies;
	uint32_t proxy_count;
	struct rl_log_list log; /* of "global" */
	const char *log_tag;
	RL_LIST(struct model_stats_socket) sockets;
	RL_LIST(struct rl_port) ports;
	RL_LIST(struct rl_address) addresses;
	RL_LIST(struct rl_route) routes;
	const struct lang_section *network;
	struct tcp_options tcp_client, tcp_server; /* sizes of buffers alone */
	bool cores_set;
	uint64_t ignored_seen; /* bit n: the notice for ignored keyword n was given */
	bool failed;           /* out of memory */
};

/* What a keyword function gets. `s` starts with the keyword's own words; args are those after. */
struct rl_call {
	struct rl_draft *draft;
	struct rl_proxy *proxy; /* the proxy or defaults section; NULL in global and network */
	uint32_t section;       /* enum reload_section */
	const struct lang_statement *s;
	uint32_t arg; /* index of the first argument */
};

typedef void (*rl_keyword_fn)(const struct rl_call *c);

enum rl_keyword_flag {
	RL_MAY_NO = 1,    /* "no KEYWORD"; also "default KEYWORD" */
	RL_IGNORED = 2,   /* makes no sense here: one notice */
	RL_HTTP_ONLY = 4, /* no effect without mode http: warned about */
	RL_STRICT = 8,    /* an error, not a warning, in a proxy without that side */
};

struct rl_keyword {
	const char *word; /* one or two words: "maxconn", "timeout client" */
	const char *syntax;
	uint32_t sections;
	uint32_t args_min, args_max; /* RL_NO_LIMIT: any number */
	uint32_t flags;
	rl_keyword_fn fn;
};

/* The tables, each ended by a row without a word; listed in rl_keyword.c. */
extern const struct rl_keyword rl_keywords_global[];
extern const struct rl_keyword rl_keywords_proxy[];
extern const struct rl_keyword rl_keywords_option[];
extern const struct rl_keyword rl_keywords_bind[];
extern const struct rl_keyword rl_keywords_server[];
extern const struct rl_keyword rl_keywords_log[];
extern const struct rl_keyword rl_keywords_network[];

/** Finds the row of a statement, checks section, prefix and number of words, and calls it. */
void rl_statement(struct rl_draft *d, struct rl_proxy *proxy, uint32_t section,
	const struct lang_statement *s);

const char *rl_section_name(uint32_t section);

/* Reports at word `index` of the call's statement. */
#define rl_alert(c, index, hint, ...) \
	lang_report((c)->draft->diags, LANG_ALERT, (c)->s, (index), (hint), __VA_ARGS__)
#define rl_warn(c, index, hint, ...) \
	lang_report((c)->draft->diags, LANG_WARNING, (c)->s, (index), (hint), __VA_ARGS__)

/* Arguments by their index in the statement. Each reports what is wrong and returns false. */
bool rl_arg_uint(
	const struct rl_call *c, uint32_t index, uint32_t min, uint32_t max, uint32_t *out);
bool rl_arg_time_ms(const struct rl_call *c, uint32_t index, uint32_t *out_ms);
bool rl_arg_seconds_ms(const struct rl_call *c, uint32_t index, uint32_t *out_ms); /* "10": 10 s */
bool rl_arg_size(const struct rl_call *c, uint32_t index, uint64_t max, uint64_t *out);
bool rl_arg_prefix(const struct rl_call *c, uint32_t index, struct ip_prefix *out);
bool rl_arg_address(
	const struct rl_call *c, uint32_t index, unsigned flags, struct lang_address *out);
/** Index of the argument in `names` (ended by NULL), or -1 after a report with a suggestion. */
int rl_arg_enum(
	const struct rl_call *c, uint32_t index, const char *what, const char *const *names);

enum rl_word_flag {
	RL_WORD_VALUE = 1,   /* a value follows */
	RL_WORD_OWN = 2,     /* only for the thing itself, not among defaults for others */
	RL_WORD_IGNORED = 4, /* not offered when another word is unknown */
};

/* A word behind the arguments of "bind", "server", "stats socket", with what it sets. */
struct rl_word {
	const char *word;
	uint32_t flags;
	/* `i` is the index of the value, or of the word if it has none. False after a report. */
	bool (*fn)(const struct rl_call *c, uint32_t i, void *target);
};

/** Reads the words from index `first` on, by a table that a row without a word ends; rows with a
 * flag of `without` are not there. False after a report. */
bool rl_words_parse(const struct rl_call *c, uint32_t first, const struct rl_word *words,
	uint32_t without, void *target);

/** Reads the words behind "impair" of a port line, from index `first` to the end. False after a
 * report. */
bool rl_impair_parse(const struct rl_call *c, uint32_t first, struct port_impair *out);

/* Values of words that bind and server have in common (rl_tcp.c). False after a report. */
bool rl_tcp_user_timeout(const struct rl_call *c, uint32_t i, struct tcp_options *options);
bool rl_tcp_cc(const struct rl_call *c, uint32_t i, struct tcp_options *options);

/** "no" or "default" stands before the keyword. */
static inline bool rl_is_no(const struct rl_call *c)
{
	return c->s->prefix != LANG_PREFIX_NONE;
}

struct model_place rl_place(const struct rl_call *c);

/** A copy that lives as long as the model; "" without memory (draft->failed). */
const char *rl_strdup(struct rl_draft *d, const char *text);
void *rl_alloc(struct rl_draft *d, size_t size_bytes);

/** Adds a member to the bond `p`; reports word `index` and returns false if it cannot be. */
bool rl_bond_member(
	const struct rl_call *c, uint32_t index, struct model_port *p, const char *device);
/** A port line was read: takes the members out of the arguments of a bond, and looks for devices
 * that are used twice. Reports and returns false if there is something wrong. */
bool rl_bond_check(const struct rl_call *c, struct model_port *p);

/** Asks the system for the address of a name; nothing is reported. */
bool rl_name_resolves(const struct rl_call *c, struct lang_address *address);

/** Turns a host name or an address into endpoints; reports and returns false if it cannot be. */
bool rl_resolve(const struct rl_call *c, uint32_t index, struct lang_address *address);

/** The zone of an address, as long as the model lives; NULL if it has none. */
const char *rl_zone(struct rl_draft *d, const struct lang_address *a);
/** Gives the link-local addresses of binds and servers the zone of their port; reports those
 * whose port is not known (rl_zone.c). */
void rl_zones_resolve(struct rl_draft *d);

/** Index of a port; ports.count if there is none. */
uint32_t rl_port_index(const struct rl_draft *d, const char *name);
/** Reports that word `word` names a port that is not there. */
void rl_report_port(
	struct rl_draft *d, const struct lang_statement *at, uint32_t word, const char *name);

/** Resolves names, judges the whole, and reports (rl_check.c). */
void rl_check(struct rl_draft *d);
/** Writes the draft, which has no alerts, into draft->model (rl_emit.c). */
void rl_emit(struct rl_draft *d);
/** True if two port lines name one device (rl_emit.c). */
bool rl_same_device(const struct model_port *a, const struct model_port *b);
/** Frees what the draft itself holds, not the model. */
void rl_proxy_fini(struct rl_proxy *p);

#endif
