/* SPDX-License-Identifier: GPL-2.0 */
/* What a device's tracker is asked for, to get what user space wants.  Pure. */
#ifndef VMIG_TRACK_H
#define VMIG_TRACK_H

#include <vpv/diff.h>
#include <vpv/migration_bits.h>

/**
 * struct vmig_track_can - What the device can do
 * @ranges: Most ranges, not 0.
 * @page_min_log2: Smallest page, not 0.
 * @page_max_log2: Largest page, below 63.
 * @address_bits: Width of IOVAs.
 * @pages: Most pages, not 0.
 * @pow2: The number of pages of each range is a power of two.
 */
struct vmig_track_can {
	u32 ranges;
	u8 page_min_log2;
	u8 page_max_log2;
	u8 address_bits;
	u64 pages;
	bool pow2;
};

/**
 * struct vmig_track_plan - What to ask the device for
 * @page_log2: Size of its pages.
 * @num: Number of ranges.
 * @pages: Their pages.
 * @left: Lowest IOVA that was wanted and is not covered, if there is one.
 */
struct vmig_track_plan {
	u8 page_log2;
	u32 num;
	u64 pages;
	u64 left;
};

/**
 * vmig_track_room() - Room that a plan needs
 * @can: What the device can do.
 * @num: Number of ranges that are wanted.
 *
 * Return: number of ranges.
 */
u32 vmig_track_room(const struct vmig_track_can *can, u32 num);

/**
 * vmig_track_plan() - Fit ranges into what a device can do
 * @can: What it can do.
 * @want: Ranges wanted: ascending, disjoint, not empty.
 * @num: Their number, not 0.
 * @page_bytes: Page size wanted, a power of two.
 * @out: Room for vmig_track_room() ranges; receives whole pages: the nearest ranges are
 *	combined while there are too many.
 * @plan: Receives the rest.
 * @why: Receives what is not covered, and of a refusal the reason: what the device can do
 *	and what came.
 *
 * The page size is the one wanted if the device has it, else the nearest; it grows
 * when there were too many pages.  What lies beyond the address width is not covered, nor
 * are, while there are too many pages of the largest size, the highest ranges; of the
 * last one left, what fits is covered.  For a device whose ranges are powers of two a range
 * is split into such parts; while there are too many of them, ranges become larger.
 *
 * Return: 0, when at least a part is covered; -ERANGE when all IOVAs are beyond the
 * address width; -EINVAL for a device that makes no sense.
 */
int vmig_track_plan(const struct vmig_track_can *can, const struct vmig_range *want,
		    u32 num, u64 page_bytes, struct vmig_range *out,
		    struct vmig_track_plan *plan, struct vmig_diff *why);

#endif /* VMIG_TRACK_H */
