// SPDX-License-Identifier: GPL-2.0
/*
 * Can a device keep what a persona promises?  Pure.
 *
 * The physical config space is not trusted: its chains end at the first pointer
 * that leaves the region or leads to a capability that was visited.  A register of
 * the persona is taken from the capability of the hardware that it belongs to, or,
 * outside of all, from bytes of the hardware that belong to none.
 */
#include "persona.h"
#include "vcfg.h"

/* With the slot registers behind the link's, which endpoints have as 0. */
#define EXP_BYTES_V2	0x3c

/* What must hold between the value that the user sees and the hardware's. */
enum promise_kind {
	SUBSET,		/* no bit that the hardware has not */
	AT_MOST,	/* not more */
	SAME,
	NONE,		/* 0: not offered to users */
	IF_ANY,		/* 0 if the hardware has 0 */
};

struct promise {
	u16 id;		/* 0: the header */
	u8 pos;
	u8 bytes;
	bool ext;
	enum promise_kind kind;
	u32 bits;
	const char *text;
};

#define STD(i, p, b, k, m, t) { .id = (i), .pos = (p), .bytes = (b), .kind = (k), \
				.bits = (m), .text = (t) }
#define EXT(i, p, b, k, m, t) { .id = (i), .pos = (p), .bytes = (b), .kind = (k), \
				.bits = (m), .text = (t), .ext = true }

static const struct promise promises[] = {
	STD(0, PCI_INTERRUPT_PIN, 1, IF_ANY, 0xff, "interrupt pin that the device lacks"),
	STD(PCI_CAP_ID_PM, PCI_PM_PMC, 2, SUBSET, PCI_PM_CAP_D1 | PCI_PM_CAP_D2,
	    "power state that the device lacks"),
	STD(PCI_CAP_ID_PM, PCI_PM_PMC, 2, NONE, PCI_PM_CAP_PME_MASK,
	    "PME, which users do not get"),
	STD(PCI_CAP_ID_PM, PCI_PM_CTRL, 2, SUBSET, PCI_PM_CTRL_NO_SOFT_RESET,
	    "No_Soft_Reset that the device lacks"),
	STD(PCI_CAP_ID_MSI, PCI_MSI_FLAGS, 2, AT_MOST, PCI_MSI_FLAGS_QMASK,
	    "more MSI vectors than the device has"),
	STD(PCI_CAP_ID_MSI, PCI_MSI_FLAGS, 2, SAME,
	    PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT, "another layout of MSI"),
	STD(PCI_CAP_ID_MSIX, PCI_MSIX_FLAGS, 2, AT_MOST, PCI_MSIX_FLAGS_QSIZE,
	    "more MSI-X vectors than the device has"),
	STD(PCI_CAP_ID_EXP, PCI_EXP_FLAGS, 2, AT_MOST, PCI_EXP_FLAGS_VERS,
	    "later version of PCI Express than the device has"),
	STD(PCI_CAP_ID_EXP, PCI_EXP_DEVCAP, 4, AT_MOST, PCI_EXP_DEVCAP_PAYLOAD,
	    "larger payload than the device has"),
	STD(PCI_CAP_ID_EXP, PCI_EXP_DEVCAP, 4, NONE, PCI_EXP_DEVCAP_PHANTOM,
	    "phantom functions, which users do not get"),
	STD(PCI_CAP_ID_EXP, PCI_EXP_DEVCAP, 4, SUBSET,
	    PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_FLR,
	    "PCI Express feature that the device lacks"),
	STD(PCI_CAP_ID_EXP, PCI_EXP_DEVCAP2, 4, SUBSET, ~0U,
	    "PCI Express feature (2) that the device lacks"),
	STD(PCI_CAP_ID_AF, PCI_AF_CAP, 1, SUBSET, PCI_AF_CAP_TP | PCI_AF_CAP_FLR,
	    "Advanced Features that the device lacks"),
	EXT(PCI_EXT_CAP_ID_ERR, PCI_ERR_CAP, 4, SUBSET,
	    PCI_ERR_CAP_ECRC_GENC | PCI_ERR_CAP_ECRC_CHKC, "ECRC that the device lacks"),
	EXT(PCI_EXT_CAP_ID_ACS, PCI_ACS_CAP, 2, SUBSET, 0x7f, "ACS that the device lacks"),
	EXT(PCI_EXT_CAP_ID_ATS, PCI_ATS_CAP, 2, SAME, 0x1f, "another depth of ATS"),
	EXT(PCI_EXT_CAP_ID_TPH, PCI_TPH_CAP, 4, SUBSET, 0x0307, "TPH that the device lacks"),
};

/* The hardware's chains. */

