/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compiled personas: validation, look-up, and whether a device can keep what one
 * promises.  The files behind it are pure; the format is in uapi vpv/persona.h, the
 * rules are in Documentation/persona.rst.
 *
 * Hashing is the caller's: the digest of a persona is the SHA-256 of all bytes of
 * its blob, which is canonical (there is one blob for a list of statements).
 */
#ifndef VCFG_PERSONA_H
#define VCFG_PERSONA_H

#include "persona_rules.h"

struct vcfg_space;

/**
 * struct vcfg_fitting - A persona on its device; memory for the time of building
 * @hw: The device.
 * @map: Where capabilities are.
 * @why: What does not fit.
 * @names: Of the driver's callbacks.
 * @config: Physical config space, with ids and interrupt pin as the user may see.
 */
struct vcfg_fitting {
	struct vcfg_persona_hw hw;
	struct vcfg_persona_map map;
	struct vcfg_persona_why why;
	const char *names[VPV_PERSONA_MAX_CALLBACKS];
	u8 config[VCFG_MAX_BYTES];
};

/**
 * vcfg_persona_parse() - Validate a compiled persona
 * @p: Filled in; meaningless after an error.
 * @blob: Bytes, from anywhere.  They must stay, and not change, while @p is used.
 * @bytes: Their number.
 * @why: What was wrong.
 *
 * Checks all that can be known without a device.  Reads no byte outside @blob.
 * Context: any.
 * Return: 0; -EMSGSIZE for a size that does not fit; -EPROTONOSUPPORT for another
 * format; -EBADMSG for bytes that are not a persona, or damaged; -EINVAL for one that
 * breaks a rule; -EEXIST for overlaps and what is there twice; -ENOSPC for what
 * does not fit its place; -EPERM for what a persona may not decide.
 */
int vcfg_persona_parse(struct vcfg_persona *p, const void *blob, size_t bytes,
		       struct vcfg_persona_why *why);

/**
 * vcfg_persona_fit() - Can the device keep what the persona promises?
 * @p: Validated persona.
 * @hw: Device.
 * @map: Filled in: where capabilities are.
 * @why: What it cannot keep.
 *
 * Context: any.
 * Return: 0; -ENODEV for a device that does not answer; -EINVAL for another header
 * type than 0 or a size of config space that cannot be; -EOPNOTSUPP for what it
 * lacks, or must be hidden explicitly; -ERANGE for more than it has; -EPERM for
 * writing what is read-only in it; -ENOSPC for registers outside its capability.
 */
int vcfg_persona_fit(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		     struct vcfg_persona_map *map, struct vcfg_persona_why *why);

/* persona_space.c */
int vcfg_persona_probe(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops,
		       void *host, struct vcfg_fitting *fit);
int vcfg_persona_space(struct vcfg_space *space, const struct vcfg_desc *desc,
		       const struct vcfg_host_ops *ops, void *host, void *mem,
		       struct vcfg_fitting *fit);

#endif /* VCFG_PERSONA_H */
