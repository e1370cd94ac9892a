// SPDX-License-Identifier: GPL-2.0
/*
 * Capabilities of a compiled persona: each in its place, the chains.
 * Pure; part of vcfg_persona_parse().
 */
#include "persona_rules.h"
#include "vcfg.h"

/* The second capability of one of these kinds would have its registers twice. */
#define SINGLE(rule, id, ext)	((rule)->trap || (!(ext) && (id) == PCI_CAP_ID_MSIX))

/* Capabilities that inform and do nothing: the hardware need not have them. */
static const struct {
	u16 id;
	bool ext;
} informing[] = {
	{ PCI_CAP_ID_VNDR, false },
	{ PCI_EXT_CAP_ID_DSN, true },
	{ PCI_EXT_CAP_ID_VNDR, true },
	{ PCI_EXT_CAP_ID_DVSEC, true },
};

/* An extended chain begins at a fixed place; an empty header can be there. */
static bool cap_is_null(const struct vcfg_persona_cap *cap)
{
	return cap->ext && !cap->id;
}

static bool cap_informs(const struct vcfg_persona_cap *cap)
{
	for (size_t i = 0; i < ARRAY_SIZE(informing); i++)
		if (informing[i].id == cap->id && informing[i].ext == cap->ext)
			return true;
	return cap_is_null(cap);
}

/* What the engine's tables say of it, as far as its id alone tells. */
static const struct vcfg_rule *cap_rule(const struct vcfg_persona_cap *cap)
{
	return vcfg_rule_find(cap->id, cap->ext);
}

static int cap_check_record(const struct vcfg_persona *p, unsigned int i,
			    const struct vcfg_persona_cap *cap,
			    struct vcfg_persona_why *why)
{
	if (cap->odd)
		return vcfg_persona_refuse(why, -EINVAL,
					   "flags of a capability are not known", 0, 1);
	if (i && !cap->ext && vcfg_persona_cap(p, i - 1).ext)
		return vcfg_persona_refuse(why, -EINVAL,
					   "standard capability behind extended ones", 0, 1);
	if (!cap->ext && cap->id > 0xff)
		return vcfg_persona_refuse(why, -EINVAL,
					   "id of a standard capability is too large", 0xff,
					   cap->id);
	if (cap->version > (cap->ext ? 0xf : 0))
		return vcfg_persona_refuse(why, -EINVAL,
					   "version of a capability is too large",
					   cap->ext ? 0xf : 0, cap->version);
	return 0;
}

static int cap_check_place(const struct vcfg_persona *p, unsigned int i,
			   const struct vcfg_persona_cap *cap,
			   struct vcfg_persona_why *why)
{
	unsigned int begin = cap->ext ? VCFG_STD_BYTES : VCFG_HEADER;
	unsigned int end = cap->ext ? p->config_bytes : VCFG_STD_BYTES;

	if (!IS_ALIGNED(cap->pos, 4) || !IS_ALIGNED(cap->bytes, 4) || !cap->bytes)
		return vcfg_persona_refuse(why, -EINVAL,
					   "place or size of a capability is not a multiple of 4",
					   4, IS_ALIGNED(cap->pos, 4) ? cap->bytes : cap->pos);
	if (cap->pos < begin)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "capability is before the begin of its region",
					   begin, cap->pos);
	if (cap->pos + cap->bytes > end)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "capability is beyond the end of its region", end,
					   cap->pos + cap->bytes);
	if (cap->ext && i == p->num_std && cap->pos != VCFG_STD_BYTES)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "first extended capability is not at 0x100",
					   VCFG_STD_BYTES, cap->pos);
	for (unsigned int k = 0; k < i; k++) {
		struct vcfg_persona_cap other = vcfg_persona_cap(p, k);

		if (cap->pos == other.pos)
			return vcfg_persona_refuse(why, -EEXIST,
						   "chain leads to the same place twice", 0,
						   cap->pos);
		if (cap->pos < other.pos + other.bytes && other.pos < cap->pos + cap->bytes)
			return vcfg_persona_refuse(why, -EEXIST,
						   "capability overlaps another one",
						   other.pos, cap->pos);
	}
	return 0;
}

