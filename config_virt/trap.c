// SPDX-License-Identifier: GPL-2.0
/*
 * Registers with an effect beyond their bits.  Pure: effects are the host's.
 *
 * A handler gets a write of one or both bytes of its register.  The host acts
 * first; the shadow follows only when it succeeded.
 */
#include "vcfg.h"

#define MEM_IO	(PCI_COMMAND_MEMORY | PCI_COMMAND_IO)

/* MRRS codes above this one are reserved. */
#define READRQ_MAX	((u16)(PCI_EXP_DEVCTL_READRQ_4096B >> 12))

/* A write as a part of its 16-bit register. */
struct part {
	unsigned int reg;
	u16 old;	/* virtual value */
	u16 mask;	/* writable bits that are written */
	u16 val;	/* @old with these bits replaced */
};

static struct part part_of(const struct vcfg_space *space, enum vcfg_trap trap,
			   const struct vcfg_piece *piece)
{
	unsigned int reg = space->reg[trap];
	unsigned int shift = 8 * (piece->pos - reg);
	struct part part = { .reg = reg, .old = vcfg_get16(space->shadow, reg) };

	part.mask = vcfg_get16(space->write, reg) & vcfg_lanes(piece->bytes) << shift;
	part.val = (part.old & ~part.mask) | (piece->val << shift & part.mask);
	if (space->clear) {
		u16 clear = vcfg_get16(space->clear, reg) & part.mask;

		part.val = (part.val & ~clear) | (part.old & ~part.val & clear);
	}
	return part;
}

/* Keep the virtual bits of a part. */
static void part_commit(struct vcfg_space *space, const struct part *part, u16 val)
{
	u16 keep = part->mask & vcfg_get16(space->virt, part->reg);

	vcfg_put16(space->shadow, part->reg, (part->old & ~keep) | (val & keep));
}

/*
 * A value that device and PM control never have: the function did not answer the read.  It is not
 * written back, since the function may be there again by then.
 */
static bool is_lost(u32 now, unsigned int bytes)
{
	return now == vcfg_lanes(bytes);
}

/* With an address in it: one that a reset has not left as it was. */
#define BAR_ADDRESS	(~0xfU)

/*
 * Has the function lost its BARs in a reset that was not reported?  Either
 * they differ, or decoding is off although the user had it on.  It is enough to look
 * at one BAR that has an address: a reset clears all of them.
 */
static int bars_lost(struct vcfg_space *space, u16 old, u16 val, bool *lost)
{
	u32 now;
	int err;

	*lost = false;
	if (space->vf || !(val & MEM_IO))
		return 0;
	err = space->ops->read(space->host, PCI_COMMAND, 2, &now);
	if (err)
		return err;
	*lost = old & val & ~now & MEM_IO;
	for (unsigned int i = 0; i < VCFG_BARS && !*lost; i++) {
		if (!space->saved_bar[i])
			continue;
		err = space->ops->read(space->host, PCI_BASE_ADDRESS_0 + 4 * i, 4, &now);
		if (err)
			return err;
		*lost = now != space->saved_bar[i];
		if (space->saved_bar[i] & BAR_ADDRESS)
			break;
	}
	return 0;
}

/* The shadow holds all of the user's COMMAND, not only its virtual bits. */
static int command_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_COMMAND, piece);
	bool lost;
	int err = bars_lost(space, part.old, part.val, &lost);

	if (!err && lost)
		err = space->ops->restore_bars(space->host);
	if (!err)
		err = space->ops->command(space->host, part.old, part.val);
	if (err)
		return err;
	vcfg_put16(space->shadow, part.reg, part.val);
	WRITE_ONCE(space->command, part.val);
	return 0;
}

/* Decoding is on where both the user and the hardware have it on. */
static u32 command_view(struct vcfg_space *space, u32 val)
{
	return val & (~(u32)MEM_IO | vcfg_get16(space->shadow, PCI_COMMAND));
}

/* States that the function does not have are ignored, as hardware does. */
static int pm_power(struct vcfg_space *space, unsigned int reg, unsigned int dstate)
{
	u16 pmc = vcfg_get16(space->shadow, reg - PCI_PM_CTRL + PCI_PM_PMC);

	if ((dstate == 1 && !(pmc & PCI_PM_CAP_D1)) ||
	    (dstate == 2 && !(pmc & PCI_PM_CAP_D2)))
		return 0;
	return space->ops->power(space->host, dstate);
}

/*
 * Write the data selector, which is in the upper byte.  The state bits are in the other one: what
 * they were is not written back, since somebody may change them meanwhile.
 */
