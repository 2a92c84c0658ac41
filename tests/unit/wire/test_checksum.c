/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "wire.h"

/* From the definition: one 16-bit word after the other. */
static uint16_t plain_checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void sample_of_rfc_1071(void **state)
{
	static const uint8_t sample[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(wire_checksum_fold(wire_checksum_add(0, sample, 8)), 0x220d);
	for (size_t cut = 0; cut <= 8; cut += 2) {
		uint32_t sum = wire_checksum_add(0, sample, cut);

		assert_int_equal(
			wire_checksum_fold(wire_checksum_add(sum, sample + cut, 8 - cut)), 0x220d);
	}
}

static void every_length_and_alignment(void **state)
{
	uint8_t buf[300];

	(void)state;
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 151 + 7);
	for (size_t off = 0; off < 8; off++)
		for (size_t len = 0; len + off <= sizeof(buf); len++)
			assert_int_equal(wire_checksum_fold(wire_checksum_add(0, buf + off, len)),
				plain_checksum(buf + off, len));
}

static void sums_of_all_ones_do_not_overflow(void **state)
{
	static uint8_t ones[65536];
	uint32_t sum = 0;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; i < 8; i++)
		sum = wire_checksum_add(sum, ones, sizeof(ones));
	assert_int_equal(wire_checksum_fold(sum), 0);
	assert_int_equal(wire_checksum_fold(0xffffffff), 0);
	assert_int_equal(wire_checksum_fold(0), 0xffff);
}

static void pseudo_header_of_both_families(void **state)
{
	/* A DNS query as it stood on a wire: UDP from 192.168.0.1 to 192.168.0.199. */
	static const uint8_t udp[] = {
		0xe1, 0x15, 0x00, 0x35, 0x00, 0x0b, 0x00, 0x00, 'a', 'b', 'c'};
	struct ip_addr a = ip_addr_from_v4(0xc0a80001), b = ip_addr_from_v4(0xc0a800c7);
	uint8_t v4[12 + sizeof(udp)] = {192, 168, 0, 1, 192, 168, 0, 199, 0, 17, 0, 11};
	uint8_t v6[40 + sizeof(udp)] = {0};
	uint32_t sum;

	(void)state;
	memcpy(v4 + 12, udp, sizeof(udp));
	sum = wire_checksum_pseudo(&a, &b, WIRE_PROTO_UDP, sizeof(udp));
	assert_int_equal(wire_checksum_fold(wire_checksum_add(sum, udp, sizeof(udp))),
		plain_checksum(v4, sizeof(v4)));

	assert_true(ip_addr_parse(BYTES_LIT("2001:db8::1"), &a));
	assert_true(ip_addr_parse(BYTES_LIT("fe80::ffff:1:2"), &b));
	memcpy(v6, a.b, 16);
	memcpy(v6 + 16, b.b, 16);
	store_be32(v6 + 32, 70000);
	v6[39] = WIRE_PROTO_UDP;
	memcpy(v6 + 40, udp, sizeof(udp));
	sum = wire_checksum_pseudo(&a, &b, WIRE_PROTO_UDP, 70000);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(sum, udp, sizeof(udp))),
		plain_checksum(v6, sizeof(v6)));
	b = ip_addr_with_zone(&b, 0x1234); /* which is not on the wire */
	sum = wire_checksum_pseudo(&b, &a, WIRE_PROTO_UDP, 70000);
	assert_int_equal(wire_checksum_fold(wire_checksum_add(sum, udp, sizeof(udp))),
		plain_checksum(v6, sizeof(v6)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_of_rfc_1071),
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(sums_of_all_ones_do_not_overflow),
		cmocka_unit_test(pseudo_header_of_both_families),
	};

	return cmocka_run_group_tests_name("wire/checksum", tests, NULL, NULL);
}
