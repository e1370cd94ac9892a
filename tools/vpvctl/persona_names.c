// SPDX-License-Identifier: GPL-2.0
/* Names that maps have for capabilities and registers. */
#include <linux/pci_regs.h>

#include "persona_map.h"

static const struct map_register registers[] = {
	{ "vendor", PCI_VENDOR_ID, 2, 0, 0xffff },
	{ "device", PCI_DEVICE_ID, 2, 0, 0xffff },
	{ "command", PCI_COMMAND, 2, 0, 0xffff },
	/* Capabilities List is the persona's. */
	{ "status", PCI_STATUS, 2, 0, 0xffff & ~PCI_STATUS_CAP_LIST },
	{ "revision", PCI_REVISION_ID, 1, 0, 0xff },
	{ "class", PCI_CLASS_REVISION, 4, 8, 0xffffff00 },
	{ "cache_line", PCI_CACHE_LINE_SIZE, 1, 0, 0xff },
	{ "latency", PCI_LATENCY_TIMER, 1, 0, 0xff },
	{ "header_type", PCI_HEADER_TYPE, 1, 0, 0xff },
	{ "bist", PCI_BIST, 1, 0, 0xff },
	{ "cardbus_cis", PCI_CARDBUS_CIS, 4, 0, 0xffffffff },
	{ "subvendor", PCI_SUBSYSTEM_VENDOR_ID, 2, 0, 0xffff },
	{ "subdevice", PCI_SUBSYSTEM_ID, 2, 0, 0xffff },
	{ "interrupt_line", PCI_INTERRUPT_LINE, 1, 0, 0xff },
	{ "interrupt_pin", PCI_INTERRUPT_PIN, 1, 0, 0xff },
	{ "min_grant", PCI_MIN_GNT, 1, 0, 0xff },
	{ "max_latency", PCI_MAX_LAT, 1, 0, 0xff },
};

static const struct {
	const char *name;
	u16 id;
	bool ext;
} caps[] = {
	{ "pm", PCI_CAP_ID_PM, false },
	{ "agp", PCI_CAP_ID_AGP, false },
	{ "vpd", PCI_CAP_ID_VPD, false },
	{ "msi", PCI_CAP_ID_MSI, false },
	{ "pcix", PCI_CAP_ID_PCIX, false },
	{ "ht", PCI_CAP_ID_HT, false },
	{ "vndr", PCI_CAP_ID_VNDR, false },
	{ "exp", PCI_CAP_ID_EXP, false },
	{ "msix", PCI_CAP_ID_MSIX, false },
	{ "sata", PCI_CAP_ID_SATA, false },
	{ "af", PCI_CAP_ID_AF, false },
	{ "none", 0, true },
	{ "aer", PCI_EXT_CAP_ID_ERR, true },
	{ "vc", PCI_EXT_CAP_ID_VC, true },
	{ "dsn", PCI_EXT_CAP_ID_DSN, true },
	{ "power_budget", PCI_EXT_CAP_ID_PWR, true },
	{ "mfvc", PCI_EXT_CAP_ID_MFVC, true },
	{ "vc9", PCI_EXT_CAP_ID_VC9, true },
	{ "vndr", PCI_EXT_CAP_ID_VNDR, true },
	{ "acs", PCI_EXT_CAP_ID_ACS, true },
	{ "ari", PCI_EXT_CAP_ID_ARI, true },
	{ "ats", PCI_EXT_CAP_ID_ATS, true },
	{ "sriov", PCI_EXT_CAP_ID_SRIOV, true },
	{ "multicast", PCI_EXT_CAP_ID_MCAST, true },
	{ "pri", PCI_EXT_CAP_ID_PRI, true },
	{ "rebar", PCI_EXT_CAP_ID_REBAR, true },
	{ "dpa", PCI_EXT_CAP_ID_DPA, true },
	{ "tph", PCI_EXT_CAP_ID_TPH, true },
	{ "ltr", PCI_EXT_CAP_ID_LTR, true },
	{ "dvsec", PCI_EXT_CAP_ID_DVSEC, true },
};