/* Where its capabilities are, one bit for each dword, and a walk along one chain. */
struct walk {
	const struct vcfg_persona_hw *hw;
	u32 marks[VCFG_MAX_BYTES / 4 / 32];
};

static bool walk_marked(const struct walk *w, unsigned int pos)
{
	return w->marks[pos / 128] >> (pos / 4 % 32) & 1;
}

static unsigned int walk_first(const struct vcfg_persona_hw *hw, bool ext)
{
	u32 header;

	if (!ext)
		return vcfg_get16(hw->config, PCI_STATUS) & PCI_STATUS_CAP_LIST ?
			hw->config[PCI_CAPABILITY_LIST] & 0xfc : 0;
	if (hw->bytes <= VCFG_STD_BYTES)
		return 0;
	header = vcfg_get32(hw->config, VCFG_STD_BYTES);
	return header && header != ~0U ? VCFG_STD_BYTES : 0;
}

static unsigned int walk_next(const struct vcfg_persona_hw *hw, unsigned int pos, bool ext)
{
	return ext ? vcfg_get16(hw->config, pos + 2) >> 4 & 0xffc :
		     hw->config[pos + PCI_CAP_LIST_NEXT] & 0xfc;
}

static bool walk_inside(const struct vcfg_persona_hw *hw, unsigned int pos, bool ext)
{
	return pos >= (ext ? VCFG_STD_BYTES : VCFG_HEADER) &&
	       pos < (ext ? hw->bytes : VCFG_STD_BYTES);
}

static void walk_scan(struct walk *w, bool ext)
{
	unsigned int pos = walk_first(w->hw, ext);

	while (walk_inside(w->hw, pos, ext) && !walk_marked(w, pos)) {
		w->marks[pos / 128] |= 1U << (pos / 4 % 32);
		pos = walk_next(w->hw, pos, ext);
	}
}

static unsigned int walk_room(const struct walk *w, unsigned int pos)
{
	unsigned int end = pos < VCFG_STD_BYTES ? VCFG_STD_BYTES : w->hw->bytes;
	unsigned int next = pos + 4;

	while (next < end && !walk_marked(w, next))
		next += 4;
	return next - pos;
}

static const struct vcfg_rule *hw_rule(const struct vcfg_persona_hw *hw, unsigned int pos)
{
	return vcfg_rule_find(vcfg_get32(hw->config, pos), pos >= VCFG_STD_BYTES);
}

/* Bytes of a capability of the hardware, as far as they are easily known. */
static unsigned int hw_bytes(const struct walk *w, unsigned int pos)
{
	const struct vcfg_rule *rule = hw_rule(w->hw, pos);
	const u8 *cfg = w->hw->config;
	unsigned int room = walk_room(w, pos);
	unsigned int bytes = rule->bytes ? rule->bytes : room;

	if (room >= 8 && pos >= VCFG_STD_BYTES && rule->flags & VCFG_RULE_RAW)
		bytes = vcfg_get16(cfg, pos + 6) >> 4;
	else if (pos < VCFG_STD_BYTES && rule->id == PCI_CAP_ID_VNDR)
		bytes = cfg[pos + 2];
	else if (pos < VCFG_STD_BYTES && rule->id == PCI_CAP_ID_EXP)
		bytes = (cfg[pos + PCI_EXP_FLAGS] & PCI_EXP_FLAGS_VERS) < 2 ?
			PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 : EXP_BYTES_V2;
	return clamp_t(unsigned int, ALIGN(bytes, 4), 4, room);
}

/* The nth capability with this id, or 0. */
static unsigned int hw_find(const struct vcfg_persona_hw *hw, unsigned int id, bool ext,
			    unsigned int nth)
{
	struct walk seen = { .hw = hw };
	unsigned int pos = walk_first(hw, ext);

	while (walk_inside(hw, pos, ext) && !walk_marked(&seen, pos)) {
		unsigned int here = ext ? vcfg_get16(hw->config, pos) : hw->config[pos];

		if (here == id && !--nth)
			return pos;
		seen.marks[pos / 128] |= 1U << (pos / 4 % 32);
		pos = walk_next(hw, pos, ext);
	}
	return 0;
}

static int fit_caps(const struct vcfg_persona *p, const struct walk *w,
		    struct vcfg_persona_map *map, struct vcfg_persona_why *why)
{
	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
		unsigned int pos;

