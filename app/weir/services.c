/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control core does for operators: kernel sockets, logs, the runtime API. */
#include <unistd.h>

#include "machine_pvt.h"

static void stop(void *ctx, bool soft)
{
	machine_stop(ctx, soft);
}

static int create_manage(struct machine *m, struct error *err)
{
	struct worker *workers[WORKER_CORES_MAX];
	struct ip_stack *ips[WORKER_CORES_MAX];
	struct tcp *tcps[WORKER_CORES_MAX];
	struct proxy *proxies[WORKER_CORES_MAX];
	struct port_core *shares[WORKER_CORES_MAX];
	struct worker *control = m->cores[m->core_count - 1].worker;
	struct manage_config config = {.control = control,
		.loop = m->sock,
		.model = m->model,
		.view = m->view,
		.core_count = m->core_count,
		.workers = workers,
		.ips = ips,
		.tcps = tcps,
		.proxies = proxies,
		.port_count = m->port_count,
		.ports = m->ports,
		.port_cores = shares,
		.version = WEIR_VERSION,
		.pid = (uint32_t)getpid(),
		.start_ns = control->clock->now_ns(control->clock),
		.stop = stop,
		.stop_ctx = m};

	for (uint32_t i = 0; i < m->core_count; i++) {
		workers[i] = m->cores[i].worker;
		ips[i] = m->cores[i].ip;
		tcps[i] = m->cores[i].tcp;
		proxies[i] = m->cores[i].proxy;
		shares[i] = m->cores[i].ports;
	}
	m->manage = manage_create(&config, err);
	return m->manage ? 0 : err->code;
}

static int create_logsink(struct machine *m, struct error *err)
{
	struct worker *workers[WORKER_CORES_MAX];
	struct logsink_config config = {.control = m->cores[m->core_count - 1].worker,
		.workers = workers,
		.core_count = m->core_count,
		.model = m->model,
		.pid = (uint32_t)getpid()};

	for (uint32_t i = 0; i < m->core_count; i++)
		workers[i] = m->cores[i].worker;
	m->logsink = logsink_create(&config, err);
	return m->logsink ? 0 : err->code;
}

int machine_services_create(struct machine *m, struct error *err)
{
	struct worker *control = m->cores[m->core_count - 1].worker;
	int rc = sock_loop_attach(m->sock, control, err);

	if (rc == 0)
		rc = create_logsink(m, err);
	if (rc == 0)
		rc = create_manage(m, err);
	return rc;
}

void machine_services_destroy(struct machine *m)
{
	manage_destroy(m->manage);
	logsink_destroy(m->logsink);
}

void machine_daemonised(struct machine *m)
{
	logsink_daemonised(m->logsink, (uint32_t)getpid());
}
