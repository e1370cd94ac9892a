// SPDX-License-Identifier: GPL-2.0
/*
 * plain: a function that does nothing, under any ids and with vital product data, for
 * tests of what a host does with such a function whatever its driver.
 *
 * PCI Local Bus Specification 3.0, appendix I: a read begins with an address whose
 * flag is 0 and is over when the flag is 1, a write the other way round.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "vu.h"

#define PLAIN_BAR_LOG2		12
#define PLAIN_BAR_BYTES		(1u << PLAIN_BAR_LOG2)
#define VPD_CAP_BYTES		8
#define VPD_BYTES		64
#define VPD_RW_START		40	/* whole dwords of the asset tag */
#define VPD_RW_END		56

struct plain {
	uint8_t regs[PLAIN_BAR_BYTES];
	uint8_t vpd[VPD_BYTES];
	unsigned int cap;
};

/* Name; VPD-R with a part number and a checksum; VPD-W with an asset tag; end. */
static void fill_vpd(uint8_t *vpd)
{
	static const char head[] = "\x82\x0b\0" "plain model"
				   "\x90\x10\0" "PN\x09" "VPV-0001A" "RV\x01";
	static const char tail[] = "\x91\x15\0" "Y1\x12" "asset 000000000000";
	uint8_t *at = vpd;
	uint8_t sum = 0;

	memcpy(at, head, sizeof(head) - 1);
	at += sizeof(head) - 1;
	for (const uint8_t *p = vpd; p < at; p++)
		sum = (uint8_t)(sum + *p);
	*at++ = (uint8_t)-sum;
	memcpy(at, tail, sizeof(tail) - 1);
	at += sizeof(tail) - 1;
	*at = 0x78;
}

static int plain_revise(const struct vu_dev *dev, struct vu_model *own)
{
	uint64_t vendor = own->vendor, device = own->device, log2 = PLAIN_BAR_LOG2;
	int err = vu_option_u64(dev, "vendor", 0, 0xfffe, &vendor);

	err = err ? err : vu_option_u64(dev, "device", 0, 0xffff, &device);
	err = err ? err : vu_option_u64(dev, "bar_log2", 4, PLAIN_BAR_LOG2, &log2);
	own->vendor = (uint16_t)vendor;
	own->device = (uint16_t)device;
	own->bars[0].bytes = 1u << log2;
	return err;
}

static int plain_init(struct vu_dev *dev)
{
	struct plain *p = calloc(1, sizeof(*p));
	uint64_t af = 0;
	int off;

	if (!p)
		return -ENOMEM;
	vu_set_priv(dev, p);
	fill_vpd(p->vpd);
	off = vu_option_u64(dev, "af", 0, 1, &af);
	if (!off)
		off = vu_add_pm(dev);
	if (off >= 0)
		off = vu_add_pcie(dev, !af);
	if (off >= 0 && af)
		off = vu_add_af(dev);
	if (off >= 0)
		off = vu_cap_add(dev, PCI_CAP_ID_VPD, VPD_CAP_BYTES);
	if (off < 0)
		return off;
	p->cap = (unsigned int)off;
	vu_config_init(dev, p->cap + PCI_VPD_ADDR, 2, 0, 0xffff, 0);
	vu_config_init(dev, p->cap + PCI_VPD_DATA, 4, 0, ~0u, 0);
	return 0;
}

static void plain_fini(struct vu_dev *dev)
{
	free(vu_priv(dev));
}

static void plain_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct plain *p = vu_priv(dev);

	(void)why;
	memset(p->regs, 0, sizeof(p->regs));
}

static void plain_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	struct plain *p = vu_priv(dev);

	(void)bar;
	memcpy(buf, p->regs + off, len);
}

static void plain_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf,
			    size_t len)
{
	struct plain *p = vu_priv(dev);

	(void)bar;
	memcpy(p->regs + off, buf, len);
}

static uint8_t vpd_byte(const struct plain *p, unsigned int at)
{
	return at < VPD_BYTES ? p->vpd[at] : 0;
}

static void vpd_transfer(struct vu_dev *dev, struct plain *p)
{
	uint32_t addr = vu_config_get(dev, p->cap + PCI_VPD_ADDR, 2);
	uint32_t data = vu_config_get(dev, p->cap + PCI_VPD_DATA, 4);
	unsigned int pos = addr & PCI_VPD_ADDR_MASK & ~3u;
	bool write = addr & PCI_VPD_ADDR_F;

	if (!write)
		data = 0;
	for (unsigned int i = 0; i < 4; i++) {
		if (!write)
			data |= (uint32_t)vpd_byte(p, pos + i) << 8 * i;
		else if (pos >= VPD_RW_START && pos < VPD_RW_END)
			p->vpd[pos + i] = (uint8_t)(data >> 8 * i);
	}
	vu_config_set(dev, p->cap + PCI_VPD_DATA, 4, data);
	vu_config_set(dev, p->cap + PCI_VPD_ADDR, 2, addr ^ PCI_VPD_ADDR_F);
}

/* The upper half of the address begins it. */
static void plain_config_access(struct vu_dev *dev, uint64_t off, size_t len, bool write)
{
	struct plain *p = vu_priv(dev);
	uint64_t flag = p->cap + PCI_VPD_ADDR + 1;

	if (write && off <= flag && flag - off < len)
		vpd_transfer(dev, p);
}

static const struct vu_option plain_options[] = {
	{ "vendor", "vendor id (0x1234)" },
	{ "device", "device id (0x76f0)" },
	{ "af", "0, or 1: the capability Advanced Features resets it, not PCI Express (0)" },
	{ "bar_log2", "size of its BAR, 4 to 12 (12)" },
	{ NULL, NULL },
};

static const struct vu_model plain_model = {
	.name = "plain",
	.summary = "a function that does nothing, with vital product data",
	.vendor = 0x1234,
	.device = 0x76f0,
	.subvendor = 0x1234,
	.subdevice = 0x76f0,
	.class_code = 0xff0000,
	.config_bytes = 4096,
	.bars = { [0] = { .bytes = PLAIN_BAR_BYTES } },
	.options = plain_options,
	.revise = plain_revise,
	.init = plain_init,
	.fini = plain_fini,
	.reset = plain_reset,
	.bar_read = plain_bar_read,
	.bar_write = plain_bar_write,
	.config_access = plain_config_access,
};
VU_MODEL(plain_model);
