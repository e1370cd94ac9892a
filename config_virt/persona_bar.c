// SPDX-License-Identifier: GPL-2.0
/* What a persona may say of BARs and the ROM.  Pure. */
#include "persona_rules.h"
#include "vcfg.h"

static bool type_is_io(u8 type)
{
	return type & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool type_is_64(u8 type)
{
	return !type_is_io(type) &&
	       (type & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static int bar_check_type(const struct vcfg_persona_bar *bar, bool rom,
			  struct vcfg_persona_why *why)
{
	if (rom ? bar->type : type_is_io(bar->type) ?
	    bar->type != PCI_BASE_ADDRESS_SPACE_IO :
	    bar->type > 0xf || (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
			       PCI_BASE_ADDRESS_MEM_TYPE_MASK)
		return vcfg_persona_refuse(why, -EINVAL, "type of a BAR is not known", 0,
					   bar->type);
	return 0;
}

static int bar_check_bytes(const struct vcfg_persona_bar *bar, bool rom,
			   struct vcfg_persona_why *why)
{
	u64 least = rom ? 2048 : type_is_io(bar->type) ? 4 : 16;
	u64 most = !rom && type_is_64(bar->type) ? BIT_ULL(63) : BIT_ULL(31);

	if (!is_power_of_2(bar->bytes))
		return vcfg_persona_refuse(why, -EINVAL,
					   "size of a BAR is not a power of two", 0,
					   bar->bytes);
	if (bar->bytes < least)
		return vcfg_persona_refuse(why, -EINVAL, "BAR is too small", least,
					   bar->bytes);
	if (bar->bytes > most)
		return vcfg_persona_refuse(why, -EINVAL, "BAR is too large for its type",
					   most, bar->bytes);
	return 0;
}

/* A BAR that is shown, at @pos. */
static int parse_bar_shown(struct vcfg_persona *p, unsigned int i, unsigned int pos,
			   struct vcfg_persona_why *why)
{
	struct vcfg_persona_bar bar = vcfg_persona_bar(p, i);
	bool rom = i == VPV_PERSONA_ROM;
	int err = bar_check_type(&bar, rom, why);
	u64 mask = ~(bar.bytes - 1);

	err = err ? err : bar_check_bytes(&bar, rom, why);
	if (err)
		return err;
	if (rom)
		mask |= PCI_ROM_ADDRESS_ENABLE;
	vcfg_persona_claim(p, pos, 4, ~0U, bar.type);
	for (unsigned int k = 0; k < 4; k++)
		p->known[pos + k] = ~(mask >> 8 * k) & 0xff;
	if (rom || !type_is_64(bar.type))
		return 0;
	if (i + 1 == VPV_PERSONA_BARS)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "64-bit BAR has no place for its upper half",
					   VPV_PERSONA_BARS - 2, i);
	if (vcfg_persona_bar(p, i + 1).kind != VPV_PERSONA_BAR_NONE)
		return vcfg_persona_refuse(why, -EEXIST,
					   "upper half of a 64-bit BAR is another BAR",
					   VPV_PERSONA_BAR_NONE,
					   vcfg_persona_bar(p, i + 1).kind);
	for (unsigned int k = 0; k < 4; k++)
		p->known[pos + 4 + k] = ~(mask >> (32 + 8 * k)) & 0xff;
	return 0;
}

int vcfg_persona_bars(struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	struct vpv_persona_bar raw;

	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		unsigned int pos = i == VPV_PERSONA_ROM ? PCI_ROM_ADDRESS :
							  PCI_BASE_ADDRESS_0 + 4 * i;
		int err;

		vcfg_persona_part(why, VCFG_PERSONA_BAR, i);
		memcpy(&raw, p->blob + offsetof(struct vpv_persona_header, bar) +
			     i * sizeof(raw), sizeof(raw));
		if (raw.kind > VPV_PERSONA_BAR_SHOWN)
			return vcfg_persona_refuse(why, -EINVAL,
						   "kind of a BAR is not known",
						   VPV_PERSONA_BAR_SHOWN, raw.kind);
		if (memchr_inv(raw.reserved, 0, sizeof(raw.reserved)))
			return vcfg_persona_refuse(why, -EINVAL,
						   "reserved bytes of a BAR are not 0", 0,
						   1);
		if (raw.kind != VPV_PERSONA_BAR_SHOWN && (raw.bytes || raw.type))
			return vcfg_persona_refuse(why, -EINVAL,
						   "BAR that is not shown has a size or type",
						   0, le64_to_cpu(raw.bytes));
		vcfg_persona_claim(p, pos, 4, ~0U, 0);
		err = raw.kind == VPV_PERSONA_BAR_SHOWN ?
			parse_bar_shown(p, i, pos, why) : 0;
		if (err)
			return err;
	}
	return 0;
}
