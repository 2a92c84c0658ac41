/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An operator's connection. In: lines, each of one or more commands separated by ';', perhaps with
 * a payload ("<<" at the end of the line, then lines up to an empty one, or up to "pattern" after
 * "<<pattern"). Out: the answer of each command and an empty line, in interactive mode "> " after
 * it. Without interactive mode the connection ends when a line has been answered and nothing more
 * has come.
 *
 * Commands of a session run one after the other. Nothing is read while more than MG_OUTPUT_BYTES
 * wait for the operator, and each session has MG_STEPS_MAX steps in a turn; then others have
 * theirs.
 *
 * The client that went away takes its session with it, also in the middle of a command; a question
 * that is with another core then comes back to nobody and is freed (mg_ask.c).
 */
#include <stdlib.h>

#include "manage_pvt.h"

/* What a command writes before it goes to the socket. */
#define STEP_BYTES      16384
#define STEP_PIECES_MAX 64

void mg_session_wake(struct mg_session *s)
{
	s->waiting = false;
	if (!list_is_linked(&s->ready))
		list_add_tail(&s->m->ready, &s->ready);
}

void mg_call_end(struct mg_call *call)
{
	mg_ask_drop(call->ask);
	call->ask = NULL;
	free(call->state);
	call->state = NULL;
}

static void sockets_pause(struct manage *m)
{
	bool full = m->session_count >= m->model->global.stats_maxconn;

	list_for_each (link, &m->sockets) {
		struct mg_socket *socket = list_entry(link, struct mg_socket, link);

		if (socket->listener)
			sock_listener_pause(socket->listener, full);
	}
}

void mg_session_end(struct mg_session *s)
{
	struct manage *m = s->m;

	if (s->running)
		mg_call_end(&s->call);
	if (s->gone)
		sock_conn_abort(s->conn);
	else
		sock_conn_close(s->conn);
	list_del(&s->link);
	list_del(&s->ready);
	free(s->line);
	mg_out_fini(&s->payload);
	mg_out_fini(&s->out);
	free(s);
	m->session_count--;
	if (!m->ending)
		sockets_pause(m);
}

static void send_output(struct mg_session *s)
{
	if (s->out.failed)
		sock_conn_write(s->conn, BYTES_LIT("\nOut of memory, the answer is not whole.\n"));
	s->out.failed = false;
	if (sock_conn_write(s->conn, bytes_of(s->out.data, s->out.len)) < 0)
		s->gone = true;
	s->out.len = 0;
}

static void end_command(struct mg_session *s)
{
	mg_call_end(&s->call);
	s->running = false;
	if (!s->quit)
		mg_puts(&s->out, s->prompt ? "\n> " : "\n");
}

static void step(struct mg_session *s)
{
	enum mg_verdict verdict;
	uint32_t pieces = 0;

	if (s->call.generation != s->m->generation) {
		mg_puts(&s->out, "The configuration has changed: ask again.\n");
		verdict = MG_DONE;
	} else {
		do {
			verdict = s->call.command->fn(&s->call);
		} while (verdict == MG_AGAIN && s->out.len < STEP_BYTES &&
			 ++pieces < STEP_PIECES_MAX);
	}
	s->waiting = verdict == MG_WAIT;
	if (verdict == MG_DONE)
		end_command(s);
	send_output(s);
}

/* The next command of the line. */
static void begin_command(struct mg_session *s)
{
	char *text = s->next, *end = mg_command_end(text);

	/* what follows the last ';' may be nothing */
	s->next = *end && end[1 + strspn(end + 1, " \t")] ? end + 1 : NULL;
	*end = '\0';
	s->call = (struct mg_call){.m = s->m,
		.session = s,
		.out = &s->out,
		.generation = s->m->generation,
		.payload = bytes_of(s->payload.data, s->payload.len)};
	s->call.word_count = mg_split(text, s->call.words);
	for (uint32_t i = s->call.word_count; i <= MG_WORDS_MAX; i++)
		s->call.words[i] = "";
	s->call.command = mg_command_find(s->call.words, s->call.word_count);
	s->running = true;
	if (s->call.command && s->call.command->level <= s->level)
		return;
	if (s->call.command)
		mg_puts(&s->out, "Permission denied\n");
	else
		mg_command_help(&s->out, s->level, s->call.words, s->call.word_count, true);
	end_command(s);
	send_output(s);
}

