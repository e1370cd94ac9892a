/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The migration stream: bytes that a migration data file of any of our drivers
 * gives and takes.  Documentation/stream.rst draws it and tells the rules.
 *
 *   header, record, record, ..., END record
 *
 * All integers are little-endian.  Checksums of heads are CRC32C (seed and final
 * complement as in iSCSI), those of payloads are sums of words.  Nothing is padded: a
 * record starts right behind the payload of the one before.
 */
#ifndef _UAPI_VPV_STREAM_H
#define _UAPI_VPV_STREAM_H

#include <linux/types.h>

#define VPV_STREAM_MAGIC	"VPVMIGR\n"
#define VPV_STREAM_MAGIC_BYTES	8

/* Format of the container.  A reader takes its own major and any minor. */
#define VPV_STREAM_MAJOR	2
#define VPV_STREAM_MINOR	0

#define VPV_STREAM_NAME_BYTES	32
#define VPV_STREAM_DIGEST_BYTES	32

/* No record of any family is larger than this. */
#define VPV_STREAM_MAX_PAYLOAD	(16U << 20)

/**
 * struct vpv_stream_header - First bytes of a stream
 * @magic: VPV_STREAM_MAGIC, without a terminating zero.
 * @major: VPV_STREAM_MAJOR of the writer.
 * @minor: VPV_STREAM_MINOR of the writer.
 * @header_bytes: Size of this header; a newer minor may be longer (at most 4096).
 * @family: Device family ("hisi_like"), zero-padded, at least one zero.
 * @state_version: Version of the family's state records in this stream.
 * @state_oldest: Oldest version that a reader must know to read them.
 * @persona: Name of the persona presented to the user, zero-padded; all zero
 *	when the device shows its default one.
 * @persona_version: Version of that persona; 0 with the default one.
 * @reserved: Zero.
 * @persona_digest: SHA-256 of the compiled persona; zero with the default one.
 * @flags: Zero.
 * @crc: CRC32C of all header bytes, this field taken as zero.
 */
struct vpv_stream_header {
	__u8	magic[VPV_STREAM_MAGIC_BYTES];
	__le16	major;
	__le16	minor;
	__le32	header_bytes;
	__u8	family[VPV_STREAM_NAME_BYTES];
	__le32	state_version;
	__le32	state_oldest;
	__u8	persona[VPV_STREAM_NAME_BYTES];
	__le32	persona_version;
	__le32	reserved;
	__u8	persona_digest[VPV_STREAM_DIGEST_BYTES];
	__le32	flags;
	__le32	crc;
};

/* Of payloads.  Odd, so that a change of any one word changes the sum. */
#define VPV_STREAM_SUM_WORD	0x9e3779b97f4a7c15ULL
#define VPV_STREAM_SUM_STEP	0xd1342543de82ef95ULL

/* struct vpv_stream_record.flags */
#define VPV_RECORD_OPTIONAL	(1U << 0)	/* a reader may skip it */

/* Types below VPV_RECORD_FAMILY belong to the container. */
#define VPV_RECORD_MATCH	1U	/* family's match data; first record, once */
#define VPV_RECORD_CONFIG	2U	/* config space as written; at most once */
#define VPV_RECORD_END		3U	/* struct vpv_stream_end; last */
#define VPV_RECORD_VIEW		4U	/* config space at first; behind MATCH */
#define VPV_RECORD_LAYOUT	5U	/* what memory the device has; once */
#define VPV_RECORD_PAGES	6U	/* content of a part of that memory */
#define VPV_RECORD_FAMILY	0x100U	/* first type that a family may define */

/**
 * struct vpv_stream_record - Head of one record
 * @type: VPV_RECORD_x, or a type of the family.
 * @flags: VPV_RECORD_OPTIONAL or zero.
 * @seq: Number of the record in its stream, from 0, without gaps.
 * @payload_sum: Sum of the payload; 0 when there is none.  It begins as 0.  For each
 *	64-bit word of the payload, the last one filled up with zeros, that word times
 *	VPV_STREAM_SUM_WORD is added, the sum is rotated left by 31 bits, and multiplied
 *	by VPV_STREAM_SUM_STEP, all modulo 2^64.
 * @bytes: Size of the payload that follows.
 * @crc: CRC32C of this head, this field taken as zero, seeded with the crc of
 *	the head before it (the first one: of the stream header).  So records of
 *	different streams, or in another order, do not fit together.
 */
