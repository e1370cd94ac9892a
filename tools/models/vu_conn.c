// SPDX-License-Identifier: GPL-2.0
/*
 * Framing of the vfio-user stream: headers, payloads and passed descriptors.
 * Knows nothing of what messages mean.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vu_front.h"

#define MAX_KERNEL_FDS	253	/* most that one message can carry (SCM_MAX_FD) */

int vu_conn_open(struct vu_conn *conn, int fd)
{
	unsigned int timeout = conn->send_timeout_ms;

	memset(conn, 0, sizeof(*conn));
	conn->fd = -1;
	conn->send_timeout_ms = timeout;
	conn->payload = malloc(VU_MAX_PAYLOAD);
	if (!conn->payload)
		return -ENOMEM;
	conn->fd = fd;
	return 0;
}

static void close_fds(struct vu_conn *conn)
{
	for (unsigned int i = 0; i < conn->num_fds; i++)
		if (conn->fds[i] >= 0)
			close(conn->fds[i]);
	conn->num_fds = 0;
	conn->fds_lost = false;
}

void vu_conn_close(struct vu_conn *conn)
{
	close_fds(conn);
	free(conn->payload);
	conn->payload = NULL;
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

void vu_conn_next(struct vu_conn *conn)
{
	close_fds(conn);
	conn->have = 0;
}

static void keep_fds(struct vu_conn *conn, struct msghdr *msg)
{
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm)) {
		size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (conn->num_fds < VU_MAX_FDS) {
				conn->fds[conn->num_fds++] = fd;
			} else {
				conn->fds_lost = true;
				close(fd);
			}
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)
		conn->fds_lost = true;
}

/* Bytes received, 0 when there are none now, -ECONNRESET or another error. */
static ssize_t receive(struct vu_conn *conn, void *buf, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MAX_KERNEL_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	keep_fds(conn, &msg);
	return n ? n : -ECONNRESET;
}

static int drop_oversized(struct vu_conn *conn)
{
	while (conn->skip) {
		size_t len = conn->skip < VU_MAX_PAYLOAD ? conn->skip : VU_MAX_PAYLOAD;
		ssize_t n = receive(conn, conn->payload, len);

		if (n <= 0)
			return (int)n;
		conn->skip -= (size_t)n;
		close_fds(conn);
	}
	return 0;
}

int vu_conn_recv(struct vu_conn *conn)
{
	int err = drop_oversized(conn);

	if (err || conn->skip)
		return err;
	for (;;) {
		size_t want = sizeof(conn->hdr);
		uint8_t *at = (uint8_t *)&conn->hdr + conn->have;
		ssize_t n;

		if (conn->have >= sizeof(conn->hdr)) {
			want = conn->hdr.size;
			at = conn->payload + (conn->have - sizeof(conn->hdr));
			if (conn->have == want)
				return 1;
		}
		n = receive(conn, at, want - conn->have);
		if (n <= 0)
			return (int)n;
		conn->have += (size_t)n;
		if (conn->have != sizeof(conn->hdr))
			continue;
		err = vu_hdr_check(&conn->hdr);
		if (err == -EMSGSIZE || err == -EINVAL)
			conn->skip = conn->hdr.size - sizeof(conn->hdr);
		if (err)
			return err;
	}
}

static int wait_writable(const struct vu_conn *conn)
{
	struct pollfd p = { .fd = conn->fd, .events = POLLOUT };
	int n = poll(&p, 1, (int)conn->send_timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? 0 : -ETIMEDOUT;
}

static void advance(struct iovec *iov, int num, size_t done)
{
	for (int i = 0; i < num; i++) {
		size_t n = done < iov[i].iov_len ? done : iov[i].iov_len;

		iov[i].iov_base = (uint8_t *)iov[i].iov_base + n;
		iov[i].iov_len -= n;
		done -= n;
	}
}

int vu_conn_send(struct vu_conn *conn, const struct vu_hdr *hdr, const void *a, size_t a_len,
		 const void *b, size_t b_len, int fd)
{
	static uint8_t nothing;
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .head = {
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	} };
	struct iovec iov[3] = {
		{ .iov_base = (void *)(uintptr_t)hdr, .iov_len = sizeof(*hdr) },
		{ .iov_base = a_len ? (void *)(uintptr_t)a : &nothing, .iov_len = a_len },
		{ .iov_base = b_len ? (void *)(uintptr_t)b : &nothing, .iov_len = b_len },
	};
	size_t left = sizeof(*hdr) + a_len + b_len;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
	}
	while (left) {
		ssize_t n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0) {
			int err = wait_writable(conn);

			if (err)
				return err;
			continue;
		}
		left -= (size_t)n;
		advance(iov, 3, (size_t)n);
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}
