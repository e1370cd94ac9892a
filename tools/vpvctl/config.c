// SPDX-License-Identifier: GPL-2.0
/*
 * Config space as a VMM compares it: the chains of capabilities, and which bytes change
 * while a device works.  Pure; the bytes may be anything.
 */
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "../../include/vpv/pure.h"
#include "config.h"

/*
 * Fields that are zeroed.  @least is the smallest version of the capability (Express)
 * that has the field; 0: all.
 */
static const struct volatile_field {
	bool extended;
	u8 id;
	u8 least;
	u8 offset;
	u8 bytes;
} volatile_fields[] = {
	{ false, PCI_CAP_ID_PM,		0, PCI_PM_CTRL, 2 },
	{ false, PCI_CAP_ID_VPD,	0, PCI_VPD_ADDR, 6 },
	{ false, PCI_CAP_ID_EXP,	0, PCI_EXP_DEVCTL, 4 },
	{ false, PCI_CAP_ID_EXP,	0, PCI_EXP_LNKCTL, 4 },
	{ false, PCI_CAP_ID_EXP,	2, PCI_EXP_SLTCTL, 4 },
	{ false, PCI_CAP_ID_EXP,	2, PCI_EXP_RTCTL, 2 },
	{ false, PCI_CAP_ID_EXP,	2, PCI_EXP_RTSTA, 4 },
	{ false, PCI_CAP_ID_EXP,	2, PCI_EXP_DEVCTL2, 4 },
	{ false, PCI_CAP_ID_EXP,	2, PCI_EXP_LNKCTL2, 4 },
	{ false, PCI_CAP_ID_EXP,	2, PCI_EXP_SLTCTL2, 4 },
	{ false, PCI_CAP_ID_AF,		0, PCI_AF_CTRL, 2 },
	{ true, PCI_EXT_CAP_ID_ERR,	0, PCI_ERR_UNCOR_STATUS, 0x28 },
	{ true, PCI_EXT_CAP_ID_ACS,	0, PCI_ACS_CTRL, 2 },
	{ true, PCI_EXT_CAP_ID_ARI,	0, PCI_ARI_CTRL, 2 },
	{ true, PCI_EXT_CAP_ID_ATS,	0, PCI_ATS_CTRL, 2 },
	{ true, PCI_EXT_CAP_ID_SRIOV,	0, PCI_SRIOV_CTRL, 4 },
	{ true, PCI_EXT_CAP_ID_SRIOV,	0, PCI_SRIOV_NUM_VF, 2 },
	{ true, PCI_EXT_CAP_ID_SRIOV,	0, PCI_SRIOV_SYS_PGSIZE, 28 },
	{ true, PCI_EXT_CAP_ID_PRI,	0, PCI_PRI_CTRL, 4 },
	{ true, PCI_EXT_CAP_ID_PRI,	0, PCI_PRI_ALLOC_REQ, 4 },
	{ true, PCI_EXT_CAP_ID_REBAR,	0, PCI_REBAR_CTRL, 4 },
	{ true, PCI_EXT_CAP_ID_TPH,	0, 8, 4 },
	{ true, PCI_EXT_CAP_ID_LTR,	0, PCI_LTR_MAX_SNOOP_LAT, 4 },
	{ true, PCI_EXT_CAP_ID_PASID,	0, PCI_PASID_CTRL, 2 },
	{ true, PCI_EXT_CAP_ID_DPC,	0, PCI_EXP_DPC_CTL, 6 },
	{ true, PCI_EXT_CAP_ID_L1SS,	0, PCI_L1SS_CTL1, 8 },
	{ true, PCI_EXT_CAP_ID_PTM,	0, PCI_PTM_CTRL, 4 },
};

static const struct cap_name {
	bool extended;
	u16 id;
	const char *name;
} cap_names[] = {
	{ false, PCI_CAP_ID_PM, "power management" },
	{ false, PCI_CAP_ID_VPD, "VPD" },
	{ false, PCI_CAP_ID_MSI, "MSI" },
	{ false, PCI_CAP_ID_VNDR, "vendor-specific" },
	{ false, PCI_CAP_ID_EXP, "Express" },
	{ false, PCI_CAP_ID_MSIX, "MSI-X" },
	{ false, PCI_CAP_ID_AF, "advanced features" },
	{ true, PCI_EXT_CAP_ID_ERR, "AER" },
	{ true, PCI_EXT_CAP_ID_VC, "VC" },
	{ true, PCI_EXT_CAP_ID_DSN, "serial number" },
	{ true, PCI_EXT_CAP_ID_VNDR, "vendor-specific" },
	{ true, PCI_EXT_CAP_ID_ACS, "ACS" },
	{ true, PCI_EXT_CAP_ID_ARI, "ARI" },
	{ true, PCI_EXT_CAP_ID_ATS, "ATS" },
	{ true, PCI_EXT_CAP_ID_SRIOV, "SR-IOV" },
	{ true, PCI_EXT_CAP_ID_PRI, "PRI" },
	{ true, PCI_EXT_CAP_ID_REBAR, "resizable BAR" },
	{ true, PCI_EXT_CAP_ID_TPH, "TPH" },
	{ true, PCI_EXT_CAP_ID_LTR, "LTR" },
	{ true, PCI_EXT_CAP_ID_SECPCI, "secondary Express" },
	{ true, PCI_EXT_CAP_ID_PASID, "PASID" },
	{ true, PCI_EXT_CAP_ID_DPC, "DPC" },
	{ true, PCI_EXT_CAP_ID_L1SS, "L1 PM substates" },
	{ true, PCI_EXT_CAP_ID_PTM, "PTM" },
	{ true, PCI_EXT_CAP_ID_DVSEC, "DVSEC" },
};

