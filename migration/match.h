/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Match data that a family describes by a table.  Pure.
 */
#ifndef VMIG_MATCH_H
#define VMIG_MATCH_H

#include <vpv/diff.h>
#include <vpv/match.h>
#include <vpv/pure.h>

/**
 * vmig_match_check() - Does what a source wrote fit what this device wrote?
 * @fields: What the match data consists of; each within @mine.
 * @num: Their number.
 * @mine: Match data of this device.
 * @theirs: That of the source; untrusted, any alignment.
 * @bytes: Size of @theirs.  Fields beyond it, of which an older source knew nothing,
 *	are not compared.
 * @diff: Receives the first field that does not fit: this device's value and the source's.
 *
 * Return: 0, or -EOPNOTSUPP.
 */
int vmig_match_check(const struct vmig_match_field *fields, unsigned int num,
		     const void *mine, const void *theirs, size_t bytes,
		     struct vmig_diff *diff);

#endif /* VMIG_MATCH_H */
