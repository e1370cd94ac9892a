/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Match data that a family describes by a table.  Pure.
 */
#ifndef VMIG_MATCH_H
#define VMIG_MATCH_H

#include <vpv/match.h>

/* As debugfs has it: "equal". */
const char *vmig_match_rule_name(enum vmig_match_rule rule);

/* The value of a field of @bytes bytes, at most 8, that is no text. */
u64 vmig_match_value(const void *data, u32 offset, u8 bytes);

/**
 * vmig_match_valid() - Is a table usable?
 * @fields: What the match data consists of.
 * @num: Their number.
 * @sent: Size of what a source sends.
 * @written: Size of what vmig_ops.match writes, at least @sent.
 */
bool vmig_match_valid(const struct vmig_match_field *fields, unsigned int num, size_t sent,
		      size_t written);

/**
 * vmig_match_check() - Does a source fit here?
 * @fields: What the match data consists of; vmig_match_valid().
 * @num: Their number.
 * @mine: Match data of this device.
 * @theirs: That of the source; untrusted, any alignment.
 * @bytes: Size of @theirs.  Fields beyond it, of which an older source knew nothing,
 *	are not compared.
 * @diff: Receives the first field that does not.  Texts in it are those of @mine and @theirs.
 *
 * Return: 0, -EINVAL for data that makes no sense, -EOPNOTSUPP for a source that does not fit.
 */
int vmig_match_check(const struct vmig_match_field *fields, unsigned int num, const void *mine,
		     const void *theirs, size_t bytes, struct vmig_diff *diff);

#endif /* VMIG_MATCH_H */
