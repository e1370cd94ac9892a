// SPDX-License-Identifier: GPL-2.0
/* Ranges of user space into ranges of a device: migration/track.c. */
#include <kunit/test.h>

#include "../../migration/track.c"

#define MOST 8

struct plan_case {
	const char *name;
	struct vmig_track_can can;
	u64 page_bytes;
	u32 num;
	struct vmig_range want[MOST];
	int err;
	u8 page_log2;
	u64 pages;
	u32 num_out;
	struct vmig_range out[MOST];
	u64 left;
};

/* Ranges, smallest and largest page, address bits, pages. */
#define CAN { 2, 12, 21, 40, 1024, false }

static const struct plan_case plan_cases[] = {
	{ "as_it_is", CAN, 4096, 1, { { 0x1000, 0x2fff } },
	  0, 12, 2, 1, { { 0x1000, 0x2fff } }, 0 },
	{ "page_too_small", CAN, 512, 1, { { 0x1200, 0x13ff } },
	  0, 12, 1, 1, { { 0x1000, 0x1fff } }, 0 },
	{ "page_too_large", CAN, 1 << 30, 1, { { 1 << 30, (2ULL << 30) - 1 } },
	  0, 21, 512, 1, { { 1 << 30, (2ULL << 30) - 1 } }, 0 },
	{ "pages_grow_with_the_range", CAN, 4096, 1, { { 0, (16 << 20) - 1 } },
	  0, 14, 1024, 1, { { 0, (16 << 20) - 1 } }, 0 },
	{ "rounding_joins", CAN, 512, 3,
	  { { 0x1200, 0x13ff }, { 0x1800, 0x19ff }, { 0x2000, 0x21ff } },
	  0, 12, 2, 1, { { 0x1000, 0x2fff } }, 0 },
	{ "nearest_are_combined", CAN, 4096, 4,
	  { { 0x1000, 0x1fff }, { 0x10000, 0x10fff }, { 0x12000, 0x12fff },
	    { 0x14000, 0x14fff } },
	  0, 12, 6, 2, { { 0x1000, 0x1fff }, { 0x10000, 0x14fff } }, 0 },
	{ "last_byte_of_the_width", CAN, 4096, 1, { { (1ULL << 40) - 4096, (1ULL << 40) - 1 } },
	  0, 12, 1, 1, { { (1ULL << 40) - 4096, (1ULL << 40) - 1 } }, 0 },
	{ "beyond_the_width_is_left", CAN, 4096, 2,
	  { { 0, 4095 }, { 1ULL << 40, (1ULL << 40) + 4095 } },
	  0, 12, 1, 1, { { 0, 4095 } }, 1ULL << 40 },
	{ "across_the_width_is_cut", CAN, 4096, 2,
	  { { 0, 4095 }, { (1ULL << 40) - 4096, (1ULL << 40) + 4095 } },
	  0, 12, 2, 2, { { 0, 4095 }, { (1ULL << 40) - 4096, (1ULL << 40) - 1 } }, 1ULL << 40 },
	{ "nothing_below_the_width", CAN, 4096, 1, { { 1ULL << 40, (1ULL << 40) + 4095 } },
	  .err = -ERANGE },
	{ "too_many_pages_are_cut", CAN, 4096, 1, { { 0, (4ULL << 30) - 1 } },
	  0, 21, 1024, 1, { { 0, (2ULL << 30) - 1 } }, 2ULL << 30 },
	{ "the_highest_is_left", CAN, 4096, 2,
	  { { 0, (2 << 20) - 1 }, { 1ULL << 38, (1ULL << 39) - 1 } },
	  0, 12, 512, 1, { { 0, (2 << 20) - 1 } }, 1ULL << 38 },
	{ "the_highest_is_left_though_it_is_small", CAN, 4096, 4,
	  { { 0, 4095 }, { 1 << 20, (1 << 20) + 4095 }, { 1ULL << 38, (1ULL << 38) + 4095 },
	    { 1ULL << 39, (1ULL << 39) + 4095 } },
	  0, 12, 258, 2, { { 0, (1 << 20) + 4095 }, { 1ULL << 38, (1ULL << 38) + 4095 } },
	  1ULL << 39 },
	{ "end_of_the_world", { 1, 12, 12, 64, ~0ULL, false }, 4096, 2,
	  { { ~0ULL - 8191, ~0ULL - 4096 }, { ~0ULL - 4095, ~0ULL } },
	  0, 12, 2, 1, { { ~0ULL - 8191, ~0ULL } }, 0 },
	{ "rounded_to_the_end_of_the_world", { 2, 46, 62, 64, 1024, false }, 4096, 2,
	  { { 4096, 8191 }, { 3ULL << 62, ~0ULL - 8192 } },
	  0, 53, 513, 2, { { 0, (1ULL << 53) - 1 }, { 3ULL << 62, ~0ULL } }, 0 },
	{ "all_of_the_world", { 1, 12, 62, 64, 4, false }, 4096, 1, { { 0, ~0ULL - 4096 } },
	  0, 62, 4, 1, { { 0, ~0ULL } }, 0 },
	{ "device_without_pages", { 1, 12, 12, 64, 0, false }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_pages_of_a_byte", { 1, 0, 12, 64, 1, false }, 1, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_pages_beyond_its_width", { 1, 12, 21, 20, 1, false }, 4096, 1,
	  { { 0, 4095 } }, .err = -EINVAL },
	{ "device_without_ranges", { 0, 12, 12, 64, 1, false }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_inverted_pages", { 1, 13, 12, 64, 1, false }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_huge_pages", { 1, 12, 63, 64, 1, false }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
};

static void plan_describe(const struct plan_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(plan, plan_cases, plan_describe);

static void plan_fits_the_device(struct kunit *test)
{
	const struct plan_case *c = test->param_value;
	struct vmig_range out[MOST];
	struct vmig_track_plan plan;
	struct vmig_diff why = {};

	KUNIT_ASSERT_EQ(test, vmig_track_plan(&c->can, c->want, c->num, c->page_bytes, out,
					      &plan, &why), c->err);
	if (c->err) {
		KUNIT_EXPECT_NOT_NULL(test, why.field);
		return;
	}
	KUNIT_EXPECT_EQ(test, !!why.field, c->left != 0);
	KUNIT_EXPECT_EQ(test, plan.left, c->left);
	KUNIT_EXPECT_EQ(test, plan.page_log2, c->page_log2);
	KUNIT_EXPECT_EQ(test, plan.pages, c->pages);
	KUNIT_ASSERT_EQ(test, plan.num, c->num_out);
	for (u32 i = 0; i < plan.num; i++) {
		KUNIT_EXPECT_EQ(test, out[i].first, c->out[i].first);
		KUNIT_EXPECT_EQ(test, out[i].last, c->out[i].last);
	}
}

static u32 next(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Whatever is asked: what comes out covers it, in order, in whole pages. */
static void every_plan_covers_what_was_wanted(struct kunit *test)
{
	const struct vmig_track_can can = { 3, 12, 21, 48, 1ULL << 40, false };
	struct vmig_range want[MOST], out[MOST];
	struct vmig_track_plan plan;
	struct vmig_diff why;
	u32 seed = 1;

	for (int round = 0; round < 500; round++) {
		u32 num = 1 + next(&seed) % MOST, o = 0;
		u64 at = 0;

		for (u32 i = 0; i < num; i++) {
			want[i].first = at + (u64)(next(&seed) % 2000 + 1) * 512;
			want[i].last = want[i].first + (u64)(next(&seed) % 2000 + 1) * 512 - 1;
			at = want[i].last + 1;
		}
		KUNIT_ASSERT_EQ(test, vmig_track_plan(&can, want, num, 512, out, &plan, &why),
				0);
		KUNIT_ASSERT_TRUE(test, plan.num && plan.num <= can.ranges);
		for (u32 i = 0; i < num; i++) {
			while (o < plan.num && out[o].last < want[i].first)
				o++;
			KUNIT_ASSERT_TRUE(test, o < plan.num && out[o].first <= want[i].first &&
					  out[o].last >= want[i].last);
		}
		for (u32 i = 0; i < plan.num; i++) {
			KUNIT_ASSERT_EQ(test, out[i].first & 4095, 0ULL);
			KUNIT_ASSERT_EQ(test, out[i].last & 4095, 4095ULL);
			KUNIT_ASSERT_TRUE(test, !i || out[i].first > out[i - 1].last);
		}
	}
}

/* ---- Ranges that are powers of two ---- */

#define ROOM (64 * MOST)

struct pow2_case {
	const char *name;
	u32 ranges;
	u64 pages;
	u32 num;
	struct vmig_range want[MOST];
	u8 page_log2;
	u32 num_out;
	struct vmig_range out[MOST];
	u64 left;
};

/* Pages of 4 KiB to 2 MiB, 40 address bits. */
static const struct pow2_case pow2_cases[] = {
	{ "as_it_is", 2, 1024, 1, { { 0x3000, 0x6fff } }, 12, 1, { { 0x3000, 0x6fff } }, 0 },
	{ "split", 2, 1024, 1, { { 0x1000, 0x6fff } },
	  12, 2, { { 0x1000, 0x4fff }, { 0x5000, 0x6fff } }, 0 },
	{ "widened", 2, 1024, 1, { { 0x1000, 0x7fff } }, 12, 1, { { 0x1000, 0x8fff } }, 0 },
	{ "widened_a_little", 2, 1024, 1, { { 0, 0xafff } },
	  12, 2, { { 0, 0x7fff }, { 0x8000, 0xbfff } }, 0 },
	{ "widened_into_the_next", 2, 1024, 2, { { 0, 0x6fff }, { 0x8000, 0x8fff } },
	  12, 2, { { 0, 0x7fff }, { 0x8000, 0x8fff } }, 0 },
	{ "widened_downward_at_the_end", 1, 1024, 1,
	  { { (1ULL << 40) - 0x3000, (1ULL << 40) - 1 } },
	  12, 1, { { (1ULL << 40) - 0x4000, (1ULL << 40) - 1 } }, 0 },
	{ "cut", 1, 7, 1, { { 1ULL << 30, (2ULL << 30) - 1 } },
	  21, 1, { { 1ULL << 30, (1ULL << 30) + (8 << 20) - 1 } }, (1ULL << 30) + (8 << 20) },
	{ "cut_at_the_end", 1, 3, 1, { { (1ULL << 40) - (6 << 20), (1ULL << 40) - 1 } },
	  21, 1, { { (1ULL << 40) - (6 << 20), (1ULL << 40) - (2 << 20) - 1 } },
	  (1ULL << 40) - (2 << 20) },
};

static void pow2_describe(const struct pow2_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(pow2, pow2_cases, pow2_describe);

static void plan_of_powers_of_two(struct kunit *test)
{
	const struct pow2_case *c = test->param_value;
	const struct vmig_track_can can = { c->ranges, 12, 21, 40, c->pages, true };
	struct vmig_range *out = kunit_kzalloc(test, ROOM * sizeof(*out), GFP_KERNEL);
	struct vmig_track_plan plan;
	struct vmig_diff why;

	KUNIT_ASSERT_NOT_NULL(test, out);
	KUNIT_ASSERT_LE(test, vmig_track_room(&can, c->num), (u32)ROOM);
	KUNIT_ASSERT_EQ(test, vmig_track_plan(&can, c->want, c->num, 4096, out, &plan, &why), 0);
	KUNIT_EXPECT_EQ(test, plan.left, c->left);
	KUNIT_EXPECT_EQ(test, plan.page_log2, c->page_log2);
	KUNIT_ASSERT_EQ(test, plan.num, c->num_out);
	for (u32 i = 0; i < plan.num; i++) {
		KUNIT_EXPECT_EQ(test, out[i].first, c->out[i].first);
		KUNIT_EXPECT_EQ(test, out[i].last, c->out[i].last);
	}
}

/* Is each byte that is wanted, below @left if that is not 0, in one of the ranges? */
static bool covers(const struct vmig_range *r, u32 num, const struct vmig_range *want, u64 left)
{
	u64 last = left ? min(want->last, left - 1) : want->last;

	if (left && want->first >= left)
		return true;
	for (u64 at = want->first; ; at = r->last + 1, r++, num--) {
		while (num && r->last < at) {
			r++;
			num--;
		}
		if (!num || r->first > at)
			return false;
		if (r->last >= last)
			return true;
	}
}

static void every_plan_of_powers_of_two_covers_what_was_wanted(struct kunit *test)
{
	struct vmig_range *out = kunit_kzalloc(test, ROOM * sizeof(*out), GFP_KERNEL);
	struct vmig_range want[MOST];
	struct vmig_track_plan plan;
	struct vmig_diff why;
	u32 seed = 1;

	KUNIT_ASSERT_NOT_NULL(test, out);
	for (int round = 0; round < 2000; round++) {
		const u8 bits = round % 4 ? 24 : 64;
		const u64 limit = bits < 64 ? (1ULL << bits) - 1 : U64_MAX;
		const struct vmig_track_can can = {
			1 + next(&seed) % 12, 12, 21, bits, 1 + next(&seed) % 4096, true,
		};
		u32 num = 1 + next(&seed) % MOST, n = 0;
		u64 at = limit - (16 << 20) + 1, pages = 0;

		for (; n < num && limit - at > (4 << 20); n++) {
			want[n].first = at + (u64)(next(&seed) % 2000 + 1) * 512;
			want[n].last = want[n].first + (u64)(next(&seed) % 4000 + 1) * 512 - 1;
			at = want[n].last + 1;
		}
		KUNIT_ASSERT_EQ(test, vmig_track_plan(&can, want, n, 512, out, &plan, &why), 0);
		KUNIT_ASSERT_TRUE(test, plan.num && plan.num <= can.ranges);
		KUNIT_ASSERT_LE(test, plan.num, vmig_track_room(&can, n));
		for (u32 i = 0; i < plan.num; i++) {
			u64 mask = (1ULL << plan.page_log2) - 1;
			u64 here = ((out[i].last - out[i].first) >> plan.page_log2) + 1;

			KUNIT_ASSERT_LE(test, out[i].last, limit);
			KUNIT_ASSERT_EQ(test, out[i].first & mask, 0ULL);
			KUNIT_ASSERT_EQ(test, out[i].last & mask, mask);
			KUNIT_ASSERT_TRUE(test, is_power_of_2(here));
			KUNIT_ASSERT_TRUE(test, !i || out[i].first > out[i - 1].last);
			pages += here;
		}
		KUNIT_ASSERT_EQ(test, pages, plan.pages);
		KUNIT_ASSERT_LE(test, pages, can.pages);
		KUNIT_ASSERT_EQ(test, !!why.field, plan.left != 0);
		for (u32 i = 0; i < n; i++)
			KUNIT_ASSERT_TRUE(test, covers(out, plan.num, &want[i], plan.left));
	}
}

static struct kunit_case track_cases[] = {
	KUNIT_CASE_PARAM(plan_fits_the_device, plan_gen_params),
	KUNIT_CASE(every_plan_covers_what_was_wanted),
	KUNIT_CASE_PARAM(plan_of_powers_of_two, pow2_gen_params),
	KUNIT_CASE(every_plan_of_powers_of_two_covers_what_was_wanted),
	{ }
};

static struct kunit_suite track_suite = {
	.name = "vmig_track",
	.test_cases = track_cases,
};

kunit_test_suite(track_suite);

MODULE_DESCRIPTION("KUnit suite of dirty tracking: ranges");
MODULE_LICENSE("GPL");
