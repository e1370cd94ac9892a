// SPDX-License-Identifier: GPL-2.0
/*
 * Config space of a model: byte arrays with write masks, and what command, power state and
 * FLR bits mean.  Capabilities are built in vu_caps.c.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "vu_dev.h"

static void put_le(uint8_t *p, unsigned int len, uint32_t value)
{
	for (unsigned int i = 0; i < len; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static bool range_ok(unsigned int off, unsigned int len)
{
	return (len == 1 || len == 2 || len == 4) && off <= VU_CONFIG_BYTES - len;
}

void vu_config_init(struct vu_dev *dev, unsigned int off, unsigned int len, uint32_t value,
		    uint32_t writable, uint32_t w1c)
{
	if (!range_ok(off, len))
		return;
	put_le(&dev->cfg.reset[off], len, value);
	put_le(&dev->cfg.data[off], len, value);
	put_le(&dev->cfg.writable[off], len, writable);
	put_le(&dev->cfg.w1c[off], len, w1c);
}

uint32_t vu_config_get(const struct vu_dev *dev, unsigned int off, unsigned int len)
{
	uint32_t value = 0;

	if (!range_ok(off, len))
		return ~0u;
	for (unsigned int i = 0; i < len; i++)
		value |= (uint32_t)dev->cfg.data[off + i] << (8 * i);
	return value;
}

void vu_config_set(struct vu_dev *dev, unsigned int off, unsigned int len, uint32_t value)
{
	if (range_ok(off, len))
		put_le(&dev->cfg.data[off], len, value);
}

static void setup_bar(struct vu_dev *dev, unsigned int n)
{
	const struct vu_bar *bar = &dev->model->bars[n];
	unsigned int off = PCI_BASE_ADDRESS_0 + 4 * n;
	uint64_t mask = ~(bar->bytes - 1);
	uint32_t bits = 0;

	if (bar->flags & VU_BAR_IO) {
		vu_config_init(dev, off, 4, PCI_BASE_ADDRESS_SPACE_IO, (uint32_t)mask & ~3u, 0);
		return;
	}
	if (bar->flags & VU_BAR_64)
		bits |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->flags & VU_BAR_PREFETCH)
		bits |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	vu_config_init(dev, off, 4, bits, (uint32_t)mask & ~0xfu, 0);
	if (bar->flags & VU_BAR_64)
		vu_config_init(dev, off + 4, 4, 0, (uint32_t)(mask >> 32), 0);
}

static bool bars_ok(const struct vu_model *m)
{
	for (unsigned int n = 0; n < VU_NUM_BARS; n++) {
		uint64_t bytes = m->bars[n].bytes;
		uint64_t min = m->bars[n].flags & VU_BAR_IO ? 4 : 16;

		if (!bytes)
			continue;
		if (bytes < min || (bytes & (bytes - 1)))
			return false;
		if ((m->bars[n].flags & VU_BAR_64) &&
		    (n == VU_NUM_BARS - 1 || m->bars[n + 1].bytes))
			return false;
		if (!(m->bars[n].flags & VU_BAR_64) && bytes > 0x80000000u)
			return false;
	}
	return true;
}

int vu_config_setup(struct vu_dev *dev)
{
	const struct vu_model *m = dev->model;
	struct vu_config *c = &dev->cfg;

	if ((m->config_bytes != PCI_CFG_SPACE_SIZE &&
	     m->config_bytes != PCI_CFG_SPACE_EXP_SIZE) || !bars_ok(m))
		return -EINVAL;
	c->bytes = m->config_bytes;
	c->next_cap = PCI_STD_HEADER_SIZEOF;
	c->next_ext = PCI_CFG_SPACE_SIZE;
	vu_config_init(dev, PCI_VENDOR_ID, 2, m->vendor, 0, 0);
	vu_config_init(dev, PCI_DEVICE_ID, 2, m->device, 0, 0);
	vu_config_init(dev, PCI_COMMAND, 2, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
		       PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		       PCI_COMMAND_INTX_DISABLE, 0);
	vu_config_init(dev, PCI_STATUS, 2, 0, 0, PCI_STATUS_PARITY |
		       PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |
		       PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR |
		       PCI_STATUS_DETECTED_PARITY);
	vu_config_init(dev, PCI_CLASS_REVISION, 4, m->class_code << 8 | m->revision, 0, 0);
	vu_config_init(dev, PCI_CACHE_LINE_SIZE, 1, 0, 0xff, 0);
	vu_config_init(dev, PCI_SUBSYSTEM_VENDOR_ID, 2, m->subvendor, 0, 0);
	vu_config_init(dev, PCI_SUBSYSTEM_ID, 2, m->subdevice, 0, 0);
	vu_config_init(dev, PCI_INTERRUPT_LINE, 1, 0, 0xff, 0);
	vu_config_init(dev, PCI_INTERRUPT_PIN, 1, m->intx, 0, 0);
	for (unsigned int n = 0; n < VU_NUM_BARS; n++)
		if (m->bars[n].bytes)
			setup_bar(dev, n);
	return 0;
}

void vu_config_reset(struct vu_dev *dev)
{
	memcpy(dev->cfg.data, dev->cfg.reset, sizeof(dev->cfg.data));
}

static bool in_d0(const struct vu_dev *dev)
{
	return !dev->cfg.pm ||
	       !(vu_config_get(dev, dev->cfg.pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
}

bool vu_mem_enabled(const struct vu_dev *dev)
{
	return (vu_config_get(dev, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) && in_d0(dev);
}

bool vu_bus_master(const struct vu_dev *dev)
{
	return (vu_config_get(dev, PCI_COMMAND, 2) & PCI_COMMAND_MASTER) && in_d0(dev);
}

void vu_config_read(struct vu_dev *dev, uint64_t off, void *buf, size_t len)
{
	uint32_t status = vu_config_get(dev, PCI_STATUS, 2) & ~(uint32_t)PCI_STATUS_INTERRUPT;

	if (dev->irq.intx_level)
		status |= PCI_STATUS_INTERRUPT;
	vu_config_set(dev, PCI_STATUS, 2, status);
	if (dev->model->config_access)
		dev->model->config_access(dev, off, len, false);
	memcpy(buf, &dev->cfg.data[off], len);
}

static void write_byte(struct vu_config *c, uint64_t off, uint8_t val)
{
	uint8_t old = c->data[off];

	c->data[off] = (uint8_t)((old & ~c->writable[off]) | (val & c->writable[off]));
	c->data[off] &= (uint8_t)~(val & c->w1c[off]);
}

/* Is this bit set in the byte that is written at @at? */
static bool sets(unsigned int at, uint8_t bit, uint64_t off, const uint8_t *buf, size_t len)
{
	return off <= at && at - off < len && buf[at - off] & bit;
}