		map->pos[i] = 0;
		map->room[i] = 0;
		if (!cap.from)
			continue;
		vcfg_persona_part(why, VCFG_PERSONA_CAP, i);
		pos = hw_find(w->hw, cap.id, cap.ext, cap.from);
		if (!pos)
			return vcfg_persona_refuse(why, -EOPNOTSUPP,
						   "capability that the device lacks",
						   cap.id, 0);
		map->pos[i] = pos;
		map->room[i] = hw_bytes(w, pos);
		if (map->room[i] < hw_rule(w->hw, pos)->min)
			return vcfg_persona_refuse(why, -EOPNOTSUPP,
						   "capability that is cut in the device",
						   hw_rule(w->hw, pos)->min, map->room[i]);
	}
	return 0;
}

/*
 * A register of a capability that users do not see, behind its header, of which the persona
 * says which bits can be written: its author knows what they do.
 */
static bool is_opened(const struct walk *w, const struct vcfg_persona_field *f,
		      unsigned int pos)
{
	return f->narrowed && hw_rule(w->hw, pos)->flags & VCFG_RULE_HIDE &&
	       f->pos >= pos + (pos < VCFG_STD_BYTES ? 2 : 4);
}

/* Bytes of no capability here must be such bytes in the device, too, or opened. */
static int fit_own_bytes(const struct walk *w, const struct vcfg_persona_field *f,
			 struct vcfg_persona_why *why)
{
	for (unsigned int pos = VCFG_HEADER; pos < f->pos + f->bytes; pos += 4)
		if (walk_marked(w, pos) && f->pos < pos + hw_bytes(w, pos) &&
		    !is_opened(w, f, pos))
			return vcfg_persona_refuse(why, -EPERM,
						   "hw is in a capability of the device", pos,
						   f->pos);
	return 0;
}

static int fit_fields(const struct vcfg_persona *p, const struct walk *w,
		      const struct vcfg_persona_map *map, struct vcfg_persona_why *why)
{
	for (unsigned int i = 0; i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);
		unsigned int owner = vcfg_persona_cap_at(p, f.pos), off;
		int err;

		vcfg_persona_part(why, VCFG_PERSONA_FIELD, i);
		if (f.pos < VCFG_HEADER)
			continue;
		if (owner == p->num_caps) {
			err = f.source == VPV_PERSONA_HW ? fit_own_bytes(w, &f, why) : 0;
			if (err)
				return err;
			continue;
		}
		if (!map->pos[owner])
			continue;
		off = f.pos - vcfg_persona_cap(p, owner).pos;
		if (f.source == VPV_PERSONA_HW && off + f.bytes > map->room[owner])
			return vcfg_persona_refuse(why, -ENOSPC,
						   "hw is beyond the device's capability",
						   map->room[owner], off + f.bytes);
		err = vcfg_persona_check_perm(&f, hw_rule(w->hw, map->pos[owner]), off, why);
		if (err)
			return err;
	}
	return 0;
}

static int fit_bar(const struct vcfg_persona_bar *bar, u64 bytes, u8 flags,
		   struct vcfg_persona_why *why)
{
	if (bar->kind == VPV_PERSONA_BAR_HIDDEN)
		return 0;
	if (bar->kind == VPV_PERSONA_BAR_NONE)
		return bytes ? vcfg_persona_refuse(why, -EOPNOTSUPP,
						   "BAR of the device that is not mentioned",
						   0, bytes) : 0;
	if (!bytes)
		return vcfg_persona_refuse(why, -EOPNOTSUPP, "BAR that the device lacks",
					   bar->bytes, 0);
	if ((bar->type ^ flags) & PCI_BASE_ADDRESS_SPACE_IO)
		return vcfg_persona_refuse(why, -EOPNOTSUPP,
					   "BAR is not of the device's kind", bar->type,
					   flags);
	if (!(bar->type & PCI_BASE_ADDRESS_SPACE_IO) &&
	    bar->type & ~flags & PCI_BASE_ADDRESS_MEM_PREFETCH)
		return vcfg_persona_refuse(why, -EOPNOTSUPP,
					   "BAR is not prefetchable in the device", bar->type,
					   flags);
	if (bar->bytes > bytes)
		return vcfg_persona_refuse(why, -ERANGE, "BAR is larger than the device's",
					   bytes, bar->bytes);
	return 0;
}

static int fit_bars(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		    struct vcfg_persona_why *why)
{
	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		struct vcfg_persona_bar bar = vcfg_persona_bar(p, i);
		bool rom = i == VPV_PERSONA_ROM;
		int err;

		vcfg_persona_part(why, VCFG_PERSONA_BAR, i);
		err = fit_bar(&bar, rom ? hw->rom_bytes : hw->bar_bytes[i],
			      rom ? 0 : hw->bar_flags[i], why);
		if (err)
			return err;
	}
	return 0;
}

