// SPDX-License-Identifier: GPL-2.0
/*
 * Fields of a compiled persona: shape, place, what their source may decide.
 * Pure; part of vcfg_persona_parse().
 */
#include "persona_rules.h"
#include "vcfg.h"

/* What the user reads there says what the function is. */
static const struct {
	u8 pos;
	u8 bytes;
	bool required;
	const char *text;
} identity[] = {
	{ PCI_VENDOR_ID, 2, true, "vendor is missing" },
	{ PCI_DEVICE_ID, 2, true, "device is missing" },
	{ PCI_CLASS_REVISION, 1, true, "revision is missing" },
	{ PCI_CLASS_PROG, 3, true, "class is missing" },
	{ PCI_HEADER_TYPE, 1, false, NULL },
	{ PCI_SUBSYSTEM_VENDOR_ID, 2, true, "subvendor is missing" },
	{ PCI_SUBSYSTEM_ID, 2, true, "subdevice is missing" },
};

/* Fields: record, then place, then what the source may decide. */

/* What each source may have. */
static const struct {
	bool value;
	bool write;
	bool w1c;
	bool range;
} sources[] = {
	[VPV_PERSONA_HIDDEN] = { .range = true },
	[VPV_PERSONA_HW] = { .write = true, .range = true },
	[VPV_PERSONA_FIXED] = { .value = true },
	[VPV_PERSONA_EMULATED] = { .value = true, .write = true, .w1c = true },
	[VPV_PERSONA_CALLBACK] = { .write = true },
};

static int field_check_shape(const struct vcfg_persona *p,
			     const struct vcfg_persona_field *f,
			     struct vcfg_persona_why *why)
{
	bool reg = f->bytes == 1 || f->bytes == 2 || f->bytes == 4;

	if (!reg && (!sources[f->source].range || f->bytes < 4 ||
		     !IS_ALIGNED(f->bytes, 4)))
		return vcfg_persona_refuse(why, -EINVAL,
					   "size of a field is not 1, 2 or 4", 4, f->bytes);
	if (!IS_ALIGNED(f->pos, reg ? f->bytes : 4))
		return vcfg_persona_refuse(why, -EINVAL, "field is not aligned",
					   reg ? f->bytes : 4, f->pos);
	if (f->pos + f->bytes > p->config_bytes)
		return vcfg_persona_refuse(why, -ENOSPC, "field is beyond config space",
					   p->config_bytes, f->pos + f->bytes);
	if (!f->bits || (reg && f->bits & ~vcfg_lanes(f->bytes)))
		return vcfg_persona_refuse(why, -EINVAL, "bits are not in the field",
					   vcfg_lanes(min(f->bytes, 4U)), f->bits);
	if (!reg && (f->bits != ~0U || f->narrowed))
		return vcfg_persona_refuse(why, -EINVAL, "range of bytes has masks", ~0U,
					   f->bits);
	return 0;
}

static int field_check_masks(const struct vcfg_persona *p,
			     const struct vcfg_persona_field *f,
			     struct vcfg_persona_why *why)
{
	bool write = sources[f->source].write &&
		     (f->source != VPV_PERSONA_HW || f->narrowed);

	if (f->value & ~(sources[f->source].value ? f->bits : 0))
		return vcfg_persona_refuse(why, -EINVAL, "value is not in the bits",
					   sources[f->source].value ? f->bits : 0, f->value);
	if (f->write & ~(write ? f->bits : 0))
		return vcfg_persona_refuse(why, -EINVAL, "write mask is not in the bits",
					   write ? f->bits : 0, f->write);
	if (f->w1c & ~(sources[f->source].w1c ? f->write : 0))
		return vcfg_persona_refuse(why, -EINVAL, "w1c mask is not in the write mask",
					   sources[f->source].w1c ? f->write : 0, f->w1c);
	if (f->source == VPV_PERSONA_CALLBACK ? f->callback >= p->num_callbacks :
	    f->callback != VPV_PERSONA_NO_CALLBACK)
		return vcfg_persona_refuse(why, -EINVAL, "callback is not there",
					   p->num_callbacks, f->callback);
	return 0;
}

