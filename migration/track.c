// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of user space into ranges of a device: page sizes, rounding, combining, and what
 * is left out; reports in pieces.  Pure.
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
	plan_fits(can, want, 1, can->page_max_log2, out, plan);
	plan->pages = can->pages;
	out->last = out->first + (plan->pages << plan->page_log2) - 1;
	plan->left = out->last + 1;
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
	if (!fit) {
		plan_cut(can, want, out, plan);
		return 0;
	}
	for (u8 log2 = page_choose(can, page_bytes); log2 <= can->page_max_log2; log2++)
		if (plan_fits(can, want, fit, log2, out, plan))
			break;
	return 0;
}

void vmig_track_piece(const struct vmig_range *ranges, u32 num, u8 page_log2, u32 most,
		      const struct vmig_range *todo, struct vmig_track_piece *piece)
{
	u64 index = 0;

	*piece = (struct vmig_track_piece){ .last = todo->last };
	for (u32 i = 0; i < num; i++) {
		const struct vmig_range *r = &ranges[i];
		struct vmig_range part;

		if (todo->first < r->first) {
			piece->last = min(todo->last, r->first - 1);
			return;
		}
		if (todo->first > r->last) {
			index += range_pages(r, page_log2);
			continue;
		}
		part = (struct vmig_range){
			.first = todo->first & ~((1ULL << page_log2) - 1),
			.last = min(todo->last, r->last),
		};
		piece->pages = min_t(u64, range_pages(&part, page_log2), most);
		piece->first = part.first;
		/* All pages up to the end of the space: this wraps to its last byte. */
		piece->last = min(part.last, part.first +
					     ((u64)piece->pages << page_log2) - 1);
		piece->index = index + ((part.first - r->first) >> page_log2);
		return;
	}
}

bool vmig_track_wants(const struct vmig_range *want, u32 num, const struct vmig_range *part)
{
	for (u32 i = 0; i < num; i++)
		if (want[i].first <= part->last && want[i].last >= part->first)
			return true;
	return false;
}