const char *config_cap_name(bool extended, unsigned int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(cap_names); i++)
		if (cap_names[i].extended == extended && cap_names[i].id == id)
			return cap_names[i].name;
	return NULL;
}

static unsigned int walk_standard(const u8 *config, size_t bytes, struct config_cap *caps)
{
	unsigned int n = 0, place;

	if (bytes < 256 || !(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return 0;
	for (place = config[PCI_CAPABILITY_LIST] & ~3; place >= 0x40 && n < CONFIG_CAPS;
	     place = config[place + 1] & ~3)
		caps[n++] = (struct config_cap){ .id = config[place], .offset = place };
	return n;
}

static unsigned int walk_extended(const u8 *config, size_t bytes, struct config_cap *caps)
{
	unsigned int n = 0, place = 0x100;

	while (place >= 0x100 && place + 4 <= bytes && n < CONFIG_EXT_CAPS) {
		u32 head = get_unaligned_le32(config + place);

		if (!head || head == U32_MAX)
			break;
		caps[n++] = (struct config_cap){
			.extended = true, .id = head & 0xffff, .version = head >> 16 & 0xf,
			.offset = place,
		};
		place = head >> 20 & ~3;
	}
	return n;
}

unsigned int config_walk(const u8 *config, size_t bytes, struct config_cap *caps)
{
	unsigned int n = walk_standard(config, bytes, caps);

	return n + walk_extended(config, bytes, caps + n);
}

static void clear(u8 *config, size_t bytes, size_t place, size_t n)
{
	if (place < bytes)
		memset(config + place, 0, min(n, bytes - place));
}

/* Addresses; the low bits tell the kind of a BAR and are kept. */
static void normalise_bars(u8 *config)
{
	for (unsigned int place = PCI_BASE_ADDRESS_0; place <= PCI_BASE_ADDRESS_5; place += 4) {
		bool io = config[place] & PCI_BASE_ADDRESS_SPACE_IO;
		bool wide = !io && (config[place] & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
			    PCI_BASE_ADDRESS_MEM_TYPE_64;

		config[place] &= io ? 0x3 : 0xf;
		memset(config + place + 1, 0, 3);
		if (wide && place < PCI_BASE_ADDRESS_5) {
			place += 4;
			memset(config + place, 0, 4);
		}
	}
}

static void normalise_header(u8 *config)
{
	config[PCI_COMMAND] = 0;
	config[PCI_COMMAND + 1] = 0;
	config[PCI_STATUS] &= PCI_STATUS_CAP_LIST;
	config[PCI_STATUS + 1] = 0;
	config[PCI_CACHE_LINE_SIZE] = 0;
	config[PCI_LATENCY_TIMER] = 0;
	config[PCI_BIST] = 0;
	config[PCI_INTERRUPT_LINE] = 0;
	if ((config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_TYPE_NORMAL) {
		normalise_bars(config);
		memset(config + PCI_ROM_ADDRESS, 0, 4);
	}
}

static void normalise_msi(u8 *config, size_t bytes, unsigned int place)
{
	u8 flags = config[place + PCI_MSI_FLAGS];
	bool masks = config[place + PCI_MSI_FLAGS + 1] & PCI_MSI_FLAGS_MASKBIT >> 8;
	unsigned int end = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;

	config[place + PCI_MSI_FLAGS] &= ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	clear(config, bytes, place + PCI_MSI_ADDRESS_LO,
	      end + (masks ? 8 : 0) - PCI_MSI_ADDRESS_LO);
}

static void normalise_cap(u8 *config, size_t bytes, const struct config_cap *cap)
{
	unsigned int version = cap->version;

	if (!cap->extended) {
		if (cap->offset + 4u > bytes)
			return;
		if (cap->id == PCI_CAP_ID_MSI)
			normalise_msi(config, bytes, cap->offset);
		if (cap->id == PCI_CAP_ID_MSIX)
			config[cap->offset + 3] &= 0x3f;	/* enable, mask all */
		if (cap->id == PCI_CAP_ID_EXP)
			version = config[cap->offset + PCI_EXP_FLAGS] & PCI_EXP_FLAGS_VERS;
	}
	for (size_t i = 0; i < ARRAY_SIZE(volatile_fields); i++) {
		const struct volatile_field *f = &volatile_fields[i];

		if (f->extended == cap->extended && f->id == cap->id && f->least <= version)
			clear(config, bytes, cap->offset + f->offset, f->bytes);
	}
}

void config_normalise(u8 *config, size_t bytes)
{
	struct config_cap caps[CONFIG_CAPS + CONFIG_EXT_CAPS];
	unsigned int n;

	if (bytes < 64)
		return;
	n = config_walk(config, bytes, caps);
	normalise_header(config);
	for (unsigned int i = 0; i < n; i++)
		normalise_cap(config, bytes, &caps[i]);
}

void config_place(const u8 *config, size_t bytes, unsigned int offset, char *text,
		  size_t size)
{
	struct config_cap caps[CONFIG_CAPS + CONFIG_EXT_CAPS];
	unsigned int n = config_walk(config, bytes, caps);
	const struct config_cap *best = NULL;
	const char *name;

	for (unsigned int i = 0; i < n; i++)
		if (caps[i].offset <= offset && caps[i].extended == (offset >= 0x100) &&
		    (!best || caps[i].offset > best->offset))
			best = &caps[i];
	if (!best) {
		snprintf(text, size, offset < 0x40 ? "the header" : "no capability");
		return;
	}
	name = config_cap_name(best->extended, best->id);
	snprintf(text, size, "capability %#x (%s) at %#x", best->id, name ? name : "unknown",
		 best->offset);
}
