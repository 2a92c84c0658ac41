/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One DPDK device as a struct port.
 *
 * Creation: find out what keeps the device from working and say so; attach it (hotplug for a
 * virtual one; a PCI device was attached when EAL started); choose queues, offloads and RSS by what
 * it can; start it. Every step that fails goes through the same exit, which undoes the steps before
 * and adds DPDK's first complaint to the error. Destruction undoes the same steps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dpdk_pvt.h"

#define DESCS_DEFAULT   1024
#define TAP_DESCS       1 /* more are only for frames of several buffers */
#define FRAME_EXTRA     (WIRE_ETHER_BYTES + WIRE_VLAN_BYTES)
#define RSS_KEY_MAX     64
#define RSS_RETA_MAX    512
#define DEVICE_SIZE     512
#define VDEV_NAME_SIZE  64
#define PCI_PATH_SIZE   128
#define TX_CHECKSUMS_L4 (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define RX_CHECKSUMS_L4 (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define RX_WANTED       (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RX_CHECKSUMS_L4)
#define TX_WANTED                                                                          \
	(RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | TX_CHECKSUMS_L4 | \
		RTE_ETH_TX_OFFLOAD_TCP_TSO)
#define RSS_IPV6   (RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)
#define RSS_WANTED (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RSS_IPV6)

struct device {
	uint16_t id;   /* DPDK's */
	bool attached; /* the device is there */
	bool is_tap;
	char vdev[VDEV_NAME_SIZE]; /* of a virtual device */
	struct tap_state tap;
};

struct dpdk_port {
	struct port port;
	struct device dev;
	uint16_t id; /* of dev; for the bursts */
	bool started;
	bool has_tap;    /* it is one, or a member is */
	bool has_lacp;   /* a bond whose members the other side must agree to */
	bool tx_prepare; /* the device checks and completes what it is to offload */
	uint32_t member_count;
	struct device members[PORT_MEMBERS_MAX]; /* of a bond */
	uint64_t tx_refused;                     /* packets that the device would never take */
};

static uint16_t rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rte_eth_rx_burst(((struct dpdk_port *)port->impl)->id, queue, pkts, n);
}

/* A packet that the device will not take now nor later must not block those behind it. */
static bool is_hopeless(const struct dpdk_port *d, const struct rte_mbuf *m)
{
	return !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) &&
	       m->pkt_len > (uint32_t)d->port.mtu + FRAME_EXTRA;
}

static uint16_t tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct dpdk_port *d = port->impl;
	uint16_t good = d->tx_prepare ? rte_eth_tx_prepare(d->id, queue, pkts, n) : n;
	uint16_t sent = rte_eth_tx_burst(d->id, queue, pkts, good);

	if (sent < n && ((sent == good && good < n) || is_hopeless(d, pkts[sent]))) {
		rte_pktmbuf_free(pkts[sent++]);
		__atomic_fetch_add(&d->tx_refused, 1, __ATOMIC_RELAXED); /* rare; any core */
	}
	return sent;
}

static bool device_link_is_up(uint16_t id)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static bool link_is_up(struct port *port)
{
	struct dpdk_port *d = port->impl;
	bool agreed = !d->has_lacp;

	for (uint32_t i = 0; i < d->member_count && !agreed; i++)
		agreed = bond_member_is_active(d->id, d->members[i].id);
	return agreed && device_link_is_up(d->id);
}

static void device_stats_read(uint16_t id, struct port_device_stats *out)
{
	struct rte_eth_stats stats = {0};

	rte_eth_stats_get(id, &stats);
	*out = (struct port_device_stats){
		.rx_pkts = stats.ipackets,
		.rx_bytes = stats.ibytes,
		.rx_missed = stats.imissed,
		.rx_errors = stats.ierrors,
		.rx_no_buffer = stats.rx_nombuf,
		.tx_pkts = stats.opackets,
		.tx_bytes = stats.obytes,
		.tx_errors = stats.oerrors,
	};
}

static void stats_read(struct port *port, struct port_device_stats *out)
{
	struct dpdk_port *d = port->impl;

	device_stats_read(d->id, out);
	out->tx_errors += __atomic_load_n(&d->tx_refused, __ATOMIC_RELAXED);
}

