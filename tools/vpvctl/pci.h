/* SPDX-License-Identifier: GPL-2.0 */
/* PCI functions as sysfs shows them, and libvirt's choice of a VFIO driver. */
#ifndef VPVCTL_PCI_H
#define VPVCTL_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_BARS	6
#define PCI_REGIONS	7	/* and the expansion ROM */

/**
 * struct pci_fn - A function
 * @bdf: "0000:00:05.0".
 * @vendor, @device, @subvendor, @subdevice, @class, @revision: Its ids.
 * @driver: Driver that it is bound to, or "".
 * @override: driver_override, or "".
 * @group: Number of its IOMMU group, or "".
 * @vfio: "vfioN" if a VFIO driver has it, else "".
 * @modalias: What drivers are matched with.
 * @bar_bytes: Sizes; 0: absent.
 * @bar_flags: IORESOURCE_x as sysfs shows them.
 */
struct pci_fn {
	char bdf[24];
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
	uint32_t class;
	uint8_t revision;
	char driver[64];
	char override[64];
	char group[16];
	char vfio[32];
	char modalias[160];
	uint64_t bar_bytes[PCI_REGIONS];
	uint64_t bar_flags[PCI_REGIONS];
};

#define PCI_FLAG_IO		0x100
#define PCI_FLAG_PREFETCH	0x2000
#define PCI_FLAG_64		0x100000

/* "05:00.0" or "0000:05:00.0" to the latter; false if it is neither. */
bool pci_parse(const char *text, char *bdf, size_t size);

/* 0, or -ENODEV if there is no such function. */
int pci_load(const char *bdf, struct pci_fn *fn);

/* The operand DEV: ends with EXIT_USAGE or, if there is none such, with 1. */
void pci_operand(const char *text, struct pci_fn *fn);

bool pci_is_bridge(const struct pci_fn *fn);

/* All functions, by address.  Returns their number or -errno; free() the array. */
int pci_all(struct pci_fn **fns);

/**
 * pci_group_blocker() - Who keeps a function's IOMMU group from being viable
 * @fn: The function.
 * @bdf: Set to the first member with a driver that uses DMA for the kernel.
 * @driver: Set to that driver.
 *
 * Return: true if there is one.  @fn itself is not looked at.
 */
bool pci_group_blocker(const struct pci_fn *fn, char bdf[24], char driver[64]);

/* Place of the node of its IOMMU group, be there an IOMMU or not, or "". */
void pci_group_node(const struct pci_fn *fn, char *node, size_t size);

/* Place of the node that a VFIO user opens, or "". */
void pci_vfio_node(const struct pci_fn *fn, char *node, size_t size);

#define ALIAS_TIES 8

/**
 * struct alias_choice - What libvirt would bind
 * @module: Module with the most specific vfio_pci: alias; of equals the first.
 * @tied: All modules that are as specific, @module first.
 * @ties: Their number.
 */
struct alias_choice {
	char module[64];
	char tied[ALIAS_TIES][64];
	unsigned int ties;
};

/**
 * alias_choose() - Apply libvirt's rule
 * @fn: The function.
 * @choice: The result.
 *
 * Return: 0; -ESRCH if no alias matches; another -errno if there is no modules.alias.
 */
int alias_choose(const struct pci_fn *fn, struct alias_choice *choice);

/* Has @module a vfio_pci: alias for this function? */
bool alias_has(const struct pci_fn *fn, const char *module);

/* The driver of ours that is made for this function, be it installed or not; NULL if there is none. */
const char *family_driver(const struct pci_fn *fn);

/* '-' and '_' are the same in names of modules. */
bool module_same(const char *a, const char *b);

/* Release of the running kernel. */
void kernel_release(char *text, size_t size);

#endif /* VPVCTL_PCI_H */
