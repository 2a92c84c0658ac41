/* SPDX-License-Identifier: BSD-3-Clause */
#include "lb_pvt.h"

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint32_t lb_weights(const struct lb *lb, uint32_t *weights, uint32_t table_max)
{
	uint32_t divisor = 0, sum = 0, scaled = 0;

	ASSERT(table_max >= lb->usable_count);
	for (uint32_t i = 0; i < lb->server_count; i++) {
		weights[i] = lb->usable[i] ? lb->servers[i].weight : 0;
		divisor = common_divisor(divisor, weights[i]);
	}
	for (uint32_t i = 0; i < lb->server_count && divisor > 0; i++) {
		weights[i] /= divisor;
		sum += weights[i];
	}
	if (sum <= table_max)
		return sum;
	for (uint32_t i = 0; i < lb->server_count; i++) {
		if (weights[i] == 0)
			continue;
		/* Room for the ones that are rounded up to 1 is set aside. */
		weights[i] = MAX(1u, (uint32_t)((uint64_t)weights[i] *
						(table_max - (uint32_t)lb->usable_count) / sum));
		scaled += weights[i];
	}
	return scaled;
}

uint32_t lb_hash_addr(const struct ip_addr *addr)
{
	if (ip_addr_is_v4(addr))
		return ip_addr_to_v4(addr);
	return load_be32(&addr->b[0]) ^ load_be32(&addr->b[4]) ^ load_be32(&addr->b[8]) ^
	       load_be32(&addr->b[12]);
}
