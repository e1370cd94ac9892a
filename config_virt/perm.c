// SPDX-License-Identifier: GPL-2.0
/*
 * What the user may see and change, register by register, as tables.  Pure.
 *
 * A register that no table names is read from the hardware and not writable;
 * a capability that no table names is hidden.  Registers that cannot change
 * while the device is open are virtual, so that reading them costs no access.
 *
 * A register that a table lets the user write is state: a migration carries it, but for
 * the bits that 1 clears and those in "act".
 */
#include "vcfg.h"

#define ALL8	0xffU
#define ALL16	0xffffU
#define ALL32	0xffffffffU

/* A register whose value is the one that the hardware had at creation. */
#define CONST(p, b)	{ .pos = (p), .bytes = (b), .virt = ALL32 }

#define STATUS_W1C	(PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT |	\
			 PCI_STATUS_REC_TARGET_ABORT |				\
			 PCI_STATUS_REC_MASTER_ABORT |				\
			 PCI_STATUS_SIG_SYSTEM_ERROR |				\
			 PCI_STATUS_DETECTED_PARITY)

/* All that PCI defines; the others are hardwired. */
#define COMMAND_BITS	0x07ffU

/*
 * BARs and ROM get their write masks from bar.c.  Cache line size, latency timer
 * and BIST do no harm; the interrupt line is the user's notebook.
 */
static const struct vcfg_perm header_perms[] = {
	CONST(PCI_VENDOR_ID, 4),
	{ .pos = PCI_COMMAND, .bytes = 2, .trap = VCFG_TRAP_COMMAND,
	  .virt = PCI_COMMAND_INTX_DISABLE, .write = COMMAND_BITS, .act = COMMAND_BITS,
	  .clear = PCI_COMMAND_INTX_DISABLE },
	{ .pos = PCI_STATUS, .bytes = 2, .virt = PCI_STATUS_CAP_LIST,
	  .write = STATUS_W1C, .w1c = STATUS_W1C },
	CONST(PCI_CLASS_REVISION, 4),
	{ .pos = PCI_CACHE_LINE_SIZE, .bytes = 1, .write = ALL8 },
	{ .pos = PCI_LATENCY_TIMER, .bytes = 1, .write = ALL8 },
	CONST(PCI_HEADER_TYPE, 1),
	{ .pos = PCI_BIST, .bytes = 1, .write = ALL8, .act = ALL8 },
	CONST(PCI_BASE_ADDRESS_0, 4),
	CONST(PCI_BASE_ADDRESS_1, 4),
	CONST(PCI_BASE_ADDRESS_2, 4),
	CONST(PCI_BASE_ADDRESS_3, 4),
	CONST(PCI_BASE_ADDRESS_4, 4),
	CONST(PCI_BASE_ADDRESS_5, 4),
	CONST(PCI_CARDBUS_CIS, 4),
	CONST(PCI_SUBSYSTEM_VENDOR_ID, 4),
	CONST(PCI_ROM_ADDRESS, 4),
	CONST(PCI_CAPABILITY_LIST, 4),
	CONST(PCI_CAPABILITY_LIST + 4, 4),
	{ .pos = PCI_INTERRUPT_LINE, .bytes = 1, .virt = ALL8, .write = ALL8 },
	CONST(PCI_INTERRUPT_PIN, 1),
	CONST(PCI_MIN_GNT, 2),
};

static const struct vcfg_rule header_rule = {
	.bytes = VCFG_HEADER,
	.num_perms = ARRAY_SIZE(header_perms),
	.perms = header_perms,
};

/*
 * PME is left to the host: hidden.  The D state is read from the hardware,
 * and changed by the host when the user writes it.
 */
static const struct vcfg_perm pm_perms[] = {
	{ .pos = PCI_PM_PMC, .bytes = 2, .virt = ALL16, .clear = PCI_PM_CAP_PME_MASK },
	{ .pos = PCI_PM_CTRL, .bytes = 2, .trap = VCFG_TRAP_PM,
	  .virt = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS,
	  .write = PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_DATA_SEL_MASK,
	  .act = PCI_PM_CTRL_STATE_MASK,
	  .w1c = PCI_PM_CTRL_PME_STATUS,
	  .clear = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS },
};

