// SPDX-License-Identifier: GPL-2.0
/*
 * The view: what the user read when the device was opened, as far as a device that
 * takes over must show the same.  Pure, but for reading through the host once.
 *
 * Compared are
 *
 *   - virtual bits that the user cannot write: they never change (ids, sizes and
 *     types of BARs, capabilities, where they are, what they offer, hidden bytes);
 *   - bytes that are the device's own (bodies of vendor-specific capabilities, bytes
 *     of no capability), as they were at first: their meaning is not known;
 *   - registers of the hardware that a table calls steady.
 *
 * All others are volatile: addresses, status, interrupt set-up, what the user or
 * the host has written, links.
 */
#include <uapi/vpv/stream.h>

#include "persona.h"
#include "vcfg.h"

/* Read-only bits of the hardware that say what it is; id 0: the header. */
static const struct {
	u16 id;
	bool ext;
	u8 pos;
	u8 bytes;
	u32 bits;
} steady[] = {
	{ 0, false, PCI_STATUS, 2,
	  PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MASK },
	{ PCI_CAP_ID_PM, false, PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET },
	{ PCI_CAP_ID_MSIX, false, PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_QSIZE },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKCAP, 4, ~0U },
	{ PCI_CAP_ID_EXP, false, PCI_EXP_LNKCAP2, 4, ~0U },
	{ PCI_CAP_ID_SATA, false, 4, 4, ~0U },
	{ PCI_EXT_CAP_ID_ERR, true, PCI_ERR_CAP, 4,
	  PCI_ERR_CAP_ECRC_GENC | PCI_ERR_CAP_ECRC_CHKC },
	{ PCI_EXT_CAP_ID_VC, true, 4, 4, ~0U },
	{ PCI_EXT_CAP_ID_VC9, true, 4, 4, ~0U },
	{ PCI_EXT_CAP_ID_MFVC, true, 4, 4, ~0U },
	{ PCI_EXT_CAP_ID_PWR, true, PCI_PWR_CAP, 1, 0xff },
	{ PCI_EXT_CAP_ID_ACS, true, PCI_ACS_CAP, 2, 0xffff },
	{ PCI_EXT_CAP_ID_ARI, true, PCI_ARI_CAP, 2, 0xff },
	{ PCI_EXT_CAP_ID_ATS, true, PCI_ATS_CAP, 2, 0xffff },
	{ PCI_EXT_CAP_ID_SRIOV, true, PCI_SRIOV_CAP, 4, ~0U },
	{ PCI_EXT_CAP_ID_MCAST, true, 4, 2, 0xffff },
	{ PCI_EXT_CAP_ID_PRI, true, PCI_PRI_MAX_REQ, 4, ~0U },
	{ PCI_EXT_CAP_ID_REBAR, true, PCI_REBAR_CAP, 4, ~0U },
	{ PCI_EXT_CAP_ID_DPA, true, PCI_DPA_CAP, 4, ~0U },
	{ PCI_EXT_CAP_ID_TPH, true, PCI_TPH_CAP, 4, ~0U },
};

/* A header of the user's chains that begins behind @pos and before @end? */
static bool next_begins(const struct vcfg_space *space, unsigned int pos, unsigned int end)
{
	const u8 *shadow = space->shadow;
	unsigned int at;

	if (pos < VCFG_STD_BYTES) {
		at = shadow[PCI_STATUS] & PCI_STATUS_CAP_LIST ? shadow[PCI_CAPABILITY_LIST] : 0;
		for (; at; at = shadow[at + PCI_CAP_LIST_NEXT])
			if (at > pos && at < end)
				return true;
		return end > VCFG_STD_BYTES;
	}
	for (at = VCFG_STD_BYTES; at; at = vcfg_get32(shadow, at) >> 20)
		if (at > pos && at < end)
			return true;
	return end > space->bytes;
}

/* All of a kind: a persona can have one that is not the first. */
static void mark_cap(struct vcfg_space *space, size_t k, unsigned int pos)
{
	unsigned int at = pos + steady[k].pos;
	u32 virt, known;

	/* A short capability ends before it. */
	if (pos && next_begins(space, pos, at + steady[k].bytes))
		return;
	virt = vcfg_get(space->virt, at, steady[k].bytes);
	known = vcfg_get(space->known, at, steady[k].bytes);
	vcfg_put(space->known, at, steady[k].bytes, known | (steady[k].bits & ~virt));
}

