// SPDX-License-Identifier: GPL-2.0
/*
 * The device that a persona is for: its config space and its BARs, from sysfs, or
 * from a file with what lspci -xxxx or sysfs gave on another machine.
 */
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "files.h"
#include "pci.h"
#include "persona_map.h"
#include "vpvctl.h"

#define BAR_FLAG_BITS	0xf	/* of the register */

static bool read_config(struct persona_device *dev, const char *path, char **error)
{
	size_t bytes;
	u8 *data = persona_read_file(path, VCFG_MAX_BYTES, &bytes, error);

	if (!data)
		return false;
	memcpy(dev->config, data, bytes);
	free(data);
	dev->hw.config = dev->config;
	dev->hw.bytes = (unsigned int)bytes;
	if (bytes == PCI_CFG_SPACE_SIZE || bytes == VCFG_MAX_BYTES)
		return true;
	if (bytes == PCI_STD_HEADER_SIZEOF)
		*error = xformat("%s: only the header is readable; root reads all", path);
	else
		*error = xformat("%s: %zu bytes, a config space has 256 or 4096", path,
				 bytes);
	return false;
}

/* What is not in config space, or not as the user sees it: sizes of BARs, and a VF's ids. */
static void take_function(struct persona_device *dev, const struct pci_fn *fn)
{
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		dev->hw.bar_bytes[i] = fn->bar_bytes[i];
		dev->hw.bar_flags[i] = fn->bar_flags[i] & PCI_FLAG_IO ?
			PCI_BASE_ADDRESS_SPACE_IO : fn->bar_flags[i] & BAR_FLAG_BITS;
	}
	dev->hw.rom_bytes = fn->bar_bytes[PCI_BARS];
	dev->vf = exists(at("/sys/bus/pci/devices/%s/physfn", fn->bdf).s);
	if (!dev->vf)
		return;
	put_unaligned_le16(fn->vendor, dev->config + PCI_VENDOR_ID);
	put_unaligned_le16(fn->device, dev->config + PCI_DEVICE_ID);
}

bool persona_device_open(struct persona_device *dev, const char *text, char **error)
{
	struct path resource;
	struct pci_fn fn;

	*error = NULL;
	pci_operand(text, &fn);
	resource = at("/sys/bus/pci/devices/%s/resource", fn.bdf);
	if (!exists(resource.s))
		*error = xformat("%s: No such file", resource.s);
	else if (read_config(dev, at("/sys/bus/pci/devices/%s/config", fn.bdf).s, error))
		take_function(dev, &fn);
	return !*error;
}

bool persona_device_file(struct persona_device *dev, const char *path, char **error)
{
	if (!read_config(dev, path, error))
		return false;
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		u8 low = dev->config[PCI_BASE_ADDRESS_0 + 4 * i];

		dev->hw.bar_flags[i] = low & PCI_BASE_ADDRESS_SPACE_IO ?
			PCI_BASE_ADDRESS_SPACE_IO : low & BAR_FLAG_BITS;
	}
	return true;
}

/* "N=SIZE" or "rom=SIZE": the size is not in a file of config space. */
bool persona_device_bar(struct persona_device *dev, const char *option)
{
	const char *eq = strchr(option, '=');
	struct map_error error;
	struct map_lexer lex;
	u64 bytes;

	if (!eq || !map_lex_begin(&lex, eq + 1, strlen(eq + 1), &error) ||
	    !map_lex_size(&lex, &bytes) || lex.token != TOKEN_END)
		return false;
	if (eq - option == 3 && !memcmp(option, "rom", 3)) {
		dev->hw.rom_bytes = bytes;
		return true;
	}
	if (eq - option != 1 || *option < '0' || *option >= '0' + VCFG_BARS)
		return false;
	dev->hw.bar_bytes[*option - '0'] = bytes;
	return true;
}