/* Initiate FLR reads as zero, so it is looked for in the written bytes. */
static bool starts_flr(const struct vu_config *c, uint64_t off, const uint8_t *buf, size_t len)
{
	return (c->flr && sets(c->pcie + PCI_EXP_DEVCTL + 1, PCI_EXP_DEVCTL_BCR_FLR >> 8, off,
			       buf, len)) ||
	       (c->af && sets(c->af + PCI_AF_CTRL, PCI_AF_CTRL_FLR, off, buf, len));
}

/* No_Soft_Reset off: on the way from D3hot to D0 the function is reset. */
void vu_config_soft_reset(struct vu_dev *dev, bool on)
{
	struct vu_config *c = &dev->cfg;
	uint8_t keep = on ? 0 : PCI_PM_CTRL_NO_SOFT_RESET;

	if (!c->pm)
		return;
	c->data[c->pm + PCI_PM_CTRL] &= (uint8_t)~PCI_PM_CTRL_NO_SOFT_RESET;
	c->data[c->pm + PCI_PM_CTRL] |= keep;
	c->reset[c->pm + PCI_PM_CTRL] &= (uint8_t)~PCI_PM_CTRL_NO_SOFT_RESET;
	c->reset[c->pm + PCI_PM_CTRL] |= keep;
}

/* Asleep, and waking up is a reset. */
static bool forgetful_d3(const struct vu_config *c)
{
	uint8_t ctrl = c->pm ? c->data[c->pm + PCI_PM_CTRL] : 0;

	return (ctrl & PCI_PM_CTRL_STATE_MASK) == 3 && !(ctrl & PCI_PM_CTRL_NO_SOFT_RESET);
}

bool vu_config_write(struct vu_dev *dev, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *bytes = buf;
	bool slept = forgetful_d3(&dev->cfg);

	for (size_t i = 0; i < len; i++)
		write_byte(&dev->cfg, off + i, bytes[i]);
	return starts_flr(&dev->cfg, off, bytes, len) || (slept && in_d0(dev));
}
