/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs, when a migration is refused: of a stream, of a device or of a request.
 * For pure files, too.
 */
#ifndef VPV_DIFF_H
#define VPV_DIFF_H

#include "pure.h"

/**
 * struct vmig_diff - The first thing that does not fit
 * @field: Its name, for the log; NULL: everything fits.
 * @want: What is expected here, or the most that is possible.
 * @got: What came.
 * @want_text: The same, of names: then @want and @got are 0.  NULL: numbers.
 * @got_text: What came; untrusted bytes, zero-terminated.
 * @placed: It is at a byte of config space.
 * @pos: At which one then.
 */
struct vmig_diff {
	const char *field;
	u64 want;
	u64 got;
	const char *want_text;
	const char *got_text;
	bool placed;
	u32 pos;
};

/* For calls that need one: VMIG_DIFF("records", 2, records). */
#define VMIG_DIFF(field, want, got) (&(const struct vmig_diff){ (field), (want), (got) })

/**
 * vmig_differs() - Note what differs
 * @diff: Receives it.
 * @err: Negative errno of the refusal; 0: it is none.
 * @field: Name of the field.
 * @want: What is expected.
 * @got: What came.
 *
 * Return: @err.
 */
static inline int vmig_differs(struct vmig_diff *diff, int err, const char *field, u64 want,
			       u64 got)
{
	*diff = (struct vmig_diff){ .field = field, .want = want, .got = got };
	return err;
}

#endif /* VPV_DIFF_H */
