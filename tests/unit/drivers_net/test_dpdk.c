/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on DPDK's virtual devices. The process moves to a network namespace of its own first;
 * where that is not allowed, or there is no /dev/net/tun, the cases with a tap are skipped. The
 * kernel's end of a tap is played by a packet socket and by the kernel's own TCP.
 */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "dpdk.h"

#define POLLS_MAX   2000000 /* of a port, for a frame that is on its way inside this machine */
#define OUR_ADDR    0x0a090002
#define KERNEL_ADDR 0x0a090001

static struct dpdk_eal *eal;
static struct pkt_pools pools;
static bool have_namespace;

static int group_setup(void **state)
{
	struct dpdk_eal_config config = {.memory_mib = 256};
	struct error err = {0};

	(void)state;
	have_namespace = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	eal = dpdk_eal_create(&config, &err);
	if (!eal)
		print_message("# %s\n", err.text);
	return eal ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	dpdk_eal_destroy(eal);
	return 0;
}

static int setup(void **state)
{
	struct error err = {0};

	(void)state;
	return pkt_pools_init(&pools, "test", 4096, 64, SOCKET_ID_ANY, &err);
}

static int teardown(void **state)
{
	(void)state;
	return (int)pkt_pools_fini(&pools);
}

static void need_tap(void)
{
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd >= 0)
		close(fd);
	if (!have_namespace || fd < 0) {
		print_message("# skipped: no private network namespace, or no /dev/net/tun\n");
		skip();
	}
}

static struct port *try_create(const char *device, uint16_t mtu, struct error *err)
{
	struct pkt_pools *all[3] = {&pools, &pools, &pools};
	struct steer steer;
	struct dpdk_port_config config = {.name = "lan0",
		.index = 2,
		.device = device,
		.mtu = mtu,
		.queues = 3,
		.steer = &steer,
		.pools = all};

	steer_init(&steer, 2);
	return dpdk_port_create(eal, &config, err);
}

static struct port *create(const char *device)
{
	struct error err = {0};
	struct port *port = try_create(device, 0, &err);

	if (!port)
		fail_msg("%s", err.text);
	return port;
}

static struct rte_mbuf *frame(const void *bytes, uint16_t len)
{
	struct rte_mbuf *m = pkt_alloc(&pools);

	memcpy(rte_pktmbuf_append(m, len), bytes, len);
	return m;
}

static void eal_runs_once(void **state)
{
	struct dpdk_eal_config config = {0};
	struct error err = {0};

	(void)state;
	assert_null(dpdk_eal_create(&config, &err));
	assert_int_equal(err.code, -EALREADY);
	assert_non_null(strstr(err.text, "512 MiB"));
}

static void a_ring_gives_back_what_it_gets(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) { /* the second one finds the name free again */
		struct port *port = create("net_ring0");
		struct rte_mbuf *m = frame("hello, ring", 12), *got = NULL;
		struct port_device_stats stats;

		assert_string_equal(port->name, "lan0");
		assert_int_equal(port->index, 2);
		assert_int_equal(port->mtu, 1500);
		assert_int_equal(port->rx_queues, 1);
		assert_int_equal(port->tx_queues, 1);
		assert_false(port->caps & PORT_CAP_RSS);
		assert_true(port->ops->link_is_up(port));
		assert_int_equal(port->ops->tx_burst(port, 0, &m, 1), 1);
		assert_int_equal(port->ops->rx_burst(port, 0, &got, 1), 1);
		assert_ptr_equal(got, m);
		port->ops->stats_read(port, &stats);
		assert_int_equal(stats.rx_pkts, 1);
		assert_int_equal(stats.tx_pkts, 1);
		pkt_free(got);
		port->ops->destroy(port);
	}
}

