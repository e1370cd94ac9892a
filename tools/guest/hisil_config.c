// SPDX-License-Identifier: GPL-2.0
/*
 * Config space of the function, by /proc/bus/pci: what a driver of the guest sets there and
 * relies on, and the D state.  No VMM restores any of it in a migration.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <unistd.h>

#include "hisil.h"

#define DEVICES		"/proc/bus/pci/devices"
#define STANDARD	0x100
#define WHOLE		0x1000
#define WAKE_MS		20

static int fd = -1;

/* @cap: of the standard chain, or 0; @ext: of the extended one, or 0. */
static const struct reg {
	const char *name;
	uint8_t cap;
	uint16_t ext;
	unsigned int pos, bytes;
	uint32_t val;
} regs[] = {
	{ "cache_line", 0, 0, PCI_CACHE_LINE_SIZE, 1, 0x10 },
	{ "control", PCI_CAP_ID_EXP, 0, PCI_EXP_DEVCTL, 2, 0x5000 },
	{ "control2", PCI_CAP_ID_EXP, 0, PCI_EXP_DEVCTL2, 2, 0x0016 },
	{ "aer_mask", 0, PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_MASK, 4, 0x00100030 },
	{ "aer_severity", 0, PCI_EXT_CAP_ID_ERR, PCI_ERR_UNCOR_SEVER, 4, 0x00062010 },
	{ "aer_cor_mask", 0, PCI_EXT_CAP_ID_ERR, PCI_ERR_COR_MASK, 4, 0x00002001 },
};

#define REGS (sizeof(regs) / sizeof(regs[0]))

/* All ones: there is no such register. */
static uint32_t get(unsigned int pos, unsigned int bytes)
{
	uint32_t val = 0;

	return pread(fd, &val, bytes, pos) == (ssize_t)bytes ? val : ~0U;
}

static bool set(unsigned int pos, unsigned int bytes, uint32_t val)
{
	return pwrite(fd, &val, bytes, pos) == (ssize_t)bytes;
}

static unsigned int find_cap(uint8_t id)
{
	unsigned int pos = get(PCI_CAPABILITY_LIST, 1) & ~3U;

	for (int left = 48; pos >= PCI_STD_HEADER_SIZEOF && pos < STANDARD && left; left--) {
		if (get(pos, 1) == id)
			return pos;
		pos = get(pos + 1, 1) & ~3U;
	}
	return 0;
}

static unsigned int find_ext(uint16_t id)
{
	unsigned int pos = STANDARD;

	for (int left = 64; pos >= STANDARD && pos < WHOLE && left; left--) {
		uint32_t header = get(pos, 4);

		if (header == ~0U)
			break;
		if (PCI_EXT_CAP_ID(header) == id)
			return pos;
		pos = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

/* Where it is; 0 if the function has none. */
static unsigned int place(const struct reg *reg)
{
	unsigned int cap;

	if (!reg->cap && !reg->ext)
		return reg->pos;
	cap = reg->cap ? find_cap(reg->cap) : find_ext(reg->ext);
	return cap ? cap + reg->pos : 0;
}

int hisil_config_open(const struct hisil_dev *dev)
{
	unsigned int wanted = (unsigned int)dev->uio.info.vendor << 16 | dev->uio.info.device;
	unsigned int at, id;
	FILE *devices = fopen(DEVICES, "re");
	char line[512], path[64] = "";

	while (devices && !*path && fgets(line, sizeof(line), devices))
		if (sscanf(line, "%4x %8x", &at, &id) == 2 && id == wanted)
			snprintf(path, sizeof(path), "/proc/bus/pci/%02x/%02x.%u", at >> 8 & 0xff,
				 at >> 3 & 0x1f, at & 7);
	if (devices)
		fclose(devices);
	fd = *path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	return fd < 0 ? -ENODEV : 0;
}

void hisil_config_set(void)
{
	for (unsigned int i = 0; i < REGS; i++)
		if (place(&regs[i]))
			set(place(&regs[i]), regs[i].bytes, regs[i].val);
}

void hisil_config_show(char *buf, size_t room)
{
	unsigned int there = 0, kept = 0;
	size_t n = 0;

	for (unsigned int i = 0; i < REGS && n < room; i++) {
		unsigned int at = place(&regs[i]);
		uint32_t val = at ? get(at, regs[i].bytes) : 0;

		if (!at)
			continue;
		there++;
		kept += val == regs[i].val;
		n += snprintf(buf + n, room - n, " %s=%u", regs[i].name, val);
	}
	if (n < room)
		snprintf(buf + n, room - n, " there=%u kept=%u", there, kept);
}

unsigned int hisil_config_power(unsigned int dstate)
{
	unsigned int at = find_cap(PCI_CAP_ID_PM) + PCI_PM_CTRL;
	uint32_t val = get(at, 2);

	set(at, 2, (val & ~(uint32_t)PCI_PM_CTRL_STATE_MASK) | dstate);
	usleep(WAKE_MS * 1000);
	return get(at, 2) & PCI_PM_CTRL_STATE_MASK;
}