static bool promise_kept(enum promise_kind kind, u32 seen, u32 hw)
{
	switch (kind) {
	case SUBSET:
		return !(seen & ~hw);
	case AT_MOST:
		return seen <= hw;
	case SAME:
		return seen == hw;
	case NONE:
		return !seen;
	default:
		return !seen || hw;
	}
}

/* One register, at @pos for the user and at @at in the device. */
static int fit_promise(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		       const struct promise *promise, unsigned int pos, unsigned int at,
		       struct vcfg_persona_why *why)
{
	u32 known, seen = vcfg_persona_seen(p, NULL, NULL, pos, promise->bytes, &known);
	u32 real = vcfg_get(hw->config, at, promise->bytes) & promise->bits;
	u32 mine, write;

	/* What the user can make of it counts as well. */
	vcfg_persona_emulated(p, ALIGN_DOWN(pos, 4), &write);
	seen |= write >> 8 * (pos & 3);
	/* What the hardware gives it can keep; what users do not get is masked. */
	mine = promise->kind == NONE ? 0 : real & ~known;
	seen = (seen & known & promise->bits) | mine;
	if (promise_kept(promise->kind, seen, real))
		return 0;
	return vcfg_persona_refuse(why, promise->kind == AT_MOST ? -ERANGE : -EOPNOTSUPP,
				   promise->text, real, seen);
}

static int fit_promises(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
			const struct vcfg_persona_map *map, struct vcfg_persona_why *why)
{
	for (size_t k = 0; k < ARRAY_SIZE(promises); k++) {
		const struct promise *promise = &promises[k];
		int err;

		if (!promise->id) {
			vcfg_persona_part(why, VCFG_PERSONA_BLOB, 0);
			err = fit_promise(p, hw, promise, promise->pos, promise->pos,
					  why);
			if (err)
				return err;
			continue;
		}
		for (unsigned int i = 0; i < p->num_caps; i++) {
			struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
			unsigned int end = promise->pos + promise->bytes;

			if (cap.id != promise->id || cap.ext != promise->ext ||
			    !map->pos[i] || end > cap.bytes)
				continue;
			vcfg_persona_part(why, VCFG_PERSONA_CAP, i);
			if (end > map->room[i])
				return vcfg_persona_refuse(why, -ENOSPC,
							   "capability is larger than the device's",
							   map->room[i], cap.bytes);
			err = fit_promise(p, hw, promise, cap.pos + promise->pos,
					  map->pos[i] + promise->pos, why);
			if (err)
				return err;
		}
	}
	return 0;
}

static int fit_callbacks(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
			 struct vcfg_persona_why *why)
{
	for (unsigned int i = 0; hw->callbacks && i < p->num_callbacks; i++) {
		unsigned int k = 0;

		while (k < hw->num_callbacks &&
		       strcmp(hw->callbacks[k], vcfg_persona_callback(p, i)))
			k++;
		vcfg_persona_part(why, VCFG_PERSONA_NAME, i);
		if (k == hw->num_callbacks)
			return vcfg_persona_refuse(why, -EOPNOTSUPP,
						   "callback that the driver lacks",
						   hw->num_callbacks, i);
	}
	return 0;
}

static int fit_device(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		      struct vcfg_persona_why *why)
{
	if (hw->bytes != VCFG_STD_BYTES && hw->bytes != VCFG_MAX_BYTES)
		return vcfg_persona_refuse(why, -EINVAL,
					   "config space of the device is not 256 or 4096 bytes",
					   VCFG_MAX_BYTES, hw->bytes);
	if (vcfg_get16(hw->config, PCI_VENDOR_ID) == 0xffff)
		return vcfg_persona_refuse(why, -ENODEV, "device does not answer", 0, 0xffff);
	if (hw->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK)
		return vcfg_persona_refuse(why, -EINVAL, "header type of the device is not 0",
					   0, hw->config[PCI_HEADER_TYPE]);
	if (p->config_bytes > hw->bytes)
		return vcfg_persona_refuse(why, -EOPNOTSUPP,
					   "config space is larger than the device's",
					   hw->bytes, p->config_bytes);
	return 0;
}

int vcfg_persona_fit(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		     struct vcfg_persona_map *map, struct vcfg_persona_why *why)
{
	struct walk w = { .hw = hw };
	int err;

	memset(why, 0, sizeof(*why));
	err = fit_device(p, hw, why);
	if (err)
		return err;
	walk_scan(&w, false);
	walk_scan(&w, true);
	err = fit_bars(p, hw, why);
	err = err ? err : fit_caps(p, &w, map, why);
	err = err ? err : fit_fields(p, &w, map, why);
	err = err ? err : fit_promises(p, hw, map, why);
	err = err ? err : fit_callbacks(p, hw, why);
	return err ? err : vcfg_persona_check_msix(p, hw, map, why);
}