/* Another one of the same kind before it. */
static int cap_check_again(const struct vcfg_persona *p, unsigned int i,
			   const struct vcfg_persona_cap *cap,
			   const struct vcfg_rule *rule, struct vcfg_persona_why *why)
{
	for (unsigned int k = 0; k < i; k++) {
		struct vcfg_persona_cap other = vcfg_persona_cap(p, k);

		if (other.ext != cap->ext || other.id != cap->id)
			continue;
		if (SINGLE(rule, cap->id, cap->ext))
			return vcfg_persona_refuse(why, -EEXIST,
						   "capability of this kind is there twice", 1,
						   2);
		if (cap->from && cap->from == other.from)
			return vcfg_persona_refuse(why, -EEXIST,
						   "one of the hardware is used twice", 1,
						   cap->from);
	}
	return 0;
}

static int cap_check_kind(const struct vcfg_persona *p, unsigned int i,
			  const struct vcfg_persona_cap *cap, struct vcfg_persona_why *why)
{
	const struct vcfg_rule *rule = cap_rule(cap);
	unsigned int own = rule->bytes;
	unsigned int most = own ? ALIGN(own, 4) : VCFG_MAX_BYTES;

	if (cap_is_null(cap)) {
		if (i != p->num_std || i + 1 == p->num_caps || cap->version ||
		    cap->bytes != 4 || cap->from)
			return vcfg_persona_refuse(why, -EINVAL,
						   "empty capability is not just a begin", 4,
						   cap->bytes);
		return 0;
	}
	if (rule->flags & VCFG_RULE_HIDE)
		return vcfg_persona_refuse(why, -EPERM,
					   "capability of this kind is never shown", 0,
					   cap->id);
	if (!cap->ext && cap->id == PCI_CAP_ID_MSI)
		most = 24;
	if (cap->bytes < rule->min)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "capability is too small for its registers",
					   rule->min, cap->bytes);
	if (cap->bytes > most)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "capability is larger than its registers", most,
					   cap->bytes);
	if (!cap->from && !cap_informs(cap))
		return vcfg_persona_refuse(why, -EPERM,
					   "capability of this kind must be the hardware's", 1,
					   0);
	return cap_check_again(p, i, cap, rule, why);
}

/* The header of a capability, and the pointer to it from @last, its predecessor. */
static void cap_link(struct vcfg_persona *p, const struct vcfg_persona_cap *cap,
		     unsigned int last)
{
	if (cap->ext) {
		vcfg_persona_claim(p, cap->pos, 4, ~0U, cap->id | (u32)cap->version << 16);
		if (last)
			vcfg_persona_claim(p, last + 2, 2, 0, cap->pos << 4);
		return;
	}
	vcfg_persona_claim(p, cap->pos, 2, 0xffff, cap->id);
	vcfg_persona_claim(p, last ? last + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST, 1, 0,
			   cap->pos);
	vcfg_persona_claim(p, PCI_STATUS, 2, 0, PCI_STATUS_CAP_LIST);
}

int vcfg_persona_caps(struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	unsigned int last = 0;

	vcfg_persona_claim(p, PCI_CAPABILITY_LIST, 1, 0xff, 0);
	vcfg_persona_claim(p, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	while (p->num_std < p->num_caps && !vcfg_persona_cap(p, p->num_std).ext)
		p->num_std++;
	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
		int err;

		vcfg_persona_part(why, VCFG_PERSONA_CAP, i);
		err = cap_check_record(p, i, &cap, why);
		err = err ? err : cap_check_place(p, i, &cap, why);
		err = err ? err : cap_check_kind(p, i, &cap, why);
		if (err)
			return err;
		cap_link(p, &cap, i == p->num_std ? 0 : last);
		last = cap.pos;
	}
	/* A register there would be read as the begin of a chain. */
	if (p->config_bytes > VCFG_STD_BYTES && p->num_std == p->num_caps)
		vcfg_persona_claim(p, VCFG_STD_BYTES, 4, ~0U, 0);
	return 0;
}

/* The length that a vendor-specific capability names. */
int vcfg_persona_lengths(const struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
		unsigned int bytes;

		if (cap.ext ? cap.id != PCI_EXT_CAP_ID_VNDR && cap.id != PCI_EXT_CAP_ID_DVSEC :
		    cap.id != PCI_CAP_ID_VNDR)
			continue;
		bytes = cap.ext ? vcfg_get16(p->val, cap.pos + 6) >> 4 : p->val[cap.pos + 2];
		vcfg_persona_part(why, VCFG_PERSONA_CAP, i);
		if (bytes > cap.bytes)
			return vcfg_persona_refuse(why, -ENOSPC,
						   "capability names a greater length than it has",
						   cap.bytes, bytes);
	}
	return 0;
}