/* Bits that no field has claimed yet, in one capability or in none. */
static int field_check_place(const struct vcfg_persona *p,
			     const struct vcfg_persona_field *f,
			     struct vcfg_persona_why *why)
{
	unsigned int owner = vcfg_persona_cap_at(p, f->pos);

	if (f->pos < VCFG_HEADER && f->pos + f->bytes > VCFG_HEADER)
		return vcfg_persona_refuse(why, -ENOSPC, "range leaves the header",
					   VCFG_HEADER, f->pos + f->bytes);
	for (unsigned int i = 0; i < f->bytes; i++) {
		u8 bits = f->bits >> 8 * (i % 4) & 0xff;

		if (i % 4 == 0 && vcfg_persona_cap_at(p, f->pos + i) != owner)
			return vcfg_persona_refuse(why, -ENOSPC,
						   owner == p->num_caps ?
						   "range runs into a capability" :
						   "range leaves its capability", 0,
						   f->pos + i);
		if (p->claimed[f->pos + i] & bits)
			return vcfg_persona_refuse(why, -EEXIST,
						   "bits are defined twice", 0, f->pos + i);
	}
	return 0;
}

/* What the engine lets the user write in a register, and what of it has an effect. */
static void perm_of(const struct vcfg_rule *rule, unsigned int off, unsigned int bytes,
		    u32 *write, u32 *effect)
{
	*write = !rule || rule->flags & VCFG_RULE_RAW ? vcfg_lanes(bytes) : 0;
	*effect = 0;
	for (unsigned int i = 0; rule && i < rule->num_perms; i++) {
		const struct vcfg_perm *perm = &rule->perms[i];

		for (unsigned int k = 0; k < bytes; k++) {
			u32 byte;

			if (off + k < perm->pos || off + k >= perm->pos + perm->bytes)
				continue;
			byte = perm->write >> 8 * (off + k - perm->pos) & 0xff;
			*write |= byte << 8 * k;
			if (perm->trap)
				*effect |= byte << 8 * k;
		}
	}
}

/* @rule: of the capability or header; NULL: bytes of no capability. */
int vcfg_persona_check_perm(const struct vcfg_persona_field *f,
			    const struct vcfg_rule *rule, unsigned int off,
			    struct vcfg_persona_why *why)
{
	u32 write, effect;

	if (f->bytes > 4)
		return 0;
	perm_of(rule, off, f->bytes, &write, &effect);
	if (f->source == VPV_PERSONA_HW && f->narrowed && f->write & ~write)
		return vcfg_persona_refuse(why, -EPERM,
					   "write mask has bits that are read-only", write,
					   f->write);
	if ((f->source == VPV_PERSONA_EMULATED || f->source == VPV_PERSONA_CALLBACK) &&
	    f->bits & effect)
		return vcfg_persona_refuse(why, -EPERM,
					   "bits that have an effect cannot be emulated", 0,
					   f->bits & effect);
	return 0;
}

static int field_check_identity(const struct vcfg_persona_field *f,
				struct vcfg_persona_why *why)
{
	if (f->source == VPV_PERSONA_HW || f->source == VPV_PERSONA_FIXED)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(identity); i++)
		if (f->pos < identity[i].pos + identity[i].bytes &&
		    identity[i].pos < f->pos + f->bytes)
			return vcfg_persona_refuse(why, -EPERM,
						   "identity can only be hw or fixed",
						   VPV_PERSONA_FIXED, f->source);
	return 0;
}

static int field_check_owner(const struct vcfg_persona *p,
			     const struct vcfg_persona_field *f,
			     struct vcfg_persona_why *why)
{
	unsigned int owner = vcfg_persona_cap_at(p, f->pos);
	struct vcfg_persona_cap cap;

	if (f->pos < VCFG_HEADER) {
		int err = field_check_identity(f, why);

		return err ? err : vcfg_persona_check_perm(f, vcfg_rule_header(), f->pos,
							   why);
	}
	if (owner == p->num_caps)
		return 0;
	cap = vcfg_persona_cap(p, owner);
	if (f->source == VPV_PERSONA_HW && !cap.from)
		return vcfg_persona_refuse(why, -EPERM,
					   "hw in a capability that is not the hardware's", 0,
					   f->pos);
	/* MSI has four layouts, and the device decides which one. */
	if (!cap.ext && cap.id == PCI_CAP_ID_MSI && f->pos - cap.pos >= 4)
		return 0;
	return vcfg_persona_check_perm(f, vcfg_rule_find(cap.id, cap.ext), f->pos - cap.pos, why);
}

