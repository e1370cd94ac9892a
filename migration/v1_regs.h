/* SPDX-License-Identifier: GPL-2.0 */
/* The migration region of the v1 dialect: which accesses make sense, and when.  Pure. */
#ifndef VMIG_V1_REGS_H
#define VMIG_V1_REGS_H

#include <vpv/migration_bits.h>
#include <vpv/migration_v1.h>

enum vmig_v1_reg {
	VMIG_V1_DEVICE_STATE,
	VMIG_V1_RESERVED,
	VMIG_V1_PENDING_BYTES,
	VMIG_V1_DATA_OFFSET,
	VMIG_V1_DATA_SIZE,
	VMIG_V1_WINDOW,
	VMIG_V1_REGS,
};

/* What session the user has. */
enum vmig_v1_session {
	VMIG_V1_NONE,
	VMIG_V1_SAVES,
	VMIG_V1_LOADS,
};

/**
 * vmig_v1_reg() - What does an access address?
 * @pos: Offset in the region.
 * @bytes: Size of the access, not 0.
 * @write: Direction.
 *
 * Return: enum vmig_v1_reg; -EINVAL: it begins inside of a field; -EMSGSIZE: it is shorter
 * than the field; -E2BIG: it goes on after the field, or after the window; -ENXIO: there
 * is no field; -EPERM: a field that cannot be written.
 */
int vmig_v1_reg(u64 pos, u64 bytes, bool write);

/**
 * vmig_v1_order() - Does an access make sense now?
 * @reg: What it addresses.
 * @write: Direction.
 * @session: What session the user has.
 * @there: Data is in the window, and data_offset was read.
 *
 * Return: 0 or -EPROTO.
 */
int vmig_v1_order(enum vmig_v1_reg reg, bool write, enum vmig_v1_session session, bool there);

/**
 * vmig_v1_states() - What device_state may hold
 * @caps: VMIG_CAP_ bits of the device.
 *
 * Return: VPV_V1_STATE_ bits.
 */
u32 vmig_v1_states(u8 caps);

/**
 * vmig_v1_bits() - The state that a user has written
 * @word: What was written; untrusted.
 * @states: vmig_v1_states() of the device.
 * @bits: Set to VMIG_ bits, NDMA only of a device that runs.
 *
 * Return: 0, or -EINVAL for an unknown bit or a combination that cannot be set.
 */
int vmig_v1_bits(u32 word, u32 states, u8 *bits);

/**
 * vmig_v1_word() - A state as the user reads it
 * @bits: VMIG_ bits.
 * @ndma: The user has written NDMA.
 *
 * A user who does not know NDMA writes back what he has read: he does not see a bit that he
 * has not written.
 *
 * Return: VPV_V1_STATE_ bits.
 */
u32 vmig_v1_word(u8 bits, bool ndma);

#endif /* VMIG_V1_REGS_H */