/* Not the hardware's registers: the host performs the transfers, see trap.c. */
static const struct vcfg_perm vpd_perms[] = {
	{ .pos = PCI_VPD_ADDR, .bytes = 2, .trap = VCFG_TRAP_VPD, .virt = ALL16,
	  .write = ALL16 },
	{ .pos = PCI_VPD_DATA, .bytes = 4, .virt = ALL32, .write = ALL32 },
};

/*
 * Address and data mean nothing to the hardware's interrupts, which the host
 * sets up: virtual.  Mask bits act on the device.
 */
#define MSI_CONTROL								\
	{ .pos = PCI_MSI_FLAGS, .bytes = 2, .trap = VCFG_TRAP_MSI,		\
	  .virt = ALL16, .write = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE,	\
	  .act = PCI_MSI_FLAGS_ENABLE, .clear = PCI_MSI_FLAGS_ENABLE }
#define MSI_ADDRESS								\
	{ .pos = PCI_MSI_ADDRESS_LO, .bytes = 4, .virt = ALL32, .write = ~3U }
#define MSI_UPPER								\
	{ .pos = PCI_MSI_ADDRESS_HI, .bytes = 4, .virt = ALL32, .write = ALL32 }
#define MSI_DATA(p)								\
	{ .pos = (p), .bytes = 4, .virt = ALL32, .write = ALL16 }
#define MSI_MASK(p)								\
	{ .pos = (p), .bytes = 4, .write = ALL32 }

static const struct vcfg_perm msi_perms[] = {
	MSI_CONTROL,
	MSI_ADDRESS,
	MSI_DATA(PCI_MSI_DATA_32),
	MSI_MASK(PCI_MSI_MASK_32),
};

static const struct vcfg_perm msi64_perms[] = {
	MSI_CONTROL,
	MSI_ADDRESS,
	MSI_UPPER,
	MSI_DATA(PCI_MSI_DATA_64),
	MSI_MASK(PCI_MSI_MASK_64),
};

#define MSI_RULE(size, table, omit)						\
	{ .id = PCI_CAP_ID_MSI, .bytes = (size), .min = (size),			\
	  .trap = VCFG_TRAP_MSI,						\
	  .num_perms = ARRAY_SIZE(table) - (omit), .perms = (table) }

/* Without and with mask bits, first for 32 bits, then for 64. */
static const struct vcfg_rule msi_rules[] = {
	MSI_RULE(12, msi_perms, 1),
	MSI_RULE(20, msi_perms, 0),
	MSI_RULE(16, msi64_perms, 1),
	MSI_RULE(24, msi64_perms, 0),
};

static const struct vcfg_perm msix_perms[] = {
	CONST(PCI_MSIX_TABLE, 4),
	CONST(PCI_MSIX_PBA, 4),
};

static const struct vcfg_perm pcix_perms[] = {
	{ .pos = PCI_X_CMD, .bytes = 2, .kept = VCFG_KEPT_PCIX, .write = ALL16 },
	{ .pos = PCI_X_ECC_CSR, .bytes = 4, .write = ALL32, .act = ALL32 },
};

#define DEVSTA_W1C	(PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |		\
			 PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD)
#define DEVSTA_EPR	0x0040U	/* Emergency Power Reduction Detected, W1C */

/*
 * MPS is a matter of the whole bus: virtual.  MRRS and FLR: see trap.c.  Phantom
 * functions would confuse the IOMMU; ARI forwarding is the host's.
 */
static const struct vcfg_perm exp_perms[] = {
	CONST(PCI_EXP_FLAGS, 2),
	CONST(PCI_EXP_DEVCAP, 4),
	{ .pos = PCI_EXP_DEVCTL, .bytes = 2, .trap = VCFG_TRAP_EXP, .kept = VCFG_KEPT_DEVCTL,
	  .virt = PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PAYLOAD |
		  PCI_EXP_DEVCTL_READRQ,
	  .write = ALL16 & ~PCI_EXP_DEVCTL_PHANTOM, .act = PCI_EXP_DEVCTL_BCR_FLR,
	  .clear = PCI_EXP_DEVCTL_BCR_FLR },
	{ .pos = PCI_EXP_DEVSTA, .bytes = 2, .write = DEVSTA_W1C,
	  .w1c = DEVSTA_W1C | DEVSTA_EPR },
	CONST(PCI_EXP_LNKCAP, 4),
	CONST(PCI_EXP_SLTCAP, 4),
	CONST(PCI_EXP_DEVCAP2, 4),
	{ .pos = PCI_EXP_DEVCTL2, .bytes = 2, .kept = VCFG_KEPT_DEVCTL2,
	  .write = ALL16 & ~PCI_EXP_DEVCTL2_ARI },
	CONST(PCI_EXP_LNKCAP2, 4),
	CONST(PCI_EXP_SLTCAP2, 4),
};

