/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEIR_DPDK_PVT_H
#define WEIR_DPDK_PVT_H

#include <net/if.h>

#include "dpdk.h"

/* Keeps DPDK's lines from the operator until the end, and the first of them as a reason. */
void dpdk_log_hold(struct dpdk_eal *eal);
/** Ends it. Returns the first line held, empty if there was none; valid until the next hold. */
const char *dpdk_log_release(struct dpdk_eal *eal);

/* What a tap that existed before looked like; zeroed: there was none. */
struct tap_state {
	char iface[IFNAMSIZ]; /* empty: nothing to restore */
	struct wire_mac mac;
	int mtu;
	short flags;
	short tun_flags;              /* IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR */
	bool has_multiq, has_ingress; /* queueing disciplines that DPDK adds */
	int ioctl_fd;                 /* DPDK's socket for ioctl; -1: not known */
};

/**
 * Looks for the tap of a net_tap's arguments ("iface=weir0,..."), and at what keeps us from using
 * it. Returns 0, also if there is none, or -errno with *err set.
 */
int tap_state_save(struct tap_state *tap, const char *args, struct error *err);

/* The open file descriptors of the process, up to 1023. */
struct tap_fd_set {
	uint8_t bits[1024 / 8];
};
void tap_fds(struct tap_fd_set *fds);

/** Finds the socket that DPDK opened since `before` was taken. */
void tap_find_socket(struct tap_state *tap, const struct tap_fd_set *before);

/** Before DPDK stops the device: takes away its means to switch the interface off. */
void tap_disarm(struct tap_state *tap);

/** After DPDK is done: puts back what is not as it was. Safe on a zeroed state. */
void tap_state_restore(const struct tap_state *tap);

/* bond.c */

/** True if it is one by LACP (IEEE 802.1AX). */
bool bond_has_lacp(uint16_t id);
/** Before it joins: a tap whose link the bond has to look at. */
void bond_poll_link_of(uint16_t member);
/** Once it is attached: takes in its members. Returns 0, or -EINVAL with *err set. */
int bond_join(uint16_t id, uint32_t member_count, struct error *err);
/** True if the bond sends by this member now. */
bool bond_member_is_active(uint16_t id, uint16_t member);

#endif
