/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine. Cores are numbered as lib/worker wants it: workers from 0, the control core last.
 *
 * Built bottom up, each step undone in machine_destroy: EAL, buffers, ports, workers, stacks, the
 * proxy, the services of the control core. Everything is created in the calling thread; the heap
 * of the workers' threads is frozen while they run.
 *
 * The control core has a thread of its own, also when it shares a CPU with a worker: what it does
 * slowly must not hold traffic up, so the kernel may take the CPU from it at any time.
 *
 * Stopping: a flag from the signal handler is seen by the control core's poller "stop", which mails
 * the workers, waits until their sessions are gone (or the time is over), then stops all loops.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "dpdk.h"
#include "impair_port.h"
#include "machine.h"
#include "machine_pvt.h"

#define STEER_RING_COUNT 4095
#define HARD_STOP_NS     (NS_PER_SEC / 2) /* for the last resets to leave */
#define VIEW_POLL_NS     (NS_PER_SEC / 10)
#define CONTROL_CONNS    1024
#define LISTENERS_EXTRA  16
#define SETTLE_TURNS     100
#define IMPAIR_PKTS_MAX  16384u /* under way on one line: 1 Gbit/s for 200 ms */

static uint32_t core_count(const struct machine *m)
{
	return m->model->network.worker_count + 1;
}

/* --- ports ---------------------------------------------------------------------------- */

static bool all_virtual(const struct model_network *n)
{
	for (uint32_t i = 0; i < n->port_count; i++)
		if (model_port_has_pci(&n->ports[i]))
			return false;
	return true;
}