static const struct vcfg_perm af_perms[] = {
	CONST(PCI_AF_LENGTH, 1),
	CONST(PCI_AF_CAP, 1),
	{ .pos = PCI_AF_CTRL, .bytes = 1, .trap = VCFG_TRAP_AF,
	  .virt = PCI_AF_CTRL_FLR, .write = PCI_AF_CTRL_FLR, .act = PCI_AF_CTRL_FLR,
	  .clear = PCI_AF_CTRL_FLR },
};

#define UNCOR_BITS	(PCI_ERR_UNC_UND | PCI_ERR_UNC_DLP | PCI_ERR_UNC_SURPDN | \
			 PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_FCP |		\
			 PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_COMP_ABORT |	\
			 PCI_ERR_UNC_UNX_COMP | PCI_ERR_UNC_RX_OVER |		\
			 PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_ECRC |		\
			 PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_ACSV |			\
			 PCI_ERR_UNC_INTN | PCI_ERR_UNC_MCBTLP |		\
			 PCI_ERR_UNC_ATOMEG | PCI_ERR_UNC_TLPPRE)
#define COR_BITS	(PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP |		\
			 PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL |		\
			 PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT |		\
			 PCI_ERR_COR_INTERNAL | PCI_ERR_COR_LOG_OVER)

static const struct vcfg_perm err_perms[] = {
	{ .pos = PCI_ERR_UNCOR_STATUS, .bytes = 4, .write = UNCOR_BITS, .w1c = ALL32 },
	{ .pos = PCI_ERR_UNCOR_MASK, .bytes = 4, .write = UNCOR_BITS },
	{ .pos = PCI_ERR_UNCOR_SEVER, .bytes = 4, .write = UNCOR_BITS },
	{ .pos = PCI_ERR_COR_STATUS, .bytes = 4, .write = COR_BITS, .w1c = ALL32 },
	{ .pos = PCI_ERR_COR_MASK, .bytes = 4, .write = COR_BITS },
	{ .pos = PCI_ERR_CAP, .bytes = 4,
	  .write = PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE },
};

static const struct vcfg_perm dsn_perms[] = {
	CONST(4, 4),
	CONST(8, 4),
};

/* Selects what the data register shows. */
static const struct vcfg_perm pwr_perms[] = {
	{ .pos = PCI_PWR_DSR, .bytes = 1, .write = ALL8 },
};

#define SHOW(i, size, least)							\
	{ .id = (i), .bytes = (size), .min = (least) }
#define PERMS(i, size, least, t, table)						\
	{ .id = (i), .bytes = (size), .min = (least), .trap = (t),		\
	  .num_perms = ARRAY_SIZE(table), .perms = (table) }
#define RAW(i, least)								\
	{ .id = (i), .min = (least), .flags = VCFG_RULE_RAW }
/* The registers read as 0; what lies behind them is the device's own. */
#define HIDE(i, size)								\
	{ .id = (i), .bytes = (size), .flags = VCFG_RULE_HIDE }
/* Size not easily known, and nothing that a user should touch: up to the next one. */
#define TO_NEXT	VCFG_MAX_BYTES
/* The same behind registers that a link has for each of its lanes. */
#define LANES	32

static const struct vcfg_rule std_rules[] = {
	PERMS(PCI_CAP_ID_PM, PCI_PM_SIZEOF, PCI_PM_SIZEOF, VCFG_TRAP_PM, pm_perms),
	SHOW(PCI_CAP_ID_AGP, PCI_AGP_SIZEOF, 4),
	PERMS(PCI_CAP_ID_VPD, PCI_CAP_VPD_SIZEOF, PCI_CAP_VPD_SIZEOF, VCFG_TRAP_VPD,
	      vpd_perms),
	HIDE(PCI_CAP_ID_SLOTID, 4),
	HIDE(PCI_CAP_ID_CHSWP, 4),
	PERMS(PCI_CAP_ID_PCIX, 0, PCI_CAP_PCIX_SIZEOF_V0, 0, pcix_perms),
	SHOW(PCI_CAP_ID_HT, 0, 4),
	RAW(PCI_CAP_ID_VNDR, 4),
	HIDE(PCI_CAP_ID_DBG, 4),
	HIDE(PCI_CAP_ID_CCRC, 4),
	HIDE(PCI_CAP_ID_SHPC, 8),
	HIDE(PCI_CAP_ID_SSVID, 8),
	HIDE(PCI_CAP_ID_AGP3, PCI_AGP_SIZEOF),
	HIDE(PCI_CAP_ID_SECDEV, 0x18),
	PERMS(PCI_CAP_ID_EXP, 0, PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1, VCFG_TRAP_EXP,
	      exp_perms),
	PERMS(PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF, PCI_CAP_MSIX_SIZEOF, 0, msix_perms),
	SHOW(PCI_CAP_ID_SATA, 0, 8),
	PERMS(PCI_CAP_ID_AF, 8, 8, VCFG_TRAP_AF, af_perms),
	HIDE(PCI_CAP_ID_EA, TO_NEXT),
	HIDE(0x15, 0x24),	/* Flattening Portal Bridge */
};

