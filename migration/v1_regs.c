// SPDX-License-Identifier: GPL-2.0
/*
 * The migration region of the v1 dialect: which accesses make sense, and when.  Pure:
 * v1.c carries them out.
 */
#include "fsm.h"
#include "v1_regs.h"

#define R	VPV_V1_STATE_RUNNING
#define S	VPV_V1_STATE_SAVING
#define L	VPV_V1_STATE_RESUMING
#define N	VPV_V1_STATE_NDMA

/* Sessions in which a field has a meaning, one bit each. */
#define NONE	BIT(VMIG_V1_NONE)
#define SAVES	BIT(VMIG_V1_SAVES)
#define LOADS	BIT(VMIG_V1_LOADS)
#define ANY	(NONE | SAVES | LOADS)

/* In the order of their offsets. */
static const struct {
	u32 pos;
	u32 bytes;
	u8 readable;		/* in these sessions */
	u8 writable;
	bool after_offset;	/* when saving, only with data there */
} fields[VMIG_V1_REGS] = {
	[VMIG_V1_DEVICE_STATE]	= { VPV_V1_DEVICE_STATE,  4, ANY, ANY, false },
	[VMIG_V1_RESERVED]	= { VPV_V1_RESERVED,	  4, ANY, ANY, false },
	[VMIG_V1_PENDING_BYTES]	= { VPV_V1_PENDING_BYTES, 8, ANY, 0, false },
	[VMIG_V1_DATA_OFFSET]	= { VPV_V1_DATA_OFFSET,	  8, SAVES | LOADS, 0, false },
	[VMIG_V1_DATA_SIZE]	= { VPV_V1_DATA_SIZE,	  8, SAVES, LOADS, true },
	[VMIG_V1_WINDOW]	= { VPV_V1_WINDOW, VPV_V1_WINDOW_BYTES, SAVES | LOADS, LOADS,
				    false },
};

/* Any part of the window, but exactly one of the other fields. */
static int field_check(unsigned int reg, u64 at, u64 bytes)
{
	u64 left = fields[reg].bytes - at;

	if (reg == VMIG_V1_WINDOW)
		return bytes > left ? -E2BIG : 0;
	if (at)
		return -EINVAL;
	return bytes < left ? -EMSGSIZE : bytes > left ? -E2BIG : 0;
}

int vmig_v1_reg(u64 pos, u64 bytes, bool write)
{
	unsigned int reg;
	int err;

	for (reg = 0; reg < VMIG_V1_REGS; reg++)
		if (pos >= fields[reg].pos && pos - fields[reg].pos < fields[reg].bytes)
			break;
	if (reg == VMIG_V1_REGS)
		return -ENXIO;
	err = field_check(reg, pos - fields[reg].pos, bytes);
	if (err)
		return err;
	return write && !fields[reg].writable ? -EPERM : (int)reg;
}

int vmig_v1_order(enum vmig_v1_reg reg, bool write, enum vmig_v1_session session, bool there)
{
	u8 in = write ? fields[reg].writable : fields[reg].readable;

	if (!(in & BIT(session)))
		return -EPROTO;
	return fields[reg].after_offset && !write && !there ? -EPROTO : 0;
}

u32 vmig_v1_states(u8 caps)
{
	return R | S | L | (caps & VMIG_CAP_P2P ? N : 0);
}

/* The rows of Documentation/migration-v1.rst that can be set, without redundant NDMA. */
static const struct {
	u32 word;
	u8 bits;
} rows[] = {
	{ 0,		0 },
	{ R,		VMIG_RUNNING },
	{ S,		VMIG_SAVING },
	{ R | S,	VMIG_RUNNING | VMIG_SAVING },
	{ L,		VMIG_RESUMING },
	{ R | N,	VMIG_RUNNING | VMIG_NDMA },
	{ R | S | N,	VMIG_RUNNING | VMIG_SAVING | VMIG_NDMA },
};

int vmig_v1_bits(u32 word, u32 states, u8 *bits)
{
	if (word & ~states)
		return -EINVAL;
	if (!(word & R))
		word &= ~N;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].word == word) {
			*bits = rows[i].bits;
			return 0;
		}
	}
	return -EINVAL;
}

u32 vmig_v1_word(u8 bits, bool ndma)
{
	u32 n = ndma && (bits & VMIG_NDMA) ? N : 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].bits == (bits & ~VMIG_NDMA))
			return rows[i].word | n;
	return S | L;
}

#undef R
#undef S
#undef L
#undef N
#undef NONE
#undef SAVES
#undef LOADS
#undef ANY
