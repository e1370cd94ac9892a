// SPDX-License-Identifier: GPL-2.0
/*
 * Open, close, reset, bind, unbind.  The kernel sleeps in some of these.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "bench.h"

#define SYS_PCI "/sys/bus/pci"

static int reset(struct bench *b)
{
	return vdev_reset(&b->v);
}

/* Of the bus behind its port, on which it is alone. */
static int hot_reset(struct bench *b)
{
	struct { struct vfio_pci_hot_reset reset; int32_t group; } arg = {
		.reset = { .argsz = sizeof(arg), .count = 1 }, .group = b->v.group,
	};

	return ioctl(b->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &arg) ? -errno : 0;
}

/* A mapping holds the device open. */
static int unmap(struct bench *b)
{
	if (b->bar)
		munmap((void *)b->bar, BENCH_MAP_BYTES);
	b->bar = NULL;
	return 0;
}

/* The group and its container stay open: only the device is opened and closed. */
static int device_close(struct bench *b)
{
	int ret = unmap(b);

	if (close(b->v.fd))
		ret = -errno;
	b->v.fd = -1;
	return ret;
}

static int device_open(struct bench *b)
{
	b->v.fd = ioctl(b->v.group, VFIO_GROUP_GET_DEVICE_FD, b->slot.bdf);
	return b->v.fd < 0 ? -errno : 0;
}

static int low_power(struct bench *b, uint32_t feature)
{
	return vdev_feature(&b->v, VFIO_DEVICE_FEATURE_SET | feature, NULL, 0);
}

static int low_power_in(struct bench *b)
{
	return low_power(b, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
}

static int low_power_out(struct bench *b)
{
	return low_power(b, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT);
}

static int d_state(struct bench *b, unsigned int state)
{
	return vdev_cfg_set(&b->v, b->pos, 2, state);
}

static int d3hot(struct bench *b)
{
	return d_state(b, 3);
}

static int d0(struct bench *b)
{
	return d_state(b, 0);
}

static int unbind(struct bench *b)
{
	char path[128];

	snprintf(path, sizeof(path), SYS_PCI "/drivers/%s/unbind", b->driver);
	return sysfs_write(path, b->slot.bdf);
}

/* driver_override names the driver: the device is bound to it now. */
static int bind(struct bench *b)
{
	char path[128];

	snprintf(path, sizeof(path), SYS_PCI "/drivers/%s/bind", b->driver);
	return sysfs_write(path, b->slot.bdf);
}

/* The same, but for the device, which nobody has opened since it was bound. */
static int bound_anew(struct bench *b)
{
	int ret = unbind(b);

	if (!ret)
		ret = bind(b);
	return ret ? ret : vdev_group_open(&b->v);
}

static int close_all(struct bench *b)
{
	vdev_close(&b->v);
	return 0;
}

const struct bench_op bench_life_ops[] = {
	{ "reset", "nvme igb", .sleeps = true, .samples = BENCH_FEW, .run = reset },
	{ "hot reset", "e1000e nvme igb testdev", .sleeps = true, .samples = BENCH_FEW,
	  .run = hot_reset },
	{ "D0 to D3hot", BENCH_ALL, .cap = PCI_CAP_ID_PM, .pos = PCI_PM_CTRL, .sleeps = true,
	  .samples = BENCH_FEW, .run = d3hot, .end = d0 },
	{ "D3hot to D0", BENCH_ALL, .cap = PCI_CAP_ID_PM, .pos = PCI_PM_CTRL, .sleeps = true,
	  .samples = BENCH_FEW, .begin = d3hot, .run = d0 },
	{ "LOW_POWER_ENTRY", "e1000e nvme igb", .sleeps = true, .samples = BENCH_FEW,
	  .run = low_power_in, .end = low_power_out },
	{ "LOW_POWER_EXIT", "e1000e nvme igb", .sleeps = true, .samples = BENCH_FEW,
	  .begin = low_power_in, .run = low_power_out },
	{ "close", BENCH_ALL, .sleeps = true, .samples = BENCH_FEW, .begin = unmap,
	  .run = device_close, .end = device_open },
	{ "open", BENCH_ALL, .sleeps = true, .samples = BENCH_FEW, .begin = device_close,
	  .run = device_open },
	{ "first open", BENCH_ALL, .sleeps = true, .closed = true, .samples = BENCH_FEW,
	  .begin = bound_anew, .run = device_open, .end = close_all },
	{ "unbind", BENCH_ALL, .sleeps = true, .closed = true, .samples = BENCH_FEW, .run = unbind,
	  .end = bind },
	{ "bind", BENCH_ALL, .sleeps = true, .closed = true, .samples = BENCH_FEW, .begin = unbind,
	  .run = bind },
	{ }
};
