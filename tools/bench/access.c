// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that read and write BARs and the ROM, map BARs, or ask.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "importer.h"

#define TOUCH_STEP (2UL << 20)
#define LARGEST 4096

static uint8_t buf[LARGEST];

static uint64_t offset(const struct bench *b)
{
	return ((uint64_t)b->op->index << 40) + b->pos;
}

static int region_read(struct bench *b)
{
	return pread(b->v.fd, buf, b->op->bytes, offset(b)) == b->op->bytes ? 0 : -errno;
}

static int region_write(struct bench *b)
{
	return pwrite(b->v.fd, buf, b->op->bytes, offset(b)) == b->op->bytes ? 0 : -errno;
}

static int device_info(struct bench *b)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return ioctl(b->v.fd, VFIO_DEVICE_GET_INFO, &info) ? -errno : 0;
}

static int region_info(struct bench *b)
{
	struct { struct vfio_region_info info; uint8_t caps[256]; } arg = {
		.info = { .argsz = sizeof(arg), .index = b->op->index },
	};

	return ioctl(b->v.fd, VFIO_DEVICE_GET_REGION_INFO, &arg) ? -errno : 0;
}

static int irq_info(struct bench *b)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = b->op->index };

	return ioctl(b->v.fd, VFIO_DEVICE_GET_IRQ_INFO, &info) ? -errno : 0;
}

static int hot_reset_info(struct bench *b)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[8];
	} arg = { .info = { .argsz = sizeof(arg) } };

	return ioctl(b->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &arg) ? -errno : 0;
}

/* Writes of the eventfd write 0 to the register, which is part of the BAR's table. */
static int ioeventfd(struct bench *b, int fd)
{
	struct vfio_device_ioeventfd set = {
		.argsz = sizeof(set), .flags = b->op->bytes, .offset = offset(b), .fd = fd,
	};

	return ioctl(b->v.fd, VFIO_DEVICE_IOEVENTFD, &set) ? -errno : 0;
}

static int ioeventfd_on(struct bench *b)
{
	return ioeventfd(b, b->events[0]);
}

static int ioeventfd_off(struct bench *b)
{
	return ioeventfd(b, -1);
}

