/* SPDX-License-Identifier: GPL-2.0 */
/* What a device's tracker is asked for, to get what user space wants.  Pure. */
#ifndef VMIG_TRACK_H
#define VMIG_TRACK_H

#include <vpv/pure.h>

/**
 * struct vmig_track_range - A range of IOVAs
 * @first: First byte.
 * @last: Last byte.
 */
struct vmig_track_range {
	u64 first;
	u64 last;
};

/**
 * struct vmig_track_can - What the device can do
 * @ranges: Most ranges, not 0.
 * @page_min_log2: Smallest page.
 * @page_max_log2: Largest page, below 64.
 * @address_bits: Width of IOVAs.
 * @pages: Most pages.
 */
struct vmig_track_can {
	u32 ranges;
	u8 page_min_log2;
	u8 page_max_log2;
	u8 address_bits;
	u64 pages;
};

/**
 * struct vmig_track_plan - What to ask the device for
 * @page_log2: Size of its pages.
 * @num: Number of ranges.
 * @pages: Their pages.
 */
struct vmig_track_plan {
	u8 page_log2;
	u32 num;
	u64 pages;
};

/**
 * struct vmig_track_why - Why there is no plan
 * @field: What is beyond the device.
 * @can: What it can do.
 * @want: What was wanted.
 */
struct vmig_track_why {
	const char *field;
	u64 can;
	u64 want;
};

/**
 * vmig_track_plan() - Fit ranges into what a device can do
 * @can: What it can do.
 * @want: Ranges wanted: ascending, disjoint, not empty.
 * @num: Their number, not 0.
 * @page_bytes: Page size wanted, a power of two.
 * @out: Room for @num ranges; receives whole pages that cover @want: the nearest
 *	ranges are combined while there are too many.
 * @plan: Receives the rest.
 * @why: Receives the reason of a refusal.
 *
 * The page size is the one wanted if the device has it, else the nearest; it grows
 * when there were too many pages.
 *
 * Return: 0; -ERANGE for IOVAs beyond the address width; -E2BIG for too many pages;
 * -EINVAL for a device that makes no sense.
 */
int vmig_track_plan(const struct vmig_track_can *can, const struct vmig_track_range *want,
		    u32 num, u64 page_bytes, struct vmig_track_range *out,
		    struct vmig_track_plan *plan, struct vmig_track_why *why);

#endif /* VMIG_TRACK_H */