static void errors_say_what_to_do(void **state)
{
	static const struct {
		const char *device, *text;
		uint16_t mtu;
	} rows[] = {
		{"net_nonsense0", "device net_nonsense0 cannot be opened", 0},
		{"", "not the name of a device", 0},
		{",iface=x", "not the name of a device", 0},
		{"net_af_packet0,iface=nothere", "No such device", 0},
		{"net_pcap0,rx_pcap=/no/such/file", "net_pcap0 cannot be opened", 0},
		{"net_ring1", "MTU 65000", 65000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = {0};

		assert_null(try_create(rows[i].device, rows[i].mtu, &err));
		assert_int_not_equal(err.code, 0);
		assert_non_null(strstr(err.text, "port lan0: "));
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s", err.text);
	}
}

static void pci_errors_say_what_to_do(void **state)
{
	struct pkt_pools *one = &pools;
	struct dpdk_port_config config = {.name = "lan0",
		.device = "ffff:ff:1f.7",
		.is_pci = true,
		.queues = 1,
		.pools = &one};
	struct error err = {0};

	(void)state;
	assert_null(dpdk_port_create(eal, &config, &err));
	assert_int_equal(err.code, -ENODEV);
	assert_non_null(strstr(err.text, "ffff:ff:1f.7"));
}

/* The kernel's side of the tap. */
static int packet_socket(const char *iface, uint16_t ethertype)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ethertype));
	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
		.sll_ifindex = (int)if_nametoindex(iface)};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void interface_ioctl(const char *iface, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", iface);
	assert_int_equal(ioctl(fd, request, ifr), 0);
	close(fd);
}

static void set_address(const char *iface, uint32_t v4)
{
	struct ifreq ifr = {0};
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(v4)};

	memcpy(&ifr.ifr_addr, &addr, sizeof(addr));
	interface_ioctl(iface, SIOCSIFADDR, &ifr);
	addr.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&ifr.ifr_netmask, &addr, sizeof(addr));
	interface_ioctl(iface, SIOCSIFNETMASK, &ifr);
}

/* The next frame of this ethertype that the port receives; others are dropped. */
static struct rte_mbuf *await(struct port *port, uint16_t ethertype, struct wire_ether *ether)
{
	for (int i = 0; i < POLLS_MAX; i++) {
		struct rte_mbuf *m;

		if (port->ops->rx_burst(port, 0, &m, 1) == 0)
			continue;
		assert_int_equal(m->nb_segs, 1);
		if (wire_ether_parse(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, ether) ==
				WIRE_OK &&
			ether->type == ethertype)
			return m;
		pkt_free(m);
	}
	fail_msg("no frame of type %04x came", ethertype);
	return NULL;
}

static size_t arp_frame(uint8_t *p, uint16_t op, const struct wire_mac *from,
	const struct wire_mac *to, uint32_t sender, uint32_t target)
{
	struct wire_ether ether = {.dst = *to, .src = *from, .type = WIRE_ETHERTYPE_ARP};
	struct wire_arp arp = {op, *from, ip_addr_from_v4(sender), *to, ip_addr_from_v4(target)};
	size_t len = wire_ether_emit(p, &ether);

	return len + wire_arp_emit(p + len, &arp);
}

static void frames_pass_a_tap_both_ways(void **state)
{
	static const struct wire_mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct wire_mac kernel = {{2, 0, 0, 0, 0, 9}};
	uint8_t bytes[64], back[64];
	struct wire_ether ether;
	struct port *port;
	struct rte_mbuf *m;
	size_t len;
	ssize_t got;
	int fd;

	(void)state;
	need_tap();
	port = create("net_tap0,iface=weirtest0");
	fd = packet_socket("weirtest0", ETH_P_ARP);
	assert_true(port->ops->link_is_up(port));
	len = arp_frame(bytes, WIRE_ARP_REQUEST, &kernel, &everybody, KERNEL_ADDR, OUR_ADDR);
	assert_int_equal(send(fd, bytes, len, 0), len);
	m = await(port, WIRE_ETHERTYPE_ARP, &ether);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), bytes, len);
	pkt_free(m);

	/* The answer in two segments. */
	len = arp_frame(bytes, WIRE_ARP_REPLY, &port->mac, &kernel, OUR_ADDR, KERNEL_ADDR);
	m = frame(bytes, 20);
	rte_pktmbuf_chain(m, frame(bytes + 20, (uint16_t)(len - 20)));
	assert_int_equal(port->ops->tx_burst(port, 0, &m, 1), 1);
	for (int i = 0; i < POLLS_MAX; i++) {
		got = recv(fd, back, sizeof(back), 0);
		if (got > 0 && back[21] == WIRE_ARP_REPLY)
			break;
	}
	assert_int_equal(got, len);
	assert_memory_equal(back, bytes, len);
	close(fd);
	port->ops->destroy(port);
	assert_int_equal(if_nametoindex("weirtest0"), 0);
}

