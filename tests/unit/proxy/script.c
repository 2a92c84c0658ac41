/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "script.h"

static void act(struct end *e, const char *verb)
{
	if (verb[0] == '>')
		end_send(e, verb + 2);
	else if (strcmp(verb, " shut") == 0)
		end_shut(e);
	else if (strcmp(verb, " close") == 0)
		end_close(e);
	else if (strcmp(verb, " reset") == 0)
		end_reset(e);
	else if (strcmp(verb, " pause") == 0)
		e->paused = true;
	else if (strcmp(verb, " read") == 0)
		end_read(e);
	else
		fail_msg("no such step: %s", verb);
}

static struct end *step(struct bench *b, struct end *client, const char *text)
{
	if (strcmp(text, "open") == 0)
		client = bench_client(b, 0);
	else if (strncmp(text, "wait ", 5) == 0)
		bench_wait(b, (uint32_t)strtoul(text + 5, NULL, 10));
	else if (text[0] == 'c')
		act(client, text + 1);
	else
		act(bench_server(b), text + 1);
	bench_settle(b);
	return client;
}

void script_run(const struct script *s, enum model_mode mode)
{
	struct bench *b = bench_new(1, 2);
	struct end *client;
	char end;

	b->fe->mode = b->be->mode = mode;
	b->fe->log_format = mode == MODEL_MODE_HTTP ? MODEL_LOG_HTTP : MODEL_LOG_TCP;
	b->servers[1].disabled = true;
	if (s->setup)
		s->setup(b);
	bench_start(b);
	client = bench_client(b, 0);
	assert_non_null(client);
	bench_settle(b);
	for (uint32_t i = 0; i < SCRIPT_STEPS_MAX && s->steps[i]; i++)
		client = step(b, client, s->steps[i]);
	end = client->failed ? 'R' : client->eof ? 'F' : 'O';
	if (end != s->end)
		fail_msg("%s: the client's end is %c, not %c", s->name, end, s->end);
	if (strncmp(client->in, s->got ? s->got : "", s->got ? strlen(s->got) : 1) != 0)
		fail_msg("%s: the client got '%s'", s->name, client->in);
	if (s->upstream && strcmp(bench_server(b)->in, s->upstream) != 0)
		fail_msg("%s: the server got '%s'", s->name, bench_server(b)->in);
	if (s->log ? !strstr(b->log, s->log) : b->log_count > 0)
		fail_msg("%s: logged '%s'", s->name, b->log);
	bench_check_stats(b, s->name, s->stats);
	bench_end(b);
}

/* --- set-ups ----------------------------------------------------------------------- */

void script_refuse(struct bench *b)
{
	b->policy[0] = BENCH_REFUSE;
}

void script_hang(struct bench *b)
{
	b->policy[0] = BENCH_HANG;
}

void script_no_port(struct bench *b)
{
	b->policy[0] = BENCH_NO_PORT;
}

void script_disabled(struct bench *b)
{
	b->servers[0].disabled = true;
}

void script_no_backend(struct bench *b)
{
	b->fe->fe.default_backend = MODEL_NONE;
}

void script_dontlognull(struct bench *b)
{
	b->fe->dontlognull = true;
}

void script_abortonclose_hang(struct bench *b)
{
	script_hang(b);
	b->be->abortonclose = true;
}

void script_logasap(struct bench *b)
{
	b->fe->logasap = true;
}

void script_default_log(struct bench *b)
{
	b->fe->log_format = MODEL_LOG_DEFAULT;
}

void script_tunnel(struct bench *b)
{
	b->be->timeouts.tunnel = 200;
}
