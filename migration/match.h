/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Match data that a family describes by a table.  Pure.
 */
#ifndef VMIG_MATCH_H
#define VMIG_MATCH_H

#include <vpv/match.h>
#include <vpv/pure.h>

/**
 * vmig_match_differs() - The first field of a source that does not fit here
 * @fields: What the match data consists of; each within @mine.
 * @num: Their number.
 * @mine: Match data of this device.
 * @theirs: That of the source; untrusted, any alignment.
 * @bytes: Size of @theirs.  Fields beyond it, of which an older source knew nothing,
 *	are not compared.
 * @want: Receives this device's value of the field.
 * @got: Receives the source's.
 *
 * Return: the field, or NULL if all fit.
 */
const struct vmig_match_field *vmig_match_differs(const struct vmig_match_field *fields,
						  unsigned int num, const void *mine,
						  const void *theirs, size_t bytes,
						  u32 *want, u32 *got);

#endif /* VMIG_MATCH_H */
