// SPDX-License-Identifier: GPL-2.0
/* linux/pci.h: BARs that a CPU cannot map are marked (after 6.12). */
#include <linux/pci.h>

int probe(struct pci_dev *pdev)
{
	return pdev->non_mappable_bars;
}
