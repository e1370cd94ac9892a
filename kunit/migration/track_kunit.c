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
#define CAN { 2, 12, 21, 40, 1024 }

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
	{ "end_of_the_world", { 1, 12, 12, 64, ~0ULL }, 4096, 2,
	  { { ~0ULL - 8191, ~0ULL - 4096 }, { ~0ULL - 4095, ~0ULL } },
	  0, 12, 2, 1, { { ~0ULL - 8191, ~0ULL } }, 0 },
	{ "rounded_to_the_end_of_the_world", { 2, 46, 62, 64, 1024 }, 4096, 2,
	  { { 4096, 8191 }, { 3ULL << 62, ~0ULL - 8192 } },
	  0, 53, 513, 2, { { 0, (1ULL << 53) - 1 }, { 3ULL << 62, ~0ULL } }, 0 },
	{ "all_of_the_world", { 1, 12, 62, 64, 4 }, 4096, 1, { { 0, ~0ULL - 4096 } },
	  0, 62, 4, 1, { { 0, ~0ULL } }, 0 },
	{ "device_without_pages", { 1, 12, 12, 64, 0 }, 4096, 1, { { 0, 4095 } }, .err = -EINVAL },
	{ "device_with_pages_of_a_byte", { 1, 0, 12, 64, 1 }, 1, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_pages_beyond_its_width", { 1, 12, 21, 20, 1 }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_without_ranges", { 0, 12, 12, 64, 1 }, 4096, 1, { { 0, 4095 } }, .err = -EINVAL },
	{ "device_with_inverted_pages", { 1, 13, 12, 64, 1 }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_huge_pages", { 1, 12, 63, 64, 1 }, 4096, 1, { { 0, 4095 } },
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
	const struct vmig_track_can can = { 3, 12, 21, 48, 1ULL << 40 };
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

/* ---- Reports in pieces ---- */

struct walk_case {
	const char *name;
	u8 page_log2;
	u32 most;
	u32 num;
	struct vmig_range ranges[MOST];
	struct vmig_range todo;
	u32 pieces;		/* of these: */
	u32 tracked;
	u64 pages;		/* of all tracked pieces */
};

static const struct walk_case walk_cases[] = {
	{ "one_piece", 12, 8, 1, { { 0x1000, 0x4fff } }, { 0x1000, 0x4fff }, 1, 1, 4 },
	{ "in_pieces", 12, 3, 1, { { 0x1000, 0x8fff } }, { 0x1000, 0x8fff }, 3, 3, 8 },
	{ "outside", 12, 8, 1, { { 0x2000, 0x2fff } }, { 0x1000, 0x4fff }, 3, 1, 1 },
	{ "inside_a_page", 21, 8, 1, { { 0, (2 << 20) - 1 } }, { 0x1000, 0x1fff }, 1, 1, 1 },
	{ "without_ranges", 12, 8, 0, {}, { 0, ~0ULL - 1 }, 1, 0, 0 },
	{ "to_the_end_of_the_world", 21, 8, 1, { { ~0ULL << 21, ~0ULL } },
	  { ~0ULL << 21, ~0ULL - 4096 }, 1, 1, 1 },
	{ "all_of_the_world", 46, 256 << 10, 1, { { 0, ~0ULL } }, { 0, ~0ULL - 1 }, 1, 1,
	  256 << 10 },
	{ "all_of_the_world_in_pieces", 46, 100 << 10, 1, { { 0, ~0ULL } }, { 0, ~0ULL }, 3, 3,
	  256 << 10 },
	{ "all_of_the_world_in_four", 62, 1, 1, { { 0, ~0ULL } }, { 1, ~0ULL - 1 }, 4, 4, 4 },
	{ "two_at_the_end", 62, 256 << 10, 2, { { 0, (1ULL << 62) - 1 }, { 1ULL << 63, ~0ULL } },
	  { 4096, ~0ULL }, 3, 2, 3 },
};

static void walk_describe(const struct walk_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(walk, walk_cases, walk_describe);

static void pieces_cover_a_report_and_end(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct vmig_range todo = c->todo;
	struct vmig_track_piece p;
	u32 pieces = 0, tracked = 0;
	u64 pages = 0, index = 0;

	do {
		vmig_track_piece(c->ranges, c->num, c->page_log2, c->most, &todo, &p);
		KUNIT_ASSERT_LE(test, todo.first, p.last);
		KUNIT_ASSERT_LE(test, p.last, todo.last);
		KUNIT_ASSERT_LE(test, ++pieces, c->pieces);
		if (p.pages) {
			KUNIT_EXPECT_LE(test, p.first, todo.first);
			KUNIT_EXPECT_GE(test, p.index, index);
			tracked++;
			pages += p.pages;
			index = p.index + p.pages - 1;
		}
		todo.first = p.last + 1;
	} while (p.last != c->todo.last);
	KUNIT_EXPECT_EQ(test, pieces, c->pieces);
	KUNIT_EXPECT_EQ(test, tracked, c->tracked);
	KUNIT_EXPECT_EQ(test, pages, c->pages);
}

static void wanted_parts_are_found(struct kunit *test)
{
	static const struct vmig_range want[] = { { 0x1000, 0x1fff }, { 0x4000, ~0ULL - 4096 } };
	static const struct {
		struct vmig_range part;
		bool wanted;
	} cases[] = {
		{ { 0, 0xfff }, false }, { { 0, 0x1000 }, true }, { { 0x1fff, 0x1fff }, true },
		{ { 0x2000, 0x3fff }, false }, { { 0x2000, ~0ULL }, true },
		{ { ~0ULL - 4095, ~0ULL }, false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, vmig_track_wants(want, 2, &cases[i].part),
				cases[i].wanted);
}

static struct kunit_case track_cases[] = {
	KUNIT_CASE_PARAM(plan_fits_the_device, plan_gen_params),
	KUNIT_CASE(every_plan_covers_what_was_wanted),
	KUNIT_CASE_PARAM(pieces_cover_a_report_and_end, walk_gen_params),
	KUNIT_CASE(wanted_parts_are_found),
	{ }
};

static struct kunit_suite track_suite = {
	.name = "vmig_track",
	.test_cases = track_cases,
};

kunit_test_suite(track_suite);

MODULE_DESCRIPTION("KUnit suite of dirty tracking: ranges");
MODULE_LICENSE("GPL");
