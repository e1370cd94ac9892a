/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The format of compiled personas, uapi vpv/persona.h, in the byte order of the machine,
 * and why one is refused.
 */
#ifndef VCFG_PERSONA_FORMAT_H
#define VCFG_PERSONA_FORMAT_H

/* First: on the host it has the types that the others use. */
#include <vpv/pure.h>

#include <vpv/config.h>
#include <vpv/persona.h>

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

/* The first field that begins in the dword at @pos, or behind it. */
unsigned int vcfg_persona_from(const struct vcfg_persona *p, unsigned int pos);

/**
 * vcfg_persona_emulated() - Bits of a dword that the persona emulates
 * @p: Validated persona.
 * @pos: Offset, a multiple of 4.
 * @write: Set to those of them that the user may write.
 */
u32 vcfg_persona_emulated(const struct vcfg_persona *p, unsigned int pos, u32 *write);

/**
 * vcfg_persona_header() - Validate sizes, checksum and header of a blob
 * @p: Its @blob and @bytes are set; what the header says is filled in.
 * @why: What was wrong.
 *
 * Return: 0 or an errno of vcfg_persona_parse().
 */
int vcfg_persona_header(struct vcfg_persona *p, struct vcfg_persona_why *why);

/* What is refused is about this part. */
void vcfg_persona_part(struct vcfg_persona_why *why, enum vcfg_persona_part part,
		       unsigned int index);
/* Note a refusal.  Return: @err. */
int vcfg_persona_refuse(struct vcfg_persona_why *why, int err, const char *text,
			u64 want, u64 got);
/* The persona makes these bits itself: no field can have them. */
void vcfg_persona_claim(struct vcfg_persona *p, unsigned int pos, unsigned int bytes,
			u32 bits, u32 val);

#endif /* VCFG_PERSONA_FORMAT_H */
