// SPDX-License-Identifier: GPL-2.0
/*
 * Capability chains: found in the hardware, shown to the user without what is
 * hidden.  Pure, but for reading through the host.
 *
 * The hardware is not trusted.  Each header is read once.  The first pass follows
 * a chain and marks where capabilities begin, and ends at the first pointer that
 * leaves the region or leads to a capability that it has seen.  In the second
 * pass each gets its bytes up to the next mark at most, so that none can overlap
 * another one; those with too little room for their registers are hidden.
 */
#include "vcfg.h"

#define EXT_FIRST	VCFG_STD_BYTES

/* One chain: standard or extended. */
struct chain {
	struct vcfg_space *space;
	bool ext;
	unsigned int end;		/* of its region */
	u32 marks[VCFG_MAX_BYTES / 4 / 32];
	unsigned int last;		/* last one that the user reaches, or 0 */
	bool shown;			/* there is a visible one */
};

static bool chain_marked(const struct chain *c, unsigned int pos)
{
	return c->marks[pos / 128] >> (pos / 4 % 32) & 1;
}

static void chain_mark(struct chain *c, unsigned int pos)
{
	c->marks[pos / 128] |= 1U << (pos / 4 % 32);
}

static void chain_unmark(struct chain *c, unsigned int pos)
{
	c->marks[pos / 128] &= ~(1U << (pos / 4 % 32));
}

static bool chain_inside(const struct chain *c, unsigned int pos)
{
	return pos >= (c->ext ? EXT_FIRST : VCFG_HEADER) && pos < c->end;
}

/* The low two bits of a pointer are reserved. */
static unsigned int header_next(const struct chain *c, u32 header)
{
	return c->ext ? header >> 20 & 0xffc : header >> 8 & 0xfc;
}

/* Bytes from @pos to the next capability or the end. */
static unsigned int chain_room(const struct chain *c, unsigned int pos)
{
	unsigned int next = pos + 4;

	while (next < c->end && !chain_marked(c, next))
		next += 4;
	return next - pos;
}

/* Arbitration tables are in units of 16 bytes behind the VC registers. */
static unsigned int vc_bytes(u32 cap1, u32 cap2)
{
	static const struct {
		u32 bit;
		unsigned int phases;
	} tables[] = {
		{ PCI_VC_CAP2_128_PHASE, 128 },
		{ PCI_VC_CAP2_64_PHASE, 64 },
		{ PCI_VC_CAP2_32_PHASE, 32 },
	};
	unsigned int bytes = PCI_CAP_VC_BASE_SIZEOF +
		((cap1 & PCI_VC_CAP1_EVCC) + 1) * PCI_CAP_VC_PER_VC_SIZEOF;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (cap2 & tables[i].bit)
			return ALIGN(bytes, 16) + tables[i].phases / 2;
	return bytes;
}

static unsigned int exp_bytes(u16 flags)
{
	bool link = (flags & PCI_EXP_FLAGS_TYPE) >> 4 != PCI_EXP_TYPE_RC_END;

	if ((flags & PCI_EXP_FLAGS_VERS) < 2)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 :
			      PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	/* With the slot registers behind the link's, which endpoints have as 0. */
	return link ? 0x3c : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2;
}

static unsigned int acs_bytes(u32 cap)
{
	unsigned int bits = cap >> 8 & 0xff;

	if (!(cap & PCI_ACS_EC))
		return 8;
	return 8 + (bits ? ALIGN(bits, 32) : 256) / 8;
}

