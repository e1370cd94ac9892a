// SPDX-License-Identifier: GPL-2.0
/* What a guest has written to config space: see written.h. */
#include <linux/pci_regs.h>

#include "written.h"

static const struct reg {
	bool aer;
	unsigned int pos;
	unsigned int bytes;
	uint32_t val;
} regs[] = {
	{ false, PCI_EXP_DEVCTL, 2, 0x5000 },
	{ false, PCI_EXP_DEVCTL2, 2, 0x0016 },
	{ true, PCI_ERR_UNCOR_MASK, 4, 0x00100030 },
	{ true, PCI_ERR_UNCOR_SEVER, 4, 0x00062010 },
	{ true, PCI_ERR_COR_MASK, 4, 0x00002001 },
};

/* Where the user sees an extended capability, or 0. */
static unsigned int find_ext(struct vdev *v, unsigned int id)
{
	unsigned int pos = 0x100;

	for (int left = 64; pos && left; left--) {
		uint32_t header = vdev_cfg(v, pos, 4);

		if ((header & 0xffff) == id)
			return pos;
		pos = header >> 20;
	}
	return 0;
}

static unsigned int each(struct vdev *v, bool write)
{
	unsigned int exp = vdev_find_cap(v, PCI_CAP_ID_EXP), done = 0;
	unsigned int aer = exp ? find_ext(v, PCI_EXT_CAP_ID_ERR) : 0;

	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		const struct reg *reg = &regs[i];
		unsigned int cap = reg->aer ? aer : exp;

		if (!cap)
			continue;
		if (write)
			done += !vdev_cfg_set(v, cap + reg->pos, reg->bytes, reg->val);
		else
			done += vdev_cfg(v, cap + reg->pos, reg->bytes) == reg->val;
	}
	return done;
}

unsigned int written_set(struct vdev *v)
{
	return each(v, true);
}

unsigned int written_left(struct vdev *v)
{
	return each(v, false);
}