static void mark_steady(struct vcfg_space *space)
{
	const u8 *shadow = space->shadow;

	for (size_t k = 0; k < ARRAY_SIZE(steady); k++) {
		unsigned int pos;

		if (!steady[k].id) {
			mark_cap(space, k, 0);
			continue;
		}
		if (steady[k].ext && space->bytes <= VCFG_STD_BYTES)
			continue;
		if (steady[k].ext) {
			for (pos = VCFG_STD_BYTES; pos; pos = vcfg_get32(shadow, pos) >> 20)
				if (vcfg_get16(shadow, pos) == steady[k].id)
					mark_cap(space, k, pos);
			continue;
		}
		pos = shadow[PCI_STATUS] & PCI_STATUS_CAP_LIST ?
			shadow[PCI_CAPABILITY_LIST] : 0;
		for (; pos; pos = shadow[pos + PCI_CAP_LIST_NEXT])
			if (shadow[pos] == steady[k].id)
				mark_cap(space, k, pos);
	}
}

/* What a callback returns is up to the driver. */
static void unmark_callbacks(struct vcfg_space *space)
{
	const struct vcfg_persona *p = space->persona;

	for (unsigned int i = 0; p && p->num_callbacks && i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);

		if (f.source == VPV_PERSONA_CALLBACK)
			vcfg_put(space->known, f.pos, f.bytes,
				 vcfg_get(space->known, f.pos, f.bytes) & ~f.bits);
	}
}

/*
 * Once, when the space has been built, with @known and @seen; the first has the
 * bytes that are the device's own.
 * Return: 0 or the error of a read.
 */
int vcfg_view_build(struct vcfg_space *space)
{
	mark_steady(space);
	for (unsigned int pos = 0; pos < space->bytes; pos += 4) {
		u32 virt = vcfg_get32(space->virt, pos);
		u32 keep = virt & ~vcfg_get32(space->write, pos);

		vcfg_put32(space->known, pos,
			   keep | (vcfg_get32(space->known, pos) & ~virt));
	}
	unmark_callbacks(space);
	for (unsigned int pos = 0; pos < space->bytes; pos += 4) {
		u32 known = vcfg_get32(space->known, pos);
		u32 virt = vcfg_get32(space->virt, pos);
		u32 val = vcfg_get32(space->shadow, pos) & virt, hw = 0;
		int err = known & ~virt ? vcfg_hw_read(space, pos, 4, &hw) : 0;

		if (err)
			return err;
		vcfg_put32(space->seen, pos, (val | (hw & ~virt)) & known);
	}
	return 0;
}

/* Payload of VPV_RECORD_VIEW.  Return: its size or -ENOSPC. */
int vcfg_view_write(const struct vcfg_space *space, void *buf, size_t room)
{
	struct vcfg_words w;

	vcfg_words_begin(&w, 0, buf, room);
	for (unsigned int pos = 0; pos < space->bytes; pos += 4) {
		u32 seen = vcfg_get32(space->seen, pos);
		u32 known = vcfg_get32(space->known, pos);

		if (seen || ~known)
			vcfg_words_put(&w, pos, seen, known);
	}
	return vcfg_words_end(&w, space->bytes);
}

/* Name the first byte of a dword that has one of @bits. */
static int name_byte(struct vmig_diff *diff, const char *what, unsigned int pos,
		     u32 bits, u32 want, u32 got)
{
	unsigned int byte = 0;

	while (!(bits >> 8 * byte & 0xff))
		byte++;
	return vcfg_words_differ(diff, -EOPNOTSUPP, what, pos + byte,
				 want >> 8 * byte & 0xff, got >> 8 * byte & 0xff);
}

static int check_dword(const struct vcfg_space *space, unsigned int pos, u32 got, u32 mask,
		       struct vmig_diff *diff)
{
	u32 seen = vcfg_get32(space->seen, pos);
	u32 known = vcfg_get32(space->known, pos);
	u32 differ = (seen ^ got) & known & mask;

	if (differ)
		return name_byte(diff, "config space", pos, differ, seen, got);
	/* The bits that are addresses and those that are not: the size. */
	if (vcfg_is_bar(pos) && known != mask)
		return name_byte(diff, "size of a BAR in config space", pos, known ^ mask,
				 ~known, ~mask);
	return 0;
}

/*
 * Compare with a payload of VPV_RECORD_VIEW, from anywhere.  Only bits that both
 * sides call steady count, so that the tables can grow.
 * Return: 0; -EOPNOTSUPP, the first byte that differs is in @diff; -EINVAL.
 */
int vcfg_view_check(const struct vcfg_space *space, const void *buf, size_t bytes,
		    struct vmig_diff *diff)
{
	int err = vcfg_words_check(buf, bytes, space->bytes, 0, diff);
	unsigned int words, i = 0;

	if (err)
		return err;
	words = vcfg_words_num(bytes);
	for (unsigned int pos = 0; pos < space->bytes && !err; pos += 4) {
		unsigned int at = VCFG_NOWHERE;
		u32 val, mask;

		if (i < words)
			vcfg_words_get(buf, i, &at, &val, &mask);
		if (at == pos)
			i++;
		else
			val = 0;
		err = check_dword(space, pos, val, at == pos ? mask : ~0U, diff);
	}
	return err;
}
