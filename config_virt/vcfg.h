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
 * and for each byte the trap that takes writes to its register, if any.  The arrays
 * may end before config space does: bytes that they do not have are the device's own,
 * passed through.  Whoever
 * fills the arrays (capability tables or a persona) decides what the user sees;
 * reads and writes only look at them.
 */
#ifndef VCFG_H
#define VCFG_H

/* First: on the host it has the types that the others use. */
#include <vpv/pure.h>

#include <linux/pci_regs.h>
#include <vpv/config.h>
#include <vpv/config_state.h>

struct vcfg_persona;
struct vcfg_space;

#define VCFG_STD_BYTES	256U
#define VCFG_MSI_LOG2_MAX 5	/* vectors: PCI Local Bus 3.0, 6.8.1.3 */
#define VCFG_HEADER	PCI_STD_HEADER_SIZEOF

/* Registers whose writes have an effect beyond their bits. */
enum vcfg_trap {
	VCFG_TRAP_NONE,
	VCFG_TRAP_COMMAND,
	VCFG_TRAP_PM,		/* PM control */
	VCFG_TRAP_MSI,		/* MSI message control */
	VCFG_TRAP_EXP,		/* PCIe device control */
	VCFG_TRAP_AF,		/* Advanced Features control */
	VCFG_TRAP_VPD,		/* VPD address */
	VCFG_TRAPS,
};

/* A part of an access: 1, 2 or 4 bytes, aligned. */
struct vcfg_piece {
	unsigned int pos;
	unsigned int bytes;
	u32 val;
};

/**
 * struct vcfg_space - The user's view of one config space
 * @ops: Way to the device.
 * @host: First argument of @ops.
 * @why: After an error of vcfg_space_init(): what was wrong, or NULL.
 * @bytes: Size: 256 or 4096.
 * @tabled: Bytes that the arrays have, a multiple of 4.
 * @vf: A virtual function.
 * @command: The user's COMMAND; equal to the shadow's, for lockless readers.
 * @reg: Offset of the register of each trap, 0 if there is none.
 * @kept: Of vcfg_desc: bits that the user cannot change.
 * @saved_bar: Physical BARs at creation.
 * @shadow: Virtual bits.
 * @virt: See above.
 * @write: See above.
 * @w1c: See above.
 * @trap: enum vcfg_trap for each byte.
 * @place: With a persona, else NULL: for each dword 16 bits, VCFG_PLACE_CALLED or
 *	not and its offset in the hardware, see vcfg_hw_pos().
 * @clear: With a persona, else NULL: writable virtual bits that 1 clears.
 * @known: NULL if there is no view; see view.c.
 * @seen: With @known: what the user read at first.
 * @state: With @known: bits that the user may have changed and that another device has
 *	to take over; see state.c.
 * @persona: What the user sees, or NULL: the hardware.
 * @callbacks: Of the driver.
 * @num_callbacks: Their number.
 * @call: Bits of callbacks: persona_call.c, or NULL if there are none.
 */
struct vcfg_space {
	const struct vcfg_host_ops *ops;
	void *host;
	const char *why;
	unsigned int bytes;
	unsigned int tabled;
	bool vf;
	u16 command;
	u16 reg[VCFG_TRAPS];
	u16 kept[VCFG_KEPTS];
	u32 saved_bar[VCFG_BARS];
	u8 *shadow;
	u8 *virt;
	u8 *write;
	u8 *w1c;
	u8 *trap;
	u8 *place;
	u8 *clear;
	u8 *known;
	u8 *seen;
	u8 *state;
	const struct vcfg_persona *persona;
	const struct vcfg_callback *callbacks;
	unsigned int num_callbacks;
	int (*call)(struct vcfg_space *space, const struct vcfg_piece *piece, bool write,
		    u32 *val);
};

/* In struct vcfg_space.place: the dword has bits of a callback. */
#define VCFG_PLACE_CALLED	0x1U

/**
 * struct vcfg_perm - Permissions of one register
 * @pos: Offset from the begin of its capability.
 * @bytes: 1, 2 or 4.
 * @trap: enum vcfg_trap.
 * @kept: enum vcfg_kept: a host may take bits out of @write.
 * @virt: Virtual bits.
 * @write: Bits that the user may write.
 * @w1c: Bits that 1 clears.
 * @act: Writable bits that are no state: writing them does something, or whoever uses
 *	the device sets them anew on another one.
 * @clear: Virtual bits that begin as 0, whatever the hardware says.
 * @set: Virtual bits that begin as 1.
 */
