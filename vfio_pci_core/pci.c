// SPDX-License-Identifier: GPL-2.0
/*
 * vpv_pci, the driver of any PCI function: the core as it is, with the module
 * parameters of vfio-pci.  It binds by driver_override, by new_id and by ids=.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/string.h>

#include "vpv/core.h"

/* vfio-pci.c has another one. */
#ifndef NAME
#define NAME "vpv_pci"
#endif

static char ids[1024] __initdata;
module_param_string(ids, ids, sizeof(ids), 0);
MODULE_PARM_DESC(ids, "Functions to bind to at once: vendor:device[:subvendor[:subdevice[:class[:class_mask]]]], hexadecimal, separated by commas");

static bool nointxmask;
module_param(nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "Mask INTx at the interrupt controller, for functions whose Interrupt Disable does not work (their line is not shared then)");

static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "Keep functions that nobody uses in D0");

static bool enable_sriov;
module_param(enable_sriov, bool, 0644);
MODULE_PARM_DESC(enable_sriov, "Let sriov_numvfs make VFs of a PF whose driver is in user space, and has to support it");

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist, "Bind to functions with errata, too, by which their user can harm the host");

/* By their errata a user who programs them can harm the host. */
static const struct pci_device_id denied[] = {
	{ PCI_VDEVICE(INTEL, 0x0435) },	/* QAT DH895XCC, and its VFs */
	{ PCI_VDEVICE(INTEL, 0x0443) },
	{ PCI_VDEVICE(INTEL, 0x0b25) },	/* DSA of Sapphire Rapids */
	{ PCI_VDEVICE(INTEL, 0x0cfe) },	/* IAX of Sapphire Rapids */
	{ PCI_VDEVICE(INTEL, 0x19e2) },	/* QAT C3XXX, and its VFs */
	{ PCI_VDEVICE(INTEL, 0x19e3) },
	{ PCI_VDEVICE(INTEL, 0x37c8) },	/* QAT C62X, and its VFs */
	{ PCI_VDEVICE(INTEL, 0x37c9) },
	{ }
};

static bool is_denied(struct pci_dev *pdev)
{
	if (!pci_match_id(denied, pdev))
		return false;
	pci_warn(pdev, "%04x:%04x is on the denylist%s\n", pdev->vendor, pdev->device,
		 disable_denylist ? ", which is disabled" : "");
	return !disable_denylist;
}

/* These hold for the functions that are bound after they change. */
static int generic_init(struct vpv_device *vpv)
{
	vpv->options.no_intx_mask = nointxmask;
	vpv->options.no_idle_d3 = disable_idle_d3;
	return 0;
}

static const struct vfio_device_ops generic_vfio_ops = {
	VPV_VFIO_OPS(NAME)
};

static const struct vpv_variant generic_variant = {
	.vfio_ops = &generic_vfio_ops,
	.device_bytes = sizeof(struct vpv_device),
	.init = generic_init,
};

static int generic_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	if (is_denied(pdev))
		return -EINVAL;
	return vpv_probe(pdev, &generic_variant);
}

static int generic_sriov_configure(struct pci_dev *pdev, int num)
{
	return enable_sriov ? vpv_sriov_configure(pdev, num) : -ENOENT;
}

static const struct pci_device_id generic_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, generic_ids);

static struct pci_driver generic_driver = {
	.name = NAME,
	.id_table = generic_ids,
	.probe = generic_probe,
	.remove = vpv_remove,
	.sriov_configure = generic_sriov_configure,
	.err_handler = &vpv_err_handlers,
	.driver.pm = &vpv_pm_ops,
	.driver_managed_dma = true,
};

/* One entry of ids=.  Those that are left out match anything. */
static int __init add_id(const char *text)
{
	unsigned int id[6] = { 0, 0, PCI_ANY_ID, PCI_ANY_ID, 0, 0 };
	unsigned int fields = 0;
	int end = 0;

	/* Of one that is no number the end is not known. */
	do {
		text += end + (fields > 0);
		end = 0;
		if (sscanf(text, "%x%n", &id[fields], &end) != 1 || !end)
			return -EINVAL;
		fields++;
	} while (text[end] == ':' && fields < ARRAY_SIZE(id));
	if (fields < 2 || text[end])
		return -EINVAL;
	return pci_add_dynid(&generic_driver, id[0], id[1], id[2], id[3], id[4], id[5], 0);
}

static void __init add_ids(void)
{
	char *rest = ids, *text;
	int ret;

	while ((text = strsep(&rest, ","))) {
		if (!*text)
			continue;
		ret = add_id(text);
		if (ret)
			pr_warn("ids: cannot add \"%s\": %d\n", text, ret);
	}
}

static int __init generic_module_init(void)
{
	int ret;

	ret = pci_register_driver(&generic_driver);
	if (!ret)
		add_ids();
	return ret;
}
module_init(generic_module_init);

static void __exit generic_module_exit(void)
{
	pci_unregister_driver(&generic_driver);
}
module_exit(generic_module_exit);

MODULE_DESCRIPTION("VFIO driver of any PCI function");
MODULE_LICENSE("GPL");
