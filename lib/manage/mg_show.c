/* SPDX-License-Identifier: BSD-3-Clause */
/* Small answers. */
#include <time.h>
#include <unistd.h>

#include "manage_pvt.h"

static enum mg_verdict cmd_version(struct mg_call *call)
{
	mg_printf(call->out, "%s\n", MG_VERSION(call->m));
	return MG_DONE;
}

static enum mg_verdict cmd_env(struct mg_call *call)
{
	const char *name = mg_word(call, 2);
	size_t len = strlen(name);
	bool found = false;

	for (char **e = environ; *e; e++) {
		if (len > 0 && (strncmp(*e, name, len) != 0 || (*e)[len] != '='))
			continue;
		mg_printf(call->out, "%s\n", *e);
		found = true;
	}
	if (len > 0 && !found)
		mg_puts(call->out, "Variable not found\n");
	return MG_DONE;
}

/* Requests and responses that were refused are counted (ereq, eresp), not kept. */
static enum mg_verdict cmd_errors(struct mg_call *call)
{
	uint64_t wall_ns = call->m->config.control->wall_ns;
	time_t second = (time_t)(wall_ns / NS_PER_SEC);
	char text[40];
	struct tm tm;

	localtime_r(&second, &tm);
	strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S", &tm);
	mg_printf(call->out, "Total events captured on [%s.%03u] : 0\n", text,
		(unsigned)(wall_ns % NS_PER_SEC / NS_PER_MS));
	return MG_DONE;
}

static enum mg_verdict cmd_backend(struct mg_call *call)
{
	const struct model *model = call->m->model;

	mg_puts(call->out, "# name\n");
	for (uint32_t i = 0; i < model->proxy_count; i++)
		if (model->proxies[i].is_backend)
			mg_printf(call->out, "%s\n", model->proxies[i].name);
	return MG_DONE;
}

const struct mg_command mg_commands_show[] = {
	{{"show", "backend"}, MODEL_LEVEL_USER, "show backend", "list the backends", cmd_backend},
	{{"show", "env"}, MODEL_LEVEL_OPERATOR, "show env [var]",
		"show the environment of the process, or one variable", cmd_env},
	{{"show", "errors"}, MODEL_LEVEL_OPERATOR, "show errors",
		"show the last refused requests and responses (none are kept)", cmd_errors},
	{{"show", "version"}, MODEL_LEVEL_USER, "show version", "show the version of weir",
		cmd_version},
	{{NULL}},
};
