// SPDX-License-Identifier: GPL-2.0
/* A small vfio-user client in the same thread as the server under test. */
#include <linux/pci_regs.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "test.h"

void rig_step(struct rig *r)
{
	for (int i = 0; i < 100; i++) {
		vu_server_step(r->srv, 0, VU_STEP_CLIENT | VU_STEP_WORK);
		if (!vu_server_busy(r->srv) && i)
			return;
	}
}

void rig_run(struct rig *r, unsigned int ms)
{
	uint64_t until = vu_now() + ms * 1000000ull;

	do {
		vu_server_step(r->srv, 1, VU_STEP_CLIENT | VU_STEP_WORK);
	} while (vu_now() < until);
}

void rig_connect(struct rig *r)
{
	int sv[2];

	if (r->fd >= 0) {
		close(r->fd);
		rig_step(r);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		abort();
	r->fd = sv[0];
	if (vu_server_attach(r->srv, sv[1]))
		abort();
}

struct rig *rig_open_raw(const struct vu_model *model, char **options)
{
	const struct vu_server_opts opts = { .timeout_ms = 300 };
	struct rig *r = calloc(1, sizeof(*r));
	unsigned int n = 0;

	while (options && options[n])
		n++;
	r->fd = -1;
	r->dev = vu_dev_new(model, options, n);
	if (!r->dev)
		abort();
	r->srv = vu_server_new(r->dev, &opts);
	rig_connect(r);
	return r;
}

struct rig *rig_open_controlled(struct rig *family, unsigned int n)
{
	const struct vu_server_opts opts = { .timeout_ms = 300 };
	struct rig *r = calloc(1, sizeof(*r));

	r->fd = -1;
	r->borrowed = true;
	r->dev = vu_controlled(family->dev, n);
	if (!r->dev)
		abort();
	r->srv = vu_server_new(r->dev, &opts);
	vu_server_join(r->srv, family->srv);
	rig_connect(r);
	CHECK(rig_version(r, "{\"capabilities\":{\"max_msg_fds\":8}}") > 0);
	return r;
}

struct rig *rig_open(const struct vu_model *model, char **options)
{
	struct rig *r = rig_open_raw(model, options);

	CHECK(rig_version(r, "{\"capabilities\":{\"max_msg_fds\":8,"
			     "\"write_multiple\":true}}") > 0);
	return r;
}

static void close_reply_fds(struct rig *r)
{
	for (unsigned int i = 0; i < r->num_reply_fds; i++)
		close(r->reply_fds[i]);
	r->num_reply_fds = 0;
}

void rig_close(struct rig *r)
{
	close_reply_fds(r);
	close(r->fd);
	vu_server_free(r->srv);
	if (!r->borrowed)
		vu_dev_free(r->dev);
	free(r);
}

void rig_send_raw(struct rig *r, const void *data, size_t len, const int *fds, unsigned int n)
{
	char control[CMSG_SPACE(64 * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *cm;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	}
	while (iov.iov_len) {
		ssize_t done = sendmsg(r->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done < 0 && errno != EAGAIN)
			return;
		if (done < 0) {
			rig_step(r);
			continue;
		}
		iov.iov_base = (uint8_t *)iov.iov_base + done;
		iov.iov_len -= (size_t)done;
		msg.msg_controllen = 0;
	}
}

void rig_send(struct rig *r, uint16_t cmd, uint32_t flags, const void *data, size_t len,
	      const int *fds, unsigned int n)
{
	struct vu_hdr hdr = {
		.id = ++r->id, .cmd = cmd, .size = (uint32_t)(sizeof(hdr) + len), .flags = flags,
	};
	uint8_t *buf = malloc(sizeof(hdr) + len);

	memcpy(buf, &hdr, sizeof(hdr));
	if (len)
		memcpy(buf + sizeof(hdr), data, len);
	rig_send_raw(r, buf, sizeof(hdr) + len, fds, n);
	free(buf);
}

static ssize_t recv_part(struct rig *r, void *buf, size_t len)
{
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(r->fd, &msg, MSG_DONTWAIT);
	struct cmsghdr *cm = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (cm && cm->cmsg_type == SCM_RIGHTS) {
		r->num_reply_fds = (unsigned int)((cm->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(r->reply_fds, CMSG_DATA(cm), r->num_reply_fds * sizeof(int));
	}
	return n;
}

static bool recv_all(struct rig *r, void *buf, size_t len)
{
	uint8_t *at = buf;

	for (int tries = 0; len && tries < 50;) {
		ssize_t n = recv_part(r, at, len);

		if (n <= 0) {
			rig_step(r);
			tries++;
			continue;
		}
		at += n;
		len -= (size_t)n;
	}
	return !len;
}

int rig_recv(struct rig *r)
{
	size_t len;

	close_reply_fds(r);
	if (!recv_all(r, &r->hdr, sizeof(r->hdr)))
		return -ENODATA;
	len = r->hdr.size - sizeof(r->hdr);
	if (len > sizeof(r->reply) || !recv_all(r, r->reply, len))
		return -EBADMSG;
	if (r->hdr.flags & VU_FLAG_ERROR)
		return -(int)r->hdr.error;
	return (int)len;
}

int rig_call(struct rig *r, uint16_t cmd, const void *data, size_t len, const int *fds,
	     unsigned int n)
{
	int ret;

	rig_send(r, cmd, 0, data, len, fds, n);
	ret = rig_recv(r);
	if (ret != -ENODATA) {
		CHECK_EQ(r->hdr.id, r->id);
		CHECK_EQ(r->hdr.cmd, cmd);
		CHECK((r->hdr.flags & VU_FLAG_TYPE_MASK) == VU_FLAG_REPLY);
	}
	return ret;
}

bool rig_closed(struct rig *r)
{
	char byte;

	rig_step(r);
	return recv(r->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

int rig_version(struct rig *r, const char *json)
{
	uint8_t buf[1024] = { 0, 0, 1, 0 };
	size_t len = 4;

	if (json) {
		memcpy(buf + 4, json, strlen(json) + 1);
		len += strlen(json) + 1;
	}
	return rig_call(r, VU_VERSION, buf, len, NULL, 0);
}

int rig_read(struct rig *r, uint32_t region, uint64_t off, void *buf, uint32_t len)
{
	struct vu_region_rw_msg m = { .offset = off, .region = region, .count = len };
	int ret = rig_call(r, VU_REGION_READ, &m, sizeof(m), NULL, 0);

	if (ret < 0)
		return ret;
	CHECK_EQ(ret, sizeof(m) + len);
	memcpy(buf, r->reply + sizeof(m), len);
	return 0;
}

int rig_write(struct rig *r, uint32_t region, uint64_t off, const void *buf, uint32_t len)
{
	struct vu_region_rw_msg m = { .offset = off, .region = region, .count = len };
	uint8_t *msg = malloc(sizeof(m) + len);
	int ret;

	memcpy(msg, &m, sizeof(m));
	memcpy(msg + sizeof(m), buf, len);
	ret = rig_call(r, VU_REGION_WRITE, msg, sizeof(m) + len, NULL, 0);
	free(msg);
	return ret < 0 ? ret : 0;
}

uint32_t rig_read32(struct rig *r, uint32_t region, uint64_t off)
{
	uint32_t val = 0;

	CHECK_EQ(rig_read(r, region, off, &val, sizeof(val)), 0);
	return val;
}

void rig_write32(struct rig *r, uint32_t region, uint64_t off, uint32_t val)
{
	CHECK_EQ(rig_write(r, region, off, &val, sizeof(val)), 0);
	rig_step(r);
}

void rig_enable(struct rig *r)
{
	uint16_t cmd = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	CHECK_EQ(rig_write(r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2), 0);
}

int rig_dma_map(struct rig *r, uint64_t iova, uint64_t size, uint64_t off, uint32_t flags, int fd)
{
	struct vu_dma_map_msg m = {
		.argsz = sizeof(m), .flags = flags, .offset = off, .iova = iova, .size = size,
	};

	return rig_call(r, VU_DMA_MAP, &m, sizeof(m), &fd, fd >= 0);
}

int rig_dma_unmap(struct rig *r, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vu_dma_unmap_msg m = {
		.argsz = sizeof(m), .flags = flags, .iova = iova, .size = size,
	};

	return rig_call(r, VU_DMA_UNMAP, &m, sizeof(m), NULL, 0);
}

uint8_t *rig_memory(struct rig *r, uint64_t iova, size_t bytes, uint32_t flags, int *fd)
{
	void *mem;

	*fd = memfd_create("guest", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, (off_t)bytes))
		abort();
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (mem == MAP_FAILED)
		abort();
	CHECK_EQ(rig_dma_map(r, iova, bytes, 0, flags, *fd), 0);
	return mem;
}

int rig_set_irqs(struct rig *r, uint32_t index, uint32_t flags, uint32_t start, uint32_t count,
		 const int *fds, unsigned int n)
{
	struct vfio_irq_set s = {
		.argsz = sizeof(s), .flags = flags, .index = index, .start = start, .count = count,
	};

	return rig_call(r, VU_SET_IRQS, &s, sizeof(s), fds, n);
}

uint64_t event_count(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, 0) != 1 || read(fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return 0;
	return n;
}

const char *rig_control(struct rig *r, const char *line)
{
	static char *text;
	char copy[256];
	size_t len;
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	snprintf(copy, sizeof(copy), "%s", line);
	vu_ctl_command(r->dev, copy, out);
	fclose(out);
	return text;
}
