/* SPDX-License-Identifier: GPL-2.0 */
/* Which pages a device wrote, until user space has been told.  Pure. */
#ifndef VMIG_DIRTY_H
#define VMIG_DIRTY_H

#include <vpv/migration_bits.h>

/**
 * struct vmig_dirty - A set of pages
 * @ranges: Ranges that the device tracks: ascending, disjoint, of whole pages.
 * @num: Their number.
 * @page_log2: Size of the pages.
 * @pages: Their number, all ranges together.
 * @index: Number of the first page of each range.
 * @bits: A bit for each page.
 *
 * One bit is all that is remembered of a page, so the set does not grow, whatever the
 * device reports.
 */
struct vmig_dirty {
	struct vmig_range *ranges;
	u32 num;
	u8 page_log2;
	u64 pages;
	u64 *index;
	unsigned long *bits;
};

/**
 * struct vmig_dirty_piece - Part of a report
 * @last: Where it ends.
 * @pages: Pages of the device in it; 0: it is not tracked.
 * @first: First byte of the first page.
 * @index: Number of the first page, all ranges together.
 */
struct vmig_dirty_piece {
	u64 last;
	u32 pages;
	u64 first;
	u64 index;
};

/**
 * vmig_dirty_longs() - Size of a bitmap
 * @pages: Bits.
 */
static inline size_t vmig_dirty_longs(u64 pages)
{
	return DIV_ROUND_UP(pages, 8 * sizeof(long));
}

/**
 * vmig_dirty_init() - Number the pages
 * @d: Set with ranges and page size, and room for the index; receives index and number of
 *	pages.
 */
void vmig_dirty_init(struct vmig_dirty *d);

/**
 * vmig_dirty_set() - A part was written
 * @d: Set.
 * @first: First byte; need not be the begin of a page.
 * @last: Last byte.
 *
 * All pages of the set that have a byte of it are dirty.  What is in none of the ranges is
 * ignored.  Parts may come in any order and overlap.
 */
void vmig_dirty_set(struct vmig_dirty *d, u64 first, u64 last);

/**
 * vmig_dirty_set_bits() - The same by a bitmap in pages of the device
 * @d: Set.
 * @iova: First byte of the page that bit 0 stands for.
 * @page_log2: Size of the pages of the bitmap, below 63.
 * @bits: Bitmap; bit n is bit n % 64 of word n / 64.  May change meanwhile.
 * @pages: Number of bits.
 */
void vmig_dirty_set_bits(struct vmig_dirty *d, u64 iova, u8 page_log2, const __le64 *bits,
			 u64 pages);

/**
 * vmig_dirty_fill() - All may have been written
 * @d: Set.
 */
void vmig_dirty_fill(struct vmig_dirty *d);

/**
 * vmig_dirty_next() - What to report next
 * @d: Set.
 * @most: Most pages of one piece, not 0.
 * @todo: What is left of the report.
 * @piece: Receives what begins at @todo->first.
 */
void vmig_dirty_next(const struct vmig_dirty *d, u32 most, const struct vmig_range *todo,
		     struct vmig_dirty_piece *piece);

/**
 * vmig_dirty_take() - Report a piece
 * @d: Set.
 * @piece: Piece that has pages.
 * @first: First byte that is reported, in the first page.
 * @want: What user space wants to know about at all, ascending.
 * @num: Number of these ranges.
 * @keep: Leave all of it in the set.
 * @out: Zeroed; bit n is set if page n of the piece is dirty.
 *
 * A page leaves the set when one report covers all of it that is wanted.  The others are
 * reported again and again until one does.
 */
void vmig_dirty_take(struct vmig_dirty *d, const struct vmig_dirty_piece *piece, u64 first,
		     const struct vmig_range *want, u32 num, bool keep, unsigned long *out);

/**
 * vmig_dirty_set_pages() - Pages are dirty, by their numbers
 * @d: Set.
 * @index: The first.
 * @pages: How many, not 0; the set has them.
 */
void vmig_dirty_set_pages(struct vmig_dirty *d, u64 index, u64 pages);

/**
 * vmig_dirty_count() - How many pages are dirty?
 * @d: Set.
 */
u64 vmig_dirty_count(const struct vmig_dirty *d);

/**
 * vmig_dirty_grab() - Take pages out of the set
 * @d: Set.
 * @from: The lowest number of interest.
 * @most: Most pages, not 0.
 * @piece: Receives the lowest ones that are dirty and consecutive in one range.
 *
 * Return: false: there are none.
 */
bool vmig_dirty_grab(struct vmig_dirty *d, u64 from, u32 most, struct vmig_dirty_piece *piece);

/**
 * vmig_dirty_piece() - Where pages are
 * @d: Set.
 * @index: Number of the first.
 * @pages: How many; untrusted, as @index.
 * @piece: Receives where; those that are in the range of the first, if not all are.
 *
 * Return: false: they are not all in one range, or there is no such page, and @piece is as it was.
 */
bool vmig_dirty_piece(const struct vmig_dirty *d, u64 index, u32 pages,
		      struct vmig_dirty_piece *piece);

#endif /* VMIG_DIRTY_H */
