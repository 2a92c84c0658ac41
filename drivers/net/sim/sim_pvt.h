/* SPDX-License-Identifier: BSD-3-Clause */
/* The last frames of a net, for a pcap file. */
#ifndef WEIR_SIM_PVT_H
#define WEIR_SIM_PVT_H

#include "sim.h"

#define SIM_FRAME_MAX (WIRE_ETHER_BYTES + WIRE_VLAN_BYTES + SIM_MTU_MAX)

struct sim_record_frame {
	uint64_t at_ns;
	uint32_t len;
	uint8_t bytes[SIM_FRAME_MAX];
};

struct sim_record {
	uint32_t frames_max; /* 0: nothing is recorded */
	uint64_t count;      /* frames so far; the last frames_max of them are there */
	struct sim_record_frame *frames;
};

int sim_record_init(struct sim_record *record, uint32_t frames_max, struct error *err);
void sim_record_fini(struct sim_record *record);
void sim_record_add(struct sim_record *record, uint64_t at_ns, const void *frame, size_t len);
int sim_record_write(const struct sim_record *record, const char *path, struct error *err);

#endif
