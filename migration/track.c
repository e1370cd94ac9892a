// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of user space into ranges of a device: page sizes, rounding, combining, splitting,
 * and what is left out.  Pure.
 *
 * Ranges may end with the 64-bit space: they are kept by their last byte, and where a
 * size is computed, that of the whole space cannot come out.
 */
#include "track.h"

/* Round outward to pages; those that touch or overlap then become one. */
static u32 ranges_round(const struct vmig_range *want, u32 num, u64 limit, u8 page_log2,
			struct vmig_range *out)
{
	u64 mask = (1ULL << page_log2) - 1;
	u32 n = 0;

	for (u32 i = 0; i < num; i++) {
		u64 first = want[i].first & ~mask, last = min(want[i].last, limit) | mask;

		if (n && out[n - 1].last == U64_MAX)
			break;
		if (n && first <= out[n - 1].last + 1) {
			out[n - 1].last = max(out[n - 1].last, last);
			continue;
		}
		out[n++] = (struct vmig_range){ first, last };
	}
	return n;
}

/* Join the two that have the smallest gap between them. */
static u32 ranges_join(struct vmig_range *r, u32 num)
{
	u32 best = 0;

	for (u32 i = 1; i + 1 < num; i++)
		if (r[i + 1].first - r[i].last < r[best + 1].first - r[best].last)
			best = i;
	r[best].last = r[best + 1].last;
	for (u32 i = best + 1; i + 1 < num; i++)
		r[i] = r[i + 1];
	return num - 1;
}

/* A page has two bytes at least, so this does not overflow. */
static u64 range_pages(const struct vmig_range *r, u8 page_log2)
{
	return ((r->last - r->first) >> page_log2) + 1;
}

/* ---- Devices whose ranges are powers of two ---- */

static u32 bits_of(u64 val)
{
	u32 num = 0;

	for (; val; val &= val - 1)
		num++;
	return num;
}

/* The lowest power of two that is @val, at most 2^63, or more. */
static u64 pow2_up(u64 val)
{
	u64 pow2 = 1;

	while (pow2 < val)
		pow2 <<= 1;
	return pow2;
}

/* How many powers of two do the ranges consist of? */
static u32 ranges_parts(const struct vmig_range *r, u32 num, u8 page_log2)
{
	u32 parts = 0;

	for (u32 i = 0; i < num; i++)
		parts += bits_of(range_pages(&r[i], page_log2));
	return parts;
}

/*
 * Up to the next multiple of 2^k pages, or to the next power of two if that is less; where
 * the IOVAs end, downward.
 */
static void range_widen(struct vmig_range *r, u8 k, u64 limit, u8 page_log2)
{
	u64 pages = range_pages(r, page_log2), all = (limit >> page_log2) + 1;
	u64 unit = min(1ULL << k, pow2_up(pages));
	u64 page = r->first >> page_log2;

	pages = (pages + unit - 1) & ~(unit - 1);
	page = min(page, all - pages);
	r->first = page << page_log2;
	r->last = r->first + (pages << page_log2) - 1;
}

/* Make one of those that touch or overlap; each may reach beyond its neighbours. */
static u32 ranges_merge(struct vmig_range *r, u32 num)
{
	u32 n = 0;

	for (u32 i = 0; i < num; i++) {
		struct vmig_range one = r[i];

		while (n && (r[n - 1].last == U64_MAX || one.first <= r[n - 1].last + 1)) {
			n--;
			one.first = min(one.first, r[n].first);
			one.last = max(one.last, r[n].last);
		}
		r[n++] = one;
	}
	return n;
}

/* Ends: with the largest k each range is a power of two, and merging leaves fewer of them. */
static u32 ranges_widen(struct vmig_range *r, u32 num, const struct vmig_track_can *can,
			u64 limit, u8 page_log2)
{
	for (u8 k = 0; ranges_parts(r, num, page_log2) > can->ranges; ) {
		u32 before = num;

		for (u32 i = 0; i < num; i++)
			range_widen(&r[i], k, limit, page_log2);
		num = ranges_merge(r, num);
		if (num == before && k < 63)
			k++;
	}
	return num;
}

/* From the last to the first: each part has a place at or above that of its range. */
static u32 ranges_split(struct vmig_range *r, u32 num, u8 page_log2)
{
	u32 parts = ranges_parts(r, num, page_log2), n = parts;

	for (u32 i = num; i--; ) {
		u64 pages = range_pages(&r[i], page_log2), last = r[i].last;

		for (; pages; pages &= pages - 1) {
			u64 part = (pages & -pages) << page_log2;

			r[--n] = (struct vmig_range){ last - part + 1, last };
			last -= part;
		}
	}
	return parts;
}

