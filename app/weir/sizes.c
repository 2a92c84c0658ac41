/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <unistd.h>

#include "sizes.h"

#define MIB (UINT64_C(1) << 20)

/* A data buffer with its header and its place in the pool; an indirect one. */
#define BUFFER_BYTES (PKT_DATA_ROOM_BYTES + sizeof(struct rte_mbuf) + 64)
#define REF_BYTES    (sizeof(struct rte_mbuf) + 64 + 64)

#define BUFFERS_MIN       4096u
#define BUFFERS_MAX       (4u << 20)
#define CONTROL_BUFFERS   2048u
#define EAL_BYTES         (32 * MIB) /* rings, ports and DPDK's own tables */
#define MEMORY_VIRTUAL    (144 * MIB)
#define MEMORY_DEVICE_MAX (1024 * MIB)
#define MEMORY_MIN        (64 * MIB)
#define CONN_BUFFER_MAX   (16 * MIB)
#define CONN_BUFFER_SHARE 16 /* of a core's buffers, at most one of so many for one connection */

static bool has_device(const struct model_network *n)
{
	for (uint32_t i = 0; i < n->port_count; i++)
		if (model_port_has_pci(&n->ports[i]))
			return true;
	return false;
}

static uint64_t memory_of_machine(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 4096 * MIB;
}

static uint64_t memory_of(const struct model_network *n, uint64_t machine)
{
	if (n->memory_bytes)
		return n->memory_bytes;
	return has_device(n) ? MIN(machine / 4, MEMORY_DEVICE_MAX)
			     : MIN(machine / 8, MEMORY_VIRTUAL);
}

int sizes_compute(const struct model *model, struct sizes *out, struct error *err)
{
	const struct model_network *n = &model->network;
	uint32_t maxconn = model->global.maxconn;
	uint64_t machine = memory_of_machine(), fixed, each;

	*out = (struct sizes){
		.memory_bytes = memory_of(n, machine), .control_buffers = CONTROL_BUFFERS};
	fixed = EAL_BYTES + CONTROL_BUFFERS * (BUFFER_BYTES + REF_BYTES);
	each = out->memory_bytes > fixed ? (out->memory_bytes - fixed) / n->worker_count : 0;
	out->buffers = (uint32_t)MIN(each / (BUFFER_BYTES + REF_BYTES), (uint64_t)BUFFERS_MAX);
	if (out->memory_bytes < MEMORY_MIN || out->buffers < BUFFERS_MIN)
		return error_set(err, -ENOMEM,
			"not enough memory: %u workers need at least %llu MiB ('memory' in section "
			"'network', or -m), %llu MiB are granted",
			n->worker_count,
			(unsigned long long)MAX(
				MEMORY_MIN / MIB, (fixed + n->worker_count * BUFFERS_MIN *
								   (BUFFER_BYTES + REF_BYTES)) /
								  MIB +
							  1),
			(unsigned long long)(out->memory_bytes / MIB));
	if (out->memory_bytes > machine)
		return error_set(err, -ENOMEM,
			"not enough memory: %llu MiB are wanted ('memory' in section 'network', or "
			"-m), the machine has %llu MiB",
			(unsigned long long)(out->memory_bytes / MIB),
			(unsigned long long)(machine / MIB));
	out->refs = out->buffers;
	/* The hash that chooses a connection's worker is not perfectly even: half as much again. */
	out->sessions = n->worker_count == 1 ? maxconn : maxconn / n->worker_count * 3 / 2 + 64;
	out->conns = out->sessions * 2 + 1024;
	out->time_waits = MIN(MAX(out->conns, 16384u), 1u << 20);
	out->conn_buffer_max_bytes = (uint32_t)MIN(
		(uint64_t)out->buffers * PKT_DATA_ROOM_BYTES / CONN_BUFFER_SHARE, CONN_BUFFER_MAX);
	return 0;
}
