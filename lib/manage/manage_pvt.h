/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside lib/manage.
 *
 * A command is a row of a table (struct mg_command). Its function runs in steps: it writes a piece
 * to the output and says MG_AGAIN, until it says MG_DONE. The next step comes when the operator
 * has taken what was written, so that a long answer neither grows in memory nor holds up the
 * control core. A function that waits for another core says MG_WAIT; what it waits for calls
 * mg_session_wake. What a command has to remember between steps is in its struct mg_call, which
 * may own heap memory (`state`) and a question to other cores (`ask`).
 */
#ifndef WEIR_MANAGE_PVT_H
#define WEIR_MANAGE_PVT_H

#include <jansson.h>

#include "manage.h"

#define MG_INPUT_BYTES   16384            /* longest line, as HAProxy's tune.bufsize */
#define MG_PAYLOAD_BYTES (1u << 20)       /* what "<<" may bring */
#define MG_OUTPUT_BYTES  65536            /* waiting output beyond which a command pauses */
#define MG_WORDS_MAX     64               /* of one command */
#define MG_STEPS_MAX     64               /* of one session in one turn */
#define MG_PATTERN_SIZE  8                /* of "<<pattern", with NUL */
#define MG_ANSWER_NS     (2 * NS_PER_SEC) /* how long another core may take for an answer */
#define MG_ASK_ROWS      128              /* rows of one answer */

/* --- output (mg_out.c) ------------------------------------------------------------- */

struct mg_out {
	char *data;
	size_t len;
	size_t size;
	bool failed; /* no memory: something is missing */
};

