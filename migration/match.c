// SPDX-License-Identifier: GPL-2.0
/*
 * Match data that a family describes by a table: does what a source wrote fit what this
 * device wrote?  Pure.
 */
#include "match.h"

static bool fits(enum vmig_match_rule rule, u64 mine, u64 theirs)
{
	switch (rule) {
	case VMIG_MATCH_EQUAL:
	case VMIG_MATCH_CONSTANT:
		return theirs == mine;
	case VMIG_MATCH_AT_MOST:
		return theirs <= mine;
	case VMIG_MATCH_AT_LEAST:
		return theirs >= mine;
	case VMIG_MATCH_SUBSET:
		return !(theirs & ~mine);
	}
	return false;
}

static u64 value(const void *data, u32 offset, u8 bytes)
{
	__le64 val = 0;

	memcpy(&val, (const u8 *)data + offset, bytes);
	return le64_to_cpu(val);
}

bool vmig_match_valid(const struct vmig_match_field *fields, unsigned int num, size_t sent,
		      size_t written)
{
	for (unsigned int i = 0; i < num; i++) {
		const struct vmig_match_field *f = &fields[i];

		if (!is_power_of_2(f->bytes) || f->bytes > sizeof(u64) ||
		    f->offset + f->bytes > sent || f->here + f->bytes > written)
			return false;
	}
	return true;
}

int vmig_match_check(const struct vmig_match_field *fields, unsigned int num, const void *mine,
		     const void *theirs, size_t bytes, struct vmig_diff *diff)
{
	for (unsigned int i = 0; i < num; i++) {
		const struct vmig_match_field *f = &fields[i];
		u64 want, got;

		/* An older source did not know this field. */
		if (f->offset + f->bytes > bytes)
			continue;
		want = value(mine, f->here, f->bytes);
		got = value(theirs, f->offset, f->bytes);
		if (!fits(f->rule, want, got))
			return vmig_differs(diff, f->rule == VMIG_MATCH_CONSTANT ? -EINVAL :
					    -EOPNOTSUPP, f->name, want, got);
	}
	return 0;
}
