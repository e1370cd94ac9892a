// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for the vfio-user runtime and its models: the input is a sequence of steps - framed
 * messages with descriptors, raw bytes, reconnects, register accesses, memory contents,
 * commands, control lines - that are carried out against a device.  Besides what the sanitizers find, a descriptor that is
 * left open after an input is a failure.
 */
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mlx5_like.h"
#include "vu.h"
#include "tests/test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

/*
 * @dev: with the client; @owner: the device that it belongs to.  @others: servers of the
 * device's other functions.
 */
struct target {
	struct vu_dev *dev, *owner;
	struct vu_server *srv, *others[VU_MAX_CONTROLLED + 1];
	unsigned int num_others;
	int fd;
	int memfd, eventfd;
};

static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t val = 0;

	for (size_t i = 0; i < bytes && in->left; i++, in->left--)
		val |= (uint64_t)*in->at++ << (8 * i);
	return val;
}

static size_t take_bytes(struct input *in, void *buf, size_t len)
{
	if (len > in->left)
		len = in->left;
	memcpy(buf, in->at, len);
	in->at += len;
	in->left -= len;
	return len;
}

static void settle(struct target *t)
{
	char sink[65536];

	for (int i = 0; i < 4; i++) {
		vu_server_step(t->srv, 0, VU_STEP_CLIENT | VU_STEP_WORK);
		while (recv(t->fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
}

static void send_bytes(struct target *t, const void *buf, size_t len, unsigned int num_fds)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(20 * sizeof(int))];
	} control = { .head = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[20];

	for (unsigned int i = 0; i < 20; i++)
		fds[i] = i & 1 ? t->eventfd : t->memfd;
	if (num_fds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(num_fds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(num_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, num_fds * sizeof(int));
	}
	if (len)
		(void)!sendmsg(t->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	settle(t);
}

static void send_message(struct target *t, uint16_t cmd, uint32_t flags, const void *payload,
			 size_t len, unsigned int num_fds)
{
	uint8_t buf[sizeof(struct vu_hdr) + 8192];
	struct vu_hdr h = {
		.id = 1, .cmd = cmd, .size = (uint32_t)(sizeof(h) + len), .flags = flags,
	};

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), payload, len);
	send_bytes(t, buf, sizeof(h) + len, num_fds);
}

static void step_message(struct target *t, struct input *in)
{
	uint16_t cmd = (uint16_t)(take(in, 1) % 20);
	uint32_t flags = (uint32_t)take(in, 1) & 0x3f;
	unsigned int fds = (unsigned int)take(in, 1) % 20;
	uint8_t payload[8192];
	size_t len = take_bytes(in, payload, (size_t)take(in, 2) % 1024);

	send_message(t, cmd, flags & 1 ? flags : flags & 0x10, payload, len, fds);
}

static void step_raw(struct target *t, struct input *in)
{
	uint8_t buf[256];
	size_t len = take_bytes(in, buf, (size_t)take(in, 1));

	send_bytes(t, buf, len, (unsigned int)take(in, 1) & 1);
}

static void connect_client(struct target *t, bool version)
{
	static const char hello[] = "\0\0\1\0{\"capabilities\":{\"max_msg_fds\":8,"
				    "\"write_multiple\":true}}";
	int sv[2];

	if (t->fd >= 0)
		close(t->fd);
	vu_server_step(t->srv, 0, VU_STEP_CLIENT | VU_STEP_WORK);
	vu_server_drop_client(t->srv, "fuzz");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		abort();
	t->fd = sv[0];
	if (vu_server_attach(t->srv, sv[1]))
		abort();
	if (version)
		send_message(t, VU_VERSION, 0, hello, sizeof(hello), 0);
}

static void step_connect(struct target *t, struct input *in)
{
	connect_client(t, take(in, 1) & 1);
}

static void step_write(struct target *t, struct input *in)
{
	struct {
		struct vu_region_rw_msg m;
		uint8_t data[8];
	} w = { .m = { .region = (uint32_t)take(in, 1) % 9, .count = 1u << take(in, 1) % 4 } };

	w.m.offset = take(in, 3) & 0x3ffff;
	take_bytes(in, w.data, sizeof(w.data));
	send_message(t, VU_REGION_WRITE, 0, &w, sizeof(w.m) + w.m.count, 0);
}

static void step_map(struct target *t, struct input *in)
{
	struct vu_dma_map_msg m = {
		.argsz = sizeof(m), .flags = (uint32_t)take(in, 1) & 0xf,
		.iova = take(in, 1) << 12, .size = (take(in, 1) % 16 + 1) << 12,
		.offset = take(in, 1) % 17 << 12,
	};

	send_message(t, VU_DMA_MAP, 0, &m, sizeof(m), (unsigned int)take(in, 1) & 1);
}

static void step_enable(struct target *t, struct input *in)
{
	struct {
		struct vu_region_rw_msg m;
		uint16_t cmd;
	} w = { { PCI_COMMAND, VFIO_PCI_CONFIG_REGION_INDEX, 2 }, (uint16_t)take(in, 1) | 6 };

	send_message(t, VU_REGION_WRITE, 0, &w, sizeof(w.m) + 2, 0);
}

/* Waits that only the control socket can end would stop the fuzzer. */
static void step_control(struct target *t, struct input *in)
{
	char line[256] = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out;

	take_bytes(in, line, (size_t)take(in, 1) % 200);
	if (strstr(line, "exit") || strstr(line, "hang") || strstr(line, "delay"))
		return;
	out = open_memstream(&text, &len);
	if (!out)
		abort();
	vu_ctl_command(t->dev, line, out);
	fclose(out);
	free(text);
	settle(t);
}

#define MEM_IOVA	0x10000u
#define BOX_OFF		0x2000u
#define RING_OFF	0x4000u

/* Change what is behind the mappings. */
static void step_poke(struct target *t, struct input *in)
{
	uint8_t bytes[64];
	off_t off = (off_t)(take(in, 2));
	size_t len = take_bytes(in, bytes, (size_t)take(in, 1) % sizeof(bytes));

	if (pwrite(t->memfd, bytes, len, off < 0x10000 - 64 ? off : 0) < 0)
		abort();
}

static void write_reg(struct target *t, uint64_t off, uint64_t val, uint32_t bytes)
{
	struct {
		struct vu_region_rw_msg m;
		uint64_t val;
	} w = { { off, 0, bytes }, val };

	send_message(t, VU_REGION_WRITE, 0, &w, sizeof(w.m) + bytes, 0);
}

/* A command of mlx5_like in slot 0, its input inline or in one mailbox. */
static void step_mlxl_command(struct target *t, struct input *in)
{
	struct mlxl_slot s = { .owner = 1, .opcode = (uint16_t)(take(in, 1) % 0x52) };
	struct mlxl_box box = { .tag = 0 };

	s.function = (uint16_t)(take(in, 1) % 4);
	if (s.function == 3)
		s.function = MLXL_NO_FUNCTION;
	s.in_bytes = (uint32_t)take(in, 1);
	s.out_bytes = s.opcode < 0x10 ? 128 : 32;
	take_bytes(in, s.in, sizeof(s.in));
	if (s.in_bytes > 32) {
		s.in_box = MEM_IOVA + BOX_OFF;
		box.bytes = (uint16_t)s.in_bytes;
		take_bytes(in, box.data, s.in_bytes);
		if (pwrite(t->memfd, &box, sizeof(box), BOX_OFF) < 0)
			abort();
	}
	if (s.out_bytes > 32) {
		memset(&box, 0, sizeof(box));
		s.out_box = MEM_IOVA + BOX_OFF + 0x1000;
		if (pwrite(t->memfd, &box, sizeof(box), BOX_OFF + 0x1000) < 0)
			abort();
	}
	if (pwrite(t->memfd, &s, sizeof(s), 0) < 0)
		abort();
	write_reg(t, 0x28, 1, 4);
	settle(t);
}

static void step_settle(struct target *t, struct input *in)
{
	(void)in;
	settle(t);
}

static void (*const steps[])(struct target *t, struct input *in) = {
	step_message, step_message, step_write, step_write, step_map, step_enable, step_raw,
	step_connect, step_control, step_settle, step_poke, step_mlxl_command,
};

static void map_memory(struct target *t)
{
	struct vu_dma_map_msg m = {
		.argsz = sizeof(m), .flags = 3, .iova = MEM_IOVA, .size = 0x10000,
	};
	struct input on = { (const uint8_t *)"\0", 1 };

	send_message(t, VU_DMA_MAP, 0, &m, sizeof(m), 1);
	step_enable(t, &on);
}

/* A command queue in the memory; every function runs. */
static void start_mlxl(struct target *t)
{
	map_memory(t);
	write_reg(t, 0x18, MEM_IOVA, 8);
	write_reg(t, 0x24, 3, 4);
}

/* A driver with two queues in the memory. */
static void start_function(struct target *t)
{
	map_memory(t);
	write_reg(t, 20, 3, 1);
	write_reg(t, 8, 1, 4);
	write_reg(t, 12, 3, 4);
	write_reg(t, 20, 11, 1);
	for (uint64_t q = 0; q < 2; q++) {
		uint64_t at = MEM_IOVA + RING_OFF + q * 0x800;

		write_reg(t, 22, q, 2);
		write_reg(t, 24, 8, 2);
		write_reg(t, 32, at, 8);
		write_reg(t, 40, at + 0x200, 8);
		write_reg(t, 48, at + 0x400, 8);
		write_reg(t, 28, 1, 2);
	}
	write_reg(t, 20, 15, 1);
}

static void serve_others(struct target *t, const struct vu_server_opts *opts)
{
	for (unsigned int n = 0; vu_controlled(t->owner, n); n++) {
		struct vu_dev *dev = vu_controlled(t->owner, n);

		if (dev == t->dev)
			dev = t->owner;
		t->others[t->num_others] = vu_server_new(dev, opts);
		vu_server_join(t->others[t->num_others++], t->srv);
	}
}

/* Of all that are linked, and the one of the tests. */
static const struct vu_model *model_number(uint64_t n)
{
	size_t num = (size_t)(__stop_vu_models - __start_vu_models);

	return n % (num + 1) == num ? &test_model : __start_vu_models[n % (num + 1)];
}

static void setup(struct target *t, struct input *in)
{
	const struct vu_server_opts opts = { .timeout_ms = 1 };
	static char *mlxl[] = { "functions=2", "image=1M", "dirty=0", "enabled=1", "serial=1" };
	uint64_t kind = take(in, 1);
	const struct vu_model *model = model_number(take(in, 1));
	bool is_mlxl = !strcmp(model->name, "mlx5_like"), negotiate = kind & 1;
	bool function = model->controlled && kind & 2;

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	t->memfd = memfd_create("fuzz", MFD_CLOEXEC);
	t->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->memfd < 0 || ftruncate(t->memfd, 0x10000))
		abort();
	t->owner = vu_dev_new(model, mlxl, is_mlxl ? 5 : 0);
	t->dev = function ? vu_controlled(t->owner, 0) : t->owner;
	t->srv = vu_server_new(t->dev, &opts);
	serve_others(t, &opts);
	connect_client(t, negotiate);
	if (negotiate && is_mlxl && function)
		start_function(t);
	else if (negotiate && is_mlxl)
		start_mlxl(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct target t;
	int before = dup(0), after;

	close(before);
	setup(&t, &in);
	while (in.left)
		steps[take(&in, 1) % (sizeof(steps) / sizeof(steps[0]))](&t, &in);
	close(t.fd);
	while (t.num_others)
		vu_server_free(t.others[--t.num_others]);
	vu_server_free(t.srv);
	vu_dev_free(t.owner);
	close(t.memfd);
	close(t.eventfd);
	after = dup(0);
	close(after);
	if (before != after)
		abort();
	return 0;
}
