/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include "sock_pvt.h"

socklen_t sock_address(const struct endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (ip_addr_is_v4(&e->addr)) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(ip_addr_to_v4(&e->addr));
		in->sin_port = htons(e->port);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, e->addr.b, sizeof(in6->sin6_addr));
	in6->sin6_port = htons(e->port);
	return sizeof(*in6);
}

socklen_t sock_path(const char *path, struct sockaddr_storage *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)out;
	size_t len = strlen(path);

	memset(out, 0, sizeof(*out));
	if (len == 0 || len >= sizeof(un->sun_path))
		return 0;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

static int dgram_open(struct sock_dgram *dgram, struct error *err)
{
	dgram->fd = socket(dgram->remote.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dgram->fd < 0)
		return error_set(err, -errno, "cannot open a datagram socket: %m");
	return 0;
}

int sock_dgram_open_udp(struct sock_dgram *dgram, const struct endpoint *remote, struct error *err)
{
	dgram->fd = -1;
	dgram->remote_len = sock_address(remote, &dgram->remote);
	return dgram_open(dgram, err);
}

int sock_dgram_open_unix(struct sock_dgram *dgram, const char *path, struct error *err)
{
	dgram->fd = -1;
	dgram->remote_len = sock_path(path, &dgram->remote);
	if (dgram->remote_len == 0)
		return error_set(err, -ENAMETOOLONG,
			"'%s' is no path for a socket: up to %zu characters fit", path,
			sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return dgram_open(dgram, err);
}

void sock_dgram_close(struct sock_dgram *dgram)
{
	if (dgram->fd >= 0)
		close(dgram->fd);
	dgram->fd = -1;
}

uint32_t sock_dgram_send(
	const struct sock_dgram *dgram, const struct iovec *datagrams, uint32_t n, int *code)
{
	struct mmsghdr messages[SOCK_DGRAM_BATCH];
	uint32_t sent = 0, count;
	int ret = 0;

	*code = 0;
	while (sent < n && ret >= 0) {
		count = MIN(n - sent, (uint32_t)SOCK_DGRAM_BATCH);
		for (uint32_t i = 0; i < count; i++)
			messages[i] = (struct mmsghdr){
				.msg_hdr = {.msg_name = (void *)(uintptr_t)&dgram->remote,
					.msg_namelen = dgram->remote_len,
					.msg_iov = (struct iovec *)(uintptr_t)&datagrams[sent + i],
					.msg_iovlen = 1}};
		ret = sendmmsg(dgram->fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret > 0)
			sent += (uint32_t)ret;
	}
	if (ret < 0)
		*code = errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR ? -EAGAIN
										   : -errno;
	return sent;
}