static unsigned int tph_bytes(u32 cap)
{
	if ((cap & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;
	return PCI_TPH_BASE_SIZEOF +
	       2 * (((cap & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT) + 1);
}

/*
 * Size of a capability whose rule does not say; 0 if unknown.  @header and @more,
 * the two dwords behind it, are from the hardware.
 */
static unsigned int std_shape(unsigned int id, u32 header, const u32 *more)
{
	switch (id) {
	case PCI_CAP_ID_PCIX:
		return PCI_X_CMD_VERSION(header >> 16) ? PCI_CAP_PCIX_SIZEOF_V2 :
							 PCI_CAP_PCIX_SIZEOF_V0;
	case PCI_CAP_ID_HT:
		return header >> 24 & HT_3BIT_CAP_MASK ? HT_CAP_SIZEOF_SHORT :
							 HT_CAP_SIZEOF_LONG;
	case PCI_CAP_ID_VNDR:
		return header >> 16 & 0xff;
	case PCI_CAP_ID_EXP:
		return exp_bytes(header >> 16);
	case PCI_CAP_ID_SATA:
		return (more[0] & PCI_SATA_REGS_MASK) == PCI_SATA_REGS_INLINE ?
			PCI_SATA_SIZEOF_LONG : PCI_SATA_SIZEOF_SHORT;
	default:
		return 0;
	}
}

static unsigned int ext_shape(unsigned int id, const u32 *more)
{
	switch (id) {
	case PCI_EXT_CAP_ID_VNDR:
	case PCI_EXT_CAP_ID_DVSEC:
		return more[0] >> 20;
	case PCI_EXT_CAP_ID_VC:
	case PCI_EXT_CAP_ID_VC9:
	case PCI_EXT_CAP_ID_MFVC:
		return vc_bytes(more[0], more[1]);
	case PCI_EXT_CAP_ID_ACS:
		return acs_bytes(more[0]);
	case PCI_EXT_CAP_ID_REBAR:
	case 0x24:	/* Resizable BAR of VFs */
		return 4 + 8 * ((more[1] & PCI_REBAR_CTRL_NBAR_MASK) >>
				PCI_REBAR_CTRL_NBAR_SHIFT);
	case PCI_EXT_CAP_ID_DPA:
		return PCI_DPA_BASE_SIZEOF + (more[0] & PCI_DPA_CAP_SUBSTATE_MASK) + 1;
	case PCI_EXT_CAP_ID_TPH:
		return tph_bytes(more[0]);
	default:
		return 0;
	}
}

/* Bytes that a capability takes, at least its header, at most @room. */
static int cap_bytes(const struct chain *c, unsigned int pos, unsigned int room,
		     const struct vcfg_rule *rule, unsigned int *bytes)
{
	struct vcfg_space *space = c->space;
	u32 header = vcfg_get32(space->shadow, pos);
	u32 more[2] = { 0, 0 };

	*bytes = rule->bytes;
	if (!*bytes) {
		for (unsigned int i = 0; i < 2 && 8 + 4 * i <= room; i++) {
			int err = space->ops->read(space->host, pos + 4 + 4 * i, 4,
						   &more[i]);

			if (err)
				return err;
		}
		*bytes = c->ext ? ext_shape(rule->id, more) :
				  std_shape(rule->id, header, more);
	}
	/* Registers are dwords: what is left of the last one belongs to it. */
	*bytes = clamp_t(unsigned int, ALIGN(*bytes, 4), 4, room);
	return 0;
}

static void set_range(struct vcfg_space *space, unsigned int pos, unsigned int bytes,
		      u8 virt, u8 write)
{
	memset(space->virt + pos, virt, bytes);
	memset(space->write + pos, write, bytes);
	/* Bytes that are the device's own: the view has them (view.c). */
	if (space->known) {
		memset(space->known + pos, write & ~virt, bytes);
		memset(space->state + pos, 0, bytes);
	}
}

/* Lead the user from the last visible capability to @pos, or nowhere. */
static void chain_link(struct chain *c, unsigned int pos)
{
	u8 *shadow = c->space->shadow;

	if (c->ext && c->last)
		vcfg_put32(shadow, c->last,
			   (vcfg_get32(shadow, c->last) & 0xfffff) | pos << 20);
	else if (!c->ext)
		shadow[c->last ? c->last + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST] = pos;
}

/*
 * An extended chain begins at a fixed place: when the first one is hidden, an
 * empty header stays to hold the pointer to the next one.
 */
static void cap_hide(struct chain *c, unsigned int pos, unsigned int bytes)
{
	struct vcfg_space *space = c->space;

	set_range(space, pos, bytes, 0xff, 0);
	memset(space->shadow + pos, 0, bytes);
	if (c->ext && pos == EXT_FIRST)
		c->last = pos;
}

static int cap_show(struct chain *c, unsigned int pos, unsigned int bytes,
		    const struct vcfg_rule *rule)
{
	struct vcfg_space *space = c->space;
	bool again = rule->trap && space->reg[rule->trap];

	set_range(space, pos, bytes, 0, rule->flags & VCFG_RULE_RAW ? 0xff : 0);
	set_range(space, pos, c->ext ? 4 : 2, 0xff, 0);
	if (!again)
		vcfg_perm_apply(space, pos, bytes, rule);
	for (unsigned int at = pos + 4; at < pos + bytes; at += 4) {
		int err = vcfg_get32(space->virt, at) ? vcfg_fetch(space, at) : 0;

		if (err)
			return err;
	}
	if (!again)
		vcfg_perm_values(space, pos, bytes, rule);
	chain_link(c, pos);
	c->last = pos;
	c->shown = true;
	return 0;
}

static int cap_place(struct chain *c, unsigned int pos)
{
	const struct vcfg_rule *rule =
		vcfg_rule_find(vcfg_get32(c->space->shadow, pos), c->ext);
	unsigned int room = chain_room(c, pos);
	unsigned int bytes;
	int err;

	err = cap_bytes(c, pos, room, rule, &bytes);
	if (err)
		return err;
	vcfg_space_extend(c->space, pos + bytes);
	if (!(rule->flags & VCFG_RULE_HIDE) && room >= rule->min)
		return cap_show(c, pos, bytes, rule);
	cap_hide(c, pos, bytes);
	return 0;
}

/* First pass: mark where capabilities begin; their headers are in the shadow. */
static int chain_scan(struct chain *c, unsigned int pos)
{
	while (chain_inside(c, pos) && !chain_marked(c, pos)) {
		int err;

		vcfg_space_extend(c->space, pos + 4);
		err = vcfg_fetch(c->space, pos);
		if (err)
			return err;
		chain_mark(c, pos);
		pos = header_next(c, vcfg_get32(c->space->shadow, pos));
	}
	return 0;
}

/*
 * Second pass, over the same headers.  The marks must stay for chain_room(): what
 * has been placed is known from @todo.
 */
static int chain_place(struct chain *c, unsigned int pos)
{
	struct chain todo = *c;

	while (chain_inside(c, pos) && chain_marked(&todo, pos)) {
		unsigned int next = header_next(c, vcfg_get32(c->space->shadow, pos));
		int err = cap_place(c, pos);

		if (err)
			return err;
		chain_unmark(&todo, pos);
		pos = next;
	}
	chain_link(c, 0);
	return 0;
}

static int std_init(struct vcfg_space *space)
{
	struct chain c = { .space = space, .end = VCFG_STD_BYTES };
	unsigned int first = space->shadow[PCI_CAPABILITY_LIST] & 0xfc;
	int err;

	if (!(space->shadow[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		first = 0;
	err = chain_scan(&c, first);
	if (!err)
		err = chain_place(&c, first);
	if (!c.shown)
		space->shadow[PCI_STATUS] &= ~PCI_STATUS_CAP_LIST;
	return err;
}

static int ext_init(struct vcfg_space *space)
{
	struct chain c = { .space = space, .ext = true, .end = space->bytes };
	u32 header = 0;
	int err;

	if (space->bytes <= EXT_FIRST)
		return 0;
	err = space->ops->read(space->host, EXT_FIRST, 4, &header);
	/* No extended capabilities, or none that answer: not a chain. */
	if (err || !header || header == 0xffffffffU)
		return err;
	err = chain_scan(&c, EXT_FIRST);
	return err ? err : chain_place(&c, EXT_FIRST);
}

/*
 * Find all capabilities and set masks and first values.  Bytes outside the header
 * that belong to none are the device's own: passed through.  The arrays, which have
 * the header, grow as far as the capabilities do.
 */
int vcfg_caps_init(struct vcfg_space *space)
{
	int err = std_init(space);

	return err ? err : ext_init(space);
}

/* Follow the user's chain, which ends and stays inside. */
unsigned int vcfg_caps_find(const struct vcfg_space *space, unsigned int id, bool ext)
{
	const u8 *shadow = space->shadow;
	unsigned int pos;

	if (!ext) {
		if (!(shadow[PCI_STATUS] & PCI_STATUS_CAP_LIST))
			return 0;
		for (pos = shadow[PCI_CAPABILITY_LIST]; pos;
		     pos = shadow[pos + PCI_CAP_LIST_NEXT])
			if (shadow[pos] == id)
				return pos;
		return 0;
	}
	if (!id || space->tabled <= EXT_FIRST)
		return 0;
	for (pos = EXT_FIRST; pos; pos = vcfg_get32(shadow, pos) >> 20)
		if (vcfg_get16(shadow, pos) == id)
			return pos;
	return 0;
}
