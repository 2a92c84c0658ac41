/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tap that was there before weir must be there unchanged after it.
 *
 * What DPDK 22.11 does to the interface: at the probe it sets the MTU to 1500 and its own MAC
 * address, and adds the queueing disciplines multiq and ingress (for its flow rules); at the start
 * it switches the interface on; at the stop and at the close it switches it off, which costs the
 * operator static routes and IPv6 addresses. The MAC address is kept by handing it the one that is
 * there; switching off is prevented by replacing the socket through which DPDK would do it (found
 * as the only IPv4 datagram socket that the probe opened). What differs in the end is put back;
 * this also covers the case that the socket was not found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <net/if.h>

#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "dpdk_pvt.h"

#define TUN_DEVICE     "/dev/net/tun"
#define TUN_PATH_SIZE  64
#define MULTIQ_HANDLE  TC_H_MAKE(1 << 16, 0) /* as DPDK names it */
#define NETLINK_BUFFER 8192

static bool read_iface(const char *args, char *iface)
{
	const char *at = args ? strstr(args, "iface=") : NULL;
	size_t len;

	if (!at)
		return false;
	at += strlen("iface=");
	len = strcspn(at, ",");
	if (len == 0 || len >= IFNAMSIZ)
		return false;
	memcpy(iface, at, len);
	iface[len] = '\0';
	return true;
}

static int check_tun_device(struct error *err)
{
	int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EACCES || errno == EPERM)
		return error_set(err, -errno,
			"no permission to open " TUN_DEVICE ": run as root, or with CAP_NET_ADMIN");
	return error_set(
		err, -errno, "cannot open " TUN_DEVICE ": load the kernel module (modprobe tun)");
}

static int query(int fd, const char *iface, unsigned long request, struct ifreq *ifr)
{
	memset(ifr, 0, sizeof(*ifr));
	memcpy(ifr->ifr_name, iface, strlen(iface));
	return ioctl(fd, request, ifr);
}

static bool read_interface(const char *iface, struct tap_state *tap)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr;
	bool ok;

	ok = fd >= 0 && query(fd, iface, SIOCGIFFLAGS, &ifr) == 0;
	tap->flags = ifr.ifr_flags;
	ok = ok && query(fd, iface, SIOCGIFMTU, &ifr) == 0;
	tap->mtu = ifr.ifr_mtu;
	ok = ok && query(fd, iface, SIOCGIFHWADDR, &ifr) == 0;
	memcpy(tap->mac.b, ifr.ifr_hwaddr.sa_data, sizeof(tap->mac.b));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Sends a netlink request of `len` bytes. Returns the socket where the answer comes, or -1. */
static int netlink_ask(const void *request, size_t len)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && send(fd, request, len, 0) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static const struct rtattr *find_attribute(const struct rtattr *at, int len, unsigned short type)
{
	for (; RTA_OK(at, len); at = RTA_NEXT(at, len))
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	return NULL;
}

static const struct rtattr *find_nested(const struct rtattr *in, unsigned short type)
{
	return in ? find_attribute(RTA_DATA(in), (int)RTA_PAYLOAD(in), type) : NULL;
}

static bool tun_attribute(const struct rtattr *data, unsigned short type, uint8_t value)
{
	const struct rtattr *at = find_nested(data, type);

	return at && RTA_PAYLOAD(at) >= 1 && *(const uint8_t *)RTA_DATA(at) == value;
}

/* How the tap was made; 0 if it is none. Asked by netlink: /sys may show another namespace. */
static short read_tun_flags(const char *iface)
{
	const struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} request = {
		.head = {sizeof(request), RTM_GETLINK, NLM_F_REQUEST, 1, 0},
		.info = {.ifi_index = (int)if_nametoindex(iface)},
	};
	char buf[NETLINK_BUFFER] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	int fd = netlink_ask(&request, sizeof(request));
	ssize_t len = fd >= 0 ? recv(fd, buf, sizeof(buf), 0) : -1;
	const struct rtattr *link, *kind, *data;
	short flags = IFF_TAP;

	if (fd >= 0)
		close(fd);
	if (len < 0 || !NLMSG_OK(h, len) || h->nlmsg_type != RTM_NEWLINK)
		return 0;
	link = find_attribute(
		IFLA_RTA((struct ifinfomsg *)NLMSG_DATA(h)), (int)IFLA_PAYLOAD(h), IFLA_LINKINFO);
	kind = find_nested(link, IFLA_INFO_KIND);
	data = find_nested(link, IFLA_INFO_DATA);
	if (!kind || strcmp(RTA_DATA(kind), "tun") != 0 ||
		!tun_attribute(data, IFLA_TUN_TYPE, IFF_TAP))
		return 0;
	if (tun_attribute(data, IFLA_TUN_MULTI_QUEUE, 1))
		flags |= IFF_MULTI_QUEUE;
	if (!tun_attribute(data, IFLA_TUN_PI, 1))
		flags |= IFF_NO_PI;
	if (tun_attribute(data, IFLA_TUN_VNET_HDR, 1))
		flags |= IFF_VNET_HDR;
	return flags;
}

/* The flags of a tap are those of the last one who opened it. */
static void write_tun_flags(const struct tap_state *tap)
{
	int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);
	struct ifreq ifr = {.ifr_flags = tap->tun_flags};

	memcpy(ifr.ifr_name, tap->iface, sizeof(tap->iface));
	if (fd >= 0) {
		ioctl(fd, TUNSETIFF, &ifr);
		close(fd);
	}
}

