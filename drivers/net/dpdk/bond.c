/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK's bonding driver needs beyond other devices. Its members are attached before it. It
 * reads its arguments, the members among them, when it is configured for the first time; only then
 * does it know what all of them can, so it is configured once for nothing. LACP runs
 * in DPDK's own thread every 100 ms; its frames come and leave by the bursts of the bond, so these
 * must go on while there is no traffic (struct port, tx_always).
 */
#include <errno.h>

#include <rte_eth_bond.h>
#include <rte_eth_bond_8023ad.h>
#include <rte_ethdev.h>

#include "dpdk_pvt.h"

#define STATE_COLLECTING   0x10 /* IEEE 802.1AX 6.4.2.3 */
#define STATE_DISTRIBUTING 0x20

bool bond_has_lacp(uint16_t id)
{
	return rte_eth_bond_mode_get(id) == BONDING_MODE_8023AD;
}

/* DPDK 22.11's taps say that they report changes of their link, and never do. A bond asks those
 * that do not say so every 10 ms ("lsc_poll_period_ms"). */
void bond_poll_link_of(uint16_t member)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(member, &info) == 0)
		*(uint32_t *)(uintptr_t)info.dev_flags &= ~(uint32_t)RTE_ETH_DEV_INTR_LSC;
}

int bond_join(uint16_t id, uint32_t member_count, struct error *err)
{
	const struct rte_eth_conf nothing = {0};
	uint16_t members[PORT_MEMBERS_MAX];

	if (rte_eth_dev_configure(id, 1, 1, &nothing) == 0 &&
		rte_eth_bond_slaves_get(id, members, PORT_MEMBERS_MAX) == (int)member_count)
		return 0;
	return error_set(err, -EINVAL, "the bond refuses its members or its other arguments");
}

static bool distributes(uint16_t id, uint16_t member)
{
	struct rte_eth_bond_8023ad_slave_info info;
	uint8_t wanted = STATE_COLLECTING | STATE_DISTRIBUTING;

	return rte_eth_bond_8023ad_slave_info(id, member, &info) == 0 &&
	       (info.actor_state & wanted) == wanted;
}

bool bond_member_is_active(uint16_t id, uint16_t member)
{
	uint16_t members[PORT_MEMBERS_MAX];
	int count;

	switch (rte_eth_bond_mode_get(id)) {
	case BONDING_MODE_8023AD:
		return distributes(id, member);
	case BONDING_MODE_ACTIVE_BACKUP:
		return rte_eth_bond_primary_get(id) == member;
	default:
		count = rte_eth_bond_active_slaves_get(id, members, PORT_MEMBERS_MAX);
		for (int i = 0; i < count; i++)
			if (members[i] == member)
				return true;
		return false;
	}
}
