// SPDX-License-Identifier: GPL-2.0
/*
 * Emulated bits of a persona: out, and in from anywhere.  Pure.
 */
#include <uapi/vpv/stream.h>

#include "persona.h"
#include "vcfg.h"

/* The emulated bits of the dword at @pos, and which of them the user may write. */
static u32 emulated_bits(const struct vcfg_persona *p, unsigned int pos, u32 *write)
{
	u32 bits = 0;

	*write = 0;
	for (unsigned int i = vcfg_persona_from(p, pos); i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);
		unsigned int shift = 8 * (f.pos & 3);

		if (f.pos >= pos + 4)
			break;
		if (f.source != VPV_PERSONA_EMULATED)
			continue;
		bits |= f.bits << shift;
		*write |= f.write << shift;
	}
	return bits;
}

/* Payload of VPV_RECORD_CONFIG.  Return: its size, 0 if there is none, or -ENOSPC. */
int vcfg_state_write(const struct vcfg_space *space, void *buf, size_t room)
{
	struct vcfg_words w;
	bool any = false;
	u32 write;

	vcfg_words_begin(&w, buf, room);
	for (unsigned int pos = 0; space->persona && pos < space->bytes; pos += 4) {
		u32 bits = emulated_bits(space->persona, pos, &write);

		if (!bits)
			continue;
		any = true;
		vcfg_words_put(&w, pos, vcfg_get32(space->shadow, pos), bits);
	}
	return any ? vcfg_words_end(&w, space->bytes) : 0;
}

static int check_emulated(const struct vcfg_space *space, unsigned int pos, u32 got,
			  u32 mask, struct vpv_config_diff *diff)
{
	u32 write, bits = emulated_bits(space->persona, pos, &write);
	u32 shadow = vcfg_get32(space->shadow, pos);

	if (mask != bits)
		return vcfg_words_differ(diff, -EINVAL, "emulated bits of config space", pos,
					 bits, mask);
	if ((shadow ^ got) & bits & ~write)
		return vcfg_words_differ(diff, -EINVAL,
					 "emulated bits that nobody can write", pos,
					 shadow & bits & ~write, got & bits & ~write);
	return 0;
}

/* Every dword that has emulated bits, and no other. */
static int check_state(const struct vcfg_space *space, const void *buf, unsigned int words,
		       struct vpv_config_diff *diff)
{
	unsigned int i = 0;

	for (unsigned int pos = 0; pos < space->bytes; pos += 4) {
		unsigned int at = VPV_CONFIG_NOWHERE;
		u32 val = 0, mask = 0;
		int err;

		if (i < words)
			vcfg_words_get(buf, i, &at, &val, &mask);
		if (at == pos)
			i++;
		else
			mask = 0;
		err = check_emulated(space, pos, val, mask, diff);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Take a payload of VPV_RECORD_CONFIG.
 * Return: 0, or -EINVAL or -EOPNOTSUPP with nothing changed (@diff tells).
 */
int vcfg_state_load(struct vcfg_space *space, const void *buf, size_t bytes,
		    struct vpv_config_diff *diff)
{
	unsigned int words;
	int err;

	if (!space->persona)
		return vcfg_words_differ(diff, -EINVAL, "emulated state, with no persona",
					 VPV_CONFIG_NOWHERE, 0, bytes);
	err = vcfg_words_check(buf, bytes, space->bytes, diff);
	if (err)
		return err;
	words = vcfg_words_num(bytes);
	err = check_state(space, buf, words, diff);
	if (err)
		return err;
	for (unsigned int i = 0; i < words; i++) {
		u32 val, mask, write;
		unsigned int pos;

		vcfg_words_get(buf, i, &pos, &val, &mask);
		emulated_bits(space->persona, pos, &write);
		vcfg_put32(space->shadow, pos,
			   (vcfg_get32(space->shadow, pos) & ~write) | (val & write));
	}
	return 0;
}
