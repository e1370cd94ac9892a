// SPDX-License-Identifier: GPL-2.0
/* PCI functions as sysfs shows them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "pci.h"
#include "vpvctl.h"

bool pci_parse(const char *text, char *bdf, size_t size)
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text) || strlen(text) > 16)
		return false;
	if (sscanf(text, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) != 4) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%x:%x.%x%n", &bus, &slot, &function, &end) != 3)
			return false;
	}
	if (text[end] || bus > 0xff || slot > 0x1f || function > 7)
		return false;
	snprintf(bdf, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return true;
}

static uint32_t read_hex(const char *bdf, const char *name)
{
	char text[32];

	if (read_line(at("/sys/bus/pci/devices/%s/%s", bdf, name).s, text, sizeof(text)))
		return 0;
	return strtoul(text, NULL, 16);
}

static void load_regions(struct pci_fn *fn)
{
	char *text = read_bytes(at("/sys/bus/pci/devices/%s/resource", fn->bdf).s, NULL);
	char *line = text;

	for (int i = 0; line && i < PCI_REGIONS; i++) {
		uint64_t start, end, flags;

		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) != 3)
			break;
		if (end > start) {
			fn->bar_bytes[i] = end - start + 1;
			fn->bar_flags[i] = flags;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	free(text);
}

static void load_vfio(struct pci_fn *fn)
{
	char **names;
	int n = list_dir(at("/sys/bus/pci/devices/%s/vfio-dev", fn->bdf).s, &names);

	if (n > 0)
		snprintf(fn->vfio, sizeof(fn->vfio), "%.31s", names[0]);
	free_names(names, n);
}

int pci_load(const char *bdf, struct pci_fn *fn)
{
	struct pci_fn fresh = { 0 };

	/* @bdf may be a part of @fn. */
	snprintf(fresh.bdf, sizeof(fresh.bdf), "%s", bdf);
	*fn = fresh;
	bdf = fn->bdf;
	if (!exists(at("/sys/bus/pci/devices/%s", bdf).s))
		return -ENODEV;

	fn->vendor = read_hex(bdf, "vendor");
	fn->device = read_hex(bdf, "device");
	fn->subvendor = read_hex(bdf, "subsystem_vendor");
	fn->subdevice = read_hex(bdf, "subsystem_device");
	fn->class = read_hex(bdf, "class");
	fn->revision = read_hex(bdf, "revision");
	read_line(at("/sys/bus/pci/devices/%s/modalias", bdf).s, fn->modalias,
		  sizeof(fn->modalias));
	read_line(at("/sys/bus/pci/devices/%s/driver_override", bdf).s, fn->override,
		  sizeof(fn->override));
	if (!strcmp(fn->override, "(null)"))
		fn->override[0] = 0;
	link_name(at("/sys/bus/pci/devices/%s/driver", bdf).s, fn->driver, sizeof(fn->driver));
	link_name(at("/sys/bus/pci/devices/%s/iommu_group", bdf).s, fn->group,
		  sizeof(fn->group));
	load_vfio(fn);
	load_regions(fn);
	return 0;
}

void pci_operand(const char *text, struct pci_fn *fn)
{
	char bdf[24];

	if (!pci_parse(text, bdf, sizeof(bdf)))
		usage_error("'%s' is no PCI address such as 0000:05:00.0", text);
	if (pci_load(bdf, fn))
		exit(fail("there is no PCI function %s", bdf));
}

bool pci_is_bridge(const struct pci_fn *fn)
{
	return fn->class >> 8 == 0x0604;
}

int pci_all(struct pci_fn **fns)
{
	char **names;
	int n = list_dir(at("/sys/bus/pci/devices").s, &names);
	int have = 0;

	*fns = NULL;
	if (n < 0)
		return n;
	*fns = xalloc((n + 1) * sizeof(**fns));
	for (int i = 0; i < n; i++)
		if (!pci_load(names[i], &(*fns)[have]))
			have++;
	free_names(names, n);
	return have;
}

/* Drivers that leave DMA to the owner of the group. */
static bool driver_shares_group(const char *driver)
{
	static const char * const sharing[] = { "", "pci-stub", "pcieport", "pciback" };

	for (size_t i = 0; i < sizeof(sharing) / sizeof(sharing[0]); i++)
		if (!strcmp(driver, sharing[i]))
			return true;
	return false;
}

bool pci_group_blocker(const struct pci_fn *fn, char bdf[24], char driver[64])
{
	char **names;
	bool found = false;
	int n;

	if (!fn->group[0])
		return false;
	n = list_dir(at("/sys/kernel/iommu_groups/%s/devices", fn->group).s, &names);
	for (int i = 0; i < n && !found; i++) {
		struct pci_fn other;

		if (!strcmp(names[i], fn->bdf) || pci_load(names[i], &other))
			continue;
		found = !other.vfio[0] && !driver_shares_group(other.driver);
		snprintf(bdf, 24, "%s", other.bdf);
		snprintf(driver, 64, "%s", other.driver);
	}
	free_names(names, n);
	return found;
}

void pci_group_node(const struct pci_fn *fn, char *node, size_t size)
{
	node[0] = 0;
	if (!fn->group[0])
		return;
	if (exists(at("/dev/vfio/%s", fn->group).s))
		snprintf(node, size, "/dev/vfio/%s", fn->group);
	else if (exists(at("/dev/vfio/noiommu-%s", fn->group).s))
		snprintf(node, size, "/dev/vfio/noiommu-%s", fn->group);
}

void pci_vfio_node(const struct pci_fn *fn, char *node, size_t size)
{
	node[0] = 0;
	if (!fn->vfio[0])
		return;
	if (exists(at("/dev/vfio/devices/%s", fn->vfio).s))
		snprintf(node, size, "/dev/vfio/devices/%s", fn->vfio);
	else
		pci_group_node(fn, node, size);
}
