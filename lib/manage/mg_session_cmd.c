/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about the session itself. */
#include "lang_value.h"
#include "manage_pvt.h"

static const char *level_name(int level)
{
	return level == MODEL_LEVEL_ADMIN      ? "admin"
	       : level == MODEL_LEVEL_OPERATOR ? "operator"
					       : "user";
}

static enum mg_verdict cmd_help(struct mg_call *call)
{
	mg_command_help(
		call->out, call->session->level, call->words + 1, call->word_count - 1, false);
	return MG_DONE;
}

static enum mg_verdict cmd_prompt(struct mg_call *call)
{
	call->session->prompt = !call->session->prompt;
	return MG_DONE;
}

static enum mg_verdict cmd_quit(struct mg_call *call)
{
	call->session->quit = true;
	return MG_DONE;
}

static enum mg_verdict lower_level(struct mg_call *call, int level)
{
	if (call->session->level > level)
		call->session->level = level;
	return MG_DONE;
}

static enum mg_verdict cmd_operator(struct mg_call *call)
{
	if (call->session->level < MODEL_LEVEL_OPERATOR) {
		mg_puts(call->out, "Permission denied\n");
		return MG_DONE;
	}
	return lower_level(call, MODEL_LEVEL_OPERATOR);
}

static enum mg_verdict cmd_user(struct mg_call *call)
{
	return lower_level(call, MODEL_LEVEL_USER);
}

static enum mg_verdict cmd_set_timeout(struct mg_call *call)
{
	uint64_t ns;

	if (!mg_is(call, 2, "cli"))
		mg_puts(call->out, "'set timeout' only supports 'cli'.\n");
	else if (lang_time_parse(mg_word(call, 3), NS_PER_SEC, 0, &ns, NULL) < 0 || ns == 0)
		mg_puts(call->out, "Invalid timeout value.\n");
	else
		sock_conn_set_idle(call->session->conn, ns);
	return MG_DONE;
}

static enum mg_verdict cmd_cli_level(struct mg_call *call)
{
	mg_printf(call->out, "%s\n", level_name(call->session->level));
	return MG_DONE;
}

static enum mg_verdict cmd_cli_sockets(struct mg_call *call)
{
	char text[ENDPOINT_TEXT_SIZE];

	mg_puts(call->out, "# socket lvl processes\n");
	list_for_each (link, &call->m->sockets) {
		const struct model_stats_socket *c =
			&list_entry(link, struct mg_socket, link)->config;

		if (c->kind == MODEL_SOCKET_UNIX)
			mg_printf(call->out, "unix@%s", c->path);
		else if (c->kind == MODEL_SOCKET_FD)
			mg_printf(call->out, "fd@%d", c->fd);
		else
			mg_printf(call->out, "%s@%s",
				ip_addr_is_v4(&c->local.addr) ? "ipv4" : "ipv6",
				endpoint_format(&c->local, text));
		mg_printf(call->out, " %s all\n", level_name((int)c->level));
	}
	return MG_DONE;
}

const struct mg_command mg_commands_session[] = {
	{{"help"}, MODEL_LEVEL_USER, NULL, NULL, cmd_help},
	{{"prompt"}, MODEL_LEVEL_USER, NULL, NULL, cmd_prompt},
	{{"quit"}, MODEL_LEVEL_USER, NULL, NULL, cmd_quit},
	{{"operator"}, MODEL_LEVEL_USER, "operator",
		"lower the level of the current CLI session to operator", cmd_operator},
	{{"set", "timeout"}, MODEL_LEVEL_USER, "set timeout cli <delay>",
		"change the time after which a silent session ends", cmd_set_timeout},
	{{"show", "cli", "level"}, MODEL_LEVEL_USER, "show cli level",
		"display the level of the current CLI session", cmd_cli_level},
	{{"show", "cli", "sockets"}, MODEL_LEVEL_OPERATOR, "show cli sockets",
		"list the sockets of this API", cmd_cli_sockets},
	{{"user"}, MODEL_LEVEL_USER, "user", "lower the level of the current CLI session to user",
		cmd_user},
	{{NULL}},
};
