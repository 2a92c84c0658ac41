/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes and addresses that the operator takes out of use, and back: on every core, one after the
 * other. */
#include <errno.h>

#include "manage_pvt.h"

/* The ask's only row, filled before it goes. */
struct change {
	bool known; /* an ask in the place of one that did not come back knows nothing */
	bool enabled;
	bool is_route;
	struct ip_route_config route;
	struct ip_addr addr;
	int rc;
};

static void change_ask(struct mg_ask *ask)
{
	struct change *c = mg_ask_row(ask);

	if (!c->known)
		c->rc = -EAGAIN;
	else if (c->is_route)
		c->rc = ip_route_set_enabled(ask->ip, &c->route, c->enabled);
	else
		c->rc = ip_address_set_enabled(ask->ip, &c->addr, c->enabled);
}

static bool has_ip(struct manage *m, uint32_t core)
{
	return m->ips[core];
}

/* at[3]: it was said already. */
static void change_print(struct mg_call *call, uint32_t core, const void *row)
{
	const struct change *c = row;

	if (c->rc == -EAGAIN)
		mg_printf(call->out, "Core %u was not told.\n", core);
	else if (c->rc == -ENOENT && !call->at[3]++)
		mg_printf(call->out, "No such %s.\n", c->is_route ? "route" : "address");
}

static bool address_parse(const char *text, struct ip_addr *out)
{
	return *text && ip_addr_parse(bytes_of_cstr(text), out);
}

static bool change_parse(struct mg_call *call, struct change *c)
{
	c->known = true;
	c->enabled = strcmp(call->command->words[0], "enable") == 0;
	c->is_route = strcmp(call->command->words[1], "route") == 0;
	if (!c->is_route)
		return call->word_count == 3 && address_parse(mg_word(call, 2), &c->addr);
	if (!ip_prefix_parse(bytes_of_cstr(mg_word(call, 2)), &c->route.prefix))
		return false;
	return call->word_count == 3 || (call->word_count == 5 && mg_is(call, 3, "via") &&
						address_parse(mg_word(call, 4), &c->route.gateway));
}

static enum mg_verdict cmd_change(struct mg_call *call)
{
	if (!call->ask) {
		if (!mg_ask_create(call, change_ask, 1, sizeof(struct change)))
			return MG_DONE;
		if (!change_parse(call, (struct change *)call->ask->rows)) {
			mg_printf(call->out, "Usage: %s\n", call->command->syntax);
			return MG_DONE;
		}
		worker_log(call->m->config.control, LOG_LEVEL_NOTICE, "%s %s %s %s %s",
			call->command->words[0], call->command->words[1], mg_word(call, 2),
			mg_word(call, 3), mg_word(call, 4));
	}
	return mg_ask_all(call, has_ip, change_print);
}

const struct mg_command mg_commands_net_set[] = {
	{{"disable", "address"}, MODEL_LEVEL_ADMIN, "disable address <address>",
		"do not use an address of ours until it is enabled", cmd_change},
	{{"enable", "address"}, MODEL_LEVEL_ADMIN, "enable address <address>",
		"use an address of ours again", cmd_change},
	{{"disable", "route"}, MODEL_LEVEL_ADMIN, "disable route <prefix> [via <gateway>]",
		"do not use a configured route until it is enabled", cmd_change},
	{{"enable", "route"}, MODEL_LEVEL_ADMIN, "enable route <prefix> [via <gateway>]",
		"use a configured route again", cmd_change},
	{{NULL}},
};
