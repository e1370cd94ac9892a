// SPDX-License-Identifier: GPL-2.0
/*
 * Base addresses as the user sees them.  Pure.
 *
 * The user's BARs are memory of the engine: what is written never reaches the
 * hardware.  Sizing needs no code at run time: address bits below the size are
 * not writable and read as 0, the type bits are not writable.
 */
#include "vcfg.h"

#define TYPE_BITS	0xfU
#define IO_BITS		(PCI_BASE_ADDRESS_SPACE | 0x2U)
#define ROM_MIN		2048U
#define LIMIT_32	BIT_ULL(31)

static int bar_refuse(struct vcfg_space *space, const char *why)
{
	space->why = why;
	return -EINVAL;
}

static bool bar_is_64(u8 flags)
{
	return !(flags & PCI_BASE_ADDRESS_SPACE_IO) &&
	       (flags & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static void bar_set(struct vcfg_space *space, unsigned int pos, u32 mask, u32 flags)
{
	u32 val = vcfg_get32(space->shadow, pos);

	vcfg_put32(space->shadow, pos, (val & mask) | flags);
	vcfg_put32(space->write, pos, mask);
	if (space->state)
		vcfg_put32(space->state, pos, mask);
}

/* One BAR, and for a 64-bit one the upper half, too. */
static int bar_init(struct vcfg_space *space, const struct vcfg_desc *desc,
		    unsigned int bar, bool *wide)
{
	unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * bar;
	u64 bytes = desc->bar_bytes[bar];
	u8 flags = desc->bar_flags[bar] ? desc->bar_flags[bar] :
					  vcfg_get32(space->shadow, pos) & TYPE_BITS;
	bool io = flags & PCI_BASE_ADDRESS_SPACE_IO;
	u64 mask = ~(bytes - 1);

	*wide = false;
	if (!bytes) {
		bar_set(space, pos, 0, 0);
		return 0;
	}
	if (!is_power_of_2(bytes) || bytes <= (io ? IO_BITS : TYPE_BITS))
		return bar_refuse(space, "size of a BAR is not a power of two");
	if (!bar_is_64(flags)) {
		if (bytes > LIMIT_32)
			return bar_refuse(space, "size of a BAR exceeds its type");
		bar_set(space, pos, mask, io ? flags & IO_BITS : flags);
		return 0;
	}
	if (bar + 1 == VCFG_BARS || desc->bar_bytes[bar + 1])
		return bar_refuse(space, "64-bit BAR without an upper half");
	bar_set(space, pos, mask, flags);
	bar_set(space, pos + 4, mask >> 32, 0);
	*wide = true;
	return 0;
}

static int rom_init(struct vcfg_space *space, u64 bytes)
{
	u32 mask = 0;

	if (bytes) {
		if (!is_power_of_2(bytes) || bytes > LIMIT_32)
			return bar_refuse(space, "size of the ROM is not a power of two");
		mask = ~(max_t(u32, bytes, ROM_MIN) - 1) | PCI_ROM_ADDRESS_ENABLE;
	}
	bar_set(space, PCI_ROM_ADDRESS, mask, 0);
	return 0;
}

/* Remember the physical BARs.  After the header has been fetched. */
void vcfg_bars_save(struct vcfg_space *space)
{
	for (unsigned int i = 0; i < VCFG_BARS; i++)
		space->saved_bar[i] = vcfg_get32(space->shadow,
						 PCI_BASE_ADDRESS_0 + 4 * i);
}

/* After vcfg_bars_save(). */
int vcfg_bars_init(struct vcfg_space *space, const struct vcfg_desc *desc)
{
	unsigned int bar = 0;

	while (bar < VCFG_BARS) {
		bool wide;
		int err = bar_init(space, desc, bar, &wide);

		if (err)
			return err;
		bar += wide ? 2 : 1;
	}
	return rom_init(space, desc->rom_bytes);
}
