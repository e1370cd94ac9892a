// SPDX-License-Identifier: GPL-2.0
/*
 * The device that a persona is for: its config space and its BARs, from sysfs, or
 * from a file with what lspci -xxxx or sysfs gave on another machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <unistd.h>

#include "pci.h"
#include "persona_map.h"
#include "vpvctl.h"

/* From linux/ioport.h: flags in the sysfs file "resource". */
#define RESOURCE_IO		0x100
#define RESOURCE_MEM		0x200
#define RESOURCE_FLAG_BITS	0xf	/* of the register */

static char *device_path(const char *bdf, const char *name)
{
	return xformat("%s/sys/bus/pci/devices/%s/%s", vpvctl.root, bdf, name);
}

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

static bool read_hex(const char *bdf, const char *name, unsigned int *val,
		     char **error)
{
	char *path = device_path(bdf, name);
	FILE *from = fopen(path, "re");
	bool good = from && fscanf(from, "%x", val) == 1;

	if (from)
		fclose(from);
	if (!good)
		*error = xformat("%s: no number", path);
	free(path);
	return good;
}

/* Lines 0 to 5 are the BARs, line 6 the ROM: "start end flags". */
static bool read_resources(struct persona_device *dev, const char *bdf, char **error)
{
	char *path = device_path(bdf, "resource");
	FILE *from = fopen(path, "re");
	u64 start, end, flags;

	if (!from) {
		*error = xformat("%s: %s", path, strerror(errno));
		free(path);
		return false;
	}
	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		if (fscanf(from, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) !=
		    3)
			break;
		if (!(flags & (RESOURCE_IO | RESOURCE_MEM)) || end < start)
			continue;
		if (i == VPV_PERSONA_ROM) {
			dev->hw.rom_bytes = end - start + 1;
			continue;
		}
		dev->hw.bar_bytes[i] = end - start + 1;
		dev->hw.bar_flags[i] = flags & RESOURCE_FLAG_BITS;
		if (flags & RESOURCE_IO)
			dev->hw.bar_flags[i] = PCI_BASE_ADDRESS_SPACE_IO;
	}
	fclose(from);
	free(path);
	return true;
}

/* Registers of a VF do not tell its ids; the kernel knows them. */
static bool fix_vf(struct persona_device *dev, const char *bdf, char **error)
{
	static const struct {
		const char *name;
		unsigned int pos;
	} ids[] = {
		{ "vendor", PCI_VENDOR_ID },
		{ "device", PCI_DEVICE_ID },
	};
	char *path = device_path(bdf, "physfn");

	dev->vf = !access(path, F_OK);
	free(path);
	for (size_t i = 0; dev->vf && i < ARRAY_SIZE(ids); i++) {
		unsigned int val;

		if (!read_hex(bdf, ids[i].name, &val, error))
			return false;
		put_unaligned_le16((u16)val, dev->config + ids[i].pos);
	}
	return true;
}

bool persona_device_open(struct persona_device *dev, const char *text, char **error)
{
	char bdf[24], *path;
	bool good;

	if (!pci_parse(text, bdf, sizeof(bdf)))
		usage_error("'%s' is no PCI address", text);
	path = device_path(bdf, "config");
	good = read_config(dev, path, error);
	free(path);
	return good && read_resources(dev, bdf, error) &&
	       fix_vf(dev, bdf, error);
}

bool persona_device_file(struct persona_device *dev, const char *path, char **error)
{
	if (!read_config(dev, path, error))
		return false;
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		u8 low = dev->config[PCI_BASE_ADDRESS_0 + 4 * i];

		dev->hw.bar_flags[i] = low & PCI_BASE_ADDRESS_SPACE_IO ?
			PCI_BASE_ADDRESS_SPACE_IO : low & RESOURCE_FLAG_BITS;
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
