// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled personas: validation of a blob.  Pure.  Whether a device can keep what a
 * persona promises is in persona_fit.c.
 *
 * The blob may come from anyone.  Sizes and the checksum come first; then each
 * record is copied out, checked, and entered into the arrays of bits, so that what
 * is defined twice shows at the second one.
 */
#include "persona.h"

static int parse_callbacks(const struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	u64 used = 0;

	for (unsigned int i = 0; i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);

		if (f.source == VPV_PERSONA_CALLBACK)
			used |= BIT_ULL(f.callback);
	}
	for (unsigned int i = 0; i < p->num_callbacks; i++) {
		const char *name = vcfg_persona_callback(p, i);

		vcfg_persona_part(why, VCFG_PERSONA_NAME, i);
		if (!vcfg_persona_name_good((const u8 *)name))
			return vcfg_persona_refuse(why, -EINVAL,
						   "name of a callback is malformed", 0, i);
		if (i && memcmp(vcfg_persona_callback(p, i - 1), name,
				VPV_PERSONA_NAME_BYTES) >= 0)
			return vcfg_persona_refuse(why, -EINVAL,
						   "names of callbacks are not in order", 0, i);
		if (!(used >> i & 1))
			return vcfg_persona_refuse(why, -EINVAL, "callback is not used", 1, 0);
	}
	return 0;
}

int vcfg_persona_parse(struct vcfg_persona *p, const void *blob, size_t bytes,
		       struct vcfg_persona_why *why)
{
	int err;

	memset(p, 0, sizeof(*p));
	memset(why, 0, sizeof(*why));
	memset(p->known, 0xff, sizeof(p->known));
	p->blob = blob;
	p->bytes = bytes;
	err = vcfg_persona_header(p, why);
	err = err ? err : vcfg_persona_bars(p, why);
	err = err ? err : vcfg_persona_caps(p, why);
	err = err ? err : vcfg_persona_fields(p, why);
	err = err ? err : parse_callbacks(p, why);
	if (err)
		return err;
	vcfg_persona_part(why, VCFG_PERSONA_BLOB, 0);
	err = vcfg_persona_needed(p, why);
	err = err ? err : vcfg_persona_lengths(p, why);
	return err ? err : vcfg_persona_check_msix(p, NULL, NULL, why);
}
