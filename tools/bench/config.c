// SPDX-License-Identifier: GPL-2.0
/* Config space: every size, the header and every capability that QEMU's devices have. */
#include <errno.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "bench.h"

#define CONFIG(pos) (((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + (pos))

static uint8_t buf[4096];

static int config_read(struct bench *b)
{
	return pread(b->v.fd, buf, b->op->bytes, CONFIG(b->pos)) == b->op->bytes ? 0 : -errno;
}

/* A write is of what was read before: it changes nothing. */
static int config_write(struct bench *b)
{
	return pwrite(b->v.fd, buf, b->op->bytes, CONFIG(b->pos)) == b->op->bytes ? 0 : -errno;
}

/* The COMMAND of struct bench has memory and bus master on. */
static int command_off(struct bench *b, uint32_t off)
{
	return vdev_cfg_set(&b->v, PCI_COMMAND, 2, vdev_cfg(&b->v, PCI_COMMAND, 2) & ~off);
}

static int command_on(struct bench *b)
{
	const uint16_t on = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	return pwrite(b->v.fd, &on, sizeof(on), CONFIG(PCI_COMMAND)) == sizeof(on) ? 0 : -errno;
}

static int memory_off(struct bench *b)
{
	return command_off(b, PCI_COMMAND_MEMORY);
}

static int master_off(struct bench *b)
{
	return command_off(b, PCI_COMMAND_MASTER);
}

#define READ(_name, _devices, ...) \
	{ "config read " _name, _devices, __VA_ARGS__, .run = config_read }
#define WRITE(_name, _devices, ...) \
	{ "config write " _name, _devices, __VA_ARGS__, .begin = config_read, .run = config_write }

#define DEVICES	BENCH_ALL
#define CAP_REGISTERS(DO)								\
	DO("4, PM capability", DEVICES, .cap = PCI_CAP_ID_PM, .pos = PCI_PM_CTRL, .bytes = 4),	\
	DO("4, MSI capability", DEVICES, .cap = PCI_CAP_ID_MSI, .pos = PCI_MSI_ADDRESS_LO,	\
	   .bytes = 4),									\
	DO("2, MSI-X capability", DEVICES, .cap = PCI_CAP_ID_MSIX, .pos = PCI_MSIX_FLAGS,	\
	   .bytes = 2),									\
	DO("2, PCIe capability", DEVICES, .cap = PCI_CAP_ID_EXP, .pos = PCI_EXP_DEVCTL,	\
	   .bytes = 2)

#define HEADER_REGISTERS(DO)								\
	DO("1, header", DEVICES, .pos = PCI_CACHE_LINE_SIZE, .bytes = 1),		\
	DO("2, header", DEVICES, .pos = PCI_SUBSYSTEM_VENDOR_ID, .bytes = 2),		\
	DO("2, command", DEVICES, .pos = PCI_COMMAND, .bytes = 2),			\
	DO("4, header", DEVICES, .pos = PCI_VENDOR_ID, .bytes = 4),			\
	DO("4, BAR", DEVICES, .pos = PCI_BASE_ADDRESS_0, .bytes = 4),			\
	DO("1, interrupt line", DEVICES, .pos = PCI_INTERRUPT_LINE, .bytes = 1)

const struct bench_op bench_config_ops[] = {
	HEADER_REGISTERS(READ),
	CAP_REGISTERS(READ),
	READ("4, extended", BENCH_NIC, .pos = 0x10c, .bytes = 4),
	READ("16", DEVICES, .bytes = 16),
	READ("64", DEVICES, .bytes = 64),
	READ("256", DEVICES, .bytes = 256),
	READ("4096", "e1000e igb", .bytes = 4096),
	HEADER_REGISTERS(WRITE),
	CAP_REGISTERS(WRITE),
	WRITE("4, extended", BENCH_NIC, .pos = 0x10c, .bytes = 4),
	WRITE("16, BARs", DEVICES, .pos = PCI_BASE_ADDRESS_0, .bytes = 16),
	{ "COMMAND, memory on", DEVICES, .begin = memory_off, .run = command_on },
	{ "COMMAND, memory off", DEVICES, .run = memory_off, .end = command_on },
	{ "COMMAND, bus master on", DEVICES, .begin = master_off, .run = command_on },
	{ "COMMAND, bus master off", DEVICES, .run = master_off, .end = command_on },
	{ }
};