/* "<<" or "<<pattern" at the end of the line starts a payload; it is cut off. */
static bool starts_payload(struct mg_session *s, char *line)
{
	char *mark = NULL;

	for (char *p = line; (p = strstr(p, "<<")); p += 2)
		mark = p;
	if (!mark || (mark > line && mark[-1] != ' ') || strpbrk(mark, " \t;") ||
		strlen(mark + 2) >= MG_PATTERN_SIZE)
		return false;
	memcpy(s->pattern, mark + 2, strlen(mark + 2) + 1);
	*mark = '\0';
	s->in_payload = true;
	s->payload.len = 0;
	return true;
}

static void take_line(struct mg_session *s, struct bytes text)
{
	if (s->in_payload) {
		if (bytes_eq(text, bytes_of_cstr(s->pattern))) {
			s->in_payload = false;
			s->next = s->line;
		} else {
			mg_put(&s->payload, text);
			mg_puts(&s->payload, "\n");
		}
	} else {
		s->payload.len = 0;
		s->line = strndup(text.ptr, text.len);
		if (!s->line)
			s->quit = true;
		else if (!starts_payload(s, s->line))
			s->next = s->line;
	}
	if (s->in_payload && s->prompt) {
		mg_puts(&s->out, "+ ");
		send_output(s);
	}
}

/* Takes one line off the input. False: there is no whole one. */
static bool read_line(struct mg_session *s)
{
	struct bytes in = sock_conn_input(s->conn);
	const char *end = in.len > 0 ? memchr(in.ptr, '\n', in.len) : NULL;
	size_t len;

	if (!end || s->payload.len > MG_PAYLOAD_BYTES) {
		if (in.len >= MG_INPUT_BYTES || s->payload.len > MG_PAYLOAD_BYTES ||
			sock_conn_input_ended(s->conn))
			s->quit = true; /* the line will never be whole, or is too long */
		return false;
	}
	len = (size_t)(end - in.ptr);
	take_line(s, bytes_of(in.ptr, len > 0 && end[-1] == '\r' ? len - 1 : len));
	sock_conn_consume(s->conn, len + 1);
	return true;
}

static void line_done(struct mg_session *s)
{
	free(s->line);
	s->line = NULL;
	if (!s->prompt && sock_conn_input(s->conn).len == 0)
		s->quit = true;
}

/* One step of whatever comes next. False: there is nothing to do now. */
static bool advance(struct mg_session *s)
{
	if (sock_conn_output_pending(s->conn) > MG_OUTPUT_BYTES)
		return false;
	if (s->running) {
		if (s->waiting)
			return false;
		step(s);
		return true;
	}
	if (s->next) {
		begin_command(s);
		return true;
	}
	if (s->line && !s->in_payload) {
		line_done(s);
		return true;
	}
	return read_line(s);
}

void mg_session_run(struct mg_session *s)
{
	uint32_t steps = 0;

	list_del(&s->ready);
	while (!s->quit && !s->gone && steps < MG_STEPS_MAX && advance(s))
		steps++;
	if (s->quit || s->gone)
		mg_session_end(s);
	else if (steps == MG_STEPS_MAX)
		mg_session_wake(s);
}

static void on_event(struct sock_conn *conn, void *user, uint32_t events)
{
	struct mg_session *s = user;
	bool waiting = s->waiting;

	(void)conn;
	if (events & (SOCK_EVENT_FAILED | SOCK_EVENT_IDLE)) {
		/* Who sent a command and left at once gets it done all the same. */
		for (uint32_t i = 0;
			(events & SOCK_EVENT_FAILED) && i < MG_STEPS_MAX && !s->quit && advance(s);
			i++)
			s->gone = false;
		s->gone = true;
		mg_session_end(s);
	} else if (!waiting) {
		mg_session_run(s);
	}
}

void mg_session_accept(struct sock_listener *listener, void *user, int fd)
{
	struct mg_socket *socket = user;
	struct manage *m = socket->m;
	struct mg_session *s = calloc(1, sizeof(*s));
	struct sock_conn_config config = {.input_max_bytes = MG_INPUT_BYTES,
		.idle_ns = m->model->global.stats_timeout_ms * NS_PER_MS,
		.on_event = on_event,
		.user = s};

	(void)listener;
	if (!s) {
		sock_refuse(fd);
		return;
	}
	s->m = m;
	s->level = (int)socket->config.level;
	list_init(&s->ready);
	s->conn = sock_conn_open(m->config.loop, fd, &config);
	if (!s->conn) {
		free(s);
		return;
	}
	list_add_tail(&m->sessions, &s->link);
	m->session_count++;
	sockets_pause(m);
}
