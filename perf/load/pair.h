/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pair: a wire between a weir and the load in one process, in the place of weir's DPDK ports.
 *
 * It is a network card as weir sees one: weir posts empty buffers, which come back filled; frames
 * that weir sends come back when they have been read, and weir frees them. Bytes are copied by the
 * load's core alone, where a card has DMA. The card verifies and fills in checksums (nobody looks
 * at them here), takes frames in pieces, and "cuts" large segments by handing them over whole.
 *
 * weir's side is its worker's; the wire's functions are the load's thread's.
 */
#ifndef WEIR_PERF_PAIR_H
#define WEIR_PERF_PAIR_H

#include "frames.h"

/** The load's side of the only port; NULL before weir has opened it. */
const struct wire *pair_wire(void);

#endif
