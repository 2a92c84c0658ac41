/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The members of a bond: a port whose device is net_bonding. They are written as words of the port,
 * "member net_tap0,iface=weir0", which may have arguments of their own, or among the arguments of
 * the bond as DPDK has it, "slave=0000:03:00.0". The model has them in one list.
 */
#include <ctype.h>
#include <stdlib.h>

#include "reload_pvt.h"

#define BOND  "net_bonding"
#define SLAVE "slave="

/* 0000:03:00.0, or 03:00.0 */
static bool is_pci_address(const char *text)
{
	return text[strspn(text, "0123456789abcdefABCDEF:.")] == '\0' && strchr(text, ':');
}

/* Devices are the same if their names are, whatever follows. */
static bool is_same_device(const char *a, const char *b)
{
	size_t len = a ? strcspn(a, ",") : 0;

	return a && b && len == strcspn(b, ",") && strncmp(a, b, len) == 0;
}

static bool has_member(const struct model_port *p, const char *device)
{
	for (uint32_t i = 0; i < p->member_count; i++)
		if (is_same_device(p->members[i].device, device))
			return true;
	return false;
}

bool rl_bond_member(const struct rl_call *c, uint32_t index, struct model_port *p, const char *text)
{
	if (p->member_count == PORT_MEMBERS_MAX) {
		rl_alert(c, index, NULL, "'port' %s: more than %d members", p->name,
			PORT_MEMBERS_MAX);
		return false;
	}
	if (has_member(p, text)) {
		rl_alert(c, index, NULL, "'port' %s: '%s' is a member already", p->name, text);
		return false;
	}
	p->members[p->member_count++] = (struct model_port_member){text, is_pci_address(text)};
	return true;
}

/* Takes "slave=..." out of the arguments. */
static bool take_slaves(const struct rl_call *c, struct model_port *p)
{
	char *vdev = rl_alloc(c->draft, strlen(p->vdev) + 1);
	const char *at = p->vdev;
	size_t kept = 0;

	if (!vdev)
		return false;
	while (*at) {
		size_t len = strcspn(at, ",");

		if (len > strlen(SLAVE) && strncmp(at, SLAVE, strlen(SLAVE)) == 0) {
			char *name = rl_alloc(c->draft, len);

			if (!name)
				return false;
			memcpy(name, at + strlen(SLAVE), len - strlen(SLAVE));
			name[len - strlen(SLAVE)] = '\0';
			if (!rl_bond_member(c, c->arg, p, name))
				return false;
		} else {
			if (kept > 0)
				vdev[kept++] = ',';
			memcpy(vdev + kept, at, len);
			kept += len;
		}
		at += len + (at[len] == ',');
	}
	vdev[kept] = '\0';
	p->vdev = vdev;
	return true;
}

/* An earlier line may have named them, for another VLAN. */
static bool needs_members(const struct rl_call *c, const struct model_port *p)
{
	for (uint32_t i = 0; i < c->draft->ports.count; i++)
		if (is_same_device(c->draft->ports.items[i].port.vdev, p->vdev))
			return false;
	return p->member_count == 0;
}

/* A device is one port, or a member of one. */
static bool check_others(const struct rl_call *c, const struct model_port *p)
{
	for (uint32_t i = 0; i < c->draft->ports.count; i++) {
		const struct model_port *q = &c->draft->ports.items[i].port;
		const char *other = q->vdev ? q->vdev : q->pci;
		bool both = has_member(p, other) || has_member(q, p->vdev ? p->vdev : p->pci);

		if (is_same_device(p->vdev, q->vdev) || is_same_device(p->pci, q->pci))
			continue; /* another VLAN of the port */
		for (uint32_t j = 0; j < p->member_count; j++)
			both |= has_member(q, p->members[j].device);
		if (!both)
			continue;
		rl_alert(c, c->arg, NULL,
			"'port' %s and '%s' (line %u) have a device in common: a member of a bond "
			"is no port",
			p->name, q->name, q->place.line);
		return false;
	}
	return true;
}

bool rl_bond_check(const struct rl_call *c, struct model_port *p)
{
	bool is_bond = p->vdev && strncmp(p->vdev, BOND, strlen(BOND)) == 0;

	if (is_bond && !take_slaves(c, p))
		return false;
	if (!is_bond && p->member_count > 0) {
		rl_alert(c, c->arg, "vdev net_bonding0,mode=4",
			"'port' %s: only a bond has members", p->name);
		return false;
	}
	if (is_bond && needs_members(c, p)) {
		rl_alert(c, c->arg, "member net_tap0,iface=weir0, or member 0000:03:00.0",
			"'port' %s: a bond needs members", p->name);
		return false;
	}
	return check_others(c, p);
}
