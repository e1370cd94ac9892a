/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a stream of hisi_like holds, and what of it may be loaded where.  Pure.
 */
#ifndef HISIL_MATCH_H
#define HISIL_MATCH_H

#include <hw/hisi_like.h>
#include <vpv/match.h>

/* Record types in a stream of family "hisi_like". */
#define HISIL_RECORD_GLOBAL	0x100U	/* struct hisil_global_ctx, once, first */
#define HISIL_RECORD_QUEUE	0x101U	/* a queue context; at most once a queue */

#define HISIL_MATCH_MAGIC	0x4d4c5348U	/* "HSLM" */

/**
 * struct hisil_match - What a destination must be able to match: a function, as it is
 * @magic: HISIL_MATCH_MAGIC.
 * @rev_minor: As struct hisil_ident.
 * @rev_major: The same.
 * @version: The same.
 * @oldest: The same.
 * @queues: The same.
 * @log2: The same.
 * @unused: The same.
 * @algs: The same.
 * @max_xfer: The same.
 * @isolation: 0 in every stream, as an isolated source refuses.
 * @reserved: Zero.
 */
struct hisil_match {
	__le32	magic;
	__le16	rev_minor;
	__le16	rev_major;
	__le16	version;
	__le16	oldest;
	__le16	queues;
	u8	log2;
	u8	unused;
	__le32	algs;
	__le32	max_xfer;
	__le32	isolation;
	__le32	reserved;
};

/* What a destination compares: it has to offer what the user of the source saw. */
#define HISIL_NUM_FIELDS	10
extern const struct vmig_match_field hisil_fields[HISIL_NUM_FIELDS];

/**
 * hisil_match_write() - Describe a function
 * @id: What its control page says.
 * @match: Receives it.
 */
void hisil_match_write(const struct hisil_ident *id, struct hisil_match *match);

/**
 * hisil_match_sane() - Can what a function says about itself be true?
 * @now: What it says.
 * @before: What it said when the device was opened.
 * @diff: Receives what is wrong.
 *
 * What this driver does not know cannot be saved, and a function that says something
 * else than before may have more than it says.  Isolation may come at any time.
 * Return: 0 or -EOPNOTSUPP.
 */
int hisil_match_sane(const struct hisil_match *now, const struct hisil_match *before,
		     struct vmig_diff *diff);

/**
 * hisil_ctx_check_global() - Does a global context make sense here?
 * @fn: The function that would be loaded; hisil_match_sane().
 * @buf: Context; untrusted, any alignment.
 * @bytes: Its size.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL.
 */
int hisil_ctx_check_global(const struct hisil_match *fn, const void *buf, size_t bytes,
			   struct vmig_diff *diff);

/**
 * hisil_ctx_check_queue() - Does a queue context make sense here?
 * @fn: The function that would be loaded; hisil_match_sane().
 * @buf: Context with its parked entries; untrusted, any alignment.
 * @bytes: Its size.
 * @queue: Receives its number, below the limit of @fn.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL.
 */
int hisil_ctx_check_queue(const struct hisil_match *fn, const void *buf, size_t bytes,
			  u32 *queue, struct vmig_diff *diff);

/**
 * hisil_ctx_is_reset() - Is this what a queue has after a reset?
 * @ctx: Context as the function gave it.
 *
 * Such a context need not be sent.
 */
bool hisil_ctx_is_reset(const struct hisil_queue_ctx *ctx);

#endif /* HISIL_MATCH_H */