static int pm_select(struct vcfg_space *space, const struct part *part)
{
	u8 pass = (part->mask & ~vcfg_get16(space->virt, part->reg)) >> 8;
	u8 w1c = vcfg_get16(space->w1c, part->reg) >> 8;
	u8 val = part->val >> 8;
	u32 now;
	int err;

	if (!pass)
		return 0;
	err = vcfg_hw_read(space, part->reg + 1, 1, &now);
	if (err || is_lost(now, 1))
		return err;
	/* Nothing to write, unless a bit that is cleared by writing 1 is to be cleared. */
	if (!((now ^ val) & pass) && !(val & pass & w1c))
		return 0;
	now &= ~(w1c | pass);
	return vcfg_hw_write(space, part->reg + 1, 1, now | (val & pass));
}

static int pm_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_PM, piece);
	int err = 0;

	/* Both bits: a persona may leave one out. */
	if ((part.mask & PCI_PM_CTRL_STATE_MASK) == PCI_PM_CTRL_STATE_MASK)
		err = pm_power(space, part.reg, part.val & PCI_PM_CTRL_STATE_MASK);
	if (!err)
		err = pm_select(space, &part);
	if (!err)
		part_commit(space, &part, part.val);
	return err;
}

static unsigned int log2_up(unsigned int vectors)
{
	unsigned int log2 = 0;

	while (log2 < VCFG_MSI_LOG2_MAX && 1U << log2 < vectors)
		log2++;
	return log2;
}

/*
 * Messages are set up by SET_IRQS: Enable sticks only while it has MSI on, and the
 * user never has more vectors than the function, and than were set up.
 */
static int msi_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_MSI, piece);
	u16 write = vcfg_get16(space->write, part.reg);
	unsigned int most = (part.val & PCI_MSI_FLAGS_QMASK) >> 1;
	unsigned int wanted = (part.val & PCI_MSI_FLAGS_QSIZE) >> 4;
	unsigned int vectors = 0;
	bool on = space->ops->irq(space->host, &vectors) == VCFG_IRQ_MSI;
	u16 val = part.val;

	wanted = min(wanted, most);
	if (on)
		wanted = min(wanted, log2_up(vectors));
	val = (val & ~PCI_MSI_FLAGS_QSIZE) | wanted << 4;
	if (!on)
		val &= ~PCI_MSI_FLAGS_ENABLE;
	if (on && part.mask && space->ops->msi) {
		int err = space->ops->msi(space->host, val & PCI_MSI_FLAGS_ENABLE, wanted);

		if (err)
			return err;
	}
	vcfg_put16(space->shadow, part.reg, (part.old & ~write) | (val & write));
	return 0;
}

/*
 * @val is the capability's first dword.  SET_IRQS may have been called, with fewer
 * vectors than the user wants, since that was written.
 */
static u32 msi_view(struct vcfg_space *space, u32 val)
{
	u16 write = vcfg_get16(space->write, space->reg[VCFG_TRAP_MSI]);
	u16 flags = val >> 16;
	unsigned int vectors = 0, wanted;

	if (!(flags & write & (PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE)))
		return val;
	if (space->ops->irq(space->host, &vectors) == VCFG_IRQ_MSI) {
		wanted = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;
		wanted = min(wanted, log2_up(vectors));
		flags = (flags & ~PCI_MSI_FLAGS_QSIZE) | wanted << 4;
	} else {
		flags &= ~PCI_MSI_FLAGS_ENABLE;
	}
	return (val & 0xffff) | (u32)flags << 16;
}

/*
 * MRRS below the physical MPS would waste the bus: that is the floor.  The host does not
 * hear of one that is not new, or reserved.
 */
static int exp_readrq(const struct vcfg_space *space, const struct part *part, u16 now)
{
	u16 readrq = (part->val & PCI_EXP_DEVCTL_READRQ) >> 12;
	u16 floor = (now & PCI_EXP_DEVCTL_PAYLOAD) >> 5;

	if (!((part->val ^ part->old) & PCI_EXP_DEVCTL_READRQ) || readrq > READRQ_MAX)
		return 0;
	return space->ops->readrq(space->host, 128U << min(max(readrq, floor), READRQ_MAX));
}

/*
 * A reset comes first: it takes the other bits of the same write with it on real
 * hardware, but the host restores the register, and the user expects the written values.
 */
