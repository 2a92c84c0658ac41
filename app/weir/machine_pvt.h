/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the machine share: machine.c builds and runs it, services.c holds what the
 * control core does for operators. */
#ifndef WEIR_APP_MACHINE_PVT_H
#define WEIR_APP_MACHINE_PVT_H

#include <pthread.h>

#include "logsink.h"
#include "machine.h"
#include "manage.h"
#include "proxy.h"
#include "sizes.h"
#include "sock.h"
#include "tcp.h"
#include "udp.h"

struct core {
	struct machine *machine;
	struct worker *worker;
	struct pkt_pools pkts;
	uint32_t port_count; /* how many of `ports` are set up */
	struct port_core ports[PORT_MAX];
	struct ip_stack *ip;
	struct tcp *tcp;
	struct udp *udp;     /* control core */
	struct proxy *proxy; /* workers */
	uint32_t cpu;
	bool running;
	pthread_t thread;
	char name[WORKER_NAME_SIZE];
};

enum {
	STOP_NONE,
	STOP_SOFT,
	STOP_HARD,
};

struct machine {
	const struct model *model;
	struct sizes sizes;
	struct steer steer;
	struct hash_key secret;
	struct dpdk_eal *eal;
	uint32_t port_count;
	struct port *ports[PORT_MAX];
	struct ring *tx_rings[PORT_MAX];
	struct ip_config net; /* the model's, with the MTU of the ports filled in */
	struct ip_iface_config *ifaces;
	struct proxy_view *view;
	uint64_t view_polled_at;

	struct sock_loop *sock; /* outlives the control core, which waits in it */
	struct logsink *logsink;
	struct manage *manage;

	int stop_wanted; /* written by signal handlers */
	int stop_mode;   /* what the control core is doing about it */
	uint64_t stop_at;
	uint32_t told; /* workers that know */

	uint32_t core_count; /* workers and the control core */
	struct core cores[WORKER_CORES_MAX];
};

/** Start-up: sockets, logs and the runtime API of the control core. */
int machine_services_create(struct machine *m, struct error *err);
void machine_services_destroy(struct machine *m);

#endif
