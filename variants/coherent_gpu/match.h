/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What firmware and a function of coherent_gpu may say of themselves, what its stream holds,
 * and what of that may be loaded where.  Pure.
 */
#ifndef CGPU_MATCH_H
#define CGPU_MATCH_H

#include <hw/coherent_gpu.h>
#include <vpv/match.h>

/* Record types in a stream of family "coherent_gpu". */
#define CGPU_RECORD_STATE	0x100U	/* struct cgpu_state, once */
#define CGPU_RECORD_POISON	0x101U	/* struct cgpu_poison for each page, at most once */

#define CGPU_MATCH_MAGIC	0x4d504743U	/* "CGPM" */

/**
 * struct cgpu_place - Where the memory of a function is, as firmware says it
 * @base: Physical address.
 * @bytes: Size of all of it.
 * @carve: How much of that, at its end, is the carve-out.
 */
struct cgpu_place {
	u64 base;
	u64 bytes;
	u64 carve;
};

/**
 * struct cgpu_ident - Registers of the control page from CP_REV on, as they are read
 * @rev_minor: CP_REV.
 * @rev_major: CP_REV.
 * @version: CP_VERSION: written.
 * @oldest: CP_VERSION: oldest accepted.
 * @queues: CP_QUEUES.
 * @log2: CP_QUEUES: of the most entries of a ring.
 * @unused: CP_QUEUES.
 * @ops: CP_OPS.
 * @ready: CP_READY.
 * @ready_ms: CP_READY_MS.
 * @drain_ms: CP_DRAIN_MS.
 * @pause: CP_PAUSE.
 * @drain: CP_DRAIN.
 * @err: CP_ERR.
 * @caps: CP_CAPS.
 * @mem: CP_MEM, low word first.
 * @carve: CP_CARVE, likewise.
 */
struct cgpu_ident {
	__le16 rev_minor;
	__le16 rev_major;
	__le16 version;
	__le16 oldest;
	__le16 queues;
	u8 log2;
	u8 unused;
	__le32 ops;
	__le32 ready;
	__le32 ready_ms;
	__le32 drain_ms;
	__le32 pause;
	__le32 drain;
	__le32 err;
	__le32 caps;
	__le32 mem[2];
	__le32 carve[2];
};

/**
 * struct cgpu_match - What a destination must be able to match: a function, as it is
 * @magic: CGPU_MATCH_MAGIC.
 * @rev_minor: As struct cgpu_ident.
 * @rev_major: The same.
 * @version: The same.
 * @oldest: The same.
 * @queues: The same.
 * @log2: The same.
 * @unused: The same.
 * @ops: The same.
 * @reserved: Zero.
 * @mem: As struct cgpu_ident.
 * @carve: The same.
 */
struct cgpu_match {
	__le32 magic;
	__le16 rev_minor;
	__le16 rev_major;
	__le16 version;
	__le16 oldest;
	__le16 queues;
	u8 log2;
	u8 unused;
	__le32 ops;
	__le32 reserved;
	__le64 mem;
	__le64 carve;
};

/* What a destination compares: it has to offer what the user of the source saw. */
#define CGPU_NUM_FIELDS	10
extern const struct vmig_match_field cgpu_fields[CGPU_NUM_FIELDS];

/**
 * cgpu_place_check() - May memory be where firmware says that it is?
 * @place: What it says.
 * @diff: Receives what cannot be.
 *
 * Return: 0 or -EINVAL.
 */
int cgpu_place_check(const struct cgpu_place *place, struct vmig_diff *diff);

/**
 * cgpu_match_place() - Is a function the one whose memory firmware has described?
 * @fn: What it says of itself.
 * @place: cgpu_place_check().
 * @diff: Receives what differs.
 *
 * Return: 0 or -EINVAL.
 */
int cgpu_match_place(const struct cgpu_match *fn, const struct cgpu_place *place,
		     struct vmig_diff *diff);

/**
 * cgpu_match_write() - Describe a function
 * @id: What its control page says.
 * @match: Receives it.
 */
void cgpu_match_write(const struct cgpu_ident *id, struct cgpu_match *match);

/**
 * cgpu_match_sane() - Can what a function says about itself be true?
 * @now: What it says.
 * @before: What it said when the device was opened.
 * @diff: Receives what is wrong.
 *
 * What this driver does not know cannot be saved, and a function that says something
 * else than before may have more than it says.
 * Return: 0 or -EOPNOTSUPP.
 */
int cgpu_match_sane(const struct cgpu_match *now, const struct cgpu_match *before,
		    struct vmig_diff *diff);

/**
 * cgpu_state_bytes() - Size of the state of a function
 * @fn: The function; cgpu_match_sane().
 *
 * Return: bytes, at most CGPU_STATE_MAX_BYTES.
 */
u32 cgpu_state_bytes(const struct cgpu_match *fn);

/**
 * cgpu_state_check() - Does a state make sense here?
 * @fn: The function that would be loaded; cgpu_match_sane().
 * @buf: State; untrusted, any alignment.
 * @bytes: Its size.
 * @diff: Receives what made no sense.
 *
 * What is in it is for the function to judge.
 * Return: 0 or -EINVAL.
 */
int cgpu_state_check(const struct cgpu_match *fn, const void *buf, size_t bytes,
		     struct vmig_diff *diff);

/**
 * cgpu_poison_check() - Does a list of bad pages make sense?
 * @place: The memory that they are to be in; cgpu_place_check().
 * @buf: List; untrusted, any alignment.
 * @bytes: Its size.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL.
 */
int cgpu_poison_check(const struct cgpu_place *place, const void *buf, size_t bytes,
		      struct vmig_diff *diff);

/**
 * cgpu_poison_has() - Is a page in such a list?
 * @list: List; cgpu_poison_check().
 * @num: Its length.
 * @page: Device address of the page.
 *
 * Return: whether it is.
 */
bool cgpu_poison_has(const struct cgpu_poison *list, u32 num, u64 page);

#endif /* CGPU_MATCH_H */
