// SPDX-License-Identifier: GPL-2.0
/*
 * Capabilities of a model's config space.  Called while the model is set up; the
 * layout is in the order of the calls, each capability on a 32-bit boundary.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "vu_dev.h"

int vu_cap_add(struct vu_dev *dev, uint8_t id, unsigned int bytes)
{
	struct vu_config *c = &dev->cfg;
	unsigned int off = c->next_cap;

	if (bytes < PCI_CAP_SIZEOF)
		return -EINVAL;
	if (bytes > PCI_CFG_SPACE_SIZE - off)
		return -ENOSPC;
	vu_config_init(dev, off, 2, id, 0, 0);
	vu_config_init(dev, c->last_cap ? c->last_cap + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST,
		       1, off, 0, 0);
	if (!c->last_cap) {
		uint32_t status = vu_config_get(dev, PCI_STATUS, 1);

		vu_config_init(dev, PCI_STATUS, 1, status | PCI_STATUS_CAP_LIST, 0, 0);
	}
	c->last_cap = off;
	c->next_cap = (off + bytes + 3) & ~3u;
	return (int)off;
}

int vu_ext_cap_add(struct vu_dev *dev, uint16_t id, uint8_t version, unsigned int bytes)
{
	struct vu_config *c = &dev->cfg;
	unsigned int off = c->next_ext;

	if (bytes < 4)
		return -EINVAL;
	if (off >= c->bytes || bytes > c->bytes - off)
		return -ENOSPC;
	vu_config_init(dev, off, 4, id | (uint32_t)(version & 0xf) << 16, 0, 0);
	if (c->last_ext) {
		uint32_t prev = vu_config_get(dev, c->last_ext, 4);

		vu_config_init(dev, c->last_ext, 4, prev | (uint32_t)off << 20, 0, 0);
	}
	c->last_ext = off;
	c->next_ext = (off + bytes + 3) & ~3u;
	return (int)off;
}

/* D0 and D3hot, D1 and D2 if told so, no PME, state kept over D3hot (No_Soft_Reset). */
int vu_add_pm(struct vu_dev *dev)
{
	uint64_t d1d2 = 0;
	int err = vu_option_u64(dev, "d1d2", 0, 1, &d1d2);
	int off = err ? err : vu_cap_add(dev, PCI_CAP_ID_PM, PCI_PM_SIZEOF);

	if (off < 0)
		return off;
	dev->cfg.pm = (unsigned int)off;
	vu_config_init(dev, dev->cfg.pm + PCI_PM_PMC, 2,
		       3 | (d1d2 ? PCI_PM_CAP_D1 | PCI_PM_CAP_D2 : 0), 0, 0);
	vu_config_init(dev, dev->cfg.pm + PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET,
		       PCI_PM_CTRL_STATE_MASK, 0);
	return off;
}

/* An endpoint of version 2: 2.5 GT/s, x1, 128 to 256 bytes payload. */
int vu_add_pcie(struct vu_dev *dev, bool flr)
{
	int off = vu_cap_add(dev, PCI_CAP_ID_EXP, PCI_CAP_EXP_ENDPOINT_SIZEOF_V2);
	unsigned int at = (unsigned int)off;

	if (off < 0)
		return off;
	dev->cfg.pcie = at;
	dev->cfg.flr = flr;
	vu_config_init(dev, at + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0, 0);
	vu_config_init(dev, at + PCI_EXP_DEVCAP, 4,
		       PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_EXT_TAG | 1 |
		       (flr ? PCI_EXP_DEVCAP_FLR : 0), 0, 0);
	vu_config_init(dev, at + PCI_EXP_DEVCTL, 2, 0x2810, 0x7fff, 0);
	vu_config_init(dev, at + PCI_EXP_DEVSTA, 2, 0, 0, 0xf);
	vu_config_init(dev, at + PCI_EXP_LNKCAP, 4, 0x11, 0, 0);
	vu_config_init(dev, at + PCI_EXP_LNKCTL, 2, 0, 0xcb, 0);
	vu_config_init(dev, at + PCI_EXP_LNKSTA, 2, 0x11, 0, 0);
	vu_config_init(dev, at + PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS, 0, 0);
	vu_config_init(dev, at + PCI_EXP_DEVCTL2, 2, 0, 0x1f, 0);
	vu_config_init(dev, at + PCI_EXP_LNKCAP2, 4, 0x2, 0, 0);
	vu_config_init(dev, at + PCI_EXP_LNKCTL2, 2, 1, 0xf, 0);
	return off;
}

/*
 * PCI ECN "Advanced Capabilities for Conventional PCI".  No transaction is ever pending,
 * and Initiate FLR reads as zero.
 */
int vu_add_af(struct vu_dev *dev)
{
	int off = vu_cap_add(dev, PCI_CAP_ID_AF, PCI_CAP_AF_SIZEOF);

	if (off < 0)
		return off;
	dev->cfg.af = (unsigned int)off;
	vu_config_init(dev, dev->cfg.af + PCI_AF_LENGTH, 1, PCI_CAP_AF_SIZEOF, 0, 0);
	vu_config_init(dev, dev->cfg.af + PCI_AF_CAP, 1, PCI_AF_CAP_TP | PCI_AF_CAP_FLR, 0, 0);
	return off;
}

