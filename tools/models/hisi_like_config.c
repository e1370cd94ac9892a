// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like: config space, of which each firmware has its own.
 * Contract: Documentation/hardware/hisi_like.rst section 1.
 */
#include <linux/pci_regs.h>
#include <string.h>

#include "hisi_like.h"

#define SERIAL		0x1234761000000000ull
#define VSEC_BYTES	16u
#define LAYOUT_MAX	7

/* Vendor-specific capability behind its header: the build of the firmware. */
static const char *const builds[] = { "hsl fw 1.0.7", "hsl fw 2.1.0 build 5" };

static int firmware_of(const struct vu_dev *dev, uint64_t *firmware)
{
	*firmware = 1;
	return vu_option_u64(dev, "firmware", 1, 2, firmware);
}

/* The option was checked by hisil_revise(). */
uint64_t hisil_bar_bytes(const struct vu_dev *dev)
{
	uint64_t firmware;

	firmware_of(dev, &firmware);
	return HISIL_BAR_BYTES * firmware;
}

int hisil_revise(const struct vu_dev *dev, struct vu_model *own)
{
	uint64_t firmware;
	int err = firmware_of(dev, &firmware);

	if (err)
		return err;
	own->revision = (uint8_t)firmware;
	own->bars[HISIL_BAR].bytes = hisil_bar_bytes(dev);
	return 0;
}

static int add_pcie(struct vu_dev *dev, unsigned int firmware)
{
	(void)firmware;
	return vu_add_pcie(dev, true);
}

static int add_pm(struct vu_dev *dev, unsigned int firmware)
{
	(void)firmware;
	return vu_add_pm(dev);
}

static int add_msix(struct vu_dev *dev, unsigned int firmware)
{
	(void)firmware;
	return vu_add_msix(dev, HISIL_MAX_QUEUES, 4, 0, 4, 0x2000);
}

static int add_build(struct vu_dev *dev, unsigned int firmware)
{
	const char *text = builds[firmware - 1];

	return vu_add_vendor(dev, text, (unsigned int)strlen(text) + 1);
}

static int add_dsn(struct vu_dev *dev, unsigned int firmware)
{
	return vu_add_dsn(dev, SERIAL | firmware);
}

static int add_aer(struct vu_dev *dev, unsigned int firmware)
{
	(void)firmware;
	return vu_add_aer(dev);
}

static int add_vsec(struct vu_dev *dev, unsigned int firmware)
{
	int off = vu_ext_cap_add(dev, PCI_EXT_CAP_ID_VNDR, 1, VSEC_BYTES);

	if (off < 0)
		return off;
	vu_config_init(dev, (unsigned int)off + 4, 4, VSEC_BYTES << 20 | firmware << 16 | 0x48,
		       0, 0);
	vu_config_init(dev, (unsigned int)off + 8, 4, 0x20260901, 0, 0);
	return off;
}

/* In the order of the chains; both begin at the lowest place. */
static int (*const layouts[][LAYOUT_MAX])(struct vu_dev *dev, unsigned int firmware) = {
	{ add_pcie, add_pm, add_msix, add_build, add_dsn, add_aer },
	{ add_msix, add_build, add_pm, add_pcie, add_vsec, add_dsn, add_aer },
};

int hisil_add_capabilities(struct vu_dev *dev)
{
	uint64_t firmware;
	int off = firmware_of(dev, &firmware);

	for (int i = 0; i < LAYOUT_MAX && off >= 0 && layouts[firmware - 1][i]; i++)
		off = layouts[firmware - 1][i](dev, (unsigned int)firmware);
	return off < 0 ? off : 0;
}