/* Only for comments and tables. */
static const struct {
	u16 id;
	bool ext;
	u8 off;
	const char *text;
} texts[] = {
	{ PCI_CAP_ID_PM, false, PCI_PM_PMC, "PM capabilities" },
	{ PCI_CAP_ID_PM, false, PCI_PM_CTRL, "PM control and status" },
	{ PCI_CAP_ID_VPD, false, PCI_VPD_ADDR, "VPD address" },
	{ PCI_CAP_ID_VPD, false, PCI_VPD_DATA, "VPD data" },
	{ PCI_CAP_ID_MSI, false, PCI_MSI_FLAGS, "message control" },
	{ PCI_CAP_ID_MSI, false, PCI_MSI_ADDRESS_LO, "message address" },
	{ PCI_CAP_ID_VNDR, false, 2, "length" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_FLAGS, "PCI Express capabilities" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_DEVCAP, "device capabilities" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_DEVCTL, "device control" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_DEVSTA, "device status" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKCAP, "link capabilities" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKCTL, "link control" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKSTA, "link status" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_DEVCAP2, "device capabilities 2" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_DEVCTL2, "device control 2" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKCAP2, "link capabilities 2" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKCTL2, "link control 2" },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKSTA2, "link status 2" },
	{ PCI_CAP_ID_MSIX, false, PCI_MSIX_FLAGS, "message control" },
	{ PCI_CAP_ID_MSIX, false, PCI_MSIX_TABLE, "table: offset and BAR" },
	{ PCI_CAP_ID_MSIX, false, PCI_MSIX_PBA, "pending bits: offset and BAR" },
	{ PCI_CAP_ID_AF, false, PCI_AF_LENGTH, "length" },
	{ PCI_CAP_ID_AF, false, PCI_AF_CAP, "AF capabilities" },
	{ PCI_CAP_ID_AF, false, PCI_AF_CTRL, "AF control" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_UNCOR_STATUS, "uncorrectable status" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_UNCOR_MASK, "uncorrectable mask" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_UNCOR_SEVER, "uncorrectable severity" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_COR_STATUS, "correctable status" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_COR_MASK, "correctable mask" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_CAP, "AER capabilities and control" },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_HEADER_LOG, "header log" },
	{ PCI_EXT_CAP_ID_DSN, true, 4, "serial number, low half" },
	{ PCI_EXT_CAP_ID_DSN, true, 8, "serial number, high half" },
	{ PCI_EXT_CAP_ID_VNDR, true, PCI_VNDR_HEADER, "id, revision and length" },
	{ PCI_EXT_CAP_ID_DVSEC, true, 4, "vendor, revision and length" },
};

static const struct {
	const char *name;
	u8 type;
} bar_types[] = {
	{ "io", PCI_BASE_ADDRESS_SPACE_IO },
	{ "mem32", PCI_BASE_ADDRESS_MEM_TYPE_32 },
	{ "mem1m", PCI_BASE_ADDRESS_MEM_TYPE_1M },
	{ "mem64", PCI_BASE_ADDRESS_MEM_TYPE_64 },
};

static bool same(const char *name, const char *text, size_t bytes)
{
	return strlen(name) == bytes && !memcmp(name, text, bytes);
}

const char *map_bar_type_name(u8 type)
{
	u8 kind = type & PCI_BASE_ADDRESS_SPACE_IO ? PCI_BASE_ADDRESS_SPACE_IO :
		  type & PCI_BASE_ADDRESS_MEM_TYPE_MASK;

	for (size_t i = 0; i < ARRAY_SIZE(bar_types); i++)
		if (bar_types[i].type == kind)
			return bar_types[i].name;
	return "mem32";
}

int map_bar_type(const char *name, size_t bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(bar_types); i++)
		if (same(bar_types[i].name, name, bytes))
			return bar_types[i].type;
	return -1;
}

const struct map_register *map_register_find(const char *name, size_t bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		if (same(registers[i].name, name, bytes))
			return &registers[i];
	return NULL;
}

const struct map_register *map_register_of(const struct vcfg_persona_field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		if (registers[i].pos == f->pos && registers[i].bytes == f->bytes &&
		    registers[i].bits == f->bits)
			return &registers[i];
	return NULL;
}

const char *map_cap_name(unsigned int id, bool ext)
{
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		if (caps[i].id == id && caps[i].ext == ext)
			return caps[i].name;
	return NULL;
}

int map_cap_id(const char *name, size_t bytes, bool ext)
{
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		if (caps[i].ext == ext && same(caps[i].name, name, bytes))
			return caps[i].id;
	return -1;
}

const char *map_register_text(const struct vcfg_persona_cap *cap, unsigned int off)
{
	if (!cap) {
		for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
			if (registers[i].pos == off)
				return registers[i].name;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].id == cap->id && texts[i].ext == cap->ext &&
		    texts[i].off == off)
			return texts[i].text;
	return NULL;
}

const char *map_source_name(unsigned int source)
{
	static const char *const names[] = {
		[VPV_PERSONA_HIDDEN] = "hidden",
		[VPV_PERSONA_HW] = "hw",
		[VPV_PERSONA_FIXED] = "fixed",
		[VPV_PERSONA_EMULATED] = "emulated",
		[VPV_PERSONA_CALLBACK] = "callback",
	};

	return source < ARRAY_SIZE(names) ? names[source] : "?";
}
