// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of user space into ranges of a device: page sizes, rounding, combining.  Pure.
 */
#include "track.h"

/* Round outward to pages; those that touch or overlap then become one. */
static u32 ranges_round(const struct vmig_track_range *want, u32 num, u8 page_log2,
			struct vmig_track_range *out)
{
	u64 mask = (1ULL << page_log2) - 1;
	u32 n = 0;

	for (u32 i = 0; i < num; i++) {
		u64 first = want[i].first & ~mask, last = want[i].last | mask;

		if (n && first <= out[n - 1].last + 1 && out[n - 1].last != U64_MAX) {
			out[n - 1].last = max(out[n - 1].last, last);
			continue;
		}
		if (n && out[n - 1].last == U64_MAX)
			break;
		out[n++] = (struct vmig_track_range){ first, last };
	}
	return n;
}

/* Join the two that have the smallest gap between them. */
static u32 ranges_join(struct vmig_track_range *r, u32 num)
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

static u64 ranges_pages(const struct vmig_track_range *r, u32 num, u8 page_log2)
{
	u64 pages = 0;

	for (u32 i = 0; i < num; i++)
		pages += ((r[i].last - r[i].first) >> page_log2) + 1;
	return pages;
}

static u8 page_choose(const struct vmig_track_can *can, u64 page_bytes)
{
	u8 log2 = 0;

	while (log2 < 63 && (1ULL << log2) < page_bytes)
		log2++;
	return clamp_t(u8, log2, can->page_min_log2, can->page_max_log2);
}

static int refuse(struct vmig_track_why *why, const char *field, u64 can, u64 want, int err)
{
	*why = (struct vmig_track_why){ field, can, want };
	return err;
}

int vmig_track_plan(const struct vmig_track_can *can, const struct vmig_track_range *want,
		    u32 num, u64 page_bytes, struct vmig_track_range *out,
		    struct vmig_track_plan *plan, struct vmig_track_why *why)
{
	u64 last = want[num - 1].last;

	if (!can->ranges || can->page_max_log2 > 62 ||
	    can->page_min_log2 > can->page_max_log2)
		return refuse(why, "limits of the tracker", 0, 0, -EINVAL);
	if (can->address_bits < 64 && last >> can->address_bits)
		return refuse(why, "address width of the tracker: last IOVA",
			      (1ULL << can->address_bits) - 1, last, -ERANGE);

	for (u8 log2 = page_choose(can, page_bytes); log2 <= can->page_max_log2; log2++) {
		plan->page_log2 = log2;
		plan->num = ranges_round(want, num, log2, out);
		while (plan->num > can->ranges)
			plan->num = ranges_join(out, plan->num);
		plan->pages = ranges_pages(out, plan->num, log2);
		if (plan->pages <= can->pages)
			return 0;
	}
	return refuse(why, "pages of the tracker", can->pages, plan->pages, -E2BIG);
}
