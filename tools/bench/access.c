// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that read and write: config space, BARs, INFO ioctls.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "bench.h"

#define CONFIG(pos) (((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + (pos))
#define NIC "e1000e"
/* Device status of the NIC. */
#define STATUS_REG 8
#define TOUCH_STEP (2UL << 20)

static uint8_t buf[256];

static int config_read(struct bench *b, unsigned int pos, unsigned int bytes)
{
	return pread(b->v.fd, buf, bytes, CONFIG(pos)) == bytes ? 0 : -errno;
}

static int config_write(struct bench *b, unsigned int pos, unsigned int bytes)
{
	return pwrite(b->v.fd, buf, bytes, CONFIG(pos)) == bytes ? 0 : -errno;
}

#define CONFIG_OP(name, pos, bytes) \
static int name##_read(struct bench *b) { return config_read(b, pos, bytes); } \
static int name##_write(struct bench *b) { return config_write(b, pos, bytes); }

/*
 * A write is of what was read before: it changes nothing.  Capabilities of the NIC:
 * PM at 0xc8, MSI at 0xd0, PCIe at 0xe0, AER at
 * 0x100.
 */
CONFIG_OP(byte, PCI_CACHE_LINE_SIZE, 1)
CONFIG_OP(command, PCI_COMMAND, 2)
CONFIG_OP(word, PCI_SUBSYSTEM_VENDOR_ID, 2)
CONFIG_OP(id, PCI_VENDOR_ID, 4)
CONFIG_OP(bar_reg, PCI_BASE_ADDRESS_0, 4)
CONFIG_OP(pm, 0xcc, 4)
CONFIG_OP(msi, 0xd4, 4)
CONFIG_OP(exp, 0xe8, 2)
CONFIG_OP(aer, 0x10c, 4)

static int dwords16_read(struct bench *b)
{
	return config_read(b, 0, 64);
}

static int dwords64_read(struct bench *b)
{
	return config_read(b, 0, 256);
}

static int bar_read(struct bench *b)
{
	return pread(b->v.fd, buf, 4, STATUS_REG) == 4 ? 0 : -errno;
}

static int bar_write(struct bench *b)
{
	return pwrite(b->v.fd, buf, 4, STATUS_REG) == 4 ? 0 : -errno;
}

static int device_info(struct bench *b)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return ioctl(b->v.fd, VFIO_DEVICE_GET_INFO, &info) ? -errno : 0;
}

static int region_info(struct bench *b, unsigned int index)
{
	struct { struct vfio_region_info info; uint8_t caps[256]; } arg = {
		.info = { .argsz = sizeof(arg), .index = index },
	};

	return ioctl(b->v.fd, VFIO_DEVICE_GET_REGION_INFO, &arg) ? -errno : 0;
}

static int region_info_bar(struct bench *b)
{
	return region_info(b, VFIO_PCI_BAR0_REGION_INDEX);
}

static int region_info_msix(struct bench *b)
{
	return region_info(b, VFIO_PCI_BAR3_REGION_INDEX);
}

static int region_info_config(struct bench *b)
{
	return region_info(b, VFIO_PCI_CONFIG_REGION_INDEX);
}

static int region_info_rom(struct bench *b)
{
	return region_info(b, VFIO_PCI_ROM_REGION_INDEX);
}

static int irq_info(struct bench *b)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };

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

/* A BAR of its own, in the region of the device's only 64-bit BAR. */
static uint64_t big_bytes;
static volatile uint8_t *big;

static int big_map(struct bench *b)
{
	struct vfio_region_info info;
	int ret = vdev_region(&b->v, 2, &info);

	if (ret)
		return ret;
	big_bytes = info.size;
	big = mmap(NULL, big_bytes, PROT_READ, MAP_SHARED, b->v.fd, info.offset);
	return big == MAP_FAILED ? -errno : 0;
}

static int big_unmap(struct bench *b)
{
	return munmap((void *)big, big_bytes) ? -errno : 0;
}

static int touch_first(struct bench *b)
{
	(void)big[0];
	return 0;
}

static int touch_all(struct bench *b)
{
	for (uint64_t at = 0; at < big_bytes; at += TOUCH_STEP)
		(void)big[at];
	return 0;
}

const struct bench_op bench_access_ops[] = {
	{ "config read 1, header", NIC, .run = byte_read },
	{ "config read 2, header", NIC, .run = word_read },
	{ "config read 4, header", NIC, .run = id_read },
	{ "config read 2, command", NIC, .run = command_read },
	{ "config read 4, BAR", NIC, .run = bar_reg_read },
	{ "config read 4, PM capability", NIC, .run = pm_read },
	{ "config read 4, MSI capability", NIC, .run = msi_read },
	{ "config read 2, PCIe capability", NIC, .run = exp_read },
	{ "config read 4, extended", NIC, .run = aer_read },
	{ "config read 64", NIC, .run = dwords16_read },
	{ "config read 256", NIC, .run = dwords64_read },
	{ "config write 1, header", NIC, .begin = byte_read, .run = byte_write },
	{ "config write 2, command", NIC, .begin = command_read, .run = command_write },
	{ "config write 2, read-only", NIC, .begin = word_read, .run = word_write },
	{ "config write 4, read-only", NIC, .begin = id_read, .run = id_write },
	{ "config write 4, BAR", NIC, .begin = bar_reg_read, .run = bar_reg_write },
	{ "config write 4, PM capability", NIC, .begin = pm_read, .run = pm_write },
	{ "config write 4, MSI capability", NIC, .begin = msi_read, .run = msi_write },
	{ "config write 2, PCIe capability", NIC, .begin = exp_read, .run = exp_write },
	{ "config write 4, extended", NIC, .begin = aer_read, .run = aer_write },
	{ "BAR read 4", NIC, .run = bar_read },
	{ "BAR write 4", NIC, .run = bar_write },
	{ "GET_INFO", NIC, .run = device_info },
	{ "GET_REGION_INFO, BAR", NIC, .run = region_info_bar },
	{ "GET_REGION_INFO, BAR with MSI-X", NIC, .run = region_info_msix },
	{ "GET_REGION_INFO, config", NIC, .run = region_info_config },
	{ "GET_REGION_INFO, ROM", NIC, .run = region_info_rom },
	{ "GET_IRQ_INFO", NIC, .run = irq_info },
	{ "GET_PCI_HOT_RESET_INFO", NIC, .run = hot_reset_info },
	{ "first touch", "testdev", .begin = big_map, .run = touch_first, .end = big_unmap },
	{ "touch all", "testdev", .samples = 1, .begin = big_map,
	  .run = touch_all, .end = big_unmap },
	{ }
};
