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

/* First: on the host it has the types that the others use. */
#include <vpv/pure.h>

#include <vpv/config.h>
#include <vpv/persona.h>

struct vcfg_rule;
struct vcfg_space;

/* What of a persona a refusal is about. */
enum vcfg_persona_part {
	VCFG_PERSONA_BLOB,	/* the whole */
	VCFG_PERSONA_BAR,	/* index: 0 to 6 */
	VCFG_PERSONA_CAP,	/* index of the capability */
	VCFG_PERSONA_FIELD,	/* index of the field */
	VCFG_PERSONA_NAME,	/* index of the callback */
};

/**
 * struct vcfg_persona_why - What was wrong
 * @text: Rule that does not hold; static.
 * @part: Part of the persona.
 * @index: Which one of its kind.
 * @want: What was expected (a limit, where @text names one).
 * @got: What was there.
 */
struct vcfg_persona_why {
	const char *text;
	enum vcfg_persona_part part;
	unsigned int index;
	u64 want;
	u64 got;
};

/**
 * struct vcfg_persona - A persona that has been validated
 * @blob: Bytes, which the caller keeps.
 * @bytes: Their number.
 * @name: Name, with a terminating zero.
 * @version: Version.
 * @config_bytes: Size of config space.
 * @num_caps: Capabilities.
 * @num_std: Those of them that are in the standard chain.
 * @num_fields: Fields.
 * @num_callbacks: Names.
 * @claimed: Bits of config space that something defines.
 * @hw: Bits that come from the hardware's registers.
 * @val: What the user reads at first, as far as @known.
 * @known: Bits of @val that the persona alone decides.
 *
 * About 16 KiB: not for the stack of the kernel.
 */
struct vcfg_persona {
	const u8 *blob;
	size_t bytes;
	char name[VPV_PERSONA_NAME_BYTES];
	u32 version;
	unsigned int config_bytes;
	unsigned int num_caps;
	unsigned int num_std;
	unsigned int num_fields;
	unsigned int num_callbacks;
	u8 claimed[VCFG_MAX_BYTES];
	u8 hw[VCFG_MAX_BYTES];
	u8 val[VCFG_MAX_BYTES];
	u8 known[VCFG_MAX_BYTES];
};

/* The records of the blob in the byte order of the machine. */
struct vcfg_persona_bar {
	u8 kind;
	u8 type;
	u64 bytes;
};

struct vcfg_persona_cap {
	unsigned int pos;
	unsigned int bytes;
	u16 id;
	u8 version;
	bool ext;
	bool odd;		/* flags or reserved bytes that are not known */
	u8 from;
};

struct vcfg_persona_field {
	unsigned int pos;
	unsigned int bytes;
	u8 source;
	bool narrowed;		/* VPV_PERSONA_FIELD_WRITE */
	bool odd;		/* flags that are not known */
	u16 callback;
	u32 bits;
	u32 value;
	u32 write;
	u32 w1c;
};

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

/* Records of a validated persona; @i below their number. */
struct vcfg_persona_bar vcfg_persona_bar(const struct vcfg_persona *p, unsigned int i);
struct vcfg_persona_cap vcfg_persona_cap(const struct vcfg_persona *p, unsigned int i);
struct vcfg_persona_field vcfg_persona_field(const struct vcfg_persona *p, unsigned int i);
const char *vcfg_persona_callback(const struct vcfg_persona *p, unsigned int i);

/**
 * vcfg_persona_find() - The field that a bit belongs to
 * @p: Validated persona.
 * @pos: Byte of config space.
 * @bit: Bit of it, 0 to 7.
 *
 * Return: its index, or @p->num_fields if there is none.
 */
unsigned int vcfg_persona_find(const struct vcfg_persona *p, unsigned int pos,
			       unsigned int bit);

/**
 * vcfg_persona_cap_at() - The capability that a byte belongs to
 * @p: Validated persona.
 * @pos: Byte of config space.
 *
 * Return: its index, or @p->num_caps if there is none.
 */
unsigned int vcfg_persona_cap_at(const struct vcfg_persona *p, unsigned int pos);

/**
 * vcfg_persona_crc() - Checksum of a blob
 * @blob: Bytes.
 * @bytes: Their number, at least the header's.
 */
u32 vcfg_persona_crc(const void *blob, size_t bytes);

/* Is it a name, padded with zeroes to VPV_PERSONA_NAME_BYTES? */
bool vcfg_persona_name_good(const u8 *name);

/* The first bit of config space that a field has; its @bits are not 0. */
unsigned int vcfg_persona_first_bit(const struct vcfg_persona_field *f);

/* The files behind this share the rest. */
void vcfg_persona_part(struct vcfg_persona_why *why, enum vcfg_persona_part part,
		       unsigned int index);
int vcfg_persona_refuse(struct vcfg_persona_why *why, int err, const char *text,
			u64 want, u64 got);
void vcfg_persona_claim(struct vcfg_persona *p, unsigned int pos, unsigned int bytes,
			u32 bits, u32 val);

/* The first field that begins in the dword at @pos, or behind it. */
unsigned int vcfg_persona_from(const struct vcfg_persona *p, unsigned int pos);

/* persona_space.c */
int vcfg_persona_probe(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops,
		       void *host, struct vcfg_fitting *fit);
int vcfg_persona_space(struct vcfg_space *space, const struct vcfg_desc *desc,
		       const struct vcfg_host_ops *ops, void *host, void *mem,
		       struct vcfg_fitting *fit);

/* persona_cap.c */
int vcfg_persona_caps(struct vcfg_persona *p, struct vcfg_persona_why *why);
int vcfg_persona_lengths(const struct vcfg_persona *p, struct vcfg_persona_why *why);

/* persona_field.c */
int vcfg_persona_fields(struct vcfg_persona *p, struct vcfg_persona_why *why);
int vcfg_persona_needed(const struct vcfg_persona *p, struct vcfg_persona_why *why);
int vcfg_persona_check_perm(const struct vcfg_persona_field *f,
			    const struct vcfg_rule *rule, unsigned int off,
			    struct vcfg_persona_why *why);

/* persona_fit.c; without @hw and @map: what the persona alone decides. */
u32 vcfg_persona_seen(const struct vcfg_persona *p, const struct vcfg_persona_hw *hw,
		      const struct vcfg_persona_map *map, unsigned int pos,
		      unsigned int bytes, u32 *known);
int vcfg_persona_check_msix(const struct vcfg_persona *p,
			    const struct vcfg_persona_hw *hw,
			    const struct vcfg_persona_map *map,
			    struct vcfg_persona_why *why);

#endif /* VCFG_PERSONA_H */