/* 64-bit addresses always; @vectors is a power of two up to 32. */
int vu_add_msi(struct vu_dev *dev, unsigned int vectors, bool maskable)
{
	uint16_t flags = PCI_MSI_FLAGS_64BIT | (maskable ? PCI_MSI_FLAGS_MASKBIT : 0);
	unsigned int log2 = 0, at;
	int off, err;

	if (!vectors || vectors > 32 || (vectors & (vectors - 1)) || dev->cfg.msi)
		return -EINVAL;
	while (1u << log2 < vectors)
		log2++;
	off = vu_cap_add(dev, PCI_CAP_ID_MSI, maskable ? 24 : 14);
	if (off < 0)
		return off;
	err = vu_irq_setup(dev, VFIO_PCI_MSI_IRQ_INDEX, vectors);
	if (err)
		return err;
	at = (unsigned int)off;
	vu_config_init(dev, at + PCI_MSI_FLAGS, 2, flags | log2 << 1,
		       PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE, 0);
	vu_config_init(dev, at + PCI_MSI_ADDRESS_LO, 4, 0, ~3u, 0);
	vu_config_init(dev, at + PCI_MSI_ADDRESS_HI, 4, 0, ~0u, 0);
	vu_config_init(dev, at + PCI_MSI_DATA_64, 2, 0, 0xffff, 0);
	if (maskable)
		vu_config_init(dev, at + PCI_MSI_MASK_64, 4, 0,
			       vectors == 32 ? ~0u : (1u << vectors) - 1, 0);
	dev->cfg.msi = at;
	return off;
}

static bool msix_fits(const struct vu_dev *dev, int bar, uint64_t off, uint64_t bytes)
{
	return bar >= 0 && bar < VU_NUM_BARS && !(off & 7) &&
	       off <= dev->model->bars[bar].bytes && bytes <= dev->model->bars[bar].bytes - off;
}

int vu_add_msix(struct vu_dev *dev, unsigned int vectors, int table_bar, uint32_t table_off,
		int pba_bar, uint32_t pba_off)
{
	uint64_t table = vectors * (uint64_t)PCI_MSIX_ENTRY_SIZE;
	uint64_t pba = (vectors + 63) / 64 * 8;
	unsigned int at;
	int off, err;

	if (!vectors || vectors > PCI_MSIX_FLAGS_QSIZE + 1 || dev->cfg.msix ||
	    !msix_fits(dev, table_bar, table_off, table) ||
	    !msix_fits(dev, pba_bar, pba_off, pba))
		return -EINVAL;
	off = vu_cap_add(dev, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	if (off < 0)
		return off;
	err = vu_irq_setup(dev, VFIO_PCI_MSIX_IRQ_INDEX, vectors);
	if (err)
		return err;
	dev->irq.msix_entries = calloc(1, table);
	if (!dev->irq.msix_entries)
		return -ENOMEM;
	dev->irq.msix_table = table_off;
	dev->irq.msix_table_bar = table_bar;
	dev->irq.msix_pba = pba_off;
	dev->irq.msix_pba_bar = pba_bar;
	at = (unsigned int)off;
	vu_config_init(dev, at + PCI_MSIX_FLAGS, 2, vectors - 1,
		       PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 0);
	vu_config_init(dev, at + PCI_MSIX_TABLE, 4, table_off | (uint32_t)table_bar, 0, 0);
	vu_config_init(dev, at + PCI_MSIX_PBA, 4, pba_off | (uint32_t)pba_bar, 0, 0);
	dev->cfg.msix = at;
	return off;
}

int vu_add_vendor(struct vu_dev *dev, const void *data, unsigned int bytes)
{
	const uint8_t *src = data;
	int off = bytes > 0xff - 3 ? -EINVAL : vu_cap_add(dev, PCI_CAP_ID_VNDR, bytes + 3);

	if (off < 0)
		return off;
	vu_config_init(dev, (unsigned int)off + 2, 1, bytes + 3, 0, 0);
	for (unsigned int i = 0; i < bytes; i++)
		vu_config_init(dev, (unsigned int)off + 3 + i, 1, src[i], 0, 0);
	return off;
}

int vu_add_aer(struct vu_dev *dev)
{
	int off = vu_ext_cap_add(dev, PCI_EXT_CAP_ID_ERR, 2, 0x48);
	unsigned int at = (unsigned int)off;
	uint32_t uncor = 0x01fff030, cor = 0xf1c1;

	if (off < 0)
		return off;
	vu_config_init(dev, at + PCI_ERR_UNCOR_STATUS, 4, 0, 0, uncor);
	vu_config_init(dev, at + PCI_ERR_UNCOR_MASK, 4, 0x00400000, uncor, 0);
	vu_config_init(dev, at + PCI_ERR_UNCOR_SEVER, 4, 0x00462030, uncor, 0);
	vu_config_init(dev, at + PCI_ERR_COR_STATUS, 4, 0, 0, cor);
	vu_config_init(dev, at + PCI_ERR_COR_MASK, 4, 0xe000, cor, 0);
	return off;
}

int vu_add_dsn(struct vu_dev *dev, uint64_t serial)
{
	int off = vu_ext_cap_add(dev, PCI_EXT_CAP_ID_DSN, 1, PCI_EXT_CAP_DSN_SIZEOF);

	if (off < 0)
		return off;
	vu_config_init(dev, (unsigned int)off + 4, 4, (uint32_t)serial, 0, 0);
	vu_config_init(dev, (unsigned int)off + 8, 4, (uint32_t)(serial >> 32), 0, 0);
	return off;
}
