/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lib/manage looks at, with figures that tests can foretell, in the place of lib/proxy,
 * lib/tcp and lib/ip: a figure is 1000 * (kind + 1) + 100 * index + its row; server 1 is in
 * maintenance. A struct fake_core stands for the proxy, the tcp and the ip_stack of a core.
 */
#ifndef WEIR_FAKE_VIEW_H
#define WEIR_FAKE_VIEW_H

#include "proxy.h"

struct fake_core {
	uint32_t sessions;
	uint32_t conns;
	uint32_t listeners;
};

#endif
