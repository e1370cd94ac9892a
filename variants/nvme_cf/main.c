// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of migratable controllers of nvme_cf: which ones these are, life of a device and
 * declarations.  Other NVMe controllers are given to users as they are.
 */
#include "identity.h"
#include "nvme_cf.h"
#include "persona_v1.h"

#define NVCF_NAME "vpv_nvme_cf"

/* Is the managing controller of a subsystem in this host, with a driver or without? */
static bool has_managing(u64 serial)
{
	struct nvcf_identity id;
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(NVCF_VENDOR, NVCF_CTRL_DEVICE, pdev))) {
		if (!nvcf_identify(pdev, &id) && id.role == NVCF_ROLE_MANAGING &&
		    id.serial == serial) {
			pci_dev_put(pdev);
			return true;
		}
	}
	return false;
}

/* ---- Controllers that migrate ---- */

static int nvcf_init(struct vpv_device *vpv)
{
	struct nvcf_dev *nd = nvcf_from_vpv(vpv);

	mutex_init(&nd->power);
	INIT_DELAYED_WORK(&nd->look, nvcf_look);
	nd->watch = (struct vpv_control_watch){
		.controlled = &vpv->pdev->dev,
		.family = NVCF_FAMILY,
		.changed = nvcf_changed,
	};
	return 0;
}

static void nvcf_fini(struct vpv_device *vpv)
{
	struct nvcf_dev *nd = nvcf_from_vpv(vpv);

	nvcf_forget(nd);
	mutex_destroy(&nd->power);
}

static int nvcf_open(struct vpv_device *vpv)
{
	struct nvcf_dev *nd = nvcf_from_vpv(vpv);
	int err;

	vpv_control_watch(&nd->watch);
	err = nvcf_awaken(nd);
	if (err)
		vpv_control_unwatch(&nd->watch);
	return err;
}

static void nvcf_close(struct vpv_device *vpv)
{
	struct nvcf_dev *nd = nvcf_from_vpv(vpv);

	vpv_control_unwatch(&nd->watch);
	nvcf_forget(nd);
	/* The next user may see another one. */
	nd->known = (struct nvcf_match){};
	/* Of a start that the device refused. */
	kvfree(nd->report);
	nd->report = NULL;
}

static const struct vpv_persona_blob nvcf_personas[] = {
	{ nvcf_persona_v1, sizeof(nvcf_persona_v1) },
};

/* The identity capability is the host's: a user does not see it unless told to. */
static const struct vpv_variant nvcf_variant = {
	VPV_VARIANT_OF(NVCF_NAME, struct nvcf_dev),
	VPV_MIGRATES_BY(&nvcf_mig_ops, &nvcf_mig_desc),
	.personas = nvcf_personas,
	.num_personas = ARRAY_SIZE(nvcf_personas),
	.persona = "nvme_cf-v1",
	.init = nvcf_init,
	.fini = nvcf_fini,
	.open = nvcf_open,
	.close = nvcf_close,
};

/* ---- All others ---- */

static const struct vpv_variant plain_variant = {
	VPV_VARIANT_OF(NVCF_NAME, struct vpv_device),
};

static int plain_probe(struct pci_dev *pdev, const char *why)
{
	if (pdev->class != NVS_CLASS_IO)
		return -ENODEV;
	pci_info(pdev, "will not migrate: %s\n", why);
	return vpv_probe(pdev, &plain_variant);
}

/*
 * A migratable controller is not given to users before it has a profile, that is, before its
 * managing controller publishes it.
 */
static int nvcf_probe(struct pci_dev *pdev, const struct pci_device_id *ids)
{
	struct nvcf_identity id;

	if (nvcf_identify(pdev, &id))
		return plain_probe(pdev, "no identity capability");
	if (id.role != NVCF_ROLE_MIGRATABLE)
		return -ENODEV;
	if (vpv_control_published(&pdev->dev, NVCF_FAMILY))
		return vpv_probe(pdev, &nvcf_variant);
	return has_managing(id.serial) ? -EPROBE_DEFER :
					 plain_probe(pdev, "no managing controller");
}

static const struct pci_device_id nvcf_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(NVCF_VENDOR, NVCF_FN_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, nvcf_ids);

vpv_module_driver(NVCF_NAME, nvcf, nvcf_probe, nvcf_ids);

MODULE_DESCRIPTION("VFIO driver of NVMe controllers, with live migration of nvme_cf");
MODULE_LICENSE("GPL");
