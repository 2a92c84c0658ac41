/* SPDX-License-Identifier: BSD-3-Clause */
/* Words that set struct tcp_options: on bind, server, and default-server alike. */
#include "reload_pvt.h"

bool rl_tcp_user_timeout(const struct rl_call *c, uint32_t i, struct tcp_options *options)
{
	return rl_arg_time_ms(c, i, &options->user_timeout_ms);
}

bool rl_tcp_cc(const struct rl_call *c, uint32_t i, struct tcp_options *options)
{
	const char *names[TCP_CC_KIND_COUNT] = {NULL};
	int index;

	for (int kind = TCP_CC_DEFAULT + 1; kind < TCP_CC_KIND_COUNT; kind++)
		names[kind - 1] = tcp_cc_name((enum tcp_cc_kind)kind);
	index = rl_arg_enum(c, i, "congestion control", names);
	if (index < 0)
		return false;
	options->cc = (uint8_t)(index + 1);
	return true;
}
