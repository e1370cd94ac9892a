// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes of a config space: split, merge, dispatch.  Pure: the device
 * is reached through the host's operations.
 *
 * An access is cut into pieces of 1, 2 or 4 bytes, aligned, as wide as they can
 * be.  A piece that has only virtual bits costs no access to the hardware; dwords
 * in a row that have nothing else are read by one copy, and those that are the
 * hardware's alone with nothing done but their reads.
 */
#include "vcfg.h"

static unsigned int min_bytes(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Largest aligned piece at @pos in an access that has @left bytes to go. */
static unsigned int piece_bytes(unsigned int pos, unsigned int left)
{
	if (!(pos & 3) && left >= 4)
		return 4;
	return !(pos & 1) && left >= 2 ? 2 : 1;
}

/* The same for a write, whose pieces have one register with a trap, or none. */
static unsigned int write_bytes(const struct vcfg_space *space, unsigned int pos,
				unsigned int left)
{
	unsigned int bytes = piece_bytes(pos, left);

	while (bytes > 1 && pos < space->tabled) {
		u32 same = space->trap[pos] * (0x01010101U & vcfg_lanes(bytes));

		if (vcfg_get(space->trap, pos, bytes) == same)
			break;
		bytes /= 2;
	}
	return bytes;
}

/*
 * How many of the @left bytes at @pos, in dwords, come from one place only: the
 * shadow if @virt is all ones, the hardware if it is 0.
 */
static unsigned int plain_bytes(const struct vcfg_space *space, unsigned int pos,
				unsigned int left, u32 virt)
{
	unsigned int bytes = 0;

	left = min_bytes(left, space->tabled - pos);
	while (left - bytes >= 4 && vcfg_get32(space->virt, pos + bytes) == virt &&
	       !vcfg_get32(space->trap, pos + bytes) && !vcfg_called(space, pos + bytes))
		bytes += 4;
	return bytes;
}

static int read_hw(struct vcfg_space *space, unsigned int pos, u8 *out, unsigned int bytes)
{
	for (unsigned int done = 0; done < bytes; done += 4) {
		u32 val = 0;
		int err = vcfg_hw_read(space, pos + done, 4, &val);

		if (err)
			return err;
		vcfg_put32(out, done, val);
	}
	return 0;
}

/*
 * Read what comes from one place.  Return: bytes, 0 if something else comes first,
 * or the host's error.
 */
static int read_plain(struct vcfg_space *space, unsigned int pos, u8 *out, unsigned int left)
{
	unsigned int bytes = left & ~3U;
	int err;

	if (pos & 3 || !bytes)
		return 0;
	if (pos < space->tabled) {
		u32 virt = vcfg_get32(space->virt, pos);

		if (virt && ~virt)
			return 0;
		bytes = plain_bytes(space, pos, left, virt);
		if (virt) {
			memcpy(out, space->shadow + pos, bytes);
			return bytes;
		}
	}
	err = read_hw(space, pos, out, bytes);
	return err ? err : (int)bytes;
}

static int read_tabled(struct vcfg_space *space, struct vcfg_piece *piece)
{
	unsigned int dword = piece->pos & ~3U;
	unsigned int shift = 8 * (piece->pos & 3);
	u32 lanes = vcfg_lanes(piece->bytes) << shift;
	u32 virt = vcfg_get32(space->virt, dword);
	u32 val = vcfg_get32(space->shadow, dword) & virt;

	if (~virt & lanes) {
		u32 hw = 0;
		int err = vcfg_hw_read(space, piece->pos, piece->bytes, &hw);

		if (err)
			return err;
		val |= hw << shift & ~virt;
	}
	if (vcfg_get32(space->trap, dword))
		val = vcfg_trap_view(space, dword, val);
	piece->val = (val & lanes) >> shift;
	return vcfg_called(space, dword) ? space->call(space, piece, false, &piece->val) : 0;
}

static int read_piece(struct vcfg_space *space, struct vcfg_piece *piece)
{
	if (piece->pos >= space->tabled)
		return vcfg_hw_read(space, piece->pos, piece->bytes, &piece->val);
	return read_tabled(space, piece);
}

/*
 * Bits that the user may not write keep the hardware's value; those that 1 clears
 * are written as 0.
 */
static int write_hw(struct vcfg_space *space, const struct vcfg_piece *piece, u32 pass)
{
	u32 out = piece->val & pass;

	if (pass != vcfg_lanes(piece->bytes)) {
		u32 w1c = vcfg_get(space->w1c, piece->pos, piece->bytes);
		u32 now = 0;
		int err = vcfg_hw_read(space, piece->pos, piece->bytes, &now);

		if (err)
			return err;
		out |= now & ~pass & ~w1c & vcfg_lanes(piece->bytes);
	}
	return vcfg_hw_write(space, piece->pos, piece->bytes, out);
}

static void write_shadow(struct vcfg_space *space, const struct vcfg_piece *piece, u32 keep)
{
	u32 old = vcfg_get(space->shadow, piece->pos, piece->bytes);
	u32 val = piece->val;

	if (space->clear) {
		u32 clear = vcfg_get(space->clear, piece->pos, piece->bytes);

		val = (val & ~clear) | (old & ~val & clear);
	}
	vcfg_put(space->shadow, piece->pos, piece->bytes, (old & ~keep) | (val & keep));
}

static int write_plain(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	u32 write = vcfg_get(space->write, piece->pos, piece->bytes);
	u32 virt = vcfg_get(space->virt, piece->pos, piece->bytes);

	if (write & ~virt) {
		int err = write_hw(space, piece, write & ~virt);

		if (err)
			return err;
	}
	if (write & virt)
		write_shadow(space, piece, write & virt);
	return 0;
}

static int write_piece(struct vcfg_space *space, const struct vcfg_piece *piece)
{
	int err;

	if (piece->pos >= space->tabled)
		return vcfg_hw_write(space, piece->pos, piece->bytes, piece->val);
	err = space->trap[piece->pos] ? vcfg_trap_write(space, piece) :
					write_plain(space, piece);
	if (err || !vcfg_called(space, piece->pos))
		return err;
	return space->call(space, piece, true, NULL);
}

static bool inside(const struct vcfg_space *space, unsigned int pos, unsigned int bytes)
{
	return pos <= space->bytes && bytes <= space->bytes - pos;
}

/* As vcfg_read(); one at a time. */
int vcfg_space_read(struct vcfg_space *space, unsigned int pos, void *buf,
		    unsigned int bytes)
{
	struct vcfg_piece piece = { .pos = pos };
	unsigned int end = pos + bytes;
	u8 *out = buf;

	if (!inside(space, pos, bytes))
		return -EFAULT;
	for (; piece.pos < end; piece.pos += piece.bytes) {
		int err = read_plain(space, piece.pos, out + (piece.pos - pos),
				     end - piece.pos);

		if (err < 0)
			return err;
		piece.bytes = err;
		if (piece.bytes)
			continue;
		piece.bytes = piece_bytes(piece.pos, end - piece.pos);
		err = read_piece(space, &piece);
		if (err)
			return err;
		vcfg_put(out, piece.pos - pos, piece.bytes, piece.val);
	}
	return 0;
}

/* As vcfg_write(); one at a time. */
int vcfg_space_write(struct vcfg_space *space, unsigned int pos, const void *buf,
		     unsigned int bytes)
{
	struct vcfg_piece piece = { .pos = pos };
	unsigned int end = pos + bytes;
	const u8 *in = buf;

	if (!inside(space, pos, bytes))
		return -EFAULT;
	for (; piece.pos < end; piece.pos += piece.bytes) {
		int err;

		piece.bytes = write_bytes(space, piece.pos, end - piece.pos);
		piece.val = vcfg_get(in, piece.pos - pos, piece.bytes);
		err = write_piece(space, &piece);
		if (err)
			return err;
	}
	return 0;
}

/* The widest piece at @pos that has one register, and bits of @mask in each byte. */
static unsigned int restore_bytes(const struct vcfg_space *space, unsigned int pos, u32 mask)
{
	unsigned int bytes = write_bytes(space, pos, 4 - (pos & 3)), have = 0;

	while (have < bytes && mask >> 8 * have & 0xff)
		have++;
	while (bytes > max(have, 1U))
		bytes /= 2;
	return bytes;
}

static int restore_piece(struct vcfg_space *space, struct vcfg_piece *piece, u32 mask)
{
	u32 virt = vcfg_get(space->virt, piece->pos, piece->bytes);
	u32 now = vcfg_get(space->shadow, piece->pos, piece->bytes) & virt;
	u32 keep = vcfg_get(space->w1c, piece->pos, piece->bytes);

	mask &= vcfg_get(space->write, piece->pos, piece->bytes);
	if (!mask)
		return 0;
	if (~virt & vcfg_lanes(piece->bytes)) {
		u32 hw = 0;
		int err = vcfg_hw_read(space, piece->pos, piece->bytes, &hw);

		if (err)
			return err;
		now |= hw & ~virt;
	}
	if (!((now ^ piece->val) & mask))
		return 0;
	/* What 1 clears stays as it is. */
	if (space->clear)
		keep |= vcfg_get(space->clear, piece->pos, piece->bytes);
	piece->val = (now & ~mask & ~keep) | (piece->val & mask);
	return space->trap[piece->pos] ? vcfg_trap_restore(space, piece) :
					 write_plain(space, piece);
}

/*
 * Bits of a dword as another device had them: as if the user wrote the registers that have
 * them, with no change to other bits.  A register that has them already is not written.
 * Callbacks are not called.
 */
int vcfg_space_restore(struct vcfg_space *space, unsigned int pos, u32 val, u32 mask)
{
	struct vcfg_piece piece = { .pos = pos };

	for (; piece.pos < pos + 4; piece.pos += piece.bytes) {
		unsigned int shift = 8 * (piece.pos - pos);
		u32 lanes;
		int err;

		piece.bytes = restore_bytes(space, piece.pos, mask >> shift);
		lanes = vcfg_lanes(piece.bytes);
		piece.val = val >> shift & lanes;
		err = restore_piece(space, &piece, mask >> shift & lanes);
		if (err)
			return err;
	}
	return 0;
}

static int refuse(struct vcfg_space *space, int err, const char *why)
{
	space->why = why;
	return err;
}

/* Only what decides whether there is a device that we can show. */
static int check_type(struct vcfg_space *space)
{
	u32 val = 0;
	int err = space->ops->read(space->host, PCI_CACHE_LINE_SIZE, 4, &val);

	if (err)
		return err;
	if (val == 0xffffffffU)
		return refuse(space, -ENODEV, "device does not answer");
	if ((val >> 16 & 0x7f) != PCI_HEADER_TYPE_NORMAL)
		return refuse(space, -EINVAL, "header type is not 0");
	return 0;
}

static int header_init(struct vcfg_space *space, const struct vcfg_desc *desc)
{
	const struct vcfg_rule *rule = vcfg_rule_header();
	u8 *shadow = space->shadow;

	vcfg_perm_apply(space, 0, VCFG_HEADER, rule);
	for (unsigned int pos = 0; pos < VCFG_HEADER; pos += 4) {
		int err = vcfg_get32(space->virt, pos) ? vcfg_fetch(space, pos) : 0;

		if (err)
			return err;
	}
	vcfg_perm_values(space, 0, VCFG_HEADER, rule);
	if (desc->vf) {
		vcfg_put16(shadow, PCI_VENDOR_ID, desc->vendor);
		vcfg_put16(shadow, PCI_DEVICE_ID, desc->device);
		space->virt[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
		shadow[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	}
	if (desc->vf || desc->no_intx)
		shadow[PCI_INTERRUPT_PIN] = 0;
	vcfg_bars_save(space);
	return vcfg_bars_init(space, desc);
}

/* None is enabled at first, and no reserved number of them is offered. */
void vcfg_msi_limit(struct vcfg_space *space)
{
	unsigned int reg = space->reg[VCFG_TRAP_MSI];
	unsigned int most;
	u16 flags;

	if (!reg)
		return;
	flags = vcfg_get16(space->shadow, reg);
	most = min_bytes((flags & PCI_MSI_FLAGS_QMASK) >> 1, VCFG_MSI_LOG2_MAX);
	flags &= ~(PCI_MSI_FLAGS_QMASK | PCI_MSI_FLAGS_QSIZE);
	vcfg_put16(space->shadow, reg, flags | most << 1);
}

/*
 * Build the user's view of a device, as vcfg_create() without a persona.  @mem has
 * vcfg_space_mem() bytes.
 */
int vcfg_space_init(struct vcfg_space *space, const struct vcfg_desc *desc,
		    const struct vcfg_host_ops *ops, void *host, void *mem)
{
	int err;

	vcfg_space_setup(space, desc, ops, host, mem);
	space->tabled = 0;
	vcfg_space_extend(space, VCFG_HEADER);
	memset(space->write, 0, VCFG_HEADER);
	if (space->known)
		memset(space->known, 0, VCFG_HEADER);
	err = check_type(space);
	if (!err)
		err = header_init(space, desc);
	if (!err)
		err = vcfg_caps_init(space);
	if (err)
		return err;
	if (space->known)
		vcfg_space_extend(space, space->bytes);
	vcfg_msi_limit(space);
	space->command = vcfg_get16(space->shadow, PCI_COMMAND);
	return 0;
}
