/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine behind vpv/config.h: what its pure files share.
 *
 * A space is five byte arrays of the size of config space.  For each bit:
 *
 *	virt	comes from and goes to @shadow, not the hardware
 *	write	the user may change it
 *	w1c	clears in the hardware when 1 is written to it, so that a merge
 *		must write 0 there unless the user writes 1
 *
 * and for each byte the trap that takes writes to its register, if any.  Whoever
 * fills the arrays (capability tables, later a persona) decides what the user
 * sees; reads and writes only look at them.
 */
#ifndef VCFG_H
#define VCFG_H

/* First: on the host it has the types that the others use. */
#include <vpv/pure.h>

#include <linux/pci_regs.h>
#include <vpv/config.h>

#define VCFG_STD_BYTES	256U
#define VCFG_HEADER	PCI_STD_HEADER_SIZEOF

/* Registers whose writes have an effect beyond their bits. */
enum vcfg_trap {
	VCFG_TRAP_NONE,
	VCFG_TRAP_COMMAND,
	VCFG_TRAP_PM,		/* PM control */
	VCFG_TRAP_MSI,		/* MSI message control */
	VCFG_TRAP_EXP,		/* PCIe device control */
	VCFG_TRAP_AF,		/* Advanced Features control */
	VCFG_TRAPS,
};

/**
 * struct vcfg_space - The user's view of one config space
 * @ops: Way to the device.
 * @host: First argument of @ops.
 * @why: After an error of vcfg_space_init(): what was wrong, or NULL.
 * @bytes: Size: 256 or 4096.
 * @vf: A virtual function.
 * @command: The user's COMMAND; equal to the shadow's, for lockless readers.
 * @reg: Offset of the register of each trap, 0 if there is none.
 * @saved_bar: Physical BARs at creation.
 * @shadow: Virtual bits.
 * @virt: See above.
 * @write: See above.
 * @w1c: See above.
 * @trap: enum vcfg_trap for each byte.
 */
struct vcfg_space {
	const struct vcfg_host_ops *ops;
	void *host;
	const char *why;
	unsigned int bytes;
	bool vf;
	u16 command;
	u16 reg[VCFG_TRAPS];
	u32 saved_bar[VCFG_BARS];
	u8 *shadow;
	u8 *virt;
	u8 *write;
	u8 *w1c;
	u8 *trap;
};

/**
 * struct vcfg_perm - Permissions of one register
 * @pos: Offset from the begin of its capability.
 * @bytes: 1, 2 or 4.
 * @trap: enum vcfg_trap.
 * @virt: Virtual bits.
 * @write: Bits that the user may write.
 * @w1c: Bits that 1 clears.
 * @clear: Virtual bits that begin as 0, whatever the hardware says.
 * @set: Virtual bits that begin as 1.
 */
struct vcfg_perm {
	u16 pos;
	u8 bytes;
	u8 trap;
	u32 virt;
	u32 write;
	u32 w1c;
	u32 clear;
	u32 set;
};

#define VCFG_RULE_HIDE	0x1	/* not in the user's chain; body reads as 0 */
#define VCFG_RULE_RAW	0x2	/* body is the device's own: pass through */

/**
 * struct vcfg_rule - What the user sees of a kind of capability
 * @id: Capability id.
 * @flags: VCFG_RULE bits.
 * @bytes: Size; 0: it is in the registers, see vcfg_cap_shape().
 * @min: One that has less room is malformed, and hidden.
 * @trap: The trap of its registers.  A second capability of a kind that has one
 *	is read-only.
 * @num_perms: Number of @perms.
 * @perms: Registers that differ from "read from the hardware, not writable".
 */
struct vcfg_rule {
	u16 id;
	u8 flags;
	u8 trap;
	u16 bytes;
	u16 min;
	unsigned int num_perms;
	const struct vcfg_perm *perms;
};

/* perm.c: tables. */
const struct vcfg_rule *vcfg_rule_find(u32 header, bool ext);
const struct vcfg_rule *vcfg_rule_header(void);
void vcfg_perm_apply(struct vcfg_space *space, unsigned int pos, unsigned int bytes,
		     const struct vcfg_rule *rule);
void vcfg_perm_values(struct vcfg_space *space, unsigned int pos, unsigned int bytes,
		      const struct vcfg_rule *rule);

/* caps.c: chains. */
int vcfg_caps_init(struct vcfg_space *space);
unsigned int vcfg_caps_find(const struct vcfg_space *space, unsigned int id, bool ext);

/* bar.c: base addresses. */
int vcfg_bars_init(struct vcfg_space *space, const struct vcfg_desc *desc);

/* trap.c: registers with effects. */
struct vcfg_piece {
	unsigned int pos;
	unsigned int bytes;
	u32 val;
};

int vcfg_trap_write(struct vcfg_space *space, const struct vcfg_piece *piece);
u32 vcfg_trap_view(struct vcfg_space *space, unsigned int pos, u32 val);

/* engine.c: access. */
size_t vcfg_space_mem(unsigned int bytes);
int vcfg_space_init(struct vcfg_space *space, const struct vcfg_desc *desc,
		    const struct vcfg_host_ops *ops, void *host, void *mem);
int vcfg_space_read(struct vcfg_space *space, unsigned int pos, void *buf,
		    unsigned int bytes);
int vcfg_space_write(struct vcfg_space *space, unsigned int pos, const void *buf,
		     unsigned int bytes);

/* Little-endian access to the arrays; @pos is a dword's or word's offset. */
static inline u32 vcfg_get32(const u8 *array, unsigned int pos)
{
	return get_unaligned_le32(array + pos);
}

static inline u16 vcfg_get16(const u8 *array, unsigned int pos)
{
	return get_unaligned_le16(array + pos);
}

static inline void vcfg_put32(u8 *array, unsigned int pos, u32 val)
{
	put_unaligned_le32(val, array + pos);
}

static inline void vcfg_put16(u8 *array, unsigned int pos, u16 val)
{
	put_unaligned_le16(val, array + pos);
}

/* All ones in the low @bytes bytes, 1 to 4. */
static inline u32 vcfg_lanes(unsigned int bytes)
{
	return 0xffffffffU >> (32 - 8 * bytes);
}

/* The low @bytes bytes at @pos. */
static inline u32 vcfg_get(const u8 *array, unsigned int pos, unsigned int bytes)
{
	switch (bytes) {
	case 4:
		return vcfg_get32(array, pos);
	case 2:
		return vcfg_get16(array, pos);
	default:
		return array[pos];
	}
}

static inline void vcfg_put(u8 *array, unsigned int pos, unsigned int bytes, u32 val)
{
	switch (bytes) {
	case 4:
		vcfg_put32(array, pos, val);
		break;
	case 2:
		vcfg_put16(array, pos, val & 0xffff);
		break;
	default:
		array[pos] = val & 0xff;
	}
}

/* Read a dword of the hardware into the shadow. */
static inline int vcfg_fetch(struct vcfg_space *space, unsigned int pos)
{
	u32 val = 0;
	int err = space->ops->read(space->host, pos, 4, &val);

	if (!err)
		vcfg_put32(space->shadow, pos, val);
	return err;
}

#endif /* VCFG_H */
