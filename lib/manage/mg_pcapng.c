/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of captured frames, as draft-ietf-opsawg-pcapng describes them: a section header, one
 * interface, then one enhanced packet block per frame. Times in nanoseconds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mg_pcapng.h"

#define BUFFER_BYTES      (256 * 1024)
#define BLOCK_SECTION     0x0a0d0d0au
#define BLOCK_INTERFACE   1u
#define BLOCK_PACKET      6u
#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define OPTION_NAME       2u /* of an interface */
#define OPTION_TSRESOL    9u
#define OPTION_FLAGS      2u /* of a packet: 1 received, 2 sent */

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~3u;
}

static void put32(FILE *file, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, file);
}

static void put_bytes(FILE *file, const void *data, uint32_t len)
{
	static const char zeros[4];

	fwrite(data, 1, len, file);
	fwrite(zeros, 1, padded(len) - len, file);
}

static void put_option(FILE *file, uint32_t code, const void *data, uint32_t len)
{
	put32(file, code | len << 16);
	put_bytes(file, data, len);
}

static void put_header(FILE *file, const char *port)
{
	static const uint8_t nanoseconds = 9;
	uint32_t name = (uint32_t)strlen(port), size = 20 + 4 + padded(name) + 8 + 4;

	put32(file, BLOCK_SECTION);
	put32(file, 28);
	put32(file, BYTE_ORDER_MAGIC);
	put32(file, 1); /* version 1.0 */
	put32(file, UINT32_MAX);
	put32(file, UINT32_MAX); /* length of the section: not known */
	put32(file, 28);

	put32(file, BLOCK_INTERFACE);
	put32(file, size);
	put32(file, LINKTYPE_ETHERNET);
	put32(file, PORT_TAP_BYTES);
	put_option(file, OPTION_NAME, port, name);
	put_option(file, OPTION_TSRESOL, &nanoseconds, 1);
	put32(file, 0); /* end of options */
	put32(file, size);
}

FILE *mg_pcapng_create(const char *path, const char *port, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;
	FILE *file = NULL;

	if (fd < 0 || fstat(fd, &st) < 0)
		error_set(err, -errno, "cannot write '%s': %m", path);
	else if (!S_ISREG(st.st_mode))
		error_set(err, -EINVAL, "'%s' is not a regular file", path);
	else if (ftruncate(fd, 0) < 0 || !(file = fdopen(fd, "w")))
		error_set(err, -errno, "cannot write '%s': %m", path);
	if (!file) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	setvbuf(file, NULL, _IOFBF, BUFFER_BYTES);
	put_header(file, port);
	return file;
}

bool mg_pcapng_write(FILE *file, const struct port_frame *frame)
{
	uint32_t size = 32 + padded(frame->captured) + 12, flags = frame->sent ? 2 : 1;

	put32(file, BLOCK_PACKET);
	put32(file, size);
	put32(file, 0); /* the interface */
	put32(file, (uint32_t)(frame->wall_ns >> 32));
	put32(file, (uint32_t)frame->wall_ns);
	put32(file, frame->captured);
	put32(file, frame->len);
	put_bytes(file, frame->data, frame->captured);
	put_option(file, OPTION_FLAGS, &flags, sizeof(flags));
	put32(file, 0);
	put32(file, size);
	return !ferror(file);
}