static void the_port_has_another_mac_than_the_kernel(void **state)
{
	struct ifreq ifr = {0};
	struct port *port;

	(void)state;
	need_tap();
	port = create("net_tap0,iface=weirtest0,mac=00:64:74:61:70:10");
	interface_ioctl("weirtest0", SIOCGIFHWADDR, &ifr);
	assert_memory_equal(ifr.ifr_hwaddr.sa_data, "\x00\x64\x74\x61\x70\x10", 6);
	assert_memory_equal(port->mac.b, "\x02\x64\x74\x61\x70\xef", 6);
	port->ops->destroy(port);
}

/* Frames of the kernel's own TCP come without help of a device: their checksums must be right. */
static void kernel_frames_have_right_checksums(void **state)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(OUR_ADDR)};
	struct wire_ether ether;
	struct wire_arp arp;
	struct wire_ipv4 ip;
	struct port *port;
	struct rte_mbuf *m;
	uint8_t bytes[64];
	const uint8_t *p;
	uint16_t l4_bytes;
	int fd;

	(void)state;
	need_tap();
	port = create("net_tap0,iface=weirtest0");
	set_address("weirtest0", KERNEL_ADDR);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	m = await(port, WIRE_ETHERTYPE_ARP, &ether);
	assert_int_equal(
		wire_arp_parse(rte_pktmbuf_mtod_offset(m, uint8_t *, ether.len_bytes), 28, &arp),
		WIRE_OK);
	assert_int_equal(ip_addr_to_v4(&arp.target), OUR_ADDR);
	pkt_free(m);
	m = frame(bytes, (uint16_t)arp_frame(bytes, WIRE_ARP_REPLY, &port->mac, &arp.sender_mac,
				 OUR_ADDR, KERNEL_ADDR));
	assert_int_equal(port->ops->tx_burst(port, 0, &m, 1), 1);

	do {
		m = await(port, WIRE_ETHERTYPE_IPV4, &ether);
		p = rte_pktmbuf_mtod_offset(m, uint8_t *, ether.len_bytes);
		assert_int_equal(
			wire_ipv4_parse(p, m->data_len - (size_t)ether.len_bytes, false, &ip),
			WIRE_OK);
		if (ip.proto != WIRE_PROTO_TCP)
			pkt_free(m);
	} while (ip.proto != WIRE_PROTO_TCP);
	assert_memory_equal(&ether.dst, &port->mac, sizeof(port->mac));
	l4_bytes = (uint16_t)(ip.total_bytes - ip.header_bytes);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(
				 wire_checksum_pseudo(&ip.src, &ip.dst, ip.proto, l4_bytes),
				 p + ip.header_bytes, l4_bytes)),
		0);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN);
	pkt_free(m);
	close(fd);
	port->ops->destroy(port);
}

static void too_long_frames_do_not_block(void **state)
{
	static uint8_t bytes[1600];
	struct rte_mbuf *pkts[2];
	struct port_device_stats stats;
	struct port *port;

	(void)state;
	need_tap();
	port = create("net_tap0,iface=weirtest0");
	pkts[0] = frame(bytes, sizeof(bytes));
	pkts[1] = frame(bytes, 60);
	assert_int_equal(port->ops->tx_burst(port, 0, pkts, 2), 1);
	assert_int_equal(port->ops->tx_burst(port, 0, pkts + 1, 1), 1);
	port->ops->stats_read(port, &stats);
	assert_true(stats.tx_errors >= 1);
	assert_int_equal(stats.tx_pkts, 1);
	port->ops->destroy(port);
}

static int make_tap(const char *iface, short flags, bool keep)
{
	struct ifreq ifr = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags)};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, keep), 0);
	return fd;
}