static int exp_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_EXP, piece);
	u32 cap = vcfg_get32(space->shadow, part.reg - PCI_EXP_DEVCTL + PCI_EXP_DEVCAP);
	u16 pass = part.mask & ~vcfg_get16(space->virt, part.reg);
	u32 now, out;
	int err;

	if (part.val & PCI_EXP_DEVCTL_BCR_FLR && cap & PCI_EXP_DEVCAP_FLR) {
		err = space->ops->flr(space->host);
		if (err)
			return err;
	}
	err = vcfg_hw_read(space, part.reg, 2, &now);
	if (err)
		return err;
	out = (now & ~pass) | (part.val & pass);
	if (out != now && !is_lost(now, 2))
		err = vcfg_hw_write(space, part.reg, 2, out);
	if (!err && !is_lost(now, 2))
		err = exp_readrq(space, &part, now);
	if (err)
		return err;
	part_commit(space, &part, part.val & ~PCI_EXP_DEVCTL_BCR_FLR);
	return 0;
}

static int af_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_AF, piece);
	u8 cap = space->shadow[part.reg - PCI_AF_CTRL + PCI_AF_CAP];

	if (part.val & PCI_AF_CTRL_FLR &&
	    (cap & (PCI_AF_CAP_FLR | PCI_AF_CAP_TP)) == (PCI_AF_CAP_FLR | PCI_AF_CAP_TP)) {
		int err = space->ops->flr(space->host);

		if (err)
			return err;
	}
	part_commit(space, &part, part.val & ~PCI_AF_CTRL_FLR);
	return 0;
}

/*
 * The byte with the flag begins a transfer, in the direction that the flag says;
 * when it is complete the flag has changed.  One that fails never is: the guest's
 * driver times out, as with hardware.
 */
static int vpd_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_VPD, piece);
	unsigned int data_reg = part.reg - PCI_VPD_ADDR + PCI_VPD_DATA;
	bool write = part.val & PCI_VPD_ADDR_F;
	u32 data = write ? vcfg_get32(space->shadow, data_reg) : 0;

	vcfg_put16(space->shadow, part.reg, part.val);
	if (!(part.mask & PCI_VPD_ADDR_F) || !space->ops->vpd)
		return 0;
	if (space->ops->vpd(space->host, part.val & PCI_VPD_ADDR_MASK, write, &data))
		return 0;
	if (!write)
		vcfg_put32(space->shadow, data_reg, data);
	vcfg_put16(space->shadow, part.reg, part.val ^ PCI_VPD_ADDR_F);
	return 0;
}

/* As the other device left it: a transfer was over, and is not done again. */
static int vpd_restore(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	struct part part = part_of(space, VCFG_TRAP_VPD, piece);

	part_commit(space, &part, part.val);
	return 0;
}

/*
 * @write: Take a write.  @view: Change what a read of the dword that has the
 * register gets.  @restore: Take what the register was on another device; NULL:
 * as @write.
 */
static const struct {
	int (*write)(struct vcfg_space *space, const struct vcfg_piece *piece);
	u32 (*view)(struct vcfg_space *space, u32 val);
	int (*restore)(struct vcfg_space *space, const struct vcfg_piece *piece);
} traps[VCFG_TRAPS] = {
	[VCFG_TRAP_COMMAND] = { command_write, command_view, NULL },
	[VCFG_TRAP_PM] = { pm_write, NULL, NULL },
	[VCFG_TRAP_MSI] = { msi_write, msi_view, NULL },
	[VCFG_TRAP_EXP] = { exp_write, NULL, NULL },
	[VCFG_TRAP_AF] = { af_write, NULL, NULL },
	[VCFG_TRAP_VPD] = { vpd_write, NULL, vpd_restore },
};

/* @piece lies in the register of one trap. */
int vcfg_trap_write(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	return traps[space->trap[piece->pos]].write(space, piece);
}

/* The same when a migration puts the register back. */
int vcfg_trap_restore(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	unsigned int trap = space->trap[piece->pos];

	return traps[trap].restore ? traps[trap].restore(space, piece) :
				     traps[trap].write(space, piece);
}

/* The dword at @pos, @val, as the user sees it. */
u32 vcfg_trap_view(struct vcfg_space *space, unsigned int pos, u32 val)
{
	u32 bytes = vcfg_get32(space->trap, pos);
	unsigned int seen = VCFG_TRAP_NONE;

	for (; bytes; bytes >>= 8) {
		unsigned int trap = bytes & 0xff;

		if (trap != seen && traps[trap].view)
			val = traps[trap].view(space, val);
		seen = trap;
	}
	return val;
}
