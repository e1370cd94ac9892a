// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that the host may be showing its console on: the framebuffer that firmware
 * has set up lies in a BAR of theirs, and a driver that knows nothing of PCI (efifb,
 * vesafb, simpledrm) has it and writes to it.  It goes when such a function is bound.
 *
 * The legacy VGA ranges are never given to users.  The arbiter of the host is told that
 * the function does not need them, so that other displays can keep them.
 */
#include <linux/aperture.h>
#include <linux/vgaarb.h>

#include "vpv.h"

#define OWN	(VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM)
#define LEGACY	(VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM)

static bool is_vga(const struct pci_dev *pdev)
{
	return pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA;
}

static bool is_below(const struct pci_dev *pdev, struct pci_bus *bus)
{
	return pci_domain_nr(pdev->bus) == pci_domain_nr(bus) &&
	       pdev->bus->number >= bus->number &&
	       pdev->bus->number <= pci_bus_max_busnr(bus);
}

/* Would a bridge that leads the ranges to another display lead them to this one, too? */
static bool shares_bridge(struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;

	if (pci_is_root_bus(pdev->bus))
		return true;
	while ((other = pci_get_class(PCI_CLASS_DISPLAY_VGA << 8, other)))
		if (other != pdev && is_below(other, pdev->bus)) {
			pci_dev_put(other);
			return true;
		}
	return false;
}

/*
 * The arbiter asks.  Context: its spinlock.  A function decodes the ranges whenever it
 * decodes anything; what keeps them from it are bridges.
 */
static unsigned int decodes(struct pci_dev *pdev, bool alone)
{
	return alone || shares_bridge(pdev) ? OWN | LEGACY : OWN;
}

/* While probing.  Return: 0 or a negative errno. */
int vpv_display_init(struct vpv_device *vpv)
{
	struct pci_dev *pdev = vpv->pdev;
	int ret;

	if (pdev->class >> 16 != PCI_BASE_CLASS_DISPLAY)
		return 0;
	ret = aperture_remove_conflicting_pci_devices(pdev, vpv->vdev.ops->name);
	if (ret || !is_vga(pdev))
		return ret;

	ret = vga_client_register(pdev, decodes);
	if (!ret)
		vga_set_legacy_decoding(pdev, decodes(pdev, false));
	return ret;
}

/* After it has succeeded. */
void vpv_display_exit(struct vpv_device *vpv)
{
	if (!is_vga(vpv->pdev))
		return;
	vga_client_unregister(vpv->pdev);
	vga_set_legacy_decoding(vpv->pdev, OWN | LEGACY);
}