static uint32_t members_read(struct port *port, struct port_member *out)
{
	struct dpdk_port *d = port->impl;

	for (uint32_t i = 0; i < d->member_count; i++) {
		uint16_t id = d->members[i].id;
		char name[RTE_ETH_NAME_MAX_LEN] = "";

		rte_eth_dev_get_name_by_port(id, name);
		out[i] = (struct port_member){.link_is_up = device_link_is_up(id),
			.is_active = bond_member_is_active(d->id, id)};
		snprintf(out[i].name, sizeof(out[i].name), "%.*s", PORT_NAME_SIZE - 1, name);
		device_stats_read(id, &out[i].stats);
	}
	return d->member_count;
}

static void device_detach(struct device *dev)
{
	if (dev->attached)
		rte_eth_dev_close(dev->id);
	if (dev->attached && dev->vdev[0])
		rte_eal_hotplug_remove("vdev", dev->vdev);
	if (dev->is_tap)
		tap_state_restore(&dev->tap);
}

static void destroy(struct port *port)
{
	struct dpdk_port *d = port->impl;

	if (d->dev.is_tap)
		tap_disarm(&d->dev.tap);
	for (uint32_t i = 0; i < d->member_count; i++)
		if (d->members[i].is_tap)
			tap_disarm(&d->members[i].tap);
	if (d->started)
		rte_eth_dev_stop(d->id);
	device_detach(&d->dev);
	for (uint32_t i = 0; i < d->member_count; i++)
		device_detach(&d->members[i]);
	free(d);
}

static const struct port_ops dpdk_ops = {
	.driver = "dpdk",
	.rx_burst = rx_burst,
	.tx_burst = tx_burst,
	.link_is_up = link_is_up,
	.stats_read = stats_read,
	.members_read = members_read,
	.destroy = destroy,
};

static int attach_pci(struct device *dev, const char *address, struct error *err)
{
	char path[PCI_PATH_SIZE], driver[PCI_PATH_SIZE];
	const char *name;
	ssize_t len;

	if (rte_eth_dev_get_port_by_name(address, &dev->id) == 0) {
		dev->attached = true;
		return 0;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK) != 0)
		return error_set(err, -ENODEV,
			"there is no PCI device %s (\"lspci -D\" lists them)", address);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	len = readlink(path, driver, sizeof(driver) - 1);
	driver[MAX(len, 0)] = '\0';
	name = strrchr(driver, '/');
	return error_set(err, -EBUSY,
		"PCI device %s cannot be used while its driver is \"%s\": bind it to vfio-pci "
		"(scripts/bind-nic)",
		address, name ? name + 1 : "none");
}

/* "net_tap0,iface=weir0" is a name and its arguments. */
static int attach_vdev(struct device *dev, const char *device, struct error *err)
{
	char args[DEVICE_SIZE], mac[WIRE_MAC_TEXT_SIZE];
	size_t name_len = strcspn(device, ",");
	struct tap_fd_set fds;
	int rc = 0, len;

	if (name_len == 0 || name_len >= sizeof(dev->vdev))
		return error_set(err, -EINVAL, "\"%s\" is not the name of a device", device);
	memcpy(dev->vdev, device, name_len);
	len = snprintf(args, sizeof(args), "%s", device[name_len] ? device + name_len + 1 : "");
	dev->is_tap = strncmp(dev->vdev, "net_tap", strlen("net_tap")) == 0;
	if (dev->is_tap)
		rc = tap_state_save(&dev->tap, args, err);
	if (rc != 0)
		return rc;
	if (dev->tap.iface[0] && !strstr(args, "mac=") && (size_t)len < sizeof(args))
		len += snprintf(args + len, sizeof(args) - (size_t)len, ",mac=%s",
			wire_mac_format(&dev->tap.mac, mac));
	if ((size_t)len >= sizeof(args))
		return error_set(err, -EINVAL, "the arguments of %s are too long", dev->vdev);
	tap_fds(&fds);
	rc = rte_eal_hotplug_add("vdev", dev->vdev, args);
	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name(dev->vdev, &dev->id);
	if (rc == -EEXIST)
		return error_set(err, rc, "%s is a port already", dev->vdev);
	if (rc != 0)
		return error_set(
			err, rc, "device %s cannot be opened (%s)", dev->vdev, rte_strerror(-rc));
	dev->attached = true;
	tap_find_socket(&dev->tap, &fds);
	return 0;
}