/* A tap made with one queue cannot be opened with several, and DPDK asks for several. */
static int check_tap(const char *iface, short tun_flags, struct error *err)
{
	if (!(tun_flags & IFF_TAP))
		return error_set(err, -EINVAL, "interface %s exists and is not a tap", iface);
	if (!(tun_flags & IFF_MULTI_QUEUE))
		return error_set(err, -EINVAL,
			"tap %s has one queue: create it with \"ip tuntap add dev %s mode tap "
			"multi_queue\"",
			iface, iface);
	return 0;
}

static int ask_qdisc(uint16_t type, uint16_t flags, struct tcmsg tc)
{
	const struct {
		struct nlmsghdr head;
		struct tcmsg tc;
	} request = {
		.head = {sizeof(request), type, (uint16_t)(NLM_F_REQUEST | flags), 1, 0},
		.tc = tc,
	};

	return netlink_ask(&request, sizeof(request));
}

/* True if the interface has a queueing discipline with this handle. */
static bool has_qdisc(const char *iface, uint32_t handle)
{
	struct tcmsg tc = {.tcm_ifindex = (int)if_nametoindex(iface)};
	int fd = ask_qdisc(RTM_GETQDISC, NLM_F_DUMP, tc);
	char buf[NETLINK_BUFFER] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool found = false, done = fd < 0;

	while (!done) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);

		done = len <= 0;
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf; !done && NLMSG_OK(h, len);
			h = NLMSG_NEXT(h, len)) {
			const struct tcmsg *got = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				done = true;
			else if (got->tcm_ifindex == tc.tcm_ifindex && got->tcm_handle == handle)
				found = true;
		}
	}
	if (fd >= 0)
		close(fd);
	return found;
}

static void delete_qdisc(const char *iface, uint32_t parent, uint32_t handle)
{
	struct tcmsg tc = {.tcm_ifindex = (int)if_nametoindex(iface),
		.tcm_parent = parent,
		.tcm_handle = handle};
	int fd = ask_qdisc(RTM_DELQDISC, NLM_F_ACK, tc);
	char buf[NETLINK_BUFFER];

	if (fd < 0)
		return;
	recv(fd, buf, sizeof(buf), 0); /* done when the answer is there */
	close(fd);
}

int tap_state_save(struct tap_state *tap, const char *args, struct error *err)
{
	char iface[IFNAMSIZ];
	int rc;

	*tap = (struct tap_state){.ioctl_fd = -1};
	rc = check_tun_device(err);
	if (rc != 0 || !read_iface(args, iface) || !read_interface(iface, tap))
		return rc;
	tap->tun_flags = read_tun_flags(iface);
	rc = check_tap(iface, tap->tun_flags, err);
	if (rc != 0)
		return rc;
	tap->has_multiq = has_qdisc(iface, MULTIQ_HANDLE);
	tap->has_ingress = has_qdisc(iface, TC_H_MAKE(TC_H_INGRESS, 0));
	memcpy(tap->iface, iface, sizeof(iface));
	return 0;
}

void tap_fds(struct tap_fd_set *fds)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	*fds = (struct tap_fd_set){0};
	while (dir && (entry = readdir(dir))) {
		unsigned long fd = strtoul(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && fd != (unsigned long)dirfd(dir) &&
			fd < sizeof(fds->bits) * 8)
			fds->bits[fd / 8] |= (uint8_t)(1 << fd % 8);
	}
	if (dir)
		closedir(dir);
}

static bool is_ipv4_datagram_socket(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_INET &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM;
}

void tap_find_socket(struct tap_state *tap, const struct tap_fd_set *before)
{
	struct tap_fd_set now;
	int found = -1, count = 0;

	tap_fds(&now);
	for (int fd = 0; fd < (int)sizeof(now.bits) * 8; fd++) {
		uint8_t fresh = now.bits[fd / 8] & (uint8_t)~before->bits[fd / 8];

		if ((fresh & (1 << fd % 8)) && is_ipv4_datagram_socket(fd)) {
			found = fd;
			count++;
		}
	}
	tap->ioctl_fd = count == 1 ? found : -1;
}

void tap_disarm(struct tap_state *tap)
{
	int fd;

	if (tap->iface[0] == '\0' || tap->ioctl_fd < 0 || !is_ipv4_datagram_socket(tap->ioctl_fd))
		return;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		dup3(fd, tap->ioctl_fd, O_CLOEXEC);
		close(fd);
	}
}

void tap_state_restore(const struct tap_state *tap)
{
	struct tap_state now = {0};
	struct ifreq ifr;
	int fd;

	if (tap->iface[0] == '\0' || !read_interface(tap->iface, &now))
		return;
	write_tun_flags(tap);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, tap->iface, sizeof(tap->iface));
	if (memcmp(&now.mac, &tap->mac, sizeof(now.mac)) != 0) {
		ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(ifr.ifr_hwaddr.sa_data, tap->mac.b, sizeof(tap->mac.b));
		ioctl(fd, SIOCSIFHWADDR, &ifr);
	}
	if (now.mtu != tap->mtu) {
		ifr.ifr_mtu = tap->mtu;
		ioctl(fd, SIOCSIFMTU, &ifr);
	}
	if ((now.flags ^ tap->flags) & (IFF_UP | IFF_PROMISC | IFF_ALLMULTI)) {
		ifr.ifr_flags = tap->flags;
		ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	if (fd >= 0)
		close(fd);
	if (!tap->has_multiq && has_qdisc(tap->iface, MULTIQ_HANDLE))
		delete_qdisc(tap->iface, TC_H_ROOT, MULTIQ_HANDLE);
	if (!tap->has_ingress && has_qdisc(tap->iface, TC_H_MAKE(TC_H_INGRESS, 0)))
		delete_qdisc(tap->iface, TC_H_INGRESS, TC_H_MAKE(TC_H_INGRESS, 0));
}