static int ioeventfd_signal(struct bench *b)
{
	const uint64_t one = 1;

	return write(b->events[0], &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static int dmabuf;

static int dmabuf_of_page(struct bench *b)
{
	dmabuf = dmabuf_one(&b->v, b->op->index, 0, BENCH_MAP_BYTES);
	return dmabuf < 0 ? dmabuf : 0;
}

static int dmabuf_close(struct bench *b)
{
	return close(dmabuf) ? -errno : 0;
}

static uint64_t map_bytes;
static volatile uint8_t *map;

static int bar_map(struct bench *b)
{
	struct vfio_region_info info;
	int ret = vdev_region(&b->v, b->op->index, &info);

	if (ret)
		return ret;
	map_bytes = b->op->bytes ? b->op->bytes : info.size;
	map = mmap(NULL, map_bytes, PROT_READ, MAP_SHARED, b->v.fd, info.offset);
	return map == MAP_FAILED ? -errno : 0;
}

static int bar_unmap(struct bench *b)
{
	return munmap((void *)map, map_bytes) ? -errno : 0;
}

static int bar_map_touched(struct bench *b)
{
	int ret = bar_map(b);

	if (!ret)
		(void)map[0];
	return ret;
}

static int touch_first(struct bench *b)
{
	(void)map[0];
	return 0;
}

static int touch_all(struct bench *b)
{
	for (uint64_t at = 0; at < map_bytes; at += TOUCH_STEP)
		(void)map[at];
	return 0;
}

static int feature(struct bench *b)
{
	/* Is it there?  For many of its kind, which VMMs ask about when they begin. */
	static const uint32_t probes[] = {
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	};
	int err = vdev_feature(&b->v, probes[b->op->pos], NULL, 0);

	return err == -ENOTTY ? 0 : err;
}

/* Registers of a BAR that reading does not change: status of the NICs, capabilities of nvme. */
#define BAR(_name, _devices, _bytes, ...)						\
	{ "BAR read " _name, _devices, .index = VFIO_PCI_BAR0_REGION_INDEX,		\
	  .bytes = _bytes, __VA_ARGS__, .run = region_read },				\
	{ "BAR write " _name, _devices, .index = VFIO_PCI_BAR0_REGION_INDEX,		\
	  .bytes = _bytes, __VA_ARGS__, .begin = region_read, .run = region_write }
#define BAR_READ(_name, _devices, _bytes)						\
	{ "BAR read " _name, _devices, .index = VFIO_PCI_BAR0_REGION_INDEX,		\
	  .bytes = _bytes, .run = region_read }
#define NICS "e1000e igb"
/* The table of 16 addresses that a NIC filters by: nothing else has effects when it is written. */
#define TABLE_REG 0x5480
#define STATUS_REG 8

#define IOEVENTFD(_name, ...)								\
	{ "ioeventfd " _name, NICS, .index = VFIO_PCI_BAR0_REGION_INDEX, .pos = TABLE_REG,	\
	  .bytes = 4, __VA_ARGS__ }

#define REGION_INFO(_name, _devices, _index)						\
	{ "GET_REGION_INFO, " _name, _devices, .index = _index, .run = region_info }
#define IRQ_INFO(_name, _index)								\
	{ "GET_IRQ_INFO, " _name, BENCH_ALL, .index = _index, .count = 1, .run = irq_info }

const struct bench_op bench_access_ops[] = {
	BAR("1", NICS, 1, .pos = STATUS_REG),
	BAR("2", NICS, 2, .pos = STATUS_REG),
	BAR("4", NICS " edu", 4, .pos = STATUS_REG),
	BAR("8", NICS, 8, .pos = TABLE_REG),
	BAR("64", NICS, 64, .pos = TABLE_REG),
	BAR("128", NICS, 128, .pos = TABLE_REG),
	BAR_READ("1", "nvme testdev", 1),
	BAR_READ("2", "nvme testdev", 2),
	BAR_READ("4", "nvme testdev", 4),
	BAR_READ("8", "nvme edu testdev", 8),
	BAR_READ("64", "nvme edu testdev", 64),
	BAR_READ("128", "nvme edu testdev", 128),
	BAR_READ("4096", BENCH_ALL, 4096),
	{ "ROM read 4", BENCH_NIC, .index = VFIO_PCI_ROM_REGION_INDEX, .bytes = 4, .run = region_read },
	{ "ROM read 2048", BENCH_NIC, .index = VFIO_PCI_ROM_REGION_INDEX, .bytes = 2048,
	  .run = region_read },
	{ "GET_INFO", BENCH_ALL, .run = device_info },
	REGION_INFO("BAR", BENCH_ALL, VFIO_PCI_BAR0_REGION_INDEX),
	REGION_INFO("BAR with MSI-X", BENCH_NIC, VFIO_PCI_BAR3_REGION_INDEX),
	REGION_INFO("config", BENCH_ALL, VFIO_PCI_CONFIG_REGION_INDEX),
	REGION_INFO("ROM", BENCH_ALL, VFIO_PCI_ROM_REGION_INDEX),
	IRQ_INFO("INTx", VFIO_PCI_INTX_IRQ_INDEX),
	IRQ_INFO("MSI", VFIO_PCI_MSI_IRQ_INDEX),
	IRQ_INFO("MSI-X", VFIO_PCI_MSIX_IRQ_INDEX),
	{ "FEATURE, no migration", BENCH_ALL, .pos = 0, .run = feature },
	{ "FEATURE, low power", BENCH_ALL, .pos = 1, .run = feature },
	{ "GET_PCI_HOT_RESET_INFO", "e1000e nvme igb testdev", .run = hot_reset_info },
	/* Off waits for a work queue, and who closes a dma-buf for who uses it. */
	IOEVENTFD("on", .sleeps = true, .run = ioeventfd_on, .end = ioeventfd_off),
	IOEVENTFD("off", .sleeps = true, .begin = ioeventfd_on, .run = ioeventfd_off),
	IOEVENTFD("to register", .begin = ioeventfd_on, .run = ioeventfd_signal,
		  .end = ioeventfd_off),
	{ "dma-buf of a page", "e1000e nvme igb", .sleeps = true, .run = dmabuf_of_page,
	  .end = dmabuf_close },
	{ "dma-buf, close", "e1000e nvme igb", .sleeps = true, .begin = dmabuf_of_page,
	  .run = dmabuf_close },
	{ "mmap", BENCH_ALL, .bytes = BENCH_MAP_BYTES, .run = bar_map, .end = bar_unmap },
	{ "munmap", BENCH_ALL, .bytes = BENCH_MAP_BYTES, .begin = bar_map_touched, .run = bar_unmap },
	{ "first touch, small BAR", BENCH_ALL, .bytes = BENCH_MAP_BYTES, .begin = bar_map,
	  .run = touch_first, .end = bar_unmap },
	{ "first touch", "testdev", .index = 2, .begin = bar_map, .run = touch_first,
	  .end = bar_unmap },
	{ "touch all", "testdev", .index = 2, .samples = 5, .begin = bar_map,
	  .run = touch_all, .end = bar_unmap },
	{ }
};