static int attach(struct device *dev, const char *device, bool is_pci, struct error *err)
{
	return is_pci ? attach_pci(dev, device, err) : attach_vdev(dev, device, err);
}

/* A bond names its members among its arguments, by the names of the devices alone. */
static int attach_bond(
	struct dpdk_port *d, const struct dpdk_port_config *config, struct error *err)
{
	char device[DEVICE_SIZE];
	size_t len = (size_t)snprintf(device, sizeof(device), "%s", config->device);
	int rc;

	for (uint32_t i = 0; i < config->member_count && len < sizeof(device); i++)
		len += (size_t)snprintf(device + len, sizeof(device) - len, ",slave=%.*s",
			(int)strcspn(config->members[i], ","), config->members[i]);
	if (len >= sizeof(device))
		return error_set(err, -EINVAL, "the arguments of %s are too long", config->device);
	rc = attach_vdev(&d->dev, device, err);
	if (rc == 0)
		rc = bond_join(d->dev.id, config->member_count, err);
	d->has_lacp = rc == 0 && bond_has_lacp(d->dev.id);
	d->port.tx_always = d->has_lacp;
	return rc;
}

/* The members come before their bond. */
static int attach_all(struct dpdk_port *d, const struct dpdk_port_config *config, struct error *err)
{
	int rc = 0;

	ASSERT(config->member_count <= PORT_MEMBERS_MAX);
	for (; rc == 0 && d->member_count < config->member_count; d->member_count++) {
		struct device *dev = &d->members[d->member_count];

		rc = attach(dev, config->members[d->member_count],
			config->member_is_pci[d->member_count], err);
		d->has_tap |= dev->is_tap;
		if (rc == 0 && dev->is_tap)
			bond_poll_link_of(dev->id);
	}
	if (rc == 0)
		rc = config->member_count > 0
			     ? attach_bond(d, config, err)
			     : attach(&d->dev, config->device, config->is_pci, err);
	d->has_tap |= d->dev.is_tap;
	d->id = d->dev.id;
	return rc;
}

/* The device picks the entry of its table by the low bits of the hash, as steer does: the smaller
 * table must go into the larger one a whole number of times. */
static bool can_steer(const struct rte_eth_dev_info *info, const struct dpdk_port_config *config)
{
	return config->steer && config->queues > 1 && info->max_rx_queues >= config->queues &&
	       info->max_tx_queues >= config->queues && info->hash_key_size >= STEER_KEY_BYTES &&
	       info->hash_key_size <= RSS_KEY_MAX && info->reta_size >= STEER_TABLE_SIZE &&
	       info->reta_size <= RSS_RETA_MAX && info->reta_size % STEER_TABLE_SIZE == 0 &&
	       (info->flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_TCP);
}

static int write_reta(
	struct dpdk_port *d, const struct rte_eth_dev_info *info, const struct steer *steer)
{
	struct rte_eth_rss_reta_entry64 reta[RSS_RETA_MAX / RTE_ETH_RETA_GROUP_SIZE];

	for (uint16_t i = 0; i < info->reta_size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &reta[i / RTE_ETH_RETA_GROUP_SIZE];

		group->mask = UINT64_MAX;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = steer->table[i % STEER_TABLE_SIZE];
	}
	return rte_eth_dev_rss_reta_update(d->id, reta, info->reta_size);
}

