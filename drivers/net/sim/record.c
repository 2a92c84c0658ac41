/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_pvt.h"

#define PCAP_MAGIC_NS      0xa1b23c4d
#define PCAP_LINK_ETHERNET 1

struct pcap_file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snap_bytes, link;
};

struct pcap_frame_header {
	uint32_t seconds, ns, captured_bytes, frame_bytes;
};

int sim_record_init(struct sim_record *record, uint32_t frames_max, struct error *err)
{
	sim_record_fini(record);
	record->frames = calloc(frames_max, sizeof(*record->frames));
	if (!record->frames)
		return error_set(err, -ENOMEM, "no memory to record %u frames", frames_max);
	record->frames_max = frames_max;
	return 0;
}

void sim_record_fini(struct sim_record *record)
{
	free(record->frames);
	*record = (struct sim_record){0};
}

void sim_record_add(struct sim_record *record, uint64_t at_ns, const void *frame, size_t len)
{
	struct sim_record_frame *f;

	if (record->frames_max == 0)
		return;
	f = &record->frames[record->count++ % record->frames_max];
	f->at_ns = at_ns;
	f->len = (uint32_t)MIN(len, sizeof(f->bytes));
	memcpy(f->bytes, frame, f->len);
}

static bool write_frames(const struct sim_record *record, FILE *file)
{
	const struct pcap_file_header head = {
		PCAP_MAGIC_NS, 2, 4, 0, 0, SIM_FRAME_MAX, PCAP_LINK_ETHERNET};
	uint64_t kept = MIN(record->count, (uint64_t)record->frames_max);

	if (fwrite(&head, sizeof(head), 1, file) != 1)
		return false;
	for (uint64_t i = record->count - kept; i < record->count; i++) {
		const struct sim_record_frame *f = &record->frames[i % record->frames_max];
		const struct pcap_frame_header h = {(uint32_t)(f->at_ns / NS_PER_SEC),
			(uint32_t)(f->at_ns % NS_PER_SEC), f->len, f->len};

		if (fwrite(&h, sizeof(h), 1, file) != 1 ||
			fwrite(f->bytes, 1, f->len, file) != f->len)
			return false;
	}
	return true;
}

int sim_record_write(const struct sim_record *record, const char *path, struct error *err)
{
	FILE *file = fopen(path, "wb");
	bool ok;

	if (!file)
		return error_set(err, -errno, "cannot write %s", path);
	ok = write_frames(record, file);
	if (fclose(file) != 0 || !ok)
		return error_set(err, -EIO, "cannot write all of %s", path);
	return 0;
}
