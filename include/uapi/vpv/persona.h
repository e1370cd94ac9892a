/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * A compiled persona: the config space that the user of a device is to see, and
 * where each bit of it comes from.  Documentation/persona.rst tells the rules and
 * the language of the text maps that vpvctl compiles to this.
 *
 *   header, capabilities, fields, names of callbacks
 *
 * All integers are little-endian.  The arrays follow the header without gaps, in
 * that order.  Names are padded with zeroes and have at least one; they consist of
 * letters, digits and "._-" and begin with a letter.  Reserved bytes are zero.
 */
#ifndef _UAPI_VPV_PERSONA_H
#define _UAPI_VPV_PERSONA_H

#include <linux/types.h>

#define VPV_PERSONA_MAGIC	"VPVPERS\n"
#define VPV_PERSONA_MAGIC_BYTES	8

/* A reader takes only formats that it knows. */
#define VPV_PERSONA_FORMAT	1

#define VPV_PERSONA_NAME_BYTES	32
#define VPV_PERSONA_DIGEST_BYTES 32

#define VPV_PERSONA_MAX_CAPS	128
#define VPV_PERSONA_MAX_FIELDS	2048
#define VPV_PERSONA_MAX_CALLBACKS 64

/* No compiled persona is larger: header and all arrays at their limits. */
#define VPV_PERSONA_MAX_BYTES	(64U << 10)

#define VPV_PERSONA_BARS	6
#define VPV_PERSONA_ROM		6	/* index of the expansion ROM in @bar */

/* struct vpv_persona_bar.kind */
#define VPV_PERSONA_BAR_NONE	0	/* the device has none here, or its upper half */
#define VPV_PERSONA_BAR_HIDDEN	1	/* the user sees none, whatever the device has */
#define VPV_PERSONA_BAR_SHOWN	2

/**
 * struct vpv_persona_bar - A base address register
 * @kind: VPV_PERSONA_BAR_x.
 * @type: Low four bits of the register, PCI_BASE_ADDRESS_x; 0 for the ROM.
 * @reserved: Zero.
 * @bytes: Size, a power of two; 0 if it is not shown.
 */
struct vpv_persona_bar {
	__u8	kind;
	__u8	type;
	__u8	reserved[6];
	__le64	bytes;
};

/**
 * struct vpv_persona_header - First bytes of a compiled persona
 * @magic: VPV_PERSONA_MAGIC, without a terminating zero.
 * @format: VPV_PERSONA_FORMAT.
 * @header_bytes: Size of this header.
 * @bytes: Size of the whole, at most VPV_PERSONA_MAX_BYTES.
 * @version: Version of the persona, not 0.
 * @name: Its name.
 * @config_bytes: Size of config space: 256 or 4096.
 * @num_caps: Number of capabilities, both chains.
 * @num_fields: Number of fields.
 * @num_callbacks: Number of names of callbacks.
 * @crc: CRC32C (seed and final complement as in iSCSI) of the whole, this field
 *	taken as zero.
 * @bar: The six BARs and the ROM.
 */
struct vpv_persona_header {
	__u8	magic[VPV_PERSONA_MAGIC_BYTES];
	__le16	format;
	__le16	header_bytes;
	__le32	bytes;
	__le32	version;
	__u8	name[VPV_PERSONA_NAME_BYTES];
	__le16	config_bytes;
	__le16	num_caps;
	__le16	num_fields;
	__le16	num_callbacks;
	__le32	crc;
	struct vpv_persona_bar bar[VPV_PERSONA_BARS + 1];
};

/* struct vpv_persona_cap.flags */
#define VPV_PERSONA_CAP_EXT	(1U << 0)	/* of the extended chain */

/**
 * struct vpv_persona_cap - A capability
 * @pos: Offset, on a 32-bit boundary.
 * @bytes: Size with its header, a multiple of 4.
 * @id: Capability id.
 * @version: Version in the header of an extended one, otherwise 0.
 * @flags: VPV_PERSONA_CAP_x.
 * @from: Which one of the hardware's capabilities with this id it is, from 1 in
 *	the order of the hardware's chain; 0: the hardware needs none.
 * @reserved: Zero.
 *
 * First all standard ones, then all extended ones, each in the order of its chain,
 * in which each leads to the next: there is no pointer that could lead elsewhere.
 */
struct vpv_persona_cap {
	__le16	pos;
	__le16	bytes;
	__le16	id;
	__u8	version;
	__u8	flags;
	__u8	from;
	__u8	reserved[3];
};

/* struct vpv_persona_field.source: where the bits come from. */
#define VPV_PERSONA_HIDDEN	0	/* read as 0, not writable */
#define VPV_PERSONA_HW		1	/* the register, as without a persona */
#define VPV_PERSONA_FIXED	2	/* @value */
#define VPV_PERSONA_EMULATED	3	/* memory; begins as @value; is migrated */
#define VPV_PERSONA_CALLBACK	4	/* a function of the driver */

/* struct vpv_persona_field.flags */
#define VPV_PERSONA_FIELD_WRITE	(1U << 0)	/* HW: only @write, not all, is writable */

#define VPV_PERSONA_NO_CALLBACK	0xffffU

/**
 * struct vpv_persona_field - Bits of a register, or a range of bytes
 * @pos: Offset, a multiple of @bytes for 1, 2 and 4.
 * @bytes: 1, 2 or 4 for a register; for HW and HIDDEN also a larger multiple of 4
 *	at a 32-bit boundary, with @bits all ones.
 * @source: VPV_PERSONA_x.
 * @flags: VPV_PERSONA_FIELD_x.
 * @callback: Index of the callback's name, or VPV_PERSONA_NO_CALLBACK.
 * @bits: Which bits of the register, not 0.
 * @value: Value, in @bits; 0 unless FIXED or EMULATED.
 * @write: Bits that the user may write; 0 for HIDDEN and FIXED.
 * @w1c: EMULATED: bits of @write that are cleared by writing 1.
 *
 * In ascending order of their lowest bit; no bit is in two of them.  Bits of no
 * field are hidden.
 */
struct vpv_persona_field {
	__le16	pos;
	__le16	bytes;
	__u8	source;
	__u8	flags;
	__le16	callback;
	__le32	bits;
	__le32	value;
	__le32	write;
	__le32	w1c;
};

/**
 * struct vpv_persona_callback - A callback that fields refer to
 * @name: Its name.  Names are in ascending order, each is referred to.
 */
struct vpv_persona_callback {
	__u8	name[VPV_PERSONA_NAME_BYTES];
};

#endif /* _UAPI_VPV_PERSONA_H */
