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
 * @left: Lowest IOVA that was wanted and is not covered, if there is one.
 */
struct vmig_track_plan {
	u8 page_log2;
	u32 num;
	u64 pages;
	u64 left;
};

/**
 * struct vmig_track_piece - Part of a report
 * @last: Where it ends.
 * @pages: Pages of the device in it; 0: it is not tracked.
 * @first: First byte of the first page.
 * @index: Number of the first page, all ranges together.
 */
struct vmig_track_piece {
	u64 last;
	u32 pages;
	u64 first;
	u64 index;
};

/**
 * vmig_track_plan() - Fit ranges into what a device can do
 * @can: What it can do.
 * @want: Ranges wanted: ascending, disjoint, not empty.
 * @num: Their number, not 0.
 * @page_bytes: Page size wanted, a power of two.
 * @out: Room for @num ranges; receives whole pages: the nearest ranges are combined
 *	while there are too many.
 * @plan: Receives the rest.
 * @why: Receives what is not covered, and of a refusal the reason: what the device can do
 *	and what came.
 *
 * The page size is the one wanted if the device has it, else the nearest; it grows
 * when there were too many pages.  What lies beyond the address width is not covered, nor
 * are, while there are too many pages of the largest size, the highest ranges; of the
 * last one left, what fits is covered.
 *
 * Return: 0, when at least a part is covered; -ERANGE when all IOVAs are beyond the
 * address width; -EINVAL for a device that makes no sense.
 */
int vmig_track_plan(const struct vmig_track_can *can, const struct vmig_range *want,
		    u32 num, u64 page_bytes, struct vmig_range *out,
		    struct vmig_track_plan *plan, struct vmig_diff *why);

/**
 * vmig_track_piece() - What to report next
 * @ranges: Ranges that the device tracks, of whole pages.
 * @num: Their number.
 * @page_log2: Size of its pages.
 * @most: Most pages of one piece, not 0.
 * @todo: What is left of the report.
 * @piece: Receives what begins at @todo->first.
 */
void vmig_track_piece(const struct vmig_range *ranges, u32 num, u8 page_log2, u32 most,
		      const struct vmig_range *todo, struct vmig_track_piece *piece);

/**
 * vmig_track_wants() - Is any byte of a part wanted?
 * @want: What user space wants to know about, ascending.
 * @num: Number of ranges.
 * @part: Part.
 *
 * Return: whether one of the ranges has a byte of @part.
 */
bool vmig_track_wants(const struct vmig_range *want, u32 num, const struct vmig_range *part);

#endif /* VMIG_TRACK_H */