static void field_enter(struct vcfg_persona *p, const struct vcfg_persona_field *f)
{
	for (unsigned int i = 0; i < f->bytes; i++) {
		unsigned int pos = f->pos + i, shift = 8 * (i % 4);
		u8 bits = f->bits >> shift & 0xff;

		p->claimed[pos] |= bits;
		p->val[pos] |= f->value >> shift & 0xff;
		if (f->source == VPV_PERSONA_HW)
			p->hw[pos] |= bits;
		if (f->source == VPV_PERSONA_HW || f->source == VPV_PERSONA_CALLBACK)
			p->known[pos] &= ~bits;
	}
}

static int parse_field(struct vcfg_persona *p, unsigned int i, unsigned int *last,
		       struct vcfg_persona_why *why)
{
	struct vcfg_persona_field f = vcfg_persona_field(p, i);
	int err;

	if (f.source >= ARRAY_SIZE(sources))
		return vcfg_persona_refuse(why, -EINVAL, "source of a field is not known",
					   ARRAY_SIZE(sources) - 1, f.source);
	if (f.odd || (f.narrowed && f.source != VPV_PERSONA_HW))
		return vcfg_persona_refuse(why, -EINVAL, "flags of a field are not known", 0,
					   1);
	err = field_check_shape(p, &f, why);
	err = err ? err : field_check_masks(p, &f, why);
	if (err)
		return err;
	if (i && vcfg_persona_first_bit(&f) < *last)
		return vcfg_persona_refuse(why, -EINVAL, "fields are not in order", *last,
					   vcfg_persona_first_bit(&f));
	*last = vcfg_persona_first_bit(&f);
	err = field_check_place(p, &f, why);
	err = err ? err : field_check_owner(p, &f, why);
	if (!err)
		field_enter(p, &f);
	return err;
}

int vcfg_persona_fields(struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	unsigned int last = 0;

	for (unsigned int i = 0; i < p->num_fields; i++) {
		int err;

		vcfg_persona_part(why, VCFG_PERSONA_FIELD, i);
		err = parse_field(p, i, &last, why);
		if (err)
			return err;
	}
	return 0;
}

static int check_identity(const struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(identity); i++)
		for (unsigned int k = 0; identity[i].required && k < identity[i].bytes; k++)
			if (p->claimed[identity[i].pos + k] != 0xff)
				return vcfg_persona_refuse(why, -EINVAL, identity[i].text,
							   0xff,
							   p->claimed[identity[i].pos + k]);
	if (vcfg_get16(p->val, PCI_VENDOR_ID) == 0xffff &&
	    vcfg_get16(p->known, PCI_VENDOR_ID) == 0xffff)
		return vcfg_persona_refuse(why, -EINVAL, "vendor is the one of no device", 0,
					   0xffff);
	if (p->val[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK)
		return vcfg_persona_refuse(why, -EINVAL, "header type is not 0", 0,
					   p->val[PCI_HEADER_TYPE]);
	return 0;
}

/* Of all registers the one that no persona can do without. */
static int check_command(const struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	unsigned int i = vcfg_persona_find(p, PCI_COMMAND, 0);
	struct vcfg_persona_field f;

	if (i == p->num_fields)
		return vcfg_persona_refuse(why, -EINVAL, "command is missing", 0xffff, 0);
	f = vcfg_persona_field(p, i);
	if (f.source != VPV_PERSONA_HW || f.narrowed || f.pos != PCI_COMMAND ||
	    f.bytes != 2 || f.bits != 0xffff) {
		vcfg_persona_part(why, VCFG_PERSONA_FIELD, i);
		return vcfg_persona_refuse(why, -EPERM, "command is not just hw",
					   VPV_PERSONA_HW, f.source);
	}
	return 0;
}

/* What every persona has to say. */
int vcfg_persona_needed(const struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	int err = check_identity(p, why);

	return err ? err : check_command(p, why);
}