/* Address, MTU, MAC address, flags and route, as text. */
static void describe(const char *iface, char *text, size_t size)
{
	struct ifreq flags = {0}, mtu = {0}, mac = {0}, addr = {0};
	char routes[2048] = "";
	FILE *file = fopen("/proc/thread-self/net/route", "r");

	interface_ioctl(iface, SIOCGIFFLAGS, &flags);
	interface_ioctl(iface, SIOCGIFMTU, &mtu);
	interface_ioctl(iface, SIOCGIFHWADDR, &mac);
	interface_ioctl(iface, SIOCGIFADDR, &addr);
	assert_non_null(file);
	routes[fread(routes, 1, sizeof(routes) - 1, file)] = '\0';
	fclose(file);
	snprintf(text, size, "%x %d %s %x\n%s",
		flags.ifr_flags & (IFF_UP | IFF_PROMISC | IFF_ALLMULTI), mtu.ifr_mtu,
		wire_mac_format(
			(struct wire_mac *)mac.ifr_hwaddr.sa_data, (char[WIRE_MAC_TEXT_SIZE]){0}),
		((struct sockaddr_in *)&addr.ifr_addr)->sin_addr.s_addr, routes);
}

static void add_route(const char *iface)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg rt;
		struct rtattr dst_head;
		uint32_t dst;
		struct rtattr oif_head;
		int oif;
	} request = {
		.head = {sizeof(request), RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 1,
			0},
		.rt = {.rtm_family = AF_INET,
			.rtm_dst_len = 16,
			.rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = RTPROT_STATIC,
			.rtm_scope = RT_SCOPE_LINK,
			.rtm_type = RTN_UNICAST},
		.dst_head = {8, RTA_DST},
		.dst = htonl(0x0a140000),
		.oif_head = {8, RTA_OIF},
		.oif = (int)if_nametoindex(iface),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	char answer[256];

	assert_int_equal(send(fd, &request, sizeof(request), 0), sizeof(request));
	assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
	close(fd);
}

static void an_old_tap_stays_as_it_was(void **state)
{
	static const struct {
		bool up;
		int mtu;
	} rows[] = {{true, 1400}, {true, 1500}, {false, 1300}, {true, 9000}};
	char before[4096], after[4096];

	(void)state;
	need_tap();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ifreq ifr = {.ifr_mtu = rows[i].mtu};
		struct error err = {0};
		struct port *port;

		close(make_tap("weirtest1", IFF_MULTI_QUEUE, true));
		interface_ioctl("weirtest1", SIOCSIFMTU, &ifr);
		set_address("weirtest1", KERNEL_ADDR);
		ifr = (struct ifreq){.ifr_flags = (short)(rows[i].up ? IFF_UP : 0)};
		interface_ioctl("weirtest1", SIOCSIFFLAGS, &ifr);
		if (rows[i].up)
			add_route("weirtest1");
		describe("weirtest1", before, sizeof(before));
		port = try_create("net_tap1,iface=weirtest1", 0, &err);
		if (rows[i].mtu == 9000) { /* more than DPDK lets a tap have */
			assert_null(port);
			assert_non_null(strstr(err.text, "MTU 9000"));
		} else {
			assert_non_null(port);
			assert_int_equal(port->mtu, rows[i].mtu);
			port->ops->destroy(port);
		}
		describe("weirtest1", after, sizeof(after));
		assert_string_equal(after, before);
		close(make_tap("weirtest1", IFF_MULTI_QUEUE, false));
	}
}

static void taps_that_do_not_fit_are_refused(void **state)
{
	struct error err = {0};
	int fd;

	(void)state;
	need_tap();
	assert_null(try_create("net_tap0,iface=lo", 0, &err));
	assert_non_null(strstr(err.text, "lo exists and is not a tap"));
	error_clear(&err);
	fd = make_tap("weirtest2", 0, true);
	close(fd);
	assert_null(try_create("net_tap0,iface=weirtest2", 0, &err));
	assert_non_null(strstr(err.text, "multi_queue"));
	close(make_tap("weirtest2", 0, false));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(eal_runs_once),
		CASE(a_ring_gives_back_what_it_gets),
		CASE(errors_say_what_to_do),
		CASE(pci_errors_say_what_to_do),
		CASE(frames_pass_a_tap_both_ways),
		CASE(the_port_has_another_mac_than_the_kernel),
		CASE(kernel_frames_have_right_checksums),
		CASE(too_long_frames_do_not_block),
		CASE(an_old_tap_stays_as_it_was),
		CASE(taps_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests_name("drivers_net/dpdk", tests, group_setup, group_teardown);
}
