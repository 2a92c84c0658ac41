/* SPDX-License-Identifier: BSD-3-Clause */
/* The names of congestion controls, for who reads configurations and needs nothing else of TCP. */
#include "tcp.h"

static const char *const names[TCP_CC_KIND_COUNT] = {
	[TCP_CC_DEFAULT] = "default",
	[TCP_CC_RENO] = "reno",
	[TCP_CC_CUBIC] = "cubic",
	[TCP_CC_BBR] = "bbr",
};

const char *tcp_cc_name(enum tcp_cc_kind kind)
{
	return names[kind];
}