/* Ids without a name are younger than the oldest headers that we build with. */
static const struct vcfg_rule ext_rules[] = {
	PERMS(PCI_EXT_CAP_ID_ERR, PCI_ERR_ROOT_COMMAND, PCI_ERR_HEADER_LOG, 0, err_perms),
	SHOW(PCI_EXT_CAP_ID_VC, 0, 4),
	PERMS(PCI_EXT_CAP_ID_DSN, PCI_EXT_CAP_DSN_SIZEOF, PCI_EXT_CAP_DSN_SIZEOF, 0,
	      dsn_perms),
	PERMS(PCI_EXT_CAP_ID_PWR, PCI_EXT_CAP_PWR_SIZEOF, PCI_EXT_CAP_PWR_SIZEOF, 0,
	      pwr_perms),
	HIDE(PCI_EXT_CAP_ID_RCLD, TO_NEXT),
	HIDE(PCI_EXT_CAP_ID_RCILC, 0x0c),
	HIDE(PCI_EXT_CAP_ID_RCEC, 0x0c),
	SHOW(PCI_EXT_CAP_ID_MFVC, 0, 4),
	SHOW(PCI_EXT_CAP_ID_VC9, 0, 4),
	HIDE(PCI_EXT_CAP_ID_RCRB, 0x14),
	RAW(PCI_EXT_CAP_ID_VNDR, 8),
	SHOW(PCI_EXT_CAP_ID_ACS, 0, 8),
	SHOW(PCI_EXT_CAP_ID_ARI, PCI_EXT_CAP_ARI_SIZEOF, 4),
	SHOW(PCI_EXT_CAP_ID_ATS, PCI_EXT_CAP_ATS_SIZEOF, 4),
	SHOW(PCI_EXT_CAP_ID_SRIOV, PCI_EXT_CAP_SRIOV_SIZEOF, 4),
	HIDE(PCI_EXT_CAP_ID_MRIOV, TO_NEXT),
	SHOW(PCI_EXT_CAP_ID_MCAST, PCI_EXT_CAP_MCAST_ENDPOINT_SIZEOF, 4),
	SHOW(PCI_EXT_CAP_ID_PRI, PCI_EXT_CAP_PRI_SIZEOF, 4),
	SHOW(PCI_EXT_CAP_ID_REBAR, 0, 4),
	SHOW(PCI_EXT_CAP_ID_DPA, 0, 4),
	SHOW(PCI_EXT_CAP_ID_TPH, 0, 4),
	SHOW(PCI_EXT_CAP_ID_LTR, PCI_EXT_CAP_LTR_SIZEOF, 4),
	HIDE(PCI_EXT_CAP_ID_SECPCI, 0x0c + 2 * LANES),
	HIDE(PCI_EXT_CAP_ID_PMUX, TO_NEXT),
	HIDE(PCI_EXT_CAP_ID_PASID, 8),
	HIDE(PCI_EXT_CAP_ID_DPC, TO_NEXT),
	HIDE(PCI_EXT_CAP_ID_L1SS, 0x14),
	HIDE(PCI_EXT_CAP_ID_PTM, 0x0c),
	RAW(PCI_EXT_CAP_ID_DVSEC, 8),
	HIDE(0x24, 0),			/* VF Resizable BAR */
	HIDE(0x25, 0x0c),		/* Data Link Feature */
	HIDE(0x26, 0x20 + LANES),	/* Physical Layer 16.0 GT/s */
	HIDE(0x27, 0x08 + 4 * LANES),	/* Lane Margining at the Receiver */
	HIDE(0x28, TO_NEXT),		/* Hierarchy ID */
	HIDE(0x29, 0x10),		/* Native PCIe Enclosure Management */
	HIDE(0x2a, 0x20 + LANES),	/* Physical Layer 32.0 GT/s */
	HIDE(0x2b, TO_NEXT),		/* Alternate Protocol */
	HIDE(0x2c, TO_NEXT),		/* System Firmware Intermediary */
	HIDE(0x2d, TO_NEXT),		/* Shadow Functions */
	HIDE(0x2e, 0x18),		/* Data Object Exchange */
	HIDE(0x2f, 0x10),		/* Device 3 */
	HIDE(0x30, TO_NEXT),		/* Integrity and Data Encryption */
	HIDE(0x31, 0x10 + LANES),	/* Physical Layer 64.0 GT/s */
	HIDE(0x32, TO_NEXT),		/* Flit Logging */
	HIDE(0x33, TO_NEXT),		/* Flit Performance Measurement */
	HIDE(0x34, TO_NEXT),		/* Flit Error Injection */
	HIDE(0x35, TO_NEXT),		/* Streamlined Virtual Channel */
	HIDE(0x36, TO_NEXT),		/* MMIO Register Block Locator */
};

