// SPDX-License-Identifier: GPL-2.0
/*
 * A driver of a PF that leaves its VFs behind when it is unbound, for selftests.  It
 * binds by driver_override alone.
 */
#include <linux/module.h>
#include <linux/pci.h>

static int test_pf_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return pdev->is_physfn ? 0 : -ENODEV;
}

static const struct pci_device_id test_pf_ids[] = {
	{ PCI_DEVICE_DRIVER_OVERRIDE(PCI_ANY_ID, PCI_ANY_ID, 1) },
	{ }
};

static struct pci_driver test_pf_driver = {
	.name = "vpv_test_pf",
	.id_table = test_pf_ids,
	.probe = test_pf_probe,
	.sriov_configure = pci_sriov_configure_simple,
};
module_pci_driver(test_pf_driver);

MODULE_DESCRIPTION("PF whose VFs outlive its driver, for selftests");
MODULE_LICENSE("GPL");
