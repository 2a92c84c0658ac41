/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment for tests: plain memory, no devices, nothing left on the host. */
#ifndef WEIR_TESTS_FAKE_EAL_H
#define WEIR_TESTS_FAKE_EAL_H

/** Starts it at the first call of the process, with 256 MiB; aborts the test if that fails. */
void fake_eal_init(void);

#endif
