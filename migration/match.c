// SPDX-License-Identifier: GPL-2.0
/*
 * Match data that a family describes by a table: does what a source wrote fit what this
 * device wrote?  Pure.
 */
#include "match.h"

const char *vmig_match_rule_name(enum vmig_match_rule rule)
{
	static const char * const names[] = {
		[VMIG_MATCH_EQUAL] = "equal",
		[VMIG_MATCH_AT_MOST] = "at-most",
		[VMIG_MATCH_AT_LEAST] = "at-least",
		[VMIG_MATCH_SUBSET] = "subset",
		[VMIG_MATCH_CONSTANT] = "constant",
		[VMIG_MATCH_TEXT] = "text",
	};

	return names[rule];
}

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
	case VMIG_MATCH_TEXT:
		break;
	}
	return false;
}

u64 vmig_match_value(const void *data, u32 offset, u8 bytes)
{
	__le64 val = 0;

	memcpy(&val, (const u8 *)data + offset, bytes);
	return le64_to_cpu(val);
}

static bool size_valid(const struct vmig_match_field *f)
{
	if (f->rule == VMIG_MATCH_TEXT)
		return f->bytes;
	return is_power_of_2(f->bytes) && f->bytes <= sizeof(u64);
}

bool vmig_match_valid(const struct vmig_match_field *fields, unsigned int num, size_t sent,
		      size_t written)
{
	for (unsigned int i = 0; i < num; i++) {
		const struct vmig_match_field *f = &fields[i];

		if (!size_valid(f) || f->offset + f->bytes > sent ||
		    f->here + f->bytes > written)
			return false;
	}
	return true;
}

static bool terminated(const char *text, size_t bytes)
{
	return strnlen(text, bytes) < bytes;
}

static int check_text(const struct vmig_match_field *f, const char *mine, const char *theirs,
		      struct vmig_diff *diff)
{
	if (!terminated(mine, f->bytes) || !terminated(theirs, f->bytes))
		return vmig_differs(diff, -EINVAL, f->name, f->bytes - 1, f->bytes);
	if (!strcmp(mine, theirs))
		return 0;
	*diff = (struct vmig_diff){ .field = f->name, .want_text = mine, .got_text = theirs };
	return -EOPNOTSUPP;
}

static int check_value(const struct vmig_match_field *f, u64 mine, u64 theirs,
		       struct vmig_diff *diff)
{
	if (fits(f->rule, mine, theirs))
		return 0;
	return vmig_differs(diff, f->rule == VMIG_MATCH_CONSTANT ? -EINVAL : -EOPNOTSUPP,
			    f->name, mine, theirs);
}

int vmig_match_check(const struct vmig_match_field *fields, unsigned int num, const void *mine,
		     const void *theirs, size_t bytes, struct vmig_diff *diff)
{
	for (unsigned int i = 0; i < num; i++) {
		const struct vmig_match_field *f = &fields[i];
		int err;

		/* An older source did not know this field. */
		if (f->offset + f->bytes > bytes)
			continue;
		if (f->rule == VMIG_MATCH_TEXT)
			err = check_text(f, mine + f->here, theirs + f->offset, diff);
		else
			err = check_value(f, vmig_match_value(mine, f->here, f->bytes),
					  vmig_match_value(theirs, f->offset, f->bytes), diff);
		if (err)
			return err;
	}
	return 0;
}