struct vpv_stream_record {
	__le32	type;
	__le32	flags;
	__le64	seq;
	__le64	payload_sum;
	__le32	bytes;
	__le32	crc;
};

/**
 * struct vpv_stream_end - Payload of the END record
 * @records: Number of records before this one.
 * @bytes: Sum of their payload sizes.
 */
struct vpv_stream_end {
	__le64	records;
	__le64	bytes;
};

/**
 * struct vpv_stream_config - Begin of the payload of VIEW and CONFIG
 * @bytes: Size of config space: 256 or 4096.
 * @version: CONFIG: VPV_CONFIG_VERSION of the writer; a reader takes its own and older
 *	ones.  VIEW: 0.
 * @words: Number of struct vpv_stream_word behind this, one for a dword at most, in
 *	ascending order.
 *
 * VIEW: what the user reads when the device has been opened, where it must be the
 * same on another one.  A dword that is not listed is 0, and all of it must be.
 *
 * CONFIG: what the user may have changed.  Version 0 has only the bits that a persona
 * emulates, and each dword that has some is listed.  Version 1 has these as well, and the
 * other writable bits that are state (Documentation/stream.rst).
 */
struct vpv_stream_config {
	__le16	bytes;
	__le16	version;
	__le32	words;
};

#define VPV_CONFIG_VERSION	1

/**
 * struct vpv_stream_word - A dword of config space
 * @pos: Offset, a multiple of 4.
 * @reserved: Zero.
 * @value: Bits, in @mask.
 * @mask: VIEW: bits that must be the same.  CONFIG: bits that are state.
 */
struct vpv_stream_word {
	__le16	pos;
	__le16	reserved;
	__le32	value;
	__le32	mask;
};

/* Largest payload of VIEW and CONFIG. */
#define VPV_CONFIG_MAX_BYTES	(8U + 1024U * 12U)

/* Memory of a device is cut in pages of this size, whatever its own pages are. */
#define VPV_PAGE_LOG2		12U
#define VPV_PAGE_BYTES		(1U << VPV_PAGE_LOG2)

/**
 * struct vpv_stream_range - A part of the memory of a device
 * @first: First byte, as the device counts; a multiple of VPV_PAGE_BYTES.
 * @last: Last byte; that of a page.
 */
struct vpv_stream_range {
	__le64	first;
	__le64	last;
};

/**
 * struct vpv_stream_layout - Begin of the payload of LAYOUT
 * @page_bytes: VPV_PAGE_BYTES.
 * @ranges: Number of struct vpv_stream_range behind this, ascending and disjoint; 1 to
 *	VPV_LAYOUT_RANGES.  Their pages are numbered from 0, all ranges together.
 */
struct vpv_stream_layout {
	__le32	page_bytes;
	__le32	ranges;
};

#define VPV_LAYOUT_RANGES	64U

/**
 * struct vpv_stream_run - Pages one behind the other
 * @page: Number of the first.
 * @pages: How many, not 0; all in one range of LAYOUT.
 * @kind: VPV_RUN_x.
 */
struct vpv_stream_run {
	__le64	page;
	__le32	pages;
	__le32	kind;
};

#define VPV_RUN_DATA		0U	/* their content follows the runs */
#define VPV_RUN_ZERO		1U	/* they are all zeros */

/**
 * struct vpv_stream_pages - Begin of the payload of PAGES
 * @pass: Number of the pass over the memory that it is part of, from 1 on, not falling.
 *	What a later pass has takes the place of what an earlier one had.
 * @runs: Number of struct vpv_stream_run behind this; 1 to VPV_PAGES_MOST.
 *
 * The runs of a pass ascend and do not overlap, also from record to record.  Behind them is
 * the content of those that have one, in the same order.
 */
struct vpv_stream_pages {
	__le32	pass;
	__le32	runs;
};

/* Most pages of one record, all runs together. */
#define VPV_PAGES_MOST		128U

#define VPV_PAGES_FRONT_BYTES	(8U + VPV_PAGES_MOST * 16U)
#define VPV_PAGES_DATA_BYTES	(VPV_PAGES_MOST * VPV_PAGE_BYTES)

#endif /* _UAPI_VPV_STREAM_H */
