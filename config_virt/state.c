// SPDX-License-Identifier: GPL-2.0
/*
 * What the user has written to config space: out, and in from anywhere.  Pure, but for
 * reads and writes of the hardware through the host.
 *
 * State are the bits that the permission tables let the user write - virtual ones and the
 * hardware's - but for those that 1 clears and those that do something when they are
 * written (vcfg_perm.act), and all bits that a persona emulates.  Bytes that are the
 * device's own are none: it is not known what writing them does (view.c compares them).
 *
 * Loading writes registers as the user does, through the same checks.  What the host keeps
 * for itself here (vcfg_desc.kept) stays, although another host may have allowed it.
 */
#include <uapi/vpv/stream.h>

#include "persona.h"
#include "vcfg.h"

/* The emulated bits of the dword at @pos, and which of them the user may write. */
static u32 emulated_bits(const struct vcfg_space *space, unsigned int pos, u32 *write)
{
	*write = 0;
	return space->persona ? vcfg_persona_emulated(space->persona, pos, write) : 0;
}

/* Does a stream have to have a CONFIG record, of whatever version? */
bool vcfg_state_needed(const struct vcfg_space *space)
{
	u32 write;

	for (unsigned int pos = 0; space->persona && pos < space->bytes; pos += 4)
		if (emulated_bits(space, pos, &write))
			return true;
	return false;
}

/* A function that does not answer has no state, and takes none. */
static int check_alive(const struct vcfg_space *space)
{
	u32 val = 0;
	int err = space->ops->read(space->host, PCI_CACHE_LINE_SIZE, 4, &val);

	return err || val != ~0U ? err : -EIO;
}

/* Payload of VPV_RECORD_CONFIG.  Return: its size, -ENOSPC, or the error of a read. */
int vcfg_state_write(const struct vcfg_space *space, void *buf, size_t room)
{
	struct vcfg_words w;
	int err = check_alive(space);

	vcfg_words_begin(&w, VPV_CONFIG_VERSION, buf, room);
	for (unsigned int pos = 0; pos < space->bytes && !err; pos += 4) {
		u32 state = vcfg_get32(space->state, pos);
		u32 virt = vcfg_get32(space->virt, pos);
		u32 val = vcfg_get32(space->shadow, pos) & virt, hw = 0;

		if (!state)
			continue;
		if (state & ~virt)
			err = vcfg_hw_read(space, pos, 4, &hw);
		vcfg_words_put(&w, pos, val | (hw & ~virt), state);
	}
	/* One that has gone meanwhile has said nothing but ones. */
	err = err ? err : check_alive(space);
	return err ? err : vcfg_words_end(&w, space->bytes);
}

static int check_bits(const struct vcfg_space *space, unsigned int pos, u32 got, u32 mask,
		      bool all, struct vmig_diff *diff)
{
	u32 write, emulated = emulated_bits(space, pos, &write);
	u32 state = all ? vcfg_get32(space->state, pos) : emulated;
	u32 shadow = vcfg_get32(space->shadow, pos);

	if (emulated & ~mask)
		return vcfg_words_differ(diff, -EINVAL, "emulated bits of config space", pos,
					 emulated, mask);
	if (mask & ~state)
		return vcfg_words_differ(diff, -EINVAL,
					 "bits of config space that are no state", pos, state,
					 mask);
	if ((shadow ^ got) & emulated & ~write)
		return vcfg_words_differ(diff, -EINVAL,
					 "emulated bits that nobody can write", pos,
					 shadow & emulated & ~write, got & emulated & ~write);
	return 0;
}

/* Every dword that has emulated bits, and none without state. */
static int check_state(const struct vcfg_space *space, const void *buf, unsigned int words,
		       struct vmig_diff *diff)
{
	bool all = vcfg_words_version(buf);
	unsigned int i = 0;

	for (unsigned int pos = 0; pos < space->bytes; pos += 4) {
		unsigned int at = VCFG_NOWHERE;
		u32 val = 0, mask = 0;
		int err;

		if (i < words)
			vcfg_words_get(buf, i, &at, &val, &mask);
		if (at == pos)
			i++;
		else
			mask = 0;
		err = check_bits(space, pos, val, mask, all, diff);
		if (err)
			return err;
	}
	return 0;
}

/* Emulated bits are memory, whatever a write of the user would do to them. */
static int load_dword(struct vcfg_space *space, unsigned int pos, u32 val, u32 mask)
{
	u32 write, emulated = emulated_bits(space, pos, &write);
	u32 shadow = vcfg_get32(space->shadow, pos);

	vcfg_put32(space->shadow, pos, (shadow & ~write) | (val & write));
	return vcfg_space_restore(space, pos, val, mask & ~emulated);
}

/*
 * Take a payload of VPV_RECORD_CONFIG.
 * Return: 0; -EINVAL, -EOPNOTSUPP or -EPROTONOSUPPORT with nothing changed (@diff tells);
 * an error of the host, with registers before the one that failed changed.
 */
int vcfg_state_load(struct vcfg_space *space, const void *buf, size_t bytes,
		    struct vmig_diff *diff)
{
	unsigned int words;
	int err;

	err = vcfg_words_check(buf, bytes, space->bytes, VPV_CONFIG_VERSION, diff);
	if (err)
		return err;
	words = vcfg_words_num(bytes);
	err = check_state(space, buf, words, diff);
	if (err)
		return err;
	err = check_alive(space);
	if (err)
		return vcfg_words_differ(diff, err, "answer of the device",
					 VCFG_NOWHERE, 0, ~0U);
	for (unsigned int i = 0; i < words && !err; i++) {
		unsigned int pos;
		u32 val, mask;

		vcfg_words_get(buf, i, &pos, &val, &mask);
		err = load_dword(space, pos, val, mask);
		if (err)
			vcfg_words_differ(diff, err, "register that cannot be written", pos,
					  val, 0);
	}
	return err;
}