void mg_put(struct mg_out *out, struct bytes bytes);
void mg_puts(struct mg_out *out, const char *text);
void mg_printf(struct mg_out *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
void mg_out_fini(struct mg_out *out);
/** A time as HAProxy writes it: "5s", "1m2s", "3h4m", "1d2h"; buf of 16 bytes. */
char *mg_age(uint64_t seconds, char *buf);

/* --- values of "show info" and "show stat" (mg_value.c) ------------------------------ */

enum mg_type {
	MG_NONE, /* empty */
	MG_STR,
	MG_U32,
	MG_U64,
	MG_S32,
};

struct mg_value {
	enum mg_type type;
	union {
		const char *str;
		uint64_t u64;
		int32_t s32;
	};
};

enum mg_format {
	MG_FORMAT_TEXT, /* lines or CSV */
	MG_FORMAT_TYPED,
	MG_FORMAT_JSON,
};

/* One value with all that the typed and JSON forms say about it. */
struct mg_cell {
	char object; /* F B S L; 0: process (show info) */
	uint32_t iid, sid;
	uint32_t position;
	const char *name;
	const char *tags;
	const char *text;
	struct mg_value value;
};

/** The bare value. */
void mg_value_print(struct mg_out *out, const struct mg_value *value);
/** A value within a line of CSV: quoted if it holds a comma, a quote or a new line. */
void mg_value_csv(struct mg_out *out, const struct mg_value *value);
void mg_cell_typed(struct mg_out *out, const struct mg_cell *cell, bool desc);
void mg_cell_json(struct mg_out *out, const struct mg_cell *cell);

/* --- commands ------------------------------------------------------------------------ */

enum mg_verdict {
	MG_DONE,
	MG_AGAIN,
	MG_WAIT,
};

struct mg_session;
struct mg_ask;

struct mg_call {
	struct manage *m;
	struct mg_session *session; /* for the commands about the session itself */
	const struct mg_command *command;
	const char *words[MG_WORDS_MAX + 1]; /* "" behind the last one */
	uint32_t word_count;
	struct bytes payload;
	struct mg_out *out;
	uint32_t generation; /* of the configuration when it began */
	uint64_t at[4];      /* where to go on; 0 at first */
	struct mg_ask *ask;
	void *state; /* freed at the end */
};

#define MG_COMMAND_WORDS 3

struct mg_command {
	const char *words[MG_COMMAND_WORDS];
	int level; /* MODEL_LEVEL_*: the lowest that may */
	const char *syntax;
	const char *help;
	enum mg_verdict (*fn)(struct mg_call *call);
};

/* Tables end with a row without words. In the order of "help". */
extern const struct mg_command mg_commands_session[]; /* mg_session_cmd.c */
extern const struct mg_command mg_commands_show[];    /* mg_show.c */
extern const struct mg_command mg_commands_info[];    /* mg_info.c */
extern const struct mg_command mg_commands_stat[];    /* mg_stat.c */
extern const struct mg_command mg_commands_sess[];    /* mg_sess.c */
extern const struct mg_command mg_commands_net[];     /* mg_net.c */
extern const struct mg_command mg_commands_net_set[]; /* mg_net_set.c */
extern const struct mg_command mg_commands_self[];    /* mg_self.c */
extern const struct mg_command mg_commands_capture[]; /* mg_capture.c */
extern const struct mg_command *const mg_tables[];    /* all of these, then NULL */

/** The command that the words begin with, or NULL. */
const struct mg_command *mg_command_find(const char *const *words, uint32_t count);
/** Prints which commands the words may have meant; all if there are none. */
void mg_command_help(
	struct mg_out *out, int level, const char *const *words, uint32_t count, bool unknown);

/** Cuts a command into words: spaces and tabs separate, a backslash takes the next character as it
 * is. Writes over `text`. Returns the words, at most MG_WORDS_MAX. */
uint32_t mg_split(char *text, const char **words);
/** The end of the first command of a line: an unescaped ';' or the NUL. */
char *mg_command_end(char *text);

/** For command functions: word n, "" if there is none. */
static inline const char *mg_word(const struct mg_call *call, uint32_t n)
{
	return n < call->word_count ? call->words[n] : "";
}
static inline bool mg_is(const struct mg_call *call, uint32_t n, const char *text)
{
	return strcmp(mg_word(call, n), text) == 0;
}

/* --- sessions (mg_session.c) ---------------------------------------------------------- */

struct mg_socket {
	struct list link;
	struct manage *m;
	struct model_stats_socket config; /* strings are copies */
	struct sock_listener *listener;
	bool kept; /* while another configuration is taken over */
};

struct mg_session {
	struct list link;  /* m->sessions */
	struct list ready; /* m->ready, if it has to run again without an event */
	struct manage *m;
	struct sock_conn *conn;
	int level;
	bool prompt;
	bool running; /* `call` has not ended */
	bool waiting; /* ... and waits for mg_session_wake */
	bool quit;
	bool gone;  /* nobody reads any more */
	char *line; /* being worked on, NULL: none */
	char *next; /* in line: what comes after the command that runs */
	bool in_payload;
	char pattern[MG_PATTERN_SIZE]; /* what ends the payload; "" : an empty line */
	struct mg_out payload;
	struct mg_out out;
	struct mg_call call;
};

/** From sock: a client has come. */
void mg_session_accept(struct sock_listener *listener, void *socket, int fd);
/** Lets it go on: in this turn, or the next one. */
void mg_session_wake(struct mg_session *session);
/** Works until it waits for something; may end the session. */
void mg_session_run(struct mg_session *session);
void mg_session_end(struct mg_session *session);
void mg_call_end(struct mg_call *call);

/* --- questions to other cores (mg_ask.c) ------------------------------------------------ */

/* Travels to another core and back; belongs to whom it is with. */
struct mg_ask {
	struct list link;           /* m->asks, control core */
	struct manage *m;           /* control core only */
	struct mg_session *session; /* NULL: nobody waits any more */
	bool away;
	bool late;
	struct timer timeout; /* control core */
	/* What the other core needs. */
	struct timer retry;
	struct worker *worker;
	uint32_t home;
	struct proxy *proxy;
	struct tcp *tcp;
	struct ip_stack *ip;
	void (*fn)(struct mg_ask *ask);   /* runs there: fills rows, moves cursor, sets more */
	void (*done)(struct mg_ask *ask); /* control core, when it has come back; may be NULL */
	uint32_t cursor;
	bool more;
	uint64_t arg;
	uint32_t row_count, row_max;
	size_t row_size;
	max_align_t rows[];
};

/** Makes the call's ask. False without memory (said in the output). */
bool mg_ask_create(
	struct mg_call *call, void (*fn)(struct mg_ask *ask), uint32_t row_max, size_t row_size);
/** Sends it to a core. MG_WAIT; MG_AGAIN: the mailbox is full, try again. */
enum mg_verdict mg_ask_send(struct mg_call *call, uint32_t core);
/** On the other core: room for one more row, or NULL. */
void *mg_ask_row(struct mg_ask *ask);
/** Nobody waits for it any more. NULL-safe. */
void mg_ask_drop(struct mg_ask *ask);
/**
 * Walks over the rows of all cores from `first` on that `has` says have something to ask: each
 * step asks one core for one piece or prints one. call->at[0] to at[2] are its own.
 */
enum mg_verdict mg_ask_all(struct mg_call *call, bool (*has)(struct manage *m, uint32_t core),
	void (*print)(struct mg_call *call, uint32_t core, const void *row));

/* --- the whole -------------------------------------------------------------------------- */

/* Of one core, to tell how busy it was in the last second. */
struct mg_load {
	uint64_t busy, idle; /* cycles at the start of the second */
	uint32_t idle_pct;
};

struct mg_capture;

struct manage {
	struct manage_config config;
	struct worker *workers[WORKER_CORES_MAX];
	struct ip_stack *ips[WORKER_CORES_MAX];
	struct tcp *tcps[WORKER_CORES_MAX];
	struct proxy *proxies[WORKER_CORES_MAX];
	struct port_core *shares[WORKER_CORES_MAX];
	struct port *ports[PORT_MAX];
	const struct model *model;
	struct proxy_view *view;
	uint32_t generation; /* of the configuration */
	struct list sockets; /* struct mg_socket */
	struct list sessions;
	uint32_t session_count;
	struct list ready;
	struct list asks;
	struct timer load_timer;
	struct mg_load load[WORKER_CORES_MAX];
	struct mg_capture *capture; /* NULL: none */
	char host[256];             /* for "node", if the configuration has none */
	bool ending;
};

#define MG_VERSION(m) ((m)->config.version)

/** Adds up a pool's figures of all cores. */
struct mg_pool_sum {
	uint64_t reserved_bytes, used_bytes, fails;
};
void mg_pool_sum(const struct manage *m, struct mg_pool_sum *sum);

/** The data cores' share of time without work in the last second, in percent. */
uint32_t mg_idle_pct(const struct manage *m);

/** Lines lost on their way to a log: rings that were full, and targets that did not take them. */
uint64_t mg_dropped_logs(const struct manage *m);

/* mg_capture.c: a turn's work; the end, when no core runs any more */
uint32_t mg_capture_poll(struct manage *m);
void mg_capture_end(struct manage *m);

#endif
