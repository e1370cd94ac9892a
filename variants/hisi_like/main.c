// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of hisi_like accelerators: ids, declarations and registration.
 * Registers are touched in hw.c, migration is in migrate.c.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "hisi_like.h"
#include "persona_v1.h"

#define HISIL_NAME "vpv_hisi_like"

static int hisil_init(struct vpv_device *vpv)
{
	struct hisil_dev *hd = hisil_from_vpv(vpv);

	mutex_init(&hd->cp_lock);
	return vmig_init(&hd->mig, &vpv->vdev, &hisil_mig_ops, &hisil_mig_desc);
}

static void hisil_fini(struct vpv_device *vpv)
{
	struct hisil_dev *hd = hisil_from_vpv(vpv);

	vmig_fini(&hd->mig);
	hisil_unstage(hd);
	mutex_destroy(&hd->cp_lock);
}

static int hisil_open(struct vpv_device *vpv)
{
	struct hisil_dev *hd = hisil_from_vpv(vpv);
	int err;

	err = hisil_hw_identify(hd, &hd->id);
	if (err)
		return err;
	vmig_open(&hd->mig);
	return 0;
}

static void hisil_close(struct vpv_device *vpv)
{
	struct hisil_dev *hd = hisil_from_vpv(vpv);

	vmig_close(&hd->mig);
	hisil_unstage(hd);
}

static void hisil_reset_done(struct vpv_device *vpv)
{
	vmig_reset_done(&hisil_from_vpv(vpv)->mig);
}

static void hisil_detach(struct vpv_device *vpv)
{
	vmig_detach(&hisil_from_vpv(vpv)->mig);
}

/* The control page is the upper half of its BAR: a user must not reach it. */
static const struct vpv_bar_rule hisil_rules[] = {
	{ .bar = HISIL_BAR, .kind = VPV_BAR_HIDE_ABOVE, .shift = 1 },
};

static const struct vpv_persona_blob hisil_personas[] = {
	{ hisil_persona_v1, sizeof(hisil_persona_v1) },
};

static const struct vfio_device_ops hisil_vfio_ops = {
	VPV_VFIO_OPS(HISIL_NAME)
};

static const struct vpv_variant hisil_variant = {
	.vfio_ops = &hisil_vfio_ops,
	.device_bytes = sizeof(struct hisil_dev),
	.rules = hisil_rules,
	.num_rules = ARRAY_SIZE(hisil_rules),
	.personas = hisil_personas,
	.num_personas = ARRAY_SIZE(hisil_personas),
	.init = hisil_init,
	.fini = hisil_fini,
	.open = hisil_open,
	.close = hisil_close,
	.reset_done = hisil_reset_done,
	.remove = hisil_detach,
};

static int hisil_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return vpv_probe(pdev, &hisil_variant);
}

static const struct pci_device_id hisil_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1234, 0x7610) },
	{ }
};
MODULE_DEVICE_TABLE(pci, hisil_ids);

static struct pci_driver hisil_driver = {
	.name = HISIL_NAME,
	.id_table = hisil_ids,
	.probe = hisil_probe,
	.remove = vpv_remove,
	.err_handler = &vpv_err_handlers,
	.driver.pm = &vpv_pm_ops,
	.driver_managed_dma = true,
};
module_pci_driver(hisil_driver);

static_assert(offsetof(struct hisil_dev, vpv) == 0);

MODULE_DESCRIPTION("VFIO driver of hisi_like accelerators, with live migration");
MODULE_LICENSE("GPL");