struct vcfg_perm {
	u16 pos;
	u8 bytes;
	u8 trap;
	u8 kept;
	u32 virt;
	u32 write;
	u32 w1c;
	u32 act;
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

/* arrays.c: memory. */
size_t vcfg_space_mem(const struct vcfg_desc *desc);
void vcfg_space_setup(struct vcfg_space *space, const struct vcfg_desc *desc,
		      const struct vcfg_host_ops *ops, void *host, void *mem);
void vcfg_space_extend(struct vcfg_space *space, unsigned int end);
size_t vcfg_space_packed(const struct vcfg_space *space);
void vcfg_space_pack(struct vcfg_space *space, void *mem);

/* caps.c: chains. */
int vcfg_caps_init(struct vcfg_space *space);
unsigned int vcfg_caps_find(const struct vcfg_space *space, unsigned int id, bool ext);

/* bar.c: base addresses. */
void vcfg_bars_save(struct vcfg_space *space);
int vcfg_bars_init(struct vcfg_space *space, const struct vcfg_desc *desc);

/* trap.c: registers with effects. */
int vcfg_trap_write(struct vcfg_space *space, const struct vcfg_piece *piece);
int vcfg_trap_restore(struct vcfg_space *space, const struct vcfg_piece *piece);
u32 vcfg_trap_view(struct vcfg_space *space, unsigned int pos, u32 val);

/* engine.c: access. */
int vcfg_space_init(struct vcfg_space *space, const struct vcfg_desc *desc,
		    const struct vcfg_host_ops *ops, void *host, void *mem);
void vcfg_msi_limit(struct vcfg_space *space);
int vcfg_space_read(struct vcfg_space *space, unsigned int pos, void *buf,
		    unsigned int bytes);
int vcfg_space_write(struct vcfg_space *space, unsigned int pos, const void *buf,
		     unsigned int bytes);
int vcfg_space_restore(struct vcfg_space *space, unsigned int pos, u32 val, u32 mask);

/* view.c: what two devices must show alike. */
int vcfg_view_build(struct vcfg_space *space);
int vcfg_view_write(const struct vcfg_space *space, void *buf, size_t room);
int vcfg_view_check(const struct vcfg_space *space, const void *buf, size_t bytes,
		    struct vmig_diff *diff);

/* state.c: what the user has written. */
bool vcfg_state_needed(const struct vcfg_space *space);
int vcfg_state_write(const struct vcfg_space *space, void *buf, size_t room);
int vcfg_state_load(struct vcfg_space *space, const void *buf, size_t bytes,
		    struct vmig_diff *diff);

/* words.c: the payload of both in the stream. */
struct vcfg_words {
	u8 *buf;
	size_t room;
	size_t bytes;
	unsigned int version;
};

void vcfg_words_begin(struct vcfg_words *w, unsigned int version, void *buf, size_t room);
void vcfg_words_put(struct vcfg_words *w, unsigned int pos, u32 val, u32 mask);
int vcfg_words_end(struct vcfg_words *w, unsigned int config_bytes);
unsigned int vcfg_words_num(size_t bytes);
unsigned int vcfg_words_version(const void *buf);
void vcfg_words_get(const void *buf, unsigned int i, unsigned int *pos, u32 *val,
		    u32 *mask);
int vcfg_words_check(const void *buf, size_t bytes, unsigned int config_bytes,
		     unsigned int newest, struct vmig_diff *diff);

/* @pos: a byte of config space, or VCFG_NOWHERE. */
#define VCFG_NOWHERE	(~0U)
int vcfg_words_differ(struct vmig_diff *diff, int err, const char *what,
		      unsigned int pos, u32 want, u32 got);

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

/* A byte of a base address, or of the ROM's. */
static inline bool vcfg_is_bar(unsigned int pos)
{
	return (pos >= PCI_BASE_ADDRESS_0 && pos < PCI_CARDBUS_CIS) ||
	       (pos >= PCI_ROM_ADDRESS && pos < PCI_CAPABILITY_LIST);
}

/* Where the hardware has the register that the user sees at @pos. */
static inline unsigned int vcfg_hw_pos(const struct vcfg_space *space, unsigned int pos)
{
	if (!space->place)
		return pos;
	return (vcfg_get16(space->place, pos / 4 * 2) & ~3U) + (pos & 3);
}

/* Does the dword at @pos have bits of a callback? */
static inline bool vcfg_called(const struct vcfg_space *space, unsigned int pos)
{
	return space->call &&
	       vcfg_get16(space->place, pos / 4 * 2) & VCFG_PLACE_CALLED;
}

/* Read and write the hardware's register that the user sees at @pos. */
static inline int vcfg_hw_read(const struct vcfg_space *space, unsigned int pos,
			       unsigned int bytes, u32 *val)
{
	return space->ops->read(space->host, vcfg_hw_pos(space, pos), bytes, val);
}

static inline int vcfg_hw_write(const struct vcfg_space *space, unsigned int pos,
				unsigned int bytes, u32 val)
{
	return space->ops->write(space->host, vcfg_hw_pos(space, pos), bytes, val);
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