static uint32_t caps_of_offloads(uint64_t rx, uint64_t tx)
{
	uint32_t caps = 0;

	if (rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM)
		caps |= PORT_CAP_RX_IP_CHECKSUM;
	if ((rx & RX_CHECKSUMS_L4) == RX_CHECKSUMS_L4)
		caps |= PORT_CAP_RX_L4_CHECKSUM;
	if (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		caps |= PORT_CAP_TX_IP_CHECKSUM;
	if ((tx & TX_CHECKSUMS_L4) == TX_CHECKSUMS_L4)
		caps |= PORT_CAP_TX_L4_CHECKSUM;
	if (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		caps |= PORT_CAP_TX_MULTI_SEG;
	/* Cutting includes checksums: a device that cuts and does not sum is of no use. */
	if ((tx & RTE_ETH_TX_OFFLOAD_TCP_TSO) && (caps & PORT_CAP_TX_L4_CHECKSUM) &&
		(caps & PORT_CAP_TX_IP_CHECKSUM))
		caps |= PORT_CAP_TX_TSO;
	return caps;
}

static int choose_mtu(struct dpdk_port *d, const struct dpdk_port_config *config,
	const struct rte_eth_dev_info *info, struct rte_eth_conf *conf, struct error *err)
{
	uint16_t mtu = config->mtu, mtu_max = info->max_mtu;

	if (mtu == 0 && d->dev.tap.iface[0])
		mtu = (uint16_t)MIN(d->dev.tap.mtu, UINT16_MAX);
	if (mtu == 0 && rte_eth_dev_get_mtu(d->id, &mtu) != 0)
		mtu = RTE_ETHER_MTU;
	if (info->max_rx_pktlen > RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN)
		mtu_max = (uint16_t)MIN((uint32_t)mtu_max,
			info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN);
	if (mtu < info->min_mtu || mtu > mtu_max)
		return error_set(err, -EINVAL, "MTU %u: the device takes %u to %u", mtu,
			info->min_mtu, mtu_max);
	if ((uint32_t)mtu + FRAME_EXTRA > PKT_DATA_ROOM_BYTES - PKT_HEADROOM_BYTES) {
		if (!(info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER))
			return error_set(err, -EINVAL,
				"MTU %u: the device cannot spread a frame over buffers of %d bytes",
				mtu, PKT_DATA_ROOM_BYTES - PKT_HEADROOM_BYTES);
		if (!(info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
			return error_set(err, -EINVAL,
				"MTU %u: the device cannot send a frame from several buffers", mtu);
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	}
	d->port.mtu = mtu;
	conf->rxmode.mtu = mtu;
	return 0;
}

static int configure(struct dpdk_port *d, const struct dpdk_port_config *config,
	const struct rte_eth_dev_info *info, struct error *err)
{
	struct rte_eth_conf conf = {0};
	uint8_t key[RSS_KEY_MAX];
	int rc = choose_mtu(d, config, info, &conf, err);

	if (rc != 0)
		return rc;
	if (!d->has_tap) {
		conf.rxmode.offloads |= info->rx_offload_capa & RX_WANTED;
		conf.txmode.offloads |= info->tx_offload_capa & TX_WANTED;
	} else {
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	}
	d->port.rx_queues = 1;
	d->port.tx_queues = 1;
	if (config->is_pci) /* queues of virtual devices and of bonds go in pairs */
		d->port.tx_queues = MIN(config->queues, info->max_tx_queues);
	d->port.caps = caps_of_offloads(conf.rxmode.offloads, conf.txmode.offloads);
	d->tx_prepare = (conf.txmode.offloads & ~RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	d->port.tx_segs_max = info->tx_desc_lim.nb_mtu_seg_max;
	d->port.tx_tso_segs_max = info->tx_desc_lim.nb_seg_max;
	if (can_steer(info, config)) {
		for (size_t i = 0; i < sizeof(key); i++)
			key[i] = config->steer->key[i % 2];
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
			key, info->hash_key_size, RSS_WANTED & info->flow_type_rss_offloads};
		d->port.rx_queues = config->queues;
		d->port.tx_queues = config->queues;
		d->port.caps |= PORT_CAP_RSS;
		if ((info->flow_type_rss_offloads & RSS_IPV6) == RSS_IPV6)
			d->port.caps |= PORT_CAP_RSS_IPV6;
	}
	rc = rte_eth_dev_configure(d->id, d->port.rx_queues, d->port.tx_queues, &conf);
	if (rc != 0)
		return error_set(
			err, rc, "the device refuses its configuration (%s)", rte_strerror(-rc));
	return 0;
}

static int set_up_queues(
	struct dpdk_port *d, const struct dpdk_port_config *config, struct error *err)
{
	uint16_t rx_descs = config->rx_descs ? config->rx_descs : DESCS_DEFAULT;
	uint16_t tx_descs = config->tx_descs ? config->tx_descs : DESCS_DEFAULT;
	int socket = rte_eth_dev_socket_id(d->id);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &rx_descs, &tx_descs);

	if (d->has_tap)
		rx_descs = TAP_DESCS;
	for (uint16_t q = 0; rc == 0 && q < d->port.rx_queues; q++)
		rc = rte_eth_rx_queue_setup(
			d->id, q, rx_descs, (unsigned)MAX(socket, 0), NULL, config->pools[q]->data);
	for (uint16_t q = 0; rc == 0 && q < d->port.tx_queues; q++)
		rc = rte_eth_tx_queue_setup(d->id, q, tx_descs, (unsigned)MAX(socket, 0), NULL);
	if (rc != 0)
		return error_set(err, rc, "the device refuses %u and %u descriptors (%s)", rx_descs,
			tx_descs, rte_strerror(-rc));
	return 0;
}

static void choose_mac(struct dpdk_port *d)
{
	struct rte_ether_addr mac = {0};

	rte_eth_macaddr_get(d->id, &mac);
	memcpy(d->port.mac.b, mac.addr_bytes, sizeof(d->port.mac.b));
	if (d->has_tap || rte_is_zero_ether_addr(&mac)) {
		d->port.mac.b[0] = (uint8_t)((d->port.mac.b[0] | 2) & ~1);
		d->port.mac.b[5] = (uint8_t)~d->port.mac.b[5];
	}
}

/* Of a bond of taps every frame, because it is not for the MAC address that DPDK knows. */
static void listen_to_groups(struct dpdk_port *d)
{
	if (d->dev.is_tap)
		return; /* a tap brings all */
	rte_eth_allmulticast_enable(d->id);
	if (d->has_tap)
		rte_eth_promiscuous_enable(d->id);
}

static int start(struct dpdk_port *d, const struct dpdk_port_config *config, struct error *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(d->id, &info);

	if (rc != 0)
		return error_set(err, rc, "the device does not answer (%s)", rte_strerror(-rc));
	rc = configure(d, config, &info, err);
	if (rc == 0)
		rc = set_up_queues(d, config, err);
	if (rc != 0)
		return rc;
	/* Drivers may look at the MTU only here, and refuse what they cannot change. */
	rc = rte_eth_dev_set_mtu(d->id, d->port.mtu);
	if (rc != 0 && (rc != -ENOTSUP || config->mtu != 0))
		return error_set(
			err, rc, "MTU %u cannot be set (%s)", d->port.mtu, rte_strerror(-rc));
	rc = rte_eth_dev_start(d->id);
	if (rc != 0)
		return error_set(err, rc, "the device cannot be started (%s)", rte_strerror(-rc));
	d->started = true;
	if (d->port.caps & PORT_CAP_RSS) {
		rc = write_reta(d, &info, config->steer);
		if (rc != 0)
			return error_set(err, rc, "the device refuses the table of RSS (%s)",
				rte_strerror(-rc));
	}
	choose_mac(d);
	listen_to_groups(d);
	return 0;
}

struct port *dpdk_port_create(
	struct dpdk_eal *eal, const struct dpdk_port_config *config, struct error *err)
{
	struct dpdk_port *d = calloc(1, sizeof(*d));
	struct error why = {0};
	const char *reason;
	int rc;

	if (!d) {
		error_set(err, -ENOMEM, "port %s: no memory", config->name);
		return NULL;
	}
	d->port = (struct port){.ops = &dpdk_ops, .impl = d, .index = config->index};
	snprintf(d->port.name, sizeof(d->port.name), "%s", config->name);
	dpdk_log_hold(eal);
	rc = attach_all(d, config, &why);
	if (rc == 0) {
		dpdk_log_hold(eal); /* forgets complaints that were no reason to fail */
		rc = start(d, config, &why);
	}
	reason = dpdk_log_release(eal);
	if (rc == 0)
		return &d->port;

	error_set(
		err, rc, "port %s: %s%s%s", config->name, why.text, reason[0] ? ": " : "", reason);
	dpdk_log_hold(eal);
	destroy(&d->port);
	dpdk_log_release(eal);
	return NULL;
}

uint16_t dpdk_port_id(const struct port *port)
{
	return ((const struct dpdk_port *)port->impl)->id;
}
