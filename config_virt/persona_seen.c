// SPDX-License-Identifier: GPL-2.0
/*
 * What the user reads at first, as far as it is known, and what follows from it: where
 * MSI-X has its tables.  Pure.
 */
#include "persona_rules.h"
#include "vcfg.h"

/* Offset in the hardware of a byte of the persona that comes from there. */
static unsigned int hw_pos(const struct vcfg_persona *p, const struct vcfg_persona_map *map,
			   unsigned int pos)
{
	unsigned int owner = vcfg_persona_cap_at(p, pos);

	if (pos < VCFG_HEADER || owner == p->num_caps)
		return pos;
	return map->pos[owner] + pos - vcfg_persona_cap(p, owner).pos;
}

u32 vcfg_persona_seen(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		      const struct vcfg_persona_map *map, unsigned int pos,
		      unsigned int bytes, u32 *known)
{
	u32 val = 0;

	*known = 0;
	for (unsigned int i = 0; i < bytes; i++) {
		u8 byte = p->val[pos + i], sure = p->known[pos + i];
		u8 bits = p->hw[pos + i];

		if (hw && bits) {
			byte |= hw->config[hw_pos(p, map, pos + i)] & bits;
			sure |= bits;
		}
		val |= (u32)byte << 8 * i;
		*known |= (u32)sure << 8 * i;
	}
	return val;
}

void vcfg_persona_view(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		       const struct vcfg_persona_map *map, u8 *val, u8 *known)
{
	for (unsigned int pos = 0; pos < VCFG_MAX_BYTES; pos += 4) {
		u32 sure;

		vcfg_put32(val, pos, vcfg_persona_seen(p, hw, map, pos, 4, &sure));
		vcfg_put32(known, pos, sure);
	}
}

/* A table of MSI-X or its pending bits: inside a BAR that the user has. */
struct msix_part {
	unsigned int bar;
	u64 begin;
	u64 end;
};

static int msix_check_part(const struct vcfg_persona *p, const struct msix_part *part,
			   struct vcfg_persona_why *why)
{
	struct vcfg_persona_bar bar;

	if (part->bar >= VPV_PERSONA_BARS)
		return vcfg_persona_refuse(why, -EINVAL, "MSI-X is in a BAR that cannot be",
					   VPV_PERSONA_BARS - 1, part->bar);
	bar = vcfg_persona_bar(p, part->bar);
	if (bar.kind != VPV_PERSONA_BAR_SHOWN || bar.type & PCI_BASE_ADDRESS_SPACE_IO)
		return vcfg_persona_refuse(why, -EINVAL,
					   "MSI-X is in a BAR that is not shown memory",
					   VPV_PERSONA_BAR_SHOWN, part->bar);
	if (part->end > bar.bytes)
		return vcfg_persona_refuse(why, -ENOSPC, "MSI-X does not fit its BAR",
					   bar.bytes, part->end);
	return 0;
}

static unsigned int msix_find(const struct vcfg_persona *p)
{
	unsigned int i = 0;

	while (i < p->num_std && vcfg_persona_cap(p, i).id != PCI_CAP_ID_MSIX)
		i++;
	return i;
}

/* Table and pending bits of capability @i; false if not all of it is known. */
static bool msix_parts(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		       const struct vcfg_persona_map *map, unsigned int i,
		       struct msix_part parts[2])
{
	unsigned int pos = vcfg_persona_cap(p, i).pos, vectors;
	u32 known[3];
	u32 flags = vcfg_persona_seen(p, hw, map, pos + PCI_MSIX_FLAGS, 2, &known[0]);
	u32 table = vcfg_persona_seen(p, hw, map, pos + PCI_MSIX_TABLE, 4, &known[1]);
	u32 pba = vcfg_persona_seen(p, hw, map, pos + PCI_MSIX_PBA, 4, &known[2]);

	if ((known[0] & PCI_MSIX_FLAGS_QSIZE) != PCI_MSIX_FLAGS_QSIZE || ~known[1] ||
	    ~known[2])
		return false;
	vectors = (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
	parts[0].bar = table & PCI_MSIX_TABLE_BIR;
	parts[0].begin = table & PCI_MSIX_TABLE_OFFSET;
	parts[0].end = parts[0].begin + vectors * PCI_MSIX_ENTRY_SIZE;
	parts[1].bar = pba & PCI_MSIX_PBA_BIR;
	parts[1].begin = pba & PCI_MSIX_PBA_OFFSET;
	parts[1].end = parts[1].begin + DIV_ROUND_UP(vectors, 64) * 8;
	return true;
}

int vcfg_persona_check_msix(const struct vcfg_persona *p,
			    const struct vcfg_persona_hw *hw,
			    const struct vcfg_persona_map *map,
			    struct vcfg_persona_why *why)
{
	unsigned int i = msix_find(p);
	struct msix_part parts[2];
	int err;

	if (i == p->num_std || !msix_parts(p, hw, map, i, parts))
		return 0;
	vcfg_persona_part(why, VCFG_PERSONA_CAP, i);
	err = msix_check_part(p, &parts[0], why);
	err = err ? err : msix_check_part(p, &parts[1], why);
	if (err)
		return err;
	if (parts[0].bar == parts[1].bar && parts[0].begin < parts[1].end &&
	    parts[1].begin < parts[0].end)
		return vcfg_persona_refuse(why, -EEXIST,
					   "MSI-X table and pending bits overlap",
					   parts[0].end, parts[1].begin);
	return 0;
}