/* A null capability is its header. */
static const struct vcfg_rule null_rule = HIDE(0, 4);

/* Whatever is not known may do anything. */
static const struct vcfg_rule unknown_rule = HIDE(0, TO_NEXT);

/* MSI has four layouts; @flags is the control word. */
static const struct vcfg_rule *msi_rule(u16 flags)
{
	return &msi_rules[(flags & PCI_MSI_FLAGS_64BIT ? 2 : 0) +
			  (flags & PCI_MSI_FLAGS_MASKBIT ? 1 : 0)];
}

/* What the user sees of a capability with this header, its first dword. */
const struct vcfg_rule *vcfg_rule_find(u32 header, bool ext)
{
	const struct vcfg_rule *rules = ext ? ext_rules : std_rules;
	size_t num = ext ? ARRAY_SIZE(ext_rules) : ARRAY_SIZE(std_rules);
	unsigned int id = header & (ext ? 0xffff : 0xff);

	if (!ext && id == PCI_CAP_ID_MSI)
		return msi_rule(header >> 16);
	for (size_t i = 0; i < num; i++)
		if (rules[i].id == id)
			return &rules[i];
	return id ? &unknown_rule : &null_rule;
}

/* The first 64 bytes. */
const struct vcfg_rule *vcfg_rule_header(void)
{
	return &header_rule;
}

/*
 * Set the masks of the @bytes bytes at @pos as @rule says.  Registers that do not
 * fit are left out, with their traps.
 */
void vcfg_perm_apply(struct vcfg_space *space, unsigned int pos, unsigned int bytes,
		     const struct vcfg_rule *rule)
{
	for (unsigned int i = 0; i < rule->num_perms; i++) {
		const struct vcfg_perm *perm = &rule->perms[i];
		unsigned int at = pos + perm->pos;

		if (perm->pos + perm->bytes > bytes)
			continue;
		vcfg_put(space->virt, at, perm->bytes, perm->virt);
		vcfg_put(space->write, at, perm->bytes,
			 perm->write & ~space->kept[perm->kept]);
		vcfg_put(space->w1c, at, perm->bytes, perm->w1c);
		if (space->state)
			vcfg_put(space->state, at, perm->bytes,
				 perm->write & ~perm->w1c & ~perm->act);
		if (!perm->trap)
			continue;
		memset(space->trap + at, perm->trap, perm->bytes);
		space->reg[perm->trap] = at;
	}
}

/* Give the virtual bits their first value, after the shadow has been fetched. */
void vcfg_perm_values(struct vcfg_space *space, unsigned int pos, unsigned int bytes,
		      const struct vcfg_rule *rule)
{
	for (unsigned int i = 0; i < rule->num_perms; i++) {
		const struct vcfg_perm *perm = &rule->perms[i];
		unsigned int at = pos + perm->pos;
		u32 val;

		if (perm->pos + perm->bytes > bytes)
			continue;
		val = vcfg_get(space->shadow, at, perm->bytes);
		vcfg_put(space->shadow, at, perm->bytes,
			 (val & ~perm->clear) | perm->set);
	}
}