static int create_pools(struct machine *m, struct error *err)
{
	for (uint32_t i = 0; i < m->core_count; i++) {
		bool control = i == m->core_count - 1;
		char name[24];
		int rc;

		snprintf(name, sizeof(name), "core%u", i);
		rc = pkt_pools_init(&m->cores[i].pkts, name,
			control ? m->sizes.control_buffers : m->sizes.buffers,
			control ? m->sizes.control_buffers : m->sizes.refs, SOCKET_ID_ANY, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* All lines together may hold half of the buffers of a core. */
static uint32_t impair_pkts_max(const struct machine *m)
{
	uint32_t lines = 0;

	for (uint32_t i = 0; i < m->model->network.port_count; i++)
		if (m->model->network.ports[i].impair.on)
			lines += IMPAIR_DIRECTIONS;
	return MIN(m->sizes.buffers / 2 / MAX(lines, 1u), IMPAIR_PKTS_MAX);
}

static int impair_port(struct machine *m, uint32_t i, struct error *err)
{
	struct impair_port_config config = {.inner = m->ports[i],
		.clock = clock_real(),
		.impair = &m->model->network.ports[i].impair,
		.pkts_max = impair_pkts_max(m)};
	struct port *port;

	if (!config.impair->on)
		return 0;
	port = impair_port_create(&config, err);
	if (!port)
		return err->code;
	m->ports[i] = port;
	return 0;
}

static int create_ports(struct machine *m, struct error *err)
{
	const struct model_network *n = &m->model->network;
	struct pkt_pools *pools[WORKER_CORES_MAX];

	for (uint32_t i = 0; i < n->worker_count; i++)
		pools[i] = &m->cores[i].pkts;
	for (uint32_t i = 0; i < n->port_count; i++) {
		const char *members[PORT_MEMBERS_MAX];
		bool member_is_pci[PORT_MEMBERS_MAX];
		struct dpdk_port_config config = {.name = n->ports[i].name,
			.index = (uint16_t)i,
			.device = n->ports[i].pci ? n->ports[i].pci : n->ports[i].vdev,
			.is_pci = n->ports[i].pci != NULL,
			.mtu = n->ports[i].mtu,
			.queues = (uint16_t)n->worker_count,
			.steer = &m->steer,
			.pools = pools,
			.members = members,
			.member_is_pci = member_is_pci,
			.member_count = n->ports[i].member_count};

		for (uint32_t j = 0; j < config.member_count; j++) {
			members[j] = n->ports[i].members[j].device;
			member_is_pci[j] = n->ports[i].members[j].is_pci;
		}
		m->ports[i] = dpdk_port_create(m->eal, &config, err);
		if (!m->ports[i]) {
			error_prefix(err, "%s:%u: port %s", n->ports[i].place.file,
				n->ports[i].place.line, n->ports[i].name);
			return err->code;
		}
		m->port_count++;
		if (impair_port(m, i, err) < 0)
			return err->code;
		m->tx_rings[i] =
			ring_create("port tx", STEER_RING_COUNT, sizeof(struct rte_mbuf *), err);
		if (!m->tx_rings[i])
			return err->code;
	}
	return 0;
}

/* What the driver counts in a queue belongs to the queue's core. */
static void add_groups(struct worker *w, struct port *p, uint16_t queue)
{
	struct stat_group *group;

	for (uint32_t i = 0; p->ops->group && (group = p->ops->group(p, queue, i)); i++)
		worker_group_add(w, group);
}

/* A core's queue of a port is the one with its index, if the port has so many. */
static int share_port(struct machine *m, uint32_t core, uint32_t port, struct error *err)
{
	struct port *p = m->ports[port];
	uint16_t rx =
		core < p->rx_queues && core < m->core_count - 1 ? (uint16_t)core : PORT_NO_QUEUE;
	uint16_t tx =
		core < p->tx_queues && core < m->core_count - 1 ? (uint16_t)core : PORT_NO_QUEUE;
	int rc = port_core_init(
		&m->cores[core].ports[port], p, &m->cores[core].pkts, rx, tx, m->tx_rings[port]);

	if (rc < 0)
		return error_set(err, rc, "port %s cannot be shared between the cores", p->name);
	m->cores[core].port_count++;
	worker_group_add(m->cores[core].worker, &m->cores[core].ports[port].group);
	if (tx != PORT_NO_QUEUE)
		add_groups(m->cores[core].worker, p, tx);
	return 0;
}

/* --- cores ---------------------------------------------------------------------------- */

static int check_cpus(const struct machine *m, struct error *err)
{
	const struct model_network *n = &m->model->network;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	for (uint32_t i = 0; i <= n->worker_count; i++) {
		uint32_t cpu = i < n->worker_count ? n->worker_cores[i] : n->control_core;

		if (cpu >= (uint32_t)cpus)
			return error_set(err, -EINVAL,
				"'cores': there is no CPU %u, this machine has 0 to %ld (a CPU may "
				"be "
				"named more than once)",
				cpu, cpus - 1);
	}
	return 0;
}

static int create_workers(struct machine *m, struct error *err)
{
	const struct model_network *n = &m->model->network;
	struct worker *all[WORKER_CORES_MAX];
	uint64_t seed;

	if (rand_system_bytes(&seed, sizeof(seed)) < 0)
		return error_set(err, -EIO, "the system gives no random numbers");
	m->sock = sock_loop_create(err);
	if (!m->sock)
		return err->code;
	for (uint32_t i = 0; i < m->core_count; i++) {
		struct core *c = &m->cores[i];
		bool control = i == m->core_count - 1;
		struct worker_config config = {.index = i,
			.cores = m->core_count,
			.control = control,
			.idle = control          ? WORKER_IDLE_ADAPTIVE
				: n->idle_set    ? n->idle
				: all_virtual(n) ? WORKER_IDLE_ADAPTIVE
						 : WORKER_IDLE_BUSY,
			.clock = clock_real(),
			.seed = seed,
			.snaps = NULL,
			.idle_wait = control ? sock_wait : NULL,
			.idle_ctx = m->sock};

		c->machine = m;
		c->cpu = control ? n->control_core : n->worker_cores[i];
		snprintf(c->name, sizeof(c->name), control ? "control" : "worker %u", i);
		config.name = c->name;
		c->worker = worker_create(&config, err);
		if (!c->worker)
			return err->code;
		worker_group_add(c->worker, &c->pkts.group);
		all[i] = c->worker;
	}
	worker_connect(all, m->core_count);
	return 0;
}

static int create_stack(struct machine *m, uint32_t index, struct error *err)
{
	struct core *c = &m->cores[index];
	bool control = index == m->core_count - 1;
	struct ip_stack_config ip = {.worker = c->worker,
		.steer = &m->steer,
		.net = &m->net,
		.ports = c->ports,
		.port_count = m->port_count,
		.pools = &c->pkts};
	struct tcp_config tcp = {.conns_max = control ? CONTROL_CONNS : m->sizes.conns,
		.time_wait_max = control ? CONTROL_CONNS : m->sizes.time_waits,
		.half_open_max = control ? CONTROL_CONNS : MIN(m->sizes.conns / 4, 65536u),
		.cookies = m->model->network.cookies,
		.listeners_max = m->model->bind_count + LISTENERS_EXTRA,
		.recv_buffer_max_bytes = m->sizes.conn_buffer_max_bytes,
		.send_buffer_max_bytes = m->sizes.conn_buffer_max_bytes,
		.time_wait_ms = m->model->network.time_wait_ms,
		.ecn = m->model->network.ecn,
		.pacing = m->model->network.pacing,
		.secret = m->secret};

	for (uint32_t i = 0; i < m->port_count; i++)
		if (share_port(m, index, i, err) < 0)
			return err->code;
	c->ip = ip_stack_create(&ip, err);
	if (!c->ip)
		return err->code;
	c->tcp = tcp_create(c->worker, c->ip, &m->steer, &c->pkts, &tcp, err);
	if (!c->tcp)
		return err->code;
	if (control) {
		c->udp = udp_create(c->worker, c->ip, &m->steer, &c->pkts, 64, err);
		return c->udp ? 0 : err->code;
	}
	c->proxy = proxy_create(&(struct proxy_config){.worker = c->worker,
					.worker_count = m->core_count - 1,
					.tcp = c->tcp,
					.pools = &c->pkts,
					.sessions_max = m->sizes.sessions,
					.head_fields_max = m->model->global.maxhdr,
					.head_buffer_bytes = m->model->global.bufsize,
					.head_rewrite_bytes = m->model->global.maxrewrite},
		err);
	return c->proxy ? 0 : err->code;
}

/* Interfaces without an MTU of their own have the port's. */
static int prepare_net(struct machine *m, struct error *err)
{
	const struct ip_config *ip = &m->model->network.ip;
	struct ip_iface_config *ifaces = calloc(ip->iface_count, sizeof(*ifaces));

	if (!ifaces)
		return error_set(err, -ENOMEM, "not enough memory for the interfaces");
	m->net = *ip;
	m->net.ifaces = m->ifaces = ifaces;
	for (uint32_t i = 0; i < ip->iface_count; i++) {
		ifaces[i] = ip->ifaces[i];
		if (!ifaces[i].mtu)
			ifaces[i].mtu = m->ports[ifaces[i].port]->mtu;
	}
	return 0;
}

static int create_stacks(struct machine *m, struct error *err)
{
	struct ip_stack *ips[WORKER_CORES_MAX];
	struct proxy *proxies[WORKER_CORES_MAX];
	uint32_t workers = m->core_count - 1;

	if (rand_system_bytes(&m->secret, sizeof(m->secret)) < 0)
		return error_set(err, -EIO, "the system gives no random numbers");
	for (uint32_t i = 0; i < m->core_count; i++)
		if (create_stack(m, i, err) < 0)
			return err->code;
	for (uint32_t i = 0; i < m->core_count; i++)
		ips[i] = m->cores[i].ip;
	if (ip_stack_connect(ips, m->core_count, err) < 0)
		return err->code;
	for (uint32_t i = 0; i < m->core_count; i++)
		if (ip_stack_start(ips[i], err) < 0)
			return err->code;
	for (uint32_t i = 0; i < workers; i++)
		proxies[i] = m->cores[i].proxy;
	proxy_connect(proxies, workers);
	if (proxy_apply(proxies, workers, m->model, err) < 0)
		return err->code;
	m->view = proxy_view_create(proxies, workers, err);
	return m->view ? 0 : err->code;
}

/* --- stopping ------------------------------------------------------------------------- */

static void stop_worker_soft(struct worker *w, const struct mail *mail)
{
	(void)w;
	proxy_stop_soft((struct proxy *)mail->arg[0]);
}

static void stop_worker_hard(struct worker *w, const struct mail *mail)
{
	(void)w;
	proxy_stop_hard((struct proxy *)mail->arg[0]);
}

/* Tells each worker once; a full outbox is tried again in the next turn. */
static void tell_workers(struct machine *m, bool soft)
{
	struct worker *control = m->cores[m->core_count - 1].worker;

	while (m->told < m->core_count - 1) {
		struct mail mail = {.fn = soft ? stop_worker_soft : stop_worker_hard};

		mail.arg[0] = (uint64_t)m->cores[m->told].proxy;
		if (worker_mail(control, m->told, &mail) < 0)
			return;
		m->told++;
	}
}

static bool all_drained(const struct machine *m)
{
	for (uint32_t i = 0; i < m->core_count - 1; i++)
		if (!proxy_is_drained(m->cores[i].proxy))
			return false;
	return true;
}

static void stop_loops(struct machine *m)
{
	for (uint32_t i = 0; i < m->core_count; i++)
		worker_stop(m->cores[i].worker);
}

/* Control core, phase SLOW. */
static uint32_t poll_stop(struct worker *w, void *ctx, uint32_t budget)
{
	struct machine *m = ctx;
	int wanted = __atomic_load_n(&m->stop_wanted, __ATOMIC_ACQUIRE);
	uint32_t hard_after_ms = m->model->global.hard_stop_after_ms;

	(void)budget;
	if (wanted == STOP_NONE)
		return 0;
	if (wanted != m->stop_mode) {
		m->stop_mode = wanted;
		m->stop_at = w->now_ns;
		m->told = 0;
	}
	tell_workers(m, wanted == STOP_SOFT);
	if (m->told < m->core_count - 1)
		return 1;
	if (wanted == STOP_SOFT) {
		if (all_drained(m))
			stop_loops(m);
		else if (hard_after_ms && w->now_ns - m->stop_at > hard_after_ms * NS_PER_MS)
			machine_stop(m, false);
	} else if (all_drained(m) || w->now_ns - m->stop_at > HARD_STOP_NS) {
		/* One more turn of the workers sends what the stop produced. */
		if (w->now_ns - m->stop_at > 2 * NS_PER_MS)
			stop_loops(m);
	}
	return 0;
}

static uint32_t poll_view(struct worker *w, void *ctx, uint32_t budget)
{
	struct machine *m = ctx;

	(void)budget;
	if (w->now_ns - m->view_polled_at < VIEW_POLL_NS)
		return 0;
	m->view_polled_at = w->now_ns;
	proxy_view_poll(m->view, w->now_ns);
	return 1;
}

static int add_control_pollers(struct machine *m, struct error *err)
{
	struct worker *w = m->cores[m->core_count - 1].worker;

	if (worker_poller_add(w, WORKER_PHASE_SLOW, "stop", poll_stop, m, 1) < 0 ||
		worker_poller_add(w, WORKER_PHASE_SLOW, "figures", poll_view, m, 1) < 0)
		return error_set(err, -ENOSPC, "too many pollers on the control core");
	return machine_services_create(m, err);
}

/* --- life ----------------------------------------------------------------------------- */

static int start_dpdk(struct machine *m, struct error *err)
{
	const struct model_network *n = &m->model->network;
	const char *pci[DPDK_PCI_MAX];
	struct dpdk_eal_config config = {
		.memory_mib = (uint32_t)(m->sizes.memory_bytes >> 20), .pci = pci};

	if (n->port_count > PORT_MAX)
		return error_set(
			err, -E2BIG, "more than %d devices in section 'network'", PORT_MAX);
	for (uint32_t i = 0; i < n->port_count; i++) {
		const struct model_port *p = &n->ports[i];

		if (p->pci)
			pci[config.pci_count++] = p->pci;
		for (uint32_t j = 0; j < p->member_count; j++)
			if (p->members[j].is_pci)
				pci[config.pci_count++] = p->members[j].device;
	}
	m->eal = dpdk_eal_create(&config, err);
	return m->eal ? 0 : err->code;
}

static int build(struct machine *m, struct error *err)
{
	const struct model_network *n = &m->model->network;
	int rc;

	if ((rc = check_cpus(m, err)) < 0 || (rc = start_dpdk(m, err)) < 0)
		return rc;
	steer_init(&m->steer, n->worker_count);
	if ((rc = create_pools(m, err)) < 0 || (rc = create_ports(m, err)) < 0 ||
		(rc = prepare_net(m, err)) < 0 || (rc = create_workers(m, err)) < 0 ||
		(rc = create_stacks(m, err)) < 0 || (rc = add_control_pollers(m, err)) < 0)
		return rc;
	ip_announce(m->cores[0].ip);
	return 0;
}

struct machine *machine_create(const struct model *model, struct error *err)
{
	struct machine *m;

	if (!model->network.place.file) {
		error_set(err, -EINVAL,
			"there is no section 'network': weir needs at least one port, say\n"
			"    network\n        port lan0 vdev net_tap0,iface=weir0\n"
			"        address 10.9.0.2/24 port lan0");
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		error_set(err, -ENOMEM, "not enough memory to start");
		return NULL;
	}
	m->model = model;
	m->core_count = core_count(m);
	if (sizes_compute(model, &m->sizes, err) < 0 || build(m, err) < 0) {
		machine_destroy(m);
		return NULL;
	}
	return m;
}

static void *worker_thread(void *arg)
{
	struct core *c = arg;
	sigset_t all;

	sigfillset(&all); /* signals are the control thread's */
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	rte_thread_register();
	worker_run(c->worker);
	rte_thread_unregister();
	return NULL;
}

static cpu_set_t cpu_of(const struct core *c)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(c->cpu, &cpus);
	return cpus;
}

static int start_thread(struct core *c)
{
	pthread_attr_t attr;
	cpu_set_t cpus = cpu_of(c);
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	rc = pthread_create(&c->thread, &attr, worker_thread, c);
	pthread_attr_destroy(&attr);
	c->running = rc == 0;
	return rc;
}

int machine_run(struct machine *m, struct error *err)
{
	struct core *control = &m->cores[m->core_count - 1];
	cpu_set_t cpus = cpu_of(control);
	int rc = pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);

	for (uint32_t i = 0; i < m->core_count - 1 && rc == 0; i++)
		rc = start_thread(&m->cores[i]);
	if (rc == 0)
		worker_run(control->worker);
	else
		error_set(err, -rc, "cannot run on the CPUs of 'cores': %s", strerror(rc));
	stop_loops(m);
	for (uint32_t i = 0; i < m->core_count - 1; i++)
		if (m->cores[i].running)
			pthread_join(m->cores[i].thread, NULL);
	return -rc;
}

void machine_stop(struct machine *m, bool soft)
{
	int none = STOP_NONE;

	if (soft)
		__atomic_compare_exchange_n(&m->stop_wanted, &none, STOP_SOFT, false,
			__ATOMIC_RELEASE, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&m->stop_wanted, STOP_HARD, __ATOMIC_RELEASE);
}

/* Turns all cores until none has work: mail that is under way speaks to what is about to go. */
static void settle(struct machine *m)
{
	uint32_t work = 1;

	for (uint32_t turn = 0; work && turn < SETTLE_TURNS; turn++) {
		work = 0;
		for (uint32_t i = 0; i < m->core_count; i++)
			if (m->cores[i].worker)
				work += worker_poll(m->cores[i].worker, 0);
	}
}

void machine_destroy(struct machine *m)
{
	if (!m)
		return;
	if (m->view)
		settle(m);
	machine_services_destroy(m);
	proxy_view_destroy(m->view);
	for (uint32_t i = 0; i < m->core_count; i++)
		proxy_destroy(m->cores[i].proxy);
	for (uint32_t i = 0; i < m->core_count; i++) {
		udp_destroy(m->cores[i].udp);
		tcp_destroy(m->cores[i].tcp);
	}
	sock_loop_destroy(m->sock);
	for (uint32_t i = 0; i < m->core_count; i++)
		worker_destroy(m->cores[i].worker);
	for (uint32_t i = 0; i < m->core_count; i++)
		ip_stack_destroy(m->cores[i].ip);
	for (uint32_t i = 0; i < m->core_count; i++)
		for (uint32_t p = 0; p < m->cores[i].port_count; p++)
			port_core_fini(&m->cores[i].ports[p]);
	for (uint32_t p = 0; p < m->port_count; p++)
		m->ports[p]->ops->destroy(m->ports[p]);
	for (uint32_t p = 0; p < PORT_MAX; p++)
		ring_destroy(m->tx_rings[p]);
	for (uint32_t i = 0; i < m->core_count; i++)
		pkt_pools_fini(&m->cores[i].pkts);
	free(m->ifaces);
	dpdk_eal_destroy(m->eal);
	free(m);
}
