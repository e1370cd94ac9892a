// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages a device wrote: what it reports goes into a bitmap, in any order and in pages
 * of any size, and reports to user space are taken out of it.  Pure.
 *
 * Ranges may end with the 64-bit space: they are kept by their last byte, and where a
 * size is computed, that of the whole space cannot come out.
 */
#include "dirty.h"

#define LONG_BITS	(8 * sizeof(long))

static unsigned long bit_mask(u64 bit)
{
	return 1UL << (bit % LONG_BITS);
}

/* @num is not 0. */
static void bits_set(unsigned long *bits, u64 from, u64 num)
{
	u64 word = from / LONG_BITS, last = (from + num - 1) / LONG_BITS;
	unsigned long mask = ~0UL << (from % LONG_BITS);

	for (; word < last; word++) {
		bits[word] |= mask;
		mask = ~0UL;
	}
	bits[word] |= mask & (~0UL >> (LONG_BITS - 1 - (from + num - 1) % LONG_BITS));
}

/* A page has two bytes at least, so this does not overflow. */
static u64 pages_of(const struct vmig_dirty *d, u64 first, u64 last)
{
	return ((last - first) >> d->page_log2) + 1;
}

void vmig_dirty_init(struct vmig_dirty *d)
{
	d->pages = 0;
	for (u32 i = 0; i < d->num; i++) {
		d->index[i] = d->pages;
		d->pages += pages_of(d, d->ranges[i].first, d->ranges[i].last);
	}
}

/* The lowest range that ends at a byte or above; or their number. */
static u32 range_at(const struct vmig_dirty *d, u64 at)
{
	u32 low = 0, high = d->num;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (d->ranges[mid].last < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void vmig_dirty_set(struct vmig_dirty *d, u64 first, u64 last)
{
	if (first > last)
		return;
	for (u32 i = range_at(d, first); i < d->num && d->ranges[i].first <= last; i++) {
		const struct vmig_range *r = &d->ranges[i];
		u64 from = (max(first, r->first) - r->first) >> d->page_log2;
		u64 to = (min(last, r->last) - r->first) >> d->page_log2;

		bits_set(d->bits, d->index[i] + from, to - from + 1);
	}
}

void vmig_dirty_set_bits(struct vmig_dirty *d, u64 iova, u8 page_log2, const __le64 *bits,
			 u64 pages)
{
	/* The last page that begins within the space. */
	const u64 most = (~0ULL - iova) >> page_log2;

	for (u64 n = 0; n < pages; n += 64) {
		u64 word = le64_to_cpu(READ_ONCE(bits[n / 64]));

		if (pages - n < 64)
			word &= (1ULL << (pages - n)) - 1;
		while (word) {
			u64 from = __builtin_ctzll(word), to = 64;

			if (~word >> from)
				to = from + __builtin_ctzll(~word >> from);
			if (n + from > most)
				return;
			vmig_dirty_set(d, iova + ((n + from) << page_log2), n + to > most ?
				       ~0ULL : iova + ((n + to) << page_log2) - 1);
			if (to == 64)
				break;
			word &= ~0ULL << to;
		}
	}
}

void vmig_dirty_fill(struct vmig_dirty *d)
{
	bits_set(d->bits, 0, d->pages);
}

void vmig_dirty_next(const struct vmig_dirty *d, u32 most, const struct vmig_range *todo,
		     struct vmig_dirty_piece *piece)
{
	u32 i = range_at(d, todo->first);
	const struct vmig_range *r;

	*piece = (struct vmig_dirty_piece){ .last = todo->last };
	if (i == d->num)
		return;
	r = &d->ranges[i];
	if (todo->first < r->first) {
		piece->last = min(todo->last, r->first - 1);
		return;
	}
	piece->first = todo->first & ~((1ULL << d->page_log2) - 1);
	piece->last = min(todo->last, r->last);
	piece->pages = min_t(u64, pages_of(d, piece->first, piece->last), most);
	/* All pages up to the end of the space: this wraps to its last byte. */
	piece->last = min(piece->last,
			  piece->first + ((u64)piece->pages << d->page_log2) - 1);
	piece->index = d->index[i] + ((piece->first - r->first) >> d->page_log2);
}

/* Is any byte of a part wanted? */
static bool wanted(const struct vmig_range *want, u32 num, u64 first, u64 last)
{
	for (u32 i = 0; i < num; i++)
		if (want[i].first <= last && want[i].last >= first)
			return true;
	return false;
}

void vmig_dirty_take(struct vmig_dirty *d, const struct vmig_dirty_piece *piece, u64 first,
		     const struct vmig_range *want, u32 num, bool keep, unsigned long *out)
{
	const u64 last = piece->first + ((u64)piece->pages << d->page_log2) - 1;
	bool head = piece->first == first || !wanted(want, num, piece->first, first - 1);
	bool tail = piece->last == last || !wanted(want, num, piece->last + 1, last);

	for (u32 n = 0; n < piece->pages; n++) {
		unsigned long *word = &d->bits[(piece->index + n) / LONG_BITS];
		unsigned long mask = bit_mask(piece->index + n);

		if (!(*word & mask))
			continue;
		out[n / LONG_BITS] |= bit_mask(n);
		if ((n || head) && (n + 1 < piece->pages || tail) && !keep)
			*word &= ~mask;
	}
}

void vmig_dirty_set_pages(struct vmig_dirty *d, u64 index, u64 pages)
{
	bits_set(d->bits, index, pages);
}

u64 vmig_dirty_count(const struct vmig_dirty *d)
{
	u64 count = 0;

	for (u64 i = 0; i < vmig_dirty_longs(d->pages); i++)
		count += hweight_long(d->bits[i]);
	return count;
}

/* The lowest dirty page from @from on; or the number of all. */
static u64 next_dirty(const struct vmig_dirty *d, u64 from)
{
	unsigned long word;
	u64 i = from / LONG_BITS;

	if (from >= d->pages)
		return d->pages;
	word = d->bits[i] & (~0UL << (from % LONG_BITS));
	while (!word) {
		if (++i == vmig_dirty_longs(d->pages))
			return d->pages;
		word = d->bits[i];
	}
	return i * LONG_BITS + __builtin_ctzl(word);
}

bool vmig_dirty_piece(const struct vmig_dirty *d, u64 index, u32 pages,
		      struct vmig_dirty_piece *piece)
{
	u32 low = 0, high = d->num;

	if (!pages || index >= d->pages)
		return false;
	/* The last range whose first page is not above. */
	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (d->index[mid] <= index)
			low = mid;
		else
			high = mid;
	}
	piece->index = index;
	piece->first = d->ranges[low].first + ((index - d->index[low]) << d->page_log2);
	piece->pages = min_t(u64, pages, pages_of(d, piece->first, d->ranges[low].last));
	piece->last = piece->first + (((u64)piece->pages << d->page_log2) - 1);
	return piece->pages == pages;
}

bool vmig_dirty_grab(struct vmig_dirty *d, u64 from, u32 most, struct vmig_dirty_piece *piece)
{
	u64 index = next_dirty(d, from);
	u32 pages = 0;

	while (pages < most && vmig_dirty_piece(d, index, pages + 1, piece) &&
	       (d->bits[(index + pages) / LONG_BITS] & bit_mask(index + pages))) {
		d->bits[(index + pages) / LONG_BITS] &= ~bit_mask(index + pages);
		pages++;
	}
	return vmig_dirty_piece(d, index, pages, piece);
}
