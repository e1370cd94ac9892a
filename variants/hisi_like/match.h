/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What may be loaded where: decisions on match data and contexts.  Pure.
 */
#ifndef HISIL_MATCH_H
#define HISIL_MATCH_H

#include <vpv/diff.h>

#include "regs.h"

/**
 * struct hisil_ident - What a function says about itself, in CPU byte order
 * @rev: CP_REV.
 * @version: CP_VERSION.
 * @limits: CP_LIMITS.
 * @algs: CP_ALGS.
 * @max_xfer: CP_MAX_XFER.
 * @isolation: CP_ISOLATION.
 * @caps: CP_CAPS; nothing that a source or a destination needs of the other.
 */
struct hisil_ident {
	u32 rev;
	u32 version;
	u32 limits;
	u32 algs;
	u32 max_xfer;
	u32 isolation;
	u32 caps;
};

/**
 * hisil_ident_check() - Is what a function says about itself worth anything?
 * @id: As the control page has it now.
 * @before: As it had it when the device was opened.
 * @diff: Receives what is wrong; it got the value now and wants the one before.
 *
 * What this driver does not know cannot be saved, and a function that says something
 * else than before may have more than it says.  Isolation may come at any time.
 * Return: 0 or -EOPNOTSUPP.
 */
int hisil_ident_check(const struct hisil_ident *id, const struct hisil_ident *before,
		      struct vmig_diff *diff);

/**
 * hisil_match_write() - Describe a function for a stream
 * @id: The function.
 * @match: Receives the record.
 */
void hisil_match_write(const struct hisil_ident *id, struct hisil_match *match);

/**
 * hisil_match_check() - May a source's state be loaded here?
 * @id: The function that would be loaded.
 * @buf: Match data of the source; untrusted, any alignment.
 * @bytes: Its size.
 * @diff: Receives what did not fit.
 *
 * This function must offer at least what the user of the source saw.
 * Return: 0, -EINVAL for data that makes no sense, -EOPNOTSUPP for a source
 * that does not fit.
 */
int hisil_match_check(const struct hisil_ident *id, const void *buf, size_t bytes,
		      struct vmig_diff *diff);

/**
 * hisil_ctx_check_global() - Does a global context make sense here?
 * @id: The function that would be loaded.
 * @buf: Context; untrusted, any alignment.
 * @bytes: Its size.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL.
 */
int hisil_ctx_check_global(const struct hisil_ident *id, const void *buf, size_t bytes,
			   struct vmig_diff *diff);

/**
 * hisil_ctx_check_queue() - Does a queue context make sense here?
 * @id: The function that would be loaded.
 * @buf: Context with its parked entries; untrusted, any alignment.
 * @bytes: Its size.
 * @queue: Receives its number, below the limit of @id.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL.
 */
int hisil_ctx_check_queue(const struct hisil_ident *id, const void *buf, size_t bytes,
			  u32 *queue, struct vmig_diff *diff);

/**
 * hisil_ctx_is_reset() - Is this what a queue has after a reset?
 * @ctx: Context as the function gave it.
 *
 * Such a context need not travel.
 */
bool hisil_ctx_is_reset(const struct hisil_queue_ctx *ctx);

#endif /* HISIL_MATCH_H */