/* ---- Plan ---- */

static u8 page_choose(const struct vmig_track_can *can, u64 page_bytes)
{
	u8 log2 = 0;

	while (log2 < 63 && (1ULL << log2) < page_bytes)
		log2++;
	return clamp_t(u8, log2, can->page_min_log2, can->page_max_log2);
}

static bool can_valid(const struct vmig_track_can *can)
{
	return can->ranges && can->pages && can->page_min_log2 && can->page_max_log2 <= 62 &&
	       can->page_min_log2 <= can->page_max_log2 &&
	       can->page_max_log2 <= can->address_bits;
}

static u64 can_last(const struct vmig_track_can *can)
{
	return can->address_bits < 64 ? (1ULL << can->address_bits) - 1 : U64_MAX;
}

/* The first @num ranges, in pages of a given size: do they fit? */
static bool plan_fits(const struct vmig_track_can *can, const struct vmig_range *want,
		      u32 num, u8 page_log2, struct vmig_range *out,
		      struct vmig_track_plan *plan)
{
	plan->page_log2 = page_log2;
	plan->num = ranges_round(want, num, can_last(can), page_log2, out);
	while (plan->num > can->ranges)
		plan->num = ranges_join(out, plan->num);
	if (can->pow2)
		plan->num = ranges_widen(out, plan->num, can, can_last(can), page_log2);
	plan->pages = 0;
	for (u32 i = 0; i < plan->num; i++)
		plan->pages += range_pages(&out[i], page_log2);
	return plan->pages <= can->pages;
}

/* How many ranges fit, the lowest first, if the pages are as large as they can be? */
static u32 plan_most(const struct vmig_track_can *can, const struct vmig_range *want,
		     u32 num, struct vmig_range *out, struct vmig_track_plan *plan)
{
	u32 fit = 0, beyond = num + 1;

	while (beyond - fit > 1) {
		u32 try = fit + (beyond - fit) / 2;

		if (plan_fits(can, want, try, can->page_max_log2, out, plan))
			fit = try;
		else
			beyond = try;
	}
	return fit;
}

/* Not even the lowest range fits: its begin. */
static void plan_cut(const struct vmig_track_can *can, const struct vmig_range *want,
		     struct vmig_range *out, struct vmig_track_plan *plan)
{
	plan->page_log2 = can->page_max_log2;
	plan->num = ranges_round(want, 1, can_last(can), plan->page_log2, out);
	plan->pages = min(can->pages, range_pages(out, plan->page_log2));
	while (can->pow2 && plan->pages & (plan->pages - 1))
		plan->pages &= plan->pages - 1;
	out->last = out->first + (plan->pages << plan->page_log2) - 1;
	plan->left = out->last + 1;
}

u32 vmig_track_room(const struct vmig_track_can *can, u32 num)
{
	/* A number of pages has at most 64 powers of two in it. */
	return can->pow2 ? max_t(u64, num, min_t(u64, can->ranges, 64ULL * num)) : num;
}

int vmig_track_plan(const struct vmig_track_can *can, const struct vmig_range *want,
		    u32 num, u64 page_bytes, struct vmig_range *out,
		    struct vmig_track_plan *plan, struct vmig_diff *why)
{
	u32 seen = num, fit;
	u64 last;

	*why = (struct vmig_diff){};
	if (!can_valid(can))
		return vmig_differs(why, -EINVAL, "limits of the tracker", 0, 0);
	last = can_last(can);
	while (seen && want[seen - 1].first > last)
		seen--;
	if (want[num - 1].last > last)
		vmig_differs(why, 0, "address width of the tracker: last IOVA", last,
			     want[num - 1].last);
	if (!seen)
		return -ERANGE;

	plan->left = want[seen - 1].last > last ? last + 1 : seen < num ? want[seen].first : 0;
	fit = plan_most(can, want, seen, out, plan);
	if (fit < seen) {
		plan_fits(can, want, seen, can->page_max_log2, out, plan);
		vmig_differs(why, 0, "pages of the tracker", can->pages, plan->pages);
		plan->left = want[fit].first;
	}
	if (!fit)
		plan_cut(can, want, out, plan);
	for (u8 log2 = page_choose(can, page_bytes); fit && log2 <= can->page_max_log2; log2++)
		if (plan_fits(can, want, fit, log2, out, plan))
			break;
	if (can->pow2)
		plan->num = ranges_split(out, plan->num, plan->page_log2);
	return 0;
}
