// SPDX-License-Identifier: GPL-2.0
/*
 * Open, close, reset, bind, unbind.  The kernel sleeps in some of these.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define ALL "e1000e nvme igb edu"
#define SYS_PCI "/sys/bus/pci"

static int reset(struct bench *b)
{
	return vdev_reset(&b->v);
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

const struct bench_op bench_life_ops[] = {
	{ "reset", "nvme igb", .sleeps = true, .samples = BENCH_FEW, .run = reset },
	{ "close", ALL, .sleeps = true, .samples = BENCH_FEW, .begin = unmap,
	  .run = device_close, .end = device_open },
	{ "open", ALL, .sleeps = true, .samples = BENCH_FEW, .begin = device_close,
	  .run = device_open },
	{ "unbind", ALL, .sleeps = true, .closed = true, .samples = BENCH_FEW, .run = unbind,
	  .end = bind },
	{ "bind", ALL, .sleeps = true, .closed = true, .samples = BENCH_FEW, .begin = unbind,
	  .run = bind },
	{ }
};
