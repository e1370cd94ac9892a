/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules that a persona has to keep, each about one kind of its parts.  persona.c has the
 * order in which they are asked, persona_fit.c what a device has to do with them.
 */
#ifndef VCFG_PERSONA_RULES_H
#define VCFG_PERSONA_RULES_H

#include "persona_format.h"

struct vcfg_rule;

/**
 * struct vcfg_persona_hw - The device that is to show a persona
 * @config: Its physical config space; ids of a VF are those its driver knows.
 * @bytes: Size: 256 or 4096.
 * @bar_bytes: Size of each BAR that may be shown: 0 for none or an upper half.
 * @bar_flags: Low four bits of each BAR register.
 * @rom_bytes: Size of the expansion ROM, 0 for none.
 * @callbacks: Names that the driver has; NULL: do not check them.
 * @num_callbacks: Their number.
 */
struct vcfg_persona_hw {
	const u8 *config;
	unsigned int bytes;
	u64 bar_bytes[VCFG_BARS];
	u8 bar_flags[VCFG_BARS];
	u64 rom_bytes;
	const char *const *callbacks;
	unsigned int num_callbacks;
};

/**
 * struct vcfg_persona_map - Where the persona's capabilities are in the device
 * @pos: For each capability its place in physical config space, or 0.
 * @room: Bytes there up to the next one.
 */
struct vcfg_persona_map {
	u16 pos[VPV_PERSONA_MAX_CAPS];
	u16 room[VPV_PERSONA_MAX_CAPS];
};

/* persona_bar.c */
int vcfg_persona_bars(struct vcfg_persona *p, struct vcfg_persona_why *why);

/* persona_cap.c */
int vcfg_persona_caps(struct vcfg_persona *p, struct vcfg_persona_why *why);
int vcfg_persona_lengths(const struct vcfg_persona *p, struct vcfg_persona_why *why);

/* persona_field.c */
int vcfg_persona_fields(struct vcfg_persona *p, struct vcfg_persona_why *why);
int vcfg_persona_needed(const struct vcfg_persona *p, struct vcfg_persona_why *why);
int vcfg_persona_check_perm(const struct vcfg_persona_field *f,
			    const struct vcfg_rule *rule, unsigned int off,
			    struct vcfg_persona_why *why);

/* persona_seen.c; without @hw and @map: what the persona alone decides. */
u32 vcfg_persona_seen(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		      const struct vcfg_persona_map *map, unsigned int pos,
		      unsigned int bytes, u32 *known);

/**
 * vcfg_persona_view() - What the user of the device reads at first
 * @p: Validated persona.
 * @hw: Device that it fits.
 * @map: From vcfg_persona_fit().
 * @val: 4096 bytes, filled in.
 * @known: 4096 bytes, filled in: 0 for bits of callbacks and of addresses in BARs.
 */
void vcfg_persona_view(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		       const struct vcfg_persona_map *map, u8 *val, u8 *known);

/* MSI-X in BARs that the user has. */
int vcfg_persona_check_msix(const struct vcfg_persona *p,
			    const struct vcfg_persona_hw *hw,
			    const struct vcfg_persona_map *map,
			    struct vcfg_persona_why *why);

#endif /* VCFG_PERSONA_RULES_H */
