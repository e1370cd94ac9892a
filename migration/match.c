// SPDX-License-Identifier: GPL-2.0
/*
 * Match data that a family describes by a table: does what a source wrote fit what this
 * device wrote?  Pure.
 */
#include "match.h"

static bool fits(enum vmig_match_rule rule, u32 mine, u32 theirs)
{
	switch (rule) {
	case VMIG_MATCH_EQUAL:
		return theirs == mine;
	case VMIG_MATCH_AT_MOST:
		return theirs <= mine;
	case VMIG_MATCH_SUBSET:
		return !(theirs & ~mine);
	}
	return false;
}

static u32 value(const void *data, u32 offset)
{
	__le32 val;

	memcpy(&val, (const u8 *)data + offset, sizeof(val));
	return le32_to_cpu(val);
}

int vmig_match_check(const struct vmig_match_field *fields, unsigned int num,
		     const void *mine, const void *theirs, size_t bytes,
		     struct vmig_diff *diff)
{
	for (unsigned int i = 0; i < num; i++) {
		u32 offset = fields[i].offset, want, got;

		/* An older source did not know this field. */
		if (offset + sizeof(__le32) > bytes)
			continue;
		want = value(mine, offset);
		got = value(theirs, offset);
		if (!fits(fields[i].rule, want, got))
			return vmig_differs(diff, -EOPNOTSUPP, fields[i].name, want, got);
	}
	return 0;
}
